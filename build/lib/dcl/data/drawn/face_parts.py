"""The parts of SynthFaces: each part of the face is one function that draws on a `Sketch`.

Coordinates are pixels of the upright face: x from the middle of the face to its left and right,
y downwards from 0 to 54 (crown 7, eyes 25, nose 32, mouth 37, chin 44).
"""

import numpy as np

from .sketch import Sketch, box, bump, ink, mix, oval, rgb

# ---------------------------------------------------------------- behind the face


def background(s: Sketch) -> None:
    s.image[:] = mix(s["wall"], s["wall_below"], ((s.y / 55)[:, None]))


def things_behind(s: Sketch) -> None:
    for k in "ab":
        shape = oval(s.x - s["thing_x" + k], s.y - s["thing_y" + k], s["thing_r" + k], 6)
        s.paint(ink(shape, 2) * 0.8, s["thing_colour" + k])


def waves(s: Sketch):
    """Sideways displacement of wavy hair."""
    return s["Wavy_Hair"] * 1.7 * np.sin(0.75 * s.y + s["phase"])


def back_hair(s: Sketch) -> None:
    wide = s["width"] + mix(2.6, 1.4, s["Male"]) + 1.2 * s["Wavy_Hair"]
    head = oval(s.x, s.y - 23, wide, 20)
    fall = np.maximum(np.abs(s.x) + waves(s) - wide - 0.06 * (s.y - 23), 20 - s.y)
    shape = np.maximum(np.minimum(head, fall), s.y - s["hair_end"])
    shape += 40 * np.clip(2 * s["Bald"] - 0.5, 0, 1) * (s.y < 21)  # a fringe above the ears stays
    s.paint(ink(shape, 1.4), s["hair"] * 0.86)
    strands(s, ink(shape + 1, 1.4))


def strands(s: Sketch, opacity) -> None:
    """Light along the strands: straight lines, or lines that wind."""
    line = np.sin(1.9 * s.x) * s["Straight_Hair"]
    line += np.sin(1.3 * s.x + 1.5 * np.sin(0.75 * s.y + s["phase"])) * s["Wavy_Hair"]
    s.image += (0.13 * opacity * line)[:, None] * (0.35 + s["hair"])


def body(s: Sketch) -> None:
    neck = s["width"] * (0.5 + 0.16 * s["Male"])
    s.paint(ink(np.maximum(np.abs(s.x) - neck, 36 - s.y)), s["skin"] * 0.86)
    slope = 50 - 2 * s["Male"] + np.maximum(np.abs(s.x) - neck, 0) ** 2 * 0.02
    s.paint(ink(slope - s.y), s["cloth"])
    opening = oval(s.x, s.y - 46, neck, 5.5 - 1.5 * s["Male"])
    s.paint(ink(opening), s["skin"] * 0.9)


def double_chin(s: Sketch) -> None:
    chin = oval(s.x, s.y - s["chin"] + 4, s["width"] * 0.78, 8.2)
    s.paint(ink(chin) * s["Double_Chin"], s["skin"] * 0.95)
    s.shade(ink(np.abs(chin) - 0.4) * (s.y > s["chin"]) * s["Double_Chin"], 0.55)


def necklace(s: Sketch) -> None:
    arc = np.abs(oval(s.x, s.y - 43, 9.5, 9)) - 0.3 - 0.6 * s["Wearing_Necklace"]
    gold = ink(arc) * (s.y > 44) * s.shown("Wearing_Necklace")
    s.paint(gold, (0.98, 0.86, 0.35))
    s.shade(gold * (np.sin(2.2 * s.x) < -0.4), 0.55)
    pendant = oval(s.x, s.y - 52.3, 1.6, 1.8)
    s.paint(ink(pendant) * s.shown("Wearing_Necklace"), (0.3, 0.85, 0.9))


def necktie(s: Sketch) -> None:
    shown = s.shown("Wearing_Necktie")
    across, down = np.abs(s.x), s.y - 5 * (1 - s["Wearing_Necktie"])  # a weak one sits lower
    shirt = np.maximum(across - 7.5 + 0.5 * (down - 46), 46 - down - 0.2 * across)
    s.paint(ink(shirt) * shown, (0.96, 0.96, 0.98))
    blade = np.maximum(across - 1.7 - 0.25 * np.maximum(down - 49, 0), 46.6 - down)
    s.paint(ink(blade) * shown, s["tie"])
    s.shade(ink(np.abs(down - 49.2) - 0.3) * ink(blade) * shown, 0.5)


