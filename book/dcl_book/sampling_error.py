"""The chance in a number that comes from which images a test set holds.

All in percent and percentage points. From confusion counts where there are some; of a published
mA, which is of one run without counts, as far as its two recalls can be told.
"""

import numpy as np
import pandas as pd

from . import published


def binomial_error(confusion: np.ndarray) -> np.ndarray:
    """Standard error of an attribute's mA that comes from which images the test set holds.

    mA is the mean of the two classes' recalls, and each is a share of independent images:
    half the root of TPR (1 - TPR) / P + TNR (1 - TNR) / N.

    Parameters
    ----------
    confusion : array, (..., 2, 2)
        Counts ((tn, fp), (fn, tp)).

    Returns
    -------
    array, (...)
        Percentage points; NaN for a class without images.
    """
    confusion = np.asarray(confusion, dtype=float)
    images = confusion.sum(-1)  # (..., 2): negatives, positives
    with np.errstate(invalid="ignore"):
        wrong = confusion[..., (0, 1), (1, 0)] / images
        return 50 * np.sqrt((wrong * (1 - wrong) / images).sum(-1))


def bounds_of_mean(errors: pd.Series) -> tuple[float, float]:
    """Standard error of a mean over attributes: if they err independently, and at the very most.

    Attributes of one image are not independent, and confusion counts do not tell how they go
    together. The second number is reached when all err together; it holds whatever they do.
    """
    return float(np.sqrt((errors**2).sum()) / len(errors)), float(errors.mean())


def published_error(
    accuracy: pd.Series, level: pd.Series, images: int, split: str = "even"
) -> pd.Series:
    """`binomial_error` of a published mA, of which only the mean of the two recalls is known.

    Parameters
    ----------
    accuracy : Series
        mA of each attribute, %.
    level : Series
        Its imbalance level, %: the rarer class has 50 - level percent of the images. That is the
        training set's rate; the test set's is near it.
    images : int
        In the test set.
    split : {"even", "widest"}
        Both recalls equal mA, or the pair with this mean whose error is largest.
    """
    mean = accuracy / 100
    rare = (50 - level) / 100 * images
    often = images - rare
    recall = mean
    if split == "widest":  # where d/dr of r (1 - r) / rare + (2m - r) (1 - 2m + r) / often is 0
        recall = (1 / rare + (4 * mean - 1) / often) / (2 * (1 / rare + 1 / often))
        recall = recall.clip((2 * mean - 1).clip(lower=0), (2 * mean).clip(upper=1))
    elif split != "even":
        raise ValueError(f"split is 'even' or 'widest', got {split!r}")
    other = 2 * mean - recall
    return 50 * np.sqrt(recall * (1 - recall) / rare + other * (1 - other) / often)


def published_leads(images: int, method: str = "dcl") -> pd.DataFrame:
    """Table 2's lead of a method over the best other one, in each attribute.

    Returns
    -------
    DataFrame
        By attribute, balanced first: ``imbalance_level``, ``other``, ``lead``, and its standard
        error ``even`` and ``widest`` (`published_error`; test sets taken as independent).
    """
    table = published.table(2).sort_values("imbalance_level", kind="stable")
    others = table.drop(columns=["imbalance_level", method])
    leads = {"imbalance_level": table["imbalance_level"], "other": others.idxmax(axis=1)}
    leads["lead"] = table[method] - others.max(axis=1)
    return pd.DataFrame(leads | _errors(table, table[method], others.max(axis=1), images))


def published_verdicts(images: int, method: str = "dcl") -> pd.DataFrame:
    """In how many attributes of Table 2 a method is ahead of others by more than chance.

    Returns
    -------
    DataFrame
        By other method, and ``best other``: ``ahead`` and ``behind`` by more than 2 standard errors
        of the difference, ``within`` them, ``surely ahead``: by more than 2 of the ``widest`` even
        after the point that rounding to whole percent can make.
    """
    table = published.table(2)
    others = table.drop(columns=["imbalance_level", method])
    rows = {}
    for name, column in {**others, "best other": others.max(axis=1)}.items():
        lead = table[method] - column
        error = _errors(table, table[method], column, images)
        beyond = lead.abs() > 2 * error["even"]
        rows[name] = {
            "ahead": (beyond & (lead > 0)).sum(),
            "within": (~beyond).sum(),
            "behind": (beyond & (lead < 0)).sum(),
            "surely ahead": (lead - 1 > 2 * error["widest"]).sum(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def published_mean_lead(
    images: int, method: str = "dcl", other: str = "clmle"
) -> tuple[float, float, float]:
    """Lead in Table 2's printed averages, and `bounds_of_mean` of its standard error, points."""
    table, means = published.table(2), published.averages()
    error = pd.Series(_errors(table, table[method], table[other], images)["even"])
    return float(means[method] - means[other]), *bounds_of_mean(error)


def _errors(table: pd.DataFrame, one: pd.Series, other: pd.Series, images: int) -> dict:
    level = table["imbalance_level"]
    return {
        split: np.hypot(*(published_error(c, level, images, split) for c in (one, other)))
        for split in ("even", "widest")
    }
