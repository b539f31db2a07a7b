"""Checked filters: conditions over typed operands, as the checker gives them and the evaluator takes them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from geo.lonlat import Bools
from layers.collections.collection import Collection

#: Type of an operand. ``instant`` is a day or a time, ``pattern`` that of LIKE, ``condition`` a nested condition.
Sort = Literal["text", "pattern", "number", "boolean", "instant", "interval", "list", "geometry", "condition"]
#: Whether rows satisfy a predicate, and whether that is known; arrays of shape (n,), or one value for all rows.
Truth: TypeAlias = tuple[Bools | bool, Bools | bool]

#: Comparison operators (21-065r2, 7.2) and what they do with two values.
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
#: The comparison with its operands exchanged.
MIRRORED: Mapping[str, str] = MappingProxyType({"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="})


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator over operands of certain sorts; an operator of several sorts is declared once for each.

    Parameters
    ----------
    name
        As CQL2 JSON spells it, in lower case but ``isNull``.
    operands
        For the checker: the sorts that each operand may have; an error asks for the first.
    apply
        Of an operator that gives a condition, for the evaluator: takes the collection and the checked operands, gives a
        `Truth`. Of an operator that gives a value: takes the checked operands, gives a checked operand.
    result
        The sort of its value.
    """

    name: str
    operands: tuple[tuple[Sort, ...], ...]
    apply: Callable[..., Any]
    result: Sort = "condition"


@dataclass(frozen=True, slots=True)
class Predicate:
    """An operator that gives a condition, with its checked operands."""

    operator: Operator
    operands: tuple[Any, ...]

    def truth(self, collection: Collection) -> Truth:
        """Which rows satisfy it, and of which rows that is known."""
        truth: Truth = self.operator.apply(collection, *self.operands)
        return truth


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a condition."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    """One or more conditions that must all hold."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One or more conditions of which any must hold."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Predicate | Not | And | Or


def present(collection: Collection, name: str) -> Bools | bool:
    """Mark the rows that have a value of a property, shape (n,); True alone where all have."""
    values = collection.values(name)
    return True if values.complete else values.present


def both(a: Bools | bool, b: Bools | bool) -> Bools | bool:
    """Join two conditions by AND: masks of shape (n,), or one value for all rows; no array is made for True."""
    return b if a is True else a if b is True else a & b
