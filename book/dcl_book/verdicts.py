"""When a finding bears a claim out: one rule for all claims, and what chance says beside it."""

from typing import Any

import numpy as np

from .finding import Finding

MARGIN = {"points": 0.5, "rank correlation": 0.1}  # within it two methods are equivalent
SEEDS = 5  # that `reproduced` needs
EPOCHS = 300  # of the paper
RUN_OUT = 0.5  # a schedule that ends above it has not run out: its target is no balanced one
TOLD = ("reproduced", "partly", "no difference", "not", "undecided")  # of runs that can tell
BARRED = ("other data", "not testable at this length", "collapsed: not shown")
VERDICTS = (*TOLD, *BARRED, "not tried", "see its page")
FREE = "does as much"  # of a moved threshold, beside a method that is not ahead of it
WORDS = {"not": "not borne out", "see its page": "shown elsewhere"}  # where a reader meets them
RULE = f"""\
* **reproduced**: on the claim's own data set, all of its images and at least the paper's {EPOCHS}
  epochs, with {SEEDS} seeds or more, the *whole* 95 % interval lies within half of the claimed
  effect of the paper's number. So its half-width is at most half of the effect, it lies on the
  claim's side of zero, and a wider one never earns it; a claim without a number cannot;
* **partly**: the interval lies on the claim's side of zero, but under other circumstances or by
  another amount;
* **no difference**: it lies within ±{MARGIN["points"]} points of zero
  (±{MARGIN["rank correlation"]} for a rank correlation): that we take as equivalent;
* **not borne out**: it lies on the other side of zero;
* **undecided**: it holds zero, or there is one seed only;
* **other data**: our runs are on other data than the claim is about;
* **not testable at this length**: a schedule that is compared ends above g = {RUN_OUT}: it did
  not run out, so its target is far from balance;
* **collapsed: not shown**: the runs of a compared method ended with all features in one point;
* **not tried**: there is no record;
* **shown elsewhere**: no difference of two rows, but an identity or a picture, on its own page."""


def verdict(
    finding: Finding,
    *,
    sign: int,
    published: float,
    like: bool,
    margin: float = MARGIN["points"],
    barred: str = "",
) -> str:
    """Whether a finding bears a claim out.

    Parameters
    ----------
    finding : Finding
    sign : {1, -1}
        Side of zero that the claim is on.
    published : float
        The paper's number; NaN where it prints none.
    like : bool
        Whether every run is `as_in_the_paper`.
    margin : float
        Within it of zero there is no difference; in the finding's unit.
    barred : str
        Why the runs can tell nothing of the claim, one of `BARRED`; empty if they can.

    Returns
    -------
    str
        One of `VERDICTS`, by `RULE`.

    Examples
    --------
    >>> verdict(Finding(7.0, 1.5, 5), sign=1, published=7.9, like=True)
    'reproduced'
    >>> verdict(Finding(7.0, 3.5, 5), sign=1, published=7.9, like=True)  # too wide
    'partly'
    >>> verdict(Finding(7.0, 1.5, 5), sign=1, published=7.9, like=False)
    'partly'
    >>> verdict(Finding(0.1, 0.3, 5), sign=1, published=7.9, like=True)
    'no difference'
    """
    if barred:
        return barred
    if not finding.n:
        return "not tried"
    if finding.n == 1:
        return "undecided"
    within = max(abs(finding.low - published), abs(finding.high - published)) <= abs(published) / 2
    if like and finding.n >= SEEDS and within:  # NaN, where there is no number, is not within
        return "reproduced"
    if -margin <= finding.low and finding.high <= margin:
        return "no difference"
    if finding.low <= 0 <= finding.high:
        return "undecided"
    return "partly" if sign * finding.mean > 0 else "not"


def margin_of(unit: str) -> float:
    """The margin of equivalence of a claim's unit."""
    return MARGIN.get(unit, MARGIN["points"])


def as_in_the_paper(record: dict[str, Any], dataset: str) -> bool:
    """Whether a run saw all images of every split of the data set, for the paper's epochs."""
    data = record["dataset"]
    found, expected = data["found"], data["expected"]
    # a validation split of ours is a part of the training images, as of CIFAR-100's 50,000
    sizes = (sum(found.values()), found.get("test")), (sum(expected.values()), expected.get("test"))
    return data["name"] == dataset and sizes[0] == sizes[1] and record["config"]["epochs"] >= EPOCHS


def chances(finding: Finding, margin: float, sign: int = 1) -> tuple[float, float, float]:
    """Probabilities, from the paired t: as claimed by more than the margin, within it, opposite.

    NaN for one seed.

    Examples
    --------
    >>> [round(p, 2) for p in chances(Finding(0.5, 0.5, 5), 0.5)]
    [0.5, 0.5, 0.0]
    """
    below, above = finding.below(-margin), 1 - finding.below(margin)
    claimed, opposite = (above, below) if sign > 0 else (below, above)
    return claimed, 1 - below - above, opposite


def free_threshold(difference: Finding, margin: float, sign: int = 1) -> str:
    """Whether a moved threshold, which trains nothing, does what a method does.

    Parameters
    ----------
    difference : Finding
        The method's measure minus the moved threshold's, paired over seeds.
    margin : float
    sign : {1, -1}
        Side of zero that the claim is on.

    Examples
    --------
    >>> free_threshold(Finding(-4.0, 1.0, 3), 0.5)
    'does as much'
    >>> free_threshold(Finding(4.0, 1.0, 3), 0.5)
    'does less'
    """
    if difference.n < 2:
        return ""
    low, high = sorted((sign * difference.low, sign * difference.high))
    if high <= margin:
        return FREE
    return "does less" if low > 0 else "not told apart"


def holm(p: np.ndarray) -> np.ndarray:
    """p-values adjusted by Holm: below 0.05 with at most a 5 % chance of even one false alarm."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
