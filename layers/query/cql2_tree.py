"""Filters as plain JSON trees (CQL2 JSON, OGC 21-065r2): their form and their limits. Knows no properties."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from layers.model.messages import InvalidValue, Message

#: A filter as CQL2 JSON: ``{"op": ..., "args": [...]}``, ``{"property": ...}`` or a boolean.
Tree: TypeAlias = dict[str, Any] | bool

#: Limits: nesting, operators and properties, values of a list, vertices of all geometries.
MAX_DEPTH = 40
MAX_NODES = 500
MAX_VALUES = 1_000
MAX_VERTICES = 10_000
#: Largest number; up to it every whole number is a double of its own.
MAX_NUMBER = 2.0**53
#: Longest name of an operator or property, characters.
MAX_NAME = 200

#: Nesting of positions in the coordinates of each geometry type (RFC 7946, 3.1).
POSITIONS: Mapping[str, int] = MappingProxyType(
    {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPoint": 1, "MultiLineString": 2, "MultiPolygon": 3}
)


class FilterError(InvalidValue):
    """A filter that cannot be read or checked: ``expected`` says what would be right.

    ``pointer`` says where it is wrong, as a JSON pointer (RFC 6901), and ``character`` where a text is, counted from 1;
    both are empty where the filter as a whole is.
    """

    def __init__(self, expected: Message, pointer: str = "", character: int | None = None) -> None:
        super().__init__(expected)
        self.pointer = pointer
        self.character = character

    def __str__(self) -> str:
        at = self.pointer if self.character is None else f"character {self.character}"
        return f"filter: expected {self.expected}" + (f", at {at}" if at else "")


def normalized(tree: object) -> Tree:
    """A copy of a tree in one form: operators in lower case but ``isNull``, numbers as doubles, no unknown members.

    Raises FilterError if it is no filter by its form, or too large; ``pointer`` is a JSON pointer (RFC 6901).
    """
    condition = _Check().value(tree, "", 0)
    if not isinstance(condition, bool | dict):
        raise FilterError(Message("filter.condition"))
    return condition


def number(value: object, pointer: str) -> float:
    """A number as a double, finite and within bounds.

    Raises FilterError if it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise FilterError(Message("filter.number-in-range"), pointer)
    return float(value)


def text(value: object, pointer: str) -> str:
    """A text that can be encoded in UTF-8 and has no NUL.

    Raises FilterError if it is something else.
    """
    if not isinstance(value, str):
        raise FilterError(Message("cell.text"), pointer)
    if not is_plain(value):
        raise FilterError(Message("filter.plain-text"), pointer)
    return value


