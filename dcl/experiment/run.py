"""One run from its configuration to its record: data, model, criterion, training, test."""

import warnings
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..criterion import PRESETS, DCLLoss
from ..data import Dataset, Resident
from ..methods.baselines import Baseline
from ..methods.lmle import LMLE
from ..metrics import decide, evaluate, instance_metrics, per_class, threshold_curves
from . import distributed, records, weights
from .config import ConfigError, Training, from_values
from .datasets import DATASETS
from .trainer import Progress, predict, train

QUICK_EPOCHS = 2
CHECKPOINT_SIZE = 8  # times the weights: they, momentum, two best epochs; twice while written
RAREST = 14  # attributes whose mean is reported beside mA


def load_data(config: Training, *, show: bool = True) -> Dataset:
    """The data set of a configuration, a part of it for a quick look."""
    return config.load(show=show).part(**config.quick_sizes())


def pick_device(name: str) -> torch.device:
    """``auto`` is a GPU where there is one."""
    if name == "auto":
        return torch.device(distributed.own_device())
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"device {name!r}: this machine has {torch.cuda.device_count()} GPUs")
    return device


def build_model(config: Training, data: Dataset) -> nn.Module:
    """The network of a configuration, its initialisation decided by the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return config.network(data)


def build_criterion(config: Training, data: Dataset) -> DCLLoss | Baseline | LMLE:
    """The criterion of a configuration."""
    config = config.training()
    arguments = data.class_counts, epochs_of(config)
    options = config.criterion_options() | {"seed": config.seed}
    if config.method in PRESETS:
        return DCLLoss(*arguments, **options)
    if config.method == "lmle":
        return LMLE(*arguments, **options)
    return Baseline(config.method, *arguments, **options)


def epochs_of(config: Training) -> int:
    """Epochs to train: the configuration's, or a few for a quick look."""
    return min(config.epochs, QUICK_EPOCHS) if config.profile == "quick" else config.epochs


def run(config: Training, *, data: Dataset | None = None, show: bool = True) -> dict[str, Any]:
    """Train and test one configuration and write its record.

    A run that was interrupted goes on from its last finished epoch. Cross entropy is also tested
    with its threshold at the training prior, a second record of the same training. Under
    ``torchrun`` the processes share each batch, and the first one writes.

    Parameters
    ----------
    config : Training
        `dcl.data.CelebA`, or another data set's.
    data : Dataset, optional
        Of this configuration, if it is loaded already.
    show : bool
        Show progress bars.

    Returns
    -------
    dict
        The record, with its ``path``.
    """
    device = pick_device(config.device)
    with distributed.group(device):
        return _run(config, device, data, show and distributed.rank() == 0)


