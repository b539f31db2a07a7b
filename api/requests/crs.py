"""The coordinate reference systems on offer (OGC 18-058r1): names, axis order, transformation from and to lon/lat."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.requests.parameters import BadParameter
from geo.geojson import DECIMALS
from geo.lonlat import LONLAT, Bools, Objects
from layers.collections.collection import Collection
from layers.collections.geometry_index import Box
from layers.collections.queryables import GEOMETRY
from layers.query.filter import Filter

if TYPE_CHECKING:
    import pyproj

_BASE = "http://www.opengis.net/def/crs/"
#: Points that each edge of a box gets before it is transformed: a straight edge is a curve in another system.
_DENSIFIED = 64
#: Half the width of the world in Pseudo-Mercator, in metres.
_MERCATOR = 20_037_508.342789244


@dataclass(frozen=True)
class Crs:
    """A coordinate reference system, named as EPSG:3857 is. Coordinates are in the axis order of its authority."""

    name: str
    title: str
    #: Decimals of written coordinates: a centimetre or less on the ground.
    decimals: int = DECIMALS
    #: Whether the axes are degrees of latitude and longitude, in whichever order.
    geographic: bool = True
    north_first: bool = False

    @property
    def uri(self) -> str:
        """Identifier (OGC 09-048r5)."""
        authority, code = self.name.split(":")
        return f"{_BASE}{authority}/{'1.3' if authority == 'OGC' else '0'}/{code}"

    @property
    def curie(self) -> str:
        """Safe CURIE (W3C), which requests may give instead of the URI."""
        return f"[{self.name}]"


CRS84 = Crs("OGC:CRS84", "WGS 84, longitude and latitude")
WEB_MERCATOR = Crs("EPSG:3857", "WGS 84 / Pseudo-Mercator", 3, geographic=False)

#: Systems of every collection, the default first.
SUPPORTED_CRS = (
    CRS84,
    Crs("EPSG:4326", "WGS 84, latitude and longitude", north_first=True),
    WEB_MERCATOR,
    Crs("EPSG:3035", "ETRS89 / LAEA Europe, northing and easting", 3, geographic=False, north_first=True),
    Crs("EPSG:4258", "ETRS89, latitude and longitude", north_first=True),
    Crs("EPSG:32636", "WGS 84 / UTM zone 36N", 3, geographic=False),
    Crs("EPSG:32637", "WGS 84 / UTM zone 37N", 3, geographic=False),
)
_BY_NAME = {name: crs for crs in SUPPORTED_CRS for name in (crs.uri, crs.curie, crs.name)}


def parse_crs(text: str, parameter: str) -> Crs:
    """Return the system that a parameter names, by its URI or CURIE, safe or not.

    Raises BadParameter if the system is not on offer.
    """
    if text not in _BY_NAME:
        names = ", ".join(crs.uri for crs in SUPPORTED_CRS)
        raise BadParameter(parameter, text, f"one of {names}, or its CURIE such as {WEB_MERCATOR.name}")
    return _BY_NAME[text]


def project(shapes: Iterable[BaseGeometry | None], crs: Crs) -> Objects:
    """Transform geometries from lon/lat to another system.

    Gives shape (n,), in the axis order of the authority and without heights. ``None`` for a missing geometry, and for
    one that has no coordinates there, as the antipodes of a UTM zone have none.

    ``shapes``: n geometries, lon/lat in degrees (OGC:CRS84); ``None`` where one is missing.
    """
    return _transformed(shapes, _transformer(LONLAT, crs.name))


def unproject(shapes: Iterable[BaseGeometry | None], crs: Crs) -> Objects:
    """Transform geometries of a system to lon/lat; the inverse of `project`.

    Gives shape (n,), lon/lat in degrees (OGC:CRS84). ``None`` for a missing geometry, and for one with coordinates that
    are no point on the Earth.

    ``shapes``: n geometries in the axis order of the authority; ``None`` where one is missing.
    """
    return _transformed(shapes, _transformer(crs.name, LONLAT))


def _transformed(shapes: Iterable[BaseGeometry | None], transformer: pyproj.Transformer | None) -> Objects:
    rows = np.array([None, *shapes], dtype=object)[1:]
    if transformer is None:
        return rows
    moved: Objects = shapely.transform(shapely.force_2d(rows), lambda xy: np.column_stack(transformer.transform(*xy.T)))
    xy, row = shapely.get_coordinates(moved, return_index=True)
    moved[row[~np.isfinite(xy).all(axis=1)]] = None
    return moved


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer | None:
    import pyproj

    return None if source == target else pyproj.Transformer.from_crs(source, target)


_WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


@lru_cache(maxsize=16)
def _transformer_xy(source: str) -> pyproj.Transformer:
    """Return the transformer to lon/lat of coordinates with the axis to the east first."""
    import pyproj

    return pyproj.Transformer.from_crs(source, LONLAT, always_xy=True)


@dataclass(frozen=True)
class BoundingBox:
    """The area of a bbox parameter.

    Parameters
    ----------
    box
        West, south, east, north in degrees of a lon/lat box that holds the area.
    crs
        System of the parameter.
    native
        West, south, east, north in the unit of that system: the area itself, on the ground often no lon/lat box.
    """

    box: Box
    crs: Crs
    native: Box

    @property
    def is_lonlat_box(self) -> bool:
        """Whether the lon/lat box is the area itself."""
        return self.crs.geographic or self.crs is WEB_MERCATOR


def parse_bbox(text: str, crs: Crs = CRS84, parameter: str = "bbox") -> BoundingBox:
    """Read a box in a system: minimum of the first and second axis, then the maximum (OGC 18-058r1, 6.3).

    A west edge beyond the east one crosses the antimeridian in degrees and in Pseudo-Mercator.

    Raises BadParameter if the text is not 4 or 6 finite numbers, if they are out of order, or beyond 180 or 90 degrees.
    """
    expected = _expected(crs)
    first, second, third, fourth = _numbers(text, parameter, expected)
    native = (second, first, fourth, third) if crs.north_first else (first, second, third, fourth)
    west, south, east, north = native
    crossing = west > east and (crs.geographic or crs is WEB_MERCATOR)
    if south > north or (west > east and not crossing):
        raise BadParameter(parameter, text, f"{expected}; the least of each axis first")
    if crs.geographic and (max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90):
        raise BadParameter(parameter, text, f"{expected}; longitudes to 180, latitudes to 90")
    if crs is WEB_MERCATOR:
        return BoundingBox(_mercator_degrees(native), crs, native)
    return BoundingBox(native if crs.geographic else _lonlat_around(native, crs), crs, native)


def _expected(crs: Crs) -> str:
    if crs is CRS84:
        return "west,south,east,north in degrees, such as 28,45,33,48"
    axes = "south,west,north,east" if crs.north_first else "west,south,east,north"
    return f"{axes} in {'degrees' if crs.geographic else 'metres'} of {crs.name}"


def _numbers(text: str, parameter: str, expected: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise BadParameter(parameter, text, expected) from None
    if len(numbers) == 6:
        numbers = [*numbers[0:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise BadParameter(parameter, text, expected)
    return numbers


def _mercator_degrees(box: Box) -> Box:
    transformer = _transformer(WEB_MERCATOR.name, LONLAT)
    assert transformer is not None
    (west, east), (south, north) = transformer.transform((box[0], box[2]), (box[1], box[3]))
    return (
        -180.0 if box[0] <= -_MERCATOR else float(west),
        float(south),
        180.0 if box[2] >= _MERCATOR else float(east),
        float(north),
    )


def _lonlat_around(box: Box, crs: Crs) -> Box:
    """Return a lon/lat box that holds a box of metres, its edges densified; the world if an edge leaves the Earth."""
    import pyproj

    transformer = _transformer_xy(crs.name)
    try:
        west, south, east, north = transformer.transform_bounds(*box, densify_pts=_DENSIFIED, errcheck=True)
    except pyproj.exceptions.ProjError:
        return _WORLD
    if not all(map(math.isfinite, (west, south, east, north))) or west > east:
        return _WORLD
    # Between two points an edge may bulge a little further.
    spare = max(east - west, north - south) / 1000
    return max(west - spare, -180.0), max(south - spare, -90.0), min(east + spare, 180.0), min(north + spare, 90.0)


#: Geometries of each collection by system; the cache does not keep a collection alive.
_PROJECTED: weakref.WeakKeyDictionary[Collection, dict[Crs, Objects]] = weakref.WeakKeyDictionary()


def rows_within(collection: Collection, area: BoundingBox) -> Bools:
    """Return which features of a collection intersect a box in the box's own system.

    Gives shape (n,), a value a row; False for features without geometry and for those outside the system.
    """
    projected = _PROJECTED.setdefault(collection, {})
    if area.crs not in projected:
        projected[area.crs] = project(collection.shapes, area.crs)
        shapely.prepare(projected[area.crs])
    west, south, east, north = area.native
    box = shapely.box(south, west, north, east) if area.crs.north_first else shapely.box(*area.native)
    # Numbers far beyond the Earth overflow, and intersect as they should.
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(shapely.intersects(projected[area.crs], box))


@dataclass(frozen=True)
class WithinBox(Filter):
    """Features within a box of metres, which its lon/lat box only encloses, that satisfy another condition too.

    Features without geometry satisfy it, as every bbox keeps them (OGC 17-069r4, 7.15.3); those outside the system do
    not.
    """

    area: BoundingBox
    condition: Filter | None

    @classmethod
    def of(cls, area: BoundingBox, condition: Filter | None = None) -> WithinBox:
        """Make the filter of an area, and of another condition that must hold."""
        key = f"within {area.crs.name} {area.native} and ".encode()
        return cls(key + (b"" if condition is None else condition.key), area, condition)

    def mask(self, collection: Collection) -> Bools:
        """Return which rows satisfy the filter, shape (n,)."""
        inside = rows_within(collection, self.area) | ~collection.values(GEOMETRY).present
        return inside if self.condition is None else inside & self.condition.mask(collection)
