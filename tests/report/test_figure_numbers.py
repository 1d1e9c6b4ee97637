"""The numbers that the book offers below a figure are those that it shows."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from dcl_book.figures.numbers import as_csv, numbers


def figure(draw, **words) -> Figure:
    made, axes = plt.subplots()
    draw(axes)
    axes.set(**words)
    plt.close(made)
    return made


def rows(made: Figure, *columns: str) -> list[tuple]:
    return list(numbers(made)[list(columns)].itertuples(index=False, name=None))


def test_a_line_and_points_have_their_series_panel_and_axes():
    def draw(axes):
        axes.plot([1, 2], [3, 4], label="dcl")
        axes.scatter([5], [6], label="crl")
        axes.axhline(0)

    made = figure(draw, title="CelebA", xlabel="epochs", ylabel="mA, %")
    assert rows(made, "series", "kind", "x", "y") == [
        ("dcl", "line", 1, 3),
        ("dcl", "line", 2, 4),
        ("crl", "points", 5, 6),
    ]
    assert set(numbers(made)["panel"]) == {"CelebA"}
    assert set(numbers(made)["x_is"]) == {"epochs"}
    assert set(numbers(made)["y_is"]) == {"mA, %"}


def test_an_error_bar_is_a_point_and_its_interval_without_caps():
    made = figure(lambda axes: axes.errorbar([1], [10], yerr=[2], capsize=3, label="dcl"))
    assert rows(made, "kind", "x", "y") == [("line", 1, 10), ("interval", 1, 8)]
    assert numbers(made)["y_end"].dropna().tolist() == [12]
    assert rows(made, "series") == [("dcl",), ("dcl",)]


@pytest.mark.parametrize(("kind", "expected"), [("bar", (1, 5)), ("barh", (5, 1))])
def test_a_bar_is_its_end_with_the_name_at_its_place(kind, expected):
    def draw(axes):
        getattr(axes, kind)([0, 1], [4, 5])
        side = axes.set_xticks if kind == "bar" else axes.set_yticks
        side([0, 1], ["Bald", "Smiling"])

    assert rows(figure(draw), "name", "x", "y")[1] == ("Smiling", *expected)


def test_a_picture_alone_has_no_numbers():
    assert as_csv(figure(lambda axes: axes.imshow([[0, 1], [1, 0]]))) is None


def test_ticks_that_were_labelled_by_numbers_name_nothing():
    def draw(axes):
        axes.plot([0, 1], [4, 5])
        axes.set_xticks([0, 1], [128, 512])

    assert "name" not in numbers(figure(draw))
