"""What is chance in a number: seeds, test images, and how many seeds tell a difference."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..seed_spread import Spread, half_width, power
from .style import METHOD_COLOURS, finish, legend_below, pretty

SEED, IMAGES = "#D55E00", "#0072B2"  # the two kinds of chance
TABLE_COLOURS = {3: "#0072B2", 4: "#D55E00"}
FEWEST, MOST = 30, 100  # seeds where the axis may end


def runs_about_their_mean(values: pd.DataFrame, spread: Spread, title: str) -> Figure | None:
    """Each run's mA minus its method's mean, with the pooled spread; None without repetition.

    `values` is what `dcl_book.seed_spread.accuracies` returns, (seeds, methods).
    """
    shown = values.loc[:, values.count() > 1]
    if shown.empty:
        return None
    shown = shown[shown.mean().sort_values().index]
    figure, axes = plt.subplots(figsize=(9, 1.1 + 0.32 * shown.shape[1]))
    axes.axvspan(-spread.sd, spread.sd, color="#6E6E6E", alpha=0.15, lw=0, label="± pooled sd")
    for place, (method, column) in enumerate(shown.items()):
        found = column.dropna() - column.mean()
        axes.scatter(found, [place] * len(found), s=40, color=METHOD_COLOURS.get(method), zorder=3)
    words = [f"{name}  {c.mean():.1f} %, n = {c.count()}" for name, c in shown.items()]
    axes.set_yticks(range(len(words)), words)
    axes.axvline(0, color="black", lw=1, ls=":")
    axes.set(xlabel="mA of a run minus its method's mean, percentage points", title=title)
    legend_below(figure)
    return finish(figure)


def two_kinds_of_chance(noise: pd.DataFrame, title: str) -> Figure:
    """Of each attribute, over its imbalance; `noise` is what `seed_spread.noise` returns."""
    figure, axes = plt.subplots(figsize=(9, 3.8))
    level = noise["imbalance_level"]
    axes.scatter(
        level, noise["images"], marker="s", s=26, color=IMAGES, label="test images: standard error"
    )
    if noise["seed"].notna().any():
        axes.scatter(level, noise["seed"], s=30, color=SEED, label="seed: standard deviation")
    rarest = noise.index[-1]
    axes.annotate(
        pretty([rarest])[0], (level[rarest], noise.loc[rarest, ["seed", "images"]].max()),
        xytext=(0, 5), ha="center", va="bottom", textcoords="offset points", fontsize=8,
    )  # fmt: skip
    axes.set(
        xlabel="imbalance: majority rate minus 50, %",
        ylabel="chance in mA, points",
        title=title,
        ylim=(0, 1.15 * noise[["seed", "images"]].max(axis=None)),
    )
    legend_below(figure)
    return finish(figure)


def published_leads(leads: pd.DataFrame, title: str) -> Figure:
    """A lead in each attribute with 2 standard errors, over its imbalance.

    `leads` is what `sampling_error.published_leads` returns. Filled: beyond the thick bar.
    """
    figure, axes = plt.subplots(figsize=(9, 4.2))
    place = np.arange(len(leads))
    for width, split, words in ((4, "even", "even recalls"), (1.2, "widest", "the widest case")):
        axes.errorbar(
            place, leads["lead"], yerr=2 * leads[split], fmt="none", elinewidth=width,
            color="#6E6E6E", label=f"± 2 standard errors, {words}",
        )  # fmt: skip
    beyond = leads["lead"].abs() > 2 * leads["even"]
    faces = np.where(beyond, METHOD_COLOURS["dcl"], "#FFFFFF")
    axes.scatter(
        place, leads["lead"], s=34, color=faces, edgecolors=METHOD_COLOURS["dcl"], zorder=3
    )
    axes.axhline(0, color="black", lw=1, ls=":")
    axes.set_xticks(place, pretty(leads.index), rotation=90, fontsize=8)
    axes.set(xlabel="balanced attributes first", ylabel="lead in mA, points", title=title)
    axes.grid(axis="x", visible=False)
    legend_below(figure)
    return finish(figure)


def seeds_for_a_step(spread: Spread, steps: pd.DataFrame, title: str, chance: float) -> Figure:
    """Half width of the interval over seeds, and the step that is found with some chance.

    Parameters
    ----------
    spread : Spread
        Of a paired difference; the band is its 95 % interval.
    steps : DataFrame
        What `dcl_book.seed_spread.published_steps` returns: horizontal lines.
    title : str
    chance : float
        Of finding a step, for the dashed line.
    """
    figure, axes = plt.subplots(figsize=(9, 4.4))
    needed = steps["found"].where(steps["found"] <= MOST).max()  # in the picture
    last = FEWEST if np.isnan(needed) else max(FEWEST, 10 * int(needed // 10 + 1))
    seeds = np.arange(2, last + 1)
    if spread.dof:
        low, high = (half_width(sd, seeds) for sd in spread.interval())
        axes.fill_between(seeds, low, high, color="black", alpha=0.1, lw=0)
        half = half_width(spread.sd, seeds)
        axes.plot(seeds, half, "k", lw=2, label="half width of the 95 % interval")
        found = [_detected(spread.sd, n, chance) for n in seeds]
        words = f"step that is found in {100 * chance:.0f} % of studies"
        axes.plot(seeds, found, "k--", lw=1.5, label=words)
    for row in steps.itertuples():
        colour = TABLE_COLOURS[row.table]
        axes.axhline(row.points, color=colour, lw=1.2)
        axes.annotate(
            f"Table {row.table}: {row.step}, {row.points:.2f}", (1.01, row.points), fontsize=8,
            va="bottom" if row.table == 3 else "top", xycoords=("axes fraction", "data"),
        )  # fmt: skip
    axes.set(
        xlabel="seeds of each method", ylabel="points of mA", title=title, yscale="log",
        xlim=(seeds[0], last),
    )  # fmt: skip
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    return finish(figure)


def _detected(sd: float, n: int, chance: float) -> float:
    """The step whose `power` is the asked chance, by halving."""
    low, high = 0.0, 100 * sd
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle, sd, n) < chance else (low, middle)
    return high
