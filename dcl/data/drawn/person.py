"""How a person of SynthPersons is drawn: a table of shapes, one or more for each attribute.

Coordinates are those of an upright person in a frame of 64 rows and 32 columns, whatever the size
drawn: x from the middle to the right, y downwards (crown 4, chin 13, shoulders 16, hem 33, soles
61). Half of the images are mirrored at the end.
"""

from typing import Any

import numpy as np

from .sketch import DARK, Chance, Sketch, box, ink, limb, mix, oval, photo, rgb

ROWS, COLUMNS = 64, 32  # of the frame in which the shapes are described
WHITE, RED, GOLD = (0.97, 0.97, 0.95), (0.8, 0.1, 0.12), (0.98, 0.82, 0.2)
BROWN, NAVY, STEEL = (0.3, 0.17, 0.08), (0.13, 0.14, 0.2), (0.8, 0.82, 0.86)

# Back to front: the attribute that a shape shows (None: all have it), its colour (RGB, or the name
# of one that differs between persons), its kind, and four numbers. "box" and "oval": middle x, y
# and half width, height; "boxes" and "ovals": one on each side of the body; "limb": a line's ends.
SHAPES: tuple[tuple[str | None, Any, str, float, float, float, float], ...] = (
    ("action-Gathering", "crowd", "ovals", 12, 32, 2.8, 13),  # smaller figures on both sides
    ("action-Gathering", "skin", "ovals", 12, 17, 1.8, 2.2),
    ("action-Talking", "crowd", "box", 14.5, 36, 4, 20),  # a partner, cut by the frame
    ("action-Talking", "skin", "oval", 14.5, 10.5, 3.6, 4.6),
    ("action-Talking", DARK, "oval", 13.5, 8, 4, 2.4),
    ("attach-Backpack", "bag", "box", 0, 23.5, 8.8, 7),
    ("hs-LongHair", "hair", "box", 0, 16.5, 4.9, 7),
    (None, "skin", "boxes", 2.7, 45, 1.9, 14),  # bare legs
    (None, "trousers", "boxes", 2.8, 38, 2.5, 6),  # shorts
    ("lb-LongTrousers", "trousers", "boxes", 3, 45, 2.9, 13.5),
    ("lb-LongTrousers", NAVY, "boxes", 3, 45, 0.4, 13),  # the crease
    ("lb-Jeans", (0.2, 0.32, 0.58), "boxes", 2.9, 45, 2.6, 13.5),
    ("lb-Jeans", (0.65, 0.75, 0.9), "ovals", 2.9, 45, 1.3, 4),  # worn knees
    ("lb-TightTrousers", (0.1, 0.09, 0.12), "boxes", 2.7, 45, 2.2, 13.5),
    ("lb-TightTrousers", STEEL, "boxes", 4.6, 45, 0.4, 13.5),
    (None, "barefoot", "ovals", 3.6, 59.6, 2.6, 1.5),
    ("shoes-Leather", DARK, "ovals", 3.6, 59.4, 3, 1.9),
    ("shoes-Leather", WHITE, "ovals", 4.4, 59, 0.9, 0.6),  # a gleam
    ("shoes-Sport", WHITE, "ovals", 3.6, 59.4, 3.2, 2),
    ("shoes-Sport", RED, "boxes", 3.8, 59.4, 0.6, 1.5),
    ("shoes-Cloth", (0.2, 0.2, 0.5), "ovals", 3.6, 59.4, 3, 1.8),
    ("shoes-Cloth", WHITE, "boxes", 3.6, 59, 2.4, 0.5),
    ("shoes-Casual", (0.75, 0.3, 0.2), "ovals", 3.6, 59.4, 3, 1.9),
    ("shoes-Boots", BROWN, "boxes", 3.2, 55.5, 2.7, 4.5),
    ("shoes-Boots", (0.75, 0.6, 0.4), "boxes", 3.2, 51.5, 2.7, 0.7),
    ("lb-Skirt", "skirt", "box", 0, 42, 6.4, 10.5),
    ("lb-Skirt", DARK, "boxes", 2.6, 43, 0.4, 9),  # folds
    ("lb-ShortSkirt", "skirt", "box", 0, 37, 6.4, 4.8),
    ("lb-ShortSkirt", WHITE, "box", 0, 41, 6.4, 0.7),
    (None, "sleeve", "boxes", 7.2, 21.5, 1.7, 5),
    (None, "forearm", "boxes", 7.8, 29.5, 1.5, 4),
    ("ub-ShortSleeve", "skin", "boxes", 7.8, 28.5, 1.7, 5),
    ("ub-ShortSleeve", DARK, "boxes", 7.4, 23.4, 1.8, 0.6),  # the cuff
    (None, "skin", "ovals", 8, 34, 1.5, 1.7),  # hands
    (None, "skin", "box", 0, 14.5, 1.7, 2),  # neck
    (None, "cloth", "box", 0, 24.5, 5.9, 8.8),
    ("ub-Cotton", "cloth", "box", 0, 27, 6.8, 11),  # a padded coat
    *(("ub-Cotton", "contrast", "box", 0, y, 6.5, 0.5) for y in (19, 23, 27, 31, 35)),
    ("ub-Sweater", "knit", "box", 0, 24.5, 5.9, 8.8),
    *(("ub-Sweater", "cloth", "box", 0, y, 5.6, 0.5) for y in (18, 20.5, 23, 25.5, 28)),
    ("ub-Tight", "contrast", "boxes", 5.2, 24.5, 0.6, 8.8),
    ("ub-Vest", "skin", "boxes", 7.2, 21.5, 1.6, 5),
    ("ub-Vest", "knit", "boxes", 3.6, 24.5, 1.8, 8),
    ("ub-Shirt", "contrast", "box", 0, 25, 0.5, 8),  # buttons, collar, pocket
    ("ub-Shirt", WHITE, "boxes", 1.9, 16.6, 1.6, 0.9),
    ("ub-Shirt", "contrast", "box", 2.9, 21.5, 1.2, 1.2),
    ("ub-TShirt", "contrast", "oval", 0, 22.5, 2.7, 2.7),  # a print
    ("ub-Jacket", "contrast", "box", 0, 24.5, 1.6, 8.8),  # open over something else
    ("ub-Jacket", GOLD, "boxes", 1.9, 24.5, 0.4, 8.8),
    ("ub-SuitUp", NAVY, "box", 0, 25, 6.1, 9.5),
    ("ub-SuitUp", WHITE, "oval", 0, 18.5, 2.2, 4),
    ("ub-SuitUp", RED, "box", 0, 20.5, 0.7, 4),  # the tie
    ("Age31-45", DARK, "boxes", 4, 19, 1.6, 0.5),  # folds across the chest
    ("Age31-45", DARK, "boxes", 4, 21, 1.6, 0.5),
    ("BodyFat", "contrast", "oval", 0, 28, 3.4, 2.6),
    ("BodyThin", "contrast", "box", 0, 29.4, 4.4, 0.6),
    ("BodyNormal", BROWN, "box", 0, 31.8, 5.7, 0.7),  # a belt with a buckle
    ("BodyNormal", GOLD, "box", 0, 31.8, 1, 0.8),
    ("Female", "knit", "ovals", 2.3, 21.5, 1.8, 1.4),
    ("lb-Dress", "gown", "box", 0, 27, 5.6, 10),
    ("lb-Dress", "gown", "oval", 0, 40, 7.6, 9),
    ("lb-Dress", WHITE, "ovals", 3, 36, 1.2, 1.2),
    ("Clerk", WHITE, "box", -3.4, 21, 1.6, 1.2),  # a badge, and bars on the shoulders
    ("Clerk", GOLD, "boxes", 5, 16.8, 1.5, 0.7),
    ("Customer", WHITE, "box", -8.4, 36, 1.4, 2.4),  # a sales slip in the left hand
    ("Customer", DARK, "box", -8.4, 36, 0.9, 0.3),
    ("hairy", "hair", "oval", 0, 8.6, 4.2, 5.1),
    (None, "skin", "oval", 0, 9.9, 3.3, 4.1),  # the face
    ("hairy", "hair", "oval", 0, 5.6, 3.6, 2.1),
    ("Female", "hair", "ovals", 3.9, 11, 1.1, 3),
    (None, DARK, "ovals", 1.5, 9.2, 0.7, 0.6),
    (None, (0.7, 0.4, 0.38), "oval", 0, 12, 1.2, 0.5),
    ("Female", RED, "oval", 0, 12, 1.3, 0.7),
    ("Age31-45", (0.75, 0.75, 0.77), "ovals", 3.7, 8.6, 0.9, 2.3),  # gray temples
    ("AgeLess16", RED, "ovals", 2.1, 11, 0.8, 0.7),  # red cheeks
    ("hs-BaldHead", WHITE, "oval", 1, 6.4, 1.2, 0.7),  # a gleam
    ("hs-Glasses", DARK, "ovals", 1.7, 9.2, 1.4, 1.1),
    ("hs-Glasses", (0.6, 0.8, 0.95), "ovals", 1.7, 9.2, 0.7, 0.4),
    ("Age17-30", WHITE, "boxes", 3.4, 16, 0.4, 5),  # the cord of earphones
    ("Age17-30", WHITE, "box", 0, 20.8, 3.4, 0.4),
    ("hs-Muffler", "scarf", "oval", 0, 15.2, 4.2, 1.9),
    ("hs-Muffler", "scarf", "box", 1.8, 20, 1.1, 5),
    ("hs-Hat", "felt", "oval", 0, 4.6, 4.2, 3),
    ("hs-Hat", "felt", "box", 0, 6.4, 6, 0.7),
    ("attach-Backpack", BROWN, "boxes", 3.6, 20.5, 0.8, 5),  # its straps
    ("attach-SingleShoulderBag", BROWN, "limb", -3.5, 17, 6, 32),
    ("attach-SingleShoulderBag", "bag", "box", 6.6, 34.6, 2.5, 3),
    ("attach-Other", "odd", "box", -6.4, 44, 1.3, 7),  # a rolled umbrella
    ("attach-HandBag", (0.6, 0.12, 0.3), "box", -8.6, 39, 2.6, 2.4),
    ("attach-HandBag", GOLD, "oval", -8.6, 39, 0.8, 0.8),
    ("attach-PaperBag", (0.85, 0.66, 0.42), "box", -9.4, 44, 3, 4.4),
    ("attach-PaperBag", BROWN, "box", -9.4, 38, 1.4, 1.6),
    ("attach-HandTrunk", STEEL, "box", -11.6, 41, 1.6, 5),
    ("attach-HandTrunk", "case", "box", -11.6, 52, 3.2, 6),
    ("attach-HandTrunk", DARK, "oval", -11.6, 59.6, 2.4, 1),
    ("attach-Box", (0.72, 0.52, 0.3), "box", 11.5, 56.2, 4, 4.4),
    ("attach-Box", WHITE, "box", 11.5, 55, 4, 0.6),  # its tape
    ("action-CarrybyHand", (0.15, 0.6, 0.25), "box", 9.2, 40, 3.2, 2.6),  # a basket
    ("action-CarrybyHand", DARK, "box", 9.2, 40, 2.8, 0.4),
    ("attach-PlasticBag", WHITE, "oval", 8.6, 41, 3.2, 4.4),
    ("attach-PlasticBag", RED, "oval", 8.6, 41.6, 1.2, 1.1),
    ("action-CarrybyArm", GOLD, "box", -6.6, 25, 2.9, 3.6),  # a folder
    ("action-CarrybyArm", "skin", "limb", -8, 28, -4, 29),
    ("action-Holding", "bundle", "oval", 0, 24.5, 4.6, 4.4),  # a bundle in both arms
    ("action-Holding", "skin", "boxes", 4.4, 27.5, 3, 1.2),
    ("action-Pulling", GOLD, "limb", 9, 34, 14.5, 54),  # a cart at a rope
    ("action-Pulling", (0.15, 0.4, 0.75), "box", 14, 56, 2.6, 1.8),
    *(("action-Pusing", STEEL, "box", 0, y, 6.5, 0.6) for y in (37, 41, 45, 49)),  # a trolley
    ("action-Pusing", STEEL, "boxes", 5.6, 47, 0.6, 10),
    ("action-Pusing", DARK, "ovals", 5.6, 58, 1.4, 1.4),
    ("action-Calling", "sleeve", "limb", 7, 19, 8.6, 23),
    ("action-Calling", "sleeve", "limb", 8.6, 23, 5.8, 12),
    ("action-Calling", DARK, "box", 4.7, 9.8, 0.9, 2.2),
)
ENOUGH = 0.35  # what shows less is not drawn
WIDTH = 1.2  # of half a limb


