"""Milliseconds and bytes of each criterion beside cross entropy's, alternating in one process."""

import os
import random
import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import accumulate
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from dcl import methods
from dcl.criterion import DCLLoss
from dcl.experiment.meters import Totals
from dcl.graphed import graphed

from .rivals import BatchHardTriplets, LoopDCL

PAPER = {"batch": 512, "attributes": 40, "classes": 2, "width": 64, "k": 25}  # on CelebA
EPOCHS, EPOCH = 300, 30  # here both of DCL's losses weigh, and nothing is 0 or 1
TIMED = tuple(name for name, entry in methods.METHODS.items() if entry.tasks != "single-label")
RIVALS = ("loop", "batch-hard")  # what one would write, what one would install
GROWTH: dict[str, tuple[tuple[int, ...], dict[str, int]]] = {  # sizes, and what else differs
    "batch": ((64, 128, 256, 512, 1024, 2048, 4096), {}),
    "attributes": ((1, 10, 40, 100, 200), {}),
    "classes": ((2, 10, 100, 1000), {"attributes": 1}),  # one label, as in CIFAR-100
    "k": ((5, 10, 25, 50, 100), {}),
}
WARM_UP = 3

Key = TypeVar("Key", bound=Hashable)
Wrap = Callable[[nn.Module], Callable[..., Tensor]]  # what is called in a criterion's place


def itself(criterion: nn.Module) -> Callable[..., Tensor]:
    return criterion


def compiled(criterion: nn.Module, mode: str | None = None) -> Callable[..., Tensor]:
    """By `torch.compile`, which takes no seeded generator."""
    criterion.random.seed = None  # type: ignore[union-attr]
    return torch.compile(criterion, mode=mode)


WAYS: dict[str, Wrap] = {  # for many small operations to get to a GPU
    "one by one": itself,
    "torch.compile": compiled,
    "torch.compile, reduce-overhead": partial(compiled, mode="reduce-overhead"),
    "one graph": graphed,
}


def missing_rivals() -> list[str]:
    """Those of `RIVALS` whose library is not installed."""
    return [] if find_spec("pytorch_metric_learning") else ["batch-hard"]


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
    labels = torch.multinomial(shares, batch, replacement=True, generator=generator).T.contiguous()
    return labels, (shares * images).long().clamp(min=1)


def build(name: str, counts: Tensor, k: int) -> nn.Module:
    """A method's criterion, or a rival's, in the middle of its training."""
    if name == "loop":
        criterion = LoopDCL(DCLLoss(counts, EPOCHS, k=k, selection="expected"))
    elif name == "batch-hard":
        criterion = BatchHardTriplets()
    else:
        entry = methods.find(name)
        options = {"k": k, "warm_up": 0.0}  # of lmle: its quintuplets, not its start
        options = {name: value for name, value in options.items() if name in entry.options}
        criterion = entry.criterion(counts, EPOCHS, seed=0, **options)
    criterion.set_epoch(EPOCH)
    return criterion


def calls(
    names: tuple[str, ...], sizes: dict[str, int], device: torch.device, wrap: Wrap = graphed
) -> dict[str, Callable[[], Any]]:
    """Each criterion's forward and backward pass on one batch of drawn outputs, and its parts.

    As a training makes it, as one CUDA graph where that can be, unless `wrap` says otherwise, with
    what it adds up of `Criterion.parts` for its record.
    """
    labels, counts = labels_and_counts(*(sizes[x] for x in ("batch", "attributes", "classes")))
    labels = labels.to(device)
    generator = torch.Generator().manual_seed(1)
    shape = labels.shape
    logits = torch.randn(*shape, sizes["classes"], generator=generator).to(device)
    features = torch.randn(*shape, sizes["width"], generator=generator).relu().to(device)
    outputs = logits.requires_grad_(), features.requires_grad_()
    made = {name: build(name, counts, sizes["k"]).to(device) for name in names}
    losses = {name: wrap(criterion) for name, criterion in made.items()}
    rows: dict[str, dict[str, torch.Tensor]] = {}
    totals = Totals()
    for name, criterion in made.items():
        if getattr(criterion, "wants_rows", False):  # the batch is its training set
            criterion.before_epoch(0, lambda: (features.detach(), labels))
            rows[name] = {"rows": torch.arange(len(labels), device=device)}

    def call(name: str) -> None:
        loss = losses[name](*outputs, labels, **rows.get(name, {}))
        torch.autograd.grad(loss, outputs, allow_unused=True)
        totals.add({"loss": loss.detach(), **getattr(made[name], "parts", {})})

    return {name: lambda n=name: call(n) for name in names}


