"""The compared methods against their papers' formulas, and what coincides with what."""

import oracles
import pytest
import torch
import torch.nn.functional as F
from conftest import batches
from hypothesis import assume, given

from dcl import DCLLoss, decide, dsl_loss, dsl_weights, evaluate
from dcl.methods.baselines import (
    BASELINES,
    Baseline,
    class_balanced_weights,
    cost_sensitive_weights,
    pos_weights,
    resampling_weights,
)


def loss_of(method, batch, **options):
    criterion = Baseline(method, batch["class_counts"], 10, seed=0, **options)
    return criterion(batch["logits"], batch["features"], batch["labels"])


def assert_same_with_gradient(batch, ours, literal):
    torch.testing.assert_close(ours, literal)
    gradients = [
        torch.autograd.grad(x, batch["logits"], retain_graph=True)[0] for x in (ours, literal)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-8)


def weighted(batch, weights):
    per_class = [weights(row) for row in batch["class_counts"].tolist()]
    table = oracles.sample_weights(per_class, batch["labels"].tolist())
    return oracles.dsl_loss(batch["logits"], batch["labels"], table)


@given(batches())
def test_cost_sensitive_weighs_by_inverse_training_frequency(batch):
    batch["logits"].requires_grad_()
    literal = weighted(batch, oracles.cost_sensitive_weights)
    assert_same_with_gradient(batch, loss_of("cost-sensitive", batch), literal)


@given(batches())
def test_cost_sensitive_weights_have_mean_one_over_the_training_set(batch):
    counts = batch["class_counts"].double()
    mean = (cost_sensitive_weights(counts) * counts).sum(1) / counts.sum(1)
    torch.testing.assert_close(mean, torch.ones_like(mean))


@given(batches())
def test_class_balanced_weighs_by_effective_numbers(batch):
    batch["logits"].requires_grad_()
    literal = weighted(batch, oracles.class_balanced_weights)
    assert_same_with_gradient(batch, loss_of("class-balanced", batch), literal)


@given(batches())
def test_class_balanced_without_memory_is_cross_entropy(batch):
    ours = loss_of("class-balanced", batch, beta=0.0)
    torch.testing.assert_close(ours, dsl_loss(batch["logits"], batch["labels"]))


@given(batches())
def test_pos_weight_is_torchs_own(batch):
    logits, labels, counts = (
        batch["logits"].requires_grad_(),
        batch["labels"],
        batch["class_counts"],
    )
    assume(logits.shape[2] == 2)
    ours = loss_of("pos-weight", batch)
    assert_same_with_gradient(batch, ours, oracles.pos_weight_loss(logits, labels, counts.tolist()))
    z, weight = logits[..., 1] - logits[..., 0], counts[:, 0] / counts[:, 1]
    torchs = F.binary_cross_entropy_with_logits(z, labels.double(), pos_weight=weight.double())
    torch.testing.assert_close(ours, torchs * labels.shape[1])  # theirs: mean over attributes


def test_pos_weight_of_many_classes_is_each_ones_odds():
    torch.testing.assert_close(
        pos_weights(torch.tensor([[50, 30, 20]])),
        torch.tensor([[1.0, 7 / 3, 4]], dtype=torch.float64),
    )


@given(batches())
def test_focal_is_lin_et_al(batch):
    batch["logits"].requires_grad_()
    literal = oracles.focal_loss(batch["logits"], batch["labels"])
    assert_same_with_gradient(batch, loss_of("focal", batch), literal)


@given(batches())
def test_focal_with_gamma_0_is_cross_entropy(batch):
    ours = loss_of("focal", batch, gamma=0.0)
    torch.testing.assert_close(ours, dsl_loss(batch["logits"], batch["labels"]))


@given(batches())
def test_logit_adjustment_is_menon_et_al(batch):
    logits, labels = batch["logits"].requires_grad_(), batch["labels"]
    literal = oracles.logit_adjusted_loss(logits, labels, batch["class_counts"].tolist())
    assert_same_with_gradient(batch, loss_of("logit-adjustment", batch), literal)


@given(batches())
def test_post_hoc_logit_adjustment_of_two_classes_is_the_moved_threshold(batch):
    logits, counts = batch["logits"], batch["class_counts"]
    assume(logits.shape[2] == 2)
    ours = decide(logits, counts)
    literal = torch.tensor(oracles.moved_threshold(logits, counts.tolist()))
    prior = counts[:, 1] / counts.sum(1)
    close = (logits.softmax(2)[..., 1] - prior).abs() < 1e-12  # at a tie the rounding decides
    assert torch.equal(ours[~close], literal[~close])


def test_a_threshold_moved_to_one_half_is_cross_entropys():
    logits = torch.randn(200, 3, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 2, (200, 3), generator=torch.Generator().manual_seed(1))
    names, even = ["a", "b", "c"], torch.full((3, 2), 50)
    assert evaluate(logits, labels, names).equals(evaluate(logits, labels, names, even))


@given(batches())
def test_ldam_is_cao_et_al_and_reweighted_in_the_last_fifth(batch):
    logits, labels, counts = (
        batch["logits"].requires_grad_(),
        batch["labels"],
        batch["class_counts"],
    )
    assume(labels.shape[1] == 1)
    criterion = Baseline("ldam-drw", counts, 10)
    ours = criterion(logits, batch["features"], labels)
    assert_same_with_gradient(batch, ours, oracles.ldam_loss(logits, labels, counts.tolist()))
    criterion.set_epoch(7.9)
    torch.testing.assert_close(criterion(logits, batch["features"], labels), ours)
    criterion.set_epoch(8)
    expected = class_balanced_weights(counts).gather(1, labels.T).T
    torch.testing.assert_close(criterion.weights(labels), expected)


