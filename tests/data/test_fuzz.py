"""Every reader, given damaged or foreign bytes, ends in data or in an error of ours that names it.

Nothing else may come out: no other exception, no long wait, no gigabytes, and no code that runs.
"""

import io
import json
import os
import pickle
import re
import resource
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_array
from test_pedestrian_annotation import cells, peta_fields, rap_fields

from dcl.data import DataError, cifar
from dcl.data.celeba_annotation import read_attributes, read_partition
from dcl.data.cifar_files import OFFICIAL
from dcl.data.drawn.faces import ATTRIBUTES
from dcl.data.pack import open_pack
from dcl.data.pedestrian_annotation import read_peta, read_rap
from dcl.data.sources import Archive, Folder
from dcl.experiment import records
from dcl.experiment.checkpoint import Progress, TrainingError, load_checkpoint, save_checkpoint
from dcl.experiment.config import ConfigError
from dcl.experiment.grid import read_grid
from dcl.networks.backbones import ModelError, TorchvisionModel

EXAMPLES = max(60, settings.default.max_examples)  # 60: of damaged files, at least
SECONDS, MEBIBYTES = 20, 700  # of a processor, far above what a small file needs
OURS = (ConfigError, DataError, ModelError, TrainingError, records.RecordError)
HUGE = [b"\xff" * 4, b"\xff\xff\xff\x7f", b"\xff" * 8, b"\0" * 4]  # as a length or a size
fuzz = settings(max_examples=EXAMPLES)


@pytest.fixture(autouse=True, scope="module")
def _no_reader_takes_gigabytes():
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit / 2**20
    assert grown < MEBIBYTES


@st.composite
def damaged(draw, whole: bytes) -> bytes:
    """A valid file cut, with bytes changed, put in, taken out or swapped; or another file."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300) | st.text(max_size=99).map(str.encode))
    data = whole
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("cut", "flip", "size", "insert", "delete", "swap lines")))
        at, to = sorted(draw(st.integers(0, len(data))) for _ in range(2))
        if kind == "cut":
            data = data[:to]
        elif kind == "flip":
            data = data[:at] + draw(st.binary(min_size=1, max_size=2)) + data[at + 1 :]
        elif kind == "size":
            at -= at % 4  # formats align their lengths
            data = data[:at] + (new := draw(st.sampled_from(HUGE))) + data[at + len(new) :]
        elif kind == "insert":
            data = data[:at] + draw(st.binary(max_size=20)) + data[at:]
        elif kind == "delete":
            data = data[:at] + data[min(to, at + 20) :]
        else:
            lines = data.split(b"\n")
            i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            lines[i], lines[j] = lines[j], lines[i]
            data = b"\n".join(lines)
    return data


def ends_well(read, data: bytes, name: str):
    """Data, or None after an error of ours that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        started = sum(os.times()[:4])
        result, message = None, name
        try:
            result = read(path)
        except OURS as error:
            message = str(error)
        assert name in message
        assert sum(os.times()[:4]) - started < SECONDS
        return result


ROWS = "\n".join(f"{n:06d}.jpg " + " ".join(["-1", " 1"] * 20) for n in range(1, 6))
ATTRIBUTE_TEXT = f"5\n{' '.join(ATTRIBUTES)} \n{ROWS}\n".encode()
PARTITION_TEXT = b"".join(b"%06d.jpg %d\n" % (n, n % 3) for n in range(1, 9))


@fuzz
@given(damaged(ATTRIBUTE_TEXT))
@example("²\n".encode() + ATTRIBUTE_TEXT[2:])
@example(b"9" * 5000 + ATTRIBUTE_TEXT[1:])
def test_celebas_attributes(data):
    table = ends_well(read_attributes, data, "list_attr_celeba.txt")
    assert table is None or set(np.unique(table)) <= {0, 1}


@fuzz
@given(damaged(PARTITION_TEXT))
def test_celebas_partition(data):
    table = ends_well(read_partition, data, "list_eval_partition.txt")
    assert table is None or set(table) <= {0, 1, 2}


def as_csv(text: bytes, header: str) -> bytes:
    return header.encode() + b"\n" + re.sub(rb"[ \t]+", b",", text)


ATTRIBUTE_CSV = as_csv(f"{ROWS}\n".encode(), ",".join(["image_id", *ATTRIBUTES]))


@fuzz
@given(damaged(ATTRIBUTE_CSV))
@example(ATTRIBUTE_CSV)
@example(b"")
def test_celebas_attributes_as_kaggle_has_them(data):
    table = ends_well(read_attributes, data, "list_attr_celeba.csv")
    assert table is None or set(np.unique(table)) <= {0, 1}


