"""From strengths to images of persons: what differs between them, the order, the photograph.

`parts.py` draws the parts; its docstring explains the coordinates.
"""

import numpy as np

from ..sketch import Chance, Sketch, mix, photo, rgb
from .parts import PARTS

ROWS, COLUMNS = 64, 32  # of the frame in which the parts are described


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
    x, y = _coordinates(look, size)
    sketch = Sketch(np.empty((len(x), 3, *size), np.float32), x, y, look)
    least = float(look["scale"].min())
    for part in PARTS:
        _draw_part(sketch, *part, least)
    return sketch.image


def _draw_part(sketch: Sketch, part, wanted, enough, window, scale) -> None:
    """Draw one part, on the images and pixels that need it only."""
    which = sketch.where(wanted, enough)
    if not isinstance(which, slice) and len(which) == 0:
        return
    rows, columns = _pixels(window, scale, sketch.image.shape[2:])
    patch = sketch.patch(which, rows, columns)
    part(patch)
    sketch.put(patch, which, rows, columns)


def _pixels(window, scale: float, size) -> tuple[slice, slice]:
    """Rows and columns that hold a window of the frame in any pose (3 units more each way)."""
    if window is None:
        return slice(None), slice(None)
    top, bottom, left, right = window
    bottom = max(bottom, 61 - scale * (61 - bottom))  # small persons are lower in the frame
    height, width = size[0] / ROWS, size[1] / COLUMNS
    return (
        slice(max(int((top - 3) * height), 0), int(np.ceil((bottom + 3) * height))),
        slice(max(int((left - 3 + 16) * width), 0), int(np.ceil((right + 3 + 16) * width))),
    )


def _looks(strength, rng: np.random.Generator, difficulty: float) -> dict[str, np.ndarray]:
    """Colours, sizes and pose of each person, from its attributes and at random."""
    n = len(strength["Female"])
    u = Chance(rng, n, 110, difficulty)
    vary = u.vary

    def colour(low=0.12, high=0.85):
        return u.colour(low, high)

    look = {name: value.astype(np.float32)[:, None, None] for name, value in strength.items()}
    a = dict(look)
    look["difficult"] = np.full((n, 1, 1), difficulty, np.float32)

    _figure(look, a, vary)
    _pose(look, a, vary)

    dull = mix(0.75, -0.5, a["Age17-30"])[:, None]  # the young wear brighter colours

    def garment(low=0.12, high=0.85):
        bright = colour(low, high)
        return np.clip(mix(bright, bright.mean(axis=1, keepdims=True), dull), 0.03, 0.95)

    skin = mix(rgb(0.95, 0.78, 0.66), rgb(0.5, 0.33, 0.24), (next(u) ** 2)[:, None])
    look["skin"] = skin
    dye = mix(rgb(0.72, 0.42, 0.16), rgb(0.93, 0.78, 0.42), next(u)[:, None])
    look["hair"] = np.clip(
        mix(dye, rgb(0.06, 0.05, 0.07), a["hs-BlackHair"][:, None]) * (1 + vary(0.2)[:, None]), 0, 1
    )
    look["cloth"] = garment()
    look["sleeve"] = mix(look["cloth"] * 0.88, skin, a["ub-Vest"][:, None])
    look["sleeve"] = mix(look["sleeve"], rgb(0.13, 0.14, 0.2), 0.9 * a["ub-SuitUp"][:, None])
    bare = np.maximum(a["ub-ShortSleeve"], a["ub-Vest"])[:, None]
    look["forearm"] = mix(look["sleeve"], skin, bare)
    long, jeans, tights = (a["lb-" + k] for k in ("LongTrousers", "Jeans", "TightTrousers"))
    look["covered"] = np.clip(1.5 * np.maximum(np.maximum(long, jeans), tights), 0, 1)
    look["trousers"] = _trousers(garment(0.08, 0.6), a, vary)
    look["skirt"], look["gown"], look["panel"] = garment(), garment(), 0.5 * garment()
    look["shoe"] = _shoes(a, skin)
    light = look["cloth"].mean(axis=1, keepdims=True) > 0.45
    look["print"] = np.where(light, rgb(0.1, 0.12, 0.3), rgb(0.98, 0.95, 0.75))
    look["inner"] = np.where(light, rgb(0.2, 0.2, 0.25), rgb(0.95, 0.95, 0.93))
    look["stripe"] = mix(rgb(0.8, 0.1, 0.12), rgb(0.1, 0.25, 0.75), next(u)[:, None])
    for name in ("bag", "scarf", "felt", "case", "odd", "bundle"):
        look[name] = colour()

    for name in ("wall", "floor"):
        look[name] = 0.25 + 0.25 * colour(0, 1) + 0.3 * next(u)[:, None]
    look["horizon"] = 50 + 7 * next(u)
    for k, middle in (("a", -10), ("b", 10)):
        look["thing_x" + k], look["thing_y" + k] = middle + 12 * next(u) - 6, 10 + 40 * next(u)
        look["thing_colour" + k], look["crowd" + k] = colour(), colour()
    look["thing_rx"], look["thing_ry"] = 1 + 3 * next(u), 2 + 10 * next(u)
    look["hidden"] = (next(u) < 0.3 * difficulty).astype(np.float32)
    look["front_x"], look["front_y"] = 26 * next(u) - 13, 15 + 48 * next(u)
    look["front_rx"], look["front_ry"] = 2 + 3.5 * next(u), 2 + 4 * next(u)
    look["front_colour"] = colour()
    look["light"], look["light_x"], look["light_y"] = vary(0.25), vary(0.25), vary(0.2)
    look["grain"] = np.float32(0.09 * difficulty) * next(u)
    look["mirror"] = next(u) < 0.5 * difficulty
    return look


