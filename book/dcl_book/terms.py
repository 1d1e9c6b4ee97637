"""A Sphinx extension: first uses of a term lead to the glossary; signs, methods' names.

The glossary's paragraphs that begin with bold names define the terms: ``**Moved threshold.** ...``,
or several names with commas between. On every other page the first use of each in running text,
or as a method's name in code type, becomes a link. Headings, links, code, formulae, captions and
tables stay as they are. Tables and figures of HTML get the names of methods that readers know.
"""

import re
from collections.abc import Iterator
from functools import cache

from docutils import nodes

from .finding import NO_BREAK
from .names import signs, told

GLOSSARY = "book/glossary"
PERCENT = re.compile(r"(?<=\d) (?=%)")
TEXT_OF_HTML = re.compile(r"<(style|script|code)\b.*?</\1>|<[^>]*>|[^<]+", re.S)
ELSEWHERE = (  # what no link is put into
    *(nodes.title, nodes.reference, nodes.FixedTextElement, nodes.math),
    *(
        nodes.table,
        nodes.caption,
        nodes.raw,
        nodes.citation_reference,
        nodes.citation,
        nodes.target,
    ),
)


def terms_of(glossary: nodes.document) -> dict[str, str]:
    """Name -> the id of its paragraph, which gets one."""
    terms = {}
    for paragraph in glossary.findall(nodes.paragraph):
        first = next((child for child in paragraph if child.astext()), None)
        if isinstance(first, nodes.strong):
            names = first.astext().rstrip(".").split(", ")
            identifier = nodes.make_id(f"term-{names[0]}")
            paragraph["ids"].append(identifier)
            terms |= dict.fromkeys(names, identifier)
    return terms


def link_first_uses(doctree: nodes.document, terms: dict[str, str], glossary: str) -> None:
    """Link the first use of each term of a page; names of one paragraph count as one term.

    Parameters
    ----------
    doctree : document
    terms : dict
        Of `terms_of`.
    glossary : str
        Address of the glossary from this page.
    """
    linked = set()
    for text in list(_running_text(doctree)):
        literal = isinstance(text.parent, nodes.literal)
        parts, rest = [], str(text)
        while found := _next_use(rest, terms, whole=literal):
            start, end, name = found
            identifier, words = terms[name], rest[start:end]
            link = nodes.reference(
                "", words, refuri=f"{glossary}#{identifier}", internal=True, classes=["dcl-term"]
            )
            parts += [nodes.Text(rest[:start]), nodes.Text(words) if identifier in linked else link]
            rest = rest[end:]
            linked.add(identifier)
        if literal and parts and isinstance(parts[1], nodes.reference):
            inner, outer = text.parent, text.parent.parent
            parts[1].clear()
            parts[1] += inner.deepcopy()
            outer.replace(inner, parts[1])
        elif parts and not literal:
            text.parent.replace(text, [p for p in [*parts, nodes.Text(rest)] if p.astext()])


def put_signs(doctree: nodes.document) -> None:
    """Set minus and times signs, in text, tables and figures of HTML; code stays.

    A line does not end between a number of running text and its percent sign.
    """
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, nodes.raw):  # which docutils counts as text of a fixed form
            new = typeset(text)
        elif not _within(text, (nodes.literal, nodes.FixedTextElement, nodes.math)):
            new = PERCENT.sub(NO_BREAK, signs(text))
        else:
            continue
        if new != text:
            text.parent.replace(text, nodes.Text(new))


def typeset(html: str) -> str:
    """HTML that holds a table or a figure of ours: its text as `told`, no interval broken.

    Examples
    --------
    >>> typeset("<table><td id='a-1'>dcl: -0.5 ± 1, 2026-11-28</td></table>")
    "<table><td id='a-1'>DCL: −0.5\\xa0±\\xa01, 2026-11-28</td></table>"
    """
    if "<table" not in html and 'class="dcl-' not in html:
        return html

    def set_text(part: re.Match[str]) -> str:
        if part[0].startswith("<"):
            return part[0]
        return told(part[0]).replace(" ± ", "\xa0±\xa0")

    return TEXT_OF_HTML.sub(set_text, html)


def _running_text(doctree: nodes.document) -> Iterator[nodes.Text]:
    for text in doctree.findall(nodes.Text):
        if _within(text, (nodes.paragraph,)) and not _within(text, ELSEWHERE):
            yield text


def _within(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node is not None:
        if isinstance(node, kinds):
            return True
        node = node.parent
    return False


def _next_use(text: str, terms: dict[str, str], *, whole: bool) -> tuple[int, int, str] | None:
    """Start, end and name of the first term in a text, the longest that starts there.

    `whole`: only the text itself.
    """
    if whole:
        return (0, len(text), text) if text in terms else None
    found = []
    for name in terms:
        if match := _pattern(name).search(text):
            found.append((match.start(), -match.end(), name))
    start, end, name = min(found, default=(0, 0, ""))
    return (start, -end, name) if name else None


@cache
def _pattern(name: str) -> re.Pattern[str]:
    case = 0 if re.search("[A-Z]", name[1:]) else re.I  # mA, DCL
    other = "(?! rule| learning)"  # decision rules, Curriculum Learning: other names
    return re.compile(rf"(?<![\w-]){re.escape(name)}s?(?![\w-]){other}", case)


def _read(app, doctree: nodes.document) -> None:
    if app.env.docname == GLOSSARY:
        app.env.dcl_terms = terms_of(doctree)


def _resolved(app, doctree: nodes.document, page: str) -> None:
    put_signs(doctree)
    if page != GLOSSARY:
        address = app.builder.get_relative_uri(page, GLOSSARY)
        link_first_uses(doctree, getattr(app.env, "dcl_terms", {}), address)


def setup(app) -> dict[str, bool]:
    app.connect("doctree-read", _read)
    app.connect("doctree-resolved", _resolved)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
