"""The built book as a reader sees it: opened from disk in headless Chromium, without a network."""

import importlib.util
import io
import itertools
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import torch
from bs4 import BeautifulSoup
from chromium import CHROMIUM, DESK, PHONE, started, watched
from matplotlib.colors import to_rgb
from PIL import Image
from sphinx_external_toc.parsing import parse_toc_yaml

from dcl import dsl_weights, loss_schedule, schedule, target_distribution
from dcl.mining import mine
from dcl.schedulers import SAMPLING_SCHEDULES
from dcl.triplet import TripletOptions, triplet_terms
from dcl_book import plane
from dcl_book.figures.style import METHOD_COLOURS

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [str(entry) for entry in parse_toc_yaml(ROOT / "book" / "_toc.yml")]

if "DCL_CHECK_BOOK" not in os.environ:
    pytest.skip("of the built book: run `make check-book`", allow_module_level=True)
if not all((HTML / f"{page}.html").is_file() for page in PAGES):
    MISSING = "the book is not built, or not all of it: run `make book`"
elif not CHROMIUM:
    MISSING = "no Chromium on this machine: apt-get install chromium"
elif not importlib.util.find_spec("playwright"):
    MISSING = "playwright is not installed: run `make setup`"
else:
    MISSING = ""
if MISSING:
    pytest.fail(MISSING, pytrace=False)

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
  return [...document.querySelectorAll("article *, .bd-sidebar-primary a, .dcl-made *, footer p")]
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
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser):
    """A tab that may read from disk alone; what it asks of a network, and its errors, are kept."""
    with watched(browser, color_scheme="light") as tab:
        yield tab


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


def test_a_name_in_code_leads_to_the_reference():
    html = (HTML / "notebooks" / "trainers.html").read_text("utf8")
    assert re.search(r'<a class="sphinx-codeautolink-a" href="[^"]*api.html#dcl.DCLLoss"', html)


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


def test_every_figure_has_a_number_and_a_caption_of_words(page):
    pictures = "article :is(img, .dcl-forest):not(#scores *)"
    alone = page.eval_on_selector_all(
        pictures, "list => list.filter(e => !e.closest('figure')).map(e => e.outerHTML)"
    )
    assert alone == []
    captions = page.eval_on_selector_all(
        "article figure:not(#scores *)",
        """list => list.map((e) => [e.querySelector(".caption-number")?.textContent.trim() ?? "",
          e.querySelector(".caption-text")?.textContent.trim() ?? "",
          e.querySelectorAll("img:not(.dcl-narrow), .dcl-forest").length])""",
    )
    for number, words, drawn in captions:
        assert re.fullmatch(r"Figure \d+", number), (number, words)
        assert len(words.removesuffix("numbers (CSV)").split()) >= 8, (number, words)
        assert drawn == 1, (number, words)


def test_figures_are_numbered_in_the_order_of_the_contents():
    text = "".join((HTML / f"{page}.html").read_text("utf8") for page in PAGES)
    found = re.findall(r'<figcaption>\s*<p><span class="caption-number">Figure (\d+)', text)
    assert [int(number) for number in found] == list(range(1, len(found) + 1))
    assert len(found) > 50


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_window(page, size):
    page.set_viewport_size(size)
    try:
        wider = page.evaluate(WIDER_THAN_THE_WINDOW)
        assert not wider, "\n".join(wider)
    finally:
        page.set_viewport_size(DESK)


def test_an_equation_wider_than_a_phone_starts_at_its_left_end(window):
    window.set_viewport_size(PHONE)
    try:
        window.goto(address("book/method"))
        window.evaluate("() => window.MathJax?.startup?.promise?.then(() => null)")
        wide = window.eval_on_selector_all(
            "article div.math",
            """list => list.filter((e) => e.scrollWidth > e.clientWidth).map((e) =>
              e.querySelector("mjx-math").getBoundingClientRect().left
              - e.getBoundingClientRect().left)""",
        )
    finally:
        window.set_viewport_size(DESK)
    assert wide
    assert all(left >= -1 for left in wide), wide


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
        "article :is(input:not([type=hidden]), select, button)",
        """list => list.filter((e) => !(e.labels?.length || e.ariaLabel || e.title
          || e.dataset.tooltip || e.textContent.trim())).map((e) => e.outerHTML)""",
    )
    assert nameless == []


