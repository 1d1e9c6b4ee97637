"""Each method at the length that suits it: the one that validation chooses among those run."""

from pathlib import Path

import pandas as pd

from . import evidence, length
from .evidence import PRIOR
from .finding import Finding
from .measures import class_balanced


def best_lengths(runs: pd.DataFrame) -> dict[str, int]:
    """Method -> the shortest length that validation does not tell from the best one.

    By the one-standard-error rule (Breiman et al. 1984): of the lengths with `length.ENOUGH` seeds,
    the shortest whose mA on validation lies within a standard error of the best length's; means
    over the seeds that all of these lengths have. A method with no such length is left out.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.report.length.collect`.
    """
    best = {}
    for method, own in runs.groupby("method", sort=False):
        reached = [record["selection"]["best_val_mA"] for record in own["record"]]
        table = own.assign(reached=reached).pivot(index="seed", columns="epochs", values="reached")
        shared = table.loc[:, table.count() >= length.ENOUGH].dropna()
        if shared.size:
            mean = shared.mean()
            error = shared[mean.idxmax()].sem()
            best[method] = int(mean.index[mean >= mean.max() - error].min())
    return best


def at_best_lengths(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of each method at its length of `best_lengths`."""
    best = best_lengths(runs)
    chosen = [best.get(row.method) == row.epochs for row in runs.itertuples()]
    return runs[pd.Series(chosen, runs.index, dtype=bool)].reset_index(drop=True)


def conclusions(results: Path) -> pd.DataFrame:
    """The runs that a conclusion on faces is drawn from: each method at its best length.

    As long as no length has enough seeds of DCL, the runs of ``celeba-30k``.
    """
    runs = at_best_lengths(length.collect(results / length.FOLDER))
    if "dcl" in set(runs["method"]):
        return runs
    return evidence.collect_if_any(results / "celeba-30k")


def epochs_of(runs: pd.DataFrame, *methods: str) -> str:
    """How long these methods are trained in `runs`, in words; all of them where none is named."""
    own = runs[runs["method"].isin(methods)] if methods else runs
    lengths = sorted({record["config"]["epochs"] for record in own["record"]})
    *first, last = map(str, lengths)
    return f"{', '.join(first)} and {last} epochs" if first else f"{last} epochs"


def compared(runs: pd.DataFrame) -> pd.DataFrame:
    """Every method at its best length, as text, a row each, cross entropy's moved threshold too.

    Columns: ``epochs``; mA on ``validation``, which chose them; on test each of `length.MEASURES`;
    ``DCL minus it``, in mA at the own decision, over the seeds that both have.
    """
    raw = at_best_lengths(runs)
    chosen = evidence.with_prior(raw)
    rows = {}
    for method in (name for name in (PRIOR, *length.METHODS) if name in set(chosen["method"])):
        own = chosen[chosen["method"] == method]
        plain = method != PRIOR  # its own network was chosen by another decision
        reached = [record["selection"]["best_val_mA"] for record in own["record"]]
        rows[method] = {
            "epochs": own["epochs"].iloc[0],
            "validation": Finding.of(reached).text() if plain else "",
            **{
                words: Finding.of(evidence.by_seed(chosen, method, measure)).text()
                for words, measure in length.MEASURES.items()
                if plain or measure is class_balanced
            },
            "DCL minus it": "" if method == "dcl" else str(lead(raw, method)),
        }
    columns = ["epochs", "validation", *length.MEASURES, "DCL minus it"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.fillna("").rename_axis("method")


def lead(chosen: pd.DataFrame, other: str) -> Finding:
    """DCL minus another row in mA at the own decision; `chosen` is from `at_best_lengths`."""
    return evidence.lead(evidence.with_prior(chosen), "dcl", other)
