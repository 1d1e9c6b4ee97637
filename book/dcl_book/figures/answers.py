"""Differences beside the margin within which there is none."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .. import length
from ..finding import Finding
from ..verdicts import MARGIN
from .style import AHEAD, BEHIND, GREY, finish, legend_below

NONE, UNDECIDED = GREY, "#4A4A4A"  # of the band; and of a hollow dot


def answers(found: dict[str, Finding], title: str, what: str) -> Figure:
    """A row for each question: mean and 95 % interval, beside the band of no difference.

    An interval wholly inside the band has its colour, also if it leaves zero out. A hollow dot: the
    interval reaches zero, and beyond the band.

    Parameters
    ----------
    found : dict
        Question -> difference in percentage points; those without a run are left out.
    title, what : str
        The finding, and the axis: what the difference is.
    """
    shown = {name: finding for name, finding in found.items() if finding.n}
    margin = MARGIN["points"]
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.52 * len(shown)))
    axes.axvspan(-margin, margin, color=NONE, alpha=0.15, lw=0)
    for colour, words in (
        *((AHEAD, "ahead"), (BEHIND, "behind"), (NONE, "no difference")),
        (UNDECIDED, "cannot be distinguished"),
    ):
        axes.errorbar([], [], xerr=[], label=words, **_look(colour))
    for place, finding in enumerate(shown.values()):
        half = np.nan_to_num(finding.half)
        axes.errorbar(finding.mean, place, xerr=half, **_look(_colour(finding, margin)))
    axes.axvline(0, color="black", lw=1, ls=":")
    axes.set_yticks(range(len(shown)), list(shown))
    axes.invert_yaxis()
    axes.set(xlabel=f"{what}, percentage points", title=title)
    legend_below(figure)
    return finish(figure)


def _colour(found: Finding, margin: float) -> str:
    if length.call(found, margin) == "none":
        return NONE
    return AHEAD if found.low > 0 else BEHIND if found.high < 0 else UNDECIDED


def _look(colour: str) -> dict[str, Any]:
    hollow = {"mfc": "none"} if colour == UNDECIDED else {}
    return {"fmt": "o", "color": colour, "capsize": 3} | hollow
