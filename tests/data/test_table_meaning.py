"""What a table means is said, asked or refused: codes, lists, classes in columns, groups, words."""

import math
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from files import write
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dcl.data import DataError, table
from dcl.data.stratify import TooRareError, stratify
from dcl.data.table_codes import Codes
from dcl.data.table_file import Table
from dcl.data.table_labels import attribute_of
from dcl.data.table_lists import attributes_in
from dcl.data.table_words import as_number, names_in, quoted

COUNT = 40
X = [f"{0.1 * math.sin(n + 1):.3f}" for n in range(COUNT)]  # a feature that says nothing
SPLIT = (["train"] * 6 + ["val"] * 2 + ["test"] * 2) * 4


def cells(*values, column="a") -> Table:
    """A table of one column."""
    return Table(path=Path("my.csv"), columns={column: list(map(str, values))},
                 rows=list(range(2, len(values) + 2)))  # fmt: skip


def labels_of(made: Table, column: str, codes: Codes | None = None):
    """Classes (N,) of a column and their names."""
    attribute = attribute_of(made, column, column, codes)
    return attribute.labels, attribute.classes


def write_columns(path: Path, columns: dict[str, list]) -> Path:
    return write(path, [list(columns), *zip(*columns.values(), strict=True)])


def of_features(folder: Path, columns: dict[str, list], **options):
    """The data set of 40 rows of one feature, split in order, and these columns of labels."""
    given = {"x": X, "split": SPLIT} | columns
    options.setdefault("labels", [name for name in columns if not name.startswith("f_")])
    return table.load(write_columns(folder / "my.csv", given), **options)


def all_labels(data, name) -> list[int]:
    """Labels of an attribute, the splits one after another."""
    place = data.attributes.index(name)
    return np.concatenate([split.labels[:, place] for split in data.splits.values()]).tolist()


def in_order(values: list) -> list:
    """Values of 40 rows as `all_labels` has them."""
    return [v for name in ("train", "val", "test") for v, s in zip(values, SPLIT, strict=True)
            if s == name]  # fmt: skip


ASKED = [
    ((-1, 0, 1), "got '-1' in a column that has 0 and 1 as well: tables disagree"),
    (("1.0", "0.0", "-1.0", ""), '--codes "1=yes,-1=no,0=unknown,blank=unknown" or --codes "1=yes'),
    ((-1, 0, 1), 'for this one by --codes "a:1=yes,-1=no,0=unknown"'),
    ((-1, 0, 1, 2), 'by --codes "-1=unknown" or --codes "-1=-1" .a class, .* "a:-1=unknown"'),
    ((-1, 1), 'that has 1 as well: .* by --codes "1=yes,-1=no"'),
    ((-1, 0), 'that has 0 as well: .* by --codes "-1=yes,0=no" or --codes "0=yes,-1=no"'),
]


@pytest.mark.parametrize(("values", "message"), ASKED)
def test_minus_one_beside_zero_or_one_is_refused_with_the_option(values, message):
    made = cells(*values * 4)
    with pytest.raises(DataError, match=message) as caught:
        labels_of(made, "a")
    for codes in re.findall('--codes "(.*?)"', str(caught.value)):
        classes = labels_of(made, "a", Codes(codes, made))[1]
        assert classes == (("no", "yes") if "yes" in codes else ("-1",) * ("-1=-1" in codes)
                           + ("0", "1", "2"))  # fmt: skip


READ = [
    ("1=yes,-1=no,0=unknown", (1, -1, 0, ""), [1, 0, -1, -1], ("no", "yes")),
    ("1=yes,0=no,-1=unknown", ("1.0", "-1.0", "0.0", ""), [1, -1, 0, -1], ("no", "yes")),
    ("1=yes,0=no,-1=yes,blank=no", ("1.0", "-1.0", "0.0", ""), [1, 1, 0, 0], ("no", "yes")),
    ("blank=no", ("1", "0", "", "nan"), [1, 0, 0, -1], ("0", "1")),
    ("blank=no", ("1", "0", "nan", "NA"), [1, 0, 0, 0], ("0", "1")),
    ("x=yes,blank=no", ("x", "", "N/A"), [1, 0, -1], ("no", "yes")),
    ("x=yes,blank=no,N/A=no", ("x", "", "N/A"), [1, 0, 0], ("no", "yes")),
    ("a:blank=no,b:blank=no", ("1.0", "0.0", ""), [1, 0, 0], ("0", "1")),
    ("2=yes", (0, 1, 2), [0, 1, 1], ("0", "1")),
    ("-1=yes,blank=no", ("1.0", "-1.0", ""), [1, 1, 0], ("0", "1")),
    ("maybe=yes,nan=no", ("True", "False", "maybe", "NaN"), [1, 0, 1, 0], ("false", "true")),
    ("?=no", ("Present", "?"), [1, 0], ("absent", "Present")),
    ("blank=0", (1, 2, ""), [1, 2, 0], ("0", "1", "2")),
    ("-1=unknown", (1, -1, 0, ""), [1, -1, 0, -1], ("0", "1")),
    ("?=unknown", ("cat", "dog", "?", ""), [0, 1, -1, -1], ("cat", "dog")),
    ("None=None", ("cat", "dog", "None", ""), [1, 2, 0, -1], ("None", "cat", "dog")),
    ("1=cat,2=dog,9=unknown", (1, 2, 9, 1), [0, 1, -1, 0], ("cat", "dog")),
    ("POS=yes,neg=no", ("pos", "NEG", "Neg", "POS"), [1, 0, 0, 1], ("no", "yes")),
    ("a:1=yes,-1=no,b:1=no,b:-1=yes", (1, -1, 1, -1), [1, 0, 1, 0], ("no", "yes")),
    ("1=no,-1=yes,a:1=yes,a:-1=no", (1, -1, 1, -1), [1, 0, 1, 0], ("no", "yes")),
]


@pytest.mark.parametrize(("codes", "values", "labels", "names"), READ)
def test_codes_say_what_cells_mean(codes, values, labels, names):
    made = cells(*values * 3)
    made.columns["b"] = made.columns["a"]
    found = labels_of(made, "a", Codes(codes, made))
    assert found[0].tolist() == labels * 3
    assert found[1] == names


