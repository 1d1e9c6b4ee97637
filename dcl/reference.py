"""The whole method in plain PyTorch, one function for each equation: slow, to be read.

Read it with the paper, from top to bottom. Every function but `dcl_loss` takes one attribute:

    logits (B, C) · features (B, D) · labels (B,), -1 where unknown · class_counts (C,)

A step of B = 512, A = 40 takes seconds. Train with `dcl.DCLLoss`, whose fast functions have the
same names; the tests compare the two in float64, and this file imports nothing from the other. To
stay readable it checks nothing: a wrong input gives a wrong number, or an error of torch.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# Scheduler functions SF(l) of the epoch l = `epoch` and the total L = `epochs` (Section 3.1)


def convex(epoch: float, epochs: float) -> float:
    """Slow, then fast."""
    return math.cos(epoch / epochs * math.pi / 2)  # Eq. 1


def linear(epoch: float, epochs: float) -> float:
    """At a constant pace."""
    return 1 - epoch / epochs  # Eq. 2


def concave(epoch: float, epochs: float, decay: float = 0.99) -> float:
    """Fast, then slow, whatever `epochs` is; `decay` is the paper's lambda."""
    return decay**epoch  # Eq. 3


def composite(epoch: float, epochs: float) -> float:
    """Slow, fast, slow."""
    return math.cos(epoch / epochs * math.pi) / 2 + 1 / 2  # Eq. 4


# Sampling scheduler and Dynamic Selective Learning (Section 3.2)


def target_distribution(class_counts: Tensor, g: float) -> Tensor:
    """Share of each class that a batch should have: as in training at g = 1, equal at g = 0."""
    d_train = class_counts.double() / class_counts.min()  # 1 : C_1 / C_min : C_2 / C_min ...
    d_target = d_train**g  # Eq. 5
    return d_target / d_target.sum()  # ours: as proportions


