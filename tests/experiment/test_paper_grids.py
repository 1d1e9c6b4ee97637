"""The grids at the paper's size: their setting, their hours, and a rehearsal of every run."""

import importlib.util
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import real_data
from PIL import Image

from dcl import DeepID2
from dcl.__main__ import main
from dcl.data import Dataset, Split, celeba, celeba_annotation, cifar
from dcl.data.drawn import faces, persons, shapes
from dcl.data.pedestrian_annotation import read_rap
from dcl.data.pedestrians import with_groups
from dcl.experiment.grid import read_grid, records_folder
from dcl.experiment.run import run
from dcl_book import published
from dcl_book.bench.full_size import NETWORKS
from dcl_book.bench.timing import PAPER as PAPER_SIZES

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "notebooks" / "grids" / "paper"
PATHS = sorted(PAPER.glob("*.yaml"))
SMALL = {"train": 96, "val": 32, "test": 32}
TIMED = pd.read_csv(ROOT / "results" / "gpu" / "nvidia-h200.csv")
TIMED = TIMED.set_index(["setting", "method", "precision", "part"])["median"]
OF_TABLE = {table: name for name, network in NETWORKS.items() for table in network.tables}
FOR_TWO_CORES = {  # what a rehearsal has otherwise, beside its data
    "celeba": {},
    "pedestrians": {"dataset": "drawn", "protocol": "51", "backbone": "small", "height": 64},
    "cifar100": {"depth": 8},
}

spec = importlib.util.spec_from_file_location("plan", PAPER / "plan.py")
planner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planner)

grids = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def runs_of(path: Path) -> list:
    return read_grid(path, {}, records_folder(PAPER.parent, path))


def of_few(data: Dataset) -> Dataset:
    """The same with the first four attributes."""
    few = {name: Split(images=s.images, labels=s.labels[:, :4]) for name, s in data.splits.items()}
    return data.replace(attributes=data.attributes[:4], splits=few)


@pytest.fixture(scope="module")
def stand_ins():
    """Drawn data, small: a few of the attributes, since most of a test's time is theirs."""
    return {
        "celeba": of_few(faces.load(**SMALL)),
        "pedestrians": with_groups(of_few(persons.load(**SMALL, size=(64, 32)))),
        "cifar100": shapes.load(train=200, val=100, test=100),
    }


@grids
def test_a_grid_is_the_papers_setting(path):
    for run_ in runs_of(path):
        config = run_.config
        assert (config.epochs, config.batch_size, config.weight_decay) == (300, 512, 0.0005)
        papers = {"k": 25, "margin": 0.2, "p": 0.3}
        own = {name: config.method_options.get(name, value) for name, value in papers.items()}
        assert own == papers
        assert config.profile == "standard"
        assert config.lr == (0.1 if config.experiment == "cifar100" else 0.003)
        if config.experiment == "pedestrians":
            assert (config.dataset, config.backbone, config.height) == ("rap", "resnet50", 256)
        if config.experiment == "cifar100":
            assert (config.depth, config.imbalance_ratio, config.fraction) == (32, 1, 1)
    assert Counter(run_.config.seed for run_ in runs_of(path)).keys() == {0, 1, 2, 3, 4}


@grids
def test_records_of_a_grid_go_to_a_folder_of_its_table(path):
    for run_ in runs_of(path):
        assert {Path(record).parent for record in run_.records} == {
            Path("results/paper") / path.stem
        }


def test_the_grids_train_every_row_of_the_papers_tables_once():
    trained = Counter(
        (run_.config.method, *map(run_.config.method_options.get, ("sampling", "anchors")))
        for number in (2, 3, 4)
        for run_ in runs_of(PAPER / f"table{number}.yaml")
    )
    assert set(trained.values()) == {5}  # seeds
    methods = {method for method, *_ in trained}
    assert methods >= {*published.averages().index} - {"clmle"}
    assert methods >= {*published.table(3)["method"]}
    schedules = {sampling for method, sampling, _ in trained if method == "dcl-ss"}
    assert schedules == {*published.table(4)["sampling"].dropna()}
    rap = {run_.config.method for run_ in runs_of(PAPER / "table5_6.yaml")}
    assert rap == {"dcl", "cross-entropy"}
    assert {run_.config.method for run_ in runs_of(PAPER / "table7.yaml")} == {
        *published.table(7).index
    }


