"""In which attributes a method is ahead of another, tested over seeds and for all at once.

All in percent and percentage points, as in the records; `runs` is what `records.collect` returns.
How far the seed moves a measure is in `dcl_book.seed_spread`, the chance that lies in the test
images in `dcl_book.sampling_error`.
"""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, t

from dcl.experiment.records import per_attribute

from .evidence import gains, with_prior
from .finding import TINY
from .measures import attribute
from .seed_spread import LEVEL, accuracies, paired
from .verdicts import holm


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
        that agree to the last image have no spread to test by: p is 1. An attribute that is
        undefined in a seed is tested on the others; where nothing can be tested p is NaN, and it
        is not counted among the tests.
    """
    found = gains(runs, method, other)
    if len(found) < 2:
        return pd.DataFrame(columns=["gain", "p", "holm", "fdr"], dtype=float)
    number = found.count()
    sd, dof = found.std(), number - 1
    if spread is not None:
        sd, dof = (pd.Series({a: getattr(spread[a], k) for a in found}) for k in ("sd", "dof"))
    statistic = found.mean().abs() / (sd / np.sqrt(number)).where(sd > TINY)
    p = pd.Series(2 * t.sf(statistic, dof), found.columns).mask(sd <= TINY, 1.0).where(number > 0)
    fdr = pd.Series(false_discovery_control(p.dropna()), p.dropna().index)
    return pd.DataFrame({"gain": found.mean(), "p": p}).assign(holm=holm(p), fdr=fdr)


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
