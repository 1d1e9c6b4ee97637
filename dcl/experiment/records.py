"""The files of a run: its record, a small JSON, and beside it, if kept, its weights and scores.

Every result is made from records. Weights are safetensors: plain arrays, nothing that
could run. Scores take 8 bits each, so that anyone can try another decision on them.
"""

import io
import json
import math
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from scipy.special import stdtrit
from torch import Tensor, nn

from ..protocol import UntrainedError
from .outputs import OutputError, check_replaced, json_of, write_whole

SCHEMA = 2
RAREST = 14  # attributes whose mean is reported beside mA
YES = ("1", "yes", "true")  # what a positive class is called as a rule
SHOWN = 3  # positive classes in a headline
LARGEST = 8.0  # log-odds of a kept score: a probability of 0.9997
STEP = 2 * LARGEST / 255


class RecordError(ValueError):
    """A record that cannot be read, named."""


class WeightsError(ValueError):
    """Weights that cannot be read or used, named."""


def write(record: dict[str, Any], path: Path) -> Path:
    """Write a record atomically: the file appears whole or not at all. NaN becomes null."""
    path = Path(path)
    text = json.dumps({"schema": SCHEMA, **_plain(record)}, indent=1, allow_nan=False)
    # each list of numbers on one line; a text holds no newline
    text = re.sub(r"\[\n[^\[\]{}]*\]", lambda of: re.sub(r"\n *", " ", of[0]), text)
    write_whole("the record", path, f"{text}\n".encode())
    return path


def check_results(path: Path, weights: Collection[str], keep_scores: bool) -> None:
    """Raise an OutputError where a run would write over what no run has written.

    A record, its weights and its scores are written over by a later run of the same name; what lies
    there without the record only if it looks like this run's. `weights` are the names of the
    tensors that it will keep, if any.
    """
    check_replaced(
        "results", path, "a run's record",
        lambda file: type((found := json_of(file)).get("schema")) is int and "method" in found,
    )  # fmt: skip
    if path.is_file():
        return
    for kept, place in ((weights, weights_path(path)), (keep_scores, scores_path(path))):
        if kept and place.exists() and not _is_a_runs(place, weights):
            raise OutputError(
                f"{place} is there without a record {path.name}, and is no file of such a run: "
                f"take it away, or choose other results"
            )


def _is_a_runs(path: Path, weights: Collection[str]) -> bool:
    """Whether a file is of scores, or of weights of these names, as a run writes them."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                return set(file.keys()) == set(weights)
        with np.load(path) as arrays:
            return any(name.endswith("_scores") for name in arrays)
    except Exception:  # many kinds, for a foreign file
        return False


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


def files_below(folder: Path, pattern: str) -> list[Path]:
    """Files below a folder, in order; none below a hidden one, such as the packs of images."""
    return [
        path
        for path in sorted(Path(folder).rglob(pattern))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def collect(folder: Path) -> pd.DataFrame:
    """All records below a folder, a row each.

    Returns
    -------
    DataFrame
        Columns ``experiment``, ``method``, ``seed``, ``dataset``, ``title``, ``mA`` (of test, %),
        ``rarest_mA`` (of the 14 rarest attributes; NaN with no more than 14), ``ms_per_step``,
        ``path`` and ``record``.
    """
    paths = files_below(folder, "*.json")
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
    """Raise a RecordError unless `runs` has a record of each of these methods."""
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
    x = np.asarray(values, dtype=float)
    n = len(x)
    if n < 2:
        return float(x.mean()), math.nan
    return float(x.mean()), float(stdtrit(n - 1, 0.975) * x.std(ddof=1) / n**0.5)


def per_attribute(record: dict[str, Any]) -> pd.DataFrame:
    """A record's test metrics of each attribute, indexed by attribute."""
    frame = pd.DataFrame.from_dict(record["test"]["per_attribute"], orient="index")
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


def weights_path(record: Path) -> Path:
    """The weights of a record: the same name, ending in ``.safetensors``."""
    return Path(record).with_suffix(".safetensors")


def write_weights(state: dict[str, Tensor], record: Path) -> None:
    """Write a model's state beside a record, whole or not at all."""
    content = save({name: x.cpu().contiguous() for name, x in state.items()})
    write_whole("the weights", weights_path(record), content)


def read_weights(record: Path) -> dict[str, Tensor]:
    """Read the model's state beside a record, to the CPU."""
    path = weights_path(record)
    try:
        content = path.read_bytes()
        _check_kept(path, record, "keep_weights")
        return load(content)
    except OSError as error:
        raise WeightsError(
            f"cannot read the weights {path}: {error.strerror}. "
            "A run keeps them with keep_weights True"
        ) from None
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file: {error}") from None


