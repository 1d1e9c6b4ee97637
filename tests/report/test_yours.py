"""Pictures of data of one's own: what they draw is what was decided."""

import numpy as np
import pytest
import torch

from dcl.data import Dataset, Split
from dcl_book import figures


def data(labels) -> Dataset:
    labels = np.array(labels)
    images = np.zeros((len(labels), 3, 4, 4), np.uint8)
    split = Split(images=images, labels=labels)
    return Dataset(
        name="my", title="my", attributes=("hat", "hair"), classes=(2, 3),
        splits={"train": split, "val": split, "test": split}, expected={}, fingerprint="my",
        facts={"class_names": {"hat": ("no", "yes"), "hair": ("black", "blond", "brown")}},
    )  # fmt: skip


LABELS = [[0, 0], [0, 0], [0, 0], [1, 1], [1, 1], [-1, 2]]


def scored(hat) -> torch.Tensor:
    """Scores (6, 2, 3): of hat the odds given, of hair always right."""
    scores = torch.full((6, 2, 3), -torch.inf)
    scores[:, 0, 0], scores[:, 0, 1] = 0, torch.tensor(hat)
    scores[:, 1] = 5 * torch.nn.functional.one_hot(torch.tensor(LABELS)[:, 1], 3)
    return scores


def test_precision_and_recall_are_of_the_rarer_class_and_end_where_nothing_is_called():
    scores = scored([-3.0, -2, 2.0, 1, 3, 9])  # one negative above one positive; the last unknown
    decided = scores.argmax(2)
    drawn = figures.precision_recall(data(LABELS), {"dcl": (scores, decided)})
    hat, hair = drawn.axes[:2]
    titles = [axes.get_title() or axes.get_title("left") for axes in (hat, hair)]  # by the style
    assert titles == ["hat = yes", "hair = brown"]
    curve, dot = hat.get_lines()
    np.testing.assert_allclose(curve.get_xdata(), [50, 50, 100, 100, 100])
    np.testing.assert_allclose(curve.get_ydata(), [100, 50, 200 / 3, 50, 40])
    assert dot.get_xydata().tolist() == [[100, pytest.approx(200 / 3)]]
    assert hair.get_lines()[0].get_ydata()[0] == 100
    assert "in the mean: DCL 83 %" in drawn.get_suptitle()


def test_words_on_bars_are_readable_on_their_colour():
    axes = figures.classes(data(LABELS)).axes[0]
    inks = {text.get_text(): text.get_color() for text in axes.texts}
    assert inks["no"] == inks["black"] == "white"  # on dark blue
    assert inks["yes"] == inks["unknown"] == "black"  # on orange, on grey


def test_mistakes_are_those_of_known_labels_and_the_surest_comes_first():
    scores = scored([-3.0, 1, 4, 1, 3, 9])
    drawn = figures.mistakes(data(LABELS), scores, scores.argmax(2), columns=3)
    assert "2 wrong of 11 test labels" in drawn.get_suptitle()
    titles = [axes.get_title() or axes.get_title("left") for axes in drawn.axes]  # by the style
    assert titles == ["no,\nsaid yes", "no,\nsaid yes", ""]
    right = scored([-3.0, -1, -4, 1, 3, 9])
    assert figures.mistakes(data(LABELS), right, right.argmax(2)) is None


def test_the_rarest_class_is_named_with_its_rows():
    (axes,) = figures.classes(data(LABELS)).axes
    title = axes.get_title(loc="left") or axes.get_title()
    assert title == "my: the rarest class, hair = brown, has 1 of 6"
