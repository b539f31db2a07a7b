"""What stands in a filter: the sort of each operand, checked against the queryables."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NoReturn, TypeAlias

from shapely.geometry.base import BaseGeometry

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.queryables import Kind, Queryable
from layers.query.cql2_tree import FilterError

#: What an operand is. ``instant`` is a day or a time, ``condition`` what is true, false or unknown.
Sort = Literal["text", "number", "boolean", "instant", "interval", "list", "geometry", "condition"]
#: Whether it is so, and whether that is known; arrays of shape (n,), or one value for all rows.
Truth: TypeAlias = tuple[Bools | bool, Bools | bool]
Leaf: TypeAlias = Callable[[Collection], Truth]
ToLonLat: TypeAlias = Callable[[BaseGeometry], BaseGeometry]

_SORTS: Mapping[Kind, Sort] = MappingProxyType(
    {
        "text": "text",
        "integer": "number",
        "number": "number",
        "boolean": "boolean",
        "date": "instant",
        "list": "list",
        "geometry": "geometry",
    }
)
_TOLD: Mapping[Sort, str] = MappingProxyType(
    {
        "text": "a text such as 'refinery'",
        "number": "a number",
        "boolean": "true or false",
        "instant": "a day such as DATE('2025-08-08')",
        "interval": "an interval such as INTERVAL('2025-08-01', '..')",
        "list": "a list such as ('UA', 'RU')",
        "geometry": "a geometry such as POINT(30.7 46.5)",
        "condition": "a condition",
    }
)

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "=": operator.eq,
        "<>": operator.ne,
        "<": operator.lt,
        ">": operator.gt,
        "<=": operator.le,
        ">=": operator.ge,
    }
)
#: The comparison with its sides exchanged.
MIRRORED: Mapping[str, str] = MappingProxyType({"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="})
ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
FOLDS = ("casei", "accenti")


@dataclass(frozen=True)
class Scope:
    """What a filter may name, and how its geometries come to lon/lat; ``shapes`` gathers these as WKB."""

    known: Mapping[str, Queryable]
    to_lonlat: ToLonLat | None = None
    shapes: list[bytes] = field(default_factory=list)

    def queryable(self, name: str, pointer: str) -> Queryable:
        """The queryable of that name.

        Raises
        ------
        FilterError
            If there is none; it names all.
        """
        if name not in self.known:
            raise FilterError(f"a property of {', '.join(self.known)}, not {name[:80]!r}", pointer)
        return self.known[name]

    def sort(self, node: Any, pointer: str) -> Sort:
        """What an operand is.

        Raises
        ------
        FilterError
            If it names what is not known.
        """
        if isinstance(node, dict):
            return self._sort_of(node, pointer)
        if isinstance(node, bool):
            return "boolean"
        return "list" if isinstance(node, list) else "text" if isinstance(node, str) else "number"

    def _sort_of(self, node: Mapping[str, Any], pointer: str) -> Sort:
        if "property" in node:
            return _SORTS[self.queryable(node["property"], pointer).kind]
        if "date" in node or "timestamp" in node:
            return "instant"
        if "interval" in node:
            return "interval"
        if "op" not in node:
            return "geometry"
        if node["op"] in FOLDS:
            return "text"
        return "number" if node["op"] in ARITHMETIC else "condition"


def refuse(scope: Scope, node: Any, wanted: Sort, pointer: str) -> NoReturn:
    """Say that an operand is not of the sort that is wanted.

    Raises
    ------
    FilterError
        Always.
    """
    raise FilterError(f"{_TOLD[wanted]}, not {told(node, scope.sort(node, pointer))}", pointer)


def told(node: Any, sort: Sort) -> str:
    """An operand in words: the property and its sort, or the sort alone."""
    if isinstance(node, dict) and "property" in node:
        return f"{node['property']} ({sort})"
    return f"an {sort}" if sort[0] == "i" else f"a {sort}"


def operands(node: Mapping[str, Any], count: int, pointer: str) -> list[Any]:
    """The operands of an operator.

    Raises
    ------
    FilterError
        If there are not ``count``.
    """
    args: list[Any] = node["args"]
    if len(args) != count:
        raise FilterError(f"{count} operand{'s' * (count > 1)} of {node['op'].upper()}, not {len(args)}", pointer)
    return args


def present(collection: Collection, name: str) -> Bools | bool:
    """Which rows have a value; one true where all have."""
    values = collection.values(name)
    return True if values.complete else values.present
