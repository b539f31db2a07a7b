"""Elements of OpenStreetMap in Overpass JSON, PBF and GeoJSON: their ids, tags, and geometry in lon/lat degrees."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import osmium
import shapely
from osmium.filter import IdFilter, TagFilter
from osmium.osm import NODE, WAY
from shapely.geometry.base import BaseGeometry

from layers.model.messages import Message
from layers.sources.files.features import as_text
from layers.sources.files.limits import MAX_ROWS, FileRefused, parse_json
from layers.sources.osm.tags import INDUSTRIAL, MAN_MADE, POWER, kind_of

#: A node, way or relation.
Element = Mapping[str, Any]
Position = tuple[float, float]

#: Roles of nodes in a relation that are no part of its shape: the position of its label, its entrance.
_OUTSIDE_ROLES = ("label", "entrance", "admin_centre")


@dataclass(frozen=True, slots=True)
class Outline:
    """The geometry of an element in lon/lat degrees (OGC:CRS84), None where its file holds no coordinates of it.

    ``missing`` counts the parts that the file lacks, such as 1 of 4 nodes; None where the geometry is complete.
    """

    geometry: BaseGeometry | None
    missing: Message | None = None


@dataclass(frozen=True)
class Elements:
    """All elements of a file, with nodes and ways by id, as relations and ways refer to them."""

    all: list[Any]
    nodes: Mapping[int, Position] = field(default_factory=dict)
    ways: Mapping[int, Element] = field(default_factory=dict)

    @classmethod
    def of(cls, every: list[Any]) -> Elements:
        """Index the nodes, and the ways with vertices."""
        objects = [element for element in every if isinstance(element, dict)]
        nodes = {
            element["id"]: (element["lon"], element["lat"])
            for element in objects
            if element.get("type") == "node"
            and all(isinstance(element.get(name), int | float) for name in ("id", "lon", "lat"))
        }
        ways = {
            element["id"]: element for element in objects if element.get("type") == "way" and _has_vertices(element)
        }
        return cls(every, nodes, ways)

    def tagged(self) -> Iterator[tuple[int, Any]]:
        """Yield position, from 1, and value of each element with tags, and of each value that is no element."""
        for number, element in enumerate(self.all, 1):
            if not isinstance(element, dict) or element.get("tags"):
                yield number, element

    def outline(self, element: Element, is_line: bool) -> Outline:
        """Return the geometry of an element: a closed way is an area unless it is a line by nature.

        Where vertices are missing a line has a gap, and a ring is no area. An element that has only a centre
        (Overpass ``out center``) gets that point.

        Raises ``TypeError`` or ``ValueError`` if coordinates are no numbers.
        """
        kind = element.get("type")
        if kind == "node":
            position = self.nodes.get(element.get("id", 0))
            return Outline(shapely.Point(position) if position else None)
        if kind == "way" and not _has_vertices(element):
            # A query with ``out tags; out skel`` lists an element twice: first with its tags, later with its vertices.
            element = {**element, **self.ways.get(element.get("id", 0), {})}
        outline = _way(self._vertices(element), is_line) if kind == "way" else self._relation(element, is_line)
        centre = _position(element.get("center"))
        return Outline(shapely.Point(centre) if centre else None) if outline.geometry is None else outline

    def _vertices(self, way: Element) -> list[Position | None]:
        """Return the vertices of a way, None for each that the file lacks (null in Overpass, outside an extract)."""
        if isinstance(way.get("geometry"), list):
            return [_position(point) for point in way["geometry"]]
        refs = way.get("nodes")
        return [self.nodes.get(ref) for ref in refs] if isinstance(refs, list) else []

    def _relation(self, relation: Element, is_line: bool) -> Outline:
        """Return the areas that a relation's ways enclose, or else the ways; of a site its nodes too."""
        members = relation.get("members")
        members = [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []
        of_lines = [member for member in members if member.get("type") != "node"]
        is_site = not is_line and (not of_lines or relation.get("tags", {}).get("type") == "site")
        of_points = [
            member for member in members if member.get("type") == "node" and member.get("role") not in _OUTSIDE_ROLES
        ]
        points = [
            _position(member) or self.nodes.get(member.get("ref", 0)) for member in (of_points if is_site else ())
        ]
        ways = [(str(member.get("role", "")), self._vertices(self._way_of(member))) for member in of_lines]
        missing = points.count(None) + sum(not vertices or None in vertices for _, vertices in ways)
        lines = [(role, line) for role, vertices in ways for line in _lines(vertices)]
        shapes = [_shape_of(lines, is_line), _points([point for point in points if point is not None])]
        there = [shape for shape in shapes if shape is not None]
        shape = shapely.union_all(there) if len(there) > 1 else next(iter(there), None)
        without = Message("osm.without-members", {"count": missing, "total": len(points) + len(ways)})
        return Outline(shape, without if missing else None)

    def _way_of(self, member: Element) -> Element:
        if member.get("type") != "way":
            return {}
        return member if "geometry" in member else self.ways.get(member.get("ref", 0), {})


def _has_vertices(element: Element) -> bool:
    return isinstance(element.get("id"), int) and ("nodes" in element or "geometry" in element)


def _position(point: Any) -> Position | None:
    return (point["lon"], point["lat"]) if isinstance(point, dict) and {"lon", "lat"} <= point.keys() else None


def _way(vertices: Sequence[Position | None], is_line: bool) -> Outline:
    there = [vertex for vertex in vertices if vertex is not None]
    if len(there) < len(vertices):
        lines = _lines(vertices)
        shape = shapely.MultiLineString(lines) if len(lines) > 1 else lines[0] if lines else _points(there)
        missing = {"count": len(vertices) - len(there), "total": len(vertices)}
        return Outline(shape, Message("osm.without-nodes", missing))
    if len(there) > 3 and there[0] == there[-1] and not is_line:
        return Outline(shapely.Polygon(there))
    return Outline(shapely.LineString(there) if len(there) > 1 else _points(there))


def _lines(vertices: Sequence[Position | None]) -> list[shapely.LineString]:
    """Return the stretches of a way without missing vertices."""
    runs: list[list[Position]] = [[]]
    for vertex in vertices:
        if vertex is None:
            runs.append([])
        else:
            runs[-1].append(vertex)
    return [shapely.LineString(run) for run in runs if len(run) > 1]


def _shape_of(lines: list[tuple[str, shapely.LineString]], is_line: bool) -> BaseGeometry | None:
    """Return the areas that the members of a relation, by role, enclose; where they enclose none, their lines."""
    areas = None if is_line else _areas(lines)
    if areas is None and lines:
        return shapely.line_merge(shapely.MultiLineString([line for _, line in lines]))
    return areas


def _points(there: Sequence[Position]) -> BaseGeometry | None:
    if not there:
        return None
    return shapely.Point(there[0]) if len(there) == 1 else shapely.MultiPoint(list(there))


def _areas(lines: list[tuple[str, shapely.LineString]]) -> BaseGeometry | None:
    """Return the area of the outer rings less the inner ones; an outer ring within a hole is an island.

    None where the lines close no ring.
    """
    outer = shapely.get_parts(shapely.polygonize([line for role, line in lines if role != "inner"]))
    inner = shapely.get_parts(shapely.polygonize([line for role, line in lines if role == "inner"]))
    if not len(outer):
        return None
    holes = shapely.union_all(inner)
    island = shapely.covered_by(outer, holes)
    land = shapely.difference(shapely.union_all(outer[~island]), holes)
    return shapely.union_all([land, *outer[island]]) if island.any() else land


#: Tags of which an asset has at least one: pyosmium skips all other objects in C++.
_WANTED = (
    *(("man_made", value) for value in MAN_MADE),
    *(("power", value) for value in POWER),
    ("pipeline", "substation"),
)
_INDUSTRIAL = (*INDUSTRIAL, "depot")


def read_pbf(path: Path, file: str) -> tuple[list[dict[str, Any]], str | None]:
    """Return the tagged elements that may be assets, with the ways and nodes they refer to, and the day of the data.

    Raises ``FileRefused`` if it is no PBF file, or holds more such elements than are read.
    """
    try:
        return _elements(path, file), _day(path)
    except (RuntimeError, UnicodeDecodeError) as error:
        raise FileRefused(file, "syntax", error, Message("osm.pbf")) from error


def _elements(path: Path, file: str) -> list[dict[str, Any]]:
    wanted = TagFilter(*_WANTED, *(("industrial", value) for value in _INDUSTRIAL))
    elements = [_element(element) for element in osmium.FileProcessor(str(path)).with_filter(wanted)]
    _require_few(elements, file)
    # Elements that are no assets are returned too, to be counted, but without their parts.
    assets = [element for element in elements if kind_of(element["tags"])]
    there = {(element["type"], element["id"]) for element in elements}
    members = [member for element in assets for member in element.get("members", ())]
    ways = {member["ref"] for member in members if member["type"] == "way"}
    elements += _by_id(path, WAY, {ref for ref in ways if ("way", ref) not in there}, file)
    parts = [
        element
        for element in elements
        if element["type"] == "way" and (element["id"] in ways or kind_of(element["tags"]))
    ]
    nodes = {ref for element in parts for ref in element["nodes"]}
    nodes |= {member["ref"] for member in members if member["type"] == "node"}
    return elements + _by_id(path, NODE, {ref for ref in nodes if ("node", ref) not in there}, file)


#: An id beyond all those of OpenStreetMap, whose newest node has 34 bits.
_MAX_ID = 1 << 36
# Osmium's filter holds 4 MB for each 2^25 ids of which it has one, so that two ids far apart could take any memory. The
# nodes of a country lie in nearly 400 such blocks; the file is read once for each 48 of them, which take 200 MB.
_ID_BLOCK_BITS, _MAX_ID_BLOCKS = 25, 48


def _by_id(path: Path, kind: Any, ids: Iterable[int], file: str) -> list[dict[str, Any]]:
    """Return objects of one type by their ids, without their tags, as they are only parts of others."""
    wanted = sorted(number for number in ids if 0 < number < _MAX_ID)
    _require_few(wanted, file)
    blocks = [list(block) for _, block in itertools.groupby(wanted, lambda number: number >> _ID_BLOCK_BITS)]
    elements = []
    for first in range(0, len(blocks), _MAX_ID_BLOCKS):
        numbers = [number for block in blocks[first : first + _MAX_ID_BLOCKS] for number in block]
        elements += _of_numbers(path, kind, numbers)
    return elements


def _of_numbers(path: Path, kind: Any, numbers: list[int]) -> list[dict[str, Any]]:
    # In a function of its own: a filter that is still referred to would be in memory beside the next.
    processor = osmium.FileProcessor(str(path), kind).with_filter(IdFilter(numbers))
    return [{**_element(element), "tags": {}} for element in processor]


def _require_few(elements: list[Any], file: str) -> None:
    # A country has some 100,000 of them, with 20 vertices each.
    if len(elements) > 10 * MAX_ROWS:
        count = Message("files.count", {"count": len(elements)})
        raise FileRefused(file, "elements", count, Message("osm.smaller-area", {"limit": 10 * MAX_ROWS}))


def _element(entity: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"id": entity.id, "tags": {tag.k: tag.v for tag in entity.tags}}
    if entity.is_node():
        # Coordinates are checked later, so that a node off the globe is a problem of this node alone.
        position = entity.location
        return {**values, "type": "node", "lon": position.lon_without_check(), "lat": position.lat_without_check()}
    if entity.is_way():
        return {**values, "type": "way", "nodes": [node.ref for node in entity.nodes]}
    members = [{"type": _TYPES[member.type], "ref": member.ref, "role": member.role} for member in entity.members]
    return {**values, "type": "relation", "members": members}


_TYPES = {"n": "node", "w": "way", "r": "relation"}


def _day(path: Path) -> str | None:
    """Return the day of the data from the header of the file, None where it has none."""
    with osmium.io.Reader(str(path), NODE) as reader:
        stamp = str(reader.header().get("osmosis_replication_timestamp"))
    return stamp[:10] if stamp[:1].isdigit() else None


#: Properties that hold type and number of an element (Overpass Turbo, osmtogeojson, QuickOSM, osmium export).
_REFERENCE_PROPERTIES = ("@id", "full_id", "id")
#: Properties that hold only the number of an element: GDAL, osm2pgsql, QuickOSM, osmium export, osmnx.
_NUMBER_PROPERTIES = ("osm_id", "@id", "osmid", "id")
_TYPE_WORDS: Mapping[str, str] = {
    "n": "node", "w": "way", "r": "relation", "node": "node", "way": "way", "relation": "relation",
}  # fmt: skip
#: Properties in which all tags, or those without a property of their own, stand together (GDAL, osm2pgsql).
_TAG_PROPERTIES = ("all_tags", "other_tags", "tags")
_REFERENCE = re.compile(r"(node|way|relation)/([0-9]+)")
_SHORT = re.compile(r"([nwra])([0-9]+)")
# PostgreSQL's hstore: "key"=>"value", "key"=>NULL. A text that is not closed is read to its end, and once.
_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)(?:"(?:\s*=>\s*"((?:[^"\\]|\\.)*)("?))?)?')


def tags_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a feature, first those that stand together in one property. Empty tags are left out."""
    plain = {name: value for name, value in properties.items() if name not in _TAG_PROPERTIES}
    joint: dict[str, str] = {}
    for name in _TAG_PROPERTIES:
        joint |= _joint_tags(properties.get(name))
    # Where all tags stand in an object, the properties beside it are about the element: type, id, meta.
    beside = {} if isinstance(properties.get("tags"), dict) else as_text(plain)
    tags = {**joint, **{name: value for name, value in beside.items() if value}}
    if tags.get("station_name_en"):
        tags.setdefault("name:en", tags["station_name_en"])
    return tags


def _joint_tags(value: Any) -> dict[str, str]:
    """Return tags from an object, a JSON text or an hstore text."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = parse_json(value)
        except orjson.JSONDecodeError:
            return {}
    if isinstance(value, dict):
        return {name: text for name, text in as_text(value).items() if text}
    pairs = _HSTORE.findall(value) if isinstance(value, str) else []
    return {_unescaped(name): _unescaped(text) for name, text, closed in pairs if text and closed}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def reference_of(feature: Mapping[str, Any], shape: BaseGeometry | None) -> str:
    """Return the reference of a feature, such as ``way/123``; empty where the feature does not give it.

    Where only a number is given, the type follows from the geometry: a point is a node, several lines or areas are a
    relation; one line or area is taken for a way, unless GDAL's column for ways is there and empty.

    ``feature``: a GeoJSON feature with the properties of any exporter of OpenStreetMap data. ``shape``: its geometry in
    lon/lat, ``None`` where it has none.
    """
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    for value in (*(properties.get(name) for name in _REFERENCE_PROPERTIES), feature.get("id")):
        if whole := _full_reference(str(value)):
            return whole
    if number := _number(properties.get("osm_way_id")):
        return f"way/{number}"
    number = next((digits for name in _NUMBER_PROPERTIES if (digits := _number(properties.get(name)))), "")
    stated = (str(properties.get(name, "")).casefold() for name in ("osm_type", "@type", "element", "type"))
    kind = next((_TYPE_WORDS[word] for word in stated if word in _TYPE_WORDS), None)
    return f"{kind or _kind_by_shape(properties, shape)}/{number.lstrip('-')}" if number else ""


def _full_reference(text: str) -> str:
    """Return the reference of a text such as ``way/123`` or ``w123``, empty for any other text.

    Areas of osmium, ``a123``, have twice the id of their way, or twice that of their relation plus one.
    """
    if _REFERENCE.fullmatch(text):
        return text
    short = _SHORT.fullmatch(text)
    if short is None:
        return ""
    number = int(short[2])
    if short[1] == "a":
        return f"{'relation' if number % 2 else 'way'}/{number // 2}"
    return f"{_TYPE_WORDS[short[1]]}/{number}"


def _number(value: Any) -> str:
    """Return the digits of an id, which pandas may write as 12.0 and osm2pgsql as a negative number."""
    match = re.fullmatch(r"(-?[0-9]+)(?:\.0)?", str(value))
    return match[1] if match else ""


def _kind_by_shape(properties: Mapping[str, Any], shape: BaseGeometry | None) -> str:
    if shape is not None and shape.geom_type == "Point":
        return "node"
    several = shape is not None and shape.geom_type.startswith("Multi")
    negative = str(properties.get("osm_id", "")).startswith("-")
    return "relation" if several or negative or "osm_way_id" in properties else "way"


def missing_of(feature: Mapping[str, Any]) -> Message | None:
    """Return what osmtogeojson says of an incomplete geometry; None where it says nothing."""
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    return Message("osm.without-some") if properties.get("tainted") or properties.get("@tainted") else None
