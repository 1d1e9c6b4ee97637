"""What a person says of a table's cells, columns and words, as a text on a command line says it."""

import csv
import re
from collections.abc import Iterable

from .resident import DataError
from .table_file import Table, is_number

MISSING = {"", "nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none"}  # in lower case
WHOLE = re.compile(r"([+-]?)([0-9]{1,18})(\.0*)?")
FEW = 8  # names in a sentence


def names_in(text: str) -> list[str]:
    """Texts with commas between, as a row of a CSV file has them: quotes around one with a comma.

    Examples
    --------
    >>> names_in('age, "Effusion, left"')
    ['age', 'Effusion, left']
    """
    fields = next(csv.reader([text], skipinitialspace=True), [])
    return [name.strip() for name in fields if name.strip()]


def quoted(name: str) -> str:
    """A text as `names_in` takes it.

    Examples
    --------
    >>> quoted("Effusion, left")
    '"Effusion, left"'
    """
    return '"{}"'.format(name.replace('"', '""')) if set(name) & set(',"') else name


def option(name: str, *texts: str) -> str:
    """An option as a shell takes it.

    Examples
    --------
    >>> option("ignore", "age", "Effusion, left"), option("ignore", "age")
    ('--ignore \\'age,"Effusion, left"\\'', '--ignore age')
    """
    text = ",".join(map(quoted, texts))
    if '"' in text:
        return f"--{name} '{text}'"
    return f"--{name} {text}" if re.fullmatch(r"[\w.,-]+", text) else f'--{name} "{text}"'


def some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    return ", ".join(repr(str(name)) for name in names[:FEW]) + more


def as_number(cell: str) -> str:
    """A number without its point: 1.0 is 1. What has a leading zero is a text."""
    whole = WHOLE.fullmatch(cell)
    if whole and not has_zeros(cell):
        return f"{'-' * (whole[1] == '-')}{int(whole[2])}"
    return repr(float(cell)) if is_number(cell) and not whole else cell


def has_zeros(cell: str) -> bool:
    """Whether a whole number has leading zeros: a code, which keeps them."""
    return len(cell) > 1 and cell[0] == "0" and cell.isdecimal()


class Codes:
    """What a person says of cells: ``code=meaning``, of one column ``column:code=meaning``.

    A column that is named counts for the codes after it too, until the next. A meaning is yes, no,
    unknown or the name of a class; the code ``blank`` is an empty cell.

    Parameters
    ----------
    text : str
        Such as ``1=yes,-1=no,0=unknown,blank=no``.
    table : Table

    Raises
    ------
    DataError
        For what is no code, and for two meanings of one.
    """

    def __init__(self, text: str, table: Table):
        self.given: dict[str | None, dict[str, str]] = {}  # column (None: all) -> code -> meaning
        self.used: set[tuple[str | None, str]] = set()
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
            code = "" if code.lower() == "blank" else code
            if self.given.setdefault(column, {}).setdefault(code, meaning) != meaning:
                raise DataError(
                    f"{table.path}: codes gives {code or 'blank'!r} two meanings, "
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
