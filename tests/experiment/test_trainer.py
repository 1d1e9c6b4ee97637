"""The training loop: what a network draws itself, a last batch of one, checkpoints of a GPU."""

import numpy as np
import pytest
import torch
from torch import nn

from dcl import DCLLoss
from dcl.data.resident import Resident, Split
from dcl.experiment import trainer
from dcl.experiment.checkpoint import TrainingError
from dcl.networks.models import MLP
from dcl.protocol import Criterion


class Drops(nn.Module):
    """A network that draws from torch's global generator while it trains."""

    def __init__(self):
        super().__init__()
        self.drop, self.rest = nn.Dropout(0.5), MLP(6, 1, 2, hidden=8)

    def forward(self, x):
        return self.rest(self.drop(x))


class Rows(Criterion):
    """Asks for rows, which no method of its takes."""

    wants_rows = True

    def classification_loss(self, logits, labels, weights):
        return logits.sum(), None


class Named(Criterion):
    """Has parts whose names the trainer knows, of other values and shapes."""

    def classification_loss(self, logits, labels, weights):
        return logits.square().sum() + 1, None

    def keep(self, labels, drawn, **parts):
        super().keep(labels, drawn, loss=torch.tensor(-1.0), triples=torch.tensor(3.0))


def fit(model=None, **options) -> dict[str, torch.Tensor]:
    """The weights after a training on a few rows of features."""
    return trained(model, **options)[0].state_dict()


def trained(
    model=None, criterion=None, *, rows=40, batch_size=16, epochs=3, **more
) -> tuple[nn.Module, list[dict]]:
    """A network after a training on a few rows of features, and the history."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(rows, 6, generator=generator).numpy()
    split = Resident(Split(images=images, labels=np.arange(rows)[:, None] % 2), torch.device("cpu"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Drops() if model is None else model
    criterion = criterion or DCLLoss(torch.tensor([[20, 20]]), epochs, seed=0)
    progress = trainer.train(
        model, criterion, split, split, epochs=epochs, batch_size=batch_size, lr=0.1,
        momentum=0.9, weight_decay=0.0, seed=0, show=False, **more,
    )  # fmt: skip
    return model, progress.history


def test_a_network_with_dropout_trains_alike_whatever_was_drawn_before():
    first = fit()
    torch.rand(7)  # of the caller's
    for name, values in fit().items():
        assert torch.equal(values, first[name]), name


def test_rows_become_no_weights_of_a_criterion_that_forgot_to_take_them():
    with pytest.raises(TypeError, match="unexpected keyword argument 'rows'"):
        fit(criterion=Rows(torch.tensor([[20, 20]]), 3))


def test_parts_of_a_criterion_replace_no_number_of_the_history():
    _, history = trained(criterion=Named(torch.tensor([[20, 20]]), 3))
    assert all(row["loss"] >= 1 and row["triples"] == 3 for row in history)


def test_a_network_with_dropout_resumes_to_the_bit(tmp_path, monkeypatch):
    whole = fit()
    checkpoint, save = tmp_path / "run.checkpoint", trainer.save_checkpoint

    def stop_after_the_first(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "save_checkpoint", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        fit(checkpoint=checkpoint)
    monkeypatch.setattr(trainer, "save_checkpoint", save)
    torch.manual_seed(5)  # another process
    for name, values in fit(checkpoint=checkpoint).items():
        assert torch.equal(values, whole[name]), name


class Normalised(nn.Module):
    """Batch normalisation of vectors, which refuses a batch of one."""

    def __init__(self):
        super().__init__()
        self.norm, self.rest = nn.BatchNorm1d(6), MLP(6, 1, 2, hidden=8)

    def forward(self, x):
        return self.rest(self.norm(x))


@pytest.mark.parametrize(("rows", "batch_size", "near"), [(33, 16, 17), (9, 1, 3), (5, 4, 5)])
def test_a_last_batch_of_one_under_batch_normalisation_names_a_size(rows, batch_size, near):
    with pytest.raises(TrainingError, match=f"{rows} images.*batch of one.*such as {near}$"):
        fit(Normalised(), rows=rows, batch_size=batch_size)
    fit(Normalised(), rows=rows, batch_size=near, epochs=1)


def test_a_checkpoint_of_another_device_is_refused_with_words(tmp_path):
    path = tmp_path / "run.checkpoint"
    fit(checkpoint=path, epochs=1)
    saved = torch.load(path, weights_only=True)
    torch.save(saved | {"device": "cuda"}, path)
    with pytest.raises(TrainingError, match="written on cuda, this run is on cpu: go on there"):
        fit(checkpoint=path, epochs=1)


@pytest.mark.parametrize("samples", [0, 1, 128, 129, 1024, 1025, 2305])
def test_a_split_is_scored_in_even_parts_and_in_order(samples):
    rows = np.arange(samples, dtype=np.float32)[:, None]
    split = Resident(Split(images=rows, labels=np.zeros((samples, 1), np.int64)), "cpu")
    sizes = []
    made = [x for x, _ in trainer.outputs(lambda x: (sizes.append(len(x)) or x, x), split)]
    assert torch.equal(torch.cat(made), torch.from_numpy(rows))
    at_most = trainer.CACHED * torch.get_num_threads()
    assert all(at_most // 2 <= size <= at_most for size in sizes) or samples % 1024 <= at_most // 2
    assert max(sizes) <= at_most
