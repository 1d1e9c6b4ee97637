"""What tests each of the paper's claims: runs, rows, measure, and the side that is claimed."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from . import evidence, measures
from .evidence import AS_READ, difference

Values = Callable[[pd.DataFrame], pd.Series]  # runs -> a number for each seed


@dataclass(frozen=True)
class Source:
    """Where the runs of an experiment are, and which data set its claims are about."""

    folder: str  # below results/
    page: str  # of the book
    dataset: str  # of the claim, by the name that records give it
    beside: tuple[str, str] = ("", "")  # another folder, and the method whose runs are taken of it
    far: str = ""  # what keeps our numbers from being compared with the paper's, if anything does


SOURCES = {
    "celeba": Source("celeba-30k", "table2", "celeba"),
    "ablation": Source("celeba-30k", "ablation", "celeba"),
    "subset": Source("celeba-30k-subset", "table2", "celeba", ("celeba-30k", "cross-entropy")),
    # Table 4's rows, with the convex one, which stands in Table 3
    "schedules": Source("celeba-30k-schedules", "ablation", "celeba", ("celeba-30k", "dcl-ss")),
    "anchors": Source("open-choices", "open_choices", "celeba"),
    "peta": Source("peta/official", "tables5_6", "rap"),
    "rap": Source("rap", "tables5_6", "rap"),
    "cifar100": Source(
        "cifar100/fifth-batch256",  # 64 hold half a sample of a class
        "table7",
        "cifar100",
        far="a fifth of the images and 8 layers",
    ),
}
# The paper's own setting: experiment -> folders of results/paper/ and the methods taken of each
FULL_SIZE: dict[str, dict[str, tuple[str, ...]]] = {
    "celeba": {"table2": (), "table3": ("dcl-ss", "dcl-ss-tl")},
    "subset": {"table2": ()},
    "ablation": {"table2": (), "table3": ("dcl-ss", "dcl-ss-tl")},
    "anchors": {"table2": ("dcl",), "table3": ("dcl",)},  # easy ones; all
    "schedules": {"table4": (), "table3": ("dcl-ss",)},  # whose schedule is convex
    "peta": {"table5_6": ()},
    "rap": {"table5_6": ()},
    "cifar100": {"table7": ()},
}
LENGTHS = ("celeba", "ablation")  # experiments whose methods are trained at several lengths too


@dataclass(frozen=True)
class ClaimTest:
    """What tests a claim.

    Attributes
    ----------
    experiment : str
        Of `SOURCES`.
    sign : {1, -1}
        Side of zero that it claims.
    methods : tuple of str
        The trained rows that are compared.
    values : function of runs
    threshold_for : str
        Method in whose place cross entropy with a moved threshold is measured beside; or empty.
    group : str
        Group of attributes that it is about; or empty.
    centred : bool
        Whether its values lie around zero where no method differs: the smallest or largest of
        several does not.
    beside : (str, function of runs)
        What the note shows beside it, in words, and its number for each seed; or nothing.
    """

    experiment: str
    sign: int
    methods: tuple[str, ...]
    values: Values
    threshold_for: str = ""
    group: str = ""
    centred: bool = True
    beside: tuple[str, Values] | None = None


def _over(
    experiment: str,
    method: str,
    other: str,
    measure: measures.Measure = measures.class_balanced,
    *,
    sign: int = 1,
    threshold: bool = True,
    group: str = "",
) -> ClaimTest:
    """That a method's measure differs from another's; beside it the same of a moved threshold."""

    def values(runs: pd.DataFrame) -> pd.Series:
        return difference(runs, method, other, measure)

    return ClaimTest(experiment, sign, (method, other), values, method if threshold else "", group)


def _smallest_gain(runs: pd.DataFrame) -> pd.Series:
    return evidence.gains(runs, "dcl").min(axis=1)


def _lead_of_blurry(runs: pd.DataFrame) -> pd.Series:
    """Gain of Blurry minus the largest gain of another attribute."""
    gains = evidence.gains(runs, "dcl")
    if gains.empty:
        return pd.Series(dtype=float)
    return gains["Blurry"] - gains.drop(columns="Blurry").max(axis=1)


def _schedules(runs: pd.DataFrame, *names: str) -> pd.DataFrame:
    """mA of DCL's sampling scheduler alone, (seeds, schedules), for the seeds that all have."""
    columns = {
        name: evidence.by_seed(evidence.configured(runs, sampling=name), "dcl-ss") for name in names
    }
    return pd.DataFrame(columns).dropna()


def _convex_over_the_next(runs: pd.DataFrame) -> pd.Series:
    others = _schedules(runs, "convex", "linear", "concave", "composite")
    return others.pop("convex") - others.max(axis=1)


