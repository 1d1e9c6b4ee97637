"""The compared methods against their papers' formulas, and what coincides with what."""

import copy
import math
import warnings
from fractions import Fraction
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Literal

import oracles
import pytest
import torch
import torch.nn.functional as F
from conftest import SHAPES, batches
from hypothesis import given

import dcl.methods
from dcl import DCLLoss, decide, dsl_loss, dsl_weights, evaluate
from dcl.evaluation.calibration import to_training_prior
from dcl.methods import BASELINES, METHODS, Method, find, make_criterion
from dcl.methods.crl import alpha_of
from dcl.methods.losses import asymmetric_loss, ldam_logits, logit_adjusted
from dcl.methods.resampling import DownSampled, resampling_weights
from dcl.methods.two_stage import balanced_layer
from dcl.methods.weights import (
    class_balanced_weights,
    cost_sensitive_weights,
    deepmar_weights,
    pos_weights,
)
from dcl.networks.models import DeepID2

TWO_CLASSES = [shape for shape in SHAPES if shape[2] == 2]
ONE_ATTRIBUTE = [shape for shape in SHAPES if shape[1] == 1]


def loss_of(method, batch, **options):
    criterion = make_criterion(method, batch["class_counts"], 10, seed=0, **options)
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


@given(batches(TWO_CLASSES))
def test_pos_weight_is_torchs_own(batch):
    logits, labels, counts = (
        batch["logits"].requires_grad_(),
        batch["labels"],
        batch["class_counts"],
    )
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


@pytest.mark.parametrize(
    "weights_of", [cost_sensitive_weights, pos_weights, class_balanced_weights, deepmar_weights]
)
def test_weights_of_an_array_and_of_one_row(weights_of):
    counts = torch.tensor([[75, 25], [60, 40]])
    assert torch.equal(weights_of(counts.numpy()), weights_of(counts))
    with pytest.raises(ValueError, match=r"\(attributes, classes\), got shape \(2,\).*\[None\]"):
        weights_of(counts[0])


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


@given(batches(TWO_CLASSES))
def test_post_hoc_logit_adjustment_of_two_classes_is_the_moved_threshold(batch):
    logits, counts = batch["logits"], batch["class_counts"]
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


@given(batches(ONE_ATTRIBUTE))
def test_ldam_is_cao_et_al_and_reweighted_in_the_last_fifth(batch):
    logits, labels, counts = (
        batch["logits"].requires_grad_(),
        batch["labels"],
        batch["class_counts"],
    )
    criterion = make_criterion("ldam-drw", counts, 10)
    ours = criterion(logits, batch["features"], labels)
    assert_same_with_gradient(batch, ours, oracles.ldam_loss(logits, labels, counts.tolist()))
    criterion.set_epoch(7.9)
    torch.testing.assert_close(criterion(logits, batch["features"], labels), ours)
    criterion.set_epoch(8)
    weights = class_balanced_weights(counts).gather(1, labels.T)[0]  # (B,)
    entropy = F.cross_entropy(
        ldam_logits(logits, labels, counts)[:, 0], labels[:, 0], reduction="none"
    )
    found = criterion(logits, batch["features"], labels)
    # as in the authors' code, F.cross_entropy with weights: over the sum of the batch's weights
    torch.testing.assert_close(found, (weights * entropy).sum() / weights.sum())


def test_ldam_says_once_that_it_wants_cosines():
    counts, labels = torch.tensor([[80, 20]]), torch.tensor([[0], [1]])
    logits = torch.tensor([[[0.5, -3.0]], [[0.2, 0.1]]])
    criterion = make_criterion("ldam-drw", counts, 10)
    with warnings.catch_warnings(action="error"):
        criterion(logits.clamp(-1, 1.001), None, labels)  # rounded
        make_criterion("ldam-drw", counts, 10, scale=1.0)(logits, None, labels)
    criterion = make_criterion("ldam-drw", counts, 10)
    with pytest.warns(UserWarning, match=r"by 30, .* got -3: .*cosine=True.*scale=1") as told:
        criterion(logits, None, labels)
    assert told[0].filename == __file__
    with warnings.catch_warnings(action="error"):
        criterion(logits, None, labels)  # once is enough


