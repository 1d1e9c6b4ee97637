"""Features of a table: numbers, and texts as one column for each category of the training rows."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .resident import DataError
from .table_cells import Attribute
from .table_columns import PATHS, PREFIX, holds_images, names_places
from .table_file import Table
from .table_outliers import outliers
from .table_words import MISSING, counted, has_zeros, is_number, nfc, option, some

IMPUTE = ("none", "median")
LIKE_NUMBERS = re.compile(r"[<>=~≤≥]*\s*[+-]?[0-9][0-9.,' ]*%?")  # no category
FEWEST = 5  # rows of each class, where a feature that tells it is no chance
EACH = 3  # numbers with and without a point, to ask whether it parts thousands
TIMES = 5  # how much larger numbers without a point are, if the point in others parts thousands
COUNTED = 30  # whole numbers that do not rise from row to row by chance
CHANCE = 1e-6  # that the rows in which a column is empty have one class
CATEGORIES = 4  # rows that a category needs, in the mean
IS_LABEL = (
    f"A column of labels is called {PREFIX}... or named by `labels`, others are left out by "
    f"`ignore`"
)
MEND = "Mend the cell or take its row out"  # of new rows, whose columns are those of the training


Read = dict[str, tuple[np.ndarray | None, np.ndarray]]
"""Column -> its numbers (N,), None for texts, and where it is empty (N,)."""


def read_features(table: Table, columns: list[str], impute: str) -> Read:
    """The cells of features, as far as the split does not matter.

    Raises
    ------
    DataError
        For cells that are neither numbers nor texts, and for empty ones without `impute`.
    """
    read: Read = {}
    for column in columns:
        cells = table.columns[column]
        read[column] = numbers, empty = _numbers(table, column)
        if numbers is not None:
            _check_numbers(table, column, numbers, empty, IS_LABEL)
        if empty.any() and impute == "none":
            row, what = int(empty.argmax()), "a text" if numbers is None else "a finite number"
            raise table.error(
                row, column,
                f"{_got(cells[row])}, expected {what}, in {int(empty.sum()):,} of {len(cells):,} "
                f"rows: --impute median takes the training rows' median in its place"
                f"{' (of a text, no category)' if numbers is None else ''}. {IS_LABEL}",
            )  # fmt: skip
    return read


def features_of(
    table: Table, read: Read, rows: dict[str, np.ndarray], impute: str
) -> tuple[np.ndarray, dict, list[str]]:
    """Features (N, F) float64 before standardising, facts on them, and sentences.

    What is put in the place of an empty cell, and which categories a text has, is decided by the
    training rows. A text has a column for each category, 1 where the row has it; a row with an
    empty cell, or a category that training lacks, has 0 in all. A column that is the same in all
    training rows is left out: its weights would stay as they were drawn, and decide new rows that
    differ.

    Parameters
    ----------
    table : Table
    read : dict
        Of `read_features`.
    rows : dict
        Split -> its rows.
    impute : {"none", "median"}
        With ``median`` the facts hold those of every number, for new rows.

    Raises
    ------
    DataError
        For a feature that counts the rows, that training has no value of, for texts that are no
        categories, for two features of one name, and where every column is left out.
    """
    values, names, notes = [], [], []
    facts: dict[str, dict] = {"median": {}, "categories": {}}
    for column, (numbers, empty) in read.items():
        cells = np.array(table.columns[column])
        if empty[rows["train"]].all():
            raise table.error(
                None, column, f"no training row has a value: {option('ignore', column)}"
            )
        if numbers is None:
            known = sorted({str(cells[row]) for row in rows["train"] if not empty[row]})
            _check_categories(table, column, known, empty)
            if len(known) == 1 and not empty[rows["train"]].any():
                notes.append(_constant(column, known[0]))
                continue
            values += list((cells == np.array(known)[:, None]).astype(float))
            names += [f"{column}={name}" for name in known]
            facts["categories"][column] = known
            notes += _told(column, cells, known, empty)
            continue
        _check_counter(table, column, numbers)
        notes += outliers(table, column, numbers, rows["train"])
        notes += _zeros(column, cells) + _rising(column, numbers)
        median = float(np.nanmedian(numbers[rows["train"]]))
        if (np.where(empty, median, numbers)[rows["train"]] == median).all():
            notes.append(_constant(column, f"{median:g}"))
            continue
        if impute == "median":
            facts["median"][column] = median
        if empty.any():
            numbers[empty] = median
            notes.append(f"{column}: {_medians(empty, median)}")
        values.append(numbers)
        names.append(column)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{table.path}: two features are called {twice!r}, a number and a category of a text: "
            f"rename one of the columns"
        )
    if not names:
        raise DataError(
            f"{table.path}: {some(read)}: the same in all training rows, so that nothing can be "
            f"learned. Add a column that differs from row to row"
        )
    told = {name: value for name, value in facts.items() if value}
    return np.stack(values, axis=1), {"names": names} | told, notes


def _constant(column: str, cell: str) -> str:
    """What a sentence says of a column that tells no training row from another."""
    return f"{column}: the same in all training rows, {cell}: left out"


def _medians(empty: np.ndarray, median: float) -> str:
    """What a sentence says of empty cells that become the median."""
    of = f"of {len(empty):,} cells"
    filled = counted(int(empty.sum()), f"{of} is empty and becomes", f"{of} are empty and become")
    return f"{filled} {median:.6g}, the training rows' median"


def _told(column: str, cells: np.ndarray, known: list[str], empty: np.ndarray) -> list[str]:
    """Sentences on a text as features."""
    told = f"{column}: a text, one feature for each of {some(known)}"
    return [told, *_untold(column, cells, known, empty, " of val and test")]


def _untold(
    column: str, cells: np.ndarray, known: Sequence[str], empty: np.ndarray, where: str = ""
) -> list[str]:
    """Sentences on cells of a text that no feature tells."""
    notes = []
    new = cells[~empty & ~np.isin(cells, known)].tolist()
    if new:
        notes.append(
            f"{column}: {counted(len(new), f'row{where} has', f'rows{where} have')} a category "
            f"that training lacks, {some(sorted(set(new)))}: no feature of it is 1"
        )
    if empty.any():
        blank = counted(int(empty.sum()), "empty cell is", "empty cells are")
        notes.append(f"{column}: {blank} no category")
    return notes


def _numbers(table: Table, column: str) -> tuple[np.ndarray | None, np.ndarray]:
    """Numbers (N,) of a column, NaN for none, or None if it holds texts; and where it is empty."""
    cells = table.columns[column]
    empty = np.array([cell.lower() in MISSING for cell in cells])
    if any(map(is_number, cells)):
        empty |= np.array([cell == "?" for cell in cells])  # as the tables of UCI have it
    number = np.array([is_number(cell) for cell in cells]) & ~empty
    texts = [cell for cell, blank in zip(cells, empty, strict=True) if not blank]
    if not number.any() and texts and not all(map(LIKE_NUMBERS.fullmatch, texts)):
        return None, empty & np.array([cell.lower() != "none" for cell in cells])  # a category
    numbers = np.full(len(cells), np.nan)
    numbers[number] = [float(cells[row]) for row in np.flatnonzero(number)]
    return numbers, empty


def _check_counter(table: Table, column: str, values: np.ndarray) -> None:
    values = values[~np.isnan(values)]
    if len(values) > 2 and (np.diff(np.sort(values)) == 1).all():
        raise table.error(
            None, column,
            f"counts the rows, from {values.min():g} to {values.max():g}: that is no feature. "
            f"Leave it out by {option('ignore', column)}",
        )  # fmt: skip


def _rising(column: str, values: np.ndarray) -> list[str]:
    """A sentence on whole numbers that rise from row to row, as those of a filtered table do."""
    known = values[~np.isnan(values)]
    if len(known) < COUNTED or (known != np.round(known)).any() or (np.diff(known) <= 0).any():
        return []
    return [
        f"warning: {column} rises from row to row, as the numbers of rows do, and is a feature: if "
        f"it is such a number, leave it out by {option('ignore', column)}"
    ]


def _zeros(column: str, cells: np.ndarray) -> list[str]:
    """A sentence on numbers with leading zeros, which codes have: postal ones."""
    zeros = [cell for cell in cells.tolist() if has_zeros(cell)]
    if not zeros:
        return []
    begin = counted(len(zeros), "number begins", "numbers begin")
    return [
        f"{column}: {begin} with a zero, such as {zeros[0]!r}, and the feature is the number: of "
        f"codes, such as postal ones, leave the column out by {option('ignore', column)}, or write "
        f"a letter before each to have categories"
    ]


def giveaways(read: Read, table: Table, attributes: Sequence[Attribute]) -> list[str]:
    """Sentences on features that tell a label, such as its copy, or a cell filled in afterwards."""
    notes = []
    for column, (numbers, empty) in read.items():
        cells = np.array(table.columns[column])
        for attribute in attributes:
            known = (attribute.labels >= 0) & ~empty
            y, x = attribute.labels[known], cells[known] if numbers is None else numbers[known]
            sizes = np.unique(y, return_counts=True)[1]
            told = ""
            if len(sizes) > 1 and sizes.min() >= FEWEST and _tells(x, y):
                told = f"{column} tells {attribute.name} in every row"
            elif cells_in := _blank_tells(empty, attribute):
                told = f"{column} is {cells_in}"
            if told:
                notes.append(
                    f"warning: {told}: if it says the same, or is known only afterwards, leave it "
                    f"out by {option('ignore', column)}"
                )
    return notes


def _tells(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a value has one class, by no chance; or the classes lie apart on a number's line."""
    classes, (values, counts) = np.unique(y), np.unique(x, return_counts=True)
    if len(values) == len(classes) or counts.min() >= FEWEST:
        return len(set(zip(x.tolist(), y.tolist(), strict=True))) == len(values)
    if x.dtype.kind != "f":
        return False
    ends = sorted((x[y == label].min(), x[y == label].max()) for label in classes)
    return all(below[1] < above[0] for below, above in pairwise(ends))


