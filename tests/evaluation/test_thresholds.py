"""Thresholds for scores of any network: the fast code against literal loops, and its file."""

import json
import math
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import scores_oracle as oracle

from dcl import balanced_accuracy, count_classes, decide, evaluate, thresholds, tune_thresholds
from dcl.evaluation.draws import Mulberry32

VECTORS = json.loads(oracle.VECTORS.read_text())


def arrays(table):
    """Scores and labels (N, A) of an oracle's table."""
    names = list(table["labels"])
    labels = [[-1 if y is None else y for y in table["labels"][name]] for name in names]
    scores = [table["scores"][name] for name in names]
    return torch.tensor(scores, dtype=torch.float64).T, torch.tensor(labels).T, names


def tuned(table, *, prior=None, **options):
    scores, labels, names = arrays(table)
    prior = None if prior is None else [prior[name] for name in names]
    return thresholds.tune(
        scores, labels, names=names, split=table.get("split"), groups=table.get("group"),
        prior=prior, **options,
    )  # fmt: skip


def as_expected(report):
    """A report in the form of the oracle's."""
    found = report.thresholds
    return {
        "scale": found.scale,
        "prior": "given" if found.prior_given else "tuning rows",
        "fitted_on": found.fitted_on,
        "decisions": list(found.decisions),
        "labels": [
            {
                "name": name,
                "few": bool(found.few[a]),
                "undefined": name in report.undefined,
                "untuned": name in report.untuned,
                "thresholds": dict(zip(found.decisions, found.values[a].tolist(), strict=True)),
                "intervals": {
                    d: [math.nan] * 2 if found.intervals is None else found.intervals[a, i].tolist()
                    for i, d in enumerate(found.decisions)
                },
                "metrics": {
                    d: dict(zip(thresholds.METRICS, report.metrics[a, i].tolist(), strict=True))
                    for i, d in enumerate(found.decisions)
                },
            }
            for a, name in enumerate(found.names)
        ],
        "mean": {
            d: dict(zip(thresholds.METRICS, report.mean[i].tolist(), strict=True))
            for i, d in enumerate(found.decisions)
        },
        "gain_prior": report.gain_prior.tolist(),
        "gain_tuned": report.gain_tuned.tolist(),
    }


def assert_close(found, expected, place="report"):
    if isinstance(expected, dict):
        assert list(found) == list(expected), place
        for key in expected:
            assert_close(found[key], expected[key], f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            assert_close(a, b, f"{place}[{i}]")
    elif isinstance(expected, float) or isinstance(found, float):
        expected = math.nan if expected is None else expected
        assert found == pytest.approx(expected, abs=1e-12, rel=1e-12, nan_ok=True), place
    else:
        assert found == expected, place


def test_the_generator_gives_the_numbers_of_the_vectors():
    source = Mulberry32(VECTORS["generator"]["seed"])
    expected = VECTORS["generator"]["integers_below_10"]
    assert source.below(10, 5).tolist() + source.below(10, 15).tolist() == expected


def test_the_vectors_are_those_of_the_literal_loops():
    assert oracle.as_json(oracle.vectors()) == VECTORS


@pytest.mark.filterwarnings("ignore:scores are two numbers alone")
@pytest.mark.parametrize("name", oracle.CASES)
def test_tuning_gives_the_numbers_of_the_vectors(name):
    table, options = oracle.CASES[name]
    (expected,) = [case["expected"] for case in VECTORS["cases"] if case["name"] == name]
    assert_close(as_expected(tuned(table, **options)), expected)


@pytest.mark.filterwarnings("ignore:scores are two numbers alone")
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.sampled_from([0, 1, 3]))
def test_tuning_is_the_literal_loops_on_random_tables(seed, split, grouped, digits):
    scale = ("probability", "logit")[seed % 2]
    table = oracle.drawn(
        seed, 40, {"a": (0.1, 0.5, 0.9)[seed % 3], "b": 0.3}, scale=scale, digits=digits,
        unknown=0.2 * (seed % 5 == 0), groups=18 * grouped, split=split,
    )  # fmt: skip
    if split and len(set(table["split"])) < 2:
        return
    options = {"bootstrap": 4, "seed": seed, "scale": scale}
    options |= {"recall": 0.4, "precision": 0.3} if seed % 4 < 2 else {}
    expected = oracle.tune(table, **options)
    if all(row["undefined"] for row in expected["labels"]):
        return
    assert_close(as_expected(tuned(table, **options)), expected)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda file, a, b: b.update(name="a"), "each name must be a text of its own, got 'a'"),
        (lambda file, a, b: b.update(name=3), "each name must be a text of its own, got 3"),
        (lambda file, a, b: b.update(positives="many"), "positives must be a whole .* 'many'"),
        (lambda file, a, b: b.update(few="no"), "few must be True or False, got 'no'"),
        (
            lambda file, a, b: b["thresholds"].update(prior=True),
            "threshold prior .* must .* got True",
        ),
        (
            lambda file, a, b: b["thresholds"].update(prior=math.inf),
            "threshold prior .* must .* inf",
        ),
        (lambda file, a, b: b["thresholds"].pop("prior"), "KeyError: 'prior'"),
        (lambda file, a, b: a.update(intervals={"0.5": [1]}), "ValueError"),
        (lambda file, a, b: file.update(prior="yes"), "prior 'yes': choose one of given, tuning"),
        (lambda file, a, b: file.update(fitted_on="test"), "fitted_on 'test'"),
        (lambda file, a, b: file.update(rule="score >= threshold"), "rule 'score >= threshold'"),
        (lambda file, a, b: file.update(rows=0), "rows must be a whole number of 1 or more"),
        (lambda file, a, b: file.update(decisions=["0.5", "0.5"]), "each decision must be"),
        (lambda file, a, b: file.update(targets={"recall": 3}), r"recall must lie in \(0, 1\)"),
        (lambda file, a, b: file.update(targets=3), "TypeError"),
        (lambda file, a, b: file.update(labels=[]), "there is no name"),
        (lambda file, a, b: file.update(labels=["a", "b"]), "TypeError"),
    ],
)
def test_a_file_of_thresholds_that_says_what_cannot_be_is_refused(change, names, tmp_path):
    found = thresholds.fit([[0.1, 0.2], [0.3, 0.1]], [[0, 1], [1, 0]], names=["a", "b"])
    file = found.as_json()
    change(file, *file["labels"])
    (tmp_path / "thresholds.json").write_text(json.dumps(file))
    with pytest.raises(thresholds.ThresholdsError, match=f"no valid thresholds file.*{names}"):
        thresholds.read(tmp_path / "thresholds.json")


