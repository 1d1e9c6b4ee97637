"""CelebA in its official layout, packed once into uint8 arrays beside the data.

img_align_celeba/NNNNNN.jpg   or img_align_celeba.zip; any image size, any part of the images
list_attr_celeba.txt          202,599 rows of 40 attributes, -1 or 1
list_eval_partition.txt       the split of each image: 0 train, 1 val, 2 test
"""

import errno
import hashlib
import io
import json
import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from .celeba_annotation import (
    ATTRIBUTE_FILE,
    HELP,
    PARTITION_FILE,
    read_attributes,
    read_partition,
)
from .faces import ATTRIBUTES
from .resident import SPLITS, DataError, Dataset, Split

OFFICIAL = {"train": 162_770, "val": 19_867, "test": 19_962}
PACK_VERSION = 1  # raise it when the same source would give other arrays


def load(
    root: str | Path,
    *,
    size: tuple[int, int] = (55, 47),
    crop: float = 1.0,
    complete: bool = False,
    progress: bool = True,
) -> Dataset:
    """CelebA from `root`, packed on first use.

    Parameters
    ----------
    root : path
        Folder in the official layout, or one that holds it as ``celeba/``.
    size : (int, int)
        Height and width of the packed images in pixels.
    crop : float
        Share of the aligned frame's height and width to keep around its centre, in (0, 1]. A
        fraction, so that it means the same for 178x218 and 64x64 files. Ours: the whole frame.
    complete : bool
        Require an image for every row of the annotation. Without it a partial set is used as it
        is, and the record says how many images of each split were found.
    progress : bool
        Show a progress bar while packing.

    Returns
    -------
    Dataset
        Splits ``train``, ``val``, ``test``, images sorted by file name, memory-mapped.

    Raises
    ------
    DataError
        For a file that is missing, malformed or cannot be decoded, naming it and its row.
    """
    if not 0 < crop <= 1:
        raise DataError(f"crop must lie in (0, 1], got {crop!r}")
    root = _find_root(Path(root))
    source = _image_source(root)
    key = {
        "version": PACK_VERSION,
        "size": list(size),
        "crop": crop,
        "files": [_stamp(root / name) for name in (ATTRIBUTE_FILE, PARTITION_FILE)],
        "images": source.stamp(),
    }
    fingerprint = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    pack = root / ".dcl-packs" / fingerprint
    if not pack.exists():
        _write_pack(pack, root, source, size, crop, progress)
    meta = json.loads((pack / "meta.json").read_text())
    if complete and meta["found"] != meta["rows"]:
        name, row = meta["first_without_image"]
        raise DataError(
            f"{root / ATTRIBUTE_FILE}, row {row}: no image {name} in {source.path}. "
            f"{meta['rows'] - meta['found']:,} rows have none; add them, or complete=False"
        )
    images = np.load(pack / "images.npy", mmap_mode="r")
    labels = np.load(pack / "labels.npy")
    splits, start = {}, 0
    for name in SPLITS:
        stop = start + meta["splits"][name]
        splits[name] = Split(images=images[start:stop], labels=labels[start:stop])
        start = stop
    height, width = meta["source_size"]
    part = "" if meta["found"] == sum(OFFICIAL.values()) else f", {meta['found']:,} images"
    return Dataset(
        name="celeba",
        title=f"CelebA{part} at {width}x{height}",
        attributes=ATTRIBUTES,
        classes=2,
        splits=splits,
        expected=OFFICIAL,
        fingerprint=meta["content"],
    )


class _Folder:
    """Images as files in a folder."""

    def __init__(self, path: Path):
        self.path = path
        self.entries = {entry.name: entry for entry in os.scandir(path)}

    def stamp(self) -> str:
        digest = hashlib.sha256()
        for name in sorted(self.entries):
            stat = self.entries[name].stat()
            digest.update(f"{name}/{stat.st_size}/{stat.st_mtime_ns};".encode())
        return digest.hexdigest()

    def names(self) -> set[str]:
        return {name for name in self.entries if name.lower().endswith((".jpg", ".jpeg", ".png"))}

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()


