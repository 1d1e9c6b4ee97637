"""Eq. 5-7."""

import oracles
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
    assert abs(dsl_weights(labels, BALD, g).sum() - 512) <= 0.5 + 1e-9  # one rounding


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
        (lambda: target_distribution(torch.tensor([5, 1]), 1), r"got shape \(2,\)"),
        (lambda: dsl_weights(LABELS + 2, BALD, 1), r"0 \.\.\. 1, got 2"),
        (lambda: dsl_weights(LABELS - 1, BALD, 1), "got -1"),
        (lambda: dsl_weights(LABELS.float(), BALD, 1), "integers, got dtype torch.float32"),
        (lambda: dsl_weights(LABELS[:, 0], BALD, 1), r"\(batch, 1\), got shape \(4,\)"),
        (lambda: dsl_weights(LABELS, BALD, 1, selection="most"), "'most'.*random, expected"),
        (lambda: dsl_weights(LABELS, BALD, 1, current="epoch"), "'epoch'.*batch, train"),
        (lambda: dsl_loss(torch.zeros(4, 2), LABELS), r"\(4, 2\) and \(4, 1\)"),
        (lambda: dsl_loss(torch.zeros(4, 1, 2).long(), LABELS), "floating point"),
    ],
)
def test_impossible_values_are_named(call, names):
    with pytest.raises(ValueError, match=names):
        call()


@given(batches())
def test_count_classes_counts(batch):
    classes = batch["class_counts"].shape[1]
    counts = count_classes(batch["labels"], classes)
    for a in range(counts.shape[0]):
        assert torch.equal(counts[a], torch.bincount(batch["labels"][:, a], minlength=classes))
