"""Draw the book's still pictures into book/_static: python book/pictures.py"""

from pathlib import Path

from PIL import Image

from dcl.report import figures

STATIC = Path(__file__).parent / "_static"
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


if __name__ == "__main__":
    main()
