"""The criterion as one graph, where there is no GPU: itself; on one, see test_gpu.py."""

import copy

import pytest
import torch

from dcl import METHODS, DCLLoss, Graphed
from dcl.bench.timing import build, labels_and_counts
from dcl.graphed import graphed

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


def test_a_criterion_whose_step_is_not_known_to_look_at_no_values_is_refused():
    with pytest.raises(TypeError, match="must be a DCLLoss.* got BCEWithLogitsLoss"):
        Graphed(torch.nn.BCEWithLogitsLoss())


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
