"""What is advised on made-up records: the free threshold, unless a lead stands clear of chance."""

import math

import pandas as pd
import pytest

from dcl_book import advice


def runs(**tuned) -> pd.DataFrame:
    """Records of methods with these mA at tuned thresholds, one for each seed."""
    rows = []
    for method, values in tuned.items():
        name = method.replace("_", "-")
        for seed, value in enumerate(values):
            record = {
                "decision": "argmax",
                "test": {"mA": value - 10.0, "f1": 40.0},
                "decisions": {
                    "prior": {"test": {"mA": value - 1, "f1": 40.0}},
                    "tuned-mA": {"test": {"mA": value, "f1": 41.0}},
                    "tuned-f1": {"test": {"mA": value - 2, "f1": 45.0}},
                },
            }
            step = 110.0 if name == "dcl" else 100.0
            rows.append((name, seed, step, record))
    return pd.DataFrame(rows, columns=["method", "seed", "ms_per_step", "record"])


def test_a_lead_within_chance_is_none():
    said = advice.advice(runs(cross_entropy=[80, 81, 79], focal=[79, 80, 79], dcl=[80.5, 80, 80.5]))
    assert said.startswith("Train with cross entropy and tune its thresholds: that gains +10.00")
    assert said.endswith("(3 seeds), and no method that we tried surely gains more.")


def test_a_lead_clear_of_chance_is_taken_the_largest_of_them():
    said = advice.advice(runs(cross_entropy=[80, 81, 79], focal=[82, 83, 81.1], dcl=[83, 84, 82.1]))
    assert said.startswith("Train dcl and tune its thresholds: it gains +3.03")
    assert "(3 seeds). Tuning the thresholds of cross entropy alone gains +10.00" in said


def test_one_seed_says_nothing():
    assert "run two or more" in advice.advice(runs(cross_entropy=[80], dcl=[90]))


def test_a_class_that_the_test_split_lacks_is_said_and_no_seed_is_blamed():
    found = runs(cross_entropy=[math.nan] * 2, dcl=[math.nan] * 2)
    for record in found["record"]:
        record["test"]["undefined"] = ["species"]
    said = advice.advice(found)
    assert said.startswith("No advice: the test split lacks a class of species")
    assert "seed" not in said


def test_attributes_that_surely_gain_are_named_with_their_lead():
    found = runs(cross_entropy=[80, 81, 79], focal=[80, 80, 80], dcl=[80, 81, 79])
    for method, seed, record in zip(found["method"], found["seed"], found["record"], strict=True):
        hat = 70 + seed + (method == "dcl") * (5 + 0.1 * seed)
        for part in (record, *record["decisions"].values()):
            part["test"]["per_attribute"] = {"hat": {"mA": hat}, "bald": {"mA": 60 + seed}}
    table = advice.by_attribute(found)
    assert table["method"].to_dict() == {"hat": "dcl"}
    assert table.loc["hat", "lead"].startswith("+5.10")
    assert table.attrs["comparisons"] == 4
    assert advice.by_attribute(found[found["method"] != "dcl"]).empty


def test_leads_are_paired_by_seed_at_the_tuned_threshold():
    found = advice.tuned_lead(runs(cross_entropy=[70, 90], dcl=[71, 91]), "dcl")
    assert (found.mean, found.n) == (1, 2)
    assert found.half == pytest.approx(0)
    table = advice.method_table(runs(cross_entropy=[70, 90], dcl=[71, 91]))
    assert table.index.tolist() == ["cross-entropy", "dcl"]
    assert table.loc["cross-entropy", "lead, tuned"] == ""
    assert table.loc["dcl", "time"] == "+10 %"
