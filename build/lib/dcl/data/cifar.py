"""CIFAR-100 (Krizhevsky 2009): balanced, long-tailed or in a step; accuracy by shots.

cifar-100-python/{train,test,meta}        the official files, read once their checksums are right
{train,test}/<class>/<image>              or one image file each, packed once

Both give the same arrays: images sorted by class and file name, so that an index means the same
image in either. Published long-tailed results do not reproduce unless the subset is fixed; the
record keeps the indices.
"""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.datasets import CIFAR100

from ..models import ResNetCIFAR
from .pack import open_pack
from .resident import SPLITS, DataError, Dataset, Split, flip
from .sources import Folder

HELP = (
    'torchvision.datasets.CIFAR100("data/cifar100", download=True) fetches it where there is a '
    "network; a folder of image files, train/<class>/ and test/<class>/, will do as well"
)
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
        if (folder / CIFAR100.base_folder).is_dir():
            names, splits, content = _official(folder / CIFAR100.base_folder)
            break
        if (folder / "train").is_dir() and (folder / "test").is_dir():
            names, splits, content = _tree(folder, progress)
            break
    else:
        raise DataError(
            f"data_root {root} is not CIFAR-100: expected {CIFAR100.base_folder}/, or train/ and "
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


def _official(folder: Path) -> tuple[tuple[str, ...], dict[str, Split], str]:
    """The official pickles. A pickle can run code: none is opened before all checksums are right.

    What is opened are the very bytes that were checked, not what the files hold by then.
    """
    meta = CIFAR100.meta
    sums = [*CIFAR100.train_list, *CIFAR100.test_list, (meta["filename"], meta["md5"])]
    files = {name: _verified(folder / name, md5) for name, md5 in sums}
    names = tuple(_unpickle(files[meta["filename"]])[meta["key"]])
    splits, content = {}, hashlib.sha256()
    for split in ("train", "test"):
        file = _unpickle(files.pop(split))
        labels = np.array(file["fine_labels"], np.int64)[:, None]
        stems = np.array([name.rsplit(".", 1)[0] for name in file["filenames"]])
        order = np.lexsort((stems, labels[:, 0]))
        images = np.ascontiguousarray(file["data"].reshape(-1, 3, 32, 32)[order])
        splits[split] = Split(images=images, labels=labels[order])
        content.update(labels[order].tobytes() + images.tobytes())
    return names, splits, content.hexdigest()[:16]


def _verified(path: Path, md5: str) -> bytes:
    """The bytes of a file whose checksum is right."""
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
        raise DataError(
            f"{path} is missing or not the official file (its md5 must be {md5}): get it again. "
            f"{HELP}"
        )
    return data


def _unpickle(verified: bytes) -> dict:
    return pickle.loads(verified, encoding="latin1")


def _tree(root: Path, progress: bool) -> tuple[tuple[str, ...], dict[str, Split], str]:
    """Image files ``<split>/<class>/<name>``; any number of classes and of images."""
    sources = {split: Folder(root / split) for split in ("train", "test")}
    names = sorted({name.split("/")[0] for name in sources["train"].names() if "/" in name})
    splits, contents = {}, []
    number = {name: label for label, name in enumerate(names)}
    files = {}
    for split, source in sources.items():
        found = sorted(source.names(), key=lambda name: tuple(Path(name).with_suffix("").parts))
        odd = next((name for name in found if name.split("/")[0] not in number), None)
        if odd is not None:
            raise DataError(f"{source.path / odd}: is in no folder of a class of train/")
        if not found:
            raise DataError(f"{source.path} holds no images. {HELP}")
        files[split] = found
    for split, found in files.items():
        pack = open_pack(root, sources[split], found, size=ResNetCIFAR.size, progress=progress)
        labels = np.array([[number[name.split("/")[0]]] for name in found])
        splits[split] = Split(images=pack.images, labels=labels)
        contents.append(pack.fingerprint(labels))
    return tuple(names), splits, hashlib.sha256("".join(contents).encode()).hexdigest()[:16]


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
        without ``val``: the last epoch is tested.
    val_per_class : int
        Images of each class for ``val``, at most. 0, with ``before``: the data set's own stay.
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
        return data.replace(groups=shots(labels, data.class_names))
    rng = np.random.default_rng(seed)
    chosen: dict[str, list[np.ndarray]] = {"train": [], "val": []}
    for label in range(data.classes):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if validation == "before":
            chosen["val"].append(rows[:val_per_class])
            rows = rows[val_per_class:]
        if imbalance_type == "long-tailed":
            share = imbalance_ratio ** (-label / max(1, data.classes - 1))
        else:
            share = 1 / imbalance_ratio if label >= data.classes / 2 else 1.0
        count = int(len(rows) * fraction * share + 1e-9)  # 50 / 10 is not to become 4
        if not count:
            name = data.class_names[label] if data.class_names else label
            raise DataError(
                f"no training image of class {name!r} is left ({len(rows)} times fraction "
                f"{fraction:g} times {share:.3g}): lower imbalance_ratio or raise fraction"
            )
        chosen["train"].append(rows[:count])
        if validation == "unused":
            chosen["val"].append(rows[count : count + val_per_class])
    indices = {name: np.sort(np.concatenate(rows)) for name, rows in chosen.items() if rows}
    if validation == "before" and not val_per_class:
        del indices["val"]  # the data set's own
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
        groups=shots(labels[indices["train"]], data.class_names),
        facts={
            "validation": validation,
            "largest_class": int(counts.max()),
            "smallest_class": int(counts.min()),
            "indices": {name: rows.tolist() for name, rows in indices.items()},
        },
    )


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
            f"val_per_class is 0, and {data.title} has no val split of its own: take 1 or more, "
            f"or validation 'none'"
        )


def shots(labels: np.ndarray, names: tuple[str, ...]) -> dict[str, list[str]]:
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