def test_a_text_is_no_list_of_names():
    with pytest.raises(ValueError, match="names must be a list, one for each label, got 'ab'"):
        thresholds.fit([[0.1, 0.2]], [[0, 1]], names="ab")


PROBABILITIES = torch.linspace(0.01, 0.99, 40).double().view(20, 2)
LABELS = (torch.arange(40).view(20, 2) % 3 == 0).long()


@pytest.mark.parametrize("wrong", [-1e-9, 1.0000001, -3.0, 55.0])
def test_one_score_outside_does_not_make_probabilities_logits(wrong):
    scores = PROBABILITIES.clone()
    scores[3, 1] = wrong
    with pytest.raises(ValueError, match=rf"row 3, 1: the score {wrong!r} lies .* 20 of 20 .* say"):
        thresholds.fit(scores, LABELS)
    assert thresholds.fit(scores, LABELS, scale="logit").scale == "logit"
    with pytest.raises(ValueError, match=f"row 3, 1: a score must be a probability.* {wrong!r}"):
        thresholds.fit(scores, LABELS, scale="probability")


def test_a_label_of_probabilities_beside_one_of_logits_is_asked_about():
    scores = torch.stack([PROBABILITIES[:, 0], PROBABILITIES[:, 1].logit()], 1)
    with pytest.raises(ValueError, match="20 of 20 scores of 0 lie inside: say by scale"):
        thresholds.fit(scores, LABELS)
    assert thresholds.fit(PROBABILITIES.logit(), LABELS).scale == "logit"


def frames():
    scores = pd.DataFrame(PROBABILITIES.numpy(), columns=["cat", "dog"])
    return scores, pd.DataFrame(LABELS.numpy(), columns=["cat", "dog"])


