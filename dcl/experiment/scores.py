"""Scores beside a run record, 8 bits each, so that anyone can try another decision on them."""

from pathlib import Path

import numpy as np
from torch import Tensor

LARGEST = 8.0  # log-odds: a probability of 0.9997
STEP = 2 * LARGEST / 255


def path_of(record: Path) -> Path:
    """The scores of a record: the same name, ending in ``.scores.npz``."""
    return Path(record).with_suffix(".scores.npz")


def write(logits: dict[str, Tensor], labels: dict[str, Tensor], path: Path) -> None:
    """Write the log-odds (N, A) of class 1 and the labels (N, A) of some splits.

    Raises
    ------
    ValueError
        For attributes of more than two classes.
    """
    arrays = {}
    for split, values in logits.items():
        if values.shape[2] != 2:
            raise ValueError(
                f"keep_scores is for yes-or-no attributes, got {values.shape[2]} classes"
            )
        odds = (values[..., 1] - values[..., 0]).clamp(-LARGEST, LARGEST).cpu().numpy()
        arrays[f"{split}_scores"] = np.rint((odds + LARGEST) / STEP).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[split].cpu().numpy().astype(np.int8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


def read(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Split -> log-odds (N, A), to 0.03, and labels (N, A).

    The log-odds beyond 8 are all 8. A threshold within that gives what the network's own scores
    give, but for the samples nearer to it than a step; a ranking of the many that are held at 8,
    AUC or average precision, does not quite.
    """
    with np.load(path) as arrays:
        splits = [name.removesuffix("_scores") for name in arrays if name.endswith("_scores")]
        return {
            split: (
                arrays[f"{split}_scores"] * np.float32(STEP) - np.float32(LARGEST),
                arrays[f"{split}_labels"].astype(np.int64),
            )
            for split in splits
        }
