"""Does DCL's lead come with training? What is said follows the made-up runs, whole or in part."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from made import decided, frame, record
from scipy import stats

from dcl.report import figures, length, length_tables
from dcl.report.evidence import PRIOR
from dcl.report.finding import Finding

NOISE = (-0.2, -0.1, 0.0, 0.1, 0.2)


def runs(leads, methods=length.METHODS, *, over_prior=None, drift=0.02):
    """Runs of every method: `leads` is length -> (DCL's lead over Selective Learning, seeds)."""
    made = []
    for epochs, (lead, seeds) in leads.items():
        moved = lead if over_prior is None else over_prior
        for seed in range(seeds):
            base = 80.0 + NOISE[seed]
            for method in methods:
                # the lead differs a little from seed to seed
                mean = base + (lead + drift * NOISE[seed] if method == "dcl" else 0)
                one = record(method, seed, mean, epochs=epochs)
                if method == "cross-entropy":
                    one = record(method, seed, base - 10, epochs=epochs)
                    one = decided(one, prior=base + lead - moved, tuned=base, f1=62.0)
                elif method == "dcl":
                    one = decided(one, tuned=mean + 1, f1=60.0)
                made.append(whole(one))
    return with_epochs(*made)


def whole(made, low=0.5):
    """With a validation loss that is lowest at a share of the training, and with a last epoch."""
    epochs = made["config"]["epochs"]
    best = max(1, round(low * epochs))
    made["history"] = [
        {
            "epoch": n,
            "classification": 10 / (n + 1),
            "val_loss": 5 + (n + 1 - best) ** 2,
            "val_mA": 80 - abs(n + 2 - best),
        }
        for n in range(epochs)
    ]
    made["selection"] = {"best_epoch": best, "best_val_mA": 80.0}
    end = {key: made["test"][key] - 1 for key in ("mA", "f1", "auc", "average_precision")}
    return made | {"last": {"epoch": epochs - 1, "test": {"argmax": end}}}


def with_epochs(*made):
    return frame(*made).assign(epochs=[one["config"]["epochs"] for one in made])


NONE = with_epochs().astype({"epochs": int})
GROWS = {8: (-1.0, 5), 24: (0.0, 5), 75: (1.0, 5), 300: (2.0, 3)}
FLAT = {8: (0.1, 5), 24: (0.0, 5), 75: (-0.1, 5), 300: (0.1, 3)}


def test_without_a_run_it_says_that_it_is_not_known():
    assert length.answer(NONE).startswith("Whether DCL's lead comes with training is not known yet")
    assert length.paragraph(NONE).endswith("Not run yet: 8, 24, 75, 300 epochs: every method.")
    only = runs({8: (1.0, 5)}, methods=("dcl", "crl"))  # none of the two that decide
    assert "not known yet" in length.answer(only)


def test_one_length_says_what_is_there_and_that_no_other_is_run():
    text = length.answer(runs({8: (-1.0, 5)})).replace("\xa0", " ")
    assert text.startswith("After 8 epochs on test data, DCL is ahead of plain cross entropy (+9.")
    assert "points of mean class-balanced accuracy, mA, n = 5), but behind the same network" in text
    assert "nothing (-1.00 ± 0.00, n = 5), and Selective Learning (-1.00 ± 0.00, n = 5);" in text
    assert text.endswith(
        "no other length is run yet, so whether a lead comes with training is not known."
    )
    assert text.count(". ") == 0  # one sentence
    assert "24, 75, 300 epochs: every method" in length.paragraph(runs({8: (-1.0, 5)}))


def test_one_seed_decides_nothing():
    text = length.answer(runs({8: (3.0, 1)})).replace("\xa0", " ")
    assert "DCL is not told apart from plain cross entropy (+13.00 points" in text
    assert "costs nothing (+3.00, n = 1), and Selective Learning (+3.00, n = 1)" in text
    text = length.answer(runs({8: (3.0, 1), 24: (4.0, 1)}))
    assert (
        "from 8 to 24 epochs each of the latter two differences changes by what no two seeds"
        in text
    )


def test_a_length_of_one_seed_waits_for_the_second():
    text = length.answer(runs({8: (0.0, 5), 24: (0.0, 5), 75: (9.0, 1)}))
    assert text.startswith("After 24 epochs")
    assert "300 epochs are not run yet" in text


def test_a_lead_that_grows_over_both_is_the_papers_reading():
    made = runs(GROWS)
    assert length.reading(made) == "paper"
    text = length.answer(made)
    assert text.startswith("After 300 epochs")
    assert "DCL is ahead of plain cross entropy (" in text
    assert "mA, n = 3), and ahead of the same network" in text.replace("\xa0", " ")
    assert text.endswith("from 8 to 300 epochs each of the latter two differences grows.")
    assert "paper's reading as the protocol wrote it" in length.paragraph(made)


@pytest.mark.parametrize("over_prior", [0.0, -2.0])
def test_no_difference_at_any_length_is_the_sceptics(over_prior):
    made = runs(FLAT, over_prior=over_prior)
    assert length.reading(made) == "sceptic"
    stands = "level with" if over_prior == 0 else "behind"
    assert f"but {stands} the same network with its threshold moved" in length.answer(made)
    assert ("level with Selective Learning" in length.answer(made)) == (over_prior != 0)


def test_anything_else_is_neither():
    assert length.reading(runs(GROWS, over_prior=-1.0)) == "neither"  # over one of both alone
    assert length.reading(runs({8: (0.0, 5)})) == "neither"
    shrinks = {8: (3.0, 5), 24: (2.0, 5), 75: (1.0, 5)}
    assert length.reading(runs(shrinks)) == "neither"
    text = length.answer(runs(shrinks))
    assert "each of the latter two differences falls, and 300 epochs are not run yet." in text
    mixed = length.answer(runs(GROWS, over_prior=-1.0))
    assert "but behind the same network with its threshold moved" in mixed
    assert "and ahead of Selective Learning (" in mixed
    assert "moved threshold changes no more than by chance, that to Selective Learning grows" in (
        mixed
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Finding(0.1, 0.3, 5), "none"),
        (Finding(0.6, 0.5, 5), "lead"),
        (Finding(0.4, 0.3, 5), "undecided"),  # above zero, and no lead by the protocol
        (Finding(2.0, 3.0, 5), "undecided"),
        (Finding(-1.0, 0.5, 5), "below"),
        (Finding(2.0, math.nan, 1), "undecided"),
    ],
)
def test_differences_are_called_as_the_protocol_does(found, expected):
    assert length.call(found) == expected


