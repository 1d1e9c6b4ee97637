"""A folder of images with a sub-folder for each class, read as a table."""

from pathlib import Path

from .resident import DataError, split_name
from .sources import Folder
from .table_codes import some
from .table_file import Table

HOW = (
    "A data set is a .csv, .tsv or .parquet table, or a folder whose sub-folders are the classes, "
    "each with its images, below folders train, val and test if the split is given"
)


def read_folders(path: Path) -> tuple[Table, list[str]]:
    """The table of a folder's images, with the columns path, label and, if given, split; and notes.

    Raises
    ------
    DataError
        For a folder without a class, of folders within classes, and of splits beside classes.
    """
    places = [(name, name.split("/")) for name in sorted(Folder(path).names())]
    stray = [name for name, parts in places if len(parts) == 1]
    places = [(name, parts) for name, parts in places if len(parts) > 1]
    tops = sorted({parts[0] for _, parts in places})
    splits = [top for top in tops if split_name(top)]
    given = bool(splits) and splits == tops
    if splits and not given:
        others = [top for top in tops if top not in splits]
        raise DataError(f"{path}: has {some(splits)} beside {some(others)}. {HOW}")
    depth = 3 if given else 2
    if not places:
        raise DataError(f"{path}: holds no image in a sub-folder. {HOW}")
    wrong = next((name for name, parts in places if len(parts) != depth), None)
    if wrong is not None:
        raise DataError(
            f"{path}: {wrong} is not in a folder of a class {'of a split' if given else 'alone'}. "
            f"{HOW}"
        )
    columns = {
        "path": [name for name, _ in places],
        "label": [parts[-2] for _, parts in places],
    }
    if given:
        columns["split"] = [parts[0] for _, parts in places]
    notes = []
    here = [place.name for place in path.iterdir() if place.is_dir()]
    empty = sorted(name for name in here if name not in tops and not name.startswith((".", "__")))
    if empty:
        notes.append(f"folders without an image: {some(empty)}")
    if stray:
        notes.append(
            f"{len(stray):,} images of {path.name} are in no folder of a class, {some(stray)}"
        )
    return Table(path=path, columns=columns, rows=list(range(1, len(places) + 1))), notes
