"""On a GPU: the numbers of the CPU, and no wait for the host inside a training step."""

import pytest
import torch

from dcl import PRESETS, DCLLoss, Graphed
from dcl.bench.timing import METHODS, build, labels_and_counts
from dcl.data.resident import Resident, Split, flip
from dcl.graphed import graphed
from dcl.models import DeepID2

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
BATCH, ATTRIBUTES = 64, 5


@pytest.fixture
def waits_are_errors():
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", [name for name in METHODS if name != "lmle"])
def test_a_training_step_never_waits_for_the_gpu(name, request):
    device = torch.device("cuda")
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    pixels = torch.randint(0, 256, (BATCH, 3, *DeepID2.size), dtype=torch.uint8)
    data = Resident(Split(images=pixels.numpy(), labels=labels.numpy()), device, flip)
    model = DeepID2(ATTRIBUTES).to(device)
    criterion = build(name, counts, 5).to(device)
    loss_of = graphed(criterion)
    optimiser = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9)
    generator = torch.Generator(device).manual_seed(0)

    def step(index):
        images, labels = data.batch(index, generator)
        loss = loss_of(*model(images), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return getattr(criterion, "parts", {})

    index = torch.arange(BATCH, device=device)
    step(index)  # the first step makes the random generator and cuDNN's plans
    request.getfixturevalue("waits_are_errors")
    step(index)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "lmle"])
def test_a_criterion_is_that_of_the_cpu(name):
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    logits = torch.randn(BATCH, ATTRIBUTES, 2, dtype=torch.float64)
    features = torch.randn(BATCH, ATTRIBUTES, 8, dtype=torch.float64)
    found = []
    for device in ("cpu", "cuda"):
        criterion = build(name, counts, 5).to(device)
        if hasattr(criterion, "dsl_options"):
            criterion.dsl_options["selection"] = "expected"  # random numbers differ by device
        elif name.endswith("sampling"):
            pytest.skip("random numbers differ by device")
        inputs = [x.to(device).requires_grad_() for x in (logits, features)]
        loss = criterion(*inputs, labels.to(device))
        grads = torch.autograd.grad(loss, inputs, allow_unused=True)
        found.append([x.cpu() for x in (loss, *grads) if x is not None])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("name", PRESETS)
def test_a_graph_is_the_criterion(name):
    """Same losses, gradients, parts and random draws, over epochs and sizes of a batch."""
    _, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    plain, captured = (build(name, counts, 5).cuda() for _ in range(2))
    loss_of = Graphed(captured)
    for step, epoch in enumerate([0, 30, 30.5, 80, 91, 120, 299, 30]):
        batch = BATCH if step % 3 else BATCH // 2
        labels, _ = labels_and_counts(batch, ATTRIBUTES, 2)
        labels = labels.roll(step, 0).cuda()
        outputs = [torch.randn(batch, ATTRIBUTES, width, device="cuda") for width in (2, 8)]
        found = []
        for criterion, call in ((plain, plain), (captured, loss_of)):
            criterion.set_epoch(epoch)
            inputs = [x.clone().requires_grad_() for x in outputs]
            loss = call(*inputs, labels)
            (3 * loss).backward()
            grads = [torch.zeros_like(x) if x.grad is None else x.grad for x in inputs]
            found.append([loss.detach(), *grads, *criterion.parts.values()])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True, rtol=1e-5, atol=1e-6)
    states = [x.random.generator.get_state() for x in (plain, captured) if x.random.generator]
    assert all(torch.equal(states[0], state) for state in states)


def test_a_graph_keeps_a_clock_and_a_gradient_of_two_steps():
    """Steps move the curricula; a second forward pass leaves the first one's gradient alone."""
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    labels = labels.cuda()
    criterion = DCLLoss(counts, 10, seed=0, steps_per_epoch=2).cuda().train()
    loss_of = Graphed(criterion)
    inputs = [torch.randn(BATCH, ATTRIBUTES, 2, device="cuda").requires_grad_() for _ in range(2)]
    features = torch.randn(BATCH, ATTRIBUTES, 8, device="cuda")
    losses, told = [], []
    for logits in inputs:
        losses.append(loss_of(logits, features, labels))
        told.append(criterion.parts["classification"])
    assert told[0] != told[1]  # what was told of the first step stays
    assert criterion.epoch == 0.5
    sum(losses).backward()
    other = DCLLoss(counts, 10, seed=0, steps_per_epoch=2).cuda().train()
    for logits in inputs:
        (grad,) = torch.autograd.grad(other(logits, features, labels), logits)
        torch.testing.assert_close(logits.grad, grad)


def test_a_graph_takes_no_features_where_there_are_no_triplets():
    labels, counts = labels_and_counts(BATCH, ATTRIBUTES, 2)
    logits = torch.randn(BATCH, ATTRIBUTES, 2, device="cuda").requires_grad_()
    losses = []
    for wrap in (Graphed, lambda criterion: criterion):
        loss_of = wrap(DCLLoss(counts, 10, loss=0, seed=0).cuda())
        losses.append(loss_of(logits, None, labels.cuda()))
    torch.testing.assert_close(*losses)
    grads = [torch.autograd.grad(loss, logits)[0] for loss in losses]
    torch.testing.assert_close(*grads)
