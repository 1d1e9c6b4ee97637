"""Hair, beards and hats of SynthFaces; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import Sketch, box, bump, ink, mix, oval


def waves(s: Sketch):
    """Sideways displacement of wavy hair."""
    return s["Wavy_Hair"] * 1.7 * np.sin(0.75 * s.y + s["phase"])


def back_hair(s: Sketch) -> None:
    wide = s["width"] + mix(2.6, 1.4, s["Male"]) + 1.2 * s["Wavy_Hair"]
    head = oval(s.x, s.y - 23, wide, 20)
    fall = np.maximum(np.abs(s.x) + waves(s) - wide - 0.06 * (s.y - 23), 20 - s.y)
    shape = np.maximum(np.minimum(head, fall), s.y - s["hair_end"])
    shape += 40 * np.clip(2 * s["Bald"] - 0.5, 0, 1) * (s.y < 21)  # a fringe above the ears stays
    s.paint(ink(shape, 1.4), s["hair"] * 0.86)
    strands(s, ink(shape + 1, 1.4))


def strands(s: Sketch, opacity) -> None:
    """Light along the strands: straight lines, or lines that wind."""
    line = np.sin(1.9 * s.x) * s["Straight_Hair"]
    line += np.sin(1.3 * s.x + 1.5 * np.sin(0.75 * s.y + s["phase"])) * s["Wavy_Hair"]
    s.image += (0.13 * opacity * line)[:, None] * (0.35 + s["hair"])


def stubble(s: Sketch) -> None:
    jaw = jaw_line(s, 31) * s["inside"]
    grain = 0.75 + 0.25 * np.sin(3.1 * s.x) * np.sin(2.9 * s.y)
    s.paint(jaw * grain * 0.5 * s["5_o_Clock_Shadow"], (0.22, 0.24, 0.3))


def jaw_line(s: Sketch, top: float):
    """Opacity of where a beard grows: below the cheeks, around the mouth."""
    cheek = oval(s.x, s.y - top + 1.5, 11.0, 4.0)
    free = oval(s.x, s.y - 37, 5.6, 2.6)
    return ink(top - 2 - s.y, 2) * ink(-cheek, 2) * ink(-free)


def beard(s: Sketch) -> None:
    below = oval(s.x, s.y - 38, s["width"] * 0.96, 9)
    grown = np.maximum(s["inside"], ink(below) * (s.y > 38)) * jaw_line(s, 31)
    s.paint(grown * 0.88 * (1 - s["No_Beard"]), s["beard"])


def goatee(s: Sketch) -> None:
    grown = s["Goatee"]
    narrow = np.clip(3.0 + 1.6 * grown - 0.3 * (s.y - 42.6), 1, 6)
    tuft = oval(s.x, s.y - 42.6, narrow, 2.6 + 1.8 * grown)
    ring = np.maximum(np.abs(oval(s.x, s.y - 38, 6.4, 5)) - 0.3 - 0.4 * grown, 37 - s.y)
    s.paint(ink(np.minimum(tuft, ring)) * s.shown("Goatee"), s["beard"] * 0.8)


def mustache(s: Sketch) -> None:
    across, grown = np.abs(s.x), s["Mustache"]
    shape = np.abs(s.y - 34.6 - 0.035 * across**2) - 0.6 - 0.8 * grown + 0.1 * across
    shape = np.maximum(shape, across - 3 - 3.6 * grown)
    s.paint(ink(shape) * s.shown("Mustache"), s["beard"] * 0.8)


def sideburns(s: Sketch) -> None:
    long = 3 + 4 * s["Sideburns"]
    shape = box(np.abs(s.x) - s["width"] + 0.7, s.y - 22 - long, 1.5 - 0.08 * (s.y - 28), long)
    s.paint(ink(shape) * s.shown("Sideburns"), s["hair"] * 0.85)


def hairline(s: Sketch):
    """y of the hairline at each x."""
    across = np.abs(s.x)
    temples = 7.5 * bump(across, 7.5, 3.2) + 1
    middle = 12.2 + 0.4 * np.sin(1.1 * s.x + s["phase"]) + s["parting"] * s.x
    return middle + 0.075 * across**2 - s["Receding_Hairline"] * temples


def front_hair(s: Sketch) -> None:
    outline = oval(s.x + waves(s) * 0.4, s.y - 23, s["width"] + 2.2, 19.5)
    above = s.y - hairline(s)
    cap = ink(outline) * ink(above, 1.4) * (1 - s["Bald"])
    s.paint(cap, s["hair"])
    s.shade(cap * ink(np.abs(above + 2) - 1, 3) * 0.6, 0.75)
    s.paint(cap * 0.25 * bump(s.y, 8, 2.5), np.minimum(s["hair"] * 1.6 + 0.1, 1))
    strands(s, cap)


def bangs(s: Sketch) -> None:
    tuft = np.abs((s.x + 0.3) % 4 - 2)  # 2 at the tip of a lock, 0 between two
    edge = 13 + 6.3 * s["Bangs"] + 0.6 * tuft
    head = oval(s.x, s.y - 23, s["width"] + 1.2, 19)
    opacity = ink(np.maximum(s.y - edge, head)) * ink(10 - s.y, 3) * s.shown("Bangs")
    s.paint(opacity, s["hair"])
    s.shade(opacity * np.clip(0.8 - tuft, 0, 1) * ink(12 - s.y, 4), 0.72)


def bald_head(s: Sketch) -> None:
    shine = oval(s.x + 4, s.y - 12, 3.4, 2.2)
    s.paint(ink(shine, 2.5) * 0.6 * s["Bald"], (1, 1, 1))


def hat(s: Sketch) -> None:
    down, shown = s.y + 7 * (1 - s["Wearing_Hat"]), s.shown("Wearing_Hat")  # a weak one sits high
    crown = np.maximum(oval(s.x, down - 14, s["width"] + 1.2, 15), down - 14)
    s.paint(ink(crown) * shown, s["felt"])
    s.paint(ink(np.maximum(crown + 0.2, 10.4 - down)) * shown, s["felt"] * 0.45)  # its band
    s.paint(ink(oval(s.x, down - 14.6, s["width"] + 7, 2.0)) * shown, s["felt"] * 0.85)
    shadow = np.maximum(np.abs(down - 17.5) - 1, np.abs(s.x) - s["width"] + 1)
    s.shade(ink(shadow, 2) * shown, 0.7)
