"""The files that a run or a command writes: whole or not at all, and over nothing else's."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO


class OutputError(ValueError):
    """A file or folder that cannot be written, named."""


def write_whole(what: str, path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all; raises an OutputError that says `what`."""
    scratch = _scratch(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(content)
        os.replace(scratch, path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise OutputError(f"cannot write {what} {path}: {error.strerror}") from None


def _scratch(path: Path) -> Path:
    """What is written first, and takes the place of `path` when it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def check_out(written: Sequence[Path], read: Sequence[Path]) -> None:
    """Raise an OutputError unless ``--out`` can be written, over nothing that is read.

    A command asks before the minutes that its work takes.
    """
    taken = {path.resolve() for path in read}
    for path in written:
        try:
            if not path.parent.is_dir():
                raise OutputError(f"--out: the folder {path.parent} does not exist: make it first")
            if path.exists() and not path.is_file():
                what = "a folder" if path.is_dir() else "no file"
                raise OutputError(f"--out {path} is {what}: name a file")
            _scratch(path).touch()
            _scratch(path).unlink()
        except OSError as error:
            raise OutputError(
                f"--out {path} cannot be written: {error.strerror}. Give another folder or name"
            ) from None
        if path.resolve() in taken:
            raise OutputError(f"--out would write over {path}, which is read: give it another name")


def check_replaced(option: str, path: Path, kind: str, is_ours: Callable[[TextIO], bool]) -> None:
    """Raise an OutputError unless a file that would be replaced is of this kind, or empty."""
    try:
        if not path.exists() or (path.is_file() and not path.stat().st_size):
            return
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            if is_ours(file):
                return
            file.seek(0)
            first = file.readline(60).rstrip("\r\n")
    except OSError as error:
        raise OutputError(f"{option} {path} cannot be replaced: {error.strerror}") from None
    raise OutputError(
        f"{option} {path} holds something else than {kind}, it begins with {first!r}: give "
        f"another name, or take the file away"
    )


def write_text(path: Path, text: str) -> None:
    """Write what ``--out`` asks for; names of attributes or files may be no UTF-8."""
    write_whole("--out", path, text.encode("utf-8", "surrogateescape"))


def json_of(file: TextIO) -> dict[str, Any]:
    """The object of a JSON file; without any key for all else."""
    try:
        content = json.load(file)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def check_folder(folder: Path, needed: int) -> None:
    """Raise an OutputError unless files of so many bytes can be written into the folder.

    A run asks before it trains, so that its record is not lost after it.
    """
    scratch = folder / f".{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch.touch()
        scratch.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputError(
            f"cannot write into the results folder {folder}: {error.strerror}. Make it writable or "
            f"choose another with results"
        ) from None
    if free < needed:
        raise OutputError(
            f"the results folder {folder} has {free / 2**20:,.0f} MiB free, the checkpoints of "
            f"this run take up to {needed / 2**20:,.0f}: make room or choose another with results"
        )
