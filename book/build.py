"""Build the book: execute its notebooks, stage its sources, write the HTML and check it.

    python book/build.py                    # what `make book` runs
    python book/build.py --profile quick    # every notebook in seconds, to look at a page

A notebook is executed again only when it, a source of dcl, a published record or number, or the
profile has changed. Several are executed side by side, sharing the cores; one that measures times
runs alone. All is written below _build/: the checkout stays free of outputs.
"""

import argparse
import base64
import csv
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib.metadata import version
from pathlib import Path

import nbformat
import papermill
import torch
import yaml
from bs4 import BeautifulSoup
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from sphinx_external_toc.parsing import parse_toc_yaml

from dcl.experiment.machine import settings
from dcl.experiment.provenance import closure, environment, files_used, source_hash
from dcl_book.figures.dark import with_dark_look
from dcl_book.figures.narrow import NARROW
from dcl_book.figures.style import title_in
from from_source import equation_blocks, sample_script, tree
from pictures import draw_card, draw_clouds, draw_method

ROOT = Path(__file__).resolve().parents[1]
TOC = Path("book/_toc.yml")
SOURCE = ROOT / "_build" / "source"  # the staged sources, laid out as the repository root
NARROW_FIGURES = SOURCE / "book" / "_static" / "narrow"
EXECUTED = ROOT / "_build" / "executed"
HTML = ROOT / "_build" / "html"
PROFILES = ("quick", "standard")
STAGED = (
    "_config.yml",
    "CHANGELOG.md",
    "CITATION.cff",
    "README.md",
    "book",
    "dcl",
    "notebooks",
    "results",
)
SHOWN_VERSIONS = (
    *("torch", "torchvision", "jupyter-book", "nbclient", "papermill", "seaborn", "pandas"),
    *("pytest", "nbval"),
)
TRAINS = "dcl/experiment/trainer.py"  # a notebook that imports it trains: minutes, not seconds
MEASURES = "book/dcl_book/bench"  # one that imports from there measures times
RESULTS = tuple(f"results/**/*.{kind}" for kind in ("json", "csv", "npz"))
INPUTS = ("dcl/**/*.csv", "book/published/*.csv", *RESULTS)  # beside the code
TABLE = re.compile(r"<table.*?</table>", re.S)
REDIRECTS = ROOT / "book" / "redirects.csv"  # pages that moved: old address, new one
FROM_NETWORK = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["'](?:https?:)?//[^"']*"""
)


def pages_of_contents() -> dict[str, Path]:
    """Page -> its source (.md or .ipynb) for each entry of the contents, all of which exist."""
    entries = list(parse_toc_yaml(ROOT / TOC))
    outside = [entry for entry in entries if ".." in Path(entry).parts]
    if outside:
        sys.exit(f"{TOC}: entries are paths from the repository root: {', '.join(outside)}")
    candidates = {entry: [ROOT / f"{entry}.md", ROOT / f"{entry}.ipynb"] for entry in entries}
    pages = {
        entry: next((p for p in paths if p.is_file()), None) for entry, paths in candidates.items()
    }
    missing = [f"{entry} (.md or .ipynb)" for entry, path in pages.items() if path is None]
    if missing:
        sys.exit(f"{TOC} names pages that do not exist: {', '.join(missing)}")
    return pages


def state_of(notebook: Path, profile: str) -> str:
    """Hash of all that the outputs of a notebook are made from."""
    paths = {path for pattern in INPUTS for path in ROOT.glob(pattern)} | code_of(notebook)
    paths -= set(ROOT.glob("results/runs/**/*"))  # written by the notebooks themselves
    state = hashlib.sha256(f"{profile} {versions()}".encode())
    for path in [notebook, *sorted(paths)]:
        state.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + digest_of(path))
    return state.hexdigest()


@cache
def versions() -> str:
    """Of the packages that a page is made with, in words."""
    return ", ".join(f"{name} {version(name)}" for name in SHOWN_VERSIONS)


