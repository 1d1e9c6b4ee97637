"""What a table of the paper takes at full size: its runs, and their GPU hours.

    python notebooks/grids/paper/plan.py 2                    # `make paper TABLE=2 DRY=1`
    python notebooks/grids/paper/plan.py 7 --ms-per-step 40   # `make paper TABLE=7 DRY=1 MS=40`

Hours are steps times a step's milliseconds: --ms-per-step, or what was measured on the GPU that the
grid names, with the paper's own beside it. Validation after each epoch and the test come on top.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import yaml

from dcl.experiment.config import ConfigError
from dcl.experiment.grid import Run, read_grid, records_folder

PAPER = Path(__file__).resolve().parent
TOGETHER = {"5": "5_6", "6": "5_6"}  # one grid fills both tables
TABLES = sorted(path.stem.removeprefix("table") for path in PAPER.glob("*.yaml"))


def notes(path: Path) -> dict[str, Any]:
    """What a grid says of itself: ``table``, ``train_images`` and ``ms_per_step``, measured.

    Where the paper gives hours, also its own ``paper_ms_per_step``.
    """
    return yaml.safe_load(path.read_text("utf8"))["paper"]


def steps(run: Run, train_images: int) -> int:
    """Optimiser steps of a run; an epoch's last batch may be smaller."""
    return run.config.epochs * math.ceil(train_images / run.config.batch_size)


def step_time(about: dict[str, Any], given: float | None) -> tuple[float, str]:
    """Milliseconds of a step, and where they come from."""
    if given:
        return given, "given: not measured here"
    return about["ms_per_step"], "measured on an NVIDIA H200: MS=milliseconds gives your own"


def plan(path: Path, given: dict[str, Any], ms_per_step: float | None) -> str:
    """The runs of a grid in words, with their hours."""
    about = notes(path)
    ms, source = step_time(about, ms_per_step)
    runs = read_grid(path, given, records_folder(PAPER.parent, path))
    lines, total, left = [], 0.0, 0.0
    for run in runs:
        hours = steps(run, about["train_images"]) * ms / 3.6e6
        missing = bool(run.missing())
        total += hours
        left += hours if missing else 0.0
        lines.append(
            f"{run.name:42} {steps(run, about['train_images']):9,} steps  "
            f"{f'{hours:,.1f} h':>9}{'' if missing else '  has its record'}"
        )
    open_runs = sum(bool(run.missing()) for run in runs)
    lines.append(f"{path.stem}: {len(runs)} runs, {open_runs} of them without a record")
    lines.append(f"{total:,.1f} h of one GPU, {left:,.1f} h left, at {ms:g} ms per step ({source})")
    if papers := about.get("paper_ms_per_step"):
        lines.append(
            f"{total * papers / ms:,.1f} h at the paper's {papers:g} ms per step, on a TITAN Xp"
        )
    lines.append("hours of steps alone: validation after each epoch and the test come on top")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=[*TOGETHER, *TABLES], help="of the paper")
    parser.add_argument("--data-root", metavar="FOLDER", help="where not the grid's")
    parser.add_argument("--weights", metavar="FILE", help="pretrained, of tables 5 and 6")
    parser.add_argument("--ms-per-step", type=_positive, help="measured by you, such as 40")
    options = parser.parse_args(arguments)
    given = {"data_root": options.data_root, "weights": options.weights}
    given = {name: value for name, value in given.items() if value}
    try:
        table = TOGETHER.get(options.table, options.table)
        print(plan(PAPER / f"table{table}.yaml", given, options.ms_per_step))
    except ConfigError as error:
        print(f"make paper: {error}", file=sys.stderr)
        return 2
    return 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
