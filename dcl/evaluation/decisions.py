"""Decisions: from logits to classes, after training and alike for every method.

A decision is a number for each class of each attribute, (A, C), added to the logits before the
largest is taken. For two classes that is a threshold on logit 1 minus logit 0.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..checks import (
    as_classes,
    as_labels,
    as_shares,
    check_labels,
    check_scale,
    check_scored,
    check_tensors,
    reads_values,
    warn_of_one_hot,
    warn_of_probabilities,
    warn_of_signs,
)
from .thresholds_file import Thresholds

FAR = 1e3  # a probability of 1, to every digit
DECISIONS = ("argmax", "prior", "tuned-mA", "tuned-f1")


class Tuned(NamedTuple):
    """Offsets that are best on some samples, see `dcl.tune_thresholds`.

    Attributes
    ----------
    offsets : Tensor (A, C), float64
        To add to the logits; -inf for a class that is never decided.
    value : Tensor (A,), float64
        The metric that they reach on these samples, in [0, 1].
    spread : Tensor (A, C), float64
        Standard deviation over bootstrap samples; NaN without.
    thresholds : Tensor (A,), float64
        Of yes-or-no attributes: class 1 is decided where logit 1 minus logit 0 exceeds it.
    """

    offsets: Tensor
    value: Tensor
    spread: Tensor

    @property
    def thresholds(self) -> Tensor:
        """Of yes-or-no attributes, (A,)."""
        return self.offsets[:, 0] - self.offsets[:, 1]


def decide(
    logits: Tensor,
    class_counts: Tensor | None = None,
    *,
    offsets: Tensor | Tuned | None = None,
    classes: int | Sequence[int] | None = None,
) -> Tensor:
    """Predicted classes (N, A): the largest logit, or the largest after a correction.

    With the training set's `class_counts` (A, C) the logarithm of each class's training share is
    subtracted first. For two classes that is the threshold moved from 0.5 to the training prior;
    it is also post-hoc logit adjustment with tau = 1 (Menon et al. 2021). A class without training
    samples is never decided.

    Parameters
    ----------
    logits : Tensor (N, A, C)
        Or (N, A) of the positive class, or (N, C) of one label, which `class_counts` or `offsets`
        tell apart; without them (N, 1) alone.
    class_counts : Tensor (A, C), optional
    offsets : Tensor (A, C) or `Tuned`, optional
        From `dcl.tune_thresholds`, in the place of `class_counts`.
    classes : int or sequence of A ints, optional
        Classes of each attribute, where they differ: an attribute is never decided for a class
        beyond its own. A network gives a logit for these, too; `class_counts` of 0, and logits of
        -inf as ``logits.masked_fill(criterion.missing, -inf)`` makes them, say the same.

    Returns
    -------
    Tensor (N, A), int64

    Raises
    ------
    ValueError
        For shapes that do not fit or have two meanings, NaN among the logits, and counts or offsets
        that leave a sample no class.

    Examples
    --------
    A probability of 0.2 for a class that 10 % of the training set belongs to:

    >>> logits = torch.tensor([[[0.8, 0.2]]]).log()
    >>> decide(logits), decide(logits, torch.tensor([[90, 10]]))
    (tensor([[0]]), tensor([[1]]))
    """
    check_tensors(logits=logits)
    if class_counts is not None:
        if offsets is not None:
            raise ValueError("decide takes class_counts or offsets, got both")
        offsets = prior_offsets(class_counts)
    if offsets is not None:
        offsets = as_offsets(offsets)
    logits = _in_full(logits, None if offsets is None else tuple(offsets.shape))
    if logits.ndim != 3:
        raise ValueError(
            f"logits must be (samples, attributes, classes), got shape {tuple(logits.shape)}"
        )
    logits = of_classes(logits, classes)
    _check_numbers(logits)
    if offsets is None:
        return logits.argmax(2)
    check_scale(logits)
    return move(logits, offsets).argmax(2)


def of_classes(logits: Tensor, classes: int | Sequence[int] | None) -> Tensor:
    """Logits (N, A, C), -inf for each class that an attribute lacks; None: they have all."""
    if classes is None:
        return logits
    logits = logits if logits.is_floating_point() else logits.double()
    numbers = torch.tensor(classes_of(logits, classes), device=logits.device)
    lacking = torch.arange(logits.shape[2], device=logits.device) >= numbers[:, None]
    return logits.masked_fill(lacking, -torch.inf)


def classes_of(logits: Tensor, classes: int | Sequence[int] | None) -> tuple[int, ...]:
    """How many classes each attribute of logits (N, A, C) has: C, where `classes` is None."""
    _, attributes, most = logits.shape
    numbers = as_classes(most if classes is None else classes, attributes)
    if max(numbers, default=most) != most:
        raise ValueError(
            f"the largest of classes must be {most}, as the logits have, got {classes!r}"
        )
    return numbers


def as_offsets(offsets: Tensor | Tuned) -> Tensor:
    """The offsets (A, C) of a tensor or of `Tuned`, checked for NaN."""
    offsets = offsets.offsets if isinstance(offsets, Tuned) else offsets
    if isinstance(offsets, Thresholds):
        raise ValueError("offsets must be a tensor or Tuned, got Thresholds: give its .offsets()")
    check_tensors(offsets=offsets)
    if reads_values(offsets) and bool(offsets.isnan().any()):
        raise ValueError(f"offsets must be numbers, got NaN in {offsets.tolist()}")
    return offsets


def move(logits: Tensor, offsets: Tensor) -> Tensor:
    """Logits (N, A, C) plus offsets (A, C), float64; -inf in one of them stays -inf.

    A sample of which nothing else is left is refused.
    """
    if offsets.shape != logits.shape[1:]:
        raise ValueError(
            f"offsets and counts are (attributes, classes) = {tuple(logits.shape[1:])} for these "
            f"logits, got shape {tuple(offsets.shape)}"
        )
    offsets = offsets.to(logits.device)
    lacking = (logits == -torch.inf) | (offsets == -torch.inf)
    none = lacking.all(2)
    if bool(none.any()):
        row, a = none.nonzero()[0].tolist()
        raise ValueError(
            f"no class is left for attribute {a} in row {row}: its logits are "
            f"{logits[row, a].tolist()}, its offsets {offsets[a].tolist()}, -inf where "
            f"class_counts has no sample. Give counts or offsets of the classes that it decides"
        )
    return (logits.double() + offsets).masked_fill(lacking, -torch.inf)


def prior_offsets(class_counts: Tensor, shape: Sequence[int] | None = None) -> Tensor:
    """Offsets (A, C) that take the training prior out: -log of each class's share of the counts.

    -inf for a class without samples. `shape` is (A, C), where the logits have it already.
    """
    counts = as_shares(class_counts, shape)
    share = counts / counts.sum(1, keepdim=True)
    return torch.where(counts > 0, -share.log(), -torch.inf)


def _in_full(logits: Tensor, wanted: tuple[int, ...] | None) -> Tensor:
    """Logits (N, A, C) from what `decide` takes; `wanted` is (A, C), if it is known."""
    if logits.ndim != 2:
        return logits
    if wanted is None and logits.shape[1] > 1:
        columns = logits.shape[1]
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} may be those of {columns} yes-or-no attributes "
            f"or of one label of {columns} classes: give logits.unsqueeze(1) for one label, "
            f"torch.stack([0 * logits, logits], 2) for attributes"
        )
    return logits.unsqueeze(1) if wanted == (1, logits.shape[1]) else two_columns(logits)


def as_scored(logits: Any, labels: Any) -> tuple[Tensor, Tensor]:
    """Logits (N, A, C) and labels (N, A) from the forms that a criterion takes, checked.

    Logits (N, A) of the positive class with labels (N, A), logits (N, C) with labels (N,).

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN among the logits or labels, a sample whose logits have no
        largest one, and a label of a class that its attribute lacks (its logits are all -inf).
    """
    check_tensors(logits=logits)
    one = getattr(labels, "ndim", 2) == 1 and logits.ndim == 2 and logits.shape[1] > 1
    labels = as_labels(labels)
    warn_of_signs(labels)
    if logits.shape == labels.shape:
        warn_of_one_hot(labels)
    logits = logits.unsqueeze(1) if one else two_columns(logits)
    if logits.ndim != 3 or logits.shape[:2] != labels.shape:
        raise ValueError(
            f"logits must be (samples, attributes, classes) and labels (samples, attributes), got "
            f"shapes {tuple(logits.shape)} and {tuple(labels.shape)}. Of one label also logits "
            f"(samples, classes) and labels (samples,)"
        )
    check_labels(labels, *logits.shape[1:])
    _check_numbers(logits)
    check_scale(logits)
    check_scored(logits, labels)
    return logits, labels.long()


def finite(logits: Tensor) -> Tensor:
    """Logits (N, A, C) whose largest is finite: infinity becomes far above all the others."""
    held = logits.masked_fill(logits.isinf(), 0)
    return logits.clamp(max=(held.abs().amax() + FAR).item()) if logits.numel() else logits


def _check_numbers(logits: Tensor) -> None:
    """No logit is NaN, and each sample's have a largest one."""
    wrong = logits.isnan().any(2)
    wrong |= (logits == -torch.inf).all(2) | ((logits == torch.inf).sum(2) > 1)
    if bool(wrong.any()):
        row, attribute = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"logits must be numbers, got NaN, or infinity where no class is the largest, in row "
            f"{row}, attribute {attribute}: {logits[row, attribute].tolist()}"
        )


def two_columns(logits: Tensor) -> Tensor:
    """Logits (N, A, C); those of a positive class alone (N, A) get a column of zeros before.

    With a warning where they may be probabilities: all in [0, 1], of `SURELY` samples or more.
    """
    if logits.ndim != 2:
        return logits
    warn_of_probabilities(logits)
    return torch.stack([torch.zeros_like(logits), logits], 2)
