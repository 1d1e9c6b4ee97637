"""What validation says of an epoch."""

import functools
import math

import numpy as np
import pandas as pd
import pytest
import torch

from dcl import DCLLoss
from dcl.data.resident import Resident, Split
from dcl.experiment import records, trainer
from dcl.experiment.datasets import Table
from dcl.experiment.records import headline
from dcl.experiment.run import run
from dcl.networks.models import MLP


def best_of(reached, losses, monkeypatch):
    """The epoch kept, and its value, of a training with these numbers on validation."""
    scores = iter(
        [
            ({"val_loss": b, "val_mA": a}, {"argmax": a})
            for a, b in zip(reached, losses, strict=True)
        ]
    )
    monkeypatch.setattr(trainer, "validate", lambda *_: next(scores))
    images, labels = np.ones((8, 2), np.float32), np.arange(8)[:, None] % 2
    split = Resident(Split(images=images, labels=labels), torch.device("cpu"))
    progress = trainer.train(
        MLP(2, 1, 2, hidden=2),
        DCLLoss(torch.tensor([[4, 4]]), len(reached), seed=0),
        split, split, epochs=len(reached), batch_size=8, lr=0.01, momentum=0.0, weight_decay=0.0,
        seed=0, show=False,
    )  # fmt: skip
    best = progress.best["argmax"]
    return best["epoch"], best["value"]


@pytest.mark.parametrize(
    ("reached", "epoch", "value"),
    [
        ((math.nan, 60.0, 70.0, 65.0), 2, 70.0),  # none wins
        ((60.0, math.nan, 55.0), 0, 60.0),  # none blocks
        ((math.nan, 0.0, math.nan), 1, 0.0),
        ((math.nan, math.nan, math.nan), 2, None),  # validation says nothing: the last epoch
    ],
)
def test_a_nan_score_never_chooses_an_epoch(reached, epoch, value, monkeypatch):
    assert best_of(reached, [1.0] * len(reached), monkeypatch) == (epoch, value)


@pytest.mark.parametrize(
    ("reached", "losses", "epoch"),
    [
        ((100.0, 100.0, 100.0), (3.0, 1.0, 2.0), 1),  # a validation that every epoch solves
        ((100.0, 100.0), (1.0, 1.0), 0),
        ((100.0, 100.0), (math.nan, 1.0), 1),  # a loss that is none wins no tie
        ((100.0, 100.0), (1.0, math.nan), 0),
        ((90.0, 80.0), (3.0, 1.0), 0),  # the score comes first
        ((80.0, 90.0), (1.0, 3.0), 1),
    ],
)
def test_epochs_that_tie_are_told_apart_by_their_loss(reached, losses, epoch, monkeypatch):
    assert best_of(reached, losses, monkeypatch)[0] == epoch


def write_table(path, lacks_in: str, rows: int = 80):
    """Features that give away one label of four classes; a split has no row of the rarest, d."""
    label = np.array(list("aaaabbbccd"))[np.arange(rows) % 10]
    split = np.array(["train", "val", "test", "train"])[np.arange(rows) // 10 % 4]
    gone = (label == "d") & np.isin(split, lacks_in.split())
    label[gone] = "a"
    features = {f"x{k}": 1.0 * (label == name) for k, name in enumerate("abcd")}
    pd.DataFrame(features | {"kind": label, "split": split}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def lacking_run(tmp_path_factory):
    """The record of a run on a table whose validation split, or test split, lacks a class."""

    @functools.cache
    def record(lacks_in: str) -> dict:
        folder = tmp_path_factory.mktemp("lacking")
        table = write_table(folder / "table.csv", lacks_in)
        config = Table(
            data_root=str(table), labels="kind", method="cross-entropy", epochs=4, batch_size=16,
            results=str(folder / "runs"), device="cpu", lr=0.2,
        )  # fmt: skip
        return records.read(run(config, show=False)["path"])

    return record


def test_a_class_missing_in_validation_leaves_the_others_to_choose(lacking_run):
    record = lacking_run("val")
    for selection in (record["selection"], record["decisions"]["tuned-mA"]["selection"]):
        assert selection["rule"] == "best on validation, by the classes it holds"
        assert selection["validation_lacks"] == {"kind": [3]}
    reached = [row["val_mA"] for row in record["history"]]
    assert record["selection"]["best_val"] == max(reached)
    tied = {
        row["epoch"]: row["val_loss"] for row in record["history"] if row["val_mA"] == max(reached)
    }
    assert record["selection"]["best_epoch"] == min(tied, key=tied.get) > 0


def test_a_validation_of_one_class_leaves_the_last_epoch(tmp_path):
    table = write_table(tmp_path / "table.csv", "")
    frame = pd.read_csv(table)
    frame.loc[frame["split"] == "val", "kind"] = "a"
    frame.to_csv(table, index=False)
    config = Table(
        data_root=str(table), labels="kind", method="cross-entropy", epochs=3, batch_size=16,
        results=str(tmp_path / "runs"), device="cpu",
    )  # fmt: skip
    record = run(config, show=False)
    for found in (record, *record["decisions"].values()):
        selection = found["selection"]
        assert (selection["best_epoch"], selection["best_val"]) == (2, None)
        assert selection["rule"].startswith("last epoch: validation does not hold two classes")


def test_a_class_missing_in_test_is_said_once_and_in_words(lacking_run, capsys, recwarn):
    record = lacking_run("test")
    told = capsys.readouterr().err.splitlines()
    said = "kind: no test row is 'd': its mA is undefined, and left out of the mean"
    assert told.count(said) == 1
    assert said in record["dataset"]["notes"]
    assert not [w for w in recwarn if "undefined" in str(w.message)]  # not a second time
    assert record["test"]["mA"] is None
    line = headline(record)
    assert "nan" not in line
    assert "class-balanced undefined without test samples of d" in line
    assert "100.00 % over the 3 classes there are" in line
