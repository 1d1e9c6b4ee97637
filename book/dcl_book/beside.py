"""A run beside cross entropy: the same data, network, seed and training, and what differs."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from dcl.experiment import records
from dcl.experiment.config import Training

from .names import PRIOR

PLAIN = "cross-entropy"
ELSEWHERE = ("results", "data_root", "device", "keep_weights", "keep_scores")  # decide no number


def plain(config: Training) -> Training:
    """The configuration of cross entropy that is like this one in all but the method."""
    own = {spec.name: getattr(config, spec.name) for spec in fields(config)}
    return type(config)(**own | {"method": PLAIN})


def beside(
    config: Training, fingerprint: str, published: Path, train: Callable[[Training], dict]
) -> dict[str, Any] | None:
    """The record of cross entropy for a run: the published one of the same setting, or a new one.

    None for a run of cross entropy, and for one of a grid, whose record goes to a .json file: there
    every method has a run of its own. Kinds of processors draw images that are not the same to the
    last bit, so ``published`` may hold a record for each.
    """
    if config.method == PLAIN or config.results.endswith(".json"):
        return None
    wanted = plain(config)
    for path in sorted(published.glob("*.json")):
        record = records.read(path)
        told = {key: value for key, value in record["config"].items() if key not in ELSEWHERE}
        mine = {key: value for key, value in wanted.recorded().items() if key not in ELSEWHERE}
        if told == mine and record["dataset"]["fingerprint"] == fingerprint:
            return {**record, "path": path}
    return train(wanted)


def rows(record: dict[str, Any], other: dict[str, Any] | None, metrics: dict[str, str]):
    """A table: metrics (columns) of a run, of cross entropy, and of that with a moved threshold."""
    found = {record["method"]: record["test"]}
    if other is not None:
        found[other["method"]] = other["test"]
        prior = other["decisions"].get("prior")
        if prior:
            found[PRIOR] = prior["test"]
    table = {name: [test.get(key) for key in metrics.values()] for name, test in found.items()}
    return pd.DataFrame.from_dict(table, orient="index", columns=list(metrics), dtype=float)


def never_found(*runs: dict[str, Any] | None) -> pd.DataFrame:
    """For each run, how many attributes or classes have no test sample found, and which."""
    rows = {}
    for record in filter(None, runs):
        each = record["test"].get("per_class") or record["test"]["per_attribute"]
        missed = [name.replace("_", " ") for name, row in each.items() if row["recall"] == 0]
        rows[record["method"]] = {"never found": len(missed), "which": ", ".join(missed)}
    return pd.DataFrame.from_dict(rows, orient="index")