def test_ldam_is_for_one_attribute():
    with pytest.raises(ValueError, match=r"single-label tasks \(1 attribute\), got 2"):
        make_criterion("ldam-drw", torch.tensor([[5, 5], [5, 5]]), 10)


@given(batches())
def test_crl_original_mixes_by_the_attributes_imbalance(batch):
    logits, labels, counts = batch["logits"], batch["labels"], batch["class_counts"]
    literal = 0.0
    for a, row in enumerate(counts.tolist()):
        missing = sum(max(row) - n for n in row) / sum(row)  # of the training set's size
        alpha = min(1.0, 0.01 * 100 * missing)
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
    counts = batch["class_counts"]
    each_class = torch.arange(counts.shape[1]).unsqueeze(1).expand(-1, len(counts))
    labels = torch.cat([each_class, batch["labels"]])
    balanced = dsl_weights(labels, counts, 0, selection="expected")
    for a in range(labels.shape[1]):
        for c in range(counts.shape[1]):
            own = labels[:, a] == c
            for how in ("over", "down"):
                weights = resampling_weights(labels, counts.shape[1], how)
                torch.testing.assert_close(weights[own, a].sum(), balanced[own, a].sum())


PLAIN = [name for name in METHODS if name != "lmle"]  # which wants clusters first


@pytest.mark.parametrize("method", PLAIN)
@pytest.mark.parametrize("labels", [[0] * 6, [1] * 6, [1], [0, 0, 0, 0, 0, 1], []])
def test_one_class_one_sample_and_an_empty_batch_are_finite(method, labels):
    labels = torch.tensor(labels, dtype=torch.long)[:, None]
    logits = torch.randn(len(labels), 1, 2, requires_grad=True)
    criterion = make_criterion(method, torch.tensor([[90, 10]]), 10, seed=0)
    loss = criterion(logits, torch.randn(len(labels), 1, 4, requires_grad=True), labels)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("method", BASELINES)
def test_a_class_without_training_samples_is_named(method):
    with pytest.raises(ValueError, match="class 1 of attribute 0 has 0 training samples"):
        make_criterion(method, torch.tensor([[90, 0]]), 10)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda c: make_criterion("magic", c, 10), "'magic': choose one of cross-entropy, "),
        (lambda c: make_criterion("fokal", c, 10), "did you mean 'focal'"),
        (lambda c: make_criterion("moved-threshold", c, 10), "decisions, prior"),
        (lambda c: make_criterion("no.module:ENTRY", c, 10), "cannot be imported"),
        (lambda c: make_criterion("math:pi", c, 10), "is a float, no"),
        (
            lambda c: make_criterion("focal", c, 10, gamma=-1),
            "gamma must be a number of 0 or more, got -1",
        ),
        (lambda c: make_criterion("asl", c, 10, clip=1), r"clip must lie in \[0, 1\), got 1"),
        (lambda c: make_criterion("asl", c, 10, gamma_negative=torch.inf), "gamma_negative"),
        (lambda c: make_criterion("crl", c, 10, epsilon="composite"), "epsilon must be a number"),
        (lambda c: make_criterion("down-sampling", c, 10, fixed="no"), "fixed must be True"),
        (lambda c: make_criterion("asl", torch.tensor([[3, 2, 1]]), 10), "for 2 classes, got 3"),
        (
            lambda c: make_criterion("deepmar", c, 10, sigma=0),
            "sigma must be a number above 0, got 0",
        ),
        (
            lambda c: make_criterion("logit-adjustment", c, 10, tau=-1),
            "tau must be a number of 0 or more, got -1",
        ),
        (
            lambda c: make_criterion("tau-norm", c, 10, tau=-1),
            "tau must be a number of 0 or more, got -1",
        ),
        (lambda c: make_criterion("focal", c, 0), "epochs must be a number above 0, got 0"),
        (lambda c: make_criterion("focal", c * torch.inf, 10), "positive and finite"),
        (lambda c: make_criterion("class-balanced", c, 10, beta=1), r"\[0, 1\), got 1"),
        (
            lambda c: make_criterion("crl-original", c, 10, eta=-1.0),
            "eta must be a number of 0 or more, got -1.0",
        ),
        (lambda c: make_criterion("focal", c, 10).set_epoch(11), r"\[0, 10\], got 11"),
        (lambda c: resampling_weights(c, 2, "up"), "'up': choose one of over, down"),
        (lambda c: resampling_weights(c, 0, "over"), "whole number of 2 or more, got 0"),
        (lambda c: resampling_weights(c, 2.0, "over"), "classes must be .* got 2.0"),
        (lambda c: resampling_weights(c, (2, 2), "over"), r"classes must be .* got \(2, 2\)"),
        (lambda c: resampling_weights([[1]], 2, "over"), "labels must be a tensor, got a list"),
        (lambda c: resampling_weights(c[0] // 90, 2, "over"), r"\(batch, 1\), got shape \(2,\)"),
    ],
)
def test_impossible_arguments_are_named(make, names):
    with pytest.raises(ValueError, match=names):
        make(torch.tensor([[90, 10]]))