@fuzz
@given(damaged(as_csv(PARTITION_TEXT, "image_id,partition")))
def test_celebas_partition_as_kaggle_has_it(data):
    table = ends_well(read_partition, data, "list_eval_partition.csv")
    assert table is None or set(table) <= {0, 1, 2}


def matlab(name: str, fields: dict) -> bytes:
    file = io.BytesIO()
    savemat(file, {name: fields})
    return file.getvalue()


def is_whole(annotation) -> bool:
    count, every = len(annotation.images), np.arange(len(annotation.images))
    return (
        annotation.labels.shape == (count, len(annotation.attributes))
        and np.isin(annotation.labels, (-1, 0, 1)).all()
        and len(annotation.partitions) == 5
        and all(
            np.array_equal(np.sort(np.concatenate(list(part.values()))), every)
            for part in annotation.partitions
        )
    )


@fuzz
@given(damaged(matlab("RAP_annotation", rap_fields())))
def test_raps_annotation(data):
    annotation = ends_well(read_rap, data, "RAP_annotation.mat")
    assert annotation is None or is_whole(annotation)


@fuzz
@given(damaged(matlab("peta", peta_fields())))
def test_petas_annotation(data):
    annotation = ends_well(read_peta, data, "PETA.mat")
    assert annotation is None or is_whole(annotation)


