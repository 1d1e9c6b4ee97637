"""Kept scores of our own runs as a table that `python -m dcl tune` and the browser page read."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dcl import thresholds
from dcl.evaluation.thresholds import METRICS, Report
from dcl.experiment import records

from .finding import Finding

SAMPLE = Path(__file__).parents[1] / "_static" / "scores_sample.csv"
CALLED = {"balanced_accuracy": "mA", "f1": "F1"}  # of `dcl.thresholds`, as the pages do
SAMPLE_LABELS = ("Bald", "Eyeglasses", "Blurry", "Smiling")


def record_with_scores(folder: Path, start: str, seed: int = 0) -> Path | None:
    """The record of a seed whose name starts so, and which kept its scores; None without."""
    kept = sorted(folder.glob(f"{start}*seed{seed}.scores.npz"))
    return kept[0].with_name(kept[0].name.replace(".scores.npz", ".json")) if kept else None


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
        for split, (odds, truth) in records.read_scores(record).items():
            for i, (s, y) in enumerate(zip(odds[:, columns], truth[:, columns], strict=True)):
                cells = (cell for a in zip(y, s, strict=True) for cell in (a[0], f"{a[1]:.2f}"))
                table.writerow([f"{split[0]}{i}", split, *cells])


def rarer_class(record: Path, split: str) -> dict[str, int]:
    """Attribute -> how many images of a split have its rarer class."""
    names = list(records.read(record)["test"]["per_attribute"])
    _, truth = records.read_scores(record)[split]
    held = np.stack([(truth == label).sum(0) for label in (0, 1)]).min(0)
    return dict(zip(names, held.tolist(), strict=True))


def tuned(record: Path) -> Report:
    """Thresholds of all attributes, fitted on val and scored on test, see `dcl.thresholds.tune`."""
    names = list(records.read(record)["test"]["per_attribute"])
    parts = records.read_scores(record)
    odds, truth = (np.concatenate([part[i] for part in parts.values()]) for i in (0, 1))
    split = [name for name, part in parts.items() for _ in part[0]]
    return thresholds.tune(odds, truth, split=split, names=names, scale="logit")


def gains(report: Report) -> tuple[Finding, Finding]:
    """Points of balanced accuracy: of the prior over 0.5, and of tuning over the prior.

    With half of the bootstrap's interval, and its samples in the place of seeds.
    """
    found = [(100 * gain).tolist() for gain in (report.gain_prior, report.gain_tuned)]
    prior, tuned = (Finding(v, (high - low) / 2, report.bootstrap) for v, low, high in found)
    return prior, tuned


def means(report: Report) -> pd.DataFrame:
    """Mean over the attributes at each decision, percent with interval."""
    return pd.DataFrame(
        {
            CALLED.get(metric, metric): [
                f"{100 * v:.1f} [{100 * low:.1f}, {100 * high:.1f}]" for v, low, high in values
            ]
            for metric, values in zip(METRICS, report.mean.transpose(0, 1).tolist(), strict=True)
        },
        index=pd.Index(report.thresholds.decisions, name="decided at"),
    )
