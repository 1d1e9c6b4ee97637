"""The criterion as one graph: on a CPU itself, or recorded as if it were on a GPU.

The tests of what is recorded run on a GPU too, where there is one.
"""

import copy
import pickle

import pytest
import torch

from dcl import METHODS, PRESETS, DCLLoss, Graphed
from dcl import graphed as graphs
from dcl.graphed import graphed
from dcl_book.bench.timing import build, labels_and_counts

BATCH, ATTRIBUTES = 32, 3


def outputs():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(BATCH, ATTRIBUTES, width, generator=generator) for width in (2, 4)]


def test_on_a_cpu_the_criterion_is_called_itself():
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    criterion = build("dcl", counts, 5)
    other = copy.deepcopy(criterion)
    loss_of = Graphed(criterion)
    assert torch.equal(loss_of(*outputs(), labels), other(*outputs(), labels))
    assert loss_of.captured == {}
    assert set(criterion.parts) == set(other.parts)


def test_a_clock_of_its_own_moves_with_each_call():
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    criterion = DCLLoss(counts, 10, seed=0, steps_per_epoch=2).train()
    loss_of = Graphed(criterion)
    for _ in range(3):
        loss_of(*outputs(), labels)
    assert criterion.epoch == 1.0


class Halved(DCLLoss):
    def forward(self, *inputs):
        return super().forward(*inputs) / 2


@pytest.mark.parametrize(
    "criterion", [torch.nn.BCEWithLogitsLoss(), Halved(torch.tensor([[9, 1]]), 10)]
)
def test_a_criterion_whose_step_is_not_known_is_refused(criterion):
    with pytest.raises(TypeError, match=f"must be a DCLLoss.* got {type(criterion).__name__}"):
        Graphed(criterion)


@pytest.mark.parametrize("name", METHODS)
def test_training_captures_a_dcl_loss_alone(name):
    _, counts = labels_and_counts(BATCH, 1 if METHODS[name].tasks == "single-label" else 3, 2)
    criterion = METHODS[name].criterion(counts, 10, seed=0)
    assert isinstance(graphed(criterion), Graphed) == (type(criterion) is DCLLoss)


def test_flow_is_what_decides_which_operations_a_step_has():
    criterion = DCLLoss(torch.tensor([[90, 10]]), 10, loss=lambda epoch, _: float(epoch > 5))
    assert criterion.flow == (True, False)
    criterion.set_epoch(6)
    assert criterion.flow == (True, True)
    plain = DCLLoss(torch.tensor([[90, 10]]), 10, sampling=1.0, loss=0.0, current="train")
    assert plain.flow == (False, False)


def test_levels_go_with_the_criterion_and_keep_their_digits():
    criterion = DCLLoss(torch.tensor([[90, 10]]), 10)
    criterion.set_epoch(3)
    before = criterion._g.item()
    criterion.half()
    assert criterion._g.item() == before
    assert criterion.to("meta")._f.device.type == "meta"


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """A step is recorded by running it, and replayed by running it into the same tensors."""

    def record(step, own, device):
        drawn = own.get_state()
        loss, gradients = step()
        own.set_state(drawn)
        (criterion,) = (x.cell_contents for x in step.__closure__ if isinstance(
            x.cell_contents, DCLLoss))  # fmt: skip
        parts, _, weights = criterion._last
        kept = [loss, *gradients, *parts.values(), weights]

        def replay():
            with torch.enable_grad():
                again, others = step()
            parts, _, weights = criterion._last
            for old, new in zip(kept, [again, *others, *parts.values(), weights], strict=True):
                if old is not None:
                    old.copy_(new)

        return replay, (loss, gradients)

    monkeypatch.setattr(graphs, "_record", record)
    monkeypatch.setattr(graphs, "_capturable", lambda *_: torch.is_grad_enabled())


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    """A CPU whose steps are recorded as if it were a GPU, and a GPU where there is one."""
    if request.param == "cpu":
        request.getfixturevalue("as_on_a_gpu")
    elif not torch.cuda.is_available():
        pytest.skip("no CUDA GPU here")
    return request.param


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_replayed_is_the_criterion(name, device):
    """Same losses, gradients, parts and random draws, over epochs and sizes of a batch."""
    _, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    plain, captured = (build(name, counts, 5).to(device) for _ in range(2))
    loss_of = Graphed(captured)
    for step, epoch in enumerate([0, 30, 30.5, 80, 91, 299, 30]):
        batch = BATCH if step % 3 else BATCH // 2
        labels = labels_and_counts(batch, ATTRIBUTES, 2)[0].roll(step, 0).to(device)
        inputs = [torch.randn(batch, ATTRIBUTES, width, device=device) for width in (2, 4)]
        found = []
        for criterion, call in ((plain, plain), (captured, loss_of)):
            criterion.set_epoch(epoch)
            given = [x.clone().requires_grad_() for x in inputs]
            loss = call(*given, labels)
            (3 * loss).backward()
            grads = [torch.zeros_like(x) if x.grad is None else x.grad for x in given]
            found.append([loss.detach(), *grads, *criterion.parts.values()])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True, rtol=1e-5, atol=1e-6)
    assert len(loss_of.captured) >= 2  # one for each size of a batch
    states = [x.random.generator.get_state() for x in (plain, captured) if x.random.generator]
    assert all(torch.equal(states[0], state) for state in states)


