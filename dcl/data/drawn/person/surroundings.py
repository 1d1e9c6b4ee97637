"""What stands around a SynthPerson; coordinates as in `parts.py`."""

import numpy as np

from ..sketch import Sketch, box, ink, mix, oval


def background(s: Sketch) -> None:
    s.image[:] = mix(s["wall"], s["floor"], ink(s["horizon"] - s.y, 3)[:, None])


def thing_left(s: Sketch, k="a") -> None:
    shape = box(s.x - s["thing_x" + k], s.y - s["thing_y" + k], s["thing_rx"], s["thing_ry"])
    s.paint(ink(shape, 2) * 0.6, s["thing_colour" + k])


def thing_right(s: Sketch) -> None:
    thing_left(s, "b")


def gathering(s: Sketch) -> None:
    """A group further away: smaller figures on both sides."""
    shown = s.shown("action-Gathering")
    for k, place in enumerate((-13.2, -9.6, 10.2, 13.8)):
        x, y = s.x - place, s.y - (k % 2)
        figure = np.minimum(oval(x, y - 16, 1.7, 2.2), oval(x, y - 28, 2.6, 10))
        figure = np.minimum(figure, box(np.abs(x) - 1.1, y - 43, 0.8, 7))
        s.paint(ink(figure) * shown, s["crowd" + "ab"[k % 2]])
        s.paint(ink(oval(x, y - 16.3, 1.5, 1.7)) * shown, s["skin"] * 0.9)


def talking(s: Sketch) -> None:
    """A partner at the right, close, cut by the frame, with an open mouth."""
    shown, x = s.shown("action-Talking"), s.x - 14.5
    s.paint(ink(box(x, s.y - 33, 4, 16), 2) * shown, s["crowda"])
    s.paint(ink(box(x - 1, s.y - 53, 2.5, 7), 2) * shown, s["crowdb"] * 0.5)
    s.paint(ink(oval(x, s.y - 10.5, 3.6, 4.6)) * shown, s["skin"])
    s.paint(ink(oval(x - 0.8, s.y - 8.4, 4, 3.2)) * shown, (0.12, 0.08, 0.06))
    s.paint(ink(oval(x + 2.4, s.y - 13, 1.3, 1.1)) * shown, (0.65, 0.05, 0.08))


def thing_in_front(s: Sketch) -> None:
    shape = oval(s.x - s["front_x"], s.y - s["front_y"], s["front_rx"], s["front_ry"])
    s.paint(ink(shape), s["front_colour"])