def _blank_tells(empty: np.ndarray, attribute: Attribute) -> str:
    """Where a column is empty, or filled, if all such rows have one class by no chance."""
    known = attribute.labels >= 0
    y = attribute.labels[known]
    for where, what in ((empty[known], "empty"), (~empty[known], "filled in")):
        classes, rows = np.unique(y[where]), int(where.sum())
        if len(classes) == 1 and (y == classes[0]).mean() ** rows < CHANCE:
            called = repr(attribute.classes[classes[0]])
            return f"{what} in {rows:,} rows, where {attribute.name} is always {called}"
    return ""


def _got(cell: str) -> str:
    return f"got {cell!r}" if cell else "is empty"


def _check_numbers(
    table: Table, column: str, numbers: np.ndarray, empty: np.ndarray, advice: str
) -> None:
    wrong = np.flatnonzero(~np.isfinite(numbers) & ~empty)
    if len(wrong):
        cell = table.columns[column][wrong[0]]
        digits = ", of digits and a decimal point alone" if LIKE_NUMBERS.fullmatch(cell) else ""
        mark = "," if "," in cell else "." * (cell.count(".") > 1)
        points = table.with_points(column, mark) if mark else ""
        raise table.error(
            int(wrong[0]), column,
            f"{_got(cell)}, expected a finite number{digits}. {points}{advice}",
        )  # fmt: skip
    _ask_of_thousands(table, column, numbers)


