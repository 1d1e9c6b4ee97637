"""Heads, hair and hats of SynthPersons; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import DARK, Sketch, box, ink, mix, oval, rgb

SKY = (0.6, 0.8, 0.95)


def long_hair_behind(s: Sketch) -> None:
    end = mix(15.0, 23.5, s["hs-LongHair"])
    fall = np.maximum(np.abs(s.x) - 4.6, np.maximum(s.y - end, 8 - s.y))
    s.paint(ink(fall) * s.shown("hs-LongHair"), s["hair"] * 0.85)


def head(s: Sketch) -> None:
    cap = oval(s.x, s.y - 8.6, 4.1, 5.1)
    s.paint(ink(cap) * (1 - s["hs-BaldHead"]), s["hair"])
    across = s.x - s["turn"]
    face = oval(across, s.y - 9.8, 3.3, 4.1)
    s.paint(ink(face), s["skin"])
    fringe = np.maximum(oval(s.x, s.y - 8.4, 4.1, 5.0), s.y - 6.9 - 0.1 * across**2)
    s.paint(ink(fringe) * (1 - s["hs-BaldHead"]), s["hair"])
    s.paint(ink(oval(np.abs(across) - 1.5, s.y - 9.2, 0.7, 0.6)), (0.1, 0.08, 0.08))
    lips = mix(s["skin"] * rgb(0.75, 0.5, 0.48), rgb(0.85, 0.08, 0.2), s["Female"][:, None])
    s.paint(ink(oval(across, s.y - 12, 1.2 + 0.2 * s["Female"], 0.6)), lips)
    bun = oval(np.abs(s.x) - 3.9, s.y - 10.2, 1.2, 3.4)  # a woman's hair covers the ears
    s.paint(ink(bun) * s["Female"] * (1 - s["hs-BaldHead"]), s["hair"])


def gray_temples(s: Sketch) -> None:
    temple = oval(np.abs(s.x) - 3.6, s.y - 8.4, 0.9, 2)
    s.paint(ink(temple) * s["Age31-45"] * 0.85, (0.75, 0.75, 0.77))
    moustache = ink(box(s.x - s["turn"], s.y - 11, 1.4, 0.35)) * 0.5
    s.paint(moustache * s["Age31-45"] * (1 - s["Female"]), (0.3, 0.25, 0.22))


def child(s: Sketch) -> None:
    """Under 16, besides being small: a big head with a tuft, and red cheeks."""
    shown = s.shown("AgeLess16")
    s.paint(ink(oval(np.abs(s.x) - 2.1, s.y - 11, 1, 0.8)) * shown, (0.95, 0.45, 0.45))
    s.paint(ink(oval(s.x, s.y - 3, 1.1, 2.2)) * shown, s["hair"])


def bald(s: Sketch) -> None:
    crown = np.maximum(oval(s.x, s.y - 8.6, 4.0, 5.0), s.y - 10)
    s.paint(ink(crown) * s.shown("hs-BaldHead"), s["skin"])
    s.paint(ink(oval(s.x + 1.3, s.y - 5.4, 1.3, 0.9), 1.5) * s["hs-BaldHead"], (1, 1, 1))


def glasses(s: Sketch) -> None:
    across, shown = np.abs(s.x - s["turn"]), s.shown("hs-Glasses")
    lens = oval(across - 1.9, s.y - 9.3, 1.9, 1.7)
    s.paint(ink(lens + 0.4) * 0.75 * shown, SKY)
    rim = np.minimum(np.abs(lens) - 0.15, box(across - 3.4, s.y - 8.6, 1, 0.2))
    s.paint(ink(rim, 0.8) * shown, DARK)


def hat(s: Sketch) -> None:
    down, shown = s.y + 2.5 * (1 - s["hs-Hat"]), s.shown("hs-Hat")
    crown = np.maximum(oval(s.x, down - 6.5, 4.6, 5), down - 6.5)
    s.paint(ink(crown) * shown, s["felt"])
    s.paint(ink(oval(s.x, down - 6.7, 6.6, 1.0)) * shown, s["felt"] * 0.5)
