"""The page "Bring your scores" in headless Chromium, from its sources: no built book is needed."""

import csv
import importlib.util
import io
import json
import math
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import fastjsonschema
import pytest
import torch
from chromium import CHROMIUM, DESK, PHONE, started, watched
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from dcl import thresholds
from dcl.__main__ import main
from dcl.data.resident import DataError
from dcl.data.scores_table import read_scores
from dcl.data.table_columns import SPLIT_NAMES
from dcl.evaluation import thresholds_file
from dcl.evaluation.calibration import calibration_error
from dcl.evaluation.scored_rows import ScoreError
from dcl.experiment.tune import sentence

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "book" / "_static"
VECTORS = json.loads((ROOT / "tests" / "evaluation" / "scores_vectors.json").read_text("utf8"))
SCHEMA = ROOT / "dcl" / "evaluation" / "thresholds.schema.json"
FORM = fastjsonschema.compile(json.loads(SCHEMA.read_text("utf8")))
CLOSE = {"rel": 1e-9, "abs": 1e-9, "nan_ok": True}

if not CHROMIUM or not importlib.util.find_spec("playwright"):
    pytest.skip("needs Chromium and playwright", allow_module_level=True)

sys.path.insert(0, str(ROOT / "book"))
from from_source import sample_script  # noqa: E402


@pytest.fixture(scope="module")
def browser():
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page's own part of scores.md, on a page without the book's theme."""
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(STATIC, folder / "_static")
    (folder / "_static" / "scores_sample.js").write_text(sample_script(), "utf8")
    text = (ROOT / "book" / "scores.md").read_text("utf8")
    (block,) = re.findall(r"^```\{raw\} html\n(.*?)^```\n", text, re.MULTILINE | re.DOTALL)
    page = folder / "book" / "scores.html"
    page.parent.mkdir()
    page.write_text(
        '<!doctype html><html data-theme="light"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<body><article class='bd-article'>{block}</article></html>",
        "utf8",
    )
    return page.as_uri()


@pytest.fixture(scope="module")
def tab(browser, address):
    """One tab for all tests; what it asks of a network, and its errors, are kept."""
    with watched(browser, accept_downloads=True) as tab:
        tab.goto(address)
        settled(tab)
        yield tab


@pytest.fixture
def sample(tab, address):
    """The page as it opens, with its sample."""
    tab.set_viewport_size(DESK)
    tab.goto(address)
    settled(tab)
    return tab


def settled(tab):
    """Wait until everything that was asked for is computed, or refused."""
    tab.wait_for_function(
        """() => {
          const by = (name) => document.querySelector(`#scores [data-${name}]`);
          return by("wrong").textContent || (by("progress").hidden && by("sentence").textContent
            && !by("results").classList.contains("stale"));
        }""",
        timeout=120_000,
    )


def tune(tab, text, **options):
    return tab.evaluate(
        """([text, options]) => {
          const numbers = window.dclScores;
          const result = numbers.tune(numbers.readTable(text), options);
          return { ...result, json: JSON.stringify(numbers.thresholdsJson(result)),
            csv: numbers.thresholdsCsv(result), sentence: numbers.sentence(result) };
        }""",
        [text, options],
    )


def held_equal(found, expected, where=""):
    """Every number of `expected` is in `found`, to 1e-9; NaN and null are one."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            held_equal(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            held_equal(a, b, f"{where}[{i}]")
    elif isinstance(expected, bool) or not isinstance(expected, int | float | None):
        assert found == expected, where
    else:
        number = math.nan if expected is None else expected
        assert (math.nan if found is None else found) == pytest.approx(number, **CLOSE), where


# ---- the numbers ------------------------------------------------------------------------------


def test_the_page_draws_the_numbers_of_the_librarys_generator(tab):
    seed, expected = VECTORS["generator"]["seed"], VECTORS["generator"]["integers_below_10"]
    found = tab.evaluate(
        """([seed, n]) => { const below = window.dclScores.mulberry32(seed);
          return Array.from({ length: n }, () => below(10)); }""",
        [seed, len(expected)],
    )
    assert found == expected


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_page_computes_what_the_literal_loops_do(tab, case):
    held_equal(tune(tab, case["csv"], **case["options"]), case["expected"])


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_a_wrong_table_is_refused_by_row_and_column_in_the_librarys_words(tab, case, tmp_path):
    error = tab.evaluate(
        """(text) => {
          try { window.dclScores.readTable(text); } catch ({ message, row, column }) {
            return { message, row, column };
          }
          return null;
        }""",
        case["csv"],
    )
    assert (error["row"], error["column"]) == (case["row"], case["column"])
    (tmp_path / "scores.csv").write_text(case["csv"], "utf8")
    with pytest.raises(DataError) as of_library:
        read_scores(tmp_path / "scores.csv")
    words = str(of_library.value).removeprefix(str(tmp_path / "scores.csv")).lstrip(",: ")
    assert error["message"] == words


