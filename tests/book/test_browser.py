"""The built book as a reader sees it: opened from disk in headless Chromium, without a network."""

import importlib.util
import itertools
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import torch
from sphinx_external_toc.parsing import parse_toc_yaml

from dcl import dsl_weights, loss_schedule, schedule, target_distribution
from dcl.criterion import SAMPLINGS

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [str(entry) for entry in parse_toc_yaml(ROOT / "book" / "_toc.yml")]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

if not all((HTML / f"{page}.html").is_file() for page in PAGES):
    MISSING = "the book is not built, or not all of it: run `make book`"
elif not CHROMIUM:
    MISSING = "no Chromium on this machine: apt-get install chromium"
elif not importlib.util.find_spec("playwright"):
    MISSING = "playwright is not installed: run `make setup`"
else:
    MISSING = ""
if MISSING and "DCL_CHECK_BOOK" in os.environ:  # set by `make check-book`
    pytest.fail(MISSING, pytrace=False)
if MISSING:
    pytest.skip(MISSING, allow_module_level=True)

# What lies behind each piece of text: own and inherited colours, laid over each other.
LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => !element ? [255, 255, 255]
    : over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  const words = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll("article *, .bd-sidebar-primary a, footer p")]
    .filter((e) => words(e) && e.checkVisibility() && !e.closest("svg, mjx-container, .headerlink"))
    .map((e) => {
      const ground = behind(e), ink = over(rgba(getComputedStyle(e).color), ground);
      const [a, b] = [light(ground), light(ink)].sort((x, y) => y - x);
      const what = `${e.tagName}.${e.className}: ${e.textContent.slice(0, 30)}`;
      return [(a + 0.05) / (b + 0.05), what];
    })
    .filter(([contrast]) => contrast < 4.5)
    .map(([contrast, what]) => `${contrast.toFixed(2)} ${what}`);
}"""

WIDER_THAN_THE_WINDOW = """() => {
  const scrolls = (e) => e && (["auto", "scroll", "hidden", "clip"]
    .includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return document.scrollingElement.scrollWidth <= innerWidth ? [] :
    ["the page, by:", ...[...document.querySelectorAll("article *")]
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
      .map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`).slice(0, 9)];
}"""


def address(page: str) -> str:
    return (HTML / f"{page}.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(browser):
    """A tab that may read from disk alone; what it asks of a network, and its errors, are kept."""
    context = browser.new_context(viewport=DESK, color_scheme="light")
    tab = context.new_page()
    tab.asked, tab.errors = [], []
    context.route(
        re.compile(r"^(?!file:|data:|blob:)"),
        lambda route: (tab.asked.append(route.request.url), route.abort()),
    )
    tab.on("console", lambda message: message.type == "error" and tab.errors.append(message.text))
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    yield tab
    context.close()


@pytest.fixture(scope="module", params=PAGES)
def page(request, window):
    """Each page of the contents, loaded once for all its tests, its formulae typeset."""
    window.asked.clear()
    window.errors.clear()
    window.goto(address(request.param))
    window.evaluate("() => window.MathJax?.startup?.promise?.then(() => null)")
    return window


@pytest.fixture
def explorer(window):
    window.set_viewport_size(DESK)
    window.goto(address("book/explorer"))
    return window


def test_page_loads_without_an_error_and_without_the_network(page):
    assert page.errors == []
    assert page.asked == []


def test_formulae_are_typeset(page):
    sources = page.locator("article .math").count()
    assert page.locator("article .math mjx-container").count() >= sources
    assert page.locator("article mjx-merror").count() == 0
    text = page.evaluate(
        """() => {
          const copy = document.querySelector("article").cloneNode(true);
          const other = "pre, code, script, style, mjx-container";
          copy.querySelectorAll(other).forEach((e) => e.remove());
          return copy.textContent;
        }"""
    )
    assert re.findall(r".{0,20}(?:\$|\\\(|\\\[).{0,20}", text) == []


def test_outputs_are_shown_and_not_named_as_objects_of_python(page):
    text = page.locator("article").text_content()
    assert re.findall(r"<(?:Figure |Axes|[\w.]+ object).{0,30}", text) == []


def test_images_are_described_in_words(page):
    images = page.eval_on_selector_all("article img", "list => list.map(e => [e.src, e.alt])")
    undescribed = [src for src, alt in images if len(alt.split()) < 4]
    assert not undescribed, "\n".join(undescribed)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_window(page, size):
    page.set_viewport_size(size)
    try:
        wider = page.evaluate(WIDER_THAN_THE_WINDOW)
        assert not wider, "\n".join(wider)
    finally:
        page.set_viewport_size(DESK)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_stands_out_from_its_ground(page, mode):
    page.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
    page.add_style_tag(content="* { transition: none !important }")
    low = page.evaluate(LOW_CONTRAST)
    assert not low, "\n".join(low)


def test_links_within_the_book_lead_somewhere(page):
    for link in page.eval_on_selector_all("a[href]", "list => list.map(e => e.href)"):
        parts = urlsplit(link)
        if parts.scheme != "file":
            continue
        target = Path(unquote(parts.path))
        assert target.is_relative_to(HTML), link
        assert target.is_file(), link
        if parts.fragment and target.suffix == ".html":
            anchors = re.findall(r'\bid="([^"]+)"', target.read_text("utf8"))
            assert unquote(parts.fragment) in anchors, link


def test_controls_are_labelled(page):
    nameless = page.eval_on_selector_all(
        "article :is(input, select, button)",
        """list => list.filter((e) => !(e.labels?.length || e.ariaLabel || e.title
          || e.dataset.tooltip || e.textContent.trim())).map((e) => e.outerHTML)""",
    )
    assert nameless == []


def test_search_finds_a_phrase_from_disk(window):
    window.errors.clear()
    window.asked.clear()
    window.goto(f"{(HTML / 'search.html').as_uri()}?q=easy+anchor")
    window.wait_for_selector("#search-results li a")
    found = window.eval_on_selector_all("#search-results li a", "list => list.map(e => e.href)")
    assert any("/book/method.html" in link for link in found)
    window.wait_for_selector("#search-results li p.context")
    for excerpt in window.locator("#search-results li p.context").all_inner_texts():
        assert re.search("easy|anchor", excerpt, re.IGNORECASE), excerpt
    assert window.errors == []
    assert window.asked == []


def settings_grid():
    """Settings of the explorer: every schedule at every corner, and in between."""
    for sampling, imbalance, (epoch, epochs) in itertools.product(
        (*SAMPLINGS, "constant"),
        (1, 3, 50, 200),
        ((0, 300), (89, 300), (90, 300), (7, 10), (60, 60)),
    ):
        yield {
            "sampling": sampling, "imbalance": imbalance, "epoch": epoch, "epochs": epochs,
            "decay": 0.97, "value": 0.4, "p": 0.3, "epsilon": 0.15,
        }  # fmt: skip
    for p, epsilon in itertools.product((0, 0.29, 1), (0, 0.5)):
        yield {
            "sampling": "concave", "imbalance": 20, "epoch": 29, "epochs": 100,
            "decay": 0.9, "value": 1, "p": p, "epsilon": epsilon,
        }  # fmt: skip


def test_the_explorer_computes_what_the_library_does(explorer):
    grid = list(settings_grid())
    shown = explorer.evaluate("grid => grid.map(window.dclExplorer.compute)", grid)
    close = {"rel": 1e-9, "abs": 1e-9}
    for s, now in zip(grid, shown, strict=True):
        linear_imbalance = s["sampling"] == "linear-imbalance"
        rule = "linear" if linear_imbalance else "power"
        g = schedule(
            "linear" if linear_imbalance else s["sampling"],
            s["epoch"], s["epochs"], decay=s["decay"], value=s["value"],
        )  # fmt: skip
        counts = torch.tensor([[s["imbalance"], 1]])
        majority, minority = now["counts"]
        assert majority + minority == 512
        assert minority == pytest.approx(512 / (s["imbalance"] + 1), abs=0.5)
        labels = (torch.arange(512) >= majority).long()[:, None]
        weights = dsl_weights(labels, counts, g, rule=rule)[:, 0].split([majority, minority])
        expected = dsl_weights(labels, counts, g, rule=rule, selection="expected")[:, 0]
        f = loss_schedule(s["epoch"], s["epochs"], p=s["p"], epsilon=s["epsilon"])
        assert now["g"] == pytest.approx(g, **close), s
        assert now["f"] == pytest.approx(f, **close), s
        target = target_distribution(counts, g, rule=rule)[0].tolist()
        assert now["target"] == pytest.approx(target, **close), s
        assert now["ratio"] == pytest.approx([expected[0].item(), expected[-1].item()], **close), s
        assert now["kept"] == [w.count_nonzero().item() for w in weights], s
        assert now["weight"] == pytest.approx([w.max().item() for w in weights], **close), s
        assert now["total"] == pytest.approx(sum(w.sum().item() for w in weights), **close), s


def test_the_explorer_offers_every_schedule_of_the_library(explorer):
    offered = explorer.eval_on_selector_all("#x-sampling option", "list => list.map(e => e.value)")
    assert set(offered) == {*SAMPLINGS, "constant"}


def test_the_explorer_moves_with_the_keyboard(explorer):
    def numbers():
        return {name: explorer.inner_text(f"[data-{name}]") for name in ("epoch", "g", "sum-1")}

    def dropped():
        return explorer.locator("[data-majority] circle.dropped").count()

    assert explorer.locator("#explorer .batch circle").count() == 512
    before, dropped_before = numbers(), dropped()
    explorer.focus("#x-epoch")
    for _ in range(30):
        explorer.keyboard.press("ArrowRight")
    after = numbers()
    assert after["epoch"] == "230 of 300"
    assert float(after["g"]) == pytest.approx(schedule("convex", 230, 300), abs=5e-4)
    assert float(after["sum-1"]) > float(before["sum-1"])
    assert dropped() > dropped_before
    explorer.keyboard.press("End")
    assert float(numbers()["g"]) == 0
    explorer.wait_for_function(
        "() => document.querySelector('[data-announce]').textContent.startsWith('Epoch 300 of 300')"
    )
    explorer.keyboard.press("Shift+Tab")  # to the play button, which starts again from 0
    explorer.keyboard.press("Space")
    explorer.wait_for_function("() => 0 < +document.querySelector('#x-epoch').value")
    explorer.keyboard.press("Space")
    assert explorer.inner_text("[data-play]") == "Play"
    assert int(explorer.input_value("#x-epoch")) < 300


def test_the_explorer_shows_a_control_where_it_has_an_effect(explorer):
    for sampling in (*SAMPLINGS, "constant"):
        explorer.select_option("#x-sampling", sampling)
        assert explorer.is_visible("#x-decay") == (sampling == "concave")
        assert explorer.is_visible("#x-value") == (sampling == "constant")


def test_a_print_of_the_explorer_has_its_picture(explorer):
    assert not explorer.is_visible(".explorer-static img")
    explorer.emulate_media(media="print")
    assert explorer.is_visible(".explorer-static img")
    assert not explorer.is_visible("#explorer")
    explorer.emulate_media(media="screen")


def test_without_scripts_the_explorer_has_its_picture(browser):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address("book/explorer"))
    assert tab.is_visible(".explorer-static img")
    assert not tab.is_visible("#explorer")
    context.close()


def test_the_explorer_plays_in_jumps_for_whoever_wants_less_motion(browser):
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    tab.goto(address("book/explorer"))
    tab.fill("#x-epoch", "0")
    tab.click("[data-play]")
    tab.wait_for_function("() => 0 < +document.querySelector('#x-epoch').value")
    assert tab.input_value("#x-epoch") == "30"  # a tenth of the training, after a second
    context.close()


def test_the_execution_page_has_a_row_for_every_notebook(window):
    window.goto(address("book/execution"))
    notebooks = [page for page in PAGES if (ROOT / f"{page}.ipynb").is_file()]
    cells = window.eval_on_selector_all(
        "article table tbody tr", "rows => rows.map(r => [...r.cells].map(c => c.innerText))"
    )
    links = window.eval_on_selector_all("article table a", "list => list.map(e => e.href)")
    assert links == [address(page) for page in notebooks]
    for _, profile, code_cells, seconds in cells:
        assert profile in ("quick", "standard")
        assert int(code_cells) > 2
        assert int(seconds) > 0