def test_the_claims_sort_by_each_of_their_heads(window):
    window.goto(address("notebooks/claims"))
    table = window.locator("table.dcl-claims")
    rows = table.locator("tbody tr").count()
    assert rows > 20
    for head in ("claim", "verdict", "paper", "here"):
        column = table.locator("thead th").all_inner_texts()
        place = next(i for i, words in enumerate(column) if words.strip() == head)
        button = table.locator("thead th").nth(place).locator("button")
        found = []
        for direction in ("ascending", "descending"):
            button.focus()
            window.keyboard.press("Enter")
            assert table.locator("[aria-sort]").get_attribute("aria-sort") == direction
            cells = table.locator(f"tbody td:nth-child({place + 1})")
            assert cells.count() == rows
            values = cells.evaluate_all("list => list.map(e => e.dataset.value ?? e.innerText)")
            given = [value for value in values if value]
            assert not any(values[len(given) :]), "empty cells stay last"
            given = [value.replace("\N{MINUS SIGN}", "-") for value in given]
            found.append([float(v) if re.match(r"-?\d", v) else v.lower() for v in given])
        assert found[0] == sorted(found[0], key=lambda v: (isinstance(v, str), v))
        assert sorted(map(str, found[1])) == sorted(map(str, found[0]))
        assert found[1][0] == found[0][-1]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("page", ["book/intro", "notebooks/claims"])
def test_a_picture_of_strips_shows_every_number_without_a_scroll(window, page, size):
    window.set_viewport_size(size)
    try:
        window.goto(address(page))
        wide = window.locator(".dcl-forest").evaluate_all(
            "boxes => boxes.map((e) => e.parentElement.scrollWidth - e.parentElement.clientWidth)"
        )
    finally:
        window.set_viewport_size(DESK)
    assert wide
    assert not any(wide)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_figures_are_dark_on_a_light_page_and_light_on_a_dark_one(window, mode):
    window.goto(address("book/method"))
    window.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
    figure = window.locator("article figure img").first
    figure.scroll_into_view_if_needed()
    image = Image.open(io.BytesIO(figure.screenshot()))
    page = window.evaluate("getComputedStyle(document.body).backgroundColor")
    assert image.convert("RGB").getpixel((3, 3)) == tuple(map(int, re.findall(r"\d+", page)[:3]))
    image = image.convert("L")
    ground = image.getpixel((3, 3))
    assert (ground > 240) if mode == "light" else (ground < 40)
    lightest, darkest = image.getextrema()[1], image.getextrema()[0]
    assert lightest - darkest > 180


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("page", ["book/method", "book/intro"])
def test_a_method_has_one_colour_on_a_light_page_and_on_a_dark_one(window, page, mode):
    window.goto(address(page))
    window.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
    figure = window.locator("article figure img, article .dcl-forest").first
    figure.scroll_into_view_if_needed()
    image = Image.open(io.BytesIO(figure.screenshot())).convert("RGB")
    colours = {colour for _, colour in image.getcolors(image.width * image.height)}
    assert tuple(round(255 * part) for part in to_rgb(METHOD_COLOURS["dcl"])) in colours


def test_a_page_that_is_dark_is_printed_on_white(browser):
    with watched(browser, color_scheme="dark") as tab:
        tab.goto(address("notebooks/operating_point"))
        theme = "() => document.documentElement.dataset.theme"
        assert tab.evaluate(theme) == "dark"
        tab.emulate_media(media="print")
        tab.wait_for_function(f"({theme})() === 'light'")
        looks = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).colorScheme]"
        assert tab.locator("body").evaluate(looks)[0] == "rgb(255, 255, 255)"
        assert tab.locator("article figure img").first.evaluate(looks)[1] == "light"
        assert not tab.locator("details.hide:not([open]) >> visible=true").count()
        tab.emulate_media(media="screen")
        tab.wait_for_function(f"({theme})() === 'dark'")


