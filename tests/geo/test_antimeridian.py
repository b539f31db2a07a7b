"""Cutting at 180 degrees."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from geo.antimeridian import cut_to_world, split
from geo.errors import CRSError, GeometryError
from tests import awkward_geometries
from tests.awkward_geometries import ALL_GEOMETRIES, REFUSED

GOOD = sorted(set(ALL_GEOMETRIES) - REFUSED)


def wrapped(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: np.column_stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]]))


@pytest.mark.parametrize("name", GOOD)
def test_every_place_ends_up_within_the_world(name: str) -> None:
    cut = split(ALL_GEOMETRIES[name])
    if cut is None or cut.is_empty:
        assert cut is ALL_GEOMETRIES[name]
        return
    west, _, east, _ = cut.bounds
    assert -180 <= west <= east <= 180
    assert name == "bow_tie" or cut.is_valid


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_places_are_refused(name: str) -> None:
    with pytest.raises((CRSError, GeometryError), match="expected"):
        split(ALL_GEOMETRIES[name])


@pytest.mark.parametrize("name", ["ordinary_line", "polygon_with_hole", "polygon_touching_antimeridian"])
def test_what_needs_no_cut_is_returned_itself(name: str) -> None:
    assert split(ALL_GEOMETRIES[name]) is ALL_GEOMETRIES[name]


def test_both_ways_of_writing_a_crossing_are_cut_alike() -> None:
    for item, second in (
        (awkward_geometries.line_over_antimeridian, awkward_geometries.line_beyond_180),
        (awkward_geometries.polygon_over_antimeridian, awkward_geometries.polygon_beyond_180),
    ):
        assert shapely.hausdorff_distance(split(item), split(second)) < 1e-6


def test_the_line_meets_180_where_its_straight_drawing_does() -> None:
    assert shapely.equals_exact(
        split(awkward_geometries.line_over_antimeridian),
        shapely.from_wkt("MULTILINESTRING((178 -17, 180 -16.3333333), (-180 -16.3333333, -179 -16))"),
        1e-6,
    )


@given(
    centre=st.tuples(st.floats(160, 200), st.floats(-70, 70)),
    radius=st.floats(0.5, 15),
    vertices=st.integers(3, 20),
    hole=st.booleans(),
    clockwise=st.booleans(),
)
def test_a_cut_keeps_the_area(
    centre: tuple[float, float], radius: float, vertices: int, hole: bool, clockwise: bool
) -> None:
    angle = np.linspace(0, 2 * math.pi, vertices, endpoint=False) + 0.1
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    drawn = Polygon(ring * radius + centre, [ring * radius / 2 + centre] if hole else [])
    drawn = drawn.reverse() if clockwise else drawn
    for written in (drawn, wrapped(drawn)):
        cut = split(written)
        assert cut is not None
        assert cut.is_valid
        assert cut.area == pytest.approx(drawn.area, rel=1e-5)
        assert -180 <= cut.bounds[0] <= cut.bounds[2] <= 180


def test_points_are_wrapped() -> None:
    assert split(MultiPoint([(181, 5), (-190, 5), (180, 5)])) == MultiPoint([(-179, 5), (170, 5), (180, 5)])


def test_collections_are_cut_member_by_member() -> None:
    cut = split(GeometryCollection([awkward_geometries.ordinary_point, awkward_geometries.line_over_antimeridian]))
    assert [part.geom_type for part in shapely.get_parts(cut)] == ["Point", "MultiLineString"]


@pytest.mark.parametrize("clockwise", [False, True])
@pytest.mark.parametrize(("name", "pole"), [("polygon_round_pole", 90), ("polygon_round_south_pole", -90)])
def test_a_ring_round_a_pole_holds_the_nearer_pole(name: str, pole: int, clockwise: bool) -> None:
    ring = ALL_GEOMETRIES[name]
    assert ring is not None
    cut = split(ring.reverse() if clockwise else ring)
    assert shapely.intersects(cut, Point(10, pole))
    assert not shapely.intersects(cut, Point(10, 0))


def test_a_line_that_only_ends_on_180_has_no_piece_of_length_zero() -> None:
    cut = split(LineString([(-179, 0), (180, 0), (179, 0)]))
    assert all(part.length > 0 for part in shapely.get_parts(cut))


def test_an_invalid_polygon_is_repaired_where_it_is_cut() -> None:
    cut = split(Polygon([(178, 0), (182, 2), (182, 0), (178, 2)]))
    assert cut is not None
    assert cut.is_valid
    assert cut.area == pytest.approx(4)


def test_a_ring_that_starts_on_180_is_cut_without_a_gap() -> None:
    # Adding up the steps of this ring does not lead back to 180 but 6e-14 short of it.
    ring = [
        (180, 1.5009043632505108),
        (179.9994718039109, 1.499268354691631),
        (-179.99934278990514, 1.5006167741552512),
    ]
    cut = split(Polygon(ring))
    assert cut is not None
    assert cut.area == pytest.approx(Polygon([(x % 360, y) for x, y in ring]).area)


def test_a_polygon_that_is_not_cut_may_stay_multi() -> None:
    pair = MultiPolygon([box(-179, 0, -178, 1), box(178, 0, 179, 1)])
    assert split(pair) is pair


def test_the_error_of_many_rows_names_the_row() -> None:
    with pytest.raises(CRSError, match="row 1") as caught:
        cut_to_world([awkward_geometries.ordinary_point, awkward_geometries.metres])
    assert caught.value.index == 1


def test_input_is_left_as_it_is() -> None:
    rows = np.array([awkward_geometries.polygon_over_antimeridian, None], dtype=object)
    before = awkward_geometries.polygon_over_antimeridian.wkb
    cut_to_world(rows)
    assert rows[0] is awkward_geometries.polygon_over_antimeridian
    assert rows[0].wkb == before
