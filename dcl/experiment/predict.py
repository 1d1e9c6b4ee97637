"""Classes of new images by a trained network: its weights, and the thresholds of its record."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.images import BACKGROUND, Range, decode
from ..data.names import is_image
from ..data.resident import DataError, Resident, Split
from ..data.sources import Archive, Folder
from ..evaluation.decisions import decide
from ..evaluation.thresholds import read as read_thresholds
from . import records
from .config import ConfigError
from .datasets import config_of
from .run import pick_device

CHUNK = 512  # images decoded and scored at once


@dataclass(frozen=True)
class Predicted:
    """What `predict_images` wrote."""

    count: int  # rows
    broken: list[str]  # images without a row, and why
    passed: str  # how many other files the folder holds, by their suffix


def predict_images(
    record_path: Path,
    images: Path,
    out: Path,
    *,
    decision: str = "tuned-mA",
    thresholds: Path | None = None,
    device: str = "cpu",
) -> Predicted:
    """Decide the classes of every image of a folder and write them as a CSV, a row for each image.

    Which files are images and how their pixels are read is the same as in training. An image that
    cannot be read gets no row.

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
    thresholds : path, optional
        A file of `dcl tune`, whose thresholds and decisions take the place of the record's.
    device : str

    Returns
    -------
    Predicted

    Raises
    ------
    ConfigError, RecordError, DataError, WeightsError, ThresholdsError
        For a record without image size or thresholds, no images, a folder in which every image is
        broken, and weights that are missing or another network's.
    """
    if images.is_file():
        one = is_image(images.name)
        source = Folder(images.parent, [images.name]) if one else Archive(images)
    else:
        source = Folder(images)
    files = sorted(source.names())
    if not files:
        raise ConfigError(f"{images} holds no image")
    read = [record_path, records.weights_path(record_path), images]
    read += [source.path / name for name in files if Path(name).name == out.name]
    records.check_out([out], read + ([thresholds] if thresholds else []))
    device = pick_device(device)
    record = records.read(record_path)
    config = config_of(record)
    shape = record["dataset"].get("shape")
    if shape is None or len(shape) != 3:
        raise ConfigError(
            f"{record_path} does not say the size of its images: it is an older one, or of features"
        )
    names, classes = _attributes(record)
    if thresholds is None:
        offsets = _offsets(record, record_path, decision, classes)
    elif set(classes) == {2}:
        offsets = read_thresholds(thresholds).offsets(decision, names=names)
    else:
        raise ConfigError(
            f"{thresholds} is for yes-or-no labels, the network of {record_path} has attributes of "
            f"{max(classes)} classes"
        )
    model = config.network(_as_dataset(names, classes, shape))
    records.load_into(model, records.read_weights(record_path), record_path)
    model.to(device).eval()
    counts = torch.ones(len(classes), max(classes), dtype=torch.long)
    exists = torch.arange(max(classes)) < torch.tensor(classes)[:, None]
    criterion = config.entry.criterion(
        counts * exists, config.epochs, seed=config.seed,
        classes=classes if len(set(classes)) > 1 else None, **config.criterion_options(),
    ).eval()  # fmt: skip
    words = _class_names(record, names)
    broken: list[str] = []
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["image", *(x for name in names for x in (name, f"{name}_score"))])
    for part, pixels in _decoded(source, files, record, config, broken):
        split = Split(images=pixels, labels=np.full((len(part), len(names)), -1))
        batch = Resident(split, device).batch(torch.arange(len(part), device=device))[0]
        with torch.no_grad(), records.by_weights_alone(record_path, config.method):
            logits, features = model(batch)
            scores = criterion.scored(logits, features, model).cpu()
        decided = decide(scores, offsets=offsets)
        for name, row, value in zip(part, decided.tolist(), _margins(scores), strict=True):
            cells: list[Any] = []
            for attribute, label, margin in zip(names, row, value.tolist(), strict=True):
                cells += [words.get(attribute, range(max(classes)))[label], f"{margin:.4f}"]
            table.writerow([name, *cells])
    if len(broken) == len(files):
        raise DataError(f"{images}: no image can be read, the first is {broken[0]}")
    records.write_whole(out, text.getvalue().encode("utf-8", "surrogateescape"))
    return Predicted(len(files) - len(broken), broken, source.others)


def _decoded(
    source: Folder | Archive, files: list[str], record: dict[str, Any], config, broken: list[str]
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Names and pixels (n, 3, H, W) of images, some at a time, read as those of the training were.

    What is wrong with an image goes into `broken`.
    """
    size = tuple(record["dataset"]["shape"][1:])
    ranges = record["dataset"].get("ranges")  # older records have none
    if ranges is not None:
        ranges = {kind: Range(kind, *limits) for kind, limits in ranges.items()}
    how = {
        "crop": getattr(config, "crop", 1.0),
        "background": getattr(config, "background_colour", BACKGROUND),
        "ranges": ranges,
    }
    for start in range(0, len(files), CHUNK):
        part, pixels = [], []
        for name in files[start : start + CHUNK]:
            try:
                pixels.append(decode(source.read(name), source.where(name), size, **how)[0])
                part.append(name)
            except DataError as error:
                broken.append(str(error))
        if part:
            yield part, np.stack(pixels)


def _class_names(record: dict[str, Any], names: list[str]) -> dict[str, list[str]]:
    """Names of the classes of each attribute, where the record has them."""
    if "per_class" in record["test"]:
        return {names[0]: list(record["test"]["per_class"])}
    return record["dataset"].get("class_names") or {}


def _attributes(record: dict[str, Any]) -> tuple[list[str], tuple[int, ...]]:
    """Names of the attributes, and how many classes each has."""
    table = record["test"]["per_attribute"]
    return list(table), tuple(len(records.confusion_of(row)) for row in table.values())


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
