"""Sampling scheduler and Dynamic Selective Learning, DSL (Eq. 5-7)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import (
    UNKNOWN,
    as_classes,
    as_labels,
    as_sample_weights,
    at_least_float32,
    check_class_counts,
    check_labels,
    check_logits,
    check_scored,
    check_tensors,
    choose,
    number,
    reads_values,
    signed,
    warn_of_signs,
)

try:
    import numpy as np
except ModuleNotFoundError:  # PyTorch does without it, and so do we
    np = None  # type: ignore[assignment]

# Of each the first is the default
NORMALISATIONS = ("proportion", "minority")
RULES = ("power", "linear")
SELECTIONS = ("random", "expected")
CURRENTS = ("batch", "train")
KNOWN = ("batch", "rescale")


def count_classes(labels, classes: int | Sequence[int] | None = None) -> Tensor:
    """Count the samples of each class, for each attribute; unknown labels (-1) are left out.

    Parameters
    ----------
    labels : Tensor, array or DataFrame (N, A), or (N,) for one attribute
        Class of each sample for each attribute, in [0, classes), or -1 where it is unknown.
        Whole numbers of a floating type, such as targets of a binary cross entropy, are
        allowed.
    classes : int or sequence of A ints, optional
        C, the number of classes of every attribute, or of each. Default: 2, or more if a larger
        label occurs.

    Returns
    -------
    Tensor (A, C), int64
        C is the largest of `classes`.

    Raises
    ------
    ValueError
        For a label that is not a whole number or out of range (checked on the CPU only).

    Examples
    --------
    >>> count_classes(torch.tensor([[0, 1], [0, -1], [1, 0]]))
    tensor([[2, 1],
            [1, 1]])
    """
    labels = as_labels(labels)
    warn_of_signs(labels)
    attributes = labels.shape[1]
    if classes is None:
        top = int(labels.max()) if labels.numel() else 0
        if top == 255 and not bool(((labels > 127) & (labels < top)).any()):
            raise ValueError(
                "labels hold 255 and nothing from 128 to 254: 255 is what -1 becomes as uint8. "
                "Make them int64 before you write -1, or say how many classes there are"
            )
        classes = max(2, top + 1)
    each = as_classes(classes, attributes)
    check_labels(labels, attributes, each)
    return count_known(labels.T, max(each, default=2))


def count_known(labels: Tensor, classes: int) -> Tensor:
    """`count_classes` of labels (A, N) that are checked: (A, C)."""
    labels = labels.long()
    counts = labels.new_zeros(labels.shape[0], classes)
    return counts.scatter_add_(1, labels.clamp(min=0), (labels != UNKNOWN).long())


def target_distribution(
    class_counts: Tensor,
    g: float | Tensor,
    *,
    normalisation: str = NORMALISATIONS[0],
    rule: str = RULES[0],
    classes: int | Sequence[int] | None = None,
) -> Tensor:
    """Target distribution of the classes in a batch (Eq. 5), from the training set's to balanced.

    D_train, the counts over the smallest count, is raised to the power g and normalised. g = 1
    gives the training distribution, g = 0 the balanced one.

    Parameters
    ----------
    class_counts : Tensor (A, C)
        Samples of each class in the training set, positive.
    g : float
        Sampling schedule g(l), in [0, 1].
    normalisation : {"proportion", "minority"}
        ``proportion``: sums to 1 over the classes (ours), so that the weights of a batch sum to
        its size. ``minority``: divided by the smallest element, as Section 3.2 writes D; then no
        class is ever up-weighted and the loss fades away as g falls.
    rule : {"power", "linear"}
        ``power``: Eq. 5. ``linear``: D itself moves linearly from D_train to 1, the row
        "Linear Decreasing Imbalance" of Table 4.
    classes : sequence of A ints, optional
        Classes of each attribute, if they differ. Counts and targets of the classes beyond are 0.

    Returns
    -------
    Tensor (A, C), float64 unless `class_counts` is floating

    Raises
    ------
    ValueError
        For g outside [0, 1], an unknown normalisation or rule, and a count that is not positive
        (checked on the CPU only).

    Examples
    --------
    >>> target_distribution(torch.tensor([[900, 100]]), 0.5)
    tensor([[0.7500, 0.2500]], dtype=torch.float64)
    """
    _check_level(g)
    choose("normalisation", normalisation, NORMALISATIONS)
    choose("rule", rule, RULES)
    class_counts = _counts(class_counts, classes)
    return _target(class_counts, g, normalisation=normalisation, rule=rule)


def _check_level(g: float | Tensor) -> None:
    if isinstance(g, Tensor):  # a scalar, such as one that a captured CUDA graph reads
        if g.ndim or not g.is_floating_point():
            raise ValueError(
                f"g must be one number in [0, 1], got a tensor of shape {tuple(g.shape)}, dtype "
                f"{g.dtype}"
            )
        if not reads_values(g):
            return
        g = g.item()
    number("g", g, 0, 1)


def _counts(class_counts: Tensor, classes: int | Sequence[int] | None) -> Tensor:
    if isinstance(class_counts, Tensor):
        class_counts = signed(class_counts)
    check_class_counts(class_counts, classes)
    return class_counts


def _target(class_counts: Tensor, g: float | Tensor, *, normalisation: str, rule: str) -> Tensor:
    """`target_distribution` of arguments that are checked."""
    d = class_counts if class_counts.is_floating_point() else class_counts.double()
    absent = d == 0  # classes that an attribute does not have
    d = d / d.masked_fill(absent, torch.inf).amin(1, keepdim=True)  # D_train: 1 : C_1/C_min : ...
    d = d**g if rule == "power" else 1 + g * (d - 1)  # Eq. 5, or Table 4 (*)
    d = d.masked_fill(absent, 0)
    if normalisation == "proportion":
        return d / d.sum(1, keepdim=True)
    return d / d.masked_fill(absent, torch.inf).amin(1, keepdim=True)


def dsl_weights(
    labels: Tensor,
    class_counts: Tensor,
    g: float | Tensor,
    *,
    selection: str = SELECTIONS[0],
    normalisation: str = NORMALISATIONS[0],
    rule: str = RULES[0],
    current: str = CURRENTS[0],
    classes: int | Sequence[int] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Weight of each sample in the DSL loss, for each attribute (Eq. 7).

    If a class has a ratio = target / current of 1 or more, each of its samples weighs `ratio`. If
    the ratio is below 1, n of its N_j samples, drawn uniformly, weigh 1 and the others 0. We round
    n = ratio * N_j at random, so that it is right in expectation; rounding to the nearest number
    would always drop a class of which less than half a sample is wanted. A class that the batch
    lacks does not change the weights of the others. A sample with an unknown label weighs 0, and
    D_current counts known labels only.

    Parameters
    ----------
    labels : Tensor (B, A), integer
        Classes in [0, C), -1 where unknown.
    class_counts : Tensor (A, C)
        Samples of each class in the training set, positive; moved to the labels' device.
    g : float
        Sampling schedule g(l), in [0, 1].
    selection : {"random", "expected"}
        ``expected`` gives each sample of a class with ratio below 1 the weight `ratio`:
        deterministic, and equal in expectation.
    normalisation, rule, classes
        As in `dcl.target_distribution`.
    current : {"batch", "train"}
        D_current: the classes' shares in this batch (Eq. 7), or in the training set. With
        ``train``, g = 1 gives every sample the weight 1 (plain cross entropy). The shares of a
        batch with fewer than about 3 samples of a class are noise.
    generator : torch.Generator, optional
        Generator of the random selection, on the labels' device. Default: torch's global one.

    Returns
    -------
    Tensor (B, A), float64 unless `class_counts` is floating

    Raises
    ------
    ValueError
        For mismatched shapes, values out of range and unknown names.

    Examples
    --------
    Four samples of class 0 and one of class 1, balanced target: two or three of the four are kept
    (2.5 on average), and the one weighs 2.5.

    >>> labels = torch.tensor([[0], [0], [0], [0], [1]])
    >>> weights = dsl_weights(labels, torch.tensor([[80, 20]]), g=0)
    >>> weights[:4].sum().item() in (2, 3), weights[4].item()
    (True, 2.5)
    """
    choose("selection", selection, SELECTIONS)
    choose("current", current, CURRENTS)
    choose("normalisation", normalisation, NORMALISATIONS)
    choose("rule", rule, RULES)
    _check_level(g)
    check_tensors(labels=labels)
    labels = signed(labels)
    class_counts = _counts(class_counts, classes).to(labels.device)
    attributes, most = class_counts.shape
    check_labels(labels, attributes, as_classes(most if classes is None else classes, attributes))
    return draw_weights(
        labels,
        class_counts,
        g,
        selection=selection,
        normalisation=normalisation,
        rule=rule,
        current=current,
        generator=generator,
    )


