"""Thresholds for any network's scores of yes-or-no labels: fitted, judged honestly, kept in a file.

    found = thresholds.tune(scores, labels, split=split)  # val -> test, or cross-fitted
    found.thresholds.write("thresholds.json")
    thresholds.apply(thresholds.read("thresholds.json"), new_scores)  # (N, A), 0 and 1

**Decisions.** ``0.5``; ``prior``, the rate of positives in training; ``tuned-mA`` and ``tuned-f1``,
the threshold that is best on the rows it is tuned on; ``recall`` and ``precision``, the highest
threshold that reaches a recall, the lowest that reaches a precision, where asked for. A row is
positive where its score *exceeds* the threshold. Everything happens on the scores as they are,
probabilities or logits.

**Cuts.** A threshold lies half way between two neighbouring distinct scores, beyond the last ones
a step of 1 away (logits) or half way to 0 and 1 (-1 where 0 is itself a score). Of cuts whose value
is equal to 1e-12 the one nearest to the prior's threshold is taken, then the higher. Recall and
precision must be reached by Wilson's one-sided 95 % lower bound, in which a group counts once; for
precision the bound is that of each cut alone.

**Judging.** Thresholds are never scored on rows that they are fitted on. With two splits they are
fitted on val and scored on test. With one they are cross-fitted: the groups are shuffled and dealt
out to five folds, and each fold is decided by the thresholds of the four others. (The thresholds
that are written are then those of all rows.) Without groups each row is its own.

**Intervals** are 2.5 and 97.5 percentiles over bootstrap samples, in which groups are drawn whole
and every threshold is fitted anew; val and test are both drawn. The "±" of a gain is half its
interval. All draws come from one `Mulberry32`: first the folds, then each sample, val before test.

**Undefined.** A label without positives or without negatives among the rows scored has no metric
(NaN) and is in no mean. One without them among the rows tuned on stays at the prior's threshold,
and at 0.5 where no prior is known either.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..checks import number, whole
from . import cuts
from .draws import MASK, Mulberry32, folds, numbered, times_drawn
from .frames import check_frames
from .scored_rows import ScoredRows, parts_of
from .thresholds_file import Thresholds, ThresholdsError, apply, read
from .tuning import BOOTSTRAP

__all__ = ["Report", "Thresholds", "ThresholdsError", "apply", "fit", "read", "tune"]

ALWAYS = ("0.5", "prior", "tuned-mA", "tuned-f1")
METRICS = ("balanced_accuracy", "f1", "precision", "recall")
COLUMNS = (  # of the CSV
    *("label", "decision", "threshold"),
    *(f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")),
    *("positives", "negatives", "few"),
)
FOLDS = 5
FEW = 20  # of the rarer class, below which a label is flagged
INTERVAL = (0.025, 0.975)
AT_ONCE = 2**24  # weights of rows in bootstrap samples, 4 bytes each


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """Thresholds of A labels and D decisions, and what they reach on rows not fitted on.

    The last axis of `metrics`, `mean` and the gains is value, low, high: of the 95 % interval.

    Attributes
    ----------
    thresholds : Thresholds
    metrics : Tensor (A, D, 4, 3)
        Balanced accuracy, F1, precision and recall of each label and decision, in [0, 1].
    mean : Tensor (D, 4, 3)
        Over the labels that have one.
    gain_prior : Tensor (3,)
        Mean balanced accuracy at the prior less that at 0.5.
    gain_tuned : Tensor (3,)
        Tuned for it, less at the prior.
    scored_on : str
        ``test``, or ``all`` by cross-fitting.
    rows : int
        Rows scored.
    counts : Tensor (A, 2)
        Known positives and negatives among them.
    bootstrap : int
        Samples that the intervals are taken over.
    backwards : list of str
        Labels whose negatives surely score above their positives, among the rows fitted on.
    at_chance : bool
        Whether no label's scores tell its positives from its negatives, among the rows fitted on.
    copied : int
        Rows with all scores of a row of another group, digit for digit.
    """

    thresholds: Thresholds
    metrics: Tensor
    mean: Tensor
    gain_prior: Tensor
    gain_tuned: Tensor
    scored_on: str
    rows: int
    counts: Tensor
    bootstrap: int
    backwards: list[str]
    at_chance: bool
    copied: int

    @property
    def undefined(self) -> list[str]:
        """Labels without positives or without negatives among the rows scored."""
        return _without(self.thresholds.names, self.counts)

    @property
    def untuned(self) -> list[str]:
        """Labels without positives or without negatives among the rows fitted on."""
        return _without(self.thresholds.names, self.thresholds.counts)

    def rows_of_table(self) -> list[dict[str, Any]]:
        """A row for each label and decision, then for their mean: what the CSV holds."""
        found, table = self.thresholds, []
        for a, name in enumerate([*found.names, "mean"]):
            for d, decision in enumerate(found.decisions):
                one = a < len(found.names)
                values = (self.metrics[a, d] if one else self.mean[d]).flatten().tolist()
                limit = found.values[a, d].item() if one else torch.nan
                of_label = [*self.counts[a].tolist(), bool(found.few[a])] if one else [""] * 3
                row = zip(COLUMNS, [name, decision, limit, *values, *of_label], strict=True)
                table.append({key: "" if value != value else value for key, value in row})
        return table


def fit(
    scores: Any,
    labels: Any,
    *,
    names: Sequence[str] | None = None,
    groups: Any = None,
    scale: str | None = None,
    prior: Any = None,
    recall: float | None = None,
    precision: float | None = None,
) -> Thresholds:
    """Thresholds of each label that are best on these rows, a validation split's.

    They look better on these rows than on others: `tune` says what they reach elsewhere.

    Parameters
    ----------
    scores : Tensor or array (N, A)
        Of the positive class: probabilities or logits.
    labels : Tensor or array (N, A)
        0 and 1; -1 where unknown.
    names : sequence of str, optional
        Of the labels; without, the columns of a data frame of labels, else "0", "1", ...
    groups : Tensor or sequence (N,), optional
        Rows of one group, such as a patient's, are not independent: in the bounds of `recall` and
        `precision` a group counts once.
    scale : {"probability", "logit"}, optional
        Without it probabilities where all scores lie in [0, 1], else logits; refused where over
        nine tenths of a label's scores lie there and some score does not.
    prior : float, Tensor or array (A,), or dict, optional
        Rate of positives in training, in (0, 1): one for all labels, one for each, or by name;
        without it that of these rows.
    recall, precision : float, optional
        In (0, 1): also the threshold that reaches it.

    Returns
    -------
    Thresholds

    Raises
    ------
    ValueError
        For shapes that do not fit and values out of range, with row and label.

    Examples
    --------
    >>> found = fit([[0.1], [0.2], [0.3], [0.15]], [[0], [1], [1], [0]], names=["hat"])
    >>> found.of("tuned-mA")
    tensor([0.1750], dtype=torch.float64)
    >>> apply(found, [[0.16], [0.18]]).tolist()
    [[0], [1]]
    """
    table = ScoredRows.of(scores, labels, names, groups, scale, prior)
    targets = _targets(recall, precision)
    rows = torch.arange(len(table.scores))
    weights = torch.ones(len(rows), 1)
    found = [_fit_label(table, a, order, weights, targets) for a, order in enumerate(table.orders)]
    return _thresholds(table, rows, torch.cat(found), targets, "all")


def tune(
    scores: Any,
    labels: Any,
    *,
    split: Any = None,
    names: Sequence[str] | None = None,
    groups: Any = None,
    scale: str | None = None,
    prior: Any = None,
    recall: float | None = None,
    precision: float | None = None,
    bootstrap: int = BOOTSTRAP,
    seed: int = 0,
) -> Report:
    """Thresholds of each label, and what they reach on rows that they were not fitted on.

    Parameters
    ----------
    scores, labels, names, groups, scale, prior, recall, precision
        As in `fit`.
    split : sequence (N,) of "val" and "test", optional
        Fitted on val, scored on test. Without it, or with one of them alone, cross-fitted in five
        folds of the groups.
    bootstrap : int
        Samples that the intervals are taken over; 0 for none.
    seed : int
        Of the folds and the samples, 0 ... 2**32 - 1.

    Returns
    -------
    Report
        ``thresholds`` to write and apply, and ``metrics`` (A, D, 4, 3) with their intervals.

    Raises
    ------
    ValueError
        As `fit`, and for a group in both splits, fewer than 5 groups to cross-fit, and no label
        with positives and negatives among the rows scored.
    """
    check_frames(scores=scores, split=split)
    table = ScoredRows.of(scores, labels, names, groups, scale, prior)
    targets = _targets(recall, precision)
    whole("bootstrap", bootstrap)
    source = Mulberry32(whole("seed", seed, 0, MASK))
    parts = parts_of(table, split)
    fitted, scored = parts[0], parts[-1]
    fold = None if len(parts) == 2 else _folds(table, source)
    groups = [numbered(table.groups[part]) for part in parts]
    counts = table.counts(scored)
    if not (counts > 0).all(1).any():
        raise ValueError(
            "no label has both positives and negatives among the rows scored: nothing can be said"
        )
    inside = [_mask(len(table.scores), part) for part in (fitted, scored)]
    found, metrics = [], []  # of some samples at once, the first of them the table itself
    size = max(1, AT_ONCE // len(table.scores))
    for start in range(0, 1 + bootstrap, size):
        samples = min(size, 1 + bootstrap - start)
        weights = _weights(len(table.scores), parts, groups, source, samples, first=start == 0)
        judge = partial(_judge_label, table, inside, fold, weights, targets)
        each = _at_once(judge, len(table.names))
        found.append(torch.stack([x for x, _ in each], 1))
        metrics.append(torch.stack([x for _, x in each], 1))
    return _report(table, parts, torch.cat(found), torch.cat(metrics), counts, targets, bootstrap)


def _targets(recall: float | None, precision: float | None) -> dict[str, float]:
    given = {"recall": recall, "precision": precision}
    return {
        name: number(name, value, 0, 1, ends="()")
        for name, value in given.items()
        if value is not None
    }


def _folds(table: ScoredRows, source: Mulberry32) -> Tensor:
    groups = numbered(table.groups)
    if int(groups.max()) + 1 < FOLDS:
        what = "groups" if table.grouped else "rows"
        raise ValueError(
            f"cross-fitting needs {FOLDS} {what} or more, got {int(groups.max()) + 1}: give more, "
            "or a split into val and test"
        )
    return folds(groups, FOLDS, source)


def _weights(
    size: int,
    parts: list[Tensor],
    groups: list[Tensor],
    source: Mulberry32,
    samples: int,
    *,
    first: bool,
) -> Tensor:
    """How often each row is in each bootstrap sample (N, R); the first is the table itself."""
    weights = torch.ones(samples, size)
    for r in range(int(first), samples):
        for part, group in zip(parts, groups, strict=True):
            weights[r, part] = times_drawn(group, source).float()
    return weights.T.contiguous()


def _at_once(work: Callable[[int], Any], number: int) -> list[Any]:
    """The work for 0 ... number - 1, in as many threads as torch takes for a single operation.

    Operations of a label are too small to be worth sharing: each thread does its own alone.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        return list(map(work, range(number)))
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            return list(pool.map(work, range(number)))
        finally:
            torch.set_num_threads(threads)