def draw(strength, looks, pixels, difficulty, size) -> np.ndarray:
    """Draw persons.

    Parameters
    ----------
    strength : dict of str to ndarray (n,), float32
        How strongly each attribute shows, in [0, 1].
    looks, pixels : numpy.random.Generator
        Sources of what differs between persons whatever their attributes, and of pixel noise.
    difficulty : float
        In [0, 1].
    size : (int, int)
        Rows and columns.

    Returns
    -------
    ndarray (n, 3, *size), uint8
    """
    look = _looks(strength, looks, difficulty)
    image = np.empty((len(look["scale"]), 3, *size), np.float32)
    small = look["scale"].ravel() < 0.9  # a child's parts lie elsewhere in the frame
    for which in (np.flatnonzero(small), np.flatnonzero(~small)):
        if len(which):
            image[which] = _sketch({k: v[which] for k, v in look.items()}, size)
    return _photograph(image, look, pixels, difficulty)


def _sketch(look: dict[str, np.ndarray], size) -> np.ndarray:
    """Images (n, 3, *size) of one group of similar scale."""
    blank = np.empty((len(look["scale"]), 3, *size), np.float32)
    s = Sketch(blank, *_coordinates(look, size), look)
    s.image[:] = mix(look["wall"], look["floor"], ink(look["horizon"] - s.y, 3)[:, None])
    for k in "ab":  # things behind
        thing = box(s.x - look["x" + k], s.y - look["y" + k], look["rx"], look["ry"])
        s.paint(ink(thing, 2) * 0.6 * look["difficult"], look["thing" + k])
    for attribute, colour, kind, x, y, rx, ry in SHAPES:
        which = s.where(attribute, ENOUGH)
        if isinstance(which, slice) or len(which):
            rows, columns = _window(kind, x, y, rx, ry, look["scale"].min(), size)
            patch = s.patch(which, rows, columns)
            _paint(patch, attribute, colour, kind, x, y, rx, ry)
            s.put(patch, which, rows, columns)
    front = oval(s.x - look["x_front"], s.y - look["y_front"], look["rx_front"], look["ry_front"])
    s.paint(ink(front) * look["hidden"], look["thing_front"])
    return s.image


