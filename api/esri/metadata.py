"""Descriptions of the FeatureServer and its layers in GeoServices REST, with the renderers that draw the layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np

from api.esri import geometry
from api.esri.layers import LAYERS, OBJECTID, EsriLayer, NumberedCollection, layer_mask, layer_shapes, layer_title
from api.http.json import Json
from api.requests.crs import CRS84
from api.styles.rules import (
    UNIT,
    AreaPaint,
    CirclePaint,
    GeometryClass,
    LinePaint,
    Paint,
    StyleTable,
    SymbolPaint,
    TextMatch,
    ZoomStops,
    at_zoom,
    rules,
)
from api.styles.sld import REFERENCE_ZOOM
from layers.collections.queryables import GEOMETRY, Kind, Queryable
from layers.model.types import Column

#: Release of ArcGIS Server that the answers follow.
CURRENT_VERSION = 10.91
_WORLD: Json = {"xmin": -180, "ymin": -90, "xmax": 180, "ymax": 90}
_TYPES: Mapping[Kind, str] = {
    "text": "esriFieldTypeString",
    "integer": "esriFieldTypeInteger",
    "number": "esriFieldTypeDouble",
    "date": "esriFieldTypeDate",
    "timestamp": "esriFieldTypeDate",
}
_FORMATS = "JSON, geoJSON"
#: Minimum length of a text field; longer if a text is.
_LENGTH = 256
_DAY_MS = 86_400_000
#: Points of a CSS pixel.
_POINTS = 0.75
#: Width of a common symbol, in the unit of symbols.
_SYMBOL = 15.0


def server_info() -> Json:
    """Return the description of the server: it needs no token."""
    return {"currentVersion": CURRENT_VERSION, "fullVersion": "10.9.1", "authInfo": {"isTokenBasedSecurity": False}}


def service_catalogue(name: str) -> Json:
    """Return the list of services, which has one."""
    return {"currentVersion": CURRENT_VERSION, "folders": [], "services": [{"name": name, "type": "FeatureServer"}]}


def describe_service(
    collections: Mapping[str, NumberedCollection], description: str, attribution: str, maximum: int
) -> Json:
    """Return the description of the service: the layers of mixed collections that have features, and all others.

    ``maximum``: features of the largest answer to a query.
    """
    layers = [(layer, collections[layer.collection]) for layer in LAYERS]
    shown = [(layer, table) for layer, table in layers if not layer.mixed or layer_mask(table, layer).any()]
    boxes = [box for layer, table in shown if (box := geometry.extent(layer_shapes(table, layer), CRS84))]
    whole = _around(boxes)
    return {
        "currentVersion": CURRENT_VERSION,
        "serviceDescription": description,
        "description": description,
        "copyrightText": attribution,
        "hasVersionedData": False,
        "supportsDisconnectedEditing": False,
        "syncEnabled": False,
        "allowGeometryUpdates": False,
        "capabilities": "Query",
        "supportedQueryFormats": _FORMATS,
        "maxRecordCount": maximum,
        "spatialReference": geometry.spatial_reference(CRS84),
        "initialExtent": whole,
        "fullExtent": whole,
        "units": "esriDecimalDegrees",
        "layers": [_listed(layer, table) for layer, table in shown],
        "tables": [],
    }


def _around(boxes: Sequence[Json]) -> Json:
    lower = {edge: min(box[edge] for box in boxes or [_WORLD]) for edge in ("xmin", "ymin")}
    upper = {edge: max(box[edge] for box in boxes or [_WORLD]) for edge in ("xmax", "ymax")}
    return {**lower, **upper, "spatialReference": geometry.spatial_reference(CRS84)}


def _listed(layer: EsriLayer, collection: NumberedCollection) -> Json:
    return {
        "id": layer.id,
        "name": layer_title(collection, layer),
        "type": "Feature Layer",
        "geometryType": layer.kind,
        "parentLayerId": -1,
        "subLayerIds": None,
        "defaultVisibility": True,
        "minScale": 0,
        "maxScale": 0,
    }


def describe_layer(
    layer: EsriLayer, collection: NumberedCollection, attribution: str, maximum: int, looks: StyleTable
) -> Json:
    """Return the description of a layer; its renderer has the colours of the style table ``looks``."""
    box = geometry.extent(layer_shapes(collection, layer), CRS84)
    description: Json = {
        **_listed(layer, collection),
        "currentVersion": CURRENT_VERSION,
        "description": collection.description,
        "copyrightText": attribution,
        "displayField": next(name for name in ("title", "name", "id") if name in collection.queryables),
        "objectIdField": OBJECTID,
        "uniqueIdField": {"name": OBJECTID, "isSystemMaintained": True},
        "globalIdField": "",
        "typeIdField": None,
        "types": [],
        "templates": [],
        "relationships": [],
        "fields": fields(collection),
        "extent": box or _around([]),
        "drawingInfo": {"renderer": renderer(layer, collection, looks), "transparency": 0},
        **_capabilities(maximum),
    }
    return description if collection.days is None else {**description, "timeInfo": _time(*collection.days)}


def _capabilities(maximum: int) -> Json:
    """Return which parts of a query are supported."""
    advanced = ("Pagination", "OrderBy", "Distinct", "ReturningQueryExtent")
    lacking = ("Statistics", "HavingClause", "QueryWithDistance", "SqlExpression", "PaginationOnAggregatedQueries")
    can = {f"supports{name}": name in advanced for name in (*advanced, *lacking)}
    return {
        "hasAttachments": False,
        "hasM": False,
        "hasZ": False,
        "isDataVersioned": False,
        "capabilities": "Query",
        "maxRecordCount": maximum,
        "standardMaxRecordCount": maximum,
        "supportedQueryFormats": _FORMATS,
        "supportsAdvancedQueries": True,
        "supportsStatistics": False,
        "supportsCoordinatesQuantization": False,
        "useStandardizedQueries": True,
        "advancedQueryCapabilities": {"useStandardizedQueries": True, **can},
    }


def fields(collection: NumberedCollection) -> list[Json]:
    """Return the fields of a collection; `OBJECTID` first."""
    choices = {column.name: column for column in collection.columns}
    return [
        _field(collection, queryable, choices.get(queryable.name))
        for queryable in collection.queryables.values()
        if queryable.name != GEOMETRY
    ]


def _field(collection: NumberedCollection, queryable: Queryable, column: Column | None) -> Json:
    number = queryable.name == OBJECTID
    field: Json = {
        "name": queryable.name,
        "alias": queryable.name if number else queryable.name.replace("_", " "),
        "type": "esriFieldTypeOID" if number else _TYPES[queryable.kind],
        "sqlType": "sqlTypeOther",
        "description": queryable.doc,
        "nullable": not number and (column is None or not column.required),
        "editable": False,
        "domain": _domain(queryable) if queryable.enum else None,
        "defaultValue": None,
    }
    if queryable.kind == "text":
        words = collection.values(queryable.name).words.words
        field["length"] = max(_LENGTH, max(map(len, words), default=0))
    return field


def _domain(queryable: Queryable) -> Json:
    values = [{"name": value, "code": value} for value in queryable.enum]
    return {"type": "codedValue", "name": queryable.name, "codedValues": values}


def milliseconds(day: date) -> int:
    """Return the start of a day (UTC) in milliseconds since 1970."""
    return int(np.datetime64(day, "D").astype(np.int64)) * _DAY_MS


def _time(first: date, last: date) -> Json:
    return {
        "startTimeField": "day_first",
        "endTimeField": "day_last",
        "trackIdField": None,
        "timeExtent": [milliseconds(first), milliseconds(last)],
        "timeReference": {"timeZone": "UTC", "respectsDaylightSaving": False},
        "timeInterval": 1,
        "timeIntervalUnits": "esriTimeUnitsDays",
        "hasLiveData": False,
    }


def renderer(layer: EsriLayer, collection: NumberedCollection, look: StyleTable) -> Json:
    """Return the renderer of a layer, from the rules of the map.

    By the host of a strike, by the cargo of a pipeline, or one symbol for all. Renderers of Esri choose a symbol by
    values alone and have five marks: a strike is drawn by its host, not by its kind or status. Sizes are those of one
    zoom, in points.
    """
    drawn = [rule for rule in rules(layer.collection, look) if rule.geometry == _geometry(layer)]
    last = drawn[-1]
    if isinstance(last.paint, SymbolPaint):
        host = last.paint.host
        infos = {
            value: _mark(last.paint, case.key, look) for case in host.cases() if case.is_member for value in case.values
        }
        return _unique(host.column, infos, _mark(last.paint, host.default, look), "Other countries")
    default = _symbol(last.paint)
    for rule in drawn:
        if rule.condition is not None and rule.condition.contains:
            values = dict.fromkeys(_holding(collection, rule.condition), _symbol(rule.paint))
            return _unique(rule.condition.columns[0], values, default, last.title)
    return {"type": "simple", "symbol": default}


def _geometry(layer: EsriLayer) -> GeometryClass:
    if layer.kind == "esriGeometryPolygon":
        return "polygons"
    return "lines" if layer.kind == "esriGeometryPolyline" else "points"


def _holding(collection: NumberedCollection, only: TextMatch) -> Iterable[str]:
    """Return the values in the first column of a condition that contain its text; pipelines have no other column."""
    return sorted(value for value in collection.values(only.columns[0]).words.words if only.text in value)


def _unique(column: str, infos: dict[str, Json], default: Json, label: str) -> Json:
    return {
        "type": "uniqueValue",
        "field1": column,
        "fieldDelimiter": ",",
        "defaultSymbol": default,
        "defaultLabel": label,
        "uniqueValueInfos": [{"value": value, "label": value, "symbol": symbol} for value, symbol in infos.items()],
    }


def _mark(marks: SymbolPaint, host: str, look: StyleTable) -> Json:
    size = at_zoom(marks.size, REFERENCE_ZOOM) * UNIT * _SYMBOL
    return _circle(look["host"][host]["light"], size, look["base"]["light"]["halo"], 1)


def _symbol(paint: Paint) -> Json:
    match paint:
        case LinePaint():
            line = _line(paint.colour, paint.width)
            return line | ({"style": "esriSLSDash"} if paint.dash else {})
        case CirclePaint():
            return _circle(paint.fill, 2 * at_zoom(paint.radius, REFERENCE_ZOOM), paint.edge, paint.edge_width)
        case AreaPaint():
            fill = _rgba(paint.fill, paint.opacity)
            outline = _line(paint.edge, paint.edge_width)
            return {"type": "esriSFS", "style": "esriSFSSolid", "color": fill, "outline": outline}
    raise ValueError("marks have a symbol for each host")


def _circle(fill: str, size: float, edge: str, width: float) -> Json:
    outline = {"type": "esriSLS", "style": "esriSLSSolid", "color": _rgba(edge), "width": width * _POINTS}
    marker = {"type": "esriSMS", "style": "esriSMSCircle", "color": _rgba(fill), "size": round(size * _POINTS, 2)}
    return {**marker, "outline": outline}


def _line(colour: str, stops: ZoomStops) -> Json:
    width = round(at_zoom(stops, REFERENCE_ZOOM) * _POINTS, 2)
    return {"type": "esriSLS", "style": "esriSLSSolid", "color": _rgba(colour), "width": width}


def _rgba(colour: str, opacity: float = 1.0) -> list[int]:
    return [*bytes.fromhex(colour.removeprefix("#")), round(255 * opacity)]
