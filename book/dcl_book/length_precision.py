"""Whether a training's precision matters: runs of the same seed in both."""

import numpy as np
import pandas as pd

from . import evidence
from .finding import Finding
from .measures import Measure, class_balanced, metric

SHOWN: dict[str, Measure] = {
    "mA": class_balanced,
    "F1": metric("f1"),
    "AUC": metric("auc"),
    "AP": metric("average_precision"),
}


def precisions(runs: pd.DataFrame, partners: pd.DataFrame) -> pd.DataFrame:
    """Runs in one precision minus the same seeds' in another, beside how far seeds lie apart.

    Returns
    -------
    DataFrame
        By (method, what): ``difference``, `partners` minus `runs`, mean of the shared seeds, and
        ``±``, half of its 95 % interval;
        ``seeds apart``, the standard deviation of what as many pairs of seeds of `runs` differ by
        in the mean; ``pairs``. Points on test, at the length that both have.
    """
    rows = {}
    for method, other in partners.groupby("method"):
        own = runs[(runs["method"] == method) & runs["epochs"].isin(other["epochs"])]
        for words, measure in SHOWN.items():
            here, there = (evidence.by_seed(x, method, measure) for x in (own, other))
            apart = (there - here).dropna()
            rows[method, words] = {
                "difference": apart.mean(),
                "±": Finding.of(apart).half,
                "seeds apart": here.std() * (2 / len(apart)) ** 0.5 if len(apart) else np.nan,
                "pairs": len(apart),
            }
    return pd.DataFrame.from_dict(rows, orient="index")
