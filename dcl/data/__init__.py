"""Data sets: one line each in `DATASETS`."""

from collections.abc import Callable

from . import celeba, faces
from .resident import SPLITS, DataError, Dataset, Resident, Split, flip

__all__ = ["DATASETS", "SPLITS", "DataError", "Dataset", "Resident", "Split", "flip"]

# name -> loader(root, **options); a loader without a root draws its images.
DATASETS: dict[str, Callable[..., Dataset]] = {
    "celeba": celeba.load,
    "faces": faces.load,
}
