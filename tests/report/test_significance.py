"""What is chance in a record's numbers: against simulation, scipy and sums by hand."""

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import decided, three_seeds
from scipy import stats

from dcl.experiment.records import RecordError
from dcl_book import evidence, figures, published, sampling_error, seed_spread, significance

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "celeba-30k"
RNG = np.random.default_rng
TEST_IMAGES = 19_962  # of CelebA


@pytest.fixture(scope="module")
def runs():
    return evidence.of_dataset(PUBLISHED, "celeba", "cross-entropy", "dcl")


def drawn(seeds=3, methods=6, shared=0.0, noise=1.0, rng=0):
    """mA = method + seed + noise, (seeds, methods)."""
    rng = RNG(rng)
    values = 80 + 3 * rng.standard_normal(methods) + shared * rng.standard_normal((seeds, 1))
    return pd.DataFrame(values + noise * rng.standard_normal((seeds, methods)))


def with_counts(records):
    """Give records of `test_evidence` counts of 100 positives and 900 negatives."""
    for record in records:
        for row in record["test"]["per_attribute"].values():
            row["confusion"] = [[810, 90], [20, 80]]
    return records


# the seed


def test_the_pooled_spread_is_the_root_mean_variance_of_equally_many_seeds():
    values = drawn()
    spread = seed_spread.pooled(values)
    assert spread.sd == pytest.approx(math.sqrt(values.var().mean()))
    assert spread.dof == 12


def test_a_method_with_one_seed_says_nothing_of_spread():
    values = drawn()
    more = values.assign(single=[70.0, math.nan, math.nan])
    for spread in (seed_spread.pooled, seed_spread.paired):
        assert spread(more).sd == pytest.approx(spread(values).sd)
        assert spread(more).dof == spread(values).dof


def test_the_paired_spread_is_that_of_the_differences_of_all_pairs():
    values = drawn(shared=5.0)
    pairs = itertools.combinations(values.columns, 2)
    variances = [(values[a] - values[b]).var() for a, b in pairs]
    spread = seed_spread.paired(values)
    assert spread.sd == pytest.approx(math.sqrt(np.mean(variances)))
    assert spread.dof == (3 - 1) * (6 - 1)


def test_what_a_seed_does_to_all_methods_is_not_in_the_paired_spread():
    values = drawn(seeds=200, methods=4, shared=5.0)
    assert seed_spread.paired(values).sd == pytest.approx(math.sqrt(2), rel=0.1)
    assert seed_spread.pooled(values).sd == pytest.approx(math.sqrt(26), rel=0.15)


def test_gaps_in_the_table_leave_the_paired_spread_unbiased():
    found = []
    for rng in range(300):
        values = drawn(shared=5.0, rng=rng)
        values.iloc[2, :3] = math.nan
        found.append(seed_spread.paired(values).sd ** 2)
    assert np.mean(found) == pytest.approx(2, rel=0.1)


def test_one_seed_of_each_has_no_spread():
    values = drawn(seeds=1)
    for spread in (seed_spread.pooled(values), seed_spread.paired(values)):
        assert spread.dof == 0
        assert str(spread) == "unknown"
        assert np.isnan([spread.sd, *spread.interval()]).all()
    assert math.isnan(seed_spread.equal_spread(values))


def test_the_interval_of_a_spread_holds_the_truth_19_times_of_20():
    held = 0
    for rng in range(1000):
        low, high = seed_spread.pooled(drawn(rng=rng)).interval()
        held += low <= 1 <= high
    assert held / 1000 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_the_half_width_is_that_of_scipys_interval(n):
    values = RNG(n).standard_normal(n)
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert seed_spread.half_width(values.std(ddof=1), n) == pytest.approx((high - low) / 2)


def test_power_is_the_share_of_simulated_studies_that_find_the_step():
    n, step, sd = 4, 1.0, 0.6
    studies = RNG(0).normal(step, sd, (20_000, n))
    half = seed_spread.half_width(studies.std(axis=1, ddof=1), n)
    found = (studies.mean(axis=1) > half).mean()
    assert seed_spread.power(step, sd, n) == pytest.approx(found, abs=0.01)
    assert seed_spread.power(-step, sd, n) == seed_spread.power(step, sd, n)


