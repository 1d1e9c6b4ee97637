"""Settings of a process that trains on a CPU: nothing needs them, a step is faster with them.

They are read when a process starts, so they stand in the environment before it does: `settings`
for whoever starts a run, `restart` for a process that is running already.
"""

import os
import sys
from collections.abc import Mapping

import torch

SETTINGS = {
    # glibc gives large freed blocks back to the system, and every step then pays a page fault for
    # each 4 KB of its activations. Kept, they are there for the next step.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
    # A thread that waits for the others sleeps. Spinning, the threads of two runs on one machine
    # take each other's cores.
    "OMP_WAIT_POLICY": "passive",
}
STARTED = "DCL_SETTINGS"  # set by `restart`; "off" leaves the process as it was started


def settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Those of `SETTINGS` that the environment does not set otherwise."""
    environment = os.environ if environment is None else environment
    return {name: value for name, value in SETTINGS.items() if name not in environment}


def restart() -> None:
    """Start this Python anew, same arguments, with the settings; once, and on Linux alone.

    Nothing that the process has read or opened is kept: call it first. With DCL_SETTINGS=off in
    the environment, or all of them there already, nothing is done.
    """
    wanted = settings()
    if not sys.platform.startswith("linux") or STARTED in os.environ or not wanted:
        return
    os.execve(  # sys.orig_argv: with -m and -X as given
        sys.executable,
        [sys.executable, *sys.orig_argv[1:]],
        {**os.environ, **wanted, STARTED: "on"},
    )


def best_precision(device: torch.device) -> str:
    """What ``precision auto`` means there: bfloat16 where the hardware multiplies it, else float32.

    On a CPU that is AMX (`amx_bf16` of its flags): without it bfloat16 is several times slower.

    Examples
    --------
    >>> best_precision(torch.device("cpu")) in ("float32", "bfloat16")
    True
    """
    from .records import _flags  # here: it brings pandas, and `restart` comes before that

    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if device.type == "cpu" and "amx_bf16" in _flags() else "float32"
