"""``python -m dcl tune`` as a newcomer uses it, its file, and ``predict`` with that file."""

import csv
import dataclasses
import json
import os
import re
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score

from dcl import decide, thresholds
from dcl.__main__ import main
from dcl.data import DataError
from dcl.data.scores_table import read_prior
from dcl.evaluation import thresholds_file
from dcl_book import kept_scores

ROOT = Path(__file__).parents[2]
LENGTHS = ROOT / "results" / "celeba-30k-length"
SCHEMA = json.loads(
    Path(thresholds.__file__).with_name("thresholds.schema.json").read_text(encoding="utf-8")
)


def is_valid(path):
    jsonschema.validate(json.loads(path.read_text()), SCHEMA, cls=jsonschema.Draft202012Validator)
    return True


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    """A random forest's probabilities for three labels, one of them rare, as a CSV."""
    x, y = make_multilabel_classification(1_200, n_classes=3, n_labels=1, random_state=0)
    train, rest = slice(0, 400), slice(400, None)
    model = RandomForestClassifier(30, random_state=0).fit(x[train], y[train])
    scores = np.stack([part[:, 1] for part in model.predict_proba(x[rest])], 1)
    frame = pd.DataFrame({"id": range(800), "split": ["val", "test"] * 400})
    for a, name in enumerate("abc"):
        frame[f"y_{name}"], frame[f"s_{name}"] = y[rest][:, a], scores[:, a]
    path = tmp_path_factory.mktemp("forest") / "scores.csv"
    frame.to_csv(path, index=False)
    return path, frame


