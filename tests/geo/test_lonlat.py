"""The lon/lat guard."""

import geopandas
import numpy as np
import pytest
import shapely
from shapely.geometry import Point

from geo.errors import CRSError, GeoError, GeometryError
from geo.lonlat import as_geometries, frame_lonlat, require_lonlat
from tests import places
from tests.places import ALL_PLACES, BAD_PLACES


@pytest.mark.parametrize("name", sorted(set(ALL_PLACES) - BAD_PLACES))
def test_good_places_pass(name: str) -> None:
    require_lonlat([ALL_PLACES[name]])


@pytest.mark.parametrize("name", sorted(BAD_PLACES))
def test_bad_places_are_refused_with_their_row(name: str) -> None:
    with pytest.raises(GeoError, match="row 2: expected") as caught:
        require_lonlat([places.missing, places.ordinary_point, ALL_PLACES[name], ALL_PLACES[name]])
    assert caught.value.index == 2


def test_swapped_axes_are_named_only_where_swapping_helps() -> None:
    with pytest.raises(CRSError, match="axes look swapped"):
        require_lonlat([places.swapped])
    with pytest.raises(CRSError) as caught:
        require_lonlat([places.metres])
    assert "swapped" not in str(caught.value)


def test_nan_is_a_geometry_error() -> None:
    with pytest.raises(GeometryError, match="finite"):
        require_lonlat([places.nan_point])


def test_what_is_no_geometry_is_refused() -> None:
    with pytest.raises(GeometryError, match="row 1"):
        require_lonlat([places.ordinary_point, "POINT (1 2)"])  # type: ignore[list-item]


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4258", "EPSG:32636", "no such thing"])
def test_other_systems_are_refused(crs: str) -> None:
    with pytest.raises(CRSError, match="OGC:CRS84"):
        require_lonlat([places.ordinary_point], crs)


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4326"])
def test_lonlat_systems_pass(crs: str) -> None:
    require_lonlat([places.ordinary_point], crs)


def test_as_geometries_is_a_copy() -> None:
    rows = np.array([places.ordinary_point, None], dtype=object)
    as_geometries(rows)[0] = None
    assert rows[0] is places.ordinary_point


def test_a_frame_without_crs_is_refused() -> None:
    with pytest.raises(CRSError, match="no CRS"):
        frame_lonlat(geopandas.GeoDataFrame(geometry=[places.ordinary_point]))


def test_a_projected_frame_comes_back_in_degrees_and_unharmed() -> None:
    frame = geopandas.GeoDataFrame({"n": [1, 2]}, geometry=[places.ordinary_point, None], crs="OGC:CRS84")
    utm = frame.to_crs("EPSG:32635")
    before = utm.copy()
    back = frame_lonlat(utm)
    assert shapely.equals_exact(back.geometry.iloc[0], places.ordinary_point, 1e-9)
    assert back.geometry.iloc[1] is None
    assert utm.crs == before.crs
    assert utm.geometry.iloc[0] == before.geometry.iloc[0]


def test_a_frame_in_degrees_with_swapped_axes_is_refused() -> None:
    with pytest.raises(CRSError, match="swapped"):
        frame_lonlat(geopandas.GeoDataFrame(geometry=[places.swapped], crs="EPSG:4326"))


def test_a_projected_frame_with_nan_is_refused() -> None:
    with pytest.raises(GeometryError, match="finite"):
        frame_lonlat(geopandas.GeoDataFrame(geometry=[Point(np.nan, 1)], crs="EPSG:3857"))
