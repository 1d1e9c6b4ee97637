"""From logits to classes and numbers: decisions, tuned thresholds, mA, calibration."""
