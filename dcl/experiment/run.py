"""One run from its configuration to its record: data, model, criterion, training, test."""

import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..data import Dataset, Resident
from ..methods import TASKS
from ..protocol import Criterion
from . import distributed, outputs, provenance, records, trainer
from .checkpoint import Progress, alone, resumable
from .config import ConfigError, Training, as_config_error
from .datasets import check_place, config_of
from .machine import best_precision, fair_share
from .testing import metrics_of, tested
from .trainer import predict

CHECKPOINT_SIZE = 8  # times the weights: they, momentum, two best epochs; twice while written


def load_data(config: Training, *, show: bool = True) -> Dataset:
    """The data set of a configuration: all of it, its `train_part`, a little for a quick look."""
    return config.train_part_of(config.load(show=show)).part(**config.quick_sizes())


def pick_device(name: str) -> torch.device:
    """The device of this name; ``auto`` is a GPU if the machine has one."""
    if name == "auto":
        return torch.device(distributed.own_device())
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"device {name!r}: this machine has {torch.cuda.device_count()} GPUs")
    return device


def settle_precision(config: Training, device: torch.device) -> Training:
    """The configuration with the precision that ``auto`` means here; slow ones are warned of."""
    best = best_precision(device)
    if config.precision == "auto":
        return config.replace(precision=best)
    if config.precision == "bfloat16" and best != "bfloat16":
        warnings.warn(
            f"precision bfloat16 is slower than float32 on {device.type} without hardware for it "
            f"(amx_bf16 of a CPU's flags; without it a step took 1.5 to 2 times as long): "
            f"precision auto takes what suits",
            stacklevel=3,
        )
    return config


def build_model(config: Training, data: Dataset) -> nn.Module:
    """The network of a configuration, its initialisation decided by the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return config.network(data)


def build_criterion(config: Training, data: Dataset) -> Criterion:
    """The criterion of a configuration."""
    options = config.criterion_options() | {"seed": config.seed}
    if not isinstance(data.classes, int):
        options["classes"] = tuple(data.classes)
    if config.entry.tasks == "binary" and set(data.class_sizes) != {2}:
        raise ConfigError(
            f"method {config.method!r} is for {TASKS['binary']}, {data.title} has one of "
            f"{max(data.class_sizes)} classes: choose another"
        )
    with as_config_error():
        return config.entry.criterion(data.class_counts, config.trained_epochs, **options)


def threads(device: torch.device) -> AbstractContextManager:
    """A training's share of this CPU; nothing on a GPU, and for processes that share a batch."""
    if device.type == "cpu" and distributed.processes() == 1:
        return fair_share()
    return nullcontext()


