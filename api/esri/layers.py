"""The layers of the FeatureServer: collections with numbered features, one layer a kind of geometry."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import shapely

from api.exports.files import joined
from geo.lonlat import Bools, Objects
from layers.collections.collection import Collection
from layers.collections.collection_edit import share_places
from layers.collections.column_values import Values, plain_values
from layers.collections.queryables import GEOMETRY, Queryable, queryables

#: The number of a feature: its row counted from 1, the same as long as the data is of the same version.
OBJECTID = "OBJECTID"


@dataclass(frozen=True)
class Layer:
    """One layer. Of a collection of mixed geometry it has the features with geometry of its kind alone."""

    id: int
    collection: str
    kind: str
    mixed: bool = False
    #: What is added to the title of a mixed collection.
    part: str = ""


_POINT, _MULTIPOINT, _LINE, _POLYGON = (
    f"esriGeometry{name}" for name in ("Point", "Multipoint", "Polyline", "Polygon")
)
#: Their numbers are in addresses that people keep: new ones come last.
LAYERS = (
    Layer(0, "strikes", _POINT),
    Layer(1, "assets", _POINT, True, "points"),
    Layer(2, "assets", _LINE, True, "lines"),
    Layer(3, "assets", _POLYGON, True, "areas"),
    Layer(4, "attributions", _POINT),
    Layer(5, "countries", _POLYGON),
    Layer(6, "assets", _MULTIPOINT, True, "groups of points"),
)
#: Types of geometry, as shapely numbers them, that a kind of layer has.
_TYPES: Mapping[str, tuple[int, ...]] = {_POINT: (0,), _MULTIPOINT: (4,), _LINE: (1, 2, 5), _POLYGON: (3, 6)}
_COLLECTION = 7


class Numbered(Collection):
    """A collection as a table of plain fields: with `OBJECTID`, lists as text joined by "; ", booleans as 0 and 1."""

    @classmethod
    def of(cls, collection: Collection) -> Numbered:
        """The same features; their places, index and columns are not made again."""
        found = _NUMBERED.get(collection)
        if found is None:
            kept = collection
            found = cls(kept.name, kept.title, kept.description, kept.model, kept.features, kept.geometries)
            share_places(kept, found)
            vars(found).update(_of=weakref.ref(kept))
            found = _NUMBERED.setdefault(collection, found)
        return found

    @property
    def _own(self) -> Collection:
        # Alive as long as the version is that a request answers from.
        found: Collection = vars(self)["_of"]()
        return found

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index in space of the shapes."""
        return self._own.tree

    @cached_property
    def queryables(self) -> Mapping[str, Queryable]:
        """`OBJECTID`, then the columns as they are told here, the geometry last."""
        number = Queryable(OBJECTID, "integer", "Number of the feature in this version of the data.")
        return MappingProxyType({OBJECTID: number, **{one.name: _plain(one) for one in queryables(self).values()}})

    def _read(self, queryable: Queryable) -> Values:
        if queryable.name == OBJECTID:
            return plain_values("integer", range(1, len(self) + 1))
        values = self._own.values(queryable.name)
        if values.kind == "list":
            return plain_values("text", [joined(texts) or None for texts in values.data])
        if values.kind == "boolean":
            return Values("integer", values.data.astype(np.int64), values.present)
        return values


#: One for each collection that is served; it does not keep the collection alive.
_NUMBERED: weakref.WeakKeyDictionary[Collection, Numbered] = weakref.WeakKeyDictionary()


def _plain(one: Queryable) -> Queryable:
    if one.kind == "list":
        return Queryable(one.name, "text", one.doc)
    return Queryable(one.name, "integer", one.doc) if one.kind == "boolean" else one


def shapes(collection: Collection, layer: Layer) -> Objects:
    """Geometry of each row in a layer, lon/lat, shape (n,); ``None`` where it has none of the layer's kind."""
    found: Objects = collection.recent.get(("shapes", layer.kind), lambda: _shapes(collection, layer.kind))
    return found


def _shapes(collection: Collection, kind: str) -> Objects:
    types = shapely.get_type_id(collection.shapes)
    found = collection.shapes.copy()
    found[~(np.isin(types, _TYPES[kind]) & collection.values(GEOMETRY).present)] = None
    for row in np.flatnonzero(types == _COLLECTION):
        parts = [one for one in _parts(collection.shapes[row]) if shapely.get_type_id(one) in _TYPES[kind]]
        found[row] = shapely.union_all(parts) if parts and kind != _POINT else None
    found.setflags(write=False)
    return found


def _parts(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """Parts of a collection; its points as one group of them."""
    parts = list(shapely.get_parts(shape))
    points = [one for one in parts if one.geom_type in ("Point", "MultiPoint")]
    others = [one for one in parts if one.geom_type not in ("Point", "MultiPoint")]
    return [*others, shapely.MultiPoint(shapely.get_coordinates(points))] if points else others


def members(collection: Collection, layer: Layer) -> Bools:
    """Which rows a layer has, shape (n,); those without a place are in the first layer of their collection."""
    if not layer.mixed:
        return np.ones(len(collection), dtype=bool)
    has = ~shapely.is_missing(shapes(collection, layer))
    return has | ~collection.values(GEOMETRY).present if layer.kind == _POINT else has


def title(collection: Collection, layer: Layer) -> str:
    """Name of a layer for people."""
    return f"{collection.title} ({layer.part})" if layer.mixed else collection.title
