"""What the validation split says of an epoch: the number that each decision is chosen by."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..evaluation.decisions import decide
from ..evaluation.metrics import confusion, mean_accuracy
from ..evaluation.tuning import offsets_for
from ..sampling import count_classes, cross_entropy


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
    found : dict
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
    held = (count_classes(labels, logits.shape[2]) > 0).sum(1)  # (A,) classes: one says nothing
    found = {"val_loss": (cross_entropy(logits, labels).sum(1) / known).sum().item()}
    if logits.shape[2] == 2:
        found["val_average_precision"] = 100 * average_precision(logits, labels)
    reached = {}
    for name in decisions:
        tuned = offsets_for(name, class_counts, logits, labels)
        if name == "tuned-f1":
            reached[name] = 100 * mean_accuracy(tuned.value.where(held > 1, torch.nan))
            found["val_f1_tuned-f1"] = reached[name]
            continue
        accuracy = held_accuracy(decide(logits, offsets=tuned), labels, logits.shape[2])
        reached[name] = 100 * mean_accuracy(accuracy)
        found["val_mA" if name == decisions[0] else f"val_mA_{name}"] = reached[name]
    return found, reached


def held_accuracy(predictions: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Mean recall (A,) over the classes that a split holds; NaN for fewer than two of them.

    With all classes there it is `dcl.balanced_accuracy`. A single class says nothing: a network
    that decides nothing else would be the best.

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


def lacking(labels: Tensor, class_counts: Tensor, names: Sequence[str]) -> dict[str, list[int]]:
    """Attribute -> its classes that training has and these labels (N, A) do not."""
    held = count_classes(labels.cpu(), class_counts.shape[1]) > 0
    missing = (class_counts.cpu() > 0) & ~held
    return {
        name: row.nonzero().flatten().tolist()
        for name, row in zip(names, missing, strict=True)
        if row.any()
    }


def average_precision(logits: Tensor, labels: Tensor) -> float:
    """Mean over the yes-or-no attributes of the average precision, in [0, 1]; NaN without any.

    That of `sklearn.metrics.average_precision_score`, all attributes at once. One of a single class
    has none.
    """
    margin = (logits[..., 1] - logits[..., 0]).double().T.contiguous()
    score, order = margin.sort(descending=True)  # (A, N)
    found = labels.T.gather(1, order)
    hits, seen = (found == 1).cumsum(1), (found >= 0).cumsum(1)
    tied = F.pad(score[:, 1:] == score[:, :-1], (0, 1))[:, : score.shape[1]]  # with the next
    reached = hits.masked_fill(tied, 0).cummax(1).values  # hits where equal scores end
    gained = reached.diff(dim=1, prepend=hits.new_zeros(len(hits), 1))
    mean = (gained * hits.double() / seen.clamp(min=1)).sum(1) / (found == 1).sum(1)
    return mean[(found == 1).any(1) & (found == 0).any(1)].mean().item()
