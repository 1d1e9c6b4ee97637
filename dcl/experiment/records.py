"""The run record: one small JSON file per run, from which every table and figure is made."""

import json
import math
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

SCHEMA = 2


class RecordError(ValueError):
    """A record that cannot be read or written, named."""


def write(record: dict[str, Any], path: Path) -> Path:
    """Write a record atomically: the file appears whole or not at all. NaN becomes null."""
    path = Path(path)
    text = json.dumps({"schema": SCHEMA, **_plain(record)}, indent=1, allow_nan=False)
    text = re.sub(
        r"\[[^\[\]{}]*\]", lambda match: " ".join(match[0].split()), text
    )  # lists on a line
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text + "\n")
        os.replace(scratch, path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise RecordError(f"cannot write the record {path}: {error.strerror}") from None
    return path


def check_folder(folder: Path, needed: int) -> None:
    """Raise a RecordError unless files of so many bytes can be written into the folder.

    A run asks before it trains, so that its record is not lost after it.
    """
    scratch = folder / f".{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch.touch()
        scratch.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise RecordError(
            f"cannot write into the results folder {folder}: {error.strerror}. Make it writable or "
            f"choose another with results"
        ) from None
    if free < needed:
        raise RecordError(
            f"the results folder {folder} has {free / 2**20:,.0f} MiB free, the checkpoints of "
            f"this run take up to {needed / 2**20:,.0f}: make room or choose another with results"
        )


def read(path: Path) -> dict[str, Any]:
    """Read a record.

    Raises
    ------
    RecordError
        For a file that is missing, no JSON, no record, or of another schema version.
    """
    try:
        record = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise RecordError(f"cannot read the record {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # the second: nested without end
        raise RecordError(f"{path} is not a run record: {error}") from None
    if not isinstance(record, dict) or "schema" not in record:
        raise RecordError(f"{path} is not a run record: it has no 'schema'")
    if record["schema"] != SCHEMA:
        raise RecordError(
            f"{path} has record schema {record['schema']!r}, this version of dcl reads {SCHEMA}: "
            f"run the experiment again, or read it with the version that wrote it"
        )
    return record


def collect(folder: Path) -> pd.DataFrame:
    """All records below a folder, a row each.

    Returns
    -------
    DataFrame
        Columns ``experiment``, ``method``, ``seed``, ``dataset``, ``title``, ``mA`` (of test, %),
        ``rarest_mA`` (of the 14 rarest attributes; NaN with no more than 14), ``ms_per_step``,
        ``path`` and ``record``.
    """
    paths = [  # nothing below a hidden folder, such as the packs of images
        path
        for path in sorted(Path(folder).rglob("*.json"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise RecordError(f"no run record in {folder}: make some with python -m dcl run celeba")
    return pd.DataFrame([_row(path, read(path)) for path in paths])


def _row(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    try:
        dataset, test = record["dataset"], record["test"]
        return {
            "experiment": record["experiment"],
            "method": record["method"],
            "seed": record["seed"],
            "dataset": dataset["name"],
            "title": dataset["title"],
            "mA": test["mA"],
            "rarest_mA": test.get("rarest_mA", math.nan),
            "ms_per_step": record["timing"]["ms_per_step"],
            "path": path,
            "record": record,
        }
    except (AttributeError, KeyError, TypeError) as error:  # a part is missing, or is no dict
        raise RecordError(
            f"{path} is not a whole run record ({type(error).__name__}: {error}): run the "
            f"experiment again, or take it out of the folder"
        ) from None


def require(runs: pd.DataFrame, *methods: str) -> None:
    """Raise a RecordError unless `collect` found a record of each of these methods."""
    missing = [method for method in methods if method not in set(runs["method"])]
    if missing:
        raise RecordError(
            f"no record of {', '.join(missing)} beside {runs['path'].iloc[0]}: make it with "
            f"python -m dcl run {runs['experiment'].iloc[0]} --method {missing[0]}"
        )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval (Student's t over seeds); NaN for one value.

    Examples
    --------
    >>> mean, half = interval([80.0, 81.0, 82.0])
    >>> f"{mean:.1f} ± {half:.1f}"
    '81.0 ± 2.5'
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if n < 2:
        return float(values.mean()), math.nan
    return float(values.mean()), float(t.ppf(0.975, n - 1) * values.std(ddof=1) / n**0.5)


def per_attribute(record: dict[str, Any], split: str = "test") -> pd.DataFrame:
    """A record's metrics of each attribute, indexed by attribute."""
    frame = pd.DataFrame.from_dict(record[split]["per_attribute"], orient="index")
    return frame.rename_axis("attribute")


def in_cells(confusion: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The confusion counts of many classes by the cells that are not empty: ``confusion_cells``.

    Examples
    --------
    >>> in_cells([[5, 0], [2, 7]])
    {'classes': 2, 'true': [0, 1, 1], 'predicted': [0, 0, 1], 'samples': [5, 2, 7]}
    """
    table = np.asarray(confusion)
    true, predicted = table.nonzero()
    lists = {"true": true, "predicted": predicted, "samples": table[true, predicted]}
    return {"classes": len(table)} | {name: cells.tolist() for name, cells in lists.items()}


def confusion_of(row: dict[str, Any]) -> list[list[int]]:
    """Confusion counts [true][predicted] of an attribute of a record, in either form."""
    if "confusion" in row:
        return row["confusion"]
    cells = row["confusion_cells"]
    table = np.zeros((cells["classes"], cells["classes"]), int)
    table[cells["true"], cells["predicted"]] = cells["samples"]
    return table.tolist()


def _plain(value: Any) -> Any:
    """Nested plain Python values, with NaN and infinity as None: JSON has neither."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # tensors, arrays and their scalars
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
