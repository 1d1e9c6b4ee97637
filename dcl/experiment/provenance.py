"""What made a run's numbers: device, threads, versions, a hash of the code that decides them.

Which files a piece of code uses is read from its import lines. A name that a package only hands on
leads to the file that defines it: a page that draws one figure depends on that figure's file, not
on those of all others.
"""

import ast
import hashlib
import platform
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[2]  # the folder that holds the package
Roots = tuple[Path, ...]  # folders that hold packages; one inside another comes before it


def environment(device: "torch.device") -> dict[str, Any]:
    """What the run ran on: device, threads, package versions, the processor's flags that matter."""
    import torch
    import torchvision

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": f"{device.type} ({name})",
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "flags": sorted(cpu_flags() & {"amx_bf16", "avx512_bf16", "avx512f", "avx2"}),
    }


@cache
def source_hash(*modules: str) -> str:
    """Hash of these modules' files and of all of this package that they import.

    Without a module: of nothing. A change of a figure changes no run's hash. Of an imported module
    of somebody else's it is the file alone.
    """
    files = {path.relative_to(ROOT).as_posix(): path for path in files_of(modules)}
    others = {name: getattr(sys.modules.get(name), "__file__", None) for name in modules}
    files |= {
        name: Path(file) for name, file in others.items() if file and not _file(name, (ROOT,))
    }
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def cpu_flags() -> set[str]:
    """What the processor can do, as Linux names it; nothing elsewhere."""
    return set(_cpuinfo("flags").split())


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(key: str) -> str:
    """A line of Linux's /proc/cpuinfo; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":", 1)[1].strip() for x in lines if x.startswith(key))
    except (OSError, StopIteration):
        return ""


def files_of(modules: tuple[str, ...], roots: Roots = (ROOT,)) -> set[Path]:
    """Files of these modules, dotted names, and of all that they import below `roots`."""
    return closure({path for module in modules if (path := _file(module, roots))}, roots)


def closure(paths: set[Path], roots: Roots = (ROOT,)) -> set[Path]:
    """These files, and all that they import below `roots`."""
    files: set[Path] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path not in files:
            files.add(path)
            waiting += _used_by(path, roots)
    return files


@cache
def _used_by(path: Path, roots: Roots) -> set[Path]:
    """Files that a file imports by itself."""
    root = next(root for root in roots if path.is_relative_to(root))
    return files_used(path.read_text("utf-8"), path.relative_to(root).parent, roots)


def files_used(code: str, package: Path = Path(), roots: Roots = (ROOT,)) -> set[Path]:
    """Files that this code imports by itself; relative imports start in `package`."""
    tree = ast.parse(code)
    attributes = _attributes(tree)
    used: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            used |= {path for alias in node.names if (path := _file(alias.name, roots))}
        if not isinstance(node, ast.ImportFrom):
            continue
        start = package.parts[: len(package.parts) + 1 - node.level] if node.level else ()
        target = ".".join((*start, *(node.module or "").split("."))).strip(".")
        for alias in node.names:
            uses = attributes.get(alias.asname or alias.name, set())
            used |= _named(target, alias.name, uses, roots)
    return used


def _named(target: str, name: str, attributes: set[str], roots: Roots) -> set[Path]:
    """Files behind ``from target import name``, of which these attributes are used."""
    if path := _file(target, roots):
        return {path}
    if path := _file(f"{target}.{name}", roots):
        return {path}
    if _package(f"{target}.{name}", roots):  # a package itself
        return {
            path
            for attribute in attributes
            for path in _named(f"{target}.{name}", attribute, set(), roots)
        }
    return _handed_on(target, name, roots)


def _handed_on(package: str, name: str, roots: Roots) -> set[Path]:
    """Files behind a name of a package's ``__init__.py``: where it comes from, or that file."""
    path = _package(package, roots) if package else None
    if not path:
        return set()
    waiting = [path]
    for file in waiting:  # grows where a file hands on all names of another, as `dcl` does of api
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.level != 1 or not node.module:
                continue
            names = {alias.asname or alias.name for alias in node.names}
            if name in names:
                return _named(f"{package}.{node.module}", name, set(), roots)
            if "*" in names and (source := _file(f"{package}.{node.module}", roots)):
                waiting.append(source)
    return {path}


def _attributes(tree: ast.AST) -> dict[str, set[str]]:
    """Name -> its attributes that the code uses: ``training`` of ``figures.training(record)``."""
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    return used


def _file(module: str, roots: Roots) -> Path | None:
    """The file of a module below `roots`; none for a package and for what is not below."""
    names = [root.joinpath(*module.split(".")).with_suffix(".py") for root in roots if module]
    return next(filter(Path.is_file, names), None)


def _package(name: str, roots: Roots) -> Path | None:
    """The ``__init__.py`` of a package below `roots`, if it is one."""
    names = [root.joinpath(*name.split("."), "__init__.py") for root in roots]
    return next(filter(Path.is_file, names), None)