NEARLY = "y_a,s_a\n" + "".join(f"{n % 2},{n / 21:.3f}\n" for n in range(20))
DOUBTFUL = [NEARLY + "1,-0.001\n", NEARLY + "1,55\n", NEARLY.replace("0.048", "-2")]


@pytest.mark.parametrize("text", [NEARLY, *DOUBTFUL, "y_a,s_a\n1,-2\n0,3\n1,0.5\n"])
@pytest.mark.parametrize("scale", [None, "probability", "logit"])
def test_the_page_takes_the_scale_that_the_library_takes_or_asks_as_it_does(
    tab, text, scale, tmp_path
):
    found = tab.evaluate(
        """([text, scale]) => {
          const table = window.dclScores.readTable(text);
          try { return window.dclScores.scaleOf(table, scale); } catch ({ row }) { return row; }
        }""",
        [text, scale],
    )
    (tmp_path / "s.csv").write_text(text)
    table = read_scores(tmp_path / "s.csv")
    try:
        expected = thresholds.fit(table.scores, table.labels, scale=scale).scale
    except ScoreError as error:
        expected = table.rows[error.row]
    assert found == expected


def drawn_table(seed, *, rows=150, logits=False, two=True, grouped=False, digits=3):
    """A random table as CSV, and as the arguments of `thresholds.tune`."""
    generator = torch.Generator().manual_seed(seed)
    groups = torch.randint(rows // 3, (rows,), generator=generator)
    odds = torch.randn(rows, 3, generator=generator).double() * 2 - torch.tensor([0.0, 2, 3])
    labels = (torch.rand(rows, 3, generator=generator) < (odds * 0.7).sigmoid()).long()
    labels[torch.rand(rows, 3, generator=generator) < 0.05] = -1
    scores = (odds if logits else odds.sigmoid()).numpy().round(digits)
    split = ["val" if g % 2 else "test" for g in groups.tolist()] if two else None
    lines = [",".join([*["split"] * two, *["group"] * grouped, "y_a,s_a,y_b,s_b,y_c,s_c"])]
    for i in range(rows):
        cells = [split[i]] if two else []
        cells += [f"g{groups[i]}"] if grouped else []
        for y, s in zip(labels[i].tolist(), scores[i].tolist(), strict=True):
            cells += ["" if y < 0 else str(y), repr(s)]
        lines.append(",".join(cells))
    arguments = {"split": split, "groups": groups if grouped else None, "names": ["a", "b", "c"]}
    return "\n".join(lines), (torch.from_numpy(scores), labels), arguments


@pytest.mark.parametrize("grouped", [False, True], ids=["rows", "groups"])
@pytest.mark.parametrize("two", [False, True], ids=["one split", "two splits"])
@pytest.mark.parametrize("logits", [False, True], ids=["probabilities", "logits"])
def test_the_page_computes_what_the_library_does(tab, grouped, two, logits):
    seed = 4 * grouped + 2 * two + logits
    text, arrays, arguments = drawn_table(
        seed, logits=logits, two=two, grouped=grouped, digits=1 + seed % 3
    )
    prior = {"a": 0.3, "b": 0.1, "c": 0.02} if seed % 2 else None
    options = {"recall": 0.5, "precision": 0.4, "bootstrap": 30, "seed": seed}
    report = thresholds.tune(
        *arrays, **arguments, prior=None if prior is None else list(prior.values()), **options
    )
    found = tune(tab, text, prior=prior, **options)
    held_equal(json.loads(found["json"]), report.thresholds.as_json())
    backwards = [label["name"] for label in found["labels"] if label["backwards"]]
    assert backwards == report.backwards
    held_equal([found["gain_prior"], found["gain_tuned"]],
               [report.gain_prior.tolist(), report.gain_tuned.tolist()])  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(found["csv"])))
    for row, expected in zip(rows, report.rows_of_table(), strict=True):
        assert list(row) == list(expected)
        for key, value in expected.items():
            if isinstance(value, float):
                assert float(row[key]) == pytest.approx(value, **CLOSE), (row, key)
            else:
                words = str(value)
                assert row[key] == (words.lower() if key == "few" else words), (row, key)