def test_a_threshold_that_does_worse_is_said_to_lose(tmp_path, capsys):
    path = tmp_path / "scores.csv"  # separated at 0.5, and not at the positives' rate, 0.3
    frame = pd.DataFrame({"y_a": [1] * 30 + [0] * 70, "s_a": [0.9] * 30 + [0.4] * 70})
    frame.to_csv(path, index=False)
    assert main(["tune", str(path), "--bootstrap", "0"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "Moving the threshold to each label's own rate loses 50.0 points of balanced accuracy "
        "against 0.5; tuning each label then gains 50.0."
    )


def test_scikit_learn_agrees_at_the_exported_thresholds(forest, tmp_path, capsys):
    path, frame = forest
    out = tmp_path / "thresholds.json"
    command = ["tune", str(path), "--recall", "0.7", "--bootstrap", "3", "--out", str(out)]
    assert main(command) == 0
    assert is_valid(out)
    assert capsys.readouterr().out.startswith("Moving the threshold to each label's own rate gains")
    found = json.loads(out.read_text())
    test = frame[frame["split"] == "test"]
    rows = {
        (row["label"], row["decision"]): row
        for row in csv.DictReader(out.with_suffix(".csv").read_text().splitlines())
    }
    assert len(rows) == 4 * 5
    for label in found["labels"]:
        y, s = test[f"y_{label['name']}"], test[f"s_{label['name']}"]
        for decision in found["decisions"]:
            decided = s > label["thresholds"][decision]
            row = rows[label["name"], decision]
            assert float(row["balanced_accuracy"]) == pytest.approx(
                balanced_accuracy_score(y, decided), abs=1e-12
            )
            assert float(row["f1"]) == pytest.approx(f1_score(y, decided), abs=1e-12)


def test_thresholds_are_read_as_they_were_written(forest, tmp_path):
    path, frame = forest
    scores, labels = frame[["s_a", "s_b", "s_c"]], frame[["y_a", "y_b", "y_c"]]
    found = thresholds.tune(scores, labels, names=list("abc"), recall=0.999, bootstrap=3).thresholds
    found.write(tmp_path / "t.json")
    assert is_valid(tmp_path / "t.json")
    again = thresholds.read(tmp_path / "t.json")
    assert again.as_json() == found.as_json()
    fitted = thresholds.fit(scores, labels, names=list("abc"))
    assert torch.equal(fitted.of("tuned-f1"), again.of("tuned-f1"))
    with pytest.raises(thresholds.ThresholdsError, match="no threshold reaches recall 0.999 for a"):
        again.of("recall")
    without = dataclasses.replace(again, targets={})  # as a file's null reads
    with pytest.raises(thresholds.ThresholdsError, match="no threshold reaches recall for a"):
        without.of("recall")


@pytest.mark.parametrize(
    "snippet", [thresholds_file.NUMPY, thresholds_file.TORCH], ids=["NumPy", "PyTorch"]
)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # five lines, short ones
def test_the_snippets_decide_as_apply_does(snippet, forest, tmp_path, monkeypatch):
    _, frame = forest
    scores = torch.tensor(frame[["s_a", "s_b", "s_c"]].to_numpy())
    found = thresholds.fit(scores, frame[["y_a", "y_b", "y_c"]])
    found.write(tmp_path / "thresholds.json")
    monkeypatch.chdir(tmp_path)
    names = {"scores": scores}
    exec(snippet, names)
    assert len(snippet.splitlines()) == 5
    assert names["decided"].tolist() == thresholds.apply(found, scores).bool().tolist()


def test_offsets_decide_logits_as_the_thresholds_decide_probabilities(forest):
    _, frame = forest
    scores = torch.tensor(frame[["s_a", "s_b", "s_c"]].to_numpy()).clamp(1e-6, 1 - 1e-6)
    found = thresholds.fit(scores, frame[["y_a", "y_b", "y_c"]], names=list("abc"))
    for decision in found.decisions:
        decided = decide(scores.logit().flip(1), offsets=found.offsets(decision, names="cba"))
        assert torch.equal(decided.flip(1), thresholds.apply(found, scores, decision=decision))
    with pytest.raises(thresholds.ThresholdsError, match="b, d stands in one of them alone"):
        found.offsets(names="acd")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "is no thresholds file"),
        ('{"schema": "dcl-thresholds-1", "scale": "percent"}', "unknown scale 'percent'"),
        ('{"schema": "dcl-thresholds-1", "scale": "logit"}', "is no valid thresholds file"),
    ],
)
def test_a_file_of_another_form_is_refused(text, words, tmp_path):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(thresholds.ThresholdsError, match=words):
        thresholds.read(path)
    with pytest.raises(thresholds.ThresholdsError, match="cannot be read"):
        thresholds.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            30,
            "threshold tuned-mA of a must lie in [0, 1], or be -1 where each row is positive, got",
        ),
        (-0.57, "threshold tuned-mA of a must lie in [0, 1]"),
        (10**400, "threshold tuned-mA of a must be a finite number"),
        (-1, None),
        (0, None),
        (1, None),
        (None, None),
    ],
)
def test_a_threshold_that_no_probability_has_is_refused(value, words, forest, tmp_path):
    _, frame = forest
    path = tmp_path / "t.json"
    thresholds.fit(frame[["s_a"]], frame[["y_a"]], names=["a"]).write(path)
    content = json.loads(path.read_text())
    content["labels"][0]["thresholds"]["tuned-mA"] = value
    path.write_text(json.dumps(content))
    if words is None:
        assert is_valid(path)
        thresholds.read(path)
        return
    with pytest.raises(jsonschema.ValidationError):
        is_valid(path)
    with pytest.raises(thresholds.ThresholdsError, match=re.escape(words)):
        thresholds.read(path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "one table, or --labels and --scores"),
        (["{table}", "--labels", "{table}"], "one table, or --labels and --scores"),
        (["{table}", "--out", "t.csv"], "--out must end in .json"),
        (["{table}", "--recall", "1"], "recall must lie in (0, 1)"),
        (["{table}", "--seed", "-1"], "seed must be a whole number"),
        (["{table}", "--bootstrap", "-1"], "bootstrap must be a whole number"),
        (["{table}", "--prior", "2"], "--prior must be rates in (0, 1)"),
        (["none.csv"], "none.csv is missing"),
    ],
)
def test_a_wrong_command_is_refused_in_a_line(arguments, words, forest, capsys):
    arguments = [str(forest[0]) if word == "{table}" else word for word in arguments]
    assert main(["tune", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("name", ["scores.json", "no/such/folder/x.json"])
def test_a_result_never_writes_over_what_is_read(name, forest, tmp_path, capsys):
    table = tmp_path / "scores.csv"
    table.write_bytes(forest[0].read_bytes())
    out = tmp_path / name
    assert main(["tune", str(table), "--bootstrap", "0", "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert table.read_bytes() == forest[0].read_bytes()


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("closed", [True, False])
def test_the_files_are_written_whoever_reads_the_output(
    encoding, closed, forest, tmp_path, monkeypatch
):
    reading, writing = os.pipe()
    if closed:
        os.close(reading)
    out = tmp_path / "t.json"
    with os.fdopen(writing, "w", encoding=encoding) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        status = main(["tune", str(forest[0]), "--bootstrap", "3", "--out", str(out)])
        monkeypatch.undo()
    assert status == (141 if closed else 0)
    assert is_valid(out)
    assert out.with_suffix(".csv").is_file()
    if not closed:
        with os.fdopen(reading, encoding=encoding) as stream:
            assert ("\\xb1" if encoding == "ascii" else "±") in stream.read()


def test_the_files_are_written_without_an_output(forest, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)  # as of a process that starts with it closed
    assert (
        main(["tune", str(forest[0]), "--bootstrap", "0", "--out", str(tmp_path / "t.json")]) == 0
    )
    assert is_valid(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.json", '{"name": "package"}'),
        ("t.json", '{"schema": 2, "method": "dcl"}'),
        ("t.json", "no JSON"),
        ("t.csv", "note,x\n"),
        ("t.csv", "\n"),
    ],
)
def test_only_thresholds_are_written_over(name, content, forest, tmp_path, capsys):
    command = ["tune", str(forest[0]), "--bootstrap", "0", "--out", str(tmp_path / "t.json")]
    for _ in range(2):  # its own are written again
        assert main(command) == 0
    (tmp_path / name).write_text(content)
    assert main(command) == 2
    assert f"--out {tmp_path / name} holds something else than" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == content
    (tmp_path / name).write_text("")
    assert main(command) == 0


def test_what_cannot_be_said_is_named(tmp_path, capsys):
    path = tmp_path / "scores.csv"
    rows = [f"{i},{i % 2},{i % 5 / 4},0,0.5,x" for i in range(12)]
    path.write_text("\n".join(["id,y_a,s_a,y_never,s_never,note", *rows]))
    assert main(["tune", str(path), "--bootstrap", "2"]) == 0
    out = capsys.readouterr().out
    assert "cross-fitted in 5 folds" in out
    assert "columns left out: note" in out
    assert (
        "no metric, in no mean (no positives or no negatives among the rows scored): never" in out
    )
    assert "few: under 20 of the rarer class: a, never" in out


def test_the_sample_of_the_page_is_our_own_scores(tmp_path):
    record = kept_scores.record_with_scores(LENGTHS, "cross-entropy-epochs-300")
    kept_scores.write_table(record, kept_scores.SAMPLE_LABELS, tmp_path / "sample.csv")
    assert (tmp_path / "sample.csv").read_bytes() == kept_scores.SAMPLE.read_bytes()
    assert kept_scores.SAMPLE.stat().st_size < 300_000


def test_percentages_are_not_taken_for_logits_without_a_word(tmp_path, capsys):
    path = tmp_path / "percent.csv"
    path.write_text("y_a,s_a\n" + "".join(f"{i % 2},{40 * (i % 2) + i}\n" for i in range(20)))
    main(["tune", str(path), "--bootstrap", "0"])
    assert (
        "none is negative: if they are percentages, divide them by 100" in capsys.readouterr().out
    )


def test_scores_of_the_negative_class_are_warned_of(forest, tmp_path, capsys):
    turned = pd.read_csv(forest[0])
    for column in turned.columns[turned.columns.str.startswith("s_")]:
        turned[column] = 1 - turned[column]
    turned.to_csv(tmp_path / "turned.csv", index=False)
    for path, told in ((forest[0], False), (tmp_path / "turned.csv", True)):
        assert main(["tune", str(path), "--bootstrap", "0"]) == 0
        assert ("warning: negatives score above positives" in capsys.readouterr().out) == told


def test_rows_that_come_again_are_warned_of(tmp_path, capsys):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"y_a": np.arange(60) % 2, "s_a": generator.random(60)})
    cases = {
        "once": (frame, False),
        "coarse": (frame.round(2), False),
        "votes": (frame.assign(s_a=frame["s_a"].mul(7).round() / 7), False),
        "again": (pd.concat([frame, frame[:7]]), True),
        "a group": (pd.concat([f.assign(group=range(60)) for f in (frame, frame)]), False),
        "splits": (pd.concat([frame.assign(split=s) for s in ("val", "test")]), True),
    }
    for name, (table, told) in cases.items():
        table.to_csv(tmp_path / "s.csv", index=False)
        assert main(["tune", str(tmp_path / "s.csv"), "--bootstrap", "0"]) == 0
        out = capsys.readouterr().out
        assert ("warning: the scores of another row, digit for digit" in out) == told, name
        assert ("14 rows" in out) == (name == "again")


@pytest.mark.parametrize("prefixes", [("", ""), ("y_", "s_")])
def test_two_files_are_joined_with_prefixes_or_without(prefixes, forest, tmp_path, capsys):
    frame = pd.read_csv(forest[0]).assign(id=lambda table: [f"r{n}" for n in range(len(table))])
    names = [name[2:] for name in frame if name.startswith("y_")]
    paths = []
    for kind, prefix in zip("ys", prefixes, strict=True):
        own = {f"{kind}_{name}": f"{prefix}{name}" for name in names}
        keys = [key for key in ("split", "group") if key in frame and kind == "y"]
        paths.append(str(tmp_path / f"{kind}.csv"))
        frame[["id", *keys, *own]].rename(columns=own)[::-1].to_csv(paths[-1], index=False)
    frame[::-1].to_csv(tmp_path / "one.csv", index=False)
    found = []
    for given in (["--labels", paths[0], "--scores", paths[1]], [str(tmp_path / "one.csv")]):
        assert main(["tune", *given, "--bootstrap", "0"]) == 0
        found.append(capsys.readouterr().out.splitlines()[-4:])
    assert found[0] == found[1]


def test_the_prior_is_given_by_name_as_on_the_page(tmp_path):
    assert read_prior("cat 0.02, big dog 0.4", ("big dog", "cat")) == [0.4, 0.02]
    for text in ("cat 0.02", "cat 0.02, dog 0.4", "cat 0.02, 0.4", "cat 0.02, cat 0.4"):
        with pytest.raises(DataError, match="must give each label its rate once, such as"):
            read_prior(text, ("big dog", "cat"))
    with pytest.raises(DataError, match="got 'x'"):
        read_prior("cat x, big dog 0.4", ("big dog", "cat"))


def test_predict_decides_by_a_thresholds_file(tmp_path, capsys):
    record = kept_scores.record_with_scores(LENGTHS, "cross-entropy-epochs-300")
    names = list(json.loads(record.read_text())["test"]["per_attribute"])
    generator = torch.Generator().manual_seed(0)
    limits = torch.randn(40, generator=generator).double() - 2
    found = thresholds.fit(limits.repeat(2, 1), [[0] * 40, [1] * 40], names=names[::-1])
    found.values[:, 2] = limits
    found.write(tmp_path / "t.json")
    (tmp_path / "images").mkdir()
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (55, 47, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")
    command = ["predict", str(record), str(tmp_path / "images"), "--out", str(tmp_path / "p.csv")]
    command += ["--thresholds", str(tmp_path / "t.json")]
    assert main([*command, "--decision", "argmax"]) == 2
    assert "unknown decision 'argmax': choose one of 0.5, prior" in capsys.readouterr().err
    assert main(command) == 0
    assert f"decided by tuned-mA: thresholds of {tmp_path / 't.json'}\n" in capsys.readouterr().out
    for row in csv.DictReader((tmp_path / "p.csv").read_text().splitlines()):
        for name, limit in zip(names[::-1], limits.tolist(), strict=True):
            score = float(row[f"{name}_score"])
            if abs(score - limit) > 1e-4:  # four decimals are written
                assert row[name] == str(int(score > limit))