ZEROS, ONES = torch.zeros(4, 1, 2), torch.ones(4, 1, dtype=torch.long)
OF_COUNTS = {
    "cost_sensitive_weights": cost_sensitive_weights,
    "pos_weights": pos_weights,
    "class_balanced_weights": class_balanced_weights,
    "deepmar_weights": deepmar_weights,
    "logit_adjusted": partial(logit_adjusted, ZEROS),
    "ldam_logits": partial(ldam_logits, ZEROS, ONES),
    "to_training_prior": to_training_prior,
}


@pytest.mark.parametrize("function", OF_COUNTS.values(), ids=OF_COUNTS)
@pytest.mark.parametrize(
    ("counts", "names"),
    [
        ([[9, -1]], "finite numbers of 0 or more, got -1 for class 1 of attribute 0"),
        ([[9.0, math.nan]], "got nan for class 1"),
        ([[9.0, math.inf]], "got inf for class 1"),
        ([[0, 0]], "of attribute 0 are all 0"),
        ([9, 1], r"got shape \(2,\). Of one attribute give class_counts\[None\]"),
        ([["a", "b"]], "class_counts must be"),
    ],
)
def test_counts_that_cannot_be_are_named_by_each_function(function, counts, names):
    with pytest.raises(ValueError, match=names):
        function(counts)


@pytest.mark.parametrize("function", OF_COUNTS.values(), ids=OF_COUNTS)
def test_functions_of_counts_take_every_form_and_leave_a_missing_class_alone(function):
    found = function(torch.tensor([[75, 25]]))
    for counts in ([[75, 25]], torch.tensor([[75, 25]], dtype=torch.uint16)):
        assert torch.equal(function(counts), found)
    wide = OF_COUNTS | {
        "logit_adjusted": partial(logit_adjusted, torch.zeros(4, 1, 3)),
        "ldam_logits": partial(ldam_logits, torch.zeros(4, 1, 3), ONES),
    }
    (name,) = (name for name in OF_COUNTS if OF_COUNTS[name] is function)
    more = wide[name](torch.tensor([[75, 25, 0]]))
    torch.testing.assert_close(more[..., :2], found)
    assert (more[..., 2] == 0).all()


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda c: logit_adjusted(ZEROS, c.expand(3, 2)), r"= \(1, 2\) here, got shape \(3, 2\)"),
        (
            lambda c: logit_adjusted(ZEROS[:, 0], c),
            r"classes\), floating point, got shape \(4, 2\)",
        ),
        (lambda c: logit_adjusted(ZEROS.long(), c), "dtype torch.int64"),
        (lambda c: logit_adjusted(None, c), "logits must be a tensor, got None"),
        (lambda c: ldam_logits(ZEROS, ONES, c.expand(3, 2)), r"= \(1, 2\) here"),
        (lambda c: ldam_logits(ZEROS, ONES + 1, c), r"labels must lie in 0 \.\.\. 1, .* got 2"),
        (lambda c: ldam_logits(ZEROS, ONES - 6, c), "got -5"),
        (lambda c: ldam_logits(ZEROS, 0.7 * ONES, c), "labels must be integers, got dtype"),
        (lambda c: ldam_logits(ZEROS, ONES, c, max_margin=-3), "max_margin .*0 or more, got -3"),
        (lambda c: ldam_logits(ZEROS, ONES, c, scale=0), "scale must be a number above 0, got 0"),
        (
            lambda c: to_training_prior(c, c[0]),
            r"target must be .* = \(1, 2\) here, got shape \(2,",
        ),
        (lambda c: to_training_prior(c, c * math.nan), "target must be finite .* got nan"),
        (lambda c: to_training_prior(c, -1 * c), "target must be finite numbers of 0 or more"),
        (lambda c: to_training_prior(c, c * torch.tensor([1, 0])), "target is 0 for class 1 .* 10"),
    ],
)
def test_what_does_not_fit_the_functions_is_named(call, names):
    with pytest.raises(ValueError, match=names):
        call(torch.tensor([[90, 10]]))


