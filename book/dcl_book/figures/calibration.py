"""Whether a network's probabilities mean what they say."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .style import finish, legend_below, pretty
from .thresholds import look_of


def reliability(found: dict[str, dict[str, Any]], title: str) -> Figure:
    """Reliability diagram of all attributes together, and the calibration error of each.

    Parameters
    ----------
    found : dict
        Method -> the ``calibration`` of its record, see `dcl.evaluation.calibration.describe`.
        A balancing method predicts for balanced data: we draw it again, open and dashed, with the
        training prior put back.
    title : str
        Of the data.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    left.plot([0, 100], [0, 100], color="#8a8a8a", lw=1, ls=":")
    names = list(next(iter(found.values()))["per_attribute"])
    shown = [(method, kept, False) for method, kept in found.items()]
    shown += [
        (method, kept["at_training_prior"], True)
        for method, kept in found.items()
        if "at_training_prior" in kept
    ]
    order = np.argsort([found[next(iter(found))]["per_attribute"][name] or 0 for name in names])
    for method, kept, back in shown:
        pooled = kept["pooled"]
        x, y = (100 * np.array(pooled[key], dtype=float) for key in ("confidence", "rate"))
        there = np.array(pooled["counts"]) > 0
        look = look_of(method) | {"ms": 5}
        look["mfc"] = "none" if back else look["color"]
        words, line = f"{method}{', prior back' if back else ''}", "--" if back else "-"
        left.plot(x[there], y[there], lw=1.6, ls=line, label=words, **look)
        values = np.array([kept["per_attribute"][name] for name in names], dtype=float)[order]
        right.plot(values, range(len(names)), ls="none", **look)
    left.set(xlabel="predicted probability, %", ylabel="observed frequency, %")
    left.set(xlim=(0, 100), ylim=(0, 100))
    legend_below(figure)
    few = len(names) <= 12
    right.set_yticks(range(len(names)) if few else [], pretty(np.array(names)[order]) * few)
    right.set(xlabel="calibration error (ECE), %", xlim=(0, None))
    if not few:
        right.set_ylabel(f"{len(names)} attributes")
    errors = ", ".join(f"{method} {kept['ece']:.1f} %" for method, kept in found.items())
    bins = next(iter(found.values()))["bins"]
    words = f"{title}:\nCalibration error: {errors}\n(ECE of {bins} bins, mean of attributes)"
    figure.suptitle(words, x=0.01, ha="left", fontsize="medium")
    return finish(figure)
