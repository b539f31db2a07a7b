"""Styles as MapLibre and Mapbox read them (style specification, version 8).

Labels would need fonts that a style for any program cannot count on, so there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.http.json import Json
from api.styles.rules import (
    AreaPaint,
    CirclePaint,
    GeometryClass,
    LinePaint,
    Paint,
    StyleRule,
    StyleTable,
    SymbolChoice,
    SymbolPaint,
    ZoomStops,
    rules,
)

#: The source and tileset of the base map.
BASE_MAP = "basemap"
_TYPES: Mapping[GeometryClass, tuple[str, ...]] = {
    "points": ("Point", "MultiPoint"),
    "lines": ("LineString", "MultiLineString"),
    "polygons": ("Polygon", "MultiPolygon"),
}


def style(name: str, collections: Mapping[str, str], sprite: str, look: StyleTable, ground: str | None = None) -> Json:
    """Write a style as a JSON object.

    Parameters
    ----------
    collections
        Address of the TileJSON of each collection, in the order of drawing.
    sprite
        Address of the sprite of symbols, without its ending.
    ground
        Address of the TileJSON of the base map, which is drawn below; without it there is none.
    """
    tilejson = ({BASE_MAP: ground} if ground else {}) | dict(collections)
    layers = [] if ground is None else _base_map(look)
    for collection in collections:
        for rule in rules(collection, look):
            layers += _layers(collection, rule)
    return {
        "version": 8,
        "name": name,
        "sources": {source: {"type": "vector", "url": url} for source, url in tilejson.items()},
        "sprite": sprite,
        "layers": layers,
    }


def image_name(shape: str, host: str, fill: str) -> str:
    """Return the name that a symbol has in the sprite, as static/style.js names it."""
    return f"{shape}-{host}-{fill}"


def _base_map(look: StyleTable) -> list[Json]:
    base, size = look["base"]["light"], look["size"]
    coast = {"line-color": base["coast"], "line-width": _by_zoom(size["coast"])}
    border = {"line-color": base["border"], "line-width": _by_zoom(size["border"])}
    return [
        {"id": "sea", "type": "background", "paint": {"background-color": base["sea"]}},
        _layer("land", "fill", BASE_MAP, "country", {"fill-color": base["land"]}),
        _layer("coast", "line", BASE_MAP, "country", coast),
        _layer("border", "line", BASE_MAP, "boundary", border),
    ]


def _layer(name: str, kind: str, source: str, layer: str, paint: Json) -> Json:
    return {"id": name, "type": kind, "source": source, "source-layer": layer, "paint": paint}


def _layers(collection: str, rule: StyleRule) -> Iterator[Json]:
    common: Json = {"source": collection, "source-layer": collection, "filter": _filter(rule)}
    if rule.from_zoom:
        common["minzoom"] = rule.from_zoom
    for suffix, kind, appearance in _layer_parts(rule.paint):
        yield {"id": f"{rule.name}{suffix}", "type": kind, **common, **appearance}


def _layer_parts(paint: Paint) -> Iterator[tuple[str, str, Json]]:
    """Give each layer of a paint: the suffix of its id, its type, and its layout and paint."""
    match paint:
        case SymbolPaint():
            layout = {"icon-image": _icon(paint), "icon-size": _by_zoom(paint.size)}
            yield "", "symbol", {"layout": layout | {"icon-allow-overlap": True, "icon-ignore-placement": True}}
        case LinePaint():
            appearance: Json = {"line-color": paint.colour, "line-width": _by_zoom(paint.width)}
            appearance |= {"line-dasharray": list(paint.dash)} if paint.dash else {}
            appearance |= {"line-opacity": paint.opacity} if paint.opacity != 1 else {}
            yield "", "line", {"layout": {"line-join": "round"}, "paint": appearance}
        case CirclePaint():
            edge = {"circle-stroke-color": paint.edge, "circle-stroke-width": paint.edge_width}
            yield "", "circle", {"paint": {"circle-radius": _by_zoom(paint.radius), "circle-color": paint.fill, **edge}}
        case AreaPaint():
            yield "", "fill", {"paint": {"fill-color": paint.fill, "fill-opacity": paint.opacity}}
            yield "-edge", "line", {"paint": {"line-color": paint.edge, "line-width": _by_zoom(paint.edge_width)}}


def _icon(marks: SymbolPaint) -> Any:
    """Return an expression for the name of a symbol, each name written out as QGIS needs it."""
    parts = [_chosen(choice) for choice in (marks.shape, marks.host, marks.fill)]
    names = [image_name(*(case.key for case in cases)) for cases in marks.combinations()]
    joined = ["concat", parts[0], "-", parts[1], "-", parts[2]]
    return ["match", joined, *(part for name in names for part in (name, name)), names[-1]]


def _chosen(choice: SymbolChoice) -> Any:
    if not choice.keys:
        return choice.default
    pairs = [part for case in choice.cases() if case.is_member for part in (_label(case.values), case.key)]
    return ["match", ["get", choice.column], *pairs, choice.default]


def _label(values: tuple[str, ...]) -> Any:
    return list(values) if len(values) > 1 else values[0]


def _filter(rule: StyleRule) -> list[Any]:
    kind = ["in", ["geometry-type"], ["literal", list(_TYPES[rule.geometry])]]
    if (match := rule.condition) is None:
        return kind
    holds = ["in", match.text, ["coalesce", *(["get", column] for column in match.columns), ""]]
    return ["all", kind, holds if match.contains else ["!", holds]]


def _by_zoom(stops: ZoomStops) -> list[Any]:
    return ["interpolate", ["linear"], ["zoom"], *(number for stop in stops for number in stop)]
