"""The notebooks' parameters are their configurations', and what cannot be stops a run."""

import ast
import base64
import dataclasses
import importlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pandas as pd
import papermill
import pytest
from bs4 import BeautifulSoup
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from dcl.experiment.config import ConfigError, Training, from_notebook
from dcl.experiment.datasets import DATASETS
from dcl_book import figures
from dcl_book.figures.style import title_in
from dcl_book.pages import from_page, meanings_of
from dcl_book.your_data import YourData

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
EXPERIMENTS = {
    **{name: cls for name, cls in DATASETS.items() if name != "table"},  # a notebook for each
    "your_data": YourData,  # of table
}
PAGES = sorted({path.stem for path in NOTEBOOKS.glob("*.ipynb")} - set(EXPERIMENTS))


@pytest.fixture
def build(monkeypatch):
    """The module that builds the book."""
    monkeypatch.syspath_prepend(NOTEBOOKS.parent / "book")
    return importlib.import_module("build")


def parameters_cell(name: str) -> str:
    path = NOTEBOOKS / f"{name}.ipynb"
    assert path.is_file(), f"DATASETS has {name!r}, and a notebook goes with it: write {path}"
    notebook = nbformat.read(path, as_version=4)
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    return cell.source


def parameters(name: str) -> dict:
    """Name -> (type, default) of the cell tagged `parameters`."""
    return {
        line.target.id: (ast.unparse(line.annotation), ast.literal_eval(line.value))
        for line in ast.parse(parameters_cell(name)).body
        if isinstance(line, ast.AnnAssign)
    }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_parameters_are_the_configurations_fields_with_their_defaults(name):
    cls = EXPERIMENTS[name]
    expected = {spec.name: spec.default for spec in dataclasses.fields(cls)}
    if issubclass(cls, Training):  # papermill passes only what the cell names
        expected = {name: option.default for name, option in cls.options().items()}
    found = parameters(name)
    listed = {key: default for key, (_, default) in found.items()}
    differ = sorted(k for k in listed.keys() | expected if listed.get(k) != expected.get(k))
    assert listed == expected, (
        f"the cell `parameters` of notebooks/{name}.ipynb lists every field and every method's "
        f"option with its default: see {', '.join(differ)}"
    )
    for key, (kind, default) in found.items():
        assert kind == type(default).__name__, key


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_type_default_and_meaning_of_each_parameter(name):
    cell, found = parameters_cell(name), parameters(name)
    assert len(found) == len(ast.parse(cell).body)  # nothing beside
    meanings = meanings_of(cell)
    assert meanings.keys() == found.keys()
    assert all(meanings.values())
    assert vars(from_page(ran(cell))).keys() == found.keys()


def ran(cell: str) -> dict:
    """The globals of a notebook after its parameters cell."""
    namespace = {"In": ["", cell]}
    exec(cell, namespace)
    return namespace


