"""What DCL costs beside cross entropy, as Markdown, JSON and CSV: ``python -m dcl_book.bench``."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from dcl.experiment.config import ConfigError

from .full_size import PRECISIONS, full_size
from .step import share_of_peak, steps
from .timing import PAPER, RIVALS, TIMED, criteria, growth, launching, missing_rivals

LETTERS = {"batch": "B", "attributes": "A", "classes": "C", "width": "D", "k": "k"}
SPREAD = ("median", "low", "high")
COLUMNS = ("setting", "method", "precision", "part", "n", *SPREAD)


def main(
    device: str = "auto",
    *,
    grow: bool = False,
    rounds: int = 20,
    epochs: int = 0,
    networks: Sequence[str] | None = None,
    out: str = "",
) -> None:
    """Print the tables as Markdown; write the numbers to the file `out`, if given.

    `epochs` of 2 or more also times so many epochs of the paper's size, of each of `networks`
    (`NETWORKS`, DeepID2 without any). A file whose name ends in ``.csv`` is the table of `rows`,
    any other has all numbers as JSON.
    """
    from dcl.experiment.machine import best_precision
    from dcl.experiment.run import pick_device

    where = pick_device(device)
    if rounds < 2:
        raise ConfigError(f"rounds must be 2 or more, for a median and quartiles, got {rounds}")
    if epochs < 0 or epochs == 1:
        raise ConfigError(f"full-size must be 2 epochs or more, or 0 for none, got {epochs}")
    if networks and not epochs:
        raise ConfigError("networks are of whole epochs: say how many, full-size 2 or more")
    if out and not Path(out).resolve().parent.is_dir():
        raise ConfigError(f"out: the folder of {out} does not exist: make it first")
    names = TIMED + tuple(name for name in RIVALS if name not in missing_rivals())
    for name in missing_rivals():
        print(f"{name} is left out: it needs pytorch-metric-learning, of the extra 'bench'")
    found: dict[str, Any] = {
        "setting": PAPER,
        "device": machine(where),
        "rounds": rounds,
        "steps": steps(where, rounds),
        "criteria": criteria(where, rounds, names),
        "launching": launching(where, rounds) if where.type == "cuda" else {},
        "growth": growth(where, rounds) if grow else [],
        "peak": {x: share_of_peak(where, min(rounds, 5), precision=x) for x in PRECISIONS},
        "best_precision": best_precision(where),
        "epochs": epochs,
        "full_size": [],
    }
    if epochs:
        try:
            found["full_size"] = full_size(where, epochs, networks or ("DeepID2",))
        except torch.OutOfMemoryError as error:  # the rest is measured
            print(f"whole epochs are left out, they do not fit into the GPU's memory: {error}")
    print(markdown(found))
    if out.endswith(".csv"):
        with open(out, "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows(found))
    elif out:
        Path(out).write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What `main` measured, as the GPUs' files in ``results/gpu``: ms, but of ``peak MiB``."""
    steps, criteria, whole = found["steps"], found["criteria"], found["full_size"]
    measured = [
        ("alternating", method, "float32", part, found["rounds"], spent)
        for method, parts in steps.items()
        for part, spent in parts.items()
    ]
    for row in whole:
        about = f"full size, {row['network']}", row["method"], row["precision"]
        measured.append((*about, "step", found["epochs"], row["step"]))
        if "peak_mib" in row:
            peak = dict.fromkeys(SPREAD, row["peak_mib"])
            measured.append((*about, "peak MiB", 1, peak))  # of the epoch that warms up
    measured += [
        ("criterion", method, "float32", part, found["rounds"], row[part])
        for method, row in criteria.items()
        for part in ("criterion", "extra")
    ]
    measured += [
        ("launching", "dcl", "float32", way, found["rounds"], spent)
        for way, spent in found["launching"].items()
    ]
    return [
        dict(zip(COLUMNS, row, strict=False))
        | {name: round(value, 3) for name, value in row[-1].items()}
        for row in measured
    ]


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
    if found.get("launching"):
        lines += ["", "| DCL's criterion, launched | time |", "|---|---|"]
        lines += [f"| {way} | {spread(spent)} |" for way, spent in found["launching"].items()]
    peak = found.get("peak", {})
    spent = {name: 1000 * row["step_gflop"] / row["step_gflops"] for name, row in peak.items()}
    for precision, row in peak.items():
        share = 100 * row["step_gflops"] / row["peak_gflops"]
        best = ", best for this machine" if spent[precision] == min(spent.values()) else ""
        best += ", what precision auto takes" if precision == found["best_precision"] else ""
        lines += [
            "",
            f"{precision}{best}: {spent[precision]:.0f} ms a step of DCL, "
            f"{row['step_gflops']:.0f} gigaflop a second, {share:.0f} % of the "
            f"{row['peak_gflops']:.0f} of a matrix product",
        ]
    whole = found.get("full_size", [])
    for number, row in enumerate(whole):
        if number == 0 or row["network"] != whole[number - 1]["network"]:
            what = f"{row['network']}, {found['epochs']} epochs of {row['images']:,} images"
            titles = (what, "precision", "a step", "300 such epochs, h", "peak memory, MiB")
            lines += ["", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
        hours = 300 * math.ceil(row["images"] / PAPER["batch"]) * row["step"]["median"] / 3.6e6
        memory = f"{row['peak_mib']:,.0f}" if "peak_mib" in row else "not counted on a CPU"
        cells = row["method"], row["precision"], spread(row["step"]), f"{hours:.1f}", memory
        lines.append(f"| {' | '.join(cells)} |")
    if found["growth"]:
        lines += ["", "| DCL with | more than cross entropy | peak memory, MiB |", "|---|---|---|"]
    for row in found["growth"]:
        what = f"{LETTERS[row['axis']]}={row['size']}"
        what += ", A=1" if row["axis"] == "classes" else ""
        lines.append(f"| {what} | {spread(row['extra'])} | {row['peak_mib']:.1f} |")
    return "\n".join(lines)


def spread(values: dict[str, float]) -> str:
    return "{median:.1f} [{low:.1f}, {high:.1f}]".format(**values)
