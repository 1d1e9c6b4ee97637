"""Configurations: one frozen dataclass per experiment, checked when made.

What all trainings share is `Training`; each data set adds its own in its file under ``dcl/data``.
A notebook's parameters, the command line and a record's ``config`` are all read by `from_values`,
so that a wrong name or value gets the same error everywhere.
"""

import difflib
import hashlib
import json
import math
import os
import sys
import types
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ..criterion import PRESETS, check_schedules
from ..methods.baselines import BASELINES
from ..sampling import NORMALISATIONS, SELECTIONS
from ..triplet import ANCHORS, REDUCTIONS

if TYPE_CHECKING:
    from torch import nn

    from ..data.resident import Dataset

# Options of the criterion, by who uses them
DCL_OPTIONS = frozenset({"sampling", "loss", "p", "epsilon", "decay", "normalisation", "selection"})
TRIPLET_OPTIONS = frozenset({"k", "margin", "anchors", "normalise", "squared", "reduction"})
BASELINE_OPTIONS = {
    "focal": frozenset({"gamma"}),
    "class-balanced": frozenset({"beta"}),
    "ldam-drw": frozenset({"beta"}),
    "logit-adjustment": frozenset({"tau"}),
    "lmle": frozenset({"cluster_size", "recluster_every", "neighbours", "warm_up"}),
    "crl-original": TRIPLET_OPTIONS - {"anchors"} | {"eta"},
}
METHOD_OPTIONS = DCL_OPTIONS | TRIPLET_OPTIONS | frozenset().union(*BASELINE_OPTIONS.values())
METHODS = (
    *PRESETS,
    "moved-threshold",
    "lmle",
    *(b for b in BASELINES if b != "ldam-drw"),
)  # of any task; ldam-drw is for a single label

PROFILE = "quick: a look in seconds; auto: $DCL_PROFILE or standard"
QUICK_SIZES = {"train": 1024, "val": 512, "test": 512}  # images, of profile quick


def used_options(method: str) -> frozenset[str]:
    """The options of a configuration that a method's criterion takes."""
    if method in PRESETS:
        return DCL_OPTIONS | TRIPLET_OPTIONS
    return BASELINE_OPTIONS.get(method, frozenset())


class ConfigError(ValueError):
    """A parameter that cannot be: names the value, what is allowed and what to do."""


def option(default: Any, doc: str, **limits) -> Any:
    """A dataclass field with its one-line documentation (unit, source) and limits.

    `limits`: ``choices``, ``low``, ``high`` (both allowed), ``above`` and ``below`` (not allowed).
    """
    return field(default=default, metadata={"doc": doc, **limits})


