"""All claims in one picture, as HTML whose strips are SVG: text of the page's size, any width."""

import html
import math

import pandas as pd

from ..claims_table import link
from ..finding import Finding
from ..verdicts import MARGIN, VERDICTS, WORDS
from .dark import dark
from .style import METHOD_COLOURS
from .thresholds import PRIOR, colour_of

HERE, PAPER, MOVED = METHOD_COLOURS["dcl"], METHOD_COLOURS["cross-entropy"], colour_of(PRIOR)
DRAWN = "points"  # the unit of the axis; a claim in another has its number alone
MIDDLE = 11  # of a strip that is 22 high, in pixels
ON_DARK = "\n".join(
    f'html[data-theme="dark"] .dcl-forest [{kind}="{colour}"] {{ {kind}: {dark(colour)}; }}'
    for colour in METHOD_COLOURS.values()
    for kind in ("fill", "stroke")
    if dark(colour) != colour.lower()
)
STYLE = (
    f"<style>\n{ON_DARK}"
    """
.dcl-forest { margin: 1rem 0; line-height: 1.3; }
.dcl-forest p { margin: 1.1rem 0 .2rem; font-weight: 600; }
.dcl-forest p.key { font-weight: 400; margin: 0; }
.dcl-forest.dcl-dots { margin: 0; }
.dcl-forest svg { display: block; overflow: visible; }
.dcl-forest p.key span { margin-right: .9rem; white-space: nowrap; }
.dcl-forest p.key svg { display: inline-block; vertical-align: -5px; width: 22px; }
.dcl-forest .claim { display: grid; gap: 0 .9rem; align-items: center; padding: .15rem 0;
  grid-template-columns: minmax(0, 17rem) minmax(0, 1fr) 8rem; color: inherit;
  text-decoration: none; }
.dcl-forest a.claim span:first-child { text-decoration: underline dotted;
  text-underline-offset: .2em; }
.dcl-forest a.claim:is(:hover, :focus) span:first-child { text-decoration: underline; }
.dcl-forest .claim span:last-child { text-align: right; white-space: nowrap; }
.dcl-forest .claim small { display: inline-block; font-size: .78em; opacity: .8;
  white-space: nowrap; }
@media (max-width: 576px) {
  .dcl-forest .claim { grid-template-columns: minmax(0, 1fr) auto; }
  .dcl-forest .claim .strip { grid-row: 2; grid-column: 1 / 3; margin: 0 .6rem; }
}
</style>"""
)


def forest(judged: pd.DataFrame) -> str:
    """Every claim by verdict: the paper's number, ours with its interval, the moved threshold's.

    A row leads to the table with its number, and says how long its runs are. The axis is in
    percentage points; a claim in another unit has its number alone. The band is the margin within
    which there is no difference.

    Parameters
    ----------
    judged : DataFrame
        What `dcl_book.claims.judge` returns.

    Returns
    -------
    str
        HTML.
    """
    drawn = judged[judged["unit"] == DRAWN]
    ends = [(f.low, f.high) if f.n > 1 else (f.mean, f.mean) for f in drawn["finding"]]
    marks = pd.concat(
        [pd.DataFrame(ends, drawn.index), drawn["published"], drawn["threshold"].map(_mean)], axis=1
    )
    low = 5 * math.floor(min(marks.min(axis=None), 0) / 5) - 1
    high = 5 * math.ceil(max(marks.max(axis=None), 5) / 5) + 1

    def place(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.2f}%"

    parts = [STYLE, '<div class="dcl-forest">', _key(), _axis(place, low, high)]
    for verdict in VERDICTS:
        rows = judged[judged["verdict"] == verdict]
        if len(rows):
            parts.append(f"<p>{WORDS.get(verdict, verdict)} ({len(rows)})</p>")
            parts += [_row(row, place) for row in rows.itertuples()]
    return "\n".join([*parts, _axis(place, low, high), "</div>"])


