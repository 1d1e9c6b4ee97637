"""Reads the annotation files of RAP and PETA; every error names the file and what is expected.

Both are MATLAB files of one nested structure. Counts that hold for the files as published:

* RAP v1, ``RAP_annotation.mat``: 41,585 images, 92 attributes, five partitions into 33,268 and
  8,317. Images are named in the file and lie in ``RAP_dataset``.
* PETA, ``PETA.mat``: 19,000 images of 8,699 persons, 105 attributes of which 35 are the standard
  ones, five partitions into 9,500, 1,900 and 7,600. Images are named by their row, from 1.

What the paper's Table 6 is over cannot be known: it says 72 attributes in Section 4.1, 70 in
Section 4.4.3, and an imbalance up to 1:1800, while no attribute in RAP's published file is rarer
than 1:262. `read_rap` says what we read instead, `dcl.data.imbalance` gives the table's groups.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checks import UNKNOWN
from .matlab_fields import (
    check_length,
    check_values,
    fields_of,
    rows_of,
    texts,
    whole_numbers,
)
from .resident import SPLITS, DataError

RAP_COLUMNS, PETA_COLUMNS, PARTITIONS = 92, 105, 5
SCENE = slice(51, 63)  # RAP's columns for viewpoint (4) and occlusion (8), not of the person
MULTICLASS = ("AgeLess16", "Age17-30", "Age31-45", "BodyFat", "BodyNormal", "BodyThin")
CATCH_ALL = ("attach-Other", "up-Mixture", "low-Mixture", "shoes-Mixture")
PROTOCOLS = ("51", "paper", "all")


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """What an annotation file says of N images and A attributes."""

    attributes: tuple[str, ...]
    labels: np.ndarray  # (N, A) int8 of 0 and 1, -1 where unknown
    images: tuple[str, ...]  # N file names, relative to the folder of images
    partitions: tuple[dict[str, np.ndarray], ...]  # each: rows of train, val and test, int64
    identities: np.ndarray  # (N,) int64, the person; -1 where the file does not say


def read_rap(
    path: str | Path, protocol: str = "51", *, val_share: float = 0.1, seed: int = 0
) -> Annotation:
    """RAP v1's annotation.

    A value of 2, which 125 rows have in ``Female`` and no other column has, means that the
    annotators could not tell. It becomes -1, unknown.

    Parameters
    ----------
    path : path
        ``RAP_annotation.mat``.
    protocol : str
        ``"51"``: the attributes that the file lists as ``attribute_exp``, its first 51 columns,
        on which the field reports. ``"paper"``: 70, our reading of what the paper may mean; it
        names none. Of the 80 columns on persons (92 less viewpoint and occlusion) it leaves out
        the three ages and three body shapes, which are two attributes of several classes, and
        the four catch-alls (other attachment, mixed colour three times): 70 are left, and 72
        with age and body shape counted once each, the paper's two numbers. ``"all"``: 92.
    val_share : float
        In [0, 1). RAP has no validation split: this share of the training rows becomes one, the
        last of a seeded permutation. 0: an empty one.
    seed : int
        Of that permutation, 0 or more.

    Returns
    -------
    Annotation
        Five partitions.

    Raises
    ------
    DataError
        If the file is missing, broken or not RAP v1's.
    ValueError
        If an argument is out of range.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    if not 0 <= val_share < 1:
        raise ValueError(f"val_share must be in [0, 1), got {val_share}")
    _check_seed(seed)
    path = Path(path)
    labels, name_cells, listed, image_cells, identities, parts = fields_of(
        path,
        "RAP_annotation",
        ("label", "attribute_eng", "attribute_exp", "imagesname", "identity", "partion"),
        "RAP v1's RAP_annotation.mat",
    )
    names = texts(path, "attribute_eng", name_cells)
    images = texts(path, "imagesname", image_cells)
    labels = whole_numbers(path, "label", labels)
    check_values(path, "label", labels, (len(images), RAP_COLUMNS), (0, 1, 2))
    check_length(path, "attribute_eng", names, RAP_COLUMNS)
    check_length(path, "attribute_exp", listed.ravel(), 51)
    identities = whole_numbers(path, "identity", identities).ravel()
    check_length(path, "identity", identities, len(images))
    partitions = []
    for number, part in enumerate(parts.ravel()):
        place = f"partion {number + 1}"
        train, test = rows_of(path, place, part, ("train_index", "test_index"), len(images))
        order = np.random.default_rng([seed, number]).permutation(len(train))
        cut = len(train) - round(val_share * len(train))
        cuts = train[np.sort(order[:cut])], train[np.sort(order[cut:])], test
        partitions.append(dict(zip(SPLITS, cuts, strict=True)))
    check_length(path, "partion", partitions, PARTITIONS)
    columns = _rap_columns(names, protocol)
    return Annotation(
        attributes=tuple(names[k] for k in columns),
        labels=np.where(labels == 2, UNKNOWN, labels)[:, columns].astype(np.int8),
        images=images,
        partitions=tuple(partitions),
        identities=identities,
    )


