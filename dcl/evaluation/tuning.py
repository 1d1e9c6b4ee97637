"""Thresholds that are best on a validation split, and how far a bootstrap moves them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..checks import UNKNOWN, as_tensor, choose, whole
from ..sampling import count_known
from . import cuts
from .decisions import DECISIONS, Tuned, as_scored, decide, of_classes, prior_offsets
from .metrics import confusion

METRICS = ("mA", "f1")
BOOTSTRAP = 200  # samples of the validation split that a threshold's spread is taken over
SWEEPS = 2  # over the classes of an attribute that has more than two
CELLS = 2**23  # scores that are tuned at once: about 300 MB


def offsets_for(
    decision: str,
    class_counts: Tensor,
    logits: Tensor | None = None,
    labels: Tensor | None = None,
    *,
    bootstrap: int = 0,
) -> Tuned | None:
    """Offsets of one of `DECISIONS`; the tuned ones from a validation split's logits and labels."""
    choose("decision", decision, DECISIONS)
    if decision == "argmax":
        return None
    if decision == "prior":
        offsets = prior_offsets(class_counts)
        nothing = torch.full_like(offsets, torch.nan)
        return Tuned(offsets, nothing[:, 0], nothing)
    assert logits is not None
    assert labels is not None  # a tuned one needs both
    metric = decision.removeprefix("tuned-")
    return tune_thresholds(
        logits, labels, metric=metric, class_counts=class_counts, bootstrap=bootstrap
    )


def tune_thresholds(
    logits: Tensor,
    labels: Tensor,
    *,
    metric: str = "mA",
    class_counts: Tensor | None = None,
    bootstrap: int = BOOTSTRAP,
    seed: int = 0,
    classes: int | Sequence[int] | None = None,
) -> Tuned:
    """The threshold of each attribute that is best on these samples, a validation split's.

    For two classes every threshold between two scores of known labels is tried, by the code of
    `dcl.thresholds`; among equals the one nearest to the prior's is taken. For more classes each
    class's offset in turn, from the prior's on; a class without a sample here keeps the prior's.
    Never worse than argmax on these samples.

    Parameters
    ----------
    logits : Tensor (N, A, C), (N, A) of the positive class, or (N, C) of one label
        -inf for a class that the attribute does not have.
    labels : Tensor (N, A), or (N,) of one label, integer
        -1 where unknown.
    metric : {"mA", "f1"}
        ``mA``: mean recall of the classes (Eq. 12). ``f1``: of class 1; for more than two classes
        the mean over them. Where it is undefined, as without a sample of class 1, the prior's
        threshold stays.
    class_counts : Tensor (A, C), optional
        Of the training set, whose prior decides between equals; a class of count 0 is never
        decided, as by `dcl.decide`. Without it these samples' own, in which a class that is absent
        counts as one sample: say by `classes`, or by logits of -inf, which classes do not exist.
    bootstrap : int
        Samples with replacement over which the spread is taken; 0 for none.
    seed : int
        Of the bootstrap.
    classes : int or sequence of A ints, optional
        Classes of each attribute, where they differ, as of `dcl.decide`.

    Returns
    -------
    Tuned
        Its ``offsets`` (A, C) go to `dcl.decide`.

    Raises
    ------
    ValueError
        For shapes that do not fit, labels out of range or of a class that the attribute lacks or
        that has no training sample, NaN among logits or labels, an unknown metric, and no samples.

    Examples
    --------
    >>> from dcl import decide
    >>> logits = torch.tensor([[-3.0], [-2], [-1], [-2.5]])  # of the positive class
    >>> labels = torch.tensor([[0], [1], [1], [0]])
    >>> found = tune_thresholds(logits, labels, bootstrap=0)
    >>> found.thresholds, decide(logits, offsets=found).T
    (tensor([-2.2500], dtype=torch.float64), tensor([[0, 1, 1, 0]]))
    """
    choose("metric", metric, METRICS)
    logits, labels = as_scored(logits, labels)
    logits, labels = of_classes(logits.detach().cpu().double(), classes), labels.cpu()
    if not len(labels):
        raise ValueError("logits and labels have no sample: a threshold needs some")
    if class_counts is None:
        counts = count_known(labels.T, logits.shape[2])
        start = prior_offsets(counts.clamp(min=1))
    else:
        counts = as_tensor("class_counts", class_counts).cpu()
        start = prior_offsets(counts, logits.shape[1:])
    start = start.masked_fill((logits == -torch.inf).all(0), -torch.inf)
    _check_decidable(labels, start)
    generator = torch.Generator().manual_seed(whole("seed", seed, 0, 2**63 - 1))
    draws = _draws(len(labels), whole("bootstrap", bootstrap), generator)  # (1 + R, N)
    offsets, spread = start.clone(), torch.full_like(start, torch.nan)
    values = torch.full((len(start),), torch.nan, dtype=torch.float64)
    own = start > -torch.inf  # the classes that an attribute has
    for a in (labels != UNKNOWN).any(0).nonzero()[:, 0].tolist():
        known = labels[:, a] != UNKNOWN
        # labels as places among the attribute's own classes
        y = (own[a].cumsum(0) - 1)[labels[known, a]]
        given = logits[:, a][known][:, own[a]], y, draws[:, known], start[a, own[a]], metric
        if own[a].sum() == 2:
            found, values[a] = _threshold(*given)
        else:
            found = _offsets(*given)
        offsets[a, own[a]] = found[0]
        if bootstrap > 1:
            spread[a, own[a]] = found[1:].std(0)
    return Tuned(*_never_below(logits, labels, offsets, values, start, metric), spread)


