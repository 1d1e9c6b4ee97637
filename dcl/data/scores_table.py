"""A table of scores and labels, from any network, for `python -m dcl tune`.

Columns: ``id``, optional ``split`` (val or test) and ``group``, labels ``y_<name>`` (blank where
unknown) and scores ``s_<name>``; or two files whose other columns have the same names.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evaluation.scored_rows import LARGEST
from ..evaluation.thresholds import FOLDS
from .resident import SPELLINGS, DataError, split_name
from .table_columns import names_places, names_splits, splits_in
from .table_file import PARQUET, SEPARATORS, lines_of, read_table, separator_of
from .table_words import MISSING, comma_hint, nfc, spelt_elsewhere

YES_NO = {
    "0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "no": 0, "yes": 1,
    "": -1, "nan": -1,
}  # fmt: skip
SPLITS = {word: name for name in ("val", "test") for word in SPELLINGS[name]}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NUMBERS = re.compile(rf"({NUMBER.pattern},)*", re.ASCII)
KEYS = ("id", "split", "group")


@dataclass(frozen=True, kw_only=True)
class ScoresTable:
    """Scores and labels, checked cell by cell."""

    names: tuple[str, ...]  # the A labels
    scores: np.ndarray  # (N, A) float64
    labels: np.ndarray  # (N, A) int64, -1 unknown
    split: list[str] | None  # (N,) "val" or "test"
    groups: list[str] | None  # (N,)
    ignored: tuple[str, ...]  # columns that are none of these
    doubts: tuple[str, ...]  # what some of those may be
    rows: list[int]  # (N,) the number of each row in its file


def read_scores(path: Path) -> ScoresTable:
    """The table of one file: CSV, tab-separated or Parquet.

    Raises
    ------
    DataError
        For a file that cannot be read, a column without its fellow, a column of splits under
        another name, and a cell that is no label, no score or no split, with row and column.
    """
    names = _header(path)
    labels = [name[2:] for name in names if name.startswith("y_")]
    scores = [name[2:] for name in names if name.startswith("s_")]
    for these, other, kind in ((labels, scores, "ys"), (scores, labels, "sy")):
        for name in these:
            if name not in other:
                raise DataError(
                    f"{path}, row 1, column '{kind[0]}_{name}': there is no column "
                    f"'{kind[1]}_{name}'. Each label y_<name> needs its score s_<name>"
                )
    if not labels:
        raise DataError(
            f"{path}, row 1: there is no label. Call labels y_<name> and their scores s_<name>"
        )
    kinds = {name: name[0] if name[:2] in ("y_", "s_") else "key" for name in names}
    cells, rows = _cells(path, kinds)
    return _table(
        path,
        cells,
        rows,
        {n: cells[f"s_{n}"] for n in labels},
        {n: cells[f"y_{n}"] for n in labels},
    )


def read_two(labels_path: Path, scores_path: Path) -> ScoresTable:
    """The table of two files, rows in the order of the labels': joined by ``id``.

    Their columns are called alike, or the labels' y_<name> and the scores' s_<name>.

    Raises
    ------
    DataError
        As `read_scores`, and for a column or an id that only one of the files has.
    """
    headers = {path: _header(path) for path in (labels_path, scores_path)}
    same = len({frozenset(header) - set(KEYS) for header in headers.values()}) == 1
    y, s = ("", "") if same else ("y_", "s_")
    headers = {
        path: _without_prefix(headers[path], mark)
        for path, mark in ((labels_path, y), (scores_path, s))
    }
    names = [name for name in headers[labels_path] if name not in KEYS]
    for path, other in ((labels_path, scores_path), (scores_path, labels_path)):
        if "id" not in headers[path]:
            raise DataError(
                f"{path}, row 1: two files are joined by a column 'id', which is missing"
            )
        for name in headers[path]:
            if name not in KEYS and name not in headers[other]:
                raise DataError(f"{path}, row 1, column {name!r}: {other} has no such column")
    if not names:
        raise DataError(f"{labels_path}, row 1: there is no column of labels beside the id")
    kinds = dict.fromkeys(names, "y") | dict.fromkeys(KEYS, "key")
    cells, rows = _cells(labels_path, kinds, y)
    kinds = dict.fromkeys(names, "s") | dict.fromkeys(KEYS, "key")
    scored, score_rows = _cells(scores_path, kinds, s)
    for key in KEYS[1:]:
        if key in scored:
            raise DataError(f"{scores_path}, row 1, column {key!r}: belongs into {labels_path}")
    _unique(scores_path, scored["id"], score_rows)
    where = {name: i for i, name in enumerate(scored["id"])}
    for name, row in zip(cells["id"], rows, strict=True):
        if name not in where:
            raise DataError(f"{labels_path}, row {row}, column 'id': {scores_path} has no {name!r}")
    table = _table(labels_path, cells, rows, {}, {name: cells[name] for name in names})
    if len(where) > len(rows):
        known = set(cells["id"])
        name, row = next(
            (name, row) for name, row in zip(scored["id"], score_rows, strict=True)
            if name not in known
        )  # fmt: skip
        raise DataError(f"{scores_path}, row {row}, column 'id': {labels_path} has no {name!r}")
    order = np.array([where[name] for name in cells["id"]])
    scores = np.stack([scored[name] for name in names], 1)[order]
    return ScoresTable(**{**vars(table), "scores": scores})


def _header(path: Path) -> list[str]:
    return next(_lines(path))[1]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row, the column names first."""
    if path.suffix.lower() in SEPARATORS and path.is_file():
        lines = lines_of(path, separator_of(path))  # row by row: there may be millions of cells
        names = next(lines)[1]
    else:
        table = read_table(path)
        names = list(table.columns)
        cells = map(list, zip(*table.columns.values(), strict=True))
        lines = zip(table.rows, cells, strict=True)
    header = [_key(name) for name in names]
    for number, name in enumerate(header):
        if name in header[:number]:
            raise DataError(f"{path}, row 1: two columns are called {name!r}")
    yield 1, header
    yield from lines


