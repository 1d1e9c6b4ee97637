"""The claims as tables of the book: all of them, and those whose numbers one page holds."""

import html
import math
import re

import pandas as pd

from .finding import Finding
from .verdicts import FREE, VERDICTS, WORDS, chances, paper_excluded, zero_excluded

PAGES = {  # of the book -> words for a link
    "table2": "Table 2",
    "ablation": "Tables 3, 4",
    "tables5_6": "Tables 5, 6",
    "table7": "Table 7",
    "cost": "cost",
    "framework": "framework",
    "open_choices": "open choices",
}
COLUMNS = (  # heading, what it says on hover
    ("claim", "of the paper, with its section, the quantity that tests it, and our data"),
    ("verdict", "by the rule above"),
    ("here", "mean and 95 % interval over n seeds; percentage points"),
    ("excludes zero?", "whether our interval leaves zero out, and on which side"),
    ("paper", "its text's number, or computed from its tables; percentage points"),
    ("excludes it?", "whether our interval leaves the paper's number out"),
    ("moved threshold", "the same of cross entropy with a moved threshold"),
    ("chances, %", "that it is as claimed by more than the margin / within it / opposite"),
)
ZERO = {"claimed": "yes", "other": "yes, other side", "no": "no", "": ""}
PAPER = {"above": "yes, above", "below": "yes, below", "no": "no", "": ""}
LEGEND = (
    "Numbers are percentage points unless a unit is given. "
    '<a href="../book/glossary.html#mean-accuracy">mA</a> is balanced accuracy, the mean of the '
    "accuracies on positives and negatives. <i>Moved threshold</i>: the same "
    "quantity for cross entropy decided at the training prior, which trains nothing, in the "
    "method's place; it <i>does as much</i> if the method is not ahead of it by more than the "
    "margin of no difference, and <i>does less</i> if it is; <i>cannot be distinguished</i>: "
    "the runs allow both. <i>Chances</i>, from the paired t: as claimed by more than that margin / "
    "within it / opposite by more."
)


def link(name: str, page: str) -> str:
    """Where a claim's number is, seed by seed: an address from any page of the book."""
    return f"../notebooks/{page}.html#claim-{name}"


def as_html(judged: pd.DataFrame) -> str:
    """What `claims.judge` found as an HTML table; each row links to the page with its number.

    Cells of numbers carry them as ``data-value``, to sort by.
    """
    rows = "\n".join(_row(claim) for claim in judged.itertuples())
    head = "".join(f'<th scope="col" title="{words}">{name}</th>' for name, words in COLUMNS)
    return (
        f'<table class="dcl-claims"><caption>Every claim, and what our runs say of it</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="dcl-legend"><small>{LEGEND}</small></p>'
    )


def shown_here(judged: pd.DataFrame) -> str:
    """The claims of one page as an HTML table: each seed's value, their mean, the paper's number.

    Parameters
    ----------
    judged : DataFrame
        From `dcl_book.claims.judge`, of one page. Claims without a run have a row that says so.
    """
    rows = "\n".join(_evidence(claim) for claim in judged.itertuples())
    heads = ("quantity", "each seed", "mean ± 95 %", "paper", "verdict")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<table class="dcl-claims"><caption>Claims whose numbers are on this page: percentage '
        "points unless a unit is given</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def counts(judged: pd.DataFrame) -> pd.DataFrame:
    """How many claims have each verdict, and of how many a moved threshold does as much.

    Reproduced has a row even if there is none: a reader looks for it.
    """
    verdicts = judged["verdict"]
    names = [name for name in VERDICTS if name == "reproduced" or (verdicts == name).any()]
    free = judged["free"] == FREE
    table = {
        WORDS.get(name, name): {
            "claims": int((verdicts == name).sum()),
            f"a moved threshold {FREE}": int((free & (verdicts == name)).sum()),
        }
        for name in names
    }
    return pd.DataFrame.from_dict(table, orient="index")


def reachable(judged: pd.DataFrame) -> int:
    """How many claims could be called reproduced: their runs have the paper's size."""
    return int(judged["like"].sum())


def _row(claim) -> str:
    number, found, moved = claim.published, claim.finding, claim.threshold
    note = re.sub(r", (?!\d)", "<br>", html.escape(claim.note, quote=False))  # a remark to a line
    data = f"{html.escape(claim.data, quote=False)}; {note}" if claim.data else note
    cells = (
        f"<td>{html.escape(claim.claim, quote=False)}<br><small>Section {claim.where}. Measured: "
        f"{html.escape(claim.measure, quote=False)}. Seed by seed: "
        f'<a href="{link(claim.Index, claim.page)}">{PAGES[claim.page]}</a>.'
        f"{f'<br>{data}' if data else ''}</small></td>",
        _verdict(claim.verdict),
        _number(f"{found}<br><small>n = {found.n}</small>" if found.n else "", found.mean),
        f"<td>{ZERO[zero_excluded(found, claim.sign)]}</td>",
        _number(_published(claim), number),
        f"<td>{PAPER[paper_excluded(found, number)]}</td>",
        _number(f"{moved}<br><small>{claim.free}</small>" if moved.n else "", moved.mean),
        _chances(found, claim.margin, claim.sign),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _evidence(claim) -> str:
    seeds = ", ".join(f"{value:+.2f}" for value in claim.by_seed)
    seeds = seeds or claim.note or "see the tables of this page"
    found = claim.finding
    cells = (
        f"<td>{html.escape(claim.label, quote=False)}<br><small>"
        f"{html.escape(claim.measure, quote=False)}"
        f"{f'; {claim.data}, {claim.note}' if claim.data else ''}</small></td>",
        f"<td>{seeds}</td>",
        _number(str(found) if found.n else "", found.mean),
        _number(_published(claim), claim.published),
        _verdict(claim.verdict),
    )
    return f'<tr id="claim-{claim.Index}">{"".join(cells)}</tr>'


def _published(claim) -> str:
    if claim.published != claim.published:
        return ""
    unit = "" if claim.unit == "points" else f"<br><small>{claim.unit}</small>"
    return f"{claim.published:+.2f}{unit}"


def _verdict(name: str) -> str:
    slug = name.replace(":", "").replace(" ", "-")
    return f'<td class="dcl-verdict dcl-{slug}">{WORDS.get(name, name)}</td>'


def _number(words: str, value: float) -> str:
    sort = "" if math.isnan(value) else f' data-value="{value:.4f}"'
    return f"<td{sort}>{words}</td>"


def _chances(found: Finding, margin: float, sign: int) -> str:
    parts = chances(found, margin, sign)
    if math.isnan(parts[0]):
        return "<td></td>"
    return _number(" / ".join(f"{100 * part:.0f}" for part in parts), parts[0])
