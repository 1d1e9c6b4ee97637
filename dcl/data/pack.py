"""Packs: the images of a data set decoded once into one uint8 file beside them.

A pack lies in ``<data>/.dcl-packs/<fingerprint of its sources and options>/``. It appears whole or
not at all, and is made anew when an image or an option changes. It holds pixels alone: labels and
splits are read from the annotation each time, so that none can be older than their file.

Where images are broken the pack holds the others, and what is wrong with each: once they are
replaced, only they are decoded.
"""

import errno
import hashlib
import json
import math
import os
import shutil
import uuid
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from .images import BACKGROUND, Range, decode
from .resident import DataError
from .sources import Archive, Folder

VERSION = 5  # raise it when the same sources would give other arrays, or more is told of them
PART = 2**20  # bytes of decoded images that a worker hands over at once
ROWS = 4096  # images that are hashed at once
WORTH_WORKERS = 2_000  # images: fewer are decoded before the workers have started
KEPT = "kept.json"  # in a pack with broken images: of which files the others are
NAMED = 20  # broken images that an error names; the others it writes into a file


@dataclass(frozen=True, kw_only=True)
class Pack:
    """An open pack."""

    images: np.ndarray  # (N, 3, H, W) uint8, mapped from disk; a broken image is black
    content: str  # hash of the images
    source_size: tuple[int, int] | None  # height and width of the image files, None if they differ
    broken: dict[str, str]  # images that cannot be used, and why
    same: list[list[str]]  # images whose files are the same byte for byte
    pages: list[str]  # images with more pages or frames than the first
    bands: list[str]  # images with more bands than are used
    clear: list[str]  # images with transparent pixels
    plain: list[str]  # images that have one colour all over, as another has
    ranges: dict[str, Range]  # of grey values of more than 8 bits, see `dcl.data.images.decode`
    crop: float = 1.0  # see `open_pack`, as the next
    background: tuple[int, int, int] = BACKGROUND

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The images at `rows` (n,), without a copy where these follow one another."""
        if len(rows) and (np.diff(rows) == 1).all():
            return self.images[rows[0] : rows[-1] + 1]
        return self.images[rows]

    def fingerprint(self, labels: np.ndarray, rows: np.ndarray | None = None) -> str:
        """Hash of labels (n, A) and of the images (all, or those at `rows`) that they belong to."""
        rows = np.arange(len(self.images)) if rows is None else rows
        digest = hashlib.sha256(np.ascontiguousarray(labels, dtype=np.int64).data)
        for start in range(0, len(rows), ROWS):
            digest.update(np.ascontiguousarray(self.take(rows[start : start + ROWS])).data)
        return digest.hexdigest()[:16]

    @property
    def decoding(self) -> dict[str, Any]:
        """How its images were decoded: a record keeps it, for `predict` to do alike."""
        ranges = {kind: limits for kind, *limits in self.ranges.values()}
        return {"crop": self.crop, "background": list(self.background), "ranges": ranges}

    @property
    def resolution(self) -> str:
        """Width and height that a network is given: "64x64, scaled from 1024x1024"."""
        height, width = self.images.shape[2:]
        scaled = f", scaled from {self.file_resolution}"
        return f"{width}x{height}{scaled if self.source_size != (height, width) else ''}"

    @property
    def file_resolution(self) -> str:
        """Width and height of the image files."""
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
    background: tuple[int, int, int] = BACKGROUND,
    skip_broken: bool = False,
    advice: str = "Get them again",
    progress: bool = True,
) -> Pack:
    """The pack of some images, made if it does not exist yet.

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
    background : (int, int, int)
        Red, green and blue behind transparent pixels, 0 to 255.
    skip_broken : bool
        Give a pack in which images are broken, instead of an error that names them.
    advice : str
        What that error tells to do.
    progress : bool
        Show a progress bar while packing.

    Raises
    ------
    DataError
        For an image that is missing, images that cannot be decoded, a folder that cannot be written
        and a pack that is damaged, by name.
    """
    if not 0 < crop <= 1:
        raise DataError(f"crop must lie in (0, 1], got {crop!r}")
    if not len(names):
        raise DataError(f"{source.path} holds no image to pack")
    present = source.names()
    missing = next((name for name in names if name not in present), None)
    if missing is not None:
        raise DataError(f"{source.path} has no image {missing}")
    how = {"version": VERSION, "size": list(size), "crop": crop, "background": list(background)}
    key = how | {"images": source.stamp(names)}
    fingerprint = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = root / ".dcl-packs" / fingerprint
    if not folder.exists() or _mended(folder, source, how):
        broken = _write(folder, source, names, how, progress)
        if len(broken) == len(names):
            where = {name: f"{source.where(name)}: {why}" for name, why in broken.items()}
            raise _error(where, len(names), folder.parent / "broken.txt", advice)
    pack = replace(_read(folder), crop=crop, background=background)
    if pack.images.shape != (len(names), 3, *size) or pack.images.dtype != np.uint8:
        raise DataError(f"{folder} is damaged: delete it, and the images are packed again")
    if pack.broken and not skip_broken:
        where = {name: f"{source.where(name)}: {why}" for name, why in pack.broken.items()}
        raise _error(where, len(names), folder.parent / "broken.txt", advice)
    return pack


def _error(broken: dict[str, str], count: int, path: Path, advice: str) -> DataError:
    """The error that names broken images."""
    reasons = list(broken.values())
    if len(reasons) == 1:
        return DataError(f"{reasons[0]}. {advice}")
    told = listing(reasons, path)
    return DataError(f"{len(reasons):,} of {count:,} images are broken:\n  {told}\n{advice}")


def listing(lines: Sequence[str], path: Path) -> str:
    """The first lines, for people to read; if there are more, all are written to `path`."""
    told = "\n  ".join(lines[:NAMED])
    if len(lines) <= NAMED:
        return told
    path.write_text("\n".join(lines) + "\n", "utf-8", errors="surrogateescape")
    return f"{told}\n  and {len(lines) - NAMED:,} more: {path} lists all"


def _read(folder: Path) -> Pack:
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        return Pack(
            images=np.lib.format.open_memmap(folder / "images.npy", "r"),
            content=meta["content"],
            source_size=meta["source_size"] and tuple(meta["source_size"]),
            broken=dict(meta["broken"]),
            same=list(meta["same"]),
            pages=list(meta["pages"]),
            bands=list(meta["bands"]),
            clear=list(meta["clear"]),
            plain=list(meta["plain"]),
            ranges={kind: Range(kind, *limits) for kind, limits in meta["ranges"].items()},
        )
    except (AttributeError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder} is damaged ({error}): delete it, and the images are packed again"
        ) from None


def _mended(folder: Path, source: Folder | Archive, how: dict[str, Any]) -> bool:
    """Whether a broken image of a pack can be read now, as after a right to read it was given.

    Then the pack is put aside, for the new one to take over from.
    """
    broken = list(_read(folder).broken)
    if all(isinstance(result, str) for result in _decoded(source, broken, how)):
        return False
    try:
        os.replace(folder, folder.with_name(f"{folder.name}.{uuid.uuid4().hex}"))
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from None
    return True


class _File(NamedTuple):
    """What packing learns of an image file."""

    digest: str  # of its bytes
    height: int
    width: int
    pages: bool
    values: Range | None
    bands: bool
    clear: bool
    plain: tuple[int, ...] | None


class _Parts(torch.utils.data.Dataset):
    """The images of a source, decoded some at a time."""

    def __init__(self, source, names: Sequence[str], how: dict[str, Any], ranges=None):
        self.source, self.how, self.ranges = source, how, ranges
        height, width = how["size"]
        step = max(1, PART // (3 * height * width))
        self.parts = [names[start : start + step] for start in range(0, len(names), step)]

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> list[tuple[np.ndarray, _File] | str]:
        """Of each image its pixels (3, H, W) and what was learnt, or what is wrong with it."""
        return [self._decoded(name) for name in self.parts[index]]

    def _decoded(self, name: str) -> tuple[np.ndarray, _File] | str:
        how, where = self.how, self.source.where(name)
        try:
            data = self.source.read(name)
            pixels, seen = decode(
                data, where, tuple(how["size"]), how["crop"],
                background=tuple(how["background"]), ranges=self.ranges,
            )  # fmt: skip
        except DataError as error:  # said where it is read: a worker would wrap it in its trace
            return str(error).removeprefix(f"{where}: ")
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        return np.ascontiguousarray(pixels), _File(digest, *seen)


def _decoded(source, names: Sequence[str], how: dict[str, Any], ranges=None) -> Iterator:
    """What `_Parts` says of each image in order, on all cores where that is worth their start."""
    parts = _Parts(source, names, how, ranges)
    workers = _cores() if len(names) >= WORTH_WORKERS else 0
    for part in DataLoader(parts, batch_size=None, num_workers=workers, collate_fn=_as_it_is):
        yield from part


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _as_it_is(part):
    """Instead of a tensor, which workers would pass on in shared memory, scarce in a container."""
    return part


def _write(
    folder: Path, source, names: Sequence[str], how: dict[str, Any], progress: bool
) -> dict[str, str]:
    """Decode every image once; the pack appears whole or not at all. Returns the broken images.

    Of two processes that pack the same images at once, the first to finish gives both its pack.
    There is none where all images are broken.
    """
    needed = len(names) * 3 * how["size"][0] * how["size"][1]
    scratch = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.part")
    try:
        scratch.mkdir(parents=True)
        if shutil.disk_usage(scratch).free < needed + 2**24:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        stamps = source.stamps(names)
        taken: dict[int, _Taken] = {}
        for earlier in _earlier(folder.parent, how):
            taken = max(taken, earlier.taken(names, stamps), key=len)
        files, broken, ranges = _decode_into(
            scratch / "images.npy", source, names, how, taken, progress
        )
        if not files:
            return broken
        sizes = {(file.height, file.width) for file in files.values()}
        meta = {
            "content": _content(np.load(scratch / "images.npy", mmap_mode="r")),
            "source_size": sizes.pop() if len(sizes) == 1 else None,
            "broken": broken,
            "same": _alike({name: file.digest for name, file in files.items()}),
            "plain": sum(_alike({n: file.plain for n, file in files.items() if file.plain}), []),
            **{
                kind: [name for name, file in files.items() if getattr(file, kind)]
                for kind in ("pages", "bands", "clear")
            },
            "ranges": {kind: (low, high) for kind, low, high in ranges.values()},
        }
        (scratch / "meta.json").write_text(json.dumps(meta))
        if broken:
            kept = {
                name: (row, stamp, files[name])
                for row, (name, stamp) in enumerate(zip(names, stamps, strict=True))
                if name in files
            }
            (scratch / KEPT).write_text(json.dumps({"how": how, "files": kept}))
        try:
            os.replace(scratch, folder)
        except OSError:  # another process was faster: a folder that holds files stays
            if not folder.exists():
                raise
        for used in {one.earlier.folder for one in taken.values()}:
            shutil.rmtree(used, ignore_errors=True)
        return broken
    except OSError as error:
        raise DataError(
            f"cannot write the pack of {needed / 2**20:,.0f} MiB into {folder.parent}: "
            f"{error.strerror}. Free or make writable that folder, or move the data"
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass(frozen=True, kw_only=True)
class _Earlier:
    """A pack with broken images, of which a new one takes over what has not changed."""

    folder: Path
    pack: Pack
    files: dict[str, tuple[int, str, _File]]  # row and stamp

    def taken(self, names: Sequence[str], stamps: Sequence[str]) -> "dict[int, _Taken]":
        """What a new pack takes over, by its row in that pack."""
        taken = {}
        for row, (name, stamp) in enumerate(zip(names, stamps, strict=True)):
            if name not in self.files:
                continue
            place, before, known = self.files[name]
            if before == stamp:
                taken[row] = _Taken(self, place, known)
        return taken


class _Taken(NamedTuple):
    """An image of an earlier pack."""

    earlier: _Earlier
    row: int
    file: _File


def _earlier(packs: Path, how: dict[str, Any]) -> Iterator[_Earlier]:
    """Packs with broken images that were made with these options."""
    for path in packs.glob(f"*/{KEPT}"):
        try:
            kept = json.loads(path.read_text())
            if kept["how"] != how:
                continue
            files = {
                name: (row, stamp, _file_of(*values))
                for name, (row, stamp, values) in kept["files"].items()
            }
            yield _Earlier(folder=path.parent, pack=_read(path.parent), files=files)
        except (AttributeError, DataError, OSError, KeyError, TypeError, ValueError):
            continue  # damaged: decoded anew


def _file_of(*values) -> _File:
    """A `_File` as JSON gives it back."""
    known = _File(*values)
    limits, plain = known.values, known.plain
    return known._replace(values=limits and Range(*limits), plain=plain and tuple(plain))


def _decode_into(
    path: Path,
    source: Folder | Archive,
    names: Sequence[str],
    how: dict[str, Any],
    taken: dict[int, _Taken],
    progress: bool,
) -> tuple[dict[str, _File], dict[str, str], dict[str, Range]]:
    """Write all images into an array (N, 3, H, W) on disk.

    Returns what is known of each, what is wrong with the broken ones, and the ranges of grey values
    of more than 8 bits. These are known once all images are: those scaled otherwise are decoded
    again.
    """
    files: list[_File | None] = [None] * len(names)
    broken: dict[str, str] = {}
    scaled: dict[int, Range] = {}  # rows of more than 8 bits, and the range that became 0 to 255
    shape = (len(names), 3, *how["size"])
    with (
        path.open("wb") as file,
        tqdm(desc="packing", total=len(names), unit="image", disable=not progress) as bar,
    ):
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()

        def put(row: int, pixels: np.ndarray) -> None:
            file.seek(start + row * math.prod(shape[1:]))
            file.write(pixels.tobytes())

        for row, (earlier, place, known) in taken.items():
            files[row] = known
            put(row, earlier.pack.images[place])
            if known.values:
                scaled[row] = earlier.pack.ranges[known.values.kind]
        bar.update(len(taken))
        rest = [row for row in range(len(names)) if row not in taken]
        for row, result in zip(
            rest, _decoded(source, [names[row] for row in rest], how), strict=True
        ):
            bar.update()
            if isinstance(result, str):
                broken[names[row]] = result
                continue
            pixels, known = result
            files[row] = known
            put(row, pixels)
            if known.values:
                scaled[row] = known.values.alone()
        ranges = _ranges([file.values for file in files if file and file.values])
        again = [row for row, used in scaled.items() if used != ranges[used.kind]]
        for row, result in zip(
            again, _decoded(source, [names[row] for row in again], how, ranges), strict=True
        ):
            if isinstance(result, str):  # the file has changed meanwhile
                raise DataError(f"{source.where(names[row])}: {result}")
            pixels, files[row] = result  # what looked plain in the wider range may not be
            put(row, pixels)
        file.truncate(start + math.prod(shape))
    whole = {name: known for name, known in zip(names, files, strict=True) if known}
    return whole, broken, ranges


def _ranges(values: Sequence[Range]) -> dict[str, Range]:
    """Of each kind of values the usual range that holds those of all images."""
    ranges = {}
    for kind in {one.kind for one in values}:
        limits = [one for one in values if one.kind == kind]
        widest = Range(kind, min(one.low for one in limits), max(one.high for one in limits))
        ranges[kind] = widest.rounded()
    return ranges


def _content(images: np.ndarray) -> str:
    """Hash of the images of a pack."""
    content = hashlib.sha256()
    for start in range(0, len(images), ROWS):
        content.update(images[start : start + ROWS].data)
    return content.hexdigest()[:16]


def _alike(values: Mapping[str, Hashable]) -> list[list[str]]:
    """Names of the images that have the same value."""
    by_value: dict[Hashable, list[str]] = {}
    for name, value in values.items():
        by_value.setdefault(value, []).append(name)
    return [group for group in by_value.values() if len(group) > 1]
