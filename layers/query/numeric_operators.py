"""Numbers and booleans in filters: columns, literals, arithmetic in doubles, comparisons."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.query.checked_tree import COMPARISONS, Operator, Sort, Truth, both, present

#: Values, and which are known; arrays of shape (n,), or one value for all rows.
Known: TypeAlias = tuple[Any, Bools | bool]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number or boolean in each row.

    Parameters
    ----------
    values
        Those of all rows; one that is not known has no meaning.
    """

    values: Callable[[Collection], Known]


def scalar_column(name: str) -> Scalar:
    """A property whose values are numbers or booleans."""
    return Scalar(lambda collection: (collection.values(name).data, present(collection, name)))


def scalar_literal(value: float | bool) -> Scalar:
    """A number or boolean written in the filter."""
    return Scalar(lambda collection: (value, True))


def _calculated(function: Callable[[Any, Any], Any], left: Scalar, right: Scalar) -> Scalar:
    """Arithmetic over two numbers, in doubles; its result is unknown where it is no finite number."""

    def values(collection: Collection) -> Known:
        (x, x_known), (y, y_known) = left.values(collection), right.values(collection)
        with np.errstate(all="ignore"):
            result = function(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        return result, np.isfinite(result) & x_known & y_known

    return Scalar(values)


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


def _compare(op: str, collection: Collection, left: Scalar, right: Scalar) -> Truth:
    """Compare row by row; unknown where either value is."""
    (x, x_known), (y, y_known) = left.values(collection), right.values(collection)
    return COMPARISONS[op](_like_column(x, y), _like_column(y, x)), both(x_known, y_known)


def _like_column(value: Any, column: Any) -> Any:
    """A whole number as an integer where it meets a column of integers, which compares several times as fast."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole and isinstance(column, np.ndarray) and column.dtype == np.int64 else value


_SORTS: tuple[Sort, ...] = ("number", "boolean")
#: A boolean property or literal that stands as a condition.
IS_TRUE = Operator("", (("boolean",),), lambda collection, value: value.values(collection))
OPERATORS: Sequence[Operator] = (
    *(Operator(op, (("number",),) * 2, partial(_calculated, call), "number") for op, call in _ARITHMETIC.items()),
    *(Operator(op, ((sort,), (sort,)), partial(_compare, op)) for sort in _SORTS for op in COMPARISONS),
    Operator("isNull", (("number",),), lambda collection, value: (np.logical_not(value.values(collection)[1]), True)),
)