def check_of(name: str):
    """What a notebook's first call makes of the values that papermill puts into it."""
    notebook = load_notebook_node(str(NOTEBOOKS / f"{name}.ipynb"))
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    after = cells[cells.index(parameters_cell(name)) + 1]
    (call,) = re.findall(
        r"^config = (from_(?:page|notebook)\(.*?\))(?:  #.*)?$", after, re.M | re.S
    )

    def check(**values):
        given = parameterize_notebook(notebook, values, kernel_name="python3", language="python")
        cells = [
            c.source
            for c in given.cells
            if {*c.metadata.get("tags", [])} & {"parameters", "injected-parameters"}
        ]
        assert len(cells) == 2
        namespace = {"In": ["", *cells]}
        for cell in cells:
            exec(cell, namespace)
        named = {"from_page": from_page, "from_notebook": from_notebook, "YourData": YourData}
        named |= {cls.__name__: cls for cls in DATASETS.values()}
        return eval(call, named | {"globals": lambda: namespace})

    return check


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_its_defaults_and_refuses_another_name_and_type(name):
    check, found = check_of(name), parameters(name)
    settled = {"profile": "standard"} if "profile" in found else {}
    assert vars(check()) == {key: default for key, (_, default) in found.items()} | settled
    first = next(iter(found))
    with pytest.raises(ConfigError, match=f"unknown parameter '{first}s': did you mean '{first}'"):
        check(**{f"{first}s": 1})
    with pytest.raises(ConfigError, match=f"{first} must be a"):
        check(**{first: ["true"]})


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("schedulers", {"p": 1.5}, "p must be at least 0 and at most 1, got 1.5: self-learning"),
        ("schedulers", {"decay": 1}, "decay must be more than 0 and less than 1, got 1.0"),
        ("framework", {"batch_size": 63}, "batch_size must be at least 64, got 63: images"),
        ("easy_anchors", {"steps": "true"}, "steps must be a whole number, got 'true': of grad"),
        ("easy_anchors", {"hard": float("nan")}, "hard must be finite, got nan: share"),
        ("tabular", {"rare": 9}, "rare must be at least 10 and at most 212, got 9: malignant"),
        ("cost", {"profile": "fast"}, "profile must be one of auto, quick, standard, got 'fast'"),
        ("claims", {"results": 3}, "results must be a text, got 3: folder with"),
        ("celeba", {"samplng": "linear"}, "'samplng': did you mean 'sampling'"),
        ("celeba", {"epochs": "true"}, "epochs must be a whole number, got 'true'"),
        ("celeba", {"p": 2}, r"must lie in \[0, 1\], got 2"),
        ("tabular", {"seed": 3}, "'seed': did you mean 'seeds'"),
        ("tabular", {"seeds": 1}, "seeds must be at least 2, got 1: splits"),
    ],
)
def test_a_notebook_says_what_its_parameters_may_be(name, values, words):
    with pytest.raises(ConfigError, match=words):
        check_of(name)(**values)


@pytest.mark.filterwarnings("ignore")  # of papermill's own
def test_the_page_of_your_data_reads_a_table_of_ones_own(tmp_path):
    """As the README says it, with a table of features."""
    rows = [
        f"{n % 7 / 7 + (n % 3 == 0)},{n * n % 41},{'yes' if n % 3 else 'no'}" for n in range(90)
    ]
    (tmp_path / "mine.csv").write_text("\n".join(["a,b,label_cat", *rows]))
    given = {"table": str(tmp_path / "mine.csv"), "results": str(tmp_path), "epochs": 1}
    done = papermill.execute_notebook(
        NOTEBOOKS / "your_data.ipynb",
        tmp_path / "out.ipynb",
        given | {"profile": "quick", "lr": 0.01},
        cwd=NOTEBOOKS.parent,
        kernel_name="python3",
        progress_bar=False,
    )
    shown = str([cell.get("outputs") for cell in done.cells])
    assert "mine, 90 rows of 2 features" in shown
    assert len(list(tmp_path.rglob("*.json"))) >= 6  # three methods or more, two seeds


def test_a_limit_of_no_parameter_and_a_page_without_any_are_refused():
    namespace = ran("rounds: int = 2  # of measuring")
    with pytest.raises(ConfigError, match="unknown parameter 'round': did you mean 'rounds'"):
        from_page(namespace, round={"low": 1})
    with pytest.raises(ConfigError, match="in the cell after the parameters"):
        from_page({"rounds": 2})


