"""Without a GPU: a training step's operations, none of whose shapes or flow hang on values.

On the meta device tensors have shapes and no values. An operation that must wait for a GPU to tell
the host a value, or the size of its result, fails there, and is named here.
"""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dcl.data.resident import Resident, Split, flip
from dcl.experiment import trainer
from dcl.networks.models import DeepID2
from dcl_book.bench.timing import TIMED, build, labels_and_counts

WAITS = {
    "_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "nonzero_static",
    "masked_select", "_unique", "_unique2", "unique_dim", "unique_consecutive", "bincount", "histc",
    "repeat_interleave", "_assert_async", "argwhere",
}  # fmt: skip
GRID = [name for name in TIMED if name != "lmle"]  # whose clusters are the host's work


class Census(TorchDispatchMode):
    """Names of the operations called, and of those that move values from the device to the host."""

    def __init__(self):
        super().__init__()
        self.names: set[str] = set()
        self.to_host: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        self.names.add(name)
        tensors = [x for x in torch.utils._pytree.tree_leaves((args, kwargs)) if is_meta(x)]
        results = [x for x in torch.utils._pytree.tree_leaves(result) if torch.is_tensor(x)]
        if tensors and not all(map(is_meta, results)):
            self.to_host.add(name)
        return result


def is_meta(value) -> bool:
    return torch.is_tensor(value) and value.device.type == "meta"


class Flipped(Resident):
    """Augments, though there is no generator of meta tensors to do it with."""

    def batch(self, index, generator=None, share=slice(None)):
        return super().batch(index, torch.Generator(), share)


@pytest.mark.parametrize("name", GRID)
@pytest.mark.parametrize("unknown", [False, True])
def test_no_operation_of_a_criterion_waits_for_values(name, unknown):
    labels, counts = labels_and_counts(32, 3, 2)
    if unknown:
        labels = labels.masked_fill(torch.arange(32)[:, None] % 3 == 0, -1)
    criterion = build(name, counts, 5).to("meta")
    criterion.random.seed = None  # there is no generator of meta tensors
    logits = torch.randn(32, 3, 2, device="meta", requires_grad=True)
    features = torch.randn(32, 3, 4, device="meta", requires_grad=True)
    with Census() as census:
        loss = criterion(logits, features, labels.to("meta"))
        torch.autograd.grad(loss, (logits, features), allow_unused=True)
        criterion.parts  # noqa: B018
    assert not census.names & WAITS
    assert not census.to_host
    assert len(census.names) > 3


@pytest.mark.parametrize("name", ["cross-entropy", "dcl", "crl"])
def test_an_epoch_of_training_waits_for_no_value_before_its_end(name, counting):
    labels, counts = labels_and_counts(48, 5, 2)
    criterion = build(name, counts, 5).to("meta")
    criterion.random.seed = None
    model = DeepID2(5).to("meta")
    optimiser = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9, weight_decay=5e-4)
    pixels = torch.zeros(48, 3, *DeepID2.size, dtype=torch.uint8)
    split = Split(images=pixels.numpy(), labels=labels.numpy())
    data = Flipped(split, "meta", lambda images, generator: flip(images, None))
    steps = []
    bar = SimpleNamespace(update=lambda: steps.append(set(census.names)))
    with Census() as census, pytest.raises(RuntimeError, match="meta"):  # its one look, at the end
        trainer._train_epoch(
            model, criterion, criterion, optimiser, data, 16, None,
            rates=[0.1, 0.1, 0.1], places=[30, 30.3, 30.6], bar=bar,
        )  # fmt: skip
    assert len(steps) == 3
    assert {"convolution", "convolution_backward", "rand", "nan_to_num", "flip"} <= steps[-1]
    assert not steps[-1] & WAITS
    assert not census.to_host
    assert census.names & WAITS <= {"_local_scalar_dense"}


def test_the_census_sees_what_waits():
    with Census() as census:
        torch.ones(3).unique()
        torch.ones(3).nonzero()
        torch.ones(()).item()
    assert census.names & WAITS == {"_unique2", "nonzero", "_local_scalar_dense"}
