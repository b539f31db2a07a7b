"""Coordinates as people write them in one cell: degrees, minutes and seconds, pairs, and lists of pairs."""

from __future__ import annotations

import re
from typing import Literal

import shapely
from shapely.geometry.base import BaseGeometry

#: Which of a pair comes first.
AxisOrder = Literal["latlon", "lonlat"]

_POINT_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_COMMA_DECIMAL = re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?")
_HAS_POINT = re.compile(r"[0-9]\.[0-9]")
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
    point.

    Returns a Point, LineString or MultiLineString in lon/lat degrees (OGC:CRS84). It may lie
    off the globe.
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
    if len(numbers) < 2 or len(numbers) % 2:
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
