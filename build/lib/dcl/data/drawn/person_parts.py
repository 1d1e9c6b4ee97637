"""The parts of SynthPersons: each is one function that draws on a `Sketch`.

Coordinates are those of the upright person in a frame of 64 rows and 32 columns, whatever the
size drawn: x from the middle to the right, y downwards (crown 4, chin 13, shoulders 16, hem 33,
soles 61). A person has one left (x < 0) and one right side; `person_drawing.py` mirrors images.
"""

import numpy as np

from .sketch import Sketch, box, ink, mix, oval, rgb

DARK, SKY = (0.08, 0.08, 0.1), (0.6, 0.8, 0.95)


def limb(x, y, start, end):
    """Distance to the line between two points (x, y), each a number or (n, 1, 1)."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy + 1e-3), 0, 1)
    return np.sqrt((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2)


# ---------------------------------------------------------------- behind the person


def background(s: Sketch) -> None:
    s.image[:] = mix(s["wall"], s["floor"], ink(s["horizon"] - s.y, 3)[:, None])


def thing_left(s: Sketch, k="a") -> None:
    shape = box(s.x - s["thing_x" + k], s.y - s["thing_y" + k], s["thing_rx"], s["thing_ry"])
    s.paint(ink(shape, 2) * 0.6, s["thing_colour" + k])


def thing_right(s: Sketch) -> None:
    thing_left(s, "b")


def gathering(s: Sketch) -> None:
    """A group further away: smaller figures on both sides."""
    shown = s.shown("action-Gathering")
    for k, place in enumerate((-13.2, -9.6, 10.2, 13.8)):
        x, y = s.x - place, s.y - (k % 2)
        figure = np.minimum(oval(x, y - 16, 1.7, 2.2), oval(x, y - 28, 2.6, 10))
        figure = np.minimum(figure, box(np.abs(x) - 1.1, y - 43, 0.8, 7))
        s.paint(ink(figure) * shown, s["crowd" + "ab"[k % 2]])
        s.paint(ink(oval(x, y - 16.3, 1.5, 1.7)) * shown, s["skin"] * 0.9)


def talking(s: Sketch) -> None:
    """A partner at the right, close, cut by the frame, with an open mouth."""
    shown, x = s.shown("action-Talking"), s.x - 14.5
    s.paint(ink(box(x, s.y - 33, 4, 16), 2) * shown, s["crowda"])
    s.paint(ink(box(x - 1, s.y - 53, 2.5, 7), 2) * shown, s["crowdb"] * 0.5)
    s.paint(ink(oval(x, s.y - 10.5, 3.6, 4.6)) * shown, s["skin"])
    s.paint(ink(oval(x - 0.8, s.y - 8.4, 4, 3.2)) * shown, (0.12, 0.08, 0.06))
    s.paint(ink(oval(x + 2.4, s.y - 13, 1.3, 1.1)) * shown, (0.65, 0.05, 0.08))


def backpack(s: Sketch) -> None:
    pack = box(s.x, s.y - 23.5, s["shoulder"] + 2.6, 6.5) - 1
    s.paint(ink(pack) * s.shown("attach-Backpack"), s["bag"])


def long_hair_behind(s: Sketch) -> None:
    end = mix(15.0, 23.5, s["hs-LongHair"])
    fall = np.maximum(np.abs(s.x) - 4.6, np.maximum(s.y - end, 8 - s.y))
    s.paint(ink(fall) * s.shown("hs-LongHair"), s["hair"] * 0.85)


# ---------------------------------------------------------------- legs and shoes


def legs(s: Sketch) -> None:
    """Bare legs, and over them what is worn; nothing asked for: shorts."""
    leg = np.minimum(
        limb(s.x, s.y, (-2.6, 33), (s["foot_left"], 58.5)),
        limb(s.x, s.y, (2.6, 33), (s["foot_right"], 58.5)),
    )
    slim = 1.9 + 0.35 * s["plump"] - 0.12 * (s.y - 45) / 13
    s.paint(ink(leg - slim), s["skin"] * 0.92)
    long, tight, jeans = s["lb-LongTrousers"], s["lb-TightTrousers"], s["lb-Jeans"]
    wide = slim + 0.25 + 0.75 * long - 0.2 * tight + 0.25 * jeans
    end = mix(44.0, 58.0, s["covered"])
    cloth = ink(np.maximum(leg - wide, s.y - end))
    s.paint(cloth, s["trousers"])
    s.shade(cloth * ink(np.abs(leg) - 0.25) * long, 0.6)  # the crease
    s.paint(cloth * ink(np.abs(leg - wide + 0.55) - 0.3) * 0.7 * tight, (0.85, 0.85, 0.9))
    seam = ink(np.abs(leg - wide + 0.7) - 0.25) * cloth
    s.paint(seam * 0.9 * jeans, (0.85, 0.6, 0.25))
    knee = ink(oval(np.abs(s.x) - 2.9, s.y - 44, 1.2, 3.5), 2)
    s.paint(knee * cloth * 0.5 * jeans, (0.65, 0.75, 0.9))
    s.shade(ink(np.abs(s.x) - 0.3, 0.8) * ink(36.5 - s.y) * cloth, 0.6)


def shoes(s: Sketch) -> None:
    down = s.y - 59.6
    a = {name: s["shoes-" + name] for name in ("Leather", "Sport", "Cloth", "Casual")}
    for side, sign in (("left", -1), ("right", 1)):
        x = sign * (s.x - s["foot_" + side]) - 0.7
        shoe = ink(oval(x, down, 2.8, 1.5 + 0.3 * a["Sport"]))
        s.paint(shoe, s["shoe"])
        s.paint(shoe * ink(oval(x - 0.9, down + 0.5, 0.9, 0.5)) * a["Leather"], (1, 1, 1))
        heel = ink(box(x + 1.7, down - 1.2, 0.7, 0.5)) * a["Leather"]
        s.paint(heel, (0.35, 0.1, 0.05))
        s.paint(ink(box(x, down - 1.2, 2.9, 0.55)) * a["Sport"], (0.98, 0.98, 0.98))
        stripe = ink(np.abs(x - 0.6 * down) - 0.5) * shoe
        s.paint(stripe * a["Sport"], s["stripe"])
        strap = ink(np.abs(down + 0.2) - 0.35) * shoe
        s.paint(strap * a["Cloth"], (0.98, 0.95, 0.9))
        instep = ink(oval(x - 0.4, down + 1.2, 1.2, 0.7))
        s.paint(instep * a["Cloth"], s["skin"])
        toe = ink(oval(x - 1.9, down + 0.1, 1.2, 1.3))
        s.paint(toe * a["Casual"], (0.95, 0.93, 0.85))


def boots(s: Sketch) -> None:
    top = mix(57.0, 50.0, s["shoes-Boots"])
    leg = np.minimum(
        limb(s.x, s.y, (-2.6, 33), (s["foot_left"], 59)),
        limb(s.x, s.y, (2.6, 33), (s["foot_right"], 59)),
    )
    shaft = ink(np.maximum(leg - 2.4, top - s.y)) * s.shown("shoes-Boots")
    s.paint(shaft, (0.3, 0.17, 0.08))
    s.paint(shaft * ink(np.abs(s.y - top - 0.8) - 0.6), (0.75, 0.6, 0.4))


def skirt(s: Sketch) -> None:
    end = 36 + 17 * s["lb-Skirt"]
    shape = np.maximum(np.abs(s.x) - s["hip"] - 0.16 * (s.y - 33), np.maximum(s.y - end, 31 - s.y))
    cover = ink(shape) * s.shown("lb-Skirt")
    s.paint(cover, s["skirt"])
    s.shade(cover * (np.sin(2.2 * s.x) > 0.5), 0.7)


def short_skirt(s: Sketch) -> None:
    end = 36 + 6.5 * s["lb-ShortSkirt"]
    shape = np.maximum(np.abs(s.x) - s["hip"] - 0.35 * (s.y - 33), np.maximum(s.y - end, 31 - s.y))
    cover = ink(shape) * s.shown("lb-ShortSkirt")
    s.paint(cover, s["skirt"])
    s.paint(cover * ink(np.abs(s.y - end + 1.4) - 0.6), (0.95, 0.95, 0.95))  # its border


# ---------------------------------------------------------------- torso and arms


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


# ---------------------------------------------------------------- the head


def head(s: Sketch) -> None:
    cap = oval(s.x, s.y - 8.6, 4.1, 5.1)
    s.paint(ink(cap) * (1 - s["hs-BaldHead"]), s["hair"])
    across = s.x - s["turn"]
    face = oval(across, s.y - 9.8, 3.3, 4.1)
    s.paint(ink(face), s["skin"])
    fringe = np.maximum(oval(s.x, s.y - 8.4, 4.1, 5.0), s.y - 6.9 - 0.1 * across**2)
    s.paint(ink(fringe) * (1 - s["hs-BaldHead"]), s["hair"])
    s.paint(ink(oval(np.abs(across) - 1.5, s.y - 9.2, 0.7, 0.6)), (0.1, 0.08, 0.08))
    lips = mix(s["skin"] * rgb(0.75, 0.5, 0.48), rgb(0.85, 0.08, 0.2), s["Female"][:, None])
    s.paint(ink(oval(across, s.y - 12, 1.2 + 0.2 * s["Female"], 0.6)), lips)
    bun = oval(np.abs(s.x) - 3.9, s.y - 10.2, 1.2, 3.4)  # a woman's hair covers the ears
    s.paint(ink(bun) * s["Female"] * (1 - s["hs-BaldHead"]), s["hair"])


def gray_temples(s: Sketch) -> None:
    temple = oval(np.abs(s.x) - 3.6, s.y - 8.4, 0.9, 2)
    s.paint(ink(temple) * s["Age31-45"] * 0.85, (0.75, 0.75, 0.77))
    moustache = ink(box(s.x - s["turn"], s.y - 11, 1.4, 0.35)) * 0.5
    s.paint(moustache * s["Age31-45"] * (1 - s["Female"]), (0.3, 0.25, 0.22))


def child(s: Sketch) -> None:
    """Under 16, besides being small: a big head with a tuft, and red cheeks."""
    shown = s.shown("AgeLess16")
    s.paint(ink(oval(np.abs(s.x) - 2.1, s.y - 11, 1, 0.8)) * shown, (0.95, 0.45, 0.45))
    s.paint(ink(oval(s.x, s.y - 3, 1.1, 2.2)) * shown, s["hair"])


def bald(s: Sketch) -> None:
    crown = np.maximum(oval(s.x, s.y - 8.6, 4.0, 5.0), s.y - 10)
    s.paint(ink(crown) * s.shown("hs-BaldHead"), s["skin"])
    s.paint(ink(oval(s.x + 1.3, s.y - 5.4, 1.3, 0.9), 1.5) * s["hs-BaldHead"], (1, 1, 1))


def glasses(s: Sketch) -> None:
    across, shown = np.abs(s.x - s["turn"]), s.shown("hs-Glasses")
    lens = oval(across - 1.9, s.y - 9.3, 1.9, 1.7)
    s.paint(ink(lens + 0.4) * 0.75 * shown, SKY)
    rim = np.minimum(np.abs(lens) - 0.15, box(across - 3.4, s.y - 8.6, 1, 0.2))
    s.paint(ink(rim, 0.8) * shown, DARK)


def hat(s: Sketch) -> None:
    down, shown = s.y + 2.5 * (1 - s["hs-Hat"]), s.shown("hs-Hat")
    crown = np.maximum(oval(s.x, down - 6.5, 4.6, 5), down - 6.5)
    s.paint(ink(crown) * shown, s["felt"])
    s.paint(ink(oval(s.x, down - 6.7, 6.6, 1.0)) * shown, s["felt"] * 0.5)


# ---------------------------------------------------------------- what is carried


def straps(s: Sketch) -> None:
    strap = np.maximum(np.abs(np.abs(s.x) - 3.6) - 0.8, np.abs(s.y - 20.5) - 5)
    s.paint(ink(strap) * s.shown("attach-Backpack"), s["bag"] * 0.6)


def shoulder_bag(s: Sketch) -> None:
    shown = s.shown("attach-SingleShoulderBag")
    strap = limb(s.x, s.y, (-3.5, 16), (s["hip"] + 0.5, 32)) - 0.5
    s.paint(ink(strap) * shown, s["bag"] * 0.5)
    pouch = box(s.x - s["hip"] - 0.8, s.y - 34.5, 2.6, 3) - 0.3
    s.paint(ink(pouch) * shown, s["bag"])
    s.paint(ink(box(s.x - s["hip"] - 0.8, s.y - 33, 2.6, 0.4)) * shown, s["bag"] * 0.4)


def handbag(s: Sketch) -> None:
    shown = s.shown("attach-HandBag")
    x, y = s.x - s["hand_xleft"], s.y - s["hand_yleft"] - 5.5
    handle = np.maximum(np.abs(oval(x, y + 2, 2, 3)) - 0.4, y + 1.5)
    body = np.maximum(np.abs(x) - 2.6 - 0.2 * y, np.abs(y - 0.5) - 2.2)
    s.paint(ink(np.minimum(handle, body)) * shown, (0.6, 0.12, 0.3))
    s.paint(ink(oval(x, y + 0.2, 0.8, 0.8)) * shown, (0.98, 0.85, 0.3))


def carton(s: Sketch) -> None:
    """A box: a carton on the floor, closed with tape."""
    shown = s.shown("attach-Box")
    x, y = s.x - 11.5, s.y - 56
    shape = ink(box(x, y, 4.2, 4.6))
    s.paint(shape * shown, (0.72, 0.52, 0.3))
    s.shade(ink(np.abs(box(x, y, 4, 4.4)) - 0.4) * shown, 0.55)
    s.paint(shape * ink(np.minimum(np.abs(x), np.abs(y + 2)) - 0.6) * shown, (0.93, 0.85, 0.6))


def plastic_bag(s: Sketch) -> None:
    shown = s.shown("attach-PlasticBag")
    x, y = s.x - s["hand_xright"], s.y - s["hand_yright"] - 6.5
    body = oval(x, y, np.clip(2.6 + 0.35 * y, 1, 4), 4.4)
    loops = np.maximum(np.abs(oval(np.abs(x) - 0.9, y + 4.5, 0.8, 2)) - 0.35, y + 3.5)
    s.paint(ink(np.minimum(body, loops)) * 0.85 * shown, (0.95, 0.97, 0.98))
    s.paint(ink(oval(x, y + 0.6, 1.2, 1.1)) * shown, (0.85, 0.15, 0.15))


def paper_bag(s: Sketch) -> None:
    shown = s.shown("attach-PaperBag")
    x, y = s.x - s["hand_xleft"] + 1.5, s.y - s["hand_yleft"] - 10
    handle = np.maximum(np.abs(oval(x, y + 4, 1.6, 3)) - 0.35, y + 4)
    s.paint(ink(handle) * shown, (0.4, 0.25, 0.12))
    s.paint(ink(box(x, y, 3, 4.4)) * shown, (0.85, 0.66, 0.42))
    s.shade(ink(np.abs(x - 1.2) - 0.4) * ink(box(x, y, 3, 4.4)) * shown, 0.6)


def trunk(s: Sketch) -> None:
    """A suitcase on wheels with its handle drawn out to the left hand."""
    shown, x = s.shown("attach-HandTrunk"), s.x + 11.5
    handle = np.minimum(box(np.abs(x) - 1.7, s.y - 41, 0.35, 5), box(x, s.y - 36, 2, 0.5))
    s.paint(ink(handle) * shown, (0.75, 0.77, 0.8))
    body = box(x, s.y - 52, 3.2, 6) - 0.5
    s.paint(ink(body) * shown, s["case"])
    s.shade(ink(np.abs(np.abs(x) - 1.5) - 0.35) * ink(body) * shown, 0.5)
    s.paint(ink(oval(np.abs(x) - 2.4, s.y - 60.2, 1, 1)) * shown, DARK)


def other_attachment(s: Sketch) -> None:
    """Something else: a rolled umbrella on the left, in any colour, with a hooked handle."""
    a = s["attach-Other"]
    shown = s.shown("attach-Other")
    top, x = 33 - 2 * a, s.x + s["hip"] + 1.2
    s.paint(ink(np.maximum(np.abs(x) - 0.5, np.abs(s.y - top - 3) - 3)) * shown, (0.5, 0.3, 0.1))
    s.paint(
        ink(np.maximum(np.abs(x) - 1.5 + 0.1 * (s.y - 38), np.abs(s.y - 44) - 7)) * shown, s["odd"]
    )


def calling(s: Sketch) -> None:
    shown = s.shown("action-Calling")
    s.paint(ink(box(s.x - 4.6, s.y - 9.5, 0.9, 2.2)) * shown, DARK)
    s.paint(ink(box(s.x - 4.6, s.y - 9.5, 0.4, 1.4), 0.7) * shown, (0.4, 0.9, 1))
    s.paint(ink(oval(s.x - 5.4, s.y - 11, 1.2, 1.4)) * shown, s["skin"])


def holding(s: Sketch) -> None:
    """Both arms around a bundle before the chest."""
    shown = s.shown("action-Holding")
    s.paint(ink(oval(s.x, s.y - 23.5, 4.6, 4.2)) * shown, s["bundle"])
    s.shade(ink(np.abs(oval(s.x, s.y - 23.5, 2.4, 2.2)) - 0.35) * shown, 0.6)
    s.paint(ink(oval(np.abs(s.x) - 3, s.y - 26, 1.4, 1.3)) * shown, s["skin"])


def pushing(s: Sketch) -> None:
    """A shopping trolley before the legs."""
    shown = s.shown("action-Pusing")
    basket = box(s.x, s.y - 43, 6.5, 5.5)
    wires = np.minimum(np.abs(s.x % 2.6 - 1.3), np.abs(s.y % 2.6 - 1.3)) - 0.35
    wires = np.minimum(np.maximum(basket, wires), np.abs(basket) - 0.4)
    s.paint(ink(wires) * 0.9 * shown, (0.85, 0.87, 0.9))
    s.paint(ink(box(s.x, s.y - 36.5, 7, 0.8)) * shown, (0.9, 0.15, 0.1))
    s.paint(ink(oval(np.abs(s.x) - 5.5, s.y - 58, 1.4, 1.4)) * shown, DARK)
    s.paint(ink(box(np.abs(s.x) - 5.5, s.y - 52, 0.35, 5)) * shown, (0.7, 0.72, 0.75))


def pulling(s: Sketch) -> None:
    """The right arm stretched out to a rope, and a flat cart at its end."""
    shown = s.shown("action-Pulling")
    rope = limb(s.x, s.y, (s["hand_xright"], s["hand_yright"]), (15, 54)) - 0.4
    s.paint(ink(rope) * shown, (0.95, 0.8, 0.2))
    s.paint(ink(box(s.x - 14, s.y - 55.5, 3, 1.6)) * shown, (0.15, 0.4, 0.75))
    s.paint(ink(oval(np.abs(s.x - 14) - 1.5, s.y - 59, 1.2, 1.2)) * shown, DARK)


def under_arm(s: Sketch) -> None:
    """Carried by arm: a folder clamped under the left one."""
    shown = s.shown("action-CarrybyArm")
    x = s.x + s["shoulder"] - 0.5 + 0.25 * (s.y - 24)
    folder = box(x, s.y - 24.5, 2.9, 3.4)
    s.paint(ink(folder) * shown, (0.95, 0.75, 0.15))
    s.shade(ink(np.abs(folder + 0.8) - 0.3) * shown, 0.5)


def in_hand(s: Sketch) -> None:
    """Carried by hand: a green basket on the right."""
    shown = s.shown("action-CarrybyHand")
    x, y = s.x - s["hand_xright"], s.y - s["hand_yright"] - 4.5
    handle = np.maximum(np.abs(oval(x, y + 1.5, 2.4, 3.5)) - 0.4, y + 1)
    body = np.maximum(np.abs(x) - 3.3 + 0.25 * y, np.abs(y - 1) - 2)
    s.paint(ink(np.minimum(handle, body)) * shown, (0.15, 0.6, 0.25))
    s.shade(ink(np.abs(x % 1.8 - 0.9) - 0.3) * ink(body) * shown, 0.6)


def thing_in_front(s: Sketch) -> None:
    shape = oval(s.x - s["front_x"], s.y - s["front_y"], s["front_rx"], s["front_ry"])
    s.paint(ink(shape), s["front_colour"])


# What is drawn, back to front: the function; the attribute it needs and how much of it (None: all
# images); rows from, rows to, columns from, columns to (None: everywhere).
SOME, FAINT = 0.35, 0.1
PARTS = (
    (background, None, 0, None),
    (thing_left, "difficult", 0, (3, 60, -16, -1)),
    (thing_right, "difficult", 0, (3, 60, 1, 16)),
    (gathering, "action-Gathering", SOME, (13, 53, -16, 16)),
    (talking, "action-Talking", SOME, (4, 62, 9, 16)),
    (backpack, "attach-Backpack", SOME, (15, 33, -11, 11)),
    (long_hair_behind, "hs-LongHair", SOME, (7, 25, -6, 6)),
    (legs, None, 0, (32, 61, -8, 8)),
    (shoes, None, 0, (57, 62, -9, 9)),
    (boots, "shoes-Boots", SOME, (49, 62, -8, 8)),
    (skirt, "lb-Skirt", SOME, (30, 55, -10, 10)),
    (short_skirt, "lb-ShortSkirt", SOME, (30, 44, -10, 10)),
    (arms, None, 0, (14, 40, -14, 14)),
    (torso, None, 0, (12, 39, -9, 9)),
    (shirt, "ub-Shirt", FAINT, (12, 39, -9, 9)),
    (sweater, "ub-Sweater", FAINT, (12, 39, -9, 9)),
    (t_shirt, "ub-TShirt", FAINT, (12, 39, -9, 9)),
    (tight, "ub-Tight", FAINT, (12, 39, -9, 9)),
    (jacket, "ub-Jacket", FAINT, (12, 39, -9, 9)),
    (cotton, "ub-Cotton", FAINT, (12, 39, -9, 9)),
    (vest, "ub-Vest", FAINT, (12, 39, -9, 9)),
    (suit, "ub-SuitUp", SOME, (12, 39, -9, 9)),
    (adult, "Age31-45", FAINT, (12, 39, -9, 9)),
    (belly, "BodyFat", FAINT, (20, 35, -9, 9)),
    (belt, "BodyNormal", FAINT, (12, 39, -9, 9)),
    (dress, "lb-Dress", SOME, (15, 51, -14, 14)),
    (clerk, "Clerk", SOME, (15, 24, -9, 9)),
    (customer, "Customer", FAINT, (26, 42, -15, 3)),
    (head, None, 0, (3, 15, -6, 6)),
    (gray_temples, "Age31-45", FAINT, (5, 13, -6, 6)),
    (child, "AgeLess16", SOME, (0, 13, -6, 6)),
    (bald, "hs-BaldHead", SOME, (3, 12, -6, 6)),
    (glasses, "hs-Glasses", SOME, (7, 12, -6, 6)),
    (young, "Age17-30", FAINT, (9, 28, -5, 5)),
    (muffler, "hs-Muffler", SOME, (12, 27, -6, 6)),
    (hat, "hs-Hat", SOME, (0, 9, -8, 8)),
    (straps, "attach-Backpack", SOME, (14, 27, -6, 6)),
    (shoulder_bag, "attach-SingleShoulderBag", SOME, (14, 40, -6, 12)),
    (other_attachment, "attach-Other", SOME, (29, 53, -12, -3)),
    (handbag, "attach-HandBag", SOME, (28, 46, -15, 5)),
    (paper_bag, "attach-PaperBag", SOME, (28, 52, -16, 5)),
    (trunk, "attach-HandTrunk", SOME, (34, 63, -16, -6)),
    (carton, "attach-Box", SOME, (50, 63, 6, 16)),
    (in_hand, "action-CarrybyHand", SOME, (28, 45, -3, 16)),
    (plastic_bag, "attach-PlasticBag", SOME, (28, 48, -3, 16)),
    (under_arm, "action-CarrybyArm", SOME, (18, 31, -12, 0)),
    (holding, "action-Holding", SOME, (19, 29, -6, 6)),
    (pulling, "action-Pulling", SOME, (30, 63, 0, 16)),
    (pushing, "action-Pusing", SOME, (34, 62, -9, 9)),
    (calling, "action-Calling", SOME, (5, 15, 2, 9)),
    (thing_in_front, "hidden", FAINT, None),
)
