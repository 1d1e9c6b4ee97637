"""Points of the plane under the triplet loss, and the pictures made of them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from dcl_book import figures, plane


def test_a_cloud_has_its_share_of_hard_positives_on_the_far_side():
    cloud = plane.draw(400, 0.5, positives=30, negatives=100)
    assert cloud.points.shape == (130, 400, 2)
    centres = cloud.points.mean(1)
    torch.testing.assert_close(centres[:15, 0], torch.full((15,), -0.5), atol=0.06, rtol=0)
    torch.testing.assert_close(centres[15:30, 0], torch.full((15,), 0.5), atol=0.06, rtol=0)
    assert (cloud.labels.sum(0) == 30).all()


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match=r"hard is a share.*1\.5"):
        plane.draw(1, 1.5)


def test_clouds_do_not_touch_each_other():
    cloud = plane.draw(3, 0.3, positives=8, negatives=20)
    together = plane.descend(cloud, "easy", k=5, steps=5)
    for a in range(3):
        own = plane.Cloud(cloud.points[:, [a]], cloud.labels[:, [a]])
        torch.testing.assert_close(plane.descend(own, "easy", k=5, steps=5), together[:, :, [a]])


def test_the_path_starts_at_the_cloud_and_descends():
    cloud = plane.draw(2, 0.5)
    path = plane.descend(cloud, "all", k=5, steps=3)
    assert path.shape == (4, *cloud.points.shape)
    assert torch.equal(path[0], cloud.points)
    assert not torch.equal(path[1], path[0])


def test_lost_and_rescued_are_counted_from_where_points_started():
    labels = torch.tensor([[1], [1], [1], [0]])
    start = torch.tensor([[[0.5, 0.0]], [[0.5, 0.0]], [[-0.5, 0.0]], [[-0.5, 0.0]]])
    end = torch.tensor([[[0.5, 0.0]], [[-0.1, 0.0]], [[0.1, 0.0]], [[-0.5, 0.0]]])
    found = plane.outcome(plane.Cloud(start, labels), end)
    assert found["lost"].item() == 50
    assert found["rescued"].item() == 100
    assert found["mA"].item() == pytest.approx((200 / 3 + 100) / 2)


def test_easy_anchors_are_never_hard_ones_so_no_easy_positive_is_lost():
    """What the page says: with many hard positives, all anchors lose easy ones and TEA does not."""
    cloud = plane.draw(20, 0.6)
    lost = {
        kind: plane.outcome(cloud, plane.descend(cloud, kind, k=5, steps=60)[-1])["lost"].mean()
        for kind in ("easy", "all")
    }
    assert lost["easy"] < 1
    assert lost["all"] > 3


def test_the_animation_is_a_small_gif_that_ends():
    cloud = plane.draw(1, 0.5, positives=6, negatives=10)
    path = plane.descend(cloud, "easy", k=5, steps=8)
    held = figures.animation(cloud, {"easy": path, "all": path}, every=4)
    with Image.open(io.BytesIO(held)) as image:
        assert image.format == "GIF"
        assert image.n_frames > 1 or not image.is_animated  # equal frames are merged
        assert "loop" not in image.info  # it plays once
    assert len(held) < 1_000_000


def test_a_batch_is_shown_heaviest_first_and_its_minority_framed():
    images = np.zeros((20, 3, 8, 8), np.uint8)
    weights = np.ones(20)
    weights[[3, 5]] = 4.0, 0.0
    positive = np.arange(20) == 3
    figure = figures.batch_by_weight(images, weights, positive, "test")
    shown = [axes.get_title() for axes in figure.axes[:20]]
    assert shown[0] == "4.0"
    assert shown[-1] == "0"
    assert [axes.axison for axes in figure.axes[:20]] == [True] + [False] * 19