def test_without_scripts_a_page_is_light(browser):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address("book/intro"))
    assert tab.locator("html").get_attribute("data-theme") == "light"
    context.close()


def test_the_keyboard_reaches_what_scrolls_and_stops_at_no_formula(page):
    page.set_viewport_size(PHONE)
    try:
        page.wait_for_function(
            """() => [...document.querySelectorAll(
              "article :is(.dcl-picture, div.output.text_html, .dt-scroll-body)")]
              .filter((e) => e.checkVisibility()).every((e) => (e.scrollWidth > e.clientWidth + 1)
                === (e.tabIndex === 0 && e.role === "region" && e.ariaLabel.length > 5))"""
        )
    finally:
        page.set_viewport_size(DESK)
    assert page.locator("mjx-container[tabindex='0']").count() == 0


def test_whoever_hears_a_table_hears_its_heads(page):
    for table in page.locator("article div.cell_output table:not([hidden], .dt-container *)").all():
        if table.locator("thead").count():
            assert table.locator("thead th:not([scope=col])").count() == 0
            assert table.locator("tbody th:not([scope=row])").count() == 0


def test_a_wide_table_keeps_its_first_column_in_sight(window):
    window.set_viewport_size(PHONE)
    try:
        window.goto(address("notebooks/table2"))
        box = window.locator("div.output.text_html:has(table)").first
        first = box.locator("tbody th").first
        before = first.bounding_box()["x"]
        box.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
        assert box.evaluate("e => e.scrollLeft") > 50
        assert first.bounding_box()["x"] == pytest.approx(before, abs=2)
    finally:
        window.set_viewport_size(DESK)


def test_table_2_shows_three_methods_until_more_are_asked_for(window):
    window.goto(address("notebooks/table2"))
    table = window.locator(".dt-container").first
    heads = table.locator("thead tr:first-child th:visible")
    window.wait_for_selector(".dt-container button:has-text('All methods')")

    def shown():
        return {words.strip() for words in heads.all_inner_texts()} - {"", "imbalance, paper"}

    three = {"DCL", "cross entropy", "moved threshold"}
    assert shown() == three
    table.get_by_role("button", name="All methods").click()
    assert shown() > three
    first = table.locator("tbody tr").first.locator("th, td").first
    before = first.bounding_box()["x"]
    body = table.locator(".dt-scroll-body")
    body.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    assert body.evaluate("e => e.scrollLeft") > 50
    assert first.bounding_box()["x"] == pytest.approx(before, abs=2)
    table.get_by_role("button", name="Main three").click()
    assert shown() == three


def test_search_finds_a_phrase_from_disk(window):
    window.errors.clear()
    window.asked.clear()
    window.goto(f"{(HTML / 'search.html').as_uri()}?q=easy+anchor")
    window.wait_for_selector("#search-results li a")
    found = window.eval_on_selector_all("#search-results li a", "list => list.map(e => e.href)")
    assert any("/book/method.html" in link for link in found)
    window.wait_for_selector("#search-results li p.context")
    for link, words in excerpts(window).items():
        if any(page in link for page in ("method", "easy_anchors", "explorer")):
            assert re.search("easy|anchor", words, re.IGNORECASE), words
    assert window.errors == []
    assert window.asked == []


def excerpts(window):
    found = window.locator("#search-results li:has(p.context)").all()
    return {
        each.locator("a").first.get_attribute("href"): each.locator("p.context").inner_text()
        for each in found
    }


def test_what_a_search_finds_is_shown_in_sentences_and_not_by_numbers_of_tables(window):
    window.goto(f"{(HTML / 'search.html').as_uri()}?q=CRL")
    window.wait_for_selector("#search-results li p.context")
    found = excerpts(window)
    assert len(found) > 5
    for words in found.values():
        assert not re.search(r"(?:[\d.,±()]+\s+){4}", words), words


