"""The parts of a record that the test split gives, read once, after the training."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from ..data import Dataset, Resident
from ..evaluation.calibration import calibration_error, describe
from ..evaluation.decisions import Tuned, decide
from ..evaluation.metrics import (
    evaluate,
    instance_metrics,
    per_class,
    rank_metrics,
    threshold_curves,
)
from ..evaluation.tuning import BOOTSTRAP, offsets_for
from ..protocol import Criterion
from ..sampling import count_known
from . import distributed, records
from .checkpoint import Progress
from .config import Training
from .trainer import possible, predict

BRIEF = ("mA", "f1", "auc", "average_precision", "accuracy")  # of the last epoch
FEW = 20  # bootstrap samples of attributes with more than two classes, whose tuning takes longer
# How a record's selection says which epoch was tested
BEST = "best on validation"
HELD = "best on validation, by the classes it holds"  # `validation_lacks` names the others
LAST = "last epoch: no validation split, so no threshold is tuned"
MUTE = "last epoch: validation does not hold two classes of any attribute, so none is best"
FEWEST, TUNED_CLASSES = 5, 4_000  # so few for many classes: classes times samples are bounded
MANY = 100  # classes, above which a record keeps the confusion counts that are not 0


def tested(
    config: Training,
    data: Dataset,
    model: nn.Module,
    criterion: Criterion,
    splits: dict[str, Resident],
    progress: Progress,
) -> dict[str, Any]:
    """The parts of a record that the test split gives, read once, here."""
    decisions = possible(config.entry.decisions, "val" in splits)
    lacks = {
        part: lacking(splits[part].labels, data.class_counts, data.attributes)
        for part in ("val", "test")
        if part in splits
    }
    if lacks["test"] and "notes" not in data.facts:  # a table's notes have said it
        warnings.warn(
            f"the test split has no sample of {_classes_in_words(lacks['test'], data)}: where a "
            f"class is missing mA is undefined, and left out of the mean",
            stacklevel=3,
        )
    criterion.eval()
    final = _scored(model, criterion, data, splits)
    scored = {progress.epoch - 1: final}  # by epoch: decisions often choose the same
    last = {
        name: {k: test[k] for k in BRIEF if k in test}
        for name in decisions
        for test in [_decided(name, data, criterion, splits, final)["test"]]
    }
    result = {}
    for name in decisions:
        best = progress.best[name]
        model.load_state_dict(best["model"])
        criterion.load_state_dict(best["criterion"])
        first = name == decisions[0]
        if best["epoch"] not in scored:
            scored[best["epoch"]] = _scored(model, criterion, data, splits)
        chosen = scored[best["epoch"]]
        part = _decided(name, data, criterion, splits, chosen, curves=first, bootstrap=BOOTSTRAP)
        result[name] = {
            "selection": {
                "rule": _rule(best["value"], lacks.get("val")),
                "best_epoch": best["epoch"],
                "best_val": best["value"],
            }
        } | part
        if lacks.get("val"):
            result[name]["selection"]["validation_lacks"] = lacks["val"]
        if first:
            result[name]["selection"]["best_val_mA"] = best["value"]
            if type(criterion).scores is Criterion.scores:  # its scores are no logits
                result[name]["calibration"] = calibration_of(
                    chosen.logits["test"], splits["test"], data, criterion
                )
            if config.keep_weights:  # for whoever predicts with this network
                offsets = {
                    other: _offsets(other, criterion, splits, chosen, bootstrap=BOOTSTRAP)
                    for other in decisions
                }
                result[name]["thresholds"] = {
                    other: describe_thresholds(tuned, data.attributes)
                    for other, tuned in offsets.items()
                    if tuned is not None  # argmax has none
                }
            if config.keep_scores and distributed.rank() == 0:
                records.write_scores(
                    chosen.logits,
                    {part: splits[part].labels for part in chosen.logits},
                    config.record_path(data),
                )
    main = result.pop(decisions[0])
    return {
        "decision": decisions[0],
        **main,
        "decisions": result,
        "last": {"epoch": progress.epoch - 1, "test": last},
    }


def lacking(labels: Tensor, class_counts: Tensor, names: Sequence[str]) -> dict[str, list[int]]:
    """Attribute -> its classes that training has and these labels (N, A) do not."""
    held = count_known(labels.cpu().T, class_counts.shape[1]) > 0
    missing = (class_counts.cpu() > 0) & ~held
    return {
        name: row.nonzero().flatten().tolist()
        for name, row in zip(names, missing, strict=True)
        if row.any()
    }


def _rule(value: float | None, lacks: dict[str, list[int]] | None) -> str:
    """Which epoch was tested, and why: `lacks` names the classes missing from validation."""
    if lacks is None:
        return LAST
    if value is None:
        return MUTE
    return HELD if lacks else BEST


def _classes_in_words(lacks: dict[str, list[int]], data: Dataset) -> str:
    """The first ten attributes, with the classes that they lack."""

    def called(label: int) -> str:
        return data.class_names[label] if data.class_names else str(label)

    words = [
        f"{name} ({', '.join(map(called, labels[:10]))}{', ...' if labels[10:] else ''})"
        for name, labels in list(lacks.items())[:10]
    ]
    more = len(lacks) - 10
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


class Scored(NamedTuple):
    """Scores (N, A, C) of the splits that a decision needs, and how those of the test rank."""

    logits: dict[str, Tensor]
    ranking: pd.DataFrame


def _scored(
    model: nn.Module, criterion: Criterion, data: Dataset, splits: dict[str, Resident]
) -> Scored:
    """Of the network as it is."""
    logits: dict[str, Tensor] = {
        name: predict(model, criterion, splits[name]) for name in ("val", "test") if name in splits
    }
    names = list(data.attributes)
    ranking = rank_metrics(logits["test"], splits["test"].labels, names, classes=data.classes)
    return Scored(logits, ranking)


def _offsets(
    decision: str,
    criterion: Criterion,
    splits: dict[str, Resident],
    scored: Scored,
    *,
    bootstrap: int = 0,
) -> Tuned | None:
    """What this decision adds to the scores, with at most so many bootstrap samples."""
    counts = criterion.class_counts.cpu()
    if not decision.startswith("tuned"):
        return offsets_for(decision, counts)
    few = max(FEWEST, min(FEW, TUNED_CLASSES // counts.shape[1]))
    times = bootstrap if counts.shape[1] == 2 else min(bootstrap, few)
    labels = splits["val"].labels.cpu()
    return offsets_for(decision, counts, scored.logits["val"], labels, bootstrap=times)


def _decided(
    decision: str,
    data: Dataset,
    criterion: Criterion,
    splits: dict[str, Resident],
    scored: Scored,
    *,
    curves: bool = False,
    bootstrap: int = 0,
) -> dict[str, Any]:
    """``test`` at one decision, and ``thresholds`` of one tuned with bootstrap samples."""
    offsets = _offsets(decision, criterion, splits, scored, bootstrap=bootstrap)
    part = {}
    if bootstrap and decision.startswith("tuned"):
        assert offsets is not None  # as for each decision but argmax
        part["thresholds"] = describe_thresholds(offsets, data.attributes)
    part["test"] = metrics_of(
        scored.logits["test"], splits["test"], data, offsets, curves=curves, ranking=scored.ranking
    )
    return part


def calibration_of(
    logits: Tensor, split: Resident, data: Dataset, criterion: Criterion
) -> dict[str, Any]:
    """The ``calibration`` part of a record: of the probabilities as they are, before a decision.

    Where a sampling schedule ended below 1 also ``at_training_prior``, brought back to it.
    """
    names = list(data.attributes)
    part = describe(calibration_error(logits, split.labels), names)
    if criterion.g is not None and criterion.g < 1 and criterion.trained_prior() is not None:
        back = calibration_error(criterion.at_data_prior(logits.double()), split.labels)
        part["at_training_prior"] = describe(back, names)
    return part


def describe_thresholds(tuned: Tuned, names: Sequence[str]) -> dict[str, Any]:
    """Offsets of each attribute's classes and their spread over bootstrap samples, rounded.

    Of yes-or-no attributes one number each: the threshold on logit 1 minus logit 0.
    """
    table = {}
    for name, offsets, spread in zip(names, tuned.offsets, tuned.spread, strict=True):
        exists = offsets > -torch.inf
        if int(exists.sum()) == 2:
            value, error = -(offsets[exists][1] - offsets[exists][0]), spread[exists].max()
            table[name] = [round(value.item(), 4), round(error.item(), 4)]
        else:
            table[name] = [
                [round(x, 4) for x in offsets[exists].tolist()],
                [round(x, 4) for x in spread[exists].tolist()],
            ]
    return table


def metrics_of(
    logits: Tensor,
    split: Resident,
    data: Dataset,
    offsets: Tuned | Tensor | None = None,
    *,
    curves: bool = True,
    ranking: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """The ``test`` part of a record: means over attributes, and every metric of each.

    With yes-or-no attributes also the metrics of the examples; with a single label also those of
    each class; and the mean over each of the data set's groups of attributes or classes.
    """
    with warnings.catch_warnings():  # `tested` says once what is undefined
        warnings.simplefilter("ignore")
        frame = evaluate(
            logits,
            split.labels,
            list(data.attributes),
            offsets=offsets,
            classes=data.classes,
            ranking=ranking,
        )
    numbers = frame.drop(columns="confusion")
    result: dict[str, Any] = numbers.mean().to_dict()  # NaN is left out
    frame["imbalance_level"] = data.imbalance_level()
    result["undefined"] = list(frame.index[frame["mA"].isna()])
    result["per_attribute"] = frame.to_dict("index")
    for name, word in data.facts.get("positive", {}).items():  # the class of F1, precision, ...
        result["per_attribute"][name]["positive"] = word
    if data.classes == 2:
        decided = decide(logits.cpu(), offsets=offsets)
        result["instance"] = instance_metrics(decided, split.labels.cpu())
        if curves:
            result["curves"] = threshold_curves(logits, split.labels, data.attributes)
    if len(data.attributes) > records.RAREST:
        result["rarest_mA"] = float(frame.nlargest(records.RAREST, "imbalance_level")["mA"].mean())
    of = frame["mA"]
    if len(data.attributes) == 1:
        names = data.class_names or [str(label) for label in range(data.class_sizes[0])]
        classes = per_class(frame["confusion"].iloc[0], names)
        classes["training_samples"] = data.class_counts[0].numpy()
        result["per_class"] = classes.to_dict("index")
        of = classes["recall"]
    if max(data.class_sizes) > MANY:
        for row in result["per_attribute"].values():
            row["confusion_cells"] = records.in_cells(row.pop("confusion"))
    result["groups"] = {name: float(of[members].mean()) for name, members in data.groups.items()}
    return result
