"""Which column of a table is what: labels, images, features, the split and groups.

The columns of labels become attributes here, each with its positive class.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .names import SUFFIXES
from .resident import SPLITS, DataError, Dataset, split_name
from .table_file import (
    FEW,
    MISSING,
    NAMELESS,
    Codes,
    Table,
    counted,
    option,
    quoted,
    some,
)
from .table_labels import (
    TEXT,
    Attribute,
    attribute_of,
    attributes_in,
    merged,
    one_hot,
    positive_words,
)

PREFIX = "label_"  # of a column of labels; one may be called label alone
PATHS = ("path", "image", "image_path", "image_id", "file", "filename", "file_name", "img")
MORE_PATHS = {"imageid", "imagename", "imageindex", "imagefile", "imagepath", "imagefilename",
              "filepath", "imgid", "imgname", "imgpath"}  # without _, - and spaces  # fmt: skip
NO_NAME = re.compile(rf"{NAMELESS}: \d+|__index_level_\d+__")
SPLIT_NAMES = (  # columns that say in another way than by words to which split a row belongs
    *("is_train", "is_valid", "is_val", "is_test", "partition", "eval_partition", "data_split"),
    *("dataset_split", "splits", "fold", "folds", "kfold", "cv_fold"),
)
WORDS = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")  # in PublicTest, val_2017
ID = re.compile(  # a column's name: patient_id, imageId, patient, record_number
    r"(?:^|[ _.-])[iI][dD]$|[a-z]I[dD]$|^(?i:(?:uu|gu|u)id|mrn|index|idx|row|(?:patient|subject|"
    r"person|customer|user|client|account|record|sample|case|lesion|study|image|row)"
    r"(?:[ _.-]?(?:no|nr|num|number|index|idx|key|code))?)$"
)
PLACE = re.compile(  # a column's name: where an image was made, and who looked at it
    r"(?i:camera|site|hospital|cent(?:er|re)|clinic|scanner|device|place|location|annotator|rater|"
    r"grader|reader|video|sequence|track|source)"
)
ABOUT = re.compile(  # a column's name: what else a table may say of an image
    r"(?i:notes?|comments?|remarks?|date|time|timestamp|year|frame|url)"
)
DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?([ T].*)?|\d\d?[-/.]\d\d?[-/.]\d{2,4}([ T].*)?")


class Columns:
    """Which column of a table is what."""

    def __init__(self, table: Table, has_images: bool, labels, ignore, group: str = ""):
        named = (("labels", labels), ("ignore", ignore), ("group", [group] if group else []))
        for name_of, names in named:
            for name in names:
                if name not in table.columns:
                    raise DataError(_absent(table, name_of, name))
        if group and group in labels:
            raise DataError(
                f"{table.path}: group names {group!r}, which `labels` names as well: it is of one"
            )
        left = [name for name in table.columns if name not in ignore and name != group]
        self.group = group
        self.path = self._one(table, left, PATHS, labels)
        if self.path is None:
            more = [name.lower() for name in left if _names_images(table, name, has_images)]
            self.path = self._one(table, left, tuple(more), labels)
        if has_images and self.path is None:
            raise DataError(
                f"{table.path}: no column names the images: call it {', '.join(PATHS[:-1])} or "
                f"{PATHS[-1]}. Its columns are {', '.join(table.columns)}"
            )
        self.split = self._one(table, left, ("split",), labels)
        left = [name for name in left if name not in (self.path, self.split)]
        if self.split is None:
            asked = [name for name in left if name not in labels and not _says_label(name)]
            _ask_of_splits(table, asked)
        self.labels = [name for name in left if (name in labels if labels else _says_label(name))]
        rest = [name for name in left if name not in self.labels]
        self.guessed = not self.labels and self.path is not None  # every other column is a label
        if self.guessed:
            self.labels, rest = rest, []
        if not self.labels:
            raise DataError(
                f"{table.path}: no column of labels: call them {PREFIX}..., or name them by "
                f"`labels`. Its columns are {', '.join(table.columns)}"
            )
        self.features = rest if self.path is None else []
        if self.path is None and not rest:
            raise DataError(
                f"{table.path}: no column of features and none of images ({', '.join(PATHS)})"
            )
        for name in [*self.labels, *self.features]:
            if NO_NAME.fullmatch(name):
                raise table.error(
                    None, name,
                    f"has no name, as an index that was written with the table: leave it out by "
                    f"{option('ignore', name)}, or give it a name",
                )  # fmt: skip
        unused = rest if self.path is not None else []
        self.ignored = [name for name in table.columns if name in ignore or name in unused]

    @staticmethod
    def _one(table: Table, names: list[str], wanted: tuple[str, ...], labels) -> str | None:
        fitting = [name for name in names if name.lower() in wanted and name not in labels]
        if len(fitting) > 1:
            raise DataError(
                f"{table.path}: columns {' and '.join(fitting)} may each be the {wanted[0]}: name "
                f"all but one in `ignore`"
            )
        return fitting[0] if fitting else None


def _absent(table: Table, name_of: str, name: str) -> str:
    """What an error says of a column that is none: with quotes, if a comma is in it."""
    near = [column for column in table.columns if "," in column and name in column.split(",")[0]]
    hint = f". A name with a comma needs quotes: {option(name_of, near[0])}" if near else ""
    return (
        f"{table.path}: {name_of} names {name!r}, but the columns are "
        f"{', '.join(map(quoted, table.columns))}{hint}"
    )


def _names_images(table: Table, column: str, has_images: bool) -> bool:
    """Whether a column of a less usual name is that of the images."""
    called = re.sub("[ _-]", "", column.lower()) in MORE_PATHS
    return called and (has_images or table.columns[column][0].lower().endswith(SUFFIXES))


def _ask_of_splits(table: Table, columns: list[str]) -> None:
    """Refuse a column that names splits, if none is called split and nobody says what it is."""
    for name in columns:
        cells = set(table.columns[name])
        words = {split_name(cell) for cell in cells}
        said = None not in words and len(words) > 1
        like = all(map(_splits_in, cells))
        like = like and {"train"} < set().union(*map(_splits_in, cells))
        if said or like or name.lower() in SPLIT_NAMES:
            what = "says" if said else "seems to say"
            raise table.error(
                None, name,
                f"{what} to which split a row belongs: call the column split, with train, val or "
                f"test in each row, or leave it out by {option('ignore', name)}, and the rows are "
                f"split at random",
            )  # fmt: skip


def _splits_in(cell: str) -> set[str]:
    """The splits that words in a cell name, such as test in PublicTest."""
    return {name for word in WORDS.findall(cell) if (name := split_name(word))}


def line_breaks(table: Table, chosen: Columns) -> list[str]:
    """Refuse line breaks inside cells that are used: a quotation mark may have swallowed rows.

    A sentence on those that are left out, as a report may be, if a row may be among their lines.
    """
    used = [chosen.path, chosen.split, chosen.group, *chosen.labels, *chosen.features]
    for name in filter(None, used):
        for row, cell in enumerate(table.columns[name]):
            if "\n" in cell or "\r" in cell:
                raise table.error(
                    row, name,
                    f"has a line break in it, {cell[:60]!r}: is a quotation mark missing, or one "
                    f"too many? Double those inside a cell, or leave the column out by "
                    f"{option('ignore', name)}",
                )  # fmt: skip
    notes = []
    place = list(table.columns).index(chosen.path) if chosen.path else 0

    def like_a_row(line: str) -> bool:
        cells = line.split(table.separator)
        image = chosen.path is None or cells[min(place, len(cells) - 1)].lower().endswith(SUFFIXES)
        return len(cells) == len(table.columns) and image

    for name in chosen.ignored:
        cells = zip(table.rows, table.columns[name], strict=True)
        lines = ((row, line) for row, cell in cells for line in cell.splitlines()[1:])
        like = next((row for row, line in lines if like_a_row(line)), None)
        if like is not None:
            notes.append(
                f"warning: {name} has a cell of several lines, which look like rows of the table, "
                f"in row {like}: if a quotation mark is missing there, rows are lost"
            )
    return notes


def _says_label(column: str) -> bool:
    """Whether a column's name says that it holds labels."""
    return column == PREFIX[:-1] or (column.startswith(PREFIX) and column != PREFIX)


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
    _ask_of_places(table, chosen)
    joined = _exclusive(table, chosen, split, exclusive)
    attributes, parts, notes, classes = [], [], [], []
    for column in chosen.labels:
        name = column if labels else column.removeprefix(PREFIX) or column
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
    return attributes, notes


def _ask_of_names(table: Table, chosen: Columns, attribute: Attribute) -> None:
    """Refuse one of several columns that nobody called labels, if it rather names things."""
    known, count = int((attribute.labels >= 0).sum()), len(attribute.classes)
    if chosen.guessed and len(chosen.labels) > 1 and RARE < count and known < RARE * count:
        raise _no_label(table, attribute.column, count, known)


def names_places(column: str) -> bool:
    """Whether a column's name is that of patients, places or the like."""
    return bool(ID.search(column) or PLACE.fullmatch(column))


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
