"""What README and book show is run, and the numbers they show are the library's."""

import ast
import importlib.util
import re
import sys
import types
import warnings
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dcl import DCLLoss, decide, dsl_weights, methods, reference, schedule
from dcl.__main__ import main
from dcl.experiment import datasets, records
from dcl_book import chosen_length, evidence, figures, headline, length
from dcl_book.finding import NO_BREAK
from dcl_book.prose import points

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("from_source", ROOT / "book" / "from_source.py")
from_source = importlib.util.module_from_spec(spec)
spec.loader.exec_module(from_source)
TRAINERS = nbformat.read(ROOT / "notebooks" / "trainers.ipynb", as_version=4)


def python_of(text: str) -> list[str]:
    """The Python blocks of a page, less those that need a network."""
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    return [block for block in blocks if "download=True" not in block]


def test_python_of_the_readme_runs():
    (block,) = python_of((ROOT / "README.md").read_text())
    names = {}
    exec(block, names)
    assert names["loss"].isfinite()
    logits = names["logits"].detach()  # as the README says to go on with them
    assert decide(logits).shape == (32, 40)
    shares = names["criterion"].at_data_prior(logits).softmax(2)
    torch.testing.assert_close(shares.sum(2), torch.ones(32, 40))


SECTIONS = {
    "torch": "A loop of your own",
    "timm": "A backbone of timm",
    "transformers": "Hugging Face Trainer",
    "lightning": "Lightning",
}


def section(title: str) -> str:
    """The code below a title of the page on trainers."""
    code, own = [], False
    for cell in TRAINERS.cells:
        found = re.findall(r"^## (.*)", cell.source, re.M) if cell.cell_type == "markdown" else []
        own = found[-1] == title if found else own
        if own and cell.cell_type == "code":
            code.append(cell.source)
    assert code, title
    return "\n".join(code)


@pytest.mark.filterwarnings("ignore")  # of the trainers: no GPU, few workers
@pytest.mark.parametrize("library", SECTIONS)
def test_dcl_trains_in_the_trainer_that_people_have(library, monkeypatch):
    pytest.importorskip(library)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    moved, move = [], DCLLoss.set_epoch
    monkeypatch.setattr(
        DCLLoss, "set_epoch", lambda self, epoch: (moved.append(epoch), move(self, epoch))
    )
    names = {"__name__": "page", "epochs": 2}
    exec(section("The network and the criterion"), names)
    before = [parameter.clone() for parameter in names["network"].parameters()]
    moved.clear()  # of its making
    exec(section(SECTIONS[library]), names)
    if library == "timm":
        assert (names["logits"].shape, names["features"].shape) == ((8, 5, 2), (8, 5, 64))
        return
    assert moved[-4:] == [0, 0.5, 1, 1.5]  # two epochs of two steps
    assert set(moved[:-4]) <= {0}
    assert names["criterion"].parts["classification"].isfinite()
    after = names["network"].parameters()
    assert any((a != b).any() for a, b in zip(after, before, strict=True))


def test_dcl_trains_on_features_without_images():
    (cell,) = (c.source for c in TRAINERS.cells if c.source.startswith("## Features without"))
    (block,) = python_of(cell)
    names = {}
    torch.manual_seed(0)
    exec(block, names)
    assert names["loss"].isfinite()
    assert 0 < names["criterion"].g < 0.02  # of the last step


def test_pages_without_records_say_what_one_graph_saves_on_a_gpu():
    times = pd.read_csv(ROOT / "results" / "gpu" / "nvidia-h200.csv")
    times = times.set_index(["setting", "method", "precision", "part"])["median"]
    graph, single = (
        times["launching", "dcl", "float32", way] for way in ("one graph", "one by one")
    )
    words = f"DCL's loss takes {graph:.1f} ms instead of {single:.1f}"
    for text in ((ROOT / "README.md").read_text(), TRAINERS.cells[-1].source):
        assert words in as_typed(text)


def test_whoever_has_a_label_of_many_classes_or_no_features_finds_it_so():
    criterion = DCLLoss(torch.tensor([[50, 10, 5]]), epochs=3, steps_per_epoch=2)
    assert criterion(torch.randn(8, 3), torch.randn(8, 4), torch.arange(8) % 3).isfinite()
    criterion = DCLLoss(torch.tensor([[50, 10]]), epochs=3, loss=0)
    assert criterion(torch.randn(8, 1, 2), None, (torch.arange(8) % 2)[:, None]).isfinite()


