"""Image files read with care: pixels as a viewer shows them, and nothing that could do harm.

An archive is refused for one member that leads outside it or is a link, though none is ever
unpacked: other programs may unpack the same file.
"""

import io
import math
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from .names import is_image
from .resident import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")  # Pillow has others that start programs
LARGEST_IMAGE = 2**26  # pixels: 64 megapixels, what photographs have at most
LARGEST_FILE = 2**28  # bytes of an image file: those pixels uncompressed, and room
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # read piece by piece, never beyond a limit
BACKGROUND = (255, 255, 255)  # ours: white, on which most viewers and papers show a picture
BITS = (8, 10, 12, 14, 16)  # of cameras and scanners, whatever the file could hold

TIFF = (b"II*\0", b"MM\0*")  # how one begins
PHOTOMETRIC, BITS_PER_SAMPLE, BANDS, SAMPLE_FORMAT = 262, 258, 277, 339  # tags of a TIFF
PLAIN = 1  # of 255: values that differ by no more look like one
DARK = 32  # of 255: what values of 12 bits in 16 do not reach

MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")  # of a JPEG, with a length but for the end

BROKEN_ZIP = (  # what zipfile raises for damaged bytes
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
)  # fmt: skip
UTF_8 = 0x800  # flag of a zip's member whose name is in UTF-8


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
    try:
        return archive, _images(path, archive.infolist())
    except DataError:
        archive.close()
        raise


