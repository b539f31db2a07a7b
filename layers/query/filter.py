"""Filters: a tree is brought to one form, checked against the queryables, and evaluated over a whole collection.

Three passes: `layers.query.cql2_text` and `layers.query.cql2_tree` give the tree, `compile_filter` checks it to
conditions over typed operands without looking at any collection, `evaluate` gives the rows. What an operator takes and
does stands in the module of its family (`layers.query.text_operators` and its siblings).

Logic has three values, as in SQL: true, false and unknown, where a value is missing. A negation is carried down to the
predicates, so that each condition need only give the rows that surely satisfy it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

import numpy as np
import orjson

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.queryables import Kind, Queryable
from layers.model.messages import Argument, Message
from layers.query import numeric_operators, spatial_operators, temporal_operators, text_operators
from layers.query.checked_tree import COMPARISONS, And, Condition, Not, Operator, Or, Predicate, Sort, Truth, present
from layers.query.cql2_tree import FilterError, Tree, normalized
from layers.query.spatial_operators import GeometryLiteral, ToLonLat

#: An operand as it stands in the tree, and its JSON pointer (RFC 6901).
Node: TypeAlias = tuple[Any, str]

_FAMILIES = (text_operators, spatial_operators, temporal_operators, numeric_operators)


def _by_name() -> Mapping[str, Mapping[Sort, Operator]]:
    """Every operator by its name and the sorts of its first operand."""
    table: dict[str, dict[Sort, Operator]] = {}
    for family in _FAMILIES:
        for operator in family.OPERATORS:
            table.setdefault(operator.name, {}).update(dict.fromkeys(operator.operands[0], operator))
    return MappingProxyType(table)


#: Operators of the families; those of conditions, ``between`` and ``in`` are read by the checker itself.
OPERATORS = _by_name()
#: Functions that a filter may call, in capitals.
FUNCTIONS: Sequence[str] = (
    *map(str.upper, text_operators.FOLDS),
    *map(str.upper, spatial_operators.RELATIONS),
    *map(str.upper, temporal_operators.RELATIONS),
    *map(str.upper, text_operators.RELATIONS),
    *("BBOX", "DATE", "INTERVAL", "TIMESTAMP"),
)
_KNOWN_OPERATORS = {*OPERATORS, "and", "or", "not", "between", "in"}

_SORTS: Mapping[Kind, Sort] = MappingProxyType(
    {
        "text": "text",
        "integer": "number",
        "number": "number",
        "boolean": "boolean",
        "date": "instant",
        "timestamp": "instant",
        "list": "list",
        "geometry": "geometry",
    }
)
#: The checked operand of a property, by its sort.
_COLUMNS: Mapping[Sort, Callable[[str], object]] = MappingProxyType(
    {
        "text": text_operators.TextOperand,
        "number": numeric_operators.scalar_column,
        "boolean": numeric_operators.scalar_column,
        "instant": temporal_operators.Instant,
        "list": text_operators.ListColumn,
        "geometry": spatial_operators.GeometryColumn,
    }
)
#: Sorts whose operands are not compared by the signs; the catalogue says what to write instead.
_INCOMPARABLE: frozenset[Sort] = frozenset({"geometry", "list", "interval", "condition"})


def _is_missing(collection: Collection, name: str) -> Truth:
    return np.logical_not(present(collection, name)), True


#: IS NULL of a property of any sort; its operand is the name.
_PROPERTY_IS_NULL = Operator("isNull", (tuple(_COLUMNS),), _is_missing)


def _require_known_operators(node: Any, pointer: str) -> None:
    if isinstance(node, list):
        for index, item in enumerate(node):
            _require_known_operators(item, f"{pointer}/{index}")
    elif isinstance(node, dict) and "op" in node:
        if node["op"] not in _KNOWN_OPERATORS:
            functions, found = tuple(FUNCTIONS), node["op"][:80]
            raise FilterError(Message("filter.function", {"names": functions, "found": found}), pointer)
        _require_known_operators(node["args"], f"{pointer}/args")


@dataclass(frozen=True, slots=True)
class _Checker:
    """One method a rule; each takes a node of the tree and its JSON pointer, and gives the checked node."""

    known: Mapping[str, Queryable]
    to_lonlat: ToLonLat | None

    def condition(self, node: Any, pointer: str) -> Condition:
        """A condition, with whatever conditions are in it."""
        op = node.get("op") if isinstance(node, dict) else None
        if op == "not":
            (inner,) = _operands(node, 1, pointer)
            return Not(self.condition(*inner))
        if op in ("and", "or"):
            if not node["args"]:
                raise FilterError(Message("filter.conditions-to-join", {"operator": op.upper()}), pointer)
            parts = tuple(self.condition(*inner) for inner in _operands(node, len(node["args"]), pointer))
            return And(parts) if op == "and" else Or(parts)
        if op == "between":
            value, low, high = _operands(node, 3, pointer)
            return And((self._comparison(">=", value, low), self._comparison("<=", value, high)))
        if op == "in":
            return self._membership(node, pointer)
        return self._predicate(op, node, pointer)

    def _predicate(self, op: str | None, node: Any, pointer: str) -> Predicate:
        """A condition without conditions in it."""
        if op is None:
            if self._sort(node, pointer) != "boolean":
                raise FilterError(Message("filter.condition"), pointer)
            return Predicate(numeric_operators.IS_TRUE, (self._operand((node, pointer), ("boolean",)),))
        if op in COMPARISONS:
            left, right = _operands(node, 2, pointer)
            return self._comparison(op, left, right)
        if op == "isNull":
            return self._null(*_operands(node, 1, pointer))
        operator = next(iter(OPERATORS[op].values()))
        if operator.result != "condition":
            raise FilterError(Message("filter.condition-not-alone", {"operator": op.upper()}), pointer)
        return Predicate(operator, self._applied(operator, node, pointer))

    def _comparison(self, op: str, left: Node, right: Node) -> Predicate:
        sort = self._comparable(op, left, right)
        operands = self._operand(left, (sort,)), self._operand(right, (sort,))
        return Predicate(OPERATORS[op][sort], operands)

    def _comparable(self, op: str, left: Node, right: Node) -> Sort:
        """The sort of both sides of a comparison; refuses two sorts, and a sort that has no comparisons."""
        sorts = self._sort(*left), self._sort(*right)
        for sort, (_, pointer) in zip(sorts, (left, right), strict=True):
            if sort in _INCOMPARABLE:
                raise FilterError(Message(f"filter.instead.{sort}"), pointer)
        if sorts[0] != sorts[1]:
            has_day = set(sorts) == {"text", "instant"}
            words: dict[str, Argument] = {
                "operator": op,
                "left": _described(left[0], sorts[0]),
                "right": _described(right[0], sorts[1]),
            }
            raise FilterError(Message("filter.one-kind-of-days" if has_day else "filter.one-kind", words), right[1])
        return sorts[0]

    def _membership(self, node: Mapping[str, Any], pointer: str) -> Condition:
        """IN: a comparison with each value."""
        value, (listed, at) = _operands(node, 2, pointer)
        if not isinstance(listed, list) or not listed:
            raise FilterError(Message("filter.values-in-parentheses"), at)
        return Or(tuple(self._comparison("=", value, (item, f"{at}/{index}")) for index, item in enumerate(listed)))

    def _null(self, node: Node) -> Predicate:
        """IS NULL of a property of any sort, or of an expression of a sort that can be unknown."""
        sort = self._sort(*node)
        if isinstance(node[0], dict) and "property" in node[0]:
            return Predicate(_PROPERTY_IS_NULL, (node[0]["property"],))
        if sort not in OPERATORS["isNull"]:
            raise FilterError(Message("filter.before-is-null", {"found": _described(node[0], sort)}), node[1])
        return Predicate(OPERATORS["isNull"][sort], (self._operand(node, (sort,)),))

    def _applied(self, operator: Operator, node: Mapping[str, Any], pointer: str) -> tuple[Any, ...]:
        """The checked operands of an operator."""
        operands = _operands(node, len(operator.operands), pointer)
        return tuple(self._operand(*both) for both in zip(operands, operator.operands, strict=True))

    def _operand(self, node: Node, accepted: tuple[Sort, ...]) -> Any:
        """An operand that has one of the accepted sorts."""
        if accepted == ("pattern",):
            return text_operators.read_pattern(self._operand(node, ("text",)), node[1])
        value, pointer = node
        sort = self._sort(value, pointer)
        if sort not in accepted:
            expected, found = Message(f"filter.example.{accepted[0]}"), _described(value, sort)
            raise FilterError(Message("filter.other-sort", {"expected": expected, "found": found}), pointer)
        if not isinstance(value, dict):
            return _literal(value, sort, pointer)
        if "property" in value:
            return _COLUMNS[sort](value["property"])
        if "op" in value:
            (operator,) = OPERATORS[value["op"]].values()
            return operator.apply(*self._applied(operator, value, pointer))
        if sort == "instant":
            return temporal_operators.read_instant(value, pointer)
        if sort == "interval":
            return self._interval(value["interval"], f"{pointer}/interval", pointer)
        return spatial_operators.read_geometry(value, self.to_lonlat, pointer)

    def _interval(self, ends: Sequence[Any], at: str, pointer: str) -> temporal_operators.IntervalOperand:
        start, end = (
            self._operand((end, f"{at}/{index}"), ("instant",))
            if isinstance(end, dict)
            else temporal_operators.read_end(end, f"{at}/{index}", is_start=index == 0)
            for index, end in enumerate(ends)
        )
        return temporal_operators.interval(start, end, pointer)

    def _sort(self, node: Any, pointer: str) -> Sort:
        """The sort of an operand; refuses a property that is not known."""
        if not isinstance(node, dict):
            if isinstance(node, bool):
                return "boolean"
            return "list" if isinstance(node, list) else "text" if isinstance(node, str) else "number"
        if "property" in node:
            return _SORTS[self._queryable(node["property"], pointer).kind]
        if "date" in node or "timestamp" in node:
            return "instant"
        if "interval" in node:
            return "interval"
        if "op" not in node:
            return "geometry"
        overloads = OPERATORS.get(node["op"])
        return next(iter(overloads.values())).result if overloads else "condition"

    def _queryable(self, name: str, pointer: str) -> Queryable:
        if name not in self.known:
            known, found = tuple(self.known), name[:80]
            raise FilterError(Message("filter.property", {"names": known, "found": found}), pointer)
        return self.known[name]


def _literal(value: Any, sort: Sort, pointer: str) -> object:
    """A literal that is no JSON object."""
    if sort == "text":
        return text_operators.TextOperand(None, literal=value)
    return text_operators.read_list(value, pointer) if sort == "list" else numeric_operators.scalar_literal(value)


def _operands(node: Mapping[str, Any], count: int, pointer: str) -> list[Node]:
    """The operands of an operator, which must be so many, with their JSON pointers."""
    args: list[Any] = node["args"]
    if len(args) != count:
        words = {"n": count, "operator": node["op"].upper(), "found": len(args)}
        raise FilterError(Message("filter.operands", words), pointer)
    return [(arg, f"{pointer}/args/{index}") for index, arg in enumerate(args)]


def _described(node: Any, sort: Sort) -> Message:
    """An operand in words: the property and its sort, or the sort alone."""
    if isinstance(node, dict) and "property" in node:
        return Message("filter.property-of-sort", {"name": node["property"], "sort": sort})
    return Message(f"filter.sort.{sort}")


__all__ = ["FUNCTIONS", "Filter", "compile_filter", "evaluate"]


@dataclass(frozen=True)
class Filter(ABC):
    """A compiled filter.

    ``key``: bytes that are equal, also in another process, where filters select by the same conditions.
    """

    key: bytes
    #: Whether it marks each row by its own values alone, so that the marks of a row hold wherever it comes.
    is_by_row: ClassVar[bool] = True

    @abstractmethod
    def mask(self, collection: Collection) -> Bools:
        """Mark the rows that surely satisfy the filter (SQL: true, neither false nor unknown).

        Gives shape (n,), read only.
        """


@dataclass(frozen=True)
class CheckedFilter(Filter):
    """A filter of checked conditions."""

    condition: Condition = field(repr=False, compare=False)

    def mask(self, collection: Collection) -> Bools:
        return np.broadcast_to(evaluate(self.condition, collection), len(collection))


def compile_filter(tree: Tree, known: Mapping[str, Queryable], to_lonlat: ToLonLat | None = None) -> Filter:
    """Check a filter against the queryables it may name; the result can be evaluated over any collection of its class.

    Raises FilterError if it names an unknown property or function, or compares what cannot be compared; ``pointer`` is
    a JSON pointer into the tree.

    Parameters
    ----------
    tree
        As `layers.query.cql2_text.parse` gives it, or built by hand (CQL2 JSON, OGC 21-065r2).
    known
        The queryables; nothing else can be named.
    to_lonlat
        Brings a geometry literal of the filter to lon/lat (OGC:CRS84), two dimensions; without it they are lon/lat.
        Its errors are to be GeoError or ValueError.
    """
    tree = normalized(tree)
    _require_known_operators(tree, "")
    condition = _Checker(known, to_lonlat).condition(tree, "")
    return CheckedFilter(_key(tree, condition), condition)


def evaluate(condition: Condition, collection: Collection, negated: bool = False) -> Bools | bool:
    """Mark the rows that surely satisfy a condition (SQL: true, neither false nor unknown).

    Gives shape (n,), or one value for all rows. Conditions after those of an AND that no row satisfies are not
    evaluated.

    Parameters
    ----------
    condition
        A checked condition.
    collection
        A collection that has the queryables which the condition was checked against; it may be empty.
    negated
        Whether the rows that surely satisfy its negation are marked instead.
    """
    if isinstance(condition, Not):
        return evaluate(condition.condition, collection, not negated)
    if isinstance(condition, Predicate):
        yes, known = condition.truth(collection)
        if negated:
            yes = np.logical_not(yes)
        return yes if known is True else yes & known
    conjunction = isinstance(condition, And) != negated
    first, *rest = condition.conditions
    result = evaluate(first, collection, negated)
    for part in rest:
        if conjunction and not np.any(result):
            return False
        rows = evaluate(part, collection, negated)
        result = result & rows if conjunction else result | rows
    return result


def _key(tree: Tree, condition: Condition) -> bytes:
    """A digest of the tree and of its geometries in lon/lat, which depend on their reference system too."""
    shapes = (shape.shape.wkb for shape in _geometries(condition))
    return hashlib.sha256(b"\0".join([orjson.dumps(tree, option=orjson.OPT_SORT_KEYS), *shapes])).digest()


def _geometries(condition: Condition) -> Iterator[GeometryLiteral]:
    if isinstance(condition, Predicate):
        yield from (operand for operand in condition.operands if isinstance(operand, GeometryLiteral))
    elif isinstance(condition, Not):
        yield from _geometries(condition.condition)
    else:
        for part in condition.conditions:
            yield from _geometries(part)
