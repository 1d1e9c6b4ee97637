"""The paper's claims, each held against the run records that exist, and their table."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from . import evidence, published
from .evidence import Finding, difference

FOLDERS = {  # experiment -> folder below results/, page of the book
    "celeba": ("celeba-30k", "table2"),
    "ablation": ("celeba-30k", "ablation"),
    "schedules": ("celeba-30k-schedules", "scheduler_choice"),
    "anchors": ("open-choices", "open_choices"),
    "peta": ("peta/official", "tables5_6"),
    "rap": ("rap", "tables5_6"),
    "cifar100": ("cifar100/fifth", "table7"),
}
PAGES = {  # of the book -> words for a link
    "table2": "Table 2",
    "ablation": "Table 3",
    "scheduler_choice": "Table 4",
    "tables5_6": "Tables 5, 6",
    "table7": "Table 7",
    "cost": "cost",
    "framework": "framework",
    "open_choices": "open choices",
}
Values = Callable[[pd.DataFrame], pd.Series]  # runs -> a number for each seed


def _difference(method: str, other: str, measure: evidence.Measure = evidence.mean_accuracy):
    return lambda runs: difference(runs, method, other, measure)


def _smallest_gain(runs: pd.DataFrame) -> pd.Series:
    return evidence.gains(runs, "dcl").min(axis=1)


def _lead_of_blurry(runs: pd.DataFrame) -> pd.Series:
    """Gain of Blurry minus the largest gain of another attribute."""
    gains = evidence.gains(runs, "dcl")
    if gains.empty:
        return pd.Series(dtype=float)
    return gains["Blurry"] - gains.drop(columns="Blurry").max(axis=1)


def _schedule(runs: pd.DataFrame, name: str) -> pd.Series:
    return evidence.by_seed(evidence.configured(runs, sampling=name), "dcl-ss")


def _convex_over_the_next(runs: pd.DataFrame) -> pd.Series:
    others = [_schedule(runs, name) for name in ("linear", "concave", "composite")]
    return (
        _schedule(runs, "convex") - pd.concat(others, axis=1).max(axis=1, skipna=False)
    ).dropna()


def _worst_over_linear_imbalance(runs: pd.DataFrame) -> pd.Series:
    names = ["convex", "linear", "composite"]
    configs = [
        record["config"] for record in evidence.configured(runs, sampling="concave")["record"]
    ]
    if all(config["decay"] ** config["epochs"] < 0.5 for config in configs):
        names.append("concave")  # else its target hardly leaves the training set's: no curriculum
    others = pd.concat([_schedule(runs, name) for name in names], axis=1)
    return (others.min(axis=1, skipna=False) - _schedule(runs, "linear-imbalance")).dropna()


def _easy_over_all(runs: pd.DataFrame) -> pd.Series:
    return difference(evidence.by_choice(runs), evidence.AS_READ, "anchors = all")


# claim -> experiment, side of zero that it claims, what to compute
MEASURES: dict[str, tuple[str, int, Values]] = {
    "celeba-over-cross-entropy": ("celeba", 1, _difference("dcl", "cross-entropy")),
    "celeba-over-selective-learning": ("celeba", 1, _difference("dcl", "selective-learning")),
    "celeba-over-crl": ("celeba", 1, _difference("dcl", "crl")),
    "celeba-over-lmle": ("celeba", 1, _difference("dcl", "lmle")),
    "celeba-over-clmle": ("celeba", 1, _difference("dcl", "clmle")),
    "gain-on-every-attribute": ("celeba", 1, _smallest_gain),
    "crl-loses-heavy-makeup": (
        "celeba", -1, _difference("crl", "cross-entropy", evidence.attribute("Heavy_Makeup")),
    ),
    "lead-where-largely-imbalanced": (
        "celeba", 1, _difference("dcl", "crl", evidence.most_imbalanced(40)),
    ),
    "gain-grows-with-imbalance": (
        "celeba", 1, lambda runs: evidence.rank_correlation(runs, "dcl"),
    ),
    "blurry-improves-most": ("celeba", 1, _lead_of_blurry),
    "blurry-over-crl": ("celeba", 1, _difference("dcl", "crl", evidence.attribute("Blurry"))),
    "down-sampling-discards": ("celeba", -1, _difference("down-sampling", "cross-entropy")),
    "balanced-from-the-start-hurts": (
        "celeba", 1, _difference("dcl-ss", "selective-learning"),
    ),
    "balance-of-the-two-accuracies": (
        "celeba", 1, _difference("dcl-ss", "selective-learning", evidence.metric("accuracy")),
    ),
    "sampling-scheduler-adds": ("ablation", 1, _difference("dcl-ss", "cross-entropy")),
    "easy-anchors-add": ("ablation", 1, _difference("dcl-ss-tl", "dcl-ss")),
    "loss-scheduler-adds": ("ablation", 1, _difference("dcl", "dcl-ss-tl")),
    "convex-is-best": ("schedules", 1, _convex_over_the_next),
    "linear-imbalance-is-worst": ("schedules", 1, _worst_over_linear_imbalance),
    "rap-state-of-the-art": ("rap", 1, _difference("dcl", "lg-net")),
    "rap-ratio-to-25": ("peta", 1, _difference("dcl", "cross-entropy", evidence.group("1:1-25"))),
    "rap-ratio-25-to-50": (
        "peta", 1, _difference("dcl", "cross-entropy", evidence.group("1:25-50")),
    ),
    "rap-ratio-above-50": (
        "peta", 1, _difference("dcl", "cross-entropy", evidence.group("over 1:50")),
    ),
    "cifar-over-cross-entropy": (
        "cifar100", 1, _difference("dcl", "cross-entropy", evidence.metric("accuracy")),
    ),
    "cifar-over-crl": ("cifar100", 1, _difference("dcl", "crl", evidence.metric("accuracy"))),
    "easy-anchors-stabilise": ("anchors", 1, _easy_over_all),
}  # fmt: skip
ELSEWHERE = {  # claims that no run record decides -> page that does
    "small-extra-time": "cost",
    "framework-special-cases": "framework",
    "balanced-data-change-nothing": "framework",
}


def judge(results: Path) -> pd.DataFrame:
    """Every claim with its published number, ours, and a verdict by `dcl.report.evidence.verdict`.

    Parameters
    ----------
    results : path
        Folder with the folders of records.

    Returns
    -------
    DataFrame
        Indexed as `published.claims`, with its columns ``claim``, ``where``, ``published`` and
        ``unit``, and ``finding`` (`Finding`), ``data`` (title, or why there is none), ``verdict``,
        ``page``.
    """
    claims = published.claims()
    frames = {folder: _runs(Path(results), folder) for folder, _ in FOLDERS.values()}
    rows = []
    for name, claim in claims.iterrows():
        number = claim["published"] if pd.notna(claim["published"]) else claim["from_tables"]
        row = {"claim": claim["claim"], "where": claim["where"], "published": number}
        row["unit"] = claim["unit"]
        if name in ELSEWHERE:
            decided = {"finding": Finding.of([]), "data": "no run", "verdict": "see its page"}
            rows.append(row | decided | {"page": ELSEWHERE[name]})
            continue
        experiment, sign, values = MEASURES[name]
        folder, page = FOLDERS[experiment]
        runs = frames[folder]
        finding = Finding.of(values(runs))
        like = bool(finding.n) and all(map(evidence.as_in_the_paper, runs["record"]))
        row["finding"] = finding
        row["data"] = runs["title"].iloc[0] if finding.n else "no record"
        row["verdict"] = evidence.verdict(finding, sign=sign, published=number, like=like)
        rows.append(row | {"page": page})
    return pd.DataFrame(rows, claims.index)


def as_html(judged: pd.DataFrame) -> str:
    """What `judge` found as an HTML table, linked to the pages that show it."""
    rows = [
        f"<tr><td>{claim.claim}<br><small>Section {claim.where}</small></td>"
        f'<td class="dcl-verdict dcl-{claim.verdict.replace(" ", "-")}">{claim.verdict}'
        f"{_apart(claim.finding, claim.published)}</td>"
        f"<td>{_theirs(claim.published, claim.unit)}</td>"
        f"<td>{_ours(claim.finding)}</td><td>{claim.data}</td>"
        f'<td><a href="../notebooks/{claim.page}.html">{PAGES[claim.page]}</a></td></tr>'
        for claim in judged.itertuples()
    ]
    names = ("claim", "verdict", "paper", "here", "data", "page")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "\n".join(rows)
    return f'<table class="dcl-claims"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def count_of_verdicts(judged: pd.DataFrame) -> str:
    """How many claims have which verdict, in words."""
    counts = judged["verdict"].value_counts()
    words = [f"{counts[name]} {name}" for name in evidence.VERDICTS if name in counts]
    decided_elsewhere = counts.sum() - sum(counts.get(name, 0) for name in evidence.VERDICTS)
    words += [f"{decided_elsewhere} shown on a page of their own"] if decided_elsewhere else []
    return f"{len(judged)} claims: {', '.join(words)}"


def _theirs(number: float, unit: str) -> str:
    return "" if np.isnan(number) else f"{number:+.2f}<br><small>{unit}</small>"


def _ours(finding: Finding) -> str:
    return f"{finding}<br><small>n = {finding.n}</small>" if finding.n else ""


def _apart(finding: Finding, number: float) -> str:
    """A remark where the interval leaves the paper's number out."""
    apart = finding.n > 1 and abs(finding.mean - number) > finding.half
    return "<br><small>interval without the paper's number</small>" if apart else ""


def _runs(results: Path, folder: str) -> pd.DataFrame:
    """The records of a folder; Table 4's with those of its convex row, which stand in Table 3."""
    runs = evidence.collect_if_any(results / folder)
    if folder == "celeba-30k-schedules":
        convex = evidence.collect_if_any(results / "celeba-30k")
        runs = pd.concat([runs, convex[convex["method"] == "dcl-ss"]], ignore_index=True)
    return runs