def test_frames_in_another_order_are_refused_and_columns_name_the_labels():
    scores, labels = frames()
    found = thresholds.fit(scores, labels)
    assert found.names == ("cat", "dog")
    turned, shuffled = labels[["dog", "cat"]], labels.iloc[::-1]
    split = pd.Series(["val"] * 10 + ["test"] * 10)
    for call, words in (
        (lambda: thresholds.fit(scores, turned), "scores and labels have the same columns in"),
        (lambda: thresholds.fit(scores, shuffled), "the same rows in another order: at place 0"),
        (lambda: thresholds.fit(scores, labels, names=["dog", "cat"]), "and names have the same"),
        (lambda: thresholds.apply(found, scores[["dog", "cat"]]), "they have 'dog' and 'cat'"),
        (lambda: thresholds.tune(scores, labels, split=split[::-1]), "scores and split have"),
        (lambda: balanced_accuracy(labels, turned), "predictions and labels have the same columns"),
        (lambda: evaluate(PROBABILITIES, turned, ["cat", "dog"]), "labels and names have the same"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    other = thresholds.fit(scores.add_prefix("s_"), labels, names=["a", "b"])
    assert torch.equal(other.values, found.values)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ([[0.1, None]] * 20, "must be real number"),
        (frames()[0].assign(dog="a"), "could not convert string to float"),
        ({"cat": 1}, "must be real number"),
        ([[0.1], [0.2, 0.3]], "lists of one length"),
        (np.ma.masked_array(PROBABILITIES.numpy(), PROBABILITIES.numpy() > 0.5), "be masked"),
        (PROBABILITIES.to(torch.complex64), "real numbers, got dtype"),
    ],
)
def test_scores_that_are_no_numbers_are_named(scores, words):
    with pytest.raises(ValueError, match=f"scores must .*{words}"):
        thresholds.fit(scores, LABELS)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (pd.Series([*"abcdefghijklmnopqrs", None]), "row 19: a group must be a text, a num"),
        (np.append(np.arange(19.0), np.nan), "row 19: .* got nan"),
        (torch.zeros(20, 1), "row 0: .* got"),
        (3, "groups must name one for each of 20 rows, got 3"),
        ("a" * 20, "groups must name one for each of 20 rows"),
    ],
)
def test_groups_that_are_none_are_named(groups, words):
    with pytest.raises(ValueError, match=words):
        thresholds.fit(PROBABILITIES, LABELS, groups=groups)


def test_dates_are_groups_and_a_mask_of_nothing_hides_nothing():
    dates = pd.Series(pd.date_range("2026-01-01", periods=20))
    plain = thresholds.fit(PROBABILITIES, LABELS)
    masked = np.ma.masked_array(PROBABILITIES.numpy())
    for found in (
        thresholds.fit(PROBABILITIES, LABELS, groups=dates),
        thresholds.fit(masked, np.ma.masked_array(LABELS.numpy(), False)),
    ):
        assert torch.equal(found.values, plain.values)
    dates[3] = pd.NaT
    with pytest.raises(ValueError, match="row 3: a group must be a text, a number or a date"):
        thresholds.fit(PROBABILITIES, LABELS, groups=dates)


class OtherFrame:
    """What a data frame without an index has, as of Polars."""

    columns = ("cat", "dog")
    ndim = 2

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return self.values


def test_a_frame_without_an_index_is_read_by_its_columns():
    scores, labels = OtherFrame(PROBABILITIES.numpy()), OtherFrame(LABELS.numpy())
    found = thresholds.fit(scores, labels)
    assert found.names == ("cat", "dog")
    with pytest.raises(ValueError, match="columns in another order"):
        thresholds.fit(scores, labels, names=["dog", "cat"])


def test_reversed_arrays_are_read_as_they_are():
    scores, labels = PROBABILITIES.numpy(), LABELS.numpy()
    found = thresholds.fit(scores[::-1], labels[::-1])
    assert torch.equal(
        found.values, thresholds.fit(scores[::-1].copy(), labels[::-1].copy()).values
    )


def test_probabilities_are_not_decided_by_thresholds_for_logits():
    found = thresholds.fit(PROBABILITIES.logit(), LABELS)
    with pytest.raises(thresholds.ThresholdsError, match="all 20 rows of scores lie in"):
        thresholds.apply(found, PROBABILITIES)
    assert thresholds.apply(found, PROBABILITIES[:3]).shape == (3, 2)  # too few to tell


def literally_backwards(scores, labels):
    """Pairs in which the negative scores above, by a loop: more than chance by 3 deviations."""
    positive = [s for s, y in zip(scores, labels, strict=True) if y == 1]
    negative = [s for s, y in zip(scores, labels, strict=True) if y == 0]
    won = sum((n > p) + (n == p) / 2 for p in positive for n in negative)
    pairs, rows = len(positive) * len(negative), len(positive) + len(negative)
    return won - pairs / 2 > 3 * math.sqrt(pairs * (rows + 1) / 12)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([-1.0, -0.3, 0.0, 0.7]))
