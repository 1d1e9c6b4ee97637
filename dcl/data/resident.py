"""A data set as uint8 arrays, its splits on the device, and a batch made in one go."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..sampling import count_classes

SPLITS = ("train", "val", "test")
Augmentation = Callable[[Tensor, torch.Generator], Tensor]  # uint8 images (B, 3, H, W) -> the same


class DataError(ValueError):
    """Data that cannot be used: says which file and row, and what to do."""


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image mirrored with probability 1/2 (paper 4.3.1: horizontal flip)."""
    mirrored = torch.rand(len(images), device=images.device, generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images (N, 3, H, W) uint8 and labels (N, A) int64 of one split."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, count: int) -> "Split":
        """At most `count` images, spread evenly over the split: sorted ones keep their shares."""
        if count >= len(self):
            return self
        rows = np.linspace(0, len(self) - 1, count).astype(int)
        return Split(images=self.images[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in memory or mapped from disk, with what a run record says of it."""

    name: str  # short, for paths: "faces"
    title: str  # for figures: "SynthFaces", "CelebA, 30,000 images at 64x64"
    attributes: tuple[str, ...]
    classes: int
    splits: dict[str, Split]
    expected: dict[str, int]  # images of each split in the complete data set
    fingerprint: str  # changes when the data do
    augment: Augmentation | None = flip  # of the training images, on the device
    class_names: tuple[str, ...] = ()  # of a single label
    groups: dict[str, list[str]] = field(default_factory=dict)  # of attributes, or of classes
    facts: dict[str, Any] = field(default_factory=dict)  # more that a run record keeps

    @cached_property
    def class_counts(self) -> Tensor:
        """Samples of each class in the training split, (A, C) int64."""
        return count_classes(torch.from_numpy(self.splits["train"].labels), self.classes)

    def imbalance_level(self) -> np.ndarray:
        """Majority class rate in the training split minus 50, in percent, (A,) (Table 2)."""
        counts = self.class_counts.numpy()
        return 100 * counts.max(1) / counts.sum(1) - 50

    def part(self, **counts: int) -> "Dataset":
        """The same data set with at most so many images of each split named, for a quick look."""
        splits = {k: v.part(counts[k]) if k in counts else v for k, v in self.splits.items()}
        return replace(self, splits=splits)

    replace = replace

    def describe(self) -> dict:
        """What the run record keeps: name, title, images found and expected, fingerprint, facts."""
        found = {name: len(split) for name, split in self.splits.items()}
        return {
            "name": self.name,
            "title": self.title,
            "found": found,
            "expected": self.expected,
            "fingerprint": self.fingerprint,
            **self.facts,
        }


class Resident:
    """One split on the device as uint8; a batch is gathered, flipped and normalised there.

    Parameters
    ----------
    split : Split
    device : torch.device or str
    augment : callable, optional
        (uint8 images (B, 3, H, W), generator) -> images, such as `flip`.
    """

    def __init__(
        self,
        split: Split,
        device: torch.device | str,
        augment: Augmentation | None = None,
    ):
        self.images = torch.from_numpy(_writeable(split.images)).to(device)
        self.labels = torch.from_numpy(_writeable(split.labels)).to(device)
        self.augment = augment

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self,
        index: Tensor,
        generator: torch.Generator | None = None,
        share: slice = slice(None),
    ) -> tuple[Tensor, Tensor]:
        """Images (B, 3, H, W) float32 and labels (B, A) of the samples at `index` (B,).

        Augmented where a generator (on the split's device) is given. With a `share`, the images
        are that part of them, drawn as if all were made; the labels are still all.
        """
        images = self.images[index]
        if generator is not None and self.augment is not None:
            images = self.augment(images, generator)
        return normalise(images[share]), self.labels[index]


def normalise(images: Tensor) -> Tensor:
    """uint8 images -> float32 of roughly zero mean and unit variance; constants are ours."""
    return images.float().sub_(127.5).div_(64)


def _writeable(array: np.ndarray) -> np.ndarray:
    """The array, copied from disk where it is a read-only memory map."""
    return array if array.flags.writeable else np.array(array)
