"""A fixed weight for each class: cost-sensitive, pos_weight, class-balanced, DeepMAR."""

from typing import Annotated

import torch
from torch import Tensor

from ..checks import as_sample_weights
from ..protocol import Criterion, shares
from ..sampling import weighted_cross_entropy
from .entry import Method

Beta = Annotated[float, "of class-balanced and ldam-drw (Cui et al. 2019)"]


def cost_sensitive_weights(class_counts: Tensor) -> Tensor:
    """Weights inverse to the training frequency of each class: N / (C n_c).

    Their mean over the training set is 1 (He and Garcia 2009, Section 3.2).

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Samples of each class in the training set, positive.

    Returns
    -------
    Tensor (A, C), float64

    Examples
    --------
    >>> cost_sensitive_weights(torch.tensor([[75, 25]]))
    tensor([[0.6667, 2.0000]], dtype=torch.float64)
    """
    counts = class_counts.double()
    return _there(counts, counts.sum(1, keepdim=True) / (_classes(counts) * counts))


def pos_weights(class_counts: Tensor) -> Tensor:
    """Weights (1 - p_c) / p_c of each class; for two classes 1 and (1 - p) / p.

    With two classes that is torch's ``binary_cross_entropy_with_logits(pos_weight=(1-p)/p)`` on
    the difference of the logits.

    Examples
    --------
    >>> pos_weights(torch.tensor([[75, 25]]))
    tensor([[1., 3.]], dtype=torch.float64)
    """
    counts = class_counts.double()
    weights = _there(counts, counts.sum(1, keepdim=True) / counts - 1)
    binary = _classes(counts) == 2  # (A, 1)
    first = torch.arange(counts.shape[1], device=counts.device) == 0
    return torch.where(binary & first, 1.0, weights)


def class_balanced_weights(class_counts: Tensor, *, beta: float = 0.9999) -> Tensor:
    """Inverse effective numbers (1 - beta) / (1 - beta ** n_c), summing to C (Cui et al. 2019).

    Examples
    --------
    >>> class_balanced_weights(torch.tensor([[75, 25]]), beta=0.9)
    tensor([[0.9630, 1.0370]], dtype=torch.float64)
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must lie in [0, 1), got {beta!r}")
    counts = class_counts.double()
    weights = _there(counts, (1 - beta) / (1 - beta**counts))
    return _classes(counts) * weights / weights.sum(1, keepdim=True)


def deepmar_weights(class_counts: Tensor, *, sigma: float = 1.0) -> Tensor:
    """Weights exp(1 - p) of a positive and exp(p) of a negative, p the rate (Li et al. 2015).

    Of each class of more than two exp(1 - p_c), which is the same.

    Parameters
    ----------
    class_counts : Tensor (A, C)
    sigma : float
        Their sigma: exp((1 - p) / sigma ** 2). More than 0.

    Examples
    --------
    >>> deepmar_weights(torch.tensor([[75, 25]]))
    tensor([[1.2840, 2.1170]], dtype=torch.float64)
    """
    if not sigma > 0:
        raise ValueError(f"sigma must be more than 0, got {sigma!r}")
    counts = class_counts.double()
    share = counts / counts.sum(1, keepdim=True)
    return _there(counts, torch.exp((1 - share) / sigma**2))


def _classes(counts: Tensor) -> Tensor:
    """(A, 1): how many classes an attribute has; the others have no samples."""
    return (counts > 0).sum(1, keepdim=True)


def _there(counts: Tensor, weights: Tensor) -> Tensor:
    return weights.masked_fill(counts == 0, 0)


class Weighted(Criterion):
    """Cross entropy with a weight for each class of each attribute, from the training counts."""

    def class_weights(self) -> Tensor:
        """(A, C), made anew at each step: a buffer would lose its digits to half()."""
        raise NotImplementedError

    def trained_prior(self) -> Tensor | None:
        return shares(self.class_counts * self.class_weights())

    def forward(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, as of `DCLLoss.forward`."""
        logits, features, labels = self.batch(logits, features, labels)
        given = as_sample_weights(weights, labels)
        of_class = self.class_weights().gather(1, labels.T.long().clamp(min=0)).T
        loss = weighted_cross_entropy(logits, labels, of_class, given)
        self._last = {"classification": loss.detach()}, labels, of_class
        return loss


class CostSensitive(Weighted):
    """Weights inverse to a class's frequency (He and Garcia 2009)."""

    def class_weights(self) -> Tensor:
        return cost_sensitive_weights(self.class_counts)


class PosWeight(Weighted):
    """Weights (1 - p) / p of the positive class, as torch's ``pos_weight``."""

    def class_weights(self) -> Tensor:
        return pos_weights(self.class_counts)


class ClassBalanced(Weighted):
    """Weights of inverse effective numbers (Cui et al. 2019)."""

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        beta: Beta = 0.9999,
        **more,
    ):
        super().__init__(class_counts, epochs, **more)
        class_balanced_weights(self.class_counts, beta=beta)  # for its check
        self.beta = beta

    def class_weights(self) -> Tensor:
        return class_balanced_weights(self.class_counts, beta=self.beta)


class DeepMAR(Weighted):
    """DeepMAR's weighting (Li et al. 2015), of the paper's Table 5."""

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        sigma: Annotated[float, "of deepmar (Li et al. 2015)"] = 1.0,
        **more,
    ):
        super().__init__(class_counts, epochs, **more)
        if not deepmar_weights(self.class_counts, sigma=sigma).isfinite().all():
            raise ValueError(f"sigma is too small, exp(1 / sigma ** 2) is infinite: got {sigma!r}")
        self.sigma = sigma

    def class_weights(self) -> Tensor:
        return deepmar_weights(self.class_counts, sigma=self.sigma)


ENTRIES = (
    Method("cost-sensitive", CostSensitive, "weights N / (C n_c)", colour="#882255"),
    Method("pos-weight", PosWeight, "weights (1 - p) / p of the positives", colour="#44AA99"),
    Method("class-balanced", ClassBalanced, "effective numbers of samples", colour="#DDCC77"),
    Method("deepmar", DeepMAR, "weights exp(1 - p) and exp(p)", colour="#BBCC33"),
)