def _run(
    config: Training, device: torch.device, data: Dataset | None, show: bool
) -> dict[str, Any]:
    if data is None:
        with distributed.first_alone():
            data = load_data(config, show=show)
    model = build_model(config, data).to(device)
    criterion = build_criterion(config, data).to(device)
    splits = {name: Resident(split, device, data.augment) for name, split in data.splits.items()}
    decisions: dict[str, Tensor | None] = {"argmax": None}
    training = config.training()
    if training.method == "cross-entropy":
        decisions["prior"] = data.class_counts.to(device)
    checkpoint = config.record_path(data, training.method).with_suffix(".checkpoint")
    needed = CHECKPOINT_SIZE * sum(p.numel() * p.element_size() for p in model.parameters())
    records.check_folder(checkpoint.parent, needed)
    progress = train(
        model,
        criterion,
        splits["train"],
        splits["val"],
        epochs=epochs_of(config),
        batch_size=config.batch_size,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        seed=config.seed,
        precision=config.precision,
        decisions=decisions,
        checkpoint=checkpoint,
        identity=f"{config.identity(data)}-{data.fingerprint}-{records.source_hash()}",
        show=show,
    )
    shared = {
        "experiment": config.experiment,
        "seed": config.seed,
        "config": asdict(training),
        "dataset": data.describe(),
        "history": progress.history,
        "timing": timing(progress, splits["train"])
        | {"clustering_seconds": getattr(criterion, "clustering_seconds", [])},
        "environment": records.environment(device) | {"processes": distributed.processes()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    written = {}
    for name, class_counts in decisions.items():
        method = training.method if name == "argmax" else "moved-threshold"
        best = progress.best[name]
        model.load_state_dict(best["model"])
        criterion.load_state_dict(best["criterion"])
        record = {
            "method": method,
            **shared,
            "decision": name,
            "selection": {"best_epoch": best["epoch"], "best_val_mA": best["val_mA"]},
            "test": test_metrics(
                predict(model, criterion, splits["test"]), splits["test"], data, class_counts
            ),
        }
        written[method] = record, config.record_path(data, method)
        if config.keep_weights and distributed.rank() == 0:
            weights.write(best["model"], weights.path_of(written[method][1]))
    if distributed.rank() == 0:
        for record, path in written.values():
            records.write(record, path)
        checkpoint.unlink(missing_ok=True)
    record, path = written[config.method]
    return {**record, "path": path}


def check(record_path: Path, **places: str) -> dict[str, Any]:
    """Test the weights beside a record again, without training.

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
    if record["method"] == "lmle":
        raise ConfigError(f"{record_path}: lmle decides by its clusters, which are not kept")
    config = from_values(DATASETS[record["experiment"]], record["config"] | places)
    state = weights.read(weights.path_of(record_path))
    data = load_data(config)
    if data.fingerprint != record["dataset"]["fingerprint"]:
        raise ConfigError(
            f"the data are not those of {record_path} (fingerprint {data.fingerprint}, recorded "
            f"{record['dataset']['fingerprint']}): give the same images with data_root"
        )
    device = pick_device(config.device)
    model = build_model(config, data)
    weights.load_into(model, state, weights.path_of(record_path))
    split = Resident(data.splits["test"], device, data.augment)
    counts = data.class_counts.to(device) if record["decision"] == "prior" else None
    logits = predict(model.to(device), build_criterion(config, data), split)
    return test_metrics(logits, split, data, counts)


def test_metrics(
    logits: Tensor, split: Resident, data: Dataset, class_counts: Tensor | None
) -> dict[str, Any]:
    """The ``test`` part of a record: means over attributes, and every metric of each.

    With yes-or-no attributes also the metrics of the examples; with a single label also those of
    each class; and the mean over each of the data set's groups of attributes or classes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        frame = evaluate(logits, split.labels, list(data.attributes), class_counts)
    numbers = frame.drop(columns="confusion")
    result: dict[str, Any] = numbers.mean().to_dict()  # NaN is left out
    frame["imbalance_level"] = data.imbalance_level()
    result["undefined"] = list(frame.index[frame["mA"].isna()])
    result["per_attribute"] = frame.to_dict("index")
    if data.classes == 2:
        result["instance"] = instance_metrics(decide(logits, class_counts), split.labels)
        result["curves"] = threshold_curves(logits, split.labels, data.attributes)
    if len(data.attributes) > RAREST:
        result["rarest_mA"] = float(frame.nlargest(RAREST, "imbalance_level")["mA"].mean())
    of = frame["mA"]
    if len(data.attributes) == 1:
        names = data.class_names or [str(label) for label in range(data.classes)]
        classes = per_class(frame["confusion"].iloc[0], names)
        classes["training_samples"] = data.class_counts[0].numpy()
        result["per_class"] = classes.to_dict("index")
        of = classes["recall"]
    result["groups"] = {name: float(of[members].mean()) for name, members in data.groups.items()}
    return result


def headline(record: dict[str, Any]) -> str:
    """What a record says, in one line."""
    test, dataset = record["test"], record["dataset"]
    if "per_class" in test:
        parts = [f"accuracy {test['accuracy']:.2f} %, class-balanced {test['mA']:.2f} %"]
    else:
        parts = [f"mA {test['mA']:.2f} %"]
    if "rarest_mA" in test:
        parts.append(f"{RAREST} rarest attributes {test['rarest_mA']:.2f} %")
    parts += [f"{name} {value:.2f} %" for name, value in test["groups"].items()]
    return (
        f"{record['method']} on {dataset['title']} ({dataset['found']['train']:,} train, "
        f"{dataset['found']['test']:,} test): {', '.join(parts)}, "
        f"{record['timing']['ms_per_step']:.0f} ms per step"
    )


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
