"""The images of a table: looked up by its cells, packed, and compared to find copies."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .images import name_of
from .names import SUFFIXES, folded, is_hidden, match, near, without_suffix
from .pack import Pack, open_pack
from .resident import DataError
from .sources import Archive, Folder
from .table_cells import Attribute
from .table_file import Table
from .table_words import as_number, counted, is_number, option, some

SHOWN = 3  # images that a sentence names
SERIES = re.compile(  # a name that ends in the number of a shot, or in how a copy was altered
    r"(.*\d.*)[ _-](?:\d+|(?:aug|copy|crop|flip|mirror|orig|rot)\w*)", re.IGNORECASE
)
FEWEST = 3  # images of a series


@dataclass(frozen=True, kw_only=True)
class Images:
    """The packed images of n rows of a table."""

    pack: Pack
    names: list[str]  # of the files, in the order of the rows
    kept: np.ndarray  # (n,) rows of the table whose images are not broken
    place: np.ndarray  # (n,) rows of the pack
    copies: np.ndarray  # (n,) the same number for files that are the same byte for byte


def images_of(table: Table, column: str, where: Path) -> list[str]:
    """The image of each row: its path below the folder `where`, or its name alone in a zip file."""
    folders = where.suffix.lower() != ".zip"
    names: list[str] = []
    first: dict[str, int] = {}
    for row, cell in enumerate(table.columns[column]):
        path = PureWindowsPath(cell)  # takes / and \ for separators, and knows drives
        problem = None
        if not path.name:
            problem = "is empty, expected the path of an image"
        elif "\0" in cell:
            problem = f"got {cell!r}, expected the path of an image"
        elif path.anchor or ".." in path.parts:
            inside = _below(where, cell, table.path.parent) if folders else None
            if inside is None:
                problem = (
                    f"got {cell!r}, which leads outside: expected a path below the folder of "
                    f"images, {where}, which `images` names"
                )
            path = inside or path
        name = "/".join(path.parts) if folders else path.name
        before = first.setdefault(name, row)
        if problem is None and before != row:
            problem = f"{name} is the image of row {table.rows[before]} already"
            other = PureWindowsPath(table.columns[column][before])
            if not folders and path != other:
                problem += (
                    ": in a zip file images go by their names alone. Unpack it and give the folder "
                    "by `images`"
                )
            else:
                problem += _long_form(table, column)
        if problem:
            raise table.error(row, column, problem)
        names.append(name)
    return names


def _below(where: Path, cell: str, folder: Path) -> PureWindowsPath | None:
    """A path that is absolute or goes upwards, from `where` or the table's `folder`, if inside."""
    base = os.path.abspath(where)
    if PureWindowsPath(cell).drive and os.name != "nt":
        return None
    paths = [os.path.join(start, cell.replace("\\", "/")) for start in (where, folder)]
    inside = [path for path in map(os.path.abspath, paths) if Path(path).is_relative_to(base)]
    path = next(filter(os.path.exists, inside), inside[0] if inside else base)
    return PureWindowsPath(os.path.relpath(path, base)) if path != base else None


def _long_form(table: Table, column: str) -> str:
    """What to do where a table has a row for each label of an image: the line that folds it."""
    others = [
        name for name in table.columns if name != column and len(set(table.columns[name])) > 1
    ]
    words = [name for name in others if not all(map(is_number, table.columns[name]))]
    values = [name for name in others if name not in words]
    images = table.columns[column]
    pairs = {name: len(set(zip(images, table.columns[name], strict=True))) for name in words}
    word = max((name for name in words if pairs[name] == len(table)), default=None,
               key=lambda name: -len(set(table.columns[name])))  # fmt: skip
    if word is None:
        return ": an image has one row. Take the others out"
    frame = table.in_pandas("dtype=str", "keep_default_na=False")
    if values:
        value = min(values, key=lambda name: len(set(table.columns[name])))
        fold = f"{frame}.pivot(index={column!r}, columns={word!r}, values={value!r})"
    else:
        fold = f"{frame}.pipe(lambda f: pandas.crosstab(f[{column!r}], f[{word!r}]))"
    return (
        f": an image has one row. If the table has a row for each label, fold it in Python: "
        f"import pandas; {fold}.to_csv({table.beside('wide')})"
    )


