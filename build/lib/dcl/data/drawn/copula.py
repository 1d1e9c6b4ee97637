"""Gaussian copula of 0/1 attributes: correlated normals, each cut at a threshold.

The latent (tetrachoric) correlations are those whose 0/1 correlation is the one asked for, moved
to the nearest positive definite matrix. No normals exclude one another as black and blond hair do:
of two attributes that are hardly ever seen together, the less certain one is switched off, and the
thresholds are set such that the rates still hold.

Letters: A attributes, N samples, P pairs of attributes.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

EXCLUSIVE = 0.2  # ours: a pair excludes itself where it is this much rarer than by chance
CALIBRATION = 40_000  # ours: samples that set the thresholds; a rate is then off by 0.005 or so


@dataclass(frozen=True)
class Copula:
    """A distribution of A binary attributes.

    Parameters
    ----------
    factor : ndarray (A, A)
        Cholesky factor of the latent correlations.
    threshold : ndarray (A,)
        An attribute is on where its normal is below.
    pairs : ndarray (P, 2), int
        Attributes that exclude each other.
    keep : ndarray (P,)
        Share of a pair's joint samples that stay as they are.
    """

    factor: np.ndarray
    threshold: np.ndarray
    pairs: np.ndarray
    keep: np.ndarray

    @classmethod
    def fit(cls, rate: np.ndarray, phi: np.ndarray) -> "Copula":
        """The copula with these rates (A,), in (0, 1), and 0/1 correlations (A, A)."""
        chance = np.outer(rate, rate)
        spread = np.sqrt(rate * (1 - rate))
        covariance = phi * np.outer(spread, spread)
        factor = np.linalg.cholesky(nearest_correlation(latent_correlations(rate, covariance)))
        together = np.maximum(chance + covariance, 0)
        pairs = np.argwhere(np.triu(together < EXCLUSIVE * chance, 1))
        return cls._calibrated(rate, factor, pairs, together[tuple(pairs.T)])

    @classmethod
    def _calibrated(cls, rate, factor, pairs, together) -> "Copula":
        """Move the thresholds until the rates hold with the exclusive pairs resolved."""
        first, second = pairs.T
        latent = (factor @ factor.T)[first, second]
        normals, doubt = draw_normals(CALIBRATION, factor, np.random.default_rng(0))
        normals -= normals.mean(axis=1, keepdims=True)  # less chance in the thresholds
        threshold = ndtri(rate)
        for _ in range(8):
            a, b = threshold[first], threshold[second]
            keep = together / (ndtr(a) * ndtr(b) + excess(a, b, latent))
            copula = cls(factor, threshold, pairs, keep)
            drawn = copula._cut(normals, doubt).mean(axis=1)
            threshold = threshold + ndtri(rate) - ndtri(drawn)
        return cls(factor, threshold, pairs, keep)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Labels (count, A), bool; a longer sample of the same stream begins with a shorter one."""
        return np.ascontiguousarray(self._cut(*draw_normals(count, self.factor, rng)).T)

    def _cut(self, normals: np.ndarray, doubt: np.ndarray) -> np.ndarray:
        """Labels (A, N) of the normals (A, N); doubt (N,) settles which contradictions stay."""
        margin = self.threshold[:, None] - normals
        for (first, second), keep in zip(self.pairs, self.keep, strict=True):
            both = (margin[first] > 0) & (margin[second] > 0) & (doubt > keep)
            both = np.flatnonzero(both)
            weaker = margin[first, both] < margin[second, both]
            margin[first, both[weaker]] = -1
            margin[second, both[~weaker]] = -1
        return margin > 0


def draw_normals(count: int, factor: np.ndarray, rng: np.random.Generator):
    """Correlated normals (A, count), and a uniform number for each sample (count,)."""
    uniform = rng.random((count, len(factor) + 1))
    normals = ndtri(np.maximum(uniform[:, 1:], 1e-12))
    return np.ascontiguousarray((normals @ factor.T).T), uniform[:, 0]


def latent_correlations(rate: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Tetrachoric correlations (A, A): of normals whose cuts covary as given. By bisection."""
    first, second = np.triu_indices(len(rate), 1)
    a, b = ndtri(rate)[first], ndtri(rate)[second]
    low, high = np.full(len(a), -0.999), np.full(len(a), 0.999)
    for _ in range(40):
        middle = (low + high) / 2
        below = excess(a, b, middle) < covariance[first, second]
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    latent = np.eye(len(rate))
    latent[first, second] = latent[second, first] = (low + high) / 2
    return latent


def excess(a: np.ndarray, b: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """P(X < a, Y < b) - P(X < a) P(Y < b) of two standard normals, each (P,) (Plackett 1954)."""
    nodes, weights = np.polynomial.legendre.leggauss(32)
    limit = np.arcsin(correlation)
    angle = limit[:, None] * (nodes + 1) / 2  # (P, nodes)
    square, product = (a**2 + b**2)[:, None], (a * b)[:, None]
    power = (square - 2 * product * np.sin(angle)) / (2 * np.cos(angle) ** 2)
    return limit * (np.exp(-power) @ weights) / (4 * np.pi)


def nearest_correlation(matrix: np.ndarray) -> np.ndarray:
    """Nearest positive definite matrix with unit diagonal (Higham 2002)."""
    current, correction = matrix, np.zeros_like(matrix)
    for _ in range(100):
        shifted = current - correction
        values, vectors = np.linalg.eigh(shifted)
        positive = (vectors * np.maximum(values, 1e-4)) @ vectors.T
        correction = positive - shifted
        current = positive.copy()
        np.fill_diagonal(current, 1)
    scale = np.sqrt(np.diag(positive))
    return positive / np.outer(scale, scale)
