"""RAP and PETA from their layouts: partial sets, partitions, and what is wrong with a folder."""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from scipy.io import savemat
from test_pedestrian_annotation import peta_fields, rap_fields

from dcl.data import DataError, pedestrians
from dcl.data.pedestrian_annotation import read_peta, read_rap
from dcl.data.resident import normalise
from dcl.experiment.config import ConfigError
from dcl.experiment.datasets import Pedestrians
from dcl.networks.backbones import ModelError, TorchvisionModel

SIZE = (16, 8)


def draw_images(folder, names):
    """One plain image for each name, its grey value the row."""
    folder.mkdir()
    for row, name in enumerate(names):
        Image.new("L", (10, 20), 10 * row).save(folder / name)


@pytest.fixture
def rap(tmp_path):
    fields = rap_fields()
    savemat(tmp_path / "RAP_annotation.mat", {"RAP_annotation": fields})
    draw_images(tmp_path / "RAP_dataset", [f"CAM{k}.png" for k in range(20)])
    return tmp_path


@pytest.fixture
def peta(tmp_path):
    savemat(tmp_path / "PETA.mat", {"peta": peta_fields()})
    draw_images(tmp_path / "images", [f"{row:05d}.png" for row in range(1, 21)])
    return tmp_path


def rows_of(split):
    """Rows of the annotation, by the grey value of the images."""
    return (split.images[:, 0, 0, 0].round(-1) // 10).tolist()


@pytest.mark.parametrize("partition", [1, 5])
def test_each_partition_of_rap_has_its_images_and_labels(rap, partition):
    data = pedestrians.load_rap(rap, partition=partition, size=SIZE, progress=False)
    annotation = read_rap(rap / "RAP_annotation.mat")
    for name, rows in annotation.partitions[partition - 1].items():
        assert rows_of(data.splits[name]) == rows.tolist()
        assert (data.splits[name].labels == annotation.labels[rows]).all()
    assert data.splits["train"].images.shape[1:] == (3, *SIZE)
    assert data.title == f"RAP, partition {partition}"
    assert len(list((rap / ".dcl-packs").iterdir())) == 1


@pytest.mark.parametrize("partition", [0, -1, 6, 1.5])
def test_a_partition_that_is_not_is_named(rap, peta, partition):
    for load, root in ((pedestrians.load_rap, rap), (pedestrians.load_peta, peta)):
        with pytest.raises(DataError, match=f"partition must be 1 to 5, got {partition}"):
            load(root, partition=partition, size=SIZE, progress=False)


def test_partitions_and_protocols_share_one_pack_and_differ_in_fingerprint(rap):
    fingerprints = {
        pedestrians.load_rap(rap, partition=p, protocol=q, size=SIZE, progress=False).fingerprint
        for p in (1, 2)
        for q in ("51", "all")
    }
    assert len(fingerprints) == 4
    assert len(list((rap / ".dcl-packs").iterdir())) == 1


def test_the_annotation_may_lie_in_its_own_folder(rap):
    before = pedestrians.load_rap(rap, size=SIZE, progress=False)
    (rap / "RAP_annotation").mkdir()
    (rap / "RAP_annotation.mat").rename(rap / "RAP_annotation" / "RAP_annotation.mat")
    assert pedestrians.load_rap(rap, size=SIZE, progress=False).fingerprint == before.fingerprint


@pytest.mark.parametrize("split", ["official", "identity"])
def test_peta_has_both_splits(peta, split):
    data = pedestrians.load_peta(peta, split=split, partition=2, size=SIZE, progress=False)
    annotation = read_peta(peta / "PETA.mat", split)
    for name, rows in annotation.partitions[1].items():
        assert rows_of(data.splits[name]) == rows.tolist()
    assert data.facts["split"] == split


def test_a_partial_set_is_counted(peta):
    lost = read_peta(peta / "PETA.mat").partitions[0]["test"][0]
    (peta / "images" / f"{lost + 1:05d}.png").unlink()
    data = pedestrians.load_peta(peta, size=SIZE, progress=False)
    assert data.describe()["found"] == {"train": 10, "val": 2, "test": 7}
    assert data.describe()["expected"] == {"train": 10, "val": 2, "test": 8}
    assert data.title == "PETA, 19 images, partition 1"


def test_what_is_wrong_with_a_folder_is_named(rap, tmp_path_factory):
    with pytest.raises(DataError, match=r"nowhere does not exist\. RAP's images .*rapdataset"):
        pedestrians.load_rap(rap / "nowhere")
    with pytest.raises(DataError, match=r"missing .*RAP_annotation\.mat.*sign an agreement"):
        pedestrians.load_rap(tmp_path_factory.mktemp("empty"))
    (rap / "RAP_dataset" / "stray.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"stray\.png has no row"):
        pedestrians.load_rap(rap, size=SIZE, progress=False)
    (rap / "RAP_dataset" / "stray.png").unlink()
    (rap / "RAP_dataset" / "CAM3.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"CAM3\.png: cannot be decoded"):
        pedestrians.load_rap(rap, size=SIZE, progress=False)
    (rap / "RAP_dataset").rename(rap / "elsewhere")
    with pytest.raises(DataError, match=r"missing .*RAP_dataset.*sign an agreement"):
        pedestrians.load_rap(rap)


def test_an_attribute_with_one_class_in_training_is_named(peta):
    fields = peta_fields()
    fields["data"][:, 4] = 0
    savemat(peta / "PETA.mat", {"peta": fields})
    with pytest.raises(DataError, match=r"one class only of p0: add images"):
        pedestrians.load_peta(peta, size=SIZE, progress=False)


def test_attributes_are_grouped_by_their_imbalance_in_training(peta):
    data = pedestrians.load_peta(peta, size=SIZE, progress=False)
    assert data.groups == {"1:1-25": ["p0", "p1", "p3"]}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"dataset": "rap"}, "dataset 'rap' needs a data_root. RAP's images"),
        ({"dataset": "peta"}, "dataset 'peta' needs a data_root. PETA is for research"),
    ],
)
def test_a_missing_data_root_says_how_to_get_the_images(values, names):
    with pytest.raises(DataError, match=names):
        Pedestrians(**values).load()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"data_root": "x"}, "'drawn' has no data_root, got 'x': choose rap or peta"),
        ({"split": "identity"}, "for dataset peta, got 'drawn'"),
        ({"weights": "x.pth"}, "for backbone resnet50 or resnet18, not small"),
        ({"height": 65}, "height must be even.*65"),
        ({"partition": 6}, "at most 5, got 6"),
        ({"protocol": "70"}, "one of 51, paper, all, got '70'"),
    ],
)
def test_settings_that_do_not_go_together_are_named(values, names):
    with pytest.raises(ConfigError, match=names):
        Pedestrians(**values)


