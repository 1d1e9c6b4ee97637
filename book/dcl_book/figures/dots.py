"""Methods on one axis, as HTML whose strips are SVG: text of the page's size, any width."""

import html
import math

from ..finding import Finding
from .forest import MIDDLE, STYLE, line, strip
from .thresholds import colour_of


def dots(found: dict[str, tuple[str, Finding]], unit: str, step: int = 2) -> str:
    """A row for each method: a dot, its 95 % interval, and the number.

    Parameters
    ----------
    found : dict
        What a reader is told -> the row's name in the records (for its colour), and its finding.
        A row without a run says so.
    unit : str
        What the axis shows.
    step : int
        Distance of the axis's ticks.

    Returns
    -------
    str
        HTML.
    """
    drawn = [finding for _, finding in found.values() if finding.n]
    ends = [(f.low, f.high) if f.n > 1 else (f.mean, f.mean) for f in drawn] or [(0.0, 1.0)]
    low = step * math.floor(min(end for end, _ in ends) / step)
    high = step * math.ceil(max(end for _, end in ends) / step)

    def place(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.2f}%"

    rows = [_row(words, name, finding, place) for words, (name, finding) in found.items()]
    numbers = "".join(
        f'<text x="{place(tick)}" y="16" text-anchor="middle" fill="currentColor" '
        f'font-size=".85em">{tick}</text>'
        for tick in range(low, high + 1, step)
    )
    axis = (
        f'<div class="claim"><span></span><span class="strip"><svg width="100%" height="22" '
        f'aria-hidden="true">{numbers}</svg></span><span>{html.escape(unit)}</span></div>'
    )
    return "\n".join([STYLE, '<div class="dcl-forest dcl-dots">', *rows, axis, "</div>"])


def _row(words: str, name: str, finding: Finding, place) -> str:
    colour, told = colour_of(name), finding.text("{:.1f}") if finding.n else "no run"
    parts = [line("0%", "100%", MIDDLE, MIDDLE, "currentColor", 1, ' opacity=".2"')]
    if finding.n:
        ends = (finding.low, finding.high) if finding.n > 1 else (finding.mean, finding.mean)
        left, right = (place(end) for end in ends)
        parts.append(line(left, right, MIDDLE, MIDDLE, colour, 3))
        parts.append(f'<circle cx="{place(finding.mean)}" cy="{MIDDLE}" r="6" fill="{colour}"/>')
    label = html.escape(words, quote=False)
    return (
        f'<div class="claim"><span>{label}</span><span class="strip">'
        f"{strip(''.join(parts), f'{words}: {told}')}</span><span>{told}</span></div>"
    )


WIDTH, NAMES, NUMBERS, ROW = 720, 230, 110, 34  # of the picture that stands alone, in pixels


def dots_alone(found: dict[str, tuple[str, Finding]], unit: str, step: int = 2) -> str:
    """The same as an SVG file, on white: for a README."""
    ends = [end for _, f in found.values() for end in (f.low, f.high)]
    low, high = step * math.floor(min(ends) / step), step * math.ceil(max(ends) / step)
    bottom = ROW * len(found) + 14

    def place(value: float) -> float:
        return NAMES + (WIDTH - NAMES - NUMBERS) * (value - low) / (high - low)

    parts = []
    for row, (words, (name, finding)) in enumerate(found.items()):
        y, colour = ROW * row + 26, colour_of(name)
        left, right, mid = (place(x) for x in (finding.low, finding.high, finding.mean))
        parts += [
            f'<text x="10" y="{y + 5}">{html.escape(words)}</text>',
            f'<path d="M{NAMES} {y}H{WIDTH - NUMBERS}" stroke="#ccc"/>',
            f'<path d="M{left:.1f} {y}H{right:.1f}" stroke="{colour}" stroke-width="4"/>',
            f'<circle cx="{mid:.1f}" cy="{y}" r="6.5" fill="{colour}"/>',
            f'<text x="{WIDTH - 10}" y="{y + 5}" text-anchor="end">{finding.text("{:.1f}")}</text>',
        ]
    parts += [
        f'<text x="{place(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick}</text>'
        for tick in range(low, high + 1, step)
    ]
    parts.append(f'<text x="{WIDTH - 10}" y="{bottom + 16}" text-anchor="end">{unit}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 28}" '
        f'font-family="sans-serif" font-size="15"><rect width="100%" height="100%" fill="#fff"/>\n'
        f"{body}\n</svg>\n"
    )
