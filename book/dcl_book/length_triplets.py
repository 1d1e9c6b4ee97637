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
