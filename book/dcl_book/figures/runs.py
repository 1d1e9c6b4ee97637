"""One run, or several, from their records."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch import nn

from dcl.experiment.records import per_attribute

from .style import GREY, MARKERS, METHOD_COLOURS, SERIES, finish, legend_below, pretty, title_of
from .thresholds import look_of


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
    for words, line, value in zip(
        ("g: sampling", "f: metric loss"), ("-", "--"), zip(*values, strict=True), strict=True
    ):
        axes.plot(x, value, line, lw=2, label=words)
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
            ls="--",
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
        for name, colour, marker in zip(attributes, SERIES, MARKERS, strict=False):
            values = [row[key][names.index(name)] for row in history]
            look = {"color": colour, "marker": marker, "ms": 4}
            axes.plot(epoch, values, label=name.replace("_", " "), **look)
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
    """mA of each attribute, the most imbalanced first, and that of another run, joined to it."""
    frame = per_attribute(record).sort_values("imbalance_level", ascending=False)
    figure, axes = plt.subplots(figsize=(9, 3.6))
    method = record["method"]
    names = pretty(frame.index)
    axes.plot(names, frame["mA"], ls="none", label=method, **look_of(method))
    title = title_of(record, "rarest to balanced")
    if other is not None:
        values = per_attribute(other)["mA"][frame.index]
        axes.plot(
            names, values, ls="none", mfc="none", label=other["method"], **look_of(other["method"])
        )
        axes.vlines(names, frame["mA"], values, color=GREY, lw=1, zorder=1)
        legend_below(figure)
        ahead = int((frame["mA"] > values).sum())
        title = (
            f"{record['dataset']['title']}, seed {record['seed']}: {method} is ahead of "
            f"{other['method']} in {ahead} of {len(frame)} attributes"
        )
    axes.axhline(50, color="black", lw=1, ls=":")
    axes.set(ylabel="mA on test, %", title=title)
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
        look, place = look_of(run["method"]), np.arange(len(frame))
        axes.plot(place, frame["recall"], ls="none", ms=4, mfc="none", mew=0.8, **look)
        smooth = frame["recall"].rolling(width, center=True, min_periods=width // 2).mean()
        axes.plot(place, smooth, lw=2, markevery=width, label=run["method"], **look)
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
