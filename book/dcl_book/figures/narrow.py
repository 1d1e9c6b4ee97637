"""A figure as a phone shows it: panels below each other, letters as large as the page's."""

import io
import pickle
import textwrap
import warnings
from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.text import Text

from ..names import told

NARROW = "application/vnd.dcl.narrow+svg"  # beside the SVG of a figure, for the book's build
WIDTH = 3.9  # inches: as wide as a page's text on a phone of 390 pixels
TITLE, LABEL, LEGEND = 40, 24, 26  # letters: of a line of a title, of a label, of a legend's entry
BESIDE, NAME = 20, 54  # of the longest name beside a row's strip, of a line of one above it
LINE, GAP = 0.2, 0.07  # inches of a line; what tight_layout leaves out of a title's line
UPRIGHT, AROUND = 12, 0.85  # letters an inch of a y-axis; inches of a panel above and below it
ROW, FRAME = 0.4, 1.4  # inches of a row below its name; of all around the rows
TALLER = 1.8  # inches more for a panel with words on its lines
PANELS, TICKS = 8, 20  # with more, a figure stays as it is, to be scrolled
WIDER = 1.3  # so does one that words beside its panels make wider than so many times WIDTH


def handles_of(figure: Figure) -> dict[str, Any]:
    """Label -> what it names, over all panels of a figure."""
    drawn = [axes.get_legend_handles_labels() for axes in figure.axes]
    return {x: line for lines, labels in drawn for line, x in zip(lines, labels, strict=True)}


def as_narrow_svg(figure: Figure) -> str | None:
    """The SVG of a figure in one column; None if it is narrow or no plain grid of panels."""
    grids = {axes.get_gridspec() for axes in figure.axes}
    if figure.get_figwidth() <= WIDTH or len(grids) != 1 or None in grids:
        return None
    if len(figure.axes) > PANELS or any(axes.images for axes in figure.axes):
        return None
    if any(len(axes.get_xticks()) > TICKS for axes in figure.axes):
        return None
    figure = pickle.loads(pickle.dumps(figure))
    drawn = {told(x): mark for x, mark in handles_of(figure).items()}  # a legend's own lost theirs
    for legend in [*figure.legends, *(axes.get_legend() for axes in figure.axes)]:
        _put_below(figure, legend, drawn)
    rows = figure.axes[0].get_gridspec().nrows
    height = figure.get_figheight() / rows
    letters = min(LABEL, max(9, int(UPRIGHT * (height - AROUND))))  # beside a panel
    more = 0.0  # inches
    for axes in [x for x in figure.axes if not (x.axison or x.has_data())]:  # a legend's place
        axes.remove()
    panels = sorted(figure.axes, key=lambda axes: axes.get_subplotspec().num1)
    _name_each(panels)
    column = GridSpec(len(panels), 1, figure=figure)
    for place, axes in zip(column, panels, strict=True):
        axes.set_subplotspec(place)
        axes.tick_params(labelleft=True, labelbottom=True)
        for side, text in (("left", axes._left_title), ("center", axes.title)):
            weight = text.get_weight()
            title = _broken(text.get_text(), TITLE)
            more += LINE * max(0, title.count("\n") - text.get_text().count("\n"))
            axes.set_title(title, loc=side, weight=weight)
        axes.set_xlabel(_broken(axes.get_xlabel(), TITLE))
        axes.set_ylabel(_broken(axes.get_ylabel(), letters))
        labels = [label.get_text() for label in axes.get_yticklabels()]
        if any(isinstance(box, BarContainer) for box in axes.containers):
            if any(len(label) > LABEL for label in labels):
                labels = [_broken(label, LABEL) for label in labels]
                axes.set_yticks(axes.get_yticks(), labels)
                axes.tick_params("y", labelsize=9)
                more += LINE * sum(label.count("\n") for label in labels) / 2
        elif any(len(label) > BESIDE for label in labels):
            names = [_broken(label, NAME) for label in labels]
            _name_above(axes, names)
            row = ROW + LINE * max(name.count("\n") for name in names)
            more += max(0, row * len(names) + FRAME - height)
        beside = [text for text in axes.texts if _is_beside(text)]
        for text in beside:
            text.xy = (0.99, text.xy[1])  # inside, at the panel's right edge
            text.set(ha="right", fontsize=9, in_layout=False)
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0, "alpha": 0.8})
        more += TALLER if beside else 0
    above = 0
    if (shared := figure._supylabel) is not None:  # beside all panels it would cross their titles
        for axes in panels:
            axes.set_ylabel(axes.get_ylabel() or _broken(shared.get_text(), letters))
        shared.remove()
    for text in figure.texts:  # the title of all panels
        text.set_text(_broken(text.get_text(), TITLE))
        above = max(above, text.get_text().count("\n") + 1)
    height = height * len(panels) + more + LINE * above
    figure.set_size_inches(WIDTH, height)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            figure.tight_layout(rect=(0, 0, 1, 1 - GAP * above / height))
        except UserWarning:  # words beside the panels leave no room for them
            return None
    for axes in panels:  # a title begins where the picture does
        place = axes.get_position()
        axes._left_title.set_x(-place.x0 / place.width)
    if figure.get_tightbbox().width > WIDER * WIDTH:
        return None
    with io.StringIO() as file:
        figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()


def _name_each(panels: list[Axes]) -> None:
    """Names that stood above a column or left of a row of panels, for every panel of it."""
    for axes in panels:
        place = axes.get_subplotspec()
        above = next(x for x in panels if x.get_subplotspec().colspan == place.colspan)
        left = next(x for x in panels if x.get_subplotspec().rowspan == place.rowspan)
        for side in ("left", "center"):
            if not axes.get_title(loc=side):
                axes.set_title(above.get_title(loc=side), loc=side)
        axes.set_ylabel(axes.get_ylabel() or left.get_ylabel())


def _name_above(axes: Axes, names: list[str]) -> None:
    """The names of rows above their strips."""
    places = axes.get_yticks()
    axes.set_yticks(places, [""] * len(places))
    for place, name in zip(places, names, strict=True):
        axes.annotate(
            name, (0, place), (2, 6), xycoords=("axes fraction", "data"), fontsize=9, va="bottom",
            textcoords="offset points", in_layout=False, zorder=2.5,  # above lines, below marks
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    bottom, top = axes.get_ylim()
    edge = 0.75 if top > bottom else -0.75
    ends = max if top > bottom else min
    axes.set_ylim(bottom, ends(top, ends(places) + edge))


def _is_beside(text: Text) -> bool:
    """Whether words stand right of their panel, at the height of a line."""
    return getattr(text, "xycoords", None) == ("axes fraction", "data") and text.xy[0] > 1


def _put_below(figure: Figure, legend, drawn: dict[str, Any]) -> None:
    """A legend of one panel or of all, below the figure, in as many columns as fit."""
    if legend is None:
        return
    words = [text.get_text() for text in legend.get_texts()]
    handles = [
        drawn.get(name, mark) for name, mark in zip(words, legend.legend_handles, strict=True)
    ]
    title = legend.get_title().get_text() or None
    legend.remove()
    figure.legend(
        handles, words, loc="upper center", bbox_to_anchor=(0.5, 0), fontsize=9, title=title,
        title_fontsize=9, ncols=2 if max(map(len, words), default=0) <= LEGEND else 1,
    )  # fmt: skip


def _broken(words: str, letters: int) -> str:
    """Words in lines of at most so many letters; a percent sign stays with its word."""
    words = words.replace(" %", "\N{NO-BREAK SPACE}%")
    return "\n".join(textwrap.wrap(words, letters))
