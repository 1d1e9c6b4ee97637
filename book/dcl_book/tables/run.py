"""One run's attributes, and which records a page was made from."""

import base64
import os
import re
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from dcl.experiment.config import resolve
from dcl.experiment.records import per_attribute

from .. import evidence


def attributes(record: dict[str, Any]) -> Styler:
    """The metrics of each attribute of one run, in percent, balanced attributes first."""
    names = {"imbalance_level": "imbalance level", "mA": "mA", "recall": "recall"}
    names |= {"precision": "precision", "f1": "F1", "auc": "AUC"}
    names["average_precision"] = "average precision"
    table = per_attribute(record)[list(names)].rename(columns=names)
    table = table.sort_values("imbalance level")
    table.index = table.index.str.replace("_", " ")
    style = table.style.format("{:.1f}", na_rep="undefined")
    style.set_caption(f"{record['dataset']['title']}, {record['method']}: test, percent")
    # the light part of the colours, and dark text on all of it: the contrast is 7 to 1 or more
    return style.background_gradient("Blues", subset=["mA"], high=0.8, text_color_threshold=0)


def provenance(runs: pd.DataFrame, results: str) -> Styler:
    """Which records a page was made from, and where and when those were; a row for like seeds."""
    environment = [record["environment"] for record in runs["record"]]
    names = [os.path.relpath(path, resolve(results)) for path in runs["path"]]
    shown = pd.DataFrame(
        {
            "records": [re.sub(r"seed\d+", "seed*", name) for name in names],
            "device": [found["device"] for found in environment],
            "torch": [found["torch"] for found in environment],
            "source": [found["source"] for found in environment],
            "date": [record["date"][:10] for record in runs["record"]],
            "seeds": runs["seed"].astype(str),
        }
    )
    alike = list(shown.columns.drop("seeds"))
    shown = shown.groupby(alike, as_index=False, sort=False)["seeds"].agg(", ".join)
    shown = shown[["records", "seeds", *alike[1:]]]
    style = shown.style.hide(axis="index").set_caption(
        " ".join([f"records in {results}: {machine_hours(runs)}", *left_out(results).splitlines()])
    )
    return style.set_table_styles([{"selector": "th, td", "props": "text-align: left"}])


def machine_hours(runs: pd.DataFrame) -> str:
    """Machine hours of training, of different machines and beside other runs, in words."""
    spent = [record.get("timing", {}).get("training_seconds") for record in runs["record"]]
    known = [seconds for seconds in spent if seconds is not None]
    few = len(spent) - len(known)
    unknown = f", of {few} of {len(spent)} runs no time is known" if few else ""
    return f"{sum(known) / 3600:.1f} machine hours of training{unknown}."


def left_out(results: str) -> str:
    """Which methods' runs below a folder no table or figure shows, and why; empty for none."""
    reasons = evidence.left_out(resolve(results))
    return "\n".join(f"Left out: {method}, {reason}." for method, reason in reasons.items())


def download(table: pd.DataFrame, name: str) -> str:
    """An HTML link that saves a table as a CSV file, from disk too: the file is in the link."""
    plain = table.rename(columns=_without_tags).map(_without_tags)
    text = base64.b64encode(plain.to_csv().encode()).decode()
    return f'<a download="{name}" href="data:text/csv;base64,{text}">{name}</a>'


def _without_tags(value: Any) -> Any:
    return re.sub(r"<[^>]*>", "", value) if isinstance(value, str) else value
