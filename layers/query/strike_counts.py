"""Counts of a selection of strikes: how many, how many are sure and why others are not; by country, kind or time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import ClassVar, Literal, TypeAlias, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from geo.lonlat import Bools, Ints
from layers.collections.collection import Collection
from layers.collections.geometry_index import Box
from layers.ownership.owners import OwnersByDate
from layers.query.selection import Selection
from layers.query.strike_ties import Collections, StrikeConditions, StrikeValues, Truth, rows_of_ids, ties_of_all
from layers.query.strike_truth import commodities_of, rests_on, stands, surely_between, truth_of

TimeUnit = Literal["day", "week", "month", "year"]
TIME_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)
#: What strikes are counted by: a column, the countries or commodities of what was hit, or a unit of time.
Grouping = Literal["country", "group", "status", "commodity", TimeUnit]
GROUPINGS: tuple[Grouping, ...] = ("country", "group", "status", "commodity", *TIME_UNITS)
#: Most spans of time of one answer; more make the unit longer.
MAX_SPANS = 5000

Counted = TypeVar("Counted")
Days: TypeAlias = NDArray[np.datetime64]
#: Of a span with its two dates and counts.
_SPAN_BYTES = 240
#: 1970-01-01 was a Thursday: weeks begin on Monday.
_MONDAY = np.timedelta64(3, "D")


@dataclass(frozen=True, slots=True)
class StrikeTotals:
    """How many strikes a selection has.

    Attributes
    ----------
    strikes
        Those that may satisfy it: the ``numberMatched`` of their features.
    sure
        Those that surely do.
    drafts, undated, across, unsettled
        Why the others may not, each under the first reason that holds: whether it stands is open; its first or its last
        day is not known; its days reach beyond those of the selection; which site was hit, or whose it was, is not
        settled.
    unplaced, without_date
        Strikes without a place, and without a first or a last day, among all of them.
    bounds
        The least box that holds those with a place, as points: west, south, east, north in degrees.
    """

    strikes: int
    sure: int
    drafts: int
    undated: int
    across: int
    unsettled: int
    unplaced: int
    without_date: int
    bounds: Box | None

    nbytes: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The number of the strikes of a selection that have a value, or may have it; ``None`` is no value."""

    value: str | None
    strikes: int


@dataclass(frozen=True, slots=True)
class Span:
    """A span of days, both included, with the strikes that surely, and those that only may, lie in it."""

    first: date
    last: date
    sure: int
    possible: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Strikes by spans of time; a strike whose days reach over several is possible in each of them.

    ``undated``: strikes that are in no span, as their first or last day is not known.
    """

    unit: TimeUnit
    spans: Sequence[Span]
    undated: int

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in a cache, about."""
        return _SPAN_BYTES * len(self.spans)


def totals(
    collections: Collections, registers: OwnersByDate, selection: Selection, wanted: StrikeConditions
) -> StrikeTotals:
    """Count the strikes of a selection; cached with the strikes."""
    return _cached("totals", _totals, collections, registers, selection, wanted)


def _cached(
    name: object,
    count: Callable[[Collections, OwnersByDate, Selection, StrikeConditions], Counted],
    collections: Collections,
    registers: OwnersByDate,
    selection: Selection,
    wanted: StrikeConditions,
) -> Counted:
    """Look counts of a selection up among the answers that are cached with the strikes, or count."""
    key = (name, replace(selection, order=()), wanted, *rests_on(collections, registers))
    counted: Counted = collections["strikes"].query_cache.get_or_compute(
        key, lambda: count(collections, registers, selection, wanted)
    )
    return counted


def _totals(
    collections: Collections, registers: OwnersByDate, selection: Selection, wanted: StrikeConditions
) -> StrikeTotals:
    strikes = collections["strikes"]
    counted = selected_truth(collections, registers, selection, wanted)
    open_ones = counted.may & ~counted.sure
    bounded = selection.first is not None or selection.last is not None
    drafts = open_ones & ~stands(strikes)
    undated = open_ones & ~drafts & _undated(strikes) & bounded
    across = open_ones & ~drafts & ~undated & ~surely_between(strikes, selection.first, selection.last)
    return StrikeTotals(
        strikes=int(counted.may.sum()),
        sure=int(counted.sure.sum()),
        drafts=int(drafts.sum()),
        undated=int(undated.sum()),
        across=int(across.sum()),
        unsettled=int((open_ones & ~drafts & ~undated & ~across).sum()),
        unplaced=int((counted.may & strikes.geometry.missing).sum()),
        without_date=int((counted.may & _undated(strikes)).sum()),
        bounds=_bounds(strikes, counted.may),
    )


def _bounds(strikes: Collection, rows: Bools) -> Box | None:
    """Return the least box that holds the points of rows; ``None`` where none of them has a place."""
    points = strikes.points
    placed = np.flatnonzero(rows & ~strikes.geometry.missing)
    if points is None or not len(placed):
        return None
    lon, lat = (values[placed] for values in points)
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def selected_truth(
    collections: Collections, registers: OwnersByDate, selection: Selection, wanted: StrikeConditions
) -> Truth:
    """Return the strikes of a selection, of the certainty that is wanted, and those of them that surely satisfy it."""
    truth = truth_of(collections, registers, selection, wanted)
    if wanted.certainty is None:
        selected = truth.may
    else:
        selected = truth.sure if wanted.certainty == "sure" else truth.may & ~truth.sure
    return Truth(selected, truth.sure & selected)


def _undated(strikes: Collection) -> Bools:
    undated: Bools = strikes.all_rows_cache.get_or_compute(
        ("undated",), lambda: ~(strikes.values("day_first").present & strikes.values("day_last").present)
    )
    return undated


