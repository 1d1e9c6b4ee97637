"""The readers of RAP's and PETA's annotation files, on small files made here and the real ones."""

import zipfile

import numpy as np
import pytest
from conftest import real_data
from scipy.io import savemat

from dcl.data import DataError
from dcl.data.imbalance import imbalance_groups, imbalance_ratios
from dcl.data.pedestrian_annotation import (
    read_peta,
    read_rap,
    split_identities,
)


def cells(values):
    """A MATLAB cell array, N x 1."""
    column = np.empty((len(values), 1), object)
    for row, value in enumerate(values):
        column[row, 0] = value
    return column


def rap_fields():
    """RAP's structure with 20 rows; row 1 has the unknown gender."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (20, 92)).astype(np.int32)
    labels[0, 0] = 2
    names = [f"a{k}" for k in range(92)]
    names[1:7] = ["AgeLess16", "Age17-30", "Age31-45", "BodyFat", "BodyNormal", "BodyThin"]
    names[42], names[74], names[82], names[91] = (
        "attach-Other",
        "up-Mixture",
        "low-Mixture",
        "shoes-Mixture",
    )
    parts = []
    for _ in range(5):
        order = rng.permutation(20) + 1
        parts.append({"train_index": order[None, :15], "test_index": order[None, 15:]})
    return {
        "label": labels,
        "attribute_eng": cells(names),
        "attribute_exp": cells(names[:51]),
        "imagesname": cells([f"CAM{k}.png" for k in range(20)]),
        "identity": np.arange(20)[:, None].astype(np.int16) - 1,
        "partion": cells(parts),
    }


def peta_fields():
    """PETA's structure with 20 rows of 10 persons, three standard attributes."""
    rng = np.random.default_rng(1)
    data = rng.integers(0, 2, (20, 109)).astype(np.uint16)
    data[:, 0], data[:, 1] = np.arange(20) + 1, np.arange(20) // 2 + 1
    parts = []
    for _ in range(5):
        order = rng.permutation(20)[:, None] + 1
        parts.append({"train": order[:10], "val": order[10:12], "test": order[12:]})
    return {
        "data": data,
        "attribute": cells([f"p{k}" for k in range(105)]),
        "selected_attribute": np.array([[5, 6, 8]], np.uint8),
        "partion_attribute": cells(parts),
    }


@pytest.fixture
def rap(tmp_path):
    path = tmp_path / "RAP_annotation.mat"

    def write(**changes):
        savemat(path, {"RAP_annotation": {**rap_fields(), **changes}}, do_compression=True)
        return path

    return write


@pytest.fixture
def peta(tmp_path):
    path = tmp_path / "PETA.mat"

    def write(**changes):
        savemat(path, {"peta": {**peta_fields(), **changes}})
        return path

    return write


def test_rap_gives_labels_names_and_partitions_of_the_file(rap):
    fields, annotation = rap_fields(), read_rap(rap(), val_share=0.2)
    assert annotation.attributes == tuple(fields["attribute_eng"][:51, 0])
    assert annotation.images == tuple(fields["imagesname"][:, 0])
    assert annotation.labels.dtype == np.int8
    assert annotation.labels[0, 0] == -1  # the file says 2, not known
    known = fields["label"][:, :51] < 2
    assert (annotation.labels == np.where(known, fields["label"][:, :51], -1)).all()
    assert annotation.identities.tolist() == list(range(-1, 19))
    for part, written in zip(annotation.partitions, fields["partion"][:, 0], strict=True):
        assert [len(rows) for rows in part.values()] == [12, 3, 5]
        assert part["test"].tolist() == (written["test_index"].ravel() - 1).tolist()
        assert sorted(np.concatenate(list(part.values()))) == list(range(20))


def test_rap_protocols_differ_in_attributes_only(rap):
    path = rap()
    paper, everything = read_rap(path, "paper"), read_rap(path, "all")
    assert len(paper.attributes) == 70
    assert len(everything.attributes) == 92
    kept = [everything.attributes.index(name) for name in paper.attributes]
    assert not set(kept) & set(range(51, 63))  # viewpoint and occlusion
    assert (paper.labels == everything.labels[:, kept]).all()


def test_the_validation_split_of_rap_is_seeded_and_may_be_empty(rap):
    path = rap()
    first, again, other = (read_rap(path, seed=s).partitions[0]["val"] for s in (0, 0, 1))
    assert (first == again).all()
    assert first.tolist() != other.tolist()
    assert len(read_rap(path, val_share=0).partitions[0]["val"]) == 0


def test_peta_takes_the_selected_columns_after_the_four_leading_ones(peta):
    fields, annotation = peta_fields(), read_peta(peta())
    assert annotation.attributes == ("p0", "p1", "p3")
    assert (annotation.labels == fields["data"][:, [4, 5, 7]]).all()
    assert annotation.images[0] == "00001.jpg"
    assert read_peta(peta(), suffix=".png").images[-1] == "00020.png"
    assert [len(rows) for rows in annotation.partitions[4].values()] == [10, 2, 8]


