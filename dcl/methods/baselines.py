"""The methods that DCL is compared with and that are no special case of it (Table 2, and more).

Each formula is a function of its own; `Baseline` gives all of them DCLLoss's interface.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import at_least_float32, check_class_counts, check_labels, check_logits, choose
from ..sampling import RandomSource, batch_shares, count_classes, dsl_loss, rank_in_class
from ..triplet import triplet_terms

BASELINES = (
    "over-sampling",
    "down-sampling",
    "cost-sensitive",
    "crl-original",
    "pos-weight",
    "logit-adjustment",
    "focal",
    "class-balanced",
    "ldam-drw",
)


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
    check_class_counts(class_counts)
    counts = class_counts.double()
    return counts.sum(1, keepdim=True) / (counts.shape[1] * counts)


def pos_weights(class_counts: Tensor) -> Tensor:
    """Weights (1 - p_c) / p_c of each class; for two classes 1 and (1 - p) / p.

    With two classes that is torch's ``binary_cross_entropy_with_logits(pos_weight=(1-p)/p)`` on
    the difference of the logits.

    Examples
    --------
    >>> pos_weights(torch.tensor([[75, 25]]))
    tensor([[1., 3.]], dtype=torch.float64)
    """
    check_class_counts(class_counts)
    share = class_counts.double() / class_counts.sum(1, keepdim=True)
    weights = (1 - share) / share
    if class_counts.shape[1] == 2:
        weights[:, 0] = 1
    return weights


def class_balanced_weights(class_counts: Tensor, *, beta: float = 0.9999) -> Tensor:
    """Inverse effective numbers (1 - beta) / (1 - beta ** n_c), summing to C (Cui et al. 2019).

    Examples
    --------
    >>> class_balanced_weights(torch.tensor([[75, 25]]), beta=0.9)
    tensor([[0.9630, 1.0370]], dtype=torch.float64)
    """
    check_class_counts(class_counts)
    if not 0 <= beta < 1:
        raise ValueError(f"beta must lie in [0, 1), got {beta!r}")
    counts = class_counts.double()
    weights = (1 - beta) / (1 - beta**counts)
    return counts.shape[1] * weights / weights.sum(1, keepdim=True)


def resampling_weights(
    labels: Tensor, classes: int, how: str, generator: torch.Generator | None = None
) -> Tensor:
    """How often each sample occurs once the batch is resampled to equal classes, scaled to mean 1.

    One network has many attributes, so no sampler can balance all: each attribute resamples the
    shared batch for itself. ``over`` repeats the samples of a class until it is as large as the
    largest one: each as often as fits, and a random rest once more. ``down`` keeps as many random
    samples of each class as the smallest one present has. The counts are exact. Divided by their
    mean, they leave the size of a step comparable to cross entropy's.

    Parameters
    ----------
    labels : Tensor (B, A), integer
    classes : int
        C.
    how : {"over", "down"}
    generator : torch.Generator, optional
        On the labels' device; torch's global one without it.

    Returns
    -------
    Tensor (B, A), float64

    Examples
    --------
    >>> labels = torch.tensor([[0], [0], [0], [0], [1], [1]])
    >>> resampling_weights(labels, 2, "over").T
    tensor([[0.7500, 0.7500, 0.7500, 0.7500, 1.5000, 1.5000]], dtype=torch.float64)
    """
    choose("resampling", how, ("over", "down"))
    counts = count_classes(labels, classes)  # (A, C)
    labels = labels.T.long().contiguous()  # (A, B)
    rank = rank_in_class(labels, counts, generator)
    own = counts.gather(1, labels)  # (A, B) size of each sample's class, positive
    if how == "over":
        largest = counts.amax(1, keepdim=True)
        times = largest // own + (rank < largest % own)
    else:
        smallest = counts.masked_fill(counts == 0, labels.shape[1]).amin(1, keepdim=True)
        times = rank < smallest
    times = times.double()
    return (times * labels.shape[1] / times.sum(1, keepdim=True)).T


def focal_loss(logits: Tensor, labels: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Focal loss: cross entropy times (1 - p) ** gamma of the true class (Lin et al. 2017).

    Without their alpha. Mean over the batch, summed over attributes.

    Parameters
    ----------
    logits : Tensor (B, A, C)
    labels : Tensor (B, A), integer
    gamma : float
        0 or more; 0 is cross entropy.

    Examples
    --------
    >>> focal_loss(torch.zeros(3, 1, 2), torch.zeros(3, 1, dtype=torch.long))  # ln 2 / 4
    tensor(0.1733)
    """
    check_logits(logits, labels)
    if not gamma >= 0:
        raise ValueError(f"gamma must be 0 or more, got {gamma!r}")
    logits = at_least_float32(logits).permute(1, 2, 0)  # (A, C, B)
    entropy = F.cross_entropy(logits, labels.T.long(), reduction="none")
    return ((-torch.expm1(-entropy)) ** gamma * entropy).sum() / max(1, labels.shape[0])


