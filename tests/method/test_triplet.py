"""Eq. 8-9."""

import inspect
from unittest import mock

import numpy as np
import oracles
import pytest
import torch
from conftest import batches
from hypothesis import given
from hypothesis import strategies as st

from dcl import DCLLoss, mining, reference, triplet
from dcl.methods.crl import CRL
from dcl.mining import mine, minority_classes
from dcl.triplet import TripletOptions, triplet_loss, triplet_terms

OPTIONS = st.fixed_dictionaries(
    {
        "k": st.sampled_from([1, 2, 3, 25]),
        "margin": st.sampled_from([0.0, 0.2, 1.0]),
        "anchors": st.sampled_from(["easy", "all"]),
        "normalise": st.booleans(),
        "squared": st.booleans(),
        "reduction": st.sampled_from(["all", "active"]),
        "rho": st.sampled_from([0.3, 0.5, 0.8]),
    }
)


@st.composite
def batches_of_real_data(draw):
    """Batches with unknown labels, attributes of fewer classes than C, and logits of -inf."""
    batch = draw(batches())
    labels, logits, generator = batch["labels"], batch["logits"], batch["generator"]
    classes = logits.shape[2]
    if draw(st.booleans()):  # classes that an attribute lacks
        sizes = torch.randint(2, classes + 1, (labels.shape[1],), generator=generator)
        labels %= sizes
        logits[:, torch.arange(classes) >= sizes.unsqueeze(1)] = -torch.inf
    if draw(st.booleans()):  # scattered, the class of the sample among them
        masked = torch.rand(logits.shape, generator=generator) < 0.3
        masked[..., 0] = False
        logits[masked] = -torch.inf
    share = draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    labels[torch.rand(labels.shape, generator=generator) < share] = -1
    return batch


@given(batches_of_real_data(), OPTIONS, st.sampled_from([0, triplet.TRIPLES]))
def test_loss_gradient_and_triples_are_the_literal_loop(batch, options, one_by_one):
    logits, labels = batch["logits"], batch["labels"]
    features = batch["features"].requires_grad_()
    with mock.patch.object(triplet, "TRIPLES", one_by_one):  # else: from sorted distances
        ours = triplet_terms(features, logits, labels, TripletOptions(**options))
    literal = oracles.triplet_loss(features, logits, labels, **options)
    hinges = oracles.hinges(features, logits, labels, **options | {"reduction": "all"})
    assert ours.triples.tolist() == [len(x) for x in hinges]
    assert ours.active.tolist() == [int((x > 0).sum()) for x in hinges]
    torch.testing.assert_close(ours.loss.sum(), literal)
    gradients = [torch.autograd.grad(x, features)[0] for x in (ours.loss.sum(), literal)]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-8)


