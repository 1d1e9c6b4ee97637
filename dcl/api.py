"""The public names of `dcl`, which imports them when the first of them is asked for."""

from . import reference
from .criterion import PRESETS, DCLLoss
from .evaluation import thresholds
from .evaluation.calibration import calibration_error
from .evaluation.decisions import DECISIONS, decide
from .evaluation.metrics import MeanBalancedAccuracy, balanced_accuracy, evaluate
from .evaluation.tuning import tune_thresholds
from .graphed import Graphed
from .methods import BASELINES, METHODS, Baseline, make_criterion
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
    "MeanBalancedAccuracy",
    "balanced_accuracy",
    "calibration_error",
    "count_classes",
    "decide",
    "dsl_loss",
    "dsl_weights",
    "evaluate",
    "loss_schedule",
    "make_criterion",
    "reference",
    "schedule",
    "target_distribution",
    "thresholds",
    "triplet_loss",
    "tune_thresholds",
]
