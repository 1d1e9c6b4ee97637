"""Data sets: one file and one line in `DATASETS` each."""

from ..config import Training
from .celeba import CelebA
from .cifar import Cifar100
from .pedestrians import Pedestrians
from .resident import SPLITS, DataError, Dataset, Resident, Split, flip

__all__ = [
    "DATASETS",
    "SPLITS",
    "CelebA",
    "Cifar100",
    "DataError",
    "Dataset",
    "Pedestrians",
    "Resident",
    "Split",
    "flip",
]

DATASETS: dict[str, type[Training]] = {
    "celeba": CelebA,
    "cifar100": Cifar100,
    "pedestrians": Pedestrians,
}
"""What ``python -m dcl run`` offers, and each notebook of that name."""
