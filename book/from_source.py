"""Parts of pages that are made from the sources: the tree of files, the lines of equations."""

import ast
import io
import re
import textwrap
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EQUATIONS = range(1, 14)
BEFORE = {5: ("d",), 6: ("entropy",), 7: ("ratio", "kept"), 8: ("hinge",), 9: ("hinge",)}
ROOMS = {  # folder -> what it is for; a room imports from those above it and its own folders
    "dcl": "the method, in the paper's order; needs torch alone",
    "dcl/networks": "networks: images or features to logits and features",
    "dcl/evaluation": "from logits to classes and numbers",
    "dcl/methods": "what DCL is compared with",
    "dcl/data": "data sets, and what they share",
    "dcl/data/drawn": "images that are drawn, for who has none",
    "dcl/data/drawn/face": "how a face of SynthFaces is drawn",
    "dcl/data/drawn/person": "how a person of SynthPersons is drawn",
    "dcl/experiment": "from one configuration to one record",
    "book/dcl_book": "from records to tables and verdicts; trains nothing",
    "book/dcl_book/tables": "tables of the book that several pages or tests share",
    "book/dcl_book/figures": "every figure of the book",
    "book/dcl_book/bench": "what a step costs",
}


def first_line(path: Path) -> str:
    """The first line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text("utf8")))
    if not text:
        raise ValueError(f"{path.relative_to(ROOT)}: begin it with a docstring: what is it?")
    return text.splitlines()[0].removesuffix(".")


def tree() -> str:
    """Markdown: a table for each room of dcl, with a line for each of its files."""
    files = [path for top in ("dcl", "book/dcl_book") for path in (ROOT / top).rglob("*.py")]
    found = {path.relative_to(ROOT).parent.as_posix() for path in files}
    unknown = found - set(ROOMS)
    if unknown:
        raise ValueError(f"book/from_source.py: say in ROOMS what {min(unknown)}/ is for")
    parts = []
    for room, words in ROOMS.items():
        if room not in found:
            continue
        parts += [f"**`{room}/`**: {words}", "", "| file | what |", "|---|---|"]
        for path in sorted((ROOT / room).glob("*.py")):
            parts.append(f"| `{path.name}` | {first_line(path)} |")
        parts.append("")
    return "\n".join(parts)


def equations(folder: Path = ROOT / "dcl") -> dict[int, list[tuple[str, int, str]]]:
    """Equation -> (file, line, code) of each statement of the method that a comment says is it.

    Such a comment reads `# Eq. 7` or `# Eq. 8, 9` and stands on a line of the statement. Before it
    stand the statements that give the names in `BEFORE` their last value.
    """
    found: dict[int, list[tuple[str, int, str]]] = {number: [] for number in EQUATIONS}
    for path in sorted(folder.glob("*.py")):
        source = path.read_text("utf8")
        statements = [x for x in ast.walk(ast.parse(source)) if isinstance(x, ast.stmt)]
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            said = re.match(r"# Eq\. (\d+(?:, \d+)*)", token.string)
            if token.type != tokenize.COMMENT or not said:
                continue
            here = _innermost(statements, token.start[0])
            for number in map(int, said[1].split(", ")):
                shown = [*_last_values(statements, here, BEFORE.get(number, ())), here]
                code = "\n".join(_text(source, statement) for statement in shown)
                found[number].append((f"dcl/{path.name}", here.lineno, code))
    return found


def _innermost(statements: list[ast.stmt], line: int) -> ast.stmt:
    around = [x for x in statements if x.lineno <= line <= x.end_lineno]
    return max(around, key=lambda x: (x.lineno, -x.end_lineno))


def _last_values(statements: list[ast.stmt], here: ast.stmt, names: tuple[str, ...]):
    """The last assignment before `here` to each of the names, in the same function."""
    functions = [x for x in statements if isinstance(x, ast.FunctionDef)]
    around = [x for x in functions if x.lineno <= here.lineno <= x.end_lineno]
    start = max((x.lineno for x in around), default=0)
    chosen = {}
    for x in statements:
        if isinstance(x, ast.Assign) and start < x.lineno < here.lineno:
            assigned = {y.id for z in x.targets for y in ast.walk(z) if isinstance(y, ast.Name)}
            chosen |= dict.fromkeys(assigned & set(names), x)
    return sorted({id(x): x for x in chosen.values()}.values(), key=lambda x: x.lineno)


def _text(source: str, statement: ast.stmt) -> str:
    """The lines of a statement, its comments too, moved to the left."""
    lines = source.splitlines()[statement.lineno - 1 : statement.end_lineno]
    return textwrap.dedent("\n".join(lines))


def equation_blocks() -> str:
    """Markdown: the code of each equation between markers, for method.md to include."""
    parts = []
    for number, found in equations().items():
        if not found:
            raise ValueError(f"no line of dcl/ says that it is Eq. {number}")
        parts.append(f"<!-- eq {number} -->")
        for file, line, code in found:
            parts += [f"```{{code-block}} python\n:caption: {file}, line {line}\n{code}\n```"]
        parts.append(f"<!-- end {number} -->\n")
    return "\n".join(parts)
