"""Texts that people and programs ask with, read to values: boxes and days."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from layers.collection import Box

#: Longest text that is read.
MAX_LENGTH = 200


class BadParameter(ValueError):
    """A request parameter that cannot be read."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name}={str(value)[:100]!r}: expected {expected}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Days:
    """Two days, inclusive; ``None`` is open."""

    first: date | None = None
    last: date | None = None


def parse_bbox(text: str) -> Box:
    """Read west,south,east,north in degrees (OGC 17-069r4, 7.15.3).

    Raises
    ------
    BadParameter
        If it is not 4 or 6 finite numbers within the ranges of longitude and latitude, south at most north.
    """
    expected = "west,south,east,north in degrees, such as 28,45,33,48"
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise BadParameter("bbox", text, expected) from None
    if len(numbers) == 6:
        numbers = [*numbers[0:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise BadParameter("bbox", text, expected)
    west, south, east, north = numbers
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90 or south > north:
        raise BadParameter("bbox", text, f"{expected}; longitudes to 180, latitudes to 90, south at most north")
    return west, south, east, north


def parse_days(text: str) -> Days:
    """Read a datetime parameter (OGC 17-069r4, 7.15.4) to whole days in UTC.

    Raises
    ------
    BadParameter
        If it is neither a date, a date-time, nor an interval of them that ends after it starts.
    """
    parts = text.split("/")
    if len(parts) > 2 or parts in ([""], ["", ""], ["..", ".."], [".."]):
        raise BadParameter("datetime", text, "a date such as 2025-08-08, or an interval such as 2025-08-01/..")
    found = [None if part in ("", "..") and len(parts) == 2 else _day(part, text) for part in parts]
    first, last = found[0], found[-1]
    if first and last and last < first:
        raise BadParameter("datetime", text, "an interval that ends after it starts")
    return Days(first, last)


_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}([Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?")


def _day(part: str, text: str) -> date:
    try:
        if not _RFC3339.fullmatch(part):
            raise ValueError(part)
        found = datetime.fromisoformat(part.upper())
        return found.astimezone(UTC).date() if found.tzinfo else found.date()
    except (ValueError, OverflowError):
        raise BadParameter("datetime", text, "RFC 3339 dates such as 2025-08-08 or 2025-08-08T04:06:00Z") from None