def dsl_weights(
    labels: Tensor,
    class_counts: Tensor,
    g: float,
    *,
    selection: str = "random",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Weight of each sample: a class below its target is weighed up, one above it is thinned."""
    weights = torch.zeros(len(labels), dtype=torch.float64)
    for j, target in enumerate(target_distribution(class_counts, g)):
        members = (labels == j).nonzero().flatten()  # the N_j samples of class j
        if len(members) == 0:
            continue
        current = len(members) / int((labels >= 0).sum())  # among the known ones
        ratio = target / current
        if ratio >= 1 or selection == "expected":  # ours: what the random choice is on average
            weights[members] = ratio  # Eq. 7, first case
        else:
            wanted = ratio * len(members)
            kept = int(wanted + torch.rand((), generator=generator))  # ours: rounded at random
            chosen = torch.randperm(len(members), generator=generator)[:kept]
            weights[members[chosen]] = 1  # Eq. 7, second case: 1 for these, 0 for the rest
    return weights


def dsl_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """L_DSL: weighted cross entropy over the size of the batch."""
    loss = 0.0 * logits[:0].sum()  # of an empty batch, with a graph
    for i in range(len(labels)):
        if labels[i] >= 0 and weights[i] > 0:
            log_p = logits[i].log_softmax(0)[labels[i]]  # of the true class
            loss = loss - weights[i] * log_p / len(labels)  # Eq. 6
    return loss


# Triplet loss with easy anchors (Section 3.3)


def minority_classes(labels: Tensor, classes: int, rho: float) -> list[int]:
    """CRL's rule: the rarest classes of the batch that hold at most `rho` of it together."""
    counts = [(int((labels == c).sum()), c) for c in range(classes)]
    minority, held = [], 0
    for count, c in sorted(counts):  # ties go to the lower class
        held += count
        if held > rho * int((labels >= 0).sum()):
            break
        if count >= 2:  # an anchor needs another sample as positive
            minority.append(c)
    return minority


def mine(
    logits: Tensor, labels: Tensor, c: int, *, k: int, anchors: str = "easy"
) -> tuple[list[int], list[int], list[int]]:
    """Anchors, hard positives and hard negatives of class c: samples of the batch."""
    p = logits.detach().softmax(1).tolist()
    of_class = [i for i, label in enumerate(labels.tolist()) if label == c]
    of_others = [i for i, label in enumerate(labels.tolist()) if label not in (c, -1)]
    positives = sorted(of_class, key=lambda i: p[i][c])[:k]  # the least confident
    negatives = sorted(of_others, key=lambda i: -p[i][c])[:k]  # the most like class c
    if anchors == "all":
        return of_class, positives, negatives  # Eq. 8: x_all
    correct = [i for i in of_class if p[i].index(max(p[i])) == c]
    easy = sorted(correct, key=lambda i: -p[i][c])[:k]  # the most confident
    return easy, positives, negatives  # Eq. 9: x_easy


def distance(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distance between x (1, D) and each row of y (K, D), scaled to length 1."""
    return torch.linalg.vector_norm(F.normalize(x) - F.normalize(y), dim=1)


def hinges(
    features: Tensor,
    logits: Tensor,
    labels: Tensor,
    *,
    k: int,
    margin: float,
    rho: float,
    anchors: str = "easy",
    d: Callable[[Tensor, Tensor], Tensor] = distance,
) -> Tensor:
    """The hinge of each triple: every anchor with every other positive and every negative."""
    terms = [features.flatten()[:0]]  # without any triple: a sum of 0, with a graph
    for c in minority_classes(labels, logits.shape[1], rho):
        easy, positives, negatives = mine(logits, labels, c, k=k, anchors=anchors)
        for i in easy:
            others = [j for j in positives if j != i]
            pull = d(features[[i]], features[others])[:, None]  # d(x_easy, x_+), (P, 1)
            push = d(features[[i]], features[negatives])[None, :]  # d(x_easy, x_-), (1, N)
            terms.append(torch.relu(margin + pull - push).flatten())  # Eq. 8, 9: max(0, .)
    return torch.cat(terms)


def triplet_loss(
    features: Tensor,
    logits: Tensor,
    labels: Tensor,
    *,
    k: int,
    margin: float,
    rho: float,
    anchors: str = "easy",
) -> Tensor:
    """L_TEA: the mean hinge; CRL's loss with ``anchors="all"``."""
    terms = hinges(features, logits, labels, k=k, margin=margin, rho=rho, anchors=anchors)
    return terms.sum() / max(1, len(terms))  # Eq. 8, 9: the mean over T


# Loss scheduler and the whole loss (Section 3.4)


def loss_schedule(
    epoch: float,
    epochs: float,
    *,
    p: float,
    epsilon: float,
    sf: Callable[[float, float], float] = composite,
) -> float:
    """f(l): the weight of the metric loss, small from the self-learning point on."""
    before = epoch < p * epochs and not math.isclose(epoch, p * epochs)  # but for rounding
    return sf(epoch, epochs) + epsilon if before else epsilon  # Eq. 11


def dcl_loss(
    logits: Tensor,
    features: Tensor,
    labels: Tensor,
    class_counts: Tensor,
    *,
    g: float,
    f: float,
    k: int,
    margin: float,
    rho: float,
    selection: str = "random",
    generator: torch.Generator | None = None,
) -> Tensor:
    """The loss of all attributes: (B, A, C), (B, A, D), (B, A), (A, C) -> scalar."""
    loss = logits.new_zeros(())
    for a in range(labels.shape[1]):
        z, x, y = logits[:, a], features[:, a], labels[:, a]
        weights = dsl_weights(y, class_counts[a], g, selection=selection, generator=generator)
        metric = triplet_loss(x, z, y, k=k, margin=margin, rho=rho)
        loss = loss + dsl_loss(z, y, weights) + f * metric  # Eq. 10
    return loss


# The metric, mA (Section 4.2)


def balanced_accuracy(predicted: Tensor, labels: Tensor, classes: int = 2) -> Tensor:
    """Mean recall of the classes of one attribute; NaN where a class has no sample."""
    recalls = [(predicted[labels == c] == c).double().mean() for c in range(classes)]
    return torch.stack(recalls).mean()  # Eq. 12: TP / P and TN / N


def mean_accuracy(per_attribute: Tensor) -> Tensor:
    """mA: the mean over the attributes for which it is defined."""
    return per_attribute.nanmean()  # Eq. 13
