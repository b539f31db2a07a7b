"""A map's rectangle on the page: from lon/lat to millimetres, and geometry cut and projected for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from api.exports.printed_map.extent import (
    GEOD,
    POLES,
    SEAM_DEG,
    WORLD,
    Coordinates,
    Extent,
    Projection,
    projected_bounds,
)

Shapes = NDArray[np.object_]

#: Detail finer than this on paper is dropped, in millimetres.
DETAIL_MM = 0.04


@dataclass(frozen=True)
class Frame:
    """A rectangle on the page, in millimetres from its lower left corner, that shows a part of the world."""

    left: float
    bottom: float
    width: float
    height: float
    projection: Projection
    centre: tuple[float, float]
    metres_per_mm: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top in millimetres."""
        return self.left, self.bottom, self.left + self.width, self.bottom + self.height

    @property
    def middle(self) -> Coordinates:
        """Middle of the rectangle in millimetres."""
        return np.array([self.left + self.width / 2, self.bottom + self.height / 2])

    def mm(self, lonlat: Coordinates) -> Coordinates:
        """Place lon/lat degrees on the page in millimetres; shapes (n, 2)."""
        metres = self.projection.forward(np.asarray(lonlat, dtype=float).reshape(-1, 2))
        return (metres - self.centre) / self.metres_per_mm + self.middle

    def lonlat(self, mm: Coordinates) -> Coordinates:
        """Find lon/lat degrees of places on the page; infinite outside the world."""
        return self.projection.inverse((mm - self.middle) * self.metres_per_mm + self.centre)

    def shows(self, mm: Coordinates, margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Tell which places on the page are inside the rectangle by at least a margin."""
        left, bottom, right, top = self.box
        x, y = mm[:, 0], mm[:, 1]
        inside_x = (x >= left + margin_mm) & (x <= right - margin_mm)
        return inside_x & (y >= bottom + margin_mm) & (y <= top - margin_mm)

    @cached_property
    def true_metres_per_mm(self) -> float:
        """Metres on the ground for a millimetre across, at the middle of the map."""
        (lon1, lat1), (lon2, lat2) = self.lonlat(self.middle + np.array([[-2.0, 0.0], [2.0, 0.0]]))
        return float(GEOD.inv(lon1, lat1, lon2, lat2)[2]) / 4.0

    @cached_property
    def window(self) -> Extent:
        """A lon/lat box that holds all the rectangle shows; its west is within 180 degrees of the middle."""
        lon_0 = self.projection.lon_0
        if self.projection.whole_world:
            return Extent(lon_0 - 180 + SEAM_DEG, WORLD.south, lon_0 + 180 - SEAM_DEG, WORLD.north)
        left, bottom, right, top = self.box
        grid = np.meshgrid(np.linspace(left, right, 33), np.linspace(bottom, top, 33))
        seen = self.lonlat(np.column_stack([axis.ravel() for axis in grid]))
        seen = seen[np.isfinite(seen).all(axis=1)]
        east_of_middle = (seen[:, 0] - lon_0 + 180) % 360 - 180
        west, east = east_of_middle.min(), east_of_middle.max()
        pad = 0.5 + 0.03 * (east - west)
        south, north = max(seen[:, 1].min() - pad, -90), min(seen[:, 1].max() + pad, 90)
        poles = self.shows(self.mm(POLES))
        if poles.any():
            west, east = -180 + SEAM_DEG, 180 - SEAM_DEG
            south, north = (-90 if poles[1] else south), (90 if poles[0] else north)
        return Extent(lon_0 + max(west - pad, -180 + SEAM_DEG), south, lon_0 + min(east + pad, 180 - SEAM_DEG), north)

    def cut(self, shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
        """Cut lon/lat geometry to the window and bring it to the page.

        Returns the pieces in millimetres and, of each, the row it came from. Missing and empty shapes and
        those outside give none. The world is laid out three times, so a window over 180 degrees is whole.
        """
        window, bounds = self.window, shapely.bounds(shapes)
        pieces, origins = [], []
        for turn in (-360.0, 0.0, 360.0):
            west, east = window.west - turn, window.east - turn
            near = (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
            rows = np.flatnonzero(near & (bounds[:, 1] <= window.north) & (bounds[:, 3] >= window.south))
            cut = shapely.clip_by_rect(shapes[rows], west, window.south, east, window.north)
            kept = ~(shapely.is_empty(cut) | shapely.is_missing(cut))
            pieces.append(cut[kept])
            origins.append(rows[kept])
        # A long straight line in degrees is curved on paper, so it gets points in between.
        dense = shapely.segmentize(np.concatenate(pieces), 1.0)
        on_page = shapely.simplify(shapely.transform(dense, self.mm), DETAIL_MM, preserve_topology=False)
        drawn = ~shapely.is_empty(on_page)
        return on_page[drawn], np.concatenate(origins)[drawn]


def fitted(
    extent: Extent, projection: Projection, box: tuple[float, float, float, float], margin: float = 0.02
) -> Frame:
    """Make the frame that shows all of an extent in a rectangle of left, bottom, width, height in millimetres."""
    left, bottom, width, height = box
    west, south, east, north = projected_bounds(extent, projection)
    scale = (1 + 2 * margin) * max((east - west) / width, (north - south) / height)
    return Frame(left, bottom, width, height, projection, ((west + east) / 2, (south + north) / 2), scale)
