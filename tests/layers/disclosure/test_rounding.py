"""A rounded geometry is on the grid, says how far it may have moved, and says no more than its cell."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Point, box

from geo.spatial_join.geodesic_distance import wgs84
from layers.disclosure.policy import Rounding
from layers.disclosure.ruling import rounded

lon, lat = st.floats(-180, 180), st.floats(-90, 90)
places = st.builds(Point, lon, lat)
rules = st.one_of(
    st.builds(lambda decimals: Rounding(table="strikes", decimals=decimals), st.integers(0, 4)),
    st.builds(lambda metres: Rounding(table="strikes", metres=metres), st.floats(10, 500_000)),
)
KM = Rounding(table="strikes", metres=1000)


def metres_apart(one: Point, other: Point) -> float:
    return float(wgs84().inv(one.x, one.y, other.x, other.y)[2])


@given(places, rules)
@example(Point(180, 89.9), Rounding(table="strikes", metres=500_000))
@example(Point(-179.99999, 0.4999), Rounding(table="strikes", decimals=0))
def test_a_point_moves_no_further_than_is_said(place: Point, rule: Rounding) -> None:
    moved = rounded(place, rule)
    assert metres_apart(place, moved.geometry) <= moved.moved_m + 0.01
    assert abs(moved.geometry.x) <= 180
    assert abs(moved.geometry.y) <= 90


@given(places, rules)
def test_a_rounded_point_is_not_moved_again(place: Point, rule: Rounding) -> None:
    once = rounded(place, rule).geometry
    assert metres_apart(rounded(once, rule).geometry, once) < 0.05


@given(st.lists(st.tuples(st.floats(-0.49, 0.49), st.floats(-0.49, 0.49)), min_size=2, max_size=20), st.integers(1, 4))
def test_places_of_one_cell_become_one_place(offsets: list[tuple[float, float]], decimals: int) -> None:
    step = 10.0**-decimals
    rule = Rounding(table="strikes", decimals=decimals)
    found = {rounded(Point(30 + x * step, 46 + y * step), rule).geometry.wkt for x, y in offsets}
    assert len(found) == 1


@given(places, rules)
def test_a_point_is_moved_as_a_vertex_is(place: Point, rule: Rounding) -> None:
    line = rounded(LineString([place, place]), rule)
    alone = rounded(place, rule)
    assert metres_apart(line.geometry, alone.geometry) < 0.05
    assert abs(line.moved_m - alone.moved_m) < 0.05


def test_decimals_are_those_of_the_coordinates() -> None:
    assert rounded(Point(30.7218, 46.4836), Rounding(table="strikes", decimals=2)).geometry.equals(Point(30.72, 46.48))


def test_a_grid_in_metres_is_as_wide_as_it_is_high() -> None:
    north = rounded(Point(25.123456, 69.987654), Rounding(table="strikes", metres=20_000))
    assert 10_000 < north.moved_m < 15_000


def test_a_line_keeps_its_way_without_the_places_between() -> None:
    line = LineString([(30.001, 46.001), (30.002, 46.001), (30.5, 46.2), (31.0, 46.4)])
    moved = rounded(line, Rounding(table="assets", decimals=1)).geometry
    assert shapely.get_coordinates(moved).tolist() == [[30.0, 46.0], [30.5, 46.2], [31.0, 46.4]]


def test_a_line_within_a_cell_is_a_point() -> None:
    assert rounded(LineString([(30.0001, 46.0), (30.0002, 46.0001)]), KM).geometry.geom_type == "Point"


def test_lines_stay_apart() -> None:
    lines = MultiLineString([[(30, 46), (31, 46)], [(30.00001, 47), (30.00002, 47)], [(32, 46), (33, 46)]])
    moved = rounded(lines, KM)
    assert (moved.geometry.geom_type, len(moved.geometry.geoms)) == ("MultiLineString", 2)
    assert moved.geometry.is_valid


@given(lon.filter(lambda x: x < 178), lat.filter(lambda y: y < 88), st.floats(0.0001, 1), st.floats(0.0001, 1))
def test_an_area_is_a_point_that_says_how_far_its_corners_are(x: float, y: float, wide: float, high: float) -> None:
    area = box(x, y, x + wide, y + high)
    moved = rounded(area, KM)
    assert moved.geometry.geom_type == "Point"
    corners = [Point(*corner) for corner in area.exterior.coords]
    assert max(metres_apart(corner, moved.geometry) for corner in corners) <= moved.moved_m + 0.01


def test_a_rule_states_one_step() -> None:
    with pytest.raises(ValueError, match=r"disclosure\.decimals-or-metres"):
        Rounding(table="strikes")
