"""Pixels are those that a viewer shows, whatever mode and orientation a file has."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcl.data import DataError
from dcl.data.images import Range, decode
from dcl.data.pack import open_pack
from dcl.data.sources import Folder

SIZE = (6, 8)  # height and width
RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, SIZE, dtype=np.uint8)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    image.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def seen(data: bytes, size=SIZE, **options) -> np.ndarray:
    """Pixels (height, width, 3) as integers."""
    return decode(data, "it", size, **options)[0].transpose(1, 2, 0).astype(int)


def grey(values) -> np.ndarray:
    return np.repeat(np.asarray(values)[..., None], 3, axis=2).astype(int)


def over(colours, alpha, ground=(255, 255, 255)) -> np.ndarray:
    """Colours of 0 to 255 on a ground, pixel by pixel."""
    result = np.zeros((*SIZE, 3))
    for y, x, c in np.ndindex(result.shape):
        share = alpha[y, x] / 255
        result[y, x, c] = share * colours[y, x, c] + (1 - share) * ground[c]
    return result


@pytest.mark.parametrize("orientation", range(10))  # 0 and 9 mean nothing
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("wide", [False, True])
def test_an_image_is_turned_as_its_orientation_says(orientation, kind, wide):
    if wide and kind in ("JPEG", "WEBP"):
        return
    image = Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257 if wide else COLOURS)
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "TIFF":
        data = saved(image, kind, tiffinfo={0x0112: orientation} if orientation else {})
    else:
        data = saved(image, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    before = np.asarray(image if not wide else Image.fromarray(COLOURS[..., 0]))
    if kind == "JPEG":
        before = np.asarray(Image.open(io.BytesIO(data)))
    turned = {
        2: before[:, ::-1],
        3: before[::-1, ::-1],
        4: before[::-1],
        5: before.swapaxes(0, 1),
        6: before[::-1].swapaxes(0, 1),
        7: before[::-1, ::-1].swapaxes(0, 1),
        8: before[:, ::-1].swapaxes(0, 1),
    }.get(orientation, before)
    pixels, facts = decode(data, "it", turned.shape[:2])
    wanted = grey(turned) if wide else turned
    assert np.array_equal(pixels.transpose(1, 2, 0), wanted)
    assert (facts.height, facts.width) == turned.shape[:2]


def test_broken_metadata_do_not_break_an_image():
    data = saved(Image.fromarray(COLOURS), "PNG")
    jpeg = saved(Image.fromarray(COLOURS), "JPEG", exif=b"Exif\0\0no TIFF in here")
    assert seen(jpeg).shape == (*SIZE, 3)
    assert np.array_equal(seen(data), COLOURS)


PALETTE = sorted({tuple(row) for row in COLOURS.reshape(-1, 3).tolist()})[:4]


def palette(index: np.ndarray, **info) -> Image.Image:
    image = Image.fromarray(index.astype(np.uint8), "L").convert("P")
    image = Image.frombytes("P", SIZE[::-1], index.astype(np.uint8).tobytes())
    image.putpalette([x for row in PALETTE for x in row])
    image.info.update(info)
    return image


INDEX = RNG.integers(0, 4, SIZE)
TWO = COLOURS[..., 0] > 127
LEAST = int(COLOURS[..., 0].min())
CMYK = RNG.integers(0, 256, (*SIZE, 4), dtype=np.uint8)
MODES = {  # a file of each mode, and what is to be seen
    "1": (saved(Image.fromarray(TWO), "PNG"), grey(255 * TWO)),
    "L": (saved(Image.fromarray(COLOURS[..., 0]), "PNG"), grey(COLOURS[..., 0])),
    "RGB": (saved(Image.fromarray(COLOURS), "PNG"), COLOURS),
    "RGB of BMP": (saved(Image.fromarray(COLOURS), "BMP"), COLOURS),
    "RGB of TIFF": (saved(Image.fromarray(COLOURS), "TIFF", compression="tiff_lzw"), COLOURS),
    "P": (saved(palette(INDEX), "PNG"), np.array(PALETTE)[INDEX]),
    "P of GIF": (saved(palette(INDEX), "GIF"), np.array(PALETTE)[INDEX]),
    "P, one clear": (
        saved(palette(INDEX), "PNG", transparency=2),
        over(np.array(PALETTE)[INDEX], 255 * (INDEX != 2)),
    ),
    "P, alphas": (
        saved(palette(INDEX), "PNG", transparency=bytes([0, 100, 200, 255])),
        over(np.array(PALETTE)[INDEX], np.array([0, 100, 200, 255])[INDEX]),
    ),
    "LA": (
        saved(Image.fromarray(np.stack([COLOURS[..., 0], ALPHA], 2), "LA"), "PNG"),
        over(grey(COLOURS[..., 0]), ALPHA),
    ),
    "RGBA": (
        saved(Image.fromarray(np.dstack([COLOURS, ALPHA])), "PNG"), over(COLOURS, ALPHA),
    ),
    "RGBA of WebP": (
        saved(Image.fromarray(np.dstack([COLOURS, ALPHA])), "WEBP", lossless=True, exact=True),
        over(COLOURS, ALPHA),
    ),
    "RGBA of TIFF": (
        saved(Image.fromarray(np.dstack([COLOURS, ALPHA])), "TIFF"), over(COLOURS, ALPHA),
    ),
    "L, one clear": (
        saved(Image.fromarray(COLOURS[..., 0]), "PNG", transparency=int(COLOURS[0, 0, 0])),
        over(grey(COLOURS[..., 0]), 255 * (COLOURS[..., 0] != COLOURS[0, 0, 0])),
    ),
    "RGB, one clear": (
        saved(Image.fromarray(COLOURS), "PNG", transparency=tuple(COLOURS[0, 0].tolist())),
        over(COLOURS, 255 * (COLOURS != COLOURS[0, 0]).any(2)),
    ),
    "CMYK": (
        saved(Image.fromarray(CMYK, "CMYK"), "TIFF"),
        (255 - CMYK[..., :3].astype(int)) * (255 - CMYK[..., 3:].astype(int)) / 255,
    ),
    "I;16": (
        saved(Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257), "PNG"),
        grey(COLOURS[..., 0]),
    ),
    "I;16 of TIFF": (
        saved(Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257), "TIFF"),
        grey(COLOURS[..., 0]),
    ),
    "I;16, one clear": (
        saved(
            Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257), "PNG",
            transparency=int(COLOURS[0, 0, 0]) * 257,
        ),
        over(grey(COLOURS[..., 0]), 255 * (COLOURS[..., 0] != COLOURS[0, 0, 0])),
    ),
    "I": (
        saved(Image.fromarray(COLOURS[..., 0].astype(np.int32) * 9 - 1000), "TIFF"),
        grey(255 * (COLOURS[..., 0].astype(int) - LEAST) / (int(COLOURS[..., 0].max()) - LEAST)),
    ),
    "F": (
        saved(Image.fromarray(COLOURS[..., 0].astype(np.float32) / 255), "TIFF"),
        grey(COLOURS[..., 0]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_an_image_of_each_mode_is_read_as_a_viewer_shows_it(mode):
    data, wanted = MODES[mode]
    assert np.abs(seen(data) - wanted).max() <= 1  # rounding


def test_cmyk_of_a_jpeg_is_inverted_once():
    data = saved(Image.new("CMYK", SIZE[::-1], (0, 255, 255, 0)), "JPEG", quality=100)
    assert np.abs(seen(data) - (255, 0, 0)).max() <= 3


def test_the_background_can_be_chosen_and_is_not_mixed_with_what_is_opaque():
    data = saved(Image.fromarray(np.dstack([COLOURS, ALPHA])), "PNG")
    assert (
        np.abs(seen(data, background=(10, 20, 200)) - over(COLOURS, ALPHA, (10, 20, 200))).max()
        <= 1
    )
    clear = np.dstack([COLOURS, np.full(SIZE, 255, np.uint8)])
    assert np.array_equal(seen(saved(Image.fromarray(clear), "PNG"), background=(0, 0, 0)), COLOURS)


def test_a_plain_image_has_the_pixels_that_it_always_had():
    """Existing records are on these: JPEG, lossless WebP, without orientation and alpha."""
    for kind, options in (("JPEG", {}), ("WEBP", {"lossless": True}), ("PNG", {})):
        data = saved(Image.fromarray(COLOURS), kind, **options)
        for crop in (1.0, 0.7):
            image = Image.open(io.BytesIO(data)).convert("RGB")
            left, top = SIZE[1] * (1 - crop) / 2, SIZE[0] * (1 - crop) / 2
            box = (left, top, SIZE[1] - left, SIZE[0] - top)
            wanted = np.asarray(image.resize((5, 4), Image.Resampling.BILINEAR, box))
            assert np.array_equal(seen(data, (4, 5), crop=crop), wanted)


@pytest.mark.parametrize(
    ("kind", "low", "high", "usual"),
    [
        ("integer", 0, 0, (0, 255)), ("integer", 0, 255, (0, 255)), ("integer", 3, 256, (0, 1023)),
        ("integer", 0, 4095, (0, 4095)), ("integer", 0, 40_000, (0, 65_535)),
        ("integer", 0, 65_536, (0, 65_536)), ("integer", -1024, 3071, (-1024, 3071)),
        ("float", 0.0, 1.0, (0, 1)), ("float", -1.0, 0.5, (-1, 1)), ("float", 0.0, 1.5, (0, 255)),
        ("float", 0.0, 255.5, (0, 1023)), ("float", -2.5, 1e9, (-2.5, 1e9)),
    ],
)  # fmt: skip
def test_the_usual_range_of_values_is_the_least_that_holds_them(kind, low, high, usual):
    assert Range(kind, low, high).rounded() == (kind, *usual)


def folder_of(path: Path, images: dict[str, np.ndarray]) -> Folder:
    path.mkdir(exist_ok=True)
    for name, values in images.items():
        Image.fromarray(values).save(path / name)
    return Folder(path)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_brightness_of_many_bits_is_compared_over_all_images(tmp_path, kind):
    """The darkest image alone would fit into 8 bits."""
    levels = [100, 3000, 60_000]
    images = {f"{level}.tif": np.full(SIZE, level, kind) for level in levels}
    pack = open_pack(
        tmp_path, folder_of(tmp_path / "images", images), list(images), size=SIZE, progress=False
    )
    assert pack.images[:, 0, 0, 0].tolist() == [round(level / 257) for level in levels]
    ((name, used),) = pack.ranges.items()
    assert used == (name, 0, 65_535)


def test_new_images_are_scaled_by_the_range_of_the_training():
    data = saved(Image.fromarray(np.full(SIZE, 1000, np.uint16)), "PNG")
    ranges = {"integer": Range("integer", 0, 65_535)}
    assert seen(data, ranges=ranges)[0, 0, 0] == round(1000 / 257)
    assert seen(data)[0, 0, 0] == round(1000 / 257)
    for ranges, message in (
        ({"integer": Range("integer", 0, 255)}, "1000 to 1000.*lie in 0 to 255"),
        ({}, "1000 to 1000.*have 8 bits"),
    ):
        with pytest.raises(DataError, match=message):
            decode(data, "it", SIZE, ranges=ranges)


def test_values_that_are_no_numbers_are_refused():
    values = np.full(SIZE, np.nan, np.float32)
    with pytest.raises(DataError, match="it: cannot be decoded .it holds NaN or infinity"):
        seen(saved(Image.fromarray(values), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_pages_the_first_is_used_and_that_is_known(kind):
    first, second = Image.new("RGB", (8, 6), (200, 0, 0)), Image.new("RGB", (8, 6), (0, 0, 200))
    data = saved(first, kind, save_all=True, append_images=[second])
    pixels, facts = decode(data, "it", SIZE)
    assert facts.pages
    assert pixels[0].min() > 190
    assert pixels[2].max() < 10
    assert not decode(saved(first, kind), "it", SIZE)[1].pages


def tagged(pixels: np.ndarray, **tags) -> bytes:
    """A TIFF of any bands and bits, which Pillow does not write: of (height, width, bands)."""
    height, width, bands = pixels.shape
    bits = pixels.dtype.itemsize * 8
    given = {256: width, 257: height, 258: bits, 259: 1, 262: 1 + (bands > 2), 273: 0, 277: bands,
             278: height, 279: pixels.nbytes, 284: 1, 339: 3 if pixels.dtype.kind == "f" else 1,
             **({338: 0} if bands > 3 else {})}  # fmt: skip
    several = {258: bands, 338: bands - 3, 339: bands}
    at = 8 + 2 + 12 * len(given) + 4
    entries, more = b"", b""
    for tag, value in sorted(given.items()):
        count = several.get(tag, 1)
        values = struct.pack(f"<{count}H", *[value] * count)
        if tag == 273:
            values = struct.pack("<H", at + 64)
        if len(values) > 4:
            values, more = struct.pack("<I", at + len(more)), more + values
        entries += struct.pack("<HHI", tag, 3, count) + values.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(given))
    return head + entries + bytes(4) + more.ljust(64, b"\0") + pixels.tobytes()


def test_bands_beyond_colours_are_known_and_other_tiffs_are_named():
    five = np.repeat(COLOURS[..., :1], 5, axis=2)
    assert np.array_equal(seen(tagged(five)), five[..., :3])
    assert [decode(tagged(five[..., :n]), "it", SIZE)[1].bands for n in (1, 3, 5)] == [0, 0, 1]
    with pytest.raises(DataError, match="it is a TIFF of bands or bits that are not read: save it"):
        seen(tagged(COLOURS.astype(np.float64)))


@pytest.mark.parametrize(("alpha", "clear"), [(0, True), (254, True), (255, False)])
def test_transparent_pixels_and_one_colour_are_known(alpha, clear):
    data = saved(Image.fromarray(np.dstack([COLOURS, np.full(SIZE, alpha, np.uint8)])), "PNG")
    facts = decode(data, "it", SIZE)[1]
    assert facts.clear == clear
    assert facts.plain == (None if alpha else (255, 255, 255))
    masks = saved(Image.fromarray((COLOURS[..., 0] > 127).astype(np.uint8)), "PNG")
    assert decode(masks, "it", SIZE)[1].plain == (0, 0, 0)


def test_images_that_no_network_tells_apart_are_named(tmp_path):
    dark = COLOURS[..., 0].astype(np.uint16) // 4  # black beside 65535, not beside 1023
    images = {"a.png": np.dstack([COLOURS, np.zeros(SIZE, np.uint8)]), "c.png": COLOURS,
              "b.png": np.full((*SIZE, 3), 255, np.uint8), "d.png": np.full(SIZE, 9, np.uint8),
              "e.png": dark, "f.png": dark // 2 + 1}  # fmt: skip
    source = folder_of(tmp_path / "images", images)
    for _ in range(2):  # made, and read
        pack = open_pack(tmp_path, source, sorted(images), size=SIZE, progress=False)
        assert (pack.plain, pack.clear, pack.bands) == (["a.png", "b.png"], ["a.png"], [])


def thumbnail() -> bytes:
    """EXIF with a whole JPEG in it."""
    exif = Image.Exif()
    exif[0x010E] = "a description"
    return exif.tobytes() + saved(Image.new("RGB", (8, 8), "red"), "JPEG")


@pytest.mark.parametrize("end", [b"", b"\0" * 99, b"\xff\xda\xff\xd8 more"])
@pytest.mark.parametrize("size", [1, 17, 90])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True, "subsampling": 2},
        {"quality": 100},
        {"quality": 1},
        {"restart_marker_blocks": 1},
        {"comment": b"\xff\xd9\xff\xda"},
        {"exif": thumbnail()},
        {"icc_profile": b"\xff\xda" * 50_000},
    ],
)
def test_a_whole_jpeg_is_read_and_one_that_ends_in_nothing_is_not(options, size, end):
    jpeg = saved(
        Image.fromarray(RNG.integers(0, 256, (size, size, 3), np.uint8)), "JPEG", **options
    )
    assert seen(jpeg + end, (size, size)).shape == (size, size, 3)
    for cut in (len(jpeg) - 2, len(jpeg) // 2):
        with pytest.raises(DataError, match="it: cannot be decoded"):
            seen(jpeg[:cut] + bytes(len(jpeg) - cut) + end)


def test_of_several_jpegs_in_a_file_the_first_is_read():
    first, second = (saved(Image.fromarray(COLOURS), "JPEG", quality=q) for q in (90, 10))
    both = saved(
        Image.fromarray(COLOURS), "MPO", save_all=True, append_images=[Image.new("L", (9, 9))]
    )
    assert np.array_equal(seen(first + second), seen(first))
    assert seen(both).shape == (*SIZE, 3)


def test_a_png_that_ends_in_nothing_is_refused():
    png = saved(Image.fromarray(COLOURS), "PNG")
    with pytest.raises(DataError, match="its end is missing, as of a download that stopped"):
        seen(png[:-12] + bytes(12))
