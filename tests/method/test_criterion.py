"""Eq. 10 and the special cases of Table 1."""

import warnings

import numpy as np
import oracles
import pytest
import torch
import torch.nn.functional as F
from conftest import batches
from hypothesis import given
from hypothesis import strategies as st

from dcl import (
    PRESETS,
    DCLLoss,
    count_classes,
    dsl_weights,
    loss_schedule,
    make_criterion,
    reference,
    schedule,
    target_distribution,
)


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
    f = reference.loss_schedule(epoch, 10, p=0.3, epsilon=0.1)
    options = {"k": 3, "margin": 0.2, "rho": 0.5}
    if rule == "power":
        options |= {"g": g, "f": f, "selection": "expected"}
        literal = reference.dcl_loss(logits, features, labels, counts, **options)
    else:
        weights = [
            oracles.expected_weights(labels[:, a], row, g, rule=rule)
            for a, row in enumerate(counts.tolist())
        ]
        literal = oracles.dsl_loss(logits, labels, torch.tensor(weights).T)
        literal = literal + f * oracles.triplet_loss(features, logits, labels, **options)
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
        ({"sampling": "never"}, "'never'.*convex, linear, concave, composite.*linear-imbalance"),
        ({"sampling": 1.5}, r"number in \[0, 1\] .*, got 1.5"),
        ({"sampling": True}, "got True"),
        (
            {"sampling": lambda epoch, epochs: None},
            "sampling must be .* gives a number: at epoch 0",
        ),
        ({"sampling": lambda epoch, epochs: "x"}, "could not convert string to float: 'x'"),
        ({"sampling": lambda epoch: 1.0}, "function of epoch and epochs .* takes 1 positional"),
        ({"sampling": lambda epoch, epochs: 1 + (epoch > 8)}, r"2\.0"),  # late
        ({"loss": lambda epoch, epochs: 9.5 - epoch}, r"-0\.5"),  # at the end
        ({"loss": lambda epoch, epochs: float("nan")}, "nan"),
        ({"loss": "linear-imbalance"}, "loss schedule 'linear-imbalance'"),
        ({"loss": -1}, "0 or more .*, got -1"),
        ({"p": 2}, "got 2"),
        ({"epsilon": -1}, "got -1"),
        ({"decay": 2, "sampling": "concave"}, "got 2"),
        ({"decay": 2, "sampling": "convex"}, "got 2"),  # what is not in use is checked, too
        ({"p": 7, "loss": 0.5}, "got 7"),
        ({"epsilon": -1, "loss": 0.5}, "got -1"),
        ({"loss": float("inf")}, "got inf"),
        ({"normalise": "false"}, "normalise must be True or False, got 'false'"),
        ({"squared": 1}, "squared must be True or False, got 1"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"steps_per_epoch": 0.5}, "steps_per_epoch must be a whole number"),
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


@pytest.mark.filterwarnings("ignore")  # the compiler's own
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


