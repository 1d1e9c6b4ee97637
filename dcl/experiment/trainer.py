"""One training loop for every method: epochs, checkpoint and resume, selection on validation."""

import copy
import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..data.resident import Resident
from ..methods.lmle import LMLE
from ..metrics import balanced_accuracy, decide, mean_accuracy
from . import distributed
from .checkpoint import Progress, TrainingError, load_checkpoint, save_checkpoint
from .meters import Stopwatch, Totals


def train(
    model: nn.Module,
    criterion: nn.Module,
    train_set: Resident,
    val_set: Resident,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    momentum: float,
    weight_decay: float,
    seed: int,
    precision: str = "float32",
    decisions: dict[str, Tensor | None],
    checkpoint: Path | None = None,
    identity: str = "",
    show: bool = True,
) -> Progress:
    """Train `model` with SGD and a cosine learning rate, keeping the best epoch by val mA.

    Started by ``torchrun``, every process calls it alike; they share each batch, and process 0
    writes the checkpoint.

    Parameters
    ----------
    model : Module
        images (B, 3, H, W) -> logits (B, A, C), features (B, A, D).
    criterion : DCLLoss
        Or a module with the same `set_epoch`, `g`, `f`, `parts` and call; of an `LMLE` the
        training set is clustered when it asks, and it scores in the model's place.
    train_set, val_set : Resident
        On the model's device.
    epochs, batch_size : int
        Of the global batch, however many processes share it.
    lr, momentum, weight_decay : float
        Of SGD; the learning rate falls to 0 along a cosine, step by step.
    seed : int
        Of the data order and the augmentation.
    precision : {"float32", "bfloat16"}
        Of the network's products while it trains, by autocast; weights, criterion and evaluation
        are float32 in any case.
    decisions : dict of str to Tensor or None
        The ways to decide to select for: name -> class counts for `dcl.decide`, None for
        ``argmax``, which must be among them.
    checkpoint : Path, optional
        Written after each epoch; where it exists, the run goes on from it.
    identity : str
        Of the run; a checkpoint of another run is refused.
    show : bool
        Show a progress bar.

    Returns
    -------
    Progress

    Raises
    ------
    TrainingError
        For a loss that is not finite, and a checkpoint that is not this run's.
    DistributedError
        For what several processes cannot share.
    """
    device = train_set.images.device
    if isinstance(criterion, LMLE) and distributed.processes() > 1:
        raise distributed.DistributedError(
            "method 'lmle' clusters the whole training set: train it in one process"
        )
    network = distributed.wrap(model)
    if precision == "bfloat16":
        network = InBfloat16(network, device.type)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    generator = torch.Generator(device).manual_seed(seed)
    state = {"model": model, "optimiser": optimiser, "criterion": criterion, "data": generator}
    progress = Progress()
    if checkpoint is not None and checkpoint.exists():
        progress = load_checkpoint(checkpoint, identity, state)
        message = f"resuming after epoch {progress.epoch} of {epochs} from {checkpoint}"
        tqdm.write(message, file=sys.stderr)
    steps = math.ceil(len(train_set) / batch_size)
    total = epochs * steps

    def lr_at(step: int) -> float:
        return lr * (1 + math.cos(math.pi * step / total)) / 2

    with tqdm(total=total, initial=progress.epoch * steps, unit="step", disable=not show) as bar:
        while progress.epoch < epochs:
            epoch = progress.epoch
            criterion.set_epoch(epoch)
            if isinstance(criterion, LMLE) and criterion.wants_clusters(epoch):
                criterion.recluster(embed(model, train_set), train_set.labels)
            rates = [lr_at(epoch * steps + step) for step in range(steps)]
            row, bad_step = _train_epoch(
                network, criterion, optimiser, train_set, batch_size, generator, rates, bar
            )
            if bad_step is not None:
                written = checkpoint is not None and checkpoint.exists()
                raise TrainingError(
                    f"the loss is not finite at step {bad_step + 1} of {steps} of epoch "
                    f"{epoch + 1} of {epochs}, at lr {rates[bad_step]:.3g}. Last good checkpoint: "
                    f"{f'{checkpoint}, after epoch {epoch}' if written else 'none'}. Lower lr"
                )
            row = {"epoch": epoch, "g": criterion.g, "f": criterion.f, **row}
            _select(progress, row, model, criterion, val_set, decisions)
            progress.history.append(row)
            progress.epoch += 1
            if checkpoint is not None and distributed.rank() == 0:
                save_checkpoint(checkpoint, identity, state, progress)
            bar.set_postfix(loss=f"{row['loss']:.2f}", val_mA=f"{row['val_mA']:.2f}")
    return progress


