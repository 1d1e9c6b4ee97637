"""What README and book show is run, and the numbers they show are the library's."""

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dcl import dsl_weights, schedule
from dcl.__main__ import main
from dcl.experiment import datasets, records
from dcl.report import evidence, tables

ROOT = Path(__file__).resolve().parents[2]
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


def test_the_explorers_still_picture_is_described_by_the_librarys_numbers():
    text = (ROOT / "book" / "explorer.md").read_text()
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:10] = 1
    for epoch in (0, 200, 300):
        weights = dsl_weights(labels, torch.tensor([[50, 1]]), schedule("convex", epoch, 300))[:, 0]
        kept, weight = weights[10:].count_nonzero(), f"{weights[0]:.1f}"
        assert re.search(rf"Epoch {epoch}: (all )?{kept} .*? weighs {weight}\.", text)


def test_the_worked_example_of_a_data_set_runs_from_the_command_line(tmp_path, monkeypatch, capsys):
    page = (ROOT / "book" / "add_data.md").read_text()
    source, line = re.findall(r"```python\n(.*?)```", page, re.S)
    module = types.ModuleType("dcl.experiment.mine")
    module.__package__ = "dcl.experiment"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, module.__dict__)
    monkeypatch.setattr(
        "dcl.__main__.DATASETS", eval(f"{{**DATASETS, {line}}}", vars(module) | vars(datasets))
    )
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = ["image,split,striped,round"]
    for number in range(60):
        striped, split = number % 2, ("train", "train", "val", "test")[number // 2 % 4]
        pixels = rng.integers(0, 99, (20, 20, 3), dtype=np.uint8)
        pixels[:: 2 if striped else 20] = 255
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        rows.append(f"{number}.png,{split},{striped},{number // 8 % 2}")
    (folder / "labels.csv").write_text("\n".join(rows))
    arguments = ["run", "mine", "--data-root", str(folder), "--results", str(tmp_path / "a.json")]
    arguments += ["--size", "16", "--epochs", "2", "--batch-size", "8", "--quiet"]
    assert main(arguments) == 0
    assert "dcl on My images (32 train, 14 test): mA" in capsys.readouterr().out
    record = records.read(tmp_path / "a.json")
    assert record["config"]["size"] == 16
    assert list(record["test"]["per_attribute"]) == ["striped", "round"]
    assert main([*arguments, "--size", "4"]) == 2
    assert "size must be at least 8, got 4: rows and columns" in capsys.readouterr().err
    (folder / "images" / "3.png").unlink()
    assert main(arguments) == 2
    assert "labels.csv: no image 3.png" in capsys.readouterr().err


def table_of_results() -> str:
    """The table of README.md, from the records."""
    runs = evidence.of_dataset(ROOT / "results" / "celeba-30k", "celeba", "cross-entropy", "dcl")
    names = {"mA": "mA", "14 rarest": "rarest_mA", "F1": "f1", "AUC": "auc"}
    means = tables.means(runs, {words: evidence.metric(name) for words, name in names.items()})
    rows = [["", *means.columns], ["---", *["---:"] * len(means.columns)]]
    rows += [[f"`{method}`", *map(str, row)] for method, row in means.iloc[::-1].iterrows()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows).replace(evidence.NO_BREAK, " ")


def test_the_readmes_table_is_that_of_the_records():
    table = table_of_results()
    assert table in (ROOT / "README.md").read_text(), f"README.md is behind the records:\n{table}"
