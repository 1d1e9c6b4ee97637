"""Reads a table, its cells as texts; errors name file and row.

A table is a CSV, tab-separated or Parquet file, or a folder of images with a sub-folder for each
class.
"""

import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from .resident import DataError, split_name
from .sources import Folder
from .table_words import COMMA, MISSING, counted, is_number, nfc, option, some

SEPARATORS = {".csv": ",", ".tsv": "\t"}
MARKS = (",", ";", "\t")  # that may be between cells
PARQUET = (".parquet", ".pq")
ENDINGS = (*SEPARATORS, *PARQUET)
LISTS = (
    ". Of lists of labels make texts in pandas, frame[{name!r}] = frame[{name!r}].str.join('|'), "
    'and say --separator "|"'
)
HOW = (
    "A data set is a .csv, .tsv or .parquet table, or a folder whose sub-folders are the classes, "
    "each with its images, below folders train, val and test if the split is given"
)
MARKED = {  # numbers by what a mark in them is to become
    (",", "."): COMMA, (",", ""): re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+"),
    (".", ""): re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+"),
}  # fmt: skip
BOM = "\ufeff"  # the mark with which a file in UTF-8 may begin
SAVE = "Save it as CSV in UTF-8"
NAMELESS = "Unnamed"  # as pandas calls a column without a name: "Unnamed: 0"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts.

    Rows are numbered as a spreadsheet shows them: the column names are row 1. (In Parquet, which
    has no row of names, the first row is 1.)
    """

    path: Path
    columns: dict[str, list[str]]  # by name; cells without spaces around, "" where empty
    rows: list[int]  # the number of each row
    folders: bool = False  # of a folder's images: a label is the name of a folder, as it is
    separator: str = ","  # between the cells of its file

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """The file's name without its ending, or the folder's."""
        return self.path.stem if self.path.suffix.lower() in ENDINGS else self.path.name

    def in_pandas(self, *options: str) -> str:
        """How pandas reads its file; `options` are those of a text file."""
        if self.path.suffix.lower() in PARQUET:
            return f"pandas.read_parquet({str(self.path)!r})"
        separator = [f"sep={self.separator!r}"] if self.separator != "," else []
        return f"pandas.read_csv({', '.join([repr(str(self.path)), *separator, *options])})"

    def beside(self, what: str) -> str:
        """The name of a mended copy, beside its file."""
        return repr(str(self.path.with_name(f"{self.name}-{what}.csv")))

    def with_points(self, column: str, mark: str = ",") -> str:
        """The line that mends numbers with this mark; nothing for other cells.

        Decimal commas are mended in all columns of numbers that have them.
        """
        ways = _marked(self.columns[column], mark)
        if not ways:
            return ""
        how, either = "Write points for commas", ""
        if ways[0][1] == "":
            how = f"Take out the {'commas' if mark == ',' else 'points'}"
        elif ways[1:]:
            either = " (with '' for '.', if the commas part thousands)"
        if self.path.suffix.lower() in PARQUET:
            return f"{how}. "
        others = (name for name in self.columns if mark == "," and name != column)
        alike = [column, *(name for name in others if self._is_marked(name, ways[0]))]
        read = self.in_pandas("dtype=str", "keep_default_na=False")
        return (
            f"{how}, in Python: import pandas; f = {read}; c = {alike}; "
            f"f[c] = f[c].replace({f'[{mark}]'!r}, {ways[0][1]!r}, regex=True); "
            f"f.to_csv({self.beside('points')}, index=False){either}. "
        )

    def _is_marked(self, column: str, way: tuple[str, str]) -> bool:
        """Whether a column has numbers with a mark, and nothing but numbers."""
        cells = self.columns[column]
        others = (cell for cell in cells if way[0] not in cell and cell.lower() not in MISSING)
        return way in _marked(cells, way[0]) and all(map(is_number, others))

    def composed(self, but: str | None) -> "Table":
        """The table with every text in one Unicode form (NFC), except in the column `but`."""
        columns = {
            name: cells if name == but else [nfc(cell) for cell in cells]
            for name, cells in self.columns.items()
        }
        return replace(self, columns=columns)

    def error(self, row: int | None, column: str, problem: str) -> DataError:
        """An error at a place; `row` counts from 0."""
        place = "" if row is None else f", row {self.rows[row]}"
        return DataError(f"{self.path}{place}, column {column!r}: {problem}")


def _marked(cells: Sequence[str], mark: str) -> list[tuple[str, str]]:
    """What a mark in these cells may be, those of `MARKED`: none where one is no such number."""
    with_mark = [cell for cell in cells if mark in cell]
    forms = {way: form for way, form in MARKED.items() if way[0] == mark and with_mark}
    return [way for way, form in forms.items() if all(map(form.fullmatch, with_mark))]


def read_table(path: Path, ignore: Sequence[str] = (), used: Sequence[str] | None = None) -> Table:
    """The table in a file.

    Columns to `ignore`, and all but those `used` if these are named, may hold what is no text, as
    lists do, and are empty. Where one column is `used`, it may be the only one.

    Raises
    ------
    DataError
        For a file that is missing, of another kind, empty or damaged, with the row.
    """
    suffix = path.suffix.lower()
    if suffix not in ENDINGS:
        raise DataError(
            f"{path}{'' if path.exists() else ' is missing'}: expected a table, a file that ends "
            f"in {', '.join(ENDINGS)}, or a folder with a sub-folder of images for each class"
        )
    if not path.is_file():
        raise DataError(f"{path} is {'a folder' if path.is_dir() else 'missing'}: give a file")
    least = 2 if used is None else min(2, len(used))
    table = _parquet(path, ignore, used) if suffix in PARQUET else _separated(path, least)
    if not len(table):
        raise DataError(f"{path}: there is no row below the column names")
    return table


def separator_of(path: Path) -> str:
    """What is between the cells of a text file: as its ending says, or one of `MARKS`.

    It is the first with which the column names and the row below are as many, else the first in the
    column names: spreadsheets write semicolons where a comma is the decimal point. So of several
    it is the semicolon, if it leaves numbers with commas.
    """
    usual = SEPARATORS[path.suffix.lower()]
    marks = (usual, *(mark for mark in MARKS if mark != usual))
    with _reading(path), path.open(encoding="utf-8-sig", errors="replace") as file:
        first = list(islice(filter(str.strip, file), 2))
    if not first or first[0].lower().startswith("sep="):
        return usual  # `lines_of` says what is wrong
    try:
        parted = {mark: _parted(first, mark) for mark in marks}
    except csv.Error:
        return next((mark for mark in marks if mark in first[0]), usual)
    fitting = [
        mark for mark, rows in parted.items() if len(rows) == 2 and len(rows[0]) == len(rows[1]) > 1
    ]
    if ";" in fitting and any(COMMA.fullmatch(cell.strip()) for cell in parted[";"][1]):
        return ";"
    several = (mark for mark in (*fitting, *marks) if len(parted[mark][0]) > 1)
    return next(several, usual)


def _parted(lines: list[str], mark: str) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=mark, skipinitialspace=True))


def lines_of(path: Path, separator: str, least: int = 2) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line of a text file that is not empty, the column names first.

    Cells have no spaces around; a column without a name is called by its place. There are `least`
    columns or more.

    Raises
    ------
    DataError
        For a file that cannot be read, column names that are none or come again, and a row of
        another length or without a cell.
    """
    header: list[str] = []
    written: list[str] = []  # the column names as they are in the file
    with _reading(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                if cells and cells[0].startswith(BOM):  # of joined files, beyond the first
                    cells[0] = cells[0].strip(f"{BOM} ")
                if not cells or (cells == [""] and len(header) != 1):  # an empty line
                    continue
                if not header:
                    written, header = list(cells), cells
                    _check_header(path, header, separator, least)
                elif len(cells) != len(header):
                    found = counted(len(cells), "cell", "cells")
                    names = len(cells) == len(header) + 1
                    raise DataError(
                        f"{path}, row {reader.line_num}: {found}, expected {len(header)} as in "
                        f"the row of column names. A cell that holds {separator!r} needs quotes "
                        f"around it{', and row names, as R writes them, a column name' * names}"
                    )
                elif cells == written and len(cells) > 1:
                    raise DataError(
                        f"{path}, row {reader.line_num}: has the column names again, as files "
                        f"that were joined have: take the row out"
                    )
                elif not any(cells):
                    raise DataError(
                        f"{path}, row {reader.line_num}: every cell is empty: take out the rows "
                        f"that hold nothing"
                    )
                yield reader.line_num, cells
        except csv.Error as error:
            raise DataError(f"{path}, row {reader.line_num}: cannot be read ({error})") from None
    if not header:
        _check_header(path, header, separator, least)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name a file that cannot be read."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no UTF-8 text ({error.reason}). {SAVE}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _separated(path: Path, least: int) -> Table:
    separator = separator_of(path)
    lines = lines_of(path, separator, least)
    header = next(lines)[1]
    numbered = list(lines)
    columns = (
        zip(*(cells for _, cells in numbered), strict=True) if numbered else [()] * len(header)
    )
    return Table(
        path=path, columns=dict(zip(header, map(list, columns), strict=True)),
        rows=[number for number, _ in numbered], separator=separator,
    )  # fmt: skip


def _check_header(path: Path, header: list[str], separator: str | None, least: int) -> None:
    """Refuse column names that cannot be; `separator` is None where the file is no text."""
    if separator is not None:
        if any("\0" in name for name in header):
            raise DataError(f"{path}: is no UTF-8 text, but UTF-16 by its look. {SAVE}")
        if header and header[0].lower().startswith("sep="):
            raise DataError(
                f"{path}, row 1: begins with {header[0]!r}, which is for Excel: take the line out, "
                f"so that the column names are the first"
            )
        if len(header) < least:
            got = repr(header[0][:60]) if header else "nothing"
            bars = ". Is '|' between them? Save it with a comma"
            names = "two column names or more" if least > 1 else "a column name, or several"
            raise DataError(
                f"{path}, row 1: expected {names} with a comma, semicolon or tab "
                f"between, got {got}{bars if '|' in got else ''}"
            )
    written = list(header)
    header[:] = [nfc(name) or f"{NAMELESS}: {number}" for number, name in enumerate(written)]
    for number, name in enumerate(header):
        if (first := header.index(name)) < number:
            two = written[first] != written[number]
            forms = ", in two Unicode forms: rename one" if two else ""
            raise DataError(f"{path}, row 1: two columns are called {name!r}{forms}")


def _parquet(path: Path, ignore: Sequence[str], used: Sequence[str] | None) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            f"{path}: Parquet is read by pyarrow, which is not installed: pip install pyarrow, "
            f"or save the table as CSV"
        ) from None
    try:
        read = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: is no readable Parquet file ({error})") from None
    header = [name.strip() for name in read.column_names]
    _check_header(path, header, None, 1)
    columns = {}
    for name, column in zip(header, read.columns, strict=True):
        if pyarrow.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        kind = column.type
        if not (
            pyarrow.types.is_string(kind)
            or pyarrow.types.is_large_string(kind)
            or pyarrow.types.is_boolean(kind)
            or pyarrow.types.is_integer(kind)
            or pyarrow.types.is_floating(kind)
            or pyarrow.types.is_decimal(kind)
            or pyarrow.types.is_temporal(kind)
            or pyarrow.types.is_null(kind)
        ):
            if name in ignore or (used is not None and name not in used):
                columns[name] = [""] * read.num_rows
                continue
            hint = LISTS.format(name=name) if pyarrow.types.is_list(kind) else ""
            advice = f": leave it out by {option('ignore', name)}{hint}" if used is None else ""
            raise DataError(
                f"{path}, column {name!r}: holds {kind}, expected texts, numbers or true and "
                f"false{advice}"
            )
        try:
            columns[name] = [_text(value) for value in column.to_pylist()]
        except (pyarrow.ArrowException, ArithmeticError, ValueError) as error:
            raise DataError(
                f"{path}, column {name!r}: {kind} that Python cannot hold ({error}). Save it as "
                f"texts, or leave it out of the file"
            ) from None
    return Table(path=path, columns=columns, rows=list(range(1, read.num_rows + 1)))


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, np.floating):
        value = float(value)
    return str(value).strip()


