"""Milliseconds and bytes of each criterion beside cross entropy's, alternating in one process."""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from ..baselines import BASELINES, Baseline
from ..criterion import PRESETS, DCLLoss
from ..data.resident import Resident, Split, flip
from ..lmle import LMLE
from ..meters import Stopwatch
from ..models import DeepID2
from .rivals import BatchHardTriplets, LoopDCL

PAPER = {"batch": 512, "attributes": 40, "classes": 2, "width": 64, "k": 25}  # on CelebA
EPOCHS, EPOCH = 300, 30  # here both of DCL's losses weigh, and nothing is 0 or 1
METHODS = (*PRESETS, *(name for name in BASELINES if name != "ldam-drw"), "lmle")
# ldam-drw is for one label
RIVALS = ("loop", "batch-hard")  # what one would write, what one would install
GROWTH: dict[str, tuple[tuple[int, ...], dict[str, int]]] = {  # sizes, and what else differs
    "batch": ((64, 128, 256, 512, 1024, 2048, 4096), {}),
    "attributes": ((1, 10, 40, 100, 200), {}),
    "classes": ((2, 10, 100, 1000), {"attributes": 1}),  # one label, as in CIFAR-100
    "k": ((5, 10, 25, 50, 100), {}),
}
WARM_UP = 3


def labels_and_counts(
    batch: int, attributes: int, classes: int, images: int = 162_770
) -> tuple[Tensor, Tensor]:
    """Labels (B, A), rare to balanced, and the counts (A, C) of a training set like them.

    The share of the first class falls from 98 % for the first attribute to a fair share for the
    last; the others share the rest alike.
    """
    generator = torch.Generator().manual_seed(0)
    first = torch.linspace(0.98, 1 / classes, attributes) if attributes > 1 else torch.tensor([0.9])
    shares = ((1 - first) / (classes - 1)).unsqueeze(1).repeat(1, classes)  # (A, C)
    shares[:, 0] = first
    labels = torch.multinomial(shares, batch, replacement=True, generator=generator).T
    return labels, (shares * images).long().clamp(min=1)


def build(name: str, counts: Tensor, k: int) -> nn.Module:
    """A method's criterion, or a rival's, in the middle of its training."""
    if name == "loop":
        criterion = LoopDCL(DCLLoss(counts, EPOCHS, k=k, selection="expected"))
    elif name == "batch-hard":
        criterion = BatchHardTriplets()
    elif name == "lmle":
        criterion = LMLE(counts, EPOCHS)
    elif name in PRESETS:
        criterion = DCLLoss(counts, EPOCHS, k=k, **PRESETS[name], seed=0)
    else:
        criterion = Baseline(name, counts, EPOCHS, k=k, seed=0)
    criterion.set_epoch(EPOCH)
    return criterion


def calls(
    names: tuple[str, ...], sizes: dict[str, int], device: torch.device
) -> dict[str, Callable[[], Any]]:
    """Each criterion's forward and backward pass on one batch of drawn outputs."""
    labels, counts = labels_and_counts(*(sizes[x] for x in ("batch", "attributes", "classes")))
    labels = labels.to(device)
    generator = torch.Generator().manual_seed(1)
    shape = labels.shape
    logits = torch.randn(*shape, sizes["classes"], generator=generator).to(device)
    features = torch.randn(*shape, sizes["width"], generator=generator).relu().to(device)
    outputs = logits.requires_grad_(), features.requires_grad_()
    made = {name: build(name, counts, sizes["k"]).to(device) for name in names}
    rows: dict[str, tuple] = {}
    if "lmle" in made:
        made["lmle"].recluster(features.detach(), labels)
        rows["lmle"] = (torch.arange(len(labels), device=device),)  # of the clustered set

    def call(name: str) -> None:
        loss = made[name](*outputs, labels, *rows.get(name, ()))
        torch.autograd.grad(loss, outputs, allow_unused=True)

    return {name: lambda n=name: call(n) for name in names}


def criteria(
    device: torch.device,
    rounds: int = 20,
    names: tuple[str, ...] = (*METHODS, *RIVALS),
    **sizes: int,
) -> dict[str, dict]:
    """Forward and backward pass of each criterion: ms, ms more than cross entropy, peak MiB.

    The difference is taken of the criteria, round by round: that of whole steps, which differ by
    nothing else, drowns in the noise of their convolutions. LMLE's clustering is no part of a step;
    the record of a run has its seconds, epoch by epoch.

    Parameters
    ----------
    device : torch.device
    rounds : int
        Of measuring; three to warm up come first.
    names : tuple of str
        Of `METHODS` and `RIVALS`.
    **sizes : int
        ``batch``, ``attributes``, ``classes``, ``width``, ``k``; the paper's where not given.

    Returns
    -------
    dict
        name -> {"criterion": summary, "extra": summary, "peak_mib": float}, see `summary`.
    """
    functions = calls(names, PAPER | sizes, device)
    times = alternate(functions, device, rounds)
    base = times["cross-entropy"]
    return {
        name: {
            "criterion": summary(times[name]),
            "extra": summary([a - b for a, b in zip(times[name], base, strict=True)]),
            "peak_mib": peak_bytes(function, device) / 2**20,
        }
        for name, function in functions.items()
    }


