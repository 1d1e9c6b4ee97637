"""Eq. 12-13, against scikit-learn."""

import math
import warnings

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from dcl import balanced_accuracy, decide, evaluate, reference
from dcl.evaluation.metrics import (
    average_precision,
    held_accuracy,
    mean_accuracy,
    rank_metrics,
)


def sample(samples, attributes, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (samples, attributes), generator=generator)
    return torch.randn(samples, attributes, classes, generator=generator), labels


@given(st.integers(1, 40), st.integers(1, 4), st.sampled_from([2, 5]), st.integers(0, 999))
def test_balanced_accuracy_is_equation_12(samples, attributes, classes, seed):
    logits, labels = sample(samples, attributes, classes, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = balanced_accuracy(logits.argmax(2), labels, classes)
    literal = [
        reference.balanced_accuracy(logits[:, a].argmax(1), labels[:, a], classes)
        for a in range(attributes)
    ]
    np.testing.assert_allclose(ours.numpy(), literal)
    np.testing.assert_allclose(mean_accuracy(ours), reference.mean_accuracy(torch.stack(literal)))


@pytest.mark.parametrize("classes", [2, 5])
def test_every_metric_agrees_with_scikit_learn(classes):
    logits, labels = sample(300, 3, classes, 0)
    frame = evaluate(logits, labels, ["a", "b", "c"])
    average = "binary" if classes == 2 else "macro"
    for a, row in enumerate(frame.itertuples()):
        y, prediction = labels[:, a], logits[:, a].argmax(1)
        expected = {
            "mA": sklearn.balanced_accuracy_score(y, prediction),
            "accuracy": sklearn.accuracy_score(y, prediction),
            "f1": sklearn.f1_score(y, prediction, average=average),
            "precision": sklearn.precision_score(y, prediction, average=average),
            "recall": sklearn.recall_score(y, prediction, average=average),
        }
        if classes == 2:
            score = logits[:, a].softmax(1)[:, 1]
            expected["auc"] = sklearn.roc_auc_score(y, score)
            expected["average_precision"] = sklearn.average_precision_score(y, score)
        for name, value in expected.items():
            assert math.isclose(getattr(row, name), 100 * value), name
        assert row.confusion == sklearn.confusion_matrix(y, prediction).tolist()


@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.booleans(), st.sampled_from([2, 3]))
def test_a_ranking_is_scikit_learns_of_each_attribute_to_the_bit(seed, samples, ties, most):
    generator = torch.Generator().manual_seed(seed)
    classes = [2, most, 2, 2, 2, 2]
    labels = torch.stack([torch.randint(n, (samples,), generator=generator) for n in classes], 1)
    labels[torch.rand(samples, generator=generator) < 0.2] = -1  # a row that nobody labelled
    labels[torch.rand(samples, generator=generator) < 0.3, 2] = -1
    labels[:, 3] = labels[:, 3].clamp(max=0)  # one class alone
    logits = 3 * torch.randn(samples, len(classes), most, generator=generator)
    logits = logits.round() if ties else logits
    logits[:, torch.tensor(classes) == 2, 2:] = -torch.inf
    score = (logits[..., 1].double() - logits[..., 0].double()).numpy()
    names = list("abcdef")
    frame = rank_metrics(logits, labels, names, classes=classes)
    literal = {"auc": sklearn.roc_auc_score, "average_precision": sklearn.average_precision_score}
    for column, metric in literal.items():
        for a, name in enumerate(names):
            known = labels[:, a] >= 0
            truth = labels[known, a].numpy()
            if classes[a] == 2 and 0 < truth.sum() < len(truth):
                assert frame[column][name] == 100 * metric(truth, score[known, a])
            else:
                assert math.isnan(frame[column][name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for offsets in (None, torch.randn(len(classes), most, generator=generator)):
            given = {"offsets": offsets, "classes": classes}
            shared = evaluate(logits, labels, names, **given, ranking=frame)
            assert shared.equals(evaluate(logits, labels, names, **given))


def test_a_ranking_of_other_attributes_is_refused():
    logits, labels = sample(5, 2, 2, 0)
    other = rank_metrics(logits, labels, ["a", "c"])
    with pytest.raises(ValueError, match=r"ranking must .* of attributes \['a', 'b'\], got \['a',"):
        evaluate(logits, labels, ["a", "b"], ranking=other)


def test_an_attribute_without_a_positive_is_named_and_left_out_of_the_mean():
    labels = torch.tensor([[0, 0], [0, 1]])
    logits = torch.eye(2)[labels]  # all right
    with pytest.warns(UserWarning, match="undefined.*for attribute Bald: a class has no sample"):
        frame = evaluate(logits, labels, ["Bald", "Young"])
    assert math.isnan(frame["mA"]["Bald"])
    assert math.isnan(frame["auc"]["Bald"])
    assert mean_accuracy(torch.tensor(frame["mA"].to_numpy())) == 100


@given(st.integers(0, 999))
def test_the_moved_threshold_decides_at_the_training_prior(seed):
    logits, _ = sample(50, 3, 2, seed)
    counts = torch.tensor([[90, 10], [50, 50], [1, 99]])
    literal = oracles.moved_threshold(logits, counts.tolist())
    assert decide(logits, counts).tolist() == torch.as_tensor(literal).tolist()
    assert torch.equal(decide(logits, counts)[:, 1], decide(logits)[:, 1])  # a prior of 0.5


@pytest.mark.parametrize(
    ("predictions", "labels", "names"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 1), r"\(3, 2\) and \(3, 1\)"),
        (
            torch.full((3, 1), 2),
            torch.zeros(3, 1).long(),
            r"predictions must lie in 0 \.\.\. 1, got 2",
        ),
        (torch.zeros(3, 1).long(), torch.full((3, 1), -2), "labels must .* got -2"),
        (torch.full((3, 1), 0.7), torch.zeros(3, 1), "predictions must .* is 0.7.*dcl.decide"),
    ],
)
def test_impossible_values_are_named(predictions, labels, names):
    with pytest.raises(ValueError, match=names):
        balanced_accuracy(predictions, labels)


