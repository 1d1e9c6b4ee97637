"""DCL and the methods that are settings of it (Tables 1 and 3)."""

from typing import Any

from torch import Tensor

from ..checks import number
from ..criterion import PRESETS, DCLLoss
from ..schedulers import EPSILON
from .entry import Method

SAMPLING = ("normalisation", "selection", "current")
TRIPLETS = ("k", "margin", "anchors", "normalise", "squared", "reduction")


def crl(
    class_counts: Tensor, epochs: float, *, epsilon: float = EPSILON, **options: Any
) -> DCLLoss:
    """CRL-I of Table 1: f = epsilon; `options` of `DCLLoss`."""
    return DCLLoss(class_counts, epochs, loss=number("epsilon", epsilon), **options)


def _setting(name: str, summary: str, colour: str, *uses: str, build=DCLLoss) -> Method:
    fixed = {option: value for option, value in PRESETS[name].items() if option not in uses}
    if build is crl:
        del fixed["loss"]  # its epsilon
    stretches = ("decay",) if "decay" in uses else ()  # the paper's 0.99 is for its 300 epochs
    return Method(
        name, build, summary, colour=colour, fixed=fixed, signature=DCLLoss, uses=uses,
        stretches=stretches,
    )  # fmt: skip


ENTRIES = (
    _setting("cross-entropy", "g = 1, f = 0 (Table 1)", "#6E6E6E"),
    _setting("selective-learning", "g = 0, f = 0 (Table 1)", "#009E73", *SAMPLING),
    _setting(
        "crl", "g = 1, f = epsilon (Table 1)", "#0072B2",
        "epsilon", *(name for name in TRIPLETS if name != "anchors"), build=crl,
    ),
    _setting("dcl-ss", "the sampling scheduler alone", "#9D4E34", "sampling", "decay", *SAMPLING),
    _setting(
        "dcl-ss-tl", "with triplets of constant weight", "#CC79A7",
        "sampling", "decay", *SAMPLING, *TRIPLETS,
    ),
    _setting(
        "dcl", "both schedulers", "#D55E00",
        "sampling", "loss", "p", "epsilon", "decay", *SAMPLING, *TRIPLETS,
    ),
)  # fmt: skip
