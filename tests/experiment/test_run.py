"""A run from configuration to record: repeatable, resumable, and stopped with a reason."""

import math
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from small_run import OPTIONS, metrics, tiny

from dcl import Criterion, DCLLoss, calibration_error, target_distribution
from dcl.__main__ import main
from dcl.data import Resident, Split, flip
from dcl.evaluation.calibration import to_training_prior
from dcl.experiment import outputs, records, trainer, verify
from dcl.experiment.checkpoint import TrainingError
from dcl.experiment.datasets import CelebA
from dcl.experiment.outputs import OutputError
from dcl.experiment.run import run, settle_precision
from dcl.experiment.testing import calibration_of
from dcl.methods import METHODS, lmle
from dcl.protocol import shares
from dcl_book import figures
from dcl_book.measures import best_on_validation


@pytest.fixture(scope="module")
def data():
    return tiny()


@pytest.fixture(scope="module")
def few(data):
    """The same with four of the attributes: most of so small a run's time is theirs."""
    parts = data.splits.items()
    splits = {name: Split(images=part.images, labels=part.labels[:, :4]) for name, part in parts}
    return data.replace(attributes=data.attributes[:4], splits=splits)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The record of a run that was never interrupted."""
    folder = tmp_path_factory.mktemp("finished")
    written = run(CelebA(**OPTIONS, results=str(folder)), data=data, show=False)
    return records.read(written["path"])


def test_the_record_has_its_fixed_keys(finished, data):
    assert finished["schema"] == records.SCHEMA
    assert (finished["experiment"], finished["method"], finished["seed"]) == ("celeba", "dcl", 0)
    assert finished["config"]["sampling"] == "convex"
    assert finished["dataset"]["name"] == "faces"
    assert finished["dataset"]["found"] == {"train": 96, "val": 48, "test": 48}
    assert 0 < finished["test"]["mA"] < 100
    assert list(finished["test"]["per_attribute"]) == list(data.attributes)
    each = [row["mA"] for row in finished["test"]["per_attribute"].values()]
    assert finished["test"]["mA"] == pytest.approx(np.mean(each))
    assert [row["epoch"] for row in finished["history"]] == [0, 1, 2]
    assert finished["timing"]["ms_per_step"] > 0
    bald = finished["test"]["per_attribute"]["Bald"]["confusion"]
    assert np.sum(bald) == 48
    kept = finished["calibration"]
    assert list(kept["per_attribute"]) == list(data.attributes)
    assert sum(kept["pooled"]["counts"]) == 48 * len(data.attributes)
    assert kept["at_training_prior"]["ece"] != kept["ece"]
    assert len(figures.reliability({"dcl": kept}, "SynthFaces").axes) == 2


def test_the_same_seed_gives_the_same_record_and_another_seed_another(finished, data, tmp_path):
    same = run(CelebA(**OPTIONS, results=str(tmp_path)), data=data, show=False)
    assert metrics(records.read(same["path"])) == metrics(finished)
    other = run(CelebA(**OPTIONS, results=str(tmp_path), seed=1), data=data, show=False)
    assert metrics(records.read(other["path"])) != metrics(finished)


SCRIPT = """
import sys; sys.path.insert(0, {tests!r})
from small_run import OPTIONS, tiny
from dcl.experiment.datasets import CelebA
from dcl.experiment.run import run
import time, torch; torch.set_num_threads(1)
from dcl.experiment import trainer
save = trainer.save_checkpoint
trainer.save_checkpoint = lambda *arguments: (save(*arguments), time.sleep(60))
run(CelebA(**OPTIONS, results={results!r}), data=tiny(), show=False)
"""


def test_a_killed_run_resumes_and_ends_like_one_never_killed(finished, data, tmp_path, capsys):
    script = SCRIPT.format(tests=str(Path(__file__).parent), results=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 300
        while not list(tmp_path.rglob("*.checkpoint")):  # the first epoch is done
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not list(tmp_path.rglob("*.json"))  # it had not ended
    run(CelebA(**OPTIONS, results=str(tmp_path)), data=data, show=False)
    assert "resuming after epoch" in capsys.readouterr().err
    (path,) = tmp_path.rglob("*.json")
    assert metrics(records.read(path)) == metrics(finished)
    assert not list(tmp_path.rglob("*.checkpoint*"))


def test_every_decision_is_tested_in_one_training_each_at_its_own_epoch(finished, data):
    assert finished["decision"] == "argmax"
    assert set(finished["decisions"]) == {"prior", "tuned-mA", "tuned-f1"}
    keys = {"prior": "val_mA_prior", "tuned-mA": "val_mA_tuned-mA", "tuned-f1": "val_f1_tuned-f1"}
    for name, key in keys.items():
        chosen = finished["decisions"][name]["selection"]
        values = [row[key] for row in finished["history"]]
        assert chosen["best_val"] == max(values)
        assert chosen["best_epoch"] == int(np.argmax(values))
        assert list(finished["decisions"][name]["test"]["per_attribute"]) == list(data.attributes)
        assert "curves" not in finished["decisions"][name]["test"]
    thresholds = finished["decisions"]["tuned-f1"]["thresholds"]
    assert set(thresholds) == set(data.attributes)
    assert all(spread >= 0 for _, spread in thresholds.values())
    last = finished["last"]
    assert last["epoch"] == 2
    assert set(last["test"]) == {"argmax", "prior", "tuned-mA", "tuned-f1"}
    if finished["selection"]["best_epoch"] == 2:
        assert last["test"]["argmax"]["mA"] == pytest.approx(finished["test"]["mA"])


@pytest.mark.parametrize(("curriculum", "end"), [("step", 8 / 9), ("epoch", 2 / 3)])
def test_curricula_move_with_each_step_and_the_end_is_recorded(curriculum, end, few, tmp_path):
    config = CelebA(**OPTIONS, curriculum=curriculum, sampling="linear", results=str(tmp_path))
    record = records.read(run(config, data=few, show=False)["path"])  # 3 steps of 3 epochs
    assert record["final_g"] == pytest.approx(1 - end)
    assert record["final_f"] == pytest.approx(0.1)
    assert record["config"]["curriculum"] == curriculum
    assert [row["g"] for row in record["history"]] == pytest.approx(
        [1 - (epoch + 3 * end - 2) / 3 for epoch in range(3)]
    )


OF_ATTRIBUTES = [name for name, entry in METHODS.items() if entry.tasks != "single-label"]


def test_without_a_validation_split_the_last_epoch_is_tested_and_nothing_tuned(
    finished, data, tmp_path
):
    part = data.replace(splits={k: v for k, v in data.splits.items() if k != "val"})
    config = CelebA(**OPTIONS, results=str(tmp_path), keep_weights=True, keep_scores=True)
    path = run(config, data=part, show=False)["path"]
    record = records.read(path)
    chosen = record["selection"]
    assert (chosen["best_epoch"], chosen["best_val"]) == (2, None)
    assert chosen["rule"] == "last epoch: no validation split, so no threshold is tuned"
    assert list(record["decisions"]) == ["prior"]
    assert finished["selection"]["rule"] == "best on validation"
    last = finished["last"]["test"]  # validation has no part in training
    assert record["test"]["mA"] == last["argmax"]["mA"]
    assert record["decisions"]["prior"]["test"]["f1"] == last["prior"]["f1"]
    assert set(record["thresholds"]) == {"prior"}
    assert list(records.read_scores(path)) == ["test"]
    assert not any("val" in key for row in record["history"] for key in row)
    assert verify.record_fault(path) == ""
    assert len(figures.training(record).axes) == 1
    assert len(figures.training(finished).axes) == 2
    assert math.isnan(best_on_validation(record))


@pytest.mark.parametrize("method", OF_ATTRIBUTES)
def test_every_method_trains_and_leaves_its_record_alone(method, few, tmp_path):
    config = CelebA(method=method, epochs=2, batch_size=48, device="cpu", results=str(tmp_path))
    path = run(config, data=few, show=False)["path"]
    assert [left for left in tmp_path.rglob("*") if left.is_file()] == [path]  # no weights unasked
    record = records.read(path)
    assert record["method"] == record["config"]["method"] == method
    assert len(record["history"]) == 2
    assert record["test"]["mA"] > 0
    assert {record["decision"], *record["decisions"]} == set(METHODS[method].decisions)
    for draw in (figures.training, figures.attribute_bars):
        assert len(draw(record).axes) > 0


def test_a_network_of_the_warm_up_is_never_chosen(few, tmp_path):
    config = CelebA(method="lmle", epochs=4, batch_size=48, warm_up=0.5, results=str(tmp_path))
    record = records.read(run(config, data=few, show=False)["path"])
    assert record["selection"]["best_epoch"] >= 2
    assert len(record["timing"]["clustering_seconds"]) >= 4  # before every scoring


def test_features_that_collapse_stop_the_run(data, tmp_path, monkeypatch):
    config = CelebA(method="lmle", epochs=2, batch_size=48, results=str(tmp_path))
    monkeypatch.setattr(trainer, "embed", lambda model, split: torch.ones(len(split), 16, 8))
    with pytest.raises(lmle.CollapsedError, match=r"collapsed into a point.*Lower lr"):
        run(config, data=data, show=False)


def test_a_loss_that_is_not_finite_names_step_rate_and_checkpoint(data, tmp_path):
    config = CelebA(**OPTIONS, lr=1e6, results=str(tmp_path))
    with pytest.raises(
        TrainingError, match=r"not finite at step \d of 3 of epoch 1 of 3, at lr .*none"
    ):
        run(config, data=data, show=False)
    assert not list(tmp_path.rglob("*.json"))


def test_a_network_broken_by_an_epochs_last_step_is_never_saved(
    data, finished, tmp_path, monkeypatch
):
    config = CelebA(**OPTIONS, results=str(tmp_path))
    train_epoch, epochs = trainer._train_epoch, iter((0, 1))

    def broken(network, *args):
        row = train_epoch(network, *args)
        if next(epochs) == 1:
            next(network.parameters()).data.fill_(torch.nan)
        return row

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_train_epoch", broken)
        with pytest.raises(
            TrainingError,
            match=r"NaN after epoch 2 of 3, at lr .*checkpoint, after epoch 1\. Lower",
        ):
            run(config, data=data, show=False)
    resumed = records.read(run(config, data=data, show=False)["path"])
    assert metrics(resumed) == metrics(finished)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 truncated"])
def test_a_broken_checkpoint_is_refused_by_name(data, tmp_path, content):
    config = CelebA(**OPTIONS, results=str(tmp_path))
    path = config.record_path(data).with_suffix(".checkpoint")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=rf"{path.name} is not a checkpoint.*delete it"):
        run(config, data=data, show=False)


def test_a_checkpoint_of_another_run_is_refused_by_name(data, tmp_path):
    config = CelebA(**OPTIONS, results=str(tmp_path))
    path = config.record_path(data).with_suffix(".checkpoint")
    path.parent.mkdir(parents=True)
    torch.save({"identity": "other"}, path)
    with pytest.raises(TrainingError, match=r"written by another run .*\(other, this run is"):
        run(config, data=data, show=False)


def test_a_resident_batch_is_gathered_flipped_and_normalised():
    images = np.arange(2 * 3 * 2 * 4, dtype=np.uint8).reshape(2, 3, 2, 4)
    resident = Resident(Split(images=images, labels=np.array([[0], [1]])), "cpu", flip)
    plain, labels = resident.batch(torch.tensor([1, 0]))
    np.testing.assert_allclose(plain[1], (images[0] - 127.5) / 64)
    assert labels.tolist() == [[1], [0]]
    generator = torch.Generator().manual_seed(0)
    flips = [
        torch.equal(resident.batch(torch.tensor([0]), generator)[0], plain[1:].flip(3))
        for _ in range(200)
    ]
    assert 60 < sum(flips) < 140  # half of them


def test_a_results_folder_that_cannot_hold_the_run_is_said_before_it_trains(
    data, tmp_path, monkeypatch
):
    monkeypatch.setattr(trainer, "train", lambda *_, **__: pytest.fail("it trained"))
    (tmp_path / "file").touch()
    with pytest.raises(
        OutputError, match=r"results folder .*file/faces: Not a directory.* results"
    ):
        run(CelebA(**OPTIONS, results=str(tmp_path / "file")), data=data, show=False)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(
        OutputError, match=r"0 MiB free, the checkpoints of this run take up to \d+"
    ):
        run(CelebA(**OPTIONS, results=str(tmp_path)), data=data, show=False)


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "stopped")],
)
def test_a_run_that_is_stopped_says_how_to_go_on(
    number, status, word, data, tmp_path, monkeypatch, capsys
):
    save = trainer.save_checkpoint

    def save_and_stop(*arguments):
        save(*arguments)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(trainer, "save_checkpoint", save_and_stop)
    monkeypatch.setattr(CelebA, "load", lambda self, show: data)
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, lambda *_: pytest.fail("not caught"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored after a shell's &
    command = ["run", "celeba", "--batch-size", "32", "--quiet", "--results", str(tmp_path)]
    try:
        assert main(command) == status
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    said = capsys.readouterr().err
    assert f"{word}: the same command goes on from the last finished epoch" in said
    (checkpoint,) = tmp_path.rglob("*.checkpoint")
    assert torch.load(checkpoint, weights_only=True)["progress"]["epoch"] == 1


def test_two_processes_do_not_train_one_record(data, tmp_path, monkeypatch):
    config = CelebA(**OPTIONS, results=str(tmp_path / "a.json"))
    train = trainer.train

    def train_twice(*arguments, **options):
        with pytest.raises(TrainingError, match="another process trains this run"):
            run(config, data=data, show=False)
        return train(*arguments, **options)

    monkeypatch.setattr(trainer, "train", train_twice)
    run(config, data=data, show=False)
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    "command", [["tune", "s.csv"], ["check", "a.json"], ["run", "celeba", "--quiet"]]
)
def test_a_command_that_is_stopped_early_says_that_nothing_was_written(
    command, tmp_path, monkeypatch, capsys
):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").touch()
    for place in ("tune.read_scores", "records.read", "run.load_data"):
        monkeypatch.setattr(f"dcl.experiment.{place}", stop)
    assert main(command) == 130
    assert capsys.readouterr().err == "stopped\n"


@pytest.mark.parametrize(
    "command",
    [
        ["run", "table", "--data-root", ""],
        ["run", "celeba", "--data-root="],
        ["run", "table", "--data-root", "a.csv", "--images", ""],
        ["run", "celeba", "--results", ""],
        ["grid", "celeba-30k", "--data-root", ""],
        ["predict", "a.json", ""],
    ],
)
def test_an_empty_argument_is_refused(command, capsys):
    assert main(command) == 2
    what = next(word for word in (command[-1], command[-2]) if word).rstrip("=")
    what = what if what.startswith("--") else "an argument"
    assert f"{what} is empty, as an unset variable" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["run", "celeba", "--data-root"], ["tune"], ["check", "--all"]]
)
def test_a_name_that_is_too_long_is_refused_in_a_line(command, capsys):
    assert main([*command, "x" * 300]) == 2
    assert "File name too long. Give another name" in capsys.readouterr().err


def test_bfloat16_is_of_the_products_alone(data, finished, tmp_path, monkeypatch):
    seen = set()
    call = DCLLoss.forward

    def forward(self, logits, features, labels, *weights):
        seen.update({logits.dtype, features.dtype})
        return call(self, logits, features, labels, *weights)

    monkeypatch.setattr(DCLLoss, "forward", forward)
    config = CelebA(**OPTIONS, precision="bfloat16", results=str(tmp_path / "a.json"))
    made = run(config, data=data, show=False)
    assert seen == {torch.float32}
    first, expected = made["history"][0]["loss"], finished["history"][0]["loss"]
    assert first != expected
    assert first == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("best", ["float32", "bfloat16"])
def test_precision_auto_is_what_suits_the_machine_and_is_recorded(best, monkeypatch):
    monkeypatch.setattr("dcl.experiment.run.best_precision", lambda device: best)
    settled = settle_precision(CelebA(precision="auto"), torch.device("cpu"))
    assert settled.recorded()["precision"] == best
    with warnings.catch_warnings():
        warnings.simplefilter("error" if best == "bfloat16" else "ignore")
        assert settle_precision(CelebA(precision="bfloat16"), torch.device("cpu")).precision
    if best == "float32":
        with pytest.warns(UserWarning, match="1.5 to 2 times as long"):
            settle_precision(CelebA(precision="bfloat16"), torch.device("cpu"))


def test_a_network_that_returns_something_else_is_told_what_to_return(few, tmp_path, monkeypatch):
    logits = torch.zeros(32, 4, 2, requires_grad=True)
    for returned, words in (
        (logits, r"1 of shape \(32, 4, 2\)"),
        ((logits[..., 0], logits), r"2 of shape \(32, 4\), \(32, 4, 2\)"),
        ((logits, None), r"\(32, 4, 2\), \(\)"),
        ((logits, logits[:, 0]), r"\(32, 4, 2\), \(32, 2\)"),
    ):
        network = torch.nn.Linear(1, 1)
        network.forward = lambda images, returned=returned: returned
        monkeypatch.setattr(CelebA, "network", lambda *_, network=network: network)
        for precision in ("float32", "bfloat16"):
            config = CelebA(**OPTIONS, precision=precision, results=str(tmp_path))
            with pytest.raises(TrainingError, match=rf"logits \(B, A, C\) and .* {words}"):
                run(config, data=few, show=False)


def test_scores_of_another_shape_are_refused(few, tmp_path, monkeypatch):
    monkeypatch.setattr(DCLLoss, "scores", lambda *_: torch.zeros(48, 4))
    config = CelebA(**OPTIONS, results=str(tmp_path))
    words = r"scores of DCLLoss must be .* = \(48, 4, 2\), as the logits, got \(48, 4\)"
    with pytest.raises(TrainingError, match=words):
        run(config, data=few, show=False)


class Halfway(Criterion):
    """A scheduled loss of somebody's own: it has a g, and no options of ours."""

    g = 0.5

    def trained_prior(self):
        return shares(target_distribution(self.class_counts, self.g))


def test_a_schedule_of_ones_own_is_brought_back_to_the_training_prior(data):
    criterion = Halfway(data.class_counts, 2)
    logits = torch.randn(len(data.splits["test"].labels), len(data.attributes), 2)
    split = Resident(data.splits["test"], torch.device("cpu"))
    kept = calibration_of(logits, split, data, criterion)
    target = target_distribution(data.class_counts, 0.5)
    offsets = to_training_prior(data.class_counts, target)
    expected = calibration_error(logits, split.labels, offsets=offsets)
    assert kept["at_training_prior"]["ece"] == pytest.approx(100 * expected.mean)