def test_a_page_without_the_text_of_its_cells_is_checked_too():
    """nbval keeps no history of input."""
    namespace = ran("rounds: int = 2  # of measuring") | {"In": [""]}
    assert from_page(namespace).rounds == 2
    with pytest.raises(ConfigError, match="rounds must be .* got 'x': see the parameters cell"):
        from_page(namespace | {"rounds": "x"})


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("celeba", {"data_root": "/nowhere"}, "data_root /nowhere does not exist"),
        ("tabular", {"epochs": "true"}, "epochs must be a whole number, got 'true': of training"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of papermill's own, about the kernel it stops
def test_papermill_stops_at_what_cannot_be(name, values, words, tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match=words):
        papermill.execute_notebook(
            NOTEBOOKS / f"{name}.ipynb",
            tmp_path / "out.ipynb",
            parameters=values,
            progress_bar=False,
            kernel_name="python3",
        )


RESULTS = [  # chapters whose every number of ours comes from records
    *("claims", "when_to_use", "table2", "ablation", "tables5_6", "table7"),
    *("operating_point", "significance", "open_choices"),
    *("learning_rate", "length"),
]


@pytest.mark.parametrize("name", RESULTS)
def test_no_result_is_typed_into_the_prose_of_a_results_chapter(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        listed = "(every-choice)=" in cell.source  # values of parameters, no results
        if cell.cell_type == "markdown" and not listed:
            prose = re.sub(r"```.*?```|`[^`]*`|\$[^$]*\$", "", cell.source, flags=re.DOTALL)
            typed = re.findall(r"\d+\.\d+|\d+ ?%|\d+ points", prose.replace("95 % interval", ""))
            assert not typed, f"{name}: {typed} is typed: compute it in a cell"


def test_a_page_depends_on_what_it_imports_and_on_no_other_figure(build):
    def used(name):
        root = NOTEBOOKS.parent
        return {p.relative_to(root).as_posix() for p in build.code_of(NOTEBOOKS / f"{name}.ipynb")}

    celeba, claims = used("celeba"), used("claims")
    assert {
        "dcl/experiment/trainer.py",
        "dcl/sampling.py",
        "book/dcl_book/figures/runs.py",
    } <= celeba
    assert {"book/dcl_book/claims.py", "book/dcl_book/figures/forest.py"} <= claims
    assert "book/dcl_book/figures/forest.py" not in celeba  # a change of it runs no training again
    assert "dcl/experiment/trainer.py" not in claims


def test_the_pages_that_train_come_first_and_the_one_that_measures_times_alone(build, monkeypatch):
    def using(source):
        return {path.stem for path in NOTEBOOKS.glob("*.ipynb") if build.uses(source, path)}

    assert using(build.MEASURES) == {"cost"}
    trained = {"your_data", "celeba", "pedestrians", "cifar100"}
    assert using(build.TRAINS) == trained | {"cost", "weights"}
    begun = []
    monkeypatch.setattr(build, "state_of", lambda path, profile: "")
    monkeypatch.setattr(build, "up_to_date", lambda page, state: False)
    monkeypatch.setattr(build, "execute", lambda page, *_: begun.append(page))
    monkeypatch.setattr(build, "ProcessPoolExecutor", ThreadPoolExecutor)
    pages = {name: NOTEBOOKS / f"{name}.ipynb" for name in ("claims", "cost", "celeba", "length")}
    build.execute_all(pages, "quick", 1)
    assert begun == ["celeba", "claims", "length", "cost"]


def test_a_page_that_fails_stops_the_build_and_what_had_begun_is_kept(build, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "EXECUTED", tmp_path)
    monkeypatch.setattr(build, "state_of", lambda path, profile: "state")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sources = {"bad": "1 / 0", "good": "print('done')"}
    for name, source in sources.items():
        page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        nbformat.write(page, tmp_path / f"{name}-source.ipynb")
    paths = {name: tmp_path / f"{name}-source.ipynb" for name in sources}
    with pytest.raises(SystemExit, match=r"(?s)bad.ipynb failed in cell .*ZeroDivisionError"):
        build.execute_all(paths, "quick", 2)
    assert (tmp_path / "good.ipynb").exists()
    assert not (tmp_path / "bad.ipynb").exists()
    assert build.up_to_date("good", "state")


def test_the_margin_counts_the_records_of_each_folder_that_a_page_shows(build):
    rows = [
        ("a-seed*.json", "0, 1, 2", "cpu", "2026-01-03"),
        ("b-seed*.json", "0", "gpu", "2026-01-01"),
        ("../other/b-seed*.json", "0, 1", "gpu", "2026-01-01"),
    ]
    cells = "".join("<tr>" + "".join(f"<td>{x}</td>" for x in row) + "</tr>" for row in rows)
    heads = "".join(f"<th>{name}</th>" for name in ("records", "seeds", "device", "date"))
    table = (
        "<table><caption>records in results/some: 1.0 machine hours of training.</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"
    )
    output = nbformat.v4.new_output("display_data", {"text/html": table})
    page = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A"), nbformat.v4.new_code_cell(outputs=[output])],
        metadata={"dcl": {"profile": "quick", "seconds": 7, "state": ""}},
    )
    assert build.margin_of(page) == {
        "profile": "quick",
        "seconds": 7,
        "folders": {"results/some": 4, "results/other": 2},
        "days": "2026-01-01 to 2026-01-03",
        "devices": "cpu; gpu",
    }
    page.cells.pop()
    assert build.margin_of(page) == {"profile": "quick", "seconds": 7}


def test_parameters_are_folded_on_the_page_and_nothing_else_is(build):
    page = nbformat.read(NOTEBOOKS / "length.ipynb", as_version=4)
    before = [cell.metadata.get("tags", []) for cell in page.cells]
    build.fold_parameters(page)
    for old, cell in zip(before, page.cells, strict=True):
        added = {"hide-input"} if "parameters" in old else set()
        assert set(cell.metadata.get("tags", [])) == set(old) | added


def cell_showing(*outputs, caption="What is drawn."):
    metadata = {"mystnb": {"figure": {"name": "fig-x", "caption": caption}}} if caption else {}
    shown = [nbformat.v4.new_output("execute_result", dict(data)) for data in outputs]
    return nbformat.v4.new_code_cell("draw()", outputs=shown, metadata=metadata)


def test_the_numbers_of_a_figure_can_be_saved_from_its_caption(build):
    picture = {"image/svg+xml": "<svg/>"}
    numbered = picture | {"text/csv": "x,y\n1,2\n"}
    page = nbformat.v4.new_notebook(cells=[cell_showing(picture), cell_showing(numbered)])
    page.cells[1].metadata["mystnb"]["image"] = {"alt": 'A "lead"'}
    build.caption_figures(page, "notebooks/length")
    plain, linked = (cell.metadata["mystnb"]["figure"]["caption"] for cell in page.cells)
    assert plain == "What is drawn."
    assert dict(page.cells[1].outputs[0]["data"]) == picture
    assert linked.startswith("What is drawn. <a ")
    assert 'download="length-figure-2.csv"' in linked
    assert 'aria-label="numbers (CSV): A &quot;lead&quot;"' in linked
    address = re.search('href="data:text/csv;base64,([^"]*)"', linked)[1]
    assert base64.b64decode(address).decode() == "x,y\n1,2\n"


def test_the_cells_of_a_table_that_name_a_column_or_a_row_say_so(build):
    table = pd.DataFrame({"method": ["DCL", "CRL"], "mA": [82.0, 81.5]})
    hidden = table.style.hide(axis="index").to_html()
    plain = table.set_index("method").style.to_html()
    numbers = table[["mA"]].style.hide(axis="index").to_html()
    script = f"<script>const table = {json.dumps(plain)};</script>"
    for shown, rows in ((hidden, 2), (plain, 2), (numbers, 0)):
        page = nbformat.v4.new_notebook(cells=[cell_showing({"text/html": shown + script})])
        build.name_cells(page)
        made = page.cells[0].outputs[0]["data"]["text/html"]
        assert made.endswith(script)
        soup = BeautifulSoup(made.removesuffix(script), "html.parser")
        assert [head["scope"] for head in soup.select("tbody th")] == ["row"] * rows
        assert {head["scope"] for head in soup.select("thead th")} == {"col"}
        assert all(head.get_text(strip=True) for head in soup.select("th"))
        assert soup.get_text() == BeautifulSoup(shown, "html.parser").get_text()


def test_a_caption_without_a_figure_is_left_out(build):
    words = {"text/markdown": "No run keeps its scores."}
    page = nbformat.v4.new_notebook(cells=[cell_showing(words), cell_showing()])
    build.caption_figures(page, "notebooks/length")
    assert not any("figure" in cell.metadata["mystnb"] for cell in page.cells)


@pytest.mark.parametrize("data", [{"image/gif": "R0"}, {"text/html": '<div class="dcl-forest">'}])
@pytest.mark.parametrize(("times", "caption"), [(1, ""), (2, "Two at once.")])
def test_a_figure_has_a_caption_and_a_cell_of_its_own(build, data, times, caption):
    page = nbformat.v4.new_notebook(cells=[cell_showing(*[data] * times, caption=caption)])
    words = r'(?s)length_x\.ipynb: the cell that ends with\n +draw\(\).*"fig-length-x-\.\.\.", "c'
    with pytest.raises(SystemExit, match=words):
        build.caption_figures(page, "notebooks/length_x")


def test_every_cell_that_draws_says_what_is_drawn_under_a_name_of_its_own(build):
    names = []
    for page, path in build.pages_of_contents().items():
        if path.suffix != ".ipynb":
            continue
        for cell in nbformat.read(path, as_version=4).cells:
            own = cell.metadata.get("mystnb", {}).get("figure", {})
            if own or draws(cell):
                assert set(own) == {"name", "caption"}, (page, cell.source)
                prefix = f"fig-{path.stem.replace('_', '-')}-"
                assert own["name"].startswith(prefix), (page, f"figures are named {prefix}...")
                names.append(own["name"])
                words = own["caption"].split()
                assert len(words) >= 8, (page, words)
                assert own["caption"].endswith("."), (page, words)
                figures_of_paper = re.findall(r"(\S+ \S+) Figures? \d", own["caption"])
                assert set(figures_of_paper) <= {"the paper's"}, "ours are named by {numref}"
    assert len(names) > 50
    assert len(set(names)) == len(names)


def draws(cell) -> bool:
    """Whether the value of a cell is that of a function of `dcl_book.figures`."""
    if cell.cell_type != "code":
        return False
    last = ast.parse(cell.source).body[-1:]
    return (
        bool(last)
        and isinstance(last[0], ast.Expr)
        and any(
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "figures"
            and node.attr in set(figures.__all__) - {"use_style", "dots", "numbers"}
            for node in ast.walk(last[0])
        )
    )


def test_a_symbol_in_the_excerpts_of_the_search_is_its_letters(build, monkeypatch, tmp_path):
    (tmp_path / "_static").mkdir()
    symbol, equation = '<span class="math">\\(B\\)</span>', '<div class="math">x</div>'
    page = f"<article><p>of {symbol} rows</p>{equation}</article>"
    (tmp_path / "api.html").write_text(page)
    monkeypatch.setattr(build, "HTML", tmp_path)
    build.write_page_texts({"api": None})
    texts = (tmp_path / "_static" / "page_texts.js").read_text()
    assert '{"api.html": "of B rows"}' in texts


@pytest.mark.parametrize("name", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
def test_no_notebook_throws_the_value_of_a_claim_away(name):
    """A sentence or title that its records do not bear out would survive in a reader's build."""
    for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            alone = [node.value for node in ast.walk(ast.parse(cell.source)) if is_statement(node)]
            lost = [ast.unparse(call) for call in alone if call_of(call.func) == "claim"]
            assert not lost, f"{name}: use the value of {lost}"


def is_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def call_of(function: ast.expr) -> str:
    """``claim`` for both ``claim(...)`` and ``claim.title(...)``."""
    return ast.unparse(function).split(".")[0]


def test_a_reader_whose_records_say_otherwise_sees_a_topic_and_a_struck_sentence(tmp_path):
    """Table 7 on made-up records: DCL's accuracy, and nothing else, is forty points higher."""
    (tmp_path / "results").mkdir()
    for path in (NOTEBOOKS.parent / "results" / "cifar100").rglob("*.json"):
        made = json.loads(path.read_text("utf8"))
        if made["method"] == "dcl":
            made["test"]["accuracy"] += 40
        copy = tmp_path / path.relative_to(NOTEBOOKS.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(json.dumps(made), "utf8")
    page = nbformat.read(NOTEBOOKS / "table7.ipynb", as_version=4)
    (drawn,) = [i for i, cell in enumerate(page.cells) if "fig-table7-leads" in str(cell.metadata)]
    page.cells = page.cells[: drawn + 1]
    nbformat.write(page, tmp_path / "page.ipynb")
    said, picture = papermill.execute_notebook(
        tmp_path / "page.ipynb",
        tmp_path / "out.ipynb",
        parameters={"results": str(tmp_path / "results" / "cifar100")},
        progress_bar=False,
        kernel_name="python3",
    ).cells[-2:]
    paragraph = said.outputs[0]["data"]["text/markdown"]
    assert paragraph.startswith('<s class="dcl-otherwise">**On balanced classes DCL is behind')
    assert paragraph.count("(your records say otherwise: +") == 2
    title = title_in(picture.outputs[0]["data"]["image/svg+xml"])
    assert title == "CIFAR-100, small runs: DCL minus two others"
