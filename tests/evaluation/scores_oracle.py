"""Tuned thresholds by literal loops over plain Python floats, for `dcl tune` and the browser.

``python tests/evaluation/scores_oracle.py`` writes ``scores_vectors.json`` anew, which the tests of
both read. A table is a dict: ``labels`` name -> list of 0, 1, None; ``scores`` name -> list of
floats; ``split`` and ``group``, lists or None.
"""

import json
import math
import random
from pathlib import Path

VECTORS = Path(__file__).with_name("scores_vectors.json")
Z = 1.6448536269514722  # one-sided 95 %
METRICS = ("balanced_accuracy", "f1", "precision", "recall")
FEW = 20


def mulberry32(seed):
    """A function that gives the next of 2**32 numbers."""
    state = seed

    def following():
        nonlocal state
        state = (state + 0x6D2B79F5) % 2**32
        t = (state ^ state >> 15) * (state | 1) % 2**32
        t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
        return t ^ t >> 14

    return following


def below(following, n):
    return math.floor(following() / 4294967296 * n)


def numbered(groups):
    """Each row's group as a number, by first appearance; rows themselves without groups."""
    seen = {}
    return [seen.setdefault(group, len(seen)) for group in groups]


def cuts_of(scores, scale):
    d = sorted(set(scores), reverse=True)
    cuts = [d[0] + 1 if scale == "logit" else (d[0] + 1) / 2]
    for upper, lower in zip(d, d[1:], strict=False):
        middle = (upper + lower) / 2
        cuts.append(middle if lower <= middle < upper else lower)
    cuts.append(d[-1] - 1 if scale == "logit" else d[-1] / 2 or -1.0)
    return cuts


def wilson(share, trials):
    if trials == 0:
        return -math.inf
    root = math.sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    return (share + Z * Z / (2 * trials) - Z * root) / (1 + Z * Z / trials)


def fit(y, s, w, group, scale, prior=None, recall=None, precision=None):
    """Decision -> threshold of one label, from rows whose label is known or None."""
    rows = [i for i in range(len(y)) if y[i] is not None]
    positives = sum(w[i] for i in rows if y[i] == 1)
    negatives = sum(w[i] for i in rows if y[i] == 0)
    half = 0.5 if scale == "probability" else 0.0
    if prior is None and rows and positives + negatives:
        prior = positives / (positives + negatives)
    if prior is None or not 0 < prior < 1:
        moved = half
    else:
        moved = prior if scale == "probability" else math.log(prior / (1 - prior))
    found = {"0.5": half, "prior": moved, "tuned-mA": moved, "tuned-f1": moved}
    found |= {"recall": math.nan} if recall is not None else {}
    found |= {"precision": math.nan} if precision is not None else {}
    cuts = cuts_of([s[i] for i in rows], scale) if rows else []
    above = [[i for i in rows if s[i] > cut] for cut in cuts]
    hits = [sum(w[i] for i in some if y[i] == 1) for some in above]
    false = [sum(w[i] for i in some if y[i] == 0) for some in above]
    if positives and negatives:
        balanced = [
            (h / positives + 1 - f / negatives) / 2 for h, f in zip(hits, false, strict=True)
        ]
        f1 = [2 * h / (h + f + positives) for h, f in zip(hits, false, strict=True)]
        for name, values in (("tuned-mA", balanced), ("tuned-f1", f1)):
            best = max(values)
            tied = [k for k, value in enumerate(values) if value >= best - 1e-12]
            found[name] = cuts[min(tied, key=lambda k: (abs(cuts[k] - moved), k))]
    if recall is not None and positives:
        trials = sum({group[i]: w[i] for i in rows if y[i] == 1}.values())
        for k, h in reversed(list(enumerate(hits))):
            if wilson(h / positives, trials) >= recall:
                found["recall"] = cuts[k]
    if precision is not None:
        for k in range(1, len(cuts)):
            trials = sum({group[i]: w[i] for i in above[k]}.values())
            if trials and wilson(hits[k] / (hits[k] + false[k]), trials) >= precision:
                found["precision"] = cuts[k]
    return found