def _key(name: str) -> str:
    """Split is split, GROUP is group; any other name stays."""
    return name.lower() if name.lower() in KEYS else name


def _without_prefix(names: list[str], prefix: str) -> list[str]:
    """Names without a prefix that all of them have but the keys."""
    own = [name for name in names if name not in KEYS]
    if not all(name.startswith(prefix) and name != prefix for name in own):
        return names
    return [name if name in KEYS else name.removeprefix(prefix) for name in names]


def _cells(path: Path, kinds: dict[str, str], prefix: str = "") -> tuple[dict, list[int]]:
    """Columns by name, as numbers or as texts by their kind, and the number of each row.

    The names are those without `prefix`. Numbers are made row by row: a thousand labels of twenty
    thousand rows are forty million cells.
    """
    lines = _lines(path)
    header = _without_prefix(next(lines)[1], prefix)
    places = {kind: [i for i, n in enumerate(header) if kinds.get(n) == kind] for kind in "ys"}
    texts = [i for i, name in enumerate(header) if kinds.get(name, "key") == "key"]
    values: dict[str, list[np.ndarray]] = {"y": [], "s": []}
    kept: dict[int, list[str]] = {i: [] for i in texts}
    rows = []
    for row, cells in lines:
        rows.append(row)
        for i in texts:
            kept[i].append(nfc(cells[i]))
        values["y"].append(_labels(path, row, header, places["y"], cells))
        values["s"].append(_scores(path, row, header, places["s"], cells))
    if not rows:
        raise DataError(f"{path}: there is no row below the column names")
    columns: dict = {header[i]: column for i, column in kept.items()}
    for kind, at in places.items():
        for name, column in zip([header[i] for i in at], np.array(values[kind]).T, strict=True):
            columns[name] = column
    return columns, rows