def _row(row, place) -> str:
    found, moved, number = row.finding, row.threshold, row.published
    words = [f"the paper {number:+.2f}" if number == number else "the paper prints no number"]
    words += [f"here {found}" if found.n else "nothing here"]
    words += [f"the moved threshold {moved}"] if moved.n else []
    parts = []
    if row.unit == DRAWN and (found.n or number == number):
        margin = MARGIN[row.unit]
        parts.append(_band(place(-margin), place(margin)))
        parts.append(line(place(0), place(0), 0, 2 * MIDDLE, "currentColor", 1, ' opacity=".55"'))
        if moved.n:
            parts.append(_mark(place(moved.mean), _TRIANGLE, MOVED))
        if number == number:
            parts.append(_mark(place(number), _DIAMOND, PAPER))
        if found.n:
            parts += _interval(found, place)
    elif found.n:
        parts.append(
            f'<text y="15" fill="currentColor" font-size=".85em">{row.unit}; {words[0]}</text>'
        )
    drawn = strip("".join(parts), f"{row.label}: {', '.join(words)}; {row.unit}")
    label = html.escape(row.label, quote=False)
    label += f" <small>{html.escape(row.runs, quote=False)}</small>" if row.runs else ""
    return (
        f'<a class="claim" href="{link(row.Index, row.page)}"><span>{label}</span>'
        f'<span class="strip">{drawn}</span><span>{found if found.n else ""}</span></a>'
    )


def _interval(found: Finding, place) -> list[str]:
    ends = (found.low, found.high) if found.n > 1 else (found.mean, found.mean)
    left, right = (place(end) for end in ends)
    return [
        line(left, right, MIDDLE, MIDDLE, HERE, 2.5),
        f'<circle cx="{place(found.mean)}" cy="{MIDDLE}" r="4.5" fill="{HERE}"/>',
    ]


def _axis(place, low: float, high: float) -> str:
    step = 10 if high - low > 30 else 5
    last = int(high - 0.01 * (high - low))  # a label further right would be cut off on a phone
    ticks = range(step * math.ceil(low / step), last + 1, step)
    numbers = "".join(
        f'<text x="{place(tick)}" y="16" text-anchor="middle" fill="currentColor" '
        f'font-size=".85em">{tick:+d}</text>'.replace("+0<", "0<")
        for tick in ticks
    )
    ticks_drawn = f'<svg width="100%" height="22" aria-hidden="true">{numbers}</svg>'
    return (
        f'<div class="claim"><span></span><span class="strip">{ticks_drawn}</span>'
        "<span>points</span></div>"
    )


def _key() -> str:
    shown = (
        (line("0", "22", MIDDLE, MIDDLE, HERE, 2.5)
         + f'<circle cx="11" cy="{MIDDLE}" r="4.5" fill="{HERE}"/>', "here, 95 % interval"),
        (_mark("11", _DIAMOND, PAPER), "the paper"),
        (_mark("11", _TRIANGLE, MOVED), "moved threshold"),
        (_band("3", "19"), "no difference"),
    )  # fmt: skip
    marks = "\n".join(
        f'<span><svg height="22" aria-hidden="true">{mark}</svg> {words}</span>'
        for mark, words in shown
    )
    return f'<p class="key">{marks}</p>'


_DIAMOND = "M0-6 6 0 0 6-6 0Z"
_TRIANGLE = "M-6-5H6L0 6Z"


def _mark(x: str, path: str, colour: str) -> str:
    return (
        f'<svg x="{x}" y="{MIDDLE}" overflow="visible"><path d="{path}" fill="none" '
        f'stroke="{colour}" stroke-width="2"/></svg>'
    )


def _band(left: str, right: str) -> str:
    """A bar from one place to another: a thick line, for a width is no difference of places."""
    return line(left, right, MIDDLE, MIDDLE, "currentColor", 2 * MIDDLE, ' opacity=".12"')


def line(x1: str, x2: str, y1: float, y2: float, colour: str, width: float, more: str = "") -> str:
    """A line of a strip."""
    return (
        f'<line x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}" stroke="{colour}" '
        f'stroke-width="{width}"{more}/>'
    )


def strip(content: str, words: str) -> str:
    """A strip of the picture, with the words that say what it shows."""
    label = html.escape(words, quote=True)
    return f'<svg width="100%" height="22" role="img" aria-label="{label}">{content}</svg>'


def _mean(found: Finding) -> float:
    return found.mean
