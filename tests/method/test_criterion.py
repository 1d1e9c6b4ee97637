"""Eq. 10 and the special cases of Table 1."""

import oracles
import pytest
import torch
import torch.nn.functional as F
from conftest import batches
from hypothesis import given
from hypothesis import strategies as st

from dcl import PRESETS, DCLLoss, dsl_weights, loss_schedule, schedule, target_distribution


def cross_entropy(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / len(labels)


@given(batches(), st.sampled_from([0, 2.5, 3, 10]), st.sampled_from(["convex", "linear-imbalance"]))
def test_dcl_is_equation_10(batch, epoch, sampling):
    logits, features = batch["logits"].requires_grad_(), batch["features"].requires_grad_()
    labels, counts = batch["labels"], batch["class_counts"]
    criterion = DCLLoss(counts, 10, sampling=sampling, selection="expected", k=3)
    criterion.set_epoch(epoch)
    rule = "linear" if sampling == "linear-imbalance" else "power"
    g = oracles.schedule("linear" if rule == "linear" else sampling, epoch, 10)
    weights = torch.tensor(
        [
            oracles.expected_weights(labels[:, a], row, g, rule=rule)
            for a, row in enumerate(counts.tolist())
        ]
    ).T
    f = oracles.loss_schedule(epoch, 10)
    literal = oracles.dcl_loss(logits, features, labels, weights, f, k=3)
    ours = criterion(logits, features, labels)
    torch.testing.assert_close(ours, literal)
    for leaf in (logits, features):
        gradients = [
            torch.autograd.grad(x, leaf, retain_graph=True, allow_unused=True)[0]
            for x in (ours, literal)
        ]
        torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-8)


@given(batches())
def test_cross_entropy_is_g_1_and_f_0_with_the_training_distribution(batch):
    labels, logits = batch["labels"], batch["logits"]
    criterion = DCLLoss(batch["class_counts"], 10, **PRESETS["cross-entropy"])
    for epoch in (0, 5, 10):
        criterion.set_epoch(epoch)
        loss = criterion(logits, batch["features"], labels)
        torch.testing.assert_close(loss, cross_entropy(logits, labels))
    long_way = dsl_weights(labels, batch["class_counts"], 1, current="train")
    assert (long_way == 1).all()  # what the criterion leaves out


def test_g_1_with_the_batchs_own_distribution_is_cross_entropy_in_expectation():
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor([[900, 100]])
    logits = torch.randn(1000, 1, 2, generator=generator).double()
    labels = (torch.arange(1000) >= 900).long()[:, None]  # a training set of 1,000
    whole = cross_entropy(logits, labels)
    losses = []
    criterion = DCLLoss(counts, 10, sampling=1, loss=0, seed=1)
    for _ in range(4000):
        index = torch.randint(0, 1000, (128,), generator=generator)
        losses.append(criterion(logits[index], logits[index], labels[index]))
    losses = torch.stack(losses)
    error = losses.std() / len(losses) ** 0.5
    assert abs(losses.mean() - whole) < 4 * error
    assert error < 0.01 * whole  # so that the test could fail


@given(batches())
def test_selective_learning_is_a_balanced_batch_without_metric_loss(batch):
    labels, logits = batch["labels"], batch["logits"]
    criterion = DCLLoss(
        batch["class_counts"], 10, **PRESETS["selective-learning"], selection="expected"
    )
    criterion.set_epoch(7)
    classes = logits.shape[2]
    counts = torch.stack([torch.bincount(y, minlength=classes) for y in labels.T])
    weights = (len(labels) / classes / counts).gather(1, labels.T).T
    loss = criterion(logits, batch["features"], labels)
    torch.testing.assert_close(loss, oracles.dsl_loss(logits, labels, weights))


@given(batches())
def test_crl_is_cross_entropy_and_epsilon_times_the_triplets_of_all_anchors(batch):
    labels, logits = batch["labels"], batch["logits"]
    criterion = DCLLoss(batch["class_counts"], 10, **PRESETS["crl"], k=3)
    criterion.set_epoch(4)
    metric = oracles.triplet_loss(batch["features"], logits, labels, k=3, anchors="all")
    loss = criterion(logits, batch["features"], labels)
    torch.testing.assert_close(loss, cross_entropy(logits, labels) + 0.1 * metric)


