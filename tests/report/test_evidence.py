"""What the report pages say of records: differences, verdicts, tables, curves."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcl.experiment.grid import read_grid
from dcl.experiment.records import RecordError
from dcl.report import claims, evidence, figures, published, tables
from dcl.report.evidence import VERDICTS, Finding, verdict
from dcl.report.figures.reports import attribute_curve, sweep

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "results" / "celeba-30k"
ATTRIBUTES = list(published.table(2).index)


def record(method, seed, mean, *, slope=0.0, epochs=8, found=10, **config):
    """A record whose mA rises by `slope` for each percent of imbalance level."""
    levels = published.table(2)["imbalance_level"]
    values = mean + slope * levels
    return {
        "method": method,
        "seed": seed,
        "config": {"epochs": epochs, "sampling": "convex", "anchors": "easy", **config},
        "dataset": {"title": "test data", "found": {"train": found}, "expected": {"train": 10}},
        "test": {
            "mA": values.mean(),
            "accuracy": 90.0,
            "per_attribute": {
                name: {"mA": values[name], "imbalance_level": float(levels[name])}
                for name in ATTRIBUTES
            },
        },
    }


def frame(*records):
    return pd.DataFrame(
        {
            "method": [r["method"] for r in records],
            "seed": [r["seed"] for r in records],
            "title": [r["dataset"]["title"] for r in records],
            "path": [Path(f"{r['method']}-seed{r['seed']}.json") for r in records],
            "record": records,
        }
    )


def three_seeds(gain=8.0, **options):
    runs = []
    for seed, noise in enumerate((-0.5, 0.0, 0.5)):
        runs.append(record("cross-entropy", seed, 70 + noise, **options))
        runs.append(record("dcl", seed, 70 + noise + gain + 0.1 * seed, **options))
    return frame(*runs)


def test_a_difference_is_taken_seed_by_seed():
    found = Finding.of(evidence.difference(three_seeds(), "dcl", "cross-entropy"))
    assert found.n == 3
    assert found.mean == pytest.approx(8.1)
    assert found.half == pytest.approx(4.302652 * 0.1 / math.sqrt(3), rel=1e-5)


def test_only_seeds_that_both_have_count():
    runs = three_seeds()
    runs = runs[~((runs["method"] == "dcl") & (runs["seed"] == 1))]
    assert list(evidence.difference(runs, "dcl", "cross-entropy").index) == [0, 2]


def test_two_runs_of_a_seed_are_refused():
    runs = pd.concat([three_seeds(), three_seeds()])
    with pytest.raises(RecordError, match=r"more than one run of dcl.*dcl-seed0\.json"):
        evidence.by_seed(runs, "dcl")


@pytest.mark.parametrize(
    ("finding", "sign", "number", "like", "expected"),
    [
        (Finding(math.nan, math.nan, 0), 1, 8, True, "not tried"),
        (Finding(5, math.nan, 1), 1, 8, True, "undecided"),
        (Finding(1, 2, 3), 1, 1, True, "undecided"),
        (Finding(-5, 1, 3), 1, 8, True, "not"),
        (Finding(5, 1, 3), -1, -4, True, "not"),
        (Finding(8.5, 1, 3), 1, 8, True, "reproduced"),
        (Finding(-4.5, 1, 3), -1, -4, True, "reproduced"),
        (Finding(5, 1, 3), 1, 8, True, "partly"),
        (Finding(8.5, 1, 3), 1, 8, False, "partly"),
        (Finding(5, 1, 3), 1, math.nan, True, "reproduced"),
    ],
)
def test_verdicts_follow_the_rule(finding, sign, number, like, expected):
    assert verdict(finding, sign=sign, published=number, like=like) == expected


def test_only_the_whole_data_and_the_whole_training_are_the_papers():
    assert evidence.as_in_the_paper(record("dcl", 0, 80, epochs=300))
    assert not evidence.as_in_the_paper(record("dcl", 0, 80, epochs=8))
    assert not evidence.as_in_the_paper(record("dcl", 0, 80, epochs=300, found=9))


def test_every_claim_is_measured_or_has_a_page():
    names = set(published.claims().index)
    parts = [set(claims.MEASURES), set(claims.ELSEWHERE)]
    assert set.union(*parts) == names
    assert sum(map(len, parts)) == len(names)
    pages = {page for _, page in claims.FOLDERS.values()} | set(claims.ELSEWHERE.values())
    for page in pages:
        assert any(
            (ROOT / folder / f"{page}{suffix}").is_file()
            for folder, suffix in (("notebooks", ".ipynb"), ("book", ".md"))
        ), page


def test_measures_of_the_papers_own_table_give_its_numbers():
    """Records made from Table 2 itself: each measure of CelebA must give the published number."""
    paper = published.table(2)
    runs = []
    for method in paper.columns.drop("imbalance_level"):
        made = record(method, 0, 0)
        for name in ATTRIBUTES:
            made["test"]["per_attribute"][name]["mA"] = float(paper.loc[name, method])
        made["test"]["mA"] = published.averages()[method]
        runs.append(made)
    runs = frame(*runs)
    for name, claim in published.claims().iterrows():
        experiment, sign, values = claims.MEASURES.get(name, ("", 0, None))
        if experiment != "celeba" or "dcl-ss" in claim["needs"]:
            continue
        (found,) = values(runs)
        assert found == pytest.approx(claim["from_tables"], abs=0.06), name
        assert sign * found > 0, name


def test_claims_without_records_are_not_tried(tmp_path):
    judged = claims.judge(tmp_path)
    tried = judged.drop(index=list(claims.ELSEWHERE))
    assert set(tried["verdict"]) == {"not tried"}
    assert len(judged) == len(published.claims())


def test_runs_are_named_by_the_choices_that_they_make_otherwise():
    runs = frame(
        record("dcl", 0, 80, epsilon=0.1, momentum=0.9, trunk=True),
        record("dcl", 0, 79, anchors="all", epsilon=0.1),
        record("dcl", 0, 78, epsilon=0, trunk=False),
    )
    names = list(evidence.by_choice(runs)["method"])
    assert names == [evidence.AS_READ, "anchors = all", "epsilon = 0, trunk = False"]
    table = tables.choices(runs.iloc[:2])
    assert list(table.index) == [evidence.AS_READ, "anchors = all"]
    assert table["effect"].iloc[1].mean == pytest.approx(-1)
    _, sign, values = claims.MEASURES["easy-anchors-stabilise"]
    assert sign * values(runs)[0] == pytest.approx(1)


def test_the_claims_page_shows_every_claim_and_links_to_a_page():
    judged = claims.judge(ROOT / "results")
    html = claims.as_html(judged)
    assert html.count("<tr>") == len(judged) + 1
    assert set(judged["verdict"]) <= {*VERDICTS, "see its page"}
    assert claims.count_of_verdicts(judged).startswith(f"{len(judged)} claims: ")


def test_a_claim_says_where_the_papers_number_lies_outside_the_interval():
    found = {
        "within": Finding(7.0, 1.5, 3),
        "without": Finding(3.0, 1.5, 3),
        "one": Finding(3.0, math.nan, 1),
    }
    rows = [
        {"claim": name, "where": "4", "published": 7.9, "unit": "points", "finding": finding,
         "data": "", "verdict": "partly", "page": "table2"}
        for name, finding in found.items()
    ]  # fmt: skip
    lines = claims.as_html(pd.DataFrame(rows)).splitlines()
    assert ["interval without" in line for line in lines if "<td>" in line] == [False, True, False]


def test_only_runs_in_the_papers_setting_are_called_reproduced():
    judged = claims.judge(ROOT / "results")
    for name in judged.index[judged["verdict"] == "reproduced"]:
        folder, _ = claims.FOLDERS[claims.MEASURES[name][0]]
        runs = evidence.collect_if_any(ROOT / "results" / folder)
        assert all(map(evidence.as_in_the_paper, runs["record"])), name


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
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dcl", "crl"]


def test_every_published_run_is_at_the_rate_that_validation_chose():
    published_runs = evidence.of_dataset(PUBLISHED, "celeba")
    others = evidence.of_dataset(ROOT / "results" / "celeba-30k-lr", "celeba")
    both = pd.concat([published_runs, others], ignore_index=True)
    chosen = tables.learning_rates(both).idxmax(axis=1)
    for method, made in zip(published_runs["method"], published_runs["record"], strict=True):
        assert made["config"]["lr"] == chosen[method], (method, made["seed"])


def test_every_rate_has_a_record_or_a_note_of_why_not():
    folder = ROOT / "results" / "celeba-30k-lr"
    notes = pd.read_csv(folder / "not_finite.csv")
    named = {f"{note.method}-lr-{note.lr:g}-seed{note.seed}" for note in notes.itertuples()}
    runs = read_grid(ROOT / "notebooks" / "grids" / "celeba-30k-lr.yaml", {})
    missing = {run.name for run in runs if any(not (ROOT / r).is_file() for r in run.records)}
    assert missing == named
    assert notes["message"].str.startswith("the loss is not finite at step").all()


def test_table_2_marks_the_best_and_the_second_of_a_row():
    values = pd.DataFrame([[3.0, 1.0, 2.0], [1.0, 2.0, 2.0]], columns=list("abc"))
    marked = tables._mark(values, values.astype(str))
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
    measures = {"mA": evidence.mean_accuracy, "accuracy": evidence.metric("accuracy")}
    table = tables.means(runs, measures)
    assert list(table.index) == ["cross-entropy", "dcl"]
    assert list(table.columns) == ["mA", "accuracy", "seeds"]
    assert table.loc["dcl", "accuracy"] == "90.0\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.0"
    assert tables.best(runs.assign(mA=[r["test"]["mA"] for r in runs["record"]])) == "dcl"


def test_steps_are_to_the_row_above_and_sentences_follow_the_numbers():
    runs = three_seeds().assign(row=lambda x: x["method"])
    steps = tables.steps(runs, {"cross-entropy": 81.17, "dcl": 89.05, "crl": 86.6})
    assert steps.loc["dcl", "paper_step"] == pytest.approx(7.88)
    assert steps.loc["dcl", "step"].mean == pytest.approx(8.1)
    assert tables.sentence("dcl", "cross-entropy", steps.loc["dcl"]).endswith("same direction.")
    assert tables.sentence("crl", "dcl", steps.loc["crl"]).endswith("not tried here.")
    worse = three_seeds(gain=-3).assign(row=lambda x: x["method"])
    steps = tables.steps(worse, {"cross-entropy": 81.17, "dcl": 89.05})
    assert "opposite" in tables.sentence("dcl", "cross-entropy", steps.loc["dcl"])
    assert list(tables.told(steps)["seeds"]) == [3, 3]


def test_rank_correlation_is_that_of_gain_and_imbalance():
    runs = frame(record("cross-entropy", 0, 70), record("dcl", 0, 75, slope=0.1))
    assert evidence.rank_correlation(runs, "dcl")[0] == pytest.approx(1.0)
    assert evidence.rank_correlation(frame(record("dcl", 0, 1)), "dcl").empty


def test_another_data_set_is_refused_with_the_ones_there_are():
    with pytest.raises(RecordError, match="no record of dataset 'mnist'.*celeba"):
        evidence.of_dataset(PUBLISHED, "mnist")


def test_a_sweep_goes_through_the_recorded_decision():
    runs = evidence.of_dataset(PUBLISHED, "celeba", "cross-entropy")
    (made,) = [
        r for r in runs["record"]
        if r["method"] == "cross-entropy" and r["seed"] == 0 and "curves" in r["test"]
    ]  # fmt: skip
    at_decision = sweep(made).loc[0.0]
    assert at_decision["mA"] == pytest.approx(made["test"]["mA"], abs=0.01)
    curve = attribute_curve(made, "Bald").loc[0.0]
    for key in ("recall", "precision", "f1"):
        assert curve[key] == pytest.approx(made["test"]["per_attribute"]["Bald"][key], abs=0.2)


def test_figures_of_the_reports_are_drawn_from_records():
    runs = evidence.of_dataset(PUBLISHED, "celeba", "cross-entropy", "dcl")
    shown = runs[runs["method"].isin(["cross-entropy", "dcl"])]
    axes = figures.gain_over_cross_entropy(shown).axes[0]
    titles = axes.get_title() + axes.get_title("left")  # by the style, on the left in the book
    assert titles.endswith("gain over cross entropy")
    steps = tables.steps(shown.assign(row=shown["method"]), {"cross-entropy": 81.17, "dcl": 89.05})
    axes = figures.paper_and_ours(steps, "Table 3").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cross-entropy", "dcl"]
    assert np.isfinite(axes.get_xlim()).all()


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


def test_concave_is_held_against_linear_imbalance_only_where_it_has_time_to_fall():
    def found(epochs):
        values = {
            "convex": 80,
            "linear": 81,
            "composite": 82,
            "concave": 60,
            "linear-imbalance": 79,
        }
        made = [
            record("dcl-ss", 0, mean, epochs=epochs, sampling=name, decay=0.99)
            for name, mean in values.items()
        ]
        _, _, values_of = claims.MEASURES["linear-imbalance-is-worst"]
        return values_of(frame(*made))[0]

    assert found(8) == pytest.approx(1)
    assert found(300) == pytest.approx(-19)
