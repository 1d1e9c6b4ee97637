"""CRL with its own weight for the triplets (Dong et al. 2018)."""

import warnings
from collections.abc import Sequence
from typing import Annotated

from torch import Tensor

from ..checks import as_sample_weights, number
from ..protocol import Criterion, shares
from ..reminders import caller
from ..sampling import weighted_cross_entropy
from ..triplet import (
    DEFAULT,
    Count,
    Margin,
    Normalise,
    Reduction,
    Squared,
    TripletOptions,
    mined_terms,
)
from .entry import Method


def alpha_of(class_counts: Tensor, eta: float) -> Tensor:
    """Weight alpha (A,) of the class rectification loss, in [0, 1].

    eta times the percentage of its training samples that an attribute lacks for balance, at most 1:
    with eta = 0.01 it is 0 for a balanced attribute and 0.955 for CelebA's Bald. Two classes stay
    below 1; more classes reach it where the largest holds 2 / C of the samples. Ours: their text
    speaks of the "minimum percentage count of data samples required" and of no bound.
    """
    number("eta", eta)
    return (100 * eta * _lacking(class_counts)).clamp(max=1)


def _lacking(class_counts: Tensor) -> Tensor:
    """Samples (A,) that an attribute lacks for balance, over those that it has."""
    counts = class_counts.double()
    classes = (counts > 0).sum(1)
    return classes * counts.amax(1) / counts.sum(1) - 1


class CRL(Criterion):
    """alpha L_crl + (1 - alpha) L_ce per attribute, alpha by its imbalance, see `alpha_of`.

    Where alpha is 1 the output layer of the attribute learns nothing, and we warn.
    """

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        eta: Annotated[float, "of crl-original (ours)"] = 0.01,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
        k: Count = DEFAULT.k,
        margin: Margin = DEFAULT.margin,
        anchors: str = "all",
        normalise: Normalise = DEFAULT.normalise,
        squared: Squared = DEFAULT.squared,
        reduction: Reduction = DEFAULT.reduction,
        rho: float = DEFAULT.rho,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        self.triplet_options = TripletOptions(
            k=k,
            margin=margin,
            anchors=anchors,
            normalise=normalise,
            squared=squared,
            reduction=reduction,
            rho=rho,
        )
        self.eta = eta
        full = (alpha_of(self.class_counts, eta) >= 1).nonzero().flatten().tolist()
        if full:
            most = 1 / (100 * _lacking(self.class_counts).max().item())
            warnings.warn(
                f"alpha of crl-original is 1 for attribute {', '.join(map(str, full))}, with class "
                f"counts {self.class_counts[full[0]].tolist()}: its classification term weighs 0, "
                f"so its output layer learns nothing. Give eta below {most:.2g}, eta={eta:g} now",
                stacklevel=caller(),
            )

    def trained_prior(self) -> Tensor:
        return shares(self.class_counts)

    def forward(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, as of `DCLLoss.forward`."""
        logits, features, labels = self.batch(logits, features, labels)
        alpha = alpha_of(self.class_counts, self.eta)  # (A,) float64
        parts = (1 - alpha).expand(labels.shape)
        given = as_sample_weights(weights, labels)
        loss = weighted_cross_entropy(logits, labels, parts, given)
        terms, triples, active = mined_terms(features, logits, labels, self.triplet_options)
        metric = (alpha.to(terms.dtype) * terms).sum()
        self.keep(labels, parts, classification=loss, metric=metric, triples=triples, active=active)
        return loss + metric


ENTRIES = (
    Method(
        "crl-original",
        CRL,
        "triplets of all anchors, weighed by imbalance",
        colour="#332288",
        fixed={"anchors": "all"},
    ),
)
