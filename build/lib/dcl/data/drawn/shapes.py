"""SynthShapes: 100 classes of drawn 32x32 images, the stand-in that needs no download.

A class is one of ten shapes in one of ten colours. Place, size, turn, light and background differ
from image to image, colours and outlines are blurred by noise, and a part of the images is partly
covered. A stand-in: it shows that a mechanism works, never that a published number was reproduced.
"""

import hashlib
from collections.abc import Callable

import numpy as np

from ..resident import SPLITS, Dataset, Split

SIZE = 32  # pixels
COLOURS = {  # RGB
    "red": (205, 45, 45), "orange": (235, 135, 30), "yellow": (235, 215, 50),
    "green": (50, 150, 60), "cyan": (60, 195, 205), "blue": (45, 80, 200),
    "violet": (130, 60, 180), "pink": (240, 130, 180), "brown": (125, 80, 45),
    "grey": (135, 135, 135),
}  # fmt: skip


def _polygon(x: np.ndarray, y: np.ndarray, corners: int, depth: float) -> np.ndarray:
    """Distance outside a regular polygon; with `depth` below 1 its sides bend in to a star."""
    step = 2 * np.pi / corners
    angle = np.abs((np.arctan2(x, -y) + step / 2) % step - step / 2)
    side = np.cos(step / 2) * depth
    reach = side / np.clip(np.cos(step / 2 - angle) * side + np.sin(angle) * (1 - depth), 0.2, None)
    return np.hypot(x, y) - np.minimum(reach, 1)


# Shape -> distance (negative inside) at coordinates in which the shape has about radius 1
SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "disc": lambda x, y: np.hypot(x, y) - 0.85,
    "ring": lambda x, y: np.abs(np.hypot(x, y) - 0.7) - 0.22,
    "square": lambda x, y: np.maximum(np.abs(x), np.abs(y)) - 0.75,
    "triangle": lambda x, y: np.maximum(np.abs(x) * 0.866 + y / 2, -y) - 0.5,
    "cross": lambda x, y: np.minimum(
        np.maximum(np.abs(x) - 0.95, np.abs(y) - 0.27),
        np.maximum(np.abs(y) - 0.95, np.abs(x) - 0.27),
    ),
    "bar": lambda x, y: np.maximum(np.abs(x) - 1.0, np.abs(y) - 0.3),
    "crescent": lambda x, y: np.maximum(np.hypot(x, y) - 0.9, 0.75 - np.hypot(x - 0.45, y)),
    "star": lambda x, y: _polygon(x, y, 5, 0.42),
    "two-discs": lambda x, y: np.minimum(np.hypot(x - 0.5, y), np.hypot(x + 0.5, y)) - 0.4,
    "frame": lambda x, y: np.abs(np.maximum(np.abs(x), np.abs(y)) - 0.65) - 0.18,
}
CLASSES: tuple[str, ...] = tuple(f"{colour} {shape}" for shape in SHAPES for colour in COLOURS)


def load(train: int = 5_000, *, val: int = 1_000, test: int = 2_000) -> Dataset:
    """SynthShapes of these sizes, all classes alike, always the same images.

    Examples
    --------
    >>> load(200, val=100, test=100).describe()["found"]
    {'train': 200, 'val': 100, 'test': 100}
    """
    sizes = dict(zip(SPLITS, (train, val, test), strict=True))
    splits, digest = {}, hashlib.sha256()
    for seed, (name, size) in enumerate(sizes.items()):
        labels = np.arange(size) % len(CLASSES)
        splits[name] = Split(images=draw_shapes(labels, seed=seed), labels=labels[:, None])
        digest.update(splits[name].images.tobytes())
    return Dataset(
        name="shapes",
        title="SynthShapes",
        attributes=("class",),
        classes=len(CLASSES),
        class_names=CLASSES,
        splits=splits,
        expected=sizes,
        fingerprint=digest.hexdigest()[:16],
    )


def draw_shapes(labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """One image for each label.

    Parameters
    ----------
    labels : ndarray (N,), integer
        Rows of `CLASSES`.
    seed : int
        0 or more.

    Returns
    -------
    ndarray (N, 3, 32, 32), uint8
        RGB.

    Raises
    ------
    ValueError
        For a label out of range and a negative seed.

    Examples
    --------
    >>> draw_shapes(np.array([0, 99])).shape
    (2, 3, 32, 32)
    """
    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < len(CLASSES):
        raise ValueError(f"labels must lie in 0 ... {len(CLASSES) - 1}, got {labels.max()}")
    rng = np.random.default_rng(seed)  # raises for a negative seed
    n = len(labels)

    def uniform(low: float, high: float, *shape: int) -> np.ndarray:
        return rng.uniform(low, high, (n, *shape, 1, 1)).astype(np.float32)

    grid = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * 2 - 1
    x, y = grid[None, None, :], grid[None, :, None]  # each image spans -1 ... 1
    turn, size = uniform(-0.5, 0.5), uniform(0.4, 0.7)
    u, v = x - uniform(-0.3, 0.3), y - uniform(-0.3, 0.3)
    u, v = (
        (np.cos(turn) * u + np.sin(turn) * v) / size,
        (np.cos(turn) * v - np.sin(turn) * u) / size,
    )
    distance = np.empty((n, SIZE, SIZE), np.float32)
    for number, shape in enumerate(SHAPES.values()):
        of_shape = labels // len(COLOURS) == number
        distance[of_shape] = shape(u[of_shape], v[of_shape])
    inside = np.clip(0.5 - distance * size * SIZE / 2, 0, 1)[:, None]  # (N, 1, H, W), soft edges
    palette = np.array(list(COLOURS.values()), np.float32)
    colour = palette[labels % len(COLOURS)][:, :, None, None] + uniform(-25, 25, 3)
    ramp = uniform(-60, 60, 3) * x[:, None] + uniform(-60, 60, 3) * y[:, None]
    ground = palette[rng.integers(0, len(palette), n)][:, :, None, None] * 0.5 + 60 + ramp
    image = ground * (1 - inside) + colour * inside
    bar = np.abs(np.cos(turn * 9) * x + np.sin(turn * 9) * y - uniform(-0.6, 0.6)) < uniform(
        -0.2, 0.12
    )
    image = np.where(bar[:, None], ground[:, ::-1], image)  # something in front, in half of them
    image = image * uniform(0.65, 1.25, 1)  # light
    image += rng.standard_normal(image.shape, np.float32) * uniform(4, 22, 1)
    return np.clip(image, 0, 255).astype(np.uint8)
