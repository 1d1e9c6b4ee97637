"""Triplet loss with easy anchors, TEA (Eq. 9), and with all anchors as in CRL (Eq. 8).

`dcl.reference` has the same loss as a plain loop. How the sum over all triples is computed without
making the triples is explained at `_hinges`.
"""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .checks import (
    check_features,
    check_labels,
    check_logits,
    check_tensors,
    choose,
    flag,
    number,
    signed,
    whole,
    with_attributes,
)
from .mining import ANCHORS, mine

REDUCTIONS = ("all", "active")
SHORTEST = 1e-12  # length of a feature that it is divided by at least
TRIPLES = 2**20  # up to so many triples are compared one by one

Count = Annotated[int, "easy anchors, hard positives, hard negatives (paper 4.3.1)"]
Margin = Annotated[float, "triplet margin (paper 4.3.1)"]
Anchors = Annotated[str, "triplet anchors: easy Eq. 9, all Eq. 8"]
Normalise = Annotated[bool, "L2-normalise features in the triplet loss (ours)"]
Squared = Annotated[bool, "squared distance in the triplet loss (ours)"]
Reduction = Annotated[str, "triples that the mean is over: all (Eq. 9) or active"]


@dataclass(frozen=True, kw_only=True)
class TripletOptions:
    """Options of the triplet loss, as of `triplet_loss`: their defaults and limits."""

    k: Count = 25  # paper 4.3.1
    margin: Margin = 0.2  # paper 4.3.1
    anchors: Anchors = "easy"
    normalise: Normalise = True
    squared: Squared = False
    reduction: Reduction = "all"
    rho: float = 0.5  # CRL's rule

    def __post_init__(self):
        whole("k", self.k, 1)
        number("margin", self.margin)
        number("rho", self.rho, 0, 1, ends="()")
        choose("anchors", self.anchors, ANCHORS)
        choose("reduction", self.reduction, REDUCTIONS)
        object.__setattr__(self, "k", int(self.k))  # NumPy's scalars become Python's
        object.__setattr__(self, "margin", float(self.margin))
        for name in ("normalise", "squared"):
            object.__setattr__(self, name, flag(name, getattr(self, name)))


DEFAULT = TripletOptions()


class TripletTerms(NamedTuple):
    """Triplet loss of each attribute, before the sum over attributes."""

    loss: Tensor  # (A,)
    triples: Tensor  # (A,) number of valid triples, |T| of Eq. 9
    active: Tensor  # (A,) number of triples with a positive hinge


def triplet_loss(
    features: Tensor,
    logits: Tensor,
    labels: Tensor,
    *,
    k: Count = DEFAULT.k,
    margin: Margin = DEFAULT.margin,
    anchors: Anchors = DEFAULT.anchors,
    normalise: Normalise = DEFAULT.normalise,
    squared: Squared = DEFAULT.squared,
    reduction: Reduction = DEFAULT.reduction,
    rho: float = DEFAULT.rho,
) -> Tensor:
    """Triplet loss with easy anchors (Eq. 9), summed over attributes.

    For each minority class of the batch, the most confident of its correctly predicted samples
    (easy anchors) pull its least confident samples (hard positives) and push away the most similar
    samples of other classes (hard negatives).

    The features, of which this is a loss, come first here; `DCLLoss` takes the logits first.

    Parameters
    ----------
    features : Tensor (B, A, D), floating
        Features of each attribute's branch. Only these get a gradient.
    logits : Tensor (B, A, C), floating
        Scores to mine by.
    labels : Tensor (B, A), integer
        Classes in [0, C), or -1 where unknown: such a sample is in no triple of that attribute. A
        single attribute may leave out its axis: labels (B,), logits (B, C), features (B, D).
    k : int
        Number of easy anchors, of hard positives and of hard negatives of a class, at most (paper
        4.3.1).
    margin : float
        m_j of Eq. 9, the same for every class (paper 4.3.1).
    anchors : {"easy", "all"}
        ``all``: every minority sample is an anchor, CRL's loss (Eq. 8).
    normalise : bool
        L2-normalise the features first.
    squared : bool
        Squared Euclidean distance instead of the distance.
    reduction : {"all", "active"}
        Mean over all valid triples (T of Eq. 9), or over those with a positive hinge.
    rho : float
        Largest total share of the minority classes among the known samples, in (0, 1): CRL's rule.

    Returns
    -------
    Tensor, scalar
        0 with a graph if no triple can be formed; float32 for features of half precision.

    Raises
    ------
    ValueError
        For mismatched shapes and options out of range.

    Examples
    --------
    One minority sample of two lies far from its easy anchor, among the majority.

    >>> features = torch.tensor([[1.0, 0], [0, 1], [0, 1], [0, 1], [0, 1]]).unsqueeze(1)
    >>> logits = torch.tensor([[0.0, 4], [1, 0], [4, 0], [4, 0], [4, 0]]).unsqueeze(1)
    >>> labels = torch.tensor([[1], [1], [0], [0], [0]])
    >>> triplet_loss(features, logits, labels)  # the margin: positive as far as the negatives
    tensor(0.2000)
    """
    options = TripletOptions(
        k=k,
        margin=margin,
        anchors=anchors,
        normalise=normalise,
        squared=squared,
        reduction=reduction,
        rho=rho,
    )
    return triplet_terms(features, logits, labels, options).loss.sum()


