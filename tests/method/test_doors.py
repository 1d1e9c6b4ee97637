"""What a criterion takes, what it refuses and in which words, and what no input may bring."""

import inspect
import warnings
from functools import partial

import numpy as np
import oracles
import pandas as pd
import pytest
import safetensors.torch
import torch

from dcl import (
    METHODS,
    DCLLoss,
    Graphed,
    count_classes,
    dsl_loss,
    dsl_weights,
    target_distribution,
    triplet_loss,
)
from dcl import protocol as sources
from dcl.methods import make_criterion
from dcl.methods.clusters import find_partners
from dcl.methods.losses import Loss, asymmetric_loss, focal_loss
from dcl.methods.resampling import DownSampled, resampling_weights
from dcl.methods.two_stage import balanced_layer
from dcl.mining import mine
from dcl.triplet import TripletOptions, triplet_terms

COUNTS = torch.tensor([[80, 20], [60, 40]])
DRAWN = torch.Generator().manual_seed(0)
LABELS = (torch.rand(12, 2, generator=DRAWN) < 0.4).long()
LOGITS = 3 * torch.randn(12, 2, 2, generator=DRAWN).double()
FEATURES = torch.randn(12, 2, 4, generator=DRAWN).double()


def batch_of(name: str):
    """A batch for a method: one attribute for those of a single label."""
    attributes = 1 if METHODS[name].tasks == "single-label" else 2
    labels = LABELS[:, :attributes].clone()
    labels[3] = -1
    return LOGITS[:, :attributes].clone(), FEATURES[:, :attributes].clone(), labels


def made(name: str, **options):
    _, _, labels = batch_of(name)
    return make_criterion(name, COUNTS[: labels.shape[1]], 10, seed=0, **options)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("epoch", [0, 9])
@pytest.mark.parametrize("each", ["sample", "attribute"])
def test_weights_multiply_each_samples_classification_term(name, epoch, each):
    """The classification alone reaches the logits: each sample's gradient is the weight times."""
    logits, features, labels = batch_of(name)
    logits.requires_grad_()
    if name == "lmle" and epoch:
        pytest.skip("no classification then: its own test below")
    weights = torch.rand(labels.shape if each == "attribute" else len(labels)).double()
    weights[1] = 0
    found = []
    for given in (None, weights, torch.ones(len(labels))):
        criterion = made(name)
        criterion.set_epoch(epoch)
        loss = criterion(logits, features, labels, weights=given)
        metric = loss - criterion.parts["classification"]  # of the triplets, as if unweighted
        found.append((loss, metric.detach(), torch.autograd.grad(loss, logits)[0]))
    (plain, metric, gradient), (weighted, other, scaled), (ones, *_) = found
    torch.testing.assert_close(scaled, gradient * weights.reshape(len(labels), -1, 1))
    torch.testing.assert_close(other, metric)
    torch.testing.assert_close(ones, plain)
    assert not torch.equal(weighted, plain)


def test_weights_of_samples_are_factors_of_equation_6():
    weights = torch.rand(12, 2, dtype=torch.float64)
    criterion = DCLLoss(COUNTS, 10, loss=0.0, selection="expected")
    criterion.set_epoch(4)
    table = (dsl_weights(LABELS, COUNTS, criterion.g, selection="expected") * weights).tolist()
    literal = oracles.dsl_loss(LOGITS, LABELS, table)
    torch.testing.assert_close(criterion(LOGITS, None, LABELS, weights), literal)
    shares = criterion.parts["minority_weight"]
    criterion(LOGITS, None, LABELS)
    assert torch.equal(shares, criterion.parts["minority_weight"])  # the method's weights alone


def test_a_weight_of_0_leaves_a_sample_out_of_the_classification():
    without = torch.arange(12) != 5
    weights = without.float()
    for name in ("cross-entropy", "cost-sensitive", "focal", "asl"):
        logits, labels = LOGITS.clone(), LABELS
        loss = made(name)(logits[without], None, labels[without]) * 11 / 12
        logits[5] = torch.inf
        torch.testing.assert_close(made(name)(logits, None, labels, weights), loss)