ODD_FIELDS = [
    "text", 3, np.nan, np.full((20, 109), np.nan), np.full((20, 92), 1e300),
    np.ones((20, 109)) * 1j, np.zeros((0, 0)), np.zeros((20, 109, 2)), np.ones((20, 109)),
    np.uint64(2**64 - 1), cells([]), cells(["a"] * 20), cells([{"a": 1}] * 105),
    cells([np.zeros((0, 0))] * 92),
    {"train": 1, "val": 2, "test": 3}, cells([{"train": "a", "val": "b", "test": "c"}] * 5),
    cells([{"train_index": np.nan, "test_index": csc_array(np.eye(3))}] * 5), csc_array(np.eye(20)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fields", "read"),
    [("RAP_annotation", rap_fields(), read_rap), ("peta", peta_fields(), read_peta)],
)
def test_pedestrian_fields_of_another_kind(name, fields, read):
    for field in fields:
        for value in ODD_FIELDS:
            data = matlab(name, fields | {field: value})
            annotation = ends_well(read, data, f"{name}.mat")
            assert annotation is None or is_whole(annotation), (field, value)
    for value in ODD_FIELDS:
        assert ends_well(read, matlab(name, value), f"{name}.mat") is None


def picture(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := io.BytesIO(), kind)
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def packed(path: Path, source: Archive | Folder):
    names = sorted(source.names())
    return open_pack(path.parent, source, names, size=(10, 8), progress=False).images.shape


@fuzz
@given(damaged(zipped({f"images/{n}.png": picture("PNG") for n in range(3)})))
def test_zips_of_images(data):
    shape = ends_well(lambda path: packed(path, Archive(path)), data, "images.zip")
    assert shape is None or shape[1:] == (3, 10, 8)


@fuzz
@given(st.data(), st.sampled_from(("BMP", "JPEG", "PNG", "WEBP")))
def test_images_in_a_folder(data, kind):
    name = f"one.{kind.lower()}"
    data = data.draw(damaged(picture(kind)))
    shape = ends_well(lambda path: packed(path, Folder(path.parent)), data, name)
    assert shape in (None, (1, 3, 10, 8))


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture(scope="module")
def mark(tmp_path_factory):
    return tmp_path_factory.mktemp("marks") / "code-ran"


def test_the_bomb_of_these_tests_goes_off_where_it_is_unpickled(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


@fuzz
@given(st.data())
def test_no_pickle_of_cifar_is_opened(mark, data):
    content = data.draw(damaged(pickle.dumps({"fine_labels": [1], "data": Bomb(mark)})))

    def read(path):
        folder = path.parent / OFFICIAL
        folder.mkdir()
        for file in ("meta", "train", "test"):
            (folder / file).write_bytes(path.read_bytes())
        return cifar.load(path.parent, progress=False)

    assert ends_well(read, content, "train") is None
    assert not mark.exists()


RECORD = {
    "schema": records.SCHEMA, "experiment": "celeba", "method": "dcl", "seed": 0,
    "dataset": {"name": "faces", "title": "Faces"}, "timing": {"ms_per_step": 1.5},
    "test": {"mA": 80.0, "per_attribute": {"Bald": {"mA": 75.5}}}, "history": [{"epoch": 0}],
}  # fmt: skip


def collected(path: Path) -> int:
    return len(records.collect(path.parent))


@fuzz
@given(damaged(json.dumps(RECORD, indent=1).encode()))
@example(b"[" * 100_000)
def test_records(data):
    record = ends_well(records.read, data, "dcl-seed0.json")
    assert record is None or record["schema"] == records.SCHEMA
    assert ends_well(collected, data, "dcl-seed0.json") in (None, 1)


@pytest.mark.parametrize("key", RECORD)
@pytest.mark.parametrize("value", [None, 3, "text", [], {}, [[1]]])
def test_records_with_a_part_of_another_kind(key, value):
    data = json.dumps(RECORD | {key: value}).encode()
    assert ends_well(collected, data, "dcl-seed0.json") in (None, 1)


def training_state() -> dict:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return {"model": model, "optimiser": optimiser, "data": torch.Generator().manual_seed(1)}


def checkpoint() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.checkpoint"
        progress = Progress(epoch=2, history=[{"epoch": 0}, {"epoch": 1}])
        save_checkpoint(path, "this run", training_state(), progress)
        return path.read_bytes()


CHECKPOINT = checkpoint()


def resumed(path: Path):
    state = training_state()
    progress = load_checkpoint(path, "this run", state)
    return progress, {k: v.clone() for k, v in state["model"].state_dict().items()}


@fuzz
@given(damaged(CHECKPOINT))
def test_checkpoints(data):
    found = ends_well(resumed, data, "run.checkpoint")
    if found is not None:  # what was changed is in no use: all is as it was saved
        progress, weights = found
        assert (progress.epoch, len(progress.history)) == (2, 2)
        assert all(
            torch.equal(weights[k], v) for k, v in training_state()["model"].state_dict().items()
        )


def saved(content) -> bytes:
    torch.save(content, file := io.BytesIO())
    return file.getvalue()


ODD_PARTS = [None, 3, "text", [], {}, {"a": 1}, torch.ones(2), torch.zeros(5056, dtype=torch.uint8)]


def test_checkpoints_with_parts_of_another_kind():
    whole = torch.load(io.BytesIO(CHECKPOINT), weights_only=True)
    for odd in ODD_PARTS:
        contents = [odd]
        contents += [whole | {name: odd} for name in whole]
        contents += [whole | {"state": whole["state"] | {name: odd}} for name in whole["state"]]
        contents += [
            whole | {"progress": whole["progress"] | {name: odd}} for name in whole["progress"]
        ]
        for content in contents:
            ends_well(resumed, saved(content), "run.checkpoint")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")  # torch warns of what we made
@pytest.mark.parametrize("pack_up", [saved, pickle.dumps])
def test_no_code_in_a_checkpoint_or_in_weights_runs(mark, pack_up):
    bomb = pack_up({"identity": "this run", "state": Bomb(mark), "progress": {}})
    assert ends_well(resumed, bomb, "run.checkpoint") is None
    weights = ends_well(lambda p: TorchvisionModel("resnet18", weights=p), bomb, "resnet18.pth")
    assert weights is None
    assert not mark.exists()


GRID = {
    "experiment": "celeba", "parameters": {"epochs": 2, "lr": 0.1, "sampling": "convex"},
    "methods": ["dcl", "cross-entropy"], "seeds": [0, 1],
}  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), x),
    max_leaves=5,
)
LAUGHS = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 9))


def grid(path: Path):
    return read_grid(path, {})


@fuzz
@given(damaged(yaml.safe_dump(GRID).encode()))
@example(b"[" * 2_000)
@example(("x0: &x0 [1]\n" + LAUGHS + "seeds: *x8").encode())
@example(b"a: &a [*a]\nseeds: *a")
@example(b"seeds: 2001-99-99")
@example(b"seeds: !!bool maybe")
@example(b"seeds: !!int ''")
@example(b"seeds: !!timestamp x")
@example(b"seeds: 0x" + b"f" * 5000)
@example(b"seeds: 0b")
@example(yaml.safe_dump(GRID | {"parameters": {"lr": 10**400}}).encode())
@example(yaml.safe_dump(GRID | {"seeds": [1]}).replace("- 1", "- 0x" + "f" * 5000).encode())
def test_grids(data):
    runs = ends_well(grid, data, "mine.yaml")
    assert runs is None or all(run.config.method == run.parameters["method"] for run in runs)


@fuzz
@given(st.sampled_from(list(GRID)), VALUES)
@example("parameters", {7: 1})
def test_grids_with_values_of_another_kind(key, value):
    data = yaml.safe_dump(GRID | {key: value}, allow_unicode=True).encode()
    ends_well(grid, data, "mine.yaml")
