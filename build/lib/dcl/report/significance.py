"""How sure a difference is that was measured over a few seeds.

All in percent and percentage points, as in the records; `runs` is what `records.collect` returns.
The chance that lies in the test images is in `dcl.report.sampling_error`.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import bartlett, chi2, false_discovery_control, nct, t

from ..experiment.records import per_attribute
from . import published
from .evidence import by_seed, gains, with_prior
from .measures import Measure, attribute, class_balanced
from .sampling_error import binomial_error
from .verdicts import holm

LEVEL = 0.95
TINY = 1e-9  # points: differences that are rounding
MOST_SEEDS = 10_000  # where the search for a number of seeds ends


@dataclass(frozen=True)
class Spread:
    """A standard deviation over seeds and its degrees of freedom; NaN and 0 without repetition."""

    sd: float
    dof: int

    def interval(self) -> tuple[float, float]:
        """95 % interval of the standard deviation, for normal values."""
        if not self.dof:
            return math.nan, math.nan
        tails = chi2.ppf([(1 + LEVEL) / 2, (1 - LEVEL) / 2], self.dof)
        low, high = self.sd * np.sqrt(self.dof / tails)
        return float(low), float(high)

    def __str__(self) -> str:
        if not self.dof:
            return "unknown"
        low, high = self.interval()
        return f"{self.sd:.2f} ({low:.2f} to {high:.2f})"


def accuracies(runs: pd.DataFrame, measure: Measure = class_balanced) -> pd.DataFrame:
    """A measure of every training, (seeds, methods); NaN where a method lacks a seed."""
    methods = dict.fromkeys(runs["method"])
    return pd.DataFrame({name: by_seed(runs, name, measure) for name in methods}).sort_index()


def pooled(values: pd.DataFrame) -> Spread:
    """Spread of one run over seeds, as if that of every method (column) were the same.

    Examples
    --------
    >>> print(pooled(pd.DataFrame({"a": [80.0, 81, 82], "b": [70.0, 71, 72]})))
    1.00 (0.60 to 2.87)
    """
    squares = ((values - values.mean()) ** 2).to_numpy()
    dof = int((values.count() - 1).clip(lower=0).sum())
    return Spread(math.sqrt(np.nansum(squares) / dof), dof) if dof else Spread(math.nan, 0)


def paired(values: pd.DataFrame) -> Spread:
    """Spread of the difference of two methods on one seed, pooled over all pairs of methods.

    What a seed does to every method alike is taken out: the root of twice the residual variance
    of mA = method + seed. With every cell there, that is the root mean square over all pairs of
    the standard deviation of their difference.
    """
    cells = values.stack().dropna()
    factors = [cells.index.get_level_values(axis).to_numpy() for axis in (0, 1)]
    design = np.hstack([pd.get_dummies(factor).to_numpy(dtype=float) for factor in factors])
    dof = len(cells) - int(np.linalg.matrix_rank(design))
    if not dof:
        return Spread(math.nan, 0)
    centred = cells.to_numpy() - cells.mean()
    residual = centred - design @ np.linalg.lstsq(design, centred, rcond=None)[0]
    return Spread(math.sqrt(2 * float(residual @ residual) / dof), dof)


def equal_spread(values: pd.DataFrame) -> float:
    """p of Bartlett's test that all methods have the same spread; NaN for fewer than two."""
    groups = [column.dropna() for _, column in values.items() if column.count() > 1]
    return float(bartlett(*groups).pvalue) if len(groups) > 1 else math.nan


def half_width(sd: float, n: int | np.ndarray) -> float | np.ndarray:
    """Half width of the 95 % interval of a mean over n seeds whose standard deviation is `sd`."""
    return t.ppf((1 + LEVEL) / 2, np.subtract(n, 1)) * sd / np.sqrt(n)


def power(step: float, sd: float, n: int) -> float:
    """Chance that the 95 % interval over n seeds lies off zero, on the side of the true step."""
    return float(nct.sf(t.ppf((1 + LEVEL) / 2, n - 1), n - 1, abs(step) * math.sqrt(n) / sd))


def seeds_needed(step: float, sd: float, chance: float | None = None) -> float:
    """Smallest number of seeds whose interval is narrow enough for a step.

    Parameters
    ----------
    step, sd : float
        True difference of two methods, and standard deviation of it over seeds; points.
    chance : float, optional
        Asked `power`. Without it: an interval no wider than the step to either side, which leaves
        off zero about every second time.

    Returns
    -------
    float
        At least 2; NaN where `sd` is; infinity beyond 10,000.
    """
    if math.isnan(sd):
        return math.nan
    for n in range(2, MOST_SEEDS):
        narrow = half_width(sd, n) <= abs(step)
        if narrow if chance is None else power(step, sd, n) >= chance:
            return n
    return math.inf


