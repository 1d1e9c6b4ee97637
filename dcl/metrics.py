"""Class-balanced accuracy, mA (Eq. 12-13), and its companions, for each attribute."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from .sampling import count_classes

LOG_ODDS = tuple(step / 2 for step in range(-16, 17))  # thresholds of a record's curves


def confusion(predictions: Tensor, labels: Tensor, classes: int = 2) -> Tensor:
    """Confusion counts of each attribute.

    Parameters
    ----------
    predictions, labels : Tensor (N, A), integer
        Classes in [0, classes).
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
    for name, values in (("predictions", predictions), ("labels", labels)):
        if values.numel() and not 0 <= values.min() <= values.max() < classes:
            wrong = values[(values < 0) | (values >= classes)][0].item()
            raise ValueError(f"{name} must lie in 0 ... {classes - 1}, got {wrong}")
    cells = count_classes(labels.long() * classes + predictions.long(), classes * classes)
    return cells.reshape(-1, classes, classes)


def balanced_accuracy(predictions: Tensor, labels: Tensor, classes: int = 2) -> Tensor:
    """Class-balanced accuracy of each attribute: the mean recall over its classes (Eq. 12).

    Parameters
    ----------
    predictions, labels : Tensor (N, A), integer
        Classes in [0, classes).
    classes : int
        C.

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
    return _mean_recall(confusion(predictions, labels, classes).double(), names=None)


def mean_accuracy(per_attribute: Tensor) -> float:
    """mA over the attributes for which it is defined (Eq. 13)."""
    return torch.as_tensor(per_attribute, dtype=torch.float64).nanmean().item()


def decide(logits: Tensor, class_counts: Tensor | None = None) -> Tensor:
    """Predicted classes (N, A): the largest logit, or the largest after a correction for the prior.

    With the training set's `class_counts` (A, C) the logarithm of each class's training share is
    subtracted first. For two classes that is the threshold moved from 0.5 to the training prior;
    it is also post-hoc logit adjustment with tau = 1 (Menon et al. 2021).

    Examples
    --------
    A probability of 0.2 for a class that 10 % of the training set belongs to:

    >>> logits = torch.tensor([[[0.8, 0.2]]]).log()
    >>> decide(logits), decide(logits, torch.tensor([[90, 10]]))
    (tensor([[0]]), tensor([[1]]))
    """
    if class_counts is not None:
        counts = class_counts.double()
        logits = logits - (counts / counts.sum(1, keepdim=True)).log()
    return logits.argmax(2)


def evaluate(
    logits: Tensor, labels: Tensor, names: list[str], class_counts: Tensor | None = None
) -> pd.DataFrame:
    """Every metric of each attribute, in percent but for the counts.

    Parameters
    ----------
    logits : Tensor (N, A, C)
        Of the whole split.
    labels : Tensor (N, A), integer
    names : list of str
        The A attributes.
    class_counts : Tensor (A, C), optional
        Decide at the training prior instead of by the largest logit, see `decide`.

    Returns
    -------
    DataFrame
        Indexed by attribute: ``mA``, ``accuracy``, ``f1``, ``precision``, ``recall`` (of class 1;
        for C > 2 the mean over classes), ``auc`` and ``average_precision`` (binary attributes
        alone), and ``confusion``, nested lists [true][predicted]. NaN where undefined: never 0.
    """
    logits, labels = logits.double().cpu(), labels.cpu()
    classes = logits.shape[2]
    predictions = decide(logits, None if class_counts is None else class_counts.cpu())
    counts = confusion(predictions, labels, classes)
    table = counts.double()  # (A, C, C)
    hits = table.diagonal(dim1=1, dim2=2)
    recall, precision = hits / table.sum(2), hits / table.sum(1)  # (A, C); 0/0 is NaN
    f1 = 2 * hits / (table.sum(2) + table.sum(1))
    positive = (lambda x: x[:, 1]) if classes == 2 else (lambda x: x.mean(1))
    frame = pd.DataFrame(index=pd.Index(names, name="attribute"))
    frame["mA"] = 100 * _mean_recall(table, names).numpy()
    frame["accuracy"] = 100 * (hits.sum(1) / table.sum((1, 2))).numpy()
    for name, values in (("f1", f1), ("precision", precision), ("recall", recall)):
        frame[name] = 100 * positive(values).numpy()
    if classes == 2:
        score = (logits[..., 1] - logits[..., 0]).numpy()
        for name, metric in (
            ("auc", roc_auc_score),
            ("average_precision", average_precision_score),
        ):
            frame[name] = [
                100 * metric(y, s) if 0 < y.sum() < len(y) else np.nan
                for y, s in zip(labels.T.numpy(), score.T, strict=True)
            ]
    frame["confusion"] = counts.tolist()
    return frame


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
    positive = labels.cpu().T.bool().unsqueeze(1)  # (A, 1, N)
    curves: dict[str, Any] = {"log_odds": list(LOG_ODDS)}
    for key, members in (("recall", positive), ("false_positive_rate", ~positive)):
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
        0 or 1.

    Returns
    -------
    dict
        ``accuracy``, ``precision``, ``recall``, ``f1``. As in the field's code, an example whose
        P alone is empty has precision 0. One without a positive label says nothing of recall and
        is left out of it, and one that is rightly predicted empty is left out of all.

    Examples
    --------
    >>> instance_metrics(torch.tensor([[1, 0, 1]]), torch.tensor([[1, 1, 0]]))["accuracy"]
    33.33333333333333
    """
    confusion(predictions, labels)  # for its checks
    true, found = labels.bool(), predictions.bool()
    both, either = (true & found).sum(1).double(), (true | found).sum(1).double()
    there = either > 0

    def share(of: Tensor, where: Tensor) -> float:  # (N,), (N,) bool
        return 100 * (both / of.clamp(min=1))[where].mean().item()

    precision = share(found.sum(1), there)
    recall = share(true.sum(1), true.any(1))
    total = precision + recall
    return {
        "accuracy": share(either, there),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / total if total else 0.0,
    }


def per_class(counts: Tensor, names: Sequence[str]) -> pd.DataFrame:
    """Recall, precision and F1 of each class in percent: confusion counts (C, C) -> C rows.

    Also ``samples``, how many there were of the class. NaN where undefined.
    """
    table = torch.as_tensor(counts).double()
    hits, samples, found = table.diagonal(), table.sum(1), table.sum(0)
    columns = {
        "recall": 100 * hits / samples,
        "precision": 100 * hits / found,
        "f1": 200 * hits / (samples + found),
    }
    frame = pd.DataFrame({name: values.numpy() for name, values in columns.items()}, index=names)
    frame["samples"] = samples.long().numpy()
    return frame.rename_axis("class")


def _mean_recall(table: Tensor, names: list[str] | None) -> Tensor:
    """Mean recall (A,) of confusion counts (A, C, C); NaN and a warning without a sample."""
    of_class = table.sum(2)
    missing = (of_class == 0).any(1).nonzero().flatten().tolist()
    if missing:
        called = ", ".join(names[a] if names else str(a) for a in missing)
        warnings.warn(
            f"balanced accuracy is undefined (NaN) for attribute {called}: a class has no sample",
            stacklevel=3,
        )
    return (table.diagonal(dim1=1, dim2=2) / of_class).mean(1)
