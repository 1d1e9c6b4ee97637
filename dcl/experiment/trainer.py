"""One training loop for every method: epochs, checkpoint and resume, selection on validation."""

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..data.resident import Resident
from ..graphed import graphed
from ..protocol import Criterion
from . import distributed
from .checkpoint import Progress, TrainingError, load_checkpoint, save_checkpoint
from .meters import Stopwatch, Totals
from .validation import possible, validate


def train(
    model: nn.Module,
    criterion: Criterion,
    train_set: Resident,
    val_set: Resident | None,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    momentum: float,
    weight_decay: float,
    seed: int,
    precision: str = "float32",
    curriculum: str = "step",
    decisions: Sequence[str] = ("argmax",),
    checkpoint: Path | None = None,
    identity: str = "",
    show: bool = True,
) -> Progress:
    """Train `model` with SGD and a cosine learning rate, keeping the best epoch of each decision.

    Where validation says nothing of a decision, because there is no validation split or it lacks
    the classes, that is the last epoch.

    Started by ``torchrun``, every process calls it alike; they share each batch, and process 0
    writes the checkpoint.

    Parameters
    ----------
    model : Module
        images (B, 3, H, W) -> logits (B, A, C), features (B, A, D).
    criterion : Criterion
        It says what it wants: the rows of a batch, a look at the embedded training set before an
        epoch or before a split is scored, scores of its own in the logits' place.
    train_set, val_set : Resident
        On the model's device; `val_set` may be None.
    epochs, batch_size : int
        Of the global batch, however many processes share it.
    lr, momentum, weight_decay : float
        Of SGD; the learning rate falls to 0 along a cosine, step by step.
    seed : int
        Of the data order and the augmentation, and of what the network draws itself (dropout,
        stochastic depth), for which torch's global generator of the device is seeded.
    precision : {"float32", "bfloat16"}
        Of the network's products while it trains, by autocast. Weights, criterion and evaluation
        are always float32; on a GPU PyTorch multiplies float32 convolutions in TF32 by default.
    curriculum : {"step", "epoch"}
        Whether schedules move with each step, epoch + step / steps, or with each epoch.
    decisions : sequence of str
        Of `dcl.DECISIONS`: for each the epoch that is best on validation is kept, by mA, or by F1
        for ``tuned-f1``.
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
        For a loss that is not finite, scores on validation that are NaN, and a checkpoint that is
        not this run's.
    DistributedError
        For what several processes cannot share.
    """
    device = train_set.images.device
    if criterion.one_process and distributed.processes() > 1:
        raise distributed.DistributedError(
            f"{type(criterion).__name__} looks at the whole training set: train it in one process"
        )

    def look() -> tuple[Tensor, Tensor]:
        return embed(model, train_set), train_set.labels

    loss_of = graphed(criterion)
    network = distributed.wrap(model)
    if precision == "bfloat16":
        network = InBfloat16(network, device.type)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    generator = torch.Generator(device).manual_seed(seed)
    inside = distributed.default_generator(device)  # what a network's own dropout draws from
    inside.manual_seed(seed + distributed.rank())
    state = {
        "model": model, "optimiser": optimiser, "criterion": criterion, "data": generator,
        "network": inside,
    }  # fmt: skip
    progress = Progress()
    if checkpoint is not None and checkpoint.exists():
        progress = load_checkpoint(checkpoint, identity, state)
        message = f"resuming after epoch {progress.epoch} of {epochs} from {checkpoint}"
        tqdm.write(message, file=sys.stderr)
    decisions = possible(decisions, val_set is not None)
    steps = math.ceil(len(train_set) / batch_size)
    total = epochs * steps

    def lr_at(step: int) -> float:
        return lr * (1 + math.cos(math.pi * step / total)) / 2

    with tqdm(total=total, initial=progress.epoch * steps, unit="step", disable=not show) as bar:
        while progress.epoch < epochs:
            epoch = progress.epoch
            criterion.set_epoch(epoch)
            criterion.before_epoch(epoch, look)
            rates = [lr_at(epoch * steps + step) for step in range(steps)]
            places = [
                epoch + (step / steps if curriculum == "step" else 0) for step in range(steps)
            ]
            with _last_batch_of_one(len(train_set), batch_size):
                row, bad_step = _train_epoch(
                    network,
                    criterion,
                    loss_of,
                    optimiser,
                    train_set,
                    batch_size,
                    generator,
                    rates,
                    places,
                    bar,
                )
            now = f"epoch {epoch + 1} of {epochs}"
            if bad_step is not None:
                what = f"the loss is not finite at step {bad_step + 1} of {steps} of {now}"
                raise _stopped(what, rates[bad_step], epoch, checkpoint)
            row = {"epoch": epoch, "g": criterion.g, "f": criterion.f, **row}  # of the last step
            criterion.before_scoring(look)
            if val_set is not None:
                scores = predict(model, criterion, val_set)
                if scores.isnan().any():  # the last step's update, or a running mean that overflows
                    what = f"the scores on validation are NaN after {now}"
                    raise _stopped(what, rates[-1], epoch, checkpoint)
                _select(progress, row, model, criterion, scores, val_set.labels, decisions)
            if epoch == epochs - 1:
                undecided = [name for name in decisions if name not in progress.best]
                _keep(progress, undecided, {}, epoch, model, criterion)
            progress.history.append(row)
            progress.epoch += 1
            if checkpoint is not None and distributed.rank() == 0:
                save_checkpoint(checkpoint, identity, state, progress)
            told = {key: f"{row[key]:.2f}" for key in ("loss", "val_mA") if key in row}
            bar.set_postfix(told)
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
    criterion: Criterion,
    loss_of: Callable[..., Tensor],
    optimiser: torch.optim.Optimizer,
    train_set: Resident,
    batch_size: int,
    generator: torch.Generator,
    rates: list[float],
    places: list[float],
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
        criterion.set_epoch(places[step])
        watch.start()
        images, labels = train_set.batch(index, generator, distributed.share(len(index)))
        watch.lap("data")
        logits, features = distributed.gather(len(index), *network(images))
        watch.lap("forward")
        loss = loss_of(logits, features, labels, *((index,) if criterion.wants_rows else ()))
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


