"""Does DCL's lead come with training? From the runs of several lengths, by the protocol's rules."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import evidence
from .evidence import PRIOR
from .finding import Finding
from .measures import Measure, class_balanced, metric
from .verdicts import MARGIN

FOLDER = "celeba-30k-length"  # below results/
PLAN = {8: 5, 24: 5, 75: 5, 300: 3}  # epochs -> seeds, of the grid
METHODS = ("cross-entropy", "cost-sensitive", "selective-learning", "crl", "dcl-ss", "dcl")
DECIDING = {  # the two comparisons that decide -> in words
    PRIOR: "cross entropy with its threshold at the training prior",
    "selective-learning": "Selective Learning",
}
MEASURES = {
    "mA, own decision": class_balanced,
    "mA, tuned for it": metric("mA", "tuned-mA"),
    "F1, tuned for it": metric("f1", "tuned-f1"),
    "AUC": metric("auc"),
    "AP": metric("average_precision"),
}


def collect(folder: Path, dataset: str = "celeba") -> pd.DataFrame:
    """The records of the grid with a column ``epochs``; empty where there are none yet."""
    runs = evidence.collect_if_any(folder)
    runs = runs[runs["dataset"] == dataset].reset_index(drop=True)
    return runs.assign(epochs=[record["config"]["epochs"] for record in runs["record"]])


def counts(runs: pd.DataFrame) -> pd.DataFrame:
    """How many seeds are run, of each method (rows) at each length of the plan or beyond it."""
    lengths = sorted({*PLAN, *runs["epochs"]})
    table = pd.crosstab(runs["method"], runs["epochs"])
    rows = [*METHODS, *(name for name in table.index if name not in METHODS)]
    return table.reindex(index=rows, columns=lengths, fill_value=0).rename_axis(None)


def leads(runs: pd.DataFrame, other: str, measure: Measure = class_balanced) -> dict[int, Finding]:
    """DCL minus another row, paired over seeds, at each length that both have."""
    found = _by_length(runs, other, measure)
    return {epochs: Finding.of(values) for epochs, values in found.items()}


def slope(runs: pd.DataFrame, other: str, measure: Measure = class_balanced) -> Finding:
    """Points that DCL's lead gains for ten times the epochs: a line for each seed that has all.

    All lengths, that is, which two seeds or more have; nothing for fewer than two lengths.
    """
    found = {L: values for L, values in _by_length(runs, other, measure).items() if len(values) > 1}
    whole = pd.DataFrame(found).dropna()
    if whole.shape[1] < 2 or whole.empty:
        return Finding.of([])
    return Finding.of(np.polyfit(np.log10(list(whole)), whole.to_numpy().T, 1)[0])


def call(found: Finding, margin: float = MARGIN["points"]) -> str:
    """What the protocol calls a difference: ``none``, ``lead``, ``below`` or ``undecided``."""
    if found.n > 1 and -margin <= found.low and found.high <= margin:
        return "none"
    if found.n > 1 and found.low > 0 and found.mean > margin:
        return "lead"
    return "below" if found.n > 1 and found.high < 0 else "undecided"


def reading(runs: pd.DataFrame) -> str:
    """Which of the protocol's two readings the runs fit: ``paper``, ``sceptic`` or ``neither``."""
    both = {other: leads(runs, other) for other in DECIDING}
    if any(len(found) < 2 for found in both.values()):
        return "neither"
    calls = {other: [call(found[L]) for L in sorted(found)] for other, found in both.items()}
    grow = [slope(runs, other) for other in DECIDING]
    if all(f.n > 1 and f.low > 0 for f in grow) and all(c[-1] == "lead" for c in calls.values()):
        return "paper"
    flat = set(calls["selective-learning"]) == {"none"} and set(calls[PRIOR]) <= {"none", "below"}
    return "sceptic" if flat else "neither"


def longest(runs: pd.DataFrame) -> int:
    """The longest length with both deciding differences, in two seeds if there is one; else 0."""
    both = [leads(runs, other) for other in DECIDING]
    shared = set(both[0]) & set(both[1])
    repeated = {L for L in shared if all(found[L].n > 1 for found in both)}
    return max(repeated or shared, default=0)