@pytest.mark.parametrize(
    ("codes", "values", "said"),
    [("blank=no", (1, 2, ""), "a:1=...,2=...,blank=no"), ("2=yes", (1, 2), "a:1=...,2=yes"),
     ("5=no", (0, 1, 3, 5), "a:0=...,1=...,3=...,5=no"), ("1=no", (1, 0), "a:0=...")],
)  # fmt: skip
def test_a_yes_or_no_of_codes_that_is_no_value_of_the_column_asks_for_the_others(
    codes, values, said
):
    made = cells(*values * 4)
    with pytest.raises(DataError, match="a column holds values of one kind") as caught:
        labels_of(made, "a", Codes(codes, made))
    assert f'--codes "{said}"' in str(caught.value)
    obeyed = f"{said.replace('...', 'yes').replace('yes,2=yes', 'no,2=yes')},{codes}"
    assert labels_of(made, "a", Codes(obeyed, made))[1] == ("no", "yes")


@given(st.sampled_from([("0", "1"), ("0.0", "1.0"), ("False", "True"), ("N", "Y"), ("neg", "pos")]),
       st.sampled_from(["no", "yes"]), st.sampled_from(["", "maybe", "-1"]))  # fmt: skip
def test_a_said_yes_or_no_is_that_of_the_pair_beside_it(pair, meaning, cell):
    made = cells(*[*pair, cell] * 4)
    codes = Codes(f"{cell or 'blank'}={meaning}", made)
    labels, names = labels_of(made, "a", codes)
    assert labels.tolist() == [0, 1, ["no", "yes"].index(meaning)] * 4
    assert len(names) == 2


def test_a_spelling_that_codes_brought_is_mended_by_the_code():
    made = cells(*["normal", "ill", ""] * 4)
    with pytest.raises(DataError, match='say by --codes "blank=normal" that they are one class'):
        labels_of(made, "a", Codes("blank=Normal", made))
    made = cells(*["normal", "ill|old", ""] * 4)
    with pytest.raises(DataError, match='say by --codes "blank=Normal" that they are one label'):
        attributes_in(made, "a", "|", Codes("blank=normal,normal=Normal", made))


def test_codes_name_columns_with_commas_and_colons():
    made = cells("1", "-1", "1", column="Effusion, left")
    made.columns["b:c"] = ["1", "-1", "-1"]
    codes = Codes('"Effusion, left:1=yes",-1=no,b:c:1=no,b:c:-1=yes', made)
    assert labels_of(made, "Effusion, left", codes)[0].tolist() == [1, 0, 1]
    assert labels_of(made, "b:c", codes)[0].tolist() == [0, 1, 1]
    assert codes.unused() == []


@pytest.mark.parametrize("text", ["yes", "1=", "=yes", "1=yes,1=no", "a:=no"])
def test_what_is_no_code_is_refused(text):
    with pytest.raises(DataError, match=r"my\.csv: codes (has|gives)"):
        Codes(text, cells("1", "0"))


@pytest.mark.parametrize("code", ["-1=nan", "9=missing", "9=?", "9=-1", "9=unkown", "blank=NA"])
def test_a_meaning_that_says_nothing_is_no_class(code):
    made = cells(*["0", "1", "9", "-1", ""] * 4)
    said = f"{code.split('=')[0]}=unknown"
    with pytest.raises(DataError, match=f'class called .*: if nothing is known .* "{said}"; a cl'):
        Codes(code, made)
    Codes(said, made)
    Codes("9=unknown1x,?=not known,None=none,-1=-1.0", made)


def test_a_code_of_a_column_that_is_none_is_refused_before_all_else():
    made = cells(*["1", "2"] * 4, column="label_a")
    with pytest.raises(DataError, match="has 'a:1', which is neither a cell nor of .* label_a"):
        Codes("a:1=yes,2=no", made)


def test_a_code_that_no_cell_has_is_told(tmp_path):
    data = of_features(tmp_path, {"a": [1, 0] * 20}, codes="1=yes,0=no,-1=unknown,x:1=yes")
    assert "warning: no label is '-1', which codes speaks of" in data.facts["notes"]
    assert "warning: no label is 'x:1', which codes speaks of" in data.facts["notes"]
    with pytest.raises(DataError, match="codes has 'b:1', which is neither a cell nor of one of "
                                        "the columns x, split, a"):  # fmt: skip
        of_features(tmp_path, {"a": [1, 0] * 20}, codes="b:1=yes")


@pytest.mark.parametrize("word", ["None", "<NA>", "null", "NaN", "nan", "N/A", "NA", ""])
def test_a_missing_label_as_a_text_is_unknown_and_counted(tmp_path, word):
    data = of_features(tmp_path, {"a": ["cat", "dog", word, "dog"] * 10})
    assert all_labels(data, "a").count(-1) == 10
    told = f"a: 10 of 40 labels unknown (10 {repr(word) if word else 'empty'})"
    assert told in data.facts["notes"]


@pytest.mark.parametrize(
    ("words", "none"),
    [(["mild", "severe", "mild"], "none"), (["Mild", "Severe disease", "Mild"], "None"),
     (["MILD", "SEVERE", "MILD"], "NONE"), (["mild", "mild", "mild"], "none")],
)  # fmt: skip
def test_none_written_as_the_other_words_is_asked_about(words, none, tmp_path):
    columns = {"a": [none, *words] * 10}
    told = f'say by --codes "{none}={none}" that it is a class, or by --codes "{none}=unknown" that'
    with pytest.raises(DataError, match=f"got '{none}', in 10 of 40 rows: {told}"):
        of_features(tmp_path, columns)
    named = of_features(tmp_path, columns, codes=f"{none}={none}").facts["class_names"]["a"]
    assert set(named) == {none, *words}
    if len(set(words)) > 1:
        unknown = of_features(tmp_path, columns, codes=f"{none}=unknown")
        assert all_labels(unknown, "a").count(-1) == 10


@pytest.mark.parametrize(
    ("words", "codes", "names"),
    [
        (["1", "2", "4A", "4B"], "4A=4A,4B=4B", ("1", "2", "4A", "4B")),
        (["0", "1+", "2+", "3+"], "0=0", ("0", "1+", "2+", "3+")),
        (["0", "0.5", "1", "2"], "0.5=0.5", ("0", "0.5", "1", "2")),
        (["0", "1", "5", "0"], "5=maybe", ("0", "1", "maybe")),
    ],
)
def test_a_class_that_codes_name_may_stand_among_others(words, codes, names, tmp_path):
    columns = {"a": words * 10}
    if "maybe" not in codes:
        with pytest.raises(DataError, match=r"got '.*' among|got '0.5', expected a class"):
            of_features(tmp_path, columns)
    data = of_features(tmp_path, columns, codes=codes)
    assert data.facts["class_names"]["a"] == names


