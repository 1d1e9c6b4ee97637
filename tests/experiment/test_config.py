"""Configurations: what a notebook, a command line and papermill may hand over."""

import ast
import importlib
import json
import sys
import warnings
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import papermill
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl.__main__ import main
from dcl.criterion import PRESETS, DCLLoss
from dcl.data import Split
from dcl.data.drawn.faces import load as faces
from dcl.experiment.config import ConfigError, Training, from_notebook, resolve
from dcl.experiment.datasets import (
    CelebA,
    Cifar100,
    Pedestrians,
    Table,
    config_of,
    find_dataset,
)
from dcl.experiment.run import build_criterion, run, source_of
from dcl.methods import METHODS, Method
from dcl.networks.models import DeepID2

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"samplng": "linear"}, "unknown parameter 'samplng': did you mean 'sampling'"),
        ({"epochs": "true"}, "epochs must be a whole number, got 'true'"),
        ({"epochs": True}, "epochs must be a whole number, got True"),
        ({"epochs": 2.5}, "got 2.5"),
        ({"seed": "[1,2]"}, r"seed must be a whole number, got '\[1,2\]'"),
        ({"sampling": "never"}, "'never': choose one of convex, linear"),
        ({"sampling": 3}, r"a number in \[0, 1\] .*got 3.0"),
        ({"loss": "never"}, "'never'"),
        ({"p": 2}, r"p \(self-learning point\) must lie in \[0, 1\], got 2.0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"lr": 0}, "lr must be more than 0, got 0"),
        ({"lr": float("nan")}, "lr must be finite, got nan"),
        ({"method": "magic"}, "unknown method 'magic': choose one of cross-entropy, "),
        ({"method": "moved-threshold"}, "is a decision, not a method"),
        (
            {"method": "cross-entropy", "margin": 3},
            "has no margin: .* choose one of crl, dcl-ss-tl",
        ),
        (
            {"method": "ldam-drw"},
            "is for a single label and a network made for it, .*, not for CelebA",
        ),
        ({"method": "crl-original", "eta": -1}, "eta must be a number of 0 or more, got -1"),
        ({"method": "lmle", "seed": 2**32}, "seed must be at least 0 and at most 4294967295"),
        ({"curriculum": "batch"}, "curriculum must be one of step, epoch, got 'batch'"),
        ({"method": "cross-entropy", "sampling": "linear"}, "has sampling = 1.0 by definition"),
        ({"profile": "slow"}, "quick, standard, got 'slow'"),
        ({"squared": "true"}, "squared must be True or False, got 'true'"),
    ],
)
def test_what_cannot_be_is_named(values, names):
    with pytest.raises(ConfigError, match=names):
        CelebA(**values)


@pytest.mark.parametrize(
    ("cls", "values", "names"),
    [
        (CelebA, {"data_root": "x", "train_images": 500}, "train_images is of drawn images, but "),
        (CelebA, {"crop": 0.8}, "crop is of real data: give a data_root, or leave crop out"),
        (Cifar100, {"data_root": "x", "train_images": 2_000}, "data_root is 'x': .* got 2000"),
        (Cifar100, {"val_per_class": 20}, "val_per_class is of real data"),
        (Pedestrians, {"partition": 3}, "partition is of real data"),
        (Pedestrians, {"protocol": "all"}, "protocol 'all' is for dataset rap, got 'drawn'"),
        (
            Pedestrians,
            {"dataset": "peta", "data_root": "x", "protocol": "paper"},
            "protocol 'paper' is for dataset rap, got 'peta'",
        ),
        (
            Pedestrians,
            {"dataset": "rap", "data_root": "x", "train_images": 100},
            "train_images is of drawn .* train_part trains on some",
        ),
        (Table, {"data_root": "x.csv", "drawn_faces": 300}, "drawn_faces is of drawn images"),
    ],
)
def test_what_would_have_no_effect_is_refused(cls, values, names):
    with pytest.raises(ConfigError, match=names):
        cls(**values)


def test_a_record_made_before_that_check_is_read():
    config = CelebA(data_root="x").recorded() | {"train_images": 10_000}
    assert config_of({"experiment": "celeba", "config": config}) == CelebA(data_root="x")
    drawn = CelebA().recorded() | {"crop": 0.5}
    assert config_of({"experiment": "celeba", "config": drawn}) == CelebA()


