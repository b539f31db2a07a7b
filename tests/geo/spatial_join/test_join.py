"""The spatial join against brute force that shares no code with it: geodesics and local projections by PROJ."""

from itertools import pairwise

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import assume, example, given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.errors import GeoError, GeometryError
from geo.spatial_join.join import MAX_RADIUS_M, pairs_within
from tests import awkward_geometries
from tests.awkward_geometries import ALL_GEOMETRIES, REFUSED
from tests.geo.spatial_join.edge_geodesics import GEOD, geodesic_m

RADII = [0.0, 1.0, 5_000.0, 50_000.0, 400_000.0, 3_000_000.0]

lon = st.one_of(st.floats(-180, 180), st.sampled_from([180.0, -180.0, 179.99, -179.98, 0.0]), st.floats(179, 180))
lat = st.one_of(st.floats(-90, 90), st.sampled_from([90.0, -90.0, 89.9, 0.0]), st.floats(85, 90))
spot = st.builds(Point, lon, lat)
#: A place and others at moderate distances from it, so that pairs are near a radius.
offsets = st.lists(st.tuples(st.floats(0, 360), st.floats(0, 100_000)), min_size=1, max_size=6)


def moved(point: Point, azimuth: float, metres: float) -> Point:
    east, north, _ = GEOD.fwd(point.x, point.y, azimuth, metres)
    return Point(east, north)


def check_points(left: list[Point], right: list[Point], radius_m: np.ndarray | float) -> None:
    actual = pairs_within(left, right, radius_m)
    a, b = shapely.get_coordinates(left), shapely.get_coordinates(right)
    i, j = (index.ravel() for index in np.indices((len(left), len(right))))
    metres = np.array(GEOD.inv(*a[i].T, *b[j].T)[2])
    radii = np.broadcast_to(radius_m, len(left))[i]
    pairs = dict(zip(zip(actual.left.tolist(), actual.right.tolist(), strict=True), actual.distance_m, strict=True))
    for key, truth, radius in zip(zip(i.tolist(), j.tolist(), strict=True), metres, radii, strict=True):
        if abs(truth - radius) > 2e-6:  # two micrometres may fall either way
            assert (key in pairs) == (truth < radius)
        if key in pairs:
            assert pairs[key] == pytest.approx(truth, rel=1e-5, abs=2e-6)
    assert list(pairs) == sorted(pairs)


@given(st.lists(spot, max_size=12), st.lists(spot, max_size=12), st.sampled_from(RADII))
def test_points_anywhere_equal_brute_force(left: list[Point], right: list[Point], radius_m: float) -> None:
    check_points(left, right, radius_m)


@given(spot, offsets, st.floats(0, 100_000))
@example(Point(180, 0), [(90.0, 4_999.0), (270.0, 4_999.0), (90.0, 5_001.0)], 5_000.0)
@example(Point(0, 90), [(10.0, 4_999.0), (190.0, 5_001.0)], 5_000.0)
def test_points_nearby_equal_brute_force(centre: Point, around: list[tuple[float, float]], radius_m: float) -> None:
    check_points([centre], [moved(centre, *offset) for offset in around], radius_m)


@given(spot, offsets, st.data())
def test_a_radius_for_every_row(centre: Point, around: list[tuple[float, float]], data: st.DataObject) -> None:
    left = [moved(centre, *offset) for offset in around]
    radii = data.draw(st.lists(st.floats(0, 100_000), min_size=len(left), max_size=len(left)))
    check_points(left, [*left, centre], np.array(radii))


@given(spot, st.floats(0, 360), st.floats(1, 3_000_000), st.sampled_from([0.0, 1e-4]))
def test_the_threshold_is_the_geodesic(centre: Point, azimuth: float, metres: float, off: float) -> None:
    second = moved(centre, azimuth, metres)
    exact = GEOD.inv(centre.x, centre.y, second.x, second.y)[2]
    assert len(pairs_within([centre], [second], exact + off).left) == 1
    assert len(pairs_within([centre], [second], exact - 1e-4).left) == 0


def test_a_line_beside_a_pole_is_not_at_the_pole() -> None:
    beside = LineString([(0, 89.999), (22, 89.999), (-169, 89.999)])
    (metres,) = pairs_within([awkward_geometries.at_pole], [beside], 200).distance_m
    assert metres == pytest.approx(111.69, abs=0.1)


