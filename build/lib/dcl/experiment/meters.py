"""Sums and times over the steps of an epoch, read from the device once, at its end."""

import statistics
import time
from typing import Any

import torch
from torch import Tensor


class Totals:
    """Sums over steps on the device; NaN counts as absent (a batch without the minority class)."""

    def __init__(self):
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}

    def add(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            value = value.double()
            present = ~value.isnan()
            self.sums[name] = self.sums.get(name, 0) + value.nan_to_num(0, float("inf"))
            self.counts[name] = self.counts.get(name, 0) + present

    def means(self) -> dict[str, Any]:
        """Means over the steps, as a number or a list; NaN where no step had a value."""
        return {name: (self.sums[name] / self.counts[name]).tolist() for name in self.sums}


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
