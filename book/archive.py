"""Pack what a referee wants into one file: repository, records, weights, the built book, its PDF.

    python book/archive.py    # what `make archive` runs; the book and its PDF where they are built

The archive has a manifest: `sha256sum --check MANIFEST.sha256` in the unpacked folder verifies
every file, `python -m dcl check --all` every record and all weights. The same files give the same
bytes with the same version of zlib: names are sorted, times are the last commit's, owners are left
out.
"""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import dcl

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = "MANIFEST.sha256"
BOOK, PDF = Path("_build", "html"), Path("_build", "dcl-companion.pdf")


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"make archive: {' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def members(root: Path) -> dict[str, Path]:
    """Name in the archive -> file: all under version control, and what is built of the book."""
    found = {name: root / name for name in git(root, "ls-files", "-z").split("\0") if name}
    for path in (root / BOOK).rglob("*"):
        if path.is_file():
            found[f"book-html/{path.relative_to(root / BOOK).as_posix()}"] = path
    if (root / PDF).is_file():
        found[PDF.name] = root / PDF
    missing = [name for name, path in found.items() if not path.is_file()]
    if missing:
        sys.exit(f"make archive: {missing[0]} is under version control but not there: restore it")
    return found


def write(files: Mapping[str, Path], path: Path, folder: str, time: int) -> None:
    """Write the files and their manifest below one folder of a .tar.gz, whole or not at all."""
    scratch = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    hashes = []
    with (
        scratch.open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            content = files[name].read_bytes()
            hashes.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
            _add(archive, f"{folder}/{name}", content, time, os.access(files[name], os.X_OK))
        _add(archive, f"{folder}/{MANIFEST}", "".join(hashes).encode(), time, False)
    os.replace(scratch, path)


def _add(archive: tarfile.TarFile, name: str, content: bytes, time: int, runs: bool) -> None:
    entry = tarfile.TarInfo(name)  # its owner is nobody in particular
    entry.size, entry.mtime, entry.mode = len(content), time, 0o755 if runs else 0o644
    archive.addfile(entry, io.BytesIO(content))


def main() -> None:
    files = members(ROOT)
    folder = f"dcl-companion-{dcl.__version__}"
    path = ROOT / "_build" / f"{folder}.tar.gz"
    write(files, path, folder, int(git(ROOT, "log", "-1", "--format=%ct")))
    for what, place in (("book", BOOK / "index.html"), ("PDF", PDF)):
        if not (ROOT / place).is_file():
            print(f"make archive: without the {what}, which is not built: {place} is not there")
    if git(ROOT, "status", "--porcelain", "--untracked-files=no"):
        print("make archive: with changes that are not committed")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    size = path.stat().st_size / 2**20
    print(f"{len(files):,} files, {size:.1f} MiB, sha256 {digest}\n{path}")


if __name__ == "__main__":
    main()
