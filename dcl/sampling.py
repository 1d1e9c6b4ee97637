"""Sampling scheduler and Dynamic Selective Learning, DSL (Eq. 5-7)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checks import at_least_float32, check_class_counts, check_labels, check_logits, choose

NORMALISATIONS = ("proportion", "minority")
RULES = ("power", "linear")
SELECTIONS = ("random", "expected")


def count_classes(labels: Tensor, classes: int) -> Tensor:
    """Number of samples of each class, for each attribute.

    Parameters
    ----------
    labels : Tensor (B, A), integer
        Class of each sample for each attribute, in [0, classes).
    classes : int
        C, the number of classes of an attribute.

    Returns
    -------
    Tensor (A, C), int64

    Examples
    --------
    >>> count_classes(torch.tensor([[0, 1], [0, 0], [1, 0]]), 2)
    tensor([[2, 1],
            [2, 1]])
    """
    labels = labels.T.long()  # (A, B)
    counts = labels.new_zeros(labels.shape[0], classes)
    return counts.scatter_add_(1, labels, torch.ones_like(labels))


def target_distribution(
    class_counts: Tensor, g: float, *, normalisation: str = "proportion", rule: str = "power"
) -> Tensor:
    """Target distribution of the classes in a batch (Eq. 5): from the training set's to balanced.

    D_train, the counts over the smallest count, is raised to the power g and normalised. g = 1
    gives the training distribution, g = 0 the balanced one.

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Samples of each class in the training set, positive.
    g : float
        Sampling schedule g(l), in [0, 1].
    normalisation : {"proportion", "minority"}
        ``proportion``: sums to 1 over the classes (ours; with it the weights of a batch sum to its
        size). ``minority``: over the smallest element, as D is written in Section 3.2; then no
        class is ever up-weighted and the loss fades away as g falls.
    rule : {"power", "linear"}
        ``power``: Eq. 5. ``linear``: D itself moves linearly from D_train to 1, the row
        "Linear Decreasing Imbalance" of Table 4.

    Returns
    -------
    Tensor (A, C), float64 unless `class_counts` is floating

    Raises
    ------
    ValueError
        For g outside [0, 1], an unknown normalisation or rule, and (checked on the CPU alone) a
        count that is not positive.

    Examples
    --------
    >>> target_distribution(torch.tensor([[900, 100]]), 0.5)
    tensor([[0.7500, 0.2500]], dtype=torch.float64)
    """
    if not 0 <= g <= 1:
        raise ValueError(f"g must lie in [0, 1], got {g!r}")
    choose("normalisation", normalisation, NORMALISATIONS)
    choose("rule", rule, RULES)
    check_class_counts(class_counts)
    d = class_counts if class_counts.is_floating_point() else class_counts.double()
    d = d / d.amin(1, keepdim=True)  # D_train: 1 : C_1/C_min : ...
    d = d**g if rule == "power" else 1 + g * (d - 1)  # Eq. 5, or Table 4 (*)
    return d / (
        d.sum(1, keepdim=True) if normalisation == "proportion" else d.amin(1, keepdim=True)
    )


def dsl_weights(
    labels: Tensor,
    class_counts: Tensor,
    g: float,
    *,
    selection: str = "random",
    normalisation: str = "proportion",
    rule: str = "power",
    current: str = "batch",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Weight of each sample in the DSL loss, for each attribute (Eq. 7).

    A class with ratio = target / current of 1 or more weighs `ratio`, every sample of it. Of a
    class with ratio below 1, exactly round(ratio * N_j) of its N_j samples are drawn uniformly
    and weigh 1, the others 0. A class absent from the batch leaves the others' weights alone.

    Parameters
    ----------
    labels : Tensor (B, A), integer
        Classes in [0, C).
    class_counts : Tensor (A, C)
        Samples of each class in the training set, positive.
    g : float
        Sampling schedule g(l), in [0, 1].
    selection : {"random", "expected"}
        ``expected`` gives each sample of a class with ratio below 1 the weight `ratio`: the
        deterministic twin, equal in expectation up to rounding.
    normalisation, rule : str
        As in `dcl.target_distribution`.
    current : {"batch", "train"}
        What D_current is: the classes' shares in this batch (Eq. 7), or the training set's, for
        which g = 1 gives every sample the weight 1 (plain cross entropy).
    generator : torch.Generator, optional
        Source of the random selection, on the labels' device; torch's global one without it.

    Returns
    -------
    Tensor (B, A), float64 unless `class_counts` is floating

    Raises
    ------
    ValueError
        For shapes that do not fit, values out of range, and unknown names.

    Examples
    --------
    Four of class 0 and one of class 1 in the batch, balanced target: two of the four are kept
    (round half to even of 2.5), the one weighs 2.5.

    >>> labels = torch.tensor([[0], [0], [0], [0], [1]])
    >>> weights = dsl_weights(labels, torch.tensor([[80, 20]]), g=0)
    >>> weights[:4].sum().item(), weights[4].item()
    (2.0, 2.5)
    """
    choose("selection", selection, SELECTIONS)
    choose("current", current, ("batch", "train"))
    target = target_distribution(class_counts, g, normalisation=normalisation, rule=rule)  # (A, C)
    check_labels(labels, *target.shape)
    counts = count_classes(labels, target.shape[1]).to(target.dtype)  # (A, C)
    labels = labels.T.long().contiguous()  # (A, B)
    if current == "train":
        here = target_distribution(class_counts, 1, normalisation=normalisation)
    elif normalisation == "proportion":
        here = counts / labels.shape[1]
    else:  # both over their smallest element among the classes present: its ratio is 1
        absent = counts == 0
        here = counts / counts.masked_fill(absent, torch.inf).amin(1, keepdim=True)
        target = target / target.masked_fill(absent, torch.inf).amin(1, keepdim=True)
    ratio = target / here  # (A, C); inf where a class is absent, which no sample looks up
    if selection == "expected":
        return ratio.gather(1, labels).T
    kept = torch.where(ratio < 1, torch.round(ratio * counts), counts)  # (A, C)
    weight = torch.where(
        rank_in_class(labels, counts, generator) < kept.gather(1, labels), 1.0, 0.0
    )
    return (weight * ratio.clamp(min=1).gather(1, labels)).T  # Eq. 7


