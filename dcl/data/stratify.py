"""Random splits that keep the share of every class of every attribute, and cut through no group."""

import numpy as np

TRIES = 20  # random orders in each of two ways, before a class counts as too rare
MANY = 200  # groups: one order is as good as another


class TooRareError(ValueError):
    """A class that cannot be in every part: its attribute, its label, its samples or groups."""

    def __init__(self, attribute: int, label: int, rows: int):
        super().__init__(f"class {label} of attribute {attribute} has {rows} samples: too few")
        self.attribute, self.label, self.rows = attribute, label, rows


def stratify(
    labels: np.ndarray,
    shares: tuple[float, ...],
    seed: int,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Part of each sample, (N,): every class of every attribute is in every part.

    Iterative stratification (Sechidis et al. 2011), a class at a time: of the classes that are
    left, the rarest is dealt first, to each part what it lacks of that class. Groups are dealt in
    the same way, each as a whole, the largest first. (scikit-learn stratifies a single label, and
    into parts of equal size.)

    Parameters
    ----------
    labels : ndarray (N, A), integer
        -1 where unknown.
    shares : tuple of float
        Of the samples, for each part; they sum to 1.
    seed : int
    groups : ndarray (N,), optional
        Samples with the same value come into the same part.

    Raises
    ------
    TooRareError
        Where a class is in too few samples (or groups), or bound to others in too few ways.

    Examples
    --------
    >>> labels = np.repeat([[0, 0], [0, 1], [1, -1]], [8, 4, 4], axis=0)
    >>> parts = stratify(labels, (0.5, 0.25, 0.25), seed=0)
    >>> [np.bincount(parts[labels[:, 0] == 1]).tolist(), np.bincount(parts).tolist()]
    [[2, 1, 1], [8, 4, 4]]
    >>> labels, groups = labels.repeat(2, 0), np.arange(32) // 2
    >>> parts = stratify(labels, (0.5, 0.25, 0.25), seed=0, groups=groups)
    >>> [(parts[::2] == parts[1::2]).all().item(), np.bincount(parts).tolist()]
    [True, [16, 8, 8]]
    """
    keys = [(a, c) for a, y in enumerate(labels.T) for c in np.unique(y[y >= 0]).tolist()]
    member = np.stack([labels[:, a] == c for a, c in keys], axis=1)  # (N, K) of K classes
    rng = np.random.default_rng(seed)
    if groups is None:
        rows = member.sum(0)
    else:
        number = np.unique(groups, return_inverse=True)[1]
        counts = np.zeros((number.max() + 1, len(keys)), np.int64)  # (G, K) samples
        np.add.at(counts, number, member)
        rows = (counts > 0).sum(0)
    rarest = int(rows.argmin())
    if rows[rarest] < len(shares):
        raise TooRareError(*keys[rarest], int(rows[rarest]))
    complete = []
    for attempt in range(2 * TRIES):
        if groups is None:
            parts = _deal(member, np.array(shares), rng, absent_first=attempt >= TRIES)
        else:
            parts = _deal_groups(counts, np.bincount(number), np.array(shares), rng)[number]
        present = np.stack([member[parts == part].any(0) for part in range(len(shares))])
        if present.all():
            complete.append(parts)
            if groups is None or len(counts) > MANY or len(complete) == TRIES:
                break
    if complete:
        return min(complete, key=lambda parts: _distance(member, parts, np.array(shares)))
    missing = int(np.argmin(present.all(0)))
    raise TooRareError(*keys[missing], int(rows[missing]))


def _deal(
    member: np.ndarray, shares: np.ndarray, rng: np.random.Generator, *, absent_first: bool
) -> np.ndarray:
    """Part of each sample; with `absent_first` classes that a part lacks are dealt before others.

    Else the last samples of a class may go with a rarer rest of another, all to one part.
    """
    parts = np.full(len(member), -1)
    wanted = member.sum(0)[:, None] * shares  # (K, parts)
    left = member.sum(0)  # (K,) samples that are not dealt
    while left.any():
        order = np.where(left > 0, left, 2 * len(member) + 1)
        if absent_first:
            has_all = [member[parts == part].any(0) for part in range(len(shares))]
            order = order + len(member) * np.stack(has_all).all(0)
        rarest = order.argmin()
        free = parts < 0
        rows = rng.permutation(np.flatnonzero(free & member[:, rarest]))
        dealt = member[rows].sum(0)
        others = (dealt > 0) & (dealt < len(rows))  # classes that tell these samples apart
        if others.any():  # those with the same other classes together
            rows = rows[np.lexsort(member[np.ix_(rows, others)].T)]
        has = np.bincount(parts[member[:, rarest] & ~free], minlength=len(shares))
        parts[rows] = _spread(_allot(len(rows), wanted[rarest] - has, has, shares), rng)
        left -= dealt
    rows = rng.permutation(np.flatnonzero(parts < 0))  # without a known label
    parts[rows] = _spread(_allot(len(rows), shares, shares, shares), rng)
    return parts


def _deal_groups(
    counts: np.ndarray, sizes: np.ndarray, shares: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Part of each group (G,), of `counts` (G, K) samples of each class and `sizes` (G,).

    A group goes to the part where it brings the shares of all classes, and of the samples, nearest
    to those wanted, measured by `_distance`.
    """
    counts = np.column_stack([counts, sizes])  # (G, K + 1): all samples are a class as well
    parts = np.full(len(counts), -1)
    wanted = counts.sum(0)[:, None] * shares  # (K + 1, parts) samples
    lacking, has = wanted.copy(), np.zeros(wanted.shape, bool)
    while (parts < 0).any():
        left = counts[parts < 0].sum(0)
        rarest = np.where(left > 0, left, counts.sum() + 1).argmin()
        dealt = rng.permutation(np.flatnonzero((parts < 0) & (counts[:, rarest] > 0)))
        dealt = dealt[np.argsort(-counts[dealt, rarest], kind="stable")]
        for place, group in enumerate(dealt):
            adds = counts[group][:, None]
            gain = ((2 * lacking * adds - adds**2) / wanted).sum(0)
            empty = ~has[rarest]
            if empty.sum() >= len(dealt) - place:  # the last ones go to parts without any
                gain[~empty] = -np.inf
            part = parts[group] = int(gain.argmax())
            lacking[:, part] -= counts[group]
            has[:, part] |= counts[group] > 0
    return parts


def _distance(member: np.ndarray, parts: np.ndarray, shares: np.ndarray) -> float:
    """Chi-squared of the classes' samples in each part, those of all samples among them."""
    member = np.column_stack([member, np.ones(len(member), bool)])
    samples = np.stack([member[parts == part].sum(0) for part in range(len(shares))], axis=1)
    wanted = member.sum(0)[:, None] * shares
    return float(((samples - wanted) ** 2 / wanted).sum())


def _spread(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each part as often as counted, evenly along a line."""
    part = np.repeat(np.arange(len(counts)), counts)
    place = np.concatenate([(np.arange(n) + rng.random()) / n for n in counts if n] or [part])
    return part[np.argsort(place)]


def _allot(count: int, lacking: np.ndarray, has: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """`count` samples by what the parts lack; one at least where a part has none, if it goes."""
    weight = np.clip(lacking, 0, None)
    weight = weight if weight.sum() > 0 else shares
    exact = count * weight / weight.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: count - counts.sum()]] += 1
    for part in np.flatnonzero((has == 0) & (counts == 0)):
        giver = np.argmax(counts - (has == 0))  # what it can spare
        if counts[giver] > (has[giver] == 0):
            counts[giver] -= 1
            counts[part] += 1
    return counts
