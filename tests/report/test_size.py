"""The page on the number of training images: differences, lines, and what they are called."""

import json

import numpy as np
import pandas as pd
import pytest
from made import decided, record

from dcl_book import figures, length, size
from dcl_book.finding import Finding

ALL = 24_152


def points(slope, bend=0.0, seeds=5, parts=(*size.PARTS, ALL), epochs=24, noise=0.1):
    """Differences on a line in log2 of the images, with a bend at all images and noise by seed."""
    rows = []
    for seed in range(seeds):
        for part in parts:
            images = part - (seed if part != ALL else 0)  # whole persons: a few images fewer
            value = -5 + slope * np.log2(images) + noise * seed + (bend if part == ALL else 0)
            rows.append((epochs, part, seed, images, value))
    return pd.DataFrame(rows, columns=["epochs", "part", "seed", "images", "points"])


def test_a_straight_line_is_recovered_and_continued():
    found = points(0.7)
    assert size.slopes(found).mean == pytest.approx(0.7)
    assert size.slopes(found).half == pytest.approx(0, abs=1e-9)
    assert size.slopes(found).n == 5
    expected = Finding.of([-5 + 0.7 * np.log2(size.PAPER) + 0.1 * seed for seed in range(5)])
    assert size.continued(found).mean == pytest.approx(expected.mean)
    assert size.continued(found).half == pytest.approx(expected.half)


def test_the_check_predicts_all_images_from_the_parts_alone():
    assert size.check(points(0.7)).mean == pytest.approx(0, abs=1e-9)
    missed = size.check(points(0.7, bend=-2.0))
    assert missed.mean == pytest.approx(2.0)  # predicted minus measured
    assert not size.hit(missed)
    assert size.hit(Finding(0.3, 0.4, 3))
    assert not size.hit(Finding(0.3, np.nan, 1))


def test_only_seeds_with_every_part_have_a_line_and_a_part_of_one_seed_counts_for_nobody():
    found = points(0.7)
    lacking = found[~((found["seed"] == 4) & (found["part"] == 6_000))]
    assert size.slopes(lacking).n == 4
    alone = found[(found["part"] != ALL) | (found["seed"] == 0)]
    assert size.slopes(alone).n == 5
    assert size.has_lines(found)
    assert not size.has_lines(alone)  # through the parts, not through every size
    assert size.slopes(found[found["part"] == 3_000]).n == 0


def test_lines_of_two_lengths_at_once_are_refused():
    both = pd.concat([points(0.7), points(0.7, epochs=75)])
    with pytest.raises(ValueError, match=r"lines are of one length, got \[24, 75\]"):
        size.slopes(both)


def test_the_table_of_lines_has_the_lengths_that_have_every_size(monkeypatch):
    parts = {24: (*size.PARTS, ALL), 75: size.PARTS}

    def differences(own, other, across_devices=False):
        (epochs,) = set(own["epochs"])
        return points(0.7, epochs=epochs, parts=parts[epochs], seeds=3)

    monkeypatch.setattr(size, "differences", differences)
    table = size.lines_table(pd.DataFrame({"epochs": [24, 75]}))
    assert list(table.index) == [("24 epochs", f"minus {other}") for other in size.DECIDING]
    assert {text.split()[-1] for text in table["per doubling"]} == {"(3)"}
    assert set(table["the check"]) == {"hit"}
    assert size.lines_table(pd.DataFrame({"epochs": []})).empty


@pytest.fixture
def folders(tmp_path):
    """Records of two seeds on two parts, and on all images at three lengths."""

    def write(folder, method, seed, mean, epochs, images, part):
        one = record(method, seed, mean, epochs=epochs)
        if method == "cross-entropy":
            one = decided(one, prior=mean + 10, tuned=mean, f1=60.0)
        one["dataset"]["name"] = "celeba"
        one["dataset"]["found"]["train"] = images
        if part:
            one["config"]["train_part"] = part
        one["last"] = {"epoch": 5, "test": {"argmax": {"mA": mean - 3 * (method != "dcl")}}}
        one["history"] = [{"epoch": n, "val_loss": abs(n - part / 3_000)} for n in range(6)]
        path = tmp_path / folder / f"{method}-{epochs}-{part}-{seed}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(one))

    for seed in range(2):
        for method, mean in (("dcl", 80), ("cross-entropy", 70), ("selective-learning", 79)):
            for part in (3_000, 6_000):
                lead = part / 3_000 if method == "dcl" else 0
                write("parts", method, seed, mean + lead + seed, 24, part - 3, part)
            for epochs in (8, 24):
                write("whole", method, seed, mean + 4 + seed, epochs, ALL, 0)
        write("whole", "crl", seed, 70, 24, ALL, 0)  # no run of it on a part
    return tmp_path / "parts", tmp_path / "whole"