def test_the_identity_split_of_peta_divides_no_person(peta):
    path = peta()
    annotation = read_peta(path, "identity")
    for part in annotation.partitions:
        persons = [set(annotation.identities[rows]) for rows in part.values()]
        assert sum(map(len, persons)) == len(set.union(*persons)) == 10
        assert [len(rows) for rows in part.values()] == [10, 2, 8]
    again = read_peta(path, "identity").partitions[2]["test"]
    assert (annotation.partitions[2]["test"] == again).all()
    assert again.tolist() != annotation.partitions[3]["test"].tolist()


def test_an_identity_split_misses_its_sizes_by_half_a_person_at_most():
    identities = np.repeat(np.arange(40), np.arange(40) % 5 + 1)
    rows = split_identities(identities, [60, 12, 48], seed=3)
    assert abs(len(rows["train"]) - 60) <= 2.5
    assert abs(len(rows["train"]) + len(rows["val"]) - 72) <= 2.5


def test_groups_are_those_of_table_6_and_an_absent_class_has_none():
    positives = [500, 39, 38, 20, 19, 1, 0, 1000, 961]  # of 1000
    labels = (np.arange(1000)[:, None] < positives).astype(int)
    ratio = imbalance_ratios(labels)
    assert ratio[[0, 5, 6, 7]].tolist() == [1, 999, np.inf, np.inf]
    low, middle, high = "1:1-25", "1:25-50", "over 1:50"
    none = "undefined"
    assert imbalance_groups(labels).tolist() == [
        low, low, middle, middle, high, high, none, none, low,
    ]  # fmt: skip


def partition(**rows):
    return cells([{name: np.array(values)[:, None] for name, values in rows.items()}])


def spoilt(field, row, column, value, fields):
    changed = fields()[field].copy()
    changed[row, column] = value
    return {field: changed}


RAP_BROKEN = {
    "a value out of range": (
        lambda: spoilt("label", 4, 7, 3, rap_fields),
        r"RAP_annotation.mat, row 5: label of attribute 8 is 3, expected one of 0, 1, 2",
    ),
    "another number of attributes": (
        lambda: {"label": rap_fields()["label"][:, :90]},
        r"label is \(20, 90\), expected \(20, 92\)",
    ),
    "a name missing": (
        lambda: {"attribute_eng": cells(["x"] * 91)},
        "attribute_eng has 91 entries, expected 92",
    ),
    "another protocol": (
        lambda: {"attribute_exp": cells(["x"] * 54)},
        "attribute_exp has 54 entries, expected 51",
    ),
    "identities of other rows": (
        lambda: {"identity": np.zeros((3, 1))},
        "identity has 3 entries, expected 20",
    ),
    "names that are empty": (
        lambda: {"imagesname": cells([np.zeros((0, 0))] * 20)},
        "imagesname is not a list of names",
    ),
    "a row in two splits": (
        lambda: {"partion": partition(train_index=range(1, 17), test_index=range(16, 21))},
        "partion 1: expected each of the 20 rows in one split, got 21 indices, 20 of them diff",
    ),
    "a row out of range": (
        lambda: {"partion": partition(train_index=range(16), test_index=range(16, 20))},
        "partion 1: expected each of the 20 rows in one split",
    ),
    "no test rows": (
        lambda: {"partion": partition(train_index=range(1, 21))},
        "partion 1: expected the fields train_index, test_index",
    ),
}
PETA_BROKEN = {
    "a value out of range": (
        lambda: spoilt("data", 2, 5, 9, peta_fields),
        "PETA.mat, row 3: data of attribute 2 is 9, expected one of 0, 1",
    ),
    "another number of columns": (
        lambda: {"data": peta_fields()["data"][:, :60]},
        r"data is \(20, 60\), expected \(N, 109\)",
    ),
    "a name missing": (
        lambda: {"attribute": cells(["x"] * 35)},
        "attribute has 35 entries, expected 105",
    ),
    "selected columns not offset": (
        lambda: {"selected_attribute": np.array([[1, 2, 3]])},
        r"columns 5 to 109 of data \(4 lead\), got \[1, 2, 3\]",
    ),
    "no validation rows": (
        lambda: {"partion_attribute": partition(train=range(1, 13), test=range(13, 21))},
        "partion 1: expected the fields train, val, test",
    ),
}


@pytest.mark.parametrize("case", RAP_BROKEN)
def test_what_is_wrong_with_rap_is_named(rap, case):
    changes, message = RAP_BROKEN[case]
    with pytest.raises(DataError, match=message):
        read_rap(rap(**changes()))


@pytest.mark.parametrize("case", PETA_BROKEN)
def test_what_is_wrong_with_peta_is_named(peta, case):
    changes, message = PETA_BROKEN[case]
    with pytest.raises(DataError, match=message):
        read_peta(peta(**changes()))


