"""Calibration of runs: as their records keep it, or from the scores that lie beside them."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dcl.evaluation.calibration import calibration_error, describe
from dcl.experiment import records


def calibration(record: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """The ``calibration`` of a record, None where there is none.

    See `dcl.evaluation.calibration.describe`.

    An older record has none of its own: it is made from the scores of its test split, if the run
    kept them (``keep_scores``; 8 bits each, which moves a probability by 0.4 % at most).
    """
    if "calibration" in record:
        return record["calibration"]
    if not records.scores_path(path).is_file():
        return None
    odds, labels = records.read_scores(path)["test"]
    found = calibration_error(torch.from_numpy(odds), torch.from_numpy(labels))
    return describe(found, list(record["test"]["per_attribute"]))


def calibrations(runs: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Method -> calibration of its run of the lowest seed that has one; the others are left out."""
    found: dict[str, dict[str, Any]] = {}
    for row in runs.sort_values("seed", kind="stable").itertuples():
        kept = None if row.method in found else calibration(row.record, row.path)
        if kept is not None:
            found[row.method] = kept
    return found