def test_the_slope_is_that_of_a_line_for_each_seed_with_all_lengths():
    made = runs(GROWS, drift=1.0)
    found = length.slope(made, "selective-learning")
    x = np.log10([8, 24, 75, 300])
    by_seed = [
        stats.linregress(x, [lead + noise for lead in (-1, 0, 1, 2)]).slope for noise in NOISE[:3]
    ]
    assert found.n == 3  # as many as the longest length has
    assert found.mean == pytest.approx(np.mean(by_seed))
    assert length.slope(runs({8: (1.0, 5)}), "selective-learning").n == 0
    assert length.slope(NONE, "selective-learning").n == 0


def test_each_decision_is_compared_with_its_like():
    made = runs({8: (1.0, 3)})
    measures = length.MEASURES
    tuned = length.leads(made, "cross-entropy", measures["mA, tuned for it"])[8]
    assert tuned.mean == pytest.approx(2 + 0.02 * -0.1, abs=0.01)
    assert length.leads(made, "cross-entropy", measures["F1, tuned for it"])[8].mean == -2
    assert length.leads(made, "cross-entropy", measures["mA, own decision"])[8].mean > 10
    assert length.leads(made, "crl", measures["mA, tuned for it"]) == {}  # records without it


def test_the_paragraph_gives_every_measure_that_records_have():
    text = length.paragraph(runs(GROWS))
    for words in length.MEASURES:
        assert f" in {words}" in text
    assert "Not run yet" in text or all(
        length.counts(runs(GROWS)).loc[name, epochs] >= seeds
        for name in length.METHODS
        for epochs, seeds in length.PLAN.items()
    )


