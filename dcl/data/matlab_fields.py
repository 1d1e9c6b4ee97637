"""Fields of the one structure in an annotation's MATLAB file, checked; errors name the place."""

from pathlib import Path

import numpy as np

from .matlab import MatlabError, read_variable
from .resident import DataError


def fields_of(path: Path, variable: str, fields: tuple[str, ...], what: str) -> list[np.ndarray]:
    """Fields of the one structure in a MATLAB file."""
    if not path.is_file():
        raise DataError(
            f"missing {path}: expected {what}, which its authors give for research on request"
        )
    try:
        structure = read_variable(path, variable)
    except (MatlabError, OSError) as error:
        raise DataError(f"{path}: not a readable MATLAB file, expected {what} ({error})") from None
    held = structure.flat[0] if structure is not None and structure.size == 1 else None
    if not isinstance(held, dict):
        raise DataError(f"{path}: no structure {variable}, expected {what}")
    absent = [name for name in fields if name not in held]
    if absent:
        raise DataError(f"{path}: {variable} has no {', '.join(absent)}, expected {what}")
    return [held[name] for name in fields]


def texts(path: Path, field: str, cells: np.ndarray) -> tuple[str, ...]:
    """The strings of a cell array."""
    try:
        return tuple(str(np.ravel(cell)[0]) for cell in cells.ravel())
    except (AttributeError, IndexError):
        raise DataError(f"{path}: {field} is not a list of names") from None


def whole_numbers(path: Path, field: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers, as int64."""
    if values.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):  # of infinite values, which are not equal below
            whole = values.astype(np.int64)
        if np.array_equal(whole, values):
            return whole
    raise DataError(f"{path}: {field} is not of whole numbers")


def rows_of(path: Path, place: str, part, names, count: int) -> list[np.ndarray]:
    """Row indices, from 0, of each split of a partition; together every row once."""
    try:
        part = part if isinstance(part, dict) else part.flat[0]  # in a cell
        cells = [part[name].ravel() for name in names]
    except (AttributeError, IndexError, KeyError, TypeError):
        raise DataError(f"{path}, {place}: expected the fields {', '.join(names)}") from None
    rows = [whole_numbers(path, place, cell) - 1 for cell in cells]
    every = np.sort(np.concatenate(rows))
    if not np.array_equal(every, np.arange(count)):
        raise DataError(
            f"{path}, {place}: expected each of the {count:,} rows in one split, got "
            f"{len(every):,} indices, {len(np.unique(every)):,} of them different"
        )
    return rows


def check_values(path: Path, field: str, labels: np.ndarray, shape, allowed) -> None:
    if labels.shape != shape:
        raise DataError(f"{path}: {field} is {labels.shape}, expected {shape}")
    wrong = np.argwhere(~np.isin(labels, allowed))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"{path}, row {row + 1}: {field} of attribute {column + 1} is {labels[row, column]}, "
            f"expected one of {', '.join(map(str, allowed))}"
        )


def check_length(path: Path, field: str, entries, expected: int) -> None:
    if len(entries) != expected:
        raise DataError(f"{path}: {field} has {len(entries)} entries, expected {expected}")
