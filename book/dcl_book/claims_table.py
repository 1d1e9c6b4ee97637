"""The claims as a table of the book, and what is counted of them."""

import html
import math
import re
from pathlib import Path

import pandas as pd

from . import evidence
from .best_length import conclusions, in_words
from .claims import of_chance
from .finding import Finding
from .measures import (
    Measure,
    best_on_validation,
    class_balanced,
    metric,
    ranking_on_validation,
    tuned_on_validation,
)
from .verdicts import FREE, VERDICTS, WORDS, chances

PAGES = {  # of the book -> words for a link
    "table2": "Table 2",
    "ablation": "Table 3",
    "scheduler_choice": "Table 4",
    "tables5_6": "Tables 5, 6",
    "table7": "Table 7",
    "cost": "cost",
    "framework": "framework",
    "open_choices": "open choices",
    "length": "length",
}
NAMES = {
    "cross-entropy": "cross entropy",
    evidence.PRIOR: "cross entropy with a moved threshold, which trains nothing",
    "cost-sensitive": "cost-sensitive weights, one line of code",
}
IN_SHORT: dict[str, tuple[Measure, Measure]] = {  # on test, on validation
    "mA": (class_balanced, best_on_validation),
    "AUC": (metric("auc"), ranking_on_validation),
    "average precision": (metric("average_precision"), ranking_on_validation),
    "mA with tuned thresholds": (metric("mA", "tuned-mA"), tuned_on_validation("tuned-mA")),
    "F1 with tuned thresholds": (metric("f1", "tuned-f1"), tuned_on_validation("tuned-f1")),
}
COLUMNS = (  # heading, what it says on hover
    ("claim", "of the paper, with its section, and the quantity that tests it"),
    ("verdict", "by the rule above"),
    ("here", "mean and 95 % interval over n seeds; percentage points"),
    ("paper", "its text's number, or computed from its tables; percentage points"),
    ("moved threshold", "the same of cross entropy with a moved threshold"),
    ("chances, %", "that it is as claimed by more than the margin / within it / opposite"),
    ("data", "of our runs, and the page that shows them"),
)
LEGEND = (
    "† the interval leaves the paper's number out. Numbers are percentage points, but where a "
    "unit stands. Moved threshold: the same quantity for cross entropy decided at the training "
    "prior, which trains nothing, in the method's place: <i>does as much</i> where the method is "
    "not ahead of it by more than the margin of no difference, <i>does less</i> where it is, "
    "<i>not told apart</i> where the runs leave both open. Chances, from the paired t: as claimed "
    "by more than that margin / within it / the other way by more."
)


def as_html(judged: pd.DataFrame) -> str:
    """What `claims.judge` found as an HTML table, linked to the pages that show it.

    Cells of numbers carry them as ``data-value``, to sort by.
    """
    rows = "\n".join(_row(claim) for claim in judged.itertuples())
    titles = html.escape("; ".join(dict.fromkeys(filter(None, judged["data"]))) or "none")
    head = "".join(f'<th scope="col" title="{words}">{name}</th>' for name, words in COLUMNS)
    return (
        f'<table class="dcl-claims"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="dcl-legend"><small>{LEGEND} Data in full: {titles}.</small></p>'
    )


def _short(title: str) -> str:
    """A data set's name, without which part of it; the legend has that once."""
    return html.escape(title.partition(",")[0], quote=False)


def count_of_verdicts(judged: pd.DataFrame) -> str:
    """How many claims have which verdict, and in how many *partly* ones a moved threshold will do.

    "reproduced" is said also where there is none: a reader looks for it.
    """
    counts = judged["verdict"].value_counts()
    counts = counts.reindex([*dict.fromkeys(["reproduced", *counts.index])], fill_value=0)
    free = ((judged["verdict"] == "partly") & (judged["free"] == FREE)).sum()
    listed = [f"{counts[name]} {WORDS.get(name, name)}" for name in VERDICTS if name in counts]
    if free:
        place = listed.index(f"{counts['partly']} partly")
        listed[place] += f" (in {free} of them a moved threshold {FREE})"
    return f"{len(judged)} claims: {', '.join(listed)}"


