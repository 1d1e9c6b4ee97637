"""Which method to use on a reader's own data: the cheapest that no other surely beats.

Cross entropy decided at the training prior is plain training and needs no tuning: it is what we
advise. No threshold moved, or tuned thresholds, take the prior's place only if they surely gain,
and a method only if it surely beats cross entropy at all of them. *Surely*: the 95 % interval over
seeds lies above zero.
"""

from collections.abc import Callable
from functools import partial

import pandas as pd

from . import evidence
from .finding import Finding
from .measures import OWN, Measure, attribute, metric
from .names import PLAIN, called

PRIOR, TUNED = "prior", "tuned-mA"
AT = {PRIOR: "the prior", TUNED: "tuned thresholds", OWN: "its own decision"}
AT_PRIOR = "mA, prior"
COLUMNS: dict[str, Measure] = {
    "mA, own": metric("mA"),
    AT_PRIOR: metric("mA", PRIOR),
    "mA, tuned": metric("mA", TUNED),
    "F1, tuned": metric("f1", "tuned-f1"),
}
CHANCE = 0.025  # of a lead's 95 % interval to lie above zero where there is no lead
At = Callable[[str], Measure]  # decision -> measure
MEAN: At = partial(metric, "mA")


def base(runs: pd.DataFrame) -> str:
    """The decision of cross entropy that we advise: the prior, if neither other surely beats it."""
    plain = OWN if _sure(_between(runs, PLAIN, OWN, PRIOR)) else PRIOR
    return TUNED if _sure(_between(runs, PLAIN, TUNED, plain)) else plain


def decision_of(runs: pd.DataFrame, method: str) -> str:
    """The decision at which we judge a method: of its own and the tuned, the larger mean mA.

    The better of two favours the method. A prior of its own would be no third: most methods train
    towards another prior than the data's.
    """
    found = {d: evidence.by_seed(runs, method, MEAN(d)).mean() for d in (OWN, TUNED)}
    return TUNED if found[TUNED] > found[OWN] else OWN


def lead(runs: pd.DataFrame, method: str, at: At = MEAN) -> Finding:
    """A method at `decision_of` over cross entropy at `base`, in points of mA, paired by seed.

    Parameters
    ----------
    runs : DataFrame
    method : str
    at : function, optional
        Decision -> measure: of one attribute in place of their mean.
    """
    return _between(runs, method, decision_of(runs, method), base(runs), at)


def ahead(runs: pd.DataFrame) -> dict[str, Finding]:
    """The methods that surely beat cross entropy, however decided -> lead over the advised way."""
    return {
        method: lead(runs, method)
        for method in others(runs)
        if all(
            _sure(_between(runs, method, decision_of(runs, method), decision))
            for decision in (OWN, PRIOR, TUNED)
        )
    }


def others(runs: pd.DataFrame) -> list[str]:
    """The methods but cross entropy."""
    return [method for method in dict.fromkeys(runs["method"]) if method != PLAIN]


def advice(runs: pd.DataFrame) -> str:
    """What to use, with the numbers that choose it, as Markdown.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`: one data set, cross entropy and others, the same
        seeds.
    """
    if better := ahead(runs):
        best = max(better, key=lambda method: better[method].mean)
        return (
            f"**Train {called(best)} and decide at {AT[decision_of(runs, best)]}:** averaged over "
            f"the attributes that gains {better[best]} points of mA over cross entropy at "
            f"{AT[base(runs)]} ({better[best].n} seeds)."
        )
    undefined = runs["record"].iloc[0]["test"].get("undefined", [])
    leads = [lead(runs, method) for method in others(runs)]
    if undefined and not any(found.n for found in leads):
        return (
            f"**No advice:** the test split lacks a class of {', '.join(undefined)}, so mA is "
            "undefined there. Move rows of that class to the test split, and to validation."
        )
    gain = _between(runs, PLAIN, base(runs), OWN)
    if max(found.n for found in leads or [gain]) < 2:
        return "**No advice from one seed:** run two or more."
    tuning = _between(runs, PLAIN, TUNED, PRIOR)
    no_other = (
        "Averaged over the attributes, no other method that we tried surely beats these decisions."
        if leads
        else "No other method was tried."
    )
    if base(runs) == OWN:
        prior = _between(runs, PLAIN, PRIOR, OWN)
        return (
            f"**Train with cross entropy and move no threshold:** the prior changes mA by {prior} "
            f"points ({prior.n} seeds), surely a loss. Do the validation and test rows have other "
            f"shares of classes than the training rows? {no_other}"
        )
    if base(runs) == TUNED:
        return (
            f"**Train with cross entropy and tune its thresholds:** that changes mA by {gain} "
            f"points against its own decision ({gain.n} seeds). Tuned thresholds differ from the "
            f"prior by {tuning}. {no_other}"
        )
    choice = (
        f"**Train with cross entropy and decide at the prior:** that gains {gain} points of mA "
        f"over its own decision ({gain.n} seeds) and costs nothing."
        if _sure(gain)
        else f"**Start with cross entropy, decided at the prior:** that changes mA by {gain} "
        f"points against its own decision ({gain.n} seeds), which may be chance, and costs nothing."
    )
    if _sure(-tuning):
        return f"{choice} Tuned thresholds surely do worse than the prior, by {-tuning}. {no_other}"
    return (
        f"{choice} Tuned thresholds differ from the prior by {tuning}, which these seeds cannot "
        f"tell from zero; more seeds may. {no_other}"
    )


def method_table(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each method: mA and F1 at each decision, and its `lead`, as texts."""
    rows = {}
    for method in dict.fromkeys(runs["method"]):
        row = {
            name: Finding.of(evidence.by_seed(runs, method, measure)).text()
            for name, measure in COLUMNS.items()
        }
        if method != PLAIN:
            row[AT_PRIOR] = ""  # most others are trained for another prior than the data's already
        row["lead"] = "" if method == PLAIN else str(lead(runs, method))
        rows[method] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def by_attribute(runs: pd.DataFrame) -> pd.DataFrame:
    """The attributes in which a method's `lead` over cross entropy is sure.

    Returns
    -------
    DataFrame
        A row for each such attribute: ``method``, the best, and ``lead``, points of mA. Its
        ``attrs["comparisons"]`` counts the leads that have two seeds or more, of which chance alone
        would show `CHANCE` each.
    """
    names = list(runs["record"].iloc[0]["test"]["per_attribute"])
    rows, comparisons = {}, 0
    for name in names:
        leads = {method: lead(runs, method, partial(attribute, name)) for method in others(runs)}
        comparisons += sum(found.n > 1 for found in leads.values())
        better = {method: found for method, found in leads.items() if _sure(found)}
        if better:
            best = max(better, key=lambda method: better[method].mean)
            rows[name] = {"method": best, "lead": str(better[best])}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["method", "lead"])
    table.attrs["comparisons"] = comparisons
    return table.rename_axis("attribute")


def _between(
    runs: pd.DataFrame, method: str, decision: str, of_plain: str, at: At = MEAN
) -> Finding:
    """A method at a decision minus cross entropy at another, paired by seed."""
    plain = evidence.by_seed(runs, PLAIN, at(of_plain))
    return Finding.of(evidence.by_seed(runs, method, at(decision)) - plain)


def _sure(found: Finding) -> bool:
    return found.n > 1 and found.low > 0
