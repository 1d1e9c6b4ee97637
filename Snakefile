"""The grid of runs, data set x method x seed: one papermill run and one record each.

`make results GRID=celeba-30k` starts it, see book/full_size.md. On its own:

    snakemake --cores 1 --keep-going --keep-incomplete \\
      --config grid=celeba-30k [data_root=FOLDER precision=bfloat16]

A grid is a file in notebooks/grids/, and its records go to the same place below results/. A run
whose record exists is left out, whoever made it; one that was stopped goes on from its checkpoint,
which is no output here: Snakemake deletes those of a failed job.
"""

import fcntl
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from dcl.experiment.grid import (
    find_grid,
    last_line,
    papermill_options,
    read_grid,
    records_folder,
)
from dcl.experiment.machine import settings

os.environ.update(settings())  # the runs start with them, see there
BASE = Path(workflow.basedir)
GRIDS = BASE / "notebooks" / "grids"
try:
    GRID = find_grid(GRIDS, str(config.get("grid", "celeba-30k")))
    GIVEN = {name: config[name] for name in ("data_root", "weights", "precision") if name in config}
    RUNS = read_grid(GRID, GIVEN, records_folder(GRIDS, GRID))
except ValueError as error:
    raise WorkflowError(error)
NOTEBOOK = BASE / "notebooks" / f"{RUNS[0].config.experiment}.ipynb"
if not NOTEBOOK.is_file():
    raise WorkflowError(
        f"the runs of a grid are runs of {NOTEBOOK}, which is missing: write it, see "
        f"book/extend.md, or use python -m dcl grid {GRID}"
    )

BUILD = Path("_build", "grid", GRID.stem)
FINISHED = "the run is finished"
TO_DO = [run for run in RUNS if run.missing()]


def log_of(run) -> Path:
    return BUILD / f"{run.name}.log"


rule all:
    input:
        [path for run in TO_DO for path in run.records],
    default_target: True
    localrule: True


for run in RUNS:

    rule:
        name:
            run.name
        output:
            run.records,
        log:
            str(log_of(run)),
        params:
            notebook=shlex.quote(str(NOTEBOOK)),
            executed=shlex.quote(str(BUILD / f"{run.name}.ipynb")),
            options=shlex.join(papermill_options(run.parameters)),
            # A run with all cores shares them with trainings that Snakemake does not know of
            python=lambda wildcards, threads: (
                "env -u OMP_NUM_THREADS " if threads == os.cpu_count() else ""
            )
            + shlex.quote(sys.executable),
            finished=FINISHED,
        threads: int(config.get("threads", 1))
        shell:
            "{params.python} -m papermill {params.notebook} {params.executed} -k python3 "
            "--no-progress-bar --autosave-cell-every 60 {params.options} > {log} 2>&1 "
            "&& echo {params.finished} >> {log}"


onstart:
    # Before any run: nobody else is at this grid, and its data can be read (and are packed once)
    BUILD.mkdir(parents=True, exist_ok=True)
    lock = (BUILD / "lock").open("w")  # the system drops it when this process ends, however
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise WorkflowError(f"grid {GRID.stem} is being run already: wait for it, or stop it")
    for run in TO_DO:
        log_of(run).unlink(missing_ok=True)
    try:
        if RUNS[0].config.data_root:
            RUNS[0].config.load()
    except ValueError as error:
        raise WorkflowError(error)
    workflow.grid_lock = lock


onsuccess:
    print(f"grid {GRID.stem}: all {len(RUNS)} runs have their record in {Path(RUNS[0].records[0]).parent}/")


onerror:
    failed = [run for run in TO_DO if last_line(log_of(run)) != FINISHED]
    print(f"\ngrid {GRID.stem}: {len(failed)} of {len(RUNS)} runs failed:", file=sys.stderr)
    for run in failed:
        print(f"  {run.name}: {last_line(log_of(run))} ({log_of(run)})", file=sys.stderr)
    print("The same command tries these again, and no others.", file=sys.stderr)
