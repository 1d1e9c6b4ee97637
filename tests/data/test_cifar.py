"""CIFAR-100 from either layout, its fixed subsets, the stand-in, and what is wrong with a file."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from conftest import real_data
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import CIFAR100

from dcl.data import DataError, cifar
from dcl.data.drawn import shapes
from dcl.data.resident import flip
from dcl.experiment.config import ConfigError
from dcl.experiment.datasets import Cifar100

NAMES = ("apple", "bear", "clock")


def pictures(split: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Images, labels and file names, in no order."""
    count = {"train": 12, "test": 6}[split]
    labels = np.arange(count) % 3
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    stems = [f"{NAMES[label]}_s_{1000 - number:06d}" for number, label in enumerate(labels)]
    return images, labels, stems


@pytest.fixture
def tree(tmp_path):
    for split in ("train", "test"):
        for image, label, stem in zip(*pictures(split), strict=True):
            folder = tmp_path / split / NAMES[label]
            folder.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(image.transpose(1, 2, 0))
            picture.save(folder / f"{stem}.webp", lossless=True)
    return tmp_path


@pytest.fixture
def official(tmp_path_factory, monkeypatch):
    """The same images as the official distribution's pickles, with their checksums made known."""
    root = tmp_path_factory.mktemp("official")
    folder = root / "cifar-100-python"
    folder.mkdir()
    content = {"meta": {"fine_label_names": list(NAMES)}}
    for split in ("train", "test"):
        images, labels, stems = pictures(split)
        content[split] = {
            "data": images.reshape(len(images), -1),
            "fine_labels": labels.tolist(),
            "filenames": [f"{stem}.png" for stem in stems],
        }
    sums = {}
    for name, values in content.items():
        data = pickle.dumps(values)
        (folder / name).write_bytes(data)
        sums[name] = hashlib.md5(data).hexdigest()
    monkeypatch.setattr(CIFAR100, "train_list", [["train", sums["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", sums["test"]]])
    meta = {"filename": "meta", "key": "fine_label_names", "md5": sums["meta"]}
    monkeypatch.setattr(CIFAR100, "meta", meta)
    return root


def load(root):
    return cifar.load(root, progress=False)


def test_both_layouts_give_the_same_arrays_sorted_by_class_and_name(tree, official):
    one, two = load(tree), load(official)
    assert one.class_names == two.class_names == NAMES
    for split in ("train", "test"):
        assert (one.splits[split].images == two.splits[split].images).all()
        assert (one.splits[split].labels == two.splits[split].labels).all()
        images, labels, stems = pictures(split)
        order = sorted(range(len(stems)), key=lambda i, n=labels, s=stems: (n[i], s[i]))
        assert (one.splits[split].images == images[order]).all()


def test_a_classs_folder_may_be_in_another_case_in_test(tree):
    before = load(tree)
    folder = tree / "test" / NAMES[0]
    folder.rename(folder.with_name(NAMES[0].upper()))
    assert (load(tree).splits["test"].labels == before.splits["test"].labels).all()


def test_no_pickle_is_opened_before_its_checksum_is_right(official):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was opened",))

    (official / "cifar-100-python" / "train").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=r"train is missing or not the official file"):
        load(official)


def test_what_is_wrong_is_named(tree, tmp_path_factory):
    with pytest.raises(DataError, match=r"nowhere does not exist.*download=True"):
        load(tree / "nowhere")
    with pytest.raises(DataError, match=r"is not CIFAR-100: expected cifar-100-python/"):
        load(tmp_path_factory.mktemp("empty"))
    (tree / "test" / "zebra").mkdir()
    Image.new("RGB", (32, 32)).save(tree / "test" / "zebra" / "z.png")
    with pytest.raises(DataError, match=r"z\.png: is in no folder of a class of train/"):
        load(tree)
    (tree / "test" / "zebra" / "z.png").unlink()
    (tree / "train" / "bear" / "broken.webp").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"broken\.webp: cannot be decoded"):
        load(tree)