@pytest.mark.parametrize("page", ["book/intro.md", "book/method.md"])
def test_the_first_picture_is_described_by_the_librarys_numbers(page):
    text = (ROOT / page).read_text()
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:12] = 1
    for epoch in (200, 300):
        g = schedule("convex", epoch, 300)
        weights = dsl_weights(labels, torch.tensor([[500, 12]]), g, selection="expected")[:, 0]
        assert f"{weights[12:].sum():.0f}" in text
        assert f"{weights[0]:.1f}" in text


def test_the_explorers_still_picture_is_described_by_the_librarys_numbers():
    text = (ROOT / "book" / "explorer.md").read_text()
    labels = torch.zeros(512, 1, dtype=torch.long)
    labels[:10] = 1
    for epoch in (0, 200, 300):
        g = schedule("convex", epoch, 300)
        weights = dsl_weights(labels, torch.tensor([[50, 1]]), g, selection="expected")[:, 0]
        kept, weight = round(weights[10:].sum().item()), f"{weights[0]:.1f}"
        assert re.search(rf"Epoch {epoch}: (all )?{kept} .*? weighs {weight}\.", text)


def method_page() -> str:
    """The second half of the page on extending."""
    return (ROOT / "book" / "extend.md").read_text().split("\n## A method\n")[1]


def test_the_worked_example_of_a_data_set_runs_from_the_command_line(tmp_path, monkeypatch, capsys):
    page = (ROOT / "book" / "extend.md").read_text().split("\n## A method\n")[0]
    source, line = re.findall(r"```python\n(.*?)```", page, re.S)
    module = types.ModuleType("dcl.experiment.mine")
    module.__package__ = "dcl.experiment"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, module.__dict__)
    monkeypatch.setattr(
        "dcl.experiment.datasets.DATASETS",
        eval(f"{{**DATASETS, {line}}}", vars(module) | vars(datasets)),
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
    options = ["--results", str(tmp_path / "a.json"), "--size", "16", "--epochs", "2"]
    options += ["--batch-size", "8", "--quiet"]
    arguments = ["run", "mine", "--data-root", str(folder), *options]
    assert main(arguments) == 0
    assert "dcl on My images (32 train, 14 test): mA" in capsys.readouterr().out
    record = records.read(tmp_path / "a.json")
    assert record["config"]["size"] == 16
    assert list(record["test"]["per_attribute"]) == ["striped", "round"]
    assert main([*arguments, "--size", "4"]) == 2
    assert "size must be at least 8, got 4: rows and columns" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)  # where is no labels.csv
    assert main(["run", "mine", *options]) == 2
    assert "labels.csv is missing: give its folder as data_root" in capsys.readouterr().err
    table = (folder / "labels.csv").read_text()
    for split, words in (("valid", ""), ("tets", "0.png is in no split of train, val, test")):
        (folder / "labels.csv").write_text(table.replace(",train,", f",{split},", 1))
        assert main(arguments) == (2 if words else 0), split  # no row is left out in silence
        out, error = capsys.readouterr()
        assert words in error
        assert words or "(31 train, 14 test)" in out
    (folder / "labels.csv").write_text(table.replace(",val,", ",test,"))
    assert main(arguments) == 0
    assert "last epoch: no validation split" in capsys.readouterr().out
    (folder / "images" / "3.png").unlink()
    assert main(arguments) == 2
    assert "labels.csv: no image 3.png" in capsys.readouterr().err