def test_counts_follow_the_logits_to_their_device():
    counts, logits = torch.tensor([[75, 25]]), torch.zeros(4, 1, 2, device="meta")
    assert logit_adjusted(logits, counts).is_meta
    assert ldam_logits(logits, ONES.to("meta"), counts).is_meta


def test_dcl_at_g_1_and_f_0_is_cross_entropy_where_the_batch_has_the_training_distribution():
    labels = torch.tensor([0] * 9 + [1])[:, None]
    logits = torch.randn(10, 1, 2)
    criterion = DCLLoss(torch.tensor([[90, 10]]), 10, sampling=1, loss=0)
    torch.testing.assert_close(criterion(logits, logits, labels), dsl_loss(logits, labels))


def test_an_option_that_a_method_does_not_have_is_refused_with_those_that_it_has():
    counts = torch.tensor([[90, 10]])
    known = r"no option 'betta': did you mean 'beta'\? It has beta, classes, seed"
    with pytest.raises(TypeError, match=f"'class-balanced' has {known}"):
        make_criterion("class-balanced", counts, 10, betta=0.9)
    with pytest.raises(TypeError, match="'crl' has anchors = 'all' by definition: leave anchors"):
        make_criterion("crl", counts, 10, anchors="easy")


@pytest.mark.parametrize(
    ("method", "option", "call"),
    [
        ("dcl", "steps_per_epoch", "dcl.DCLLoss(class_counts, epochs, steps_per_epoch=..., **dcl."),
        ("crl", "rho", "dcl.DCLLoss(class_counts, epochs, rho=..., **dcl.PRESETS['crl'])"),
        ("lmle", "margins", "dcl.methods.lmle.LMLE(class_counts, epochs, margins=...)"),
        ("focal", "weights", None),  # of the loss, not of its making
    ],
)
def test_who_takes_what_a_method_does_not_is_said(method, option, call):
    with pytest.raises(TypeError, match=f"has no option '{option}'") as error:
        make_criterion(method, torch.tensor([[90, 10]]), 10, **{option: 1})
    assert (". dcl." in str(error.value)) == (call is not None)
    if call:
        assert call in str(error.value)
        assert str(error.value).endswith(f" takes {option}")


@pytest.mark.parametrize("package", [dcl, dcl.methods])
def test_the_former_name_of_make_criterion_warns_and_works(package):
    counts, batch = torch.tensor([[90, 10]]), (torch.zeros(2, 1, 2), None, torch.tensor([[0], [1]]))
    with pytest.warns(DeprecationWarning, match="dcl.Baseline is now dcl.make_criterion"):
        criterion = package.Baseline("focal", counts, 10, gamma=1.0)
    assert torch.equal(criterion(*batch), make_criterion("focal", counts, 10, gamma=1.0)(*batch))


def test_class_weights_follow_their_criterion_and_keep_their_digits():
    counts = torch.tensor([[159_123, 3_647]])
    criterion = make_criterion("cost-sensitive", counts, 10)
    with torch.inference_mode():
        criterion.half()
    assert torch.equal(criterion.class_weights, cost_sensitive_weights(counts))
    logits = torch.zeros(2, 1, 2, requires_grad=True)
    criterion(logits, None, torch.tensor([[0], [1]])).backward()  # what a look made has a gradient
    assert logits.grad.abs().min() > 0
    assert copy.deepcopy(criterion).to("meta").class_weights.is_meta


def test_weights_that_overflow_are_refused():
    with pytest.raises(ValueError, match=r"deepmar_weights .* not finite with {'sigma': 0.01}"):
        make_criterion("deepmar", torch.tensor([[90, 10]]), 10, sigma=0.01)


