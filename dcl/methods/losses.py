"""Other losses than cross entropy: focal, asymmetric, logit-adjusted, LDAM."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import (
    as_sample_weights,
    as_shares,
    at_least_float32,
    check_labels,
    check_logits,
    check_scored,
    check_tensors,
    number,
    reads_values,
    signed,
)
from ..protocol import Criterion
from ..reminders import Reminders, caller
from ..sampling import cross_entropy, weigh, weighted_cross_entropy
from .entry import Method
from .weights import BETA, Beta, effective

FINE = 1e-3  # of ASL's clip: below, log(1 - p + clip) has lost its digits by 1 - p
DEFERRED = 0.8  # share of the epochs before LDAM's weights begin (Cao et al.: 160 of 200)
TAU, SCALE, MAX_MARGIN = 1.0, 30.0, 0.5
Tau = Annotated[float, "of logit-adjustment and tau-norm (their papers: 1)"]


def focal_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma: Annotated[float, "of focal (Lin et al. 2017)"] = 2.0,
    weights: Tensor | None = None,
) -> Tensor:
    """Focal loss: cross entropy times (1 - p) ** gamma of the true class (Lin et al. 2017).

    Without their alpha. Mean over the batch, summed over attributes.

    Parameters
    ----------
    logits : Tensor (B, A, C)
    labels : Tensor (B, A), integer
    gamma : float
        0 or more; 0 is cross entropy.
    weights : Tensor (B, A) or (B,), optional
        Of samples.

    Returns
    -------
    Tensor, scalar
        float32 for logits of half precision.

    Raises
    ------
    ValueError
        For shapes that do not fit, values out of range, and a label of a class whose logits are all
        -inf.

    Examples
    --------
    >>> focal_loss(torch.zeros(3, 1, 2), torch.zeros(3, 1, dtype=torch.long))  # ln 2 / 4
    tensor(0.1733)
    """
    labels, weights = _checked(logits, labels, weights)
    number("gamma", gamma)
    entropy = cross_entropy(logits, labels)  # (A, B), 0 where unknown
    losses = _power(-torch.expm1(-entropy), gamma) * entropy
    return weigh(losses, weights).sum() / max(1, labels.shape[0])


def _checked(
    logits: Tensor, labels: Tensor, weights: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Labels and weights (B, A) of a batch that fits."""
    check_tensors(logits=logits, labels=labels)
    labels = signed(labels)
    check_logits(logits, labels)
    check_labels(labels, *logits.shape[1:])
    check_scored(logits, labels)
    return labels, as_sample_weights(weights, labels)


def _power(base: Tensor, exponent: float) -> Tensor:
    """base ** exponent of a base in [0, 1] that rounds to 0, where the slope would be infinite."""
    return base.clamp(min=torch.finfo(base.dtype).tiny) ** exponent


