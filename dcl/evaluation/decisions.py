"""Decisions: from logits to classes, after training and alike for every method.

A decision is a number for each class of each attribute, (A, C), added to the logits before the
largest is taken. For two classes that is a threshold on logit 1 minus logit 0.
"""

from typing import NamedTuple

import torch
from torch import Tensor

DECISIONS = ("argmax", "prior", "tuned-mA", "tuned-f1")


class Tuned(NamedTuple):
    """Offsets that are best on some samples, see `dcl.tune_thresholds`."""

    offsets: Tensor  # (A, C) to add to the logits
    value: Tensor  # (A,) the metric that they reach on these samples, in [0, 1]
    spread: Tensor  # (A, C) standard deviation over bootstrap samples; NaN without

    @property
    def thresholds(self) -> Tensor:
        """(A,) on logit 1 minus logit 0, above which class 1 is decided: of yes-or-no attributes"""
        return self.offsets[:, 0] - self.offsets[:, 1]


def decide(
    logits: Tensor, class_counts: Tensor | None = None, *, offsets: Tensor | Tuned | None = None
) -> Tensor:
    """Predicted classes (N, A): the largest logit, or the largest after a correction.

    With the training set's `class_counts` (A, C) the logarithm of each class's training share is
    subtracted first. For two classes that is the threshold moved from 0.5 to the training prior;
    it is also post-hoc logit adjustment with tau = 1 (Menon et al. 2021). A class without training
    samples is never decided.

    Parameters
    ----------
    logits : Tensor (N, A, C), or (N, A) of the positive class
    class_counts : Tensor (A, C), optional
    offsets : Tensor (A, C) or `Tuned`, optional
        From `dcl.tune_thresholds`, in the place of `class_counts`.

    Examples
    --------
    A probability of 0.2 for a class that 10 % of the training set belongs to:

    >>> logits = torch.tensor([[[0.8, 0.2]]]).log()
    >>> decide(logits), decide(logits, torch.tensor([[90, 10]]))
    (tensor([[0]]), tensor([[1]]))
    """
    logits = two_columns(logits)
    if class_counts is not None:
        if offsets is not None:
            raise ValueError("decide takes class_counts or offsets, got both")
        offsets = prior_offsets(class_counts)
    if offsets is None:
        return logits.argmax(2)
    offsets = (offsets.offsets if isinstance(offsets, Tuned) else offsets).to(logits.device)
    if offsets.shape != logits.shape[1:]:
        raise ValueError(
            f"offsets and counts are (attributes, classes) = {tuple(logits.shape[1:])} for these "
            f"logits, got shape {tuple(offsets.shape)}"
        )
    moved = logits.double() + offsets
    return moved.masked_fill(logits == -torch.inf, -torch.inf).argmax(2)


def prior_offsets(class_counts: Tensor) -> Tensor:
    """Offsets (A, C) that take the training prior out: -log of each class's share of the counts."""
    counts = torch.as_tensor(class_counts).double()
    share = counts / counts.sum(1, keepdim=True)
    return torch.where(counts > 0, -share.log(), -torch.inf)


def two_columns(logits: Tensor) -> Tensor:
    """Logits (N, A, C); those of a positive class alone (N, A) get a column of zeros before."""
    return torch.stack([torch.zeros_like(logits), logits], 2) if logits.ndim == 2 else logits