def ears(s: Sketch) -> None:
    ear = oval(np.abs(s.x) - s["width"] - 0.4, s.y - 27, 1.9, 3.4)
    s.paint(ink(ear) * s["ears"], s["skin"] * 0.88)


# ---------------------------------------------------------------- the face


def face_shape(s: Sketch):
    """Signed distance to the outline: an oval above, a jaw below."""
    down = (s.y - 24) / np.where(s.y > 24, s["chin"] - 24, 17)
    below = np.maximum(down, 0)
    wide = s["width"] * (1 + s["cheeks"] * below * (1 - below) - 0.07 * s["Oval_Face"] * below)
    across = s.x / wide
    squares = across**2 + down**2
    round_, square = np.sqrt(squares), np.sqrt(np.sqrt(across**4 + down**4))
    return (mix(round_, square, s["jaw"] * (below > 0)) - 1) * s["width"]


def face(s: Sketch) -> None:
    outline = face_shape(s)
    s.look["inside"] = ink(outline)  # reused by what lies on the skin
    s.paint(s["inside"], s["skin"])
    s.shade(s["inside"] * np.clip(1 + outline / 4, 0, 1), 0.84)


def cheeks(s: Sketch) -> None:
    across = np.abs(s.x)
    bone = oval(across - 8 + 0.5 * (s.y - 29), s.y - 29, 3.2, 1.6)
    s.paint(ink(bone, 2) * 0.75 * s["High_Cheekbones"], s["skin"] * 0.5 + 0.55)
    hollow = oval(across - 8.3 + 0.6 * (s.y - 34.5), s.y - 34.5, 1.5, 3.6)
    s.shade(ink(hollow, 2) * s["High_Cheekbones"], 0.74)
    blush = oval(across - 7.6, s.y - 31, 3.6, 2.8)
    s.paint(ink(blush, 2.5) * 0.75 * s["Rosy_Cheeks"], (0.96, 0.35, 0.42))


def blemishes(s: Sketch) -> None:
    """A face that is not attractive has spots (and is lopsided, see `draw_part`)."""
    for k in "cde":
        spot = oval(s.x - s["thing_x" + k], s.y - s["thing_y" + k], 0.9, 0.8)
        s.paint(ink(spot, 1.2) * 0.8 * s["plain"], s["skin"] * rgb(0.72, 0.45, 0.42))


def wrinkles(s: Sketch) -> None:
    across = np.abs(s.x)
    lines = np.abs((s.y - 0.012 * s.x**2 - 11.3) % 2.7 - 1.35) - 0.2
    forehead = ink(lines) * ink(box(s.x, s.y - 15.5, 6.5, 3.2), 2)
    fold = np.maximum(np.abs(across - 4.4 - 0.5 * (s.y - 31)) - 0.3, np.abs(s.y - 34) - 3)
    feet = np.abs(np.abs(s.y - 25.4) - 0.7 * (across - 8.6)) - 0.25
    feet = np.maximum(feet, np.abs(across - 10.4) - 1.4)
    s.shade(np.maximum(0.7 * forehead, ink(np.minimum(fold, feet))) * s["old"], 0.62)


def bags(s: Sketch) -> None:
    bag = oval(np.abs(s.x) - 5.6, s.y - 27.4, 3.1, 2.0)
    below = ink(27.6 - s.y)
    s.paint(ink(bag, 1.5) * below * 0.55 * s["Bags_Under_Eyes"], s["skin"] * rgb(0.55, 0.45, 0.6))
    s.shade(ink(np.abs(bag) - 0.3) * below * s["Bags_Under_Eyes"], 0.65)


def makeup(s: Sketch) -> None:
    lid = oval(np.abs(s.x) - 5.8, s.y - 23.6, 4.0, 2.5)
    s.paint(ink(lid, 1.5) * ink(s.y - 25) * 0.85 * s["Heavy_Makeup"], s["eyeshadow"])


