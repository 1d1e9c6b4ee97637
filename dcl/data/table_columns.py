"""What the columns and cells of a table mean: labels, features, images and splits.

A label column has one kind of value: whole numbers from 0, true and false, yes and no, or words. An
empty cell, or -1, is an unknown label.
"""

import re
from pathlib import PureWindowsPath

import numpy as np

from ..checks import UNKNOWN
from .names import SUFFIXES
from .resident import SPELLINGS, DataError, split_name
from .table_file import Table

PREFIX = "label_"  # of a column of labels; one may be called label alone
PATHS = ("path", "image", "image_path", "image_id", "file", "filename", "file_name", "img")
PAIRS = (("false", "true"), ("no", "yes"))
WORDS = {"number": "whole numbers", PAIRS[0]: "true and false", PAIRS[1]: "yes and no"}
NO_CLASS = {"nan", "na", "n/a", "#n/a", "null", "?", "unknown", "inf", "+inf", "-inf", "infinity"}
UNKNOWN_CELLS = {"", "-1", "-1.0"}
WHOLE = re.compile(r"\+?([0-9]{1,9})(\.0*)?")


class Columns:
    """Which column of a table is what."""

    def __init__(self, table: Table, has_images: bool, labels, ignore):
        for option, names in (("labels", labels), ("ignore", ignore)):
            for name in names:
                if name not in table.columns:
                    raise DataError(
                        f"{table.path}: {option} names {name!r}, but the columns are "
                        f"{', '.join(table.columns)}"
                    )
        left = [name for name in table.columns if name not in ignore]
        self.path = self._one(table, left, PATHS, labels)
        if has_images and self.path is None:
            raise DataError(
                f"{table.path}: no column names the images: call it {', '.join(PATHS[:-1])} or "
                f"{PATHS[-1]}"
            )
        self.split = self._one(table, left, ("split",), labels)
        left = [name for name in left if name not in (self.path, self.split)]
        self.labels = [name for name in left if (name in labels if labels else _says_label(name))]
        rest = [name for name in left if name not in self.labels]
        if not self.labels and self.path is not None:
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
        unused = rest if self.path is not None else []
        self.ignored = [name for name in table.columns if name in ignore or name in unused]

    @staticmethod
    def _one(table: Table, names: list[str], wanted: tuple[str, ...], labels) -> str | None:
        found = [name for name in names if name.lower() in wanted and name not in labels]
        if len(found) > 1:
            raise DataError(
                f"{table.path}: columns {' and '.join(found)} may each be the {wanted[0]}: name "
                f"all but one in `ignore`"
            )
        return found[0] if found else None


def _says_label(column: str) -> bool:
    """Whether a column's name says that it holds labels."""
    return column == PREFIX[:-1] or (column.startswith(PREFIX) and column != PREFIX)


