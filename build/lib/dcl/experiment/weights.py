"""Weights beside a run record, as safetensors: plain arrays, nothing that could run."""

import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn


class WeightsError(ValueError):
    """A file of weights that cannot be read or written, named."""


def path_of(record: Path) -> Path:
    """The weights of a record: the same name, ending in ``.safetensors``."""
    return Path(record).with_suffix(".safetensors")


def write(state: dict[str, Tensor], path: Path) -> None:
    """Write a model's state, whole or not at all."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(save({name: x.cpu().contiguous() for name, x in state.items()}))
        os.replace(scratch, path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise WeightsError(f"cannot write the weights {path}: {error.strerror}") from None


def read(path: Path) -> dict[str, Tensor]:
    """Read a model's state, to the CPU."""
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise WeightsError(
            f"cannot read the weights {path}: {error.strerror}. "
            "A run keeps them with keep_weights True"
        ) from None
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file: {error}") from None


def load_into(model: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Put a state read from `path` into the model; refused if it is another network's."""
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path} holds the weights of another network: {reason}") from None
