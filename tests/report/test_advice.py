"""What is advised on made-up records: the prior, unless something stands clear of chance."""

import math
import warnings

import pandas as pd
import pytest

from dcl_book import advice, figures

DECISIONS = ("own", "prior", "tuned")


def runs(**values) -> pd.DataFrame:
    """Records of methods with these mA, one for each seed.

    A list is of tuned thresholds, the own decision 10 below it and the prior 1; a dict has a list
    for each of `DECISIONS`.
    """
    rows = []
    for method, given in values.items():
        if not isinstance(given, dict):
            given = {"own": [x - 10.0 for x in given], "prior": [x - 1 for x in given]} | {
                "tuned": given
            }
        for seed, (own, prior, tuned) in enumerate(zip(*map(given.get, DECISIONS), strict=True)):
            record = {
                "decision": "argmax",
                "test": {"mA": own, "f1": 40.0},
                "decisions": {
                    "prior": {"test": {"mA": prior, "f1": 40.0}},
                    "tuned-mA": {"test": {"mA": tuned, "f1": 41.0}},
                    "tuned-f1": {"test": {"mA": tuned - 2, "f1": 45.0}},
                },
            }
            rows.append((method.replace("_", "-"), seed, "Data", record))
    return pd.DataFrame(rows, columns=["method", "seed", "title", "record"])


PRIOR_BETTER = {"own": [68, 69, 67], "prior": [82, 83, 81], "tuned": [79, 80, 78.3]}
NOT_TOLD_APART = {"own": [68, 69, 67], "prior": [82, 83, 81], "tuned": [83, 82.5, 81]}
TUNED_BETTER = {"own": [68, 69, 67], "prior": [79, 80, 78.3], "tuned": [82, 83, 81]}
NONE = "no other method that we tried surely beats these decisions."


def test_the_prior_is_advised_where_tuning_surely_loses():
    found = runs(cross_entropy=PRIOR_BETTER, dcl=[80, 81, 79])
    assert advice.base(found) == "prior"
    said = advice.advice(found)
    assert said.startswith(
        "**Train with cross entropy and decide at the prior:** that gains +14.00"
    )
    assert "own decision (3 seeds) and costs nothing. Tuned thresholds surely do worse" in said
    assert "than the prior, by +2.90" in said
    assert said.endswith(NONE)


def test_the_prior_is_advised_where_the_seeds_do_not_tell_it_from_tuning():
    found = runs(cross_entropy=NOT_TOLD_APART, dcl=[80, 81, 79])
    assert advice.base(found) == "prior"
    said = advice.advice(found)
    assert said.startswith(
        "**Train with cross entropy and decide at the prior:** that gains +14.00"
    )
    assert "differ from the prior by +0.17" in said
    assert "which these seeds cannot tell from zero; more seeds may." in said
    assert said.endswith(NONE)


def test_tuning_is_advised_where_it_surely_beats_the_prior():
    found = runs(cross_entropy=TUNED_BETTER, dcl=[80, 81, 79])
    assert advice.base(found) == "tuned-mA"
    said = advice.advice(found)
    assert said.startswith(
        "**Train with cross entropy and tune its thresholds:** that changes mA by +14.00"
    )
    assert "(3 seeds). Tuned thresholds differ from the prior by +2.90" in said
    assert said.endswith(NONE)


def test_a_gain_within_chance_is_called_that():
    plain = {"own": [60, 82, 70], "prior": [82, 83, 81], "tuned": [83, 82.5, 81]}
    said = advice.advice(runs(cross_entropy=plain, dcl=[80, 81, 79]))
    assert said.startswith(
        "**Start with cross entropy, decided at the prior:** that changes mA by +11.33"
    )
    assert "(3 seeds), which may be chance, and costs nothing." in said
    assert said.endswith(NONE)


def test_no_threshold_is_moved_where_the_prior_surely_loses():
    plain = {"own": [82, 83, 81], "prior": [79, 80, 78.3], "tuned": [83, 82.5, 81]}
    found = runs(cross_entropy=plain, dcl=[81.5, 82.5, 80.5])
    assert advice.base(found) == "own"
    said = advice.advice(found)
    assert said.startswith("**Train with cross entropy and move no threshold:** the prior changes")
    assert "by -2.90" in said
    assert said.endswith(NONE)
    # ahead of the prior and of tuned thresholds, but not of the own decision
    tuned = {"own": [85, 83, 84], "prior": [70, 71, 70], "tuned": [75, 76, 75]}
    found = runs(cross_entropy=tuned, dcl={**tuned, "own": [84.5, 83.5, 83]})
    assert not advice.ahead(found)


