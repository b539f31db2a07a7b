"""The lon/lat guard."""

import geopandas
import numpy as np
import pytest
import shapely
from shapely.geometry import Point

from geo.errors import CRSError, GeoError, GeometryError
from geo.lonlat import as_geometries, geodataframe_lonlat, require_lonlat
from tests import awkward_geometries
from tests.awkward_geometries import ALL_GEOMETRIES, NOT_LONLAT


@pytest.mark.parametrize("name", sorted(set(ALL_GEOMETRIES) - NOT_LONLAT))
def test_good_places_pass(name: str) -> None:
    require_lonlat([ALL_GEOMETRIES[name]])


@pytest.mark.parametrize("name", sorted(NOT_LONLAT))
def test_bad_places_are_refused_with_their_row(name: str) -> None:
    with pytest.raises(GeoError, match="row 2: expected") as caught:
        require_lonlat(
            [awkward_geometries.missing, awkward_geometries.ordinary_point, ALL_GEOMETRIES[name], ALL_GEOMETRIES[name]]
        )
    assert caught.value.index == 2


def test_swapped_axes_are_named_only_where_swapping_helps() -> None:
    with pytest.raises(CRSError, match="axes look swapped"):
        require_lonlat([awkward_geometries.swapped])
    with pytest.raises(CRSError) as caught:
        require_lonlat([awkward_geometries.metres])
    assert "swapped" not in str(caught.value)


def test_nan_is_a_geometry_error() -> None:
    with pytest.raises(GeometryError, match="finite"):
        require_lonlat([awkward_geometries.nan_point])


def test_what_is_no_geometry_is_refused() -> None:
    with pytest.raises(GeometryError, match="row 1"):
        require_lonlat([awkward_geometries.ordinary_point, "POINT (1 2)"])  # type: ignore[list-item]


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4258", "EPSG:32636", "no such thing"])
def test_other_systems_are_refused(crs: str) -> None:
    with pytest.raises(CRSError, match="OGC:CRS84"):
        require_lonlat([awkward_geometries.ordinary_point], crs)


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4326"])
def test_lonlat_systems_pass(crs: str) -> None:
    require_lonlat([awkward_geometries.ordinary_point], crs)


def test_as_geometries_is_a_copy() -> None:
    rows = np.array([awkward_geometries.ordinary_point, None], dtype=object)
    as_geometries(rows)[0] = None
    assert rows[0] is awkward_geometries.ordinary_point


def test_a_frame_without_crs_is_refused() -> None:
    with pytest.raises(CRSError, match="no CRS"):
        geodataframe_lonlat(geopandas.GeoDataFrame(geometry=[awkward_geometries.ordinary_point]))


def test_a_projected_frame_comes_back_in_degrees_and_unharmed() -> None:
    frame = geopandas.GeoDataFrame({"n": [1, 2]}, geometry=[awkward_geometries.ordinary_point, None], crs="OGC:CRS84")
    utm = frame.to_crs("EPSG:32635")
    before = utm.copy()
    back = geodataframe_lonlat(utm)
    assert shapely.equals_exact(back.geometry.iloc[0], awkward_geometries.ordinary_point, 1e-9)
    assert back.geometry.iloc[1] is None
    assert utm.crs == before.crs
    assert utm.geometry.iloc[0] == before.geometry.iloc[0]


def test_a_frame_in_degrees_with_swapped_axes_is_refused() -> None:
    with pytest.raises(CRSError, match="swapped"):
        geodataframe_lonlat(geopandas.GeoDataFrame(geometry=[awkward_geometries.swapped], crs="EPSG:4326"))


def test_a_projected_frame_with_nan_is_refused() -> None:
    with pytest.raises(GeometryError, match="finite"):
        geodataframe_lonlat(geopandas.GeoDataFrame(geometry=[Point(np.nan, 1)], crs="EPSG:3857"))
