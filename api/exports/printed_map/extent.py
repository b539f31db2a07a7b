"""The part of the world that a map shows, the projection for it, and its frame on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

from api.exports.errors import ExportError
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.geodesic_distance import wgs84

if TYPE_CHECKING:
    from pyproj import Transformer

#: Just inside the seam of a world map, so that both of its sides stay apart.
SEAM_DEG = 1e-6
#: The smallest extent that is drawn; the base map shows nothing finer.
SMALLEST_DEG = 0.1
_EXPECTED = (
    "a bbox of four numbers west, south, east, north in degrees: lon -180 to 180, lat -90 to 90, south not above north"
)


@dataclass(frozen=True)
class Extent:
    """A box in lon/lat degrees. ``east`` is above 180 where the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @property
    def lon_span(self) -> float:
        """Degrees of longitude from west to east."""
        return self.east - self.west

    @property
    def middle(self) -> tuple[float, float]:
        """Middle longitude (from -180 to 180) and latitude."""
        lon = (self.west + self.east) / 2
        return (lon - 360 if lon > 180 else lon), (self.south + self.north) / 2

    def outline(self) -> Floats:
        """Points along the box, lon/lat, close enough together that a curved edge is followed; shape (260, 2)."""
        along = np.linspace(0, 1, 65)
        lon, lat = self.west + along * self.lon_span, self.south + along * (self.north - self.south)
        west, south, east, north = (np.full(65, edge) for edge in (self.west, self.south, self.east, self.north))
        sides = ((lon, south), (east, lat), (lon[::-1], north), (west, lat[::-1]))
        return np.concatenate([np.column_stack(side) for side in sides])


def extent_of(bbox: Sequence[float]) -> Extent:
    """Read a bbox; west > east crosses the antimeridian (RFC 7946, 5.2). A point gets some land about it.

    Raises
    ------
    ExportError
        If it is not four numbers in range with south not above north.
    """
    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError):
        west = south = east = north = math.nan
    is_in_range = all(abs(lon) <= 180 for lon in (west, east)) and all(abs(lat) <= 90 for lat in (south, north))
    if not is_in_range or south > north:
        raise ExportError(f"expected {_EXPECTED}; got {bbox!r}")
    extent = Extent(west, south, east + 360 if west > east else east, north)
    # A box that is a point or a line, or nearly one, is widened, so that there is a map to draw.
    lon, lat = (max(0.0, SMALLEST_DEG - span) / 2 for span in (extent.lon_span, north - south))
    return Extent(west - lon, max(south - lat, -90.0), extent.east + lon, min(north + lat, 90.0))


#: A projection by its name in PROJ.
ProjectionKind = Literal["merc", "lcc", "laea", "eqearth"]


@dataclass(frozen=True)
class Projection:
    """A map projection in metres; its kind is named at the foot of the map. ``parameters`` are those of PROJ."""

    kind: ProjectionKind
    lon_0: float
    parameters: str = ""

    @property
    def whole_world(self) -> bool:
        """Whether it is for maps of the world."""
        return self.kind == "eqearth"

    @cached_property
    def _forward(self) -> Transformer:
        from pyproj import CRS, Transformer

        definition = f"+proj={self.kind} {self.parameters} +lon_0={self.lon_0} +datum=WGS84 +units=m"
        return Transformer.from_crs("OGC:CRS84", CRS.from_proj4(definition), always_xy=True)

    def forward(self, lonlat: Floats) -> Floats:
        """Project lon/lat degrees to metres, both of shape (n, 2); what cannot be shown becomes infinite."""
        return np.column_stack(self._forward.transform(lonlat[:, 0], lonlat[:, 1]))

    def inverse(self, xy: Floats) -> Floats:
        """Find lon/lat degrees of projected metres, both of shape (n, 2); infinite outside the projection."""
        return np.column_stack(self._forward.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))


def projection_for(extent: Extent) -> Projection:
    """Choose a projection by where and how large the extent is.

    Near a pole and for continents Lambert azimuthal equal-area; near the equator Mercator, true at the
    middle; between them Lambert conformal conic with its parallels a sixth of the height inside the box
    (Snyder 1987, USGS Professional Paper 1395, p. 99); for the world Equal Earth (Savric et al. 2019).
    """
    lon_0, lat_0 = extent.middle
    height = extent.north - extent.south
    if abs(lat_0) > 60 and (extent.lon_span > 120 or max(abs(extent.south), abs(extent.north)) > 84):
        return Projection("laea", lon_0, f"+lat_0={math.copysign(90, lat_0)}")
    if extent.lon_span > 180 or height > 110:
        return Projection("eqearth", lon_0)
    if extent.lon_span > 100 or height > 70 or abs(lat_0) > 70:
        return Projection("laea", lon_0, f"+lat_0={lat_0}")
    if abs(lat_0) < 15:
        return Projection("merc", lon_0, f"+lat_ts={lat_0}")
    lower, upper = extent.south + height / 6, extent.north - height / 6
    return Projection("lcc", lon_0, f"+lat_1={lower} +lat_2={upper} +lat_0={lat_0}")


def projected_bounds(extent: Extent, projection: Projection) -> tuple[float, float, float, float]:
    """Bounds in projected metres of an extent's outline (and of the pole inside it)."""
    outline = np.vstack([extent.outline(), [extent.middle]])
    if projection.whole_world:
        lon_0 = projection.lon_0
        outline[:, 0] = np.clip(outline[:, 0], lon_0 - 180 + SEAM_DEG, lon_0 + 180 - SEAM_DEG)
    points = projection.forward(outline)
    points = points[np.isfinite(points).all(axis=1)]
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return west, south, east, north


