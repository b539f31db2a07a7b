"""Filters: a tree is brought to one form, checked against the queryables, and evaluated over a whole collection.

Three passes, each in a module that knows nothing of the next: `layers.query.cql2_text` and `layers.query.cql2_tree`
give the tree, `layers.query.type_check` gives conditions over typed operands, `evaluate` gives the rows. What an
operator takes and does stands in the module of its family (`layers.query.text_operators` and its siblings).

Logic has three values, as in SQL: true, false and unknown, where a value is missing. A negation is carried down to the
predicates, so that each condition need only give the rows that surely satisfy it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import orjson

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.collections.queryables import Queryable
from layers.query.checked_tree import And, Condition, Not, Predicate
from layers.query.cql2_tree import Tree, normalized
from layers.query.spatial_operators import GeometryLiteral, ToLonLat
from layers.query.type_check import FUNCTIONS, check

__all__ = ["FUNCTIONS", "Filter", "compile_filter", "evaluate"]


@dataclass(frozen=True)
class Filter(ABC):
    """A compiled filter.

    Parameters
    ----------
    key
        Bytes that are equal, also in another process, where filters select by the same conditions.
    """

    key: bytes
    #: Whether it marks each row by its own values alone, so that the marks of a row hold wherever it comes.
    is_by_row: ClassVar[bool] = True

    @abstractmethod
    def mask(self, collection: Collection) -> Bools:
        """Mark the rows that surely satisfy the filter (SQL: true, neither false nor unknown).

        Returns
        -------
        Bools
            Shape (n,), read only.
        """


@dataclass(frozen=True)
class CheckedFilter(Filter):
    """A filter of checked conditions."""

    condition: Condition = field(repr=False, compare=False)

    def mask(self, collection: Collection) -> Bools:
        return np.broadcast_to(evaluate(self.condition, collection), len(collection))


def compile_filter(tree: Tree, known: Mapping[str, Queryable], to_lonlat: ToLonLat | None = None) -> Filter:
    """Check a filter against the queryables it may name; the result can be evaluated over any collection of its class.

    Parameters
    ----------
    tree
        As `layers.query.cql2_text.parse` gives it, or built by hand (CQL2 JSON, OGC 21-065r2).
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
    tree = normalized(tree)
    condition = check(tree, known, to_lonlat)
    return CheckedFilter(_key(tree, condition), condition)


def evaluate(condition: Condition, collection: Collection, negated: bool = False) -> Bools | bool:
    """Mark the rows that surely satisfy a condition (SQL: true, neither false nor unknown).

    Parameters
    ----------
    condition
        A checked condition.
    collection
        A collection that has the queryables which the condition was checked against; it may be empty.
    negated
        Whether the rows that surely satisfy its negation are marked instead.

    Returns
    -------
    Bools or bool
        Shape (n,), or one value for all rows. Conditions after those of an AND that no row satisfies are not evaluated.
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
