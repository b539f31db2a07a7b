"""Entry checks of geo: every geometry is lon/lat in degrees (OGC:CRS84), or an error names the row. Array types too."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.errors import CRSError, GeometryError

if TYPE_CHECKING:
    import geopandas

#: Geometries of rows: shapely geometries or None (missing).
Geometries: TypeAlias = Iterable[BaseGeometry | None]
#: Arrays by element type; geometries are arrays of the dtype object.
Objects: TypeAlias = npt.NDArray[np.object_]
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

#: WGS 84 longitude and latitude in degrees, in that order (OGC 09-146r8, CRS84).
LONLAT = "OGC:CRS84"


def as_geometries(geometries: Geometries) -> Objects:
    """Geometries as an array.

    Parameters
    ----------
    geometries
        Shapely geometries of any kind, or None.

    Returns
    -------
    Shape (n,), dtype object; a new array of the same geometries.

    Raises
    ------
    GeometryError
        When a row is neither a shapely geometry nor None.
    """
    if isinstance(geometries, np.ndarray) and geometries.dtype == object:
        array: Objects = geometries.copy()
    else:
        rows = list(geometries)
        array = np.empty(len(rows), dtype=object)
        array[:] = rows
    invalid = ~shapely.is_valid_input(array)
    if invalid.any():
        index = int(invalid.argmax())
        raise GeometryError(f"row {index}: expected a geometry or None, got {type(array[index])}", index)
    return array


def require_finite(geometries: Objects) -> None:
    """Refuse coordinates that are NaN or infinite.

    Parameters
    ----------
    geometries
        Shape (n,); missing and empty ones pass.

    Raises
    ------
    GeometryError
        With the index of the first row that has such a coordinate.
    """
    _require_finite(*shapely.get_coordinates(geometries, return_index=True))


def _require_finite(xy: Floats, row: Ints) -> None:
    bad = ~np.isfinite(xy).all(axis=1)
    if bad.any():
        index = int(row[bad.argmax()])
        raise GeometryError(f"row {index}: expected finite coordinates, got NaN or infinity", index)


def require_lonlat(geometries: Geometries, crs: str = LONLAT) -> None:
    """Refuse geometries that are not lon/lat in degrees: lon in [-180, 180], lat in [-90, 90].

    Parameters
    ----------
    geometries
        One a row; missing and empty ones pass.
    crs
        The system that the caller knows the geometries to be in, as pyproj reads it. EPSG:4326 passes too, as lon comes
        first in shapely and geopandas whatever its axis order says.

    Raises
    ------
    CRSError
        When ``crs`` is no WGS 84 lon/lat system, or a coordinate is out of range; ``index`` is the first such row, and
        the message says where axes look swapped.
    GeometryError
        When a row is no geometry or a coordinate is NaN or infinite.
    """
    if not _is_lonlat(crs):
        raise CRSError(f"expected lon/lat in {LONLAT}, got {crs}")
    xy, row = shapely.get_coordinates(as_geometries(geometries), return_index=True)
    _require_finite(xy, row)
    bad = _outside(xy)
    if bad.any():
        index = int(row[bad.argmax()])
        hint = _swap_hint(xy[row == index])
        lon, lat = xy[bad.argmax()]
        raise CRSError(
            f"row {index}: expected lon in [-180, 180] and lat in [-90, 90], got ({lon:g}, {lat:g}){hint}", index
        )


def geodataframe_lonlat(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Bring a frame to lon/lat degrees (OGC:CRS84).

    Parameters
    ----------
    frame
        In any CRS that pyproj can transform; it is left as it is. Missing and empty geometries stay.

    Returns
    -------
    The frame itself where it is lon/lat already, otherwise a transformed copy; rows and order are the same.

    Raises
    ------
    CRSError
        When the frame has no CRS, or a coordinate is out of range afterwards.
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
    """Whether a system is WGS 84 in degrees, in either axis order; geopandas has lon first in both."""
    import pyproj

    try:
        given = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return False
    return given.equals(pyproj.CRS(LONLAT), ignore_axis_order=True) or given.to_epsg() == 4326


def _outside(xy: Floats) -> Bools:
    return (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90)


def _swap_hint(xy: Floats) -> str:
    return "" if _outside(xy[:, ::-1]).any() else "; axes look swapped"
