"""SynthFaces: faces that show their labels; what the drawn sets share is in test_drawn."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcl.data.drawn.faces import ATTRIBUTES, celeba_statistics, draw_faces, draw_labels

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = pd.read_csv(ROOT / "dcl/data/drawn/celeba_statistics.csv", index_col="attribute")

# Traits of the face on which the attribute is looked for, where the plain one would hide it.
CONTEXT = {"Pale_Skin": (), "Wearing_Lipstick": (), "Bald": ("Male",), "Sideburns": ("Male",)}


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return draw_labels(20_000, seed=4)


def column(name: str) -> int:
    return ATTRIBUTES.index(name)


def one(*names: str) -> np.ndarray:
    """Labels (1, 40) of a clean-shaven young face with these attributes too."""
    on = {"No_Beard", "Young", "Attractive", *names}
    return np.array([[name in on for name in ATTRIBUTES]], int)


def test_attributes_are_the_40_official_names_in_order():
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 40
    assert ATTRIBUTES[:3] == ("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive")
    assert ATTRIBUTES[-2:] == ("Wearing_Necktie", "Young")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Bald", "Bangs"),
        ("Black_Hair", "Blond_Hair"),
        ("Mustache", "No_Beard"),
        ("Mustache", "Wearing_Lipstick"),
    ],
)
def test_contradictions_are_as_rare_as_in_celeba(labels, first, second):
    a, b = COMMITTED.loc[first, "rate"], COMMITTED.loc[second, "rate"]
    phi = COMMITTED.loc[first, second]
    expected = a * b + phi * np.sqrt(a * (1 - a) * b * (1 - b))
    drawn = labels[:, column(first)] @ labels[:, column(second)] / len(labels)
    assert drawn < 1.5 * expected + 0.0005


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_attribute_is_visible(name):
    context = CONTEXT.get(name, ("Brown_Hair",) if "Hair" not in name else ())
    without, with_ = one(*context), one(*context)
    without[0, column(name)], with_[0, column(name)] = 0, 1
    for seed in range(3):
        before = draw_faces(without, seed=seed, difficulty=0.0).astype(int)
        after = draw_faces(with_, seed=seed, difficulty=0.0).astype(int)
        change = np.abs(after - before).max(axis=1)
        affected = change > 8  # of 255
        assert affected.sum() >= 12, f"{name} changes {affected.sum()} pixels only"
        assert change[affected].mean() > 20, f"{name} changes them by {change[affected].mean()}"


def test_a_clean_face_is_the_same_but_for_colours_and_hair_strands_of_its_seed():
    drawn = draw_faces(np.repeat(one("Smiling"), 2, axis=0), difficulty=0.0)
    edges = np.abs(np.diff(drawn.astype(int).sum(axis=1), axis=1))
    assert np.corrcoef(edges[0].ravel(), edges[1].ravel())[0, 1] > 0.5


def annotations() -> str | None:
    """The text of CelebA's annotation file where there is one."""
    for folder in ("data/celeba", "data", "../shared/data/celeba"):
        path = ROOT / folder / "list_attr_celeba.txt"
        if path.exists():
            return path.read_text()
    archive = ROOT / "../shared/data/celeba.zip"
    if archive.exists():
        with zipfile.ZipFile(archive) as files:
            for name in files.namelist():
                if name.endswith("list_attr_celeba.txt"):
                    return files.read(name).decode()
    return None


def test_the_committed_statistics_are_those_of_the_annotation_file():
    text = annotations()
    if text is None:
        pytest.skip("list_attr_celeba.txt is not in data/celeba, data or ../shared/data")
    table = pd.read_csv(io.StringIO(text), sep=r"\s+", skiprows=1)
    if len(table) != 202_599:
        pytest.skip(f"this list_attr_celeba.txt has {len(table)} rows, the full one 202,599")
    assert tuple(table.columns) == ATTRIBUTES
    pd.testing.assert_frame_equal(celeba_statistics(table.to_numpy() > 0), COMMITTED, atol=2e-6)