def test_a_cell_that_says_blank_is_no_empty_one(tmp_path):
    columns = {"a": ["blank", "deer", "", "fox"] * 10}
    data = of_features(tmp_path, columns, codes="blank=no animal,empty=unknown")
    assert data.facts["class_names"]["a"] == ("deer", "fox", "no animal")
    assert all_labels(data, "a").count(-1) == 10
    told = of_features(tmp_path, columns, codes="empty=none seen").facts["class_names"]["a"]
    assert told == ("blank", "deer", "fox", "none seen")


def test_none_of_a_list_is_asked_about(tmp_path):
    columns = {"a": ["Mass|Nodule", "Nodule", "None", "Mass"] * 10}
    with pytest.raises(DataError, match=r'--codes "None=no" that its rows have none of them, or'):
        of_features(tmp_path, columns, separator="|")
    data = of_features(tmp_path, columns, separator="|", codes="None=no")
    assert all_labels(data, "Mass") == in_order([1, 0, 0, 1] * 10)
    unknown = of_features(tmp_path, columns, separator="|", codes="None=unknown")
    assert all_labels(unknown, "Mass") == in_order([1, 0, -1, 1] * 10)


def test_whole_numbers_are_classes_called_by_them(tmp_path):
    data = of_features(tmp_path, {"a": [402, 3, 5021, 17] * 10, "b": [1, 2, 2, 2] * 10})
    assert data.facts["class_names"]["a"] == ("3", "17", "402", "5021")
    assert all_labels(data, "a") == in_order([2, 0, 3, 1] * 10)
    assert data.classes == (4, 2)
    assert data.facts["positive"] == {"b": "1"}  # the rarer
    assert "a: 4 classes called by their numbers, '3', '17', '402', '5021'" in data.facts["notes"]
    with pytest.raises(DataError, match="40 whole numbers in 40 rows are no classes: ignore it"):
        of_features(tmp_path, {"a": list(range(COUNT))})


def test_a_cross_or_nothing_asks_what_nothing_means():
    made = cells(*["x", ""] * 4)
    with pytest.raises(DataError, match='if an empty cell means no: --codes "x=yes,blank=no"'):
        labels_of(made, "a")
    assert labels_of(made, "a", Codes("x=yes,blank=no", made))[0].tolist() == [1, 0] * 4


def test_leading_zeros_stay():
    labels, names = labels_of(cells("01", "00", "02", "01", "00", "10", "10", "02", ""), "a")
    assert names == ("00", "01", "02", "10")
    assert labels.tolist() == [1, 0, 2, 1, 0, 3, 3, 2, -1]
    with pytest.raises(DataError, match=r"row 3, .* got '1', spelt '01' in row 2: .* --codes"):
        labels_of(cells("01", "1", "00", "00"), "a")
    made = cells("01", "1", "00", "00")
    assert labels_of(made, "a", Codes("1=01", made))[0].tolist() == [1, 1, 0, 0]


LISTS = [
    ["Cat|Dog", "Cat", "Dog|Bird"], ["a;b", "c"], ["Mass, Nodule", "Nodule", "None"],
    ["scab", "rust", "scab rust"], ["1 4", "2", "3"], ["['Cat', 'Dog']", "['Bird']"],
    ["red/blue", "red", "green"], ["1,4", "4", "2"], ["a+b", "b", "c"],
    ["Cat - Dog", "Cat", "Dog"], ["Cat_Dog", "Cat", "Dog"], ["Cat#Dog", "Dog", "Cat"],
    ["cat and dog", "cat", "dog", "owl"], ["Hund:Katze", "Hund", "Katze"],
]  # fmt: skip


@pytest.mark.parametrize("words", LISTS)
def test_cells_that_look_like_lists_ask_for_the_separator(words):
    made = cells(*words * 4)
    with pytest.raises(DataError, match="which looks like 2 labels: say by --separator ") as caught:
        labels_of(made, "a")
    (mark,) = shlex.split(re.search("--separator (.*?) that each", str(caught.value))[1])
    found, _ = attributes_in(made, "a", mark, Codes("None=no", made))
    assert 2 <= len(found) <= 4


VECTORS = [
    ("tags", ["[1, 1, 0]", "[0, 0, 0]", "", "[1, 0, 1]"], ","),
    ("label_tags", ["[1 1 0]", "[0 0 1]", "[0 0 0]", "[1 0 0]"], " "),
    ("label", ["[1. 1. 0.]", "[0. 0. 1.]", "", "[1. 0. 0.]"], " "),
    ("tags", ["(True, False)", "(False, False)", "(False, True)", ""], ","),
    ("tags", ["1|0", "0|0", "0|1", "0|0"], "|"),
    ("tags", ["1,0", "0,1", "0,0", "0,0"], ","),
]


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize(("name", "words", "mark"), VECTORS)
def test_a_vector_of_yes_and_no_is_refused_with_the_line_that_parts_it(
    name, words, mark, said, tmp_path
):
    with pytest.raises(DataError, match=r"looks like a vector of \d yes-or-no labels") as got:
        of_features(tmp_path, {name: words * 10}, separator=mark if said else "")
    exec(re.search(r"in Python: (.*?, index=False\))", str(got.value))[1], {})
    data = table.load(tmp_path / "my-columns.csv")
    bits = [re.findall(r"[01]|True|False", cell) for cell in words]
    for place, attribute in enumerate(data.attributes):
        assert attribute == f"{'' if name == 'label' else 'tags_'}{place}"
        expected = [int(row[place] in ("1", "True")) if row else -1 for row in bits]
        assert all_labels(data, attribute) == in_order(expected * 10)
    assert len(data.attributes) == len(bits[0])
    text = of_features(tmp_path, {name: words * 10}, separator="none", labels=[name])
    assert len(text.attributes) == 1


def test_lists_of_zeros_and_ones_of_several_lengths_are_lists(tmp_path):
    data = of_features(tmp_path, {"a": ["0|1", "1", "0", "0"] * 10}, separator="|")
    assert data.attributes == ("0", "1")


