"""Reads the annotation files of RAP and PETA; every error names the file and what is expected.

Both are MATLAB files of one nested structure. Counts that hold for the files as published:

* RAP v1, ``RAP_annotation.mat``: 41,585 images, 92 attributes, five partitions into 33,268 and
  8,317. Images are named in the file and lie in ``RAP_dataset``.
* PETA, ``PETA.mat``: 19,000 images of 8,699 persons, 105 attributes of which 35 are the standard
  ones, five partitions into 9,500, 1,900 and 7,600. Images are named by their row, from 1.

What the paper's Table 6 is over cannot be known: it says 72 attributes in Section 4.1, 70 in
Section 4.4.3, and an imbalance up to 1:1800, while no attribute in RAP's published file is rarer
than 1:262. `read_rap` says what we read instead, `imbalance_groups` gives the table's groups.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checks import UNKNOWN
from .matlab import MatlabError, read_variable
from .resident import SPLITS, DataError

RAP_COLUMNS, PETA_COLUMNS, PARTITIONS = 92, 105, 5
SCENE = slice(51, 63)  # RAP's columns for viewpoint (4) and occlusion (8), not of the person
MULTICLASS = ("AgeLess16", "Age17-30", "Age31-45", "BodyFat", "BodyNormal", "BodyThin")
CATCH_ALL = ("attach-Other", "up-Mixture", "low-Mixture", "shoes-Mixture")
PROTOCOLS = ("51", "paper", "all")

GROUPS = ("1:1-25", "1:25-50", "over 1:50")
"""Table 6's groups of imbalance ratios."""
UNDEFINED = "undefined"


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
    labels, names, listed, images, identities, parts = _fields(
        path,
        "RAP_annotation",
        ("label", "attribute_eng", "attribute_exp", "imagesname", "identity", "partion"),
        "RAP v1's RAP_annotation.mat",
    )
    names, images = _texts(path, "attribute_eng", names), _texts(path, "imagesname", images)
    labels = _numbers(path, "label", labels)
    _check_labels(path, "label", labels, (len(images), RAP_COLUMNS), (0, 1, 2))
    _check_length(path, "attribute_eng", names, RAP_COLUMNS)
    _check_length(path, "attribute_exp", listed.ravel(), 51)
    identities = _numbers(path, "identity", identities).ravel()
    _check_length(path, "identity", identities, len(images))
    partitions = []
    for number, part in enumerate(parts.ravel()):
        place = f"partion {number + 1}"
        train, test = _rows(path, place, part, ("train_index", "test_index"), len(images))
        order = np.random.default_rng([seed, number]).permutation(len(train))
        cut = len(train) - round(val_share * len(train))
        cuts = train[np.sort(order[:cut])], train[np.sort(order[cut:])], test
        partitions.append(dict(zip(SPLITS, cuts, strict=True)))
    _check_length(path, "partion", partitions, PARTITIONS)
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
    data, names, selected, parts = _fields(
        path, "peta", ("data", "attribute", "selected_attribute", "partion_attribute"), "PETA.mat"
    )
    names = _texts(path, "attribute", names)
    _check_length(path, "attribute", names, PETA_COLUMNS)
    data = _numbers(path, "data", data)
    columns = _numbers(path, "selected_attribute", selected).ravel() - 1  # from 1, of `data`
    if data.ndim != 2 or data.shape[1] != 4 + PETA_COLUMNS:
        raise DataError(f"{path}: data is {data.shape}, expected (N, 109): 4 and 105 attributes")
    if len(columns) == 0 or columns.min() < 4 or columns.max() >= data.shape[1]:
        raise DataError(
            f"{path}: selected_attribute must number columns 5 to 109 of data (4 lead), "
            f"got {(columns[:8] + 1).tolist()} ..."
        )
    labels = data[:, columns]
    _check_labels(path, "data", labels, labels.shape, (0, 1))
    identities = data[:, 1]
    partitions = [
        dict(zip(SPLITS, _rows(path, f"partion {k + 1}", part, SPLITS, len(data)), strict=True))
        for k, part in enumerate(parts.ravel())
    ]
    _check_length(path, "partion_attribute", partitions, PARTITIONS)
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


def imbalance_ratios(labels: np.ndarray) -> np.ndarray:
    """Samples of the majority class for one of the minority, (A,) of the training labels (N, A).

    At least 1; infinite where a class has no sample. Unknown labels are not counted.

    Examples
    --------
    >>> imbalance_ratios(np.array([[1, 0], [0, 0], [0, -1]]))
    array([ 2., inf])
    """
    labels = np.asarray(labels)
    few, many = np.sort([(labels == 1).sum(axis=0), (labels == 0).sum(axis=0)], axis=0)
    return np.divide(many, few, out=np.full(len(few), np.inf), where=few > 0)


