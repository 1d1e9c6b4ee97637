"""What looks alike and may be one, or is a split by another name, is asked about, not guessed."""

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from files import grey, write
from PIL import Image
from test_table_meaning import X, cells, of_features

from dcl.data import DataError, table
from dcl.data.images import decode
from dcl.data.scores_table import read_prior, read_scores
from dcl.data.sources import Archive
from dcl.data.table_codes import Codes
from dcl.data.table_file import Table, read_table
from dcl.data.table_labels import attribute_of
from dcl.data.table_outliers import outliers
from dcl.data.table_splits import groups_of

SPLIT = (["train"] * 6 + ["val"] * 2 + ["test"] * 2) * 4
TWO = [0, 1] * 20


@pytest.mark.parametrize(
    "pair",
    [
        ("dog", "dog\N{ZERO WIDTH SPACE}"),
        ("hot dog", "hot\N{NO-BREAK SPACE}dog"),
        ("hot dog", "hot  dog"),
        ("T-cell", "T\N{EN DASH}cell"),
        ("Mild_case", "mild case"),
        ("hyphen-zebra", "hyphen zebra"),
        ("<=50K", "<=50K."),
    ],
)
def test_two_spellings_of_a_class_are_asked_about(pair):
    with pytest.raises(DataError, match="spelt .* in row 2: write it in one way"):
        attribute_of(cells(*pair, "cat", *pair, "cat"), "a", "a")


@pytest.mark.parametrize("words", [("Y", "yes", "no"), ("T", "true", "F"), ("Yes", "n", "no", "y")])
def test_yes_and_no_in_several_ways_are_asked_about(words):
    with pytest.raises(DataError, match="say yes and no in several ways") as asked:
        attribute_of(cells(*words * 3), "a", "a")
    said = str(asked.value).split("--codes ")[1].split(", or give")[0].strip("\"'")
    assert {item.split("=")[1] for item in said.split(",")} == {"yes", "no"}


NOTHING = ["not available", "n.a.", "Missing", "TBD", "#REF!", "#DIV/0!", "?", "--", "-", "*", "–",
           "k.A.", "unbekannt", "/", "...", "#NV", "\\N", "(null)", "undefined"]  # fmt: skip


@pytest.mark.parametrize("word", NOTHING)
def test_words_for_a_missing_label_are_no_class(word):
    for others in (("yes", "no"), ("cat", "dog"), ("0", "1")):
        made = cells(*[*others, word, others[0]] * 4)
        with pytest.raises(DataError, match="leave the cell empty for unknown, or say") as caught:
            attribute_of(made, "a", "a")
        for said in re.findall("--codes [\"'](.*?)[\"'](?:,| if|$)", str(caught.value)):
            classes = attribute_of(made, "a", "a", Codes(said, made)).classes
            assert set(classes) == {*others, *([] if "unknown" in said else [word])}


def test_classes_that_are_marks_are_asked_about_once():
    made = cells(*["*", "**", "***"] * 4)
    with pytest.raises(DataError, match="leave the cell empty for unknown, or say") as caught:
        attribute_of(made, "a", "a")
    *_, said = re.findall("--codes [\"'](.*?)[\"']", str(caught.value))
    assert attribute_of(made, "a", "a", Codes(said, made)).classes == ("*", "**", "***")


@pytest.mark.parametrize("word", NOTHING)
def test_a_cell_that_says_nothing_among_lists_is_asked_about(word, tmp_path):
    columns = {"a": ["cat|dog", "cat", word, "dog"] * 10}
    with pytest.raises(DataError, match="leave the cell empty for unknown, or say"):
        of_features(tmp_path, columns, separator="|")
    for meaning, label in (("no", 0), ("unknown", -1), (word, 0)):
        data = of_features(tmp_path, columns, separator="|", codes=f"{word}={meaning}")
        assert data.splits["train"].labels[:4, data.attributes.index("cat")].tolist() == [
            1, 1, label, 0
        ]  # fmt: skip


@pytest.mark.parametrize("words", [("-", "+"), ("-", "+", "++"), ("neg", "+", "*"), ("✓", "✗")])
def test_marks_beside_a_plus_and_signs_are_classes(words):
    assert set(attribute_of(cells(*words * 4), "a", "a").classes) == set(words)
    with pytest.raises(DataError, match=r"got '\?': leave the cell empty"):
        attribute_of(cells(*[*words, "?"] * 4), "a", "a")


@pytest.mark.parametrize("name", ["id", "Name", "filenames"])
def test_a_column_of_images_by_another_name_is_told_how_to_call_it(name, tmp_path):
    columns = {name: [f"i{n}.PNG" for n in range(40)], "label": TWO, "f_x": [n % 7 for n in TWO]}
    for options, words in (
        ({}, "If it names the images, call it path"),
        ({"ignore": [name, "f_x"]}, f"cells of '{name}' end as images do: rename it to path"),
        ({"images": tmp_path}, f"cells of '{name}' end as images do: rename it to path"),
    ):
        path = write(tmp_path / "my.csv", [list(columns), *zip(*columns.values(), strict=True)])
        with pytest.raises(DataError, match=words):
            table.load(path, **options)


