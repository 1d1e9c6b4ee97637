"""Registry entry of a method: how to build its criterion, and its options."""

import difflib
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from ..checks import SMOOTHING, choose
from ..criterion import DCLLoss
from ..evaluation.decisions import DECISIONS
from ..protocol import Criterion

TASKS = {
    "any": "attributes of any number of classes",
    "binary": "yes-or-no attributes",
    "single-label": "a single label",
}


@dataclass(frozen=True)
class Option:
    """An option of a method's criterion: default, types of its value and one line of meaning."""

    default: Any
    kinds: tuple[type, ...]
    doc: str


@dataclass(frozen=True)
class Method:
    """One method: which criterion it builds, with which options, and what it asks for.

    Parameters
    ----------
    name : str
        Of the command line, the grids, the records and the tables.
    build : callable
        ``(class_counts, epochs, *, classes, seed, **options)`` -> `dcl.protocol.Criterion`.
    summary : str
        What it does, in a few words.
    colour : str
        In every figure.
    fixed : mapping
        Options that it has by definition.
    signature : callable, optional
        Its keyword-only parameters annotated ``Annotated[type, "meaning"]`` are the options;
        `build` without it.
    uses : tuple of str, optional
        Options that it takes; all of the signature without it.
    tasks : {"any", "binary", "single-label"}
    network : mapping
        Arguments that the network is made with: ``cosine``, which all of `dcl.networks` take.
    decisions : tuple of str
        Of `dcl.DECISIONS`, ``argmax`` and those that it is tested with, too.
    stretches : tuple of str
        Options that are factors per epoch of a training of 300 epochs, as the paper's ``decay``: a
        training of another length takes ``option ** (300 / epochs)``, unless ``stretch`` is False.

    Raises
    ------
    ValueError
        For what cannot be, when the entry is made: an option that its function does not have or
        that no command line could give, a fixed value that no record could hold.
    """

    name: str
    build: Callable[..., Any]
    summary: str
    colour: str = "#888888"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    signature: Callable[..., Any] | None = None
    uses: tuple[str, ...] | None = None
    tasks: str = "any"
    network: Mapping[str, Any] = field(default_factory=dict)
    decisions: tuple[str, ...] = DECISIONS
    stretches: tuple[str, ...] = ()

    def __post_init__(self):
        choose("tasks", self.tasks, tuple(TASKS))
        for decision in self.decisions:
            choose("decision", decision, DECISIONS)
        if self.decisions[:1] != ("argmax",):
            raise ValueError(
                f"method {self.name!r}: decisions begin with argmax, by which every run is chosen "
                f"and checked, got {self.decisions}"
            )
        if isinstance(self.build, functools.partial) and self.signature is None:
            raise ValueError(
                f"method {self.name!r}: the options of a partial cannot be read. Give signature=, "
                f"the function whose options they are"
            )
        for name, value in self.fixed.items():
            if not isinstance(value, bool | int | float | str):
                raise ValueError(
                    f"method {self.name!r} fixes {name} to {value!r}, which no record can hold: "
                    f"fix a number, a text or True or False, or let build give it, as "
                    f"build=partial(DCLLoss, {name}=...), signature=DCLLoss, uses=(...) does"
                )
        every = options_of(self.signature or self.build)
        for name in self.uses or ():
            choose(f"option of method {self.name!r}", name, tuple(every))
        for name in self.stretches:
            choose(f"option that method {self.name!r} stretches", name, tuple(self.options))

    @property
    def options(self) -> dict[str, Option]:
        """Its options by name: what the configuration, the command line and the book show."""
        every = options_of(self.signature or self.build)
        names = every if self.uses is None else self.uses
        return {name: every[name] for name in names if name not in self.fixed}

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that define its numbers."""
        made_by = (getattr(self.build, "func", self.build), self.signature)  # of a partial: func
        return tuple({function.__module__: None for function in made_by if function is not None})

    def criterion(self, class_counts, epochs: float, **options: Any) -> Criterion:
        """Its criterion for a training set."""
        return self.build(class_counts, epochs, **dict(self.fixed) | options)

    def check_names(self, options: Mapping[str, Any]) -> None:
        """A TypeError for an option that it does not have or has by definition."""
        known = (*self.options, "classes", "seed")
        for name in options:
            if name in self.fixed:
                raise TypeError(
                    f"method {self.name!r} has {name} = {self.fixed[name]!r} by definition: leave "
                    f"{name} out"
                )
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                words = f"method {self.name!r} has no option {name!r}: {hint}It has "
                more = SMOOTHING if name == "label_smoothing" else self._taker_of(name)
                raise TypeError(words + ", ".join(known) + more)

    def _taker_of(self, name: str) -> str:
        """The class that takes an argument which is no option of the method, for an error."""
        made_by = self.signature or self.build
        if not inspect.isclass(made_by) or name not in inspect.signature(made_by).parameters:
            return ""
        call = f"{made_by.__module__}.{made_by.__name__}(class_counts, epochs, {name}=...)"
        if made_by is DCLLoss:
            call = f"dcl.DCLLoss(class_counts, epochs, {name}=..., **dcl.PRESETS[{self.name!r}])"
        return f". {call} takes {name}"


@functools.cache  # asked for at every configuration, and slow
def options_of(function: Callable[..., Any]) -> dict[str, Option]:
    """The annotated keyword-only parameters of a function or of a class's constructor."""
    function = function.__init__ if inspect.isclass(function) else function
    hints = typing.get_type_hints(function, include_extras=True)
    options: dict[str, Option] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if parameter.kind is parameter.KEYWORD_ONLY and typing.get_origin(hint) is Annotated:
            kind, doc = typing.get_args(hint)[:2]
            kinds = typing.get_args(kind) or (kind,)
            plain = tuple(k for k in kinds if k in (int, float, str, bool))
            what = f"option {name!r} of {function.__qualname__}"
            if not plain:
                raise ValueError(
                    f"{what} is a {kind}, which no command line gives: annotate it int, float, "
                    f"str or bool, and let the function refuse other values"
                )
            default = parameter.default
            if default is parameter.empty:
                raise ValueError(f"{what} has no default: give it one")
            if type(default) not in plain and not (type(default) is int and float in plain):
                allowed = " or ".join(kind.__name__ for kind in plain)
                raise ValueError(f"{what} is {default!r} by default: give it one of {allowed}")
            options[name] = Option(default, plain, doc)
    return options
