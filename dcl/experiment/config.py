"""Configurations: one frozen dataclass per experiment, checked when made.

A field says all of itself in one place, `option`: default, meaning and limits. A notebook's
parameters, the command line and a record's ``config`` all become keywords of the same class, so
that a wrong name or value gets the same error everywhere. `Training` has the fields that all
trainings share, `datasets.py` those of each data set.
"""

import difflib
import hashlib
import inspect
import json
import math
import operator
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import torch

from ..methods import METHODS, TASKS, Method, Option, find
from .machine import resolve

if TYPE_CHECKING:
    from torch import nn

    from ..data.resident import Dataset

PAPER_EPOCHS = 300
QUICK_SIZES = {"train": 640, "val": 320, "test": 320}  # images, of profile quick
QUICK_EPOCHS = 2

NUMBERS = ("train_images", "train_part", "drawn_faces")  # options that say how many images
OURS = (__name__, f"{__package__}.datasets")  # whose classes name the module that loads their data


class ConfigError(ValueError):
    """A parameter that cannot be: names the value, what is allowed and what to do."""


def option(
    default: Any,
    doc: str,
    *,
    choices: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    only: str | None = None,
    decides: str = "by its value",
) -> Any:
    """A field of a configuration: its default, one line of meaning (unit, source) and limits.

    `low` and `high` are allowed, `above` and `below` are not. `only` is "real" or "drawn": of data
    from a data_root alone, or of drawn ones. `decides` says how it decides the numbers of a run,
    which is what the name of a record holds: "by its value", "by its file", whose path it is, or
    "nothing": it says where something lies.
    """
    limits = {"choices": choices, "low": low, "high": high, "above": above, "below": below}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    about = {"doc": doc, "limits": given, "only": only, "decides": decides}
    return field(default=default, metadata=about)


def option_of(cls: type, name: str, default: Any = MISSING) -> Any:
    """The field of another configuration, with its meaning and limits, here with this default."""
    (spec,) = (spec for spec in fields(cls) if spec.name == name)
    return field(default=spec.default if default is MISSING else default, metadata=spec.metadata)


def kinds_of(spec: Field) -> tuple[type, ...]:
    """The types that a field's value may have."""
    return get_args(spec.type) or (spec.type,)


def checked(
    name: str,
    value: Any,
    kinds: tuple[type, ...],
    doc: str,
    choices: Sequence[str] | None = None,
    **limits: float,
) -> Any:
    """`value` as one of these types, finite and within its limits, see `option`.

    Raises
    ------
    ConfigError
        Which says what is allowed.
    """
    if float in kinds and type(value) is int:
        value = float(value) if abs(value) <= sys.float_info.max else math.inf  # refused below
    words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
    rules = [
        (word, limits[key], rule)
        for key, word, rule in (
            ("low", "at least", operator.ge),
            ("high", "at most", operator.le),
            ("above", "more than", operator.gt),
            ("below", "less than", operator.lt),
        )
        if key in limits
    ]
    if type(value) not in kinds:
        allowed = " or ".join(words[kind] for kind in kinds)
    elif isinstance(value, float) and not math.isfinite(value):
        allowed = "finite"
    elif choices is not None and value not in choices:
        allowed = f"one of {', '.join(choices)}"
    elif not all(rule(value, limit) for _, limit, rule in rules):
        allowed = " and ".join(f"{word} {limit}" for word, limit, _ in rules)
    else:
        return value
    raise ConfigError(f"{name} must be {allowed}, got {value!r}{f': {doc}' if doc else ''}")


def unknown(name: str, known: Sequence[str], who: str) -> ConfigError:
    """The error for a parameter that `who` does not have, with the nearest one that it has."""
    near = difflib.get_close_matches(name, known, n=1)
    return ConfigError(
        f"unknown parameter {name!r}:{f' did you mean {near[0]!r}?' if near else ''} "
        f"{who} takes {', '.join(known)}"
    )


