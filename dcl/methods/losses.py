"""Other losses than cross entropy: focal, asymmetric, logit-adjusted."""

from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import as_sample_weights, at_least_float32, check_logits
from ..protocol import Criterion, shares
from ..sampling import cross_entropy, weigh, weighted_cross_entropy
from .entry import Method

FINE = 1e-3  # of ASL's clip: below, log(1 - p + clip) has lost its digits by 1 - p
Tau = Annotated[float, "of logit-adjustment and tau-norm (their papers: 1)"]


def focal_loss(
    logits: Tensor, labels: Tensor, *, gamma: float = 2.0, weights: Tensor | None = None
) -> Tensor:
    """Focal loss: cross entropy times (1 - p) ** gamma of the true class (Lin et al. 2017).

    Without their alpha. Mean over the batch, summed over attributes.

    Parameters
    ----------
    logits : Tensor (B, A, C)
    labels : Tensor (B, A), integer
    gamma : float
        0 or more; 0 is cross entropy.
    weights : Tensor (B, A), optional
        Of samples.

    Examples
    --------
    >>> focal_loss(torch.zeros(3, 1, 2), torch.zeros(3, 1, dtype=torch.long))  # ln 2 / 4
    tensor(0.1733)
    """
    check_logits(logits, labels)
    if not gamma >= 0:
        raise ValueError(f"gamma must be 0 or more, got {gamma!r}")
    entropy = cross_entropy(logits, labels)  # (A, B), 0 where unknown
    losses = _power(-torch.expm1(-entropy), gamma) * entropy
    return weigh(losses, weights).sum() / max(1, labels.shape[0])


def _power(base: Tensor, exponent: float) -> Tensor:
    """base ** exponent of a base in [0, 1] that rounds to 0, where the slope would be infinite."""
    return base.clamp(min=torch.finfo(base.dtype).tiny) ** exponent


def asymmetric_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    clip: float = 0.05,
    weights: Tensor | None = None,
) -> Tensor:
    """Asymmetric loss, ASL, of yes-or-no attributes (Ridnik et al. 2021, Eq. 5-7).

    With p the probability of yes and p_m = max(p - clip, 0): a positive adds
    (1 - p) ** gamma_positive * -log p, a negative p_m ** gamma_negative * -log(1 - p_m). Mean over
    the batch, summed over attributes, where their code sums over both.

    Parameters
    ----------
    logits : Tensor (B, A, 2)
    labels : Tensor (B, A), integer
        -1 where unknown.
    gamma_positive, gamma_negative : float
        0 or more; both 0 with clip 0 is cross entropy.
    clip : float
        Probability below which a negative adds nothing, in [0, 1).
    weights : Tensor (B, A), optional
        Of samples.

    Examples
    --------
    >>> asymmetric_loss(torch.zeros(1, 1, 2), torch.tensor([[1]]))  # ln 2
    tensor(0.6931)
    """
    check_logits(logits, labels)
    if logits.shape[2] != 2:
        raise ValueError(f"the asymmetric loss is for 2 classes, got {logits.shape[2]}")
    if not gamma_positive >= 0 or not gamma_negative >= 0 or not 0 <= clip < 1:
        raise ValueError(
            f"gamma_positive and gamma_negative must be 0 or more and clip in [0, 1), got "
            f"{gamma_positive!r}, {gamma_negative!r} and {clip!r}"
        )
    logits = at_least_float32(logits)
    score = logits[..., 1] - logits[..., 0]  # (B, A)
    positive, negative = labels == 1, labels == 0
    p = score.sigmoid()
    yes = _power((-score).sigmoid(), gamma_positive) * -F.logsigmoid(score)
    shifted = (p - clip).clamp(min=0)
    if clip > FINE:
        log_no = torch.log1p(-shifted)
    else:  # log(1 - p + clip), exact for large scores, where 1 - p is rounded to 0
        log_clip = torch.full_like(score, clip).log()
        log_no = torch.logaddexp(F.logsigmoid(-score), log_clip).clamp(max=0)
    no = _power(shifted, gamma_negative) * -log_no
    loss = torch.where(positive, yes, 0) + torch.where(negative, no, 0)
    return weigh(loss.T, weights).T.sum() / max(1, len(labels))