def test_the_worked_example_takes_a_label_of_many_classes_as_the_page_says(tmp_path, monkeypatch):
    page = (ROOT / "book" / "extend.md").read_text().split("\n## A method\n")[0]
    source, _ = re.findall(r"```python\n(.*?)```", page, re.S)
    for old, new in (
        ('experiment = "mine"', 'single_label = True\n    experiment = "my_sets:Mine"'),
        ("attributes=attributes,", 'attributes=("class",), class_names=("a", "b", "c"),'),
        ("classes=2,", "classes=3,"),
    ):
        assert old in source
        source = source.replace(old, new)
    (tmp_path / "my_sets.py").write_text(source)  # outside the checkout
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    rows = ["image,split,class"]
    for number in range(48):
        pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
        rows.append(f"{number}.png,{('train', 'val', 'test')[number // 3 % 3]},{number % 3}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    arguments = ["run", "my_sets:Mine", "--data-root", str(tmp_path), "--method", "ldam-drw"]
    arguments += ["--size", "16", "--epochs", "1", "--batch-size", "6", "--quiet"]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "ldam-drw multiplies logits")  # its layer gives cosines
        assert main([*arguments, "--results", str(tmp_path / "a.json")]) == 0
    record = records.read(tmp_path / "a.json")
    assert record["experiment"] == "my_sets:Mine"
    assert set(record["test"]["per_class"]) == {"a", "b", "c"}
    assert type(datasets.config_of(record)).__module__ == "my_sets"


def test_the_worked_example_of_a_method_runs_from_the_command_line(tmp_path, monkeypatch, capsys):
    source, _, line, outside = python_of(method_page())
    files = re.search(r"for file in \((.*)\)", line)[1].split(", ")
    assert f"for file in ({', '.join(files[:-1])}" in Path(methods.__file__).read_text()
    module = types.ModuleType("dcl.methods.poly")
    module.__package__ = "dcl.methods"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, module.__dict__)
    (entry,) = module.ENTRIES
    monkeypatch.setitem(methods.METHODS, entry.name, entry)
    run = ["run", "celeba", "--method", "poly", "--profile", "quick", "--epochs", "1", "--quiet"]
    run += ["--results", str(tmp_path / "a.json"), "--train-images", "256"]
    assert main([*run, "--first", "2"]) == 0
    record = records.read(tmp_path / "a.json")
    assert (record["method"], record["config"]["first"]) == ("poly", 2.0)
    assert {"prior", "tuned-mA", "tuned-f1"} <= set(record["decisions"])
    assert main([*run, "--first", "-2"]) == 2
    assert "first must be -1 or more, got -2.0" in capsys.readouterr().err
    for found in ([*run, "--method", "poyl"], [*run, "--method", "dcl", "--first", "2"]):
        assert main(found) == 2
        assert "poly" in capsys.readouterr().err  # the nearest name; whose option it is
    (tmp_path / "my_methods.py").write_text(source[: source.index("ENTRIES = ")] + outside)
    monkeypatch.syspath_prepend(tmp_path)
    config = datasets.CelebA(method="my_methods:POLY", results="x")
    assert config.method_options == {"first": 1.0}


def test_the_worked_example_of_a_method_is_its_papers_loss():
    source, *_ = python_of(method_page())
    names = {"__package__": "dcl.methods", "__name__": "dcl.methods.poly"}
    exec(source, names)
    nothing = torch.zeros(0, 1, dtype=torch.long)  # as of a process without a share of the batch
    assert names["poly_loss"](torch.zeros(0, 1, 2), nothing) == 0
    torch.manual_seed(0)
    logits, labels = torch.randn(9, 2, 3, dtype=torch.float64), torch.randint(-1, 3, (9, 2))
    found = names["ENTRIES"][0].criterion(torch.ones(2, 3), 1, first=2.5)(logits, None, labels)
    total = 0.0
    for scores, known in zip(logits.softmax(2).tolist(), labels.tolist(), strict=True):
        for p, label in zip(scores, known, strict=True):
            total += 0 if label < 0 else -np.log(p[label]) + 2.5 * (1 - p[label])
    assert found.item() == pytest.approx(total / 9)


NUMBERS = "eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four".split()


def test_the_pages_name_and_count_the_methods_that_train_on_attributes():
    names = {name for name, entry in methods.METHODS.items() if entry.tasks != "single-label"}
    number = NUMBERS[len(names) - 18]
    assert f"any of {number} methods" in (ROOT / "README.md").read_text(), (
        f"README.md counts the methods that take yes-or-no attributes: they are {number} now"
    )
    page = nbformat.read(ROOT / "notebooks" / "celeba.ipynb", as_version=4)
    listed = page.cells[0].source.split("`method` is one of")[1]
    missing = names - set(re.findall(r"`([\w-]+)`", listed))
    assert not missing, f"the first cell of notebooks/celeba.ipynb lists no {missing}"