def _mask(size: int, rows: Tensor) -> Tensor:
    return torch.zeros(size, dtype=torch.bool).index_fill(0, rows, True)


def _judge_label(
    table: ScoredRows,
    inside: list[Tensor],
    fold: Tensor | None,
    weights: Tensor,
    targets: Mapping[str, float],
    a: int,
) -> tuple[Tensor, Tensor]:
    """Thresholds (R, D) of one label, and their metrics (R, D, 4) on the other part or fold.

    `inside` says of each row (N,) whether it is fitted on, and whether it is scored.
    """
    order = table.orders[a]
    found = _fit_label(table, a, order[inside[0][order]], weights, targets)
    if fold is None:
        cells = _cells(table, a, order[inside[1][order]], weights, found)
    else:
        cells = torch.zeros(())
        for k in range(FOLDS):
            fitted = _fit_label(table, a, order[fold[order] != k], weights, targets)
            cells = cells + _cells(table, a, order[fold[order] == k], weights, fitted)
    return found, _metrics(cells)


def _fit_label(
    table: ScoredRows, a: int, rows: Tensor, weights: Tensor, targets: Mapping[str, float]
) -> Tensor:
    """Thresholds (R, D) of one label, fitted on rows that are sorted by its score."""
    shape = weights.shape[1:]
    half = table.at(torch.full(shape, 0.5, dtype=torch.float64))
    given = None if table.prior is None else table.at(table.prior[a].expand(shape))
    if not len(rows):
        moved = half if given is None else given
        nothing = [torch.full_like(moved, torch.nan) for _ in targets]
        return torch.stack([half, moved, moved, moved, *nothing], 1)
    positive = table.labels[rows, a] == 1
    of = cuts.ranked(rows, table.scores[rows, a], positive, table.scale)
    swept = cuts.sweep(of, weights)
    positives, negatives = swept.hits[:, -1], swept.false[:, -1]
    moved = table.at(positives / (positives + negatives)) if given is None else given
    accurate, _ = cuts.best(of, weights, swept, moved, "mA")
    f1, _ = cuts.best(of, weights, swept, moved, "f1")
    found = [half, moved, accurate, f1.where(negatives > 0, moved)]
    if "recall" in targets:
        trials = positive & _first_of(table.groups[rows], positive)
        found.append(cuts.recalling(of, weights, trials, targets["recall"]))
    if "precision" in targets:
        every = torch.ones_like(positive)
        firsts = _first_of(table.groups[rows], every) if table.grouped else None
        found.append(cuts.precise(of, weights, swept, firsts, targets["precision"]))
    return torch.stack(found, 1)