def test_the_steps_of_the_ablation_differ_in_f_alone():
    counts = torch.tensor([[90, 10]])
    f = {}
    for name in ("dcl-ss", "dcl-ss-tl", "dcl"):
        criterion = DCLLoss(counts, 300, **PRESETS[name])
        assert criterion.sampling == "convex"
        f[name] = []
        for epoch in (0, 89, 90, 300):
            criterion.set_epoch(epoch)
            assert criterion.g == schedule("convex", epoch, 300)
            f[name].append(criterion.f)
    assert f["dcl-ss"] == [0] * 4
    assert f["dcl-ss-tl"] == [1] * 4
    assert f["dcl"] == [loss_schedule(epoch, 300) for epoch in (0, 89, 90, 300)]


def test_linear_imbalance_moves_the_distribution_itself():
    counts = torch.tensor([[90, 10]])
    halfway = target_distribution(counts, 0.5, rule="linear")
    torch.testing.assert_close(halfway, torch.tensor([[5 / 6, 1 / 6]], dtype=torch.float64))


def test_parts_say_what_the_loss_was_made_of():
    labels = torch.tensor([[0]] * 6 + [[1]] * 2)
    criterion = DCLLoss(torch.tensor([[6, 2]]), 10, sampling=0, loss=0.5, seed=0)
    assert criterion.parts == {}
    logits = torch.zeros(8, 1, 2)
    logits[:, :, 1] = 1  # all are predicted class 1
    loss = criterion(logits, torch.randn(8, 1, 4), labels)
    parts = criterion.parts
    torch.testing.assert_close(loss, parts["classification"] + 0.5 * parts["metric"])
    torch.testing.assert_close(parts["share_kept"].item(), 4 / 6)
    assert parts["minority_weight"].item() == 2
    assert parts["triples"].tolist() == [2 * 1 * 6]  # two anchors, the other as positive


def test_seeded_selection_resumes_from_the_state_dict():
    counts, labels = torch.tensor([[90, 10]]), torch.zeros(64, 1, dtype=torch.long)
    one = DCLLoss(counts, 10, sampling=0, seed=5)
    one.weights(labels)
    two = DCLLoss(counts, 10, sampling=0, seed=5)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.weights(labels), two.weights(labels))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"sampling": "cubic"}, "'cubic'.*convex, linear, concave, composite, linear-imbalance"),
        ({"sampling": 1.5}, r"number in \[0, 1\] .*, got 1.5"),
        ({"sampling": True}, "got True"),
        ({"loss": "linear-imbalance"}, "loss schedule 'linear-imbalance'"),
        ({"loss": -1}, "0 or more .*, got -1"),
        ({"p": 2}, "got 2"),
        ({"epsilon": -1}, "got -1"),
        ({"decay": 2, "sampling": "concave"}, "got 2"),
        ({"k": 0}, "got 0"),
        ({"normalisation": "sum"}, "'sum'"),
        ({"selection": "most"}, "'most'"),
        ({"current": "epoch"}, "'epoch'"),
    ],
)
def test_impossible_arguments_are_named_at_construction(options, names):
    with pytest.raises(ValueError, match=names):
        DCLLoss(torch.tensor([[9, 1]]), 10, **options)


def test_a_class_without_training_samples_is_named():
    with pytest.raises(ValueError, match="class 1 of attribute 0 has 0 training samples"):
        DCLLoss(torch.tensor([[9, 0]]), 10)


@pytest.mark.parametrize("classes", [2, 7])
def test_the_criterion_compiles_into_one_graph(classes):
    counts = torch.randint(1, 100, (3, classes))
    criterion = DCLLoss(counts, 10)
    compiled = torch.compile(criterion, fullgraph=True, backend="aot_eager")
    logits, features = torch.randn(32, 3, classes), torch.randn(32, 3, 4, requires_grad=True)
    labels = torch.randint(0, classes, (32, 3))
    loss = compiled(logits, features, labels)
    loss.backward()
    assert loss.isfinite()
