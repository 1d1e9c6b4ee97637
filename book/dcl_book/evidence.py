"""What run records say: a measure of each seed, and differences between methods."""

import gc
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from dcl.data.imbalance import groups_of_ratios
from dcl.experiment.config import Training
from dcl.experiment.records import RecordError, collect, per_attribute, require
from dcl.methods import METHODS

from . import published
from .finding import Finding
from .measures import Measure, at_decision, class_balanced
from .names import PRIOR
from .withdrawn import withdrawn

CHOICES = (  # of what the paper leaves open, those with a parameter
    *("normalisation", "epsilon", "selection", "squared", "normalise", "reduction", "current"),
    *("anchors", "momentum", "precision", "trunk", "stretch"),
)
NUMBERS = ("k", "p", "epsilon", "margin", "batch_size")  # whose values are tried one by one
AS_READ = "as we read it"


def group_size(record: dict[str, Any], name: str) -> int:
    """How many attributes one of Table 6's groups has in a record's data."""
    level = per_attribute(record)["imbalance_level"]
    return int((groups_of_ratios((50 + level) / (50 - level)) == name).sum())


def final_g(record: dict[str, Any]) -> float:
    """Where the sampling schedule of a run stopped; NaN for a method without one."""
    return record["final_g"] if isinstance(record["config"].get("sampling"), str) else np.nan


def end_of_schedule(records: pd.Series) -> str:
    """`final_g` of like runs in words; says where the schedule moved once an epoch only."""
    ends = records.map(final_g).dropna()
    if ends.empty:
        return "-"
    low, high = ends.min(), ends.max()
    words = f"{low:.3f}" if high - low < 5e-4 else f"{low:.3f} to {high:.3f}"
    by_epoch = any(record["config"].get("curriculum") == "epoch" for record in records)
    return f"{words}, epoch-wise" if by_epoch else words


def of_dataset(folder: Path, dataset: str, *methods: str) -> pd.DataFrame:
    """The records below a folder that are of one data set, with a run of each of these methods.

    Runs that are withdrawn are left out; `left_out` says which.

    Raises
    ------
    RecordError
        Where there are none: with the command that makes them.
    """
    runs = _read(Path(folder))
    found = _shown(runs[runs["dataset"] == dataset])
    if found.empty:
        names = ", ".join(sorted(set(runs["dataset"])))
        raise RecordError(f"no record of dataset {dataset!r} in {folder}, only of {names}")
    require(found, *methods)
    return found.reset_index(drop=True)


