"""Pictures of data of one's own: classes, gains, precision and recall, the worst mistakes."""

from functools import partial
from itertools import cycle, islice
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from seaborn.utils import relative_luminance
from torch import Tensor

from dcl.data import Dataset

from .. import advice
from ..measures import attribute
from .style import GREY, SERIES, finish, legend_below, pretty
from .thresholds import look_of

LARGEST_GAIN = 50  # points that are drawn: an interval of few seeds can be far wider


def classes(data: Dataset) -> Figure:
    """Rows of each class of each attribute in the training split, and those that are unknown."""
    counts = data.class_counts.numpy()
    unknown = (data.splits["train"].labels < 0).sum(0)
    places = np.arange(len(counts))
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.36 * len(counts)))
    rows = len(data.splits["train"])
    names = data.facts.get("class_names", {})
    left = np.zeros(len(counts))
    palette = [*islice(cycle(SERIES), counts.shape[1]), GREY]
    words: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
    for label, (widths, colour) in enumerate(zip([*counts.T, unknown], palette, strict=True)):
        axes.barh(places, widths, left=left, color=colour, edgecolor="white")
        ink = "white" if relative_luminance(colour) < 0.18 else "black"  # 0.18: both read as well
        for place, width in enumerate(widths):
            called = [*names.get(data.attributes[place], []), ""]
            word = "unknown" if label == counts.shape[1] else called[min(label, len(called) - 1)]
            if width > 0.012 * rows * len(word):  # it fits
                middle = left[place] + width / 2
                axes.text(middle, place, word, color=ink, **words)
        left += widths
    attribute_, label = np.argwhere(counts == counts[counts > 0].min())[0]
    word = [*names.get(data.attributes[attribute_], []), *map(str, range(label + 1))][label]
    axes.set(
        xlabel="training rows",
        title=f"{data.title}: the rarest class, {pretty(data.attributes)[attribute_]} = {word}, "
        f"has {counts[attribute_, label]:,} of {rows:,}",
    )
    axes.set_yticks(places, pretty(data.attributes))
    axes.invert_yaxis()
    return finish(figure)


def gain_by_attribute(runs: pd.DataFrame) -> Figure:
    """mA that each method gains in each attribute, see `dcl_book.advice.lead`, with intervals."""
    names = list(runs["record"].iloc[0]["test"]["per_attribute"])
    methods = advice.others(runs)
    figure, axes = plt.subplots(figsize=(9, 3.2))
    sure = {}
    for number, method in enumerate(methods):
        found = [advice.lead(runs, method, partial(attribute, name)) for name in names]
        mean, half = np.array([(one.mean, one.half) for one in found]).T
        sure[method] = int((mean - half > 0).sum())
        place = np.arange(len(names)) + (number - (len(methods) - 1) / 2) * 0.18
        decided = advice.AT[advice.decision_of(runs, method)]
        axes.errorbar(
            place, mean, np.nan_to_num(half), ls="none", capsize=3, **look_of(method),
            label=f"{method} at {decided}, "
            + ("mA undefined" if np.isnan(mean).all() else f"{np.nanmean(mean):+.1f} in the mean"),
        )  # fmt: skip
    axes.axhline(0, color="black", lw=1)
    axes.set_xticks(range(len(names)), pretty(names), rotation=90 if len(names) > 8 else 0)
    first = sorted(sure, key=sure.__getitem__, reverse=True)
    low, high = axes.get_ylim()
    cut = max(-low, high) > LARGEST_GAIN
    axes.set_ylim(max(low, -LARGEST_GAIN), min(high, LARGEST_GAIN))
    axes.set(
        ylabel=f"mA gained over cross\nentropy at {advice.AT[advice.base(runs)]}, points"
        + (f",\nwhiskers cut at {LARGEST_GAIN}" if cut else ""),
        title=f"{runs['title'].iloc[0]}:\nattributes of {len(names)} with a sure lead: "
        f"{', '.join(f'{method} {sure[method]}' for method in first)}",
    )
    legend_below(figure, columns=1)
    return finish(figure)