def test_the_first_screen_of_a_small_laptop_holds_what_was_found_and_the_three_doors(window):
    window.evaluate("localStorage.clear()")  # Sphinx marks the words of a search
    window.set_viewport_size({"width": 1366, "height": 768})
    try:
        window.goto(address("book/intro"))
        doors = window.locator("article .dcl-doors").bounding_box()
    finally:
        window.set_viewport_size(DESK)
    assert doors["y"] + doors["height"] <= 768


def test_every_page_says_what_it_is_about_where_a_link_to_it_is_shown():
    for page in PAGES:
        head = (HTML / f"{page}.html").read_text("utf8").split("</head>")[0]
        tags = BeautifulSoup(head, "html.parser").select("meta[content]")
        said = {tag.get("name") or tag.get("property"): tag["content"] for tag in tags}
        assert len(said["description"]) > 40, page
        assert len(said["og:description"]) > 40, page
        assert said["og:title"], page
        assert said["og:image"].endswith("_static/card.png"), page


def settings_grid():
    """Settings of the explorer: every schedule at every corner, and in between."""
    usual = {"decay": 0.97, "value": 0.4, "p": 0.3, "epsilon": 0.15}
    for sampling, counts, (epoch, epochs), moves in itertools.product(
        (*SAMPLING_SCHEDULES, "constant"),
        ([1, 1], [50, 1], [3, 200], [9750, 250, 40], [7, 5, 300, 2, 5, 11]),
        ((0, 300), (89, 300), (90, 300), (7.3, 10), (8, 8)),
        ("step", "epoch"),
    ):
        settings = {"sampling": sampling, "classCounts": counts, "epoch": epoch, "epochs": epochs}
        yield {**usual, **settings, "moves": moves, "normalisation": "proportion"}
        yield {**usual, **settings, "moves": moves, "normalisation": "minority"}
    for p, epsilon in itertools.product((0, 0.29, 1), (0, 0.5)):
        yield {
            "sampling": "concave", "classCounts": [20, 1], "epoch": 29, "epochs": 100,
            "decay": 0.9, "value": 1, "p": p, "epsilon": epsilon,
            "moves": "step", "normalisation": "proportion",
        }  # fmt: skip


def test_the_explorer_computes_what_the_library_does(explorer):
    grid = list(settings_grid())
    shown = explorer.evaluate("grid => grid.map(window.dclExplorer.compute)", grid)
    close = {"rel": 1e-9, "abs": 1e-9}
    for s, now in zip(grid, shown, strict=True):
        linear_imbalance = s["sampling"] == "linear-imbalance"
        rule = "linear" if linear_imbalance else "power"
        last = s["epochs"] - 1  # of those that a training starts
        epoch = s["epoch"] if s["moves"] == "step" else min(int(s["epoch"]), last)
        g = schedule(
            "linear" if linear_imbalance else s["sampling"],
            epoch, s["epochs"], decay=s["decay"], value=s["value"],
        )  # fmt: skip
        counts = torch.tensor([s["classCounts"]])
        assert sum(now["counts"]) == 512
        labels = torch.arange(counts.numel()).repeat_interleave(torch.tensor(now["counts"]))
        options = {"normalisation": s["normalisation"], "rule": rule}
        expected = dsl_weights(labels[:, None], counts, g, selection="expected", **options)[:, 0]
        expected = [weights[0].item() for weights in expected.split(now["counts"])]
        drawn = dsl_weights(labels[:, None], counts, g, **options)[:, 0].split(now["counts"])
        f = loss_schedule(epoch, s["epochs"], p=s["p"], epsilon=s["epsilon"])
        assert now["g"] == pytest.approx(g, **close), s
        assert now["f"] == pytest.approx(f, **close), s
        target = target_distribution(counts, g, **options)[0].tolist()
        assert now["target"] == pytest.approx(target, **close), s
        assert now["ratio"] == pytest.approx(expected, **close), s
        weight = [max(1.0, ratio) for ratio in expected]
        assert now["weight"] == pytest.approx(weight, **close), s
        for kept, ratio, weights in zip(now["kept"], expected, drawn, strict=True):
            assert abs(kept - min(1, ratio) * len(weights)) <= 0.5 + 1e-6, s  # the nearest
            assert abs(kept - weights.count_nonzero().item()) <= 1, s  # one draw of the library's
        total = sum(n * each for n, each in zip(now["kept"], weight, strict=True))
        assert now["total"] == pytest.approx(total, **close), s


