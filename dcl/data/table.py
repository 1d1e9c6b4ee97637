"""A table as a data set, no code: images or features, labels of any kind, splits.

The columns of a table are
* the path of an image, below the folder of images. It is called path, image, image_path, image_id,
  file, filename, file_name or img. A table without one is of features.
* ``split``, if there is one: train, val or test (training, valid, validation, dev, ... are
  understood). Without it the rows are split at random, every class of every attribute in each part.
* labels: those called ``label`` or ``label_...``, or those named. Where there are none of these and
  the rows are images, every other column is a label. (With features nothing tells a label of 0 and
  1 from a feature of 0 and 1, so that one of the two is needed.)
* features: every other column, numbers.
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
from .table_columns import PREFIX, Columns, features_of, images_of, labels_of, splits_of
from .table_file import Table, read_table

SHARES = (0.7, 0.15, 0.15)  # ours: of train, val and test where the table does not say


def load(
    path: str | Path,
    *,
    images: str | Path | None = None,
    labels: Sequence[str] = (),
    ignore: Sequence[str] = (),
    size: tuple[int, int] = (64, 64),
    mirror: bool = True,
    split_seed: int = 0,
    progress: bool = True,
) -> Dataset:
    """The data set of a table.

    Parameters
    ----------
    path : path
        A .csv (UTF-8, commas), .tsv or .parquet file. Its images are packed beside it.
    images : path, optional
        Folder or .zip file of the images; the table's own folder without it.
    labels : sequence of str
        Columns of labels, where their names do not say so.
    ignore : sequence of str
        Columns to leave out.
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
        ``facts["notes"]``; ``facts["class_names"]`` has the classes of each attribute, and
        ``facts["features"]`` how features were standardised.

    Raises
    ------
    DataError
        For what is wrong with the table or an image: file, row, column and what is allowed.
    """
    if split_seed < 0:
        raise DataError(f"split_seed must be 0 or more, got {split_seed}")
    table = read_table(Path(path))
    chosen = Columns(table, images is not None, labels, ignore)
    classes = {_plain(name, labels): labels_of(table, name) for name in chosen.labels}
    values = np.stack([codes for codes, _ in classes.values()], axis=1)
    class_names = {attribute: names for attribute, (_, names) in classes.items()}
    notes = []
    if chosen.ignored:
        notes.append(f"columns left out: {', '.join(chosen.ignored)}")
    if chosen.path is None:
        raw = np.stack([features_of(table, name) for name in chosen.features], axis=1)  # (N, F)
    else:
        raw = _find_images(table, chosen.path, images, notes)
    parts, how = _split(table, chosen, values, class_names, split_seed)
    notes.insert(0, f"{len(table):,} rows of {table.path.name}, {how}")
    rows = {name: np.flatnonzero(parts == name) for name in SPLITS}
    if chosen.path is None:
        inputs, words, digest, facts = _features(table, chosen.features, raw, rows)
    else:
        inputs, words, digest, facts = _images(table, *raw, rows, size, progress)
    digest.update(json.dumps(class_names).encode())
    for name in SPLITS:
        digest.update(rows[name].tobytes() + values[rows[name]].tobytes())
    sizes = tuple(len(names) for names in class_names.values())
    data = Dataset(
        name=f"table-{re.sub('[^a-z0-9]+', '-', table.path.stem.lower()).strip('-') or 'data'}",
        title=f"{table.path.stem}, {words}",
        attributes=tuple(classes),
        classes=sizes[0] if len(set(sizes)) == 1 else sizes,
        splits={k: Split(images=inputs[k], labels=values[r]) for k, r in rows.items()},
        expected={name: len(found) for name, found in rows.items()},
        fingerprint=digest.hexdigest()[:16],
        augment=flip if mirror and chosen.path is not None else None,
        class_names=next(iter(class_names.values())) if len(class_names) == 1 else (),
        facts={"notes": notes, "class_names": class_names, **facts},
    )
    notes += _unknown(data) + _untested(data, class_names)
    for attribute, label in data.missing_classes():
        raise DataError(
            f"{table.path}: no training row has the class {class_names[attribute][label]!r} of "
            f"{attribute}: move one there, or leave the column `split` out"
        )
    return data


def _plain(column: str, labels: Sequence[str]) -> str:
    """What an attribute is called."""
    return column if labels else column.removeprefix(PREFIX) or column


def _split(table: Table, chosen: Columns, labels, class_names, seed: int):
    """The split of each row (N,), and how it came about."""
    if chosen.split is not None:
        parts = splits_of(table, chosen.split)
        for name in SPLITS:
            if not (parts == name).any():
                raise DataError(
                    f"{table.path}, column {chosen.split!r}: no row is {name}. Give it rows, or "
                    f"ignore the column to have the rows split at random"
                )
        return parts, f"split by the column {chosen.split}"
    try:
        parts = np.array(SPLITS)[stratify(labels, SHARES, seed)]
    except TooRareError as error:
        attribute = list(class_names)[error.attribute]
        raise DataError(
            f"{table.path}: the class {class_names[attribute][error.label]!r} of {attribute} has "
            f"{error.rows} rows, too few for train, val and test: add rows, ignore the column, or "
            f"say in a column `split` where each row belongs"
        ) from None
    shares = ", ".join(f"{100 * share:g} %" for share in SHARES)
    return parts, f"split at random ({shares}) with seed {seed}"


def _unknown(data: Dataset) -> list[str]:
    """Sentences on what is not known."""
    rows = sum(len(split) for split in data.splits.values())
    notes = [
        f"{name}: {count:,} of {rows:,} labels unknown"
        for name, count in data.unknown_labels().items()
    ]
    empty = sum(int((split.labels < 0).all(1).sum()) for split in data.splits.values())
    if empty:
        notes.append(f"{empty:,} rows without a known label, which teach nothing")
    return notes


def _untested(data: Dataset, class_names: dict[str, tuple[str, ...]]) -> list[str]:
    """Sentences on classes that validation or test has no row of, which a column `split` may do."""
    return [
        f"{attribute}: no {split} row is {word!r}, so that its mA there is undefined"
        for split in ("val", "test")
        for attribute, words, found in zip(
            class_names, class_names.values(), data.splits[split].labels.T, strict=True
        )
        for label, word in enumerate(words)
        if not (found == label).any()
    ]


def _find_images(
    table: Table, column: str, images, notes: list[str]
) -> tuple[Folder | Archive, list[str]]:
    """Where the images are, and the name of each row's."""
    where = table.path.parent if images is None else Path(images)
    if where.suffix.lower() == ".zip":
        if not where.is_file():
            raise DataError(f"missing {where}: it is to hold the images of {table.path}")
        source = Archive(where)
        names = images_of(table, column, folders=False)
    else:
        if not where.is_dir():
            raise DataError(f"missing {where}/: it is to hold the images of {table.path}")
        names = images_of(table, column, folders=True)
        source = Folder(where, names if images is None else None)
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
    return source, names


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


def _features(table: Table, columns: list[str], values: np.ndarray, rows):
    """Features of each split, standardised by mean and standard deviation of the training rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = values[rows["train"]].mean(0), values[rows["train"]].std(0)
        std[std == 0] = 1  # the same in all training rows
        scaled = ((values - mean) / std).astype(np.float32)
    wrong = np.argwhere(~np.isfinite(scaled))
    if len(wrong):
        row, column = wrong[0]
        raise table.error(
            int(row), columns[column],
            f"got {table.columns[columns[column]][row]!r}, too far from the training rows' mean "
            f"{mean[column]:.3g} for a feature: scale the column",
        )  # fmt: skip
    inputs = {name: scaled[found] for name, found in rows.items()}
    facts = {"names": list(columns), "mean": mean.tolist(), "std": std.tolist()}
    words = f"{len(table):,} rows of {len(columns)} features"
    return inputs, words, hashlib.sha256(values.tobytes()), {"features": facts}
