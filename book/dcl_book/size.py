"""Does DCL's standing change with the number of training images? By the protocol's rules.

`collect` reads the runs on parts of the training images together with those on all of them, which
are the runs of several lengths. A comparison is a table of differences, a row for each run of DCL
and its partner of the same seed, part and length; lines are fitted to it seed by seed.
"""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from . import evidence, length, length_tables
from .finding import Finding
from .length import DECIDING
from .measures import Measure, class_balanced
from .names import PRIOR

FOLDER = "celeba-30k-size"  # below results/
PARTS = (3_000, 6_000, 12_000)  # at most so many images, of the grid
PAPER = 162_770  # training images of the whole of CelebA
ACROSS = ", devices mixed"
BEST, LAST = "mA, own decision", "mA, own decision, last epoch"


def collect(parts: Path, whole: Path, dataset: str = "celeba") -> pd.DataFrame:
    """The runs on parts and, of the lengths and methods that these have, those on all images.

    Returns
    -------
    DataFrame
        As `dcl.experiment.records.collect` has them, with ``epochs``, ``images`` (trained on) and
        ``part`` (at most so many were asked for; of all images their number).
    """
    runs, all_images = length.collect(parts, dataset), length.collect(whole, dataset)
    kinds = set(zip(runs["method"], runs["epochs"], strict=True))
    same = [kind in kinds for kind in zip(all_images["method"], all_images["epochs"], strict=True)]
    every = pd.concat([runs, all_images[np.array(same, dtype=bool)]], ignore_index=True)
    images = [record["dataset"]["found"]["train"] for record in every["record"]]
    asked = [record["config"].get("train_part", 0) for record in every["record"]]
    part = [a or n for a, n in zip(asked, images, strict=True)]
    return every.assign(images=images, part=part)


def title(runs: pd.DataFrame) -> str:
    """The data's title without a part, and the range of the parts that were trained on."""
    if not len(runs):
        return "no record yet"
    data = runs.loc[runs["images"].idxmax(), "record"]["dataset"]
    words = data["title"]
    if part := data.get("train_part"):
        words = words.removesuffix(f", {part['images']:,} of {part['of']:,} to train on")
    return f"{words}, {min(runs['part']):,} to {max(runs['part']):,} to train on"


def differences(
    runs: pd.DataFrame,
    other: str,
    measure: Measure = class_balanced,
    *,
    across_devices: bool = False,
) -> pd.DataFrame:
    """DCL minus another row in one measure, for every seed, part and length that both have.

    Only pairs of one kind of device, unless `across_devices`.

    Returns
    -------
    DataFrame
        ``epochs``, ``part``, ``seed``, ``images`` and ``points``.
    """
    shown = evidence.with_prior(runs) if other == PRIOR else runs
    compare = evidence.difference if across_devices else evidence.difference_on_one_device
    rows = []
    for (epochs, part), own in shown.groupby(["epochs", "part"]):
        apart = compare(own, "dcl", other, measure)
        images = own[own["method"] == "dcl"].set_index("seed")["images"]
        rows += [(epochs, part, seed, images[seed], points) for seed, points in apart.items()]
    return pd.DataFrame(rows, columns=["epochs", "part", "seed", "images", "points"])


def by_part(found: pd.DataFrame) -> pd.DataFrame:
    """The differences as `Finding` over seeds: a row for each part, a column for each length."""
    groups = found.groupby(["part", "epochs"])["points"]
    return (
        groups.agg(Finding.of)
        .unstack("epochs")
        .map(lambda x: x if isinstance(x, Finding) else Finding.of([]))
    )


