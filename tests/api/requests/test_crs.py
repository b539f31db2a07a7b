"""Coordinate reference systems against geopandas and known places: axis order, and boxes that are curves elsewhere."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from api.requests import crs
from api.requests.crs import CRS84, SUPPORTED_CRS, WEB_MERCATOR, Crs, parse_bbox, parse_crs, project, unproject
from api.requests.parameters import BadParameter
from layers.snapshot.snapshot import Snapshot

ODESA = Point(30.7233, 46.4825)
LAEA, UTM36 = parse_crs("[EPSG:3035]", "crs"), parse_crs("[EPSG:32636]", "crs")
LATLON = parse_crs("http://www.opengis.net/def/crs/EPSG/0/4326", "crs")
METRES = [LAEA, UTM36, parse_crs("[EPSG:32637]", "crs")]


def xy(shapes: Any, system: Crs) -> Any:
    """With the first axis eastward, as geopandas has it."""
    return shapely.transform(shapes, lambda axes: axes[:, ::-1]) if system.north_first else shapes


def test_names_are_uris_and_curies_safe_or_not() -> None:
    assert [system.name for system in SUPPORTED_CRS] == [
        "OGC:CRS84", "EPSG:4326", "EPSG:3857", "EPSG:3035", "EPSG:4258", "EPSG:32636", "EPSG:32637"
    ]  # fmt: skip
    assert CRS84.uri == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert WEB_MERCATOR.uri == "http://www.opengis.net/def/crs/EPSG/0/3857"
    for system in SUPPORTED_CRS:
        for name in (system.uri, f"[{system.name}]", system.name):
            assert parse_crs(name, "crs") is system
    for other in ("EPSG:9999", "4326", "epsg:4326", "[EPSG:9999]", "", "http://www.opengis.net/def/crs/EPSG/0/43260"):
        with pytest.raises(BadParameter, match=r"crs=.*expected one of http"):
            parse_crs(other, "crs")


@pytest.mark.parametrize("system", SUPPORTED_CRS, ids=lambda system: system.name)
def test_coordinates_are_those_of_geopandas_in_the_order_of_the_authority(system: Crs, snapshot: Snapshot) -> None:
    shapes = snapshot.collections["assets"].shapes
    ours = xy(project(shapes, system), system)
    theirs = geopandas.GeoSeries(shapes, crs="OGC:CRS84").to_crs(system.name if system is not CRS84 else "OGC:CRS84")
    placed = ~shapely.is_missing(shapes)
    assert placed.any()
    assert not placed.all()
    assert list(shapely.is_missing(ours)) == list(~placed)
    assert shapely.equals_exact(ours[placed], np.asarray(theirs)[placed], tolerance=1e-6).all()


def test_axes_of_a_known_place() -> None:
    (latlon,), (laea,) = project([ODESA], LATLON), project([ODESA], LAEA)
    assert (latlon.x, latlon.y) == (ODESA.y, ODESA.x)
    assert laea.x == pytest.approx(2_755_000, abs=150_000)  # northing first
    assert laea.y == pytest.approx(5_900_000, abs=150_000)


@given(st.floats(-20, 60), st.floats(25, 72))
def test_there_and_back_is_the_same_place(lon: float, lat: float) -> None:
    for system in SUPPORTED_CRS:
        (back,) = unproject(project([Point(lon, lat)], system), system)
        assert back.distance(Point(lon, lat)) < 1e-7


def test_what_has_no_place_in_a_system_is_none() -> None:
    assert list(shapely.is_missing(project([ODESA, None, Point(-57, 0)], UTM36))) == [False, True, True]
    assert len(project([], UTM36)) == 0


def test_a_box_is_read_in_the_order_of_the_axes() -> None:
    assert parse_bbox("28,45,33,48").box == (28, 45, 33, 48)
    assert parse_bbox("45,28,48,33", LATLON).box == (28, 45, 33, 48)
    assert parse_bbox("45,28,0,48,33,9", LATLON).box == (28, 45, 33, 48)
    assert parse_bbox("45,170,48,-170", LATLON).box == (170, 45, -170, 48)


def test_a_box_of_mercator_metres_is_a_box_of_degrees() -> None:
    west, south, east, north = parse_bbox("3000000,5600000,3500000,6000000", WEB_MERCATOR).box
    corners = geopandas.GeoSeries([Point(west, south), Point(east, north)], crs=4326).to_crs(3857)
    assert [*corners.x, *corners.y] == pytest.approx([3e6, 3.5e6, 5.6e6, 6e6], abs=1e-3)
    assert parse_bbox("-5e7,-5e8,5e7,5e8", WEB_MERCATOR).box == pytest.approx((-180, -90, 180, 90))
    over = parse_bbox("20000000,0,-20000000,5000000", WEB_MERCATOR).box
    assert over[0] > 179
    assert over[2] < -179


@pytest.mark.parametrize("system", METRES, ids=lambda system: system.name)
@given(x=st.floats(-4e5, 4e5), y=st.floats(-8e5, 8e5), width=st.floats(1e3, 2e6), height=st.floats(1e3, 2e6))
def test_the_degrees_round_a_box_of_metres_hold_all_of_it(
    system: Crs, x: float, y: float, width: float, height: float
) -> None:
    centre = project([Point(35, 50)], system)[0]
    first, second = centre.x + x, centre.y + y
    area = parse_bbox(f"{first},{second},{first + height},{second + width}", system)
    west, south, east, north = area.box
    edge = shapely.segmentize(shapely.box(first, second, first + height, second + width), 500.0)
    (degrees,) = unproject([edge], system)
    lon, lat = shapely.get_coordinates(degrees).T
    assert west <= lon.min() <= lon.max() <= east
    assert south <= lat.min() <= lat.max() <= north


def test_a_box_that_leaves_the_earth_or_holds_a_pole_is_looked_for_everywhere() -> None:
    assert parse_bbox("-1e9,-1e9,1e9,1e9", UTM36).box == (-180, -90, 180, 90)
    pole = project([Point(0, 90)], LAEA)[0]
    around = parse_bbox(f"{pole.x - 1e5},{pole.y - 1e5},{pole.x + 1e5},{pole.y + 1e5}", LAEA).box
    assert around[0] == -180
    assert around[2:] == (180, 90)


@pytest.mark.parametrize("system", METRES, ids=lambda system: system.name)
def test_only_what_meets_the_box_in_its_own_system_is_within(system: Crs, snapshot: Snapshot) -> None:
    collection = snapshot.collections["assets"]
    low, high = project([Point(28, 44), Point(46, 56)], system)
    box = (low.x, low.y, high.x, high.y)
    area = parse_bbox(",".join(map(str, box)), system)
    found = crs.WithinBox.of(area).mask(collection)
    expected = [shape is None or shape.intersects(shapely.box(*box)) for shape in project(collection.shapes, system)]
    assert list(found) == expected
    lonlat = collection.mask(area.box, include_without_geometry=True)
    assert (found & ~lonlat).sum() == 0
    assert (lonlat & ~found).any(), "the degrees round it hold more"


@pytest.mark.parametrize(
    ("text", "system"),
    [("1,2,3", LAEA), ("nan,0,1,1", LAEA), ("2,0,1,1", LAEA), ("0,2,1,1", UTM36), ("0,0,91,1", LATLON), ("", UTM36)],
)
def test_a_box_that_is_none_says_what_was_expected(text: str, system: Crs) -> None:
    with pytest.raises(BadParameter, match=system.name):
        parse_bbox(text, system)