def test_what_is_not_run_yet_is_counted_method_by_method():
    made = runs({8: (1.0, 5), 24: (1.0, 3)}, methods=length.METHODS[:5] + ("dcl",))
    made = made[~((made["method"] == "crl") & (made["seed"] == 4))]
    assert length.counts(made).loc["crl", [8, 24, 75, 300]].tolist() == [4, 3, 0, 0]
    text = length.not_run(made)
    assert "8 epochs: crl (4 of 5 seeds);" in text
    assert "24 epochs: every method (3 of 5 seeds);" in text
    assert "75, 300 epochs: every method" in text
    assert length.not_run(runs({L: (1.0, seeds) for L, seeds in length.PLAN.items()})) == ""


def test_conclusions_on_faces_stand_on_the_longest_training_with_enough_seeds(tmp_path):
    def saved(folder, *made):
        for one in made:
            path = tmp_path / folder / one["config"]["results"].rpartition("/")[2]
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(one))

    def some(epochs, seeds):
        return [record(name, s, 80.0, epochs=epochs, results=f"r/{name}-{epochs}-{s}.json")
                for name in ("dcl", "crl") for s in range(seeds)]  # fmt: skip

    saved("celeba-30k", record("dcl", 0, 70.0, results="r/a.json"))
    assert length.longest_repeated(tmp_path)["mA"].tolist() == [70.0]
    saved(length.FOLDER, *some(8, 3), *some(24, 2))
    runs = length.longest_repeated(tmp_path)
    assert set(runs["epochs"]) == {8}
    assert len(runs) == 6
    saved(length.FOLDER, *some(24, 3))
    assert set(length.longest_repeated(tmp_path)["epochs"]) == {24}


def test_overfitting_begins_where_the_validation_loss_is_lowest():
    table = length_tables.overfitting(runs({8: (1.0, 2), 24: (1.0, 1)}))
    row = table.loc[24, "dcl"]
    assert row["lowest"] == 12
    assert row["chosen"] == 13
    assert row["loss at the end"] == 5 + 12**2
    assert table.loc[(8, "dcl"), "seeds"] == 2
    old = with_epochs(record("dcl", 0, 80.0))
    assert length_tables.overfitting(old).empty


def test_leads_in_words_have_a_row_for_each_other_method_and_a_dash_for_none():
    made = runs({8: (1.0, 3), 24: (2.0, 1)})
    made = made[~((made["method"] == "crl") & (made["epochs"] == 24))]
    table = length_tables.leads_in_words(made)
    assert list(table.columns) == [8, 24]
    assert table.index[0] == PRIOR
    assert table.loc["selective-learning", 24] == "+2.00"
    assert table.loc["crl", 24] == "-"


def test_every_measure_has_its_leads_and_what_ten_times_the_epochs_add():
    table = length_tables.measures_in_words(runs({8: (-1.0, 5), 80: (1.0, 5)}))
    assert list(table.columns) == [8, 80, "ten times"]
    row = table.loc[("selective-learning", "mA, own decision")]
    assert [text.replace("\xa0", " ").split(" ± ")[0] for text in row] == [
        "-1.00",
        "+1.00",
        "+2.00",
    ]
    assert set(table.loc["cross-entropy"].index) == set(length.MEASURES)
    one = length_tables.measures_in_words(runs({8: (-1.0, 5)}))
    assert set(one["ten times"]) == {"-"}


def test_the_headline_is_the_calls_of_the_longest_training():
    assert length.headline(NONE) == "nothing to compare yet"
    both = "after 300 epochs DCL is ahead of the moved threshold and Selective Learning"
    assert length.headline(runs(GROWS)) == both
    assert length.headline(runs(GROWS, over_prior=-1.0)) == (
        "after 300 epochs DCL is behind the moved threshold and ahead of Selective Learning"
    )


def test_the_last_epoch_is_held_against_the_chosen_one():
    table = length_tables.last_minus_chosen(runs({8: (1.0, 2)}))
    assert table.loc[(8, "dcl"), "mA"].mean == pytest.approx(-1)
    assert table.loc[(8, "dcl"), "f1"].n == 2
    assert length_tables.last_minus_chosen(with_epochs(record("dcl", 0, 80.0))).empty
    assert length_tables.last_minus_chosen(NONE).empty


