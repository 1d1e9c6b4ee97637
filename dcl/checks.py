"""Input checks shared by the losses: each error names the value and what is allowed."""

import torch
from torch import Tensor


def choose(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the allowed names unless `value` is one of them."""
    if value not in allowed:
        raise ValueError(f"unknown {what} {value!r}: choose one of {', '.join(allowed)}")


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
    """Labels are integer (B, A) with values in [0, C)."""
    if labels.ndim != 2 or labels.shape[1] != attributes:
        raise ValueError(f"labels must be (batch, {attributes}), got shape {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"labels must be integers, got dtype {labels.dtype}")
    if reads_values(labels) and labels.numel():
        low, high = labels.min().item(), labels.max().item()
        if low < 0 or high >= classes:
            raise ValueError(
                f"labels must lie in 0 ... {classes - 1}, got {low if low < 0 else high}"
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
