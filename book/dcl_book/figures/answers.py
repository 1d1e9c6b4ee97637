"""Differences beside the margin within which there is none."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..finding import Finding
from ..verdicts import MARGIN
from .style import AHEAD, BEHIND, finish

NEITHER = "#9A9A9A"


def answers(found: dict[str, Finding], title: str, what: str) -> Figure:
    """A row for each question: mean and 95 % interval, beside the band of no difference.

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
    axes.axvspan(-margin, margin, color=NEITHER, alpha=0.15, lw=0, label="no difference")
    for colour, words in ((AHEAD, "ahead"), (BEHIND, "behind"), (NEITHER, "not told apart")):
        axes.errorbar([], [], xerr=[], fmt="o", color=colour, capsize=3, label=words)
    for place, finding in enumerate(shown.values()):
        side = AHEAD if finding.low > 0 else BEHIND if finding.high < 0 else NEITHER
        half = np.nan_to_num(finding.half)
        axes.errorbar(finding.mean, place, xerr=half, fmt="o", color=side, capsize=3)
    axes.axvline(0, color="black", lw=1, ls=":")
    axes.set_yticks(range(len(shown)), list(shown))
    axes.invert_yaxis()
    axes.set(xlabel=f"{what}, percentage points", title=title)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 4}
    axes.legend(**below, ncols=4, frameon=False)
    return finish(figure)