def count(y, s, w, threshold):
    """TP, FP, FN, TN of one label; None where there is no threshold."""
    if math.isnan(threshold):
        return None
    cells = [0, 0, 0, 0]
    for label, score, weight in zip(y, s, w, strict=True):
        if label is not None:
            cells[(0 if score > threshold else 2) + (label == 0) * (1)] += weight
    return cells


def metrics_of(cells):
    if cells is None or not cells[0] + cells[2] or not cells[1] + cells[3]:
        return dict.fromkeys(METRICS, math.nan)
    tp, fp, fn, tn = cells
    return {
        "balanced_accuracy": (tp / (tp + fn) + tn / (tn + fp)) / 2,
        "f1": 2 * tp / (2 * tp + fp + fn),
        "precision": tp / (tp + fp) if tp + fp else math.nan,
        "recall": tp / (tp + fn),
    }


def tune(table, *, seed=0, bootstrap=0, scale=None, prior=None, recall=None, precision=None):
    """All that section 11 of the contract expects of a table."""
    names = list(table["labels"])
    size = len(table["labels"][names[0]])
    values = [value for name in names for value in table["scores"][name]]
    scale = scale or ("probability" if all(0 <= x <= 1 for x in values) else "logit")
    split = table.get("split") or ["all"] * size
    two = set(split) == {"val", "test"}
    group = table.get("group") or list(range(size))
    following = mulberry32(seed)
    parts = {
        part: [i for i in range(size) if not two or split[i] == part]
        for part in (("val", "test") if two else ("all",))
    }
    groups = {part: numbered([group[i] for i in rows]) for part, rows in parts.items()}
    folds = None
    if not two:
        order = list(range(max(groups["all"]) + 1))
        for i in range(len(order) - 1, 0, -1):
            j = below(following, i + 1)
            order[i], order[j] = order[j], order[i]
        fold_of = {g: place % 5 for place, g in enumerate(order)}
        folds = [fold_of[g] for g in groups["all"]]
    draws = [{part: [1] * len(rows) for part, rows in parts.items()}]
    for _ in range(bootstrap):
        draw = {}
        for part in parts:
            times = [0] * (max(groups[part]) + 1)
            for _ in times:
                times[below(following, len(times))] += 1
            draw[part] = [times[g] for g in groups[part]]
        draws.append(draw)
    fitted = "val" if two else "all"
    scored = "test" if two else "all"
    how = {"scale": scale, "recall": recall, "precision": precision}
    decisions = ["0.5", "prior", "tuned-mA", "tuned-f1"]
    decisions += ["recall"] * (recall is not None) + ["precision"] * (precision is not None)
    thresholds, metrics = [], []  # of each draw: [name][decision]
    for draw in draws:
        thresholds.append({})
        metrics.append({})
        for name in names:
            own = (prior or {}).get(name)

            def column(part, rows=None, name=name, draw=draw):
                """y, s, w, group of one label on some rows of a part"""
                rows = range(len(parts[part])) if rows is None else rows
                return (
                    [table["labels"][name][parts[part][i]] for i in rows],
                    [table["scores"][name][parts[part][i]] for i in rows],
                    [draw[part][i] for i in rows],
                    [groups[part][i] for i in rows],
                )

            thresholds[-1][name] = fit(*column(fitted), prior=own, **how)
            cells = {}
            if two:
                y, s, w, _ = column("test")
                for decision in decisions:
                    cells[decision] = count(y, s, w, thresholds[-1][name][decision])
            else:
                sums = {decision: [0, 0, 0, 0] for decision in decisions}
                for fold in range(5):
                    others = [i for i, f in enumerate(folds) if f != fold]
                    inside = [i for i, f in enumerate(folds) if f == fold]
                    found = fit(*column("all", others), prior=own, **how)
                    y, s, w, _ = column("all", inside)
                    for decision in decisions:
                        part = count(y, s, w, found[decision])
                        if part is None or sums[decision] is None:
                            sums[decision] = None
                        else:
                            sums[decision] = [
                                a + b for a, b in zip(sums[decision], part, strict=True)
                            ]
                cells = sums
            metrics[-1][name] = {d: metrics_of(cells[d]) for d in decisions}

    def mean(values):
        values = [value for value in values if not math.isnan(value)]
        return sum(values) / len(values) if values else math.nan

    def with_interval(of):  # draw number -> value
        value = of(0)
        if math.isnan(value):
            return [math.nan] * 3
        return [value, *interval([of(r) for r in range(1, len(draws))])]

    means = [
        {d: {m: mean([row[n][d][m] for n in names]) for m in METRICS} for d in decisions}
        for row in metrics
    ]

    def gain(r, more, less):
        return means[r][more]["balanced_accuracy"] - means[r][less]["balanced_accuracy"]

    def rows_of(part, name):
        y = [table["labels"][name][i] for i in parts[part]]
        return y.count(1), y.count(0)

    return {
        "scale": scale,
        "prior": "given" if prior else "tuning rows",
        "fitted_on": fitted,
        "decisions": decisions,
        "labels": [
            {
                "name": name,
                "few": min(*rows_of(fitted, name), *rows_of(scored, name)) < FEW,
                "undefined": min(rows_of(scored, name)) == 0,
                "untuned": min(rows_of(fitted, name)) == 0,
                "thresholds": {d: thresholds[0][name][d] for d in decisions},
                "intervals": {
                    d: with_interval(lambda r, d=d, name=name: thresholds[r][name][d])[1:]
                    for d in decisions
                },
                "metrics": {
                    d: {
                        m: with_interval(lambda r, d=d, m=m, name=name: metrics[r][name][d][m])
                        for m in METRICS
                    }
                    for d in decisions
                },
            }
            for name in names
        ],
        "mean": {
            d: {m: with_interval(lambda r, d=d, m=m: means[r][d][m]) for m in METRICS}
            for d in decisions
        },
        "gain_prior": with_interval(lambda r: gain(r, "prior", "0.5")),
        "gain_tuned": with_interval(lambda r: gain(r, "tuned-mA", "prior")),
    }