def run(config: Training, *, data: Dataset | None = None, show: bool = True) -> dict[str, Any]:
    """Train and test one configuration and write its record.

    A run that was interrupted goes on from its last finished epoch. The record holds the test at
    every decision of the method, each at the epoch that validation chose for it. Under ``torchrun``
    the processes share each batch, and the first one writes.

    Parameters
    ----------
    config : Training
        `dcl.experiment.datasets.CelebA`, or another data set's.
    data : Dataset, optional
        Of this configuration, if it is loaded already.
    show : bool
        Show progress bars.

    Returns
    -------
    dict
        The record, with its ``path``.
    """
    check_place(type(config))
    device = pick_device(config.device)
    config = settle_precision(config, device)
    with distributed.group(device), threads(device):
        show = show and distributed.rank() == 0
        if data is None:
            with distributed.first_alone():
                data = load_data(config, show=show)
            if distributed.rank() == 0:
                tell(data)
        if config.keep_scores and set(data.class_sizes) != {2}:
            raise ConfigError(
                f"keep_scores is for yes-or-no attributes, {data.title} has one of "
                f"{max(data.class_sizes)} classes: leave it out"
            )
        model = build_model(config, data).to(device)
        criterion = build_criterion(config, data).to(device)
        splits = {
            name: Resident(split, device, data.augment) for name, split in data.splits.items()
        }
        path, checkpoint = config.record_path(data), checkpoint_of(config, data)
        needed = CHECKPOINT_SIZE * sum(p.numel() * p.element_size() for p in model.parameters())
        outputs.check_folder(path.parent, needed)
        first = distributed.rank() == 0
        with resumable(checkpoint), alone(checkpoint) if first else nullcontext():
            kept = list(model.state_dict()) if config.keep_weights else []
            records.check_results(path, kept, config.keep_scores)
            with torch.random.fork_rng([device] if device.type == "cuda" else []):  # the caller's
                progress = _train(config, data, model, criterion, splits, show)
            record = {
                "experiment": config.experiment,
                "method": config.method,
                "seed": config.seed,
                "config": config.recorded(),
                "dataset": data.describe(),
                "final_g": progress.history[-1]["g"],
                "final_f": progress.history[-1]["f"],
                **tested(config, data, model, criterion, splits, progress),
                "history": progress.history,
                "timing": timing(progress, splits["train"])
                | {"clustering_seconds": getattr(criterion, "clustering_seconds", [])},
                "environment": provenance.environment(device)
                | {"processes": distributed.processes(), "source": source_of(config, model)},
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            if first:
                best = progress.best[record["decision"]]
                if config.keep_weights:
                    records.write_weights(best["model"], path)
                records.write(record, path)
                checkpoint.unlink(missing_ok=True)
        return {**record, "path": path}


def checkpoint_of(config: Training, data: Dataset) -> Path:
    """Where a run keeps its checkpoint, next to its record."""
    return config.record_path(data).with_suffix(".checkpoint")


def source_of(config: Training, model: nn.Module) -> str:
    """Hash of the files of a run's method, network and data, and of the trainer."""
    return provenance.source_hash(
        *config.entry.modules, type(model).__module__, *config.modules(), trainer.__name__
    )


def _train(
    config: Training,
    data: Dataset,
    model: nn.Module,
    criterion: Criterion,
    splits: dict[str, Resident],
    show: bool,
) -> Progress:
    return trainer.train(
        model,
        criterion,
        splits["train"],
        splits.get("val"),
        epochs=config.trained_epochs,
        batch_size=config.batch_size,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        seed=config.seed,
        precision=config.precision,
        curriculum=config.curriculum,
        decisions=config.entry.decisions,
        checkpoint=checkpoint_of(config, data),
        identity=f"{config.identity(data)}-{data.fingerprint}-{source_of(config, model)}",
        show=show,
    )


def check(record_path: Path, **places: str) -> dict[str, Any]:
    """Test the weights of a record again, without training.

    Parameters
    ----------
    record_path : Path
    **places : str
        ``data_root``, ``device``: where they are not the record's.

    Returns
    -------
    dict
        The ``test`` part of a record: the recorded numbers, to rounding, if all is well.

    Raises
    ------
    ConfigError, RecordError, DataError, WeightsError
        For what is no record, data other than the record's, and weights that are missing or not
        this network's.
    """
    record = records.read(record_path)
    config = config_of(record, **places)
    state = records.read_weights(record_path)
    data = load_data(config)
    if data.fingerprint != record["dataset"]["fingerprint"]:
        raise ConfigError(
            f"the data are not those of {record_path} (fingerprint {data.fingerprint}, recorded "
            f"{record['dataset']['fingerprint']}): give the same images with data_root"
        )
    if data.sizes != record["dataset"]["found"]:
        raise ConfigError(
            f"the splits are not those of {record_path} ({data.sizes}, recorded "
            f"{record['dataset']['found']}): give the same data with data_root"
        )
    device = pick_device(config.device)
    model = config.blank_network(data)
    records.load_into(model, state, record_path)
    split = Resident(data.splits["test"], device, data.augment)
    criterion = build_criterion(config, data).to(device).eval()
    with records.by_weights_alone(record_path, config.method):
        logits = predict(model.to(device), criterion, split)
    return metrics_of(logits, split, data)


def tell(data: Dataset) -> None:
    """Say on stderr what was noticed in the data: unknown labels, columns left out, images."""
    for note in data.facts.get("notes", ()):
        print(note, file=sys.stderr)


def timing(progress: Progress, train_set: Resident) -> dict[str, Any]:
    """The ``timing`` part of a record; medians over epochs, so that a busy moment weighs little."""
    history = progress.history
    steps = np.median([row["ms_per_step"] for row in history])
    passes = [row["ms_per_step"] * row["steps"] / 1000 for row in history]  # seconds
    return {
        "ms_per_step": float(steps),
        "ms": {
            part: float(np.median([row["ms"][part] for row in history]))
            for part in history[0]["ms"]
        },
        "images_per_second": float(len(train_set) / np.median(passes)),
        "training_seconds": sum(passes),
    }
