"""One collection of flat features, ready to be served: columns, fragments, an index in space and time, tiles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from hashlib import blake2b
from itertools import chain
from operator import is_
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo import geojson
from geo.antimeridian import within_world
from geo.columnar.binary_array import Packed
from geo.columnar.chunked_array import Array, pages, row_by_row, whole
from geo.columnar.dictionary_array import Coded, RowOf
from geo.columnar.row_edit import Splice
from geo.lonlat import Bools, Floats, Objects
from geo.tiles.mvt import Layer
from geo.tiles.mvt import Places as DrawnAt
from geo.tiles.tile_matrix import DEGREES
from layers.collections.column_values import Values, plain_values
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import Feature
from layers.collections.queryables import GEOMETRY, Queryable, queryables
from layers.model.cache import LruCache
from layers.model.columns import Column, columns

Box = tuple[float, float, float, float]
Rows = NDArray[np.int64]
#: A geometry a row, lon/lat (OGC:CRS84), ``None`` where no place is known.
Places: TypeAlias = Sequence[BaseGeometry | None] | Array

#: What lies between two features that are serialised.
BETWEEN = b","
#: Bytes of what was last asked for of one collection, at most.
_ROOM = 2**27
#: Features that are serialised at once.
_PAGE = 4096
_FIRST = np.datetime64("0001-01-01")
#: Digests are summed modulo this and one.
MASK = 2**64 - 1
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
    features: FeatureTable[Any]
    geometries: Places

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the features."""
        return tuple(columns(self.model))

    @property
    def shapes(self) -> Objects:
        """Geometries cut at the antimeridian, shape (n,); see `shapes_at` for those of a few rows."""
        return whole(self.cut)

    def shapes_at(self, rows: Rows | slice) -> Objects:
        """The same of some rows; no others are looked at."""
        return self.cut[rows]

    def geometries_at(self, rows: Rows) -> Objects:
        """Geometries of some rows; no others are looked at."""
        return as_objects(self.geometries)[rows]

    @cached_property
    def cut(self) -> Array:
        """The shapes as they are kept."""
        return within_world(whole(as_objects(self.geometries)))

    @cached_property
    def is_uncut(self) -> bool:
        """Whether the shapes are the geometries themselves."""
        return self.geometries is self.cut or all(map(is_, self.geometries, self.shapes))

    @cached_property
    def fragments(self) -> Packed:
        """Each feature as GeoJSON, serialised once."""
        return self.serialised(lambda rows: geojson.members(self.shapes_at(rows)))

    def serialised(self, members: Callable[[slice], Sequence[bytes]]) -> Packed:
        """Each feature as GeoJSON, with its geometry as ``members`` gives it, page by page."""
        page = pages(len(self), _PAGE)
        told = (geojson.features(self.ids[rows], members(rows), self._properties(rows)) for rows in page)
        return Packed.of(chain.from_iterable(told), BETWEEN)

    @cached_property
    def digest(self) -> int:
        """A sum of digests of its features: the same for the same features, whatever they were made from."""
        return sum(map(digest_of, self.fragments)) & MASK

    @property
    def ids(self) -> Coded:
        """The id of each row."""
        return self.features.columns["id"]

    def _properties(self, rows: slice) -> list[dict[str, Any]]:
        columns = self.features.columns
        told = zip(*(column[rows] for column in columns.values()), strict=True)
        return [dict(zip(columns, values, strict=True)) for values in told]

    @cached_property
    def rows_by_id(self) -> RowOf:
        """Row of each feature id."""
        return RowOf(self.features.columns["id"])

    @cached_property
    def bounds(self) -> Box | None:
        """West, south, east, north of all features in degrees; ``None`` if none has a place."""
        if not len(self):  # shapely knows no bounds of nothing at all
            return None
        edges = _edges(*self.points) if "lonlat" in vars(self) and self.points else shapely.total_bounds(self.shapes)
        west, south, east, north = map(float, edges)
        return None if np.isnan(west) else (west, south, east, north)

    @cached_property
    def days(self) -> tuple[date, date] | None:
        """First and last day of all features; ``None`` if none has a date."""
        columns = self.features.columns
        first, last = (columns[name].words if name in columns else () for name in ("day_first", "day_last"))
        return (first[0], last[-1]) if first and last else None

    @cached_property
    def layer(self) -> Layer:
        """The collection as a vector-tile layer; feature ids count from 1 in the order of the rows."""
        if self.drawn_at is not None:
            return Layer.placed(self.name, self.drawn_at, len(self), self.shown())
        return Layer(self.name, self.shapes, np.arange(1, len(self) + 1), self.shown(), thin=True)

    @cached_property
    def drawn_at(self) -> DrawnAt | None:
        """Where its rows are drawn, if that was made ready before it."""
        return None

    @cached_property
    def layer_in_degrees(self) -> Layer:
        """The same on the plane of equal degrees (plate carrée), made when it is first asked for."""
        return Layer(self.name, self.shapes, np.arange(1, len(self) + 1), self.shown(), thin=True, plane=DEGREES)

    @cached_property
    def drawn(self) -> Mapping[str, Coded]:
        """The columns as tile values; most are such values."""
        return {name: _plain_column(column) for name, column in self.features.columns.items()}

    def shown(self) -> dict[str, Coded]:
        """The columns that tiles tell: those in which a row has a value."""
        return {name: column for name, column in self.drawn.items() if column.words}

    @cached_property
    def queryables(self) -> Mapping[str, Queryable]:
        """What it can be asked by, in the order of its columns, the geometry last."""
        return queryables(self)

    def values(self, name: str) -> Values:
        """One queryable as arrays, made once.

        Raises
        ------
        KeyError
            If there is no queryable of that name.
        """
        if name not in self._values:
            self._values[name] = self._read(self.queryables[name])
        return self._values[name]

    def _read(self, queryable: Queryable) -> Values:
        if queryable.name == GEOMETRY:
            return Values("geometry", self.shapes, whole(self.placed))
        return plain_values(queryable.kind, self.features.columns[queryable.name])

    @cached_property
    def _values(self) -> dict[str, Values]:
        return {}

    def share_values(self, other: Collection) -> None:
        """Take over what another made ready of columns that are the very same."""
        mine, theirs = self.features.columns, other.features.columns
        kept = {name: one for name, one in [*other._values.items()] if mine.get(name, self) is theirs.get(name)}
        self._values.update(kept)

    @cached_property
    def recent(self) -> LruCache[Any]:
        """Masks, rows and orders last asked for: 128 bytes a row, 256 of them at most; keys start with what it is."""
        room = min(128 * max(len(self), 1024), _ROOM)
        return LruCache(room, lambda answer: int(answer.nbytes) + room // 256)

    @cached_property
    def former(self) -> tuple[Splice, dict[Hashable, Any]] | None:
        """What it was spliced by, if it was, and the orders that were kept of the collection before."""
        return None

    @cached_property
    def filters(self) -> LruCache[Any]:
        """Filters last made ready for it, by whatever they were read from."""
        return LruCache(256)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index in space of the shapes, mended where they are not valid, so that all can be related."""
        faulty = ~shapely.is_valid(self.shapes) & ~self._placeless
        shapes = self.shapes.copy()
        shapes[faulty] = shapely.make_valid(shapes[faulty])
        return shapely.STRtree(shapes)

    @property
    def is_points(self) -> bool:
        """Whether no shape is anything but a point."""
        return self.lonlat is not None

    @property
    def points(self) -> tuple[Floats, Floats] | None:
        """Longitude and latitude of each row, NaN without a place; ``None`` where a shape is no point."""
        return None if self.lonlat is None else (whole(self.lonlat[0]), whole(self.lonlat[1]))

    @cached_property
    def lonlat(self) -> tuple[Array, Array] | None:
        """The same as they are kept."""
        if not (self._placeless | (shapely.get_type_id(self.shapes) == 0)).all():
            return None
        placed = self.shapes.copy()
        placed[self._placeless] = None
        return shapely.get_x(placed), shapely.get_y(placed)

    @cached_property
    def placed(self) -> Array:
        """Which rows have a place, shape (n,); an empty geometry is none."""
        placed = ~(shapely.is_missing(self.shapes) | shapely.is_empty(self.shapes))
        placed.setflags(write=False)
        return placed

    @cached_property
    def _placeless(self) -> Bools:
        return ~whole(self.placed)

    @cached_property
    def spans(self) -> tuple[Array, Array]:
        """First and last day that each row may fall on, shape (n,); the first and last of all where it has none."""
        return self._day("day_first", _FIRST), self._day("day_last", _LAST)

    def _day(self, name: str, missing: np.datetime64) -> NDArray[np.datetime64]:
        if name not in self.queryables:
            return np.full(len(self), missing)
        days = self.values(name)
        return np.where(days.present, days.data, missing)

    def meets(self, bbox: Box) -> Bools:
        """Which rows intersect a box, shape (n,); rows without a place do not. West > east crosses the antimeridian."""
        found = np.zeros(len(self), dtype=bool)
        for box in boxes(bbox):
            if self.lonlat is None:
                found |= self.related(shapely.box(*box), shapely.intersects)
            else:
                found |= row_by_row(partial(_inside, box), *self.lonlat)
        return found

    def related(self, shape: BaseGeometry, relation: Callable[[BaseGeometry, Objects], Bools]) -> Bools:
        """Which rows whose box meets that of a shape are what it is in a relation to, shape (n,)."""
        # In the order of the rows, which is nearly that of memory: five times as fast as the index's own.
        near = np.sort(self.tree.query(shape))
        # A copy of its own: preparing a geometry that another thread uses would be a race.
        prepared = shapely.from_wkb(shape.wkb)
        shapely.prepare(prepared)
        found = np.zeros(len(self), dtype=bool)
        found[near] = relation(prepared, self.tree.geometries[near])
        return found

    def mask(
        self,
        bbox: Box | None = None,
        first: date | None = None,
        last: date | None = None,
        placeless: bool = False,
    ) -> Bools:
        """Which rows intersect a box and may fall between two days, shape (n,); see `select`."""
        keep = np.ones(len(self), dtype=bool) if bbox is None else self.meets(bbox)
        if bbox is not None and placeless:
            keep |= self._placeless
        if last is not None:
            keep &= row_by_row(lambda days: days <= np.datetime64(last), self.spans[0])
        if first is not None:
            keep &= row_by_row(lambda days: days >= np.datetime64(first), self.spans[1])
        return keep

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
        return np.flatnonzero(self.mask(bbox, first, last, placeless))


def as_objects(geometries: Places) -> Array:
    """Geometries as an array of objects, itself where it is one."""
    if isinstance(geometries, Sequence):
        return np.fromiter(geometries, dtype=object, count=len(geometries))
    return geometries


def _edges(lon: Floats, lat: Floats) -> list[float]:
    return [edge.reduce(axis) for edge in (np.fmin, np.fmax) for axis in (lon, lat)]


def digest_of(fragment: bytes) -> int:
    """A digest of one feature as GeoJSON."""
    return int.from_bytes(blake2b(fragment, digest_size=8).digest())


def boxes(bbox: Box) -> list[Box]:
    """The box, or its two parts where west > east crosses the antimeridian."""
    west, south, east, north = bbox
    return [bbox] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


def _inside(box: Box, lon: Floats, lat: Floats) -> Bools:
    west, south, east, north = box
    inside = lon >= west
    inside &= lon <= east
    inside &= lat >= south
    inside &= lat <= north
    return inside


def _plain_column(column: Coded) -> Coded:
    """A column of tile values; all of its values are of one type, and most are such values."""
    return column.map(_plain) if column.words and isinstance(column.words[0], tuple | date) else column


def _plain(value: tuple[str, ...] | date) -> str | None:
    """A tile value: lists as ``,a,b,`` so that a client can look for ``,a,``; dates as ISO text."""
    if isinstance(value, tuple):
        return f",{','.join(value)}," if value else None
    return value.isoformat()