@pytest.mark.parametrize(("chance", "kept"), [(0, 443), (0.6, 443), (0.7, 444)])
def test_the_explorer_rounds_at_random_so_that_it_is_right_on_average(explorer, chance, kept):
    settings = {"sampling": "constant", "value": 0.5, "classCounts": [500, 12], "epoch": 1}
    settings |= {"epochs": 8, "p": 0.3, "epsilon": 0.1, "rounding": [chance, chance]}
    now = explorer.evaluate("settings => window.dclExplorer.compute(settings)", settings)
    labels = (torch.arange(512) >= 500).long()[:, None]
    weights = dsl_weights(labels, torch.tensor([[500, 12]]), 0.5, selection="expected")
    assert now["ratio"][0] * 500 == pytest.approx(weights[:500].sum().item())  # 443.32
    assert now["kept"] == [kept, 12]


@pytest.mark.parametrize("counts", [[50, 1], [9750, 250], [3, 400, 10], [1, 1, 1], [100_000, 1]])
def test_the_explorers_batch_has_the_proportions_of_the_training_set(explorer, counts):
    batch = explorer.evaluate("counts => window.dclExplorer.batchOf(counts, 512)", counts)
    assert sum(batch) == 512
    for n, count in zip(batch, counts, strict=True):
        assert n == max(1, n)
        assert n == pytest.approx(512 * count / sum(counts), abs=len(counts) / 2 + 0.5)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("9,750 : 250", [9750, 250]),
        ("9750:250", [9750, 250]),
        ("120, 40, 3", [120, 40, 3]),
        ("120,40,3", [120, 40, 3]),
        ("4,000\t300\t12", [4000, 300, 12]),
        ("  7\n 8 \n", [7, 8]),
        ("1/50", [1, 50]),
        ("12 : x", '"x" is no count'),
        ("12 : 0", '"0" is no count'),
        ("12 : -3", '"-3" is no count'),
        ("1.5 : 3", '"1.5" is no count'),
        ("24000 , 600 , 12", [24000, 600, 12]),
        ("9,750, 250", [9750, 250]),
        ("9750 : 250 :", [9750, 250]),
        (" : 9750, 250,", [9750, 250]),
        ("9750", "Found 1 number: give 2 to 6"),
        ("9,750", '"9,750" can be one number or several: for several write 9 : 750'),
        ("900,100", '"900,100" can be one number or several: for several write 900 : 100'),
        ("1 2 3 4 5 6 7", "Found 7 numbers: give 2 to 6"),
        ("", '"" is no count'),
    ],
)
def test_the_explorer_reads_class_counts_as_people_write_them(explorer, typed, read):
    found = explorer.evaluate("typed => window.dclExplorer.parseCounts(typed)", typed)
    if isinstance(read, list):
        assert found == {"counts": read}
    else:
        assert read in found["error"]


def test_the_explorer_shows_the_classes_that_are_typed(explorer):
    explorer.fill("#x-counts", "900 : 90 : 9")
    assert explorer.locator("#explorer .batch .class").count() == 3
    assert explorer.locator("#explorer .batch circle").count() == 512
    assert explorer.inner_text("[data-train-0]") == "900"
    explorer.fill("#x-counts", "900 : many")
    assert '"many" is no count' in explorer.inner_text("[data-wrong]")
    assert explorer.locator("#explorer .batch .class").count() == 3  # the last that could be read
    dimmed = "() => getComputedStyle(document.querySelector('[data-picture]')).opacity"
    assert float(explorer.evaluate(dimmed)) < 0.5  # and it looks like it
    explorer.fill("#x-counts", "90000 : 3")
    assert float(explorer.evaluate(dimmed)) == 1
    assert "Only one batch of 512 in about" in explorer.inner_text("[data-rare]")


