"""Easy anchors beside all anchors on points of the plane, still and moving; a batch by weight."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ..plane import Cloud, descend, draw
from .style import GREY, MINORITY, VIOLET, finish, legend_below, name_group
from .thresholds import look_of

NAMES = {"all": "all anchors (CRL)", "easy": "easy anchors (TEA)"}
LOOKS = {"all": look_of("crl"), "easy": look_of("dcl")}


def triplets(k: int = 5, hard: float = 0.3) -> Figure:
    """What one step of either triplet loss does to each point of a cloud, as arrows (Eq. 8, 9)."""
    cloud = draw(1, hard)
    minority = (cloud.labels[:, 0] == 1).numpy()
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.9), sharex=True, sharey=True)
    for axes, (kind, name) in zip(panels, NAMES.items(), strict=True):
        start, end = descend(cloud, kind, k=k, steps=1)[:, :, 0].numpy()
        move = end - start
        moved = np.linalg.norm(move, axis=1) > 1e-9
        _scatter(axes, cloud, start)
        for who, colour in ((~minority, "#555555"), (minority, LOOKS[kind]["color"])):
            axes.quiver(
                *start[moved & who].T, *move[moved & who].T, color=colour, angles="xy", width=0.006,
                scale_units="xy", scale=np.linalg.norm(move, axis=1).max() / 0.45, zorder=3,
            )  # fmt: skip
        axes.set_title(f"{name}, Eq. {8 if kind == 'all' else 9}")
    return finish(figure)


def stills(cloud: Cloud, paths: dict[str, Tensor], moments: dict[str, int], title: str) -> Figure:
    """The first cloud at some moments of its descent, a row for each kind of anchors.

    Parameters
    ----------
    cloud : Cloud
    paths : dict
        ``easy`` and ``all`` -> what `dcl_book.plane.descend` returns.
    moments : dict
        Words -> step.
    title : str
    """
    size = (3.2 * len(moments), 2.7 * len(paths))
    figure, panels = plt.subplots(len(paths), len(moments), figsize=size, sharex=True, sharey=True)
    for row, (kind, path) in zip(panels, paths.items(), strict=True):
        for axes, (words, step) in zip(row, moments.items(), strict=True):
            _scatter(axes, cloud, path[step, :, 0].numpy())
            axes.set_title(words if kind == next(iter(paths)) else "")
        row[0].set_ylabel(NAMES[kind])
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def animation(cloud: Cloud, paths: dict[str, Tensor], *, every: int = 4) -> bytes:
    """The first cloud's descent under both kinds of anchors, as a GIF that plays once.

    Forty steps take 2.1 seconds; what moves for more than five needs a button to stop it.
    """
    frames = []
    steps = len(next(iter(paths.values())))
    for step in range(0, steps, every):
        figure, panels = plt.subplots(1, len(paths), figsize=(7.2, 3.1), sharex=True, sharey=True)
        for axes, (kind, path) in zip(panels, paths.items(), strict=True):
            _scatter(axes, cloud, path[step, :, 0].numpy())
            axes.set_title(f"{NAMES[kind]}, step {step}")
        finish(figure)
        held = io.BytesIO()
        figure.savefig(held, dpi=80, format="png", bbox_inches=None)
        frames.append(Image.open(held).convert("RGB").quantize(32))
    out = io.BytesIO()
    duration = [900] + [120] * (len(frames) - 1)  # ms
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=duration)
    return out.getvalue()


def outcomes(table: pd.DataFrame, title: str) -> Figure:
    """Points lost and rescued, and mA, against the share of hard ones, for both kinds of anchors.

    Parameters
    ----------
    table : DataFrame
        Columns ``hard`` (share), ``k``, ``anchors``, and (``lost``, ``rescued``, ``mA``), each with
        a ``... half``, the half width of its 95 % interval over the clouds.
    title : str
    """
    ks = sorted(set(table["k"]))
    words = {
        "lost": "easy ones\nlost, %",
        "rescued": "hard ones\nrescued, %",
        "mA": "mA at the\nend, %",
    }
    figure, panels = plt.subplots(len(words), len(ks), figsize=(9, 6.6), sharex=True, sharey="row")
    for row, (what, label) in zip(panels, words.items(), strict=True):
        for axes, k in zip(row, ks, strict=True):
            for kind, name in NAMES.items():
                part = table[(table["k"] == k) & (table["anchors"] == kind)]
                axes.errorbar(
                    100 * part["hard"], part[what], yerr=part[f"{what} half"], capsize=3,
                    lw=2, label=name, **LOOKS[kind],
                )  # fmt: skip
            axes.set_title(f"k = {k}" if what == "lost" else "")
        row[0].set_ylabel(label)
    for axes in panels[-1]:
        axes.set_xlabel("hard ones at the start, % of positives")
    legend_below(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return finish(figure)


def batch_by_weight(images: np.ndarray, weights: np.ndarray, positive: np.ndarray, title: str):
    """A batch's images, heaviest first; dropped ones faint, minority framed, a row's weights below.

    Parameters
    ----------
    images : array (B, 3, H, W), uint8
    weights : array (B,)
    positive : array (B,) of bool
        The minority.
    title : str
    """
    order = np.lexsort((~positive, -weights))
    columns = 16
    rows = -(-len(order) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(9, 0.85 * rows + 0.4))
    for axes in panels.flat:
        axes.axis("off")
    for axes, i in zip(panels.flat, order, strict=False):
        picture = images[i].transpose(1, 2, 0)
        axes.imshow(picture if weights[i] else 255 - (255 - picture) // 5)
        if positive[i]:
            axes.axis("on")
            axes.set(xticks=[], yticks=[])
            plt.setp(axes.spines.values(), color=MINORITY, lw=2.5)
        axes.set_title(f"{weights[i]:.1f}" if weights[i] else "0", fontsize=8, pad=1, loc="center")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    name_group(figure, title)
    figure.tight_layout(h_pad=0.2, w_pad=0.1)
    plt.close(figure)
    return figure


def _scatter(axes: Axes, cloud: Cloud, points: np.ndarray) -> None:
    minority = (cloud.labels[:, 0] == 1).numpy()
    easy = minority & (cloud.points[:, 0, 0] > 0).numpy()
    axes.scatter(*points[~minority].T, s=8, color=GREY, lw=0, label="majority")
    axes.scatter(*points[easy].T, s=26, color=VIOLET, lw=0, label="easy positive")
    hard = points[minority & ~easy].T
    axes.scatter(*hard, s=28, facecolor="none", edgecolor=VIOLET, marker="^", lw=1.2)
    axes.axvline(0, color="black", lw=1, ls=":")
    axes.set(xlim=(-1.6, 1.6), ylim=(-1.2, 1.2), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
