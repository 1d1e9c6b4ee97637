"""What is said of several lengths follows the made-up runs, and the best length of each method."""

import json
import re

import pytest
from made import decided, record
from made_lengths import FLAT, GROWS, NONE, runs, with_epochs

from dcl_book import best_length, claims_table, length, length_answer
from dcl_book.evidence import PRIOR
from dcl_book.measures import ranking_on_validation, tuned_on_validation


def test_without_a_run_it_says_that_it_is_not_known():
    assert length_answer.answer(NONE).startswith(
        "Whether DCL's lead comes with training is not known yet"
    )
    assert length_answer.paragraph(NONE).endswith(
        "Not run yet: 8, 24, 75, 300 epochs: every method."
    )
    only = runs({8: (1.0, 5)}, methods=("dcl", "crl"))  # none of the two that decide
    assert "not known yet" in length_answer.answer(only)


def test_one_length_says_what_is_there_and_that_no_other_is_run():
    text = length_answer.at_the_longest(runs({8: (-1.0, 5)})).replace("\xa0", " ")
    assert text.startswith(
        "Trained for 8 epochs on test data and tested at the best of them on validation, DCL is "
        "ahead of plain cross entropy (+9."
    )
    assert (
        "points of mean class-balanced accuracy, mA, n = 5), but behind the same training" in text
    )
    assert "nothing (-1.00 ± 0.00, n = 5), and Selective Learning (-1.00 ± 0.00, n = 5);" in text
    assert text.endswith(
        "no other length is run yet, so whether a lead comes with training is not known."
    )
    assert text.count(". ") == 0  # one sentence
    assert "24, 75, 300 epochs: every method" in length_answer.paragraph(runs({8: (-1.0, 5)}))


def test_one_seed_decides_nothing():
    text = length_answer.answer(runs({8: (3.0, 1)})).replace("\xa0", " ")
    assert "DCL is not told apart from plain cross entropy (+13.00 points" in text
    assert "costs nothing (+3.00, n = 1), and Selective Learning (+3.00, n = 1)" in text
    text = length_answer.answer(runs({8: (3.0, 1), 24: (4.0, 1)}))
    assert "from 8 to 24 epochs the last two differences each change by what no two seeds" in text


def test_a_length_of_one_seed_waits_for_the_second():
    text = length_answer.at_the_longest(runs({8: (0.0, 5), 24: (0.0, 5), 75: (9.0, 1)}))
    assert text.startswith("Trained for 24 epochs")
    assert "300 epochs are not run yet" in text


def test_a_lead_that_grows_over_both_is_the_papers_reading():
    made = runs(GROWS)
    assert length.reading(made) == "paper"
    text = length_answer.at_the_longest(made)
    assert text.startswith("Trained for 300 epochs")
    assert "DCL is ahead of plain cross entropy (" in text
    assert "mA, n = 3), and ahead of the same training" in text.replace("\xa0", " ")
    assert text.endswith("from 8 to 300 epochs the last two differences each grow.")
    assert "paper's reading as the protocol wrote it" in length_answer.paragraph(made)


@pytest.mark.parametrize("over_prior", [0.0, -2.0])
def test_no_difference_at_any_length_is_the_sceptics(over_prior):
    made = runs(FLAT, over_prior=over_prior)
    assert length.reading(made) == "sceptic"
    stands = "level with" if over_prior == 0 else "behind"
    assert f"but {stands} the same training with its threshold moved" in length_answer.answer(made)
    assert ("level with Selective Learning" in length_answer.answer(made)) == (over_prior != 0)


def test_anything_else_is_neither():
    assert length.reading(runs(GROWS, over_prior=-1.0)) == "neither"  # over one of both alone
    assert length.reading(runs({8: (0.0, 5)})) == "neither"
    shrinks = {8: (3.0, 5), 24: (2.0, 5), 75: (1.0, 5)}
    assert length.reading(runs(shrinks)) == "neither"
    text = length_answer.answer(runs(shrinks))
    assert "the last two differences each fall, and 300 epochs are not run yet." in text
    mixed = length_answer.answer(runs(GROWS, over_prior=-1.0))
    assert "but behind the same training with its threshold moved" in mixed
    assert "and ahead of Selective Learning (" in mixed
    assert "moved threshold changes no more than by chance, that to Selective Learning grows" in (
        mixed
    )


def test_the_paragraph_gives_every_measure_that_records_have():
    text = length_answer.paragraph(runs(GROWS))
    for words in length.MEASURES:
        assert f" in {words}" in text
    assert "Not run yet" in text or all(
        length.counts(runs(GROWS)).loc[name, epochs] >= seeds
        for name in length.METHODS
        for epochs, seeds in length.PLAN.items()
    )