@dataclass(frozen=True, kw_only=True)
class Training:
    """What every training has. Each default says where it comes from.

    A data set derives its own from it, which sets `experiment`, adds fields, gives others another
    default, and defines `load` and `network`.
    """

    experiment = ""  # not a field: the name of the notebook and of the command line's choice

    method: str = option("dcl", "what to train", choices=METHODS)
    sampling: str | float = option(
        "convex", "sampling schedule g: a name or a number (paper 4.3.1)"
    )
    loss: str | float = option("composite", "loss schedule f: a name or a number (paper 4.3.1)")
    p: float = option(0.3, "self-learning point, share of the epochs (paper 4.3.1)", low=0, high=1)
    epsilon: float = option(0.1, "self-learning ratio (ours: the paper gives none)", low=0)
    decay: float = option(0.99, "lambda of the concave schedule (paper, Table 4)", above=0, below=1)
    k: int = option(25, "easy anchors, hard positives, hard negatives (paper 4.3.1)", low=1)
    margin: float = option(0.2, "triplet margin (paper 4.3.1)", low=0)
    anchors: str = option("easy", "triplet anchors: easy Eq. 9, all Eq. 8", choices=ANCHORS)
    normalisation: str = option(
        "proportion", "of the distributions of Eq. 5 (ours, see the book)", choices=NORMALISATIONS
    )
    selection: str = option("random", "of majority samples (paper, Eq. 7)", choices=SELECTIONS)
    normalise: bool = option(True, "L2-normalise features in the triplet loss (ours)")
    squared: bool = option(False, "squared distance in the triplet loss (ours)")
    reduction: str = option(
        "all", "triples that the mean is over (paper, Eq. 9)", choices=REDUCTIONS
    )
    gamma: float = option(2.0, "of focal (Lin et al. 2017)", low=0)
    beta: float = option(0.9999, "of class-balanced (Cui et al. 2019)", low=0, below=1)
    tau: float = option(1.0, "of logit-adjustment (Menon et al. 2021)", low=0)
    eta: float = option(0.01, "of crl-original (ours)", low=0)
    cluster_size: int = option(200, "samples of a cluster of lmle (Huang et al. 2016)", low=1)
    recluster_every: int = option(2, "epochs between two clusterings of lmle (ours)", low=1)
    neighbours: int = option(10, "centroids that lmle decides by (ours)", low=1)
    warm_up: float = option(
        0.5, "share of epochs with cross entropy first, of lmle (ours)", low=0, below=1
    )
    epochs: int = option(10, "times every image is seen (paper: 300)", low=1)
    batch_size: int = option(128, "images per step (paper: 512)", low=1)
    lr: float = option(0.01, "learning rate at the start, cosine to 0 (paper: 0.003)", above=0)
    momentum: float = option(0.9, "of SGD (ours: the paper names no optimiser)", low=0, below=1)
    weight_decay: float = option(0.0005, "L2 penalty (paper 4.3.1)", low=0)
    precision: str = option(
        "float32",
        "of the network in training; bfloat16 for a GPU (ours)",
        choices=("float32", "bfloat16"),
    )
    seed: int = option(
        0, "of data order, initialisation, flips and selection", low=0, high=2**63 - 1
    )
    data_root: str = option("", "folder with the data; without one, images are drawn")
    device: str = option("auto", "auto, cpu, cuda or cuda:N")
    results: str = option("results/runs", "folder for run records, or one .json file")
    keep_weights: bool = option(False, "keep the tested weights, as .safetensors by the record")
    profile: str = option("auto", PROFILE, choices=("auto", "quick", "standard"))

    def __post_init__(self):
        check_fields(self)
        _check("sampling or loss", lambda: check_schedules(self.sampling, self.loss))
        _fix_by_method(self)
        settle_profile(self)

    def load(self, *, show: bool = True) -> "Dataset":
        """The data set of this configuration; `show` progress bars."""
        raise NotImplementedError

    def network(self, data: "Dataset") -> "nn.Module":
        """The network for it: images -> logits (B, A, C), features (B, A, D)."""
        raise NotImplementedError

    def quick_sizes(self) -> dict[str, int]:
        """Images of each split that a quick look uses; nothing for the standard profile."""
        return QUICK_SIZES if self.profile == "quick" else {}

    def criterion_options(self) -> dict:
        """Arguments of the method's criterion, `dcl.DCLLoss` or `dcl.Baseline`."""
        options = {name: getattr(self, name) for name in used_options(self.method)}
        return options | PRESETS.get(self.method, {})

    def training(self) -> "Training":
        """What is trained: the moved threshold is another decision of cross entropy."""
        return replace(self, method="cross-entropy") if self.method == "moved-threshold" else self

    def identity(self, data: "Dataset") -> str:
        """Short hash of all that decides the metrics of the run: configuration and data."""
        if self.training() is not self:
            return self.training().identity(data)
        places = ("results", "data_root", "keep_weights")
        values = {k: v for k, v in asdict(self).items() if k not in places}
        text = json.dumps([values, data.fingerprint], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def record_path(self, data: "Dataset", method: str | None = None) -> Path:
        """Where this run's record goes: ``results/<data set>/<method>-seed<k>-<identity>.json``."""
        results = resolve(self.results)
        method = method or self.method
        if results.suffix == ".json":
            if method == self.method:
                return results
            named = results.name.replace(self.method, method)
            return results.with_name(named if named != results.name else f"{method}-{named}")
        return results / data.name / f"{method}-seed{self.seed}-{self.identity(data)}.json"

    replace = replace


def from_values(cls: type, values: dict[str, Any]):
    """A configuration from names and values, as a notebook, a command line or a record gives them.

    Raises
    ------
    ConfigError
        For a name that `cls` does not have, with the nearest ones, and for a wrong value.
    """
    known = [spec.name for spec in fields(cls)]
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            raise ConfigError(
                f"unknown parameter {name!r}{f': did you mean {near[0]!r}?' if near else ''} "
                f"{cls.__name__} takes {', '.join(known)}"
            )
    return cls(**values)


def from_notebook(cls: type, namespace: dict[str, Any]):
    """A configuration from a notebook's globals right after its parameters.

    Every plain value defined so far must be a parameter: papermill only warns about a name that
    the notebook does not have, and a misspelt one would train the default.
    """
    ours = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_")
        and name not in ("In", "Out")
        and (value is None or type(value) in (bool, int, float, str, list, dict, tuple))
    }
    return from_values(cls, ours)


