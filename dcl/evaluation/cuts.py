"""The best threshold of one yes-or-no label, on its rows and on many bootstrap samples at once.

A *cut* lies between two neighbouring distinct scores; a row is decided positive where its score
exceeds it. N rows, M distinct scores, R samples; `weights` (rows of the table, R) says how often
each sample holds each row, a whole number as a float.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Z = 1.6448536269514722  # of a one-sided 95 % bound
ALL = -1.0  # a threshold that a probability of 0 exceeds, too
EQUAL = 1e-12  # values that differ by less are equal: the cut nearest to the prior is taken


class Ranked(NamedTuple):
    """Rows of one label from the highest score down, and the cuts between their scores."""

    rows: Tensor  # (N,) numbers of rows in the table
    positive: Tensor  # (N,) bool
    place: Tensor  # (N,) which distinct score, from 0, the highest
    starts: Tensor  # (M + 1,) the first row of each distinct score, and N
    cuts: Tensor  # (M + 1,) descending: cut k has the scores 0 ... k - 1 above it


def ranked(rows: Tensor, score: Tensor, positive: Tensor, scale: str) -> Ranked:
    """Rows (N,) that are sorted already, the highest of their scores (N,) first.

    Below every score and above it is one more cut: a step of 1 away for a ``logit``, half way to
    the end for a ``probability``.
    """
    different = score[1:] != score[:-1]
    place = F.pad(different.cumsum(0), (1, 0))
    starts = torch.cat([torch.zeros(1, dtype=torch.long), different.nonzero()[:, 0] + 1])
    distinct = score[starts]
    upper, lower = distinct[:-1], distinct[1:]
    middle = (upper + lower) / 2
    middle = torch.where((lower <= middle) & (middle < upper), middle, lower)  # neighbouring floats
    if scale == "logit":
        ends = distinct[:1] + 1, distinct[-1:] - 1
    else:
        last = distinct[-1:]
        ends = (distinct[:1] + 1) / 2, torch.where(last > 0, last / 2, ALL)
    starts = torch.cat([starts, torch.tensor([len(rows)])])
    return Ranked(rows, positive, place, starts, torch.cat([ends[0], middle, ends[1]]))


def sums(rows: Tensor, bag: Tensor, bags: int, weights: Tensor) -> Tensor:
    """Weight (bags, R) of the rows in each bag; `bag` (N,) says which one a row is in."""
    order = bag.argsort(stable=True)
    offsets = F.pad(torch.bincount(bag, minlength=bags).cumsum(0)[:-1], (1, 0))
    return F.embedding_bag(rows[order], weights, offsets, mode="sum")


class Swept(NamedTuple):
    """What lies above the cuts that can be best, J of them, in each sample."""

    tried: Tensor  # (J,) cuts, ascending from 0
    hits: Tensor  # (R, J) weight of the positives above, float64
    false: Tensor  # (R, J) and of the negatives


def sweep(of: Ranked, weights: Tensor) -> Swept:
    """Count what lies above each cut that can be better than all others.

    Those are the two ends, and cuts with a positive row directly above and a negative one directly
    below. If a sample lacks the rows next to a cut, that cut and its neighbour decide alike.
    """
    last = len(of.cuts) - 1
    has = torch.zeros(2, last, dtype=torch.bool)
    has[0, of.place[of.positive]] = True
    has[1, of.place[~of.positive]] = True
    inner = (has[0, :-1] & has[1, 1:]).nonzero()[:, 0] + 1
    tried = torch.cat([torch.tensor([0]), inner, torch.tensor([last])])
    size = len(tried) - 1
    bag = torch.searchsorted(tried, of.place, right=True) - 1 + size * ~of.positive
    parts = sums(of.rows, bag, 2 * size, weights)
    above = torch.zeros(2, weights.shape[1], size + 1, dtype=torch.float64)
    above[..., 1:] = parts.unflatten(0, (2, size)).transpose(1, 2)
    above.cumsum_(2)
    return Swept(tried, *above)


def best(
    of: Ranked, weights: Tensor, swept: Swept, prior: Tensor, metric: str
) -> tuple[Tensor, Tensor]:
    """The best cut of each sample: prior's thresholds (R,) -> cuts (R,), values (R,).

    Among equals the cut nearest to the prior's threshold, then the higher. A sample in which the
    metric is undefined (mA without positives or negatives, F1 without positives) stays at the
    prior's, with a value of NaN.
    """
    hits, false = swept.hits, swept.false
    values = value(hits, false, hits[:, -1:], false[:, -1:], metric)  # (R, J)
    most = values.amax(1)
    sample, which = (values >= most[:, None] - EQUAL).nonzero().T  # (T,) equals
    low, high = _equal_cuts(of, weights, swept.tried[which], sample)
    cut = _nearest(of.cuts, prior)[sample].clamp(low, high)
    away = (of.cuts[cut] - prior[sample]).abs()
    nearest = torch.full_like(most, torch.inf).scatter_reduce(0, sample, away, "amin")
    last = len(of.cuts) - 1
    cut = cut.where(away == nearest[sample], last)
    cut = torch.full(most.shape, last).scatter_reduce(0, sample, cut, "amin")
    return of.cuts[cut].where(most.isfinite(), prior), most


def value(hits: Tensor, false: Tensor, positives: Tensor, negatives: Tensor, metric: str) -> Tensor:
    """mA (Eq. 12) or F1 of decisions; 0/0, NaN, without the samples that it needs."""
    if metric == "f1":
        return 2 * hits / (hits + false + positives)
    return (hits / positives + 1 - false / negatives) / 2  # 0/0 is NaN


def recalling(of: Ranked, weights: Tensor, trials: Tensor, target: float) -> Tensor:
    """The highest cut (R,) whose recall is at least the target, by its lower bound; NaN for none.

    `trials` (N,) bool marks one positive row of each group.
    """
    there, bag = of.place[of.positive].unique(return_inverse=True)
    if not len(there):
        return torch.full((weights.shape[1],), torch.nan, dtype=torch.float64)
    hits = _from_the_top(of.rows[of.positive], bag, len(there), weights)  # (R, J)
    positives, groups = hits[:, -1].double(), weights[of.rows[trials]].sum(0).double()
    none = torch.full_like(positives, -1)
    enough = _bisect(none, positives, lambda h: lower_bound(h / positives, groups) >= target)
    which = torch.searchsorted(hits, enough[:, None].float())[:, 0]
    able = lower_bound(enough / positives, groups) >= target
    return of.cuts[there[which.clamp(max=len(there) - 1)] + 1].where(able, torch.nan)


def precise(
    of: Ranked, weights: Tensor, swept: Swept, trials: Tensor | None, target: float
) -> Tensor:
    """The lowest cut (R,) whose precision is at least the target, by its lower bound; or NaN.

    `trials` (N,) bool marks the first row of each group; without groups None: then one more
    negative lowers the bound, and the lowest cut follows the last of a sweep that reaches it.
    """
    last = len(of.cuts) - 1
    if trials is None:
        above = swept.hits + swept.false
        reached = lower_bound(swept.hits / above, above) >= target
        which = reached.shape[1] - 1 - reached.flip(1).int().argmax(1, keepdim=True)
        hits, few = swept.hits.gather(1, which)[:, 0], swept.false.gather(1, which)[:, 0]
        many = _bisect(  # negatives that may follow, until the bound is below the target
            few,
            swept.false[:, -1] + 1,
            lambda f: ~(lower_bound(hits / (hits + f), hits + f) >= target),
        )
        rows, place = of.rows[~of.positive], of.place[~of.positive]
        false = _from_the_top(rows, place, last, weights)  # (R, M)
        cut = torch.searchsorted(false, many[:, None].float())[:, 0]
    else:
        hits, false = (
            _from_the_top(of.rows[kind], of.place[kind], last, weights)
            for kind in (of.positive, ~of.positive)
        )  # (R, M)
        able = (
            (hits >= target * (hits + false)).any(0).nonzero()[:, 0]
        )  # a bound is below the share
        end = int(able[-1]) + 1 if len(able) else 1
        groups = _from_the_top(of.rows[trials], of.place[trials], last, weights)[:, :end].double()
        hits, false = hits[:, :end].double(), false[:, :end].double()
        reached = lower_bound(hits / (hits + false), groups) >= target
        cut = end - reached.flip(1).int().argmax(1)
    return of.cuts[cut].where(reached.any(1), torch.nan)


def _bisect(not_yet: Tensor, holds: Tensor, test: Callable[[Tensor], Tensor]) -> Tensor:
    """The smallest whole number (R,) for which a test holds, as it does from there on."""
    while bool((holds - not_yet > 1).any()):
        middle = ((not_yet + holds) / 2).floor()
        true = test(middle)
        holds, not_yet = torch.where(true, middle, holds), torch.where(true, not_yet, middle)
    return holds


def _from_the_top(rows: Tensor, bag: Tensor, bags: int, weights: Tensor) -> Tensor:
    """Weight (R, bags) of the rows in each bag and those before it."""
    return sums(rows, bag, bags, weights).T.contiguous().cumsum_(1)


def lower_bound(share: Tensor, trials: Tensor) -> Tensor:
    """Wilson's (1927) one-sided 95 % bound of a share of some trials; -inf without a trial."""
    root = (share * (1 - share) / trials + Z * Z / (4 * trials * trials)).sqrt()
    bound = (share + Z * Z / (2 * trials) - Z * root) / (1 + Z * Z / trials)
    return bound.masked_fill(trials == 0, -torch.inf)  # NaN where there is no share