def test_the_number_of_training_images_is_that_of_the_data():
    for path in PATHS:
        about, config = planner.notes(path), runs_of(path)[0].config
        if config.experiment == "celeba":
            assert about["train_images"] == celeba.OFFICIAL["train"]
        elif config.experiment == "cifar100":
            kept = cifar.PER_CLASS - config.val_per_class
            assert about["train_images"] == cifar.CLASSES * kept


def test_the_number_of_training_images_of_rap_is_that_of_its_annotation():
    annotation = read_rap(real_data("RAP_annotation.mat"), "paper")
    for path in PAPER.glob("table5_6*.yaml"):
        assert planner.notes(path)["train_images"] == len(annotation.partitions[0]["train"])


def hours_of(path: Path, name: str) -> list[float]:
    about = planner.notes(path)
    return [planner.steps(r, about["train_images"]) * about[name] / 3.6e6 for r in runs_of(path)]


def timed(table: str, method: str = "dcl", precision: str = "float32", part: str = "step") -> float:
    """What the H200 took of a table's network."""
    return TIMED[f"full size, {OF_TABLE[table]}", method, precision, part]


@grids
def test_hours_are_those_of_a_measured_step_and_the_comment_states_their_sum(path):
    table = path.stem.removeprefix("table")
    about = planner.notes(path)
    assert about["ms_per_step"] == pytest.approx(timed(table), abs=5e-4)
    text = " ".join(path.read_text("utf8").replace("\n#", "").split())
    stated = re.search(r"([\d,.]+) GPU hours at the step below", text)
    assert float(stated[1]) == pytest.approx(sum(hours_of(path, "ms_per_step")), abs=0.05)
    assert ("paper_ms_per_step" in about) == (table in {"2", "3", "4"})
    if "paper_ms_per_step" in about:
        papers = hours_of(path, "paper_ms_per_step")
        assert papers == [pytest.approx(20.5, abs=0.01)] * len(papers)  # Section 4.3.1
        theirs = re.search(r"at the step below \(([\d,.]+) at the paper's\)", text)
        assert float(theirs[1].replace(",", "")) == pytest.approx(sum(papers), abs=0.05)


