"""When a finding bears a claim out: one rule for all claims, and what chance says beside it."""

from typing import Any

import numpy as np

from .finding import Finding

MARGIN = {"points": 0.5, "rank correlation": 0.1}  # within it two methods are equivalent
SEEDS = 5  # that `reproduced` needs
EPOCHS = 300  # of the paper
RUN_OUT = 0.5  # a schedule that ends above it has not run out: its target is no balanced one
TOLD = (  # of runs that can tell
    *("reproduced", "agrees", "same direction", "no difference", "not seen", "undecided"),
    *("slightly opposite", "opposite"),
)
BARRED = (
    *("weak rival", "not comparable", "other data", "not testable at this length"),
    "collapsed: not shown",
)
VERDICTS = (*TOLD, *BARRED, "not tried", "see its page")
FREE = "does as much"  # of a moved threshold, beside a method that is not ahead of it
WORDS = {"see its page": "shown elsewhere"}  # where a reader meets it
RULE = f"""\
We ask each 95 % interval two questions: does it exclude zero, and does it exclude the paper's
number? The verdict follows from both answers.

* It excludes zero on the claim's side: **agrees** if it holds the paper's number, **same
  direction** if it does not or the paper prints none.
* It holds zero: **not seen** if it excludes the paper's number, **undecided** if it holds that too
  or the paper prints none.
* It excludes zero on the other side: **slightly opposite** if its mean is within
  {MARGIN["points"]} points of zero, **opposite** if not.

Two verdicts go before these. **Reproduced**: all images of the claim's own data set, at least the
paper's {EPOCHS} epochs, {SEEDS} seeds or more, and no point of the interval farther from the
paper's number than half the claimed effect. **No difference**: the whole interval within
±{MARGIN["points"]} points of zero (±{MARGIN["rank correlation"]} for a rank correlation). One seed
decides nothing.

Some runs cannot answer:

* **weak rival**: DCL leads a method that beats cross entropy in the paper but not in our runs: that
  lead says little;
* **not comparable**: our setting is too far from the paper's to compare any number with it;
* **other data**: we have no runs on the claim's data set, and show runs on another;
* **not testable at this length**: a schedule that is compared ends above g = {RUN_OUT}, far from
  balance;
* **collapsed: not shown**: the runs of a compared method ended with all features in one point;
* **not tried**: there is no record;
* **shown elsewhere**: an identity or a picture, on its own page."""


def zero_excluded(finding: Finding, sign: int) -> str:
    """Whether the interval excludes zero: ``claimed`` or ``other`` (side), ``no``, or empty.

    Examples
    --------
    >>> zero_excluded(Finding(7.0, 0.6, 5), 1), zero_excluded(Finding(0.1, 0.6, 5), 1)
    ('claimed', 'no')
    """
    if finding.n < 2:
        return ""
    if finding.low <= 0 <= finding.high:
        return "no"
    return "claimed" if sign * finding.mean > 0 else "other"


def paper_excluded(finding: Finding, published: float) -> str:
    """Whether the interval excludes the paper's number: ``above``, ``below``, ``no``, or empty.

    Examples
    --------
    >>> paper_excluded(Finding(-0.1, 0.5, 5), 3.12)
    'below'
    """
    if finding.n < 2 or published != published:
        return ""
    if finding.low <= published <= finding.high:
        return "no"
    return "below" if finding.high < published else "above"


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
    >>> verdict(Finding(7.0, 1.5, 5), sign=1, published=7.9, like=False)  # another setting
    'agrees'
    >>> verdict(Finding(7.0, 0.5, 5), sign=1, published=7.9, like=False)
    'same direction'
    >>> verdict(Finding(-0.1, 0.6, 5), sign=1, published=3.1, like=False)
    'not seen'
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
    side, number = zero_excluded(finding, sign), paper_excluded(finding, published)
    if side == "claimed":
        return "agrees" if number == "no" else "same direction"
    if side == "other":
        return "slightly opposite" if abs(finding.mean) <= margin else "opposite"
    return "not seen" if number in ("above", "below") else "undecided"


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
    return "does less" if low > 0 else "cannot be distinguished"


def holm(p: np.ndarray) -> np.ndarray:
    """p-values adjusted by Holm: below 0.05 with at most a 5 % chance of even one false alarm.

    What was not tested, NaN, stays NaN and does not count among the tests.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN is last
    steps = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    adjusted = np.full_like(p, np.nan)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
