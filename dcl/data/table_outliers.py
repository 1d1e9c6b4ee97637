"""Numbers of a feature that lie far from all others: they stand for nothing known, or are slips."""

import re

import numpy as np

from .table_file import Table
from .table_words import counted

NOTHING = re.compile(r"-?9{2,}")  # numbers that stand for nothing
CODES = 3  # of them at an end
MEASURED = 30  # distances from the median that tell how far the numbers of a column lie apart
FEW_SLIPS, SLIPS = 3, 0.01  # how many of them, and which share, may be slips
STEP, TAILS = 20, 5  # from one distance to a slip: at least, and of the tail before (by trial)


def outliers(table: Table, column: str, numbers: np.ndarray, train: np.ndarray) -> list[str]:
    """A sentence on the numbers of a column that lie far from all others; NaN is passed over."""
    known = np.flatnonzero(~np.isnan(numbers))
    values = numbers[known]
    far = _sentinels(values)
    far = far if far.any() else _slips(values)
    if not far.any():
        return []
    first, others = known[far.argmax()], values[~far]
    of = f"of {len(values):,} numbers"
    right = "; if it is right, give the column's logarithm" if values.min() > 0 else ""
    harm = (
        "scaled with it the others are nearly the same"
        if np.isin(known[far], train).any()
        else "the network learns from none like it"
    )
    return [
        f"warning: {column}: {counted(int(far.sum()), f'{of} is', f'{of} are')} far from all "
        f"others, {others.min():g} to {others.max():g}; the first is {numbers[first]:g}, "
        f"row {table.rows[first]}: {harm}. Mend it; if it means that nothing is known, leave the "
        f"cell empty and say --impute median{right}"
    ]


def _sentinels(values: np.ndarray) -> np.ndarray:
    """Where the least or the largest numbers (N,) stand for nothing by their look: -999, or -1.

    They are one number or a few, such as -98 and -99, at an end or both, and lie farther from the
    others than these lie apart.
    """
    numbers, counts = np.unique(values, return_counts=True)
    cuts = [(low, high) for low in range(CODES + 1) for high in range(CODES + 1) if low + high]
    for low, high in sorted(cuts, key=sum):
        last = len(numbers) - high
        rest, below, above = numbers[low:last], numbers[:low], numbers[last:]
        many = low + high > 1 and 2 * counts[low:last].sum() < len(values)
        if len(rest) < 2 or many:
            continue
        with np.errstate(over="ignore"):
            gaps = [*(rest[0] - below[-1:]), *(above[:1] - rest[-1])]
            apart = min(gaps) > rest[-1] - rest[0]
        ends = ((below, counts[:low]), (above, counts[last:]))
        if apart and all(_stand_for_nothing(*end, rest) for end in ends if len(end[0])):
            return ~((rest[0] <= values) & (values <= rest[-1]))
    return np.zeros(len(values), bool)


def _stand_for_nothing(end: np.ndarray, counts: np.ndarray, rest: np.ndarray) -> bool:
    """Whether numbers look so beside the rest: of nines, or negative ones that are there again.

    Of several one need be of nines, if the others are whole and there again. Several negative ones
    are neighbours, as -8 and -9 are, beside three others or more, none of them negative.
    """
    nines = np.array([bool(NOTHING.fullmatch(f"{value:.0f}")) for value in end])
    again = counts > 1
    codes = len(end) == 1 or (end[-1] - end[0] < len(end) and len(rest) > 2)
    negative = (end < 0).all() and rest[0] >= 0 and again.all() and codes
    alike = len(end) == 1 or ((end == np.round(end)) & (again | nines)).all()
    return bool((nines.any() or negative) and alike)


def _slips(values: np.ndarray) -> np.ndarray:
    """Where a few numbers (N,) are far from the others, by no tail of theirs: a slip, or 1e30.

    The distances from the median are taken in their order. Among the last of them one must be many
    times the one before, and more times than that is the usual one: numbers of a heavy tail, such
    as incomes, lie apart by as much, but come nearer and nearer to the median without a gap.
    """
    ends = (values == values.min()) | (values == values.max())
    once = np.concatenate([np.unique(values[ends]), values[~ends]])
    middle = np.median(once)
    order = np.sort(abs(once - middle))
    order = order[order > 0]
    if len(order) < MEASURED:
        return np.zeros(len(values), bool)
    last = max(FEW_SLIPS, int(SLIPS * len(order)))
    before, after = order[-last - 1 : -1], order[-last:]
    steps, tails = after / before, before / np.median(order)
    gap = np.flatnonzero((steps > STEP) & (steps > TAILS * tails))
    if not len(gap):
        return np.zeros(len(values), bool)
    return abs(values - middle) >= after[gap[0]]
