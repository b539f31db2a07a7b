"""Days and times of a filter. Columns hold whole days (UTC); against one, a time means its day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.query.cql2_tree import FilterError
from layers.query.operands import COMPARISONS, Leaf, Scope, Truth, operands, present, refuse

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(_DATE.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.I)
_EPOCH = date(1970, 1, 1)
_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)
#: Further than any day and any microsecond.
_NEVER = 2**62

#: What each relation asks of start (s) and end (e) of its first (a) and second (b) operand (21-065r2, 7.8).
RELATIONS: Mapping[str, tuple[tuple[str, str, str], ...]] = MappingProxyType(
    {
        "t_after": (("as", ">", "be"),),
        "t_before": (("ae", "<", "bs"),),
        "t_intersects": (("as", "<=", "be"), ("ae", ">=", "bs")),
        "t_disjoint": (("as", "<=", "be"), ("ae", ">=", "bs")),
        "t_equals": (("as", "=", "bs"), ("ae", "=", "be")),
        "t_contains": (("as", "<", "bs"), ("ae", ">", "be")),
        "t_during": (("as", ">", "bs"), ("ae", "<", "be")),
        "t_finishedby": (("as", "<", "bs"), ("ae", "=", "be")),
        "t_finishes": (("as", ">", "bs"), ("ae", "=", "be")),
        "t_meets": (("ae", "=", "bs"),),
        "t_metby": (("as", "=", "be"),),
        "t_overlaps": (("as", "<", "bs"), ("ae", ">", "bs"), ("ae", "<", "be")),
        "t_overlappedby": (("as", ">", "bs"), ("as", "<", "be"), ("ae", ">", "be")),
        "t_startedby": (("as", "=", "bs"), ("ae", ">", "be")),
        "t_starts": (("as", "=", "bs"), ("ae", "<", "be")),
    }
)
#: Those that ask about instants too; the others ask about intervals alone.
_OF_INSTANTS = {"t_after", "t_before", "t_intersects", "t_disjoint", "t_equals"}


@dataclass(frozen=True, slots=True)
class Instant:
    """A day of each row: that of a column (``name``), or a literal in days and, for a time, microseconds since 1970."""

    name: str | None
    day: int = 0
    micros: int | None = None

    def days(self, collection: Collection) -> Any:
        """Days since 1970; of no meaning where not `known`."""
        return self.day if self.name is None else collection.values(self.name).data.view(np.int64)

    def known(self, collection: Collection) -> Bools | bool:
        """Which rows have a day."""
        return True if self.name is None else present(collection, self.name)


Interval: TypeAlias = tuple[Instant, Instant]


def instants(scope: Scope, node: Any, pointer: str) -> Instant:
    """A column of days, a date or a time.

    Raises
    ------
    FilterError
        If it is something else, or no day of the calendar.
    """
    if scope.sort(node, pointer) != "instant":
        refuse(scope, node, "instant", pointer)
    if "property" in node:
        return Instant(node["property"])
    return _date(node["date"], pointer) if "date" in node else _timestamp(node["timestamp"], pointer)


def intervals(scope: Scope, node: Any, pointer: str, instant: bool = True) -> Interval:
    """Two ends, both included; with ``instant`` also a day or time, which is both.

    Raises
    ------
    FilterError
        If it is something else, or ends before it starts.
    """
    sort = scope.sort(node, pointer)
    if sort == "instant" and instant:
        one = instants(scope, node, pointer)
        return one, one
    if sort != "interval":
        refuse(scope, node, "interval", pointer)
    start, end = node["interval"]
    ends = _end(scope, start, -_NEVER, f"{pointer}/interval/0"), _end(scope, end, _NEVER, f"{pointer}/interval/1")
    if ends[0].name is None and ends[1].name is None and not _compared("<=", *ends)(None):
        raise FilterError("an interval that ends after it starts", pointer)
    return ends


def _end(scope: Scope, told: Any, never: int, pointer: str) -> Instant:
    if isinstance(told, dict):
        return instants(scope, told, pointer)
    if told == "..":
        return Instant(None, never, never)
    return _timestamp(told, pointer) if "T" in told.upper() else _date(told, pointer)


def _date(told: str, pointer: str) -> Instant:
    try:
        if not _DATE.fullmatch(told):
            raise ValueError(told)
        return Instant(None, (date.fromisoformat(told) - _EPOCH).days)
    except ValueError:
        raise FilterError(f"a date such as '2025-08-08', not {told[:40]!r}", pointer) from None


def _timestamp(told: str, pointer: str) -> Instant:
    try:
        if not _TIMESTAMP.fullmatch(told):
            raise ValueError(told)
        since = datetime.fromisoformat(told.upper()).astimezone(UTC) - _MIDNIGHT
    except (ValueError, OverflowError):
        raise FilterError(f"a time such as '2025-08-08T04:06:00Z', not {told[:40]!r}", pointer) from None
    return Instant(None, since.days, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def compared(op: str, left: Instant, right: Instant) -> Leaf:
    """Whether one day is before another, the same and so on; unknown where either is. Two times compare exactly."""
    compare = _compared(op, left, right)
    return lambda collection: (compare(collection), _known(collection, left, right))


def among(value: Instant, listed: Sequence[Instant]) -> Leaf | None:
    """Whether a day of a column is one of a list of literals; ``None`` where any is otherwise."""
    if value.name is None or any(one.name is not None for one in listed):
        return None
    days = np.array([one.day for one in listed], dtype=np.int64)
    return lambda collection: (np.isin(value.days(collection), days), value.known(collection))


def related(relation: str, left: Interval, right: Interval) -> Leaf:
    """Whether two intervals stand in a relation; unknown where any of their ends is."""
    ends = {"as": left[0], "ae": left[1], "bs": right[0], "be": right[1]}
    asked = [_compared(op, ends[a], ends[b]) for a, op, b in RELATIONS[relation]]
    negated = relation == "t_disjoint"

    def truth(collection: Collection) -> Truth:
        found = asked[0](collection)
        for compare in asked[1:]:
            found = found & compare(collection)
        return np.logical_not(found) if negated else found, _known(collection, *left, *right)

    return truth


def relation(scope: Scope, node: Mapping[str, Any], pointer: str) -> Leaf:
    """A temporal operator with its operands.

    Raises
    ------
    FilterError
        If an operand is no time, or an instant where only intervals are related.
    """
    left, right = operands(node, 2, pointer)
    instant = node["op"] in _OF_INSTANTS
    a = intervals(scope, left, f"{pointer}/args/0", instant)
    return related(node["op"], a, intervals(scope, right, f"{pointer}/args/1", instant))


def _compared(op: str, left: Instant, right: Instant) -> Any:
    compare = COMPARISONS[op]
    if left.micros is not None and right.micros is not None:
        told = compare(left.micros, right.micros)
        return lambda collection: told
    return lambda collection: compare(left.days(collection), right.days(collection))


def _known(collection: Collection, *instants: Instant) -> Bools | bool:
    known: Bools | bool = True
    for instant in {instant.name: instant for instant in instants}.values():
        other = instant.known(collection)
        known = other if known is True else known if other is True else known & other
    return known
