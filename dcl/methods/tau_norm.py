"""tau-normalisation of a cross-entropy network's output weights (Kang et al. 2020)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..criterion import PRESETS, DCLLoss
from .entry import Method
from .losses import Tau


class TauNorm(DCLLoss):
    """Trains cross entropy; decides with each class's output weights over their norm ** tau.

    Frequent classes end with longer weight vectors, which is taken back. The output's bias is left
    out, as in the authors' code.
    """

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        tau: Tau = 1.0,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        options = PRESETS["cross-entropy"]
        super().__init__(class_counts, epochs, classes=classes, seed=seed, **options)
        if not 0 <= tau < float("inf"):
            raise ValueError(f"tau must be 0 or more, got {tau!r}")
        self.tau = tau

    def trained_prior(self) -> Tensor | None:
        return None

    def scores(self, logits: Tensor, features: Tensor, model: nn.Module) -> Tensor:
        branches: Any = model.branches
        weight = branches.output_weight  # (A, D, C)
        weight = weight / weight.norm(dim=1, keepdim=True).clamp(min=1e-12) ** self.tau
        scores = torch.einsum("nad,adc->nac", features, weight)
        return scores.masked_fill(logits == -torch.inf, -torch.inf)


ENTRIES = (Method("tau-norm", TauNorm, "output weights of equal length", colour="#77AADD"),)