def growth(device: torch.device, rounds: int = 20) -> list[dict[str, Any]]:
    """DCL's criterion beside cross entropy's as one size of `GROWTH` grows.

    Returns
    -------
    list of dict
        One for each axis and size: axis, size, ms more than cross entropy (`summary`), peak MiB.
    """
    found = []
    for axis, (values, others) in GROWTH.items():
        for size in values:
            sizes = others | {axis: size}
            row = criteria(device, rounds, ("cross-entropy", "dcl"), **sizes)["dcl"]
            found.append({"axis": axis, "size": size} | row)
    return found


def steps(
    device: torch.device, rounds: int = 20, names: tuple[str, ...] = ("cross-entropy", "dcl")
) -> dict[str, dict]:
    """A whole training step of DeepID2 in the paper's setting, and its parts, in ms.

    Returns
    -------
    dict
        name -> {"step": summary, "data": summary, "forward": ..., "loss": ..., "backward": ...,
        "optimiser": ...}
    """
    made = {name: Step(name, device) for name in names}
    parts: dict[str, dict[str, list[float]]] = {name: {} for name in names}

    def timed(name: str) -> None:
        watch = Stopwatch(device)
        made[name](watch)
        wait_for(device)
        for part, spent in watch.milliseconds().items():
            parts[name].setdefault(part, []).append(spent)

    times = alternate({name: lambda n=name: timed(n) for name in names}, device, rounds)
    return {
        name: {"step": summary(times[name])}
        | {part: summary(spans[WARM_UP:]) for part, spans in parts[name].items()}
        for name in names
    }


class Step:
    """One training step of DeepID2 with a method, in the paper's setting, to be called."""

    def __init__(self, name: str, device: torch.device):
        batch, attributes = PAPER["batch"], PAPER["attributes"]
        labels, counts = labels_and_counts(batch, attributes, 2)
        pixels = torch.randint(0, 256, (batch, 3, *DeepID2.size), dtype=torch.uint8)
        self.data = Resident(Split(images=pixels.numpy(), labels=labels.numpy()), device, flip)
        self.index = torch.arange(batch, device=device)
        self.generator = torch.Generator(device).manual_seed(0)
        self.model = DeepID2(attributes, 2, PAPER["width"]).to(device)
        self.criterion = build(name, counts, PAPER["k"]).to(device)
        self.optimiser = torch.optim.SGD(self.model.parameters(), 1e-3, momentum=0.9)
        self.device = device

    def __call__(self, watch: Stopwatch | None = None) -> None:
        watch = watch or Stopwatch(self.device)
        watch.start()
        images, labels = self.data.batch(self.index, self.generator)
        watch.lap("data")
        outputs = self.model(images)
        watch.lap("forward")
        loss = self.criterion(*outputs, labels)
        self.optimiser.zero_grad(set_to_none=True)
        watch.lap("loss")
        loss.backward()
        watch.lap("backward")
        self.optimiser.step()
        watch.lap("optimiser")


def operations(device: torch.device, name: str = "dcl") -> dict[str, float]:
    """Share of a training step's time that each operation of torch takes by itself, in percent."""
    step = Step(name, device)
    step()
    kinds = [ProfilerActivity.CPU]
    kinds += [ProfilerActivity.CUDA] if device.type == "cuda" else []
    with _without_remarks(), profile(activities=kinds, acc_events=True) as found:
        step()
        wait_for(device)
    key = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    spent = {row.key: getattr(row, key) for row in found.key_averages()}
    total = sum(spent.values())
    return {k: 100 * v / total for k, v in sorted(spent.items(), key=lambda item: -item[1])}


def share_of_peak(device: torch.device, rounds: int = 20, name: str = "dcl") -> dict[str, float]:
    """How much of what the machine can multiply a training step does.

    Returns
    -------
    dict
        ``step_gflop``, of convolutions and matrix products; ``step_gflops`` and ``peak_gflops``,
        gigaflop a second of the step and of a float32 product of 2048 x 2048 matrices, medians.
    """
    step = Step(name, device)
    with FlopCounterMode(display=False) as counter:
        step()
    work = counter.get_total_flops() / 1e9
    side = 2048
    a = torch.randn(side, side, device=device)
    times = alternate({"step": step, "product": lambda: a @ a}, device, rounds)
    per_second = {key: 1000 / statistics.median(values) for key, values in times.items()}
    return {
        "step_gflop": work,
        "step_gflops": work * per_second["step"],
        "peak_gflops": 2 * side**3 / 1e9 * per_second["product"],
    }


def alternate(
    functions: dict[str, Callable[[], Any]], device: torch.device, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of each call, `rounds` of them, in another order every round."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for round_ in range(rounds + WARM_UP):
        for name in random.Random(round_).sample(list(functions), len(functions)):
            wait_for(device)
            start = time.perf_counter()
            functions[name]()
            wait_for(device)
            if round_ >= WARM_UP:
                times[name].append(1000 * (time.perf_counter() - start))
    return times


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(function: Callable[[], Any], device: torch.device) -> int:
    """Most bytes of tensors that a call holds at once, beyond what was there before."""
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        function()
        return torch.cuda.max_memory_allocated(device) - before
    options = {"activities": [ProfilerActivity.CPU], "profile_memory": True, "acc_events": True}
    with _without_remarks(), profile(**options) as found:
        function()
    events = [e for e in found.profiler.kineto_results.events() if e.name() == "[memory]"]
    sizes = (e.nbytes() for e in sorted(events, key=lambda e: e.start_ns()))
    return max(accumulate(sizes), default=0)


@contextmanager
def _without_remarks() -> Iterator[None]:
    """The profiler's C++ part announces itself on stderr, past Python's."""
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def summary(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = statistics.quantiles(values, n=4)
    return {"median": median, "low": low, "high": high}
