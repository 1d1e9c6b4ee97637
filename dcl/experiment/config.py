"""Configurations: one frozen dataclass per experiment, checked when made.

`Training` has the fields that all trainings share, and `datasets.py` those of each data set.
A notebook's parameters, the command line and a record's ``config`` are all read by `from_values`,
so that a wrong name or value gets the same error everywhere.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..methods import METHODS, TASKS, Method, Option, find
from .fields import (
    PROFILE,
    PROFILES,
    ConfigError,
    as_config_error,
    check_fields,
    option,
    plain_values,
    resolve,
    settle_profile,
    typed,
    unknown,
)

if TYPE_CHECKING:
    from torch import nn

    from ..data.resident import Dataset

PAPER_EPOCHS = 300
QUICK_SIZES = {"train": 1024, "val": 512, "test": 512}  # images, of profile quick


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Training:
    """What every training has. Each default says where it comes from.

    A data set derives its own from it, which sets `experiment`, adds fields, gives others another
    default, and defines `load` and `network`. Beside its fields a configuration takes the options
    of its method, `method_options`, and has them as attributes.
    """

    experiment = ""  # not a field: the name of the notebook and of the command line's choice
    data_module = ""  # not a field: the module that loads the data, whose files a record hashes
    single_label = False  # not a field: whether the data have one label of many classes

    method: str = option("dcl", "what to train: a name, or package.module:ENTRY")
    curriculum: str = option(
        "step",
        "how schedules move: by step (ours), or epoch, which a short training does not finish",
        choices=("step", "epoch"),
    )
    stretch: bool = option(
        True, "decay is for the paper's 300 epochs and becomes decay ** (300 / epochs) (ours)"
    )
    epochs: int = option(10, "times every image is seen (paper: 300)", low=1)
    batch_size: int = option(128, "images per step (paper: 512)", low=1)
    lr: float = option(0.01, "learning rate at the start, cosine to 0 (paper: 0.003)", above=0)
    momentum: float = option(0.9, "of SGD (ours: the paper names no optimiser)", low=0, below=1)
    weight_decay: float = option(0.0005, "L2 penalty (paper 4.3.1)", low=0)
    precision: str = option(
        "float32",
        "of the network in training; auto: bfloat16 where the hardware multiplies it (ours)",
        choices=("float32", "bfloat16", "auto"),
    )
    seed: int = option(
        0, "of data order, initialisation, flips and selection", low=0, high=2**32 - 1
    )
    data_root: str = option("", "folder with the data; without one, images are drawn")
    train_part: int = option(
        0,
        "train on at most so many real images, whole persons, drawn by seed; 0: all",
        low=0,
    )
    device: str = option("auto", "auto, cpu, cuda or cuda:N")
    results: str = option("results/runs", "folder for run records, or one .json file")
    keep_weights: bool = option(False, "keep the tested weights, as .safetensors by the record")
    keep_scores: bool = option(False, "keep the scores of val and test, as .npz by the record")
    profile: str = option("auto", PROFILE, choices=PROFILES)

    def __init__(self, **values: Any):
        own = {spec.name: spec.default for spec in fields(self)}
        given = {name: value for name, value in values.items() if name not in own}
        for name, default in own.items():
            object.__setattr__(self, name, values.get(name, default))
        check_fields(self)
        object.__setattr__(self, "method_options", self._options(given))
        if self.train_part and not self.data_root:
            raise ConfigError(
                f"train_part is of a real data set, in data_root, got {self.train_part}: of drawn "
                f"images you choose how many are drawn"
            )
        self.check()
        settle_profile(self)

    def check(self) -> None:
        """What a data set's own configuration checks besides; raises a ConfigError."""

    def __getattr__(self, name: str) -> Any:
        options = self.__dict__.get("method_options", {})
        if name in options:
            return options[name]
        raise AttributeError(f"{type(self).__name__} with method {self.method!r} has no {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.recorded() == other.recorded()

    def __hash__(self) -> int:
        return hash(json.dumps(self.recorded(), sort_keys=True))

    @property
    def entry(self) -> Method:
        """The entry of the method."""
        return find(self.method)

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        """The method's options, given or default; what it fixes or does not have is refused."""
        with as_config_error():
            entry = self.entry
        own, every = entry.options, method_options()
        for name, value in given.items():
            if name in own:
                continue
            if name in entry.fixed:
                if value not in (entry.fixed[name], every[name].default):
                    raise ConfigError(
                        f"method {self.method!r} has {name} = {entry.fixed[name]!r} by definition, "
                        f"got {value!r}: leave {name} out, or choose method 'dcl'"
                    )
            elif name not in every:
                raise _unknown(type(self), name)
            elif value != every[name].default:
                users = [user.name for user in METHODS.values() if name in user.options]
                raise ConfigError(
                    f"method {self.method!r} has no {name}: leave it out, or choose one of "
                    f"{', '.join(users)}"
                )
        options = {
            name: typed(name, given.get(name, spec.default), spec.kinds, spec.doc)
            for name, spec in own.items()
        }
        # What else an option cannot be, the criterion says
        counts = torch.tensor([[3, 2, 1]] if self.single_label else [[3, 2]])
        with as_config_error():
            if entry.tasks == "single-label" and not self.single_label:
                raise ValueError(
                    f"method {self.method!r} is for {TASKS[entry.tasks]}, not for "
                    f"{type(self).__name__}"
                )
            entry.criterion(counts, self.epochs, seed=self.seed, **options)
        return options

    def load(self, *, show: bool = True) -> "Dataset":
        """The data set of this configuration; `show` progress bars."""
        raise NotImplementedError

    def network(self, data: "Dataset") -> "nn.Module":
        """The network for it: images -> logits (B, A, C), features (B, A, D)."""
        raise NotImplementedError

    def train_part_of(self, data: "Dataset") -> "Dataset":
        """The data set with `train_part` of its training images; all, if that is 0."""
        return data.with_train_part(self.train_part, self.seed) if self.train_part else data

    def quick_sizes(self) -> dict[str, int]:
        """Images of each split that a quick look uses; nothing for the standard profile."""
        return QUICK_SIZES if self.profile == "quick" else {}

    def criterion_options(self) -> dict[str, Any]:
        """The method's options as its criterion takes them: with the decay of this length."""
        options = dict(self.method_options)
        if "decay" in options and self.stretch:  # the paper's own curve, stretched
            options["decay"] **= PAPER_EPOCHS / self.epochs
        return options

    def recorded(self) -> dict[str, Any]:
        """Every value that counts, by name: fields, and what the method uses or fixes."""
        values = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        if "decay" not in self.method_options:
            del values["stretch"]
        if not self.train_part:  # a run on all images is what it was before there was a choice
            del values["train_part"]
        return values | dict(self.entry.fixed) | self.method_options

    def replace(self, **changes: Any) -> "Training":
        """The same configuration with other values."""
        return type(self)(**self.recorded() | changes)

    def identity(self, data: "Dataset") -> str:
        """Short hash of all that decides the metrics of the run: configuration and data."""
        places = ("results", "data_root", "images", "keep_weights", "keep_scores")
        values = {k: v for k, v in self.recorded().items() if k not in places}
        text = json.dumps([values, data.fingerprint], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def record_path(self, data: "Dataset") -> Path:
        """Where this run's record goes: ``results/<data set>/<method>-seed<k>-<identity>.json``."""
        results = resolve(self.results)
        if results.suffix == ".json":
            return results
        name = self.method.replace(":", ".")
        return results / data.name / f"{name}-seed{self.seed}-{self.identity(data)}.json"


def method_options() -> dict[str, Option]:
    """Every option that any method has."""
    return {name: spec for entry in METHODS.values() for name, spec in entry.options.items()}


def _unknown(cls: type, name: str) -> ConfigError:
    known = [spec.name for spec in fields(cls)]
    known += list(method_options()) if issubclass(cls, Training) else []
    return unknown(name, known, cls.__name__)


def from_values(cls: type, values: dict[str, Any]):
    """A configuration from names and values, as a notebook, a command line or a record gives them.

    Raises
    ------
    ConfigError
        For a name that `cls` does not have, with the nearest ones, and for a wrong value.
    """
    known = {spec.name for spec in fields(cls)}
    known |= set(method_options()) if issubclass(cls, Training) else set()
    if issubclass(cls, Training) and ":" in str(values.get("method", "")):
        with as_config_error():
            known |= set(find(values["method"]).options)
    for name in values:
        if name not in known:
            raise _unknown(cls, name)
    return cls(**values)


def from_record(cls: type, record: dict[str, Any], **places: str):
    """The configuration of a record's run, with `places` such as ``data_root`` for the record's."""
    return from_values(cls, record["config"] | places)


def from_notebook(cls: type, namespace: dict[str, Any]):
    """A configuration from a notebook's globals right after its parameters.

    Every plain value defined so far must be a parameter, see `plain_values`.
    """
    return from_values(cls, plain_values(namespace))
