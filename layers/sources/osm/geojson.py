"""Features of GeoJSON that programs make of OpenStreetMap: which element each is, and its tags. Reads no files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from shapely.geometry.base import BaseGeometry

from layers.sources.files.geojson_features import as_text

#: Properties that tell what an element is (Overpass Turbo, osmtogeojson, QuickOSM, osmium export), before its number.
_WHOLE = ("@id", "full_id", "id")
#: Properties with its number only: GDAL, osm2pgsql, QuickOSM, osmium export, osmnx.
_NUMBERS = ("osm_id", "@id", "osmid", "id")
_TYPES: Mapping[str, str] = {
    "n": "node",
    "w": "way",
    "r": "relation",
    "node": "node",
    "way": "way",
    "relation": "relation",
}
#: Properties in which all tags, or those without a property of their own, stand together (GDAL, osm2pgsql).
_TOGETHER = ("all_tags", "other_tags", "tags")
_REFERENCE = re.compile(r"(node|way|relation)/([0-9]+)")
_SHORT = re.compile(r"([nwra])([0-9]+)")
# PostgreSQL's hstore: "key"=>"value", "key"=>NULL.
_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=>\s*"((?:[^"\\]|\\.)*)"')


def tags_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """Tags of a feature; those that stand in one property of their own first. Empty ones are left out."""
    plain = {name: value for name, value in properties.items() if name not in _TOGETHER}
    found: dict[str, str] = {}
    for name in _TOGETHER:
        found |= _together(properties.get(name))
    # Where all tags stand in an object, the properties beside it are about the element: type, id, meta.
    beside = {} if isinstance(properties.get("tags"), dict) else as_text(plain)
    tags = {**found, **{name: value for name, value in beside.items() if value}}
    if tags.get("station_name_en"):
        tags.setdefault("name:en", tags["station_name_en"])
    return tags


def _together(value: Any) -> dict[str, str]:
    """Tags out of an object, JSON text or hstore text."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    if isinstance(value, dict):
        return {name: text for name, text in as_text(value).items() if text}
    pairs = _HSTORE.findall(value) if isinstance(value, str) else []
    return {_unescaped(name): _unescaped(text) for name, text in pairs if text}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def reference_of(feature: Mapping[str, Any], shape: BaseGeometry | None) -> str:
    """``way/123``, empty where the feature does not say it.

    Where only a number is given, the type follows from the geometry: a point is a node, several lines or areas are a
    relation; one line or area is taken for a way, unless GDAL's column for ways is there and empty.
    """
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    for value in (*(properties.get(name) for name in _WHOLE), feature.get("id")):
        if whole := _whole(str(value)):
            return whole
    if number := _number(properties.get("osm_way_id")):
        return f"way/{number}"
    number = next((found for name in _NUMBERS if (found := _number(properties.get(name)))), "")
    stated = (str(properties.get(name, "")).casefold() for name in ("osm_type", "@type", "element", "type"))
    kind = next((_TYPES[word] for word in stated if word in _TYPES), None)
    return f"{kind or _kind_by_shape(properties, shape)}/{number.lstrip('-')}" if number else ""


def _whole(text: str) -> str:
    """A reference out of ``way/123`` or ``w123``; osmium gives areas of ways twice their id, of relations one more."""
    if _REFERENCE.fullmatch(text):
        return text
    short = _SHORT.fullmatch(text)
    if short is None:
        return ""
    number = int(short[2])
    if short[1] == "a":
        return f"{'relation' if number % 2 else 'way'}/{number // 2}"
    return f"{_TYPES[short[1]]}/{number}"


def _number(value: Any) -> str:
    """Digits of an id; pandas makes 12.0 of them, osm2pgsql negates those of relations."""
    found = re.fullmatch(r"(-?[0-9]+)(?:\.0)?", str(value))
    return found[1] if found else ""


def _kind_by_shape(properties: Mapping[str, Any], shape: BaseGeometry | None) -> str:
    if shape is not None and shape.geom_type == "Point":
        return "node"
    several = shape is not None and shape.geom_type.startswith("Multi")
    negative = str(properties.get("osm_id", "")).startswith("-")
    return "relation" if several or negative or "osm_way_id" in properties else "way"


def missing_of(feature: Mapping[str, Any]) -> str:
    """What osmtogeojson says of a geometry that is not whole; empty where it says nothing."""
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    return "some members or nodes" if properties.get("tainted") or properties.get("@tainted") else ""
