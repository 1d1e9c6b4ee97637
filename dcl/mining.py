"""Mining of easy anchors, hard positives and hard negatives in a batch (Section 3.3).

The minority classes of an attribute fill S slots. For each slot and role we pick up to K samples by
score; the selection carries no gradient.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .checks import UNKNOWN, at_least_float32
from .sampling import count_known

ANCHORS = ("easy", "all")


class Mined(NamedTuple):
    """Samples of one role, mined for each attribute and slot."""

    index: Tensor  # type: ignore[assignment]  # (A, S, K) into the batch
    valid: Tensor  # (A, S, K) False beyond the number of candidates


@torch.no_grad()
def mine(
    logits: Tensor, labels: Tensor, *, k: int, anchors: str, rho: float
) -> tuple[Mined, Mined, Mined]:
    """Anchors, hard positives and hard negatives of each minority class (Section 3.3).

    The arguments are those of `dcl.triplet_loss`. Ties go to the lower sample index. A logit of
    -inf or NaN counts as a probability of 0.

    Returns
    -------
    anchor, positive, negative : Mined
        `index` and `valid` of shape (A, S, K), with K at most `k`. With ``anchors="all"`` the K of
        the anchors is the largest number of minority samples that a batch of this size can hold.
    """
    batch, _, classes = logits.shape
    labels = labels.T.long()  # (A, B)
    known = labels != UNKNOWN
    counts = count_known(labels, classes)
    slot, taken = minority_classes(counts, batch, rho=rho)  # (A, S)
    of_class = (labels.unsqueeze(1) == slot.unsqueeze(-1)) & taken.unsqueeze(-1)  # (A, S, B)
    of_others = ~of_class & taken.unsqueeze(-1) & known.unsqueeze(1)
    scores = at_least_float32(logits).permute(1, 2, 0).contiguous()  # (A, C, B)
    surprise = scores.log_softmax(1)
    surprise = surprise.gather(1, slot.unsqueeze(-1).expand(-1, -1, batch))  # (A, S, B) of class c
    surprise = surprise.abs_().nan_to_num_(torch.inf, posinf=torch.inf)  # -log p, 0 or more
    least, roles = [False, True], [of_class, of_others]
    if anchors == "easy":
        easy = of_class & (scores.max(1).indices == labels).unsqueeze(1)  # predicted c
        easy &= surprise < torch.inf  # NaN takes part in no comparison: max(1) says it is largest
        least, roles = [True, *least], [easy, *roles]
    mined = _best(surprise, torch.stack(roles), least, min(k, batch))
    return (*(() if anchors == "easy" else [_all(of_class, int(rho * batch))]), *mined)


def minority_classes(counts: Tensor, batch: int, *, rho: float) -> tuple[Tensor, Tensor]:
    """Minority classes of a batch, by CRL's rule (Dong et al. 2018).

    Take the classes in ascending batch count (ties: the lower index first; absent ones skipped) as
    long as their counts sum to at most rho of the known samples. Keep those with two samples or
    more.

    Parameters
    ----------
    counts : Tensor (A, C)
        Samples of each class in the batch, known labels only, from `dcl.count_classes`.
    batch : int
        B, the batch size.
    rho : float
        Largest total share of the minority classes among the known samples, in (0, 1).

    Returns
    -------
    classes, taken : Tensor (A, S)
        Class of each slot, and whether the slot is used. S is the most slots that a batch of this
        size can need, so that it depends on shapes only.

    Examples
    --------
    >>> minority_classes(torch.tensor([[5, 2, 0, 3]]), 10, rho=0.5)
    (tensor([[1, 3]]), tensor([[True, True]]))
    """
    ascending, order = counts.sort(stable=True, dim=1)  # absent classes come first and add 0
    below = ascending.cumsum(1)  # last column: all known samples
    taken = (below <= rho * below[:, -1:].double()) & (ascending >= 2)  # (A, C)
    slots = min(counts.shape[1] - 1, int(rho * batch) // 2)  # all C together exceed rho
    first = taken.logical_not().to(torch.uint8).argsort(dim=1, stable=True)[:, :slots]
    return order.gather(1, first), taken.gather(1, first)


def _all(members: Tensor, most: int) -> Mined:
    """All members (A, S, B) of each slot, in order; a slot has at most `most`."""
    place = torch.arange(members.shape[-1], device=members.device).expand(members.shape)
    rank = (members.cumsum(-1) - 1).where(members, most)  # all others share the last column
    index = place.new_zeros(*members.shape[:-1], most + 1).scatter_(-1, rank, place)[..., :most]
    return Mined(index, place[..., :most] < members.sum(-1, keepdim=True))


def _best(surprise: Tensor, candidates: Tensor, least: list[bool], k: int) -> list[Mined]:
    """Pick the k candidates (R, A, S, B) of each of R roles with the least or the most surprise.

    `surprise` (A, S, B) is -log p, 0 or more and never NaN. Ties go to the lower index. If a role
    has fewer than k candidates, the rest is invalid.
    """
    if surprise.dtype == torch.float32:  # unique integer keys need no stable sort
        place = torch.arange(surprise.shape[-1], device=surprise.device)
        key = surprise.view(torch.int32).long() << 32  # floats of 0 or more sort as their bits
        first, last, never = -key - place, key - place, torch.iinfo(torch.int64).min
        keys = torch.stack([first if low else last for low in least])
        best, index = torch.where(candidates, keys, never).topk(k)
        valid = best != never
    else:
        keys = torch.stack([-surprise if first else surprise for first in least])
        order = keys.argsort(dim=-1, descending=True, stable=True)
        chosen = candidates.gather(-1, order).to(torch.uint8)
        chosen, place = chosen.sort(dim=-1, descending=True, stable=True)  # candidates first
        valid, index = chosen[..., :k].bool(), order.gather(-1, place[..., :k])
    return [Mined(*role) for role in zip(index, valid, strict=True)]
