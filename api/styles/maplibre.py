"""Styles as MapLibre and Mapbox read them (style specification, version 8).

Labels would need fonts that a style for any program cannot count on, so there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.styles.rules import Area, Choice, Dot, Geometry, Holds, Line, Marks, Paint, Rule, Stops, Table, rules

Json = dict[str, Any]

#: The source and tileset of the base map.
GROUND = "basemap"
_TYPES: Mapping[Geometry, tuple[str, ...]] = {
    "points": ("Point", "MultiPoint"),
    "lines": ("LineString", "MultiLineString"),
    "polygons": ("Polygon", "MultiPolygon"),
}


def style(name: str, collections: Mapping[str, str], sprite: str, look: Table, ground: str | None = None) -> Json:
    """Make a style.

    Parameters
    ----------
    collections
        Address of the TileJSON of each collection, in the order of drawing.
    sprite
        Address of the pictures of symbols, without its ending.
    ground
        Address of the TileJSON of the base map, where it is drawn below.
    """
    tilejson = ({GROUND: ground} if ground else {}) | dict(collections)
    told = [] if ground is None else _ground(look)
    for collection in collections:
        for rule in rules(collection, look):
            told += _layers(collection, rule)
    return {
        "version": 8,
        "name": name,
        "sources": {source: {"type": "vector", "url": url} for source, url in tilejson.items()},
        "sprite": sprite,
        "layers": told,
    }


def image(shape: str, host: str, fill: str) -> str:
    """Name of the picture of a symbol, as in static/style.js."""
    return f"{shape}-{host}-{fill}"


def _ground(look: Table) -> list[Json]:
    base, size = look["base"]["light"], look["size"]
    coast = {"line-color": base["coast"], "line-width": _by_zoom(size["coast"])}
    border = {"line-color": base["border"], "line-width": _by_zoom(size["border"])}
    return [
        {"id": "sea", "type": "background", "paint": {"background-color": base["sea"]}},
        _layer("land", "fill", GROUND, "country", {"fill-color": base["land"]}),
        _layer("coast", "line", GROUND, "country", coast),
        _layer("border", "line", GROUND, "boundary", border),
    ]


def _layer(name: str, kind: str, source: str, layer: str, paint: Json) -> Json:
    return {"id": name, "type": kind, "source": source, "source-layer": layer, "paint": paint}


def _layers(collection: str, rule: Rule) -> Iterator[Json]:
    told: Json = {"source": collection, "source-layer": collection, "filter": _filter(rule)}
    if rule.from_zoom:
        told["minzoom"] = rule.from_zoom
    for suffix, kind, looks in _painted(rule.paint):
        yield {"id": f"{rule.name}{suffix}", "type": kind, **told, **looks}


def _painted(paint: Paint) -> Iterator[tuple[str, str, Json]]:
    """What is added to a layer's name, its type, and its layout and paint."""
    match paint:
        case Marks():
            layout = {"icon-image": _icon(paint), "icon-size": _by_zoom(paint.size)}
            yield "", "symbol", {"layout": layout | {"icon-allow-overlap": True, "icon-ignore-placement": True}}
        case Line():
            looks: Json = {"line-color": paint.colour, "line-width": _by_zoom(paint.width)}
            looks |= {"line-dasharray": list(paint.dash)} if paint.dash else {}
            looks |= {"line-opacity": paint.opacity} if paint.opacity != 1 else {}
            yield "", "line", {"layout": {"line-join": "round"}, "paint": looks}
        case Dot():
            edge = {"circle-stroke-color": paint.edge, "circle-stroke-width": paint.edge_width}
            yield (
                "",
                "circle",
                {"paint": {"circle-radius": _by_zoom(paint.radius), "circle-color": paint.fill, **edge}},
            )
        case Area():
            yield "", "fill", {"paint": {"fill-color": paint.fill, "fill-opacity": paint.opacity}}
            yield "-edge", "line", {"paint": {"line-color": paint.edge, "line-width": _by_zoom(paint.edge_width)}}


def _icon(marks: Marks) -> Any:
    """The name of a picture, put together; QGIS takes pictures by names that are written out."""
    parts = [_chosen(choice) for choice in (marks.shape, marks.host, marks.fill)]
    names = [image(*(case.key for case in cases)) for cases in marks.each()]
    made = ["concat", parts[0], "-", parts[1], "-", parts[2]]
    return ["match", made, *(name for one in names for name in (one, one)), names[-1]]


def _chosen(choice: Choice) -> Any:
    if not choice.keys:
        return choice.rest
    pairs = [part for case in choice.cases() if case.among for part in (_label(case.values), case.key)]
    return ["match", ["get", choice.column], *pairs, choice.rest]


def _label(values: tuple[str, ...]) -> Any:
    return list(values) if len(values) > 1 else values[0]


def _filter(rule: Rule) -> list[Any]:
    kind = ["in", ["geometry-type"], ["literal", list(_TYPES[rule.geometry])]]
    return kind if rule.only is None else ["all", kind, _holds(rule.only)]


def _holds(only: Holds) -> list[Any]:
    has = ["in", only.text, ["coalesce", *(["get", column] for column in only.columns), ""]]
    return has if only.wanted else ["!", has]


def _by_zoom(stops: Stops) -> list[Any]:
    return ["interpolate", ["linear"], ["zoom"], *(number for stop in stops for number in stop)]
