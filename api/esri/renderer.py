"""How the layers of the FeatureServer are drawn, as GeoServices REST tells it, by the rules of the map.

Esri's renderers choose by values alone and have five marks: of a strike they tell its host, not its kind or its status.
Sizes are those of one zoom, in points.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.esri.layers import Layer, Numbered
from api.styles.rules import UNIT, Area, Dot, Geometry, Holds, Line, Marks, Paint, Stops, Table, at_zoom, rules
from api.styles.sld import ZOOM

Json = dict[str, Any]

_POINTS = 0.75
#: Width of most symbols, in their units.
_SYMBOL = 15.0


def renderer(layer: Layer, collection: Numbered, look: Table) -> Json:
    """The renderer of a layer: by the host of a strike, by what a pipeline carries, or one symbol for all."""
    told = [rule for rule in rules(layer.collection, look) if rule.geometry == _geometry(layer)]
    last = told[-1]
    if isinstance(last.paint, Marks):
        host = last.paint.host
        infos = {
            value: _mark(last.paint, case.key, look) for case in host.cases() if case.among for value in case.values
        }
        return _unique(host.column, infos, _mark(last.paint, host.rest, look), "Other countries")
    chosen = next((rule for rule in told if rule.only and rule.only.wanted), None)
    if chosen is None or chosen.only is None:
        return {"type": "simple", "symbol": _symbol(last.paint)}
    symbol = _symbol(chosen.paint)
    values = _holding(collection, chosen.only)
    return _unique(chosen.only.columns[0], dict.fromkeys(values, symbol), _symbol(last.paint), last.title)


def _geometry(layer: Layer) -> Geometry:
    if layer.kind == "esriGeometryPolygon":
        return "polygons"
    return "lines" if layer.kind == "esriGeometryPolyline" else "points"


def _holding(collection: Numbered, only: Holds) -> Iterable[str]:
    """The values of the first column that have the text in them, of those that there are; a pipeline has no other."""
    return sorted(value for value in collection.values(only.columns[0]).words.words if only.text in value)


def _unique(column: str, infos: dict[str, Json], default: Json, label: str) -> Json:
    return {
        "type": "uniqueValue",
        "field1": column,
        "fieldDelimiter": ",",
        "defaultSymbol": default,
        "defaultLabel": label,
        "uniqueValueInfos": [{"value": value, "label": value, "symbol": one} for value, one in infos.items()],
    }


def _mark(marks: Marks, host: str, look: Table) -> Json:
    size = at_zoom(marks.size, ZOOM) * UNIT * _SYMBOL
    return _circle(look["host"][host]["light"], size, look["base"]["light"]["halo"], 1)


def _symbol(paint: Paint) -> Json:
    match paint:
        case Line():
            told = _line(paint.colour, paint.width)
            return told | ({"style": "esriSLSDash"} if paint.dash else {})
        case Dot():
            return _circle(paint.fill, 2 * at_zoom(paint.radius, ZOOM), paint.edge, paint.edge_width)
        case Area():
            fill = _rgba(paint.fill, paint.opacity)
            outline = _line(paint.edge, paint.edge_width)
            return {"type": "esriSFS", "style": "esriSFSSolid", "color": fill, "outline": outline}
    raise ValueError("marks have a symbol for each host")


def _circle(fill: str, size: float, edge: str, width: float) -> Json:
    outline = {"type": "esriSLS", "style": "esriSLSSolid", "color": _rgba(edge), "width": width * _POINTS}
    marker = {"type": "esriSMS", "style": "esriSMSCircle", "color": _rgba(fill), "size": round(size * _POINTS, 2)}
    return {**marker, "outline": outline}


def _line(colour: str, stops: Stops) -> Json:
    width = round(at_zoom(stops, ZOOM) * _POINTS, 2)
    return {"type": "esriSLS", "style": "esriSLSSolid", "color": _rgba(colour), "width": width}


def _rgba(colour: str, opacity: float = 1.0) -> list[int]:
    return [*bytes.fromhex(colour.removeprefix("#")), round(255 * opacity)]
