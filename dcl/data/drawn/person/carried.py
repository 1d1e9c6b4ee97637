"""What SynthPersons carry, and how; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import DARK, Sketch, box, ink, limb, oval


def backpack(s: Sketch) -> None:
    pack = box(s.x, s.y - 23.5, s["shoulder"] + 2.6, 6.5) - 1
    s.paint(ink(pack) * s.shown("attach-Backpack"), s["bag"])


def straps(s: Sketch) -> None:
    strap = np.maximum(np.abs(np.abs(s.x) - 3.6) - 0.8, np.abs(s.y - 20.5) - 5)
    s.paint(ink(strap) * s.shown("attach-Backpack"), s["bag"] * 0.6)


def shoulder_bag(s: Sketch) -> None:
    shown = s.shown("attach-SingleShoulderBag")
    strap = limb(s.x, s.y, (-3.5, 16), (s["hip"] + 0.5, 32)) - 0.5
    s.paint(ink(strap) * shown, s["bag"] * 0.5)
    pouch = box(s.x - s["hip"] - 0.8, s.y - 34.5, 2.6, 3) - 0.3
    s.paint(ink(pouch) * shown, s["bag"])
    s.paint(ink(box(s.x - s["hip"] - 0.8, s.y - 33, 2.6, 0.4)) * shown, s["bag"] * 0.4)


def handbag(s: Sketch) -> None:
    shown = s.shown("attach-HandBag")
    x, y = s.x - s["hand_xleft"], s.y - s["hand_yleft"] - 5.5
    handle = np.maximum(np.abs(oval(x, y + 2, 2, 3)) - 0.4, y + 1.5)
    body = np.maximum(np.abs(x) - 2.6 - 0.2 * y, np.abs(y - 0.5) - 2.2)
    s.paint(ink(np.minimum(handle, body)) * shown, (0.6, 0.12, 0.3))
    s.paint(ink(oval(x, y + 0.2, 0.8, 0.8)) * shown, (0.98, 0.85, 0.3))


def carton(s: Sketch) -> None:
    """A box: a carton on the floor, closed with tape."""
    shown = s.shown("attach-Box")
    x, y = s.x - 11.5, s.y - 56
    shape = ink(box(x, y, 4.2, 4.6))
    s.paint(shape * shown, (0.72, 0.52, 0.3))
    s.shade(ink(np.abs(box(x, y, 4, 4.4)) - 0.4) * shown, 0.55)
    s.paint(shape * ink(np.minimum(np.abs(x), np.abs(y + 2)) - 0.6) * shown, (0.93, 0.85, 0.6))


def plastic_bag(s: Sketch) -> None:
    shown = s.shown("attach-PlasticBag")
    x, y = s.x - s["hand_xright"], s.y - s["hand_yright"] - 6.5
    body = oval(x, y, np.clip(2.6 + 0.35 * y, 1, 4), 4.4)
    loops = np.maximum(np.abs(oval(np.abs(x) - 0.9, y + 4.5, 0.8, 2)) - 0.35, y + 3.5)
    s.paint(ink(np.minimum(body, loops)) * 0.85 * shown, (0.95, 0.97, 0.98))
    s.paint(ink(oval(x, y + 0.6, 1.2, 1.1)) * shown, (0.85, 0.15, 0.15))


def paper_bag(s: Sketch) -> None:
    shown = s.shown("attach-PaperBag")
    x, y = s.x - s["hand_xleft"] + 1.5, s.y - s["hand_yleft"] - 10
    handle = np.maximum(np.abs(oval(x, y + 4, 1.6, 3)) - 0.35, y + 4)
    s.paint(ink(handle) * shown, (0.4, 0.25, 0.12))
    s.paint(ink(box(x, y, 3, 4.4)) * shown, (0.85, 0.66, 0.42))
    s.shade(ink(np.abs(x - 1.2) - 0.4) * ink(box(x, y, 3, 4.4)) * shown, 0.6)


def trunk(s: Sketch) -> None:
    """A suitcase on wheels with its handle drawn out to the left hand."""
    shown, x = s.shown("attach-HandTrunk"), s.x + 11.5
    handle = np.minimum(box(np.abs(x) - 1.7, s.y - 41, 0.35, 5), box(x, s.y - 36, 2, 0.5))
    s.paint(ink(handle) * shown, (0.75, 0.77, 0.8))
    body = box(x, s.y - 52, 3.2, 6) - 0.5
    s.paint(ink(body) * shown, s["case"])
    s.shade(ink(np.abs(np.abs(x) - 1.5) - 0.35) * ink(body) * shown, 0.5)
    s.paint(ink(oval(np.abs(x) - 2.4, s.y - 60.2, 1, 1)) * shown, DARK)


def other_attachment(s: Sketch) -> None:
    """Something else: a rolled umbrella on the left, in any colour, with a hooked handle."""
    a = s["attach-Other"]
    shown = s.shown("attach-Other")
    top, x = 33 - 2 * a, s.x + s["hip"] + 1.2
    s.paint(ink(np.maximum(np.abs(x) - 0.5, np.abs(s.y - top - 3) - 3)) * shown, (0.5, 0.3, 0.1))
    s.paint(
        ink(np.maximum(np.abs(x) - 1.5 + 0.1 * (s.y - 38), np.abs(s.y - 44) - 7)) * shown, s["odd"]
    )


def calling(s: Sketch) -> None:
    shown = s.shown("action-Calling")
    s.paint(ink(box(s.x - 4.6, s.y - 9.5, 0.9, 2.2)) * shown, DARK)
    s.paint(ink(box(s.x - 4.6, s.y - 9.5, 0.4, 1.4), 0.7) * shown, (0.4, 0.9, 1))
    s.paint(ink(oval(s.x - 5.4, s.y - 11, 1.2, 1.4)) * shown, s["skin"])


def holding(s: Sketch) -> None:
    """Both arms around a bundle before the chest."""
    shown = s.shown("action-Holding")
    s.paint(ink(oval(s.x, s.y - 23.5, 4.6, 4.2)) * shown, s["bundle"])
    s.shade(ink(np.abs(oval(s.x, s.y - 23.5, 2.4, 2.2)) - 0.35) * shown, 0.6)
    s.paint(ink(oval(np.abs(s.x) - 3, s.y - 26, 1.4, 1.3)) * shown, s["skin"])


def pushing(s: Sketch) -> None:
    """A shopping trolley before the legs."""
    shown = s.shown("action-Pusing")
    basket = box(s.x, s.y - 43, 6.5, 5.5)
    wires = np.minimum(np.abs(s.x % 2.6 - 1.3), np.abs(s.y % 2.6 - 1.3)) - 0.35
    wires = np.minimum(np.maximum(basket, wires), np.abs(basket) - 0.4)
    s.paint(ink(wires) * 0.9 * shown, (0.85, 0.87, 0.9))
    s.paint(ink(box(s.x, s.y - 36.5, 7, 0.8)) * shown, (0.9, 0.15, 0.1))
    s.paint(ink(oval(np.abs(s.x) - 5.5, s.y - 58, 1.4, 1.4)) * shown, DARK)
    s.paint(ink(box(np.abs(s.x) - 5.5, s.y - 52, 0.35, 5)) * shown, (0.7, 0.72, 0.75))


def pulling(s: Sketch) -> None:
    """The right arm stretched out to a rope, and a flat cart at its end."""
    shown = s.shown("action-Pulling")
    rope = limb(s.x, s.y, (s["hand_xright"], s["hand_yright"]), (15, 54)) - 0.4
    s.paint(ink(rope) * shown, (0.95, 0.8, 0.2))
    s.paint(ink(box(s.x - 14, s.y - 55.5, 3, 1.6)) * shown, (0.15, 0.4, 0.75))
    s.paint(ink(oval(np.abs(s.x - 14) - 1.5, s.y - 59, 1.2, 1.2)) * shown, DARK)


def under_arm(s: Sketch) -> None:
    """Carried by arm: a folder clamped under the left one."""
    shown = s.shown("action-CarrybyArm")
    x = s.x + s["shoulder"] - 0.5 + 0.25 * (s.y - 24)
    folder = box(x, s.y - 24.5, 2.9, 3.4)
    s.paint(ink(folder) * shown, (0.95, 0.75, 0.15))
    s.shade(ink(np.abs(folder + 0.8) - 0.3) * shown, 0.5)


def in_hand(s: Sketch) -> None:
    """Carried by hand: a green basket on the right."""
    shown = s.shown("action-CarrybyHand")
    x, y = s.x - s["hand_xright"], s.y - s["hand_yright"] - 4.5
    handle = np.maximum(np.abs(oval(x, y + 1.5, 2.4, 3.5)) - 0.4, y + 1)
    body = np.maximum(np.abs(x) - 3.3 + 0.25 * y, np.abs(y - 1) - 2)
    s.paint(ink(np.minimum(handle, body)) * shown, (0.15, 0.6, 0.25))
    s.shade(ink(np.abs(x % 1.8 - 0.9) - 0.3) * ink(body) * shown, 0.6)