@pytest.mark.parametrize(
    ("weights", "names"),
    [
        (torch.ones(11), r"weights must be \(12,\) or \(12, 2\) .* got shape \(11,\)"),
        (torch.ones(12, 1), r"got shape \(12, 1\)"),
        (-torch.ones(12), "finite and 0 or more, got -1"),
        (torch.full((12, 2), torch.nan), "finite and 0 or more, got nan"),
        (np.ones(12), "weights must be a tensor, got a numpy.ndarray"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, names):
    for criterion in (DCLLoss(COUNTS, 10), Graphed(DCLLoss(COUNTS, 10)), made("focal")):
        with pytest.raises(ValueError, match=names):
            criterion(LOGITS, FEATURES, LABELS, weights)


@pytest.mark.parametrize("loss", [dsl_loss, focal_loss, asymmetric_loss])
def test_the_losses_called_alone_check_weights_and_labels(loss):
    plain = loss(LOGITS, LABELS, weights=torch.ones(12))
    torch.testing.assert_close(plain, loss(LOGITS, LABELS))
    for weights, names in (
        ([[1.0, 1.0]] * 12, "weights must be a tensor, got a list: torch.tensor makes it one"),
        (torch.ones(2), r"weights must be \(12,\) or \(12, 2\)"),
        (-torch.ones(12, 2), "finite and 0 or more, got -1"),
    ):
        with pytest.raises(ValueError, match=names):
            loss(LOGITS, LABELS, weights=weights)
    with pytest.raises(ValueError, match=r"labels must lie in 0 \.\.\. 1.* got 2"):
        loss(LOGITS, LABELS + 1)
    with pytest.raises(
        ValueError, match="labels must be a tensor, got a list: torch.tensor makes it one"
    ):
        loss(LOGITS, LABELS.tolist())


@pytest.mark.parametrize(
    "g",
    [torch.tensor(1.5), torch.tensor([0.5]), torch.tensor(1), torch.tensor(torch.nan), "a", True],
)
def test_a_level_that_cannot_be_is_named(g):
    for call in (lambda: target_distribution(COUNTS, g), lambda: dsl_weights(LABELS, COUNTS, g)):
        with pytest.raises(ValueError, match="g must"):
            call()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.uint16, torch.int32])
def test_labels_and_rows_of_every_integer_type_are_taken(dtype):
    labels, rows = LABELS.to(dtype), torch.arange(12).to(dtype)
    given = {"g": 0.3, "selection": "expected"}
    for call in (
        lambda y: dsl_weights(y, COUNTS, **given),
        lambda y: dsl_loss(LOGITS, y),
        lambda y: triplet_loss(FEATURES, LOGITS, y),
        lambda y: focal_loss(LOGITS, y),
        lambda y: asymmetric_loss(LOGITS, y),
        lambda y: resampling_weights(y, 2, "over", torch.Generator().manual_seed(0)),
    ):
        assert torch.equal(call(labels), call(LABELS))
    for name, options in (
        ("lmle", {"cluster_size": 2, "warm_up": 0.0}),
        ("down-sampling", {"fixed": True}),
    ):
        losses = []
        for own in (rows, torch.arange(12)):
            criterion = made(name, **options)
            criterion.before_epoch(0, lambda: (FEATURES, LABELS))
            losses.append(criterion(LOGITS, FEATURES, LABELS, own))
        assert torch.equal(*losses)


@pytest.mark.parametrize("name", ["crt", "lmle", "ldam-drw"])
def test_a_loop_that_never_moves_the_clock_is_told_once(name):
    """What these do late in a training does not come, and nothing else says so."""
    counts, labels = torch.tensor([[50, 30]]), (torch.arange(80) >= 50).long()[:, None]
    features = torch.randn(80, 1, 4, generator=torch.Generator().manual_seed(0))
    logits = torch.zeros(80, 1, 2)

    def criterion():
        one = make_criterion(name, counts, 10, seed=0)
        one.before_epoch(0, lambda: (features, labels))
        return one, {"rows": torch.arange(80)} if name == "lmle" else {}

    still, rows = criterion()
    still(logits, features, labels, **rows)
    for _ in range(2):
        with torch.no_grad():
            still(logits, features, labels, **rows)  # no step
    still(logits, features, labels, **rows)
    still(logits, features, labels, **rows)
    words = "more than two epochs of its 80 .*at epoch 0. Call set_epoch.* before each step$"
    with pytest.warns(UserWarning, match=words) as told:
        still(logits, features, labels, **rows)
    assert told[0].filename == __file__
    moved, rows = criterion()
    with warnings.catch_warnings(action="error"):
        still(logits, features, labels, **rows)
        for step in range(8):
            moved.set_epoch(step)
            moved(logits, features, labels, **rows)


