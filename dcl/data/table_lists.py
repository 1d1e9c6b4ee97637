"""Attributes that share cells or exclude each other: lists in a cell, one column for each class."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..checks import UNKNOWN
from .table_codes import Codes, as_number, option, some
from .table_file import Table, is_number
from .table_labels import PAIRS, Attribute, Cells, parts_of


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
    found: dict[str, set[str] | None] = {}  # the labels in each different cell
    for cell, text in cells.texts.items():
        whole = cell in cells.said and text is not None
        labels = {text} if whole else text and _meant(parts_of(text, separator), column, codes)
        found[cell] = labels - {"no"} if labels is not None else None
    words = {word for labels in found.values() for word in labels or ()}
    order = sorted(words, key=int) if all(map(str.isdecimal, words)) else sorted(words)
    spelt: dict[str, str] = {}
    for word in order:
        if spelt.setdefault(word.lower(), word) != word:
            other = spelt[word.lower()]
            raise table.error(
                None, column,
                f"has {word!r} and {other!r}: write it in one way, or say by "
                f"{option('codes', f'{word}={other}')} that they are one label",
            )  # fmt: skip
    unknown = Counter({cell: n for cell, n in cells.counts.items() if found[cell] is None})
    known = len(table) - sum(unknown.values())
    if not words or len(words) > max(2, known / 2):
        raise table.error(
            None, column,
            f"{len(words):,} different labels in {known:,} rows: is {separator!r} between them?",
        )  # fmt: skip
    member = np.zeros((len(found), len(order)), np.int64)  # of each different cell
    for row, labels in zip(member, found.values(), strict=True):
        row[:] = UNKNOWN if labels is None else [word in labels for word in order]
    place = {cell: number for number, cell in enumerate(found)}
    values = member[[place[cell] for cell in table.columns[column]]]  # (N, attributes)
    attributes = []
    for word, labels in zip(order, values.T, strict=True):
        if not (labels == 0).any():
            raise table.error(
                None, column,
                f"every row has {word!r}: two classes at least are needed. Add rows without it, or "
                f"leave it out by {option('codes', f'{word}=no')}",
            )  # fmt: skip
        attributes.append(
            Attribute(
                name=f"{prefix}{word}", column=column, labels=labels, classes=PAIRS[1],
                unknown=unknown,
            )
        )  # fmt: skip
    together = {word for labels in found.values() if labels and len(labels) > 1 for word in labels}
    notes = [f"{column}: its cells hold {len(order):,} attributes, {some(order)}"]
    if together and (alone := [word for word in order if word not in together]):
        notes.append(
            f"{column}: no cell has {some(alone)} beside another. If one of them means that there "
            f"is none, say {option('codes', f'{alone[0]}=no')}"
        )
    return attributes, notes


def _meant(words: list[str], column: str, codes: Codes) -> set[str] | None:
    """The labels in a cell after codes: None where one of them is unknown."""
    said = [codes.meaning(column, word) or word for word in words]
    if any(word.lower() == "unknown" and word not in words for word in said):
        return None
    numbers = all(map(is_number, said))
    return {as_number(word) if numbers else word for word in said}


def merged(table: Table, parts: Sequence[Attribute], name: str) -> Attribute:
    """One attribute of yes-or-no ones that exclude each other: the class of a row is its yes.

    Raises
    ------
    DataError
        For an attribute that is none of yes and no, and for a row with no yes, or more than one.
    """
    for part in parts:
        if not part.pair:
            raise table.error(
                None, part.column,
                f"has {some(part.classes)}: exclusive is for columns of 0 and 1, or no and yes. "
                f"Name those alone, or say by --codes what the cells mean",
            )  # fmt: skip
    labels = np.stack([part.labels for part in parts], axis=1)  # (N, parts)
    yes, known = (labels == 1).sum(1), (labels >= 0).all(1)
    called = ", ".join(part.column for part in parts)
    for wrong, what in ((yes > 1, "more than one is yes"), (known & (yes == 0), "none is yes")):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise table.error(
                row, parts[int(labels[row].argmax())].column,
                f"of the exclusive columns {called} {what}, in {int(wrong.sum()):,} of "
                f"{len(table):,} rows: mend these rows (with empty cells a row is unknown), or "
                f"leave `exclusive` out",
            )  # fmt: skip
    return Attribute(
        name=name, column=called, labels=np.where(yes == 1, labels.argmax(1), UNKNOWN),
        classes=tuple(part.name for part in parts), unknown=Counter({"": int((yes == 0).sum())}),
    )  # fmt: skip


def one_hot(attributes: Sequence[Attribute]) -> list[list[Attribute]]:
    """Runs of yes-or-no attributes, side by side, of which each row has exactly one yes."""
    runs, start = [], 0
    while start < len(attributes):
        best = 0
        yes, known = 0, True
        for end in range(start, len(attributes)):
            labels = attributes[end].labels
            yes, known = yes + (labels == 1), known & (labels >= 0)
            if not attributes[end].pair or not known.any() or (yes[known] > 1).any():
                break
            if end > start and (yes[known] == 1).all():
                best = end + 1
        if best:
            runs.append(list(attributes[start:best]))
        start = best or start + 1
    return runs
