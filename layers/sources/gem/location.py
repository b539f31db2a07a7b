"""Where GEM puts things: geometry, how far off it may be, and the host country. Tables, each with its grounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from layers.model.types import Basis
from layers.sources.reader.asset_geometry import fault_of, lines_of
from layers.sources.reader.country_codes import PlaceError

_ELLIPSOID = Geod(ellps="WGS84")

#: What a stated accuracy means in metres, and what the coordinate stands for. GEM's words: for routes "low" is a
#: straight line between the ends, "medium" is not straight but not traced, "high" is traced; a point is "exact" or
#: "approximate". The metres are ours: no GEM page gives any. They are wide enough for the two routes we could
#: compare: GEM's lines pass the Orlivka station 9.6 and 19.9 km off.
ACCURACY: Mapping[str, tuple[float, Basis]] = {
    "very high (within meters)": (50.0, "site"),
    "very high": (50.0, "site"),
    "high": (1_000.0, "site"),
    "medium": (15_000.0, "district"),
    "low": (50_000.0, "line-end"),
    "exact": (500.0, "site"),
    "approximate": (15_000.0, "settlement"),
}
#: A point without a stated accuracy.
UNSTATED_POINT: tuple[float, Basis] = (5_000.0, "settlement")
#: A route without one, by its longest straight stretch in metres: what stretch, how far off, what it stands for.
UNSTATED_ROUTE: tuple[tuple[float, float, Basis], ...] = (
    (5_000.0, 2_000.0, "site"),
    (25_000.0, 10_000.0, "district"),
    (100_000.0, 25_000.0, "line-end"),
    (float("inf"), 50_000.0, "line-end"),
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A geometry in lon/lat (OGC:CRS84), the radius in metres that holds the true place, and its basis.

    ``points`` counts parts of a line that have no length; they are left out, as no line can have them.
    """

    geometry: BaseGeometry
    uncertainty_m: float
    basis: Basis
    points: int = 0


def spot(wkt: str, lat: str, lon: str, accuracy: str) -> Spot | None:
    """Read WKT or else a pair of degrees; ``None`` where both are empty.

    Of a collection its lines are the route: GEM's collections hold the ends of lines as points.

    Raises
    ------
    PlaceError
        If there is something, and it is no geometry of the schema (on the globe, not too large), or no numbers.
    """
    shape = _shape(wkt.strip(), lat.strip(), lon.strip())
    if shape is None or shape.is_empty:
        return None
    shape, points = _without_points(lines_of(shape))
    if fault := fault_of(shape):
        raise PlaceError(fault)
    uncertainty_m, basis = ACCURACY.get(accuracy.strip().casefold()) or _unstated(shape)
    return Spot(shape, uncertainty_m, basis, points)


def _without_points(shape: BaseGeometry) -> tuple[BaseGeometry, int]:
    parts = shapely.get_parts(shape)
    lines = parts[shapely.length(parts) > 0]
    if shape.geom_type != "MultiLineString" or not 0 < len(lines) < len(parts):
        return shape, 0
    return shapely.MultiLineString(list(lines)), len(parts) - len(lines)


def _shape(wkt: str, lat: str, lon: str) -> BaseGeometry | None:
    try:
        if wkt and wkt != "--":
            return shapely.force_2d(shapely.from_wkt(wkt))
        return shapely.Point(float(lon), float(lat)) if lat or lon else None
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise PlaceError(f"WKT, or lat and lon in degrees: {str(error)[:80]}") from error


def _unstated(shape: BaseGeometry) -> tuple[float, Basis]:
    if shape.geom_type in ("Point", "MultiPoint"):
        return UNSTATED_POINT
    stretch = longest_stretch_m(shape)
    return next((off, basis) for most, off, basis in UNSTATED_ROUTE if stretch <= most)


def longest_stretch_m(shape: BaseGeometry) -> float:
    """Length in metres, on the ellipsoid, of the longest straight stretch between two vertices of any part."""
    xy, part = shapely.get_coordinates(shapely.get_parts(shape), return_index=True)
    inside = part[1:] == part[:-1]
    if not inside.any():
        return 0.0
    start, stop = xy[:-1][inside], xy[1:][inside]
    _, _, metres = _ELLIPSOID.inv(start[:, 0], start[:, 1], stop[:, 0], stop[:, 1])
    return float(np.max(metres))