@pytest.mark.parametrize("method", PRESETS)
def test_every_method_makes_a_criterion(method):
    config = CelebA(method=method)
    criterion = config.entry.criterion(torch.tensor([[9, 1]]), 10, **config.criterion_options())
    assert isinstance(criterion, DCLLoss)


def test_a_method_may_be_given_what_it_has_anyway():
    assert CelebA(method="crl", anchors="all") == CelebA(method="crl")
    assert CelebA(method="cross-entropy", k=25) == CelebA(method="cross-entropy")
    assert CelebA(method="selective-learning").recorded()["sampling"] == 0


def test_what_is_recorded_is_what_is_used():
    recorded = CelebA(method="crl", epsilon=0.5).recorded()
    assert recorded["epsilon"] == 0.5
    assert recorded["anchors"] == "all"
    criterion = CelebA(method="crl", epsilon=0.5).entry.criterion(
        torch.tensor([[9, 1]]), 10, epsilon=0.5
    )
    assert criterion.f == 0.5
    assert not {"k", "margin", "gamma", "p"} & set(CelebA(method="cross-entropy").recorded())
    assert CelebA(method="cross-entropy").recorded()["sampling"] == 1


def test_the_concave_schedule_is_stretched_to_the_length():
    def last(config):
        return config.criterion_options()["decay"] ** config.epochs

    whole = CelebA(sampling="concave", epochs=300)
    for epochs in (8, 75, 300, 1000):
        config = CelebA(sampling="concave", epochs=epochs)
        assert last(config) == pytest.approx(0.99**300)
        assert last(config) == pytest.approx(last(whole))
        assert config.recorded()["decay"] == 0.99
    assert last(CelebA(sampling="concave", epochs=8, stretch=False)) == pytest.approx(0.99**8)


@pytest.mark.parametrize(("decay", "epochs"), [(1e-200, 8), (1 - 1e-16, 2**33)])
def test_a_decay_that_no_number_holds_when_stretched_is_refused(decay, epochs):
    with pytest.raises(ConfigError, match=f"when stretched from 300 to {epochs} epochs"):
        CelebA(decay=decay, epochs=epochs)
    assert CelebA(decay=decay, epochs=epochs, stretch=False).decay == decay


# A value of each kind that some option refuses: whatever the configuration lets pass, the criterion
# takes, and what it refuses is a ConfigError
VALUES = st.one_of(
    st.integers(-3, 2**33),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.sampled_from(["easy", "all", "random", "convex", "concave", "proportion", "x", ""]),
)


@given(st.data())
def test_every_value_of_every_option_of_every_method_trains_or_is_a_config_error(data):
    cls = data.draw(st.sampled_from([CelebA, Cifar100]))
    entry = METHODS[data.draw(st.sampled_from(list(METHODS)))]
    names = [*entry.options, "epochs", "seed"]
    values = data.draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=3))
    try:
        config = cls(method=entry.name, **values)
    except ConfigError:
        return
    classes = 3 if cls is Cifar100 else 2
    counts = torch.tensor([[50, 30, 20][:classes]])
    criterion = entry.criterion(
        counts, config.epochs, seed=config.seed, **config.criterion_options()
    )
    if criterion.wants_rows:
        return  # tested by themselves
    labels = torch.arange(8)[:, None] % classes
    criterion.set_epoch(config.epochs)
    loss = criterion(torch.zeros(8, 1, classes), torch.randn(8, 1, 4), labels)
    assert not loss.isnan()


def test_a_record_gives_its_configuration_back():
    config = CelebA(method="crl", lr=0.1, profile="quick")
    assert CelebA(**config.recorded()) == config
    assert config.replace(lr=0.2).recorded() == config.recorded() | {"lr": 0.2}


def test_a_notebooks_parameters_are_its_plain_globals():
    namespace = {"In": [], "Out": {}, "_": 1, "exit": exit, "epochs": 3, "CelebA": CelebA}
    assert from_notebook(CelebA, namespace).epochs == 3
    with pytest.raises(ConfigError, match="'epoch': did you mean 'epochs'"):
        from_notebook(CelebA, {"epoch": 3})


