"""Tables 2 to 4 and Figure 4 as pictures, and what the decision's threshold does."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .. import evidence
from ..names import PRIOR
from .style import GREY, METHOD_COLOURS, finish, legend_below
from .thresholds import look_of

METRICS = {"mA": "mA", "f1": "F1", "auc": "AUC"}


def gain_over_cross_entropy(
    runs: pd.DataFrame, title: str, key: str = "mA", published: pd.Series | None = None
) -> Figure:
    """Figure 4: a metric's gain over cross entropy against imbalance, side by side.

    A dot for each method in each group of `evidence.groups_by_imbalance`, with its 95 % interval
    over seeds.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`.
    title : str
    key : {"mA", "f1", "auc"}
    published : Series, optional
        The paper's gain of DCL, by attribute: hollow.
    """
    methods = [m for m in dict.fromkeys(runs["method"]) if m != "cross-entropy"]
    methods.sort(key=lambda name: (name != "dcl", name != PRIOR))  # the two that are alike, first
    groups = evidence.groups_by_imbalance(evidence.imbalance_levels(runs))
    rows = {m: evidence.by_imbalance(runs, m, key=key) for m in methods}
    rows = {m: found for m, found in rows.items() if all(f.n for f in found.values())}
    figure, axes = plt.subplots(figsize=(9, 3.8))
    place, beside = np.arange(len(groups)), len(rows) + (published is not None)
    shift = iter(0.7 * ((np.arange(beside) + 0.5) / max(beside, 1) - 0.5))
    if published is not None:
        means = [published[names].mean() for names in groups.values()]
        axes.plot(
            place + next(shift), means, "D", color=METHOD_COLOURS["dcl"], mfc="none",
            label="dcl, the paper's",
        )  # fmt: skip
    for (method, found), x in zip(rows.items(), shift, strict=True):
        half = np.nan_to_num([f.half for f in found.values()])
        n = next(iter(found.values())).n
        axes.errorbar(
            place + x, [f.mean for f in found.values()], yerr=half, ls="none", ms=7, capsize=3,
            label=f"{method}, n = {n}", **look_of(method),
        )  # fmt: skip
    axes.axhline(0, color=METHOD_COLOURS["cross-entropy"], lw=1.5)
    axes.set_xticks(place, list(groups))
    axes.set_xticks(place[1:] - 0.5, minor=True)
    axes.grid(axis="x", visible=False)
    axes.grid(axis="x", which="minor")
    axes.tick_params("x", which="minor", length=0)
    axes.set(
        xlabel="imbalance level: majority rate minus 50, %",
        ylabel=f"{METRICS[key]} gained, points",
        title=title,
    )
    legend_below(figure, 3 if beside > 4 else 4)
    return finish(figure)


def paper_and_ours(table: pd.DataFrame, title: str) -> Figure:
    """A dot for the paper's mA and one for ours, with its interval, in each row of a table.

    `table` is what `dcl_book.tables.steps` returns.
    """
    figure, axes = plt.subplots(figsize=(9, 1.5 + 0.42 * len(table)))
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
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)  # clear of all rows
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
    its mean. A panel that reaches three times as far as any other has a scale of its own.
    """
    reach = {name: _reach(table) for name, table in tried.items()}
    spans = sorted((high - low for low, high in reach.values()), reverse=True)
    wide = [n for n, (low, high) in reach.items() if len(spans) > 1 and high - low > 3 * spans[1]]
    shared = [ends for name, ends in reach.items() if name not in wide]
    low, high = min(ends[0] for ends in shared), max(ends[1] for ends in shared)
    rows = -(-len(tried) // 3)
    figure, panels = plt.subplots(rows, 3, figsize=(9, 2.8 * rows), squeeze=False)
    colour = METHOD_COLOURS["dcl"]
    for axes, (name, table) in zip(panels.flat, tried.items(), strict=False):
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
        own = name in wide
        axes.set(xlabel=f"{name.replace('_', ' ')}{', a scale of its own' if own else ''}")
        if not own:
            axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    for axes in list(panels.flat)[len(tried) :]:
        axes.remove()
    figure.supylabel("mA on test, %", fontsize="medium")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def _reach(table: pd.DataFrame) -> tuple[float, float]:
    """The least and the largest mA of a seed."""
    values = [value for seeds in table["seeds"] for value in seeds]
    return min(values), max(values)


def learning_rates(table: pd.DataFrame, title: str) -> Figure:
    """mA on validation of each method, a mark for each learning rate, ringed where it is largest.

    `table` is what `dcl_book.tables.learning_rates` returns.
    """
    table = table.loc[table.max(axis=1).sort_values(ascending=False).index]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.34 * len(table)))
    place = np.arange(len(table))
    axes.hlines(place, table.min(axis=1), table.max(axis=1), color=GREY, lw=1, zorder=1)
    looks = cycle((("v", "#D55E00"), ("o", "#0072B2"), ("^", "#A03060"), ("s", "#6E6E6E")))
    for rate, (marker, colour) in zip(table.columns, looks, strict=False):
        look = {"marker": marker, "color": colour, "s": 44, "zorder": 2}
        axes.scatter(table[rate], place, label=f"{rate:g}", **look)
    ring = {"facecolors": "none", "edgecolors": "black", "s": 130, "zorder": 3}
    axes.scatter(table.max(axis=1), place, label="largest mA", **ring)
    axes.set_yticks(place, table.index)
    axes.invert_yaxis()
    axes.set(xlabel="mA on validation at the best epoch, %", title=title)
    legend_below(figure, title="learning rate", columns=6)
    return finish(figure)
