"""One training loop for every method: epochs, selection on validation, and scores."""

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..data.resident import Resident
from ..evaluation.decisions import decide
from ..evaluation.metrics import average_precision, held_accuracy, mean_accuracy
from ..evaluation.tuning import offsets_for
from ..graphed import graphed
from ..protocol import Criterion
from ..sampling import count_known, cross_entropy
from . import distributed
from .checkpoint import Progress, TrainingError, load_checkpoint, save_checkpoint
from .meters import Stopwatch, Totals

AT_ONCE = 1024  # samples that are scored at once
CACHED = 128  # of them for each thread of a CPU: DeepID2 takes half of the time of 1024


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

    A decision that validation cannot judge, because the split is missing or lacks classes, keeps
    the last epoch.

    Started by ``torchrun``, every process calls it alike; they share each batch, and process 0
    writes the checkpoint.

    Parameters
    ----------
    model : Module
        images (B, 3, H, W) -> logits (B, A, C), features (B, A, D).
    criterion : Criterion
        It may ask for the rows of a batch, for the embedded training set before an epoch or before
        a split is scored, and may give scores that replace the logits.
    train_set, val_set : Resident
        On the model's device; `val_set` may be None.
    epochs, batch_size : int
        Of the global batch, however many processes share it.
    lr, momentum, weight_decay : float
        Of SGD; the learning rate falls to 0 along a cosine, step by step.
    seed : int
        Decides data order, augmentation, and what the network draws (dropout, stochastic depth):
        torch's global generator of the device is seeded with it.
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
    inside = distributed.default_generator(device)  # dropout of the network draws from it
    inside.manual_seed(seed + distributed.rank())
    state = {
        "model": model, "optimiser": optimiser, "criterion": criterion, "data": generator,
        "network": inside,
    }  # fmt: skip
    progress = Progress()
    if checkpoint is not None and checkpoint.exists():
        progress = load_checkpoint(checkpoint, identity, state)
        if distributed.rank():  # the checkpoint holds the draws of the first process
            others = distributed.rank() + distributed.processes() * progress.epoch
            inside.manual_seed(seed + others)
        message = f"resuming after epoch {progress.epoch} of {epochs} from {checkpoint}"
        tqdm.write(message, file=sys.stderr)
    decisions = possible(decisions, val_set is not None)
    steps = math.ceil(len(train_set) / batch_size)
    total, by_step = epochs * steps, curriculum == "step"

    def lr_at(step: int) -> float:
        return lr * (1 + math.cos(math.pi * step / total)) / 2

    with tqdm(total=total, initial=progress.epoch * steps, unit="step", disable=not show) as bar:
        while progress.epoch < epochs:
            epoch = progress.epoch
            criterion.set_epoch(epoch)
            criterion.before_epoch(epoch, look)
            rates = [lr_at(epoch * steps + step) for step in range(steps)]
            places = [epoch + (step / steps if by_step else 0) for step in range(steps)]
            with _last_batch_of_one(len(train_set), batch_size):
                row, bad_step = _train_epoch(
                    network, criterion, loss_of, optimiser, train_set, batch_size, generator,
                    rates, places, bar,
                )  # fmt: skip
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
            outputs = checked(self.network(images))
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
        logits, features = distributed.gather(len(index), *checked(network(images)))
        watch.lap("forward")
        rows = {"rows": index} if criterion.wants_rows else {}
        loss = loss_of(logits, features, labels, **rows)
        watch.lap("loss")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        watch.lap("backward")
        optimiser.step()
        watch.lap("optimiser")
        loss = loss.detach()
        first_bad = torch.where(loss.isfinite(), first_bad, first_bad.clamp(max=step))
        totals.add({**criterion.parts, "loss": loss})
        bar.update()
    bad_step = int(first_bad)  # the epoch's one look at the device
    seconds = time.perf_counter() - started
    row = totals.means() | {"lr": rates[0], "ms_per_step": 1000 * seconds / len(rates)}
    row["steps"] = len(rates)
    for name in {"triples", "active", "quintuplets"} & row.keys():
        row[name] = float(np.sum(row[name]))  # of all attributes, a step
    for name in {"share_kept", "minority_weight"} & row.keys():
        row[name] = [round(value, 4) for value in row[name]]  # a record stays small
    return row | {"ms": watch.milliseconds()}, bad_step if bad_step < len(rates) else None


