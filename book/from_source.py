"""Parts of pages that are made from the sources: the tree of files, the lines of equations."""

import ast
import io
import json
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EQUATIONS = range(1, 14)
REFERENCE = ROOT / "dcl" / "reference.py"
FAST = {  # equation -> the entry of api.md that computes it
    **dict.fromkeys((1, 2, 3, 4), "schedule"),
    5: "target_distribution",
    6: "dsl_loss",
    7: "dsl_weights",
    **dict.fromkeys((8, 9), "triplet_loss"),
    10: "DCLLoss",
    11: "loss_schedule",
    **dict.fromkeys((12, 13), "balanced_accuracy"),
}
ROOMS = {  # folder -> what it is for; a room imports from those above it and its own folders
    "dcl": "the method, in the paper's order; needs torch alone",
    "dcl/networks": "networks: images or features to logits and features",
    "dcl/evaluation": "from logits to classes and numbers",
    "dcl/methods": "what DCL is compared with",
    "dcl/data": "data sets, and what they share",
    "dcl/data/drawn": "images that are drawn, for who has none",
    "dcl/data/drawn/face": "how a face of SynthFaces is drawn",
    "dcl/experiment": "from one configuration to one record",
    "book/dcl_book": "from records to tables and verdicts; trains nothing",
    "book/dcl_book/tables": "tables of the book that several pages or tests share",
    "book/dcl_book/figures": "every figure of the book",
    "book/dcl_book/bench": "what a step costs",
}


def sample_script() -> str:
    """JavaScript: the sample of scores.md, since a page on a disk cannot fetch a file."""
    text = (ROOT / "book" / "_static" / "scores_sample.csv").read_text("utf8")
    return f"window.dclScoresSample = {json.dumps(text)};\n"


def first_line(path: Path) -> str:
    """The first line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text("utf8")))
    if not text:
        raise ValueError(f"{path.relative_to(ROOT)}: begin it with a docstring: what is it?")
    return text.splitlines()[0].removesuffix(".")


def tree() -> str:
    """Markdown: a table for each room, with a line for each of its files, and the lines of all."""
    files = [path for top in ("dcl", "book/dcl_book") for path in (ROOT / top).rglob("*.py")]
    found = {path.relative_to(ROOT).parent.as_posix() for path in files}
    unknown = found - set(ROOMS)
    if unknown:
        raise ValueError(f"book/from_source.py: say in ROOMS what {min(unknown)}/ is for")
    rooms = {room: sorted((ROOT / room).glob("*.py")) for room in ROOMS if room in found}
    parts = [
        "| room | files | lines |",
        "|---|--:|--:|",
        *(f"| `{room}/` | {len(own)} | {lines(*own):,} |" for room, own in rooms.items()),
        "",
    ]
    for room, own in rooms.items():
        parts += [f"**`{room}/`**: {ROOMS[room]}", "", "| file | lines | what |", "|---|--:|---|"]
        parts += [f"| `{path.name}` | {lines(path)} | {first_line(path)} |" for path in own]
        parts.append("")
    return "\n".join(parts)


def lines(*files: Path) -> int:
    """Lines of these files."""
    return sum(len(path.read_text("utf8").splitlines()) for path in files)


def equations() -> dict[int, list[str]]:
    """Equation -> the functions of `dcl.reference` that a comment says are it, without docstrings.

    Such a comment reads `# Eq. 7` or `# Eq. 8, 9` and is on a line of the function.
    """
    source = REFERENCE.read_text("utf8")
    functions = [x for x in ast.parse(source).body if isinstance(x, ast.FunctionDef)]
    shown: dict[int, list[str]] = {number: [] for number in EQUATIONS}
    for number, line in _marked(source):
        code = next(_code(source, x) for x in functions if x.lineno <= line <= x.end_lineno)
        if code not in shown[number]:
            shown[number].append(code)
    return shown


def fast_lines() -> dict[int, list[tuple[str, int]]]:
    """Equation -> file and line of the code in use that a comment says is it."""
    lines: dict[int, list[tuple[str, int]]] = {number: [] for number in EQUATIONS}
    for room in ("dcl", "dcl/evaluation"):
        for path in sorted((ROOT / room).glob("*.py")):
            if path != REFERENCE:
                for number, line in _marked(path.read_text("utf8")):
                    lines[number].append((path.relative_to(ROOT).as_posix(), line))
    return lines


def _marked(source: str) -> list[tuple[int, int]]:
    """(equation, line) of each comment that begins with `# Eq.`."""
    marked = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        said = re.match(r"# Eq\. (\d+(?:, \d+)*)", token.string)
        if token.type == tokenize.COMMENT and said:
            marked += [(int(number), token.start[0]) for number in said[1].split(", ")]
    return marked


def _code(source: str, function: ast.FunctionDef) -> str:
    """The lines of a function without its docstring."""
    lines = source.splitlines()
    text = function.body[0]  # every function of the reference has a docstring
    before = lines[function.lineno - 1 : text.lineno - 1]
    return "\n".join([*before, *lines[text.end_lineno : function.end_lineno]])


def equation_blocks() -> str:
    """Markdown: the code of each equation between markers, for method.md to include."""
    fast, parts = fast_lines(), []
    for number, shown in equations().items():
        if not shown or not fast[number]:
            where = "dcl/reference.py" if not shown else "the other files of dcl/"
            raise ValueError(f"no line of {where} says that it is Eq. {number}")
        lines = ", ".join(f"`{file}` line {line}" for file, line in fast[number])
        parts += [f"<!-- eq {number} -->", "```{code-block} python", ":caption: dcl/reference.py"]
        said = f"Fast code: {{py:obj}}`dcl.{FAST[number]}`, in {lines}"
        parts += ["\n\n\n".join(shown), "```", said, f"<!-- end {number} -->\n"]
    return "\n".join(parts)
