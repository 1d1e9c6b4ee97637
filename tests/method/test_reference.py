"""The reference itself: numbers worked out by hand, and what it may import."""

import ast
import math
import subprocess
import sys
from pathlib import Path

import oracles
import pytest
import torch
from conftest import batches
from hypothesis import given
from hypothesis import strategies as st

from dcl import reference


def test_the_reference_shares_nothing_with_the_code_that_it_tests():
    nodes = ast.walk(ast.parse(Path(reference.__file__).read_text()))
    imports = [x for x in nodes if isinstance(x, ast.Import | ast.ImportFrom)]
    assert all(getattr(x, "level", 0) == 0 for x in imports)
    named = {x.module if isinstance(x, ast.ImportFrom) else x.names[0].name for x in imports}
    assert {name.split(".")[0] for name in named} == {"math", "collections", "torch"}


def test_the_package_has_it_and_its_public_names_without_an_import_of_their_own():
    code = (
        "import dcl; print(dcl.reference.linear(1, 2)); from dcl import *; assert reference; "
        "print(sorted({'Any', 'TYPE_CHECKING', 'import_module'} & {*dir(dcl)}), "
        "{*dcl.__all__, 'reference', '__version__'} <= {*dir(dcl)})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.5", "[]", "True"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (reference.convex(100, 300), math.sqrt(3) / 2),
        (reference.linear(100, 300), 2 / 3),
        (reference.concave(2, 300, 0.9), 0.81),
        (reference.concave(2, 300), 0.99**2),
        (reference.composite(100, 300), 3 / 4),
        (reference.loss_schedule(60, 360, p=0.3, epsilon=0.1), math.sqrt(3) / 4 + 0.6),
        (reference.loss_schedule(90, 300, p=0.3, epsilon=0.1), 0.1),
        (
            reference.loss_schedule(2, 300, p=0.3, epsilon=0.1, sf=reference.concave),
            0.99**2 + 0.1,
        ),
    ],
)
def test_schedules_at_a_third_or_a_sixth_of_the_way(value, expected):
    assert math.isclose(value, expected)


def test_weights_of_five_samples_at_balance_are_those_worked_out_by_hand():
    labels, counts = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([80, 20])
    expected = reference.dsl_weights(labels, counts, 0, selection="expected")
    torch.testing.assert_close(expected, torch.tensor([0.625] * 4 + [2.5]).double())
    generator = torch.Generator().manual_seed(0)
    draws = [reference.dsl_weights(labels, counts, 0, generator=generator) for _ in range(2000)]
    kept = torch.stack(draws)
    assert set(kept[:, :4].sum(1).tolist()) == {2, 3}
    assert ((kept.mean(0)[:4] - 0.625).abs() < 5 * (0.625 * 0.375 / 2000) ** 0.5).all()  # 5 sigma
    assert torch.allclose(kept[:, 4], torch.tensor(2.5).double())


@given(batches(), st.floats(0, 1))
def test_the_references_random_weights_are_an_outcome_of_equation_7(batch, g):
    for labels, counts in zip(batch["labels"].T, batch["class_counts"], strict=True):
        weights = reference.dsl_weights(labels, counts, g, generator=batch["generator"])
        oracles.check_random_weights(weights, labels, counts.tolist(), g)


def test_the_hinges_are_those_of_a_loop_over_triples():
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([1] * 4 + [0] * 9)
    logits = torch.randn(13, 2, generator=generator).double()
    logits[:3, 1] += 5  # three of the four are easy
    x = torch.randn(13, 6, generator=generator).double()
    unit = [[v / math.hypot(*row) for v in row] for row in x.tolist()]
    p = [1 / (1 + math.exp(a - b)) for a, b in logits.tolist()]  # of class 1
    rank = sorted(range(13), key=lambda i: p[i])
    of_class = [i for i in rank if labels[i] == 1]
    easy = [i for i in of_class if p[i] > 0.5][::-1][:2]
    negatives = [i for i in rank if labels[i] == 0][-2:]
    loop = [
        max(0.0, 0.2 + math.dist(unit[i], unit[j]) - math.dist(unit[i], unit[n]))
        for i in easy
        for j in of_class[:2]
        for n in negatives
        if i != j
    ]
    ours = reference.hinges(x, logits, labels, k=2, margin=0.2, rho=0.5)
    assert len(loop) > 4
    assert 0 < sum(term > 0 for term in loop) < len(loop)
    torch.testing.assert_close(ours.sort().values, torch.tensor(sorted(loop)).double())
    loss = reference.triplet_loss(x, logits, labels, k=2, margin=0.2, rho=0.5)
    assert math.isclose(loss.item(), sum(loop) / len(loop))


def test_minority_classes_are_the_rarest_that_hold_at_most_half_of_the_batch():
    labels = torch.tensor([0] * 5 + [1] * 2 + [3] * 3 + [4] + [-1] * 9)
    assert reference.minority_classes(labels, 5, rho=0.5) == [1]
    assert reference.minority_classes(labels, 5, rho=0.6) == [1, 3]


def test_dsl_loss_of_even_odds_is_the_mean_weight_times_ln_2():
    logits, labels = torch.zeros(4, 2).double(), torch.tensor([0, 1, 1, -1])
    loss = reference.dsl_loss(logits, labels, torch.tensor([0.0, 1, 2.5, 7]))
    assert math.isclose(loss.item(), 3.5 / 4 * math.log(2))


def test_balanced_accuracy_is_the_mean_of_both_recalls():
    predicted, labels = torch.tensor([1, 0, 0, 0, 1]), torch.tensor([1, 1, 0, 0, 0])
    ma = reference.balanced_accuracy(predicted, labels)
    assert math.isclose(ma, (1 / 2 + 2 / 3) / 2)
    undefined = reference.balanced_accuracy(predicted, labels * 0)
    assert undefined.isnan()
    assert reference.mean_accuracy(torch.stack([ma, undefined])) == ma