def published_steps(spread: Spread, chance: float = 0.8) -> pd.DataFrame:
    """Differences in mA that the paper's Tables 3 and 4 rest on, and the seeds that tell them.

    Table 3: each row and the one above it. Table 4: the best function for the schedule and each of
    the others.

    Parameters
    ----------
    spread : Spread
        Of a paired difference.
    chance : float
        Of finding the step.

    Returns
    -------
    DataFrame
        ``table``, ``step`` (words), ``points``, and `seeds_needed`: ``narrow``, ``found`` (with
        that chance), ``found, at most`` (at the upper end of the spread's interval).
    """
    third, fourth = published.table(3), published.table(4)
    words = third["method"].shift() + " to " + third["method"]
    rows = [(3, name, d) for name, d in zip(words, third["mA"].diff(), strict=True)][1:]
    functions = fourth[fourth["method"] == "dcl-ss"].set_index("sampling")["mA"]
    best = functions.idxmax()
    others = functions.drop(best)
    rows += [(4, f"{name} to {best}", functions[best] - d) for name, d in others.items()]
    steps = pd.DataFrame(rows, columns=["table", "step", "points"])
    steps["narrow"] = [seeds_needed(d, spread.sd) for d in steps["points"]]
    steps["found"] = [seeds_needed(d, spread.sd, chance) for d in steps["points"]]
    upper = spread.interval()[1]
    steps["found, at most"] = [seeds_needed(d, upper, chance) for d in steps["points"]]
    return steps


def noise(runs: pd.DataFrame) -> pd.DataFrame:
    """Both kinds of chance in the mA of one run, for each attribute, balanced attributes first.

    Returns
    -------
    DataFrame
        ``imbalance_level`` (training set, %), ``minority`` (test images of the rarer class),
        ``seed`` (pooled standard deviation over seeds) and ``images`` (`binomial_error`, root mean
        square over the runs).
    """
    frames = [per_attribute(record) for record in runs["record"]]
    first = frames[0]
    counts = np.array([frame.loc[first.index, "confusion"].tolist() for frame in frames])
    table = pd.DataFrame(
        {
            "imbalance_level": first["imbalance_level"],
            "minority": counts[0].sum(-1).min(-1).astype(int),
            "seed": [pooled(accuracies(runs, attribute(name))).sd for name in first.index],
            "images": np.sqrt((binomial_error(counts) ** 2).mean(0)),
        }
    )
    return table.sort_values("imbalance_level", kind="stable")


def compare(
    runs: pd.DataFrame, method: str, other: str = "cross-entropy", spread: pd.Series | None = None
) -> pd.DataFrame:
    """A t test of the gain in each attribute, paired over seeds; empty for fewer than two seeds.

    Parameters
    ----------
    runs : DataFrame
    method, other : str
    spread : Series of Spread, optional
        Of each attribute's paired difference (`spreads`), to be used instead of the one that the
        few seeds of these two methods give.

    Returns
    -------
    DataFrame
        By attribute: ``gain``, ``p`` (two-sided), and adjusted over the attributes, ``holm`` and
        ``fdr`` (Benjamini and Hochberg: at most 5 % of the findings are false, on average). Seeds
        that agree to the last image have no spread to test by: p is 1.
    """
    found = gains(runs, method, other)
    if len(found) < 2:
        return pd.DataFrame(columns=["gain", "p", "holm", "fdr"], dtype=float)
    sd, dof = found.std(), len(found) - 1
    if spread is not None:
        sd, dof = (pd.Series({a: getattr(spread[a], k) for a in found}) for k in ("sd", "dof"))
    statistic = found.mean().abs() / (sd / math.sqrt(len(found))).where(sd > TINY)
    p = np.nan_to_num(2 * t.sf(statistic, dof), nan=1.0)
    table = pd.DataFrame({"gain": found.mean(), "p": p})
    return table.assign(holm=holm(table["p"]), fdr=false_discovery_control(table["p"]))


def critical(n: int, tests: int = 1) -> float:
    """How many standard errors a mean over n seeds must be off zero, for Holm's first of tests."""
    return float(t.ppf(1 - (1 - LEVEL) / 2 / tests, n - 1))


def spreads(runs: pd.DataFrame) -> pd.Series:
    """`paired` of each attribute, over all methods."""
    names = per_attribute(runs["record"].iloc[0]).index
    return pd.Series({name: paired(accuracies(runs, attribute(name))) for name in names})


def survivors(runs: pd.DataFrame, method: str = "dcl") -> pd.DataFrame:
    """In how many attributes a method is ahead of and behind each other one, by stricter rules.

    Cross entropy decided at the training prior is a row too; its networks are no new training, so
    the pooled spread does not count them.

    Returns
    -------
    DataFrame of int
        By the other method, where they share two seeds or more: ``seeds``, and ``ahead`` and
        ``behind`` under each of ``mean``, ``p < 0.05``, ``FDR``, ``Holm`` and ``Holm, pooled``.
    """
    spread, runs = spreads(runs), with_prior(runs)
    rows = {}
    for other in dict.fromkeys(runs["method"]):
        own, shared = compare(runs, method, other), compare(runs, method, other, spread)
        if other == method or own.empty:
            continue
        rules = {"mean": pd.Series(True, own.index)}
        rules |= {"p < 0.05": own["p"] < 0.05, "FDR": own["fdr"] < 0.05, "Holm": own["holm"] < 0.05}
        rules["Holm, pooled"] = shared["holm"] < 0.05
        row = {("", "seeds"): len(gains(runs, method, other))}
        for rule, passes in rules.items():
            row[rule, "ahead"] = int((passes & (own["gain"] > 0)).sum())
            row[rule, "behind"] = int((passes & (own["gain"] < 0)).sum())
        rows[other] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def counts_as_text(judged: pd.DataFrame) -> pd.DataFrame:
    """`survivors` as text, ``ahead / behind`` under each rule."""
    table = pd.DataFrame({"seeds": judged["", "seeds"]})
    for rule in dict.fromkeys(judged.columns.get_level_values(0).drop("")):
        pairs = zip(judged[rule, "ahead"], judged[rule, "behind"], strict=True)
        table[rule] = [f"{ahead} / {behind}" for ahead, behind in pairs]
    return table