def readings(runs: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """The differences in every measure and at the last epoch.

    Where thresholds are tuned, "moved threshold" is cross entropy with tuned ones.

    Returns
    -------
    dict
        `LAST` and the names of `length.MEASURES` -> a table of `by_part` for each row of
        `DECIDING`.
    """
    kinds = _kinds(runs)
    return {
        name: {other: by_part(_apart(*kinds[name], other, name)) for other in DECIDING}
        for name in kinds
    }


def _kinds(runs: pd.DataFrame) -> dict[str, tuple[pd.DataFrame, Measure]]:
    """Measures by name, each with the runs as it reads them."""
    kinds = {name: (runs, measure) for name, measure in length.MEASURES.items()}
    return kinds | {LAST: (length.at_the_last_epoch(runs), class_balanced)}


def _apart(runs: pd.DataFrame, measure: Measure, other: str, name: str) -> pd.DataFrame:
    tuned = other == PRIOR and "tuned" in name
    return differences(runs, "cross-entropy" if tuned else other, measure)


def table(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Differences of `by_part`, of each other row, as text with their number of seeds.

    Returns
    -------
    DataFrame
        Rows by images, columns by length.
    """
    rows = {}
    for other, leads in found.items():
        for part in leads.index:
            rows[(other, f"{part:,}")] = leads.loc[part].map(Finding.with_n)
    shown = pd.DataFrame.from_dict(rows, orient="index")
    shown.index = pd.MultiIndex.from_tuples(rows, names=["DCL minus", "images"])
    return shown.rename(columns="{} epochs".format)


def means(runs: pd.DataFrame, epochs: int, measure: Measure = class_balanced) -> pd.DataFrame:
    """Each method's measure at one length, as text with its number of seeds.

    Returns
    -------
    DataFrame
        Rows by method, rising in the measure with the most images; columns by images.
    """
    shown = evidence.with_prior(runs[runs["epochs"] == epochs])
    found = {
        f"{part:,}": {
            method: Finding.of(evidence.by_seed(own, method, measure))
            for method in dict.fromkeys(shown["method"])
        }
        for part, own in shown.groupby("part")
    }
    table = pd.DataFrame(found)
    if len(table):
        table = table.sort_values(table.columns[-1], key=lambda each: each.map(lambda f: f.mean))
    table = table.map(lambda found: found.with_n("{:.2f}"))
    return table.rename_axis("method").rename_axis("images", axis=1)


def trends(runs: pd.DataFrame, epochs: int) -> pd.DataFrame:
    """Slopes of one length in every measure, and at the last epoch: columns by the other row.

    Where thresholds are tuned, the moved threshold's are cross entropy's.
    """
    here = runs[runs["epochs"] == epochs]
    kinds = _kinds(here)
    return pd.DataFrame(
        {
            f"minus {other}": {
                name: slopes(_apart(*kinds[name], other, name)).with_n() for name in kinds
            }
            for other in DECIDING
        }
    )


def lines_table(runs: pd.DataFrame) -> pd.DataFrame:
    """The seeds' lines as text, of each length that two seeds have at every size.

    Returns
    -------
    DataFrame
        Rows by length and other row, twice where seeds cross devices; columns: slope, where the
        line ends, and the check.
    """
    rows = {}
    for epochs, own in runs.groupby("epochs"):
        for other, across in product(DECIDING, (False, True)):
            found = differences(own, other, across_devices=across)
            slope, checked = slopes(found), check(found)
            if not across:
                alone = slope.n
            elif slope.n == alone:
                continue
            if has_lines(found):
                rows[f"{epochs} epochs{ACROSS * across}", f"minus {other}"] = {
                    "per doubling": slope.with_n(),
                    f"at {PAPER:,}, extrapolated": continued(found).with_n(),
                    "predicted minus measured at all images": checked.with_n(),
                    "the check": "hit" if hit(checked) else "miss",
                }
    return pd.DataFrame.from_dict(rows, orient="index")


def slopes(found: pd.DataFrame) -> Finding:
    """Points that the difference gains per doubling of the images: a line for each whole seed."""
    return Finding.of([slope for slope, _ in _lines(found)])


def continued(found: pd.DataFrame, images: float = PAPER) -> Finding:
    """Where the seeds' lines stand at a number of images, measured or beyond."""
    return Finding.of([start + slope * np.log2(images) for slope, start in _lines(found)])


def check(found: pd.DataFrame) -> Finding:
    """Lines of the parts alone, continued to all images: predicted minus measured, over seeds."""
    parts = sorted(set(found["part"]))
    if len(parts) < 3:
        return Finding.of([])
    whole = found[found["part"] == parts[-1]].set_index("seed")
    lines = _lines_by_seed(found[found["part"] != parts[-1]])
    apart = [
        start + slope * np.log2(whole["images"][seed]) - whole["points"][seed]
        for seed, (slope, start) in lines.items()
        if seed in whole.index
    ]
    return Finding.of(apart)


def hit(found: Finding) -> bool:
    """Whether a `check` is a hit: its interval holds zero."""
    return found.n > 1 and found.low <= 0 <= found.high


def trend(found: Finding, margin: float = 0.5) -> str:
    """What the protocol calls a slope: ``grows``, ``flat``, ``falls`` or ``undecided``.

    Examples
    --------
    >>> [trend(Finding(mean, half, 5)) for mean, half in ((1, 0.5), (0.1, 0.2), (-1, 0.5), (0, 2))]
    ['grows', 'flat', 'falls', 'undecided']
    """
    if found.n < 2:
        return "undecided"
    if found.low > 0:
        return "grows"
    if found.high < 0:
        return "falls"
    return "flat" if -margin <= found.low and found.high <= margin else "undecided"


def peaks(runs: pd.DataFrame) -> tuple[Finding, Finding]:
    """Epoch, from 1, of the best mA on validation, and points lost from there to the last."""
    epochs, lost = [], []
    for record in runs["record"]:
        measured = length_tables.history(record, "val_mA")
        if len(measured):
            epochs.append(measured.idxmax())
            lost.append(measured.max() - measured.iloc[-1])
    return Finding.of(epochs), Finding.of(lost)


def overfitting(runs: pd.DataFrame, methods: Iterable[str]) -> pd.DataFrame:
    """Epoch, counted from 1, at which the validation loss is lowest, as `Finding` over seeds.

    Returns
    -------
    DataFrame
        By (``epochs``, ``part``), a column for each of the methods.
    """
    rows = []
    for row in runs.itertuples():
        loss = length_tables.history(row.record, "val_loss")
        if row.method in tuple(methods) and len(loss):
            rows.append((row.epochs, row.part, row.method, loss.idxmin()))
    table = pd.DataFrame(rows, columns=["epochs", "part", "method", "epoch"])
    found = table.groupby(["epochs", "part", "method"])["epoch"].agg(Finding.of).unstack("method")
    return found.map(lambda x: x if isinstance(x, Finding) else Finding.of([]))


def has_lines(found: pd.DataFrame) -> bool:
    """Whether two seeds or more have a line through every size, those of one length."""
    return _shared(found)["part"].nunique() > len(PARTS) and slopes(found).n > 1


def _shared(found: pd.DataFrame) -> pd.DataFrame:
    """The differences at the sizes that two seeds or more have."""
    seeds = found.groupby("part")["seed"].nunique()
    return found[found["part"].isin(seeds[seeds > 1].index)]


def _lines(found: pd.DataFrame) -> list[tuple[float, float]]:
    return list(_lines_by_seed(found).values())


def _lines_by_seed(found: pd.DataFrame) -> dict[int, tuple[float, float]]:
    """Seed -> slope per doubling and start of a straight line, of the seeds that have every part.

    Of one length; a part that a single seed has counts for nobody.
    """
    if found["epochs"].nunique() > 1:
        raise ValueError(f"lines are of one length, got {sorted(set(found['epochs']))}")
    found = _shared(found)
    parts = found["part"].nunique()
    lines = {}
    for seed, own in found.groupby("seed"):
        if len(own) == parts > 1:
            slope, start = np.polyfit(np.log2(own["images"]), own["points"], 1)
            lines[int(seed)] = float(slope), float(start)
    return lines