def test_a_label_that_every_known_row_has_asks_what_an_empty_cell_means(tmp_path):
    for empty, hint in (("", True), ("NaN", True), ("?", False)):
        columns = {"a": ["defect", "defect|scratch", empty, "defect"] * 10}
        codes = "" if hint else "?=unknown"
        with pytest.raises(DataError, match="every row with a known label has 'defect'") as caught:
            of_features(tmp_path, columns, separator="|", codes=codes)
        assert ('if an empty cell means no: --codes "blank=no"' in str(caught.value)) == hint
    columns = {"a": ["defect", "defect|scratch", "", "defect"] * 10}
    data = of_features(tmp_path, columns, separator="|", codes="blank=no")
    assert all_labels(data, "defect") == in_order([1, 1, 0, 1] * 10)
    with pytest.raises(DataError, match="every row has 'defect'"):
        of_features(tmp_path, {"a": ["defect", "defect|scratch"] * 20}, separator="|")


@pytest.mark.parametrize(
    "words",
    [
        ["light brown", "dark brown", "black"],
        ["New York", "Berlin"],
        ["St. Paul/MN", "x"],
        ["T-cell", "B-cell"],
        ["salt and pepper", "salt"],
        ["low", "very_low"],
    ],
)
def test_words_of_two_words_are_no_lists(words):
    assert len(labels_of(cells(*words * 4), "a")[1]) == len(words)


def test_a_separator_makes_an_attribute_of_each_label(tmp_path):
    column = ["Cat|Dog", "No Finding", "Dog", "", "Bird | Cat"] * 8
    data = of_features(tmp_path, {"a": column}, separator="|")
    assert data.attributes == ("Bird", "Cat", "Dog", "No Finding")
    assert data.classes == 2
    assert all_labels(data, "Cat") == in_order([1, 0, 0, -1, 1] * 8)
    assert all_labels(data, "No Finding") == in_order([0, 1, 0, -1, 0] * 8)
    told = [note for note in data.facts["notes"] if "beside another" in note]
    assert told == [
        "a: no cell has 'No Finding' beside another. If one of them means none, say "
        '--codes "No Finding=no"'
    ]
    said = of_features(
        tmp_path, {"a": column}, separator="|", codes="No Finding=no,blank=no,Bird=Owl"
    )
    assert said.attributes == ("Cat", "Dog", "Owl")
    assert all_labels(said, "Owl") == in_order([0, 0, 0, 0, 1] * 8)
    text = of_features(tmp_path, {"a": column}, separator="none")
    assert text.facts["class_names"]["a"] == ("Bird | Cat", "Cat|Dog", "Dog", "No Finding")
    with pytest.raises(DataError, match="no cell of the columns of labels, 'a', has the separator"):
        of_features(tmp_path, {"a": column}, separator=";")


def test_lists_of_two_columns_are_called_by_both(tmp_path):
    data = of_features(
        tmp_path, {"a": ["1 4", "2", "4", "1"] * 10, "b": ["x 1", "1", "x", "x"] * 10},
        separator=" ",
    )  # fmt: skip
    assert data.attributes == ("a 1", "a 2", "a 4", "b 1", "b x")
    assert all_labels(data, "a 4") == in_order([1, 0, 1, 0] * 10)


ONE_HOT = {
    "MEL": ["1.0", "0.0", "0.0", "0.0"] * 10,
    "N,V": ["0.0", "1.0", "0.0", "0.0"] * 10,
    "BCC": ["0.0", "0.0", "1.0", "1.0"] * 10,
}


def test_columns_of_one_yes_in_each_row_are_told_and_made_one_label(tmp_path):
    data = of_features(tmp_path, ONE_HOT)
    assert data.attributes == ("MEL", "N,V", "BCC")
    assert any("exactly one yes among 'MEL', 'N,V', 'BCC'" in note and "--exclusive all" in note
               for note in data.facts["notes"])  # fmt: skip
    odd = ONE_HOT | {"MEL": ["1.0", "0.0", "0.0", "0.0"] * 9 + ["0.0"] * 4}
    assert any("each row but 1 has exactly one yes among 'MEL', 'N,V', 'BCC': if" in note
               and "mend the others and say" in note
               for note in of_features(tmp_path, odd).facts["notes"])  # fmt: skip
    rare = {"a": [0, 0] + [1] * 38, "b": [1] + [0] * 39}  # by chance: b is as rare as none is
    assert not any("exactly one" in note for note in of_features(tmp_path, rare).facts["notes"])
    one = of_features(tmp_path, ONE_HOT, exclusive=["all"])
    assert one.attributes == ("label",)
    assert one.class_names == ("MEL", "N,V", "BCC")
    assert all_labels(one, "label") == in_order([0, 1, 2, 2] * 10)
    more = ONE_HOT | {"hat": [1, 1, 0, 1] * 10}
    told = of_features(tmp_path, more).facts["notes"]
    assert any("""--exclusive 'MEL,"N,V",BCC'""" in note for note in told)
    some = of_features(tmp_path, more, exclusive=["MEL", "N,V", "BCC"])
    assert some.attributes == ("hat", "label")
    assert some.classes == (2, 3)


@pytest.mark.parametrize(
    ("change", "exclusive", "message"),
    [
        ({"MEL": ["1", "1", "0", "0"] * 10}, ["all"], "row 3, column 'MEL': .* more than one is"),
        ({"BCC": ["0", "0", "0", "1"] * 10}, ["all"], "row 4, .* none is yes, in 10 of 40 rows"),
        ({"BCC": ["1", "2", "1", "2"] * 10}, ["all"], "column 'BCC': has '1', '2': exclusive is"),
        ({}, ["MEL"], "exclusive names 'MEL', expected two columns"),
        ({}, ["MEL", "NV"], "exclusive names 'NV', expected"),
    ],
)
def test_columns_that_do_not_exclude_each_other_are_named(tmp_path, change, exclusive, message):
    with pytest.raises(DataError, match=message):
        of_features(tmp_path, ONE_HOT | change, exclusive=exclusive)


def test_an_empty_row_of_exclusive_columns_is_unknown(tmp_path):
    rows = {name: ["", *column[1:]] for name, column in ONE_HOT.items()}
    data = of_features(tmp_path, rows, exclusive=["all"])
    assert all_labels(data, "label")[0] == -1
    assert "label: 1 of 40 labels unknown (1 empty)" in data.facts["notes"]


