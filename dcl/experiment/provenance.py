"""What made a run's numbers: device, threads, versions, a hash of the code that decides them."""

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import imports

if TYPE_CHECKING:
    import torch


def environment(device: "torch.device") -> dict[str, Any]:
    """What the run ran on: device, threads, package versions, the processor's flags that matter."""
    import torch
    import torchvision

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": f"{device.type} ({name})",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "flags": sorted(cpu_flags() & {"amx_bf16", "avx512_bf16", "avx512f", "avx2"}),
    }


@cache
def source_hash(*modules: str) -> str:
    """Hash of these modules' files and of all of this package that they import.

    Without a module: of nothing. A change of a figure changes no run's hash.
    """
    digest = hashlib.sha256()
    for path in sorted(imports.files_of(modules)):
        digest.update(
            path.relative_to(imports.ROOT).as_posix().encode() + b"\0" + path.read_bytes()
        )
        for table in sorted(path.parent.glob("*.csv")) if path.parent.name == "drawn" else ():
            digest.update(table.name.encode() + b"\0" + table.read_bytes())
    return digest.hexdigest()[:16]


def cpu_flags() -> set[str]:
    """What the processor can do, as Linux names it; nothing elsewhere."""
    return set(_cpuinfo("flags").split())


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(key: str) -> str:
    """A line of Linux's /proc/cpuinfo; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":", 1)[1].strip() for x in lines if x.startswith(key))
    except (OSError, StopIteration):
        return ""