def batch_of(counts, size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shares = counts.double() / counts.sum(1, keepdim=True)
    labels = torch.multinomial(shares, size, replacement=True, generator=generator).T
    logits = torch.randn(size, *counts.shape, generator=generator)
    return logits, torch.randn(size, len(counts), 8, generator=generator), labels


COUNTS = torch.tensor([[70, 30], [60, 40]])


def test_binary_targets_and_one_logit_are_the_softmax_over_two():
    _, features, labels = batch_of(COUNTS)
    score = torch.randn(64, 2, generator=torch.Generator().manual_seed(1))
    criterion = DCLLoss.from_targets(labels.float().numpy(), 10, selection="expected")
    assert torch.equal(
        criterion.class_counts, torch.stack([(labels == c).sum(0) for c in (0, 1)], 1)
    )
    two = torch.stack([torch.zeros_like(score), score], 2)
    expected = criterion(two, features, labels)
    for targets in (labels, labels.float(), labels.bool()):
        torch.testing.assert_close(criterion(score, features, targets), expected)
    plain = DCLLoss(criterion.class_counts, 10, **PRESETS["cross-entropy"])
    bce = F.binary_cross_entropy_with_logits(score, labels.float(), reduction="sum") / 64
    torch.testing.assert_close(plain(score, None, labels.float()), bce)


def test_one_attribute_needs_no_axis_of_its_own():
    logits, features, labels = batch_of(COUNTS[:1])
    criterion = DCLLoss(COUNTS[:1], 10, selection="expected")
    short = criterion(logits[:, 0], features[:, 0], labels[:, 0])
    torch.testing.assert_close(short, criterion(logits, features, labels))


def test_steps_per_epoch_moves_the_curricula_by_itself_and_resumes():
    batch = batch_of(COUNTS)
    one = DCLLoss(COUNTS, 4, sampling="linear", steps_per_epoch=2, seed=0)
    seen = []
    for _ in range(8):
        one(*batch)
        seen.append(one.g)
    assert seen == [1 - step / 8 for step in range(8)]
    one(*batch)  # beyond the end it stays there
    assert one.g == 0
    one.eval()
    one(*batch)
    assert one.epoch == 4  # evaluation moves nothing
    other = DCLLoss(COUNTS, 4, sampling="linear", steps_per_epoch=2, seed=0)
    other(*batch)
    with torch.no_grad():
        other(*batch)  # a loss on validation, in a module that nobody has put in eval()
    other(*batch)
    assert other.epoch == 0.5
    half = DCLLoss(COUNTS, 4, sampling="linear", steps_per_epoch=2, seed=0)
    for _ in range(3):
        half(*batch)
    again = DCLLoss(COUNTS, 4, sampling="linear", steps_per_epoch=2, seed=0)
    again.load_state_dict(half.state_dict())
    again(*batch)
    assert again.g == 1 - 3 / 8


def test_set_epoch_sets_the_clock_of_steps_per_epoch():
    batch = batch_of(COUNTS)

    def clocked():
        return DCLLoss(COUNTS, 4, sampling="linear", steps_per_epoch=2, seed=0)

    resumed = clocked()
    resumed.set_epoch(2)  # of a training that was stopped after two epochs, its state lost
    seen = []
    for _ in range(3):
        resumed(*batch)
        seen.append(resumed.epoch)
    assert seen == [2, 2.5, 3]
    both = clocked()  # in a trainer that calls set_epoch before each step, too
    for step in range(4):
        both.set_epoch(step / 2)
        both(*batch)
        assert both.epoch == step / 2
    saved = clocked()
    saved.set_epoch(2)  # no step made there
    for one, epoch in ((saved, 2), (resumed, 3.5)):
        again = clocked()
        again.load_state_dict(one.state_dict())
        again(*batch)
        assert again.epoch == epoch


def test_the_epoch_is_in_the_state_and_a_seed_is_not_lost_in_silence():
    one = DCLLoss(COUNTS, 10, seed=1)
    one.set_epoch(7.5)
    one(*batch_of(COUNTS))
    two = DCLLoss(COUNTS, 10, seed=1)
    two.load_state_dict(one.state_dict())
    assert (two.epoch, two.g, two.f) == (one.epoch, one.g, one.f)
    with pytest.raises(ValueError, match="draws from a seed, this one has none"):
        DCLLoss(COUNTS, 10).load_state_dict(one.state_dict())


def test_a_curriculum_that_nobody_moves_is_told_once():
    batch = batch_of(COUNTS)  # 64 of 100 samples
    criterion = DCLLoss(COUNTS, 10)
    for _ in range(4):  # 256 samples: two epochs, and most of a batch
        criterion(*batch)
    words = r"the curricula stand still at epoch 0\. Call set_epoch"
    with pytest.warns(UserWarning, match=words) as told:
        criterion(*batch)
    assert told[0].filename == __file__  # the line that calls, not one of torch
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(20):
            criterion(*batch)  # once is enough
        moved, constant = DCLLoss(COUNTS, 10), DCLLoss(COUNTS, 10, **PRESETS["crl"])
        for step in range(20):
            moved.set_epoch(step / 2)
            moved(*batch)
            constant(*batch)  # has nothing to move


def test_unknown_labels_do_not_make_an_epoch_longer():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(1000, 2, generator=generator) < 0.3).long()
    unknown = torch.rand(1000, 2, generator=generator) < torch.tensor([0.8, 0.9])
    labels = labels.masked_fill(unknown, -1)
    criterion = DCLLoss(count_classes(labels), 10, loss=0)

    def epoch():
        for part in labels.split(50):
            criterion(torch.zeros(len(part), 2, 2, requires_grad=True), None, part)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(3):  # moved once an epoch
            criterion.set_epoch(number)
            epoch()
        epoch()
    with pytest.warns(UserWarning, match="more than two epochs .*: the curricula stand still"):
        epoch()


