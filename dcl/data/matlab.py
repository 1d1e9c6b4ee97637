"""Reads MATLAB's .mat files, version 5 to 7: numbers, texts, cells and structures.

SciPy's reader trusts the sizes and types in the file: a damaged byte can end the whole process.
Here each length is held against what is left of the file before anything is made of it. The format
is MathWorks' "MAT-File Format" of 1999: nested elements of a type, a size in bytes and content.
SciPy's in a child process reads the same, but takes 2 s more for each file, and its memory can be
bounded on Linux alone.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LARGEST = 2**27  # bytes, unpacked; RAP's annotation has a quarter of it at most
DEEPEST = 16  # arrays within arrays
HDF5 = b"\x89HDF\r\n\x1a\n"  # how such a file begins, or after 512 bytes of MATLAB's header

MATRIX, COMPRESSED = 14, 15  # types of elements
NUMBERS = dict(
    zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "i1 u1 i2 u2 i4 u4 f4 f8 i8 u8".split(), strict=True)
)
TEXTS = {1: "latin1", 2: "latin1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}
CELL, STRUCTURE, TEXT, NUMERIC = 1, 2, 4, range(6, 16)  # classes of arrays
COMPLEX = 0x800
EMPTY = np.zeros((0, 0))
EMPTY.flags.writeable = False


class MatlabError(ValueError):
    """A file that is no MATLAB file, or holds what is not read."""


def read_variable(path: Path, name: str) -> np.ndarray | None:
    """One variable of a MATLAB file, or None where it has no such.

    Returns
    -------
    ndarray
        Numbers in the type they are stored in; a text as an array of its rows; a cell array as an
        array of arrays, a structure as an array of dicts of arrays, both of dtype object.

    Raises
    ------
    MatlabError
        For a file that is damaged, no MATLAB file, or holds other kinds of arrays.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if HDF5 in (data[:8], data[512:520]):
        raise MatlabError(
            "it is of version 7.3, which is HDF5: open it in MATLAB or Octave and save it again "
            "with save -v7"
        )
    if data[124:128] != b"\x00\x01IM":
        raise MatlabError("its header is not of version 5 to 7: save it with save -v7")
    if len(data) > LARGEST:
        raise MatlabError(f"it has more than {LARGEST:,} bytes")
    for kind, content in _elements(memoryview(data)[128:]):
        if kind == COMPRESSED:
            kind, content = _next(_elements(memoryview(_unpack(content))))
        if kind == MATRIX and (variable := _array(content, only=name.encode())) is not None:
            return variable
    return None


def _unpack(content: memoryview) -> bytes:
    try:
        data = zlib.decompressobj().decompress(content, LARGEST + 1)
    except zlib.error as error:
        raise MatlabError(str(error)) from None
    if len(data) > LARGEST:
        raise MatlabError(f"it unpacks to more than {LARGEST:,} bytes")
    return data


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and content of each element; none reaches beyond what holds it."""
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise MatlabError("it ends within an element")
        kind, size = struct.unpack_from("<II", data, at)
        start, end = at + 8, at + 8 + size
        at = end if kind == COMPRESSED else end + -size % 8
        if kind >> 16:  # a small one: size and type share a word, four bytes follow
            kind, size = kind & 0xFFFF, kind >> 16
            start -= 4
            end, at = start + size, start + 4
        if end > len(data) or (at == start + 4 and size > 4):
            raise MatlabError(f"an element of {size:,} bytes has less")
        yield kind, data[start:end]


def _next(elements: Iterator[tuple[int, memoryview]]) -> tuple[int, memoryview]:
    element = next(elements, None)
    if element is None:
        raise MatlabError("an array is cut short")
    return element


def _array(content: memoryview, *, only: bytes | None = None, depth: int = 0) -> Any:
    """An array; None if it does not have the name in `only`."""
    if not content:
        return EMPTY
    if depth > DEEPEST:
        raise MatlabError(f"more than {DEEPEST} arrays lie in each other")
    elements = _elements(content)
    flags = _whole_numbers(_next(elements))
    shape = tuple(_whole_numbers(_next(elements)))
    _, name = _next(elements)
    if only is not None and bytes(name) != only:
        return None
    if not flags or not 2 <= len(shape) <= 32 or min(shape) < 0:
        raise MatlabError(f"an array has flags {flags} and shape {shape}")
    count, kind = math.prod(shape), flags[0] & 0xFF
    if kind in NUMERIC and not flags[0] & COMPLEX:
        return _numbers(_next(elements), count).reshape(shape, order="F")
    if kind == TEXT:
        return _rows_of_text(_next(elements), shape[0], count)
    if kind not in (CELL, STRUCTURE):
        raise MatlabError(
            f"an array is of class {kind}, only real numbers, texts, cells and structures are read"
        )
    names = _field_names(elements) if kind == STRUCTURE else ["cell"]
    if count * len(names) > len(content) // 8:  # each takes 8 bytes or more
        raise MatlabError(f"an array of {count:,} parts is cut short")
    parts = np.empty(count, object)
    for place in range(count):
        fields = {field: _part(_next(elements), depth + 1) for field in names}
        parts[place] = fields if kind == STRUCTURE else fields["cell"]
    return parts.reshape(shape, order="F")


def _part(element: tuple[int, memoryview], depth: int) -> np.ndarray:
    kind, content = element
    if kind != MATRIX:
        raise MatlabError(f"an array has an element of type {kind} where one of its parts belongs")
    return _array(content, depth=depth)


def _numbers(element: tuple[int, memoryview], count: int | None = None) -> np.ndarray:
    kind, content = element
    if kind not in NUMBERS:
        raise MatlabError(f"numbers are of type {kind}")
    dtype = np.dtype(f"<{NUMBERS[kind]}")
    count = len(content) // dtype.itemsize if count is None else count
    if len(content) != count * dtype.itemsize:
        raise MatlabError(f"{count:,} numbers are expected in {len(content):,} bytes")
    return np.frombuffer(content, dtype)


def _whole_numbers(element: tuple[int, memoryview]) -> list[int]:
    return [int(number) for number in _numbers(element)[:64] if math.isfinite(number)]


def _field_names(elements: Iterator[tuple[int, memoryview]]) -> list[str]:
    length = _whole_numbers(_next(elements))
    text = bytes(_next(elements)[1])
    if len(length) != 1 or not 0 < length[0] <= 64 or len(text) % length[0] or not text:
        raise MatlabError(f"names of fields in {len(text)} bytes have length {length}")
    starts = range(0, len(text), length[0])
    return [text[k : k + length[0]].split(b"\0")[0].decode("latin1") for k in starts]


def _rows_of_text(element: tuple[int, memoryview], rows: int, count: int) -> np.ndarray:
    kind, content = element
    if kind not in TEXTS or count > len(content):
        raise MatlabError(f"a text of {count:,} characters is of type {kind}")
    text = bytes(content).decode(TEXTS[kind], "replace")
    return np.array([text[row::rows] for row in range(rows if count else 0)], str)