@given(batches())
def test_deepmar_weighs_by_the_exponential_of_the_other_classs_share(batch):
    batch["logits"].requires_grad_()

    def literal(row):
        return [math.exp(1 - n / sum(row)) for n in row]  # exp(p) of a negative: 1 - (1 - p)

    assert_same_with_gradient(batch, loss_of("deepmar", batch), weighted(batch, literal))
    counts = torch.tensor([[75, 25]])
    torch.testing.assert_close(
        deepmar_weights(counts, sigma=2.0).log() * 4, deepmar_weights(counts).log()
    )


@given(batches(shapes=[(16, 5, 2), (1, 3, 2), (9, 1, 2)]))
def test_asl_is_ridnik_et_al(batch):
    logits, labels = batch["logits"].requires_grad_(), batch["labels"]
    literal = torch.zeros((), dtype=torch.float64)
    for b in range(labels.shape[0]):
        for a in range(labels.shape[1]):
            p = logits[b, a].softmax(0)[1]
            if labels[b, a] == 1:
                literal = literal - p.log()  # gamma+ = 0
            else:
                shifted = (p - 0.05).clamp(min=0)
                literal = literal - shifted**4 * (1 - shifted).log()
    ours = loss_of("asl", batch)
    torch.testing.assert_close(ours, literal / len(labels))


def test_asl_without_its_three_numbers_is_cross_entropy():
    logits = torch.randn(20, 3, 2, generator=torch.Generator().manual_seed(0)).double() * 20
    labels = torch.randint(-1, 2, (20, 3), generator=torch.Generator().manual_seed(1))
    loss = asymmetric_loss(logits, labels, gamma_positive=0, gamma_negative=0, clip=0)
    torch.testing.assert_close(loss, dsl_loss(logits, labels))


def test_crl_says_where_its_classification_term_weighs_nothing():
    counts = torch.tensor([[80, 15, 5], [40, 30, 30]])
    with pytest.warns(UserWarning, match=r"attribute 0, with.*\[80, 15, 5\].*below 0.0071") as told:
        criterion = make_criterion("crl-original", counts, 10)
    assert told[0].filename == __file__
    logits = torch.randn(6, 2, 3, requires_grad=True)
    labels = torch.arange(6)[:, None].expand(6, 2) % 3
    criterion(logits, torch.randn(6, 2, 4), labels).backward()
    assert (logits.grad[:, 0] == 0).all()
    assert (logits.grad[:, 1] != 0).any()
    with warnings.catch_warnings(action="error"):
        make_criterion("crl-original", counts, 10, eta=0.007)
        make_criterion("crl-original", torch.tensor([[9_999, 1]]), 10)


