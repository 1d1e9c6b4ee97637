"""The length that suits each method is chosen on validation, and conclusions rest on it."""

import json

from made import record
from made_lengths import NONE, runs

from dcl_book import chosen_length, length
from dcl_book.evidence import PRIOR
from dcl_book.measures import ranking_on_validation, tuned_on_validation


def at(made, **reached):
    """The runs with a mA on validation of each method at each length: method -> {epochs: mA}."""
    for row in made.itertuples():
        value = reached.get(row.method.replace("-", "_"), {}).get(row.epochs, 70.0)
        row.record["selection"]["best_val_mA"] = value + 0.1 * (row.seed - 2)
        if prior := row.record.get("decisions", {}).get("prior"):
            value = reached.get("prior", {}).get(row.epochs, 70.0)
            prior["selection"] = {"best_epoch": 0, "best_val": value + 0.1 * (row.seed - 2)}
    return made


def test_a_method_has_the_shortest_length_that_validation_does_not_tell_from_the_best():
    made = at(
        runs({8: (1.0, 5), 24: (1.0, 5), 75: (1.0, 5), 300: (9.0, 2)}),
        dcl={8: 80.0, 24: 81.0, 75: 81.05, 300: 99.0},  # 75 within a standard error of 0.07
        cross_entropy={8: 70.0, 24: 72.0, 75: 75.0},
        crl={8: 75.0, 24: 74.0, 75: 74.0},
    )
    best = chosen_length.chosen_lengths(made)
    assert best["dcl"] == 24  # and 300 has two seeds
    assert best["cross-entropy"] == 75
    assert best["crl"] == 8
    chosen = chosen_length.at_chosen_lengths(made)
    assert chosen.groupby("method")["epochs"].unique().map(list).to_dict() == {
        name: [epochs] for name, epochs in best.items()
    }
    assert len(chosen) == 5 * len(best) == 5 * (len(length.TRAINED) + 1)
    assert chosen_length.epochs_of(chosen) == "8, 24 and 75 epochs"
    assert chosen_length.in_words(chosen, "dcl", "cross-entropy", PRIOR) == (
        "8 epochs: moved threshold; 24 epochs: DCL; 75 epochs: cross entropy"
    )


def test_lengths_that_share_too_few_seeds_are_not_compared():
    made = runs({8: (1.0, 5), 24: (1.0, 5)})
    early = made["epochs"].eq(8) & made["seed"].gt(2)
    late = made["epochs"].eq(24) & made["seed"].lt(2)
    assert chosen_length.chosen_lengths(made[~(early | late)]) == {}  # seed 2 is all they share


def test_a_length_is_chosen_on_the_seeds_that_all_have():
    made = at(runs({8: (0.0, 5), 24: (0.0, 3)}), dcl={8: 80.0, 24: 79.99})
    low = made["seed"].lt(3) & made["epochs"].eq(8) & made["method"].eq("dcl")
    for one in made.loc[low, "record"]:
        one["selection"]["best_val_mA"] = 70.0  # seeds 3 and 4 hold 8 epochs up
    assert chosen_length.chosen_lengths(made)["dcl"] == 24


def test_the_chosen_lengths_are_compared_with_the_moved_threshold_too():
    made = at(
        runs({8: (1.0, 5), 24: (2.0, 5)}), dcl={24: 90.0}, cross_entropy={8: 90.0}, prior={24: 90.0}
    )
    table = chosen_length.length_table(made)
    assert table.loc["dcl", "epochs"] == 24
    assert table.loc["cross-entropy", "epochs"] == 8
    assert table.loc["cross-entropy, prior", "epochs"] == 24  # by a validation of its own
    assert table.loc["cross-entropy, prior", "DCL minus it"].startswith("+2.00")
    assert table.loc["dcl", "DCL minus it"] == ""
    assert chosen_length.length_table(NONE).empty


def test_the_chosen_length_is_that_of_the_measure_asked_for(tmp_path):
    def made(method, epochs, seed, balanced, ranking):
        one = record(method, seed, 80.0, epochs=epochs, results=f"r/{method}{epochs}{seed}.json")
        one["test"]["auc"] = ranking
        one["selection"] = {"best_epoch": 1, "best_val_mA": balanced}
        one["history"][1]["val_average_precision"] = ranking
        return one

    folder = tmp_path / length.FOLDER
    folder.mkdir()
    for seed in range(3):
        for one in (
            made("dcl", 8, seed, 80.0, 90.0),  # for mA
            made("dcl", 24, seed, 79.0, 93.0),  # for a ranking
            made("cross-entropy", 8, seed, 70.0, 91.0),
            made("cross-entropy", 24, seed, 71.0, 89.0),
        ):
            (folder / one["config"]["results"].rpartition("/")[2]).write_text(json.dumps(one))
    lengths = chosen_length.chosen_lengths(length.collect(folder), ranking_on_validation)
    assert lengths == {"dcl": 24, "cross-entropy": 8}
    assert chosen_length.chosen_lengths(length.collect(folder)) == {"dcl": 8, "cross-entropy": 24}
    reached = tuned_on_validation("tuned-f1")  # which no record has
    assert chosen_length.chosen_lengths(length.collect(folder), reached) == {}


def test_conclusions_on_faces_stand_on_the_chosen_length_with_enough_seeds(tmp_path):
    def saved(folder, *made):
        for one in made:
            path = tmp_path / folder / one["config"]["results"].rpartition("/")[2]
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(one))

    def some(epochs, seeds, reached):
        made = [record(name, s, 80.0, epochs=epochs, results=f"r/{name}-{epochs}-{s}.json")
                for name in ("dcl", "crl") for s in range(seeds)]  # fmt: skip
        return [one | {"selection": {"best_epoch": 0, "best_val_mA": reached}} for one in made]

    saved("celeba-30k", record("dcl", 0, 70.0, results="r/a.json"))
    assert chosen_length.conclusions(tmp_path)["mA"].tolist() == [70.0]
    saved(length.FOLDER, *some(8, 3, 80.0), *some(24, 2, 90.0))
    found = chosen_length.conclusions(tmp_path)
    assert set(found["epochs"]) == {8}
    assert len(found) == 6
    saved(length.FOLDER, *some(24, 3, 90.0))
    found = chosen_length.conclusions(tmp_path)
    assert set(found["epochs"]) == {24}
    assert chosen_length.epochs_of(found) == "24 epochs"
