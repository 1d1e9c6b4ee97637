"""A process on this machine: what its paths mean, and settings for a training on a CPU.

The settings are optional and make a step faster. A process reads them when it starts, so they must
be in its environment: use `settings` to start a run, `restart` in a process that already runs.
`fair_share` decides how many threads a training has, when it starts.
"""

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fcntl
except ImportError:  # Windows: trainings cannot see each other
    fcntl = None  # type: ignore[assignment]

from .provenance import cpu_flags

if TYPE_CHECKING:
    import torch

SPIN, WAITING = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"  # the first overrules the second
SETTINGS = {
    # glibc gives large freed blocks back to the system, and every step then pays a page fault for
    # each 4 KB of its activations. We keep them for the next step.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
    # A thread that waits for the others spins for about a millisecond, then sleeps. By default it
    # spins ten times as long, and the threads of two runs on one machine take each other's cores;
    # asleep at once (OMP_WAIT_POLICY=passive), it has to be woken for each of a criterion's many
    # short operations.
    SPIN: "30000",
}
STARTED = "DCL_SETTINGS"  # set by `restart`; "off" leaves the process as it was started
THREADS = "OMP_NUM_THREADS"
COUNT_WAIT = 5.0  # seconds that a training waits to be counted; then it takes all threads


def resolve(path: str | Path) -> Path:
    """`path` from the project's root if the current folder is inside it, else from that folder.

    Papermill runs a notebook in the caller's folder, the book and nbval in the notebook's: inside
    a checkout a relative path means the same for all.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file() and (folder / "dcl" / "__init__.py").is_file():
            return folder / Path(path).expanduser()
    return here / Path(path).expanduser()


def settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The `SETTINGS` that the environment does not set already; none if it says off."""
    environment = os.environ if environment is None else environment
    if environment.get(STARTED) == "off":
        return {}
    given = {*environment, *([SPIN] if WAITING in environment else [])}
    return {name: value for name, value in SETTINGS.items() if name not in given}


def restart() -> None:
    """Start this Python anew, same arguments, with the settings; once, and on Linux alone.

    Call it first: what the process has read or opened is lost. If the environment says
    DCL_SETTINGS=off, or sets them all, nothing is done.
    """
    wanted = settings()
    if not sys.platform.startswith("linux") or STARTED in os.environ or not wanted:
        return
    os.execve(  # sys.orig_argv: with -m and -X as given
        sys.executable,
        [sys.executable, *sys.orig_argv[1:]],
        {**os.environ, **wanted, STARTED: "on"},
    )


@contextmanager
def fair_share(folder: Path | None = None) -> Iterator[int]:
    """While a training runs: torch's threads divided by how many trainings of this user run here.

    If two trainings each have a thread for every core, both may take several times as long as with
    half of the cores: at the end of every operation threads wait for one that has no core. The
    number of threads decides the last digits of a sum, so a training keeps the share that it
    started with, whatever starts or ends later. OMP_NUM_THREADS overrides the share.

    Parameters
    ----------
    folder : Path, optional
        Where each training has a file that counts it; by default one folder for each user, in the
        system's temporary folder. The system drops a file's lock when its process ends, however
        that happens.

    Yields
    ------
    int
        Threads of this training.
    """
    import torch  # not before `restart`, which would import it twice

    before = torch.get_num_threads()
    folder = folder or Path(tempfile.gettempdir(), f"dcl-trainings-{_user()}")
    with _counted(folder) as trainings:
        threads = before if THREADS in os.environ else max(1, before // trainings)
        if threads < before:
            warnings.warn(
                f"{trainings} trainings run on this machine: this one takes {threads} of {before} "
                f"threads. {THREADS} sets another number",
                stacklevel=4,
            )
        torch.set_num_threads(threads)
        try:
            yield threads
        finally:
            torch.set_num_threads(before)


@contextmanager
def _counted(folder: Path) -> Iterator[int]:
    """How many trainings run, this one included; it counts until the end."""
    try:
        mine, trainings = _enter(folder)
    except OSError:  # not our folder, a disk that is full or has no locks: nothing to share by
        mine, trainings = None, 1
    try:
        yield trainings
    finally:
        if mine is not None:
            Path(mine.name).unlink(missing_ok=True)  # while it is locked
            mine.close()


def _enter(folder: Path) -> tuple[Any, int]:
    """This training's locked file, and how many trainings run, this one included."""
    if fcntl is None:
        raise OSError("no locks here")
    folder.mkdir(mode=0o700, exist_ok=True, parents=True)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's")
    with (folder / "gate").open("a") as gate:  # one training at a time comes in
        _wait_for(gate)
        mine = tempfile.NamedTemporaryFile(dir=folder, suffix=".training", delete=False)  # noqa: SIM115
        fcntl.flock(mine, fcntl.LOCK_EX)
        others = [path for path in folder.glob("*.training") if path != Path(mine.name)]
        return mine, 1 + sum(map(_is_locked, others))


def _wait_for(gate: Any) -> None:
    """Take its lock; a BlockingIOError if it stays another's, as that of a stopped process does."""
    until = time.monotonic() + COUNT_WAIT
    while True:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                words = f"{gate.name} is locked by another process: this training is not counted"
                warnings.warn(f"{words}, it takes all threads", stacklevel=7)
                raise
            time.sleep(0.02)


def _is_locked(path: Path) -> bool:
    """Whether the training of this file still runs; the file of a killed one is deleted."""
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "0"


def best_precision(device: "torch.device") -> str:
    """The precision that ``auto`` means: bfloat16 if the hardware multiplies it, else float32.

    On a CPU that is AMX (`amx_bf16` of its flags): without it a step takes 1.5 to 2 times as long.

    Examples
    --------
    >>> import torch
    >>> best_precision(torch.device("cpu")) in ("float32", "bfloat16")
    True
    """
    import torch

    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if device.type == "cpu" and "amx_bf16" in cpu_flags() else "float32"
