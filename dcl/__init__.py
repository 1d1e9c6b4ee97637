"""Dynamic Curriculum Learning for imbalanced data (Wang et al., ICCV 2019), in PyTorch.

Axes, in every docstring and comment:

    B batch · A attributes (tasks) · C classes of an attribute · D feature width
    K samples mined · S minority classes (slots) · L epochs

logits (B, A, C) · features (B, A, D) · labels (B, A) integer · class_counts (A, C)

A multi-attribute task has A = 40, C = 2 (CelebA); a single-label task A = 1, C = 100 (CIFAR-100).
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import *  # noqa: F403
    from .api import __all__ as __all__

__version__ = "0.1.0"  # said here alone: pyproject.toml reads it


def __getattr__(name: str) -> Any:
    """A public name; torch is imported with the first, which ``python -m dcl --help`` can spare."""
    if name == "__all__" or not name.startswith("__"):
        names = vars(import_module(".api", __name__))
        if "__all__" in names:  # else .api is being imported, and asks for a module of ours
            for public in ("__all__", *names["__all__"]):
                globals().setdefault(public, names[public])
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    public = import_module(".api", __name__).__all__
    own = (x for x in globals() if x.startswith("__") or isinstance(globals()[x], ModuleType))
    return sorted({*own, *public})
