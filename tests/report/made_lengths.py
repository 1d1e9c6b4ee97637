"""Made-up runs of several lengths, whole or in part."""

from made import decided, frame, record

from dcl_book import length

NOISE = (-0.2, -0.1, 0.0, 0.1, 0.2)


def runs(leads, methods=length.TRAINED, *, over_prior=None, drift=0.02):
    """Runs of every method: `leads` is length -> (DCL's lead over Selective Learning, seeds)."""
    made = []
    for epochs, (lead, seeds) in leads.items():
        moved = lead if over_prior is None else over_prior
        for seed in range(seeds):
            base = 80.0 + NOISE[seed]
            for method in methods:
                # the lead differs a little from seed to seed
                mean = base + (lead + drift * NOISE[seed] if method == "dcl" else 0)
                one = record(method, seed, mean, epochs=epochs)
                if method == "cross-entropy":
                    one = record(method, seed, base - 10, epochs=epochs)
                    one = decided(one, prior=base + lead - moved, tuned=base, f1=62.0)
                elif method == "dcl":
                    one = decided(one, tuned=mean + 1, f1=60.0)
                made.append(whole(one))
    return with_epochs(*made)


def whole(made, low=0.5):
    """With a validation loss that is lowest at a share of the training, and with a last epoch."""
    epochs = made["config"]["epochs"]
    best = max(1, round(low * epochs))
    made["history"] = [
        {
            "epoch": n,
            "classification": 10 / (n + 1),
            "val_loss": 5 + (n + 1 - best) ** 2,
            "val_mA": 80 - abs(n + 2 - best),
            "g": 1 - (n + 1) / epochs,
        }
        for n in range(epochs)
    ]
    made["selection"] = {"best_epoch": best, "best_val_mA": 80.0}
    end = {key: made["test"][key] - 1 for key in ("mA", "f1", "auc", "average_precision")}
    return made | {"last": {"epoch": epochs - 1, "test": {"argmax": end}}}


def with_epochs(*made):
    return frame(*made).assign(epochs=[one["config"]["epochs"] for one in made])


NONE = with_epochs().astype({"epochs": int})
GROWS = {8: (-1.0, 5), 24: (0.0, 5), 75: (1.0, 5), 300: (2.0, 3)}
FLAT = {8: (0.1, 5), 24: (0.0, 5), 75: (-0.1, 5), 300: (0.1, 3)}