def labels_of(table: Table, column: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes (N,) int64 of a column, -1 where unknown, and the names of the classes.

    Whole numbers are classes themselves, from 0 to the largest; true and yes are 1, false and no
    are 0; words are numbered in alphabetical order.
    """
    cells = table.columns[column]
    first: dict[str, int] = {}  # row of each different value that is known
    for row, cell in enumerate(cells):
        if cell not in UNKNOWN_CELLS:
            first.setdefault(cell, row)
    kinds = {cell: _kind(table, column, row) for cell, row in first.items()}
    allowed = {"word", *PAIRS} if "word" in kinds.values() else set(list(kinds.values())[:1])
    for cell, kind in kinds.items():  # "yes, no, partly" are words all
        if kind not in allowed:
            what = "words" if "word" in allowed else WORDS[next(iter(allowed))]
            raise table.error(
                first[cell], column, f"got {cell!r} among {what}: a column holds values of one kind"
            )
    if "word" in allowed:
        names, code_of = _by_word(table, column, first)
    elif allowed == {"number"}:
        names, code_of = _by_number(table, column, first)
    else:
        names = next(iter(allowed), ())
        code_of = {cell: names.index(cell.lower()) for cell in first}
    if len(set(code_of.values())) < 2:
        problem = f"every label that is known is {next(iter(first))!r}" if first else (
            "every label is unknown"
        )  # fmt: skip
        raise table.error(
            None, column, f"{problem}: two classes at least are needed. Add rows, or ignore it"
        )
    code_of |= dict.fromkeys(UNKNOWN_CELLS, UNKNOWN)
    return np.array([code_of[cell] for cell in cells], np.int64), tuple(names)


def _kind(table: Table, column: str, row: int) -> str | tuple[str, str]:
    """number, word or one of `PAIRS`."""
    cell = table.columns[column][row]
    lower = cell.lower()
    if lower in NO_CLASS:
        raise table.error(
            row, column, f"got {cell!r}: leave the cell empty, or write {UNKNOWN}, for unknown"
        )
    if WHOLE.fullmatch(cell):
        return "number"
    if _is_number(cell):
        raise table.error(
            row, column,
            f"got {cell!r}, expected a class: a whole number from 0, true or false, yes or no, or "
            f"a word; {UNKNOWN} or an empty cell for unknown. Ignore the column if it is no label",
        )  # fmt: skip
    return next((pair for pair in PAIRS if lower in pair), "word")


def _by_word(table: Table, column: str, first: dict[str, int]) -> tuple[list[str], dict[str, int]]:
    spelt: dict[str, str] = {}
    for word, row in first.items():
        other = spelt.setdefault(word.lower(), word)
        if other != word:
            raise table.error(
                row, column, f"got {word!r}, spelt {other!r} in row {table.rows[first[other]]}"
            )
    known = sum(cell not in UNKNOWN_CELLS for cell in table.columns[column])
    if len(first) > max(2, known / 2):
        raise table.error(
            None,
            column,
            f"{len(first):,} words in {known:,} rows are no classes: ignore it",
        )
    names = sorted(first)
    return names, {name: code for code, name in enumerate(names)}


def _by_number(
    table: Table, column: str, first: dict[str, int]
) -> tuple[list[str], dict[str, int]]:
    code_of = {cell: int(WHOLE.fullmatch(cell)[1]) for cell in first}
    found = sorted(set(code_of.values()))
    gap = next((code for code, value in enumerate(found) if code != value), None)
    if gap is not None:
        cell = next(cell for cell, code in code_of.items() if code > gap)
        signs = gap == 0 and UNKNOWN_CELLS - {""} & set(table.columns[column])  # as in CelebA
        hint = f"{UNKNOWN} is unknown here: write 0 for no" if signs else (
            "Ignore the column if it is no label"
        )  # fmt: skip
        raise table.error(
            first[cell], column,
            f"got {cell!r}, but no row has {gap}: classes are whole numbers from 0 without a gap. "
            f"{hint}",
        )  # fmt: skip
    return [str(code) for code in found], code_of


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def features_of(table: Table, column: str) -> np.ndarray:
    """Numbers (N,) float64 of a column, all finite."""
    cells = table.columns[column]
    wrong = [row for row, cell in enumerate(cells) if not _is_number(cell)]
    values = np.array([float(cell) for cell in cells]) if not wrong else np.zeros(0)
    wrong += np.flatnonzero(~np.isfinite(values)).tolist()
    if wrong:
        cell = cells[wrong[0]]
        raise table.error(
            wrong[0], column,
            f"{f'got {cell!r}' if cell else 'is empty'}, expected a finite number. A column of "
            f"labels is called {PREFIX}... or named by `labels`, others are left out by `ignore`",
        )  # fmt: skip
    return values


def splits_of(table: Table, column: str) -> np.ndarray:
    """The split of each row, (N,) of "train", "val" or "test"."""
    found = [split_name(cell) for cell in table.columns[column]]
    if None in found:
        row = found.index(None)
        allowed = ", ".join(word for words in SPELLINGS.values() for word in words)
        cell = table.columns[column][row]
        raise table.error(
            row, column, f"{f'got {cell!r}' if cell else 'is empty'}, expected one of {allowed}"
        )
    return np.array(found)


def images_of(table: Table, column: str, *, folders: bool) -> list[str]:
    """The image of each row: its path below the folder of images, or its name alone."""
    names: list[str] = []
    first: dict[str, int] = {}
    for row, cell in enumerate(table.columns[column]):
        path = PureWindowsPath(cell)  # takes / and \ for separators, and knows drives
        problem = None
        if not path.name:
            problem = "is empty, expected the path of an image"
        elif path.anchor or ".." in path.parts:
            problem = (
                f"got {cell!r}, which leads outside: expected a path below the folder of images"
            )
        elif path.suffix.lower() not in SUFFIXES or "\0" in cell:
            problem = f"got {cell!r}, expected an image file: {', '.join(SUFFIXES)}"
        name = "/".join(path.parts) if folders else path.name
        if problem is None and first.setdefault(name, row) != row:
            problem = f"{name} is the image of row {table.rows[first[name]]} already"
        if problem:
            raise table.error(row, column, problem)
        names.append(name)
    return names
