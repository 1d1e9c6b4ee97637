"""Packs: the images of a data set decoded once into one uint8 file beside them.

A pack lies in ``<data>/.dcl-packs/<fingerprint of its sources and options>/``. It appears whole or
not at all, and is made anew when a source or an option changes.
"""

import errno
import hashlib
import io
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
from PIL import Image
from tqdm import tqdm

from .resident import DataError

VERSION = 2  # raise it when the same sources would give other arrays
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


class Folder:
    """Image files below a folder, named by their path from there."""

    def __init__(self, path: Path):
        self.path = path
        self.entries: dict[str, os.DirEntry] = {}
        self._scan(path, "")

    def _scan(self, folder: Path, prefix: str) -> None:
        for entry in os.scandir(folder):
            if entry.is_dir():
                self._scan(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.lower().endswith(SUFFIXES):
                self.entries[prefix + entry.name] = entry

    def stamp(self) -> str:
        """Changes when a file is added, removed or written."""
        digest = hashlib.sha256()
        for name in sorted(self.entries):
            stat = self.entries[name].stat()
            digest.update(f"{name}/{stat.st_size}/{stat.st_mtime_ns};".encode())
        return digest.hexdigest()

    def names(self) -> set[str]:
        return set(self.entries)

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


class Archive:
    """Image files in a zip file, named without their folders."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise DataError(f"{path} is not a complete zip file ({error}): get it again") from None
        members = (m for m in self.archive.namelist() if m.lower().endswith(SUFFIXES))
        self.members = {Path(member).name: member for member in members}

    def stamp(self) -> str:
        return stamp(self.path)

    def names(self) -> set[str]:
        return set(self.members)

    def read(self, name: str) -> bytes:
        return self.archive.read(self.members[name])


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
        For an image that cannot be decoded and for a folder that cannot be written, by name.
    """
    if not 0 < crop <= 1:
        raise DataError(f"crop must lie in (0, 1], got {crop!r}")
    key = {"version": VERSION, "size": list(size), "crop": crop, "images": source.stamp(), **key}
    fingerprint = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = root / ".dcl-packs" / fingerprint
    if not folder.exists():
        _write(folder, source, contents(), size, crop, progress)
    meta = json.loads((folder / "meta.json").read_text())
    return Pack(
        images=np.load(folder / "images.npy", mmap_mode="r"),
        labels=np.load(folder / "labels.npy"),
        facts=meta["facts"],
        content=meta["content"],
        source_size=tuple(meta["source_size"]),
    )


def _decode(data: bytes, name: str, source, size: tuple[int, int], crop: float):
    """One image -> ((3, height, width) uint8, its height and width in the file)."""
    try:
        image = Image.open(io.BytesIO(data))
        width, height = image.size
        left, top = width * (1 - crop) / 2, height * (1 - crop) / 2
        image = image.convert("RGB")
        if crop < 1 or (height, width) != tuple(size):
            image = image.resize(
                size[::-1], Image.Resampling.BILINEAR, (left, top, width - left, height - top)
            )
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise DataError(
            f"{source.path / name}: cannot be decoded ({error}). Get the file again"
        ) from None
    return np.asarray(image).transpose(2, 0, 1), (height, width)


def _write(folder: Path, source, contents: Contents, size, crop: float, progress: bool) -> None:
    """Decode every image once; the pack appears whole or not at all."""
    meta: dict[str, Any] = {"facts": contents.facts}
    labels = np.ascontiguousarray(contents.labels, dtype=np.int64)
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
                lambda name: _decode(source.read(name), name, source, size, crop), contents.names
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
