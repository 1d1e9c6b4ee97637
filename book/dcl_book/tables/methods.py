"""Methods in rows, measures in columns."""

from pathlib import Path

import pandas as pd

from dcl.experiment.records import RecordError

from .. import evidence
from ..finding import Finding
from ..measures import (
    Measure,
    best_on_validation,
    class_balanced,
    group,
    metric,
    of_an_example,
)


def means(runs: pd.DataFrame, measures: dict[str, Measure]) -> pd.DataFrame:
    """Measures of every method as mean ± 95 % interval over seeds, in text.

    Returns
    -------
    DataFrame
        Indexed by method, rising in the first measure: a column for each measure, and ``seeds``.
    """
    found = {
        method: {w: Finding.of(evidence.by_seed(runs, method, m)) for w, m in measures.items()}
        for method in dict.fromkeys(runs["method"])
    }
    first = next(iter(measures))
    rows = {
        method: {words: finding.text("{:.1f}") for words, finding in row.items()}
        | {"seeds": row[first].n}
        for method, row in sorted(found.items(), key=lambda item: item[1][first].mean)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def seeds_to_caption(table: pd.DataFrame, caption: str) -> tuple[pd.DataFrame, str]:
    """A table and its caption; a number of seeds that all rows have moves into the caption.

    Examples
    --------
    >>> table, caption = seeds_to_caption(pd.DataFrame({"mA": [79, 80], "seeds": [5, 5]}), "mA")
    >>> list(table), caption
    (['mA'], 'mA; 5 seeds')
    """
    if table["seeds"].nunique() != 1:
        return table, caption
    n = int(table["seeds"].iloc[0])
    return table.drop(columns="seeds"), f"{caption}; {n} seed{'s' * (n > 1)}"


def tuned(runs: pd.DataFrame, *names: str) -> dict[str, Measure]:
    """Measures at thresholds that were tuned for them on validation, alike for every method.

    Parameters
    ----------
    runs : DataFrame
    names : {"mA", "f1"}

    Returns
    -------
    dict
        Words -> measure; empty until two methods have such a decision, and can be compared by it.
    """
    words = {"mA": "mA, tuned", "f1": "F1, tuned"}
    found = {}
    for name in names:
        measure = metric(name, f"tuned-{name}")
        have = [pd.notna(measure(record)) for record in runs["record"]]
        if runs["method"][have].nunique() > 1:
            found[words[name]] = measure
    return found


def overview(runs: pd.DataFrame) -> pd.DataFrame:
    """`means` of what a data set is judged by, with cross entropy decided at the training prior.

    mA (accuracy for a single label), each of its groups of attributes or classes that is not all of
    them, the metrics of the examples where there are, and mA and F1 at `tuned` thresholds.
    """
    first = runs["record"].iloc[0]["test"]
    single = "per_class" in first
    measures = {"accuracy": metric("accuracy")} if single else {"mA": class_balanced}
    measures |= {name: group(name) for name in first["groups"]}
    for name in first.get("instance", {}):
        measures[f"{name} of an image"] = of_an_example(name)
    table = means(evidence.with_prior(runs), measures | tuned(runs, "mA", "f1"))
    everything = table[next(iter(measures))]
    return table.drop(columns=[x for x in first["groups"] if table[x].equals(everything)])


def learning_rates(runs: pd.DataFrame, measure: Measure = best_on_validation) -> pd.DataFrame:
    """A measure, mA on validation, of one seed of each method at each learning rate.

    Parameters
    ----------
    runs : DataFrame
        From `dcl.experiment.records.collect`; of several seeds the smallest is taken.
    measure : function of a record

    Returns
    -------
    DataFrame
        Indexed by method, a column for each rate, rising; NaN where there is no run.

    Raises
    ------
    RecordError
        For two runs of one method, rate and seed: then `runs` holds more than one setting.
    """
    own = runs[runs["seed"] == runs["seed"].min()]
    found = pd.DataFrame(
        {
            "method": own["method"],
            "lr": [record["config"]["lr"] for record in own["record"]],
            "value": [measure(record) for record in own["record"]],
        }
    )
    twice = found.duplicated(["method", "lr"], keep=False)
    if twice.any():
        paths = ", ".join(map(str, own["path"][twice]))
        raise RecordError(f"more than one run of a method, learning rate and seed: {paths}")
    return found.pivot(index="method", columns="lr", values="value")


def rates_table(rates: pd.DataFrame, notes: Path, least: int | None = None) -> pd.DataFrame:
    """`learning_rates` in text, the best method first, with the rate that is chosen for it.

    `notes` is a CSV with a row (method, lr) for each run that ended because its loss was not
    finite; there need not be one. A method is chosen for when `least` of its rates have a run or a
    note; without `least`, all of them. A column that says nothing of any method is left out.
    """
    shown = rates.map("{:.2f}".format, na_action="ignore").astype(object)
    for note in (pd.read_csv(notes) if notes.is_file() else pd.DataFrame()).itertuples():
        shown.loc[note.method, note.lr] = "not finite"
    done = shown.notna().sum(axis=1) >= (least or len(rates.columns))
    shown = shown.dropna(axis=1, how="all")
    shown = shown.where(shown.notna(), "-")
    if done.any():
        shown["chosen"] = rates.idxmax(axis=1).map("{:g}".format).where(done, "-")
    shown.columns = [f"{rate:g}" if isinstance(rate, float) else rate for rate in shown]
    order = rates.max(axis=1).sort_values(ascending=False).index
    return shown.loc[order].rename_axis(None)