def answer(runs: pd.DataFrame) -> str:
    """One sentence on whether DCL's lead comes with training; it says what is not run yet.

    Parameters
    ----------
    runs : DataFrame
        From `collect`.
    """
    last = longest(runs)
    if not last:
        return (
            "Whether DCL's lead comes with training is not known yet: no length has runs of DCL, "
            "Selective Learning and cross entropy with its threshold at the training prior."
        )
    runs = runs[runs["epochs"] <= last]
    lengths = sorted({L for other in DECIDING for L in leads(runs, other)})
    parts = []
    for other, words in DECIDING.items():
        found = leads(runs, other)[last]
        number = str(found) if parts else f"is {found} points"
        parts.append(f"minus that of {words} {number} (n = {found.n}, {_in_words(found)})")
    start = (
        f"After {_epochs(last)} on {runs['title'].iloc[0]}, the mean class-balanced accuracy (mA) "
        f"of DCL {' and '.join(parts)}"
    )
    if len(lengths) == 1:
        return (
            f"{start}; no other length is run yet, so whether a lead comes with training is not "
            "known."
        )
    first, second = (_change(slope(runs, other)) for other in DECIDING)
    change = f"the first difference {first}, the second {second}"
    change = change if first != second else f"each difference {first}"
    open_ = "" if last >= max(PLAN) else f", and {max(PLAN)} epochs are not run yet"
    return f"{start}; from {lengths[0]} to {_epochs(last)} {change}{open_}."


def paragraph(runs: pd.DataFrame) -> str:
    """`answer`, and what else the runs say: which reading, other measures, what is not run yet."""
    last = longest(runs)
    lines = [answer(runs)]
    if last:
        at = runs[runs["epochs"] == last]
        gains = {
            words: evidence.lead(at, "dcl", "cross-entropy", measure)
            for words, measure in MEASURES.items()
        }
        numbers = "; ".join(f"{gain} in {words}" for words, gain in gains.items() if gain.n)
        lines.append(
            f"DCL minus cross entropy there, in points: {numbers} (tuned: a threshold for each "
            "attribute that is best on validation, for both methods alike)."
        )
    fits = {
        "paper": "That is the paper's reading as the protocol wrote it down: a lead over both that "
        "grows with training.",
        "sceptic": "That is the sceptic's reading as the protocol wrote it down: no lead over "
        "Selective Learning at any length, and none over the moved threshold.",
        "neither": "As far as it is run, that is neither of the two readings that the protocol "
        "wrote down: the paper's, a lead over both that grows with training, nor the sceptic's, "
        "none at every length.",
    }
    if len(set(leads(runs, PRIOR)) & set(leads(runs, "selective-learning"))) > 1:
        lines.append(fits[reading(runs)])
    return " ".join([*lines, not_run(runs)]).strip()


def not_run(runs: pd.DataFrame) -> str:
    """What the plan has and the records have not, in one sentence; empty when all is there."""
    table, lines = counts(runs), []
    for epochs, seeds in PLAN.items():
        short = [
            f"{name} ({table.loc[name, epochs]} of {seeds} seeds)"
            for name in METHODS
            if table.loc[name, epochs] < seeds
        ]
        if len(short) == len(METHODS) and not table[epochs].any():
            short = ["every method"]
        if short:
            lines.append(f"{_epochs(epochs)}: {', '.join(short)}")
    return f"Not run yet: {'; '.join(lines)}." if lines else ""


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


def _by_length(runs: pd.DataFrame, other: str, measure: Measure) -> dict[int, pd.Series]:
    """DCL minus another row by seed, at each length that both have, rising."""
    shown = evidence.with_prior(runs) if other == PRIOR else runs
    found = {
        int(epochs): evidence.difference(own, "dcl", other, measure)
        for epochs, own in shown.groupby("epochs")
    }
    return {epochs: values for epochs, values in found.items() if len(values)}


def history(record: dict[str, Any], key: str) -> pd.Series:
    """A number of each epoch, by epochs trained; empty where the record has not got it."""
    rows = {row["epoch"] + 1: row.get(key) for row in record["history"]}
    return pd.Series(rows, dtype=float).dropna()


def _in_words(found: Finding) -> str:
    words = {"none": "no difference", "lead": "a lead of DCL", "below": "DCL is behind"}
    if found.n == 1:
        return "which decides nothing"
    return words.get(call(found), "undecided")


def _change(found: Finding) -> str:
    if found.n < 2:
        return "changes by what no two seeds tell yet"
    if found.low > 0:
        return "grows"
    return "falls" if found.high < 0 else "changes no more than by chance"


def _epochs(number: int) -> str:
    return f"{number} epoch{'s' if number > 1 else ''}"
