"""What is read from run records: decisions, differences seed by seed, rows."""

import gc
import json
import math
from pathlib import Path

import pandas as pd
import pytest
from made import decided, frame, record, three_seeds

from dcl.experiment.records import RecordError
from dcl_book import evidence, measures
from dcl_book.evidence import PRIOR
from dcl_book.finding import Finding

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "results" / "celeba-30k"


def test_a_difference_is_taken_seed_by_seed():
    found = Finding.of(evidence.difference(three_seeds(), "dcl", "cross-entropy"))
    assert found.n == 3
    assert found.mean == pytest.approx(8.1)
    assert found.half == pytest.approx(4.302652 * 0.1 / math.sqrt(3), rel=1e-5)


def test_only_seeds_that_both_have_count():
    runs = three_seeds()
    runs = runs[~((runs["method"] == "dcl") & (runs["seed"] == 1))]
    assert list(evidence.difference(runs, "dcl", "cross-entropy").index) == [0, 2]


def test_two_runs_of_a_seed_are_refused():
    runs = pd.concat([three_seeds(), three_seeds()])
    with pytest.raises(RecordError, match=r"more than one run of dcl.*dcl-seed0\.json"):
        evidence.by_seed(runs, "dcl")


def test_rank_correlation_is_that_of_gain_and_imbalance():
    runs = frame(record("cross-entropy", 0, 70), record("dcl", 0, 75, slope=0.1))
    assert evidence.rank_correlation(runs, "dcl")[0] == pytest.approx(1.0)
    assert evidence.rank_correlation(frame(record("dcl", 0, 1)), "dcl").empty


def test_another_data_set_is_refused_with_the_ones_there_are():
    with pytest.raises(RecordError, match="no record of dataset 'mnist'.*celeba"):
        evidence.of_dataset(PUBLISHED, "mnist")


def test_records_are_read_once_and_again_when_a_file_of_the_folder_changes(tmp_path, monkeypatch):
    read, collect = [], evidence.collect
    monkeypatch.setattr(evidence, "collect", lambda folder: read.append(folder) or collect(folder))
    paths = sorted(PUBLISHED.glob("dcl-seed?.json"))[:2]
    for path in paths:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    found = evidence.collect_if_any(tmp_path)
    found["mA"] = 0.0  # of the caller alone
    assert evidence.collect_if_any(tmp_path)["mA"].min() > 50
    assert len(read) == 1
    changed = json.loads(paths[0].read_text())
    changed["test"]["mA"] = 12.0
    (tmp_path / paths[0].name).write_text(json.dumps(changed))
    assert evidence.collect_if_any(tmp_path)["mA"].min() == 12
    (tmp_path / paths[0].name).unlink()
    assert len(evidence.of_dataset(tmp_path, "celeba", "dcl")) == 1
    assert len(read) == 3
    assert gc.isenabled()


def test_each_decision_has_its_metrics_and_an_old_record_only_its_own():
    new = decided(record("dcl", 0, 70.0), prior=80.0, tuned=82.0, f1=64.0)
    for decision, expected in (("own", 70), ("argmax", 70), ("prior", 80), ("tuned-mA", 82)):
        assert measures.metric("mA", decision)(new) == pytest.approx(expected)
    assert measures.metric("f1", "tuned-f1")(new) == 64.0
    old = record("dcl", 0, 70.0)
    assert measures.at_decision(old, "tuned-mA") is None
    assert math.isnan(measures.metric("mA", "tuned-mA")(old))
    other = record("lmle", 0, 70.0) | {"decision": "neighbours"}  # with scores of its own
    assert measures.class_balanced(other) == 70
    assert math.isnan(measures.metric("mA", "argmax")(other))


def test_a_metric_that_was_not_defined_counts_in_no_mean():
    made = record("dcl", 0, 70.0)
    made["test"]["precision"] = None
    assert math.isnan(measures.metric("precision")(made))
    assert Finding.of([1.0, math.nan, 3.0]) == Finding.of([1.0, 3.0])


def test_the_moved_threshold_is_a_row_of_cross_entropys_runs():
    runs = three_seeds()
    runs["record"] = [
        decided(made, prior=81.0) if made["method"] == "cross-entropy" else made
        for made in runs["record"]
    ]
    shown = evidence.with_prior(runs)
    assert evidence.by_seed(shown, PRIOR).tolist() == [81.0] * 3
    assert shown["mA"][shown["method"] == PRIOR].tolist() == [81.0] * 3
    assert evidence.by_seed(shown, "cross-entropy").mean() == pytest.approx(70)
    moved = evidence.prior_as(runs, "dcl")  # in DCL's place
    assert evidence.difference(moved, "dcl", "cross-entropy").mean() == pytest.approx(11)
    assert evidence.with_prior(three_seeds()).equals(three_seeds())  # old records have none
    assert evidence.difference(evidence.prior_as(three_seeds(), "dcl"), "dcl", "crl").empty


def test_runs_are_named_by_the_choices_that_they_make_otherwise():
    runs = frame(
        record("dcl", 0, 80, epsilon=0.1, momentum=0.9, trunk=True),
        record("dcl", 0, 79, anchors="all", epsilon=0.1),
        record("dcl", 0, 78, epsilon=0, trunk=False),
    )
    names = list(evidence.by_choice(runs)["method"])
    assert names == [evidence.AS_READ, "anchors = all", "epsilon = 0, trunk = False"]


def test_epoch_wise_curricula_are_a_choice_only_where_others_move_step_by_step():
    old = [record("dcl", seed, 80, curriculum="epoch") for seed in (0, 1)]
    assert set(evidence.by_choice(frame(*old))["method"]) == {evidence.AS_READ}
    both = frame(old[0], record("dcl", 0, 81, curriculum="step"))
    assert "curriculum = epoch" in set(evidence.by_choice(both)["method"])


def test_the_end_of_a_schedule_is_told_with_how_it_moved():
    made = record("dcl", 0, 80)
    assert evidence.end_of_schedule(pd.Series([made])) == "0.000"
    by_epoch = record("dcl", 0, 80, curriculum="epoch") | {"final_g": 0.125}
    assert evidence.end_of_schedule(pd.Series([by_epoch])) == "0.125, epoch-wise"
    assert evidence.end_of_schedule(pd.Series([made, by_epoch])) == "0.000 to 0.125, epoch-wise"
    constant = record("crl", 0, 80, sampling=1.0)
    assert evidence.end_of_schedule(pd.Series([constant])) == "-"
