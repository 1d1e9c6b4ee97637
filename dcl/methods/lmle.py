"""Large Margin Local Embedding, LMLE (Huang, Li, Loy and Tang, CVPR 2016), for each attribute.

Every class is split into clusters of the current embedding. Each anchor is to lie nearer to its own
cluster than to the other clusters of its class, and nearer to these than to any other class; a
query takes the class whose nearby cluster centroids leave the largest margin.
"""

import time
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import (
    as_sample_weights,
    at_least_float32,
    check_features,
    check_labels,
    check_tensors,
    choose,
    number,
    whole,
)
from ..protocol import Criterion, Look, UntrainedError
from ..reminders import Reminders, caller
from ..sampling import weigh, weighted_cross_entropy
from .clusters import PARTNERS, cluster_classes, find_partners, nearby_margins
from .entry import Method

COLLAPSED = 1e-4  # variance of features of length 1 below which they are one point


class CollapsedError(RuntimeError):
    """All features lie in one point: nothing can be learned from them any more."""


class LMLE(Criterion):
    """LMLE as a criterion: the quintuplet loss, its clusters and its nearest-cluster classifier.

    The paper's: squared Euclidean distance D of L2-normalised features; for an anchor x the
    partners p+ (the most distant of its cluster), p- (the nearest of its class in another
    cluster), p-- (the most distant of its class) and n (the nearest of another class); the order
    D(x, p+) < D(x, p-) < D(x, p--) < D(x, n) of Eq. 1 and its triple-header hinge (Eq. 2), which
    alone trains the network; equal class shares; k-means clusters of a fixed size, renewed as the
    embedding changes (each epoch; the paper: each 5000 steps); the rule of `margins_of` (Eq. 3).

    Ours: quintuplets are mined inside the batch, where the paper draws them from a table made from
    half of the training set; p-- too is of another cluster, without which Eq. 1 cannot hold for an
    anchor whose own cluster reaches farthest; all samples are anchors, averaged within each class
    and then over the classes that have one, which is what equal shares are in expectation; an
    anchor that lacks one of its partners is left out; one network for all attributes, the loss
    summed over them; mini-batch k-means; the margins' values (the paper bounds them by geometry);
    and between 2 and `max_clusters` clusters, since a class of one cluster has no anchors.

    Parameters
    ----------
    class_counts : Tensor (A, C), integer
        Samples of each class in the training set, for each attribute; all positive.
    epochs : float
        L, the expected total number of epochs; only checked against, there is no schedule.
    cluster_size : int, default 200
        Samples per cluster: a class of n samples has n / cluster_size clusters, rounded up.
    max_clusters : int, default 16
        Most clusters of a class, 2 to 256.
    margins : (float, float, float), default (0.1, 0.2, 0.4)
        g1 < g2 < g3 of Eq. 2, positive.
    neighbours : int, default 32
        Cluster centroids that a query looks at, of all classes together (Eq. 3): by default all of
        two classes. Among fewer, a class of few clusters is seldom found.
    warm_up : float, default 0.5
        Share of the epochs, the first ones, that train cross entropy in place of the quintuplet
        loss, in [0, 1). The last step of the training must lie behind them.
        The paper starts from a trained network; from a random one the hardest
        partners of a batch pull all features into one point, where the loss is the margins' sum.
    partners : {"random", "hard"}, default "random"
        Partners of an anchor in the batch: drawn among those that qualify, or the hardest ones,
        as p+ to n are described above; those pull all features into one point.
    classes : int or sequence of A ints, optional
        Classes of each attribute, which must be as many for all.
    seed : int, optional, default 0
        Of the clustering and the drawing. With None both begin from torch's global generator.

    Attributes
    ----------
    parts : dict[str, Tensor]
        Detached values of the last step: ``metric`` (scalar, the loss), ``quintuplets`` (A,), their
        number, and ``classification`` (scalar), the cross entropy that the logits would have, which
        is not part of the loss. Empty before the first step; ``classification`` alone while it
        warms up.
    clustering_seconds : list[float]
        Wall time of each clustering, the first with the import of scikit-learn; kept with the
        clusters in ``state_dict()``.

    Raises
    ------
    ValueError
        For impossible arguments, for shapes that do not fit, and after the first epoch where the
        warm-up would last to the last step.
    RuntimeError
        For a quintuplet loss or scores before the first clustering.

    Examples
    --------
    >>> features = torch.tensor([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]).unsqueeze(1)
    >>> labels = torch.tensor([[0], [0], [1], [1]])
    >>> criterion = LMLE(torch.tensor([[2, 2]]), epochs=10)
    >>> criterion.recluster(features, labels)
    >>> criterion.margins_of(features).argmax(2).T
    tensor([[0, 0, 1, 1]])
    """

    wants_rows = True
    one_process = True  # it clusters the whole training set
    margins: Tensor  # (3,)

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        cluster_size: Annotated[int, "samples of a cluster of lmle (Huang et al. 2016)"] = 200,
        max_clusters: int = 16,
        margins: tuple[float, float, float] = (0.1, 0.2, 0.4),
        neighbours: Annotated[int, "centroids that lmle decides by (ours)"] = 32,
        warm_up: Annotated[float, "share of epochs with cross entropy first, of lmle (ours)"] = 0.5,
        partners: Annotated[str, "of a quintuplet of lmle: random or hard (ours)"] = "random",
        classes: int | Sequence[int] | None = None,
        seed: int | None = 0,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        if len(set(self.classes or ())) > 1:
            raise ValueError(f"lmle wants attributes of one number of classes, got {classes!r}")
        choose("partners", partners, PARTNERS)
        self.partners = partners
        whole("cluster_size", cluster_size, 1)
        whole("max_clusters", max_clusters, 2, 256)
        whole("neighbours", neighbours, 1)
        most = 2**32 - 1  # that k-means takes
        seed = int(torch.randint(most, ())) if seed is None else whole("seed", seed, 0, most)
        margins = _grown(margins)
        self.neighbours = neighbours
        self.warm_up = number("warm_up", warm_up, 0, 1, ends="[)")
        self.cluster_size, self.max_clusters, self.seed = cluster_size, max_clusters, seed
        self.shape = tuple(self.class_counts.shape)  # (A, C)
        self.clustering_seconds: list[float] = []
        self.stale = True  # whether the features may have changed since they were clustered
        if self.warm_up > 0:
            self.reminders = Reminders(self.class_counts, still="the warm-up of lmle does not end")
        self._foretold = False
        self.made: dict[str, Tensor] = {}
        for name, tensor in (
            ("margins", torch.tensor(margins, dtype=torch.float64)),
            ("clusters", torch.empty(0, self.shape[0], dtype=torch.uint8)),  # (N, A) in its class
            ("centroids", torch.empty(*self.shape, max_clusters, 0)),  # (A, C, clusters, D)
            ("filled", torch.zeros(*self.shape, max_clusters, dtype=torch.bool)),
        ):
            self.register_buffer(name, tensor, persistent=False)
        self.set_epoch(0)

    def set_epoch(self, epoch: float) -> None:
        """Only the warm-up asks for the epoch, counted from 0, in [0, epochs]."""
        super().set_epoch(epoch)
        self.warming = epoch < self.warm_up * self.epochs

    @property
    def selectable(self) -> bool:
        """Not while it warms up: that would be cross entropy's network."""
        return not self.warming

    @property
    def parts(self) -> dict[str, Tensor]:
        return self.made

    def before_epoch(self, epoch: int, look: Look) -> None:
        """Cluster the training set, unless that was done since the last batch."""
        if self.stale:
            self.recluster(*look())

    def before_scoring(self, look: Look) -> None:
        """Cluster the training set once more: the scores are distances to these clusters.

        Raises
        ------
        ValueError
            Where all steps of the training, this epoch's share of them known, are warm-up.
        CollapsedError
            Where the features of the training set have no spread left.
        """
        last = self.epochs - 1 + self.epoch % 1  # where the training's last step is
        if last < self.warm_up * self.epochs:
            raise ValueError(
                f"warm_up={self.warm_up} of {self.epochs:g} epochs lasts to epoch "
                f"{self.warm_up * self.epochs:g}, the last step is at {last:g}: no "
                f"quintuplet would be trained. Lower warm_up"
            )
        features, labels = look()
        x = F.normalize(at_least_float32(features), dim=2)
        spread = x.var(0).sum(1)  # (A,) of unit vectors: 1 where they point everywhere
        if bool((spread < COLLAPSED).all()):
            raise CollapsedError(
                f"the features of all {len(spread)} attributes have collapsed into a point each "
                f"(variance {spread.max():.1e}) at epoch {self.epoch:.3g}: the quintuplet loss "
                f"is the margins' sum and nothing is learned. Lower lr, or raise warm_up"
            )
        self.recluster(features, labels)

    @torch.no_grad()
    def recluster(self, features: Tensor, labels: Tensor) -> None:
        """Cluster each class of the training set by itself: features (N, A, D), labels (N, A)."""
        check_tensors(features=features, labels=labels)
        check_labels(labels, *self.shape)
        check_features(features, labels.to(features.device))
        if not len(labels):
            raise ValueError("recluster needs the training set, got 0 samples")
        if features.is_cuda:
            torch.cuda.synchronize(features.device)  # work queued before is not the clustering's
        start = time.perf_counter()
        found = cluster_classes(
            features, labels, self.shape[1],
            size=self.cluster_size, most=self.max_clusters, seed=self.seed,
        )  # fmt: skip
        self.clusters, self.centroids, self.filled = (t.to(labels.device) for t in found)
        self.clustering_seconds.append(time.perf_counter() - start)
        self.stale = False

    def forward(  # type: ignore[override]  # rows come first, as the trainer gives them
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        rows: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, a scalar; its gradient reaches the features alone.

        While it warms up it is the cross entropy of the logits, and needs neither features nor
        rows; we warn once where rows or clusters will be lacking.

        Parameters
        ----------
        logits : Tensor (B, A, C), floating
            After the warm-up for ``parts`` alone.
        features : Tensor (B, A, D), floating
        labels : Tensor (B, A), integer
            -1 where unknown: neither anchor nor partner.
        rows : Tensor (B,), integer
            Rows of the batch's samples in the training set that was clustered.
        weights : Tensor (B,) or (B, A), optional
            Of samples: of their cross entropy, and after the warm-up, where there is none, of the
            anchors' hinges.
        """
        rows = self.as_rows(rows, labels, len(self.clusters) or None)
        logits, features, labels = self.batch(logits, features, labels)
        given = as_sample_weights(weights, labels)
        self.remind(labels)
        self.stale = True
        if self.warming:
            if rows is None or not len(self.clusters):
                self._foretell(rows)
            loss = weighted_cross_entropy(logits, labels, given)
            self.made = {"classification": loss.detach()}
            return loss
        self._check_clustered()
        if rows is None:
            raise RuntimeError(
                "after its warm-up lmle needs the rows of each batch in the training set: "
                "criterion(logits, features, labels, rows=rows)"
            )
        check_tensors(features=features)
        check_features(features, labels)
        clusters = self.clusters[rows.to(self.clusters.device)].to(labels.device)
        x = F.normalize(at_least_float32(features), dim=2).transpose(0, 1)  # (A, B, D)
        source = self.random.on(labels.device)
        partners, valid = find_partners(x, labels, clusters, how=self.partners, generator=source)
        attribute = torch.arange(len(x), device=x.device)[:, None, None]
        # (A, B, 1, D) - (A, B, 4, D) -> (A, B, 4): squared distances; by differences, exact near 0
        d = (x.unsqueeze(2) - x[attribute, partners]).square().sum(3)
        margins = self.margins.to(d)
        hinge = (margins + d[..., :3] - d[..., 1:]).clamp(min=0).sum(2)  # (A, B), Eq. 2
        own = labels.T.long().clamp(min=0)  # what is unknown is no anchor
        anchors = torch.zeros(self.shape, dtype=d.dtype, device=d.device)
        anchors = anchors.scatter_add(1, own, valid.to(d.dtype))  # (A, C) of each class
        shares = (anchors > 0).sum(1, keepdim=True) * anchors.gather(1, own)  # equal class shares
        loss = weigh(hinge * valid / shares.clamp(min=1), given).sum()
        self.made = {
            "classification": weighted_cross_entropy(logits.detach(), labels, given),
            "metric": loss.detach(),
            "quintuplets": valid.sum(1),
        }
        return loss

    def scores(self, logits: Tensor, features: Tensor, model: nn.Module) -> Tensor:
        """Those of `margins_of`, in the logits' place."""
        return self.margins_of(features)

    @torch.no_grad()
    def margins_of(self, features: Tensor) -> Tensor:
        """Margin of each class by its nearby clusters: features (N, A, D) -> (N, A, C), finite.

        Of the `neighbours` nearest centroids, a class's score is the smallest distance to another
        class's less the largest distance to its own (Eq. 3); the largest score decides, ties to the
        lower class. Ours: where no other class is near, the smallest distance is 4, the most that
        there can be; a class with no centroid near scores below all that have one.
        """
        self._check_clustered()
        check_tensors(features=features)
        attributes, classes, _, width = self.centroids.shape
        if features.ndim != 3 or features.shape[1:] != (attributes, width):
            raise ValueError(
                f"features must be (batch, {attributes}, {width}) as clustered, got shape "
                f"{tuple(features.shape)}"
            )
        return nearby_margins(features, self.centroids, self.filled, self.neighbours)

    def _foretell(self, rows: Tensor | None) -> None:
        """Warn once in the warm-up of what the steps after it will refuse to do without."""
        if self._foretold:
            return
        self._foretold = True
        lacking = [] if len(self.clusters) else ["before_epoch(epoch, look) before each epoch"]
        lacking += ["the batch's rows in the training set, rows=rows"] if rows is None else []
        warnings.warn(
            f"lmle trains cross entropy until epoch {self.warm_up * self.epochs:g}; from then on "
            f"it needs {', and '.join(lacking)}",
            stacklevel=caller(),
        )

    def _check_clustered(self) -> None:
        if not len(self.clusters):
            raise UntrainedError(
                "there are no clusters yet: call recluster(features, labels) with those of the "
                "training set, or before_epoch(epoch, look) before each epoch, where look() gives "
                "them"
            )

    def get_extra_state(self) -> dict[str, Tensor]:
        seconds = torch.tensor(self.clustering_seconds, dtype=torch.float64)
        tensors = {name: getattr(self, name) for name in ("clusters", "centroids", "filled")}
        return super().get_extra_state() | tensors | {"clustering_seconds": seconds}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        super().set_extra_state(state)
        if state["filled"].shape != self.filled.shape:
            raise ValueError(
                f"the saved clusters are (attributes, classes, max_clusters) = "
                f"{tuple(state['filled'].shape)}, this criterion's {tuple(self.filled.shape)}"
            )
        for name in ("clusters", "centroids", "filled"):
            setattr(self, name, state[name].to(self.margins.device, copy=True))
        self.clustering_seconds = state["clustering_seconds"].tolist()
        self.stale = True  # of another network, perhaps


def _grown(margins: Any) -> tuple[float, float, float]:
    """Three margins that grow from above 0, checked."""
    try:
        first, second, third = (number("margins", margin, ends="()") for margin in margins)
    except (TypeError, ValueError):  # no three, or no numbers above 0
        first = second = third = 0.0
    if not first < second < third:
        raise ValueError(f"margins must be three that grow from above 0, got {margins!r}")
    return first, second, third


ENTRIES = (
    Method(
        "lmle",
        LMLE,
        "quintuplets of clusters, nearest clusters decide",
        colour="#661100",
        decisions=("argmax", "tuned-mA", "tuned-f1"),  # its scores are no log-odds
    ),
)
