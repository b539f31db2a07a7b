"""Numbers and booleans of a filter: columns, literals, arithmetic in doubles, comparisons."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.query.operands import COMPARISONS, Leaf, Scope, Truth, operands, present, refuse

#: Values, and which are known; arrays of shape (n,), or one value for all rows.
Known: TypeAlias = tuple[Any, Bools | bool]
Numbers: TypeAlias = Callable[[Collection], Known]


#: So many values are quicker compared one by one.
_FEW = 16


def _div(a: Any, b: Any) -> Any:
    """Whole times that b goes into a, towards zero; by way of the remainder, which is exact."""
    return np.rint((a - np.fmod(a, b)) / b)


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "%": np.fmod,
        "div": _div,
        "^": np.power,
    }
)


def numbers(scope: Scope, node: Any, pointer: str) -> Numbers:
    """A number of each row: a column, a literal or arithmetic, whose result is unknown where it is no finite number.

    Raises
    ------
    FilterError
        If it is something else.
    """
    if scope.sort(node, pointer) != "number":
        refuse(scope, node, "number", pointer)
    if not isinstance(node, dict):
        return lambda collection: (node, True)
    if "property" in node:
        return _column(node["property"])
    left, right = operands(node, 2, pointer)
    a, b = numbers(scope, left, f"{pointer}/args/0"), numbers(scope, right, f"{pointer}/args/1")
    reckon = _ARITHMETIC[node["op"]]

    def of(collection: Collection) -> Known:
        (x, x_known), (y, y_known) = a(collection), b(collection)
        with np.errstate(all="ignore"):
            found = reckon(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        return found, np.isfinite(found) & x_known & y_known

    return of


def booleans(scope: Scope, node: Any, pointer: str) -> Numbers:
    """A boolean of each row: a column or a literal.

    Raises
    ------
    FilterError
        If it is something else.
    """
    if scope.sort(node, pointer) != "boolean":
        refuse(scope, node, "boolean", pointer)
    return _column(node["property"]) if isinstance(node, dict) else lambda collection: (node, True)


def _column(name: str) -> Numbers:
    return lambda collection: (collection.values(name).data, present(collection, name))


def compared(op: str, left: Numbers, right: Numbers) -> Leaf:
    """Whether one value is less than another, equal and so on; unknown where either is."""
    compare = COMPARISONS[op]

    def truth(collection: Collection) -> Truth:
        (x, x_known), (y, y_known) = left(collection), right(collection)
        return compare(_as(x, y), _as(y, x)), _both(x_known, y_known)

    return truth


def among(value: Numbers, listed: Sequence[float | bool]) -> Leaf:
    """Whether a value is one of a list."""

    def truth(collection: Collection) -> Truth:
        found, known = value(collection)
        if len(listed) > _FEW:
            return np.isin(found, np.array(listed)), known
        return reduce(operator.or_, [found == _as(one, found) for one in listed]), known

    return truth


def _as(value: Any, other: Any) -> Any:
    """A whole number as an integer where the other side is a column of these, which compares several times as fast."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole and isinstance(other, np.ndarray) and other.dtype == np.int64 else value


def _both(a: Bools | bool, b: Bools | bool) -> Bools | bool:
    return b if a is True else a if b is True else a & b
