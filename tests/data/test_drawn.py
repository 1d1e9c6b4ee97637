"""What SynthFaces and SynthPersons share: labels like the real ones, the same again for a seed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dcl.data.drawn import faces, persons, statistics

FOLDER = Path(statistics.__file__).parent
KINDS = {
    "faces": SimpleNamespace(
        names=faces.ATTRIBUTES,
        draw_labels=faces.draw_labels,
        draw=faces.draw_faces,
        measure=faces.celeba_statistics,
        file="celeba_statistics.csv",
        size=(55, 47),
        away={"rate": 0.005, "mean": 0.025, "most": 0.2},  # from the real statistics
    ),
    "persons": SimpleNamespace(
        names=persons.ATTRIBUTES,
        draw_labels=persons.draw_labels,
        draw=persons.draw_persons,
        measure=persons.rap_statistics,
        file="rap_statistics.csv",
        size=(64, 32),
        # most: of skirt, short skirt and dress, which contain one another
        away={"rate": 0.01, "mean": 0.035, "most": 0.4},
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> SimpleNamespace:
    return KINDS[request.param]


@pytest.fixture(scope="module")
def labels(kind) -> np.ndarray:
    return kind.draw_labels(20_000, seed=4)


@pytest.fixture(scope="module")
def real(kind) -> pd.DataFrame:
    return pd.read_csv(FOLDER / kind.file, index_col="attribute")


def test_labels_are_integers_of_0_and_1(kind, labels):
    assert labels.shape == (20_000, len(kind.names))
    assert labels.dtype == np.int64
    assert set(np.unique(labels)) == {0, 1}


def test_rates_follow_the_real_ones(kind, labels, real):
    rate = real["rate"].to_numpy()
    sampling_error = 4 * np.sqrt(rate * (1 - rate) / len(labels))
    assert (np.abs(labels.mean(axis=0) - rate) < kind.away["rate"] + sampling_error).all()


def test_correlations_follow_the_real_ones(kind, labels, real):
    error = np.corrcoef(labels, rowvar=False) - real[list(kind.names)].to_numpy()
    error = error[np.triu_indices(len(kind.names), 1)]
    assert np.sqrt((error**2).mean()) < kind.away["mean"]
    assert np.abs(error).max() < kind.away["most"]


def test_statistics_of_labels_are_their_rates_and_correlations(kind, labels):
    table = kind.measure(labels)
    assert tuple(table.index) == kind.names
    assert list(table.columns) == ["rate", *kind.names]
    np.testing.assert_allclose(table["rate"], labels.mean(axis=0), atol=1e-6)
    phi = np.corrcoef(labels[:, 3], labels[:, 7])[0, 1]
    assert table.loc[kind.names[3], kind.names[7]] == pytest.approx(phi, abs=1e-6)


def test_a_larger_draw_begins_with_the_smaller_one(kind, labels):
    assert (kind.draw_labels(50, seed=4) == labels[:50]).all()
    many = kind.draw(labels[:150], seed=4)
    assert (kind.draw(labels[:20], seed=4) == many[:20]).all()


def test_the_chunk_size_does_not_change_the_images(kind, labels, monkeypatch):
    whole = kind.draw(labels[:40], seed=3)
    monkeypatch.setattr(statistics, "CHUNK", 7)
    assert (kind.draw(labels[:40], seed=3) == whole).all()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(kind, labels):
    first = kind.draw(labels[:20], seed=1)
    assert (kind.draw(labels[:20], seed=1) == first).all()
    assert (kind.draw(labels[:20], seed=2) != first).mean() > 0.9
    assert (kind.draw_labels(50, seed=5) != labels[:50]).any(axis=1).mean() > 0.9


def test_images_are_bytes_of_their_size_and_of_no_labels_none(kind, labels):
    drawn = kind.draw(labels[:5])
    assert drawn.shape == (5, 3, *kind.size)
    assert drawn.dtype == np.uint8
    assert kind.draw_labels(0).shape == (0, len(kind.names))
    assert kind.draw(kind.draw_labels(0)).shape == (0, 3, *kind.size)


def test_difficulty_adds_noise_to_the_wall(kind):
    labels = np.zeros((30, len(kind.names)), int)
    rough = [
        np.abs(np.diff(kind.draw(labels, difficulty=d)[:, :, :3, :3].astype(int))).mean()
        for d in (0.0, 0.5, 1.0)
    ]
    assert rough[0] < rough[1] < rough[2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda k, one: k.draw_labels(-1), "count must be 0 or more, got -1"),
        (lambda k, one: k.draw_labels(1, seed=-2), "seed must be 0 or more, got -2"),
        (lambda k, one: k.draw(one, seed=-2), "seed must be 0 or more, got -2"),
        (lambda k, one: k.draw(one, difficulty=1.5), r"difficulty must be in \[0, 1\], got 1.5"),
        (lambda k, one: k.draw(one[0]), r"labels must be \(N, {A}\), got shape \({A},\)"),
        (lambda k, one: k.draw(one - 1), "labels must be 0 or 1, got -1"),
        (lambda k, one: k.measure(one), "{first} has one only in the 1 images"),
        (lambda k, one: k.measure(one[:0]), "in the 0 images"),
    ],
)
def test_a_wrong_argument_is_named(kind, call, message):
    message = message.replace("{A}", str(len(kind.names))).replace("{first}", kind.names[0])
    with pytest.raises(ValueError, match=message):
        call(kind, np.zeros((1, len(kind.names)), int))
