"""Elements of OpenStreetMap as Overpass gives them (JSON), and their geometry in lon/lat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

#: A node, way or relation.
Element = Mapping[str, Any]
Position = tuple[float, float]

#: Roles of nodes in a relation that are no part of it: where its name stands, where one goes in.
_ASIDE = ("label", "entrance", "admin_centre")


@dataclass(frozen=True, slots=True)
class Outline:
    """The geometry of an element, None where its file holds no coordinates of it.

    ``missing`` says which parts of it are not there, as in ``1 of 4 nodes``; empty where it is whole.
    """

    geometry: BaseGeometry | None
    missing: str = ""


@dataclass(frozen=True)
class Elements:
    """All elements of a file, those that others refer to by type and id."""

    every: list[Any]
    nodes: Mapping[int, Position] = field(default_factory=dict)
    ways: Mapping[int, Element] = field(default_factory=dict)

    @classmethod
    def of(cls, every: list[Any]) -> Elements:
        """Index nodes, and ways with vertices."""
        objects = [one for one in every if isinstance(one, dict)]
        nodes = {one["id"]: (one["lon"], one["lat"]) for one in objects if _is_node(one)}
        ways = {one["id"]: one for one in objects if one.get("type") == "way" and _has_vertices(one)}
        return cls(every, nodes, ways)

    def tagged(self) -> Iterator[tuple[int, Any]]:
        """Position, from 1, and element of all that have tags; what is no element is given too."""
        for number, one in enumerate(self.every, 1):
            if not isinstance(one, dict) or one.get("tags"):
                yield number, one

    def outline(self, element: Element, is_line: bool) -> Outline:
        """The geometry of an element: a closed way is an area unless it is a line by nature.

        Where vertices are missing a line has a gap, and a ring is no area. Of an element that has only a middle
        (Overpass ``out center``) that point is given.

        Raises
        ------
        TypeError, ValueError
            If coordinates are no numbers.
        """
        kind = element.get("type")
        if kind == "node":
            found = self.nodes.get(element.get("id", 0))
            return Outline(shapely.Point(found) if found else None)
        if kind == "way" and not _has_vertices(element):
            # Overpass gives tags first and vertices later where it is asked so (out tags; out skel).
            element = {**element, **self.ways.get(element.get("id", 0), {})}
        outline = _way(self._vertices(element), is_line) if kind == "way" else self._relation(element, is_line)
        return outline if outline.geometry is not None else Outline(_middle(element))

    def _vertices(self, way: Element) -> list[Position | None]:
        """Vertices of a way, None for each that the file leaves out (null in Overpass, outside an extract)."""
        if isinstance(way.get("geometry"), list):
            return [_position(point) for point in way["geometry"]]
        refs = way.get("nodes")
        return [self.nodes.get(ref) for ref in refs] if isinstance(refs, list) else []

    def _relation(self, relation: Element, is_line: bool) -> Outline:
        """The areas that its ways enclose, or else the ways; with the nodes of a site, such as turbines."""
        members = relation.get("members")
        members = [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []
        of_lines = [one for one in members if one.get("type") != "node"]
        is_site = not is_line and (not of_lines or relation.get("tags", {}).get("type") == "site")
        of_points = [one for one in members if one.get("type") == "node" and one.get("role") not in _ASIDE]
        points = [self._point(one) for one in of_points] if is_site else []
        ways = [(str(one.get("role", "")), self._vertices(self._way_of(one))) for one in of_lines]
        missing = points.count(None) + sum(not vertices or None in vertices for _, vertices in ways)
        lines = [(role, line) for role, vertices in ways for line in _lines(vertices)]
        shapes = [_shape_of(lines, is_line), _points([point for point in points if point is not None])]
        there = [shape for shape in shapes if shape is not None]
        shape = shapely.union_all(there) if len(there) > 1 else next(iter(there), None)
        return Outline(shape, _missing(missing, len(points) + len(ways), "members"))

    def _way_of(self, member: Element) -> Element:
        if member.get("type") != "way":
            return {}
        return member if "geometry" in member else self.ways.get(member.get("ref", 0), {})

    def _point(self, member: Element) -> Position | None:
        return _position(member) or self.nodes.get(member.get("ref", 0))


def _is_node(one: Mapping[str, Any]) -> bool:
    return one.get("type") == "node" and all(isinstance(one.get(name), int | float) for name in ("id", "lon", "lat"))


def _has_vertices(one: Element) -> bool:
    return isinstance(one.get("id"), int) and ("nodes" in one or "geometry" in one)


def _position(point: Any) -> Position | None:
    return (point["lon"], point["lat"]) if isinstance(point, dict) and {"lon", "lat"} <= point.keys() else None


def _missing(count: int, of: int, what: str) -> str:
    return f"{count} of {of} {what}" if count else ""


def _way(vertices: Sequence[Position | None], is_line: bool) -> Outline:
    there = [vertex for vertex in vertices if vertex is not None]
    if len(there) < len(vertices):
        lines = _lines(vertices)
        shape = shapely.MultiLineString(lines) if len(lines) > 1 else lines[0] if lines else _points(there)
        return Outline(shape, _missing(len(vertices) - len(there), len(vertices), "nodes"))
    if len(there) > 3 and there[0] == there[-1] and not is_line:
        return Outline(shapely.Polygon(there))
    return Outline(shapely.LineString(there) if len(there) > 1 else _points(there))


def _lines(vertices: Sequence[Position | None]) -> list[shapely.LineString]:
    """The stretches of a way whose vertices follow each other."""
    runs: list[list[Position]] = [[]]
    for vertex in vertices:
        if vertex is None:
            runs.append([])
        else:
            runs[-1].append(vertex)
    return [shapely.LineString(run) for run in runs if len(run) > 1]


def _shape_of(lines: list[tuple[str, shapely.LineString]], is_line: bool) -> BaseGeometry | None:
    """The areas that the members of a relation, by role, enclose; where they enclose none, their lines."""
    areas = None if is_line else _areas(lines)
    if areas is None and lines:
        return shapely.line_merge(shapely.MultiLineString([line for _, line in lines]))
    return areas


def _points(there: Sequence[Position]) -> BaseGeometry | None:
    if not there:
        return None
    return shapely.Point(there[0]) if len(there) == 1 else shapely.MultiPoint(list(there))


def _areas(lines: list[tuple[str, shapely.LineString]]) -> BaseGeometry | None:
    """The area that outer rings enclose, less the inner ones, with the outer ones in those as islands.

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


def _middle(element: Element) -> BaseGeometry | None:
    found = _position(element.get("center"))
    return shapely.Point(found) if found else None
