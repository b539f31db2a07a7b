"""How files write days, months and years: formats that a column mapping declares, and their EDTF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

_PARTS = {
    "YYYY": r"(?P<y>[0-9]{4})",
    "MM": r"(?P<m>[0-9]{2})",
    "M": r"(?P<m>[0-9]{1,2})",
    "DD": r"(?P<d>[0-9]{2})",
    "D": r"(?P<d>[0-9]{1,2})",
    "MON": r"(?P<m>[^\W\d_]{3,12})\.?",
}
_TOKEN = re.compile(r"YYYY|MON|MM|M|DD|D|[^A-Za-z]")
#: First letters of the months in English, German, Ukrainian and Russian.
_MONTHS: Mapping[str, int] = {
    start: number
    for number, starts in enumerate(
        (
            "jan jän січ янв", "feb лют фев", "mar mär mrz бер мар", "apr кві апр", "may mai тра май мая",
            "jun чер июн", "jul лип июл", "aug сер авг", "sep вер сен", 
            "oct okt жов окт", "nov лис ноя", "dec dez гру дек",
        ),
        1,
    )
    for start in starts.split()
}  # fmt: skip
#: Numbers of seconds and milliseconds since 1970 (Unix time), as formats of days.
_UNIX_TIMES: Mapping[str, int] = {"unix": 1, "unix-ms": 1000}
#: A time of day behind a day; it is dropped.
_TIME = re.compile(
    r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(\s*[AaPp][Mm])?"
    r"\s*(Z|UTC|GMT|MSK|EES?T|CES?T|[+-][0-9]{2}:?[0-9]{2})?$"
)


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way to write a day, a month or a year, such as ``DD.MM.YYYY``; M and D take one or two digits.

    ``MON`` is the name of a month, whole or short, in English, German, Ukrainian or Russian. ``unix`` and ``unix-ms``
    are seconds and milliseconds since 1970, whose day is that of UTC.
    """

    text: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> DateFormat | None:
        """Parse a format; None for a text without YYYY, with D but no M, with a part twice, or with other letters."""
        if text in _UNIX_TIMES:
            return cls(text, re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?"))
        tokens = _TOKEN.findall(text)
        kinds = [token[0] for token in tokens if token in _PARTS]
        if "".join(tokens) != text or len(set(kinds)) != len(kinds) or "Y" not in kinds:
            return None
        if "D" in kinds and "M" not in kinds:
            return None
        return cls(text, re.compile("".join(_PARTS.get(token, re.escape(token)) for token in tokens)))

    def edtf(self, text: str) -> str | None:
        """Return the day, month or year of a text (EDTF), without its time of day; None for another format."""
        match = self.pattern.fullmatch(_bare_day(text))
        if match is None:
            return None
        if self.text in _UNIX_TIMES:
            return _unix_day(float(match[0]) / _UNIX_TIMES[self.text])
        parts = {name: _part(value) for name, value in match.groupdict().items()}
        try:
            day = date(parts["y"], parts.get("m", 1), parts.get("d", 1))
        except ValueError:
            return None
        return day.isoformat()[: {1: 4, 2: 7, 3: 10}[len(parts)]]


#: Words for "year" behind a year in Ukrainian and Russian.
_YEAR_WORDS = (" року", " года", " р.", " г.", " р", " г")


def _bare_day(text: str) -> str:
    """Return a text without its time of day, a day of the week before it and a word for "year" behind it."""
    bare = without_time(text).rstrip(", ")
    weekday, comma, rest = bare.partition(",")
    bare = rest.strip() if comma and weekday.rstrip(".").isalpha() else bare
    for word in _YEAR_WORDS:
        bare = bare.removesuffix(word)
    return bare


def _part(text: str) -> int:
    """Return the number of a year, month or day; 0 for what is no name of a month."""
    return int(text) if text.isdecimal() else _MONTHS.get(text.casefold()[:3], 0)


def _unix_day(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def without_time(text: str) -> str:
    """Return a text without the time of day at its end."""
    return _TIME.sub("", text.strip())
