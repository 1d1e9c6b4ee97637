"""The reader of MATLAB files gives what SciPy's gives, and survives what SciPy's does not."""

import io
import struct
import zlib

import numpy as np
import pytest
from conftest import real_data
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.io import loadmat, savemat
from test_pedestrian_annotation import cells, peta_fields, rap_fields

from dcl.data import matlab
from dcl.data.matlab import MatlabError, read_variable

NUMBERS = st.sampled_from("i1 u1 i2 u2 i4 u4 i8 u8 f4 f8".split()).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=2, max_dims=3, max_side=4))
)
TEXTS = st.text(st.characters(codec="utf-16", exclude_characters="\0"), min_size=1, max_size=9)
VALUES = st.recursive(
    NUMBERS | TEXTS,
    lambda part: (
        st.lists(part, min_size=1, max_size=3).map(cells)
        | st.dictionaries(st.sampled_from("abc"), part, min_size=1)
    ),
    max_leaves=6,
)


def check_same(ours: np.ndarray, scipys: np.ndarray) -> None:
    if ours.dtype != object:
        np.testing.assert_array_equal(ours, scipys)
        return
    assert ours.shape == scipys.shape
    for one, other in zip(ours.flat, scipys.flat, strict=True):
        if isinstance(one, dict):
            assert set(one) == set(other.dtype.names)
            for name, value in one.items():
                check_same(value, other[name])
        else:
            check_same(one, other)


def saved(path, value, **options):
    savemat(path, {"other": 1, "it": value}, **options)
    return path


@given(value=VALUES, compressed=st.booleans())
def test_numbers_texts_cells_and_structures_are_those_scipy_reads(
    value, compressed, tmp_path_factory
):
    path = tmp_path_factory.getbasetemp() / "value.mat"
    saved(path, value, do_compression=compressed)
    check_same(read_variable(path, "it"), loadmat(path)["it"])


@pytest.mark.parametrize("value", ["", np.zeros((0, 3)), cells([]), cells([cells([])]), 1 == 1])
def test_empty_and_logical_values_are_those_scipy_reads(value, tmp_path):
    path = saved(tmp_path / "value.mat", value)
    check_same(read_variable(path, "it"), loadmat(path)["it"])


@pytest.mark.parametrize("fields", [rap_fields, peta_fields])
def test_annotations_are_those_scipy_reads(fields, tmp_path):
    path = saved(tmp_path / "value.mat", fields())
    check_same(read_variable(path, "it"), loadmat(path)["it"])


def test_raps_file_is_what_scipy_reads():
    path = real_data("RAP_annotation.mat")
    check_same(read_variable(path, "RAP_annotation"), loadmat(path)["RAP_annotation"])


def test_a_variable_that_is_not_there_is_none(tmp_path):
    assert read_variable(saved(tmp_path / "value.mat", 1), "none") is None


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def array(flags: int, shape: list[int], *parts: bytes, name: bytes = b"") -> bytes:
    head = element(6, struct.pack("<II", flags, 0)) + element(
        5, struct.pack(f"<{len(shape)}i", *shape)
    )
    return element(14, head + element(1, name) + b"".join(parts))


CELL, STRUCTURE, TEXT, SPARSE, NUMBER = 1, 2, 4, 5, 6
ONE = element(9, struct.pack("<d", 1))


def nested(depth: int) -> bytes:
    inner = array(NUMBER, [1, 1], ONE)
    for _ in range(depth):
        inner = array(CELL, [1, 1], inner)
    return array(CELL, [1, 1], inner, name=b"it")


DAMAGED = {
    "a type beyond SciPy's table": (
        array(NUMBER, [1, 1], element(200, bytes(8)), name=b"it"), "type 200",
    ),
    "more numbers than bytes": (array(NUMBER, [2**31 - 1] * 2, ONE, name=b"it"), "in 8 bytes"),
    "more cells than bytes": (array(CELL, [2**31 - 1, 4], name=b"it"), "is cut short"),
    "more characters": (
        array(TEXT, [2**31 - 1, 4], element(4, b"ab"), name=b"it"), "8,589,934,588 characters",
    ),
    "more structures": (
        array(STRUCTURE, [2**31 - 1, 1], element(5, b"\1\0\0\0"), element(1, b"a"), name=b"it"),
        "is cut short",
    ),
    "names without length": (
        array(STRUCTURE, [1, 1], element(5, bytes(4)), element(1, b"a"), name=b"it"), "have length",
    ),
    "a negative side": (array(NUMBER, [-1, -1], ONE, name=b"it"), r"shape \(-1, -1\)"),
    "no sides": (array(NUMBER, [], ONE, name=b"it"), r"shape \(\)"),
    "a sparse matrix": (array(SPARSE, [1, 1], ONE, name=b"it"), "class 5"),
    "complex numbers": (array(NUMBER | 0x800, [1, 1], ONE, ONE, name=b"it"), "class 6"),
    "a number in a cell": (array(CELL, [1, 1], ONE, name=b"it"), "type 9"),
    "arrays in each other": (nested(400), "more than 16 arrays"),
    "an element that ends late": (struct.pack("<II", 14, 999), "999 bytes has less"),
    "a small element of 9 bytes": (struct.pack("<II", 9 << 16 | 14, 0), "9 bytes has less"),
    "an end within a tag": (b"\0" * 4, "ends within"),
    "nothing compressed": (element(15, zlib.compress(b"")), "is cut short"),
    "no zlib": (element(15, b"garbage."), "incorrect header"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_damaged_is_said(tmp_path, case):
    content, message = DAMAGED[case]
    path = tmp_path / "value.mat"
    path.write_bytes(bytes(124) + b"\x00\x01IM" + content)
    with pytest.raises(MatlabError, match=message):
        read_variable(path, "it")


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab, "LARGEST", 20_000)
    path = saved(tmp_path / "value.mat", np.zeros((100, 100)), do_compression=True)
    with pytest.raises(MatlabError, match="unpacks to more than 20,000 bytes"):
        read_variable(path, "it")
    saved(path, np.zeros((100, 100)))
    with pytest.raises(MatlabError, match="it has more than 20,000 bytes"):
        read_variable(path, "it")


def test_another_version_is_named(tmp_path):
    path = tmp_path / "value.mat"
    savemat(file := io.BytesIO(), {"it": 1}, format="4")
    path.write_bytes(file.getvalue())
    with pytest.raises(MatlabError, match="not of version 5 to 7: save it with save -v7"):
        read_variable(path, "it")


@pytest.mark.parametrize("header", [0, 512])
def test_version_7_3_says_how_to_save_again(tmp_path, header):
    path = tmp_path / "value.mat"
    path.write_bytes(b"MATLAB 7.3".ljust(header)[:header] + b"\x89HDF\r\n\x1a\n" + bytes(99))
    with pytest.raises(MatlabError, match=r"version 7.3, which is HDF5: .* again with save -v7"):
        read_variable(path, "it")
