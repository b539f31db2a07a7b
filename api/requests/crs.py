"""The coordinate reference systems that are offered (OGC 18-058r1): names, axis order, the way from and to lon/lat."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from api.requests.scalars import BadParameter
from geo.geojson import DECIMALS
from geo.lonlat import LONLAT, Bools, Objects
from layers.collections.collection import Box, Collection
from layers.collections.queryables import GEOMETRY
from layers.query.filter import Filter

_BASE = "http://www.opengis.net/def/crs/"
#: Points that each edge of a box gets before it is transformed: a straight edge is a curve in another system.
_DENSIFIED = 64
#: Half the width of the world in Pseudo-Mercator, in metres.
_MERCATOR = 20_037_508.342789244


@dataclass(frozen=True)
class Crs:
    """A system by its authority's name, such as EPSG:3857. Coordinates are in the axis order of the authority."""

    name: str
    title: str
    #: Decimals that are written: a centimetre or less on the ground.
    decimals: int = DECIMALS
    #: Whether the axes are degrees of latitude and longitude, in whichever order, so that a box is a box of degrees.
    geographic: bool = True
    north_first: bool = False

    @property
    def uri(self) -> str:
        """Identifier (OGC 09-048r5)."""
        authority, code = self.name.split(":")
        return f"{_BASE}{authority}/{'1.3' if authority == 'OGC' else '0'}/{code}"

    @property
    def curie(self) -> str:
        """The safe CURIE that is read for the identifier too."""
        return f"[{self.name}]"


CRS84 = Crs("OGC:CRS84", "WGS 84, longitude and latitude")
WEB_MERCATOR = Crs("EPSG:3857", "WGS 84 / Pseudo-Mercator", 3, geographic=False)

#: What is offered of every collection, the default first.
OFFERED = (
    CRS84,
    Crs("EPSG:4326", "WGS 84, latitude and longitude", north_first=True),
    WEB_MERCATOR,
    Crs("EPSG:3035", "ETRS89 / LAEA Europe, northing and easting", 3, geographic=False, north_first=True),
    Crs("EPSG:4258", "ETRS89, latitude and longitude", north_first=True),
    Crs("EPSG:32636", "WGS 84 / UTM zone 36N", 3, geographic=False),
    Crs("EPSG:32637", "WGS 84 / UTM zone 37N", 3, geographic=False),
)
_BY_NAME = {name: crs for crs in OFFERED for name in (crs.uri, crs.curie)}


def named(text: str, parameter: str) -> Crs:
    """The system that a parameter names, by its URI or safe CURIE.

    Raises
    ------
    BadParameter
        If it is none of those offered.
    """
    found = _BY_NAME.get(text)
    if found is None:
        raise BadParameter(parameter, text, f"one of {', '.join(crs.uri for crs in OFFERED)}")
    return found


def project(shapes: Iterable[BaseGeometry | None], crs: Crs) -> Objects:
    """Give lon/lat geometries in another system; None for what has no place there, as the antipodes of a UTM zone."""
    return _transformed(shapes, _transformer(LONLAT, crs.name))


def unproject(shapes: Iterable[BaseGeometry | None], crs: Crs) -> Objects:
    """Give the geometries of a system in lon/lat; None for those that have no place on the Earth."""
    return _transformed(shapes, _transformer(crs.name, LONLAT))


def _transformed(shapes: Iterable[BaseGeometry | None], way: pyproj.Transformer | None) -> Objects:
    rows = np.array([None, *shapes], dtype=object)[1:]
    if way is None:
        return rows
    moved: Objects = shapely.transform(shapely.force_2d(rows), lambda xy: np.column_stack(way.transform(*xy.T)))
    xy, row = shapely.get_coordinates(moved, return_index=True)
    moved[row[~np.isfinite(xy).all(axis=1)]] = None
    return moved


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer | None:
    return None if source == target else pyproj.Transformer.from_crs(source, target)


_WORLD: Box = (-180.0, -90.0, 180.0, 90.0)


@lru_cache(maxsize=16)
def _eastward(source: str) -> pyproj.Transformer:
    """The way to lon/lat of coordinates that have the axis to the east first."""
    return pyproj.Transformer.from_crs(source, LONLAT, always_xy=True)