@cache
def digest_of(path: Path) -> bytes:
    """Of a file's content; most pages read the same records."""
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def code_of(notebook: Path) -> set[Path]:
    """Files of dcl and dcl_book that a notebook's cells import, and all that these do."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    roots = (ROOT / "book", ROOT)
    return closure(files_used(code, roots=roots), roots)


def execute_all(notebooks: dict[str, Path], profile: str, jobs: int) -> None:
    """Execute what is not up to date, what trains first: the others fill the cores at the end.

    Where one fails, the ones that had begun are finished and kept.
    """
    states = {page: state_of(path, profile) for page, path in notebooks.items()}
    left = [page for page in notebooks if not up_to_date(page, states[page])]
    left.sort(key=lambda page: not uses(TRAINS, notebooks[page]))
    alone = [page for page in left if uses(MEASURES, notebooks[page])]  # others change the times
    threads = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = threads or str(max(1, (os.cpu_count() or 1) // jobs))
    with ProcessPoolExecutor(jobs) as pool:
        runs = [
            pool.submit(execute, page, notebooks[page], profile, states[page])
            for page in left
            if page not in alone
        ]
        try:
            for run in as_completed(runs):
                run.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # waits for those that had begun
            raise
    if threads is None:
        del os.environ["OMP_NUM_THREADS"]
    for page in alone:
        execute(page, notebooks[page], profile, states[page])


def up_to_date(page: str, state: str) -> bool:
    target = EXECUTED / f"{page}.ipynb"
    if not target.exists():
        return False
    done = nbformat.read(target, as_version=4).metadata.get("dcl", {})
    if done.get("state") != state:
        return False
    print(f"{page}: up to date ({done['profile']} profile, took {done['seconds']} s)")
    return True


def uses(source: str, notebook: Path) -> bool:
    """Whether a notebook imports a file or folder of the checkout, itself or by what it imports."""
    return any(path.is_relative_to(ROOT / source) for path in code_of(notebook))


def execute(page: str, notebook: Path, profile: str, state: str) -> None:
    """Execute a notebook from the repository root into EXECUTED, with the hash of what made it."""
    target = EXECUTED / f"{page}.ipynb"
    print(f"{page}: executing ({profile} profile)", flush=True)
    running = target.with_suffix(".running.ipynb")
    running.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        executed = papermill.execute_notebook(
            notebook,
            running,
            cwd=ROOT,
            kernel_name="python3",
            extra_arguments=["--log-level=CRITICAL"],  # of the kernel
            progress_bar=sys.stderr.isatty(),
        )
    except papermill.PapermillExecutionError as error:
        frames = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback)).splitlines()
        arrows = [line for line in frames if re.match(r"-+> ?\d+", line)]
        lines = "\n    ".join([*arrows[-3:], f"{error.ename}: {error.evalue}"])
        sys.exit(
            f"{page}.ipynb failed in cell [{error.exec_count}]:\n    {lines}\n"
            f"As far as it ran: {running}"
        )
    except (DeadKernelError, CellTimeoutError) as error:
        sys.exit(f"{page}.ipynb failed: {error}\nAs far as it ran: {running}")
    seconds = round(time.monotonic() - start)
    for holder in (executed, *executed.cells):  # local paths and times do not belong into the book
        holder.metadata.pop("papermill", None)
        holder.metadata.pop("execution", None)
    executed.metadata["dcl"] = {"state": state, "profile": profile, "seconds": seconds}
    nbformat.write(executed, running)
    running.replace(target)
    print(f"{page}: executed in {seconds} s", flush=True)


def stage(pages: dict[str, Path]) -> None:
    """Lay out SOURCE as the repository root, each notebook of the contents executed."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    ignore = shutil.ignore_patterns(
        "__pycache__", "runs", "*.checkpoint", "build.py", ".ipynb_checkpoints"
    )
    for path in (ROOT / name for name in STAGED):
        if path.is_dir():
            shutil.copytree(path, SOURCE / path.name, ignore=ignore)
        elif path.exists():
            shutil.copy(path, SOURCE)
    made_from = {}
    for page, path in pages.items():
        if path.suffix == ".ipynb":
            notebook = nbformat.read(EXECUTED / f"{page}.ipynb", as_version=4)
            fold_parameters(notebook)
            describe_figures(notebook)
            caption_figures(notebook, page)
            name_cells(notebook)
            nbformat.write(notebook, SOURCE / f"{page}.ipynb")
            made_from[page] = margin_of(notebook)
    put_in_the_margin(made_from)
    made = {"execution": execution_status(pages), "equations": equation_blocks(), "tree": tree()}
    for name, text in made.items():
        (SOURCE / "book" / f"_{name}.md").write_text(text, "utf-8")
    static = SOURCE / "book" / "_static"
    (static / "scores_sample.js").write_text(sample_script(), "utf8")
    draw_method(static)
    draw_clouds(static)
    draw_card(static)


