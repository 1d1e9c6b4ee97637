"""Whether the records are the ones that the book's sentences were written for.

``results/own.txt`` lists the repository's folders of records, each with the number of its JSON
files and a hash of their contents, whatever their names. Where every folder below ``results`` is as
listed and there is no other, the records are the repository's own. ``results/runs``, the place of a
reader's single runs, does not count.

    python -m dcl_book.own    # after new records of the repository: list what is there
"""

import hashlib
import sys
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "results"
LIST = "own.txt"
COMMAND = "python -m dcl_book.own"


def listing(results: Path) -> str:
    """A line for each folder of records: its path below `results`, how many, their hash.

    Examples
    --------
    >>> listing(Path("/nowhere"))
    ''
    """
    folders: dict[str, list[Path]] = {}
    for path in sorted(results.rglob("*.json")):
        folder = path.parent.relative_to(results).as_posix()
        if folder.split("/")[0] != "runs":
            folders.setdefault(folder, []).append(path)
    lines = []
    for folder, paths in sorted(folders.items()):
        state = hashlib.sha256()
        for digest in sorted(hashlib.sha256(path.read_bytes()).digest() for path in paths):
            state.update(digest)  # in whatever order: a file with another name says the same
        lines.append(f"{folder} {len(paths)} {state.hexdigest()[:16]}\n")
    return "".join(lines)


def are_own(results: Path, repository: Path = RESULTS) -> bool:
    """Whether a folder of results, or one below it, holds the repository's own records alone.

    Parameters
    ----------
    results : path
        What a page reads: `repository` or a folder in it; any other folder is a reader's.
    repository : path
        The folder with the list.
    """
    place, repository = Path(results).resolve(), Path(repository).resolve()
    listed = repository / LIST
    if not place.is_relative_to(repository) or not listed.is_file():
        return False
    return listed.read_text("utf8") == listing(repository)


def main() -> int:
    (RESULTS / LIST).write_text(listing(RESULTS), "utf8")
    print(f"{RESULTS / LIST} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
