"""One look for all figures: colours, titles, finish."""

import html
import os
import re
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from IPython.core.formatters import BaseFormatter
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib_inline.backend_inline import set_matplotlib_formats
from traitlets import ObjectName, Unicode

from dcl.methods import METHODS

from ..names import PRIOR, named, told
from .narrow import NARROW, as_narrow_svg, handles_of
from .numbers import as_csv

# One colour for each method in every figure, its entry says which: 3 to 1 or more on white. Colour-
# blind readers tell those of one legend apart, too. The moved threshold is no darker sky blue: who
# sees no blue would take that for the green of Selective Learning.
METHOD_COLOURS = {name: entry.colour for name, entry in METHODS.items()}
MOVED = "#0095FF"  # the moved threshold
# One mark for each, for print in black and white; a diamond is the paper.
METHOD_MARKERS: dict[str, Any] = {
    "cross-entropy": "s",
    PRIOR: "v",
    "selective-learning": "P",
    "crl": "X",
    "dcl-ss": "<",
    "dcl-ss-tl": ">",
    "dcl": "o",
    "cost-sensitive": "^",
    "logit-adjustment": "d",
    "over-sampling": "p",
    "down-sampling": "h",
    "pos-weight": "*",
    "class-balanced": (4, 1, 0),  # stars: points, 1, turned by
    "deepmar": (6, 1, 0),
    "crt": (5, 2, 0),
    "focal": "x",
    "asl": "+",
    "ldam-drw": "1",
    "crl-original": "2",
    "lmle": "3",
    "tau-norm": "4",
}
# Of what is no method, in this order
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6E6E6E", "#882255", "#9D4E34")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#8A8A8A"  # of what stands back; 3.5 to 1 on white
SCHEDULE_COLOURS = dict(
    zip(
        ("convex", "linear", "concave", "composite"),
        ("#D55E00", "#6E6E6E", "#0072B2", "#009E73"),
        strict=True,
    )
)
SCHEDULE_LINES = dict(zip(SCHEDULE_COLOURS, ("-", "--", "-.", ":"), strict=True))
# Two hues that no method has; the explorer's are the same, see book/_static/controls.css.
VIOLET, SLATE = "#7A3E9D", "#4F7088"
MINORITY, MAJORITY = AHEAD, BEHIND = VIOLET, SLATE

PAGE = 0.86  # a figure laid out 9 inches wide becomes as wide as a page's text, 7.75 inches
SVG = {"format": "svg", "metadata": {"Date": None}}  # the same bytes for the same figure


CSV = "text/csv"


class CsvFormatter(BaseFormatter):
    """The numbers of a figure go with its picture; the book's build makes a file of them."""

    format_type = Unicode(CSV)
    print_method = ObjectName("_repr_csv_")


class NarrowFormatter(BaseFormatter):
    """What a phone shows in place of a figure."""

    format_type = Unicode(NARROW)
    print_method = ObjectName("_repr_narrow_svg_")


def use_style() -> None:
    """One look for all figures: call it once in a notebook.

    Figures are drawn as SVG, with letters of about the size of the page's; on a dark page the
    book's style sheet turns them light on dark, hues kept.
    """
    sns.set_theme(style="ticks", context="notebook", font_scale=0.9, palette=SERIES)
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.bbox": "tight",
            "svg.hashsalt": "dcl",
            "axes.titlelocation": "left",
            "axes.titlesize": 11.5,
            "axes.titlepad": 10,
            "figure.titleweight": "bold",
            "axes.edgecolor": "#8a8a8a",
            "axes.labelcolor": "#333333",
            "axes.grid": True,
            "grid.color": "#e6e6e6",
            "grid.linewidth": 0.8,
            "xtick.color": "#8a8a8a",
            "ytick.color": "#8a8a8a",
            "xtick.labelcolor": "#333333",
            "ytick.labelcolor": "#333333",
            "xtick.major.size": 4,
            "ytick.major.size": 4,
            "legend.frameon": False,
        }
    )
    shell = InteractiveShell.instance() if InteractiveShell.initialized() else None
    if shell is not None:
        set_matplotlib_formats("svg", metadata={"Date": None})
        formatters = shell.display_formatter.formatters
        formatters.setdefault(CSV, CsvFormatter(parent=shell.display_formatter))
        formatters[CSV].for_type(Figure, as_csv)
        if "DCL_NARROW_FIGURES" in os.environ:  # set by the book's build
            formatters.setdefault(NARROW, NarrowFormatter(parent=shell.display_formatter))
            formatters[NARROW].for_type(Figure, as_narrow_svg)


