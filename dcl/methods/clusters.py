"""Clusters of each class of an embedding, and the classifier by the nearest of them, for LMLE."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import at_least_float32
from .quintuplets import squared_distances

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
