"""The layers of the FeatureServer: collections with numbered features, one layer a kind of geometry."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely

from geo.lonlat import Bools, Objects
from layers.collections.collection import Collection
from layers.collections.column_values import ColumnValues, Values, plain_values
from layers.collections.feature_table import FeatureTable
from layers.collections.geometry_index import GeometryIndex
from layers.collections.queryables import GEOMETRY, Queryable

#: Field of the number of a feature: its row counted from 1, which holds within one version of the data.
OBJECTID = "OBJECTID"


@dataclass(frozen=True)
class EsriLayer:
    """One layer of the service; ``mixed`` is whether its collection has other kinds of geometry in other layers."""

    id: int
    collection: str
    kind: str
    mixed: bool = False
    #: Kind of features as the title of a layer of a mixed collection has it.
    part: str = ""


_POINT, _MULTIPOINT, _LINE, _POLYGON = (
    f"esriGeometry{name}" for name in ("Point", "Multipoint", "Polyline", "Polygon")
)
#: Ids of layers are in addresses that people store: a new layer comes last.
LAYERS = (
    EsriLayer(0, "strikes", _POINT),
    EsriLayer(1, "assets", _POINT, True, "points"),
    EsriLayer(2, "assets", _LINE, True, "lines"),
    EsriLayer(3, "assets", _POLYGON, True, "areas"),
    EsriLayer(4, "attributions", _POINT),
    EsriLayer(5, "countries", _POLYGON),
    EsriLayer(6, "assets", _MULTIPOINT, True, "groups of points"),
    EsriLayer(7, "hits", _POINT),
)
#: Types of geometry, as shapely numbers them, by the kind of the layer that has them.
_TYPES: Mapping[str, tuple[int, ...]] = {_POINT: (0,), _MULTIPOINT: (4,), _LINE: (1, 2, 5), _POLYGON: (3, 6)}
_COLLECTION = 7


class NumberedValues(ColumnValues):
    """The columns of a collection as plain fields: `OBJECTID`, lists as text joined by "; ", booleans as 0 and 1."""

    def __init__(self, features: FeatureTable[Any], geometry: GeometryIndex, values: ColumnValues) -> None:
        super().__init__(features, geometry)
        self._source = values

    @cached_property
    def queryables(self) -> Mapping[str, Queryable]:
        """`OBJECTID`, then the columns with the kinds that they have here, the geometry last."""
        number = Queryable(OBJECTID, "integer", "Number of the feature in this version of the data.")
        columns = {queryable.name: _plain(queryable) for queryable in self._source.queryables.values()}
        return MappingProxyType({OBJECTID: number, **columns})

    def _read(self, queryable: Queryable) -> Values:
        if queryable.name == OBJECTID:
            return plain_values("integer", range(1, len(self._features) + 1))
        values = self._source[queryable.name]
        if values.kind == "list":
            return plain_values("text", ["; ".join(texts) or None for texts in values.data])
        if values.kind == "boolean":
            return Values("integer", values.data.astype(np.int64), values.present)
        return values


class NumberedCollection(Collection):
    """A collection as a table of numbered features with plain fields, see `NumberedValues`."""

    @classmethod
    def of(cls, collection: Collection) -> NumberedCollection:
        """Return the numbered table of a collection, which shares its geometry index and columns."""
        numbered = _NUMBERED.get(collection)
        if numbered is None:
            numbered = cls(
                collection.name,
                collection.title,
                collection.description,
                collection.model,
                collection.features,
                collection.geometry,
                values=NumberedValues(collection.features, collection.geometry, collection.column_values),
            )
            numbered = _NUMBERED.setdefault(collection, numbered)
        return numbered


#: The table of each served collection; the cache does not keep a collection alive.
_NUMBERED: weakref.WeakKeyDictionary[Collection, NumberedCollection] = weakref.WeakKeyDictionary()


def _plain(queryable: Queryable) -> Queryable:
    if queryable.kind == "list":
        return Queryable(queryable.name, "text", queryable.doc)
    return Queryable(queryable.name, "integer", queryable.doc) if queryable.kind == "boolean" else queryable


def layer_shapes(collection: Collection, layer: EsriLayer) -> Objects:
    """Return the geometry of each row in a layer.

    Returns
    -------
    Objects
        Shape (n,), lon/lat in degrees; ``None`` where a feature has no geometry of the kind of the layer. Parts of
        that kind in a geometry collection are joined.
    """
    cached: Objects = collection.all_rows_cache.get_or_compute(
        ("shapes", layer.kind), lambda: _shapes(collection, layer.kind)
    )
    return cached


def _shapes(collection: Collection, kind: str) -> Objects:
    types = shapely.get_type_id(collection.shapes)
    shapes = collection.shapes.copy()
    shapes[~(np.isin(types, _TYPES[kind]) & collection.values(GEOMETRY).present)] = None
    for row in np.flatnonzero(types == _COLLECTION):
        parts = [part for part in _parts(collection.shapes[row]) if shapely.get_type_id(part) in _TYPES[kind]]
        shapes[row] = shapely.union_all(parts) if parts and kind != _POINT else None
    shapes.setflags(write=False)
    return shapes


def _parts(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the parts of a geometry collection, its points joined to one part."""
    parts = list(shapely.get_parts(shape))
    points = [part for part in parts if part.geom_type in ("Point", "MultiPoint")]
    rest = [part for part in parts if part.geom_type not in ("Point", "MultiPoint")]
    return [*rest, shapely.MultiPoint(shapely.get_coordinates(points))] if points else rest


def layer_mask(collection: Collection, layer: EsriLayer) -> Bools:
    """Mark the rows of a collection that a layer has.

    Returns
    -------
    Bools
        Shape (n,); rows without a geometry, or with an empty one, are in the layer of points of a mixed collection.
    """
    if not layer.mixed:
        return np.ones(len(collection), dtype=bool)
    has = ~shapely.is_missing(layer_shapes(collection, layer))
    return has | ~collection.values(GEOMETRY).present if layer.kind == _POINT else has


def layer_title(collection: Collection, layer: EsriLayer) -> str:
    """Return the title of a layer."""
    return f"{collection.title} ({layer.part})" if layer.mixed else collection.title
