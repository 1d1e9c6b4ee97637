"""Published records and weights verified again: what is whole passes, what was touched is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from dcl.__main__ import main
from dcl.experiment import records
from dcl.experiment.verify import (
    changes,
    differences,
    record_fault,
    scores_fault,
    verify_all,
)

RESULTS = Path(__file__).resolve().parents[2] / "results"
RECORD = RESULTS / "celeba-30k" / "dcl-seed0.json"


def touched(folder: Path, change) -> Path:
    """A published record with a change made to it."""
    record = json.loads(RECORD.read_text("utf8"))
    change(record)
    path = folder / "dcl-seed0.json"
    path.write_text(json.dumps(record))
    return path


def test_every_published_record_is_whole_and_agrees_with_itself():
    faults, summary = verify_all(RESULTS, data_root="nowhere")
    found = len(list(RESULTS.rglob("*.json")))
    assert [fault for fault in faults if "nowhere" not in fault] == []
    assert summary.startswith(f"{found} records, ")
    kept = len(list(RESULTS.rglob("*.scores.npz")))
    assert f" and {kept} of scores below " in summary
    assert kept


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r["test"].update(mA=81.5), "decision argmax: mA is 81.5, its attributes give 8"),
        (lambda r: r["test"].update(mA=None), "mA is None"),
        (lambda r: r["test"]["per_attribute"]["Bald"].update(mA=91.0), "Bald: mA is 91.0, its con"),
        (lambda r: r["test"]["per_attribute"]["Bald"].update(confusion=[[0, 0], [7, 60]]),
         ", a class has no sample"),
        (lambda r: r["history"].pop(3), "epochs of history are not 0, 1, 2"),
        (lambda r: r["history"].pop(), "history has 7 epochs of 8"),
        (lambda r: r["history"][2].update(loss=None), "history, epoch 2: loss is None"),
        (lambda r: r["selection"].update(best_epoch=8), "there was no epoch 8"),
        (lambda r: r["timing"].clear(), "timing has no ms_per_step"),
        (lambda r: r.pop("test"), "test has no mA"),
        (lambda r: r.update(experiment="mnist"), "unknown experiment 'mnist'"),
        (lambda r: r.update(seed="0"), "seed '0'"),
        (lambda r: r.update(schema=99), "record schema 99"),
        (lambda r: r.update(history=3), "not a whole run record (TypeError"),
    ],
)  # fmt: skip
def test_a_touched_record_is_named_with_its_fault(tmp_path, change, words):
    path = touched(tmp_path, change)
    assert words in record_fault(path)
    faults, _ = verify_all(tmp_path)
    assert len(faults) == 1
    assert faults[0].startswith(f"{path}: ")


def test_a_gpus_record_is_found_on_a_cpu_but_for_a_few_decisions():
    record = json.loads(RECORD.read_text("utf8"))
    found = json.loads(RECORD.read_text("utf8"))["test"]
    total = sum(map(sum, sum((row["confusion"] for row in found["per_attribute"].values()), [])))
    assert changes(record["test"], found) == (0, total)
    assert total == 40 * record["dataset"]["found"]["test"]

    def move(count: int) -> None:
        """`count` more of the images with a smile are not seen to have one."""
        _, smiling = found["per_attribute"]["Smiling"]["confusion"]
        smiling[0], smiling[1] = smiling[0] + count, smiling[1] - count
        found["mA"] -= 50 * count / sum(smiling) / 40

    move(total // 5000)
    assert changes(record["test"], found) == (total // 5000, total)
    assert set(differences(record, found, device="cpu")) == {"mA"}  # the record is of a CPU
    record["environment"]["device"] = "cuda (NVIDIA H200)"
    assert differences(record, found, device="cpu") == {}
    found["auc"] += 0.11  # which no confusion count tells
    assert set(differences(record, found, device="cpu")) == {"auc"}
    found["auc"] -= 0.11
    move(1)
    assert set(differences(record, found, device="cpu")) == {"mA"}


def test_weights_without_a_record_or_not_finite_are_named_without_data(tmp_path):
    shutil.copy(RECORD, tmp_path)
    records.write_weights({"a": torch.zeros(2)}, tmp_path / "stray.json")
    records.write_weights({"a": torch.tensor([1.0, torch.nan])}, tmp_path / "dcl-seed0.json")
    faults, _ = verify_all(tmp_path)
    assert [Path(fault.split(": ")[0]).stem for fault in faults] == ["dcl-seed0", "stray"]
    assert faults[0].endswith("a is not finite")
    assert faults[1].endswith("no record stray.json beside it")


def test_weights_whose_data_are_not_here_are_not_counted_as_tested(tmp_path):
    record = touched(tmp_path, lambda r: r["config"].update(data_root="no/such/folder"))
    shutil.copy(RECORD.with_suffix(".safetensors"), tmp_path)
    faults, summary = verify_all(tmp_path)
    assert faults == []
    assert "1 of the weights were not tested on their data" in summary
    faults, _ = verify_all(tmp_path, data_root=str(tmp_path / "data"))
    assert faults[0].startswith(f"{record.with_suffix('.safetensors')}: ")


def test_a_record_of_a_data_set_outside_the_checkout_is_whole(tmp_path):
    assert record_fault(touched(tmp_path, lambda r: r.update(experiment="my_sets:Mine"))) == ""


def test_scores_of_data_without_a_validation_split_are_whole(tmp_path):
    kept = next(RESULTS.rglob("dcl-*.scores.npz"))
    record = kept.name.removesuffix(".scores.npz") + ".json"
    shutil.copy(kept.with_name(record), tmp_path)
    with np.load(kept) as arrays:
        np.savez(tmp_path / kept.name, **{k: v for k, v in arrays.items() if k[:4] == "test"})
    assert scores_fault(tmp_path / kept.name) == ""


def test_scores_that_are_not_their_records_are_named(tmp_path):
    kept = next(RESULTS.rglob("dcl-*.scores.npz"))
    here = tmp_path / kept.name
    shutil.copy(kept, here)
    assert scores_fault(here).startswith("no record ")
    record = kept.name.removesuffix(".scores.npz") + ".json"
    shutil.copy(kept.with_name(record), tmp_path)
    assert scores_fault(here) == ""
    with np.load(kept) as arrays:
        whole = dict(arrays)
    turned = whole["test_scores"].copy()
    turned[0, 3] = 255 - turned[0, 3]
    np.savez(here, **whole | {"test_scores": turned})
    assert "its scores give" in scores_fault(here)
    np.savez(here, **{name: values[:, :7] for name, values in whole.items()})
    assert scores_fault(here) == "not the attributes of its record"
    np.savez(here, **whole | {"test_labels": whole["test_labels"][:5]})
    assert scores_fault(here) == "not the attributes of its record"
    broken = bytearray(kept.read_bytes())
    broken[len(broken) // 2] ^= 255
    for content in (b"PK, not", b"", bytes(broken)):
        here.write_bytes(content)
        faults, summary = verify_all(tmp_path)
        assert [fault for fault in faults if "not a file of scores" in fault] == faults != []
        assert "1 of scores" in summary


def test_the_command_line_verifies_a_folder(tmp_path, capsys):
    shutil.copy(RECORD, tmp_path)
    assert main(["check", "--all", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing is at fault"
    touched(tmp_path, lambda r: r["test"].update(mA=1.0))
    assert main(["check", "--all", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 at fault"
    assert main(["check", "--all", str(tmp_path / "none")]) == 2
    assert "no run record below" in capsys.readouterr().err
    assert main(["check"]) == 2
    assert "or --all" in capsys.readouterr().err
