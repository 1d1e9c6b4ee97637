"""Configurations of the book's pages that train nothing, by the name of their notebook."""

from dataclasses import dataclass

from ..experiment.fields import PROFILE, check_fields, option, settle_profile


@dataclass(frozen=True, kw_only=True)
class Curricula:
    """The page on the schedules, which trains nothing."""

    epochs: int = option(300, "expected total epochs L (paper 4.3.1)", low=1)
    p: float = option(0.3, "self-learning point, share of the epochs (paper 4.3.1)", low=0, high=1)
    epsilon: float = option(0.1, "self-learning ratio (ours: the paper gives none)", low=0)
    decay: float = option(0.99, "lambda of the concave schedule (paper, Table 4)", above=0, below=1)
    batch_size: int = option(512, "images in a batch (paper 4.3.1)", low=13)

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Framework:
    """The page on the methods as special cases, which trains nothing."""

    batch_size: int = option(512, "images in a batch (paper 4.3.1)", low=64)
    epochs: int = option(300, "expected total epochs L (paper 4.3.1)", low=1)
    seed: int = option(0, "of the batch and the selection", low=0)

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The page on what DCL costs, which measures."""

    rounds: int = option(20, "of measuring, alternating between the methods", low=2)
    device: str = option("auto", "auto (a GPU where there is one), cpu, cuda or cuda:N")
    profile: str = option("auto", PROFILE, choices=("auto", "quick", "standard"))

    def __post_init__(self):
        check_fields(self)
        settle_profile(self)


@dataclass(frozen=True, kw_only=True)
class Plane:
    """The page on easy anchors, which moves points of the plane."""

    clouds: int = option(16, "independent clouds of points for each setting", low=2)
    steps: int = option(40, "of gradient descent", low=1)
    hard: float = option(0.6, "share of hard positives in the first pictures", low=0, high=1)
    few: float = option(0.3, "share of hard positives in the second pictures", low=0, high=1)
    profile: str = option("auto", PROFILE, choices=("auto", "quick", "standard"))

    def __post_init__(self):
        check_fields(self)
        settle_profile(self)


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The page that shows one batch by weight."""

    attribute: str = option("Wearing_Hat", "of the drawn faces, whose weights are shown")
    batch_size: int = option(64, "images in the batch", low=16, high=256)
    epochs: int = option(300, "expected total epochs L (paper 4.3.1)", low=1)
    seed: int = option(4, "of the faces and the selection", low=0)

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A page that reads run records and trains nothing."""

    results: str = option("results/celeba-30k", "folder with run records")
    dataset: str = option("celeba", "whose records are read, by the data set's name in them")

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The page that holds every claim against the records."""

    results: str = option("results", "folder with the folders of run records")

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Folders(Report):
    """A report from two folders: of Table 4, and of learning rates."""

    results: str = option("results", "folder with the folders of run records")


@dataclass(frozen=True, kw_only=True)
class Length(Report):
    """The page on the length of training."""

    results: str = option("results/celeba-30k-length", "folder with run records of all lengths")


@dataclass(frozen=True, kw_only=True)
class Sensitivity(Folders):
    """The page on k, p, epsilon, margin and batch size."""

    dataset: str = option("faces", "whose records are read, by the data set's name in them")


@dataclass(frozen=True, kw_only=True)
class Choices(Report):
    """The page on what the paper leaves open."""

    results: str = option("results/open-choices", "folder with run records")
    dataset: str = option("faces", "whose records are read, by the data set's name in them")


@dataclass(frozen=True, kw_only=True)
class Peta(Report):
    """The page on Tables 5 and 6."""

    results: str = option("results/peta", "folder with a folder of records for each split")
    dataset: str = option("peta", "whose records are read, by the data set's name in them")


@dataclass(frozen=True, kw_only=True)
class Table7(Report):
    """The page on Table 7."""

    results: str = option("results/cifar100", "folder with a folder of records for each set")
    dataset: str = option("cifar100", "whose records are read, by the data set's name in them")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The page that tests published weights again."""

    record: str = option("results/celeba-30k/dcl-seed0.json", "with its .safetensors")
    data_root: str = option("", "folder with CelebA, to test the weights again")

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class Tabular:
    """The page that trains on a table."""

    seeds: int = option(10, "splits of the data into training and test", low=2)
    epochs: int = option(40, "of training", low=1)
    rare: int = option(40, "malignant tumours that are left", low=10, high=212)

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class YourData:
    """The page that says which method to use on a table of one's own."""

    table: str = option("", "a .csv, .tsv or .parquet file; without one, faces are drawn")
    images: str = option("", "folder or .zip of its images; without one, the table's own folder")
    labels: str = option("", "columns of labels, with commas between; without any, by their names")
    ignore: str = option("", "columns to leave out, with commas between")
    correction: str = option("logit-adjustment", "the simple correction that is tried beside")
    seeds: int = option(3, "trainings of each method", low=2)
    epochs: int = option(15, "times every row is seen", low=1)
    lr: float = option(0.05, "learning rate at the start, cosine to 0", above=0)
    height: int = option(44, "rows of the images in pixels", low=16)
    width: int = option(38, "columns of the images in pixels", low=16)
    backbone: str = option("small", "small for two cores, or a ResNet of torchvision")
    results: str = option("results/runs/your-data", "folder for the records")
    profile: str = option("auto", PROFILE, choices=("auto", "quick", "standard"))

    def __post_init__(self):
        check_fields(self)
        settle_profile(self)