def precision_recall(data: Dataset, found: dict[str, tuple[Tensor, Tensor]]) -> Figure:
    """Precision and recall of the rarer class of each attribute, a dot where each method decides.

    A curve ends at its highest score: where nothing is called positive precision is undefined.

    Parameters
    ----------
    data : Dataset
    found : dict
        Method -> scores (N, A, C) of the test split, and classes (N, A) at its thresholds.
    """
    names, truth = data.facts.get("class_names", {}), data.splits["test"].labels
    count, columns = len(data.attributes), min(5, len(data.attributes))
    figure, panels = plt.subplots(
        -(-count // columns), columns, squeeze=False, sharex=True, sharey=True,
        figsize=(9, 0.9 + 2.1 * -(-count // columns)),
    )  # fmt: skip
    reached: dict[str, list[float]] = {method: [] for method in found}
    for a, axes in zip(range(count), panels.flat, strict=False):
        counts = data.class_counts[a, : data.class_sizes[a]]
        label, known = int(counts.argmin()), truth[:, a] >= 0
        positive = truth[known, a] == label
        for method, (scores, decided) in found.items():
            own = scores[known, a].softmax(1)[:, label].numpy()
            order = np.argsort(-own, kind="stable")
            last = np.append(np.diff(own[order]) != 0, True)  # equal scores are called together
            hits, called = positive[order].cumsum()[last], np.arange(1, len(own) + 1)[last]
            axes.plot(
                100 * hits / max(1, positive.sum()), 100 * hits / called,
                color=look_of(method)["color"], lw=1.4, label=method,
            )  # fmt: skip
            said = (decided[known, a] == label).numpy()
            right = (said & positive).sum()
            if said.any() and positive.any():
                point = 100 * right / positive.sum(), 100 * right / said.sum()
                axes.plot(*point, ls="none", ms=7, label=method, **look_of(method))
                reached[method].append(point[1])
        words = names.get(data.attributes[a], [str(k) for k in range(len(counts))])
        axes.set_title(f"{pretty([data.attributes[a]])[0]} = {words[label]}", fontsize=9)
        axes.set(ylim=(0, 102), xlim=(0, 102))
    for axes in panels.flat[count:]:
        axes.axis("off")
    for axes in panels.flat[max(0, count - columns) : count]:  # none stands below it
        axes.set_xlabel("recall, %")
        axes.tick_params(labelbottom=True)
    for axes in panels[:, 0]:
        axes.set_ylabel("precision, %")
    legend_below(figure)
    told = ", ".join(f"{m} {np.mean(v):.0f} %" for m, v in reached.items() if v)
    figure.suptitle(
        f"{data.title}:\nprecision of the rarer class where each decides, in the mean: {told}",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return finish(figure)


def mistakes(data: Dataset, scores: Tensor, decided: Tensor, columns: int = 8) -> Figure | None:
    """Test images that were decided wrongly with the most certainty, a row for each attribute.

    Attributes without a wrong one have no row; None for features, and where none is wrong.

    Parameters
    ----------
    scores : Tensor (N, A, C)
        Of the test split, less the offsets of the decision.
    decided : Tensor (N, A)
        Its classes.
    """
    split = data.splits["test"]
    all_wrong = (split.labels >= 0) & (split.labels != decided.numpy())  # (N, A)
    shown = np.flatnonzero(all_wrong.any(0))
    if split.images.ndim != 4 or not len(shown):
        return None
    names = data.facts.get("class_names", {})
    figure, panels = plt.subplots(
        len(shown), columns, squeeze=False, figsize=(9, 0.5 + 1.7 * len(shown))
    )
    sure = scores.softmax(2).amax(2).numpy()
    for a, row in zip(shown, panels, strict=True):
        name, truth, found = data.attributes[a], split.labels[:, a], decided[:, a].numpy()
        wrong = np.flatnonzero(all_wrong[:, a])
        worst = wrong[np.argsort(-sure[wrong, a], kind="stable")][:columns]
        words = names.get(name, [str(label) for label in range(data.class_sizes[a])])
        for axes in row:
            axes.axis("off")
        for axes, sample in zip(row, worst, strict=False):
            axes.imshow(split.images[sample].transpose(1, 2, 0))
            title = f"{words[truth[sample]]},\nsaid {words[found[sample]]}"
            axes.set_title(title, fontsize=8, loc="center", pad=2)
        row[0].text(
            -0.1, 0.5, pretty([name])[0], transform=row[0].transAxes, ha="right", va="center",
            fontsize=8,
        )  # fmt: skip
    figure.suptitle(
        f"{data.title}: {all_wrong.sum()} wrong of {(split.labels >= 0).sum()} test labels, "
        f"the surest",
        x=0.01, ha="left", fontsize="medium",
    )  # fmt: skip
    return finish(figure)