def logit_adjusted(logits: Tensor, class_counts: Tensor, *, tau: float = 1.0) -> Tensor:
    """Logits plus tau times the logarithm of the training prior (Menon et al. 2021, Eq. 10).

    Cross entropy of these trains; the largest *plain* logit decides. What `dcl.decide` does with
    class counts is their post-hoc form, and for two classes the threshold moved to the prior.
    """
    if not 0 <= tau < float("inf"):
        raise ValueError(f"tau must be 0 or more, got {tau!r}")
    counts = class_counts.double()
    prior = torch.where(counts > 0, (counts / counts.sum(1, keepdim=True)).log(), 0.0)
    logits = at_least_float32(logits)
    return logits + tau * prior.to(logits.dtype)


class Loss(Criterion):
    """A loss of logits and labels, without weights or features of its own."""

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
        """logits (B, A, C), labels (B, A), weights (B, A) of samples or None -> scalar."""
        raise NotImplementedError

    def forward(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, as of `DCLLoss.forward`."""
        logits, features, labels = self.batch(logits, features, labels)
        loss = self.loss(logits, labels, as_sample_weights(weights, labels))
        self._last = {"classification": loss.detach()}, labels, None
        return loss


class Focal(Loss):
    """Focal loss (Lin et al. 2017)."""

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        gamma: Annotated[float, "of focal (Lin et al. 2017)"] = 2.0,
        **more,
    ):
        super().__init__(class_counts, epochs, **more)
        if not 0 <= gamma < float("inf"):
            raise ValueError(f"gamma must be 0 or more, got {gamma!r}")
        self.gamma = gamma

    def trained_prior(self) -> Tensor | None:
        return None

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
        return focal_loss(logits, labels, gamma=self.gamma, weights=weights)


class Asymmetric(Loss):
    """Asymmetric loss (Ridnik et al. 2021), of yes-or-no attributes."""

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        gamma_positive: Annotated[float, "of asl, for positives (Ridnik et al. 2021)"] = 0.0,
        gamma_negative: Annotated[float, "of asl, for negatives (Ridnik et al. 2021)"] = 4.0,
        clip: Annotated[float, "of asl, probability that negatives are let off"] = 0.05,
        **more,
    ):
        super().__init__(class_counts, epochs, **more)
        self.options: dict[str, Any] = {
            "gamma_positive": gamma_positive, "gamma_negative": gamma_negative, "clip": clip
        }  # fmt: skip
        if self.class_counts.shape[1] != 2:
            raise ValueError(f"asl is for 2 classes, got {self.class_counts.shape[1]}")
        asymmetric_loss(torch.zeros(1, 1, 2), torch.zeros(1, 1, dtype=torch.long), **self.options)

    def trained_prior(self) -> Tensor | None:
        return None

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
        return asymmetric_loss(logits, labels, weights=weights, **self.options)


class LogitAdjusted(Loss):
    """Cross entropy of logits moved by the prior (Menon et al. 2021)."""

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        tau: Tau = 1.0,
        **more,
    ):
        super().__init__(class_counts, epochs, **more)
        logit_adjusted(torch.zeros(1, *self.class_counts.shape), self.class_counts, tau=tau)
        self.tau = tau

    def trained_prior(self) -> Tensor | None:
        powers = self.class_counts.double() ** (1 - self.tau)
        return shares(powers.where(self.class_counts > 0, 0.0))

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
        adjusted = logit_adjusted(logits, self.class_counts, tau=self.tau)
        return weighted_cross_entropy(adjusted, labels, weights)


ENTRIES = (
    Method("focal", Focal, "easy samples count less", colour="#000000"),
    Method("asl", Asymmetric, "easy negatives count nothing", colour="#EE7733", tasks="binary"),
    Method("logit-adjustment", LogitAdjusted, "the prior in the logits", colour="#AA4499"),
)
