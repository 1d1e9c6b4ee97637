"""Data sets: one file and one line in `DATASETS` each."""

from ..config import Training
from .celeba import CelebA
from .resident import SPLITS, DataError, Dataset, Resident, Split, flip

__all__ = ["DATASETS", "SPLITS", "CelebA", "DataError", "Dataset", "Resident", "Split", "flip"]

DATASETS: dict[str, type[Training]] = {
    "celeba": CelebA,
}
"""What ``python -m dcl run`` offers, and each notebook of that name."""
