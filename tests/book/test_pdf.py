"""The book as one PDF: pages joined into one, and, where the book is built, the PDF itself."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

BOOK = Path(__file__).resolve().parents[2] / "book"
if not all(map(importlib.util.find_spec, ("playwright", "pypdf"))):
    pytest.skip("playwright or pypdf is not installed: run `make setup`", allow_module_level=True)

LARGEST = 15e6
PAGE = """<html><head><link rel="stylesheet" href="../_static/book.css">
  <script>window.MathJax = {{}}</script><script src="../_static/other.js"></script></head><body>
  <p class="logo__title">A book</p><p class="extra_footer">Some licence.</p>
  <nav class="bd-docs-nav"><div><a href="#">One</a> <a href="../notebooks/two.html">Two</a></div>
  </nav><article>{article}</article></body></html>"""


@pytest.fixture(scope="module")
def pdf():
    """The module book/pdf.py."""
    sys.path.insert(0, str(BOOK))
    import pdf

    sys.path.remove(str(BOOK))
    return pdf


@pytest.fixture
def built(pdf, tmp_path, monkeypatch):
    """A function that makes a built book of two pages with these articles, and joins them."""
    monkeypatch.setattr(pdf, "HTML", tmp_path)

    def join(one: str, two: str) -> BeautifulSoup:
        for page, article in {"book/one": one, "notebooks/two": two}.items():
            path = tmp_path / f"{page}.html"
            path.parent.mkdir()
            path.write_text(PAGE.format(article=article))
        return BeautifulSoup(pdf.joined(["book/one", "notebooks/two"]), "html.parser")

    return join


def test_links_of_the_joined_page_lead_to_its_own_places(built):
    soup = built(
        '<h2 id="data">Data</h2><a href="#data">1</a><a href="../notebooks/two.html#data">2</a>',
        '<h2 id="data">Other</h2><a href="#data">3</a><a href="../book/one.html#data">4</a>'
        '<a href="../book/one.html">5</a><a href="../genindex.html">6</a><a href="http://a.b">7</a>',
    )
    links = {a.text: a.get("href") for a in soup.select("a")}
    first, second = (h2["id"] for h2 in soup.select("h2"))
    assert first != second
    assert links == {
        "One": "#book/one", "Two": "#notebooks/two", "1": f"#{first}", "2": f"#{second}",
        "3": f"#{second}", "4": f"#{first}", "5": "#book/one", "6": None, "7": "http://a.b",
    }  # fmt: skip
    anchors = {element["id"] for element in soup.select("[id]")}
    assert {link[1:] for link in links.values() if link and link[0] == "#"} <= anchors


def test_no_script_is_left_but_mathjax(built):
    soup = built("<script>one()</script><noscript>Please switch it on</noscript>", "Two")
    assert [script.text for script in soup.select("script")] == ["window.MathJax = {}"]
    assert not soup.select("noscript")
    assert [link["href"] for link in soup.select("link")] == ["_static/book.css"]


def test_folded_code_is_left_out_and_folded_results_are_not(built):
    folds = [
        f'<details class="hide above-{what}"><summary>Show</summary><p>{what}</p></details>'
        for what in ("input", "output")
    ]
    soup = built("".join(folds), "Two")
    assert "output" in soup.text
    assert "input" not in soup.text
    assert "Show" not in soup.text


def test_an_animation_is_its_last_frame(built, tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "b.png")
    soup = built('<img src="../a.gif">', '<img src="../b.png">')
    moving, still = (image["src"] for image in soup.select("img"))
    assert moving.startswith("data:image/png;base64,")
    assert still == "b.png"


def test_without_a_built_book_it_says_what_to_do(pdf, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "HTML", tmp_path)
    with pytest.raises(SystemExit, match="make book"):
        pdf.main()


def test_without_chromium_it_says_what_to_install(pdf, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "HTML", tmp_path)
    monkeypatch.setattr(pdf, "pages_of_contents", dict)
    monkeypatch.setattr(pdf, "CHROMIUM", None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        pdf.main()


@pytest.fixture(scope="module")
def printed(pdf):
    """The built book as a PDF, which `make check-book` has just printed."""
    from pypdf import PdfReader

    if "DCL_CHECK_BOOK" not in os.environ:
        pytest.skip("of the built book: run `make check-book`")
    assert pdf.PDF.stat().st_size < LARGEST
    return PdfReader(pdf.PDF)


@pytest.fixture(scope="module")
def texts(printed):
    """The text of each page of the PDF, its white space made one space."""
    return [" ".join(page.extract_text().split()) for page in printed.pages]


def test_every_page_of_the_book_starts_on_the_page_that_the_contents_name(pdf, printed, texts):
    contents = " ".join(texts[1:3])
    for page in pdf.pages_of_contents():
        html = BeautifulSoup((pdf.HTML / f"{page}.html").read_text("utf8"), "html.parser")
        html.select_one("h1 .headerlink").decompose()
        title = " ".join(html.h1.text.split())
        number = printed.get_destination_page_number(printed.named_destinations[f"/{page}"])
        assert title in texts[number]
        assert f"{title} {number + 1}" in contents


def test_it_has_an_outline_of_the_pages(pdf, printed):
    titles = [entry.title for entry in printed.outline if not isinstance(entry, list)]
    assert len(titles) == len(pdf.pages_of_contents()) + 1
    assert titles[0] == "Contents"


def test_no_page_is_empty(printed, texts):
    assert len(texts) > 20
    for number, (page, text) in enumerate(zip(printed.pages, texts, strict=True), 1):
        assert text.strip(f"{number} ") or "/XObject" in page["/Resources"], number


def test_nothing_is_printed_that_only_works_on_a_screen(texts):
    text = " ".join(texts)
    for words in ("Loading ITables", "JavaScript", "Show code", "Draw again", "Math Processing"):
        assert words not in text, words
    assert re.findall(r".{0,20}(?:\\\(|\\\[|\\frac).{0,20}", text) == []


def test_no_link_leads_to_a_file_of_this_machine(printed):
    notes = [note.get_object() for page in printed.pages for note in page.get("/Annots", [])]
    actions = [note["/A"].get("/URI", "") for note in notes if "/A" in note]
    assert [uri for uri in actions if uri.startswith("file:")] == []
    assert sum("/Dest" in note for note in notes) > 100