def decided(
    rows: Tensor, score: Tensor, positive: Tensor, weights: Tensor, thresholds: Tensor
) -> Tensor:
    """TP, FP, P, N (4, R, D) of thresholds (R, D), on rows (N,) sorted as for `ranked`."""
    above = torch.searchsorted(score.flip(0), thresholds.nan_to_num(), right=True)
    places, inverse = (len(score) - above).unique(return_inverse=True)  # (U,) so many are above
    size = len(places) + 1
    bag = torch.searchsorted(places, torch.arange(len(score)), right=True) + size * ~positive
    parts = sums(rows, bag, 2 * size, weights).unflatten(0, (2, size)).double().cumsum(1)
    sample = torch.arange(len(thresholds))[:, None]
    cells = torch.cat(
        [parts[:, inverse, sample], parts[:, -1, :, None].expand(-1, -1, above.shape[1])]
    )
    return cells.masked_fill(thresholds.isnan(), torch.nan)


def _nearest(cuts: Tensor, prior: Tensor) -> Tensor:
    """Which of the descending cuts is nearest to each prior's threshold (R,)."""
    below = torch.searchsorted(-cuts, -prior).clamp(1, len(cuts) - 1)
    return below - ((cuts[below - 1] - prior).abs() <= (cuts[below] - prior).abs()).long()


def _equal_cuts(of: Ranked, weights: Tensor, cut: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last cut (T,) that decide a sample's rows as a cut (T,) does."""
    size, start = len(of.rows), of.starts[cut]
    after = _next_held(of.rows, weights, start, sample)
    before = _next_held(of.rows.flip(0), weights, size - start, sample)
    place = F.pad(of.place, (0, 1), value=len(of.cuts) - 1)
    return F.pad(of.place, (1, 0), value=-1)[size - before] + 1, place[after]


def _next_held(rows: Tensor, weights: Tensor, start: Tensor, sample: Tensor) -> Tensor:
    """The first place (T,) from `start` on whose row a sample holds; N where there is none."""
    found, left, width = start.clone(), torch.arange(len(start)), 16
    while len(left):
        place = found[left, None] + torch.arange(width)
        held = weights[rows[place.clamp(max=len(rows) - 1)], sample[left, None]] > 0
        held |= place >= len(rows)
        there = held.any(1)
        found[left] += torch.where(there, held.int().argmax(1), width)
        left, width = left[~there], 2 * width
    return found.clamp(max=len(rows))
