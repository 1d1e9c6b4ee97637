"""Classes of new images by a trained network: its weights, and the thresholds of its record."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.images import decode
from ..data.resident import Resident, Split
from ..data.sources import Archive, Folder
from ..evaluation.decisions import decide
from . import records, weights
from .config import from_record
from .datasets import find_dataset
from .fields import ConfigError

CHUNK = 512  # images decoded and scored at once


def predict_images(
    record_path: Path, images: Path, out: Path, *, decision: str = "tuned-mA", device: str = "cpu"
) -> int:
    """Decide the classes of every image of a folder and write them as a CSV, a row for each image.

    Parameters
    ----------
    record_path : path
        A record with its weights beside it, from a run with ``keep_weights``.
    images : path
        A folder of images, or a zip file.
    out : path
        The CSV: the image, and for each attribute the class decided and the score of class 1 less
        that of class 0 (of more classes: of the class decided, less the next one's).
    decision : {"argmax", "tuned-mA", "tuned-f1"}
        The tuned thresholds are those that the record holds of this network.
    device : str

    Returns
    -------
    int
        How many images.

    Raises
    ------
    ConfigError, RecordError, DataError, WeightsError
        For a record without image size or thresholds, no images, an image that cannot be decoded,
        and weights that are missing or another network's.
    """
    record = records.read(record_path)
    config = from_record(find_dataset(record["experiment"]), record)
    shape = record["dataset"].get("shape")
    if shape is None or len(shape) != 3:
        raise ConfigError(
            f"{record_path} does not say the size of its images: it is an older one, or of features"
        )
    names, classes = _attributes(record)
    offsets = _offsets(record, record_path, decision, classes)
    model = config.network(_as_dataset(names, classes, shape))
    weights.load_into(
        model, weights.read(weights.path_of(record_path)), weights.path_of(record_path)
    )
    model.to(device).eval()
    counts = torch.ones(len(classes), max(classes), dtype=torch.long)
    exists = torch.arange(max(classes)) < torch.tensor(classes)[:, None]
    criterion = config.entry.criterion(
        counts * exists, config.epochs, seed=config.seed,
        classes=classes if len(set(classes)) > 1 else None, **config.criterion_options(),
    ).eval()  # fmt: skip
    source = Archive(images) if images.is_file() else Folder(images)
    files = sorted(source.names())
    if not files:
        raise ConfigError(f"{images} holds no image")
    words = record["dataset"].get("class_names") or {}
    with out.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", *(x for name in names for x in (name, f"{name}_score"))])
        for start in range(0, len(files), CHUNK):
            part = files[start : start + CHUNK]
            size, crop = tuple(shape[1:]), getattr(config, "crop", 1.0)
            pixels = np.stack(
                [decode(source.read(f), source.path / f, size, crop)[0] for f in part]
            )
            split = Split(images=pixels, labels=np.full((len(part), len(names)), -1))
            batch = Resident(split, device).batch(torch.arange(len(part), device=device))[0]
            with torch.no_grad(), weights.decide_alone(record_path, config.method):
                logits, features = model(batch)
                scores = criterion.scored(logits, features, model).cpu()
            decided = decide(scores, offsets=offsets)
            for name, row, value in zip(part, decided.tolist(), _margins(scores), strict=True):
                cells: list[Any] = []
                for attribute, label, margin in zip(names, row, value.tolist(), strict=True):
                    cells += [words.get(attribute, range(max(classes)))[label], f"{margin:.4f}"]
                table.writerow([name, *cells])
    return len(files)


def _attributes(record: dict[str, Any]) -> tuple[list[str], tuple[int, ...]]:
    """Names of the attributes, and how many classes each has."""
    table = record["test"]["per_attribute"]
    return list(table), tuple(len(row["confusion"]) for row in table.values())


def _offsets(
    record: dict[str, Any], path: Path, decision: str, classes: tuple[int, ...]
) -> Tensor | None:
    """Offsets (A, C) of a decision, from the thresholds that the record holds."""
    if decision == "argmax":
        return None
    held = record.get("thresholds", {})  # of the network whose weights are kept
    if decision not in held:
        allowed = ", ".join(["argmax", *held])
        raise ConfigError(f"{path} holds no thresholds for {decision!r}: choose one of {allowed}")
    offsets = torch.zeros(len(classes), max(classes), dtype=torch.float64)
    for a, (value, _) in enumerate(held[decision].values()):
        if isinstance(value, list):
            offsets[a, : len(value)] = torch.tensor(value, dtype=torch.float64)
        else:
            offsets[a, 1] = -value
    return offsets


def _margins(scores: Tensor) -> Tensor:
    """(N, A): how far class 1 is above class 0, or the best class above the next."""
    if scores.shape[2] == 2:
        return scores[..., 1] - scores[..., 0]
    best = scores.topk(2, dim=2).values
    return best[..., 0] - best[..., 1]


def _as_dataset(names: list[str], classes: tuple[int, ...], shape: list[int]) -> Any:
    """What `network` of a configuration asks of a data set, without the data."""
    empty = SimpleNamespace(images=np.empty((0, *shape), np.uint8))
    return SimpleNamespace(
        attributes=tuple(names),
        classes=classes[0] if len(set(classes)) == 1 else classes,
        class_sizes=classes,
        splits={"train": empty},
    )
