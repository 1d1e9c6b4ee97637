"""What the steps of an epoch gave and took, without a wait for the device at each."""

import statistics
import time
from typing import Any

import torch
from torch import Tensor


class Totals:
    """Sums over steps on the device; NaN counts as absent (a batch without the minority class)."""

    def __init__(self):
        self.totals: dict[tuple, tuple[Tensor, Tensor]] = {}  # names, shapes -> sums, counts

    def add(self, values: dict[str, Tensor]) -> None:
        """All values of a step, in few operations however many they are."""
        kind = tuple((name, value.shape) for name, value in values.items())
        flat = torch.cat([value.reshape(-1).double() for value in values.values()])
        present = ~flat.isnan()
        sums, counts = self.totals.get(kind, (0, 0))
        self.totals[kind] = sums + flat.nan_to_num(0, float("inf")), counts + present

    def means(self) -> dict[str, Any]:
        """Means over the steps, as a number or a list; NaN where no step had a value."""
        sums: dict[str, Tensor] = {}
        counts: dict[str, Tensor] = {}
        for kind, totals in self.totals.items():
            for into, total in zip((sums, counts), totals, strict=True):
                parts = total.split([shape.numel() for _, shape in kind])
                for (name, shape), part in zip(kind, parts, strict=True):
                    into[name] = into.get(name, 0) + part.view(shape)
        return {name: (sums[name] / counts[name]).tolist() for name in sums}


class Stopwatch:
    """Milliseconds of each part of a step; CUDA events on a GPU, so that no lap waits for it."""

    def __init__(self, device: torch.device):
        self.cuda = device.type == "cuda"
        self.laps: list[tuple[str, Any, Any]] = []

    def start(self) -> None:
        self.last = self._now()

    def lap(self, part: str) -> None:
        now = self._now()
        self.laps.append((part, self.last, now))
        self.last = now

    def _now(self):
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def milliseconds(self) -> dict[str, float]:
        """Median over the steps of each part; the first step, a warm-up, is left out."""
        parts: dict[str, list[float]] = {}
        for part, before, after in self.laps:
            span = before.elapsed_time(after) if self.cuda else 1000 * (after - before)
            parts.setdefault(part, []).append(span)
        return {part: statistics.median(spans[1:] or spans) for part, spans in parts.items()}