def is_plain(value: str) -> bool:
    """Whether a text can be encoded in UTF-8 and has no NUL."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


class _Check:
    """A walk through a tree that checks its form and counts its parts."""

    def __init__(self) -> None:
        self._nodes = 0
        self._vertices = 0

    def value(self, value: object, pointer: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise FilterError(Message("filter.depth", {"limit": MAX_DEPTH}), pointer)
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return text(value, pointer)
        if isinstance(value, int | float):
            return number(value, pointer)
        if isinstance(value, Mapping):
            return self._object(value, pointer, depth)
        if value is None:
            raise FilterError(Message("filter.no-null"), pointer)
        raise FilterError(Message("filter.value"), pointer)

    def _object(self, node: Mapping[Any, object], pointer: str, depth: int) -> dict[str, Any]:
        if "op" in node:
            return self._call(node, pointer, depth)
        if "type" in node:
            return self._geometry(node, pointer, nested=False)
        if len(node) == 1:
            ((name, value),) = node.items()
            if name == "property":
                return self._property(value, pointer)
            if name in ("date", "timestamp"):
                return {name: text(value, f"{pointer}/{name}")}
            if name == "interval":
                return {"interval": self._ends(value, f"{pointer}/interval")}
            if name == "bbox":
                return {"bbox": _bbox(value, f"{pointer}/bbox")}
        raise FilterError(Message("filter.object"), pointer)

    def _property(self, name: object, pointer: str) -> dict[str, Any]:
        self._count(pointer)
        return {"property": _name(name, f"{pointer}/property")}

    def _call(self, node: Mapping[Any, object], pointer: str, depth: int) -> dict[str, Any]:
        op = _name(node["op"], f"{pointer}/op").lower()
        args = node.get("args", [])
        if not isinstance(args, list) or not set(node) <= {"op", "args"}:
            raise FilterError(Message("filter.operator"), pointer)
        self._count(pointer)
        if len(args) > MAX_NODES:
            raise FilterError(Message("filter.at-most-operands", {"limit": MAX_NODES}), pointer)
        operands = [self._operand(arg, f"{pointer}/args/{index}", depth + 1) for index, arg in enumerate(args)]
        return {"op": "isNull" if op == "isnull" else op, "args": operands}

    def _operand(self, arg: object, pointer: str, depth: int) -> Any:
        if not isinstance(arg, list):
            return self.value(arg, pointer, depth)
        if len(arg) > MAX_VALUES:
            raise FilterError(Message("filter.at-most-values", {"limit": MAX_VALUES}), pointer)
        return [self.value(item, f"{pointer}/{index}", depth + 1) for index, item in enumerate(arg)]

    def _ends(self, value: object, pointer: str) -> list[Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise FilterError(Message("filter.two-ends"), pointer)
        return [self._end(end, f"{pointer}/{index}") for index, end in enumerate(value)]

    def _end(self, end: object, pointer: str) -> str | dict[str, Any]:
        if isinstance(end, str):
            return text(end, pointer)
        if isinstance(end, Mapping) and len(end) == 1:
            ((name, value),) = end.items()
            if name == "property":
                return self._property(value, pointer)
            if name in ("date", "timestamp"):
                return text(value, f"{pointer}/{name}")
        raise FilterError(Message("filter.interval-end"), pointer)

    def _geometry(self, node: Mapping[Any, object], pointer: str, nested: bool) -> dict[str, Any]:
        kind = node["type"]
        if kind == "GeometryCollection" and not nested:
            parts = node.get("geometries")
            if not isinstance(parts, list) or not parts or not all(isinstance(part, Mapping) for part in parts):
                raise FilterError(Message("filter.geometries"), pointer)
            parts_ = [
                self._geometry({"type": None, **part}, f"{pointer}/geometries/{index}", nested=True)
                for index, part in enumerate(parts)
            ]
            return {"type": kind, "geometries": parts_}
        if not isinstance(kind, str) or kind not in POSITIONS:
            raise FilterError(Message("filter.geometry-type", {"names": tuple(POSITIONS)}), pointer)
        coordinates = node.get("coordinates")
        return {"type": kind, "coordinates": self._positions(coordinates, POSITIONS[kind], f"{pointer}/coordinates")}

    def _positions(self, value: object, depth: int, pointer: str) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise FilterError(Message("filter.coordinates"), pointer)
        if depth:
            return [self._positions(part, depth - 1, f"{pointer}/{index}") for index, part in enumerate(value)]
        self._vertices += 1
        if self._vertices > MAX_VERTICES:
            raise FilterError(Message("filter.at-most-vertices", {"limit": MAX_VERTICES}), pointer)
        if not 2 <= len(value) <= 3:
            raise FilterError(Message("filter.position"), pointer)
        return [number(part, f"{pointer}/{index}") for index, part in enumerate(value)]

    def _count(self, pointer: str) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise FilterError(Message("filter.at-most-nodes", {"limit": MAX_NODES}), pointer)


def _name(value: object, pointer: str) -> str:
    name = text(value, pointer)
    if not 0 < len(name) <= MAX_NAME:
        raise FilterError(Message("filter.name", {"limit": MAX_NAME}), pointer)
    return name


def _bbox(value: object, pointer: str) -> list[float]:
    if not isinstance(value, list) or len(value) not in (4, 6):
        raise FilterError(Message("filter.box"), pointer)
    return [number(edge, f"{pointer}/{index}") for index, edge in enumerate(value)]