def logit_adjusted(logits: Tensor, class_counts: Tensor, *, tau: float = 1.0) -> Tensor:
    """Logits plus tau times the logarithm of the training prior (Menon et al. 2021, Eq. 10).

    Cross entropy of these trains; the largest *plain* logit decides. What `dcl.decide` does with
    class counts is their post-hoc form, and for two classes the threshold moved to the prior.
    """
    check_class_counts(class_counts)
    counts = class_counts.double()
    return logits + tau * (counts / counts.sum(1, keepdim=True)).log().to(logits.dtype)


def ldam_logits(
    logits: Tensor,
    labels: Tensor,
    class_counts: Tensor,
    *,
    max_margin: float = 0.5,
    scale: float = 30.0,
) -> Tensor:
    """Logits with the true class's reduced by its margin, then scaled (Cao et al. 2019).

    The margin is proportional to n_c ** -1/4 and `max_margin` for the rarest class. The scale is
    meant for the cosines of a normalised output layer; give 1 with an ordinary one.
    """
    check_class_counts(class_counts)
    check_logits(logits, labels)
    margins = class_counts.double() ** -0.25
    margins = max_margin * margins / margins.amax(1, keepdim=True)  # (A, C)
    true = F.one_hot(labels.long(), logits.shape[2])
    return scale * (logits - true * margins.to(logits.dtype))


