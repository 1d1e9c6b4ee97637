"""DCL with one choice or number made otherwise."""

import re
from dataclasses import fields

import pandas as pd

from ...experiment.config import Training
from .. import evidence
from ..finding import Finding


def choices(runs: pd.DataFrame) -> pd.DataFrame:
    """DCL with one choice made otherwise, against DCL as it is, paired over seeds.

    Returns
    -------
    DataFrame
        Indexed by ``name = value`` of the choice: ``mA`` and ``effect``, as `Finding`; the first
        row is DCL as it is.
    """
    named = evidence.by_choice(runs)
    rows = {
        name: {
            "mA": Finding.of(evidence.by_seed(named, name)),
            "effect": Finding.of([])
            if name == evidence.AS_READ
            else evidence.lead(named, name, evidence.AS_READ),
        }
        for name in sorted(set(named["method"]), key=lambda name: (name != evidence.AS_READ, name))
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def sensitivity(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What DCL makes of other values of each of `dcl.report.evidence.NUMBERS`, one at a time.

    Returns
    -------
    dict
        Name -> table as of `choices`, indexed by the values tried, rising, and the default, with
        the mA of each seed as ``seeds``; only of numbers of which another value was tried.
    """
    named, table = evidence.by_choice(runs), choices(runs)
    table["seeds"] = [evidence.by_seed(named, label).tolist() for label in table.index]
    tried = {}
    for spec in fields(Training):
        rows = {
            float(label.removeprefix(f"{spec.name} = ")): row
            for label, row in table.iterrows()
            if spec.name in evidence.NUMBERS and re.fullmatch(f"{spec.name} = [^,]*", label)
        }
        if rows:
            rows[float(spec.default)] = table.loc[evidence.AS_READ]
            tried[spec.name] = pd.DataFrame.from_dict(rows, orient="index").sort_index()
    return tried