def test_an_option_that_takes_the_only_label_is_named(tmp_path):
    rows = [["x", "label_y"], *([n % 7, n % 2] for n in range(40))]
    path = write(tmp_path / "my.csv", rows)
    for options, said in (
        ({"group": "label_y"}, "--group"), ({"ignore": ["label_y"]}, "--ignore"),
        ({"ignore": ["x"], "labels": ["x"]}, "--ignore x"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=rf"no column of labels is left, .* is taken by {said}"):
            table.load(path, **options)


@pytest.mark.parametrize(
    ("codes", "mended"),
    [("1=yes;0=no", "1=yes,0=no"), ("a:1=yes; 0=no,2=no", "a:1=yes,0=no,2=no"),
     ("1=yes,0=no;", "1=yes,0=no"), ("yes=1,no=0,no=2", "1=yes,0=no,2=no"),
     ("a:yes=1,0=no,2=no", "a:1=yes,0=no,2=no")],
)  # fmt: skip
def test_codes_with_semicolons_or_turned_around_are_refused_as_they_should_be(codes, mended):
    made = cells(*[0, 1, 2] * 4)
    with pytest.raises(DataError, match="codes has") as caught:
        Codes(codes, made)
    assert f'--codes "{mended}"' in str(caught.value)
    Codes(mended, made)


def test_cells_with_semicolons_and_words_as_codes_are_codes():
    made = cells(*["1=a;0", "yes", "0"] * 4)
    codes = Codes("1=a;0=one,yes=0", made)
    assert attribute_of(made, "a", "a", codes).classes == ("0", "one")


@pytest.mark.parametrize(
    ("values", "stray", "among"),
    [
        ([0, 1] * 5 + ["3x"], "3x", "whole numbers"),
        (["cat", "dog"] * 5 + [7], "7", "words"),
        (["label", *[0, 1] * 5], "label", "whole numbers"),
        (["yes", "no"] * 5 + [1], "1", "yes and no"),
    ],
)
def test_a_stray_cell_is_named_and_not_those_that_the_column_is_of(values, stray, among):
    row = values.index(int(stray) if stray.isdecimal() else stray) + 2
    with pytest.raises(DataError, match=f"row {row}, .*got '{stray}' among {among}"):
        attribute_of(cells(*values), "a", "a")


@pytest.mark.parametrize("pair", [("P7", "p7"), ("7", "7.0"), ("007", "7")])
def test_two_spellings_of_a_group_are_asked_about(pair, tmp_path):
    with pytest.raises(DataError, match="row 3.*spelt .* elsewhere: write a group in one way"):
        groups_of(cells(*pair, "a", "b", column="g"), "g")
    rows = [f"{group},{n % 2},0.{n}" for n, group in enumerate([*pair, "a", "b"])]
    (tmp_path / "s.csv").write_text("\n".join(["Group,y_a,s_a", *rows]))
    with pytest.raises(DataError, match="row 3, column 'group': got .* write a group in one way"):
        read_scores(tmp_path / "s.csv")


@pytest.mark.parametrize("word", ["NaN", "None", "NA", "null", ""])
def test_a_group_that_says_nothing_is_blank(word, tmp_path):
    (tmp_path / "s.csv").write_text(f"group,y_a,s_a\np,1,0.5\n{word},0,0.2\n")
    with pytest.raises(DataError, match="row 3, column 'group': is blank"):
        read_scores(tmp_path / "s.csv")


def test_split_and_group_are_found_in_capitals(tmp_path):
    (tmp_path / "s.csv").write_text("ID,Split,GROUP,y_a,s_a\n1,val,p,1,0.5\n2,test,q,0,0.2\n")
    found = read_scores(tmp_path / "s.csv")
    assert (found.split, found.groups, found.ignored) == (["val", "test"], ["p", "q"], ())


def test_a_label_twice_in_a_table_of_rates_is_refused(tmp_path):
    (tmp_path / "p.csv").write_text("label,prior\ncat,0.1\ncat,0.9\n")
    with pytest.raises(DataError, match="row 3, column 'label': 'cat' has a row above"):
        read_prior(str(tmp_path / "p.csv"), ("cat",))


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [("train", "FT", True), ("Test", "01", True), ("train", "012", False), ("trains", "01", False)],
)
def test_a_flag_that_is_called_as_a_split_is_pointed_out(name, values, told, tmp_path):
    columns = {"x": X, "label_cat": TWO, name: [values[n % 7 % len(values)] for n in range(40)]}
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    for options in ({}, {"ignore": [name]}):
        notes = table.load(write(tmp_path / "my.csv", rows), **options).facts["notes"]
        words = f"warning: {name} is called as a split is, and has two values, '{values[0]}'"
        assert any(note.startswith(words) for note in notes) == (told and not options)


@pytest.mark.parametrize("name", ["label2", "Labels", "label.1", "label b", "labels_b"])
def test_a_feature_that_is_called_nearly_as_labels_are_is_asked_about(name, tmp_path):
    columns = {"x": X, "label": TWO, name: [n % 3 % 2 for n in range(40)]}
    path = write(tmp_path / "my.csv", [list(columns), *zip(*columns.values(), strict=True)])
    with pytest.raises(DataError, match=f"column '{name}': is called nearly as labels are"):
        table.load(path)
    assert table.load(path, labels=["label"]).facts["features"]["names"] == ["x", name]