def drawn(geometry: BaseGeometry, centre: Point) -> BaseGeometry:
    """Draw a shape azimuthal-equidistant about a point, its lon/lat edges cut short, the short way round."""
    project = pyproj.Transformer.from_crs(
        "OGC:CRS84", f"+proj=aeqd +lon_0={centre.x} +lat_0={centre.y} +ellps=WGS84", always_xy=True
    )

    def path(xy: np.ndarray) -> np.ndarray:
        step = np.diff(xy, axis=0)
        step[:, 0] = (step[:, 0] + 180) % 360 - 180
        assume(np.abs(step[:, 0]).max() < 179)
        share = np.linspace(0, 1, 500, endpoint=False)[:, None]
        dense = np.vstack([a + share * d for a, d in zip(xy[:-1], step, strict=True)] + [xy[-1:]])
        dense[:, 0] = (dense[:, 0] + 180) % 360 - 180
        return np.column_stack(project.transform(*dense.T))

    if isinstance(geometry, Polygon):
        return Polygon(path(shapely.get_coordinates(geometry.exterior)))
    return LineString(path(shapely.get_coordinates(geometry)))


@st.composite
def shapes(draw: st.DrawFn, centre: Point) -> BaseGeometry:
    """A line, or a convex polygon, of up to 200 km, about as far from a place."""
    middle = moved(centre, draw(st.floats(0, 360)), draw(st.floats(0, 150_000)))
    # Three corners all round, less than 170 degrees apart, and up to four more anywhere.
    gaps = draw(st.tuples(*[st.floats(1, 1.7)] * 3))
    three = draw(st.integers(0, 359)) + np.cumsum(gaps) / sum(gaps) * 360
    turns = sorted({round(turn) % 360 for turn in three} | draw(st.sets(st.integers(0, 359), max_size=4)))
    size = draw(st.floats(100, 100_000))
    corners = [moved(middle, 360.0 - turn, size) for turn in turns]
    return draw(st.sampled_from([LineString, Polygon]))(corners)  # type: ignore[no-any-return]


def check_shape(item: BaseGeometry, second: BaseGeometry, truth: float, radius_m: float, swap: bool) -> None:
    actual = pairs_within([second], [item], radius_m) if swap else pairs_within([item], [second], radius_m)
    slack = 1e-5 * truth + 0.6  # the bow of an edge on either side of the comparison
    if truth > radius_m + slack:
        assert len(actual.left) == 0
    elif truth < radius_m - slack:
        assert actual.distance_m == pytest.approx([truth], abs=slack)


@given(st.data(), spot, st.sampled_from([100.0, 20_000.0, 80_000.0, 150_000.0]), st.booleans())
def test_shapes_near_a_point_equal_a_local_projection(
    data: st.DataObject, centre: Point, radius_m: float, swap: bool
) -> None:
    shape = data.draw(shapes(centre))
    local = drawn(shape, centre)
    assume(local.is_valid)
    check_shape(centre, shape, shapely.distance(Point(0, 0), local), radius_m, swap)


@given(st.data(), spot, st.sampled_from([100.0, 20_000.0, 80_000.0]), st.booleans())
def test_two_shapes_equal_a_local_projection(data: st.DataObject, centre: Point, radius_m: float, swap: bool) -> None:
    item, second = data.draw(shapes(centre)), data.draw(shapes(centre))
    a, b = drawn(item, centre), drawn(second, centre)
    assume(a.is_valid and b.is_valid)
    # The drawing about a place 250 km off stretches by up to 3e-4.
    rough = shapely.distance(a, b)
    actual = pairs_within([item], [second], radius_m) if swap else pairs_within([second], [item], radius_m)
    if rough > radius_m * 1.001 + 1:
        assert len(actual.left) == 0
    elif rough < radius_m * 0.999 - 1:
        assert actual.distance_m == pytest.approx([rough], rel=1e-3, abs=1)


