"""Geometries moved to a grid, and by how much that makes them less certain. Knows no record.

The grid is the same for everybody and does not depend on the data, so that many rounded places say no more than one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry

from geo.lonlat import Floats
from layers.disclosure.policy import DEGREE_M, Rounding

#: Decimals of a rounded coordinate in degrees: a centimetre, far below every grid.
_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class RoundedGeometry:
    """A geometry on the grid, lon/lat (OGC:CRS84), and the largest distance that a place in it was moved, in metres."""

    geometry: BaseGeometry
    moved_m: float


def rounded(geometry: BaseGeometry, rule: Rounding) -> RoundedGeometry:
    """Move a geometry (lon/lat, OGC:CRS84, not empty) to the grid of a rule.

    A point goes to the nearest point of the grid, and so does each vertex of a line; repeated ones are dropped, and a
    line within one cell becomes a point. An area becomes a point, the middle of its bounds, as its outline would show
    what the grid hides.
    """
    if geometry.geom_type == "Point":
        return _point(geometry, rule)
    if geometry.geom_type in ("LineString", "MultiLineString"):
        return _lines(geometry, rule)
    west, south, east, north = geometry.bounds
    middle = _point(Point((west + east) / 2, (south + north) / 2), rule)
    half = math.hypot(north - south, (east - west) * _widest(south, north)) / 2 * DEGREE_M
    return RoundedGeometry(middle.geometry, middle.moved_m + half)


def _point(point: BaseGeometry, rule: Rounding) -> RoundedGeometry:
    """A point by itself, as `_on_grid` moves many: for one, arrays take fifty times as long."""
    x, y = point.coords[0]
    step = rule.step_m / DEGREE_M
    lat = min(max(round(y / step) * step, -90.0), 90.0)
    across = step if rule.metres is None else min(step / max(math.cos(math.radians(lat)), 1e-9), 360.0)
    lon = min(max(round(x / across) * across, -180.0), 180.0)
    moved_m = math.hypot(step, across * _widest(lat - step / 2, lat + step / 2)) / 2 * DEGREE_M
    return RoundedGeometry(Point(round(lon, _DECIMALS), round(lat, _DECIMALS)), moved_m)


def _lines(geometry: BaseGeometry, rule: Rounding) -> RoundedGeometry:
    lines = [_on_grid(shapely.get_coordinates(part), rule) for part in shapely.get_parts(geometry)]
    moved_m = max(_moved_m(line, rule) for line in lines)
    longer = [line for line in map(_without_repeats, lines) if len(line) > 1]
    if not longer:
        return RoundedGeometry(Point(lines[0][0]), moved_m)
    whole = LineString(longer[0]) if len(longer) == 1 else MultiLineString(longer)
    return RoundedGeometry(whole, moved_m)


def _without_repeats(line: Floats) -> Floats:
    is_new = np.ones(len(line), bool)
    is_new[1:] = np.any(line[1:] != line[:-1], axis=1)
    return line[is_new]


def _on_grid(places: Floats, rule: Rounding) -> Floats:
    """The nearest point of the grid to each place, of shape (n, 2), lon/lat."""
    step = rule.step_m / DEGREE_M
    lat = np.clip(np.round(places[:, 1] / step) * step, -90, 90)
    across = _steps_across(lat, rule)
    lon = np.clip(np.round(places[:, 0] / across) * across, -180, 180)
    return np.round(np.column_stack([lon, lat]), _DECIMALS)


def _steps_across(lat: Any, rule: Rounding) -> Any:
    """Width of a cell from west to east at latitudes of the grid, in degrees of longitude."""
    step = rule.step_m / DEGREE_M
    if rule.metres is None:
        return np.full(np.shape(lat), step)
    return np.minimum(step / np.maximum(np.cos(np.radians(lat)), 1e-9), 360)


def _moved_m(at: Floats, rule: Rounding) -> float:
    """The largest distance to a point of the grid from within its cell: half the diagonal of the cell, in metres."""
    step = rule.step_m / DEGREE_M
    return max(
        math.hypot(step, across * _widest(lat - step / 2, lat + step / 2)) / 2 * DEGREE_M
        for lat, across in _rows_of_cells(at, rule)
    )


def _rows_of_cells(at: Floats, rule: Rounding) -> Iterator[tuple[float, float]]:
    lat = np.unique(at[:, 1])
    yield from zip(lat.tolist(), _steps_across(lat, rule).tolist(), strict=True)


def _widest(south: float, north: float) -> float:
    """The largest cosine of a latitude between two: how wide a degree of longitude is, of a degree of latitude."""
    return 1.0 if south <= 0 <= north else math.cos(math.radians(min(abs(south), abs(north), 90)))