def _paint(s: Sketch, attribute: str | None, colour, kind: str, *place: float) -> None:
    """Paint one shape on the images of a patch; a weak one is small."""
    if kind == "limb":
        distance = limb(s.x, s.y, place[:2], place[2:]) - WIDTH
    else:
        x, y, rx, ry = place
        across = np.abs(s.x) if kind in ("boxes", "ovals") else s.x
        distance = (box if kind.startswith("box") else oval)(across - x, s.y - y, rx, ry)
    opacity = ink(distance) * (1 if attribute is None else s.shown(attribute))
    s.paint(opacity, s[colour] if isinstance(colour, str) else colour)


def _window(kind, x, y, rx, ry, least: float, size) -> tuple[slice, slice]:
    """Rows and columns that hold a shape in any pose of persons of scale `least` or more."""
    if kind == "limb":
        (x, rx), (y, ry) = (((p + q) / 2, abs(p - q) / 2 + WIDTH) for p, q in ((x, rx), (y, ry)))
    left, right = (-x - rx, x + rx) if kind in ("boxes", "ovals") else (x - rx, x + rx)
    top, bottom = 61 - 1.06 * (61 - y + ry) - 4, 61 - least * (61 - y - ry) + 4
    left, right = min(0.4 * left, 1.4 * left) - 6, max(0.4 * right, 1.4 * right) + 6
    height, width = size[0] / ROWS, size[1] / COLUMNS
    return (
        slice(max(int(top * height), 0), max(int(bottom * height) + 1, 0)),
        slice(max(int((left + 16) * width), 0), max(int((right + 16) * width) + 1, 0)),
    )


