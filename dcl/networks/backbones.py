"""Wrappers that give any image network a branch for each attribute."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .models import Branches, channels_last

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation of pixels in [0, 1]


class ModelError(ValueError):
    """Weights or images that do not fit a network."""


class Multihead(nn.Module):
    """Image network whose classifier is replaced by a branch for each attribute.

    Parameters
    ----------
    backbone : nn.Module
        Of torchvision, of timm, or your own. What its classifier was fed is the representation: a
        network of timm takes its classifier out itself, of any other the last linear layer is
        taken out. With `inputs` given the backbone stays as it is.
    attributes, classes, width
        See `Branches`.
    inputs : int, optional
        Width of the representation (B, inputs) that `backbone` returns.
    statistics : pair of triples, optional
        Mean and deviation of pixels in [0, 1] that the backbone's weights were trained with, such
        as `IMAGENET`. The network then expects images from `dcl.data.resident.normalise` and
        converts them; without it they pass unchanged.
    cosine : bool
        See `Branches`.

    Raises
    ------
    ValueError
        For a backbone without a linear layer and no `inputs`.
    ModelError
        With the first images: where the layer that was taken out is not the network's output, or
        the backbone does not return a representation (B, inputs).

    Examples
    --------
    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1000))
    >>> logits, features = Multihead(network, attributes=4)(torch.zeros(8, 3, 32, 32))
    >>> logits.shape, features.shape
    (torch.Size([8, 4, 2]), torch.Size([8, 4, 64]))
    """

    scale: Tensor | None  # (3, 1, 1)
    shift: Tensor | None

    def __init__(
        self,
        backbone: nn.Module,
        attributes: int,
        classes: int | Sequence[int] = 2,
        width: int = 64,
        *,
        inputs: int | None = None,
        statistics: tuple[Sequence[float], Sequence[float]] | None = None,
        cosine: bool = False,
    ):
        super().__init__()
        place = None
        remove: Any = getattr(backbone, "reset_classifier", None)
        if inputs is None and remove is not None:  # timm
            remove(0)
            width_of: Any = backbone
            inputs = getattr(backbone, "head_hidden_size", None) or width_of.num_features
        elif inputs is None:
            linear = [(n, m) for n, m in backbone.named_modules() if n and isinstance(m, nn.Linear)]
            if not linear:
                raise ValueError(
                    f"{type(backbone).__name__} has no linear layer to take out: give inputs, the "
                    f"width of what it returns"
                )
            name, last = linear[-1]
            inputs, place = last.in_features, _Place(name)
            backbone.set_submodule(name, place)
        self.trunk, self.inputs = backbone, inputs
        self._seen = False  # the first images, see `_first`
        self._place = [] if place is None else [place]  # a list: it is a part of the trunk
        assert inputs is not None  # given, or one of the branches above
        self.branches = Branches(inputs, attributes, classes, width, cosine=cosine)
        scale = shift = None
        if statistics is not None:  # ((64 x + 127.5) / 255 - mean) / deviation
            mean, deviation = (torch.tensor(x).view(-1, 1, 1) for x in statistics)
            scale, shift = 64 / 255 / deviation, (0.5 - mean) / deviation
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("shift", shift, persistent=False)
        channels_last(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images (B, 3, H, W) -> logits (B, A, C), features (B, A, D)."""
        if self.scale is not None and self.shift is not None:
            images = images * self.scale + self.shift
        images = images.contiguous(memory_format=torch.channels_last)
        if self._seen or torch.compiler.is_compiling():
            return self.branches(self.trunk(images))
        return self.branches(self._first(images))

    def _first(self, images: Tensor) -> Tensor:
        """The representation, and a look whether it is what the classifier was fed."""
        network = type(self.trunk).__name__
        (place,) = self._place or (None,)
        wrong = place and (
            f"{place.name}, the last linear layer of {network}, is not its output, so that taking "
            f"it out changes the network: take the classifier out yourself, and give inputs, the "
            f"width of what the network returns then"
        )
        try:
            found = self.trunk(images)
        except RuntimeError as error:
            if place is None or place.fed is None:  # it broke before the classifier
                raise
            raise ModelError(f"{wrong} ({error})") from error
        if place is not None:
            fed, place.fed, place.watched = place.fed, None, False
            if found is not fed:
                place.watched = True
                raise ModelError(wrong)
        if not isinstance(found, Tensor) or tuple(found.shape) != (len(images), self.inputs):
            shape = tuple(found.shape) if isinstance(found, Tensor) else f"a {type(found).__name__}"
            raise ModelError(
                f"{network} must return (batch, inputs) = ({len(images)}, {self.inputs}), got "
                f"{shape}"
            )
        self._seen = True
        return found


