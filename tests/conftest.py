"""Shared strategies and small data; one torch thread, since the suite runs in two processes."""

import os
from pathlib import Path

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from dcl import triplet

torch.set_num_threads(1)
for profile, examples in (("quick", 15), ("long", 200)):  # `make test`, `make test-long`
    hypothesis.settings.register_profile(
        profile,
        deadline=None,  # the machines that run this are shared
        max_examples=examples,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile(os.environ.get("DCL_HYPOTHESIS", "quick"))

# (B, A, C): the paper's two task shapes made small, and odd ones
SHAPES = [(16, 5, 2), (24, 1, 7), (1, 3, 2), (2, 2, 2), (3, 1, 3), (9, 4, 3), (30, 2, 2)]


@st.composite
def batches(draw, shapes=SHAPES, width=4):
    """A random batch as a dict, with rare and absent classes, float64."""
    batch, attributes, classes = draw(st.sampled_from(shapes))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    skew = draw(st.sampled_from([0.0, 1.0, 4.0]))  # 4: many classes are absent
    rates = (skew * torch.randn(attributes, classes, generator=generator)).softmax(1)
    labels = torch.multinomial(rates, batch, replacement=True, generator=generator).T
    counts = torch.randint(
        1, 10 ** draw(st.integers(1, 5)), (attributes, classes), generator=generator
    )
    scale = draw(st.sampled_from([0.0, 1.0, 3.0]))  # 0: all samples tie
    logits = scale * torch.randn(batch, attributes, classes, generator=generator).double()
    agree = draw(st.sampled_from([None, True, False]))  # all correct, or all wrong
    if agree is not None:
        truth = torch.nn.functional.one_hot(labels, classes)
        logits = logits + (40 if agree else -40) * truth
    features = torch.randn(batch, attributes, width, generator=generator).double()
    return {
        "labels": labels,
        "class_counts": counts,
        "logits": logits,
        "features": features,
        "generator": generator,
    }


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Each test draws the same from torch's global generator, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(params=[0, triplet.TRIPLES], ids=["sorted", "one by one"])
def counting(request, monkeypatch) -> int:
    """Both ways of counting the triples of a batch, see `dcl.triplet`."""
    monkeypatch.setattr(triplet, "TRIPLES", request.param)
    return request.param


def real_data(name: str) -> Path:
    """A file of real data beside the checkout, or a skip that says where it belongs."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"real data are not here: {path}")
    return path
