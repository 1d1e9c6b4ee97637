"""The file of thresholds: what it holds, how it is read, and how it decides.

Its form is in thresholds.schema.json, beside this module. `dcl.evaluation.thresholds` fits what is
in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checks import SURELY, choose, flag, number, plain_array, stacked, whole
from .cuts import ALL
from .frames import check_frames

SCHEMA = "dcl-thresholds-1"
SCALES = ("probability", "logit")
RULE = "score > threshold"
CHOICES = {
    "scale": SCALES,
    "rule": (RULE,),
    "prior": ("given", "tuning rows"),
    "fitted_on": ("val", "all"),
}

NUMPY = """\
import json, numpy as np
found = json.load(open("thresholds.json"))
limits = [label["thresholds"]["tuned-mA"] for label in found["labels"]]
# scores (N, A): a column for each of found["labels"], in double precision
decided = np.asarray(scores, dtype=np.float64) > np.array(limits)
"""
TORCH = """\
import json, torch
found = json.load(open("thresholds.json"))
limits = [label["thresholds"]["tuned-mA"] for label in found["labels"]]
# scores (N, A): a column for each of found["labels"], in double precision
decided = scores.double() > torch.tensor(limits, dtype=torch.float64)
"""


class ThresholdsError(ValueError):
    """A thresholds file that cannot be read, or does not fit the scores."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Thresholds:
    """A threshold for each of A labels and D decisions, see `dcl.evaluation.thresholds`.

    Attributes
    ----------
    names : tuple of str
        The A labels.
    decisions : tuple of str
        The D decisions: ``0.5``, ``prior``, ``tuned-mA``, ``tuned-f1``, and ``recall`` and
        ``precision`` where asked for.
    values : Tensor (A, D)
        A row is positive above; NaN where a recall or precision is not reached.
    scale : str
        Of the scores: ``probability`` or ``logit``.
    prior : Tensor (A,)
        Rate of positives; NaN where it is not known.
    prior_given : bool
        Whether `prior` was given; else it is that of the rows fitted on.
    fitted_on : str
        ``val`` or ``all``.
    rows : int
        Rows fitted on.
    counts : Tensor (A, 2)
        Known positives and negatives among them.
    few : Tensor (A,), bool
        Fewer than 20 of the rarer class, here or among the rows scored.
    targets : mapping of str to float
        The recall and the precision asked for.
    intervals : Tensor (A, D, 2), optional
        2.5 and 97.5 percentiles over bootstrap samples, of `values`.
    """

    names: tuple[str, ...]
    decisions: tuple[str, ...]
    values: Tensor
    scale: str
    prior: Tensor
    prior_given: bool
    fitted_on: str
    rows: int
    counts: Tensor
    few: Tensor
    targets: Mapping[str, float] = field(default_factory=dict)
    intervals: Tensor | None = None

    def of(self, decision: str) -> Tensor:
        """The thresholds (A,) of one decision.

        Raises
        ------
        ThresholdsError
            For a decision that is not there, and a label that has none.
        """
        if decision not in self.decisions:
            raise ThresholdsError(
                f"unknown decision {decision!r}: choose one of {', '.join(self.decisions)}"
            )
        values = self.values[:, self.decisions.index(decision)]
        missing = [self.names[a] for a in values.isnan().nonzero()[:, 0].tolist()]
        if missing:
            wanted = f" {self.targets[decision]:g}" if decision in self.targets else ""
            raise ThresholdsError(
                f"no threshold reaches {decision}{wanted} for {_listed(missing)}: take another "
                f"decision, or lower the target"
            )
        return values

    def offsets(self, decision: str = "tuned-mA", *, names: Sequence[str] | None = None) -> Tensor:
        """Offsets (A, 2) for `dcl.decide` on a network's logits, which give the same decisions.

        Parameters
        ----------
        decision : str
        names : sequence of str, optional
            The network's attributes, in its order; without it that of the labels.

        Raises
        ------
        ThresholdsError
            As `of`, and for attributes that are not the labels, or one of them twice.
        """
        values = self.of(decision)
        if self.scale == "probability":
            values = values.clamp(0, 1).logit()  # at 0 and 1 all and none
        if names is not None:
            twice = next((name for name in names if list(names).count(name) > 1), None)
            if twice is not None:
                raise ThresholdsError(
                    f"names must be the network's attributes, each once, got {twice!r} twice"
                )
            different = set(names) ^ set(self.names)
            if different:
                raise ThresholdsError(
                    f"the thresholds are for {_listed(self.names)}, the network's attributes are "
                    f"{_listed(names)}: {_listed(sorted(different))} stands in one of them alone"
                )
            values = values[[self.names.index(name) for name in names]]
        return torch.stack([torch.zeros_like(values), -values], 1)

    def as_json(self) -> dict[str, Any]:
        """What the file holds; its form is in thresholds.schema.json, beside this module."""
        return {
            "schema": SCHEMA,
            "scale": self.scale,
            "rule": RULE,
            "prior": "given" if self.prior_given else "tuning rows",
            "fitted_on": self.fitted_on,
            "rows": self.rows,
            "targets": dict(self.targets),
            "decisions": list(self.decisions),
            "labels": [
                {
                    "name": name,
                    "prior": _or_none(self.prior[a].item()),
                    "positives": int(self.counts[a, 0]),
                    "negatives": int(self.counts[a, 1]),
                    "few": bool(self.few[a]),
                    "thresholds": dict(
                        zip(self.decisions, map(_or_none, self.values[a].tolist()), strict=True)
                    ),
                    "intervals": {}
                    if self.intervals is None
                    else {
                        decision: ends
                        for decision, ends in zip(
                            self.decisions, self.intervals[a].tolist(), strict=True
                        )
                        if ends[0] == ends[0]
                    },
                }
                for a, name in enumerate(self.names)
            ],
        }

    def as_text(self) -> str:
        """The file as JSON."""
        return json.dumps(self.as_json(), indent=1) + "\n"

    def write(self, path: str | Path) -> None:
        """Write the JSON file that `read` reads.

        Raises
        ------
        ThresholdsError
            Where it cannot be written, as in a folder that does not exist.
        """
        try:
            Path(path).write_text(self.as_text(), encoding="utf-8")
        except OSError as error:
            raise ThresholdsError(f"{path}: cannot be written ({error.strerror})") from None


