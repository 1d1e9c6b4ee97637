"""The split of a table's rows: given by a column, or drawn at random, with groups kept whole."""

import numpy as np

from .resident import SPELLINGS, SPLITS, DataError, split_name
from .stratify import TooRareError, stratify
from .table_cells import Attribute
from .table_columns import ID, Columns, names_places
from .table_file import Table
from .table_images import Images, joined
from .table_words import (
    MISSING,
    NO_CLASS,
    WHOLE,
    counted,
    is_number,
    option,
    some,
    spelt_elsewhere,
)

SHOWN = 5  # columns in a sentence
MANY = 5  # values of a column that may name patients or places, if its name does not say so
GROUPS = 7  # with fewer a place is a feature like others, and splits by it are coarse


def split_rows(
    table: Table,
    chosen: Columns,
    attributes: list[Attribute],
    shares: tuple[float, ...],
    seed: int,
    images: Images | None,
) -> tuple[np.ndarray, str]:
    """The split of each row, (N,) of "train", "val" or "test", and how it came about.

    Drawn by `shares` and `seed` where the table does not say: groups whole, copies of an image too.

    Raises
    ------
    DataError
        For a split without a row, a group that a given split cuts, and a class too rare to be drawn
        into each.
    """
    if chosen.split is not None:
        parts = splits_of(table, chosen.split)
        for name in SPLITS:
            if not (parts == name).any():
                raise DataError(_without(table, chosen.split, name))
        if chosen.group:
            check_groups(table, chosen.group, chosen.split, parts)
        return parts, f"split by the column {chosen.split}"
    labels = np.stack([attribute.labels for attribute in attributes], axis=1)
    groups = groups_of(table, chosen.group) if chosen.group else None
    whole = groups if images is None else joined(groups, images.copies)
    try:
        try:
            parts = stratify(labels, shares, seed, whole)
        except TooRareError:
            if whole is groups:
                raise
            parts = stratify(labels, shares, seed, groups)  # copies apart, which a note tells
    except TooRareError as error:
        attribute = attributes[error.attribute]
        has = (
            f"has {counted(error.rows, 'row', 'rows')}"
            if groups is None
            else f"is in {counted(error.rows, 'group', 'groups')} of {chosen.group}"
        )
        raise DataError(
            f"{table.path}: the class {attribute.classes[error.label]!r} of {attribute.name} "
            f"{has}, too few for train, val and test: add rows, ignore the column, make the label "
            f"unknown or another class by --codes, or say in a column `split` where each row "
            f"belongs"
        ) from None
    drawn = ", ".join(f"{100 * share:g} %" for share in shares)
    each = f", each {chosen.group} in one of them," if chosen.group else ""
    return np.array(SPLITS)[parts], f"split at random ({drawn}){each} with seed {seed}"


def _without(table: Table, column: str, part: str) -> str:
    """What an error says of a given split that no row is of."""
    if table.folders:
        return (
            f"{table.path}: there is no folder {part}. Make one beside the others, and move some "
            f"images of every class into it"
        )
    rows = "Give it rows, such as some of train" if part == "val" else "Give it rows"
    return (
        f"{table.path}, column {column!r}: no row is {part}. {rows}, or ignore the column to have "
        f"the rows split at random"
    )


def splits_of(table: Table, column: str) -> np.ndarray:
    """The split of each row, (N,) of "train", "val" or "test"."""
    splits = [split_name(cell) for cell in table.columns[column]]
    if None in splits:
        row = splits.index(None)
        allowed = ", ".join(word for words in SPELLINGS.values() for word in words)
        cell = table.columns[column][row]
        raise table.error(
            row, column, f"{f'got {cell!r}' if cell else 'is empty'}, expected one of {allowed}"
        )
    return np.array(splits)


