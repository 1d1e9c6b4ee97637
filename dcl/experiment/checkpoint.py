"""How far a run has come, and the file that it goes on from after a stop."""

import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


class TrainingError(RuntimeError):
    """A run that cannot go on: says where it stopped and how to go on."""


@dataclass
class Progress:
    """All that a run has besides the model: what a checkpoint keeps."""

    epoch: int = 0  # epochs finished
    history: list[dict[str, Any]] = field(default_factory=list)
    # decision -> value on validation, epoch, model, criterion
    best: dict[str, dict[str, Any]] = field(default_factory=dict)


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