def test_the_rarer_word_in_training_is_positive_and_can_be_chosen(tmp_path):
    words = {"state": (["ok"] * 3 + ["defect"]) * 10, "sex": ["f", "m", "m", "m"] * 10}
    data = of_features(tmp_path, words)
    assert data.facts["positive"] == {"state": "defect", "sex": "f"}
    assert data.facts["class_names"]["state"] == ("ok", "defect")
    assert all_labels(data, "state") == in_order([0, 0, 0, 1] * 10)
    assert any("state: F1, precision, recall and AP are of 'defect', rarer in training" in note
               and "--positive" in note for note in data.facts["notes"])  # fmt: skip
    chosen = of_features(tmp_path, words, positive="OK,sex=m")
    assert chosen.facts["positive"] == {"state": "ok", "sex": "m"}
    assert chosen.facts["class_names"]["state"] == ("defect", "ok")
    assert not any("positive" in note for note in chosen.facts["notes"])
    with pytest.raises(DataError, match="positive has 'broken', expected a class of an attribute"):
        of_features(tmp_path, words, positive="broken")
    with pytest.raises(DataError, match="positive names both classes of state"):
        of_features(tmp_path, words, positive="ok,state=defect")


@pytest.mark.parametrize(
    "pair",
    [("no", "yes"), ("FALSE", "TRUE"), ("0", "1"), ("Negative", "Positive"), ("absent", "present"),
     ("N", "Y"), ("-", "+")],
)  # fmt: skip
def test_known_pairs_keep_their_positive_word(tmp_path, pair):
    no, yes = pair
    data = of_features(tmp_path, {"a": [yes, yes, yes, no] * 10})
    assert data.facts["positive"]["a"].lower() == yes.lower()
    assert all_labels(data, "a") == in_order([1, 1, 1, 0] * 10)
    turned = of_features(tmp_path, {"a": [yes, yes, yes, no] * 10}, positive=f"a={no}")
    assert all_labels(turned, "a") == in_order([0, 0, 0, 1] * 10)


def test_no_group_is_in_two_splits_and_each_has_every_class(tmp_path):
    rng = np.random.default_rng(0)
    patient = rng.integers(0, 40, 200)
    columns = {
        "x": [f"{value:.6f}" for value in rng.normal(size=200)],
        "patient": [f"P{number}" for number in patient],
        "label": np.where(patient % 4, "healthy", "ill").tolist(),
    }
    data = table.load(write_columns(tmp_path / "my.csv", columns), group="patient")
    values = np.array(list(map(float, columns["x"])))
    facts = data.facts["features"]
    where = {}
    for name, split in data.splits.items():
        for value in split.images[:, 0] * facts["std"][0] + facts["mean"][0]:
            row = int(abs(values - value).argmin())
            where.setdefault(columns["patient"][row], set()).add(name)
        assert set(split.labels[:, 0]) == {0, 1}
    assert len(where) == len(set(patient.tolist()))
    assert all(len(splits) == 1 for splits in where.values())
    assert data.facts["features"]["names"] == ["x"]  # the group is no feature
    assert 20 <= len(data.splits["test"]) <= 40
    assert "each patient in one of them" in data.facts["notes"][0]


