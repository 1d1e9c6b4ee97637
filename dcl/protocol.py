"""Base class of all criteria, with their seeded generator."""

import io
import math
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from .checks import (
    SURELY,
    UNKNOWN,
    add_up_to_one,
    as_batch,
    as_class_counts,
    as_classes,
    as_rows,
    as_sample_weights,
    check_labels,
    check_logits,
    check_scale,
    check_tensors,
    number,
    reads_values,
    warn_of_probabilities,
    whole,
)
from .reminders import Reminders, caller

EXTRA = "_extra_state"  # torch's name of what get_extra_state gives, in a state_dict
Look = Callable[[], tuple[Tensor, Tensor]]  # embeds the training set: features, labels (N, A)


def outside_graph(method: Callable[..., None]) -> Callable[..., None]:
    """Runs a method outside the graph where the rest is compiled.

    `torch.compiler.disable` as a decorator would import the compiler wherever a criterion's name is
    imported: as long again as torch itself.
    """

    @wraps(method)
    def run(*args: Any) -> None:
        if torch.compiler.is_compiling():
            torch.compiler.disable(method)(*args)
        else:
            method(*args)

    return run


class UntrainedError(RuntimeError):
    """Scores that need what a training made beside the network's weights."""


class RandomSource(nn.Module):
    """A seeded generator made on the device that asks; its state is in `state_dict()`.

    Where another device asks, one is made there from the seed, anew: no device reads another's
    state, nor one that was saved on another kind of device. Without a seed, torch's global
    generator is used. A look at a loss, in ``eval()`` or under ``no_grad``, draws from a generator
    of its own, alike each time, and moves nothing on.
    """

    def __init__(self, seed: int | None):
        super().__init__()
        self.seed = None if seed is None else whole("seed", seed, 0, 2**63 - 1)
        self.generator: torch.Generator | None = None

    def on(self, device: torch.device) -> torch.Generator | None:
        if not self.training or not torch.is_grad_enabled():  # a look at a loss
            if self._look is None or self._look.device != device:
                self._look = torch.Generator(device)
            return self._look.manual_seed(self.seed or 0)
        return self.of_training(device)

    def of_training(self, device: torch.device) -> torch.Generator | None:
        """The generator of what the training itself draws, such as a subset before an epoch."""
        made = self.generator
        if self.seed is not None and (made is None or made.device != device):
            self.generator = torch.Generator(device).manual_seed(self.seed)
            state = self._state if made is None else None
            if state is not None and len(state) == len(self.generator.get_state()):
                self.generator.set_state(state)  # else of another kind of device
        return self.generator

    _state: Tensor | None = None  # loaded before the device is known
    _look: torch.Generator | None = None  # of a look at a loss

    def get_extra_state(self) -> Tensor:
        if self.generator is not None:
            return self.generator.get_state()
        return torch.empty(0) if self._state is None else self._state

    def set_extra_state(self, state: Tensor) -> None:
        if state.numel() and self.seed is None:
            raise ValueError("the saved criterion draws from a seed, this one has none: give seed")
        self.generator, self._state = None, state.cpu() if state.numel() else None