def _check_kept(path: Path, record: Path, option: str) -> None:
    """Raise a RecordError for a file beside a record whose run kept none: an older run's."""
    if Path(record).is_file() and read(record).get("config", {}).get(option) is False:
        raise RecordError(
            f"{path} is of an earlier run, that of {record} had {option} False: run it again with "
            f"{option} True, or take the file away"
        )


def load_into(model: nn.Module, state: dict[str, Tensor], record: Path) -> None:
    """Put the state read beside `record` into the model; refused if it is another network's."""
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{weights_path(record)} holds the weights of another network: {reason}"
        ) from None


@contextmanager
def by_weights_alone(record: Path, method: str) -> Iterator[None]:
    """Refuse a method that scores by more than the weights of a network, by name."""
    try:
        yield
    except UntrainedError as error:
        raise WeightsError(
            f"{record}: method {method!r} decides by more than its weights: {error}"
        ) from None


def scores_path(record: Path) -> Path:
    """The scores of a record: the same name, ending in ``.scores.npz``."""
    return Path(record).with_suffix(".scores.npz")


def write_scores(logits: dict[str, Tensor], labels: dict[str, Tensor], record: Path) -> None:
    """Write the log-odds (N, A) of class 1 and the labels (N, A) of some splits beside a record.

    Raises
    ------
    ValueError
        For attributes of more than two classes.
    OutputError
        For a file that cannot be written.
    """
    arrays: dict[str, Any] = {}
    for split, values in logits.items():
        if values.shape[2] != 2:
            raise ValueError(
                f"keep_scores is for yes-or-no attributes, got {values.shape[2]} classes"
            )
        odds = (values[..., 1] - values[..., 0]).clamp(-LARGEST, LARGEST).cpu().numpy()
        arrays[f"{split}_scores"] = np.rint((odds + LARGEST) / STEP).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[split].cpu().numpy().astype(np.int8)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_whole("the scores", scores_path(record), content.getvalue())


def read_scores(record: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Split -> log-odds (N, A), to 0.03, and labels (N, A), of the scores beside a record.

    The log-odds beyond 8 are all 8. A threshold within that gives what the network's exact scores
    give, but for the samples nearer to it than a step; a ranking of the many that are held at 8,
    AUC or average precision, does not quite.
    """
    with np.load(scores_path(record)) as arrays:
        _check_kept(scores_path(record), record, "keep_scores")
        splits = [name.removesuffix("_scores") for name in arrays if name.endswith("_scores")]
        return {
            split: (
                arrays[f"{split}_scores"] * np.float32(STEP) - np.float32(LARGEST),
                arrays[f"{split}_labels"].astype(np.int64),
            )
            for split in splits
        }


def headline(record: dict[str, Any]) -> str:
    """What a record says, in one line."""
    test, dataset = record["test"], record["dataset"]
    if "per_class" in test:
        parts = [f"accuracy {_percent(test['accuracy'])}", f"class-balanced {_balanced(test)}"]
    else:
        parts = [f"mA {_percent(test['mA'])}"]
    if positive := dataset.get("positive"):
        parts.append(f"F1 {_percent(test['f1'])} (positive: {_named(positive)})")
    if "rarest_mA" in test:
        parts.append(f"{RAREST} rarest attributes {_percent(test['rarest_mA'])}")
    parts += [f"{name} {_percent(value)}" for name, value in test["groups"].items()]
    return (
        f"{record['method']} on {dataset['title']} ({dataset['found']['train']:,} train, "
        f"{dataset['found']['test']:,} test): {', '.join(parts)}, "
        f"{record['timing']['ms_per_step']:.0f} ms per step"
    )


def _named(positive: dict[str, str]) -> str:
    """The positive classes: with the attribute, where it is not a known word for yes."""
    told = [
        f"{name}={word}" for name, word in positive.items() if word.lower() not in YES
    ] or sorted(set(positive.values()))
    return ", ".join(told[:SHOWN]) + (", ..." if len(told) > SHOWN else "")


def _percent(value: float | None) -> str:
    """As read from a record, or made just now."""
    return "undefined" if value is None or math.isnan(value) else f"{value:.2f} %"


def _balanced(test: dict[str, Any]) -> str:
    """mA of a single label; where it is undefined, the mean recall of the classes with samples."""
    absent = [name for name, row in test["per_class"].items() if not row["samples"]]
    if not absent:
        return _percent(test["mA"])
    held = [row["recall"] for row in test["per_class"].values() if row["samples"]]
    shown = ", ".join(absent[:10]) + (", ..." if absent[10:] else "")
    return (
        f"undefined without test samples of {shown} "
        f"({np.mean(held):.2f} % over the {len(held)} classes there are)"
    )
