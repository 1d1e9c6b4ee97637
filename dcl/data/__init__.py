"""Data sets: one line each in `DATASETS`."""

from collections.abc import Callable

from . import celeba, faces
from .resident import DataError, Dataset, Resident, Split, flip

__all__ = ["DATASETS", "DataError", "Dataset", "Resident", "Split", "flip"]

import hashlib


def load_faces(train: int = 12_000, *, val: int = 2_000, test: int = 4_000) -> Dataset:
    splits = {}
    digest = hashlib.sha256()
    for seed, (name, count) in enumerate({"train": train, "val": val, "test": test}.items()):
        labels = faces.draw_labels(count, seed=seed)
        splits[name] = Split(images=faces.draw_faces(labels, seed=seed), labels=labels)
        digest.update(splits[name].images.tobytes())
    return Dataset(name="faces", title="SynthFaces", attributes=faces.ATTRIBUTES, classes=2,
        splits=splits, expected={k: len(v) for k, v in splits.items()}, fingerprint=digest.hexdigest()[:16])


# name -> loader(root, **options); a loader without a root draws its images.
DATASETS: dict[str, Callable[..., Dataset]] = {"celeba": celeba.load, "faces": load_faces}
