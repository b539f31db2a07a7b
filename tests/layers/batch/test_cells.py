"""Each place is in one part of one cell, and no part has too many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.batch.cells import MAX_LEVEL, Cells, cell_codes

degrees = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
places = st.lists(st.one_of(degrees, st.just((30.5, 50.5)), st.just((np.nan, np.nan))), max_size=60)


def codes_of(points: list[tuple[float, float]]) -> np.ndarray:
    return cell_codes(np.array([(lon, lat, lon, lat) for lon, lat in points], float).reshape(-1, 4))


@given(places, st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_place_is_in_the_cell_that_its_quadkey_names_and_no_part_is_too_full(
    points: list[tuple[float, float]], limit: int, random: object
) -> None:
    codes = codes_of(points)
    cells = Cells.of(np.sort(codes), limit)
    cell = cells.cell_of(codes)
    for code, number in zip(codes.tolist(), cell.tolist(), strict=True):
        key = cells.quadkeys[number]
        digits = "".join(str(code >> shift & 3) for shift in range(60, -1, -2))
        assert key == "nowhere" if code < 0 else key == "world" or digits.startswith(key)
    order = np.argsort(cell, kind="stable")
    half, seen = len(codes) // 2, np.zeros(len(cells.quadkeys), np.int64)
    parts = [cells.part_of(np.sort(cell[order][rows]), seen) for rows in (slice(None, half), slice(half, None))]
    filled = np.bincount(np.concatenate(parts), minlength=len(cells.names))
    assert filled.sum() == len(points)
    assert filled.max(initial=0) <= limit
    assert len(filled) == len(cells.names) == len(set(cells.names))


@given(places, st.integers(1, 8))
def test_cells_do_not_depend_on_the_order_of_the_places(points: list[tuple[float, float]], limit: int) -> None:
    one, other = (Cells.of(np.sort(codes_of(some)), limit) for some in (points, points[::-1]))
    assert one.names == other.names
    assert np.array_equal(one.first_code, other.first_code)


def test_a_crowd_at_one_spot_is_cut_into_parts_and_what_has_no_place_is_a_cell() -> None:
    codes = np.sort(codes_of([(30.5, 50.5)] * 5 + [(np.nan, np.nan)] * 3))
    cells = Cells.of(codes, 2)
    assert [key[:7] for key in cells.quadkeys] == ["nowhere", cells.quadkeys[1][:7]]
    assert len(cells.quadkeys[1]) == MAX_LEVEL
    assert cells.parts.tolist() == [2, 3]


@pytest.mark.parametrize("lonlat", [(180.0, 90.0), (-180.0, -90.0), (180.0, -90.0)])
def test_the_corners_of_the_world_are_in_it(lonlat: tuple[float, float]) -> None:
    assert Cells.of(codes_of([lonlat]), 1).quadkeys == ("world",)
