"""What stands around a SynthFace; coordinates as in `parts.py`."""

from ..sketch import Sketch, ink, mix, oval


def background(s: Sketch) -> None:
    s.image[:] = mix(s["wall"], s["wall_below"], ((s.y / 55)[:, None]))


def things_behind(s: Sketch) -> None:
    for k in "ab":
        shape = oval(s.x - s["thing_x" + k], s.y - s["thing_y" + k], s["thing_r" + k], 6)
        s.paint(ink(shape, 2) * 0.8, s["thing_colour" + k])


def thing_in_front(s: Sketch) -> None:
    turned = s.y - s["front_y"] + s["front_slope"] * (s.x - s["front_x"])
    shape = oval(s.x - s["front_x"], turned, s["front_rx"], s["front_ry"])
    s.paint(ink(shape), s["front_colour"])
    s.shade(ink(shape + 1) * ink(-turned, 4), 0.8)
