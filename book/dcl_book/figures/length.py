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
from .style import finish, legend_below
from .thresholds import look_of

SHOWN = (PRIOR, "selective-learning", "cross-entropy")  # the two that decide, and ordinary training
CURVES = {"cross-entropy": 4, "selective-learning": 2.2, "dcl": 1.2}  # widths: none hides another


def leads_by_length(views: dict[str, pd.DataFrame], title: str) -> Figure | None:
    """DCL minus each of `SHOWN`, mA at the own decision, against the epochs trained.

    Means with 95 % intervals over seeds, a panel for each view on one scale; a line ends at the
    longest length that both rows have. None where no length has DCL and another row.

    Parameters
    ----------
    views : dict
        What a panel shows -> runs from `dcl_book.length.collect`, as they are or
        `dcl_book.length.at_the_last_epoch`.
    title : str
    """
    found = {
        words: {other: length.leads(runs, other) for other in SHOWN}
        for words, runs in views.items()
    }
    lengths = sorted({L for panel in found.values() for lead in panel.values() for L in lead})
    if not lengths:
        return None
    figure, panels = plt.subplots(1, len(views), figsize=(9, 4), sharey=True, squeeze=False)
    for axes, (words, panel) in zip(panels.flat, found.items(), strict=True):
        axes.axhspan(-MARGIN["points"], MARGIN["points"], color="black", alpha=0.1, lw=0)
        axes.axhline(0, color="black", lw=1, ls=":")
        for place, (other, lead) in enumerate(panel.items()):
            epochs = np.array(list(lead)) * 1.08 ** (place - (len(panel) - 1) / 2)  # side by side
            axes.errorbar(
                epochs, [f.mean for f in lead.values()], ms=5, lw=1.5, capsize=3,
                yerr=np.nan_to_num([f.half for f in lead.values()]), label=other,
                **look_of(other),
            )  # fmt: skip
        axes.set(title=words, xscale="log", xlim=(lengths[0] / 1.4, lengths[-1] * 1.4))
        axes.set(xlabel="epochs trained")
        axes.set_xticks(lengths, [str(L) for L in lengths])
        axes.minorticks_off()
    panels[0, 0].set_ylim(_reach([lead for panel in found.values() for lead in panel.values()]))
    panels[0, 0].set_ylabel("DCL minus the other, points of mA")
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def _reach(leads: list[dict[int, Finding]]) -> tuple[float, float]:
    """What the panels show: all means, the band, and the intervals of three seeds or more.

    That of two is so wide that it would press all others flat; it goes on beyond them.
    """
    every = [f for lead in leads for f in lead.values()]
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
            look = look_of(method) | {"ms": 4 + width, "markevery": max(1, len(mean) // 6)}
            axes.plot(mean.index, mean, lw=width, label=method, **look)
            if key == "val_loss" and len(mean):
                epoch = curves.idxmin(axis=1).mean()
                axes.plot(
                    epoch, curves.min(axis=1).mean(), "*", color=look["color"], ms=9,
                    markeredgecolor="black", markeredgewidth=0.7, zorder=3,
                )  # fmt: skip
                height = 0.05 + 0.1 * len(axes.texts)
                text = axes.text(
                    0.97, height, f"epoch {epoch:.0f}", ha="right", color="#333333", size=9,
                    transform=axes.transAxes,
                )  # fmt: skip
                axes.plot(0.6, height + 0.03, transform=text.get_transform(), **look_of(method))
        if key == "val_loss":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="epochs trained", title=words)
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)
