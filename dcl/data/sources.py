"""Where the images of a data set lie: in a folder or in a zip file."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from .images import check_size, name_of, open_archive, read_member
from .names import folded, is_hidden, is_image
from .resident import DataError


class Source:
    """Images by their names.

    `places` says of an image what an error adds to its path: where else it is spoken of.
    """

    def __init__(self, path: Path):
        self.path = path
        self.places: dict[str, str] = {}
        self.passed: Counter[str] = Counter()  # files that are no images, by their suffix

    def passes(self, name: str) -> None:
        """Count a file that is no image by its name, unless it is hidden."""
        if not is_hidden(name):
            self.passed[PurePosixPath(name).suffix.lower() or "without a suffix"] += 1

    @property
    def others(self) -> str:
        """The files that are no images by their names, counted by suffix."""
        return ", ".join(f"{n:,} {suffix}" for suffix, n in self.passed.most_common())

    def where(self, name: str) -> str:
        """What an error calls an image."""
        return f"{self.path / name}{self.places.get(name, '')}"


class Folder(Source):
    """Image files below a folder, named by their path below it.

    With `names`, only the files of these names; if some are missing, also all images of the folders
    that they should be in. Hidden files and a system's helper files are no images, see
    `dcl.data.names`.
    """

    def __init__(self, path: Path, names: Iterable[str] | None = None):
        super().__init__(path)
        self.entries: dict[str, os.stat_result | None] = {}
        try:
            if names is None:
                self._scan(path, "")
            else:
                self._look_up(names)
        except OSError as error:  # a link in a circle, a folder of someone else
            raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from None

    def _scan(self, folder: str | Path, prefix: str, deep: bool = True) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = prefix + entry.name
                if is_hidden(name):
                    continue
                if entry.is_dir():
                    if deep:
                        self._scan(entry.path, f"{name}/")
                elif is_image(name):
                    self.entries[name] = _stat(entry)
                else:
                    self.passes(name)

    def _look_up(self, names: Iterable[str]) -> None:
        missing = set()  # folders of the names that no file has exactly
        for name in names:
            path = self.path / name
            if path.is_file() and is_image(name):
                self.entries[name] = path.stat()
            else:
                missing.add(name.rpartition("/")[0])
        for folder in missing:
            for prefix in self._folders(folder):
                self._scan(self.path / prefix, prefix, deep=False)

    def _folders(self, wanted: str) -> list[str]:
        """Folders that a written one may mean, without regard to case and Unicode form."""
        prefixes = [""]
        for part in wanted.split("/") if wanted else []:
            prefixes = [
                f"{prefix}{entry.name}/"
                for prefix in prefixes
                for entry in (self.path / prefix).iterdir()
                if folded(entry.name) == folded(part) and entry.is_dir()
            ]
        return prefixes

    def stamps(self, names: Sequence[str]) -> list[str]:
        """For each file a text that changes when it is written."""
        stats = (self.entries[name] for name in names)
        return [f"{stat.st_size}/{stat.st_mtime_ns}" if stat else "" for stat in stats]

    def stamp(self, names: Sequence[str]) -> str:
        """Changes when one of the files is written, or others are named."""
        words = [f"{a}/{b};" for a, b in zip(names, self.stamps(names), strict=True)]
        return hashlib.sha256("".join(words).encode(errors="surrogateescape")).hexdigest()

    def names(self) -> set[str]:
        return set(self.entries)

    def read(self, name: str) -> bytes:
        path = self.path / name
        try:
            check_size(path.stat().st_size, self.where(name))
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{self.where(name)}: cannot be read ({error.strerror})") from None


class Archive(Source):
    """Image files in a zip file, named without their folders."""

    def __init__(self, path: Path):
        super().__init__(path)
        self.archive, self.members = open_archive(path)
        for member in self.archive.infolist():
            if not member.is_dir() and not is_image(name := name_of(member)):
                self.passes(name)
        self._process = os.getpid()

    def stamps(self, names: Sequence[str]) -> list[str]:
        """For each image a text that changes with its bytes."""
        members = (self.members[name] for name in names)
        return [f"{member.file_size}/{member.CRC}" for member in members]

    def stamp(self, names: Sequence[str]) -> str:
        """Changes when the file is written, or others are named."""
        stat = self.path.stat()
        words = [f"{self.path.name}/{stat.st_size}/{stat.st_mtime_ns}", *names]
        return hashlib.sha256("/".join(words).encode(errors="surrogateescape")).hexdigest()

    def names(self) -> set[str]:
        return set(self.members)

    def read(self, name: str) -> bytes:
        if self._process != os.getpid():  # two processes must not move the place in one open file
            self.archive, self._process = open_archive(self.path)[0], os.getpid()
        return read_member(self.archive, self.members[name], self.where(name))

    def __getstate__(self):
        return self.__dict__ | {"archive": None, "_process": None}


def _stat(entry: os.DirEntry) -> os.stat_result | None:
    """What the system says of a file, None of a link to nowhere, which `read` will name."""
    try:
        return entry.stat()
    except OSError:
        return None
