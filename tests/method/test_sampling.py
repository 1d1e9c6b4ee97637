"""Eq. 5-7."""

import numpy as np
import oracles
import pandas as pd
import pytest
import torch
from conftest import batches
from hypothesis import given
from hypothesis import strategies as st

from dcl import count_classes, dsl_loss, dsl_weights, target_distribution

G = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
NORMALISATION = st.sampled_from(["proportion", "minority"])
RULE = st.sampled_from(["power", "linear"])
BALD = torch.tensor([[159_123, 3_647]])  # CelebA's training split


@given(batches(), G, NORMALISATION, RULE)
def test_target_distribution_is_equation_5(batch, g, normalisation, rule):
    ours = target_distribution(batch["class_counts"], g, normalisation=normalisation, rule=rule)
    literal = [
        oracles.target_distribution(row, g, normalisation, rule)
        for row in batch["class_counts"].tolist()
    ]
    torch.testing.assert_close(ours, torch.tensor(literal, dtype=torch.float64))


@given(batches(), G, NORMALISATION, RULE)
def test_expected_weights_are_the_ratio_of_equation_7(batch, g, normalisation, rule):
    labels, counts = batch["labels"], batch["class_counts"]
    ours = dsl_weights(
        labels, counts, g, selection="expected", normalisation=normalisation, rule=rule
    )
    literal = [
        oracles.expected_weights(labels[:, a], row, g, normalisation, rule)
        for a, row in enumerate(counts.tolist())
    ]
    torch.testing.assert_close(ours, torch.tensor(literal, dtype=torch.float64).T)


@given(batches(), G, NORMALISATION, RULE)
def test_random_weights_are_an_outcome_of_equation_7(batch, g, normalisation, rule):
    labels, counts = batch["labels"], batch["class_counts"]
    ours = dsl_weights(
        labels, counts, g, normalisation=normalisation, rule=rule, generator=batch["generator"]
    )
    for a, row in enumerate(counts.tolist()):
        oracles.check_random_weights(ours[:, a], labels[:, a], row, g, normalisation, rule)


def test_selection_is_uniform_and_differs_between_attributes():
    labels = torch.tensor([0] * 8 + [1] * 2).repeat(4, 1).T  # 4 attributes, 5 of 8 kept
    counts = torch.tensor([[8, 2]]).expand(4, 2)
    generator = torch.Generator().manual_seed(0)
    draws = [dsl_weights(labels, counts, 0, generator=generator)[:8] for _ in range(2000)]
    kept = torch.stack(draws)  # (draw, sample, attribute)
    assert (kept.sum(1) == 5).all()
    assert ((kept.mean(0) - 5 / 8).abs() < 5 * (15 / 64 / 2000) ** 0.5).all()  # 5 sigma
    assert (kept[:, :, 0] != kept[:, :, 1]).any()


def test_the_number_kept_is_right_on_average_however_few_are_wanted():
    counts = torch.full((1, 100), 450)  # a batch of 32 is to hold 0.32 of each class
    labels = torch.arange(32)[:, None]
    generator = torch.Generator().manual_seed(0)
    kept = torch.stack(
        [dsl_weights(labels, counts, 0.5, generator=generator)[:, 0] for _ in range(4000)]
    )
    assert set(kept.flatten().tolist()) == {0.0, 1.0}
    assert abs(kept.mean() - 0.32) < 5 * (0.32 * 0.68 / kept.numel()) ** 0.5  # 5 sigma
    assert (kept.mean(0) > 0.2).all()  # no class is dropped for good, as by the nearest rounding


def hidden(batch, share=0.3):
    """The batch's labels with some unknown, and which."""
    unknown = torch.rand(batch["labels"].shape, generator=batch["generator"]) < share
    return batch["labels"].masked_fill(unknown, -1), unknown


