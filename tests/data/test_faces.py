"""SynthFaces: labels like CelebA's, faces that show them, the same again for the same seed."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcl.data.drawn import statistics
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


def test_rates_follow_celeba(labels):
    rate = COMMITTED["rate"].to_numpy()
    sampling_error = 4 * np.sqrt(rate * (1 - rate) / len(labels))
    assert (np.abs(labels.mean(axis=0) - rate) < 0.005 + sampling_error).all()


def test_correlations_follow_celeba(labels):
    error = np.corrcoef(labels, rowvar=False) - COMMITTED[list(ATTRIBUTES)].to_numpy()
    error = error[np.triu_indices(40, 1)]
    assert np.sqrt((error**2).mean()) < 0.025
    assert np.abs(error).max() < 0.2


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


def test_labels_are_integers_of_0_and_1(labels):
    assert labels.shape == (20_000, 40)
    assert labels.dtype == np.int64
    assert set(np.unique(labels)) == {0, 1}


def test_a_larger_draw_begins_with_the_smaller_one(labels):
    assert (draw_labels(50, seed=4) == labels[:50]).all()
    many = draw_faces(labels[:70], seed=4)
    assert (draw_faces(labels[:20], seed=4) == many[:20]).all()


def test_the_same_seed_gives_the_same_bits(labels):
    assert (draw_faces(labels[:20], seed=1) == draw_faces(labels[:20], seed=1)).all()


def test_another_seed_gives_other_labels_and_faces(labels):
    assert (draw_labels(50, seed=5) != labels[:50]).any(axis=1).mean() > 0.9
    assert (draw_faces(labels[:20], seed=1) != draw_faces(labels[:20], seed=2)).mean() > 0.9


def test_the_chunk_size_does_not_change_the_faces(labels, monkeypatch):
    whole = draw_faces(labels[:40], seed=3)
    monkeypatch.setattr(statistics, "CHUNK", 7)
    assert (draw_faces(labels[:40], seed=3) == whole).all()


def test_faces_are_bytes_of_55_rows_and_47_columns(labels):
    drawn = draw_faces(labels[:5])
    assert drawn.shape == (5, 3, 55, 47)
    assert drawn.dtype == np.uint8


def test_no_labels_give_no_faces():
    assert draw_labels(0).shape == (0, 40)
    assert draw_faces(draw_labels(0)).shape == (0, 3, 55, 47)


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


def test_difficulty_adds_noise_to_the_wall():
    labels = np.repeat(one(), 30, axis=0)
    rough = [
        np.abs(np.diff(draw_faces(labels, difficulty=d)[:, :, :5, :5].astype(int))).mean()
        for d in (0.0, 0.5, 1.0)
    ]
    assert rough[0] < rough[1] < rough[2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_labels(-1), "count must be 0 or more, got -1"),
        (lambda: draw_labels(1, seed=-2), "seed must be 0 or more, got -2"),
        (lambda: draw_faces(one(), seed=-2), "seed must be 0 or more, got -2"),
        (lambda: draw_faces(one(), difficulty=1.5), r"difficulty must be in \[0, 1\], got 1.5"),
        (lambda: draw_faces(one()[0]), r"labels must be \(N, 40\), got shape \(40,\)"),
        (lambda: draw_faces(one() * 2 - 1), "labels must be 0 or 1, got -1"),
        (lambda: celeba_statistics(one()), "5_o_Clock_Shadow has one only in the 1 images"),
        (lambda: celeba_statistics(np.zeros((0, 40))), "in the 0 images"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_statistics_of_correlated_columns_are_their_rates_and_correlations(labels):
    table = celeba_statistics(labels)
    assert tuple(table.index) == ATTRIBUTES
    assert list(table.columns) == ["rate", *ATTRIBUTES]
    np.testing.assert_allclose(table["rate"], labels.mean(axis=0), atol=1e-6)
    phi = np.corrcoef(labels[:, 3], labels[:, 7])[0, 1]
    assert table.loc[ATTRIBUTES[3], ATTRIBUTES[7]] == pytest.approx(phi, abs=1e-6)


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
