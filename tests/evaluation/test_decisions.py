"""From logits to classes: argmax, prior, and thresholds tuned on a validation split."""

import math
import warnings
from unittest import mock

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl import balanced_accuracy, calibration_error, decide, evaluate, thresholds, tune_thresholds
from dcl.evaluation import tuning
from dcl.evaluation.decisions import DECISIONS, prior_offsets
from dcl.evaluation.tuning import BOOTSTRAP, _f1_of_rivals, offsets_for


@st.composite
def scored(draw, classes=2):
    """Logits (N, A, C) with ties, and labels (N, A), some unknown."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    samples, attributes = draw(st.sampled_from([(1, 1), (7, 2), (30, 3), (60, 1)]))
    logits = torch.randn(samples, attributes, classes, generator=generator).double()
    if draw(st.booleans()):
        logits = logits.round()  # many ties
    labels = torch.randint(-1, classes, (samples, attributes), generator=generator)
    return logits, labels


def literal_metric(predicted, labels, classes, metric):
    """Mean recall, F1 of class 1 (two classes) or mean F1, by loops; NaN where undefined."""
    pairs = [(p, y) for p, y in zip(predicted, labels, strict=True) if y >= 0]
    recalls, f1s = [], []
    for c in range(classes):
        hits = sum(p == c and y == c for p, y in pairs)
        of_class, found = sum(y == c for _, y in pairs), sum(p == c for p, _ in pairs)
        recalls.append(hits / of_class if of_class else math.nan)
        f1s.append(2 * hits / (of_class + found) if of_class + found else math.nan)
    there = [c for c in range(classes) if not math.isnan(recalls[c])]
    if classes == 2:
        return sum(recalls) / 2 if metric == "mA" else f1s[1]
    values = recalls if metric == "mA" else f1s
    return sum(values[c] for c in there) / len(there) if there else math.nan


@given(scored(), st.sampled_from(["mA", "f1"]))
def test_no_threshold_is_better_than_the_tuned_one(data, metric):
    logits, labels = data
    found = tune_thresholds(logits, labels, metric=metric, bootstrap=0)
    predicted = decide(logits, offsets=found)
    for a in range(labels.shape[1]):
        score = (logits[:, a, 1] - logits[:, a, 0]).tolist()
        cuts = sorted(score)
        cuts = [cuts[0] - 1, *[(x + y) / 2 for x, y in zip(cuts, cuts[1:], strict=False)], cuts[-1]]
        truth = labels[:, a].tolist()
        every = [literal_metric([s > cut for s in score], truth, 2, metric) for cut in cuts]
        own = literal_metric(predicted[:, a].tolist(), truth, 2, metric)
        if 1 not in truth or all(math.isnan(value) for value in every):  # undefined
            counts = (labels[:, a, None] == torch.arange(2)).sum(0).clamp(min=1)[None]
            prior = prior_offsets(counts)[0]
            torch.testing.assert_close(found.thresholds[a], prior[0] - prior[1])
            continue
        best = max(value for value in every if not math.isnan(value))
        assert own == pytest.approx(best)
        assert found.value[a].item() == pytest.approx(best)


def test_among_equal_thresholds_the_one_nearest_to_the_priors_is_taken():
    score = torch.tensor([-3.0, -1, 1, 3])[:, None]
    labels = torch.tensor([[0], [1], [0], [1]])  # -2 and 2 decide as well
    for counts, threshold in (([50, 50], 2.0), ([90, 10], -2.0), ([10, 90], 2.0)):
        found = tune_thresholds(score, labels, class_counts=torch.tensor([counts]), bootstrap=0)
        assert found.thresholds.item() == threshold  # the priors': 0, -2.2, 2.2
        assert found.value.item() == 0.75


@given(scored(), st.sampled_from(["mA", "f1"]))
def test_thresholds_of_both_doors_are_the_same(data, metric):
    logits, labels = data
    both = [((labels == c).any(0)) for c in (0, 1)]  # else fit stays at the prior's
    both = (both[0] & both[1]).nonzero()[:, 0]
    found = tune_thresholds(logits, labels, metric=metric, bootstrap=0)
    score = logits[..., 1] - logits[..., 0]
    other = thresholds.fit(score, labels, scale="logit").of(f"tuned-{metric}")
    torch.testing.assert_close(found.thresholds[both], other[both], rtol=0, atol=1e-12)


@given(scored(classes=4), st.sampled_from(["mA", "f1"]))
def test_offsets_of_more_classes_are_no_worse_than_the_priors(data, metric):
    logits, labels = data
    found = tune_thresholds(logits, labels, metric=metric, bootstrap=0)
    counts = (labels.unsqueeze(2) == torch.arange(4)).sum(0).clamp(min=1)
    for a in range(labels.shape[1]):
        truth = labels[:, a].tolist()
        values = [
            literal_metric(predicted[:, a].tolist(), truth, 4, metric)
            for predicted in (decide(logits, offsets=found), decide(logits, counts))
        ]
        if not math.isnan(values[0]):
            assert values[0] >= values[1] - 1e-9
            assert found.value[a].item() == pytest.approx(values[0])


def test_equal_scores_of_more_classes_cost_nothing_beside_the_priors():
    logits = torch.tensor([[[0.0, 1, 1]], [[0, 0, -1]], [[1, 1, -1]]])  # no cut splits ties
    labels = torch.tensor([[1], [0], [2]])
    found = tune_thresholds(logits, labels, bootstrap=0)
    assert decide(logits, offsets=found).T.tolist() == decide(logits, torch.ones(1, 3)).T.tolist()
    assert found.value.item() == pytest.approx(2 / 3)


@given(scored(), st.sampled_from(["mA", "f1"]))
def test_an_unknown_label_decides_nothing(data, metric):
    logits, labels = data
    together = tune_thresholds(logits, labels, metric=metric, bootstrap=0)
    for a in range(labels.shape[1]):
        known = labels[:, a] >= 0
        if known.any():
            alone = tune_thresholds(
                logits[known, a : a + 1], labels[known, a : a + 1], metric=metric, bootstrap=0
            )
            torch.testing.assert_close(together.value[a : a + 1], alone.value, equal_nan=True)
            assert torch.equal(together.offsets[a : a + 1], alone.offsets)


def test_attributes_of_two_and_of_three_classes_are_tuned_each_by_itself():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 2, 3, generator=generator).double()
    logits[:, 0, 2] = -torch.inf
    labels = torch.stack([torch.arange(50) % 2, torch.arange(50) % 3], 1)
    found = tune_thresholds(logits, labels, bootstrap=5)
    alone = tune_thresholds(logits[:, :1, :2], labels[:, :1], bootstrap=5)
    torch.testing.assert_close(found.offsets[0, :2], alone.offsets[0])
    torch.testing.assert_close(found.spread[0, :2], alone.spread[0])
    assert decide(logits, offsets=found)[:, 0].max() == 1
    assert found.spread[1].isfinite().all()


def test_the_two_classes_of_an_attribute_may_be_any():
    logits = torch.randn(60, 2, 2, generator=torch.Generator().manual_seed(1)).double()
    labels = torch.arange(60)[:, None].expand(60, 2) % 2
    plain = tune_thresholds(logits, labels, metric="f1", bootstrap=3)
    wide = torch.stack([logits[..., 0], torch.full((60, 2), -torch.inf), logits[..., 1]], 2)
    found = tune_thresholds(wide, 2 * labels, metric="f1", bootstrap=3)  # classes 0 and 2
    assert torch.equal(found.value, plain.value)
    torch.testing.assert_close(found.offsets[:, [0, 2]].diff(), plain.offsets.diff())


def test_the_spread_shrinks_with_more_samples_and_repeats():
    generator = torch.Generator().manual_seed(0)
    spreads = []
    for samples in (100, 10_000):
        labels = torch.randint(0, 2, (samples, 1), generator=generator)
        logits = torch.randn(samples, 1, generator=generator) + 2.0 * labels
        spreads.append(tune_thresholds(logits, labels, bootstrap=50).spread[0, 1])
        again = tune_thresholds(logits, labels, bootstrap=50).spread[0, 1]
        assert again == spreads[-1] > 0
    assert spreads[1] < spreads[0] / 2
    assert BOOTSTRAP > 50


@pytest.mark.parametrize("metric", ["mA", "f1"])
@pytest.mark.parametrize("said", ["class_counts", "classes"])
def test_a_class_without_training_samples_is_never_decided(metric, said):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(60, 2, 3, generator=generator)
    labels = torch.stack([torch.arange(60) % 2, torch.arange(60) % 3], 1)
    counts = torch.tensor([[30, 30, 0], [20, 20, 20]])
    given = {"class_counts": counts} if said == "class_counts" else {"classes": (2, 3)}
    found = tune_thresholds(logits, labels, metric=metric, bootstrap=3, **given)
    new = torch.randn(200, 2, 3, generator=generator)
    new[0, 0, 2] = torch.inf
    for decided in (decide(new, counts), decide(new, offsets=found)):
        assert decided[:, 0].max() == 1
    alone = tune_thresholds(logits[:, :1, :2], labels[:, :1], metric=metric, bootstrap=3)
    torch.testing.assert_close(found.offsets[:1, :2], alone.offsets)
    with pytest.raises(ValueError, match=r"label 2 of row 3, attribute 0 is a class .* write -1"):
        tune_thresholds(logits, labels.index_fill(0, torch.tensor([3]), 2), **given)


def test_logits_of_the_positive_class_alone_will_do():
    score = torch.tensor([[-1.0, 2.0], [0.5, -2.0]])
    assert decide(score, torch.ones(2, 2)).tolist() == [[0, 1], [1, 0]]
    assert decide(score[:, :1]).tolist() == [[0], [1]]


@pytest.mark.parametrize("decision", DECISIONS)
def test_every_decision_by_its_name(decision):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (80, 2), generator=generator)
    logits = torch.randn(80, 2, 2, generator=generator)
    logits[..., 1] += labels - 2.0  # the positive class is hardly ever decided
    found = offsets_for(decision, torch.tensor([[60, 20], [70, 10]]), logits, labels)
    accuracy = balanced_accuracy(decide(logits, offsets=found), labels)
    plain = balanced_accuracy(decide(logits), labels)
    assert (found is None) == (decision == "argmax")
    if decision == "tuned-mA":
        assert (accuracy > plain).all()
    frame = evaluate(logits, labels, ["a", "b"], offsets=found)
    torch.testing.assert_close(torch.tensor(frame["mA"].to_numpy()), 100 * accuracy)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda x, y: tune_thresholds(x, y, metric="auc"), "'auc'.*mA, f1"),
        (lambda x, y: tune_thresholds(x[:2], y), r"\(2, 1, 2\) and \(4, 1\)"),
        (lambda x, y: tune_thresholds(x, y + 2), "got 2"),
        (lambda x, y: tune_thresholds(x[:0], y[:0]), "no sample"),
        (lambda x, y: tune_thresholds(x, y + 0.5), "row 0, attribute 0 is 0.5"),
        (lambda x, y: decide(x, offsets=torch.zeros(2, 2)), r"= \(1, 2\).*got shape \(2, 2\)"),
        (lambda x, y: decide(x, torch.ones(1, 2), offsets=torch.zeros(1, 2)), "got both"),
        (lambda x, y: decide(x[0]), "may be those of 2|samples, attributes, classes"),
        (lambda x, y: decide(x[..., None]), r"got shape \(4, 1, 2, 1\)"),
        (lambda x, y: decide(x, offsets=[[0, 0]]), "offsets must be a tensor"),
        (lambda x, y: decide(x, offsets=torch.full((1, 2), torch.nan)), "got NaN"),
        (lambda x, y: decide(x, torch.tensor([[90, -10]])), "numbers of 0 or more"),
        (lambda x, y: decide(x, torch.tensor([90, 10])), r"\(2,\). Of one .* class_counts\[None\]"),
        (lambda x, y: decide(x, torch.tensor([[0, 0]])), "attribute 0 are all 0: give a number"),
        (lambda x, y: decide(x, torch.tensor([[9, torch.nan]])), "0 or more, got nan for class 1"),
        (lambda x, y: decide(x, offsets=torch.full((1, 2), -torch.inf)), "no class is left for"),
        (
            lambda x, y: decide(
                x.index_fill(2, torch.tensor([1]), -torch.inf), torch.tensor([[0, 9]])
            ),
            r"left for attribute 0 in row 0: its logits are \[0.0, -inf\], its offsets \[-inf, ",
        ),
        (lambda x, y: tune_thresholds(x, y, class_counts=torch.tensor([[0, 0]])), "are all 0"),
        (lambda x, y: tune_thresholds(x, y, classes=3), "classes must be 2"),
        (lambda x, y: tune_thresholds(x, y, class_counts=torch.ones(2, 2)), r"got shape \(2, 2\)"),
        (lambda x, y: tune_thresholds(x, y, class_counts=-torch.ones(1, 2)), "of 0 or more"),
        (lambda x, y: tune_thresholds(x, y, bootstrap=-1), "bootstrap must be a whole number"),
        (lambda x, y: tune_thresholds(x, y, seed="x"), "seed must be a whole number"),
        (lambda x, y: offsets_for("best", torch.ones(1, 2), x, y), "'best'.*argmax, prior"),
    ],
)
def test_impossible_values_are_named(call, names):
    with pytest.raises(ValueError, match=names):
        call(torch.zeros(4, 1, 2), torch.zeros(4, 1, dtype=torch.long))


def test_probabilities_in_the_place_of_logits_are_told_by_their_sum():
    probabilities = torch.randn(6, 2, 3).softmax(2)
    labels = torch.zeros(6, 2, dtype=torch.long)
    counts = torch.tensor([[5, 4, 3]] * 2)
    for call in (
        lambda x: decide(x, counts),
        lambda x: tune_thresholds(x, labels),
        lambda x: evaluate(x, labels, [*"ab"]),
    ):
        with pytest.raises(ValueError, match="logits are probabilities.* add up to 1"):
            call(probabilities)
    with pytest.raises(ValueError, match="logits are probabilities"):
        decide(probabilities.half(), counts)
    assert torch.equal(decide(probabilities), probabilities.argmax(2))  # nothing is added
    one_hot = torch.eye(3).unsqueeze(1)
    assert torch.equal(decide(one_hot, torch.ones(1, 3)), torch.arange(3)[:, None])


@pytest.mark.parametrize("seed", range(5))
def test_f1_of_the_rivals_is_that_of_each_in_turn(seed):
    """Held against F1 computed anew, class by class, as the samples leave one by one."""
    generator = torch.Generator().manual_seed(seed)
    classes, count = 4, 12
    labels, other = torch.randint(0, classes - 1, (2, count), generator=generator)
    weight = torch.randint(0, 3, (count,), generator=generator).double()  # as in a bootstrap sample
    of_class = torch.zeros(classes, dtype=torch.float64).scatter_add(0, labels, weight)
    hits = weight * (labels == other)
    found = _f1_of_rivals(other, hits, weight, of_class)
    for gone in range(count + 1):
        total = 0.0
        for label in range(classes):
            stays = other[gone:] == label
            decided, right = weight[gone:][stays].sum(), hits[gone:][stays].sum()
            if of_class[label] > 0:
                total += (2 * right / (of_class[label] + decided)).item()
        assert found[gone].item() == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("metric", ["mA", "f1"])
@given(data=st.sampled_from([3, 4]).flatmap(lambda classes: scored(classes=classes)))
def test_tuned_offsets_are_never_below_argmax_on_their_own_split(metric, data):
    logits, labels = data
    found = tune_thresholds(logits, labels, metric=metric, bootstrap=0)
    classes = logits.shape[2]
    for a in range(labels.shape[1]):
        own, plain = (
            literal_metric(decided[:, a].tolist(), labels[:, a].tolist(), classes, metric)
            for decided in (decide(logits, offsets=found), decide(logits))
        )
        if not math.isnan(plain):
            assert own >= plain - 1e-9
            assert found.value[a].item() == pytest.approx(own)


@pytest.mark.parametrize("metric", ["mA", "f1"])
def test_saturated_scores_reach_what_is_promised(metric):
    p = torch.tensor([1.0, 1, 0, 0, 0.5]).double()
    labels = torch.tensor([1, 1, 0, 0, 1])[:, None]
    logits = torch.stack([1 - p, p], 1).log()[:, None]
    for form in (logits, p.logit()[:, None]):  # infinite scores
        found = tune_thresholds(form, labels, metric=metric)
        assert found.offsets.isfinite().all()
        assert decide(form, offsets=found).T.tolist() == labels.T.tolist()
        assert found.value.item() == 1.0


@pytest.mark.parametrize("metric", ["mA", "f1"])
def test_saturated_scores_of_more_classes_have_finite_offsets(metric):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(30)[:, None] % 3
    p = torch.nn.functional.one_hot(torch.randint(0, 3, (30,), generator=generator), 3).double()
    p[:6] = torch.rand(6, 3, generator=generator).double().softmax(1)
    found = tune_thresholds(p.log()[:, None], labels, metric=metric, bootstrap=3)
    assert found.offsets.isfinite().all()
    decided = decide(p.log()[:, None], offsets=found)[:, 0].tolist()
    reached = literal_metric(decided, labels[:, 0].tolist(), 3, metric)
    assert found.value.item() == pytest.approx(reached)


@pytest.mark.parametrize("metric", ["mA", "f1"])
def test_a_class_without_validation_samples_keeps_the_priors_offset(metric):
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor([[50, 30, 15, 5]])
    labels = torch.arange(60)[:, None] % 3  # none of class 3
    logits = torch.randn(60, 1, 4, generator=generator)
    found = tune_thresholds(logits, labels, metric=metric, class_counts=counts, bootstrap=3)
    assert found.offsets[0, 3] == prior_offsets(counts)[0, 3]
    assert found.spread[0, 3] == 0
    assert found.spread[0, :3].min() > 0


@pytest.mark.parametrize("scale", [1.0, -1e3, 1e-9])
def test_scores_one_step_of_float64_apart_are_told_apart(scale):
    low = torch.tensor(scale, dtype=torch.float64)
    high = torch.nextafter(low, torch.tensor(math.inf, dtype=torch.float64))
    labels = torch.tensor([[0], [1]])
    for score in (torch.stack([low, high]), torch.stack([low - 1, high])):
        for logits in (score[:, None], torch.stack([-score / 2, score / 2], 1)[:, None]):
            found = tune_thresholds(logits, labels, bootstrap=0)
            assert decide(logits, offsets=found).T.tolist() == [[0, 1]]
            assert found.value.item() == 1


@pytest.mark.parametrize("metric", ["mA", "f1"])
@given(seed=st.integers(0, 2**32 - 1))
def test_offsets_are_those_of_a_plain_loop_over_classes_and_cuts(metric, seed):
    """Held against each class's offset in turn, every cut between two margins tried by decisions"""
    generator = torch.Generator().manual_seed(seed)
    classes = 3 + seed % 3
    logits = torch.randn(14, 1, classes, generator=generator).double()
    labels = torch.randint(0, classes, (14, 1), generator=generator)
    found = tune_thresholds(logits, labels, metric=metric, bootstrap=0)
    counts = (labels == torch.arange(classes)).sum(0).clamp(min=1)
    offsets = -(counts / counts.sum()).double().log()

    def value(offsets):
        decided = (logits[:, 0] + offsets).argmax(1).tolist()
        return literal_metric(decided, labels[:, 0].tolist(), classes, metric)

    start = offsets.clone()
    for label in [*range(classes), *range(classes)]:
        if not (labels == label).any():
            continue
        others = [c for c in range(classes) if c != label]
        moved = logits[:, 0] + offsets
        margins = sorted((moved[:, others].max(1).values - logits[:, 0, label]).tolist())
        cuts = [margins[0] - 1, margins[-1] + 1]
        cuts += [(x + y) / 2 for x, y in zip(margins, margins[1:], strict=False)]
        tried = [torch.where(torch.arange(classes) == label, cut, offsets) for cut in cuts]
        values = [value(x) for x in tried]
        best = [k for k, v in enumerate(values) if v >= max(values) - 1e-12]
        offsets = tried[min(best, key=lambda k: (abs(cuts[k] - offsets[label]), cuts[k]))]
    expected = max(value(offsets), value(start), value(torch.zeros(classes)))
    assert found.value.item() == pytest.approx(expected)
    if value(offsets) == expected:
        torch.testing.assert_close(found.offsets[0], offsets)


