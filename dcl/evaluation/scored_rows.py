"""Scores and labels of some rows as `dcl.evaluation.thresholds` takes them, checked."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from ..checks import (
    SURELY,
    UNKNOWN,
    as_labels,
    check_labels,
    choose,
    number,
    warn_of_signs,
)
from ..reminders import caller
from .frames import check_frames
from .thresholds_file import SCALES, doubles

NEARLY = 0.9  # share of a label's scores in [0, 1] from which they may be probabilities
LARGEST = 1e15  # beyond, a step of 1 is below the scores' own precision
DEVIATIONS = 3  # of the rank sum, by which a score surely ranks backwards, or as it should
LITTLE = 0.1  # area under the ROC curve above that of chance
TWICE = (0.5, 0.7311)  # the sigmoid of a probability
DIGITS = 4  # behind the point: scores of more hardly agree by chance
LEVELS = 10  # different scores, of fewer many rows agree


class ScoreError(ValueError):
    """A score that cannot be used, of a row counted from 0."""

    def __init__(self, row: int, problem: str):
        super().__init__(f"row {row}, {problem}")
        self.row, self.problem = row, problem


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredRows:
    """Checked scores and labels, made by `of`."""

    scores: Tensor  # (N, A) float64
    labels: Tensor  # (N, A), -1 unknown
    names: tuple[str, ...]
    groups: Tensor  # (N,)
    grouped: bool  # else each row is a group
    scale: str
    prior: Tensor | None  # (A,)
    orders: list[Tensor]  # of each label its known rows, the highest score first

    @classmethod
    def of(cls, scores, labels, names, groups, scale, prior) -> "ScoredRows":
        check_frames(names, scores=scores, labels=labels, groups=groups)
        if names is None and getattr(labels, "ndim", 0) == 2:
            names = getattr(labels, "columns", None)
        scores = doubles(scores)
        scores = scores[:, None] if scores.ndim == 1 else scores
        labels = as_labels(labels).cpu()
        warn_of_signs(labels)
        if scores.ndim != 2 or scores.shape != labels.shape or not scores.numel():
            raise ValueError(
                f"scores and labels must both be (samples, labels), with one or more of each, got "
                f"shapes {tuple(scores.shape)} and {tuple(labels.shape)}"
            )
        check_labels(labels, scores.shape[1], 2)
        size, number_of_labels = scores.shape
        if isinstance(names, str):
            raise ValueError(f"names must be a list, one for each label, got {names!r}")
        names = tuple(map(str, range(number_of_labels) if names is None else names))
        if len(names) != number_of_labels or len(set(names)) != len(names):
            raise ValueError(f"names must be {number_of_labels} different ones, got {names!r}")
        wrong = ~(scores.abs() <= LARGEST)
        what = f"finite and of {LARGEST:g} at most"
        if scale is not None:
            choose("scale", scale, SCALES)
            if scale == "probability":
                wrong, what = ~((scores >= 0) & (scores <= 1)), "a probability, in [0, 1]"
        if wrong.any():
            row, a = wrong.nonzero()[0].tolist()
            raise ScoreError(
                row, f"{names[a]}: a score must be {what}, got {scores[row, a].item()!r}"
            )
        if scale is None:
            scale = _scale_of(scores, names)
            if scale == "logit" and size >= SURELY:
                _warn_of_scale(scores)
        if size >= SURELY:
            _warn_of_decisions(scores, names)
            _warn_of_a_second_sigmoid(scores, labels, names)
        return cls(
            scores=scores,
            labels=labels,
            names=names,
            groups=_groups(groups, size),
            grouped=groups is not None,
            scale=scale,
            prior=_checked_prior(prior, names),
            orders=_orders(scores, labels),
        )

    def counts(self, rows: Tensor) -> Tensor:
        """Known positives and negatives (A, 2) among some rows."""
        labels = self.labels[rows]
        return torch.stack([(labels == 1).sum(0), (labels == 0).sum(0)], 1)

    def backwards(self, rows: Tensor) -> list[str]:
        """Labels whose negatives surely score above their positives, of some rows."""
        ranks = zip(self.names, self.ranks(rows).tolist(), strict=True)
        return [name for name, (excess, chance, _) in ranks if -excess > chance]

    def at_chance(self, rows: Tensor) -> bool:
        """Whether no label's scores tell its positives, of some rows: one surely, no other does."""
        excess, chance, pairs = self.ranks(rows).T
        surely = (pairs > 0) & (excess + chance < LITTLE * pairs)
        return bool(surely.any() and (excess.abs() <= chance).all())

    def ranks(self, rows: Tensor) -> Tensor:
        """The rank sum (Mann and Whitney 1947) of each label above chance, of some rows; (A, 3).

        Pairs of a positive and a negative that rank rightly, less half of all pairs; `DEVIATIONS`
        standard deviations of that by chance; all pairs.
        """
        inside = torch.zeros(len(self.scores), dtype=torch.bool).index_fill(0, rows, True)
        found = []
        for a, order in enumerate(self.orders):
            kept = order[inside[order]]
            positive = self.labels[kept, a] == 1
            _, block = self.scores[kept, a].unique(return_inverse=True)  # ascending
            of = [block[of].bincount(minlength=len(kept)).double() for of in (positive, ~positive)]
            (p, n), (positives, negatives) = of, (x.sum().item() for x in of)
            won = (p * (n.cumsum(0) - n / 2)).sum().item()  # pairs, half of those that are equal
            pairs = positives * negatives
            deviation = (pairs * (len(kept) + 1) / 12) ** 0.5
            found.append((won - pairs / 2, DEVIATIONS * deviation, pairs))
        return torch.tensor(found, dtype=torch.float64)

    def copied(self) -> int:
        """How many rows have all scores of a row of another group, which are no chance.

        Scores of few digits and of few levels, such as votes, may agree by chance.
        """
        precise = (self.scores != self.scores.round(decimals=DIGITS)).all(1)
        rows, groups = self.scores[precise], self.groups[precise]
        if not len(rows):
            return 0
        _, same, counts = rows.unique(dim=0, return_inverse=True, return_counts=True)
        if len(counts) < max(LEVELS, len(rows) / 5):
            return 0
        apart = torch.stack([same, groups], 1).unique(dim=0)[:, 0].bincount() > 1
        return int(apart[same].sum())

    def at(self, prior: Tensor) -> Tensor:
        """The threshold at a rate of positives; that of a half where it says nothing."""
        prior = prior.where((prior > 0) & (prior < 1), 0.5)  # NaN, too
        return prior if self.scale == "probability" else (prior / (1 - prior)).log()


