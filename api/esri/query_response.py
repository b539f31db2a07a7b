"""The answers of a query: features as Esri JSON or GeoJSON, numbers, ids, extents and different values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from api.esri import geometry as places
from api.esri.layers import OBJECTID, Layer, Numbered, members, shapes
from api.esri.metadata import fields
from api.esri.query import Question
from api.requests.crs import CRS84, project
from geo import geojson
from geo.columnar.chunked_array import whole
from geo.lonlat import Objects
from layers.collections.collection import Rows
from layers.query.selection import rows

Json = dict[str, Any]

_DAY_MS = 86_400_000


def selected(collection: Numbered, layer: Layer, asked: Question) -> Rows:
    """Rows of a layer that a query selects, in its order."""
    keep = members(collection, layer)
    if asked.ids is not None:
        keep = keep & np.isin(np.arange(1, len(collection) + 1), asked.ids)
    found: Rows = whole(rows(collection, asked.selection))
    return found[keep[found]]


def answer(collection: Numbered, layer: Layer, asked: Question, form: str) -> bytes:
    """Answer a query as JSON."""
    found = selected(collection, layer, asked)
    if asked.count or asked.only_ids or asked.extent:
        return _dumped(_summary(collection, layer, asked, found), form)
    if asked.distinct:
        told = _different(collection, found, asked.names)
        return _page([{"attributes": one} for one in told], collection, layer, asked, form)
    page = found[asked.offset : asked.offset + asked.limit]
    more = asked.offset + len(page) < len(found)
    where = shapes(collection, layer)[page]
    if form == "geojson":
        return _geojson(page, where, attributes(collection, page, asked.names), more, asked.geometry)
    told = [{"attributes": one} for one in attributes(collection, page, asked.names)]
    if asked.geometry:
        for one, shape in zip(told, places.written(project(where, asked.crs), layer.kind, asked.crs), strict=True):
            one["geometry"] = shape
    return _dumped(_features(told, collection, layer, asked, more), form)


def attributes(collection: Numbered, page: Rows, names: Sequence[str]) -> list[Json]:
    """The named fields of each row; days are milliseconds since 1970, what is missing is null."""
    columns = [_column(collection, name, page) for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _column(collection: Numbered, name: str, page: Rows) -> list[Any]:
    values = collection.values(name)
    data = values.at(page)
    if values.kind == "date":
        data = data.astype("datetime64[D]").astype(np.int64) * _DAY_MS
    told: list[Any] = data.tolist()
    there = values.present[page].tolist()
    return [value if known else None for value, known in zip(told, there, strict=True)]


def _different(collection: Numbered, found: Rows, names: Sequence[str]) -> list[Json]:
    told = attributes(collection, found, names)
    return [dict(zip(names, values, strict=True)) for values in dict.fromkeys(tuple(one.values()) for one in told)]


def _summary(collection: Numbered, layer: Layer, asked: Question, found: Rows) -> Json:
    """What is asked of all features that a query selects, however many they are."""
    if asked.only_ids:
        return {"objectIdFieldName": OBJECTID, "objectIds": (found + 1).tolist()}
    count = len(_different(collection, found, asked.names)) if asked.distinct else len(found)
    if not asked.extent:
        return {"count": count}
    box = places.extent(project(shapes(collection, layer)[found], asked.crs), asked.crs)
    nothing: Json = {**dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), "NaN")}
    told = {"extent": box or {**nothing, "spatialReference": places.reference(asked.crs)}}
    return {"count": count, **told} if asked.count else told


def _page(told: list[Json], collection: Numbered, layer: Layer, asked: Question, form: str) -> bytes:
    """One page of different values."""
    page = told[asked.offset : asked.offset + asked.limit]
    more = asked.offset + len(page) < len(told)
    if form != "geojson":
        return _dumped(_features(page, collection, layer, asked, more), form)
    features = [{"type": "Feature", "geometry": None, "properties": one["attributes"]} for one in page]
    return orjson.dumps({"type": "FeatureCollection", **_more(more), "features": features})


def _features(told: list[Json], collection: Numbered, layer: Layer, asked: Question, more: bool) -> Json:
    head: Json = {"objectIdFieldName": OBJECTID, "globalIdFieldName": ""}
    head["uniqueIdField"] = {"name": OBJECTID, "isSystemMaintained": True}
    if asked.geometry:
        head |= {"geometryType": layer.kind, "spatialReference": places.reference(asked.crs)}
    known = [field for field in fields(collection) if field["name"] in asked.names]
    over = {"exceededTransferLimit": True} if more else {}
    return {**head, "fields": known, **over, "features": told}


def _geojson(page: Rows, where: Objects, told: list[Json], more: bool, geometry: bool) -> bytes:
    """Features as GeoJSON (RFC 7946), which is lon/lat whatever outSR says."""
    members = geojson.members(where, CRS84.decimals) if geometry else [b"null"] * len(page)
    head = orjson.dumps({"type": "FeatureCollection", **_more(more)})[:-1]
    features = (
        b'{"type":"Feature","id":%d,"geometry":%b,"properties":%b}' % (row + 1, shape, orjson.dumps(one))
        for row, shape, one in zip(page.tolist(), members, told, strict=True)
    )
    return head + b',"features":[' + b",".join(features) + b"]}"


def _more(more: bool) -> Json:
    """That there is more, where clients of today and of before look for it."""
    return {"exceededTransferLimit": True, "properties": {"exceededTransferLimit": True}} if more else {}


def _dumped(told: Mapping[str, Any], form: str) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 if form == "pjson" else None)
