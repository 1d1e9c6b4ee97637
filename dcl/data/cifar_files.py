"""Reads CIFAR-100's files, official or a tree of images; every error names the file."""

import hashlib
import pickle
from pathlib import Path

import numpy as np

from .names import match
from .pack import open_pack
from .resident import DataError, Split
from .sources import Folder

OFFICIAL = "cifar-100-python"  # the folder of the official files
SIZE = (32, 32)  # height and width of the images in pixels
HELP = (
    'torchvision.datasets.CIFAR100("data/cifar100", download=True) fetches it where there is a '
    "network; a folder of image files, train/<class>/ and test/<class>/, will do as well"
)


def read_official(folder: Path) -> tuple[tuple[str, ...], dict[str, Split], str]:
    """The official pickles. A pickle can run code: none is opened before all checksums are right.

    What is opened are the very bytes that were checked, not what the files hold by then.
    """
    from torchvision.datasets import CIFAR100  # here: it takes seconds, and other data need none

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
        images = np.ascontiguousarray(file["data"].reshape(-1, 3, *SIZE)[order])
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


def read_tree(root: Path, progress: bool) -> tuple[tuple[str, ...], dict[str, Split], str]:
    """Image files ``<split>/<class>/<name>``; any number of classes and of images."""
    sources = {split: Folder(root / split) for split in ("train", "test")}
    names = sorted({name.split("/")[0] for name in sources["train"].names() if "/" in name})
    splits, contents = {}, []
    folders = {name.split("/")[0] for source in sources.values() for name in source.names()}
    number = {name: label for label, name in enumerate(names)}
    number |= {name: number[of] for name, of in match(folders - set(names), names).items()}
    files = {}
    for split, source in sources.items():
        inside = sorted(source.names(), key=lambda name: tuple(Path(name).with_suffix("").parts))
        odd = next((name for name in inside if name.split("/")[0] not in number), None)
        if odd is not None:
            raise DataError(f"{source.path / odd}: is in no folder of a class of train/")
        if not inside:
            raise DataError(f"{source.path} holds no images. {HELP}")
        files[split] = inside
    for split, inside in files.items():
        pack = open_pack(root, sources[split], inside, size=SIZE, progress=progress)
        labels = np.array([[number[name.split("/")[0]]] for name in inside])
        splits[split] = Split(images=pack.images, labels=labels)
        contents.append(pack.fingerprint(labels))
    return tuple(names), splits, hashlib.sha256("".join(contents).encode()).hexdigest()[:16]
