"""The DCL criterion (Eq. 10) and the methods that are special cases of it (Table 1)."""

import torch
from torch import Tensor, nn

from .checks import check_class_counts, choose
from .sampling import (
    NORMALISATIONS,
    SELECTIONS,
    RandomSource,
    batch_shares,
    dsl_loss,
    dsl_weights,
)
from .schedulers import SCHEDULES, loss_schedule, schedule
from .triplet import check_triplet_options, triplet_terms

SAMPLINGS = (*SCHEDULES[:-1], "linear-imbalance")
LOSSES = SCHEDULES[:-1]

# The framework's special cases (Table 1) and the steps of the ablation (Table 3), as arguments of
# DCLLoss. A number in the place of a schedule is its constant value.
PRESETS: dict[str, dict] = {
    "cross-entropy": {"sampling": 1.0, "loss": 0.0, "current": "train"},
    "selective-learning": {"sampling": 0.0, "loss": 0.0},
    "crl": {"sampling": 1.0, "loss": 0.1, "current": "train", "anchors": "all"},  # f = epsilon
    "dcl-ss": {"loss": 0.0},  # Table 3, row 2: + sampling scheduler
    "dcl-ss-tl": {"loss": 1.0},  # Table 3, row 3: + triplets; ours: both losses weigh the same
    "dcl": {},  # Table 3, row 4: + loss scheduler
}


