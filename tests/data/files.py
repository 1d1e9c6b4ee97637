"""Files that several tests make: images of one grey, tables."""

import csv
from pathlib import Path

from PIL import Image


def grey(path: Path, value: int) -> None:
    """An image of 8 by 10 pixels of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 10), value).save(path)


def write(path: Path, rows, separator=",") -> Path:
    """A table of these rows, the column names first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return path