@given(
    ratio=st.sampled_from([1.0, 2.0, 10.0, 50.0]),
    kind=st.sampled_from(cifar.IMBALANCE_TYPES),
    seed=st.integers(0, 5),
)
def test_a_subset_has_the_counts_of_its_formula_and_no_image_twice(ratio, kind, seed):
    data = shapes_of_1000()
    part = cifar.subset(
        data, imbalance_ratio=ratio, imbalance_type=kind, val_per_class=2, seed=seed
    )
    counts = part.class_counts[0].tolist()
    for label, count in enumerate(counts):
        if kind == "step":
            expected = 98 / ratio if label >= 5 else 98
        else:
            expected = 98 * ratio ** (-label / 9)
        assert count == int(expected + 1e-9)
    rows = part.facts["indices"]
    assert len(set(rows["train"]) | set(rows["val"])) == len(rows["train"]) + len(rows["val"])
    source = data.splits["train"]
    for name in ("train", "val"):
        assert (part.splits[name].images == source.images[rows[name]]).all()
        assert (part.splits[name].labels == source.labels[rows[name]]).all()
    assert np.bincount(part.splits["val"].labels[:, 0]).tolist() == [2] * 10
    again = cifar.subset(
        data, imbalance_ratio=ratio, imbalance_type=kind, val_per_class=2, seed=seed
    )
    assert again.facts == part.facts
    assert again.fingerprint == part.fingerprint


def test_the_standard_long_tail_is_cut_from_all_images():
    """10,847 images at 1:100, as in every published result since Cui et al. (2019)."""
    labels = np.repeat(np.arange(100), 500)[:, None]
    split = cifar.Split(images=np.zeros((50_000, 3, 1, 1), np.uint8), labels=labels)
    data = cifar.Dataset(
        name="flat", title="flat", attributes=("class",), classes=100,
        class_names=tuple(map(str, range(100))), splits={"train": split, "test": split},
        expected={}, fingerprint="flat",
    )  # fmt: skip
    before = cifar.subset(data, imbalance_ratio=100)
    assert len(before.splits["train"]) == 9_754
    assert (before.facts["largest_class"], before.facts["smallest_class"]) == (450, 4)
    none = cifar.subset(data, imbalance_ratio=100, validation="none")
    assert len(none.splits["train"]) == 10_847
    assert (none.facts["largest_class"], none.facts["smallest_class"]) == (500, 5)
    assert list(none.splits) == ["train", "test"]
    unused = cifar.subset(data, imbalance_ratio=100, validation="unused")
    assert unused.facts["indices"]["train"] == none.facts["indices"]["train"]
    assert not set(unused.facts["indices"]["train"]) & set(unused.facts["indices"]["val"])
    counts = np.bincount(unused.splits["val"].labels[:, 0], minlength=100)
    assert counts.tolist() == [
        min(50, 500 - n) for n in np.bincount(labels[none.facts["indices"]["train"], 0])
    ]
    for found in (before, none, unused):
        assert found.title == "flat, long-tailed 1:100"
    assert [found.facts["validation"] for found in (before, none, unused)] == [
        "before", "none", "unused",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imbalance_ratio": 0.5}, "imbalance_ratio must be 1 or more.*got 0.5"),
        ({"imbalance_ratio": float("nan")}, "imbalance_ratio must be 1 or more.*got nan"),
        ({"imbalance_ratio": float("inf")}, "imbalance_ratio must be 1 or more.*got inf"),
        ({"fraction": 2}, r"fraction must lie in \(0, 1\], got 2"),
        ({"fraction": 0}, r"fraction must lie in \(0, 1\], got 0"),
        ({"val_per_class": 0, "imbalance_ratio": 2}, "tiny has no val split: take 1"),
        ({"val_per_class": -1}, "val_per_class must be a whole number, 0 or more, got -1"),
        ({"val_per_class": 100}, "no training image of class 'a' is left"),
        ({"validation": "test"}, "one of before, unused, none, got 'test'"),
        ({"validation": "unused"}, "the subset uses every training image"),
        ({"validation": "unused", "val_per_class": 0}, "needs val_per_class of 1 or more"),
    ],
)
def test_a_subset_that_cannot_be_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        cifar.subset(shapes_of_1000(), **options)


def shapes_of_1000():
    """Ten classes of 100 tiny images."""
    labels = np.repeat(np.arange(10), 100)[:, None]
    images = np.random.default_rng(0).integers(0, 256, (1000, 3, 2, 2), dtype=np.uint8)
    split = cifar.Split(images=images, labels=labels)
    return cifar.Dataset(
        name="tiny", title="tiny", attributes=("class",), classes=10,
        class_names=tuple("abcdefghij"), splits={"train": split, "test": split},
        expected={}, fingerprint="tiny",
    )  # fmt: skip


