"""The paper's claims, each held against the run records that exist."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from . import chosen_length, evidence, length, published, verdicts
from .claim_tests import ELSEWHERE, FULL_SIZE, LENGTHS, SOURCES, TESTS, ClaimTest
from .finding import Finding


def judge(results: Path, page: str = "") -> pd.DataFrame:
    """Every claim with its published number, ours, and a verdict by `dcl_book.verdicts.RULE`.

    Parameters
    ----------
    results : path
        Folder with the folders of records.
    page : str, optional
        Of the book: only the claims that this page shows.

    Returns
    -------
    DataFrame
        Indexed as `published.claims`, with its columns ``label``, ``claim``, ``where``, ``unit``
        and ``measure``, ``published`` (the text's number, else the tables'), ``sign``, ``margin``,
        ``finding`` (`Finding`), ``by_seed`` (its values), ``threshold`` (the same of the moved
        threshold), ``free`` (whether that does as much, in words), ``data`` (title of the runs'
        data, or empty), ``runs`` (their length, and the data where the claim's own is missing),
        ``note`` (their length and remarks, or why there are none), ``verdict``, ``page``, ``like``
        (whether the runs are `verdicts.as_in_the_paper`).
    """
    results, rows = Path(results), []

    @cache
    def read(folder: str) -> pd.DataFrame:
        reader = length.collect if folder == length.FOLDER else evidence.collect_if_any
        return reader(results / folder)

    @cache
    def left_out(folder: str) -> dict[str, str]:
        return evidence.left_out(results / folder)

    every = published.claims()
    shown = [name for name in every.index if not page or page_of(name) == page]
    for name, claim in every.loc[shown].iterrows():
        number = claim["published"] if pd.notna(claim["published"]) else claim["from_tables"]
        row = claim[["label", "claim", "where", "unit", "measure"]].to_dict()
        row |= {"published": number, "sign": 1, "margin": verdicts.margin_of(claim["unit"])}
        row |= {"finding": Finding.of([]), "threshold": Finding.of([]), "free": ""}
        row |= {"data": "", "runs": "", "note": "", "like": False, "page": page_of(name)}
        row["by_seed"] = pd.Series(dtype=float)
        if name in ELSEWHERE:
            row["verdict"] = "see its page"
        else:
            test = TESTS[name]
            collapsed = left_out(SOURCES[test.experiment].folder)
            row |= _judged(test, _runs(read, test), number, row["margin"], collapsed)
        rows.append(row)
    return pd.DataFrame(rows, pd.Index(shown, name=every.index.name))


def page_of(name: str) -> str:
    """The page of the book with the table that holds a claim's number."""
    return ELSEWHERE.get(name) or SOURCES[TESTS[name].experiment].page


def _full_size(read: Callable[[str], pd.DataFrame], experiment: str) -> pd.DataFrame:
    """What `make paper` left for an experiment; empty where it was not run."""
    frames = []
    for folder, methods in FULL_SIZE.get(experiment, {}).items():
        runs = read(f"paper/{folder}")
        runs = runs[runs["method"].isin(methods)] if methods else runs
        frames += [runs] if len(runs) else []
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _judged(
    test: ClaimTest, runs: pd.DataFrame, number: float, margin: float, collapsed: dict[str, str]
) -> dict[str, Any]:
    """The columns of `judge` that come from runs."""
    source, found = SOURCES[test.experiment], test.values(runs)
    finding = Finding.of(found)
    row = {"sign": test.sign, "centred": test.centred, "finding": finding, "by_seed": found}
    row["note"] = "no record"
    own = runs[runs["method"].isin(test.methods)]
    barred, like = "", False
    if finding.n:
        record = own["record"].iloc[0]
        epochs = chosen_length.epochs_of(own)
        row |= {"data": own["title"].iloc[0], "runs": epochs, "note": epochs}
        like = all(verdicts.as_in_the_paper(record, source.dataset) for record in own["record"])
        row["like"] = like
        if record["dataset"]["name"] != source.dataset:
            barred = "other data"
            row["runs"] = f"{row['data']}, {row['runs']}"
        elif source.far and not like:
            barred = "not comparable"
            row["note"] += f", {source.far}"
        ends = own["record"].map(evidence.final_g)
        if not barred and (ends > verdicts.RUN_OUT).any():
            barred = "not testable at this length"
            row["note"] += f", a schedule ends at g = {ends.max():.2f}"
            row["finding"] = Finding.of([])  # of a row that is not what its name says
            row["by_seed"] = found[:0]
        if test.group:
            row["note"] += f", {evidence.group_size(record, test.group)} attributes in the group"
        if test.beside:
            words, values = test.beside
            row["note"] += f", {words} {Finding.of(values(runs))}"
        weak = _weak_rival(test, runs)
        row["note"] += weak
        if weak and not barred and verdicts.zero_excluded(finding, test.sign) == "claimed":
            barred = "weak rival"
        if test.threshold_for and row["finding"].n:
            moved = test.values(evidence.prior_as(runs, test.threshold_for))
            row["threshold"] = Finding.of(moved)
            apart = Finding.of((found - moved).dropna())
            row["free"] = verdicts.free_threshold(apart, margin, test.sign)
    elif gone := [method for method in test.methods if method in collapsed]:
        barred = "collapsed: not shown"
        row["note"] = f"{gone[0]} {collapsed[gone[0]]}"
    row["verdict"] = verdicts.verdict(
        finding, sign=test.sign, published=number, like=like, margin=margin, barred=barred
    )
    return row


def _weak_rival(test: ClaimTest, runs: pd.DataFrame) -> str:
    """A warning where DCL is held against CRL, and that is not surely ahead of cross entropy."""
    if not {"dcl", "crl"} <= set(test.methods):
        return ""
    lead = evidence.lead(runs, "crl", "cross-entropy")
    return "" if lead.n < 2 or lead.low > 0 else f", CRL minus cross entropy {lead}"


def of_chance(judged: pd.DataFrame, level: float = 0.05) -> dict[str, Any]:
    """How many claims would look decided by chance, and how many are after Holm's correction.

    Of those whose values lie around zero where no method differs.

    Returns
    -------
    dict
        ``tests``: such claims with an interval; ``expected``: of so many without any effect, how
        many would be called off zero by chance; ``alone``: off zero one by one; ``holm``: after
        Holm over all; ``lost``: the names of those that only pass alone.
    """
    centred = judged["finding"][judged["centred"].fillna(True).astype(bool)]
    p = pd.Series({name: found.p_value() for name, found in centred.items()}).dropna()
    alone = p < level
    both = pd.Series(verdicts.holm(p), p.index) < level
    return {
        "tests": len(p),
        "expected": level * len(p),
        "alone": int(alone.sum()),
        "holm": int(both.sum()),
        "lost": list(p.index[alone & ~both]),
    }


def _runs(read: Callable[[str], pd.DataFrame], test: ClaimTest) -> pd.DataFrame:
    """The records that test a claim: those at the paper's own size, where there are any; else of
    each method at the length that validation chose for it; else of its `Source`.
    """
    full = _full_size(read, test.experiment)
    if len(full) and len(test.values(full)):
        return full
    if test.experiment in LENGTHS:
        runs = chosen_length.at_chosen_lengths(read(length.FOLDER))
        if len(runs) and len(test.values(runs)) >= length.ENOUGH:
            return runs
    source = SOURCES[test.experiment]
    folder, method = source.beside
    runs, others = read(source.folder), read(folder) if folder else pd.DataFrame()
    others = others[others["method"] == method] if len(others) else others
    return pd.concat([runs, others], ignore_index=True) if len(others) else runs
