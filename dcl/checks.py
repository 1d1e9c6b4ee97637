"""Input checks shared by the losses: each error names the value and what is allowed."""

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


def whole(what: str, value: Any, least: int = 0) -> int:
    """A whole number, Python's or NumPy's, of `least` or more, else a ValueError."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{what} must be a whole number of {least} or more, got {value!r}")
    return int(value)


def number(
    what: str, value: Any, low: float = 0.0, high: float = inf, *, ends: bool = True
) -> float:
    """A finite number from low to high, Python's or NumPy's, else a ValueError; `ends` belong."""
    real = isinstance(value, Real) and not isinstance(value, bool) and abs(value) < inf
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


def with_attributes(logits: Tensor, features: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
    """Labels (B,) of one attribute, with logits (B, C) and features (B, D), gain the axis of A."""
    check_tensors(logits=logits, features=features, labels=labels)
    if labels.ndim != 1:
        return logits, features, labels
    return (
        logits.unsqueeze(1) if logits.ndim == 2 else logits,
        features.unsqueeze(1) if features.ndim == 2 else features,
        labels.unsqueeze(1),
    )


def reads_values(tensor: Tensor) -> bool:
    """Whether a check may read values: not on a GPU, where it would wait, nor while compiling."""
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()


def check_class_counts(class_counts: Tensor) -> None:
    """Class counts are (A, C) with at least two classes, all positive."""
    if class_counts.ndim != 2 or class_counts.shape[1] < 2:
        raise ValueError(
            f"class_counts must be (attributes, classes) with 2 classes or more, "
            f"got shape {tuple(class_counts.shape)}"
        )
    if reads_values(class_counts) and not bool((class_counts > 0).all()):
        attribute, label = (class_counts > 0).logical_not().nonzero()[0].tolist()
        raise ValueError(
            f"class_counts must be positive: class {label} of attribute {attribute} has "
            f"{class_counts[attribute, label].item()} training samples. Leave the attribute out "
            f"or add samples of that class"
        )


def check_labels(labels: Tensor, attributes: int, classes: int) -> None:
    """Labels are integer (B, A) with values in [0, C), or -1 where unknown."""
    if labels.ndim != 2 or labels.shape[1] != attributes:
        raise ValueError(f"labels must be (batch, {attributes}), got shape {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"labels must be integers, got dtype {labels.dtype}")
    if reads_values(labels) and labels.numel():
        low, high = labels.min().item(), labels.max().item()
        if low < UNKNOWN or high >= classes:
            raise ValueError(
                f"labels must lie in 0 ... {classes - 1}, or be -1 where unknown, "
                f"got {low if low < UNKNOWN else high}"
            )


def check_logits(logits: Tensor, labels: Tensor) -> None:
    """Logits are floating (B, A, C) and fit the labels (B, A)."""
    if logits.ndim != 3 or logits.shape[:2] != labels.shape:
        raise ValueError(
            f"logits must be (batch, attributes, classes) with labels (batch, attributes), got "
            f"shapes {tuple(logits.shape)} and {tuple(labels.shape)}"
        )
    if not logits.is_floating_point():
        raise ValueError(f"logits must be floating point, got dtype {logits.dtype}")


def at_least_float32(tensor: Tensor) -> Tensor:
    """Half precision becomes float32, so that sums over a batch keep their digits."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
