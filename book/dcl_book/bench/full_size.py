"""Whole epochs of the paper's size, by the loop that trains: what a step takes in use."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from dcl.data.celeba import OFFICIAL
from dcl.data.resident import Resident, Split, flip
from dcl.experiment.trainer import train
from dcl.networks.backbones import TorchvisionModel
from dcl.networks.models import DeepID2, ResNetCIFAR

from .timing import PAPER, build, labels_and_counts, summary

NAMES = ("cross-entropy", "dcl")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Network:
    """A network of the paper, its images and its labels, as in the table that it is for."""

    tables: tuple[str, ...]  # grids of notebooks/grids/paper that train it
    images: int  # of an epoch
    size: tuple[int, int]  # height and width of the images
    attributes: int
    classes: int
    make: Callable[[int, int], nn.Module]  # of attributes and classes


NETWORKS = {
    "DeepID2": Network(("2", "3", "4"), OFFICIAL["train"], DeepID2.size, 40, 2, DeepID2),
    "ResNet-50": Network(  # 20 steps of the 59 that RAP's 29,941 images take
        ("5_6", "5_6-protocol51"),
        10_240,
        (256, 128),
        70,
        2,
        lambda attributes, classes: TorchvisionModel("resnet50", attributes, classes),
    ),
    "ResNet-32": Network(("7",), 45_000, ResNetCIFAR.size, 1, 100, ResNetCIFAR),
}


def full_size(
    device: torch.device,
    epochs: int,
    networks: Sequence[str] = ("DeepID2",),
    *,
    images: int | None = None,
    names: tuple[str, ...] = NAMES,
    precisions: tuple[str, ...] = PRECISIONS,
) -> list[dict[str, Any]]:
    """Milliseconds of a training step in epochs over random images, as many as `Network.images`.

    The methods and precisions take turns of two epochs, in another order every time. The second is
    timed: in the first a GPU captures the loss as a graph, which a training does once. The memory
    of a GPU is counted in the first turn.

    Parameters
    ----------
    device : torch.device
    epochs : int
        Of each that are counted, 2 or more.
    networks : sequence of str
        Of `NETWORKS`.
    images : int, optional
        Of an epoch, in the place of the network's own.
    names, precisions : tuple of str

    Returns
    -------
    list of dict
        One for each network, method and precision: ``network``, ``method``, ``precision``,
        ``images`` of an epoch, ``step`` (`summary` of the epochs' mean milliseconds per step), and
        on a GPU ``peak_mib``, the most that its tensors held beside its images: without what
        PyTorch keeps for a captured graph, and for itself.
    """
    found = []
    for name in dict.fromkeys(networks):
        count = images or NETWORKS[name].images
        found += _epochs_of(device, epochs, name, count, names, precisions)
    return found


def _epochs_of(
    device: torch.device,
    epochs: int,
    network: str,
    images: int,
    names: tuple[str, ...],
    precisions: tuple[str, ...],
) -> list[dict[str, Any]]:
    about = NETWORKS[network]
    labels, counts = labels_and_counts(images, about.attributes, about.classes, images)
    pixels = torch.randint(0, 256, (images, 3, *about.size), dtype=torch.uint8)
    data = Resident(Split(images=pixels.numpy(), labels=labels.numpy()), device, flip)
    keys = [(name, precision) for name in names for precision in precisions]
    made = {
        key: (
            about.make(about.attributes, about.classes).to(device),
            build(key[0], counts, PAPER["k"]).to(device),
        )
        for key in keys
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in keys}
    peaks = dict.fromkeys(keys, 0)
    for round_ in range(epochs):
        for key in random.Random(round_).sample(keys, len(keys)):
            model, criterion = made[key]
            before = 0 if round_ else _count_anew(device)
            progress = train(
                model, criterion, data, None, epochs=2, batch_size=PAPER["batch"], lr=1e-3,
                momentum=0.9, weight_decay=0.0, seed=0, precision=key[1], show=False,
            )  # fmt: skip
            times[key].append(progress.history[-1]["ms_per_step"])
            if not round_ and device.type == "cuda":
                own = sum(p.numel() * p.element_size() for p in model.parameters())
                peaks[key] = torch.cuda.max_memory_allocated(device) - before + own
    return [
        {
            "network": network,
            "method": name,
            "precision": precision,
            "images": images,
            "step": summary(spent),
        }
        | ({"peak_mib": peaks[name, precision] / 2**20} if device.type == "cuda" else {})
        for (name, precision), spent in times.items()
    ]


def _count_anew(device: torch.device) -> int:
    """Let a GPU's peak be counted from here on; the bytes of tensors that are there already."""
    if device.type != "cuda":
        return 0
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)
