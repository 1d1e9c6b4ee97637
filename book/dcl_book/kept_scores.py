"""Kept scores of our own runs as a table that `python -m dcl tune` and the browser page read."""

import csv
from collections.abc import Sequence
from pathlib import Path

from dcl.experiment import records, scores

SAMPLE = Path(__file__).parents[1] / "_static" / "scores_sample.csv"
SAMPLE_LABELS = ("Bald", "Eyeglasses", "Blurry", "Smiling")


def record_with_scores(folder: Path, start: str, seed: int = 0) -> Path:
    """The record of a seed whose name starts so, and which kept its scores."""
    (kept,) = folder.glob(f"{start}*seed{seed}.scores.npz")
    return kept.with_name(kept.name.replace(".scores.npz", ".json"))


def write_table(record: Path, labels: Sequence[str], path: Path) -> None:
    """Write the log-odds and labels of val and test, a row for each image.

    Parameters
    ----------
    record : path
        With its kept scores beside it.
    labels : sequence of str
        Which of its attributes.
    path : path
        The CSV: ``id``, ``split``, and ``y_<name>``, ``s_<name>`` of each label.
    """
    names = list(records.read(record)["test"]["per_attribute"])
    columns = [names.index(label) for label in labels]
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "split", *(f"{k}_{name}" for name in labels for k in "ys")])
        for split, (odds, truth) in scores.read(scores.path_of(record)).items():
            for i, (s, y) in enumerate(zip(odds[:, columns], truth[:, columns], strict=True)):
                cells = (cell for a in zip(y, s, strict=True) for cell in (a[0], f"{a[1]:.2f}"))
                table.writerow([f"{split[0]}{i}", split, *cells])
