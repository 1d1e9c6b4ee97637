"""The report's figures are drawn from records, and say which."""

import io
import re
from colorsys import rgb_to_hls
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from dcl_book import evidence, figures, published, tables
from dcl_book.evidence import PRIOR
from dcl_book.figures import style, thresholds
from dcl_book.figures.dark import CONTRAST, contrast, dark, with_dark_look
from dcl_book.figures.narrow import as_narrow_svg
from dcl_book.figures.size import LENGTH_COLOURS, LENGTH_MARKERS, SEEN
from dcl_book.figures.thresholds import attribute_curve, look_of, sweep
from dcl_book.finding import Finding
from dcl_book.names import called

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "celeba-30k"


def test_a_sweep_goes_through_the_recorded_decision():
    runs = evidence.of_dataset(PUBLISHED, "celeba", "cross-entropy")
    (made,) = [
        r for r in runs["record"]
        if r["method"] == "cross-entropy" and r["seed"] == 0 and "curves" in r["test"]
    ]  # fmt: skip
    at_decision = sweep(made).loc[0.0]
    assert at_decision["mA"] == pytest.approx(made["test"]["mA"], abs=0.01)
    curve = attribute_curve(made, "Bald").loc[0.0]
    for key in ("recall", "precision", "f1"):
        assert curve[key] == pytest.approx(made["test"]["per_attribute"]["Bald"][key], abs=0.2)


def test_figures_of_the_reports_are_drawn_from_records():
    runs = evidence.of_dataset(PUBLISHED, "celeba", "cross-entropy", "dcl")
    shown = runs[runs["method"].isin(["cross-entropy", "dcl"])]
    table = published.table(2)
    theirs = table["dcl"] - table["cross-entropy"]
    axes = figures.gain_over_cross_entropy(shown, "mA gained", published=theirs).axes[0]
    assert axes.figure.get_gid() == "figure-ma-gained"  # tells figures apart
    by_series = figures.numbers(axes.figure).groupby("series")
    assert [len(by_series.get_group(x)) for x in ("dcl, the paper's", "dcl, n = 5")] == [5, 10]
    places = {name: set(own["x"]) for name, own in by_series}
    assert not set.intersection(*places.values())  # side by side: none hides another
    steps = tables.steps(shown.assign(row=shown["method"]), {"cross-entropy": 81.17, "dcl": 89.05})
    axes = figures.paper_and_ours(steps, "Table 3").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cross entropy", "DCL"]
    assert np.isfinite(axes.get_xlim()).all()


@pytest.mark.parametrize("colour", [*style.METHOD_COLOURS.values(), thresholds.colour_of(PRIOR)])
def test_a_method_keeps_its_hue_on_a_dark_page_and_is_seen_there(colour):
    own, shown = to_rgb(colour), to_rgb(dark(colour))
    assert contrast(shown) >= CONTRAST
    if contrast(own) >= CONTRAST and max(own) - min(own) > 0.2:
        assert shown == pytest.approx(own, abs=1 / 255)
    elif max(own) > min(own):
        assert rgb_to_hls(*shown)[0] == pytest.approx(rgb_to_hls(*own)[0], abs=0.01)


@pytest.mark.parametrize(
    "colour",
    [
        *style.METHOD_COLOURS.values(), thresholds.colour_of(PRIOR), *style.SERIES, style.GREY,
        *style.SCHEDULE_COLOURS.values(), style.VIOLET, style.SLATE, *LENGTH_COLOURS.values(),
        *plt.get_cmap("viridis")(np.linspace(0, SEEN, 4))[:, :3],
    ],
)  # fmt: skip
def test_what_is_drawn_stands_out_from_white_and_from_a_dark_page(colour):
    assert contrast(to_rgb(colour), "white") >= CONTRAST
    assert contrast(to_rgb(dark(colour))) >= CONTRAST


