"""Tables 2 to 4 and Figure 4 as pictures, and what the decision's threshold does."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from ...experiment.records import interval, per_attribute
from ..evidence import by_seed, metric
from .style import METHOD_COLOURS, finish

METRICS = {"mA": "mA", "f1": "F1", "auc": "AUC"}


def gain_over_cross_entropy(runs: pd.DataFrame, key: str = "mA", width: int = 8) -> Figure:
    """Figure 4: a metric's gain over cross entropy in each attribute, against its imbalance.

    Points are means over the seeds that both have; lines, means over `width` neighbouring
    attributes; bands, the 95 % intervals of the lines over seeds, where there are two or more.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`.
    key : {"mA", "f1", "auc"}
    width : int
    """
    values = {
        (method, seed): per_attribute(record)[key]
        for method, seed, record in zip(runs["method"], runs["seed"], runs["record"], strict=True)
    }
    level = per_attribute(runs["record"].iloc[0])["imbalance_level"].sort_values(kind="stable")
    figure, axes = plt.subplots(figsize=(9, 3.8))
    for method in dict.fromkeys(runs["method"]):
        seeds = [s for m, s in values if m == method and ("cross-entropy", s) in values]
        if method == "cross-entropy" or not seeds:
            continue
        gain = pd.DataFrame({s: values[method, s] - values["cross-entropy", s] for s in seeds})
        gain = gain.loc[level.index]
        smooth = gain.rolling(width, center=True, min_periods=width // 2).mean()
        found = np.array([interval(row) for row in smooth.to_numpy()])  # (attributes, 2)
        colour = METHOD_COLOURS.get(method)
        axes.scatter(level, gain.mean(axis=1), s=12, color=colour, alpha=0.4)
        axes.plot(level, found[:, 0], color=colour, lw=2, label=f"{method}, n = {len(seeds)}")
        low, high = found[:, 0] - found[:, 1], found[:, 0] + found[:, 1]
        axes.fill_between(level, low, high, color=colour, alpha=0.15, lw=0)
    axes.axhline(0, color=METHOD_COLOURS["cross-entropy"], lw=1.5)
    axes.set(
        xlabel="imbalance level: majority rate minus 50, %",
        ylabel=f"{METRICS[key]} gained, percentage points",
        title=f"{runs['title'].iloc[0]}: gain over cross entropy",
    )
    axes.legend(loc="upper left", fontsize=8)
    return finish(figure)


def paper_and_ours(table: pd.DataFrame, title: str) -> Figure:
    """A dot for the paper's mA and one for ours, with its interval, in each row of a table.

    `table` is what `dcl.report.tables.steps` returns.
    """
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.42 * len(table)))
    place = np.arange(len(table))
    ours = np.array([(f.mean, np.nan_to_num(f.half)) for f in table["ours"]])
    axes.scatter(table["paper"], place - 0.12, color="#6E6E6E", marker="D", s=36, label="the paper")
    axes.errorbar(
        ours[:, 0], place + 0.12, xerr=ours[:, 1], fmt="o", color=METHOD_COLOURS["dcl"],
        capsize=3, label="here",
    )  # fmt: skip
    axes.set_yticks(place, table.index)
    axes.invert_yaxis()
    axes.set(xlabel="mA on test, %", title=title)
    axes.legend(loc="best", fontsize=8)
    return finish(figure)


def effects(table: pd.DataFrame, title: str) -> Figure:
    """The effect of each choice with its interval; `table` is what `tables.choices` returns."""
    shown = table["effect"][[found.n > 0 for found in table["effect"]]]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.34 * len(shown)))
    place = np.arange(len(shown))
    means = [found.mean for found in shown]
    halves = np.nan_to_num([found.half for found in shown])
    axes.errorbar(means, place, xerr=halves, fmt="o", color=METHOD_COLOURS["dcl"], capsize=3)
    axes.axvline(0, color="black", lw=1, ls=":")
    axes.set_yticks(place, shown.index)
    axes.invert_yaxis()
    axes.set(xlabel="difference in mA, percentage points", title=title)
    return finish(figure)


def sensitivity(tried: dict[str, pd.DataFrame], title: str) -> Figure:
    """mA at each value of a number, a panel for each: means joined, a small dot for each seed.

    `tried` is what `tables.sensitivity` returns; the default is filled, and the dotted line at
    its mean.
    """
    figure, panels = plt.subplots(1, len(tried), figsize=(9, 3), sharey=True, squeeze=False)
    colour = METHOD_COLOURS["dcl"]
    for axes, (name, table) in zip(panels[0], tried.items(), strict=True):
        place = np.arange(len(table))
        means = np.array([found.mean for found in table["mA"]])
        default = np.array([found.n == 0 for found in table["effect"]])
        for x, seeds in zip(place, table["seeds"], strict=True):
            axes.plot([x] * len(seeds), seeds, "o", color="#6E6E6E", ms=3)
        axes.plot(place, means, "-o", color=colour, mfc="white", ms=8)
        axes.plot(place[default], means[default], "o", color=colour, ms=8)
        axes.axhline(means[default][0], color="black", lw=1, ls=":")
        axes.set_xticks(place, [f"{value:g}" for value in table.index])
        axes.margins(x=0.15)
        axes.set(xlabel=name.replace("_", " "))
    panels[0, 0].set(ylabel="mA on test, %")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def learning_rates(table: pd.DataFrame, title: str) -> Figure:
    """mA on validation of each method, a dot for each learning rate, ringed where it is largest.

    `table` is what `dcl.report.tables.learning_rates` returns.
    """
    table = table.loc[table.max(axis=1).sort_values(ascending=False).index]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.34 * len(table)))
    place = np.arange(len(table))
    axes.hlines(place, table.min(axis=1), table.max(axis=1), color="#C8C8C8", lw=2, zorder=1)
    colours = sns.color_palette("viridis_r", len(table.columns) + 1)[1:]
    for rate, colour in zip(table.columns, colours, strict=True):
        axes.scatter(table[rate], place, color=[colour], s=44, zorder=2, label=f"{rate:g}")
    ring = {"facecolors": "none", "edgecolors": "black", "s": 130, "zorder": 3}
    axes.scatter(table.max(axis=1), place, label="chosen", **ring)
    axes.set_yticks(place, table.index)
    axes.invert_yaxis()
    axes.set(xlabel="mA on validation at the best epoch, %", title=title)
    axes.legend(title="learning rate", loc="best", fontsize=8, title_fontsize=8)
    return finish(figure)


def threshold_sweep(runs: pd.DataFrame) -> Figure:
    """mA and F1, means over attributes, as one threshold moves for all attributes together.

    A line for each method, its dot where it decides; dashed is cross entropy decided at each
    attribute's training prior, another threshold for each.
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6))
    for method in dict.fromkeys(runs["method"]):
        records = list(runs["record"][runs["method"] == method])
        swept = [sweep(record) for record in records]
        if method == "moved-threshold":
            for axes, key in zip(panels, ("mA", "f1"), strict=True):
                value = by_seed(runs, method, metric(key)).mean()
                axes.axhline(value, color=METHOD_COLOURS[method], lw=1.5, ls="--", label=method)
            continue
        mean = sum(swept) / len(swept)
        for axes, key in zip(panels, ("mA", "f1"), strict=True):
            axes.plot(mean.index, mean[key], color=METHOD_COLOURS[method], lw=2, label=method)
            axes.plot(0, mean.loc[0.0, key], "o", color=METHOD_COLOURS[method], ms=8)
    for axes, words in zip(panels, ("mA, %", "F1, %"), strict=True):
        axes.set(xlabel="threshold on the log-odds; 0 is a probability of 0.5", ylabel=words)
    panels[0].legend(fontsize=8, loc="best")
    title = f"{runs['title'].iloc[0]}: one trained network, every threshold"
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def roc_and_precision(runs: pd.DataFrame, attribute: str) -> Figure:
    """ROC and precision-recall curve of one attribute, a dot where each method decides."""
    figure, (roc, pr) = plt.subplots(1, 2, figsize=(9, 3.6))
    for method in dict.fromkeys(runs["method"]):
        record = runs["record"][runs["method"] == method].iloc[0]
        curve, colour = attribute_curve(record, attribute), METHOD_COLOURS[method]
        row = record["test"]["per_attribute"][attribute]
        (negatives_kept, false_alarms), _ = row["confusion"]
        false_rate = 100 * false_alarms / (negatives_kept + false_alarms)
        marker = {"color": colour, "marker": "o", "ms": 8, "ls": "none"}
        if method != "moved-threshold":  # its curves are cross entropy's
            roc.plot(curve["false_positive_rate"], curve["recall"], color=colour, lw=2)
            pr.plot(curve["recall"], curve["precision"], color=colour, lw=2)
        roc.plot(false_rate, row["recall"], label=method, **marker)
        pr.plot(row["recall"], row["precision"] or np.nan, **marker)
    roc.set(xlabel="false-positive rate, %", ylabel="recall, %")
    pr.set(xlabel="recall, %", ylabel="precision, %", ylim=(0, 102))
    roc.legend(fontsize=8, loc="lower right")
    words = attribute.replace("_", " ")
    title = f"{runs['title'].iloc[0]}: {words}"
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


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
