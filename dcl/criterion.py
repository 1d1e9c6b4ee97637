"""The DCL loss (Eq. 10) and its special cases (Table 1)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import torch
from torch import Tensor

from .checks import (
    SMOOTHING,
    as_labels,
    as_sample_weights,
    check_features,
    check_labels,
    check_tensors,
    choose,
    is_number,
    number,
    whole,
)
from .protocol import Criterion, outside_graph, shares
from .reminders import Reminders
from .sampling import (
    CURRENTS,
    KNOWN,
    NORMALISATIONS,
    SELECTIONS,
    count_classes,
    draw_weights,
    target_distribution,
    weighted_cross_entropy,
)
from .schedulers import (
    DECAY,
    EPSILON,
    P,
    Schedule,
    check_schedules,
    loss_level,
    sampling_level,
)
from .triplet import (
    DEFAULT,
    Anchors,
    Count,
    Margin,
    Normalise,
    Reduction,
    Squared,
    TripletOptions,
    mined_terms,
)

# The framework's special cases (Table 1) and the steps of the ablation (Table 3), as arguments of
# DCLLoss. A number instead of a schedule is its constant value.
PRESETS: dict[str, dict[str, Any]] = {
    "cross-entropy": {"sampling": 1.0, "loss": 0.0, "current": "train"},
    "selective-learning": {"sampling": 0.0, "loss": 0.0},
    "crl": {"sampling": 1.0, "loss": EPSILON, "current": "train", "anchors": "all"},
    "dcl-ss": {"loss": 0.0},  # Table 3, row 2: + sampling scheduler
    "dcl-ss-tl": {"loss": 1.0},  # Table 3, row 3: + triplets; ours: both losses weigh the same
    "dcl": {},  # Table 3, row 4: + loss scheduler
}


class DCLLoss(Criterion):
    """Dynamic Curriculum Learning loss: L_DSL + f(l) L_TEA, summed over attributes (Eq. 10).

    Parameters
    ----------
    class_counts : Tensor (A, C), integer
        Samples of each class in the training set, for each attribute; all positive.
    epochs : float
        Expected total number of epochs L.
    sampling : str, float or callable
        Sampling schedule g: ``convex`` (paper), ``linear``, ``concave``, ``composite``,
        ``linear-imbalance`` (Table 4's last row), a constant in [0, 1], or a function of epoch and
        epochs.
    loss : str, float or callable
        Loss schedule f: the SF of Eq. 11, ``composite`` (paper), ``convex``, ``linear``,
        ``concave``, a constant weight of 0 or more, or a function of epoch and epochs that
        replaces f itself.
    p, epsilon : float
        Self-learning point (paper: 0.3) and ratio (ours: 0.1) of Eq. 11.
    decay : float
        lambda of Eq. 3 for ``concave`` schedules.
    normalisation, selection, current : str
        As in `dcl.dsl_weights`.
    known : str
        As in `dcl.dsl_loss`.
    classes : int or sequence of A ints, optional
        Classes of each attribute, if they differ.
    seed : int, optional
        Seed of the random selection. Without one, torch's global generator is used.
    steps_per_epoch : int, optional
        With it, each call while training moves the curricula by one step, and nobody has to call
        `set_epoch`; a call in ``eval()`` or under ``no_grad`` is no step. It counts calls of the
        criterion, not steps of the optimiser: with gradients accumulated over n batches, give n
        times the optimiser's steps, which is ``len(loader)``. `set_epoch` sets this clock, to the
        nearest step, and the next call in training is the step at that epoch. After `epochs` the
        curricula stay where they ended, and we warn once. `torch.compile` breaks its graph there:
        with ``fullgraph=True`` call `set_epoch`.
    k, margin, anchors, normalise, squared, reduction, rho
        As in `dcl.triplet_loss`.

    Attributes
    ----------
    g, f : float
        The schedules' values at the epoch last set.
    parts : dict[str, Tensor]
        What the last step's loss was made of, see `Criterion.parts`.

    Raises
    ------
    ValueError
        For impossible arguments, at construction; for an epoch outside [0, epochs]; for shapes
        that do not fit.

    Notes
    -----
    D_current and the triplets come from the batch that is given. Accumulating gradients over
    micro-batches therefore differs from one large batch.

    Labels are whole numbers. Mixup mixes two losses, ``lam * criterion(logits, features, labels) +
    (1 - lam) * criterion(logits, features, labels[order])``; with `steps_per_epoch` these are two
    calls a step, so give twice the number of steps.

    `torch.func.grad` and ``vjp`` work; ``vmap`` does not, because a batch is one loss, and there is
    no second derivative of the triplets.

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

    g: float
    f: float

    def __init__(
        self,
        class_counts: Tensor,
        epochs: float,
        *,
        sampling: Annotated[
            Schedule, "sampling schedule g: a name or a number (paper 4.3.1)"
        ] = "convex",
        loss: Annotated[
            Schedule, "loss schedule f: a name or a number (paper 4.3.1)"
        ] = "composite",
        p: Annotated[float, "self-learning point, share of the epochs (paper 4.3.1)"] = P,
        epsilon: Annotated[float, "self-learning ratio (ours: the paper gives none)"] = EPSILON,
        decay: Annotated[float, "lambda of the concave schedule (paper, Table 4)"] = DECAY,
        normalisation: Annotated[
            str, "of the distributions of Eq. 5: proportion (ours) or minority"
        ] = NORMALISATIONS[0],
        selection: Annotated[str, "of majority samples: random (Eq. 7) or expected"] = SELECTIONS[
            0
        ],
        current: Annotated[
            str, "D_current: batch (Eq. 7), or train, for batches with few of a class"
        ] = CURRENTS[0],
        known: str = KNOWN[0],
        classes: int | Sequence[int] | None = None,
        seed: int | None = None,
        steps_per_epoch: int | None = None,
        k: Count = DEFAULT.k,
        margin: Margin = DEFAULT.margin,
        anchors: Anchors = DEFAULT.anchors,
        normalise: Normalise = DEFAULT.normalise,
        squared: Squared = DEFAULT.squared,
        reduction: Reduction = DEFAULT.reduction,
        rho: float = DEFAULT.rho,
    ):
        super().__init__(class_counts, epochs, classes=classes, seed=seed)
        check_schedules(sampling, loss, self.epochs, p=p, epsilon=epsilon, decay=decay)
        choose("normalisation", normalisation, NORMALISATIONS)
        choose("selection", selection, SELECTIONS)
        choose("current", current, CURRENTS)
        choose("choice of known", known, KNOWN)
        self.triplet_options = TripletOptions(
            k=k,
            margin=margin,
            anchors=anchors,
            normalise=normalise,
            squared=squared,
            reduction=reduction,
            rho=rho,
        )
        self.sampling, self.loss, self.known = sampling, loss, known
        self.loss_options = {"p": p, "epsilon": epsilon, "decay": decay}
        self.dsl_options: dict[str, Any] = {
            "normalisation": normalisation,
            "selection": selection,
            "current": current,
            "rule": "linear" if sampling == "linear-imbalance" else "power",
        }
        if steps_per_epoch is not None:
            steps_per_epoch = whole("steps_per_epoch", steps_per_epoch, 1)
        self.steps_per_epoch = steps_per_epoch
        # Tensors, where class_counts is: a compiled or captured graph reads them anew at each step
        self._g = torch.ones((), dtype=torch.float64)
        self._f = torch.ones((), dtype=torch.float64)
        self._steps = 0  # of the clock: the next call in training is this one
        self.reminders = Reminders(
            self.class_counts,
            still=None if is_number(sampling) and is_number(loss) else "the curricula stand still",
            target=None if current == "train" else self._first_target(),
            advice=", or give steps_per_epoch",
        )
        self.set_epoch(0)

    @classmethod
    def from_targets(cls, targets: Any, epochs: float, **options: Any) -> "DCLLoss":
        """The criterion for a training set's targets, as a binary cross entropy takes them.

        Parameters
        ----------
        targets : Tensor, array or DataFrame (N, A)
            0 or 1, -1 where unknown, for each sample of the training set; integers for more
            classes.
        epochs : float
        options
            As of `DCLLoss`.

        Examples
        --------
        >>> criterion = DCLLoss.from_targets(torch.tensor([[0.0, 1], [1, 0], [0, 0]]), epochs=30)
        >>> criterion.class_counts
        tensor([[2, 1],
                [2, 1]])
        >>> criterion(torch.zeros(3, 2), torch.zeros(3, 2, 8), torch.zeros(3, 2)).shape
        torch.Size([])
        """
        if "label_smoothing" in options:
            raise TypeError(f"{cls.__name__} has no option 'label_smoothing'{SMOOTHING}")
        targets = as_labels(targets)
        return cls(count_classes(targets, options.get("classes")), epochs, **options)

    def set_epoch(self, epoch: float) -> None:
        """Move both curricula to this epoch, counted from 0; fractions are allowed.

        Training calls it before each step with epoch + step / steps, so that a training of any
        length ends where its curricula end. With `steps_per_epoch` it sets the clock, which goes on
        from there: a training that is resumed without the criterion's state calls it once.
        """
        number("epoch", epoch, 0, self.epochs)
        g = sampling_level(self.sampling, epoch, self.epochs, decay=self.loss_options["decay"])
        f = loss_level(self.loss, epoch, self.epochs, **self.loss_options)
        super().set_epoch(epoch)  # now that nothing refuses it any more
        self.g, self.f = g, f
        self._g.fill_(g)
        self._f.fill_(f)
        self._all_ones = g == 1 and self.dsl_options["current"] == "train"
        self._triplets = f != 0
        if self.steps_per_epoch:
            self._steps = self._step_at(epoch)

    def forward(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch: logits (B, A, C), features (B, A, D), labels (B, A) -> scalar.

        Also logits (B, C), features (B, D), labels (B,) of one attribute, and logits (B, A) with
        yes-or-no targets (B, A), floating or not, see `from_targets`. Weights (B,) or (B, A), of 0
        or more, multiply each sample's classification term; what is selected and mined, and the
        triplets, do not change with them.
        """
        batch = self.checked(logits, features, labels, weights)
        self.begin_step(batch[2])  # a batch that is refused moves nothing
        return self._loss_of(*batch)

    def checked(
        self, logits: Tensor, features: Tensor | None, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Any, Tensor, Tensor | None]:
        """A batch as of `Criterion.batch`, and the weights (B, A) of its samples."""
        logits, features, labels = self.batch(logits, features, labels)
        if self._triplets:
            check_tensors(features=features)
            check_features(features, labels)
        return logits, features, labels, as_sample_weights(weights, labels)

    def begin_step(self, labels: Tensor) -> None:
        """Move the curricula, with `steps_per_epoch`, and count the batch for the warnings."""
        if self.steps_per_epoch and self.training and torch.is_grad_enabled():  # no look at a loss
            self._tick(self.steps_per_epoch)
        self.remind(labels)

    def loss_of(
        self,
        logits: Tensor,
        features: Tensor | None,
        labels: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """`forward` of a step that has begun: tensors in, a tensor out."""
        return self._loss_of(*self.checked(logits, features, labels, weights))

    def _loss_of(
        self, logits: Tensor, features: Tensor, labels: Tensor, given: Tensor | None
    ) -> Tensor:
        drawn = self._drawn(labels)
        loss = weighted_cross_entropy(logits, labels, drawn, given, known=self.known)
        if not self._triplets:  # known without a look at the device: no triplets to pay for
            self.keep(labels, drawn, classification=loss)
            return loss
        terms, triples, active = mined_terms(features, logits, labels, self.triplet_options)
        metric = terms.sum()
        self.keep(labels, drawn, classification=loss, metric=metric, triples=triples, active=active)
        return loss + self._f.to(metric.dtype) * metric  # Eq. 10

    @property
    def flow(self) -> tuple[bool, bool]:
        """Which operations a step has: whether it weighs samples, whether it has triplets."""
        return not self._all_ones, self._triplets

    def reads(self, device: torch.device) -> tuple[Any, ...]:
        """What a step reads besides its batch: a graph of it holds as long as these objects do."""
        return self._g, self._f, self.class_counts, self.missing, self.random.on(device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "DCLLoss":
        super()._apply(fn, recurse)  # to another device; the levels go there, float64 in any case
        self._g, self._f = (
            torch.full((), level, dtype=torch.float64, device=self.class_counts.device)
            for level in (self.g, self.f)
        )
        return self

    def _step_at(self, epoch: float) -> int:
        """The step of the clock that is nearest to an epoch."""
        return round(epoch * (self.steps_per_epoch or 0))

    @outside_graph
    def _tick(self, steps_per_epoch: int) -> None:
        """Move both curricula by one step, outside the graph where the rest is compiled."""
        epoch = self._steps / steps_per_epoch
        if epoch > self.epochs and self.reminders is not None:
            self.reminders.beyond(self.epochs, steps_per_epoch)
        self.set_epoch(min(self.epochs, epoch))
        self._steps += 1  # set_epoch has put it at the step that is made now

    def weights(self, labels: Tensor) -> Tensor | None:
        """DSL weights of a batch at the epoch last set, to look at: `forward` draws its own.

        In training they come from the criterion's generator, so the next loss draws others than it
        would have; in ``eval()`` or under ``no_grad`` a look changes nothing.

        Parameters
        ----------
        labels : Tensor (B, A), or (B,) of one attribute
            -1 where unknown.

        Returns
        -------
        Tensor (B, A), float64, or None
            None where all weights are 1 (plain cross entropy).

        Raises
        ------
        ValueError
            For labels of another shape or out of range.
        """
        check_tensors(labels=labels)
        labels = as_labels(labels)
        attributes, classes = self.class_counts.shape
        check_labels(labels, attributes, self.classes or classes)
        self.follow(labels.device)
        return self._drawn(labels)

    def _drawn(self, labels: Tensor) -> Tensor | None:
        """`weights` of labels (B, A) that are checked."""
        if self._all_ones:
            return None
        return draw_weights(
            labels,
            self.class_counts,
            self._g,
            generator=self.random.on(labels.device),
            **self.dsl_options,
        )

    def trained_prior(self) -> Tensor | None:
        """The target that the sampling schedule has reached."""
        if self._all_ones:
            return shares(self.class_counts)
        how = {name: self.dsl_options[name] for name in ("rule", "normalisation")}
        return shares(target_distribution(self.class_counts, self.g, classes=self.classes, **how))

    def _first_target(self) -> Tensor:
        """Target share (A, C) of each class at the start; 1 for a class that does not exist."""
        g = sampling_level(self.sampling, 0, self.epochs, decay=self.loss_options["decay"])
        rule = self.dsl_options["rule"]
        target = target_distribution(self.class_counts, g, rule=rule, classes=self.classes)
        return target.masked_fill(self.missing, 1)

    def get_extra_state(self) -> dict[str, Any]:
        stepped = self.steps_per_epoch is not None and self._steps > self._step_at(self.epoch)
        return super().get_extra_state() | {"stepped": stepped}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        super().set_extra_state(state)
        if self.steps_per_epoch:  # the clock's next step; of a state without `stepped` as before
            self._steps = self._step_at(self.epoch) + state.get("stepped", True)

    def extra_repr(self) -> str:
        options = {"sampling": self.sampling, "loss": self.loss, **self.loss_options}
        options |= self.dsl_options | {"known": self.known} | asdict(self.triplet_options)
        attributes, classes = self.class_counts.shape
        words = [f"attributes={attributes}", f"classes={self.classes or classes}"]
        words += [f"epochs={self.epochs:g}", f"epoch={self.epoch:g}"]
        words += [f"{name}={value!r}" for name, value in options.items()]
        return ", ".join(words)
