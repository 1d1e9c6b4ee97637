"""Broken images are named together, the others kept; copies of an image stay in one split."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcl.data import DataError, pack, table
from dcl.data.pack import open_pack
from dcl.data.sources import Folder
from dcl.data.table_images import joined

SIZE = (10, 8)


def grey(value: int, kind="PNG") -> bytes:
    Image.new("L", SIZE[::-1], value).save(file := io.BytesIO(), kind)
    return file.getvalue()


def opened(root: Path, **options):
    source = Folder(root / "images")
    names = sorted(source.names())
    return open_pack(root, source, names, size=SIZE, progress=False, **options)


@pytest.fixture
def root(tmp_path):
    """Thirty images, 10 to 39.png, each its number; three are broken, each in a way of its own."""
    (tmp_path / "images").mkdir()
    for number in range(10, 40):
        (tmp_path / "images" / f"{number}.png").write_bytes(grey(number))
    (tmp_path / "images" / "12.png").write_bytes(b"")
    (tmp_path / "images" / "20.png").write_bytes(grey(20)[:-30])
    (tmp_path / "images" / "30.png").unlink()
    (tmp_path / "images" / "30.png").symlink_to("nowhere.png")
    return tmp_path


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Names of the images that are decoded, as they are."""
    names, decode = [], pack.decode

    def counted(data, where, *arguments, **options):
        names.append(Path(where).name)
        return decode(data, where, *arguments, **options)

    monkeypatch.setattr(pack, "decode", counted)
    return names


def test_all_broken_images_are_named_at_once_with_what_is_wrong(root, decoded):
    for tried in (29, 31):  # one cannot even be read; the second time only the broken ones
        with pytest.raises(DataError) as caught:
            opened(root)
        lines = str(caught.value).splitlines()
        assert lines[0] == "3 of 30 images are broken:"
        assert lines[1].endswith("12.png: is empty")
        assert "20.png: cannot be decoded (" in lines[2]
        assert "30.png: cannot be read (No such file" in lines[3]
        assert lines[4] == "Get them again"
        assert len(decoded) == tried


def test_what_is_decoded_is_kept_and_only_what_changed_is_decoded_again(root, decoded):
    with pytest.raises(DataError, match="3 of 30"):
        opened(root)
    decoded.clear()
    (root / "images" / "12.png").write_bytes(grey(12))
    (root / "images" / "11.png").write_bytes(grey(99))  # a good one that is another now
    with pytest.raises(DataError, match="2 of 30"):
        opened(root)
    assert sorted(decoded) == ["11.png", "12.png", "20.png"]
    decoded.clear()
    for number in (20, 30):
        (root / "images" / f"{number}.png").unlink()
        (root / "images" / f"{number}.png").write_bytes(grey(number))
    whole = opened(root)
    assert sorted(decoded) == ["20.png", "30.png"]
    assert whole.images[:, 0, 0, 0].tolist() == [10, 99, *range(12, 40)]
    assert [path.name for path in (root / ".dcl-packs").iterdir()] == [
        path.name for path in (root / ".dcl-packs").glob("*") if not (path / "kept.json").exists()
    ]
    elsewhere = root / "elsewhere"
    (root / "images").rename(elsewhere)
    source = Folder(elsewhere)
    afresh = open_pack(elsewhere, source, sorted(source.names()), size=SIZE, progress=False)
    assert afresh.content == whole.content


def test_an_image_that_can_be_read_later_is_not_broken_any_more(root, decoded):
    with pytest.raises(DataError, match="3 of 30"):
        opened(root)
    (root / "images" / "nowhere.png").write_bytes(grey(30))  # the link leads there
    (root / "images" / "nowhere.png").rename(root / "images" / "nowhere.bin")
    (root / "images" / "30.png").unlink()
    (root / "images" / "30.png").symlink_to("nowhere.bin")
    decoded.clear()
    with pytest.raises(DataError, match="2 of 30"):
        opened(root)
    assert len(decoded) == 3


def test_a_right_to_read_that_comes_later_is_seen(root, monkeypatch):
    read = Folder.read

    def denied(self, name):
        raise DataError(f"{self.where(name)}: cannot be read (Permission denied)")

    monkeypatch.setattr(Folder, "read", lambda s, n: (denied if n == "11.png" else read)(s, n))
    with pytest.raises(DataError, match="4 of 30"):
        opened(root)
    monkeypatch.setattr(Folder, "read", read)
    assert list(opened(root, skip_broken=True).broken) == ["12.png", "20.png", "30.png"]
    assert len(list((root / ".dcl-packs").iterdir())) == 1


def of_more_values(kept: str) -> str:
    """A note of what was kept, as it may look when another program wrote it."""
    noted = json.loads(kept)
    for _, _, values in noted["files"].values():
        values.insert(0, 0)
    return json.dumps(noted)


@pytest.mark.parametrize("damage", [lambda kept: '{"how": 1', of_more_values])
def test_a_damaged_pack_with_broken_images_is_decoded_anew(root, decoded, damage):
    with pytest.raises(DataError, match="3 of 30"):
        opened(root)
    (kept,) = (root / ".dcl-packs").glob("*/kept.json")
    kept.write_text(damage(kept.read_text()))
    decoded.clear()
    (root / "images" / "12.png").write_bytes(grey(12))
    with pytest.raises(DataError, match="2 of 30"):
        opened(root)
    assert len(decoded) == 29


