"""Input checks shared by the losses: each error names the value and what is allowed."""

from collections.abc import Sequence
from math import inf
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

UNKNOWN = -1  # the label of a sample whose class nobody knows: it counts nowhere


def choose(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the allowed names unless `value` is one of them."""
    if value not in allowed:
        raise ValueError(f"unknown {what} {value!r}: choose one of {', '.join(allowed)}")


def is_number(value: object) -> bool:
    """Whether it is a plain or NumPy number, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def whole(what: str, value: Any, least: int = 0, most: float = inf) -> int:
    """A whole number, Python's or NumPy's, of `least` or more, up to `most`, else a ValueError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, Integral)
        or not least <= int(value) <= most
    ):
        allowed = f"of {least} or more" if most == inf else f"in {least} ... {most}"
        raise ValueError(f"{what} must be a whole number {allowed}, got {value!r}")
    return int(value)


def number(
    what: str, value: Any, low: float = 0.0, high: float = inf, *, ends: bool = True
) -> float:
    """A finite number from low to high, Python's or NumPy's, else a ValueError; `ends` belong."""
    real = isinstance(value, Real) and not isinstance(value, bool) and abs(value) < inf  # type: ignore[operator]
    if not real or not (low <= value <= high if ends else low < value < high):
        if high == inf:
            allowed = f"be a number of {low:g} or more" if ends else f"be a number above {low:g}"
        else:
            allowed = f"lie in [{low:g}, {high:g}]" if ends else f"lie in ({low:g}, {high:g})"
        raise ValueError(f"{what} must {allowed}, got {value!r}")
    return float(value)


def check_tensors(**values: Any) -> None:
    """Each argument is a tensor, else a ValueError that says what it is instead."""
    for name, value in values.items():
        if not isinstance(value, Tensor):
            kind = type(value)
            given = "None" if value is None else f"a {kind.__module__}.{kind.__qualname__}"
            hint = ": torch.as_tensor makes it one" if hasattr(value, "__array__") else ""
            raise ValueError(f"{name} must be a tensor, got {given}{hint}")


def with_attributes(
    logits: Tensor, features: Tensor | None, labels: Tensor
) -> tuple[Tensor, Any, Tensor]:
    """Labels (B,) of one attribute, with logits (B, C) and features (B, D), gain the axis of A."""
    check_tensors(logits=logits, labels=labels)
    if features is not None:
        check_tensors(features=features)
    if labels.ndim != 1:
        return logits, features, labels
    return (
        logits.unsqueeze(1) if logits.ndim == 2 else logits,
        features.unsqueeze(1) if features is not None and features.ndim == 2 else features,
        labels.unsqueeze(1),
    )


def reads_values(tensor: Tensor) -> bool:
    """Whether a check may read values: not on a GPU, where it would wait, nor while compiling."""
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()


def check_class_counts(class_counts: Tensor, classes: Sequence[int] | None = None) -> None:
    """Class counts are (A, C), all positive: up to the attribute's own classes where given."""
    if not isinstance(class_counts, Tensor) or class_counts.ndim != 2 or class_counts.shape[1] < 2:
        found = getattr(class_counts, "shape", None)
        raise ValueError(
            f"class_counts must be a tensor (attributes, classes) with 2 classes or more, "
            f"got {type(class_counts).__name__ if found is None else f'shape {tuple(found)}'}"
        )
    attributes, most = class_counts.shape
    if classes is not None and (
        len(classes) != attributes or max(classes) != most or min(classes) < 2
    ):
        raise ValueError(
            f"classes must be {attributes} numbers of 2 to {most}, one for each attribute and "
            f"{most} the largest, got {tuple(classes)!r}"
        )
    if not reads_values(class_counts):
        return
    exists = torch.ones_like(class_counts, dtype=torch.bool)
    if classes is not None:
        exists = torch.arange(most) < torch.as_tensor(classes)[:, None]
    good = torch.where(exists, (class_counts > 0) & class_counts.isfinite(), class_counts == 0)
    if not bool(good.all()):
        attribute, label = good.logical_not().nonzero()[0].tolist()
        number = class_counts[attribute, label].item()
        if exists[attribute, label]:
            raise ValueError(
                f"class_counts must be positive and finite: class {label} of attribute {attribute} "
                f"has {number} training samples. Leave the attribute out or add samples of that "
                f"class; where the attribute has no such class, say so with classes"
            )
        there = int(exists[attribute].sum())
        raise ValueError(
            f"attribute {attribute} has {there} classes, but class_counts has "
            f"{number} samples of class {label}"
        )


def as_class_counts(counts, classes: Sequence[int] | None = None) -> Tensor:
    """Class counts as an int64 tensor (A, C) on the CPU, checked; whole numbers of any kind."""
    counts = _as_tensor(counts).cpu()
    check_class_counts(counts, classes)
    if counts.is_floating_point() and bool((counts != counts.round()).any()):
        wrong = counts[counts != counts.round()][0].item()
        raise ValueError(f"class_counts must be whole numbers of samples, got {wrong}")
    return counts.long()


def _as_tensor(values) -> Tensor:
    """A tensor of a tensor, an array, nested lists or a data frame."""
    return torch.as_tensor(values.to_numpy(copy=True) if hasattr(values, "to_numpy") else values)


def as_labels(labels) -> Tensor:
    """Labels of a whole data set as an integer tensor (N, A): from an array, a frame, a tensor."""
    labels = _as_tensor(labels)
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.dtype is torch.bool:
        return labels.long()
    if labels.is_floating_point():
        whole = labels == labels.round()  # NaN is not
        if reads_values(labels) and not bool(whole.all()):
            row, attribute = whole.logical_not().nonzero()[0].tolist()
            raise ValueError(
                f"labels must be whole numbers, -1 where unknown: row {row}, attribute "
                f"{attribute} is {labels[row, attribute].item():g}"
            )
        return labels.long()
    return labels


def as_batch(
    logits: Tensor, features: Tensor | None, labels: Tensor
) -> tuple[Tensor, Tensor | None, Tensor]:
    """A batch as (B, A, C), (B, A, D), (B, A), from that or one of two shorter forms.

    One attribute: logits (B, C), features (B, D), labels (B,). Yes-or-no targets as a binary cross
    entropy takes them: logits (B, A) of the positive class with labels (B, A), floating or not.
    """
    logits, features, labels = with_attributes(logits, features, labels)
    if labels.is_floating_point():
        labels = as_labels(labels)
    if labels.ndim == 2 and logits.shape == labels.shape:
        logits = torch.stack([torch.zeros_like(logits), logits], 2)  # softmax (0, z) = sigmoid z
    return logits, features, labels


def check_labels(labels: Tensor, attributes: int, classes: int) -> None:
    """Labels are integer (B, A) with values in [0, C), or -1 where unknown."""
    if labels.ndim != 2 or labels.shape[1] != attributes:
        raise ValueError(f"labels must be (batch, {attributes}), got shape {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"labels must be integers, got dtype {labels.dtype}")
    if reads_values(labels) and labels.numel():
        low, high = (value.item() for value in labels.aminmax())
        if low < UNKNOWN or high >= classes:
            raise ValueError(
                f"labels must lie in 0 ... {classes - 1}, or be -1 where unknown, "
                f"got {low if low < UNKNOWN else high}"
            )


def check_logits(logits: Tensor, labels: Tensor) -> None:
    """Logits are floating (B, A, C) and fit the labels (B, A)."""
    _check_outputs("logits", "classes", logits, labels)


def check_features(features: Tensor, labels: Tensor) -> None:
    """Features are floating (B, A, D) and fit the labels (B, A)."""
    _check_outputs("features", "width", features, labels)


def _check_outputs(what: str, last: str, values: Tensor, labels: Tensor) -> None:
    if values.ndim != 3 or values.shape[:2] != labels.shape:
        raise ValueError(
            f"{what} must be (batch, attributes, {last}) with labels (batch, attributes), got "
            f"shapes {tuple(values.shape)} and {tuple(labels.shape)}"
        )
    if not values.is_floating_point():
        raise ValueError(f"{what} must be floating point, got dtype {values.dtype}")


def at_least_float32(tensor: Tensor) -> Tensor:
    """Half precision becomes float32, so that sums over a batch keep their digits."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
