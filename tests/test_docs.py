"""What README and book show is run, and the numbers they show are the library's."""

import re
from pathlib import Path

import pytest
import torch

from dcl import dsl_weights, schedule

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "book/use_it.md"]


@pytest.mark.parametrize("page", PAGES)
def test_python_on_the_page_runs(page):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)
    blocks = [block for block in blocks if "download=True" not in block]  # needs a network
    assert blocks
    for block in blocks:
        names = {}
        exec(block, names)
        assert names["loss"].isfinite()


@pytest.mark.parametrize("page", ["README.md", "book/intro.md"])
def test_the_first_picture_is_described_by_the_librarys_numbers(page):
    text = (ROOT / page).read_text()
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:12] = 1
    for epoch in (200, 300):
        g = schedule("convex", epoch, 300)
        weights = dsl_weights(labels, torch.tensor([[500, 12]]), g)[:, 0]
        assert f"{weights[12:].sum():.0f}" in text
        assert f"{weights[0]:.1f}" in text
