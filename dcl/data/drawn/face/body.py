"""Neck, shoulders and what is worn on them; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import Sketch, ink, oval


def body(s: Sketch) -> None:
    neck = s["width"] * (0.5 + 0.16 * s["Male"])
    s.paint(ink(np.maximum(np.abs(s.x) - neck, 36 - s.y)), s["skin"] * 0.86)
    slope = 50 - 2 * s["Male"] + np.maximum(np.abs(s.x) - neck, 0) ** 2 * 0.02
    s.paint(ink(slope - s.y), s["cloth"])
    opening = oval(s.x, s.y - 46, neck, 5.5 - 1.5 * s["Male"])
    s.paint(ink(opening), s["skin"] * 0.9)


def double_chin(s: Sketch) -> None:
    chin = oval(s.x, s.y - s["chin"] + 4, s["width"] * 0.78, 8.2)
    s.paint(ink(chin) * s["Double_Chin"], s["skin"] * 0.95)
    s.shade(ink(np.abs(chin) - 0.4) * (s.y > s["chin"]) * s["Double_Chin"], 0.55)


def necklace(s: Sketch) -> None:
    arc = np.abs(oval(s.x, s.y - 43, 9.5, 9)) - 0.3 - 0.6 * s["Wearing_Necklace"]
    gold = ink(arc) * (s.y > 44) * s.shown("Wearing_Necklace")
    s.paint(gold, (0.98, 0.86, 0.35))
    s.shade(gold * (np.sin(2.2 * s.x) < -0.4), 0.55)
    pendant = oval(s.x, s.y - 52.3, 1.6, 1.8)
    s.paint(ink(pendant) * s.shown("Wearing_Necklace"), (0.3, 0.85, 0.9))


def necktie(s: Sketch) -> None:
    shown = s.shown("Wearing_Necktie")
    across, down = np.abs(s.x), s.y - 5 * (1 - s["Wearing_Necktie"])  # a weak one sits lower
    shirt = np.maximum(across - 7.5 + 0.5 * (down - 46), 46 - down - 0.2 * across)
    s.paint(ink(shirt) * shown, (0.96, 0.96, 0.98))
    blade = np.maximum(across - 1.7 - 0.25 * np.maximum(down - 49, 0), 46.6 - down)
    s.paint(ink(blade) * shown, s["tie"])
    s.shade(ink(np.abs(down - 49.2) - 0.3) * ink(blade) * shown, 0.5)


def ears(s: Sketch) -> None:
    ear = oval(np.abs(s.x) - s["width"] - 0.4, s.y - 27, 1.9, 3.4)
    s.paint(ink(ear) * s["ears"], s["skin"] * 0.88)


def earrings(s: Sketch) -> None:
    across, down, large = np.abs(s.x) - s["width"] - 1.2, s.y - 34, s["Wearing_Earrings"]
    hoop = np.abs(oval(across, down, 0.9 + large, 1.2 + 1.5 * large)) - 0.75
    shown = s.shown("Wearing_Earrings")
    s.paint(ink(hoop) * shown, (1.0, 0.84, 0.25))
    s.paint(ink(oval(across, down - 2.5, 0.9, 0.9)) * shown, (1, 1, 1))
