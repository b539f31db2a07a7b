"""Lists of texts in filters, compared as sets (21-065r2, /req/array-functions/array-predicates)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from layers.collections.collection import Collection
from layers.collections.column_values import Array, ListValues
from layers.model.messages import Message
from layers.query.checked_tree import Operator, Truth
from layers.query.cql2_tree import FilterError

#: Each relation by the numbers of texts that both lists have in common, that the first has, and that the second has.
RELATIONS: Mapping[str, Callable[[Any, Any, Any], Any]] = MappingProxyType(
    {
        "a_equals": lambda common, a, b: (common == a) & (common == b),
        "a_contains": lambda common, a, b: common == b,
        "a_containedby": lambda common, a, b: common == a,
        "a_overlaps": lambda common, a, b: common > 0,
    }
)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A property whose values are lists of texts."""

    name: str

    def lists(self, collection: Collection) -> ListValues:
        """The lists of all rows as codes of a dictionary."""
        return collection.values(self.name).lists


#: A column, or the different texts of a literal.
TextList: TypeAlias = ListColumn | frozenset[str]


def read_list(node: Sequence[object], pointer: str) -> frozenset[str]:
    """The different texts of a literal list.

    Raises
    ------
    FilterError
        If it holds anything but texts.
    """
    for index, item in enumerate(node):
        if not isinstance(item, str):
            raise FilterError(Message("filter.quoted-text"), f"{pointer}/{index}")
    return frozenset(item for item in node if isinstance(item, str))


def _relate(relation: str, collection: Collection, a: TextList, b: TextList) -> Truth:
    """Whether two lists stand in a relation; never unknown, as a list without texts is a list."""
    holds = RELATIONS[relation](_common(collection, a, b), _length(collection, a), _length(collection, b))
    return holds, True


def _length(collection: Collection, texts: TextList) -> Any:
    return texts.lists(collection).lengths if isinstance(texts, ListColumn) else len(texts)


def _common(collection: Collection, a: TextList, b: TextList) -> Any:
    """How many texts both lists have, shape (n,), or one number where both are literals."""
    if isinstance(a, ListColumn):
        lists = a.lists(collection)
        shared = _in_column(lists, b.lists(collection)) if isinstance(b, ListColumn) else _in_literal(lists, b)
        return np.bincount(lists.rows[shared], minlength=len(lists.lengths))
    if isinstance(b, ListColumn):
        return _common(collection, b, a)
    return len(a & b)


def _in_literal(lists: ListValues, texts: frozenset[str]) -> Array:
    """Which of the texts of all rows are in a literal, shape (number of texts of all rows,)."""
    wanted = np.zeros(len(lists.words), dtype=bool)
    for text in texts:
        code = bisect_left(lists.words, text)
        if code < len(lists.words) and lists.words[code] == text:
            wanted[code] = True
    return wanted[lists.codes]


def _in_column(a: ListValues, b: ListValues) -> Array:
    """Which of the texts of all rows of a are in the same row of b, shape (number of texts of all rows,)."""
    codes = {word: code for code, word in enumerate(a.words)}
    code_in_a = np.array([codes.get(word, -1) for word in b.words], dtype=np.int64)
    of_b = code_in_a[b.codes] if len(b.words) else np.empty(0, dtype=np.int64)
    size = max(1, len(a.words))
    shared = b.rows[of_b >= 0] * size + of_b[of_b >= 0]
    return np.isin(a.rows * size + a.codes, shared)


OPERATORS: Sequence[Operator] = tuple(
    Operator(name, (("list",), ("list",)), partial(_relate, name)) for name in RELATIONS
)
