"""Scheduler functions SF(l) (Eq. 1-4) and the loss schedule f(l) (Eq. 11).

Every schedule is a plain function of the epoch: no state, no tensors.
"""

import math
from collections.abc import Callable

from .checks import choose, is_number, number

SCHEDULES = ("convex", "linear", "concave", "composite", "constant")
LOSS_SCHEDULES = tuple(name for name in SCHEDULES if name != "constant")
SAMPLING_SCHEDULES = (*LOSS_SCHEDULES, "linear-imbalance")
P, EPSILON, DECAY = 0.3, 0.1, 0.99  # of Eq. 11 (paper; ours) and of Eq. 3 (paper)
Schedule = str | float | Callable[[float, float], float]  # epoch, epochs -> level


def schedule(
    name: str, epoch: float, epochs: float, *, decay: float = DECAY, value: float | None = None
) -> float:
    """Scheduler function SF(l): falls from 1 at the start of training to 0 at its end.

    The names are the paper's and describe the speed of learning. As functions of the epoch they
    are the other way round: ``convex`` (slow then fast) is concave, ``concave`` (fast then slow)
    is convex.

    Parameters
    ----------
    name : {"convex", "linear", "concave", "composite", "constant"}
        ``convex`` cos(l/L pi/2), Eq. 1; ``linear`` 1 - l/L, Eq. 2; ``concave`` decay**l, Eq. 3;
        ``composite`` cos(l/L pi)/2 + 1/2, Eq. 4; ``constant`` is `value` at every epoch (Table 1).
    epoch : float
        Current epoch l, counted from 0; fractions are allowed.
    epochs : float
        Expected total number of epochs L.
    decay : float
        lambda of Eq. 3, in (0, 1); used by ``concave`` only. It applies per epoch, not per
        training: the paper's 0.99 ends at 0.05 after 300 epochs, and at 0.92 after 8.
    value : float, optional
        The level of `constant`, in [0, 1].

    Returns
    -------
    float
        SF(epoch), in [0, 1].

    Raises
    ------
    ValueError
        For an unknown name, an epoch outside [0, epochs], or a decay or value out of range.

    Examples
    --------
    >>> [round(schedule("convex", epoch, 300), 3) for epoch in (0, 150, 300)]
    [1.0, 0.707, 0.0]
    """
    choose("schedule", name, SCHEDULES)
    epochs = number("epochs", epochs, ends="()")
    epoch = number("epoch", epoch, 0, epochs)
    _check_decay(decay)
    if value is not None:
        number("value", value, 0, 1)
    if name == "convex":
        return math.cos(epoch / epochs * math.pi / 2)  # Eq. 1; 6e-17 at the end
    if name == "linear":
        return 1 - epoch / epochs  # Eq. 2
    if name == "composite":
        return math.cos(epoch / epochs * math.pi) / 2 + 0.5  # Eq. 4
    if name == "concave":
        return float(decay) ** epoch  # Eq. 3
    if value is None:
        raise ValueError("schedule 'constant' needs a value in [0, 1]")
    return float(value)


def loss_schedule(
    epoch: float,
    epochs: float,
    *,
    schedule: str = "composite",
    p: float = P,
    epsilon: float = EPSILON,
    decay: float = DECAY,
) -> float:
    """Loss schedule f(l): the weight of the metric loss relative to the classification loss.

    SF(l) + epsilon before the self-learning point p * epochs, epsilon afterwards (Eq. 11). With
    the defaults f falls smoothly from 1.1 to 0.894 and then jumps to 0.1.

    Parameters
    ----------
    epoch, epochs : float
        Current epoch l in [0, epochs], and the total L.
    schedule : {"composite", "convex", "linear", "concave"}
        The SF of Eq. 11; the paper takes ``composite`` as its example.
    p : float
        Advanced self-learning point, a fraction of the training in [0, 1]. Paper: 0.3.
    epsilon : float
        Self-learning ratio, 0 or more. The default 0.1 is ours; the paper gives no value.
    decay : float
        lambda of Eq. 3, used by ``concave`` only.

    Returns
    -------
    float
        f(epoch), in [epsilon, 1 + epsilon].

    Raises
    ------
    ValueError
        For p outside [0, 1], a negative epsilon, and as `dcl.schedule` does.

    Examples
    --------
    >>> [round(loss_schedule(epoch, 300), 3) for epoch in (0, 89.999, 90, 300)]
    [1.1, 0.894, 0.1, 0.1]
    """
    _check_self_learning(p, epsilon)
    if schedule == "constant":
        raise ValueError("Eq. 11 with a constant schedule: give DCLLoss a number as loss instead")
    level = _scheduler_function(schedule, epoch, epochs, decay=decay)
    before = epoch < p * epochs and not math.isclose(epoch, p * epochs)  # 0.55 * 100 exceeds 55
    return float(level + epsilon if before else epsilon)  # Eq. 11


