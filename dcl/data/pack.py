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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .images import SUFFIXES, check_size, decode, open_archive, read_member
from .resident import DataError

VERSION = 2  # raise it when the same sources would give other arrays


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
        digest = hashlib.sha256()
        for name in sorted(self.entries):
            stat = self.entries[name]
            digest.update(f"{name}/{stat.st_size}/{stat.st_mtime_ns};".encode())
        return digest.hexdigest()

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

    def stamp(self) -> str:
        return stamp(self.path)

    def names(self) -> set[str]:
        return set(self.members)

    def read(self, name: str) -> bytes:
        return read_member(self.archive, self.members[name], self.path / name)


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
        with (scratch / "images.npy").open("wb") as file, ThreadPoolExecutor() as pool:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(labels), 3, *size)}
            np.lib.format.write_array_header_1_0(file, header)
            decoded = pool.map(
                lambda name: decode(source.read(name), source.path / name, size, crop),
                contents.names,
            )
            bar = tqdm(decoded, "packing", len(labels), unit="image", disable=not progress)
            for image, meta["source_size"] in bar:
                content.update(data := image.tobytes())
                file.write(data)
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
