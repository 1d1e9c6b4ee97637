"""Cross entropy, then a better output layer: crt, tau-norm (Kang et al. 2020)."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import UNKNOWN, check_tensors, number
from ..criterion import PRESETS, DCLLoss
from ..protocol import Look, UntrainedError, shares
from ..reminders import Reminders
from .entry import Method
from .losses import TAU, Tau

PASSES = 10  # over the training set's features, as in the paper
BATCH, RATE = 512, 0.2  # theirs on ImageNet-LT: rate 0.2 for 512 images, cosine to 0
MOMENTUM, DECAY = 0.9, 5e-4


class ClassifierRetraining(DCLLoss):
    """Trains cross entropy; after its last epoch learns an output layer anew on balanced batches.

    The features are frozen and looked at once, without augmentation (ours). Each attribute draws
    its own batches, a class first and then a sample of it: one batch cannot be balanced for all.
    Weights of samples are of the first training alone.
    """

    one_process = True  # it looks at the whole training set

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        options = PRESETS["cross-entropy"]
        super().__init__(class_counts, epochs, classes=classes, seed=seed, **options)
        still = "the last epoch, after which crt learns its layer, does not come"
        self.reminders = Reminders(self.class_counts, still=still)
        self.weight: Tensor | None = None  # (A, D, C) of the new layer
        self.bias: Tensor | None = None  # (A, C)

    @property
    def selectable(self) -> bool:
        """Once there is a new output layer: after the last epoch."""
        return self.weight is not None

    def before_scoring(self, look: Look) -> None:
        if self.epoch >= self.epochs - 1:
            features, labels = look()
            generator = self.random.of_training(features.device)
            self.weight, self.bias = balanced_layer(
                features, labels, self.class_counts, generator=generator
            )

    def trained_prior(self) -> Tensor | None:
        """Balance once there is a new layer; before, the logits are of a plain training."""
        return super().trained_prior() if self.weight is None else shares(self.class_counts > 0)

    def scores(self, logits: Tensor, features: Tensor, model: nn.Module) -> Tensor:
        """Of the new layer; before there is one the logits, while training goes on."""
        if self.weight is None or self.bias is None:
            if not self.training:
                raise UntrainedError("crt decides by a layer learned in training: train first")
            return logits
        _check_width(features, self.weight)
        x = features.transpose(0, 1)  # (A, N, D) x (A, D, C)
        scores = torch.baddbmm(self.bias.unsqueeze(1).to(x), x, self.weight.to(x)).transpose(0, 1)
        return scores.masked_fill(logits == -torch.inf, -torch.inf)

    def get_extra_state(self) -> dict[str, Any]:
        return super().get_extra_state() | {"weight": self.weight, "bias": self.bias}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        super().set_extra_state(state)
        self.weight, self.bias = state["weight"], state["bias"]


def _check_width(features: Tensor, weight: Tensor) -> None:
    """Features (N, A, D) fit the weights (A, D, C) of a layer."""
    check_tensors(features=features)
    attributes, width, _ = weight.shape
    if features.shape[1:] != (attributes, width):
        raise ValueError(
            f"features must be (samples, {attributes}, {width}) as the output layer takes them, "
            f"got shape {tuple(features.shape)}"
        )


@torch.enable_grad()
def balanced_layer(
    features: Tensor,
    labels: Tensor,
    class_counts: Tensor,
    *,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Weight (A, D, C) and bias (A, C) of linear layers, learned on class-balanced batches.

    Parameters
    ----------
    features : Tensor (N, A, D)
    labels : Tensor (N, A), integer
        -1 where unknown: never drawn for that attribute.
    class_counts : Tensor (A, C)
        0 for a class that an attribute does not have: its logit stays out.
    generator : torch.Generator, optional
        On the features' device.
    """
    samples, attributes, width = features.shape
    labels = labels.T.long().to(features.device)  # (A, N)
    missing = (class_counts == 0).to(features.device)
    counts = torch.zeros(class_counts.shape, dtype=torch.float64, device=features.device)
    known = labels != UNKNOWN
    counts.scatter_add_(1, labels.clamp(min=0), known.double())
    share = (1 / counts).gather(1, labels.clamp(min=0)).masked_fill(~known, 0)
    upto = share.cumsum(1)  # (A, N): a uniform number falls into each class alike
    bound = width**-0.5  # as nn.Linear draws its weights
    weight = features.new_empty(attributes, width, class_counts.shape[1])
    weight.uniform_(-bound, bound, generator=generator).requires_grad_()
    bias = features.new_zeros(attributes, 1, class_counts.shape[1]).requires_grad_()
    optimiser = torch.optim.SGD([weight, bias], lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    size = min(BATCH, samples)
    steps = PASSES * math.ceil(samples / size)
    attribute = torch.arange(attributes, device=features.device).unsqueeze(1)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / steps)) / 2
        u = torch.rand(
            attributes, size, dtype=torch.float64, device=features.device, generator=generator
        )
        rows = torch.searchsorted(upto, u * upto[:, -1:], right=True).clamp(max=samples - 1)
        logits = torch.baddbmm(bias, features[rows, attribute], weight)  # (A, size, C)
        logits = logits.masked_fill(missing.unsqueeze(1), -torch.inf).transpose(1, 2)
        loss = F.cross_entropy(
            logits, labels.gather(1, rows), ignore_index=UNKNOWN, reduction="sum"
        )
        optimiser.zero_grad()
        (loss / size).backward()
        optimiser.step()
    return weight.detach(), bias.detach().squeeze(1)


class TauNorm(DCLLoss):
    """Trains cross entropy; decides with each class's output weights over their norm ** tau.

    Frequent classes end with longer weight vectors; we undo that. The output's bias is left
    out, as in the authors' code.
    """

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        tau: Tau = TAU,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        options = PRESETS["cross-entropy"]
        super().__init__(class_counts, epochs, classes=classes, seed=seed, **options)
        self.tau = number("tau", tau)

    def trained_prior(self) -> Tensor | None:
        return None

    def scores(self, logits: Tensor, features: Tensor, model: nn.Module) -> Tensor:
        branches = getattr(model, "branches", None)
        weight: Any = getattr(branches, "output_weight", None)  # (A, D, C)
        if weight is None:
            raise ValueError(
                f"tau-norm decides by the output layer of the network: give scores a model whose "
                f"branches.output_weight is (attributes, width, classes), as the networks of "
                f"dcl.networks have it, got a {type(model).__name__}. For another network, "
                f"types.SimpleNamespace(branches=types.SimpleNamespace(output_weight=...))"
            )
        _check_width(features, weight)
        weight = weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-12) ** self.tau
        scores = torch.einsum("nad,adc->nac", features, weight.to(features))
        return scores.masked_fill(logits == -torch.inf, -torch.inf)


ENTRIES = (
    Method("tau-norm", TauNorm, "output weights of equal length", colour="#5A5E87"),
    Method("crt", ClassifierRetraining, "an output layer learned anew, balanced", colour="#888DBF"),
)
