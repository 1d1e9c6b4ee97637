"""Runs that a page reads instead of training them; a run beside cross entropy, and what differs."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from dcl.experiment import records
from dcl.experiment.config import Training

from .names import PLAIN, PRIOR


def plain(config: Training) -> Training:
    """The configuration of cross entropy that is like this one in all but the method."""
    own = {spec.name: getattr(config, spec.name) for spec in fields(config)}
    return type(config)(**own | {"method": PLAIN})


def published_run(config: Training, fingerprint: str, folder: Path) -> dict[str, Any] | None:
    """The record in a folder with this configuration and these data; None if there is none.

    Kinds of processors draw images that are not the same to the last bit, so the folder may hold a
    record for each.
    """
    other = config.places() | {"device"}  # may be another
    mine = {key: value for key, value in config.recorded().items() if key not in other}
    for path in sorted(folder.glob("*.json")):
        record = records.read(path)
        told = {key: value for key, value in record["config"].items() if key not in other}
        if told == mine and record["dataset"]["fingerprint"] == fingerprint:
            return {**record, "path": path}
    return None


def beside(
    config: Training, fingerprint: str, published: Path, train: Callable[[Training], dict]
) -> dict[str, Any] | None:
    """The record of cross entropy for a run: the published one of the same setting, or a new one.

    None for a run of cross entropy, and for one of a grid, whose record goes to a .json file: there
    every method has a run of its own.
    """
    if config.method == PLAIN or config.results.endswith(".json"):
        return None
    wanted = plain(config)
    return published_run(wanted, fingerprint, published) or train(wanted)


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
