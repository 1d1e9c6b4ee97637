"""Data sets as arrays: one file each, and what they share."""

from .resident import SPLITS, DataError, Dataset, Resident, Split, flip

__all__ = ["SPLITS", "DataError", "Dataset", "Resident", "Split", "flip"]