def criteria(
    device: torch.device,
    rounds: int = 20,
    names: tuple[str, ...] = (*TIMED, *RIVALS),
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
        Of `TIMED` and `RIVALS`.
    **sizes : int
        ``batch``, ``attributes``, ``classes``, ``width``, ``k``; the paper's where not given.

    Returns
    -------
    dict
        name -> {"criterion": summary, "extra": summary, "peak_mib": float}, see `summary`.
    """
    return _in_turns(device, rounds, names, {"": PAPER | sizes})[""]


def launching(
    device: torch.device,
    rounds: int = 20,
    ways: tuple[str, ...] = tuple(WAYS),
    **sizes: int,
) -> dict[str, dict[str, float]]:
    """DCL's criterion, forward and backward, in ms, by each of `WAYS` to launch its operations.

    Returns
    -------
    dict
        way -> `summary`. Sizes are the paper's where not given.
    """
    functions = {way: calls(("dcl",), PAPER | sizes, device, WAYS[way])["dcl"] for way in ways}
    return {way: summary(spent) for way, spent in alternate(functions, device, rounds).items()}


def growth(device: torch.device, rounds: int = 20) -> list[dict[str, Any]]:
    """DCL's criterion beside cross entropy's as one size of `GROWTH` grows.

    All settings take turns, so that a busy minute slows none more than the others; one that several
    axes share is measured once.

    Returns
    -------
    list of dict
        One for each axis and size: axis, size, and a row of `criteria`.
    """
    places = [
        (axis, size, PAPER | others | {axis: size})
        for axis, (values, others) in GROWTH.items()
        for size in values
    ]
    settings = {tuple(sizes.values()): sizes for *_, sizes in places}
    rows = _in_turns(device, rounds, ("cross-entropy", "dcl"), settings)
    return [
        {"axis": axis, "size": size} | rows[tuple(sizes.values())]["dcl"]
        for axis, size, sizes in places
    ]


def _in_turns(
    device: torch.device,
    rounds: int,
    names: tuple[str, ...],
    settings: dict[Any, dict[str, int]],
) -> dict[Any, dict[str, dict]]:
    """What `criteria` returns, for each setting."""
    functions = {
        (key, name): call
        for key, sizes in settings.items()
        for name, call in calls(names, sizes, device).items()
    }
    times = alternate(functions, device, rounds)
    found: dict[Any, dict[str, dict]] = {}
    for key, sizes in settings.items():
        plain = calls(names, sizes, device, itself)  # a graph's memory is its own
        base = times[key, "cross-entropy"]
        found[key] = {
            name: {
                "criterion": summary(times[key, name]),
                "extra": summary([a - b for a, b in zip(times[key, name], base, strict=True)]),
                "peak_mib": peak_bytes(plain[name], device) / 2**20,
            }
            for name in names
        }
    return found


def alternate(
    functions: Mapping[Key, Callable[[], Any]], device: torch.device, rounds: int
) -> dict[Key, list[float]]:
    """Milliseconds of each call, `rounds` of them, in another order every round."""
    times: dict[Key, list[float]] = {name: [] for name in functions}
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
    with quiet_stderr(), profile(**options) as found:
        function()
    events = [e for e in found.profiler.kineto_results.events() if e.name() == "[memory]"]
    sizes = (e.nbytes() for e in sorted(events, key=lambda e: e.start_ns()))
    return max(accumulate(sizes), default=0)


@contextmanager
def quiet_stderr() -> Iterator[None]:
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
    """Median and quartiles, none outside of the values.

    Examples
    --------
    >>> summary([4.0, 5.0])
    {'median': 4.5, 'low': 4.25, 'high': 4.75}
    """
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}
