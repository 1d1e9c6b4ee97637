"""A fixed weight for each class: cost-sensitive, pos_weight, class-balanced, DeepMAR."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import torch
from torch import Tensor

from ..checks import as_shares, number
from ..protocol import Criterion, shares
from ..sampling import weighted_cross_entropy
from .entry import Method

BETA = 0.9999
Beta = Annotated[float, "of class-balanced and ldam-drw (Cui et al. 2019)"]


def cost_sensitive_weights(class_counts: Tensor) -> Tensor:
    """Weights inverse to the training frequency of each class: N / (C n_c).

    Their mean over the training set is 1 (He and Garcia 2009, Section 3.2).

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Of the training set; 0 for a class that an attribute does not have, whose weight is 0.

    Returns
    -------
    Tensor (A, C), float64

    Examples
    --------
    >>> cost_sensitive_weights(torch.tensor([[75, 25]]))
    tensor([[0.6667, 2.0000]], dtype=torch.float64)
    """
    counts = as_shares(class_counts)
    return _of_classes(counts, counts.sum(1, keepdim=True) / (_classes(counts) * counts))


def pos_weights(class_counts: Tensor) -> Tensor:
    """Weights (1 - p_c) / p_c of each class; for two classes 1 and (1 - p) / p.

    With two classes that is torch's ``binary_cross_entropy_with_logits(pos_weight=(1-p)/p)`` on
    the difference of the logits.

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Of the training set; 0 for a class that an attribute does not have, whose weight is 0.

    Returns
    -------
    Tensor (A, C), float64

    Examples
    --------
    >>> pos_weights(torch.tensor([[75, 25]]))
    tensor([[1., 3.]], dtype=torch.float64)
    """
    counts = as_shares(class_counts)
    weights = _of_classes(counts, counts.sum(1, keepdim=True) / counts - 1)
    binary = _classes(counts) == 2  # (A, 1)
    first = torch.arange(counts.shape[1], device=counts.device) == 0
    return torch.where(binary & first, 1.0, weights)


def class_balanced_weights(class_counts: Tensor, *, beta: Beta = BETA) -> Tensor:
    """Inverse effective numbers (1 - beta) / (1 - beta ** n_c), summing to C (Cui et al. 2019).

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Of the training set; 0 for a class that an attribute does not have, whose weight is 0.
    beta : float
        In [0, 1); 0 weighs all classes alike.

    Returns
    -------
    Tensor (A, C), float64

    Examples
    --------
    >>> class_balanced_weights(torch.tensor([[75, 25]]), beta=0.9)
    tensor([[0.9630, 1.0370]], dtype=torch.float64)
    """
    number("beta", beta, 0, 1, ends="[)")
    return effective(as_shares(class_counts), beta)


def effective(counts: Tensor, beta: float) -> Tensor:
    """`class_balanced_weights` of arguments that are checked, counts in float64."""
    weights = _of_classes(counts, (1 - beta) / (1 - beta**counts))
    return _classes(counts) * weights / weights.sum(1, keepdim=True)


def deepmar_weights(
    class_counts: Tensor, *, sigma: Annotated[float, "of deepmar (Li et al. 2015)"] = 1.0
) -> Tensor:
    """Weights exp(1 - p) of a positive and exp(p) of a negative, p the rate (Li et al. 2015).

    With more than two classes exp(1 - p_c) each.

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Of the training set; 0 for a class that an attribute does not have, whose weight is 0.
    sigma : float
        Their sigma: exp((1 - p) / sigma ** 2). More than 0.

    Returns
    -------
    Tensor (A, C), float64

    Examples
    --------
    >>> deepmar_weights(torch.tensor([[75, 25]]))
    tensor([[1.2840, 2.1170]], dtype=torch.float64)
    """
    number("sigma", sigma, ends="()")
    counts = as_shares(class_counts)
    share = counts / counts.sum(1, keepdim=True)
    return _of_classes(counts, torch.exp((1 - share) / sigma**2))


def _classes(counts: Tensor) -> Tensor:
    """Number of classes (A, 1) of each attribute; a count of 0 is a class that it does not have."""
    return (counts > 0).sum(1, keepdim=True)


def _of_classes(counts: Tensor, weights: Tensor) -> Tensor:
    """The weights, 0 for a class that an attribute does not have."""
    return weights.masked_fill(counts == 0, 0)


class Weighted(Criterion):
    """Cross entropy with a weight for each class of each attribute, a function of their counts.

    Parameters
    ----------
    weights_of : callable
        ``(class_counts, **options)`` -> Tensor (A, C).
    class_counts, epochs, classes, seed
        As of `Criterion`.
    options
        Keyword arguments of `weights_of`.
    """

    def __init__(
        self,
        weights_of: Callable[..., Tensor],
        class_counts: Tensor,
        epochs: float,
        *,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
        **options: Any,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        self.weights_of, self.options = weights_of, options
        self.class_weights = self._of_counts()  # (A, C); a buffer would lose its digits to half()
        if not self.class_weights.isfinite().all():
            raise ValueError(f"{weights_of.__name__} of these counts are not finite with {options}")

    def _of_counts(self) -> Tensor:
        with torch.inference_mode(False):  # for later steps, too, that have a gradient
            return self.weights_of(self.class_counts, **self.options)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Weighted":
        super()._apply(fn, recurse)
        self.class_weights = self._of_counts()  # on another device to that one's digits
        return self

    def trained_prior(self) -> Tensor | None:
        return shares(self.class_counts * self.class_weights)

    def classification_loss(
        self, logits: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        of_class = self.class_weights.gather(1, labels.T.long().clamp(min=0)).T
        return weighted_cross_entropy(logits, labels, of_class, weights), of_class

    def _get_name(self) -> str:
        return self.weights_of.__name__


def method_of_weights(
    name: str, weights_of: Callable[..., Tensor], summary: str, **about: Any
) -> Method:
    """The entry of a method that weighs the classes by this function of their counts.

    Parameters
    ----------
    name, summary, about
        As of `Method`.
    weights_of : callable
        ``(class_counts (A, C), **options)`` -> Tensor (A, C).
    """
    return Method(name, partial(Weighted, weights_of), summary, signature=weights_of, **about)


ENTRIES = (
    method_of_weights(
        "cost-sensitive", cost_sensitive_weights, "weights N / (C n_c)", colour="#882255"
    ),
    method_of_weights(
        "pos-weight", pos_weights, "weights (1 - p) / p of the positives", colour="#206C6F"
    ),
    method_of_weights(
        "class-balanced", class_balanced_weights, "effective numbers of samples", colour="#795F15"
    ),
    method_of_weights(
        "deepmar", deepmar_weights, "weights exp(1 - p) and exp(p)", colour="#748B4B"
    ),
)