class _Place(nn.Identity):
    """Where a classifier was: notes what it is fed until it was seen that nothing follows."""

    def __init__(self, name: str):
        super().__init__()
        self.name, self.watched = name, True
        self.fed: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.watched and not torch.compiler.is_compiling():
            self.fed = x
        return x


class TorchvisionModel(Multihead):
    """A network of torchvision with a branch for each attribute, such as the paper's ResNet-50.

    Parameters
    ----------
    name : str
        One of `torchvision_names`.
    attributes, classes, width
        See `Branches`.
    weights : path, optional
        File with a state_dict of that network, such as torchvision's ``resnet50-0676ba61.pth``,
        trained with ImageNet's mean and deviation. We never download anything.
    statistics : pair of triples, optional
        See `Multihead`; with `weights` those of ImageNet unless given.
    size : (int, int), optional
        Height and width of the images, to raise an error here if the network cannot take them:
        a vision transformer has a fixed size.
    cosine : bool
        See `Branches`.

    Raises
    ------
    ModelError
        For a file that is not a state_dict of that network, and for a size it cannot take.
    """

    def __init__(
        self,
        name: str = "resnet50",
        attributes: int = 51,
        classes: int | Sequence[int] = 2,
        width: int = 64,
        *,
        weights: str | Path | None = None,
        statistics: tuple[Sequence[float], Sequence[float]] | None = None,
        size: tuple[int, int] | None = None,
        cosine: bool = False,
    ):
        import torchvision.models  # here, because `import dcl` needs only torch

        trunk = getattr(torchvision.models, name)(weights=None)
        if weights is not None:
            _load_weights(trunk, Path(weights), name)
            statistics = statistics or IMAGENET
        super().__init__(trunk, attributes, classes, width, statistics=statistics, cosine=cosine)
        if size is not None:
            _check_size(self, name, size)


def torchvision_names() -> list[str]:
    """torchvision's classifiers that end in a linear layer and return one tensor in training."""
    import torchvision.models

    others = {"googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1"}
    return sorted({*torchvision.models.list_models(torchvision.models)} - others)


def _check_size(network: nn.Module, name: str, size: tuple[int, int]) -> None:
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, *size))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"backbone {name!r} does not take images of height {size[0]} and width {size[1]}: "
            f"{error}"
        ) from None
    network.train()


def _load_weights(network: nn.Module, path: Path, name: str) -> None:
    """Load a file's weights, except for the last layer, whose size may differ."""
    what = f"weights {path}: expected a state_dict of torchvision's {name}"
    last = [key for key, module in network.named_modules() if isinstance(module, nn.Linear)][-1]
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {key: value for key, value in state.items() if not key.startswith(f"{last}.")}
        missing, unexpected = network.load_state_dict(state, strict=False)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise ModelError(f"weights {path}: {error.strerror}") from None
    except Exception as error:  # torch raises many kinds for a truncated or foreign file
        raise ModelError(f"{what}, got {type(error).__name__}: {str(error)[:200]}") from None
    missing = [key for key in missing if not key.startswith(f"{last}.")]
    if missing or unexpected:
        raise ModelError(f"{what}, but {[*missing, *unexpected][0]} does not fit")
