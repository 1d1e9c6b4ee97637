"""Data sets in memory: labels are checked where they are loaded, unknown ones counted nowhere."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl.data import DataError, Dataset, Resident, Split, flip
from dcl.data.resident import split_name


def dataset(labels, *, classes=2, names=("train", "test"), empty=(), **options) -> Dataset:
    labels = np.asarray(labels)
    split = Split(images=np.zeros((len(labels), 3, 2, 2), np.uint8), labels=labels)
    nothing = split.at(np.arange(0))
    options = {"attributes": tuple("abcdefgh"[: labels.shape[1]])} | options
    return Dataset(
        name="tiny", title="Tiny", classes=classes, expected={}, fingerprint="tiny",
        splits=dict.fromkeys(names, split) | dict.fromkeys(empty, nothing), **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0, 1], [0, 2]], r"Tiny: row 1 \(from 0\) of the train split has the label 2 of b, exp"),
        ([[0, 1], [-2, 1]], "has the label -2 of a, expected 0 to 1, or -1 where it is unknown"),
        ([[0.0, np.nan]], r"row 0, column 1 \(both from 0\) is nan"),
        ([[0.5, 1]], "must be whole numbers, -1 where unknown: row 0, column 0 .* is 0.5"),
        ([[0, np.inf]], "has the label 2147483648 of b"),
        ([["yes", "no"]], "labels must be whole numbers, got <U3"),
    ],
)
def test_a_label_that_cannot_be_is_named_where_it_is_loaded(labels, message):
    with pytest.raises(DataError, match=message):
        dataset(labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ("train", "valid")}, "no split may be called 'valid': call it 'val'"),
        ({"names": ("train", "rest")}, "called 'rest': there are train, val, test"),
        ({"names": ("train", "val")}, "Tiny: there is no sample in the test split: train and test"),
        ({"names": ("test",)}, "no sample in the train split"),
        ({"empty": ("test",)}, "no sample in the test split"),
        ({"empty": ("val",)}, "Tiny: the val split is empty: leave it out of splits"),
        ({"classes": (2, 2, 2)}, r"for each of the 2 attributes, got \(2, 2, 2\)"),
        ({"classes": (2, 1)}, "2 or more for each"),
        ({"classes": 1}, "2 or more for each"),
        ({"attributes": ("a", "a")}, "two attributes are called 'a': rename one"),
        ({"class_names": ("x", "y", "z")}, "3 class_names for 2 classes: give one for each"),
        ({"groups": {"rare": ["c"]}}, "group 'rare' names 'c', which is none of a, b"),
    ],
)
def test_a_data_set_that_does_not_fit_together_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        dataset([[0, 1], [1, 0]], **options)


def test_groups_of_a_single_label_name_its_classes():
    labels = [[0], [1], [2]]
    assert dataset(labels, classes=3, groups={"rare": ["2"]}).groups == {"rare": ["2"]}
    with pytest.raises(DataError, match="group 'rare' names '2', which is none of x, y, z"):
        dataset(labels, classes=3, groups={"rare": ["2"]}, class_names=("x", "y", "z"))


def test_augmentation_of_features_is_refused_as_nobody_would_call_it():
    split = Split(images=np.zeros((2, 4), np.float32), labels=np.array([[0], [1]]))
    usual = dataset([[0], [1]]).replace(splits={"train": split, "test": split})
    assert usual.replace(augment=None).augment is None
    with pytest.raises(DataError, match="augment is of images, and these are features"):
        usual.replace(augment=lambda images, generator: images)


def test_classes_that_are_equal_for_all_attributes_are_one_number():
    assert dataset([[0, 1], [1, 0]], classes=(2, 2)).classes == 2
    assert dataset([[0, 1], [1, 2]], classes=(2, 3)).classes == (2, 3)
    assert dataset([[0], [1]], classes=(2,)).classes == 2


def test_labels_and_images_of_other_lengths_or_kinds_are_refused():
    images = np.zeros((3, 3, 2, 2), np.uint8)
    with pytest.raises(DataError, match=r"as many as the 3 images, got shape \(2, 1\)"):
        Split(images=images, labels=np.zeros((2, 1), int))
    with pytest.raises(DataError, match=r"images must be uint8 .* got float64 \(3, 3, 2, 2\)"):
        Split(images=images.astype(float), labels=np.zeros((3, 1), int))


def test_whole_floats_and_truth_values_are_labels():
    for labels in ([[0.0, 1.0]], [[False, True]], np.array([[0, 1]], np.uint8)):
        found = dataset(labels).splits["train"].labels
        assert found.dtype == np.int64
        assert found.tolist() == [[0, 1]]


@given(st.data())
def test_counts_are_of_known_labels_over_each_attributes_own_classes(data):
    classes = tuple(data.draw(st.lists(st.integers(2, 5), min_size=1, max_size=4)))
    rows = data.draw(st.integers(1, 30))
    labels = np.array(
        [[data.draw(st.integers(-1, size - 1)) for size in classes] for _ in range(rows)]
    )
    found = dataset(labels, classes=classes)
    counts, level = found.class_counts, found.imbalance_level()
    assert counts.shape == (len(classes), max(classes))
    missing = []
    for a, size in enumerate(classes):
        column = labels[:, a]
        for label in range(max(classes)):
            assert counts[a, label] == (column == label).sum()
            if label < size and label not in column:
                missing.append((found.attributes[a], label))
        known = column[column >= 0]
        if len(known):
            expected = 100 * np.bincount(known).max() / len(known) - 100 / size
            assert level[a] == pytest.approx(expected)
        else:
            assert np.isnan(level[a])
    assert found.missing_classes() == missing
    unknown = {n: 2 * int((labels[:, a] < 0).sum()) for a, n in enumerate(found.attributes)}
    assert found.unknown_labels() == {name: count for name, count in unknown.items() if count}
    assert found.describe().get("unknown_labels", {}) == found.unknown_labels()


def test_features_are_given_as_they_are():
    features = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    split = Split(images=features, labels=np.arange(5)[:, None])
    resident = Resident(split, "cpu", flip)
    index = torch.tensor([4, 0, 2])
    batch, labels = resident.batch(index, torch.Generator(), share=slice(0, 2))
    assert torch.equal(batch, torch.from_numpy(features)[index[:2]])
    assert labels.flatten().tolist() == [4, 0, 2]


def test_split_names_are_understood_or_not():
    assert [split_name(w) for w in ("Train", " valid ", "dev", "testing")] == [
        "train", "val", "val", "test",
    ]  # fmt: skip
    assert split_name("eval") is None
