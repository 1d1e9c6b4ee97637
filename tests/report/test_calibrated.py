"""Calibration of runs is that of their record, or of the scores beside it, to their rounding."""

import pandas as pd
import pytest
import torch

from dcl.evaluation.calibration import calibration_error, describe
from dcl.experiment import records
from dcl_book import figures
from dcl_book.calibrated import calibration, calibrations


def test_scores_beside_a_record_give_its_calibration(tmp_path):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(400, 2, 2, generator=generator)
    labels = torch.randint(-1, 2, (400, 2), generator=generator)
    path = tmp_path / "dcl-seed0.json"
    record = {"test": {"per_attribute": {"hat": {}, "bald": {}}}}
    assert calibration(record, path) is None
    records.write_scores({"test": logits}, {"test": labels}, path)
    exact = describe(calibration_error(logits, labels), ["hat", "bald"])
    found = calibration(record, path)
    assert found["per_attribute"] == pytest.approx(exact["per_attribute"], abs=1)
    assert sum(found["pooled"]["counts"]) == (labels >= 0).sum()
    own = exact | {"ece": 50.0}
    runs = pd.DataFrame(
        [
            ("dcl", 1, path, record | {"calibration": own}),
            ("dcl", 0, path, record),
            ("crl", 1, tmp_path / "none.json", record),
            ("focal", 1, tmp_path / "none.json", record | {"calibration": own}),
        ],
        columns=["method", "seed", "path", "record"],
    )
    kept = calibrations(runs)
    assert set(kept) == {"dcl", "focal"}
    assert (kept["dcl"], kept["focal"]["ece"]) == (found, 50)
    drawn = figures.reliability(kept, "Data")
    assert "DCL" in drawn.get_suptitle()
    assert "focal 50.0 %" in drawn.get_suptitle()
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == [
        "DCL", "focal",
    ]  # fmt: skip