@pytest.mark.parametrize("step", [0.3, 1.0, 5.0])
def test_the_seeds_that_are_needed_are_the_fewest_that_do(step):
    n = seed_spread.seeds_needed(step, 0.5)
    assert seed_spread.half_width(0.5, n) <= step
    assert n == 2 or seed_spread.half_width(0.5, n - 1) > step
    n = seed_spread.seeds_needed(step, 0.5, 0.8)
    assert seed_spread.power(step, 0.5, n) >= 0.8
    assert n == 2 or seed_spread.power(step, 0.5, n - 1) < 0.8


def test_seeds_for_no_step_are_unending_and_for_no_spread_unknown():
    assert seed_spread.seeds_needed(0.0, 0.5) == math.inf
    assert math.isnan(seed_spread.seeds_needed(1.0, math.nan))


def test_the_papers_steps_are_those_of_its_tables():
    steps = seed_spread.published_steps(seed_spread.Spread(0.4, 10))
    points = dict(zip(steps["step"], steps["points"], strict=True))
    assert points["dcl-ss to dcl-ss-tl"] == pytest.approx(87.55 - 86.58)
    assert points["linear to convex"] == pytest.approx(86.58 - 86.36)
    assert len(steps) == 3 + 4
    assert (steps["found, at most"] >= steps["found"]).all()
    assert seed_spread.published_steps(seed_spread.Spread(math.nan, 0))["found"].isna().all()


# the test images


def test_the_standard_error_of_mA_is_the_spread_of_simulated_test_sets():  # noqa: N802
    positives, negatives, tpr, tnr = 67, 2836, 0.9, 0.93
    rng = RNG(0)
    recall = rng.binomial(positives, tpr, 50_000) / positives
    other = rng.binomial(negatives, tnr, 50_000) / negatives
    tp, tn = positives * tpr, negatives * tnr
    error = sampling_error.binomial_error([[tn, negatives - tn], [positives - tp, tp]])
    assert error == pytest.approx(50 * (recall + other).std(), rel=0.02)
    assert math.isnan(sampling_error.binomial_error([[5, 5], [0, 0]]))


def test_the_error_of_a_mean_lies_between_its_bounds():
    """Attributes that err together, more or less: drawn from normals of known correlation."""
    errors = pd.Series([1.0, 2.0, 0.5, 1.5])
    low, high = sampling_error.bounds_of_mean(errors)
    for correlation, expected in ((0.0, low), (1.0, high), (0.4, None)):
        matrix = np.full((4, 4), correlation) + (1 - correlation) * np.eye(4)
        found = math.sqrt(errors @ matrix @ errors) / 4
        assert low - 1e-12 <= found <= high + 1e-12
        if expected is not None:
            assert found == pytest.approx(expected)


def test_a_published_error_is_that_of_the_counts_behind_it():
    level, accuracy = pd.Series([48.0]), pd.Series([90.0])
    error = sampling_error.published_error(accuracy, level, 10_000)
    positives = 200
    counts = [[8820, 980], [0.1 * positives, 0.9 * positives]]
    assert error[0] == pytest.approx(float(sampling_error.binomial_error(counts)))


@pytest.mark.parametrize("accuracy", [55.0, 72.0, 90.0, 99.0, 100.0])
@pytest.mark.parametrize("level", [1.0, 30.0, 48.0])
def test_the_widest_error_is_the_largest_of_all_recalls_with_that_mean(accuracy, level):
    mean, rare = accuracy / 100, (50 - level) / 100 * TEST_IMAGES
    recall = np.linspace(2 * mean - 1, 1, 20_001)
    other = 2 * mean - recall
    parts = recall * (1 - recall) / rare + other * (1 - other) / (TEST_IMAGES - rare)
    arguments = pd.Series([accuracy]), pd.Series([level]), TEST_IMAGES
    widest = sampling_error.published_error(*arguments, split="widest")[0]
    assert widest == pytest.approx(50 * math.sqrt(max(parts.max(), 0)), abs=1e-4)
    assert widest >= sampling_error.published_error(*arguments)[0] - 1e-9


def test_another_split_of_the_recalls_is_refused():
    with pytest.raises(ValueError, match="'even' or 'widest', got 'odd'"):
        sampling_error.published_error(pd.Series([90.0]), pd.Series([9.0]), 100, split="odd")