def _looks(strength, rng: np.random.Generator, difficulty: float) -> dict[str, np.ndarray]:
    """Colours, sizes and pose of each person, from its attributes and at random."""
    n = len(strength["Female"])
    u = Chance(rng, n, 110, difficulty)
    a = {name: value.astype(np.float32)[:, None, None] for name, value in strength.items()}
    look = a | {"hairy": 1 - a["hs-BaldHead"]}
    look["scale"] = (1 - 0.32 * a["AgeLess16"]) * (1 + u.vary(0.05))
    build = 0.22 * a["BodyFat"] - 0.16 * a["BodyThin"] - 0.06 * a["Female"]
    look["wide"] = 1 + build + u.vary(0.04)
    look["shift_x"], look["shift_y"], look["angle"] = u.vary(1.4), u.vary(1.2), u.vary(0.04)

    skin = mix(rgb(0.95, 0.78, 0.66), rgb(0.5, 0.33, 0.24), (next(u) ** 2)[:, None])
    dye = mix(rgb(0.72, 0.42, 0.16), rgb(0.93, 0.78, 0.42), next(u)[:, None])
    dye = mix(dye, rgb(0.06, 0.05, 0.07), a["hs-BlackHair"][:, None])
    look |= {"skin": skin, "barefoot": 0.85 * skin, "hair": dye * (1 + u.vary(0.2)[:, None])}
    for name in ("cloth", "skirt", "gown", "trousers"):
        look[name] = u.colour(0.15, 0.8)
    light = look["cloth"].mean(axis=1, keepdims=True) > 0.45
    look["contrast"] = np.where(light, rgb(0.1, 0.12, 0.3), rgb(0.98, 0.95, 0.75))
    look["knit"] = mix(look["cloth"], look["contrast"], 0.5)
    look["sleeve"], look["forearm"] = 0.85 * look["cloth"], 0.8 * look["cloth"]
    for name in ("bag", "scarf", "felt", "case", "odd", "bundle", "crowd"):
        look[name] = u.colour(0.1, 0.85)

    for name in ("wall", "floor"):
        look[name] = 0.25 + 0.25 * u.colour() + 0.3 * next(u)[:, None]
    look["horizon"] = 53 + 5 * next(u)
    for k, middle in (("a", -10), ("b", 10)):
        look["x" + k], look["y" + k] = middle + 12 * next(u) - 6, 10 + 40 * next(u)
        look["thing" + k] = u.colour(0.1, 0.85)
    look["rx"], look["ry"] = 1 + 3 * next(u), 2 + 10 * next(u)
    look["difficult"] = np.full((n, 1, 1), difficulty, np.float32)
    look["hidden"] = (next(u) < 0.3 * difficulty).astype(np.float32)
    look["x_front"], look["y_front"] = 26 * next(u) - 13, 15 + 48 * next(u)
    look["rx_front"], look["ry_front"] = 2 + 3.5 * next(u), 2 + 4 * next(u)
    look["thing_front"] = u.colour(0.1, 0.85)
    look["light"], look["light_x"], look["light_y"] = u.vary(0.25), u.vary(0.25), u.vary(0.2)
    look["grain"] = np.float32(0.09 * difficulty) * next(u)
    look["mirror"] = next(u) < 0.5 * difficulty
    return look