def test_ldam_is_for_one_attribute():
    with pytest.raises(ValueError, match=r"single-label tasks \(1 attribute\), got 2"):
        Baseline("ldam-drw", torch.tensor([[5, 5], [5, 5]]), 10)


@given(batches())
def test_crl_original_mixes_by_the_attributes_imbalance(batch):
    logits, labels, counts = batch["logits"], batch["labels"], batch["class_counts"]
    literal = 0.0
    for a, row in enumerate(counts.tolist()):
        missing = sum(max(row) - n for n in row) / (len(row) * max(row))
        alpha = 0.01 * 100 * missing
        one = logits[:, a : a + 1], labels[:, a : a + 1]
        metric = oracles.triplet_loss(batch["features"][:, a : a + 1], *one, k=3, anchors="all")
        entropy = oracles.dsl_loss(*one, torch.ones(len(labels), 1))
        literal = literal + alpha * metric + (1 - alpha) * entropy
    torch.testing.assert_close(loss_of("crl-original", batch, k=3), literal)


@given(batches())
def test_resampled_classes_are_equal_and_the_mean_weight_is_one(batch):
    labels, classes = batch["labels"], batch["class_counts"].shape[1]
    for how in ("over", "down"):
        weights = resampling_weights(labels, classes, how, batch["generator"])
        torch.testing.assert_close(weights.mean(0), torch.ones_like(weights[0]))
        for a in range(labels.shape[1]):
            of_class = [weights[labels[:, a] == c, a] for c in labels[:, a].unique()]
            totals = torch.stack([w.sum() for w in of_class])
            torch.testing.assert_close(totals, totals[:1].expand_as(totals))
            times = weights[:, a] / weights[weights[:, a] > 0, a].min()  # the largest class: once
            torch.testing.assert_close(times, times.round())  # each sample a whole number of times


def test_over_sampling_repeats_each_sample_as_often_as_fits():
    labels = torch.tensor([0] * 7 + [1] * 3)[:, None]
    weights = resampling_weights(labels, 2, "over", torch.Generator().manual_seed(0))
    times = (weights * 14 / 10).round().long().flatten()
    assert times[:7].tolist() == [1] * 7
    assert sorted(times[7:].tolist()) == [2, 2, 3]  # 7 in all


@given(batches())
def test_down_sampling_keeps_as_many_as_dsl_at_g_0_read_to_the_letter(batch):
    labels, counts = batch["labels"], batch["class_counts"]
    down = resampling_weights(labels, counts.shape[1], "down") > 0
    dsl = dsl_weights(labels, counts, 0, normalisation="minority") > 0
    for a in range(labels.shape[1]):
        for c in range(counts.shape[1]):
            own = labels[:, a] == c
            assert down[own, a].sum() == dsl[own, a].sum()


@given(batches())
def test_resampling_is_selective_learning_in_expectation_when_every_class_occurs(batch):
    labels, counts = batch["labels"], batch["class_counts"]
    assume(all(len(y.unique()) == counts.shape[1] for y in labels.T))
    balanced = dsl_weights(labels, counts, 0, selection="expected")
    for a in range(labels.shape[1]):
        for c in range(counts.shape[1]):
            own = labels[:, a] == c
            for how in ("over", "down"):
                weights = resampling_weights(labels, counts.shape[1], how)
                torch.testing.assert_close(weights[own, a].sum(), balanced[own, a].sum())


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("labels", [[0] * 6, [1] * 6, [1], [0, 0, 0, 0, 0, 1], []])
def test_one_class_one_sample_and_an_empty_batch_are_finite(method, labels):
    labels = torch.tensor(labels, dtype=torch.long)[:, None]
    logits = torch.randn(len(labels), 1, 2, requires_grad=True)
    criterion = Baseline(method, torch.tensor([[90, 10]]), 10, seed=0)
    loss = criterion(logits, torch.randn(len(labels), 1, 4, requires_grad=True), labels)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("method", BASELINES)
def test_a_class_without_training_samples_is_named(method):
    with pytest.raises(ValueError, match="class 1 of attribute 0 has 0 training samples"):
        Baseline(method, torch.tensor([[90, 0]]), 10)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda c: Baseline("magic", c, 10), "'magic': choose one of over-sampling"),
        (lambda c: Baseline("class-balanced", c, 10, beta=1), r"\[0, 1\), got 1"),
        (lambda c: Baseline("crl-original", c, 10, eta=1.0), "more than 1"),
        (lambda c: Baseline("focal", c, 10).set_epoch(11), r"\[0, 10\], got 11"),
        (lambda c: resampling_weights(c, 2, "up"), "'up': choose one of over, down"),
    ],
)
def test_impossible_arguments_are_named(make, names):
    with pytest.raises(ValueError, match=names):
        make(torch.tensor([[90, 10]]))


def test_dcl_at_g_1_and_f_0_is_cross_entropy_where_the_batch_has_the_training_distribution():
    labels = torch.tensor([0] * 9 + [1])[:, None]
    logits = torch.randn(10, 1, 2)
    criterion = DCLLoss(torch.tensor([[90, 10]]), 10, sampling=1, loss=0)
    torch.testing.assert_close(criterion(logits, logits, labels), dsl_loss(logits, labels))
