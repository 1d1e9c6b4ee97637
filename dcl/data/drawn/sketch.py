"""What faces and persons are drawn with: sketches, shapes, colours, chance, and the last step.

Edges are soft: a shape is a signed distance, negative inside, and `ink` turns it into opacity.
Colours are in [0, 1]. All arrays have the images first. What differs between images (strengths of
the attributes, colours, sizes) is in `Sketch.look`, shaped to broadcast: (n, 1, 1), or
(n, 3, 1, 1) for colours.
"""

from dataclasses import dataclass

import numpy as np

DARK = (0.08, 0.08, 0.1)


@dataclass
class Sketch:
    """Some rows of some images, being drawn on."""

    image: np.ndarray  # (n, 3, h, w) float32 RGB
    x: np.ndarray  # (n, h, w) float32
    y: np.ndarray  # (n, h, w) float32
    look: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.look[name]

    def shown(self, name: str) -> np.ndarray:
        """Opacity of a thing that is drawn or not: a weak one is small rather than transparent."""
        return np.clip(10 * self.look[name] - 3.5, 0, 1)

    def paint(self, opacity: np.ndarray, colour: np.ndarray | tuple[float, ...]) -> None:
        """Cover with a colour, a tuple or (n, 3, 1, 1), at an opacity (n, h, w)."""
        change = (rgb(*colour) if isinstance(colour, tuple) else colour) - self.image
        change *= opacity[:, None]
        self.image += change

    def shade(self, opacity: np.ndarray, factor: float) -> None:
        """Darken (factor < 1) the picture."""
        self.image *= 1 - (1 - np.float32(factor)) * opacity[:, None]

    def where(self, name: str | None, least: float) -> slice | np.ndarray:
        """The images in which something is stronger than `least`; all, if it has no name."""
        if name is None:
            return slice(None)
        return np.flatnonzero(self.look[name].ravel() > least)

    def patch(self, which: slice | np.ndarray, rows: slice, columns: slice) -> "Sketch":
        """A piece of some of the images to draw a part on: `put` it back."""
        place = which, rows, columns
        image = self.image[which, :, rows, columns]
        return Sketch(image, self.x[place], self.y[place], _Chosen(self, place))

    def put(self, patch: "Sketch", which: slice | np.ndarray, rows: slice, columns: slice) -> None:
        """Put a piece back; what was drawn on all images may leave a look for later parts."""
        if isinstance(which, slice):  # the piece's image is no copy
            new = patch.look.keys() - self.look.keys()
            self.look.update({name: patch.look[name] for name in new})
        else:
            self.image[which, :, rows, columns] = patch.image


class _Chosen(dict):
    """Looks of some of the images, each taken out when a part asks for it."""

    def __init__(self, sketch: Sketch, place: tuple):
        self.look, self.place, self.frame = sketch.look, place, sketch.x.shape[1:]

    def __missing__(self, name: str) -> np.ndarray:
        value = self.look[name]
        of_frame = value.shape[1:] == self.frame  # a number for each pixel
        self[name] = value[self.place] if of_frame else value[self.place[0]]
        return self[name]


class Chance:
    """Numbers that differ between n images, each asked for once, in order: (n, 1, 1) in [0, 1)."""

    def __init__(self, rng: np.random.Generator, n: int, count: int, difficulty: float):
        self.numbers = iter(rng.random((n, count), np.float32).T[:, :, None, None])
        self.difficulty = difficulty

    def __next__(self) -> np.ndarray:
        return next(self.numbers)

    def vary(self, size: float) -> np.ndarray:
        """What an image adds by chance (ours), in [-size, size] at full difficulty."""
        return (2 * next(self) - 1) * np.float32(size * self.difficulty)

    def colour(self, low: float = 0, high: float = 1) -> np.ndarray:
        """(n, 3, 1, 1) in [low, high)."""
        return low + (high - low) * np.stack([next(self) for _ in range(3)], axis=1)


def photo(image: np.ndarray) -> np.ndarray:
    """Colours in [0, 1], what is beyond cut off, as 8 bits."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def ink(distance, soft=1.0):
    """Opacity of a shape: 1 inside, 0 outside, an edge `soft` pixels wide between."""
    return np.clip(0.5 - distance / soft, 0, 1)


def oval(x, y, rx, ry):
    """Signed distance (about) to an ellipse around 0."""
    return (np.sqrt((x / rx) ** 2 + (y / ry) ** 2) - 1) * np.minimum(rx, ry, dtype=np.float32)


def limb(x, y, start, end):
    """Distance to the line between two points (x, y), each a number or (n, 1, 1)."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy + 1e-3), 0, 1)
    return np.sqrt((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2)


def box(x, y, rx, ry):
    """Signed distance (about) to a rectangle around 0."""
    return np.maximum(np.abs(x) - rx, np.abs(y) - ry)


def bump(value, centre, width):
    """1 at the centre, falling to 0."""
    return np.exp(-(((value - centre) / width) ** 2))


def mix(first, second, share):
    return first + share * (second - first)


def rgb(*colour: float) -> np.ndarray:
    """A colour (3, 1, 1) that broadcasts against (n, 3, h, w)."""
    return np.asarray(colour, np.float32)[:, None, None]