def _first_of(groups: Tensor, among: Tensor) -> Tensor:
    """Whether a row (N,) is the first of its group among some of the rows."""
    places = among.nonzero()[:, 0]
    values, inverse = groups[places].unique(return_inverse=True)
    first = torch.full((len(values),), len(groups)).scatter_reduce(0, inverse, places, "amin")
    found = torch.zeros(len(groups), dtype=torch.bool)
    found[first] = True
    return found


def _cells(table: ScoredRows, a: int, rows: Tensor, weights: Tensor, thresholds: Tensor) -> Tensor:
    """TP, FP, P, N (4, R, D) of one label on sorted rows; NaN where there is no threshold."""
    samples, decisions = thresholds.shape
    if not len(rows):
        return torch.zeros(4, samples, decisions, dtype=torch.float64)
    positive = table.labels[rows, a] == 1
    return cuts.decided(rows, table.scores[rows, a], positive, weights, thresholds)


def _metrics(cells: Tensor) -> Tensor:
    """`METRICS` (R, D, 4) from TP, FP, P, N (4, R, D)."""
    hits, false, positives, negatives = cells
    how = hits, false, positives, negatives
    undefined = (positives == 0) | (negatives == 0)
    found = [
        cuts.value(*how, "mA"),
        cuts.value(*how, "f1"),
        hits / (hits + false),
        hits / positives,
    ]
    return torch.stack(found, 2).masked_fill(undefined[..., None], torch.nan)