def test_groups_are_by_training_images():
    labels = np.repeat([0, 1, 2, 3, 4], [101, 100, 20, 19, 1])
    assert cifar.shots(labels, tuple("abcde")) == {
        "many-shot": ["a"],
        "medium-shot": ["b", "c"],
        "few-shot": ["d", "e"],
    }


def test_a_class_that_would_vanish_is_named():
    with pytest.raises(DataError, match=r"no training image of class 'g' is left.*lower imb"):
        cifar.subset(shapes_of_1000(), imbalance_ratio=500)
    with pytest.raises(DataError, match=r"long-tailed, step, got 'cliff'"):
        cifar.subset(shapes_of_1000(), imbalance_type="cliff")
    with pytest.raises(ConfigError, match=r"6n \+ 2 .*got 33"):
        Cifar100(depth=33)
    with pytest.raises(ConfigError, match="validation 'unused' is of CIFAR-100's images"):
        Cifar100(validation="unused")


def test_drawn_shapes_may_be_trained_without_validation_too():
    data = Cifar100(validation="none", train_images=1_000).load(show=False)
    assert list(data.splits) == ["train", "test"]
    assert len(data.splits["train"]) == 1_000
    assert Cifar100(validation="none").recorded()["validation"] == "none"


def test_augmentation_shifts_by_whole_pixels_over_black():
    images = torch.randint(1, 256, (300, 3, 9, 7), dtype=torch.uint8)
    moved = cifar.pad_crop_flip(images, torch.Generator().manual_seed(1), pad=2)
    plain = flip(images, torch.Generator().manual_seed(1))
    seen = set()
    padded = torch.nn.functional.pad(plain, (2, 2, 2, 2))
    for before, after in zip(padded, moved, strict=True):
        places = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if torch.equal(before[:, y : y + 9, x : x + 7], after)
        ]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 25


def test_drawn_shapes_are_the_same_again_and_their_colours_can_be_told():
    labels = np.arange(100)
    assert (shapes.draw_shapes(labels) == shapes.draw_shapes(labels)).all()
    assert (shapes.draw_shapes(labels, seed=1) != shapes.draw_shapes(labels)).any()
    reds = shapes.draw_shapes(np.full(200, shapes.CLASSES.index("red square")))
    blues = shapes.draw_shapes(np.full(200, shapes.CLASSES.index("blue square")))
    middle = (slice(None), slice(None), slice(12, 20), slice(12, 20))
    difference = reds[middle].mean((0, 2, 3)) - blues[middle].mean((0, 2, 3))
    assert difference[0] > 20
    assert difference[2] < -20
    with pytest.raises(ValueError, match=r"0 \.\.\. 99, got 100"):
        shapes.draw_shapes(np.array([100]))


def test_the_real_images_are_cifar_100(tmp_path):
    import zipfile

    with zipfile.ZipFile(real_data("cifar100.zip")) as archive:
        members = [name for name in archive.namelist() if not name.endswith("/")]
    folders = {}
    for name in members:
        _, split, label, _ = name.split("/")
        folders[split, label] = folders.get((split, label), 0) + 1
    assert len(folders) == 200
    assert {count for (split, _), count in folders.items() if split == "train"} == {500}
    assert {count for (split, _), count in folders.items() if split == "test"} == {100}


def test_groups_and_indices_of_a_part_are_those_of_its_images():
    data = cifar.subset(shapes_of_1000(), imbalance_ratio=2, val_per_class=2)
    rows = data.train_rows(600, seed=1)
    part = cifar.regrouped(data.with_train_part(600, seed=1), rows)
    labels = part.splits["train"].labels[:, 0]
    whole = np.array(data.facts["indices"]["train"])
    assert part.facts["indices"] == {
        "train": whole[rows].tolist(),
        "val": data.facts["indices"]["val"],
    }
    assert part.facts["largest_class"] == np.bincount(labels).max()
    assert part.groups == cifar.shots(labels, data.class_names)


def test_classes_without_names_are_called_by_their_numbers():
    data = shapes_of_1000()
    bare = data.replace(class_names=())
    named, numbered = (cifar.subset(d, imbalance_ratio=2, val_per_class=2) for d in (data, bare))
    places = {name: str(place) for place, name in enumerate(data.class_names)}
    assert numbered.groups == {
        group: [places[name] for name in names] for group, names in named.groups.items()
    }
