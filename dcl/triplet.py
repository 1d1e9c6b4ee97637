"""Triplet loss with easy anchors, TEA (Eq. 9), and with all anchors as in CRL (Eq. 8).

The minority classes that a batch has for an attribute take S slots. Mining picks up to K samples a
slot by score and carries no gradient. Distances are computed between mined samples alone, and the
hinges of all anchor x positive x negative triples are summed from sorted distances: nothing of
size B^2 or K^3 is made.
"""

from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import (
    UNKNOWN,
    at_least_float32,
    check_labels,
    check_logits,
    check_tensors,
    choose,
    number,
    whole,
    with_attributes,
)
from .sampling import count_classes

ANCHORS = ("easy", "all")
REDUCTIONS = ("all", "active")


class Mined(NamedTuple):
    """Samples of one role, mined for each attribute and slot."""

    index: Tensor  # (A, S, K) into the batch
    valid: Tensor  # (A, S, K) False where there were fewer candidates than K


class TripletTerms(NamedTuple):
    """The triplet loss of each attribute, before the sum over attributes."""

    loss: Tensor  # (A,)
    triples: Tensor  # (A,) number of valid triples, |T| of Eq. 9
    active: Tensor  # (A,) those with a positive hinge


def triplet_loss(features: Tensor, logits: Tensor, labels: Tensor, **options) -> Tensor:
    """Triplet loss with easy anchors (Eq. 9), summed over attributes.

    For each minority class of the batch, the most confident of its correctly predicted samples
    (easy anchors) pull its least confident samples (hard positives) and push the samples of other
    classes that look most like it (hard negatives).

    Parameters
    ----------
    features : Tensor (B, A, D), floating
        Features of each attribute's branch; the loss's gradient reaches these alone.
    logits : Tensor (B, A, C), floating
        Scores to mine by.
    labels : Tensor (B, A), integer
        Classes in [0, C), or -1 where unknown: such a sample plays no role for that attribute. For
        one attribute labels (B,) will do, with logits (B, C) and features (B, D).
    k : int, default 25
        Most easy anchors, hard positives and hard negatives of a class each (paper 4.3.1).
    margin : float, default 0.2
        m_j of Eq. 9, the same for every class (paper 4.3.1).
    anchors : {"easy", "all"}
        ``all``: every minority sample is an anchor, CRL's loss (Eq. 8).
    normalise : bool, default True
        L2-normalise the features first.
    squared : bool, default False
        Squared Euclidean distance instead of the distance.
    reduction : {"all", "active"}
        Mean over all valid triples (T of Eq. 9), or over those with a positive hinge.
    rho : float, default 0.5
        Largest share of the batch's known samples that minority classes hold together, in (0, 1);
        CRL's rule.

    Returns
    -------
    Tensor, scalar
        0 with a graph where no triple can be formed.

    Raises
    ------
    ValueError
        For shapes that do not fit and options out of range.

    Examples
    --------
    One minority sample of two lies far from its easy anchor, among the majority.

    >>> features = torch.tensor([[1.0, 0], [0, 1], [0, 1], [0, 1], [0, 1]]).unsqueeze(1)
    >>> logits = torch.tensor([[0.0, 4], [1, 0], [4, 0], [4, 0], [4, 0]]).unsqueeze(1)
    >>> labels = torch.tensor([[1], [1], [0], [0], [0]])
    >>> triplet_loss(features, logits, labels)  # the margin: positive as far as the negatives
    tensor(0.2000)
    """
    return triplet_terms(features, logits, labels, **options).loss.sum()


