"""Draw the book's still pictures into book/_static: python book/pictures.py"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

from dcl_book import figures, headline, plane
from dcl_book.figures.narrow import as_narrow_svg
from dcl_book.figures.thresholds import colour_of

STATIC = Path(__file__).parent / "_static"
CLOUDS = (0.1, 0.3, 0.6)  # shares of hard positives that the explorer offers
SHARES = {"Smiling": 0.48, "Bald": figures.POSITIVES / figures.BATCH}


def draw_method(folder: Path) -> None:
    """The pictures beside the equations; they are made while the book is built, see build.py."""
    figures.use_style()
    (folder / "narrow").mkdir(exist_ok=True)
    for name, figure in (
        ("schedules", figures.schedules()),
        ("targets", figures.targets(SHARES)),
        ("triplets", figures.triplets()),
        ("loss", figures.loss_weight()),
    ):
        figure.savefig(folder / f"method_{name}.svg", **figures.SVG)
        if narrow := as_narrow_svg(figure):
            (folder / "narrow" / f"fig-method-{name}.svg").write_text(narrow, "utf8")
    idea = figures.idea()
    idea.savefig(folder / "idea.svg", **figures.SVG)
    for name in ("fig-intro-idea", "fig-method-batch"):
        (folder / "narrow" / f"{name}.svg").write_text(as_narrow_svg(idea), "utf8")


def draw_clouds(folder: Path) -> None:
    """The points that the explorer's second tab moves, rounded to what its tests read."""
    clouds = {}
    for share in CLOUDS:
        cloud = plane.draw(1, share)
        points = [[round(x, 3) for x in point] for point in cloud.points[:, 0].tolist()]
        clouds[str(share)] = {"points": points, "labels": cloud.labels[:, 0].tolist()}
    script = f"window.dclClouds = {json.dumps(clouds)};\n"
    (folder / "clouds.js").write_text(script, "utf8")


def draw_card(folder: Path) -> None:
    """The picture that a link to the book shows: its question and its five dots."""
    figure, axes = plt.subplots(figsize=(12, 6.3))
    found = headline.five(folder.parents[1] / "results")
    for row, (words, (name, finding)) in enumerate(found.items()):
        colour = colour_of(name)
        axes.errorbar(finding.mean, -row, xerr=finding.half, color=colour, marker="o", ms=14, lw=5)
        axes.annotate(f"{words}  {finding.text('{:.1f}')}", (finding.mean, -row + 0.25),
                      ha="center", fontsize=19)  # fmt: skip
    axes.set(ylim=(-len(found) + 0.4, 0.9), yticks=[])
    axes.margins(x=0.35)
    axes.set_xlabel("balanced accuracy, %, CelebA, 30,000 images", fontsize=17)
    axes.tick_params("x", labelsize=15)
    figure.suptitle("Is Dynamic Curriculum Learning worth it?", fontsize=30, weight="bold")
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(folder / "card.png", dpi=100, facecolor="white")
    plt.close(figure)


def main() -> None:
    figures.use_style()
    path = STATIC / "explorer.png"
    drawn = figures.batch_over_training()
    drawn.savefig(path, dpi=150, facecolor="white", bbox_inches="tight")
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} KB")
    answer = figures.dots_alone(headline.five(STATIC.parents[1] / "results"), "mA, %")
    (STATIC / "answer.svg").write_text(answer, "utf8")


if __name__ == "__main__":
    main()