def configured(runs: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """The runs whose configuration has these values, such as ``sampling="linear"``."""
    chosen = [
        all(record["config"].get(name) == value for name, value in values.items())
        for record in runs["record"]
    ]
    return runs[np.array(chosen, dtype=bool)]


def defaults(method: str) -> dict[str, Any]:
    """Name -> default of every option that a training of a method has."""
    own = METHODS[method].options if method in METHODS else {}
    shared = {spec.name: spec.default for spec in fields(Training)}
    return shared | {name: option.default for name, option in own.items()}


def by_choice(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of one method, ``method`` replaced by what their configuration has otherwise.

    Such as ``anchors = all`` or ``k = 5``; `AS_READ` where every choice and number is the default.
    """
    names = {*CHOICES, *NUMBERS}
    if len({record["config"].get("curriculum") for record in runs["record"]}) > 1:
        names.add("curriculum")
    labels = [
        ", ".join(
            f"{name} = {value}"
            for name, value in record["config"].items()
            if name in names
            and value != defaults(record["method"]).get(name, True)  # trunk is CelebA's own
        )
        for record in runs["record"]
    ]
    return runs.assign(method=[label or AS_READ for label in labels])


def by_seed(runs: pd.DataFrame, method: str, measure: Measure = class_balanced) -> pd.Series:
    """A measure of each run of a method, indexed by seed; `runs` is what `collect` returns.

    Raises
    ------
    RecordError
        For two runs of one seed: then `runs` holds more than one setting.
    """
    own = runs[runs["method"] == method]
    one_a_seed(own)
    return pd.Series([measure(r) for r in own["record"]], own["seed"].to_numpy(), dtype=float)


def one_a_seed(runs: pd.DataFrame) -> None:
    """Raise a RecordError for two runs of a method with one seed."""
    twice = runs[runs.duplicated(["method", "seed"], keep=False)]
    if len(twice):
        method = twice["method"].iloc[0]
        paths = ", ".join(map(str, runs.loc[runs["method"] == method, "path"]))
        raise RecordError(f"more than one run of {method} with the same seed: {paths}")


def difference(
    runs: pd.DataFrame, method: str, other: str, measure: Measure = class_balanced
) -> pd.Series:
    """Measure of `method` minus that of `other`, for each seed that both have."""
    return (by_seed(runs, method, measure) - by_seed(runs, other, measure)).dropna()


def difference_on_one_device(
    runs: pd.DataFrame, method: str, other: str, measure: Measure = class_balanced
) -> pd.Series:
    """`difference` of the seeds whose two runs were both made on a CPU, or both on a GPU.

    The two round products differently, in TF32 even more.
    """
    devices = [record["environment"]["device"].split()[0] for record in runs["record"]]
    kinds = [difference(own, method, other, measure) for _, own in runs.groupby(devices)]
    return pd.concat(kinds).sort_index() if kinds else pd.Series(dtype=float)


def gains(
    runs: pd.DataFrame, method: str, other: str = "cross-entropy", key: str = "mA"
) -> pd.DataFrame:
    """mA gained over `other` in each attribute (columns), for each seed that both have (rows).

    Or another metric of an attribute: ``f1``, ``auc``.
    """
    rows = {
        seed: _of_attributes(_run(runs, method, seed), key)
        - _of_attributes(_run(runs, other, seed), key)
        for seed in difference(runs, method, other).index
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def by_imbalance(
    runs: pd.DataFrame, method: str, other: str = "cross-entropy", key: str = "mA"
) -> dict[str, Finding]:
    """`gains`, means of each of the groups of `groups_by_imbalance`."""
    found = gains(runs, method, other, key)
    groups = groups_by_imbalance(imbalance_levels(runs))
    return {
        words: Finding.of([] if found.empty else found[names].mean(axis=1))
        for words, names in groups.items()
    }


def imbalance_levels(runs: pd.DataFrame) -> pd.Series:
    """Of each attribute, rising: those of the paper's Table 2 if it has just these attributes.

    Else those of the training rows, which also decide between levels that the paper rounds alike.
    """
    level = per_attribute(runs["record"].iloc[0])["imbalance_level"].sort_values(kind="stable")
    theirs = published.table(2)["imbalance_level"]
    return theirs[level.index] if set(level.index) == set(theirs.index) else level


def groups_by_imbalance(level: pd.Series, groups: int = 5) -> dict[str, list[str]]:
    """Attributes in groups of one size, rising in imbalance level: its range -> their names.

    Examples
    --------
    >>> groups_by_imbalance(pd.Series({"Bald": 48.0, "Smiling": 2.0, "Male": 8.0}), 2)
    {'2–8': ['Smiling', 'Male'], '48–48': ['Bald']}
    """
    level = level.sort_values(kind="stable")
    return {
        f"{level[names].min():.0f}\N{EN DASH}{level[names].max():.0f}": list(names)
        for names in np.array_split(level.index, min(groups, len(level)))
    }


def rank_correlation(runs: pd.DataFrame, method: str, other: str = "cross-entropy") -> pd.Series:
    """Spearman correlation of imbalance level and gain over the attributes, for each seed."""
    found = gains(runs, method, other)
    if found.empty:
        return pd.Series(dtype=float)
    level = per_attribute(runs["record"].iloc[0])["imbalance_level"][found.columns]
    return found.apply(lambda row: spearmanr(level, row).statistic, axis=1)


def lead(runs: pd.DataFrame, method: str, other: str, measure: Measure = class_balanced) -> Finding:
    """`difference` as a `Finding`."""
    return Finding.of(difference(runs, method, other, measure))


def collect_if_any(folder: Path) -> pd.DataFrame:
    """`dcl.experiment.records.collect` without withdrawn runs; empty where no record is."""
    return _shown(_collect(folder))


def left_out(folder: Path) -> dict[str, str]:
    """Method -> why runs of it below a folder are not shown, with their seeds."""
    runs = _collect(folder)
    reasons = runs["record"].map(withdrawn)
    shown = {}
    for method, own in runs[reasons != ""].groupby("method"):
        seeds = ", ".join(map(str, sorted(set(own["seed"]))))
        shown[method] = f"seed {seeds}: {reasons[own.index[0]]}"
    return shown


def with_prior(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, and those of cross entropy decided at the training prior as rows `PRIOR`.

    The same trainings, another decision: no repetition of anything, so never counted as seeds. Runs
    that have such rows stay as they are.
    """
    rows = pd.DataFrame() if (runs["method"] == PRIOR).any() else _at_the_prior(runs, PRIOR)
    return pd.concat([runs, rows], ignore_index=True) if len(rows) else runs


def prior_as(runs: pd.DataFrame, method: str) -> pd.DataFrame:
    """The runs with cross entropy decided at the training prior in a method's place."""
    others, rows = runs[runs["method"] != method], _at_the_prior(runs, method)
    return pd.concat([others, rows], ignore_index=True) if len(rows) else others


def _at_the_prior(runs: pd.DataFrame, name: str) -> pd.DataFrame:
    made = runs[runs["method"] == PRIOR]
    if len(made):
        return made.assign(method=name)
    rows = []
    for row in runs[runs["method"] == "cross-entropy"].to_dict("records"):
        test = at_decision(row["record"], "prior")
        if test is None:
            continue
        record = {key: value for key, value in row["record"].items() if key != "decisions"}
        chosen = row["record"].get("decisions", {}).get("prior", {}).get("selection")
        if chosen:  # its epoch is not that of the larger logit
            record["selection"] = chosen | {"best_val_mA": chosen.get("best_val")}
        record |= {"decision": "prior", "test": test}
        means = {key: test.get(key, np.nan) for key in ("mA", "rarest_mA") if key in row}
        rows.append(row | means | {"method": name, "record": record})
    return pd.DataFrame(rows, columns=runs.columns)


def _collect(folder: Path) -> pd.DataFrame:
    if any(Path(folder).rglob("*.json")):
        return _read(Path(folder))
    return pd.DataFrame(columns=["method", "seed", "dataset", "title", "path", "record"])


def _read(folder: Path) -> pd.DataFrame:
    """`collect`, once for a folder as it is now: a page asks for the same records many times.

    The rows are the caller's own, the records are shared.
    """
    files = {path: path.stat() for path in folder.rglob("*.json")}
    state = frozenset((path, file.st_mtime_ns, file.st_size) for path, file in files.items())
    return _read_once(folder, state).copy()


@lru_cache(maxsize=64)
def _read_once(folder: Path, state: frozenset) -> pd.DataFrame:
    was_on = gc.isenabled()
    gc.disable()  # it would look through millions of new parts, none of them garbage
    try:
        return collect(folder)
    finally:
        if was_on:
            gc.enable()


def _shown(runs: pd.DataFrame) -> pd.DataFrame:
    shown = np.array([not withdrawn(record) for record in runs["record"]], dtype=bool)
    return runs[shown].reset_index(drop=True)


def _run(runs: pd.DataFrame, method: str, seed: int) -> dict[str, Any]:
    (record,) = runs["record"][(runs["method"] == method) & (runs["seed"] == seed)]
    return record


def _of_attributes(record: dict[str, Any], key: str) -> pd.Series:
    rows = record["test"]["per_attribute"]
    return pd.Series({name: row[key] for name, row in rows.items()}, dtype=float)
