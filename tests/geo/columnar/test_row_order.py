"""An order of runs is the list of rows that it was made of."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.row_edit import RowEdit
from geo.columnar.row_order import RowOrder


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[int], int, int]:
    """Rows, a row where runs are cut, and the number of rows there are."""
    sources = draw(st.integers(0, 12))
    rows = draw(st.lists(st.sampled_from(range(sources)), unique=True)) if sources else []
    return rows, draw(st.integers(0, sources)), sources


@given(orders())
def test_rows_and_places_are_each_others_inverse(case: tuple[list[int], int, int]) -> None:
    rows, cut, sources = case
    order = RowOrder.of(np.array(rows, np.int64), sources, cut)
    there = np.arange(sources)
    positions = [rows.index(row) if row in rows else -1 for row in there]
    assert (len(order), order.all_rows().tolist()) == (len(rows), rows)
    assert order.rows_at(np.arange(len(rows))).tolist() == rows
    assert order.positions_of(there).tolist() == positions
    assert [order.row_at(position) for position in range(len(rows))] == rows
    assert [order.position_of(row) for row in range(-1, sources)] == [-1, *positions]
    assert order.positions_of(np.array([-1])).tolist() == [-1]
    assert order.position_table.tolist() == [*positions, -1]
    assert order.scatter(np.arange(len(rows)) + 1).tolist() == [position + 1 for position in positions]
    assert order.is_identity is (rows == [*range(sources)])
    assert order.left_out(cut).tolist() == [row for row in range(cut) if row not in rows]
    assert all(
        begin + size <= cut or begin >= cut for begin, size in zip(order.run_starts, order.run_lengths, strict=True)
    )


@given(st.integers(0, 9))
def test_all_rows_as_they_are(count: int) -> None:
    assert RowOrder.identity(count).all_rows().tolist() == [*range(count)]


@given(orders(), st.data())
def test_a_splice_goes_over_the_order_before(case: tuple[list[int], int, int], data: st.DataObject) -> None:
    rows, cut, sources = case
    below = RowOrder.of(np.array(rows, np.int64), sources, cut)
    second = data.draw(st.integers(0, 4))
    count = len(rows) + second
    take = data.draw(st.lists(st.sampled_from(range(count)), unique=True)) if count else []
    edit = RowEdit.reorder(len(rows), second, np.array(take, np.int64))
    actual = edit.compose(below)
    both = [*rows, *range(sources, sources + second)]
    assert actual.all_rows().tolist() == [both[row] for row in take]
    assert actual.source_rows == sources + second
    assert edit.compose(below) is actual, "it is found once"