def read_peta(
    path: str | Path, split: str = "official", *, seed: int = 0, suffix: str = ".jpg"
) -> Annotation:
    """PETA's annotation, its 35 standard attributes.

    Parameters
    ----------
    path : path
        ``PETA.mat``.
    split : str
        ``"official"``: the file's five partitions, in which most test images show a person who
        is also in training. ``"identity"``: five drawn by us with the same shares of images, no
        person in two of the three splits.
    seed : int
        Of the identity split, 0 or more.
    suffix : str
        Of the image files: PETA comes as ``.png``, our copy scaled down as ``.jpg``.

    Returns
    -------
    Annotation
        Five partitions.

    Raises
    ------
    DataError
        If the file is missing, broken or not PETA's.
    ValueError
        If an argument is out of range.
    """
    if split not in ("official", "identity"):
        raise ValueError(f"split must be official or identity, got {split!r}")
    _check_seed(seed)
    path = Path(path)
    data, name_cells, selected, parts = fields_of(
        path, "peta", ("data", "attribute", "selected_attribute", "partion_attribute"), "PETA.mat"
    )
    names = texts(path, "attribute", name_cells)
    check_length(path, "attribute", names, PETA_COLUMNS)
    data = whole_numbers(path, "data", data)
    columns = whole_numbers(path, "selected_attribute", selected).ravel() - 1  # from 1, of `data`
    if data.ndim != 2 or data.shape[1] != 4 + PETA_COLUMNS:
        raise DataError(f"{path}: data is {data.shape}, expected (N, 109): 4 and 105 attributes")
    if len(columns) == 0 or columns.min() < 4 or columns.max() >= data.shape[1]:
        raise DataError(
            f"{path}: selected_attribute must number columns 5 to 109 of data (4 lead), "
            f"got {(columns[:8] + 1).tolist()} ..."
        )
    labels = data[:, columns]
    check_values(path, "data", labels, labels.shape, (0, 1))
    identities = data[:, 1]
    partitions = [
        dict(zip(SPLITS, rows_of(path, f"partion {k + 1}", part, SPLITS, len(data)), strict=True))
        for k, part in enumerate(parts.ravel())
    ]
    check_length(path, "partion_attribute", partitions, PARTITIONS)
    if split == "identity":
        partitions = [
            split_identities(identities, [len(part[name]) for name in SPLITS], seed=(seed, k))
            for k, part in enumerate(partitions)
        ]
    return Annotation(
        attributes=tuple(names[k - 4] for k in columns),
        labels=labels.astype(np.int8),
        images=tuple(f"{row:05d}{suffix}" for row in data[:, 0]),
        partitions=tuple(partitions),
        identities=identities,
    )


def split_identities(identities: np.ndarray, sizes, *, seed=0) -> dict[str, np.ndarray]:
    """Rows of train, val and test with no person in two of them.

    Persons are put in a seeded order; a split ends with the person that brings it closest to its
    size, so the sizes are met up to half the images of one person.

    Parameters
    ----------
    identities : ndarray (N,)
        The person in each image.
    sizes : three int
        Images wanted in train, val and test; their sum is N.
    seed : int or sequence of int
        0 or more.

    Examples
    --------
    >>> rows = split_identities(np.array([7, 7, 8, 8, 9, 9]), [2, 2, 2])
    >>> [len(rows[name]) for name in ("train", "val", "test")]
    [2, 2, 2]
    """
    _, person, images = np.unique(identities, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(images))
    end = np.cumsum(images[order])
    ends = [int(np.abs(end - wanted).argmin()) + 1 for wanted in np.cumsum(sizes)[:-1]]
    part = np.full(len(images), 2)
    part[order[: ends[1]]] = 1
    part[order[: ends[0]]] = 0
    return {name: np.flatnonzero(part[person] == k) for k, name in enumerate(SPLITS)}


def _rap_columns(names: tuple[str, ...], protocol: str) -> list[int]:
    if protocol == "all":
        return list(range(RAP_COLUMNS))
    if protocol == "51":
        return list(range(51))
    scene = range(*SCENE.indices(RAP_COLUMNS))
    left_out = {*MULTICLASS, *CATCH_ALL}
    return [k for k, name in enumerate(names) if k not in scene and name not in left_out]


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