def draw_weights(
    labels: Tensor,
    class_counts: Tensor,
    g: float | Tensor,
    *,
    selection: str,
    normalisation: str,
    rule: str,
    current: str,
    generator: torch.Generator | None,
) -> Tensor:
    """`dsl_weights` of arguments that are checked."""
    wanted = _target(class_counts, g, normalisation=normalisation, rule=rule)  # (A, C)
    labels = labels.T.long().contiguous()  # (A, B)
    known = labels >= 0
    labels = labels.clamp(min=0)
    counts = torch.zeros_like(wanted).scatter_add_(1, labels, known.to(wanted.dtype))  # (A, C)
    if current == "train":
        here = _target(class_counts, 1, normalisation=normalisation, rule="power")
    elif normalisation == "proportion":
        here = counts / counts.sum(1, keepdim=True)  # NaN without known labels: unused
    else:  # both over their smallest element among the classes present: its ratio is 1
        absent = counts == 0
        here = counts / counts.masked_fill(absent, torch.inf).amin(1, keepdim=True)
        wanted = wanted / wanted.masked_fill(absent, torch.inf).amin(1, keepdim=True)
    ratio = wanted / here  # (A, C); inf where a class is absent: unused
    if selection == "expected":
        return torch.where(known, ratio.gather(1, labels), 0.0).T
    u = torch.rand(counts.shape, dtype=counts.dtype, device=counts.device, generator=generator)
    kept = torch.where(ratio < 1, torch.floor(ratio * counts + u), counts)  # (A, C), at random
    rank = rank_in_class(labels, counts, generator, known)
    chosen = known & (rank < kept.gather(1, labels))
    return torch.where(chosen, ratio.clamp(min=1).gather(1, labels), 0.0).T  # Eq. 7


