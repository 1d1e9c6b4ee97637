"""A method has one name for readers, and the glossary gives the one of the records beside it."""

import re
from pathlib import Path

import pytest

from dcl.methods import METHODS
from dcl_book.names import NAMES, PRIOR, called, told

GLOSSARY = (Path(__file__).resolve().parents[2] / "book" / "glossary.md").read_text()
ENTRIES = [set(names.split(", ")) for names in re.findall(r"^\*\*(.+?)\.\*\*", GLOSSARY, re.M)]


@pytest.mark.parametrize("method", METHODS)
def test_the_glossary_names_each_method_as_figures_and_as_records_do(method):
    found = [names for names in ENTRIES if method in names]
    assert len(found) == 1, f"book/glossary.md needs one entry of {method}: **name, {method}.**"
    assert called(method) in found[0], (
        f"book/glossary.md calls {method} {found[0]}, book/dcl_book/names.py {called(method)!r}"
    )


def test_every_name_is_of_a_method_and_no_two_share_one():
    assert set(NAMES) <= {*METHODS, PRIOR, "clmle"}  # this one is the paper's alone
    assert len(set(NAMES.values())) == len(NAMES)
    assert {called(PRIOR).capitalize()} in ENTRIES
    assert [told(name) for name in NAMES.values()] == list(NAMES.values())


@pytest.mark.parametrize(
    "text",
    [
        "results/dcl/dcl-seed0.json",
        "python -m dcl run",
        "import dcl",
        "my-dcl",
        "DCL",
        "2026-11-28",
    ],
)
def test_paths_commands_and_longer_names_stay(text):
    assert told(text) == text
