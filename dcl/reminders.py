"""What a criterion tells once: a curriculum that nobody moves, batches too small for a class."""

import os
import sys
import warnings
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor

# Whose lines are passed over on the way to the one that calls the criterion
PASSED = tuple(f"{Path(file).parent}{os.sep}" for file in (__file__, torch.__file__))


class Reminders:
    """Warns of each thing once, at the line that calls the criterion.

    Parameters
    ----------
    samples : int
        Of an epoch.
    moves : bool
        Whether the curricula move at all.
    target : Tensor (A, C), optional
        The share that each class is to have of a batch at the start; without it batches of any
        size will do.
    """

    def __init__(self, samples: int, *, moves: bool, target: Tensor | None):
        self.samples, self.moves = samples, moves
        self.unmoved = 0  # samples since the curricula moved
        self._told: set[str] = set()
        self._share, self._attribute, self._label = 1.0, 0, 0  # of the scarcest class
        if target is not None:
            where = int(target.argmin())
            self._share = float(target.flatten()[where])
            self._attribute, self._label = divmod(where, target.shape[1])

    def seen(self, batch: int, epoch: float) -> None:
        """Called for each batch in training, with its size, by `forward` itself."""
        self.unmoved += batch
        if self.moves and self.unmoved > 2 * self.samples + batch:
            self._tell(
                "still",
                f"{self.unmoved:,} samples since the last set_epoch, more than two epochs of the "
                f"{self.samples:,} in class_counts: the curricula stand still at epoch {epoch:g}. "
                f"Call set_epoch(epoch + step / steps) before each step, or give steps_per_epoch",
            )
        wanted = batch * self._share
        if 0 < wanted < 0.5:
            self._tell(
                "scarce",
                f"of class {self._label} of attribute {self._attribute} a batch of {batch} is to "
                f"hold {wanted:.2g} samples: what a batch has of it is mostly chance. Larger "
                f"batches, or current='train', give it its share",
            )

    def _tell(self, what: str, words: str) -> None:
        if what not in self._told:
            self._told.add(what)
            warnings.warn(words, stacklevel=_caller())


def _caller() -> int:
    """``stacklevel`` of the line, outside this package and torch, that calls the criterion."""
    level = 1
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PASSED):
        level, frame = level + 1, frame.f_back
    return level
