"""Which method to use on data of one's own, in one sentence: the cheapest that nothing beats.

Everything is held against cross entropy with a threshold tuned on validation, which is plain
training and costs nothing, at that same decision: a lead that a free threshold gives as well is
none.
"""

import pandas as pd

from . import evidence
from .finding import Finding
from .measures import Measure, attribute, metric

PLAIN, TUNED = "cross-entropy", "tuned-mA"
AT_PRIOR = "mA, prior"
COLUMNS: dict[str, Measure] = {
    "mA, own": metric("mA"),
    AT_PRIOR: metric("mA", "prior"),
    "mA, tuned": metric("mA", TUNED),
    "F1, tuned": metric("f1", "tuned-f1"),
}


def compared(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each method: mA and F1 at each decision, its lead, and its time, as texts.

    The lead is in mA at the tuned threshold over cross entropy's, paired by seed.
    """
    rows = {}
    for method in dict.fromkeys(runs["method"]):
        row = {
            name: Finding.of(evidence.by_seed(runs, method, measure)).text()
            for name, measure in COLUMNS.items()
        }
        if method != PLAIN:
            row[AT_PRIOR] = ""  # most others are trained for another prior than the data's already
        row["lead, tuned"] = "" if method == PLAIN else str(lead(runs, method))
        row["time"] = f"{slower(runs, method):+.0f} %" if method != PLAIN else ""
        row["time"] = row["time"].replace("-0 %", "+0 %")
        rows[method] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def lead(runs: pd.DataFrame, method: str) -> Finding:
    """mA of a method over cross entropy, both with tuned thresholds, in points."""
    return evidence.lead(runs, method, PLAIN, metric("mA", TUNED))


def slower(runs: pd.DataFrame, method: str) -> float:
    """How much longer a step takes than one of cross entropy, in percent; medians over seeds."""
    step = runs.groupby("method")["ms_per_step"].median()
    return float(100 * (step[method] / step[PLAIN] - 1))


def advice(runs: pd.DataFrame) -> str:
    """What to use, in one sentence, with the interval that says so.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`: one data set, cross entropy and others, the same
        seeds.
    """
    own = evidence.by_seed(runs, PLAIN)
    free = Finding.of(evidence.by_seed(runs, PLAIN, metric("mA", TUNED)) - own)
    others = [method for method in dict.fromkeys(runs["method"]) if method != PLAIN]
    leads = {method: lead(runs, method) for method in others}
    better = {method: found for method, found in leads.items() if found.n > 1 and found.low > 0}
    threshold = f"(that gives {_points(free)} over the plain decision)"
    if better:
        best = max(better, key=lambda method: better[method].mean)
        return (
            f"Train {best} and tune its thresholds: it adds {_points(better[best])} to cross "
            f"entropy with tuned thresholds {threshold} and takes {_longer(runs, best)}."
        )
    shown = max(leads, key=lambda method: (method == "dcl", leads[method].mean))
    found = leads[shown]
    more = f" and takes {_longer(runs, shown)}"
    undefined = runs["record"].iloc[0]["test"].get("undefined", [])
    if not found.n and undefined:
        return (
            f"No advice: the test split lacks a class of {', '.join(undefined)}, so that mA is "
            f"undefined there. Move rows of that class to the test split, and to validation."
        )
    if found.n < 2:
        return f"Not to be told from {found.n} seed: run two or more."
    return (
        f"Train with cross entropy and tune its thresholds {threshold}: {shown} adds "
        f"{_points(found)}{more}; no method tried is surely better."
    )


CHANCE = 0.025  # of a lead's 95 % interval to lie above zero where there is no lead


def by_attribute(runs: pd.DataFrame) -> str:
    """Which attributes a method surely gains in, in one sentence, with its lead and interval.

    Parameters
    ----------
    runs : DataFrame
        As for `advice`.
    """
    names = list(runs["record"].iloc[0]["test"]["per_attribute"])
    others = [method for method in dict.fromkeys(runs["method"]) if method != PLAIN]
    clear = []
    for name in names:
        measure = attribute(name, TUNED)
        leads = {method: evidence.lead(runs, method, PLAIN, measure) for method in others}
        better = {m: found for m, found in leads.items() if found.n > 1 and found.low > 0}
        if better:
            best = max(better, key=lambda method: better[method].mean)
            clear.append(f"{name} ({best} {better[best]} points, {_longer(runs, best)})")
    tried = len(names) * len(others)
    chance = f"of {tried} comparisons {CHANCE * tried:.1f} would look so by chance"
    if not clear:
        return (
            f"By attribute: in none of the {len(names)} does a method surely add to cross entropy "
            f"with tuned thresholds; {chance}."
        )
    rest = len(names) - len(clear)
    more = f"; in the other {rest} tune the threshold alone" if rest else ""
    return (
        f"By attribute, surely above cross entropy with tuned thresholds: {', '.join(clear)}"
        f"{more}; {chance}."
    )


def _points(found: Finding) -> str:
    seeds = f"{found.n} seeds" if found.n > 1 else "one seed"
    return f"{found} points of mA (95 % interval, {seeds})"


def _longer(runs: pd.DataFrame, method: str) -> str:
    percent = slower(runs, method)
    return f"{abs(percent):.0f} % {'more' if percent >= 0 else 'less'} time for a step"
