"""The promises of the project: environments agree, pages exist, notebooks and files are clean."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import fastjsonschema
import mlcroissant
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from setuptools import find_packages
from sphinx_external_toc.parsing import parse_toc_yaml

import dcl
from dcl.data.drawn.faces import ATTRIBUTES

ROOT = Path(__file__).resolve().parents[2]
LARGEST_FILE = 500 * 1024
LARGEST_RECORD = 600 * 1024  # of 300 epochs
LARGEST_WEIGHTS = 4 * 1024**2  # of a published run


def requirements() -> dict[str, Requirement]:
    """Every package that the project or an extra of it asks for; an extra may hold another."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    found = [Requirement(line) for group in groups for line in group]
    return {canonicalize_name(r.name): r for r in found if r.name != project["name"]}


def committed(pattern: str = "*") -> list[Path]:
    """Files under version control; the test is skipped where there is none."""
    done = subprocess.run(
        ["git", "ls-files", "-z", pattern], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def notebook_cells() -> list[tuple[str, dict]]:
    """(file and number, cell) of every code cell of every committed notebook."""
    return [
        (f"{path.name}, cell {number}", cell)
        for path in committed("*.ipynb")
        for number, cell in enumerate(json.loads(path.read_text("utf8"))["cells"], 1)
        if cell["cell_type"] == "code"
    ]


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def test_conda_installs_by_pip_what_make_setup_installs():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    *conda, by_pip = listed
    line = re.search(r"^INSTALL := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    line = line.replace("$(CONSTRAINTS)", "constraints.txt").replace("'", "")
    assert conda == ["python=3.11", "pip"]
    assert " ".join(by_pip["pip"]) == line


def test_a_package_has_the_same_bounds_in_every_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for group in project["optional-dependencies"].values() for line in group]
    assert len({Requirement(line).name for line in lines}) == len(set(lines))


def test_every_requirement_has_a_lower_and_an_upper_bound():
    for requirement in requirements().values():
        assert {">=", "<"} == {bound.operator for bound in requirement.specifier}, str(requirement)


def test_every_requirement_has_a_known_good_pin_within_its_bounds():
    lines = [
        line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()
    ]
    pins = dict(line.split("==") for line in lines if line)
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    for name, requirement in requirements().items():
        assert requirement.specifier.contains(pins[name], prereleases=True), (
            f"{requirement}: {pins[name]}"
        )


def test_every_entry_of_the_contents_exists():
    for entry in parse_toc_yaml(ROOT / "book" / "_toc.yml"):
        assert any((ROOT / f"{entry}{suffix}").is_file() for suffix in (".md", ".ipynb")), entry


def test_every_make_command_of_the_readme_is_a_target():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    commands = re.findall(
        r"^(?:\$ )?make ([a-z-]+)|`make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    named = {first or second for first, second in commands}
    assert named >= {"book", "test"}
    assert named <= set(targets)


def test_committed_notebooks_have_outputs_only_where_they_are_checked():
    for where, cell in notebook_cells():
        assert not cell["outputs"] or "nbval-check-output" in tags(cell), (
            f"{where}: clear its output"
        )
        numbered = cell["execution_count"] is not None
        assert numbered == bool(cell["outputs"]), (
            f"{where}: nbval takes an output without a cell number for an error; "
            "a number without an output is noise"
        )


def test_lines_of_notebooks_fit_the_page():
    for where, cell in notebook_cells():
        for line in "".join(cell["source"]).splitlines():
            assert len(line) <= 75, f"{where}: {line}"


def test_blocks_of_code_in_pages_fit_the_page():
    fence = re.compile(r"^(`{3,}) ?\w+\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
    for page in committed("book/*.md"):
        for _, block in fence.findall(page.read_text("utf8")):
            for line in block.splitlines():
                assert len(line) <= 95, f"{page.name}: {line}"


def test_few_folded_cells_interrupt_a_page():
    pages = [
        where.split(",")[0]
        for where, cell in notebook_cells()
        if {"hide-input", "parameters"} & set(tags(cell))  # the build folds the parameters
    ]
    many = {page: pages.count(page) for page in set(pages) if pages.count(page) > 4}
    assert not many, f"tag cells that draw or print `remove-input`: {many}"


def test_a_paragraph_that_a_cell_says_is_shown_or_glued():
    for where, cell in notebook_cells():
        for line in ast.parse("".join(cell["source"])).body[:-1]:
            call = getattr(line, "value", None)
            if isinstance(line, ast.Expr) and ast.unparse(getattr(call, "func", call)) == "say":
                assert "glued_as" in [keyword.arg for keyword in call.keywords], where


def test_parameters_of_a_notebook_are_typed_and_come_first():
    names = [where.split(",")[0] for where, _ in notebook_cells()]
    for (where, cell), name, before in zip(notebook_cells(), names, [None, *names], strict=False):
        if "parameters" in tags(cell):
            assert name != before, (
                f"{where}: not the first code cell, or a second one with parameters"
            )
            for statement in ast.parse("".join(cell["source"])).body:
                assert isinstance(statement, ast.AnnAssign), f"{where}: {ast.unparse(statement)}"


def test_no_large_file_is_committed():
    sizes = {path: path.stat().st_size for path in committed()}
    limits = {
        path: LARGEST_WEIGHTS
        if path.suffix == ".safetensors"
        else LARGEST_RECORD
        if path.match("results/*/*-epochs-300-*.json")
        else LARGEST_FILE
        for path in sizes
    }
    assert not [path.name for path in sizes if sizes[path] > limits[path]]


def test_an_installed_package_holds_every_folder_of_dcl():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = find_packages(str(ROOT), **project["tool"]["setuptools"]["packages"]["find"])
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "dcl").rglob("*.py")}
    assert sorted(found) == sorted(".".join(folder.parts) for folder in folders)


def workflow_steps() -> list[tuple[str, dict]]:
    """(file, step) of every step of every workflow."""
    return [
        (path.name, step)
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        for job in yaml.safe_load(path.read_text("utf8"))["jobs"].values()
        for step in job["steps"]
    ]


def test_workflows_are_what_the_service_reads():
    files = sorted(map(str, (ROOT / ".github" / "workflows").glob("*.yml")))
    schema = ["--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, *files], capture_output=True, text=True
    )
    assert files
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_workflow_runs_only_what_the_ci_script_runs_too():
    script = (ROOT / ".ci" / "run").read_text("utf8").splitlines()
    for name, step in workflow_steps():
        if "run" in step and not step.get("name", "").startswith("the service: "):
            command = re.sub(r" [A-Z]+=\S+(?: }})?(?= |$)", "", step["run"].replace("${{ ", "${{"))
            assert command in script, f"{name}: {step['run']}"
        if step.get("name", "").startswith("the service: "):
            assert "\n" not in step["run"].strip(), f"{name}: {step['name']}"


def test_workflows_run_every_python_and_both_ends_of_the_range_of_torch():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf8"))["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {line.split(" :: ")[-1] for line in project["classifiers"] if "Python :: 3." in line}
    assert set(matrix["python"]) == named
    assert project["requires-python"] == f">={min(named)}"
    ends = [f".github/{end}-torch.txt" for end in ("oldest", "newest")]
    assert matrix["constraints"] == ["constraints.txt", *ends]
    assert matrix["exclude"] == [{"python": max(named), "constraints": ends[0]}]
    oldest, newest = (
        dict(
            line.split("==")
            for line in (ROOT / end).read_text().splitlines()
            if not line.startswith("#")
        )
        for end in ends
    )
    assert oldest.keys() == newest.keys() == {"torch", "torchvision"}
    for name, version in oldest.items():
        bounds = {b.operator: b.version for b in requirements()[name].specifier}
        assert version == f"{bounds['>=']}.0"
        major, minor = (int(number) for number in newest[name].split(".")[:2])
        assert bounds["<"] == f"{major}.{minor + 1}"  # the last series that is let in


def test_make_commands_of_workflows_scripts_and_pages_are_targets():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    texts = [(ROOT / ".ci" / "run").read_text("utf8")]
    texts += [path.read_text("utf8") for path in (ROOT / "book").glob("*.md")]
    texts += [step["run"] for _, step in workflow_steps() if "run" in step]
    named = {
        name for text in texts for name in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
    }
    assert named >= {"test", "book", "check-book", "archive", "paper", "results"}
    assert named <= targets


def test_an_audit_of_the_workflows_finds_nothing():
    command = [
        Path(sys.executable).with_name("zizmor"),
        "--offline",
        "--quiet",
        ".github/workflows",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_before_a_commit_are_commands_of_make_test():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    recipe = (ROOT / "Makefile").read_text().split("\ntest: ")[1].split("\n\n")[0]
    entries = [hook["entry"].replace(".venv/bin/python", "$(PY)") for hook in hooks]
    assert all(entry in recipe for entry in entries[:2])
    assert entries[2].startswith("$(PY) -m pytest")


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("vendor.citation-file-format", "CITATION.cff"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ],
)
def test_what_machines_read_is_as_its_schema_says(kind, path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", kind, path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_first_pages_lead_to_files(name):
    links = re.findall(r"\]\(([^)#\s]+)\)", (ROOT / name).read_text("utf8"))
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


PATH = re.compile(r"\b(?:book|dcl|notebooks|tests)/[\w./-]+\.(?:md|py|ipynb|yaml|css|js)\b(?!\w)")


def test_files_that_texts_and_docstrings_name_are_there():
    texts = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "Snakefile")]
    texts += [*ROOT.glob("book/**/*.md"), *ROOT.glob("dcl/**/*.py"), *ROOT.glob("book/**/*.py")]
    texts.remove(ROOT / "book" / "extend.md")  # its example's files
    named = {(text, path) for text in texts for path in PATH.findall(text.read_text("utf8"))}
    assert len(named) > 20
    roots = (ROOT, ROOT / "book")
    gone = [(t.name, p) for t, p in named if not any((root / p).exists() for root in roots)]
    assert gone == []


def test_every_record_is_as_its_schema_says():
    schema = json.loads((ROOT / "book" / "metadata" / "record.schema.json").read_text("utf8"))
    check = fastjsonschema.compile(schema)
    paths = committed("results/*.json")
    assert paths
    for path in paths:
        record = json.loads(path.read_text("utf8"))
        try:
            check(record)
        except fastjsonschema.JsonSchemaValueException as error:
            pytest.fail(f"{path.relative_to(ROOT)}: {error}")
    with pytest.raises(fastjsonschema.JsonSchemaValueException, match="schema"):
        check(record | {"schema": 1})
    with pytest.raises(fastjsonschema.JsonSchemaValueException, match="mA"):
        check(record | {"test": record["test"] | {"mA": 101}})


@pytest.mark.parametrize("name", ["records", "synthfaces"])
def test_what_describes_the_data_to_machines_is_valid(name):
    described = mlcroissant.Dataset(jsonld=str(ROOT / f"book/metadata/croissant-{name}.json"))
    assert described.metadata.version == dcl.__version__
    if name == "synthfaces":  # its table is in the checkout: what is described is what is there
        rows = list(described.records("attributes"))
        assert [row["attributes/attribute"].decode() for row in rows] == list(ATTRIBUTES)
