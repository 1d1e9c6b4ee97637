"""Calibration error against a loop over samples and bins; what is unknown is in no bin."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl import calibration_error, target_distribution, tune_thresholds
from dcl.evaluation.calibration import describe, to_training_prior


def ece_loop(logits, labels, bins):
    """One attribute, (N, C) and (N,): |B_m| / N times |confidence - rate|, summed over the bins."""
    rows = [[] for _ in range(bins)]
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        if label == -1:
            continue
        top = max(row)
        exps = [math.exp(x - top) for x in row]
        shares = [x / sum(exps) for x in exps]
        if len(shares) == 2:
            value, so = shares[1], label == 1
        else:
            predicted = max(range(len(shares)), key=lambda k: shares[k])
            value, so = shares[predicted], predicted == label
        (place,) = [
            m for m in range(bins)
            if m / bins <= value < (m + 1) / bins or (m == bins - 1 and value == 1)
        ]  # fmt: skip
        rows[place].append((value, float(so)))
    total = sum(map(len, rows))
    if not total:
        return math.nan
    error = 0.0
    for found in filter(None, rows):
        confidence = sum(value for value, _ in found) / len(found)
        rate = sum(so for _, so in found) / len(found)
        error += len(found) / total * abs(confidence - rate)
    return error


@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(1, 20))
def test_the_error_is_that_of_a_loop_over_samples_for_any_numbers_of_classes(seed, count, bins):
    generator = torch.Generator().manual_seed(seed)
    sizes = (2, 5, 3)
    logits = 4 * torch.randn(count, 3, 5, generator=generator, dtype=torch.float64)
    labels = torch.stack([torch.randint(-1, n, (count,), generator=generator) for n in sizes], 1)
    for a, n in enumerate(sizes):
        logits[:, a, n:] = -torch.inf
    found = calibration_error(logits, labels, bins=bins)
    loops = [ece_loop(logits[:, a, :n], labels[:, a], bins) for a, n in enumerate(sizes)]
    torch.testing.assert_close(found.error, torch.tensor(loops).double(), equal_nan=True)
    assert found.counts.sum(1).tolist() == (labels >= 0).sum(0).tolist()
    defined = [x for x in loops if not math.isnan(x)]
    if defined:
        assert found.mean == pytest.approx(sum(defined) / len(defined))
    known = labels[:, 0] >= 0  # dropping a label is dropping the sample, from that attribute
    if known.any():
        alone = calibration_error(logits[known, :1, :2], labels[known, :1], bins=bins)
        torch.testing.assert_close(alone.error, found.error[:1])
        torch.testing.assert_close(
            calibration_error(logits[:, :1, 1] - logits[:, :1, 0], labels[:, :1], bins=bins).error[
                0
            ],
            found.error[0],
        )


def test_a_balanced_training_is_calibrated_once_the_prior_is_back():
    """Scores drawn so that class 1 has a log likelihood ratio of x: what balance would learn."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(100_000, 1, generator=generator) < 0.1).long()
    x = torch.randn(100_000, 1, generator=generator, dtype=torch.float64) + 2 * labels - 1
    ratio = 2 * x  # log N(x; 1, 1) / N(x; -1, 1)
    counts = torch.tensor([[90, 10]])
    assert calibration_error(ratio, labels).mean > 0.1
    back = calibration_error(ratio, labels, offsets=to_training_prior(counts))
    assert back.mean < 0.01
    half = ratio + 0.5 * math.log(10 / 90)  # as trained towards D ** 0.5
    offsets = to_training_prior(counts, target_distribution(counts, 0.5))
    again = calibration_error(half, labels, offsets=offsets)
    torch.testing.assert_close(again.error, back.error)


def test_what_a_record_keeps_is_in_percent_and_pools_the_samples():
    logits = torch.tensor([[0.9, 0.3], [0.9, 0.3]]).logit()
    labels = torch.tensor([[1, 1], [-1, 0]])
    kept = describe(calibration_error(logits, labels, bins=10), ["a", "b"])
    assert kept["per_attribute"] == pytest.approx({"a": 10, "b": 20})
    assert kept["ece"] == pytest.approx(15)
    counts = kept["pooled"]["counts"]
    assert (sum(counts), kept["bins"]) == (3, 10)
    assert sorted(x for x in kept["pooled"]["rate"] if x == x) == [0.5, 1]


def test_the_offsets_that_were_tuned_may_be_given_whole():
    logits, labels = torch.randn(9, 2), (torch.rand(9, 2) < 0.5).long()
    found = tune_thresholds(logits, labels, bootstrap=0)
    whole, tensor = (calibration_error(logits, labels, offsets=x) for x in (found, found.offsets))
    assert torch.equal(whole.error, tensor.error)


def test_what_cannot_be_is_named():
    logits, labels = torch.zeros(3, 2), torch.zeros(3, 2, dtype=torch.long)
    for values, message in (
        ((logits, labels[:2]), "labels .samples, attributes., got shapes"),
        ((logits * torch.nan, labels), "got NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            calibration_error(*values)
    with pytest.raises(ValueError, match="bins must be a whole number of 1 or more, got 0"):
        calibration_error(logits, labels, bins=0)
    for offsets, message in (
        (torch.zeros(2, 3), r"offsets .* = \(2, 2\) .* got shape \(2, 3\)"),
        (torch.full((2, 2), torch.nan), "offsets must be numbers, got NaN"),
        ([[0, 0], [0, 0]], "offsets must be a tensor, got a list: torch.tensor makes it one"),
        (torch.full((2, 2), -torch.inf), "no class is left for attribute 0 in row 0"),
    ):
        with pytest.raises(ValueError, match=message):
            calibration_error(logits, labels, offsets=offsets)
    assert calibration_error(logits, labels - 1).error.isnan().all()
