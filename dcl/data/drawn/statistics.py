"""What the drawn data sets share: a real one's statistics, labels that have them, and blocks.

A data set is drawn in blocks of a seed each, side by side, so that a smaller one is the start of a
larger; an image depends only on its block's seed, its place in the block and its labels.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.resources import files

import numpy as np
import pandas as pd

from ..resident import Split
from .copula import Copula

CHUNK = 128  # images drawn at once; changes memory and speed, never the images
BLOCK = 1000  # images of one seed


class Statistics:
    """Rates and correlations of a real data set's attributes, from a table beside this file.

    The table has a row for each attribute: its name, ``rate`` in [0, 1], and its phi coefficient
    (Pearson correlation of the 0/1 labels) with each attribute.
    """

    def __init__(self, table: str):
        self.table = pd.read_csv(files(__package__).joinpath(table), index_col="attribute")
        self.names: tuple[str, ...] = tuple(self.table.index)
        self.rate = self.table["rate"].to_numpy()

    @cached_property
    def copula(self) -> Copula:
        """Fitted at first use, in less than a second."""
        return Copula.fit(self.rate, self.table[list(self.names)].to_numpy())

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Labels (count, A) int64; label i depends on (seed, i) only."""
        if count < 0:
            raise ValueError(f"count must be 0 or more, got {count}")
        return self.copula.sample(count, generator(seed, "labels")).astype(np.int64)

    def check(self, labels: np.ndarray) -> np.ndarray:
        """Labels as an array; a ValueError if they are not (N, A) of 0 and 1."""
        labels = np.asarray(labels)
        if labels.ndim != 2 or labels.shape[1] != len(self.names):
            raise ValueError(f"labels must be (N, {len(self.names)}), got shape {labels.shape}")
        wrong = (labels != 0) & (labels != 1)
        if wrong.any():
            raise ValueError(f"labels must be 0 or 1, got {labels[wrong][0]}")
        return labels

    def measure(self, labels: np.ndarray) -> pd.DataFrame:
        """The table that N images' labels (N, A) give, rounded to 6 decimals."""
        labels = self.check(labels).astype(np.float64)
        constant = np.flatnonzero(np.ptp(labels, axis=0) == 0) if len(labels) else [0]
        if len(constant):
            raise ValueError(
                f"labels must have both values 0 and 1 in every column for a correlation, "
                f"{self.names[constant[0]]} has one only in the {len(labels)} images given"
            )
        phi = pd.DataFrame(np.corrcoef(labels, rowvar=False), self.names, self.names)
        phi.insert(0, "rate", labels.mean(axis=0))
        return phi.round(6).rename_axis("attribute")

    def strengths(
        self, labels: np.ndarray, rng: np.random.Generator, difficulty: float
    ) -> np.ndarray:
        """How strongly each part is drawn, (N, A) in [0, 1]: 1 and 0 without difficulty."""
        uniform = rng.random((len(labels), 2 * len(self.names) + 1), np.float32)
        hardness = 0.5 + 0.5 * uniform[:, :1]  # some images are harder than others
        graded, wrong = np.split(uniform[:, 1:], 2, axis=1)
        weak = difficulty * hardness * graded
        present = 1 - 0.9 * weak
        trace = 0.5 * weak**2
        noise = 0.08 * difficulty  # this share is drawn as if labelled by chance, at the real rates
        on, off = wrong < noise * self.rate, wrong > 1 - noise * (1 - self.rate)
        return np.where((labels == 1) & ~off | on, present, trace).astype(np.float32)

    def pictures(
        self, labels: np.ndarray, draw: Callable, size, seed: int, difficulty: float
    ) -> np.ndarray:
        """An image (3, *size) uint8 for each row of labels, by the function that draws a chunk."""
        labels = self.check(labels)
        if not 0 <= difficulty <= 1:
            raise ValueError(f"difficulty must be in [0, 1], got {difficulty}")
        looks, trouble, pixels = (generator(seed, use) for use in ("looks", "trouble", "pixels"))
        images = np.empty((len(labels), 3, *size), np.uint8)
        for start in range(0, len(labels), CHUNK):
            strength = self.strengths(labels[start : start + CHUNK], trouble, difficulty)
            named = dict(zip(self.names, strength.T, strict=True))
            images[start : start + CHUNK] = draw(named, looks, pixels, difficulty)
        return images


def draw_splits(
    sizes: dict[str, int],
    draw_labels: Callable[[int, int], np.ndarray],
    draw_images: Callable[[np.ndarray, int], np.ndarray],
    *,
    first: int = 0,
    adjust: Callable[[str, np.ndarray], np.ndarray] = lambda name, labels: labels,
) -> tuple[dict[str, Split], str]:
    """The splits of a drawn data set, and the hash of their images.

    Parameters
    ----------
    sizes : dict
        Images of each split.
    draw_labels, draw_images : callable
        (count, seed) -> labels (count, A), and (labels, seed) -> images.
    first : int
        Seed of the first block of the first split.
    adjust : callable
        (name of a split, its labels) -> the labels to draw.
    """
    splits, digest = {}, hashlib.sha256()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (name, count) in enumerate(sizes.items()):
            starts = range(0, max(count, 1), BLOCK)
            seeds = [first + 100_000 * number + start // BLOCK for start in starts]
            counts = [min(BLOCK, count - start) for start in starts]
            labels = adjust(name, np.concatenate(list(pool.map(draw_labels, counts, seeds))))
            parts = [labels[start : start + BLOCK] for start in starts]
            images = np.concatenate(list(pool.map(draw_images, parts, seeds)))
            splits[name] = Split(images=images, labels=labels)
            digest.update(images.data)
    return splits, digest.hexdigest()[:16]


def generator(seed: int, use: str) -> np.random.Generator:
    """An independent stream for each use of a seed."""
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    return np.random.default_rng([seed, *use.encode()])
