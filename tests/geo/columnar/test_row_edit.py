"""Arrays that are spliced have the rows that lists of the same would have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.row_edit import RowEdit


@st.composite
def splices(draw: st.DrawFn, rising: bool = False) -> RowEdit:
    own, second = draw(st.integers(0, 12)), draw(st.integers(0, 6))
    take = draw(st.lists(st.sampled_from(range(own + second)), unique=True)) if own + second else []
    if rising:
        stays = iter(sorted(row for row in take if row < own))
        take = [next(stays) if row < own else row for row in take]
    return RowEdit.reorder(own, second, np.array(take, np.int64))


@pytest.fixture(params=[1000, 2], ids=["slices", "rows"])
def runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.columnar.row_edit._MAX_SLICES", request.param)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("kind", ["int64", "object", "pairs"])
@given(edit=splices())
def test_rows_are_joined_in_the_order_of_the_edit(kind: str, edit: RowEdit) -> None:
    both: np.ndarray = np.arange(edit.first_rows + edit.second_rows).astype("int64" if kind == "pairs" else kind)
    if kind == "pairs":
        both = np.column_stack([both, both + 100])
    actual = edit.combine(both[: edit.first_rows], both[edit.first_rows :])
    assert actual.tolist() == [
        both[row].tolist() if kind == "pairs" else both[row] for row in edit.source_rows.tolist()
    ]
    assert (actual.dtype, len(edit)) == (both.dtype, len(actual))


@pytest.mark.usefixtures("runs")
@given(splices())
def test_what_goes_and_comes(edit: RowEdit) -> None:
    take = edit.source_rows.tolist()
    assert edit.removed.tolist() == [row for row in range(edit.first_rows) if row not in take]
    assert edit.inserted.tolist() == [row - edit.first_rows for row in take if row >= edit.first_rows]
    assert edit.inserted_at.tolist() == [index for index, row in enumerate(take) if row >= edit.first_rows]
    assert edit.is_identity is (take == list(range(edit.first_rows)))
    stays = [row for row in take if row < edit.first_rows]
    assert edit.is_order_preserving is (stays == sorted(stays))
    in_place = all(row == index for index, row in enumerate(take) if row < edit.first_rows)
    assert edit.is_in_place is (in_place and len(take) == edit.first_rows)


@pytest.mark.usefixtures("runs")
@given(st.lists(st.integers(0, 99), max_size=10), st.data())
def test_some_rows_are_exchanged_for_others(values: list[int], data: st.DataObject) -> None:
    positions = st.integers(0, len(values))
    removed = sorted(data.draw(st.sets(positions.filter(lambda index: index < len(values))))) if values else []
    at = sorted(data.draw(st.lists(positions, max_size=5)))
    new = [1000 + number for number in range(len(at))]
    expected = []
    for index in range(len(values) + 1):
        expected += [item for item, before in zip(new, at, strict=True) if before == index]
        expected += [values[index]] if index < len(values) and index not in removed else []
    own, gone_at, put_at, added = (np.array(rows, np.int64) for rows in (values, removed, at, new))
    actual = RowEdit.replace(len(own), gone_at, put_at).combine(own, added)
    assert actual.tolist() == expected


@given(st.data(), splices())
def test_two_edits_are_one(data: st.DataObject, first: RowEdit) -> None:
    rows = st.lists(st.sampled_from(range(len(first) + 2)), unique=True)
    second = RowEdit.reorder(len(first), 2, np.array(data.draw(rows), np.int64))
    stored, came, more = np.arange(first.first_rows), np.arange(first.second_rows) + 100, np.array([200, 201])
    values = second.combine(first.combine(stored, came), more)
    joined = second.after(first)
    assert joined.combine(stored, values[values >= 100]).tolist() == values.tolist()
    assert (joined.first_rows, joined.second_rows) == (first.first_rows, int((values >= 100).sum()))
    assert RowEdit.identity(first.first_rows).is_identity


@given(splices(rising=True))
def test_rows_are_inserted_before_the_next_that_stays(edit: RowEdit) -> None:
    rows = edit.source_rows.tolist()
    stays = [[row for row in rows[at:] if row < edit.first_rows] for at in edit.inserted_at.tolist()]
    assert edit.insert_before.tolist() == [row[0] if row else edit.first_rows for row in stays]


@given(splices(rising=True))
def test_rows_stand_in_place_of_those_left_out_between_the_same_two(edit: RowEdit) -> None:
    def between(stays_before: int) -> list[int]:
        """The rows that are left out after so many rows that stay."""
        stays = [-1, *sorted({*range(edit.first_rows)} - {*edit.removed.tolist()}), edit.first_rows]
        return [*range(stays[stays_before] + 1, stays[stays_before + 1])]

    expected, rows = list[int](), edit.source_rows.tolist()
    for at in edit.inserted_at.tolist():
        stays_before = [row < edit.first_rows for row in rows[:at]]
        rank = next((number for number, stays in enumerate(reversed(stays_before)) if stays), at)
        left_out = between(sum(stays_before))
        expected.append(left_out[rank] if rank < len(left_out) else -1)
    assert edit.replaced.tolist() == expected