def _scale_of(scores: Tensor, names: Sequence[str]) -> str:
    """Probabilities where all lie in [0, 1]; else logits, if no label has nearly all of its there.

    Raises
    ------
    ValueError
        Where one has: a few of its scores are rounding errors, or it is on another scale.
    """
    inside = (scores >= 0) & (scores <= 1)
    if inside.all():
        return "probability"
    found = inside.sum(0)
    nearly = found > NEARLY * len(scores)
    if nearly.any():
        a = int(nearly.nonzero()[0])
        row, other = (~inside).nonzero()[0].tolist()
        raise ScoreError(
            row,
            f"{names[other]}: the score {scores[row, other].item()!r} lies outside [0, 1], but "
            f"{int(found[a])} of {len(scores)} scores of {names[a]} lie inside: say by scale what "
            f"all of them are, probability or logit, and clip or convert the others",
        )
    return "logit"


def _warn_of_scale(scores: Tensor) -> None:
    """Warn where scores taken for logits may be percentages or log-probabilities."""
    for odd, words in (
        ((scores >= 0).all(), "none is negative: if they are percentages, divide them by 100"),
        ((scores <= 0).all(), "none is positive: if they are log-probabilities, give their exp"),
    ):
        if odd:
            warnings.warn(f"scores are taken for logits, though {words}", stacklevel=caller())


