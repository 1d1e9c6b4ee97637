"""The words of a table: which are numbers, which are spelt alike, and how messages list them.

Names that a person gives are one text with commas between, as on a command line; a message that
tells an option writes it in this form, ready for a shell.
"""

import csv
import re
import shlex
import unicodedata
from collections.abc import Iterable

MISSING = {"", "nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none"}  # in lower case
NO_CLASS = {  # words in a cell that say nothing: asked about, where MISSING is unknown
    *("?", "unknown", "missing", "not available", "not applicable", "n.a.", "--", ".", "tbd"),
    *("not known", "not assessed", "not done", "not recorded", "not reported", "n/k"),
    *("k.a.", "k. a.", "keine angabe", "unbekannt", "n.d.", "n/d", "inconnu", "desconocido"),
    *("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"),
    *("#nv", "#n/d", "\\n", "na_character_", "(null)", "<null>", "(blank)", "undefined"),
}
MINUS = ("-1", "-1.0")
WHOLE = re.compile(r"([+-]?)([0-9]{1,18})(\.0*)?")
COMMA = re.compile(r"[+-]?\d+,\d+")  # a number whose point is a comma
BETWEEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")  # a dash between letters
FEW = 8  # names in a sentence


def nfc(text: str) -> str:
    """A text in the one Unicode form that names and cells are compared in.

    Examples
    --------
    >>> nfc("gro\N{LATIN SMALL LETTER SHARP S}e\N{COMBINING ACUTE ACCENT}") == "gro\xdf\xe9"
    True
    """
    return unicodedata.normalize("NFC", text)


def names_in(text: str) -> list[str]:
    """Texts with commas between, as a row of a CSV file has them: quotes around one with a comma.

    Examples
    --------
    >>> names_in('age, "Effusion, left"')
    ['age', 'Effusion, left']
    """
    fields = next(csv.reader([nfc(text)], skipinitialspace=True), [])
    return [name.strip() for name in fields if name.strip()]


def quoted(name: str) -> str:
    """A text as `names_in` takes it.

    Examples
    --------
    >>> quoted("Effusion, left")
    '"Effusion, left"'
    """
    return '"{}"'.format(name.replace('"', '""')) if set(name) & set(',"') else name


def option(name: str, *texts: str) -> str:
    """An option as a shell takes it.

    Examples
    --------
    >>> option("ignore", "age", "Effusion, left"), option("ignore", "age")
    ('--ignore \\'age,"Effusion, left"\\'', '--ignore age')
    """
    text = ",".join(map(quoted, texts))
    if set(text) & set('"$`\\!'):
        return f"--{name} {shlex.quote(text)}"
    return f"--{name} {text}" if re.fullmatch(r"[\w.,-]+", text) else f'--{name} "{text}"'


def counted(count: int, one: str, several: str) -> str:
    """A count and what is said of one, or of several.

    Examples
    --------
    >>> counted(1, "row has none", "rows have none"), counted(1_200, "row", "rows")
    ('1 row has none', '1,200 rows')
    """
    return f"{count:,} {one if count == 1 else several}"


def some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    return ", ".join(repr(str(name)) for name in names[:FEW]) + more


def is_number(cell: str) -> bool:
    """Whether a text is a number, infinity and NaN among them."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def as_number(cell: str) -> str:
    """A number without its point: 1.0 is 1. What has a leading zero is a text."""
    whole = WHOLE.fullmatch(cell)
    if whole and not has_zeros(cell):
        return f"{'-' * (whole[1] == '-')}{int(whole[2])}"
    return repr(float(cell)) if is_number(cell) and not whole else cell


def has_zeros(cell: str) -> bool:
    """Whether a whole number has leading zeros: a code, which keeps them."""
    return len(cell) > 1 and cell[0] == "0" and cell.isdecimal()


def comma_hint(cell: str) -> str:
    """What to do with a number whose point is a comma; nothing for other cells."""
    return ". Write a point, not a comma" if COMMA.fullmatch(cell) else ""


def alike(text: str) -> str:
    """The same for texts that a person reads as one.

    Case, spaces, dashes and points at the end do not matter, nor zeros before a number.

    Examples
    --------
    >>> alike("T\N{EN DASH}Cell  a\N{ZERO WIDTH SPACE}."), alike("007"), alike("7.0"), alike("-7")
    ('t cell a', '7', '7', '-7')
    """
    text = unicodedata.normalize("NFKC", text).lower()
    kinds = {"Cf": "", "Pd": "-", "Zs": " ", "Pc": " "}  # unseen, dashes, spaces, underscores
    text = "".join(kinds.get(unicodedata.category(letter), letter) for letter in text)
    text = BETWEEN.sub(" ", " ".join(text.split()).rstrip(".,;:") or text)
    whole = WHOLE.fullmatch(text)
    return f"{'-' * (whole[1] == '-')}{int(whole[2])}" if whole else text


def spelt_twice(texts: Iterable[str]) -> tuple[str, str] | None:
    """The first two different texts that are `alike`; None if there are none."""
    first: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        if (other := first.setdefault(alike(text), text)) != text:
            return other, text
    return None


def spelt_elsewhere(groups: list[str]) -> tuple[int, str] | None:
    """Place of the first group that is spelt in two ways, and what to do; None if there is none."""
    twice = spelt_twice(groups)
    if twice is None:
        return None
    other, text = twice
    return groups.index(text), (
        f"got {text!r}, spelt {other!r} elsewhere: write a group in one way, or call it by another "
        f"name if it is another"
    )
