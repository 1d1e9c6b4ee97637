"""Sentences that a person writes and the records have to bear out.

How to write a paragraph of a page
----------------------------------
Write whole sentences, put the numbers in from the records, and pin every qualitative word ("ahead",
"most", "never") by a condition::

    from dcl_book.prose import Claims, say

    claim = Claims(resolve(config.results))  # once, after `from_page`

    lead = evidence.lead(runs, "dcl", evidence.PRIOR)
    say(
        claim(lead.high < 0, f"DCL is behind the moved threshold by {points(-lead)}.", lead),
        f"Both are trained for {epochs} epochs.",  # a number alone needs no condition
    )

`say` is a paragraph of the page. To show it on another page as well, name it, and glue it there::

    say(..., glued_as="behind")        # in the notebook, as the last line of a cell

    ```{glue} behind
    :doc: ../notebooks/length.ipynb
    ```

With the repository's own records (`dcl_book.own`) a false sentence raises `FalseClaimError`: the
build and the tests of the notebooks stop and show it; then rewrite the sentence. With a reader's
records nothing stops: the sentence is struck out, followed by what their records say.

* A figure's title is its finding too: ``claim.title(condition, "DCL is never ahead", "DCL minus
  cross entropy", lead)``. With a reader's records that say otherwise it is the second.
* A difference is a `Finding`: ``f"{lead}"`` is "+7.0 ± 0.6", `points(lead)` has one decimal and no
  sign, ``-lead`` turns it round. Compare ``lead.low > 0`` (surely ahead), ``lead.high < 0`` (surely
  behind), ``length.call(lead) == "none"`` (equal within half a point). A missing run gives NaN:
  every comparison is false, and the reader reads that their records do not tell.
* Say once in a paragraph what its ± is: `over(lead, other)`.
* Take a number at a length by ``at(leads, 300)``, which is empty where no run is.
* Do not choose words by code. If a sentence depends on the reader's own data (`your_data`), write
  each of the possible sentences in full and choose one.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path

from IPython.display import HTML, Markdown
from markdown_it import MarkdownIt
from myst_nb import glue

from .finding import Finding
from .names import MINUS
from .own import are_own


class FalseClaimError(AssertionError):
    """A sentence of the book that the repository's own records do not bear out."""


class Claims:
    """Check the sentences of one page.

    Parameters
    ----------
    results : path
        The folder whose records the page reads; decides whether they are the repository's own.
    own : bool, optional
        The same, decided by hand.
    """

    def __init__(self, results: Path, own: bool | None = None):
        self.own = are_own(results) if own is None else own

    def __call__(self, condition: bool, sentence: str, *found: Finding | float | str) -> str:
        """The sentence, as Markdown, if the condition holds.

        Parameters
        ----------
        condition : bool
            What pins the sentence's qualitative words.
        sentence : str
            One sentence, in Markdown, its numbers put in.
        found : Finding, float or str
            The numbers that decide, shown where the condition does not hold.

        Returns
        -------
        str
            The sentence; with a reader's records and a false condition, the sentence struck out
            and what their records say.

        Raises
        ------
        FalseClaimError
            For a false condition with the repository's own records.
        """
        if self._holds(condition, sentence, found):
            return sentence
        missing = not found or any(_missing(value) for value in found)
        says = f"say otherwise: {_numbers(found)}" if not missing else "do not tell"
        return f'<s class="dcl-otherwise">{sentence}</s> <em>(your records {says}.)</em>'

    def title(
        self, condition: bool, finding: str, topic: str, *found: Finding | float | str
    ) -> str:
        """The title of a figure: what was found if the condition holds, else what is drawn.

        Parameters
        ----------
        condition : bool
            What pins the finding's qualitative words.
        finding, topic : str
            "DCL is never ahead of the moved threshold", "DCL minus the moved threshold".
        found : Finding, float or str
            The numbers that decide, shown in the error.

        Returns
        -------
        str
            The finding; with a reader's records and a false condition, the topic.

        Raises
        ------
        FalseClaimError
            For a false condition with the repository's own records.
        """
        return finding if self._holds(condition, finding, found) else topic

    def _holds(self, condition: bool, words: str, found: tuple) -> bool:
        if self.own and not condition:
            raise FalseClaimError(
                f"the records do not bear out this sentence: {words!r} (they say: "
                f"{_numbers(found) or 'the condition is false'}). Rewrite the sentence; if the "
                "records are not the repository's own, `dcl_book.own` says how that is told"
            )
        return bool(condition)


def say(*sentences: str, glued_as: str = "") -> Markdown:
    """A paragraph from sentences, for the end of a cell; `glued_as` names it for other pages.

    On another page it is glued as HTML: there MyST-NB shows Markdown as the name of its object.
    """
    text = " ".join(filter(None, sentences))
    if glued_as:
        page = MINUS.sub("\N{MINUS SIGN}", MarkdownIt().render(text))
        glue(glued_as, HTML(page), display=False)
    return Markdown(text)


def points(found: Finding) -> str:
    """Mean and half width with one decimal and no plus sign: "7.0 ± 0.6"."""
    return found.text("{:.1f}").replace("-", "\N{MINUS SIGN}") if found.n else "-"


def over(*found: Finding) -> str:
    """What the ± of a paragraph is: "(n = 5 seeds, 95 % intervals)"; empty where none has one.

    Examples
    --------
    >>> over(Finding(7.0, 0.6, 5), Finding(1.0, 0.6, 3))
    '(n = 3 to 5 seeds, 95 % intervals)'
    """
    counts = sorted({one.n for one in found if one.n})
    n = " to ".join(map(str, counts[:1] + counts[1:][-1:]))
    return f"(n = {n} seeds, 95 % intervals)" if max(counts, default=1) > 1 else ""


def at(leads: Mapping[Hashable, Finding], where: Hashable) -> Finding:
    """The finding at a length, or of a row; an empty one where there is none."""
    return leads.get(where, Finding.of([]))


def _numbers(found: tuple) -> str:
    return ", ".join(_text(value) for value in found)


def _text(value: Finding | float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else f"{value}"


def _missing(value: Finding | float | str) -> bool:
    if isinstance(value, Finding):
        return not value.n
    return isinstance(value, float) and value != value
