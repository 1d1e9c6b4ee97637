"""Does DCL's lead come with training? From the runs of several lengths, by the protocol's rules."""

from pathlib import Path

import numpy as np
import pandas as pd

from . import evidence
from .finding import Finding
from .measures import Measure, class_balanced, metric
from .names import PRIOR
from .verdicts import MARGIN

FOLDER = "celeba-30k-length"  # below results/
TRAINED = ("cross-entropy", "cost-sensitive", "selective-learning", "crl", "dcl-ss", "dcl")
DECIDING = (PRIOR, "selective-learning")  # the two comparisons that decide
ENOUGH = 3  # seeds, for a longer training to stand in for a shorter one
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


def at_the_last_epoch(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs as if each had been tested at its last epoch alone, at every decision.

    Cross entropy decided at the training prior too. Records that did not keep their last epoch are
    left out.
    """
    rows = []
    for row in evidence.with_prior(runs).to_dict("records"):
        record = row["record"]
        end = record.get("last", {}).get("test", {})
        if (own := end.get(record.get("decision", "argmax"))) is not None:
            others = {
                name: decided | {"test": end[name]}
                for name, decided in record.get("decisions", {}).items()
                if name in end
            }
            rows.append(row | {"record": record | {"test": own, "decisions": others}})
    return pd.DataFrame(rows, columns=runs.columns)


def at_kept_rates(runs: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """The lengths that `kept` has, with its runs in the place of the same methods' own.

    Both from `collect`: `kept` are runs at the rate of shorter ones, where `runs` have another.
    """
    own = runs[runs["epochs"].isin(kept["epochs"])]
    changed = pd.MultiIndex.from_frame(kept[["method", "epochs"]])
    stays = ~pd.MultiIndex.from_frame(own[["method", "epochs"]]).isin(changed)
    return pd.concat([own[stays], kept], ignore_index=True)


def leads(runs: pd.DataFrame, other: str, measure: Measure = class_balanced) -> dict[int, Finding]:
    """DCL minus another row at each length that both have, over pairs on one kind of device."""
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


def _by_length(runs: pd.DataFrame, other: str, measure: Measure) -> dict[int, pd.Series]:
    """DCL minus another row by seed, at each length that both have, rising."""
    shown = evidence.with_prior(runs) if other == PRIOR else runs
    found = {
        int(epochs): evidence.difference_on_one_device(own, "dcl", other, measure)
        for epochs, own in shown.groupby("epochs")
    }
    return {epochs: values for epochs, values in found.items() if len(values)}
