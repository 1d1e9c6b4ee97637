"""The benchmark: what it times computes what it says, and its sums are right."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl import DCLLoss
from dcl_book.bench import measure as bench
from dcl_book.bench import timing
from dcl_book.bench.__main__ import main
from dcl_book.bench.full_size import NETWORKS, full_size
from dcl_book.bench.measure import markdown
from dcl_book.bench.rivals import BatchHardTriplets, LoopDCL
from dcl_book.bench.step import operations, share_of_peak, steps
from dcl_book.bench.timing import (
    PAPER,
    RIVALS,
    TIMED,
    alternate,
    calls,
    criteria,
    growth,
    labels_and_counts,
    launching,
    peak_bytes,
)

CPU = torch.device("cpu")
SMALL = {"batch": 32, "attributes": 3, "width": 4, "k": 3}


@pytest.fixture(autouse=True)
def one_round_of_warming_up(monkeypatch):
    """What is timed here is checked for its sums: that it is slow at first does not matter."""
    monkeypatch.setattr(timing, "WARM_UP", 1)


def outputs(batch, attributes, classes, width, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, attributes, classes, generator=generator, dtype=torch.float64)
    features = torch.randn(batch, attributes, width, generator=generator, dtype=torch.float64)
    return logits.requires_grad_(), features.requires_grad_()


@given(
    batch=st.integers(2, 40),
    attributes=st.integers(1, 4),
    classes=st.integers(2, 6),
    k=st.integers(1, 12),
    seed=st.integers(0, 999),
)
def test_the_plain_loop_computes_dcl(batch, attributes, classes, k, seed):
    labels, counts = labels_and_counts(batch, attributes, classes)
    logits, features = outputs(batch, attributes, classes, 4, seed)
    ours = DCLLoss(counts, 300, k=k, selection="expected")
    ours.set_epoch(30)
    loop = LoopDCL(ours)(logits, features, labels)
    loss = ours(logits, features, labels)
    torch.testing.assert_close(loop, loss)
    inputs = logits, features
    found, expected = (
        torch.autograd.grad(x, inputs, allow_unused=True, materialize_grads=True)
        for x in (loop, loss)
    )
    torch.testing.assert_close(found, expected)


def test_batch_hard_triplets_train():
    pytest.importorskip("pytorch_metric_learning")
    labels, _ = labels_and_counts(32, 3, 2)
    logits, features = outputs(32, 3, 2, 4, 0)
    BatchHardTriplets()(logits, features, labels).backward()
    assert features.grad.abs().sum() > 0
    assert logits.grad.abs().sum() > 0


def test_drawn_labels_run_from_rare_to_balanced():
    labels, counts = labels_and_counts(100_000, 5, 4)
    shares = torch.stack([(labels == c).float().mean(0) for c in range(4)], 1)  # (A, C)
    torch.testing.assert_close(shares, counts / counts.sum(1, keepdim=True), atol=0.01, rtol=0)
    assert counts[0, 0] > 40 * counts[0, 1]
    assert (counts[-1] - counts[-1, 0]).abs().max() <= 1


def test_every_round_calls_each_once_and_the_warm_up_is_left_out():
    called = []
    times = alternate({name: lambda n=name: called.append(n) for name in "abc"}, CPU, 5)
    assert {name: len(spent) for name, spent in times.items()} == {"a": 5, "b": 5, "c": 5}
    rounds = [called[i : i + 3] for i in range(0, len(called), 3)]
    assert len(rounds) == 5 + timing.WARM_UP
    assert all(sorted(order) == ["a", "b", "c"] for order in rounds)
    assert len({order[0] for order in rounds}) > 1


def test_peak_memory_is_that_held_at_once():
    def two_of_three():
        first = torch.zeros(2**18)  # 1 MiB
        second = first + 1
        del first
        return second + 1

    assert peak_bytes(two_of_three, CPU) == pytest.approx(2 * 2**20, rel=0.01)


def test_memory_of_dcl_grows_with_the_batch_not_with_its_square():
    few, many = (
        peak_bytes(
            calls(("dcl",), {**SMALL, "classes": 2, "batch": size, "k": 25}, CPU)["dcl"], CPU
        )
        for size in (512, 2048)
    )
    assert many < 5 * few


def test_memory_of_a_hundred_neighbours_is_a_few_megabytes():
    sizes = {"batch": 512, "attributes": 40, "classes": 2, "width": 64, "k": 100}
    assert peak_bytes(calls(("dcl",), sizes, CPU)["dcl"], CPU) < 64 * 2**20  # all triples: 160 MB


def test_tables_have_every_method():
    pytest.importorskip("pytorch_metric_learning")
    rows = criteria(CPU, 2, **SMALL)
    assert tuple(rows) == (*TIMED, *RIVALS)
    assert rows["cross-entropy"]["extra"]["median"] == 0
    whole = {name: {"step": rows["dcl"]["criterion"]} for name in ("cross-entropy", "dcl")}
    grown = [{"axis": "k", "size": 5} | rows["dcl"]]
    found = {"setting": SMALL, "device": "1 CPU thread", "rounds": 2}
    peak = {"float32": {"step_gflop": 50.0, "step_gflops": 100.0, "peak_gflops": 400.0}}
    peak["bfloat16"] = peak["float32"] | {"step_gflops": 50.0}
    found |= {"peak": peak, "best_precision": "bfloat16"}
    text = markdown(found | {"steps": whole, "criteria": rows, "growth": grown})
    assert "float32, best for this machine: 500 ms a step of DCL" in text
    assert "bfloat16, what precision auto takes: 1000 ms a step of DCL" in text
    assert "100 gigaflop a second, 25 % of the 400 of a matrix product" in text
    assert all(f"| {name} |" in text for name in rows)
    assert "| k=5 |" in text
    assert json.dumps(rows)


def test_a_setting_that_several_axes_share_is_measured_once(monkeypatch):
    monkeypatch.setattr(timing, "PAPER", PAPER | SMALL)
    sizes = {"batch": ((16, 32), {}), "classes": ((2, 4), {"attributes": 1}), "k": ((3, 5), {})}
    monkeypatch.setattr(timing, "GROWTH", sizes)
    rows = {(row["axis"], row["size"]): row for row in growth(CPU, 2)}
    assert list(rows) == [(axis, size) for axis, (own, _) in sizes.items() for size in own]
    of_batch, of_k = rows["batch", 32], rows["k", 3]
    assert of_batch["criterion"] == of_k["criterion"] != rows["k", 5]["criterion"]
    assert of_batch["peak_mib"] == of_k["peak_mib"] > 0


def test_parts_of_a_step_add_up_to_it():
    found = steps(CPU, 2, ("cross-entropy",))["cross-entropy"]
    parts = [found[part]["median"] for part in found if part != "step"]
    assert sum(parts) == pytest.approx(found["step"]["median"], rel=0.2)


def test_a_step_is_mostly_convolutions_and_products_and_below_the_peak():
    for precision in ("float32", "bfloat16"):
        shares = operations(CPU, precision=precision)
        assert sum(shares.values()) == pytest.approx(100)
        assert any("conv" in name for name in list(shares)[:2])
    found = share_of_peak(CPU, 2)
    assert found["step_gflop"] == pytest.approx(3 * forward_gflop(), rel=0.1)  # and twice backward
    assert 0 < found["step_gflops"] < 1.5 * found["peak_gflops"]


def forward_gflop() -> float:
    """Two operations for each weight at each place: DeepID2's layers, 512 images, by hand."""
    places = (52 * 44, 24 * 20, 10 * 8, 4 * 3)
    weights = (3 * 20 * 16, 20 * 40 * 9, 40 * 60 * 9, 60 * 80 * 4)
    convolutions = sum(p * w for p, w in zip(places, weights, strict=True))
    trunk = (60 * 5 * 4 + 80 * 4 * 3) * 160
    branches = 160 * 40 * 64 + 40 * 64 * 2
    return 2 * 512 * (convolutions + trunk + branches) / 1e9


