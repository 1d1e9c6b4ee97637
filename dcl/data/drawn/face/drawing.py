"""From strengths to images: what differs between faces, the order of drawing, the photograph.

`parts.py` draws the parts; its docstring explains the coordinates.
"""

import numpy as np

from ..sketch import Chance, Sketch, mix, photo, rgb
from .parts import PARTS

HEIGHT, WIDTH = 55, 47


def draw(strength, looks, pixels, difficulty) -> np.ndarray:
    """Draw faces.

    Parameters
    ----------
    strength : dict of str to ndarray (n,), float32
        How strongly each attribute shows, in [0, 1].
    looks, pixels : numpy.random.Generator
        Sources of what differs between faces whatever their attributes, and of pixel noise.
    difficulty : float
        In [0, 1].

    Returns
    -------
    ndarray (n, 3, 55, 47), uint8
    """
    look = _looks(strength, looks, difficulty)
    n = len(look["Male"])
    x, y = _coordinates(look)
    sketch = Sketch(np.empty((n, 3, HEIGHT, WIDTH), np.float32), x, y, look)
    for part in PARTS:
        _draw_part(sketch, *part)
    return _photograph(sketch, pixels, difficulty)


def _draw_part(sketch: Sketch, part, wanted, least, window, features: bool) -> None:
    """Draw one part, on the images and pixels that need it only."""
    which = sketch.where(wanted, least)
    if not isinstance(which, slice) and len(which) == 0:
        return
    rows = columns = slice(None)
    if window is not None:  # 4 pixels more each way, for the pose
        rows = slice(max(window[0] - 4, 0), window[1] + 4)
        reach = min(window[2] + 4, WIDTH // 2)
        columns = slice(WIDTH // 2 - reach, WIDTH // 2 + reach + 1)
    patch = sketch.patch(which, rows, columns)
    if features:  # the features turn with the head and, if lopsided, lean
        patch.x, patch.y = patch.x - patch["turn"], patch.y + patch["lean"] * patch.x
    part(patch)
    sketch.put(patch, which, rows, columns)


def _looks(strength, rng: np.random.Generator, difficulty: float) -> dict[str, np.ndarray]:
    """Colours, sizes and pose of each face, from its attributes and at random."""
    n = len(strength["Male"])
    u = Chance(rng, n, 80, difficulty)
    vary, colour = u.vary, u.colour
    look = {name: value.astype(np.float32)[:, None, None] for name, value in strength.items()}
    a = dict(look)
    look["difficult"] = np.full((n, 1, 1), difficulty, np.float32)
    look["plain"], look["old"] = 1 - a["Attractive"], 1 - a["Young"]
    look["bearded"] = 1 - a["No_Beard"]
    look["cheek"] = np.maximum(a["High_Cheekbones"], a["Rosy_Cheeks"])

    look["width"] = 12.6 - 1.3 * a["Oval_Face"] + 1.6 * a["Chubby"] + vary(0.8)
    look["chin"] = 43.5 + 1.5 * a["Oval_Face"] + vary(0.8)
    look["cheeks"] = 0.1 + 0.55 * a["Chubby"] + vary(0.12)
    look["jaw"] = np.clip(0.25 + 0.6 * a["Male"] - 0.3 * a["Oval_Face"] + vary(0.2), 0, 1)
    look["hair_end"] = mix(50 + vary(5), 27 + vary(2), a["Male"])
    look["hair_end"] = mix(look["hair_end"], 30, a["Bald"])
    look["ears"] = np.clip(a["Male"] + vary(0.3), 0, 1)
    look["phase"], look["parting"] = 6.28 * next(u), 0.3 * next(u) - 0.15
    look["lean"] = 0.08 * look["plain"] * np.sign(next(u) - 0.5) + vary(0.05)
    look["turn"] = vary(2.5)

    skin = mix(rgb(0.95, 0.78, 0.66), rgb(0.45, 0.29, 0.21), (next(u) ** 2)[:, None])
    look["skin"] = mix(skin, rgb(0.99, 0.94, 0.92), 0.9 * a["Pale_Skin"][:, None])
    look["hair"] = np.clip(_hair_colour(a) * (1 + vary(0.25)[:, None]), 0, 1)
    look["brow"] = look["hair"] * 0.6
    look["beard"] = look["hair"] * 0.75
    look["iris"] = mix(rgb(0.25, 0.45, 0.65), rgb(0.3, 0.18, 0.1), next(u)[:, None])
    natural = look["skin"] * rgb(0.88, 0.66, 0.66)
    look["lips"] = mix(natural, rgb(0.82, 0.06, 0.16), a["Wearing_Lipstick"][:, None])
    look["eyeshadow"] = mix(rgb(0.5, 0.2, 0.75), rgb(0.1, 0.5, 0.75), next(u)[:, None])
    look["frame"] = mix(rgb(0.05, 0.05, 0.07), rgb(0.35, 0.08, 0.08), next(u)[:, None])
    look["tie"] = mix(rgb(0.75, 0.08, 0.1), rgb(0.1, 0.2, 0.65), next(u)[:, None])
    look["felt"], look["cloth"] = 0.15 + 0.7 * colour(), 0.15 + 0.6 * colour()
    for wall in ("wall", "wall_below"):
        look[wall] = 0.2 + 0.35 * colour() + 0.35 * next(u)[:, None]

    for k in "ab":
        look["thing_x" + k], look["thing_y" + k] = 48 * next(u) - 24, 55 * next(u)
        look["thing_r" + k], look["thing_colour" + k] = 2 + 7 * next(u), colour()
    for k in "cde":  # spots: on the cheeks, the forehead or the chin
        look["thing_x" + k], look["thing_y" + k] = 18 * next(u) - 9, 16 + 25 * next(u)
    look["hidden"] = (next(u) < 0.3 * difficulty).astype(np.float32)
    look["front_x"], look["front_y"] = 40 * next(u) - 20, 15 + 38 * next(u)
    look["front_rx"], look["front_ry"] = 3 + 6 * next(u), 2 + 4 * next(u)
    look["front_slope"], look["front_colour"] = 2 * next(u) - 1, colour()

    look["shift_x"], look["shift_y"] = vary(2.5), vary(2.5)
    look["scale"], look["angle"] = 1 + vary(0.07), vary(0.14)
    look["light"], look["light_x"], look["light_y"] = vary(0.25), vary(0.3), vary(0.25)
    look["grain"] = np.float32(0.07 * difficulty) * next(u)
    return look


def _hair_colour(a: dict[str, np.ndarray]) -> np.ndarray:
    """Mean of the colours asked for; copper if none is."""
    dyes = {
        "Black_Hair": rgb(0.07, 0.06, 0.08),
        "Blond_Hair": rgb(0.93, 0.78, 0.40),
        "Brown_Hair": rgb(0.36, 0.21, 0.11),
        "Gray_Hair": rgb(0.70, 0.71, 0.74),
    }
    total = sum(a[name][:, None] for name in dyes)
    blend = sum(a[name][:, None] * dye for name, dye in dyes.items()) / np.maximum(total, 1)
    return blend + np.maximum(1 - total, 0) * rgb(0.68, 0.28, 0.12)


def _coordinates(look: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Place of each pixel on the upright face, (n, 55, 47) each: the pose, undone."""
    column = np.arange(WIDTH, dtype=np.float32) - WIDTH // 2 - look["shift_x"]
    row = (np.arange(HEIGHT, dtype=np.float32) - HEIGHT // 2)[:, None] - look["shift_y"]
    cos, sin = np.cos(look["angle"]) / look["scale"], np.sin(look["angle"]) / look["scale"]
    return cos * column + sin * row, cos * row - sin * column + HEIGHT // 2


def _photograph(sketch: Sketch, rng: np.random.Generator, difficulty: float) -> np.ndarray:
    """Light, blur and noise; then 8 bits."""
    image, look = sketch.image, sketch.look
    slope = look["light_x"] * sketch.x / 23 + look["light_y"] * (sketch.y - 27) / 27
    image *= (1 + look["light"] + slope)[:, None]
    _blur(image, look["Blurry"].ravel())
    if difficulty > 0:
        image += rng.standard_normal(image.shape, np.float32) * look["grain"][:, None]
    return photo(image)


def _blur(image: np.ndarray, strength: np.ndarray) -> None:
    """In place: the stronger, the more of a wide blur."""
    which = np.flatnonzero(strength > 0.1)
    if len(which) == 0:
        return
    soft = image[which]
    for _ in range(4):
        for axis in (2, 3):
            padded = np.pad(soft, [(0, 0)] * axis + [(1, 1)] + [(0, 0)] * (3 - axis), "edge")
            first, middle, last = (
                padded[(slice(None),) * axis + (slice(k, k + soft.shape[axis]),)] for k in range(3)
            )
            soft = 0.25 * first + 0.5 * middle + 0.25 * last
    image[which] += strength[which, None, None, None] * (soft - image[which])
