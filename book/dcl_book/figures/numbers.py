"""The numbers that a figure shows, read back from what is drawn: one way for all figures."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure

PLACES = ("x", "y", "x_end", "y_end")
COLUMNS = ["panel", "series", "kind", "name", *PLACES, "x_is", "y_is"]


def numbers(figure: Figure) -> pd.DataFrame:
    """A row for each point, bar and interval of a figure; images and helper lines are left out.

    Returns
    -------
    DataFrame
        ``panel`` (its title), ``series`` (its label), ``kind`` (line, points, bar or interval),
        ``name`` (the word at its place on an axis), ``x``, ``y`` and, of an interval, ``x_end`` and
        ``y_end``; ``x_is`` and ``y_is`` are the labels of the axes. Columns without any value are
        left out.
    """
    rows = [row for axes in figure.axes for row in _rows(axes)]
    return pd.DataFrame(rows, columns=COLUMNS).dropna(axis="columns", how="all")


def as_csv(figure: Figure) -> str | None:
    """`numbers` as the text of a CSV file; None where there are none."""
    table = numbers(figure)
    return table.to_csv(index=False, float_format="%.6g") if len(table) else None


def _rows(axes: Axes) -> list[dict]:
    title = next(filter(None, (axes.get_title(loc=place) for place in ("left", "center"))), "")
    words = {"panel": title, "x_is": axes.get_xlabel(), "y_is": axes.get_ylabel()}
    found = []
    bars = [box for box in axes.containers if isinstance(box, ErrorbarContainer)]
    labels = {id(part): box.get_label() for box in bars for part in (box[0], *box[2])}

    def put(artist, kind: str, points: np.ndarray) -> None:
        label = str(labels.get(id(artist), artist.get_label()))
        series = "" if label.startswith("_") else label
        found.extend(
            {"series": series, "kind": kind, **dict(zip(PLACES, point, strict=False))}
            for point in np.asarray(points, dtype=float)
            if np.isfinite(point).all()
        )

    caps = {id(cap) for box in bars for cap in box[1]}
    for line in axes.lines:
        if line.get_transform() == axes.transData and id(line) not in caps:
            put(line, "line", line.get_xydata())
    for collection in axes.collections:
        if isinstance(collection, LineCollection):
            ends = [part[[0, -1]].ravel() for part in collection.get_segments() if len(part)]
            put(collection, "interval", ends)
        elif isinstance(collection, PathCollection):
            put(collection, "points", np.ma.filled(collection.get_offsets(), np.nan))
    for box in axes.containers:
        if isinstance(box, BarContainer):
            put(box, "bar", [_end_of(bar, box.orientation) for bar in box])
    places = {"x": _names(axes.xaxis), "y": _names(axes.yaxis)}
    for row in found:
        at = (places[side].get(round(row[side], 6), "") for side in ("y", "x"))
        row["name"] = next(filter(None, at), "")
    return [{key: value for key, value in (words | row).items() if value != ""} for row in found]


def _end_of(bar, orientation: str) -> tuple[float, float]:
    x, y, width, height = bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()
    if orientation == "horizontal":
        return x + width, y + height / 2
    return x + width / 2, y + height


def _names(axis: Axis) -> dict[float, str]:
    """Place -> word, of an axis whose ticks were set by hand and are not numbers."""
    places = getattr(axis.get_major_locator(), "locs", ())  # of a FixedLocator
    words = axis.get_major_formatter().format_ticks(places) if len(places) else []
    named = zip(places, map(str, words), strict=True)  # labels may have been given as numbers
    return {round(float(at), 6): word for at, word in named if re.search("[^\\W\\d_]", word)}
