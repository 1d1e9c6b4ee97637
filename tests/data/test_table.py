"""Tables of images or features: what a person writes is understood, or refused at its place."""

import csv
import io
import math
import re
import struct
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from files import grey, write
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat
from test_pedestrian_annotation import peta_fields

from dcl.data import DataError, pedestrians, table
from dcl.data.drawn.face_table import COLUMNS, write_faces
from dcl.data.drawn.faces import ATTRIBUTES, draw_faces, draw_labels
from dcl.data.stratify import TooRareError, stratify
from dcl.data.table_file import Table, read_table
from dcl.data.table_labels import attribute_of
from dcl.experiment import datasets
from dcl.experiment.run import run

SIZE = (10, 8)


def tried(call, kind: type[Exception]):
    """What a call returns, or the error of this kind that it raises; no other may come out."""
    try:
        return call(), None
    except kind as error:
        return None, error


def of_images(folder: Path, columns: dict[str, list], count=12, **options):
    """The data set of `count` grey images, each its number, with these columns beside the path."""
    for number in range(count):
        grey(folder / f"{number}.png", number)
    columns = {"path": [f"{number}.png" for number in range(count)]} | columns
    write(folder / "my.csv", [list(columns), *zip(*columns.values(), strict=True)])
    return table.load(folder / "my.csv", size=SIZE, progress=False, **options)


SPLIT = ["train"] * 6 + ["val"] * 3 + ["test"] * 3
TWO = [0, 1, 0] * 4


