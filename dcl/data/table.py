"""A table as a data set, no code: images or features, labels of any kind, splits.

The columns of a table are
* the path of an image, below the folder of images. It is called path, image, image_path, image_id,
  file, filename, file_name or img. A table without one is of features.
* ``split``, if there is one: train, val or test (training, valid, validation, dev, ... are
  understood). Without it the rows are split at random, every class of every attribute in each part.
* labels: those called ``label`` or ``label_...``, or those named. Where there are none of these and
  the rows are images, every other column is a label. (With features nothing tells a label of 0 and
  1 from a feature of 0 and 1, so that one of the two is needed.)
* features: every other column, numbers or texts of a few categories.

A folder with a sub-folder of images for each class is a table with the columns path and label.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .pack import open_pack
from .resident import SPLITS, DataError, Dataset, Split, flip
from .sources import Archive, Folder
from .stratify import TooRareError, stratify
from .table_attributes import attributes_of, unknown_labels, untested_classes, with_positive
from .table_codes import Codes
from .table_columns import Columns, check_groups, groups_of, images_of, leaks, splits_of
from .table_features import IMPUTE, check_features, features_of, standardised
from .table_file import ENDINGS, Table, read_table
from .table_folders import read_folders
from .table_labels import Attribute

SHARES = (0.7, 0.15, 0.15)  # ours: of train, val and test where the table does not say


def load(
    path: str | Path,
    *,
    images: str | Path | None = None,
    labels: Sequence[str] = (),
    ignore: Sequence[str] = (),
    codes: str = "",
    separator: str = "",
    exclusive: Sequence[str] = (),
    positive: str = "",
    group: str = "",
    impute: str = "none",
    size: tuple[int, int] = (64, 64),
    mirror: bool = True,
    split_seed: int = 0,
    progress: bool = True,
) -> Dataset:
    """The data set of a table, or of a folder with a sub-folder for each class.

    Parameters
    ----------
    path : path
        A .csv (UTF-8, commas), .tsv or .parquet file; its images are packed beside it. Or a folder
        whose sub-folders are the classes, below folders train, val and test if these are given.
    images : path, optional
        Folder or .zip file of the images; the table's own folder without it.
    labels : sequence of str
        Columns of labels, where their names do not say so.
    ignore : sequence of str
        Columns to leave out.
    codes : str
        What cells of labels mean: ``"1=yes,-1=no,0=unknown,blank=no"``, of one column
        ``"column:1=yes"``. A meaning is yes, no, unknown or the name of a class.
    separator : str
        What is between the labels in a cell, such as ``"|"``: each becomes a yes-or-no attribute.
        ``"none"``: cells that look like lists are texts.
    exclusive : sequence of str
        Yes-or-no columns of which each row has one yes, which become one label; ``["all"]`` for
        every column of labels.
    positive : str
        The positive class of attributes of two: ``"word"`` or ``"column=word"``, with commas
        between. Of words that are no known pair (no and yes, 0 and 1, ...) it is the one that is
        rarer in training.
    group : str
        Column of patients, lesions or places: rows with the same value are in one split.
    impute : {"none", "median"}
        What empty cells of features become: an error, or the median of the training rows.
    size : (int, int)
        Height and width of the packed images in pixels.
    mirror : bool
        Mirror training images at random: not where left and right mean something.
    split_seed : int
        Of the random split, 0 or more. It is not the seed of the run: all train on the same rows.
    progress : bool
        Show a progress bar while packing.

    Returns
    -------
    Dataset
        Each split in the order of the table. What is unknown or left out is counted in sentences,
        ``facts["notes"]``; ``facts["class_names"]`` has the classes of each attribute,
        ``facts["positive"]`` the positive one of those with two, and ``facts["features"]`` how
        features were standardised.

    Raises
    ------
    DataError
        For what is wrong with the table or an image: file, row, column and what is allowed; and
        for cells whose meaning is not clear, with the option that says it.
    """
    if split_seed < 0:
        raise DataError(f"split_seed must be 0 or more, got {split_seed}")
    if impute not in IMPUTE:
        raise DataError(f"impute must be one of {', '.join(IMPUTE)}, got {impute!r}")
    path, notes = Path(path), []
    if path.is_dir() and path.suffix.lower() not in ENDINGS:
        if images is not None:
            raise DataError(f"{path} holds its images: leave `images` out, got {images}")
        table, notes = read_folders(path)
        where = path
    else:
        table = read_table(path)
        where = path.parent if images is None else Path(images)
    of_folders = table.path.is_dir()
    chosen = Columns(table, of_folders or images is not None, labels, ignore, group)
    if chosen.path is not None:
        names = images_of(table, chosen.path, folders=where.suffix.lower() != ".zip")
    attributes, found_notes = attributes_of(
        table, chosen, labels, Codes(codes, table), separator, exclusive
    )
    notes += found_notes
    check_features(table, chosen.features, impute)
    if chosen.ignored:
        notes.append(f"columns left out: {', '.join(chosen.ignored)}")
    if chosen.path is not None:
        alone = of_folders or images is None
        source = _find_images(table, chosen.path, where, names, alone=alone, notes=notes)
    parts, how = _split(table, chosen, attributes, split_seed)
    notes.insert(0, f"{len(table):,} {'images' if of_folders else 'rows'} of {path.name}, {how}")
    rows = {name: np.flatnonzero(parts == name) for name in SPLITS}
    attributes, told = with_positive(attributes, positive, rows["train"])
    if not group:
        notes += leaks(table, chosen.ignored, parts)
    if chosen.path is None:
        inputs, words, digest, facts, more = _features(table, chosen.features, rows)
        notes += more
    else:
        inputs, words, digest, facts = _images(table, source, names, rows, size, progress)
    values = np.stack([attribute.labels for attribute in attributes], axis=1)
    class_names = {attribute.name: attribute.classes for attribute in attributes}
    digest.update(json.dumps(class_names).encode())
    for name in SPLITS:
        digest.update(rows[name].tobytes() + values[rows[name]].tobytes())
    sizes = tuple(len(names) for names in class_names.values())
    two = {a.name: a.classes[1] for a in attributes if len(a.classes) == 2}
    data = Dataset(
        name=f"table-{re.sub('[^a-z0-9]+', '-', table.name.lower()).strip('-') or 'data'}",
        title=f"{table.name}, {words}",
        attributes=tuple(class_names),
        classes=sizes[0] if len(set(sizes)) == 1 else sizes,
        splits={k: Split(images=inputs[k], labels=values[r]) for k, r in rows.items()},
        expected={name: len(found) for name, found in rows.items()},
        fingerprint=digest.hexdigest()[:16],
        augment=flip if mirror and chosen.path is not None else None,
        class_names=next(iter(class_names.values())) if len(class_names) == 1 else (),
        facts={"notes": notes, "class_names": class_names, "positive": two, **facts},
    )
    notes += told + unknown_labels(data, attributes) + untested_classes(data, class_names)
    for attribute, label in data.missing_classes():
        raise DataError(
            f"{table.path}: no training row has the class {class_names[attribute][label]!r} of "
            f"{attribute}: move one there, or leave the column `split` out"
        )
    return data


def _split(table: Table, chosen: Columns, attributes: list[Attribute], seed: int):
    """The split of each row (N,), and how it came about."""
    if chosen.split is not None:
        parts = splits_of(table, chosen.split)
        for name in SPLITS:
            if not (parts == name).any():
                raise DataError(
                    f"{table.path}, column {chosen.split!r}: no row is {name}. Give it rows, or "
                    f"ignore the column to have the rows split at random"
                )
        if chosen.group:
            check_groups(table, chosen.group, chosen.split, parts)
        return parts, f"split by the column {chosen.split}"
    labels = np.stack([attribute.labels for attribute in attributes], axis=1)
    groups = groups_of(table, chosen.group) if chosen.group else None
    try:
        parts = np.array(SPLITS)[stratify(labels, SHARES, seed, groups)]
    except TooRareError as error:
        attribute = attributes[error.attribute]
        has = f"has {error.rows} rows" if groups is None else (
            f"is in {error.rows} groups of {chosen.group}"
        )  # fmt: skip
        raise DataError(
            f"{table.path}: the class {attribute.classes[error.label]!r} of {attribute.name} "
            f"{has}, too few for train, val and test: add rows, ignore the column, make the label "
            f"unknown or another class by --codes, or say in a column `split` where each row "
            f"belongs"
        ) from None
    shares = ", ".join(f"{100 * share:g} %" for share in SHARES)
    whole = f", each {chosen.group} in one of them," if chosen.group else ""
    return parts, f"split at random ({shares}){whole} with seed {seed}"


def _find_images(
    table: Table, column: str, where: Path, names: list[str], *, alone: bool, notes: list[str]
) -> Folder | Archive:
    """Where the images are; with `alone`, others that lie there are no matter."""
    source: Folder | Archive
    if where.suffix.lower() == ".zip":
        if not where.is_file():
            raise DataError(f"missing {where}: it is to hold the images of {table.path}")
        source = Archive(where)
    else:
        if not where.is_dir():
            raise DataError(f"missing {where}/: it is to hold the images of {table.path}")
        source = Folder(where, names if alone else None)
    present = source.names()
    absent = [row for row, name in enumerate(names) if name not in present]
    if absent:
        raise table.error(
            absent[0], column,
            f"no image {names[absent[0]]} in {where}. {len(absent):,} of {len(names):,} rows have "
            f"none: add them, say by `images` where they are, or take the rows out",
        )  # fmt: skip
    if stray := len(present) - len(names):
        notes.append(f"{stray:,} images in {where.name} have no row")
    at = zip(names, table.rows, strict=True)
    source.places = {name: f" ({table.path.name}, row {row})" for name, row in at}
    return source


def _images(table: Table, source, names: list[str], rows, size, progress: bool):
    """Packed images of each split, words and a digest of them, and facts."""
    ordered = sorted(names)
    pack = open_pack(table.path.parent, source, ordered, size=size, progress=progress)
    number = {name: place for place, name in enumerate(ordered)}
    place = np.array([number[name] for name in names])
    inputs = {name: pack.take(place[found]) for name, found in rows.items()}
    digest = hashlib.sha256(pack.content.encode() + place.tobytes())
    words = f"{len(names):,} images at {pack.resolution}"
    return inputs, words, digest, {"packed_size": list(size)}


def _features(table: Table, columns: list[str], rows: dict[str, np.ndarray]):
    """Features of each split, words and a digest of them, facts, and sentences."""
    values, facts, notes = features_of(table, columns, rows)
    scaled, mean, std = standardised(table, facts["names"], values, rows["train"])
    inputs = {name: scaled[found] for name, found in rows.items()}
    facts |= {"mean": mean.tolist(), "std": std.tolist()}
    words = f"{len(table):,} rows of {values.shape[1]} features"
    return inputs, words, hashlib.sha256(values.tobytes()), {"features": facts}, notes
