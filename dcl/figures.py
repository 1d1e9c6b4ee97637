"""The book's figures, drawn from records and schedules in one style.

Every function returns a matplotlib Figure whose title names the data it was made from.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from .data import Dataset
from .records import per_attribute
from .sampling import dsl_weights, target_distribution
from .schedulers import loss_schedule, schedule

# Okabe and Ito's colours, which colour-blind readers tell apart; one per method in every figure.
METHOD_COLOURS = {
    "cross-entropy": "#6E6E6E",
    "moved-threshold": "#56B4E9",
    "selective-learning": "#009E73",
    "crl": "#0072B2",
    "dcl-ss": "#E69F00",
    "dcl-ss-tl": "#CC79A7",
    "dcl": "#D55E00",
    # not from their list, for there are only eight
    "crl-original": "#332288",
    "over-sampling": "#117733",
    "down-sampling": "#999933",
    "cost-sensitive": "#882255",
    "pos-weight": "#44AA99",
    "logit-adjustment": "#AA4499",
    "focal": "#000000",
    "lmle": "#661100",
    "class-balanced": "#DDCC77",
    "ldam-drw": "#88CCEE",
}
SCHEDULE_COLOURS = dict(
    zip(
        ("convex", "linear", "concave", "composite"),
        ("#D55E00", "#6E6E6E", "#0072B2", "#009E73"),
        strict=True,
    )
)


def use_style() -> None:
    """One look for all figures: call it once in a notebook."""
    sns.set_theme(style="whitegrid", context="notebook", font_scale=0.9)
    plt.rcParams.update({"figure.dpi": 110, "savefig.bbox": "tight", "axes.titlelocation": "left"})


def idea(positives: int = 12, batch: int = 512) -> Figure:
    """The idea in one picture: a batch's samples at three moments, their area their weight."""
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.1))
    moments = {"start": 0, "after two thirds": 200, "end": 300}
    for axes, (when, epoch) in zip(panels, moments.items(), strict=True):
        counts = torch.tensor([[batch - positives, positives]])
        _draw_batch(axes, counts, positives, batch, schedule("convex", epoch, 300))
        axes.set_title(when, loc="center", weight="bold")
    return _finish(figure)


