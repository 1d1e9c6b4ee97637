"""A criterion's logits brought back to the data's prior."""

import math

import pytest
import torch

from dcl import METHODS, DCLLoss, calibration_error, count_classes, decide, make_criterion
from dcl.methods.weights import class_balanced_weights, deepmar_weights
from dcl.protocol import Criterion

COUNTS = torch.tensor([[60, 30, 10]])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_its_prior_or_that_it_has_none(method):
    counts = torch.tensor([[80, 20]])
    criterion = make_criterion(method, counts, 10, seed=0)
    logits = torch.tensor([[[0.3, -0.4]]]).double()
    prior = criterion.trained_prior()
    if prior is None:
        with pytest.raises(ValueError, match="states no prior .* or define its trained_prior"):
            criterion.at_data_prior(logits)
        return
    assert prior.sum().item() == pytest.approx(1)
    odds = criterion.at_data_prior(logits).diff() - logits.diff()
    expected = (0.2 / 0.8) / (prior[0, 1] / prior[0, 0])  # Bayes
    assert odds.exp().item() == pytest.approx(expected.item())


def test_a_criterion_that_states_no_prior_is_not_taken_for_cross_entropy():
    """Its logits may be shifted: nobody knows by how much."""

    class Mine(Criterion):
        def classification_loss(self, logits, labels, weights):
            return (logits + 3).logsumexp(2).mean(), None

    criterion = Mine(COUNTS, 10)
    assert criterion(torch.zeros(4, 1, 3), None, torch.zeros(4, 1, dtype=torch.long)).isfinite()
    with pytest.raises(ValueError, match="Mine states no prior"):
        criterion.at_data_prior(torch.zeros(4, 1, 3))


@pytest.mark.parametrize(
    ("criterion", "prior"),
    [
        (make_criterion("cross-entropy", COUNTS, 10), [0.6, 0.3, 0.1]),
        (make_criterion("crl-original", COUNTS, 10), [0.6, 0.3, 0.1]),
        (make_criterion("crt", COUNTS, 10), [0.6, 0.3, 0.1]),  # before its second layer
        (make_criterion("selective-learning", COUNTS, 10), [1 / 3] * 3),
        (make_criterion("cost-sensitive", COUNTS, 10), [1 / 3] * 3),
        (make_criterion("over-sampling", COUNTS, 10), [1 / 3] * 3),
        (make_criterion("logit-adjustment", COUNTS, 10, tau=1.0), [1 / 3] * 3),
        (make_criterion("logit-adjustment", COUNTS, 10, tau=0.0), [0.6, 0.3, 0.1]),
        (DCLLoss(COUNTS, 10, sampling=1.0, normalisation="minority"), [0.6, 0.3, 0.1]),
    ],
)
def test_the_prior_of_a_method(criterion, prior):
    torch.testing.assert_close(criterion.trained_prior(), torch.tensor([prior]).double())


def test_a_schedules_prior_is_that_of_its_epoch():
    criterion = DCLLoss(COUNTS, 10, sampling="linear")
    criterion.set_epoch(5)  # g = 0.5
    powers = COUNTS.double() ** 0.5
    torch.testing.assert_close(criterion.trained_prior(), powers / powers.sum())
    criterion.set_epoch(10)
    torch.testing.assert_close(criterion.trained_prior(), torch.full((1, 3), 1 / 3).double())


@pytest.mark.parametrize("method", ["class-balanced", "deepmar"])
def test_a_weighted_prior_is_that_of_counts_times_weights(method):
    weights = {"class-balanced": class_balanced_weights, "deepmar": deepmar_weights}[method]
    expected = COUNTS * weights(COUNTS)
    found = make_criterion(method, COUNTS, 10).trained_prior()
    torch.testing.assert_close(found, expected / expected.sum())


