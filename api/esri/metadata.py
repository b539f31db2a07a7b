"""What a FeatureServer and its layers are, as GeoServices REST tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from api.esri import geometry
from api.esri.layers import LAYERS, OBJECTID, Layer, Numbered, members, shapes, title
from api.esri.renderer import renderer
from api.requests.crs import CRS84
from api.styles.rules import Table
from layers.collections.queryables import GEOMETRY, Kind, Queryable
from layers.model.columns import Column

Json = dict[str, Any]

#: The release of ArcGIS Server whose answers these are like.
CURRENT_VERSION = 10.91
_WORLD: Json = {"xmin": -180, "ymin": -90, "xmax": 180, "ymax": 90}
_TYPES: Mapping[Kind, str] = {
    "text": "esriFieldTypeString",
    "integer": "esriFieldTypeInteger",
    "number": "esriFieldTypeDouble",
    "date": "esriFieldTypeDate",
}
_FORMATS = "JSON, geoJSON"
#: Least length of a text field; longer where a text is.
_LENGTH = 256
_DAY_MS = 86_400_000


def info() -> Json:
    """The server: no token is asked for."""
    return {"currentVersion": CURRENT_VERSION, "fullVersion": "10.9.1", "authInfo": {"isTokenBasedSecurity": False}}


def catalogue(name: str) -> Json:
    """The services that there are: one."""
    return {"currentVersion": CURRENT_VERSION, "folders": [], "services": [{"name": name, "type": "FeatureServer"}]}


def service(collections: Mapping[str, Numbered], description: str, attribution: str, most: int) -> Json:
    """The service, with those layers that have features; layers of one kind of geometry are there always."""
    told = [(layer, collections[layer.collection]) for layer in LAYERS]
    shown = [(layer, one) for layer, one in told if not layer.mixed or members(one, layer).any()]
    boxes = [box for layer, one in shown if (box := geometry.extent(shapes(one, layer), CRS84))]
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
        "maxRecordCount": most,
        "spatialReference": geometry.reference(CRS84),
        "initialExtent": whole,
        "fullExtent": whole,
        "units": "esriDecimalDegrees",
        "layers": [_listed(layer, one) for layer, one in shown],
        "tables": [],
    }


def _around(boxes: Sequence[Json]) -> Json:
    if not boxes:
        return {**_WORLD, "spatialReference": geometry.reference(CRS84)}
    least = {edge: min(box[edge] for box in boxes) for edge in ("xmin", "ymin")}
    return {
        **least,
        **{edge: max(box[edge] for box in boxes) for edge in ("xmax", "ymax")},
        "spatialReference": geometry.reference(CRS84),
    }


def _listed(layer: Layer, collection: Numbered) -> Json:
    return {
        "id": layer.id,
        "name": title(collection, layer),
        "type": "Feature Layer",
        "geometryType": layer.kind,
        "parentLayerId": -1,
        "subLayerIds": None,
        "defaultVisibility": True,
        "minScale": 0,
        "maxScale": 0,
    }


def described(layer: Layer, collection: Numbered, attribution: str, most: int, looks: Table) -> Json:
    """One layer; ``looks`` is the table of colours."""
    box = geometry.extent(shapes(collection, layer), CRS84)
    told: Json = {
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
        **_powers(most),
    }
    return told if collection.days is None else {**told, "timeInfo": _time(*collection.days)}


def _powers(most: int) -> Json:
    """What can be asked, and what cannot."""
    advanced = ("Pagination", "OrderBy", "Distinct", "ReturningQueryExtent")
    lacking = ("Statistics", "HavingClause", "QueryWithDistance", "SqlExpression", "PaginationOnAggregatedQueries")
    can = {f"supports{name}": name in advanced for name in (*advanced, *lacking)}
    return {
        "hasAttachments": False,
        "hasM": False,
        "hasZ": False,
        "isDataVersioned": False,
        "capabilities": "Query",
        "maxRecordCount": most,
        "standardMaxRecordCount": most,
        "supportedQueryFormats": _FORMATS,
        "supportsAdvancedQueries": True,
        "supportsStatistics": False,
        "supportsCoordinatesQuantization": False,
        "useStandardizedQueries": True,
        "advancedQueryCapabilities": {"useStandardizedQueries": True, **can},
    }


def fields(collection: Numbered) -> list[Json]:
    """The fields of a collection; `OBJECTID` first."""
    choices = {column.name: column for column in collection.columns}
    return [
        _field(collection, one, choices.get(one.name)) for one in collection.queryables.values() if one.name != GEOMETRY
    ]


def _field(collection: Numbered, one: Queryable, column: Column | None) -> Json:
    number = one.name == OBJECTID
    told: Json = {
        "name": one.name,
        "alias": one.name if number else one.name.replace("_", " "),
        "type": "esriFieldTypeOID" if number else _TYPES[one.kind],
        "sqlType": "sqlTypeOther",
        "description": one.doc,
        "nullable": not number and (column is None or not column.required),
        "editable": False,
        "domain": _domain(one) if one.enum else None,
        "defaultValue": None,
    }
    if one.kind == "text":
        words = collection.values(one.name).words.words
        told["length"] = max(_LENGTH, max(map(len, words), default=0))
    return told


def _domain(one: Queryable) -> Json:
    values = [{"name": value, "code": value} for value in one.enum]
    return {"type": "codedValue", "name": one.name, "codedValues": values}


def milliseconds(day: date) -> int:
    """A day as the milliseconds from 1970 to its start, UTC."""
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
