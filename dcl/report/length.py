"""Does DCL's lead come with training? From the runs of several lengths, by the protocol's rules."""

from pathlib import Path

import numpy as np
import pandas as pd

from . import evidence
from .evidence import PRIOR
from .finding import Finding
from .measures import Measure, class_balanced, metric
from .verdicts import MARGIN

FOLDER = "celeba-30k-length"  # below results/
PLAN = {8: 5, 24: 5, 75: 5, 300: 3}  # epochs -> seeds, of the grid
METHODS = ("cross-entropy", "cost-sensitive", "selective-learning", "crl", "dcl-ss", "dcl")
DECIDING = (PRIOR, "selective-learning")  # the two comparisons that decide
STANDS = {  # what `call` finds -> how DCL stands to the other
    "none": "level with",
    "lead": "ahead of",
    "below": "behind",
    "undecided": "not told apart from",
}
ENOUGH = 3  # seeds, for a longer training to stand in for a shorter one
MEASURES = {
    "mA, own decision": class_balanced,
    "mA, tuned for it": metric("mA", "tuned-mA"),
    "F1, tuned for it": metric("f1", "tuned-f1"),
    "AUC": metric("auc"),
    "AP": metric("average_precision"),
}


def collect(folder: Path, dataset: str = "celeba") -> pd.DataFrame:
    """The records of the grid with a column ``epochs``; empty where there are none yet."""
    runs = evidence.collect_if_any(folder)
    runs = runs[runs["dataset"] == dataset].reset_index(drop=True)
    return runs.assign(epochs=[record["config"]["epochs"] for record in runs["record"]])


def counts(runs: pd.DataFrame) -> pd.DataFrame:
    """How many seeds are run, of each method (rows) at each length of the plan or beyond it."""
    lengths = sorted({*PLAN, *runs["epochs"]})
    table = pd.crosstab(runs["method"], runs["epochs"])
    rows = [*METHODS, *(name for name in table.index if name not in METHODS)]
    return table.reindex(index=rows, columns=lengths, fill_value=0).rename_axis(None)


