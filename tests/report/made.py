"""Run records made by hand, of the newest schema, for tests of what reads them."""

from pathlib import Path

import pandas as pd

from dcl_book import published

LEVELS = published.table(2)["imbalance_level"]
ATTRIBUTES = list(LEVELS.index)
CELEBA = {"train": 162_770, "val": 19_867, "test": 19_962}


def metrics(mean, *, slope=0.0, f1=60.0, auc=90.0):
    """Test metrics whose mA rises by `slope` for each percent of imbalance level."""
    values = mean + slope * LEVELS
    return {
        "mA": values.mean(),
        "accuracy": 90.0,
        "f1": f1,
        "auc": auc,
        "average_precision": auc - 25,
        "per_attribute": {
            name: {"mA": values[name], "imbalance_level": float(LEVELS[name])}
            for name in ATTRIBUTES
        },
    }


def record(method, seed, mean, *, slope=0.0, epochs=8, data="celeba", found=None, **config):
    """A record at one decision only; `decided` gives it others."""
    found = {"train": 10} if found is None else found
    return {
        "schema": 2,
        "experiment": "celeba",
        "method": method,
        "seed": seed,
        "decision": "argmax",
        "config": {"epochs": epochs, "sampling": "convex", "anchors": "easy", **config},
        "dataset": {"name": data, "title": "test data", "found": found, "expected": CELEBA},
        "test": metrics(mean, slope=slope),
        "history": [{"epoch": n, "g": 1 - n / epochs, "f": 0.1} for n in range(epochs)],
        "final_g": 0.0,
        "timing": {"training_seconds": 3600.0, "ms_per_step": 100.0},
        "environment": {"device": "cpu (made up)"},
    }


def decided(made, *, prior=None, tuned=None, f1=None):
    """Give a record other decisions: mA at the prior, mA at tuned-mA, F1 at tuned-f1."""
    others = {}
    if prior is not None:
        others["prior"] = {"test": metrics(prior)}
    if tuned is not None:
        others["tuned-mA"] = {"test": metrics(tuned)}
    if f1 is not None:
        others["tuned-f1"] = {"test": metrics(70.0, f1=f1)}
    return made | {"decisions": others}


def frame(*records):
    """As `collect` returns them."""
    return pd.DataFrame(
        {
            "experiment": [r["experiment"] for r in records],
            "method": [r["method"] for r in records],
            "seed": [r["seed"] for r in records],
            "dataset": [r["dataset"]["name"] for r in records],
            "title": [r["dataset"]["title"] for r in records],
            "mA": [r["test"]["mA"] for r in records],
            "path": [Path(f"{r['method']}-seed{r['seed']}.json") for r in records],
            "record": records,
        }
    )


def three_seeds(gain=8.0, **options):
    """Cross entropy, and DCL ahead of it by `gain` and by a tenth more with each seed."""
    runs = []
    for seed, noise in enumerate((-0.5, 0.0, 0.5)):
        runs.append(record("cross-entropy", seed, 70 + noise, **options))
        runs.append(record("dcl", seed, 70 + noise + gain + 0.1 * seed, **options))
    return frame(*runs)