def _images(path: Path, members: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    images: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = PureWindowsPath(name_of(member))  # takes / and \ for separators, and knows drives
        image = is_image(name.as_posix()) and not member.is_dir()
        wrong = _wrong(member, name)
        if image and name.name in images:
            wrong = f"has the name of {images[name.name].filename!r}: give each image another name"
        if wrong:
            raise DataError(f"{path}: member {member.filename!r} {wrong}. Pack the archive anew")
        if image:
            images[name.name] = member
    return images


def name_of(member: zipfile.ZipInfo) -> str:
    """The name of a member; macOS writes UTF-8 without the flag that says so."""
    if not member.flag_bits & UTF_8:
        try:
            return member.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return member.filename


def _wrong(member: zipfile.ZipInfo, name: PureWindowsPath) -> str:
    """What is wrong with a member of an archive, nothing for a good one."""
    if name.anchor or ".." in name.parts:
        return "leads outside the archive: only paths below its folder are read"
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
        raise DataError(f"{where}: cannot be read ({error})") from None


def check_size(size: int, where: str) -> None:
    """Raise a DataError for a file that is too large to be an image that is read."""
    if size > LARGEST_FILE:
        raise DataError(
            f"{where}: has {size:,} bytes, an image file may have {LARGEST_FILE:,}: save it smaller"
        )


class Range(NamedTuple):
    """Values of a grey image of more than 8 bits a pixel: kind "integer" or "float", and limits."""

    kind: str
    low: float
    high: float

    def rounded(self) -> "Range":
        """The usual range around these values, as a scanner or a program writes them.

        Integers: 0 to 2^b - 1 of the fewest bits b of `BITS` that hold them; floats also 0 to 1 and
        -1 to 1. Other values, such as Hounsfield units, have no usual range and keep theirs.

        Examples
        --------
        >>> Range("integer", 7, 3_000).rounded()
        Range(kind='integer', low=0, high=4095)
        """
        usual = [(0, 2**bits - 1) for bits in BITS]
        if self.kind == "float":
            usual = [(0, 1), (-1, 1), *usual]
        fits = ((a, b) for a, b in usual if a <= self.low and self.high <= b)
        return Range(self.kind, *next(fits, (self.low, self.high)))

    def alone(self) -> "Range":
        """The range for an image of no known data set: of integers that of 16 bits, if it does."""
        full = Range("integer", 0, 2 ** BITS[-1] - 1)
        within = self.kind == full.kind and full.low <= self.low and self.high <= full.high
        return full if within else self.rounded()


class Seen(NamedTuple):
    """What `decode` saw in a file."""

    height: int  # as a viewer shows it
    width: int
    pages: bool  # whether it has more pages or frames than the first, which is used
    values: Range | None  # of more than 8 bits: the values that are in the file
    bands: bool  # whether it has more than are used
    clear: bool  # whether a pixel is transparent, in part or whole
    plain: tuple[int, int, int] | None  # the one colour that it has all over


def decode(
    data: bytes,
    where: str,
    size: tuple[int, int],
    crop: float = 1.0,
    *,
    background: tuple[int, int, int] = BACKGROUND,
    ranges: Mapping[str, Range] | None = None,
) -> tuple[np.ndarray, Seen]:
    """One image in memory as a viewer shows it, the same share of height and width kept.

    It is turned as its EXIF orientation says, transparent pixels are laid on the background, and
    grey values of more than 8 bits are scaled to 0 to 255.

    Parameters
    ----------
    data : bytes
        Of an image file in one of `FORMATS`.
    where : str
        Names the image in errors.
    size : (int, int)
        Height and width in pixels of what is returned.
    crop : float
        Share to keep around the centre, in (0, 1].
    background : (int, int, int)
        Red, green and blue, 0 to 255.
    ranges : mapping from "integer" and "float" to Range, optional
        What becomes 0 and 255 of grey values of more than 8 bits: one range for a whole data set,
        so that brightness can be compared. Without it see `Range.alone`.

    Returns
    -------
    ndarray (3, height, width) uint8
    Seen

    Raises
    ------
    DataError
        For an image that cannot be decoded, one whose values lie outside `ranges`, and one of more
        than `LARGEST_IMAGE` pixels, which is not decoded.
    """
    file = _open(data, where)
    try:
        pages = file.format in ("TIFF", "GIF", "WEBP", "PNG") and getattr(file, "n_frames", 1) > 1
        deep = any(";16" in str(tile) for tile in file.tile)  # 16 bits a colour
        file.load()
        _check_end(file, data)
        _check_bits(file, deep)
        bands = getattr(file, "tag_v2", {}).get(BANDS, 1) > len(file.getbands())
        image = _upright(file)
        values = _values(image)
        if values is not None:
            image = _scaled(image, values, ranges, background)
        image, clear = _opaque(image, background)
        width, height = image.size
        left, top = width * (1 - crop) / 2, height * (1 - crop) / 2
        if crop < 1 or (height, width) != tuple(size):
            image = image.resize(
                size[::-1], Image.Resampling.BILINEAR, (left, top, width - left, height - top)
            )
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise _broken(where, error) from None
    pixels = np.asarray(image).transpose(2, 0, 1)
    plain = _plain(pixels)
    return pixels, Seen(height, width, pages, values, bands, clear, plain)


def _plain(pixels: np.ndarray) -> tuple[int, int, int] | None:
    """The colour of an image (3, H, W) that has one all over, None for others."""
    low, high = pixels.min((1, 2)), pixels.max((1, 2))
    return None if (high - low > PLAIN).any() else tuple(low.tolist())


def _open(data: bytes, where: str) -> ImageFile.ImageFile:
    """An image of which only the header was read, and is of a size that may be decoded."""
    if not data:
        raise DataError(f"{where}: is empty")
    pixels = math.inf
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        pixels = image.width * image.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pass  # the limits of Pillow, above ours
    except Image.UnidentifiedImageError:  # its message names an object in memory
        if data.startswith(TIFF):
            raise _broken(
                where,
                "it is a TIFF of bands or bits that are not read: save it as one "
                "of 8 or 16 bits, in grey or in red, green and blue",
            ) from None
        raise _broken(where, f"it is none of {', '.join(FORMATS)}") from None
    except Exception as error:  # as above
        raise _broken(where, error) from None
    if pixels > LARGEST_IMAGE:
        raise DataError(
            f"{where}: has more pixels than the {LARGEST_IMAGE:,} that an image may have: save it "
            f"smaller"
        )
    return image


def _check_end(image: Image.Image, data: bytes) -> None:
    """Refuse what has no end, as a download that stopped: Pillow makes up the rows that NULs hide.

    WebP, BMP and plain TIFF mark no end.
    """
    jpeg = image.format in ("JPEG", "MPO")
    if (jpeg and not _jpeg_ends(data)) or (image.format == "PNG" and b"IEND" not in data):
        raise ValueError("its end is missing, as of a download that stopped: get it again")


def _jpeg_ends(data: bytes) -> bool:
    """Whether the first image ends: a thumbnail's end lies within a segment, which is jumped over.

    In compressed data 0xff is followed by 0 or by a restart marker, 0xd0 to 0xd7.
    """
    at = 2
    while found := MARKER.search(data, at):
        if found[1] == b"\xd9":
            return True
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False


def _check_bits(image: Image.Image, deep: bool) -> None:
    """Refuse values of more than 8 bits that Pillow does not give as they are."""
    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith(("I", "F")):
        if tags.get(PHOTOMETRIC) == 0:  # of 8 bits Pillow turns them round
            raise ValueError(
                "it is a TIFF of more than 8 bits in which 0 is white: save it with 0 as black"
            )
        unsigned = tags.get(SAMPLE_FORMAT, (1,))[0] == 1 and tags.get(BITS_PER_SAMPLE) == (32,)
        if unsigned and image.mode == "I" and np.asarray(image).min() < 0:
            raise ValueError("it has values of 2,147,483,648 or more: divide them, or save floats")
    elif deep and np.asarray(image.convert("RGB")).max() < DARK:
        raise ValueError(
            "its colours have 16 bits, of which the upper 8 are read, and hardly anything is in "
            "them: save it with 8 bits a colour"
        )


def _upright(image: Image.Image) -> Image.Image:
    """The image turned and mirrored as its EXIF orientation says."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # the image is whole, if its metadata are not
        return image
    return ImageOps.exif_transpose(image) if turned in range(2, 9) else image


def _values(image: Image.Image) -> Range | None:
    """The least and the largest value of a grey image of more than 8 bits, None for others."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    values = np.asarray(image)
    kind = "float" if image.mode == "F" else "integer"
    if not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinity")
    return Range(kind, values.min().item(), values.max().item())


def _scaled(
    image: Image.Image,
    values: Range,
    ranges: Mapping[str, Range] | None,
    background: tuple[int, int, int],
) -> Image.Image:
    """A grey image of more than 8 bits as one of 8, its one transparent value on the background."""
    used = values.alone() if ranges is None else ranges.get(values.kind)
    if used is None or values.low < used.low or values.high > used.high:
        allowed = "have 8 bits a pixel" if used is None else f"lie in {used.low:g} to {used.high:g}"
        raise ValueError(
            f"its {values.kind} grey values are {values.low:g} to {values.high:g}, but those of "
            f"the training's images {allowed}"
        )
    grey = np.asarray(image).astype(np.float64) - used.low
    grey *= 255 / ((used.high - used.low) or 1)
    scaled = np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        scaled[np.asarray(image) == clear] = background
    return Image.fromarray(scaled)


def _opaque(image: Image.Image, background: tuple[int, int, int]) -> tuple[Image.Image, bool]:
    """The image in red, green and blue, transparent pixels laid on the background; if any are."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB"), False
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, (*background, 255))
    clear = bool((np.asarray(image)[..., 3] < 255).any())
    return Image.alpha_composite(ground, image).convert("RGB"), clear


def _broken(where: str, error: Exception | str) -> DataError:
    return DataError(f"{where}: cannot be decoded ({error})")