def test_a_lead_within_chance_is_none():
    said = advice.advice(runs(cross_entropy=[80, 81, 79], focal=[79, 80, 79], dcl=[80.5, 80, 80.5]))
    assert said.startswith(
        "**Train with cross entropy and tune its thresholds:** that changes mA by +10.00"
    )
    assert said.endswith(NONE)


def test_a_lead_clear_of_chance_is_taken_the_largest_of_them():
    said = advice.advice(runs(cross_entropy=[80, 81, 79], focal=[82, 83, 81.1], dcl=[83, 84, 82.1]))
    assert said.startswith("**Train DCL and decide at tuned thresholds:** averaged over the attri")
    assert "gains +3.03" in said
    assert said.endswith("points of mA over cross entropy at tuned thresholds (3 seeds).")


def test_a_method_has_to_beat_both_decisions_of_cross_entropy():
    plain = {"own": [68, 69, 67], "prior": [80, 81, 79], "tuned": [82, 86, 80]}
    assert advice.base(runs(cross_entropy=plain)) == "prior"  # tuning gains much, but not surely
    assert not advice.ahead(runs(cross_entropy=plain, dcl=[81, 82.1, 80]))
    found = advice.ahead(runs(cross_entropy=plain, dcl=[90, 93, 88.5]))
    assert found["dcl"].mean == pytest.approx(10.5)  # over the prior, which is the one advised


def test_a_method_is_judged_at_the_better_of_its_own_decision_and_the_tuned():
    dcl = {"own": [85, 86, 84.1], "prior": [60, 60, 60], "tuned": [79, 80, 78]}
    found = runs(cross_entropy=PRIOR_BETTER, dcl=dcl)
    assert advice.decision_of(found, "dcl") == "own"
    said = advice.advice(found)
    assert said.startswith("**Train DCL and decide at its own decision:** averaged over the attri")
    assert "gains +3.03" in said
    assert said.endswith("points of mA over cross entropy at the prior (3 seeds).")


def test_one_seed_or_one_method_says_nothing():
    assert "run two or more" in advice.advice(runs(cross_entropy=[80], dcl=[90]))
    assert "run two or more" in advice.advice(runs(cross_entropy=[80]))
    assert advice.advice(runs(cross_entropy=[80, 81])).endswith("No other method was tried.")


def test_a_class_that_the_test_split_lacks_is_said_and_no_seed_is_blamed():
    found = runs(cross_entropy=[math.nan] * 2, dcl=[math.nan] * 2)
    for record in found["record"]:
        record["test"]["undefined"] = ["species"]
    said = advice.advice(found)
    assert said.startswith("**No advice:** the test split lacks a class of species")
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
    assert advice.by_attribute(found[found["seed"] == 0]).attrs["comparisons"] == 0


def test_leads_are_paired_by_seed_at_the_advised_decisions():
    found = runs(cross_entropy=[70, 90], dcl=[71, 91])
    assert advice.base(found) == "tuned-mA"
    one = advice.lead(found, "dcl")
    assert (one.mean, one.n) == (1, 2)
    assert one.half == pytest.approx(0)
    table = advice.method_table(found)
    assert list(table) == ["mA, own", "mA, prior", "mA, tuned", "F1, tuned", "lead"]
    assert table.index.tolist() == ["cross-entropy", "dcl"]
    assert table.loc["cross-entropy", "lead"] == ""
    assert table.loc["dcl", "lead"].startswith("+1.00")


def test_the_figure_names_the_decisions_that_it_compares():
    found = runs(cross_entropy=PRIOR_BETTER, dcl=[80, 81, 79])
    for record in found["record"]:
        for part in (record, *record["decisions"].values()):
            part["test"]["per_attribute"] = {"hat": {"mA": part["test"]["mA"]}}
    drawn = figures.gain_by_attribute(found)
    title = "".join(drawn.axes[0].get_title(loc=place) for place in ("left", "center"))
    assert title.endswith("attributes of 1 with a sure lead: DCL 0")
    label = drawn.axes[0].get_ylabel()
    assert label.startswith("mA gained over cross\nentropy at the prior, points")
    (label,) = drawn.legends[0].get_texts()
    assert label.get_text().startswith("DCL at tuned thresholds, \N{MINUS SIGN}2.0")


def test_the_figure_of_what_no_split_can_say_is_drawn_without_a_number():
    found = runs(cross_entropy=[math.nan] * 2, dcl=[math.nan] * 2)
    for record in found["record"]:
        for part in (record, *record["decisions"].values()):
            part["test"]["per_attribute"] = {"hat": {"mA": math.nan}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (label,) = figures.gain_by_attribute(found).legends[0].get_texts()
    assert label.get_text().endswith(", mA undefined")
