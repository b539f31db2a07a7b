"""Whether an asset operated on given days, from its status and dates, and the status of a plant from its units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from layers.model import edtf
from layers.model.records import Asset
from layers.model.types import OperatingStatus

#: Statuses of what was never finished, if the source is right.
_GIVEN_UP = ("shelved", "cancelled")
#: Statuses of what does not operate yet.
_PLANNED = ("announced", "proposed", "pre-construction", "construction")
#: Statuses of what is not there, unless its start lies in the past: of a plant in construction something is.
NEVER_BUILT = (*_GIVEN_UP, "announced", "proposed")
#: Statuses of what is built and stands still; on another day than that of the source it may have operated.
_AT_REST = ("idle", "mothballed")
#: The status of a whole by those of its parts: the first of these that any part has.
PRECEDENCE: tuple[OperatingStatus, ...] = (
    "operating",
    "idle",
    "mothballed",
    "construction",
    "retired",
    "pre-construction",
    "proposed",
    "announced",
    "shelved",
    "cancelled",
)


def operating_on(asset: Asset, first: date | None, last: date | None = None) -> bool | None:
    """Whether an asset operated on the days ``first`` to ``last``, both inclusive, as far as its record says.

    The status is that of the day on which the source was published. So a plant that was cancelled or shelved by then
    never operated, and one that was planned then did not operate before: unless its start lies before the days, when
    it may have been finished since. One that was idle, or was retired on a day that is not known, may have operated.

    Parameters
    ----------
    asset
        Its ``status``, ``since`` and ``until`` are read.
    first, last
        The days; ``last`` is ``first`` by default. None for ``first`` is any day.

    Returns
    -------
    bool or None
        None where the record leaves it open.
    """
    validity = edtf.valid_as_stated(asset.since, asset.until, first, first if last is None else last)
    if validity == "no" or asset.status in _GIVEN_UP:
        return False
    if asset.status in _PLANNED:
        return None if asset.since and validity == "yes" and first is not None else False
    if validity == "maybe" or asset.status in _AT_REST:
        return None
    if asset.status == "retired":
        return True if asset.until else None
    return True if asset.status or asset.since or asset.until else None


def days_of_operation(status: OperatingStatus | None, since: str | None, until: str | None) -> tuple[int, int]:
    """Return the first and the last day on which an asset may have operated, as proleptic Gregorian ordinals.

    ``operating_on`` is False on every other day of an asset of these values. The last is before the first where it
    never operated; open ends are the ends of the calendar.
    """
    if status in _GIVEN_UP or (status in _PLANNED and since is None):
        return date.max.toordinal(), date.min.toordinal()
    first = edtf.parse(since).earliest if since else None
    last = edtf.parse(until).latest if until else None
    return (first or date.min).toordinal(), (last or date.max).toordinal()


def common_status(statuses: Iterable[OperatingStatus | None]) -> OperatingStatus | None:
    """Return the status of a whole: operating if any of its parts is; None where no part has one."""
    there = set(statuses)
    return next((status for status in PRECEDENCE if status in there), None)


def common_dates(parts: Iterable[Asset]) -> tuple[str | None, str | None]:
    """Return since when and until when any part of a whole operated, as EDTF texts.

    The start is the earliest of the parts that are built, or else of all. An end there is only where every part that
    is built is retired and says when: it is the latest of theirs.
    """
    listed = list(parts)
    built = [part for part in listed if part.status in ("operating", "retired", *_AT_REST)]
    starts = [part.since for part in built if part.since] or [part.since for part in listed if part.since]
    ends = [part.until for part in built if part.status == "retired" and part.until]
    is_over = bool(built) and len(ends) == len(built)
    since = min(starts, key=lambda text: edtf.parse(text).earliest or date.min, default=None)
    return since, max(ends, key=lambda text: edtf.parse(text).latest or date.max) if is_over else None
