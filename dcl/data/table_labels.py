"""A column of labels as an attribute: its classes, and the label of each row.

It has one kind of value: whole numbers, true and false, yes and no, or words.
"""

from collections import Counter
from collections.abc import Sequence

from .resident import DataError
from .table_cells import KNOWN, PAIRS, Attribute, Cells, ask_of_none, ask_of_nothing, is_missing
from .table_codes import Codes
from .table_file import Table
from .table_lists import ask_of_lists
from .table_words import (
    FEW,
    WHOLE,
    as_number,
    has_zeros,
    is_number,
    names_in,
    option,
    some,
    spelt_twice,
)

NO, YES = ({pair[place] for pair in KNOWN} for place in (0, 1))
WORDS = {"number": "whole numbers", PAIRS[0]: "true and false", PAIRS[1]: "yes and no"}


def attribute_of(
    table: Table, column: str, name: str, codes: Codes | None = None, *, lists: bool = False
) -> Attribute:
    """The attribute that a column is.

    Whole numbers are classes called by them, in their order; where one has a leading zero, as they
    are written. Folders that are called 0.5 and 1.0 are words. True and yes are 1, false and no
    are 0; words are numbered in alphabetical order.
    With `lists` a cell that looks like several labels is a text as others.

    Raises
    ------
    DataError
        For cells of two kinds, words that look like lists, fewer than two classes, too many.
    """
    cells = Cells(table, column, codes)
    if not lists:
        ask_of_lists(cells)
    cells.say_yes_as_others()
    first = cells.known
    kinds = {text: _kind(cells, text) for text in first}
    if table.folders and any(is_number(text) and not text.isdecimal() for text in first):
        kinds = dict.fromkeys(kinds, "word")
    allowed = _allowed(cells, kinds)
    said = {text for text, cell in first.items() if cell in cells.said}
    other = {text for text, kind in kinds.items() if kind not in allowed}
    named = any(first[text] == text for text in said)  # 4A=4A, beside 4: these are classes all
    sure = all(kinds[x] == "number" or (kinds[x] == "word" and x in said) for x in other)
    if other and sure and (named or other <= said):
        allowed |= {"word", "number", *PAIRS}
    stray = [text for text, kind in kinds.items() if kind not in allowed]  # all words: yes, partly
    if stray:
        text = min(stray, key=said.__contains__)  # rather one that nobody spoke of
        what = "words" if "word" in allowed else WORDS[next(iter(allowed))]
        if text in said:
            others = [cell for cell, word in cells.texts.items() if word and word != text]
            rest = ", ..." if len(others) > FEW else ""
            all_said = [f"{x}=..." for x in others[:FEW]] + [f"{cells.code(first[text])}={text}"]
            all_said[0] = f"{column}:{all_said[0]}"
            raise cells.error(
                first[text],
                f"codes say {text!r} among {what}: a column holds values of one kind. Say what the "
                f"others mean as well, {option('codes', *all_said)}{rest}: yes, no, unknown or, "
                f"with its own name, a class",
            )
        raise cells.error(
            first[text],
            f"got {text!r} among {what}: a column holds values of one kind. Say by "
            f"{option('codes', f'{column}:{first[text]}=...')} what it means: yes, no, unknown or, "
            f"with its own name, a class",
        )
    names: Sequence[str]
    if "word" in allowed or any(map(has_zeros, first)):
        ask_of_none(cells)
        names = _words(cells)
        code_of = {text: names.index(text) for text in first}
    elif allowed == {"number"}:
        numbers = {text: as_number(text) for text in first}
        names = sorted(set(numbers.values()), key=int)
        code_of = {text: names.index(number) for text, number in numbers.items()}
    else:
        names = next(iter(allowed), ())
        code_of = {text: names.index(text.lower()) for text in first}
    if len(set(code_of.values())) < 2:
        problem = f"every label that is known is {next(iter(first))!r}" if first else (
            "every label is unknown"
        )  # fmt: skip
        raise table.error(
            None, column,
            f"{problem}: two classes at least are needed. Add rows, or ignore it"
            f"{_blank_is_no(cells)}",
        )  # fmt: skip
    known = len(table) - sum(cells.unknown.values())
    if len(names) > max(2, known / 2):
        what = "whole numbers" if allowed == {"number"} else "words"
        raise table.error(
            None,
            column,
            f"{len(names):,} {what} in {known:,} rows are no classes: ignore it",
        )
    return Attribute(
        name=name, column=column, labels=cells.labels(code_of), classes=tuple(names),
        unknown=cells.unknown,
    )  # fmt: skip


