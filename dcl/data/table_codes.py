"""Codes: what a person says that cells of labels mean."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from .resident import DataError
from .table_file import Table
from .table_words import MINUS, MISSING, NO_CLASS, as_number, names_in, option, quoted

MEANINGS = ("yes", "no", "unknown")
SLIP = 0.85  # how alike a word is to unknown that misses, doubles or swaps a letter: unkown
BETWEEN_CODES = re.compile("=[^=;]+;")  # in 1=yes;0


class Codes:
    """What a person says of cells: ``code=meaning``, of one column ``column:code=meaning``.

    A column that is named counts for the codes after it too, until the next. A meaning is yes, no,
    unknown or the name of a class; the code ``blank`` is an empty cell, or ``empty``, if a cell
    says blank. Cells that say NA or the like are blank where the column has no empty one.

    Parameters
    ----------
    text : str
        Such as ``1=yes,-1=no,0=unknown,blank=no``.
    table : Table
    labels : sequence of str, optional
        The columns of labels; all columns without it.

    Raises
    ------
    DataError
        For what is no code, for two meanings of one, and for a meaning that says nothing, as NA.
    """

    def __init__(self, text: str, table: Table, labels: Sequence[str] | None = None):
        self.given: dict[str | None, dict[str, str]] = {}  # column (None: all) -> code -> meaning
        self.used: set[tuple[str | None, str]] = set()
        columns = table.columns if labels is None else labels
        cells = {cell for name in columns for cell in table.columns[name]}
        self.empty = "empty" if "blank" in set(map(str.lower, cells)) else "blank"
        items = [_parted(item, table) for item in names_in(text)]
        _ask_of_marks_and_order(items, table, cells)
        _ask_of_columns(items, table, cells)
        self.with_empty = {name for name in columns if "" in table.columns[name]}
        column = None
        for place, code, meaning in items:
            column = place or column
            code = "" if code.lower() == self.empty else code
            if _says_nothing(code, meaning):
                raise DataError(
                    f"{table.path}: codes has {f'{code or self.empty}={meaning}'!r}, which would "
                    f"be a class called {meaning!r}: if nothing is known there, say "
                    f"{option('codes', f'{code or self.empty}=unknown')}; a class needs another "
                    f"name"
                )
            if self.given.setdefault(column, {}).setdefault(code, meaning) != meaning:
                raise DataError(
                    f"{table.path}: codes gives {code or self.empty!r} two meanings, "
                    f"{self.given[column][code]!r} and {meaning!r}: leave one out"
                )

    def meaning(self, column: str, cell: str) -> str | None:
        """What a cell was said to mean, None where nothing was said."""
        for place in (column, None):
            codes = self.given.get(place, {})
            for way in (str, str.lower, as_number):
                for code, meaning in codes.items():
                    if way(code) == way(cell):
                        self.used.add((place, code))
                        return meaning
            blank = cell.lower() in MISSING and column not in self.with_empty
            if "" in codes and (blank or not cell):
                return codes[""]
        return None

    def unused(self) -> list[str]:
        """Codes that no cell has; that of empty cells is left out."""
        return [
            code if column is None else f"{column}:{code}"
            for column, codes in self.given.items()
            for code in codes
            if code and (column, code) not in self.used
        ]


def _parted(item: str, table: Table) -> tuple[str | None, str, str]:
    """Column, if one is named, code and meaning."""
    code, equals, meaning = (part.strip() for part in item.rpartition("="))
    named = [name for name in table.columns if code.startswith(f"{name}:")]
    column = max(named, key=len, default=None)
    code = code[len(column) + 1 :].strip() if column is not None else code
    if not equals or not code or not meaning:
        raise DataError(
            f"{table.path}: codes has {item!r}, expected code=meaning with commas between, "
            f"such as 1=yes,-1=no,0=unknown,blank=no, or column:code=meaning"
        )
    return column, code, meaning


def _says_nothing(code: str, meaning: str) -> bool:
    """Whether a meaning is another word for unknown; of a cell that says so it is a class."""
    word, cell = meaning.lower(), code.lower()
    said = word == "unknown" or as_number(word) == as_number(cell)
    if said or (cell and cell in MISSING | NO_CLASS):
        return False
    slip = word.isalpha() and SequenceMatcher(None, word, "unknown").ratio() > SLIP
    return slip or word in MISSING or word in NO_CLASS or word in MINUS


def _ask_of_columns(
    items: list[tuple[str | None, str, str]], table: Table, cells: set[str]
) -> None:
    """Refuse a code of a column that the table lacks."""
    for column, code, _ in items:
        if column is None and ":" in code and not any(code.lower() in x.lower() for x in cells):
            raise DataError(
                f"{table.path}: codes has {code!r}, which is neither a cell nor of one of the "
                f"columns {', '.join(map(quoted, table.columns))}"
            )


def _ask_of_marks_and_order(
    items: list[tuple[str | None, str, str]], table: Table, cells: set[str]
) -> None:
    """Refuse semicolons between codes, and meanings before them, where no cell is written so."""
    mended, wrong = [], ""
    words, numbers = ({way(cell) for cell in cells} for way in (str.lower, as_number))
    for column, code, meaning in items:
        item, place = f"{code}={meaning}", "" if column is None else f"{column}:"
        last = meaning.rstrip("; ")
        if code not in cells and BETWEEN_CODES.search(code):
            wrong = wrong or f"{item!r}, expected commas between"
            first, *rest = (part.strip() for part in item.split(";"))
            mended += [place + first, *filter(None, rest)]
            continue
        if last != meaning and last.lower() in MEANINGS:
            wrong = wrong or f"{item!r}, expected no semicolon"
            meaning = last
        known = meaning.lower() in words or as_number(meaning) in numbers
        if code.lower() in MEANINGS and code.lower() not in words and known:
            wrong = wrong or f"{item!r}, but no label is {code!r}: expected the cell first"
            code, meaning = meaning, code
        mended.append(f"{place}{code}={meaning}")
    if wrong:
        raise DataError(f"{table.path}: codes has {wrong}, {option('codes', *mended)}")