@pytest.mark.parametrize("two", [False, True], ids=["one split", "two splits"])
@pytest.mark.parametrize("turned", ["abc", "ac", ""])
def test_the_page_names_the_scores_that_rank_backwards_as_the_library_does(tab, turned, two):
    text, (scores, labels), arguments = drawn_table(11, two=two, digits=2)
    wrong = [name in turned for name in "abc"]
    lines = [line.split(",") for line in text.splitlines()]
    for cells in lines[1:]:
        for a in range(3):
            place = two + 2 * a + 1
            cells[place] = repr(
                round(1 - float(cells[place]), 2) if wrong[a] else float(cells[place])
            )
    scores = torch.tensor([[float(x) for x in cells[two + 1 :: 2]] for cells in lines[1:]])
    found = tune(tab, "\n".join(map(",".join, lines)), bootstrap=0)
    names = [label["name"] for label in found["labels"] if label["backwards"]]
    assert names == thresholds.tune(scores.double(), labels, **arguments, bootstrap=0).backwards
    assert ("a" in names) == ("a" in turned)


@pytest.mark.parametrize("grouped", [False, True], ids=["rows", "groups"])
@pytest.mark.parametrize(
    ("digits", "again"), [(9, 0), (9, 7), (5, 1), (4, 7), (1, 0)], ids=lambda n: str(n)
)
def test_the_page_counts_copied_rows_as_the_library_does(tab, digits, again, grouped):
    text, (scores, labels), arguments = drawn_table(5, two=False, grouped=grouped, digits=digits)
    head, *lines = text.splitlines()
    text = "\n".join([head, *lines, *lines[:again], lines[-1]])
    rows = [*range(len(lines)), *range(again), -1]
    groups = arguments.pop("groups")
    report = thresholds.tune(
        scores[rows], labels[rows], **arguments, groups=groups[rows] if grouped else None,
        bootstrap=0,
    )  # fmt: skip
    copied = tab.evaluate("text => window.dclScores.readTable(text).copied", text)
    assert copied == report.copied == (0 if grouped or digits < 5 else 2 * (again + 1))


def left_out(name, cells, split=False):
    cells = cells.split()
    lines = [f"{'val' * split},{cells[i % len(cells)]},{i % 2},0.{i}" for i in range(30)]
    return "\n".join([f"{'split' if split else 'x'},{name},y_a,s_a", *lines])


def scored(scores):
    rows = ",".join(f"{i % 2},{score:.4f}" for i, score in enumerate(scores)).split(",")
    return "y_a,s_a\n" + "\n".join(map(",".join, zip(rows[::2], rows[1::2], strict=True)))


DOUBTED = {
    "a split": left_out("set", "train val test"),
    "of two": left_out("Menge", "Validation TEST"),
    "beside a split": left_out("set", "train val", split=True),
    "training alone": left_out("set", "train"),
    "test alone": left_out("set", "test"),
    "another word": left_out("set", "train test held-out"),
    "words inside": left_out("Usage", "Training PublicTest PrivateTest"),
    "no split": left_out("vehicle", "train car bus"),
    "folders": left_out("path", "train/1.png train/2.png"),
    "blank": left_out("Patient", "p1 p2 p3 p4 p5 NA NA"),
    "each once": left_out("image_id", " ".join(map(str, range(30)))),
    "few": left_out("camera", "a b c d"),
    **{name: left_out(name, "0 1 2 3 4") for name in (*sorted(SPLIT_NAMES), "Is_Train", "set")},
    **{name: left_out(name, "a b c d e") for name in (
        "patient_id patientId PatientName Study sample UUID grid Hospital-No CAMERA centre age "
        "my patient source.key trackid note rowdy caseload").split()},
    "decisions": scored(i % 3 == 0 for i in range(20)),
    "signs": scored(2 * (i % 3 == 0) - 1 for i in range(20)),
    "few decisions": scored(i % 3 == 0 for i in range(19)),
    "percentages": scored(range(1, 90)),
    "log-probabilities": scored(-i for i in range(1, 90)),
    "sigmoids": scored(0.5 + 0.2 * (i % 7) / 7 for i in range(21)),
    "frequent sigmoids": scored(0.5 + 0.2 * (i % 7) / 7 for i in range(20)),
    "one sigmoid": scored([0.5] * 21),
    "wider": scored(0.5 + 0.3 * (i % 7) / 7 for i in range(21)),
    "at chance": scored((7 * i % 1000) / 1000 for i in range(1000)),
    "above chance": scored((7 * i % 1000 + 200 * (i % 2)) / 1200 for i in range(1000)),
}  # fmt: skip


