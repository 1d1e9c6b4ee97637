"""The methods: a name -> its entry. A file for each kind, a line in it for each method.

A method of your own is a function or a criterion (`dcl.protocol.Criterion`) and its entry
(`dcl.methods.Method`) in the `ENTRIES` of a file here; or, outside the checkout, a name
``package.module:ENTRY`` in the place of the method's.
"""

import difflib
import importlib
import warnings
from typing import Any

from torch import Tensor

from ..protocol import Criterion
from . import crl, framework, lmle, losses, resampling, two_stage, weights
from .entry import TASKS, Method, Option
from .losses import method_of_loss
from .weights import method_of_weights

__all__ = [
    "BASELINES",
    "METHODS",
    "TASKS",
    "Baseline",
    "Method",
    "Option",
    "find",
    "make_criterion",
    "method_of_loss",
    "method_of_weights",
]

METHODS: dict[str, Method] = {
    method.name: method
    for file in (framework, resampling, weights, losses, crl, lmle, two_stage)
    for method in file.ENTRIES
}
BASELINES = tuple(name for name in METHODS if METHODS[name] not in framework.ENTRIES)


def find(name: str) -> Method:
    """The entry of a method, by its name or as ``package.module:ENTRY``.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest one.
    """
    if not isinstance(name, str):
        raise ValueError(
            f"method must be a text, a method's name or package.module:ENTRY, got {name!r}"
        )
    if name in METHODS:
        return METHODS[name]
    if ":" in name:
        entry = imported("method", name)
        if not isinstance(entry, Method):
            raise ValueError(f"method {name!r} is a {type(entry).__name__}, no dcl.methods.Method")
        return entry
    if name == "moved-threshold":
        raise ValueError(
            "moved-threshold is a decision, not a method: the record of cross-entropy holds it, "
            "under decisions, prior"
        )
    near = difflib.get_close_matches(name, METHODS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"unknown method {name!r}: {hint}choose one of {', '.join(METHODS)}, or give "
        f"package.module:ENTRY"
    )


def imported(what: str, place: str) -> Any:
    """What ``package.module:NAME`` names.

    Raises
    ------
    ValueError
        For a module that is not found or cannot be imported, and for a name that it does not have.
    """
    module, _, attribute = place.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == module.split(".")[0]
        hint = ": put its folder on PYTHONPATH" if absent else ""
        raise ValueError(f"{what} {place!r} cannot be imported: {error}{hint}") from None


def make_criterion(name: str, class_counts: Tensor, epochs: float, **options: Any) -> Criterion:
    """The criterion of any method by its name, for a training loop of your own.

    Parameters
    ----------
    name : str
        One of `dcl.METHODS`, or ``package.module:ENTRY``.
    class_counts : Tensor (A, C)
        Samples of each class in the training set, for each attribute; all positive.
    epochs : float
        L, the expected total number of epochs.
    options
        Those of the method, ``dcl.METHODS[name].options``, and ``classes`` and ``seed`` as of
        `dcl.protocol.Criterion`.

    Raises
    ------
    TypeError
        For an option that the method does not have, with those that it has.
    ValueError
        For an unknown name and impossible values.

    Examples
    --------
    >>> import torch
    >>> criterion = make_criterion("focal", torch.tensor([[90, 10]]), 10, gamma=1.0)
    >>> criterion(torch.zeros(2, 1, 2), torch.zeros(2, 1, 4), torch.tensor([[0], [1]]))
    tensor(0.3466)
    """
    entry = find(name)
    entry.check_names(options)
    return entry.criterion(class_counts, epochs, **options)


def Baseline(method: str, class_counts, epochs: float, **options: Any) -> Criterion:  # noqa: N802
    """The former name of `make_criterion`."""
    warnings.warn(
        "dcl.Baseline is now dcl.make_criterion, with the same arguments",
        DeprecationWarning,
        stacklevel=2,
    )
    return make_criterion(method, class_counts, epochs, **options)
