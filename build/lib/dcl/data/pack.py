"""Packs: the images of a data set decoded once into one uint8 file beside them.

A pack lies in ``<data>/.dcl-packs/<fingerprint of its sources and options>/``. It appears whole or
not at all, and is made anew when an image or an option changes. It holds pixels alone: labels and
splits are read from the annotation each time, so that none can be older than their file.
"""

import errno
import hashlib
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from .images import decode
from .resident import DataError
from .sources import Archive, Folder

VERSION = 3  # raise it when the same sources would give other arrays
PART = 2**20  # bytes of decoded images that a worker hands over at once
ROWS = 4096  # images that are hashed at once
WORTH_WORKERS = 2_000  # images: fewer are decoded before the workers have started


@dataclass(frozen=True, kw_only=True)
class Pack:
    """An open pack."""

    images: np.ndarray  # (N, 3, H, W) uint8, mapped from disk
    content: str  # hash of the images
    source_size: tuple[int, int] | None  # height and width of the image files, None if they differ

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The images at `rows` (n,), without a copy where these follow one another."""
        if len(rows) and (np.diff(rows) == 1).all():
            return self.images[rows[0] : rows[-1] + 1]
        return self.images[rows]

    def fingerprint(self, labels: np.ndarray, rows: np.ndarray | None = None) -> str:
        """Hash of labels (n, A) and of the images (all, or those at `rows`) that they belong to."""
        rows = np.arange(len(self.images)) if rows is None else rows
        digest = hashlib.sha256(np.ascontiguousarray(labels, dtype=np.int64))
        for start in range(0, len(rows), ROWS):
            digest.update(np.ascontiguousarray(self.take(rows[start : start + ROWS])))
        return digest.hexdigest()[:16]

    @property
    def resolution(self) -> str:
        """Of the image files, for a title: "64x64"."""
        if self.source_size is None:
            return "mixed sizes"
        return f"{self.source_size[1]}x{self.source_size[0]}"


def open_pack(
    root: Path,
    source: Folder | Archive,
    names: Sequence[str],
    *,
    size: tuple[int, int],
    crop: float = 1.0,
    progress: bool = True,
) -> Pack:
    """The pack of some images, made first where there is none.

    Parameters
    ----------
    root : path
        Folder beside whose data the packs lie.
    source : Folder or Archive
    names : sequence of str
        Images of the source, in the order of the pack.
    size : (int, int)
        Height and width of the packed images in pixels; an image of another size is scaled.
    crop : float
        Share of each image's height and width to keep around its centre, in (0, 1].
    progress : bool
        Show a progress bar while packing.

    Raises
    ------
    DataError
        For an image that is missing or cannot be decoded, a folder that cannot be written and a
        pack that is damaged, by name.
    """
    if not 0 < crop <= 1:
        raise DataError(f"crop must lie in (0, 1], got {crop!r}")
    if not len(names):
        raise DataError(f"{source.path} holds no image to pack")
    present = source.names()
    missing = next((name for name in names if name not in present), None)
    if missing is not None:
        raise DataError(f"{source.path}: there is no image {missing}")
    key = {"version": VERSION, "size": list(size), "crop": crop, "images": source.stamp(names)}
    fingerprint = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = root / ".dcl-packs" / fingerprint
    if not folder.exists():
        _write(folder, source, names, size, crop, progress)
    pack = _read(folder)
    if pack.images.shape != (len(names), 3, *size) or pack.images.dtype != np.uint8:
        raise DataError(f"{folder} is damaged: delete it, and the images are packed again")
    return pack


def _read(folder: Path) -> Pack:
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        return Pack(
            images=np.load(folder / "images.npy", mmap_mode="r"),
            content=meta["content"],
            source_size=meta["source_size"] and tuple(meta["source_size"]),
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

    def __getitem__(self, index: int) -> tuple[np.ndarray, set[tuple[int, int]]] | DataError:
        """Images (N, 3, H, W) and the sizes of their files; or what is wrong with one."""
        try:
            decoded = [
                decode(self.source.read(name), self.source.where(name), self.size, self.crop)
                for name in self.parts[index]
            ]
        except DataError as error:  # raised where it is read: a worker would wrap it in its trace
            return error
        return np.stack([image for image, _ in decoded]), {size for _, size in decoded}


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


def _write(folder: Path, source, names: Sequence[str], size, crop: float, progress: bool) -> None:
    """Decode every image once; the pack appears whole or not at all.

    Of two processes that pack the same images at once, the first to finish gives both its pack.
    """
    needed = len(names) * 3 * size[0] * size[1]
    scratch = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.part")
    try:
        scratch.mkdir(parents=True)
        if shutil.disk_usage(scratch).free < needed + 2**24:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        content, sizes = hashlib.sha256(), set()
        with (
            (scratch / "images.npy").open("wb") as file,
            tqdm(desc="packing", total=len(names), unit="image", disable=not progress) as bar,
        ):
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(names), 3, *size)}
            np.lib.format.write_array_header_1_0(file, header)
            for images, found in _decoded(source, names, size, crop):
                content.update(data := images.tobytes())
                file.write(data)
                sizes |= found
                bar.update(len(images))
        meta = {
            "content": content.hexdigest()[:16],
            "source_size": sizes.pop() if len(sizes) == 1 else None,
        }
        (scratch / "meta.json").write_text(json.dumps(meta))
        try:
            os.replace(scratch, folder)
        except OSError:  # another process was faster: a folder that holds files stays
            if not folder.exists():
                raise
    except OSError as error:
        raise DataError(
            f"cannot write the pack of {needed / 2**20:,.0f} MiB into {folder.parent}: "
            f"{error.strerror}. Free or make writable that folder, or move the data"
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