def test_runs_on_all_images_join_those_on_parts_by_method_and_length(folders):
    runs = size.collect(*folders)
    assert set(runs["epochs"]) == {24}
    assert set(runs["method"]) == {"dcl", "cross-entropy", "selective-learning"}
    assert sorted(set(runs["part"])) == [3_000, 6_000, ALL]
    assert set(runs["images"][runs["part"] == 3_000]) == {2_997}
    found = size.differences(runs, "selective-learning")
    assert found["points"].round(9).tolist() == [2, 2, 3, 3, 1, 1]
    assert size.differences(runs, size.PRIOR)["points"].round(9).tolist() == [1, 1, 2, 2, 0, 0]
    table = size.by_part(found)
    assert table.loc[6_000, 24] == Finding.of([3.0, 3.0])
    overfit = size.overfitting(runs, ("dcl",))
    means = {part: (found.mean, found.n) for part, found in overfit["dcl"].loc[24].items()}
    assert means == {3_000: (2.0, 2), 6_000: (3.0, 2), ALL: (1.0, 2)}


def test_the_best_epoch_and_what_is_lost_after_it():
    histories = ([60.0, 75, 72], [60.0, None, 74], [None])
    rows = [[{"epoch": i, "val_mA": x} for i, x in enumerate(mA)] for mA in histories]
    runs = pd.DataFrame({"record": [{"history": row} for row in rows]})
    best, lost = size.peaks(runs)
    assert (best.mean, best.n) == (2.5, 2)
    assert lost.mean == 1.5


def test_figures_are_drawn_from_what_is_there(folders):
    runs = size.collect(*folders)
    figures.use_style()
    assert len(figures.leads_by_size(runs, "a title").axes) == 2
    (axes,) = figures.overfitting_by_size(runs, "a third").axes
    assert axes.get_title("left") == "24 epochs"
    longer = runs[runs["part"] == ALL].assign(epochs=75)
    assert len(figures.overfitting_by_size(pd.concat([runs, longer]), "a fourth").axes) == 1
    assert {drawn.get_label() for drawn in axes.containers} == set(runs["method"])


def test_images_times_epochs_are_drawn_once_parts_have_two_lengths(folders):
    for path in list(folders[0].iterdir()):
        one = json.loads(path.read_text())
        one["config"]["epochs"] = 8
        (folders[0] / f"short-{path.name}").write_text(json.dumps(one))
    runs = size.collect(*folders)
    assert set(runs["epochs"]) == {8, 24}
    left, right = figures.leads_by_views(runs, "another").axes
    assert {line.get_label() for line in left.containers} == {
        f"{part:,} images" for part in (3_000, 6_000, ALL)
    }
    assert figures.leads_by_views(runs[runs["epochs"] == 24], "it repeats leads_by_size") is None


def test_tables_say_how_many_seeds_a_difference_has(folders):
    runs = size.collect(*folders)
    readings = size.readings(runs)
    table = size.table(readings[size.BEST])
    last = size.table(readings[size.LAST])
    assert last.loc[("selective-learning", "6,000"), "24 epochs"].startswith("+6.00")
    assert table.loc[("selective-learning", "6,000"), "24 epochs"].startswith("+3.00")
    assert table.loc[("selective-learning", "6,000"), "24 epochs"].endswith("(2)")
    trends = size.trends(runs, 24)
    slope = size.slopes(size.differences(runs, "selective-learning"))
    assert trends.loc["mA, own decision", "minus selective-learning"] == f"{slope} (2)"
    ends = size.differences(length.at_the_last_epoch(runs), "selective-learning")
    assert trends.loc[size.LAST, "minus selective-learning"] == f"{size.slopes(ends)} (2)"


def test_methods_stand_beside_the_moved_threshold_at_every_size(folders):
    table = size.means(size.collect(*folders), 24)
    assert list(table.columns) == ["3,000", "6,000", "24,152"]
    assert list(table.index) == ["cross-entropy", "selective-learning", "dcl", size.PRIOR]
    assert table.loc["dcl", "6,000"] == f"{Finding.of([82.0, 83.0]).text()} (2)"
    assert table.loc[size.PRIOR, "6,000"].startswith("80.50")


def test_figures_and_tables_stand_empty_where_no_run_is(tmp_path):
    runs = size.collect(tmp_path, tmp_path)
    for drawn in (
        figures.leads_by_size(runs, "a"),
        figures.overfitting_by_size(runs, "c"),
    ):
        assert not any(axes.containers for axes in drawn.axes)
    assert figures.leads_by_views(runs, "b") is None
    assert set(size.trends(runs, 24).stack()) == {"-"}
    assert size.table(size.readings(runs)[size.BEST]).empty
    assert size.means(runs, 24).empty


def test_the_title_is_that_of_all_images_with_the_range_of_the_parts():
    titles = ["Faces, 12,000 of 24,152 to train on", "Faces"]
    parts = [{"images": 12_000, "seed": 1, "of": ALL}, None]
    data = [
        {"title": title, **({"train_part": part} if part else {})}
        for title, part in zip(titles, parts, strict=True)
    ]
    runs = pd.DataFrame({"images": [12_000, ALL], "part": [12_000, ALL], "title": titles})
    runs["record"] = [{"dataset": each} for each in data]
    assert size.title(runs) == "Faces, 12,000 to 24,152 to train on"
    assert size.title(runs.iloc[:1]) == "Faces, 12,000 to 12,000 to train on"
    assert size.title(runs.iloc[:0]) == "no record yet"
