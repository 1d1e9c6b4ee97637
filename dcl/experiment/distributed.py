"""One batch over several processes, started by ``torchrun``: what one process would compute.

The batch of the method is the global one. Every process holds its labels and computes the whole
criterion on the gathered outputs of the network, from the same random numbers; only the network's
work is shared. The gradient of a process's share of the outputs is then at hand without another
exchange, and DDP averages the parameters' gradients.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

TIMEOUT = timedelta(minutes=30)  # of one exchange; the first one waits for the data to be packed
_groups = count(1)  # of this process, in turn


class DistributedError(RuntimeError):
    """A training that cannot be shared among processes, with the reason."""


def processes() -> int:
    """How many processes `torchrun` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this is, from 0; that one writes."""
    return int(os.environ.get("RANK", "0"))


def own_device() -> str:
    """The GPU of this process, or ``cpu`` on a machine without one."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


@contextmanager
def group(device: torch.device) -> Iterator[None]:
    """The process group for the time of a run; nothing for one process.

    Raises
    ------
    DistributedError
        When another process of the run has died.
    """
    if processes() == 1 or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Addresses of a process's earlier group stay in the store: under a name of its own, a new group
    # finds none of them. With PyTorch's default name a second run hung, or was refused.
    store, own, size = next(dist.rendezvous("env://", timeout=TIMEOUT))
    store = dist.PrefixStore(f"dcl-{next(_groups)}", store)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=TIMEOUT, store=store, rank=own, world_size=size)
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistBackendError) and "gloo" not in str(error):
            raise
        raise DistributedError(
            f"another process of this run has died (process {rank()} lost it): the same command "
            f"goes on from the last finished epoch, with any number of processes"
        ) from error
    finally:
        dist.destroy_process_group()


@contextmanager
def first_alone() -> Iterator[None]:
    """Process 0 goes through a block before all others: it packs data that they then open."""
    if processes() > 1 and rank() > 0:
        dist.barrier()
    yield
    if processes() > 1 and rank() == 0:
        dist.barrier()


def wrap(model: nn.Module) -> nn.Module:
    """The network as DDP wants it; itself for one process.

    Raises
    ------
    DistributedError
        For batch normalisation on CPUs, whose statistics cannot be those of the global batch.
    """
    if processes() == 1:
        return model
    device = next(model.parameters()).device
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in model.modules()):
        if device.type != "cuda":
            raise DistributedError(
                f"{type(model).__name__} has batch normalisation, which PyTorch synchronises on "
                f"GPUs alone: train it in one process, or on GPUs"
            )
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def shares(batch: int) -> list[int]:
    """Samples of a global batch for each process, the first ones taking one more if need be."""
    each, rest = divmod(batch, processes())
    return [each + (number < rest) for number in range(processes())]


def share(batch: int) -> slice:
    """This process's samples of a global batch."""
    sizes = shares(batch)
    start = sum(sizes[: rank()])
    return slice(start, start + sizes[rank()])


def gather(batch: int, *outputs: Tensor) -> tuple[Tensor, ...]:
    """The outputs of the whole global batch, from each process's share of it.

    Every process computes the same gradient of the global batch's loss. Each keeps the rows of its
    share, times the number of processes, because DDP averages.

    Parameters
    ----------
    batch : int
        B, samples in the global batch.
    outputs : Tensor (B_p, ...)
        Of this process's share.

    Returns
    -------
    tuple of Tensor (B, ...)
    """
    if processes() == 1:
        return outputs
    return tuple(_Gather.apply(output, batch) for output in outputs)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, ours: Tensor, batch: int) -> Tensor:
        ctx.batch = batch
        sizes = shares(batch)
        padded = ours.new_zeros(max(sizes), *ours.shape[1:])  # all_gather wants equal shares
        padded[: len(ours)] = ours
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return gradient[share(ctx.batch)] * processes(), None


def default_generator(device: torch.device) -> torch.Generator:
    """Torch's global generator of a device, from which dropout draws."""
    if device.type != "cuda":
        return torch.default_generator
    index = torch.cuda.current_device() if device.index is None else device.index
    return torch.cuda.default_generators[index]
