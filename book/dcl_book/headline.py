"""The five rows of the first screen: each method at the length that suits it best."""

from pathlib import Path

from . import chosen_length, evidence
from .finding import Finding
from .names import PRIOR, called

ROWS = ("cross-entropy", "dcl", "selective-learning", "cost-sensitive", PRIOR)


def five(results: Path) -> dict[str, tuple[str, Finding]]:
    """mA of the five rows on CelebA, by what a reader is told: the record's name, the finding."""
    runs = evidence.with_prior(chosen_length.conclusions(results))
    return {called(name): (name, Finding.of(evidence.by_seed(runs, name))) for name in ROWS}
