"""The columns of labels of a table as attributes, each with its positive class; what they lack."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .resident import SPLITS, DataError, Dataset
from .table_cells import Attribute
from .table_codes import Codes
from .table_columns import ABOUT, DATE, WORDS, Columns, label_name, names_places
from .table_exclusive import ALL, exclusive_columns, merged, one_hot
from .table_file import Table
from .table_labels import attribute_of, positive_words
from .table_lists import TEXT, attributes_in
from .table_words import FEW, MISSING, counted, option, some

LACKING = {  # what becomes of an attribute that lacks a class
    "val": "epochs and thresholds are chosen by the other classes",
    "test": "its mA is undefined, and left out of the mean",
}
SIDES = (
    ("left", "right"), ("links", "rechts"), ("gauche", "droite"), ("gauche", "droit"),
    ("izquierda", "derecha"), ("izquierdo", "derecho"), ("sinistra", "destra"),
)  # fmt: skip
RARE = 10  # rows of a class, in the mean: fewer are asked about


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
    _ask_of_places(table, chosen)
    joined = exclusive_columns(table, chosen, split, exclusive)
    attributes: list[Attribute] = []
    parts: list[Attribute] = []  # of the one attribute of columns that exclude each other
    notes, classes = [], []
    for column in chosen.labels:
        name = column if labels else label_name(column) or column
        if column in split:
            prefix = f"{name} " if len(chosen.labels) > 1 else ""
            several, told = attributes_in(table, column, separator, codes, prefix)
            attributes += several
            notes += told
            continue
        try:
            attribute = attribute_of(table, column, name, codes, lists=bool(separator))
        except DataError as error:
            if not chosen.guessed or len(chosen.labels) == 1:
                raise
            raise DataError(
                f"{error}. If {name} is no label, name the labels by --labels"
            ) from None
        _ask_of_names(table, chosen, attribute)
        (parts if column in joined else attributes).append(attribute)
        if "".join(attribute.classes).isdecimal():
            how = "" if _counted(attribute.classes) else " classes called by their numbers"
        else:
            how = " classes" if len(attribute.classes) > 2 else ""
        if how:
            classes.append(f"{name}: {len(attribute.classes):,}{how}, {some(attribute.classes)}")
    notes += classes[:FEW]
    if len(classes) > FEW:
        more = counted(len(classes) - FEW, "more column", "more columns")
        notes.append(f"and {more} of several classes")
    if chosen.guessed and len(chosen.labels) > 1:
        notes.append(f"labels, for none is named: {some(chosen.labels)}")
    if parts:
        taken = {attribute.name for attribute in attributes}
        attributes.append(merged(table, parts, "label" if "label" not in taken else "class"))
        notes.append(f"{attributes[-1].name}: one label of {len(parts):,} columns, {some(joined)}")
    twice = [name for name, count in Counter(a.name for a in attributes).items() if count > 1]
    if twice:
        raise DataError(f"{table.path}: two attributes are called {twice[0]!r}: rename a column")
    for run in one_hot(attributes):
        columns = [attribute.column for attribute in run]
        if len(set(columns)) == len(run):
            said = [ALL] if len(run) == len(chosen.labels) else columns
            labels_of = np.stack([attribute.labels for attribute in run])  # (run, N)
            none = int(((labels_of >= 0).all(0) & (labels_of < 1).all(0)).sum())
            but, mend = (f" but {none:,}", "mend the others and ") if none else ("", "")
            notes.append(
                f"each row{but} has exactly one yes among {some(columns)}: if they are the classes "
                f"of one label, {mend}say {option('exclusive', *said)}"
            )
    notes += [f"warning: no label is {code!r}, which codes speaks of" for code in codes.unused()]
    return attributes, notes


def _ask_of_names(table: Table, chosen: Columns, attribute: Attribute) -> None:
    """Refuse one of several columns that nobody called labels, if it rather names things."""
    known, count = int((attribute.labels >= 0).sum()), len(attribute.classes)
    if chosen.guessed and len(chosen.labels) > 1 and RARE < count and known < RARE * count:
        raise _no_label(table, attribute.column, count, known)


def _ask_of_places(table: Table, chosen: Columns) -> None:
    """Refuse a column that nobody called a label, if it is called as patients and dates are."""
    if not chosen.guessed or len(chosen.labels) == 1:
        return
    for column in chosen.labels:
        cells = {cell for cell in table.columns[column] if cell.lower() not in MISSING}
        dates = len(cells) > 1 and all(map(DATE.fullmatch, cells))
        if dates or names_places(column) or ABOUT.fullmatch(column):
            raise _no_label(table, column, len(cells), len(table))


def _no_label(table: Table, column: str, values: int, rows: int) -> DataError:
    keep = f"keep rows with one value in one split by {option('group', column)}, "
    group = keep if values >= len(SPLITS) else ""
    return table.error(
        None, column,
        f"has {values:,} different values in {rows:,} rows: are they dates, or names of patients, "
        f"places or files? Leave the column out by {option('ignore', column)}, {group}or, if they "
        f"are classes, name all columns of labels by --labels",
    )  # fmt: skip


def sided(attributes: Sequence[Attribute]) -> list[str]:
    """A sentence on names of attributes or classes that a mirror exchanges, such as left, right."""
    names = [name for attribute in attributes for name in (attribute.name, *attribute.classes)]
    words = {word.lower() for name in names for word in WORDS.findall(name)}
    return [
        f"warning: the labels speak of {one} and {other}, and training images are mirrored at "
        f"random: where that exchanges the two, say --mirror false"
        for one, other in SIDES
        if {one, other} <= words
    ]


def _counted(names: Sequence[str]) -> bool:
    """Whether classes are called 0, 1, 2, ..."""
    return list(names) == [str(number) for number in range(len(names))]


def with_positive(
    attributes: list[Attribute], positive: str, train: np.ndarray
) -> tuple[list[Attribute], list[str]]:
    """The attributes, of two classes the positive one second; and sentences on who chose it."""
    asked = positive_words(positive, attributes)
    ordered, told = [], []
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
        ordered.append(attribute)
    if len(told) > FEW:
        more = counted(len(told) - FEW, "more attribute", "more attributes")
        told[FEW:] = [f"and {more} of two words, the rarer positive"]
    return ordered, told


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
            f"{counted(len(rest), 'more attribute', 'more attributes')}: {unknown:,} of "
            f"{rows * len(rest):,} labels unknown"
        )
    empty = sum(int((split.labels < 0).all(1).sum()) for split in data.splits.values())
    if empty:
        rows_are = counted(
            empty, "row has no known label and teaches", "rows have no known label and teach"
        )
        notes.append(f"{rows_are} nothing")
    return notes


def untested_classes(data: Dataset, class_names: dict[str, tuple[str, ...]]) -> list[str]:
    """Sentences on classes that validation or test has no row of, which a column `split` may do."""
    notes = []
    for split in ("val", "test"):
        for (name, words), labels in zip(
            class_names.items(), data.splits[split].labels.T, strict=True
        ):
            here = set(labels.tolist())
            missing = [word for label, word in enumerate(words) if label not in here]
            if missing:
                notes.append(f"{name}: no {split} row is {some(missing)}: {LACKING[split]}")
    if len(notes) > 2 * FEW:
        rest = counted(len(notes) - 2 * FEW, "more attribute lacks", "more attributes lack")
        notes[2 * FEW :] = [f"and {rest} a class in val or test"]
    return notes