def test_the_forms_of_logits_come_back_as_they_were():
    criterion = make_criterion("cost-sensitive", torch.tensor([[90, 10], [60, 40]]), 10)
    score = torch.randn(4, 2)
    full = criterion.at_data_prior(torch.stack([0 * score, score], 2)).diff()[..., 0]
    torch.testing.assert_close(criterion.at_data_prior(score), full)
    one = make_criterion("cost-sensitive", COUNTS, 10)
    logits = torch.randn(4, 3)
    torch.testing.assert_close(one.at_data_prior(logits), one.at_data_prior(logits[:, None])[:, 0])
    with pytest.raises(ValueError, match=r"\(N, 1, 3\) as class_counts, got shape \(4, 2\)"):
        one.at_data_prior(logits[:, :2])


def test_a_class_that_an_attribute_lacks_gets_no_probability_and_no_decision():
    counts = torch.tensor([[60, 40, 0], [50, 30, 20]])
    criterion = make_criterion("cost-sensitive", counts, 10, classes=(2, 3))
    logits = torch.tensor([[[0.0, 1, 9], [0, 1, 9]]])  # the network's, which masks nothing
    back = criterion.at_data_prior(logits)
    assert back[0, 0, 2] == -torch.inf
    assert back[0, 1].isfinite().all()
    expected = torch.tensor([0.6, 0.4 * math.e]) / (0.6 + 0.4 * math.e)
    torch.testing.assert_close(back.softmax(2)[0, 0], torch.tensor([*expected, 0]))
    masked = logits.masked_fill(criterion.missing, -torch.inf)
    for offsets in (None, torch.zeros(2, 3)):
        decided = decide(logits, offsets=offsets, classes=(2, 3))
        assert torch.equal(decided, torch.tensor([[1, 2]]))
        assert torch.equal(decided, decide(masked, offsets=offsets))
    assert decide(torch.tensor([[[1, 2, 9], [0, 4, 9]]]), classes=(2, 3)).tolist() == [[1, 2]]
    with pytest.raises(ValueError, match=r"largest of classes must be 3, .*got \(2, 4\)"):
        decide(logits, classes=(2, 4))


def test_what_is_no_logit_is_refused():
    criterion = make_criterion("cost-sensitive", torch.tensor([[90, 10], [60, 40]]), 10)
    logits = torch.randn(30, 2, 2)
    with pytest.raises(ValueError, match="logits are probabilities.*log()"):
        criterion.at_data_prior(logits.softmax(2))
    with pytest.raises(ValueError, match="probabilities"):
        make_criterion("cost-sensitive", COUNTS, 10).at_data_prior(torch.randn(9, 3).softmax(1))
    with pytest.warns(UserWarning, match=r"30 samples lie in \[0, 1\].*logit()") as told:
        criterion.at_data_prior(logits[..., 0].sigmoid())
    assert told[0].filename == __file__
    with pytest.raises(ValueError, match="floating point, got dtype torch.int64"):
        criterion.at_data_prior(torch.ones(4, 2, 2, dtype=torch.long))
    with pytest.raises(ValueError, match=r"must be a tensor, got a numpy.ndarray: torch.as_tensor"):
        criterion.at_data_prior(logits.numpy())


@pytest.mark.parametrize("method", ["cost-sensitive", "pos-weight", "class-balanced", "deepmar"])
def test_probabilities_are_right_again_after_weighting(method):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 1, generator=generator)
    y = (torch.rand(4000, 1, generator=generator) < (2 * x - 4).sigmoid()).long()
    criterion = make_criterion(method, count_classes(y, 2), 10)
    model = torch.nn.Linear(1, 1)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=40)

    def step():
        optimiser.zero_grad()
        loss = criterion(model(x), None, y)
        loss.backward()
        return loss

    optimiser.step(step)
    logits = model(x).detach()
    back = criterion.at_data_prior(logits)
    assert calibration_error(back, y).error < 0.01
    if method != "class-balanced":  # whose beta weighs hardly at so few samples
        assert calibration_error(logits, y).error > 0.03
