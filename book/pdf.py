"""Print the built book as one PDF, _build/dcl-companion.pdf, with the Chromium of this machine.

    python book/pdf.py    # what `make pdf` runs; the book has been built before, `make book`

The articles of the pages are joined into one page without scripts, so that the explorer shows its
picture and long tables stand there whole; links between pages lead to places of the PDF.
"""

import base64
import io
import posixpath
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from PIL import Image
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

import dcl
from build import HTML, ROOT, pages_of_contents

PDF = ROOT / "_build" / "dcl-companion.pdf"
STYLE = ROOT / "book" / "print.css"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def place(page: str, link: str) -> tuple[str, str]:
    """(file, seen from the root of the book; anchor) of a link on a page."""
    parts = urlsplit(link)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), parts.path))
    return (path if parts.path else f"{page}.html"), parts.fragment


def last_frame(path: Path) -> str:
    """The last frame of an animation, as an address that holds the image."""
    with Image.open(path) as image:
        image.seek(image.n_frames - 1)
        image.save(buffer := io.BytesIO(), "png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def read_page(page: str) -> BeautifulSoup:
    """A page of the book without scripts but MathJax, its addresses seen from the root."""
    soup = BeautifulSoup((HTML / f"{page}.html").read_text("utf8"), "html.parser")
    for folded in soup.select("details.above-output"):  # code stays out, results do not
        folded.summary.decompose()
        folded.unwrap()
    for element in soup.select("script, noscript, .headerlink, details.hide"):
        if not (element.parent is soup.head and "mathjax" in str(element).lower()):
            element.decompose()
    for element in soup.select("link[href], script[src], img[src]"):
        name = "href" if element.name == "link" else "src"
        element[name] = place(page, element[name])[0]
        if element[name].endswith(".gif"):
            element[name] = last_frame(HTML / element[name])
    return soup


def make_anchors_unique(articles: dict[str, Tag]) -> dict[tuple[str, str], str]:
    """(page, anchor on it) -> anchor in the PDF, for every anchor; that of a page is its name."""
    anchors = {}
    taken = set(articles)
    for page, article in articles.items():
        for element in article.select("[id]"):
            anchor = element["id"]
            if anchor in taken:
                element["id"] = f"{page}-{anchor}"
            taken.add(element["id"])
            anchors[page, anchor] = element["id"]
        article["id"] = anchors[page, ""] = page
    return anchors


def lead_links(page: str, part: Tag, anchors: dict[tuple[str, str], str]) -> None:
    """Lead links of a part to places of the PDF, or nowhere if their file is not in it."""
    for link in part.select("a[href]"):
        if urlsplit(link["href"]).scheme:
            continue
        file, anchor = place(page, link["href"])
        target = anchors.get((file.removesuffix(".html"), anchor))
        if target:
            link["href"] = f"#{target}"
        else:
            del link["href"]


def joined(pages: list[str]) -> str:
    """One HTML page of all pages, with a title and the contents, seen from the root of the book."""
    soups = {page: read_page(page) for page in pages}
    first = soups[pages[0]]
    contents = first.select_one(".bd-docs-nav > div")
    articles = {page: soup.select_one("article") for page, soup in soups.items()}
    anchors = make_anchors_unique(articles)
    lead_links(pages[0], contents, anchors)
    for page, article in articles.items():
        lead_links(page, article, anchors)
    head = {
        str(element): None  # a dictionary, as a set that keeps its order
        for soup in soups.values()
        for element in soup.head.select("link[rel=stylesheet], script")
    }
    title = first.select_one(".logo__title").get_text(strip=True)
    return f"""<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">
        <title>{title}</title>{"".join(head)}<style>{STYLE.read_text()}</style></head>
        <body><section class="title-page"><p class="title">{title}</p>
        <p>The companion to <em>Dynamic Curriculum Learning for Imbalanced Data Classification</em>
        by Y. Wang, W. Gan, J. Yang, W. Wu and J. Yan, ICCV 2019.</p>
        <p>Version {dcl.__version__}. {first.select_one(".extra_footer").get_text(strip=True)}</p>
        </section><nav class="book-contents"><h1>Contents</h1>{contents}</nav>
        <div class="bd-content">{"".join(map(str, articles.values()))}</div></body></html>"""


def page_numbers(pdf: bytes, pages: list[str]) -> dict[str, int]:
    """Page of the book -> number of the page of the PDF on which it starts."""
    reader = PdfReader(io.BytesIO(pdf))
    places = reader.named_destinations
    return {page: reader.get_destination_page_number(places[f"/{page}"]) + 1 for page in pages}


def write_pdf(html: str, pages: list[str]) -> None:
    """Print the joined page, its formulae typeset: a second time with numbers in the contents."""
    address = (HTML / "print.html").as_uri()  # of no file: the page is given from here
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        tab.goto(address)
        tab.evaluate("() => MathJax.startup.promise.then(() => null)")
        options = {"prefer_css_page_size": True, "print_background": True}
        options |= {"outline": True, "tagged": True}
        numbers = page_numbers(tab.pdf(**options), pages)
        tab.evaluate(
            """numbers => document.querySelectorAll(".book-contents a")
            .forEach((a) => a.dataset.page = numbers[a.hash.slice(1)])""",
            numbers,
        )
        tab.pdf(path=PDF, **options)
        browser.close()


def main() -> None:
    pages = pages_of_contents()
    if not all((HTML / f"{page}.html").is_file() for page in pages):
        sys.exit("The book is not built, or not all of it: run `make book` first.")
    if not CHROMIUM:
        sys.exit("No Chromium on this machine to print the book: apt-get install chromium")
    write_pdf(joined(list(pages)), list(pages))
    print(f"The book as one PDF, {PDF.stat().st_size / 1e6:.1f} MB: {PDF}")


if __name__ == "__main__":
    main()
