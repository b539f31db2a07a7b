"""Any other answer as people read it: its members as terms, its lists of alike members as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson


def plain(value: Any) -> str:
    """A value as text: numbers without needless decimals, yes and no, objects as JSON, all else as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return orjson.dumps(value).decode()


Json = Mapping[str, Any]

#: Most columns of a table.
_MOST = 24
#: Letters of what is told in one line.
_LINE = 40


class Text(NamedTuple):
    """Something plain; with an address where it is one. Empty for null and for empty lists."""

    text: str
    address: str | None = None
    kind: str = "text"


class Table(NamedTuple):
    """Members that are alike and plain: names of the columns, and the cells of each row."""

    head: Sequence[str]
    rows: Sequence[Sequence[Sequence[Text]]]
    kind: str = "table"


class Line(NamedTuple):
    """A few short texts."""

    parts: Sequence[Text]
    kind: str = "line"


class Several(NamedTuple):
    """Several parts, one after another."""

    parts: Sequence[Any]
    kind: str = "several"


class Terms(NamedTuple):
    """Members by name."""

    pairs: Sequence[tuple[str, Any]]
    kind: str = "terms"


def told_of(value: Any) -> Text | Line | Table | Several | Terms:
    """How a value of JSON is told; geometries and other nested lists stay JSON."""
    if isinstance(value, Mapping):
        if "coordinates" in value:
            return Text(plain(value))
        return Terms([(_words(name), told_of(part)) for name, part in value.items()])
    if isinstance(value, list | tuple):
        return _listed(list(value))
    return _text(value)


def _listed(value: list[Any]) -> Text | Line | Table | Several:
    if all(isinstance(part, Mapping) for part in value) and value:
        flat = [dict(_flat(part)) for part in value]
        head = list(dict.fromkeys(name for part in flat for name in part))
        if len(value) > 1 and len(head) <= _MOST and all(_is_plain(one) for part in flat for one in part.values()):
            return Table(head, [[_cell(part.get(name)) for name in head] for part in flat])
        return Several([told_of(part) for part in value])
    if any(isinstance(part, list | tuple | Mapping) for part in value):
        return Text(plain(value))
    if not value:
        return Text("")
    parts = [_text(part) for part in value]
    # A pair of bounds, or a few codes, are read in one line.
    return Line(parts) if sum(len(part.text) + 2 for part in parts) <= _LINE else Several(parts)


def _flat(value: Json, above: str = "") -> Iterator[tuple[str, Any]]:
    """Members of members by all their names."""
    for name, part in value.items():
        if isinstance(part, Mapping) and "coordinates" not in part:
            yield from _flat(part, f"{above}{_words(name)} ")
        else:
            yield f"{above}{_words(name)}", plain(part) if isinstance(part, Mapping) else part


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return not any(isinstance(part, list | tuple | Mapping) for part in value)
    return not isinstance(value, Mapping)


def _cell(value: Any) -> list[Text]:
    return [_text(part) for part in value] if isinstance(value, list | tuple) else [_text(value)]


def _text(value: Any) -> Text:
    if value is None or value == "":
        return Text("")
    told = plain(value)
    return Text(told, told if re.match(r"https?://[^{}\s]+$", told, re.IGNORECASE) else None)


def _words(name: str) -> str:
    return name.replace("_", " ")
