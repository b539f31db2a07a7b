"""Days and times in filters. Against a column of whole days (UTC), a time means its day; columns of times are exact."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial, reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.lonlat import Bools
from layers.collections.collection import Collection
from layers.model.messages import Message
from layers.query.checked_tree import COMPARISONS, Operator, Sort, Truth, both, present
from layers.query.cql2_tree import FilterError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(_DATE.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.I)
_EPOCH = date(1970, 1, 1)
_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)
#: Further than any day and any microsecond.
_NEVER = 2**62

#: Each relation as comparisons of start (s) and end (e) of its first (a) and second (b) operand (21-065r2, 7.8).
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
#: Relations of instants and intervals; the others relate intervals alone.
_OF_INSTANTS = {"t_after", "t_before", "t_intersects", "t_disjoint", "t_equals"}


@dataclass(frozen=True, slots=True)
class Instant:
    """A day or time in each row.

    Parameters
    ----------
    name
        The property, ``None`` of a literal.
    day
        The day of a literal, counted from 1970-01-01.
    micros
        The time of a literal in microseconds since 1970, ``None`` where it is a whole day.
    """

    name: str | None
    day: int = 0
    micros: int | None = None

    @property
    def is_literal(self) -> bool:
        """Whether the operand is one instant for all rows."""
        return self.name is None

    @property
    def ends(self) -> tuple[Instant, Instant]:
        """Start and end, which are the instant itself."""
        return self, self

    def is_exact(self, collection: Collection) -> bool:
        """Whether it is a time, and no whole day."""
        return self.micros is not None if self.name is None else collection.values(self.name).kind == "timestamp"

    def days(self, collection: Collection) -> Any:
        """Days since 1970, of times those in which they are; of no meaning where not `known`."""
        return self.day if self.name is None else collection.values(self.name).data.astype("<M8[D]").view(np.int64)

    def times(self, collection: Collection) -> Any:
        """Microseconds since 1970 of times; of no meaning where not `known`."""
        return self.micros if self.name is None else collection.values(self.name).data.astype("<M8[us]").view(np.int64)

    def known(self, collection: Collection) -> Bools | bool:
        """Which rows have a day, shape (n,), or True where all have."""
        return True if self.name is None else present(collection, self.name)


@dataclass(frozen=True, slots=True)
class IntervalOperand:
    """A span of time in each row; both ends are included."""

    start: Instant
    end: Instant

    @property
    def ends(self) -> tuple[Instant, Instant]:
        """Start and end."""
        return self.start, self.end


def read_instant(node: Mapping[str, str], pointer: str) -> Instant:
    """A literal ``{"date": ...}`` or ``{"timestamp": ...}``.

    Raises FilterError if it is no day of the calendar, or a time without its offset from UTC.
    """
    return _date(node["date"], pointer) if "date" in node else _timestamp(node["timestamp"], pointer)


def read_end(text: str, pointer: str, is_start: bool) -> Instant:
    """One end of an interval: a date, a time, or ``..`` for none.

    Raises FilterError if it is no day of the calendar, or a time without its offset from UTC.
    """
    if text == "..":
        never = -_NEVER if is_start else _NEVER
        return Instant(None, never, never)
    return _timestamp(text, pointer) if "T" in text.upper() else _date(text, pointer)


def interval(start: Instant, end: Instant, pointer: str) -> IntervalOperand:
    """The interval between two instants.

    Raises FilterError if both are literals and it ends before it starts.
    """
    if start.is_literal and end.is_literal and not _compare_literals("<=", start, end):
        raise FilterError(Message("filter.interval-order"), pointer)
    return IntervalOperand(start, end)


def _date(text: str, pointer: str) -> Instant:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        return Instant(None, (date.fromisoformat(text) - _EPOCH).days)
    except ValueError:
        raise FilterError(Message("filter.date", {"found": text[:40]}), pointer) from None


def _timestamp(text: str, pointer: str) -> Instant:
    try:
        if not _TIMESTAMP.fullmatch(text):
            raise ValueError(text)
        since = datetime.fromisoformat(text.upper()).astimezone(UTC) - _MIDNIGHT
    except (ValueError, OverflowError):
        raise FilterError(Message("filter.time", {"found": text[:40]}), pointer) from None
    return Instant(None, since.days, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _compare(op: str, collection: Collection, left: Instant, right: Instant) -> Truth:
    """Compare row by row; unknown where either is. Two times compare exactly, all else by days."""
    return _compared(op, collection, left, right), _known(collection, left, right)


def _compared(op: str, collection: Collection, left: Instant, right: Instant) -> Any:
    if left.is_literal and right.is_literal:
        return _compare_literals(op, left, right)
    if left.is_exact(collection) and right.is_exact(collection):
        return COMPARISONS[op](left.times(collection), right.times(collection))
    return COMPARISONS[op](left.days(collection), right.days(collection))


def _compare_literals(op: str, left: Instant, right: Instant) -> bool:
    exact = left.micros is not None and right.micros is not None
    return bool(COMPARISONS[op](left.micros, right.micros) if exact else COMPARISONS[op](left.day, right.day))


def _relate(
    relation: str, collection: Collection, left: Instant | IntervalOperand, right: Instant | IntervalOperand
) -> Truth:
    """Whether two spans of time stand in a relation; unknown where any of their ends is."""
    ends = dict(zip(("as", "ae", "bs", "be"), (*left.ends, *right.ends), strict=True))
    holds = reduce(
        lambda known, comparison: known & comparison,
        (_compared(op, collection, ends[a], ends[b]) for a, op, b in RELATIONS[relation]),
    )
    return np.logical_not(holds) if relation == "t_disjoint" else holds, _known(collection, *ends.values())


def _known(collection: Collection, *instants: Instant) -> Bools | bool:
    """Where all instants are known; each property is looked at once."""
    distinct = {instant.name: instant for instant in instants}.values()
    return reduce(both, (instant.known(collection) for instant in distinct))


_INTERVAL: tuple[Sort, ...] = ("interval",)
_TEMPORAL: tuple[Sort, ...] = ("interval", "instant")
OPERATORS: Sequence[Operator] = (
    *(Operator(op, (("instant",), ("instant",)), partial(_compare, op)) for op in COMPARISONS),
    *(
        Operator(name, (_TEMPORAL if name in _OF_INSTANTS else _INTERVAL,) * 2, partial(_relate, name))
        for name in RELATIONS
    ),
)
