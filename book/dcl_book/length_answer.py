"""What the runs of several lengths answer, in words: made from the numbers of `length`."""

import pandas as pd

from . import evidence
from .best_length import at_best_lengths, epochs_of
from .evidence import PRIOR
from .finding import Finding
from .length import (
    DECIDING,
    MEASURES,
    METHODS,
    PLAN,
    at_kept_rates,
    at_the_last_epoch,
    call,
    counts,
    leads,
    longest,
    reading,
    slope,
)
from .length_tables import history, overfitting

STANDS = {  # what `call` finds -> how DCL stands to the other
    "none": "level with",
    "lead": "ahead of",
    "below": "behind",
    "undecided": "not told apart from",
}


def answer(runs: pd.DataFrame) -> str:
    """Whether DCL's lead comes with training, in a word and in a sentence that says what is not run
    yet; why not where a training is too long; what the last epoch in place of the best one says;
    and what holds at the best length of each method.

    Parameters
    ----------
    runs : DataFrame
        From `dcl_book.length.collect`.
    """
    return " ".join(filter(None, (lead(runs), rest(runs))))


def lead(runs: pd.DataFrame) -> str:
    """The first part of `answer`, which stands above all else: the lengths, and the longest."""
    tell = in_a_word, at_the_longest, too_long
    return " ".join(filter(None, (words(runs) for words in tell)))


def rest(runs: pd.DataFrame) -> str:
    """The second part of `answer`: the last epoch, and each method at its best length."""
    return " ".join(filter(None, (at_the_end(runs), at_the_best(runs))))


def in_a_word(runs: pd.DataFrame) -> str:
    """At which lengths DCL is ahead of the moved threshold; empty before two are repeated."""
    found = {L: lead for L, lead in leads(runs, PRIOR).items() if lead.n > 1 and L <= longest(runs)}
    if len(found) < 2:
        return ""
    ahead = [L for L, lead in found.items() if call(lead) == "lead"]
    where = "all" if len(ahead) == len(found) else f"{_listed(ahead)} alone" if ahead else "none"
    return (
        f"Of the lengths tried ({_listed(list(found))} epochs), DCL is ahead of cross entropy with "
        f"a moved threshold at {where}."
    )


def at_the_longest(runs: pd.DataFrame) -> str:
    """How DCL stands at `longest`, and how that changes with the length."""
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
    but, again = _joints(plain, moved, steady)
    start = (
        f"Trained for {_epochs(last)} on {runs['title'].iloc[0]} and tested at the best of them on "
        f"validation, DCL is {_stands(plain)} plain cross entropy "
        f"({plain} points of mean class-balanced accuracy, mA, {_seeds(plain)}), {but} "
        f"{_stands(moved)} the same training with its threshold moved to the training prior, which "
        f"costs nothing ({moved}, {_seeds(moved)}), and {again}Selective Learning ({steady}, "
        f"{_seeds(steady)})"
    )
    found = [leads(runs, other) for other in DECIDING]
    lengths = sorted({L for lead in found for L in lead})
    repeated = sorted({L for L in lengths if all(L in lead and lead[L].n > 1 for lead in found)})
    if len(lengths) == 1:
        return (
            f"{start}; no other length is run yet, so whether a lead comes with training is not "
            "known."
        )
    first, second = (_change(slope(runs, other)) for other in DECIDING)
    change = f"the difference to the moved threshold {first}, that to Selective Learning {second}"
    change = change if first != second else f"the last two differences each {_plural(first)}"
    open_ = "" if last >= max(PLAN) else f", and {max(PLAN)} epochs are not run yet"
    first_length = (repeated or lengths)[0]
    return f"{start}; from {first_length} to {_epochs(last)} {change}{open_}."


def at_the_end(runs: pd.DataFrame) -> str:
    """At which lengths DCL is ahead at the last epoch, and how it stands at `longest` then."""
    last, ends = longest(runs), at_the_last_epoch(runs)
    parts, numbers = [], []
    for other, words in zip(DECIDING, ("the moved threshold", "Selective Learning"), strict=True):
        found = {L: lead for L, lead in leads(ends, other).items() if lead.n > 1}
        if last not in found:
            return ""
        ahead = {L: lead for L, lead in found.items() if call(lead) == "lead"}
        where = _listed([f"{L} ({lead}, {_seeds(lead)})" for L, lead in ahead.items()])
        parts.append(f"ahead of {words} at {where or 'none of these lengths'}")
        numbers.append(f"{found[last]}")
    return (
        f"At the last epoch in place of the best one DCL is {' and '.join(parts)}; at {last} the "
        f"differences are {_listed(numbers)} ({_seeds(found[last])})."
    )