def test_a_class_without_data_or_network_says_what_to_define():
    with pytest.raises(NotImplementedError, match="Training defines no load"):
        Training().load()
    with pytest.raises(NotImplementedError, match=r"Training defines no network\(data\)"):
        Training().network(None)


@pytest.mark.parametrize(
    ("configuration", "shape"),
    [
        (partial(CelebA), (3, 55, 47)),
        (partial(Cifar100), (3, 32, 32)),
        (partial(Pedestrians), (3, 64, 32)),
        (partial(Pedestrians, backbone="resnet18"), (3, 64, 32)),
        (partial(Table), (7,)),
        (partial(Table), (3, 64, 64)),
        (partial(Table, height=55, width=47, backbone="deepid2"), (3, 55, 47)),
        (partial(Table, backbone="resnet18"), (3, 64, 64)),
    ],
)
def test_every_network_is_as_its_method_wants_it(configuration, shape, monkeypatch):
    monkeypatch.setitem(METHODS, "angles", Method("angles", DCLLoss, "", network={"cosine": True}))
    images = torch.zeros(2, *shape)
    splits = {"train": SimpleNamespace(images=images)}
    data = SimpleNamespace(attributes=("a",), classes=2, class_sizes=(2,), splits=splits)
    for method, has_bias in (("angles", False), ("cross-entropy", True)):
        network = configuration(method=method).network(data)
        assert (network.branches.output_bias is not None) == has_bias


def test_identity_follows_configuration_and_data_not_the_folders():
    data, other = faces(4, val=2, test=2), faces(5, val=2, test=2)
    one, two = CelebA(results="a"), CelebA(results="b")
    assert one.identity(data) == two.identity(data)
    assert one.identity(data) != CelebA(seed=1).identity(data)
    assert one.identity(data) != one.identity(other)
    assert one.record_path(data) != one.record_path(other)


def test_where_a_split_ends_is_a_part_of_a_runs_name():
    data, config = faces(6, val=2, test=2), CelebA()
    train, val = data.splits["train"], data.splits["val"]
    joined = [np.concatenate([getattr(s, x) for s in (train, val)]) for x in ("images", "labels")]
    moved = [Split(images=joined[0][r], labels=joined[1][r]) for r in (np.arange(5), [5, 6, 7])]
    other = data.replace(splits=data.splits | dict(zip(("train", "val"), moved, strict=True)))
    assert other.fingerprint == data.fingerprint
    assert config.identity(other) != config.identity(data)


def test_pretrained_weights_are_named_by_what_they_hold(tmp_path):
    data, names = faces(4, val=2, test=2), []
    for folder, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        path = tmp_path / folder / "weights.pth"
        path.parent.mkdir()
        path.write_bytes(content)
        config = Pedestrians(backbone="resnet18", weights=str(path))
        names.append(config.identity(data))
    assert names[0] == names[1] != names[2]


def test_a_quick_look_stretches_a_schedule_to_its_own_epochs():
    quick = CelebA(profile="quick", epochs=30)
    assert quick.criterion_options() == CelebA(epochs=quick.trained_epochs).criterion_options()


def test_class_counts_that_nobody_has_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Cifar100(method="crl-original", eta=0.02)


def test_a_method_of_yes_or_no_is_refused_for_many_classes(monkeypatch):
    monkeypatch.setitem(METHODS, "odds", Method("odds", DCLLoss, "", tasks="binary"))
    config = Cifar100(method="odds", profile="quick")
    with pytest.raises(ConfigError, match="'odds' is for yes-or-no attributes, .* of 100 classes"):
        build_criterion(config, config.load())