def test_of_many_broken_images_twenty_are_named_and_a_file_lists_all(root):
    for number in range(10, 35):
        (root / "images" / f"{number}.png").unlink()
        (root / "images" / f"{number}.png").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        opened(root)
    assert str(caught.value).count("cannot be decoded") == 20
    assert "and 5 more: " in str(caught.value)
    listed = (root / ".dcl-packs" / "broken.txt").read_text().splitlines()
    assert [line.split(":")[0][-6:] for line in listed] == [f"{n}.png" for n in range(10, 35)]


def test_a_pack_may_be_had_without_the_broken_images(root):
    made = opened(root, skip_broken=True)
    assert list(made.broken) == ["12.png", "20.png", "30.png"]
    values = [0 if n in (12, 20, 30) else n for n in range(10, 40)]
    assert made.images[:, 0, 0, 0].tolist() == values
    with pytest.raises(DataError, match="3 of 30"):
        opened(root)


def written(root: Path, split=None, labels=None) -> Path:
    names = sorted(path.name for path in (root / "images").iterdir())
    labels = labels or [number % 2 for number in range(len(names))]
    rows = ["path,a" + ",split" * bool(split)]
    for number, name in enumerate(names):
        rows.append(f"{name},{labels[number]}" + (f",{split[number]}" if split else ""))
    (root / "my.csv").write_text("\n".join(rows))
    return root / "my.csv"


def loaded(root: Path, path: Path, **options):
    return table.load(path, images=root / "images", size=SIZE, progress=False, **options)


def test_a_tables_broken_images_are_an_error_or_left_out_and_counted(root):
    path = written(root)
    with pytest.raises(DataError, match=r"3 of 30 [\s\S]*12.png \(my.csv, row 4\): is empty"):
        loaded(root, path)
    with pytest.raises(DataError, match="leave them out by --skip-broken true"):
        loaded(root, path)
    data = loaded(root, path, skip_broken=True)
    assert sum(len(split) for split in data.splits.values()) == 27
    for split in data.splits.values():  # each image has its own label still
        assert (split.images[:, 0, 0, 0] % 2 == split.labels[:, 0]).all()
    assert any("3 of 30 images are broken and left out" in note for note in data.facts["notes"])
    assert data.title.startswith("my, 27 images at 8x10")


@pytest.fixture
def copied(tmp_path):
    """Forty images, every one twice: 10.png to 49.png, a10.png to a49.png."""
    (tmp_path / "images").mkdir()
    for number in range(10, 50):
        for name in (f"{number}.png", f"a{number}.png"):
            (tmp_path / "images" / name).write_bytes(grey(number))
    return tmp_path


def notes_of(data, words: str) -> list[str]:
    return [note for note in data.facts["notes"] if words in note]


def test_copies_are_in_one_split_where_we_draw_it(copied):
    labels = [number % 2 for number in range(40)] * 2
    data = loaded(copied, written(copied, labels=labels))
    seen = [set(split.images[:, 0, 0, 0].tolist()) for split in data.splits.values()]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 40
    (note,) = notes_of(data, "byte for byte")
    assert note.startswith(
        "40 pictures come more than once, byte for byte, in 80 rows, each in one"
    )
    assert "10.png = a10.png" in note


def test_copies_in_two_given_splits_and_of_two_labels_are_counted_by_name(copied):
    split = ["train"] * 40 + (["train"] * 30 + ["val"] * 5 + ["test"] * 5)
    labels = [number % 2 for number in range(40)] * 2
    labels[0], labels[30], labels[31] = 1 - labels[0], 1 - labels[30], 1 - labels[31]
    data = loaded(copied, written(copied, split, labels))
    assert len(notes_of(data, "40 pictures come more than once")) == 1
    (cut,) = notes_of(data, "warning: 10 pictures are in more than one split")
    assert "40.png (train) = a40.png (val)" in cut
    (torn,) = notes_of(data, "warning: 3 pictures have one label in one row and another")
    assert "10.png = a10.png" in torn


def test_groups_are_joined_with_copies():
    groups, copies = np.array([3, 3, 5, 7, 8]), np.array([0, 1, 1, 2, 4])
    assert joined(groups, copies).tolist() == [0, 0, 0, 1, 2]
    assert joined(None, copies).tolist() == [0, 1, 1, 2, 3]
    assert joined(groups, np.arange(5)) is groups
    assert joined(None, np.arange(5)) is None


def test_the_title_and_a_note_give_the_size_after_resizing(copied):
    path = written(copied, labels=[number % 2 for number in range(40)] * 2)
    data = table.load(path, images=copied / "images", size=(5, 4), progress=False)
    assert data.title == "my, 80 images at 4x5, scaled from 8x10"
    assert notes_of(data, "the network is given 4x5, scaled from 8x10 pixels")
    Image.new("L", (9, 9)).save(copied / "images" / "10.png")
    data = table.load(path, images=copied / "images", size=(5, 4), progress=False)
    assert data.title == "my, 80 images at 4x5, scaled from mixed sizes"


def test_what_lies_behind_transparent_pixels_can_be_chosen(copied):
    for path in (copied / "images").iterdir():
        Image.new("LA", SIZE[::-1], (0, int(path.stem[-2:]))).save(path)
    path = written(copied, labels=[number % 2 for number in range(40)] * 2)
    white, grey_one = loaded(copied, path), loaded(copied, path, background=(100, 100, 100))
    assert white.splits["train"].images.min() > 255 - 50
    assert grey_one.splits["train"].images.max() <= 100
    assert white.fingerprint != grey_one.fingerprint
