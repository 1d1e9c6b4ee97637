"""How far a run has come, and the file that it goes on from after a stop."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class TrainingError(RuntimeError):
    """A run that cannot go on: says where it stopped and how to go on."""


@dataclass
class Progress:
    """All that a run has besides the model: what a checkpoint keeps."""

    epoch: int = 0  # epochs finished
    history: list[dict[str, Any]] = field(default_factory=list)
    # decision -> value on validation, epoch, model, criterion
    best: dict[str, dict[str, Any]] = field(default_factory=dict)


@contextmanager
def resumable(checkpoint: Path) -> Iterator[None]:
    """What stops the block, such as Ctrl-C, learns whether the run can go on."""
    try:
        yield
    except BaseException as error:
        if checkpoint.exists() and not isinstance(error, ValueError | RuntimeError):
            error.add_note("the same command goes on from the last finished epoch")
        raise


@contextmanager
def alone(checkpoint: Path) -> Iterator[None]:
    """No other process trains the run of this checkpoint until the block ends.

    Raises
    ------
    TrainingError
        Where another process trains it now.
    """
    path = checkpoint.with_name(f".{checkpoint.name}.lock")
    file = _locked(path)
    try:
        yield
    finally:
        if file is not None:
            path.unlink(missing_ok=True)  # while it is locked
            file.close()


def _locked(path: Path) -> Any:
    """The file, locked until it is closed or the process ends; None on a disk without locks."""
    while fcntl is not None:
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except BlockingIOError:
            file.close()
            raise TrainingError(
                f"another process trains this run, and has locked {path}: wait until it ends, or "
                f"choose other results"
            ) from None
        except FileNotFoundError:  # the other has ended just now, and removed it
            pass
        except OSError:
            file.close()
            break
        file.close()
    return None


def save_checkpoint(path: Path, identity: str, state: dict[str, Any], progress: Progress) -> None:
    """Write all that a run needs to go on; the old checkpoint stays until the new one is whole."""
    saved = {
        name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
        for name, part in state.items()
    }
    scratch = path.with_name(f".{path.name}.part")  # overwritten after a kill
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"identity": identity, "device": _device_of(state)}
        torch.save(kept | {"state": saved, "progress": vars(progress)}, scratch)
        os.replace(scratch, path)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as RuntimeError
        scratch.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the checkpoint {path}: {error}") from None


def load_checkpoint(path: Path, identity: str, state: dict[str, Any]) -> Progress:
    """Put a checkpoint back into `state`; refused, by name, if it is another run's or broken.

    Reading it runs no code, and notices a byte that has changed.
    """
    try:
        with zipfile.ZipFile(path) as parts:  # torch.load compares no checksums
            damaged = parts.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"{damaged} is damaged")
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if type(saved) is not dict or type(saved["identity"]) is not str:
            raise TypeError("it names no run")
    except Exception as error:  # torch raises many kinds for a truncated or foreign file
        raise _no_checkpoint(path, error) from None
    if saved["identity"] != identity:
        raise TrainingError(
            f"{path} was written by another run or another version of dcl ({saved['identity']}, "
            f"this run is {identity}): delete it to start anew"
        )
    device = _device_of(state)
    if saved.get("device", device) != device:  # the random numbers of another device are others
        raise TrainingError(
            f"{path} was written on {saved['device']}, this run is on {device}: go on there (with "
            f"device), or delete it to start anew"
        )
    try:
        if type(saved["state"]) is not dict:
            raise TypeError("its state is no dict")
        for name, part in state.items():
            load = part.set_state if isinstance(part, torch.Generator) else part.load_state_dict
            load(saved["state"][name])
        progress = Progress(**saved["progress"])
        kinds = {name: type(value) for name, value in vars(Progress()).items()}
        if {name: type(value) for name, value in vars(progress).items()} != kinds:
            raise TypeError("its progress is of other kinds")
        return progress
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise _no_checkpoint(path, error) from None


def _device_of(state: dict[str, Any]) -> str:
    """Where the random numbers of a run are drawn: ``cpu`` or ``cuda``."""
    kinds = {part.device.type for part in state.values() if isinstance(part, torch.Generator)}
    return "+".join(sorted(kinds))


def _no_checkpoint(path: Path, error: Exception) -> TrainingError:
    return TrainingError(
        f"{path} is not a checkpoint ({type(error).__name__}): delete it to start anew"
    )
