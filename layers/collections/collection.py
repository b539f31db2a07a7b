"""A collection of flat features in a fixed order: its columns, geometries, rendered forms, and edits of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.columnar.binary_array import BinaryArray
from geo.columnar.dictionary_array import DictionaryArray, UniqueIndex
from geo.columnar.lazy_array import Array, to_numpy
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Bools, Floats, Objects
from geo.tiles.tile_layer import TileLayer
from layers.collections.column_values import ColumnValues, Values
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import Feature
from layers.collections.geometry_index import Box, Geometries, GeometryIndex
from layers.collections.queryables import Queryable
from layers.collections.rendered_features import RenderedFeatures
from layers.model.cache import Lazy, LruCache
from layers.model.types import Column, columns

#: Indices of rows, shape (k,).
Rows = NDArray[np.int64]
#: Bytes a row, and in all, of the answers to selections that one collection caches, and of what follows from all rows.
_QUERY_CACHE, _ALL_ROWS_CACHE = (64, 2**26), (192, 2**28)


class Collection:
    """Features of one kind in a fixed order; nothing in it changes.

    Parameters
    ----------
    name, title, description
        For the catalogue.
    model
        The class of its features, which names its columns.
    features
        n rows.
    geometry
        Geometries of the rows, or the index of them.
    rendered, values, rows_by_id
        What was derived of these features before; a part that is not given is computed when it is first read.
    """

    def __init__(
        self,
        name: str,
        title: str,
        description: str,
        model: type[Feature],
        features: FeatureTable[Any],
        geometry: GeometryIndex | Geometries,
        *,
        rendered: RenderedFeatures | None = None,
        values: ColumnValues | None = None,
        rows_by_id: Lazy[UniqueIndex] | None = None,
    ) -> None:
        self.name: Final = name
        self.title: Final = title
        self.description: Final = description
        self.model: Final = model
        self.features: Final = features
        index = geometry if isinstance(geometry, GeometryIndex) else GeometryIndex(geometry)
        self.geometry: Final = index
        self.rendered: Final = rendered or RenderedFeatures(name, features, index)
        self.column_values: Final = values or ColumnValues(features, index)
        self._rows_by_id: Final = rows_by_id or Lazy(lambda: UniqueIndex(features.columns["id"]))
        #: Masks and rows last requested; keys are tuples that begin with the kind of answer.
        self.query_cache: Final = _cache(len(features), *_QUERY_CACHE)
        #: Orders and what else follows from all rows, which takes long to compute: no selections crowd it out.
        self.all_rows_cache: Final = _cache(len(features), *_ALL_ROWS_CACHE)
        #: Filters last compiled for the collection, by their source.
        self.filter_cache: Final[LruCache[Any]] = LruCache(256)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def about(self) -> tuple[str, str, str, type[Feature]]:
        """Name, title, description and feature class: what an edit leaves as it is."""
        return self.name, self.title, self.description, self.model

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the features."""
        return columns(self.model)

    @property
    def geometries(self) -> Array:
        """The geometries as given, shape (n,), lon/lat (OGC:CRS84), ``None`` where a row has none."""
        return self.geometry.geometries

    @property
    def shapes(self) -> Objects:
        """All geometries split at the antimeridian, shape (n,); see `shapes_at` for those of a few rows."""
        return to_numpy(self.geometry.split)

    def shapes_at(self, rows: Rows | slice) -> Objects:
        """Geometries of rows, shape (k,), lon/lat, split at the antimeridian; ``None`` where missing."""
        return self.geometry.split[rows]

    def geometries_at(self, rows: Rows) -> Objects:
        """Geometries of rows, shape (k,), lon/lat, as given; ``None`` where missing."""
        return self.geometry.geometries[rows]

    @property
    def bounds(self) -> Box | None:
        """West, south, east, north of all features in degrees; ``None`` if none has a geometry."""
        return self.geometry.bounds

    @property
    def tree(self) -> shapely.STRtree:
        """Index in space of the split geometries, made valid so that all can be related."""
        return self.geometry.tree

    @property
    def is_points(self) -> bool:
        """Whether each row is a point or has no geometry."""
        return self.geometry.lonlat is not None

    @property
    def points(self) -> tuple[Floats, Floats] | None:
        """Longitude and latitude of each row in degrees, shape (n,) each; ``None`` where a row is no point.

        A row without a geometry has NaN.
        """
        lonlat = self.geometry.lonlat
        return None if lonlat is None else (to_numpy(lonlat[0]), to_numpy(lonlat[1]))

    @property
    def ids(self) -> DictionaryArray:
        """The id of each row, shape (n,), none of them missing."""
        return self.features.columns["id"]

    @property
    def rows_by_id(self) -> UniqueIndex:
        """Row of each feature id."""
        return self._rows_by_id.value

    @cached_property
    def days(self) -> tuple[date, date] | None:
        """First and last day of all features; ``None`` if none has a date."""
        columns = self.features.columns
        first, last = (columns[name].dictionary if name in columns else () for name in ("day_first", "day_last"))
        return (first[0], last[-1]) if first and last else None

    @property
    def fragments(self) -> BinaryArray:
        """Each feature as GeoJSON (RFC 7946), one row of bytes a feature, serialised once."""
        return self.rendered.fragments

    @property
    def digest(self) -> int:
        """A sum of the digests of all features: equal for equal features, however they were computed."""
        return self.rendered.digest

    @property
    def layer(self) -> TileLayer:
        """The vector-tile layer in web Mercator; feature ids count from 1 in the order of the rows."""
        return self.rendered.layer

    @property
    def layer_in_degrees(self) -> TileLayer:
        """The vector-tile layer on the plane of equal degrees (plate carrée)."""
        return self.rendered.layer_in_degrees

    @property
    def queryables(self) -> Mapping[str, Queryable]:
        """The properties to filter and sort by, by name in the order of the columns, the geometry last."""
        return self.column_values.queryables

    def values(self, name: str) -> Values:
        """Return the values of a queryable as arrays, computed once.

        Raises
        ------
        KeyError
            If there is no queryable of that name.
        """
        return self.column_values[name]

    def meets(self, bbox: Box) -> Bools:
        """Mark the rows that intersect a box.

        Parameters
        ----------
        bbox
            West, south, east, north in degrees (OGC:CRS84); west > east crosses the antimeridian.

        Returns
        -------
        Bools
            Shape (n,); False for rows without a geometry.
        """
        return self.geometry.intersects_box(bbox)

    def related(self, shape: BaseGeometry, relation: Callable[[BaseGeometry, Objects], Bools]) -> Bools:
        """Mark the rows that stand in a relation to a shape and whose box meets that of the shape.

        Parameters
        ----------
        shape
            In lon/lat degrees (OGC:CRS84).
        relation
            Gives for the prepared shape and geometries of shape (k,) which of them are related, shape (k,).

        Returns
        -------
        Bools
            Shape (n,); False for rows without a geometry.
        """
        return self.geometry.related(shape, relation)

    def mask(
        self,
        bbox: Box | None = None,
        first: date | None = None,
        last: date | None = None,
        include_without_geometry: bool = False,
    ) -> Bools:
        """Mark the rows that intersect a box and may fall between two days; `select` gives their numbers.

        Parameters
        ----------
        bbox
            West, south, east, north in degrees (OGC:CRS84); west > east crosses 180 degrees; ``None`` is the world.
        first, last
            Days, inclusive; ``None`` is open. A row without days matches every interval.
        include_without_geometry
            Whether rows without a geometry match every box, else none.

        Returns
        -------
        Bools
            Shape (n,).
        """
        selected = np.ones(len(self), dtype=bool) if bbox is None else self.meets(bbox)
        if bbox is not None and include_without_geometry:
            selected |= self.geometry.missing
        if last is not None:
            selected &= self.column_values.day_spans[0] <= np.datetime64(last)
        if first is not None:
            selected &= self.column_values.day_spans[1] >= np.datetime64(first)
        return selected

    def select(
        self,
        bbox: Box | None = None,
        first: date | None = None,
        last: date | None = None,
        include_without_geometry: bool = False,
    ) -> Rows:
        """Rows that intersect a box and may fall between two days.

        Parameters
        ----------
        bbox
            West, south, east, north in degrees (OGC:CRS84); west > east crosses the antimeridian.
        first, last
            Days, inclusive; ``None`` is open. A row without days matches every interval
            (OGC 17-069r4, /req/core/fc-time-response).
        include_without_geometry
            Whether rows without a geometry match every box (OGC 17-069r4, /req/core/fc-bbox-response), else none.

        Returns
        -------
        Rows
            Ascending.
        """
        return np.flatnonzero(self.mask(bbox, first, last, include_without_geometry))