@given(batches(), G, NORMALISATION, RULE)
def test_an_unknown_label_is_a_sample_taken_out_of_that_attribute_alone(
    batch, g, normalisation, rule
):
    labels, unknown = hidden(batch)
    options = {"normalisation": normalisation, "rule": rule, "selection": "expected"}
    weights = dsl_weights(labels, batch["class_counts"], g, **options)
    entropy = dsl_loss(batch["logits"], labels, weights) * len(labels)
    alone = torch.zeros((), dtype=torch.float64)
    for a in range(labels.shape[1]):
        kept = ~unknown[:, a]
        own, counts = labels[kept, a : a + 1], batch["class_counts"][a : a + 1]
        if not len(own):
            assert (weights[:, a] == 0).all()
            continue
        expected = dsl_weights(own, counts, g, **options)
        torch.testing.assert_close(weights[kept, a : a + 1], expected)
        assert (weights[~kept, a] == 0).all()
        one = batch["logits"][kept, a : a + 1]
        alone = alone + dsl_loss(one, own, expected) * len(own)
    torch.testing.assert_close(entropy, alone)


@given(batches(), G)
def test_random_weights_of_known_labels_are_an_outcome_of_equation_7(batch, g):
    labels, unknown = hidden(batch)
    ours = dsl_weights(labels, batch["class_counts"], g, generator=batch["generator"])
    for a, row in enumerate(batch["class_counts"].tolist()):
        kept = ~unknown[:, a]
        assert (ours[~kept, a] == 0).all()
        if kept.any():
            oracles.check_random_weights(ours[kept, a], labels[kept, a], row, g)


def test_weights_of_a_batch_sum_to_its_known_labels():
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:12], labels[100:200] = 1, -1
    weights = dsl_weights(labels, BALD, 0.3, selection="expected")
    torch.testing.assert_close(weights.sum().item(), 412.0)


@pytest.mark.parametrize("known", ["batch", "rescale"])
def test_an_attribute_unknown_in_a_whole_batch_gives_0_with_a_graph(known):
    logits = torch.randn(8, 2, 2, requires_grad=True)
    labels = torch.full((8, 2), -1)
    weights = dsl_weights(labels, BALD.expand(2, 2), 0.5)
    loss = dsl_loss(logits, labels, weights, known=known)
    loss.backward()
    assert loss == 0
    assert (logits.grad == 0).all()


def test_rescale_divides_by_the_known_labels():
    logits, labels = torch.zeros(4, 1, 2), torch.tensor([[0], [1], [-1], [-1]])
    torch.testing.assert_close(dsl_loss(logits, labels, known="rescale"), torch.tensor(2.0).log())
    torch.testing.assert_close(dsl_loss(logits, labels), torch.tensor(2.0).log() / 2)


@given(st.integers(0, 2**32 - 1), G, RULE)
def test_attributes_with_other_numbers_of_classes_are_separate_ones(seed, g, rule):
    generator = torch.Generator().manual_seed(seed)
    classes = (2, 5, 3)
    labels = torch.stack([torch.randint(0, c, (40,), generator=generator) for c in classes], 1)
    counts = torch.zeros(3, 5, dtype=torch.long)
    for a, c in enumerate(classes):
        counts[a, :c] = torch.randint(1, 1000, (c,), generator=generator)
    together = dsl_weights(labels, counts, g, selection="expected", rule=rule, classes=classes)
    for a, c in enumerate(classes):
        alone = dsl_weights(
            labels[:, a : a + 1], counts[a : a + 1, :c], g, selection="expected", rule=rule
        )
        torch.testing.assert_close(together[:, a : a + 1], alone)
    target = target_distribution(counts, g, rule=rule, classes=classes)
    torch.testing.assert_close(target.sum(1), torch.ones(3, dtype=torch.float64))
    assert (target[counts == 0] == 0).all()


def test_a_weight_of_0_leaves_out_an_infinite_loss():
    logits = torch.tensor([[[0.0, -torch.inf]], [[0.0, 0.0]]], requires_grad=True)
    loss = dsl_loss(logits, torch.tensor([[1], [0]]), torch.tensor([[0.0], [1.0]]))
    loss.backward()
    torch.testing.assert_close(loss.detach(), torch.tensor(2.0).log() / 2)
    assert logits.grad.isfinite().all()


