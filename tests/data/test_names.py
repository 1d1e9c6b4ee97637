"""Names that a person reads as the same mean one file, and a system's own files are no images."""

import json
import os
import re
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from files import grey
from hypothesis import given
from hypothesis import strategies as st

from dcl.data import DataError, celeba_annotation, table
from dcl.data.drawn import faces
from dcl.data.names import is_image, match, near
from dcl.data.scores_table import read_prior, read_scores, read_two
from dcl.data.sources import Archive, Folder
from dcl.data.table_features import columns_of, features_again
from dcl.data.table_file import read_table
from dcl.experiment.provenance import ROOT, files_of

NFC, NFD = (unicodedata.normalize(form, "châtaigne.png") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    "name",
    ["._a.jpg", ".a.jpg", "a/._b.png", ".thumbs/a.jpg", "__MACOSX/a.jpg", "x/__macosx/a.jpg",
     "Thumbs.db", ".DS_Store", "@eaDir/a.jpg", "a.txt", "jpg", "a/"],
)  # fmt: skip
def test_hidden_files_and_a_systems_own_are_no_images(name):
    assert not is_image(name)


@pytest.mark.parametrize("name", ["a.jpg", "a/b.JPEG", "a.b.TIF", "x.gif", "_a.png", "a._b.png"])
def test_other_files_with_an_images_suffix_are(name):
    assert is_image(name)


@pytest.mark.parametrize(
    ("wanted", "present", "found"),
    [
        ("a.jpg", ["a.jpg", "A.JPG"], "a.jpg"),
        ("a.jpg", ["a.JPG"], "a.JPG"),
        ("A.JPG", ["a.jpg"], "a.jpg"),
        ("Train/a.jpg", ["train/A.jpg"], "train/A.jpg"),
        (NFC, [NFD], NFD),
        (NFD, [NFC], NFC),
        (NFC.upper(), [NFD], NFD),
        ("STRASSE.png", ["Straße.png"], "Straße.png"),
        ("ISIC_1", ["ISIC_1.jpg", "ISIC_10.jpg"], "ISIC_1.jpg"),
        ("isic_1", ["ISIC_1.JPG"], "ISIC_1.JPG"),
        ("scan.v2", ["scan.v2.png"], "scan.v2.png"),
        ("a.jpg", ["A.JPG", "A.jpg"], None),  # several
        ("a", ["a.jpg", "a.png"], None),
        ("a.jpg", ["a.png"], None),  # another suffix is another file
        ("a.jpg", ["b/a.jpg"], None),  # and another folder
    ],
)
def test_a_name_means_the_one_file_that_fits(wanted, present, found):
    assert match([wanted], present) == ({wanted: found} if found else {})


def test_a_file_that_a_name_fits_exactly_is_no_other_names():
    assert match(["A.jpg", "a.jpg"], ["a.jpg"]) == {"a.jpg": "a.jpg"}
    assert match(["A.jpg", "a.jpg"], ["a.jpg", "A.JPG"]) == {"a.jpg": "a.jpg", "A.jpg": "A.JPG"}


@pytest.mark.parametrize(
    ("name", "present", "first"),
    [
        ("a.jpg", ["b.jpg", "a.png"], "a.png"), ("a.jpg", ["x/a.jpg", "b.png"], "x/a.jpg"),
        ("x/a.jpg", ["a.jpg"], "a.jpg"), ("img_001.jpg", ["img_01.jpg", "z.jpg"], "img_01.jpg"),
    ],
)  # fmt: skip
def test_a_file_of_a_like_name_is_known_for_the_error(name, present, first):
    assert near(name, present)[0] == first
    assert near("quite-another", present) == []


def table_of(folder: Path, names: list[str], **options):
    rows = [f"{name},{number % 2}" for number, name in enumerate(names)]
    (folder / "my.csv").write_text("\n".join(["path,a", *rows]), "utf-8")
    return table.load(folder / "my.csv", size=(10, 8), progress=False, **options)


def values(data) -> list[int]:
    return sorted(x for split in data.splits.values() for x in split.images[:, 0, 0, 0].tolist())


@pytest.fixture
def here(tmp_path):
    """Twelve images as a Mac's camera calls them, with what a Mac lays beside them."""
    for number in range(12):
        grey(tmp_path / "Photos" / unicodedata.normalize("NFD", f"É{number}.JPG"), 20 * number)
        (tmp_path / "Photos" / f"._É{number}.JPG").write_bytes(b"\0\5\x16\7")
    (tmp_path / "Photos" / ".DS_Store").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("written", ["é{}.jpg", "É{}", "é{}"])