_scheduler_function = schedule  # inside loss_schedule the name `schedule` is an argument


def sampling_level(
    sampling: Schedule, epoch: float, epochs: float, *, decay: float = DECAY
) -> float:
    """Sampling level g at an epoch, from a schedule's name, a number or a function."""
    if callable(sampling):
        level = float(sampling(epoch, epochs))
    elif isinstance(sampling, str):
        name = "linear" if sampling == "linear-imbalance" else sampling
        level = schedule(name, epoch, epochs, decay=decay)
    else:
        level = schedule("constant", epoch, epochs, value=sampling)
    return _in_range("sampling", level, 1.0, epoch)


def loss_level(
    loss: Schedule, epoch: float, epochs: float, *, p: float, epsilon: float, decay: float
) -> float:
    """Loss weight f at an epoch, from a schedule's name, a number or a function."""
    if callable(loss):
        level = float(loss(epoch, epochs))
    elif isinstance(loss, str):
        level = loss_schedule(epoch, epochs, schedule=loss, p=p, epsilon=epsilon, decay=decay)
    else:
        level = float(loss)
    return _in_range("loss", level, math.inf, epoch)


def _in_range(what: str, level: float, most: float, epoch: float) -> float:
    if not 0 <= level <= most or level == math.inf:
        allowed = "lie in [0, 1]" if most == 1 else "be a finite number of 0 or more"
        raise ValueError(
            f"the {what} schedule gives {level!r} at epoch {epoch!r}: its level must {allowed}"
        )
    return level


def check_schedules(
    sampling: Schedule, loss: Schedule, epochs: float, *, p: float, epsilon: float, decay: float
) -> None:
    """Raise a ValueError with the allowed values unless all are valid, in use or not.

    A function is asked for its level at each whole epoch, of the first 10,000, and at the end.
    """
    _check_self_learning(p, epsilon)
    _check_decay(decay)
    for what, value, names, most in (
        ("sampling", sampling, SAMPLING_SCHEDULES, 1.0),
        ("loss", loss, LOSS_SCHEDULES, math.inf),
    ):
        if isinstance(value, str):
            choose(f"{what} schedule", value, names)
        elif callable(value):
            for epoch in (*range(min(math.ceil(epochs), 10_000)), epochs):
                _in_range(what, _level_of(what, value, epoch, epochs), most, epoch)
        elif not _is_level(value, most):
            allowed = "in [0, 1]" if most == 1 else "of 0 or more"
            raise ValueError(
                f"{what} must be one of {', '.join(names)}, a number {allowed} or a function of "
                f"epoch and epochs, got {value!r}"
            )


def _level_of(what: str, function: Callable, epoch: float, epochs: float) -> float:
    """The level at an epoch, of what is a function of epoch and epochs and gives a number."""
    try:
        return float(function(epoch, epochs))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{what} must be a name, a number, or a function of epoch and epochs that gives a "
            f"number: at epoch {epoch!r} it raised {type(error).__name__}: {error}"
        ) from error


def _is_level(value: object, most: float) -> bool:
    return is_number(value) and 0 <= value <= most and value < math.inf  # type: ignore[operator]


def _check_self_learning(p: float, epsilon: float) -> None:
    number("p (self-learning point)", p, 0, 1)
    number("epsilon (self-learning ratio)", epsilon)


def _check_decay(decay: float) -> None:
    number("decay (lambda of Eq. 3)", decay, 0, 1, ends="()")