def asymmetric_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma_positive: Annotated[float, "of asl, for positives (Ridnik et al. 2021)"] = 0.0,
    gamma_negative: Annotated[float, "of asl, for negatives (Ridnik et al. 2021)"] = 4.0,
    clip: Annotated[float, "of asl, probability that negatives are let off"] = 0.05,
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
    weights : Tensor (B, A) or (B,), optional
        Of samples.

    Returns
    -------
    Tensor, scalar
        float32 for logits of half precision.

    Raises
    ------
    ValueError
        For shapes that do not fit, more than two classes, values out of range, and a label of a
        class whose logits are all -inf.

    Examples
    --------
    >>> asymmetric_loss(torch.zeros(1, 1, 2), torch.tensor([[1]]))  # ln 2
    tensor(0.6931)
    """
    labels, weights = _checked(logits, labels, weights)
    if logits.shape[2] != 2:
        raise ValueError(f"the asymmetric loss is for 2 classes, got {logits.shape[2]}")
    number("gamma_positive", gamma_positive)
    number("gamma_negative", gamma_negative)
    number("clip", clip, 0, 1, ends="[)")
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


def logit_adjusted(logits: Tensor, class_counts: Tensor, *, tau: float = TAU) -> Tensor:
    """Logits plus tau times the logarithm of the training prior (Menon et al. 2021, Eq. 10).

    Train with the cross entropy of these, and decide by the logits as they were. With class counts
    `dcl.decide` is their post-hoc form: for two classes the threshold moved to the prior.

    Parameters
    ----------
    logits : Tensor (B, A, C), floating
    class_counts : Tensor (A, C)
        Of the training set; 0 for a class that an attribute does not have, which is not moved.
    tau : float
        0 or more.

    Returns
    -------
    Tensor (B, A, C), float32 or float64

    Raises
    ------
    ValueError
        For shapes that do not fit, counts that are negative or not finite, and a negative tau.

    Examples
    --------
    >>> logit_adjusted(torch.zeros(1, 1, 2), torch.tensor([[75, 25]])).softmax(2)
    tensor([[[0.7500, 0.2500]]])
    """
    number("tau", tau)
    return _adjusted(logits, _counts_for(logits, class_counts), tau)


def _counts_for(logits: Tensor, class_counts: Tensor) -> Tensor:
    """Class counts (A, C), checked, on the device of logits (B, A, C), which are checked, too."""
    check_tensors(logits=logits)
    if logits.ndim != 3 or not logits.is_floating_point():
        raise ValueError(
            f"logits must be (batch, attributes, classes), floating point, got shape "
            f"{tuple(logits.shape)}, dtype {logits.dtype}"
        )
    return as_shares(class_counts, logits.shape[1:]).to(logits.device)


def _adjusted(logits: Tensor, class_counts: Tensor, tau: float) -> Tensor:
    """`logit_adjusted` of arguments that are checked."""
    counts = class_counts.double()
    prior = torch.where(counts > 0, (counts / counts.sum(1, keepdim=True)).log(), 0.0)
    logits = at_least_float32(logits)
    return logits + tau * prior.to(logits.dtype)


def ldam_logits(
    logits: Tensor,
    labels: Tensor,
    class_counts: Tensor,
    *,
    max_margin: float = MAX_MARGIN,
    scale: float = SCALE,
) -> Tensor:
    """Logits with the true class's reduced by its margin, then scaled (Cao et al. 2019).

    The margin is proportional to n_c ** -1/4 and `max_margin` for the rarest class. The scale is
    meant for the cosines of a normalised output layer; give 1 with an ordinary one.

    Parameters
    ----------
    logits : Tensor (B, A, C), floating
    labels : Tensor (B, A), integer
        -1 where unknown.
    class_counts : Tensor (A, C)
        Of the training set; 0 for a class that an attribute does not have, whose margin is 0.
    max_margin : float
        0 or more.
    scale : float
        More than 0.

    Returns
    -------
    Tensor (B, A, C), float32 or float64

    Raises
    ------
    ValueError
        For shapes that do not fit and values out of range.

    Examples
    --------
    >>> logits, labels = torch.zeros(1, 1, 2), torch.tensor([[1]])
    >>> ldam_logits(logits, labels, torch.tensor([[81, 1]]), scale=1.0)
    tensor([[[ 0.0000, -0.5000]]])
    """
    number("max_margin", max_margin)
    number("scale", scale, ends="()")
    labels, _ = _checked(logits, labels, None)
    return _with_margins(logits, labels, _counts_for(logits, class_counts), max_margin, scale)


def _with_margins(
    logits: Tensor, labels: Tensor, class_counts: Tensor, max_margin: float, scale: float
) -> Tensor:
    """`ldam_logits` of arguments that are checked."""
    margins = (class_counts.double() ** -0.25).masked_fill(class_counts == 0, 0)
    margins = max_margin * margins / margins.amax(1, keepdim=True)  # (A, C)
    logits = at_least_float32(logits)
    true = F.one_hot(labels.long().clamp(min=0), logits.shape[2])
    return scale * (logits - true * margins.to(logits.dtype))


class Loss(Criterion):
    """A function of logits and labels as a criterion.

    Parameters
    ----------
    function : callable
        ``(logits (B, A, C), labels (B, A), *, weights, **options)`` -> scalar; `weights` (B, A) of
        samples, or None.
    class_counts, epochs, classes, seed
        As of `Criterion`.
    options
        Keyword arguments of `function`.
    """

    def __init__(
        self,
        function: Callable[..., Tensor],
        class_counts: Tensor,
        epochs: float,
        *,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
        **options: Any,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        self.function, self.options = function, options
        logits = torch.zeros(1, *self.class_counts.shape)
        function(logits, logits[..., 0].long(), weights=None, **options)  # for its checks

    def classification_loss(
        self, logits: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, None]:
        return self.function(logits, labels, weights=weights, **self.options), None

    def _get_name(self) -> str:
        return self.function.__name__


class LogitAdjusted(Criterion):
    """Cross entropy of logits moved by the prior (Menon et al. 2021)."""

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        tau: Tau = TAU,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        self.tau = number("tau", tau)

    def trained_prior(self) -> Tensor | None:
        powers = (1 - self.tau) * self.class_counts.clamp(min=1).double().log()
        return powers.masked_fill(self.class_counts == 0, -torch.inf).softmax(1)

    def classification_loss(
        self, logits: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, None]:
        adjusted = _adjusted(logits, self.class_counts, self.tau)
        return weighted_cross_entropy(adjusted, labels, weights), None


class LDAM(Criterion):
    """LDAM-DRW: margins from the start, class-balanced weights in the last fifth.

    The logits are to be cosines, of features and output weights of length 1, which `scale` (30)
    multiplies: ``ResNetCIFAR(cosine=True)`` gives them, and `dcl.networks.models.Branches` on any
    trunk. On a CPU we warn once where logits lie outside [-1, 1]. For an ordinary output layer
    give ``scale=1``.

    As in the authors' code the weighted loss is divided by the sum of the batch's weights; weights
    of samples are not part of that sum.
    """

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        beta: Beta = BETA,
        scale: Annotated[float, "of the cosines of ldam-drw (Cao et al. 2019)"] = SCALE,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        if self.class_counts.shape[0] > 1:
            raise ValueError(
                f"ldam-drw is for single-label tasks (1 attribute), got {len(self.class_counts)}"
            )
        number("scale", scale, ends="()")
        self.beta, self.scale = number("beta", beta, 0, 1, ends="[)"), scale
        self._told = scale == 1  # of logits that are no cosines
        self.reminders = Reminders(
            self.class_counts, still="the weights of ldam-drw do not begin or end"
        )
        self.set_epoch(0)

    def set_epoch(self, epoch: float) -> None:
        """The weights begin after four fifths of the epochs."""
        super().set_epoch(epoch)
        self.reweighted = epoch >= DEFERRED * self.epochs

    def classification_loss(
        self, logits: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        self.remind(labels)
        if not self._told and reads_values(logits):
            self._check_cosines(logits.detach())
        adjusted = _with_margins(logits, labels, self.class_counts, MAX_MARGIN, self.scale)
        entropy = cross_entropy(adjusted, labels)  # (1, B), 0 where unknown
        balance = (labels >= 0).T.to(entropy.dtype)
        if self.reweighted:
            table = effective(self.class_counts.double(), self.beta)
            balance = table.gather(1, labels.T.long().clamp(min=0)).to(entropy.dtype) * balance
        loss = weigh(balance * entropy, weights).sum() / balance.sum().clamp(min=1e-12)
        return loss, balance.T

    def _check_cosines(self, logits: Tensor) -> None:
        """Warn once of logits that are no cosines, by more than half precision rounds."""
        beyond = logits.abs() > 1.01
        if bool(beyond.any()):
            self._told = True
            warnings.warn(
                f"ldam-drw multiplies logits by {self.scale:g}, for cosines in [-1, 1], and got "
                f"{logits[beyond][0].item():.3g}: take an output layer of normalised features and "
                f"weights (Branches with cosine=True), or give scale=1",
                stacklevel=caller(),
            )


def method_of_loss(name: str, loss: Callable[..., Tensor], summary: str, **about: Any) -> Method:
    """The entry of a method that minimises this function of logits and labels.

    Parameters
    ----------
    name, summary, about
        As of `Method`.
    loss : callable
        ``(logits (B, A, C), labels (B, A), *, weights, **options)`` -> scalar; `weights` (B, A) of
        samples, or None. It is called once with zeros, to check the options.
    """
    return Method(name, partial(Loss, loss), summary, signature=loss, **about)


ENTRIES = (
    method_of_loss("focal", focal_loss, "easy samples count less", colour="#000000"),
    method_of_loss(
        "asl", asymmetric_loss, "easy negatives count nothing", colour="#A98E7E", tasks="binary"
    ),
    Method("logit-adjustment", LogitAdjusted, "the prior in the logits", colour="#AA4499"),
    Method(
        "ldam-drw",
        LDAM,
        "margins, and weights at the end",
        colour="#499BAB",
        tasks="single-label",
        network={"cosine": True},  # its logits are cosines
    ),
)