def test_a_class_of_which_a_batch_holds_next_to_nothing_is_told_once():
    counts = torch.tensor([[9_990, 10]])
    batch = batch_of(counts)
    with pytest.warns(UserWarning, match=r"class 1 of attribute 0 a batch of 64 is to hold 0.064"):
        DCLLoss(counts, 10)(*batch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DCLLoss(counts, 10, current="train")(*batch)


def test_a_schedule_may_be_a_function():
    criterion = DCLLoss(
        COUNTS, 10, sampling=lambda epoch, epochs: 1 - (epoch / epochs) ** 2, loss=lambda e, n: 0.5
    )
    criterion.set_epoch(5)
    assert (criterion.g, criterion.f) == (0.75, 0.5)
    with pytest.raises(ValueError, match=r"schedule gives 2.0 at epoch 0: .* lie in \[0, 1\]"):
        DCLLoss(COUNTS, 10, sampling=lambda epoch, epochs: 2)
    between = DCLLoss(COUNTS, 10, loss=lambda epoch, epochs: -(5 < epoch < 6), steps_per_epoch=2)
    between.set_epoch(4)
    with pytest.raises(ValueError, match="gives -1.0 at epoch 5.5: .* finite number of 0 or more"):
        between.set_epoch(5.5)
    assert (between.epoch, between.g, between.f) == (4, schedule("convex", 4, 10), 0)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda c, x, f, y: c(x[..., :1], f, y), r"\(B, 2, 2\) as class_counts"),
        (lambda c, x, f, y: c(x, None, y), "features must be a tensor, got None"),
        (lambda c, x, f, y: c(x, f, y.numpy()), "labels must be a tensor, got a numpy.ndarray"),
        (lambda c, x, f, y: c.set_epoch(11), r"\[0, 10\], got 11"),
        (lambda c, x, f, y: DCLLoss(COUNTS, 0), "epochs must be a number above 0, got 0"),
        (lambda c, x, f, y: DCLLoss(COUNTS + 0.5, 10), "whole numbers of samples, got 70.5"),
        (lambda c, x, f, y: DCLLoss(COUNTS, 10, steps_per_epoch=0), "1 or more, got 0"),
        (lambda c, x, f, y: DCLLoss(COUNTS[:0], 10), r"1 attribute and 2 .*, got shape \(0, 2\)"),
        (lambda c, x, f, y: DCLLoss(COUNTS[0], 10), r"shape \(2,\)\. .* class_counts\[None\]"),
        (lambda c, x, f, y: DCLLoss(COUNTS, 10, known="x"), "choice of known 'x': choose one of"),
        (lambda c, x, f, y: c.weights(y[:, :1]), r"labels must be \(batch, 2\), got shape \(64, 1"),
        (lambda c, x, f, y: c.weights(y + 1), r"labels must lie in 0 \.\.\. 1, .* got 2"),
        (lambda c, x, f, y: c.weights(y.tolist()), "labels must be a tensor, got a list"),
    ],
)
def test_what_does_not_fit_is_named(call, names):
    with pytest.raises(ValueError, match=names):
        call(DCLLoss(COUNTS, 10), *batch_of(COUNTS))


def test_a_misspelt_option_and_a_numpy_number():
    with pytest.raises(TypeError, match="unexpected keyword argument 'margn'"):
        DCLLoss(COUNTS, 10, margn=0.1)
    assert DCLLoss(COUNTS, np.int64(10), k=np.int64(5), margin=np.float32(0.5)).epochs == 10


def test_a_criterion_says_how_it_is_set():
    words = repr(DCLLoss(COUNTS, 300, k=7))
    for part in ("sampling='convex'", "loss='composite'", "k=7", "epochs=300", "attributes=2"):
        assert part in words


