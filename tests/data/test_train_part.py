"""A part of the training images: whole persons, nested, seeded, and told in the record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcl.data import DataError, Dataset, Split
from dcl.experiment.config import ConfigError
from dcl.experiment.datasets import DATASETS
from dcl.experiment.run import load_data


def data_of(persons=None, images=60, **more) -> Dataset:
    """Two attributes; each image holds its row's number."""
    rows = np.arange(images)
    features = rows[:, None].astype(np.float32)
    split = Split(images=features, labels=np.stack([rows % 2, rows % 3 == 0], axis=1))
    return Dataset(
        name="rows",
        title="Rows",
        attributes=("odd", "third"),
        classes=2,
        splits={"train": split, "val": split, "test": split},
        expected={},
        fingerprint="abc",
        persons=persons,
        **more,
    )


def rows_in(data: Dataset) -> list[int]:
    return data.splits["train"].images[:, 0].astype(int).tolist()


@given(st.lists(st.integers(-1, 12), min_size=60, max_size=60), st.integers(0, 9))
def test_parts_are_nested_hold_whole_persons_and_at_most_the_images_asked_for(persons, seed):
    persons = np.array(persons)
    data, before = data_of(persons), set()
    for images in (30, 45, 60):
        try:
            rows = set(data.train_rows(images, seed).tolist())
        except DataError:
            assert np.bincount(persons[persons >= 0]).max() > images
            continue
        assert before <= rows
        assert len(rows) <= images
        inside = {persons[row] for row in rows if persons[row] >= 0}
        assert rows >= {row for row in range(60) if persons[row] in inside}
        before = rows
    assert len(data.train_rows(60, seed)) == 60  # all of them


def test_without_persons_a_part_has_exactly_the_images_asked_for():
    assert len(data_of().train_rows(37)) == len(set(data_of().train_rows(37))) == 37
    assert len(data_of(np.full(60, -1)).train_rows(37)) == 37


def test_every_image_is_as_likely_in_a_part():
    counts = np.zeros(60)
    for seed in range(400):
        counts[data_of().train_rows(20, seed)] += 1
    assert abs(counts / 400 - 1 / 3).max() < 0.12  # 5 standard deviations


def test_validation_and_test_stay_whole_and_the_record_tells_the_part():
    whole = data_of(np.repeat(np.arange(30), 2))
    part = whole.with_train_part(21, seed=3)
    assert len(part.splits["train"]) == 20
    assert rows_in(part) == sorted(rows_in(part))
    for name in ("val", "test"):
        assert part.splits[name] is whole.splits[name]
    told = part.describe()
    assert told["train_part"] == {"images": 21, "seed": 3, "of": 60, "drawn_by": "person"}
    assert told["found"]["train"] == 20
    assert told["title"] == "Rows, 20 of 60 to train on"
    prints = {whole.fingerprint, part.fingerprint}
    prints |= {whole.with_train_part(n, seed=s).fingerprint for n, s in ((21, 4), (31, 3))}
    assert len(prints) == 4
    assert whole.with_train_part(21, seed=3).fingerprint == part.fingerprint


@pytest.mark.parametrize("images", [0, -1, 61])
def test_a_number_that_is_not_there_is_refused_with_how_many_are(images):
    with pytest.raises(DataError, match=f"train_part must be 1 to 60, .* got {images}"):
        data_of().with_train_part(images)


def test_a_part_that_loses_a_class_is_refused_by_name():
    rare = data_of()
    rare.splits["train"].labels[:, 1] = np.arange(60) == 7
    seed = next(s for s in range(99) if 7 not in rare.train_rows(10, s))
    with pytest.raises(DataError, match="no training image of class 1 of third"):
        rare.with_train_part(10, seed)


def test_a_first_person_with_too_many_images_is_refused():
    with pytest.raises(DataError, match="the first person drawn has 60 images"):
        data_of(np.zeros(60, dtype=int)).with_train_part(59)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_has_the_option_and_drawn_ones_refuse_it(name):
    with pytest.raises(ConfigError, match="train_part is of real data: give .* got 100"):
        DATASETS[name](train_part=100)
    assert "train_part" not in DATASETS[name]().recorded()
    more = {"dataset": "peta"} if name == "pedestrians" else {}
    config = DATASETS[name](train_part=9, data_root="x", **more)
    assert config.recorded()["train_part"] == 9


def test_a_run_trains_on_its_seeds_part(tmp_path, monkeypatch):
    celeba = DATASETS["celeba"]
    monkeypatch.setattr(celeba, "load", lambda self, show: data_of())
    configs = [celeba(train_part=40, seed=seed, data_root=str(tmp_path)) for seed in (0, 1)]
    one, two = (load_data(config) for config in configs)
    assert rows_in(one) == data_of().train_rows(40, 0).tolist()
    assert rows_in(two) == data_of().train_rows(40, 1).tolist()
    assert configs[0].identity(one) != configs[1].identity(two)


def test_a_quick_look_has_its_own_persons_and_fingerprint():
    data = data_of(np.repeat(np.arange(20), 3))
    look = data.part(train=10, val=60)
    assert look.persons.tolist() == data.persons[rows_in(look)].tolist()
    assert len(look.splits["val"]) == 60
    assert len({data.fingerprint, look.fingerprint, data.part(train=11).fingerprint}) == 3
    assert data.part(train=60, val=61) is data
    assert len(rows_in(look.with_train_part(4))) <= 4
    with pytest.raises(DataError, match="persons must be 60, one for each training image, got 3"):
        data_of(np.arange(3))
