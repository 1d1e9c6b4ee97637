"""The grid of runs: what a grid file may say, and what Snakemake makes of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from dcl.experiment.config import ConfigError, resolve
from dcl.experiment.datasets import CelebA
from dcl.experiment.grid import (
    find_grid,
    papermill_options,
    read_grid,
    records_folder,
    run_all,
)

ROOT = Path(__file__).resolve().parents[2]
GRIDS = ROOT / "notebooks" / "grids"
QUICK = {
    "experiment": "celeba",
    "parameters": {"profile": "quick", "train_images": 200},
    "methods": ["dcl", "cross-entropy"],
    "seeds": [0, 1],
}


def written(folder: Path, **changes) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(QUICK | changes))
    return path


def snakemake(folder: Path, *options: str, root: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(os.cpu_count()), *options]
    own = {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | own)


def test_a_grid_is_every_method_with_every_seed(tmp_path):
    runs = read_grid(written(tmp_path), {})
    assert [run.name for run in runs] == [
        "dcl-seed0",
        "cross-entropy-seed0",
        "dcl-seed1",
        "cross-entropy-seed1",
    ]
    assert runs[3].records == ("results/mine/cross-entropy-seed1.json",)
    assert runs[2].config.method == "dcl"
    assert runs[2].config.seed == 1
    assert runs[2].parameters["results"] == runs[2].config.results == runs[2].records[0]


def test_what_is_kept_with_a_record_is_not_in_its_name(tmp_path):
    kept = {"method": "dcl", "epochs": 3, "keep_weights": True, "keep_scores": True}
    run, *_ = read_grid(written(tmp_path, methods=[kept]), {})
    assert run.name == "dcl-epochs-3-seed0"
    assert run.config.keep_weights
    assert run.parameters["keep_scores"] is True
    both = ["dcl", {"method": "dcl", "keep_scores": True}]
    with pytest.raises(ConfigError, match=r"two entries .* the record dcl-seed0\.json"):
        read_grid(written(tmp_path, methods=both), {})


def test_the_runs_of_the_length_grid_that_kept_their_weights_are_found_by_their_names():
    runs = read_grid(GRIDS / "celeba-30k-length.yaml", {}, str(ROOT / "results"))
    kept = [run for run in runs if run.config.keep_weights and run.config.seed < 3]
    assert len(kept) == 6
    for run in kept:
        assert not run.missing()
        record = Path(run.records[0])
        assert record.with_suffix(".safetensors").is_file()
        assert record.with_suffix(".scores.npz").is_file()


def test_a_method_may_have_parameters_of_its_own(tmp_path):
    methods = [{"method": "dcl-ss", "sampling": "linear"}, {"method": "cross-entropy", "lr": 0.1}]
    first, second, *_ = read_grid(written(tmp_path, methods=methods), {})
    assert first.name == "dcl-ss-sampling-linear-seed0"
    assert first.config.sampling == "linear"
    assert second.records == ("results/mine/cross-entropy-lr-0.1-seed0.json",)
    assert second.config.lr == 0.1


def test_what_is_outside_the_checkout_is_named_by_its_place(tmp_path, monkeypatch):
    (tmp_path / "my_grid.py").write_text(
        "from dcl.experiment.datasets import CelebA\n"
        "from dcl.methods import METHODS\n"
        "FOCAL = METHODS['focal']\n"
        "class Mine(CelebA):\n    experiment = 'my_grid:Mine'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    given = {"experiment": "my_grid:Mine", "methods": ["my_grid:FOCAL"], "seeds": [0]}
    (run,) = read_grid(written(tmp_path, **given), {})
    assert run.config.experiment == "my_grid:Mine"
    assert run.config.method == "my_grid:FOCAL"
    assert run.records == ("results/mine/my_grid.FOCAL-seed0.json",)  # Windows has no colon


def test_a_run_with_its_records_misses_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = read_grid(written(tmp_path), {})[1]
    for number, name in enumerate(run.records):
        assert run.missing() == list(run.records[number:])
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("{}")
    assert run.missing() == []


def test_a_grid_below_the_checkout_finds_the_records_that_its_runs_leave(tmp_path, monkeypatch):
    (tmp_path / "_config.yml").touch()
    (tmp_path / "dcl").mkdir()
    (tmp_path / "dcl" / "__init__.py").touch()
    (tmp_path / "notebooks" / "grids").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks")
    folder = resolve("notebooks/grids")
    path = written(tmp_path / "notebooks" / "grids")
    assert records_folder(folder, path) == records_folder(folder, Path("grids", path.name))
    run, *_ = read_grid(path, {}, records_folder(folder, path))
    (tmp_path / run.records[0]).parent.mkdir(parents=True)
    (tmp_path / run.records[0]).write_text("{}")
    assert run.records[0] not in run.missing()


def test_an_override_wins_over_the_file(tmp_path):
    (run, *_) = read_grid(written(tmp_path), {"train_images": 300})
    assert run.config.train_images == 300
    real = {"data_root": "elsewhere", "train_images": CelebA().train_images}
    (run, *_) = read_grid(written(tmp_path), real)
    assert run.config.data_root == "elsewhere"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"experiment": "mnist"}, "unknown data set 'mnist': choose one of celeba, cifar100"),
        ({"methods": ["sgd"]}, "unknown method 'sgd'"),
        ({"methods": []}, "methods must be a list"),
        ({"methods": ["dcl", "dcl"]}, "methods has 'dcl' twice"),
        ({"methods": ["moved-threshold"]}, "the record of cross-entropy holds it"),
        ({"methods": [3]}, "got 3"),
        ({"methods": [{"sampling": "linear"}]}, "got {'sampling': 'linear'}"),
        ({"methods": [{"method": "dcl", "seed": 1}]}, "a method with its parameters"),
        ({"methods": [{"method": "dcl", "sampling": "no"}]}, "sampling"),
        ({"seeds": [0, 0]}, "seeds has 0 twice"),
        ({"seeds": ["a"]}, "seed"),
        ({"parameters": {"seed": 3}}, "seed is set by the grid"),
        ({"parameters": {"epoch": 3}}, "epoch"),
        ({"parameters": {"epochs": "many"}}, "epochs"),
        ({"more": 1}, "a grid has the keys"),
    ],
)
def test_a_bad_grid_is_refused_with_its_file(tmp_path, changes, words):
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigError) as caught:
        read_grid(path, {})
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_yaml_is_refused_with_its_file(tmp_path):
    path = tmp_path / "bad.yaml"
    for content in (b"{a: [", b"\xff\xfe\x00", b"just words", b""):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"bad\.yaml"):
            read_grid(path, {})


def test_an_unknown_grid_names_the_known_ones():
    known = sorted(path.stem for path in GRIDS.glob("*.yaml"))
    with pytest.raises(ConfigError, match=f"{', '.join(known)}, cifar100/fifth, .*paper/table2"):
        find_grid(GRIDS, "celebA")
    with pytest.raises(ConfigError, match=r"peta/official, or give a \.yaml file"):
        find_grid(GRIDS, "celebA")


def test_where_there_is_no_grid_a_file_is_asked_for(tmp_path):
    with pytest.raises(ConfigError, match=rf"{tmp_path} has none, give a \.yaml file"):
        find_grid(tmp_path, "celebA")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, BrokenPipeError])
def test_a_grid_that_is_stopped_says_how_to_go_on(stop, monkeypatch):
    def stopped(config):
        raise stop

    monkeypatch.setattr("dcl.experiment.run.run", stopped)
    runs = [run for run in read_grid(GRIDS / "quick.yaml", {}, "nowhere") if run.missing()]
    with pytest.raises(stop) as caught:
        run_all(runs)
    assert caught.value.__notes__ == ["the same command makes the records that are missing"]


def test_every_grid_of_the_project_is_valid():
    for path in GRIDS.rglob("*.yaml"):
        if path.parent.name != "slurm":
            assert read_grid(path, {})


def test_text_that_looks_like_a_number_stays_text():
    assert papermill_options({"protocol": "51", "lr": 0.1}) == [
        "-r",
        "protocol",
        "51",
        "-p",
        "lr",
        "0.1",
    ]


@pytest.mark.parametrize(
    ("grid", "listed", "options"),
    [
        ("paper/table3", "results/paper/table3/dcl-ss-tl-seed4.json", []),
        ("quick", "cross-entropy-seed0", ["--profile", str(GRIDS / "slurm")]),
    ],
)
def test_a_dry_run_lists_what_is_missing_of_the_papers_grids_and_for_a_cluster(
    grid, listed, options, tmp_path
):
    has = {"paper/table3": "dcl-ss-seed0", "quick": "dcl-seed0"}[grid]
    record = tmp_path / "results" / grid / f"{has}.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    given = [f"grid={grid}", f"threads={os.cpu_count()}"]
    done = snakemake(tmp_path, "--dry-run", "-p", *options, "--config", *given)
    assert done.returncode == 0, done.stderr
    assert listed in done.stdout
    assert has not in done.stdout.replace(f"{has[:-1]}1", "")
    if not options:
        assert "env -u OMP_NUM_THREADS" in done.stdout  # the training takes its share, see machine


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": [0, 0]}, "seeds has 0 twice"),
        ({"experiment": "table", "parameters": {}}, "table.ipynb, which is missing: write it"),
    ],
)
def test_a_bad_grid_ends_snakemake_with_our_words(tmp_path, changes, words):
    path = written(tmp_path, **changes)
    done = snakemake(tmp_path, "--dry-run", "--config", f"grid={path}")
    assert done.returncode
    assert words in done.stdout + done.stderr
    assert "seeds" in changes or f"python -m dcl grid {path}" in done.stdout + done.stderr


NOTEBOOK = """
import json
from pathlib import Path
path = Path(results)  # as a run's `config.record_path`, without the seconds that torch takes
path.parent.mkdir(parents=True, exist_ok=True)
checkpoint = path.with_suffix(".checkpoint")
if checkpoint.exists():
    raise ValueError(f"{checkpoint} cannot be read")
