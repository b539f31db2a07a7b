"""Varints and rows of bytes, against the plain one-number encoder and a decoder."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.integers import ranges
from geo.tiles.protobuf import (
    ByteRows,
    Cell,
    concat,
    digits,
    hstack,
    table,
    varint,
    varint_size,
    varint_sizes,
    varints,
    zigzag,
)

UNSIGNED = st.integers(0, 2**64 - 1)


def decoded(data: bytes) -> list[int]:
    numbers, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(number)
            number = shift = 0
    return numbers


@given(st.lists(UNSIGNED) | st.lists(st.integers(0, 2**14 - 1)))
def test_varints_are_read_back(numbers: list[int]) -> None:
    values = np.array(numbers, dtype=np.uint64)
    data = varints(values).tobytes()
    assert decoded(data) == numbers
    assert data == b"".join(map(varint, numbers))
    assert varint_sizes(values).sum() == len(data)


@given(st.lists(st.integers(-(2**62), 2**62)))
def test_zigzag_is_read_back(numbers: list[int]) -> None:
    mapped = zigzag(np.array(numbers, dtype=np.int64)).tolist()
    assert [(n >> 1) ^ -(n & 1) for n in mapped] == numbers


@given(st.lists(st.tuples(UNSIGNED, st.booleans(), UNSIGNED)))
def test_a_table_leaves_out_what_is_not_present(rows: list[tuple[int, bool, int]]) -> None:
    first, last = (np.array([row[k] for row in rows], dtype=np.uint64) for k in (0, 2))
    present = np.array([row[1] for row in rows], dtype=bool)
    cells = [Cell(first, present), Cell(7), Cell(last)]
    result = table(cells, len(rows))
    assert decoded(result.data.tobytes()) == [n for a, p, b in rows for n in ([a] if p else []) + [7, b]]
    assert result.sizes.tolist() == [len(varint(a)) * p + 1 + len(varint(b)) for a, p, b in rows]


@given(st.lists(st.lists(UNSIGNED, min_size=3, max_size=3)))
def test_digits_of_a_block_lie_row_by_row(rows: list[list[int]]) -> None:
    block = digits(np.array(rows, dtype=np.uint64).reshape(len(rows), 3)).flat()
    whole = hstack([Cell(7), block], len(rows)).rows()
    assert decoded(whole.data.tobytes()) == [n for row in rows for n in [7, *row]]
    assert whole.sizes.tolist() == [1 + sum(map(varint_size, row)) for row in rows]
    assert all(varint_size(n) == len(varint(n)) for row in rows for n in row)


@given(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5))))
def test_glued_rows_alternate(rows: list[tuple[bytes, bytes]]) -> None:
    def laid(k: int) -> ByteRows:
        data = np.frombuffer(b"".join(row[k] for row in rows), dtype=np.uint8)
        return ByteRows(data, np.array([len(row[k]) for row in rows], dtype=np.int64))

    assert concat(laid(0), laid(1)).tobytes() == b"".join(a + b for a, b in rows)


def test_taken_rows() -> None:
    rows = ByteRows(np.frombuffer(b"abbccc", dtype=np.uint8), np.array([1, 2, 3]))
    assert rows.take(np.array([2, 0])) == b"ccca"
    assert rows.take(np.array([], dtype=np.int64)) == b""
    assert ranges(np.array([5, 9]), np.array([2, 1])).tolist() == [5, 6, 9]
