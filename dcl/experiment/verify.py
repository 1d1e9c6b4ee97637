"""Verifies published records and weights again: what ``python -m dcl check --all`` does."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..data import DataError
from . import records
from .config import ConfigError
from .datasets import DATASETS
from .run import check, pick_device

TOLERANCE = 0.01  # percentage points: another machine rounds otherwise
# Between a GPU, whose convolutions are in TF32, and a CPU:
OTHER_DEVICE = 0.1  # percentage points
OTHERWISE = 1 / 5000  # of the decisions
ROUNDING = 1e-6  # of a mean that we compute again from the numbers beside it
PARTS = {  # part of a record -> keys that it has
    "dataset": ("name", "title", "found", "fingerprint"),
    "test": ("mA", "per_attribute", "undefined"),
    "selection": ("best_epoch", "best_val_mA"),
    "timing": ("ms_per_step",),
    "environment": ("device", "torch", "source"),
    "config": ("epochs", "batch_size", "lr"),
}


def differences(
    record: dict[str, Any], again: dict[str, Any], **places: str
) -> dict[str, tuple[float, float]]:
    """The means of a record's ``test`` that a second test does not give, name -> (recorded, again).

    GPUs and CPUs round float32 in different ways. If a record of one is tested on the other, its
    means may differ by a tenth of a point, and one decision in 5,000 may differ.

    Parameters
    ----------
    record : dict
    again : dict
        What `dcl.experiment.run.check` gives, with the same `places`.
    **places : str
    """
    device = pick_device(places.get("device", record["config"].get("device", "auto")))
    tolerance = TOLERANCE
    if not record["environment"]["device"].startswith(device.type):
        changed, decisions = changes(record["test"], again)
        tolerance = OTHER_DEVICE if changed <= OTHERWISE * decisions else TOLERANCE
    return {
        name: (value, again[name])
        for name, value in means(record["test"]).items()
        if not abs(value - again[name]) < tolerance
    }


def changes(recorded: dict[str, Any], again: dict[str, Any]) -> tuple[int, int]:
    """Decisions that differ at least, by the confusion counts of two tests, and of how many.

    Two that changed places in one count cannot be seen.
    """
    pairs = [
        (records.confusion_of(row), records.confusion_of(again["per_attribute"][name]))
        for name, row in recorded["per_attribute"].items()
    ]
    cells = [
        (before, now)
        for pair in pairs
        for rows in zip(*pair, strict=True)
        for before, now in zip(*rows, strict=True)
    ]
    moved = sum(abs(before - now) for before, now in cells)
    return moved // 2, sum(before for before, _ in cells)


def means(test: dict[str, Any]) -> dict[str, float]:
    """The means over attributes of a record's ``test`` part."""
    return {name: value for name, value in test.items() if isinstance(value, float)}


def record_fault(path: Path) -> str:
    """What keeps a file from being a whole record whose numbers agree; "" for nothing."""
    try:
        record = records.read(path)
        return next(_faults(record), "")
    except records.RecordError as error:
        return str(error)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return f"not a whole run record ({type(error).__name__}: {error})"


def _faults(record: dict[str, Any]) -> Iterator[str]:
    for part, keys in PARTS.items():
        absent = [key for key in keys if key not in record.get(part, {})]
        if absent:
            yield f"{part} has no {', '.join(absent)}"
    if record["experiment"] not in DATASETS and ":" not in record["experiment"]:
        yield f"unknown experiment {record['experiment']!r}"
    if not isinstance(record["seed"], int) or not isinstance(record["method"], str):
        yield f"method {record['method']!r} and seed {record['seed']!r} are no name and number"
    history = record["history"]
    if [row["epoch"] for row in history] != list(range(len(history))) or not history:
        yield "the epochs of history are not 0, 1, 2, ..."
    for row in history:
        validated = ("val_mA",) if record["dataset"]["found"].get("val") else ()
        for name in ("loss", *validated, "ms_per_step"):
            if not _finite(row[name]):
                yield f"history, epoch {row['epoch']}: {name} is {row[name]!r}"
    if record["config"].get("profile") != "quick" and len(history) != record["config"]["epochs"]:
        yield f"history has {len(history)} epochs of {record['config']['epochs']}"
    if record["selection"]["best_epoch"] not in range(len(history)):
        yield f"selection: there was no epoch {record['selection']['best_epoch']}"
    tests = {record["decision"]: record["test"]}
    tests |= {name: part["test"] for name, part in record["decisions"].items()}
    for decision, test in tests.items():
        yield from (f"decision {decision}: {fault}" for fault in _faults_of_test(test))


