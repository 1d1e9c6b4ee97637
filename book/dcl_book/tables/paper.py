"""The paper's Tables 2 to 4 beside ours."""

import numpy as np
import pandas as pd

from dcl.experiment.records import per_attribute

from .. import evidence, measures, published
from ..finding import Finding
from ..names import PRIOR
from .methods import tuned

TABLE_2 = (  # the paper's columns that this library trains, in its order
    *("cross-entropy", "over-sampling", "down-sampling", "cost-sensitive"),
    *("selective-learning", "crl", "lmle", "dcl"),
)
FIRST = ("dcl", "cross-entropy", PRIOR)  # what a reader compares before anything else


def table2(runs: pd.DataFrame) -> pd.DataFrame:
    """Table 2: mA of each attribute, the paper's and ours, balanced attributes first.

    The columns of `FIRST` come first. Cross entropy's moved threshold has a column of ours alone.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`.

    Returns
    -------
    DataFrame of str
        Columns (method, ``paper`` or ``ours``) after (``imbalance, paper``, ``%``), ours as mean ±
        95 % interval over seeds; the largest of a row in bold, the second underlined, in HTML,
        among the paper's, CLMLE's too, and among ours.
    """
    theirs = published.table(2).sort_values("imbalance_level", kind="stable")
    runs = evidence.with_prior(runs)
    ours = {
        method: per_attribute_findings(runs, method).reindex(theirs.index)
        for method in (*TABLE_2, PRIOR)
        if method in set(runs["method"])
    }
    means = pd.DataFrame({m: [f.mean for f in column] for m, column in ours.items()}, theirs.index)
    words = pd.DataFrame(
        {m: [f.text("{:.1f}") for f in col] for m, col in ours.items()}, theirs.index
    )
    marked = {
        "paper": _mark(theirs.drop(columns="imbalance_level"), theirs.astype(str)),
        "ours": _mark(means, words),
    }
    table = {("imbalance, paper", "%"): theirs["imbalance_level"]}
    for method in (*FIRST, *(name for name in TABLE_2 if name not in FIRST)):
        for whose, frame in marked.items():
            if method in frame:
                table[method, whose] = frame[method]
    table = pd.DataFrame(table)
    table.index = [name.replace("_", " ") for name in table.index]
    return table


def per_attribute_findings(runs: pd.DataFrame, method: str) -> pd.Series:
    """mA of each attribute over the seeds of a method, as `Finding`."""
    records = runs["record"][runs["method"] == method]
    seeds = pd.DataFrame([per_attribute(record)["mA"] for record in records])
    return pd.Series({name: Finding.of(seeds[name]) for name in seeds})


def averages(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean over the attributes for each method of Table 2, the paper's and ours.

    Returns
    -------
    DataFrame of str
        Indexed by method, best of ours last, with cross entropy decided at the training prior:
        ``paper``, ``ours``, ``ours, tuned`` where records have it (thresholds that are best on
        validation), ``paper to dcl``, ``ours to dcl`` (paired over the seeds that both have),
        ``seeds``.
    """
    theirs, runs = published.averages(), evidence.with_prior(runs)
    columns = {"ours": measures.class_balanced} | tuned(runs, "mA")
    rows = {}
    for method in (*TABLE_2, PRIOR):
        found = {
            name: Finding.of(evidence.by_seed(runs, method, measure))
            for name, measure in columns.items()
        }
        if method == PRIOR and not found["ours"].n:
            continue
        paper = theirs.get(method, np.nan)
        rows[method] = {
            "mean": found["ours"].mean,
            "paper": f"{paper:.2f}" if paper == paper else "-",
            **{name: value.text() for name, value in found.items()},
            "paper to dcl": f"{paper - theirs['dcl']:+.2f}" if paper == paper else "-",
            "ours to dcl": str(evidence.lead(runs, method, "dcl")),
            "seeds": found["ours"].n,
        }
    rows["dcl"] |= {"paper to dcl": "", "ours to dcl": ""}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.sort_values("mean", na_position="first").drop(columns="mean")


def steps(runs: pd.DataFrame, published_ma: dict[str, float]) -> pd.DataFrame:
    """Methods or variants in a row, each against the one before it: Tables 3 and 4.

    Parameters
    ----------
    runs : DataFrame
        With a column ``row``, the name of the row that a run belongs to.
    published_ma : dict
        Row -> the paper's mA, in the table's order.

    Returns
    -------
    DataFrame
        Indexed by row: ``paper``, ``paper_step``, ``ours`` (`Finding`), ``step`` (`Finding`, paired
        over seeds), ``final_g`` (where its sampling schedule stopped, in words).
    """
    values = {
        row: evidence.by_seed(runs[runs["row"] == row].assign(method=row), row)
        for row in published_ma
    }
    table, before = {}, None
    for row, number in published_ma.items():
        paired = values[row] - values[before] if before else pd.Series(dtype=float)
        table[row] = {
            "paper": number,
            "paper_step": number - published_ma[before] if before else np.nan,
            "ours": Finding.of(values[row]),
            "step": Finding.of(paired.dropna()),
            "final_g": evidence.end_of_schedule(runs["record"][runs["row"] == row]),
        }
        before = row
    return pd.DataFrame.from_dict(table, orient="index")


def steps_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """A table of `steps` as text."""
    names = {"paper_step": "paper, step", "step": "here, step", "ours": "here"}
    names["final_g"] = "g at the end"
    shown = table.copy()
    shown["seeds"] = [finding.n for finding in table["ours"]]
    shown["ours"] = [finding.text() for finding in table["ours"]]
    if "step" in shown:
        shown["step"] = [str(finding) for finding in table["step"]]
        shown["paper_step"] = [f"{x:+.2f}" if x == x else "" for x in table["paper_step"]]
    shown["paper"] = [f"{x:.2f}" for x in table["paper"]]
    return shown.rename(columns=names)


def _mark(values: pd.DataFrame, words: pd.DataFrame) -> pd.DataFrame:
    """Text with the largest value of each row in bold and the second largest underlined."""
    place = values.rank(axis=1, method="min", ascending=False)
    second = place.where(place > 1).min(axis=1)
    bold = place == 1
    underlined = place.eq(second, axis=0)
    words = words.mask(bold, "<b>" + words + "</b>")
    return words.mask(underlined, "<u>" + words + "</u>")
