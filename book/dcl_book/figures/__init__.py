"""The book's figures, drawn from records and schedules in one style.

Most functions return a matplotlib Figure whose title names its data, or None where the records have
nothing to show. `forest`, `dots` and `dots_alone` return HTML, and `animation` the bytes of a
moving image.
"""

from .answers import answers
from .calibration import reliability
from .cost import cost_of_criteria, growth, parts_of_a_step, share_of_a_step
from .data import class_counts, imbalance, sheet
from .dots import dots, dots_alone
from .forest import forest
from .length import leads_by_length, training_curves
from .method import (
    BATCH,
    POSITIVES,
    batch_over_training,
    idea,
    loss_weight,
    pushes,
    schedules,
    targets,
    two_readings,
)
from .numbers import numbers
from .plane import animation, batch_by_weight, outcomes, stills, triplets
from .reports import (
    effects,
    gain_over_cross_entropy,
    learning_rates,
    paper_and_ours,
    sensitivity,
)
from .runs import (
    attribute_bars,
    class_recall,
    curricula,
    selection,
    training,
)
from .significance import (
    published_leads,
    runs_about_their_mean,
    seeds_for_a_step,
    two_kinds_of_chance,
)
from .size import leads_by_size, leads_by_views, overfitting_by_size
from .style import METHOD_COLOURS, SCHEDULE_COLOURS, SVG, use_style
from .thresholds import mean_sweep, roc_and_precision, threshold_sweep
from .yours import classes, gain_by_attribute, mistakes, precision_recall

__all__ = [
    "BATCH",
    "METHOD_COLOURS",
    "POSITIVES",
    "SCHEDULE_COLOURS",
    "SVG",
    "animation",
    "answers",
    "attribute_bars",
    "batch_by_weight",
    "batch_over_training",
    "class_counts",
    "class_recall",
    "classes",
    "cost_of_criteria",
    "curricula",
    "dots",
    "dots_alone",
    "effects",
    "forest",
    "gain_by_attribute",
    "gain_over_cross_entropy",
    "growth",
    "idea",
    "imbalance",
    "leads_by_length",
    "leads_by_size",
    "leads_by_views",
    "learning_rates",
    "loss_weight",
    "mean_sweep",
    "mistakes",
    "numbers",
    "outcomes",
    "overfitting_by_size",
    "paper_and_ours",
    "parts_of_a_step",
    "precision_recall",
    "published_leads",
    "pushes",
    "reliability",
    "roc_and_precision",
    "runs_about_their_mean",
    "schedules",
    "seeds_for_a_step",
    "selection",
    "sensitivity",
    "share_of_a_step",
    "sheet",
    "stills",
    "targets",
    "threshold_sweep",
    "training",
    "training_curves",
    "triplets",
    "two_kinds_of_chance",
    "two_readings",
    "use_style",
]