RUNS = ROOT / "results"


def as_typed(text: str) -> str:
    return " ".join(text.replace(NO_BREAK, " ").split())


def test_the_readme_begins_with_what_the_records_say():
    """The same two sentences as the book's first screen, whose notebook makes them."""
    faces = evidence.with_prior(chosen_length.conclusions(RUNS))
    plain = evidence.lead(faces, "dcl", "cross-entropy")
    free = evidence.lead(faces, evidence.PRIOR, "cross-entropy")
    moved = evidence.lead(faces, "dcl", evidence.PRIOR)
    lengths = length.leads(length.collect(RUNS / length.FOLDER), evidence.PRIOR)
    persons = evidence.with_prior(evidence.collect_if_any(RUNS / "peta" / "identity"))
    every = [*lengths.values(), evidence.lead(persons, "dcl", evidence.PRIOR)]
    assert all(found.low <= 0 for found in every), "DCL is ahead of the moved threshold somewhere"
    assert plain.low > 0
    long = length.leads(length.collect(RUNS / length.FOLDER), "cross-entropy")[300]
    assert long.low < 0 < long.high
    *first, last = lengths
    text = as_typed((ROOT / "README.md").read_text())
    for words in (
        f"training (cross entropy) by {points(plain)} points of balanced accuracy.",
        f"threshold of cross entropy gains {points(free)} without any further training;",
        f"seed by seed, DCL is {points(-moved)} behind that.",
        f"not surely ahead of plain cross entropy either ({long}, {long.n} seeds).",
        f"At {', '.join(map(str, first))} and {last} epochs, and on pedestrians, DCL was never",
    ):
        assert as_typed(words) in text, f"README.md is behind the records: {words}"
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_first_pages_say_which_lengths_are_best():
    faces = chosen_length.conclusions(RUNS)
    drawn = ["cross-entropy", "dcl", "selective-learning", "cost-sensitive"]
    epochs = faces[faces["method"].isin(drawn)].groupby("method")["epochs"].unique()
    assert {name: list(found) for name, found in epochs.items()} == {
        name: [75 if name == "cross-entropy" else 24] for name in drawn
    }
    for page in ("README.md", "book/intro.md"):
        text = as_typed((ROOT / page).read_text())
        assert "75 epochs for cross entropy and 24 for the others" in text, page


def test_the_readmes_picture_is_that_of_the_records():
    drawn = figures.dots_alone(headline.five(RUNS), "mA, %")
    path = ROOT / "book" / "_static" / "answer.svg"
    assert path.read_text("utf8") == drawn, "run `python book/pictures.py`"


def test_an_old_address_leads_to_a_page_of_the_contents():
    toc = (ROOT / "book" / "_toc.yml").read_text()
    pages = {"book/intro", *re.findall(r"file: (\S+)", toc)}
    lines = (ROOT / "book" / "redirects.csv").read_text().splitlines()
    moved = dict(line.split(",") for line in lines[1:])
    assert len(moved) == len(lines) - 1
    assert set(moved.values()) <= pages
    assert not set(moved) & pages


def test_the_architecture_page_has_a_line_for_every_file():
    tree = from_source.tree()
    for path in (ROOT / "dcl").rglob("*.py"):
        lines = path.read_text("utf8").count("\n")
        assert f"| `{path.name}` | {lines} | {from_source.first_line(path)} |" in tree
    rooms = re.findall(r"\*\*`([\w/]+)/`\*\*", tree)
    assert rooms == list(from_source.ROOMS)
    total = sum(path.read_text("utf8").count("\n") for path in (ROOT / "dcl").rglob("*.py"))
    counts = re.findall(r"^\| `dcl[\w/]*/` \| \d+ \| ([\d,]+) \|$", tree, re.M)
    assert sum(int(count.replace(",", "")) for count in counts) == total


def test_the_files_that_the_architecture_page_sends_to_exist():
    page = (ROOT / "book" / "architecture.md").read_text()
    named = re.findall(r"`((?:dcl|tests|notebooks|results|book)/[\w/.]*)`", page)
    assert len(named) > 10
    for path, name in re.findall(r"`((?:dcl|book|tests)/[\w/]+\.py)`, `(\w+)`", page):
        source = (ROOT / path).read_text("utf8")
        assert re.search(rf"^(def {name}\(|{name}\b.* = )", source, re.M), f"{path} has no {name}"


