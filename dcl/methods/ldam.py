"""LDAM with deferred re-weighting (Cao et al. 2019), for a single label."""

from typing import Annotated

import torch.nn.functional as F
from torch import Tensor

from ..checks import as_sample_weights, at_least_float32, check_logits
from ..protocol import Criterion
from ..sampling import cross_entropy, weigh
from .entry import Method
from .reweighting import Beta, class_balanced_weights

DEFERRED = 0.8  # share of the epochs before the weights begin (Cao et al.: 160 of 200)


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
    check_logits(logits, labels)
    margins = class_counts.double() ** -0.25
    margins = max_margin * margins / margins.amax(1, keepdim=True)  # (A, C)
    logits = at_least_float32(logits)
    true = F.one_hot(labels.long().clamp(min=0), logits.shape[2])
    return scale * (logits - true * margins.to(logits.dtype))


class LDAM(Criterion):
    """LDAM-DRW: margins from the start, class-balanced weights in the last fifth.

    As in the authors' code the weighted loss is divided by the sum of the batch's weights.
    """

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        beta: Beta = 0.9999,
        scale: Annotated[float, "of the cosines of ldam-drw (Cao et al. 2019)"] = 30.0,
        **more,
    ):
        super().__init__(class_counts, epochs, **more)
        if self.class_counts.shape[0] > 1:
            raise ValueError(
                f"ldam-drw is for single-label tasks (1 attribute), got {len(self.class_counts)}"
            )
        if not 0 < scale < float("inf"):
            raise ValueError(f"scale must be more than 0, got {scale!r}")
        class_balanced_weights(self.class_counts, beta=beta)  # for its check
        self.beta, self.scale = beta, scale
        self.set_epoch(0)

    def set_epoch(self, epoch: float) -> None:
        """The weights begin after four fifths; a flag, for a compiled graph is made for each."""
        super().set_epoch(epoch)
        self.reweighted = epoch >= DEFERRED * self.epochs

    def trained_prior(self) -> Tensor | None:
        return None

    def forward(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, as of `DCLLoss.forward`; one attribute.

        Weights of samples are not part of the sum of weights that it is divided by.
        """
        logits, features, labels = self.batch(logits, features, labels)
        given = as_sample_weights(weights, labels)
        adjusted = ldam_logits(logits, labels, self.class_counts, scale=self.scale)
        entropy = cross_entropy(adjusted, labels)  # (1, B), 0 where unknown
        balance = (labels >= 0).T.to(entropy.dtype)
        if self.reweighted:
            table = class_balanced_weights(self.class_counts, beta=self.beta)
            balance = table.gather(1, labels.T.long().clamp(min=0)).to(entropy.dtype) * balance
        loss = weigh(balance * entropy, given).sum() / balance.sum().clamp(min=1e-12)
        self._last = {"classification": loss.detach()}, labels, balance.T
        return loss


ENTRIES = (
    Method(
        "ldam-drw",
        LDAM,
        "margins, and weights at the end",
        colour="#88CCEE",
        tasks="single-label",
        network={"cosine": True},  # its logits are cosines
    ),
)
