"""Reads CelebA's annotation files; every error names the file and the line.

The authors' are .txt files. Those that Kaggle hands out say the same as .csv files, with a header.
"""

import re
from array import array
from pathlib import Path

import numpy as np
import pandas as pd

from .resident import DataError

HELP = (
    "CelebA is for non-commercial research and comes from its authors "
    '(torchvision.datasets.CelebA("data", download=True) fetches it where there is a network)'
)
ATTRIBUTES = tuple(
    """
    5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose
    Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee
    Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes
    No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling
    Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace
    Wearing_Necktie Young
    """.split()
)  # in the official order
ATTRIBUTE_FILE, PARTITION_FILE = "list_attr_celeba.txt", "list_eval_partition.txt"
IDENTITY_FILE = "identity_CelebA.txt"


def read_attributes(path: Path) -> pd.DataFrame:
    """The annotation file: (rows, 40) int8 of 0 and 1, indexed by image name."""
    declared, skipped = None, 1
    with _open(path) as file:
        if not _is_csv(path):
            declared, skipped = file.readline().strip(), 2
            if not re.fullmatch(r"[0-9]{1,9}", declared):
                raise DataError(
                    f"{path}, line 1: expected the number of rows, got {declared[:40]!r}"
                )
        header = tuple(_cells(file.readline(), path))[_is_csv(path) :]  # image_id, in a .csv file
        if header != ATTRIBUTES:
            odd = [name for name in header if name not in ATTRIBUTES][:3] or list(header[:3])
            raise DataError(
                f"{path}, line {skipped}: expected CelebA's 40 attribute names in the official "
                f"order, got {len(header)} names ({', '.join(odd)} ...). Is this {ATTRIBUTE_FILE}?"
            )
        table = _read_table(file, path, skipped=skipped, columns=40)
    if declared is not None and len(table) != int(declared):
        raise DataError(
            f"{path}: line 1 declares {declared} rows but {len(table):,} follow. "
            f"The file is cut short or edited: get it again"
        )
    values = table.to_numpy()
    if not np.isin(values, (-1, 1)).all():
        row, column = np.argwhere(~np.isin(values, (-1, 1)))[0]
        raise DataError(
            f"{path}, line {attribute_line(path, row)} ({table.index[row]}): {ATTRIBUTES[column]} "
            f"is {values[row, column]}, expected -1 or 1"
        )
    return pd.DataFrame((values == 1).astype(np.int8), index=table.index, columns=list(ATTRIBUTES))


def read_partition(path: Path) -> pd.Series:
    """The split file: 0, 1 or 2 for each image name."""
    skipped = int(_is_csv(path))  # a header
    with _open(path) as file:
        if skipped:
            file.readline()
        table = _read_table(file, path, skipped=skipped, columns=1)
    values = table.iloc[:, 0]
    if not values.isin((0, 1, 2)).all():
        row = int(np.argmax(~values.isin((0, 1, 2)).to_numpy()))
        raise DataError(
            f"{path}, line {row + skipped + 1} ({values.index[row]}): split {values.iloc[row]}, "
            f"expected 0 (train), 1 (val) or 2 (test)"
        )
    return values


def read_identities(path: Path) -> pd.Series:
    """The file of persons: a number for each image name."""
    with _open(path) as file:
        table = _read_table(file, path, skipped=0, columns=1)
    return table.iloc[:, 0]


def annotation_file(root: Path, name: str) -> Path:
    """The authors' file of this name in `root`, or Kaggle's in its place."""
    csv = (root / name).with_suffix(".csv")
    return csv if csv.is_file() and not (root / name).is_file() else root / name


def attribute_line(path: Path, row: int) -> int:
    """The line of the annotation file that holds a row, counted from 0."""
    return row + (2 if _is_csv(path) else 3)


def _is_csv(path: Path) -> bool:
    return path.suffix == ".csv"


def _cells(line: str, path: Path) -> list[str]:
    return line.strip().split(",") if _is_csv(path) else line.split()


def _open(path: Path):
    if not path.is_file():
        raise DataError(f"missing {path}: CelebA's annotation belongs beside its images. {HELP}")
    return path.open(encoding="utf-8", errors="replace")


def _read_table(file, path: Path, *, skipped: int, columns: int) -> pd.DataFrame:
    """Rows `name value value ...` -> DataFrame of int16 indexed by name; errors name the line."""
    names, cells = [], array("h")
    for line, text in enumerate(file, skipped + 1):
        name, *values = _cells(text, path) or [""]
        if len(values) != columns:
            raise DataError(
                f"{path}, line {line}: expected an image name and {columns} values, "
                f"got {len(values)}: {text.strip()[:60]!r}"
            )
        names.append(name)
        try:
            cells.extend(map(int, values))
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"{path}, line {line}: a value is not a whole number of at most 5 digits ({error})"
            ) from None
    numbers = np.array(cells, dtype=np.int16).reshape(-1, columns)
    table = pd.DataFrame(numbers, index=pd.Index(names))
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(f"{path}: image {twice} has two rows")
    return table