class DCLLoss(nn.Module):
    """Dynamic Curriculum Learning loss: L_DSL + f(l) L_TEA, summed over attributes (Eq. 10).

    Parameters
    ----------
    class_counts : Tensor (A, C), integer
        Samples of each class in the training set, for each attribute; all positive.
    epochs : float
        Expected total number of epochs L.
    sampling : str or float
        Sampling schedule g: ``convex`` (paper), ``linear``, ``concave``, ``composite``,
        ``linear-imbalance`` (Table 4's last row), or a constant in [0, 1].
    loss : str or float
        Loss schedule f: the SF of Eq. 11, ``composite`` (paper), ``convex``, ``linear``,
        ``concave``, or a constant weight of 0 or more.
    p, epsilon : float
        Self-learning point (paper: 0.3) and ratio (ours: 0.1) of Eq. 11.
    decay : float
        lambda of Eq. 3 for ``concave`` schedules.
    normalisation, selection, current : str
        As in `dcl.dsl_weights`.
    k, margin, anchors, normalise, squared, reduction, rho
        As in `dcl.triplet_loss`.
    seed : int, optional
        Seed of the random selection. Without one, torch's global generator is used.

    Attributes
    ----------
    g, f : float
        The schedules' values at the epoch last set.
    parts : dict[str, Tensor]
        Detached values of the last step, on its device, made when asked for and without a GPU
        wait: ``classification`` (scalar, L_DSL), ``share_kept`` (A,) of the class that is largest
        in the training set, ``minority_weight`` (A,), the mean weight of the smallest one (NaN
        where the batch has none of it), and unless f is 0 ``metric`` (scalar, L_TEA before f),
        ``triples`` and ``active`` (A,), their number and that of the ones with a positive hinge.

    Raises
    ------
    ValueError
        For impossible arguments, at construction; for an epoch outside [0, epochs]; for shapes
        that do not fit.

    Examples
    --------
    >>> criterion = DCLLoss(torch.tensor([[90, 10]]), epochs=300, seed=0)
    >>> criterion.set_epoch(100)
    >>> round(criterion.g, 3), criterion.f
    (0.866, 0.1)
    >>> logits, features = torch.zeros(4, 1, 2), torch.zeros(4, 1, 64)
    >>> criterion(logits, features, torch.tensor([[0], [0], [0], [1]]))
    tensor(0.7765)
    """

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        sampling: str | float = "convex",
        loss: str | float = "composite",
        p: float = 0.3,
        epsilon: float = 0.1,
        decay: float = 0.99,
        normalisation: str = "proportion",
        selection: str = "random",
        current: str = "batch",
        k: int = 25,
        margin: float = 0.2,
        anchors: str = "easy",
        normalise: bool = True,
        squared: bool = False,
        reduction: str = "all",
        rho: float = 0.5,
        seed: int | None = None,
    ):
        super().__init__()
        class_counts = torch.as_tensor(class_counts)
        check_class_counts(class_counts.cpu())
        check_schedules(sampling, loss)
        choose("normalisation", normalisation, NORMALISATIONS)
        choose("selection", selection, SELECTIONS)
        choose("current", current, ("batch", "train"))
        check_triplet_options(k=k, margin=margin, anchors=anchors, reduction=reduction, rho=rho)
        self.register_buffer("class_counts", class_counts.double(), persistent=False)
        self.epochs, self.sampling, self.loss = epochs, sampling, loss
        self.loss_options = {"p": p, "epsilon": epsilon, "decay": decay}
        self.dsl_options = {
            "normalisation": normalisation,
            "selection": selection,
            "current": current,
            "rule": "linear" if sampling == "linear-imbalance" else "power",
        }
        self.triplet_options = {
            "k": k, "margin": margin, "anchors": anchors, "normalise": normalise,
            "squared": squared, "reduction": reduction, "rho": rho,
        }  # fmt: skip
        self.random = RandomSource(seed)
        self._last: tuple[dict[str, Tensor], Tensor, Tensor | None] | None = None
        self.set_epoch(0)

    def set_epoch(self, epoch: float) -> None:
        """Move both curricula to this epoch, counted from 0; fractions are allowed."""
        decay = self.loss_options["decay"]
        if isinstance(self.sampling, str):
            name = "linear" if self.sampling == "linear-imbalance" else self.sampling
            self.g = schedule(name, epoch, self.epochs, decay=decay)
        else:
            self.g = schedule("constant", epoch, self.epochs, value=self.sampling)
        if isinstance(self.loss, str):
            self.f = loss_schedule(epoch, self.epochs, schedule=self.loss, **self.loss_options)
        else:
            self.f = float(self.loss)

    def forward(self, logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch: logits (B, A, C), features (B, A, D), labels (B, A) -> scalar."""
        weights = self.weights(labels)
        classification = dsl_loss(logits, labels, weights)
        self._last = {"classification": classification.detach()}, labels, weights
        if self.f == 0:  # known without a look at the device: no triplets to pay for
            return classification
        metric, triples, active = triplet_terms(features, logits, labels, **self.triplet_options)
        metric = metric.sum()
        self._last[0].update(metric=metric.detach(), triples=triples, active=active)
        return classification + self.f * metric  # Eq. 10

    def weights(self, labels: Tensor) -> Tensor | None:
        """DSL weights (B, A) of a batch; None where all of them are 1 (plain cross entropy)."""
        if self.g == 1 and self.dsl_options["current"] == "train":
            return None
        return dsl_weights(
            labels,
            self.class_counts,
            self.g,
            generator=self.random.on(labels.device),
            **self.dsl_options,
        )

    @property
    def parts(self) -> dict[str, Tensor]:
        """What the last step's loss was made of, see the class; empty before the first step."""
        if self._last is None:
            return {}
        parts, labels, weights = self._last
        return parts | batch_shares(labels, weights, self.class_counts)


def check_schedules(sampling: str | float, loss: str | float) -> None:
    """Raise a ValueError that lists what `sampling` and `loss` of DCLLoss may be."""
    for what, value, names, most in (
        ("sampling", sampling, SAMPLINGS, 1.0),
        ("loss", loss, LOSSES, float("inf")),
    ):
        if isinstance(value, str):
            choose(f"{what} schedule", value, names)
        elif (
            isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most
        ):
            allowed = "in [0, 1]" if most == 1 else "of 0 or more"
            raise ValueError(
                f"{what} must be one of {', '.join(names)} or a number {allowed}, got {value!r}"
            )