def test_every_signature_with_triplets_has_the_same_defaults():
    def defaults(function):
        parameters = inspect.signature(function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    expected = defaults(triplet_loss)
    assert expected == {
        "k": 25,
        "margin": 0.2,
        "anchors": "easy",
        "normalise": True,
        "squared": False,
        "reduction": "all",
        "rho": 0.5,
    }
    assert defaults(TripletOptions) == expected
    assert expected.items() <= defaults(DCLLoss).items()
    assert expected.items() - {("anchors", "easy")} <= defaults(CRL).items()


@given(batches_of_real_data(), st.integers(1, 25), st.sampled_from(["easy", "all"]))
def test_mining_picks_the_samples_of_section_3_3(batch, k, anchors):
    logits, labels = batch["logits"], batch["labels"]
    roles = mine(logits, labels, k=k, anchors=anchors, rho=0.5)
    counts = torch.stack([torch.bincount(y[y >= 0], minlength=logits.shape[2]) for y in labels.T])
    classes, taken = minority_classes(counts, len(labels), rho=0.5)
    for a in range(labels.shape[1]):
        expected = reference.minority_classes(labels[:, a], logits.shape[2], rho=0.5)
        assert classes[a, taken[a]].tolist() == expected
        for slot, c in enumerate(expected):
            literal = reference.mine(logits[:, a], labels[:, a], c, k=k, anchors=anchors)
            for role, indices in zip(roles, literal, strict=True):
                ours = role.index[a, slot][role.valid[a, slot]].tolist()
                # of saturated probabilities the order is the rounding's, of the rest the paper's
                finite = logits[logits.isfinite()]
                assert sorted(ours) == sorted(indices) or abs(finite).max() > 30


@given(batches_of_real_data(), st.sampled_from(["easy", "all"]))
def test_an_unknown_label_is_as_good_as_no_sample(batch, anchors):
    options = TripletOptions(anchors=anchors)
    found = triplet_terms(batch["features"], batch["logits"], batch["labels"], options)
    for a, labels in enumerate(batch["labels"].T):
        known = labels >= 0
        alone = triplet_terms(
            *(batch[name][known, a] for name in ("features", "logits")),
            labels[known],
            options,
        )
        for ours, theirs in zip(found, alone, strict=True):
            torch.testing.assert_close(ours[a], theirs[0])


@given(batches_of_real_data())
def test_classes_that_an_attribute_lacks_are_as_good_as_no_classes(batch):
    found = triplet_terms(batch["features"], batch["logits"], batch["labels"])
    wide = torch.nn.functional.pad(batch["logits"], (0, 3), value=-torch.inf)
    padded = triplet_terms(batch["features"], wide, batch["labels"])
    for ours, theirs in zip(padded, found, strict=True):
        assert torch.equal(ours, theirs)


def test_an_impossible_class_brings_no_own_sample_among_the_negatives():
    labels = torch.tensor([1, 1, 1, 0, 0, 0, 0]).unsqueeze(1)
    logits = torch.zeros(7, 1, 2)
    logits[3:, :, 1] = -torch.inf  # the others cannot be of class 1, and come after its own
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        _, _, negative = mine(logits.to(dtype), labels, k=4, anchors="easy", rho=0.5)
        assert sorted(negative.index[negative.valid].tolist()) == [3, 4, 5, 6]


@pytest.mark.parametrize("anchors", ["easy", "all"])
def test_a_sample_without_a_role_may_be_nan(anchors, counting):
    labels = torch.tensor([1, 1, 0, 0, 0, -1]).unsqueeze(1)
    logits, features = torch.randn(6, 1, 2), torch.randn(6, 1, 4)
    logits[5] = features[5] = torch.nan
    features.requires_grad_()
    loss = triplet_loss(features, logits, labels, anchors=anchors)
    loss.backward()
    assert loss.isfinite()
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nan_logits_are_a_probability_of_zero(dtype):
    labels = torch.tensor([1, 1, 1, 0, 0, 0, 0]).unsqueeze(1)
    logits = torch.randn(7, 1, 2, dtype=dtype)
    logits[:3, 0, 1] = 9  # all predicted right
    for sign in (1, -1):  # a NaN has a sign
        logits[[2, 3]] = sign * torch.tensor(torch.nan, dtype=dtype)
        anchor, positive, negative = mine(logits, labels, k=25, anchors="easy", rho=0.5)
        assert anchor.index[anchor.valid].tolist() in ([0, 1], [1, 0])
        assert positive.index[positive.valid][0] == 2
        assert negative.index[negative.valid][-1] == 3


def test_one_attribute_needs_no_axis_of_its_own():
    labels = (torch.arange(12) < 4).long()
    features, logits = torch.randn(12, 4), torch.randn(12, 2)
    expected = triplet_loss(features[:, None], logits[:, None], labels[:, None], anchors="all")
    for x in (features, features[:, None]):
        for z in (logits, logits[:, None]):
            assert triplet_loss(x, z, labels, anchors="all") == expected


def test_the_paper_sized_batch_agrees_with_a_float64_loop_over_anchors(counting):
    generator = torch.Generator().manual_seed(0)
    batch, attributes = 512, 3
    labels = (torch.rand(batch, attributes, generator=generator) < 0.08).long()
    logits = torch.randn(batch, attributes, 2, generator=generator)
    features = torch.randn(batch, attributes, 64, generator=generator)
    total = oracles.triplet_loss(features.double(), logits.double(), labels).item()
    torch.testing.assert_close(
        triplet_loss(features, logits, labels).item(), total, rtol=1e-5, atol=0
    )


def test_gradient_reaches_features_alone():
    features = torch.randn(20, 2, 4, requires_grad=True)
    logits = torch.randn(20, 2, 2, requires_grad=True)
    labels = (torch.arange(20) < 6).long()[:, None].expand(-1, 2)
    triplet_loss(features, logits, labels, anchors="all").backward()
    assert logits.grad is None
    assert features.grad.abs().sum() > 0


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_coinciding_features_give_a_finite_gradient(normalise, value, counting):
    features = torch.full((10, 1, 4), value, requires_grad=True)
    labels = torch.tensor([1] * 4 + [0] * 6)[:, None]
    logits = torch.zeros(10, 1, 2)
    loss = triplet_loss(features, logits, labels, anchors="all", normalise=normalise)
    loss.backward()
    torch.testing.assert_close(loss.item(), 0.2)
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("spread", [1e-6, 1e-4, 1e-2, 1.0])
def test_single_precision_keeps_its_digits_where_features_nearly_coincide(spread, counting):
    generator = torch.Generator().manual_seed(0)
    features = 1 + spread * torch.randn(60, 3, 16, generator=generator)
    logits = torch.randn(60, 3, 2, generator=generator)
    labels = (torch.rand(60, 3, generator=generator) < 0.3).long()
    found = []
    for dtype in (torch.float32, torch.float64):
        x = features.to(dtype).requires_grad_()
        loss = triplet_loss(x, logits, labels, anchors="all", margin=spread / 10)
        found.append((loss.double(), torch.autograd.grad(loss, x)[0].double()))
    (loss, gradient), (exact, direction) = found
    torch.testing.assert_close(loss, exact, rtol=1e-5, atol=0)
    assert (gradient - direction).norm() < 1e-6 / min(1, spread) * direction.norm() + 1e-9


@pytest.mark.parametrize(
    ("labels", "logits", "why"),
    [
        ([0, 0, 0, 0], 0.0, "one class alone"),
        ([1, 0, 0, 0], 0.0, "a class of one sample"),
        ([1, 1, 0, 0, 0, 0], 9.0, "no sample predicted right, so no easy anchor"),
        ([1], 0.0, "one sample"),
        ([], 0.0, "an empty batch"),
    ],
)
def test_nothing_to_mine_gives_zero_with_a_graph(labels, logits, why):
    labels = torch.tensor(labels, dtype=torch.long)[:, None]
    features = torch.randn(len(labels), 1, 4, requires_grad=True)
    wrong = torch.tensor([logits, 0.0]).expand(len(labels), 1, 2)  # predicts class 0
    loss = triplet_loss(features, wrong, labels)
    loss.backward()
    assert loss == 0, why
    assert (features.grad == 0).all()


def test_half_and_half_takes_the_lower_class_as_the_minority():
    classes, taken = minority_classes(torch.tensor([[5, 5]]), 10, rho=0.5)
    assert classes[taken].tolist() == [0]


def test_nothing_of_the_size_of_all_triples_is_made():
    """k = 100 with all anchors: 40 x 256 x 100 x 100 triples would take 400 MB."""
    labels = (torch.arange(512) < 256).long()[:, None].expand(-1, 40)
    features, logits = torch.randn(512, 40, 8), torch.randn(512, 40, 2)
    with torch.profiler.profile(profile_memory=True, acc_events=True) as profiler:
        triplet_loss(features, logits, labels, k=100, anchors="all")
    largest = max(event.self_cpu_memory_usage for event in profiler.events())
    assert largest < 50e6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_every_floating_type_works(dtype, counting):
    features = torch.randn(12, 2, 4).to(dtype).requires_grad_()
    logits, labels = torch.randn(12, 2, 2).to(dtype), torch.zeros(12, 2, dtype=torch.long)
    labels[:4] = 1
    triplet_loss(features, logits, labels, anchors="all").backward()
    assert features.grad.dtype is dtype
    assert features.grad.isfinite().all()


X, LOGITS, LABELS = torch.zeros(4, 1, 8), torch.zeros(4, 1, 2), torch.zeros(4, 1, dtype=torch.long)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"k": 0}, "k must be a whole number of 1 or more, got 0"),
        ({"k": 2.0}, "got 2.0"),
        ({"k": True}, "got True"),
        ({"margin": -1}, "margin must be a number of 0 or more, got -1"),
        ({"margin": float("nan")}, "got nan"),
        ({"margin": "0.2"}, "got '0.2'"),
        ({"margin": True}, "got True"),
        ({"rho": 1}, r"rho must lie in \(0, 1\), got 1"),
        ({"anchors": "some"}, "'some'.*easy, all"),
        ({"reduction": "sum"}, "'sum'.*all, active"),
    ],
)
def test_impossible_options_are_named(options, names):
    with pytest.raises(ValueError, match=names):
        triplet_loss(X, LOGITS, LABELS, **options)


