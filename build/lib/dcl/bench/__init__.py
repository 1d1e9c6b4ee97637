"""What DCL costs beside cross entropy, as Markdown and JSON: ``python -m dcl bench``."""

import json
from pathlib import Path
from typing import Any

import torch

from ..experiment.fields import ConfigError
from .step import share_of_peak, steps
from .timing import PAPER, criteria, growth

PRECISIONS = ("float32", "bfloat16")
LETTERS = {"batch": "B", "attributes": "A", "classes": "C", "width": "D", "k": "k"}


def main(device: str = "auto", *, grow: bool = False, rounds: int = 20, out: str = "") -> None:
    """Print the tables as Markdown; write all numbers as JSON to the file `out`, if given."""
    from ..experiment.machine import best_precision
    from ..experiment.run import pick_device

    where = pick_device(device)
    if rounds < 2:
        raise ConfigError(f"rounds must be 2 or more, for a median and quartiles, got {rounds}")
    if out and not Path(out).resolve().parent.is_dir():
        raise ConfigError(f"out: the folder of {out} does not exist: make it first")
    found: dict[str, Any] = {
        "setting": PAPER,
        "device": machine(where),
        "rounds": rounds,
        "steps": steps(where, rounds),
        "criteria": criteria(where, rounds),
        "growth": growth(where, rounds) if grow else [],
        "peak": {x: share_of_peak(where, min(rounds, 5), precision=x) for x in PRECISIONS},
        "best_precision": best_precision(where),
    }
    print(markdown(found))
    if out:
        Path(out).write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def machine(device: torch.device) -> str:
    """The GPU's name, or the number of CPU threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'s' if threads > 1 else ''}"


def markdown(found: dict[str, Any]) -> str:
    """The tables of a measurement, as `main` writes it to JSON."""
    setting = " ".join(f"{LETTERS[name]}={size}" for name, size in found["setting"].items())
    step = found["steps"]["cross-entropy"]["step"]["median"]
    lines = [
        f"{setting}, {found['device']}, "
        f"median [quartiles] of {found['rounds']} alternating rounds, ms",
        "",
        "| whole step | " + " | ".join(found["steps"]["dcl"]) + " |",
        "|---|" + "---|" * len(found["steps"]["dcl"]),
    ]
    for name, parts in found["steps"].items():
        lines.append(f"| {name} | " + " | ".join(spread(part) for part in parts.values()) + " |")
    lines += [
        "",
        "| criterion, forward and backward | time | more than cross entropy | of its step | "
        "peak memory, MiB |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["criteria"].items():
        share = 100 * row["extra"]["median"] / step
        cells = spread(row["criterion"]), spread(row["extra"]), f"{share:.1f} %"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {row['peak_mib']:.1f} |")
    for precision, row in found.get("peak", {}).items():
        share = 100 * row["step_gflops"] / row["peak_gflops"]
        best = ", best for this machine" if precision == found["best_precision"] else ""
        lines += [
            "",
            f"{precision}{best}: {1000 * row['step_gflop'] / row['step_gflops']:.0f} ms a step of "
            f"DCL, {row['step_gflops']:.0f} gigaflop a second, {share:.0f} % of the "
            f"{row['peak_gflops']:.0f} of a matrix product",
        ]
    if found["growth"]:
        lines += ["", "| DCL with | more than cross entropy | peak memory, MiB |", "|---|---|---|"]
    for row in found["growth"]:
        what = f"{LETTERS[row['axis']]}={row['size']}"
        what += ", A=1" if row["axis"] == "classes" else ""
        lines.append(f"| {what} | {spread(row['extra'])} | {row['peak_mib']:.1f} |")
    return "\n".join(lines)


def spread(values: dict[str, float]) -> str:
    return "{median:.1f} [{low:.1f}, {high:.1f}]".format(**values)
