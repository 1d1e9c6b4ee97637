"""What a method is to the rest of the project: one entry, and nobody asks for its name."""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from ..evaluation.decisions import DECISIONS

TASKS = {
    "any": "attributes of any number of classes",
    "binary": "yes-or-no attributes",
    "single-label": "a single label",
}


@dataclass(frozen=True)
class Option:
    """An option of a method's criterion: default, kinds of value and one line of meaning."""

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
        ``(class_counts, epochs, *, classes, seed, **options)`` -> `dcl.protocol.Criterion`. Its
        options are the keyword-only parameters annotated ``Annotated[type, "meaning"]``.
    summary : str
        What it does, in a few words.
    colour : str
        In every figure.
    fixed : mapping
        Options that it has by definition.
    uses : tuple of str, optional
        Options that it takes; all of `build` without it.
    tasks : {"any", "binary", "single-label"}
    network : mapping
        What it wants of a network: ``cosine``.
    decisions : tuple of str
        Ways to decide that it is tested with, the first of them its own.
    """

    name: str
    build: Callable[..., Any]
    summary: str
    colour: str = "#888888"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    uses: tuple[str, ...] | None = None
    tasks: str = "any"
    network: Mapping[str, Any] = field(default_factory=dict)
    decisions: tuple[str, ...] = DECISIONS

    @property
    def options(self) -> dict[str, Option]:
        """Its options by name: what the configuration, the command line and the book show."""
        found = options_of(self.build)
        names = found if self.uses is None else self.uses
        return {name: found[name] for name in names if name not in self.fixed}

    def criterion(self, class_counts, epochs: float, **options: Any):
        """Its criterion for a training set."""
        return self.build(class_counts, epochs, **dict(self.fixed) | options)


def options_of(build: Callable[..., Any]) -> dict[str, Option]:
    """The annotated keyword-only parameters of a criterion; ``**options`` adds DCLLoss's."""
    function = build.__init__ if inspect.isclass(build) else build
    hints = typing.get_type_hints(function, include_extras=True)
    found: dict[str, Option] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD and name == "options":
            from ..criterion import DCLLoss

            found = options_of(DCLLoss) | found
        hint = hints.get(name)
        if parameter.kind is parameter.KEYWORD_ONLY and typing.get_origin(hint) is Annotated:
            kind, doc = typing.get_args(hint)[:2]
            kinds = typing.get_args(kind) or (kind,)
            plain = tuple(k for k in kinds if k in (int, float, str, bool))
            found[name] = Option(parameter.default, plain, doc)
    return found
