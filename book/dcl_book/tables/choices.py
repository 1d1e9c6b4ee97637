"""DCL with one choice or number made otherwise."""

import re

import pandas as pd

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
    """What DCL makes of other values of each of `dcl_book.evidence.NUMBERS`, one at a time.

    Returns
    -------
    dict
        Name -> table as of `choices`, indexed by the values tried, rising, and the default, with
        the mA of each seed as ``seeds``; only of numbers of which another value was tried.
    """
    named, table = evidence.by_choice(runs), choices(runs)
    table["seeds"] = [evidence.by_seed(named, label).tolist() for label in table.index]
    tried, defaults = {}, evidence.defaults(runs["record"].iloc[0]["method"])
    for name in [name for name in defaults if name in evidence.NUMBERS]:
        rows = {
            float(label.removeprefix(f"{name} = ")): row
            for label, row in table.iterrows()
            if re.fullmatch(f"{name} = [^,]*", label)
        }
        if rows:
            rows[float(defaults[name])] = table.loc[evidence.AS_READ]
            tried[name] = pd.DataFrame.from_dict(rows, orient="index").sort_index()
    return tried