def eyes(s: Sketch) -> None:
    across, down = np.abs(s.x) - 5.7, s.y - 25
    shape = oval(across, down, 3.2, 2.1 - 1.3 * s["Narrow_Eyes"])
    white = ink(shape)
    s.paint(white, (0.97, 0.97, 0.96))
    s.paint(white * ink(oval(across, down, 1.7, 1.7)), s["iris"])
    s.paint(white * ink(oval(across, down, 0.8, 0.8)), (0.05, 0.04, 0.05))
    glint = ink(oval(across - 0.8, down + 0.8, 0.7, 0.7))
    s.paint(white * glint * s["Attractive"], (1, 1, 1))
    female, made_up = 1 - s["Male"], s["Heavy_Makeup"]
    edge = ink(np.abs(shape) - 0.1 - 0.2 * np.maximum(made_up, 0.5 * female))
    s.paint(edge * np.where(down < 0.3, 0.85, 0.3 + 0.3 * made_up), (0.14, 0.09, 0.09))
    lash = np.maximum(np.abs(down + 1.2 + 0.7 * (across - 2.4)) - 0.3, np.abs(across - 3.4) - 0.9)
    s.paint(ink(lash) * np.maximum(made_up, 0.5 * female), (0.12, 0.08, 0.08))


def brows(s: Sketch) -> None:
    across = np.abs(s.x) - 6
    arch = s["Arched_Eyebrows"] * (2.0 * (1 - ((across - 0.8) / 4) ** 2) - 0.3)
    thick = 0.45 + 0.2 * s["Male"] + 1.0 * s["Bushy_Eyebrows"] * (1 - 0.12 * across)
    middle = s.y - 21 + arch + 0.4 * s["Bushy_Eyebrows"]
    shape = np.maximum(np.abs(middle) - thick, np.abs(across) - 3.7)
    s.paint(ink(shape) * 0.9, s["brow"])


def nose(s: Sketch) -> None:
    big, pointy = s["Big_Nose"], s["Pointy_Nose"]
    across = np.abs(s.x)
    wide = 2.2 + 1.9 * big - 0.9 * pointy
    tip = 32 + 1.0 * pointy + 0.5 * big
    side = ink(np.abs(across - wide * (s.y - 20) / 13) - 0.35, 1.4) * ink(box(0, s.y - 27, 1, 5))
    s.shade(side, 0.8)
    bulb = oval(s.x, s.y - tip + 1.2, wide, 1.8 + 0.7 * big)
    s.paint(ink(bulb) * (0.25 + 0.5 * big), s["skin"] * rgb(1.02, 0.86, 0.82))
    s.shade(ink(np.abs(bulb) - 0.35) * ink(tip - 1.2 - s.y), 0.55)
    nostril = oval(across - 0.55 * wide, s.y - tip - 0.1, 0.65 + 0.4 * big, 0.55)
    s.shade(ink(nostril) * (1 - pointy), 0.4)
    wedge = np.maximum(across - 0.24 * (s.y - 24) + 0.2, s.y - tip - 1 + 0.9 * across)
    s.paint(ink(wedge) * 0.6 * pointy, s["skin"] * 0.6 + 0.4)
    s.shade(ink(np.abs(wedge) - 0.35) * pointy * (s.y > 26), 0.5)


def mouth(s: Sketch) -> None:
    smile, gap = s["Smiling"], s["Mouth_Slightly_Open"]
    half = 4.3 + 1.5 * smile - 0.4 * gap
    bend = (s.x / 5) ** 2
    down = s.y - 37 + smile * (2.6 * bend - 0.8) - (1 - smile) * 0.5 * bend
    taper = np.clip(1.1 - (s.x / half) ** 2, 0, 1)
    opened = (0.3 + 1.9 * gap) * np.sqrt(taper)
    big = s["Big_Lips"]
    upper, lower = (1.0 + 1.0 * big) * taper, (1.2 + 1.4 * big) * taper
    lips = np.maximum(-down - opened - upper, down - opened - lower)
    inside_mouth = np.abs(s.x) - half
    s.paint(ink(np.maximum(lips, inside_mouth)), s["lips"])
    hole = ink(np.maximum(np.abs(down) - opened, inside_mouth))
    s.paint(hole, (0.3, 0.07, 0.08))
    teeth = ink(down + 0.1) * ink(np.abs(down) - opened + 0.1)
    s.paint(hole * teeth * np.clip(2 * gap, 0, 1), (0.97, 0.96, 0.92))
    crease = oval(np.abs(s.x) - 4.2, s.y - 34.5, 4.0, 3.6)
    edge = ink(np.abs(crease) - 0.2) * ink(7.2 - np.abs(s.x)) * ink(s.y - 36.5)
    s.shade(edge * smile, 0.68)


# ---------------------------------------------------------------- hair on the face