def test_a_thousand_classes_are_tuned_in_a_sort_for_each():
    """Twice the classes, about twice the time: the sorts are counted, a clock is not looked at."""
    sorts = []
    for classes in (20, 40):
        logits = torch.randn(50, 1, classes, generator=torch.Generator().manual_seed(0))
        with mock.patch.object(tuning, "_order", wraps=tuning._order) as order:
            tune_thresholds(logits, torch.arange(50)[:, None] % classes, bootstrap=0)
        assert all(call.args[0].numel() == 50 for call in order.call_args_list)
        sorts.append(order.call_count)
    assert sorts == [40, 80]


@pytest.mark.parametrize("rows", [1, 3])
def test_bootstrap_samples_are_tuned_alike_one_by_one_and_together(rows, monkeypatch):
    logits = torch.randn(30, 1, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(30)[:, None] % 4
    together = tune_thresholds(logits, labels, metric="f1", bootstrap=5)
    monkeypatch.setattr(tuning, "CELLS", rows * logits.numel())
    assert torch.equal(
        tune_thresholds(logits, labels, metric="f1", bootstrap=5).spread, together.spread
    )


@pytest.mark.parametrize("door", ["decide", "tune", "calibration", "evaluate"])
def test_probabilities_of_a_positive_class_are_warned_of(door):
    given = torch.rand(40, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[0, 1], [1, 1], [1, 0], [0, 0]] * 10)
    counts = torch.tensor([[90, 10], [50, 50]])
    call = {
        "decide": lambda logits: decide(logits, counts),
        "tune": lambda logits: tune_thresholds(logits, labels, bootstrap=0),
        "calibration": lambda logits: calibration_error(logits, labels),
        "evaluate": lambda logits: evaluate(logits, labels, ["a", "b"]),
    }[door]
    words = "of 40 samples lie in .0, 1., as probabilities do"
    with pytest.warns(UserWarning, match=words) as told:
        call(given)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(given.logit())
        call((given > 0.5).float())
        decide(given[:19], counts)


def test_infinite_logits_are_ranked_and_calibrated_as_certain():
    logits = torch.logit(torch.tensor([[1.0], [0.5], [0.7], [0.0]]))
    labels = torch.tensor([[1], [0], [1], [0]])
    far = logits.clamp(-50, 50)
    pd.testing.assert_frame_equal(evaluate(logits, labels, ["a"]), evaluate(far, labels, ["a"]))
    found, expected = (calibration_error(z, labels) for z in (logits, far))
    torch.testing.assert_close(found.error, expected.error, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="names must be a list of 2 different attributes, got"):
        evaluate(torch.zeros(4, 2, 2), labels.expand(-1, 2), ["a", "a"])
