"""What is in a data set."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from dcl.data import Dataset

from .style import SERIES, finish, pretty


def sheet(data: Dataset, rows: int = 3, columns: int = 10) -> Figure:
    """Training images, spread over the split."""
    images = data.splits["train"]
    images = images.at(images.spread(rows * columns)).images
    figure, panels = plt.subplots(rows, columns, figsize=(columns * 0.95, rows * 1.15))
    for axes, image in zip(panels.flat, images, strict=False):
        axes.imshow(image.transpose(1, 2, 0))
    for axes in panels.flat:
        axes.axis("off")
    figure.suptitle(f"{data.title}: training images", x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def imbalance(data: Dataset) -> Figure:
    """Share of positives of each attribute in the training split, rarest first."""
    counts = data.class_counts.numpy()
    share = pd.Series(100 * counts[:, 1] / counts.sum(1), pretty(data.attributes)).sort_values()
    figure, axes = plt.subplots(figsize=(9, 2.8))
    axes.bar(share.index, share, color="#0072B2")
    axes.axhline(50, color="black", lw=1, ls=":")
    axes.set(
        ylabel="positive, %",
        title=f"{data.title}: {(share < 10).sum()} of {len(share)} attributes are in less than a "
        f"tenth of {counts[0].sum():,} training images",
    )
    axes.margins(x=0.01)
    axes.tick_params("x", rotation=90, labelsize=8)
    axes.grid(axis="x", visible=False)
    return finish(figure)


def class_counts(data: Dataset) -> Figure:
    """Training images of each class of a single label, largest class first, in its groups."""
    counts = pd.Series(data.class_counts[0].numpy(), data.class_names)
    counts = counts.sort_values(ascending=False, kind="stable")
    figure, axes = plt.subplots(figsize=(9, 2.6))
    for (group, members), colour in zip(data.groups.items(), SERIES, strict=False):
        part = counts.where(counts.index.isin(members))
        axes.bar(range(len(counts)), part, width=1, color=colour, label=f"{group}, {len(members)}")
    axes.set(
        xlabel="classes, largest first",
        ylabel="training images",
        title=f"{data.title}: {counts.sum():,} training images, {counts.max():,} of the largest "
        f"class and {counts.min():,} of the smallest",
    )
    axes.margins(x=0.01)
    axes.legend(loc="upper right", fontsize=8, ncols=len(data.groups))
    return finish(figure)
