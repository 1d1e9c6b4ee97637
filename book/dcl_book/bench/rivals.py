"""What a user would write or install instead of `dcl.DCLLoss`, for `make bench` to time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dcl.criterion import DCLLoss


class LoopDCL(nn.Module):
    """DCL as one would write it from the paper: a Python loop over attributes and classes.

    The same loss as `dcl.DCLLoss` with ``selection="expected"``, to rounding.

    Parameters
    ----------
    criterion : DCLLoss
        Gives the class counts, the schedules' values and the options.
    """

    def __init__(self, criterion: DCLLoss):
        super().__init__()
        self.criterion = criterion

    def set_epoch(self, epoch: float) -> None:
        self.criterion.set_epoch(epoch)

    def forward(self, logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch: logits (B, A, C), features (B, A, D), labels (B, A) -> scalar."""
        metric = classification = 0.0
        for a in range(labels.shape[1]):
            x, z, y = logits[:, a], F.normalize(features[:, a], dim=1), labels[:, a]
            classification += self.selective_learning(x, y, self.criterion.class_counts[a])
            metric += self.easy_anchors(x, z, y)
        return classification + self.criterion.f * metric  # Eq. 10

    def selective_learning(self, x: Tensor, y: Tensor, class_counts: Tensor) -> Tensor:
        """Mean weighted cross entropy of one attribute (Eq. 5-7), by expected weights."""
        target = (class_counts / class_counts.min()) ** self.criterion.g
        present = torch.bincount(y, minlength=len(target))
        target = target / target.sum()
        weights = target / (present / len(y)).clamp(min=1 / len(y))
        return (weights.to(x)[y] * F.cross_entropy(x, y, reduction="none")).mean()

    def easy_anchors(self, x: Tensor, z: Tensor, y: Tensor) -> Tensor:
        """Mean hinge over the triples of one attribute (Eq. 8-9)."""
        k, margin = self.criterion.triplet_options.k, self.criterion.triplet_options.margin
        score, predicted = x.log_softmax(1), x.argmax(1)
        total, number, seen = z.new_zeros(()), 0, 0
        for c in sorted(range(x.shape[1]), key=lambda c: int((y == c).sum())):
            own, other = (y == c).nonzero()[:, 0], (y != c).nonzero()[:, 0]
            seen += len(own)
            if seen > len(y) / 2:  # this class and those after it are no minority
                break
            if len(own) < 2:
                continue
            easy = own[predicted[own] == c]
            anchors = easy[score[easy, c].argsort(descending=True)[:k]]
            positives = own[score[own, c].argsort()[:k]]
            negatives = other[score[other, c].argsort(descending=True)[:k]]
            pull = torch.cdist(z[anchors], z[positives])
            push = torch.cdist(z[anchors], z[negatives])
            valid = (anchors[:, None] != positives[None, :])[:, :, None]
            hinges = (margin + pull[:, :, None] - push[:, None, :]).relu() * valid
            total = total + hinges.sum()
            number += int(valid.sum()) * len(negatives)
        return total / max(number, 1)


class BatchHardTriplets(nn.Module):
    """Cross entropy and pytorch-metric-learning's batch-hard triplet loss for each attribute.

    Not DCL: each sample is an anchor, with its one farthest positive and nearest negative. What
    the library offers for the purpose; its miners of more triples list all B^3 first.

    Parameters
    ----------
    margin : float
    """

    def __init__(self, margin: float = 0.2):
        super().__init__()
        from pytorch_metric_learning import losses, miners  # extra `bench`

        self.miner = miners.BatchHardMiner()
        self.loss = losses.TripletMarginLoss(margin=margin)

    def set_epoch(self, epoch: float) -> None:
        """Nothing changes over the training."""

    def forward(self, logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch: logits (B, A, C), features (B, A, D), labels (B, A) -> scalar."""
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / len(
            labels
        )
        for a in range(labels.shape[1]):
            z, y = features[:, a], labels[:, a]
            loss = loss + self.loss(z, y, self.miner(z, y))
        return loss
