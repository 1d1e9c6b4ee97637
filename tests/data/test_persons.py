"""SynthPersons: persons that show their labels; what the drawn sets share is in test_drawn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import real_data

from dcl.data.drawn import statistics
from dcl.data.drawn.persons import ATTRIBUTES, draw_labels, draw_persons, load, rap_statistics
from dcl.data.pedestrian_annotation import read_rap

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = pd.read_csv(ROOT / "dcl/data/drawn/rap_statistics.csv", index_col="attribute")

# Rows and columns of 64 and 32 between which most of the change must lie.
WHERE = {
    "hs-Hat": (0, 10, 6, 26),
    "hs-Glasses": (6, 13, 9, 23),
    "hs-BaldHead": (2, 16, 9, 23),
    "hs-BlackHair": (2, 16, 9, 23),
    "hs-LongHair": (5, 26, 9, 23),
    "hs-Muffler": (11, 28, 9, 23),
    "Clerk": (14, 24, 6, 26),
    "ub-": (12, 42, 4, 28),
    "lb-": (15, 60, 3, 29),
    "shoes-": (48, 63, 6, 26),
    "attach-Box": (50, 63, 20, 32),
    "attach-HandTrunk": (34, 63, 0, 11),
    "attach-SingleShoulderBag": (14, 40, 10, 28),
    "action-Calling": (7, 37, 17, 28),
    "action-Talking": (4, 62, 25, 32),
    "action-Gathering": (12, 53, 0, 32),
    "action-Pusing": (17, 62, 4, 28),
    "action-Pulling": (17, 63, 20, 32),
    "action-CarrybyArm": (17, 38, 4, 16),
    "action-CarrybyHand": (28, 45, 20, 32),
}


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return draw_labels(20_000, seed=4)


def column(name: str) -> int:
    return ATTRIBUTES.index(name)


def one(*names: str) -> np.ndarray:
    return np.array([[name in names for name in ATTRIBUTES]], int)


def test_attributes_are_the_51_of_the_field_in_the_order_of_the_file():
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 51
    assert ATTRIBUTES[:3] == ("Female", "AgeLess16", "Age17-30")
    assert ATTRIBUTES[-2:] == ("action-CarrybyArm", "action-CarrybyHand")


def test_rare_rates_follow_rap(labels):
    rate = COMMITTED["rate"].to_numpy()
    rare = rate < 0.02
    assert (np.abs(np.log(labels.mean(axis=0)[rare] / rate[rare])) < 0.5).all()


def test_nearly_every_person_has_one_age(labels):
    ages = labels[:, [column(name) for name in ("AgeLess16", "Age17-30", "Age31-45")]].sum(axis=1)
    assert (ages == 1).mean() > 0.95


@pytest.mark.parametrize("size", [(128, 64), (48, 24), (33, 20)])
def test_persons_are_bytes_of_the_size_asked_for(labels, size):
    drawn = draw_persons(labels[:5], size=size)
    assert drawn.shape == (5, 3, *size)
    assert drawn.dtype == np.uint8


def test_a_large_person_is_the_small_one_in_more_detail():
    person = one("Female", "hs-LongHair", "lb-Skirt", "shoes-Boots", "attach-Box")
    small = draw_persons(person, difficulty=0.0).astype(float)
    large = draw_persons(person, size=(128, 64), difficulty=0.0).astype(float)
    shrunk = large.reshape(1, 3, 64, 2, 32, 2).mean(axis=(3, 5))
    assert np.abs(shrunk - small).mean() < 5


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_attribute_is_visible_where_it_belongs(name):
    context = {"BodyNormal", "lb-LongTrousers", "hs-BlackHair"} - {name}
    if name.startswith("lb-"):
        context -= {"lb-LongTrousers"}
    without, with_ = one(*context), one(*context, name)
    for seed in range(3):
        before = draw_persons(without, seed=seed, difficulty=0.0).astype(int)
        after = draw_persons(with_, seed=seed, difficulty=0.0).astype(int)
        change = np.abs(after - before).max(axis=1)[0]
        affected = change > 8  # of 255
        clear = (change > 25).sum()
        assert clear >= 9, f"{name} changes {clear} pixels only"
        where = next((v for k, v in WHERE.items() if name.startswith(k)), (0, 64, 0, 32))
        top, bottom, left, right = where
        inside = affected[top:bottom, left:right].sum() / affected.sum()
        assert inside > 0.95, f"{name}: {inside:.0%} of the change is where it belongs"


def test_a_child_is_smaller_than_an_adult_and_a_fat_person_wider_than_a_thin_one():
    bare = draw_persons(one(), difficulty=0.0)[0, :, :4, :].astype(int)  # wall only

    def extent(*names):
        drawn = draw_persons(one(*names), difficulty=0.0)[0].astype(int)
        figure = np.abs(drawn[:, :50] - bare[:, :1, :1]).max(axis=0) > 25
        return np.ptp(np.flatnonzero(figure.any(axis=1))), figure[20:33].sum()

    assert extent("AgeLess16")[0] < extent("Age31-45")[0] - 8
    assert extent("BodyFat")[1] > extent()[1] > extent("BodyThin")[1]


def test_a_mirrored_half_carries_on_the_other_side():
    labels = np.repeat(one("attach-HandTrunk"), 60, axis=0)
    plain = np.repeat(one(), 60, axis=0)
    change = np.abs(draw_persons(labels).astype(int) - draw_persons(plain)).sum(axis=(1, 2))
    left = change[:, :11].sum(axis=1) > change[:, 21:].sum(axis=1)
    assert 10 < left.sum() < 50


def test_load_gives_the_sizes_asked_for_and_the_same_again():
    data = load(120, val=10, test=20, size=(48, 24), seed=2)
    assert data.name == "persons"
    assert data.describe()["found"] == {"train": 120, "val": 10, "test": 20}
    assert data.splits["test"].images.shape == (20, 3, 48, 24)
    assert data.splits["train"].labels.dtype == np.int64
    again = load(120, val=10, test=20, size=(48, 24), seed=2)
    assert again.fingerprint == data.fingerprint
    assert load(120, val=10, test=20, size=(48, 24)).fingerprint != data.fingerprint
    assert (data.splits["train"].images[:10] != data.splits["val"].images).any()


def test_training_has_both_classes_of_every_attribute_and_is_else_as_drawn():
    data = load(100, val=5, test=5)
    assert data.class_counts.min() >= 1
    drawn = draw_labels(100, seed=0)
    assert (drawn.sum(axis=0) == 0).any()  # as drawn, a class is missing
    same = (data.splits["train"].labels == drawn).all(axis=1)
    assert same[:60].all()
    assert not same[-1]


def test_a_large_training_split_is_the_start_of_a_larger_one(monkeypatch):
    monkeypatch.setattr(statistics, "BLOCK", 100)
    small, large = load(250, val=1, test=1), load(350, val=1, test=1)
    assert (small.splits["train"].labels[:200] == large.splits["train"].labels[:200]).all()
    assert (small.splits["train"].images[:200] == large.splits["train"].images[:200]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_persons(one(), size=(8, 32)), r"size must be .* 16 or more, got \(8, 32\)"),
        (lambda: load(8), "train must be enough for both classes of 51 .* got 8: "),
        (lambda: load(100, seed=-1), "seed must be 0 or more, got -1"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_committed_statistics_are_those_of_the_annotation_file():
    annotation = read_rap(real_data("RAP_annotation.mat"))
    assert annotation.attributes == ATTRIBUTES
    pd.testing.assert_frame_equal(
        rap_statistics(np.maximum(annotation.labels, 0)), COMMITTED, atol=2e-6
    )