def _labels(path, row: int, header: list[str], places: list[int], cells) -> np.ndarray:
    try:
        return np.array([YES_NO[cells[i]] for i in places], np.int8)
    except KeyError:
        pass
    labels = [YES_NO.get(cells[i].lower()) for i in places]
    if None in labels:
        i = places[labels.index(None)]
        raise DataError(
            f"{path}, row {row}, column {header[i]!r}: a label is 0 for no, 1 for yes or blank for "
            f"unknown, got {cells[i]!r}"
        )
    return np.array(labels, np.int8)


def _scores(path, row: int, header: list[str], places: list[int], cells) -> np.ndarray:
    try:
        values = np.array([float(cells[i]) for i in places])
        plain = NUMBERS.fullmatch("".join(f"{cells[i]}," for i in places))  # no nan, no 1_000
        if plain and (np.abs(values) <= LARGEST).all():
            return values
    except ValueError:
        pass
    for i in places:
        cell = cells[i]
        if not NUMBER.fullmatch(cell) or not abs(float(cell)) <= LARGEST:
            hint = comma_hint(cell) or (
                f" of {LARGEST:g} at most" if cell and math.isfinite(_float(cell)) else ""
            )
            raise DataError(
                f"{path}, row {row}, column {header[i]!r}: a score is a finite number, got "
                f"{cell!r}{hint}"
            )
    return values


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _unique(path: Path, values: list[str], rows: list[int]) -> None:
    seen: dict[str, int] = {}
    for value, row in zip(values, rows, strict=True):
        if value in seen:
            raise DataError(
                f"{path}, row {row}, column 'id': {value!r} stands in row {seen[value]} too. If it "
                "names what several rows belong to, such as a person, call the column group"
            )
        seen[value] = row


def _table(path: Path, cells: dict, rows: list[int], scores: dict, labels: dict) -> ScoresTable:
    if "id" in cells:
        _unique(path, cells["id"], rows)
    for row, word in zip(rows, cells.get("split", []), strict=False):
        if word.lower() not in SPLITS:
            raise DataError(
                f"{path}, row {row}, column 'split': must be val or test, got {word!r}. Leave "
                "training rows out: what was trained on says nothing of new rows"
            )
    split = [SPLITS[word.lower()] for word in cells["split"]] if "split" in cells else None
    groups = cells.get("group")
    first: dict[str, str] = {}
    twice = spelt_elsewhere(groups or [])
    for i, group in enumerate(groups or []):
        if group.lower() in MISSING:
            got = f", got {group!r}" if group else ""
            raise DataError(f"{path}, row {rows[i]}, column 'group': is blank{got}")
        if twice and i == twice[0]:
            raise DataError(f"{path}, row {rows[i]}, column 'group': {twice[1]}")
        if split and first.setdefault(group, split[i]) != split[i]:
            raise DataError(
                f"{path}, row {rows[i]}, column 'group': {group!r} has rows in val and in test, "
                "so that test would score what was tuned on"
            )
    read = {*KEYS, *labels, *(f"{k}_{name}" for name in labels for k in "ys")}
    ignored = {name: column for name, column in cells.items() if name not in read}
    return ScoresTable(
        names=tuple(labels),
        scores=np.stack(list(scores.values()), 1) if scores else np.empty((len(rows), 0)),
        labels=np.stack(list(labels.values()), 1).astype(np.int64),
        split=split,
        groups=groups,
        ignored=tuple(ignored),
        doubts=(
            *([] if split else _like_splits(path, ignored)),
            *([] if groups else _like_groups(ignored)),
        ),
        rows=rows,
    )


def _like_splits(path: Path, columns: dict[str, list[str]]) -> list[str]:
    """Refuse a column of splits alone; a sentence on each that may say the split."""
    doubts = []
    call = "call the column split, with val or test in each row, and leave training rows out"
    for name, column in columns.items():
        cells = set(column)
        words, parts = {split_name(cell) for cell in cells}, [splits_in(cell) for cell in cells]
        if None not in words and len(words) > 1:
            raise DataError(
                f"{path}, column {name!r}: says to which split a row belongs: {call}. Or take it "
                "out of the table, and all rows are cross-fitted"
            )
        like = all(parts) and {"train"} < set().union(*parts)  # such as PublicTest
        if like or names_splits(name) or words == {"train"} or words > {"train", None}:
            doubts.append(f"column {name!r} may say to which split a row belongs: {call}")
    return doubts