def triplet_terms(
    features: Tensor,
    logits: Tensor,
    labels: Tensor,
    *,
    k: Annotated[int, "easy anchors, hard positives, hard negatives (paper 4.3.1)"] = 25,
    margin: Annotated[float, "triplet margin (paper 4.3.1)"] = 0.2,
    anchors: Annotated[str, "triplet anchors: easy Eq. 9, all Eq. 8"] = "easy",
    normalise: Annotated[bool, "L2-normalise features in the triplet loss (ours)"] = True,
    squared: Annotated[bool, "squared distance in the triplet loss (ours)"] = False,
    reduction: Annotated[str, "triples that the mean is over: all (Eq. 9) or active"] = "all",
    rho: float = 0.5,
) -> TripletTerms:
    """The terms of `dcl.triplet_loss`, which says what the arguments are, for each attribute."""
    check_triplet_options(k=k, margin=margin, anchors=anchors, reduction=reduction, rho=rho)
    k, margin = int(k), float(margin)  # NumPy's scalars become Python's
    check_tensors(features=features)
    logits, features, labels = with_attributes(logits, features, labels)
    check_logits(logits, labels)
    check_labels(labels, *logits.shape[1:])
    if features.ndim != 3 or features.shape[:2] != labels.shape:
        raise ValueError(
            f"features must be (batch, attributes, width) with labels (batch, attributes), got "
            f"shapes {tuple(features.shape)} and {tuple(labels.shape)}"
        )
    if not features.is_floating_point():
        raise ValueError(f"features must be floating point, got dtype {features.dtype}")
    anchor, positive, negative = mined = mine(logits, labels, k=k, anchors=anchors, rho=rho)
    sizes = [role.index.shape[2] for role in mined]
    picked = _pick(features, *(torch.cat(x, 2) for x in zip(*mined, strict=True)), normalise)
    a, p, n = picked.split(sizes, 2)
    # (A, S, Ka, D) x (A, S, K + K, D) -> (A, S, Ka, K + K); by differences, so exact near 0
    d = torch.cdist(a, torch.cat([p, n], 2), compute_mode="donot_use_mm_for_euclid_dist")
    pull, push = (d.square() if squared else d).split(sizes[1:], 3)
    pairs = anchor.valid.unsqueeze(-1) & positive.valid.unsqueeze(-2)  # (A, S, Ka, K)
    pairs &= anchor.index.unsqueeze(-1) != positive.index.unsqueeze(-2)  # not with itself
    hinge, active = _sum_of_hinges(margin + pull, pairs, push, negative.valid)
    triples = (pairs.sum((2, 3)) * negative.valid.sum(2)).sum(1)  # (A,)
    active = active.sum((1, 2, 3))
    size = triples if reduction == "all" else active
    return TripletTerms(hinge.sum((1, 2, 3)) / size.clamp(min=1), triples, active)  # Eq. 8, 9


def check_triplet_options(*, k: int, margin: float, anchors: str, reduction: str, rho: float):
    """Raise a ValueError that names the option out of range."""
    whole("k", k, 1)
    number("margin", margin)
    number("rho", rho, 0, 1, ends=False)
    choose("anchors", anchors, ANCHORS)
    choose("reduction", reduction, REDUCTIONS)


@torch.no_grad()
def mine(
    logits: Tensor, labels: Tensor, *, k: int = 25, anchors: str = "easy", rho: float = 0.5
) -> tuple[Mined, Mined, Mined]:
    """Anchors, hard positives and hard negatives of each minority class (Section 3.3).

    Arguments are those of `dcl.triplet_loss`. Ties go to the lower sample index. A logit of -inf
    is a probability of 0; a sample with NaN logits ranks last of the candidates.

    Returns
    -------
    anchor, positive, negative : Mined
        Each with `index` and `valid` of shape (A, S, K): K at most `k`, but for ``anchors="all"``,
        where it is the largest number of minority samples that a batch of this size can hold.
    """
    batch, _, classes = logits.shape
    labels = labels.T.long()  # (A, B)
    known = labels != UNKNOWN
    counts = count_classes(labels.T, classes)  # of the known ones
    slot, taken = minority_classes(counts, batch, rho=rho)  # (A, S)
    score = at_least_float32(logits).permute(1, 2, 0).contiguous().log_softmax(1)  # (A, C, B)
    score = score.gather(1, slot.unsqueeze(-1).expand(-1, -1, batch))  # (A, S, B) of the class
    own = (labels.unsqueeze(1) == slot.unsqueeze(-1)) & taken.unsqueeze(-1)
    other = ~own & taken.unsqueeze(-1) & known.unsqueeze(1)
    correct = (logits.argmax(2).T == labels).unsqueeze(1)  # predicted c, as own is of class c
    most = int(rho * batch)  # minority samples in a batch, so slots of two or more at most half
    return (
        _best(score, own & correct, min(k, most)) if anchors == "easy" else _best(score, own, most),
        _best(-score, own, min(k, most)),
        _best(score, other, min(k, batch)),
    )


