"""A run of seconds that several tests look at: its options, its data, and what a seed decides."""

import json

from dcl.data import Dataset, Split
from dcl.data.drawn.faces import ATTRIBUTES, draw_faces, draw_labels

OPTIONS = {"batch_size": 32, "epochs": 3, "device": "cpu"}


def tiny() -> Dataset:
    """96 training faces with 16 of the attributes, each with both classes in every split."""
    names = ATTRIBUTES[:16]
    splits = {}
    for seed, (name, count) in enumerate({"train": 96, "val": 48, "test": 48}.items()):
        labels = draw_labels(count, seed=seed)
        labels[0], labels[1] = 0, 1
        splits[name] = Split(images=draw_faces(labels, seed=seed), labels=labels[:, : len(names)])
    return Dataset(
        name="faces", title="SynthFaces", attributes=names, classes=2, splits=splits,
        expected={"train": 96, "val": 48, "test": 48}, fingerprint="tiny",
    )  # fmt: skip


def metrics(record: dict) -> str:
    """All of a record that a seed decides, as text: the times are left out."""
    history = [
        {k: v for k, v in row.items() if k not in ("ms", "ms_per_step")}
        for row in record["history"]
    ]
    return json.dumps([record["test"], record["selection"], history, record["decisions"]])