def batch_over_training(imbalance: int = 50, batch: int = 512, epochs: int = 300) -> Figure:
    """The explorer page, for print: a batch at three moments, and both schedules."""
    moments = (0, 2 * epochs // 3, epochs)
    figure, panels = plt.subplot_mosaic(
        [[0, 0, 1, 1, 2, 2], ["g", "g", "g", "f", "f", "f"]], figsize=(9, 5), height_ratios=[2, 1]
    )
    for panel, epoch in enumerate(moments):
        counts, positives = torch.tensor([[imbalance, 1]]), round(batch / (imbalance + 1))
        _draw_batch(panels[panel], counts, positives, batch, schedule("convex", epoch, epochs))
        panels[panel].set_title(f"epoch {epoch} of {epochs}", loc="center", weight="bold")
    x = np.linspace(0, epochs, 601)
    for name, title, function in (
        ("g", "g(l): how far from balance", lambda epoch: schedule("convex", epoch, epochs)),
        ("f", "f(l): weight of the metric loss", lambda epoch: loss_schedule(epoch, epochs)),
    ):
        panels[name].plot(x, [function(epoch) for epoch in x], color="#6E6E6E", lw=2)
        panels[name].plot(moments, [function(epoch) for epoch in moments], "o", color="black")
        panels[name].set(xlabel="epoch l", ylim=(-0.05, 1.2), title=title)
    return _finish(figure)


def _draw_batch(
    axes: Axes, class_counts: torch.Tensor, positives: int, batch: int, g: float
) -> None:
    """A batch under the sampling schedule's g: what is kept of the majority, and the minority."""
    labels = torch.zeros(batch, 1, dtype=torch.long)
    labels[:positives] = 1
    generator = torch.Generator().manual_seed(0)
    weights = dsl_weights(labels, class_counts, g, generator=generator)[:, 0].numpy()
    minority, majority = weights[:positives], weights[positives:]
    many, few = "#0072B2", METHOD_COLOURS["dcl"]
    x, y = np.divmod(np.arange(len(majority)), 25)
    kept = majority > 0
    axes.scatter(x[~kept], y[~kept], s=5, facecolor="none", edgecolor="#BBBBBB", lw=0.5)
    axes.scatter(x[kept], y[kept], s=9, color=many, lw=0)
    x, y = np.divmod(np.arange(positives), 4)
    axes.scatter(25 + 5 * x, 3 + 6.2 * y, s=9 * minority, color=few, lw=0)
    axes.text(9.5, -3.5, f"{kept.sum()} of {len(majority)} kept", ha="center", color=many, size=10)
    axes.text(30, -3.5, f"each weighs {minority.max():.1f}", ha="center", color=few, size=10)
    axes.set(xlim=(-1, 38), ylim=(-5, 26))
    axes.axis("off")


def schedules(epochs: int = 300, decay: float = 0.99) -> Figure:
    """Figure 1: the four scheduler functions."""
    figure, axes = plt.subplots(figsize=(6, 3.4))
    x = np.linspace(0, epochs, 301)
    for name, colour in SCHEDULE_COLOURS.items():
        y = [schedule(name, epoch, epochs, decay=decay) for epoch in x]
        axes.plot(x, y, color=colour, lw=2)
        at = {"convex": 0.62, "linear": 0.42, "concave": 0.2, "composite": 0.56}[name]
        axes.annotate(
            name, (at * epochs, np.interp(at * epochs, x, y)), (6, 4) if name != "composite" else
            (-4, -12), textcoords="offset points", color=colour, weight="bold",
            ha="left" if name != "composite" else "right",
        )  # fmt: skip
    axes.set(xlabel="epoch l", ylabel="SF(l)", title=f"Scheduler functions, L = {epochs} epochs")
    return _finish(figure)


def loss_weight(epochs: int = 300, p: float = 0.3, epsilon: float = 0.1) -> Figure:
    """f(l) of Eq. 11 and its jump at the self-learning point."""
    figure, axes = plt.subplots(figsize=(6, 3.2))
    point = p * epochs
    before = np.linspace(0, point, 100)
    values = [schedule("composite", epoch, epochs) + epsilon for epoch in before]
    colour = METHOD_COLOURS["dcl"]
    axes.plot(before, values, color=colour, lw=2)
    axes.plot([point, epochs], [epsilon, epsilon], color=colour, lw=2)
    axes.plot([point, point], [epsilon, values[-1]], color=colour, lw=1, ls=":")
    axes.annotate(
        f"self-learning point pL = {point:g}:\nfrom {values[-1]:.3f} to {epsilon:g}",
        (point, values[-1] / 2), (10, 0), textcoords="offset points", va="center",
    )  # fmt: skip
    axes.set(
        xlabel="epoch l", ylabel="f(l)", ylim=(0, 1.2),
        title=f"Weight of the metric loss, p = {p:g}, epsilon = {epsilon:g}",
    )  # fmt: skip
    return _finish(figure)


def targets(shares: dict[str, float], epochs: int = 300, decay: float = 0.99) -> Figure:
    """Eq. 5: the minority's target share over training, a panel per attribute."""
    figure, panels = plt.subplots(1, len(shares), figsize=(4.2 * len(shares), 3.4), sharey=True)
    x = np.linspace(0, epochs, 151)
    for axes, (label, share) in zip(np.atleast_1d(panels), shares.items(), strict=True):
        counts = torch.tensor([[1 - share, share]], dtype=torch.float64)
        for name, colour in SCHEDULE_COLOURS.items():
            y = [
                target_distribution(counts, schedule(name, epoch, epochs, decay=decay))[0, 1]
                for epoch in x
            ]
            axes.plot(x, y, color=colour, lw=2, label=name)
        y = [target_distribution(counts, 1 - epoch / epochs, rule="linear")[0, 1] for epoch in x]
        axes.plot(x, y, color="black", lw=1.5, ls="--", label="linear-imbalance")
        axes.set(xlabel="epoch l", title=f"{label}: {share:.1%} positive", ylim=(0, 0.55))
    np.atleast_1d(panels)[0].set_ylabel("target share of the minority")
    np.atleast_1d(panels)[-1].legend(loc="upper left", fontsize=8)
    return _finish(figure)


def two_readings(positives: int, share: float, batch: int = 512, epochs: int = 300) -> Figure:
    """Total weight and mean minority weight of one batch under both readings of Eq. 5."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4))
    labels = torch.zeros(batch, 1, dtype=torch.long)
    labels[:positives] = 1
    counts = torch.tensor([[1 - share, share]], dtype=torch.float64)
    x = np.linspace(0, epochs, 101)
    for reading, colour in (("proportion", METHOD_COLOURS["dcl"]), ("minority", "#0072B2")):
        weights = [
            dsl_weights(
                labels, counts, schedule("convex", epoch, epochs), selection="expected",
                normalisation=reading,
            )
            for epoch in x
        ]  # fmt: skip
        label = f"{reading}{' (ours)' if reading == 'proportion' else ' (as D is written)'}"
        panels[0].plot(x, [w.sum() for w in weights], color=colour, lw=2, label=label)
        panels[1].plot(x, [w[:positives].mean() for w in weights], color=colour, lw=2)
    panels[0].set(xlabel="epoch l", title="Total weight of the batch", ylim=(0, None))
    panels[1].set(xlabel="epoch l", title="Weight of a minority sample", ylim=(0, None))
    panels[0].legend()
    figure.suptitle(
        f"{positives} positives in a batch of {batch}, {share:.1%} in the training set",
        x=0.01,
        ha="left",
        fontsize="medium",
    )
    return _finish(figure)


def pushes(table: pd.DataFrame) -> Figure:
    """How hard each method pushes a sample of either class, against cross entropy.

    `table` is indexed by (method, attribute) with columns ``majority`` and ``minority``.
    """
    attributes = list(dict.fromkeys(table.index.get_level_values("attribute")))
    methods = list(dict.fromkeys(table.index.get_level_values("method")))[::-1]
    height = 1 + 0.28 * len(methods)
    figure, panels = plt.subplots(1, len(attributes), figsize=(9, height), sharex=True, sharey=True)
    for axes, attribute in zip(panels, attributes, strict=True):
        part = table.xs(attribute, level="attribute").loc[methods]
        y = np.arange(len(methods))
        axes.hlines(y, part["majority"], part["minority"], color="#CCCCCC", lw=2)
        for name, colour in (("majority", "#0072B2"), ("minority", METHOD_COLOURS["dcl"])):
            axes.scatter(part[name], y, color=colour, label=name, zorder=3)
        axes.set_xscale("log")
        axes.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
        axes.axvline(1, color="black", lw=1, ls=":")
        axes.set(title=attribute, xlabel="push, cross entropy = 1", yticks=y, yticklabels=methods)
    panels[-1].legend(loc="upper right", fontsize=8)
    return _finish(figure)


def sheet(data: Dataset, rows: int = 3, columns: int = 10) -> Figure:
    """Training images, spread over the split."""
    images = data.splits["train"].part(rows * columns).images
    figure, panels = plt.subplots(rows, columns, figsize=(columns * 0.95, rows * 1.15))
    for axes, image in zip(panels.flat, images, strict=False):
        axes.imshow(image.transpose(1, 2, 0))
    for axes in panels.flat:
        axes.axis("off")
    figure.suptitle(f"{data.title}: training images", x=0.01, ha="left", fontsize="medium")
    return _finish(figure)


def imbalance(data: Dataset) -> Figure:
    """Share of positives of each attribute in the training split, rarest first."""
    counts = data.class_counts.numpy()
    share = pd.Series(100 * counts[:, 1] / counts.sum(1), _pretty(data.attributes)).sort_values()
    figure, axes = plt.subplots(figsize=(9, 2.8))
    axes.bar(share.index, share, color="#0072B2")
    axes.axhline(50, color="black", lw=1, ls=":")
    axes.set(
        ylabel="positive, %",
        title=f"{data.title}: attributes of {counts[0].sum():,} training images",
    )
    axes.margins(x=0.01)
    axes.tick_params("x", rotation=90, labelsize=8)
    axes.grid(axis="x", visible=False)
    return _finish(figure)


def class_counts(data: Dataset) -> Figure:
    """Training images of each class of a single label, largest class first, in its groups."""
    counts = pd.Series(data.class_counts[0].numpy(), data.class_names)
    counts = counts.sort_values(ascending=False, kind="stable")
    figure, axes = plt.subplots(figsize=(9, 2.6))
    palette = sns.color_palette("colorblind")
    for (group, members), colour in zip(data.groups.items(), palette, strict=False):
        part = counts.where(counts.index.isin(members))
        axes.bar(range(len(counts)), part, width=1, color=colour, label=f"{group}, {len(members)}")
    axes.set(
        xlabel="classes, largest first",
        ylabel="training images",
        title=f"{data.title}: {counts.sum():,} training images in {len(counts)} classes",
    )
    axes.margins(x=0.01)
    axes.legend(loc="upper right", fontsize=8, ncols=len(data.groups))
    return _finish(figure)


def class_recall(record: dict[str, Any], width: int = 10) -> Figure:
    """Recall of each class of a single label against its place by training images.

    The line is the mean over `width` neighbouring classes.
    """
    frame = pd.DataFrame.from_dict(record["test"]["per_class"], orient="index")
    frame = frame.sort_values("training_samples", ascending=False, kind="stable")
    colour = METHOD_COLOURS.get(record["method"])
    place = np.arange(len(frame))
    figure, axes = plt.subplots(figsize=(9, 2.8))
    axes.scatter(place, frame["recall"], s=14, color=colour, alpha=0.5)
    smooth = frame["recall"].rolling(width, center=True, min_periods=width // 2).mean()
    axes.plot(place, smooth, color=colour, lw=2)
    largest, smallest = frame["training_samples"].iloc[[0, -1]]
    axes.set(
        xlabel=f"classes, from {largest:,} training images to {smallest:,}",
        ylabel="recall on test, %",
        ylim=(-2, 102),
        title=_title(record, "each class"),
    )
    return _finish(figure)


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
    axes.legend()
    return _finish(figure)


def training(record: dict[str, Any]) -> Figure:
    """Loss parts and validation mA, epoch by epoch."""
    history = pd.DataFrame(record["history"])
    epoch = history["epoch"] + 1
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
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
    left.legend()
    right.plot(epoch, history["val_mA"], marker=".", color=METHOD_COLOURS.get(record["method"]))
    best = record["selection"]
    right.plot(best["best_epoch"] + 1, best["best_val_mA"], "k*", ms=10, label="kept for the test")
    right.set(xlabel="epochs trained", ylabel="mA on validation, %")
    right.legend(loc="lower right")
    figure.suptitle(_title(record, "training"), x=0.01, ha="left", fontsize="medium")
    return _finish(figure)


def selection(record: dict[str, Any], attributes: Sequence[str]) -> Figure | None:
    """Share of the majority kept and weight of the minority; None for a method without weights."""
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
    panels[0].legend(fontsize=8)
    figure.suptitle(
        _title(record, "what DSL does to a batch"), x=0.01, ha="left", fontsize="medium"
    )
    return _finish(figure)


def gain_over_cross_entropy(runs: pd.DataFrame) -> Figure:
    """mA gained over cross entropy for each attribute, mean over seeds, against imbalance.

    `runs` is what `records.collect` returns. Lines are means over eight neighbouring attributes.
    """
    figure, axes = plt.subplots(figsize=(9, 3.8))
    means = {}
    for method, group in runs.groupby("method"):
        frames = [per_attribute(record) for record in group["record"]]
        means[method] = sum(frame["mA"] for frame in frames) / len(frames)
        level = frames[0]["imbalance_level"]
    order = level.sort_values().index
    for method, mean in means.items():
        if method == "cross-entropy":
            continue
        gain = (mean - means["cross-entropy"])[order]
        colour = METHOD_COLOURS.get(method)
        axes.scatter(level[order], gain, s=14, color=colour, alpha=0.5)
        smooth = gain.rolling(8, center=True, min_periods=4).mean()
        axes.plot(level[order], smooth, color=colour, lw=2, label=method)
    axes.axhline(0, color=METHOD_COLOURS["cross-entropy"], lw=1.5)
    axes.set(
        xlabel="imbalance level: majority rate minus 50, %",
        ylabel="mA gained, percentage points",
        title=f"{runs['title'].iloc[0]}: gain over cross entropy",
    )
    axes.legend(loc="upper left")
    return _finish(figure)


def attribute_bars(record: dict[str, Any]) -> Figure:
    """mA of each attribute, the most imbalanced first."""
    frame = per_attribute(record).sort_values("imbalance_level", ascending=False)
    figure, axes = plt.subplots(figsize=(9, 2.8))
    axes.bar(_pretty(frame.index), frame["mA"], color=METHOD_COLOURS.get(record["method"]))
    axes.axhline(50, color="black", lw=1, ls=":")
    axes.set(ylabel="mA on test, %", ylim=(40, 100), title=_title(record, "rarest to balanced"))
    axes.margins(x=0.01)
    axes.tick_params("x", rotation=90, labelsize=8)
    axes.grid(axis="x", visible=False)
    return _finish(figure)


def _title(record: dict[str, Any], what: str) -> str:
    return f"{record['dataset']['title']}: {record['method']}, seed {record['seed']}, {what}"


def _pretty(names: Sequence[str]) -> list[str]:
    return [name.replace("_", " ").replace("5 o Clock", "5 o'clock") for name in names]


def _finish(figure: Figure) -> Figure:
    sns.despine(figure)
    figure.tight_layout()
    plt.close(figure)  # shown once, as the value of the cell, and not again by the backend
    return figure