@dataclass(frozen=True)
class Region:
    """The area of a bbox: a lon/lat box that holds it, and its own box, which may be another shape on the ground."""

    box: Box
    crs: Crs
    #: West, south, east, north in the unit of the system.
    own: Box

    @property
    def is_exact(self) -> bool:
        """Whether the lon/lat box is the area itself."""
        return self.crs.geographic or self.crs is WEB_MERCATOR


def region(text: str, crs: Crs = CRS84, parameter: str = "bbox") -> Region:
    """Read a box in a system: least first and second axis, then the greatest (OGC 18-058r1, 6.3).

    A west edge beyond the east one crosses the antimeridian in degrees and in Pseudo-Mercator.

    Raises
    ------
    BadParameter
        If it is not 4 or 6 finite numbers, out of order, or degrees that there are not.
    """
    expected = _expected(crs)
    first, second, third, fourth = _numbers(text, parameter, expected)
    own = (second, first, fourth, third) if crs.north_first else (first, second, third, fourth)
    west, south, east, north = own
    crossing = west > east and (crs.geographic or crs is WEB_MERCATOR)
    if south > north or (west > east and not crossing):
        raise BadParameter(parameter, text, f"{expected}; the least of each axis first")
    if crs.geographic and (max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90):
        raise BadParameter(parameter, text, f"{expected}; longitudes to 180, latitudes to 90")
    if crs is WEB_MERCATOR:
        return Region(_mercator_degrees(own), crs, own)
    return Region(own if crs.geographic else _around(own, crs), crs, own)


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


def _mercator_degrees(own: Box) -> Box:
    way = _transformer(WEB_MERCATOR.name, LONLAT)
    assert way is not None
    (west, east), (south, north) = way.transform((own[0], own[2]), (own[1], own[3]))
    return (
        -180.0 if own[0] <= -_MERCATOR else float(west),
        float(south),
        180.0 if own[2] >= _MERCATOR else float(east),
        float(north),
    )


def _around(own: Box, crs: Crs) -> Box:
    """A lon/lat box that holds a box of metres, its edges densified; the world where an edge leaves the Earth."""
    way = _eastward(crs.name)
    try:
        west, south, east, north = way.transform_bounds(*own, densify_pts=_DENSIFIED, errcheck=True)
    except pyproj.exceptions.ProjError:
        return _WORLD
    if not all(map(math.isfinite, (west, south, east, north))) or west > east:
        return _WORLD
    # Between two points an edge may bulge a little further.
    spare = max(east - west, north - south) / 1000
    return max(west - spare, -180.0), max(south - spare, -90.0), min(east + spare, 180.0), min(north + spare, 90.0)


_KEPT: weakref.WeakKeyDictionary[Collection, dict[Crs, Objects]] = weakref.WeakKeyDictionary()


def within(collection: Collection, area: Region) -> Bools:
    """Which features intersect the area's own box, shape (n,); without a place in its system they do not."""
    kept = _KEPT.setdefault(collection, {})
    if area.crs not in kept:
        kept[area.crs] = project(collection.shapes, area.crs)
        shapely.prepare(kept[area.crs])
    west, south, east, north = area.own
    box = shapely.box(south, west, north, east) if area.crs.north_first else shapely.box(*area.own)
    # Numbers far beyond any place overflow, and intersect as they should.
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(shapely.intersects(kept[area.crs], box))


@dataclass(frozen=True)
class Within(Filter):
    """The filter that an area in metres is beside its lon/lat box, where the two are not the same.

    A feature without a place is kept, as every bbox keeps it (OGC 17-069r4, 7.15.3); one that has no place in the
    system is not. With ``also`` both must hold.
    """

    area: Region
    also: Filter | None

    @classmethod
    def of(cls, area: Region, also: Filter | None = None) -> Within:
        """The filter of an area, together with another one."""
        key = f"within {area.crs.name} {area.own} and ".encode()
        return cls(key + (b"" if also is None else also.key), area, also)

    def mask(self, collection: Collection) -> Bools:
        """Which rows are in the area, and satisfy the other filter, shape (n,)."""
        found = within(collection, self.area) | ~collection.values(GEOMETRY).present
        return found if self.also is None else found & self.also.mask(collection)
