"""The paper's tables beside ours, from run records."""

import os
import re
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from ..experiment.config import Training, resolve
from ..experiment.records import RecordError, per_attribute
from . import evidence, published
from .evidence import Finding

TABLE_2 = (  # the paper's columns that this library trains, in its order
    *("cross-entropy", "over-sampling", "down-sampling", "cost-sensitive"),
    *("selective-learning", "crl", "lmle", "dcl"),
)


def table2(runs: pd.DataFrame) -> pd.DataFrame:
    """Table 2: mA of each attribute, the paper's and ours, balanced attributes first, DCL first.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`.

    Returns
    -------
    DataFrame of str
        Columns (method, ``paper`` or ``ours``) after (``imbalance``, ``%``), ours as mean ± 95 %
        interval over seeds; the largest of a row in bold, the second underlined, in HTML, among
        the paper's and among ours.
    """
    theirs = published.table(2).sort_values("imbalance_level", kind="stable")
    ours = {
        method: per_attribute_findings(runs, method).reindex(theirs.index)
        for method in TABLE_2
        if method in set(runs["method"])
    }
    means = pd.DataFrame({m: [f.mean for f in column] for m, column in ours.items()}, theirs.index)
    told = pd.DataFrame(
        {m: [f.text("{:.1f}") for f in col] for m, col in ours.items()}, theirs.index
    )
    marked = {
        "paper": _mark(theirs[list(TABLE_2)], theirs[list(TABLE_2)].astype(str)),
        "ours": _mark(means, told),
    }
    table = {("imbalance", "%"): theirs["imbalance_level"]}
    for method in sorted(TABLE_2, key=lambda name: name != "dcl"):
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
    DataFrame
        Indexed by method, best of ours last: ``paper``, ``ours``, ``to dcl`` (paired over the seeds
        that both have) as text, ``paper to dcl``, ``seeds``.
    """
    theirs = published.averages()
    rows = {}
    for method in TABLE_2:
        values = evidence.by_seed(runs, method)
        paired = evidence.lead(runs, method, "dcl")
        rows[method] = {
            "mean": values.mean(),
            "paper": f"{theirs[method]:.2f}",
            "ours": Finding.of(values).text(),
            "paper to dcl": "" if method == "dcl" else f"{theirs[method] - theirs['dcl']:+.2f}",
            "ours to dcl": "" if method == "dcl" else str(paired),
            "seeds": len(values),
        }
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
        over seeds).
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
        }
        before = row
    return pd.DataFrame.from_dict(table, orient="index")


def sentence(row: str, before: str, found: pd.Series) -> str:
    """One sentence of verdict on a step of `steps`, made from its numbers."""
    finding, paper = found["step"], found["paper_step"]
    start = f"From {before} to {row}: {paper:+.2f} points in the paper, "
    if finding.n == 0:
        return start + "not tried here."
    if finding.n == 1:
        return start + f"{finding} here in one seed, which decides nothing."
    numbers = f"{finding} here (n = {finding.n})"
    if abs(finding.mean) <= finding.half:
        return start + f"{numbers}: no difference beyond chance."
    same = (finding.mean > 0) == (paper > 0)
    return start + f"{numbers}: {'the same' if same else 'the opposite'} direction."


def _mark(values: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Text with the largest value of each row in bold and the second largest underlined."""
    place = values.rank(axis=1, method="min", ascending=False)
    second = place.where(place > 1).min(axis=1)
    bold = place == 1
    underlined = place.eq(second, axis=0)
    told = told.mask(bold, "<b>" + told + "</b>")
    return told.mask(underlined, "<u>" + told + "</u>")


def attributes(record: dict[str, Any]) -> Styler:
    """The metrics of each attribute of one run, in percent, balanced attributes first."""
    names = {"imbalance_level": "level", "mA": "mA", "recall": "recall", "precision": "precision"}
    names |= {"f1": "f1", "auc": "auc", "average_precision": "AP"}
    table = per_attribute(record)[list(names)].rename(columns=names).sort_values("level")
    table.index = table.index.str.replace("_", " ")
    style = table.style.format("{:.1f}", na_rep="undefined")
    style.set_caption(f"{record['dataset']['title']}, {record['method']}: test, percent")
    # the light part of the colours, and dark text on all of it: the contrast is 7 to 1 or more
    return style.background_gradient("Blues", subset=["mA"], high=0.8, text_color_threshold=0)


def learning_rates(
    runs: pd.DataFrame, measure: evidence.Measure = evidence.best_on_validation
) -> pd.DataFrame:
    """A measure, mA on validation, of one seed of each method at each learning rate.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`; of several seeds the smallest is taken.
    measure : function of a record

    Returns
    -------
    DataFrame
        Indexed by method, a column for each rate, rising; NaN where there is no run.

    Raises
    ------
    RecordError
        For two runs of one method, rate and seed: then `runs` holds more than one setting.
    """
    own = runs[runs["seed"] == runs["seed"].min()]
    found = pd.DataFrame(
        {
            "method": own["method"],
            "lr": [record["config"]["lr"] for record in own["record"]],
            "value": [measure(record) for record in own["record"]],
        }
    )
    twice = found.duplicated(["method", "lr"], keep=False)
    if twice.any():
        paths = ", ".join(map(str, own["path"][twice]))
        raise RecordError(f"more than one run of a method, learning rate and seed: {paths}")
    return found.pivot(index="method", columns="lr", values="value")