def test_published_verdicts_count_every_attribute_once():
    verdicts = sampling_error.published_verdicts(TEST_IMAGES)
    assert (verdicts[["ahead", "within", "behind"]].sum(axis=1) == 40).all()
    assert (verdicts["surely ahead"] <= verdicts["ahead"]).all()
    leads = sampling_error.published_leads(TEST_IMAGES)
    assert (leads["lead"] > 2 * leads["even"]).sum() == verdicts.loc["best other", "ahead"]
    assert leads.loc["Blurry", "other"] == "selective-learning"
    assert leads.loc["Blurry", "lead"] == 93 - 86
    few = sampling_error.published_verdicts(100)
    assert (few["within"] >= verdicts["within"]).all()


def test_the_published_lead_is_that_of_the_printed_averages():
    lead, low, high = sampling_error.published_mean_lead(TEST_IMAGES)
    assert lead == pytest.approx(89.05 - 88.78)
    assert 0 < low < high


# both, of records


def test_the_noise_of_an_attribute_is_of_seeds_and_of_counts():
    made = three_seeds()
    with_counts(made["record"])
    table = seed_spread.noise(made)
    assert list(table.index[[0, -1]]) == ["Attractive", "Bald"]
    # 69.5, 70, 70.5 and 77.5, 78.1, 78.7
    assert table["seed"].to_numpy() == pytest.approx(math.sqrt((0.25 + 0.36) / 2))
    assert table["images"].to_numpy() == pytest.approx(50 * math.sqrt(0.16 / 100 + 0.09 / 900))
    assert set(table["minority"]) == {100}


def test_a_moved_threshold_is_a_row_but_no_repetition():
    made = three_seeds()
    made["record"] = [decided(record, prior=77.0) for record in made["record"]]
    with_counts(made["record"])
    table = significance.survivors(made)
    assert list(table.index) == ["cross-entropy", evidence.PRIOR]
    assert list(seed_spread.accuracies(made)) == ["cross-entropy", "dcl"]
    assert significance.spreads(made).map(lambda spread: spread.dof).eq(2).all()


# many comparisons


