"""Conditions of a selection as the parameters of the HTTP API have them, so that both select alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from api.requests.parameters import BadParameter, days_between
from layers.model import edtf

#: A day, or a year, a month or a day as ISO 8601 writes it.
Day = date | str
#: What a column of a layer must equal, a list contain.
Condition = str | float | bool | date


def query_of(
    *,
    since: Day | None = None,
    until: Day | None = None,
    bbox: Sequence[float] | None = None,
    **others: Condition | None,
) -> dict[str, str]:
    """Return conditions as parameters of a query; what is ``None`` is left out.

    Parameters
    ----------
    since, until
        The first and the last day, both included: a year or month begins with its first day and ends with its last.
    bbox
        West, south, east, north in degrees (OGC:CRS84).
    others
        Other parameters by name: texts as they are, numbers, flags and days as the API writes them.

    Raises
    ------
    BadParameter
        If a day is none, or the last is before the first.
    """
    query = {name: _text(value) for name, value in others.items() if value is not None}
    if bbox is not None:
        query["bbox"] = ",".join(_text(float(degrees)) for degrees in bbox)
    first, last = day_of("since", since), day_of("until", until, last=True)
    days_between(first, last)
    if first or last:
        query["datetime"] = f"{first or '..'}/{last or '..'}"
    return query


def day_of(name: str, stated: Day | None, *, last: bool = False) -> date | None:
    """Return the first or the last day of what is stated under a name.

    Raises `BadParameter` if it is no date, or one with an open end.
    """
    if stated is None:
        return None
    if isinstance(stated, date):
        return stated.date() if isinstance(stated, datetime) else stated
    try:
        parsed = edtf.parse(stated)
        day = parsed.latest if last else parsed.earliest
    except edtf.EdtfError:
        day = None
    if day is None:
        raise BadParameter(name, stated, "a year, month or day such as 2025, 2025-08 or 2025-08-08")
    return day


def _text(value: Condition) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, (int, float)) else str(value)
