"""Archives and images that could do harm are refused by name, whatever is in them."""

import io
import multiprocessing
import pickle
import stat
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcl.data import DataError, images, pack
from dcl.data.pack import open_pack
from dcl.data.sources import Archive, Folder


def picture(width=16, height=20, kind="PNG") -> bytes:
    Image.new("RGB", (width, height)).save(file := io.BytesIO(), kind)
    return file.getvalue()


def archive_of(folder: Path, *members, **options) -> Path:
    """A zip of members, each a name or a ZipInfo and its bytes."""
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w", **options) as archive:
        for member, data in members:
            archive.writestr(member, data)
    return path


def packed(root: Path, source) -> np.ndarray:
    names = sorted(source.names())
    return open_pack(root, source, names, size=(10, 8), progress=False).images


def declared(width: int, height: int) -> bytes:
    """A PNG of 60 bytes whose header declares a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_images_are_found_below_any_folder_of_an_archive(tmp_path):
    path = archive_of(
        tmp_path, ("a/", ""), ("a/b/1.png", picture()), ("./2.JPG", picture()), ("a/note.txt", "")
    )
    assert Archive(path).names() == {"1.png", "2.JPG"}
    assert packed(tmp_path, Archive(path)).shape == (2, 3, 10, 8)


@pytest.fixture
def workers(monkeypatch):
    """Two processes decode, a part of three images at a time."""
    monkeypatch.setattr(pack, "WORTH_WORKERS", 1)
    monkeypatch.setattr(pack, "PART", 3 * 3 * 10 * 8)
    monkeypatch.setattr(pack, "_cores", lambda: 2)


def test_processes_give_the_images_that_one_gives_in_order(tmp_path, workers):
    pictures = {f"{i}.png": np.full((20, 16, 3), i, np.uint8) for i in range(10, 30)}
    (tmp_path / "files").mkdir()
    for name, picture in pictures.items():
        Image.fromarray(picture).save(tmp_path / "files" / name)
    archive = archive_of(tmp_path, *[(n, (tmp_path / "files" / n).read_bytes()) for n in pictures])
    for source in (Folder(tmp_path / "files"), Archive(archive)):
        found = packed(tmp_path / type(source).__name__, source)
        assert found[:, 0, 0, 0].tolist() == list(range(10, 30))
        assert found.shape == (20, 3, 10, 8)


def test_a_broken_image_is_named_as_it_is_without_processes(tmp_path, workers):
    archive = archive_of(
        tmp_path, *[(f"{i}.png", picture() if i != 17 else b"no image") for i in range(10, 30)]
    )
    with pytest.raises(DataError, match=r"^\S*17\.png: cannot be decoded") as caught:
        packed(tmp_path, Archive(archive))
    assert "worker" not in str(caught.value)


def test_an_archive_can_be_given_to_another_process(tmp_path):
    given = pickle.loads(pickle.dumps(Archive(archive_of(tmp_path, ("1.png", picture())))))
    assert given.read("1.png") == picture()


@pytest.mark.parametrize(
    "name",
    [
        "../1.png", "a/../../1.png", "/1.png", "//server/share/1.png", "..\\1.png", "a\\..\\1.png",
        "\\1.png", "C:\\1.png", "C:1.png", "c:/1.png", "\\\\server\\share\\1.png", "../note.txt",
        "a/..",
    ],
)  # fmt: skip
def test_a_member_that_leads_outside_is_refused(tmp_path, name):
    path = archive_of(tmp_path, ("a/0.png", picture()), (name, picture()))
    with pytest.raises(DataError) as error:
        Archive(path)
    assert str(error.value) == (
        f"{path}: member {name!r} leads outside the archive: only paths below its folder are "
        f"read. Pack the archive anew"
    )


@pytest.mark.parametrize("name", ["a/1.png", "a/folder"])
def test_a_symbolic_link_in_an_archive_is_refused(tmp_path, name):
    link = zipfile.ZipInfo(name)
    link.create_system = 3  # Unix
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = archive_of(tmp_path, (link, "../../secret.png"))
    with pytest.raises(DataError, match=rf"images\.zip: member '{name}' is a symbolic link"):
        Archive(path)


def test_a_symbolic_link_in_a_folder_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").write_bytes(picture())
    (tmp_path / "images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "2.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    assert packed(tmp_path, Folder(tmp_path / "images")).shape == (2, 3, 10, 8)


@pytest.mark.parametrize("target", ["nowhere.png", "1.png", "."])
def test_a_link_to_nowhere_or_in_a_circle_is_named(tmp_path, target):
    link = tmp_path / ("1.png" if target != "." else "folder")
    link.symlink_to(target)
    with pytest.raises(DataError, match=rf"{link.name}.*: cannot be read \("):
        packed(tmp_path, Folder(tmp_path))


def test_an_encrypted_member_is_refused(tmp_path):
    path = archive_of(tmp_path, ("1.png", picture()))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # its flag in the central directory
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"images\.zip: member '1.png' is encrypted: only"):
        Archive(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_cannot_be_read_piece_by_piece_is_refused(tmp_path, method):
    path = archive_of(tmp_path, ("1.png", picture()), compression=method)
    with pytest.raises(DataError, match=rf"images\.zip: member '1.png' .* method {method}: only"):
        Archive(path)


def test_two_images_of_one_name_are_refused(tmp_path):
    path = archive_of(tmp_path, ("a/1.png", picture()), ("b/1.png", picture()))
    with pytest.raises(DataError, match=r"member 'b/1.png' has the name of 'a/1.png'"):
        Archive(path)


def test_a_member_that_declares_too_many_bytes_is_not_unpacked(tmp_path, monkeypatch):
    path = archive_of(tmp_path, ("1.png", picture()))
    monkeypatch.setattr(images, "LARGEST_FILE", 50)
    with pytest.raises(DataError, match=r"images\.zip/1\.png: has \d+ bytes, .* may have 50"):
        packed(tmp_path, Archive(path))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "2.png").write_bytes(picture())
    with pytest.raises(DataError, match=r"folder/2\.png: has \d+ bytes, .* may have 50"):
        packed(tmp_path, Folder(tmp_path / "folder"))


def test_a_member_that_grows_beyond_what_it_declares_is_not_unpacked(tmp_path, monkeypatch):
    path = archive_of(tmp_path, ("1.png", bytes(10**6)), compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24  # the size in the central directory
    data[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(data)
    grown = []
    unpack = zlib.decompressobj

    def counted(*arguments):
        part = unpack(*arguments)

        class Counted:
            def decompress(self, *given):
                grown.append(len(data := part.decompress(*given)))
                return data

            def __getattr__(self, name):
                return getattr(part, name)

        return Counted()

    monkeypatch.setattr(zipfile.zlib, "decompressobj", counted)
    with pytest.raises(DataError, match=r"images\.zip/1\.png: cannot be read \(Bad CRC"):
        packed(tmp_path, Archive(path))
    assert sum(grown) < 10_000


@pytest.mark.parametrize(
    ("width", "height"), [(8193, 8192), (12_000, 8_000), (30_000, 30_000), (2**31 - 1, 1)]
)
@pytest.mark.parametrize("action", ["ignore", "error"])  # for Pillow's own warning
def test_an_absurdly_large_image_is_refused_before_it_is_decoded(tmp_path, width, height, action):
    small = declared(width, height)
    path = archive_of(tmp_path, ("1.png", small))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "2.png").write_bytes(small)
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        for source, name in (
            (Archive(path), r"images\.zip/1\.png"),
            (Folder(tmp_path / "folder"), r"folder/2\.png"),
        ):
            with pytest.raises(DataError, match=rf"{name}: has more pixels than the 67,108,864"):
                packed(tmp_path, source)
    assert not list((tmp_path / ".dcl-packs").iterdir())


def test_a_file_of_another_format_is_not_given_to_its_reader(tmp_path):
    """Pillow would start Ghostscript for this one, whatever the file is called."""
    (tmp_path / "1.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(DataError, match=r"1\.jpg: cannot be decoded"):
        packed(tmp_path, Folder(tmp_path))


def pack_it(root: Path, wait=None) -> None:
    """Packs the images of `root` in a process of its own, once all are ready."""
    write = pack._write

    def together(*arguments):
        wait.wait()
        return write(*arguments)

    pack._write = together
    packed(root, Folder(root / "images"))


def test_of_two_processes_that_pack_at_once_the_second_takes_the_firsts_pack(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(30):
        (tmp_path / "images" / f"{number}.png").write_bytes(picture())
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(3)
    processes = [context.Process(target=pack_it, args=(tmp_path, ready)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    (only,) = (tmp_path / ".dcl-packs").iterdir()  # whole, and no scratch left
    assert sorted(path.name for path in only.iterdir()) == ["images.npy", "meta.json"]


@pytest.mark.parametrize("name", ["meta.json", "images.npy"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}", b"\x93NUMPY\x01\x00", None])
def test_a_damaged_pack_is_named(tmp_path, name, content):
    (tmp_path / "1.png").write_bytes(picture())
    packed(tmp_path, Folder(tmp_path))
    (pack,) = (tmp_path / ".dcl-packs").iterdir()
    whole = (pack / name).read_bytes()
    (pack / name).write_bytes(whole[:-9] if content is None else content)
    with pytest.raises(DataError, match=rf"{pack.name} is damaged.*delete it"):
        packed(tmp_path, Folder(tmp_path))