class Criterion(nn.Module):
    """Base class of a method's loss. The trainer calls its methods; override what differs.

    A method without triplets, clusters or the like defines `classification_loss`, and states its
    `trained_prior` if it has one; the others have defaults.

    Parameters
    ----------
    class_counts : Tensor (A, C), integer
        Samples of each class in the training set, for each attribute; all positive.
    epochs : float
        L, the expected total number of epochs.
    classes : int or sequence of A ints, optional
        Classes of each attribute, if they differ; `class_counts` is 0 beyond them.
    seed : int, optional
        Of what is drawn at random. Without one, torch's global generator is used.
    """

    wants_rows = False  # whether the trainer gives rows=..., the batch's rows in the training set
    one_process = False  # cannot be shared among processes
    class_counts: Tensor  # (A, C) int64
    missing: Tensor  # (A, C) bool
    g: float | None = None  # current levels of the schedules; None without schedules
    f: float | None = None
    reminders: Reminders | None = None  # of a method that `set_epoch` moves

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        epochs = number("epochs", epochs, ends="()")
        counts = as_class_counts(class_counts, classes)
        self.register_buffer("class_counts", counts, persistent=False)  # int64: half() leaves it
        self.register_buffer("missing", counts == 0, persistent=False)  # classes that do not exist
        self.classes = None if classes is None else as_classes(classes, len(counts))
        self.epochs, self.epoch = epochs, 0.0
        self.random = RandomSource(seed)
        self._last: tuple[dict[str, Tensor], Tensor, Tensor | None] | None = None
        self._looked = False  # at the logits of the first batch
        self._doubt: float | None = 0.0  # see _doubt_of_signs; None: settled

    def set_epoch(self, epoch: float) -> None:
        """Move to this epoch, counted from 0; fractions are allowed, and training uses them."""
        self.epoch = number("epoch", epoch, 0, self.epochs)
        if self.reminders is not None:
            self.reminders.moved()

    def remind(self, labels: Tensor) -> None:
        """Count a batch (B, A) of training for the reminders; a look at a loss is none."""
        if torch.compiler.is_compiling() or not self.training or not torch.is_grad_enabled():
            return
        if self.reminders is not None:
            self.reminders.seen(labels, self.epoch)

    def forward(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch: logits (B, A, C), features (B, A, D), labels (B, A) -> scalar.

        Also logits (B, C), features (B, D), labels (B,) of one attribute, and logits (B, A) with
        yes-or-no targets (B, A). Weights (B,) or (B, A), of 0 or more, multiply each sample's
        classification term.
        """
        logits, _, labels = self.batch(logits, features, labels)
        loss, drawn = self.classification_loss(logits, labels, as_sample_weights(weights, labels))
        self.keep(labels, drawn, classification=loss)
        return loss

    def classification_loss(
        self, logits: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The loss of a checked batch, and the weights (B, A) that the method gave; None: all 1.

        `weights` (B, A) are those of the samples, or None.
        """
        raise NotImplementedError(
            f"{self._get_name()} has no loss: define classification_loss(logits, labels, weights), "
            f"which returns the loss of a batch and the weights (B, A) that the method gave, or "
            f"None"
        )

    def keep(self, labels: Tensor, drawn: Tensor | None, **parts: Tensor) -> None:
        """Keep what `parts` shows of this step: the method's weights (B, A), and values."""
        self._last = {name: part.detach() for name, part in parts.items()}, labels, drawn

    def before_epoch(self, epoch: int, look: Look) -> None:
        """Called before each epoch, counted from 0."""

    def before_scoring(self, look: Look) -> None:
        """Called before a split is scored, after each epoch."""

    @property
    def selectable(self) -> bool:
        """Whether the network of this epoch may be chosen."""
        return True

    def scores(self, logits: Tensor, features: Tensor, model: nn.Module) -> Tensor:
        """Scores (N, A, C) to decide by: the logits, unless a method overrides this."""
        return logits

    def scored(self, logits: Tensor, features: Tensor, model: nn.Module) -> Tensor:
        """`scores`, with -inf for classes that an attribute does not have."""
        scores = self.scores(logits, features, model)
        if self.classes is None:
            return scores
        return scores.masked_fill(self.missing.to(scores.device), -torch.inf)

    def trained_prior(self) -> Tensor | None:
        """Class shares (A, C) that the training moves towards; None unless a method states them.

        Of cross entropy they are the training set's, ``shares(self.class_counts)``; of one that
        weighs or draws, those that it makes of them.
        """
        return None

    def at_data_prior(self, logits: Tensor) -> Tensor:
        """Logits of a training by this criterion, as if it had been at the data's own prior.

        Their softmax gives probabilities again: a weighted, re-sampled or scheduled loss calls what
        is rare too often. For a schedule, call it at the epoch whose network is used.

        Parameters
        ----------
        logits : Tensor (N, A, C), (N, A) of the positive class, or (N, C) of one label
            Those that it decides by: of the network, or `scores` of a method that has its own;
            those of (N, A) come back as (N, A). A class that an attribute lacks comes back as
            -inf.

        Raises
        ------
        ValueError
            For a loss that states no `trained_prior` (focal, ASL, margins), probabilities, and
            shapes that do not fit.

        Examples
        --------
        >>> from dcl import DCLLoss
        >>> counts = torch.tensor([[90, 10]])
        >>> criterion = DCLLoss(counts, 10, sampling=0.0, loss=0.0)  # trains towards balance
        >>> criterion.at_data_prior(torch.zeros(1, 1, 2)).softmax(2)
        tensor([[[0.9000, 0.1000]]])
        """
        prior = self.trained_prior()
        if prior is None:
            raise ValueError(
                f"{self._get_name()} states no prior that it trains towards and that could be "
                f"taken out: calibrate its scores on a validation split, by a temperature or "
                f"Platt's scaling, or define its trained_prior"
            )
        check_tensors(logits=logits)
        if not logits.is_floating_point():
            raise ValueError(f"logits must be floating point, got dtype {logits.dtype}")
        data = shares(self.class_counts)
        offsets = torch.where(data > 0, (data / prior).log(), 0.0).to(logits.device)  # (A, C)
        full = logits  # as (N, A, C), but for those of the positive class alone
        if logits.ndim == 2 and len(offsets) == 1 and logits.shape[1] == offsets.shape[1]:
            full, offsets = logits.unsqueeze(1), offsets[0]
        elif logits.ndim == 2 and offsets.shape[1] == 2 and logits.shape[1] == len(offsets):
            offsets = offsets[:, 1] - offsets[:, 0]
        if logits.shape[1:] != offsets.shape:
            raise ValueError(
                f"logits must be (samples, attributes, classes) = "
                f"(N, {', '.join(map(str, self.class_counts.shape))}) as class_counts, got shape "
                f"{tuple(logits.shape)}"
            )
        if full.ndim == 3:
            check_scale(full)
        else:
            warn_of_probabilities(logits)
        moved = logits + offsets.to(logits.dtype)
        if len(set(self.classes or ())) < 2:  # each attribute has all classes
            return moved
        return moved.masked_fill(self.missing.to(logits.device), -torch.inf)

    def batch(
        self, logits: Tensor, features: Tensor | None, labels: Tensor
    ) -> tuple[Tensor, Any, Tensor]:
        """A batch checked, as (B, A, C), (B, A, D), (B, A); masks classes an attribute lacks.

        The one place of a step where labels are read. A criterion that was left on another device
        moves to that of the logits.
        """
        given, of = logits, labels
        logits, features, labels = as_batch(logits, features, labels)
        attributes, classes = self.class_counts.shape
        if logits.ndim != 3 or logits.shape[1:] != (attributes, classes):
            one_hot = attributes == 1 and labels.ndim == 2 and labels.shape[1] == classes
            hint = ". One-hot labels become labels.argmax(1)" if one_hot else ""
            if given.ndim == 1:
                hint = ". Of one yes-or-no attribute give logits[:, None] and labels[:, None]"
            raise ValueError(
                f"logits must be (batch, attributes, classes) = (B, {attributes}, {classes}) as "
                f"class_counts, got shape {tuple(given.shape)} with labels "
                f"{tuple(of.shape)}{hint}"
            )
        check_labels(labels, attributes, self.classes or classes)
        check_logits(logits, labels)
        if not self._looked and reads_values(logits):
            self._look_at(given, logits)
        if self._doubt is not None and reads_values(labels):
            self._doubt = self._doubt_of_signs(labels, self._doubt)
        self.follow(logits.device)
        if self.classes is not None:
            logits = logits.masked_fill(self.missing, -torch.inf)
        return logits, features, labels

    def _look_at(self, given: Tensor, logits: Tensor) -> None:
        """Warn once, at the first batch, where the network gives probabilities for logits."""
        self._looked = True
        of_yes = False
        if given.ndim == 2 and len(self.class_counts) > 2 and given.numel() >= SURELY:
            inside = ((given >= 0) & (given <= 1)).all()  # of one or two it may be chance
            of_yes = bool(inside & (given % 1 != 0).any())
        if of_yes or add_up_to_one(logits.detach()):
            warnings.warn(
                "the logits of the first batch are probabilities, or look like them: the loss "
                "takes their softmax or sigmoid itself, so give what the network computes before",
                stacklevel=caller(),
            )

    def _doubt_of_signs(self, labels: Tensor, doubt: float) -> float | None:
        """Warn once where the labels (B, A) of the first batches are 1 and -1 alone.

        By `class_counts`, their lack of 0 is then as unlikely as so many heads in a row: `doubt`,
        before and after this batch. None once it is settled.
        """
        if bool(((labels == 0) | (labels > 1)).any()):
            return None
        others = 1 - shares(self.class_counts.cpu())[:, 0]
        doubt -= float(torch.xlogy((labels == 1).sum(0), others).sum()) / math.log(2)
        if doubt >= SURELY and bool((labels == UNKNOWN).any()):
            warnings.warn(
                "the labels so far are 1 and -1 alone, though class_counts has samples of class 0: "
                "-1 means unknown, and such a label counts nowhere. Where it means no, give "
                "(labels > 0).long(); where it means unknown, shuffle the samples",
                stacklevel=caller(),
            )
            return None
        return doubt

    def as_rows(self, rows: Any, labels: Any, samples: int | None) -> Tensor | None:
        """Rows (B,) as int64, checked; warns at the first batch of what looks like weights."""
        check_tensors(labels=labels)
        rows = as_rows(rows, len(labels), samples)
        if rows is None or self._looked or not reads_values(rows):
            return rows
        values, times = rows.unique(return_counts=True)
        if len(values) < len(rows):
            row, often = values[times.argmax()].item(), int(times.max())
            warnings.warn(
                f"the fourth argument of {type(self).__name__} is rows, of the batch in the "
                f"training set, and row {row} is in it {often} times. If these are weights of "
                f"samples, give them by name: weights=...",
                stacklevel=caller(),
            )
        return rows

    def follow(self, device: torch.device) -> None:
        """Move to this device, where the criterion is not there already."""
        if self.class_counts.device != device:
            self._move(device)

    @outside_graph
    def _move(self, device: torch.device) -> None:
        with torch.inference_mode(False):  # else what moved could never be changed again
            self.to(device)

    @property
    def parts(self) -> dict[str, Tensor]:
        """Parts of the last step's loss, detached, on its device; empty before the first step.

        Computed on demand, without waiting for a GPU: ``classification`` (scalar); ``share_kept``
        (A,), of the class that is largest in the training set; ``minority_weight`` (A,), the mean
        weight of the smallest class (NaN if the batch lacks it). Methods with triplets add
        ``metric`` (scalar, before its weight f; of ``crl-original`` after its alpha), ``triples``
        and ``active`` (A,), the number of triples and of those with a positive hinge.
        """
        if self._last is None:
            return {}
        parts, labels, weights = self._last
        return parts | batch_shares(labels, weights, self.class_counts)

    def get_extra_state(self) -> dict[str, Any]:
        """What `state_dict()` keeps, there as one tensor of bytes: safetensors takes no dict."""
        return {"epoch": self.epoch}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.set_epoch(state["epoch"])

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        key = prefix + EXTRA
        whose = {"method": self._get_name(), "class_counts": self.class_counts.cpu()}
        destination[key] = packed(destination[key] | whose)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *more: Any) -> None:
        key = prefix + EXTRA
        if key in state_dict:
            state = state_dict[key]
            state = unpacked(state) if isinstance(state, Tensor) else state  # a dict: early
            self._check_whose(state)
            state_dict = {**state_dict, key: state}
        super()._load_from_state_dict(state_dict, prefix, *more)

    def _check_whose(self, state: dict[str, Any]) -> None:
        """Refuse the state of another training's criterion; an early one does not say whose."""
        method, counts = state.get("method"), state.get("class_counts")
        hint = "Leave the criterion's state out to begin anew, or build the criterion it is of"
        if method is not None and method != self._get_name():
            raise ValueError(
                f"the saved criterion is {method}, this one is {self._get_name()}. {hint}"
            )
        if counts is not None and not torch.equal(counts, self.class_counts.cpu()):
            raise ValueError(
                f"the saved criterion is of another training set, with class_counts "
                f"{_brief(counts)}, this one has {_brief(self.class_counts)}. {hint}"
            )


