"""Thresholds that are best on a validation split, and how far a bootstrap moves them."""

import torch
from torch import Tensor

from ..checks import UNKNOWN, as_labels, check_labels, choose
from .decisions import DECISIONS, Tuned, prior_offsets, two_columns

METRICS = ("mA", "f1")
BOOTSTRAP = 200  # samples of the validation split that a threshold's spread is taken over
SWEEPS = 2  # over the classes of an attribute that has more than two


def offsets_for(
    decision: str, class_counts: Tensor, logits: Tensor, labels: Tensor, *, bootstrap: int = 0
) -> Tuned | None:
    """Offsets of one of `DECISIONS`; the tuned ones from a validation split's logits and labels."""
    choose("decision", decision, DECISIONS)
    if decision == "argmax":
        return None
    if decision == "prior":
        offsets = prior_offsets(class_counts)
        nothing = torch.full_like(offsets, torch.nan)
        return Tuned(offsets, nothing[:, 0], nothing)
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
) -> Tuned:
    """The threshold of each attribute that is best on these samples, a validation split's.

    For two classes every threshold between two scores is tried; among equals the one nearest to
    the prior's is taken. For more classes each class's offset in turn, from the prior's on.

    Parameters
    ----------
    logits : Tensor (N, A, C), or (N, A) of the positive class
        -inf for a class that the attribute does not have.
    labels : Tensor (N, A), integer
        -1 where unknown.
    metric : {"mA", "f1"}
        ``mA``: mean recall of the classes (Eq. 12). ``f1``: of class 1; for more than two classes
        the mean over them. Where it is undefined, as without a sample of class 1, the prior's
        threshold stays.
    class_counts : Tensor (A, C), optional
        Of the training set, whose prior decides between equals; these samples' own without it.
    bootstrap : int
        Samples with replacement over which the spread is taken; 0 for none.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Tuned

    Raises
    ------
    ValueError
        For shapes that do not fit, labels out of range, an unknown metric, and no samples.

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
    logits, labels = two_columns(logits).detach().cpu().double(), as_labels(labels).cpu()
    if logits.shape[:2] != labels.shape:
        raise ValueError(
            f"logits must be (samples, attributes, classes) and labels (samples, attributes), got "
            f"shapes {tuple(logits.shape)} and {tuple(labels.shape)}"
        )
    check_labels(labels, *logits.shape[1:])
    if not len(labels):
        raise ValueError("logits and labels have no sample: a threshold needs some")
    if class_counts is None:
        counts = (labels.unsqueeze(2) == torch.arange(logits.shape[2])).sum(0)
    else:
        counts = torch.as_tensor(class_counts).cpu()
    start = prior_offsets(counts.clamp(min=1)).masked_fill(
        (logits == -torch.inf).all(0), -torch.inf
    )
    draws = _draws(len(labels), bootstrap, torch.Generator().manual_seed(seed))  # (1 + R, N)
    offsets, spread = start.clone(), torch.full_like(start, torch.nan)
    values = torch.empty(len(start), dtype=torch.float64)
    own = start > -torch.inf  # the classes that an attribute has
    pairs = (own.sum(1) == 2).nonzero()[:, 0]  # attributes of two classes: one threshold
    at_once = 1 if bootstrap else len(pairs)  # weights of all samples take memory
    for some in pairs.split(at_once) if len(pairs) else ():
        two = own[some].nonzero()[:, 1].unflatten(0, (len(some), 2))
        cell = some[:, None], two  # (A, 2)
        y = labels.T[some]
        weights = draws * (y != UNKNOWN).unsqueeze(1)  # (A, 1 + R, N)
        margin = logits[:, *cell].diff(dim=2)[..., 0].T.contiguous()  # (A, N)
        found, values[some] = _thresholds(margin, y == two[:, 1:], weights, start[cell], metric)
        offsets[cell] = found[:, 0]
        if bootstrap > 1:
            spread[cell] = found[:, 1:].std(1)
    for a in (own.sum(1) != 2).nonzero()[:, 0].tolist():
        weights = draws * (labels[:, a] != UNKNOWN)  # (1 + R, N)
        found, values[a] = _offsets(
            logits[:, a, own[a]], labels[:, a], weights, start[a, own[a]], metric
        )
        offsets[a, own[a]] = found[0]
        if bootstrap > 1:
            spread[a, own[a]] = found[1:].std(0)
    return Tuned(offsets, values, spread)


def _draws(samples: int, times: int, generator: torch.Generator) -> Tensor:
    """How often each sample is in the split itself, once, and in each bootstrap sample of it."""
    draws = torch.ones(1 + times, samples, dtype=torch.float64)
    if samples:
        chosen = torch.randint(samples, (times, samples), generator=generator)
        draws[1:] = torch.zeros(times, samples, dtype=torch.float64).scatter_add_(
            1, chosen, torch.ones(times, samples, dtype=torch.float64)
        )
    return draws


def _thresholds(
    margin: Tensor, positive: Tensor, weights: Tensor, start: Tensor, metric: str
) -> tuple[Tensor, Tensor]:
    """Of attributes of two classes: margin, positive (A, N), weights (A, R, N) -> offsets, values.

    `margin` is the upper class's logit minus the lower one's, `positive` whether a sample is of the
    upper class, which is decided above a threshold. Sorted from the top, the k-th threshold lies
    between the k-th score and the next. Returns (A, R, 2) and, without the bootstrap, (A,).
    """
    score, order = margin.sort(descending=True)
    prior = start[:, :1] - start[:, 1:]  # (A, 1)
    middle = (score[:, 1:] + score[:, :-1]) / 2
    cuts = torch.cat([score[:, :1] + 1, middle, score[:, -1:] - 1], 1)  # (A, N + 1)
    same = torch.nn.functional.pad(score[:, 1:] == score[:, :-1], (1, 1))
    weights = weights.take_along_dim(order.unsqueeze(1), 2)
    positive = positive.gather(1, order).double().unsqueeze(1)
    hits = _from_the_top(weights * positive)  # (A, R, N + 1) positives above each threshold
    false = _from_the_top(weights * (1 - positive))
    found = _metric(hits, false, hits[..., -1:], false[..., -1:], metric)
    found = found.masked_fill(same.unsqueeze(1), -torch.inf)
    best = found.amax(2, keepdim=True)
    distance = (cuts - prior).abs().unsqueeze(1).masked_fill(found < best - 1e-12, torch.inf)
    cut = cuts.gather(1, distance.argmin(2)).where(best[..., 0].isfinite(), prior)  # undefined: NaN
    return torch.stack([torch.zeros_like(cut), -cut], 2), best[:, 0, 0]


def _from_the_top(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values.cumsum(-1), (1, 0))


def _metric(hits: Tensor, false: Tensor, positives: Tensor, negatives: Tensor, metric: str):
    if metric == "f1":
        return 2 * hits / (hits + false + positives)
    return (hits / positives + 1 - false / negatives) / 2


def _offsets(
    logits: Tensor, labels: Tensor, weights: Tensor, start: Tensor, metric: str
) -> tuple[Tensor, Tensor]:
    """Of one attribute of more classes: logits (N, C), weights (R, N) -> offsets (R, C), value."""
    rows: list[Tensor] = []
    values: list[Tensor] = []
    for weight in weights:
        offsets = start.clone()
        for _ in range(SWEEPS):
            for label in range(len(offsets)):
                offsets[label] = _best_offset(logits, labels, weight, offsets, label, metric)
        reached, before = (
            _macro((logits + x).argmax(1), labels, weight, len(x), metric) for x in (offsets, start)
        )
        if before > reached:  # equal scores, which no cut between scores splits as argmax does
            offsets, reached = start, before
        rows.append(offsets)
        values.append(reached)
    return torch.stack(rows), values[0]


def _best_offset(
    logits: Tensor, labels: Tensor, weight: Tensor, offsets: Tensor, label: int, metric: str
) -> Tensor:
    """The offset of one class that is best while those of the others stay.

    The class is decided where its offset exceeds a sample's margin, the best other class is
    elsewhere; sorted by margin, each sample in turn changes over to the class.
    """
    moved = logits + offsets
    moved[:, label] = -torch.inf
    rival, other = moved.max(1)
    margin, order = (rival - logits[:, label]).sort()
    y, other, w = labels[order], other[order], weight[order]
    classes = len(offsets)
    of_class = torch.zeros(classes, dtype=torch.float64).scatter_add_(0, y.clamp(min=0), w)
    there = of_class > 0
    hit_before = w * (y == other)
    gain_own = _from_the_top((w * (y == label))[None])[0]  # (N + 1,) hits of the class
    if metric == "mA":
        loss = _from_the_top((hit_before / of_class[y.clamp(min=0)].clamp(min=1e-300))[None])[0]
        found = gain_own / of_class[label] if there[label] else torch.zeros_like(gain_own)
        found = found - loss
    else:
        decided = _from_the_top(w[None])[0]
        own = 2 * gain_own / (of_class[label] + decided) if there[label] else 0 * gain_own
        found = (own + _f1_of_rivals(other, hit_before, w, of_class)) / there.sum()
    cuts = torch.cat([margin[:1] - 1, (margin[1:] + margin[:-1]) / 2, margin[-1:] + 1])
    apart = torch.cat([margin.new_ones(1), margin.diff(), margin.new_ones(1)]) > 0
    found = found.masked_fill(~apart, -torch.inf)
    distance = (cuts - offsets[label]).abs().masked_fill(found < found.max() - 1e-12, torch.inf)
    return cuts[distance.argmin()]


def _f1_of_rivals(other: Tensor, hits: Tensor, weight: Tensor, of_class: Tensor) -> Tensor:
    """Sum of the F1 of all classes, from all samples decided for `other` (N,) to none, one by one.

    `hits` (N,) is the weight of a sample where that decision is right, else 0; `of_class` (C,) the
    weight of each class. Returns (N + 1,). A sample that leaves changes the F1 of one class alone,
    so the samples are summed class by class.
    """
    order = other.argsort(stable=True)
    rival, hits, weight = other[order], hits[order], weight[order]
    nothing = torch.zeros_like(of_class)
    of_rival = {"hits": nothing.scatter_add(0, rival, hits)}
    of_rival["all"] = nothing.scatter_add(0, rival, weight)
    first = torch.searchsorted(rival, torch.arange(len(of_class)))  # where each class begins
    left = {}
    for name, values in (("hits", hits), ("all", weight)):
        gone = _from_the_top(values[None])[0]
        left[name] = of_rival[name][rival] - (gone[1:] - gone[first[rival]])  # with the sample gone
    there = of_class > 0
    after = 2 * left["hits"] / (of_class[rival] + left["all"])
    before = 2 * (left["hits"] + hits) / (of_class[rival] + left["all"] + weight)
    change = torch.empty_like(after).scatter_(0, order, (after - before).where(there[rival], 0))
    start = (2 * of_rival["hits"] / (of_class + of_rival["all"])).where(there, 0).sum()
    return start + _from_the_top(change[None])[0]


def _macro(decided: Tensor, labels: Tensor, weight: Tensor, classes: int, metric: str) -> Tensor:
    """Mean over the classes that have samples of their recall or F1."""
    known = labels != UNKNOWN
    decided, labels, weight = decided[known], labels[known], weight[known]
    zeros = torch.zeros(classes, dtype=torch.float64)
    hits = zeros.scatter_add(0, labels, weight * (decided == labels))
    of_class, found = zeros.scatter_add(0, labels, weight), zeros.scatter_add(0, decided, weight)
    there = of_class > 0
    size = of_class if metric == "mA" else (of_class + found) / 2
    return (hits / size)[there].mean()