@pytest.mark.parametrize("place", ["folder", "beside", "zip", "old zip"])
def test_a_table_finds_its_images_in_folders_and_zips_and_says_so(here, written, place):
    names, options = [written.format(number) for number in range(12)], {}
    if place == "folder":
        options = {"images": here / "Photos"}
    elif place == "beside":  # the table's own folder, of which only the folders named are read
        names = [f"photos/{name}" for name in names]
    else:
        options = {"images": here / "images.zip"}
        with zipfile.ZipFile(here / "images.zip", "w") as archive:
            for path in (here / "Photos").iterdir():
                folder = "__MACOSX/Photos" if path.name.startswith("._") else "Photos"
                archive.write(path, f"{folder}/{path.name}")
        if place == "old zip":  # without the flag that the names are in UTF-8
            data = (here / "images.zip").read_bytes()
            (here / "images.zip").write_bytes(without_flag(data))
    data = table_of(here, names, **options)
    assert np.allclose(values(data), range(0, 240, 20), atol=2)
    assert any("12 images have another spelling" in note for note in data.facts["notes"])
    assert not any("no row" in note for note in data.facts["notes"])


def without_flag(data: bytes) -> bytes:
    """A zip whose members do not say that their names are in UTF-8."""
    changed = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = data.find(mark)
        while place >= 0:
            changed[place + at] &= ~0x08
            place = data.find(mark, place + 1)
    return bytes(changed)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("É0.png", r"no image É0.png in .*Photos, near it: É0.JPG"),
        ("x/É0.JPG", r"no image x/É0.JPG in .*, near it: É0.JPG"),
        ("._É0.JPG", r"\._É0.JPG is hidden by its name"),
        ("notes.txt", r"got 'notes.txt', expected an image file: .jpg"),
        ("é1.jpg", r"row 14, .* É1.JPG is the image of row 3 already"),
        ("é1", r"row 14, .* É1.JPG is the image of row 3 already"),
    ],
)
def test_a_name_without_a_file_tells_the_file_near_it(here, name, message):
    names = [f"É{number}.JPG" for number in range(12)]
    if name.startswith("é1"):
        names.append(name)
    else:
        names[0] = name
    with pytest.raises(DataError) as caught:
        table_of(here, names, images=here / "Photos")
    assert re.search(message, unicodedata.normalize("NFC", str(caught.value)))


def test_two_files_that_fit_are_both_told(tmp_path):
    for name in ("a.JPG", "A.jpg", *(f"{number}.png" for number in range(10))):
        grey(tmp_path / "images" / name, 0)
    names = ["a.jpg", *(f"{number}.png" for number in range(10))]
    with pytest.raises(DataError, match=r"no image a.jpg in .*, several fit: A.jpg, a.JPG"):
        table_of(tmp_path, names, images=tmp_path / "images")


def test_folders_and_zips_name_the_same_images(here):
    with zipfile.ZipFile(here / "a.zip", "w") as archive:
        for path in (here / "Photos").iterdir():
            archive.write(path, path.name)
    assert Folder(here / "Photos").names() == Archive(here / "a.zip").names()
    assert len(Archive(here / "a.zip").names()) == 12


@pytest.mark.parametrize("module", ["celeba", "celeba_annotation", "cifar_files", "table"])
def test_reading_files_imports_no_painter_and_no_network(module):
    files = {str(path.relative_to(ROOT)) for path in files_of((f"dcl.data.{module}",))}
    assert f"dcl/data/{module}.py" in files
    assert [name for name in files if "/drawn/" in name or "/networks/" in name] == []


def test_the_drawn_faces_have_celebas_attributes():
    assert faces.ATTRIBUTES == celeba_annotation.ATTRIBUTES


