"""Packs: the images of a data set decoded once into one uint8 file beside them.

A pack lies in ``<data>/.dcl-packs/<fingerprint of its sources and options>/``. It appears whole or
not at all, and is made anew when a source or an option changes.
"""

import errno
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from .images import SUFFIXES, check_size, decode, open_archive, read_member
from .resident import DataError

VERSION = 2  # raise it when the same sources would give other arrays
PART = 2**20  # bytes of decoded images that a worker hands over at once
WORTH_WORKERS = 2_000  # images: fewer are decoded before the workers have started


class Folder:
    """Image files below a folder, named by their path from there."""

    def __init__(self, path: Path):
        self.path = path
        self.entries: dict[str, os.stat_result] = {}
        try:
            self._scan(path, "")
        except OSError as error:  # a link to nowhere or in a circle, a folder of someone else
            raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from None

    def _scan(self, folder: Path, prefix: str) -> None:
        for entry in os.scandir(folder):
            if entry.is_dir():
                self._scan(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.lower().endswith(SUFFIXES):
                self.entries[prefix + entry.name] = entry.stat()

    def stamp(self) -> str:
        """Changes when a file is added, removed or written."""
        words = [f"{n}/{s.st_size}/{s.st_mtime_ns};" for n, s in sorted(self.entries.items())]
        return hashlib.sha256("".join(words).encode()).hexdigest()

    def names(self) -> set[str]:
        return set(self.entries)

    def read(self, name: str) -> bytes:
        path = self.path / name
        try:
            check_size(path.stat().st_size, path)
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None


class Archive:
    """Image files in a zip file, named without their folders."""

    def __init__(self, path: Path):
        self.path = path
        self.archive, self.members = open_archive(path)
        self._process = os.getpid()

    def stamp(self) -> str:
        return stamp(self.path)

    def names(self) -> set[str]:
        return set(self.members)

    def read(self, name: str) -> bytes:
        if self._process != os.getpid():  # two processes must not move the place in one open file
            self.archive, self._process = open_archive(self.path)[0], os.getpid()
        return read_member(self.archive, self.members[name], self.path / name)

    def __getstate__(self):
        return self.__dict__ | {"archive": None, "_process": None}


def stamp(path: Path) -> str:
    """A file's name, size and time, by which a pack knows that it has changed."""
    stat = path.stat()
    return f"{path.name}/{stat.st_size}/{stat.st_mtime_ns}"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is to be packed."""

    names: Sequence[str]  # images, in the order of the pack
    labels: np.ndarray  # (N, A) integer
    facts: dict[str, Any] = field(default_factory=dict)  # for the loader, as JSON


@dataclass(frozen=True, kw_only=True)
class Pack:
    """An open pack."""

    images: np.ndarray  # (N, 3, H, W) uint8, mapped from disk
    labels: np.ndarray  # (N, A) int64
    facts: dict[str, Any]  # of `Contents`
    content: str  # hash of images and labels
    source_size: tuple[int, int]  # height and width of the last image file


def open_pack(
    root: Path,
    source: Folder | Archive,
    key: dict[str, Any],
    contents: Callable[[], Contents],
    *,
    size: tuple[int, int],
    crop: float = 1.0,
    progress: bool = True,
) -> Pack:
    """The pack of a data set, made first where there is none.

    Parameters
    ----------
    root : path
        Folder beside whose data the packs lie.
    source : Folder or Archive
    key : dict
        All else that decides the arrays, as JSON: stamps of annotation files, options.
    contents : callable
        Reads the annotation; called only when the pack has to be made.
    size : (int, int)
        Height and width of the packed images in pixels; an image of another size is scaled.
    crop : float
        Share of each image's height and width to keep around its centre, in (0, 1].
    progress : bool
        Show a progress bar while packing.

    Raises
    ------
    DataError
        For an image that cannot be decoded, a folder that cannot be written and a pack that is
        damaged, by name.
    """
    if not 0 < crop <= 1:
        raise DataError(f"crop must lie in (0, 1], got {crop!r}")
    key = {"version": VERSION, "size": list(size), "crop": crop, "images": source.stamp(), **key}
    fingerprint = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = root / ".dcl-packs" / fingerprint
    if not folder.exists():
        _write(folder, source, contents(), size, crop, progress)
    pack = _read(folder)
    if pack.images.shape != (len(pack.labels), 3, *size):
        raise DataError(f"{folder} is damaged: delete it, and the images are packed again")
    return pack


def _read(folder: Path) -> Pack:
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        return Pack(
            images=np.load(folder / "images.npy", mmap_mode="r"),
            labels=np.array(np.load(folder / "labels.npy", mmap_mode="r")),
            facts=meta["facts"],
            content=meta["content"],
            source_size=tuple(meta["source_size"]),
        )
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{folder} is damaged ({error}): delete it, and the images are packed again"
        ) from None


class _Parts(torch.utils.data.Dataset):
    """The images of a source, decoded some at a time."""

    def __init__(self, source, names: Sequence[str], size: tuple[int, int], crop: float):
        self.source, self.size, self.crop = source, size, crop
        step = max(1, PART // (3 * size[0] * size[1]))
        self.parts = [names[start : start + step] for start in range(0, len(names), step)]

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> tuple[np.ndarray, tuple[int, int]] | DataError:
        """Images (N, 3, H, W) and the last one's size in its file; or what is wrong with one."""
        try:
            decoded = [
                decode(self.source.read(name), self.source.path / name, self.size, self.crop)
                for name in self.parts[index]
            ]
        except DataError as error:  # raised where it is read: a worker would wrap it in its trace
            return error
        return np.stack([image for image, _ in decoded]), decoded[-1][1]


def _decoded(source, names: Sequence[str], size: tuple[int, int], crop: float):
    """Images in order, a part at a time, decoded on all cores where that is worth their start."""
    parts = _Parts(source, names, size, crop)
    workers = _cores() if len(names) >= WORTH_WORKERS else 0
    for part in DataLoader(parts, batch_size=None, num_workers=workers, collate_fn=_as_it_is):
        if isinstance(part, DataError):
            raise part
        yield part


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _as_it_is(part):
    """Instead of a tensor, which workers would pass on in shared memory, scarce in a container."""
    return part


def _write(folder: Path, source, contents: Contents, size, crop: float, progress: bool) -> None:
    """Decode every image once; the pack appears whole or not at all."""
    meta: dict[str, Any] = {"facts": contents.facts}
    labels = np.ascontiguousarray(contents.labels, dtype=np.int64)
    if not len(labels):
        raise DataError(f"{source.path} holds no image to pack")
    needed = len(labels) * 3 * size[0] * size[1]
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        scratch.mkdir(parents=True)
        if shutil.disk_usage(scratch).free < needed + 2**24:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        content = hashlib.sha256(labels.tobytes())
        with (
            (scratch / "images.npy").open("wb") as file,
            tqdm(desc="packing", total=len(labels), unit="image", disable=not progress) as bar,
        ):
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(labels), 3, *size)}
            np.lib.format.write_array_header_1_0(file, header)
            for images, meta["source_size"] in _decoded(source, contents.names, size, crop):
                content.update(data := images.tobytes())
                file.write(data)
                bar.update(len(images))
        np.save(scratch / "labels.npy", labels)
        meta["content"] = content.hexdigest()[:16]
        (scratch / "meta.json").write_text(json.dumps(meta))
        os.replace(scratch, folder)
    except OSError as error:
        raise DataError(
            f"cannot write the pack of {needed / 2**20:,.0f} MiB into {folder.parent}: "
            f"{error.strerror}. Free or make writable that folder, or move the data"
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
