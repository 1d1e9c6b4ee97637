"""The five rows of the first screen: each method at the length that suits it best."""

from pathlib import Path

from . import best_length, evidence
from .finding import Finding

ROWS = {  # what a reader is told -> the row of the records
    "ordinary training": "cross-entropy",
    "DCL": "dcl",
    "Selective Learning": "selective-learning",
    "cost-sensitive weights": "cost-sensitive",
    "ordinary, threshold moved": evidence.PRIOR,
}


def five(results: Path) -> dict[str, tuple[str, Finding]]:
    """mA of the five rows on CelebA, by what a reader is told: the record's name, the finding."""
    runs = evidence.with_prior(best_length.conclusions(results))
    return {words: (name, Finding.of(evidence.by_seed(runs, name))) for words, name in ROWS.items()}