def chance_in_words(judged: pd.DataFrame) -> str:
    """How many of the claims would look decided by chance, and what Holm's correction leaves."""
    found = of_chance(judged)
    if not found["tests"]:
        return "No claim has two seeds, so none has an interval."
    lost = "; ".join(judged.loc[found["lost"], "label"])
    lost = f" No longer: {lost}." if lost else ""
    return (
        f"{found['tests']} claims have an interval. If every true difference were zero, "
        f"{found['expected']:.1f} of them would be expected to look decided by chance; "
        f"{found['alone']} do. After Holm's correction over all of them, which keeps the chance of "
        f"even one false alarm at 5 %, {found['holm']} still do.{lost} Many share runs: they are "
        "not independent, which Holm's rule allows for."
    )


def _row(claim) -> str:
    number, found, moved = claim.published, claim.finding, claim.threshold
    apart = found.n > 1 and not found.low <= number <= found.high and number == number
    unit = "" if claim.unit == "points" or number != number else f"<br><small>{claim.unit}</small>"
    note = re.sub(r", (?!\d)", "<br>", claim.note)  # a remark to a line
    slug = claim.verdict.replace(":", "").replace(" ", "-")
    cells = (
        f"<td>{html.escape(claim.claim, quote=False)}<br><small>Section {claim.where}. Measured: "
        f"{html.escape(claim.measure, quote=False)}</small></td>",
        f'<td class="dcl-verdict dcl-{slug}">{WORDS.get(claim.verdict, claim.verdict)}</td>',
        _number(_over_seeds(found, " †" if apart else ""), found.mean),
        _number("" if number != number else f"{number:+.2f}{unit}", number),
        _number(f"{moved}<br><small>{claim.free}</small>" if moved.n else "", moved.mean),
        _chances(found, claim.margin, claim.sign),
        f"<td>{_short(claim.data)}{' ' if claim.data else ''}<small>{note}</small><br>"
        f'<a href="../notebooks/{claim.page}.html">{PAGES[claim.page]}</a></td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _number(words: str, value: float) -> str:
    sort = "" if math.isnan(value) else f' data-value="{value:.4f}"'
    return f"<td{sort}>{words}</td>"


def _over_seeds(found: Finding, mark: str) -> str:
    return f"{found}{mark}<br><small>n = {found.n}</small>" if found.n else ""


def _chances(found: Finding, margin: float, sign: int) -> str:
    parts = chances(found, margin, sign)
    if math.isnan(parts[0]):
        return "<td></td>"
    return _number(" / ".join(f"{100 * part:.0f}" for part in parts), parts[0])


def in_short(results: Path) -> str:
    """DCL minus the rows that a reader asks for first, in one sentence.

    Each method at the length that validation chooses for the measure in question, if there are
    several. A measure that no record has is left out.
    """
    runs = evidence.with_prior(conclusions(results))
    lengths = "epochs" in runs
    chosen = {}  # what is asked -> each method at its length for that
    for name, (_, reached) in IN_SHORT.items():
        own = evidence.with_prior(conclusions(results, reached))
        if ("epochs" in own) == lengths:  # else no length was long enough for this measure
            chosen[name] = own
    parts = []
    for other, words in NAMES.items():
        asked = chosen if other == "cross-entropy" else {"mA": runs}
        found = {
            name: evidence.lead(own, "dcl", other, IN_SHORT[name][0]) for name, own in asked.items()
        }
        numbers = ", ".join(f"{lead} in {name}" for name, lead in found.items() if lead.n)
        if numbers:
            parts.append(f"minus {words}: {numbers}")
    if not parts:
        return "No run of DCL beside cross entropy is on record."
    start = (
        f"On {runs['title'].iloc[0]}, each method at the length that validation chooses for the "
        f"measure, of AUC by average precision (for mA {in_words(runs, 'dcl', *NAMES)}), in "
        "points, over seeds: DCL"
    )
    return f"{start} {'; DCL '.join(parts)}."