def _allowed(cells: Cells, kinds: dict[str, str | tuple[str, str]]) -> set:
    """The kinds that a column may hold: the one that most rows have is what the column is."""
    rows: Counter = Counter()
    for text, kind in kinds.items():
        rows[kind] += sum(n for cell, n in cells.counts.items() if cells.texts[cell] == text)
    words = sum(n for kind, n in rows.items() if kind != "number")
    if "word" in rows and rows["number"] <= words:
        return {"word", *PAIRS}
    return {rows.most_common(1)[0][0]} if rows else set()


def _blank_is_no(cells: Cells) -> str:
    """What to say where empty cells may mean no: a cross for yes, and else nothing."""
    if len(cells.known) != 1 or not any(map(is_missing, cells.unknown)):
        return ""
    (cell,) = cells.known.values()
    return f"; if an empty cell means no: {option('codes', f'{cell}=yes', f'{cells.blank}=no')}"


def _kind(cells: Cells, text: str) -> str | tuple[str, str]:
    """number, word or one of `PAIRS`."""
    cell, lower = cells.known[text], text.lower()
    if cell not in cells.said and not cells.table.folders:
        ask_of_nothing(cells, text)
    whole = WHOLE.fullmatch(text)
    if whole and whole[1] != "-":
        return "number"
    if cell in cells.said and is_number(text):
        return "word"
    if is_number(text) and not cells.table.folders:
        raise cells.error(
            cell,
            f"got {text!r}, expected a class: a whole number from 0, true or false, yes or no, or "
            f"a word; an empty cell for unknown. Say what it means by "
            f"{option('codes', f'{cell}=...')}, or ignore the column if it is no label",
        )
    return next((pair for pair in PAIRS if lower in pair), "word")


def _words(cells: Cells) -> list[str]:
    """The names of the classes of words: in alphabetical order, but yes after no."""
    if twice := spelt_twice(cells.known):
        other, word = twice
        row = cells.table.rows[cells.first[cells.known[other]]]
        code = cells.code(cells.known[word])
        raise cells.error(
            cells.known[word],
            f"got {word!r}, spelt {other!r} in row {row}: write it in one way, or say by "
            f"{option('codes', f'{code}={other}')} that they are one class, or by "
            f"{option('codes', f'{code}={word} too')} that it is another, with another name",
        )
    names = sorted(cells.known)
    asked = [name for name in names if name not in cells.said]  # -=- is a class
    if len(asked) > 2 and {name.lower() for name in names} <= {*YES, *NO}:
        said = [f"{cells.code(cells.known[name])}={'yes' if name.lower() in YES else 'no'}"
                for name in names]  # fmt: skip
        raise cells.error(
            cells.known[names[0]],
            f"the words {some(names)} say yes and no in several ways: say what they mean, such as "
            f"{option('codes', *said)}, or give a class of its own another name",
        )
    return names[::-1] if tuple(name.lower() for name in names[::-1]) in KNOWN else names


def positive_words(text: str, attributes: list[Attribute]) -> dict[str, str]:
    """Attribute -> the class that a person calls positive: ``word``, or ``column=word``.

    Raises
    ------
    DataError
        For a word that is no class of an attribute of two classes.
    """
    positive: dict[str, str] = {}
    two = [attribute for attribute in attributes if len(attribute.classes) == 2]
    for item in names_in(text):
        name, _, word = (part.strip() for part in item.partition("="))
        asked = [a for a in attributes if word and name in (a.name, a.column)]
        hits = {
            a.name: called
            for a in asked or two
            for called in a.classes
            if a in two and called.lower() == (word if asked else item).lower()
        }
        if not hits:
            has = [f"{a.name}={' or '.join(a.classes)}" for a in asked or two if a in two]
            raise DataError(
                f"positive has {item!r}, expected a class of an attribute of two classes, or "
                f"column=class: {some(has) or 'no such attribute has two'}"
            )
        for name, word in hits.items():
            if positive.setdefault(name, word) != word:
                raise DataError(f"positive names both classes of {name}: name one of them")
    return positive