def _report(table, parts, found, metrics, counts, targets, bootstrap) -> Report:
    """From thresholds (1 + R, A, D) and metrics (1 + R, A, D, 4), the table's own first."""
    mean = metrics.nanmean(1)  # (1 + R, D, 4)
    accuracy = mean[:, :, METRICS.index("balanced_accuracy")]
    half, prior, tuned = (accuracy[:, ALWAYS.index(d)] for d in ("0.5", "prior", "tuned-mA"))
    fitted_on, scored_on = ("val", "test") if len(parts) == 2 else ("all", "all")
    thresholds = _thresholds(
        table, parts[0], found[0], targets, fitted_on, scored=counts,
        intervals=_with_interval(found)[..., 1:] if bootstrap else None,
    )  # fmt: skip
    return Report(
        thresholds=thresholds,
        metrics=_with_interval(metrics),
        mean=_with_interval(mean),
        gain_prior=_with_interval(prior - half),
        gain_tuned=_with_interval(tuned - prior),
        scored_on=scored_on,
        rows=len(parts[-1]),
        counts=counts,
        bootstrap=bootstrap,
        backwards=table.backwards(parts[0]),
        at_chance=table.at_chance(parts[0]),
        copied=table.copied(),
    )


def _with_interval(values: Tensor) -> Tensor:
    """Value, low, high (..., 3) of (1 + R, ...): of the table, percentiles over the samples."""
    samples = values[1:].sort(0).values  # NaN last
    number = (~values[1:].isnan()).sum(0, keepdim=True)
    ends = [values[0]]
    for share in INTERVAL:
        if not len(samples):
            ends.append(torch.full_like(values[0], torch.nan))
            continue
        place = share * (number - 1).clamp(min=0).double()
        low = place.long()
        high = (low + 1).minimum((number - 1).clamp(min=0))
        a, b = samples.gather(0, low)[0], samples.gather(0, high)[0]
        ends.append(a + (b - a) * (place - low)[0])
    return torch.stack([ends[0], *(x.where(~values[0].isnan(), torch.nan) for x in ends[1:])], -1)


def _thresholds(
    table: ScoredRows,
    rows: Tensor,
    values: Tensor,
    targets: Mapping[str, float],
    fitted_on: str,
    *,
    scored: Tensor | None = None,
    intervals: Tensor | None = None,
) -> Thresholds:
    counts = table.counts(rows)
    few = counts.amin(1) < FEW
    rate = counts[:, 0].double() / counts.sum(1)
    return Thresholds(
        names=table.names,
        decisions=(*ALWAYS, *targets),
        values=values,
        scale=table.scale,
        prior=rate if table.prior is None else table.prior,
        prior_given=table.prior is not None,
        fitted_on=fitted_on,
        rows=len(rows),
        counts=counts,
        few=few if scored is None else few | (scored.amin(1) < FEW),
        targets=targets,
        intervals=intervals,
    )


def _without(names: Sequence[str], counts: Tensor) -> list[str]:
    return [name for name, found in zip(names, counts.amin(1).tolist(), strict=True) if not found]
