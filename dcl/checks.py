"""Input checks: each error names the value and what is allowed."""

import warnings
from collections.abc import Sequence
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from .reminders import caller

UNKNOWN = -1  # label of a sample whose class is unknown; it counts nowhere
LARGEST = 1e15  # of a number without a limit: products of two are numbers in float32, too
SURELY = 20  # with so many samples a pattern is no coincidence


def choose(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the allowed names unless `value` is one of them."""
    if value not in allowed:
        raise ValueError(f"unknown {what} {value!r}: choose one of {', '.join(allowed)}")


def is_number(value: object) -> bool:
    """Whether it is a number, Python's or NumPy's, and not a bool."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    try:
        return is_number(value) and isfinite(value)
    except OverflowError:  # an int beyond the largest float
        return False


def whole(what: str, value: Any, least: int = 0, most: float = inf) -> int:
    """Return a whole number in [`least`, `most`], Python's or NumPy's, or raise a ValueError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, Integral)
        or not least <= int(value) <= most
    ):
        allowed = f"of {least} or more" if most == inf else f"in {least} ... {most}"
        raise ValueError(f"{what} must be a whole number {allowed}, got {value!r}")
    return int(value)


def number(
    what: str, value: Any, low: float = 0.0, high: float = inf, *, ends: str = "[]"
) -> float:
    """Return a number between low and high, or raise; `ends` are the interval's brackets.

    Also one that is not finite is refused, and without a `high` one beyond `LARGEST`.
    """
    outside = not _is_finite(value) or not low <= value <= high
    if high == inf and not outside and abs(value) > LARGEST:
        raise ValueError(f"{what} must be {LARGEST:g} at most, for float32, got {value!r}")
    if outside or (ends[0] == "(" and value == low) or (ends[1] == ")" and value == high):
        if isinstance(value, Tensor) and value.ndim == 0:
            raise ValueError(f"{what} must be a plain number, got {value!r}: give its .item()")
        if high == inf:
            least = f"number of {low:g} or more" if ends[0] == "[" else f"number above {low:g}"
            allowed = "finite number" if low == -inf else least
            raise ValueError(f"{what} must be a {allowed}, got {value!r}")
        raise ValueError(f"{what} must lie in {ends[0]}{low:g}, {high:g}{ends[1]}, got {value!r}")
    return float(value)


def flag(what: str, value: Any) -> bool:
    """Return True or False, Python's or NumPy's, or raise a ValueError."""
    of_numpy = str(getattr(value, "dtype", "")) == "bool"  # a tensor's is torch.bool
    if not isinstance(value, bool) and not (of_numpy and value.ndim == 0):
        raise ValueError(f"{what} must be True or False, got {value!r}")
    return bool(value)


def check_tensors(**values: Any) -> None:
    """Raise a ValueError unless each argument is a tensor."""
    for name, value in values.items():
        if not isinstance(value, Tensor):
            kind = type(value)
            place = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
            given = "None" if value is None else f"a {place}{kind.__qualname__}"
            hint = ""
            if isinstance(value, list | tuple):
                hint = ": torch.tensor makes it one"
            elif hasattr(value, "to_numpy"):  # a data frame, which as_tensor refuses
                hint = f": torch.tensor({name}.to_numpy()) makes it one"
            elif hasattr(value, "__array__"):
                hint = ": torch.as_tensor makes it one"
            raise ValueError(f"{name} must be a tensor, got {given}{hint}")


def check_devices(**values: Tensor) -> None:
    """Raise a ValueError unless all are on the device of the first."""
    (first, one), *others = values.items()
    for name, value in others:
        if value.device != one.device:
            raise ValueError(
                f"{first} are on {one.device}, {name} on {value.device}: move the {name} there"
            )


def with_attributes(
    logits: Tensor, features: Tensor | None, labels: Tensor
) -> tuple[Tensor, Any, Tensor]:
    """Add the attribute axis to (B,) labels, (B, C) logits and (B, D) features."""
    check_tensors(logits=logits, labels=labels)
    if features is not None:
        check_tensors(features=features)
    if labels.ndim != 1 or logits.ndim == 1:
        return logits, features, labels
    return (
        logits.unsqueeze(1) if logits.ndim == 2 else logits,
        features.unsqueeze(1) if features is not None and features.ndim == 2 else features,
        labels.unsqueeze(1),
    )


def reads_values(tensor: Tensor) -> bool:
    """Whether a check may read values: not on a GPU, which would wait, nor while compiling."""
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()


def check_class_counts(class_counts: Tensor, classes: int | Sequence[int] | None = None) -> None:
    """Raise a ValueError unless class counts are (A, C), positive for each existing class."""
    check_tensors(class_counts=class_counts)
    shape = tuple(class_counts.shape)
    if len(shape) != 2 or shape[0] < 1 or shape[1] < 2:
        raise ValueError(
            f"class_counts must be (attributes, classes) with 1 attribute and 2 classes or more, "
            f"got shape {shape}{_of_one_attribute(shape)}"
        )
    attributes, most = shape
    if classes is not None:
        classes = as_classes(classes, attributes)
        if max(classes) != most:
            raise ValueError(
                f"classes must be {attributes} numbers of 2 to {most}, one for each attribute and "
                f"{most} the largest, got {classes!r}"
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
                f"class; where the attribute has no such class, "
                f"{_without_class(class_counts, attribute, label)}"
            )
        number_of_classes = int(exists[attribute].sum())
        raise ValueError(
            f"attribute {attribute} has {number_of_classes} classes, but class_counts has "
            f"{number} samples of class {label}"
        )


def _of_one_attribute(shape: tuple[int, ...]) -> str:
    return ". Of one attribute give class_counts[None]" if len(shape) == 1 else ""


def _without_class(class_counts: Tensor, attribute: int, label: int) -> str:
    """What to do about a class that an attribute does not have."""
    attributes, most = class_counts.shape
    if label == 0 and most == 2:
        return "number its classes 0 and 1: labels of -1 and 1 become (labels > 0).long()"
    if label == 0:
        return "number its classes from 0 without gaps: labels of 1 ... C become labels - 1"
    if label == 1 or bool((class_counts[attribute, label:] > 0).any()):
        return "number its classes from 0 without gaps"
    return "say so with classes" if attributes > 1 else f"give the counts of {label} classes"


def as_class_counts(counts: Any, classes: int | Sequence[int] | None = None) -> Tensor:
    """Class counts of any numeric type as a checked int64 tensor (A, C) on the CPU."""
    counts = signed(as_tensor("class_counts", counts).cpu())
    check_class_counts(counts, classes)
    if counts.is_floating_point() and bool((counts != counts.round()).any()):
        wrong = counts[counts != counts.round()][0].item()
        raise ValueError(f"class_counts must be whole numbers of samples, got {wrong}")
    return counts.long()


def as_shares(
    class_counts: Any, shape: Sequence[int] | None = None, *, what: str = "class_counts"
) -> Tensor:
    """Class counts or shares (A, C) of any form in float64, checked; 0 for a class not there.

    `shape` is (A, C), where something else has it already.
    """
    counts = as_tensor(what, class_counts)
    given = tuple(counts.shape)
    if len(given) != 2 or not counts.numel() or (shape is not None and given != tuple(shape)):
        wanted = "" if shape is None else f" = {tuple(shape)} here"
        raise ValueError(
            f"{what} must be (attributes, classes){wanted}, got shape "
            f"{given}{_of_one_attribute(given)}"
        )
    counts = counts.double()
    if not reads_values(counts):
        return counts
    most = counts.amax(1)
    if not (counts.amin() >= 0 and most.amax() < inf):  # NaN is neither
        attribute, label = (~((counts >= 0) & (counts < inf))).nonzero()[0].tolist()
        raise ValueError(
            f"{what} must be finite numbers of 0 or more, got "
            f"{counts[attribute, label]:g} for class {label} of attribute {attribute}"
        )
    if not most.amin() > 0:
        raise ValueError(
            f"{what} of attribute {int(most.argmin())} are all 0: give a number above 0 for each "
            f"class that it has"
        )
    return counts


def as_classes(classes: Any, attributes: int) -> tuple[int, ...]:
    """Numbers of classes, one for all attributes or one for each, as a tuple of A."""
    if isinstance(classes, Integral) and not isinstance(classes, bool):
        return (whole("classes", classes, 2),) * attributes
    try:
        numbers = tuple(classes.tolist() if hasattr(classes, "tolist") else classes)
    except TypeError:  # a single number that is not whole, or no number at all
        numbers = (classes,)
    if len(numbers) != attributes:
        raise ValueError(
            f"classes must be {attributes} numbers, one for each attribute, or a single whole "
            f"number, got {classes!r}"
        )
    return tuple(whole("classes", number, 2) for number in numbers)


def signed(tensor: Tensor) -> Tensor:
    """Unsigned numbers as int64: torch compares hardly any of them."""
    unsigned = tensor.dtype in (torch.uint16, torch.uint32, torch.uint64)
    return tensor.long() if unsigned or tensor.dtype is torch.bool else tensor


def as_tensor(what: str, values: Any) -> Tensor:
    """A tensor of a tensor, an array, nested lists or a data frame of any kind of numbers."""
    if isinstance(values, Tensor):
        return values
    if hasattr(values, "to_numpy"):
        values = values.to_numpy().copy()  # a frame's own memory cannot be written to
    values = plain_array(what, stacked(values))
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    try:
        if kind and kind in "OSU":  # of several types, or of text
            numbers = torch.tensor([_plain(value) for value in values.flat], dtype=torch.float64)
            return numbers.view(values.shape)
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{what} must be whole numbers in a tensor, an array, a data frame or lists of one "
            f"length, -1 where a label is unknown: {error}"
        ) from None


def stacked(values: Any) -> Any:
    """One tensor of a list of tensors, a row each; anything else stays."""
    many = isinstance(values, list | tuple) and len(values) > 0
    if many and all(isinstance(value, Tensor) for value in values):
        return torch.stack(list(values)) if len({v.shape for v in values}) == 1 else values
    return values


def plain_array(what: str, values: Any) -> Any:
    """The values, a NumPy array among them as torch can take it; one with a mask is refused."""
    if hasattr(values, "filled") and values.mask.any():
        raise ValueError(f"{what} must not be masked: give {what}.filled(-1), or leave rows out")
    flags = getattr(values, "flags", None)  # of a NumPy array
    if flags is None:
        return values
    reversed_ = any(stride < 0 for stride in values.strides)
    return values.copy() if reversed_ or not flags.writeable else values


def add_up_to_one(logits: Tensor) -> bool:
    """Whether logits (N, A, C) are probabilities: those of each sample add up to 1.

    A one among zeros, as a decision has it, is none.
    """
    close = 1e-2 if logits.dtype in (torch.float16, torch.bfloat16) else 1e-4
    whole = ((logits.double().sum(2) - 1).abs() < close).all() & (logits >= 0).all()
    between = (logits > 0) & (logits < 1)
    return len(logits) > 1 and bool(whole & between.any())


def check_scale(logits: Tensor) -> None:
    """Not probabilities (N, A, C), to which offsets cannot be added."""
    if add_up_to_one(logits):
        raise ValueError(
            "logits are probabilities, for those of each sample add up to 1: give their logarithm, "
            "probabilities.log()"
        )


def warn_of_probabilities(logits: Tensor) -> None:
    """Warn where logits (N, A) of a positive class may be probabilities: all in [0, 1]."""
    inside = (logits >= 0) & (logits <= 1)
    if len(logits) >= SURELY and bool(inside.all()) and bool((logits % 1 != 0).any()):
        warnings.warn(
            f"all logits of {len(logits)} samples lie in [0, 1], as probabilities do: if they are, "
            f"give their logits, probabilities.logit()",
            stacklevel=caller(),
        )


def warn_of_signs(labels: Tensor) -> None:
    """Warn of labels that are 1 and -1 alone, where -1 may be meant as no instead of unknown."""
    if not reads_values(labels) or labels.numel() < SURELY or bool((labels == 0).any()):
        return
    if [x.item() for x in labels.aminmax()] == [UNKNOWN, 1]:
        warnings.warn(
            "labels are 1 and -1 alone, and -1 means unknown: where it means no, give "
            "(labels > 0).long()",
            stacklevel=caller(),
        )


def warn_of_one_hot(labels: Tensor) -> None:
    """Warn of labels (N, A) of which each row has one 1: A may be the classes of one label."""
    if not reads_values(labels) or len(labels) < SURELY or labels.shape[1] < 2:
        return
    if bool((((labels == 0) | (labels == 1)).all(1) & (labels.sum(1) == 1)).all()):
        warnings.warn(
            f"labels of {labels.shape[1]} yes-or-no attributes have a single 1 in each row, as "
            f"one-hot labels do: for one label of {labels.shape[1]} classes give labels.argmax(1)",
            stacklevel=caller(),
        )


def _plain(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise ValueError(f"got the text {str(value)!r}: give each class a number, 0, 1, ...")
    try:
        return float(value)
    except (TypeError, ValueError):  # pandas' NA, None, a list in a cell
        raise ValueError(f"got {value!r}") from None


def as_labels(labels: Any, what: str = "labels") -> Tensor:
    """Labels of a whole data set as an int64 tensor (N, A): from an array, a frame, a tensor."""
    labels = as_tensor(what, labels)
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != 2 or labels.is_complex():
        raise ValueError(
            f"{what} must be whole numbers (samples, attributes), got shape "
            f"{tuple(labels.shape)}, dtype {labels.dtype}"
        )
    numbers = labels.long()
    if reads_values(labels) and (labels.is_floating_point() or labels.dtype is torch.uint64):
        # NaN and infinity are no whole numbers, and what is beyond int64 comes out negative
        wrong = numbers != labels if labels.is_floating_point() else numbers < 0
        if bool(wrong.any()):
            row, attribute = wrong.nonzero()[0].tolist()
            _refuse_label(what, labels[row, attribute].item(), row, attribute)
    return numbers


SMOOTHING = (
    ". To smooth labels of C classes by s, mix two losses: (1 - s) * criterion(logits, "
    "features, labels) + s * criterion(logits, features, torch.randint_like(labels, C)"
    ".where(labels >= 0, -1))"
)


def _refuse_label(what: str, value: float, row: int, attribute: int) -> None:
    hint = ""
    if what != "labels":
        hint = ". Of scores take the decisions first, dcl.decide"
    elif value != value:
        hint = ". Write -1 in place of NaN"
    elif 0 < value < 1:
        hint = (
            ". Soft targets are not taken; for mixup, mix two losses: lam * criterion(logits, "
            "features, labels) + (1 - lam) * criterion(logits, features, labels[order])"
        )
    raise ValueError(
        f"{what} must be whole numbers, -1 where unknown: row {row}, attribute {attribute} is "
        f"{value:g}{hint}"
    )


def as_batch(
    logits: Tensor, features: Tensor | None, labels: Tensor
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Bring a batch to (B, A, C), (B, A, D), (B, A), from that or one of two shorter forms.

    One attribute: logits (B, C), features (B, D), labels (B,). Yes-or-no targets as a binary cross
    entropy takes them: logits (B, A) of the positive class with labels (B, A), floating or not.
    """
    logits, features, labels = with_attributes(logits, features, labels)
    if labels.dtype is not torch.int64:
        labels = as_labels(labels)
    check_devices(logits=logits, labels=labels)
    if labels.ndim == 2 and logits.shape == labels.shape:
        logits = torch.stack([torch.zeros_like(logits), logits], 2)  # softmax (0, z) = sigmoid z
    return logits, features, labels


def check_labels(labels: Tensor, attributes: int, classes: int | Sequence[int]) -> None:
    """Labels are integer (B, A) with values in [0, C), or -1 where unknown.

    `classes` is one C for all attributes, or a C for each.
    """
    if labels.ndim != 2 or labels.shape[1] != attributes:
        raise ValueError(f"labels must be (batch, {attributes}), got shape {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"labels must be integers, got dtype {labels.dtype}")
    if not reads_values(labels) or not labels.numel():
        return
    each = None if isinstance(classes, int) else torch.as_tensor(classes)
    most = classes if isinstance(classes, int) else max(classes)
    low, high = (value.item() for value in labels.aminmax())
    if low < UNKNOWN or high >= most:
        raise ValueError(
            f"labels must lie in 0 ... {most - 1}, or be -1 where unknown, "
            f"got {low if low < UNKNOWN else high}"
        )
    if each is not None and bool((beyond := labels >= each).any()):
        row, attribute = beyond.nonzero()[0].tolist()
        raise ValueError(
            f"attribute {attribute} has classes 0 ... {each[attribute] - 1} alone, or -1 where "
            f"unknown: its label in row {row} is {labels[row, attribute]}"
        )


def check_scored(logits: Tensor, labels: Tensor) -> None:
    """No label is of a class that its attribute lacks: one whose logits are -inf, all of them."""
    if not reads_values(logits) or not reads_values(labels) or not labels.numel():
        return
    if logits.detach()[0].min().item() > -inf:  # as a rule, and quicker than all rows
        return
    lacking = (logits == -inf).all(0)  # (A, C)
    if not bool(lacking.any()):
        return
    wrong = lacking.gather(1, labels.T.long().clamp(min=0)).T & (labels != UNKNOWN)
    if bool(wrong.any()):
        row, attribute = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"label {labels[row, attribute]} of row {row}, attribute {attribute} is a class "
            f"whose logits are all -inf: the attribute does not have it"
        )


def as_sample_weights(weights: Tensor | None, labels: Tensor) -> Tensor | None:
    """Weights of samples, (B,) or (B, A), as (B, A), checked; None stays."""
    if weights is None:
        return None
    check_tensors(weights=weights)
    batch, attributes = labels.shape
    if tuple(weights.shape) not in ((batch,), (batch, attributes)):
        raise ValueError(
            f"weights must be ({batch},) or ({batch}, {attributes}) as the labels, got shape "
            f"{tuple(weights.shape)}"
        )
    if weights.is_complex():
        raise ValueError(f"weights must be real numbers, got dtype {weights.dtype}")
    check_devices(labels=labels, weights=weights)
    if reads_values(weights) and not bool(((weights >= 0) & (weights < inf)).all()):
        wrong = weights[~((weights >= 0) & (weights < inf))][0].item()
        raise ValueError(f"weights must be finite and 0 or more, got {wrong:g}")
    weights = at_least_float32(weights if weights.is_floating_point() else weights.float())
    return (weights.unsqueeze(1) if weights.ndim == 1 else weights).expand(labels.shape)


def as_rows(rows: Any, batch: int, samples: int | None) -> Tensor | None:
    """Rows (B,) of a batch in a training set of so many samples as int64, checked; None stays."""
    if rows is None:
        return None
    check_tensors(rows=rows)
    if rows.shape != (batch,) or rows.is_floating_point() or rows.dtype is torch.bool:
        raise ValueError(
            f"rows must be integers ({batch},), of the batch in the training set, got shape "
            f"{tuple(rows.shape)}, dtype {rows.dtype}. Weights of samples go by name: weights=..."
        )
    rows = rows.long()
    if samples is not None and reads_values(rows) and rows.numel():
        low, high = rows.min().item(), rows.max().item()
        if low < 0 or high >= samples:
            raise ValueError(
                f"rows must lie in 0 ... {samples - 1}, the samples of the training set that was "
                f"looked at, got {low if low < 0 else high}"
            )
    return rows


def check_logits(logits: Tensor, labels: Tensor) -> None:
    """Raise a ValueError unless logits are floating (B, A, C) and fit the labels (B, A)."""
    _check_outputs("logits", "classes", logits, labels)


def check_features(features: Tensor, labels: Tensor) -> None:
    """Raise a ValueError unless features are floating (B, A, D) and fit the labels (B, A)."""
    _check_outputs("features", "width", features, labels)


def _check_outputs(what: str, last: str, values: Tensor, labels: Tensor) -> None:
    if values.ndim != 3 or values.shape[:2] != labels.shape:
        raise ValueError(
            f"{what} must be (batch, attributes, {last}) with labels (batch, attributes), got "
            f"shapes {tuple(values.shape)} and {tuple(labels.shape)}"
        )
    if not values.is_floating_point():
        raise ValueError(f"{what} must be floating point, got dtype {values.dtype}")
    check_devices(**{what: values, "labels": labels})


def at_least_float32(tensor: Tensor) -> Tensor:
    """Convert half precision to float32, so that sums over a batch keep their digits."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
