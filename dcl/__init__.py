"""Dynamic Curriculum Learning for imbalanced data (Wang et al., ICCV 2019), in PyTorch.

Axes, in every docstring and comment:

    B batch · A attributes (tasks) · C classes of an attribute · D feature width
    K samples mined · S minority classes (slots) · L epochs

logits (B, A, C) · features (B, A, D) · labels (B, A) integer · class_counts (A, C)

A multi-attribute task has A = 40, C = 2 (CelebA); a single-label task A = 1, C = 100 (CIFAR-100).
"""

from .criterion import PRESETS, DCLLoss
from .evaluation import thresholds
from .evaluation.calibration import calibration_error
from .evaluation.decisions import DECISIONS, decide
from .evaluation.metrics import balanced_accuracy, evaluate
from .evaluation.tuning import tune_thresholds
from .graphed import Graphed
from .methods import BASELINES, METHODS, Baseline
from .networks.models import DeepID2
from .protocol import Criterion
from .sampling import count_classes, dsl_loss, dsl_weights, target_distribution
from .schedulers import loss_schedule, schedule
from .triplet import triplet_loss

__all__ = [
    "BASELINES",
    "DECISIONS",
    "METHODS",
    "Baseline",
    "Criterion",
    "PRESETS",
    "DCLLoss",
    "DeepID2",
    "Graphed",
    "balanced_accuracy",
    "calibration_error",
    "count_classes",
    "decide",
    "dsl_loss",
    "dsl_weights",
    "evaluate",
    "loss_schedule",
    "schedule",
    "target_distribution",
    "thresholds",
    "triplet_loss",
    "tune_thresholds",
]
__version__ = "0.1.0"  # said here alone: pyproject.toml reads it
