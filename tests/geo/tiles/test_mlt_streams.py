"""Numbers of MapLibre Tiles are read back from varints of one size."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from geo.tiles.mlt_streams import equal_varints
from geo.tiles.protobuf import varint

#: Types of numbers and the most bits that each has without a sign.
TYPES: tuple[tuple[Any, int], ...] = ((np.uint8, 8), (np.int32, 31), (np.int64, 63), (np.uint64, 64))


def columns() -> st.SearchStrategy[np.ndarray[Any, Any]]:
    def of_type(dtype: Any, bits: int) -> st.SearchStrategy[np.ndarray[Any, Any]]:
        numbers = st.integers(0, bits).flatmap(lambda used: st.integers(0, 2**used - 1))
        return st.lists(numbers, min_size=1).map(lambda values: np.array(values, dtype))

    return st.one_of(of_type(*of) for of in TYPES)


@given(columns())
@example(np.array([0, 127], np.uint64))
@example(np.array([128, 16383, 1], np.uint64))
@example(np.array([16384, 0, 2**32 - 1], np.int64))
@example(np.array([2**32, 5], np.int64))
@example(np.array([2**64 - 1], np.uint64))
def test_equal_varints_are_read_back_and_as_long_as_the_largest(values: np.ndarray[Any, Any]) -> None:
    numbers = values.tolist()
    rows = equal_varints(values, max(numbers)).tolist()
    assert {len(row) for row in rows} == {len(varint(max(numbers)))}
    assert [sum((byte & 127) << 7 * digit for digit, byte in enumerate(row)) for row in rows] == numbers
    assert all(byte > 127 for byte in chain.from_iterable(row[:-1] for row in rows))
    assert all(row[-1] < 128 for row in rows)