def imbalance_groups(labels: np.ndarray) -> np.ndarray:
    """Table 6's group of each attribute, (A,) of str, from the training labels (N, A).

    One of `GROUPS`; a ratio on a border belongs to the less imbalanced group (ours: the paper
    does not say). ``"undefined"`` where one class has no sample.

    Examples
    --------
    >>> imbalance_groups(np.eye(31, 3, dtype=int) * [1, 1, 0]).tolist()
    ['1:25-50', '1:25-50', 'undefined']
    """
    return groups_of_ratios(imbalance_ratios(labels))


def groups_of_ratios(ratio: np.ndarray) -> np.ndarray:
    """`imbalance_groups` of imbalance ratios, (A,).

    Examples
    --------
    >>> groups_of_ratios(np.array([1, 25, 25.1, 51, np.inf])).tolist()
    ['1:1-25', '1:1-25', '1:25-50', 'over 1:50', 'undefined']
    """
    names = np.array([*GROUPS, UNDEFINED])
    return names[np.where(np.isinf(ratio), 3, np.searchsorted((25, 50), ratio))]


def _rap_columns(names: tuple[str, ...], protocol: str) -> list[int]:
    if protocol == "all":
        return list(range(RAP_COLUMNS))
    if protocol == "51":
        return list(range(51))
    scene = range(*SCENE.indices(RAP_COLUMNS))
    left_out = {*MULTICLASS, *CATCH_ALL}
    return [k for k, name in enumerate(names) if k not in scene and name not in left_out]


def _fields(path: Path, variable: str, fields: tuple[str, ...], what: str) -> list[np.ndarray]:
    """Fields of the one structure in a MATLAB file."""
    if not path.is_file():
        raise DataError(
            f"missing {path}: expected {what}, which its authors give for research on request"
        )
    try:
        structure = read_variable(path, variable)
    except (MatlabError, OSError) as error:
        raise DataError(f"{path}: not a readable MATLAB file, expected {what} ({error})") from None
    found = structure.flat[0] if structure is not None and structure.size == 1 else None
    if not isinstance(found, dict):
        raise DataError(f"{path}: no structure {variable}, expected {what}")
    absent = [name for name in fields if name not in found]
    if absent:
        raise DataError(f"{path}: {variable} has no {', '.join(absent)}, expected {what}")
    return [found[name] for name in fields]


def _texts(path: Path, field: str, cells: np.ndarray) -> tuple[str, ...]:
    """The strings of a cell array."""
    try:
        return tuple(str(np.ravel(cell)[0]) for cell in cells.ravel())
    except (AttributeError, IndexError):
        raise DataError(f"{path}: {field} is not a list of names") from None


def _numbers(path: Path, field: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers, as int64."""
    if values.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):  # of infinite values, which are not equal below
            whole = values.astype(np.int64)
        if np.array_equal(whole, values):
            return whole
    raise DataError(f"{path}: {field} is not of whole numbers")


def _rows(path: Path, place: str, part, names, count: int) -> list[np.ndarray]:
    """Row indices, from 0, of each split of a partition; together every row once."""
    try:
        part = part if isinstance(part, dict) else part.flat[0]  # in a cell
        cells = [part[name].ravel() for name in names]
    except (AttributeError, IndexError, KeyError, TypeError):
        raise DataError(f"{path}, {place}: expected the fields {', '.join(names)}") from None
    rows = [_numbers(path, place, cell) - 1 for cell in cells]
    every = np.sort(np.concatenate(rows))
    if not np.array_equal(every, np.arange(count)):
        raise DataError(
            f"{path}, {place}: expected each of the {count:,} rows in one split, got "
            f"{len(every):,} indices, {len(np.unique(every)):,} of them different"
        )
    return rows


def _check_labels(path: Path, field: str, labels: np.ndarray, shape, allowed) -> None:
    if labels.shape != shape:
        raise DataError(f"{path}: {field} is {labels.shape}, expected {shape}")
    wrong = np.argwhere(~np.isin(labels, allowed))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"{path}, row {row + 1}: {field} of attribute {column + 1} is {labels[row, column]}, "
            f"expected one of {', '.join(map(str, allowed))}"
        )


def _check_length(path: Path, field: str, found, expected: int) -> None:
    if len(found) != expected:
        raise DataError(f"{path}: {field} has {len(found)} entries, expected {expected}")


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