def test_a_link_to_the_explorer_keeps_its_settings(window, explorer):
    explorer.fill("#x-counts", "9,750 : 250")
    explorer.select_option("#x-sampling", "linear")
    explorer.select_option("#x-moves", "epoch")
    explorer.select_option("#x-normalisation", "minority")
    explorer.fill("#x-epochs", "1")
    explorer.fill("#x-epoch", "7.5")
    explorer.wait_for_function("() => location.hash.includes('epoch=7.5')")
    link, g = explorer.url, explorer.inner_text("[data-g]")
    assert float(g) == pytest.approx(schedule("linear", 7, 8), abs=5e-4)
    window.goto("about:blank")
    window.goto(link)
    assert window.inner_text("[data-g]") == g
    assert window.inner_text("[data-train-0]") == "9,750"
    assert window.input_value("#x-normalisation") == "minority"
    for broken in ("#counts=x&epochs=7&sampling=none", "#%E0%A4%A", "#="):
        window.goto("about:blank")
        window.goto(address("book/explorer") + broken)
        assert window.inner_text("[data-epochs]") == "300"
        assert window.input_value("#x-sampling") == "convex"


def test_a_training_of_eight_epochs_ends_balanced_only_with_every_step(explorer):
    explorer.fill("#x-epochs", "1")
    explorer.fill("#x-epoch", "8")
    assert float(explorer.inner_text("[data-g]")) == 0
    explorer.select_option("#x-moves", "epoch")
    assert explorer.inner_text("[data-g]") == f"{schedule('convex', 7, 8):.3f}"
    assert "the last epoch has g = 0.195" in explorer.inner_text("[data-last]")


def test_the_explorer_offers_every_schedule_of_the_library(explorer):
    offered = explorer.eval_on_selector_all("#x-sampling option", "list => list.map(e => e.value)")
    assert set(offered) == {*SAMPLING_SCHEDULES, "constant"}


def test_the_explorer_moves_with_the_keyboard(explorer):
    def numbers():
        return {name: explorer.inner_text(f"[data-{name}]") for name in ("epoch", "g", "sum-1")}

    def dropped():
        return explorer.locator("#explorer .place-0 circle.dropped").count()

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
    for sampling in (*SAMPLING_SCHEDULES, "constant"):
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


def tab_of_triplets(tab, **settings):
    tab.goto("about:blank")
    told = "&".join(f"{name}={value}" for name, value in ({"tab": "triplets"} | settings).items())
    tab.goto(f"{address('book/explorer')}#{told}")


@pytest.mark.parametrize("anchors", ["easy", "all"])
@pytest.mark.parametrize("share", ["0.1", "0.3", "0.6"])
@pytest.mark.parametrize("k", [1, 7, 25])
def test_the_explorers_triplets_are_mined_and_moved_as_the_library_does(
    explorer, anchors, share, k
):
    cloud = explorer.evaluate("share => window.dclClouds[share]", share)
    steps = explorer.evaluate("() => window.dclTriplets.STEPS")
    fs = [loss_schedule(step / steps * 300, 300) for step in range(steps + 1)]
    path = explorer.evaluate(
        "([cloud, settings]) => window.dclTriplets.actOut(cloud, settings)",
        [cloud, {"k": k, "anchors": anchors, "fs": fs}],
    )
    drawn = plane.draw(1, float(share))
    points = torch.tensor(cloud["points"], dtype=torch.float64)
    assert torch.allclose(points, drawn.points[:, 0].double(), atol=5.1e-4)
    labels = torch.tensor(cloud["labels"])
    assert labels.tolist() == drawn.labels[:, 0].tolist()
    for step in range(12):
        now = path[step]
        assert now["points"] == [pytest.approx(point, abs=1e-6) for point in points.tolist()]
        points.requires_grad_()
        logit = plane.SHARPNESS * points.detach()[:, 0]
        logits = torch.stack([-logit, logit], 1)
        roles = mine(logits[:, None], labels[:, None], k=k, anchors=anchors, rho=0.5)
        for name, role in zip(("anchor", "positive", "negative"), roles, strict=True):
            assert sorted(now["mined"][name]) == sorted(role.index[role.valid].tolist()), step
        options = TripletOptions(k=k, anchors=anchors, normalise=False)
        terms = triplet_terms(points[:, None], logits[:, None], labels[:, None], options)
        assert now["triples"] == terms.triples.item()
        assert now["loss"] == pytest.approx(terms.loss.item(), abs=1e-6)
        (gradient,) = torch.autograd.grad(terms.loss.sum(), points)
        points = points.detach() - plane.RATE * fs[step] * gradient


