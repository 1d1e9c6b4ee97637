"""Re-sampling to equal classes: of each batch anew, or of the training set once."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from ..checks import as_sample_weights, check_labels, check_tensors, choose, flag, signed, whole
from ..protocol import Criterion, shares
from ..sampling import count_known, rank_in_class, weighted_cross_entropy
from .entry import Method


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
        -1 where unknown: weighs 0, and the mean is over the known.
    classes : int
        C, 2 or more.
    how : {"over", "down"}
    generator : torch.Generator, optional
        On the labels' device; torch's global one without it.

    Returns
    -------
    Tensor (B, A), float64

    Raises
    ------
    ValueError
        For labels of another shape or out of range, and impossible arguments.

    Examples
    --------
    >>> labels = torch.tensor([[0], [0], [0], [0], [1], [1]])
    >>> resampling_weights(labels, 2, "over").T
    tensor([[0.7500, 0.7500, 0.7500, 0.7500, 1.5000, 1.5000]], dtype=torch.float64)
    """
    choose("resampling", how, ("over", "down"))
    classes = whole("classes", classes, 2)
    check_tensors(labels=labels)
    labels = signed(labels)
    check_labels(labels, labels.shape[1] if labels.ndim == 2 else 1, classes)
    return _times(labels, classes, how, generator)


def _times(labels: Tensor, classes: int, how: str, generator: torch.Generator | None) -> Tensor:
    """`resampling_weights` of arguments that are checked."""
    labels = labels.T.long().contiguous()  # (A, B)
    counts = count_known(labels, classes)  # (A, C)
    known, labels = labels >= 0, labels.clamp(min=0)
    rank = rank_in_class(labels, counts, generator, known)
    own = counts.gather(1, labels).clamp(min=1)  # (A, B) size of each known sample's class
    if how == "over":
        largest = counts.amax(1, keepdim=True)
        times = largest // own + (rank < largest % own)
    else:
        smallest = counts.masked_fill(counts == 0, labels.shape[1]).amin(1, keepdim=True)
        times = rank < smallest
    times = (times * known).double()
    return (times * known.sum(1, keepdim=True) / times.sum(1, keepdim=True).clamp(min=1)).T


class Resampled(Criterion):
    """Each attribute's samples of a batch repeated, or left out, until its classes are equal."""

    how = "over"

    def trained_prior(self) -> Tensor | None:
        return shares(self.class_counts > 0)  # balance

    def classification_loss(
        self, logits: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        classes, generator = self.class_counts.shape[1], self.random.on(labels.device)
        times = _times(labels, classes, self.how, generator)
        return weighted_cross_entropy(logits, labels, times, weights), times


class DownSampled(Resampled):
    """As `Resampled`, by leaving out; or from one balanced subset of the training set.

    Drawn anew for each batch, what is left out comes again: over the epochs nothing is discarded.
    With ``fixed`` a subset of each attribute, its classes equal, is drawn once, and the rest of
    the attribute's labels is never seen, which is what "down-sampling may discard useful
    information" speaks of.
    """

    how = "down"
    kept: Tensor  # (N, A) bool
    known: Tensor  # (A,) int64, labels that are known

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        fixed: Annotated[bool, "one balanced subset, drawn once, of down-sampling (ours)"] = False,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        self.fixed = self.wants_rows = flag("fixed", fixed)
        self.register_buffer("kept", torch.empty(0, dtype=torch.bool), persistent=False)
        self.register_buffer("known", self.class_counts.sum(1), persistent=False)

    def before_epoch(self, epoch: int, look: Callable[[], tuple[Tensor, Tensor]]) -> None:
        if self.fixed and not len(self.kept):
            _, labels = look()
            classes, generator = self.class_counts.shape[1], self.random.of_training(labels.device)
            kept = resampling_weights(labels, classes, "down", generator) > 0
            self.kept, self.known = (
                x.to(self.class_counts.device) for x in (kept, (labels >= 0).sum(0))
            )

    def forward(  # type: ignore[override]  # rows come first, as the trainer gives them
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """As `Resampled.forward`; with ``fixed`` also the batch's rows (B,) in the training set."""
        rows = self.as_rows(rows, labels, len(self.kept) or None)
        if not self.fixed:
            if rows is not None:
                raise ValueError(
                    "only down-sampling with fixed=True takes rows: leave them out. Weights of "
                    "samples go by name: weights=..."
                )
            return super().forward(logits, features, labels, weights)
        if rows is None or not len(self.kept):
            raise RuntimeError(
                "fixed down-sampling needs criterion.before_epoch(epoch, look) before each epoch, "
                "where look() gives features and labels of the training set, and the rows of each "
                "batch in it: criterion(logits, features, labels, rows=rows)"
            )
        logits, features, labels = self.batch(logits, features, labels)
        # as large a step as cross entropy's: over the share of the known labels that is kept
        times = self.kept[rows.to(self.kept.device)].double() * (
            self.kept.sum(0).reciprocal() * self.known
        )
        loss = weighted_cross_entropy(logits, labels, times, as_sample_weights(weights, labels))
        self.keep(labels, times, classification=loss)
        return loss

    def get_extra_state(self) -> dict[str, Any]:
        return super().get_extra_state() | {"kept": self.kept, "known": self.known}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        missing = [name for name in ("kept", "known") if name not in state]
        if missing:
            raise ValueError(
                f"the saved state of down-sampling holds no {' and no '.join(missing)}: another "
                "method or an earlier version wrote it. Train anew, without that checkpoint"
            )
        super().set_extra_state(state)
        self.kept, self.known = (state[x].to(self.class_counts.device) for x in ("kept", "known"))


ENTRIES = (
    Method("over-sampling", Resampled, "rare classes repeated", colour="#117733"),
    Method("down-sampling", DownSampled, "frequent classes left out", colour="#999933"),
)
