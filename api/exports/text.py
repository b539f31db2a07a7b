"""The English words of print: texts of the web page, read from its table, and dates, numbers and names in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from layers.ownership.percent import digits_of, percent_text
from layers.reference.basemap import Basemap

#: The page, its words and its table of symbols.
STATIC = Path(__file__).resolve().parents[2] / "static"
#: A gap of a text, to be filled by name.
_GAP = re.compile(r"\{(\w+)\}")
NO_BREAK = "\u00a0"


def read_texts(source: str) -> dict[str, str]:
    """Read the table of the page: names and texts as a JSON object."""
    texts: dict[str, str] = json.loads(source)
    return texts


TEXTS: Mapping[str, str] = MappingProxyType(read_texts((STATIC / "text.en.json").read_text(encoding="utf-8")))


def page_text(name: str, /, **gaps: object) -> str:
    """Return a text by its name, with its gaps filled.

    Raises
    ------
    KeyError
        If the page has no such text, or a gap is not filled.
    """
    return _GAP.sub(lambda gap: str(gaps[gap[1]]), TEXTS[name])


def word(prefix: str, value: str) -> str:
    """Return the text of a word from the data, such as a relation; the word itself where the page has no text."""
    return TEXTS.get(f"{prefix}{value}", value.replace("-", " ").replace("_", " "))


def counted(name: str, number: int) -> str:
    """Return a text that depends on a number, in the form for that number."""
    return page_text(f"{name}_{'one' if number == 1 else 'other'}", n=number)


def share(low: float, high: float, sites: int = 1) -> str:
    """Write a share of so many sites together in percent, or the range from its low end to its high end."""
    ends = [percent_text(end, digits_of(sites)) for end in (low, high)]
    return (ends[0] if ends[0] == ends[1] else "–".join(ends)) + f"{NO_BREAK}%"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: The basis of an ownership figure, in words.
RESTS_ON: Mapping[str, str] = MappingProxyType(
    {
        "decision": "decided by a person",
        "alternatives": "several possible sites",
        "match": "machine match, not reviewed",
        "nothing": "site not known",
    }
)

#: Marks of EDTF level 1 for an approximate or uncertain date, and the word for each.
_DOUBTS: Mapping[str, str] = MappingProxyType({"~": "about ", "?": "perhaps ", "%": "perhaps about "})
_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d{2}))?)?")


def date_in_words(when: str) -> str:
    """Put an EDTF day, month, year or an interval of them into words; any other text comes back as it is."""
    if when[-1:] in _DOUBTS and "/" not in when:
        return _DOUBTS[when[-1]] + date_in_words(when[:-1])
    parts = [_DATE.fullmatch(part) for part in when.split("/")]
    if len(parts) > 2 or None in parts:
        return when
    first, *rest = [match.groups() for match in parts if match]
    if not rest or rest[0] == first:
        return _day(*first)
    (year, month, day), (to_year, to_month, to_day) = first, rest[0]
    if day and to_day and (year, month) == (to_year, to_month):
        return f"{int(day)}–{_day(to_year, to_month, to_day)}"
    if day and to_day and year == to_year:
        return f"{_day('', month, day).strip()} – {_day(to_year, to_month, to_day)}"
    return f"{_day(year, month, day)} – {_day(to_year, to_month, to_day)}"


def _day(year: str, month: str | None, day: str | None) -> str:
    words = [str(int(day)) if day else "", MONTHS[int(month) - 1] if month else "", year]
    return " ".join(word for word in words if word)


def quantity(number: int, singular: str) -> str:
    """Write a number with its noun: "1 strike", "2 strikes"."""
    return f"{number:,} {singular if number == 1 else singular + 's'}"


def shortened(names: Sequence[str], limit: int) -> str:
    """Join distinct names in their order, without brackets at their ends; those after ``limit`` are only counted."""
    distinct = list(dict.fromkeys(_without_bracket(name) for name in names if name))
    rest = len(distinct) - limit
    return ", ".join(distinct[:limit]) + (f" and {quantity(rest, 'other')}" if rest > 0 else "")


def _without_bracket(name: str) -> str:
    """Return a name without the round brackets that end it, and the spaces before them."""
    before, opened, inside = name.removesuffix(")").rpartition("(")
    return before.rstrip(" ") if opened and name.endswith(")") and ")" not in inside else name


def with_country_names(shares: str, names: Mapping[str, str]) -> str:
    """Put country names for the codes of an owners text: "RU 47.3, US 0-22.5" is "Russia 47.3, United States 0–22.5".

    No-break spaces tie each name to its figure. A code without a name stays.
    """
    spelled = re.sub(r"\b[A-Z]{2}\b", lambda code: names.get(code[0], code[0]), shares)
    return re.sub(r" (?=\d)", "\u00a0", re.sub(r"(?<=\d)-(?=\d)", "–", spelled))


def country_names(basemap: Basemap) -> dict[str, str]:
    """English names of countries by ISO 3166-1 code; where land elsewhere has the same code, the country's own."""
    countries = basemap.countries
    least_first = sorted(range(len(countries.iso_a2)), key=lambda row: -int(countries.label_rank[row]))
    rows = [row for row in least_first if countries.iso_a2[row] is not None]
    return {str(countries.iso_a2[row]): str(countries.name_en[row]) for row in rows}