@pytest.mark.parametrize("text", DOUBTED.values(), ids=DOUBTED)
def test_the_page_doubts_what_the_command_doubts(tab, text, tmp_path, capsys):
    found = tab.evaluate(
        """(text) => {
          const numbers = window.dclScores;
          try {
            const table = numbers.readTable(text);
            return numbers.doubts(table, numbers.tune(table, { bootstrap: 0 }));
          } catch ({ message }) { return message; }
        }""",
        text,
    )
    path = tmp_path / "s.csv"
    path.write_text(text)
    refused = main(["tune", str(path), "--bootstrap", "0"])
    told = capsys.readouterr()
    if refused:
        assert told.err == f"python -m dcl: {path}, {found}\n"
    else:
        said = re.findall("^warning: (.*)$", told.out, re.MULTILINE)
        assert [x for x in said if not x.startswith("negatives score above")] == found


@pytest.mark.parametrize(
    "text",
    [
        ",y_a,s_a\n0,1,0.5\n1,0,0.25\n",  # pandas' index
        "y_a, old;s_a, old\n1;0.5\n0;0.25\n",
        "y_a\ts_a\n1\t0.5\n0\t0.25\n",
        "\ny_a,s_a\n\n1,0.5\n\n0,0.25",
        "y_a,s_a\n1,0.5\n   \n0,0.25\n",
        "y_a,s_a\n1,0.5\n,\n",
        "y_a;s_a\n1;0.5\n1\n",
        "y_a;s_a\n1;0,5\n",
        "y_a|s_a\n1|0.5\n",
        "sep=;\ny_a;s_a\n1;0.5\n",
        "y_a,y_a,s_a\n1,1,0.5\n",
        "y_\u00e9,s_e\u0301\n1,0.5\n0,0.25\n",  # one name in two forms of Unicode
        "id,y_a,s_a\n\u00e9,1,0.5\ne\u0301,0,0.25\n",
    ],
)
def test_the_page_reads_and_refuses_a_table_as_the_command_does(tab, text, tmp_path):
    found = tab.evaluate(
        """(text) => {
          try {
            const { names, y, s, ignored } = window.dclScores.readTable(text);
            return { names, y: [...y[0]], s: [...s[0]], ignored };
          } catch ({ message }) { return message; }
        }""",
        text,
    )
    (tmp_path / "s.csv").write_text(text)
    try:
        table = read_scores(tmp_path / "s.csv")
    except DataError as error:
        expected = str(error).removeprefix(str(tmp_path / "s.csv")).lstrip(",: ")
    else:
        expected = {
            "names": list(table.names), "y": table.labels[:, 0].tolist(),
            "s": table.scores[:, 0].tolist(), "ignored": list(table.ignored),
        }  # fmt: skip
    assert found == expected


def test_a_space_before_a_quotation_mark_is_read_as_the_command_reads_it(tab, tmp_path):
    text = 'group, "y_cat, old", "s_cat, old"\n "a, b", 1, 0.5\n c,0,0.25\n'
    (tmp_path / "s.csv").write_text(text)
    table = read_scores(tmp_path / "s.csv")
    found = tab.evaluate(
        """(text) => {
          const { names, y, s } = window.dclScores.readTable(text);
          return { names, y: [...y[0]], s: [...s[0]] };
        }""",
        text,
    )
    assert (found["names"], found["y"], found["s"]) == (
        list(table.names), [1, 0], [0.5, 0.25]
    )  # fmt: skip
    assert list(table.groups) == ["a, b", "c"]
    assert (table.labels[:, 0].tolist(), table.scores[:, 0].tolist()) == ([1, 0], [0.5, 0.25])


