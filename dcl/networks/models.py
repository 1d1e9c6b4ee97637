"""DeepID2, the CIFAR ResNet and an MLP, with a branch for each attribute."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..checks import as_classes, whole


class Branches(nn.Module):
    """One feature layer and one output layer per attribute, as two batched matrix products.

    Parameters
    ----------
    inputs : int
        Width of the trunk's representation.
    attributes, width : int
        A and D. Paper: a 64-d feature layer and an output layer for each attribute.
    classes : int or sequence of A ints
        C, or the classes of each attribute: C is the largest, and the logit of a class that an
        attribute does not have is -inf.
    cosine : bool
        Logits are the cosines of features and output weights, as in LDAM.
    """

    missing: Tensor  # (A, C) bool

    def __init__(
        self,
        inputs: int,
        attributes: int,
        classes: int | Sequence[int],
        width: int = 64,
        *,
        cosine: bool = False,
    ):
        super().__init__()
        for what, size in (("inputs", inputs), ("attributes", attributes), ("width", width)):
            whole(what, size, 1)
        sizes = as_classes(classes, attributes)
        classes = max(sizes)
        missing = torch.arange(classes) >= torch.tensor(sizes).unsqueeze(1)  # (A, C)
        self.register_buffer("missing", missing, persistent=False)
        self.uneven = min(sizes) < classes
        self.feature = nn.Linear(inputs, attributes * width)  # the feature layers of all attributes
        self.output_weight = nn.Parameter(torch.empty(attributes, width, classes))
        self.output_bias = None if cosine else nn.Parameter(torch.zeros(attributes, classes))
        bound = width**-0.5  # as nn.Linear draws its weights
        nn.init.uniform_(self.output_weight, -bound, bound)
        self.attributes, self.width = attributes, width

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.feature(x).relu().unflatten(1, (self.attributes, self.width))  # (B, A, D)
        x = features.transpose(0, 1)  # (A, B, D) x (A, D, C) -> (A, B, C)
        if self.output_bias is None:
            directions = nn.functional.normalize(self.output_weight, dim=1)
            logits = nn.functional.normalize(x, dim=2) @ directions
        else:
            logits = torch.baddbmm(self.output_bias.unsqueeze(1), x, self.output_weight)
        logits = logits.transpose(0, 1)
        return logits.masked_fill(self.missing, -torch.inf) if self.uneven else logits, features


def channels_last(network: nn.Module) -> None:
    """Store the weights channels-last, the fastest layout for convolutions; values stay."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class DeepID2(nn.Module):
    """DeepID2 (Sun et al. 2014) with a branch for each attribute: the paper's network for CelebA.

    Parameters
    ----------
    attributes, classes, width
        See `Branches`.
    trunk : int or None
        Width of the fully connected layer that both the third pooling and the fourth convolution
        feed (160 in DeepID2); None leaves it out.
    cosine : bool
        See `Branches`.

    Notes
    -----
    Images are RGB, ``(pixels - 127.5) / 64`` of pixels in 0 ... 255: the published weights want
    them so, and the initialisation a mean near 0 and a variance near 1.

    Examples
    --------
    >>> logits, features = DeepID2()(torch.zeros(8, 3, 55, 47))
    >>> logits.shape, features.shape
    (torch.Size([8, 40, 2]), torch.Size([8, 40, 64]))
    """

    size = (55, 47)  # height and width of the images in pixels

    def __init__(
        self,
        attributes: int = 40,
        classes: int | Sequence[int] = 2,
        width: int = 64,
        trunk: int | None = 160,
        *,
        cosine: bool = False,
    ):
        super().__init__()
        self.stage1 = nn.Sequential(  # (B, 3, 55, 47) -> (B, 60, 5, 4)
            # ReLU after pooling gives the same as before it, on a quarter of the values.
            *(nn.Conv2d(3, 20, 4), nn.MaxPool2d(2), nn.ReLU()),  # (B, 20, 26, 22)
            *(nn.Conv2d(20, 40, 3), nn.MaxPool2d(2), nn.ReLU()),  # (B, 40, 12, 10)
            *(nn.Conv2d(40, 60, 3), nn.MaxPool2d(2), nn.ReLU()),  # (B, 60, 5, 4)
        )
        self.stage2 = nn.Sequential(nn.Conv2d(60, 80, 2), nn.ReLU())  # (B, 80, 4, 3)
        joint = 60 * 5 * 4 + 80 * 4 * 3
        layers = [] if trunk is None else [nn.Linear(joint, whole("trunk", trunk, 1)), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        for layer in self.modules():  # ours: the papers give no initialisation
            if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        inputs = trunk or joint  # the branches are drawn as nn.Linear's
        self.branches = Branches(inputs, attributes, classes, width, cosine=cosine)
        channels_last(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 3, 55, 47), scaled as above -> logits (B, A, C), features (B, A, D)."""
        if images.shape[1:] != (3, *self.size):
            raise ValueError(
                f"DeepID2 takes images (batch, 3, 55, 47), got shape {tuple(images.shape)}"
            )
        pool3 = self.stage1(images.contiguous(memory_format=torch.channels_last))
        joint = torch.cat([pool3.flatten(1), self.stage2(pool3).flatten(1)], 1)  # (B, 2160)
        return self.branches(self.trunk(joint))


class _Block(nn.Module):
    """Two 3x3 convolutions around a shortcut without parameters (He et al. 2016, option A)."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inputs, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.stride, self.extra = stride, width - inputs

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x
        if self.stride > 1 or self.extra:  # every other pixel; new channels are 0
            shortcut = x[:, :, :: self.stride, :: self.stride]
            shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, self.extra // 2, self.extra // 2))
        return (shortcut + self.residual(x)).relu()


class ResNetCIFAR(nn.Module):
    """The small ResNet for CIFAR (He et al. 2016, Section 4.2) with a branch for each attribute.

    Parameters
    ----------
    attributes, classes, width
        See `Branches`.
    depth : int
        6n + 2 layers; ResNet-32 has n = 5.
    stem_stride : int
        Of the first convolution; 2 for images larger than CIFAR's.
    cosine : bool
        See `Branches`.

    Examples
    --------
    >>> logits, features = ResNetCIFAR(1, 100, depth=8)(torch.zeros(4, 3, 32, 32))
    >>> logits.shape, features.shape
    (torch.Size([4, 1, 100]), torch.Size([4, 1, 64]))
    """

    size = (32, 32)  # height and width of CIFAR's images; any other will do

    def __init__(
        self,
        attributes: int = 1,
        classes: int | Sequence[int] = 100,
        width: int = 64,
        *,
        depth: int = 32,
        stem_stride: int = 1,
        cosine: bool = False,
    ):
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"depth must be 6n + 2 (8, 14, 20, 32, ...), got {depth!r}")
        blocks, inputs = [], 16
        for channels in (16, 32, 64):
            for number in range((depth - 2) // 6):
                stride = 2 if number == 0 and channels > 16 else 1
                blocks.append(_Block(inputs, channels, stride))
                inputs = channels
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 16, 3, stem_stride, 1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            *blocks,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.branches = Branches(64, attributes, classes, width, cosine=cosine)
        channels_last(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images (B, 3, H, W) -> logits (B, A, C), features (B, A, D)."""
        images = images.contiguous(memory_format=torch.channels_last)
        return self.branches(self.trunk(images))


class MLP(nn.Module):
    """Two hidden layers with a branch for each attribute, for tables of features.

    Parameters
    ----------
    inputs : int
        F, the number of features of a sample.
    attributes, classes, width
        See `Branches`.
    hidden : int
        Width of the hidden layers.
    cosine : bool
        See `Branches`.

    Examples
    --------
    >>> logits, features = MLP(30, attributes=2)(torch.zeros(4, 30))
    >>> logits.shape, features.shape
    (torch.Size([4, 2, 2]), torch.Size([4, 2, 64]))
    """

    def __init__(
        self,
        inputs: int,
        attributes: int = 1,
        classes: int | Sequence[int] = 2,
        width: int = 64,
        *,
        hidden: int = 128,
        cosine: bool = False,
    ):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.branches = Branches(hidden, attributes, classes, width, cosine=cosine)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """features (B, F) -> logits (B, A, C), features of the branches (B, A, D)."""
        return self.branches(self.trunk(features))
