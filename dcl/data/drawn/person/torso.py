"""Arms, torso and what is worn on it; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import Sketch, box, ink, limb, oval


def arms(s: Sketch) -> None:
    lean = 1.45 + 0.3 * s["plump"]
    sleeve = lean + 0.3 + 0.7 * s["ub-Cotton"] - 0.3 * s["ub-Tight"]
    for side, sign in (("left", -1), ("right", 1)):
        elbow = (s["elbow_x" + side], s["elbow_y" + side])
        hand = (s["hand_x" + side], s["hand_y" + side])
        upper = limb(s.x, s.y, (sign * (s["shoulder"] - 0.3), 17.8), elbow)
        fore = limb(s.x, s.y, elbow, hand)
        s.paint(ink(fore - sleeve * 0.95), s["forearm"])
        s.paint(ink(upper - sleeve), s["sleeve"])
        cuff = ink(np.maximum(fore - sleeve * 0.95, np.abs(s.y - elbow[1] - 1.2) - 0.7))
        s.paint(cuff * s["ub-ShortSleeve"], s["cloth"] * 0.4)
        palm = oval(s.x - hand[0], s.y - hand[1], 1.5, 1.7)
        s.paint(ink(palm), s["skin"])


def torso_shape(s: Sketch):
    """Signed distance to the garment: shoulders, waist, hip; a coat ends lower."""
    above = np.clip((26 - s.y) / 9, 0, 1)
    below = np.clip((s.y - 26) / 7, 0, 1)
    half = s["waist"] + (s["shoulder"] - s["waist"]) * above + (s["hip"] - s["waist"]) * below
    half = half + 1.0 * s["ub-Cotton"] - 0.6 * s["ub-Tight"]
    slope = 15.2 + 0.03 * s.x**2
    hem = 33.5 + 4.5 * s["ub-Cotton"] + 2 * s["ub-SuitUp"]
    return np.maximum(np.abs(s.x) - half, np.maximum(slope - s.y, s.y - hem))


def torso(s: Sketch) -> None:
    s.paint(ink(np.maximum(np.abs(s.x) - 1.7, np.abs(s.y - 14.5) - 2)), s["skin"] * 0.85)
    s.look["edge"] = torso_shape(s)  # reused by what lies on the garment
    s.look["inside"] = ink(s["edge"])
    s.paint(s["inside"], s["cloth"])
    s.shade(s["inside"] * np.clip(1 + s["edge"] / 2.5, 0, 1), 0.78)
    bust = ink(np.abs(oval(np.abs(s.x) - 2.2, s.y - 20.5, 2.1, 2)) - 0.35) * (s.y > 20.5)
    s.shade(bust * s["inside"] * s["Female"], 0.6)


def dress(s: Sketch) -> None:
    end = 37 + 12 * s["lb-Dress"]
    flare = s["waist"] + 0.36 * np.maximum(s.y - 27, 0)
    shape = np.maximum(np.abs(s.x) - flare, np.maximum(s.y - end, 17 - s.y))
    cover = ink(shape) * s.shown("lb-Dress")
    s.paint(cover, s["gown"])
    dots = np.sin(1.6 * s.x) * np.sin(1.6 * s.y) > 0.45
    s.paint(cover * dots * 0.8, (1, 1, 1))
    s.paint(cover * ink(np.abs(s.y - 27) - 0.7), s["gown"] * 0.4)


def shirt(s: Sketch) -> None:
    line = ink(np.abs(s.x) - 0.35) * 0.8
    buttons = ink(oval(s.x, (s.y - 18) % 3.4 - 1.7, 0.8, 0.8))
    a = s["ub-Shirt"] * s["inside"]
    s.shade(line * a, 0.5)
    s.paint(buttons * a, (1, 1, 1))
    collar = ink(np.maximum(np.abs(s.y - 16 - 0.6 * np.abs(s.x)) - 0.8, np.abs(s.x) - 3.6))
    s.paint(collar * s["ub-Shirt"], (0.97, 0.97, 0.97))
    pocket = ink(np.abs(box(s.x - 2.8, s.y - 21.5, 1.3, 1.4)) - 0.3)
    s.shade(pocket * a, 0.55)


def sweater(s: Sketch) -> None:
    ribs = np.sin(2.6 * s.y) * np.sin(1.9 * s.x + 1.4 * np.sin(0.8 * s.y))
    s.image += (0.2 * s["ub-Sweater"] * s["inside"] * ribs)[:, None]
    band = ink(np.abs(s.y - 31.8) - 1.2) * s["inside"]
    s.shade(band * s["ub-Sweater"], 0.6)


def vest(s: Sketch) -> None:
    """Sleeveless, over a shirt of another colour: dark panels and wide arm holes."""
    panel = np.maximum(np.abs(np.abs(s.x) - 2.9) - 1.7, 16.5 - s.y + 0.5 * (3 - np.abs(s.x)))
    s.paint(ink(panel) * s["inside"] * s.shown("ub-Vest"), s["panel"])
    s.paint(ink(np.abs(s.x) - 0.9) * s["inside"] * s["ub-Vest"], (0.95, 0.95, 0.9))


def t_shirt(s: Sketch) -> None:
    neck = ink(np.abs(oval(s.x, s.y - 15.3, 2.9, 2.2)) - 0.5) * (s.y > 15)
    s.paint(neck * s["ub-TShirt"], s["print"])
    disc = oval(s.x, s.y - 22.5, 0.8 + 1.8 * s["ub-TShirt"], 0.8 + 1.8 * s["ub-TShirt"])
    s.paint(ink(disc) * s["inside"] * s.shown("ub-TShirt"), s["print"])


def cotton(s: Sketch) -> None:
    """A padded coat: cushions from seam to seam."""
    seam = np.abs((s.y - 16) % 3.6 - 1.8)
    a = s["ub-Cotton"] * s["inside"]
    s.shade(ink(seam - 0.45) * a, 0.5)
    s.paint(ink(1.4 - seam) * 0.3 * a, (1, 1, 1))


def jacket(s: Sketch) -> None:
    """Open over something lighter, with a zip on both edges and a dark band below."""
    wide = (0.4 + 1.5 * s["ub-Jacket"]) * (1 - 0.03 * (s.y - 16))
    opening = ink(np.abs(s.x) - wide) * s["inside"] * s.shown("ub-Jacket")
    s.paint(opening, s["inner"])
    zips = ink(np.abs(np.abs(s.x) - wide) - 0.35) * s["inside"] * s["ub-Jacket"]
    s.paint(zips, (0.9, 0.85, 0.5))
    s.shade(ink(np.abs(s.y - 32.3) - 1.1) * s["inside"] * s["ub-Jacket"], 0.45)


def suit(s: Sketch) -> None:
    wedge = np.maximum(np.abs(s.x) - 3.4 + 0.36 * (s.y - 15.5), 15 - s.y)
    shown = s.shown("ub-SuitUp")
    s.paint(s["inside"] * shown * 0.9, (0.13, 0.14, 0.2))
    s.paint(ink(wedge) * shown, (0.97, 0.97, 0.98))
    tie = np.maximum(np.abs(s.x) - 0.75, np.maximum(s.y - 24.5, 15.5 - s.y))
    s.paint(ink(tie) * shown, s["stripe"])
    s.paint(ink(np.abs(wedge - 1) - 0.4) * (s.y < 27) * shown * 0.7, (0.45, 0.47, 0.55))


def tight(s: Sketch) -> None:
    """Clings: narrower, with light along both sides and a zipped stand-up collar."""
    a = s["ub-Tight"] * s["inside"]
    s.paint(ink(np.abs(s["edge"] + 1.6) - 0.5) * 0.85 * a, (0.95, 0.95, 1))
    collar = ink(box(s.x, s.y - 15, 2.4, 1.6)) * s["ub-Tight"]
    s.paint(collar, s["cloth"] * 0.55)


def adult(s: Sketch) -> None:
    """31 to 45: folds across the chest (and gray temples, see below)."""
    fold = ink(np.abs((s.y + 0.5 * np.abs(s.x)) % 4.2 - 2.1) - 0.3) * ink(26 - s.y) * s["inside"]
    s.shade(fold * s["Age31-45"], 0.68)


def young(s: Sketch) -> None:
    """17 to 30: the white cord of earphones, from both ears to the pocket."""
    arms_ = np.maximum(np.abs(np.abs(s.x) - 3.4 + 0.32 * (s.y - 11)) - 0.15, np.abs(s.y - 16) - 5.5)
    stem = np.maximum(np.abs(s.x) - 0.15, np.abs(s.y - 24) - 3)
    s.paint(ink(np.minimum(arms_, stem), 0.8) * 0.9 * s["Age17-30"], (0.98, 0.98, 0.98))


def belt(s: Sketch) -> None:
    """A normal figure shows a waist: a belt with a buckle."""
    strip = ink(np.abs(s.y - 31.5) - 0.6) * s["inside"] * s["BodyNormal"]
    s.paint(strip, (0.25, 0.15, 0.08))
    s.paint(ink(box(s.x, s.y - 31.5, 0.9, 0.7)) * s["BodyNormal"], (0.95, 0.85, 0.4))


def belly(s: Sketch) -> None:
    round_ = oval(s.x, s.y - 27.5, s["waist"] - 0.6, 5)
    s.shade(ink(np.abs(round_) - 0.5) * (s.y > 28) * s["BodyFat"], 0.55)
    s.paint(ink(oval(s.x, s.y - 26.5, 2.6, 2.2), 3) * 0.35 * s["BodyFat"], (1, 1, 1))


def clerk(s: Sketch) -> None:
    """A badge on the chest and bars on the shoulders."""
    shown = s.shown("Clerk")
    badge = box(s.x + 2.9, s.y - 21.2, 1.7, 1.2)
    s.paint(ink(badge) * shown, (1, 1, 1))
    s.paint(ink(box(s.x + 2.9, s.y - 21.2, 1.1, 0.3)) * shown, (0.8, 0.1, 0.1))
    bars = box(np.abs(s.x) - s["shoulder"] + 1.2, s.y - 16.8, 1.6, 0.7)
    s.paint(ink(bars) * shown, (0.98, 0.82, 0.2))


def customer(s: Sketch) -> None:
    """A sales slip in the left hand."""
    slip = box(s.x - s["hand_xleft"] + 0.4, s.y - s["hand_yleft"] - 2, 1.3, 2.2)
    s.paint(ink(slip) * s["Customer"], (0.99, 0.99, 0.92))
    lines = ink(np.abs((s.y - s["hand_yleft"]) % 1.6 - 0.8) - 0.15) * ink(slip + 0.5)
    s.shade(lines * s["Customer"], 0.6)


def muffler(s: Sketch) -> None:
    shown = s.shown("hs-Muffler")
    wrap = oval(s.x, s.y - 15, 4.2, 1.9)
    tail = np.maximum(np.abs(s.x - 1.8) - 1.1, np.maximum(s.y - 17 - 8 * s["hs-Muffler"], 15 - s.y))
    shape = ink(np.minimum(wrap, tail)) * shown
    s.paint(shape, s["scarf"])
    s.paint(shape * (np.sin(2 * (s.y + 0.4 * s.x)) > 0.35), (0.97, 0.95, 0.9))
