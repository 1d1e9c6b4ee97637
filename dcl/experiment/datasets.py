"""What ``python -m dcl run`` offers: configurations by name, each with its data and network."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ImageColor
from torch import nn

from ..data import celeba, cifar, pedestrians, table
from ..data.drawn import face_table, faces, persons, shapes
from ..data.pedestrian_annotation import PROTOCOLS
from ..data.resident import DataError, Dataset
from ..data.table_features import IMPUTE
from ..data.table_words import names_in
from ..methods import imported
from ..networks.backbones import IMAGENET, TorchvisionModel, torchvision_names
from ..networks.models import MLP, DeepID2, ResNetCIFAR
from .config import ConfigError, Training, as_config_error, checked, option, resolve


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class CelebA(Training):
    """One training run on face attributes. Each default says where it comes from."""

    experiment = "celeba"
    data_module = celeba.__name__

    trunk: bool = option(True, "DeepID2's 160-d layer before the branches (Sun et al. 2014)")
    crop: float = option(
        1.0, "share of the aligned frame kept (ours)", above=0, high=1, only="real"
    )
    train_images: int = option(
        3_072, "drawn faces to train on, without a data_root", low=2, only="drawn"
    )

    def load(self, *, show: bool = True) -> Dataset:
        """CelebA from `data_root`; drawn faces without one."""
        if not self.data_root:
            train = self.train_images
            sizes = {"train": train, "val": min(2_000, train // 2), "test": min(4_000, train)}
            return faces.load(**self.quick_sizes() or sizes)
        root = resolve(self.data_root)
        return celeba.load(root, size=DeepID2.size, crop=self.crop, progress=show)

    def network(self, data: Dataset) -> DeepID2:
        size, trunk = (len(data.attributes), data.classes), 160 if self.trunk else None
        return DeepID2(*size, trunk=trunk, **self.entry.network)


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Cifar100(Training):
    """One training run on CIFAR-100. Each default says where it comes from."""

    experiment = "cifar100"
    data_module = cifar.__name__
    single_label = True

    epochs: int = option(10, "times every image is seen (300 at full size)", low=1)
    batch_size: int = option(64, "images per step (512 at full size)", low=1)
    lr: float = option(0.1, "learning rate at the start, cosine to 0 (He et al. 2016)", above=0)
    depth: int = option(8, "layers of the ResNet, 6n + 2 (inferred: 32, see the book)", low=8)
    imbalance_ratio: float = option(1.0, "largest class : smallest class; 1: balanced", low=1)
    imbalance_type: str = option(
        "long-tailed", "long-tailed (Cui et al. 2019) or step", choices=cifar.IMBALANCE_TYPES
    )
    fraction: float = option(1.0, "class-balanced part of the training set", above=0, high=1)
    val_per_class: int = option(
        50, "training images kept for validation (ours)", low=1, high=400, only="real"
    )
    validation: str = option(
        "before", "taken before the cut, or unused by it, or none: the last epoch is tested",
        choices=cifar.VALIDATIONS,
    )  # fmt: skip
    subset_seed: int = option(0, "of the validation split and the subset", low=0)
    train_images: int = option(
        5_000, "drawn shapes to train on, without a data_root", low=1_000, only="drawn"
    )

    def check(self) -> None:
        if (self.depth - 2) % 6:
            raise ConfigError(f"depth must be 6n + 2 (20, 32, 44, ...), got {self.depth}")
        if self.validation == "unused" and not self.data_root:
            raise ConfigError("validation 'unused' is of CIFAR-100's images: give a data_root")

    def load(self, *, show: bool = True) -> Dataset:
        """CIFAR-100 from `data_root`; drawn shapes without one. Then the subset asked for."""
        if self.data_root:
            data = cifar.load(resolve(self.data_root), progress=show)
        else:
            data = shapes.load(**self.quick_sizes() or {"train": self.train_images})
        return cifar.subset(
            data,
            imbalance_ratio=self.imbalance_ratio,
            imbalance_type=self.imbalance_type,
            fraction=self.fraction,
            validation=self.validation,
            val_per_class=self.val_per_class if self.data_root else 0,
            seed=self.subset_seed,
        )

    def train_part_of(self, data: Dataset) -> Dataset:
        """The part, its classes grouped by the images that it holds."""
        if not self.train_part:
            return data
        rows = data.train_rows(self.train_part, self.seed)
        return cifar.regrouped(super().train_part_of(data), rows)

    def network(self, data: Dataset) -> ResNetCIFAR:
        size = len(data.attributes), data.classes
        return ResNetCIFAR(*size, depth=self.depth, **self.entry.network)


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Pedestrians(Training):
    """One training run on pedestrian attributes. Each default says where it comes from."""

    experiment = "pedestrians"
    data_module = pedestrians.__name__

    lr: float = option(0.1, "learning rate at the start, cosine to 0 (paper: 0.003)", above=0)
    dataset: str = option("drawn", "rap, peta or drawn", choices=("rap", "peta", "drawn"))
    partition: int = option(1, "which of the annotation's five", low=1, high=5, only="real")
    split: str = option(
        "official", "of peta: official, or identity: no person in two splits (ours)",
        choices=("official", "identity"),
    )  # fmt: skip
    protocol: str = option(
        "51", "attributes of rap: 51 (the field's), paper (70, our reading), all (92)",
        choices=PROTOCOLS,
    )  # fmt: skip
    backbone: str = option(
        "small",
        "resnet50 (paper), resnet18, or small for two cores",
        choices=("small", "resnet18", "resnet50"),
    )
    weights: str = option(
        "", "file with pretrained weights of resnet50 or resnet18", decides="by its file"
    )
    height: int = option(64, "rows of the images, twice the columns (for results: 256)", low=32)
    train_images: int = option(
        6_000, "drawn persons to train on, if the dataset is drawn", low=100, only="drawn"
    )

    def check(self) -> None:
        if self.height % 2:
            raise ConfigError(f"height must be even, for the width is half of it: {self.height}")
        if self.weights and self.backbone == "small":
            raise ConfigError("weights are for backbone resnet50 or resnet18, not small")
        if self.dataset == "drawn" and self.data_root:
            raise ConfigError(
                f"dataset 'drawn' has no data_root, got {self.data_root!r}: choose rap or peta"
            )
        if self.split == "identity" and self.dataset != "peta":
            raise ConfigError(f"split 'identity' is for dataset peta, got {self.dataset!r}")
        if self.protocol != "51" and self.dataset != "rap":
            raise ConfigError(
                f"protocol {self.protocol!r} is for dataset rap, got {self.dataset!r}: leave it out"
            )

    def load(self, *, show: bool = True) -> Dataset:
        """RAP or PETA from `data_root`, or drawn persons."""
        size = (self.height, self.height // 2)
        if self.dataset == "drawn":
            sizes = self.quick_sizes() or {"train": self.train_images}
            return pedestrians.with_groups(persons.load(**sizes, size=size))
        if not self.data_root:
            help_text = pedestrians.RAP_HELP if self.dataset == "rap" else pedestrians.PETA_HELP
            raise DataError(f"dataset {self.dataset!r} needs a data_root. {help_text}")
        root = resolve(self.data_root)
        if self.dataset == "rap":
            return pedestrians.load_rap(
                root, protocol=self.protocol, partition=self.partition, size=size, progress=show
            )
        return pedestrians.load_peta(
            root, split=self.split, partition=self.partition, size=size, progress=show
        )

    def train_part_of(self, data: Dataset) -> Dataset:
        """The part, whose attributes are grouped by their imbalance in it."""
        return pedestrians.with_groups(super().train_part_of(data)) if self.train_part else data

    def network(self, data: Dataset) -> nn.Module:
        return self._network(data, **_pretrained(self.weights))

    def blank_network(self, data: Dataset) -> nn.Module:
        return self._network(data, statistics=IMAGENET if self.weights else None)

    def _network(self, data: Dataset, **start: Any) -> nn.Module:
        """With what a network of torchvision starts from."""
        size, wishes = (len(data.attributes), data.classes), dict(self.entry.network)
        if self.backbone == "small":
            return ResNetCIFAR(*size, depth=14, stem_stride=2, **wishes)
        return TorchvisionModel(self.backbone, *size, **wishes | start)


FORMER = ("recluster_every",)  # options that had no effect, of older records
OF_TABLES = (
    "images", "labels", "ignore", "codes", "separator", "exclusive", "positive", "group",
)  # fmt: skip
OF_IMAGES = ("backbone", "weights", "mirror", "background", "skip_broken")  # not of features
OF_FEATURES = ("hidden", "impute")


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Table(Training):
    """One training run on a table of images or features. Each default says where it comes from."""

    experiment = "table"
    data_module = table.__name__

    data_root: str = option(
        "",
        "the table, .csv, .tsv or .parquet, or a folder with a sub-folder of images for each "
        "class; without one, faces are drawn",
        decides="nothing",
    )
    images: str = option(
        "", "folder or .zip of its images; without one, the table's folder", decides="nothing"
    )
    labels: str = option("", "columns of labels, as a CSV row has them; without, by their names")
    ignore: str = option("", "columns to leave out, as a CSV row has them")
    codes: str = option(
        "", "what cells of labels mean: 1=yes,-1=no,0=unknown,blank=no or column:1=yes"
    )
    separator: str = option("", "between several labels in a cell, such as |; none: they are texts")
    exclusive: str = option("", "columns of one yes in each row, which become one label; all")
    positive: str = option("", "positive word, or column=word; without, the rarer one in training")
    group: str = option("", "column of patients, lesions or places: none of them in two splits")
    impute: str = option("none", "of empty cells of features: median of training", choices=IMPUTE)
    split_seed: int = option(0, "of the random split where the table has none", low=0)
    height: int = option(64, "rows of the images in pixels (ours)", low=16)
    width: int = option(64, "columns of the images in pixels (ours)", low=16)
    background: str = option("white", "behind transparent pixels: a name of CSS or #rrggbb")
    skip_broken: bool = option(
        False, "leave out rows whose image cannot be decoded, and count them"
    )
    mirror: bool = option(True, "mirror training images: not where left and right mean something")
    backbone: str = option(
        "small", "small for two cores, deepid2 (CelebA's, 55 by 47), or a name of torchvision"
    )
    weights: str = option("", "file with pretrained weights of the backbone", decides="by its file")
    hidden: int = option(128, "units of the two hidden layers for features (ours)", low=1)
    drawn_faces: int = option(2_000, "faces that are drawn without a table", low=200, only="drawn")
    epochs: int = option(20, "times every sample is seen (ours)", low=1)
    batch_size: int = option(64, "samples per step (ours)", low=1)
    lr: float = option(0.05, "learning rate at the start, cosine to 0 (ours)", above=0)

    @property
    def background_colour(self) -> tuple[int, int, int]:
        """Red, green and blue behind transparent pixels."""
        with suppress(ValueError):  # it is no colour
            colour = ImageColor.getrgb(self.background)
            if len(colour) == 3:  # else the fourth is its opacity
                return colour
        raise ConfigError(
            f"background must be a colour such as white, black or #808080, got {self.background!r}"
        )

    def check(self) -> None:
        _ = self.background_colour  # raises for what is no colour
        ours = ("small", "deepid2")
        if self.backbone not in ours:  # else torchvision need not be imported
            checked("backbone", self.backbone, (str,), "", (*ours, *torchvision_names()))
        if self.weights and self.backbone in ours:
            raise ConfigError("weights are for a network of torchvision: choose a backbone")
        if self.backbone == "deepid2" and (self.height, self.width) != DeepID2.size:
            raise ConfigError(
                f"backbone 'deepid2' takes images of height {DeepID2.size[0]} and width "
                f"{DeepID2.size[1]}, got {self.height} and {self.width}"
            )
        given = [spec.name for spec in self.changed() if spec.name in OF_TABLES]
        if given and not self.data_root:
            raise ConfigError(
                f"{given[0]} is of a table: give it as data_root, or for it a folder with a "
                f"sub-folder of images for each class"
            )

    def load(self, *, show: bool = True) -> Dataset:
        """The table's data set; drawn faces with a table of their labels without one."""
        if self.data_root:
            path = resolve(self.data_root)
            images = resolve(self.images) if self.images else None
        else:
            folder = resolve(f"data/drawn-faces-{self.drawn_faces}")
            path = face_table.faces_in(folder, self.drawn_faces)
            images = folder / "images"
        data = table.load(
            path,
            images=images,
            labels=names_in(self.labels),
            ignore=names_in(self.ignore),
            exclusive=names_in(self.exclusive),
            codes=self.codes,
            separator=self.separator,
            positive=self.positive,
            group=self.group,
            impute=self.impute,
            size=(self.height, self.width),
            background=self.background_colour,
            skip_broken=self.skip_broken,
            mirror=self.mirror,
            split_seed=self.split_seed,
            progress=show,
        )
        features = data.splits["train"].images.ndim == 2
        for spec in self.changed():
            if spec.name in (OF_IMAGES if features else OF_FEATURES):
                raise ConfigError(
                    f"{spec.name} is of {'images' if features else 'features'}, and {path.name} "
                    f"holds {'features' if features else 'images'}: leave it out, got "
                    f"{getattr(self, spec.name)!r}"
                )
        return data

    def network(self, data: Dataset) -> nn.Module:
        return self._network(data, **_pretrained(self.weights))

    def blank_network(self, data: Dataset) -> nn.Module:
        return self._network(data, statistics=IMAGENET if self.weights else None)

    def _network(self, data: Dataset, **start: Any) -> nn.Module:
        """With what a network of torchvision starts from."""
        size, wishes = (len(data.attributes), max(data.class_sizes)), dict(self.entry.network)
        images = data.splits["train"].images
        if images.ndim == 2:
            return MLP(images.shape[1], *size, hidden=self.hidden, **wishes)
        if self.backbone == "small":
            return ResNetCIFAR(*size, depth=14, stem_stride=2, **wishes)
        if self.backbone == "deepid2":
            return DeepID2(*size, **wishes)
        start["size"] = self.height, self.width
        return TorchvisionModel(self.backbone, *size, **wishes | start)


