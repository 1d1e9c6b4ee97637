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


def precisions_in_words(found: pd.DataFrame | None) -> str:
    """The largest difference of `precisions` beside that of seeds, in a sentence."""
    if found is None:
        return ""
    times = (found["difference"] / found["seeds apart"]).abs().replace(np.inf, np.nan).dropna()
    if times.empty:
        return ""
    (method, what), most = times.idxmax(), times.max()
    row = found.loc[(method, what)]
    start = (
        f"The largest of {len(times)}, beside that of seeds, is {what} of {method}: "
        f"{Finding(row['difference'], row['±'], int(row['pairs']))} points, {most:.1f} times what "
        f"seeds differ by ({row['pairs']:.0f} pairs)."
    )
    sure = found.index[found["difference"].abs() > found["±"]]  # whose interval leaves zero out
    if sure.empty:
        return (
            f"{start} No interval leaves zero out: another precision acts like another seed, as "
            "far as so few pairs can say."
        )
    names = ", ".join(f"{what} of {method}" for method, what in sure)
    return (
        f"{start} Beyond chance: {names}. That is in every difference between runs of different "
        "precision, as those of different length may be."
    )
