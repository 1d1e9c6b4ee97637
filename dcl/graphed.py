"""CUDA graph of a criterion's step, so that a GPU does not wait for Python."""

from collections.abc import Callable
from operator import is_not
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .criterion import DCLLoss

WARM_UP = 3  # calls before a capture, for what libraries make when first used


def graphed(criterion: nn.Module) -> Callable[..., Tensor]:
    """The criterion as a CUDA graph if it is a plain `DCLLoss`, otherwise unchanged."""
    return Graphed(criterion) if type(criterion) is DCLLoss else criterion


class Graphed:
    """Wrap a `DCLLoss` so that a GPU replays its step as one CUDA graph; called the same way.

    The loss takes about two hundred small kernels, which a GPU runs faster than Python launches
    them; a graph launches all at once. Numbers, gradients and random draws are the same. The
    criterion still moves the curricula (`set_epoch`, or `steps_per_epoch`) and has the `parts`;
    save and load the criterion.

    A graph is captured for each shape, layout and dtype of a batch when it first comes, and where a
    schedule turns weights or triplets on or off; each keeps its memory, so batches should come in
    few sizes. The criterion itself is called on a CPU, without gradients, under autocast, with
    anomaly detection, and inside another graph or `torch.compile`. Its options are those of the
    first call, its forward hooks are not called, and a second derivative is not available.

    Parameters
    ----------
    criterion : DCLLoss
        On the device of its inputs.

    Raises
    ------
    TypeError
        For another criterion, a subclass too.

    Examples
    --------
    >>> criterion = DCLLoss(torch.tensor([[90, 10]]), epochs=300, seed=0)
    >>> loss_of = Graphed(criterion)  # after criterion.to(device)
    >>> logits, features = torch.zeros(4, 1, 2), torch.zeros(4, 1, 64)
    >>> loss_of(logits, features, torch.tensor([[0], [0], [0], [1]])).shape
    torch.Size([])
    """

    def __init__(self, criterion: DCLLoss):
        if type(criterion) is not DCLLoss:
            raise TypeError(
                f"criterion must be a DCLLoss, whose step never looks at values, and no subclass, "
                f"got {type(criterion).__name__}"
            )
        self.criterion = criterion
        self.captured: dict[tuple, _Captured] = {}
        self.taken: set[tuple] = set()  # forms of batches that fit
        self._reads: tuple = ()  # what the graphs read of the criterion, by its place in memory

    def __call__(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        criterion, inputs = self.criterion, (logits, features, labels, weights)
        if not _capturable(logits):
            return criterion(*inputs)
        criterion.follow(logits.device)
        kinds = tuple(map(_kind, inputs))
        if kinds not in self.taken:
            criterion.checked(*inputs)  # a batch that is refused moves nothing
            self.taken.add(kinds)
        criterion.begin_step(labels)
        reads = criterion.reads(logits.device)
        if len(reads) != len(self._reads) or any(map(is_not, reads, self._reads)):
            self.captured.clear()  # moved, or loaded anew
            self._reads = reads
        key = criterion.flow, *kinds
        if key not in self.captured:
            self.captured[key] = _Captured(criterion, inputs)
        captured = self.captured[key]
        loss = _Replay.apply(captured, *inputs)
        parts, labels, drawn = captured.last
        criterion._last = {name: part.clone() for name, part in parts.items()}, labels, drawn
        return loss

    def __getstate__(self) -> dict[str, Any]:  # graphs stay in their process
        return {"criterion": self.criterion, "captured": {}, "taken": set(), "_reads": ()}


def _capturable(logits: Tensor) -> bool:
    """Whether a call is a step of training on a GPU that can be captured as it is."""
    return (
        logits.is_cuda
        and logits.requires_grad
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cuda")
        and not torch.is_anomaly_enabled()
        and not torch.compiler.is_compiling()
        and not torch.cuda.is_current_stream_capturing()
    )


def _kind(x: Any) -> tuple | type:
    """What must stay the same of an input for a graph to be replayed: of no tensor its type."""
    if not isinstance(x, Tensor):
        return type(x)
    return x.device, x.shape, x.stride(), x.dtype, x.requires_grad


class _Captured:
    """The graph of a loss and its gradients, with the tensors that it reads and writes."""

    def __init__(self, criterion: DCLLoss, inputs: tuple[Tensor | None, ...]):
        self.inputs = own = tuple(None if x is None else _like(x) for x in inputs)
        wanted = [x for x in own if x is not None and x.requires_grad]

        def step() -> tuple[Tensor, tuple[Tensor | None, ...]]:
            loss = criterion.loss_of(*own)  # type: ignore[arg-type]  # weights alone may be None
            return loss.detach(), torch.autograd.grad(loss, wanted, allow_unused=True)

        logits = own[0]
        assert logits is not None
        device = logits.device
        self.run, (self.loss, self.gradients) = _record(step, criterion.random.on(device), device)
        assert criterion._last is not None  # a step has been made
        self.last = criterion._last

    def replay(self, inputs: tuple[Tensor | None, ...]) -> tuple[Tensor, list[Tensor | None]]:
        """Copies of the loss and of the gradient of each input, None for one without a gradient."""
        for own, given in zip(self.inputs, inputs, strict=True):
            if own is not None and given is not None:
                own.copy_(given)
        self.run()
        made = iter(self.gradients)
        gradients = [next(made) if x is not None and x.requires_grad else None for x in self.inputs]
        return self.loss.clone(), [None if g is None else g.clone() for g in gradients]


def _like(x: Tensor) -> Tensor:
    """A tensor to copy into; at least float32, whose gradients a scaled loss may still multiply."""
    dtype = torch.promote_types(x.dtype, torch.float32) if x.is_floating_point() else x.dtype
    return x.detach().to(dtype, copy=True).requires_grad_(x.requires_grad)


def _record(
    step: Callable[[], Any], own: torch.Generator | None, device: torch.device
) -> tuple[Callable[[], None], Any]:
    """A step's kernels as a graph: what launches it, and what the step gave, each time anew.

    `own` is the generator that the step draws from, None for torch's global one. Recording draws
    nothing.
    """
    generator = torch.cuda.default_generators[device.index] if own is None else own
    drawn = generator.get_state()
    with torch.cuda.device(device):
        side = torch.cuda.Stream()  # of this device; torch's own for graphs is of the first one
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(side)
        generator.set_state(drawn)
        graph = torch.cuda.CUDAGraph()
        if own is not None:  # the global one is there already
            graph.register_generator_state(own)
        # thread_local: another thread may pin memory meanwhile, as a DataLoader's does
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            made = step()
    return graph.replay, made


class _Replay(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, captured: _Captured, *inputs: Tensor | None) -> Tensor:
        loss, gradients = captured.replay(inputs)
        ctx.save_for_backward(*gradients)
        ctx.dtypes = [None if x is None else x.dtype for x in inputs]
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        found = zip(ctx.saved_tensors, ctx.dtypes, strict=True)
        return None, *(None if g is None else (g * grad).to(dtype) for g, dtype in found)