def _pretrained(weights: str) -> dict[str, Path]:
    """What `TorchvisionModel` takes of a file of pretrained weights; nothing without one."""
    return {"weights": resolve(weights)} if weights else {}


DATASETS: dict[str, type[Training]] = {
    "celeba": CelebA,
    "cifar100": Cifar100,
    "pedestrians": Pedestrians,
    "table": Table,
}
"""What ``python -m dcl run`` offers, and each notebook of that name (of table: your_data)."""


def find_dataset(name: str) -> type[Training]:
    """The configuration class of a data set, by its name or as ``package.module:Name``.

    Raises
    ------
    ConfigError
        For an unknown name, for a class that is no configuration, and see `check_place`.
    """
    if name in DATASETS:
        return DATASETS[name]
    if ":" not in name:
        raise ConfigError(
            f"unknown data set {name!r}: choose one of {', '.join(DATASETS)}, or give "
            f"package.module:Name"
        )
    with as_config_error():
        cls = imported("data set", name)
    if not isinstance(cls, type) or not issubclass(cls, Training):
        raise ConfigError(f"data set {name!r} is no subclass of dcl.experiment.config.Training")
    check_place(cls)
    return cls


def check_place(cls: type[Training]) -> None:
    """Refuse a class whose records nobody could open: its `experiment` must lead back to it."""
    again = DATASETS.get(cls.experiment)
    if ":" in cls.experiment and not cls.experiment.startswith("__main__:"):
        with suppress(ValueError):  # it leads nowhere
            again = imported("data set", cls.experiment)
    if again is not cls:
        module = "my_file" if cls.__module__ == "__main__" else cls.__module__
        moved = ", put it into a file my_file.py" if cls.__module__ == "__main__" else ""
        raise ConfigError(
            f"experiment {cls.experiment!r} of {cls.__name__} does not name this class, and nobody "
            f"could open its records again{moved}: write in it experiment = "
            f"'{module}:{cls.__qualname__}'"
        )


def config_of(record: dict[str, Any], **places: str) -> Training:
    """The configuration of a record's run, with `places` such as ``data_root`` for the record's."""
    missing = [key for key in ("experiment", "config") if key not in record]
    if missing:
        raise ConfigError(f"this is no whole run record: it has no {' and no '.join(missing)}")
    cls, values = find_dataset(record["experiment"]), record["config"] | places
    old = [*cls.without_effect(values.get("data_root", "")), *FORMER]  # older records hold them
    return cls(**{name: value for name, value in values.items() if name not in old})