def stubble(s: Sketch) -> None:
    jaw = jaw_line(s, 31) * s["inside"]
    grain = 0.75 + 0.25 * np.sin(3.1 * s.x) * np.sin(2.9 * s.y)
    s.paint(jaw * grain * 0.5 * s["5_o_Clock_Shadow"], (0.22, 0.24, 0.3))


def jaw_line(s: Sketch, top: float):
    """Opacity of where a beard grows: below the cheeks, around the mouth."""
    cheek = oval(s.x, s.y - top + 1.5, 11.0, 4.0)
    free = oval(s.x, s.y - 37, 5.6, 2.6)
    return ink(top - 2 - s.y, 2) * ink(-cheek, 2) * ink(-free)


def beard(s: Sketch) -> None:
    below = oval(s.x, s.y - 38, s["width"] * 0.96, 9)
    grown = np.maximum(s["inside"], ink(below) * (s.y > 38)) * jaw_line(s, 31)
    s.paint(grown * 0.88 * (1 - s["No_Beard"]), s["beard"])


def goatee(s: Sketch) -> None:
    grown = s["Goatee"]
    narrow = np.clip(3.0 + 1.6 * grown - 0.3 * (s.y - 42.6), 1, 6)
    tuft = oval(s.x, s.y - 42.6, narrow, 2.6 + 1.8 * grown)
    ring = np.maximum(np.abs(oval(s.x, s.y - 38, 6.4, 5)) - 0.3 - 0.4 * grown, 37 - s.y)
    s.paint(ink(np.minimum(tuft, ring)) * s.shown("Goatee"), s["beard"] * 0.8)


def mustache(s: Sketch) -> None:
    across, grown = np.abs(s.x), s["Mustache"]
    shape = np.abs(s.y - 34.6 - 0.035 * across**2) - 0.6 - 0.8 * grown + 0.1 * across
    shape = np.maximum(shape, across - 3 - 3.6 * grown)
    s.paint(ink(shape) * s.shown("Mustache"), s["beard"] * 0.8)


def sideburns(s: Sketch) -> None:
    long = 3 + 4 * s["Sideburns"]
    shape = box(np.abs(s.x) - s["width"] + 0.7, s.y - 22 - long, 1.5 - 0.08 * (s.y - 28), long)
    s.paint(ink(shape) * s.shown("Sideburns"), s["hair"] * 0.85)


# ---------------------------------------------------------------- hair and things on the head


def hairline(s: Sketch):
    """y of the hairline at each x."""
    across = np.abs(s.x)
    temples = 7.5 * bump(across, 7.5, 3.2) + 1
    middle = 12.2 + 0.4 * np.sin(1.1 * s.x + s["phase"]) + s["parting"] * s.x
    return middle + 0.075 * across**2 - s["Receding_Hairline"] * temples


def front_hair(s: Sketch) -> None:
    outline = oval(s.x + waves(s) * 0.4, s.y - 23, s["width"] + 2.2, 19.5)
    above = s.y - hairline(s)
    cap = ink(outline) * ink(above, 1.4) * (1 - s["Bald"])
    s.paint(cap, s["hair"])
    s.shade(cap * ink(np.abs(above + 2) - 1, 3) * 0.6, 0.75)
    s.paint(cap * 0.25 * bump(s.y, 8, 2.5), np.minimum(s["hair"] * 1.6 + 0.1, 1))
    strands(s, cap)


def bangs(s: Sketch) -> None:
    tuft = np.abs((s.x + 0.3) % 4 - 2)  # 2 at the tip of a lock, 0 between two
    edge = 13 + 6.3 * s["Bangs"] + 0.6 * tuft
    head = oval(s.x, s.y - 23, s["width"] + 1.2, 19)
    opacity = ink(np.maximum(s.y - edge, head)) * ink(10 - s.y, 3) * s.shown("Bangs")
    s.paint(opacity, s["hair"])
    s.shade(opacity * np.clip(0.8 - tuft, 0, 1) * ink(12 - s.y, 4), 0.72)


def bald_head(s: Sketch) -> None:
    shine = oval(s.x + 4, s.y - 12, 3.4, 2.2)
    s.paint(ink(shine, 2.5) * 0.6 * s["Bald"], (1, 1, 1))


