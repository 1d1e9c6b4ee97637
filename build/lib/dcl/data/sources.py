"""Where the images of a data set lie: in a folder or in a zip file."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .images import SUFFIXES, check_size, open_archive, read_member
from .resident import DataError


class Folder:
    """Image files below a folder, named by their path from there: all, or only those named.

    `places` says of an image what an error adds to its path: where else it is spoken of.
    """

    def __init__(self, path: Path, names: Iterable[str] | None = None):
        self.path = path
        self.places: dict[str, str] = {}
        self.entries: dict[str, os.stat_result] = {}
        try:
            if names is None:
                self._scan(path, "")
            else:
                self._look_up(names)
        except OSError as error:  # a link to nowhere or in a circle, a folder of someone else
            raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from None

    def _scan(self, folder: Path, prefix: str) -> None:
        for entry in os.scandir(folder):
            if entry.is_dir():
                self._scan(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.lower().endswith(SUFFIXES):
                self.entries[prefix + entry.name] = entry.stat()

    def _look_up(self, names: Iterable[str]) -> None:
        for name in names:
            path = self.path / name
            if path.is_file():
                self.entries[name] = path.stat()

    def stamp(self, names: Sequence[str]) -> str:
        """Changes when one of the files is written, or others are named."""
        stats = ((name, self.entries[name]) for name in names)
        words = [f"{name}/{stat.st_size}/{stat.st_mtime_ns};" for name, stat in stats]
        return hashlib.sha256("".join(words).encode(errors="surrogateescape")).hexdigest()

    def names(self) -> set[str]:
        return set(self.entries)

    def where(self, name: str) -> str:
        """What an error calls an image."""
        return f"{self.path / name}{self.places.get(name, '')}"

    def read(self, name: str) -> bytes:
        path = self.path / name
        try:
            check_size(path.stat().st_size, self.where(name))
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{self.where(name)}: cannot be read ({error.strerror})") from None


class Archive:
    """Image files in a zip file, named without their folders."""

    def __init__(self, path: Path):
        self.path = path
        self.places: dict[str, str] = {}
        self.archive, self.members = open_archive(path)
        self._process = os.getpid()

    def stamp(self, names: Sequence[str]) -> str:
        """Changes when the file is written, or others are named."""
        stat = self.path.stat()
        words = [f"{self.path.name}/{stat.st_size}/{stat.st_mtime_ns}", *names]
        return hashlib.sha256("/".join(words).encode(errors="surrogateescape")).hexdigest()

    def names(self) -> set[str]:
        return set(self.members)

    def where(self, name: str) -> str:
        """What an error calls an image."""
        return f"{self.path / name}{self.places.get(name, '')}"

    def read(self, name: str) -> bytes:
        if self._process != os.getpid():  # two processes must not move the place in one open file
            self.archive, self._process = open_archive(self.path)[0], os.getpid()
        return read_member(self.archive, self.members[name], self.where(name))

    def __getstate__(self):
        return self.__dict__ | {"archive": None, "_process": None}
