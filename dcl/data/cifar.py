"""CIFAR-100 (Krizhevsky 2009): balanced, long-tailed or in a step; accuracy by shots.

cifar-100-python/{train,test,meta}        the official files, read once their checksums are right
{train,test}/<class>/<image>              or one image file each, packed once

Both give the same arrays: images sorted by class and file name, so that an index means the same
image in either. Published long-tailed results do not reproduce unless the subset is fixed; the
record keeps the indices.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .cifar_files import HELP, OFFICIAL, read_official, read_tree
from .resident import SPLITS, DataError, Dataset, Split, flip

CLASSES, PER_CLASS, TEST_PER_CLASS = 100, 500, 100
IMBALANCE_TYPES = ("long-tailed", "step")
VALIDATIONS = ("before", "unused", "none")
MANY, FEW = 100, 20  # training images of a class: above, and below (Liu et al. 2019)


def load(root: str | Path, *, progress: bool = True) -> Dataset:
    """All of CIFAR-100 from `root`: ``train`` and ``test``, sorted by class and file name.

    Parameters
    ----------
    root : path
        Folder with ``cifar-100-python/`` or with ``train/`` and ``test/``, or one that holds such
        a folder as ``cifar100/``.
    progress : bool
        Show a progress bar while packing.

    Raises
    ------
    DataError
        For a file that is missing, damaged or not of CIFAR-100, by name.
    """
    root = Path(root)
    if not root.exists():
        raise DataError(f"data_root {root} does not exist. {HELP}")
    for folder in (root, root / "cifar100"):
        if (folder / OFFICIAL).is_dir():
            names, splits, content = read_official(folder / OFFICIAL)
            break
        if (folder / "train").is_dir() and (folder / "test").is_dir():
            names, splits, content = read_tree(folder, progress)
            break
    else:
        raise DataError(
            f"data_root {root} is not CIFAR-100: expected {OFFICIAL}/, or train/ and "
            f"test/, in it. {HELP}"
        )
    return Dataset(
        name="cifar100",
        title="CIFAR-100",
        attributes=("class",),
        classes=len(names),
        class_names=names,
        splits=splits,
        expected={"train": CLASSES * PER_CLASS, "test": CLASSES * TEST_PER_CLASS},
        fingerprint=content,
        augment=pad_crop_flip,
    )


def subset(
    data: Dataset,
    *,
    imbalance_ratio: float = 1.0,
    imbalance_type: str = "long-tailed",
    fraction: float = 1.0,
    validation: str = "before",
    val_per_class: int = 50,
    seed: int = 0,
) -> Dataset:
    """A data set of one label with a fixed part of its training images.

    Its indices, and those of the validation images, go into ``facts``: rows of the complete
    training split sorted by class and file name; so do the counts that were reached.

    Parameters
    ----------
    data : Dataset
        With splits ``train`` and ``test``.
    imbalance_ratio : float
        Images of the largest class over those of the smallest, 1 or more; 1 leaves the set
        balanced.
    imbalance_type : {"long-tailed", "step"}
        ``long-tailed``: class c of C keeps n ratio ** (-c / (C - 1)) of n, rounded down, as Cui et
        al. (2019) do. ``step``: the second half of the classes keeps n / ratio (Buda et al. 2018).
    fraction : float
        Part of each class to use before that, in (0, 1].
    validation : {"before", "unused", "none"}
        ``before``: images for ``val`` are taken out first, the same number of each class, and n is
        what is left: 450 of CIFAR-100's 500, and "1:100" is 450 to 4. ``unused``: n is all, as in
        published long-tailed results (10,847 images at 1:100), and ``val`` is of the images that
        the cut leaves out; the largest class has none. ``none``: as published results are made,
        without ``val``, n is all: the last epoch is tested, and no threshold can be tuned.
    val_per_class : int
        Images of each class for ``val``, at most. 0, with ``before``: keep the data set's ``val``.
    seed : int
        Of the choice. It is not the seed of the run: all seeds train on the same images.

    Raises
    ------
    DataError
        For an argument out of range, and a class or a split without an image, by name.
    """
    _check_subset(data, imbalance_ratio, imbalance_type, fraction, validation, val_per_class)
    source = data.splits["train"]
    labels = source.labels[:, 0]
    if imbalance_ratio == fraction == 1 and validation == "before" and not val_per_class:
        return data.replace(groups=shots(labels, _names(data)))
    rng = np.random.default_rng(seed)
    chosen: dict[str, list[np.ndarray]] = {"train": [], "val": []}
    classes = data.class_sizes[0]
    for label in range(classes):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if validation == "before":
            chosen["val"].append(rows[:val_per_class])
            rows = rows[val_per_class:]
        if imbalance_type == "long-tailed":
            share = imbalance_ratio ** (-label / max(1, classes - 1))
        else:
            share = 1 / imbalance_ratio if label >= classes / 2 else 1.0
        count = int(len(rows) * fraction * share + 1e-9)  # 50 / 10 is not to become 4
        if not count:
            raise DataError(
                f"no training image of class {_names(data)[label]!r} is left ({len(rows)} times "
                f"fraction {fraction:g} times {share:.3g}): lower imbalance_ratio or raise fraction"
            )
        chosen["train"].append(rows[:count])
        if validation == "unused":
            chosen["val"].append(rows[count : count + val_per_class])
    indices = {name: np.sort(np.concatenate(rows)) for name, rows in chosen.items() if rows}
    if validation == "before" and not val_per_class:
        del indices["val"]  # the data set's val stays
    elif validation == "unused" and not len(indices["val"]):
        raise DataError(
            "validation 'unused': the subset uses every training image. Raise imbalance_ratio, "
            "lower fraction, or take validation 'before'"
        )
    splits = {name: split for name, split in data.splits.items() if validation != "none"}
    splits["test"] = data.splits["test"]
    for name, rows in indices.items():
        splits[name] = Split(images=source.images[rows], labels=source.labels[rows])
    counts = np.bincount(labels[indices["train"]])
    part = f", {100 * fraction:g} %" if fraction < 1 else ""
    kind = f", {imbalance_type} 1:{imbalance_ratio:g}" if imbalance_ratio > 1 else ""
    digest = hashlib.sha256(b"".join(rows.tobytes() for rows in indices.values()))
    return data.replace(
        title=f"{data.title}{kind}{part}",
        splits={name: splits[name] for name in SPLITS if name in splits},
        fingerprint=f"{data.fingerprint}-{digest.hexdigest()[:8]}",
        groups=shots(labels[indices["train"]], _names(data)),
        facts={
            "validation": validation,
            "largest_class": int(counts.max()),
            "smallest_class": int(counts.min()),
            "indices": {name: rows.tolist() for name, rows in indices.items()},
        },
    )


def regrouped(part: Dataset, rows: np.ndarray) -> Dataset:
    """A part of these training images, with its groups and facts counted anew."""
    labels = part.splits["train"].labels[:, 0]
    counts = np.bincount(labels, minlength=part.class_sizes[0])
    facts = {**part.facts, "largest_class": int(counts.max()), "smallest_class": int(counts.min())}
    if "indices" in facts:
        train = np.asarray(facts["indices"]["train"])[rows].tolist()
        facts["indices"] = {**facts["indices"], "train": train}
    return part.replace(groups=shots(labels, _names(part)), facts=facts)


def _names(data: Dataset) -> Sequence[str]:
    return data.class_names or [str(label) for label in range(data.class_sizes[0])]


def _check_subset(data, imbalance_ratio, imbalance_type, fraction, validation, val_per_class):
    for name, value, choices in (
        ("imbalance_type", imbalance_type, IMBALANCE_TYPES),
        ("validation", validation, VALIDATIONS),
    ):
        if value not in choices:
            raise DataError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    if not 1 <= imbalance_ratio < float("inf"):
        raise DataError(
            f"imbalance_ratio must be 1 or more, the largest class over the smallest, got "
            f"{imbalance_ratio!r}"
        )
    if not 0 < fraction <= 1:
        raise DataError(f"fraction must lie in (0, 1], got {fraction!r}")
    if not isinstance(val_per_class, int) or val_per_class < 0:
        raise DataError(f"val_per_class must be a whole number, 0 or more, got {val_per_class!r}")
    if not val_per_class and validation == "unused":
        raise DataError("validation 'unused' needs val_per_class of 1 or more, got 0")
    if not val_per_class and validation == "before" and "val" not in data.splits:
        raise DataError(
            f"val_per_class is 0, and {data.title} has no val split: take 1 or more, "
            f"or validation 'none'"
        )


def shots(labels: np.ndarray, names: Sequence[str]) -> dict[str, list[str]]:
    """Classes with more than 100 training images, with 20 to 100, and with fewer."""
    counts = np.bincount(labels, minlength=len(names))
    groups = {
        "many-shot": counts > MANY,
        "medium-shot": (counts >= FEW) & (counts <= MANY),
        "few-shot": counts < FEW,
    }
    return {
        group: [name for name, member in zip(names, members, strict=True) if member]
        for group, members in groups.items()
        if members.any()
    }


def pad_crop_flip(images: Tensor, generator: torch.Generator, pad: int = 4) -> Tensor:
    """Each image shifted by up to `pad` pixels over black, and mirrored with probability 1/2.

    The usual augmentation of CIFAR (He et al. 2016), for the whole batch in one gather.
    """
    batch, channels, height, width = images.shape
    device = images.device
    padded = F.pad(flip(images, generator), (pad,) * 4)
    shift = torch.randint(0, 2 * pad + 1, (2, batch, 1), device=device, generator=generator)
    rows = shift[0] + torch.arange(height, device=device)  # (B, H)
    columns = shift[1] + torch.arange(width, device=device)
    sample = torch.arange(batch, device=device)[:, None, None, None]
    channel = torch.arange(channels, device=device)[:, None, None]
    return padded[sample, channel, rows[:, None, :, None], columns[:, None, None, :]]