def minority_classes(counts: Tensor, batch: int, *, rho: float = 0.5) -> tuple[Tensor, Tensor]:
    """Minority classes of a batch, by CRL's rule (Dong et al. 2018).

    Classes in ascending batch count, ties to the lower index and absent ones skipped, as long as
    their counts sum to at most rho of the known samples; of these, the ones with two or more.

    Parameters
    ----------
    counts : Tensor (A, C)
        Samples of each class in the batch, from `dcl.count_classes`: the known ones.
    batch : int
        B, the batch size.
    rho : float
        Largest share of the known samples that the minority classes hold together, in (0, 1).

    Returns
    -------
    classes, taken : Tensor (A, S)
        Class of each slot, and whether the slot is taken. S, the most slots that any batch of this
        size can take, depends on shapes alone.

    Examples
    --------
    >>> minority_classes(torch.tensor([[5, 2, 0, 3]]), 10)
    (tensor([[1, 3]]), tensor([[True, True]]))
    """
    ascending, order = counts.sort(stable=True, dim=1)  # absent classes first: they add 0
    below = ascending.cumsum(1)  # its last column: the known samples
    taken = (below <= rho * below[:, -1:].double()) & (ascending >= 2)  # (A, C)
    slots = min(counts.shape[1] - 1, int(rho * batch) // 2)  # all C together hold more than rho
    first = taken.logical_not().to(torch.uint8).argsort(dim=1, stable=True)[:, :slots]
    return order.gather(1, first), taken.gather(1, first)


def _best(score: Tensor, candidates: Tensor, k: int) -> Mined:
    """The k candidates of highest score along the last axis, fewer where there are fewer."""
    lowest = torch.finfo(score.dtype).min  # of a candidate; all others are lower still
    score = score.nan_to_num(lowest, neginf=lowest).masked_fill(~candidates, -torch.inf)
    if score.dtype == torch.float32:  # three times faster than a sort
        bits = (score + 0.0).view(torch.int32)  # + 0.0: -0.0 and 0.0 tie
        bits = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # integers in the order of the floats
        place = torch.arange(score.shape[-1], device=score.device)
        index = ((bits.long() << 32) | (0xFFFFFFFF - place)).topk(k).indices  # keys are unique
    else:
        index = score.argsort(dim=-1, descending=True, stable=True)[..., :k]
    rank = torch.arange(k, device=score.device)
    return Mined(index, rank < candidates.sum(-1, keepdim=True))


def _pick(features: Tensor, index: Tensor, valid: Tensor, normalise: bool) -> Tensor:
    """Features (B, A, D) of the mined samples (A, S, K) -> (A, S, K, D); 0 for an invalid one."""
    attribute = torch.arange(index.shape[0], device=index.device)[:, None, None]
    rows = (index * len(index) + attribute).flatten()  # of the features laid out as (B A, D)
    picked = features.flatten(0, 1).index_select(0, rows).unflatten(0, index.shape)
    picked = at_least_float32(picked).masked_fill(~valid.unsqueeze(-1), 0)  # where NaN is no matter
    return F.normalize(picked, dim=-1, eps=1e-12) if normalise else picked


def _sum_of_hinges(
    pull: Tensor, pairs: Tensor, push: Tensor, negatives: Tensor
) -> tuple[Tensor, Tensor]:
    """Sum over negatives of max(0, pull - push), and how many of them are positive.

    `pull` (A, S, Ka, K) holds margin + d(anchor, positive), where `pairs` is True; `push`
    (A, S, Ka, K) holds d(anchor, negative), where `negatives` (A, S, K) is True. With the push
    distances v sorted, the c of them below u contribute c u - (v_1 + ... + v_c): K log K in place
    of K^2 for each anchor. Returns two tensors of pull's shape.
    """
    blank = ~negatives.unsqueeze(-2)
    v = push.masked_fill(blank, torch.inf).sort(-1).values
    below = torch.searchsorted(v.detach(), pull.detach().contiguous()).masked_fill(~pairs, 0)
    sums = F.pad(v.masked_fill(v.isinf(), 0).cumsum(-1), (1, 0))  # v_1 + ... + v_c for c = 0 ... K
    return below * pull - sums.gather(-1, below), below
