"""DCL's lead against the length of the training, and what a long training looks like."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from .. import length
from ..finding import Finding
from ..length_tables import history
from ..names import PRIOR
from ..verdicts import MARGIN
from .narrow import handles_of
from .style import finish, legend_below
from .thresholds import colour_of

OTHERS = ("cross-entropy", "cost-sensitive", "selective-learning", "crl", "dcl-ss")
FIRST = (PRIOR, "cross-entropy", "selective-learning")  # of the panel of the own decision
CURVES = {"cross-entropy": 5, "selective-learning": 2.6, "dcl": 1.3}  # widths: none hides another


def leads_by_length(runs: pd.DataFrame, title: str) -> Figure | None:
    """DCL minus each other row against the epochs trained, a panel for each of `length.MEASURES`.

    Means with 95 % intervals over seeds; a line ends at the longest length that both rows have. The
    first panel, of the own decision, has the two rows that decide and cross entropy alone.
    None where no length has DCL and another row.

    Parameters
    ----------
    runs : DataFrame
        From `dcl_book.length.collect`.
    title : str
    """
    found = {
        words: {other: length.leads(runs, other, measure) for other in (OTHERS if place else FIRST)}
        for place, (words, measure) in enumerate(length.MEASURES.items())
    }
    lengths = sorted({L for panel in found.values() for lead in panel.values() for L in lead})
    if not lengths:
        return None
    figure, panels = plt.subplots(2, 3, figsize=(9, 6))
    for axes, (words, panel) in zip(panels.flat, found.items(), strict=False):
        axes.axhspan(-MARGIN["points"], MARGIN["points"], color="black", alpha=0.1, lw=0)
        axes.axhline(0, color="black", lw=1, ls=":")
        for place, (other, lead) in enumerate(panel.items()):
            epochs = np.array(list(lead)) * 1.08 ** (place - (len(panel) - 1) / 2)  # side by side
            axes.errorbar(
                epochs, [f.mean for f in lead.values()], marker="o", ms=4, lw=1.2, capsize=2,
                yerr=np.nan_to_num([f.half for f in lead.values()]), color=colour_of(other),
                label=other,
            )  # fmt: skip
        axes.set(title=words, xscale="log", xlim=(lengths[0] / 1.4, lengths[-1] * 1.4))
        axes.set_ylim(_reach(panel))
        axes.set_xticks(lengths, [str(L) for L in lengths])
        axes.minorticks_off()
    figure.supylabel("DCL minus the other, points", fontsize="medium")
    for axes in (*panels[1, :2], panels[0, 2]):
        axes.set_xlabel("epochs trained")
    panels[1, 2].axis("off")
    handles = handles_of(figure)
    panels[1, 2].legend(handles.values(), handles, loc="center", title="the other")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def _reach(panel: dict[str, dict[int, Finding]]) -> tuple[float, float]:
    """What a panel shows: all means, the band, and the intervals of three seeds or more.

    That of two is so wide that it would press all others flat; it goes on beyond the panel.
    """
    every = [f for lead in panel.values() for f in lead.values()]
    halves = [f.half if f.n > 2 else 0 for f in every]
    low = min([-MARGIN["points"], *(f.mean - half for f, half in zip(every, halves, strict=True))])
    high = max([MARGIN["points"], *(f.mean + half for f, half in zip(every, halves, strict=True))])
    return low - 0.1 * (high - low), high + 0.1 * (high - low)


def training_curves(runs: pd.DataFrame, epochs: int, title: str) -> Figure | None:
    """Loss in training, loss on validation and mA on validation, epoch by epoch, of one length.

    Means over seeds. A star where the validation loss of a seed is lowest, in the mean, and its
    epoch: there overfitting begins. None without runs of that length.
    """
    own = runs[(runs["epochs"] == epochs) & runs["method"].isin(CURVES)]
    if own.empty:
        return None
    keys = {
        "classification": "loss in training,\neach method's own",
        "val_loss": "loss on validation,\nplain cross entropy",
        "val_mA": "mA on validation, %,\nown decision",
    }
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.6))
    for axes, (key, words) in zip(panels, keys.items(), strict=True):
        for method, width in CURVES.items():
            if method not in set(own["method"]):
                continue
            records = own["record"][own["method"] == method]
            curves = pd.DataFrame([history(record, key) for record in records])
            mean = curves.mean()
            shade = 0.5 if width > 3 else 1
            axes.plot(
                mean.index, mean, color=colour_of(method), lw=width, alpha=shade, label=method
            )
            if key == "val_loss" and len(mean):
                epoch = curves.idxmin(axis=1).mean()
                axes.plot(
                    epoch, curves.min(axis=1).mean(), "*", color=colour_of(method), ms=9,
                    markeredgecolor="black", markeredgewidth=0.7, zorder=3,
                )  # fmt: skip
                axes.text(
                    0.97, 0.05 + 0.1 * len(axes.texts), f"epoch {epoch:.0f}", ha="right",
                    color=colour_of(method), size=9, transform=axes.transAxes,
                )  # fmt: skip
        if key == "val_loss":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="epochs trained", title=words)
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)
