"""Times as exact as their source states them: EDTF level 1 values and the days that they may mean."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal

from layers.model.messages import InvalidValue, Message

Precision = Literal["instant", "day", "month", "season", "year", "decade", "century", "interval"]

#: Characters of the longest text that is parsed.
MAX_LENGTH = 64


class EdtfError(InvalidValue):
    """A text that is no EDTF level 1 date, time or interval."""


@dataclass(frozen=True, slots=True)
class EdtfDate:
    """A time as a source states it.

    ``earliest`` and ``latest`` are the first and last day (proleptic Gregorian, UTC where the text has a
    zone) that the text may mean; ``None`` is an open or unknown end. A qualified value (``~``, ``?``, ``%``)
    is widened by one unit of its own precision on each side: "2022-03~" may be February to April.
    """

    text: str
    earliest: date | None
    latest: date | None
    precision: Precision
    qualified: bool = False

    def may_overlap(self, first: date | None, last: date | None) -> bool:
        """Whether a day that the time may mean lies in ``first`` to ``last``, both inclusive; ``None`` is open."""
        starts_in_time = last is None or self.earliest is None or self.earliest <= last
        ends_in_time = first is None or self.latest is None or self.latest >= first
        return starts_in_time and ends_in_time

    def lies_within(self, first: date | None, last: date | None) -> bool:
        """Whether each day that the time may mean lies in ``first`` to ``last``, both inclusive; ``None`` is open."""
        begins_in_time = first is None or (self.earliest is not None and first <= self.earliest)
        return begins_in_time and (last is None or (self.latest is not None and self.latest <= last))


def parse(text: str) -> EdtfDate:
    """Read an EDTF level 1 value (ISO 8601-2:2019, annex A; Library of Congress EDTF, 2019).

    Parameters
    ----------
    text
        Such as ``2025-08-08``, ``2025-06``, ``2025-08-05/2025-08-06``, ``2022-03~``, ``2024-02/..``; white space
        around it does not count.

    Raises
    ------
    EdtfError
        If the text is empty, too long, no EDTF, of level 2, or an interval that ends before it starts.
    """
    if not isinstance(text, str) or not text or len(text) > MAX_LENGTH:
        raise EdtfError(Message("edtf.no-date", {"text": str(text)[:80]}))
    return _parse(text.strip())


@lru_cache(maxsize=65536)
def _parse(text: str) -> EdtfDate:
    if "/" in text:
        return _interval(text)
    if _CALENDAR.fullmatch(text):
        earliest, latest, precision = _calendar(text)
        qualified = text[-1] in _SIGNS
    elif _INSTANT.fullmatch(text):
        earliest, latest, _ = _calendar(text[: len("2025-08-08")])
        precision, qualified = "instant", False
    else:
        earliest, latest, qualified = _single(text)
        precision = _precision(text)
    if qualified:
        try:
            earliest, latest = _shift(earliest, precision, -1), _shift(latest, precision, +1)
        except (ValueError, OverflowError) as error:
            raise EdtfError(Message("edtf.beyond-years", {"text": text})) from error
    return EdtfDate(text, earliest, latest, precision, qualified)


#: Years, months and days, also qualified: nearly all times of the records. They are parsed here, as the grammar of the
#: edtf library takes 15 ms for each.
_CALENDAR = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?[~?%]?")
_SIGNS = "~?%"
#: Days with a time of day.
_INSTANT = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}"
    r"(Z|[+-](0[1-9]|1[0-3])(:[0-5][0-9])?)?"
)
#: Every single value of level 1 within the years of four digits, and others. The grammar takes 5 ms to refuse another
#: text, as a file may have millions, and prints some that are of level 2.
_LEVEL_1_FORM = re.compile(r"-?[0-9X]{4}(-[0-9X]{2}(-[0-9X]{2}(T.*)?)?)?[~?%]?", re.DOTALL)
#: Values of level 2, and years of more digits, have one of these signs among such characters.
_BEYOND_SIGNS, _BEYOND_FORM = frozenset("~?%{[YES"), re.compile(r"[-0-9X~?%.,{}\[\]YES]+")


def _calendar(text: str) -> tuple[date, date, Precision]:
    year, month, day = (*map(int, text.rstrip(_SIGNS).split("-")), 0, 0)[:3]
    try:
        if day:
            exact = date(year, month, day)
            return exact, exact, "day"
        last = monthrange(year, month or 12)[1]
        return date(year, month or 1, 1), date(year, month or 12, last), "month" if month else "year"
    except ValueError as error:
        raise EdtfError(Message("edtf.no-day", {"text": text})) from error


def _interval(text: str) -> EdtfDate:
    start_text, _, end_text = text.partition("/")
    start = _parse(start_text) if start_text not in ("", "..") else None
    end = _parse(end_text) if end_text not in ("", "..") else None
    if start is None and end is None:
        raise EdtfError(Message("edtf.no-ends", {"text": text}))
    earliest = start.earliest if start else None
    latest = end.latest if end else None
    if earliest and latest and latest < earliest:
        raise EdtfError(Message("edtf.ends-before-start", {"text": text}))
    qualified = bool((start and start.qualified) or (end and end.qualified))
    return EdtfDate(text, earliest, latest, "interval", qualified)


def _single(text: str) -> tuple[date, date, bool]:
    """The first and last day of a value that the library parses, and whether it is qualified."""
    if not _LEVEL_1_FORM.fullmatch(text):
        is_beyond = bool(_BEYOND_FORM.fullmatch(text)) and not _BEYOND_SIGNS.isdisjoint(text)
        raise EdtfError(Message("edtf.beyond-level-1" if is_beyond else "edtf.no-date", {"text": text}))
    # Imported by the first such value: few are, and the grammar takes 80 ms and 8 MB of each program and worker.
    from edtf import parse_edtf
    from edtf.parser import parser_classes as forms
    from edtf.parser.edtf_exceptions import EDTFParseException

    try:
        value = parse_edtf(text)
    except (EDTFParseException, ValueError, TypeError) as error:
        raise EdtfError(Message("edtf.no-date", {"text": text})) from error
    level_1 = (
        forms.Date,
        forms.DateAndTime,
        forms.Interval,
        forms.UncertainOrApproximate,
        forms.Unspecified,
        forms.Season,
        forms.Level1Interval,
    )
    if type(value) not in level_1:
        raise EdtfError(Message("edtf.beyond-level-1", {"text": text}))
    days = _day(value.lower_strict()), _day(value.upper_strict())
    return *days, isinstance(value, forms.UncertainOrApproximate)


def _precision(text: str) -> Precision:
    plain = text.rstrip(_SIGNS)
    if "T" in plain:
        return "instant"
    parts = plain.lstrip("-").split("-")
    if "X" in parts[0]:
        return "century" if parts[0].endswith("XX") else "decade"
    known = [part for part in parts if "X" not in part]
    if len(known) == 1:
        return "year"
    if len(known) == 2:
        return "season" if int(known[1]) > 12 else "month"
    return "day"


def _day(struct: Any) -> date:
    try:
        return date(struct.tm_year, struct.tm_mon, struct.tm_mday)
    except ValueError as error:
        raise EdtfError(Message("edtf.year-out-of-range", {"text": str(struct.tm_year)})) from error


_MONTHS: dict[str, int] = {"month": 1, "season": 3, "year": 12, "decade": 120, "century": 1200}


def _shift(day: date, precision: Precision, units: int) -> date:
    """Move a day by whole units of a precision; the last day of a month stays the last day."""
    if precision not in _MONTHS:
        return day + timedelta(days=units)
    index = day.year * 12 + day.month - 1 + units * _MONTHS[precision]
    year, month = index // 12, index % 12 + 1
    length = monthrange(year, month)[1]
    is_last = day.day == monthrange(day.year, day.month)[1]
    return date(year, month, length if is_last else min(day.day, length))


Validity = Literal["yes", "maybe", "no"]


def valid_on(since: EdtfDate | None, until: EdtfDate | None, first: date | None, last: date | None) -> Validity:
    """Whether a stake or tie from ``since`` to ``until`` held on the days ``first`` to ``last``, both inclusive.

    ``until`` is the first day on which it no longer holds, so that a stake until a day and its successor since that
    day do not overlap. A missing ``since`` or ``until`` is open; a missing day is any day.

    Returns
    -------
    Validity
        "yes" if it held on each of the days, however the dates are read; "no" if it held on none of them, however the
        dates are read; else "maybe".
    """
    began = since is None or since.latest is None or (first is not None and since.latest <= first)
    lasted = until is None or until.earliest is None or (last is not None and last < until.earliest)
    if began and lasted:
        return "yes"
    never_began = since is not None and since.earliest is not None and last is not None and last < since.earliest
    was_over = until is not None and until.latest is not None and first is not None and first >= until.latest
    return "no" if never_began or was_over else "maybe"


def valid_as_stated(since: str | None, until: str | None, first: date | None, last: date | None) -> Validity:
    """Whether a stake or tie held on the days ``first`` to ``last``, its dates given as EDTF texts (see `valid_on`).

    Raises
    ------
    EdtfError
        If a text is no EDTF level 1 value.
    """
    return valid_on(parse(since) if since else None, parse(until) if until else None, first, last)