def groups(
    collections: Collections, registers: OwnersByDate, selection: Selection, wanted: StrikeConditions, by: Grouping
) -> list[Group]:
    """Count the strikes of a selection by a value, most first; a strike counts under each of its values once.

    How many have each value is cached with the strikes.
    """
    if by == "country":
        wanted = replace(wanted, country=None)
    values = _values(collections, wanted, by)
    count = _cached(("groups", by), partial(_by_code, values), collections, registers, selection, wanted)
    counted = [Group(values.words[code], int(count[code])) for code in np.flatnonzero(count).tolist()]
    return sorted(counted, key=lambda group: (-group.strikes, group.value is None, group.value or ""))


def _by_code(
    values: StrikeValues,
    collections: Collections,
    registers: OwnersByDate,
    selection: Selection,
    wanted: StrikeConditions,
) -> Ints:
    selected = selected_truth(collections, registers, selection, wanted).may
    return np.bincount(values.code[selected[values.strike]], minlength=len(values.words))


def _values(collections: Collections, wanted: StrikeConditions, by: Grouping) -> StrikeValues:
    if by == "country":
        return ties_of_all(collections, wanted)
    strikes = collections["strikes"]
    if by != "commodity":
        column = strikes.values(by).words
        codes = np.where(column.codes < 0, len(column.words), column.codes).astype(np.int32)
        return StrikeValues([*column.words, None], np.arange(len(strikes), dtype=np.int32), codes)
    key = ("commodities", collections["assets"])
    values: StrikeValues = strikes.all_rows_cache.get_or_compute(key, lambda: _commodities(collections))
    return values


def _commodities(collections: Collections) -> StrikeValues:
    """Return the commodities of the sites of each strike."""
    strikes, assets = collections["strikes"], collections["assets"]
    hit, carried = strikes.values("assets").lists, assets.values("commodity").words
    names = [commodities_of(text) for text in carried.words]
    words = sorted({name for each in names for name in each})
    code_of = {word: code for code, word in enumerate(words)}
    # Of an asset that there is not, and of none, the last one.
    text = np.append(carried.codes, -1)[np.append(rows_of_ids(assets.ids, hit.words), -1)][hit.codes]
    strike, code = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for number, each in enumerate(names):
        rows = hit.rows[text == number]
        strike += [rows] * len(each)
        code += (np.full(len(rows), code_of[name]) for name in each)
    return StrikeValues.of_pairs(words, np.concatenate(strike), np.concatenate(code))


def timeline(
    collections: Collections, registers: OwnersByDate, selection: Selection, wanted: StrikeConditions, unit: TimeUnit
) -> Timeline:
    """Count the strikes of a selection by spans of time, from the first day that one of them names to the last.

    Cached with the strikes.
    """
    return _cached(("timeline", unit), partial(_timeline, unit), collections, registers, selection, wanted)


def _timeline(
    unit: TimeUnit, collections: Collections, registers: OwnersByDate, selection: Selection, wanted: StrikeConditions
) -> Timeline:
    # Two sums of how many begin and have ended give those that touch a span; those that lie in one are counted by it.
    strikes = collections["strikes"]
    selected = selected_truth(collections, registers, selection, wanted)
    dated = np.flatnonzero(selected.may & ~_undated(strikes))
    undated = int(selected.may.sum()) - len(dated)
    if not len(dated):
        return Timeline(unit, (), undated)
    first, last = (strikes.values(name).data[dated] for name in ("day_first", "day_last"))
    unit, begins = _cut(first.min(), last.max(), unit)
    begin, end = (np.searchsorted(begins, ends, side="right") - 1 for ends in (first, last))
    count = len(begins) - 1
    inside = selected.sure[dated] & (begin == end)
    sure = np.bincount(begin[inside], minlength=count)
    begun, over = (np.cumsum(np.bincount(at, minlength=count)) for at in (begin, end))
    touching = begun - np.concatenate([[0], over[:-1]])
    return Timeline(unit, tuple(_spans(begins, sure, touching - sure)), undated)


def _spans(begins: Days, sure: Ints, possible: Ints) -> Iterable[Span]:
    starts: list[date] = begins.astype(object).tolist()
    for i, (n, more) in enumerate(zip(sure.tolist(), possible.tolist(), strict=True)):
        yield Span(starts[i], starts[i + 1] - timedelta(days=1), n, more)


def _cut(low: np.datetime64, high: np.datetime64, unit: TimeUnit) -> tuple[TimeUnit, Days]:
    """Return the first days of the spans between two days, and of the one after; a longer unit where they are many."""
    for longer in TIME_UNITS[TIME_UNITS.index(unit) :]:
        begins = _begins(low, high, longer)
        if len(begins) <= MAX_SPANS + 1:
            break
    return longer, begins


def _begins(low: np.datetime64, high: np.datetime64, unit: TimeUnit) -> Days:
    if unit == "day":
        return np.arange(low, high + np.timedelta64(2, "D"), dtype="<M8[D]")
    if unit == "week":
        start = low - ((low - np.datetime64("1970-01-01")) + _MONDAY) % np.timedelta64(7, "D")
        stop = high + np.timedelta64(7, "D")
        begins = np.arange(start, stop + np.timedelta64(7, "D"), np.timedelta64(7, "D"), dtype="<M8[D]")
        return begins[: int(np.searchsorted(begins, high, side="right")) + 1]
    one = np.timedelta64(1, "M") if unit == "month" else np.timedelta64(1, "Y")
    start, stop = (day.astype(f"<M8[{'M' if unit == 'month' else 'Y'}]") for day in (low, high))
    return np.arange(start, stop + one + one).astype("<M8[D]")
