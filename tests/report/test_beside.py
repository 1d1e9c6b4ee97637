"""A run beside cross entropy: when it is read, when it is trained, and what is shown of both."""

from pathlib import Path

import numpy as np
import pytest

from dcl.experiment import records
from dcl.experiment.datasets import CelebA, Cifar100, Pedestrians
from dcl_book import beside, figures
from dcl_book.finding import Finding
from dcl_book.your_data import YourData

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "beside"


def record_of(config, fingerprint="abc"):
    rows = {"Bald": {"recall": 0.0}, "Smiling": {"recall": 80.0}}
    return {
        "method": config.method,
        "config": config.recorded(),
        "dataset": {"fingerprint": fingerprint},
        "test": {"mA": 70.0, "f1": 50.0, "per_attribute": rows},
        "decisions": {"prior": {"test": {"mA": 80.0, "f1": 49.0}}},
    }


def test_cross_entropy_beside_a_run_is_like_it_in_all_but_the_method():
    config = CelebA(method="dcl", epochs=7, lr=0.02, seed=3, k=5, results="somewhere")
    plain = beside.plain(config)
    assert plain.method == "cross-entropy"
    assert (plain.epochs, plain.lr, plain.seed, plain.results) == (7, 0.02, 3, "somewhere")


@pytest.mark.parametrize("values", [{"method": "cross-entropy"}, {"results": "grid/a.json"}])
def test_nothing_is_trained_beside_cross_entropy_or_a_run_of_a_grid(values, tmp_path):
    config = CelebA(**values)
    assert beside.beside(config, "abc", tmp_path, train=pytest.fail) is None


def test_the_published_run_of_the_same_setting_is_read_and_any_other_is_trained(
    tmp_path, monkeypatch
):
    config = CelebA(method="dcl", epochs=7, results="here")
    published = record_of(beside.plain(config.replace(results="there", device="cpu")))
    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setattr(records, "read", lambda path: published)
    found = beside.beside(config, "abc", tmp_path, train=pytest.fail)
    assert found["path"] == tmp_path / "a.json"
    for other, data in ((config.replace(epochs=8), "abc"), (config, "other images")):
        trained = beside.beside(other, data, tmp_path, train=record_of)
        assert trained["config"]["epochs"] == other.epochs
        assert "path" not in trained


def test_the_table_has_the_run_and_cross_entropy_at_both_thresholds():
    run, plain = record_of(CelebA(method="dcl")), record_of(CelebA(method="cross-entropy"))
    table = beside.rows(run, plain, {"mA": "mA", "AUC": "auc"})
    assert list(table.index) == ["dcl", "cross-entropy", "cross-entropy, prior"]
    assert list(table["mA"]) == [70, 70, 80]
    assert table["AUC"].isna().all()
    assert list(beside.rows(run, None, {"mA": "mA"}).index) == ["dcl"]
    lost = beside.never_found(run, plain)
    assert list(lost.index) == ["dcl", "cross-entropy"]
    assert lost.loc["dcl"].tolist() == [1, "Bald"]
    assert list(beside.never_found(run, None).index) == ["dcl"]


def test_answers_are_drawn_beside_the_band_of_no_difference():
    found = {"a": Finding(2.0, 0.5, 3), "b": Finding(-2.0, np.nan, 1), "none": Finding.of([])}
    (axes,) = figures.answers(found, "title", "DCL minus something").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_xlabel() == "DCL minus something, percentage points"


def test_an_interval_inside_the_band_is_no_difference_even_without_zero():
    found = {
        "no difference": Finding(-0.3, 0.1, 5),
        "behind": Finding(-0.5, 0.2, 5),
        "ahead": Finding(0.9, 0.5, 5),
        "cannot be distinguished": Finding(0.2, 0.6, 5),
    }
    (axes,) = figures.answers(found, "title", "DCL minus something").axes
    drawn = [bar.lines[0] for bar in axes.containers]
    looks, key = drawn[4:], {bar.get_label(): bar.lines[0] for bar in axes.containers[:4]}
    for words, dot in zip(found, looks, strict=True):
        assert dot.get_color() == key[words].get_color()
    assert [dot.get_markerfacecolor() == "none" for dot in looks] == [False] * 3 + [True]


def published(config):
    """The methods of the records that a page with this configuration would read."""
    data = [records.read(path)["dataset"]["fingerprint"] for path in PUBLISHED.glob("*.json")]
    found = [beside.published_run(config, each, PUBLISHED) for each in data]
    return {record["method"] for record in found if record}


@pytest.mark.parametrize("kind", [CelebA, Cifar100, Pedestrians])
def test_the_pages_that_train_find_their_cross_entropy(kind):
    assert published(beside.plain(kind())) == {"cross-entropy"}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("method", ["cross-entropy", "logit-adjustment", "dcl-ss", "dcl"])
def test_the_page_of_a_table_finds_the_later_seeds_of_its_stand_in(method, seed):
    config = YourData().training(drawn_faces=900, method=method, seed=seed)
    assert published(config) == {method}


def test_the_page_of_a_table_of_ones_own_draws_no_faces():
    assert YourData(table="my.csv").training().data_root == "my.csv"
    drawn = [YourData(profile=profile).training().drawn_faces for profile in ("quick", "standard")]
    assert drawn == [600, 900]