def rank_in_class(
    labels: Tensor,
    counts: Tensor,
    generator: torch.Generator | None,
    known: Tensor | None = None,
) -> Tensor:
    """Uniformly random rank 0 ... N_j - 1 of each sample among those of its class.

    `labels` (A, B), `counts` (A, C), `known` (A, B) -> (A, B). One sort by (class, random key): the
    position in it, minus the number of samples in lower classes. Unknown labels come last.
    """
    keys = torch.rand(labels.shape, dtype=torch.float64, device=labels.device, generator=generator)
    keys += labels  # float64: keys of 512 samples do not collide
    keys = keys if known is None else keys.masked_fill_(~known, torch.inf)
    order = _argsort(keys)
    position = torch.arange(labels.shape[1], device=labels.device).expand_as(labels)
    position = torch.empty_like(labels).scatter_(1, order, position)
    first = counts.cumsum(1) - counts  # samples in lower classes
    return position - first.gather(1, labels)


def _argsort(keys: Tensor) -> Tensor:
    """Argsort each row of numbers of 0 or more; NumPy is faster on a CPU."""
    keys = keys.view(torch.int64)  # floats of 0 or more sort as their bits
    if np is not None and reads_values(keys):
        try:
            return torch.from_numpy(np.argsort(keys.numpy(), 1))
        except RuntimeError:  # inside torch.func, whose tensors have no memory of their own
            pass
    return keys.argsort(1)


def dsl_loss(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, *, known: str = KNOWN[0]
) -> Tensor:
    """Dynamic Selective Learning loss (Eq. 6): weighted cross entropy over the batch size.

    Parameters
    ----------
    logits : Tensor (B, A, C), floating
        -inf for a class that the attribute does not have.
    labels : Tensor (B, A), integer
        Classes in [0, C); a label of -1 is unknown and adds nothing.
    weights : Tensor (B, A) or (B,), optional
        From `dcl.dsl_weights`. Default: every sample weighs 1. A weight of 0 leaves the sample
        out of the loss, even where it is infinite or NaN; logits of NaN still have a gradient of
        NaN.
    known : {"batch", "rescale"}
        ``batch``: divide by B (Eq. 6), so an attribute known for half of the samples counts half.
        ``rescale``: divide by the number of known labels of each attribute.

    Returns
    -------
    Tensor, scalar
        Sum of weight * cross entropy, divided by B (not by the number kept), summed over the
        attributes. 0 with a graph for an empty batch; float32 for logits of half precision.

    Raises
    ------
    ValueError
        For shapes that do not fit, labels out of range, and weights that are negative or not
        finite (values are checked on the CPU only).

    Examples
    --------
    >>> dsl_loss(torch.zeros(3, 2, 2), torch.zeros(3, 2, dtype=torch.long))  # 2 ln 2
    tensor(1.3863)
    """
    choose("choice of known", known, KNOWN)
    check_tensors(logits=logits, labels=labels)
    labels = signed(labels)
    check_logits(logits, labels)
    check_labels(labels, *logits.shape[1:])
    check_scored(logits, labels)
    weights = as_sample_weights(weights, labels)
    return weighted_cross_entropy(logits, labels, weights, known=known)


def weighted_cross_entropy(
    logits: Tensor, labels: Tensor, *weights: Tensor | None, known: str = KNOWN[0]
) -> Tensor:
    """`dsl_loss` of arguments that are checked; several weights (B, A) multiply."""
    entropy = weigh(cross_entropy(logits, labels), *weights)  # (A, B), 0 where unknown
    if known == "rescale":
        return (entropy.sum(1) / (labels >= 0).sum(0).clamp(min=1)).sum()
    return entropy.sum() / max(1, labels.shape[0])  # Eq. 6: N is the batch size


def weigh(losses: Tensor, *weights: Tensor | None) -> Tensor:
    """Losses (A, B) times weights (B, A), 0 where a weight is 0, whatever the loss is there."""
    for factor in weights:
        if factor is not None:
            factor = factor.T.to(losses.dtype)
            losses = torch.where(factor == 0, 0.0, losses * factor)
    return losses


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of each sample and attribute, 0 if unknown: (B, A, C), (B, A) -> (A, B)."""
    logits = at_least_float32(logits).permute(1, 2, 0)  # (A, C, B): softmax over short rows is slow
    return F.cross_entropy(logits, labels.T.long(), reduction="none", ignore_index=UNKNOWN)
