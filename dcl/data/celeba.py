"""CelebA in its official layout.

img_align_celeba/NNNNNN.jpg   or img_align_celeba.zip; any image size, any part of the images
list_attr_celeba.txt          202,599 rows of 40 attributes, -1 or 1
list_eval_partition.txt       the split of each image: 0 train, 1 val, 2 test
identity_CelebA.txt           who each image shows; without it a part of the training set is drawn
                              image by image

Kaggle's layout will do as well: both as .csv files, the images one folder deeper.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from .celeba_annotation import (
    ATTRIBUTE_FILE,
    ATTRIBUTES,
    HELP,
    IDENTITY_FILE,
    PARTITION_FILE,
    annotation_file,
    read_attributes,
    read_identities,
    read_partition,
)
from .names import match
from .pack import open_pack
from .resident import SPLITS, DataError, Dataset, Split
from .sources import Archive, Folder

OFFICIAL = {"train": 162_770, "val": 19_867, "test": 19_962}


def load(
    root: str | Path,
    *,
    size: tuple[int, int] = (55, 47),
    crop: float = 1.0,
    progress: bool = True,
) -> Dataset:
    """CelebA from `root`, packed on first use.

    Parameters
    ----------
    root : path
        Folder in the official layout, or one that holds it as ``celeba/``.
    size : (int, int)
        Height and width of the packed images in pixels.
    crop : float
        Share of the aligned frame's height and width to keep around its centre, in (0, 1]. A
        fraction, so that it means the same for 178x218 and 64x64 files. Ours: the whole frame.
    progress : bool
        Show a progress bar while packing.

    Returns
    -------
    Dataset
        Splits ``train``, ``val``, ``test``, images sorted by file name, memory-mapped. A part of
        the images is used as it is, and counted.

    Raises
    ------
    DataError
        For a file that is missing, malformed or cannot be decoded, naming it and its row.
    """
    root = _find_root(Path(root))
    source = _image_source(root)
    attributes, partition, files = _annotation(root, source)
    rows = {name: np.flatnonzero(partition == code) for code, name in enumerate(SPLITS)}
    for name, members in rows.items():
        if not len(members):
            raise DataError(f"{source.path}: no image of the {name} split, one at least is needed")
    names, labels = list(attributes.index), attributes.to_numpy(np.int64)
    pack = open_pack(root, source, files, size=size, crop=crop, progress=progress)
    order = np.concatenate(list(rows.values()))
    part = "" if len(labels) == sum(OFFICIAL.values()) else f", {len(labels):,} images"
    return Dataset(
        name="celeba",
        title=f"CelebA{part} at {pack.file_resolution}",
        attributes=ATTRIBUTES,
        classes=2,
        splits={k: Split(images=pack.take(r), labels=labels[r]) for k, r in rows.items()},
        expected=OFFICIAL,
        fingerprint=pack.fingerprint(labels[order], order),
        facts={"decoding": pack.decoding},
        persons=_persons(root, names)[rows["train"]] if (root / IDENTITY_FILE).is_file() else None,
    )


def _persons(root: Path, names: list[str]) -> np.ndarray:
    """Who each of these images shows, (N,)."""
    persons = read_identities(root / IDENTITY_FILE)
    missing = sorted(set(names) - set(persons.index))
    if missing:
        raise DataError(f"{root / IDENTITY_FILE}: no row for image {missing[0]}")
    return persons.loc[names].to_numpy()


def _find_root(root: Path) -> Path:
    if not root.exists():
        raise DataError(f"data_root {root} does not exist. {HELP}")
    for candidate in (root, root / "celeba"):
        if annotation_file(candidate, ATTRIBUTE_FILE).is_file():
            if not annotation_file(candidate, PARTITION_FILE).is_file():
                raise DataError(f"missing {candidate / PARTITION_FILE}. {HELP}")
            return candidate
    raise DataError(
        f"data_root {root} is not CelebA: expected {ATTRIBUTE_FILE}, {PARTITION_FILE} and "
        f"img_align_celeba/ (or .zip) in it. {HELP}"
    )


def _image_source(root: Path) -> Folder | Archive:
    folder, archive = root / "img_align_celeba", root / "img_align_celeba.zip"
    deeper = folder / folder.name
    if deeper.is_dir() or folder.is_dir():
        return Folder(deeper if deeper.is_dir() else folder)
    if archive.is_file():
        return Archive(archive)
    raise DataError(f"missing {folder}/ or {archive.name} beside it. {HELP}")


def _annotation(root: Path, source: Folder | Archive) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Labels and split codes of every annotated image that has a file, by name, and the files."""
    files = [annotation_file(root, name) for name in (ATTRIBUTE_FILE, PARTITION_FILE)]
    attributes, partition = read_attributes(files[0]), read_partition(files[1])
    present = source.names()
    image_of = match(attributes.index, present)
    stray = sorted(present - set(image_of.values()))
    if stray:
        raise DataError(
            f"{source.path / stray[0]} has no row in {files[0]} "
            f"({len(stray):,} such images): annotation and images are not of one set"
        )
    has_file = attributes.index.isin(list(image_of))
    labels = attributes[has_file].sort_index()
    unsplit = labels.index.difference(partition.index)
    if len(unsplit):
        raise DataError(f"{files[1]}: no row for image {unsplit[0]}")
    return labels, partition.loc[labels.index].to_numpy(), [image_of[name] for name in labels.index]
