"""What the cells of a label column mean: its classes, and which labels are unknown.

A label column has one kind of value: whole numbers, true and false, yes and no, or words. An empty
cell is an unknown label, and so is one that says NaN or None. What else a cell means, a person
says by codes. The labels of a list in a cell are attributes that share it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..checks import UNKNOWN
from .resident import DataError
from .table_codes import Codes
from .table_columns import PREFIX
from .table_file import Table
from .table_words import (
    COMMA,
    FEW,
    MISSING,
    WHOLE,
    as_number,
    counted,
    has_zeros,
    is_number,
    names_in,
    option,
    some,
    spelt_twice,
)

PAIRS = (("false", "true"), ("no", "yes"))
KNOWN = {  # words for no and yes: the second is the positive one
    *PAIRS, ("0", "1"), ("f", "t"), ("n", "y"), ("off", "on"), ("absent", "present"),
    ("negative", "positive"), ("neg", "pos"), ("-", "+"),
}  # fmt: skip
NO, YES = ({pair[place] for pair in KNOWN} for place in (0, 1))
WORDS = {"number": "whole numbers", PAIRS[0]: "true and false", PAIRS[1]: "yes and no"}
NO_CLASS = {
    *("?", "unknown", "missing", "not available", "not applicable", "n.a.", "--", ".", "tbd"),
    *("not known", "not assessed", "not done", "not recorded", "not reported", "n/k"),
    *("k.a.", "k. a.", "keine angabe", "unbekannt", "n.d.", "n/d", "inconnu", "desconocido"),
    *("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"),
}
SPREADSHEET = re.compile(r"#[A-Z]+[!?]|#DIV/0!")  # an error in a formula
MINUS = ("-1", "-1.0")
SURE_MARKS = "|;"  # hardly ever inside a word
MARKS = f"{SURE_MARKS},/+&"
TEXT = "none"  # the separator of cells that are one text


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
                missing = not table.folders and (_is_missing(cell) or cell in MINUS)
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


def attribute_of(
    table: Table, column: str, name: str, codes: Codes | None = None, *, lists: bool = False
) -> Attribute:
    """The attribute that a column is.

    Whole numbers are classes called by them, in their order; where one has a leading zero, as they
    are written. True and yes are 1, false and no are 0; words are numbered in alphabetical order.
    With `lists` a cell that looks like several labels is a text as others.

    Raises
    ------
    DataError
        For cells of two kinds, words that look like lists, fewer than two classes, too many.
    """
    cells = Cells(table, column, codes)
    if not lists:
        _ask_of_lists(cells)
    cells.say_yes_as_others()
    first = cells.known
    kinds = {text: _kind(cells, text) for text in first}
    allowed = _allowed(cells, kinds)
    said = {text for text, cell in first.items() if cell in cells.said}
    other = {text for text, kind in kinds.items() if kind not in allowed}
    named = any(first[text] == text for text in said)  # 4A=4A, beside 4: these are classes all
    sure = all(kinds[x] == "number" or (kinds[x] == "word" and x in said) for x in other)
    if other and sure and (named or other <= said):
        allowed |= {"word", "number", *PAIRS}
    stray = [text for text, kind in kinds.items() if kind not in allowed]  # all words: yes, partly
    if stray:
        text = min(stray, key=said.__contains__)  # rather one that nobody spoke of
        what = "words" if "word" in allowed else WORDS[next(iter(allowed))]
        if text in said:
            others = [cell for cell, word in cells.texts.items() if word and word != text]
            rest = ", ..." if len(others) > FEW else ""
            all_said = [f"{x}=..." for x in others[:FEW]] + [f"{cells.code(first[text])}={text}"]
            all_said[0] = f"{column}:{all_said[0]}"
            raise cells.error(
                first[text],
                f"codes say {text!r} among {what}: a column holds values of one kind. Say what the "
                f"others mean as well, {option('codes', *all_said)}{rest}: yes, no, unknown or, "
                f"with its own name, a class",
            )
        raise cells.error(
            first[text],
            f"got {text!r} among {what}: a column holds values of one kind. Say by "
            f"{option('codes', f'{column}:{first[text]}=...')} what it means: yes, no, unknown or, "
            f"with its own name, a class",
        )
    names: Sequence[str]
    if "word" in allowed or any(map(has_zeros, first)):
        _ask_of_none(cells)
        names = _words(cells)
        code_of = {text: names.index(text) for text in first}
    elif allowed == {"number"}:
        numbers = {text: as_number(text) for text in first}
        names = sorted(set(numbers.values()), key=int)
        code_of = {text: names.index(number) for text, number in numbers.items()}
    else:
        names = next(iter(allowed), ())
        code_of = {text: names.index(text.lower()) for text in first}
    if len(set(code_of.values())) < 2:
        problem = f"every label that is known is {next(iter(first))!r}" if first else (
            "every label is unknown"
        )  # fmt: skip
        raise table.error(
            None, column,
            f"{problem}: two classes at least are needed. Add rows, or ignore it"
            f"{_blank_is_no(cells)}",
        )  # fmt: skip
    known = len(table) - sum(cells.unknown.values())
    if len(names) > max(2, known / 2):
        what = "whole numbers" if allowed == {"number"} else "words"
        raise table.error(
            None,
            column,
            f"{len(names):,} {what} in {known:,} rows are no classes: ignore it",
        )
    return Attribute(
        name=name, column=column, labels=cells.labels(code_of), classes=tuple(names),
        unknown=cells.unknown,
    )  # fmt: skip


def _allowed(cells: Cells, kinds: dict[str, str | tuple[str, str]]) -> set:
    """The kinds that a column may hold: the one that most rows have is what the column is."""
    rows: Counter = Counter()
    for text, kind in kinds.items():
        rows[kind] += sum(n for cell, n in cells.counts.items() if cells.texts[cell] == text)
    words = sum(n for kind, n in rows.items() if kind != "number")
    if "word" in rows and rows["number"] <= words:
        return {"word", *PAIRS}
    return {rows.most_common(1)[0][0]} if rows else set()


def _ask_of_none(cells: Cells, *, lists: bool = False) -> None:
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


def _is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def _blank_is_no(cells: Cells) -> str:
    """What to say where empty cells may mean no: a cross for yes, and else nothing."""
    if len(cells.known) != 1 or not any(map(_is_missing, cells.unknown)):
        return ""
    (cell,) = cells.known.values()
    return f"; if an empty cell means no: {option('codes', f'{cell}=yes', f'{cells.blank}=no')}"


def _kind(cells: Cells, text: str) -> str | tuple[str, str]:
    """number, word or one of `PAIRS`."""
    cell, lower = cells.known[text], text.lower()
    if cell not in cells.said and not cells.table.folders:
        _ask_of_nothing(cells, text)
    whole = WHOLE.fullmatch(text)
    if whole and whole[1] != "-":
        return "number"
    if cell in cells.said and is_number(text):
        return "word"
    if is_number(text):
        raise cells.error(
            cell,
            f"got {text!r}, expected a class: a whole number from 0, true or false, yes or no, or "
            f"a word; an empty cell for unknown. Say what it means by "
            f"{option('codes', f'{cell}=...')}, or ignore the column if it is no label",
        )
    return next((pair for pair in PAIRS if lower in pair), "word")


def _ask_of_nothing(cells: Cells, text: str, *, lists: bool = False) -> None:
    """Refuse a text that is no class by its look."""
    if not _says_nothing(text, cells.known):
        return
    own = "not known" if text.lower() == "unknown" else text
    none = f"{option('codes', f'{text}=no')} if its rows have none of them, " if lists else ""
    raise cells.error(
        cells.known[text],
        f"got {text!r}: leave the cell empty for unknown, or say what it means by "
        f"{option('codes', f'{text}=unknown')}, {none}or by {option('codes', f'{text}={own}')} if "
        f"it is a class",
    )


def _says_nothing(text: str, others: Iterable[str]) -> bool:
    """Whether a text is no class by its look: a word for unknown, or marks alone, such as -.

    Beside a plus, - and others like it are classes.
    """
    if all(unicodedata.category(letter)[0] == "P" for letter in text):
        return not any("+" in other for other in others)
    return text.lower() in NO_CLASS or bool(SPREADSHEET.fullmatch(text))


def _words(cells: Cells) -> list[str]:
    """The names of the classes of words: in alphabetical order, but yes after no."""
    if twice := spelt_twice(cells.known):
        other, word = twice
        row = cells.table.rows[cells.first[cells.known[other]]]
        code = cells.code(cells.known[word])
        raise cells.error(
            cells.known[word],
            f"got {word!r}, spelt {other!r} in row {row}: write it in one way, or say by "
            f"{option('codes', f'{code}={other}')} that they are one class, or by "
            f"{option('codes', f'{code}={word} too')} that it is another, with another name",
        )
    names = sorted(cells.known)
    asked = [name for name in names if name not in cells.said]  # -=- is a class
    if len(asked) > 2 and {name.lower() for name in names} <= {*YES, *NO}:
        said = [f"{cells.code(cells.known[name])}={'yes' if name.lower() in YES else 'no'}"
                for name in names]  # fmt: skip
        raise cells.error(
            cells.known[names[0]],
            f"the words {some(names)} say yes and no in several ways: say what they mean, such as "
            f"{option('codes', *said)}, or give a class of its own another name",
        )
    return names[::-1] if tuple(name.lower() for name in names[::-1]) in KNOWN else names


def parts_of(text: str, mark: str) -> list[str]:
    """The labels in a cell: ``Cat|Dog``, or as Python writes a list, ``['Cat', 'Dog']``."""
    if text[:1] + text[-1:] in ("[]", "()", "{}"):
        text = text[1:-1]
    parts = text.split() if mark == " " else text.split(mark)
    return [word for part in parts if (word := part.strip().strip("'\"").strip())]


def _are_vectors(texts: Sequence[str], mark: str) -> bool:
    """Whether all cells hold as many zeros and ones, or false and true: two or more."""
    rows = [[as_number(part).lower() for part in parts_of(text, mark)] for text in texts]
    words = {word for row in rows for word in row}
    alike = len({len(row) for row in rows}) == 1 and len(rows[0]) > 1
    return (
        alike
        and not (mark == "," and _are_whole(texts))
        and (words <= {"0", "1"} or words <= {*PAIRS[0]})
    )


def _are_whole(texts: Sequence[str]) -> bool:
    """Whether all are whole numbers with a decimal comma: 1,0 for 1.0."""
    return all(COMMA.fullmatch(text) and text.rstrip("0").endswith(",") for text in texts)


def _ask_of_vectors(cells: Cells, texts: Sequence[str], mark: str) -> None:
    """Refuse cells that are vectors of yes and no, with the line that makes columns of them."""
    if not texts or not _are_vectors(texts, mark):
        return
    table, column = cells.table, cells.column
    count = len(parts_of(texts[0], mark))
    name = f"{PREFIX}{column.removeprefix(PREFIX[:-1]).removeprefix('_')}".rstrip("_")
    read = table.in_pandas("dtype=str", "keep_default_na=False")
    parted = rf"f.pop({column!r}).str.extractall(r'([\w.]+)')[0].unstack()"
    raise cells.error(
        cells.known[texts[0]],
        f"got {texts[0]!r}: every cell is a vector of {count} yes-or-no labels. Make a column of "
        f"each, {name}_0 to {name}_{count - 1}, in Python: import pandas; f = {read}; "
        f"f.join({parted}.add_prefix('{name}_')).to_csv({table.beside('columns')}, index=False). "
        f"If it is the name of a class, say --separator {TEXT}",
    )


def _ask_of_lists(cells: Cells) -> None:
    """Refuse words that look like several labels in a cell, where nobody says what they are."""
    texts = [text for text, cell in cells.known.items() if cell not in cells.said]
    if all(map(is_number, texts)):
        return
    if all(map(COMMA.fullmatch, texts)) and not _are_vectors(texts, ","):
        lists = "" if _are_whole(texts) else 'If a cell holds two labels, say --separator ",". '
        raise cells.error(
            cells.known[texts[0]],
            f"got {texts[0]!r}: every cell is a number with a comma. "
            f"{cells.table.with_points(texts)}{lists}If it is the name of a class, say "
            f"--separator {TEXT}",
        )
    for mark in (*MARKS, " "):
        _ask_of_vectors(cells, texts, mark)
        often = Counter(part for text in texts for part in set(parts_of(text, mark)))
        lengths = {len(parts_of(text, mark)) for text in texts}
        tags = len(often) < len(texts) and len(lengths) > 1  # of few words many texts
        for text in texts:
            parts = parts_of(text, mark)
            if mark == " ":  # "light brown" is a word; beside "light" and "brown" it is two
                sure = all(part in cells.known or WHOLE.fullmatch(part) for part in parts)
                sure |= tags
            else:
                sure = mark in SURE_MARKS or any(often[part] > 1 for part in parts)
            if len(parts) > 1 and (sure or text[0] + text[-1] == "[]"):
                raise cells.error(
                    cells.known[text],
                    f"got {text!r}, which looks like {len(parts)} labels: say by "
                    f'--separator "{mark}" that each of them is an attribute, or by '
                    f"--separator {TEXT} that the text is one class",
                )


def positive_words(text: str, attributes: list[Attribute]) -> dict[str, str]:
    """Attribute -> the class that a person calls positive: ``word``, or ``column=word``.

    Raises
    ------
    DataError
        For a word that is no class of an attribute of two classes.
    """
    positive: dict[str, str] = {}
    two = [attribute for attribute in attributes if len(attribute.classes) == 2]
    for item in names_in(text):
        name, _, word = (part.strip() for part in item.partition("="))
        asked = [a for a in attributes if word and name in (a.name, a.column)]
        hits = {
            a.name: called
            for a in asked or two
            for called in a.classes
            if a in two and called.lower() == (word if asked else item).lower()
        }
        if not hits:
            has = [f"{a.name}={' or '.join(a.classes)}" for a in asked or two if a in two]
            raise DataError(
                f"positive has {item!r}, expected a class of an attribute of two classes, or "
                f"column=class: {some(has) or 'no such attribute has two'}"
            )
        for name, word in hits.items():
            if positive.setdefault(name, word) != word:
                raise DataError(f"positive names both classes of {name}: name one of them")
    return positive


def attributes_in(
    table: Table, column: str, separator: str, codes: Codes, prefix: str = ""
) -> tuple[list[Attribute], list[str]]:
    """A yes-or-no attribute for each label in a column's cells, and sentences on them.

    A label that codes call no is none; one that they call unknown makes its row unknown.

    Raises
    ------
    DataError
        For a label that is spelt in two ways or that every row has, and for too many labels.
    """
    cells = Cells(table, column, codes)
    _ask_of_none(cells, lists=True)
    texts = [text for text, cell in cells.known.items() if cell not in cells.said]
    _ask_of_vectors(cells, texts, separator)
    for text in texts:
        _ask_of_nothing(cells, text, lists=True)
    labels_in: dict[str, set[str] | None] = {}  # the labels in each different cell
    for cell, text in cells.texts.items():
        labels = None
        if text is not None:
            said = cell in cells.said
            labels = {text} if said else _meant(parts_of(text, separator), column, codes)
        labels_in[cell] = None if labels is None else labels - {"no"}
    words = {word for labels in labels_in.values() for word in labels or ()}
    order = sorted(words, key=int) if all(map(str.isdecimal, words)) else sorted(words)
    if twice := spelt_twice(order):
        other, word = twice
        raise table.error(
            None, column,
            f"has {word!r} and {other!r}: write it in one way, or say by "
            f"{option('codes', f'{word}={other}')} that they are one label",
        )  # fmt: skip
    unknown = Counter({cell: n for cell, n in cells.counts.items() if labels_in[cell] is None})
    known = len(table) - sum(unknown.values())
    if not words or len(words) > max(2, known / 2):
        raise table.error(
            None, column,
            f"{len(words):,} different labels in {known:,} rows: is {separator!r} between them?",
        )  # fmt: skip
    member = np.zeros((len(labels_in), len(order)), np.int64)  # of each different cell
    for row, labels in zip(member, labels_in.values(), strict=True):
        row[:] = UNKNOWN if labels is None else [word in labels for word in order]
    place = {cell: number for number, cell in enumerate(labels_in)}
    values = member[[place[cell] for cell in table.columns[column]]]  # (N, attributes)
    attributes = []
    for word, has in zip(order, values.T, strict=True):
        if not (has == 0).any():
            which = "every row with a known label" if unknown else "every row"
            empty = f"if an empty cell means no: {option('codes', f'{cells.blank}=no')}; else a"
            raise table.error(
                None, column,
                f"{which} has {word!r}: two classes at least are needed; "
                f"{empty if any(map(_is_missing, unknown)) else 'a'}dd rows without it, or leave "
                f"it out by {option('codes', f'{word}=no')}",
            )  # fmt: skip
        attributes.append(
            Attribute(
                name=f"{prefix}{word}", column=column, labels=has, classes=PAIRS[1],
                unknown=unknown,
            )
        )  # fmt: skip
    together = {
        word for labels in labels_in.values() if labels and len(labels) > 1 for word in labels
    }
    several = counted(len(order), "attribute", "attributes")
    notes = [f"{column}: its cells hold {several}, {some(order)}"]
    if together and (alone := [word for word in order if word not in together]):
        notes.append(
            f"{column}: no cell has {some(alone)} beside another. If one of them means none, "
            f"say {option('codes', f'{alone[0]}=no')}"
        )
    return attributes, notes


def _meant(words: list[str], column: str, codes: Codes) -> set[str] | None:
    """The labels in a cell after codes: None where one of them is unknown."""
    said = [codes.meaning(column, word) or word for word in words]
    if any(word.lower() == "unknown" and word not in words for word in said):
        return None
    numbers = all(map(is_number, said))
    return {as_number(word) if numbers else word for word in said}
