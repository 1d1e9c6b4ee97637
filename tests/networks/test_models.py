"""DeepID2 and the batched branches."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from dcl import DeepID2
from dcl.data.resident import normalise
from dcl.networks.backbones import (
    IMAGENET,
    ModelError,
    Multihead,
    TorchvisionModel,
    torchvision_names,
)
from dcl.networks.models import Branches


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


@pytest.mark.parametrize("cosine", [False, True])
def test_classes_that_an_attribute_lacks_are_minus_infinity_and_train_nothing(cosine):
    branches = Branches(6, attributes=3, classes=(2, 5, 3), width=4, cosine=cosine)
    logits, features = branches(torch.randn(7, 6))
    assert logits.shape == (7, 3, 5)
    assert logits[0].isinf().tolist() == branches.missing.tolist()
    assert branches.missing.sum(1).tolist() == [3, 0, 2]
    logits.logsumexp(2).sum().backward()
    gradient = branches.output_weight.grad  # (A, D, C)
    assert gradient.isfinite().all()
    assert (gradient.transpose(1, 2)[branches.missing] == 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("classes", classes) for classes in ((2, 3), (2, 1, 2), 1, [2.9] * 3, None, True)),
        *(("width", 0), ("width", 2.5), ("attributes", 0), ("trunk", 0), ("trunk", 1.5)),
    ],
)
def test_sizes_that_cannot_be_are_named(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be .*(whole number|, got )"):
        DeepID2(**{"attributes": 3, name: value})


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "densenet121", "vit_b_32"])
def test_any_backbone_gets_branches_for_its_classifier(name):
    import torchvision

    backbone = getattr(torchvision.models, name)(num_classes=7)
    model = Multihead(backbone, attributes=3, classes=(2, 5, 3)).eval()
    with torch.no_grad():
        logits, features = model(torch.randn(2, 3, 224, 224))
    assert (logits.shape, features.shape) == ((2, 3, 5), (2, 3, 64))
    assert not any(isinstance(m, nn.Linear) and m.out_features == 7 for m in model.modules())


def test_a_backbone_without_a_linear_layer_needs_inputs():
    backbone = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ValueError, match="give inputs"):
        Multihead(backbone, 4)
    assert Multihead(backbone, 4, inputs=3)(torch.zeros(2, 3, 8, 8))[0].shape == (2, 4, 2)


@pytest.mark.parametrize("cosine", [False, True])
def test_every_parameter_of_the_branches_is_used(cosine):
    branches = Branches(8, 3, 2, cosine=cosine)
    branches(torch.randn(4, 8))[0].square().sum().backward()
    assert all(p.grad is not None for p in branches.parameters())


def test_pretrained_weights_see_images_as_they_were_trained_on(tmp_path):
    import torchvision

    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "weights.pth")
    model = TorchvisionModel("resnet18", 2, weights=tmp_path / "weights.pth").eval()
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, deviation = (torch.tensor(x).view(3, 1, 1) for x in IMAGENET)
    with torch.no_grad():
        expected = model.branches(model.trunk((pixels / 255 - mean) / deviation))
        torch.testing.assert_close(model(normalise(pixels)), expected, rtol=1e-4, atol=1e-5)
    assert TorchvisionModel("resnet18", 2).scale is None
    assert not [key for key in model.state_dict() if "scale" in key or "shift" in key]


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2_x0_5", "regnet_y_400mf"])
def test_a_network_of_torchvision_by_name_takes_its_weights(tmp_path, name):
    import torchvision

    source = torchvision.models.get_model(name, weights=None)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = TorchvisionModel(name, 3, 4, weights=tmp_path / "weights.pth", size=(48, 40))
    logits, features = model(torch.zeros(2, 3, 48, 40))
    assert (logits.shape, features.shape) == ((2, 3, 4), (2, 3, 64))
    assert model.training
    mine = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    other = TorchvisionModel(name, weights=tmp_path / "weights.pth", statistics=mine)
    assert not torch.equal(other.scale, model.scale)
    own = dict(model.trunk.named_parameters())
    assert own
    for key, value in source.named_parameters():
        assert key not in own or torch.equal(own[key], value), key


ONE_OF_A_KIND = (  # regnet cannot be made on the meta device; one of them is above
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s"),
    *("maxvit_t", "mnasnet0_5", "resnext50_32x4d", "swin_t", "swin_v2_t", "vgg11_bn"),
)


@pytest.mark.parametrize("name", ONE_OF_A_KIND)
def test_one_network_of_each_kind_of_torchvisions_gets_branches(name):
    import torchvision

    assert name in torchvision_names()
    with torch.device("meta"):
        network = Multihead(torchvision.models.get_model(name, weights=None), 3)
        assert network(torch.zeros(2, 3, 224, 224))[0].shape == (2, 3, 2)


def test_images_that_a_network_does_not_take_are_refused_where_it_is_made():
    with pytest.raises(ModelError, match="'vit_b_32' does not take images of height 64 and width"):
        TorchvisionModel("vit_b_32", 3, size=(64, 64))


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            "dcl.methods, dcl.networks.models, dcl.networks.backbones",
            "torchvision pandas torch._dynamo",
        ),
        ("dcl.experiment.grid", "torchvision torch._dynamo"),  # what runs are planned with
    ],
)
def test_torchvision_and_the_compiler_wait_until_they_are_needed(modules, heavy):
    code = f"import sys, {modules}; print([x for x in {heavy.split()} if x in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("classes", [1000, 0], ids=["with its classifier", "without one"])
@pytest.mark.parametrize("name", ["dla46_c", "levit_128s"])  # a convolution, a layer with a norm
def test_a_network_of_timm_takes_its_classifier_out_itself(name, classes):
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        bare = timm.create_model(name, num_classes=0)
        network = Multihead(timm.create_model(name, num_classes=classes), 3)
        logits, features = network(torch.zeros(2, 3, 224, 224))
    assert (logits.shape, features.shape) == ((2, 3, 2), (2, 3, 64))
    assert network.trunk.state_dict().keys() == bare.state_dict().keys()  # no layer is lost


class Residual(nn.Module):
    """Its last linear layer is a part of a block, as in a network without a classifier."""

    def __init__(self, inner: int):
        super().__init__()
        self.up, self.down = nn.Linear(3, inner), nn.Linear(inner, 3)

    def forward(self, images):
        x = images.mean((2, 3))
        return x + self.down(self.up(x).relu())


@pytest.mark.parametrize("inner", [3, 5])
def test_a_layer_that_is_not_the_networks_output_is_not_taken_for_its_classifier(inner):
    with pytest.raises(ModelError, match=r"down, the last linear layer of Residual, is not its ou"):
        Multihead(Residual(inner), 4)(torch.zeros(2, 3, 8, 8))
    model = Multihead(Residual(inner), 4, inputs=3)
    assert model(torch.zeros(2, 3, 8, 8))[0].shape == (2, 4, 2)


def test_a_representation_of_another_width_is_named():
    backbone = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ModelError, match=r"\(batch, inputs\) = \(2, 5\), got \(2, 3\)"):
        Multihead(backbone, 4, inputs=5)(torch.zeros(2, 3, 8, 8))
