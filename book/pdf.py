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

from bs4 import BeautifulSoup
from PIL import Image

import dcl
from build import HTML, ROOT, pages_of_contents

PDF = ROOT / "_build" / "dcl-companion.pdf"
STYLE = ROOT / "book" / "print.css"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def place(page: str, link: str) -> tuple[str, str]:
    """(file from the root of the book, anchor) of a link on a page."""
    parts = urlsplit(link)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), parts.path))
    return (path if parts.path else f"{page}.html"), parts.fragment


def is_outside(link: str) -> bool:
    return bool(urlsplit(link).scheme)


def last_frame(path: Path) -> str:
    """The last frame of an animation, as an address that holds the image."""
    with Image.open(path) as image:
        image.seek(image.n_frames - 1)
        image.save(buffer := io.BytesIO(), "png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def title_page(first: BeautifulSoup) -> str:
    """Title and contents, from the navigation of the first page."""
    title = first.select_one(".logo__title").get_text(strip=True)
    footer = first.select_one(".extra_footer").get_text(strip=True)
    return f"""<section class="title-page"><p class="title">{title}</p>
        <p>The companion to <em>Dynamic Curriculum Learning for Imbalanced Data Classification</em>
        by Y. Wang, W. Gan, J. Yang, W. Wu and J. Yan, ICCV 2019.</p>
        <p>Version {dcl.__version__}. {footer}</p></section>
        <nav class="contents"><h1>Contents</h1>{first.select_one(".bd-docs-nav > div")}</nav>"""


def joined(pages: list[str]) -> str:
    """One HTML page of all pages, to be read from the root of the book."""
    soups = {
        page: BeautifulSoup((HTML / f"{page}.html").read_text("utf8"), "html.parser")
        for page in pages
    }
    first = soups[pages[0]]
    articles = {"": BeautifulSoup(title_page(first), "html.parser")}
    articles |= {page: soup.select_one("article") for page, soup in soups.items()}
    head = {}  # a dictionary, as a set that keeps its order
    anchors = {}  # (page, its anchor) -> anchor in the PDF
    for page, soup in soups.items():
        for element in soup.head.select("link[rel=stylesheet], script"):
            if element.name == "link" or "mathjax" in str(element).lower():
                for name in {"href", "src"} & element.attrs.keys():
                    element[name] = place(page, element[name])[0]
                head[str(element)] = None
        for element in articles[page].select("script, noscript, .headerlink, details.hide"):
            element.decompose()
        articles[page]["id"] = page
        for element in articles[page].select("[id]"):
            own = element["id"]
            if own in anchors.values():
                element["id"] = f"{page}-{own}"
            anchors[page, own] = element["id"]
    for page, article in articles.items():
        for image in article.select("img[src]"):
            image["src"] = place(page, image["src"])[0]
            if image["src"].endswith(".gif"):
                image["src"] = last_frame(HTML / image["src"])
        for link in article.select("link[href]"):
            link["href"] = place(page, link["href"])[0]
        for link in article.select("a[href]"):
            if is_outside(link["href"]):
                continue
            path, anchor = place(page or pages[0], link["href"])
            target = path.removesuffix(".html")
            if target in soups:
                link["href"] = "#" + (anchors[target, anchor] if anchor else target)
            else:
                del link["href"]
    return f"""<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">
        <title>{first.select_one(".logo__title").get_text(strip=True)}</title>
        {"".join(head)}<style>{STYLE.read_text()}</style></head>
        <body><div class="bd-content">{"".join(map(str, articles.values()))}</div></body></html>"""


def write_pdf(html: str) -> None:
    """Print a page that is read from the root of the book, its formulae typeset."""
    from playwright.sync_api import sync_playwright

    address = (HTML / "print.html").as_uri()  # of no file: the page is given from here
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        tab.goto(address)
        tab.evaluate("() => MathJax.startup.promise.then(() => null)")
        tab.pdf(path=PDF, prefer_css_page_size=True, print_background=True, outline=True)
        browser.close()


def main() -> None:
    pages = pages_of_contents()
    missing = [page for page in pages if not (HTML / f"{page}.html").is_file()]
    if missing:
        sys.exit("The book is not built, or not all of it: run `make book` first.")
    if not CHROMIUM:
        sys.exit("No Chromium on this machine to print the book: apt-get install chromium")
    write_pdf(joined(list(pages)))
    print(f"The book as one PDF, {PDF.stat().st_size / 1e6:.1f} MB: {PDF}")


if __name__ == "__main__":
    main()