def test_a_class_in_two_unicode_forms_is_one(tmp_path):
    rows = ["path,a"]
    for number in range(24):
        grey(tmp_path / f"{number}.png", number)
        form = ("NFC", "NFD")[number // 2 % 2]
        rows.append(f"{number}.png,{unicodedata.normalize(form, ('forêt', 'pré')[number % 2])}")
    (tmp_path / "my.csv").write_text("\n".join(rows), "utf-8")
    data = table.load(tmp_path / "my.csv", size=(10, 8), progress=False)
    words = data.facts["class_names"]["a"]
    assert set(words) == {unicodedata.normalize("NFC", word) for word in ("forêt", "pré")}


FORMS = st.sampled_from(["NFC", "NFD"])
SIZE, AGE = "größe", "âge"


@given(st.lists(FORMS, min_size=10, max_size=10))
def test_columns_are_named_in_any_unicode_form(forms):
    def form(text: str) -> str:
        return unicodedata.normalize(next(written), text)

    written = iter(forms)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "my.csv"
        lines = [f"{n % 7},{n % 5},{n % 11},{'blau' if n % 3 else ''}" for n in range(80)]
        header = ",".join(map(form, ("x", AGE, SIZE, "é")))
        path.write_text("\n".join([header, *lines]), "utf-8")
        data = table.load(
            path, labels=[form("é")], ignore=[form(AGE)], group=form(SIZE),
            codes=f"{form('é')}:blank={form('grün')}", positive=form("é=grün"),
        )  # fmt: skip
        composed = unicodedata.normalize("NFC", "é")
        assert data.attributes == (composed,)
        assert data.facts["positive"] == {composed: unicodedata.normalize("NFC", "grün")}
        assert data.facts["features"]["names"] == ["x"]


@given(FORMS, FORMS, FORMS)
def test_new_rows_have_the_columns_of_the_training_in_any_unicode_form(one, other, kept):
    facts = {"names": ["größe", "âge=é"], "categories": {"âge": ["é"]}, "median": {"größe": 1.0},
             "mean": [0.0, 0.0], "std": [1.0, 1.0]}  # fmt: skip
    older = json.loads(unicodedata.normalize(kept, json.dumps(facts, ensure_ascii=False)))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "new.csv"
        header = f"{unicodedata.normalize(one, 'größe')},{unicodedata.normalize(other, 'âge')}"
        path.write_text(f"{header}\n2,{unicodedata.normalize(other, 'é')}\n,x\n", "utf-8")
        new = read_table(path, used=columns_of(older)).composed(but=None)
        assert features_again(new, older)[0].tolist() == [[2, 1], [1, 0]]


def test_two_columns_of_one_name_in_two_unicode_forms_are_refused(tmp_path):
    names = [unicodedata.normalize(form, "größe") for form in ("NFC", "NFD")]
    (tmp_path / "my.csv").write_text(f"{','.join(names)},label\n1,2,0\n", "utf-8")
    with pytest.raises(DataError, match="two columns are called 'größe', in two Unicode forms"):
        table.load(tmp_path / "my.csv")


@pytest.mark.parametrize("forms", [("NFC", "NFD", "NFD"), ("NFD", "NFC", "NFC")])
def test_labels_scores_and_priors_are_named_in_any_unicode_form(forms, tmp_path):
    y, s, other = (unicodedata.normalize(form, "é") for form in forms)
    path = tmp_path / "scores.csv"
    path.write_text(f"id,y_{y},s_{s}\n{y},1,0.5\nb,0,0.1\n", "utf-8")
    found = read_scores(path)
    assert found.names == (unicodedata.normalize("NFC", "é"),)
    assert read_prior(f"{other} 0.2", found.names) == [0.2]
    (tmp_path / "prior.csv").write_text(f"label,prior\n{other},0.3\n", "utf-8")
    assert read_prior(str(tmp_path / "prior.csv"), found.names) == [0.3]
    (tmp_path / "y.csv").write_text(f"id,{y}\n{y},1\nb,0\n", "utf-8")
    (tmp_path / "s.csv").write_text(f"id,{s}\n{s},0.4\nb,0.1\n", "utf-8")
    assert read_two(tmp_path / "y.csv", tmp_path / "s.csv").scores[:, 0].tolist() == [0.4, 0.1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
@pytest.mark.parametrize("below", ["", "train/"])
def test_a_folder_of_a_class_whose_name_is_no_utf8_is_refused_with_the_line_that_renames_it(
    below, tmp_path
):
    for place in (below, *(["val/", "test/"] if below else [])):
        for number in range(12):
            name = (os.fsdecode(b"caf\xe9") if place == below else "café", "tea")[number % 2]
            grey(tmp_path / place / name / f"{number}.png", number)
    with pytest.raises(DataError, match=r"the folder b'caf\\xe9' has a name that is no") as got:
        table.load(tmp_path, size=(10, 8), progress=False)
    exec(str(got.value).split("in Python: ")[1], {})
    assert table.load(tmp_path, size=(10, 8), progress=False).class_names == ("café", "tea")
