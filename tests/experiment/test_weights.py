"""Weights beside a record: tested again, they give the recorded numbers."""

import json
import shutil

import pandas as pd
import pytest
import torch

from dcl import evaluate, tune_thresholds
from dcl.__main__ import main
from dcl.evaluation.decisions import two_columns
from dcl.experiment import config, records
from dcl.experiment.config import ConfigError
from dcl.experiment.datasets import CelebA
from dcl.experiment.outputs import OutputError
from dcl.experiment.records import RecordError, WeightsError
from dcl.experiment.run import check, run

OPTIONS = {"batch_size": 64, "device": "cpu", "profile": "quick"}


@pytest.fixture(scope="module", autouse=True)
def few_images():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "QUICK_SIZES", {"train": 256, "val": 200, "test": 200})
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The record of cross entropy with its weights and scores."""
    results = tmp_path_factory.mktemp("run") / "cross-entropy-seed0.json"
    kept = {"keep_weights": True, "keep_scores": True}
    options = {**OPTIONS, **kept, "method": "cross-entropy", "results": str(results)}
    return run(CelebA(**options), show=False)["path"]


@pytest.fixture
def copied(path, tmp_path):
    """The same in a folder of its own, to be spoilt."""
    return shutil.copytree(path.parent, tmp_path / "copy") / path.name


def test_kept_weights_give_the_recorded_numbers(path, capsys):
    recorded, found = records.read(path)["test"], check(path)
    assert found["mA"] == pytest.approx(recorded["mA"], abs=1e-9)
    assert (
        found["per_attribute"]["Bald"]["confusion"]
        == (recorded["per_attribute"]["Bald"]["confusion"])
    )
    assert main(["check", str(path)]) == 0
    assert "the recorded numbers" in capsys.readouterr().out


def test_kept_scores_give_the_recorded_numbers_to_8_bits(path):
    record, kept = records.read(path), records.read_scores(path)
    odds, labels = (torch.from_numpy(x) for x in kept["test"])
    frame = evaluate(two_columns(odds), labels, list(record["test"]["per_attribute"]))
    recorded = pd.DataFrame(record["test"]["per_attribute"]).T
    # two epochs leave scores close together: a step of 0.06 may tie many of them
    assert abs(frame["auc"] - recorded["auc"].astype(float)).median() < 0.5
    assert abs(frame["mA"].mean() - record["test"]["mA"]) < 1
    tuned = tune_thresholds(*(torch.from_numpy(x) for x in kept["val"]), bootstrap=0)
    thresholds = record["decisions"]["tuned-mA"]["thresholds"]
    if (
        record["selection"]["best_epoch"]
        == record["decisions"]["tuned-mA"]["selection"]["best_epoch"]
    ):
        found = dict(zip(record["test"]["per_attribute"], tuned.thresholds.tolist(), strict=True))
        apart = [abs(found[name] - thresholds[name][0]) for name in found]
        assert sorted(apart)[len(apart) // 2] < 0.1


def test_numbers_that_were_changed_are_noticed(copied, capsys):
    record = records.read(copied)
    record["test"]["mA"] += 1
    copied.write_text(json.dumps(record))
    assert main(["check", str(copied)]) == 1
    assert "NOT the recorded numbers" in capsys.readouterr().out


def test_weights_are_where_the_record_is_or_the_error_says_so(copied):
    copied.with_suffix(".safetensors").unlink()
    with pytest.raises(WeightsError, match=r"cross-entropy-seed0\.safetensors.*keep_weights True"):
        check(copied)
    with pytest.raises(RecordError, match=r"nowhere\.json"):
        check(copied.with_name("nowhere.json"))


def test_a_torn_file_is_refused(copied):
    weights = copied.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a safetensors file"):
        check(copied)


def test_files_of_an_earlier_run_are_not_taken_for_the_records(copied, tmp_path, capsys):
    options = {**OPTIONS, "results": str(copied)}
    run(CelebA(**options), show=False)
    left = "is of an earlier run, that of .* had {} False: run it again with {} True"
    with pytest.raises(RecordError, match=left.format(*["keep_weights"] * 2)):
        records.read_weights(copied)
    with pytest.raises(RecordError, match=left.format(*["keep_scores"] * 2)):
        records.read_scores(copied)
    assert main(["predict", str(copied), str(tmp_path), "--out", str(tmp_path / "p.csv")]) == 2
    run(CelebA(**options, keep_weights=True, keep_scores=True), show=False)
    records.read_weights(copied)
    records.read_scores(copied)


@pytest.mark.parametrize("name", ["mine.json", "mine.safetensors", "mine.scores.npz"])
def test_a_run_writes_over_no_file_of_others(name, tmp_path, monkeypatch):
    monkeypatch.setattr("dcl.experiment.run._train", lambda *_: pytest.fail("it trained"))
    (tmp_path / name).write_text('{"schema": 1}')
    kept = {"keep_weights": True, "keep_scores": True}
    with pytest.raises(OutputError, match=f"{name} .*take (it|the file) away"):
        run(CelebA(**OPTIONS, **kept, results=str(tmp_path / "mine.json")), show=False)
    assert (tmp_path / name).read_text() == '{"schema": 1}'


def test_a_run_writes_over_no_weights_of_another_network(tmp_path, monkeypatch):
    monkeypatch.setattr("dcl.experiment.run._train", lambda *_: pytest.fail("it trained"))
    records.write_weights(torch.nn.Linear(3, 2).state_dict(), tmp_path / "mine.json")
    with pytest.raises(OutputError, match=r"mine\.safetensors .*take it away"):
        run(CelebA(**OPTIONS, keep_weights=True, results=str(tmp_path / "mine.json")), show=False)


def test_a_record_that_was_taken_away_is_made_again(copied, monkeypatch):
    copied.unlink()
    monkeypatch.setattr("dcl.experiment.run._train", lambda *_: 1 / 0)
    kept = {"keep_weights": True, "keep_scores": True}
    with pytest.raises(ZeroDivisionError):  # it trains
        run(CelebA(**OPTIONS, **kept, results=str(copied)), show=False)


def test_weights_of_another_network_are_refused(tmp_path):
    record = tmp_path / "x.json"
    records.write_weights(torch.nn.Linear(3, 2).state_dict(), record)
    state = records.read_weights(record)
    records.load_into(torch.nn.Linear(3, 2), state, record)
    with pytest.raises(WeightsError, match=r"x\.safetensors .* another network"):
        records.load_into(torch.nn.Linear(4, 2), state, record)


def test_other_data_are_refused(copied):
    record = records.read(copied)
    record["dataset"]["fingerprint"] = "another"
    copied.write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="fingerprint"):
        check(copied)


def test_curves_of_a_record_pass_through_its_decision(path):
    test = records.read(path)["test"]
    middle = test["curves"]["log_odds"].index(0.0)
    for name, row in test["per_attribute"].items():
        (true_negative, false_positive), _ = row["confusion"]
        share = false_positive / (true_negative + false_positive)
        assert 100 * test["curves"]["recall"][name][middle] == pytest.approx(
            row["recall"], abs=0.01
        )
        assert test["curves"]["false_positive_rate"][name][middle] == pytest.approx(share, abs=1e-4)


def test_a_run_keeps_no_weights_unasked(tmp_path):
    run(CelebA(**OPTIONS, results=str(tmp_path)), show=False)
    assert not list(tmp_path.rglob("*.safetensors"))