def told(table: pd.DataFrame) -> pd.DataFrame:
    """A table of `steps` as text."""
    names = {"paper_step": "paper, step", "step": "here, step", "ours": "here"}
    shown = table.copy()
    shown["seeds"] = [finding.n for finding in table["ours"]]
    shown["ours"] = [finding.text() for finding in table["ours"]]
    if "step" in shown:
        shown["step"] = [str(finding) for finding in table["step"]]
        shown["paper_step"] = [f"{x:+.2f}" if x == x else "" for x in table["paper_step"]]
    shown["paper"] = [f"{x:.2f}" for x in table["paper"]]
    return shown.rename(columns=names)


def provenance(runs: pd.DataFrame, results: str) -> Styler:
    """Which records a page was made from, and where and when those were; a row for like seeds."""
    environment = [record["environment"] for record in runs["record"]]
    names = [os.path.relpath(path, resolve(results)) for path in runs["path"]]
    shown = pd.DataFrame(
        {
            "records": [re.sub(r"seed\d+", "seed*", name) for name in names],
            "device": [found["device"] for found in environment],
            "torch": [found["torch"] for found in environment],
            "source": [found["source"] for found in environment],
            "date": [record["date"][:10] for record in runs["record"]],
            "seeds": runs["seed"].astype(str),
        }
    )
    alike = list(shown.columns.drop("seeds"))
    shown = shown.groupby(alike, as_index=False, sort=False)["seeds"].agg(", ".join)
    shown = shown[["records", "seeds", *alike[1:]]]
    style = shown.style.hide(axis="index").set_caption(f"records in {results}")
    return style.set_table_styles([{"selector": "th, td", "props": "text-align: left"}])


def overview(runs: pd.DataFrame) -> pd.DataFrame:
    """`means` of what a data set is judged by: mA (accuracy for a single label), each of its groups
    of attributes or classes, and the metrics of the examples where there are."""
    first = runs["record"].iloc[0]["test"]
    if "per_class" in first:
        measures = {"accuracy": evidence.metric("accuracy")}
    else:
        measures = {"mA": evidence.mean_accuracy}
    measures |= {name: evidence.group(name) for name in first["groups"]}
    for name in first.get("instance", {}):
        measures[f"{name} of an example"] = evidence.of_an_example(name)
    return means(runs, measures)


def means(runs: pd.DataFrame, measures: dict[str, evidence.Measure]) -> pd.DataFrame:
    """Measures of every method as mean ± 95 % interval over seeds, in text.

    Returns
    -------
    DataFrame
        Indexed by method, rising in the first measure: a column for each measure, and ``seeds``.
    """
    found = {
        method: {w: Finding.of(evidence.by_seed(runs, method, m)) for w, m in measures.items()}
        for method in dict.fromkeys(runs["method"])
    }
    first = next(iter(measures))
    rows = {
        method: {words: finding.text("{:.1f}") for words, finding in row.items()}
        | {"seeds": row[first].n}
        for method, row in sorted(found.items(), key=lambda item: item[1][first].mean)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def best(runs: pd.DataFrame) -> str:
    """The method with the largest mean mA."""
    return runs.groupby("method")["mA"].mean().idxmax()


def choices(runs: pd.DataFrame) -> pd.DataFrame:
    """DCL with one choice made otherwise, against DCL as it is, paired over seeds.

    Returns
    -------
    DataFrame
        Indexed by ``name = value`` of the choice: ``mA`` and ``effect``, as `Finding`; the first
        row is DCL as it is.
    """
    named = evidence.by_choice(runs)
    rows = {
        name: {
            "mA": Finding.of(evidence.by_seed(named, name)),
            "effect": Finding.of([])
            if name == evidence.AS_READ
            else evidence.lead(named, name, evidence.AS_READ),
        }
        for name in sorted(set(named["method"]), key=lambda name: (name != evidence.AS_READ, name))
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def sensitivity(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What DCL makes of other values of each of `dcl.report.evidence.NUMBERS`, one at a time.

    Returns
    -------
    dict
        Name -> table as of `choices`, indexed by the values tried, rising, and the default, with
        the mA of each seed as ``seeds``; only of numbers of which another value was tried.
    """
    named, table = evidence.by_choice(runs), choices(runs)
    table["seeds"] = [evidence.by_seed(named, label).tolist() for label in table.index]
    tried = {}
    for spec in fields(Training):
        rows = {
            float(label.removeprefix(f"{spec.name} = ")): row
            for label, row in table.iterrows()
            if spec.name in evidence.NUMBERS and re.fullmatch(f"{spec.name} = [^,]*", label)
        }
        if rows:
            rows[float(spec.default)] = table.loc[evidence.AS_READ]
            tried[spec.name] = pd.DataFrame.from_dict(rows, orient="index").sort_index()
    return tried
