"""The run record."""

import importlib
import json
import math
import os

import pytest
import torch

from dcl.experiment import outputs, provenance, records
from dcl.experiment.datasets import CelebA
from dcl.experiment.run import source_of
from dcl.networks.backbones import TorchvisionModel
from dcl.networks.models import DeepID2


def record(**values):
    base = {
        "experiment": "celeba",
        "method": "dcl",
        "seed": 0,
        "config": {},
        "dataset": {"name": "faces", "title": "SynthFaces"},
        "test": {"mA": 80.0, "rarest_mA": 70.0, "per_attribute": {"Bald": {"mA": 75.5}}},
        "history": [{"epoch": 0}],
        "timing": {"ms_per_step": 12.0},
    }
    return base | values


def test_what_is_written_is_read_back(tmp_path):
    path = records.write(record(), tmp_path / "new" / "a.json")
    assert records.read(path) == {"schema": records.SCHEMA, **record()}
    assert os.listdir(path.parent) == ["a.json"]  # no scratch file is left


def test_nan_is_written_as_null(tmp_path):
    path = records.write(record(test={"mA": math.nan}), tmp_path / "a.json")
    assert json.loads(path.read_text())["test"]["mA"] is None


def test_a_failed_write_leaves_the_old_record(tmp_path, monkeypatch):
    path = records.write(record(), tmp_path / "a.json")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outputs.os, "replace", full)
    with pytest.raises(outputs.OutputError, match=r"a\.json: No space left"):
        records.write(record(seed=1), path)
    assert records.read(path)["seed"] == 0
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"schema": 99}', "has record schema 99, this version of dcl reads 2"),
        ("{", "is not a run record"),
        ("[]", "no 'schema'"),
        ("{}", "no 'schema'"),
    ],
)
def test_another_file_is_refused_by_name(tmp_path, text, names):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(records.RecordError, match=f"a.json.*{names}"):
        records.read(tmp_path / "a.json")


def test_a_missing_record_is_named(tmp_path):
    with pytest.raises(records.RecordError, match=r"none\.json: No such file"):
        records.read(tmp_path / "none.json")


def test_records_collect_into_a_row_each(tmp_path):
    for seed in (0, 1):
        records.write(record(seed=seed), tmp_path / "faces" / f"dcl-seed{seed}.json")
    frame = records.collect(tmp_path)
    assert frame["seed"].tolist() == [0, 1]
    assert frame["mA"].tolist() == [80, 80]
    assert records.per_attribute(frame["record"][0])["mA"]["Bald"] == 75.5


def test_the_source_hash_follows_what_decides_the_numbers():
    shared = "dcl.data.celeba", "dcl.experiment.trainer"
    run = provenance.source_hash("dcl.methods.framework", *shared)
    files = {
        path.relative_to(provenance.ROOT).as_posix()
        for path in provenance.files_of(("dcl.methods.framework", "dcl.experiment.trainer"))
    }
    assert {
        "dcl/sampling.py",
        "dcl/triplet.py",
        "dcl/criterion.py",
        "dcl/evaluation/metrics.py",
    } <= files
    assert not any(name.startswith("book/") for name in files)
    assert "dcl/methods/lmle.py" not in files  # another method changes nothing
    assert run != provenance.source_hash(
        "dcl.methods.lmle", "dcl.data.celeba", "dcl.experiment.trainer"
    )
    assert run == provenance.source_hash(
        "dcl.methods.framework", "dcl.data.celeba", "dcl.experiment.trainer"
    )


def test_the_source_of_a_run_follows_its_network(tmp_path, monkeypatch):
    found = [
        source_of(CelebA(), network)
        for network in (DeepID2(2, 2), TorchvisionModel("resnet18", 2, 2))
    ]
    module = tmp_path / "network_of_mine.py"
    module.write_text("from torch.nn import Linear\n\n\nclass Mine(Linear):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    mine = importlib.import_module("network_of_mine").Mine(1, 1)
    for _ in range(2):
        provenance.source_hash.cache_clear()
        found.append(source_of(CelebA(), mine))
        module.write_text(module.read_text() + "    scale = 2\n")
    assert len({*found}) == 4


def test_what_lies_in_a_hidden_folder_is_no_record(tmp_path):
    records.write(record(), tmp_path / "dcl-seed0.json")
    (tmp_path / ".dcl-packs").mkdir()
    (tmp_path / ".dcl-packs" / "meta.json").write_text("{}")
    assert len(records.collect(tmp_path)) == 1


def test_a_folder_without_records_is_named(tmp_path):
    with pytest.raises(records.RecordError, match="no run record in .*make some"):
        records.collect(tmp_path)


def test_a_report_names_the_method_it_misses(tmp_path):
    records.write(record(), tmp_path / "dcl-seed0.json")
    runs = records.collect(tmp_path)
    records.require(runs, "dcl")
    with pytest.raises(records.RecordError, match=r"no record of crl .*--method crl"):
        records.require(runs, "dcl", "crl")


def test_texts_with_brackets_are_kept_letter_by_letter(tmp_path):
    texts = {"a [b   c]": ["x [mm  y]", "] {", "[ 1,\n 2 ]"], "numbers": [[1, 2], [3]]}
    path = records.write(record(config=texts), tmp_path / "a.json")
    assert records.read(path)["config"] == texts
    assert "[ 1, 2 ]" in path.read_text()


def test_a_failed_write_of_scores_leaves_no_file(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    logits, labels = {"val": torch.zeros(3, 1, 2)}, {"val": torch.zeros(3, 1)}
    with monkeypatch.context() as patch:
        patch.setattr(outputs.os, "replace", full)
        with pytest.raises(outputs.OutputError, match=r"a\.scores\.npz: No space left"):
            records.write_scores(logits, labels, tmp_path / "a.json")
    assert os.listdir(tmp_path) == []
    records.write_scores(logits, labels, tmp_path / "new" / "a.json")
    assert records.read_scores(tmp_path / "new" / "a.json")["val"][0].shape == (3, 1)
