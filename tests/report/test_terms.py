"""Terms lead to the glossary at their first use, and a minus is a minus sign."""

from types import SimpleNamespace

from docutils import nodes
from docutils.core import publish_doctree

from dcl_book import code_links
from dcl_book.names import signs
from dcl_book.terms import link_first_uses, put_signs, terms_of, typeset

GLOSSARY = "**Moved threshold.** It costs nothing.\n\n**mA, balanced accuracy.** A mean."


def linked(page: str) -> list[str]:
    terms = terms_of(publish_doctree(GLOSSARY))
    doctree = publish_doctree(page)
    link_first_uses(doctree, terms, "glossary.html")
    return [
        f"{link.astext()} {link['refuri']}"
        for link in doctree.findall(nodes.reference)
        if "dcl-term" in link["classes"]
    ]


def test_the_first_use_of_a_term_is_a_link_and_no_later_one():
    page = "Title of mA\n===========\n\nA moved threshold raises mA.\n\nMoved thresholds and mA."
    assert linked(page) == [
        "moved threshold glossary.html#term-moved-threshold",
        "mA glossary.html#term-ma",
    ]


def test_names_of_one_term_are_linked_once():
    assert linked("Balanced accuracy, that is mA.") == ["Balanced accuracy glossary.html#term-ma"]


def test_the_text_around_a_link_stays():
    doctree = publish_doctree("Does a moved threshold help?")
    link_first_uses(doctree, {"Moved threshold": "a"}, "g.html")
    assert doctree.astext() == "Does a moved threshold help?"


def test_a_longer_term_is_never_taken_for_the_shorter_one_in_it():
    terms = {"Selective Learning": "sl", "Dynamic Selective Learning": "dsl"}
    for page, links in (
        ("Dynamic Selective Learning, again: Dynamic Selective Learning.", ["dsl"]),
        ("Dynamic Selective Learning, unlike Selective Learning.", ["dsl", "sl"]),
    ):
        doctree = publish_doctree(page)
        link_first_uses(doctree, terms, "g.html")
        found = [link["refuri"].split("#")[1] for link in doctree.findall(nodes.reference)]
        assert found == links
        assert doctree.astext() == page


def test_code_links_parts_of_words_and_other_cases_of_letters_are_no_use():
    page = "See `mA <https://example.org>`_, ``x = mA``, Ma, mA-like.\n\n::\n\n  mA"
    assert linked(page) == []


def test_a_name_that_holds_a_term_is_no_use_of_it():
    terms = {"Decision": "decision", "Curriculum": "curriculum"}
    for page in ("Our decision rules.", "Dynamic Curriculum Learning."):
        doctree = publish_doctree(page)
        link_first_uses(doctree, terms, "g.html")
        assert not list(doctree.findall(nodes.reference))


def test_a_methods_name_in_code_type_is_a_link_that_stays_code():
    doctree = publish_doctree("We ran ``crt``, then ``crt``.")
    link_first_uses(doctree, {"crt": "term-crt"}, "g.html")
    (link,) = doctree.findall(nodes.reference)
    assert isinstance(link[0], nodes.literal)
    assert doctree.astext() == "We ran crt, then crt."


def test_a_hyphen_before_a_number_is_a_minus_and_a_date_a_range_and_code_stay():
    doctree = publish_doctree(
        "It is -0.5 (-2 to 3) since 2026-11-28, p. 5-7, lr-0.03, ``-1``.\n\n>>> -1"
    )
    put_signs(doctree)
    assert (
        doctree.astext() == "It is −0.5 (−2 to 3) since 2026-11-28, p. 5-7, lr-0.03, -1.\n\n>>> -1"
    )


def test_a_size_in_pixels_has_a_times_sign_and_a_path_and_code_stay():
    assert signs("at 64x64 and 55 x 47") == "at 64 × 64 and 55 × 47"
    for words in ("0x10", "runs/64x64/dcl.json", "data-64x64", "x86", "2 x"):
        assert signs(words) == words
    doctree = publish_doctree("CelebA at 64x64, ``64x64``")
    put_signs(doctree)
    assert doctree.astext() == "CelebA at 64 × 64, 64x64"
    caption = "<table><caption>CelebA, 30,000 images at 64x64</caption></table>"
    assert typeset(caption) == caption.replace("64x64", "64 × 64")


def test_tables_and_figures_of_html_have_minus_signs_in_their_text_alone():
    assert typeset('<div class="dcl-forest">-1</div>').endswith(">\N{MINUS SIGN}1</div>")
    html = '<style>#a {margin: -1px}</style><table id="x -1"><td>-3.1</td><code>-1</code></table>'
    assert typeset(html) == html.replace(">-3.1<", ">−3.1<")
    assert typeset("<table>1 ± 2</table>") == "<table>1\xa0±\xa02</table>"
    assert typeset("<p>-1</p>") == "<p>-1</p>"


def test_the_tables_of_a_page_get_them_too():
    table = "<table><td id='a-1'>-3.1</td></table>"
    doctree = publish_doctree(f".. raw:: html\n\n   {table}")
    put_signs(doctree)
    (raw,) = doctree.findall(nodes.raw)
    assert raw.astext() == table.replace(">-3.1<", ">\N{MINUS SIGN}3.1<")


def test_of_the_names_in_code_only_ours_lead_to_the_reference():
    ours, theirs = (SimpleNamespace(import_components=[name]) for name in ("dcl", "transformers"))
    pages = {"a": [SimpleNamespace(names=[ours, theirs])], "b": [SimpleNamespace(names=[theirs])]}
    code_links._keep_ours(None, SimpleNamespace(sphinx_codeautolink_transforms=pages))
    assert pages == {"a": [SimpleNamespace(names=[ours])], "b": []}