# What a page has its reader make
TO_MAKE = {"dcl/experiment/mine.py", "dcl/methods/poly.py", "results/paper/", "results/runs/"}


def test_every_file_that_a_page_names_exists():
    pages = [
        ROOT / "README.md",
        *(ROOT / "book").glob("*.md"),
        *(ROOT / "notebooks").glob("*.ipynb"),
    ]
    for page in pages:
        named = re.findall(
            r"`((?:dcl|tests|notebooks|results|book)/[\w/.-]*)`", page.read_text("utf8")
        )
        missing = {path for path in named if not (ROOT / path).exists()} - TO_MAKE
        assert not missing, f"{page.name} names files that do not exist: {missing}"


# What a reader must see in the code beside each equation
SHOWN = {
    1: ["math.cos(epoch / epochs * math.pi / 2)"],
    2: ["1 - epoch / epochs"],
    3: ["decay**epoch"],
    4: ["math.cos(epoch / epochs * math.pi) / 2 + 1 / 2"],
    5: ["class_counts.min()", "d_train**g"],
    6: ["log_softmax", "weights[i] * log_p / len(labels)"],
    7: ["target / current", "weights[members] = ratio", "weights[members[chosen]] = 1"],
    8: ["margin + pull - push", "torch.relu", "/ max(1, len(terms))", "return of_class"],
    9: ["margin + pull - push", "torch.relu", "/ max(1, len(terms))", "return easy"],
    10: ["dsl_loss(", "+ f * metric"],
    11: ["epoch < p * epochs", "+ epsilon if before else epsilon"],
    12: ["(predicted[labels == c] == c)", ".mean()"],
    13: ["nanmean()"],
}


@pytest.mark.parametrize("number", from_source.EQUATIONS)
def test_beside_each_equation_are_the_functions_of_the_reference_that_compute_it(number):
    code = from_source.equations()[number]
    for part in SHOWN[number]:
        assert any(part in function for function in code), f"Eq. {number} shows no {part}"
    for function in code:
        (whole,) = ast.parse(function).body  # it can be read alone
        assert isinstance(getattr(reference, whole.name), types.FunctionType)
        assert ast.get_docstring(whole) is None
        assert whole.body


def test_the_method_page_shows_every_equation_once_and_names_its_fast_code():
    page = (ROOT / "book" / "method.md").read_text()
    included = re.findall(r":start-after: <!-- eq (\d+) -->\n:end-before: <!-- end (\d+) -->", page)
    assert all(start == end for start, end in included)
    # 8 and 9 are one function; the weights of Eq. 7 come before the loss of Eq. 6
    assert [int(n) for n, _ in included] == [1, 2, 3, 4, 5, 7, 6, 9, 10, 11, 12, 13]
    assert from_source.equations()[8] == from_source.equations()[9]
    for number in from_source.EQUATIONS:
        assert f"\\tag{{{number}}}" in page
    blocks = from_source.equation_blocks()
    assert all(f"<!-- eq {n} -->" in blocks for n in from_source.EQUATIONS)
    api = (ROOT / "book" / "api.md").read_text()
    for name in re.findall(r"Fast code: {py:obj}`(dcl\.\w+)`", blocks):
        assert re.search(rf":: {re.escape(name)}$", api, re.MULTILINE), name
    assert blocks.count("Fast code: {py:obj}") == len(from_source.EQUATIONS)
    for number, lines in from_source.fast_lines().items():
        for file, line in lines:
            marked = (ROOT / file).read_text().splitlines()[line - 1]
            assert re.search(rf"# Eq\. [\d, ]*\b{number}\b", marked)


def test_the_pictures_of_the_method_page_are_drawn(tmp_path):
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "book" / "pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    pictures.draw_method(tmp_path)
    pages = "".join((ROOT / "book" / name).read_text() for name in ("method.md", "intro.md"))
    shown = set(re.findall(r"_static/(\w+\.svg)", pages))
    assert shown == {path.name for path in tmp_path.glob("*.svg")}
    narrow = {path.stem for path in tmp_path.glob("narrow/*.svg")}
    assert narrow == set(re.findall(r"_static/\w+\.svg\n:name: (\S+)", pages))
