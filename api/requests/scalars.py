"""Texts that people and programs ask with, read to values: days, numbers and flags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import BeforeValidator

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


def written_as(pattern: re.Pattern[str], expected: str) -> BeforeValidator:
    """Make a parameter be written as a pattern has it, where pydantic reads it in other forms too."""

    def checked(text: object) -> object:
        if isinstance(text, str) and not pattern.fullmatch(text):
            raise ValueError(f"expected {expected}")
        return text

    return BeforeValidator(checked)


_DIGITS = re.compile(r"-?[0-9]{1,20}")
#: A whole number; 1.0, +1 and 1_000 would be read too.
IN_DIGITS = written_as(_DIGITS, "a whole number in digits")


def parse_whole(name: str, text: str, least: int, most: int) -> int:
    """Read a whole number of decimal digits.

    Raises
    ------
    BadParameter
        If it is none, or out of bounds.
    """
    expected = f"a whole number from {least} to {most}"
    if not _DIGITS.fullmatch(text):
        raise BadParameter(name, text, expected)
    if not least <= int(text) <= most:
        raise BadParameter(name, text, expected)
    return int(text)


def parse_flag(name: str, text: str) -> bool:
    """Read true or false.

    Raises
    ------
    BadParameter
        If it is neither.
    """
    if text not in ("true", "false"):
        raise BadParameter(name, text, "true or false")
    return text == "true"