@pytest.mark.parametrize("logits", [False, True], ids=["probabilities", "logits"])
def test_the_figures_hold_the_numbers_of_scikit_learn_and_of_the_library(tab, logits):
    text, (scores, labels), _ = drawn_table(3, logits=logits, two=False, digits=2)
    for a in range(3):
        found = tab.evaluate(
            """([text, a, scale]) => {
              const numbers = window.dclScores, table = numbers.readTable(text);
              const rows = Int32Array.from({ length: table.rows }, (_, i) => i);
              const curve = numbers.curves(table, rows, a, scale);
              const found = Object.fromEntries(
                ["cuts", ...numbers.METRICS].map((name) => [name, [...curve[name]]]));
              return { ...found, at: found.cuts.map((cut) => numbers.at(curve, cut)),
                bins: numbers.calibration(curve, scale), auc: curve.auc,
                ap: curve.average_precision };
            }""",
            [text, a, "logit" if logits else "probability"],
        )
        known = labels[:, a] >= 0
        y, s = labels[known, a], scores[known, a]
        assert found["auc"] == pytest.approx(roc_auc_score(y, s), **CLOSE)
        assert found["ap"] == pytest.approx(average_precision_score(y, s), **CLOSE)
        of_library = calibration_error(
            (s if logits else s.logit().clamp(-700, 700))[:, None], y[:, None]
        )
        assert found["bins"]["error"] == pytest.approx(of_library.error.item(), **CLOSE)
        assert found["bins"]["counts"] == of_library.counts[0].tolist()
        for k in range(0, len(found["cuts"]), 7):
            decided = s > found["cuts"][k]
            for name, score in (
                ("balanced_accuracy", balanced_accuracy_score(y, decided)),
                ("f1", f1_score(y, decided)),
                ("recall", recall_score(y, decided)),
                ("precision", precision_score(y, decided) if decided.any() else math.nan),
            ):
                assert found[name][k] == pytest.approx(score, **CLOSE), (name, k)
                assert found["at"][k][name] == pytest.approx(score, **CLOSE), (name, k)


@pytest.mark.parametrize("cost", [0.05, 1, 20])
def test_the_cheapest_threshold_is_the_cheapest_of_all(tab, cost):
    text, (scores, labels), _ = drawn_table(5, two=False, digits=2)
    found = tune(tab, text, bootstrap=0, cost=cost)
    for a, label in enumerate(found["labels"]):
        known = labels[:, a] >= 0
        y, s = labels[known, a], scores[known, a]

        def total(threshold, y=y, s=s):
            missed, alarms = ((s <= threshold) & (y == 1)).sum(), ((s > threshold) & (y == 0)).sum()
            return cost * missed.item() + alarms.item()

        cheapest = min(total(cut) for cut in [-1, *(s + 1e-6).tolist()])
        assert total(label["thresholds"]["cost"]) == pytest.approx(cheapest)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("y_a,s_a\n1,0.9\n0,0.1\n", 2),
        ("\ufeffy_a,s_a\r\n1,0.9\r\n0,0.1", 2),
        ("y_a;s_a\n1;0.9\n0;0.1\n\n", 2),
        ("y_a\ts_a\ttext\n1\t0.9\tx\n", 1),
        ('"y_a","s_a",note\n1,0.9,"two\nlines, and a ""quote"""\n0,.1,\n', 2),
        (" y_a , s_a \nYes, 1e-1\n nan ,+5.\n", 2),
    ],
)
def test_csv_is_read_as_programs_write_it(tab, text, rows):
    found = tab.evaluate(
        """(text) => { const { names, rows, s } = window.dclScores.readTable(text);
          return { names, rows, s: [...s[0]] }; }""",
        text,
    )
    assert (found["names"], found["rows"]) == (["a"], rows)
    assert found["s"][0] in (0.9, 0.1)


# ---- what a reader does -----------------------------------------------------------------------


def test_the_page_opens_with_its_sample_from_disk_without_a_network(sample):
    report = library_on_sample()
    without_intervals = re.sub(r"\s±\s\d+\.\d", "", sample.inner_text("[data-sentence]"))
    assert without_intervals == sentence(report)
    assert sample.locator("#scores [data-label]").count() == len(report.thresholds.names)
    assert sample.errors == []
    assert sample.asked == []


def library_on_sample():
    table = read_scores(STATIC / "scores_sample.csv")
    return thresholds.tune(
        table.scores, table.labels, split=table.split, names=table.names, bootstrap=0
    )


