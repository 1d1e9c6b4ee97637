"""The book's tables: the paper's beside ours, at every decision, with what each row is."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest
from made import decided, frame, record, three_seeds

from dcl.experiment.grid import read_grid
from dcl.experiment.records import RecordError
from dcl_book import evidence, figures, tables
from dcl_book.evidence import PRIOR
from dcl_book.finding import Finding
from dcl_book.measures import best_on_validation, class_balanced, metric

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "results" / "celeba-30k"


def test_the_learning_rate_is_compared_on_validation_in_one_seed():
    runs = frame(
        *(record("dcl", seed, 80, lr=lr) for seed, lr in ((0, 0.01), (0, 0.003), (1, 0.003))),
        record("crl", 0, 70, lr=0.01),
    )
    for value, made in zip((81.0, 82.0, 99.0, 71.0), runs["record"], strict=True):
        made["selection"] = {"best_val_mA": value}
    table = tables.learning_rates(runs)
    assert list(table.columns) == [0.003, 0.01]
    assert table.loc["dcl"].tolist() == [82.0, 81.0]
    assert math.isnan(table.loc["crl", 0.003])
    assert table.loc["crl", 0.01] == 71.0
    with pytest.raises(RecordError, match="more than one run of a method, .* crl-seed0.json, crl"):
        tables.learning_rates(pd.concat([runs, runs.iloc[3:]], ignore_index=True))
    (axes,) = figures.learning_rates(table, "test data").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["DCL", "CRL"]


def test_a_rate_is_chosen_when_every_rate_was_tried(tmp_path):
    nan = float("nan")
    rates = pd.DataFrame(
        {0.003: [79.0, 70.0, 60.0], 0.01: [81.0, nan, 65.0], 0.03: [nan, nan, 64.0]},
        index=["dcl", "crl", "cross-entropy"],
    )
    notes = tmp_path / "not_finite.csv"
    notes.write_text('method,lr,seed,message\ndcl,0.03,0,"the loss is not finite at step 27"\n')
    assert tables.rates_table(rates, notes).to_dict("index") == {
        "dcl": {"0.003": "79.00", "0.01": "81.00", "0.03": "not finite", "chosen": "0.01"},
        "crl": {"0.003": "70.00", "0.01": "-", "0.03": "-", "chosen": "-"},
        "cross-entropy": {"0.003": "60.00", "0.01": "65.00", "0.03": "64.00", "chosen": "0.01"},
    }
    assert tables.rates_table(rates, notes, least=1).loc["crl", "chosen"] == "0.003"
    none = tables.rates_table(rates, tmp_path / "none.csv")
    assert none.loc["dcl", "0.03"] == "-"


def test_a_rate_that_no_method_has_is_no_column_and_nothing_chosen_none(tmp_path):
    nan = float("nan")
    rates = pd.DataFrame({0.003: [79.0, nan], 0.01: [nan, 81.0], 0.03: [nan, nan]}, ["dcl", "crl"])
    table = tables.rates_table(rates, tmp_path / "none.csv", least=2)
    assert list(table) == ["0.003", "0.01"]
    assert "chosen" in tables.rates_table(rates, tmp_path / "none.csv", least=1)


def test_every_published_run_is_at_the_rate_that_validation_chose():
    published_runs = evidence.of_dataset(PUBLISHED, "celeba")
    others = evidence.of_dataset(ROOT / "results" / "celeba-30k-lr", "celeba")
    both = pd.concat([published_runs, others], ignore_index=True)
    rates = tables.learning_rates(both)
    other_seeds = evidence.of_dataset(ROOT / "results" / "celeba-30k-lr-seeds", "celeba")
    dead = other_seeds[other_seeds["record"].map(best_on_validation) < 50.01]  # one answer for all
    assert set(dead["method"]) == {"tau-norm"}
    for method, made in zip(dead["method"], dead["record"], strict=True):
        assert rates.loc[method].idxmax() == made["config"]["lr"]
        rates.loc[method, made["config"]["lr"]] = float("nan")
    chosen = rates.idxmax(axis=1)
    for method, made in zip(published_runs["method"], published_runs["record"], strict=True):
        assert made["config"]["lr"] == chosen[method], (method, made["seed"])


@pytest.mark.parametrize(
    "grid", ["celeba-30k-lr", "celeba-30k-length-lr", "celeba-30k-length-lr-75"]
)
def test_every_rate_has_a_record_or_a_note_of_why_not(grid):
    folder = ROOT / "results" / grid
    notes = pd.read_csv(folder / "not_finite.csv")
    named = {f"{note.method}-lr-{note.lr:g}-seed{note.seed}" for note in notes.itertuples()}
    runs = read_grid(ROOT / "notebooks" / "grids" / f"{grid}.yaml", {})
    missing = {run.name for run in runs if any(not (ROOT / r).is_file() for r in run.records)}
    assert missing == named
    assert notes["message"].str.startswith("the loss is not finite at step").all()


def test_table_2_marks_the_best_and_the_second_of_a_row():
    values = pd.DataFrame([[3.0, 1.0, 2.0], [1.0, 2.0, 2.0]], columns=list("abc"))
    marked = tables.paper._mark(values, values.astype(str))
    assert marked.to_numpy().tolist() == [
        ["<b>3.0</b>", "1.0", "<u>2.0</u>"],
        ["<u>1.0</u>", "<b>2.0</b>", "<b>2.0</b>"],
    ]


def test_table_2_holds_the_paper_beside_ours():
    table = tables.table2(three_seeds())
    assert table.shape[0] == 40
    assert "Bald" in table.index
    assert ("dcl", "paper") in table
    assert ("dcl", "ours") in table
    assert ("lmle", "paper") in table
    assert ("lmle", "ours") not in table
    assert "±" in table.loc["Bald", ("dcl", "ours")]
    averages = tables.averages(three_seeds())
    assert averages.loc["dcl", "paper"] == "89.05"
    assert averages.loc["cross-entropy", "ours to dcl"].startswith("-8.10\N{NO-BREAK SPACE}±")


def test_metrics_of_a_run_are_dark_on_light_and_rise_in_imbalance():
    made = evidence.of_dataset(PUBLISHED, "celeba", "dcl")["record"].iloc[0]
    html = tables.attributes(made).to_html()
    assert html.index("Attractive") < html.index("Bald")
    colours = re.findall(r"background-color: (#\w+);\s*color: (#\w+);", html)
    assert len({ground for ground, _ in colours}) > 10
    assert {ink for _, ink in colours} == {"#000000"}
    assert min(sum(bytes.fromhex(ground[1:])) for ground, _ in colours) > 0x180


def test_means_rise_in_the_first_measure():
    runs = three_seeds()
    measures = {"mA": class_balanced, "accuracy": metric("accuracy")}
    table = tables.means(runs, measures)
    assert list(table.index) == ["cross-entropy", "dcl"]
    assert list(table.columns) == ["mA", "accuracy", "seeds"]
    assert table.loc["dcl", "accuracy"] == "90.0\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.0"


def test_steps_are_to_the_row_above():
    runs = three_seeds().assign(row=lambda x: x["method"])
    steps = tables.steps(runs, {"cross-entropy": 81.17, "dcl": 89.05, "crl": 86.6})
    assert steps.loc["dcl", "paper_step"] == pytest.approx(7.88)
    assert steps.loc["dcl", "step"].mean == pytest.approx(8.1)
    assert steps.loc["crl", "step"].n == 0
    worse = three_seeds(gain=-3).assign(row=lambda x: x["method"])
    steps = tables.steps(worse, {"cross-entropy": 81.17, "dcl": 89.05})
    assert steps.loc["dcl", "step"].high < 0
    assert list(tables.steps_as_text(steps)["seeds"]) == [3, 3]


def test_numbers_are_tried_one_at_a_time_beside_the_default():
    runs = frame(
        record("dcl", 0, 80),
        record("dcl", 1, 82),
        record("dcl", 0, 79, k=5),
        record("dcl", 1, 80, k=5),
        record("dcl", 0, 83, k=100),
        record("dcl", 0, 10, k=5, p=0.9),  # two at once: not of a row
        record("dcl", 0, 81, anchors="all"),  # a choice, no number
    )
    tried = tables.sensitivity(runs)
    assert list(tried) == ["k"]
    assert list(tried["k"].index) == [5, 25, 100]
    assert tried["k"].loc[5, "effect"].mean == pytest.approx(-1.5)
    assert tried["k"].loc[25, "effect"].n == 0
    assert tried["k"].loc[5, "seeds"] == pytest.approx([79, 80])
    (axes,) = figures.sensitivity(tried, "a title").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "25", "100"]


def test_a_number_that_moves_much_has_a_scale_of_its_own():
    def panel(*values):
        effect = [Finding.of([]), *(Finding.of([0.0]) for _ in values[1:])]
        rows = {"mA": [Finding.of([x]) for x in values], "effect": effect}
        return pd.DataFrame(rows | {"seeds": [[x] for x in values]}, range(len(values)))

    tried = {"batch_size": panel(80.0, 60.0), "k": panel(80.0, 79.0), "p": panel(80.0, 81.0)}
    far, k, p = figures.sensitivity(tried, "a title").axes
    assert far.get_xlabel() == "batch size, a scale of its own"
    assert k.get_ylim() == p.get_ylim() != far.get_ylim()
    assert (k.get_xlabel(), p.get_xlabel()) == ("k", "p")


def test_hours_count_the_runs_that_do_not_say_theirs():
    runs = frame(record("dcl", 0, 80), record("dcl", 1, 80))
    assert tables.machine_hours(runs) == "2.0 machine hours of training."
    del runs["record"][1]["timing"]["training_seconds"]
    text = tables.machine_hours(runs)
    assert text == "1.0 machine hours of training, of 1 of 2 runs no time is known."


def test_provenance_has_a_row_for_seeds_of_one_make(tmp_path):
    runs = frame(*(record("dcl", seed, 80) for seed in range(3)), record("crl", 0, 79))
    for number, made in enumerate(runs["record"]):
        source = "late" if number == 2 else "early"
        made["environment"] = {"device": "cpu", "torch": "2.8", "source": source}
        made["date"] = "2026-11-23T10:00:00"
    runs["path"] = [tmp_path / "a" / path for path in runs["path"]]
    shown = tables.provenance(runs, str(tmp_path)).data
    assert shown["records"].tolist() == ["a/dcl-seed*.json"] * 2 + ["a/crl-seed*.json"]
    assert shown["seeds"].tolist() == ["0, 1", "2", "0"]
    assert shown["source"].tolist() == ["early", "late", "early"]


def both_ways(seeds=2):
    """Two methods with all of their decisions, DCL from before there were any."""
    made = []
    for seed in range(seeds):
        plain = record("cross-entropy", seed, 70.0)
        made.append(decided(plain, prior=80.0, tuned=81.0, f1=64.0))
        made.append(decided(record("crl", seed, 78.0), tuned=81.0, f1=63.0))
        made.append(record("dcl", seed, 79.0))
    return frame(*made)


def test_tuned_columns_appear_with_the_records_that_have_them():
    assert tables.tuned(three_seeds(), "mA", "f1") == {}
    one = both_ways()[lambda runs: runs["method"] != "crl"]
    assert tables.tuned(one, "mA", "f1") == {}  # of one method alone there is nothing to compare
    measures = {"mA": class_balanced} | tables.tuned(both_ways(), "mA", "f1")
    table = tables.means(both_ways(), measures)
    assert list(table.columns) == ["mA", "mA, tuned", "F1, tuned", "seeds"]
    assert table.loc["cross-entropy", "mA, tuned"].startswith("81.0")
    assert table.loc["cross-entropy", "F1, tuned"].startswith("64.0")
    assert table.loc["dcl", ["mA, tuned", "F1, tuned"]].tolist() == ["-", "-"]


def test_cross_entropy_at_the_prior_is_a_row_beside_the_papers_methods():
    averages = tables.averages(both_ways())
    assert averages.loc[PRIOR, "paper"] == "-"
    assert averages.loc[PRIOR, "ours"].startswith("80.00")
    assert averages.loc["cross-entropy", "mA, tuned"].startswith("81.00")
    assert PRIOR not in tables.averages(three_seeds()).index
    assert averages.loc["lmle", "ours"] == "-"


def test_an_overview_has_the_row_at_the_prior_and_its_groups():
    runs = both_ways()
    for made in runs["record"]:
        for test in (made["test"], *(x["test"] for x in made.get("decisions", {}).values())):
            test["groups"] = {"over 1:50": test["mA"] - 5}
    table = tables.overview(runs)
    assert table.loc[PRIOR, "over 1:50"].startswith("75.0")
    assert list(table.index) == ["cross-entropy", "crl", "dcl", PRIOR]


def test_an_overview_leaves_out_a_group_of_all():
    runs = both_ways()
    for made in runs["record"]:
        for test in (made["test"], *(x["test"] for x in made.get("decisions", {}).values())):
            test["groups"] = {"all of them": test["mA"]}
    assert "all of them" not in tables.overview(runs)


def test_rows_of_schedules_say_where_they_ended_and_how_they_moved():
    runs = three_seeds(curriculum="epoch").assign(row=lambda x: x["method"])
    steps = tables.steps(runs, {"cross-entropy": 81.17, "dcl": 89.05, "crl": 86.6})
    assert steps["final_g"].tolist()[1:] == ["0.000, epoch-wise", "-"]
    assert "g at the end" in tables.steps_as_text(steps)


def test_what_is_left_out_is_told_with_its_reason(tmp_path):
    assert tables.left_out(str(tmp_path)) == ""
    text = tables.left_out(str(PUBLISHED))
    for line in text.splitlines():
        assert re.match(r"Left out: \S+, seed .*: .*\.$", line)
