"""Codes: what a person says that cells of labels mean."""

from collections.abc import Sequence

from .resident import DataError
from .table_file import Table
from .table_words import MISSING, as_number, names_in


class Codes:
    """What a person says of cells: ``code=meaning``, of one column ``column:code=meaning``.

    A column that is named counts for the codes after it too, until the next. A meaning is yes, no,
    unknown or the name of a class; the code ``blank`` is an empty cell, or ``empty``, if a cell
    says blank.

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
        For what is no code, and for two meanings of one.
    """

    def __init__(self, text: str, table: Table, labels: Sequence[str] | None = None):
        self.given: dict[str | None, dict[str, str]] = {}  # column (None: all) -> code -> meaning
        self.used: set[tuple[str | None, str]] = set()
        columns = table.columns if labels is None else labels
        says = {cell.lower() for name in columns for cell in set(table.columns[name])}
        self.empty = "empty" if "blank" in says else "blank"
        column = None
        for item in names_in(text):
            code, equals, meaning = (part.strip() for part in item.rpartition("="))
            named = [name for name in table.columns if code.startswith(f"{name}:")]
            if named:
                column = max(named, key=len)
                code = code[len(column) + 1 :].strip()
            if not equals or not code or not meaning:
                raise DataError(
                    f"{table.path}: codes has {item!r}, expected code=meaning with commas between, "
                    f"such as 1=yes,-1=no,0=unknown,blank=no, or column:code=meaning"
                )
            code = "" if code.lower() == self.empty else code
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
            if cell.lower() in MISSING and "" in codes:
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