def _faults_of_test(test: dict[str, Any]) -> Iterator[str]:
    """mA of each attribute is that of its confusion counts, and the whole's is their mean."""
    defined = []
    for name, row in test["per_attribute"].items():
        of_classes = [100 * counts[k] / sum(counts) if sum(counts) else math.nan
                      for k, counts in enumerate(records.confusion_of(row))]  # fmt: skip
        expected = sum(of_classes) / len(of_classes)
        if math.isnan(expected):
            if row["mA"] is not None:
                yield f"{name}: mA is {row['mA']!r}, a class has no sample"
        elif not _finite(row["mA"]) or abs(row["mA"] - expected) > ROUNDING:
            yield f"{name}: mA is {row['mA']!r}, its confusion counts give {expected!r}"
        else:
            defined.append(expected)
    if not defined:
        if test["mA"] is not None:
            yield f"mA is {test['mA']!r}, no attribute has one"
    elif not _finite(test["mA"]) or abs(test["mA"] - sum(defined) / len(defined)) > ROUNDING:
        yield f"mA is {test['mA']!r}, its attributes give {sum(defined) / len(defined)!r}"


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def weights_fault(path: Path, **places: str) -> tuple[str, bool]:
    """(what is wrong with a file of weights, whether the data were here to test it on)."""
    record = path.with_suffix(".json")
    if not record.is_file():
        return f"no record {record.name} beside it", False
    try:
        state = records.read_weights(record)
        broken = [name for name, values in state.items() if not values.isfinite().all()]
        if broken:
            return f"{broken[0]} is not finite", False
        again = check(record, **places)
    except DataError as error:
        return (str(error), False) if "data_root" in places else ("", False)
    except (ConfigError, records.RecordError, records.WeightsError) as error:
        return str(error), False
    wrong = differences(records.read(record), again, **places)
    words = [f"{name} recorded {was:.6f}, now {now:.6f}" for name, (was, now) in wrong.items()]
    return ", ".join(words), True


def scores_fault(path: Path) -> str:
    """What is wrong with a file of scores beside a record; "" for nothing.

    Where the larger logit decides, the signs of the scores must give the record's confusion counts.
    """
    record = path.with_name(path.name.removesuffix(".scores.npz") + ".json")
    if not record.is_file():
        return f"no record {record.name} beside it"
    try:
        kept, recorded = records.read_scores(record), records.read(record)
        odds, labels = kept["test"]
        shapes = {x.shape[1:] for pair in kept.values() for x in pair}
        if shapes != {(len(recorded["test"]["per_attribute"]),)} or len(odds) != len(labels):
            return "not the attributes of its record"
        for column, (name, row) in enumerate(recorded["test"]["per_attribute"].items()):
            yes, no = (labels[:, column] == label for label in (1, 0))
            said = odds[:, column] > 0
            counts = [[int((no & ~said).sum()), int((no & said).sum())],
                      [int((yes & ~said).sum()), int((yes & said).sum())]]  # fmt: skip
            if counts != row["confusion"]:
                return f"{name}: the record counts {row['confusion']}, its scores give {counts}"
    except (EOFError, KeyError, OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        return f"not a file of scores ({type(error).__name__}: {error})"
    return ""


def verify_all(folder: Path, **places: str) -> tuple[list[str], str]:
    """Verify every record and every file of weights or scores below a folder.

    A record is read, and must be whole, finite and in agreement with itself. Weights must be whole
    and finite; where the data are here, they must give their record's numbers again. The scores of
    the test split must have its confusion counts.

    Parameters
    ----------
    folder : Path
        Such as ``results``.
    **places : str
        ``data_root``, ``device``: where they are not the records'.

    Returns
    -------
    faults : list of str
        One line for each file that is at fault.
    summary : str
        What was verified, and what could not be.
    """
    folder = Path(folder)
    paths, states = (
        records.files_below(folder, pattern) for pattern in ("*.json", "*.safetensors")
    )
    if not paths:
        raise records.RecordError(f"no run record below {folder}: give the folder of the records")
    faults = [f"{path}: {fault}" for path in paths if (fault := record_fault(path))]
    tested = 0
    for path in states:
        fault, with_data = weights_fault(path, **places)
        tested += with_data
        faults += [f"{path}: {fault}"] if fault else []
    kept = records.files_below(folder, "*.scores.npz")
    faults += [f"{path}: {fault}" for path in kept if (fault := scores_fault(path))]
    summary = (
        f"{len(paths)} records, {len(states)} files of weights and {len(kept)} of scores below "
        f"{folder}"
    )
    if tested < len(states):
        summary += (
            f"; {len(states) - tested} of the weights were not tested on their data, which are "
            "not here: give their folder with --data-root"
        )
    return faults, summary