def test_each_method_has_a_mark_of_its_own_so_that_a_print_in_grey_can_be_read():
    methods = {*style.METHOD_COLOURS, PRIOR}
    assert set(style.METHOD_MARKERS) == methods
    marks = {str(look_of(method)["marker"]) for method in methods}
    assert len(marks | {"D", "8"}) == len(methods) + 2  # the paper, and a method from elsewhere
    assert len(set(LENGTH_MARKERS.values())) == len(LENGTH_COLOURS)
    assert len(set(style.SCHEDULE_LINES.values())) == len(style.SCHEDULE_COLOURS)


def test_the_dark_look_of_a_figure_has_a_rule_for_each_of_its_colours():
    figure, axes = plt.subplots()
    axes.plot([0, 1], color=style.METHOD_COLOURS["crl"])
    axes.text(0, 0, "words", color="#333333")
    with io.StringIO() as file:
        style.finish(figure).savefig(file, format="svg", metadata={"Date": None})
        svg = file.getvalue()
    looks = with_dark_look(svg)
    rules = dict(re.findall(r'\[style\*="(.*?)"\] \{ (.*?) !important \}', looks))
    drawn = set(re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", svg))
    assert drawn == set(rules) >= {"stroke: #0072b2", "fill: #333333", "fill: #ffffff"}
    assert rules["stroke: #0072b2"] == "stroke: #0072b2"
    assert rules["fill: #ffffff"] == "fill: #121212"
    ElementTree.fromstring(looks)
    assert with_dark_look(looks) == looks


def test_a_precision_recall_curve_ends_where_nothing_is_called_positive():
    made = {
        "test": {
            "curves": {
                "log_odds": [-1.0, 0.0, 1.0],
                "recall": {"rare": [1.0, 0.5, 0.0]},
                "false_positive_rate": {"rare": [1.0, 0.1, 0.0]},
            },
            "per_attribute": {"rare": {"confusion": [[9, 1], [1, 1]]}},
        }
    }
    curve = attribute_curve(made, "rare")
    assert curve["precision"].tolist()[:2] == pytest.approx([100 * 2 / 12, 50])
    assert np.isnan(curve["precision"].iloc[2])


def test_a_moved_threshold_is_a_dot_on_cross_entropys_curve():
    runs = evidence.of_dataset(PUBLISHED, "celeba", "cross-entropy", "dcl")
    shown = runs[["curves" in made["test"] for made in runs["record"]]].copy()
    shown = shown[shown["method"].isin(["cross-entropy", "dcl"])].reset_index(drop=True)
    shown["record"] = [
        made | {"decisions": {"prior": {"test": made["test"]}}} for made in shown["record"]
    ]
    curves = figures.roc_and_precision(shown, "Bald", "One curve")
    roc, _ = curves.axes
    assert len(roc.get_lines()) == 5  # two curves, three dots
    assert [text.get_text() for text in curves.legends[0].get_texts()] == [
        *map(called, dict.fromkeys(shown["method"])),
        called(PRIOR),
    ]
    sweeps = figures.threshold_sweep(shown, "Two methods")
    assert called(PRIOR) in [text.get_text() for text in sweeps.legends[0].get_texts()]


def test_the_title_of_a_figure_is_read_back_from_its_svg():
    figure, axes = plt.subplots()
    axes.set_title("Faces & more: DCL's lead,\n5 % of <all>", loc="left")
    file = io.StringIO()
    style.finish(figure).savefig(file, format="svg")
    assert style.title_in(file.getvalue()) == "Faces & more: DCL's lead, 5 % of <all>"
    assert style.title_in("<svg></svg>") == ""


def test_a_figure_has_the_names_that_readers_know_and_its_numbers_those_of_the_records():
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], label="selective-learning")
    axes.barh([0, 1], [-1, 2])
    axes.set_yticks([0, 1], ["dcl-ss", "Bald"], fontsize=7)
    axes.set(title="dcl: -0.5, under results/dcl/", xlabel="minus cross-entropy, prior")
    style.legend_below(figure)
    style.finish(figure)
    figure.canvas.draw()  # ticks are written anew
    title = axes.get_title() or axes.get_title("left")  # by the style, on the left in the book
    assert title == "DCL: \N{MINUS SIGN}0.5, under results/dcl/"
    assert axes.get_xlabel() == "minus moved threshold"
    ticks = axes.get_yticklabels()
    assert [tick.get_text() for tick in ticks] == ["DCL-SS", "Bald"]
    assert {tick.get_fontsize() for tick in ticks} == {7}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Selective Learning"]
    assert set(figures.numbers(figure)["series"].dropna()) == {"selective-learning"}


