"""The paper's published numbers, transcribed once into ``book/published``."""

from pathlib import Path

import pandas as pd

TABLES = (2, 3, 4, 5, 6, 7)
FOLDER = Path(__file__).resolve().parents[1] / "published"


class PublishedError(ValueError):
    """A published number that is not there: names the file, or the tables that there are."""


def table(number: int) -> pd.DataFrame:
    """One of the paper's tables of results, mA and accuracy in percent.

    Methods and schedules have this library's names; a method that only the paper has, such as
    ``clmle``, has a lower-case name of its own.

    Parameters
    ----------
    number : {2, 3, 4, 5, 6, 7}
        The table's number in the paper.

    Returns
    -------
    DataFrame
        2: by attribute, ``imbalance_level`` and a column for each method (the printed averages
        are in `averages`); 3, 4: by the paper's row; 5, 7: by method; 6: by imbalance ratio.

    Raises
    ------
    PublishedError
        For another number, and where the files are not there: they come with a checkout, not
        with the installed package.

    Examples
    --------
    >>> table(3)[["method", "mA"]]
                method     mA
    row
    1    cross-entropy  81.17
    2           dcl-ss  86.58
    3        dcl-ss-tl  87.55
    4              dcl  89.05
    """
    if number not in TABLES:
        allowed = ", ".join(map(str, TABLES))
        raise PublishedError(f"no published Table {number!r}: choose one of {allowed}")
    return _read(f"table{number}.csv")


def averages() -> pd.Series:
    """Table 2's printed average mA of each method, in percent.

    Examples
    --------
    >>> float(averages()["dcl"])
    89.05
    """
    return _read("table2_averages.csv")["mA"]


def claims() -> pd.DataFrame:
    """The paper's claims that can be checked, by their short name.

    Returns
    -------
    DataFrame
        ``label`` (in few words), ``claim``, ``where`` in the paper, ``published`` (the number as
        the text prints it) and ``from_tables`` (the same quantity from the tables), both NaN where
        there is none, their ``unit``, ``measure`` (which quantity of ours tests it, in words) and
        ``needs`` (methods, comma separated).

    Examples
    --------
    >>> claims().loc["celeba-over-crl", "measure"]
    'mA of DCL minus mA of CRL'
    """
    return _read("claims.csv")


def _read(name: str) -> pd.DataFrame:
    if not (FOLDER / name).is_file():
        raise PublishedError(f"no {FOLDER / name}: the checkout that holds this package has it")
    return pd.read_csv(FOLDER / name, index_col=0)
