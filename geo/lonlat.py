"""The guard at every door of geo: geometry is lon/lat in degrees (OGC:CRS84), or a named error is raised."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

import geopandas
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import CRSError, GeometryError

#: What every function here takes: shapely geometries or None (missing), one a row.
Geometries: TypeAlias = Iterable[BaseGeometry | None]
Objects: TypeAlias = npt.NDArray[np.object_]
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

LONLAT = "OGC:CRS84"


def as_geometries(geometries: Geometries) -> Objects:
    """Give the rows as an object array, shape (n,), that is the caller's own copy.

    Raises
    ------
    GeometryError
        When a row is neither a shapely geometry nor None.
    """
    rows = list(geometries)
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    strange = ~shapely.is_valid_input(array)
    if strange.any():
        index = int(strange.argmax())
        raise GeometryError(f"row {index}: expected a geometry or None, got {type(rows[index])}", index)
    return array


def require_finite(geometries: Objects) -> None:
    """Refuse coordinates that are NaN or infinite; missing and empty pass.

    Raises
    ------
    GeometryError
        With the index of the first row that has such a coordinate.
    """
    xy, row = shapely.get_coordinates(geometries, return_index=True)
    bad = ~np.isfinite(xy).all(axis=1)
    if bad.any():
        index = int(row[bad.argmax()])
        raise GeometryError(f"row {index}: expected finite coordinates, got NaN or infinity", index)


def require_lonlat(geometries: Geometries, crs: str = LONLAT) -> None:
    """Refuse what is not lon/lat: lon in [-180, 180], lat in [-90, 90], degrees, in that order.

    Missing and empty geometries pass. Coordinates that are merely swapped are recognised where the
    swap shows (a latitude beyond 90 that would be a longitude).

    Raises
    ------
    CRSError
        When ``crs`` is no WGS 84 lon/lat system or a coordinate is out of range; ``.index`` is the first row.
    GeometryError
        When a row is no geometry or a coordinate is NaN or infinite.
    """
    if not _is_lonlat(crs):
        raise CRSError(f"expected lon/lat in {LONLAT}, got {crs}")
    rows = as_geometries(geometries)
    require_finite(rows)
    xy, row = shapely.get_coordinates(rows, return_index=True)
    bad = _outside(xy)
    if bad.any():
        index = int(row[bad.argmax()])
        hint = _swap_hint(xy[row == index])
        lon, lat = xy[bad.argmax()]
        raise CRSError(
            f"row {index}: expected lon in [-180, 180] and lat in [-90, 90], got ({lon:g}, {lat:g}){hint}", index
        )


def frame_lonlat(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Give the frame in lon/lat; the input is left as it is.

    Raises
    ------
    CRSError
        When the frame does not say its CRS, or its coordinates are out of range afterwards.
    GeometryError
        When a coordinate is NaN or infinite.
    """
    if frame.crs is None:
        raise CRSError(f"the frame has no CRS; expected one that leads to {LONLAT}")
    if not _is_lonlat(frame.crs.to_wkt()):
        require_finite(as_geometries(frame.geometry))
        frame = frame.to_crs(LONLAT)
    require_lonlat(frame.geometry)
    return frame


@lru_cache(maxsize=64)
def _is_lonlat(crs: str) -> bool:
    """Tell whether the system is WGS 84 in degrees; geopandas keeps lon first whatever the axis order says."""
    try:
        given = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return False
    return given.equals(pyproj.CRS(LONLAT), ignore_axis_order=True) or given.to_epsg() == 4326


def _outside(xy: Floats) -> Bools:
    return (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90)


def _swap_hint(xy: Floats) -> str:
    return "" if _outside(xy[:, ::-1]).any() else "; axes look swapped"