def test_labels_are_found_in_capitals(tmp_path):
    columns = {"x": X, "Label": TWO, "LABEL_b": TWO[::-1], "labeler": ["u", "v"] * 20}
    path = write(tmp_path / "my.csv", [list(columns), *zip(*columns.values(), strict=True)])
    assert table.load(path).attributes == ("Label", "b")


@pytest.mark.parametrize("name", ["Fold", "partition", "eval_partition", "isTrain", "train/test"])
def test_numbers_of_a_split_are_asked_about_by_their_name(name, tmp_path):
    rows = [["x", "label_cat", name], *zip(X, TWO, [n % 3 for n in range(40)], strict=True)]
    with pytest.raises(DataError, match=f"column '{name}': seems to say to which split"):
        table.load(write(tmp_path / "my.csv", rows))


@pytest.mark.parametrize("name", ["partition", "subset", "fold", "Phase"])
def test_a_column_of_splits_by_another_name_is_asked_about(name, tmp_path):
    rows = [["x", "label_cat", name], *zip(X, TWO, SPLIT, strict=True)]
    path = write(tmp_path / "my.csv", rows)
    with pytest.raises(DataError, match=f"column '{name}': says to which split .* --ignore {name}"):
        table.load(path)
    data = table.load(path, ignore=[name])
    assert "split at random" in data.facts["notes"][0]


def test_a_flag_of_validation_is_asked_about(tmp_path):
    flags = ["True" if split == "val" else "False" for split in SPLIT]
    rows = [["x", "label_cat", "is_valid"], *zip(X, TWO, flags, strict=True)]
    path = write(tmp_path / "my.csv", rows)
    with pytest.raises(DataError, match="column 'is_valid': seems to say to which split"):
        table.load(path)


def test_words_of_splits_are_classes_where_a_split_is_given(tmp_path):
    data = of_features(tmp_path, {"kind": ["train", "test"] * 20})
    assert data.facts["class_names"]["kind"] == ("test", "train")


def test_rows_of_features_that_come_again_in_the_test_are_counted(tmp_path):
    own = [f"{n * n % 41}.{n}" for n in range(40)]
    again = [own[n - 6] if n % 10 == 8 else x for n, x in enumerate(own)]  # a test row in ten
    for features, expected in ((own, []), (again, ["warning: 4 rows of val and test"])):
        rows = [["x", "label_cat", "split"], *zip(features, TWO, SPLIT, strict=True)]
        notes = table.load(write(tmp_path / "my.csv", rows)).facts["notes"]
        found = [note.split(" have the")[0] for note in notes if "have the features" in note]
        assert found == expected