def _figure(look, a, vary) -> None:
    """Proportions, from sex, age and body shape."""
    fat, thin = a["BodyFat"], a["BodyThin"]
    look["plump"] = fat - 0.8 * thin
    wide = 1.04 + 0.2 * fat - 0.2 * thin + vary(0.05)
    look["shoulder"] = (6.1 - 0.9 * a["Female"]) * wide
    look["waist"] = (5.2 - 1.3 * a["Female"] + 1.6 * fat - 0.5 * thin) * wide
    look["hip"] = (5.0 + 0.4 * a["Female"]) * wide
    look["scale"] = (1 - 0.32 * a["AgeLess16"]) * (1 + vary(0.05))


def _pose(look, a, vary) -> None:
    """Feet, elbows, hands and head; an action moves the arm it needs."""
    stride = vary(1.4)
    look["foot_left"], look["foot_right"] = -3.0 - stride, 3.0 + stride * 0.6
    look["turn"] = vary(0.7)
    side = look["shoulder"]
    look["elbow_xleft"], look["elbow_yleft"] = -side - 1.5 + vary(0.5), 25.5 + vary(0.6)
    look["hand_xleft"], look["hand_yleft"] = -side - 2.0 + vary(1), 34 + vary(1)
    look["elbow_xright"], look["elbow_yright"] = side + 1.5 + vary(0.5), 25.5 + vary(0.6)
    look["hand_xright"], look["hand_yright"] = side + 2.0 + vary(1), 34 + vary(1)
    moves = {
        "action-Calling": {"elbow_xright": side + 3.2, "elbow_yright": 22, "hand_xright": 5.6}
        | {"hand_yright": 11.5},
        "action-Pulling": {"elbow_xright": side + 3, "elbow_yright": 24, "hand_xright": 12}
        | {"hand_yright": 33},
        "action-Holding": {"elbow_xleft": -side - 1, "hand_xleft": -3, "hand_yleft": 26}
        | {"elbow_xright": side + 1, "hand_xright": 3, "hand_yright": 26},
        "action-Pusing": {"hand_xleft": -5, "hand_yleft": 35.5}
        | {"hand_xright": 5, "hand_yright": 35.5},
        "action-CarrybyArm": {"elbow_xleft": -side - 2.6, "hand_xleft": -5, "hand_yleft": 28},
    }
    for action, joints in moves.items():
        for joint, place in joints.items():
            look[joint] = mix(look[joint], place, np.clip(10 * a[action] - 3.5, 0, 1))
    look["shift_x"], look["shift_y"] = vary(1.4), vary(1.2)
    look["angle"] = vary(0.04)


def _trousers(cloth, a, vary) -> np.ndarray:
    """Colour of what covers the legs: blue jeans, black tights, else any."""
    denim = rgb(0.2, 0.32, 0.58) * (1 + vary(0.25)[:, None])
    cloth = mix(cloth, rgb(0.1, 0.09, 0.12), 0.85 * a["lb-TightTrousers"][:, None])
    return mix(cloth, denim, a["lb-Jeans"][:, None])


def _shoes(a, skin) -> np.ndarray:
    """Mean of the colours asked for; sandals on bare feet if none is."""
    colours = {
        "Leather": rgb(0.05, 0.04, 0.05),
        "Sport": rgb(0.82, 0.84, 0.88),
        "Boots": rgb(0.3, 0.17, 0.08),
        "Cloth": rgb(0.2, 0.2, 0.35),
        "Casual": rgb(0.75, 0.3, 0.2),
    }
    total = sum(a["shoes-" + name][:, None] for name in colours)
    blend = sum(a["shoes-" + name][:, None] * dye for name, dye in colours.items())
    return blend / np.maximum(total, 1) + np.maximum(1 - total, 0) * skin * 0.9


def _coordinates(look: dict[str, np.ndarray], size) -> tuple[np.ndarray, np.ndarray]:
    """Place of each pixel's middle in the upright frame, (n, *size) each: the pose, undone."""
    row = ((np.arange(size[0], dtype=np.float32) + 0.5) * (ROWS / size[0]) - 0.5)[:, None]
    column = (np.arange(size[1], dtype=np.float32) + 0.5) * (COLUMNS / size[1]) - 16
    row, column = row - 61 - look["shift_y"], column - look["shift_x"]  # about the feet
    cos, sin = np.cos(look["angle"]) / look["scale"], np.sin(look["angle"]) / look["scale"]
    return cos * column + sin * row, cos * row - sin * column + 61


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