def at_kept_rates(runs: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """The lengths that `kept` has, with its runs in the place of the same methods' own.

    Both from `collect`: `kept` are runs at the rate of shorter ones, where `runs` have another.
    """
    own = runs[runs["epochs"].isin(kept["epochs"])]
    changed = pd.MultiIndex.from_frame(kept[["method", "epochs"]])
    stays = ~pd.MultiIndex.from_frame(own[["method", "epochs"]]).isin(changed)
    return pd.concat([own[stays], kept], ignore_index=True)


def longest_repeated(results: Path) -> pd.DataFrame:
    """The runs that a conclusion on faces is drawn from: the longest training with enough seeds.

    Of DCL, from `results` / `FOLDER`; as long as there is none, the runs of ``celeba-30k``.
    """
    runs = collect(results / FOLDER)
    seeds = runs[runs["method"] == "dcl"].groupby("epochs")["seed"].nunique()
    if (seeds >= ENOUGH).any():
        last = seeds.index[seeds >= ENOUGH].max()
        return runs[runs["epochs"] == last].reset_index(drop=True)
    return evidence.collect_if_any(results / "celeba-30k")


def leads(runs: pd.DataFrame, other: str, measure: Measure = class_balanced) -> dict[int, Finding]:
    """DCL minus another row, paired over seeds, at each length that both have."""
    found = _by_length(runs, other, measure)
    return {epochs: Finding.of(values) for epochs, values in found.items()}


def slope(runs: pd.DataFrame, other: str, measure: Measure = class_balanced) -> Finding:
    """Points that DCL's lead gains for ten times the epochs: a line for each seed that has all.

    All lengths, that is, which two seeds or more have; nothing for fewer than two lengths.
    """
    found = {L: values for L, values in _by_length(runs, other, measure).items() if len(values) > 1}
    whole = pd.DataFrame(found).dropna()
    if whole.shape[1] < 2 or whole.empty:
        return Finding.of([])
    return Finding.of(np.polyfit(np.log10(list(whole)), whole.to_numpy().T, 1)[0])


def call(found: Finding, margin: float = MARGIN["points"]) -> str:
    """What the protocol calls a difference: ``none``, ``lead``, ``below`` or ``undecided``."""
    if found.n > 1 and -margin <= found.low and found.high <= margin:
        return "none"
    if found.n > 1 and found.low > 0 and found.mean > margin:
        return "lead"
    return "below" if found.n > 1 and found.high < 0 else "undecided"


def reading(runs: pd.DataFrame) -> str:
    """Which of the protocol's two readings the runs fit: ``paper``, ``sceptic`` or ``neither``."""
    both = {other: leads(runs, other) for other in DECIDING}
    if any(len(found) < 2 for found in both.values()):
        return "neither"
    calls = {other: [call(found[L]) for L in sorted(found)] for other, found in both.items()}
    grow = [slope(runs, other) for other in DECIDING]
    if all(f.n > 1 and f.low > 0 for f in grow) and all(c[-1] == "lead" for c in calls.values()):
        return "paper"
    flat = set(calls["selective-learning"]) == {"none"} and set(calls[PRIOR]) <= {"none", "below"}
    return "sceptic" if flat else "neither"


def longest(runs: pd.DataFrame) -> int:
    """The longest length with both deciding differences, in two seeds if there is one; else 0."""
    both = [leads(runs, other) for other in DECIDING]
    shared = set(both[0]) & set(both[1])
    repeated = {L for L in shared if all(found[L].n > 1 for found in both)}
    return max(repeated or shared, default=0)


def answer(runs: pd.DataFrame) -> str:
    """One sentence on whether DCL's lead comes with training; it says what is not run yet.

    Parameters
    ----------
    runs : DataFrame
        From `collect`.
    """
    last = longest(runs)
    if not last:
        return (
            "Whether DCL's lead comes with training is not known yet: no length has runs of DCL, "
            "Selective Learning and cross entropy with its threshold at the training prior."
        )
    runs = runs[runs["epochs"] <= last]
    plain, moved, steady = (
        leads(runs, other)[last] for other in ("cross-entropy", PRIOR, "selective-learning")
    )
    but = "but" if call(plain) == "lead" != call(moved) else "and"
    again = "" if call(moved) == call(steady) else f"{_stands(steady)} "
    start = (
        f"After {_epochs(last)} on {runs['title'].iloc[0]}, DCL is {_stands(plain)} plain cross "
        f"entropy ({plain} points of mean class-balanced accuracy, mA, {_seeds(plain)}), {but} "
        f"{_stands(moved)} the same network with its threshold moved to the training prior, which "
        f"costs nothing ({moved}, {_seeds(moved)}), and {again}Selective Learning ({steady}, "
        f"{_seeds(steady)})"
    )
    lengths = sorted({L for other in DECIDING for L in leads(runs, other)})
    if len(lengths) == 1:
        return (
            f"{start}; no other length is run yet, so whether a lead comes with training is not "
            "known."
        )
    first, second = (_change(slope(runs, other)) for other in DECIDING)
    change = f"the difference to the moved threshold {first}, that to Selective Learning {second}"
    change = change if first != second else f"each of the latter two differences {first}"
    open_ = "" if last >= max(PLAN) else f", and {max(PLAN)} epochs are not run yet"
    return f"{start}; from {lengths[0]} to {_epochs(last)} {change}{open_}."


def headline(runs: pd.DataFrame) -> str:
    """What was found at `longest`, in as few words as a figure's title has room for."""
    last = longest(runs)
    if not last:
        return "nothing to compare yet"
    calls = [_stands(leads(runs, other)[last]) for other in DECIDING]
    if calls[0] == calls[1]:
        calls[1] = ""
    return (
        f"after {_epochs(last)} DCL is {calls[0]} the moved threshold and {calls[1]} Selective "
        "Learning"
    ).replace("and  ", "and ")


def paragraph(runs: pd.DataFrame) -> str:
    """`answer`, and what else the runs say: which reading, other measures, what is not run yet."""
    last = longest(runs)
    lines = [answer(runs)]
    if last:
        at = runs[runs["epochs"] == last]
        gains = {
            words: evidence.lead(at, "dcl", "cross-entropy", measure)
            for words, measure in MEASURES.items()
        }
        numbers = "; ".join(f"{gain} in {words}" for words, gain in gains.items() if gain.n)
        lines.append(
            f"DCL minus cross entropy there, in points: {numbers} (tuned: a threshold for each "
            "attribute that is best on validation, for both methods alike)."
        )
        early = {L: x for L, x in leads(runs, "cross-entropy").items() if x.n > 1 and L < last}
        if early:
            first = min(early)
            lines.append(
                f"After {_epochs(first)} its lead over plain cross entropy was {early[first]}."
            )
        half = {L: x for L, x in leads(runs, "dcl-ss").items() if x.n > 1}
        if half:
            lines.append(
                f"After {_epochs(max(half))} DCL is, with its triplets, {_stands(half[max(half)])} "
                f"its sampling scheduler alone, `dcl-ss` ({half[max(half)]}, "
                f"{_seeds(half[max(half)])})."
            )
    fits = {
        "paper": "That is the paper's reading as the protocol wrote it down: a lead over both that "
        "grows with training.",
        "sceptic": "That is the sceptic's reading as the protocol wrote it down: no lead over "
        "Selective Learning at any length, and none over the moved threshold.",
        "neither": "As far as it is run, that is neither of the two readings that the protocol "
        "wrote down: the paper's, a lead over both that grows with training, nor the sceptic's, "
        "none at every length.",
    }
    if len(set(leads(runs, PRIOR)) & set(leads(runs, "selective-learning"))) > 1:
        lines.append(fits[reading(runs)])
    return " ".join([*lines, not_run(runs)]).strip()


def kept_in_words(runs: pd.DataFrame, kept: pd.DataFrame) -> str:
    """What the deciding differences are where every method keeps the rate of shorter runs.

    Arguments are those of `at_kept_rates`.
    """
    if kept.empty:
        return ""
    last = max(kept["epochs"])
    at = at_kept_rates(runs, kept)
    moved, steady = (leads(at, other).get(last, Finding.of([])) for other in DECIDING)
    return (
        f"With every rate kept, DCL after {_epochs(last)} would be {_stands(moved)} the moved "
        f"threshold ({moved}, {_seeds(moved)}) and {_stands(steady)} Selective Learning "
        f"({steady}, {_seeds(steady)})."
    )


def not_run(runs: pd.DataFrame) -> str:
    """What the plan has and the records have not, in one sentence; empty when all is there."""
    table, nothing, parts = counts(runs), [], []
    for epochs, seeds in PLAN.items():
        run = table.loc[list(METHODS), epochs]
        if not run.any():
            nothing.append(str(epochs))
        elif run.nunique() == 1 and run.iloc[0] < seeds:
            parts.append(f"{_epochs(epochs)}: every method ({run.iloc[0]} of {seeds} seeds)")
        elif (run < seeds).any():
            short = [f"{name} ({n} of {seeds} seeds)" for name, n in run[run < seeds].items()]
            parts.append(f"{_epochs(epochs)}: {', '.join(short)}")
    parts += [f"{', '.join(nothing)} epochs: every method"] if nothing else []
    return f"Not run yet: {'; '.join(parts)}." if parts else ""


def _by_length(runs: pd.DataFrame, other: str, measure: Measure) -> dict[int, pd.Series]:
    """DCL minus another row by seed, at each length that both have, rising."""
    shown = evidence.with_prior(runs) if other == PRIOR else runs
    found = {
        int(epochs): evidence.difference(own, "dcl", other, measure)
        for epochs, own in shown.groupby("epochs")
    }
    return {epochs: values for epochs, values in found.items() if len(values)}


def _stands(found: Finding) -> str:
    """How DCL stands to another row, before that row's name."""
    return STANDS[call(found)]


def _seeds(found: Finding) -> str:
    return f"n\xa0=\xa0{found.n}"  # on one line


def _change(found: Finding) -> str:
    if found.n < 2:
        return "changes by what no two seeds tell yet"
    if found.low > 0:
        return "grows"
    return "falls" if found.high < 0 else "changes no more than by chance"


def _epochs(number: int) -> str:
    return f"{number} epoch{'s' if number > 1 else ''}"
