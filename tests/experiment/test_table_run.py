"""A table of one's own is trained from the command line: images, features, words, unknown cells."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from dcl.__main__ import main
from dcl.data.drawn.face_table import write_faces
from dcl.experiment import records
from dcl.experiment.config import ConfigError
from dcl.experiment.datasets import Table
from dcl.experiment.run import run


def write(path: Path, rows) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return str(path)


@pytest.mark.parametrize("method", ["dcl", "cross-entropy"])
def test_a_table_of_images_is_trained_tested_and_recorded(tmp_path, capsys, method):
    path = write_faces(tmp_path / "faces", 80)
    arguments = ["run", "table", "--data-root", str(path), "--images", str(path.parent / "images")]
    arguments += ["--results", str(tmp_path / "a.json"), "--method", method, "--quiet"]
    small = ["--epochs", "1", "--batch-size", "28", "--height", "24", "--width", "20"]
    assert main([*arguments, *small]) == 0
    assert (
        f"{method} on drawn_faces, 80 images at 20x24, scaled from 47x55 ("
        in capsys.readouterr().out
    )
    record = records.read(tmp_path / "a.json")
    assert list(record["test"]["per_attribute"]) == [
        "smiling",
        "glasses",
        "hat",
        "mustache",
        "hair",
    ]
    assert record["dataset"]["class_names"]["hair"] == ["black", "blond", "brown"]
    assert record["dataset"]["unknown_labels"]["smiling"] > 0
    assert len(record["test"]["per_attribute"]["hair"]["confusion"]) == 3
    config = Table(data_root=str(path), images=str(path.parent / "images"), height=24, width=20)
    labels = config.load(show=False).splits["test"].labels
    for number, row in enumerate(record["test"]["per_attribute"].values()):
        assert np.sum(row["confusion"]) == (labels[:, number] >= 0).sum()  # every known one
    assert main([*arguments, "--ignore", "colour"]) == 2
    assert "ignore names 'colour', but the columns are path, smiling" in capsys.readouterr().err


def test_a_table_of_features_is_learnt_by_a_small_network(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    words = np.where(x[:, 1] > 0.5, "high", np.where(x[:, 1] < -0.5, "low", "middle"))
    rows = [["a", "b", "c", "d", "label_rare", "label_level"]]
    rows += [[*map(str, f), int(f[0] > 1), w] for f, w in zip(x, words, strict=True)]
    values = {"data_root": write(tmp_path / "my.csv", rows), "results": str(tmp_path / "runs")}
    record = run(Table(**values, lr=0.1, epochs=30), show=False)
    assert record["dataset"]["title"] == "my, 300 rows of 4 features"
    assert record["path"].parent.name == "table-my"
    assert record["test"]["mA"] > 85
    assert record["dataset"]["features"]["names"] == ["a", "b", "c", "d"]


def test_settings_that_do_not_go_together_are_named():
    for values, message in (
        ({"weights": "x.pth"}, "weights are for a network of torchvision"),
        ({"weights": "x.pth", "backbone": "deepid2"}, "weights are for a network of torchvision"),
        ({"backbone": "resnet19"}, "backbone must be one of small, deepid2, alexnet"),
        ({"backbone": "deepid2"}, "takes images of height 55 and width 47, got 64 and 64"),
        ({"images": "x"}, "images is of a table: give it as data_root, or for it a folder with a"),
        ({"codes": "1=yes"}, "codes is of a table: give it as data_root"),
        ({"impute": "mean"}, "impute must be one of none, median, got 'mean'"),
    ):
        with pytest.raises(ConfigError, match=message):
            Table(**values)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"backbone": "resnet18"}, "backbone is of images, and small.csv holds features: .*resnet"),
        ({"mirror": False}, "mirror is of images, and small.csv holds features"),
    ],
)
def test_options_of_images_are_refused_for_features(values, names, tmp_path):
    config = Table(data_root=small_table(tmp_path), ignore="patient", **values)
    with pytest.raises(ConfigError, match=names):
        config.load(show=False)


def test_options_of_features_are_refused_for_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for values in ({"hidden": 64}, {"impute": "median"}):
        with pytest.raises(ConfigError, match=f"{[*values][0]} is of features, and drawn_f"):
            Table(drawn_faces=200, height=16, width=16, **values).load(show=False)


def test_faces_are_drawn_once_where_there_is_no_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Table(drawn_faces=200, height=16, width=16)
    data = config.load(show=False)
    assert data.title == "drawn_faces, 200 images at 16x16, scaled from 47x55"
    (folder,) = (tmp_path / "data").iterdir()
    before = (folder / "drawn_faces.csv").stat()
    assert config.load(show=False).fingerprint == data.fingerprint
    assert (folder / "drawn_faces.csv").stat() == before
    logits, _ = config.network(data)(torch.zeros(2, 3, 16, 16))
    assert logits.shape == (2, 5, 3)
    named = Table(drawn_faces=200, height=55, width=47, backbone="deepid2")
    assert named.network(data)(torch.zeros(2, 3, 55, 47))[0].shape == (2, 5, 3)


def small_table(folder: Path) -> str:
    """Features of 60 rows: a rare word, a cell of None, a column left out that comes again."""
    rng = np.random.default_rng(0)
    rows = [["x", "label_state", "label_hat", "patient"]]
    for number in range(60):
        hat = "None" if number == 7 else number % 2
        state = "defect" if number % 6 == 0 else "ok"
        rows.append([rng.normal() + (state == "ok"), state, hat, f"P{number // 4}"])
    return write(folder / "small.csv", rows)


def test_what_the_loader_notices_reaches_the_person(tmp_path, capsys):
    arguments = ["run", "table", "--data-root", small_table(tmp_path), "--method", "cross-entropy"]
    arguments += ["--ignore", "patient", "--epochs", "1", "--results", str(tmp_path / "a.json")]
    assert main([*arguments, "--quiet"]) == 0
    told = capsys.readouterr()
    record = records.read(tmp_path / "a.json")
    for note in record["dataset"]["notes"]:
        assert f"{note}\n" in told.err
    assert "hat: 1 of 60 labels unknown (1 'None')\n" in told.err
    assert "warning: rows in different splits share values of columns left out: patient" in told.err
    assert "--group patient" in told.err
    assert "(positive: state=defect)" in told.out
    rows = record["test"]["per_attribute"]
    assert {name: row["positive"] for name, row in rows.items()} == {"state": "defect", "hat": "1"}
    assert record["dataset"]["positive"] == {"state": "defect", "hat": "1"}
    counts = np.array(rows["state"]["confusion"])
    assert rows["state"]["recall"] == pytest.approx(100 * counts[1, 1] / counts[1].sum())
    assert counts[1].sum() < counts[0].sum()  # F1 is of the rare word


def test_options_of_a_table_come_from_the_command_line(tmp_path, capsys):
    arguments = ["run", "table", "--data-root", small_table(tmp_path), "--method", "cross-entropy"]
    arguments += ["--group", "patient", "--epochs", "1", "--quiet", "--labels", "label_hat"]
    arguments += ["--ignore", "label_state", "--results", str(tmp_path / "a.json")]
    assert main([*arguments, "--codes", "-1=unknown,0=no,1=yes,None=no"]) == 0
    record = records.read(tmp_path / "a.json")
    assert record["config"]["codes"] == "-1=unknown,0=no,1=yes,None=no"
    assert record["dataset"]["class_names"] == {"label_hat": ["no", "yes"]}
    assert "unknown_labels" not in record["dataset"]
    assert "each patient in one of them" in record["dataset"]["notes"][0]
    assert "(positive: yes)" in capsys.readouterr().out


def test_scores_of_three_classes_are_refused_before_the_training(tmp_path, monkeypatch):
    rows = ["a,kind,split"] + [
        f"{k / 7},{'xyz'[k % 3]},{('train', 'val', 'test')[k // 3 % 3]}" for k in range(36)
    ]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    config = Table(data_root=str(tmp_path / "table.csv"), keep_scores=True, device="cpu")
    monkeypatch.setattr("dcl.experiment.run._train", None)  # which is not come to
    with pytest.raises(ConfigError, match="keep_scores is for yes-or-no attributes.*3 classes"):
        run(config.replace(results=str(tmp_path), labels="kind"), show=False)


def test_an_option_given_twice_is_refused_as_the_first_would_be_lost(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("x,y,z,label\n")
    with pytest.raises(SystemExit):
        main(["run", "table", "--data-root", str(table), "--ignore", "y", "--ignore", "z"])
    assert "--ignore is given twice: give it once, with commas between values" in (
        capsys.readouterr().err
    )