def test_both_sides_of_a_comparison_have_hues_that_no_method_has():
    sides = {style.VIOLET, style.SLATE}
    assert len(sides) == 2
    assert not {colour.upper() for colour in style.METHOD_COLOURS.values()} & sides
    assert thresholds.colour_of(PRIOR) not in sides
    css = (Path(figures.__file__).parents[2] / "_static" / "controls.css").read_text()
    for colour in sides:
        assert f": {colour.lower()};" in css, "the explorer's are the same"


def test_a_phones_figure_has_its_panels_below_each_other_each_with_its_name():
    figure, panels = plt.subplots(2, 2, figsize=(9, 4), sharey=True)
    for axes, name in zip(panels[0], ("start", "end"), strict=True):
        axes.plot([0, 1], label="cross-entropy")
        axes.set_title(name)
    panels[1, 0].set_ylabel("points of the second row")
    style.legend_below(figure)
    figure.suptitle("A finding that is longer than a line of a phone can be, so it is broken")
    svg = as_narrow_svg(style.finish(figure))
    width, height = (float(x) for x in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    assert width < 72 * 4.1
    assert height > 1.5 * width
    shown = re.findall(r"<!-- (.*?) -->", svg)
    assert shown.count("start") == shown.count("end") == 2
    assert shown.count("points of") == 2  # of lines no longer than the panel
    assert shown.count("cross entropy") == 1
    assert (figure.get_figwidth(), len(figure.legends)) == (9 * style.PAGE, 1)  # itself unchanged


def test_a_phones_legend_keeps_its_marks_and_every_panel_has_the_label_that_all_share():
    figure, panels = plt.subplots(1, 2, figsize=(9, 4))
    for axes in panels:
        axes.errorbar([0, 1], [0, 1], [0.1, 0.1], fmt="o", label="dcl")
    figure.supylabel("points of both")
    style.legend_below(figure)
    svg = as_narrow_svg(style.finish(figure))
    assert re.findall(r"<!-- (.*?) -->", svg).count("points of both") == 2
    legend = svg[svg.index('<g id="legend_') :]
    assert "<use " in legend[: legend.index("<!-- DCL -->")], "a dot, not a line alone"


def test_a_phones_figure_names_its_rows_above_their_strips_and_its_lines_inside():
    rows = {f"DCL minus {other}": Finding(1.0, 0.5, 5) for other in ("cross entropy", "the rest")}
    figure = figures.answers(
        rows, "A finding that is longer than a line of a phone", "DCL minus it"
    )
    figure.axes[0].annotate(
        "words right of the panel, as long as a line", (1.01, 0), xycoords=("axes fraction", "data")
    )
    svg = as_narrow_svg(figure)
    width, height = (float(x) for x in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    assert width < 72 * 4.1
    assert set(rows) <= set(re.findall(r"<!-- (.*?) -->", svg))
    assert height > 72 * 0.4 * len(rows)
    strip = float(re.search(r'<g id="patch_2">\s*<path d="M (\S+) ', svg)[1])
    assert strip < width / 4  # the panel begins there


def test_a_sheet_of_pictures_and_a_narrow_figure_stay_as_they_are():
    sheet, panels = plt.subplots(1, 2, figsize=(9, 3))
    panels[0].imshow(np.zeros((4, 4)))
    assert as_narrow_svg(sheet) is None
    many, axes = plt.subplots(figsize=(9, 3))
    axes.set_xticks(range(40), [f"attribute {i}" for i in range(40)])
    assert as_narrow_svg(many) is None
    beside, axes = plt.subplots(figsize=(9, 3))
    axes.annotate("words beside the panel, of a line that nobody breaks", (1, 0.5))
    assert as_narrow_svg(beside) is None
    small, _ = plt.subplots(figsize=(3, 3))
    assert as_narrow_svg(small) is None