def with_rows_replaced(before: Collection, added: Collection, edit: RowEdit) -> Collection:
    """Replace, add and remove rows of a collection; only rows that come are rendered.

    Parameters
    ----------
    before, added
        The collection that is edited, and one that rows are added from.
    edit
        Which rows of both come in which order.
    """
    if edit.is_identity:
        return before
    features = before.features.spliced(added.features, edit)
    is_same = before.geometry.is_same_after(added.geometry, edit)
    geometry = before.geometry.edited(added.geometry, edit)
    return Collection(
        *before.about,
        features,
        geometry,
        rendered=before.rendered.edited(added.rendered, edit, features, geometry, is_same),
        values=before.column_values.edited(features, geometry),
    )


def with_values_replaced(before: Collection, rows: Rows, values: Mapping[str, DictionaryArray]) -> Collection:
    """Give some rows other values in some columns; all else is shared, and only these rows are rendered.

    Parameters
    ----------
    rows
        Shape (k,), ascending.
    values
        The columns by name, but for the id: k values each.
    """
    edit, columns = RowEdit(len(before), rows, rows), before.features.columns
    changed = {name: columns[name].with_edit(new, edit) for name, new in values.items()}
    features = FeatureTable.coded(before.features.model, {**columns, **changed})
    return Collection(
        *before.about,
        features,
        before.geometry,
        rendered=before.rendered.with_values_replaced(features, edit, values),
        values=before.column_values.edited(features, before.geometry),
        rows_by_id=before._rows_by_id,
    )


