"""The doors of decisions and metrics: the forms they take, and what each of them refuses."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from dcl import (
    MeanBalancedAccuracy,
    balanced_accuracy,
    calibration_error,
    decide,
    evaluate,
    tune_thresholds,
)

DOORS = {
    "tune_thresholds": lambda z, y: tune_thresholds(z, y, bootstrap=0).offsets,
    "calibration_error": lambda z, y: calibration_error(z, y).error,
    "evaluate": lambda z, y: torch.tensor(evaluate(z, y, ["kind"])["mA"].to_numpy()),
}


def one_label(rows=40, classes=5):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, classes, generator=generator)
    return logits, torch.arange(rows) % classes


@pytest.mark.parametrize("door", DOORS)
def test_one_label_is_taken_as_a_criterion_takes_it(door):
    logits, labels = one_label()
    full = DOORS[door](logits[:, None], labels[:, None])
    for form in (labels, labels.float(), pd.Series(labels.numpy()), labels.numpy().astype("uint8")):
        assert torch.equal(DOORS[door](logits, form), full)


@pytest.mark.parametrize("door", ["tune_thresholds", "calibration_error"])
@pytest.mark.parametrize("classes", [2, 5])
def test_one_hot_labels_of_one_label_are_warned_of(door, classes):
    logits, labels = one_label(classes=classes)
    call = DOORS[door]
    one_hot = torch.eye(classes)[labels]
    with pytest.warns(UserWarning, match=rf"one label of {classes} classes .*argmax\(1\)") as told:
        call(logits, one_hot)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(torch.stack([0 * logits, logits], 2), one_hot)  # attributes that exclude each other
        call(logits[:19], one_hot[:19])
        call(logits, one_hot.index_fill(0, torch.tensor([3]), 1))


def test_one_label_has_predictions_of_one_axis():
    logits, labels = one_label()
    full = balanced_accuracy(logits.argmax(1)[:, None], labels[:, None], 5)
    assert torch.equal(balanced_accuracy(logits.argmax(1), labels, 5), full)
    assert torch.equal(balanced_accuracy(logits.argmax(1)[:, None], labels, np.int64(5)), full)


def test_decide_refuses_what_has_two_meanings_and_says_how_to_give_either():
    logits, _ = one_label()
    with pytest.raises(ValueError, match=r"5 yes-or-no attributes or of one label of 5 classes"):
        decide(logits)
    counts = torch.tensor([[40, 30, 15, 10, 5]])
    assert torch.equal(decide(logits, counts), decide(logits[:, None], counts))
    assert torch.equal(decide(logits.unsqueeze(1)), logits.argmax(1, keepdim=True))
    attributes = torch.stack([0 * logits, logits], 2)
    assert torch.equal(decide(logits, torch.ones(5, 2)), decide(attributes))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        ([[0.0, 1], [1, 0]], [0.0, math.nan], "row 1, attribute 0 is nan"),
        ([[0.0, 1], [math.nan, 0]], [0, 1], "got NaN.*row 1, attribute 0"),
        ([[0.0, 1], [-math.inf, -math.inf]], [0, 1], "no class is the largest.*row 1"),
        ([[0.0, 1, -math.inf], [1, 0, -math.inf]], [0, 2], "label 2 of row 1.*does not have it"),
        ([[0.0, 1], [1, 0]], [[0], [1]], r"shapes \(2, 2, 2\) and \(2, 1\)"),
        ([[0.0, 1], [1, 0]], [0, 2], "0 ... 1"),
    ],
)
def test_what_cannot_be_scored_is_named_at_every_door(door, logits, labels, words):
    with pytest.raises(ValueError, match=words):
        DOORS[door](torch.tensor(logits), torch.tensor(labels))


@pytest.mark.parametrize(
    ("predictions", "labels", "words"),
    [
        ([[0, 0]], [[2, 0]], r"labels must lie in 0 ... 1 for attribute 0, got 2 in row 0"),
        ([[2, 0]], [[0, 0]], r"predictions must lie in 0 ... 1 for attribute 0"),
        ([[0, 0]], [[0.0, math.nan]], "row 0, attribute 1 is nan"),
    ],
)
def test_balanced_accuracy_names_a_class_that_the_attribute_lacks(predictions, labels, words):
    for door in (
        lambda p, y: balanced_accuracy(p, y, (2, 3)),
        MeanBalancedAccuracy(2, (2, 3)).update,
    ):
        with pytest.raises(ValueError, match=words):
            door(torch.tensor(predictions), torch.tensor(labels))


def test_evaluate_names_a_class_that_the_attribute_lacks():
    with pytest.raises(ValueError, match="labels must lie in 0 ... 1 for attribute 0, got 2"):
        evaluate(torch.zeros(1, 2, 3), torch.tensor([[2, 0]]), ["a", "b"], classes=(2, 3))


def test_macro_f1_is_one_number_where_a_class_without_samples_is_decided():
    """Of three classes; the third has no sample and is decided once."""
    logits = torch.eye(3)[[0, 0, 1, 1, 2]].double()
    labels = torch.tensor([0, 0, 1, 1, 1])
    found = tune_thresholds(logits, labels, metric="f1", bootstrap=0)
    with pytest.warns(UserWarning, match="undefined") as told:
        frame, plain = (evaluate(logits, labels, ["kind"], offsets=x) for x in (found, None))
    assert told[0].filename == __file__
    assert frame["f1"].item() == pytest.approx(100 * found.value.item())
    assert plain["f1"].item() == pytest.approx(100 * (1 + 2 * 2 / (3 + 2)) / 2)


@pytest.mark.parametrize("classes", [2, 4, (2, 3, 4)])
def test_ma_over_batches_is_that_of_all_samples_at_once(classes):
    generator = torch.Generator().manual_seed(0)
    numbers = (classes,) * 3 if isinstance(classes, int) else classes
    labels, predictions = (
        torch.stack([torch.randint(0, c, (50,), generator=generator) for c in numbers], 1)
        for _ in range(2)
    )
    labels[::7] = -1
    metric = MeanBalancedAccuracy(3, classes)
    for _ in range(2):
        of_batches = [
            metric(p, y) for p, y in zip(predictions.split(20), labels.split(20), strict=True)
        ]
        expected = balanced_accuracy(predictions, labels, classes)
        assert torch.equal(metric.per_attribute(), expected)
        assert metric.compute() == expected.mean()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a batch lacks classes
            first = balanced_accuracy(predictions[:20], labels[:20], classes).nanmean()
        torch.testing.assert_close(of_batches[0], first, equal_nan=True)
        metric.reset()
    with pytest.warns(UserWarning, match="undefined") as told:
        assert metric.compute().isnan()
    assert told[0].filename == __file__


def test_ma_takes_logits_and_refuses_scores_of_one_column():
    logits, labels = one_label()
    metric = MeanBalancedAccuracy(1, 5)
    metric.update(logits, labels)
    assert metric.compute() == balanced_accuracy(logits.argmax(1), labels, 5)
    with pytest.raises(ValueError, match=r"\(probabilities > 0.5\)"):
        MeanBalancedAccuracy(2).update(torch.rand(3, 2), torch.zeros(3, 2))


def test_ma_of_several_processes_is_of_their_counts_together(monkeypatch):
    whole, parts = MeanBalancedAccuracy(1), [MeanBalancedAccuracy(1) for _ in range(2)]
    labels, predictions = torch.tensor([[0], [1], [1], [0]]), torch.tensor([[0], [1], [0], [1]])
    whole.update(predictions, labels)
    for part, rows in zip(parts, (slice(0, 1), slice(1, 4)), strict=True):
        part.update(predictions[rows], labels[rows])
    expected = whole.compute()
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_backend", lambda: "gloo")
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda x: x.add_(parts[1].counts))
    assert parts[0].compute() == expected
    assert parts[0].counts.sum() == 1  # its own stay its own


def test_ma_in_a_module_moves_with_it_and_stays_of_its_process():
    """DistributedDataParallel overwrites every buffer of a module by the first process's."""
    metric = MeanBalancedAccuracy(2)
    module = nn.Sequential(metric)
    assert not [*module.buffers()]
    assert not module.state_dict()
    assert module.to("meta")[0].counts.device.type == "meta"


def test_logits_of_another_number_of_attributes_are_refused_and_lists_are_taken():
    metric = MeanBalancedAccuracy(2)
    with pytest.raises(ValueError, match=r"predictions must be logits \(batch, 2, 2\), got .*1, 2"):
        metric.update(torch.randn(5, 1, 2), torch.zeros(5, 2).long())
    metric.update([[0, 1], [1, 0]], [[0, 1], [1, 0]])
    assert metric.compute() == 1


def test_probabilities_of_classes_decide_as_their_logits_do():
    logits, labels = torch.randn(30, 2, 2), (torch.rand(30, 2) < 0.5).long()
    one, other = MeanBalancedAccuracy(2), MeanBalancedAccuracy(2)
    one.update(logits, labels)
    other.update(logits.softmax(2), labels)
    assert torch.equal(one.counts, other.counts)
