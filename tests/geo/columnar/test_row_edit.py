"""Arrays that are edited have the rows that lists of the same would have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.integers import ranges
from geo.columnar.row_edit import RowEdit


@st.composite
def edits(draw: st.DrawFn, first_rows: int | None = None, second_rows: int | None = None) -> RowEdit:
    """Edits of so many rows, by default of some, that insert so many."""
    own = draw(st.integers(0, 12)) if first_rows is None else first_rows
    second = draw(st.integers(0, 6)) if second_rows is None else second_rows
    removed = sorted(draw(st.sets(st.sampled_from(range(own))))) if own else []
    at = sorted(draw(st.lists(st.integers(0, own), min_size=second, max_size=second)))
    return RowEdit(own, np.array(removed, np.int64), np.array(at, np.int64))


def after(edit: RowEdit) -> list[int]:
    """The rows of both sequences in their new order, those of the second numbered on."""
    expected, removed = list[int](), {*edit.removed.tolist()}
    for row in range(edit.first_rows + 1):
        expected += [edit.first_rows + number for number, at in enumerate(edit.insert_before.tolist()) if at == row]
        expected += [row] if row < edit.first_rows and row not in removed else []
    return expected


@pytest.mark.parametrize("kind", ["int64", "object", "pairs"])
@given(edit=edits())
def test_rows_are_joined_in_the_order_of_the_edit(kind: str, edit: RowEdit) -> None:
    rows = edit.first_rows + len(edit.insert_before)
    both: np.ndarray = np.arange(rows).astype("int64" if kind == "pairs" else kind)
    if kind == "pairs":
        both = np.column_stack([both, both + 100])
    actual = edit.combine(both[: edit.first_rows], both[edit.first_rows :])
    assert actual.tolist() == [both[row].tolist() if kind == "pairs" else both[row] for row in after(edit)]
    assert (actual.dtype, len(edit)) == (both.dtype, len(actual))


@given(edits())
def test_what_goes_and_comes(edit: RowEdit) -> None:
    take = edit.source_rows.tolist()
    assert take == after(edit)
    assert edit.inserted_at.tolist() == [index for index, row in enumerate(take) if row >= edit.first_rows]
    assert edit.is_identity is (take == list(range(edit.first_rows)))
    in_place = all(row == index for index, row in enumerate(take) if row < edit.first_rows)
    assert edit.is_in_place is (in_place and len(take) == edit.first_rows)
    rows = range(edit.first_rows + len(edit.insert_before))
    assert edit.positions.tolist() == [take.index(row) if row in take else -1 for row in rows]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4))))
def test_ranges_stand_end_to_end(pairs: list[tuple[int, int]]) -> None:
    starts, lengths = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = [row for start, length in pairs for row in range(start, start + length)]
    assert ranges(starts, lengths).tolist() == expected