@pytest.mark.filterwarnings("ignore:of class")  # of which so small a batch has too few
def test_whole_epochs_are_timed_for_each_method_and_precision():
    found = full_size(CPU, 2, images=8)
    assert [(row["method"], row["precision"]) for row in found] == [
        (name, precision)
        for name in ("cross-entropy", "dcl")
        for precision in ("float32", "bfloat16")
    ]
    assert all(0 < row["step"]["low"] <= row["step"]["median"] for row in found)
    assert {(row["network"], row["images"]) for row in found} == {("DeepID2", 8)}


@pytest.mark.filterwarnings("ignore:of class")  # of which so small a batch has too few
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_paper_can_be_timed(name):
    own = {"images": 4, "names": ("dcl",), "precisions": ("float32",)}
    (row,) = full_size(CPU, 2, (name,), **own)
    assert (row["network"], row["method"]) == (name, "dcl")
    assert row["step"]["median"] > 0


def test_a_measurement_has_the_columns_of_those_that_are_kept(tmp_path, monkeypatch):
    spent = {"median": 2.0, "low": 1.0, "high": 3.00049}
    parts = {"step": spent, "loss": spent}
    whole = {"method": "dcl", "precision": "bfloat16", "step": spent, "images": 9, "peak_mib": 7.0}
    monkeypatch.setattr(bench, "steps", lambda *_: {"dcl": parts})
    monkeypatch.setattr(bench, "criteria", lambda *_: {"dcl": {"criterion": spent, "extra": spent}})
    monkeypatch.setattr(bench, "share_of_peak", lambda *_, **__: {})
    monkeypatch.setattr(
        bench,
        "full_size",
        lambda _, __, networks: [whole | {"network": name} for name in networks],
    )
    monkeypatch.setattr(bench, "markdown", lambda _: "")
    out = tmp_path / "gpu.csv"
    given = ["--device", "cpu", "--full-size", "2", "--networks", *NETWORKS, "--out", str(out)]
    assert main(given) == 0
    found = pd.read_csv(out)
    kept = pd.read_csv(Path(__file__).parents[2] / "results" / "gpu" / "nvidia-h200.csv")
    assert list(found.columns) == list(kept.columns)
    assert {*found["setting"], "launching"} == set(kept["setting"])  # the last on a GPU alone
    assert found["n"].tolist() == [20, 20, *[2, 1] * len(NETWORKS), 20, 20]
    memory = found["part"] == "peak MiB"
    assert (found["high"][~memory] == 3.0).all()
    assert (found[["median", "low", "high"]][memory] == 7.0).all(axis=None)
    assert set(kept["part"]) >= set(found["part"])


