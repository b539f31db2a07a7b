"""Any answer as people read it: its members as terms, its lists of alike members as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from api.exports.text import page_text
from api.http.json import Json
from api.wording.catalogue import ENGLISH, phrase
from api.wording.dates import DATED, date_in_words
from layers.disclosure.ruling import left_out

#: The largest number of columns of a table; a list of members with more is shown one after another.
_MAX_COLUMNS = 24
#: The largest number of letters of values that are shown in one line.
_MAX_LINE = 40


def plain(value: Any, language: str = ENGLISH) -> str:
    """Write a JSON value as text: whole numbers without decimals, yes and no in words, objects and lists as JSON."""
    if isinstance(value, bool):
        return phrase("html.answer.yes" if value else "html.answer.no", language)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return orjson.dumps(value).decode()


class TextPart(NamedTuple):
    """A value as text, with an address where it is one; empty for null and for empty lists."""

    text: str
    address: str | None = None
    kind: str = "text"


class TablePart(NamedTuple):
    """Members with like names and plain values: the names, and the cells of each row."""

    head: Sequence[str]
    rows: Sequence[Sequence[Sequence[TextPart]]]
    kind: str = "table"


class LinePart(NamedTuple):
    """A few short texts beside each other."""

    parts: Sequence[TextPart]
    kind: str = "line"


class ListPart(NamedTuple):
    """Parts one after another."""

    parts: Sequence[Any]
    kind: str = "several"


class TermsPart(NamedTuple):
    """The members of an object, each a name and a part."""

    pairs: Sequence[tuple[str, Any]]
    kind: str = "terms"


DocumentPart = TextPart | LinePart | TablePart | ListPart | TermsPart


def terms_of(value: Any, language: str = ENGLISH) -> DocumentPart:
    """Lay out a JSON value; geometries and lists within lists stay JSON."""
    if isinstance(value, Mapping):
        if "coordinates" in value:
            return TextPart(plain(value))
        return TermsPart([(_words(name), terms_of(part, language)) for name, part in _worded(value, language).items()])
    if isinstance(value, list | tuple):
        return _listed(list(value), language)
    return _text(value, language)


def _listed(values: list[Any], language: str) -> TextPart | LinePart | TablePart | ListPart:
    if all(isinstance(part, Mapping) for part in values) and values:
        flat = [dict(_flat(part, language)) for part in values]
        head = list(dict.fromkeys(name for part in flat for name in part))
        is_table = all(_is_plain(value) for part in flat for value in part.values())
        if len(values) > 1 and len(head) <= _MAX_COLUMNS and is_table:
            return TablePart(head, [[_cell(part.get(name), language) for name in head] for part in flat])
        return ListPart([terms_of(part, language) for part in values])
    if any(isinstance(part, list | tuple | Mapping) for part in values):
        return TextPart(plain(values))
    if not values:
        return TextPart("")
    parts = [_text(part, language) for part in values]
    # A pair of bounds, or a few codes, are read in one line.
    return LinePart(parts) if sum(len(part.text) + 2 for part in parts) <= _MAX_LINE else ListPart(parts)


def _flat(value: Json, language: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the members of an object and of the objects in it, under the names of all objects that hold them."""
    for name, part in _worded(value, language).items():
        if isinstance(part, dict) and "coordinates" not in part:
            yield from _flat(part, language, f"{prefix}{_words(name)} ")
        else:
            yield f"{prefix}{_words(name)}", plain(part) if isinstance(part, Mapping) else part


def _worded(value: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """Return an object with its dates in words, also where it is a claim on a date, and saying what is withheld."""
    dated = {name for name in DATED & value.keys() if isinstance(value[name], str)}
    # The schema of claims has members of these names, which are objects.
    field, claimed = value.get("field"), value.get("value")
    if isinstance(field, str) and isinstance(claimed, str) and field in DATED:
        dated.add("value")
    # Schemas have a member of this name, which is an object.
    names = left_out(value) if isinstance(value.get("withheld"), list | tuple) else ()
    hidden = dict.fromkeys(names, page_text("withheldValue", language))
    return {
        name: date_in_words(part, language) if name in dated else part or hidden.get(name, part)
        for name, part in value.items()
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return not any(isinstance(part, list | tuple | Mapping) for part in value)
    return not isinstance(value, Mapping)


def _cell(value: Any, language: str) -> list[TextPart]:
    return [_text(part, language) for part in value] if isinstance(value, list | tuple) else [_text(value, language)]


def _text(value: Any, language: str) -> TextPart:
    if value is None or value == "":
        return TextPart("")
    text = plain(value, language)
    return TextPart(text, text if re.match(r"https?://[^{}\s]+$", text, re.IGNORECASE) else None)


def _words(name: str) -> str:
    return name.replace("_", " ")
