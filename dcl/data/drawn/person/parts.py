"""The parts of SynthPersons, in the order they are drawn: each is a function of a `Sketch`.

Coordinates are those of the upright person in a frame of 64 rows and 32 columns, whatever the
size drawn: x from the middle to the right, y downwards (crown 4, chin 13, shoulders 16, hem 33,
soles 61). A person has one left (x < 0) and one right side; `drawing.py` mirrors images.
"""

from . import carried, head, legs, surroundings, torso

# What is drawn, back to front: the function; the attribute it needs and how much of it (None: all
# images); rows from, rows to, columns from, columns to (None: everywhere).
SOME, FAINT = 0.35, 0.1
PARTS = (
    (surroundings.background, None, 0, None),
    (surroundings.thing_left, "difficult", 0, (3, 60, -16, -1)),
    (surroundings.thing_right, "difficult", 0, (3, 60, 1, 16)),
    (surroundings.gathering, "action-Gathering", SOME, (13, 53, -16, 16)),
    (surroundings.talking, "action-Talking", SOME, (4, 62, 9, 16)),
    (carried.backpack, "attach-Backpack", SOME, (15, 33, -11, 11)),
    (head.long_hair_behind, "hs-LongHair", SOME, (7, 25, -6, 6)),
    (legs.legs, None, 0, (32, 61, -8, 8)),
    (legs.shoes, None, 0, (57, 62, -9, 9)),
    (legs.boots, "shoes-Boots", SOME, (49, 62, -8, 8)),
    (legs.skirt, "lb-Skirt", SOME, (30, 55, -10, 10)),
    (legs.short_skirt, "lb-ShortSkirt", SOME, (30, 44, -10, 10)),
    (torso.arms, None, 0, (14, 40, -14, 14)),
    (torso.torso, None, 0, (12, 39, -9, 9)),
    (torso.shirt, "ub-Shirt", FAINT, (12, 39, -9, 9)),
    (torso.sweater, "ub-Sweater", FAINT, (12, 39, -9, 9)),
    (torso.t_shirt, "ub-TShirt", FAINT, (12, 39, -9, 9)),
    (torso.tight, "ub-Tight", FAINT, (12, 39, -9, 9)),
    (torso.jacket, "ub-Jacket", FAINT, (12, 39, -9, 9)),
    (torso.cotton, "ub-Cotton", FAINT, (12, 39, -9, 9)),
    (torso.vest, "ub-Vest", FAINT, (12, 39, -9, 9)),
    (torso.suit, "ub-SuitUp", SOME, (12, 39, -9, 9)),
    (torso.adult, "Age31-45", FAINT, (12, 39, -9, 9)),
    (torso.belly, "BodyFat", FAINT, (20, 35, -9, 9)),
    (torso.belt, "BodyNormal", FAINT, (12, 39, -9, 9)),
    (torso.dress, "lb-Dress", SOME, (15, 51, -14, 14)),
    (torso.clerk, "Clerk", SOME, (15, 24, -9, 9)),
    (torso.customer, "Customer", FAINT, (26, 42, -15, 3)),
    (head.head, None, 0, (3, 15, -6, 6)),
    (head.gray_temples, "Age31-45", FAINT, (5, 13, -6, 6)),
    (head.child, "AgeLess16", SOME, (0, 13, -6, 6)),
    (head.bald, "hs-BaldHead", SOME, (3, 12, -6, 6)),
    (head.glasses, "hs-Glasses", SOME, (7, 12, -6, 6)),
    (torso.young, "Age17-30", FAINT, (9, 28, -5, 5)),
    (torso.muffler, "hs-Muffler", SOME, (12, 27, -6, 6)),
    (head.hat, "hs-Hat", SOME, (0, 9, -8, 8)),
    (carried.straps, "attach-Backpack", SOME, (14, 27, -6, 6)),
    (carried.shoulder_bag, "attach-SingleShoulderBag", SOME, (14, 40, -6, 12)),
    (carried.other_attachment, "attach-Other", SOME, (29, 53, -12, -3)),
    (carried.handbag, "attach-HandBag", SOME, (28, 46, -15, 5)),
    (carried.paper_bag, "attach-PaperBag", SOME, (28, 52, -16, 5)),
    (carried.trunk, "attach-HandTrunk", SOME, (34, 63, -16, -6)),
    (carried.carton, "attach-Box", SOME, (50, 63, 6, 16)),
    (carried.in_hand, "action-CarrybyHand", SOME, (28, 45, -3, 16)),
    (carried.plastic_bag, "attach-PlasticBag", SOME, (28, 48, -3, 16)),
    (carried.under_arm, "action-CarrybyArm", SOME, (18, 31, -12, 0)),
    (carried.holding, "action-Holding", SOME, (19, 29, -6, 6)),
    (carried.pulling, "action-Pulling", SOME, (30, 63, 0, 16)),
    (carried.pushing, "action-Pusing", SOME, (34, 62, -9, 9)),
    (carried.calling, "action-Calling", SOME, (5, 15, 2, 9)),
    (surroundings.thing_in_front, "hidden", FAINT, None),
)