@grids
def test_a_step_is_timed_with_the_tables_network(path):
    config = runs_of(path)[0].config
    network = NETWORKS[OF_TABLE[path.stem.removeprefix("table")]]
    attributes, classes, size = {
        "celeba": (40, 2, (55, 47)),
        "pedestrians": (70, 2, (256, 128)),  # of protocol 51, too: so few weights more
        "cifar100": (1, 100, (32, 32)),
    }[config.experiment]
    assert (network.attributes, network.classes, network.size) == (attributes, classes, size)
    assert config.batch_size == PAPER_SIZES["batch"]
    names = tuple(map(str, range(attributes)))
    data = SimpleNamespace(attributes=names, classes=classes)
    with torch.device("meta"):
        grids_own = config.network(data).state_dict()
        ours = network.make(attributes, classes).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in grids_own.items()}
    if config.experiment == "pedestrians":
        assert (config.height, config.height // 2) == size
        assert network.images < planner.notes(path)["train_images"]
    else:
        assert network.images == planner.notes(path)["train_images"]


def test_every_grid_has_a_network_that_is_timed():
    assert {*OF_TABLE} == {path.stem.removeprefix("table") for path in PATHS}


@grids
def test_a_plan_lists_every_run(path, capsys):
    table = path.stem.removeprefix("table")
    assert planner.main([table, "--ms-per-step", "36"]) == 0
    said = capsys.readouterr().out
    for run_ in runs_of(path):
        assert f"\n{run_.name} " in f"\n{said}"
    assert f"{len(runs_of(path))} runs" in said
    assert "at 36 ms per step (given: not measured here)" in said


def test_a_plan_says_where_its_hours_come_from(capsys):
    planner.main(["7"])
    said = capsys.readouterr().out
    assert said.rstrip().endswith("validation after each epoch and the test come on top")
    assert "1.6 h of one GPU, 1.6 h left, at 14.607 ms per step (measured on an NVIDIA" in said
    assert "MS=milliseconds gives your own" in said
    planner.main(["2"])
    said = capsys.readouterr().out
    assert "11.5 h of one GPU, 11.5 h left, at 5.117 ms per step (measured on an NVIDIA H2" in said
    assert "1,742.5 h at the paper's 773.6 ms per step" in said


def test_a_plan_leaves_out_what_has_its_record(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "paper" / "table3"
    folder.mkdir(parents=True)
    (folder / "dcl-ss-seed0.json").write_text("{}")
    planner.main(["3"])
    said = capsys.readouterr().out
    assert "15 runs, 14 of them without a record" in said
    assert "2.0 h of one GPU, 1.9 h left" in said


def test_make_paper_plans_and_then_runs_the_tables_grid():
    command = ["make", "-n", "paper", "TABLE=6", "DATA=my/rap", "WEIGHTS=my/resnet50.pth", "MS=90"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    words = "plan.py '6' --data-root 'my/rap' --weights 'my/resnet50.pth' --ms-per-step '90'"
    assert words in said
    assert "grid='paper/table5_6'" in said
    assert "data_root='my/rap' weights='my/resnet50.pth'" in said
    dry = subprocess.run([*command, "DRY=1"], cwd=ROOT, capture_output=True, text=True).stdout
    assert words in dry
    assert "snakemake" not in dry


def test_the_command_line_takes_a_grid_of_the_paper(monkeypatch):
    asked = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("dcl.experiment.grid.run_all", lambda runs: asked.extend(runs) or 0)
    assert main(["grid", "paper/table3", "--data-root", "my/celeba"]) == 0
    assert asked[0].records == ("results/paper/table3/dcl-ss-seed0.json",)
    assert asked[0].config.data_root == "my/celeba"


@grids
def test_every_method_of_a_grid_is_rehearsed_on_drawn_data(path, stand_ins, tmp_path):
    for run_ in runs_of(path):
        if run_.config.seed == 0:
            experiment = run_.config.experiment
            drawn = {"data_root": "", "profile": "quick", "device": "cpu"}
            results = str(tmp_path / f"{run_.name}.json")
            config = replace(run_.config, **drawn, **FOR_TWO_CORES[experiment], results=results)
            record = run(config, data=stand_ins[experiment], show=False)
            assert record["method"] == config.method
            assert Path(results).is_file()


def drawn(folder: Path, names: list[str], size: tuple[int, int]) -> None:
    """An image of noise for each name."""
    noise = np.random.default_rng(len(names))
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"lossless": True} if path.suffix == ".webp" else {}
        pixels = noise.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)


def of_both_classes(labels: np.ndarray, rows: np.ndarray, count: int) -> list[int]:
    """The first rows, and for each attribute the first ones of either class."""
    of_each = [rows[labels[rows, a] == k][:2] for a in range(labels.shape[1]) for k in (0, 1)]
    return sorted({*rows[:count].tolist(), *np.concatenate(of_each).tolist()})


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """Experiment -> a folder in the layout of its data: the whole files of labels, a few images."""
    root = tmp_path_factory.mktemp("layouts")
    with zipfile.ZipFile(real_data("celeba.zip")) as archive:
        for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
            archive.extract(f"celeba/{name}", root)
    attributes = celeba_annotation.read_attributes(root / "celeba" / "list_attr_celeba.txt")
    parts = celeba_annotation.read_partition(root / "celeba" / "list_eval_partition.txt")
    for code, count in enumerate((200, 60, 60)):
        rows = np.flatnonzero(parts.to_numpy() == code)
        chosen = of_both_classes(attributes.to_numpy(), rows, count)
        drawn(root / "celeba" / "img_align_celeba", list(attributes.index[chosen]), (178, 218))
    (root / "rap").mkdir()
    shutil.copy(real_data("RAP_annotation.mat"), root / "rap")
    annotation = read_rap(root / "rap" / "RAP_annotation.mat", "all")
    for rows in annotation.partitions[0].values():
        chosen = of_both_classes(annotation.labels, rows, 50)
        drawn(root / "rap" / "RAP_dataset", [annotation.images[row] for row in chosen], (60, 120))
    for split, count in (("train", 4), ("test", 2)):
        names = [f"class_{c:02}/{c:02}_{n}.webp" for c in range(100) for n in range(count)]
        drawn(root / "cifar100" / split, names, (32, 32))
    return {"celeba": root / "celeba", "pedestrians": root / "rap", "cifar100": root / "cifar100"}


def test_tables_2_to_4_share_all_but_their_methods():
    contents = [yaml.safe_load((PAPER / f"table{n}.yaml").read_text("utf8")) for n in (2, 3, 4)]
    first, *others = [(content["experiment"], content["parameters"]) for content in contents]
    assert others == [first, first]


OF_OTHER_DATA = [path for path in PATHS if path.stem not in ("table3", "table4")]


@pytest.mark.parametrize("path", OF_OTHER_DATA, ids=lambda path: path.stem)
def test_a_grid_is_rehearsed_from_the_layout_and_the_labels_of_its_data(path, layouts, tmp_path):
    """Loaded, packed, trained and tested, by the first row of the grid."""
    config = runs_of(path)[0].config
    smaller = {"celeba": {}, "pedestrians": {"height": 64}, "cifar100": {"val_per_class": 1}}
    if path.stem == "table5_6-protocol51":  # the same network, tested by table5_6
        smaller["pedestrians"]["backbone"] = "small"
    config = replace(
        config,
        data_root=str(layouts[config.experiment]),
        profile="quick",
        device="cpu",
        results=str(tmp_path / "record.json"),
        **smaller[config.experiment],
    )
    record = run(config, show=False)
    name, images, attributes = {
        "celeba": ("celeba", planner.notes(path)["train_images"], 40),
        "pedestrians": (
            "rap",
            planner.notes(path)["train_images"],
            70 if path.stem == "table5_6" else 51,
        ),
        "cifar100": ("cifar100", cifar.CLASSES * cifar.PER_CLASS, 1),
    }[config.experiment]
    assert record["dataset"]["name"] == name
    assert record["dataset"]["expected"]["train"] == images  # by the labels: few have an image
    assert record["dataset"]["found"]["train"] < images / 10
    assert len(record["test"]["per_attribute"]) == attributes


def test_a_note_of_a_grid_is_no_parameter():
    content = yaml.safe_load((PAPER / "table2.yaml").read_text("utf8"))
    own = {"table", "train_images", "ms_per_step", "paper_ms_per_step"}
    assert set(content["paper"]) == own
    assert "ms_per_step" not in runs_of(PAPER / "table2.yaml")[0].parameters


def test_the_page_on_full_size_states_what_the_plan_does():
    page = (ROOT / "book" / "full_size.md").read_text("utf8")
    for path in PATHS:
        about, runs = planner.notes(path), runs_of(path)
        steps = planner.steps(runs[0], about["train_images"])
        each = steps * planner.step_time(about, None)[0] / 3.6e6
        words = [f"{each:,.1f}", f"{each * len(runs):,.1f}", f"{each * len(runs) / 4:,.1f}"]
        papers = steps * about.get("paper_ms_per_step", 0) * len(runs) / 3.6e6
        words.append(f"{papers:,.1f}" if papers else "not stated")
        row = [f"`{path.stem}`", str(len(runs)), f"{steps:,}", *words]
        assert f"| {' | '.join(row)} |" in page


def test_the_page_on_full_size_states_what_a_gpu_took():
    page = (ROOT / "book" / "full_size.md").read_text("utf8")
    for table, words in (("2", "2 to 4"), ("5_6", "5, 6"), ("7", "7")):
        network = NETWORKS[OF_TABLE[table]]
        cited = " {cite}`sun2014`" if table == "2" else ""
        steps = timed(table), timed(table, "cross-entropy"), timed(table, "dcl", "bfloat16")
        memory = [timed(table, "dcl", p, "peak MiB") / 1024 for p in ("float32", "bfloat16")]
        row = [
            f"{OF_TABLE[table]}{cited}, Table{'s' * (table != '7')} {words}",
            f"{network.size[0]} × {network.size[1]}",
            *(f"{step:.{2 if step < 10 else 1}f}" for step in steps),
            *(f"{gigabytes:.1f}" for gigabytes in memory),
        ]
        assert f"| {' | '.join(row)} |" in page
    page = " ".join(page.split())
    more = [timed(t) - timed(t, "cross-entropy") for t in ("2", "5_6", "7")]
    assert f"by {min(more):.1f} to {max(more):.1f} ms a step in float32" in page
    before = pd.read_csv(ROOT / "results" / "gpu" / "nvidia-h200-earlier.csv")
    before = before.set_index(["setting", "method", "precision", "part"])["median"]
    ours, plain = (
        before["full size, DeepID2", method, "float32", "step"]
        for method in ("dcl", "cross-entropy")
    )
    assert f"had DeepID2 at {ours:.2f} ms with DCL and {plain:.2f} with cross entropy" in page
    table2 = runs_of(PAPER / "table2.yaml")
    minutes = planner.steps(table2[0], celeba.OFFICIAL["train"]) * timed("2") / 60e3
    assert f"300 epochs of DCL are {minutes:.0f} minutes" in page


def test_the_page_on_full_size_states_what_a_whole_training_took():
    page = " ".join((ROOT / "book" / "full_size.md").read_text("utf8").split())
    gpu = ROOT / "results" / "gpu"
    epochs = pd.read_csv(gpu / "nvidia-h100-training.csv")
    (run,) = [run for run in runs_of(PAPER / "table2.yaml") if run.name == "dcl-seed0"]
    steps = planner.steps(run, celeba.OFFICIAL["train"])
    assert len(epochs) == run.parameters["epochs"]
    spent = epochs["ms_per_step"].mean() * steps / 60e3
    assert f"{steps:,} steps took {spent:.1f} minutes" in page
    assert f"{epochs['ms_per_step'].median():.1f} ms each in the median epoch" in page
    log = (gpu / "nvidia-h100-training.log").read_text("utf8")
    seconds = [int(word) for word in re.findall(r"^\[(\d+) s\]", log, re.MULTILINE)]
    whole = sum(seconds[1::2]) - sum(seconds[::2])  # each start and end
    assert f"the command took {whole / 60:.0f}, stopped once" in page


def test_the_page_on_full_size_states_the_bytes_of_the_images():
    page = (ROOT / "book" / "full_size.md").read_text("utf8")
    pixels = {
        "Tables 2 to 4": sum(celeba.OFFICIAL.values()) * DeepID2.size[0] * DeepID2.size[1],
        "Tables 5, 6": 41_585 * 256 * 128,
        "Table 7": cifar.CLASSES * (cifar.PER_CLASS + cifar.TEST_PER_CLASS) * 32 * 32,
    }
    for table, number in pixels.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {table} |")]
        assert row.endswith(f" {3 * number / 1e9:.1f} GB |")
