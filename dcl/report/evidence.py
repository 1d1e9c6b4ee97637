"""What run records say: a measure of each seed, differences between methods, and how sure."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from ..experiment.config import Training
from ..experiment.records import RecordError, collect, interval, per_attribute, require

Measure = Callable[[dict[str, Any]], float]  # record -> number
VERDICTS = ("reproduced", "partly", "not", "undecided", "not tried")
PAPER_EPOCHS = 300
CHOICES = (  # of what the paper leaves open, those with a parameter
    *("normalisation", "epsilon", "selection", "squared", "normalise", "reduction"),
    *("anchors", "momentum", "precision", "trunk"),
)
NUMBERS = ("k", "p", "epsilon", "margin", "batch_size")  # whose values are tried one by one
AS_READ = "as we read it"
NO_BREAK = "\N{NO-BREAK SPACE}"


def mean_accuracy(record: dict[str, Any]) -> float:
    """mA of the test split, %."""
    return record["test"]["mA"]


def metric(name: str) -> Measure:
    """Another mean over attributes: ``f1``, ``auc``, ``accuracy``, ``precision``, ..., %."""
    return lambda record: record["test"][name]


def attribute(name: str) -> Measure:
    """mA of one attribute, %."""
    return lambda record: record["test"]["per_attribute"][name]["mA"]


def group(name: str) -> Measure:
    """Mean over one of the data set's groups of attributes, %."""
    return lambda record: record["test"]["groups"][name]


def of_an_example(name: str) -> Measure:
    """Mean over the examples of ``accuracy``, ``precision``, ``recall`` or ``f1``, %."""
    return lambda record: record["test"]["instance"][name]


def best_on_validation(record: dict[str, Any]) -> float:
    """mA of the validation split at the epoch that was chosen, %."""
    return record["selection"]["best_val_mA"]


def most_imbalanced(level: float) -> Measure:
    """Mean mA of the attributes of at least this imbalance level, %."""

    def measure(record: dict[str, Any]) -> float:
        frame = per_attribute(record)
        return float(frame["mA"][frame["imbalance_level"] >= level].mean())

    return measure


def of_dataset(folder: Path, dataset: str, *methods: str) -> pd.DataFrame:
    """The records below a folder that are of one data set, with a run of each of these methods.

    Raises
    ------
    RecordError
        Where there are none: with the command that makes them.
    """
    runs = collect(folder)
    found = runs[runs["dataset"] == dataset]
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


