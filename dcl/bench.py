"""Milliseconds that DCL costs beside cross entropy, alternating in one process."""

import json
import random
import statistics
import time
from collections.abc import Callable

import torch

from .baselines import BASELINES, Baseline
from .criterion import PRESETS, DCLLoss
from .lmle import LMLE
from .models import DeepID2

B, A, D, K = 512, 40, 64, 25  # the paper's setting on CelebA
ROUNDS, WARM_UP = 20, 3
METHODS = (*PRESETS, *(name for name in BASELINES if name != "ldam-drw"), "lmle")
# ldam-drw is for one label


def main(device: str = "auto") -> None:
    """Print the table as Markdown, then as JSON on one line."""
    from .run import pick_device

    where = pick_device(device)
    rows = bench_methods(where)
    base = rows["cross-entropy"]["step"]["median"]
    print(f"B={B} A={A} D={D} k={K}, {where}, {torch.get_num_threads()} threads, ", end="")
    print(f"median [quartiles] of {ROUNDS} alternating rounds, ms\n")
    print("| method | criterion, forward and backward | more than cross entropy | whole step |")
    print("|---|---|---|---|")
    for name, row in rows.items():
        cells = {part: "{median:.1f} [{low:.1f}, {high:.1f}]".format(**row[part]) for part in row}
        share = 100 * row["extra"]["median"] / base
        extra = f"{cells['extra']}, {share:.1f} % of its step"
        print(f"| {name} | {cells['criterion']} | {extra} | {cells['step']} |")
    print("\n" + json.dumps({"device": str(where), "rows": rows}))


def bench_methods(device: torch.device) -> dict[str, dict]:
    """Criterion alone, its difference to cross entropy's, and the whole training step, in ms.

    The difference is taken of the criteria, round by round: that of whole steps, which differ by
    nothing else, drowns in the noise of their convolutions. LMLE's clustering is no part of a step;
    the record of a run has its seconds, epoch by epoch.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(B, 3, 55, 47, generator=generator).to(device)
    rates = torch.linspace(0.02, 0.5, A)  # positives per attribute, rare to balanced
    labels = (torch.rand(B, A, generator=generator) < rates).long().to(device)
    counts = torch.stack([1 - rates, rates], 1).mul(162_770).long()
    model = DeepID2(A, 2, D).to(device)
    optimiser = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9)
    criteria = {}
    for name in METHODS:
        if name == "lmle":
            criterion = LMLE(counts, 300)
        elif name in PRESETS:
            criterion = DCLLoss(counts, 300, k=K, **PRESETS[name], seed=0)
        else:
            criterion = Baseline(name, counts, 300, k=K, seed=0)
        criterion.set_epoch(30)  # both of DCL's losses weigh, and nothing is 0 or 1
        criteria[name] = criterion.to(device)

    with torch.no_grad():
        outputs = [x.requires_grad_() for x in model(images)]
    criteria["lmle"].recluster(outputs[1].detach(), labels)
    rows = {"lmle": (torch.arange(B, device=device),)}  # which samples of the clustered set

    def step(name: str) -> None:
        optimiser.zero_grad(set_to_none=True)
        criteria[name](*model(images), labels, *rows.get(name, ())).backward()
        optimiser.step()

    def alone(name: str) -> None:
        loss = criteria[name](*outputs, labels, *rows.get(name, ()))
        torch.autograd.grad(loss, outputs, allow_unused=True)

    times: dict = {name: {"criterion": [], "step": []} for name in METHODS}
    for round_ in range(ROUNDS + WARM_UP):
        for part, function in (("criterion", alone), ("step", step)):
            for name in random.Random(round_).sample(METHODS, len(METHODS)):  # none is always first
                spent = milliseconds(lambda f=function, n=name: f(n), device)
                if round_ >= WARM_UP:
                    times[name][part].append(spent)
    for name in METHODS:
        pairs = zip(times[name]["criterion"], times["cross-entropy"]["criterion"], strict=True)
        times[name]["extra"] = [ours - base for ours, base in pairs]
    return {
        name: {part: summary(values) for part, values in parts.items()}
        for name, parts in times.items()
    }


def milliseconds(function: Callable[[], None], device: torch.device) -> float:
    """Wall time of one call, the device waited for before and after."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1000 * (time.perf_counter() - start)


def summary(values: list[float]) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4)
    return {"median": median, "low": low, "high": high}
