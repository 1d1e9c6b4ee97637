"""The face itself; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import Sketch, box, ink, mix, oval, rgb


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


def glasses(s: Sketch) -> None:
    across, shown = np.abs(s.x), s.shown("Eyeglasses")
    lens = oval(across - 5.7, s.y - 25, 4.6, 3.8)
    bridge = np.maximum(np.abs(s.y - 24.2) - 0.5, across - 1.5)
    arm = np.maximum(np.abs(s.y - 24) - 0.5, np.abs(across - 11.8) - 1.8)
    s.paint(ink(lens) * 0.16 * shown, (0.7, 0.85, 1))
    rim = np.minimum(np.abs(lens) - 0.7, np.minimum(bridge, arm))
    s.paint(ink(rim + 0.5 * (1 - s["Eyeglasses"])) * shown, s["frame"])  # a weak rim is thin
