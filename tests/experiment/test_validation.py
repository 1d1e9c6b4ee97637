"""What validation says of an epoch."""

import math

import sklearn.metrics
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcl.experiment.validation import average_precision


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.booleans())
def test_average_precision_is_scikit_learns(seed, samples, ties):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(samples, 3, 2, generator=generator)
    logits = logits.round() if ties else logits
    labels = torch.randint(-1, 2, (samples, 3), generator=generator)
    score = (logits[..., 1] - logits[..., 0]).double()
    expected = []
    for a in range(3):
        known = labels[:, a] >= 0
        truth = labels[known, a]
        if 0 < truth.sum() < len(truth):
            one = sklearn.metrics.average_precision_score(truth.numpy(), score[known, a].numpy())
            expected.append(one)
    found = average_precision(logits, labels)
    if expected:
        assert math.isclose(found, sum(expected) / len(expected), rel_tol=1e-12)
    else:
        assert math.isnan(found)