def title_of(record: dict[str, Any], what: str) -> str:
    """Of a figure made from one run: data, method, seed, and what it shows."""
    return f"{record['dataset']['title']}: {record['method']}, seed {record['seed']}, {what}"


def pretty(names: Sequence[str]) -> list[str]:
    """Names of attributes as words."""
    return [name.replace("_", " ").replace("5 o Clock", "5 o'clock") for name in names]


def name_group(figure: Figure, title: str) -> None:
    """Name the figure's group in the SVG by its title, see `finish`."""
    figure.set_gid(_name_of(title))


def title_in(svg: str) -> str:
    """The title of a figure that `finish` made, from its SVG; empty where it has none.

    Matplotlib draws letters as paths, and leaves each line of text beside them as a comment.
    """
    group = re.search(r'<g id="(figure-[^"]+)"', svg)
    lines = [html.unescape(line) for line in re.findall(r"<!-- (.*?) -->", svg, re.S)]
    for start in range(len(lines)):
        for stop in range(start + 1, min(start + 5, len(lines)) + 1):
            title = " ".join(lines[start:stop])
            if group and _name_of(title) == group[1]:
                return title
    return ""


def _name_of(title: str) -> str:
    return "figure-" + re.sub(r"\W+", "-", title).strip("-").lower()


def legend_below(figure: Figure, columns: int = 4, title: str | None = None) -> None:
    """One legend for all panels, below them, where no data are."""
    if handles := handles_of(figure):
        figure.legend(
            handles.values(), handles, loc="upper center", bbox_to_anchor=(0.5, 0), fontsize=9,
            ncols=min(columns, len(handles)), title=title, title_fontsize=9,
        )  # fmt: skip


def put_words(figure: Figure) -> None:
    """Set every text of a figure as `told`: methods' names, minus signs.

    A line's own label, which `numbers` makes a column of, keeps the name of the records.
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if (new := [named(label) for label in labels]) != labels:
                look = [label.get_fontsize() for label in axis.get_ticklabels()]
                axis.set_ticks(axis.get_ticklocs(), new)
                for label, size in zip(axis.get_ticklabels(), look, strict=True):
                    label.set_fontsize(size)
    for text in figure.findobj(lambda part: isinstance(part, Text) and "$" not in part.get_text()):
        text.set_text(told(text.get_text()))


def finish(figure: Figure) -> Figure:
    """Tidy; shown once, as the value of the cell, and not again by the backend.

    The title, which is the figure's finding, names the figure's group in the SVG: letters are
    paths there, and a test of the book asks that no two figures of a page have the same.
    """
    sns.despine(figure)
    put_words(figure)
    if len(figure.axes) == 1:  # its title is the figure's finding; panels have names instead
        (axes,) = figure.axes
        place = plt.rcParams["axes.titlelocation"]  # left, once `use_style` is called
        axes.set_title(axes.get_title(loc=place), weight="bold")
    titles = [axes.get_title(loc=place) for axes in figure.axes for place in ("left", "center")]
    title = figure.get_suptitle() or next(filter(None, titles), "")
    name_group(figure, title)
    figure.set_size_inches(PAGE * figure.get_size_inches())
    figure.tight_layout()
    plt.close(figure)
    return figure