def interval(values):
    values = sorted(value for value in values if not math.isnan(value))
    if not values:
        return [math.nan, math.nan]
    ends = []
    for q in (0.025, 0.975):
        place = q * (len(values) - 1)
        low = math.floor(place)
        high = min(low + 1, len(values) - 1)
        ends.append(values[low] + (values[high] - values[low]) * (place - low))
    return ends


# The vectors --------------------------------------------------------------------------------------


def drawn(seed, rows, rates, *, scale="probability", digits=3, unknown=0.0, groups=0, split=True):
    """A table with ties, unknown labels and groups."""
    source = random.Random(seed)
    table = {"labels": {}, "scores": {}}
    if groups:
        table["group"] = [f"g{source.randrange(groups)}" for _ in range(rows)]
    if split and groups:
        part = {g: source.choice(["val", "test"]) for g in sorted(set(table["group"]))}
        table["split"] = [part[g] for g in table["group"]]
    elif split:
        table["split"] = [source.choice(["val", "test"]) for _ in range(rows)]
    for name, rate in rates.items():
        y = [int(source.random() < rate) for _ in range(rows)]
        odds = [source.gauss(1.5 * label - 2.0, 1.2) for label in y]
        scores = odds if scale == "logit" else [1 / (1 + math.exp(-x)) for x in odds]
        table["scores"][name] = [round(score, digits) for score in scores]
        table["labels"][name] = [None if source.random() < unknown else label for label in y]
    return table


def as_csv(table):
    extra = [key for key in ("split", "group") if key in table]
    header = ["id", *extra, *(f"{k}_{n}" for n in table["labels"] for k in "ys")]
    lines = [",".join(header)]
    for i in range(len(next(iter(table["labels"].values())))):
        cells = [f"r{i}", *(table[key][i] for key in extra)]
        for name in table["labels"]:
            label = table["labels"][name][i]
            cells += ["" if label is None else str(label), repr(table["scores"][name][i])]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