def test_numpys_scalars_are_numbers():
    labels = (torch.arange(12) < 4).long()
    features, logits = torch.randn(12, 4), torch.randn(12, 2)
    options = {"k": np.int64(3), "margin": np.float64(0.5), "rho": np.float32(0.5)}
    assert triplet_loss(features, logits, labels, **options) == triplet_loss(
        features, logits, labels, k=3, margin=0.5
    )


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"features must be .*\(4, 8\) and \(4, 1\)"):
        triplet_loss(X[:, 0], LOGITS, LABELS)


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ((None, LOGITS, LABELS), "features must be a tensor, got None"),
        ((X, LOGITS, LABELS.numpy()), r"labels .*numpy.ndarray: torch.as_tensor makes it one"),
        ((X.long(), LOGITS, LABELS), "features must be floating point, got dtype torch.int64"),
        ((X, LOGITS.long(), LABELS), "logits must be floating point, got dtype torch.int64"),
        ((X, LOGITS, LABELS.float()), "labels must be integers, got dtype torch.float32"),
        ((X, LOGITS, LABELS - 2), r"0 \.\.\. 1, or be -1 where unknown, got -2"),
        ((X, LOGITS, LABELS + 2), "got 2"),
        ((X, LOGITS, LABELS.to("meta")), "logits are on cpu, labels on meta: move the labels"),
        ((X.to("meta"), LOGITS, LABELS), "features are on meta, labels on cpu: move the labels"),
        ((X, LOGITS[:, 0, 0], LABELS[:, 0]), r"got shapes \(4,\) and \(4,\)"),
    ],
)
def test_inputs_of_another_kind_are_named(inputs, names):
    with pytest.raises(ValueError, match=names):
        triplet_loss(*inputs)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([0.0, 0.3, 1.0]))
def test_mining_in_single_precision_takes_what_a_stable_sort_takes(seed, k, share):
    generator = torch.Generator().manual_seed(seed)
    surprise = (4 * torch.randn(3, 2, 40, generator=generator)).round().abs() / 4  # many ties
    surprise[surprise > 2] = torch.inf
    candidates = torch.rand(2, 3, 2, 40, generator=generator) < share
    ours, theirs = (
        mining._best(x, candidates, [True, False], k) for x in (surprise, surprise.double())
    )
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.valid, b.valid)
        assert torch.equal(a.index[a.valid], b.index[b.valid])
