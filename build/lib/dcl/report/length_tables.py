"""Tables of the page on training length: leads, overfitting, the last epoch, machine hours."""

from typing import Any

import numpy as np
import pandas as pd

from .evidence import PRIOR
from .finding import Finding
from .length import METHODS, leads


def leads_in_words(runs: pd.DataFrame) -> pd.DataFrame:
    """`leads` in mA at the own decision over every other row, as text; rows by lengths."""
    others = [PRIOR, *METHODS[:-1]]
    found = {other: leads(runs, other) for other in others}
    lengths = sorted({epochs for lead in found.values() for epochs in lead})
    rows = {
        other: {epochs: f"{lead[epochs]}" if epochs in lead else "-" for epochs in lengths}
        for other, lead in found.items()
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
    table = pd.DataFrame.from_dict(found, orient="index", columns=list(keys))
    table.index = pd.MultiIndex.from_tuples(found, names=["epochs", "method"])
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
