"""A number over seeds, and what chance says of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from dcl.experiment.records import interval

NO_BREAK = "\N{NO-BREAK SPACE}"
TINY = 1e-9  # points: a spread that is rounding


@dataclass(frozen=True)
class Finding:
    """A number over seeds: mean, half width of its 95 % interval, how many."""

    mean: float
    half: float
    n: int

    @classmethod
    def of(cls, values: pd.Series | list[float]) -> "Finding":
        """Of one value for each seed; a NaN, which has none, does not count."""
        values = [float(value) for value in values]
        values = [value for value in values if value == value]
        mean, half = interval(values) if values else (np.nan, np.nan)
        return cls(mean, half, len(values))

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half

    def __neg__(self) -> "Finding":
        return Finding(-self.mean, self.half, self.n)

    def __str__(self) -> str:
        return self.text("{:+.2f}")

    def text(self, form: str = "{:.2f}") -> str:
        """Mean ± half width, held together; the mean alone for one seed, - for none.

        Examples
        --------
        >>> Finding(-0.004, 0.1, 1).text("{:+.2f}")  # a zero has no sign
        '0.00'
        """
        if not self.n:
            return "-"
        mean = form.format(self.mean)
        if not mean.strip("+-0."):
            mean = mean.lstrip("+-")
        half = form.replace("+", "").format(self.half)
        return f"{mean}{NO_BREAK}±{NO_BREAK}{half}" if self.n > 1 else mean

    def with_n(self, form: str = "{:+.2f}") -> str:
        """`text`, and in brackets over how many seeds; - for none.

        Examples
        --------
        >>> Finding(1.0, 0.5, 3).with_n().replace(NO_BREAK, " ")
        '+1.00 ± 0.50 (3)'
        """
        return f"{self.text(form)} ({self.n})" if self.n else "-"

    def below(self, value: float) -> float:
        """Probability that the true number is below a value, from Student's t; NaN for one seed.

        The flat prior's: the t distribution about the mean, whose central 95 % is the interval.

        Examples
        --------
        >>> round(Finding(1.0, 2.0, 5).below(3.0), 3)
        0.975
        """
        if self.n < 2:
            return np.nan
        if self.half < TINY:  # seeds that agree to the last digit
            return float(self.mean < value)
        error = self.half / t.ppf(0.975, self.n - 1)
        return float(t.cdf((value - self.mean) / error, self.n - 1))

    def p_value(self) -> float:
        """Two-sided p of the t test against zero; 1 for seeds that all agree, which have no spread.

        NaN for one seed.
        """
        if self.n < 2:
            return np.nan
        below = self.below(0.0)
        return 2 * min(below, 1 - below) if self.half >= TINY else 1.0
