"""Draw the book's still pictures into book/_static: python book/pictures.py"""

import json
from pathlib import Path

from PIL import Image

from dcl_book import figures, headline, plane

STATIC = Path(__file__).parent / "_static"
CLOUDS = (0.1, 0.3, 0.6)  # shares of hard positives that the explorer offers
SHARES = {"Smiling": 0.48, "Bald": figures.POSITIVES / figures.BATCH}


def draw_method(folder: Path) -> None:
    """The pictures beside the equations; they are made while the book is built, see build.py."""
    figures.use_style()
    for name, figure in (
        ("schedules", figures.schedules()),
        ("targets", figures.targets(SHARES)),
        ("triplets", figures.triplets()),
        ("loss", figures.loss_weight()),
    ):
        figure.savefig(folder / f"method_{name}.svg", **figures.SVG)


def draw_clouds(folder: Path) -> None:
    """The points that the explorer's second tab moves, rounded to what its tests read."""
    clouds = {}
    for share in CLOUDS:
        cloud = plane.draw(1, share)
        points = [[round(x, 3) for x in point] for point in cloud.points[:, 0].tolist()]
        clouds[str(share)] = {"points": points, "labels": cloud.labels[:, 0].tolist()}
    script = f"window.dclClouds = {json.dumps(clouds)};\n"
    (folder / "clouds.js").write_text(script, "utf8")


def main() -> None:
    figures.use_style()
    for name, dpi, figure in (
        ("idea", 150, figures.idea),
        ("explorer", 150, figures.batch_over_training),
    ):
        path = STATIC / f"{name}.png"
        figure().savefig(path, dpi=dpi, facecolor="white", bbox_inches="tight")
        Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)
        print(f"{path}: {path.stat().st_size // 1024} KB")
    answer = figures.dots_alone(headline.five(STATIC.parents[1] / "results"), "mA, %")
    (STATIC / "answer.svg").write_text(answer, "utf8")


if __name__ == "__main__":
    main()