@contextmanager
def as_config_error() -> Iterator[None]:
    """What the library refuses becomes a ConfigError, which the command line says in one line."""
    try:
        yield
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from None


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Config:
    """Values by name, each a field made by `option` and checked; another name is refused.

    A field `profile` of ``auto`` becomes the environment's, or standard.
    """

    def __init__(self, **values: Any):
        for spec in fields(self):
            value = values.pop(spec.name, spec.default)
            doc, limits = spec.metadata["doc"], spec.metadata["limits"]
            value = checked(spec.name, value, kinds_of(spec), doc, **limits)
            object.__setattr__(self, spec.name, value)
        self.take(values)
        self.check()
        if getattr(self, "profile", "") == "auto":
            profile = os.environ.get("DCL_PROFILE", "standard")
            if profile not in ("quick", "standard"):
                raise ConfigError(f"DCL_PROFILE must be quick or standard, got {profile!r}")
            object.__setattr__(self, "profile", profile)

    def take(self, others: dict[str, Any]) -> None:
        """Take the values that are no fields: here none."""
        for name in others:
            raise unknown(name, [spec.name for spec in fields(self)], type(self).__name__)

    def changed(self) -> list[Field]:
        """The fields whose value is not the default."""
        return [spec for spec in fields(self) if getattr(self, spec.name) != spec.default]

    def check(self) -> None:
        """Checks that a subclass adds; raises a ConfigError."""


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Training(Config):
    """What every training has. Each default says where it comes from.

    A data set derives a class from it, which sets `experiment`, adds fields, changes defaults, and
    defines `load` and `network`. A configuration also takes the options of its method, and has them
    as attributes: `method_options`.
    """

    # not a field: its name in `DATASETS`, also of its notebook; outside package.module:Name
    experiment = ""
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
    data_root: str = option(
        "", "folder with the data; without one, images are drawn", decides="nothing"
    )
    train_part: int = option(
        0,
        "train on at most so many real images, whole persons, drawn by seed; 0: all",
        low=0,
        only="real",
    )
    device: str = option("auto", "auto, cpu, cuda or cuda:N")
    results: str = option(
        "results/runs", "folder for run records, or one .json file", decides="nothing"
    )
    keep_weights: bool = option(
        False, "keep the tested weights, as .safetensors by the record", decides="nothing"
    )
    keep_scores: bool = option(
        False, "keep the scores of val and test, as .npz by the record", decides="nothing"
    )
    profile: str = option(
        "auto",
        "quick: a look in seconds; auto: $DCL_PROFILE or standard",
        choices=("auto", "quick", "standard"),
    )

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

    @classmethod
    def options(cls, *methods: str) -> dict[str, Option]:
        """By name: its fields, the options of every method, and of `methods` named by place."""
        with as_config_error():
            entries = [*METHODS.values(), *map(find, methods)]
        of_methods = {name: spec for entry in entries for name, spec in entry.options.items()}
        of_class = {
            spec.name: Option(spec.default, kinds_of(spec), spec.metadata["doc"])
            for spec in fields(cls)
        }
        return of_class | {k: spec for k, spec in of_methods.items() if k not in of_class}

    def take(self, others: dict[str, Any]) -> None:
        """The method's options, given or default; what it fixes or does not have is refused."""
        with as_config_error():
            entry = self.entry
        usual = {name: spec.default for name, spec in self.options().items()}
        self._check_names(entry)
        for name, value in others.items():
            if name in entry.options:
                continue
            if name not in usual and name not in entry.fixed:
                if name in inspect.signature(entry.signature or entry.build).parameters:
                    raise ConfigError(
                        f"{name} of method {self.method!r} is no option: to make it one, write "
                        f'{name}: Annotated[type, "its meaning"] = default after the * in its '
                        f"function"
                    )
                raise unknown(name, list(usual | entry.options), type(self).__name__)
            if value in [values[name] for values in (usual, entry.fixed) if name in values]:
                continue
            if name in entry.fixed:
                raise ConfigError(
                    f"method {self.method!r} has {name} = {entry.fixed[name]!r} by definition, "
                    f"got {value!r}: leave {name} out, or choose method 'dcl'"
                )
            users = [user.name for user in METHODS.values() if name in user.options]
            raise ConfigError(
                f"method {self.method!r} has no {name}: leave it out, or choose one of "
                f"{', '.join(users)}"
            )
        options = {
            name: checked(name, others.get(name, spec.default), spec.kinds, spec.doc)
            for name, spec in entry.options.items()
        }
        # What else an option cannot be, the criterion says
        counts = torch.tensor([[3, 2, 1]] if self.single_label else [[3, 2]])
        with as_config_error(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is warned of, these counts may have alone
            if entry.tasks == "single-label" and not self.single_label:
                raise ValueError(
                    f"method {self.method!r} is for {TASKS[entry.tasks]} and a network made for "
                    f"it, as those of cifar100, not for {type(self).__name__}: choose another"
                )
            entry.criterion(counts, self.epochs, seed=self.seed, **options)
        object.__setattr__(self, "method_options", options)
        for name in entry.stretches:
            if not 0 < (stretched := self.criterion_options()[name]) < 1:
                raise ConfigError(
                    f"{name} {options[name]!r} is {stretched} when stretched from {PAPER_EPOCHS} "
                    f"to {self.epochs} epochs, and must lie in (0, 1): choose another, or stretch "
                    f"false"
                )
        for spec in self.changed():
            if spec.name in self.without_effect(self.data_root):
                name, value = spec.name, getattr(self, spec.name)
                raise ConfigError(
                    f"{name} is of drawn images, but data_root is {self.data_root!r}: leave {name} "
                    f"out, got {value!r}. train_part trains on some of the real ones"
                    if self.data_root
                    else f"{name} is of real data: give a data_root, or leave {name} out, got "
                    f"{value!r}"
                )

    def _check_names(self, entry: Method) -> None:
        """Refuse an option by whose name a record or a notebook would give something else."""
        own = {spec.name for spec in fields(self)}
        for name in (*entry.fixed, *entry.options):
            if name in own:
                raise ConfigError(
                    f"option {name!r} of method {self.method!r} is also a parameter of every "
                    f"training of {type(self).__name__}: call it otherwise"
                )
        for name, option in entry.options.items():
            others = {
                user.name: user.options[name].default
                for user in METHODS.values()
                if name in user.options and user.options[name].default != option.default
            }
            if others:
                raise ConfigError(
                    f"option {name!r} of method {self.method!r} is {option.default!r} by default, "
                    f"that of {' and '.join(others)} {next(iter(others.values()))!r}, which a "
                    f"notebook gives to every method: take that default, or call it otherwise"
                )

    @classmethod
    def places(cls) -> set[str]:
        """Fields that decide no number, such as where something lies."""
        return {spec.name for spec in fields(cls) if spec.metadata["decides"] == "nothing"}

    @classmethod
    def without_effect(cls, data_root: str) -> list[str]:
        """Fields that are of real data alone, where there is no data_root, or of drawn ones."""
        other = "drawn" if data_root else "real"
        return [spec.name for spec in fields(cls) if spec.metadata["only"] == other]

    def load(self, *, show: bool = True) -> "Dataset":
        """The data set of this configuration; `show` progress bars."""
        raise NotImplementedError(f"{type(self).__name__} defines no load, which gives its Dataset")

    def network(self, data: "Dataset") -> "nn.Module":
        """The network for it: images -> logits (B, A, C), features (B, A, D)."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no network(data), which gives its module: images -> "
            f"logits (B, A, C), features (B, A, D)"
        )

    def blank_network(self, data: "Dataset") -> "nn.Module":
        """The same network without pretrained weights: for those of a record."""
        return self.network(data)

    def train_part_of(self, data: "Dataset") -> "Dataset":
        """The data set with `train_part` of its training images; all, if that is 0."""
        return data.with_train_part(self.train_part, self.seed) if self.train_part else data

    def quick_sizes(self) -> dict[str, int]:
        """Images of each split that a quick look uses; nothing where their number is given."""
        given = any(spec.name in NUMBERS for spec in self.changed())
        return QUICK_SIZES if self.profile == "quick" and not given else {}

    @property
    def trained_epochs(self) -> int:
        """L: the epochs asked for, or a few for a quick look."""
        return min(self.epochs, QUICK_EPOCHS) if self.profile == "quick" else self.epochs

    def criterion_options(self) -> dict[str, Any]:
        """The method's options as its criterion takes them: with the decay of this length."""
        options = dict(self.method_options)
        for name in self.entry.stretches if self.stretch else ():  # the paper's curve, stretched
            options[name] **= PAPER_EPOCHS / self.trained_epochs
        return options

    def recorded(self) -> dict[str, Any]:
        """Every value in use, by name: the fields, and what the method takes or fixes."""
        values = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        if not self.entry.stretches:
            del values["stretch"]
        if not self.train_part:  # as in records older than this option
            del values["train_part"]
        return values | dict(self.entry.fixed) | self.method_options

    def replace(self, **changes: Any) -> "Training":
        """The same configuration with other values."""
        return type(self)(**self.recorded() | changes)

    @classmethod
    def modules(cls) -> tuple[str, ...]:
        """The modules that its data and its network come from, but for `datasets.py` itself."""
        own = (c.__module__ for c in cls.__mro__ if issubclass(c, Training))
        return cls.data_module, *(name for name in own if name not in OURS)

    def identity(self, data: "Dataset") -> str:
        """Short hash of all that decides the metrics of the run: configuration and data.

        Of a class outside the checkout also its place and the text of its file: two of them may
        have the same fields and data, and other networks.
        """
        values = {k: v for k, v in self.recorded().items() if k not in self.places()}
        for spec in fields(self):
            if spec.metadata["decides"] == "by its file" and values[spec.name]:
                content = resolve(values[spec.name]).read_bytes()
                values[spec.name] = hashlib.sha256(content).hexdigest()
        parts = [values, data.fingerprint, data.sizes]
        if ":" in self.experiment:
            texts = [inspect.getsource(sys.modules[name]) for name in self.modules()[1:]]
            parts += [self.experiment, *texts]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def record_path(self, data: "Dataset") -> Path:
        """Where this run's record goes: ``results/<data set>/<method>-seed<k>-<identity>.json``."""
        results = resolve(self.results)
        if results.suffix == ".json":
            return results
        name = self.method.replace(":", ".")
        return results / data.name / f"{name}-seed{self.seed}-{self.identity(data)}.json"


def plain_values(namespace: dict[str, Any]) -> dict[str, Any]:
    """The plain values among a notebook's globals: its parameters, where nothing else ran yet.

    Papermill only warns about a name that the notebook does not have: it is here as well, and a
    misspelt one would leave the default in use.
    """
    kinds = (bool, int, float, str, list, dict, tuple, type(None))
    return {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in ("In", "Out") and type(value) in kinds
    }


def from_notebook(cls: type[Config], namespace: dict[str, Any]) -> Any:
    """A configuration from a notebook's globals right after its parameters, see `plain_values`."""
    return cls(**plain_values(namespace))
