"""Answers to a query of a layer: features as Esri JSON or GeoJSON, counts, ids, extents and distinct values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from api.esri import geometry as esri_geometry
from api.esri.layers import OBJECTID, EsriLayer, NumberedCollection, layer_mask, layer_shapes
from api.esri.metadata import fields
from api.esri.query import LayerQuery
from api.http.json import Json
from api.requests.crs import CRS84, project
from geo import geojson
from geo.columnar.lazy_array import to_numpy
from geo.lonlat import Objects
from layers.collections.collection import Rows
from layers.query.selection import rows

_DAY_MS = 86_400_000


def select_features(collection: NumberedCollection, layer: EsriLayer, query: LayerQuery) -> Rows:
    """Return the rows of a layer that a query selects, shape (n,), in the order of the query."""
    included = layer_mask(collection, layer)
    if query.ids is not None:
        included = included & np.isin(np.arange(1, len(collection) + 1), query.ids)
    selected: Rows = to_numpy(rows(collection, query.selection))
    return selected[included[selected]]


def query_response(collection: NumberedCollection, layer: EsriLayer, query: LayerQuery, form: str) -> bytes:
    """Return the answer to a query as JSON.

    ``form``: json, pjson (indented) or geojson, in which counts, ids and extents are Esri JSON too.
    """
    selected = select_features(collection, layer, query)
    if query.count or query.only_ids or query.extent:
        return _dumped(_summary(collection, layer, query, selected), form)
    if query.distinct:
        every = _distinct(collection, selected, query.names)
        values, more = every[query.offset : query.offset + query.limit], query.offset + query.limit < len(every)
        if form == "geojson":
            members = [{"type": "Feature", "geometry": None, "properties": one} for one in values]
            return orjson.dumps({"type": "FeatureCollection", **_more(more), "features": members})
        return _dumped(_features([{"attributes": one} for one in values], collection, layer, query, more), form)
    page = selected[query.offset : query.offset + query.limit]
    more = query.offset + len(page) < len(selected)
    where, values = layer_shapes(collection, layer)[page], attributes(collection, page, query.names)
    if form == "geojson":
        return _geojson(page, where, values, more, query.geometry)
    features: list[Json] = [{"attributes": one} for one in values]
    if query.geometry:
        geometries = esri_geometry.to_esri(project(where, query.crs), layer.kind, query.crs)
        for feature, geometry in zip(features, geometries, strict=True):
            feature["geometry"] = geometry
    return _dumped(_features(features, collection, layer, query, more), form)


def attributes(collection: NumberedCollection, page: Rows, names: Sequence[str]) -> list[Json]:
    """Return fields of rows as GeoServices REST has them.

    ``page``: row numbers, shape (n,), in the order of the answer.

    Returns
    -------
    list
        A mapping a row; a day or time is milliseconds since 1970 (UTC), a missing value is None.
    """
    columns = [_column(collection, name, page) for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _column(collection: NumberedCollection, name: str, page: Rows) -> list[Any]:
    values = collection.values(name)
    data = values.at(page)
    if values.kind == "date":
        data = data.astype("datetime64[D]").astype(np.int64) * _DAY_MS
    if values.kind == "timestamp":
        data = data.astype(np.int64)
    known = zip(data.tolist(), values.present[page].tolist(), strict=True)
    return [value if is_present else None for value, is_present in known]


def _distinct(collection: NumberedCollection, selected: Rows, names: Sequence[str]) -> list[Json]:
    rows = (tuple(values.values()) for values in attributes(collection, selected, names))
    return [dict(zip(names, values, strict=True)) for values in dict.fromkeys(rows)]


def _summary(collection: NumberedCollection, layer: EsriLayer, query: LayerQuery, selected: Rows) -> Json:
    """Return the ids, the count or the extent of all selected features, however many they are."""
    if query.only_ids:
        return {"objectIdFieldName": OBJECTID, "objectIds": (selected + 1).tolist()}
    count = len(_distinct(collection, selected, query.names)) if query.distinct else len(selected)
    if not query.extent:
        return {"count": count}
    box = esri_geometry.extent(project(layer_shapes(collection, layer)[selected], query.crs), query.crs)
    nothing: Json = {**dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), "NaN")}
    extent = {"extent": box or {**nothing, "spatialReference": esri_geometry.spatial_reference(query.crs)}}
    return {"count": count, **extent} if query.count else extent


def _features(
    features: list[Json], collection: NumberedCollection, layer: EsriLayer, query: LayerQuery, more: bool
) -> Json:
    head: Json = {"objectIdFieldName": OBJECTID, "globalIdFieldName": ""}
    head["uniqueIdField"] = {"name": OBJECTID, "isSystemMaintained": True}
    if query.geometry:
        head |= {"geometryType": layer.kind, "spatialReference": esri_geometry.spatial_reference(query.crs)}
    known = [field for field in fields(collection) if field["name"] in query.names]
    over = {"exceededTransferLimit": True} if more else {}
    return {**head, "fields": known, **over, "features": features}


def _geojson(page: Rows, where: Objects, properties: list[Json], more: bool, geometry: bool) -> bytes:
    """Write features as GeoJSON (RFC 7946), which is lon/lat whatever outSR says."""
    members = geojson.members(where, CRS84.decimals) if geometry else [b"null"] * len(page)
    head = orjson.dumps({"type": "FeatureCollection", **_more(more)})[:-1]
    features = (
        b'{"type":"Feature","id":%d,"geometry":%b,"properties":%b}' % (row + 1, shape, orjson.dumps(values))
        for row, shape, values in zip(page.tolist(), members, properties, strict=True)
    )
    return head + b',"features":[' + b",".join(features) + b"]}"


def _more(more: bool) -> Json:
    """Return the members by which clients, new and old, learn that there are more features."""
    return {"exceededTransferLimit": True, "properties": {"exceededTransferLimit": True}} if more else {}


def _dumped(document: Mapping[str, Any], form: str) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if form == "pjson" else None)