path.write_text(json.dumps({"method": method, "seed": seed}))
"""


def test_a_failed_run_stops_no_other_is_listed_and_tried_again(tmp_path):
    """Of a project whose notebook has the parameters of ours, and trains nothing."""
    shutil.copy(ROOT / "Snakefile", tmp_path)
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.read(ROOT / "notebooks" / "celeba.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells = [*cells, nbformat.v4.new_code_cell(NOTEBOOK)]
    nbformat.write(notebook, tmp_path / "notebooks" / "celeba.ipynb")
    grid = written(tmp_path, seeds=[0], methods=["dcl", "focal"])
    results = tmp_path / "results" / "mine"
    results.mkdir(parents=True)
    (results / "dcl-seed0.checkpoint").write_bytes(b"torn")
    options = ["--keep-going", "--keep-incomplete", "--nolock", "--config", f"grid={grid}"]

    first = snakemake(tmp_path, *options, root=tmp_path)
    assert first.returncode
    assert "1 of 2 runs failed" in first.stderr
    assert "dcl-seed0: " in first.stderr
    assert "dcl-seed0.checkpoint" in first.stderr
    before = (results / "focal-seed0.json").read_bytes()
    assert json.loads(before)["method"] == "focal"

    (results / "dcl-seed0.checkpoint").unlink()
    second = snakemake(tmp_path, *options, root=tmp_path)
    assert second.returncode == 0, second.stderr
    assert "all 2 runs have their record" in second.stdout
    assert json.loads((results / "dcl-seed0.json").read_text())["method"] == "dcl"
    assert (results / "focal-seed0.json").read_bytes() == before
