"""The parameters of a page that trains nothing: the page's first cell has them, checked here."""

import ast
from dataclasses import make_dataclass
from typing import Any

from dcl.experiment.config import (
    Config,
    ConfigError,
    Training,
    option,
    option_of,
    plain_values,
    unknown,
)


def from_page(namespace: dict[str, Any], **limits: dict[str, Any]) -> Any:
    """The parameters of a page that trains nothing, as attributes of a `Config`.

    Call it right after the parameters cell, which says all of a parameter but its limits, on one
    line: ``name: type = default  # what it is``. Papermill may have put other values in the place
    of the defaults, and texts in the place of numbers.

    Parameters
    ----------
    namespace : dict
        The notebook's globals: with ``__annotations__``, and ``In``, the cells that ran, as text.
        Nbval keeps no text: an error then does not say what the parameter is.
    limits : dict
        By parameter, as `dcl.experiment.config.option` takes them: ``low``, ``high``, ``above``,
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
    page(rounds=5)
    >>> from_page({**cell, "rounds": "true"})
    Traceback (most recent call last):
    dcl.experiment.config.ConfigError: rounds must be a whole number, got 'true': of measuring
    """
    kinds = namespace.get("__annotations__", {})
    if not kinds:
        raise ConfigError("no parameters: call from_page in the cell after the parameters' own")
    for name in limits:
        if name not in kinds:
            raise unknown(name, list(kinds), "this page")
    meanings = dict.fromkeys(kinds, "see the parameters cell")
    for cell in namespace.get("In", []):
        meanings |= meanings_of(cell)
    options = {name: option(None, meanings[name], **limits.get(name, {})) for name in kinds}
    if "profile" in kinds:
        options["profile"] = option_of(Training, "profile")
    page = make_dataclass(
        "page",
        [(name, kind, options[name]) for name, kind in kinds.items()],
        bases=(Config,), frozen=True, kw_only=True, init=False, eq=False,
    )  # fmt: skip
    return page(**plain_values(namespace))


def meanings_of(cell: str) -> dict[str, str]:
    """Parameter -> the comment on its line of a parameters cell.

    Examples
    --------
    >>> meanings_of("rounds: int = 20  # of measuring")
    {'rounds': 'of measuring'}
    """
    try:
        tree = ast.parse(cell)
    except SyntaxError:  # a cell that did not run
        return {}
    lines = cell.encode().splitlines()  # ast counts bytes
    return {
        ast.unparse(node.target): lines[node.end_lineno - 1][node.end_col_offset :]
        .decode()
        .strip(" #")
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
    }
