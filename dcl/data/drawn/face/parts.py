"""The parts of SynthFaces, in the order they are drawn: each is a function of a `Sketch`.

Coordinates are pixels of the upright face: x from the middle of the face to its left and right,
y downwards from 0 to 54 (crown 7, eyes 25, nose 32, mouth 37, chin 44).
"""

from . import body, features, hair, surroundings

# What is drawn, back to front: the function; the attribute it needs and how much of it (None: all
# images); rows from, rows to, columns either side of the middle (None: everywhere); whether it
# turns with the features of the face (else with the head).
PARTS = (
    (surroundings.background, None, 0, None, False),
    (surroundings.things_behind, "difficult", 0, None, False),
    (hair.back_hair, None, 0, None, False),
    (body.body, None, 0, (34, 55, 23), False),
    (body.ears, "ears", 0.02, (20, 34, 20), False),
    (body.necklace, "Wearing_Necklace", 0.35, (43, 55, 14), False),
    (body.necktie, "Wearing_Necktie", 0.35, (44, 55, 12), False),
    (body.double_chin, "Double_Chin", 0.02, (34, 55, 14), False),
    (features.face, None, 0, None, False),
    (features.cheeks, "cheek", 0.02, (24, 42, 14), True),
    (features.blemishes, "plain", 0.02, (13, 45, 13), True),
    (features.wrinkles, "old", 0.02, (10, 40, 13), True),
    (hair.stubble, "5_o_Clock_Shadow", 0.02, (26, 50, 16), True),
    (features.bags, "Bags_Under_Eyes", 0.02, (24, 32, 11), True),
    (features.makeup, "Heavy_Makeup", 0.02, (20, 28, 12), True),
    (features.eyes, None, 0, (21, 29, 12), True),
    (hair.beard, "bearded", 0.02, (26, 51, 16), True),
    (features.nose, None, 0, (18, 37, 7), True),
    (features.mouth, None, 0, (29, 44, 11), True),
    (hair.goatee, "Goatee", 0.35, (34, 50, 10), True),
    (hair.mustache, "Mustache", 0.35, (31, 40, 9), True),
    (hair.bald_head, "Bald", 0.02, (7, 18, 11), False),
    (hair.front_hair, None, 0, (0, 36, 20), False),
    (features.brows, None, 0, (15, 25, 12), True),
    (hair.sideburns, "Sideburns", 0.35, (20, 40, 18), False),
    (hair.bangs, "Bangs", 0.35, (2, 23, 17), False),
    (features.glasses, "Eyeglasses", 0.35, (19, 31, 16), True),
    (body.earrings, "Wearing_Earrings", 0.35, (29, 41, 20), False),
    (hair.hat, "Wearing_Hat", 0.35, (0, 22, 23), False),
    (surroundings.thing_in_front, "hidden", 0.02, None, False),
)
