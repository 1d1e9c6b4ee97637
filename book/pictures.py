"""Draw the book's still pictures into book/_static: python book/pictures.py"""

from pathlib import Path

from PIL import Image

from dcl.report import figures

STATIC = Path(__file__).parent / "_static"


def main() -> None:
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