def _check_decidable(labels: Tensor, start: Tensor) -> None:
    """No label (N, A) is of a class that is never decided: its offset is -inf."""
    wrong = (start == -torch.inf).gather(1, labels.T.clamp(min=0)).T & (labels != UNKNOWN)
    if bool(wrong.any()):
        row, a = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"label {labels[row, a]} of row {row}, attribute {a} is a class that the attribute "
            f"does not have, or that class_counts has no sample of: write -1 in its place, or "
            f"give other counts"
        )


def _never_below(
    logits: Tensor, labels: Tensor, offsets: Tensor, values: Tensor, start: Tensor, metric: str
) -> tuple[Tensor, Tensor]:
    """The offsets, or the prior's or argmax's where these decide better: of attributes with ties.

    The values are of decisions that were made, so that rounding cannot promise what `decide` does
    not keep.
    """
    held = count_known(labels.T, logits.shape[2]) > 0
    absent = start.masked_fill(held, -torch.inf).amax(1, keepdim=True)
    level = absent.where(absent.isfinite(), 0.0)  # one offset for all: argmax
    plain = torch.zeros_like(start)
    tried = [offsets, start, torch.where(held, level, start), plain]  # absent classes: the prior's
    tried = [x.masked_fill(start == -torch.inf, -torch.inf) for x in tried]
    reached = torch.stack(
        [value_of(decide(logits, offsets=x), labels, start > -torch.inf, metric) for x in tried]
    )  # (4, A)
    enough = reached >= reached.nan_to_num(-torch.inf).amax(0) - 1e-12
    first = enough.int().argmax(0)  # 0 where all are NaN
    best, value = (torch.stack(tried)[first, range(len(first))], reached[first, range(len(first))])
    as_told = (first == 0) & ((value - values).abs() <= 1e-12)  # to its last digit
    return best, torch.where(as_told, values, value)


def value_of(predictions: Tensor, labels: Tensor, own: Tensor, metric: str) -> Tensor:
    """mA or F1 (A,) of decisions, over the classes that have samples; NaN where undefined.

    Of two classes: mA is undefined without a sample of each, F1, which is of the upper one,
    without a sample of that.

    Parameters
    ----------
    predictions, labels : Tensor (N, A), integer
    own : Tensor (A, C), bool
        The classes that an attribute has.
    metric : {"mA", "f1"}
    """
    table = confusion(predictions, labels, own.shape[1]).double()
    of_class, decided = table.sum(2), table.sum(1)
    held = of_class > 0
    size = of_class if metric == "mA" else (of_class + decided) / 2
    each = (table.diagonal(dim1=1, dim2=2) / size).masked_fill(~held, 0)
    counted, binary = held.sum(1), own.sum(1) == 2
    if metric == "mA":
        return (each.sum(1) / counted).where(~binary | (counted == 2), torch.nan)
    upper = own.shape[1] - 1 - own.flip(1).int().argmax(1, keepdim=True)
    of_upper = each.gather(1, upper).where(held.gather(1, upper), torch.nan)[:, 0]
    return torch.where(binary, of_upper, each.sum(1) / counted)


