"""EDTF dates in words that say no more than they do: no month is printed as days. `static/edtf.js` says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from api.wording.catalogue import ENGLISH, phrase
from layers.model import edtf

#: Columns of records and members of answers that hold EDTF dates.
DATED = frozenset({"when", "since", "until", "published", "retrieved", "capacity_on"})
#: Signs of a date that is approximate, uncertain, or both (EDTF level 1), and the code of the words for each.
_SIGNS: Mapping[str, str] = MappingProxyType({"~": "date.about", "?": "date.perhaps", "%": "date.perhaps-about"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def date_in_words(text: str | None, language: str = ENGLISH) -> str:
    """Put an EDTF level 1 date, time or interval into words.

    Parameters
    ----------
    text
        Such as ``2025-08-06``, ``2022-03~`` or ``2022-03-05/..``. A text that is no EDTF is words of a source and comes
        back as it is; ``None`` and an empty text are a date that is not known.
    """
    if not text:
        return phrase("date.unknown", language)
    try:
        edtf.parse(text)
    except edtf.EdtfError:
        return text
    first, slash, last = text.partition("/")
    if not slash:
        return _single(text, language)
    if last in ("", ".."):
        return phrase("date.later", language, date=_single(first, language))
    if first in ("", ".."):
        return phrase("date.earlier", language, date=_single(last, language))
    return _range(first, last, language)


def span_in_words(first: object, last: object, when: str, language: str = ENGLISH) -> str:
    """Put some of the days that a date may mean into words.

    Parameters
    ----------
    first, last
        First and last of these days, ``None`` is open.
    when
        The EDTF date. An end of what it may mean is said as a day only where the date states one: of "about March 2022"
        the days up to 14 March are "14 March 2022 or earlier".
    """
    stated, (start, *_), (*_, end) = edtf.parse(when), when.split("/"), when.split("/")
    if not _DAY.fullmatch(start) and str(first) == str(stated.earliest):
        first = None
    if not _DAY.fullmatch(end) and str(last) == str(stated.latest):
        last = None
    if first is None and last is None:
        return date_in_words(when, language)
    return date_in_words(str(first) if first == last else f"{first or '..'}/{last or '..'}", language)


def _range(first: str, last: str, language: str) -> str:
    if not (_DAY.fullmatch(first) and _DAY.fullmatch(last)):
        return phrase("date.between", language, first=_single(first, language), last=_single(last, language))
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    if start == end:
        return _day(end, language)
    if (start.year, start.month) == (end.year, end.month):
        return phrase("date.days", language, first=start.day, last=_day(end, language))
    said = _day(start, language) if start.year != end.year else _day_of_month(start, language)
    return phrase("date.days-apart", language, first=said, last=_day(end, language))


def _single(text: str, language: str) -> str:
    sign = _SIGNS.get(text[-1])
    said = _plain(text[:-1] if sign else text, language)
    return phrase(sign, language, date=said) if sign else said


def _plain(text: str, language: str) -> str:
    """Word a date without a sign; of a time of day its day."""
    year, *rest = text.partition("T")[0].split("-")
    month, day = (part if part != "XX" else "" for part in (*rest, "", "")[:2])
    if "X" in year:
        return _years(year, language)
    if not month:
        return year
    if int(month) > 12:
        return phrase("date.season", language, season=phrase(f"date.season-{month}", language), year=year)
    if not day:
        return phrase("date.month", language, month=phrase(f"date.month-{month}", language), year=year)
    return _day(date(int(year), int(month), int(day)), language)


def _years(year: str, language: str) -> str:
    """Word a year of which digits are not known: a decade by its name, more years by the first and the last."""
    if year.count("X") == 1:
        return phrase("date.decade", language, year=year.replace("X", "0"))
    return phrase("date.between", language, first=year.replace("X", "0"), last=year.replace("X", "9"))


def _day(day: date, language: str) -> str:
    return phrase("date.day", language, day=_day_of_month(day, language), year=f"{day.year:04}")


def _day_of_month(day: date, language: str) -> str:
    return phrase(f"date.day-{day.month:02}", language, day=day.day)
