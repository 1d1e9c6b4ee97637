"""What a figure looks like on a dark page: greys are turned round, every colour stays itself."""

import colorsys
import re

from matplotlib.colors import to_hex, to_rgb

PAGE = "#121212"  # the theme's dark page
CONTRAST, OF_TEXT = 3.0, 4.5  # with the dark page at least: what WCAG asks of graphics, of text
GREY, COLOURED = 0.06, 0.2  # largest minus smallest of red, green and blue: a grey, a colour
COLOUR = re.compile(r"\b(fill|stroke|stop-color): (#[0-9a-f]{6})\b")


def dark(colour: str, least: float = CONTRAST) -> str:
    """The colour that stands for one on a dark page.

    A grey is turned round: white becomes the page, black nearly white. Any other keeps its hue and
    is made lighter only as far as it needs to be seen. Between the two it is mixed.

    Parameters
    ----------
    colour : str
        Any that Matplotlib knows.
    least : float
        Contrast with the dark page.

    Returns
    -------
    str
        As ``#rrggbb``.

    Examples
    --------
    >>> [dark(colour) for colour in ("white", "black", "#D55E00")]
    ['#121212', '#e8e8e8', '#d55e00']
    """
    red, green, blue = to_rgb(colour)
    grey = 1 - (0.299 * red + 0.587 * green + 0.114 * blue)  # 0 for white
    turned = [page + grey * (0.91 - page) for page in to_rgb(PAGE)]
    chroma = max(red, green, blue) - min(red, green, blue)
    own = min(max((chroma - GREY) / (COLOURED - GREY), 0), 1)
    mixed = zip(_seen((red, green, blue), least), turned, strict=True)
    return to_hex([own * a + (1 - own) * b for a, b in mixed])


def contrast(colour: tuple[float, float, float], page: str = PAGE) -> float:
    """Of a colour with the page, 1 to 21, as WCAG 2 defines it."""
    one, other = sorted((_luminance(colour), _luminance(to_rgb(page))), reverse=True)
    return (one + 0.05) / (other + 0.05)


def with_dark_look(svg: str) -> str:
    """An SVG of Matplotlib that is drawn dark where the page it lies in is dark.

    An image takes its ``prefers-color-scheme`` from the ``color-scheme`` of its element. Browsers
    that do not know this show the figure as it was, dark on a white card.
    """
    rules = [f":root {{ fill: {dark('black')} }}"]  # black is SVG's own: Matplotlib leaves it out
    for kind, colour in sorted(set(COLOUR.findall(svg))):
        rules.append(f'[style*="{kind}: {colour}"] {{ {kind}: {dark(colour)} !important }}')
        if kind == "fill":  # a group that is filled is a text
            words = dark(colour, OF_TEXT)
            rules.append(f'g[style*="fill: {colour}"] {{ fill: {words} !important }}')
    style = f"<style>@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}</style>"
    return svg.replace("</svg>", f"{style}</svg>") if "prefers-color-scheme" not in svg else svg


def _luminance(colour: tuple[float, float, float]) -> float:
    parts = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in colour]
    return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def _seen(colour: tuple[float, float, float], least: float) -> tuple[float, float, float]:
    """The colour, or the darkest lighter one of its hue that has a contrast with the dark page."""
    hue, light, saturation = colorsys.rgb_to_hls(*colour)
    while contrast(colour) < least:
        light += 0.01
        colour = colorsys.hls_to_rgb(hue, light, saturation)
    return colour
