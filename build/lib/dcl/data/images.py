"""Image files read with care: what could do harm is refused by its name.

An archive is refused for one member that leads outside it or is a link, though none is ever
unpacked: other programs may unpack the same file.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

import numpy as np
from PIL import Image

from .resident import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")  # Pillow has others that start programs
LARGEST_IMAGE = 2**26  # pixels: 64 megapixels, what photographs have at most
LARGEST_FILE = 2**28  # bytes of an image file: those pixels uncompressed, and room
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # read piece by piece, never beyond a limit

BROKEN_ZIP = (  # what zipfile raises for damaged bytes
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
)  # fmt: skip


def open_archive(path: Path) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """A zip file and its images by their names without folders.

    Raises
    ------
    DataError
        For a file that is no zip, and for a member that is refused, by name.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (*BROKEN_ZIP, OSError) as error:
        raise DataError(f"{path} is not a complete zip file ({error}): get it again") from None
    return archive, _images(path, archive.infolist())


def _images(path: Path, members: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    images: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = PureWindowsPath(member.filename)  # takes / and \ for separators, and knows drives
        wrong = _wrong(member, name)
        if name.name in images:
            wrong = f"has the name of {images[name.name].filename!r}: each image needs its own"
        if wrong:
            raise DataError(f"{path}: member {member.filename!r} {wrong}. Pack the archive anew")
        if name.suffix.lower() in SUFFIXES and not member.is_dir():
            images[name.name] = member
    return images


def _wrong(member: zipfile.ZipInfo, name: PureWindowsPath) -> str:
    """What is wrong with a member of an archive, nothing for a good one."""
    if name.anchor or ".." in name.parts:
        return "leads outside the archive: only paths below its own folder are read"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a symbolic link: only files are read, put the file in its place"
    if member.flag_bits & 1:
        return "is encrypted: only members without a password are read"
    if member.compress_type not in PACKINGS:
        return f"is compressed by method {member.compress_type}: only stored or deflated is read"
    return ""


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> bytes:
    """The bytes of an image in an archive; `where` names it in errors."""
    check_size(member.file_size, where)
    try:
        with archive.open(member) as file:
            return file.read(member.file_size)  # no more, whatever the bytes would grow to
    except (*BROKEN_ZIP, OSError) as error:
        raise DataError(
            f"{where}: cannot be read ({error}). Get {archive.filename} again"
        ) from None


def check_size(size: int, where: str) -> None:
    """Raise a DataError for a file that is too large to be an image that is read."""
    if size > LARGEST_FILE:
        raise DataError(
            f"{where}: has {size:,} bytes, an image file may have {LARGEST_FILE:,}: take it out "
            f"or save it smaller"
        )


def decode(data: bytes, where: str, size: tuple[int, int], crop: float = 1.0):
    """One image in memory, with the same share of its height and width around its centre.

    Parameters
    ----------
    data : bytes
        Of an image file in one of `FORMATS`.
    where : str
        Names the image in errors.
    size : (int, int)
        Height and width in pixels of what is returned.
    crop : float
        Share to keep, in (0, 1].

    Returns
    -------
    ndarray (3, height, width) uint8
    (int, int)
        Height and width in the file.

    Raises
    ------
    DataError
        For an image that cannot be decoded, and one of more than `LARGEST_IMAGE` pixels, which is
        not decoded.
    """
    image = _open(data, where)
    width, height = image.size
    left, top = width * (1 - crop) / 2, height * (1 - crop) / 2
    try:
        image = image.convert("RGB")
        if crop < 1 or (height, width) != tuple(size):
            image = image.resize(
                size[::-1], Image.Resampling.BILINEAR, (left, top, width - left, height - top)
            )
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise _broken(where, error) from None
    return np.asarray(image).transpose(2, 0, 1), (height, width)


def _open(data: bytes, where: str) -> Image.Image:
    """An image of which only the header was read, and is of a size that may be decoded."""
    pixels = np.inf
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        pixels = image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pass  # Pillow's own limits, above ours
    except Exception as error:  # as above
        raise _broken(where, error) from None
    if pixels > LARGEST_IMAGE:
        raise DataError(
            f"{where}: has more pixels than the {LARGEST_IMAGE:,} that an image may have: take it "
            f"out or save it smaller"
        )
    return image


def _broken(where: str, error: Exception) -> DataError:
    return DataError(f"{where}: cannot be decoded ({error}). Get the file again")