def test_a_rival_that_is_not_installed_is_left_out_and_told(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(bench, "missing_rivals", lambda: ["batch-hard"])
    monkeypatch.setattr(bench, "steps", lambda *_: {})
    monkeypatch.setattr(bench, "criteria", lambda _, __, names: asked.extend(names) or {})
    monkeypatch.setattr(bench, "share_of_peak", lambda *_, **__: {})
    monkeypatch.setattr(bench, "markdown", lambda _: "")
    assert main(["--device", "cpu"]) == 0
    assert asked == [*TIMED, "loop"]
    assert "batch-hard is left out: it needs pytorch-metric-learning" in capsys.readouterr().out


def test_ways_to_launch_compute_and_are_in_the_tables():
    ways = ("one by one", "one graph")
    found = launching(CPU, 2, ways, **SMALL)
    assert tuple(found) == ways
    assert all(0 < spent["low"] <= spent["median"] for spent in found.values())
    spent = {"median": 2.0, "low": 1.0, "high": 3.0}
    measured = {"setting": SMALL, "device": "a GPU", "rounds": 2, "growth": [], "criteria": {}}
    measured |= {"steps": {name: {"step": spent} for name in ("cross-entropy", "dcl")}}
    measured |= {"launching": {"one graph": spent}, "full_size": []}
    assert "| one graph | 2.0 [1.0, 3.0] |" in markdown(measured)
    (row,) = [row for row in bench.rows(measured | {"epochs": 0}) if row["setting"] == "launching"]
    assert (row["part"], row["n"], row["median"]) == ("one graph", 2, 2.0)


def test_whole_epochs_are_in_the_tables():
    spent = {"median": 10.0, "low": 9.0, "high": 12.0}
    parts = {"cross-entropy": {"step": spent}, "dcl": {"step": spent}}
    whole = [
        {"network": name, "method": "dcl", "precision": "float32", "step": spent}
        for name in ("DeepID2", "ResNet-50")
    ]
    whole[0] |= {"images": 162_770, "peak_mib": 1234.5}
    whole[1] |= {"images": 10_240}
    found = {"setting": SMALL, "device": "a GPU", "rounds": 2, "steps": parts, "criteria": {}}
    text = markdown(found | {"growth": [], "epochs": 4, "full_size": whole})
    assert "| DeepID2, 4 epochs of 162,770 images | precision |" in text
    assert "| dcl | float32 | 10.0 [9.0, 12.0] | 0.3 | 1,234 |" in text  # 300 x 318 x 10 ms
    assert "| ResNet-50, 4 epochs of 10,240 images | precision |" in text
    assert "| dcl | float32 | 10.0 [9.0, 12.0] | 0.0 | not counted on a CPU |" in text


def test_one_whole_epoch_is_refused(capsys):
    assert main(["--full-size", "1"]) == 2
    assert "full-size" in capsys.readouterr().err


def test_a_file_in_no_folder_is_refused_before_anything_is_timed(capsys):
    assert main(["--out", "no/such/folder/bench.json"]) == 2
    assert "no/such/folder" in capsys.readouterr().err


def test_networks_without_whole_epochs_are_refused(capsys):
    assert main(["--networks", "ResNet-32"]) == 2
    assert "full-size 2 or more" in capsys.readouterr().err


def test_what_does_not_fit_into_a_gpu_leaves_the_rest(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise torch.OutOfMemoryError("tried to allocate 30 GiB")

    spent = {"median": 2.0, "low": 1.0, "high": 3.0}
    monkeypatch.setattr(bench, "steps", lambda *_: {"dcl": {"step": spent}})
    monkeypatch.setattr(bench, "criteria", lambda *_: {})
    monkeypatch.setattr(bench, "share_of_peak", lambda *_, **__: {})
    monkeypatch.setattr(bench, "markdown", lambda _: "")
    monkeypatch.setattr(bench, "full_size", full)
    out = tmp_path / "gpu.csv"
    assert main(["--device", "cpu", "--full-size", "2", "--out", str(out)]) == 0
    assert "left out, they do not fit into the GPU's memory: tried" in capsys.readouterr().out
    assert pd.read_csv(out)["setting"].tolist() == ["alternating"]


def test_one_round_is_refused(capsys):
    assert main(["--rounds", "1"]) == 2
    assert "rounds" in capsys.readouterr().err
