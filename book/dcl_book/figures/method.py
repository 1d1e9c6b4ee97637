"""The method in pictures: schedules, targets, weights."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dcl.sampling import dsl_weights, target_distribution
from dcl.schedulers import loss_schedule, schedule

from .style import (
    GREY,
    MAJORITY,
    METHOD_COLOURS,
    MINORITY,
    SCHEDULE_COLOURS,
    SCHEDULE_LINES,
    finish,
    legend_below,
)

BATCH, POSITIVES = 512, 12  # the example of every page: 12 bald people in a batch, as in training


def idea(positives: int = POSITIVES, batch: int = BATCH) -> Figure:
    """The idea in one picture: a batch's samples at three moments, their area their weight."""
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.4))
    moments = {"start": 0, "after two thirds": 200, "end": 300}
    for axes, (when, epoch) in zip(panels, moments.items(), strict=True):
        counts = torch.tensor([[batch - positives, positives]])
        _draw_batch(axes, counts, positives, batch, schedule("convex", epoch, 300), seed=1)
        axes.set_title(when, loc="center", weight="bold")
    return finish(figure)


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
    return finish(figure)


def _draw_batch(
    axes: Axes, class_counts: torch.Tensor, positives: int, batch: int, g: float, seed: int = 0
) -> None:
    """A batch under the sampling schedule's g: what is kept of the majority, and the minority.

    The number kept is rounded at random; of the seeds one is taken that rounds to the nearest.
    """
    labels = torch.zeros(batch, 1, dtype=torch.long)
    labels[:positives] = 1
    generator = torch.Generator().manual_seed(seed)
    weights = dsl_weights(labels, class_counts, g, generator=generator)[:, 0].numpy()
    minority, majority = weights[:positives], weights[positives:]
    many, few = MAJORITY, MINORITY
    x, y = np.divmod(np.arange(len(majority)), 25)
    kept = majority > 0
    axes.scatter(x[~kept], y[~kept], s=5, facecolor="none", edgecolor=GREY, lw=0.5)
    axes.scatter(x[kept], y[kept], s=9, color=many, lw=0)
    x, y = np.divmod(np.arange(positives), 4)
    axes.scatter(25 + 5 * x, 3 + 6.2 * y, s=9 * minority, color=few, lw=0)
    words = {"ha": "center", "va": "top", "size": 10, "linespacing": 1.4}
    axes.text(9.5, -1.5, f"{kept.sum()} of {len(majority)}\nkept", color=many, **words)
    axes.text(30, -1.5, f"each weighs\n{minority.max():.1f}", color=few, **words)
    axes.set(xlim=(-1, 38), ylim=(-7, 26))
    axes.axis("off")


def schedules(epochs: int = 300, decay: float = 0.99) -> Figure:
    """Figure 1: the four scheduler functions."""
    figure, axes = plt.subplots(figsize=(6, 3.4))
    x = np.linspace(0, epochs, 301)
    for name, colour in SCHEDULE_COLOURS.items():
        y = [schedule(name, epoch, epochs, decay=decay) for epoch in x]
        axes.plot(x, y, SCHEDULE_LINES[name], color=colour, lw=2, label=name)
    legend_below(figure)
    ends = [schedule(name, epochs, epochs, decay=decay) for name in SCHEDULE_COLOURS]
    title = "Slow or fast at the start" + (", all end near 0" if max(ends) < 0.1 else "")
    axes.set(xlabel="epoch l", ylabel="SF(l)", title=title)
    return finish(figure)


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
    fall = "jumps down" if values[-1] - epsilon > 0.01 else "does not jump"
    title = f"The metric loss {fall} at the self-learning point"
    axes.set(xlabel="epoch l", ylabel="f(l)", ylim=(0, 1.2), title=title)
    return finish(figure)


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
            axes.plot(x, y, SCHEDULE_LINES[name], color=colour, lw=2, label=name)
        y = [target_distribution(counts, 1 - epoch / epochs, rule="linear")[0, 1] for epoch in x]
        axes.plot(x, y, color="black", lw=1.2, label="linear-imbalance")
        axes.set(xlabel="epoch l", title=f"{label}: {100 * share:.1f} % positive", ylim=(0, 0.55))
    np.atleast_1d(panels)[0].set_ylabel("target share of the minority")
    legend_below(figure)
    title = "With convex, the rarer the class, the later its target moves"
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def two_readings(positives: int = POSITIVES, batch: int = BATCH, epochs: int = 300) -> Figure:
    """Total weight and mean minority weight of one batch under both readings of Eq. 5.

    The classes have the same shares in the batch and in the training set.
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4))
    labels = torch.zeros(batch, 1, dtype=torch.long)
    labels[:positives] = 1
    counts = torch.tensor([[batch - positives, positives]])
    x = np.linspace(0, epochs, 101)
    for reading, line, colour in (
        ("proportion", "-", METHOD_COLOURS["dcl"]),
        ("minority", "--", "#0072B2"),
    ):
        weights = [
            dsl_weights(
                labels, counts, schedule("convex", epoch, epochs), selection="expected",
                normalisation=reading,
            )
            for epoch in x
        ]  # fmt: skip
        label = f"{reading}{' (ours)' if reading == 'proportion' else ' (as D is written)'}"
        panels[0].plot(x, [w.sum() for w in weights], line, color=colour, lw=2, label=label)
        panels[1].plot(x, [w[:positives].mean() for w in weights], line, color=colour, lw=2)
    panels[0].set(xlabel="epoch l", title="Total weight of the batch", ylim=(0, None))
    panels[1].set(xlabel="epoch l", title="Weight of a minority sample", ylim=(0, None))
    legend_below(figure)
    fades = weights[-1].sum() < batch / 2  # of the second reading, to the letter
    found = "Read to the letter, the loss of a rare class fades" if fades else "Two readings"
    title = f"{found}: {positives} positives in {batch}"
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def pushes(table: pd.DataFrame, title: str) -> Figure:
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
        axes.hlines(y, part["majority"], part["minority"], color=GREY, lw=1)
        for name, marker, colour in (("majority", "s", MAJORITY), ("minority", "o", MINORITY)):
            axes.scatter(part[name], y, color=colour, marker=marker, label=name, zorder=3)
        axes.set_xscale("log")
        axes.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
        axes.axvline(1, color="black", lw=1, ls=":")
        axes.set(title=attribute, xlabel="push, cross entropy = 1", yticks=y, yticklabels=methods)
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)
