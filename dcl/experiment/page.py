"""The parameters of a page that trains nothing: they stand in the page, here they are checked."""

import re
from types import SimpleNamespace
from typing import Any

from .fields import PROFILES, ConfigError, checked, plain_values, settle_profile, unknown

KINDS = {kind.__name__: kind for kind in (bool, int, float, str)}
PARAMETER = re.compile(rf"^(\w+): ({'|'.join(KINDS)}) = .*?(?:  # (.*))?$", re.MULTILINE)


def from_page(namespace: dict[str, Any], **limits: dict[str, Any]) -> SimpleNamespace:
    """A page's parameters as attributes, checked right after its parameters cell.

    That cell says all of a parameter but its limits, on one line: ``name: type = default  # what
    it is``. Papermill may have put other values in the place of the defaults, and texts in the
    place of numbers. A parameter `profile` is settled as in every configuration.

    Parameters
    ----------
    namespace : dict
        The notebook's globals; their ``In`` is the list of cells that ran, as text.
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
    >>> cells = ["", "rounds: int = 20  # of measuring"]
    >>> from_page({"In": cells, "rounds": 5}, rounds={"low": 2})
    namespace(rounds=5)
    >>> from_page({"In": cells, "rounds": "true"})
    Traceback (most recent call last):
    dcl.experiment.fields.ConfigError: rounds must be a whole number, got 'true': of measuring
    """
    found = PARAMETER.findall("\n".join(namespace.get("In", [])))
    if not found:
        raise ConfigError("no parameters: call from_page in the cell after the parameters' own")
    known = [name for name, _, _ in found]
    values = plain_values(namespace)
    for name in (*values, *limits):
        if name not in known:
            raise unknown(name, known, "this page")
    if "profile" in known:
        limits = {"profile": {"choices": PROFILES}} | limits
    page = SimpleNamespace(
        **{
            name: checked(name, values[name], (KINDS[kind],), meaning, limits.get(name, {}))
            for name, kind, meaning in found
        }
    )
    if "profile" in known:
        settle_profile(page)
    return page