def saved(tab, selector):
    with tab.expect_download() as download:
        tab.click(selector)
    return Path(download.value.path()), download.value.suggested_filename


def test_the_file_that_the_page_saves_decides_in_the_library(sample, tmp_path):
    path, name = saved(sample, "[data-json]")
    assert name == "thresholds.json"
    FORM(json.loads(path.read_text("utf8")))
    found, expected = thresholds.read(path), library_on_sample().thresholds
    assert found.names == expected.names
    for decision in ("0.5", "prior", "tuned-mA", "tuned-f1"):
        assert found.of(decision).tolist() == pytest.approx(expected.of(decision).tolist())
    scores = torch.zeros(1, len(found.names), dtype=torch.float64)
    assert torch.equal(thresholds.apply(found, scores), thresholds.apply(expected, scores))


def test_the_keyboard_moves_the_threshold_and_the_file_keeps_it(sample):
    before = float(sample.input_value("[data-exact]"))
    found = sample.inner_text("[data-readout]")
    sample.focus("#s-threshold")
    for _ in range(8):
        sample.keyboard.press("ArrowRight")
    after = float(sample.input_value("[data-exact]"))
    assert after > before
    assert sample.inner_text("[data-readout]") != found
    assert "of positives found" in sample.get_attribute("#s-threshold", "aria-valuetext")
    assert sample.input_value("#s-export") == "yours"
    kept = json.loads(saved(sample, "[data-json]")[0].read_text("utf8"))
    FORM(kept)
    assert kept["decisions"][-1] == "yours"
    assert kept["labels"][0]["thresholds"]["yours"] == pytest.approx(after, abs=0.006)
    other = kept["labels"][1]["thresholds"]
    assert other["yours"] == other["tuned-mA"]
    assert thresholds_file.SCHEMA == kept["schema"]


@pytest.mark.parametrize("figure", ["sweep", "roc", "pr"])
def test_the_threshold_is_dragged_in_a_figure(sample, figure):
    svg = sample.locator(f"svg[data-{figure}]")
    svg.scroll_into_view_if_needed()
    box, values = svg.bounding_box(), []
    sample.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    sample.mouse.down()
    for x in (0.5, 0.8):
        sample.mouse.move(box["x"] + x * box["width"], box["y"] + 0.4 * box["height"])
        values.append(float(sample.input_value("[data-exact]")))
    sample.mouse.up()
    assert values[0] < values[1] if figure == "sweep" else values[0] > values[1]
    assert sample.evaluate("document.activeElement.id") == "s-threshold"
    sample.click("[data-decision=prior]")
    assert sample.get_attribute("[data-decision=prior]", "aria-pressed") == "true"


def test_a_wrong_table_is_named_and_the_old_numbers_are_dimmed(sample):
    sample.click("[data-paste]")
    sample.fill("#s-text", "y_a,s_a\n1,0.9\n2,0.1\n")
    sample.click("[data-read]")
    settled(sample)
    assert "Row 3, column 'y_a'" in sample.inner_text("[data-wrong]")
    assert "stale" in sample.get_attribute("[data-results]", "class")
    text, _, _ = drawn_table(1, digits=9)
    sample.fill("#s-text", text)
    sample.click("[data-read]")
    sample.wait_for_function("() => !document.querySelector('[data-wrong]').textContent")
    settled(sample)
    assert sample.locator("#s-label option").all_inner_texts() == ["a", "b", "c"]
    assert sample.get_attribute("[data-results]", "class") == ""
    assert sample.inner_text("[data-copies]") == ""
    sample.fill("#s-text", "\n".join([text, *text.splitlines()[-3:]]))
    sample.click("[data-read]")
    sample.wait_for_function("() => document.querySelector('[data-copies]').textContent")
    assert "6 rows have the scores of another row" in sample.inner_text("[data-copies]")
    assert sample.inner_text("[data-doubts]") == ""
    sample.fill("#s-text", DOUBTED["decisions"])
    sample.click("[data-read]")
    sample.wait_for_function("() => document.querySelector('[data-doubts]').textContent")
    words = "Scores are two numbers alone, as decisions are, which no threshold improves: a."
    assert sample.inner_text("[data-doubts]").startswith(words)


