"""Fields of a configuration: default, meaning and limits in one place, checked when it is made."""

import math
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field, fields
from typing import Any, get_args

PROFILE = "quick: a look in seconds; auto: $DCL_PROFILE or standard"


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
        object.__setattr__(config, spec.name, _checked(spec, getattr(config, spec.name)))


def _checked(spec, value: Any) -> Any:
    """`value` as the field's type, or a ConfigError that says what the field takes."""
    limits = spec.metadata
    kinds = get_args(spec.type) if isinstance(spec.type, types.UnionType) else (spec.type,)
    value = typed(spec.name, value, kinds, limits["doc"])
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
        raise ConfigError(f"{spec.name} must be {wrong}, got {value!r}: {limits['doc']}")
    return value


def typed(name: str, value: Any, kinds: tuple[type, ...], doc: str) -> Any:
    """`value` as one of these types, finite, or a ConfigError that says what is allowed."""
    if float in kinds and type(value) is int:
        value = float(value) if abs(value) <= sys.float_info.max else math.inf  # refused below
    if type(value) not in kinds:
        words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}
        allowed = " or ".join(words[kind] for kind in kinds)
        raise ConfigError(f"{name} must be {allowed}, got {value!r}: {doc}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name} must be finite, got {value!r}: {doc}")
    return value


@contextmanager
def as_config_error() -> Iterator[None]:
    """What the library refuses becomes a ConfigError, which the command line says in one line."""
    try:
        yield
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from None