def test_crls_alpha_is_0_for_a_balanced_attribute_and_nearly_1_for_a_rare_one():
    counts = torch.tensor([[50, 50], [159_123, 3_647]])
    torch.testing.assert_close(
        alpha_of(counts, 0.01), torch.tensor([0, 0.9552]).double(), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("method", PLAIN)
def test_an_unknown_label_is_a_sample_taken_out_of_that_attribute(method):
    if METHODS[method].tasks == "single-label" or "sampling" in method and method != "asl":
        pytest.skip("random, or one attribute: tested by itself")
    generator = torch.Generator().manual_seed(3)
    labels = (torch.rand(40, 3, generator=generator) < 0.3).long()
    unknown = torch.rand(40, 3, generator=generator) < 0.3
    logits = torch.randn(40, 3, 2, generator=generator).double()
    features = torch.randn(40, 3, 4, generator=generator).double()
    counts = torch.tensor([[90, 10], [70, 30], [60, 40]])
    options = {"selection": "expected"} if "selection" in METHODS[method].options else {}
    together = make_criterion(method, counts, 10, **options)
    loss = together(logits, features, labels.masked_fill(unknown, -1))
    alone = 0.0
    for a in range(3):
        kept = ~unknown[:, a]
        one = make_criterion(method, counts[a : a + 1], 10, **options)
        parts = logits[kept, a : a + 1], features[kept, a : a + 1], labels[kept, a : a + 1]
        value = one(*parts)
        metric = value - one.parts["classification"]
        alone = alone + one.parts["classification"] * kept.sum() / 40 + metric
    torch.testing.assert_close(loss, alone)


@pytest.mark.parametrize("method", PLAIN)
def test_attributes_of_other_numbers_of_classes_are_separate_ones(method):
    entry = METHODS[method]
    if entry.tasks != "any" or "sampling" in method:
        pytest.skip("for two classes, one attribute, or random")
    generator = torch.Generator().manual_seed(5)
    classes = (2, 4, 3)
    labels = torch.stack([torch.randint(0, c, (60,), generator=generator) for c in classes], 1)
    counts = torch.zeros(3, 4, dtype=torch.long)
    for a, c in enumerate(classes):
        counts[a, :c] = torch.randint(10, 1000, (c,), generator=generator)
    logits = torch.randn(60, 3, 4, generator=generator).double().requires_grad_()
    features = torch.randn(60, 3, 4, generator=generator).double()
    options = {"selection": "expected"} if "selection" in entry.options else {}
    loss = make_criterion(method, counts, 10, classes=classes, **options)(logits, features, labels)
    alone = sum(
        make_criterion(method, counts[a : a + 1, :c], 10, **options)(
            logits[:, a : a + 1, :c], features[:, a : a + 1], labels[:, a : a + 1]
        )
        for a, c in enumerate(classes)
    )
    torch.testing.assert_close(loss, alone)
    gradients = [torch.autograd.grad(x, logits, retain_graph=True)[0] for x in (loss, alone)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("method", PLAIN)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_the_counts_and_computes_in_float32(method, dtype):
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(30, 1, generator=generator) < 0.3).long()
    logits = torch.randn(30, 1, 2, generator=generator).to(dtype)
    features = torch.randn(30, 1, 4, generator=generator).to(dtype)
    counts = torch.tensor([[159_123, 3_647]])
    full = make_criterion(method, counts, 10, seed=0)
    half = make_criterion(method, counts, 10, seed=0).half()  # 159,123 is more than a half can hold
    losses = [criterion(logits, features, labels) for criterion in (full, half)]
    assert losses[1].dtype == torch.float32
    assert losses[1].isfinite()
    torch.testing.assert_close(*losses)


def test_a_fixed_subset_is_balanced_and_the_rest_is_never_seen():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(400, 2, generator=generator) < torch.tensor([0.1, 0.3])).long()
    counts = torch.stack([torch.bincount(y, minlength=2) for y in labels.T])
    criterion = DownSampled(counts, 10, fixed=True, seed=1)
    with pytest.raises(RuntimeError, match="needs criterion.before_epoch"):
        criterion(torch.zeros(4, 2, 2), None, labels[:4], torch.arange(4))
    criterion.before_epoch(0, lambda: (torch.zeros(400, 2, 4), labels))
    kept = criterion.kept.clone()
    for a in range(2):
        sizes = torch.bincount(labels[kept[:, a], a])
        assert sizes.tolist() == [counts[a].min()] * 2
    criterion.before_epoch(1, lambda: pytest.fail("drawn anew"))
    rows = torch.randperm(400, generator=generator)[:64]
    logits = torch.randn(64, 2, 2, generator=generator, requires_grad=True)
    criterion(logits, None, labels[rows], rows).backward()
    unseen = (logits.grad == 0).all(2)
    assert torch.equal(unseen, ~kept[rows])
    again = DownSampled(counts, 10, fixed=True, seed=1)
    again.load_state_dict(criterion.state_dict())
    assert torch.equal(again.kept, kept)


def test_tau_normalisation_decides_by_weights_of_equal_length():
    model = DeepID2(attributes=2)
    with torch.no_grad():
        model.branches.output_weight[..., 0] *= 5  # the frequent class has the longer weights
    counts = torch.tensor([[90, 10], [90, 10]])
    logits, features = model(torch.randn(6, 3, 55, 47))
    for tau in (0.0, 1.0):
        scores = make_criterion("tau-norm", counts, 10, tau=tau).scores(logits, features, model)
        weight = model.branches.output_weight
        weight = weight / weight.norm(dim=1, keepdim=True) ** tau
        for n in range(6):
            for a in range(2):
                torch.testing.assert_close(scores[n, a], features[n, a] @ weight[a])