def _warn_of_decisions(scores: Tensor, names: Sequence[str]) -> None:
    """Warn of labels whose scores are 0 and 1 alone, or -1 and 1."""
    low, high = scores.aminmax(dim=0)
    two = ((scores == low) | (scores == high)).all(0) & ((low == 0) | (low == -1)) & (high == 1)
    if two.any():
        which = ", ".join(name for name, of_two in zip(names, two.tolist(), strict=True) if of_two)
        warnings.warn(
            "scores are two numbers alone, as decisions are, which no threshold improves: "
            f"{which}. Give probabilities or logits, such as predict_proba in place of predict",
            stacklevel=caller(),
        )


def _warn_of_a_second_sigmoid(scores: Tensor, labels: Tensor, names: Sequence[str]) -> None:
    """Warn where all scores lie where sigmoids of probabilities do, of a label that is rarer."""
    low, high = (x.item() for x in scores.aminmax())
    rarer = (labels == 1).sum(0) < (labels == 0).sum(0)
    if TWICE[0] <= low < high <= TWICE[1] and rarer.any():
        warnings.warn(
            f"all scores lie in {TWICE[0]:g} ... {TWICE[1]:.2f}, though most rows of "
            f"{names[int(rarer.int().argmax())]} are no: if a sigmoid was taken of probabilities, "
            "leave it out",
            stacklevel=caller(),
        )


def _orders(scores: Tensor, labels: Tensor) -> list[Tensor]:
    orders = []
    for a in range(scores.shape[1]):
        order = scores[:, a].argsort(descending=True, stable=True)
        orders.append(order[labels[order, a] != UNKNOWN])
    return orders


def _groups(groups: Any, size: int) -> Tensor:
    if groups is None:
        return torch.arange(size)
    values = groups.tolist() if hasattr(groups, "tolist") else groups
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != size:
        got = len(values) if hasattr(values, "__len__") else repr(values)
        raise ValueError(f"groups must name one for each of {size} rows, got {got}")
    seen: dict[Any, int] = {}
    for row, group in enumerate(values):
        try:
            known = group is not None and bool(group == group)
            seen.setdefault(group, len(seen))
        except TypeError:  # pandas' NA, a list
            known = False
        if not known:
            raise ValueError(
                f"row {row}: a group must be a text, a number or a date, got {group!r}. Give a row "
                f"that stands alone a group of its own"
            )
    return torch.tensor([seen[group] for group in values])


def _checked_prior(prior: Any, names: tuple[str, ...]) -> Tensor | None:
    if prior is None:
        return None
    if isinstance(prior, Mapping):
        lacking = [name for name in names if name not in prior]
        stray = [name for name in prior if name not in names]
        if lacking or stray:
            wrong = f"lacks {lacking[0]!r}" if lacking else f"has {stray[0]!r}, which is no label"
            raise ValueError(f"prior {wrong}: give one for each of {', '.join(names[:5])}")
        prior = [prior[name] for name in names]
    if isinstance(prior, Real):
        prior = [prior] * len(names)
    if hasattr(prior, "to_frame") and hasattr(prior, "index"):  # a series of pandas
        check_frames(names, prior=prior.to_frame().T)
    values = doubles(prior, "prior").reshape(-1)
    if len(values) != len(names):
        raise ValueError(f"prior must be {len(names)} numbers, one a label, got {len(values)}")
    for name, value in zip(names, values.tolist(), strict=True):
        number(f"the prior of {name}", value, 0, 1, ends="()")
    return values


def parts_of(table: ScoredRows, split: Any) -> list[Tensor]:
    """Rows to fit on and rows to score, or all rows once."""
    size = len(table.scores)
    if split is None:
        return [torch.arange(size)]
    words = list(split)
    if len(words) != size:
        raise ValueError(f"split must name val or test for each of {size} rows, got {len(words)}")
    for row, word in enumerate(words):
        if word not in ("val", "test"):
            raise ValueError(f"row {row}: split must be val or test, got {word!r}")
    if len(set(words)) == 1:
        return [torch.arange(size)]
    val = torch.tensor([word == "val" for word in words])
    parts = [val.nonzero()[:, 0], (~val).nonzero()[:, 0]]
    both = torch.isin(table.groups[parts[1]], table.groups[parts[0]]).nonzero()
    if len(both):
        raise ValueError(
            f"row {int(parts[1][both[0, 0]])}: its group has rows in val and in test, which would "
            "score what was tuned on"
        )
    return parts