@pytest.mark.parametrize("classes", [3, (2, 3), (2, 2.5), "ab"])
def test_numbers_of_classes_that_the_logits_do_not_have_are_named(classes):
    logits, labels = torch.randn(5, 2, 2), torch.zeros(5, 2).long()
    with pytest.raises(ValueError, match="classes must be"):
        evaluate(logits, labels, ["a", "b"], classes=classes)


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.booleans())
def test_average_precision_is_scikit_learns(seed, samples, ties):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(samples, 3, 2, generator=generator)
    logits = logits.round() if ties else logits
    labels = torch.randint(-1, 2, (samples, 3), generator=generator)
    score = (logits[..., 1] - logits[..., 0]).double()
    expected = []
    for a in range(3):
        known = labels[:, a] >= 0
        truth = labels[known, a]
        if 0 < truth.sum() < len(truth):
            one = sklearn.average_precision_score(truth.numpy(), score[known, a].numpy())
            expected.append(one)
    ours = average_precision(logits, labels)
    if expected:
        assert math.isclose(ours, sum(expected) / len(expected), rel_tol=1e-12)
    else:
        assert math.isnan(ours)


@given(st.integers(0, 2**32 - 1))
def test_the_mean_over_the_classes_held_is_that_of_a_plain_loop(seed):
    generator = torch.Generator().manual_seed(seed)
    labels, predictions = torch.randint(0, 4, (2, 12, 3), generator=generator)
    labels[torch.rand(12, 3, generator=generator) < 0.3] = -1
    labels[labels == 2] = 1  # no sample of class 2
    for a, ours in enumerate(held_accuracy(predictions, labels, 4).tolist()):
        recalls = []
        for c in range(4):
            rows = [
                int(p == c) for p, y in zip(predictions[:, a], labels[:, a], strict=True) if y == c
            ]
            recalls += [sum(rows) / len(rows)] if rows else []
        if len(recalls) < 2:
            assert math.isnan(ours)
        else:
            assert ours == pytest.approx(sum(recalls) / len(recalls))
