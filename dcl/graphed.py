"""A criterion's step as one CUDA graph, so that a GPU does not wait for Python."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .criterion import DCLLoss

WARM_UP = 3  # calls before a capture, for what libraries make when first used


def graphed(criterion: nn.Module) -> Callable[..., Tensor]:
    """The criterion as one graph where that can be, else itself."""
    return Graphed(criterion) if type(criterion) is DCLLoss else criterion


class Graphed:
    """A `DCLLoss`, called as it is called, that a GPU replays as one CUDA graph.

    The loss is made by some two hundred small kernels. A GPU runs them faster than Python launches
    them; a graph launches all at once. Same numbers, gradients and random draws. The criterion
    still moves the curricula (`set_epoch`, or `steps_per_epoch`) and tells the `parts`.

    A graph is captured for each size of a batch, when it first comes, and where a schedule turns
    the triplets on or off. On a CPU, without gradients, and under autocast, the criterion is called
    itself.

    Parameters
    ----------
    criterion : DCLLoss
        On the device of its inputs.

    Raises
    ------
    TypeError
        For another criterion.

    Examples
    --------
    >>> criterion = DCLLoss(torch.tensor([[90, 10]]), epochs=300, seed=0)
    >>> loss_of = Graphed(criterion)  # after criterion.to(device)
    >>> logits, features = torch.zeros(4, 1, 2), torch.zeros(4, 1, 64)
    >>> loss_of(logits, features, torch.tensor([[0], [0], [0], [1]])).shape
    torch.Size([])
    """

    def __init__(self, criterion: DCLLoss):
        if not isinstance(criterion, DCLLoss):
            raise TypeError(
                f"criterion must be a DCLLoss, whose step never looks at values, got "
                f"{type(criterion).__name__}"
            )
        self.criterion = criterion
        self.captured: dict[tuple, _Captured] = {}

    def __call__(self, logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        criterion, inputs = self.criterion, (logits, features, labels)
        if not logits.is_cuda or not torch.is_grad_enabled() or torch.is_autocast_enabled("cuda"):
            return criterion(*inputs)
        criterion.begin_step(len(labels))
        kinds = tuple((x.shape, x.stride(), x.dtype, x.requires_grad) for x in inputs)
        key = criterion.flow, kinds
        if key not in self.captured:
            self.captured[key] = _Captured(criterion, inputs)
        captured = self.captured[key]
        loss = _Replay.apply(captured, *inputs)
        parts, *others = captured.last
        criterion._last = {name: part.clone() for name, part in parts.items()}, *others
        return loss


class _Captured:
    """The graph of a loss and its gradients, with the tensors that it reads and writes."""

    def __init__(self, criterion: DCLLoss, inputs: tuple[Tensor, ...]):
        self.inputs = [x.detach().clone().requires_grad_(x.requires_grad) for x in inputs]
        wanted = [x for x in self.inputs if x.requires_grad]

        def step() -> tuple[Tensor, tuple[Tensor | None, ...]]:
            loss = criterion.loss_of(*self.inputs)
            return loss.detach(), torch.autograd.grad(loss, wanted, allow_unused=True)

        own = criterion.random.on(inputs[0].device)
        generator = torch.cuda.default_generators[inputs[0].device.index] if own is None else own
        drawn = generator.get_state()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(side)
        generator.set_state(drawn)  # the warm-up is no step
        self.graph = torch.cuda.CUDAGraph()
        if own is not None:  # the global one is there already
            self.graph.register_generator_state(own)
        with torch.cuda.graph(self.graph):
            self.loss, self.gradients = step()
        assert criterion._last is not None  # a step has been made
        self.last = criterion._last

    def replay(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor | None]]:
        """Loss, and the gradient of each input, None where it has none; copies."""
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        self.graph.replay()
        made = iter(self.gradients)
        gradients = [next(made) if own.requires_grad else None for own in self.inputs]
        return self.loss.clone(), [None if g is None else g.clone() for g in gradients]


class _Replay(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, captured: _Captured, *inputs: Tensor) -> Tensor:
        loss, gradients = captured.replay(inputs)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        found = ctx.saved_tensors
        return None, *(None if g is None else (g * grad).to(g.dtype) for g in found)
