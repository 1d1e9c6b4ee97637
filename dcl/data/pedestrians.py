"""Pedestrians: RAP (Tables 5 and 6), PETA behind the same interface, and drawn persons.

rap:   RAP_annotation.mat, or in RAP_annotation/, and RAP_dataset/*.png
peta:  PETA.mat and images/NNNNN.png or .jpg, numbered by row
drawn: SynthPersons, which need nothing
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .imbalance import GROUPS, imbalance_groups
from .names import match
from .pack import open_pack
from .pedestrian_annotation import PARTITIONS, Annotation, read_peta, read_rap
from .resident import SPLITS, DataError, Dataset, Split
from .sources import Folder

RAP_HELP = (
    "RAP's images are given by their authors to those who sign an agreement: ask at "
    "http://www.rapdataset.com (or http://rap.idealtest.org). Put RAP_dataset/ and "
    "RAP_annotation.mat into one folder and give it as data_root; without it, choose "
    "dataset peta or drawn"
)
PETA_HELP = (
    "PETA is for research and comes from its authors (http://mmlab.ie.cuhk.edu.hk/projects/"
    "PETA.html): put PETA.mat and images/ into one folder and give it as data_root"
)


def load_rap(
    root: str | Path,
    *,
    protocol: str = "51",
    partition: int = 1,
    size: tuple[int, int] = (256, 128),
    progress: bool = True,
) -> Dataset:
    """RAP v1 from `root`, packed on first use.

    Parameters
    ----------
    root : path
        Folder with ``RAP_dataset/`` and ``RAP_annotation.mat`` (or ``RAP_annotation/`` with it).
    protocol : {"51", "paper", "all"}
        Attributes, see `read_rap`.
    partition : int
        1 to 5. The last tenth of a permutation of its training rows is ``val``, which it lacks.
    size : (int, int)
        Height and width of the packed images in pixels.
    progress : bool
        Show a progress bar while packing.

    Raises
    ------
    DataError
        For a file that is missing or malformed, with where to get it.
    """
    root = _check_root(Path(root), RAP_HELP)
    candidates = [root / "RAP_annotation.mat", root / "RAP_annotation" / "RAP_annotation.mat"]
    annotation = next((path for path in candidates if path.is_file()), candidates[0])
    return _load(
        root,
        name="rap",
        title="RAP",
        annotation_file=annotation,
        images=root / "RAP_dataset",
        read=lambda: read_rap(annotation, protocol),
        partition=partition,
        size=size,
        progress=progress,
        facts={"protocol": protocol},
        help_text=RAP_HELP,
    )


def load_peta(
    root: str | Path,
    *,
    split: str = "official",
    partition: int = 1,
    size: tuple[int, int] = (256, 128),
    progress: bool = True,
) -> Dataset:
    """PETA from `root`, packed on first use: arguments and errors as `load_rap`'s.

    Parameters
    ----------
    split : {"official", "identity"}
        In the official partitions most test images show a person who is also in training;
        ``identity`` keeps every person in one split (ours).
    """
    root = _check_root(Path(root), PETA_HELP)
    if not (root / "PETA.mat").is_file() and (root / "peta").is_dir():
        root /= "peta"
    images, annotation = root / "images", root / "PETA.mat"
    suffix = ".png" if (images / "00001.png").is_file() else ".jpg"
    title = "PETA" if split == "official" else "PETA, no person in two splits"
    return _load(
        root,
        name="peta",
        title=title,
        annotation_file=annotation,
        images=images,
        read=lambda: read_peta(annotation, split, suffix=suffix),
        partition=partition,
        size=size,
        progress=progress,
        facts={"split": split},
        help_text=PETA_HELP,
    )


def _check_root(root: Path, help_text: str) -> Path:
    if not root.is_dir():
        raise DataError(f"data_root {root} does not exist. {help_text}")
    return root


def _load(
    root: Path,
    *,
    name: str,
    title: str,
    annotation_file: Path,
    images: Path,
    read: Callable[[], Annotation],
    partition: int,
    size: tuple[int, int],
    progress: bool,
    facts: dict[str, str],
    help_text: str,
) -> Dataset:
    """The data set of one partition: the rows whose image is in the folder."""
    for path in (annotation_file, images):
        if not path.exists():
            raise DataError(f"missing {path}. {help_text}")
    if partition not in range(1, PARTITIONS + 1):
        raise DataError(f"partition must be 1 to {PARTITIONS}, got {partition!r}")
    annotation, source = read(), Folder(images)
    present = source.names()
    files = match(annotation.images, present)
    stray = sorted(present - set(files.values()))
    if stray:
        raise DataError(
            f"{images / stray[0]} has no row in {annotation_file} ({len(stray):,} such images): "
            f"annotation and images are not of one set"
        )
    rows = np.flatnonzero([image in files for image in annotation.images])
    if not len(rows):
        raise DataError(f"{images} holds no image that {annotation_file} names. {help_text}")

    chosen = annotation.partitions[partition - 1]
    rows_of = {part: chosen[part][np.isin(chosen[part], rows)] for part in SPLITS}
    for part in SPLITS:
        if not len(rows_of[part]):
            raise DataError(f"{images}: no image of the {part} split, one at least is needed")
    # all images of the folder, by name: every partition and protocol shares one pack
    names = sorted({annotation.images[row] for row in rows})
    pack = open_pack(root, source, [files[name] for name in names], size=size, progress=progress)
    number = {name: place for place, name in enumerate(names)}
    place = np.array([number.get(image, -1) for image in annotation.images])
    splits = {
        part: Split(images=pack.take(place[rows_of[part]]), labels=annotation.labels[rows_of[part]])
        for part in SPLITS
    }
    digest = hashlib.sha256(pack.fingerprint(rows[:, None], place[rows]).encode())
    for split in splits.values():
        digest.update(split.labels.tobytes())
    part = "" if len(rows) == len(annotation.images) else f", {len(rows):,} images"
    data = Dataset(
        name=name,
        title=f"{title}{part}, partition {partition}",
        attributes=annotation.attributes,
        classes=2,
        splits=splits,
        expected={part: len(chosen[part]) for part in SPLITS},
        fingerprint=digest.hexdigest()[:16],
        facts={
            "partition": partition,
            "packed_size": list(size),
            "decoding": pack.decoding,
            **facts,
        },
        persons=annotation.identities[rows_of["train"]],
    )
    lacking = [attribute for attribute, _ in data.missing_classes()]
    if lacking:
        raise DataError(
            f"{images}: the {len(splits['train']):,} training images in it have one class "
            f"only of {', '.join(lacking[:5])}{' ...' if len(lacking) > 5 else ''}: add images"
        )
    return with_groups(data)


def with_groups(data: Dataset) -> Dataset:
    """The data set with its attributes in Table 6's groups, by their imbalance in training."""
    group_of = imbalance_groups(data.splits["train"].labels)
    names = np.array(data.attributes)
    groups = {group: names[group_of == group].tolist() for group in GROUPS}
    return data.replace(groups={group: members for group, members in groups.items() if members})