def fold_parameters(notebook: nbformat.NotebookNode) -> None:
    """The cell of parameters is folded as other code is: a page's point is what it shows."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"] = [*{*cell.metadata["tags"], "hide-input"}]
            cell.metadata["mystnb"] = {
                "code_prompt_show": "Show the parameters",
                "code_prompt_hide": "Hide the parameters",
            }


def describe_figures(notebook: nbformat.NotebookNode) -> None:
    """Words in place of a picture: its title, which says its point, unless the page has some."""
    for cell in notebook.cells:
        svgs = [out.get("data", {}).get("image/svg+xml") for out in cell.get("outputs", [])]
        titles = [title for svg in filter(None, svgs) if (title := title_in(svg))]
        if titles:
            image = cell.metadata.setdefault("mystnb", {}).setdefault("image", {})
            image.setdefault("alt", "; ".join(titles))


def caption_figures(notebook: nbformat.NotebookNode, page: str) -> None:
    """Each figure has the caption of its cell's metadata, and in it a link to its numbers.

    The numbers are a CSV file that lies in the link: it works from disk too. A caption whose cell
    drew nothing, because a reader's records have nothing to show, is left out. What a phone shows
    in a figure's place is a file of the figure's name, see `dcl_book.captions`.
    """
    figure = 0
    for cell in notebook.cells:
        own = cell.metadata.get("mystnb", {})
        shown = [out for out in cell.get("outputs", []) if "data" in out]
        drawn = [out for out in shown if is_figure(out["data"])]
        if not drawn:
            own.pop("figure", None)
            continue
        caption = own.get("figure", {}).get("caption", "")
        if not caption or len(shown) > 1:
            line = cell.source.splitlines()[-1].strip()
            sys.exit(
                f"{page}.ipynb: the cell that ends with\n    {line}\n"
                f"draws a figure, shows {len(shown)} outputs and has "
                f"{'a' if caption else 'no'} caption. Such a cell shows its figure alone, and its "
                'metadata say what is drawn: {"mystnb": {"figure": {"name": '
                f'"fig-{Path(page).name.replace("_", "-")}-...", "caption": "..."}}}}}}'
            )
        figure += 1
        if narrow := drawn[0]["data"].pop(NARROW, None):
            NARROW_FIGURES.mkdir(parents=True, exist_ok=True)
            (NARROW_FIGURES / f"{own['figure']['name']}.svg").write_text(narrow, "utf8")
        if table := drawn[0]["data"].pop("text/csv", None):
            name = f"{Path(page).name}-figure-{figure}.csv"
            link = base64.b64encode(table.encode()).decode()
            words = f"numbers (CSV): {own.get('image', {}).get('alt', name)}"  # else all alike
            own["figure"]["caption"] += (
                f' <a class="dcl-numbers" download="{name}" aria-label="{html.escape(words)}" '
                f'href="data:text/csv;base64,{link}">numbers (CSV)</a>'
            )


def name_cells(notebook: nbformat.NotebookNode) -> None:
    """Tables say which cells name a column or a row, as who hears a table needs to know."""
    for cell in notebook.cells:
        for data in (out["data"] for out in cell.get("outputs", []) if "data" in out):
            for kind in [kind for kind in data if kind.endswith("text/html")]:  # glued ones, too
                parts = re.split(r"(<script.*?</script>)", data[kind], flags=re.S)  # these stay
                parts[::2] = [TABLE.sub(_with_scopes, part) for part in parts[::2]]
                data[kind] = "".join(parts)


def _with_scopes(found: re.Match[str]) -> str:
    """A table whose heads have a scope; without heads of rows, the first of a row is one.

    An empty cell is no head. The claims have heads of their own, see `dcl_book.claims_table`.
    """
    table = BeautifulSoup(found[0], "html.parser").table
    if "dcl-claims" in table.get("class", []):
        return found[0]
    for cell in table.select("thead th"):
        if cell.get_text(strip=True):
            cell["scope"] = "col"
        else:
            cell.name = "td"
    if not table.select("tbody th"):
        for first in table.select("tbody td:first-child"):
            if first.string and re.search("[A-Za-z]", first.string):
                first.name = "th"
    for cell in table.select("tbody th"):
        cell["scope"] = "row"
    return str(table)


def is_figure(data: dict[str, str]) -> bool:
    """Whether an output is an image, or a figure that is HTML (see `dcl_book.figures.forest`)."""
    images = any(kind.startswith("image/") for kind in data)
    return images or 'class="dcl-forest' in data.get("text/html", "")


def margin_of(notebook: nbformat.NotebookNode) -> dict[str, str | int]:
    """What a page was made from, in a few words: of its table of records, where it has one."""
    done = notebook.metadata["dcl"]
    found = {"profile": done["profile"], "seconds": done["seconds"]}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown = BeautifulSoup(output.get("data", {}).get("text/html", ""), "html.parser")
            caption = shown.caption.get_text() if shown.caption else ""
            if caption.startswith("records in "):
                heads = [head.get_text() for head in shown.select("thead th")]
                rows = [
                    dict(zip(heads, (c.get_text() for c in row.select("th, td")), strict=True))
                    for row in shown.select("tbody tr")
                ]
                days = sorted({row["date"] for row in rows})
                here, folders = caption.split()[2].rstrip(":"), Counter()
                for row in rows:  # ../other/a.json lies in the folder beside
                    up, *down = row["records"].split("/")
                    place = f"{os.path.dirname(here)}/{down[0]}" if up == ".." else here
                    folders[place] += len(row["seeds"].split(", "))
                found |= {
                    "folders": dict(folders),
                    "days": " to ".join(dict.fromkeys([days[0], days[-1]])),
                    "devices": "; ".join(sorted({row["device"] for row in rows})),
                }
    return found


def put_in_the_margin(made_from: dict[str, dict]) -> None:
    """Hand what each page was made from to book/_templates/made_from.html."""
    config = yaml.safe_load((SOURCE / "_config.yml").read_text("utf8"))
    config["sphinx"]["config"]["html_context"]["made_from"] = made_from
    (SOURCE / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf8")


def execution_status(pages: dict[str, Path]) -> str:
    """Markdown: each notebook's profile, time and cells, and what they ran on."""
    rows = ["| page | profile | code cells | seconds |", "|---|---|---:|---:|"]
    total = 0
    for page in (page for page, path in pages.items() if path.suffix == ".ipynb"):
        notebook = nbformat.read(EXECUTED / f"{page}.ipynb", as_version=4)
        done = notebook.metadata["dcl"]
        cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        rows.append(f"| [](../{page}.ipynb) | {done['profile']} | {cells} | {done['seconds']} |")
        total += done["seconds"]
    made_on = environment(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    facts = [
        f"* {total / 60:.0f} minutes added up, several notebooks at a time",
        f"* {made_on['device']}, {os.cpu_count()} cores",
        f"* Python {made_on['python']}; {versions()}",
        f"* source of method and trainer: `{source_hash('dcl.experiment.trainer')}`",
    ]
    return "\n".join([*rows, "", *facts, ""])


def write_html() -> None:
    """Build HTML from SOURCE, warnings as errors; an old build is removed, so it cannot pass."""
    shutil.rmtree(HTML, ignore_errors=True)
    options = [
        "--toc",
        SOURCE / TOC,
        "--path-output",
        ROOT,
        "-W",
        "-n",
        "--keep-going",
        "--all",
        "-q",
    ]
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    done = subprocess.run([*command, SOURCE, *options], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout.strip()}\nThe book was not built: the causes are above.")


def mend_pages() -> None:
    """What theme and writer leave out for who reads without scripts, or hears the page."""
    for path in HTML.rglob("*.html"):
        page = path.read_text("utf8")
        # only a script turns "auto" into a look; until then, and without one, a page is light
        page = page.replace(' data-theme="auto"', ' data-theme="light"', 1)
        page = page.replace('role="doc-biblioentry"', 'role="listitem"')  # of the list around it
        path.write_text(page, "utf8")


def add_dark_looks() -> None:
    """Figures as a dark page shows them, in the same files."""
    for path in [*HTML.glob("_images/*.svg"), *HTML.glob("_static/narrow/*.svg")]:
        path.write_text(with_dark_look(path.read_text("utf8")), "utf8")


def write_page_texts(pages: dict[str, Path]) -> None:
    """The sentences of each page, for the excerpts of search_excerpts.js."""
    texts = {}
    for page in pages:
        article = BeautifulSoup((HTML / f"{page}.html").read_text("utf8"), "html.parser").article
        for other in article.select("script, style, div.math"):
            other.decompose()
        for symbol in article.select("span.math"):  # \(B\) as it is read: B
            symbol.string = re.sub(r"\\[()]", "", symbol.get_text())
        for other in article.select("table, svg, .cell_input, .headerlink"):
            other.decompose()
        texts[f"{page}.html"] = " ".join(article.get_text(" ").split())
    script = f"window.dclPageTexts = {json.dumps(texts)};\n"
    (HTML / "_static" / "page_texts.js").write_text(script, "utf8")


def redirects() -> dict[str, str]:
    """Page that is gone -> the page that has its content now."""
    with REDIRECTS.open(encoding="utf8", newline="") as lines:
        return {row["old"]: row["new"] for row in csv.DictReader(lines)}


def write_redirects(pages: dict[str, Path]) -> None:
    """A small page at each old address that leads to the new one, from disk too."""
    for old, new in redirects().items():
        if new not in pages or old in pages:
            sys.exit(f"{REDIRECTS}: {old} cannot lead to {new}: see the contents")
        target = f"../{new}.html"
        (HTML / f"{old}.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Moved</title>'
            f'<meta http-equiv="refresh" content="0; url={target}">'
            f'<link rel="canonical" href="{target}">'
            f'<script>location.replace("{target}" + location.hash)</script>'
            f'<p>This page has moved: <a href="{target}">{new}</a>.</p></html>\n',
            "utf8",
        )


def check_html(pages: dict[str, Path]) -> None:
    """Every page of the contents exists, and none loads anything from the network."""
    missing = [page for page in pages if not (HTML / f"{page}.html").is_file()]
    if missing:
        sys.exit(f"The build left out pages of the contents: {', '.join(missing)}")
    for page in pages:
        loaded = FROM_NETWORK.findall((HTML / f"{page}.html").read_text("utf8"))
        if loaded:
            sys.exit(f"{page} cannot be read offline, it loads: {' '.join(loaded[:3])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--profile", choices=PROFILES, default="standard", help="how much each notebook runs"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="notebooks executed side by side (default: one a core, at most 4)",
    )
    arguments = parser.parse_args()
    profile = arguments.profile
    if arguments.jobs < 1:
        parser.error(f"--jobs must be 1 or more, got {arguments.jobs}")
    os.environ.update(settings())  # the kernels start with them, see there
    os.environ["DCL_PROFILE"] = profile  # read by the kernels
    os.environ["DCL_NARROW_FIGURES"] = "1"  # so is this: a second picture of each, for phones
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # a warning that says nothing here
    pages = pages_of_contents()
    notebooks = {page: path for page, path in pages.items() if path.suffix == ".ipynb"}
    execute_all(notebooks, profile, arguments.jobs)
    stage(pages)
    print(f"Building {len(pages)} pages", flush=True)
    write_html()
    mend_pages()
    write_redirects(pages)
    add_dark_looks()
    check_html(pages)
    write_page_texts(pages)
    print(f"The book is built. Open {HTML / 'index.html'}")


if __name__ == "__main__":
    main()
