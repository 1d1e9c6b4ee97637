"""Two processes compute what one does, and leave a usable checkpoint when one of them dies."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from small_run import OPTIONS, tiny

from dcl.experiment import distributed, records
from dcl.experiment.datasets import CelebA, Cifar100
from dcl.experiment.run import run

METHODS = ("dcl", "cross-entropy", "crl-original", "down-sampling")
TESTS = str(Path(__file__).parent)

START = """
import sys; sys.path.insert(0, {tests!r})
import time, torch
torch.set_num_threads(1)
from small_run import OPTIONS, tiny
from dcl.experiment import distributed, trainer
from dcl.experiment.datasets import CelebA
from dcl.experiment.run import run
"""
RUN = """
run(CelebA(**OPTIONS, results={results!r}), data=tiny(), show=False)
"""
STEPS_AND_RUN = f"""{START}
from test_distributed import METHODS, steps
seen = {{{{}}}}
for turn, method in enumerate(METHODS):  # a group each, to which another process comes late
    time.sleep(0.3 * (distributed.rank() == turn % 2))
    with distributed.group(torch.device("cpu")):
        seen[method] = steps(method)
torch.save(seen, f"{{folder}}/steps{{{{distributed.rank()}}}}")
{RUN}"""
PAUSED_RUN = f"""{START}
save = trainer.save_checkpoint
trainer.save_checkpoint = lambda *arguments: (save(*arguments), time.sleep(15))
{RUN}"""


def steps(method: str) -> list[torch.Tensor]:
    """Losses, gradients and weights of three steps in double precision, the last one of 5."""
    from dcl.methods import find
    from dcl.networks.models import Branches

    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    labels = (torch.rand(29, 3, generator=generator) < 0.3).long()
    inputs = torch.randn(29, 6, generator=generator).double()
    model = Branches(6, 3, 2, 4).double()
    counts = torch.tensor([[70, 30]] * 3)
    options = {"k": 3} if "k" in find(method).options else {}
    criterion = find(method).criterion(counts, 10, seed=2, **options)
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.01)
    seen = []
    network = distributed.wrap(model)
    labels = labels.masked_fill(torch.rand(29, 3, generator=generator) < 0.2, -1)  # unknown
    for step, index in enumerate(torch.arange(29).split(12)):
        criterion.set_epoch(1 + step / 3)
        own = inputs[index][distributed.share(len(index))]
        logits, features = distributed.gather(len(index), *network(own))
        loss = criterion(logits, features, labels[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen += [loss.detach(), *(p.grad.clone() for p in model.parameters())]
    return seen + [p.detach().clone() for p in model.parameters()]


def torchrun(script: str, folder: Path) -> subprocess.Popen:
    """Two processes that run the script."""
    file = folder / "script.py"
    file.write_text(script)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(file)]
    return subprocess.Popen(
        [sys.executable, *command], stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """Where two processes left their steps, and then the record of their run."""
    folder = tmp_path_factory.mktemp("shared")
    script = STEPS_AND_RUN.format(tests=TESTS, folder=str(folder), results=str(folder / "run"))
    process = torchrun(script, folder)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict:
    """The record of the same run by one process."""
    folder = tmp_path_factory.mktemp("alone")
    return run(CelebA(**OPTIONS, results=str(folder)), data=tiny(), show=False)


def test_two_processes_take_the_steps_of_one(shared):
    for method in METHODS:
        expected = steps(method)
        for number in (0, 1):
            made = torch.load(shared / f"steps{number}")[method]
            for ours, theirs in zip(made, expected, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10, msg=method)


def test_shares_are_whole_and_differ_by_one_at_most(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    for batch in range(12):
        sizes = distributed.shares(batch)
        assert sum(sizes) == batch
        assert max(sizes) - min(sizes) <= 1
        rows = []
        for number in range(4):
            monkeypatch.setenv("RANK", str(number))
            rows += range(batch)[distributed.share(batch)]
        assert rows == list(range(batch))


def test_a_run_of_two_processes_leaves_the_record_of_one(shared, alone):
    (path,) = (shared / "run").rglob("*.json")
    assert not list((shared / "run").rglob("*.checkpoint"))
    for ours, theirs in zip(records.read(path)["history"], alone["history"], strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
        assert ours["val_mA"] == pytest.approx(theirs["val_mA"], abs=0.5)


def test_a_process_that_dies_ends_the_run_and_one_process_goes_on(alone, tmp_path):
    results = tmp_path / "results"
    process = torchrun(PAUSED_RUN.format(tests=TESTS, results=str(results)), tmp_path)
    deadline = time.monotonic() + 300
    while not list(results.rglob("*.checkpoint")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "SIGKILL" in errors or "Signal 9" in errors
    assert not list(results.rglob("*.json"))
    (checkpoint,) = results.rglob("*.checkpoint")
    record = run(CelebA(**OPTIONS, results=str(results)), data=tiny(), show=False)
    assert [row["epoch"] for row in record["history"]] == [0, 1, 2]
    assert not checkpoint.exists()
    ours, theirs = record["history"][-1], alone["history"][-1]
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3)


def test_what_processes_cannot_share_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    model = Cifar100().network(Cifar100(profile="quick").load())
    with pytest.raises(distributed.DistributedError, match=r"ResNetCIFAR has batch normalisation"):
        distributed.wrap(model)
    config = CelebA(**OPTIONS, method="lmle", results=str(tmp_path))
    monkeypatch.setattr(distributed, "group", lambda device: contextlib.nullcontext())
    with pytest.raises(distributed.DistributedError, match=r"LMLE looks at .* one process"):
        run(config, data=tiny(), show=False)