def checked(returned: Any) -> Sequence[Tensor]:
    """Logits and features as a network returned them; a TrainingError for anything else."""
    outputs = [returned] if isinstance(returned, Tensor) else list(returned)
    if [getattr(output, "ndim", 0) for output in outputs] != [3, 3]:
        shapes = [str(tuple(getattr(output, "shape", ()))) for output in outputs[:3]]
        raise TrainingError(
            f"a network returns logits (B, A, C) and features (B, A, D), this one returned "
            f"{len(outputs)} of shape {', '.join(shapes)}: dcl.networks.backbones.Multihead gives "
            f"an image network both"
        )
    return outputs


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
    """The error of a diverged run, which names the checkpoint that it can go on from."""
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
    """Write the numbers of validation into `row`, and keep the network for each decision it leads.

    Among epochs that validation scores alike, such as all at 100 %, the one of lower loss is best.
    """
    metrics, reached = validate(scores, labels, criterion.class_counts, decisions)
    if type(criterion).scores is not Criterion.scores:
        del metrics["val_loss"]  # its scores are no logits
    row.update(metrics)
    if not criterion.selectable:
        return
    loss = metrics.get("val_loss", math.inf)
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
    state = copy.deepcopy(state)  # training goes on in these tensors
    for name in decisions:  # one copy for all
        progress.best[name] = {"value": reached.get(name), "loss": loss, "epoch": epoch, **state}


@torch.no_grad()
def predict(model: nn.Module, criterion: Criterion, split: Resident) -> Tensor:
    """Scores (N, A, C) of a split's samples, in order: the logits, or the method's own."""
    model.eval()
    scores = []
    for logits, features in outputs(model, split):
        scores.append(criterion.scored(logits, features, model))
        if scores[-1].shape != logits.shape:
            raise TrainingError(
                f"the scores of {type(criterion).__name__} must be (N, A, C) = "
                f"{tuple(logits.shape)}, as the logits, got {tuple(scores[-1].shape)}"
            )
    return torch.cat(scores)


@torch.no_grad()
def embed(model: nn.Module, split: Resident) -> Tensor:
    """Features (N, A, D) of every sample of a split, in order."""
    model.eval()
    return torch.cat([features for _, features in outputs(model, split)])


def outputs(model: nn.Module, split: Resident):
    """The model's outputs, batch after batch."""
    index = torch.arange(len(split), device=split.images.device)
    parts = index.split(AT_ONCE)
    if index.device.type == "cpu":
        few = CACHED * torch.get_num_threads()
        even = [part.tensor_split(max(1, math.ceil(len(part) / few))) for part in parts]
        parts = [part for several in even for part in several]
    return (model(split.batch(part)[0]) for part in parts)


def possible(decisions: Sequence[str], validated: bool) -> tuple[str, ...]:
    """The decisions that can be made: without a validation split no threshold is tuned.

    Examples
    --------
    >>> possible(("argmax", "prior", "tuned-mA", "tuned-f1"), validated=False)
    ('argmax', 'prior')
    """
    return tuple(name for name in decisions if validated or not name.startswith("tuned"))


def validate(
    logits: Tensor, labels: Tensor, class_counts: Tensor, decisions: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Numbers of an epoch for its history, and the one that each decision is chosen by; percent.

    Parameters
    ----------
    logits : Tensor (N, A, C)
        -inf for a class that the attribute does not have.
    labels : Tensor (N, A), integer
        -1 where unknown.
    class_counts : Tensor (A, C)
        Of the training set.
    decisions : sequence of str
        Of `dcl.DECISIONS`.

    Returns
    -------
    metrics : dict
        ``val_loss`` (plain cross entropy, summed over the attributes), ``val_average_precision``
        (yes-or-no attributes alone), ``val_mA`` of the first decision, and ``val_mA_<decision>``
        or ``val_f1_tuned-f1`` of the others.
    reached : dict
        Decision -> mA on validation (`held_accuracy`), or F1 for ``tuned-f1``; NaN where the split
        says nothing. Which attributes and classes count depends on the labels alone: they are the
        same at every epoch.
    """
    logits, labels, class_counts = (x.cpu() for x in (logits, labels, class_counts))
    known = (labels >= 0).sum(0).clamp(min=1)
    held = (count_known(labels.T, logits.shape[2]) > 0).sum(1)  # (A,) classes: one says nothing
    metrics = {"val_loss": (cross_entropy(logits, labels).sum(1) / known).sum().item()}
    if logits.shape[2] == 2:
        metrics["val_average_precision"] = 100 * average_precision(logits, labels)
    reached = {}
    for name in decisions:
        tuned = offsets_for(name, class_counts, logits, labels)
        if name == "tuned-f1":
            assert tuned is not None  # as for each decision but argmax
            reached[name] = 100 * mean_accuracy(tuned.value.where(held > 1, torch.nan))
            metrics["val_f1_tuned-f1"] = reached[name]
            continue
        accuracy = held_accuracy(decide(logits, offsets=tuned), labels, logits.shape[2])
        reached[name] = 100 * mean_accuracy(accuracy)
        metrics["val_mA" if name == decisions[0] else f"val_mA_{name}"] = reached[name]
    return metrics, reached
