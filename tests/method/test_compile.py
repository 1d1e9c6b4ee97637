"""Every criterion compiles into one graph: no break where Python would have to look at values."""

import pytest
import torch

from dcl import METHODS, DCLLoss
from dcl_book.bench.timing import TIMED, build, labels_and_counts

COMPILED = [name for name in TIMED if name != "lmle"]  # whose clusters are the host's work


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_a_criterion_is_one_graph(name):
    labels, counts = labels_and_counts(32, 3, 2)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(32, 3, 2, generator=generator, requires_grad=True)
    features = torch.randn(32, 3, 4, generator=generator, requires_grad=True)
    criterion = build(name, counts, 5)
    if hasattr(criterion, "random"):
        criterion.random.seed = None  # torch.compile takes no generator
    torch.compiler.reset()
    compiled = torch.compile(criterion.__call__, fullgraph=True, backend="aot_eager")
    torch.manual_seed(1)
    expected = criterion(logits, features, labels)
    torch.manual_seed(1)
    found = compiled(logits, features, labels)
    torch.testing.assert_close(found, expected)
    for a, b in zip(
        torch.autograd.grad(found, (logits, features), allow_unused=True),
        torch.autograd.grad(expected, (logits, features), allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.filterwarnings("ignore")
def test_the_epoch_moves_a_compiled_criterion():
    labels, counts = labels_and_counts(32, 3, 2)
    criterion = DCLLoss(counts, 300, k=5, selection="expected")
    torch.compiler.reset()
    compiled = torch.compile(criterion.__call__, fullgraph=True, backend="aot_eager")
    logits, features = torch.zeros(32, 3, 2), torch.randn(32, 3, 4)
    for epoch in (0, 30, 200):
        criterion.set_epoch(epoch)
        torch.testing.assert_close(
            compiled(logits, features, labels), criterion(logits, features, labels)
        )


@pytest.mark.parametrize("name", ["dcl", "dcl-ss", "selective-learning", "ldam-drw"])
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_criterion_is_not_compiled_anew_at_each_step(name):
    attributes = 1 if name == "ldam-drw" else 3
    labels, counts = labels_and_counts(32, attributes, 2)
    options = {"k": 5} if "k" in METHODS[name].options else {}
    criterion = METHODS[name].criterion(counts, 20, **options)
    torch.compiler.reset()
    compiled = torch.compile(criterion.__call__, fullgraph=True, backend="aot_eager")
    logits, features = torch.randn(32, attributes, 2), torch.randn(32, attributes, 4)
    compiled(logits, features, labels)  # once before the self-learning point, and once
    criterion.set_epoch(18)  # after what else changes the graph
    compiled(logits, features, labels)
    with torch.compiler.set_stance("fail_on_recompile"):
        for step in range(40):  # torch gives up after eight
            criterion.set_epoch(step / 2)
            compiled(logits, features, labels)


@pytest.mark.filterwarnings("ignore")
def test_a_clock_of_its_own_moves_a_compiled_criterion():
    labels, counts = labels_and_counts(32, 3, 2)
    options = {"k": 5, "selection": "expected", "steps_per_epoch": 10}
    criterion, plain = (DCLLoss(counts, 3, **options) for _ in range(2))
    torch.compiler.reset()
    compiled = torch.compile(criterion, backend="aot_eager")
    logits, features = torch.zeros(32, 3, 2), torch.randn(32, 3, 4)
    for step in range(25):
        found = compiled(logits, features, labels)
        torch.testing.assert_close(found, plain(logits, features, labels))
        assert criterion.epoch == step / 10


@pytest.mark.filterwarnings("ignore")
def test_a_seeded_criterion_draws_the_same_where_it_is_compiled(counting):
    labels, counts = labels_and_counts(32, 3, 2)
    criterion, plain = (DCLLoss(counts, 3, k=5, seed=0) for _ in range(2))
    torch.compiler.reset()
    compiled = torch.compile(criterion, backend="aot_eager")
    logits, features = torch.zeros(32, 3, 2), torch.randn(32, 3, 4)
    for epoch in (0, 1, 2):
        criterion.set_epoch(epoch)
        plain.set_epoch(epoch)
        found = compiled(logits, features, labels)
        torch.testing.assert_close(found, plain(logits, features, labels))