@given(
    st.floats(-180, 180),
    st.floats(-88, 88),
    st.lists(st.tuples(st.floats(0, 360), st.floats(0, 1)), min_size=2, max_size=9),
    st.sampled_from([0.001, 0.1, 10.0]),
    st.floats(10, 60_000),
    st.booleans(),
)
@example(30.0, 60.0, [(0.0, 0.0), (80.0, 1.0), (100.0, 1.0), (180.0, 0.0)], 0.001, 5_000.0, False)
@example(179.875, 0.0, [(89.999, 0.0), (270.0, 0.0)], 0.001, 1_000.0, False)  # 9 mm beside the line
def test_lines_about_a_point_equal_geodesics_to_places_on_them(
    lon: float, lat: float, around: list[tuple[float, float]], spread: float, metres: float, swap: bool
) -> None:
    vertices = np.array([GEOD.fwd(lon, lat, turn, metres * (1 + spread * more))[:2] for turn, more in around])
    drawn_lon = lon + (vertices[:, 0] - lon + 180) % 360 - 180
    assume(np.abs(np.diff(drawn_lon)).max() < 170)
    edges = np.column_stack([drawn_lon, vertices[:, 1]])
    truth = min(geodesic_m((lon, lat), a, b) for a, b in pairwise(edges))
    sides = [Point(lon, lat)], [LineString(vertices)]
    left, right = sides[::-1] if swap else sides
    # The bow of an edge, where geodesics measure it; and the seventh digit of a degree, where a line is cut at 180.
    slack = 1e-5 * truth + (0.3 if truth > 20_000 / (1 + np.tan(np.radians(lat)) ** 2) else 0.02)
    assert pairs_within(left, right, truth + slack).distance_m == pytest.approx([truth], abs=slack)
    if truth > slack:  # of a point within the slack of a line either answer is right
        assert len(pairs_within(left, right, truth - slack).left) == 0


@pytest.mark.parametrize("lon", [179.0, -179.0])
def test_a_line_nearer_a_pole_than_a_point_is_met_across_180(lon: float) -> None:
    point, line = Point(lon, 88.8), LineString([(-179, 89.5), (-178.5, 89.5)])
    truth = min(geodesic_m((lon, 88.8), np.array([-179.0, 89.5]), np.array([end, 89.5])) for end in (-178.5, -179.0))
    for left, right in (([point], [line]), ([line], [point])):
        assert pairs_within(left, right, 100_000).distance_m == pytest.approx([truth], abs=0.4)


def test_of_two_places_of_a_line_the_nearer_is_taken_though_the_plane_of_the_other_is_larger() -> None:
    north, south = moved(Point(30, 60), 0, 5_000), moved(Point(30, 60), 180, 5_003)
    line = LineString([(29.99, north.y), (30.3, north.y), (30.3, south.y), (29.99, south.y)])
    for left, right in (([Point(30, 60)], [line]), ([line], [Point(30, 60)])):
        assert pairs_within(left, right, 5_001).distance_m == pytest.approx([5_000], abs=0.05)


def test_points_of_a_multipoint_are_decided_one_by_one() -> None:
    far, near = moved(Point(30, 46), 90, 5_000.0), moved(Point(30, 46), 270, 4_999.999_999_5)
    both = [shapely.MultiPoint([far, near]), shapely.MultiPoint([near, far])]
    for left, right in ((both, [Point(30, 46)]), ([Point(30, 46)], both)):
        actual = pairs_within(left, right, 5_000 - 2.5e-10)
        assert len(actual.left) == 2
        assert actual.distance_m == pytest.approx([5_000, 5_000], abs=1e-6)


def test_a_point_in_a_polygon_is_not_at_its_outline() -> None:
    points = [Point(28.1, 45.1), Point(28.5, 45.5), Point(28.5, 45.41), Point(27.99, 45.5)]
    inside = pairs_within(points, [awkward_geometries.polygon_with_hole], 1_200)
    assert inside.left.tolist() == [0, 2, 3]
    assert inside.distance_m == pytest.approx([0, 1_111, 781], abs=2)
    back = pairs_within([awkward_geometries.polygon_with_hole], points, 1_200)
    assert back.distance_m.tolist() == inside.distance_m.tolist()


