"""One run, or several, from their records."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from torch import nn

from dcl.experiment.records import per_attribute

from .style import METHOD_COLOURS, finish, legend_below, pretty, title_of


def curricula(criterion: nn.Module, title: str) -> Figure | None:
    """g(l) and f(l) of one run; None for a method without schedules."""
    if criterion.g is None:
        return None
    x = np.linspace(0, criterion.epochs, 201)
    values = []
    for epoch in x:
        criterion.set_epoch(epoch)
        values.append((criterion.g, criterion.f))
    criterion.set_epoch(0)
    figure, axes = plt.subplots(figsize=(6, 3))
    axes.plot(x, values, lw=2, label=["g: sampling", "f: metric loss"])
    axes.set(xlabel="epoch l", ylabel="schedule", title=title, ylim=(-0.03, None))
    legend_below(figure)
    return finish(figure)


def training(record: dict[str, Any]) -> Figure:
    """Loss parts and validation mA, epoch by epoch; the parts alone where nothing validated."""
    history = pd.DataFrame(record["history"])
    epoch = history["epoch"] + 1
    validated = "val_mA" in history
    figure, panels = plt.subplots(1, 1 + validated, figsize=(9, 3.2), squeeze=False)
    left = panels[0, 0]
    left.plot(epoch, history["classification"], marker=".", label="classification, $L_{DSL}$")
    if "metric" in history:
        metric = history["f"].astype(float).fillna(1) * history["metric"]
        left.plot(
            epoch,
            metric,
            marker=".",
            label="metric, $f L_{TEA}$" if history["g"].notna().all() else "metric",
        )
    left.set(xlabel="epochs trained", ylabel="loss, sum over attributes", ylim=(0, None))
    if validated:
        right, best = panels[0, 1], record["selection"]
        colour = METHOD_COLOURS.get(record["method"])
        right.plot(epoch, history["val_mA"], marker=".", color=colour)
        kept = best["best_epoch"] + 1, best["best_val_mA"]
        right.plot(*kept, "k*", ms=10, label="kept for the test")
        right.set(xlabel="epochs trained", ylabel="mA on validation, %")
    found = f"training: best on validation after epoch {kept[0]}" if validated else "training"
    legend_below(figure)
    figure.suptitle(title_of(record, found), x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def selection(record: dict[str, Any], attributes: Sequence[str]) -> Figure | None:
    """Share of the majority kept and weight of the minority; None for a method without weights.

    `attributes` are the ones drawn; the title tells of the first.
    """
    if "share_kept" not in record["history"][0]:
        return None
    names = list(record["test"]["per_attribute"])
    history = record["history"]
    epoch = [row["epoch"] + 1 for row in history]
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.2))
    for axes, key, what in (
        (panels[0], "share_kept", "share of the majority kept"),
        (panels[1], "minority_weight", "weight of a minority sample"),
    ):
        for name, colour in zip(attributes, sns.color_palette("colorblind"), strict=False):
            values = [row[key][names.index(name)] for row in history]
            axes.plot(epoch, values, marker=".", color=colour, label=name.replace("_", " "))
        axes.set(xlabel="epochs trained", ylabel=what, ylim=(0, None))
    legend_below(figure)
    rarest = attributes[0]
    kept, weight = (
        history[-1][key][names.index(rarest)] for key in ("share_kept", "minority_weight")
    )
    title = (
        f"{record['dataset']['title']}: in the last epoch one with {rarest.replace('_', ' ')} "
        f"weighs {weight:.0f}, and {100 * kept:.0f} % of those without are kept"
    )
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def attribute_bars(record: dict[str, Any], other: dict[str, Any] | None = None) -> Figure:
    """mA of each attribute, the most imbalanced first, and that of another run as marks."""
    frame = per_attribute(record).sort_values("imbalance_level", ascending=False)
    figure, axes = plt.subplots(figsize=(9, 3.1))
    method = record["method"]
    axes.bar(pretty(frame.index), frame["mA"], color=METHOD_COLOURS.get(method), label=method)
    title = title_of(record, "rarest to balanced")
    if other is not None:
        values = per_attribute(other)["mA"][frame.index]
        mark = {"color": "black", "marker": "_", "s": 60, "zorder": 3}
        axes.scatter(pretty(frame.index), values, label=other["method"], **mark)
        legend_below(figure)
        ahead = int((frame["mA"] > values).sum())
        title = (
            f"{record['dataset']['title']}, seed {record['seed']}: {method} is ahead of "
            f"{other['method']} in {ahead} of {len(frame)} attributes"
        )
    axes.axhline(50, color="black", lw=1, ls=":")
    axes.set(ylabel="mA on test, %", ylim=(40, 100), title=title)
    axes.margins(x=0.01)
    axes.tick_params("x", rotation=90, labelsize=8)
    axes.grid(axis="x", visible=False)
    return finish(figure)


def class_recall(
    record: dict[str, Any], other: dict[str, Any] | None = None, width: int = 10
) -> Figure:
    """Recall of each class of a single label against its place by training images.

    Lines are means over `width` neighbouring classes; `other` is another run, beside it.
    """
    figure, axes = plt.subplots(figsize=(9, 2.8))
    for run in (record, other):
        if run is None:
            continue
        frame = pd.DataFrame.from_dict(run["test"]["per_class"], orient="index")
        frame = frame.sort_values("training_samples", ascending=False, kind="stable")
        colour = METHOD_COLOURS.get(run["method"])
        place = np.arange(len(frame))
        axes.scatter(place, frame["recall"], s=14, color=colour, alpha=0.5)
        smooth = frame["recall"].rolling(width, center=True, min_periods=width // 2).mean()
        axes.plot(place, smooth, color=colour, lw=2, label=run["method"])
    largest, smallest = frame["training_samples"].iloc[[0, -1]]
    title = f"{record['dataset']['title']}: {record['method']} never finds {_missed(record)}"
    title += f" of {len(frame)} classes"
    if other is not None:
        title += f", {other['method']} {_missed(other)}"
    axes.set(
        xlabel=f"classes, from {largest:,} training images to {smallest:,}",
        ylabel="recall on test, %",
        ylim=(-2, 102),
        title=title,
    )
    if other is not None:
        legend_below(figure)
    return finish(figure)


def _missed(record: dict[str, Any]) -> int:
    """Classes of which no test image is found."""
    return sum(row["recall"] == 0 for row in record["test"]["per_class"].values())