def apply(found: Thresholds, scores: Any, *, decision: str = "tuned-mA") -> Tensor:
    """Decide scores (N, A), of the labels in the order of the thresholds: 0 and 1, (N, A) int64.

    Scores (N,) are of one label.

    Raises
    ------
    ThresholdsError
        For another number of labels, scores that are NaN or on another scale, an unknown decision,
        and a label that has no threshold for it.
    """
    if not isinstance(found, Thresholds):
        hint = ": give its .thresholds" if hasattr(found, "thresholds") else ""
        raise ThresholdsError(f"found must be Thresholds, got a {type(found).__name__}{hint}")
    check_frames(found.names, scores=scores)
    scores = doubles(scores)
    scores = scores[:, None] if scores.ndim == 1 and len(found.names) == 1 else scores
    if scores.ndim != 2 or scores.shape[1] != len(found.names):
        raise ThresholdsError(
            f"scores must be (samples, {len(found.names)}), one column for each of "
            f"{_listed(found.names)}, got shape {tuple(scores.shape)}"
        )
    inside = (scores >= 0) & (scores <= 1)
    wrong = ~inside if found.scale == "probability" else scores.isnan()
    if wrong.any():
        row, a = wrong.nonzero()[0].tolist()
        raise ThresholdsError(
            f"row {row}, {found.names[a]}: the thresholds are for scores that are "
            f"{'probabilities' if found.scale == 'probability' else 'logits'}, "
            f"got {scores[row, a].item():g}"
        )
    if found.scale == "logit" and len(scores) >= SURELY and inside.all():
        raise ThresholdsError(
            f"the thresholds are for logits, and all {len(scores)} rows of scores lie in [0, 1]: "
            f"if they are probabilities, give torch.logit of them"
        )
    return (scores > found.of(decision)).long()