def test_a_score_that_ranks_backwards_is_named(seed, split, slope):
    generator = np.random.default_rng(seed)
    labels = generator.integers(-1, 2, (60, 2))
    scores = (generator.normal(size=(60, 2)) + slope * labels).round(generator.integers(0, 3))
    words = ["val"] * 40 + ["test"] * 20
    report = thresholds.tune(
        scores, labels, names=["a", "b"], split=words if split else None, bootstrap=0, scale="logit"
    )
    fitted = slice(40 if split else 60)
    for a, name in enumerate("ab"):
        expected = literally_backwards(scores[fitted, a], labels[fitted, a])
        assert (name in report.backwards) == expected


def test_the_scores_of_the_negative_class_rank_backwards():
    labels = np.arange(60)[:, None] % 3 == 0
    scores = np.linspace(0.1, 0.9, 60)[:, None] * 0.5 + 0.4 * labels
    assert thresholds.tune(scores, labels, bootstrap=0).backwards == []
    assert thresholds.tune(1 - scores, labels, bootstrap=0).backwards == ["0"]


def test_frames_are_compared_without_what_all_their_columns_share():
    labels = pd.DataFrame({"y_a": [0, 0, 1, 1], "y_b": [0, 0, 1, 1]})
    scores = pd.DataFrame({"s_b": [0.6, 0.7, 0.9, 0.95], "s_a": [0.1, 0.2, 0.3, 0.4]})
    with pytest.raises(
        ValueError, match="same columns in another order: at place 0 .* 'b' and 'a'"
    ):
        thresholds.fit(scores, labels)
    found = thresholds.fit(scores[["s_a", "s_b"]], labels)
    assert found.names == ("y_a", "y_b")
    with pytest.raises(ValueError, match="another order"):
        thresholds.apply(found, scores)
    other = scores.set_axis(["s_b", "s_c"], axis=1)
    with pytest.raises(ValueError, match="share some columns, not all: at place 0"):
        thresholds.fit(other, labels)
    rates = pd.Series({"b": 0.5, "a": 0.05})
    given = {"names": ["a", "b"], "scale": "probability"}
    with pytest.raises(ValueError, match="prior and names have the same columns in another order"):
        thresholds.fit(scores.to_numpy(), labels.to_numpy(), prior=rates, **given)
    for prior in (rates[["a", "b"]], rates[["a", "b"]].to_frame().T, [0.05, 0.5], rates.to_dict()):
        found = thresholds.fit(scores.to_numpy(), labels.to_numpy(), prior=prior, **given)
        assert found.of("prior").tolist() == [0.05, 0.5]
    found = thresholds.fit(scores.to_numpy(), labels.to_numpy(), prior=0.1, **given)
    assert found.of("prior").tolist() == [0.1, 0.1]  # one for all, as the command takes it
    with pytest.raises(ValueError, match="prior lacks 'b': give one for each of a, b"):
        thresholds.fit(scores.to_numpy(), labels.to_numpy(), prior={"a": 0.1}, **given)


def test_thresholds_in_the_place_of_offsets_and_a_folder_that_is_missing_are_named(tmp_path):
    found = thresholds.fit([[0.1], [0.9]], [[0], [1]])
    with pytest.raises(ValueError, match=r"got Thresholds: give its .offsets\(\)"):
        decide(torch.zeros(1, 1, 2), offsets=found)
    assert decide(torch.zeros(1, 1, 2), offsets=found.offsets()).shape == (1, 1)
    with pytest.raises(thresholds.ThresholdsError, match="no/t.json: cannot be written"):
        found.write(tmp_path / "no" / "t.json")