def _like_groups(columns: dict[str, list[str]]) -> list[str]:
    """A sentence on each column that is called as patients or places are and has them again."""
    doubts = []
    for name in filter(names_places, columns):
        known = [cell for cell in columns[name] if cell.lower() not in MISSING]
        values = len(set(known))
        if FOLDS <= values < len(known):
            doubts.append(
                f"column {name!r} has {values:,} values in {len(known):,} rows: if rows of one "
                "value are of one patient or place, call it group, or the intervals are too narrow"
            )
    return doubts


def read_prior(text: str, names: tuple[str, ...]) -> list[float]:
    """Rates of positives in training: numbers with commas between, or a file of counts.

    Parameters
    ----------
    text : str
        ``0.02,0.3`` in the order of the labels, ``cat 0.02, dog 0.3``, one number for all, or a
        table with columns ``label`` and either ``positives`` and ``negatives`` or ``prior``.
    names : tuple of str
        The labels.

    Raises
    ------
    DataError
        For another number of numbers, a rate that is not between 0 and 1, and a label that the file
        lacks.
    """
    path = Path(text)
    if path.suffix.lower() in (*SEPARATORS, *PARQUET):
        table = read_table(path).composed(but=None)
        for column in ("label",):
            if column not in table.columns:
                raise DataError(f"{path}, row 1: there is no column {column!r}")
        counted = {"positives", "negatives"} <= set(table.columns)
        if not counted and "prior" not in table.columns:
            raise DataError(
                f"{path}, row 1: there is neither a column 'prior' nor 'positives' and 'negatives'"
            )
        rates = {}
        for i, name in enumerate(table.columns["label"]):
            if name in rates:
                raise table.error(i, "label", f"{name!r} has a row above already: leave one out")
            used = ("positives", "negatives") if counted else ("prior",)
            values = []
            for column in used:
                cell = table.columns[column][i]
                if not NUMBER.fullmatch(cell) or float(cell) < 0:
                    raise table.error(i, column, f"must be a number of 0 or more, got {cell!r}")
                values.append(float(cell))
            rate = values[0] / (sum(values) or math.nan) if counted else values[0]
            if not 0 < rate < 1:
                raise table.error(
                    i, used[0], f"the rate of {name} must lie in (0, 1), got {rate:g}"
                )
            rates[name] = rate
        missing = [name for name in names if name not in rates]
        if missing:
            raise DataError(f"{path}, column 'label': there is no row for {missing[0]!r}")
        return [rates[name] for name in names]
    cells = [cell.strip() for cell in nfc(text).split(",")]
    named = dict(cell.rsplit(maxsplit=1) for cell in cells if len(cell.split()) > 1)
    if named and set(named) == set(names) and len(cells) == len(names):
        cells = [named[name] for name in names]
    elif named:
        odd = sorted(set(named) ^ set(names))
        raise DataError(
            f"--prior must give each label its rate once, such as 'cat 0.02, dog 0.3', got {text!r}"
            f"{f', which differs in {odd[0]!r}' if odd else ''}"
        )
    for cell in cells:
        if not NUMBER.fullmatch(cell) or not 0 < float(cell) < 1:
            raise DataError(
                f"--prior must be rates in (0, 1), with commas between, or a table that ends in "
                f"{', '.join((*SEPARATORS, *PARQUET))}, got {cell!r}"
            )
    values = [float(cell) for cell in cells] * (len(names) if len(cells) == 1 else 1)
    if len(values) != len(names):
        raise DataError(f"--prior must be 1 or {len(names)} rates, got {len(values)}")
    return values