def resolve(path: str | Path) -> Path:
    """`path` from the project's root where the current folder lies in it, else from there.

    Papermill runs a notebook in the caller's folder, the book and nbval in the notebook's: inside
    a checkout a relative path means the same for all.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file() and (folder / "dcl" / "__init__.py").is_file():
            return folder / Path(path).expanduser()
    return here / Path(path).expanduser()


def settle_profile(config) -> None:
    """Replace profile ``auto`` by the environment's, or standard."""
    if config.profile == "auto":
        profile = os.environ.get("DCL_PROFILE", "standard")
        if profile not in ("quick", "standard"):
            raise ConfigError(f"DCL_PROFILE must be quick or standard, got {profile!r}")
        object.__setattr__(config, "profile", profile)


def _fix_by_method(config) -> None:
    """Set the options that the method fixes; refuse others for options that it does not have."""
    defaults = {spec.name: spec.default for spec in fields(config)}
    fixed = {k: v for k, v in PRESETS.get(config.method, {}).items() if k in defaults}
    for name, value in fixed.items():
        if getattr(config, name) not in (defaults[name], value):
            raise ConfigError(
                f"method {config.method!r} has {name} = {value!r} by definition, got "
                f"{getattr(config, name)!r}: leave {name} out, or choose method 'dcl'"
            )
        object.__setattr__(config, name, value)
    for name in METHOD_OPTIONS - used_options(config.method) - fixed.keys():
        if getattr(config, name) != defaults[name]:
            raise ConfigError(
                f"method {config.method!r} has no {name}: leave it out, or choose another method"
            )


def check_fields(config) -> None:
    """Replace each field's value by the one of the field's type, or raise a ConfigError."""
    for spec in fields(config):
        object.__setattr__(config, spec.name, _checked(spec, getattr(config, spec.name)))


def _checked(spec, value: Any) -> Any:
    """`value` as the field's type, or a ConfigError that says what the field takes."""
    limits = spec.metadata
    kinds = get_args(spec.type) if isinstance(spec.type, types.UnionType) else (spec.type,)
    if float in kinds and type(value) is int:
        value = float(value) if abs(value) <= sys.float_info.max else math.inf  # refused below
    if type(value) not in kinds:
        words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
        allowed = " or ".join(words[kind] for kind in kinds)
        raise ConfigError(f"{spec.name} must be {allowed}, got {value!r}: {limits['doc']}")
    wrong = None
    if "choices" in limits and value not in limits["choices"]:
        wrong = f"one of {', '.join(limits['choices'])}"
    elif isinstance(value, int | float):
        rules = (
            ("low", "at least", lambda x, y: x >= y),
            ("high", "at most", lambda x, y: x <= y),
            ("above", "more than", lambda x, y: x > y),
            ("below", "less than", lambda x, y: x < y),
        )
        present = [(word, limits[key], rule) for key, word, rule in rules if key in limits]
        if value != value or abs(value) == float("inf"):
            wrong = "finite"
        elif not all(rule(value, limit) for _, limit, rule in present):
            wrong = " and ".join(f"{word} {limit}" for word, limit, _ in present)
    if wrong:
        raise ConfigError(f"{spec.name} must be {wrong}, got {value!r}: {limits['doc']}")
    return value


def _check(what: str, check) -> None:
    try:
        check()
    except ValueError as error:
        raise ConfigError(f"{what}: {error}") from None