def test_the_clock_of_a_state_that_has_not_stepped_starts_at_its_beginning():
    counts = torch.tensor([[90, 10]])

    def clocked(state=None):
        criterion = DCLLoss(counts, 10, steps_per_epoch=4, seed=0)
        if state is not None:
            criterion.load_state_dict(state)
        return criterion

    def step(criterion):
        logits = torch.zeros(8, 1, 2, requires_grad=True)
        criterion(logits, torch.randn(8, 1, 3), torch.arange(8)[:, None] % 2)
        return criterion.epoch

    fresh = clocked(clocked().state_dict())
    assert [step(fresh) for _ in range(3)] == [0, 0.25, 0.5]
    assert step(clocked(fresh.state_dict())) == 0.75


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("method", ["dcl", "over-sampling", "down-sampling"])
def test_a_look_in_eval_or_without_gradients_never_changes_a_training(method, training, seed):
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(64, 2, generator=generator) < 0.2).long()
    logits = torch.randn(64, 2, 2, generator=generator, requires_grad=True)
    features = torch.randn(64, 2, 4, generator=generator)

    def losses(looks):
        torch.manual_seed(1)
        criterion = make_criterion(method, torch.tensor([[500, 100]] * 2), 10, seed=seed)
        criterion.set_epoch(8)
        found, seen = [], []
        for _ in range(3):
            criterion.train(training)
            with torch.no_grad():
                seen += [criterion(logits, features, labels).item() for _ in range(looks)]
            found.append(criterion.train()(logits, features, labels).item())
        assert len(set(seen)) <= 1  # the same batch, the same loss
        return found

    assert losses(looks=0) == losses(looks=2)


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("labels", None),
        ("labels", torch.full((64, 2), 7)),
        ("features", None),
        ("features", torch.zeros(64, 3)),
        ("weights", torch.ones(3)),
    ],
)
def test_a_batch_that_is_refused_moves_nothing(what, wrong):
    criterion, other = (DCLLoss(COUNTS, 10, steps_per_epoch=2, seed=0) for _ in range(2))
    batch = dict(zip(("logits", "features", "labels"), batch_of(COUNTS), strict=True))
    losses = [one(**batch) for one in (criterion, other)]
    with pytest.raises(ValueError, match=what):
        criterion(**batch | {what: wrong})
    assert criterion.epoch == 0
    losses += [one(**batch) for one in (criterion, other)]
    assert criterion.epoch == 0.5
    assert torch.equal(losses[2], losses[3])


def test_weights_may_be_looked_at():
    logits, features, labels = batch_of(COUNTS[:1])
    criterion, other = (DCLLoss(COUNTS[:1], 10, sampling=0.0, seed=0) for _ in range(2))
    with torch.no_grad():
        shown = criterion.weights(labels[:, 0])
        assert torch.equal(shown, criterion.weights(labels.to(torch.uint8)))
    assert shown.shape == labels.shape
    assert torch.equal(criterion(logits, features, labels), other(logits, features, labels))
    drawn = dsl_weights(labels, COUNTS[:1], 0, generator=torch.Generator().manual_seed(3))
    assert torch.equal(DCLLoss(COUNTS[:1], 10, sampling=0.0, seed=3).weights(labels), drawn)
    assert DCLLoss(COUNTS, 10, **PRESETS["cross-entropy"]).weights(batch_of(COUNTS)[2]) is None
    assert DCLLoss(COUNTS[:1], 10).weights(labels.to("meta")).is_meta


def test_a_training_longer_than_announced_is_told_once():
    batch = batch_of(COUNTS)
    criterion = DCLLoss(COUNTS, 2, steps_per_epoch=3, seed=0)
    for _ in range(7):  # one over, as where the last batch is counted in
        criterion(*batch)
    with pytest.warns(UserWarning, match="goes on after its 2 epochs of 3 steps.*Give ") as told:
        criterion(*batch)
    assert told[0].filename == __file__
    criterion(*batch)
    assert (criterion.epoch, criterion.g) == (2, schedule("convex", 2, 2))


def test_a_single_score_a_sample_is_told_of_its_axis():
    criterion = DCLLoss(COUNTS[:1], 10)
    for labels in (torch.zeros(4, dtype=torch.long), torch.zeros(4)):
        with pytest.raises(
            ValueError, match=r"shape \(4,\) with labels \(4,\)\. .*labels\[:, None"
        ):
            criterion(torch.zeros(4), None, labels)