def test_machine_hours_are_the_records_sum():
    table = length_tables.hours(runs({8: (1.0, 2), 24: (1.0, 1)}))
    assert table.loc["dcl", 8] == 2
    assert table.loc["all", "all"] == 3 * len(length.METHODS)
    assert length_tables.hours(NONE).loc["all", "all"] == 0


def test_lines_end_with_the_longest_run():
    made = runs({8: (1.0, 3), 24: (2.0, 3)})
    longer = [record("crl", 0, 79.0, epochs=300)]  # without DCL beside it
    made = pd.concat([made, with_epochs(*longer)], ignore_index=True)
    figure = figures.leads_by_length(made, "test data")
    own = figure.axes[0]
    for line in own.get_lines():
        x = np.asarray(line.get_xdata(), dtype=float)
        assert x.max() < 30
    assert [label.get_text() for label in own.get_xticklabels()] == ["8", "24"]
    assert PRIOR in [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert figures.leads_by_length(NONE, "none") is None


def test_old_records_leave_the_panels_of_tuned_thresholds_empty():
    made = runs({8: (1.0, 3)})
    made["record"] = [one | {"decisions": {}} for one in made["record"]]
    own, tuned = figures.leads_by_length(made, "test data").axes[:2]
    assert len(own.lines) > len(tuned.lines)


def test_training_curves_have_a_star_where_overfitting_begins():
    figure = figures.training_curves(runs({24: (1.0, 2)}), 24, "test data")
    stars = [line for line in figure.axes[1].get_lines() if line.get_marker() == "*"]
    assert [float(line.get_xdata()[0]) for line in stars] == [12.0] * 3
    assert figures.training_curves(NONE, 24, "none") is None


def test_no_text_has_a_number_that_is_none():
    for made in (NONE, runs({8: (1.0, 1)}), runs(GROWS), runs(FLAT)):
        assert not re.search(r"\bnan\b|inf\b", length.paragraph(made))


def at_two_rates():
    """Runs of 75 epochs, DCL's at a rate chosen anew, and DCL's that kept the rate of others."""
    chosen = runs({24: (0.0, 5), 75: (1.0, 3)})
    old = [record("dcl", seed, 77.0 + NOISE[seed], epochs=75, lr=0.01) for seed in range(2)]
    for one in chosen.loc[(chosen["method"] == "dcl") & (chosen["epochs"] == 75), "record"]:
        one["config"]["lr"] = 0.003
    return chosen, with_epochs(*old)


def test_a_kept_rate_takes_the_place_of_the_chosen_one():
    chosen, kept = at_two_rates()
    at = length.at_kept_rates(chosen, kept)
    assert set(at["epochs"]) == {75}
    assert at.loc[at["method"] == "dcl", "mA"].tolist() == [76.8, 76.9]
    assert (at["method"] == "selective-learning").sum() == 3  # no other row has changed
    assert length.leads(chosen, "selective-learning")[75].mean == pytest.approx(1.0, abs=0.01)
    words = length.kept_in_words(chosen, kept).replace("\xa0", " ")
    assert "DCL after 75 epochs would be behind the moved threshold (-3.00 ± 0.00, n = 2)" in words
    assert "and behind Selective Learning (-3.00 ± 0.00, n = 2)" in words
    assert length.kept_in_words(chosen, NONE) == ""


def test_two_rates_are_compared_on_the_seeds_that_both_have():
    chosen, kept = at_two_rates()
    table = length_tables.rates(chosen, kept)
    assert list(table.index) == [(75, "dcl")]
    row = table.iloc[0]
    assert (row["kept"], row["chosen"]) == (0.01, 0.003)
    assert (row["mA kept"].n, row["mA chosen"].n) == (2, 2)
    assert row["chosen minus kept"].mean == pytest.approx(4.0, abs=0.01)
    only = length_tables.rates(chosen[chosen["method"] != "dcl"], kept).iloc[0]
    assert math.isnan(only["chosen"])
    assert only["chosen minus kept"].n == 0


def test_two_precisions_are_compared_seed_by_seed():
    single = runs({24: (0.0, 5)}, methods=("dcl", "crl"))
    half = with_epochs(record("dcl", 0, single["mA"].iloc[0] + 0.5, epochs=24))
    table = length_tables.precisions(single, half)
    assert list(table.index) == [("dcl", name) for name in ("mA", "F1", "AUC", "AP")]
    row = table.loc[("dcl", "mA")]
    assert row["pairs"] == 1
    assert row["difference"] == pytest.approx(0.5)
    own = single.loc[single["method"] == "dcl", "mA"]
    assert row["seeds apart"] == pytest.approx(np.std(own, ddof=1) * math.sqrt(2))
    other = with_epochs(record("dcl", 1, single["mA"].iloc[2] - 0.1, epochs=24))
    row = length_tables.precisions(single, pd.concat([half, other])).loc[("dcl", "mA")]
    assert (row["pairs"], row["difference"]) == (2, pytest.approx(0.2))
    assert row["seeds apart"] == pytest.approx(np.std(own, ddof=1))


def test_where_a_curriculum_is_stopped_is_told_of_the_longest_length_of_both():
    found = length_tables.overfitting(runs({8: (0.0, 2), 24: (0.0, 2)}))
    text = length_tables.stopping_in_words(found)
    assert text.startswith(
        "Of 24 epochs, Selective Learning's best on validation is epoch 13 in the mean (2 seeds), "
        "DCL's 13 (2)."
    )
    alone = length_tables.overfitting(runs({75: (0.0, 2)}, methods=("dcl", "crl")))
    assert length_tables.stopping_in_words(pd.concat([found, alone])) == text
    assert length_tables.stopping_in_words(alone) == ""


def with_triplets(seed, first, last, **config):
    """A run of DCL of two epochs, at each the loss, the triples, the active ones and f."""
    made = record("dcl", seed, 80.0, **config)
    keys = ("metric", "triples", "active", "f")
    made["history"] = [
        dict(zip(keys, values, strict=True), epoch=n, loss=10.0)
        for n, values in enumerate((first, last))
    ]
    return made


def test_a_triplet_loss_that_rises_is_told_with_the_triplets_that_it_has():
    made = with_epochs(
        with_triplets(0, (1.0, 5e4, 5e4, 1.0), (6.0, 6e5, 4.5e5, 0.1), epochs=24),
        with_triplets(1, (3.0, 1e5, 1e5, 1.0), (6.0, 6e5, 4.5e5, 0.1), epochs=24),
        record("selective-learning", 0, 80.0, epochs=24),
    )
    found = length_tables.triplets(made)
    assert list(found.index) == [(24, "dcl")]
    row = found.iloc[0]
    assert row["loss"].tolist() == [2.0, 6.0]
    assert row["triples"].tolist() == [75.0, 600.0]
    assert row["violated"].tolist() == [100.0, 75.0]
    assert row["share"].tolist() == pytest.approx([20.0, 6.0])
    text = length_tables.triplets_in_words(found)
    assert "from 2.0 to 6.0" in text
    assert "75 thousand of them at first and 600 thousand at the end" in text
    assert "the loss is 62 % lower then" in text  # 6 / 600 for 2 / 75
    assert "75 % are still violated" in text
    none = length_tables.triplets(made[made["method"] != "dcl"])
    assert none.empty
    assert length_tables.triplets_in_words(none) == ""


def test_the_paragraph_holds_dcl_against_its_scheduler_where_seeds_repeat():
    made = runs({8: (-1.0, 5), 24: (-1.0, 3), 75: (-1.0, 3)})
    made = made[~((made["method"] == "dcl-ss") & (made["epochs"] == 75) & (made["seed"] > 0))]
    text = length.paragraph(made).replace("\xa0", " ")
    assert "After 8 epochs its lead over plain cross entropy was +9.0" in text
    assert "After 24 epochs DCL is, with its triplets, behind its sampling scheduler alone" in text
    assert "`dcl-ss` (-1.0" in text
