"""The CelebA loader: official layout, partial sets, packs, and what is wrong with a file."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
from conftest import real_data
from PIL import Image

from dcl.data import DataError, celeba, pack
from dcl.data.celeba_annotation import read_attributes
from dcl.data.drawn.faces import ATTRIBUTES, draw_faces, draw_labels
from dcl_book import published

NAMES = [f"{number:06d}.jpg" for number in range(1, 13)]
SPLIT_OF = [0] * 8 + [1, 1, 2, 2]


@pytest.fixture
def root(tmp_path):
    """A CelebA of 12 drawn faces in the official layout."""
    labels = draw_labels(12, seed=1)
    (tmp_path / "img_align_celeba").mkdir()
    for name, image in zip(NAMES, draw_faces(labels, seed=1), strict=True):
        picture = Image.fromarray(image.transpose(1, 2, 0)).resize((178, 218))
        picture.save(tmp_path / "img_align_celeba" / name, quality=95)
    write_annotation(tmp_path, labels)
    return tmp_path


def write_annotation(root, labels, names=NAMES):
    rows = [
        f"{n} " + " ".join(f"{2 * v - 1:2d}" for v in row)
        for n, row in zip(names, labels, strict=True)
    ]
    lines = [str(len(rows)), " ".join(ATTRIBUTES) + " ", *rows]
    (root / celeba.ATTRIBUTE_FILE).write_text("\n".join(lines) + "\n")
    lines = [f"{n} {s}" for n, s in zip(names, SPLIT_OF, strict=True)]
    (root / celeba.PARTITION_FILE).write_text("\n".join(lines) + "\n")


def load(root, **options):
    return celeba.load(root, progress=False, **options)


def test_images_and_labels_are_those_of_the_files(root):
    data = load(root)
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 8,
        "val": 2,
        "test": 2,
    }
    labels = np.concatenate([split.labels for split in data.splits.values()])
    assert (labels == draw_labels(12, seed=1)).all()
    drawn = draw_faces(draw_labels(12, seed=1), seed=1).astype(float)
    images = np.concatenate([split.images for split in data.splits.values()])
    assert images.shape == (12, 3, 55, 47)
    assert abs(images - drawn).mean() < 8  # the same pictures after JPEG and scaling back
    assert data.title == "CelebA, 12 images at 178x218"


def test_a_zip_gives_the_same_as_its_folder(root, tmp_path_factory):
    zipped = tmp_path_factory.mktemp("zipped")
    with zipfile.ZipFile(zipped / "img_align_celeba.zip", "w") as archive:
        for name in NAMES:
            archive.write(root / "img_align_celeba" / name, f"img_align_celeba/{name}")
    write_annotation(zipped, draw_labels(12, seed=1))
    one, two = load(root), load(zipped)
    assert (one.splits["train"].images == two.splits["train"].images).all()
    assert one.fingerprint == two.fingerprint


def test_the_folder_above_is_found_too(root, tmp_path_factory):
    above = tmp_path_factory.mktemp("above")
    (above / "celeba").symlink_to(root)
    assert load(above).fingerprint == load(root).fingerprint


def test_kaggles_layout_gives_the_same(root):
    expected = load(root)
    deeper = root / "img_align_celeba" / "img_align_celeba"
    (root / "img_align_celeba").rename(root / "images")
    deeper.parent.mkdir()
    (root / "images").rename(deeper)
    for name, header in (
        (celeba.ATTRIBUTE_FILE, ["image_id", *ATTRIBUTES]),
        (celeba.PARTITION_FILE, ["image_id", "partition"]),
    ):
        lines = [line.split() for line in (root / name).read_text().splitlines()]
        rows = [line for line in lines if len(line) == len(header)]
        text = "\n".join(",".join(row) for row in [header, *rows])
        (root / name).with_suffix(".csv").write_text(text + "\n")
        (root / name).unlink()
    found = load(root)
    for name, split in expected.splits.items():
        assert (found.splits[name].images == split.images).all()
        assert (found.splits[name].labels == split.labels).all()
    attributes = root / "list_attr_celeba.csv"
    attributes.write_text(attributes.read_text().replace(",1,", ",2,", 1))
    with pytest.raises(DataError, match=r"list_attr_celeba\.csv, line 2 \(000001\.jpg\): .* is 2"):
        load(root)
    (root / "list_eval_partition.csv").write_text("image_id,partition\n000001.jpg,7\n")
    attributes.write_text(attributes.read_text().replace(",2,", ",1,", 1))
    with pytest.raises(DataError, match=r"list_eval_partition\.csv, line 2 .*: split 7"):
        load(root)


def test_a_pack_is_used_again_and_a_changed_source_or_crop_makes_a_new_one(root):
    def packs():
        return sorted((root / ".dcl-packs").iterdir())

    load(root)
    first = packs()
    stamp = (first[0] / "images.npy").stat().st_mtime_ns
    load(root)
    assert packs() == first
    assert (first[0] / "images.npy").stat().st_mtime_ns == stamp
    cropped = load(root, crop=0.8)
    assert len(packs()) == 2
    assert (cropped.splits["train"].images != load(root).splits["train"].images).any()
    Image.new("RGB", (178, 218)).save(root / "img_align_celeba" / NAMES[0])
    changed = load(root)
    assert len(packs()) == 3
    assert changed.splits["train"].images[0].max() < 10


def test_labels_and_splits_are_those_of_the_annotation_now(root, monkeypatch):
    before = load(root)
    write_annotation(root, 1 - draw_labels(12, seed=1))
    times = {path: path.stat().st_mtime_ns for path in root.iterdir()}
    after = load(root)
    assert len(list((root / ".dcl-packs").iterdir())) == 1  # the pixels are packed already
    for name, split in before.splits.items():
        assert (after.splits[name].labels == 1 - split.labels).all()
        assert (after.splits[name].images == split.images).all()
    assert after.fingerprint != before.fingerprint
    # the same file, read by other code
    monkeypatch.setattr(celeba, "read_attributes", lambda path: 1 - read_attributes(path))
    assert load(root).fingerprint == before.fingerprint
    assert times == {path: path.stat().st_mtime_ns for path in root.iterdir()}
    edit(celeba.PARTITION_FILE, f"{NAMES[0]} 0", f"{NAMES[0]} 2")(root)
    moved = load(root)
    assert moved.describe()["found"] == {"train": 7, "val": 2, "test": 3}
    assert (moved.splits["test"].images[0] == before.splits["train"].images[0]).all()
    assert moved.fingerprint != before.fingerprint


def test_the_fingerprint_is_the_hash_of_labels_and_images_that_records_hold(root):
    splits = load(root).splits.values()
    digest = hashlib.sha256(np.concatenate([split.labels for split in splits]).tobytes())
    digest.update(np.concatenate([split.images for split in splits]).tobytes())
    assert load(root).fingerprint == digest.hexdigest()[:16]


def test_files_of_several_sizes_are_titled_so(root):
    Image.new("RGB", (60, 70)).save(root / "img_align_celeba" / NAMES[0])
    assert load(root).title == "CelebA, 12 images at mixed sizes"


def test_a_partial_set_is_used_as_it_is_and_counted(root):
    (root / "img_align_celeba" / NAMES[2]).unlink()
    data = load(root)
    assert data.describe()["found"] == {"train": 7, "val": 2, "test": 2}
    assert data.describe()["expected"]["train"] == 162_770


def cut(path, keep=200):
    path.write_bytes(path.read_bytes()[:keep])


def edit(name, old, new):
    def apply(root):
        path = root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return apply


BROKEN = {
    "truncated image": (
        lambda root: cut(root / "img_align_celeba" / NAMES[3], 900),
        f"{NAMES[3]}: cannot be decoded",
    ),
    "no image at all": (
        lambda root: cut(root / "img_align_celeba" / NAMES[3], 0),
        f"{NAMES[3]}: is empty. Get them again",
    ),
    "no annotation": (
        lambda root: (root / celeba.ATTRIBUTE_FILE).unlink(),
        "is not CelebA: expected",
    ),
    "no partition": (
        lambda root: (root / celeba.PARTITION_FILE).unlink(),
        "missing .*partition.txt",
    ),
    "no images": (
        lambda root: (root / "img_align_celeba").rename(root / "images"),
        "missing .*img_align_celeba",
    ),
    "image without a row": (
        lambda root: (root / "img_align_celeba" / "000099.jpg").write_bytes(b"x"),
        "000099.jpg has no row",
    ),
    "wrong header": (edit(celeba.ATTRIBUTE_FILE, "Bald", "Bold"), r"line 2: .*Bold"),
    "no row count": (
        edit(celeba.ATTRIBUTE_FILE, "12\n", "\n"),
        "line 1: expected the number of rows",
    ),
    "cut short": (edit(celeba.ATTRIBUTE_FILE, "12\n", "13\n"), "declares 13 rows but 12 follow"),
    "wrong column count": (
        edit(celeba.ATTRIBUTE_FILE, f"{NAMES[1]} ", f"{NAMES[1]} 1 "),
        "line 4: expected an image name and 40 values, got 41",
    ),
    "wrong value": (
        edit(celeba.ATTRIBUTE_FILE, f"{NAMES[1]} -1", f"{NAMES[1]} 7"),
        rf"line 4 \({NAMES[1]}\): 5_o_Clock_Shadow is 7, expected -1 or 1",
    ),
    "no number": (
        edit(celeba.ATTRIBUTE_FILE, f"{NAMES[1]} -1", f"{NAMES[1]} x"),
        "line 4: a value is not a whole number",
    ),
    "two rows": (edit(celeba.ATTRIBUTE_FILE, NAMES[1], NAMES[0]), f"{NAMES[0]} has two rows"),
    "wrong split": (
        edit(celeba.PARTITION_FILE, "jpg 1", "jpg 3"),
        "line 9 .*: split 3, expected 0",
    ),
    "row without split": (
        edit(celeba.PARTITION_FILE, NAMES[1], "x.jpg"),
        f"no row for image {NAMES[1]}",
    ),
    "no test image": (
        lambda root: [(root / "img_align_celeba" / name).unlink() for name in NAMES[10:]],
        "no image of the test split",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_named(root, case):
    break_it, message = BROKEN[case]
    if case == "wrong value" or case == "no number":  # the first attribute's value is drawn
        labels = draw_labels(12, seed=1)
        labels[:, 0] = 0
        write_annotation(root, labels)
    break_it(root)
    with pytest.raises(DataError, match=message):
        load(root)
    assert not list(root.glob(".dcl-packs/*.part"))  # nothing half done is left


def test_a_folder_that_does_not_exist_says_where_celeba_comes_from(tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist.*download=True"):
        load(tmp_path / "nowhere")


def test_a_cut_zip_is_named(root):
    (root / "img_align_celeba").rename(root / "elsewhere")
    (root / "img_align_celeba.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DataError, match="not a complete zip file"):
        load(root)


def test_files_of_another_case_are_found(root):
    before = load(root).fingerprint
    for path in list((root / "img_align_celeba").iterdir()):
        path.rename(path.with_suffix(path.suffix.upper()))
    (root / "img_align_celeba" / "._000001.jpg").write_bytes(b"of a Mac")
    assert load(root).fingerprint == before


def test_a_full_disk_is_said_before_anything_is_decoded(root, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(pack.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=r"cannot write the pack .* No space left"):
        load(root)


def test_crop_out_of_range_is_named(root):
    with pytest.raises(DataError, match=r"\(0, 1\], got 0"):
        load(root, crop=0)


def test_the_annotation_file_gives_table_2s_imbalance_levels():
    path = real_data("celeba.zip")
    with zipfile.ZipFile(path) as archive:
        text = {
            name: archive.read(name).decode()
            for name in archive.namelist()
            if name.endswith(".txt")
        }
    attributes = np.loadtxt(
        io.StringIO(text["celeba/list_attr_celeba.txt"]),
        skiprows=2,
        usecols=range(1, 41),
        dtype=int,
    )
    split = np.loadtxt(io.StringIO(text["celeba/list_eval_partition.txt"]), usecols=1, dtype=int)
    rate = (attributes[split == 0] == 1).mean(0)
    ours = dict(zip(ATTRIBUTES, 100 * np.maximum(rate, 1 - rate) - 50, strict=True))
    assert (split == 0).sum() == 162_770
    for name, level in TABLE_2.items():
        assert abs(ours[name] - level) <= 1, name


TABLE_2 = published.table(2)["imbalance_level"]