def test_slips_after_tune_are_told_what_to_give():
    scores, labels = np.arange(20).reshape(10, 2) / 20, np.arange(20).reshape(10, 2) // 3 % 2
    report = thresholds.tune(scores, labels, names=["a", "b"], bootstrap=0)
    with pytest.raises(ValueError, match="must be Thresholds, got a Report: give its .thresholds"):
        thresholds.apply(report, scores)
    with pytest.raises(ValueError, match="must be Thresholds, got a dict$"):
        thresholds.apply({}, scores)
    with pytest.raises(ValueError, match="each once, got 'a' twice"):
        report.thresholds.offsets(names=["b", "a", "a"])
    again = thresholds.tune(scores, labels, names=["a", "b"], bootstrap=0)
    assert report == report  # tensors have no single truth
    assert report != again
    assert report.thresholds != again.thresholds


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: 100 * p, "none is negative: if they are percentages, divide them by 100"),
        (np.log, "none is positive: if they are log-probabilities, give their exp"),
    ],
)
def test_scores_that_are_hardly_logits_are_warned_of(change, words):
    p = np.linspace(0.02, 0.98, 40)[:, None]
    labels = np.arange(40)[:, None] % 2
    with pytest.warns(UserWarning, match=words) as told:
        thresholds.fit(change(p), labels)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thresholds.fit(change(p), labels, scale="logit")
        thresholds.fit(p, labels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda s: (s > 0.4).astype(int),
            "two numbers alone, as decisions are, .* improves: a, b. ",
        ),
        (lambda s: np.where(s > 0.4, 1, -1) * [1, 1.5], "as decisions are, .* improves: a. "),
        (lambda s: 1 / (1 + np.exp(-s)), "lie in 0.5 ... 0.73, though most rows of b are no"),
        (lambda s: s, None),
        (lambda s: np.where(s > 0.4, 0.8, 0.3), None),
        (lambda s: np.where(s > 0.4, 1, 0) * [1, 0] + [0, 0.4], "improves: a. "),
        (lambda s: 0 * s, None),
        (lambda s: 0.5 + 0.23 * s, "lie in 0.5 ... 0.73"),
        (lambda s: 0.5 + 0.24 * s, None),
    ],
)
@pytest.mark.parametrize("rows", [40, 19])
def test_decisions_and_sigmoids_of_sigmoids_are_warned_of(change, words, rows):
    scores = change(np.random.default_rng(0).random((40, 2)))[:rows]
    labels = (np.arange(40)[:, None] % [2, 3] == 0)[:rows]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        thresholds.fit(scores, labels, names=["a", "b"])
    assert len(told) == bool(words and rows > 19)
    if told:
        assert re.search(words, str(told[0].message))
        assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("slopes", "rows", "expected"),
    [((0, 0), 2_000, True), ((0, 1), 2_000, False), ((0, 0), 60, False), ((0, -1), 2_000, False)],
)
def test_scores_of_another_order_are_at_chance(slopes, rows, expected):
    generator = np.random.default_rng(0)
    labels = generator.integers(-1, 2, (rows, 2))
    scores = generator.normal(size=(rows, 2)) + np.array(slopes) * labels
    assert thresholds.tune(scores, labels, bootstrap=0).at_chance == expected


def test_labels_of_one_and_minus_one_are_warned_of():
    labels = np.array([[1, -1], [-1, 1], [1, 1]] * 4)
    scores = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]] * 4)
    logits = torch.logit(torch.tensor(scores))
    for door in (
        lambda y: thresholds.fit(scores, y),
        lambda y: count_classes(y, classes=2),
        lambda y: tune_thresholds(logits, torch.as_tensor(y), bootstrap=0),
    ):
        with pytest.warns(UserWarning, match=r"labels are 1 and -1 alone.*give \(labels > 0\)"):
            door(labels)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            door((labels > 0).astype(int))


def test_a_list_of_rows_is_a_tensor():
    rows = [torch.tensor([0.1, 0.9]), torch.tensor([0.3, 0.2]), torch.tensor([0.8, 0.4])]
    labels = [torch.tensor([0, 1]), torch.tensor([1, 0]), torch.tensor([1, 1])]
    whole = thresholds.fit(torch.stack(rows), torch.stack(labels))
    assert torch.equal(thresholds.fit(rows, labels).values, whole.values)


def test_an_unknown_label_that_became_255_is_named():
    labels = np.array([[0], [1], [255], [1]], np.uint8)
    with pytest.raises(ValueError, match="255 is what -1 becomes as uint8"):
        count_classes(labels)
    assert count_classes(np.arange(256, dtype=np.uint8)).shape == (1, 256)
    assert count_classes(labels, classes=256).shape == (1, 256)


def test_scores_of_one_label_need_no_second_dimension():
    scores, labels = [0.1, 0.2, 0.3, 0.15], [0, 1, 1, 0]
    found = thresholds.fit(scores, labels)
    assert thresholds.apply(found, [0.16, 0.18]).tolist() == [[0], [1]]
    two = thresholds.fit(torch.rand(4, 2), torch.tensor([[0, 1], [1, 0], [1, 1], [0, 0]]))
    with pytest.raises(ValueError, match=r"scores must be \(samples, 2\)"):
        thresholds.apply(two, [0.16, 0.18])
