"""Random splits that keep the share of every class of every attribute."""

import numpy as np

TRIES = 20  # random orders, before a class counts as too rare


class TooRareError(ValueError):
    """A class that cannot stand in every part: its attribute and label."""

    def __init__(self, attribute: int, label: int, rows: int):
        super().__init__(f"class {label} of attribute {attribute} has {rows} samples: too few")
        self.attribute, self.label, self.rows = attribute, label, rows


def stratify(labels: np.ndarray, shares: tuple[float, ...], seed: int) -> np.ndarray:
    """Part of each sample, (N,): every class of every attribute is in every part.

    Iterative stratification (Sechidis et al. 2011), a class at a time: of the classes that are
    left, the rarest is dealt first, to each part what it lacks of that class.

    Parameters
    ----------
    labels : ndarray (N, A), integer
        -1 where unknown.
    shares : tuple of float
        Of the samples, for each part; they sum to 1.
    seed : int

    Raises
    ------
    TooRareError
        Where a class is in too few samples, or bound to other classes in too few ways.

    Examples
    --------
    >>> labels = np.repeat([[0, 0], [0, 1], [1, -1]], [8, 4, 4], axis=0)
    >>> parts = stratify(labels, (0.5, 0.25, 0.25), seed=0)
    >>> [np.bincount(parts[labels[:, 0] == 1]).tolist(), np.bincount(parts).tolist()]
    [[2, 1, 1], [8, 4, 4]]
    """
    keys = [(a, c) for a, y in enumerate(labels.T) for c in np.unique(y[y >= 0]).tolist()]
    member = np.stack([labels[:, a] == c for a, c in keys], axis=1)  # (N, K) of K classes
    rows = member.sum(0)
    rarest = int(rows.argmin())
    if rows[rarest] < len(shares):
        raise TooRareError(*keys[rarest], int(rows[rarest]))
    rng = np.random.default_rng(seed)
    for _ in range(TRIES):
        parts = _deal(member, np.array(shares), rng)
        present = np.stack([member[parts == part].any(0) for part in range(len(shares))])
        if present.all():
            return parts
    missing = int(np.argmin(present.all(0)))
    raise TooRareError(*keys[missing], int(rows[missing]))


def _deal(member: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    parts = np.full(len(member), -1)
    wanted = member.sum(0)[:, None] * shares  # (K, parts)
    while True:
        free = parts < 0
        left = member[free].sum(0)
        if not left.any():
            break
        rarest = np.where(left > 0, left, len(member) + 1).argmin()
        rows = rng.permutation(np.flatnonzero(free & member[:, rarest]))
        rows = rows[np.lexsort(member[rows].T)]  # those with the same other classes together
        has = np.bincount(parts[member[:, rarest] & ~free], minlength=len(shares))
        parts[rows] = _spread(_allot(len(rows), wanted[rarest] - has, has, shares), rng)
    rows = rng.permutation(np.flatnonzero(parts < 0))  # without a known label
    parts[rows] = _spread(_allot(len(rows), shares, shares, shares), rng)
    return parts


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
    found = np.floor(exact).astype(int)
    found[np.argsort(found - exact, kind="stable")[: count - found.sum()]] += 1
    for part in np.flatnonzero((has == 0) & (found == 0)):
        giver = np.argmax(found - (has == 0))  # what it can spare
        if found[giver] > (has[giver] == 0):
            found[giver] -= 1
            found[part] += 1
    return found