@given(st.integers(0, 2**31), st.integers(12, 60))
def test_a_split_of_groups_keeps_shares_and_cuts_none(seed, count):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, count, 8 * count)
    labels = np.stack([rng.choice(3, len(groups)), rng.choice([-1, 0, 1], len(groups))], 1)
    try:
        parts = stratify(labels, (0.7, 0.15, 0.15), seed, groups)
    except TooRareError:
        assert count < 20
        return
    for group in set(groups.tolist()):
        assert len(set(parts[groups == group].tolist())) == 1
    for column in labels.T:
        for label in set(column.tolist()) - {-1}:
            assert set(parts[column == label].tolist()) == {0, 1, 2}
    assert abs(np.bincount(parts) / len(parts) - (0.7, 0.15, 0.15)).max() < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_many_small_classes_beside_large_ones_are_in_every_part(seed):
    labels = np.stack([[0, 0, 1] * 20, np.arange(60) // 5], axis=1)
    parts = stratify(labels, (0.7, 0.15, 0.15), seed)
    for label in range(12):
        assert sorted(np.bincount(parts[labels[:, 1] == label])) == [1, 1, 3]


def test_a_group_that_a_given_split_cuts_is_named(tmp_path):
    columns = {"a": [0, 1] * 20, "f_id": [f"P{n // 2}" for n in range(COUNT)]}
    data = of_features(tmp_path, columns, group="f_id")
    assert len(data.splits["train"]) == 24
    columns["f_id"][5] = "P3"  # row 7 is of training, P3's others of validation
    with pytest.raises(DataError, match=r"column 'f_id': 1 group lies in more than one split: 'P3'"
                                        r"\. .* --ignore split"):  # fmt: skip
        of_features(tmp_path, columns, group="f_id")
    columns["f_id"][5] = ""
    assert of_features(tmp_path, columns, ignore=["f_id"]).attributes == ("a",)
    with pytest.raises(DataError, match="row 7, column 'f_id': is empty, in 1 of 40 rows: a row"):
        of_features(tmp_path, columns, group="f_id", ignore=["split"])
    with pytest.raises(DataError, match="group names 'patient', but the columns are x, split"):
        of_features(tmp_path, columns, group="patient")
    with pytest.raises(DataError, match="group names 'a', which `labels` names as well"):
        of_features(tmp_path, columns, group="a")
    columns["f_id"][5] = "unknown"
    with pytest.raises(DataError, match="row 7, column 'f_id': is empty, 'unknown', in 1 of 40"):
        of_features(tmp_path, columns, group="f_id", ignore=["split"])
    columns["f_id"] = ["north", "south"] * 20
    with pytest.raises(DataError, match="has 2 groups: train, val and test need one each"):
        of_features(tmp_path, columns, group="f_id", ignore=["split"])


def test_copies_lie_apart_with_a_warning_where_a_class_has_too_few_pictures(tmp_path):
    for n in range(30):
        Image.new("L", (16, 16), min(n, 20)).save(tmp_path / f"{n}.png")
    columns = {"path": [f"{n}.png" for n in range(30)], "a": [0] * 20 + [1] * 10}
    data = table.load(write_columns(tmp_path / "my.csv", columns), size=(16, 16), progress=False)
    assert all(set(split.labels[:, 0]) == {0, 1} for split in data.splits.values())
    told = [note for note in data.facts["notes"] if "byte for byte" in note]
    assert told[0].startswith("1 picture comes more than once, byte for byte, in 10 rows: ")
    assert told[1].startswith("warning: 1 picture is in more than one split")


def test_a_class_of_too_few_groups_is_named(tmp_path):
    columns = {"a": [1] * 8 + [0] * 32, "f_id": [f"P{n // 4}" for n in range(COUNT)]}
    with pytest.raises(DataError, match="the class '1' of a is in 2 groups of f_id, too few"):
        of_features(tmp_path, columns, group="f_id", ignore=["split"])


def test_a_column_left_out_whose_values_come_again_in_another_split_is_warned_of(tmp_path):
    columns = {"a": [0, 1] * 20, "f_id": [f"P{n // 3}" for n in range(COUNT)],
               "f_one": ["x"] * COUNT, "f_row": [f"r{n}" for n in range(COUNT)]}  # fmt: skip
    data = of_features(tmp_path, columns, ignore=["f_id", "f_one", "f_row"])
    (told,) = [note for note in data.facts["notes"] if "--group" in note]
    assert told.startswith("warning: rows in different splits share values of columns left out: ")
    assert "f_id (" in told
    assert "of 14 values)" in told
    assert "f_one" not in told
    assert "f_row" not in told
    assert told.endswith("--group f_id")


def test_a_column_that_nobody_called_a_label_and_that_names_things_is_asked_about(tmp_path):
    for n in range(60):
        Image.new("L", (16, 16), n).save(tmp_path / f"{n}.png")
    columns = {"path": [f"{n}.png" for n in range(60)], "dx": ["nv", "nv", "mel"] * 20,
               "lesion": [f"L{n // 5}" for n in range(60)]}  # fmt: skip
    path = write_columns(tmp_path / "my.csv", columns)
    with pytest.raises(DataError, match="column 'lesion': has 12 different values in 60 rows: .* "
                                        "--ignore lesion, .* --group lesion, or"):  # fmt: skip
        table.load(path, progress=False)
    for options in ({"group": "lesion"}, {"ignore": ["lesion"]}):
        found = table.load(path, size=(16, 16), progress=False, **options)
        assert found.attributes == ("dx",)
    named = table.load(path, size=(16, 16), progress=False, labels=["dx", "lesion"])
    assert named.classes == (2, 12)


def test_a_feature_that_counts_the_rows_or_has_no_name_is_refused(tmp_path):
    for values in (list(range(COUNT)), list(range(7, COUNT + 7))[::-1]):
        with pytest.raises(DataError, match=r"column 'f_n': counts the rows, from \d+ to \d+: .* "
                                            r"--ignore f_n"):  # fmt: skip
            of_features(tmp_path, {"a": [0, 1] * 20, "f_n": values})
    for name in ("", "Unnamed: 1", "Unnamed: 0.1", "__index_level_0__"):
        with pytest.raises(DataError, match='has no name, .* leave it out by --ignore ["_]'):
            of_features(tmp_path, {"f_": X, name: X[::-1], "a": [0, 1] * 20}, labels=["a"])
    columns = {"a": [0, 1] * 20, "": range(COUNT)}
    data = of_features(tmp_path, columns, labels=["a"], ignore=["Unnamed: 3"])
    assert data.facts["features"]["names"] == ["x"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([3 * n + n % 2 for n in range(COUNT)], True),
        ([f"{2 * n}.0" for n in range(COUNT)], True),
        ([n + n % 2 for n in range(COUNT)], False),
        ([n / 7 for n in range(COUNT)], False),
    ],
)
def test_numbers_of_the_rows_of_a_filtered_table_are_pointed_out(values, told, tmp_path):
    notes = of_features(tmp_path, {"a": [0, 1] * 20, "f_n": values}).facts["notes"]
    assert any("f_n rises from row to row, as the numbers of rows do" in x for x in notes) == told


def test_a_counter_with_gaps_is_a_counter(tmp_path):
    values = ["", *range(1, COUNT)]
    with pytest.raises(DataError, match="column 'f_n': counts the rows, from 1 to 39"):
        of_features(tmp_path, {"a": [0, 1] * 20, "f_n": values}, impute="median")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("patient_id", True),
        ("imageID", True),
        ("ID", True),
        ("paid", False),
        ("f_grid", False),
        ("patient", True),
        ("Index", True),
        ("record_number", True),
        ("uid", True),
        ("body_mass_index", False),
        ("suitcase", False),
        ("pulse", False),
    ],
)
@pytest.mark.parametrize("value", ["{}", "P{}"])
def test_a_feature_whose_name_is_that_of_an_id_is_pointed_out(name, told, value, tmp_path):
    columns = {"a": [0, 1] * 20, name: [value.format(100 + n // 4) for n in range(COUNT)]}
    notes = of_features(tmp_path, columns, labels=["a"]).facts.get("notes", [])
    words = f"warning: {name} is called as an id is, and is a feature"
    assert any(note.startswith(words) for note in notes) == told


@pytest.mark.parametrize("name", ["patient", "hospital", "Site", "subject_name", "clinic no"])
@pytest.mark.parametrize("value", ["{}", "H{}"])
def test_a_feature_that_names_groups_in_several_splits_says_so(name, value, tmp_path):
    """As texts and as numbers; obeyed, no group is in two splits."""
    columns = {"a": [0, 1] * 20, name: [value.format(10 + n % 7) for n in range(COUNT)]}
    (told,) = [n for n in of_features(tmp_path, columns, labels=["a"]).facts["notes"]
               if "--group" in n]  # fmt: skip
    assert "It has 7 values, and 7 of them lie in more than one split" in told
    assert told.startswith(f"warning: {name} is called as a")
    data = of_features(tmp_path, columns, labels=["a"], group=name, ignore=["split"])
    assert data.facts["features"]["names"] == ["x"]
    assert not any("is called as" in note for note in data.facts["notes"])


def test_few_patients_in_several_splits_are_pointed_out(tmp_path):
    columns = {"a": [0, 1] * 20, "patient": [f"P{n % 4}" for n in range(COUNT)]}
    notes = of_features(tmp_path, columns, labels=["a"]).facts["notes"]
    assert any("It has 4 values, and 4 of them lie in more than one split" in n for n in notes)


@pytest.mark.parametrize(
    "values",
    [[f"{n / 7:.3f}" for n in range(COUNT)], ["A", "B"] * 20, ["A", "B", "C", "D"] * 10],
    ids=["measured", "two", "four"],
)
def test_a_place_that_is_measured_or_cannot_be_a_group_is_a_feature(values, tmp_path):
    columns = {"a": [0, 1] * 20, "location": values}
    notes = of_features(tmp_path, columns, labels=["a"]).facts["notes"]
    assert not any("location is called" in note for note in notes)


def test_empty_features_are_imputed_by_the_training_rows(tmp_path):
    values = [f"{n % 7}" if n % 5 else "" for n in range(COUNT)]
    columns = {"a": [0, 1] * 20, "f_age": values}
    with pytest.raises(DataError, match="row 2, column 'f_age': is empty, expected a finite number,"
                                        " in 8 of 40 rows: --impute median"):  # fmt: skip
        of_features(tmp_path, columns)
    data = of_features(tmp_path, columns, impute="median")
    train = [float(v) for v, s in zip(values, SPLIT, strict=True) if v and s == "train"]
    assert set(data.facts["features"]["median"]) == {"x", "f_age"}  # of all, for new rows
    assert data.facts["features"]["median"]["f_age"] == np.median(train)
    filled = np.array([float(v) if v else np.median(train) for v in in_order(values)])
    mean, std = filled[:24].mean(), filled[:24].std()
    found = np.concatenate([split.images[:, 1] for split in data.splits.values()])
    np.testing.assert_allclose(found, (filled - mean) / std, rtol=1e-5, atol=1e-6)
    assert any("f_age: 8 of 40 cells are empty" in note for note in data.facts["notes"])
    assert "median" not in of_features(tmp_path, {"a": [0, 1] * 20}).facts["features"]


def test_a_text_feature_is_one_feature_for_each_category_of_training(tmp_path):
    site = ["A", "B", "C", "A"] * 10
    site[8], site[9] = "D", "E"  # a test row's alone, as the split goes 6, 2, 2
    data = of_features(tmp_path, {"a": [0, 1] * 20, "f_site": site})
    names = data.facts["features"]["names"]
    assert names == ["x", "f_site=A", "f_site=B", "f_site=C"]
    mean, std = (np.array(data.facts["features"][key]) for key in ("mean", "std"))
    raw = np.concatenate([s.images for s in data.splits.values()]) * std + mean
    expected = [[float(value == name) for name in "ABC"] for value in in_order(site)]
    np.testing.assert_allclose(raw[:, 1:], expected, atol=1e-5)
    assert any("2 rows of val and test have a category that training lacks, 'D', 'E'" in note
               for note in data.facts["notes"])  # fmt: skip
    with pytest.raises(DataError, match="24 different texts in 40 rows are none.*--ignore f_note"):
        of_features(tmp_path, {"a": [0, 1] * 20, "f_note": [f"n{k}" for k in range(COUNT)]})
    for cell in ("0,5", "5 %", "<5", "1'000"):
        with pytest.raises(DataError, match=f"got '{cell}'.* of digits and a decimal point alone"
                           .replace("'1'000'", '"1\'000"')):  # fmt: skip
            of_features(tmp_path, {"a": [0, 1] * 20, "f_size": [cell, "1,5"] * 20})


def test_a_row_for_each_label_shows_the_line_that_folds_it(tmp_path, monkeypatch):
    import pandas

    monkeypatch.chdir(tmp_path)
    for n in range(6):
        Image.new("L", (16, 16), n).save(tmp_path / f"{n:04}.png")
    long = {
        "ImageID": [f"{n:04}" for n in range(6) for _ in range(2)], "Source": ["human"] * 12,
        "LabelName": ["Cat", "Dog"] * 6, "Confidence": [n % 3 % 2 for n in range(12)],
    }  # fmt: skip
    write_columns(tmp_path / "long.csv", long)
    bare = {key: long[key] for key in ("ImageID", "LabelName")}
    write_columns(tmp_path / "bare.csv", {key: values[:-1] for key, values in bare.items()})
    for name in ("long", "bare"):
        with pytest.raises(DataError, match="is the image of row 2 already: an image has one row"
                           ) as caught:  # fmt: skip
            table.load(f"{name}.csv", images=".")
        line = str(caught.value).split("fold it in Python: ")[1]
        exec(line, {})
        wide = pandas.read_csv(f"{name}-wide.csv", dtype={"ImageID": str}).set_index("ImageID")
        assert list(wide.index) == list(dict.fromkeys(long["ImageID"]))
        assert wide.shape == (6, 2)
        if name == "long":
            assert wide["Dog"].tolist() == long["Confidence"][1::2]
        else:
            assert wide["Dog"].tolist() == [1] * 5 + [0]


def test_a_column_with_a_comma_is_named_in_quotes(tmp_path):
    assert names_in('a, "b, c" ,"d ""e"""') == ["a", "b, c", 'd "e"']
    assert names_in(quoted('x, "y"')) == ['x, "y"']
    columns = {"Effusion, left": [0, 1] * 20, "f_free, text": ["x"] * COUNT}
    data = of_features(tmp_path, columns, labels=["Effusion, left"], ignore=["f_free, text"])
    assert data.attributes == ("Effusion, left",)
    with pytest.raises(DataError, match="""quotes: --labels '"Effusion, left"'"""):
        of_features(tmp_path, columns, labels=["Effusion", "left"])


def folders(root: Path, names, count=6) -> Path:
    for number, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for shot in range(count):
            Image.new("L", (16, 16), 10 * number + shot).save(root / name / f"IMG_{shot}.png")
    return root


def test_a_folder_of_a_sub_folder_for_each_class_is_a_data_set(tmp_path):
    root = folders(tmp_path / "plants.v2", ["rust", "healthy", "scab"])
    (root / "empty").mkdir()
    Image.new("L", (16, 16)).save(root / "stray.png")
    data = table.load(root, size=(16, 16), progress=False)
    assert data.class_names == ("healthy", "rust", "scab")
    assert data.title.startswith("plants.v2, 18 images")
    for split in data.splits.values():
        assert (split.images[:, 0, 0, 0] // 10 == np.array([1, 0, 2])[split.labels[:, 0]]).all()
    assert "folders without an image: 'empty'" in data.facts["notes"]
    assert any("1 image of plants.v2 in no folder of a class: 'stray.png'" in note
               for note in data.facts["notes"])  # fmt: skip


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["0.5", "1.0", "2.5"], None), (["-1", "1"], None), (["1", "inf"], None),
        (["1.0", "2.0", "10"], ("1.0", "10", "2.0")), (["2", "10", "1"], ("1", "2", "10")),
    ],
)  # fmt: skip
def test_folders_that_are_called_by_numbers_are_classes_called_so(names, classes, tmp_path):
    data = table.load(folders(tmp_path / "set", names), size=(16, 16), progress=False)
    assert data.class_names == (classes or tuple(names))


def test_folders_of_one_number_written_in_two_ways_are_asked_about(tmp_path):
    with pytest.raises(DataError, match="got '1', spelt '1.0' in row 1: write it in one way"):
        table.load(folders(tmp_path / "set", ["1", "1.0", "2"]), progress=False)


@pytest.mark.parametrize(
    ("names", "told"),
    [(["left", "right", "up"], True), (["turn_LINKS", "turn_RECHTS"], True),
     (["right", "wrong"], False), (["bright", "cleft"], False)],
)  # fmt: skip
def test_classes_that_a_mirror_exchanges_are_pointed_out(names, told, tmp_path):
    root = folders(tmp_path / "set", names)
    for mirror in (True, False):
        data = table.load(root, size=(16, 16), progress=False, mirror=mirror)
        notes = [note for note in data.facts["notes"] if "say --mirror false" in note]
        assert len(notes) == (told and mirror)


SERIES = [
    ("person{}_bacteria_{}", True), ("img{}_{}_flip", False), ("img{}_flip{}", True),
    ("IMG_{}{}", False), ("{}x{}", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told"), SERIES)
def test_names_of_several_images_of_a_patient_are_pointed_out(name, told, tmp_path):
    columns = {"path": [], "label": [0, 1] * 15}
    for n in range(30):
        columns["path"].append(f"{name.format(n // 5, n % 5)}.png")
        Image.new("L", (16, 16), n).save(tmp_path / columns["path"][-1])
    path = write_columns(tmp_path / "my.csv", columns | {"patient": [n // 5 for n in range(30)]})
    for group in ("", "patient"):
        notes = table.load(path, size=(16, 16), progress=False, group=group).facts["notes"]
        found = [note for note in notes if "have names that begin as those of others do" in note]
        assert len(found) == (told and not group)
        assert not found or "30 images have names" in found[0] and "6 beginnings" in found[0]


def test_classes_with_a_number_in_their_names_are_no_series(tmp_path):
    columns = {"path": [f"class{n % 3}_{n}.png" for n in range(30)], "label": [0, 1, 2] * 10}
    for n, name in enumerate(columns["path"]):
        Image.new("L", (16, 16), n).save(tmp_path / name)
    path = write_columns(tmp_path / "my.csv", columns)
    notes = table.load(path, size=(16, 16), progress=False).facts["notes"]
    assert not any("names that begin" in note for note in notes)


def test_classes_may_lie_below_folders_of_the_splits(tmp_path):
    names = [f"{split}/{name}" for split in ("train", "valid", "test") for name in ("01", "00")]
    data = table.load(folders(tmp_path / "set", names), size=(16, 16), progress=False)
    assert data.class_names == ("00", "01")
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 12, "val": 12, "test": 12,
    }  # fmt: skip
    again = table.load(tmp_path / "set", size=(16, 16), progress=False, ignore=["split"])
    assert len(again.splits["train"]) > 12


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train/a", "train/b", "other/a"], "has 'train' beside 'other'. A data set is a .csv"),
        (["a", "b/c"], "b/c/IMG_0.png is not in a folder of a class alone"),
        (["train/a", "train/b"], "there is no folder val. Make one beside the others, and move"),
        (["a"], "every label that is known is 'a'"),
        ([], "holds no image in a sub-folder. A data set is"),
    ],
)
def test_a_folder_that_is_no_data_set_says_what_is(tmp_path, names, message):
    root = folders(tmp_path / "set", names)
    root.mkdir(exist_ok=True)
    with pytest.raises(DataError, match=message):
        table.load(root, size=(16, 16), progress=False)


def test_numbers_are_compared_without_their_point():
    pairs = [("1.0", "1"), ("-1.", "-1"), ("01", "01"), ("0.0", "0"), ("+2", "2"), ("cat", "cat")]
    assert [as_number(cell) for cell, _ in pairs] == [number for _, number in pairs]
    assert attribute_of(cells("1.0", "0", "1"), "a", "b").classes == ("0", "1")


def test_a_number_called_as_a_category_is_named(tmp_path):
    columns = {"f_a": ["x", "y"] * 20, "f_a=x": X[::-1], "label": [0, 1] * 20}
    with pytest.raises(DataError, match="two features are called 'f_a=x'.*rename one"):
        of_features(tmp_path, columns, labels=["label"])


def test_what_is_told_of_one_row_is_told_of_one(tmp_path):
    values = [f"{0.1 * n}" for n in range(COUNT)]
    values[9] = values[0]  # of test and of train
    site = ["A", "B"] * 20
    site[8], site[0] = "C", ""
    columns = {"a": [0, 1] * 20, "b": [0, 1] * 20, "x": values, "f_site": site}
    data = of_features(tmp_path, columns, labels=["a"], ignore=["b"], impute="median")
    told = "\n".join(data.facts["notes"])
    assert "f_site: 1 row of val and test has a category that training lacks, 'C': " in told
    assert "f_site: 1 empty cell is no category" in told
    columns["f_site"] = ["A", "B"] * 20
    columns["f_site"][9] = "A"
    columns["x"][20] = ""
    columns["a"][1] = columns["b"][1] = ""
    data = of_features(tmp_path, columns, labels=["a", "b"], impute="median")
    told = "\n".join(data.facts["notes"])
    assert "1 row of val and test has the features of a row of train, number for number" in told
    assert "x: 1 of 40 cells is empty and becomes" in told
    assert "1 row has no known label and teaches nothing" in told
    assert not re.search(r"\b1 (row|cell|group|image|picture|attribute)s", told)
