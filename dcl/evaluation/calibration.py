"""Calibration: whether about 80 % of the samples given a probability of 0.8 are positive."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..checks import UNKNOWN, as_shares, reads_values, whole
from .decisions import Tuned, as_offsets, as_scored, finite, move

BINS = 15  # of equal width, as Guo et al. (2017) take


class Calibration(NamedTuple):
    """Expected calibration error and the reliability diagram of M bins; shares, not percent.

    Attributes
    ----------
    error : Tensor (A,), float64
        ECE; NaN for an attribute without a known label.
    counts : Tensor (A, M), int64
        Known samples in each bin.
    confidence : Tensor (A, M), float64
        Mean predicted probability of a bin; NaN in an empty one.
    rate : Tensor (A, M), float64
        Observed frequency in the bin; NaN in an empty one.
    mean : float
        ECE averaged over the attributes that have one.
    """

    error: Tensor
    counts: Tensor
    confidence: Tensor
    rate: Tensor

    @property
    def mean(self) -> float:
        """ECE averaged over the attributes that have one."""
        return self.error.nanmean().item()

    def pooled(self) -> "Calibration":
        """All attributes' samples in one diagram, A = 1. Its error is not the mean of theirs."""
        counts = self.counts.sum(0, keepdim=True)
        sums = [(x.nan_to_num() * self.counts).sum(0, keepdim=True) for x in self[2:]]
        return _of(counts, *sums)


def calibration_error(
    logits: Tensor, labels: Tensor, *, bins: int = BINS, offsets: Tensor | Tuned | None = None
) -> Calibration:
    """Expected calibration error of each attribute (Naeini et al. 2015; Guo et al. 2017).

    We put the samples in bins of equal width by their predicted probability. ECE is the distance of
    a bin's mean probability from its observed frequency, averaged over samples. For a yes-or-no
    attribute we take the probability of class 1 and the frequency of label 1; for more classes, the
    probability of the predicted class and the frequency of right predictions.

    Parameters
    ----------
    logits : Tensor (N, A, C), (N, A) of the positive class, or (N, C) of one label
        -inf for a class that the attribute does not have: a network gives a logit for it, too,
        which ``logits.masked_fill(criterion.missing, -inf)`` takes out.
    labels : Tensor (N, A) or (N,), integer
        -1 where unknown: counted nowhere.
    bins : int
        M, 1 or more.
    offsets : Tensor (A, C) or `Tuned`, optional
        Added to the logits first. A method that moves the prior gives the probabilities of another
        prior: `to_training_prior` takes them back.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN among logits or offsets, and a number of bins below 1.

    Examples
    --------
    Five samples given 0.8, of which four are positive, and five given 0.2, none of them:

    >>> logits = torch.tensor([0.8] * 5 + [0.2] * 5).logit()[:, None]
    >>> labels = torch.tensor([1, 1, 1, 1, 0] + [0] * 5)[:, None]
    >>> calibration_error(logits, labels).error
    tensor([0.1000], dtype=torch.float64)
    """
    whole("bins", bins, 1)
    logits, labels = as_scored(logits, labels)
    logits, labels = finite(logits.detach().cpu().double()), labels.cpu()
    exists = (logits > -torch.inf).any(0)  # (A, C)
    if offsets is not None:
        logits = move(logits, as_offsets(offsets))
    probability = logits.softmax(2)
    best, predicted = probability.max(2)
    binary = (exists.sum(1) == 2) & exists[:, :2].all(1)  # (A,)
    value = torch.where(binary, probability[..., 1], best)  # (N, A)
    so = torch.where(binary, labels == 1, predicted == labels).double()
    known = labels != UNKNOWN
    place = (value * bins).long().clamp(max=bins - 1)  # the last bin holds a probability of 1
    inside = torch.nn.functional.one_hot(place, bins).double() * known[..., None]  # (N, A, M)
    sums = [(inside * x[..., None]).sum(0) for x in (value, so)]
    return _of(inside.sum(0), *sums)


def _of(counts: Tensor, confidence: Tensor, so: Tensor) -> Calibration:
    """From the sums (A, M) over the samples of each bin."""
    error = (confidence - so).abs().sum(1) / counts.sum(1)  # 0/0 is NaN: no known label
    return Calibration(error, counts.long(), confidence / counts, so / counts)


def to_training_prior(class_counts: Tensor, target: Tensor | None = None) -> Tensor:
    """Offsets (A, C) for logits that were trained at another prior, back to the training set's.

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Of the training set.
    target : Tensor (A, C), optional
        The distribution that was trained towards, such as `dcl.target_distribution` gives for the
        level that the sampling schedule ended at. Balance without it: that of Selective Learning
        and of cost-sensitive weights.

    Returns
    -------
    Tensor (A, C), float64
        0 for a class without samples.

    Raises
    ------
    ValueError
        For shapes that do not fit, negative or infinite numbers, and a target of 0 for a class that
        has samples.

    Examples
    --------
    Balanced training calls even what is positive once in ten:

    >>> offsets = to_training_prior(torch.tensor([[90, 10]]))
    >>> (torch.tensor([[0.0, 0.0]]) + offsets).softmax(1)
    tensor([[0.9000, 0.1000]], dtype=torch.float64)
    """
    counts = as_shares(class_counts)
    there = counts > 0
    aim = there.double()
    if target is not None:
        aim = as_shares(target, counts.shape, what="target").to(counts.device)
        never = there & (aim == 0)
        if reads_values(never) and bool(never.any()):
            attribute, label = never.nonzero()[0].tolist()
            raise ValueError(
                f"target is 0 for class {label} of attribute {attribute}, which has "
                f"{counts[attribute, label]:g} samples: a training that never wants a class cannot "
                f"be taken back"
            )
    return torch.where(there, (counts / aim).log(), 0)  # to a constant, which no softmax sees


def describe(found: Calibration, names: list[str]) -> dict[str, Any]:
    """What a run record keeps: ECE in percent, of each attribute and the mean; the pooled diagram.

    Parameters
    ----------
    found : Calibration
    names : list of str
        The A attributes.
    """
    pooled = found.pooled()
    return {
        "bins": found.counts.shape[1],
        "ece": 100 * found.mean,
        "per_attribute": dict(zip(names, (100 * found.error).tolist(), strict=True)),
        "pooled": {
            "counts": pooled.counts[0].tolist(),
            "confidence": [round(x, 4) for x in pooled.confidence[0].tolist()],
            "rate": [round(x, 4) for x in pooled.rate[0].tolist()],
        },
    }
