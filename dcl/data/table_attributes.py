"""The attributes of a table: from its columns of labels, with the positive class of each."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .resident import DataError, Dataset
from .table_codes import FEW, Codes, option, quoted, some
from .table_columns import PREFIX, Columns
from .table_file import Table
from .table_labels import TEXT, Attribute, attribute_of, positive_words
from .table_lists import attributes_in, merged, one_hot

LACKING = {  # what becomes of an attribute that lacks a class
    "val": "epochs and thresholds are chosen by the other classes",
    "test": "its mA is undefined, and left out of the mean",
}
RARE = 10  # rows of a class, in the mean: fewer are asked about
ALL = "all"  # of `exclusive`: every column of labels


def attributes_of(
    table: Table, chosen: Columns, labels: Sequence[str], codes: Codes, separator: str, exclusive
) -> tuple[list[Attribute], list[str]]:
    """The attributes of the columns of labels, and sentences on how they were read."""
    listed = separator not in ("", TEXT)
    split = [
        name for name in chosen.labels
        if listed and any(separator in cell for cell in table.columns[name])
    ]  # fmt: skip
    if listed and not split:
        raise DataError(
            f"{table.path}: no cell of the columns of labels, {some(chosen.labels)}, has the "
            f"separator {separator!r}: leave it out"
        )
    joined = _exclusive(table, chosen, split, exclusive)
    found, parts, notes = [], [], []
    for column in chosen.labels:
        name = column if labels else column.removeprefix(PREFIX) or column
        if column in split:
            prefix = f"{name} " if len(chosen.labels) > 1 else ""
            attributes, told = attributes_in(table, column, separator, codes, prefix)
            found += attributes
            notes += told
            continue
        attribute = attribute_of(table, column, name, codes, lists=bool(separator))
        _ask_of_names(table, chosen, attribute)
        (parts if column in joined else found).append(attribute)
        if "".join(attribute.classes).isdecimal() and not _counted(attribute.classes):
            notes.append(
                f"{name}: {len(attribute.classes):,} classes called by their numbers, "
                f"{some(attribute.classes)}"
            )
    if parts:
        taken = {attribute.name for attribute in found}
        found.append(merged(table, parts, "label" if "label" not in taken else "class"))
        notes.append(f"{found[-1].name}: one label of {len(parts):,} columns, {some(joined)}")
    twice = [name for name, count in Counter(a.name for a in found).items() if count > 1]
    if twice:
        raise DataError(f"{table.path}: two attributes are called {twice[0]!r}: rename a column")
    for run in one_hot(found):
        columns = [attribute.column for attribute in run]
        if len(set(columns)) == len(run):
            said = [ALL] if len(run) == len(chosen.labels) else columns
            notes.append(
                f"each row has exactly one yes among {some(columns)}: if they are the classes of "
                f"one label, say {option('exclusive', *said)}"
            )
    for code in codes.unused():
        if ":" in code and not any(code.startswith(f"{name}:") for name in table.columns):
            raise DataError(
                f"{table.path}: codes has {code!r}, which is neither a cell nor of one of the "
                f"columns {', '.join(map(quoted, table.columns))}"
            )
        notes.append(f"warning: no label is {code!r}, which codes speaks of")
    return found, notes


def _ask_of_names(table: Table, chosen: Columns, attribute: Attribute) -> None:
    """Refuse one of several columns that nobody called labels, if it rather names things."""
    known, count = int((attribute.labels >= 0).sum()), len(attribute.classes)
    if chosen.guessed and len(chosen.labels) > 1 and RARE < count and known < RARE * count:
        raise table.error(
            None, attribute.column,
            f"has {count:,} different values in {known:,} rows: are they names of patients, places "
            f"or files? Leave the column out by {option('ignore', attribute.column)}, keep rows "
            f"with one value in one split by {option('group', attribute.column)}, or, if they are "
            f"classes, name all columns of labels by --labels",
        )  # fmt: skip


def _counted(names: Sequence[str]) -> bool:
    """Whether classes are called 0, 1, 2, ..."""
    return list(names) == [str(number) for number in range(len(names))]


def _exclusive(table: Table, chosen: Columns, split: list[str], exclusive) -> list[str]:
    """The columns that become one label."""
    columns = chosen.labels if list(exclusive) == [ALL] else list(exclusive)
    wrong = [name for name in columns if name not in chosen.labels or name in split]
    if wrong or len(columns) == 1:
        raise DataError(
            f"{table.path}: exclusive names {some(wrong or columns)}, expected two columns of "
            f"labels or more, or {ALL}: {some(chosen.labels)}"
        )
    return columns


def with_positive(
    attributes: list[Attribute], positive: str, train: np.ndarray
) -> tuple[list[Attribute], list[str]]:
    """The attributes, of two classes the positive one second; and sentences on who chose it."""
    asked = positive_words(positive, attributes)
    found, told = [], []
    for attribute in attributes:
        if len(attribute.classes) == 2:
            labels = attribute.labels[train]
            counts = [int((labels == label).sum()) for label in (0, 1)]
            word = asked.get(attribute.name)
            if word is None and not attribute.pair:
                word = attribute.classes[int(counts[1] <= counts[0])]
                how = "rarer" if counts[0] != counts[1] else "as frequent as the other"
                told.append(
                    f"{attribute.name}: F1, precision, recall and AP are of {word!r}, {how} in "
                    f"training ({min(counts):,} of {sum(counts):,} rows); for the other say "
                    + option("positive", f"{attribute.name}={_other(attribute, word)}")
                )
            if word == attribute.classes[0]:
                attribute = attribute.turned()
        found.append(attribute)
    if len(told) > FEW:
        told[FEW:] = [f"and {len(told) - FEW} more attributes of two words, the rarer positive"]
    return found, told


def _other(attribute: Attribute, word: str) -> str:
    return next(name for name in attribute.classes if name != word)


def unknown_labels(data: Dataset, attributes: list[Attribute]) -> list[str]:
    """Sentences on what is not known: the first few attributes, those with most."""
    rows = sum(len(split) for split in data.splits.values())
    by_name = {attribute.name: attribute for attribute in attributes}
    counts = data.unknown_labels()
    order = sorted(counts, key=lambda name: -counts[name]) if len(counts) > FEW else list(counts)
    notes = []
    for name in order[:FEW]:
        cells = by_name[name].unknown
        told = ", ".join(
            f"{count:,} {repr(cell) if cell else 'empty'}" for cell, count in cells.most_common(FEW)
        )
        notes.append(f"{name}: {counts[name]:,} of {rows:,} labels unknown ({told})")
    if len(order) > FEW:
        rest = order[FEW:]
        unknown = sum(counts[name] for name in rest)
        notes.append(
            f"{len(rest):,} more attributes: {unknown:,} of {rows * len(rest):,} labels unknown"
        )
    empty = sum(int((split.labels < 0).all(1).sum()) for split in data.splits.values())
    if empty:
        notes.append(f"{empty:,} rows without a known label, which teach nothing")
    return notes


def untested_classes(data: Dataset, class_names: dict[str, tuple[str, ...]]) -> list[str]:
    """Sentences on classes that validation or test has no row of, which a column `split` may do."""
    notes = []
    for split in ("val", "test"):
        for (name, words), found in zip(
            class_names.items(), data.splits[split].labels.T, strict=True
        ):
            here = set(found.tolist())
            missing = [word for label, word in enumerate(words) if label not in here]
            if missing:
                notes.append(f"{name}: no {split} row is {some(missing)}: {LACKING[split]}")
    if len(notes) > 2 * FEW:
        notes[2 * FEW :] = [f"and {len(notes) - 2 * FEW:,} more attributes lack a class there"]
    return notes
