"""Runs that show nothing of the method whose name they bear, and why; no table counts them."""

from typing import Any

import numpy as np

MARGINS = {"lmle": (0.1, 0.2, 0.4)}  # of the hinges that a method sums for each attribute
NEAR = 0.005  # of the margins' sum; batches of a run that learns stay off it by far more


def withdrawn(record: dict[str, Any]) -> str:
    """Why a run is not shown: its metric loss ended at the margins' sum. Empty for other runs.

    With all features in one point every distance is 0, and each hinge its margin: the loss is
    their sum for each attribute, whatever the images are.

    Examples
    --------
    >>> history = [{"epoch": 4, "metric": 1.3}, {"epoch": 5, "metric": 1.4}]
    >>> record = {"method": "lmle", "history": history, "test": {"per_attribute": {"a": 0, "b": 0}}}
    >>> withdrawn(record)
    'collapsed, metric loss 1.40 = 2 x (0.1 + 0.2 + 0.4) from epoch 6 on: all features in one point'
    """
    margins = MARGINS.get(record["method"])
    rows = [row for row in record.get("history", []) if row.get("metric") is not None]
    if margins is None or not rows:
        return ""
    attributes = len(record["test"]["per_attribute"])
    floor = attributes * sum(margins)
    off = np.abs(np.array([row["metric"] for row in rows]) / floor - 1) > NEAR
    if off[-1]:
        return ""
    since = rows[int(np.flatnonzero(off)[-1]) + 1 if off.any() else 0]["epoch"] + 1
    words = " + ".join(f"{margin:g}" for margin in margins)
    return (
        f"collapsed, metric loss {rows[-1]['metric']:.2f} = {attributes} x ({words}) from epoch "
        f"{since} on: all features in one point"
    )
