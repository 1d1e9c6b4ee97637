"""The different cells of a column of labels, what each means, and the attribute made of them.

An empty cell is an unknown label, and so is one that says NaN or None. What else a cell means, a
person says by codes.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ..checks import UNKNOWN
from .resident import DataError
from .table_codes import Codes
from .table_file import Table
from .table_words import MINUS, MISSING, NO_CLASS, as_number, is_number, option, some

PAIRS = (("false", "true"), ("no", "yes"))
KNOWN = {  # words for no and yes: the second is the positive one
    *PAIRS, ("0", "1"), ("f", "t"), ("n", "y"), ("off", "on"), ("absent", "present"),
    ("negative", "positive"), ("neg", "pos"), ("-", "+"),
}  # fmt: skip
SPREADSHEET = re.compile(r"#[A-Z]+[!?]|#DIV/0!")  # an error in a formula


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One attribute of a table: its classes, and the label of each row."""

    name: str
    column: str  # where it comes from
    labels: np.ndarray  # (N,) int64, -1 where unknown
    classes: tuple[str, ...]
    unknown: Counter = field(default_factory=Counter)  # how often each cell of no known label is

    @property
    def pair(self) -> bool:
        """Whether its classes are a known no and yes."""
        return tuple(word.lower() for word in self.classes) in KNOWN

    def turned(self) -> "Attribute":
        """The same with its two classes exchanged."""
        labels = np.where(self.labels < 0, UNKNOWN, 1 - self.labels)
        return replace(self, labels=labels, classes=self.classes[::-1])


class Cells:
    """The different cells of a column of labels, and what each means.

    Raises
    ------
    DataError
        For -1 beside 0 and 1 where no code says what they mean.
    """

    def __init__(self, table: Table, column: str, codes: Codes | None = None):
        self.table, self.column = table, column
        self.blank = codes.empty if codes else "blank"  # the code of an empty cell
        self.first: dict[str, int] = {}  # row of each different cell
        for row, cell in enumerate(table.columns[column]):
            self.first.setdefault(cell, row)
        self.counts = Counter(table.columns[column])
        self.said: set[str] = set()  # those that codes speak of
        self.texts: dict[str, str | None] = {}  # what each means, None for unknown
        for cell in self.first:
            meaning = codes.meaning(column, cell) if codes else None
            if meaning is None:
                missing = not table.folders and (is_missing(cell) or cell in MINUS)
                self.texts[cell] = None if missing else cell
                continue
            self.said.add(cell)
            word = meaning.lower()
            known = word if word in ("yes", "no") else meaning
            self.texts[cell] = None if word == "unknown" else known
        self._ask_of_minus_one()
        self.known = self._known()  # each different text of a known label -> its first cell
        unknown = {cell: self.counts[cell] for cell, text in self.texts.items() if text is None}
        self.unknown = Counter(unknown)

    def _known(self) -> dict[str, str]:
        known: dict[str, str] = {}
        for cell, text in self.texts.items():
            if text is not None:
                known.setdefault(text, cell)
        return known

    def error(self, cell: str, problem: str) -> DataError:
        return self.table.error(self.first[cell], self.column, problem)

    def code(self, cell: str) -> str:
        """What codes call a cell."""
        return cell or self.blank

    def say_yes_as_others(self) -> None:
        """Make a yes or no that codes say the word of a pair that the other cells are of.

        Beside 0 and 1, ``blank=no`` is 0. A code that turns the pair around (0=yes, beside 1), or
        may (2=yes, beside 1 alone), leaves the words.
        """
        plain = [text for cell, text in self.texts.items() if text and cell not in self.said]
        words = {as_number(text).lower(): text for text in plain}
        pair = next((pair for pair in KNOWN if words and set(words) <= set(pair)), None)
        meant = {cell: PAIRS[1].index(text) for cell, text in self.texts.items()
                 if cell in self.said and text in PAIRS[1]}  # fmt: skip
        if pair is None or not meant:
            return
        for cell, place in meant.items():
            word = as_number(cell).lower()
            if word in pair and pair.index(word) != place:
                return
            if len(words) == 1 and word.isdecimal() and word not in pair:
                return
        for cell, place in meant.items():
            self.texts[cell] = words.get(pair[place], pair[place])
        self.known = self._known()

    def _ask_of_minus_one(self) -> None:
        minus = [cell for cell in MINUS if cell in self.first and cell not in self.said]
        minus = [] if self.table.folders else minus
        numbers = {as_number(cell) for cell in self.first if is_number(cell)} - {"-1"}
        if not minus or not ({"0", "1"} <= numbers or numbers in ({"0"}, {"1"})):
            return
        has = " and ".join(sorted(numbers & {"0", "1"}))
        ways = {
            "0": ("-1=yes,0=no", "0=yes,-1=no"),
            "1": ("1=yes,-1=no",),
            "0 and 1": ("1=yes,-1=no,0=unknown", "1=yes,0=no,-1=unknown"),
        }[has]
        if numbers > {"0", "1"}:  # classes
            has, ways = some(sorted(numbers, key=float)), ("-1=unknown", "-1=-1")
        blank = f",{self.blank}=unknown" if "" in self.first else ""
        first, *others = ways[0].split(",")
        one = option("codes", f"{self.column}:{first}", *others)
        raise self.error(
            minus[0],
            f"got {minus[0]!r} in a column that has {has} as well: tables disagree on what they "
            f"mean. Say it for all columns of labels by "
            + " or ".join(f'--codes "{way}{blank}"' for way in ways)
            + (" (a class, of this or another name)" if ways[-1] == "-1=-1" else "")
            + f", for this one by {one}",
        )

    def labels(self, code_of: dict[str, int]) -> np.ndarray:
        """Labels (N,) of the rows, from the label of each known text."""
        by_cell = {
            cell: UNKNOWN if text is None else code_of[text] for cell, text in self.texts.items()
        }
        return np.array([by_cell[cell] for cell in self.table.columns[self.column]], np.int64)


