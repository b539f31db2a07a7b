"""Filters made ready: names and types checked once, then asked of a whole collection at a time.

Logic has three values, as in SQL: true, false and unknown, where a value is missing. A negation is carried down to the
comparisons, so that each condition need only tell which rows surely satisfy it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import orjson

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.queryables import Queryable
from layers.query import array_operators, numeric_operators, spatial_operators, temporal_operators, text_operators
from layers.query.cql2_tree import FilterError, Tree, checked
from layers.query.operands import ARITHMETIC, COMPARISONS, FOLDS, Leaf, Scope, Sort, ToLonLat, operands, present, told

#: Which rows surely satisfy a condition, shape (n,), or one value for all.
Test: TypeAlias = Callable[[Collection], Bools | bool]
#: An operand and its JSON pointer.
Side: TypeAlias = tuple[Any, str]

_RELATIONS: Mapping[str, Callable[[Scope, Mapping[str, Any], str], Leaf]] = MappingProxyType(
    {
        **dict.fromkeys(spatial_operators.RELATIONS, spatial_operators.relation),
        **dict.fromkeys(temporal_operators.RELATIONS, temporal_operators.relation),
        **dict.fromkeys(array_operators.RELATIONS, array_operators.relation),
    }
)
#: Every function that a filter may call.
FUNCTIONS: Sequence[str] = (*(name.upper() for name in (*FOLDS, *_RELATIONS)), "BBOX", "DATE", "INTERVAL", "TIMESTAMP")
_OPERATORS = {*COMPARISONS, *ARITHMETIC, *FOLDS, *_RELATIONS, "and", "or", "not", "between", "in", "like", "isNull"}
#: What to write instead of a comparison of what has none.
_INSTEAD: Mapping[Sort, str] = MappingProxyType(
    {
        "geometry": "S_EQUALS or another spatial function to compare geometries",
        "list": "A_EQUALS or another array function to compare lists",
        "interval": "T_EQUALS or another temporal function to compare intervals",
        "condition": "a value beside a comparison, not a condition",
    }
)


@dataclass(frozen=True)
class Filter(ABC):
    """A filter that is ready; equal where it asks the same. ``key`` tells it apart, also in another process."""

    key: bytes

    @abstractmethod
    def mask(self, collection: Collection) -> Bools:
        """Which rows surely satisfy it (SQL: true, neither false nor unknown), shape (n,); read only."""


@dataclass(frozen=True)
class _Compiled(Filter):
    """A filter made from a tree."""

    test: Test = field(repr=False, compare=False)

    def mask(self, collection: Collection) -> Bools:
        return np.broadcast_to(self.test(collection), len(collection))


def compiled(tree: Tree, known: Mapping[str, Queryable], to_lonlat: ToLonLat | None = None) -> Filter:
    """Check a filter against the queryables it may name, and make it ready.

    Parameters
    ----------
    tree
        As `layers.query.cql2_text.parse` gives it, or made by hand.
    known
        The queryables; nothing else can be named.
    to_lonlat
        Brings a geometry literal of the filter to lon/lat (OGC:CRS84), two dimensions; without it they are lon/lat.
        Its errors are to be GeoError or ValueError.

    Raises
    ------
    FilterError
        If it names an unknown property or function, or compares what cannot be compared; ``pointer`` is a JSON
        pointer into the tree.
    """
    read = checked(tree)
    _require_functions(read, "")
    scope = Scope(known, to_lonlat)
    test = _condition(scope, read, "", negated=False)
    asked = orjson.dumps(read, option=orjson.OPT_SORT_KEYS)
    return _Compiled(hashlib.sha256(b"\0".join([asked, *scope.shapes])).digest(), test)


def _require_functions(node: Any, pointer: str) -> None:
    """Refuse operators that there are not."""
    if isinstance(node, list):
        for place, one in enumerate(node):
            _require_functions(one, f"{pointer}/{place}")
    elif isinstance(node, dict) and "op" in node:
        if node["op"] not in _OPERATORS:
            raise FilterError(f"a function of {', '.join(FUNCTIONS)}, not {node['op'][:80]!r}", pointer)
        _require_functions(node["args"], f"{pointer}/args")


def _condition(scope: Scope, node: Any, pointer: str, negated: bool) -> Test:
    op = node.get("op") if isinstance(node, dict) else None
    if op == "not":
        (inner,) = operands(node, 1, pointer)
        return _condition(scope, inner, f"{pointer}/args/0", not negated)
    if op in ("and", "or"):
        if not node["args"]:
            raise FilterError(f"conditions to join by {op.upper()}", pointer)
        parts = [_condition(scope, arg, f"{pointer}/args/{i}", negated) for i, arg in enumerate(node["args"])]
        return partial(_all if (op == "and") != negated else _any, parts)
    if op == "between":
        return _between(scope, node, pointer, negated)
    if op == "in":
        return _among(scope, node, pointer, negated)
    return _test(_leaf(scope, node, pointer), negated)


def _all(parts: Sequence[Test], collection: Collection) -> Bools | bool:
    found = parts[0](collection)
    for part in parts[1:]:
        if not np.any(found):
            return False
        found = found & part(collection)
    return found


def _any(parts: Sequence[Test], collection: Collection) -> Bools | bool:
    found = parts[0](collection)
    for part in parts[1:]:
        found = found | part(collection)
    return found


def _test(leaf: Leaf, negated: bool) -> Test:
    def test(collection: Collection) -> Bools | bool:
        yes, known = leaf(collection)
        if negated:
            yes = np.logical_not(yes)
        return yes if known is True else yes & known

    return test


def _leaf(scope: Scope, node: Any, pointer: str) -> Leaf:
    """A condition without conditions in it."""
    op = node.get("op") if isinstance(node, dict) else None
    if op is None:
        if scope.sort(node, pointer) != "boolean":
            raise FilterError("a condition, such as kind = 'refinery'", pointer)
        return numeric_operators.booleans(scope, node, pointer)
    if op in COMPARISONS:
        left, right = operands(node, 2, pointer)
        return _compared(scope, op, (left, f"{pointer}/args/0"), (right, f"{pointer}/args/1"))
    if op == "like":
        text, pattern = operands(node, 2, pointer)
        read = text_operators.texts(scope, text, f"{pointer}/args/0")
        at = f"{pointer}/args/1"
        return text_operators.like(read, text_operators.texts(scope, pattern, at), at)
    if op == "isNull":
        return _is_null(scope, operands(node, 1, pointer)[0], f"{pointer}/args/0")
    if op in _RELATIONS:
        return _RELATIONS[op](scope, node, pointer)
    raise FilterError(f"a condition, not {op.upper()} alone", pointer)


def _compared(scope: Scope, op: str, left: Side, right: Side) -> Leaf:
    sort = _comparable(scope, op, left, right)
    if sort == "number":
        return numeric_operators.compared(op, *(numeric_operators.numbers(scope, *side) for side in (left, right)))
    if sort == "boolean":
        return numeric_operators.compared(op, *(numeric_operators.booleans(scope, *side) for side in (left, right)))
    if sort == "text":
        return text_operators.compared(op, *(text_operators.texts(scope, *side) for side in (left, right)))
    return temporal_operators.compared(op, *(temporal_operators.instants(scope, *side) for side in (left, right)))


def _comparable(scope: Scope, op: str, left: Side, right: Side) -> Sort:
    """The sort of both sides of a comparison.

    Raises
    ------
    FilterError
        If they are of two sorts, or of one that has no such comparison.
    """
    sorts = scope.sort(*left), scope.sort(*right)
    for sort, side in zip(sorts, (left, right), strict=True):
        if sort in _INSTEAD:
            raise FilterError(_INSTEAD[sort], side[1])
    if sorts[0] != sorts[1]:
        hint = "; days are written DATE('2025-08-08')" if set(sorts) == {"text", "instant"} else ""
        got = f"{told(left[0], sorts[0])} and {told(right[0], sorts[1])}"
        raise FilterError(f"two values of one kind beside {op}, not {got}{hint}", right[1])
    return sorts[0]


def _between(scope: Scope, node: Mapping[str, Any], pointer: str, negated: bool) -> Test:
    value, low, high = operands(node, 3, pointer)
    asked = value, f"{pointer}/args/0"
    leaves = [
        _compared(scope, ">=", asked, (low, f"{pointer}/args/1")),
        _compared(scope, "<=", asked, (high, f"{pointer}/args/2")),
    ]
    return partial(_any if negated else _all, [_test(leaf, negated) for leaf in leaves])


def _among(scope: Scope, node: Mapping[str, Any], pointer: str, negated: bool) -> Test:
    value, listed = operands(node, 2, pointer)
    if not isinstance(listed, list) or not listed:
        raise FilterError("one or more values in parentheses", f"{pointer}/args/1")
    asked = value, f"{pointer}/args/0"
    sides = [(one, f"{pointer}/args/1/{place}") for place, one in enumerate(listed)]
    (sort,) = {_comparable(scope, "=", asked, side) for side in sides}
    if leaf := _among_literals(scope, sort, asked, sides):
        return _test(leaf, negated)
    tests = [_test(_compared(scope, "=", asked, side), negated) for side in sides]
    return partial(_all if negated else _any, tests)


def _among_literals(scope: Scope, sort: Sort, value: Side, sides: Sequence[Side]) -> Leaf | None:
    """Whether a value is one of a list of literals; ``None`` where the list has others."""
    if sort == "text":
        texts = [text_operators.texts(scope, *side) for side in sides]
        if any(text.name is not None for text in texts):
            return None
        return text_operators.among(text_operators.texts(scope, *value), [text.literal for text in texts])
    if sort == "instant":
        instants = [temporal_operators.instants(scope, *side) for side in sides]
        return temporal_operators.among(temporal_operators.instants(scope, *value), instants)
    if any(isinstance(one, dict) for one, _ in sides):
        return None
    of = numeric_operators.numbers if sort == "number" else numeric_operators.booleans
    return numeric_operators.among(of(scope, *value), [one for one, _ in sides])


def _is_null(scope: Scope, node: Any, pointer: str) -> Leaf:
    """Whether a property or an expression has no value."""
    sort = scope.sort(node, pointer)
    if isinstance(node, dict) and "property" in node:
        name = node["property"]
        return lambda collection: (np.logical_not(present(collection, name)), True)
    if sort == "number":
        of = numeric_operators.numbers(scope, node, pointer)
        return lambda collection: (np.logical_not(of(collection)[1]), True)
    if sort == "text":
        text = text_operators.texts(scope, node, pointer)
        return lambda collection: (np.logical_not(text.known(collection)), True)
    raise FilterError(f"a property, a number or a text before IS NULL, not {told(node, sort)}", pointer)
