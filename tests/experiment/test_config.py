"""Configurations: what a notebook, a command line and papermill may hand over."""

import dataclasses

import pytest

from dcl.__main__ import main
from dcl.criterion import PRESETS, DCLLoss
from dcl.data.drawn.faces import load as faces
from dcl.experiment.config import ConfigError, from_notebook, from_values, resolve
from dcl.experiment.datasets import CelebA


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"samplng": "linear"}, "unknown parameter 'samplng': did you mean 'sampling'"),
        ({"epochs": "true"}, "epochs must be a whole number, got 'true'"),
        ({"epochs": True}, "epochs must be a whole number, got True"),
        ({"epochs": 2.5}, "got 2.5"),
        ({"seed": "[1,2]"}, r"seed must be a whole number, got '\[1,2\]'"),
        ({"sampling": "cubic"}, "'cubic': choose one of convex, linear"),
        ({"sampling": 3}, r"a number in \[0, 1\], got 3.0"),
        ({"loss": "cubic"}, "'cubic'"),
        ({"p": 2}, "p must be at least 0 and at most 1, got 2.0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"lr": 0}, "lr must be more than 0, got 0"),
        ({"lr": float("nan")}, "lr must be finite, got nan"),
        ({"method": "magic"}, "method must be one of cross-entropy, .*got 'magic'"),
        ({"method": "cross-entropy", "sampling": "linear"}, "has sampling = 1.0 by definition"),
        ({"profile": "slow"}, "quick, standard, got 'slow'"),
        ({"squared": "true"}, "squared must be True or False, got 'true'"),
    ],
)
def test_what_cannot_be_is_named(values, names):
    with pytest.raises(ConfigError, match=names):
        from_values(CelebA, values)


@pytest.mark.parametrize("method", PRESETS)
def test_every_method_makes_a_criterion(method):
    import torch

    config = CelebA(method=method)
    DCLLoss(torch.tensor([[9, 1]]), config.epochs, **config.criterion_options())


def test_a_method_may_be_given_what_it_has_anyway():
    assert CelebA(method="crl", anchors="all") == CelebA(method="crl")
    assert CelebA(method="selective-learning").sampling == 0


def test_a_record_gives_its_configuration_back():
    config = CelebA(method="crl", lr=0.1, profile="quick")
    assert from_values(CelebA, dataclasses.asdict(config)) == config


def test_a_notebooks_parameters_are_its_plain_globals():
    namespace = {"In": [], "Out": {}, "_": 1, "exit": exit, "epochs": 3, "CelebA": CelebA}
    assert from_notebook(CelebA, namespace).epochs == 3
    with pytest.raises(ConfigError, match="'epoch': did you mean 'epochs'"):
        from_notebook(CelebA, {"epoch": 3})


def test_identity_follows_configuration_and_data_not_the_folders():
    data, other = faces(4, val=2, test=2), faces(5, val=2, test=2)
    one, two = CelebA(results="a"), CelebA(results="b")
    assert one.identity(data) == two.identity(data)
    assert one.identity(data) != CelebA(seed=1).identity(data)
    assert one.identity(data) != one.identity(other)
    assert one.record_path(data) != one.record_path(other)


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
        (["run", "celeba", "--sampling", "cubic"], "'cubic'"),
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