def everything(data) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the images and their labels, over all splits."""
    images = np.concatenate([split.images[:, 0, 0, 0] for split in data.splits.values()])
    return images, np.concatenate([split.labels for split in data.splits.values()])


def test_labels_of_every_kind_splits_and_unknown_cells_are_understood(tmp_path):
    columns = {
        "split": ["Training", "train", "TRAIN"] * 2 + ["valid", "dev", "val"] + ["test"] * 2
        + ["testing"],
        "number": [0, 1, 2, 0, 1, 2, 0, 1, "", "NaN", "2.0", 1],
        "truth": ["True", "false", "TRUE", "", "true", "False", "true", "true", "", "", "", ""],
        "answer": ["yes", "No", "no"] * 4,
        "hair": ["brown", "black", "blond", "", "brown", "-1"] * 2,
        "opinion": ["yes", "no", "partly"] * 4,
    }  # fmt: skip
    data = of_images(tmp_path, columns)
    assert data.attributes == ("number", "truth", "answer", "hair", "opinion")
    assert data.classes == (3, 2, 2, 3, 3)
    images, labels = everything(data)
    assert images.tolist() == list(range(12))  # each split in the order of the table
    assert labels[:, 0].tolist() == [0, 1, 2, 0, 1, 2, 0, 1, -1, -1, 2, 1]
    assert labels[:, 1].tolist() == [1, 0, 1, -1, 1, 0, 1, 1, -1, -1, -1, -1]
    assert labels[:, 2].tolist() == [1, 0, 0] * 4
    assert labels[:, 3].tolist() == [2, 0, 1, -1, 2, -1] * 2
    assert labels[:, 4].tolist() == [2, 0, 1] * 4
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 6, "val": 3, "test": 3,
    }  # fmt: skip
    assert data.facts["class_names"]["hair"] == ("black", "blond", "brown")
    assert data.facts["notes"][:7] == [
        "12 rows of my.csv, split by the column split",
        "hair: 3 classes, 'black', 'blond', 'brown'",
        "opinion: 3 classes, 'no', 'partly', 'yes'",
        "labels, for none is named: 'number', 'truth', 'answer', 'hair', 'opinion'",
        "number: 2 of 12 labels unknown (1 empty, 1 'NaN')",
        "truth: 5 of 12 labels unknown (5 empty)",
        "hair: 4 of 12 labels unknown (2 empty, 2 '-1')",
    ]
    assert all(": no val row is" in x or ": no test row is" in x for x in data.facts["notes"][7:])
    assert data.name == "table-my"
    assert data.title == "my, 12 images at 8x10"


def test_columns_called_label_are_the_labels_and_others_are_left_out_and_named(tmp_path):
    data = of_images(
        tmp_path, {"label_a": TWO, "age": [30.5] * 12, "label": TWO[::-1], "note": ["x"] * 12},
        ignore=["note"],
    )  # fmt: skip
    assert data.attributes == ("a", "label")
    assert data.facts["notes"][1] == "columns left out: age, note"
    assert data.classes == 2
    named = of_images(tmp_path, {"label_a": TWO, "b": TWO}, labels=["b"])
    assert named.attributes == ("b",)
    assert named.class_names == ("0", "1")


def test_the_random_split_is_seeded_and_has_every_class_in_each_part(tmp_path):
    columns = {"rare": [1, 1, 1] + [0] * 37, "kind": ["a", "b", "c", ""] * 10}
    first = of_images(tmp_path, columns, 40)
    again, other = of_images(tmp_path, columns, 40), of_images(tmp_path, columns, 40, split_seed=1)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    for split in first.splits.values():
        assert set(split.labels[:, 0]) == {0, 1}
        assert {0, 1, 2} <= set(split.labels[:, 1])
    assert "split at random (70 %, 15 %, 15 %) with seed 0" in first.facts["notes"][0]
    with pytest.raises(DataError, match="split_seed must be 0 or more, got -1"):
        of_images(tmp_path, columns, 40, split_seed=-1)


@given(st.data())
def test_a_split_keeps_the_share_of_every_class(data):
    seed = data.draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    count = data.draw(st.integers(30, 300))
    labels = np.stack(
        [rng.choice(size, count, p=rng.dirichlet(np.full(size, 2.0))) for size in (2, 3, 2)], 1
    )
    labels[rng.random(labels.shape) < 0.2] = -1
    parts, error = tried(lambda: stratify(labels, (0.7, 0.15, 0.15), seed), TooRareError)
    if error:
        assert (labels[:, error.attribute] == error.label).sum() == error.rows < 12
        return
    assert (parts == stratify(labels, (0.7, 0.15, 0.15), seed)).all()
    for column in labels.T:
        for label in set(column.tolist()) - {-1}:
            found = np.bincount(parts[column == label], minlength=3)
            assert (found > 0).all()
            wanted = (column == label).sum() * np.array([0.7, 0.15, 0.15])
            assert (abs(found - wanted) < 6 + 0.05 * wanted).all()


def test_drawn_faces_come_back_as_they_were_written(tmp_path):
    path = write_faces(tmp_path, 60, unknown=0.2)
    data = table.load(path, images=tmp_path / "images", size=(55, 47), progress=False)
    truth, faces = draw_labels(60), draw_faces(draw_labels(60), difficulty=0.5)
    by_image = {face.tobytes(): row for row, face in enumerate(faces)}
    for split in data.splits.values():
        rows = [by_image[face.tobytes()] for face in split.images]
        for place, name in enumerate(data.attributes[:-1]):
            column = truth[rows, ATTRIBUTES.index(COLUMNS[name][0])]
            known = split.labels[:, place] >= 0
            assert (split.labels[known, place] == column[known]).all()
    assert data.classes == (2, 2, 2, 2, 3)
    unknown = data.unknown_labels()
    assert 0 < unknown["smiling"] < 30 < unknown["hair"] + 10
    with pytest.raises(ValueError, match="unknown must lie in"):
        write_faces(tmp_path, 2, unknown=1)


def test_petas_annotation_as_a_table_gives_the_arrays_of_its_loader(tmp_path):
    savemat(tmp_path / "PETA.mat", {"peta": peta_fields()})
    for row in range(20):
        grey(tmp_path / "images" / f"{row + 1:05d}.png", 10 * row)
    theirs = pedestrians.load_peta(tmp_path, partition=2, size=SIZE, progress=False)
    ours = table.load(
        peta_as_table(tmp_path, partition=2), images=tmp_path / "images", size=SIZE, progress=False
    )
    same_arrays(ours, theirs)


def peta_as_table(root: Path, partition: int) -> Path:
    annotation = pedestrians.read_peta(
        root / "PETA.mat", suffix=".png" if (root / "images" / "00001.png").is_file() else ".jpg"
    )
    rows = [["path", "split", *annotation.attributes]]
    for split, places in annotation.partitions[partition - 1].items():
        rows += [[annotation.images[i], split, *annotation.labels[i].tolist()] for i in places]
    return write(root / "peta.csv", rows)


def same_arrays(ours, theirs) -> None:
    assert ours.attributes == theirs.attributes
    assert ours.classes == theirs.classes
    for name, split in theirs.splits.items():
        assert (ours.splits[name].images == split.images).all()
        assert (ours.splits[name].labels == split.labels).all()


def test_petas_annotation_as_a_table_gives_the_record_of_its_loader(tmp_path):
    savemat(tmp_path / "PETA.mat", {"peta": peta_fields()})
    (tmp_path / "images").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 10, 3), dtype=np.uint8)
    for row, pixels in enumerate(noise, 1):
        Image.fromarray(pixels).save(tmp_path / "images" / f"{row:05d}.png")
    shared = {"epochs": 2, "batch_size": 5, "lr": 0.1}
    places = {"results": str(tmp_path / "runs")}
    theirs = run(
        datasets.Pedestrians(
            dataset="peta", data_root=str(tmp_path), height=32, **shared, **places
        ),
        show=False,
    )
    path = str(peta_as_table(tmp_path, partition=1))
    ours = run(
        datasets.Table(
            data_root=path, images=str(tmp_path / "images"), height=32, width=16, **shared, **places
        ),
        show=False,
    )
    for row in ours["test"]["per_attribute"].values():
        assert row.pop("positive") == "1"
    same(ours["test"], theirs["test"] | {"groups": {}})
    same(
        [row["classification"] for row in ours["history"]],
        [row["classification"] for row in theirs["history"]],
    )


def same(one, other) -> None:
    """Equal, where NaN is equal to NaN."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            same(first, second)
    else:
        nan = isinstance(one, float) and math.isnan(one)
        assert (nan and math.isnan(other)) or one == other


