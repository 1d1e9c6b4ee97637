"""SynthPersons: drawn pedestrians with RAP's 51 attributes, for RAP's images may not be shared.

A stand-in, not a copy: no pixel comes from a photograph. What is RAP's are the names of the
attributes, their rates and their pairwise correlations; what is ours is how each one looks
(`person.py`) and how hard it is to see. The rarest attribute,
``hs-BaldHead``, is on in one image of 263.

`rap_statistics.csv` has one row per attribute: its name, the share of images that have it, and
its phi coefficient (Pearson correlation of the 0/1 labels) with each of the 51, all over the
41,585 rows of ``RAP_annotation.mat``, an unknown label taken for 0. It was made by::

    labels = read_rap("RAP_annotation.mat").labels  # of pedestrian_annotation
    rap_statistics(np.maximum(labels, 0)).to_csv("rap_statistics.csv")

Labels come from a Gaussian copula (`copula.py`), as those of SynthFaces do, and difficulty is
graded in the same way: a labelled part is drawn at a strength in (0, 1], one that is not labelled
may leave a trace, 8 % of the parts are drawn as if labelled by chance at RAP's rates, and pose,
light, noise, things behind and in front, and the side to which things are carried differ.
"""

from functools import partial

import numpy as np
import pandas as pd

from ..resident import Dataset
from .person import draw
from .statistics import Statistics, draw_splits, generator

_STATISTICS = Statistics("rap_statistics.csv")

ATTRIBUTES: tuple[str, ...] = _STATISTICS.names
"""The 51 names of RAP's annotation file, in its order; ``action-Pusing`` is RAP's spelling."""

SIZE = (64, 32)
SPARE = 20_000  # labels among which `load` looks for a class that training lacks


def load(
    train: int = 8_000,
    *,
    size: tuple[int, int] = SIZE,
    val: int = 1_000,
    test: int = 2_000,
    seed: int = 0,
) -> Dataset:
    """SynthPersons of these sizes, always the same ones.

    A smaller set is the start of a larger, except where training would lack a class: then its
    last images are others, which have it. Validation and test may lack one; the metrics name it.

    Parameters
    ----------
    train, val, test : int
        Images of each split; in training enough to hold both classes of all attributes.
    size : (int, int)
        Rows and columns of an image.
    seed : int
        0 or more.

    Raises
    ------
    ValueError
        If an argument is out of range, or training is too small for all classes.

    Examples
    --------
    >>> load(100, val=2, test=2).describe()["found"]
    {'train': 100, 'val': 2, 'test': 2}
    """
    generator(seed, "load")  # a wrong seed is named before anything is drawn
    sizes = {"train": train, "val": val, "test": test}
    first = 1_000_000 * seed

    def with_every_class(name: str, labels: np.ndarray) -> np.ndarray:
        if name != "train":
            return labels
        return _with_every_class(labels, draw_labels(SPARE, seed=first + 999_999))

    splits, fingerprint = draw_splits(
        sizes,
        lambda count, seed: draw_labels(count, seed=seed),
        lambda labels, seed: draw_persons(labels, size=size, seed=seed),
        first=first,
        adjust=with_every_class,
    )
    return Dataset(
        name="persons",
        title="SynthPersons, drawn pedestrians",
        attributes=ATTRIBUTES,
        classes=2,
        splits=splits,
        expected=sizes,
        fingerprint=fingerprint,
    )


def rap_statistics(labels: np.ndarray) -> pd.DataFrame:
    """Rate and correlations of each attribute: the content of ``rap_statistics.csv``.

    Parameters
    ----------
    labels : ndarray (N, 51), of 0/1
        Labels of N images, in the order of RAP's file.

    Returns
    -------
    DataFrame (51, 52), float64
        Indexed by attribute: ``rate`` in [0, 1], then the phi coefficient with each attribute,
        rounded to 6 decimals.

    Raises
    ------
    ValueError
        If the shape or a value is wrong, or an attribute is the same in all images.

    Examples
    --------
    >>> rap_statistics(draw_labels(5000)).shape
    (51, 52)
    """
    return _STATISTICS.measure(labels)


def draw_labels(count: int, *, seed: int = 0) -> np.ndarray:
    """Labels with the rates and pairwise correlations of RAP.

    Parameters
    ----------
    count : int
        Number of images, 0 or more.
    seed : int
        0 or more. Label i depends on (seed, i) only: a larger count goes on where a smaller ends.

    Returns
    -------
    ndarray (count, 51), int64
        1 where the image has the attribute, in the order of `ATTRIBUTES`.

    Raises
    ------
    ValueError
        If count or seed is negative.

    Examples
    --------
    >>> draw_labels(3).shape
    (3, 51)
    """
    return _STATISTICS.draw(count, seed)


def draw_persons(
    labels: np.ndarray,
    *,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
    difficulty: float = 1.0,
) -> np.ndarray:
    """Draw one person per row of labels.

    Parameters
    ----------
    labels : ndarray (N, 51), of 0/1
        Attributes of each person, in the order of `ATTRIBUTES`.
    size : (int, int)
        Rows and columns, each 16 or more; the persons are made for twice as many rows as columns.
    seed : int
        0 or more. Image i depends on (seed, i) and its labels only.
    difficulty : float
        In [0, 1]. 0: every part at full strength, straight pose, even light, no noise.

    Returns
    -------
    ndarray (N, 3, *size), uint8
        RGB.

    Raises
    ------
    ValueError
        If labels are not (N, 51) of 0 and 1, or another argument is out of range.

    Examples
    --------
    >>> persons = draw_persons(draw_labels(2))
    >>> persons.shape, persons.dtype
    ((2, 3, 64, 32), dtype('uint8'))
    """
    if len(size) != 2 or min(size) < 16:
        raise ValueError(f"size must be two numbers, rows and columns, of 16 or more, got {size}")
    return _STATISTICS.pictures(labels, partial(draw, size=size), size, seed, difficulty)


def _with_every_class(labels: np.ndarray, spare: np.ndarray) -> np.ndarray:
    """Labels (N, 51) whose last rows are taken from the spare ones where a class is missing."""
    labels = labels.copy()
    row = len(labels)
    while True:
        counts = np.stack([(labels == 0).sum(axis=0), (labels == 1).sum(axis=0)])
        missing = np.argwhere(counts == 0)
        if len(missing) == 0:
            return labels
        row -= 1
        while row >= 0 and (counts[labels[row], np.arange(len(ATTRIBUTES))] == 1).any():
            row -= 1  # the only image of some class stays
        if row < 0:
            raise ValueError(
                f"train must be enough for both classes of {len(ATTRIBUTES)} attributes, "
                f"got {len(labels)}: {ATTRIBUTES[missing[0, 1]]} is missing one. Take 100 or more"
            )
        labels[row] = spare[np.argmax(spare[:, missing[0, 1]] == missing[0, 0])]