def test_in_a_word_it_says_where_dcl_is_ahead_of_the_moved_threshold():
    start = "Of the lengths tried (8, 24, 75 and 300 epochs), "
    for leads, where in (
        (FLAT, "none"),
        (GROWS, "75 and 300 alone"),
        (dict.fromkeys(GROWS, (2.0, 3)), "all"),
        (GROWS | {75: (0.0, 5)}, "300 alone"),
    ):
        text = f"{start}DCL is ahead of cross entropy with a moved threshold at {where}."
        assert length_answer.in_a_word(runs(leads)) == text
    assert length_answer.in_a_word(runs({8: (2.0, 5)})) == ""
    assert length_answer.in_a_word(NONE) == ""


def test_what_is_not_run_yet_is_counted_method_by_method():
    made = runs({8: (1.0, 5), 24: (1.0, 3)}, methods=length.METHODS[:5] + ("dcl",))
    made = made[~((made["method"] == "crl") & (made["seed"] == 4))]
    assert length.counts(made).loc["crl", [8, 24, 75, 300]].tolist() == [4, 3, 0, 0]
    text = length_answer.not_run(made)
    assert "8 epochs: crl (4 of 5 seeds);" in text
    assert "24 epochs: every method (3 of 5 seeds);" in text
    assert "75, 300 epochs: every method" in text
    assert length_answer.not_run(runs({L: (1.0, seeds) for L, seeds in length.PLAN.items()})) == ""


def test_the_headline_is_the_calls_of_the_longest_training():
    assert length_answer.headline(NONE) == "nothing to compare yet"
    both = "after 300 epochs DCL is ahead of the moved threshold and Selective Learning"
    assert length_answer.headline(runs(GROWS)) == both
    assert length_answer.headline(runs(GROWS, over_prior=-1.0)) == (
        "after 300 epochs DCL is behind the moved threshold and ahead of Selective Learning"
    )


def test_no_text_has_a_number_that_is_none():
    for made in (NONE, runs({8: (1.0, 1)}), runs(GROWS), runs(FLAT)):
        assert not re.search(r"\bnan\b|inf\b", length_answer.paragraph(made))


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
    best = best_length.best_lengths(made)
    assert best["dcl"] == 24  # and 300 has two seeds
    assert best["cross-entropy"] == 75
    assert best["crl"] == 8
    chosen = best_length.at_best_lengths(made)
    assert chosen.groupby("method")["epochs"].unique().map(list).to_dict() == {
        name: [epochs] for name, epochs in best.items()
    }
    assert len(chosen) == 5 * len(best) == 5 * (len(length.METHODS) + 1)
    assert best_length.epochs_of(chosen) == "8, 24 and 75 epochs"
    assert best_length.in_words(chosen, "dcl", "cross-entropy", PRIOR) == (
        "8 epochs: moved threshold; 24 epochs: dcl; 75 epochs: cross-entropy"
    )


def test_lengths_that_share_too_few_seeds_are_not_compared():
    made = runs({8: (1.0, 5), 24: (1.0, 5)})
    early = made["epochs"].eq(8) & made["seed"].gt(2)
    late = made["epochs"].eq(24) & made["seed"].lt(2)
    assert best_length.best_lengths(made[~(early | late)]) == {}  # seed 2 is all they share


def test_a_length_is_chosen_on_the_seeds_that_all_have():
    made = at(runs({8: (0.0, 5), 24: (0.0, 3)}), dcl={8: 80.0, 24: 79.99})
    low = made["seed"].lt(3) & made["epochs"].eq(8) & made["method"].eq("dcl")
    for one in made.loc[low, "record"]:
        one["selection"]["best_val_mA"] = 70.0  # seeds 3 and 4 hold 8 epochs up
    assert best_length.best_lengths(made)["dcl"] == 24


def test_the_best_lengths_are_compared_with_the_moved_threshold_too():
    made = at(
        runs({8: (1.0, 5), 24: (2.0, 5)}), dcl={24: 90.0}, cross_entropy={8: 90.0}, prior={24: 90.0}
    )
    table = best_length.compared(made)
    assert table.loc["dcl", "epochs"] == 24
    assert table.loc["cross-entropy", "epochs"] == 8
    assert table.loc["cross-entropy, prior", "epochs"] == 24  # by a validation of its own
    assert table.loc["cross-entropy, prior", "DCL minus it"].startswith("+2.00")
    assert table.loc["dcl", "DCL minus it"] == ""
    assert best_length.compared(NONE).empty