@pytest.mark.parametrize("name", ["lmle", "down-sampling"])
def test_labels_that_are_none_are_named_before_rows(name):
    with pytest.raises(ValueError, match="labels must be a tensor, got None"):
        made(name)(LOGITS, FEATURES, None)


def test_what_is_looked_at_on_another_device_is_taken_to_where_it_is_needed():
    counts, on_meta = torch.tensor([[8, 4]]), torch.zeros(12, 1, 4, device="meta")
    subset = DownSampled(counts, 10, fixed=True).to("meta")
    subset.before_epoch(0, lambda: (FEATURES[:, :1], LABELS[:, :1]))
    assert subset.kept.is_meta
    assert subset.known.is_meta
    weight, bias = balanced_layer(on_meta, LABELS[:, :1], counts)
    assert weight.is_meta
    assert bias.is_meta
    criterion = make_criterion("dcl", torch.tensor([[8, 4, 0], [3, 3, 6]]), 10, classes=(2, 3))
    logits = torch.zeros(12, 2, 3, device="meta")
    assert criterion.scored(logits, on_meta, torch.nn.Identity()).is_meta
    assert dsl_weights(LABELS.to("meta"), COUNTS, 0.3).is_meta


@pytest.mark.parametrize("name", ["lmle", "down-sampling"])
def test_weights_in_the_place_of_rows_are_refused(name):
    with pytest.raises(ValueError, match=r"rows must be integers \(12,\).* go by name: weights="):
        made(name)(*batch_of(name), torch.ones(12))


def test_whole_numbers_in_the_place_of_rows_are_told_of_weights():
    weights = torch.tensor([1, 2] * 6)
    with (
        pytest.warns(UserWarning, match="of LMLE is rows.* row 1 is in it 6 times.*weights="),
        pytest.warns(UserWarning, match="lmle trains cross entropy until"),
    ):
        made("lmle")(*batch_of("lmle"), weights)
    with (
        pytest.warns(UserWarning, match="of DownSampled is rows"),
        pytest.raises(ValueError, match="only down-sampling with fixed=True takes rows"),
    ):
        made("down-sampling")(*batch_of("down-sampling"), weights)
    made("down-sampling")(*batch_of("down-sampling"), weights=weights)


@pytest.mark.parametrize("name", [n for n in METHODS if METHODS[n].tasks == "any"])
def test_a_label_of_a_class_that_its_attribute_lacks_is_refused(name):
    counts = torch.tensor([[50, 50, 0], [40, 30, 30]])
    labels = torch.tensor([[0, 2], [1, 1], [2, 0]])
    options = {"classes": (2, 3)}
    if name == "lmle":  # wants as many classes of each
        counts, labels, options = counts[:, :2] + 1, labels.clamp(max=1), {}
        labels[2, 0] = 2
    criterion = make_criterion(name, counts, 10, **options)
    with pytest.raises(ValueError, match=r"(attribute 0 .* row 2 is 2|0 \.\.\. 1, .* got 2)"):
        criterion(torch.zeros(3, 2, counts.shape[1]), torch.zeros(3, 2, 4), labels)


def test_the_functions_called_alone_refuse_a_class_that_is_not_there():
    counts, labels = torch.tensor([[5, 5, 0], [4, 3, 3]]), torch.tensor([[0, 2], [2, 1]])
    logits = torch.zeros(2, 2, 3)
    logits[:, 0, 2] = -torch.inf
    for call in (
        lambda: dsl_weights(labels, counts, 1, classes=(2, 3)),
        lambda: count_classes(labels, (2, 3)),
        lambda: dsl_loss(logits, labels),
        lambda: focal_loss(logits, labels),
        lambda: asymmetric_loss(logits[:, :, [0, 2]], labels.clamp(max=1)),
    ):
        with pytest.raises(ValueError, match=r"row 1"):
            call()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (torch.full((4, 2), 0.7), r"row 0, attribute 0 is 0.7\. .*lam \* criterion\(.*labels\[or"),
        (torch.tensor([[0, 1], [1, torch.nan]]), "row 1, attribute 1 is nan. Write -1"),
        (torch.tensor([[0, 1], [1, torch.inf]]), "row 1, attribute 1 is inf"),
        (np.array([["yes", "no"]]), "got the text 'yes': give each class a number"),
        ([["yes", "no"]], "whole numbers .* lists of one length"),
        (pd.DataFrame({"a": [1, 0], "b": ["1", "0"]}), "got the text '1'"),
        (pd.DataFrame({"a": [1, None]}, dtype="Int64"), "row 1, attribute 0 is nan|got <NA>"),
        (np.array([[1, None]], dtype=object), "got None"),
        (np.array([[2**64 - 1]], dtype=np.uint64), "whole numbers"),
        (torch.zeros(2, 2, 2), r"\(samples, attributes\), got shape \(2, 2, 2\)"),
        (np.ma.masked_array([[0, 1]], [[False, True]]), r"not be masked: give labels.filled\(-1\)"),
    ],
)
def test_labels_that_are_no_classes_are_named(labels, names):
    with pytest.raises(ValueError, match=names):
        count_classes(labels)
    if isinstance(labels, torch.Tensor):
        with pytest.raises(ValueError, match=names):
            DCLLoss(COUNTS, 10)(torch.zeros(len(labels), 2), None, labels)