def _draws(samples: int, times: int, generator: torch.Generator) -> Tensor:
    """How often each sample is in the split itself, once, and in each bootstrap sample of it."""
    draws = torch.ones(1 + times, samples, dtype=torch.float64)
    if samples:
        chosen = torch.randint(samples, (times, samples), generator=generator)
        draws[1:] = torch.zeros(times, samples, dtype=torch.float64).scatter_add_(
            1, chosen, torch.ones(times, samples, dtype=torch.float64)
        )
    return draws


def _threshold(
    logits: Tensor, labels: Tensor, weights: Tensor, start: Tensor, metric: str
) -> tuple[Tensor, Tensor]:
    """Of one attribute of two classes: logits (N, 2), weights (R, N) -> offsets (R, 2), value.

    The upper class is decided above a threshold on its logit minus the lower one's.
    """
    score = logits.diff()[:, 0]
    edge = score.masked_fill(score.isinf(), 0).abs().amax() + 2  # a step of 1 beyond the others
    score, order = score.clamp(-edge, edge).sort(descending=True)
    of = cuts.ranked(order, score, labels[order] == 1, "logit")
    weights = weights.T.float().contiguous()
    prior = (start[0] - start[1]).repeat(weights.shape[1])
    found, value = cuts.best(of, weights, cuts.sweep(of, weights), prior, metric)
    return torch.stack([torch.zeros_like(found), -found], 1), value[0]


def _between(lower: Tensor, upper: Tensor) -> Tensor:
    """Half-way; 1 beside the finite one; infinite where neither is."""
    middle = (upper + lower) / 2
    return torch.where(upper.isinf(), lower + 1, torch.where(lower.isinf(), upper - 1, middle))


def _from_the_top(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values.cumsum(-1), (1, 0))


