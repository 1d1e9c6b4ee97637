"""Checkpoints of a training: written whole or not at all, and refused if they are another run's."""

import os
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
    best: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # by decision: val_mA, epoch, model


def save_checkpoint(path: Path, identity: str, state: dict[str, Any], progress: Progress) -> None:
    """Write all that a run needs to go on; the old checkpoint stays until the new one is whole."""
    saved = {
        name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
        for name, part in state.items()
    }
    scratch = path.with_name(f".{path.name}.part")  # overwritten after a kill
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"identity": identity, "state": saved, "progress": vars(progress)}, scratch)
        os.replace(scratch, path)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as RuntimeError
        scratch.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the checkpoint {path}: {error}") from None


def load_checkpoint(path: Path, identity: str, state: dict[str, Any]) -> Progress:
    """Put a checkpoint back into `state`; refused, by name, if it is another run's or broken."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        found = saved["identity"]
    except Exception as error:  # torch raises many kinds for a truncated or foreign file
        kind = type(error).__name__
        raise TrainingError(
            f"{path} is not a checkpoint ({kind}): delete it to start anew"
        ) from None
    if found != identity:
        raise TrainingError(
            f"{path} was written by another run or another version of dcl ({found}, this run is "
            f"{identity}): delete it to start anew"
        )
    for name, part in state.items():
        load = part.set_state if isinstance(part, torch.Generator) else part.load_state_dict
        load(saved["state"][name])
    return Progress(**saved["progress"])
