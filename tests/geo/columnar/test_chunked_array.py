"""What is picked of arrays in pieces is what the joined array has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.chunked_array import (
    Array,
    Pieces,
    Places,
    holds,
    numbered,
    places,
    row_by_row,
    searched,
    spliced,
    where,
    whole,
)
from geo.columnar.row_edit import Splice
from geo.columnar.row_order import Order

pytestmark = pytest.mark.usefixtures("least")


@st.composite
def arrays(draw: st.DrawFn, ascending: bool = False) -> tuple[Array, list[int]]:
    """An array that was spliced some times, and its values."""
    told = draw(st.lists(st.integers(0, 9), max_size=12))
    told = sorted(told) if ascending else told
    made: Array = np.array(told, np.int64)
    for _ in range(draw(st.integers(0, 3))):
        new = draw(st.lists(st.integers(0, 9), max_size=3))
        take = draw(st.permutations(range(len(told) + len(new))))[draw(st.integers(0, 2)) :]
        if ascending:
            take = sorted(take, key=[*told, *new].__getitem__)
        made = spliced(made, np.array(new, np.int64), Splice.taking(len(told), len(new), np.array(take, np.int64)))
        told = [[*told, *new][row] for row in take]
    return made, told


@given(arrays(), st.data())
def test_rows_are_picked(given_: tuple[Array, list[int]], data: st.DataObject) -> None:
    made, told = given_
    some = data.draw(st.lists(st.sampled_from(range(len(told))))) if told else []
    begin, end = sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
    assert made[np.array(some, np.int64)].tolist() == [told[row] for row in some]
    assert made[begin:end].tolist() == told[begin:end]
    assert [made[row] for row in range(-len(told), len(told))] == told * 2
    assert ([*made], whole(made).tolist(), len(made)) == (told, told, len(told))
    assert (np.asarray(made).tolist(), made.nbytes, made.dtype) == (told, 8 * len(told), np.int64)


@given(arrays(), st.lists(st.integers(-1, 10), max_size=40))
def test_values_are_found(given_: tuple[Array, list[int]], values: list[int]) -> None:
    made, told = given_
    assert where(made, np.array(values, np.int64)).tolist() == [row for row, one in enumerate(told) if one in values]
    assert [holds(made, value) for value in values] == [value in told for value in values]
    assert row_by_row(lambda column: column > 4, made).tolist() == [value > 4 for value in told]


@given(arrays(ascending=True), st.integers(-1, 10), st.sampled_from(["left", "right"]))
def test_places_in_what_ascends(given_: tuple[Array, list[int]], value: int, side: Any) -> None:
    made, told = given_
    assert searched(made, value, side) == int(np.searchsorted(told, value, side=side))


@given(arrays(), st.permutations(range(10)))
def test_numbers_are_looked_up(given_: tuple[Array, list[int]], rows: list[int]) -> None:
    made, told = given_
    order = Order.of(np.array(rows[:7], np.int64), 10, 10)
    found = places(made, order)
    expected = [rows[:7].index(value) if value in rows[:7] else -1 for value in told]
    assert ([*found], [found[row] for row in range(len(told))]) == (expected, expected)
    assert found[np.arange(len(told))].tolist() == expected
    assert (found.dtype, found.nbytes) == (np.int32, 4 * len(told))
    numbers, now = numbered(found, 7)
    assert [*places(numbers, now)] == expected


def test_what_was_spliced_a_thousand_times_is_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.columnar.chunked_array.LEAST", 0)
    monkeypatch.setattr("geo.columnar.chunked_array._RUNS", 50)
    made: Array = np.arange(1000)
    told = [*range(1000)]
    for edit in range(200):
        row = edit * 37 % 1000
        take = np.arange(1000)
        take[row] = 1000
        made, told[row] = spliced(made, np.array([-edit]), Splice.taking(1000, 1, take)), -edit
        assert not isinstance(made, Pieces) or len(made.order.firsts) <= 50
    assert [*made] == told


def test_what_is_numbered_anew_too_often_is_looked_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.columnar.chunked_array.LEAST", 0)
    monkeypatch.setattr("geo.columnar.chunked_array._RUNS", 3)
    numbers = np.array([0, 2, 4, 6, -1])
    assert isinstance(places(numbers, Order.whole(8)), Places)
    assert places(numbers, Order.of(np.array([6, 4, 2, 0]), 8, 8)).tolist() == [3, 2, 1, 0, -1]
