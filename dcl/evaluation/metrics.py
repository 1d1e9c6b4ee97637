"""Class-balanced accuracy, mA (Eq. 12-13), and its companions, for each attribute."""

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import UNKNOWN, as_classes, as_labels, as_tensor, whole
from ..reminders import caller
from ..sampling import count_known
from .decisions import Tuned, as_scored, classes_of, decide
from .frames import check_frames

if TYPE_CHECKING:
    import pandas as pd

LOG_ODDS = tuple(step / 2 for step in range(-16, 17))  # thresholds of a record's curves


def confusion(predictions: Tensor, labels: Tensor, classes: int = 2) -> Tensor:
    """Confusion counts of each attribute.

    Parameters
    ----------
    predictions, labels : Tensor (N, A), integer
        Classes in [0, classes); a label of -1 is unknown and in no count.
    classes : int
        C.

    Returns
    -------
    Tensor (A, C, C), int64
        Element [a, i, j]: samples of class i that were predicted j.
    """
    if predictions.shape != labels.shape or labels.ndim != 2:
        raise ValueError(
            f"predictions and labels must both be (samples, attributes), got shapes "
            f"{tuple(predictions.shape)} and {tuple(labels.shape)}"
        )
    for name, values, least in (("predictions", predictions, 0), ("labels", labels, UNKNOWN)):
        if values.numel() and not least <= values.min() <= values.max() < classes:
            wrong = values[(values < least) | (values >= classes)][0].item()
            unknown = "" if least == 0 else ", or be -1 where unknown"
            raise ValueError(f"{name} must lie in 0 ... {classes - 1}{unknown}, got {wrong}")
    cells = torch.where(labels < 0, UNKNOWN, labels.long() * classes + predictions.long())
    return count_known(cells.T, classes * classes).reshape(-1, classes, classes)


def balanced_accuracy(
    predictions: Tensor, labels: Tensor, classes: int | Sequence[int] = 2
) -> Tensor:
    """Class-balanced accuracy of each attribute: the mean recall over its classes (Eq. 12).

    Parameters
    ----------
    predictions, labels : Tensor (N, A), or (N,) of one label, integer
        Classes in [0, classes); a label of -1 is unknown and counts nowhere.
    classes : int or sequence of A ints
        C, or the classes of each attribute.

    Returns
    -------
    Tensor (A,), float64
        In [0, 1]; NaN, with a warning that names the attribute, where a class has no sample.

    Raises
    ------
    ValueError
        For shapes that differ and values out of range.

    Examples
    --------
    >>> balanced_accuracy(torch.tensor([[0], [0], [0], [1]]), torch.tensor([[0], [0], [1], [1]]))
    tensor([0.7500], dtype=torch.float64)
    """
    check_frames(predictions=predictions, labels=labels)
    predictions, labels = as_labels(predictions, "predictions"), as_labels(labels)
    numbers = as_classes(classes, labels.shape[1])
    table = confusion(predictions, labels, max(numbers)).double()
    _check_own(numbers, predictions=predictions, labels=labels)
    return _mean_recall(table, numbers, names=None)


def mean_accuracy(per_attribute: Tensor) -> float:
    """mA over the attributes for which it is defined (Eq. 13)."""
    return torch.as_tensor(per_attribute, dtype=torch.float64).nanmean().item()  # Eq. 13