def ask_of_none(cells: Cells, *, lists: bool = False) -> None:
    """Refuse the word none among words: is it one of them, or is nothing known?

    A None that is not written as the other words are is Python's, and unknown.
    """
    for cell in cells.unknown:
        ways = (str.islower, str.isupper, str.istitle)
        way = next((way for way in ways if way(cell)), None)
        like = any(way(text[: len(cell)]) for text in cells.known) if way else False
        if cell.lower() == "none" and (like or cell != "None") and cell not in cells.said:
            none, what = ("no", "its rows have none of them") if lists else (cell, "it is a class")
            raise cells.error(
                cell,
                f"got {cell!r}, in {cells.counts[cell]:,} of {len(cells.table):,} rows: say by "
                f"{option('codes', f'{cell}={none}')} that {what}, or by "
                f"{option('codes', f'{cell}=unknown')} that nothing is known there",
            )


def ask_of_nothing(cells: Cells, text: str, *, lists: bool = False) -> None:
    """Refuse a text that is no class by its look."""
    if not _says_nothing(text, cells.known):
        return
    own = "not known" if text.lower() == "unknown" else text
    none = f"{option('codes', f'{text}=no')} if its rows have none of them, " if lists else ""
    alike = [
        f"{other}={other}"
        for other, cell in cells.known.items()
        if cell not in cells.said and other != text and _is_of_marks(other)
    ]
    raise cells.error(
        cells.known[text],
        f"got {text!r}: leave the cell empty for unknown, or say what it means by "
        f"{option('codes', f'{text}=unknown')}, {none}or by "
        f"{option('codes', f'{text}={own}', *alike)} if "
        + ("these are classes" if alike else "it is a class"),
    )


def _says_nothing(text: str, others: Iterable[str]) -> bool:
    """Whether a text is no class by its look: a word for unknown, or marks alone, such as -.

    Beside a plus, - and others like it are classes.
    """
    if text.lower() in NO_CLASS or SPREADSHEET.fullmatch(text):
        return True
    return _is_of_marks(text) and not any("+" in other for other in others)


def _is_of_marks(text: str) -> bool:
    return all(unicodedata.category(letter)[0] == "P" for letter in text)


def is_missing(cell: str) -> bool:
    return cell.lower() in MISSING