def _worst_over_linear_imbalance(runs: pd.DataFrame) -> pd.Series:
    others = _schedules(runs, "linear-imbalance", "convex", "linear", "concave", "composite")
    linear_imbalance = others.pop("linear-imbalance")
    return others.min(axis=1) - linear_imbalance


def _fixed_subset_over(other: str) -> Values:
    """Drawn once, a balanced subset discards images for good; drawn anew each batch, it does not.

    Only the first can test that what is discarded is missed.
    """

    def values(runs: pd.DataFrame) -> pd.Series:
        fixed = evidence.configured(runs[runs["method"] == "down-sampling"], fixed=True)
        plain = evidence.with_prior(runs[runs["method"] == "cross-entropy"])
        return difference(pd.concat([plain, fixed]), "down-sampling", other)

    return values


def _easy_over_all(runs: pd.DataFrame) -> pd.Series:
    return difference(evidence.by_choice(runs), AS_READ, "anchors = all")


def _group(name: str) -> ClaimTest:
    return _over("peta", "dcl", "cross-entropy", measures.group(name), group=name)


ACCURACY = measures.metric("accuracy")
GAIN = ("dcl", "cross-entropy")
TESTS = {
    "celeba-over-cross-entropy": _over("celeba", "dcl", "cross-entropy"),
    "celeba-over-selective-learning": _over("celeba", "dcl", "selective-learning"),
    "celeba-over-crl": _over("celeba", "dcl", "crl"),
    "celeba-over-lmle": _over("celeba", "dcl", "lmle"),
    "celeba-over-clmle": _over("celeba", "dcl", "clmle"),
    "celeba-over-over-sampling": _over("celeba", "dcl", "over-sampling"),
    "celeba-over-down-sampling": _over("celeba", "dcl", "down-sampling"),
    "celeba-over-cost-sensitive": _over("celeba", "dcl", "cost-sensitive"),
    "gain-on-every-attribute": ClaimTest("celeba", 1, GAIN, _smallest_gain, "dcl", centred=False),
    "crl-loses-heavy-makeup": _over(
        "celeba",
        "crl",
        "cross-entropy",
        measures.attribute("Heavy_Makeup"),
        sign=-1,
        threshold=False,
    ),
    "lead-where-largely-imbalanced": _over("celeba", "dcl", "crl", measures.most_imbalanced(40)),
    "gain-grows-with-imbalance": ClaimTest(
        "celeba", 1, GAIN, lambda runs: evidence.rank_correlation(runs, "dcl"), "dcl"
    ),
    "blurry-improves-most": ClaimTest("celeba", 1, GAIN, _lead_of_blurry, "dcl", centred=False),
    "blurry-over-crl": _over("celeba", "dcl", "crl", measures.attribute("Blurry")),
    "down-sampling-discards": ClaimTest(
        "subset",
        -1,
        ("down-sampling", "cross-entropy"),
        _fixed_subset_over("cross-entropy"),
        beside=("minus the moved threshold", _fixed_subset_over(evidence.PRIOR)),
    ),
    "balanced-from-the-start-hurts": _over("celeba", "dcl-ss", "selective-learning"),
    "balance-of-the-two-accuracies": _over(
        "celeba", "dcl-ss", "selective-learning", ACCURACY, threshold=False
    ),
    "sampling-scheduler-adds": _over("ablation", "dcl-ss", "cross-entropy"),
    "easy-anchors-add": _over("ablation", "dcl-ss-tl", "dcl-ss", threshold=False),
    "loss-scheduler-adds": _over("ablation", "dcl", "dcl-ss-tl", threshold=False),
    "convex-is-best": ClaimTest("schedules", 1, ("dcl-ss",), _convex_over_the_next, centred=False),
    "linear-imbalance-is-worst": ClaimTest(
        "schedules", 1, ("dcl-ss",), _worst_over_linear_imbalance, centred=False
    ),
    "rap-state-of-the-art": _over("rap", "dcl", "lg-net"),
    "rap-ratio-to-25": _group("1:1-25"),
    "rap-ratio-25-to-50": _group("1:25-50"),
    "rap-ratio-above-50": _group("over 1:50"),
    # classes are balanced: the prior moves no threshold
    "cifar-over-cross-entropy": _over(
        "cifar100", "dcl", "cross-entropy", ACCURACY, threshold=False
    ),
    "cifar-over-crl": _over("cifar100", "dcl", "crl", ACCURACY, threshold=False),
    "easy-anchors-stabilise": ClaimTest("anchors", 1, ("dcl",), _easy_over_all),
}
ELSEWHERE = {  # claims that no run record decides -> page that does
    "small-extra-time": "cost",
    "lmle-preprocesses": "cost",
    "framework-special-cases": "framework",
    "balanced-data-change-nothing": "framework",
}
