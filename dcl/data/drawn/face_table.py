"""A small folder of drawn faces with a table of labels, as somebody might have made it by hand."""

import csv
import os
import shutil
import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from .faces import ATTRIBUTES, draw_faces, draw_labels

TABLE = "drawn_faces.csv"
COLUMNS = {  # name in the table: attribute of SynthFaces, words for no and yes
    "smiling": ("Smiling", "no", "yes"),
    "glasses": ("Eyeglasses", "0", "1"),
    "hat": ("Wearing_Hat", "false", "true"),
    "mustache": ("Mustache", "0", "1"),
}
HAIR = {"black": "Black_Hair", "blond": "Blond_Hair", "brown": "Brown_Hair"}


def write_faces(
    folder: str | Path,
    count: int = 500,
    *,
    unknown: float = 0.1,
    difficulty: float = 0.5,
    seed: int = 0,
) -> Path:
    """Write ``images/NNNNN.png`` and ``drawn_faces.csv`` into `folder`, which is made.

    Four attributes of two classes, three of them rare, in three ways of writing; ``hair`` has
    three classes, and is unknown where the hair is of no or two of the colours.

    Parameters
    ----------
    folder : path
    count : int
        Faces; a smaller table is the start of a larger.
    unknown : float
        Share of the labels whose cell is left empty, in [0, 1).
    difficulty : float
        See `draw_faces`; half of SynthFaces', for a table holds fewer of them.
    seed : int

    Returns
    -------
    path
        Of ``drawn_faces.csv``.
    """
    if not 0 <= unknown < 1:
        raise ValueError(f"unknown must lie in [0, 1), got {unknown}")
    folder = Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    labels = draw_labels(count, seed=seed)
    faces = draw_faces(labels, seed=seed, difficulty=difficulty)
    for number, face in enumerate(faces, 1):
        Image.fromarray(face.transpose(1, 2, 0)).save(folder / "images" / f"{number:05d}.png")
    hidden = np.random.default_rng(seed).random((count, len(COLUMNS) + 1)) < unknown
    path = folder / TABLE
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", *COLUMNS, "hair"])
        for number, (row, blank) in enumerate(zip(labels, hidden, strict=True), 1):
            on = dict(zip(ATTRIBUTES, row.tolist(), strict=True))
            cells = [(no, yes)[on[name]] for name, no, yes in COLUMNS.values()]
            colours = [colour for colour, name in HAIR.items() if on[name]]
            cells.append(colours[0] if len(colours) == 1 else "")
            cells = ["" if empty else cell for cell, empty in zip(cells, blank, strict=True)]
            writer.writerow([f"{number:05d}.png", *cells])
    return path


def faces_in(folder: Path, count: int) -> Path:
    """The table of `write_faces` in a folder, written first if it is missing."""
    if not (folder / TABLE).is_file():
        scratch = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.part")
        try:
            write_faces(scratch, count)
            os.replace(scratch, folder)
        except OSError:  # another process was faster
            if not (folder / TABLE).is_file():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder / TABLE
