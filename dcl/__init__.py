"""Dynamic Curriculum Learning for imbalanced data (Wang et al., ICCV 2019), in PyTorch.

Axes, in every docstring and comment:

    B batch · A attributes (tasks) · C classes of an attribute · D feature width
    K samples mined · S minority classes (slots) · L epochs

logits (B, A, C) · features (B, A, D) · labels (B, A) integer · class_counts (A, C)

A multi-attribute task has A = 40, C = 2 (CelebA); a single-label task A = 1, C = 100 (CIFAR-100).
"""

import importlib
from typing import TYPE_CHECKING, Any

from .criterion import PRESETS, DCLLoss
from .sampling import count_classes, dsl_loss, dsl_weights, target_distribution
from .schedulers import loss_schedule, schedule
from .triplet import triplet_loss

if TYPE_CHECKING:  # for type checkers; at run time `__getattr__` imports them
    from .methods.baselines import BASELINES, Baseline
    from .metrics import balanced_accuracy, decide, evaluate
    from .models import DeepID2

__all__ = [
    "BASELINES",
    "Baseline",
    "PRESETS",
    "DCLLoss",
    "DeepID2",
    "balanced_accuracy",
    "count_classes",
    "decide",
    "dsl_loss",
    "dsl_weights",
    "evaluate",
    "loss_schedule",
    "schedule",
    "target_distribution",
    "triplet_loss",
]
__version__ = "0.1.0"  # said here alone: pyproject.toml reads it

_WHEN_ASKED = {  # name -> module: a loop of one's own with DCLLoss needs none of them
    "BASELINES": "methods.baselines",
    "Baseline": "methods.baselines",
    "DeepID2": "models",
    "balanced_accuracy": "metrics",
    "decide": "metrics",
    "evaluate": "metrics",
}


def __getattr__(name: str) -> Any:
    """A public name of a module that is imported when it is first asked for."""
    if name in _WHEN_ASKED:
        module = importlib.import_module(f".{_WHEN_ASKED[name]}", __name__)
        globals()[name] = getattr(module, name)
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
