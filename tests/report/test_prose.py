"""A sentence of the book stops the build, or is struck out, where the records say otherwise."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from made import three_seeds

from dcl_book import own, prose
from dcl_book.evidence import lead
from dcl_book.finding import Finding
from dcl_book.prose import Claims, FalseClaimError, at, over, points, say

ROOT = Path(__file__).resolve().parents[2]


def sentence(claim: Claims, gain: float) -> str:
    """The one sentence of a page whose made-up records have this gain of DCL."""
    found = lead(three_seeds(gain), "dcl", "cross-entropy")
    return claim(found.low > 0, f"DCL is ahead by {points(found)} points.", found)


def test_a_sentence_that_the_records_bear_out_stands_as_it_is_written():
    for claim in (Claims(ROOT, own=True), Claims(ROOT, own=False)):
        assert sentence(claim, 8.0) == "DCL is ahead by 8.1\xa0±\xa00.2 points."


def test_own_records_whose_sign_turned_stop_the_build_and_show_the_sentence():
    with pytest.raises(FalseClaimError, match="'DCL is ahead by .*they say: -7.90\xa0±\xa00.25"):
        sentence(Claims(ROOT, own=True), -8.0)


def test_another_readers_records_strike_the_sentence_out_and_say_what_they_hold():
    text = sentence(Claims(ROOT, own=False), -8.0)
    assert text.startswith('<s class="dcl-otherwise">DCL is ahead by')
    assert text.endswith("</s> <em>(your records say otherwise: -7.90\xa0±\xa00.25.)</em>")


def test_a_run_that_a_reader_has_not_leaves_a_sentence_untold():
    nothing = at({8: Finding(1.0, 0.5, 3)}, 300)
    text = Claims(ROOT, own=False)(nothing.low > 0, "DCL leads.", nothing)
    assert text.endswith("</s> <em>(your records do not tell.)</em>")


def test_a_title_is_the_finding_only_where_the_records_bear_it_out():
    ahead, behind = Finding(1.0, 0.5, 3), Finding(-1.0, 0.5, 3)
    for whose in (True, False):
        title = Claims(ROOT, own=whose).title(ahead.low > 0, "DCL leads", "DCL minus it", ahead)
        assert title == "DCL leads"
    title = Claims(ROOT, own=False).title(behind.low > 0, "DCL leads", "DCL minus it", behind)
    assert title == "DCL minus it"
    with pytest.raises(FalseClaimError, match="'DCL leads' .they say: -1.00"):
        Claims(ROOT, own=True).title(behind.low > 0, "DCL leads", "DCL minus it", behind)


def test_a_paragraph_joins_its_sentences_and_leaves_empty_ones_out():
    assert say("One.", "", "Two.").data == "One. Two."


def test_a_paragraph_for_other_pages_is_glued_as_html(monkeypatch):
    glued = {}
    monkeypatch.setattr(prose, "glue", lambda name, shown, display: glued.update({name: shown}))
    claim = Claims(ROOT, own=False)
    say("**One** of `dcl`: -0.5.", claim(False, "Two.", 1.0), glued_as="both")
    html = glued["both"]._repr_html_()
    assert "<strong>One</strong> of <code>dcl</code>: \N{MINUS SIGN}0.5." in html
    assert '<s class="dcl-otherwise">Two.</s>' in html


def records(folder: Path, name: str, value: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"mA": value}))


def test_records_are_own_until_one_is_changed_added_or_gone(tmp_path):
    for seed in range(2):
        records(tmp_path / "grid" / "inner", f"dcl-{seed}", seed)
    assert not own.are_own(tmp_path, tmp_path)  # there is no list
    (tmp_path / own.LIST).write_text(own.listing(tmp_path))
    assert own.listing(tmp_path).startswith("grid/inner 2 ")
    assert own.are_own(tmp_path, tmp_path)
    assert own.are_own(tmp_path / "grid", tmp_path)
    records(tmp_path / "runs" / "celeba", "mine", 1)  # single runs of a reader
    assert own.are_own(tmp_path, tmp_path)
    records(tmp_path / "grid" / "inner", "dcl-0", 5)
    assert not own.are_own(tmp_path, tmp_path)
    records(tmp_path / "grid" / "inner", "dcl-0", 0)
    records(tmp_path / "paper", "dcl-0", 0)
    assert not own.are_own(tmp_path, tmp_path)
    shutil.rmtree(tmp_path / "paper")
    assert own.are_own(tmp_path, tmp_path)
    (tmp_path / "grid" / "inner" / "dcl-1.json").unlink()
    assert not own.are_own(tmp_path, tmp_path)


def test_records_of_another_folder_are_a_readers(tmp_path):
    (tmp_path / own.LIST).write_text("")
    assert own.are_own(tmp_path, tmp_path)
    assert not own.are_own(tmp_path.parent, tmp_path)


def test_the_list_of_own_records_is_that_of_the_committed_ones():
    git = ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=all", "results"]
    done = subprocess.run(git, capture_output=True, text=True)
    if done.returncode or done.stdout.strip():
        pytest.skip("results/ holds records that are not committed: they are not the repository's")
    listed = (ROOT / "results" / own.LIST).read_text()
    assert listed == own.listing(ROOT / "results"), f"run `{own.COMMAND}`: results/ has changed"


def test_what_a_paragraphs_interval_is_comes_from_its_numbers():
    five, three, none = Finding(1.0, 0.2, 5), Finding(1.0, 0.2, 3), Finding.of([])
    assert over(five, none, five) == "(n = 5 seeds, 95 % intervals)"
    assert over(five, three) == "(n = 3 to 5 seeds, 95 % intervals)"
    assert over(none) == over(none, Finding(1.0, float("nan"), 1)) == ""