def test_tau_normalisation_names_the_network_that_it_wants():
    criterion = make_criterion("tau-norm", torch.tensor([[90, 10]]), 10)
    features = torch.randn(4, 1, 3)
    with pytest.raises(ValueError, match=r"branches.output_weight .* got a Linear"):
        criterion.scores(torch.zeros(4, 1, 2), features, torch.nn.Linear(3, 2))
    weight = torch.randn(1, 3, 2)
    own = SimpleNamespace(branches=SimpleNamespace(output_weight=weight))
    expected = features[:, 0] @ (weight[0] / weight[0].norm(dim=0))
    torch.testing.assert_close(
        criterion.scores(torch.zeros(4, 1, 2), features, own)[:, 0], expected
    )
    retrained = make_criterion("crt", torch.tensor([[90, 10]]), 10)
    retrained.weight, retrained.bias = weight, torch.zeros(1, 2)
    for one in (criterion, retrained):
        for dtype in (torch.bfloat16, torch.float16, torch.float64):
            scores = one.scores(torch.zeros(4, 1, 2), features.to(dtype), own)
            assert scores.dtype is dtype
        for wrong, names in (
            (None, "features must be a tensor, got None"),
            (features[..., 1:], r"\(samples, 1, 3\) as the output layer .* got shape \(4, 1, 2\)"),
        ):
            with pytest.raises(ValueError, match=names):
                one.scores(torch.zeros(4, 1, 2), wrong, own)


def test_the_layer_that_crt_learns_lies_between_the_classes_however_rare_one_is():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(4_000, 2, generator=generator) < torch.tensor([0.5, 0.03])).long()
    features = torch.randn(4_000, 2, 1, generator=generator) + 2.0 * labels.unsqueeze(2)
    labels[:500] = -1  # unknown: never drawn
    features[:500] = torch.nan
    counts = torch.stack([(labels == c).sum(0) for c in (0, 1)], 1)
    weight, bias = balanced_layer(features, labels, counts, generator=generator)
    slope, start = weight[:, 0, 1] - weight[:, 0, 0], bias[:, 1] - bias[:, 0]
    boundary = -start / slope  # of equal variances it is halfway, at 1; the prior's for 3 % is 2.7
    torch.testing.assert_close(boundary, torch.ones(2), atol=0.2, rtol=0)
    torch.testing.assert_close(slope, torch.full((2,), 2.0), atol=0.3, rtol=0)


