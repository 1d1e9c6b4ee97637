"""On a GPU: the numbers of the CPU, and no wait for the host inside a training step."""

import pytest
import torch

from dcl.data.resident import Resident, Split, flip
from dcl.graphed import graphed
from dcl.networks.models import DeepID2
from dcl_book.bench.timing import TIMED, build, labels_and_counts

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
BATCH, ATTRIBUTES = 64, 5


@pytest.fixture
def waits_are_errors():
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", [name for name in TIMED if name != "lmle"])
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


@pytest.mark.parametrize("name", [name for name in TIMED if name != "lmle"])
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