def rank_in_class(labels: Tensor, counts: Tensor, generator: torch.Generator | None) -> Tensor:
    """Uniformly random rank 0 ... N_j - 1 of each sample among those of its class.

    `labels` (A, B), `counts` (A, C) -> (A, B). One sort by (class, random key): the position in it,
    less the number of samples in lower classes.
    """
    keys = torch.rand(labels.shape, dtype=torch.float64, device=labels.device, generator=generator)
    order = (labels + keys).argsort(1)  # float64: keys of 512 samples do not collide
    position = torch.arange(labels.shape[1], device=labels.device).expand_as(labels)
    position = torch.empty_like(labels).scatter_(1, order, position)
    first = counts.cumsum(1) - counts  # samples in lower classes
    return position - first.gather(1, labels)


def dsl_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Dynamic Selective Learning loss (Eq. 6): weighted cross entropy over the batch size.

    Parameters
    ----------
    logits : Tensor (B, A, C), floating
    labels : Tensor (B, A), integer
    weights : Tensor (B, A), optional
        From `dcl.dsl_weights`; without them every sample weighs 1.

    Returns
    -------
    Tensor, scalar
        Sum of weight * cross entropy, divided by B (not by the number kept), summed over the
        attributes. 0 with a graph for an empty batch.

    Examples
    --------
    >>> dsl_loss(torch.zeros(3, 2, 2), torch.zeros(3, 2, dtype=torch.long))  # 2 ln 2
    tensor(1.3863)
    """
    check_logits(logits, labels)
    check_labels(labels, *logits.shape[1:])
    logits = at_least_float32(logits).permute(1, 2, 0)  # (A, C, B): the softmax over two of a row
    entropy = F.cross_entropy(logits, labels.T.long(), reduction="none")  # is 4 times slower
    if weights is not None:
        entropy = entropy * weights.T.to(entropy.dtype)
    return entropy.sum() / max(1, labels.shape[0])  # Eq. 6: N is the batch size


def batch_shares(labels: Tensor, weights: Tensor | None, class_counts: Tensor) -> dict[str, Tensor]:
    """What weights (B, A) do to a batch: two tensors (A,), see `DCLLoss.parts`."""
    if weights is None:
        weights = torch.ones(labels.shape, device=labels.device)

    def mean_over(label: Tensor, values: Tensor) -> Tensor:  # (A,), (B, A) -> (A,)
        members = labels == label
        return (values * members).sum(0) / members.sum(0)

    return {
        "share_kept": mean_over(class_counts.argmax(1), weights.clamp(max=1)),
        "minority_weight": mean_over(class_counts.argmin(1), weights),
    }


class RandomSource(nn.Module):
    """A seeded generator made on the device that first asks; its state is in `state_dict()`.

    Without a seed, torch's global generator is meant.
    """

    def __init__(self, seed: int | None):
        super().__init__()
        self.seed, self.generator = seed, None

    def on(self, device: torch.device) -> torch.Generator | None:
        if self.seed is not None and self.generator is None:
            self.generator = torch.Generator(device).manual_seed(self.seed)
            if self._state is not None:
                self.generator.set_state(self._state)
        return self.generator

    _state: Tensor | None = None  # loaded before the device is known

    def get_extra_state(self) -> Tensor:
        return torch.empty(0) if self.generator is None else self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        self.generator, self._state = None, state.cpu() if state.numel() else None
