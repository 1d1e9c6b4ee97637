"""One-time warnings at the line that calls a criterion: what a training may have forgotten."""

import os
import sys
import warnings
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

# Frames of these packages are skipped in search of the line that calls the criterion
PASSED = tuple(f"{Path(file).parent}{os.sep}" for file in (__file__, torch.__file__))


class Reminders:
    """One-time warnings, at the line that calls the criterion.

    Parameters
    ----------
    class_counts : Tensor (A, C)
        An epoch is the known labels of the attribute that has most.
    still : str, optional
        What stands still where nobody calls `set_epoch`, such as ``the curricula stand still``;
        None: nothing moves.
    target : Tensor (A, C), optional
        Target share of each class at the start, for the warning about small batches.
    advice : str
        What one can do beside calling `set_epoch`.
    """

    def __init__(
        self,
        class_counts: Tensor,
        *,
        still: str | None,
        target: Tensor | None = None,
        advice: str = "",
    ):
        known = class_counts.sum(1)
        self.samples, self._most = int(known.max()), int(known.argmax())
        self.still, self.advice = still, advice
        self.moved()
        self._told: set[str] = set()
        self._share, self._attribute, self._label = 1.0, 0, 0  # of the scarcest class
        if target is not None:
            where = int(target.argmin())
            self._share = float(target.flatten()[where])
            self._attribute, self._label = divmod(where, target.shape[1])

    def moved(self) -> None:
        """Somebody has called `set_epoch`."""
        self._known, self._unread = 0.0, 0  # labels since, and samples whose labels nobody read

    def seen(self, labels: Tensor, epoch: float) -> None:
        """Count a training batch (B, A) or (B,), and warn if something is wrong."""
        batch = len(labels)
        self._unread += batch
        most = 2 * self.samples + batch
        if self.still and self._known + self._unread > most and "still" not in self._told:
            self._read(labels)
            if self._known > most:
                self._tell(
                    "still",
                    f"{self._known:,.0f} labels of attribute {self._most} since the last "
                    f"set_epoch, more than two epochs of its {self.samples:,} in class_counts: "
                    f"{self.still} at epoch {epoch:g}. Call set_epoch(epoch + step / steps) before "
                    f"each step{self.advice}",
                )
        wanted = batch * self._share
        if 0 < wanted < 0.5:
            self._tell(
                "scarce",
                f"of class {self._label} of attribute {self._attribute} a batch of {batch} is to "
                f"hold {wanted:.2g} samples: what a batch has of it is mostly chance. Larger "
                f"batches, or current='train', give it its share",
            )

    def beyond(self, epochs: float, steps: int) -> None:
        """Warn of a training that goes on after the steps that were announced."""
        self._tell(
            "beyond",
            f"the training goes on after its {epochs:g} epochs of {steps} steps: the curricula "
            f"stay where they ended. Give epochs, and steps_per_epoch, of the whole training; each "
            f"call of the criterion in training is a step",
        )

    def _read(self, labels: Tensor) -> None:
        """Take the unread samples as known where this batch's are.

        Only where nobody moved the curricula for long, because a GPU waits for it.
        """
        capturing = labels.is_cuda and torch.cuda.is_current_stream_capturing()
        if labels.is_meta or capturing or not len(labels):
            return
        column = labels.reshape(len(labels), -1)[:, self._most]
        self._known += self._unread * (column >= 0).double().mean().item()
        self._unread = 0

    def _tell(self, what: str, words: str) -> None:
        if what not in self._told:
            self._told.add(what)
            warnings.warn(words, stacklevel=caller())


def caller() -> int:
    """``stacklevel`` of the line, outside this package and torch, that calls it."""
    level = 1
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PASSED):
        level, frame = level + 1, frame.f_back
    return level