def read_folders(path: Path) -> tuple[Table, list[str]]:
    """The table of a folder's images, with the columns path, label and, if given, split; and notes.

    Raises
    ------
    DataError
        For a folder without a class, of folders within classes, and of splits beside classes.
    """
    source = Folder(path)
    places = [(name, name.split("/")) for name in sorted(source.names())]
    stray = [name for name, parts in places if len(parts) == 1]
    places = [(name, parts) for name, parts in places if len(parts) > 1]
    tops = sorted({parts[0] for _, parts in places})
    splits = [top for top in tops if split_name(top)]
    given = bool(splits) and splits == tops
    if splits and not given:
        others = [top for top in tops if top not in splits]
        raise DataError(f"{path}: has {some(splits)} beside {some(others)}. {HOW}")
    depth = 3 if given else 2
    if not places:
        raise DataError(f"{path}: holds no image in a sub-folder. {HOW}")
    inner = {split_name(parts[1]) for _, parts in places if len(parts) > 2}
    if len(tops) == 1 and "train" in inner:
        raise DataError(f"{path}: its splits lie below {tops[0]}: give {path / tops[0]}. {HOW}")
    wrong = next((name for name, parts in places if len(parts) != depth), None)
    if wrong is not None:
        raise DataError(
            f"{path}: {wrong} is not in a folder of a class {'of a split' if given else 'alone'}. "
            f"{HOW}"
        )
    for folder in sorted({name.rpartition("/")[0] for name, _ in places}):
        _check_utf8(path / folder)
    columns = {
        "path": [name for name, _ in places],
        "label": [parts[-2] for _, parts in places],
    }
    if given:
        columns["split"] = [parts[0] for _, parts in places]
    notes = []
    here = [place.name for place in path.iterdir() if place.is_dir()]
    empty = sorted(name for name in here if name not in tops and not name.startswith((".", "__")))
    if empty:
        notes.append(f"folders without an image: {some(empty)}")
    if stray:
        notes.append(
            f"{counted(len(stray), 'image', 'images')} of {path.name} in no folder of a class: "
            f"{some(stray)}"
        )
    if source.passed:
        notes.append(f"files of {path.name} that are no images by their names: {source.others}")
    rows = list(range(1, len(places) + 1))
    return Table(path=path, columns=columns, rows=rows, folders=True), notes


def _check_utf8(folder: Path) -> None:
    """Refuse a class that no file of text can hold: the name of a folder from an older system."""
    raw = os.fsencode(folder.name)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        guess = str(folder.with_name(raw.decode("latin-1")))
        raise DataError(
            f"{folder.parent}: the folder {raw!r} has a name that is no UTF-8, and a class is "
            f"called by it. Rename it, such as in Python: import os; "
            f"os.rename({os.fsencode(folder)!r}, {guess!r})"
        ) from None
