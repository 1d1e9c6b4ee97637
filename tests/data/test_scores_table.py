"""Tables of scores and labels: what is read, and what is refused by row and column."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcl.data.resident import DataError
from dcl.data.scores_table import read_prior, read_scores, read_two

VECTORS = json.loads((Path(__file__).parents[1] / "evaluation" / "scores_vectors.json").read_text())
TABLE = """id,split,group,path,y_hat,s_hat,y_tie,s_tie
a,val,p,x,1,0.5,,1e-3
b,Test,q,y,No,-.25,TRUE,2.
"""


def written(folder, text, name="scores.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_a_table_is_read_cell_by_cell(tmp_path):
    table = read_scores(written(tmp_path, TABLE))
    assert table.names == ("hat", "tie")
    assert table.scores.tolist() == [[0.5, 0.001], [-0.25, 2.0]]
    assert table.labels.tolist() == [[1, -1], [0, 1]]
    assert table.split == ["val", "test"]
    assert table.groups == ["p", "q"]
    assert table.ignored == ("path",)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_a_wrong_table_is_refused_by_row_and_column(case, tmp_path):
    with pytest.raises(DataError) as refused:
        read_scores(written(tmp_path, case["csv"]))
    assert f"row {case['row']}" in str(refused.value)
    if case["column"]:
        assert f"column {case['column']!r}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "",
            "expected two column names or more with a comma, semicolon or tab between, got nothing",
        ),
        ("id,y_a,s_a\n", "no row below"),
        ("id,y_a,y_a,s_a\n1,0,0,1\n", "two columns are called 'y_a'"),
        ("id,y_a,s_a\n1,0,1\n2,1\n", "row 3: 2 cells, expected 3 as in the row of column names"),
        ("id,y_a,s_a\n1,0,1\n,,\n", "row 3: every cell is empty: take out"),
        ("id,split,Split,y_a,s_a\n1,,,0,1\n", "two columns are called 'split'"),
        ("id,y_a,s_a\n1,0,1_0\n", "row 2, column 's_a': a score is a finite number, got '1_0'"),
        ("id,y_a,s_a\n1,0,1e16\n", "row 2, column 's_a'"),
        ("id,y_a,s_a\n1,0,nan\n", "row 2, column 's_a'"),
        ("id,y_a,s_a\n1,0.5,0.5\n", "row 2, column 'y_a': a label is 0 for no"),
        ("id,s_a\n1,0.5\n", "there is no column 'y_a'"),
    ],
)
def test_what_is_wrong_is_named(text, words, tmp_path):
    with pytest.raises(DataError, match=words.replace("(", r"\(")):
        read_scores(written(tmp_path, text))


def with_column(name, cells, first="x", value=""):
    """A table of 30 rows: a first column of one value, then one of cells that come again."""
    cells = cells.split()
    lines = [f"{value},{cells[i % len(cells)]},{i % 2},0.{i}" for i in range(30)]
    return "\n".join([f"{first},{name},y_a,s_a", *lines])


@pytest.mark.parametrize(
    ("name", "cells"), [("set", "train val test"), ("Menge", "val TEST"), ("x2", "Training dev")]
)
def test_a_split_under_another_name_is_asked_about(name, cells, tmp_path):
    words = f"scores.csv, column '{name}': says to which split .* leave training rows out"
    with pytest.raises(DataError, match=words):
        read_scores(written(tmp_path, with_column(name, cells)))
    text = with_column(name, cells, "split", "val")
    assert read_scores(written(tmp_path, text)).doubts == ()


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("fold", "0 1 2 3 4", "may say to which split"),
        ("Is_Train", "0 1", "may say to which split"),
        ("set", "train", "may say to which split"),
        ("set", "train test held-out", "may say to which split"),
        ("Usage", "Training PublicTest PrivateTest", "may say to which split"),
        ("Patient", "p1 p2 p3 p4 p5 NA NA", "has 5 values in 22 rows: if rows of one value"),
        ("hospital_id", "1 2 3 4 5 6", "has 6 values in 30 rows"),
        ("set", "test", None),
        ("vehicle", "train car bus", None),
        ("path", "train/1.png train/2.png", None),
        ("camera", "left right", None),
        ("image_id", " ".join(map(str, range(30))), None),
        ("note", "a b c d e f", None),
    ],
)
def test_a_column_left_out_that_may_be_a_split_or_a_group_is_told(name, cells, words, tmp_path):
    doubts = read_scores(written(tmp_path, with_column(name, cells))).doubts
    assert len(doubts) == (words is not None)
    if words:
        assert doubts[0].startswith(f"column '{name}' {words}")
    doubts = read_scores(written(tmp_path, with_column(name, cells, "group", "g"))).doubts
    assert len(doubts) == bool(words and "split" in words)


def test_a_column_without_a_name_is_left_out_as_in_a_table(tmp_path):
    table = read_scores(written(tmp_path, ",y_a,s_a\n0,0,0.5\n1,1,0.7\n"))
    assert (table.names, table.ignored) == (("a",), ("Unnamed: 0",))


def test_parquet_holds_the_same_numbers(tmp_path):
    scores = np.random.default_rng(0).normal(size=20)
    labels = [1, 0, None, 1] * 5
    frame = pd.DataFrame({"id": range(20), "y_a": pd.array(labels, "Int64"), "s_a": scores})
    frame.to_parquet(tmp_path / "scores.parquet")
    frame.to_csv(tmp_path / "scores.csv", index=False)
    one, other = (read_scores(tmp_path / f"scores.{kind}") for kind in ("parquet", "csv"))
    assert one.scores[:, 0].tolist() == scores.tolist()
    assert (one.scores == other.scores).all()
    assert (one.labels == other.labels).all()


@pytest.mark.parametrize(("mark", "name"), [(";", "Ergebnis März.CSV"), ("\t", "a b.tsv")])
def test_a_spreadsheets_separator_and_byte_order_mark_are_read(mark, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(("\ufeff" + TABLE.replace(",", mark)).replace("\n", "\r\n").encode())
    found, expected = read_scores(path), read_scores(written(tmp_path, TABLE))
    assert found.scores.tolist() == expected.scores.tolist()
    assert found.labels.tolist() == expected.labels.tolist()
    assert (found.names, found.split, found.rows) == (expected.names, expected.split, expected.rows)


@pytest.mark.parametrize("cell", ["0,83", "1,2", "٣", "0\n1", "inf", "-nan", "1e400"])
def test_a_cell_that_is_no_plain_number_is_refused_beside_good_ones(cell, tmp_path):
    text = f'id;y_a;s_a;y_b;s_b\n1;0;0.5;1;"{cell}"\n'
    with pytest.raises(DataError, match="row [23], column 's_b': a score is a finite number, got"):
        read_scores(written(tmp_path, text))


def test_dates_and_decimals_of_parquet_are_texts_as_in_csv(tmp_path):
    frame = pd.DataFrame({"y_a": [1, 0], "s_a": [Decimal("0.50"), Decimal("0.25")]})
    frame["when"] = pd.to_datetime(["2026-01-02", None])
    frame["group"] = pd.Categorical(["p", "q"])
    frame.to_parquet(tmp_path / "scores.parquet")
    table = read_scores(tmp_path / "scores.parquet")
    assert table.scores.tolist() == [[0.5], [0.25]]
    assert (table.groups, table.ignored) == (["p", "q"], ("when",))


def test_two_files_are_joined_by_id(tmp_path):
    labels = written(tmp_path, "id,group,hat,tie\na,p,1,0\nb,q,,1\n", "labels.csv")
    scores = written(tmp_path, "id,tie,hat\nb,0.2,0.1\na,0.4,0.3\n", "scores.csv")
    table = read_two(labels, scores)
    assert table.names == ("hat", "tie")
    assert table.scores.tolist() == [[0.3, 0.4], [0.1, 0.2]]
    assert table.labels.tolist() == [[1, 0], [-1, 1]]
    assert table.groups == ["p", "q"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,hat\na,0.3\n", "labels.csv, row 1, column 'tie': .*scores.csv has no such column"),
        ("id,hat,tie\na,0.3,0\n", "labels.csv, row 3, column 'id': .*scores.csv has no 'b'"),
        (
            "id,hat,tie\na,0,0\nb,0,0\nc,0,0\n",
            "scores.csv, row 4, column 'id': .*labels.csv has no 'c'",
        ),
        ("id,hat,tie\na,0,0\na,0,0\n", "scores.csv, row 3, column 'id': 'a' stands in row 2 too"),
        ("hat,tie\n0,0\n", "scores.csv, row 1: two files are joined by a column 'id'"),
        ("id,hat,tie\na,0,0\nb,x,0\n", "scores.csv, row 3, column 'hat': a score is a finite"),
    ],
)
def test_files_that_do_not_fit_are_refused(text, words, tmp_path):
    labels = written(tmp_path, "id,hat,tie\na,1,0\nb,,1\n", "labels.csv")
    with pytest.raises(DataError, match=words):
        read_two(labels, written(tmp_path, text))


def test_a_prior_is_numbers_or_counts(tmp_path):
    names = ("hat", "tie")
    assert read_prior("0.2", names) == [0.2, 0.2]
    assert read_prior("0.2, 0.5", names) == [0.2, 0.5]
    counts = written(tmp_path, "label,positives,negatives\ntie,1,3\nhat,1,9\n", "counts.csv")
    assert read_prior(str(counts), names) == [0.1, 0.25]
    rates = written(tmp_path, "label,prior\ntie,0.3\nhat,0.1\n", "rates.csv")
    assert read_prior(str(rates), names) == [0.1, 0.3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.2,0.3,0.4", "1 or 2 rates, got 3"),
        ("1", r"rates in \(0, 1\)"),
        ("missing.csv", "missing"),
        ("label,positives,negatives\nhat,0,3\n", "row 2, column 'positives': the rate of hat"),
        ("label,positives,negatives\nhat,1,3\n", "no row for 'tie'"),
        ("label,count\nhat,1\n", "neither a column 'prior'"),
    ],
)
def test_a_wrong_prior_is_refused(text, words, tmp_path):
    text = str(written(tmp_path, text)) if "\n" in text else text
    with pytest.raises(DataError, match=words):
        read_prior(text, ("hat", "tie"))


def test_a_label_whose_name_begins_as_a_prefix_keeps_it(tmp_path):
    for name, values in (("labels", ("1", "0")), ("scores", ("0.7", "0.2"))):
        rows = "".join(f"{n},{value}\n" for n, value in enumerate(values))
        (tmp_path / f"{name}.csv").write_text(f"id,y_axis\n{rows}")
    found = read_two(tmp_path / "labels.csv", tmp_path / "scores.csv")
    assert found.names == ("y_axis",)
    assert found.scores[:, 0].tolist() == [0.7, 0.2]
