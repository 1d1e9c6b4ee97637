"""Which column of a table is what: labels, images, features, the split and groups."""

import re

from .names import SUFFIXES
from .resident import DataError, split_name
from .table_file import NAMELESS, Table
from .table_words import MISSING, option, quoted, some

PREFIX = "label_"  # of a column of labels; one may be called label alone
PATHS = ("path", "image", "image_path", "image_id", "file", "filename", "file_name", "img")
MORE_PATHS = {"imageid", "imagename", "imageindex", "imagefile", "imagepath", "imagefilename",
              "filepath", "imgid", "imgname", "imgpath"}  # letters and digits alone  # fmt: skip
NEAR_LABEL = re.compile(r"label_|labels?([ .-]?\d+|[ .-]\w+)?|labels_\w+")  # no names of features
NO_NAME = re.compile(rf"{NAMELESS}: \d+(\.\d+)*|__index_level_\d+__")
SPLIT_NAMES = {  # columns that say in another way than by words to which split a row belongs
    *("istrain", "istraining", "isvalid", "isvalidation", "isval", "istest", "intrain"),
    *("traintest", "trainvaltest", "partition", "evalpartition", "datasplit", "datasetsplit"),
    *("splits", "fold", "folds", "kfold", "cvfold"),
}  # letters and digits alone
STRAY = 2  # words that are no splits, in a column of those that are
WORDS = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")  # in PublicTest, val_2017
CALLED = r"(?:[ _.-]?(?:no|nr|num|number|index|idx|key|code|name))?"
ID = re.compile(  # a column's name: patient_id, imageId, patient, record_number
    r"(?:^|[ _.-])[iI][dD]$|[a-z]I[dD]$|^(?i:(?:uu|gu|u)id|mrn|index|idx|row|(?:patient|subject|"
    rf"person|customer|user|client|account|record|sample|case|lesion|study|image|row){CALLED})$"
)
PLACE = re.compile(  # a column's name: where a row comes from, and who looked at it
    r"(?i:(?:camera|site|hospital|cent(?:er|re)|clinic|scanner|device|place|location|annotator|"
    rf"rater|grader|reader|video|sequence|track|source){CALLED})"
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
                f"{PATHS[-1]}{_like_images(table)}. Its columns are {', '.join(table.columns)}"
            )
        self.split = self._one(table, left, ("split",), labels)
        left = [name for name in left if name not in (self.path, self.split)]
        if self.split is None:
            asked = [name for name in left if name not in labels and not _says_label(name)]
            _ask_of_splits(table, asked)
        flags = [name for name in left if name not in labels and _like_a_split(table, name)]
        self.like_splits = flags if self.split is None else []
        self.labels = [name for name in left if (name in labels if labels else _says_label(name))]
        rest = [name for name in left if name not in self.labels]
        self.guessed = (
            not (self.labels or labels) and self.path is not None
        )  # all others are labels
        if self.guessed:
            self.labels, rest = rest, []
        if not self.labels:
            raise DataError(_no_labels(table, labels, named[1:]))
        self.features = rest if self.path is None else []
        if self.path is None and not rest:
            raise DataError(
                f"{table.path}: no column of features and none of images ({', '.join(PATHS)})"
                f"{_like_images(table)}"
            )
        if not labels:
            _ask_of_near_labels(table, self.labels, self.features)
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


def _no_labels(table: Table, labels, named) -> str:
    """What an error says of a table without a label: of `named` options one may have taken it."""
    taken = [
        f"{name} is taken by {option(name_of, name)}"
        for name_of, names in named
        for name in names
        if name in labels or _says_label(name)
    ]
    what = f" is left, {', '.join(taken)}: name others by `labels`, or leave that option out"
    call = f": call them {PREFIX}..., or name them by `labels`"
    columns = f"Its columns are {', '.join(table.columns)}"
    return f"{table.path}: no column of labels{what if taken else call}. {columns}"


def holds_images(table: Table, column: str) -> bool:
    """Whether every cell of a column ends as the name of an image does."""
    return all(cell.lower().endswith(SUFFIXES) for cell in table.columns[column])


def _like_images(table: Table) -> str:
    """Which columns hold names of images, if any do."""
    others = (name for name in table.columns if name.lower() not in PATHS)
    names = [name for name in others if holds_images(table, name)]
    return f"; cells of {some(names)} end as images do: rename it to {PATHS[0]}" if names else ""


def _names_images(table: Table, column: str, has_images: bool) -> bool:
    """Whether a column of a less usual name is that of the images."""
    called = _bare(column) in MORE_PATHS
    return called and (has_images or table.columns[column][0].lower().endswith(SUFFIXES))


def _ask_of_splits(table: Table, columns: list[str]) -> None:
    """Refuse a column that names splits, if none is called split and nobody says what it is."""
    for name in columns:
        cells = set(table.columns[name])
        words = {split_name(cell) for cell in cells}
        said = None not in words and len(words) > 1
        like = all(map(splits_in, cells))
        like = like and {"train"} < set().union(*map(splits_in, cells))
        stray = sum(split_name(cell) is None for cell in cells)
        like |= {"train"} < words - {None} and stray <= STRAY
        if said or like or names_splits(name):
            what = "says" if said else "seems to say"
            raise table.error(
                None, name,
                f"{what} to which split a row belongs: call the column split, with train, val or "
                f"test in each row, or leave it out by {option('ignore', name)}, and the rows are "
                f"split at random",
            )  # fmt: skip


def _ask_of_near_labels(table: Table, labels: list[str], features: list[str]) -> None:
    """Refuse a feature that is called nearly as labels are, where nobody names these."""
    for name in features:
        if NEAR_LABEL.fullmatch(name.lower()):
            raise table.error(
                None, name,
                f"is called nearly as labels are: say by {option('labels', *labels, name)} that it "
                f"is one, by {option('labels', *labels)} that it is a feature, or leave it out by "
                f"{option('ignore', name)}",
            )  # fmt: skip


def _bare(column: str) -> str:
    """A column's name in lower case, letters and digits alone."""
    return re.sub(r"[\W_]", "", column.lower())


def names_splits(column: str) -> bool:
    """Whether a column's name is of `SPLIT_NAMES`, in any spelling."""
    return _bare(column) in SPLIT_NAMES


def _like_a_split(table: Table, column: str) -> bool:
    """Whether a column is called as a split is and has two values, as flags have."""
    values = {cell for cell in table.columns[column] if cell.lower() not in MISSING}
    return split_name(column) is not None and len(values) == 2


def told_splits(table: Table, chosen: Columns) -> list[str]:
    """Sentences on columns that may say to which split a row belongs, and are no split."""
    return [
        f"warning: {name} is called as a split is, and has two values, "
        f"{some(sorted(set(table.columns[name]) - {''}))}. "
        f"If it says to which split a row belongs, call it split, with train, val or test in each "
        f"row; {option('ignore', name)} leaves it out"
        for name in chosen.like_splits
    ]


def names_places(column: str) -> bool:
    """Whether a column's name is that of patients, places or the like."""
    return bool(ID.search(column) or PLACE.fullmatch(column))


def splits_in(cell: str) -> set[str]:
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
    name = column.lower()
    return name == PREFIX[:-1] or (name.startswith(PREFIX) and name != PREFIX)


def label_name(column: str) -> str:
    """What a column of labels calls its label: its name without `PREFIX`."""
    return column[len(PREFIX) :] if column.lower().startswith(PREFIX) else column