@pytest.mark.parametrize(
    "form",
    [
        pd.DataFrame({"a": [1, 0, 0], "b": [True, False, True]}),
        pd.DataFrame({"a": [1, 0, 0], "b": [1, 0, 1]}, dtype="Int64"),
        pd.DataFrame({"a": [1, 0, 0], "b": [1, 0, 1]}, dtype="boolean"),
        np.array([[1, 1], [0, 0], [0, 1]], dtype=np.uint16),
        np.array([[1, 1], [0, 0], [0, 1]], dtype=object),
        torch.tensor([[1, 1], [0, 0], [0, 1]], dtype=torch.uint32),
        torch.tensor([[1, 1], [0, 0], [0, 1]]).bool(),
        [[1, 1], [0, 0], [0, 1]],
    ],
)
def test_numbers_of_any_form_are_labels_and_counts(form):
    assert count_classes(form, np.int64(2)).tolist() == [[2, 1], [1, 2]]
    criterion = DCLLoss.from_targets(form, 10, classes=np.int64(2))
    assert criterion.class_counts.tolist() == [[2, 1], [1, 2]]
    if isinstance(form, torch.Tensor):
        same = (criterion(LOGITS[:3], FEATURES[:3], y) for y in (form, form.long()))
        assert torch.equal(*same)
    one = pd.DataFrame({"a": [30, 10], "b": [20, 20]}, dtype="Int64").T
    assert DCLLoss(one, 10).class_counts.tolist() == [[30, 10], [20, 20]]


@pytest.mark.parametrize("classes", [2.5, "ab", (2, 3, 2), (2, 1.0), 1, True])
def test_classes_that_are_no_numbers_are_named(classes):
    build = partial(DCLLoss, COUNTS, 10)
    for call in (lambda: count_classes(LABELS, classes), lambda: build(classes=classes)):
        with pytest.raises(ValueError, match="classes must be"):
            call()


def test_one_hot_rows_of_a_single_label_are_told_from_yes_or_no_attributes():
    criterion = DCLLoss(torch.tensor([[5, 4, 3]]), 10)
    with pytest.raises(ValueError, match=r"got shape \(4, 3\) .* become labels.argmax\(1\)"):
        criterion(torch.zeros(4, 3), torch.zeros(4, 8), torch.eye(4, 3))


EXTREME = (0.0, 1e-30, 15.0, 17.0, 40.0, 88.0, 104.0, 6e4)


