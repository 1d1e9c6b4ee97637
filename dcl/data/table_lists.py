"""Cells of several labels: lists, whose labels are attributes that share a column, and vectors."""

import re
import shlex
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..checks import UNKNOWN
from .resident import DataError
from .table_cells import PAIRS, Attribute, Cells, ask_of_none, ask_of_nothing, is_missing
from .table_codes import Codes
from .table_columns import PREFIX, label_name
from .table_file import Table
from .table_words import (
    COMMA,
    WHOLE,
    as_number,
    counted,
    is_number,
    option,
    some,
    spelt_twice,
)

SURE_MARKS = "|;"  # hardly ever inside a word
MARKS = f"{SURE_MARKS},/+&"
JOINT = re.compile(r" (?:and|und|et|y|e|og|och) |[\W_]+")  # what else may be between labels
TEXT = "none"  # the separator of cells that are one text


def parts_of(text: str, mark: str) -> list[str]:
    """The labels in a cell: ``Cat|Dog``, or as Python writes a list, ``['Cat', 'Dog']``."""
    if text[:1] + text[-1:] in ("[]", "()", "{}"):
        text = text[1:-1]
    parts = text.split() if mark == " " else text.split(mark)
    return [word for part in parts if (word := part.strip().strip("'\"").strip())]


def ask_of_lists(cells: Cells) -> None:
    """Refuse words that look like several labels in a cell, where nobody says what they are."""
    texts = [text for text, cell in cells.known.items() if cell not in cells.said]
    if all(map(is_number, texts)):
        return
    if all(map(COMMA.fullmatch, texts)) and not _are_vectors(texts, ","):
        lists = "" if _are_whole(texts) else 'If a cell holds two labels, say --separator ",". '
        raise cells.error(
            cells.known[texts[0]],
            f"got {texts[0]!r}: every cell is a number with a comma. "
            f"{cells.table.with_points(cells.column)}{lists}If it is the name of a class, say "
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
                raise _looks_like_labels(cells, text, len(parts), f'"{mark}"')
    for text in texts:
        marks, parts = set(JOINT.findall(text)), JOINT.split(text)
        known = all(part in cells.known for part in parts) and not is_number(text)
        if len(marks) == 1 and known:
            raise _looks_like_labels(cells, text, len(parts), shlex.quote(*marks))


def _looks_like_labels(cells: Cells, text: str, count: int, mark: str) -> DataError:
    return cells.error(
        cells.known[text],
        f"got {text!r}, which looks like {count} labels: say by --separator {mark} that each of "
        f"them is an attribute, or by --separator {TEXT} that the text is one class",
    )


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
    word = label_name(column)
    name = f"{PREFIX}{'' if word.lower() == PREFIX[:-1] else word}".rstrip("_")
    read = table.in_pandas("dtype=str", "keep_default_na=False")
    parted = rf"f.pop({column!r}).str.extractall(r'([\w.]+)')[0].unstack()"
    raise cells.error(
        cells.known[texts[0]],
        f"got {texts[0]!r}: every cell looks like a vector of {count} yes-or-no labels. If it is "
        f"the name of a class, say --separator {TEXT}. If it is a vector, make a column of each "
        f"label, {name}_0 to {name}_{count - 1}, in Python: import pandas; f = {read}; "
        f"f.join({parted}.add_prefix('{name}_')).to_csv({table.beside('columns')}, index=False)",
    )


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
    ask_of_none(cells, lists=True)
    texts = [text for text, cell in cells.known.items() if cell not in cells.said]
    _ask_of_vectors(cells, texts, separator)
    for word in texts:
        ask_of_nothing(cells, word, lists=True)
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
        code = cells.code(cells.known[word]) if cells.known.get(word) in cells.said else word
        raise table.error(
            None, column,
            f"has {word!r} and {other!r}: write it in one way, or say by "
            f"{option('codes', f'{code}={other}')} that they are one label",
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
                f"{empty if any(map(is_missing, unknown)) else 'a'}dd rows without it, or leave "
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