def packed(state: dict[str, Any]) -> Tensor:
    """A dict of tensors and plain values as bytes, uint8 (n,)."""
    file = io.BytesIO()
    torch.save(state, file)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def unpacked(state: Tensor) -> dict[str, Any]:
    """The dict of `packed`, its tensors on the CPU. Runs no code that the bytes may hold."""
    held = bytearray(len(state))
    torch.frombuffer(held, dtype=torch.uint8).copy_(state)
    return torch.load(io.BytesIO(held), map_location="cpu", weights_only=True)


def _brief(counts: Tensor) -> str:
    """Class counts in an error: their shape, and the first attribute's."""
    return f"{tuple(counts.shape)} beginning {counts[0, :5].tolist()}"


def batch_shares(labels: Tensor, weights: Tensor | None, class_counts: Tensor) -> dict[str, Tensor]:
    """Share kept and mean minority weight (A,) of a batch with weights (B, A), see `parts`."""
    if weights is None:
        weights = torch.ones(labels.shape, device=labels.device)

    def mean_over(label: Tensor, values: Tensor) -> Tensor:  # (A,), (B, A) -> (A,)
        members = labels == label
        return (values * members).sum(0) / members.sum(0)

    smallest = class_counts.masked_fill(class_counts == 0, torch.iinfo(torch.int64).max).argmin(1)
    return {
        "share_kept": mean_over(class_counts.argmax(1), weights.clamp(max=1)),
        "minority_weight": mean_over(smallest, weights),
    }


def shares(counts: Tensor) -> Tensor:
    """Class counts or weights (A, C) as shares that sum to 1, float64."""
    counts = counts.double()
    return counts / counts.sum(1, keepdim=True)