def by_choice(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of one method, ``method`` replaced by what their configuration has otherwise.

    Such as ``anchors = all`` or ``k = 5``; `AS_READ` where every choice and number is the default.
    """
    defaults = {spec.name: spec.default for spec in fields(Training)}
    names = [
        ", ".join(
            f"{name} = {value}"
            for name, value in record["config"].items()
            if name in {*CHOICES, *NUMBERS}
            and value != defaults.get(name, True)  # trunk is CelebA's own
        )
        for record in runs["record"]
    ]
    return runs.assign(method=[name or AS_READ for name in names])


def by_seed(runs: pd.DataFrame, method: str, measure: Measure = mean_accuracy) -> pd.Series:
    """A measure of each run of a method, indexed by seed; `runs` is what `collect` returns.

    Raises
    ------
    RecordError
        For two runs of one seed: then `runs` holds more than one setting.
    """
    own = runs[runs["method"] == method]
    if own["seed"].duplicated().any():
        paths = ", ".join(map(str, own["path"]))
        raise RecordError(f"more than one run of {method} with the same seed: {paths}")
    return pd.Series([measure(r) for r in own["record"]], own["seed"].to_numpy(), dtype=float)


def difference(
    runs: pd.DataFrame, method: str, other: str, measure: Measure = mean_accuracy
) -> pd.Series:
    """Measure of `method` minus that of `other`, for each seed that both have."""
    return (by_seed(runs, method, measure) - by_seed(runs, other, measure)).dropna()


def gains(runs: pd.DataFrame, method: str, other: str = "cross-entropy") -> pd.DataFrame:
    """mA gained over `other` in each attribute (columns), for each seed that both have (rows)."""
    rows = {
        seed: per_attribute(_run(runs, method, seed))["mA"]
        - per_attribute(_run(runs, other, seed))["mA"]
        for seed in difference(runs, method, other).index
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def rank_correlation(runs: pd.DataFrame, method: str, other: str = "cross-entropy") -> pd.Series:
    """Spearman correlation of imbalance level and gain over the attributes, for each seed."""
    found = gains(runs, method, other)
    if found.empty:
        return pd.Series(dtype=float)
    level = per_attribute(runs["record"].iloc[0])["imbalance_level"][found.columns]
    return found.apply(lambda row: spearmanr(level, row).statistic, axis=1)


@dataclass(frozen=True)
class Finding:
    """A number over seeds: mean, half width of its 95 % interval, how many."""

    mean: float
    half: float
    n: int

    @classmethod
    def of(cls, values: pd.Series | list[float]) -> "Finding":
        values = [float(value) for value in values]
        mean, half = interval(values) if values else (np.nan, np.nan)
        return cls(mean, half, len(values))

    def __str__(self) -> str:
        return self.text("{:+.2f}")

    def text(self, form: str = "{:.2f}") -> str:
        """Mean ± half width, held together; the mean alone for one seed, - for none."""
        if not self.n:
            return "-"
        mean = form.format(self.mean)
        half = form.replace("+", "").format(self.half)
        return f"{mean}{NO_BREAK}±{NO_BREAK}{half}" if self.n > 1 else mean


def lead(runs: pd.DataFrame, method: str, other: str, measure: Measure = mean_accuracy) -> Finding:
    """`difference` as a `Finding`."""
    return Finding.of(difference(runs, method, other, measure))


def verdict(finding: Finding, *, sign: int, published: float, like: bool) -> str:
    """Whether a finding bears a claim out; the same rule for every claim.

    Parameters
    ----------
    finding : Finding
    sign : {1, -1}
        Side of zero that the claim is on.
    published : float
        The paper's number; NaN where it prints none.
    like : bool
        Whether data and training are the paper's, so that numbers can be compared.

    Returns
    -------
    str
        ``not tried`` without a run. ``undecided`` with one seed, or an interval that holds zero.
        ``not`` for an interval on the other side of zero. For one on the claim's side
        ``reproduced`` if data and training are the paper's and the interval holds its number,
        else ``partly``: the direction, under other circumstances or by another amount.

    Examples
    --------
    >>> verdict(Finding(7.0, 1.5, 5), sign=1, published=7.9, like=True)
    'reproduced'
    >>> verdict(Finding(7.0, 1.5, 5), sign=1, published=7.9, like=False)
    'partly'
    >>> verdict(Finding(0.5, 1.5, 5), sign=1, published=7.9, like=True)
    'undecided'
    """
    if not finding.n:
        return "not tried"
    low, high = finding.mean - finding.half, finding.mean + finding.half
    if finding.n == 1 or low <= 0 <= high:
        return "undecided"
    if sign * finding.mean < 0:
        return "not"
    number = np.isnan(published) or low <= published <= high
    return "reproduced" if like and number else "partly"


def as_in_the_paper(record: dict[str, Any]) -> bool:
    """Whether a run saw all of the data set's images, for the paper's epochs."""
    dataset = record["dataset"]
    return dataset["found"] == dataset["expected"] and record["config"]["epochs"] >= PAPER_EPOCHS


def collect_if_any(folder: Path) -> pd.DataFrame:
    """`dcl.experiment.records.collect`, or an empty frame where no record is."""
    if any(Path(folder).rglob("*.json")):
        return collect(folder)
    return pd.DataFrame(columns=["method", "seed", "title", "path", "record"])


def _run(runs: pd.DataFrame, method: str, seed: int) -> dict[str, Any]:
    (record,) = runs["record"][(runs["method"] == method) & (runs["seed"] == seed)]
    return record