def test_what_holds_at_the_best_length_of_each_is_said():
    made = at(
        runs({8: (1.0, 5), 24: (-2.0, 5)}), dcl={24: 90.0}, cross_entropy={8: 90.0}, prior={8: 90.0}
    )
    text = length_answer.at_the_best(made).replace("\xa0", " ")
    assert "DCL (24 epochs) is ahead of plain cross entropy (8 epochs: +8.00 ± " in text
    assert "but behind the moved threshold (8 epochs: -2.00 ± 0.00)" in text
    assert "and behind" not in text  # said once for both
    assert "Selective Learning (8 epochs: -2.00" in text
    assert text.endswith("; n = 5).")  # said once for all
    assert length_answer.at_the_best(NONE) == ""
    assert text in length_answer.answer(made).replace("\xa0", " ")


def test_a_training_that_is_too_long_is_told_with_the_level_of_the_curriculum():
    made = runs({24: (1.0, 3)})  # made to be lowest at half of the training
    text = length_answer.too_long(made).replace("\xa0", " ")
    assert text.startswith("By then cross entropy has learned the 10 images by heart:")
    assert text.endswith("lowest after 12 epochs, when DCL's curriculum stands at g = 0.50.")
    for one in made["record"]:
        one["history"][-1]["classification"] = 1.0
    assert length_answer.too_long(made).startswith("By then cross entropy overfits: its")
    for one in made["record"]:
        one["history"] = one["history"][:13]  # ends near its lowest
    assert length_answer.too_long(made) == ""
    assert length_answer.too_long(NONE) == ""


def ends(*rows, epochs):
    """Three seeds of each (method, mA of the last epoch at its own decision)."""
    made = []
    for seed in range(3):
        for method, reached in rows:
            test = {"argmax": {"mA": reached + seed}, "prior": {"mA": 80.0 + seed}}
            one = record(method, seed, 80.0, epochs=epochs) | {"last": {"epoch": 0, "test": test}}
            made.append(decided(one, prior=79.0) if method == "cross-entropy" else one)
    return made


def test_the_last_epoch_is_told_where_it_is_kept_and_where_it_favours_dcl():
    short = ends(("dcl", 80.0), ("selective-learning", 78.0), ("cross-entropy", 70.0), epochs=8)
    long = ends(("dcl", 80.0), ("selective-learning", 80.0), ("cross-entropy", 70.0), epochs=24)
    text = length_answer.at_the_end(with_epochs(*short, *long)).replace("\xa0", " ")
    assert text == (
        "At the last epoch in place of the best one DCL is ahead of the moved threshold at none of "
        "these lengths and ahead of Selective Learning at 8 (+2.00 ± 0.00, n = 3); at 24 the "
        "differences are +0.00 ± 0.00 and +0.00 ± 0.00 (n = 3)."
    )
    assert length_answer.at_the_end(runs(GROWS)) == ""  # not kept at the prior
    assert length_answer.at_the_end(NONE) == ""


def test_the_best_length_is_that_of_the_measure_asked_for(tmp_path):
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
    lengths = best_length.best_lengths(length.collect(folder), ranking_on_validation)
    assert lengths == {"dcl": 24, "cross-entropy": 8}
    assert best_length.best_lengths(length.collect(folder)) == {"dcl": 8, "cross-entropy": 24}
    reached = tuned_on_validation("tuned-f1")  # which no record has
    assert best_length.best_lengths(length.collect(folder), reached) == {}
    text = claims_table.in_short(tmp_path).replace("\xa0", " ")
    assert "(for mA 8 epochs: dcl; 24 epochs: cross-entropy)" in text
    assert "+0.00 ± 0.00 in mA, +2.00 ± 0.00 in AUC" in text
    assert "F1" not in text
    assert claims_table.in_short(tmp_path / "nothing").startswith("No run of DCL")


def test_conclusions_on_faces_stand_on_the_best_length_with_enough_seeds(tmp_path):
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
    assert best_length.conclusions(tmp_path)["mA"].tolist() == [70.0]
    saved(length.FOLDER, *some(8, 3, 80.0), *some(24, 2, 90.0))
    found = best_length.conclusions(tmp_path)
    assert set(found["epochs"]) == {8}
    assert len(found) == 6
    saved(length.FOLDER, *some(24, 3, 90.0))
    found = best_length.conclusions(tmp_path)
    assert set(found["epochs"]) == {24}
    assert best_length.epochs_of(found) == "24 epochs"