def triplet_terms(
    features: Tensor, logits: Tensor, labels: Tensor, options: TripletOptions = DEFAULT
) -> TripletTerms:
    """Loss and number of triples of each attribute; tensors as of `triplet_loss`."""
    check_tensors(features=features)
    logits, features, labels = with_attributes(logits, features, labels)
    labels = signed(labels)
    check_logits(logits, labels)
    check_labels(labels, *logits.shape[1:])
    return mined_terms(features, logits, labels, options)


def mined_terms(
    features: Tensor, logits: Tensor, labels: Tensor, options: TripletOptions
) -> TripletTerms:
    """`triplet_terms` of logits and labels that are checked."""
    check_tensors(features=features)
    check_features(features, labels)
    mined = mine(logits, labels, k=options.k, anchors=options.anchors, rho=options.rho)
    anchor, positive, negative = mined
    pairs = anchor.valid.unsqueeze(-1) & positive.valid.unsqueeze(-2)  # (A, S, Ka, K)
    pairs &= anchor.index.unsqueeze(-1) != positive.index.unsqueeze(-2)  # not with itself
    triples = (pairs.sum((2, 3)) * negative.valid.sum(2)).sum(1)  # (A,)
    index, valid = (torch.cat(x, 2) for x in zip(*mined, strict=True))
    attribute = torch.arange(len(index), device=index.device)[:, None, None]
    rows = (index * len(index) + attribute).flatten()  # of the features laid out as (B A, D)
    picked = features.flatten(0, 1).index_select(0, rows).unflatten(0, index.shape)
    hinges, active, gradient = _hinges(picked, valid, pairs, negative.valid, options)
    size = triples if options.reduction == "all" else active
    loss = _WithGradient.apply(picked, hinges, gradient) / size.clamp(min=1)  # Eq. 8, 9: over |T|
    return TripletTerms(loss, triples, active)


class _WithGradient(torch.autograd.Function):
    """Values (A,) as a function of x (A, S, N, D) with a gradient computed beforehand."""

    @staticmethod
    def forward(x: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        x, _, gradient = inputs
        ctx.save_for_backward(gradient)
        ctx.dtype = x.dtype

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * grad.view(-1, 1, 1, 1)).to(ctx.dtype), None, None


