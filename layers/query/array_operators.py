"""Lists of texts of a filter, compared as sets (21-065r2, /req/array-functions/array-predicates)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from layers.collections.collection import Collection
from layers.collections.column_values import Array, Lists
from layers.query.cql2_tree import FilterError
from layers.query.operands import Leaf, Scope, Truth, operands, refuse

#: A column by its name, or the texts of a literal.
Texts: TypeAlias = str | frozenset[str]

#: What each relation asks of how many texts are common, in the first and in the second.
RELATIONS: Mapping[str, Callable[[Any, Any, Any], Any]] = MappingProxyType(
    {
        "a_equals": lambda common, a, b: (common == a) & (common == b),
        "a_contains": lambda common, a, b: common == b,
        "a_containedby": lambda common, a, b: common == a,
        "a_overlaps": lambda common, a, b: common > 0,
    }
)


def relation(scope: Scope, node: Mapping[str, Any], pointer: str) -> Leaf:
    """An array operator with its operands; never unknown, as a list without texts is a list.

    Raises
    ------
    FilterError
        If an operand is no list, or holds anything but texts.
    """
    left, right = operands(node, 2, pointer)
    a, b = _texts(scope, left, f"{pointer}/args/0"), _texts(scope, right, f"{pointer}/args/1")
    holds = RELATIONS[node["op"]]

    def truth(collection: Collection) -> Truth:
        return holds(_common(collection, a, b), _length(collection, a), _length(collection, b)), True

    return truth


def _texts(scope: Scope, node: Any, pointer: str) -> Texts:
    if scope.sort(node, pointer) != "list":
        refuse(scope, node, "list", pointer)
    if isinstance(node, dict):
        return str(node["property"])
    for place, told in enumerate(node):
        if not isinstance(told, str):
            raise FilterError("a text in quotes", f"{pointer}/{place}")
    return frozenset(node)


def _length(collection: Collection, texts: Texts) -> Any:
    return collection.values(texts).lists.lengths if isinstance(texts, str) else len(texts)


def _common(collection: Collection, a: Texts, b: Texts) -> Any:
    """How many texts both have, by row."""
    if isinstance(a, str):
        lists = collection.values(a).lists
        if isinstance(b, str):
            return _counted(lists, _in_both(lists, collection.values(b).lists))
        return _counted(lists, _in_literal(lists, b))
    if isinstance(b, str):
        return _common(collection, b, a)
    return len(a & b)


def _counted(lists: Lists, chosen: Array) -> Array:
    return np.bincount(lists.rows[chosen], minlength=len(lists.lengths))


def _in_literal(lists: Lists, texts: frozenset[str]) -> Array:
    """Which of the texts of all rows are of a literal."""
    wanted = np.zeros(len(lists.words), dtype=bool)
    for text in texts:
        place = bisect_left(lists.words, text)
        if place < len(lists.words) and lists.words[place] == text:
            wanted[place] = True
    return wanted[lists.codes]


def _in_both(a: Lists, b: Lists) -> Array:
    """Which of the texts of all rows of a are in the same row of b."""
    place = {word: code for code, word in enumerate(a.words)}
    moved = np.array([place.get(word, -1) for word in b.words], dtype=np.int64)
    of_b = moved[b.codes] if len(b.words) else np.empty(0, dtype=np.int64)
    size = max(1, len(a.words))
    shared = b.rows[of_b >= 0] * size + of_b[of_b >= 0]
    return np.isin(a.rows * size + a.codes, shared)
