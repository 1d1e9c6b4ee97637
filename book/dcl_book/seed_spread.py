"""How far the seed moves a measure, and how many seeds find a step.

All in percent and percentage points, as in the records; `runs` is what `records.collect` returns.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import bartlett, chi2, nct, t

from dcl.experiment.records import per_attribute

from . import published
from .evidence import one_a_seed
from .measures import Measure, attribute, class_balanced
from .sampling_error import binomial_error

LEVEL = 0.95
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
    one_a_seed(runs)
    values = np.array([measure(record) for record in runs["record"]], dtype=float)
    cells = pd.Series(
        values, pd.MultiIndex.from_frame(runs[["seed", "method"]], names=[None, None])
    )
    return cells.unstack()[list(dict.fromkeys(runs["method"]))]


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