def _ask_of_thousands(table: Table, column: str, numbers: np.ndarray) -> None:
    """Refuse points that part thousands, as 987 beside 1.234 shows: the smaller would be larger."""
    cells, mended = table.columns[column], table.with_points(column, ".")
    pointed = np.array(["." in cell for cell in cells])
    whole = ~pointed & (numbers != 0) & (np.abs(numbers) < 1000)
    if not mended or min(pointed.sum(), whole.sum()) < EACH:
        return
    typical, others = (np.median(np.abs(numbers[rows])) for rows in (whole, pointed))
    if typical > TIMES * others and not (np.abs(numbers[~pointed]) >= 1000).any():
        row = int(pointed.argmax())
        raise table.error(
            row, column,
            f"got {cells[row]!r} beside {cells[int(whole.argmax())]!r}: do points part thousands? "
            f"{mended}If they are decimal points, write one as {cells[row]}0",
        )  # fmt: skip


def _check_categories(table: Table, column: str, known: list[str], empty: np.ndarray) -> None:
    rows = int((~empty).sum())
    if len(known) > max(2, rows / CATEGORIES):
        row = int((~empty).argmax())
        more = f", or keep rows of one text in one split by {option('group', column)}"
        more = more if names_places(column) else ""
        if holds_images(table, column):
            more = f". If it names the images, call it {PATHS[0]}"
        raise table.error(
            row, column,
            f"got {table.columns[column][row]!r}, expected a finite number or a category: "
            f"{len(known):,} different texts in {rows:,} rows are none. Leave the column out by "
            f"{option('ignore', column)}{more}",
        )  # fmt: skip


def columns_of(facts: dict) -> list[str]:
    """The columns of a table that its features were made of, numbers first."""
    facts = _composed(facts)
    texts = facts.get("categories", {})
    made = {f"{column}={name}" for column, known in texts.items() for name in known}
    return [*(name for name in facts["names"] if name not in made), *texts]


