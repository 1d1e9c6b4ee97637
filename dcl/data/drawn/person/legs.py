"""Legs, shoes and skirts of SynthPersons; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import Sketch, box, ink, limb, mix, oval


def legs(s: Sketch) -> None:
    """Bare legs, and over them what is worn; nothing asked for: shorts."""
    leg = np.minimum(
        limb(s.x, s.y, (-2.6, 33), (s["foot_left"], 58.5)),
        limb(s.x, s.y, (2.6, 33), (s["foot_right"], 58.5)),
    )
    slim = 1.9 + 0.35 * s["plump"] - 0.12 * (s.y - 45) / 13
    s.paint(ink(leg - slim), s["skin"] * 0.92)
    long, tight, jeans = s["lb-LongTrousers"], s["lb-TightTrousers"], s["lb-Jeans"]
    wide = slim + 0.25 + 0.75 * long - 0.2 * tight + 0.25 * jeans
    end = mix(44.0, 58.0, s["covered"])
    cloth = ink(np.maximum(leg - wide, s.y - end))
    s.paint(cloth, s["trousers"])
    s.shade(cloth * ink(np.abs(leg) - 0.25) * long, 0.6)  # the crease
    s.paint(cloth * ink(np.abs(leg - wide + 0.55) - 0.3) * 0.7 * tight, (0.85, 0.85, 0.9))
    seam = ink(np.abs(leg - wide + 0.7) - 0.25) * cloth
    s.paint(seam * 0.9 * jeans, (0.85, 0.6, 0.25))
    knee = ink(oval(np.abs(s.x) - 2.9, s.y - 44, 1.2, 3.5), 2)
    s.paint(knee * cloth * 0.5 * jeans, (0.65, 0.75, 0.9))
    s.shade(ink(np.abs(s.x) - 0.3, 0.8) * ink(36.5 - s.y) * cloth, 0.6)


def shoes(s: Sketch) -> None:
    down = s.y - 59.6
    a = {name: s["shoes-" + name] for name in ("Leather", "Sport", "Cloth", "Casual")}
    for side, sign in (("left", -1), ("right", 1)):
        x = sign * (s.x - s["foot_" + side]) - 0.7
        shoe = ink(oval(x, down, 2.8, 1.5 + 0.3 * a["Sport"]))
        s.paint(shoe, s["shoe"])
        s.paint(shoe * ink(oval(x - 0.9, down + 0.5, 0.9, 0.5)) * a["Leather"], (1, 1, 1))
        heel = ink(box(x + 1.7, down - 1.2, 0.7, 0.5)) * a["Leather"]
        s.paint(heel, (0.35, 0.1, 0.05))
        s.paint(ink(box(x, down - 1.2, 2.9, 0.55)) * a["Sport"], (0.98, 0.98, 0.98))
        stripe = ink(np.abs(x - 0.6 * down) - 0.5) * shoe
        s.paint(stripe * a["Sport"], s["stripe"])
        strap = ink(np.abs(down + 0.2) - 0.35) * shoe
        s.paint(strap * a["Cloth"], (0.98, 0.95, 0.9))
        instep = ink(oval(x - 0.4, down + 1.2, 1.2, 0.7))
        s.paint(instep * a["Cloth"], s["skin"])
        toe = ink(oval(x - 1.9, down + 0.1, 1.2, 1.3))
        s.paint(toe * a["Casual"], (0.95, 0.93, 0.85))


def boots(s: Sketch) -> None:
    top = mix(57.0, 50.0, s["shoes-Boots"])
    leg = np.minimum(
        limb(s.x, s.y, (-2.6, 33), (s["foot_left"], 59)),
        limb(s.x, s.y, (2.6, 33), (s["foot_right"], 59)),
    )
    shaft = ink(np.maximum(leg - 2.4, top - s.y)) * s.shown("shoes-Boots")
    s.paint(shaft, (0.3, 0.17, 0.08))
    s.paint(shaft * ink(np.abs(s.y - top - 0.8) - 0.6), (0.75, 0.6, 0.4))


def skirt(s: Sketch) -> None:
    end = 36 + 17 * s["lb-Skirt"]
    shape = np.maximum(np.abs(s.x) - s["hip"] - 0.16 * (s.y - 33), np.maximum(s.y - end, 31 - s.y))
    cover = ink(shape) * s.shown("lb-Skirt")
    s.paint(cover, s["skirt"])
    s.shade(cover * (np.sin(2.2 * s.x) > 0.5), 0.7)


def short_skirt(s: Sketch) -> None:
    end = 36 + 6.5 * s["lb-ShortSkirt"]
    shape = np.maximum(np.abs(s.x) - s["hip"] - 0.35 * (s.y - 33), np.maximum(s.y - end, 31 - s.y))
    cover = ink(shape) * s.shown("lb-ShortSkirt")
    s.paint(cover, s["skirt"])
    s.paint(cover * ink(np.abs(s.y - end + 1.4) - 0.6), (0.95, 0.95, 0.95))  # its border