@contextmanager
def _last_batch_of_one(images: int, batch_size: int) -> Iterator[None]:
    """A batch of one image, which batch normalisation may refuse, becomes an error of ours."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error) or 1 not in (
            batch_size, images % batch_size
        ):  # fmt: skip
            raise
        near = next(size for size in count(batch_size + 1) if images % size != 1)
        raise TrainingError(
            f"{images} images in batches of {batch_size} leave a batch of one image, which this "
            f"network's batch normalisation cannot train on: choose another batch_size, such as "
            f"{near}"
        ) from None


def _stopped(what: str, lr: float, epoch: int, checkpoint: Path | None) -> TrainingError:
    """The error of a training whose numbers are none any more, and from where it can go on."""
    written = checkpoint is not None and checkpoint.exists()
    good = f"{checkpoint}, after epoch {epoch}" if written else "none"
    return TrainingError(f"{what}, at lr {lr:.3g}. Last good checkpoint: {good}. Lower lr")


def _select(
    progress: Progress,
    row: dict[str, Any],
    model: nn.Module,
    criterion: Criterion,
    scores: Tensor,
    labels: Tensor,
    decisions: Sequence[str],
) -> None:
    """What validation says of this epoch into `row`; the best so far of each decision is kept.

    Of epochs that validation scores alike, such as all at 100 %, the one of lower loss is the best.
    """
    found, reached = validate(scores, labels, criterion.class_counts, decisions)
    if type(criterion).scores is not Criterion.scores:
        del found["val_loss"]  # scores of its own are no logits
    row.update(found)
    if not criterion.selectable:
        return
    loss = found.get("val_loss", math.inf)
    loss = math.inf if math.isnan(loss) else loss
    best = {name: (kept["value"], -kept["loss"]) for name, kept in progress.best.items()}
    better = [  # NaN, where validation says nothing, is above no number
        name for name in decisions if (reached[name], -loss) > best.get(name, (-math.inf,))
    ]
    _keep(progress, better, reached, row["epoch"], model, criterion, loss)


def _keep(
    progress: Progress,
    decisions: Sequence[str],
    reached: dict[str, float],
    epoch: int,
    model: nn.Module,
    criterion: Criterion,
    loss: float = math.inf,
) -> None:
    """This epoch's network for some decisions, with what each reached on validation, if any."""
    if not decisions:
        return
    state = {"model": model.state_dict(), "criterion": criterion.state_dict()}
    state = copy.deepcopy(state)  # training goes on in the tensors of now
    for name in decisions:  # one copy for all
        progress.best[name] = {
            "value": reached.get(name),
            "loss": loss,
            "epoch": epoch,
            **state,
        }


@torch.no_grad()
def predict(model: nn.Module, criterion: Criterion, split: Resident) -> Tensor:
    """Scores (N, A, C) of every sample of a split, in order: the logits where nothing else is."""
    model.eval()
    return torch.cat(
        [criterion.scored(logits, features, model) for logits, features in outputs(model, split)]
    )


@torch.no_grad()
def embed(model: nn.Module, split: Resident) -> Tensor:
    """Features (N, A, D) of every sample of a split, in order."""
    model.eval()
    return torch.cat([features for _, features in outputs(model, split)])


def outputs(model: nn.Module, split: Resident, batch_size: int = 1024):
    """The model's outputs, batch after batch."""
    index = torch.arange(len(split), device=split.images.device)
    return (model(split.batch(part)[0]) for part in index.split(batch_size))
