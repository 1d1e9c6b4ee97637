"""The parameters of a page that trains nothing: they stand in the page, here they are checked."""

import re
from types import SimpleNamespace
from typing import Any

from .fields import PROFILES, ConfigError, checked, plain_values, settle_profile, unknown

PARAMETER = re.compile(r"^(\w+): (bool|int|float|str) = .*?(?:  # (.*))?$", re.MULTILINE)


def from_page(namespace: dict[str, Any], **limits: dict[str, Any]) -> SimpleNamespace:
    """A page's parameters as attributes, checked right after its parameters cell.

    That cell says all of a parameter but its limits, on one line: ``name: type = default  # what
    it is``. Papermill may have put other values in the place of the defaults, and texts in the
    place of numbers. A parameter `profile` is settled as in every configuration.

    Names and types are the cell's annotations; what a parameter is stands in the text of the cell,
    which nbval does not keep: an error then goes without.

    Parameters
    ----------
    namespace : dict
        The notebook's globals: with ``__annotations__``, and ``In``, the cells that ran, as text.
    limits : dict
        By parameter, as `dcl.experiment.fields.option` takes them: ``low``, ``high``, ``above``,
        ``below``, ``choices``.

    Raises
    ------
    ConfigError
        For a name that the cell does not have, with the nearest one, and for a value that is of
        another type or beyond its limits.

    Examples
    --------
    >>> cell = {"In": ["", "rounds: int = 20  # of measuring"], "__annotations__": {"rounds": int}}
    >>> from_page({**cell, "rounds": 5}, rounds={"low": 2})
    namespace(rounds=5)
    >>> from_page({**cell, "rounds": "true"})
    Traceback (most recent call last):
    dcl.experiment.fields.ConfigError: rounds must be a whole number, got 'true': of measuring
    """
    kinds = namespace.get("__annotations__", {})
    if not kinds:
        raise ConfigError("no parameters: call from_page in the cell after the parameters' own")
    lines = PARAMETER.findall("\n".join(namespace.get("In", [])))
    meanings = {name: meaning for name, _, meaning in lines}
    values = plain_values(namespace)
    for name in (*values, *limits):
        if name not in kinds:
            raise unknown(name, list(kinds), "this page")
    if "profile" in kinds:
        limits = {"profile": {"choices": PROFILES}} | limits
    page = SimpleNamespace(
        **{
            name: checked(
                name,
                values[name],
                (kind,),
                meanings.get(name, "see the parameters cell"),
                limits.get(name, {}),
            )
            for name, kind in kinds.items()
        }
    )
    if "profile" in kinds:
        settle_profile(page)
    return page
