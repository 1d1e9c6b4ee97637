"""A table as a data set, no code: images or features, labels of any kind, splits.

The columns of a table are
* the path of an image, below the folder of images. It is called path, image, image_path, image_id,
  file, filename, file_name or img. Case, Unicode form and a missing suffix do not matter if exactly
  one file fits. A table without such a column is of features.
* ``split``, optional: train, val or test (training, valid, validation, dev, ... are
  understood). Without it the rows are split at random, every class of every attribute in each part.
* labels: those called ``label`` or ``label_...``, in small letters or capitals, or those you name.
  Without either, every other column of a table of images is a label. (A table of features needs one
  of the two, because a label of 0 and 1 looks like a feature of 0 and 1.)
* features: every other column, numbers or texts of a few categories.

A folder with a sub-folder of images for each class is a table with the columns path and label.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .images import BACKGROUND
from .resident import SPLITS, DataError, Dataset, Split, flip
from .table_attributes import (
    attributes_of,
    sided,
    unknown_labels,
    untested_classes,
    with_positive,
)
from .table_codes import Codes
from .table_columns import Columns, line_breaks, told_splits
from .table_features import IMPUTE, Read, features_of, giveaways, read_features, standardised
from .table_file import ENDINGS, Table, read_folders, read_table
from .table_images import (
    Images,
    at_rows,
    find_images,
    images_of,
    pack_images,
    told_copies,
    told_series,
)
from .table_splits import leaks, names_as_features, split_rows
from .table_words import counted, nfc

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
    background: tuple[int, int, int] = BACKGROUND,
    skip_broken: bool = False,
    mirror: bool = True,
    split_seed: int = 0,
    progress: bool = True,
) -> Dataset:
    """The data set of a table, or of a folder with a sub-folder for each class.

    Parameters
    ----------
    path : path
        A .csv, .tsv (UTF-8, with commas, semicolons or tabs between) or .parquet file; its images
        are packed beside it. Or a folder whose sub-folders are the classes, below folders train,
        val and test if these are given.
    images : path, optional
        Folder or .zip file of the images; the table's folder without it.
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
    background : (int, int, int)
        Red, green and blue behind transparent pixels, 0 to 255.
    skip_broken : bool
        Leave out rows whose image cannot be decoded, and count them, instead of an error that names
        all of them.
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
    labels, ignore, exclusive = (list(map(nfc, names)) for names in (labels, ignore, exclusive))
    group, path = nfc(group), Path(path)
    notes: list[str] = []
    if path.is_dir() and path.suffix.lower() not in ENDINGS:
        if images is not None:
            raise DataError(f"{path} holds its images: leave `images` out, got {images}")
        table, notes = read_folders(path)
        where = path
    else:
        table = read_table(path, ignore)
        where = path.parent if images is None else Path(images)
    of_folders = table.path.is_dir()
    chosen = Columns(table, of_folders or images is not None, labels, ignore, group)
    notes += line_breaks(table, chosen) + told_splits(table, chosen)
    table = table.composed(but=chosen.path)
    if chosen.path is not None:
        names = images_of(table, chosen.path, where)
    attributes, told = attributes_of(
        table, chosen, labels, Codes(codes, table, chosen.labels), separator, exclusive
    )
    notes += told
    read = read_features(table, chosen.features, impute)
    if chosen.ignored:
        notes.append(f"columns left out: {', '.join(chosen.ignored)}")
    packed = None
    if chosen.path is not None:
        alone = of_folders or images is None
        source, names = find_images(table, chosen.path, where, names, alone=alone, notes=notes)
        packed = pack_images(
            table, source, names, size=size, background=background, skip_broken=skip_broken,
            progress=progress, notes=notes,
        )  # fmt: skip
        table = at_rows(table, packed.kept)
        attributes = [replace(a, labels=a.labels[packed.kept]) for a in attributes]
    parts, how = split_rows(table, chosen, attributes, SHARES, split_seed, packed)
    if packed is not None:
        notes += told_copies(packed, attributes, parts, drawn=chosen.split is None)
    notes.insert(0, f"{len(table):,} {'images' if of_folders else 'rows'} of {path.name}, {how}")
    rows = {name: np.flatnonzero(parts == name) for name in SPLITS}
    attributes, told = with_positive(attributes, positive, rows["train"])
    if not group:
        notes += leaks(table, chosen.ignored, parts)
        notes += told_series(packed, attributes, parts) if packed is not None else []
    if packed is None:
        notes += names_as_features(table, chosen.features, parts, group)
        notes += giveaways(read, table, attributes)
        inputs, words, digest, facts, more = _features(table, read, rows, impute)
        notes += more
    else:
        inputs, words, digest, facts = _images(packed, rows, size)
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
        expected={name: len(part) for name, part in rows.items()},
        fingerprint=digest.hexdigest()[:16],
        augment=flip if mirror and chosen.path is not None else None,
        class_names=next(iter(class_names.values())) if len(class_names) == 1 else (),
        facts={"notes": notes, "class_names": class_names, "positive": two, **facts},
    )
    notes += sided(attributes) if data.augment is not None else []
    notes += told + unknown_labels(data, attributes) + untested_classes(data, class_names)
    for attribute, label in data.missing_classes():
        raise DataError(
            f"{table.path}: no training row has the class {class_names[attribute][label]!r} of "
            f"{attribute}: move one to train, or leave the column `split` out"
        )
    return data


def _images(images: Images, rows: dict[str, np.ndarray], size: tuple[int, int]):
    """Packed images of each split, words and a digest of them, and facts."""
    pack, place = images.pack, images.place
    inputs = {name: pack.take(place[part]) for name, part in rows.items()}
    digest = hashlib.sha256(pack.content.encode() + place.tobytes())
    words = f"{len(place):,} images at {pack.resolution}"
    return inputs, words, digest, {"packed_size": list(size), "decoding": pack.decoding}


def _features(table: Table, read: Read, rows: dict[str, np.ndarray], impute: str):
    """Features of each split, words and a digest of them, facts, and sentences."""
    values, facts, notes = features_of(table, read, rows, impute)
    scaled, mean, std = standardised(table, facts["names"], values, rows["train"])
    inputs = {name: scaled[part] for name, part in rows.items()}
    trained = values[rows["train"]]
    facts |= {"mean": mean.tolist(), "std": std.tolist()}
    facts |= {"low": trained.min(0).tolist(), "high": trained.max(0).tolist()}
    known = {row.tobytes() for row in trained}
    again = sum(row.tobytes() in known for name in SPLITS[1:] for row in values[rows[name]])
    if again:
        notes.append(
            f"warning: {counted(again, 'row of val and test has', 'rows of val and test have')} "
            f"the features of a row of train, number for number: if that is a copy, the test "
            f"measures what the training has seen"
        )
    words = f"{len(table):,} rows of {values.shape[1]} features"
    return inputs, words, hashlib.sha256(values.tobytes()), {"features": facts}, notes