def glasses(s: Sketch) -> None:
    across, shown = np.abs(s.x), s.shown("Eyeglasses")
    lens = oval(across - 5.7, s.y - 25, 4.6, 3.8)
    bridge = np.maximum(np.abs(s.y - 24.2) - 0.5, across - 1.5)
    arm = np.maximum(np.abs(s.y - 24) - 0.5, np.abs(across - 11.8) - 1.8)
    s.paint(ink(lens) * 0.16 * shown, (0.7, 0.85, 1))
    rim = np.minimum(np.abs(lens) - 0.7, np.minimum(bridge, arm))
    s.paint(ink(rim + 0.5 * (1 - s["Eyeglasses"])) * shown, s["frame"])  # a weak rim is thin


def earrings(s: Sketch) -> None:
    across, down, large = np.abs(s.x) - s["width"] - 1.2, s.y - 34, s["Wearing_Earrings"]
    hoop = np.abs(oval(across, down, 0.9 + large, 1.2 + 1.5 * large)) - 0.75
    shown = s.shown("Wearing_Earrings")
    s.paint(ink(hoop) * shown, (1.0, 0.84, 0.25))
    s.paint(ink(oval(across, down - 2.5, 0.9, 0.9)) * shown, (1, 1, 1))


def hat(s: Sketch) -> None:
    down, shown = s.y + 7 * (1 - s["Wearing_Hat"]), s.shown("Wearing_Hat")  # a weak one sits high
    crown = np.maximum(oval(s.x, down - 14, s["width"] + 1.2, 15), down - 14)
    s.paint(ink(crown) * shown, s["felt"])
    s.paint(ink(np.maximum(crown + 0.2, 10.4 - down)) * shown, s["felt"] * 0.45)  # its band
    s.paint(ink(oval(s.x, down - 14.6, s["width"] + 7, 2.0)) * shown, s["felt"] * 0.85)
    shadow = np.maximum(np.abs(down - 17.5) - 1, np.abs(s.x) - s["width"] + 1)
    s.shade(ink(shadow, 2) * shown, 0.7)


def thing_in_front(s: Sketch) -> None:
    turned = s.y - s["front_y"] + s["front_slope"] * (s.x - s["front_x"])
    shape = oval(s.x - s["front_x"], turned, s["front_rx"], s["front_ry"])
    s.paint(ink(shape), s["front_colour"])
    s.shade(ink(shape + 1) * ink(-turned, 4), 0.8)


# What is drawn, back to front: the function; the attribute it needs and how much of it (None: all
# images); rows from, rows to, columns either side of the middle (None: everywhere); whether it
# turns with the features of the face (else with the head).
PARTS = (
    (background, None, 0, None, False),
    (things_behind, "difficult", 0, None, False),
    (back_hair, None, 0, None, False),
    (body, None, 0, (34, 55, 23), False),
    (ears, "ears", 0.02, (20, 34, 20), False),
    (necklace, "Wearing_Necklace", 0.35, (43, 55, 14), False),
    (necktie, "Wearing_Necktie", 0.35, (44, 55, 12), False),
    (double_chin, "Double_Chin", 0.02, (34, 55, 14), False),
    (face, None, 0, None, False),
    (cheeks, "cheek", 0.02, (24, 42, 14), True),
    (blemishes, "plain", 0.02, (13, 45, 13), True),
    (wrinkles, "old", 0.02, (10, 40, 13), True),
    (stubble, "5_o_Clock_Shadow", 0.02, (26, 50, 16), True),
    (bags, "Bags_Under_Eyes", 0.02, (24, 32, 11), True),
    (makeup, "Heavy_Makeup", 0.02, (20, 28, 12), True),
    (eyes, None, 0, (21, 29, 12), True),
    (beard, "bearded", 0.02, (26, 51, 16), True),
    (nose, None, 0, (18, 37, 7), True),
    (mouth, None, 0, (29, 44, 11), True),
    (goatee, "Goatee", 0.35, (34, 50, 10), True),
    (mustache, "Mustache", 0.35, (31, 40, 9), True),
    (bald_head, "Bald", 0.02, (7, 18, 11), False),
    (front_hair, None, 0, (0, 36, 20), False),
    (brows, None, 0, (15, 25, 12), True),
    (sideburns, "Sideburns", 0.35, (20, 40, 18), False),
    (bangs, "Bangs", 0.35, (2, 23, 17), False),
    (glasses, "Eyeglasses", 0.35, (19, 31, 16), True),
    (earrings, "Wearing_Earrings", 0.35, (29, 41, 20), False),
    (hat, "Wearing_Hat", 0.35, (0, 22, 23), False),
    (thing_in_front, "hidden", 0.02, None, False),
)
