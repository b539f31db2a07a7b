"""One collection of flat features, ready to be served: columns, fragments, an index in space and time, tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo import geojson
from geo.antimeridian import split
from geo.mvt import Layer
from layers.columns import Column, columns
from layers.features import Feature

Box = tuple[float, float, float, float]
Rows = NDArray[np.int64]

_FIRST = np.datetime64("0001-01-01")
_LAST = np.datetime64("9999-12-31")


@dataclass(frozen=True, eq=False)
class Collection:
    """Features of one kind in a fixed order; nothing in it changes.

    Parameters
    ----------
    name, title, description
        For the catalogue.
    model
        The class of its features, which spells its columns.
    features, geometries
        One row each; geometries are lon/lat (OGC:CRS84), ``None`` where no place is known.
    """

    name: str
    title: str
    description: str
    model: type[Feature]
    features: Sequence[Feature]
    geometries: Sequence[BaseGeometry | None]

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the features."""
        return tuple(columns(self.model))

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """Geometries cut at the antimeridian."""
        shapes = np.empty(len(self.geometries), dtype=object)
        shapes[:] = [split(geometry) for geometry in self.geometries]
        return shapes

    @cached_property
    def fragments(self) -> list[bytes]:
        """Each feature as GeoJSON, serialised once."""
        properties = [feature.model_dump(mode="json") for feature in self.features]
        return geojson.fragments([feature.id for feature in self.features], self.shapes, properties)

    @cached_property
    def rows_by_id(self) -> dict[str, int]:
        """Row of each feature id."""
        return {feature.id: row for row, feature in enumerate(self.features)}

    @cached_property
    def bounds(self) -> Box | None:
        """West, south, east, north of all features in degrees; ``None`` if none has a place."""
        if not len(self):  # shapely knows no bounds of nothing at all
            return None
        west, south, east, north = (float(edge) for edge in shapely.total_bounds(self.shapes))
        return None if np.isnan(west) else (west, south, east, north)

    @cached_property
    def days(self) -> tuple[date, date] | None:
        """First and last day of all features; ``None`` if none has a date."""
        first = [day for feature in self.features if (day := getattr(feature, "day_first", None))]
        last = [day for feature in self.features if (day := getattr(feature, "day_last", None))]
        return (min(first), max(last)) if first and last else None

    @cached_property
    def layer(self) -> Layer:
        """The collection as a vector-tile layer; feature ids count from 1 in the order of the rows."""
        values = {column.name: [_plain(getattr(f, column.name)) for f in self.features] for column in self.columns}
        kept = {name: column for name, column in values.items() if any(value is not None for value in column)}
        return Layer(self.name, self.shapes, np.arange(1, len(self) + 1), kept, thin=True)

    @cached_property
    def _placeless(self) -> NDArray[np.bool_]:
        return np.asarray(shapely.is_missing(self.shapes) | shapely.is_empty(self.shapes))

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shapes)

    @cached_property
    def _days(self) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
        first = [getattr(feature, "day_first", None) or _FIRST for feature in self.features]
        last = [getattr(feature, "day_last", None) or _LAST for feature in self.features]
        return np.array(first, dtype="datetime64[D]"), np.array(last, dtype="datetime64[D]")

    def select(
        self,
        bbox: Box | None = None,
        first: date | None = None,
        last: date | None = None,
        placeless: bool = False,
    ) -> Rows:
        """Rows, in order, that intersect a box and may fall between two days.

        ``bbox`` is west, south, east, north in degrees; west > east crosses the antimeridian. Rows without a
        place match no box, or with ``placeless`` every box (OGC 17-069r4, /req/core/fc-bbox-response). A row
        without days matches every interval (/req/core/fc-time-response).
        """
        keep = np.ones(len(self), dtype=bool)
        if bbox is not None:
            keep[:] = self._placeless if placeless else False
            for box in _boxes(bbox):
                keep[self._tree.query(box, predicate="intersects")] = True
        starts, ends = self._days
        if last is not None:
            keep &= starts <= np.datetime64(last)
        if first is not None:
            keep &= ends >= np.datetime64(first)
        return np.flatnonzero(keep)


def _boxes(bbox: Box) -> list[shapely.Polygon]:
    west, south, east, north = bbox
    if west <= east:
        return [shapely.box(west, south, east, north)]
    return [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]


def _plain(value: object) -> str | int | float | bool | None:
    """A tile value: lists as ``,a,b,`` so that a client can look for ``,a,``; dates as ISO text."""
    if isinstance(value, tuple):
        return f",{','.join(map(str, value))}," if value else None
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None
