"""Data frames side by side: everything is taken by its place, whatever their rows are called."""

from collections.abc import Sequence
from itertools import combinations
from os.path import commonprefix
from typing import Any


def check_frames(names: Sequence[str] | None = None, **values: Any) -> None:
    """Refuse data frames whose rows are the same in another order, or whose columns do not fit.

    Everything is taken by its place: what a frame calls its rows and columns aligns nothing. Of
    columns what all of a frame's begin or end with, as y_ and s_, does not matter; frames that
    share some columns must share all.

    Parameters
    ----------
    names : sequence of str, optional
        Of the columns, where they are given.
    values
        By name; what is no data frame or series is passed over.
    """
    frames = {name: value for name, value in values.items() if hasattr(value, "to_numpy")}
    rows, columns = (
        {name: list(getattr(frame, axis)) for name, frame in frames.items() if hasattr(frame, axis)}
        for axis in ("index", "columns")
    )
    if names is not None:
        columns["names"] = list(names)
    columns = {name: _called(each) for name, each in columns.items()}
    for what, orders in (("rows", rows), ("columns", columns)):
        for (one, these), (other, those) in combinations(orders.items(), 2):
            if these == those or len(these) != len(those) or not set(these) & set(those):
                continue
            place = next(i for i in range(len(these)) if these[i] != those[i])
            differ = f"at place {place} they have {these[place]!r} and {those[place]!r}"
            if set(these) == set(those):
                do = "Bring them into one order"
                if what == "rows":
                    do = (
                        "If row by row they belong together as they are, give arrays, "
                        ".to_numpy(); bring them into one order only if the index names the rows"
                    )
                raise ValueError(
                    f"{one} and {other} have the same {what} in another order: {differ}. {do}"
                )
            if what == "columns":
                raise ValueError(
                    f"{one} and {other} share some columns, not all: {differ}. Give them the same "
                    f"columns, or arrays, which are taken by their place"
                )


def _called(columns: list) -> list:
    """Names of columns without what all of them begin or end with; numbers as they are."""
    if len(columns) < 2 or not all(isinstance(name, str) for name in columns):
        return columns
    start = len(commonprefix(columns))
    columns = [name[start:] for name in columns]
    end = len(commonprefix([name[::-1] for name in columns]))
    return [name[: len(name) - end] for name in columns]
