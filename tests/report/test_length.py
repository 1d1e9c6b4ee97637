"""Does DCL's lead come with training? The numbers follow the made-up runs, whole or in part."""

import math

import numpy as np
import pandas as pd
import pytest
from made import record
from made_lengths import GROWS, NOISE, NONE, runs, with_epochs
from scipy import stats

from dcl_book import (
    figures,
    length,
    length_precision,
    length_tables,
    length_triplets,
)
from dcl_book.evidence import PRIOR
from dcl_book.finding import Finding
from dcl_book.names import called


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


def test_overfitting_begins_where_the_validation_loss_is_lowest():
    table = length_tables.overfitting(runs({8: (1.0, 2), 24: (1.0, 1)}))
    row = table.loc[24, "dcl"]
    assert row["lowest"] == 12
    assert row["chosen"] == 13
    assert row["loss at the end"] == 5 + 12**2
    assert table.loc[(8, "dcl"), "seeds"] == 2
    old = with_epochs(record("dcl", 0, 80.0))
    assert length_tables.overfitting(old).empty


def test_the_table_of_leads_has_a_row_for_each_other_method_and_a_dash_for_none():
    made = runs({8: (1.0, 3), 24: (2.0, 1)})
    made = made[~((made["method"] == "crl") & (made["epochs"] == 24))]
    table = length_tables.leads_table(made)
    assert list(table.columns) == [8, 24]
    assert table.index[0] == PRIOR
    assert table.loc["selective-learning", 24].split() == ["+2.00", "(1)"]
    assert table.loc["crl", 24] == "-"


def with_last(made, own, **others):
    """The last epoch's mA at the own decision, and at others, which the record has too."""
    test = made["test"]
    decided = {name: {"test": test | {"mA": 0.0}} for name in others}
    ends = {"argmax": own} | others
    ends = {name: test | {"mA": mA} for name, mA in ends.items()}
    return made | {"decisions": decided, "last": {"epoch": 7, "test": ends}}


def test_at_the_last_epoch_every_decision_is_that_of_the_last():
    made = with_epochs(
        with_last(record("dcl", 0, 90.0), 82.0, **{"tuned-mA": 83.0}),
        with_last(record("cross-entropy", 0, 70.0), 71.0, prior=81.5),
        record("crl", 0, 80.0),  # has not kept it
    )
    ends = length.at_the_last_epoch(made)
    assert set(ends["method"]) == {"dcl", "cross-entropy", PRIOR}
    assert length.leads(ends, "cross-entropy")[8].mean == 11.0
    assert length.leads(ends, PRIOR)[8].mean == 0.5
    tuned = length.MEASURES["mA, tuned for it"]
    assert tuned(ends["record"][0]) == 83.0
    assert tuned(made["record"][0]) == 0.0  # as it was
    assert length.at_the_last_epoch(NONE).empty


def test_a_length_says_with_what_it_was_trained():
    made = runs({8: (1.0, 3), 24: (1.0, 1)})
    for row in made.itertuples():
        row.record["environment"] = {"device": "cuda" if row.seed == 2 else "cpu"}
        if row.seed == 2 and row.method == "dcl":
            row.record["config"]["precision"] = "bfloat16"
    table = length_tables.machines(made)
    told = table.drop(columns="hours").to_numpy().tolist()
    others = ", ".join(sorted(set(length.TRAINED) - {"dcl"}))
    assert told == [
        [8, "2", "bfloat16", "cuda", "dcl"],
        [8, "0, 1", "float32", "cpu", "all"],
        [8, "2", "float32", "cuda", others],
        [24, "0", "float32", "cpu", "all"],
    ]
    assert table["hours"].tolist() == ["1.0", "12.0", "5.0", "6.0"]
    assert length_tables.machines(NONE).empty


