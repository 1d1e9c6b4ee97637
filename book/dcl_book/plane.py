"""The triplet loss on free points of the plane: Figures 2 and 3 of the paper, acted out.

A minority around (0.5, 0) and a majority around (-0.5, 0), the border between them x = 0; some
minority points, the hard ones, start amid the majority. Nothing but `dcl.triplet_terms` moves them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dcl.triplet import TripletOptions, triplet_terms

SHARPNESS = 8.0  # of the fixed classifier: its logit for the minority is this times x
RATE = 0.6  # of the descent, in coordinates for each unit of gradient


@dataclass(frozen=True)
class Cloud:
    """Points (B, A, 2) and labels (B, A); every attribute a is a cloud of its own."""

    points: Tensor
    labels: Tensor


def draw(
    clouds: int, hard: float, *, positives: int = 30, negatives: int = 100, seed: int = 0
) -> Cloud:
    """Clouds of normal points with standard deviation 0.25.

    Parameters
    ----------
    clouds : int
        A, how many independent ones.
    hard : float
        Share of the minority that starts amid the majority, in [0, 1].
    positives, negatives : int
        Points of the minority and the majority.
    seed : int

    Returns
    -------
    Cloud
    """
    if not 0 <= hard <= 1:
        raise ValueError(f"hard is a share of the minority in [0, 1], got {hard!r}")
    generator = torch.Generator().manual_seed(seed)
    labels = torch.zeros(positives + negatives, clouds, dtype=torch.long)
    labels[:positives] = 1
    x = torch.where(labels == 1, 0.5, -0.5)
    x[: round(hard * positives)] = -0.5
    centres = torch.stack([x, torch.zeros_like(x)], 2)  # (B, A, 2)
    return Cloud(centres + 0.25 * torch.randn(centres.shape, generator=generator), labels)


def descend(cloud: Cloud, anchors: str, *, k: int, steps: int) -> Tensor:
    """Points after each step of gradient descent on the triplet loss, (steps + 1, B, A, 2).

    Parameters
    ----------
    cloud : Cloud
    anchors : {"easy", "all"}
        TEA's, or CRL's.
    k : int
        Points mined for each role.
    steps : int
    """
    points, path = cloud.points, [cloud.points]
    options = TripletOptions(k=k, anchors=anchors, normalise=False)
    for _ in range(steps):
        points = points.detach().requires_grad_()
        logit = SHARPNESS * points.detach()[..., 0]
        logits = torch.stack([-logit, logit], -1)
        terms = triplet_terms(points, logits, cloud.labels, options)
        (gradient,) = torch.autograd.grad(terms.loss.sum(), points)
        points = points.detach() - RATE * gradient
        path.append(points)
    return torch.stack(path)


def outcome(cloud: Cloud, end: Tensor) -> dict[str, Tensor]:
    """What became of the minority and the majority, in percent, for each cloud (A,).

    Returns
    -------
    dict
        ``lost``: minority points on the right side at the start and on the wrong one at the end;
        ``rescued``: the other way round; ``mA`` at the end. NaN where there was none.
    """
    minority = cloud.labels == 1
    before, after = cloud.points[..., 0] > 0, end[..., 0] > 0
    right, wrong = minority & before, minority & ~before

    def share(of: Tensor, among: Tensor) -> Tensor:
        return 100 * (of & among).sum(0) / among.sum(0)

    recalls = share(after, minority), share(~after, ~minority)
    return {
        "lost": share(~after, right),
        "rescued": share(after, wrong),
        "mA": sum(recalls) / 2,
    }
