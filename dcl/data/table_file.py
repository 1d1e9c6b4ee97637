"""Reads a table's cells as texts: CSV, tab-separated or Parquet; every error names file and row."""

import csv
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .resident import DataError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")
ENDINGS = (*SEPARATORS, *PARQUET)
LISTS = (
    ". Of lists of labels make texts in pandas, frame[{name!r}] = frame[{name!r}].str.join('|'), "
    'and say --separator "|"'
)
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

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """The file's name without its ending, or the folder's."""
        return self.path.stem if self.path.suffix.lower() in ENDINGS else self.path.name

    def composed(self, but: str | None) -> "Table":
        """The table with every text in one Unicode form (NFC), except in the column `but`."""
        columns = {
            name: cells if name == but else [_nfc(cell) for cell in cells]
            for name, cells in self.columns.items()
        }
        return replace(self, columns=columns)

    def error(self, row: int | None, column: str, problem: str) -> DataError:
        """An error at a place; `row` counts from 0."""
        place = "" if row is None else f", row {self.rows[row]}"
        return DataError(f"{self.path}{place}, column {column!r}: {problem}")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def read_table(path: Path) -> Table:
    """The table in a file.

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
    table = _parquet(path) if suffix in PARQUET else _separated(path, SEPARATORS[suffix])
    if not len(table):
        raise DataError(f"{path}: there is no row below the column names")
    return table


def _separated(path: Path, separator: str) -> Table:
    rows, lines = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header, separator)
            for cells in reader:
                if not cells:  # an empty line
                    continue
                if len(cells) != len(header):
                    raise DataError(
                        f"{path}, row {reader.line_num}: {len(cells)} cells, expected "
                        f"{len(header)} as in the row of column names. A cell that holds "
                        f"{separator!r} needs quotes around it"
                    )
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}, row {reader.line_num}: cannot be read ({error})") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is no UTF-8 text ({error.reason}). Save it as CSV in UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    named = zip(header, columns, strict=True)
    return Table(
        path=path, columns={name: [cell.strip() for cell in cells] for name, cells in named},
        rows=lines,
    )  # fmt: skip


def _check_header(path: Path, header: list[str], separator: str | None) -> None:
    if separator is not None and len(header) < 2:
        other = [mark for mark in (";", "\t", ",", "|") if header and mark in header[0]]
        raise DataError(
            f"{path}, row 1: expected two column names or more with {separator!r} between, got "
            f"{header[0][:60] if header else 'nothing'!r}"
            + (f". Is {other[0]!r} between them? Save it with {separator!r}" if other else "")
        )
    for number, name in enumerate(header):
        if not name:
            header[number] = name = f"{NAMELESS}: {number}"
        if name in header[:number]:
            raise DataError(f"{path}, row 1: two columns are called {name!r}")


def _parquet(path: Path) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            f"{path}: Parquet is read by pyarrow, which is not installed: pip install pyarrow, "
            f"or save the table as CSV"
        ) from None
    try:
        found = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: is no readable Parquet file ({error})") from None
    header = [name.strip() for name in found.column_names]
    _check_header(path, header, None)
    columns = {}
    for name, column in zip(header, found.columns, strict=True):
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
            raise DataError(
                f"{path}, column {name!r}: holds {kind}, expected texts, numbers or true and false"
                + (LISTS.format(name=name) if pyarrow.types.is_list(kind) else "")
            )
        columns[name] = [_text(value) for value in column.to_pylist()]
    return Table(path=path, columns=columns, rows=list(range(1, found.num_rows + 1)))


def is_number(cell: str) -> bool:
    """Whether a text is a number, infinity and NaN among them."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, np.floating):
        value = float(value)
    return str(value).strip()
