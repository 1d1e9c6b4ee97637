"""Tables of the runs of several lengths: leads, overfitting, rates, machines."""

from typing import Any

import numpy as np
import pandas as pd

from . import evidence
from .finding import Finding
from .length import MEASURES, TRAINED, leads
from .names import PRIOR


def leads_table(runs: pd.DataFrame) -> pd.DataFrame:
    """`leads` in mA at the own decision over every other row, as text; rows by lengths."""
    return _in_words({other: leads(runs, other) for other in (PRIOR, *TRAINED[:-1])})


def other_measures_table(runs: pd.DataFrame) -> pd.DataFrame:
    """`leads` over every other row as text in each of `MEASURES` but the first, the own decision.

    Rows (measure, other) by lengths; no row where no run has the measure.
    """
    _, *others = MEASURES.items()
    found = {
        (words, other): leads(runs, other, measure)
        for words, measure in others
        for other in TRAINED[:-1]
    }
    found = {row: lead for row, lead in found.items() if lead}
    table = _in_words(found)
    table.index = pd.MultiIndex.from_tuples(found, names=["measure", "DCL minus"])
    return table


def _in_words(found: dict[Any, dict[int, Finding]]) -> pd.DataFrame:
    """Each row's leads as text, columns by lengths, rising; - where there is none."""
    lengths = sorted({epochs for lead in found.values() for epochs in lead})
    rows = {
        name: [lead[epochs].with_n() if epochs in lead else "-" for epochs in lengths]
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


def machines(runs: pd.DataFrame) -> pd.DataFrame:
    """What each length was trained with, shortest first: a row for like seeds, precision, device.

    Returns
    -------
    DataFrame
        ``epochs``, ``seeds``, ``precision``, ``device``, ``methods`` (names, or ``all``) and
        ``hours``, the machine hours of these trainings.
    """
    shown = pd.DataFrame(
        {
            "epochs": runs["epochs"],
            "seed": runs["seed"],
            "method": runs["method"],
            "precision": [r["config"].get("precision", "float32") for r in runs["record"]],
            "device": [r["environment"]["device"] for r in runs["record"]],
            "hours": [r["timing"]["training_seconds"] / 3600 for r in runs["record"]],
        }
    )
    rows = []
    for epochs, own in shown.groupby("epochs"):
        every = set(own["method"])
        like: dict[tuple, list] = {}
        for key, group in own.groupby(["precision", "device", "seed"]):
            like.setdefault((*key[:2], tuple(group["method"].sort_values())), []).append(
                (key[2], group["hours"].sum())
            )
        for (precision, device, methods), seeds in like.items():
            rows.append(
                {
                    "epochs": epochs,
                    "seeds": ", ".join(str(seed) for seed, _ in seeds),
                    "precision": precision,
                    "device": device,
                    "methods": "all" if set(methods) == every else ", ".join(methods),
                    "hours": f"{sum(spent for _, spent in seeds):.1f}",
                }
            )
    columns = ["epochs", "seeds", "precision", "device", "methods", "hours"]
    return pd.DataFrame(rows, columns=columns)


def history(record: dict[str, Any], key: str) -> pd.Series:
    """A number of each epoch, by epochs trained; empty where the record has not got it."""
    rows = {row["epoch"] + 1: row.get(key) for row in record["history"]}
    return pd.Series(rows, dtype=float).dropna()