def _composed(facts):
    """Facts with their names in the Unicode form of a table's: older records kept another."""
    if isinstance(facts, dict):
        return {nfc(key): _composed(value) for key, value in facts.items()}
    if isinstance(facts, list):
        return list(map(_composed, facts))
    return nfc(facts) if isinstance(facts, str) else facts


def features_again(table: Table, facts: dict) -> tuple[np.ndarray, list[str]]:
    """Features (N, F) float32 of new rows, made as those of a training were; and sentences.

    Parameters
    ----------
    table : Table
        With the columns that were trained on; others are passed over.
    facts : dict
        ``facts["features"]`` of the training's data set: names, mean, std, low and high, and what
        empty cells and texts became.

    Raises
    ------
    DataError
        For a column that is missing, an empty cell where training had none, and what is no number.
    """
    facts = _composed(facts)
    texts, medians, columns = (
        facts.get("categories", {}),
        facts.get("median", {}),
        columns_of(facts),
    )
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise DataError(
            f"{table.path}: there is no column {missing[0]!r}, which the training has: its columns "
            f"are {some(columns)}"
        )
    found, notes = {}, []
    for column in columns:
        cells = np.array(table.columns[column])
        if column in texts:
            for name in texts[column]:
                found[f"{column}={name}"] = (cells == name).astype(float)
            blank = np.array([cell.lower() in MISSING - {"none"} for cell in cells])
            notes += _untold(column, cells, texts[column], blank)
            continue
        numbers, empty = _numbers(table, column)
        if numbers is None:
            numbers = np.full(len(cells), np.nan)
        hint = ", or leave the cell empty, for the training's median" if column in medians else ""
        _check_numbers(table, column, numbers, empty, f"{MEND}{hint}")
        if empty.any() and column not in medians:
            row = int(empty.argmax())
            raise table.error(
                row, column,
                f"{_got(table.columns[column][row])}, expected a number: training had one in "
                f"every row. {MEND}",
            )  # fmt: skip
        if empty.any():
            numbers[empty] = medians[column]
            notes.append(f"{column}: {_medians(empty, medians[column])}")
        found[column] = numbers
        if "low" in facts:  # older records have none
            place = facts["names"].index(column)
            notes += _far(table, column, numbers, facts["low"][place], facts["high"][place])
    values = np.stack([found[name] for name in facts["names"]], axis=1)
    mean, std = np.array(facts["mean"]), np.array(facts["std"])
    return _scaled(table, facts["names"], values, mean, std, MEND), notes


def _far(table: Table, column: str, numbers: np.ndarray, low: float, high: float) -> list[str]:
    """A sentence on new numbers farther beyond those of training than these lie apart."""
    beyond = np.flatnonzero(np.maximum(low - numbers, numbers - high) > high - low)
    if not len(beyond):
        return []
    of = f"of {len(numbers):,} numbers"
    return [
        f"warning: {column}: {counted(len(beyond), f'{of} is', f'{of} are')} far from those of "
        f"the training, {low:g} to {high:g}; the first is {numbers[beyond[0]]:g}, row "
        f"{table.rows[beyond[0]]}: check the unit, and whether it stands for nothing known"
    ]


def standardised(table: Table, names: list[str], values: np.ndarray, train: np.ndarray):
    """Features (N, F) float32 less the training rows' mean over their deviation, and both (F,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = values[train].mean(0), values[train].std(0)
    beyond = np.flatnonzero(~np.isfinite(mean) | ~np.isfinite(std))
    if len(beyond):
        place = int(beyond[0])
        row = int(train[abs(values[train, place]).argmax()])
        raise table.error(
            row, names[place],
            f"got {values[row, place]:g}, too large for a mean and deviation of the training rows. "
            f"Mend it, or scale the column",
        )  # fmt: skip
    std[std == 0] = 1  # nearer to each other than numbers are apart
    return _scaled(table, names, values, mean, std, "Mend it, or scale the column"), mean, std


def _scaled(
    table: Table, names: list[str], values: np.ndarray, mean: np.ndarray, std: np.ndarray,
    advice: str,
) -> np.ndarray:  # fmt: skip
    """Features (N, F) float32 less a mean over a deviation (F,); refused where that is too far."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = ((values - mean) / std).astype(np.float32)
    wrong = np.argwhere(~np.isfinite(scaled))
    if len(wrong):
        row, place = wrong[0]
        raise table.error(
            int(row), names[place],
            f"got {values[row, place]:g}, too far from the training rows' mean {mean[place]:.3g} "
            f"for a feature. {advice}",
        )  # fmt: skip
    return scaled