def test_a_file_is_opened_and_settings_tune_it_again(sample, tmp_path):
    text, _, _ = drawn_table(2, rows=600, two=False)
    (tmp_path / "mine.csv").write_text(text)
    sample.set_input_files("#s-file", tmp_path / "mine.csv")
    sample.wait_for_function(
        "() => document.querySelector('[data-facts]').textContent.includes('mine.csv')"
    )
    settled(sample)
    sample.click("[data-settings] summary")
    sample.fill("#s-recall", "0.9")
    sample.fill("#s-prior", "a 0.3, b=0.1, c 2")
    sample.press("#s-prior", "Tab")
    settled(sample)
    assert "Prior of c must lie between 0 and 1, got 2" in sample.inner_text("[data-wrong]")
    sample.fill("#s-prior", "0.3, 0.1, 0.02")
    sample.press("#s-prior", "Tab")
    sample.wait_for_function("() => !document.querySelector('[data-wrong]').textContent")
    settled(sample)
    assert "to the training prior" in sample.inner_text("[data-sentence]")
    assert "recall ≥ 0.9" in sample.inner_text("[data-head]")


def test_the_cost_of_a_mistake_lowers_the_threshold_and_joins_the_table(sample):
    def cheapest(other_than=""):  # the sentence is asked for, and comes after the page is settled
        sample.wait_for_function(
            """(other) => {
              const { textContent } = document.querySelector("[data-cost-words]");
              return textContent && textContent !== other;
            }""",
            arg=other_than,
        )
        words = sample.text_content("[data-cost-words]")
        return words, float(re.search(r"is then (-?[\d.]+?)\.? ", words.replace("\u2212", "-"))[1])

    words, before = cheapest()
    sample.focus("#s-cost")
    for _ in range(4):
        sample.keyboard.press("ArrowRight")
    sample.wait_for_selector("[data-decision=cost]")
    settled(sample)
    _, after = cheapest(other_than=words)
    assert after < before
    assert "cheapest, 200 : 1" in sample.inner_text("[data-head]")
    kept = json.loads(saved(sample, "[data-json]")[0].read_text("utf8"))
    FORM(kept)
    assert kept["targets"]["cost"] == 200
    assert kept["labels"][0]["thresholds"]["cost"] == pytest.approx(after, abs=0.006)


def test_a_saved_figure_is_an_svg_in_light_colours_of_a_dark_page_too(sample):
    sample.evaluate("document.documentElement.dataset.theme = 'dark'")
    path, name = saved(sample, "[data-svg=roc]")
    assert name.endswith("_roc.svg")
    figure = ET.parse(path).getroot()
    assert figure.find("{*}rect").get("fill") == "#ffffff"
    (curve,) = [e for e in figure.findall(".//{*}path") if e.get("stroke-width") == "2px"]
    assert curve.get("stroke") == "rgb(79, 112, 136)"
    assert sample.evaluate("document.documentElement.dataset.theme") == "dark"
    assert sample.errors == []


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # five lines, short ones
def test_the_snippets_run_on_the_saved_file(sample, tmp_path, monkeypatch):
    path, _ = saved(sample, "[data-json]")
    shutil.copy(path, tmp_path / "thresholds.json")
    monkeypatch.chdir(tmp_path)
    scores = torch.full((2, len(library_on_sample().thresholds.names)), -2.0, dtype=torch.float64)
    expected = thresholds.apply(thresholds.read(path), scores).bool().tolist()
    for language, text, given in (
        ("numpy", thresholds_file.NUMPY, scores.numpy()),
        ("torch", thresholds_file.TORCH, scores),
    ):
        sample.click(f"#s-tab-{language}")
        assert sample.inner_text("[data-snippet]") == text.strip()
        space = {"scores": given}
        exec(sample.inner_text("[data-snippet]"), space)
        assert space["decided"].tolist() == expected


def test_every_control_has_a_name_and_every_figure_a_description(sample):
    nameless = sample.eval_on_selector_all(
        "#scores :is(input:not([type=hidden]), select, button, textarea)",
        """list => list.filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim()))
          .map((e) => e.outerHTML)""",
    )
    assert nameless == []
    for label in sample.eval_on_selector_all("#scores svg", "list => list.map((e) => e.ariaLabel)"):
        assert len(label.split()) >= 4


def test_the_page_is_no_wider_than_a_phone(sample):
    sample.set_viewport_size(PHONE)
    assert sample.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