@torch.no_grad()
def _hinges(
    picked: Tensor,
    valid: Tensor,
    pairs: Tensor,
    negatives: Tensor,
    options: TripletOptions,
) -> tuple[Tensor, Tensor, Tensor]:
    """Sum of the positive hinges of an attribute, their number, and the sum's gradient.

    `picked` (A, S, Ka + K + K, D) holds the features of anchors, positives and negatives, of which
    some are not `valid`; `pairs` (A, S, Ka, K) says which positives an anchor is paired with, and
    `negatives` (A, S, K) which negatives are valid.
    """
    # The sum over triples without the triples. For one anchor x let u_j = margin + d(x, x_j) for
    # its positives and v_n = d(x, x_n) for its negatives. A hinge counts where v_n < u_j, so
    #     sum_jn max(0, u_j - v_n) = sum_j b_j u_j - sum_n a_n v_n
    # where b_j is the number of v below u_j, and a_n the number of u above v_n. Sorting v gives
    # both in K log K steps (`_count`). b and -a are also the gradient by u and v, which leads to
    # the features by hand here: autograd would keep six tensors of the distances' size.
    anchors, k = pairs.shape[2:]
    margin = options.margin
    dtype = torch.promote_types(picked.dtype, torch.float32)
    z = picked.to(torch.float64, copy=True)
    z = z.masked_fill_(~valid.unsqueeze(-1), 0).flatten(0, 1)  # samples without a role may be NaN
    norm = length = torch.linalg.vector_norm(z, dim=-1, keepdim=True)  # (A S, N, 1)
    if options.normalise:
        norm = length.clamp(min=SHORTEST)
        z *= norm.reciprocal()  # quicker than to divide
    square = (length / norm if options.normalise else length).square_()
    d, same = _distances(z, square, anchors, dtype)
    if options.squared:
        d.square_()
    d, z = d.unflatten(0, pairs.shape[:2]), z.to(dtype)
    pull, push = d.split([k, d.shape[3] - k], 3)
    below, above = _count(margin + pull, pairs, push, negatives)
    active = below.sum((1, 2, 3), dtype=torch.int64)
    weight = torch.cat([below.to(dtype), above.to(dtype).neg_()], 3)  # of each distance in the sum
    total = (weight * d).sum((1, 2, 3)) + margin * active.to(dtype)  # Eq. 8, 9: the sum over T
    # d |x - y| = (x - y) / |x - y| (dx - dy), and 0 where x = y
    weight = weight.mul_(2) if options.squared else weight.div_(d)
    weight = weight.flatten(0, 1).masked_fill_(same, 0)
    x, y = z.tensor_split([anchors], 1)
    of_x = (x * weight.sum(2).unsqueeze(2)).baddbmm_(weight, y, alpha=-1)
    of_y = (y * weight.sum(1).unsqueeze(2)).baddbmm_(weight.mT, x, alpha=-1)
    gradient = torch.cat([of_x, of_y], 1)
    if options.normalise:  # the length of z is fixed: its radial part of the gradient is 0
        radial = (gradient * z).sum(2, keepdim=True).masked_fill_(length <= SHORTEST, 0)
        gradient.addcmul_(z, radial, value=-1).mul_(norm.reciprocal().to(dtype))
    return total, active, gradient.view_as(picked)


def _distances(
    z: Tensor, square: Tensor, anchors: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Distances from the first `anchors` vectors of z (N, K, D) to the rest, and where they are 0.

    `square` (N, K, 1) is |z|^2. The matrix product is in float64, because in float32
    |x|^2 + |y|^2 - 2 x y has no digits left where x is near y; `torch.cdist` keeps them but takes
    ten times as long. Vectors that differ by less than 1e-7 of their length count as equal.
    """
    (x, y), (x2, y2) = (t.tensor_split([anchors], 1) for t in (z, square))
    d = (x2 + y2.mT).baddbmm_(x, y.mT, alpha=-2).to(dtype)
    same = d <= 1e-14 * x2.to(dtype)
    return d.masked_fill_(same, 0).sqrt_(), same


def _count(pull: Tensor, pairs: Tensor, push: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    """In how many positive hinges pull - push each anchor's positives and negatives take part.

    `pull` (A, S, Ka, K) is margin + d(anchor, positive), used where `pairs` is True; `push`
    (A, S, Ka, K) is d(anchor, negative), used where `negatives` (A, S, K) is True. Returns the
    number of pushes below each pull, and of pulls above each push. Few triples are compared one by
    one, which is quicker than sorting.
    """
    if pull.numel() * push.shape[-1] <= TRIPLES:
        pull = pull.masked_fill(~pairs, -torch.inf).unsqueeze(-1)
        push = push.masked_fill(~negatives.unsqueeze(-2), torch.inf).unsqueeze(-2)
        active = push.new_empty(*pull.shape[:-1], push.shape[-1])
        torch.gt(pull, push, out=active)  # 0 or 1: numbers add up quicker than truth values
        return active.sum(-1), active.sum(-2)
    bits = torch.int32 if push.dtype == torch.float32 else torch.int64  # quicker to sort than
    push = push.masked_fill(~negatives.unsqueeze(-2), torch.inf).view(bits)  # floats, and of 0 or
    push, order = push.sort(-1)  # more in the same order
    below = torch.searchsorted(push, pull.view(bits)).masked_fill_(~pairs, 0)
    ranks = below.new_zeros(*push.shape[:-1], push.shape[-1] + 1)
    ranks.scatter_add_(-1, below, torch.ones_like(below))  # pulls by the pushes below them
    above = below.shape[-1] - ranks.cumsum(-1)[..., :-1]
    return below, torch.empty_like(order).scatter_(-1, order, above)
