"""What the methods cost, from the measurements of `dcl_book.bench`."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .style import GREY, MARKERS, METHOD_COLOURS, SERIES, finish, legend_below

AXES = {
    "batch": "B, images in the batch",
    "attributes": "A, attributes",
    "classes": "C, classes of one label (A = 1)",
    "k": "k, neighbours mined",
}


def parts_of_a_step(steps: dict[str, dict], where: str) -> Figure:
    """Milliseconds of the parts of a training step, a bar for each method."""
    medians = pd.DataFrame(
        {
            name: {part: row["median"] for part, row in parts.items()}
            for name, parts in steps.items()
        }
    ).T
    parts = medians.drop(columns="step")
    figure, axes = plt.subplots(figsize=(9, 1.9 + 0.5 * len(parts)))
    left = np.zeros(len(parts))
    for part, colour in zip(parts, SERIES, strict=False):
        look = {"color": colour, "edgecolor": "white", "height": 0.6}
        axes.barh(parts.index, parts[part], left=left, label=part, **look)
        left += parts[part].to_numpy()
    axes.invert_yaxis()
    plain, dcl = steps["cross-entropy"]["step"], steps["dcl"]["step"]
    more = 100 * (dcl["median"] / plain["median"] - 1)
    title = f"{where}: a step with DCL is {abs(more):.0f} % {'longer' if more > 0 else 'shorter'}"
    if dcl["low"] <= plain["high"] and plain["low"] <= dcl["high"]:
        title += ", their quartiles overlap"
    axes.set(xlabel="ms of a training step, median", title=title)
    axes.grid(axis="y", visible=False)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 4}
    axes.legend(**below, ncols=len(parts.columns), fontsize=9, frameon=False)
    return finish(figure)


def cost_of_criteria(criteria: dict[str, dict], where: str) -> Figure:
    """Milliseconds of each criterion, forward and backward, with quartiles; dearest below."""
    table = pd.DataFrame({name: row["criterion"] for name, row in criteria.items()}).T
    table = table.sort_values("median")
    figure, axes = plt.subplots(figsize=(9, 1 + 0.26 * len(table)))
    colours = [METHOD_COLOURS.get(name, GREY) for name in table.index]
    place = np.arange(len(table))
    axes.hlines(place, table["low"], table["high"], color=colours, lw=2)
    axes.scatter(table["median"], place, color=colours, s=40, zorder=3)
    axes.set_yticks(place, table.index)
    axes.invert_yaxis()
    axes.set(
        xscale="log",
        xlabel="ms of the criterion, forward and backward (logarithmic)",
        title=f"{where}: a criterion of a batch of 512 takes {table['median'].iloc[0]:.1f} to "
        f"{table['median'].iloc[-1]:.0f} ms",
    )
    return finish(figure)


def growth(rows: list[dict[str, Any]], where: str) -> Figure:
    """Milliseconds and MiB of DCL's criterion as one size grows, both axes logarithmic."""
    frame = pd.DataFrame(rows)
    frame["ms"] = [row["median"] for row in frame["criterion"]]
    figure, panels = plt.subplots(2, len(AXES), figsize=(11, 4.6), sharex="col", sharey="row")
    for column, (axis, words) in enumerate(AXES.items()):
        part = frame[frame["axis"] == axis]
        for axes, what, colour in (
            (panels[0, column], "ms", METHOD_COLOURS["dcl"]),
            (panels[1, column], "peak_mib", "#0072B2"),
        ):
            axes.plot(part["size"], part[what], marker="o", color=colour)
            axes.set(xscale="log", yscale="log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        panels[1, column].set_xlabel(words)
        panels[1, column].set_xticks(part["size"], part["size"])
        panels[1, column].minorticks_off()
        panels[1, column].tick_params("x", labelsize=8, rotation=45)
    panels[0, 0].set_ylabel("ms, median")
    panels[1, 0].set_ylabel("peak memory, MiB")
    ends = frame.sort_values("size").groupby("axis")[["size", "ms"]]
    times = ends.last() / ends.first()
    (batch, slower), (k, of_k) = times.loc["batch"], times.loc["k"]
    figure.suptitle(
        f"{where}: {batch:.0f} times the batch takes DCL's criterion {slower:.1f} times as long, "
        f"{k:.0f} times k {of_k:.1f} times",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return finish(figure)


def share_of_a_step(points: dict[str, tuple[float, float]]) -> Figure:
    """The extra cost as a share of the step, against how long the step takes.

    Parameters
    ----------
    points : dict
        label -> (ms of the step with cross entropy, ms more with DCL).
    """
    figure, axes = plt.subplots(figsize=(9, 3.4))
    base = np.geomspace(2, 2000, 200)
    for (label, (step, extra)), colour, marker in zip(
        points.items(), ("#0072B2", METHOD_COLOURS["dcl"], "#555555"), MARKERS, strict=False
    ):
        axes.plot(base, 100 * extra / base, color=colour, lw=1)
        share = 100 * extra / step
        digits = 1 if step < 10 else 0
        told = f"{label}: {extra:.1f} of {step:.{digits}f} ms, {share:.1f} %"
        axes.scatter(step, share, color=colour, marker=marker, s=50, zorder=3, label=told)
    legend_below(figure, columns=1)
    axes.set(
        xscale="log", yscale="log", ylim=(0.5, 1000),
        xlabel="ms of a training step with cross entropy",
        ylabel="DCL's extra cost, % of it",
        title="The same milliseconds are a small share of a slow step, a large one of a fast step",
    )  # fmt: skip
    axes.set_xticks([2, 10, 50, 200, 1000], ["2", "10", "50", "200", "1000"])
    axes.set_yticks([1, 10, 100], ["1 %", "10 %", "100 %"])
    return finish(figure)