@pytest.mark.parametrize("gamma", [0.0, 1e-3, 0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_no_exponent_and_no_score_gives_a_gradient_of_nan(gamma, dtype):
    scores = torch.tensor([sign * x for x in EXTREME for sign in (1, -1)])
    labels = torch.tensor([0, 1, -1]).repeat_interleave(len(scores)).unsqueeze(1)
    logits = torch.stack([torch.zeros_like(scores), scores], 1).repeat(3, 1).unsqueeze(1).to(dtype)
    for clip in (0.0, 1e-9, 1e-4, 0.05, 0.5):
        options = {"gamma_positive": gamma, "gamma_negative": gamma, "clip": clip}
        for loss in (
            lambda z: focal_loss(z, labels, gamma=gamma),
            lambda z, o=options: asymmetric_loss(z, labels, **o),
        ):
            given = logits.clone().requires_grad_()
            value = loss(given)
            (gradient,) = torch.autograd.grad(value, given)
            assert value.isfinite()
            assert gradient.isfinite().all()


def test_a_clip_too_small_for_one_minus_p_is_exact_in_single_precision():
    logits, labels = torch.tensor([[[0.0, 30.0]]]), torch.tensor([[0]])
    options = {"gamma_negative": 0.0, "clip": 1e-9}
    single = asymmetric_loss(logits, labels, **options)
    torch.testing.assert_close(single.double(), asymmetric_loss(logits.double(), labels, **options))


def test_the_triplet_loss_of_float64_has_all_its_digits():
    labels = torch.tensor([[1], [1], [0], [0], [0]])
    features, logits = torch.ones(5, 1, 3).double(), torch.zeros(5, 1, 2).double()
    loss = triplet_loss(features, logits, labels, margin=0.1, anchors="all")
    assert loss.item() == pytest.approx(0.1, rel=1e-15, abs=0)  # all distances are 0


def test_a_score_of_nan_is_no_easy_anchor():
    labels = torch.tensor([1, 1, 1, 0, 0, 0, 0]).unsqueeze(1)
    logits = torch.zeros(7, 1, 2)
    logits[:3, 0, 1] = 5
    logits[2, 0, 1] = torch.nan
    anchor, *_ = mine(logits, labels, k=25, anchors="easy", rho=0.5)
    assert anchor.index[anchor.valid].tolist() == [0, 1]


def test_each_device_draws_from_a_generator_of_its_own(monkeypatch):
    class Generator:
        def __init__(self, device):
            self.device = device

        def manual_seed(self, seed):
            self.seed = seed
            return self

    monkeypatch.setattr(sources.torch, "Generator", Generator)
    source = sources.RandomSource(7)
    cpu = source.on(torch.device("cpu"))
    assert source.on(torch.device("cpu")) is cpu
    gpu = source.on(torch.device("cuda:1"))
    assert (str(gpu.device), gpu.seed) == ("cuda:1", 7)


def test_a_state_of_another_kind_of_device_is_not_read():
    saved = torch.zeros(16, dtype=torch.uint8)  # as long as a CUDA generator's
    source = sources.RandomSource(7)
    source.set_extra_state(saved)
    fresh = sources.RandomSource(7)
    cpu = torch.device("cpu")
    assert torch.equal(*(torch.rand(3, generator=one.on(cpu)) for one in (source, fresh)))
    again = sources.RandomSource(8)
    again.set_extra_state(source.get_extra_state())
    assert torch.equal(*(torch.rand(3, generator=one.on(cpu)) for one in (source, again)))


def test_what_a_training_draws_without_a_seed_differs_under_no_grad_too():
    counts, labels = torch.tensor([[80, 20]]), (torch.arange(100) < 20).long()[:, None]
    kept = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        criterion = DownSampled(counts, 10, fixed=True)
        with torch.no_grad():
            criterion.before_epoch(0, lambda: (torch.zeros(100, 1, 4), labels))
        kept.append(criterion.kept)
    assert torch.equal(kept[0], kept[2])
    assert not torch.equal(kept[0], kept[1])


def test_the_fixed_subset_of_labels_partly_unknown_weighs_as_much_as_the_known():
    labels = (torch.rand(400, 2) < torch.tensor([0.1, 0.3])).long()
    labels[torch.rand(400, 2) < 0.5] = -1
    criterion = DownSampled(count_classes(labels, 2), 10, fixed=True, seed=1)
    criterion.before_epoch(0, lambda: (torch.zeros(400, 2, 4), labels))
    again = DownSampled(count_classes(labels, 2), 10, fixed=True)
    again.random.seed = 1
    again.load_state_dict(criterion.state_dict())
    for one in (criterion, again):
        one(torch.zeros(400, 2, 2), None, labels, torch.arange(400))
        _, _, weights = one._last
        torch.testing.assert_close(weights.sum(0), (labels >= 0).sum(0).double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("method", ["dcl", "lmle", "crt", "down-sampling", "focal"])
def test_a_state_holds_tensors_alone_and_goes_through_a_file_and_back(method, tmp_path):
    counts = torch.tensor([[80, 20]])
    make = partial(make_criterion, method, counts, 10, seed=3)
    module = torch.nn.ModuleDict({"net": torch.nn.Linear(3, 2), "loss": make()})
    module["loss"].set_epoch(4.5)
    state = module.state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    safetensors.torch.save_file(state, tmp_path / "all.safetensors")
    again = torch.nn.ModuleDict({"net": torch.nn.Linear(3, 2), "loss": make()})
    again.load_state_dict(safetensors.torch.load_file(tmp_path / "all.safetensors"))
    assert again["loss"].epoch == 4.5
    state["loss._extra_state"] = module["loss"].get_extra_state()  # a dict, as of early versions
    early = torch.nn.ModuleDict({"net": torch.nn.Linear(3, 2), "loss": make()})
    early.load_state_dict(state)
    assert early["loss"].epoch == 4.5


def test_a_state_of_another_training_is_refused():
    counts = torch.tensor([[80, 20]])
    state = make_criterion("dcl", counts, 10).state_dict()
    make_criterion("dcl", counts, 10).load_state_dict(state)
    for method in ("focal", "crt", "down-sampling", "lmle"):
        with pytest.raises(ValueError, match="the saved criterion is DCLLoss, this one is"):
            make_criterion(method, counts, 10, seed=0).load_state_dict(state)
    weighted = make_criterion("pos-weight", counts, 10).state_dict()
    with pytest.raises(ValueError, match="is pos_weights, this one is deepmar_weights"):
        make_criterion("deepmar", counts, 10).load_state_dict(weighted)
    for other in (torch.tensor([[80, 21]]), torch.tensor([[80, 20]] * 2)):
        with pytest.raises(ValueError, match=r"another training set.*\(1, 2\) .*\[80, 20\], this"):
            make_criterion("dcl", other, 10).load_state_dict(state)


@pytest.mark.parametrize(
    ("counts", "hint"),
    [
        ([[0, 9]], r"number its classes 0 and 1: labels of -1 and 1 become \(labels > 0\).long"),
        ([[0, 4, 5]], "labels of 1 ... C become labels - 1"),
        ([[3, 0, 4]], "without gaps$"),
        ([[9, 0], [4, 5]], "without gaps$"),
        ([[4, 5, 0], [1, 2, 3]], "say so with classes$"),
        ([[4, 5, 0, 0]], "give the counts of 2 classes$"),
    ],
)
def test_the_advice_about_an_empty_class_fits_where_it_is(counts, hint):
    with pytest.raises(ValueError, match=hint):
        DCLLoss(torch.tensor(counts), 10)


def test_the_advice_about_a_data_frame_works():
    frame = pd.DataFrame({"cat": [0, 1, 1]})
    with pytest.raises(ValueError, match=r"DataFrame: torch.tensor\(labels.to_numpy\(\)\)"):
        DCLLoss(COUNTS[:1], 10)(torch.zeros(3, 1, 2), None, frame)
    DCLLoss(COUNTS[:1], 10, loss=0)(torch.zeros(3, 1, 2), None, torch.tensor(frame.to_numpy()))


def test_a_saved_subset_that_lacks_a_part_is_refused_in_words():
    criterion = DownSampled(torch.tensor([[8, 2]]), 10, fixed=True, seed=1)
    state = criterion.state_dict()
    state["_extra_state"] = criterion.get_extra_state()  # a dict, as an early version wrote it
    del state["_extra_state"]["known"]
    with pytest.raises(ValueError, match="down-sampling holds no known.*Train anew"):
        criterion.load_state_dict(state)


@pytest.mark.parametrize(
    "make",
    [
        lambda **more: make_criterion("cross-entropy", torch.tensor([[5, 5]]), 10, **more),
        lambda **more: DCLLoss.from_targets(torch.tensor([[0], [1]]), 10, **more),
    ],
)
def test_label_smoothing_is_refused_with_the_line_that_does_it(make):
    with pytest.raises(TypeError, match="no option 'label_smoothing'") as error:
        make(label_smoothing=0.1)
    line = str(error.value).split("two losses: ")[1]
    labels = torch.tensor([[0], [1], [-1]])
    names = {"criterion": make(), "logits": torch.zeros(3, 1, 2), "features": torch.zeros(3, 1, 2)}
    assert eval(line, {"torch": torch, "s": 0.1, "C": 2, "labels": labels, **names}) > 0


def test_lmle_takes_unknown_labels_as_samples_that_are_not_there():
    labels = (torch.rand(30, 2) < 0.4).long()
    unknown = torch.rand(30, 2) < 0.3
    clusters = torch.randint(0, 2, (30, 2))
    features = torch.randn(2, 30, 4)
    partners, valid = find_partners(features, labels.masked_fill(unknown, -1), clusters, how="hard")
    for a in range(2):
        rows = (~unknown[:, a]).nonzero().squeeze(1)
        alone, good = find_partners(features[a : a + 1, rows], labels[rows, a : a + 1],
                                    clusters[rows, a : a + 1], how="hard")  # fmt: skip
        assert not valid[a, unknown[:, a]].any()
        assert torch.equal(valid[a, rows], good[0])
        assert torch.equal(partners[a, rows][good[0]], rows[alone[0][good[0]]])


def test_lmle_trains_and_decides_with_unknown_labels():
    _, features, labels = batch_of("lmle")
    features.requires_grad_()
    criterion = made("lmle", cluster_size=2, warm_up=0.0)
    criterion.before_epoch(0, lambda: (features.detach(), labels))
    rows = torch.arange(12)
    loss = criterion(LOGITS, features, labels, rows)
    (gradient,) = torch.autograd.grad(loss, features)
    assert criterion.parts["quintuplets"].sum() > 0
    assert (gradient[3] == 0).all()  # unknown for both attributes
    assert criterion.margins_of(features.detach()).isfinite().all()


def test_the_anchors_of_lmle_have_the_weights_of_their_samples():
    _, features, labels = batch_of("lmle")
    found = []
    for weights in (*torch.eye(12), torch.arange(12.0), None):
        criterion = made("lmle", cluster_size=2, warm_up=0.0)
        criterion.before_epoch(0, lambda: (features, labels))
        found.append(criterion(LOGITS, features, labels, torch.arange(12), weights=weights))
    *each, weighted, plain = found
    torch.testing.assert_close(sum(each), plain)
    torch.testing.assert_close(sum(i * x for i, x in enumerate(each)), weighted)


def test_lmle_in_a_plain_loop_says_what_it_needs_after_its_warm_up():
    criterion = made("lmle")
    logits, features, labels = batch_of("lmle")
    needs = r"until epoch 5; .* before_epoch\(epoch, look\) before each epoch, and .* rows=rows"
    with pytest.warns(UserWarning, match=needs) as told:
        loss = criterion(logits, None, labels)
    assert told[0].filename == __file__
    torch.testing.assert_close(loss, dsl_loss(logits, labels))
    criterion.set_epoch(5)
    with pytest.raises(RuntimeError, match=r"call recluster.*before_epoch\(epoch, look\)"):
        criterion(logits, features, labels)
    criterion.recluster(features, labels)
    with pytest.raises(RuntimeError, match="rows of each batch .* rows=rows"):
        criterion(logits, features, labels)


def test_a_warm_up_to_the_last_step_is_refused_after_the_first_epoch():
    criterion = made("lmle", warm_up=0.999)
    criterion.set_epoch(3 / 4)  # the last of four steps
    with pytest.raises(ValueError, match=r"warm_up=0.999 .* last step is at 9.75: .*Lower"):
        criterion.before_scoring(lambda: pytest.fail("looked at"))
    patient = made("lmle", warm_up=0.97)
    patient.set_epoch(3 / 4)
    patient.before_scoring(lambda: (FEATURES, LABELS))


def test_a_criterion_follows_its_logits_to_their_device():
    criterion = DCLLoss(COUNTS, 10)
    loss = criterion(LOGITS.to("meta"), FEATURES.to("meta"), LABELS.to("meta"))
    assert {loss.device.type, criterion.class_counts.device.type} == {"meta"}
    with pytest.raises(ValueError, match="logits are on meta, labels on cpu: move"):
        DCLLoss(COUNTS, 10)(LOGITS.to("meta"), FEATURES.to("meta"), LABELS)


@pytest.mark.parametrize("anchors", ["easy", "all"])
def test_torch_func_differentiates_the_loss_as_autograd_does(anchors):
    layer = torch.nn.Linear(4, 4).double()

    def loss(weight):
        features = torch.func.functional_call(layer, {"weight": weight}, FEATURES)
        criterion = DCLLoss(COUNTS, 10, anchors=anchors, seed=0)
        return criterion(features[..., :2], features, LABELS)

    (expected,) = torch.autograd.grad(loss(layer.weight), layer.weight)
    torch.testing.assert_close(torch.func.grad(loss)(layer.weight.detach()), expected)
    value, pull = torch.func.vjp(loss, layer.weight.detach())
    torch.testing.assert_close(pull(torch.ones_like(value))[0], expected)


def test_a_criterion_without_a_loss_says_what_to_define():
    class Mine(sources.Criterion):
        """Nothing yet."""

    with pytest.raises(NotImplementedError, match=r"Mine has no loss: define classification_loss"):
        Mine(COUNTS, 10)(LOGITS, FEATURES, LABELS)


@pytest.mark.parametrize("name", METHODS)
def test_a_first_look_on_another_device_leaves_what_a_training_can_change(name):
    criterion = made(name)
    with torch.inference_mode():
        criterion.follow(torch.device("meta"))
    assert criterion.class_counts.is_meta
    assert not [key for key, value in criterion.named_buffers() if value.is_inference()]
    assert not getattr(criterion, "_g", criterion.class_counts).is_inference()


@pytest.mark.parametrize("name", METHODS)
def test_a_step_reads_its_labels_once(name, monkeypatch):
    criterion, (logits, features, labels) = made(name), batch_of(name)
    reads, plain = [], torch.Tensor.aminmax
    monkeypatch.setattr(torch.Tensor, "aminmax", lambda x: reads.append(x) or plain(x))
    criterion(logits, features, labels)
    assert 1 <= len(reads) <= 1 + isinstance(criterion, Loss)  # whose function may check for itself


def test_the_functions_and_the_criterion_mine_the_same():
    """`DCLLoss` passes to `mined_terms` what `triplet_terms` checks: no option is lost between."""
    options = {"k": 3, "margin": 0.7, "squared": True, "normalise": False, "reduction": "active"}
    criterion = DCLLoss(COUNTS, 10, loss=1.0, **options)
    criterion(LOGITS, FEATURES, LABELS)
    terms = triplet_terms(FEATURES, LOGITS, LABELS, TripletOptions(**options))
    assert torch.equal(criterion.parts["metric"], terms.loss.sum())


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_weights_by_name(name):
    parameters = inspect.signature(type(made(name)).forward).parameters
    assert parameters["weights"].default is None


@pytest.mark.parametrize("name", METHODS)
def test_labels_of_1_and_minus_1_are_warned_of_once(name):
    logits, features, labels = batch_of(name)
    criterion = made(name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(20):
            criterion(logits, features, 2 * labels.clamp(min=0) - 1)
    (found,) = (each for each in told if "labels so far are 1 and -1 alone" in str(each.message))
    assert found.filename == __file__


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS * 0 - 1, LABELS * 0 + 1, -LABELS, 2 * LABELS[:, 1:] - 1],
    ids=["0 and 1", "-1", "1", "0 and -1", "1 and -1 where 0 is rare"],
)
def test_other_labels_are_not_taken_for_signs(labels):
    counts = COUNTS if labels.shape == LABELS.shape else torch.tensor([[1, 10**6]])
    criterion = make_criterion("cross-entropy", counts, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(20):
            criterion(LOGITS[:, : labels.shape[1]], None, labels)


@pytest.mark.parametrize("shape", ["(B, A, C)", "(B, A)", "(B, C)"])
def test_probabilities_for_logits_are_warned_of_once(shape):
    counts = COUNTS if shape != "(B, C)" else COUNTS[:1]
    logits, features, labels = LOGITS.float(), FEATURES.float(), LABELS
    if shape == "(B, A)":
        counts, logits, features, labels = (
            x[:, [0, 1, 0]] if x is not COUNTS else x[[0, 1, 0]]
            for x in (counts, logits[..., 1], features, labels)
        )
        chances = logits.sigmoid()
    elif shape == "(B, C)":
        logits, features, labels = logits[:, 0], features[:, 0], LABELS[:, 0]
        chances = logits.softmax(1)
    else:
        chances = logits.softmax(2)
    criterion = DCLLoss(counts, 10, seed=0, k=2)
    criterion(logits, features, labels)
    criterion(chances, features, labels)  # the first batch alone is looked at
    criterion = DCLLoss(counts, 10, seed=0, k=2)
    with pytest.warns(UserWarning, match="are probabilities, or look like them: the loss takes"):
        criterion(chances, features, labels)
    criterion(chances, features, labels)
    criterion = DCLLoss(counts, 10, seed=0, k=2)
    criterion(torch.zeros_like(logits), features, labels)
