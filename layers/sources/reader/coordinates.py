"""How people write places and days in one cell: degrees, minutes and seconds, pairs of them; days, months and years."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import shapely
from shapely.geometry.base import BaseGeometry

from layers.model import edtf

#: Which of a pair comes first.
AxisOrder = Literal["latlon", "lonlat"]

_POINT_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_COMMA_DECIMAL = re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?")
_HAS_POINT = re.compile(r"[0-9]\.[0-9]")
#: Two numbers with decimal commas, which are two pairs of whole degrees where commas are no decimal signs.
_TWO_COMMA_DECIMALS = re.compile(r"[^0-9,.]*[0-9]+,[0-9]+(?:,|[^0-9,.]+)[0-9]+,[0-9]+[^0-9,.]*")
#: What may stand between the numbers of a list of pairs.
_BETWEEN = re.compile(r"[\s,;:|/()\[\]°]*")
#: Words of a hemisphere: its axis, and its sign.
_HEMISPHERES = {
    "n": ("lat", 1), "s": ("lat", -1), "e": ("lon", 1), "w": ("lon", -1), "o": ("lon", 1),
    "с": ("lat", 1), "пн": ("lat", 1), "ю": ("lat", -1), "пд": ("lat", -1),
    "в": ("lon", 1), "сх": ("lon", 1), "з": ("lon", -1), "зх": ("lon", -1),
}  # fmt: skip
_ANGLE_WORDS = {"ш", "д", "lat", "lon", "lng", "latitude", "longitude", "deg", "long"}
_ANGLE_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)?|[^\W\d_]+|[^\w\s.]")
#: Longest text of one angle.
_ANGLE_LENGTH = 60


def parse_angle(text: str) -> float | None:
    """Return the degrees of one angle; None for any other text.

    Degrees, minutes and seconds with or without signs and a hemisphere in English, German, Ukrainian or Russian
    letters: ``46°28′30″N``, ``46 28 30 N``, ``N46.475``, ``30,72° E``. South and west are negative.
    """
    angle = _angle(text.casefold()) if len(text) <= _ANGLE_LENGTH else None
    return None if angle is None else angle[0]


def _angle(text: str) -> tuple[float, str | None] | None:
    """Return the degrees of an angle in small letters and its axis, where a hemisphere says it."""
    sign, axis = 1, None
    parts: list[float] = []
    for token in _ANGLE_TOKEN.findall(text):
        if token[0].isdecimal():
            parts.append(float(token.replace(",", ".")))
        elif token in _HEMISPHERES and axis is None:
            axis, turn = _HEMISPHERES[token]
            sign *= turn
        elif token in "-−" and not parts:
            sign = -sign
        elif token not in "+°º′'’`″\"”“´" and token not in _ANGLE_WORDS:
            return None
    if not 1 <= len(parts) <= 3 or any(part >= 60 for part in parts[1:]):
        return None
    return sign * sum(part / 60**place for place, part in enumerate(parts)), axis


def parse_positions(text: str, order: AxisOrder, decimal: str = ".") -> BaseGeometry | None:
    """Return a point of one pair of degrees, a line of several; None for any other text.

    ``text``: pairs with any of ``, ; : | / ( ) [ ]`` or spaces between the numbers, JSON arrays among them, or two
    angles with minutes or hemispheres. Where pairs are joined by ``:`` and lines by ``;`` there are several lines.
    ``order``: which comes first; hemispheres overrule it. ``decimal``: decimal sign where the text has no decimal
    point. Where it is a point, ``46,48; 30,72`` is none: it may be one place with decimal commas, or two of whole
    degrees.

    Returns a Point, LineString or MultiLineString in lon/lat degrees (OGC:CRS84). It may lie off the globe.
    """
    if ":" in text and ";" in text:
        lines = [_line(part, order, decimal) for part in text.split(";") if part.strip()]
        whole = [line for line in lines if isinstance(line, shapely.LineString)]
        if not whole or len(whole) < len(lines):
            return None
        return whole[0] if len(whole) == 1 else shapely.MultiLineString(whole)
    return _line(text, order, decimal)


def _line(text: str, order: AxisOrder, decimal: str) -> BaseGeometry | None:
    pattern = _COMMA_DECIMAL if decimal == "," and not _HAS_POINT.search(text) else _POINT_DECIMAL
    lowered = text.casefold().replace("−", "-")
    if not _BETWEEN.fullmatch(pattern.sub("", lowered)):
        return _point_of_angles(lowered, order)
    numbers = [float(number.replace(",", ".")) for number in pattern.findall(lowered)]
    is_doubtful = pattern is _POINT_DECIMAL and _TWO_COMMA_DECIMALS.fullmatch(lowered)
    if is_doubtful or len(numbers) < 2 or len(numbers) % 2:
        return None
    pairs = list(zip(numbers[0::2], numbers[1::2], strict=True))
    positions = pairs if order == "lonlat" else [(lon, lat) for lat, lon in pairs]
    return shapely.Point(positions[0]) if len(positions) == 1 else shapely.LineString(positions)


def _point_of_angles(text: str, order: AxisOrder) -> shapely.Point | None:
    if len(text) > 2 * _ANGLE_LENGTH:
        return None
    for halves in _halves(text):
        angles = [_angle(half) for half in halves]
        if None in angles:
            continue
        (first, first_axis), (second, second_axis) = angles  # type: ignore[misc]
        if first_axis is not None and first_axis == second_axis:
            return None
        is_lon_first = first_axis == "lon" or second_axis == "lat" or (order == "lonlat" and first_axis is None)
        return shapely.Point(first, second) if is_lon_first else shapely.Point(second, first)
    return None


def _halves(text: str) -> list[tuple[str, str]]:
    """Return the ways to cut a text of two angles: at a sign between them, or behind the first hemisphere."""
    for sign in (";", "/", "|", ", ", ","):
        first, found, second = text.partition(sign)
        if found and second.count(sign) == 0:
            return [(first, second)]
    tokens = list(_ANGLE_TOKEN.finditer(text))
    letters = [token for token in tokens if token[0] in _HEMISPHERES]
    if len(letters) != 2:
        return []
    cut = letters[1].start() if letters[0].start() == tokens[0].start() else letters[0].end()
    after = text[cut:].lstrip(" .")
    if after.startswith(("ш", "д")):  # с. ш., в. д.
        cut = text.index(after[0], cut) + 1
    return [(text[:cut], text[cut:])]


_PARTS = {
    "YYYY": r"(?P<y>[0-9]{4})", "MM": r"(?P<m>[0-9]{2})", "M": r"(?P<m>[0-9]{1,2})", "DD": r"(?P<d>[0-9]{2})",
    "D": r"(?P<d>[0-9]{1,2})", "MON": r"(?P<m>[^\W\d_]{3,12})\.?",
}  # fmt: skip
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


#: The format of texts that are EDTF (level 1) already.
EDTF = "EDTF"
#: The signs of EDTF level 1: most texts have others, and need not be parsed.
_EDTF_SIGNS = frozenset("0123456789-/.?~%XYZT:+")
#: Words before the day that a night leads to, and the dash of an interval.
_NIGHT = re.compile(r"^(?:(?:в|у|in der) )?(?:ніч|ночь|nacht|night) (?:на|auf den|auf|zum|to) ", re.IGNORECASE)
_DASH = re.compile(r" ?[-–—] ?")
#: Most letters of an interval.
_MAX_INTERVAL = 60


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way to write a day, a month or a year, such as ``DD.MM.YYYY``; M and D take one or two digits.

    ``MON`` is the name of a month, whole or short, in English, German, Ukrainian or Russian. ``unix`` and ``unix-ms``
    are seconds and milliseconds since 1970, whose day is that of UTC. ``EDTF`` is EDTF itself.
    """

    text: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> DateFormat | None:
        """Parse a format; None for a text without YYYY, with D but no M, with a part twice, or with other letters."""
        if text == EDTF:
            return cls(text, re.compile(r"[-0-9/.?~%XYZT:+]{1,80}"))
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
        """Return the day, month or year of a text (EDTF), without its time of day; None for another format.

        Two of them with a dash between, of which the first may leave out what the second says (``17-18.08.2025``), are
        an interval, and so is the night that leads to a day (``ніч на 14.09.2025``): the day before it, and the day.
        """
        bare = _bare_day(text)
        night = _NIGHT.sub("", bare)
        if night != bare:
            return _night(self._single(night))
        return self._single(bare) or self._interval(bare)

    def _interval(self, text: str) -> str | None:
        if "YYYY" not in self.text or len(text) > _MAX_INTERVAL:
            return None
        for dash in _DASH.finditer(text):
            first, last = text[: dash.start()], text[dash.end() :]
            end = self._single(last)
            begins = (self._single(first + last[at:]) for at in range(len(last), -1, -1)) if end and first else ()
            begin = next(filter(None, begins), None)
            if begin and end and len(begin) == len(end) and begin < end:
                return f"{begin}/{end}"
        return None

    def _single(self, text: str) -> str | None:
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        if self.text == EDTF:
            return text if is_edtf_day(text) else None
        if self.text in _UNIX_TIMES:
            try:
                return datetime.fromtimestamp(float(match[0]) / _UNIX_TIMES[self.text], UTC).date().isoformat()
            except (ValueError, OverflowError, OSError):
                return None
        # What is no name of a month is month 0, which no date has.
        parts = {
            name: int(value) if value.isdecimal() else _MONTHS.get(value.casefold()[:3], 0)
            for name, value in match.groupdict().items()
        }
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


def _night(day: str | None) -> str | None:
    """Return the night that leads to a day, as an interval; None for what is no day."""
    if day is None or len(day) < len("2025-08-08"):
        return None
    return f"{date.fromisoformat(day) - timedelta(days=1)}/{day}"


def without_time(text: str) -> str:
    """Return a text without the time of day at its end."""
    return _TIME.sub("", text.strip())


def is_edtf_day(text: str) -> bool:
    """Whether a text is EDTF, a time of day behind it left out."""
    bare = without_time(text)
    if not _EDTF_SIGNS.issuperset(bare):
        return False
    try:
        edtf.parse(bare)
    except edtf.EdtfError:
        return False
    return True
