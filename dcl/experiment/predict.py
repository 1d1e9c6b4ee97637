"""Classes of new images or rows by a trained network: its weights, its record's thresholds."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import numpy as np
import torch
from torch import Tensor

from ..data.images import BACKGROUND, Range, decode
from ..data.names import is_image
from ..data.resident import DataError, Resident, Split
from ..data.sources import Archive, Folder
from ..data.table_features import columns_of, features_again
from ..data.table_file import ENDINGS, Table, read_table
from ..evaluation.decisions import decide
from ..evaluation.thresholds import read as read_thresholds
from . import records
from .config import ConfigError, Training, resolve
from .datasets import config_of
from .outputs import check_out, check_replaced, write_text
from .run import pick_device

CHUNK = 512  # images decoded and scored at once
LONGEST = 2**16  # characters read of a file's first line


@dataclass(frozen=True)
class Predicted:
    """What `predict_classes` wrote."""

    count: int  # rows
    broken: list[str]  # images without a row, and why
    notes: list[str]  # sentences on what was read
    moved: bool  # whether classes were decided by thresholds


def predict_classes(
    record_path: Path,
    given: Path,
    out: Path,
    *,
    decision: str = "tuned-mA",
    thresholds: Path | None = None,
    device: str = "cpu",
) -> Predicted:
    """Decide the classes of new images, or of a table's rows, and write them as a CSV.

    Images are found and their pixels read, and features made, as in training. An image that cannot
    be read gets no row.

    Parameters
    ----------
    record_path : path
        A record with its weights beside it, from a run with ``keep_weights``.
    given : path
        A folder of images, a zip file of them, or one image; of a network of features a table with
        the same columns, whose labels need not be there.
    out : path
        The CSV: the image or the number of the row, and for each attribute the class decided and
        the score of class 1 less that of class 0 (of more classes: the best score less the next).
    decision : {"argmax", "prior", "tuned-mA", "tuned-f1"}
        The thresholds are those that the record holds of this network, as far as its method has
        them.
    thresholds : path, optional
        A file of `dcl tune`, whose thresholds and decisions take the place of the record's.
    device : str

    Returns
    -------
    Predicted

    Raises
    ------
    ConfigError, OutputError, RecordError, DataError, WeightsError, ThresholdsError
        For a CSV that is something else than predictions, a record without image size or
        thresholds, no images, a folder in which every image is broken, a table without a column of
        the training, and weights that are missing or another network's.
    """
    check_out([out], [record_path, records.weights_path(record_path), given,
                      *([thresholds] if thresholds else [])])  # fmt: skip
    chosen = pick_device(device)
    record = records.read(record_path)
    config = config_of(record)
    _check_out(out, config)
    shape = record["dataset"].get("shape")
    if shape is None:
        raise ConfigError(f"{record_path} does not say the size of its images: it is an older one")
    is_table = given.suffix.lower() in ENDINGS
    if is_table != (len(shape) == 1):
        raise ConfigError(
            f"{record_path} is of features: give a table of them, {', '.join(ENDINGS)}, got {given}"
            if len(shape) == 1
            else f"{record_path} is of images: give a folder of them, a .zip or one image, got "
            f"{given}"
        )
    broken: list[str] = []
    if is_table:
        if "features" not in record["dataset"]:
            raise ConfigError(f"{record_path} does not say how its features were made")
        used = columns_of(record["dataset"]["features"])
        batches, notes = _rows_of(read_table(given, used=used).composed(but=None), record)
    else:
        batches, notes = _images_of(given, out, record, config, broken)
    names, classes = _attributes(record)
    header = _header("row" if is_table else "image", names, record_path)
    if thresholds is None:
        offsets = _offsets(record, record_path, decision, classes)
    elif set(classes) == {2}:
        offsets = read_thresholds(thresholds).offsets(decision, names=names)
    else:
        raise ConfigError(
            f"{thresholds} is for yes-or-no labels, the network of {record_path} has attributes of "
            f"{max(classes)} classes"
        )
    model = config.blank_network(_as_dataset(names, classes, shape))
    records.load_into(model, records.read_weights(record_path), record_path)
    model.to(chosen).eval()
    criterion = config.entry.criterion(
        _class_counts(record, classes), config.trained_epochs, seed=config.seed,
        classes=classes if len(set(classes)) > 1 else None, **config.criterion_options(),
    ).eval()  # fmt: skip
    words = _class_names(record, names)
    text, count = io.StringIO(newline=""), 0
    table = csv.writer(text)
    table.writerow(header)
    for part, inputs in batches:
        split = Split(images=inputs, labels=np.full((len(part), len(names)), -1))
        batch = Resident(split, chosen).batch(torch.arange(len(part), device=chosen))[0]
        with torch.no_grad(), records.by_weights_alone(record_path, config.method):
            logits, features = model(batch)
            scores = criterion.scored(logits, features, model).cpu()
        decided = decide(scores, offsets=offsets)
        for name, row, value in zip(part, decided.tolist(), _margins(scores, classes), strict=True):
            cells: list[Any] = []
            for attribute, label, margin in zip(names, row, value.tolist(), strict=True):
                cells += [words.get(attribute, range(max(classes)))[label], f"{margin:.4f}"]
            table.writerow([name, *cells])
        count += len(part)
    if not count:
        raise DataError(f"{given}: no image can be read, the first is {broken[0]}")
    write_text(out, text.getvalue())
    return Predicted(count, broken, notes, moved=offsets is not None)


def _header(first: str, names: list[str], record: Path) -> list[str]:
    """Columns of the CSV; an attribute whose column would be there twice is refused."""
    header = [first, *(x for name in names for x in (name, f"{name}_score"))]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"the CSV would have two columns {twice!r}: one for the attribute of {record}, one for "
            f"the {first} or a score. Rename the attribute in the training's data and train again"
        )
    return header


def _check_out(out: Path, config: Training) -> None:
    """Refuse to write over what the record was trained from, or what is no earlier CSV of ours."""
    named = (getattr(config, name, "") for name in ("data_root", "images", "weights"))
    check_out([out], [resolve(path) for path in named if path])
    check_replaced("--out", out, "predictions", _are_predictions)


def _are_predictions(file: TextIO) -> bool:
    cells = next(csv.reader([file.readline(LONGEST).rstrip("\r\n")]), [])
    scores = [f"{name}_score" for name in cells[1::2]]
    return cells[:1] in (["row"], ["image"]) and bool(scores) and cells[2::2] == scores


Batches = Iterator[tuple[list[Any], np.ndarray]]
"""Names of some samples, and their pixels (n, 3, H, W) or features (n, F)."""


def _images_of(
    given: Path, out: Path, record: dict[str, Any], config, broken: list[str]
) -> tuple[Batches, list[str]]:
    """Images read as those of the training were; what is wrong with one goes into `broken`."""
    if given.is_file():
        one = is_image(given.name)
        source = Folder(given.parent, [given.name]) if one else Archive(given)
    else:
        source = Folder(given)
    files = sorted(source.names())
    if not files:
        raise ConfigError(f"{given} holds no image")
    check_out([out], [source.path / name for name in files if Path(name).name == out.name])
    others = [f"no images by their names: {source.others}"] if source.others else []
    return _decoded(source, files, record, config, broken), others


def _rows_of(table: Table, record: dict[str, Any]) -> tuple[Batches, list[str]]:
    """Rows of features, made as those of the training were."""
    values, notes = features_again(table, record["dataset"]["features"])
    starts = range(0, len(table), CHUNK)
    return ((table.rows[at : at + CHUNK], values[at : at + CHUNK]) for at in starts), notes


def _decoded(
    source: Folder | Archive, files: list[str], record: dict[str, Any], config, broken: list[str]
) -> Batches:
    """Names and pixels (n, 3, H, W) of images, some at a time, read as those of the training were.

    What is wrong with an image goes into `broken`.
    """
    size = tuple(record["dataset"]["shape"][1:])
    how = record["dataset"].get("decoding")
    if how is None:  # an older record
        how = {
            "crop": getattr(config, "crop", 1.0),
            "background": getattr(config, "background_colour", BACKGROUND),
            "ranges": record["dataset"].get("ranges"),
        }
    if how["ranges"] is not None:
        ranges = {kind: Range(kind, *limits) for kind, limits in how["ranges"].items()}
        how = how | {"ranges": ranges}
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


def _class_counts(record: dict[str, Any], classes: tuple[int, ...]) -> Tensor:
    """Of the training, (A, C); 1 of each class for an older record, which does not hold them."""
    held = record["dataset"].get("class_counts")
    if held is not None:
        return torch.tensor(held)
    return (torch.arange(max(classes)) < torch.tensor(classes)[:, None]).long()


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


def _margins(scores: Tensor, classes: tuple[int, ...]) -> Tensor:
    """(N, A): how far class 1 is above class 0; of more classes, the best above the next."""
    best = scores.topk(2, dim=2).values
    two = torch.tensor(classes) == 2
    return torch.where(two, scores[..., 1] - scores[..., 0], best[..., 0] - best[..., 1])


def _as_dataset(names: list[str], classes: tuple[int, ...], shape: list[int]) -> Any:
    """What `network` of a configuration asks of a data set, without the data."""
    empty = SimpleNamespace(images=np.empty((0, *shape), np.uint8))
    return SimpleNamespace(
        attributes=tuple(names),
        classes=classes[0] if len(set(classes)) == 1 else classes,
        class_sizes=classes,
        splits={"train": empty},
    )
