"""An order of runs is the list of rows that it was made of."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.row_edit import Splice
from geo.columnar.row_order import Order


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[int], int, int]:
    """Rows, a row where runs are cut, and the number of rows there are."""
    sources = draw(st.integers(0, 12))
    rows = draw(st.lists(st.sampled_from(range(sources)), unique=True)) if sources else []
    return rows, draw(st.integers(0, sources)), sources


@given(orders())
def test_rows_and_places_are_each_others_inverse(told: tuple[list[int], int, int]) -> None:
    rows, cut, sources = told
    order = Order.of(np.array(rows, np.int64), sources, cut)
    there = np.arange(sources)
    places = [rows.index(row) if row in rows else -1 for row in there]
    assert (len(order), order.all().tolist()) == (len(rows), rows)
    assert order.rows(np.arange(len(rows))).tolist() == rows
    assert order.places(there).tolist() == places
    assert order.places(np.array([-1])).tolist() == [-1]
    assert order.table.tolist() == [*places, -1]
    assert order.is_whole is (rows == [*range(sources)])
    assert order.gone(cut).tolist() == [row for row in range(cut) if row not in rows]
    assert all(begin + size <= cut or begin >= cut for begin, size in zip(order.firsts, order.sizes, strict=True))


@given(st.integers(0, 9))
def test_all_rows_as_they_are(count: int) -> None:
    assert Order.whole(count).all().tolist() == [*range(count)]


@given(orders(), st.data())
def test_a_splice_goes_over_the_order_before(told: tuple[list[int], int, int], data: st.DataObject) -> None:
    rows, cut, sources = told
    below = Order.of(np.array(rows, np.int64), sources, cut)
    other = data.draw(st.integers(0, 4))
    count = len(rows) + other
    take = data.draw(st.lists(st.sampled_from(range(count)), unique=True)) if count else []
    splice = Splice.taking(len(rows), other, np.array(take, np.int64))
    found = splice.over(below)
    both = [*rows, *range(sources, sources + other)]
    assert found.all().tolist() == [both[row] for row in take]
    assert found.sources == sources + other
    assert splice.over(below) is found, "it is found once"