def _offsets(logits: Tensor, labels: Tensor, weights: Tensor, start: Tensor, metric: str) -> Tensor:
    """Of one attribute of more classes: logits (N, C), weights (R, N) -> offsets (R, C).

    Each class's offset in turn, `SWEEPS` times: one sort of the samples for each, O(C N log N).
    """
    scores = logits.T.contiguous()  # (C, N)
    at_once = max(1, CELLS // scores.numel())
    return torch.cat(
        [_swept(scores, labels, some, start, metric) for some in weights.split(at_once)]
    )


def _swept(scores: Tensor, labels: Tensor, weights: Tensor, start: Tensor, metric: str) -> Tensor:
    """`_offsets` of a few rows of weights (R, N), with scores (C, N).

    The rival of a class is the best of the others. Of the classes before it that is a running
    maximum, with the offsets of this sweep; of those after it a maximum made before the sweep.
    """
    classes = len(scores)
    offsets = start.repeat(len(weights), 1)  # (R, C)
    of_class = torch.zeros_like(offsets)
    of_class.scatter_add_(1, labels.expand_as(weights), weights)
    of_own = of_class[:, labels].clamp(min=1e-300)
    held = of_class > 0  # the others keep the prior's
    for _ in range(SWEEPS):
        after = _best_after(scores, offsets)
        rival = torch.full_like(weights, -torch.inf)  # (R, N), of the classes before
        other = torch.zeros_like(labels).expand_as(weights)
        for label, mine in enumerate(scores):
            if label:
                last = scores[label - 1] + offsets[:, label - 1, None]
                other = torch.where(last > rival, label - 1, other)
                rival = torch.maximum(rival, last)
            if not held[:, label].any():
                continue
            best, best_class = rival, other
            if label < classes - 1:
                ahead, ahead_class = after[classes - 2 - label]
                best_class = torch.where(ahead > rival, ahead_class, other)
                best = torch.maximum(rival, ahead)
            found = _best_offset(
                best - mine,
                best_class,
                labels,
                weights,
                of_class,
                of_own,
                offsets[:, label],
                label,
                metric,
            )
            offsets[:, label] = found.where(held[:, label], offsets[:, label])
    return offsets


def _best_after(scores: Tensor, offsets: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The best class (R, N) from each class on, and its score: of the last class first, to class 1.

    Of equals the first. (A loop, because `cummax` over an inner axis takes ten times as long.)
    """
    found = []
    best = torch.full((len(offsets), scores.shape[1]), -torch.inf, dtype=scores.dtype)
    best_class = torch.zeros(best.shape, dtype=torch.long)
    for label in range(len(scores) - 1, 0, -1):
        here = scores[label] + offsets[:, label, None]
        ahead = here >= best
        best, best_class = torch.where(ahead, here, best), torch.where(ahead, label, best_class)
        found.append((best, best_class))
    return found


def _best_offset(
    margin: Tensor,
    other: Tensor,
    labels: Tensor,
    weights: Tensor,
    of_class: Tensor,
    of_own: Tensor,
    now: Tensor,
    label: int,
    metric: str,
) -> Tensor:
    """The offset (R,) of one class that is best while those of the others stay.

    The class is decided where its offset exceeds a sample's `margin` (R, N), before which `other`
    (R, N) is; sorted by margin, each sample in turn changes over to the class. `of_class` (R, C) is
    the weight of each class, `of_own` (R, N) that of each sample's.
    """
    order = _order(margin)
    margin = margin.gather(1, order)
    mine, right = weights * (labels == label), weights * (labels == other)
    if metric == "mA":
        found = _from_the_top(((mine - right) / of_own).gather(1, order))
    else:
        mine, right, w, other = (x.gather(1, order) for x in (mine, right, weights, other))
        decided = _from_the_top(w)
        of_mine = 2 * _from_the_top(mine) / (of_class[:, label, None] + decided)
        found = of_mine + _f1_of_rivals(other, right, w, of_class)
    found[:, 1:-1].masked_fill_(margin[:, 1:] == margin[:, :-1], -torch.inf)  # no cut splits ties
    found[:, 0].masked_fill_(margin[:, 0] == -torch.inf, -torch.inf)
    found[:, -1].masked_fill_(margin[:, -1] == torch.inf, -torch.inf)
    row, place = (found >= found.amax(1, keepdim=True) - 1e-12).nonzero(as_tuple=True)  # few
    lower = margin[row, place - 1].where(place > 0, -torch.inf)
    upper = margin[row, place.clamp(max=margin.shape[1] - 1)].where(
        place < margin.shape[1], torch.inf
    )
    cut = _between(lower, upper)
    cut = cut.where(cut.isfinite(), now[row])
    distance = (cut - now[row]).abs()
    nearest = torch.full_like(now, torch.inf).scatter_reduce(0, row, distance, "amin")
    cut = cut.masked_fill(distance > nearest[row], torch.inf)  # of two as near the lower one
    return torch.full_like(now, torch.inf).scatter_reduce(0, row, cut, "amin")


def _order(values: Tensor) -> Tensor:
    """`argsort` of each row; NumPy's takes a third of the time of torch's."""
    return torch.from_numpy(values.numpy().argsort(-1))


def _f1_of_rivals(other: Tensor, hits: Tensor, weight: Tensor, of_class: Tensor) -> Tensor:
    """Sum of the F1 of all classes, from all samples decided for `other` (R, N) to none, in turn.

    `hits` (R, N) is the weight of a sample where that decision is right, else 0; `of_class` (R, C)
    the weight of each class. Returns (R, N + 1). A sample that leaves changes the F1 of one class
    alone, so the samples are summed class by class.
    """
    small = other.numpy().astype("int16" if of_class.shape[-1] < 2**15 else "int64")
    order = torch.from_numpy(small.argsort(-1, kind="stable"))  # of 16 bits: ten times as fast
    rival, hits, weight = (x.gather(-1, order) for x in (other, hits, weight))
    nothing = torch.zeros_like(of_class)
    many = nothing.long().scatter_add(-1, rival, torch.ones_like(rival))
    begins = (many.cumsum(-1) - many).gather(-1, rival)  # where each sample's class does
    held, of_rival = of_class > 0, of_class.gather(-1, rival)
    left, total = {}, {}
    for name, values in (("hits", hits), ("all", weight)):
        total[name] = nothing.scatter_add(-1, rival, values)
        gone = _from_the_top(values)
        stay = gone[..., 1:] - gone.gather(-1, begins)
        left[name] = total[name].gather(-1, rival) - stay  # with the sample gone
    after = 2 * left["hits"] / (of_rival + left["all"])
    before = 2 * (left["hits"] + hits) / (of_rival + left["all"] + weight)
    change = (after - before).where(of_rival > 0, 0)
    change = torch.empty_like(after).scatter_(-1, order, change)
    start = (2 * total["hits"] / (of_class + total["all"])).where(held, 0).sum(-1, keepdim=True)
    return start + _from_the_top(change)