def test_pretrained_weights_are_read_from_a_file_and_others_refused(tmp_path):
    source = torchvision.models.resnet18(weights=None, num_classes=7)
    torch.save(source.state_dict(), tmp_path / "good.pth")
    model = TorchvisionModel("resnet18", 5, weights=tmp_path / "good.pth")
    assert torch.equal(model.trunk.layer3[0].conv1.weight, source.layer3[0].conv1.weight)
    logits, features = model.eval()(torch.zeros(2, 3, 64, 32))
    assert (logits.shape, features.shape) == ((2, 5, 2), (2, 5, 64))
    with pytest.raises(ModelError, match=r"none\.pth: No such file"):
        TorchvisionModel("resnet18", 5, weights=tmp_path / "none.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "good.pth").read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"cut\.pth: expected a state_dict of torchvision's resn"):
        TorchvisionModel("resnet18", 5, weights=tmp_path / "cut.pth")
    torch.save({"conv1.weight": source.conv1.weight}, tmp_path / "part.pth")
    with pytest.raises(ModelError, match=r"part\.pth: .* but bn1\.weight does not fit"):
        TorchvisionModel("resnet18", 5, weights=tmp_path / "part.pth")
    other = torchvision.models.resnet50(weights=None)
    torch.save(other.state_dict(), tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other\.pth: expected a state_dict of torchvision's"):
        TorchvisionModel("resnet18", 5, weights=tmp_path / "other.pth")


def test_the_network_of_a_record_needs_no_file_of_pretrained_weights(tmp_path):
    path = tmp_path / "gone.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    config = Pedestrians(backbone="resnet18", weights=str(path))
    data = Pedestrians(profile="quick").load()
    trained = config.network(data).eval()
    path.unlink()
    with pytest.raises(ModelError, match=r"gone\.pth: No such file"):
        config.network(data)
    blank = config.blank_network(data).eval()
    blank.load_state_dict(trained.state_dict())
    images = torch.randn(2, 3, 64, 32)
    assert torch.equal(blank(images)[0], trained(images)[0])


def test_images_reach_pretrained_weights_as_these_were_trained(tmp_path):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "good.pth")
    torch.manual_seed(0)
    model = TorchvisionModel("resnet18", 5, weights=tmp_path / "good.pth").eval()
    plain = TorchvisionModel("resnet18", 5).eval()
    assert plain.state_dict().keys() == model.state_dict().keys()
    plain.load_state_dict(model.state_dict())
    images = torch.randint(0, 256, (3, 3, 64, 32), dtype=torch.uint8)
    theirs = torchvision.transforms.functional.normalize(
        images / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    )
    torch.testing.assert_close(model(normalise(images))[0], plain(theirs)[0], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(plain(normalise(images))[0], plain(theirs)[0], rtol=1e-2)


def test_drawn_persons_have_table_6s_groups():
    data = Pedestrians(profile="quick").load()
    assert sum(len(members) for members in data.groups.values()) == len(data.attributes)
    assert np.isin(data.splits["train"].labels, (0, 1)).all()