CASES = {
    "two splits of probabilities": (
        drawn(1, 90, {"hat": 0.3, "bald": 0.08}),
        {"bootstrap": 20},
    ),
    "two splits of logits with unknown labels, ties and a prior": (
        drawn(2, 80, {"a": 0.5, "b": 0.2}, scale="logit", digits=1, unknown=0.1),
        {"bootstrap": 20, "seed": 3, "prior": {"a": 0.4, "b": 0.05}},
    ),
    "one split, cross-fitted": (
        drawn(3, 70, {"a": 0.35, "b": 0.15}, split=False),
        {"bootstrap": 15, "seed": 4294967295},
    ),
    "one split by group, with recall and precision": (
        drawn(4, 90, {"a": 0.45}, groups=40, split=False),
        {"bootstrap": 15, "recall": 0.6, "precision": 0.4},
    ),
    "two splits by group, with recall and precision": (
        drawn(5, 140, {"a": 0.5, "b": 0.25}, groups=70, digits=2),
        {"bootstrap": 15, "recall": 0.7, "precision": 0.5},
    ),
    "a label without positives, and a recall that is not reached": (
        drawn(6, 40, {"none": 0.0, "some": 0.4}, unknown=0.05),
        {"bootstrap": 10, "recall": 0.95},
    ),
    "all scores equal": (
        drawn(7, 30, {"flat": 0.4}, digits=0),
        {"bootstrap": 10, "scale": "logit"},
    ),
    "scores that are zero and one, no draws": (
        drawn(8, 40, {"sure": 0.4}, digits=0),
        {"bootstrap": 0},
    ),
}
REFUSED = [
    {"name": "a label of -1", "csv": "id,y_a,s_a\n1,0,0.5\n2,-1,0.5\n", "row": 3, "column": "y_a"},
    {"name": "a blank score", "csv": "id,y_a,s_a\n1,0,0.5\n2,1,\n", "row": 3, "column": "s_a"},
    {"name": "a word as a score", "csv": "id,y_a,s_a\n1,0,low\n", "row": 2, "column": "s_a"},
    {"name": "an infinite score", "csv": "id,y_a,s_a\n1,0,inf\n", "row": 2, "column": "s_a"},
    {"name": "a decimal comma", "csv": 'id,y_a,s_a\n1,0,"0,5"\n', "row": 2, "column": "s_a"},
    {"name": "labels without scores", "csv": "id,y_a,s_b\n1,0,0.5\n", "row": 1, "column": "y_a"},
    {"name": "a line for Excel", "csv": "sep=,\ny_a,s_a\n0,0.5\n", "row": 1, "column": None},
    {"name": "no labels", "csv": "id,a,b\n1,0,0.5\n", "row": 1, "column": None},
    {"name": "a short row", "csv": "id,y_a,s_a\n1,0,0.5\n2,1\n", "row": 3, "column": None},
    {
        "name": "an id that stands twice",
        "csv": "id,y_a,s_a\n1,0,0.5\n1,1,0.5\n",
        "row": 3,
        "column": "id",
    },
    {
        "name": "an unknown split",
        "csv": "id,split,y_a,s_a\n1,train,0,0.5\n",
        "row": 2,
        "column": "split",
    },
    {
        "name": "a group in val and in test",
        "csv": "id,split,group,y_a,s_a\n1,val,p,0,0.5\n2,test,p,1,0.5\n",
        "row": 3,
        "column": "group",
    },
    {
        "name": "a group spelt in two ways",
        "csv": "id,group,y_a,s_a\n1,P7,0,0.5\n2,p7,1,0.5\n",
        "row": 3,
        "column": "group",
    },
    {
        "name": "a group in two kinds of number, keys in capitals",
        "csv": "ID,Group,y_a,s_a\n1,7,0,0.5\n2,q,1,0.5\n3,7.0,1,0.5\n",
        "row": 4,
        "column": "group",
    },
    {
        "name": "a group that is no number",
        "csv": "id,group,y_a,s_a\n1,p,0,0.5\n2,NaN,1,0.5\n",
        "row": 3,
        "column": "group",
    },
    {
        "name": "a blank group",
        "csv": "id,group,y_a,s_a\n1,p,0,0.5\n2,,1,0.5\n",
        "row": 3,
        "column": "group",
    },
]


def vectors():
    following = mulberry32(7)
    return {
        "generator": {"seed": 7, "integers_below_10": [below(following, 10) for _ in range(20)]},
        "cases": [
            {
                "name": name,
                "csv": as_csv(table),
                "options": options,
                "expected": tune(table, **options),
            }
            for name, (table, options) in CASES.items()
        ],
        "refused": REFUSED,
    }


def as_json(value):
    """NaN becomes null."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(as_json(vectors()), indent=1) + "\n")
