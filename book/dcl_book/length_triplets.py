"""What the triplet loss is over trainings of several lengths."""

import numpy as np
import pandas as pd

from .length_tables import history


def triplets(runs: pd.DataFrame) -> pd.DataFrame:
    """What the triplet loss is over a training, at its first and its last epoch, over seeds.

    Returns
    -------
    DataFrame
        By (``epochs``, ``method``): ``loss``, summed over attributes; ``triples``, valid ones of a
        batch, thousands; ``violated``, those with a positive hinge, %; ``share``, of f times that
        loss in what is trained on, %. Each for the ``first`` and the ``last`` epoch; ``seeds``.
        Records without triplets are left out.
    """
    keys = ["triples", "active", "metric", "f", "loss"]
    rows = []
    for row in runs.itertuples():
        parts = pd.DataFrame({key: history(row.record, key) for key in keys})
        if parts["metric"].gt(0).any():
            ends = parts.iloc[[0, -1]].to_numpy().T
            triples, active, metric, f, loss = ends
            shown = metric, triples / 1000, 100 * active / triples, 100 * f * metric / loss
            rows.append((row.epochs, row.method, *np.concatenate(shown)))
    found = pd.DataFrame(rows, columns=["epochs", "method", *range(8)])
    groups = found.groupby(["epochs", "method"], sort=True)
    table = groups.mean()
    table.columns = pd.MultiIndex.from_product(
        [["loss", "triples", "violated", "share"], ["first", "last"]]
    )
    table["seeds", ""] = groups.size()
    return table


def triplets_in_words(found: pd.DataFrame) -> str:
    """Why DCL's triplet loss is larger at its end than at its start; `found` is of `triplets`."""
    own = found[found.index.get_level_values("method") == "dcl"]
    if own.empty:
        return ""
    row = own.iloc[-1]
    each = (row["loss"] / row["triples"]).astype(float)  # at the first epoch, at the last
    fewer = 100 * (1 - each["last"] / each["first"])
    return (
        f"Over {own.index[-1][0]} epochs DCL's triplet loss, summed over attributes, goes from "
        f"{row['loss', 'first']:.1f} to {row['loss', 'last']:.1f}. An attribute has triplets only "
        "once the network names some of its minority right: a batch has "
        f"{row['triples', 'first']:.0f} thousand of them at first and "
        f"{row['triples', 'last']:.0f} thousand at the end, and for each the loss is "
        f"{abs(fewer):.0f} % {'lower' if fewer > 0 else 'higher'} then. At the last epoch "
        f"{row['violated', 'last']:.0f} % of the triplets still violate the margin, for they are "
        f"the hardest of their batch by the network's own score; their loss, weighted by f, is "
        f"{row['share', 'last']:.0f} % of the total."
    )
