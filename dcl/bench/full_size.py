"""Whole epochs of the paper's size, by the loop that trains: what a step takes in use."""

import random

import torch

from ..data.celeba import OFFICIAL
from ..data.resident import Resident, Split, flip
from ..experiment.trainer import train
from ..models import DeepID2
from .timing import PAPER, build, labels_and_counts, summary

IMAGES = OFFICIAL["train"]
NAMES = ("cross-entropy", "dcl")
PRECISIONS = ("float32", "bfloat16")


def full_size(
    device: torch.device,
    epochs: int,
    *,
    images: int = IMAGES,
    names: tuple[str, ...] = NAMES,
    precisions: tuple[str, ...] = PRECISIONS,
) -> list[dict]:
    """Milliseconds of a training step in epochs over as many random images as CelebA's.

    The methods and precisions take turns, an epoch each, in another order every time; what comes
    first warms up and is not counted.

    Returns
    -------
    list of dict
        One for each method and precision: ``method``, ``precision``, ``step`` (`summary` of the
        epochs' mean milliseconds per step).
    """
    labels, counts = labels_and_counts(images, PAPER["attributes"], 2)
    pixels = torch.randint(0, 256, (images, 3, *DeepID2.size), dtype=torch.uint8)
    data = Resident(Split(images=pixels.numpy(), labels=labels.numpy()), device, flip)
    made = {
        (name, precision): (
            DeepID2(PAPER["attributes"], 2, PAPER["width"]).to(device),
            build(name, counts, PAPER["k"]).to(device),
        )
        for name in names
        for precision in precisions
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in made}
    for round_ in range(epochs + 1):
        for key in random.Random(round_).sample(list(made), len(made)):
            model, criterion = made[key]
            progress = train(
                model, criterion, data, None, epochs=1, batch_size=PAPER["batch"], lr=1e-3,
                momentum=0.9, weight_decay=0.0, seed=0, precision=key[1], show=False,
            )  # fmt: skip
            if round_:
                times[key].append(progress.history[-1]["ms_per_step"])
    return [
        {"method": name, "precision": precision, "step": summary(spent)}
        for (name, precision), spent in times.items()
    ]