def _coordinates(look: dict[str, np.ndarray], size) -> tuple[np.ndarray, np.ndarray]:
    """Place of each pixel's middle in the upright frame, (n, *size) each: the pose, undone."""
    row = ((np.arange(size[0], dtype=np.float32) + 0.5) * (ROWS / size[0]) - 0.5)[:, None]
    column = (np.arange(size[1], dtype=np.float32) + 0.5) * (COLUMNS / size[1]) - 16
    row, column = row - 61 - look["shift_y"], column - look["shift_x"]  # about the feet
    cos, sin = np.cos(look["angle"]) / look["scale"], np.sin(look["angle"]) / look["scale"]
    return (cos * column + sin * row) / look["wide"], cos * row - sin * column + 61


def _photograph(image, look, rng: np.random.Generator, difficulty: float) -> np.ndarray:
    """Light, noise and side; then 8 bits."""
    down = np.linspace(-1, 1, image.shape[2], dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, image.shape[3], dtype=np.float32)
    image *= (1 + look["light"] + look["light_x"] * across + look["light_y"] * down)[:, None]
    if difficulty > 0:
        grain = rng.standard_normal((len(image), 1, *image.shape[2:]), np.float32)
        image += grain * look["grain"][:, None]
    mirrored = look["mirror"].ravel()
    image[mirrored] = image[mirrored, :, :, ::-1]
    return photo(image)