def test_selection_is_the_same_without_numpy(monkeypatch):
    labels = torch.randint(-1, 3, (300, 7), generator=torch.Generator().manual_seed(1))
    counts = torch.tensor([[80, 15, 5]]).expand(7, 3)
    with_it = dsl_weights(labels, counts, 0.4, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr("dcl.sampling.np", None)
    without = dsl_weights(labels, counts, 0.4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(with_it, without)


def test_selection_repeats_with_the_generator():
    labels = torch.tensor([[0], [0], [0], [0], [1]])
    draws = [
        dsl_weights(labels, BALD, 0.2, generator=torch.Generator().manual_seed(3)) for _ in range(2)
    ]
    assert torch.equal(*draws)


@given(G)
def test_weights_of_a_batch_with_every_class_sum_to_its_size(g):
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:12] = 1  # Bald-like
    exact = dsl_weights(labels, BALD, g, selection="expected").sum()
    torch.testing.assert_close(exact.item(), 512.0)
    assert abs(dsl_weights(labels, BALD, g).sum() - 512) < 1 + 1e-9  # one rounding


def test_the_other_reading_of_equation_5_fades_the_loss_away():
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:12] = 1
    weights = dsl_weights(labels, BALD, 0, normalisation="minority")
    assert weights.sum() == 24  # of 512 at g = 0, 12 of each class
    assert weights.max() == 1  # nobody is up-weighted


def test_an_absent_class_leaves_the_present_ones_their_targets():
    labels = torch.zeros(10, 1, dtype=torch.long)  # class 1 is absent
    weights = dsl_weights(labels, torch.tensor([[50, 50]]), 0.5)
    assert weights.sum() == 5  # half of the batch belongs to class 1
    weights = dsl_weights(labels, BALD, 1, normalisation="minority")
    assert (weights == 1).all()  # nothing is compared with a class that is not there


def test_current_train_at_g_1_weighs_every_sample_1():
    labels = torch.randint(0, 2, (64, 1), generator=torch.Generator().manual_seed(0))
    for normalisation in ("proportion", "minority"):
        weights = dsl_weights(labels, BALD, 1, current="train", normalisation=normalisation)
        assert (weights == 1).all()


@given(batches())
def test_down_sampling_keeps_what_the_minority_reading_keeps_at_g_0(batch):
    labels, counts = batch["labels"], batch["class_counts"]
    kept = dsl_weights(labels, counts, 0, normalisation="minority")
    for a in range(labels.shape[1]):
        of_class = torch.bincount(labels[:, a], minlength=counts.shape[1])
        smallest = of_class[of_class > 0].min()
        for c in of_class.nonzero().flatten():
            assert kept[labels[:, a] == c, a].sum() == smallest


@given(batches())
def test_dsl_loss_and_gradient_are_equation_6(batch):
    logits, labels = batch["logits"].requires_grad_(), batch["labels"]
    weights = dsl_weights(labels, batch["class_counts"], 0.4, generator=batch["generator"])
    ours, literal = dsl_loss(logits, labels, weights), oracles.dsl_loss(logits, labels, weights)
    torch.testing.assert_close(ours, literal)
    torch.testing.assert_close(*(torch.autograd.grad(x, logits)[0] for x in (ours, literal)))


def test_dsl_loss_divides_by_the_batch_not_by_the_kept():
    logits, labels = torch.zeros(4, 1, 2), torch.zeros(4, 1, dtype=torch.long)
    weights = torch.tensor([[1.0], [0], [0], [0]])
    torch.testing.assert_close(dsl_loss(logits, labels, weights), torch.tensor(2.0).log() / 4)


def test_dsl_loss_of_an_empty_batch_is_zero_with_a_graph():
    logits = torch.zeros(0, 3, 2, requires_grad=True)
    loss = dsl_loss(logits, torch.zeros(0, 3, dtype=torch.long))
    loss.backward()
    assert loss == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_floating_type_of_logits_works(dtype):
    logits, labels = torch.zeros(4, 1, 2, dtype=dtype), torch.zeros(4, 1, dtype=torch.long)
    expected = torch.float64 if dtype is torch.float64 else torch.float32
    assert dsl_loss(logits, labels, torch.ones(4, 1)).dtype is expected


