"""One parameter of a request: its name, its schema, and how its text becomes a value such as a number or days."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, overload

from pydantic import BeforeValidator

#: Letters of the longest text that is read.
MAX_LENGTH = 200


class BadParameter(ValueError):
    """A request parameter that cannot be read."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name}={str(value)[:100]!r}: expected {expected}")
        self.name = name


class Limits(Protocol):
    """Bounds that an operator sets and that schemas of parameters state."""

    @property
    def limit_default(self) -> int:
        """Features of a page where nothing else is given."""

    @property
    def limit_max(self) -> int:
        """Features of the largest page."""

    @property
    def url_max(self) -> int:
        """Bytes of the longest path with its query."""


Value = TypeVar("Value")
Default = TypeVar("Default")
Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True)
class RequestParameter(Generic[Value]):
    """One parameter: the request is read with it, and the API definition describes it.

    Parameters
    ----------
    parse
        Reads a text that is given under a name; raises `BadParameter`.
    schema
        Of the value as OpenAPI 3.0 spells it, or a function that gives it for the limits of a server.
    description
        For people who read the definition.
    component
        Name under which endpoints refer to one description; empty where each has its own.
    """

    name: str
    parse: Callable[[str, str], Value]
    schema: Mapping[str, Any] | Callable[[Limits], Mapping[str, Any]]
    description: str = ""
    example: object = None
    location: Literal["query", "path", "header"] = "query"
    component: str = ""

    @overload
    def read(self, query: Mapping[str, str]) -> Value | None: ...
    @overload
    def read(self, query: Mapping[str, str], default: Default) -> Value | Default: ...
    def read(self, query: Mapping[str, str], default: object = None) -> object:
        """Read the parameter from a query; the default where it is not given.

        Raises BadParameter if its text cannot be read.
        """
        return self.parse(self.name, query[self.name]) if self.name in query else default


@dataclass(frozen=True, slots=True)
class Days:
    """Two days, both included; ``None`` is an open end."""

    first: date | None = None
    last: date | None = None


def days_between(since: date | None, until: date | None) -> Days:
    """Return the days from one to another, both included.

    Raises BadParameter if the last day is before the first.
    """
    if since is not None and until is not None and until < since:
        raise BadParameter("until", until, f"a day that is not before {since}, which is since")
    return Days(since, until)


_YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_MONTH_DAY = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
#: Dates, times of day and zones (RFC 3339) as far as patterns can say them: 29 February is in every year.
DATE = f"{_YEAR}-{_MONTH_DAY}"
TIME = "[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}"
ZONE = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_MOMENT = rf"{DATE}({TIME}(\.[0-9]+)?{ZONE})?"
_MOMENTS = re.compile(_MOMENT)
#: A moment, or an interval with at most one open end; which end is the later one is beyond a pattern.
DATETIME_PATTERN = rf"^({_MOMENT}(/({_MOMENT}|\.\.)?)?|(\.\.)?/{_MOMENT})$"


def parse_days(text: str) -> Days:
    """Read a datetime parameter (OGC 17-069r4, 7.15.4) to whole days in UTC.

    Raises BadParameter if the text is neither a date, a date-time, nor an interval of them that ends after it starts.
    """
    parts = text.split("/")
    if len(parts) > 2 or parts in ([""], ["", ""], ["..", ".."], [".."]):
        raise BadParameter("datetime", text, "a date such as 2025-08-08, or an interval such as 2025-08-01/..")
    days = [None if part in ("", "..") and len(parts) == 2 else _day(part, text) for part in parts]
    first, last = days[0], days[-1]
    if first and last and last < first:
        raise BadParameter("datetime", text, "an interval that ends after it starts")
    return Days(first, last)


def _day(part: str, text: str) -> date:
    try:
        if not _MOMENTS.fullmatch(part):
            raise ValueError(part)
        instant = datetime.fromisoformat(part.upper())
    except ValueError:
        raise BadParameter("datetime", text, "RFC 3339 dates such as 2025-08-08 or 2025-08-08T04:06:00Z") from None
    return in_utc(instant).date() if instant.tzinfo else instant.date()


def in_utc(instant: datetime) -> datetime:
    """Return an instant in UTC; the first or last one there is where UTC would be beyond the years 1 to 9999."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return (datetime.min if instant.year == 1 else datetime.max).replace(tzinfo=UTC)


def must_match(pattern: re.Pattern[str], expected: str) -> BeforeValidator:
    """Make a validator of texts that match a pattern as a whole, where pydantic would read other spellings too.

    ``expected``: names the spelling in the error.
    """

    def checked(text: object) -> object:
        if isinstance(text, str) and not pattern.fullmatch(text):
            raise ValueError(f"expected {expected}")
        return text

    return BeforeValidator(checked)


_DIGITS = re.compile(r"-?[0-9]{1,20}")
#: A whole number; 1.0, +1 and 1_000 would be read too.
INTEGER_TEXT = must_match(_DIGITS, "a whole number in digits")


def parse_integer(name: str, text: str, minimum: int, maximum: int) -> int:
    """Read a whole number of decimal digits, bounds included.

    Raises BadParameter if the text is no such number, or the number is out of bounds.
    """
    expected = f"a whole number from {minimum} to {maximum}"
    if not _DIGITS.fullmatch(text) or not minimum <= int(text) <= maximum:
        raise BadParameter(name, text, expected)
    return int(text)


def parse_flag(name: str, text: str) -> bool:
    """Read true or false.

    Raises BadParameter if the text is neither.
    """
    if text not in ("true", "false"):
        raise BadParameter(name, text, "true or false")
    return text == "true"


def parse_text(name: str, text: str) -> str:
    """Take a text as it is."""
    return text


def integer_between(minimum: int, maximum: int) -> Callable[[str, str], int]:
    """Make a parser of whole numbers within bounds, both included."""
    return lambda name, text: parse_integer(name, text, minimum, maximum)


_NUMBER = re.compile(r"([0-9]{1,20})(\.[0-9]{1,20})?(e-[0-9]{1,3})?")


def number_between(minimum: int, maximum: int) -> Callable[[str, str], float]:
    """Make a parser of numbers within bounds that are not negative, both included, in as many digits as JSON writes."""

    def parse(name: str, text: str) -> float:
        digits = _NUMBER.fullmatch(text)
        if digits is None or len(digits[1]) > len(str(maximum)) or not minimum <= float(text) <= maximum:
            raise BadParameter(name, text, f"a number from {minimum} to {maximum}")
        return float(text)

    return parse


def one_of(choices: Sequence[Choice]) -> Callable[[str, str], Choice]:
    """Make a parser of texts that are one of those given."""

    def parse(name: str, text: str) -> Choice:
        if text not in choices:
            raise BadParameter(name, text, f"one of {', '.join(choices)}")
        return cast("Choice", text)

    return parse


def require_known_names(given: Iterable[tuple[str, str]], names: Sequence[str]) -> None:
    """Refuse query parameters that are not among the names, or are given twice.

    Raises BadParameter with the first such name.
    """
    seen: set[str] = set()
    for name, value in given:
        if name not in names:
            raise BadParameter(name[:80], value, f"one of the parameters {', '.join(names)}")
        if name in seen:
            raise BadParameter(name, value, "one value")
        seen.add(name)