def test_what_the_explorer_says_of_its_clouds_is_what_they_do(explorer):
    def right(share, epoch, anchors):
        tab_of_triplets(explorer, hard=share, epoch=epoch, anchors=anchors)
        return int(explorer.inner_text("[data-t-minority]").split()[0])

    assert right("0.6", 0, "all") == 2 * right("0.6", 300, "all")  # half of them lost
    assert right("0.3", 300, "all") == 30  # all rescued
    for share in ("0.3", "0.6"):
        assert right(share, 0, "easy") == right(share, 300, "easy")
    before, after = (
        explorer.evaluate(
            """([from, to]) => {
              const f = window.dclExplorer.lossSchedule;
              const fs = Array.from({length: 101}, (_, s) => f(3 * s, 300));
              const settings = {k: 25, anchors: "easy", fs};
              const path = window.dclTriplets.actOut(window.dclClouds["0.3"], settings);
              return path[to].points.reduce((sum, [x, y], i) =>
                sum + Math.hypot(x - path[from].points[i][0], y - path[from].points[i][1]), 0);
            }""",
            moments,
        )
        for moments in ([0, 30], [30, 100])
    )
    assert before > 2 * after


def test_the_explorers_tabs_show_one_panel_and_keep_the_epoch(explorer):
    assert explorer.is_visible("#x-batch")
    assert not explorer.is_visible("#x-triplets")
    explorer.focus("#x-tab-batch")
    explorer.keyboard.press("ArrowRight")
    assert explorer.get_attribute("#x-tab-triplets", "aria-selected") == "true"
    assert explorer.evaluate("() => document.activeElement.id") == "x-tab-triplets"
    assert not explorer.is_visible("[data-batch]")
    explorer.fill("#x-epoch", "89")
    assert float(explorer.inner_text("[data-t-f]")) == pytest.approx(
        loss_schedule(87, 300), abs=5e-4
    )  # of the last of the hundred steps
    explorer.fill("#x-epoch", "90")
    assert float(explorer.inner_text("[data-t-f]")) == pytest.approx(0.1)
    explorer.wait_for_function("() => location.hash.includes('tab=triplets')")
    tab_of_triplets(explorer, anchors="all", k=3)
    assert explorer.inner_text("[data-t-anchor]") == "30"
    assert explorer.inner_text("[data-t-negative]") == "3"
    explorer.click("#x-tab-batch")
    assert explorer.is_visible("[data-batch]")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_explorers_second_tab_is_as_legible_and_narrow_as_the_first(explorer, mode):
    tab_of_triplets(explorer, anchors="all")
    explorer.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
    explorer.add_style_tag(content="* { transition: none !important }")
    assert explorer.is_visible("#x-triplets")
    assert not explorer.evaluate(LOW_CONTRAST)
    explorer.set_viewport_size(PHONE)
    try:
        assert not explorer.evaluate(WIDER_THAN_THE_WINDOW)
    finally:
        explorer.set_viewport_size(DESK)


