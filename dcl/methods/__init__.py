"""The methods: a name -> its entry. One file for each kind, one line here.

A method of your own is a file with a criterion (`dcl.protocol.Criterion` says what is asked of it)
and its entry (`dcl.methods.entry.Method`), and its line in `METHODS`; or, outside the checkout, a
name ``package.module:ENTRY`` in the place of the method's.
"""

import difflib
import importlib
from typing import Any

from ..checks import SMOOTHING
from ..protocol import Criterion
from . import crl, crt, framework, ldam, lmle, losses, resampling, reweighting, tau_norm
from .entry import TASKS, Method, Option

__all__ = ["BASELINES", "METHODS", "TASKS", "Baseline", "Method", "Option", "find"]

METHODS: dict[str, Method] = {
    method.name: method
    for file in (framework, resampling, reweighting, losses, crl, ldam, lmle, tau_norm, crt)
    for method in file.ENTRIES
}
BASELINES = tuple(name for name in METHODS if METHODS[name] not in framework.ENTRIES)


def find(name: str) -> Method:
    """The entry of a method, by its name or as ``package.module:ENTRY``.

    Raises
    ------
    ValueError
        For a name that there is not, with the nearest one.
    """
    if name in METHODS:
        return METHODS[name]
    module, colon, attribute = str(name).partition(":")
    if colon:
        try:
            entry = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"method {name!r} cannot be imported: {error}") from None
        if not isinstance(entry, Method):
            raise ValueError(f"method {name!r} is a {type(entry).__name__}, no dcl.methods.Method")
        return entry
    if name == "moved-threshold":
        raise ValueError(
            "moved-threshold is a decision, not a method: the record of cross-entropy holds it, "
            "under decisions, prior"
        )
    near = difflib.get_close_matches(str(name), METHODS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(
        f"unknown method {name!r}: {hint}choose one of {', '.join(METHODS)}, or give "
        f"package.module:ENTRY"
    )


def Baseline(method: str, class_counts, epochs: float, **options: Any) -> Criterion:  # noqa: N802
    """The criterion of any method by its name, for a training loop of your own.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    class_counts : Tensor (A, C)
        Samples of each class in the training set.
    epochs : float
        L.
    options
        Of that method, and ``classes`` and ``seed``.

    Examples
    --------
    >>> import torch
    >>> criterion = Baseline("focal", torch.tensor([[90, 10]]), 10, gamma=1.0)
    >>> criterion(torch.zeros(2, 1, 2), torch.zeros(2, 1, 4), torch.tensor([[0], [1]]))
    tensor(0.3466)
    """
    entry = find(method)
    for name in options:
        known = (*entry.options, "classes", "seed")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {near[0]!r}?" if near else ""
            hint = SMOOTHING if name == "label_smoothing" else hint
            raise TypeError(f"method {method!r} has no option {name!r}{hint}")
    return entry.criterion(class_counts, epochs, **options)
