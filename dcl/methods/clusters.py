"""Clusters of each class as LMLE uses them: k-means, partners in a batch, margins of a query.

Each attribute is clustered by itself; features are compared by their squared distance at length 1,
which is 4 at most.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import UNKNOWN, at_least_float32, choose

PARTNERS = ("random", "hard")
AT_ONCE = 8  # attributes whose distances (B, B) are in memory
FARTHEST = 4.0  # the largest squared distance of two vectors of length 1


def cluster_classes(
    features: Tensor, labels: Tensor, classes: int, *, size: int, most: int, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Mini-batch k-means of each class by itself, for each attribute, of normalised features.

    Parameters
    ----------
    features : Tensor (N, A, D)
    labels : Tensor (N, A), integer
        In [0, `classes`), or -1 where unknown: such a sample is in no cluster.
    size, most : int
        Samples of a cluster, and clusters of a class: there are at least 2, as many as the class
        has samples permitting.
    seed : int

    Returns
    -------
    clusters : Tensor (N, A), uint8
        Cluster of each sample within its class.
    centroids : Tensor (A, C, most, D)
    filled : Tensor (A, C, most), bool
        Which of them have samples.
    """
    from sklearn.cluster import MiniBatchKMeans

    attributes = labels.shape[1]
    clusters = torch.zeros(labels.shape, dtype=torch.uint8)
    centroids = torch.zeros(attributes, classes, most, features.shape[2])
    filled = torch.zeros(centroids.shape[:3], dtype=torch.bool)
    truth = labels.cpu()
    for a in range(attributes):
        x = F.normalize(at_least_float32(features[:, a]), dim=1).cpu()
        wrong = (truth[:, a] != UNKNOWN) & ~x.isfinite().all(1)
        if bool(wrong.any()):
            raise ValueError(
                f"features must be finite, those of sample {int(wrong.int().argmax())}, attribute "
                f"{a} are not: the training has diverged, or its input holds NaN. Lower lr"
            )
        for c in range(classes):
            members = (truth[:, a] == c).nonzero().squeeze(1)
            if not len(members):
                continue
            k = min(max(2, -(-len(members) // size)), most, len(members))  # ours: 2 or more
            means = MiniBatchKMeans(k, n_init=1, random_state=seed)
            own = torch.from_numpy(means.fit_predict(x[members].numpy())).long()
            clusters[members, a] = own.to(torch.uint8)
            centroids[a, c, :k] = torch.from_numpy(means.cluster_centers_)
            filled[a, c, :k] = torch.bincount(own, minlength=k) > 0
    return clusters, centroids, filled


@torch.no_grad()
def find_partners(
    x: Tensor,
    labels: Tensor,
    clusters: Tensor,
    *,
    how: str,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Partners p+, p-, p-- and n of every sample of a batch, see `LMLE`.

    Parameters
    ----------
    x : Tensor (A, B, D)
    labels, clusters : Tensor (B, A), integer
        Class, -1 where unknown, and cluster within that class.
    how : {"hard", "random"}
        ``random``: each drawn uniformly among those that qualify; of two drawn of the class's
        other clusters the nearer one is p-, the farther one p--.
    generator : torch.Generator, optional
        Of the drawing, on x's device.

    Returns
    -------
    partners : Tensor (A, B, 4)
        Indices into the batch; ties go to the lower one.
    valid : Tensor (A, B)
        Whether the sample has all four, and so is an anchor.
    """
    choose("partners", how, PARTNERS)
    batch, attributes = labels.shape
    partners = torch.zeros(attributes, batch, 4, dtype=torch.long, device=x.device)
    valid = torch.zeros(attributes, batch, dtype=torch.bool, device=x.device)
    if not batch:
        return partners, valid
    itself = torch.eye(batch, dtype=torch.bool, device=x.device)
    for begin in range(0, attributes, AT_ONCE):
        span = slice(begin, begin + AT_ONCE)
        y, k = labels.T[span], clusters.T[span]
        known = y >= 0
        differ = y.unsqueeze(2) != y.unsqueeze(1)  # (a, B, B), anchor x partner
        other = differ & known.unsqueeze(1)  # of another class, and not of an unknown one
        split = k.unsqueeze(2) != k.unsqueeze(1)
        within, apart = ~(differ | split | itself), ~differ & split
        d = squared_distances(x[span], x[span])
        if how == "random":
            keys = torch.rand(4, *d.shape, device=d.device, generator=generator)
            first, second = (keys[role].masked_fill(~apart, -1).argmax(2) for role in (1, 2))
            swap = d.gather(2, first[..., None]) > d.gather(2, second[..., None])
            near = torch.where(swap[..., 0], second, first)
            partners[span, :, 0] = keys[0].masked_fill(~within, -1).argmax(2)
            partners[span, :, 1], partners[span, :, 2] = near, first + second - near
            partners[span, :, 3] = keys[3].masked_fill(~other, -1).argmax(2)
        else:
            partners[span, :, 0] = d.masked_fill(~within, -torch.inf).argmax(2)
            partners[span, :, 1] = d.masked_fill(~apart, torch.inf).argmin(2)
            partners[span, :, 2] = d.masked_fill(~apart, -torch.inf).argmax(2)
            partners[span, :, 3] = d.masked_fill(~other, torch.inf).argmin(2)
        valid[span] = known & within.any(2) & apart.any(2) & other.any(2)
    return partners, valid


def nearby_margins(features: Tensor, centroids: Tensor, filled: Tensor, neighbours: int) -> Tensor:
    """Margin (N, A, C) of each class by the `neighbours` nearest centroids, see `LMLE.margins_of`.

    Parameters
    ----------
    features : Tensor (N, A, D)
    centroids, filled
        Of `cluster_classes`.
    neighbours : int
    """
    _, classes, most, _ = centroids.shape
    features = at_least_float32(features)
    centroids = centroids.to(features).flatten(1, 2)  # (A, clusters of all classes, D)
    empty = ~filled.to(features.device).flatten(1).unsqueeze(1)  # (A, 1, clusters)
    label = torch.arange(classes, device=features.device)
    label_of = label.repeat_interleave(most)
    scores = []
    for chunk in features.split(1024):  # queries, to bound the memory
        x = F.normalize(chunk, dim=2).transpose(0, 1)  # (A, n, D)
        d = squared_distances(x, centroids).clamp(min=0).masked_fill(empty, torch.inf)
        d, near = d.sort(dim=2, stable=True)
        d, near = d[..., :neighbours, None], near[..., :neighbours, None]
        own = label_of[near] == label  # (A, n, neighbours, C)
        there = d < torch.inf
        other = d.masked_fill(~there, FARTHEST).where(~own, FARTHEST).amin(2)
        farthest = d.where(own & there, -1.0).amax(2)  # (A, n, C), -1 where there is none
        farthest = farthest.where(farthest >= 0, 2 * FARTHEST + 1)
        scores.append((other - farthest).transpose(0, 1))  # Eq. 3
    return torch.cat(scores)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """(A, n, D) and (A, m, D) -> (A, n, m), by matrix products: near 0 only rounding is left."""
    squares = x.square().sum(2).unsqueeze(2) + y.square().sum(2).unsqueeze(1)
    return torch.baddbmm(squares, x, y.mT, alpha=-2)
