"""Table 6's groups of attributes, by the samples of the majority for one of the minority."""

import numpy as np

GROUPS = ("1:1-25", "1:25-50", "over 1:50")
UNDEFINED = "undefined"


def imbalance_ratios(labels: np.ndarray) -> np.ndarray:
    """Samples of the majority class for one of the minority, (A,) of the training labels (N, A).

    At least 1; infinite where a class has no sample. Unknown labels are not counted.

    Examples
    --------
    >>> imbalance_ratios(np.array([[1, 0], [0, 0], [0, -1]]))
    array([ 2., inf])
    """
    labels = np.asarray(labels)
    few, many = np.sort([(labels == 1).sum(axis=0), (labels == 0).sum(axis=0)], axis=0)
    return np.divide(many, few, out=np.full(len(few), np.inf), where=few > 0)


def imbalance_groups(labels: np.ndarray) -> np.ndarray:
    """Table 6's group of each attribute, (A,) of str, from the training labels (N, A).

    One of `GROUPS`; a ratio on a border belongs to the less imbalanced group (ours: the paper
    does not say). ``"undefined"`` where one class has no sample.

    Examples
    --------
    >>> imbalance_groups(np.eye(31, 3, dtype=int) * [1, 1, 0]).tolist()
    ['1:25-50', '1:25-50', 'undefined']
    """
    return groups_of_ratios(imbalance_ratios(labels))


def groups_of_ratios(ratio: np.ndarray) -> np.ndarray:
    """`imbalance_groups` of imbalance ratios, (A,).

    Examples
    --------
    >>> groups_of_ratios(np.array([1, 25, 25.1, 51, np.inf])).tolist()
    ['1:1-25', '1:1-25', '1:25-50', 'over 1:50', 'undefined']
    """
    names = np.array([*GROUPS, UNDEFINED])
    return names[np.where(np.isinf(ratio), 3, np.searchsorted((25, 50), ratio))]