def test_a_relative_path_means_the_same_in_every_folder_of_the_checkout(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert resolve("data") == tmp_path / "data"
    (tmp_path / "_config.yml").touch()
    (tmp_path / "dcl").mkdir()
    (tmp_path / "dcl" / "__init__.py").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert resolve("data") == tmp_path / "data"
    assert resolve("/data").as_posix() == "/data"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["run", "celeba", "--epochs", "true"], "epochs must be a whole number, got 'true'"),
        (["run", "celeba", "--sampling", "never"], "'never'"),
        (["run", "celeba", "--data-root", "/nowhere"], "/nowhere does not exist"),
        (["run", "celeba", "--device", "cuda:99"], "this machine has"),
        (["run", "celeba", "--device", "abacus"], "cpu, cuda or cuda:N, got 'abacus'"),
    ],
)
def test_the_command_line_says_what_is_wrong_in_one_line(arguments, names, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert names in error
    assert error.count("\n") == 1


OUTSIDE = """
import inspect
from dataclasses import dataclass
from typing import Annotated
from dcl import DCLLoss
from dcl.experiment.config import option
from dcl.experiment.datasets import CelebA
from dcl.methods import Method

@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class Mine(CelebA):
    "Faces under another name."
    experiment = "my_lab:Mine"
    depth: int = option(3, "of mine", low=1)

class Same(CelebA):
    "CelebA's name, fields and data, and what network somebody gives it."

class Half(DCLLoss):
    def __init__(self, class_counts, epochs, *, share: Annotated[float, "of half"] = 0.5, **more):
        super().__init__(class_counts, epochs, sampling=share, loss=0.0, **more)

HALF = Method("my_lab:HALF", Half, "a target half way")

def called(name, default, **about):
    "A method with one option, of that name."
    def build(class_counts, epochs, *, classes=None, seed=None, plain=0, **more):
        return DCLLoss(class_counts, epochs, classes=classes, seed=seed)
    def signature(**more): ...
    signature.__signature__ = inspect.Signature([
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default),
        inspect.Parameter("plain", inspect.Parameter.KEYWORD_ONLY, default=0),
    ])
    signature.__annotations__ = {name: Annotated[type(default), "of a method of mine"]}
    return Method("mine", build, "mine", signature=signature, **about)

LR = called("lr", 0.1)
FIXED = called("share", 0.1, fixed={"precision": "high"})
TRUNK = called("trunk", True)
GAMMA = called("gamma", 0.5)
SAME_GAMMA = called("gamma", 2.0)
DECAY = called("decay", 0.99)
STRETCHED = called("rate", 0.99, stretches=("rate",))
"""


@pytest.fixture
def my_lab(tmp_path, monkeypatch):
    """A module outside the checkout, with data sets and methods."""
    (tmp_path / "my_lab.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_lab", raising=False)
    yield importlib.import_module("my_lab")
    sys.modules.pop("my_lab", None)


def test_a_data_set_and_a_method_outside_the_checkout_run(my_lab, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dcl.experiment.config.QUICK_SIZES", {"train": 384, "val": 64, "test": 64})
    options = ["--depth", "4", "--share", "0.25", "--results", str(tmp_path / "a.json")]
    options += ["--profile", "quick", "--epochs", "1", "--quiet"]
    assert main(["run", "my_lab:Mine", "--method", "my_lab:HALF", *options]) == 0
    recorded = json.loads((tmp_path / "a.json").read_text())
    assert (recorded["experiment"], recorded["method"]) == ("my_lab:Mine", "my_lab:HALF")
    assert config_of(recorded).depth == 4  # as `check` and `predict` open it
    assert (recorded["config"]["depth"], recorded["config"]["share"]) == (4, 0.25)
    assert recorded["final_g"] == 0.25
    for name in ("my_lab:Nobody", "no_lab:Mine", "my_lab:HALF"):
        assert main(["run", name]) == 2
        assert f"data set {name!r}" in capsys.readouterr().err
    assert main(["run", "celeba", "--method", "my_lab:Mine"]) == 2
    assert "no dcl.methods.Method" in capsys.readouterr().err
    for place in ("no_lab.sets:Mine", "my_lab.sets:Mine"):
        assert main(["run", place]) == 2
        hint = "put its folder on PYTHONPATH" in capsys.readouterr().err
        assert hint == place.startswith("no_lab")


@pytest.mark.parametrize(
    ("method", "values", "names"),
    [
        ("LR", {}, "option 'lr' of method 'my_lab:LR' is also a parameter of every training"),
        ("FIXED", {}, "option 'precision' of method 'my_lab:FIXED' is also a parameter of every"),
        ("TRUNK", {}, "option 'trunk' .* of every training of CelebA: call it otherwise"),
        ("GAMMA", {}, "'gamma' .* is 0.5 by default, that of focal 2.0, which a notebook gives"),
        ("HALF", {"shar": 1}, "unknown parameter 'shar': did you mean 'share'"),
        ("DECAY", {"plain": 1}, "plain of method 'my_lab:DECAY' is no option: .* plain: Annotated"),
        ("STRETCHED", {"rate": 1e-200}, "rate 1e-200 is 0.0 when stretched from 300 to 10 epochs"),
    ],
)
def test_an_option_whose_name_means_something_else_is_refused(my_lab, method, values, names):
    with pytest.raises(ConfigError, match=names):
        CelebA(method=f"my_lab:{method}", **values)


def test_an_option_is_stretched_where_its_entry_says_so_and_by_no_name(my_lab):
    def used(method, **values):
        return CelebA(method=f"my_lab:{method}", epochs=100, **values).criterion_options()

    assert used("DECAY") == {"decay": 0.99}
    assert "stretch" not in CelebA(method="my_lab:DECAY").recorded()
    assert used("STRETCHED") == {"rate": 0.99**3}
    assert used("STRETCHED", stretch=False) == {"rate": 0.99}


def test_a_method_outside_is_the_same_in_a_notebook_and_on_the_command_line(my_lab):
    usual = {name: option.default for name, option in CelebA.options().items()}
    for method in ("HALF", "SAME_GAMMA", "DECAY"):
        name = f"my_lab:{method}"
        assert from_notebook(CelebA, usual | {"method": name}) == CelebA(method=name)


def test_another_class_of_the_same_fields_and_data_writes_another_record(my_lab, monkeypatch):
    data = faces(4, val=2, test=2)
    usual = CelebA().record_path(data)
    with pytest.raises(ConfigError, match="'celeba' of Same .* experiment = 'my_lab:Same'"):
        run(my_lab.Same(), data=data)
    monkeypatch.setattr(my_lab.Same, "experiment", "my_lab:Same")
    found = [usual, my_lab.Same().record_path(data), my_lab.Mine().record_path(data)]
    sources = {source_of(cls(), DeepID2(2, 2)) for cls in (CelebA, my_lab.Same)}
    path = Path(my_lab.__file__)
    path.write_text(path.read_text() + "\nWIDTH = 3\n")  # of a network, perhaps
    found.append(my_lab.Same().record_path(data))
    assert len({*found}) == len(found)
    assert len(sources) == 2


@pytest.mark.parametrize(
    ("place", "experiment", "names"),
    [
        ("my_lab", "mine", "experiment 'mine' of Same .* write in it experiment = 'my_lab:Same'"),
        ("my_lab", "my_lab:Other", "experiment = 'my_lab:Same'"),
        ("my_lab", "my_lab:Mine", "experiment = 'my_lab:Same'"),
        ("__main__", "__main__:Same", "put it into a file my_file.py: .* 'my_file:Same'"),
    ],
)
def test_a_class_whose_records_could_not_be_opened_is_refused_at_once(
    my_lab, monkeypatch, place, experiment, names
):
    monkeypatch.setattr(my_lab.Same, "experiment", experiment)
    monkeypatch.setattr(my_lab.Same, "__module__", place)
    with pytest.raises(ConfigError, match=names):
        run(my_lab.Same(), data=None)
    if place == "my_lab":
        with pytest.raises(ConfigError, match=names):
            find_dataset("my_lab:Same")


def test_a_grid_runs_without_snakemake(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dcl.experiment.config.QUICK_SIZES", {"train": 384, "val": 64, "test": 64})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "experiment: celeba\nparameters: {profile: quick, epochs: 1}\n"
        "methods: [focal, {method: dcl, lr: 1.0e+6}]\nseeds: [0]\n"
    )
    assert main(["grid", "mine.yaml"]) == 1  # the second has no finite loss
    out, error = capsys.readouterr()
    assert "1 of 2 runs failed" in out
    assert "dcl-lr-1000000.0-seed0 failed: the loss is not finite" in error
    assert (tmp_path / "results" / "mine" / "focal-seed0.json").is_file()


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_papermill_knows_every_parameter_of_a_notebook(path):
    """An '=' in a comment hides its line from papermill, which warns and leaves it out."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    (cell,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    names = [line.target.id for line in ast.parse("".join(cell["source"])).body]
    assert list(papermill.inspect_notebook(path)) == names