def held_accuracy(predictions: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean recall (A,) over the classes that a split holds; NaN for fewer than two of them.

    If the split holds all classes, this is `balanced_accuracy`. We ignore an attribute of one
    class, because a network that always decides it would be the best.

    Examples
    --------
    Class 2 has no sample:

    >>> held_accuracy(torch.tensor([[0], [0], [1]]), torch.tensor([[0], [1], [1]]), 3)
    tensor([0.7500], dtype=torch.float64)
    """
    table = confusion(predictions, labels, classes).double()  # (A, C, C)
    of_class = table.sum(2)
    held = (of_class > 0).sum(1)
    recall = table.diagonal(dim1=1, dim2=2) / of_class.clamp(min=1)
    return (recall.sum(1) / held).where(held > 1, torch.nan)


def average_precision(logits: Tensor, labels: Tensor) -> float:
    """Mean over the yes-or-no attributes of the average precision, in [0, 1]; NaN without any.

    That of `sklearn.metrics.average_precision_score`, all attributes at once. One of a single class
    has none.
    """
    margin = (logits[..., 1] - logits[..., 0]).double().T.contiguous()
    score, order = margin.sort(descending=True)  # (A, N)
    ranked = labels.T.gather(1, order)
    hits, seen = (ranked == 1).cumsum(1), (ranked >= 0).cumsum(1)
    tied = F.pad(score[:, 1:] == score[:, :-1], (0, 1))[:, : score.shape[1]]  # with the next
    reached = hits.masked_fill(tied, 0).cummax(1).values  # hits where equal scores end
    gained = reached.diff(dim=1, prepend=hits.new_zeros(len(hits), 1))
    mean = (gained * hits.double() / seen.clamp(min=1)).sum(1) / (ranked == 1).sum(1)
    return mean[(ranked == 1).any(1) & (ranked == 0).any(1)].mean().item()


def evaluate(
    logits: Tensor,
    labels: Tensor,
    names: Sequence[str],
    class_counts: Tensor | None = None,
    *,
    offsets: Tensor | Tuned | None = None,
    classes: int | Sequence[int] | None = None,
    ranking: "pd.DataFrame | None" = None,
) -> "pd.DataFrame":
    """Every metric of each attribute, in percent but for the counts.

    Needs pandas and scikit-learn, of the extra ``experiment``.

    Parameters
    ----------
    logits : Tensor (N, A, C), (N, A) of the positive class, or (N, C) of one label
        Of the whole split.
    labels : Tensor (N, A), or (N,) of one label, integer
        -1 where unknown: in no number.
    names : list of str
        The A attributes.
    class_counts, offsets : Tensor (A, C), optional
        Decide at the training prior, or at tuned thresholds, instead of by the largest logit, see
        `dcl.decide`.
    classes : int or sequence of A ints, optional
        Classes of each attribute, where they differ.
    ranking : DataFrame, optional
        `rank_metrics` of these logits, if several decisions of them are evaluated.

    Returns
    -------
    DataFrame
        Indexed by attribute: ``mA``, ``accuracy``, ``f1``, ``precision``, ``recall`` (of class 1;
        for C > 2 the mean over the classes that have samples), ``auc`` and ``average_precision``
        (binary attributes alone), and ``confusion``, nested lists [true][predicted]. NaN where
        undefined, as F1 of a class without samples: never 0; a class that is never decided has no
        precision and is left out of the mean over classes.

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN among the logits, and labels or classes out of range.
    """
    import numpy as np
    import pandas as pd

    if ranking is None:
        ranking = rank_metrics(logits, labels, names, classes=classes)
    logits, labels, numbers = _of_split(logits, labels, names, classes)
    most = logits.shape[2]
    predictions = decide(logits, class_counts, offsets=offsets, classes=numbers)
    counts = confusion(predictions, labels, most)
    table = counts.double()  # (A, C, C)
    hits = table.diagonal(dim1=1, dim2=2)
    recall, precision = hits / table.sum(2), hits / table.sum(1)  # (A, C); 0/0 is NaN
    f1 = 2 * hits / (table.sum(2) + table.sum(1))
    held = table.sum(2) > 0
    f1, precision = (x.where(held, torch.nan) for x in (f1, precision))
    binary = torch.tensor(numbers) == 2

    def percent(values: Tensor) -> np.ndarray:  # (A, C) -> (A,), of class 1 or over the classes
        return 100 * torch.where(binary, values[:, 1], values.nanmean(1)).numpy()

    frame = pd.DataFrame(index=pd.Index(names, name="attribute"))
    frame["mA"] = 100 * _mean_recall(table, numbers, names).numpy()
    frame["accuracy"] = 100 * (hits.sum(1) / table.sum((1, 2))).numpy()
    for name, values in (("f1", f1), ("precision", precision), ("recall", recall)):
        frame[name] = percent(values)
    if not frame.index.equals(ranking.index):
        raise ValueError(
            f"ranking must be rank_metrics of the same logits, of attributes {list(names)}, got "
            f"{list(ranking.index)}"
        )
    frame = pd.concat([frame, ranking], axis=1)
    frame["confusion"] = [counts[a, :number, :number].tolist() for a, number in enumerate(numbers)]
    return frame


def rank_metrics(
    logits: Tensor,
    labels: Tensor,
    names: Sequence[str],
    *,
    classes: int | Sequence[int] | None = None,
) -> "pd.DataFrame":
    """The metrics of each attribute that depend on the order of its scores, not on a decision.

    Parameters
    ----------
    logits, labels, names, classes
        As those of `evaluate`.

    Returns
    -------
    DataFrame
        Indexed by attribute, in percent: ``auc`` and ``average_precision`` of the binary
        attributes, scikit-learn's over the known labels; NaN for others, and for one class alone.
        No column where no attribute is binary.
    """
    import numpy as np
    import pandas as pd
    from sklearn.metrics import average_precision_score, roc_auc_score

    logits, labels, numbers = _of_split(logits, labels, names, classes)
    frame = pd.DataFrame(index=pd.Index(names, name="attribute"))
    if 2 not in numbers:
        return frame
    margin = logits[..., 1] - logits[..., 0]
    held = margin.masked_fill(~margin.isfinite(), 0)
    beyond = held.abs().amax().item() + 1 if len(held) else 1.0
    truth, score = labels.numpy(), margin.clamp(-beyond, beyond).numpy()
    known = truth >= 0
    ranked = (np.array(numbers) == 2) & (truth == 0).any(0) & (truth == 1).any(0)
    for name, metric in (("auc", roc_auc_score), ("average_precision", average_precision_score)):
        found = np.full(len(numbers), np.nan)
        for rows in np.unique(known[:, ranked].T, axis=0):
            alike = ranked & (known == rows[:, None]).all(0)  # known of the same samples: one call
            given = (values[np.ix_(rows, alike)].squeeze() for values in (truth, score))
            found[alike] = metric(*given, average=None)
        frame[name] = 100 * found
    return frame


def _of_split(
    logits: Tensor, labels: Tensor, names: Sequence[str], classes: int | Sequence[int] | None
) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Checked logits (N, A, C), float64, and labels (N, A) on the CPU; each attribute's classes."""
    check_frames(names, labels=labels)
    logits, labels = as_scored(logits, labels)
    given = 0 if isinstance(names, str) else len(set(names))
    if given != labels.shape[1] or len(names) != given:
        raise ValueError(
            f"names must be a list of {labels.shape[1]} different attributes, got {names!r}"
        )
    numbers = classes_of(logits, classes)
    _check_own(numbers, labels=labels)
    return logits.detach().double().cpu(), labels.cpu(), numbers


def _check_own(numbers: Sequence[int], **values: Tensor) -> None:
    """Refuse a class (N, A) that its attribute does not have."""
    for name, tensor in values.items():
        if tensor.shape[1] != len(numbers):
            continue  # which `confusion` refuses
        beyond = tensor >= torch.tensor(numbers, device=tensor.device)
        if bool(beyond.any()):
            row, a = beyond.nonzero()[0].tolist()
            raise ValueError(
                f"{name} must lie in 0 ... {numbers[a] - 1} for attribute {a}, got "
                f"{tensor[row, a].item()} in row {row}"
            )


class MeanBalancedAccuracy(nn.Module):
    """mA over batches and processes: counts that are added up, so that no batch is kept.

    Used as the metrics of torchmetrics are: `update`, `compute`, `reset`; called with a batch it
    adds it and returns the batch's own mA. In a module it goes to the module's device.

    Parameters
    ----------
    attributes : int
        A.
    classes : int or sequence of A ints
        C, or the classes of each attribute.

    Examples
    --------
    >>> metric = MeanBalancedAccuracy(attributes=1)
    >>> metric.update(torch.tensor([[0], [0]]), torch.tensor([[0], [0]]))
    >>> metric.update(torch.tensor([[0], [1]]), torch.tensor([[1], [1]]))
    >>> metric.compute()
    tensor(0.7500, dtype=torch.float64)
    """

    def __init__(self, attributes: int, classes: int | Sequence[int] = 2):
        super().__init__()
        self.classes = as_classes(classes, whole("attributes", attributes, 1))
        most = max(self.classes)
        # (A, C, C) of this process; no buffer: DistributedDataParallel gives all the first one's
        self.counts = torch.zeros(attributes, most, most, dtype=torch.int64)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self.counts = fn(self.counts)
        return self

    def reset(self) -> None:
        """Forget all batches."""
        self.counts.zero_()

    def update(self, predictions: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        predictions : Tensor (B, A), or (B,) of one label
            Classes; or logits or probabilities (B, A, C), or (B, C) with labels (B,), whose largest
            decides.
        labels : Tensor (B, A), or (B,) of one label, integer
            -1 where unknown.
        """
        self.counts += self._counted(predictions, labels)

    def compute(self) -> Tensor:
        """mA in [0, 1] over all batches of all processes; NaN, with a warning, where undefined."""
        return self.per_attribute().nanmean()

    def per_attribute(self) -> Tensor:
        """Balanced accuracy (A,) over all batches of all processes, see `balanced_accuracy`."""
        counts = self.counts.clone()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            if torch.distributed.get_backend() == "nccl":  # which adds up on GPUs alone
                counts = counts.cuda()
            torch.distributed.all_reduce(counts)
        return _mean_recall(counts.cpu().double(), self.classes, names=None)

    def forward(self, predictions: Tensor, labels: Tensor) -> Tensor:
        """`update`, and the mA of this batch alone."""
        counts = self._counted(predictions, labels)
        self.counts += counts
        with warnings.catch_warnings():  # a small batch lacks classes
            warnings.simplefilter("ignore")
            return _mean_recall(counts.cpu().double(), self.classes, names=None).nanmean()

    def _counted(self, predictions: Tensor, labels: Tensor) -> Tensor:
        labels, predictions = as_labels(labels), as_tensor("predictions", predictions)
        if predictions.is_floating_point():
            one = predictions.ndim == 2 and labels.shape[1] == 1 and predictions.shape[1] > 1
            predictions = predictions.unsqueeze(1) if one else predictions
            if predictions.ndim != 3:
                raise ValueError(
                    f"predictions must be classes (whole numbers), or logits (batch, attributes, "
                    f"classes), got floating shape {tuple(predictions.shape)}: of yes-or-no "
                    f"attributes give (logits > 0).long() or (probabilities > 0.5).long()"
                )
            if predictions.shape[1:] != self.counts.shape[:2]:
                attributes, classes = self.counts.shape[:2]
                raise ValueError(
                    f"predictions must be logits (batch, {attributes}, {classes}), got shape "
                    f"{tuple(predictions.shape)}"
                )
            lacking = torch.arange(predictions.shape[2]) >= torch.tensor(self.classes)[:, None]
            lacking = lacking.to(predictions.device)
            predictions = decide(predictions.masked_fill(lacking, -torch.inf))
        predictions = as_labels(predictions, "predictions")
        counts = confusion(predictions, labels, max(self.classes)).to(self.counts.device)
        _check_own(self.classes, predictions=predictions, labels=labels)
        if counts.shape != self.counts.shape:
            raise ValueError(
                f"labels must be (batch, {len(self.classes)}), got shape {tuple(labels.shape)}"
            )
        return counts


def threshold_curves(logits: Tensor, labels: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Recall and false-positive rate of yes-or-no attributes as the threshold moves.

    Parameters
    ----------
    logits : Tensor (N, A, 2)
    labels : Tensor (N, A), integer
    names : sequence of str
        The A attributes.

    Returns
    -------
    dict
        ``log_odds``, the thresholds on logit 1 minus logit 0, and for each attribute under
        ``recall`` and ``false_positive_rate`` the shares of positives and negatives above them,
        to four decimals; NaN for an attribute that has none.

    Examples
    --------
    >>> logits = torch.tensor([[[0.0, -3]], [[0, -1]], [[0, 1]], [[0, 3]]])
    >>> curves = threshold_curves(logits, torch.tensor([[0], [0], [1], [1]]), ["Bald"])
    >>> middle = curves["log_odds"].index(2.0)
    >>> curves["recall"]["Bald"][middle], curves["false_positive_rate"]["Bald"][middle]
    (0.5, 0.0)
    """
    score = (logits[..., 1] - logits[..., 0]).double().cpu().T.unsqueeze(1)  # (A, 1, N)
    above = score > torch.tensor(LOG_ODDS).double().unsqueeze(1)  # (A, T, N)
    positive, negative = (labels.cpu().T == label for label in (1, 0))  # (A, N)
    curves: dict[str, Any] = {"log_odds": list(LOG_ODDS)}
    for key, members in (("recall", positive), ("false_positive_rate", negative)):
        members = members.unsqueeze(1)  # (A, 1, N)
        share = (above & members).sum(2) / members.sum(2).double()  # (A, T); 0/0 is NaN
        rows = [[round(value, 4) for value in row] for row in share.tolist()]
        curves[key] = dict(zip(names, rows, strict=True))
    return curves


def instance_metrics(predictions: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy, precision, recall and F1 over the attributes of each example, in percent.

    The example-based metrics of pedestrian attribute recognition (Li et al. 2016): with an
    example's true set Y and predicted set P, the means of |Y & P| / |Y | P|, |Y & P| / |P| and
    |Y & P| / |Y| over the examples, and the harmonic mean of the last two means.

    Parameters
    ----------
    predictions, labels : Tensor (N, A), integer
        0 or 1; an attribute of unknown label, -1, is in neither set.

    Returns
    -------
    dict
        ``accuracy``, ``precision``, ``recall``, ``f1``. As in the field's code, an example without
        a positive label is left out of all, and one whose P is empty has precision 0.

    Examples
    --------
    >>> instance_metrics(torch.tensor([[1, 0, 1]]), torch.tensor([[1, 1, 0]]))["accuracy"]
    33.33333333333333
    """
    confusion(predictions, labels)  # for its checks
    true, found = labels == 1, (predictions == 1) & (labels >= 0)
    there = true.any(1)
    true, found = true[there], found[there]
    both, either = (true & found).sum(1).double(), (true | found).sum(1)

    def share(of: Tensor) -> float:  # (N,)
        return 100 * (both / of.clamp(min=1)).mean().item()

    precision, recall = share(found.sum(1)), share(true.sum(1))
    total = precision + recall
    return {
        "accuracy": share(either),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / total if total else 0.0,
    }


def per_class(counts: Tensor, names: Sequence[str]) -> "pd.DataFrame":
    """Recall, precision and F1 of each class in percent: confusion counts (C, C) -> C rows.

    Also ``samples``, how many there were of the class. NaN where undefined.
    """
    import pandas as pd

    table = torch.as_tensor(counts).double()
    hits, samples, found = table.diagonal(), table.sum(1), table.sum(0)
    columns = {
        "recall": 100 * hits / samples,
        "precision": 100 * hits / found,
        "f1": (200 * hits / (samples + found)).where(samples > 0, torch.nan),
    }
    frame = pd.DataFrame({name: values.numpy() for name, values in columns.items()}, list(names))
    frame["samples"] = samples.long().numpy()
    return frame.rename_axis("class")


def _mean_recall(table: Tensor, numbers: Sequence[int], names: Sequence[str] | None) -> Tensor:
    """Mean recall (A,) of confusion counts (A, C, C) over an attribute's classes.

    NaN and a warning where one of them has no sample.
    """
    of_class = table.sum(2)
    exists = torch.arange(table.shape[1]) < torch.tensor(numbers)[:, None]  # (A, C)
    exists = exists.to(table.device)
    missing = ((of_class == 0) & exists).any(1).nonzero().flatten().tolist()
    if missing:
        called = ", ".join(names[a] if names else str(a) for a in missing)
        warnings.warn(
            f"balanced accuracy is undefined (NaN) for attribute {called}: a class has no sample",
            stacklevel=caller(),
        )
    recall = table.diagonal(dim1=1, dim2=2) / of_class
    return recall.masked_fill(~exists, 0).sum(1) / exists.sum(1)  # Eq. 12
