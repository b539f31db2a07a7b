"""Arrays that are spliced have the rows that lists of the same would have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.columnar.row_edit import Splice


@st.composite
def splices(draw: st.DrawFn, rising: bool = False) -> Splice:
    own, other = draw(st.integers(0, 12)), draw(st.integers(0, 6))
    take = draw(st.lists(st.sampled_from(range(own + other)), unique=True)) if own + other else []
    if rising:
        stays = iter(sorted(row for row in take if row < own))
        take = [next(stays) if row < own else row for row in take]
    return Splice.taking(own, other, np.array(take, np.int64))


@pytest.fixture(params=[1000, 2], ids=["slices", "rows"])
def runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.columnar.row_edit._RUNS", request.param)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("kind", ["int64", "object", "pairs"])
@given(splice=splices())
def test_rows_are_joined_in_the_order_told(kind: str, splice: Splice) -> None:
    both: np.ndarray = np.arange(splice.own + splice.other).astype("int64" if kind == "pairs" else kind)
    if kind == "pairs":
        both = np.column_stack([both, both + 100])
    found = splice.joined(both[: splice.own], both[splice.own :])
    assert found.tolist() == [both[row].tolist() if kind == "pairs" else both[row] for row in splice.take.tolist()]
    assert (found.dtype, len(splice)) == (both.dtype, len(found))


@pytest.mark.usefixtures("runs")
@given(splices())
def test_what_goes_and_comes(splice: Splice) -> None:
    take = splice.take.tolist()
    assert splice.gone.tolist() == [row for row in range(splice.own) if row not in take]
    assert splice.came.tolist() == [row - splice.own for row in take if row >= splice.own]
    assert splice.came_at.tolist() == [place for place, row in enumerate(take) if row >= splice.own]
    assert splice.is_same is (take == list(range(splice.own)))
    stays = [row for row in take if row < splice.own]
    assert splice.is_rising is (stays == sorted(stays))
    placed = all(row == place for place, row in enumerate(take) if row < splice.own)
    assert splice.is_in_place is (placed and len(take) == splice.own)


@pytest.mark.usefixtures("runs")
@given(st.lists(st.integers(0, 99), max_size=10), st.data())
def test_some_rows_are_exchanged_for_others(told: list[int], data: st.DataObject) -> None:
    places = st.integers(0, len(told))
    gone = sorted(data.draw(st.sets(places.filter(lambda place: place < len(told))))) if told else []
    at = sorted(data.draw(st.lists(places, max_size=5)))
    new = [1000 + number for number in range(len(at))]
    expected = []
    for place in range(len(told) + 1):
        expected += [one for one, before in zip(new, at, strict=True) if before == place]
        expected += [told[place]] if place < len(told) and place not in gone else []
    own, gone_at, put_at, added = (np.array(rows, np.int64) for rows in (told, gone, at, new))
    found = Splice.exchanging(len(own), gone_at, put_at).joined(own, added)
    assert found.tolist() == expected
