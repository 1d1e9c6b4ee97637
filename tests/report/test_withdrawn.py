"""Runs whose features fell into one point are told by their metric loss, and not shown."""

import json
from pathlib import Path

import pytest
from made import frame, record

from dcl.experiment import records
from dcl_book import evidence
from dcl_book.withdrawn import withdrawn

RESULTS = Path(__file__).resolve().parents[2] / "results"


def quintuplets(*losses, method="lmle", warm=4):
    """A record with this metric loss after a warm-up without one."""
    made = record(method, 0, 60.0)
    made["history"] = [{"epoch": n, "g": None} for n in range(warm)]
    made["history"] += [{"epoch": warm + n, "metric": x} for n, x in enumerate(losses)]
    return made


def test_a_loss_at_the_margins_sum_is_a_collapse():
    reason = withdrawn(quintuplets(28.6, 27.997, 28.002, 28.002))
    assert reason.startswith(
        "collapsed, metric loss 28.00 = 40 x (0.1 + 0.2 + 0.4) from epoch 6 on"
    )


@pytest.mark.parametrize(
    "made",
    [
        quintuplets(28.0, 24.0, 20.0),  # passes through, and learns
        quintuplets(28.0, 28.0, 27.5),
        quintuplets(),  # still warming up
        quintuplets(28.0, 28.0, method="dcl"),  # a loss of other margins
    ],
)
def test_a_loss_elsewhere_is_none(made):
    assert withdrawn(made) == ""


def test_no_committed_run_is_at_the_margins_sum():
    paths = sorted(RESULTS.rglob("lmle*.json"))
    assert paths
    for path in paths:
        assert not withdrawn(records.read(path)), path


def test_collapsed_runs_are_in_no_frame_and_the_reason_is(tmp_path):
    for seed, made in enumerate((quintuplets(28.0, 28.0), quintuplets(28.0, 20.0))):
        text = json.dumps(made | {"schema": records.SCHEMA, "seed": seed})
        (tmp_path / f"lmle-seed{seed}.json").write_text(text)
    assert evidence.collect_if_any(tmp_path)["seed"].tolist() == [1]
    assert evidence.of_dataset(tmp_path, "celeba", "lmle")["seed"].tolist() == [1]
    reasons = evidence.left_out(tmp_path)
    assert reasons["lmle"].startswith("seed 0: collapsed, metric loss 28.00 = 40 x")
    assert evidence.left_out(tmp_path / "none") == {}


def test_a_frame_of_runs_that_learn_stays_as_it_is():
    runs = frame(record("dcl", 0, 80), record("dcl", 1, 81))
    assert evidence._shown(runs).equals(runs)