def with_properties(before: Collection, features: FeatureTable[Any]) -> Collection:
    """Give the rows of a collection other properties; their geometries are shared.

    Parameters
    ----------
    features
        A row for each row of ``before``, in the same order.
    """
    return Collection(
        *before.about,
        features,
        before.geometry,
        rendered=before.rendered.with_properties(features),
    )


def sharing_geometry(other: Collection, features: FeatureTable[Any]) -> Collection:
    """Give the rows of a collection other properties, as `with_properties`; they are rendered when they are first read.

    Parameters
    ----------
    features
        A row for each row of ``other``, in the same order.
    """
    return Collection(
        *other.about,
        features,
        other.geometry,
        rendered=other.rendered.sharing_geometry(features),
    )


def with_shared_geometry(collection: Collection, other: Collection) -> Collection:
    """Give a collection the geometry index and the tile layer of another one.

    Parameters
    ----------
    collection
        The collection whose features are taken.
    other
        A collection whose rows have the same geometries in the same order; this is not checked.
    """
    return Collection(
        *collection.about,
        collection.features,
        other.geometry,
        rendered=collection.rendered.with_layer(other.layer),
    )


def _cache(rows: int, bytes_a_row: int, most_bytes: int) -> LruCache[Any]:
    """A cache that is bounded in bytes; an answer weighs its bytes and a share, so that there are 256 at most."""
    max_bytes = min(bytes_a_row * max(rows, 1024), most_bytes)
    return LruCache(max_bytes, lambda answer: int(answer.nbytes) + max_bytes // 256)
