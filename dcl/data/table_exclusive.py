"""Columns that exclude each other: yes-or-no attributes of which each row has one yes."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..checks import UNKNOWN
from .resident import DataError
from .table_cells import Attribute
from .table_columns import Columns
from .table_file import Table
from .table_words import some

ALL = "all"  # of `exclusive`: every column of labels
NONE = 0.05  # of the rows may have no yes where columns are the classes of one label


def exclusive_columns(table: Table, chosen: Columns, split: list[str], exclusive) -> list[str]:
    """The columns that become one label."""
    columns = chosen.labels if list(exclusive) == [ALL] else list(exclusive)
    wrong = [name for name in columns if name not in chosen.labels or name in split]
    if wrong or len(columns) == 1:
        raise DataError(
            f"{table.path}: exclusive names {some(wrong or columns)}, expected two columns of "
            f"labels or more, or {ALL}: {some(chosen.labels)}"
        )
    return columns


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
    """Runs of yes-or-no attributes, side by side, of which each row has exactly one yes.

    A few rows may have none: fewer than have any of them.
    """
    runs, start = [], 0
    while start < len(attributes):
        best = 0
        rows = len(attributes[start].labels)
        yes, known, least = np.zeros(rows, np.int64), np.ones(rows, bool), rows
        for end in range(start, len(attributes)):
            labels = attributes[end].labels
            yes, known = yes + (labels == 1), known & (labels >= 0)
            if not attributes[end].pair or not known.any() or (yes[known] > 1).any():
                break
            least = min(least, int((labels == 1).sum()))
            none = int((yes[known] == 0).sum())
            if end > start and (not none or none < min(least, NONE * known.sum())):
                best = end + 1
        if best:
            runs.append(list(attributes[start:best]))
        start = best or start + 1
    return runs
