"""What is handed to others: the package, its import, its public names, the rooms of its source."""

import ast
import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from test_project import ROOT, committed

import dcl

HEAVY = ("pandas", "sklearn", "scipy", "torchvision", "matplotlib", "IPython")
EXTRAS = (*HEAVY, "numpy", "seaborn", "PIL", "tqdm", "safetensors", "yaml", "papermill")
PUBLIC = set(  # adding a name is free, taking one away breaks the code of others
    "balanced_accuracy Baseline BASELINES calibration_error count_classes Criterion DCLLoss "
    "decide DECISIONS DeepID2 dsl_loss dsl_weights evaluate Graphed loss_schedule make_criterion "
    "METHODS PRESETS schedule target_distribution triplet_loss tune_thresholds".split()
)
ROOMS = (
    "",
    "networks",
    "evaluation",
    "methods",
    "data",
    "experiment",
)  # each may import those before it
DOORS = ("dcl/__init__.py", "dcl/__main__.py", "dcl/api.py")  # they lead into every room
TORCH_ALONE = f"""
import sys
class Without:  # as if these were not installed: nothing is found
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        hidden = name.split(".")[0] in {EXTRAS!r}
        return None if hidden else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path = [Without(finder) for finder in sys.meta_path]
"""


def python(code: str, folder: Path = ROOT, *arguments: str) -> subprocess.CompletedProcess:
    """A fresh interpreter that finds `dcl` in this folder."""
    own = {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """(sdist, wheel) of the files under version control."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    names = [path.relative_to(ROOT) for path in committed()]
    for name in names:
        if name.parts[0] not in ("results", "notebooks"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The wheel, unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built[1]) as wheel:
        wheel.extractall(folder)
    return folder


def test_import_dcl_leaves_what_is_heavy_out():
    done = python(f"import dcl, sys; print(*[m for m in {HEAVY!r} if m in sys.modules])")
    assert done.stdout.split() == [], done.stdout + done.stderr


def test_public_names_stay():
    assert set(dcl.__all__) >= PUBLIC
    assert set(dir(dcl)) >= PUBLIC
    for name in dcl.__all__:
        getattr(dcl, name)
    with pytest.raises(AttributeError, match="no attribute 'DCLoss'"):
        dcl.DCLoss  # noqa: B018


def imported(path: Path) -> set[str]:
    """Modules of dcl that a file imports, anywhere in it, such as ``dcl.data.pack``."""
    package = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            # `from . import records`: the names may be modules, or may not
            names = {f"{module}.{alias.name}" for alias in node.names}
            found |= {n for n in names if is_module(n)} or {module}
    return {name for name in found if name.split(".")[0] == "dcl"}


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def room(name: str) -> str:
    """``dcl.data.drawn.faces`` is in the room ``data``, ``dcl.triplet`` on top."""
    first = name.split(".")[1:2]
    return first[0] if first and first[0] in ROOMS else ""


@pytest.mark.parametrize(
    "path", sorted((ROOT / "dcl").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_room_imports_only_those_before_it(path):
    name = path.relative_to(ROOT).as_posix()
    if name in DOORS:
        return
    here = ROOMS.index(room(name.removesuffix(".py").replace("/", ".")))
    for other in imported(path):
        assert ROOMS.index(room(other)) <= here, f"{name} imports {other}"


def test_the_sdist_holds_what_a_build_and_a_reader_need(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert built[0].name == f"dcl_companion-{dcl.__version__}.tar.gz"
    assert names >= {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO"}
    assert names >= {str(path.relative_to(ROOT)) for path in committed("dcl/*")}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
    assert names == {str(path.relative_to(ROOT)) for path in committed("dcl/*")}
    assert f"Version: {dcl.__version__}" in lines
    needed = [line for line in lines if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert len(needed) == 1, needed
    assert needed[0].startswith("Requires-Dist: torch")
    extras = {line.split(": ")[1] for line in lines if line.startswith("Provides-Extra")}
    assert extras == {"experiment", "book", "test", "grid", "bench", "trainers", "parquet"}


def test_what_is_uploaded_is_accepted(built):
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, built)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wheel_alone_with_torch_runs_the_loop_of_the_readme(installed):
    loop = (ROOT / "README.md").read_text("utf8").split("```python\n")[1].split("```")[0]
    where = "import dcl; print(dcl.__file__, float(loss.detach()))"
    done = python(f"{TORCH_ALONE}\n{loop}\n{where}", installed)
    assert done.stdout.startswith(str(installed)), done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["run", "celeba"], ["grid", "quick"], ["check", "--all"]])
def test_a_wheel_alone_with_torch_says_which_extra_a_command_needs(installed, arguments):
    code = "import runpy; runpy.run_module('dcl', run_name='__main__', alter_sys=True)"
    done = python(TORCH_ALONE + code, installed, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("python -m dcl: "), done.stderr
    assert "pip install 'dcl-companion[experiment]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_version_is_the_newest_of_the_changelog_and_the_citation():
    headings = [
        line.removeprefix("## ")
        for line in (ROOT / "CHANGELOG.md").read_text("utf8").splitlines()
        if line.startswith("## ")
    ]
    assert headings[0].split()[0] == dcl.__version__
    assert f"\nversion: {dcl.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf8")


def archive_script():
    """book/archive.py as a module; `book` is no package."""
    spec = importlib.util.spec_from_file_location("archive", ROOT / "book" / "archive.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def small_tree(folder: Path, time: int) -> dict[str, Path]:
    """A few files, made in another order and at another time in each call."""
    contents = {"b/run.json": b"{}", "a.md": b"words", "weights.safetensors": bytes(range(256)) * 9}
    for name in sorted(contents, reverse=time % 2 == 1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[name])
        os.utime(path, (time, time))
    (folder / "a.md").chmod(0o755)
    return {name: folder / name for name in sorted(contents, reverse=time % 2 == 0)}


def test_the_same_files_give_the_same_archive_to_the_bit(tmp_path):
    script, written = archive_script(), []
    for time in (1_000_000, 2_000_001):
        files = small_tree(tmp_path / str(time), time)
        script.write(files, tmp_path / f"{time}.tar.gz", "dcl-9", time=3)
        written.append((tmp_path / f"{time}.tar.gz").read_bytes())
    assert written[0] == written[1]
    assert not list(tmp_path.glob(".*.part"))


def test_the_manifest_of_an_archive_names_every_file_and_its_hash(tmp_path):
    archive_script().write(small_tree(tmp_path / "x", 1), tmp_path / "x.tar.gz", "dcl-9", time=3)
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    folder = tmp_path / "out" / "dcl-9"
    lines = (folder / "MANIFEST.sha256").read_text().splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {str(path.relative_to(folder)) for path in files} == {*listed, "MANIFEST.sha256"}
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert os.access(folder / "a.md", os.X_OK)


def test_the_archive_holds_what_is_committed_and_what_was_built(tmp_path):
    script = archive_script()
    committed()  # skips where there is no git
    found = set(script.members(ROOT))
    assert found >= {str(path.relative_to(ROOT)) for path in committed("results/*")}
    assert found >= {"README.md", "dcl/criterion.py", ".ci/run"}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "_build" / "html" / "book").mkdir(parents=True)
    (tmp_path / "_build" / "html" / "book" / "intro.html").write_text("a page")
    (tmp_path / "_build" / "dcl-companion.pdf").write_text("all pages")
    (tmp_path / "notes.md").write_text("not committed")
    assert set(script.members(tmp_path)) == {"book-html/book/intro.html", "dcl-companion.pdf"}
