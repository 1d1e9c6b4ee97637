"""SynthFaces: drawn faces with CelebA's 40 attributes, the data set that needs no download.

A stand-in, not a copy: no pixel comes from a photograph. What is CelebA's are the names of the
attributes, their rates and their pairwise correlations; what is ours is how each one looks
(`face/parts.py`, `face/drawing.py`) and how hard it is to see.

`celeba_statistics.csv` has one row per attribute: its name, the share of images that have it, and
its phi coefficient (Pearson correlation of the 0/1 labels) with each of the 40, all over the
202,599 rows of CelebA's ``list_attr_celeba.txt``. It was made by::

    table = pandas.read_csv("list_attr_celeba.txt", sep=r"\\s+", skiprows=1)
    celeba_statistics(table.to_numpy() > 0).to_csv("celeba_statistics.csv")

Labels come from a Gaussian copula (`copula.py`) whose 0/1 correlations are CelebA's, and in which
attributes that CelebA hardly ever shows together, such as black and blond hair, are as rare a pair.

Difficulty is graded. A labelled part is drawn at a strength in (0, 1], one that is not labelled may
leave a trace. Of the parts, 8 % are drawn as if labelled by chance at CelebA's rates, because the
annotators of CelebA erred too. Pose, light, noise and things in front of the face do the rest.
"""

import numpy as np
import pandas as pd

from ..resident import Dataset
from .face.drawing import HEIGHT, WIDTH, draw
from .statistics import Statistics, draw_splits

_STATISTICS = Statistics("celeba_statistics.csv")

ATTRIBUTES: tuple[str, ...] = _STATISTICS.names
"""The 40 official names in the official order."""


def load(train: int = 10_000, *, val: int = 2_000, test: int = 4_000) -> Dataset:
    """SynthFaces of these sizes, always the same ones; a smaller set is the start of a larger.

    Examples
    --------
    >>> load(8, val=2, test=2).describe()["found"]
    {'train': 8, 'val': 2, 'test': 2}
    """
    sizes = {"train": train, "val": val, "test": test}
    splits, fingerprint = draw_splits(
        sizes,
        lambda count, seed: draw_labels(count, seed=seed),
        lambda labels, seed: draw_faces(labels, seed=seed),
    )
    return Dataset(
        name="faces",
        title="SynthFaces",
        attributes=ATTRIBUTES,
        classes=2,
        splits=splits,
        expected=sizes,
        fingerprint=fingerprint,
    )


def celeba_statistics(attributes: np.ndarray) -> pd.DataFrame:
    """Rate and correlations of each attribute: the content of ``celeba_statistics.csv``.

    Parameters
    ----------
    attributes : ndarray (N, 40), of 0/1 or bool
        Labels of N images, in the order of `ATTRIBUTES`.

    Returns
    -------
    DataFrame (40, 41), float64
        Indexed by attribute: ``rate`` in [0, 1], then the phi coefficient with each attribute,
        rounded to 6 decimals.

    Raises
    ------
    ValueError
        If the shape or a value is wrong, or an attribute is the same in all images.

    Examples
    --------
    >>> table = celeba_statistics(draw_labels(2000))
    >>> table.shape
    (40, 41)
    >>> bool(table.loc["Young", "rate"] > 0.7)
    True
    """
    return _STATISTICS.measure(attributes)


def draw_labels(count: int, *, seed: int = 0) -> np.ndarray:
    """Labels with the rates and pairwise correlations of CelebA.

    Parameters
    ----------
    count : int
        Number of images, 0 or more.
    seed : int
        0 or more. Label i depends on (seed, i) only: a larger count goes on where a smaller ends.

    Returns
    -------
    ndarray (count, 40), int64
        1 where the image has the attribute, in the order of `ATTRIBUTES`.

    Raises
    ------
    ValueError
        If count or seed is negative.

    Examples
    --------
    >>> draw_labels(3).shape
    (3, 40)
    """
    return _STATISTICS.draw(count, seed)


def draw_faces(labels: np.ndarray, *, seed: int = 0, difficulty: float = 1.0) -> np.ndarray:
    """Draw one face per row of labels.

    Parameters
    ----------
    labels : ndarray (N, 40), of 0/1
        Attributes of each face, in the order of `ATTRIBUTES`.
    seed : int
        0 or more. Image i depends on (seed, i) and its labels only.
    difficulty : float
        In [0, 1]. 0: every part at full strength, straight pose, even light, no noise.

    Returns
    -------
    ndarray (N, 3, 55, 47), uint8
        RGB, height 55, width 47.

    Raises
    ------
    ValueError
        If labels are not (N, 40) of 0 and 1, the seed is negative or the difficulty outside [0, 1].

    Examples
    --------
    >>> faces = draw_faces(draw_labels(2))
    >>> faces.shape, faces.dtype
    ((2, 3, 55, 47), dtype('uint8'))
    """
    return _STATISTICS.pictures(labels, draw, (HEIGHT, WIDTH), seed, difficulty)
