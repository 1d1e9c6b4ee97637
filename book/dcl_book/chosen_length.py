"""Each method at the length that suits it: the one that validation chooses among those run."""

from pathlib import Path

import pandas as pd

from . import evidence, length
from .finding import Finding
from .measures import Measure, best_on_validation, class_balanced
from .names import PRIOR, called


def chosen_lengths(runs: pd.DataFrame, reached: Measure = best_on_validation) -> dict[str, int]:
    """Method -> the shortest length that validation does not tell from the best one.

    By the one-standard-error rule (Breiman et al. 1984): of the lengths with `length.ENOUGH` seeds,
    the shortest whose mean on validation lies within a standard error of the best; over
    the seeds that all of these lengths have, as many again. A method without is left out. Cross
    entropy decided at the training prior is a row of its own.

    Parameters
    ----------
    runs : DataFrame
        From `dcl_book.length.collect`.
    reached : Measure
        What a training reached on validation; mA without one.
    """
    best = {}
    for method, own in evidence.with_prior(runs).groupby("method", sort=False):
        own = own.assign(reached=own["record"].map(reached))
        table = own.pivot(index="seed", columns="epochs", values="reached")
        shared = table.loc[:, table.count() >= length.ENOUGH].dropna()
        if shared.size and len(shared) >= length.ENOUGH:
            mean = shared.mean()
            error = shared[mean.idxmax()].sem()
            best[method] = int(mean.index[mean >= mean.max() - error].min())
    return best


def at_chosen_lengths(runs: pd.DataFrame, reached: Measure = best_on_validation) -> pd.DataFrame:
    """The runs of each method at its length of `chosen_lengths`, those decided at the prior too."""
    runs = evidence.with_prior(runs)
    best = chosen_lengths(runs, reached)
    chosen = [best.get(row.method) == row.epochs for row in runs.itertuples()]
    return runs[pd.Series(chosen, runs.index, dtype=bool)].reset_index(drop=True)


def conclusions(results: Path, reached: Measure = best_on_validation) -> pd.DataFrame:
    """The runs that a conclusion on faces is drawn from: each method at its chosen one.

    Best in what `reached` says of validation. As long as no length has enough seeds of DCL, the
    runs of ``celeba-30k``.
    """
    runs = at_chosen_lengths(length.collect(results / length.FOLDER), reached)
    if "dcl" in set(runs["method"]):
        return runs
    return evidence.collect_if_any(results / "celeba-30k")


def lead(chosen: pd.DataFrame, one: str, other: str, measure: Measure = class_balanced) -> Finding:
    """`evidence.lead`; of rows of one length, over the seeds of one kind of device.

    The sixth amendment of the protocol.
    """
    own = chosen[chosen["method"].isin([one, other])]
    at_one_length = len({record["config"]["epochs"] for record in own["record"]}) == 1
    compare = evidence.difference_on_one_device if at_one_length else evidence.difference
    return Finding.of(compare(chosen, one, other, measure))


def epochs_of(runs: pd.DataFrame, *methods: str) -> str:
    """How long these methods are trained in `runs`, in words; all of them where none is named."""
    own = runs[runs["method"].isin(methods)] if methods else runs
    lengths = sorted({record["config"]["epochs"] for record in own["record"]})
    *first, last = lengths or [0]
    if first:
        return f"{', '.join(map(str, first))} and {last} epochs"
    return f"{last} epoch{'' if last == 1 else 's'}"


def in_words(chosen: pd.DataFrame, *methods: str) -> str:
    """Which method has how many epochs in `chosen`, in words; of all where none is named."""
    shown = chosen[chosen["method"].isin(methods)] if methods else chosen
    epochs = [record["config"]["epochs"] for record in shown["record"]]
    groups = shown["method"].map(called).groupby(epochs).unique()
    return "; ".join(f"{L} epochs: {', '.join(names)}" for L, names in groups.items())


def length_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Every row at its chosen length, as text, cross entropy's moved threshold too.

    Columns: ``epochs``; mA on ``validation``, which chose them; on test each of `length.MEASURES`;
    ``DCL minus it``, in mA at the own decision, over the seeds that both have.
    """
    chosen = at_chosen_lengths(runs)
    rows = {}
    for method in (name for name in (PRIOR, *length.TRAINED) if name in set(chosen["method"])):
        own = chosen[chosen["method"] == method]
        found = [
            Finding.of(evidence.by_seed(chosen, method, measure))
            for measure in (best_on_validation, *length.MEASURES.values())
        ]
        rows[method] = [
            own["epochs"].iloc[0],
            *(finding.text() if finding.n else "" for finding in found),
            "" if method == "dcl" else str(evidence.lead(chosen, "dcl", method)),
        ]
    columns = ["epochs", "validation", *length.MEASURES, "DCL minus it"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("method")