def find_images(
    table: Table, column: str, where: Path, wanted: Sequence[str], *, alone: bool, notes: list[str]
) -> tuple[Folder | Archive, list[str]]:
    """Where the images are, and the name of each row's; `notes` get a sentence on what is odd.

    Parameters
    ----------
    table : Table
    column : str
        Of the images.
    where : path
        Folder or .zip file.
    wanted : sequence of str
        What the rows call their images.
    alone : bool
        Say nothing of images without a row.
    notes : list of str

    Raises
    ------
    DataError
        For a row whose image is missing or is another row's, with files of a similar name.
    """
    source: Folder | Archive
    if where.suffix.lower() == ".zip":
        if not where.is_file():
            raise DataError(f"missing {where}: it is to hold the images of {table.path}")
        source = Archive(where)
    else:
        if not where.is_dir():
            raise DataError(f"missing {where}/: it is to hold the images of {table.path}")
        source = Folder(where, wanted if alone else None)
    present = source.names()
    file_of = match(wanted, present)
    absent = [row for row, name in enumerate(wanted) if name not in file_of]
    if absent:
        every = len(absent) == len(wanted)
        raise table.error(
            absent[0], column,
            f"{_problem(wanted[absent[0]], where, present)}. {len(absent):,} of {len(wanted):,} "
            f"rows have none: add them, say by `images` where they are, or take the rows out"
            + (f". If the column names no images, {option('ignore', column)}" if every else ""),
        )  # fmt: skip
    names = [file_of[name] for name in wanted]
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row:
            raise table.error(
                row, column, f"{name} is the image of row {table.rows[first[name]]} already"
            )
    if isinstance(source, Archive):
        for row, name in enumerate(names):
            _check_folders(table, column, row, name_of(source.members[name]))
    loose = [(name, file) for name, file in zip(wanted, names, strict=True) if name != file]
    if loose:
        notes.append(
            f"{counted(len(loose), 'image has', 'images have')} another spelling in the table "
            f"(case, Unicode form or no suffix): "
            f"{', '.join(f'{name} is {file}' for name, file in loose[:SHOWN])}"
            f"{', ...' if len(loose) > SHOWN else ''}"
        )
    if not alone and len(present) > len(names):
        more = counted(len(present) - len(names), "image", "images")
        notes.append(f"{more} in {where.name} without a row")
    at = zip(names, table.rows, strict=True)
    source.places = {name: f" ({table.path.name}, row {row})" for name, row in at}
    return source, names


def _check_folders(table: Table, column: str, row: int, member: str) -> None:
    """Refuse a member of a zip file that lies in another folder than the table says."""
    cell = table.columns[column][row]
    *wanted, _ = PureWindowsPath(folded(cell)).parts
    *found, _ = PureWindowsPath(folded(member)).parts
    shared = min(len(wanted), len(found))
    if shared and wanted[-shared:] != found[-shared:]:
        raise table.error(
            row, column,
            f"got {cell!r}, but the image of that name lies at {member!r} in the zip file: give "
            f"the file that holds it by `images`, or the names without folders",
        )  # fmt: skip


def _problem(name: str, where: Path, present: set[str]) -> str:
    """Why a row has no image."""
    if is_hidden(name):
        return f"{name} is hidden by its name, and hidden files are no images"
    alike, number = near(name, present), as_number(name)
    if not alike and number != name and (alike := near(number, present)):
        return (
            f"no image {name} in {where}, near it: {', '.join(alike)}. Were the names read as "
            f"decimal numbers? Write them as texts, in pandas by dtype=str"
        )
    if alike:
        several = [other for other in alike if folded(other) == folded(name)]
        hint = "several fit" if len(several) > 1 else "near it"
        return f"no image {name} in {where}, {hint}: {', '.join(alike)}"
    named = "." in name.rsplit("/", 1)[-1] or (where / name).is_file()
    if named and not name.lower().endswith(SUFFIXES):
        return f"got {name!r}, expected an image file: {', '.join(SUFFIXES)}"
    return f"no image {name} in {where}"


def pack_images(
    table: Table,
    source: Folder | Archive,
    names: list[str],
    *,
    size: tuple[int, int],
    background: tuple[int, int, int],
    skip_broken: bool,
    progress: bool,
    notes: list[str],
) -> Images:
    """The packed images of a table's rows; `notes` get sentences on what is odd in them."""
    ordered = sorted(names)
    pack = open_pack(
        table.path.parent, source, ordered, size=size, background=background,
        skip_broken=skip_broken, progress=progress,
        advice="Get them again, or leave them out by --skip-broken true",
    )  # fmt: skip
    if pack.broken:
        of = f"of {len(names):,} images"
        notes.append(
            f"warning: {counted(len(pack.broken), f'{of} is', f'{of} are')} broken and left out: "
            f"{some(list(pack.broken))}"
        )
    if pack.pages:
        notes.append(
            f"warning: {counted(len(pack.pages), 'image has', 'images have')} several pages or "
            f"frames, of which the first is used: {some(pack.pages)}"
        )
    if pack.bands:
        notes.append(
            f"warning: {counted(len(pack.bands), 'image has', 'images have')} more bands than are "
            f"used, red, green and blue or grey: {some(pack.bands)}"
        )
    if pack.clear:
        notes.append(
            f"{counted(len(pack.clear), 'image is', 'images are')} transparent in part and laid on "
            f"the background, see --background: {some(pack.clear)}. If the fourth band is no "
            f"transparency, such as near infrared, save the images without it"
        )
    if pack.plain:
        notes.append(
            f"warning: {len(pack.plain):,} images are of one colour all over, as others of them "
            f"are: {some(pack.plain)}. No network can tell them apart: check what is in the files, "
            f"and whether their values are 0 and 1 in place of 0 and 255"
        )
    for kind, low, high in pack.ranges.values():
        notes.append(f"{kind} grey values of more than 8 bits: {low:g} to {high:g} become 0 to 255")
    if pack.source_size != tuple(size):
        notes.append(f"the network is given {pack.resolution} pixels, see --width and --height")
    kept = np.array([row for row, name in enumerate(names) if name not in pack.broken])
    names = [names[row] for row in kept]
    number = {name: place for place, name in enumerate(ordered)}
    copy_of = {name: group[0] for group in pack.same for name in group}
    return Images(
        pack=pack,
        names=names,
        kept=kept,
        place=np.array([number[name] for name in names]),
        copies=np.array([number[copy_of.get(name, name)] for name in names]),
    )