class _Zip:
    """Images in img_align_celeba.zip."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise DataError(f"{path} is not a complete zip file ({error}): get it again") from None
        self.members = {Path(m).name: m for m in self.archive.namelist() if not m.endswith("/")}

    def stamp(self) -> str:
        return _stamp(self.path)

    def names(self) -> set[str]:
        return {name for name in self.members if name.lower().endswith((".jpg", ".jpeg", ".png"))}

    def read(self, name: str) -> bytes:
        return self.archive.read(self.members[name])


def _stamp(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"missing {path}. {HELP}")
    stat = path.stat()
    return f"{path.name}/{stat.st_size}/{stat.st_mtime_ns}"


def _find_root(root: Path) -> Path:
    if not root.exists():
        raise DataError(f"data_root {root} does not exist. {HELP}")
    for candidate in (root, root / "celeba"):
        if (candidate / ATTRIBUTE_FILE).is_file():
            return candidate
    raise DataError(
        f"data_root {root} is not CelebA: expected {ATTRIBUTE_FILE}, {PARTITION_FILE} and "
        f"img_align_celeba/ (or .zip) in it. {HELP}"
    )


def _image_source(root: Path) -> "_Folder | _Zip":
    folder, archive = root / "img_align_celeba", root / "img_align_celeba.zip"
    if folder.is_dir():
        return _Folder(folder)
    if archive.is_file():
        return _Zip(archive)
    raise DataError(f"missing {folder}/ or {archive.name} beside it. {HELP}")


def _decode(data: bytes, name: str, source, size: tuple[int, int], crop: float):
    """One image -> ((3, height, width) uint8, its height and width in the file)."""
    try:
        image = Image.open(io.BytesIO(data))
        width, height = image.size
        left, top = width * (1 - crop) / 2, height * (1 - crop) / 2
        image = image.convert("RGB").resize(
            size[::-1], Image.Resampling.BILINEAR, (left, top, width - left, height - top)
        )
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise DataError(
            f"{source.path / name}: cannot be decoded ({error}). Get the file again"
        ) from None
    return np.asarray(image).transpose(2, 0, 1), (height, width)


def _write_pack(pack: Path, root: Path, source, size, crop: float, progress: bool) -> None:
    """Decode every annotated image once; the pack appears whole or not at all."""
    attributes = read_attributes(root / ATTRIBUTE_FILE)
    partition = read_partition(root / PARTITION_FILE)
    present = source.names()
    stray = sorted(present - set(attributes.index))
    if stray:
        raise DataError(
            f"{source.path / stray[0]} has no row in {root / ATTRIBUTE_FILE} "
            f"({len(stray):,} such images): annotation and images are not of one set"
        )
    found = attributes[attributes.index.isin(present)].sort_index()
    unsplit = found.index.difference(partition.index)
    if len(unsplit):
        raise DataError(f"{root / PARTITION_FILE}: no row for image {unsplit[0]}")
    split_of = partition.loc[found.index].to_numpy()
    counts = {name: int((split_of == code).sum()) for code, name in enumerate(SPLITS)}
    for name, count in counts.items():
        if not count:
            raise DataError(f"{source.path}: no image of the {name} split, one at least is needed")
    found = found.iloc[np.argsort(split_of, kind="stable")]  # train, val, test; by name in each
    absent = ~attributes.index.isin(present)
    meta = {
        "rows": len(attributes),
        "found": len(found),
        "first_without_image": [attributes.index[absent][0], int(absent.argmax()) + 3]
        if absent.any()
        else None,
        "splits": counts,
    }

    def decode(name: str):
        return _decode(source.read(name), name, source, size, crop)

    needed = len(found) * 3 * size[0] * size[1]
    scratch = pack.with_name(f"{pack.name}.{os.getpid()}.part")
    try:
        scratch.mkdir(parents=True)
        if shutil.disk_usage(scratch).free < needed + 2**24:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        content = hashlib.sha256(found.to_numpy().tobytes())
        with (scratch / "images.npy").open("wb") as file, ThreadPoolExecutor() as pool:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(found), 3, *size)}
            np.lib.format.write_array_header_1_0(file, header)
            decoded = pool.map(decode, found.index)
            bar = tqdm(decoded, "packing CelebA", len(found), unit="image", disable=not progress)
            for image, meta["source_size"] in bar:
                content.update(data := image.tobytes())
                file.write(data)
        np.save(scratch / "labels.npy", found.to_numpy().astype(np.int64))
        meta["content"] = content.hexdigest()[:16]
        (scratch / "meta.json").write_text(json.dumps(meta))
        os.replace(scratch, pack)
    except OSError as error:
        raise DataError(
            f"cannot write the pack of {needed / 2**20:,.0f} MiB into {pack.parent}: "
            f"{error.strerror}. Free or make writable that folder, or move the data"
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
