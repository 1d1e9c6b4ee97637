"""DeepID2 and the batched branches."""

import pytest
import torch
from torch import nn

from dcl import DeepID2
from dcl.models import Branches


def test_branches_are_forty_small_networks_side_by_side():
    torch.manual_seed(0)
    branches, x = Branches(6, attributes=3, classes=2, width=4), torch.randn(5, 6)
    logits, features = branches(x)
    for a in range(3):
        rows = slice(4 * a, 4 * a + 4)
        feature = (x @ branches.feature.weight[rows].T + branches.feature.bias[rows]).relu()
        torch.testing.assert_close(features[:, a], feature)
        logit = feature @ branches.output_weight[a] + branches.output_bias[a]
        torch.testing.assert_close(logits[:, a], logit)


def test_pooling_before_relu_is_the_same_as_after():
    model = DeepID2(attributes=2).double()
    x = torch.randn(4, 3, 55, 47, dtype=torch.float64)
    swapped = x
    for layer in (0, 3, 6):
        conv, pool, relu = model.stage1[layer : layer + 3]
        assert isinstance(conv, nn.Conv2d)
        swapped = pool(relu(conv(swapped)))
    torch.testing.assert_close(model.stage1(x), swapped)


def test_deepid2_has_the_papers_layers():
    shapes = [tuple(m.weight.shape) for m in DeepID2().modules() if isinstance(m, nn.Conv2d)]
    assert shapes == [(20, 3, 4, 4), (40, 20, 3, 3), (60, 40, 3, 3), (80, 60, 2, 2)]
    assert DeepID2().trunk[0].weight.shape == (160, 60 * 5 * 4 + 80 * 4 * 3)
    assert DeepID2(trunk=None).branches.feature.weight.shape == (40 * 64, 2160)


def test_images_of_another_size_are_named():
    with pytest.raises(ValueError, match=r"\(batch, 3, 55, 47\), got shape \(2, 3, 64, 64\)"):
        DeepID2()(torch.zeros(2, 3, 64, 64))