def test_a_folder_called_none_is_a_class_and_other_files_are_counted(tmp_path):
    for kind in ("none", "crack", "unknown"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for number in range(8):
            grey(tmp_path / "set" / kind / f"{number}.png", number)
    (tmp_path / "set" / "crack" / "a.HEIC").write_bytes(b"x")
    (tmp_path / "set" / "none" / "readme").write_bytes(b"x")
    data = table.load(tmp_path / "set", size=(4, 4), progress=False)
    assert data.facts["class_names"]["label"] == ("crack", "none", "unknown")
    assert sum((split.labels >= 0).sum() for split in data.splits.values()) == 24
    (note,) = (note for note in data.facts["notes"] if "no images by their names" in note)
    assert {"1 .heic", "1 without a suffix"} == set(note.split(": ")[1].split(", "))


@pytest.mark.parametrize(
    ("cell", "member", "fits"),
    [
        ("train/{}.png", "test/{}.png", False),
        ("train/{}.png", "set/train/{}.png", True),
        ("all/train/{}.png", "train/{}.png", True),
        ("train/{}.png", "{}.png", True),
        ("{}.png", "test/{}.png", True),
        ("Train\\{}.png", "train/{}.PNG", True),
    ],
)
def test_an_image_of_a_zip_lies_where_the_table_says(cell, member, fits, tmp_path):
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for number in range(12):
            grey(tmp_path / "one.png", number)
            archive.write(tmp_path / "one.png", member.format(number))
    rows = [[cell.format(n), n % 2] for n in range(12)]
    write(tmp_path / "my.csv", [["path", "label"], *rows])
    options = {"images": tmp_path / "images.zip", "size": (4, 4), "progress": False}
    if fits:
        assert "12 rows" in table.load(tmp_path / "my.csv", **options).facts["notes"][0]
    else:
        with pytest.raises(DataError, match=r"row 2, .* lies at 'test/0\.png' in the zip file"):
            table.load(tmp_path / "my.csv", **options)


def test_the_folders_of_a_zip_of_macos_are_read_as_they_are_written(tmp_path):
    written = "\N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}/"
    stand_in = "@@t@@/"  # of as many bytes, so that the flag of UTF-8 stays off, as macOS leaves it
    with zipfile.ZipFile(tmp_path / "ascii.zip", "w") as archive:
        for number in range(12):
            grey(tmp_path / "one.png", number)
            archive.write(tmp_path / "one.png", f"{stand_in}{number}.png")
        archive.writestr("more.heic", b"x")
    data = (tmp_path / "ascii.zip").read_bytes().replace(stand_in.encode(), written.encode())
    (tmp_path / "images.zip").write_bytes(data)
    rows = [[f"{written}{n}.png", n % 2] for n in range(12)]
    path = write(tmp_path / "my.csv", [["path", "label"], *rows])
    found = table.load(path, images=tmp_path / "images.zip", size=(4, 4), progress=False)
    assert "12 rows" in found.facts["notes"][0]
    assert Archive(tmp_path / "images.zip").others == "1 .heic"


def test_images_of_one_name_in_two_folders_need_more_than_a_zip(tmp_path):
    write(tmp_path / "my.csv", [["path", "label"], ["a/0.png", 0], ["b/0.png", 1]])
    with zipfile.ZipFile(tmp_path / "images.zip", "w"):
        pass
    with pytest.raises(DataError, match="row 3.*images go by their names alone. Unpack it"):
        table.load(tmp_path / "my.csv", images=tmp_path / "images.zip", progress=False)


def saved(pixels: np.ndarray, kind: str, **options) -> bytes:
    Image.fromarray(pixels).save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def png_of_16_bits(values: np.ndarray) -> bytes:
    """A colour PNG of 16 bits, which Pillow does not write: of (height, width, 3)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_colours_of_16_bits_that_use_the_lower_ones_are_refused():
    values = np.random.default_rng(0).integers(0, 4096, (6, 8, 3))
    with pytest.raises(DataError, match="its colours have 16 bits, of which the upper 8 are read"):
        decode(png_of_16_bits(values), "it", (6, 8))
    full, _ = decode(png_of_16_bits(16 * values), "it", (6, 8))
    assert np.abs(full.transpose(1, 2, 0) - 16 * values / 257).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "tags", "words"),
    [
        (np.full((4, 4), 1000, np.uint16), {262: 0}, "in which 0 is white"),
        (np.full((4, 4), 2**31 + 5, np.uint32), {}, "values of 2,147,483,648 or more"),
    ],
)
def test_tiffs_whose_values_would_be_others_are_refused(pixels, tags, words):
    image = Image.fromarray(pixels.view(np.int32) if pixels.itemsize == 4 else pixels)
    file = io.BytesIO()
    image.save(file, "TIFF")
    data = bytearray(file.getvalue())
    tags = tags | ({339: 1} if pixels.itemsize == 4 else {})
    for tag, value in tags.items():  # Pillow writes neither: change the entry in the file
        at = data.index(tag.to_bytes(2, "little"), int.from_bytes(data[4:8], "little"))
        data[at + 8 : at + 10] = value.to_bytes(2, "little")
    with pytest.raises(DataError, match=words):
        decode(bytes(data), "it", (4, 4))


def test_a_date_that_python_cannot_hold_is_named_by_its_column(tmp_path):
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    when = pyarrow.array([10**15, 0], pyarrow.timestamp("ms"))
    columns = {"y_a": [1, 0], "s_a": [0.5, 0.1], "when": when}
    parquet.write_table(pyarrow.table(columns), tmp_path / "s.parquet")
    with pytest.raises(DataError, match="column 'when': timestamp.* that Python cannot hold"):
        read_scores(tmp_path / "s.parquet")


@pytest.mark.parametrize("read", [read_table, read_scores])
@pytest.mark.parametrize("mark", [",", ";"])
def test_the_line_that_tells_excel_the_separator_is_pointed_out(read, mark, tmp_path):
    path = tmp_path / "excel.csv"
    path.write_text(f"sep={mark}\ny_a{mark}s_a\n1{mark}0.5\n")
    with pytest.raises(DataError, match="row 1: begins with 'sep=.*', which is for Excel: take"):
        read(path)


def report(tmp_path, text):
    columns = {"a": TWO, "report": [text if row == 3 else "fine" for row in range(40)]}
    return of_features(tmp_path, columns, ignore=["report"]).facts["notes"]


def test_a_row_that_a_quotation_mark_swallowed_is_pointed_out(tmp_path):
    told = [note for note in report(tmp_path, "6 inch\nx,9,0,val\n7 ") if "several lines" in note]
    assert told == [
        "warning: report has a cell of several lines, which look like rows of the table, in row "
        "7: if a quotation mark is missing there, rows are lost"
    ]
    assert not any("lines" in note for note in report(tmp_path, "No mass,\nno nodule.\nStable"))
    columns = {"a": TWO, "f_tone": ["low", "high\nlow"] * 20}
    with pytest.raises(DataError, match=r"row 4, column 'f_tone': has a line break in it, 'high"):
        of_features(tmp_path, columns)


def test_a_column_of_lists_can_be_left_out(tmp_path):
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    columns = {"x": X, "label": TWO, "boxes": [[1, 2]] * 40}
    columns["split"] = SPLIT
    path = tmp_path / "lists.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    with pytest.raises(DataError, match="column 'boxes': holds list<.*leave it out by --ignore bo"):
        table.load(path)
    data = table.load(path, ignore=["boxes"])
    assert data.attributes == ("label",)
    assert "columns left out: boxes" in data.facts["notes"]


def guessed(tmp_path, **columns):
    """A table of 60 images in which nobody says which columns are labels."""
    for n in range(60):
        grey(tmp_path / f"{n}.png", 4 * n)
    given = {"path": [f"{n}.png" for n in range(60)], "a": [0, 1] * 30} | columns
    path = write(tmp_path / "my.csv", [list(given), *zip(*given.values(), strict=True)])
    return table.load(path, size=(16, 16), progress=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("patient", "P{}"), ("camera", "C{}"), ("when", "2020-05-0{}"), ("when", "{}/5/2020")],
)
def test_a_column_that_is_about_an_image_is_no_label_unasked(name, value, tmp_path):
    told = (
        f"has 6 different values in 60 rows: are they dates, .* --ignore {name}, .*--group {name},"
    )
    with pytest.raises(DataError, match=f"column '{name}': {told}"):
        guessed(tmp_path, **{name: [value.format(1 + n // 10) for n in range(60)]})


def test_guessed_labels_are_listed_with_their_classes(tmp_path):
    notes = guessed(tmp_path, colour=["red", "blue", "grey"] * 20).facts["notes"]
    assert "labels, for none is named: 'a', 'colour'" in notes
    assert "colour: 3 classes, 'blue', 'grey', 'red'" in notes


@pytest.mark.parametrize(
    "words",
    [
        ("Training", "PublicTest", "PrivateTest"),
        ("train", "val0", "val1"),
        ("train2017", "val2017", "test2017"),
        ("Training", "Validierung", "Test"),
        ("train", "test", ""),
    ],
)
def test_words_that_hold_those_of_splits_are_asked_about(words, tmp_path):
    with pytest.raises(
        DataError, match="column 'Usage': seems to say to which split a row belongs"
    ):
        guessed(tmp_path, Usage=list(words) * 20)


def test_classes_that_sound_like_splits_are_classes(tmp_path):
    data = guessed(tmp_path, topic=["train station", "test tube", "device"] * 20)
    assert "topic" in data.attributes


def test_unknown_can_be_a_class_of_another_name():
    words = cells(*["nevus", "unknown", "melanoma"] * 4)
    with pytest.raises(DataError, match='--codes "unknown=not known" if it is a class') as asked:
        attribute_of(words, "a", "a")
    assert '--codes "unknown=unknown", or' in str(asked.value)
    codes = Codes("unknown=not known", words)
    assert attribute_of(words, "a", "a", codes).classes == ("melanoma", "nevus", "not known")


@pytest.mark.parametrize("start", ["{folder}/im/", "../{name}/im/", "im/../im/"])
def test_a_path_from_elsewhere_that_leads_into_the_images_is_taken(start, tmp_path):
    for n in range(40):
        grey(tmp_path / "im" / f"{n}.png", 6 * n)
    start = start.format(folder=tmp_path, name=tmp_path.name)
    rows = [("path", "label"), *((f"{start}{n}.png", n % 2) for n in range(40))]
    path = write(tmp_path / "my.csv", rows)
    for images in (None, tmp_path / "im", tmp_path):
        assert len(table.load(path, images=images, size=(16, 16), progress=False).splits["val"])
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(
        DataError, match="expected a path below .*/other|no image im.0.png in .*other"
    ):
        table.load(path, images=other)


def test_names_that_were_read_as_decimals_are_pointed_out(tmp_path):
    for n in range(3):
        grey(tmp_path / f"{n:04}.png", n)
    path = write(tmp_path / "my.csv", [("image_id", "label"), ("1.0", 1), ("2.0", 0)])
    with pytest.raises(
        DataError, match=r"no image 1\.0 in .*, near it: 0001\.png\. Were the names"
    ):
        table.load(path, images=tmp_path)


def test_a_file_without_the_ending_of_an_image_is_said_to_be_none(tmp_path):
    (tmp_path / "e0").write_bytes(b"1")
    path = write(tmp_path / "my.csv", [("path", "label"), ("e0", 1), ("e1", 0)])
    with pytest.raises(DataError, match=r"got 'e0', expected an image file: \.jpg"):
        table.load(path)


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ([f"{label}" for label in TWO], True),
        ([("alive", "dead")[label] for label in TWO], True),
        ([label + n / 100 for n, label in enumerate(TWO)], True),
        ([-label - n / 100 for n, label in enumerate(TWO)], True),
        ([label * (n != 7) for n, label in enumerate(TWO)], False),
        ([n % 7 for n in range(40)], False),
        ([f"{'ab'[label]}{n % 4 // 2}" for n, label in enumerate(TWO)], True),
        ([f"{'ab'[label]}{n % 10 // 2}" for n, label in enumerate(TWO)], False),
    ],
)
def test_a_feature_that_tells_the_label_is_pointed_out(feature, told, tmp_path):
    notes = of_features(tmp_path, {"a": TWO, "f_x": feature}, labels=["a"]).facts["notes"]
    words = "warning: f_x tells a in every row: if it says the same, or is known only afterwards"
    assert any(note.startswith(words) for note in notes) == told


@pytest.mark.parametrize("step", [0, 1])
def test_a_number_from_which_three_classes_were_cut_is_pointed_out(step, tmp_path):
    score = [(7 * n) % 20 for n in range(40)]
    columns = {"a": [sum(x >= cut for cut in (8, 14)) for x in score]}
    columns["f_x"] = [x + (step and 12 * (x == 3)) for x in score]  # 3 of the first class is 15
    notes = of_features(tmp_path, columns, labels=["a"]).facts["notes"]
    assert any("f_x tells a in every row" in note for note in notes) == (not step)


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (lambda n: n % 5 if n % 4 == 1 else "", "filled in in 20 rows, where a is always '1'"),
        (lambda n: "" if n % 4 == 1 else "xyz"[n % 3], "empty in 20 rows, where a is always '1'"),
        (lambda n: n % 5 if n % 4 == 1 or n == 2 else "", ""),
        (lambda n: n % 5 if n % 8 == 1 else "", ""),
    ],
)
def test_a_column_that_one_class_alone_fills_in_is_pointed_out(cells, what, tmp_path):
    rows = [[n % 7 * 0.5, n % 2, cells(n)] for n in range(80)]
    path = write(tmp_path / "my.csv", [["x", "label_a", "boat"], *rows])
    notes = table.load(path, impute="median").facts["notes"]
    found = [note for note in notes if note.startswith("warning: boat is ")]
    assert len(found) == bool(what)
    assert what in "".join(found)


def test_a_number_that_stands_for_nothing_is_pointed_out(tmp_path):
    values = [-999 if n % 9 == 0 else n % 5 + 0.1 * (n % 3) for n in range(40)]
    notes = of_features(tmp_path, {"a": TWO, "f_x": values}).facts["notes"]
    words = (
        "warning: f_x: 5 of 40 numbers are far from all others, 0 to 4.2; the first is -999, row"
    )
    assert any(note.startswith(words) for note in notes)
    usual = of_features(tmp_path, {"a": TWO, "f_x": [n % 5 for n in range(40)]}).facts["notes"]
    assert not any("far from all" in note for note in usual)


@pytest.mark.parametrize(
    ("codes", "count"),
    [((-99, -98), 16), ((-9999, -8888), 16), ((-97, -98, -99), 24), ((999, -999), 16),
     ((99, 98), 16), ((-99,), 8), ((-99, -99.5), 0), ((-7.5, 12), 0)],
)  # fmt: skip
@pytest.mark.parametrize("low", [0, -3])
def test_codes_that_stand_for_nothing_do_not_hide_each_other(codes, count, low, tmp_path):
    values = [low + n % 5 + 0.1 * (n % 3) for n in range(80)]
    for n in range(8 * len(codes)):
        values[3 * n] = codes[n % len(codes)]
    rows = [[value, n % 7, n % 2] for n, value in enumerate(values)]
    path = write(tmp_path / "my.csv", [["age", "x", "label"], *rows])
    told = [note for note in table.load(path).facts["notes"] if note.startswith("warning: age")]
    assert len(told) == bool(count)
    if told:
        assert f"{count} of 80 numbers are far from all others, {low} to {low + 4.2:g}" in told[0]


def test_two_negative_codes_are_pointed_out_where_nothing_else_is_negative(tmp_path):
    values = [(-8, -9)[n % 2] if n % 6 < 2 else n % 5 for n in range(40)]
    notes = of_features(tmp_path, {"a": TWO, "f_x": values}).facts["notes"]
    assert any("f_x: 14 of 40 numbers are far from all others, 0 to 4" in note for note in notes)


@pytest.mark.parametrize("values", [[-20, -10, 0, 5, 0], [-3, -2, 0, 0, 1, 1], [-12, -8, 0, 2, 3]])
def test_signed_changes_hold_no_number_far_from_all_others(values):
    numbers = np.array(values * 60, float)
    made = Table(path=Path("my.csv"), columns={"x": [""] * 300}, rows=list(range(300)))
    assert outliers(made, "x", numbers, np.arange(len(numbers))) == []


def test_numbers_with_leading_zeros_are_pointed_out(tmp_path):
    values = [f"{1067 + 500 * (n % 7):05}" for n in range(40)]
    notes = of_features(tmp_path, {"a": TWO, "f_zip": values}).facts["notes"]
    (told,) = [note for note in notes if "f_zip" in note]
    assert told.startswith("f_zip: 40 numbers begin with a zero, such as '01067', and the feature")
    text = of_features(tmp_path, {"a": TWO, "f_zip": [f"Z{value}" for value in values]})
    assert "f_zip=Z01067" in text.facts["features"]["names"]
    values = [f"{0.1 * n:.1f}" for n in range(7)] * 5 + ["0"] * 5
    notes = of_features(tmp_path, {"a": TWO, "f_zip": values}).facts["notes"]
    assert not any("begin" in note for note in notes)


AGES = [20 + (37 * n) % 61 for n in range(300)]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({5: -999}, "1 of 300 numbers is far from all others, 20 to 80; the first is -999, row 7"),
        ({5: 999}, "the first is 999, row 7: the network learns from none like it"),  # in test
        ({290: 1e6}, "1e+06, row 292: scaled with it the others are nearly the same"),
        ({5: 1e30}, "the first is 1e+30, row 7"),
        ({5: -1e30}, "the first is -1e+30, row 7"),
        ({9: 4321, 7: -1e6}, "2 of 300 numbers are far from all others, 20 to 80; the first is -1e+"
                             "06, row 9"),
        ({5: -1e6, 8: 1e6, 11: 1e9}, "3 of 300 numbers are far from all others, 20 to 80; the "),
        (dict.fromkeys(range(60), 1e6), "60 of 300 numbers are far from all others, 20 to 80; the"),
        ({5: 99}, ""),
        ({5: 140}, ""),
        ({5: -1}, ""),
    ],
)  # fmt: skip
def test_a_number_far_from_all_others_is_pointed_out(cells, told, tmp_path):
    values = [cells.get(n, age) for n, age in enumerate(AGES)]
    rows = [[value, n % 7, n % 2] for n, value in enumerate(values)]
    path = write(tmp_path / "my.csv", [["age", "x", "label"], *rows])
    notes = [note for note in table.load(path).facts["notes"] if note.startswith("warning: age")]
    assert len(notes) == bool(told)
    assert told in "".join(notes)
    positive = bool(told) and min(cells.values()) > 0
    assert any("give the column's logarithm" in note for note in notes) == positive


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (["5"] * 40, "5"),
        (["0.1"] * 40, "0.1"),  # whose mean is another number by its last digit
        (["A"] * 40, "A"),
        (["5", ""] * 20, "5"),
        (["5" if part == "train" else str(n) for n, part in enumerate(SPLIT)], "5"),
        (["A" if part == "train" else "B" for part in SPLIT], "A"),
    ],
)
def test_a_column_that_is_the_same_in_all_training_rows_is_left_out(column, cell, tmp_path):
    data = of_features(tmp_path, {"a": TWO, "f_site": column}, impute="median")
    facts = data.facts["features"]
    assert facts["names"] == ["x"]
    assert "categories" not in facts
    assert list(facts["median"]) == ["x"]
    assert f"f_site: the same in all training rows, {cell}: left out" in data.facts["notes"]
    with pytest.raises(DataError, match="'x', 'f_site': the same in all training rows, so that"):
        of_features(tmp_path, {"x": [1] * 40, "a": TWO, "f_site": column}, labels=["a"],
                    impute="median")  # fmt: skip


def test_a_text_that_some_training_rows_lack_is_a_feature(tmp_path):
    data = of_features(tmp_path, {"a": TWO, "f_site": ["A", ""] * 20}, impute="median")
    assert data.facts["features"]["names"] == ["x", "f_site=A"]


HEAVY = {
    "log-normal 1.5": lambda draw, n: draw.lognormal(10, 1.5, n),
    "log-normal 2": lambda draw, n: draw.lognormal(0, 2, n),
    "Pareto 1.2": lambda draw, n: draw.pareto(1.2, n),
    "Pareto 2": lambda draw, n: draw.pareto(2, n),
    "t of 2": lambda draw, n: draw.standard_t(2, n),
    "Zipf": lambda draw, n: draw.zipf(2.5, n),
    "counts": lambda draw, n: draw.negative_binomial(0.1, 0.01, n),
    "few counts": lambda draw, n: draw.poisson(draw.lognormal(-3, 2, n)),
    "prices": lambda draw, n: draw.lognormal(12.5, 0.6, n).round(-3),
    "mostly zero": lambda draw, n: draw.lognormal(8, 1.5, n) * (draw.random(n) < 0.02),
    "seldom": lambda draw, n: draw.random(n) < 0.01,
}


@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_tail_holds_no_number_far_from_all_others(name):
    draw = np.random.default_rng(0)
    for count in (500, 1000, 5000):
        for _ in range(20):
            values = HEAVY[name](draw, count).astype(float)
            rows = list(range(2, count + 2))
            made = Table(path=Path("my.csv"), columns={"x": [""] * count}, rows=rows)
            assert outliers(made, "x", values, np.arange(len(values))) == []


def test_a_question_mark_among_numbers_is_an_empty_cell(tmp_path):
    values = ["?" if n % 9 == 0 else n % 5 for n in range(40)]
    with pytest.raises(
        DataError, match=r"row 2, column 'f_x': got '\?', expected a finite .*median"
    ):
        of_features(tmp_path, {"a": TWO, "f_x": values})
    data = of_features(tmp_path, {"a": TWO, "f_x": values}, impute="median")
    assert any("f_x: 5 of 40 cells are empty and become 2" in x for x in data.facts["notes"])


def test_numbers_too_large_to_be_scaled_are_refused(tmp_path):
    for huge in ("1e160", "-1.797e308"):
        values = [huge if n == 3 else n % 5 for n in range(40)]  # a training row
        with pytest.raises(DataError, match=rf"row 5, column 'f_x': got {huge[:2]}.* too large"):
            of_features(tmp_path, {"a": TWO, "f_x": values})
    values = [1e160 if n == 9 else n % 5 for n in range(40)]  # a test row
    with pytest.raises(DataError, match="row 11, column 'f_x': got .* too far"):
        of_features(tmp_path, {"a": TWO, "f_x": values})


def test_tags_with_spaces_between_are_asked_about():
    tags = ["clear primary water", "clear primary", "haze primary", "haze water road", "clear road",
            "primary road", "haze primary road", "clear water", "primary water"]  # fmt: skip
    with pytest.raises(DataError, match='looks like 3 labels: say by --separator " " that each'):
        attribute_of(cells(*tags * 3), "a", "a")
    hair = ["light brown", "dark brown", "light blond", "dark blond"]
    assert len(attribute_of(cells(*hair * 3), "a", "a").classes) == 4


def test_a_space_before_a_quotation_mark_and_rows_of_nothing(tmp_path):
    path = tmp_path / "my.csv"
    path.write_text('x, f_y, label\n1, "a, b", 0\n2, "c", 1\n')
    assert read_table(path).columns["f_y"] == ["a, b", "c"]
    path.write_text("x,label\n1,0\n2,1\n,\n,\n")
    with pytest.raises(DataError, match="row 4: every cell is empty: take out the rows that hold"):
        read_table(path)


def test_splits_in_an_inner_folder_are_pointed_to(tmp_path):
    for split in ("train", "val", "test"):
        for n, label in enumerate(("normal", "pneumonia")):
            grey(tmp_path / "xray" / split / label / f"{n}.png", 10 * n)
    with pytest.raises(DataError, match=f"its splits lie below xray: give {tmp_path}/xray"):
        table.load(tmp_path)


@pytest.mark.parametrize("column", ["label", "label_train"])
def test_labels_of_trains_are_labels(column, tmp_path):
    values = ["freight train", "passenger train", "test train"] * 20
    data = guessed(tmp_path, **{column: values})
    assert data.attributes == (column.removeprefix("label_"),)


def test_phases_of_a_training_are_features_unless_they_are_splits(tmp_path):
    phases = ["pre-training", "training", "post-training", "training"] * 10
    notes = of_features(tmp_path, {"a": TWO, "f_phase": phases}).facts["notes"]
    assert any(note.startswith("f_phase: a text, one feature for each") for note in notes)


def test_a_column_that_is_refused_unasked_says_how_to_name_the_labels(tmp_path):
    sexes = ["male", "female", "unknown", "male"] * 15
    with pytest.raises(DataError, match="got 'unknown': .* If sex is no label, name the labels by"):
        guessed(tmp_path, sex=sexes)


def test_leaks_name_patients_before_other_columns_and_no_numbers(tmp_path):
    columns = {
        "a": TWO, "patient": [f"P{n % 7}" for n in range(40)], "age": [n % 31 for n in range(40)],
        "set": ["train", "val", "test", "val"] * 10, "view": ["AP", "PA", "lateral", "PA"] * 10,
    }  # fmt: skip
    left = [name for name in columns if name != "a"]
    data = of_features(tmp_path, columns, labels=["a"], ignore=left)
    (told,) = [x for x in data.facts["notes"] if "share values of columns left out" in x]
    assert "left out: patient (" in told
    assert told.endswith("keep them in one split by --group patient")


def test_a_word_none_is_a_category_of_a_feature(tmp_path):
    grades = ["none", "mild", "severe", "none"] * 10
    notes = of_features(tmp_path, {"a": TWO, "f_grade": grades}).facts["notes"]
    assert "f_grade: a text, one feature for each of 'mild', 'none', 'severe'" in notes


def test_an_image_named_in_two_ways_is_one(tmp_path):
    grey(tmp_path / "im" / "0.png", 0)
    rows = [("path", "label"), (f"{tmp_path}/im/0.png", 0), ("im/0.png", 1)]
    with pytest.raises(
        DataError, match=r"im/0\.png is the image of row 2 already: an image has one"
    ):
        table.load(write(tmp_path / "my.csv", rows))


def test_whole_numbers_that_come_again_in_another_split_are_told(tmp_path):
    mice = [n % 7 for n in range(40)]
    weights = [n % 7 + 0.5 for n in range(40)]
    columns = {"a": TWO, "mouse": mice, "weight": weights}
    data = of_features(tmp_path, columns, labels=["a"], ignore=["mouse", "weight"])
    (told,) = [x for x in data.facts["notes"] if "share values of columns left out" in x]
    assert "left out: mouse (7 of 7 values)." in told


def test_a_column_left_out_that_says_blank_moves_no_code(tmp_path):
    columns = {"a": ["x", ""] * 20, "remark": ["blank", "fine"] * 20}
    data = of_features(tmp_path, columns, labels=["a"], ignore=["remark"], codes="x=yes,blank=no")
    assert data.facts["class_names"]["a"] == ("no", "yes")


def test_a_stray_word_beside_a_class_that_codes_name_is_refused(tmp_path):
    columns = {"a": ["1", "2", "3", "4A", "x", "1", "2", "3"] * 5}
    with pytest.raises(DataError, match="got 'x' among whole numbers"):
        of_features(tmp_path, columns, codes="4A=4A")
