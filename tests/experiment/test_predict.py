"""Classes of new images by the network of a record."""

import csv
import json
import re
import shutil

import pytest
import torch
from PIL import Image

from dcl import decide
from dcl.__main__ import main
from dcl.data import DataError, Resident
from dcl.data.table_features import features_again
from dcl.data.table_file import read_table
from dcl.evaluation.thresholds import ALWAYS
from dcl.experiment import records
from dcl.experiment.datasets import Table
from dcl.experiment.records import by_weights_alone
from dcl.experiment.run import run

OPTIONS = {"drawn_faces": 240, "epochs": 1, "height": 24, "width": 20, "device": "cpu"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table of drawn faces, one attribute of three classes, and the record of a run on it."""
    folder = tmp_path_factory.mktemp("predict")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = Table(**OPTIONS, keep_weights=True, results=str(folder / "a.json"))
        data = config.load(show=False)
        record = run(config, data=data, show=False)
        images = next(folder.rglob("images"))
    return record, data, images


@pytest.mark.parametrize("decision", ["argmax", "prior", "tuned-mA", "tuned-f1"])
def test_what_is_written_is_what_the_network_decides(made, decision, tmp_path, capsys):
    record, data, images = made
    out = tmp_path / "found.csv"
    command = ["predict", str(record["path"]), str(images), "--out", str(out)]
    assert main([*command, "--decision", decision]) == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert len(rows) == len(list(images.iterdir()))
    told = capsys.readouterr().out
    assert f"{len(rows)} rows" in told
    how = "the class of the highest score, no" if decision == "argmax" else "thresholds of"
    assert f"decided by {decision}: {how}" in told
    words = record["dataset"]["class_names"]
    for name in data.attributes:
        assert {row[name] for row in rows} <= set(words[name])
        assert all(float(row[f"{name}_score"]) == float(row[f"{name}_score"]) for row in rows)


def test_one_image_is_decided_as_in_its_folder_and_other_files_are_counted(made, tmp_path, capsys):
    record, _, images = made
    folder = tmp_path / "new"
    folder.mkdir()
    for image in sorted(images.iterdir())[:2]:
        shutil.copy(image, folder)
    (folder / "c.heic").write_bytes(b"x")
    command = ["predict", str(record["path"])]
    assert main([*command, str(folder), "--out", str(tmp_path / "all.csv")]) == 0
    assert "no images by their names: 1 .heic" in capsys.readouterr().err
    (first, *_) = sorted(folder.iterdir())
    assert main([*command, str(first), "--out", str(tmp_path / "one.csv")]) == 0
    both = (tmp_path / "all.csv").read_text().splitlines()
    assert (tmp_path / "one.csv").read_text().splitlines() == both[:2]


@pytest.mark.parametrize("place", ["record", "weights", "images", "image", "no/folder.csv"])
def test_nothing_that_is_read_is_written_over(made, place, tmp_path, capsys):
    record, _, images = made
    read = {"record": record["path"], "weights": records.weights_path(record["path"])}
    read |= {"images": images, "image": next(images.iterdir())}
    out = read.get(place, tmp_path / place)
    before = out.read_bytes() if out.is_file() else b""
    assert main(["predict", str(record["path"]), str(images), "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert (out.read_bytes() if out.is_file() else b"") == before
    assert not list(out.parent.glob(".*.part"))


@pytest.mark.parametrize("place", ["/proc/found.csv", "/dev/null", "x" * 300, "x" * 250])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    made, place, tmp_path, monkeypatch, capsys
):
    record, _, images = made
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "read", lambda path: pytest.fail("it works"))
    assert main(["predict", str(record["path"]), str(images), "--out", place]) == 2
    assert f"--out {place} " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["image", "hat_score"])
def test_an_attribute_that_would_be_a_column_twice_is_refused(made, name, tmp_path, capsys):
    record, _, images = made
    renamed = json.loads(record["path"].read_text())
    row = next(iter(renamed["test"]["per_attribute"].values()))
    renamed["test"]["per_attribute"] = {"hat": row, name: row}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(renamed))
    assert main(["predict", str(path), str(images), "--out", str(tmp_path / "p.csv")]) == 2
    assert f"would have two columns {name!r}" in capsys.readouterr().err


def test_a_csv_stays_as_it_is_where_no_image_can_be_read(made, tmp_path, capsys):
    record, _, _ = made
    out = tmp_path / "found.csv"
    out.write_text("image,hat,hat_score\nof another day,0,-1\n")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"no image")
    command = ["predict", str(record["path"]), str(tmp_path / "images"), "--out", str(out)]
    assert main(command) == 2
    assert "no image can be read" in capsys.readouterr().err
    assert "of another day" in out.read_text()
    assert main([*command, "--device", "gpu"]) == 2
    assert "device must be auto, cpu, cuda" in capsys.readouterr().err


def test_the_thresholds_are_those_of_the_kept_network(made):
    from dcl.experiment.predict import _attributes, _offsets
    from dcl.experiment.run import build_criterion, build_model
    from dcl.experiment.trainer import predict

    record, data, _ = made
    record = records.read(record["path"])
    config = Table(**OPTIONS)
    model = build_model(config, data)
    model.load_state_dict(records.read_weights(record_path := made[0]["path"]))
    val = Resident(data.splits["val"], "cpu")
    scores = predict(model, build_criterion(config, data).eval(), val)
    classes = _attributes(record)[1]
    offsets = _offsets(record, record_path, "tuned-mA", classes)
    from dcl import tune_thresholds
    from dcl.evaluation.decisions import prior_offsets

    prior = prior_offsets(data.class_counts)
    kept = _offsets(record, record_path, "prior", classes)
    exists = data.class_counts > 0
    torch.testing.assert_close(
        (kept - kept[:, :1])[exists], (prior - prior[:, :1])[exists], rtol=0, atol=1e-4
    )
    tuned = tune_thresholds(
        scores, torch.from_numpy(data.splits["val"].labels), class_counts=data.class_counts,
        bootstrap=0,
    )  # fmt: skip
    same = decide(scores, offsets=offsets) == decide(scores, offsets=tuned)
    assert same.double().mean() > 0.99  # thresholds are recorded to four digits


@pytest.mark.parametrize("place", ["the table of the record", "labels.csv", "labels.parquet"])
def test_a_table_that_is_no_prediction_is_not_written_over(of_rows, place, tmp_path, capsys):
    record, _, table = of_rows
    new = write(tmp_path / "new.csv", [["tone", "x", "y"], ["low", 1, 2]])
    out = table if place.startswith("the") else tmp_path / place
    if out is not table:
        out.write_bytes(b"path,a\n0.png,1\n" if place.endswith(".csv") else b"PAR1\xff\xfe\0")
    before = out.read_bytes()
    command = ["predict", str(record["path"]), str(new), "--out"]
    assert main([*command, str(out)]) == 2
    assert f"--out {'would write over ' if out is table else ''}{out}" in capsys.readouterr().err
    assert out.read_bytes() == before
    for _ in range(2):  # its own is written again
        assert main([*command, str(tmp_path / "found.csv")]) == 0
    (tmp_path / "empty.csv").touch()
    assert main([*command, str(tmp_path / "empty.csv")]) == 0


def test_the_help_says_what_the_columns_and_the_decisions_are(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    told = capsys.readouterr().out
    assert "of a table its line, where the column names are line 1" in told
    assert "<label>_score" in told
    assert all(word in told for word in ("argmax", *ALWAYS, "recall", "precision"))


def test_what_is_missing_is_named(made, tmp_path, capsys):
    record, _, images = made
    path = record["path"]
    (tmp_path / "none").mkdir()
    for arguments, words in (
        ([path, tmp_path / "none"], "holds no image"),
        (
            [path, images, "--decision", "best"],
            "'best': choose one of argmax, prior, tuned-mA, tuned-f1",
        ),
        ([tmp_path / "no.json", images], "no.json is missing"),
    ):
        assert main(["predict", *map(str, arguments)]) == 2
        assert words in capsys.readouterr().err


def test_a_method_that_decides_by_more_than_the_weights_is_named(made, tmp_path, capsys):
    record, _, images = made
    changed = json.loads(record["path"].read_text())
    config = Table(**OPTIONS, method="crt", keep_weights=True)
    path = tmp_path / "crt.json"
    path.write_text(json.dumps(changed | {"method": "crt", "config": config.recorded()}))
    shutil.copy(record["path"].with_suffix(".safetensors"), path.with_suffix(".safetensors"))
    command = ["predict", str(path), str(images), "--out", str(tmp_path / "found.csv")]
    assert main([*command, "--decision", "argmax"]) == 2
    assert "method 'crt' decides by more than its weights" in capsys.readouterr().err


def test_images_are_decoded_as_the_record_says(made, tmp_path):
    record, _, images = made
    image = sorted(images.iterdir())[0]
    turned = tmp_path / "turned.json"
    changed = json.loads(record["path"].read_text())
    assert changed["dataset"]["decoding"] == {
        "crop": 1.0, "background": [255, 255, 255], "ranges": {},
    }  # fmt: skip
    changed["dataset"]["decoding"]["crop"] = 0.5
    turned.write_text(json.dumps(changed))
    weights = record["path"].with_suffix(".safetensors")
    shutil.copy(weights, turned.with_suffix(".safetensors"))
    cut = tmp_path / "cut" / image.name
    cut.parent.mkdir()
    with Image.open(image) as whole:
        width, height = whole.size
        box = [width / 4, height / 4, 3 * width / 4, 3 * height / 4]
        size = record["dataset"]["shape"][:0:-1]
        whole.convert("RGB").resize(size, Image.Resampling.BILINEAR, box=box).save(cut)
    found = predicted(record | {"path": turned}, image, tmp_path / "a.csv")
    assert found == predicted(record, cut, tmp_path / "b.csv")
    assert found != predicted(record, image, tmp_path / "c.csv")


def test_what_has_nothing_to_do_with_a_method_is_not_said_of_it(made):
    with pytest.raises(RuntimeError, match="out of memory"), by_weights_alone(made[0]["path"], "x"):
        raise RuntimeError("out of memory")


def test_scores_that_need_class_counts_are_of_those_of_the_training(made, tmp_path, monkeypatch):
    record, data, images = made
    monkeypatch.setattr(
        "dcl.protocol.Criterion.scores", lambda self, x, *_: x * 0 + self.class_counts
    )
    rows = predicted(record, images, tmp_path / "counts.csv")
    counts = data.class_counts
    of_two = [a for a, size in enumerate(data.class_sizes) if size == 2]
    assert of_two
    for a in of_two:
        margin = float(counts[a, 1] - counts[a, 0])
        assert {row[f"{data.attributes[a]}_score"] for row in rows.values()} == {f"{margin:.4f}"}


def predicted(record, images, out) -> dict[str, dict[str, str]]:
    """Rows of the CSV by image."""
    assert main(["predict", str(record["path"]), str(images), "--out", str(out)]) == 0
    return {row.pop("image"): row for row in csv.DictReader(out.read_text("utf-8").splitlines())}


@pytest.mark.parametrize("zipped", [False, True])
def test_broken_images_are_listed_and_hidden_ones_passed_over(made, tmp_path, capsys, zipped):
    record, _, images = made
    (tmp_path / "new").mkdir()
    good = sorted(images.iterdir())[:3]
    for path in good:
        shutil.copy(path, tmp_path / "new")
        (tmp_path / "new" / f"._{path.name}").write_bytes(b"\0\5\x16\7")
    (tmp_path / "new" / "Thumbs.db").write_bytes(b"no image")
    (tmp_path / "new" / "cut.png").write_bytes(good[0].read_bytes()[:60])
    (tmp_path / "new" / "empty.png").write_bytes(b"")
    place = tmp_path / "new"
    if zipped:
        place = shutil.make_archive(str(tmp_path / "images"), "zip", place)
    rows = predicted(record, place, tmp_path / "found.csv")
    assert sorted(rows) == [path.name for path in good]
    told = capsys.readouterr()
    assert "3 rows: " in told.out
    assert "2 images are broken and have no row:\n" in told.err
    assert "cut.png: cannot be decoded (" in told.err
    assert "empty.png: is empty" in told.err


def test_a_folder_of_broken_images_alone_is_an_error(made, tmp_path, capsys):
    record, _, _ = made
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.png").write_bytes(b"no image")
    out = tmp_path / "found.csv"
    command = ["predict", str(record["path"]), str(tmp_path / "new"), "--out", str(out)]
    assert main(command) == 2
    assert "no image can be read, the first is" in capsys.readouterr().err
    assert not out.exists()


def test_pixels_are_read_as_in_training(made, tmp_path):
    """Turned, transparent and 16-bit images: the first two are as good as plain ones."""
    record, _, images = made
    image = Image.open(next(images.iterdir())).convert("RGB")
    (tmp_path / "new").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "new" / "plain.png")
    turned = image.transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "new" / "turned.png", exif=exif)
    clear = image.convert("RGBA")
    clear.putpixel((0, 0), (*image.getpixel((0, 0)), 255))
    clear.save(tmp_path / "new" / "opaque.png")
    Image.new("I;16", image.size, 40_000).save(tmp_path / "new" / "wide.png")
    rows = predicted(record, tmp_path / "new", tmp_path / "found.csv")
    assert sorted(rows) == ["opaque.png", "plain.png", "turned.png"]
    assert rows["plain.png"] == rows["turned.png"] == rows["opaque.png"]


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture(scope="module")
def of_rows(tmp_path_factory):
    """A table of two numbers and a text, some cells empty, and the record of a run on it."""
    folder = tmp_path_factory.mktemp("rows")
    rows = [["tone", "x", "y", "label_a", "label_b"]]
    for n in range(120):
        tone = ("low", "mid", "high")[n % 3] if n % 11 else ""
        rows.append([tone, n % 7 if n % 13 else "", n * n % 31, n % 2, "abc"[n // 40]])
    write(folder / "my.csv", rows)
    config = Table(
        data_root=str(folder / "my.csv"), impute="median", epochs=2, device="cpu",
        keep_weights=True, keep_scores=False, results=str(folder / "a.json"),
    )  # fmt: skip
    data = config.load(show=False)
    return run(config, data=data, show=False), data, folder / "my.csv"


def test_rows_are_decided_as_in_the_run_that_learned_them(of_rows, tmp_path, capsys):
    record, data, table = of_rows
    out = tmp_path / "found.csv"
    command = ["predict", str(record["path"]), str(table), "--out", str(out)]
    assert main([*command, "--decision", "argmax"]) == 0
    found = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [row["row"] for row in found] == [str(n) for n in range(2, 122)]
    model = Table(epochs=2).network(data)
    records.load_into(model, records.read_weights(record["path"]), record["path"])
    again, notes = features_again(read_table(table), record["dataset"]["features"])
    median = record["dataset"]["features"]["median"]["x"]
    assert sorted(notes) == [
        "tone: 11 empty cells are no category",
        f"x: 10 of 120 cells are empty and become {median:g}, the training rows' median",
    ]
    trained = {row.tobytes() for split in data.splits.values() for row in split.images}
    assert {row.tobytes() for row in again} == trained
    with torch.no_grad():
        margin = model.eval()(torch.from_numpy(again))[0][:, 0].diff(dim=1)[:, 0]
    assert [float(row["a_score"]) for row in found] == pytest.approx(margin.tolist(), abs=1e-4)
    assert {row["b"] for row in found} <= set("abc")
    assert capsys.readouterr().out.endswith(f"\n120 rows: {out}\n")
    facts = record["dataset"]["features"]
    blank = write(tmp_path / "blank.csv", [["tone", "x", "y"], ["low", 1, ""]])
    filled = write(tmp_path / "filled.csv", [["tone", "x", "y"], ["low", 1, facts["median"]["y"]]])
    one, other = (features_again(read_table(path), facts)[0] for path in (blank, filled))
    assert one.tobytes() == other.tobytes()
    with pytest.raises(
        DataError,
        match="column 'y': is empty, expected a number: training had one in every row. Mend",
    ):
        features_again(read_table(blank), {**facts, "median": {}})


def test_new_numbers_far_from_those_of_the_training_are_told(of_rows, tmp_path):
    facts = of_rows[0]["dataset"]["features"]
    column = facts["names"].index("x")
    low, high = (facts[name][column] for name in ("low", "high"))
    width = high - low
    for values, told in (
        ([low - 0.9 * width, high + 0.9 * width], []),
        ([low, -999, 1000 * high], ["warning: x: 2 of 3 numbers are far from", "-999, row 3"]),
    ):
        rows = [["tone", "x", "y"], *(["low", value, 0] for value in values)]
        notes = features_again(read_table(write(tmp_path / "new.csv", rows)), facts)[1]
        assert len(notes) == bool(told)
        assert all(word in note for note in notes for word in told)
    older = {name: fact for name, fact in facts.items() if name not in ("low", "high")}
    assert features_again(read_table(tmp_path / "new.csv"), older)[1] == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["tone", "x"], ["low", 1]], "there is no column 'y', which the training has: its"),
        ([["tone", "x", "y"], ["low", 1, "two"]], "column 'y': got 'two', expected a finite "
         "number. Mend the cell or take its row out, or leave the cell empty, for the training's "),
        ([["tone", "x", "y"], ["low", 1, ""], ["low", 1, "two"]], "row 3, column 'y': got 'two'"),
        ([["tone", "x", "y"], ["low", 1, "inf"]], "column 'y': got 'inf', expected a finite"),
        ([["tone", "x", "y"], ["low", 1, "1,5"]], "got '1,5', expected a finite number, of digits "
         "and a decimal point alone. Write points for commas, in Python: import pandas; "),
        ([["tone", "x", "y"], ["low", 1, "1e60"]], "column 'y': got 1e+60, too far from the"),
    ],
)  # fmt: skip
def test_new_rows_that_cannot_be_decided_are_named(of_rows, rows, words, tmp_path, capsys):
    table = write(tmp_path / "new.csv", rows)
    out = tmp_path / "found.csv"
    assert main(["predict", str(of_rows[0]["path"]), str(table), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert not re.search("labels|ignore|impute", told)  # which predict has not
    assert not out.exists()


def test_a_table_of_the_one_feature_that_a_network_has_is_decided(tmp_path, capsys):
    rows = [["x", "label"], *([n % 7 + 0.1 * n, n % 2] for n in range(60))]
    config = Table(
        data_root=str(write(tmp_path / "my.csv", rows)), epochs=1, device="cpu",
        keep_weights=True, keep_scores=False, results=str(tmp_path / "a.json"),
    )  # fmt: skip
    record, out = run(config, show=False), tmp_path / "found.csv"
    command = ["predict", str(record["path"]), str(tmp_path / "new.csv"), "--out", str(out)]
    write(tmp_path / "new.csv", [["x"], [1.0], [2.0], []])
    assert main(command) == 0
    assert [row["row"] for row in csv.DictReader(out.read_text("utf-8").splitlines())] == ["2", "3"]
    for rows, words in (
        ([["y"], [1]], "there is no column 'x'"),
        ([["x"], ["1,0"]], "row 2, column 'x': got '1,0'"),
        ([["x"], [1], [""]], "row 3: every cell is empty"),
        ([["x", "label"], [1, 0], ["", 1]], "row 3, column 'x': is empty"),
        ([], "expected a column name, or several with a comma"),
    ):
        write(tmp_path / "new.csv", rows)
        assert main(command) == 2
        assert words in capsys.readouterr().err


def test_a_column_that_the_training_lacks_may_hold_anything(of_rows, tmp_path, capsys):
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    columns = {"tone": ["low", "mid"], "x": [1, 2], "y": [3, 4], "boxes": [[1, 2], [3]]}
    path, out = tmp_path / "new.parquet", tmp_path / "found.csv"
    command = ["predict", str(of_rows[0]["path"]), str(path), "--out", str(out)]
    parquet.write_table(pyarrow.table(columns), path)
    assert main(command) == 0
    parquet.write_table(pyarrow.table(columns | {"x": columns["boxes"]}), path)
    assert main(command) == 2
    assert "column 'x': holds list<" in (told := capsys.readouterr().err)
    assert "--ignore" not in told


def test_what_a_network_was_not_trained_on_is_refused(made, of_rows, tmp_path, capsys):
    image, out = next(made[2].iterdir()), str(tmp_path / "found.csv")
    for record, given, words in (
        (of_rows[0], image, "is of features: give a table of them, .csv, .tsv, .parquet, .pq, got"),
        (made[0], of_rows[2], "is of images: give a folder of them, a .zip or one image, got"),
    ):
        assert main(["predict", str(record["path"]), str(given), "--out", out]) == 2
        assert words in capsys.readouterr().err
