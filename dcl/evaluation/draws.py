"""Folds and bootstrap samples from a generator that is the same in any language.

mulberry32 counts in 32 bits and mixes each count, so that its numbers can be had all at once; the
page in the browser draws the same folds and samples from the same seed.
"""

import torch
from torch import Tensor

MASK = 2**32 - 1


class Mulberry32:
    """Whole numbers from a seed, 0 ... 2**32 - 1.

    Examples
    --------
    >>> Mulberry32(7).below(10, 8).tolist()
    [0, 0, 9, 6, 5, 4, 4, 2]
    """

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, bound: int | Tensor, count: int) -> Tensor:
        """The next `count` numbers (count,), each in 0 ... bound - 1."""
        step = 0x6D2B79F5
        a = (self.state + step * torch.arange(1, count + 1)) & MASK
        self.state = (self.state + step * count) & MASK
        t = (a ^ a >> 15) * (a | 1) & MASK  # int64 wraps around, which keeps the lower 32 bits
        t = (t + ((t ^ t >> 7) * (t | 61) & MASK)) & MASK ^ t
        return ((t ^ t >> 14).double() / 2**32 * bound).long()


def numbered(groups: Tensor) -> Tensor:
    """Groups (N,) numbered from 0 in the order in which they first appear."""
    values, inverse = groups.unique(return_inverse=True)
    first = torch.full((len(values),), len(groups)).scatter_reduce(
        0, inverse, torch.arange(len(groups)), "amin"
    )
    return first.argsort().argsort()[inverse]


def folds(groups: Tensor, number: int, source: Mulberry32) -> Tensor:
    """Fold (N,) of each row: the groups are shuffled, then dealt out one by one."""
    size = int(groups.max()) + 1
    last = torch.arange(size - 1, 0, -1)
    order = list(range(size))
    for i, j in zip(last.tolist(), source.below(last + 1, size - 1).tolist(), strict=True):
        order[i], order[j] = order[j], order[i]  # Fisher and Yates
    fold = torch.empty(size, dtype=torch.long)
    fold[torch.tensor(order)] = torch.arange(size) % number
    return fold[groups]


def times_drawn(groups: Tensor, source: Mulberry32) -> Tensor:
    """How often each row (N,) is in one bootstrap sample: its group is drawn whole."""
    size = int(groups.max()) + 1
    return torch.bincount(source.below(size, size), minlength=size)[groups]
