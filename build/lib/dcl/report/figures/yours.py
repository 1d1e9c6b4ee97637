"""Pictures of data of one's own: the classes, the gain of each attribute, the worst mistakes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from torch import Tensor

from ...data import Dataset
from ...experiment.records import interval
from .. import evidence
from ..measures import attribute
from .style import finish, pretty
from .thresholds import colour_of

LARGEST_GAIN = 50  # points that are drawn: the interval of two seeds can be far wider


def classes(data: Dataset) -> Figure:
    """Rows of each class of each attribute in the training split, and those that are unknown."""
    counts = data.class_counts.numpy()
    unknown = (data.splits["train"].labels < 0).sum(0)
    places = np.arange(len(counts))
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.36 * len(counts)))
    rows = len(data.splits["train"])
    names = data.facts.get("class_names", {})
    left = np.zeros(len(counts))
    palette = [*sns.color_palette("colorblind", counts.shape[1]), "#d9d9d9"]
    for label, (widths, colour) in enumerate(zip([*counts.T, unknown], palette, strict=True)):
        axes.barh(places, widths, left=left, color=colour)
        for place, width in enumerate(widths):
            words = [*names.get(data.attributes[place], []), ""]
            word = "unknown" if label == counts.shape[1] else words[min(label, len(words) - 1)]
            if width > 0.012 * rows * len(word):  # it fits
                middle = left[place] + width / 2
                axes.text(middle, place, word, ha="center", va="center", fontsize=8)
        left += widths
    axes.set(
        xlabel="training rows",
        title=f"{data.title}: the rarest class has {counts[counts > 0].min()}",
    )
    axes.set_yticks(places, pretty(data.attributes))
    axes.invert_yaxis()
    return finish(figure)


def gain_by_attribute(runs: pd.DataFrame, decision: str = "tuned-mA") -> Figure:
    """mA gained over cross entropy in each attribute, both at one decision: mean and interval."""
    names = list(runs["record"].iloc[0]["test"]["per_attribute"])
    methods = [name for name in dict.fromkeys(runs["method"]) if name != "cross-entropy"]
    figure, axes = plt.subplots(figsize=(9, 3.2))
    for number, method in enumerate(methods):
        gains = [
            interval(
                evidence.difference(
                    runs, method, "cross-entropy", attribute(name, decision)
                ).tolist()
            )
            for name in names
        ]
        mean, half = np.array(gains).T
        place = np.arange(len(names)) + (number - (len(methods) - 1) / 2) * 0.18
        axes.errorbar(
            place, mean, np.nan_to_num(half), fmt="o", capsize=3, color=colour_of(method),
            label=f"{method}, {np.nanmean(mean):+.1f} in the mean",
        )  # fmt: skip
    axes.axhline(0, color="black", lw=1)
    axes.set_xticks(range(len(names)), pretty(names), rotation=90 if len(names) > 8 else 0)
    axes.set(
        ylabel="mA gained, points",
        title=f"{runs['title'].iloc[0]}: gain over cross entropy, thresholds tuned",
    )
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -LARGEST_GAIN), min(high, LARGEST_GAIN))
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(methods))
    return finish(figure)


def mistakes(data: Dataset, scores: Tensor, decided: Tensor, columns: int = 8) -> Figure | None:
    """Test images that were decided wrongly with the most certainty, a row for each attribute.

    Parameters
    ----------
    scores : Tensor (N, A, C)
        Of the test split, less the offsets of the decision.
    decided : Tensor (N, A)
        Its classes.
    """
    split = data.splits["test"]
    if split.images.ndim != 4:
        return None
    names = data.facts.get("class_names", {})
    figure, panels = plt.subplots(
        len(data.attributes), columns, squeeze=False,
        figsize=(9, 1.45 * len(data.attributes)),
    )  # fmt: skip
    sure = scores.softmax(2).amax(2).numpy()
    total = 0
    for a, (name, row) in enumerate(zip(data.attributes, panels, strict=True)):
        truth, found = split.labels[:, a], decided[:, a].numpy()
        wrong = np.flatnonzero((truth >= 0) & (truth != found))
        total += len(wrong)
        worst = wrong[np.argsort(-sure[wrong, a], kind="stable")][:columns]
        words = names.get(name, [str(label) for label in range(data.class_sizes[a])])
        for axes in row:
            axes.axis("off")
        for axes, sample in zip(row, worst, strict=False):
            axes.imshow(split.images[sample].transpose(1, 2, 0))
            title = f"{words[truth[sample]]}, said {words[found[sample]]}"
            axes.set_title(title, fontsize=6, loc="center", pad=2)
        row[0].text(
            -0.1, 0.5, pretty([name])[0], transform=row[0].transAxes, ha="right", va="center",
            fontsize=8,
        )  # fmt: skip
    figure.suptitle(
        f"{data.title}: {total} wrong of {int((split.labels >= 0).sum())} test labels, the surest",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return finish(figure)