class InBfloat16(nn.Module):
    """A network whose products are made in bfloat16, its outputs float32."""

    def __init__(self, network: nn.Module, device_type: str):
        super().__init__()
        self.network, self.device_type = network, device_type

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(self.device_type, torch.bfloat16):
            outputs = self.network(images)
        return tuple(output.float() for output in outputs)


def _train_epoch(
    network: nn.Module,
    criterion: nn.Module,
    optimiser: torch.optim.Optimizer,
    train_set: Resident,
    batch_size: int,
    generator: torch.Generator,
    rates: list[float],
    bar: tqdm,
) -> tuple[dict[str, Any], int | None]:
    """One pass over the training set, without a wait for the device before its end.

    Returns the row of the history and the first step with a loss that is not finite, if any.
    """
    device = train_set.images.device
    network.train()
    watch, totals = Stopwatch(device), Totals()
    first_bad = torch.full((), len(rates), device=device)
    started = time.perf_counter()
    order = torch.randperm(len(train_set), device=device, generator=generator)
    for step, index in enumerate(order.split(batch_size)):
        optimiser.param_groups[0]["lr"] = rates[step]
        watch.start()
        images, labels = train_set.batch(index, generator, distributed.share(len(index)))
        watch.lap("data")
        logits, features = distributed.gather(len(index), *network(images))
        watch.lap("forward")
        rows = (index,) if isinstance(criterion, LMLE) else ()
        loss = criterion(logits, features, labels, *rows)
        watch.lap("loss")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        watch.lap("backward")
        optimiser.step()
        watch.lap("optimiser")
        loss = loss.detach()
        first_bad = torch.where(loss.isfinite(), first_bad, first_bad.clamp(max=step))
        totals.add({"loss": loss, **criterion.parts})
        bar.update()
    bad_step = int(first_bad)  # the epoch's one look at the device
    seconds = time.perf_counter() - started
    row = totals.means() | {"lr": rates[0], "ms_per_step": 1000 * seconds / len(rates)}
    row["steps"] = len(rates)
    for name in {"triples", "active", "quintuplets"} & row.keys():
        row[name] = sum(row[name])  # of all attributes, a step
    for name in {"share_kept", "minority_weight"} & row.keys():
        row[name] = [round(value, 4) for value in row[name]]  # a record stays small
    return row | {"ms": watch.milliseconds()}, bad_step if bad_step < len(rates) else None


def _select(
    progress: Progress,
    row: dict[str, Any],
    model: nn.Module,
    criterion: nn.Module,
    val_set: Resident,
    decisions: dict[str, Tensor | None],
) -> None:
    """Validation mA of this epoch into `row`, for each way to decide; the best so far is kept."""
    logits = predict(model, criterion, val_set)
    for name, class_counts in decisions.items():
        with warnings.catch_warnings():  # the attributes undefined here are named once, by the run
            warnings.simplefilter("ignore")
            accuracy = balanced_accuracy(
                decide(logits, class_counts), val_set.labels, logits.shape[2]
            )
        val = 100 * mean_accuracy(accuracy)
        row["val_mA" if name == "argmax" else f"val_mA_{name}"] = val
        if name not in progress.best or val > progress.best[name]["val_mA"]:
            state = {"model": model.state_dict(), "criterion": criterion.state_dict()}
            state = copy.deepcopy(state)  # training goes on in the tensors of now
            progress.best[name] = {"val_mA": val, "epoch": row["epoch"], **state}


@torch.no_grad()
def predict(model: nn.Module, criterion: nn.Module, split: Resident) -> Tensor:
    """Logits (N, A, C) of every sample of a split, in order; LMLE's scores in their place."""
    model.eval()
    if isinstance(criterion, LMLE):
        return torch.cat([criterion.scores(features) for _, features in outputs(model, split)])
    return torch.cat([logits for logits, _ in outputs(model, split)])


@torch.no_grad()
def embed(model: nn.Module, split: Resident) -> Tensor:
    """Features (N, A, D) of every sample of a split, in order."""
    model.eval()
    return torch.cat([features for _, features in outputs(model, split)])


def outputs(model: nn.Module, split: Resident, batch_size: int = 1024):
    """The model's outputs, batch after batch."""
    index = torch.arange(len(split), device=split.images.device)
    return (model(split.batch(part)[0]) for part in index.split(batch_size))
