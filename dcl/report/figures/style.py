"""One look for all figures: colours, titles, finish."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

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


def title_of(record: dict[str, Any], what: str) -> str:
    """Of a figure made from one run: data, method, seed, and what it shows."""
    return f"{record['dataset']['title']}: {record['method']}, seed {record['seed']}, {what}"


def pretty(names: Sequence[str]) -> list[str]:
    """Names of attributes as words."""
    return [name.replace("_", " ").replace("5 o Clock", "5 o'clock") for name in names]


def finish(figure: Figure) -> Figure:
    """Tidy; shown once, as the value of the cell, and not again by the backend."""
    sns.despine(figure)
    figure.tight_layout()
    plt.close(figure)
    return figure
