"""What is picked of arrays in pieces is what the joined array has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.chunked_array import (
    Array,
    ChunkedArray,
    RemappedCodes,
    apply_edit,
    codes_and_order,
    contains,
    remap_codes,
    rows_with_any,
    to_numpy,
)
from geo.columnar.row_edit import RowEdit
from geo.columnar.row_order import RowOrder

pytestmark = pytest.mark.usefixtures("least")


@st.composite
def arrays(draw: st.DrawFn) -> tuple[Array, list[int]]:
    """An array that was spliced some times, and its values."""
    stored = draw(st.lists(st.integers(0, 9), max_size=12))
    result: Array = np.array(stored, np.int64)
    for _ in range(draw(st.integers(0, 3))):
        new = draw(st.lists(st.integers(0, 9), max_size=3))
        take = draw(st.permutations(range(len(stored) + len(new))))[draw(st.integers(0, 2)) :]
        result = apply_edit(
            result, np.array(new, np.int64), RowEdit.reorder(len(stored), len(new), np.array(take, np.int64))
        )
        stored = [[*stored, *new][row] for row in take]
    return result, stored


@given(arrays(), st.data())
def test_rows_are_picked(given_: tuple[Array, list[int]], data: st.DataObject) -> None:
    result, stored = given_
    sample = data.draw(st.lists(st.sampled_from(range(len(stored))))) if stored else []
    begin, end = sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
    assert result[np.array(sample, np.int64)].tolist() == [stored[row] for row in sample]
    assert result[begin:end].tolist() == stored[begin:end]
    assert [result[row] for row in range(-len(stored), len(stored))] == stored * 2
    assert ([*result], to_numpy(result).tolist(), len(result)) == (stored, stored, len(stored))
    assert (np.asarray(result).tolist(), result.nbytes, result.dtype) == (stored, 8 * len(stored), np.int64)


@given(arrays(), st.lists(st.integers(-1, 10), max_size=40))
def test_values_are_found(given_: tuple[Array, list[int]], values: list[int]) -> None:
    result, stored = given_
    assert rows_with_any(result, np.array(values, np.int64)).tolist() == [
        row for row, item in enumerate(stored) if item in values
    ]
    assert [contains(result, value) for value in values] == [value in stored for value in values]


@given(arrays(), st.permutations(range(10)))
def test_numbers_are_looked_up(given_: tuple[Array, list[int]], rows: list[int]) -> None:
    result, stored = given_
    order = RowOrder.of(np.array(rows[:7], np.int64), 10, 10)
    actual = remap_codes(result, order)
    expected = [rows[:7].index(value) if value in rows[:7] else -1 for value in stored]
    assert ([*actual], [actual[row] for row in range(len(stored))]) == (expected, expected)
    assert actual[np.arange(len(stored))].tolist() == expected
    assert (actual.dtype, actual.nbytes) == (np.int32, 4 * len(stored))
    numbers, now = codes_and_order(actual, 7)
    assert [*remap_codes(numbers, now)] == expected


def test_what_was_spliced_a_thousand_times_is_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.columnar.chunked_array.MIN_CHUNKED_ROWS", 0)
    monkeypatch.setattr("geo.columnar.chunked_array._MAX_RUNS", 50)
    result: Array = np.arange(1000)
    stored = [*range(1000)]
    for edit in range(200):
        row = edit * 37 % 1000
        take = np.arange(1000)
        take[row] = 1000
        result, stored[row] = apply_edit(result, np.array([-edit]), RowEdit.reorder(1000, 1, take)), -edit
        assert not isinstance(result, ChunkedArray) or len(result.order.run_starts) <= 50
    assert [*result] == stored


def test_what_is_numbered_anew_too_often_is_looked_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.columnar.chunked_array.MIN_CHUNKED_ROWS", 0)
    monkeypatch.setattr("geo.columnar.chunked_array._MAX_RUNS", 3)
    numbers = np.array([0, 2, 4, 6, -1])
    assert isinstance(remap_codes(numbers, RowOrder.identity(8)), RemappedCodes)
    assert remap_codes(numbers, RowOrder.of(np.array([6, 4, 2, 0]), 8, 8)).tolist() == [3, 2, 1, 0, -1]