class Baseline(nn.Module):
    """One of `BASELINES` as a criterion with DCLLoss's interface; it has no schedules g and f.

    Parameters
    ----------
    method : str
        One of `BASELINES`. ``crl-original`` is alpha L_crl + (1 - alpha) L_ce per attribute
        (Dong et al. 2018), alpha = eta times the percentage of the training set that would have
        to be added to balance it. ``ldam-drw`` takes class-balanced weights in its last fifth.
    class_counts : Tensor (A, C)
        Samples of each class in the training set, positive.
    epochs : float
        L.
    gamma, beta, tau, eta : float
        Of ``focal``, ``class-balanced`` and ``ldam-drw``, ``logit-adjustment``, ``crl-original``
        (their papers: 2, 0.9999, 1; eta is ours).
    scale : float
        Of ``ldam-drw``, see `ldam_logits`.
    seed : int, optional
        Of the resampling.
    triplet_options
        k, margin, ... of `dcl.triplet_loss`, for ``crl-original``.

    Attributes
    ----------
    parts : dict[str, Tensor]
        As `DCLLoss.parts`.
    """

    g = f = None

    def __init__(
        self,
        method: str,
        class_counts: Tensor,
        epochs: float,
        *,
        gamma: float = 2.0,
        beta: float = 0.9999,
        tau: float = 1.0,
        eta: float = 0.01,
        scale: float = 30.0,
        seed: int | None = None,
        **triplet_options,
    ):
        super().__init__()
        choose("method", method, BASELINES)
        class_counts = torch.as_tensor(class_counts)
        check_class_counts(class_counts.cpu())
        if method == "ldam-drw" and class_counts.shape[0] > 1:
            raise ValueError(
                f"ldam-drw is for single-label tasks (1 attribute), got {class_counts.shape[0]}"
            )
        self.method, self.epochs = method, epochs
        self.gamma, self.tau, self.scale = gamma, tau, scale
        self.register_buffer("class_counts", class_counts.double(), persistent=False)
        weights = {
            "cost-sensitive": lambda: cost_sensitive_weights(class_counts),
            "pos-weight": lambda: pos_weights(class_counts),
            "class-balanced": lambda: class_balanced_weights(class_counts, beta=beta),
            "ldam-drw": lambda: class_balanced_weights(class_counts, beta=beta),
        }.get(method, lambda: torch.ones(class_counts.shape, dtype=torch.float64))()
        self.register_buffer("class_weights", weights, persistent=False)
        self.register_buffer("alpha", eta * self.imbalance(class_counts), persistent=False)
        if method == "crl-original" and self.alpha.max() > 1:
            raise ValueError(f"eta {eta!r} gives alpha {self.alpha.max():.2f}, more than 1")
        self.triplet_options = {**triplet_options, "anchors": "all"}
        self.random = RandomSource(seed)
        self.set_epoch(0)

    @staticmethod
    def imbalance(class_counts: Tensor) -> Tensor:
        """Percentage of an attribute's training samples to add for balance, (A,) in [0, 100)."""
        counts = class_counts.double()
        balanced = counts.shape[1] * counts.amax(1)
        return 100 * (1 - counts.sum(1) / balanced)

    def set_epoch(self, epoch: float) -> None:
        """Only ``ldam-drw`` asks: its weights begin after four fifths (Cao et al.: 160 of 200)."""
        if not 0 <= epoch <= self.epochs:
            raise ValueError(f"epoch must lie in [0, {self.epochs}], got {epoch!r}")
        self.reweighted = self.method != "ldam-drw" or epoch >= 0.8 * self.epochs

    def forward(self, logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch: logits (B, A, C), features (B, A, D), labels (B, A) -> scalar."""
        check_logits(logits, labels)
        check_labels(labels, *self.class_counts.shape)
        weights = self.weights(labels)
        if self.method == "focal":
            loss = focal_loss(logits, labels, gamma=self.gamma)
        elif self.method == "logit-adjustment":
            adjusted = logit_adjusted(logits, self.class_counts, tau=self.tau)
            loss = dsl_loss(adjusted, labels)
        elif self.method == "ldam-drw":
            adjusted = ldam_logits(logits, labels, self.class_counts, scale=self.scale)
            loss = dsl_loss(adjusted, labels, weights)
        else:
            loss = dsl_loss(logits, labels, weights)
        self._last = {"classification": loss.detach()}, labels, weights
        if self.method != "crl-original":
            return loss
        terms = triplet_terms(features, logits, labels, **self.triplet_options)
        metric = (self.alpha * terms.loss).sum()
        self._last[0].update(metric=metric.detach(), triples=terms.triples, active=terms.active)
        return loss + metric

    def weights(self, labels: Tensor) -> Tensor:
        """Weights (B, A) of the samples in the cross entropy."""
        if self.method in ("over-sampling", "down-sampling"):
            how, generator = self.method.split("-")[0], self.random.on(labels.device)
            return resampling_weights(labels, self.class_counts.shape[1], how, generator)
        if self.method == "crl-original":
            return (1 - self.alpha).expand(labels.shape)
        weights = self.class_weights if self.reweighted else torch.ones_like(self.class_weights)
        return weights.gather(1, labels.T.long()).T

    @property
    def parts(self) -> dict[str, Tensor]:
        """What the last step's loss was made of, see the class."""
        parts, labels, weights = self._last
        return parts | batch_shares(labels, weights, self.class_counts)