def test_images_may_lie_in_folders_or_in_a_zip(tmp_path):
    for number in range(12):
        grey(tmp_path / "all" / str(number % 2) / f"{number}.png", number)
    grey(tmp_path / "all" / "more.png", 99)
    rows = [["file", "a"]] + [
        [f".\\{number % 2}\\{number}.png" if number % 3 else f"{number % 2}/{number}.png", n]
        for number, n in enumerate(TWO)
    ]
    path = write(tmp_path / "my.csv", rows)
    loose = table.load(path, images=tmp_path / "all", size=SIZE, progress=False)
    assert "1 image in all without a row" in loose.facts["notes"]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in (tmp_path / "all").rglob("*.png"):
            archive.write(file, file.relative_to(tmp_path))
    packed = table.load(path, images=tmp_path / "all.zip", size=SIZE, progress=False)
    assert (everything(loose)[0] == everything(packed)[0]).all()
    assert sorted(everything(loose)[0].tolist()) == list(range(12))


def test_labels_are_those_of_the_table_now(tmp_path):
    first = of_images(tmp_path, {"a": TWO, "split": SPLIT})
    turned = [1 - value for value in TWO]
    second = of_images(tmp_path, {"a": turned, "split": SPLIT})
    assert everything(second)[1][:, 0].tolist() == turned
    assert first.fingerprint != second.fingerprint
    words = ["red" if value else "blue" for value in TWO]  # the same numbers, of other classes
    assert of_images(tmp_path, {"a": words, "split": SPLIT}).fingerprint != first.fingerprint


