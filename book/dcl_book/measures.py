"""What is read from a record: one number, in percent, at one of the decisions of its run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Measure = Callable[[dict[str, Any]], float]  # record -> number
OWN = "own"  # the decision that a method makes by itself


def at_decision(record: dict[str, Any], decision: str = OWN) -> dict[str, Any] | None:
    """The test metrics of a run at one of its decisions; None where it makes no such decision.

    Parameters
    ----------
    record : dict
    decision : {"own", "argmax", "prior", "tuned-mA", "tuned-f1"}
        ``own``: the one that the method makes by itself, which every record has.
    """
    if decision in (OWN, record.get("decision", "argmax")):
        return record["test"]
    return record.get("decisions", {}).get(decision, {}).get("test")


def metric(name: str, decision: str = OWN) -> Measure:
    """A mean over attributes at a decision: ``mA``, ``f1``, ``auc``, ``accuracy``, ..., %."""
    return _measure(lambda test: test[name], decision)


def attribute(name: str, decision: str = OWN) -> Measure:
    """mA of one attribute, %."""
    return _measure(lambda test: test["per_attribute"][name]["mA"], decision)


def group(name: str, decision: str = OWN) -> Measure:
    """Mean over one of the data set's groups of attributes, %."""
    return _measure(lambda test: test["groups"][name], decision)


def of_an_example(name: str, decision: str = OWN) -> Measure:
    """Mean over the examples of ``accuracy``, ``precision``, ``recall`` or ``f1``, %."""
    return _measure(lambda test: test["instance"][name], decision)


def most_imbalanced(level: float) -> Measure:
    """Mean mA of the attributes of at least this imbalance level, %."""

    def mean(test: dict[str, Any]) -> float:
        rows = test["per_attribute"].values()
        chosen = [row["mA"] for row in rows if row["imbalance_level"] >= level]
        return pd.Series(chosen, dtype=float).mean()

    return _measure(mean, OWN)


def _measure(read: Callable[[dict[str, Any]], float | None], decision: str) -> Measure:
    """NaN where the record has not this decision, or the metric was not defined."""

    def measure(record: dict[str, Any]) -> float:
        test = at_decision(record, decision)
        value = None if test is None else read(test)
        return np.nan if value is None else value

    return measure


class_balanced = metric("mA")  # class-balanced accuracy at the method's own decision, %


def ranking_on_validation(record: dict[str, Any]) -> float:
    """Average precision on the validation split at the epoch that was chosen, %."""
    epochs = {row["epoch"]: row.get("val_average_precision") for row in record["history"]}
    value = epochs.get(record["selection"]["best_epoch"])
    return np.nan if value is None else value


def tuned_on_validation(decision: str) -> Measure:
    """What a tuned decision reached on the validation split, at the epoch chosen for it, %."""

    def reached(record: dict[str, Any]) -> float:
        value = record.get("decisions", {}).get(decision, {}).get("selection", {}).get("best_val")
        return np.nan if value is None else value

    return reached


def best_on_validation(record: dict[str, Any]) -> float:
    """mA of the validation split at the epoch that was chosen, %."""
    value = record["selection"]["best_val_mA"]
    return np.nan if value is None else value  # of a run without a validation split