def read(path: str | Path) -> Thresholds:
    """The thresholds of a file.

    Raises
    ------
    ThresholdsError
        For a file that is missing, no JSON, or of another form.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ThresholdsError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ThresholdsError(f"{path}: is no JSON ({error})") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ThresholdsError(
            f"{path}: is no thresholds file, its schema must be {SCHEMA!r}: python -m dcl tune "
            "writes one"
        )
    try:
        for key, allowed in CHOICES.items():
            choose(key, data[key], allowed)
        labels = list(data["labels"])
        names, decisions = _different("name", labels), tuple(data["decisions"])
        _different("decision", [{"decision": x} for x in decisions])
        for name, target in dict(data["targets"]).items():
            number(f"the target of {name}", target, 0, inf if name == "cost" else 1, ends="()")
        values = [
            _column([f"threshold {d} of {name}" for name in names],
                    [x["thresholds"][d] for x in labels]) for d in decisions
        ]  # fmt: skip
        if data["scale"] == "probability":
            _check_probabilities(names, decisions, values)
        return Thresholds(
            names=names,
            decisions=decisions,
            values=torch.stack(values, 1),
            scale=data["scale"],
            prior=_column([f"prior of {name}" for name in names], [x["prior"] for x in labels]),
            prior_given=data["prior"] == "given",
            fitted_on=data["fitted_on"],
            rows=whole("rows", data["rows"], 1),
            counts=torch.tensor(
                [[whole(key, x[key]) for key in ("positives", "negatives")] for x in labels]
            ),
            few=torch.tensor([flag("few", x["few"]) for x in labels]),
            targets=data["targets"],
            intervals=_intervals(labels, decisions),
        )
    except (
        AttributeError, KeyError, TypeError, ValueError, RuntimeError, OverflowError
    ) as error:  # fmt: skip
        raise ThresholdsError(
            f"{path}: is no valid thresholds file ({type(error).__name__}: {error}), see "
            "thresholds.schema.json"
        ) from None


def _different(key: str, items: list[dict]) -> tuple[str, ...]:
    """What these have under a key: texts, one or more, each but once."""
    values = [item[key] for item in items]
    if not values:
        raise ValueError(f"there is no {key}")
    for value in values:
        if not isinstance(value, str) or values.count(value) > 1:
            raise ValueError(f"each {key} must be a text of its own, got {value!r}")
    return tuple(values)


def _column(whats: list[str], values: list) -> Tensor:
    """Finite numbers (A,); null is NaN."""
    numbers = [
        torch.nan if value is None else number(what, value, -inf)
        for what, value in zip(whats, values, strict=True)
    ]
    return torch.tensor(numbers, dtype=torch.float64)


def _check_probabilities(
    names: Sequence[str], decisions: Sequence[str], values: Sequence[Tensor]
) -> None:
    """Refuse thresholds (A,) of decisions that probabilities cannot have: they decide all alike."""
    for decision, column in zip(decisions, values, strict=True):
        for name, value in zip(names, column.tolist(), strict=True):
            if value < 0 and value != ALL or value > 1:
                raise ValueError(
                    f"threshold {decision} of {name} must lie in [0, 1], or be {ALL:g} where each "
                    f"row is positive, got {value:g}: the scale is probability"
                )


def doubles(values: Any, what: str = "scores") -> Tensor:
    """Float64 of a tensor, an array, a frame, or nested lists, whose floats keep their digits."""
    if isinstance(values, Tensor):
        if values.is_complex():
            raise ThresholdsError(f"{what} must be real numbers, got dtype {values.dtype}")
        return values.detach().cpu().double()
    try:
        if hasattr(values, "to_numpy"):
            values = values.to_numpy().astype("float64")
        values = plain_array(what, stacked(values))
        return torch.as_tensor(values, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ThresholdsError(
            f"{what} must be real numbers in a tensor, an array, a data frame or lists of one "
            f"length: {error}"
        ) from None


def _intervals(labels: list[dict], decisions: tuple[str, ...]) -> Tensor | None:
    if not any(x["intervals"] for x in labels):
        return None
    nothing = [torch.nan, torch.nan]
    rows = [[x["intervals"].get(d, nothing) for d in decisions] for x in labels]
    return torch.tensor(rows, dtype=torch.float64)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _or_none(value: float) -> float | None:
    return None if value != value else value