def test_a_replay_leaves_what_was_told_before_and_takes_no_features(device):
    """Steps move the curricula; a second forward pass leaves the first one's gradient alone."""
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    labels = labels.to(device)
    options = {"loss": 0, "seed": 0, "steps_per_epoch": 2}
    criterion = DCLLoss(counts, 10, **options).to(device)
    loss_of = Graphed(criterion)
    inputs = [torch.randn(BATCH, ATTRIBUTES, 2, device=device).requires_grad_() for _ in range(2)]
    losses, told = [], []
    for logits in inputs:
        losses.append(loss_of(logits, None, labels))
        told.append(criterion.parts["classification"])
    assert criterion.epoch == 0.5
    assert told == [loss.detach() for loss in losses]
    assert told[0] != told[1]
    sum(losses).backward()
    other = DCLLoss(counts, 10, **options).to(device)
    for logits in inputs:
        (grad,) = torch.autograd.grad(other(logits, None, labels), logits)
        torch.testing.assert_close(logits.grad, grad)


def test_weights_of_samples_are_replayed_anew(device):
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    plain, captured = (build("dcl", counts, 5).to(device) for _ in range(2))
    loss_of = Graphed(captured)
    logits, features = (x.to(device) for x in outputs())
    for weights in (None, torch.rand(BATCH), torch.rand(BATCH), torch.rand(labels.shape)):
        given = None if weights is None else weights.to(device)
        found = []
        for call in (plain, loss_of):
            z, f = logits.clone().requires_grad_(), features.clone().requires_grad_()
            loss = call(z, f, labels.to(device), given)
            found.append([loss.detach(), *torch.autograd.grad(loss, (z, f))])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert len(loss_of.captured) == 3


def test_a_criterion_that_is_loaded_or_moved_is_recorded_anew(device):
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    labels, (logits, features) = labels.to(device), [x.to(device) for x in outputs()]
    given = logits.requires_grad_(), features
    criterion = build("dcl-ss", counts, 5).to(device)
    loss_of = Graphed(criterion)
    saved = copy.deepcopy(criterion.state_dict())
    first = [loss_of(*given, labels).item() for _ in range(3)]
    assert len(set(first)) == 3  # each draws its own selection
    criterion.load_state_dict(saved)
    assert [loss_of(*given, labels).item() for _ in range(3)] == pytest.approx(first)
    criterion.to("meta").to_empty(device=device)
    criterion.class_counts.copy_(counts)
    criterion.missing.fill_(False)
    before = loss_of.captured.copy()
    loss_of(*given, labels)
    assert loss_of.captured.keys() == before.keys()
    assert all(loss_of.captured[key] is not before[key] for key in before)


def test_a_scaled_loss_keeps_the_small_gradients_of_half_precision(device):
    labels, counts = labels_and_counts(512, ATTRIBUTES, 2)
    logits = (4 * torch.randn(512, ATTRIBUTES, 2)).half().to(device)
    grads = []
    for wrap in (Graphed, lambda criterion: criterion):
        given = logits.clone().requires_grad_()
        criterion = DCLLoss(counts, 10, loss=0, selection="expected", seed=0).to(device)
        (2.0**16 * wrap(criterion)(given, None, labels.to(device))).backward()
        grads.append(given.grad)
    assert grads[0].dtype == torch.half
    torch.testing.assert_close(*grads)


def test_graphs_stay_where_they_are_captured(as_on_a_gpu):
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    loss_of = Graphed(build("dcl", counts, 5))
    given = [x.requires_grad_() for x in outputs()]
    loss_of(*given, labels)
    assert loss_of.captured
    other = pickle.loads(pickle.dumps(loss_of))
    assert other.captured == {}
    assert other(*given, labels) == loss_of(*given, labels)


@pytest.mark.parametrize(
    ("place", "wrong", "names"),
    [
        (1, None, "features must be a tensor, got None"),
        (1, torch.zeros(BATCH, 4), "features must be"),
        (2, None, "labels must be a tensor, got None"),
        (3, [1.0] * BATCH, "weights must be a tensor, got a list"),
        (3, torch.ones(3), "weights must be"),
    ],
)
def test_a_batch_that_is_refused_moves_nothing(as_on_a_gpu, place, wrong, names):
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    criterion = DCLLoss(counts, 10, seed=0, steps_per_epoch=2)
    loss_of = Graphed(criterion)
    given = [*(x.requires_grad_() for x in outputs()), labels, None]
    loss_of(*given)
    with pytest.raises(ValueError, match=names):
        loss_of(*given[:place], wrong, *given[place + 1 :])
    assert criterion.epoch == 0
    loss_of(*given)
    assert criterion.epoch == 0.5


def test_reminders_name_the_line_that_calls(as_on_a_gpu, monkeypatch):
    labels, counts = labels_and_counts(4, ATTRIBUTES, 2)
    logits = torch.zeros(4, ATTRIBUTES, 2, requires_grad=True)
    for _ in range(2):
        with pytest.warns(UserWarning, match="a batch of 4 is to hold") as told:
            Graphed(DCLLoss(counts, 10, loss=0, seed=0))(logits, None, labels)
        assert told[0].filename == __file__
        monkeypatch.undo()  # and where the criterion itself is called