GOOD = sorted(set(ALL_GEOMETRIES) - REFUSED)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("radius_m", [0.0, 1_000.0, 2_000_000.0])
def test_every_place_is_near_itself_and_near_what_is_near_it(name: str, radius_m: float) -> None:
    everything = [ALL_GEOMETRIES[key] for key in GOOD]
    geometry = ALL_GEOMETRIES[name]
    there = pairs_within([geometry], everything, radius_m)
    back = pairs_within(everything, [geometry], radius_m)
    assert there.right.tolist() == back.left.tolist()
    assert there.distance_m == pytest.approx(back.distance_m, rel=1e-3, abs=1)
    if geometry is None or geometry.is_empty:
        assert len(there.left) == 0
    else:
        assert there.distance_m[there.right.tolist().index(GOOD.index(name))] == 0


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_places_are_refused(name: str) -> None:
    with pytest.raises(GeoError, match="row 1"):
        pairs_within([awkward_geometries.missing, ALL_GEOMETRIES[name]], [awkward_geometries.ordinary_point], 1)


@pytest.mark.parametrize("name", ["polygon_over_antimeridian", "line_over_antimeridian", "line_beyond_180"])
def test_both_sides_of_180_are_met(name: str) -> None:
    sides = [Point(178.5, -16.8333333), Point(-179.25, -16.0833333), Point(0, -17), Point(178.5, -16.82)]
    expected = [0, 1, 3] if "polygon" in name else [0, 1]
    assert pairs_within(sides, [ALL_GEOMETRIES[name]], 1).left.tolist() == expected


def test_touching_places_at_radius_zero() -> None:
    actual = pairs_within(
        [awkward_geometries.null_island, awkward_geometries.on_antimeridian],
        [awkward_geometries.equator_line, awkward_geometries.on_antimeridian_west],
        0,
    )
    assert actual.left.tolist() == [0, 1]
    assert actual.right.tolist() == [0, 1]
    assert actual.distance_m.tolist() == [0, 0]


def test_all_longitudes_meet_at_a_pole() -> None:
    poles = [Point(lon, 90) for lon in (0, 77, 180, -180)]
    assert len(pairs_within(poles, poles, 0).left) == 16


@pytest.mark.parametrize("radius_m", [-1.0, np.nan, np.inf, MAX_RADIUS_M * 2, [1.0, -2.0], [1.0], [[1.0, 1.0]]])
def test_radii_that_are_none_are_refused(radius_m: object) -> None:
    with pytest.raises(GeometryError, match="radius_m"):
        pairs_within(
            [awkward_geometries.ordinary_point, awkward_geometries.null_island],
            [awkward_geometries.ordinary_point],
            radius_m,
        )  # type: ignore[arg-type]


def test_a_bad_radius_is_named() -> None:
    with pytest.raises(GeometryError) as caught:
        pairs_within([awkward_geometries.ordinary_point] * 3, [], [1.0, 2.0, -1.0])
    assert caught.value.index == 2


def test_nothing_pairs_with_nothing() -> None:
    for left, right in (
        ([], []),
        ([None], [awkward_geometries.ordinary_point]),
        ([awkward_geometries.ordinary_point], [awkward_geometries.empty]),
    ):
        actual = pairs_within(left, right, 1e6)
        assert [len(part) for part in actual] == [0, 0, 0]
        assert [part.dtype for part in actual] == [np.int64, np.int64, np.float64]


def test_pairs_are_sorted_and_once_and_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    rows = [*shapely.points(rng.uniform(-1, 1, (200, 2))), *[ALL_GEOMETRIES[name] for name in GOOD]]
    whole = pairs_within(rows, rows, 40_000)
    keys = list(zip(whole.left.tolist(), whole.right.tolist(), strict=True))
    assert keys == sorted(set(keys))
    limits = {"join.CHUNK": 7, "point_pairs.CHUNK": 20, "point_pairs.BATCH": 500, "local_plane.BLOCK": 50}
    limits["point_pairs.MAX_STEPS"] = 100
    for name, limit in limits.items():
        monkeypatch.setattr(f"geo.spatial_join.{name}", limit)
    for item, second in zip(whole, pairs_within(rows, rows, 40_000), strict=True):
        assert item.tolist() == second.tolist()


def test_inputs_are_left_as_they_are() -> None:
    rows = np.array([ALL_GEOMETRIES[name] for name in GOOD], dtype=object)
    before = shapely.to_wkb(rows).tolist()
    pairs_within(rows, rows, 1_000)
    assert shapely.to_wkb(rows).tolist() == before
    assert not shapely.is_prepared(rows).any()
