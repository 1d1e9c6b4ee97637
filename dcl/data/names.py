"""Which files are images by their names, and which file a written name means.

Tables are written on one system and images copied from another: `.jpg` becomes `.JPG`, é changes
its Unicode form, an id loses its extension. Such a name is matched where one file alone fits it.
"""

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
HELPERS = ("__macosx", "@eadir")  # folders of macOS and of Synology that hold copies of names
NEAREST = 3  # near names that an error tells
FEW = 20_000  # names that are compared letter by letter for an error


def is_hidden(path: str) -> bool:
    """Whether a path with ``/`` is hidden, or a system's helper file: neither is an image.

    Examples
    --------
    >>> [is_hidden(path) for path in ("._a.jpg", "__MACOSX/a.jpg", ".thumbs/a.jpg", "a/b.jpg")]
    [True, True, True, False]
    """
    parts = path.split("/")
    return any(part.startswith(".") or part.lower() in HELPERS for part in parts)


def is_image(path: str) -> bool:
    """Whether a file is an image by its path below the data's folder, with ``/``."""
    return path.lower().endswith(SUFFIXES) and not is_hidden(path)


def without_suffix(path: str) -> str:
    """A path without an image's suffix; a dot of another kind belongs to the name.

    Examples
    --------
    >>> without_suffix("a/ISIC_1.JPG"), without_suffix("scan.v2")
    ('a/ISIC_1', 'scan.v2')
    """
    suffix = PurePosixPath(path).suffix
    return path.removesuffix(suffix) if suffix.lower() in SUFFIXES else path


def folded(name: str) -> str:
    """A name without its case and Unicode form: equal for two that a person reads as the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def match(wanted: Iterable[str], present: Iterable[str]) -> dict[str, str]:
    """The present name that fits each wanted one; without those that none or several fit.

    A name fits if it is equal. If none is equal, case and Unicode form may differ; if that gives
    none either, and the wanted name has no suffix, the present name may have one.

    Examples
    --------
    >>> match(["a.jpg", "B", "c"], ["A.JPG", "b.png", "c.png", "c.jpg"])
    {'a.jpg': 'A.JPG', 'B': 'b.png'}
    """
    wanted, present = list(wanted), set(present)
    file_of = {name: name for name in wanted if name in present}
    free = present - set(file_of)  # a file that a row names exactly is no other row's
    if not free or len(file_of) == len(set(wanted)):
        return file_of
    for reduced in (folded, lambda name: folded(without_suffix(name))):
        groups: dict[str, list[str]] = {}
        for name in free:
            groups.setdefault(reduced(name), []).append(name)
        for name in wanted:
            fitting = groups.get(folded(name), ())
            if name not in file_of and len(fitting) == 1:
                file_of[name] = fitting[0]
    return {name: file_of[name] for name in wanted if name in file_of}


def _last(name: str) -> str:
    return folded(without_suffix(name)).rsplit("/", 1)[-1]


def near(name: str, present: Iterable[str]) -> list[str]:
    """Names that one may have meant, for an error: the same elsewhere, or spelt much like it.

    Examples
    --------
    >>> near("7", ["a/007.png", "008.png"])  # a spreadsheet took the zeros
    ['a/007.png']
    """
    present = sorted(present)
    stem = folded(without_suffix(name))
    alike = [other for other in present if folded(without_suffix(other)) == stem]
    last = _last(name)
    alike += [
        other
        for other in present
        if other not in alike and _last(other) in (last, last.zfill(len(_last(other))))
    ]
    if not alike and len(present) <= FEW:
        alike = difflib.get_close_matches(name, present, NEAREST, cutoff=0.8)
    return alike[:NEAREST]
