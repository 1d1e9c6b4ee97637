"""Tables of the page on training length: leads, overfitting, the last epoch, rates, hours."""

from typing import Any

import numpy as np
import pandas as pd

from . import evidence
from .evidence import PRIOR
from .finding import Finding
from .length import MEASURES, METHODS, leads, slope


def leads_in_words(runs: pd.DataFrame) -> pd.DataFrame:
    """`leads` in mA at the own decision over every other row, as text; rows by lengths."""
    return _in_words({other: leads(runs, other) for other in (PRIOR, *METHODS[:-1])})


def measures_in_words(
    runs: pd.DataFrame, others: tuple[str, ...] = ("cross-entropy", "selective-learning")
) -> pd.DataFrame:
    """`leads` over some rows in each of `length.MEASURES`, as text, and their `slope`.

    Rows by (``DCL minus``, ``in``), columns by lengths, the last one what ten times the epochs add.
    """
    found = {
        (other, words): leads(runs, other, measure)
        for other in others
        for words, measure in MEASURES.items()
    }
    table = _in_words(found)
    table["ten times"] = [f"{slope(runs, other, MEASURES[words])}" for other, words in found]
    table.index = pd.MultiIndex.from_tuples(found, names=["DCL minus", "in"])
    return table


def _in_words(found: dict[Any, dict[int, Finding]]) -> pd.DataFrame:
    """Each row's leads as text, columns by lengths; - where there is none."""
    lengths = sorted({epochs for lead in found.values() for epochs in lead})
    rows = {
        name: [f"{lead[epochs]}" if epochs in lead else "-" for epochs in lengths]
        for name, lead in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=lengths)


def overfitting(runs: pd.DataFrame) -> pd.DataFrame:
    """Where the validation loss is lowest, and which epoch was chosen, as means over seeds.

    Returns
    -------
    DataFrame
        By (``epochs``, ``method``): ``lowest`` and ``chosen`` (epochs trained), ``loss`` there and
        ``loss at the end``, ``seeds``. Records without a validation loss are left out.
    """
    rows = []
    for row in runs.itertuples():
        loss = history(row.record, "val_loss")
        if len(loss):
            chosen = row.record["selection"]["best_epoch"] + 1
            rows.append((row.epochs, row.method, loss.idxmin(), chosen, loss.min(), loss.iloc[-1]))
    names = ["epochs", "method", "lowest", "chosen", "loss", "loss at the end"]
    groups = pd.DataFrame(rows, columns=names).groupby(["epochs", "method"], sort=True)
    return groups.mean().assign(seeds=groups.size())


def stopping_in_words(found: pd.DataFrame) -> str:
    """Where DCL and Selective Learning are stopped at their longest common length, in a sentence.

    `found` is from `overfitting`; nothing is said of a length that only one of them has.
    """
    names = ("dcl", "selective-learning")
    both = {L for L, _ in found.index if all((L, name) in found.index for name in names)}
    if not both:
        return ""
    last = max(both)
    dcl, steady = (found.loc[(last, name)] for name in names)
    return (
        f"Of {last} epochs, Selective Learning's best on validation is epoch "
        f"{steady['chosen']:.0f} in the mean ({steady['seeds']:.0f} seeds), DCL's "
        f"{dcl['chosen']:.0f} ({dcl['seeds']:.0f}). What is balanced from the start can be stopped "
        "where it is best; a curriculum is balanced at its end, and has to be waited for."
    )


def last_minus_chosen(runs: pd.DataFrame) -> pd.DataFrame:
    """What the last epoch gives on test, minus the chosen one, at the method's own decision.

    Returns
    -------
    DataFrame of Finding
        By (``epochs``, ``method``): ``mA``, ``f1``, ``auc``, ``average_precision``, points.
        Records that did not keep the last epoch are left out.
    """
    keys, rows = ("mA", "f1", "auc", "average_precision"), []
    for row in runs.itertuples():
        decision = row.record.get("decision", "argmax")
        end = row.record.get("last", {}).get("test", {}).get(decision)
        if end is not None:
            apart = [end[key] - row.record["test"][key] for key in keys]
            rows.append((row.epochs, row.method, *apart))
    groups = pd.DataFrame(rows, columns=["epochs", "method", *keys]).groupby(["epochs", "method"])
    found = {name: {key: Finding.of(own[key]) for key in keys} for name, own in groups}
    return _by_length_and_method(found, list(keys))


def rates(runs: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """What another learning rate changes: runs at the rate chosen anew beside those that kept it.

    Returns
    -------
    DataFrame
        By (``epochs``, ``method``), of the seeds that both have: ``kept`` and ``chosen``, the
        rates; ``mA kept``, ``mA chosen`` and ``chosen minus kept``, Findings, points on test.
    """
    rows = {}
    for (epochs, method), old in kept.groupby(["epochs", "method"]):
        new = runs[(runs["epochs"] == epochs) & (runs["method"] == method)]
        before, after = (evidence.by_seed(x, method) for x in (old, new))
        seeds = before.index.intersection(after.index)
        rows[epochs, method] = {
            "kept": old["record"].iloc[0]["config"]["lr"],
            "chosen": new["record"].iloc[0]["config"]["lr"] if len(new) else np.nan,
            "mA kept": Finding.of(before[seeds]),
            "mA chosen": Finding.of(after[seeds]),
            "chosen minus kept": Finding.of((after - before)[seeds]),
        }
    return _by_length_and_method(rows)


def _by_length_and_method(
    rows: dict[Any, dict[str, Any]], columns: list[str] | None = None
) -> pd.DataFrame:
    """A row for each (epochs, method)."""
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index = pd.MultiIndex.from_tuples(rows, names=["epochs", "method"])
    return table


def hours(runs: pd.DataFrame) -> pd.DataFrame:
    """Machine hours of training, methods by lengths, from the records, with their sums."""
    seconds = [record["timing"]["training_seconds"] for record in runs["record"]]
    spent = runs.assign(hours=np.array(seconds, dtype=float) / 3600)
    table = spent.pivot_table(index="method", columns="epochs", values="hours", aggfunc="sum")
    table["all"] = table.sum(axis=1)
    table.loc["all"] = table.sum()
    return table.rename_axis(index=None, columns=None)


def history(record: dict[str, Any], key: str) -> pd.Series:
    """A number of each epoch, by epochs trained; empty where the record has not got it."""
    rows = {row["epoch"] + 1: row.get(key) for row in record["history"]}
    return pd.Series(rows, dtype=float).dropna()