def groups_of(table: Table, column: str) -> np.ndarray:
    """The group of each row (N,): a number for each different cell."""
    cells = table.columns[column]
    nothing = MISSING | NO_CLASS
    empty = [row for row, cell in enumerate(cells) if cell.lower() in nothing]
    if empty:
        cell = cells[empty[0]]
        raise table.error(
            empty[0], column,
            f"is empty{f', {cell!r}' if cell else ''}, in {len(empty):,} of {len(cells):,} rows: a "
            f"row of an unknown group may belong to any. Write a group, a new one for a row that "
            f"stands alone",
        )  # fmt: skip
    if twice := spelt_elsewhere(cells):
        raise table.error(twice[0], column, twice[1])
    groups = np.unique(cells, return_inverse=True)[1]
    if groups.max() < len(SPLITS) - 1:
        has = counted(groups.max() + 1, "group", "groups")
        raise table.error(None, column, f"has {has}: train, val and test need one each")
    return groups


def check_groups(table: Table, column: str, split: str, parts: np.ndarray) -> None:
    """Refuse a given split that cuts through a group."""
    cut = cut_values(table, column, parts)
    if cut:
        raise table.error(
            None, column,
            f"{counted(len(cut), 'group lies', 'groups lie')} in more than one split: {some(cut)}. "
            f"Mend the column "
            f"{split!r}, or have the rows split at random by {option('ignore', split)}",
        )  # fmt: skip


def cut_values(table: Table, column: str, parts: np.ndarray) -> list[str]:
    """Values of a column that rows of more than one split have."""
    first: dict[str, str] = {}
    cut: dict[str, None] = {}
    for cell, part in zip(table.columns[column], parts, strict=True):
        if cell.lower() not in MISSING and first.setdefault(cell, part) != part:
            cut[cell] = None
    return list(cut)


def leaks(table: Table, columns: list[str], parts: np.ndarray) -> list[str]:
    """A sentence on the columns left out whose values come again in another split."""
    shared = {}
    for column in columns:
        values = set(table.columns[column])
        split = all(map(split_name, values))
        measured = all(map(is_number, values)) and not all(map(WHOLE.fullmatch, values))
        if not names_places(column) and (split or measured or len(values) < MANY):
            continue
        cut = cut_values(table, column, parts) if len(values) >= len(SPLITS) else []
        if cut:
            shared[column] = f"{column} ({len(cut):,} of {len(values):,} values)"
    if not shared:
        return []
    order = sorted(
        shared, key=lambda column: (not names_places(column), -len(set(table.columns[column])))
    )
    more = f" and {len(order) - SHOWN} more columns" if len(order) > SHOWN else ""
    return [
        f"warning: rows in different splits share values of columns left out: "
        f"{', '.join(shared[column] for column in order[:SHOWN])}{more}. If rows with the same "
        f"value are of one patient, lesion or place, the test measures what the training has seen: "
        f"keep them in one split by {option('group', order[0])}"
    ]


def names_as_features(table: Table, columns: list[str], parts: np.ndarray, group: str) -> list[str]:
    """Sentences on features that are called as ids, patients or places are: rows may share them."""
    notes = []
    for column in columns:
        values = set(table.columns[column])
        measured = all(map(is_number, values)) and not all(map(WHOLE.fullmatch, values))
        named = ID.search(column)
        if len(values) < 2 or not (named or (names_places(column) and not measured)):
            continue
        what = "an id" if named else "a place or a person"
        told = f"warning: {column} is called as {what} is, and is a feature"
        leave = f"{option('ignore', column)} leaves it out"
        least = len(SPLITS) if named else GROUPS
        cut = cut_values(table, column, parts) if len(values) >= least and not group else []
        if cut:
            lie = counted(len(cut), "of them lies", "of them lie")
            notes.append(
                f"{told}. It has {len(values):,} values, and {lie} in more than one split, so that "
                f"the test may measure what the training has seen: {option('group', column)} "
                f"keeps rows of one value in one split, {leave}"
            )
        elif named:
            notes.append(f"{told}: {leave}")
    return notes