def too_long(runs: pd.DataFrame) -> str:
    """Where overfitting begins at `longest`, and where the curriculum is then; empty if nowhere.

    By cross entropy, whose target never moves: its loss on validation is lowest before half of the
    training and rises by half. Images whose loss in training is gone but for a twentieth are called
    learned by heart.
    """
    at = runs[runs["epochs"] == longest(runs)]
    plain, curriculum = (at["record"][at["method"] == name] for name in ("cross-entropy", "dcl"))
    found = overfitting(at[at["method"] == "cross-entropy"])
    if found.empty or found["loss at the end"].iloc[0] < 1.5 * found["loss"].iloc[0]:
        return ""
    epoch = round(found["lowest"].iloc[0])
    if epoch > longest(runs) / 2:
        return ""
    losses = pd.DataFrame([history(record, "classification") for record in plain]).mean()
    images = plain.iloc[0]["dataset"]["found"]["train"]
    by_heart = losses.iloc[-1] < losses.iloc[0] / 20
    what = f"has learned the {images:,} images by heart" if by_heart else "overfits"
    levels = [history(record, "g").get(epoch) for record in curriculum]
    level = pd.Series(levels, dtype=float).mean()
    begun = "has hardly begun, at" if level > 0.95 else "stands at"
    return (
        f"By then cross entropy {what}: its validation loss is lowest after {epoch} epochs, when "
        f"DCL's curriculum {begun} g\xa0=\xa0{level:.2f}."
    )


def at_the_best(runs: pd.DataFrame) -> str:
    """How DCL stands where validation chooses the length of each method, too."""
    chosen = at_best_lengths(runs)
    names = "dcl", "cross-entropy", "selective-learning"
    if not {*names, PRIOR} <= set(chosen["method"]):
        return ""
    own, for_plain, for_steady = (epochs_of(chosen, name) for name in names)
    for_moved = epochs_of(chosen, PRIOR)
    plain, moved, steady = (
        evidence.lead(chosen, "dcl", other)
        for other in ("cross-entropy", PRIOR, "selective-learning")
    )
    but, again = _joints(plain, moved, steady)
    found = plain, moved, steady
    alike = len({finding.n for finding in found}) == 1
    one, two, three = (f"{x}" if alike else f"{x}, {_seeds(x)}" for x in found)
    return (
        f"With the length chosen on validation for each method, DCL ({own}) is {_stands(plain)} "
        f"plain cross entropy ({for_plain}: {one}), {but} {_stands(moved)} the moved threshold "
        f"({for_moved}: {two}), and {again}Selective Learning ({for_steady}: {three}"
        f"{f'; {_seeds(plain)}' if alike else ''})."
    )


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
    """`rest`, and what else the runs say: which reading, other measures, what is not run yet."""
    last = longest(runs)
    lines = [rest(runs)]
    if last:
        at = runs[runs["epochs"] == last]
        gains = {
            words: evidence.lead(at, "dcl", "cross-entropy", measure)
            for words, measure in MEASURES.items()
        }
        numbers = "; ".join(f"{gain} in {words}" for words, gain in gains.items() if gain.n)
        lines.append(f"After {_epochs(last)} DCL minus cross entropy is, in points: {numbers}.")
        early = {L: x for L, x in leads(runs, "cross-entropy").items() if x.n > 1 and L < last}
        if early:
            first = min(early)
            lines.append(f"After {_epochs(first)} it was {early[first]} in mA at the own decision.")
        half = {L: x for L, x in leads(runs, "dcl-ss").items() if x.n > 1}
        if half:
            lines.append(
                f"After {_epochs(max(half))} DCL is, with its triplets, {_stands(half[max(half)])} "
                f"its sampling scheduler alone, `dcl-ss` ({half[max(half)]}, "
                f"{_seeds(half[max(half)])})."
            )
    fits = {
        "paper": "Over all lengths that is the paper's reading as the protocol wrote it down: a "
        "lead over both that grows with training.",
        "sceptic": "Over all lengths that is the sceptic's reading as the protocol wrote it down: "
        "no lead over Selective Learning at any length, and none over the moved threshold.",
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


def _stands(found: Finding) -> str:
    """How DCL stands to another row, before that row's name."""
    return STANDS[call(found)]


def _joints(plain: Finding, moved: Finding, steady: Finding) -> tuple[str, str]:
    """What joins the three: but or and, and how DCL stands to the last if not as to the second."""
    but = "but" if call(plain) == "lead" != call(moved) else "and"
    return but, "" if call(moved) == call(steady) else f"{_stands(steady)} "


def _seeds(found: Finding) -> str:
    return f"n\xa0=\xa0{found.n}"  # on one line


def _change(found: Finding) -> str:
    if found.n < 2:
        return "changes by what no two seeds tell yet"
    if found.low > 0:
        return "grows"
    return "falls" if found.high < 0 else "changes no more than by chance"


def _listed(parts: list) -> str:
    *first, last = [str(part) for part in parts] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _plural(change: str) -> str:
    """`_change` of two things."""
    verb, *rest = change.split(" ")
    return " ".join([verb.removesuffix("s"), *rest])


def _epochs(number: int) -> str:
    return f"{number} epoch{'s' if number > 1 else ''}"