def test_a_missing_broken_or_foreign_file_is_named(rap, peta, tmp_path):
    with pytest.raises(DataError, match=r"missing .*nowhere.mat: expected RAP v1's"):
        read_rap(tmp_path / "nowhere.mat")
    with pytest.raises(DataError, match=r"PETA.mat: no structure RAP_annotation, expected RAP"):
        read_rap(peta())
    with pytest.raises(DataError, match=r"RAP_annotation.mat: no structure peta, expected PETA"):
        read_peta(rap())
    savemat(tmp_path / "half.mat", {"peta": {"data": np.zeros((2, 2))}})
    with pytest.raises(DataError, match="peta has no attribute, selected_attribute, partion_at"):
        read_peta(tmp_path / "half.mat")
    whole = rap().read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut.mat: (not a readable MATLAB file|no structure)"):
        read_rap(tmp_path / "cut.mat")
    (tmp_path / "text.mat").write_text("not found" * 50)
    with pytest.raises(DataError, match=r"text.mat: not a readable MATLAB file, expected PETA"):
        read_peta(tmp_path / "text.mat")


@pytest.mark.parametrize(
    ("read", "options", "message"),
    [
        (read_rap, {"protocol": "52"}, "one of 51, paper, all, got '52'"),
        (read_rap, {"val_share": 1}, r"val_share must be in \[0, 1\), got 1"),
        (read_rap, {"seed": -1}, "seed must be 0 or more, got -1"),
        (read_peta, {"split": "zero"}, "split must be official or identity, got 'zero'"),
        (read_peta, {"seed": -1}, "seed must be 0 or more, got -1"),
    ],
)
def test_a_wrong_argument_is_named(read, options, message):
    with pytest.raises(ValueError, match=message):
        read("unread.mat", **options)


def count_groups(annotation, rows):
    groups, sizes = np.unique(imbalance_groups(annotation.labels[rows]), return_counts=True)
    return dict(zip(groups.tolist(), sizes.tolist(), strict=True))


def test_the_real_rap_has_its_published_sizes():
    path = real_data("RAP_annotation.mat")
    annotation = read_rap(path)
    assert annotation.labels.shape == (41_585, 51)
    assert len(set(annotation.images)) == 41_585
    assert annotation.attributes[0] == "Female"
    assert annotation.attributes[9] == "hs-BaldHead"
    assert annotation.attributes[-1] == "action-CarrybyHand"
    assert len(annotation.partitions) == 5
    for part in annotation.partitions:
        assert [len(rows) for rows in part.values()] == [29_941, 3_327, 8_317]
    train = np.r_[annotation.partitions[0]["train"], annotation.partitions[0]["val"]]
    ratio = imbalance_ratios(annotation.labels[train])
    assert annotation.attributes[ratio.argmax()] == "hs-BaldHead"
    assert ratio.max() == pytest.approx(271.7, abs=0.1)  # not the paper's 1:1800
    assert count_groups(annotation, train) == {"1:1-25": 30, "1:25-50": 11, "over 1:50": 10}
    assert (annotation.labels[:, 0] == 1).sum() == 12_701
    assert (annotation.labels == -1).sum(0).tolist() == [125] + [0] * 50


def test_no_attribute_of_the_real_rap_is_as_rare_as_the_paper_says():
    path = real_data("RAP_annotation.mat")
    everything, paper = read_rap(path, "all", val_share=0), read_rap(path, "paper", val_share=0)
    assert everything.labels.shape == (41_585, 92)
    assert imbalance_ratios(everything.labels).max() == pytest.approx(262.2, abs=0.1)
    train = paper.partitions[0]["train"]
    assert len(train) == 33_268
    assert len(paper.attributes) == 70
    assert count_groups(paper, train) == {"1:1-25": 39, "1:25-50": 17, "over 1:50": 14}


@pytest.fixture(scope="module")
def real_peta(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peta")
    with zipfile.ZipFile(real_data("peta.zip")) as archive:
        names = set(archive.namelist())
        archive.extract("peta/PETA.mat", folder)
    return folder / "peta/PETA.mat", names


def test_the_real_peta_has_its_published_sizes_and_every_image(real_peta):
    path, names = real_peta
    annotation = read_peta(path)
    assert annotation.labels.shape == (19_000, 35)
    assert annotation.attributes[0] == "personalLess30"
    assert annotation.attributes[-1] == "upperBodyVNeck"
    assert all(f"peta/images/{name}" in names for name in annotation.images)
    assert len(np.unique(annotation.identities)) == 8_699
    assert [len(rows) for rows in annotation.partitions[0].values()] == [9_500, 1_900, 7_600]
    assert seen_before(annotation) == pytest.approx(0.577, abs=0.0005)


def test_the_identity_split_of_the_real_peta_keeps_the_sizes(real_peta):
    annotation = read_peta(real_peta[0], "identity")
    for part in annotation.partitions:
        sizes = np.array([len(rows) for rows in part.values()])
        assert np.abs(sizes - [9_500, 1_900, 7_600]).max() < 100
    assert seen_before(annotation) == 0


def seen_before(annotation):
    """Share of the first test split's images that show a person of train or val."""
    part = annotation.partitions[0]
    known = annotation.identities[np.r_[part["train"], part["val"]]]
    return np.isin(annotation.identities[part["test"]], known).mean()
