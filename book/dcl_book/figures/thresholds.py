"""What the place of the decision's threshold does to a trained network's metrics."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..evidence import by_seed, with_prior
from ..measures import metric
from ..names import PRIOR
from .style import METHOD_COLOURS, METHOD_MARKERS, MOVED, finish, legend_below


def colour_of(method: str) -> str | None:
    """A method's colour in every figure; that of cross entropy decided at the prior too."""
    return MOVED if method == PRIOR else METHOD_COLOURS.get(method)


def look_of(method: str) -> dict[str, Any]:
    """A method's colour and mark in every figure; one that is no entry's is an octagon."""
    return {"color": colour_of(method), "marker": METHOD_MARKERS.get(method, "8")}


def threshold_sweep(runs: pd.DataFrame, title: str) -> Figure:
    """mA and F1, means over attributes, as one threshold moves for all attributes together.

    A line for each method, its mark where it decides; dashed is cross entropy decided at each
    attribute's training prior, another threshold for each.
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6))
    for number, method in enumerate(dict.fromkeys(runs["method"])):
        mean = mean_sweep(runs, method)
        for axes, key in zip(panels, ("mA", "f1"), strict=True):
            place = [mean.index.get_loc(0.0)]
            look = _hollow(method, number) | {"ls": "-", "lw": 2, "markevery": place}
            axes.plot(mean.index, mean[key], label=method, **look)
    for axes, key in zip(panels, ("mA", "f1"), strict=True):
        moved = by_seed(with_prior(runs), PRIOR, metric(key))
        if len(moved):
            axes.axhline(moved.mean(), color=colour_of(PRIOR), lw=1.5, ls="--", label=PRIOR)
    for axes, words in zip(panels, ("mA, %", "F1, %"), strict=True):
        axes.set(xlabel="threshold on the log-odds", ylabel=words)
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def roc_and_precision(runs: pd.DataFrame, attribute: str, title: str) -> Figure:
    """ROC and precision-recall curve of one attribute, a mark where each method decides.

    Cross entropy has two marks on its curve: its own decision and that at the training prior. A
    precision-recall curve ends where nothing is called positive, for there it is undefined.
    """
    figure, (roc, pr) = plt.subplots(1, 2, figsize=(9, 3.6))
    for number, row in enumerate(with_prior(runs).drop_duplicates("method").itertuples()):
        colour, made = colour_of(row.method), row.record["test"]["per_attribute"][attribute]
        (negatives_kept, false_alarms), _ = made["confusion"]
        false_rate = 100 * false_alarms / (negatives_kept + false_alarms)
        marker = _hollow(row.method, number)
        if row.method != PRIOR:  # its curves are cross entropy's
            curve = attribute_curve(row.record, attribute)
            roc.plot(curve["false_positive_rate"], curve["recall"], color=colour, lw=2)
            some = curve[curve["recall"] > 0]  # before the first positive precision is 0
            pr.plot(some["recall"], some["precision"], color=colour, lw=2)
        roc.plot(false_rate, made["recall"], label=row.method, **marker)
        pr.plot(made["recall"], made["precision"] or np.nan, **marker)
    roc.set(xlabel="false-positive rate, %", ylabel="recall, %")
    pr.set(xlabel="recall, %", ylabel="precision, %", ylim=(0, 102))
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def mean_sweep(runs: pd.DataFrame, method: str) -> pd.DataFrame:
    """`sweep`, the mean over the runs of a method."""
    swept = [sweep(record) for record in runs["record"][runs["method"] == method]]
    return sum(swept) / len(swept)


def sweep(record: dict[str, Any]) -> pd.DataFrame:
    """mA and F1 of a record, means over attributes in percent, at each threshold of its curves."""
    frames = [attribute_curve(record, name) for name in record["test"]["per_attribute"]]
    return sum(frame[["mA", "f1"]] for frame in frames) / len(frames)


def attribute_curve(record: dict[str, Any], attribute: str) -> pd.DataFrame:
    """Recall, false-positive rate, precision, mA and F1 in percent, indexed by threshold."""
    curves = record["test"]["curves"]
    (a, b), (c, d) = record["test"]["per_attribute"][attribute]["confusion"]
    negatives, positives = a + b, c + d
    recall = np.array(curves["recall"][attribute], dtype=float)
    false = np.array(curves["false_positive_rate"][attribute], dtype=float)
    hits, alarms = recall * positives, false * negatives
    with np.errstate(invalid="ignore"):
        precision = hits / (hits + alarms)
    frame = pd.DataFrame(
        {
            "recall": recall,
            "false_positive_rate": false,
            "precision": precision,
            "mA": (recall + 1 - false) / 2,
            "f1": 2 * hits / (hits + alarms + positives),
        },
        index=curves["log_odds"],
    )
    return 100 * frame


def _hollow(method: str, number: int) -> dict[str, Any]:
    """A hollow mark, each smaller than the one before: none hides another at its place."""
    size = max(4, 14 - 3 * number)
    return look_of(method) | {"ms": size, "mew": 2, "mfc": "none", "ls": "none"}
