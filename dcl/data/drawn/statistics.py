"""What the drawn data sets share: the statistics of a real one, and labels that have them."""

from functools import cached_property
from importlib.resources import files

import numpy as np
import pandas as pd

from .copula import Copula


class Statistics:
    """Rates and correlations of a real data set's attributes, from a table beside this file.

    The table has a row for each attribute: its name, ``rate`` in [0, 1], and its phi coefficient
    (Pearson correlation of the 0/1 labels) with each attribute.
    """

    def __init__(self, table: str):
        self.table = pd.read_csv(files(__package__).joinpath(table), index_col="attribute")
        self.names: tuple[str, ...] = tuple(self.table.index)
        self.rate = self.table["rate"].to_numpy()

    @cached_property
    def copula(self) -> Copula:
        """Fitted at first use, in less than a second."""
        return Copula.fit(self.rate, self.table[list(self.names)].to_numpy())

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Labels (count, A) int64; label i depends on (seed, i) only."""
        if count < 0:
            raise ValueError(f"count must be 0 or more, got {count}")
        return self.copula.sample(count, generator(seed, "labels")).astype(np.int64)

    def check(self, labels: np.ndarray) -> np.ndarray:
        """Labels as an array; a ValueError if they are not (N, A) of 0 and 1."""
        labels = np.asarray(labels)
        if labels.ndim != 2 or labels.shape[1] != len(self.names):
            raise ValueError(f"labels must be (N, {len(self.names)}), got shape {labels.shape}")
        wrong = (labels != 0) & (labels != 1)
        if wrong.any():
            raise ValueError(f"labels must be 0 or 1, got {labels[wrong][0]}")
        return labels

    def measure(self, labels: np.ndarray) -> pd.DataFrame:
        """The table that N images' labels (N, A) give, rounded to 6 decimals."""
        labels = self.check(labels).astype(np.float64)
        constant = np.flatnonzero(np.ptp(labels, axis=0) == 0) if len(labels) else [0]
        if len(constant):
            raise ValueError(
                f"labels must have both values 0 and 1 in every column for a correlation, "
                f"{self.names[constant[0]]} has one only in the {len(labels)} images given"
            )
        phi = pd.DataFrame(np.corrcoef(labels, rowvar=False), self.names, self.names)
        phi.insert(0, "rate", labels.mean(axis=0))
        return phi.round(6).rename_axis("attribute")

    def strengths(
        self, labels: np.ndarray, rng: np.random.Generator, difficulty: float
    ) -> np.ndarray:
        """How strongly each part is drawn, (N, A) in [0, 1]: 1 and 0 without difficulty."""
        uniform = rng.random((len(labels), 2 * len(self.names) + 1), np.float32)
        hardness = 0.5 + 0.5 * uniform[:, :1]  # some images are harder than others
        graded, wrong = np.split(uniform[:, 1:], 2, axis=1)
        weak = difficulty * hardness * graded
        present = 1 - 0.9 * weak
        trace = 0.5 * weak**2
        noise = 0.08 * difficulty  # this share is drawn as if labelled by chance, at the real rates
        on, off = wrong < noise * self.rate, wrong > 1 - noise * (1 - self.rate)
        return np.where((labels == 1) & ~off | on, present, trace).astype(np.float32)


def check_difficulty(difficulty: float) -> None:
    """A ValueError for one outside [0, 1]."""
    if not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty must be in [0, 1], got {difficulty}")


def generator(seed: int, use: str) -> np.random.Generator:
    """An independent stream for each use of a seed."""
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    return np.random.default_rng([seed, *use.encode()])