def test_holm_is_the_procedure_step_by_step():
    for rng in range(50):
        p = RNG(rng).uniform(size=8) ** 4
        passed = np.zeros(8, dtype=bool)
        for step, place in enumerate(np.argsort(p)):
            if p[place] > 0.05 / (8 - step):
                break
            passed[place] = True
        assert ((significance.holm(p) <= 0.05) == passed).all()
    assert list(significance.holm([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_what_was_not_tested_does_not_count_among_the_tests_of_holm():
    found = significance.holm([np.nan, 0.01, np.nan, 0.04, 0.03])
    assert list(found) == pytest.approx([np.nan, 0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert np.isnan(significance.holm([np.nan])).all()


def test_an_undefined_attribute_is_no_test_of_a_comparison():
    made = noisy(3.0)
    for record in made["record"]:
        record["test"]["per_attribute"]["Bald"]["mA"] = np.nan
    table = significance.compare(made, "dcl")
    assert table.loc["Bald", ["p", "holm", "fdr"]].isna().all()
    others = significance.compare(noisy(3.0), "dcl").drop("Bald")
    pd.testing.assert_series_equal(table["p"].drop("Bald"), others["p"])
    assert np.allclose(table["holm"].min(), np.clip(39 * table["p"].min(), 0, 1))


def noisy(gain, seeds=3, rng=0):
    """Records of two methods whose attributes vary each on its own."""
    rng, made = RNG(rng), three_seeds(gain=gain)
    made = made[made["seed"] < seeds].reset_index(drop=True)
    for record in made["record"]:
        for row in record["test"]["per_attribute"].values():
            row["mA"] += rng.standard_normal()
    return made


def test_a_comparison_is_scipys_paired_t_test():
    made = noisy(3.0)
    table = significance.compare(made, "dcl")
    mA = [  # noqa: N806
        [r["test"]["per_attribute"]["Bald"]["mA"] for r in made["record"][made["method"] == m]]
        for m in ("dcl", "cross-entropy")
    ]
    assert table.loc["Bald", "p"] == pytest.approx(stats.ttest_rel(*mA).pvalue)
    assert (table["holm"] >= table["fdr"]).all()
    assert (table["fdr"] >= table["p"]).all()


def test_methods_that_are_equal_pass_one_by_one_but_not_holm():
    alone = after = 0
    for rng in range(40):
        table = significance.compare(noisy(-0.1, rng=rng), "dcl")
        alone += (table["p"] < 0.05).any()
        after += (table["holm"] < 0.05).any()
    assert alone > 25
    assert after <= 6


def test_the_spread_of_all_methods_finds_what_two_seeds_of_two_cannot():
    made = noisy(6.0)
    others = [noisy(0.0, rng=rng) for rng in range(1, 6)]
    others = [m.assign(method=m["method"] + str(i)) for i, m in enumerate(others)]
    table = significance.survivors(pd.concat([made, *others], ignore_index=True))
    row = table.loc["cross-entropy"]
    assert row["Holm, pooled", "ahead"] > row["Holm", "ahead"]
    assert row["mean", "ahead"] == 40
    assert row["", "seeds"] == 3
    words = significance.counts_as_text(table)
    assert list(words) == ["seeds", "mean", "p < 0.05", "FDR", "Holm", "Holm, pooled"]
    assert words.loc["cross-entropy", "mean"] == "40 / 0"


def test_seeds_that_agree_to_the_last_image_are_no_evidence():
    made = three_seeds(gain=8.0)
    for record in made["record"]:
        record["test"]["per_attribute"]["Bald"]["mA"] = 70.0 + 8 * (record["method"] == "dcl")
    assert significance.compare(made, "dcl").loc["Bald", "p"] == 1


def test_one_seed_is_compared_with_nothing():
    made = noisy(3.0, seeds=1)
    assert significance.compare(made, "dcl").empty
    assert significance.survivors(made).empty
    assert significance.compare(three_seeds(), "dcl", "lmle").empty


def test_two_runs_of_one_seed_are_refused():
    made = three_seeds()
    with pytest.raises(RecordError, match="more than one run"):
        seed_spread.accuracies(pd.concat([made, made]))


# figures


def test_figures_name_their_data_and_are_drawn_from_records(runs):
    values = seed_spread.accuracies(runs)
    one, pair = seed_spread.pooled(values), seed_spread.paired(values)
    drawn = [
        figures.runs_about_their_mean(values, one, "records"),
        figures.two_kinds_of_chance(seed_spread.noise(runs), "records"),
        figures.published_leads(sampling_error.published_leads(TEST_IMAGES), "records"),
        figures.seeds_for_a_step(pair, seed_spread.published_steps(pair), "records", 0.8),
    ]
    for figure in drawn:
        (axes,) = figure.axes
        assert "records" in axes.get_title() + axes.get_title("left")
        assert axes.get_xlabel()
        assert axes.get_ylabel() or len(axes.get_yticklabels())
    assert len(drawn[2].axes[0].get_xticklabels()) == len(published.table(2))


def test_figures_of_one_seed_say_what_there_is():
    made = three_seeds()
    made = made[made["seed"] == 0].reset_index(drop=True)
    with_counts(made["record"])
    values = seed_spread.accuracies(made)
    none = seed_spread.pooled(values)
    assert figures.runs_about_their_mean(values, none, "one seed") is None
    assert len(figures.two_kinds_of_chance(seed_spread.noise(made), "one").axes[0].collections) == 1
    figure = figures.seeds_for_a_step(none, seed_spread.published_steps(none), "one seed", 0.8)
    assert len(figure.axes[0].get_lines()) == 7


@pytest.mark.parametrize(("sd", "last"), [(0.2, 30), (0.44, 40), (5.0, 100)])
def test_the_seeds_that_the_steps_need_are_in_the_picture(sd, last):
    pair = seed_spread.Spread(sd, 20)
    steps = seed_spread.published_steps(pair)
    (axes,) = figures.seeds_for_a_step(pair, steps, "records", 0.8).axes
    assert axes.get_xlim() == (2, last)
    assert steps["found"].where(steps["found"] <= 100).max() <= last


def test_the_step_that_is_found_has_the_power_that_was_asked():
    step = figures.significance._detected(0.5, 6, 0.8)
    assert seed_spread.power(step, 0.5, 6) == pytest.approx(0.8, abs=1e-6)