def test_features_are_standardised_by_the_training_rows(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal([1e6, -3, 5], [1e3, 0.1, 0], (12, 3))
    values[9:, 2] = 6  # the same in all training rows: left out
    rows = [["f1", "label", "f2", "split", "f3"]] + [
        [a, "xyy"[i % 3], b, split, c]
        for i, ((a, b, c), split) in enumerate(zip(values, SPLIT, strict=True))
    ]
    data = table.load(write(tmp_path / "my.tsv", rows, "\t"), progress=False)
    train = values[:6, :2]
    for name, part in (("train", slice(0, 6)), ("val", slice(6, 9)), ("test", slice(9, 12))):
        found = data.splits[name].images
        assert found.dtype == np.float32
        expected = (values[part, :2] - train.mean(0)) / train.std(0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert data.facts["features"]["names"] == ["f1", "f2"]
    assert data.augment is None
    assert data.title == "my, 12 rows of 2 features"
    np.testing.assert_allclose(data.facts["features"]["mean"], train.mean(0))


def test_parquet_gives_what_csv_gives(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    columns = {
        "label_a": [True, False, None] * 4, "label_b": ["x", "y", None] * 4,
        "label_c": [0.0, 1.0, None] * 4, "f": [n / 3 for n in range(12)], "split": SPLIT,
    }  # fmt: skip
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), tmp_path / "my.parquet")
    rows = [
        ["" if cell is None else cell for cell in row]
        for row in zip(*columns.values(), strict=True)
    ]
    write(tmp_path / "my.csv", [list(columns), *rows])
    one, two = (table.load(tmp_path / f"my.{kind}") for kind in ("parquet", "csv"))
    for name, split in one.splits.items():
        assert (split.images == two.splits[name].images).all()
        assert (split.labels == two.splits[name].labels).all()
    assert one.fingerprint != ""
    parquet.write_table(pyarrow.table(columns | {"f": [[1]] * 12}), tmp_path / "bad.parquet")
    with pytest.raises(DataError, match=r"bad\.parquet, column 'f': holds list<"):
        table.load(tmp_path / "bad.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "my.parquet").read_bytes()[:300])
    with pytest.raises(DataError, match=r"cut\.parquet: is no readable Parquet file"):
        table.load(tmp_path / "cut.parquet")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "my.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"my\.parquet: .*not installed: pip install pyarrow"):
        table.load(tmp_path / "my.parquet")


WRONG_LABELS = [
    ([0, 1, -2], r"row 4, column 'a': got '-2', expected a class: a whole number from 0"),
    ([0, 1, "?"], r"row 4, column 'a': got '\?': leave the cell empty .* --codes \"\?=unknown\""),
    ([0, 1, "inf"], "row 4, column 'a': got 'inf': leave"),
    ([0, 1, "0.5"], "row 4, column 'a': got '0.5', expected a class"),
    ([0, 1, "yes"], "row 4, column 'a': got 'yes' among whole numbers: a column holds values of"),
    (["no", "true", "yes"], "row 3, column 'a': got 'true' among yes and no"),
    ([1, "red", "blue"], "row 2, column 'a': got '1' among words"),
    (["red", "blue", "Red"], "row 4, column 'a': got 'Red', spelt 'red' in row 2"),
    ([1, 1, 1], "column 'a': every label that is known is '1': two classes at least are needed"),
    ([1, -1, 1], "row 3, column 'a': got '-1' in a column that has 1 as well: .* --codes"),
    ([0, 0, 0], "column 'a': every label that is known is '0': two classes at least"),
    (["", "", ""], "column 'a': every label is unknown: two classes at least"),
]


@pytest.mark.parametrize(("cells", "message"), WRONG_LABELS)
def test_a_label_that_cannot_be_is_named_at_its_place(tmp_path, cells, message):
    with pytest.raises(DataError, match=rf"my\.csv, {message}"):
        of_images(tmp_path, {"a": cells * 4})


def test_a_class_that_validation_or_test_lacks_is_said(tmp_path):
    data = of_images(tmp_path, {"split": SPLIT, "a": [0, 1] * 3 + [0, 0, 0, 0, 1, 0]})
    assert data.facts["notes"][1:] == [
        "a: no val row is '1': epochs and thresholds are chosen by the other classes"
    ]


PATHS = [
    ("", r"row 3, column 'path': is empty, expected the path of an image"),
    ("/etc/1.png", "row 3, column 'path': got '/etc/1.png', which leads outside"),
    ("../1.png", "row 3, .* which leads outside: expected a path below the folder of images"),
    ("a/../../1.png", "row 3, .* leads outside"),
    ("C:\\1.png", "row 3, .* leads outside"),
    ("0.png", "row 3, column 'path': 0.png is the image of row 2 already"),
    ("./0.png", "row 3, column 'path': 0.png is the image of row 2 already"),
    ("notes.txt", "row 3, column 'path': got 'notes.txt', expected an image file: .jpg"),
    ("none.png", r"row 3, column 'path': no image none.png in .*\. 1 of 12 rows have none"),
]


@pytest.mark.parametrize(("name", "message"), PATHS)
def test_a_path_that_cannot_be_is_named_at_its_place(tmp_path, name, message):
    names = ["0.png", name, *(f"{n}.png" for n in range(2, 12))]
    with pytest.raises(DataError, match=rf"my\.csv, {message}"):
        of_images(tmp_path, {"path": names, "a": TWO})


def test_a_broken_or_giant_image_is_named_with_its_row(tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0))
    of_images(tmp_path, {"a": TWO})
    for content, problem in (
        (
            b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
            "has more pixels",
        ),
        (b"no image", "cannot be decoded"),
    ):
        (tmp_path / "3.png").write_bytes(content)
        with pytest.raises(DataError, match=rf"3\.png \(my\.csv, row 5\): {problem}"):
            table.load(tmp_path / "my.csv", size=SIZE, progress=False)


TABLES = [
    ("path|a\n0.png|1\n", "row 1: expected two column names or more with a comma, semicolon or "
     "tab between, got 'path|a'. Is '|' between them"),
    ("path,a\n0.png,1,2\n", "row 2: 3 cells, expected 2 as in the row of column names"),
    ("path,a\n0.png\n", "row 2: 1 cell, expected 2"),
    ("x,label\n1,2,0\n", "needs quotes around it, and row names, as R writes them, a column name"),
    ("f,label\nr,cat\n\ufefff,label\n", "row 3: has the column names again, as files that were"),
    ("\x00x\x00,\x00y\n", "is no UTF-8 text, but UTF-16 by its look. Save it as CSV"),
    ('path,a\n"0.png,1\n', "row 2: cannot be read"),
    ("path,a,a\n0.png,1,1\n", "row 1: two columns are called 'a'"),
    ("path,,a\n0.png,1,1\n", "column 'Unnamed: 1': has no name"),
    ("path,a\n", "there is no row below the column names"),
    ("", "row 1: expected two column names or more with a comma, semicolon or tab between, got "
     "nothing"),
    ("path,split\n0.png,train\n", "no column of labels"),
    ("path,image,a\n0.png,0.png,1\n", "columns path and image may each be the path: name all but"),
    ("x,y\n1,2\n", "no column of labels: call them label_..., or name them by `labels`"),
    ("label_x,label_y\n1,0\n0,1\n", "no column of features and none of images"),
    ("x,label\n1,0\n,1\n1,1\n", "row 3, column 'x': is empty, expected a finite number"),
    ("x,label\n1,0\nnan,1\n1,1\n", "row 3, column 'x': got 'nan', expected a finite number"),
    ("x,label\n1,0\n1e999,1\n1,1\n", "row 3, column 'x': got '1e999', expected a finite number"),
    ("x,label\n1,0\n1_0,1\n1,1\n", "row 3, column 'x': got '1_0', expected a finite number"),
    ('x,label\n1,0\n"1,5",1\n1,1\n', "row 3, column 'x': got '1,5', expected a finite number"),
    ("x,label,split\n1,0,train\n2,1,train\n3,1,dev\n4,1,eval\n", "row 5, column 'split': got "
     "'eval', expected one of train, training, val, valid, validation, dev, development, "
     "validate, test"),
    ("x,label,split\n1,0,train\n2,1,train\n3,1,\n4,1,test\n", "row 4, column 'split': is empty"),
    ("x,label,split\n1,0,train\n2,1,train\n3,1,val\n4,1,val\n", "column 'split': no row is test"),
    ("x,label,split\n1,0,train\n2,0,train\n5,1,val\n4,1,test\n", "no training row has the class "
     "'1' of label"),
    ("x,label\n" + "1,0\n" * 9 + "2,1\n" * 2, "the class '1' of label has 2 rows, too few for "
     "train, val and test"),
    ("x,label\n" + "".join(f"{n},w{n}\n" for n in range(9)), "9 words in 9 rows are no classes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), TABLES)
def test_a_table_that_cannot_be_used_says_where_and_why(tmp_path, text, message):
    grey(tmp_path / "0.png", 0)
    (tmp_path / "my.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        table.load(tmp_path / "my.csv", size=SIZE, progress=False)
    assert re.match(r".*/my\.csv[,:] ", str(caught.value))
    assert message in str(caught.value)


def test_files_that_are_no_table_are_named(tmp_path):
    (tmp_path / "my.xlsx").write_bytes(b"PK")
    (tmp_path / "utf16.csv").write_text("path,a\n0.png,1\n", encoding="utf-16")
    (tmp_path / "folder.csv").mkdir()
    for name, message in (
        ("my.xlsx", r"a file that ends in \.csv, \.tsv, \.parquet"),
        ("utf16.csv", "is no UTF-8 text"),
        ("folder.csv", "is a folder"),
        ("none.csv", "is missing"),
    ):
        with pytest.raises(DataError, match=rf"{name}.*{message}"):
            table.load(tmp_path / name)
    path = write(tmp_path / "my.csv", [["path", "a"], ["0.png", 1], ["1.png", 0]])
    for options, message in (
        ({"labels": ["b"]}, "labels names 'b', but the columns are path, a"),
        ({"ignore": ["path"], "images": tmp_path}, "no column names the images: call it path,"),
        ({"images": tmp_path / "none"}, "missing .*none/: it is to hold the images of"),
        ({"images": tmp_path / "none.zip"}, r"missing .*none\.zip: it is to hold"),
    ):
        with pytest.raises(DataError, match=message):
            table.load(path, **options)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_commas_semicolons_and_tabs_are_read(tmp_path, mark, ending):
    """As spreadsheets write them: semicolons, where a comma is the decimal point."""
    rows = [["x", "tone, skin" if mark != "," else "tone", "label_tags"],
            *([f"{n}.5", "low, mid" if n % 3 and mark != "," else "low", ("cat|dog", "cat")[n % 2]]
              for n in range(40))]  # fmt: skip
    (tmp_path / f"my{ending}").write_text("".join(f"{mark.join(row)}\n" for row in rows))
    found = read_table(tmp_path / f"my{ending}")
    assert list(found.columns) == rows[0]
    assert found.columns["x"][:2] == ["0.5", "1.5"]
    assert found.columns["label_tags"][:2] == ["cat|dog", "cat"]
    assert found.separator == mark


def test_commas_in_lists_between_semicolons_are_asked_about(tmp_path):
    rows = [f"{n % 7};{('cat,dog', 'cat', 'cow')[n % 3]}" for n in range(40)]
    (tmp_path / "my.csv").write_text("\n".join(["x;label", *rows]))
    with pytest.raises(DataError, match='looks like 2 labels: say by --separator ","'):
        table.load(tmp_path / "my.csv")
    data = table.load(tmp_path / "my.csv", separator=",")
    assert data.attributes == ("cat", "cow", "dog")


def test_decimal_commas_are_refused_with_the_line_that_mends_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n % 7},{n % 5};{n % 2}" for n in range(40)]
    Path("my.csv").write_text("\n".join(["x;label", *rows]))
    with pytest.raises(DataError, match="row 2, column 'x': got '0,0', expected a finite") as got:
        table.load("my.csv")
    line = re.search(r"in Python: (.*?\))\. ", str(got.value))[1]
    exec(line, {})
    assert read_table(Path("my-points.csv")).columns["x"][:2] == ["0.0", "1.1"]
    assert table.load("my-points.csv").attributes == ("label",)


def test_the_line_that_mends_commas_keeps_all_other_cells(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [["1,5", "007", "2,25", "NA", "a,b"], ["-2,5", "012", "3,5", "", "c"]] * 20
    write(Path("my.csv"), [["x", "code", "y", "note", "t"], *rows], ";")
    exec(read_table(Path("my.csv")).with_points("x").split("in Python: ")[1].rstrip(". "), {})
    cells = [cell.replace(",", ".") if cell[-1:] == "5" else cell for row in rows for cell in row]
    found = read_table(Path("my-points.csv")).columns
    assert [cell for row in zip(*found.values(), strict=True) for cell in row] == cells


@pytest.mark.parametrize(
    "cells", [["1.234", "987", "2.345", "650", "12.500", "310"], ["1.234.567"]]
)
def test_points_that_part_thousands_are_asked_about(cells, tmp_path):
    path = write(tmp_path / "my.csv", [["x", "label"], *zip(cells * 40, TWO * 20, strict=False)])
    with pytest.raises(DataError, match="row 2, column 'x': got '1.234.*Take out the p") as caught:
        table.load(path)
    exec(re.search(r"in Python: (.*?\))\. ", str(caught.value))[1], {})
    found = read_table(tmp_path / "my-points.csv").columns["x"]
    assert found[: len(cells)] == [cell.replace(".", "") for cell in cells]


@pytest.mark.parametrize(
    "cells",
    [
        ["1.333", "2", "2.667", "3", "1.667"],
        ["1.234", "2.125"],
        ["120.333", "121", "9.125"],
        ["1.234", "987", "2.345", "0.5"],
    ],
)
def test_points_of_decimals_are_no_question(cells, tmp_path):
    path = write(tmp_path / "my.csv", [["x", "label"], *zip(cells * 20, TWO * 20, strict=False)])
    assert table.load(path).facts["features"]["names"] == ["x"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("column", ["x", "label"])
def test_decimal_commas_are_mended_in_features_and_labels_between_any_marks(column, mark, tmp_path):
    """As pandas writes them with decimal=','."""
    rows = [[f"{0.37 * n:.3f}", f"{n % 2}", "é"] for n in range(40)]
    place = ["x", "label"].index(column)
    for row in rows:
        row[place] = f"{float(row[place])}".replace(".", ",")
    path = write(tmp_path / "my.csv", [["x", "label", "town"], *rows], mark)
    with pytest.raises(DataError, match=r"(got '0,0'|number with a comma)") as caught:
        table.load(path)
    assert '--separator ","' not in str(caught.value)
    exec(re.search(r"in Python: (.*?\))\. ", str(caught.value))[1], {})
    data = table.load(tmp_path / "my-points.csv")
    assert data.class_names in (("0", "1"), ("0.0", "1.0"))
    assert len(data.splits["train"]) == 28


def test_a_comma_between_thousands_is_no_decimal_one(tmp_path):
    rows = [[f"{n % 7 + 1},{500 + n % 9}", n % 2] for n in range(40)]
    path = write(tmp_path / "my.csv", [["x", "label"], *rows])
    with pytest.raises(DataError, match=r"\(with '' for '.', if the commas part thousands"):
        table.load(path)
    rows = [[f"{n % 7 + 1},500,{500 + n % 9}", n % 2] for n in range(40)]
    with pytest.raises(DataError, match=r"read_csv\(.*replace\('\[,\]', '', regex"):
        table.load(write(tmp_path / "my.csv", [["x", "label"], *rows]))


@pytest.mark.parametrize("line", ["a;b, c;d", '"a";"b, c";"d"', '"b, c";a;d'])
def test_a_comma_in_a_column_name_is_not_what_is_between_the_cells(tmp_path, line):
    (tmp_path / "my.csv").write_text(f"{line}\n1;2;3\n")
    assert len(read_table(tmp_path / "my.csv").columns) == 3
    (tmp_path / "my.csv").write_text("Höhe, m;Breite, m;c\n1,5;2,5;0\n", "utf-8")
    assert list(read_table(tmp_path / "my.csv").columns) == ["Höhe, m", "Breite, m", "c"]
    (tmp_path / "my.csv").write_text(f"a;b\n{'x' * 200_000};1\n")
    with pytest.raises(DataError, match="row 2: cannot be read .field larger"):
        read_table(tmp_path / "my.csv")
    (tmp_path / "my.csv").write_text("a (x;y;z),label\n1,2\n")
    assert list(read_table(tmp_path / "my.csv").columns) == ["a (x;y;z)", "label"]


def test_a_path_outside_is_refused_for_a_zip_too(tmp_path):
    of_images(tmp_path, {"a": TWO})
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in tmp_path.glob("*.png"):
            archive.write(file, file.name)
    names = ["/etc/0.png", *(f"{n}.png" for n in range(1, 12))]
    path = write(tmp_path / "zip.csv", [["path", "a"], *zip(names, TWO, strict=True)])
    with pytest.raises(DataError, match=r"zip\.csv, row 2, .*'/etc/0\.png', which leads outside"):
        table.load(path, images=tmp_path / "all.zip", size=SIZE, progress=False)


def test_a_spreadsheets_byte_order_mark_and_empty_lines_are_no_matter(tmp_path):
    for number in range(12):
        grey(tmp_path / f"{number}.png", number)
    lines = [f"{number}.png , {value}" for number, value in enumerate(TWO)]
    text = "\ufeff\ufeffpath,a\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    (tmp_path / "my.csv").write_bytes(text.encode())
    data = table.load(tmp_path / "my.csv", size=SIZE, progress=False)
    assert data.attributes == ("a",)
    assert data.facts["notes"][0].startswith("12 rows")


ODD_CELLS = st.sampled_from(
    ["", "0", "1", "2", "-1", "-2", "NaN", "inf", "yes", "no", "maybe", "1.5", "1e400", "true", "é",
     "0.png", "1.png", "../0.png", "/0.png", "big.png", "a,b", 'q"', "train", "valid", "x" * 300,
     "\x00", " 1 ", "9" * 400, "1_0", "nul\0.png", "a" * 300 + ".png"]
)  # fmt: skip


@given(st.data())
def test_a_random_table_is_a_data_set_or_an_error_of_ours_that_names_it(folder, data):
    """Half of the cells are those of a good table, so that many faults lie deep."""
    count = data.draw(st.integers(0, 14))
    names = data.draw(
        st.lists(
            st.sampled_from(["path", "image", "split", "a", "b", "label", "label_c", "", "x"]),
            min_size=1, max_size=5,
        )
    )  # fmt: skip
    good = {
        "path": [f"{n}.png" for n in range(14)], "image": [f"{n}.png" for n in range(14)],
        "split": (SPLIT * 2)[:14], "x": [str(n / 3) for n in range(14)],
    }  # fmt: skip
    odd = data.draw(st.sampled_from([0.0, 0.05, 0.5]))
    rows = [names]
    for row in range(count):
        cells = [
            data.draw(ODD_CELLS)
            if data.draw(st.floats(0, 1)) < odd
            else good.get(name, [str(n % 2) for n in range(14)])[row]
            for name in names
        ]
        rows.append(cells)
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=data.draw(st.sampled_from(",,,;\t"))).writerows(rows)
    text = buffer.getvalue().encode()
    if data.draw(st.integers(0, 4)) == 0:
        text = text[: data.draw(st.integers(0, len(text)))]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "my.csv"
        path.write_bytes(text)
        found, error = tried(
            lambda: table.load(path, images=folder, size=SIZE, progress=False), DataError
        )
    if error:
        assert "my.csv" in str(error)
        return
    assert not found.missing_classes()
    for split in found.splits.values():
        assert len(split)
        assert np.isfinite(split.images).all()
    assert len(everything_labels(found)) <= count


def everything_labels(data) -> np.ndarray:
    return np.concatenate([split.labels for split in data.splits.values()])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("images")
    for number in range(14):
        grey(place / f"{number}.png", number)
    (place / "big.png").write_bytes(b"no image")
    return place


@given(st.lists(ODD_CELLS | st.text(max_size=5), min_size=1, max_size=12))
def test_a_column_is_labels_or_an_error_that_names_it(cells):
    cells = [cell.strip() for cell in cells]
    made = Table(path=Path("my.csv"), columns={"a": cells}, rows=list(range(2, len(cells) + 2)))
    found, error = tried(lambda: attribute_of(made, "a", "a"), DataError)
    if error:
        assert "my.csv" in str(error)
        assert "column 'a'" in str(error)
        return
    labels = found.labels
    assert set(labels.tolist()) - {-1} == set(range(len(found.classes)))
    unknown = ("", "-1", "-1.0", "nan", "NaN")
    assert [code == -1 for code in labels] == [cell in unknown for cell in cells]
