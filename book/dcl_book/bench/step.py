"""A whole training step: its parts, its operations, and how near it comes to the machine's peak."""

import statistics

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from dcl.data.resident import Resident, Split, flip
from dcl.experiment.meters import Stopwatch, Totals
from dcl.experiment.trainer import InBfloat16
from dcl.graphed import graphed
from dcl.networks.models import DeepID2

from .timing import (
    PAPER,
    alternate,
    build,
    labels_and_counts,
    quiet_stderr,
    summary,
    wait_for,
)


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
        | {part: summary(spans[-rounds:]) for part, spans in parts[name].items()}
        for name in names
    }


class Step:
    """One training step of DeepID2 with a method, in the paper's setting, to be called."""

    def __init__(self, name: str, device: torch.device, precision: str = "float32"):
        batch, attributes = PAPER["batch"], PAPER["attributes"]
        labels, counts = labels_and_counts(batch, attributes, 2)
        pixels = torch.randint(0, 256, (batch, 3, *DeepID2.size), dtype=torch.uint8)
        self.data = Resident(Split(images=pixels.numpy(), labels=labels.numpy()), device, flip)
        self.index = torch.arange(batch, device=device)
        self.generator = torch.Generator(device).manual_seed(0)
        self.model = DeepID2(attributes, 2, PAPER["width"]).to(device)
        self.criterion = build(name, counts, PAPER["k"]).to(device)
        self.loss_of, self.totals = graphed(self.criterion), Totals()
        self.optimiser = torch.optim.SGD(self.model.parameters(), 1e-3, momentum=0.9)
        self.network: torch.nn.Module = self.model
        if precision == "bfloat16":
            self.network = InBfloat16(self.model, device.type)
        self.device = device

    def __call__(self, watch: Stopwatch | None = None) -> None:
        watch = watch or Stopwatch(self.device)
        watch.start()
        images, labels = self.data.batch(self.index, self.generator)
        watch.lap("data")
        outputs = self.network(images)
        watch.lap("forward")
        loss = self.loss_of(*outputs, labels)
        self.totals.add({"loss": loss.detach(), **self.criterion.parts})
        self.optimiser.zero_grad(set_to_none=True)
        watch.lap("loss")
        loss.backward()
        watch.lap("backward")
        self.optimiser.step()
        watch.lap("optimiser")


def operations(
    device: torch.device, name: str = "dcl", precision: str = "float32"
) -> dict[str, float]:
    """Share of a training step's time that each operation of torch takes by itself, in percent."""
    step = Step(name, device, precision)
    step()
    kinds = [ProfilerActivity.CPU]
    kinds += [ProfilerActivity.CUDA] if device.type == "cuda" else []
    with quiet_stderr(), profile(activities=kinds, acc_events=True) as found:
        step()
        wait_for(device)
    key = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    spent = {row.key: getattr(row, key) for row in found.key_averages()}
    total = sum(spent.values())
    return {k: 100 * v / total for k, v in sorted(spent.items(), key=lambda item: -item[1])}


def share_of_peak(
    device: torch.device, rounds: int = 20, name: str = "dcl", precision: str = "float32"
) -> dict[str, float]:
    """How much of what the machine can multiply a training step does, in one precision.

    Returns
    -------
    dict
        ``step_gflop``, of convolutions and matrix products; ``step_gflops`` and ``peak_gflops``,
        gigaflop a second of the step and of a product of 2048 x 2048 matrices, medians.
    """
    step = Step(name, device, precision)
    with FlopCounterMode(display=False) as counter:
        step()
    work = counter.get_total_flops() / 1e9
    side = 2048
    a = torch.randn(side, side, device=device, dtype=getattr(torch, precision))
    times = alternate({"step": step, "product": lambda: a @ a}, device, rounds)
    per_second = {key: 1000 / statistics.median(values) for key, values in times.items()}
    return {
        "step_gflop": work,
        "step_gflops": work * per_second["step"],
        "peak_gflops": 2 * side**3 / 1e9 * per_second["product"],
    }