def at_rows(table: Table, rows: np.ndarray) -> Table:
    """The table with these rows alone."""
    columns = {name: [cells[row] for row in rows] for name, cells in table.columns.items()}
    return replace(table, columns=columns, rows=[table.rows[row] for row in rows])


def joined(groups: np.ndarray | None, copies: np.ndarray) -> np.ndarray | None:
    """Groups (n,) that hold copies together as well; None where nothing is to be kept together.

    Examples
    --------
    >>> joined(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
    [0, 0, 0, 1]
    """
    if len(set(copies.tolist())) == len(copies):
        return groups
    if groups is None:
        return np.unique(copies, return_inverse=True)[1]
    left, right = (np.unique(x, return_inverse=True)[1] for x in (groups, copies))
    count = left.max() + 1
    edges = coo_array((np.ones(len(left)), (left, right + count)), shape=(2 * len(left),) * 2)
    return np.unique(connected_components(edges, directed=False)[1][left], return_inverse=True)[1]


def told_copies(
    images: Images, attributes: Sequence[Attribute], parts: np.ndarray, *, drawn: bool
) -> list[str]:
    """Sentences on images that are the same byte for byte.

    Parameters
    ----------
    images : Images
    attributes : sequence of Attribute
    parts : ndarray (n,)
        The split of each row.
    drawn : bool
        Whether the split was drawn, with copies kept in one part where every class is then in
        each part.
    """
    order = np.argsort(images.copies, kind="stable")
    cuts = np.flatnonzero(np.diff(images.copies[order])) + 1
    groups = [rows for rows in np.split(order, cuts) if len(rows) > 1]
    if not groups:
        return []
    cut = [rows for rows in groups if len(set(parts[rows])) > 1]
    notes = [
        f"{counted(len(groups), 'picture comes', 'pictures come')} more than once, byte for byte, "
        f"in {sum(map(len, groups)):,} rows{', each in one split' if drawn and not cut else ''}: "
        f"{_alike(groups, images.names)}"
    ]
    if cut:
        where = [f"{name} ({part})" for name, part in zip(images.names, parts, strict=True)]
        notes.append(
            f"warning: {counted(len(cut), 'picture is', 'pictures are')} in more than one split, "
            f"byte for byte: {_alike(cut, where)}"
        )
    labels = np.stack([attribute.labels for attribute in attributes])  # (A, n)
    torn = [rows for rows in groups if any(len(set(y[y >= 0])) > 1 for y in labels[:, rows])]
    if torn:
        notes.append(
            f"warning: {counted(len(torn), 'picture has', 'pictures have')} one label in one row "
            f"and another in the next, byte for byte the same: {_alike(torn, images.names)}"
        )
    return notes


def told_series(images: Images, attributes: Sequence[Attribute], parts: np.ndarray) -> list[str]:
    """A sentence on names that differ in their last number alone, in several splits.

    Names of one class, such as img_1, or cat_1 and dog_1, are no series: of these there are more
    than classes, each with a number of its own.
    """
    series: dict[str, list[int]] = {}
    for row, name in enumerate(images.names):
        stem = without_suffix(name)
        found = SERIES.fullmatch(stem)
        series.setdefault(found[1] if found else stem, []).append(row)
    groups = [np.array(rows) for rows in series.values() if len(rows) >= FEWEST]
    count, classes = sum(map(len, groups)), max(len(one.classes) for one in attributes)
    cut = [rows for rows in groups if len(set(parts[rows])) > 1]
    if 2 * count < len(parts) or len(groups) <= classes or not cut:
        return []
    first = ", ".join(f"{images.names[row]} ({parts[row]})" for row in cut[0][:SHOWN])
    return [
        f"warning: {count:,} images have names that begin as those of others do, {len(groups):,} "
        f"beginnings, {len(cut):,} of them in more than one split: {first}. If such images are of "
        f"one patient or one original, the test measures what the training has seen: give a table "
        f"with a column of the beginnings and name it by --group"
    ]


def _alike(groups: list[np.ndarray], names: Sequence[str]) -> str:
    """The first groups of copies by their names."""
    told = [" = ".join(names[row] for row in rows[:SHOWN]) for rows in groups[:SHOWN]]
    return ", ".join(told) + (", ..." if len(groups) > SHOWN else "")
