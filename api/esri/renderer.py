"""Renderers of the layers in GeoServices REST, from the rules of the map.

Renderers of Esri choose a symbol by values alone and have five marks: a strike is drawn by its host, not by its kind or
status. Sizes are those of one zoom, in points.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.esri.layers import EsriLayer, NumberedCollection
from api.http.json import Json
from api.styles.rules import (
    UNIT,
    AreaPaint,
    ChoiceCase,
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

_POINTS = 0.75
#: Width of a common symbol, in the unit of symbols.
_SYMBOL = 15.0


def renderer(layer: EsriLayer, collection: NumberedCollection, look: StyleTable) -> Json:
    """Return the renderer of a layer: by the host of a strike, by the cargo of a pipeline, or one symbol for all."""
    drawn = [rule for rule in rules(layer.collection, look) if rule.geometry == _geometry(layer)]
    last = drawn[-1]
    if isinstance(last.paint, SymbolPaint):
        host = last.paint.host
        infos = {
            value: _mark(last.paint, case.key, look) for case in host.cases() if case.is_member for value in case.values
        }
        return _unique(host.column, infos, _mark(last.paint, host.default, look), "Other countries")
    rest = next(rule for rule in reversed(drawn) if not isinstance(rule.condition, ChoiceCase))
    default = _symbol(rest.paint)
    for rule in drawn:
        if isinstance(rule.condition, TextMatch) and rule.condition.contains:
            values = dict.fromkeys(_holding(collection, rule.condition), _symbol(rule.paint))
            return _unique(rule.condition.columns[0], values, default, rest.title)
    cases = [(rule.condition, _symbol(rule.paint)) for rule in drawn if isinstance(rule.condition, ChoiceCase)]
    if cases:
        symbols = {value: symbol for case, symbol in cases for value in case.values}
        return _unique(cases[0][0].column, symbols, default, rest.title)
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