#: Millimetres: detail finer than the first is dropped; so far beyond the frame geometry goes on, or cuts are seen.
_DETAIL_MM, _BEYOND_MM = 0.04, 0.6
#: Part of the frame that stays free on each side of what it is to show.
_MARGIN = 0.02
#: Northings grow to the north, millimetres of the page to the south.
_SOUTHWARD = np.array([1.0, -1.0])


@dataclass(frozen=True)
class Frame:
    """A rectangle on the page that shows a part of the world, in millimetres from the upper left, y to the south."""

    left: float
    top: float
    width: float
    height: float
    projection: Projection
    centre: tuple[float, float]
    metres_per_mm: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in millimetres."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    @property
    def middle(self) -> Floats:
        """Middle of the rectangle in millimetres, shape (2,)."""
        return np.array([self.left + self.width / 2, self.top + self.height / 2])

    def mm(self, lonlat: Floats) -> Floats:
        """Project lon/lat degrees, shape (n, 2), to millimetres on the page, shape (n, 2)."""
        metres = self.projection.forward(np.asarray(lonlat, dtype=float).reshape(-1, 2))
        page: Floats = (metres - self.centre) / self.metres_per_mm * _SOUTHWARD + self.middle
        return page

    def lonlat(self, mm: Floats) -> Floats:
        """Return lon/lat degrees of points on the page, both of shape (n, 2); infinite outside the world."""
        return self.projection.inverse((mm - self.middle) * _SOUTHWARD * self.metres_per_mm + self.centre)

    def shows(self, mm: Floats, margin_mm: float = 0.0) -> Bools:
        """Return which points, shape (n, 2) in millimetres, are inside the rectangle by at least a margin."""
        left, top, right, bottom = self.box
        x, y = mm[:, 0], mm[:, 1]
        inside_x = (x >= left + margin_mm) & (x <= right - margin_mm)
        return inside_x & (y >= top + margin_mm) & (y <= bottom - margin_mm)

    @cached_property
    def true_metres_per_mm(self) -> float:
        """Metres on the ground for a millimetre across, at the middle of the map."""
        (lon1, lat1), (lon2, lat2) = self.lonlat(self.middle + np.array([[-2.0, 0.0], [2.0, 0.0]]))
        return float(wgs84().inv(lon1, lat1, lon2, lat2)[2]) / 4.0

    @cached_property
    def window(self) -> Extent:
        """A lon/lat box that holds all the rectangle shows; its west is within 180 degrees of the middle."""
        lon_0 = self.projection.lon_0
        if self.projection.whole_world:
            return Extent(lon_0 - 180 + SEAM_DEG, -90, lon_0 + 180 - SEAM_DEG, 90)
        left, top, right, bottom = self.box
        grid = np.meshgrid(np.linspace(left, right, 33), np.linspace(top, bottom, 33))
        seen = self.lonlat(np.column_stack([axis.ravel() for axis in grid]))
        seen = seen[np.isfinite(seen).all(axis=1)]
        east_of_middle = (seen[:, 0] - lon_0 + 180) % 360 - 180
        west, east = east_of_middle.min(), east_of_middle.max()
        pad = 0.5 + 0.03 * (east - west)
        south, north = max(seen[:, 1].min() - pad, -90), min(seen[:, 1].max() + pad, 90)
        poles = self.shows(self.mm(np.array([[0.0, 90.0], [0.0, -90.0]])))
        if poles.any():
            west, east = -180 + SEAM_DEG, 180 - SEAM_DEG
            south, north = (-90 if poles[1] else south), (90 if poles[0] else north)
        return Extent(lon_0 + max(west - pad, -180 + SEAM_DEG), south, lon_0 + min(east + pad, 180 - SEAM_DEG), north)

    def cut(self, shapes: Objects) -> tuple[Objects, Ints]:
        """Cut geometry to the window and project it to the page.

        The world is laid out three times, so that a window across 180 degrees is whole.

        Parameters
        ----------
        shapes
            Geometry in lon/lat degrees (OGC:CRS84), shape (n,). Missing and empty ones, and those outside the window,
            give no pieces.

        Returns
        -------
        pieces, rows
            Geometry in millimetres on the page, shape (m,), and the row of ``shapes`` that each piece comes from.
        """
        window, bounds = self.window, shapely.bounds(shapes)
        pieces, origins = [], []
        for turn in (-360.0, 0.0, 360.0):
            west, east = window.west - turn, window.east - turn
            near = (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
            rows = np.flatnonzero(near & (bounds[:, 1] <= window.north) & (bounds[:, 3] >= window.south))
            cut = shapely.clip_by_rect(shapes[rows], west, window.south, east, window.north)
            present = ~(shapely.is_empty(cut) | shapely.is_missing(cut))
            pieces.append(cut[present])
            origins.append(rows[present])
        # A long straight line in degrees is curved on paper, so it gets points in between.
        dense = shapely.segmentize(np.concatenate(pieces), 1.0)
        on_page = shapely.simplify(shapely.transform(dense, self.mm), _DETAIL_MM, preserve_topology=False)
        on_page = shapely.clip_by_rect(on_page, *(np.array(self.box) + np.array([-1, -1, 1, 1]) * _BEYOND_MM).tolist())
        drawn = ~shapely.is_empty(on_page)
        return on_page[drawn], np.concatenate(origins)[drawn]


def fitted(extent: Extent, projection: Projection, box: tuple[float, float, float, float]) -> Frame:
    """Make the frame that shows all of an extent in a rectangle of left, top, width, height in millimetres."""
    left, top, width, height = box
    west, south, east, north = projected_bounds(extent, projection)
    scale = (1 + 2 * _MARGIN) * max((east - west) / width, (north - south) / height)
    return Frame(left, top, width, height, projection, ((west + east) / 2, (south + north) / 2), scale)