LABELS = torch.zeros(4, 1, dtype=torch.long)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: target_distribution(BALD, 1.5), r"\[0, 1\], got 1.5"),
        (lambda: target_distribution(BALD, 1, normalisation="sum"), "'sum'.*proportion, minority"),
        (lambda: target_distribution(BALD, 1, rule="cubic"), "'cubic'.*power, linear"),
        (lambda: target_distribution(torch.tensor([[5, 0]]), 1), "class 1 of attribute 0 has 0"),
        (lambda: target_distribution(torch.tensor([5, 1]), 1), r"\(2,\)\. .*class_counts\[None\]"),
        (lambda: target_distribution(BALD.numpy(), 1), "got a numpy.ndarray: torch.as_tensor"),
        (lambda: dsl_loss(torch.zeros(4, 1, 2), LABELS.to("meta")), "labels on meta: move the lab"),
        (lambda: dsl_weights(LABELS + 2, BALD, 1), r"0 \.\.\. 1, .* got 2"),
        (lambda: dsl_weights(LABELS - 2, BALD, 1), "-1 where unknown, got -2"),
        (lambda: dsl_weights(LABELS.float(), BALD, 1), "integers, got dtype torch.float32"),
        (lambda: dsl_weights(LABELS[:, 0], BALD, 1), r"\(batch, 1\), got shape \(4,\)"),
        (lambda: dsl_weights(LABELS, BALD, 1, selection="most"), "'most'.*random, expected"),
        (lambda: dsl_weights(LABELS, BALD, 1, current="epoch"), "'epoch'.*batch, train"),
        (lambda: dsl_loss(torch.zeros(4, 2), LABELS), r"\(4, 2\) and \(4, 1\)"),
        (lambda: dsl_loss(torch.zeros(4, 1, 2).long(), LABELS), "floating point"),
        (lambda: dsl_loss(torch.zeros(4, 1, 2), LABELS, known="half"), "'half'.*batch, rescale"),
        (lambda: target_distribution(BALD, 1, classes=(3,)), "2 the largest, got"),
        (lambda: target_distribution(BALD.expand(2, 2), 1, classes=(2,)), "must be 2 numbers"),
        (lambda: target_distribution(BALD.double() * torch.inf, 1), "positive and finite"),
        (lambda: count_classes(torch.tensor([[0], [2]]), 2), r"0 \.\.\. 1, .* got 2"),
        (lambda: count_classes(torch.tensor([[0], [-2]]), 2), "got -2"),
        (lambda: count_classes(torch.tensor([[0.0], [0.9]])), "row 1, attribute 0 is 0.9"),
        (lambda: count_classes(torch.tensor([[0.0], [torch.nan]])), "row 1, attribute 0 is nan"),
    ],
)
def test_impossible_values_are_named(call, names):
    with pytest.raises(ValueError, match=names):
        call()


@pytest.mark.filterwarnings("ignore:labels are 1 and -1 alone")  # of a batch, by chance
@given(batches())
def test_count_classes_counts(batch):
    classes = batch["class_counts"].shape[1]
    counts = count_classes(batch["labels"], classes)
    for a in range(counts.shape[0]):
        assert torch.equal(counts[a], torch.bincount(batch["labels"][:, a], minlength=classes))
    labels, unknown = hidden(batch)
    counts = count_classes(labels, classes)
    for a in range(counts.shape[0]):
        known = labels[~unknown[:, a], a]
        assert torch.equal(counts[a], torch.bincount(known, minlength=classes))


def test_count_classes_takes_arrays_frames_and_one_attribute():
    labels = np.array([[0, 1], [1, 1], [0, -1]])
    expected = torch.tensor([[2, 1], [0, 2]])
    for form in (labels, labels.astype(float), pd.DataFrame(labels), torch.as_tensor(labels)):
        assert torch.equal(count_classes(form), expected)
    assert torch.equal(count_classes(labels[:, 0]), expected[:1])
    assert torch.equal(count_classes(labels, (2, 3)), torch.tensor([[2, 1, 0], [0, 2, 0]]))