def test_lines_end_with_the_longest_run():
    made = runs({8: (1.0, 3), 24: (2.0, 3)})
    longer = [record("crl", 0, 79.0, epochs=300)]  # without DCL beside it
    made = pd.concat([made, with_epochs(*longer)], ignore_index=True)
    views = {"best epoch": made, "last epoch": length.at_the_last_epoch(made)}
    figure = figures.leads_by_length(views, "test data")
    own, end = figure.axes
    for line in own.get_lines():
        x = np.asarray(line.get_xdata(), dtype=float)
        assert x.max() < 30
    assert [label.get_text() for label in own.get_xticklabels()] == ["8", "24"]
    assert len(own.lines) > len(end.lines)  # these records have not kept their last epoch
    assert called(PRIOR) in [text.get_text() for text in figure.legends[0].get_texts()]
    assert figures.leads_by_length({"best epoch": NONE}, "none") is None


def test_the_table_of_other_measures_has_no_row_for_one_that_no_run_has():
    made = runs({8: (1.0, 3), 24: (2.0, 1)})
    table = length_tables.other_measures_table(made)
    assert list(table.columns) == [8, 24]
    assert set(table.index.get_level_values("measure")) <= {*length.MEASURES} - {"mA, own decision"}
    assert table.loc[("F1, tuned for it", "cross-entropy"), 8].split()[0] == "-2.00"
    made["record"] = [one | {"decisions": {}} for one in made["record"]]
    tuned = {"mA, tuned for it", "F1, tuned for it"}
    table = length_tables.other_measures_table(made)
    assert not tuned & set(table.index.get_level_values("measure"))
    assert length_tables.other_measures_table(NONE).empty


def test_training_curves_have_a_star_where_overfitting_begins():
    figure = figures.training_curves(runs({24: (1.0, 2)}), 24, "test data")
    stars = [line for line in figure.axes[1].get_lines() if line.get_marker() == "*"]
    assert [float(line.get_xdata()[0]) for line in stars] == [12.0] * 3
    assert figures.training_curves(NONE, 24, "none") is None


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
    table = length_precision.precisions(single, half)
    assert list(table.index) == [("dcl", name) for name in ("mA", "F1", "AUC", "AP")]
    row = table.loc[("dcl", "mA")]
    assert row["pairs"] == 1
    assert row["difference"] == pytest.approx(0.5)
    own = single.loc[single["method"] == "dcl", "mA"]
    assert row["seeds apart"] == pytest.approx(np.std(own, ddof=1) * math.sqrt(2))
    other = with_epochs(record("dcl", 1, single["mA"].iloc[2] - 0.1, epochs=24))
    row = length_precision.precisions(single, pd.concat([half, other])).loc[("dcl", "mA")]
    assert (row["pairs"], row["difference"]) == (2, pytest.approx(0.2))
    assert row["seeds apart"] == pytest.approx(np.std(own, ddof=1))


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
    found = length_triplets.triplets(made)
    assert list(found.index) == [(24, "dcl")]
    row = found.iloc[0]
    assert row["loss"].tolist() == [2.0, 6.0]
    assert row["triples"].tolist() == [75.0, 600.0]
    assert row["violated"].tolist() == [100.0, 75.0]
    assert row["share"].tolist() == pytest.approx([20.0, 6.0])
    none = length_triplets.triplets(made[made["method"] != "dcl"])
    assert none.empty


def test_a_run_on_a_gpu_is_never_paired_with_one_on_a_cpu():
    made = runs({75: (1.0, 5)})
    moved = made[(made["method"] == "dcl") & (made["seed"] == 1)]
    moved["record"].iloc[0]["environment"] = {"device": "cuda (made up)"}
    assert length.leads(made, "selective-learning")[75].n == 4
    both = made[(made["seed"] == 1) & made["method"].isin(["dcl", "selective-learning"])]
    for one in both["record"]:
        one["environment"] = {"device": "cuda (made up)"}
    assert length.leads(made, "selective-learning")[75].n == 5
