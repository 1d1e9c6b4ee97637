"""A data set as arrays, its splits on the device, and a batch made in one go."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..checks import UNKNOWN
from ..sampling import count_classes

SPLITS = ("train", "val", "test")
SPELLINGS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "development", "validate"),
    "test": ("test", "testing"),
}
Augmentation = Callable[[Tensor, torch.Generator], Tensor]  # uint8 images (B, 3, H, W) -> the same


class DataError(ValueError):
    """Data that cannot be used: says which file and row, and what to do."""


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image mirrored with probability 1/2 (paper 4.3.1: horizontal flip)."""
    mirrored = torch.rand(len(images), device=images.device, generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def split_name(word: str) -> str | None:
    """The split that a word means, None for one that means none.

    Examples
    --------
    >>> split_name("Validation"), split_name("held-out")
    ('val', None)
    """
    word = word.strip().lower()
    return next((name for name, spellings in SPELLINGS.items() if word in spellings), None)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images (N, 3, H, W) uint8, or features (N, F) float32, and labels (N, A) of one split.

    Labels are whole numbers, -1 where unknown; they are kept as int64.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        kind = self.images.dtype.name, self.images.ndim
        if kind not in (("uint8", 4), ("float32", 2)):
            raise DataError(
                f"images must be uint8 (N, 3, H, W), or features float32 (N, F), got {kind[0]} "
                f"{self.images.shape}"
            )
        labels = np.asarray(self.labels)
        if labels.ndim != 2 or len(labels) != len(self.images):
            raise DataError(
                f"labels must be (samples, attributes) and as many as the {len(self.images):,} "
                f"images, got shape {labels.shape}"
            )
        if labels.dtype.kind not in "biuf":
            raise DataError(f"labels must be whole numbers, got {labels.dtype}")
        if labels.dtype.kind == "f":
            wrong = np.argwhere(np.floor(labels) != labels)  # NaN too; infinity is out of range
            if len(wrong):
                row, column = wrong[0]
                raise DataError(
                    f"labels must be whole numbers, {UNKNOWN} where unknown: row {row}, column "
                    f"{column} (both from 0) is {labels[row, column]}"
                )
            labels = np.clip(labels, -(2.0**31), 2.0**31)
        object.__setattr__(self, "labels", labels.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.labels)

    def spread(self, count: int) -> np.ndarray:
        """Rows of at most `count` images, spread evenly: sorted ones keep their shares."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)

    def at(self, rows: np.ndarray) -> "Split":
        """These rows of it."""
        return Split(images=self.images[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in memory or mapped from disk, with what a run record says of it."""

    name: str  # short, for paths: "faces"
    title: str  # for figures: "SynthFaces", "CelebA, 30,000 images at 64x64"
    attributes: tuple[str, ...]
    classes: int | tuple[int, ...]  # of every attribute, or of each
    splits: dict[str, Split]
    expected: dict[str, int]  # images of each split in the complete data set
    fingerprint: str  # changes when the data do
    augment: Augmentation | None = flip  # of the training images, on the device
    class_names: tuple[str, ...] = ()  # of a single label
    groups: dict[str, list[str]] = field(default_factory=dict)  # of attributes, or of classes
    facts: dict[str, Any] = field(default_factory=dict)  # more that a run record keeps
    # who each training image shows, (N,) whole numbers, negative where unknown; None: all unknown
    persons: np.ndarray | None = None

    def __post_init__(self):
        sizes = self.class_sizes
        if len(sizes) != len(self.attributes) or min(sizes, default=0) < 2:
            raise DataError(
                f"{self.title}: classes must be 2 or more for each of the {len(self.attributes)} "
                f"attributes, got {self.classes}"
            )
        self._check_names(sizes)
        if len(set(sizes)) == 1:  # one number for all is said once
            object.__setattr__(self, "classes", sizes[0])
        for name, split in self.splits.items():
            if name not in SPLITS:
                meant = split_name(name)
                raise DataError(
                    f"{self.title}: no split may be called {name!r}: "
                    f"{f'call it {meant!r}' if meant else 'there are ' + ', '.join(SPLITS)}"
                )
            if name == "val" and not len(split):
                raise DataError(f"{self.title}: the val split is empty: leave it out of splits")
            self._check_labels(name, split.labels, np.array(sizes))
        for name in ("train", "test"):
            if name not in self.splits or not len(self.splits[name]):
                raise DataError(
                    f"{self.title}: there is no sample in the {name} split: train and test need "
                    f"some, val may be left out"
                )
        if self.splits["train"].images.ndim == 2 and self.augment not in (None, flip):
            raise DataError(
                f"{self.title}: augment is of images, and these are features: leave it out, and "
                f"change them in load"
            )
        images = len(self.splits["train"])
        if self.persons is not None and len(self.persons) != images:
            raise DataError(
                f"{self.title}: persons must be {images:,}, one for each training image, got "
                f"{len(self.persons):,}"
            )

    def _check_names(self, sizes: tuple[int, ...]) -> None:
        twice = [name for name in self.attributes if self.attributes.count(name) > 1]
        if twice:
            raise DataError(f"{self.title}: two attributes are called {twice[0]!r}: rename one")
        if self.class_names and len(self.class_names) != sizes[0]:
            raise DataError(
                f"{self.title}: {len(self.class_names)} class_names for {sizes[0]} classes: give "
                f"one for each"
            )
        known: Collection[str] = self.attributes
        if len(sizes) == 1:  # groups are of classes
            known = self.class_names or [str(label) for label in range(sizes[0])]
        for group, members in self.groups.items():
            for member in members:
                if member not in known:
                    raise DataError(
                        f"{self.title}: group {group!r} names {member!r}, which is none of "
                        f"{', '.join(known)}"
                    )

    def _check_labels(self, name: str, labels: np.ndarray, sizes: np.ndarray) -> None:
        if labels.shape[1] != len(self.attributes):
            raise DataError(
                f"{self.title}: the {name} split has {labels.shape[1]} labels a sample, expected "
                f"{len(self.attributes)}: one for each attribute"
            )
        wrong = (labels < UNKNOWN) | (labels >= sizes)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(
                f"{self.title}: row {row} (from 0) of the {name} split has the label "
                f"{labels[row, column]} of {self.attributes[column]}, expected 0 to "
                f"{sizes[column] - 1}, or {UNKNOWN} where it is unknown"
            )

    @property
    def sizes(self) -> dict[str, int]:
        """Samples of each split."""
        return {name: len(split) for name, split in self.splits.items()}

    @property
    def class_sizes(self) -> tuple[int, ...]:
        """Classes of each attribute, A numbers."""
        if isinstance(self.classes, int):
            return (self.classes,) * len(self.attributes)
        return self.classes

    @cached_property
    def class_counts(self) -> Tensor:
        """Samples of each class in the training split, (A, C) int64.

        C is that of the attribute with most classes; a class that an attribute lacks has 0.
        Unknown labels are not counted.
        """
        return count_classes(self.splits["train"].labels, self.class_sizes)

    def imbalance_level(self) -> np.ndarray:
        """Rate of the majority class in the training split above that of equal classes, (A,).

        In percent: of two classes the rate minus 50, as in Table 2. NaN without a known label.
        """
        counts = self.class_counts.numpy()
        with np.errstate(invalid="ignore"):
            return 100 * counts.max(1) / counts.sum(1) - 100 / np.array(self.class_sizes)

    def missing_classes(self) -> list[tuple[str, int]]:
        """Attributes and classes of which the training split has no sample."""
        exists = np.arange(max(self.class_sizes)) < np.array(self.class_sizes)[:, None]
        rows = np.argwhere(exists & (self.class_counts.numpy() == 0))
        return [(self.attributes[attribute], int(label)) for attribute, label in rows]

    def unknown_labels(self) -> dict[str, int]:
        """Labels that are unknown in any split, by attribute; those without one are left out."""
        counts = sum((split.labels == UNKNOWN).sum(0) for split in self.splits.values())
        return {name: int(n) for name, n in zip(self.attributes, counts, strict=True) if n}

    def part(self, **counts: int) -> "Dataset":
        """The same data set with at most so many images of each split named, for a quick look.

        The fingerprint covers what was left out.
        """
        rows = {
            name: split.spread(counts.get(name, len(split))) for name, split in self.splits.items()
        }
        left = {name: len(part) for name, part in rows.items()}
        if left == self.sizes:
            return self
        return self.replace(
            splits={
                name: split if left[name] == len(split) else split.at(rows[name])
                for name, split in self.splits.items()
            },
            persons=None if self.persons is None else self.persons[rows["train"]],
            fingerprint=hashlib.sha256(f"{self.fingerprint} {left}".encode()).hexdigest()[:16],
        )

    replace = replace

    def train_rows(self, images: int, seed: int = 0) -> np.ndarray:
        """Rows of a random part of the training images, sorted.

        We put the persons in a seeded order and take them from its start while they have at most
        `images` images. An image whose person is unknown counts as one person. So no person is
        taken in part, and of two parts with one seed the smaller lies in the larger.

        Parameters
        ----------
        images : int
            1 to the number of training images.
        seed : int
            0 or more.

        Raises
        ------
        DataError
            For a number out of range, or too small for the first person.
        """
        split = self.splits["train"]
        if not 1 <= images <= len(split):
            raise DataError(
                f"train_part must be 1 to {len(split):,}, the training images of {self.title}, "
                f"got {images:,}"
            )
        alone = -1 - np.arange(len(split))
        persons = alone if self.persons is None else np.where(self.persons < 0, alone, self.persons)
        _, person, sizes = np.unique(persons, return_inverse=True, return_counts=True)
        order = np.random.default_rng(seed).permutation(len(sizes))
        taken = order[np.cumsum(sizes[order]) <= images]
        rows = np.flatnonzero(np.isin(person, taken))
        if not len(rows):
            raise DataError(
                f"train_part {images:,}: the first person drawn has {sizes[order[0]]:,} images and "
                f"no person is taken in part: raise it"
            )
        return rows

    def with_train_part(self, images: int, seed: int = 0) -> "Dataset":
        """The same data set with the training images of `train_rows`; val and test stay whole.

        The fingerprint covers the choice, and ``facts["train_part"]`` tells it.

        Raises
        ------
        DataError
            As `train_rows`, and for a part that lacks a class.
        """
        split, rows = self.splits["train"], self.train_rows(images, seed)
        digest = hashlib.sha256(f"{self.fingerprint} {images} {seed}".encode() + rows.tobytes())
        part = {
            "images": images,
            "seed": seed,
            "of": len(split),
            "drawn_by": "image" if self.persons is None else "person",
        }
        data = self.replace(
            title=f"{self.title}, {len(rows):,} of {len(split):,} to train on",
            splits={
                **self.splits,
                "train": split.at(rows),
            },
            fingerprint=digest.hexdigest()[:16],
            facts={**self.facts, "train_part": part},
            persons=None if self.persons is None else self.persons[rows],
        )
        lost = sorted(set(data.missing_classes()) - set(self.missing_classes()))
        if lost:
            attribute, label = lost[0]
            raise DataError(
                f"train_part {images:,} leaves no training image of class {label} of {attribute} "
                f"({len(lost)} such classes): raise it, or take another seed"
            )
        return data

    def describe(self) -> dict:
        """What the run record keeps: name, title, images present and expected, fingerprint, facts.

        Also the class counts of training, and how many labels of each attribute are unknown, if any
        are.
        """
        unknown = self.unknown_labels()
        return {
            "name": self.name,
            "title": self.title,
            "found": self.sizes,
            "expected": self.expected,
            "fingerprint": self.fingerprint,
            "shape": list(self.splits["train"].images.shape[1:]),
            "class_counts": self.class_counts.tolist(),
            **({"unknown_labels": unknown} if unknown else {}),
            **self.facts,
        }


class Resident:
    """One split on the device, which also gathers, flips and normalises the batches.

    Images stay uint8 until then. Features, float32, are given as they are.

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
        """Images (B, 3, H, W) or features (B, F), float32, and labels (B, A) at `index` (B,).

        Images are augmented where a generator (on the split's device) is given. A `share` gives
        only these of the images, augmented as in the whole batch; the labels stay whole.
        """
        images = self.images[index]
        if images.dtype != torch.uint8:  # features
            return images[share], self.labels[index]
        if generator is not None and self.augment is not None:
            images = self.augment(images, generator)
        return normalise(images[share]), self.labels[index]


def normalise(images: Tensor) -> Tensor:
    """uint8 images -> float32 of roughly zero mean and unit variance; constants are ours."""
    return images.float().sub_(127.5).div_(64)


def _writeable(array: np.ndarray) -> np.ndarray:
    """The array, copied from disk where it is a read-only memory map."""
    return array if array.flags.writeable else np.array(array)
