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
    """Whether a path with ``/`` is hidden or a system's own: such a file is no image.

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
    """The name that is present for each wanted one; those that none fits, or several, are left out.

    A name fits as it is. One that nothing is called by fits without regard to case and Unicode
    form, or else without the suffix, where the wanted name has none.

    Examples
    --------
    >>> match(["a.jpg", "B", "c"], ["A.JPG", "b.png", "c.png", "c.jpg"])
    {'a.jpg': 'A.JPG', 'B': 'b.png'}
    """
    wanted, present = list(wanted), set(present)
    found = {name: name for name in wanted if name in present}
    free = present - set(found)  # what has a row by its own name is no other row's
    if not free or len(found) == len(set(wanted)):
        return found
    for reduced in (folded, lambda name: folded(without_suffix(name))):
        groups: dict[str, list[str]] = {}
        for name in free:
            groups.setdefault(reduced(name), []).append(name)
        for name in wanted:
            fitting = groups.get(folded(name), ())
            if name not in found and len(fitting) == 1:
                found[name] = fitting[0]
    return {name: found[name] for name in wanted if name in found}


def near(name: str, present: Iterable[str]) -> list[str]:
    """Names that one may have meant, for an error: the same elsewhere, or spelt much like it."""
    present = sorted(present)
    stem = folded(without_suffix(name))
    alike = [other for other in present if folded(without_suffix(other)) == stem]
    last = stem.rsplit("/", 1)[-1]
    alike += [
        other
        for other in present
        if other not in alike and folded(without_suffix(other)).rsplit("/", 1)[-1] == last
    ]
    if not alike and len(present) <= FEW:
        alike = difflib.get_close_matches(name, present, NEAREST, cutoff=0.8)
    return alike[:NEAREST]
