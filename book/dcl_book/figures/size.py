"""DCL's lead against the number of training images, and where overfitting begins."""

from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from .. import size
from ..finding import Finding
from ..verdicts import MARGIN
from .style import GREY, MARKERS, SLATE, VIOLET, finish, legend_below
from .thresholds import look_of

LENGTH_COLOURS = {24: SLATE, 75: VIOLET, 300: "#333333"}  # no method has them
LENGTH_MARKERS = dict(zip(LENGTH_COLOURS, MARKERS, strict=False))
SEEN = 0.58  # of viridis, the lightest part with a contrast of 3 to 1 on white


def leads_by_size(runs: pd.DataFrame, title: str, *, paper: bool = True) -> Figure:
    """DCL minus each deciding row against the images trained on, a line for each length.

    Means with 95 % intervals over seeds. With `paper` each line of three seeds or more that has all
    numbers of images is continued to the paper's number, a dashed band.

    Parameters
    ----------
    runs : DataFrame
        From `dcl_book.size.collect`.
    title : str
    paper : bool
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 4))
    for axes, other in zip(panels, size.DECIDING, strict=True):
        found = size.differences(runs, other)
        _zero(axes)
        for place, (epochs, own) in enumerate(found.groupby("epochs")):
            colour = LENGTH_COLOURS.get(epochs, GREY)
            look = {"color": colour, "marker": LENGTH_MARKERS.get(epochs, "8")}
            table = size.by_part(own)[epochs]
            shift = 1.07 ** (place - 1)
            _points(axes, table.index.to_numpy() * shift, table, look, f"{epochs} epochs")
            if paper and size.has_lines(own) and size.slopes(own).n > 2:
                beyond = np.geomspace(table.index.max(), size.PAPER, 20)
                band = [size.continued(own, images) for images in beyond]
                axes.plot(beyond, [f.mean for f in band], color=colour, lw=1.2, ls="--")
                low, high = [f.low for f in band], [f.high for f in band]
                axes.fill_between(beyond, low, high, color=colour, alpha=0.2, lw=0)
        ticks = sorted({*found["part"], *([size.PAPER] if paper else [])})
        axes.set(xscale="log", xlabel="training images", title=f"minus {other}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks], rotation=35)
    panels[0].set_ylabel("DCL's lead in mA, points")
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def leads_by_views(runs: pd.DataFrame, title: str) -> Figure | None:
    """The same differences against images x epochs, a line for each number of images.

    None for fewer than two lengths: then it would show what `leads_by_size` does.
    """
    drawn = [size.differences(runs, other)["epochs"] for other in size.DECIDING]
    if pd.concat(drawn).nunique() < 2:
        return None
    figure, panels = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    for axes, other in zip(panels, size.DECIDING, strict=True):
        found = size.differences(runs, other)
        parts = sorted(set(found["part"]))
        shades = plt.get_cmap("viridis")(np.linspace(0, SEEN, max(1, len(parts))))
        _zero(axes)
        for part, colour, marker in zip(parts, shades, cycle(MARKERS), strict=False):
            look = {"color": colour, "marker": marker}
            row = size.by_part(found[found["part"] == part]).loc[part]
            _points(axes, row.index.to_numpy() * part, row, look, f"{part:,} images")
        axes.set(xscale="log", xlabel="images × epochs", title=f"minus {other}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.tick_params("x", rotation=25)
    panels[0].set_ylabel("DCL's lead in mA, points")
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def overfitting_by_size(runs: pd.DataFrame, title: str) -> Figure:
    """Epoch of the lowest validation loss against the images trained on, a panel for each length.

    Means with 95 % intervals over seeds. Lengths of a single number of images are left out; the
    dotted line is the last epoch.
    """
    methods = ("cross-entropy", "selective-learning", "dcl")
    table = size.overfitting(runs, methods)
    tables = {epochs: own.droplevel("epochs") for epochs, own in table.groupby("epochs")}
    tables = {epochs: own for epochs, own in tables.items() if len(own) > 1}
    ticks = sorted({part for own in tables.values() for part in own.index})
    figure, panels = plt.subplots(1, max(1, len(tables)), figsize=(9, 3.6), squeeze=False)
    for axes, (epochs, own) in zip(panels[0], tables.items(), strict=False):
        for place, method in enumerate(own):
            places = own.index.to_numpy() * 1.06 ** (place - 1)
            _points(axes, places, own[method], look_of(method), method)
        axes.set(xscale="log", xlabel="training images", title=f"{epochs} epochs")
        axes.set(ylim=(0, 1.04 * epochs), xlim=(0.85 * ticks[0], 1.18 * ticks[-1]))
        axes.axhline(epochs, color="black", lw=1, ls=":")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [f"{n:,}" for n in ticks], rotation=35)
    panels[0, 0].set_ylabel("epoch of the lowest\nvalidation loss")
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def _zero(axes) -> None:
    axes.axhspan(-MARGIN["points"], MARGIN["points"], color="black", alpha=0.1, lw=0)
    axes.axhline(0, color="black", lw=1, ls=":")


def _points(axes, places: np.ndarray, found: pd.Series, look: dict[str, Any], label: str) -> None:
    """Means and intervals of `Finding` at these places, joined by a line."""
    there = [(x, f) for x, f in zip(places, found, strict=True) if isinstance(f, Finding) and f.n]
    axes.errorbar(
        [x for x, _ in there], [f.mean for _, f in there], ms=5, lw=1.6, capsize=2,
        yerr=np.nan_to_num([f.half for _, f in there]), label=label, **look,
    )  # fmt: skip
