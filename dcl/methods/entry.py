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
        What it wants of a network: ``cosine``.
    decisions : tuple of str
        Ways to decide that it is tested with; the first is the one it was made for.
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

    def __post_init__(self):
        choose("tasks", self.tasks, tuple(TASKS))
        for decision in self.decisions:
            choose("decision", decision, DECISIONS)

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
            options[name] = Option(parameter.default, plain, doc)
    return options