def test_the_first_figure_or_table_of_a_page_is_within_one_screen(page):
    page.set_viewport_size(DESK)
    top = page.evaluate(
        """() => [...document.querySelectorAll(
            "article :is(img, svg, .dcl-forest, table, #scores)")]
          .filter((e) => e.checkVisibility() && !e.closest("mjx-container"))
          .map((e) => e.getBoundingClientRect())
          .filter(({ width, height }) => width > 150 && height > 80)
          .map(({ top }) => top + scrollY)[0] ?? null"""
    )
    if top is not None and not page.url.endswith("/book/summary.html"):  # sentences, half a page
        assert top < DESK["height"] - 150, f"{top:.0f} of {DESK['height']} pixels"


def test_a_phone_shows_figures_narrow_or_scrolls_them_in_their_box_with_letters_to_read(page):
    page.set_viewport_size(PHONE)
    try:
        page.evaluate(
            """() => Promise.all([...document.querySelectorAll("article .dcl-picture img")]
              .map((e) => { e.loading = "eager"; return e.decode().catch(() => {}); }))"""
        )
        shown = page.evaluate(
            """() => [...document.querySelectorAll("article .dcl-picture img[src$='.svg']")]
              .filter((e) => e.checkVisibility())
              .map((e) => [e.getBoundingClientRect().width / e.naturalWidth, e.src,
                           getComputedStyle(e.closest(".dcl-picture")).overflowX,
                           e.closest(".dcl-has-narrow") ? e.className : "dcl-narrow"])"""
        )
    finally:
        page.set_viewport_size(DESK)
    assert [row for row in shown if row[0] < 0.7 or row[2:] != ["auto", "dcl-narrow"]] == []


def test_no_two_figures_of_a_page_share_a_title(page):
    files = page.eval_on_selector_all(
        "article img[src$='.svg']:not(.dcl-narrow)", "list => list.map(e => e.src)"
    )
    files = [Path(unquote(urlsplit(file).path)) for file in files]
    titles = [re.search(r'<g id="([^"]*)"', file.read_text("utf8"))[1] for file in files]
    assert not [title for title in titles if re.fullmatch(r"figure[-_\d]*", title)], "no title"
    assert len(set(titles)) == len(titles), titles


def test_code_is_folded_but_where_it_is_the_point(page):
    name = Path(urlsplit(page.url).path).relative_to(HTML).with_suffix("").as_posix()
    open_ = page.eval_on_selector_all(
        "article div.cell_input", "list => list.filter(e => e.checkVisibility()).length"
    )
    assert open_ == 0 or name in CODE_IS_THE_POINT


CODE_IS_THE_POINT = {
    *("notebooks/framework", "notebooks/schedulers", "notebooks/celeba", "notebooks/trainers"),
    "notebooks/your_data",  # its last cell: the lines to take with you
}


def test_the_margin_says_what_a_page_was_made_from_where_it_is_wide(window):
    window.goto(address("notebooks/table2"))
    note = window.locator(".dcl-made")
    assert note.is_visible()
    runs = int(re.search(r"(\d+) run records in results/celeba-30k,", note.inner_text())[1])
    table = window.locator("table:has(caption:has-text('records in'))")
    seeds = table.locator("tbody td:nth-child(2)").evaluate_all(
        "list => list.map(e => e.textContent.split(', ').length)"
    )
    assert runs == sum(seeds)
    assert note.locator("a[href='#provenance']").count() == 1
    window.set_viewport_size(PHONE)
    try:
        assert not note.is_visible()
        assert window.locator("#provenance").is_visible()
    finally:
        window.set_viewport_size(DESK)


def test_the_execution_page_has_a_row_for_every_notebook(window):
    window.goto(address("book/architecture"))
    notebooks = [page for page in PAGES if (ROOT / f"{page}.ipynb").is_file()]
    cells = window.eval_on_selector_all(
        "#how-this-book-was-made table tbody tr",
        "rows => rows.map(r => [...r.cells].map(c => c.innerText))",
    )
    links = window.eval_on_selector_all(
        "#how-this-book-was-made table a", "list => list.map(e => e.href)"
    )
    assert links == [address(page) for page in notebooks]
    for _, profile, code_cells, seconds in cells:
        assert profile in ("quick", "standard")
        assert int(code_cells) > 2
        assert int(seconds) > 0
