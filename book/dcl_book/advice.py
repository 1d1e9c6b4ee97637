"""Which method to use on a reader's own data: the cheapest that no other beats.

We compare everything with cross entropy whose thresholds are tuned on validation. That is plain
training and costs nothing, so a lead counts only beyond it, at tuned thresholds for both.
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


def method_table(runs: pd.DataFrame) -> pd.DataFrame:
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
        row["lead, tuned"] = "" if method == PLAIN else str(tuned_lead(runs, method))
        row["time"] = f"{slower(runs, method):+.0f} %" if method != PLAIN else ""
        row["time"] = row["time"].replace("-0 %", "+0 %")
        rows[method] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def tuned_lead(runs: pd.DataFrame, method: str) -> Finding:
    """mA of a method over cross entropy, both with tuned thresholds, in points."""
    return evidence.lead(runs, method, PLAIN, metric("mA", TUNED))


def slower(runs: pd.DataFrame, method: str) -> float:
    """How much longer a step takes than one of cross entropy, in percent; medians over seeds."""
    step = runs.groupby("method")["ms_per_step"].median()
    return float(100 * (step[method] / step[PLAIN] - 1))


def advice(runs: pd.DataFrame) -> str:
    """What to use: one of four sentences, with the numbers that choose it.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`: one data set, cross entropy and others, the same
        seeds.
    """
    own = evidence.by_seed(runs, PLAIN)
    free = Finding.of(evidence.by_seed(runs, PLAIN, metric("mA", TUNED)) - own)
    others = [method for method in dict.fromkeys(runs["method"]) if method != PLAIN]
    leads = {method: tuned_lead(runs, method) for method in others}
    better = {method: found for method, found in leads.items() if found.n > 1 and found.low > 0}
    undefined = runs["record"].iloc[0]["test"].get("undefined", [])
    if better:
        best = max(better, key=lambda method: better[method].mean)
        return (
            f"Train {best} and tune its thresholds: it gains {better[best]} points of mA over "
            f"cross entropy with tuned thresholds ({better[best].n} seeds). Tuning the thresholds "
            f"of cross entropy alone gains {free}."
        )
    if undefined and not any(found.n for found in leads.values()):
        return (
            f"No advice: the test split lacks a class of {', '.join(undefined)}, so mA is "
            "undefined there. Move rows of that class to the test split, and to validation."
        )
    if max(found.n for found in leads.values()) < 2:
        return "No advice from one seed: run two or more."
    return (
        f"Train with cross entropy and tune its thresholds: that gains {free} points of mA over "
        f"its plain decision ({free.n} seeds), and no method that we tried surely gains more."
    )


CHANCE = 0.025  # of a lead's 95 % interval to lie above zero where there is no lead


def by_attribute(runs: pd.DataFrame) -> pd.DataFrame:
    """The attributes in which a method surely leads cross entropy, thresholds tuned for both.

    Returns
    -------
    DataFrame
        A row for each such attribute: ``method``, the best, and ``lead``, points of mA. Its
        ``attrs["comparisons"]`` says how many leads were looked at, of which chance alone would
        show `CHANCE` each.
    """
    names = list(runs["record"].iloc[0]["test"]["per_attribute"])
    others = [method for method in dict.fromkeys(runs["method"]) if method != PLAIN]
    rows = {}
    for name in names:
        measure = attribute(name, TUNED)
        leads = {method: evidence.lead(runs, method, PLAIN, measure) for method in others}
        better = {m: found for m, found in leads.items() if found.n > 1 and found.low > 0}
        if better:
            best = max(better, key=lambda method: better[method].mean)
            rows[name] = {"method": best, "lead": str(better[best])}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["method", "lead"])
    table.attrs["comparisons"] = len(names) * len(others)
    return table.rename_axis("attribute")
