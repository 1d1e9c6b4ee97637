"""Fields of a configuration: default, meaning and limits in one place, checked when it is made."""

import difflib
import math
import os
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, fields
from pathlib import Path
from typing import Any, get_args

PROFILE = "quick: a look in seconds; auto: $DCL_PROFILE or standard"
PROFILES = ("auto", "quick", "standard")


class ConfigError(ValueError):
    """A parameter that cannot be: names the value, what is allowed and what to do."""


def option(default: Any, doc: str, **limits) -> Any:
    """A dataclass field with its one-line documentation (unit, source) and limits.

    `limits`: ``choices``, ``low``, ``high`` (both allowed), ``above`` and ``below`` (not allowed).
    """
    return field(default=default, metadata={"doc": doc, **limits})


def settle_profile(config) -> None:
    """Replace profile ``auto`` by the environment's, or standard."""
    if config.profile == "auto":
        profile = os.environ.get("DCL_PROFILE", "standard")
        if profile not in ("quick", "standard"):
            raise ConfigError(f"DCL_PROFILE must be quick or standard, got {profile!r}")
        object.__setattr__(config, "profile", profile)


def check_fields(config) -> None:
    """Replace each field's value by the one of the field's type, or raise a ConfigError."""
    for spec in fields(config):
        kinds = get_args(spec.type) if isinstance(spec.type, types.UnionType) else (spec.type,)
        value = getattr(config, spec.name)
        value = checked(spec.name, value, kinds, spec.metadata["doc"], spec.metadata)
        object.__setattr__(config, spec.name, value)


def checked(
    name: str, value: Any, kinds: tuple[type, ...], doc: str, limits: Mapping[str, Any]
) -> Any:
    """`value` as one of these types and within its limits, or a ConfigError that says both."""
    value = typed(name, value, kinds, doc)
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
        if not all(rule(value, limit) for _, limit, rule in present):
            wrong = " and ".join(f"{word} {limit}" for word, limit, _ in present)
    if wrong:
        raise ConfigError(f"{name} must be {wrong}, got {value!r}{f': {doc}' if doc else ''}")
    return value


def typed(name: str, value: Any, kinds: tuple[type, ...], doc: str) -> Any:
    """`value` as one of these types, finite, or a ConfigError that says what is allowed."""
    if float in kinds and type(value) is int:
        value = float(value) if abs(value) <= sys.float_info.max else math.inf  # refused below
    if type(value) not in kinds:
        words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
        allowed = " or ".join(words[kind] for kind in kinds)
        raise ConfigError(f"{name} must be {allowed}, got {value!r}{f': {doc}' if doc else ''}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name} must be finite, got {value!r}{f': {doc}' if doc else ''}")
    return value


def unknown(name: str, known: Sequence[str], who: str) -> ConfigError:
    """The error for a parameter that `who` does not have, with the nearest one that it has."""
    near = difflib.get_close_matches(str(name), known, n=1)
    return ConfigError(
        f"unknown parameter {name!r}{f': did you mean {near[0]!r}?' if near else ''} "
        f"{who} takes {', '.join(known)}"
    )


def plain_values(namespace: dict[str, Any]) -> dict[str, Any]:
    """The plain values among a notebook's globals: its parameters, where nothing else ran yet.

    Papermill only warns about a name that the notebook does not have: it is here as well, and a
    misspelt one would leave the default in use.
    """
    kinds = (bool, int, float, str, list, dict, tuple)
    return {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_")
        and name not in ("In", "Out")
        and (value is None or type(value) in kinds)
    }


@contextmanager
def as_config_error() -> Iterator[None]:
    """What the library refuses becomes a ConfigError, which the command line says in one line."""
    try:
        yield
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from None


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