def test_crt_decides_by_its_layer_after_the_last_epoch_alone():
    counts = torch.tensor([[90, 10, 0], [30, 30, 40]])
    labels = torch.stack([torch.arange(100) // 90, torch.arange(100) % 3], 1)
    features = torch.randn(100, 2, 4, generator=torch.Generator().manual_seed(1))
    make = partial(make_criterion, "crt", counts, 3, classes=(2, 3), seed=0)
    criterion, model = make(), torch.nn.Identity()
    logits = torch.randn(100, 2, 3).masked_fill(counts == 0, -torch.inf)
    for epoch in (0, 1):
        criterion.set_epoch(epoch + 0.9)
        criterion.before_scoring(lambda: pytest.fail("looks at the training set too early"))
        assert not criterion.selectable
    assert torch.equal(criterion.scored(logits, features, model), logits)
    shares = counts.double() / counts.sum(1, keepdim=True)
    torch.testing.assert_close(criterion.trained_prior(), shares)
    with pytest.raises(RuntimeError, match="learned in training"):
        make().eval().scores(logits, features, model)
    criterion.set_epoch(2)
    criterion.before_scoring(lambda: (features, labels))
    assert criterion.selectable
    torch.testing.assert_close(
        criterion.trained_prior(), torch.tensor([[1 / 2, 1 / 2, 0], [1 / 3] * 3]).double()
    )
    again = make().eval()
    again.load_state_dict(criterion.state_dict())
    scores = again.scored(logits, features, model)
    assert torch.equal(scores == -torch.inf, logits == -torch.inf)
    for n, a in ((0, 0), (99, 1)):
        expected = features[n, a] @ criterion.weight[a] + criterion.bias[a]
        own = counts[a] > 0
        torch.testing.assert_close(scores[n, a, own], expected[own])


def test_an_entry_outside_the_checkout_is_found_by_its_path(tmp_path, monkeypatch):
    (tmp_path / "methods_of_mine.py").write_text(
        "from dcl.methods import method_of_loss\n"
        "from dcl.methods.losses import focal_loss\n"
        "MINE = method_of_loss('methods_of_mine:MINE', focal_loss, 'focal under another name')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert find("methods_of_mine:MINE").options == METHODS["focal"].options
    criterion = make_criterion("methods_of_mine:MINE", torch.tensor([[9, 1]]), 10, gamma=1.0)
    assert criterion.options == {"gamma": 1}


def outside(*, first: Annotated[float, "of mine"] = 1.0):
    """The options of a method of somebody's own."""


def chosen(*, how: Annotated[Literal["a", "b"], "of mine"] = "a"):
    """An option that no command line gives."""


def without_a_value(*, rate: Annotated[float | None, "of mine"] = None):
    """An option that no command line could leave out."""


def without_default(*, first: Annotated[float, "of mine"]):
    """An option without a default."""


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"build": outside, "uses": ("nope",)}, "option of method 'mine' 'nope': .* one of first"),
        ({"build": outside, "stretches": ("decay",)}, "'mine' stretches 'decay': .* first"),
        ({"build": partial(DCLLoss, loss=0.0)}, "a partial cannot be read. Give signature="),
        (
            {"build": DCLLoss, "fixed": {"sampling": lambda epoch, epochs: 1.0}},
            r"fixes sampling to <function .*partial\(DCLLoss, sampling=...\), signature",
        ),
        ({"build": chosen}, "'how' of chosen is a typing.Literal.* annotate it int, float, str"),
        ({"build": without_default}, "'first' of without_default has no default: give it one"),
        ({"build": outside, "tasks": "many"}, "unknown tasks 'many'"),
        ({"build": without_a_value}, "'rate' of without_a_value is None by default: give it one o"),
        ({"build": outside, "decisions": ("tuned-mA", "argmax")}, "decisions begin with argmax"),
        ({"build": outside, "decisions": ()}, "decisions begin with argmax"),
    ],
)
def test_an_entry_that_cannot_work_is_refused_when_it_is_made(about, words):
    with pytest.raises(ValueError, match=words):
        Method(**{"name": "mine", "summary": "", **about})


def test_a_schedule_that_no_record_holds_is_given_by_a_partial():
    """As the error on `fixed` says."""
    half = partial(DCLLoss, sampling=lambda epoch, epochs: 0.5)
    entry = Method("half", half, "", signature=DCLLoss, uses=("k", "margin"))
    assert entry.criterion(torch.tensor([[9, 1]]), 10, k=3).g == 0.5
    assert list(entry.options) == ["k", "margin"]


@pytest.mark.parametrize("name", [3, None, ["focal"], METHODS["focal"]])
def test_what_is_no_text_is_no_name_of_a_method(name):
    with pytest.raises(ValueError, match="method must be a text"):
        find(name)


@pytest.mark.parametrize("tau", [0, 0.5, 1, 3, 1000])
def test_the_prior_of_an_adjusted_training_is_that_of_its_powers(tau):
    counts = torch.tensor([[90_000, 10, 0], [7, 5, 3]])
    criterion = make_criterion("logit-adjustment", counts, 10, tau=tau, classes=(2, 3))
    powers = [[Fraction(n) ** (1 - tau) if n else 0 for n in row] for row in counts.tolist()]
    expected = [[float(p / sum(row)) for p in row] for row in powers]
    found = criterion.trained_prior()
    torch.testing.assert_close(found, torch.tensor(expected).to(found), rtol=1e-6, atol=1e-30)
    loss = criterion(torch.zeros(4, 2, 3), None, torch.tensor([[0, 1], [1, 0], [0, 2], [1, 1]]))
    assert loss.isfinite()


def test_every_entry_says_what_its_options_mean():
    for entry in METHODS.values():
        for name, option in entry.options.items():
            assert option.doc, (entry.name, name)
            assert type(option.default) in option.kinds, (entry.name, name)
    colours = [entry.colour for entry in METHODS.values()]
    assert len(set(colours)) == len(colours)
    assert set(BASELINES) < set(METHODS)
