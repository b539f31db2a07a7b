"""One row of someone's file as a column mapping reads it: words, days, numbers and a place; every fault of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.columns import Column
from layers.sources.reader.column_mapping import DATES, PLACE_COLUMNS, REFERENCES, REST, ColumnMapping, is_list
from layers.sources.reader.date_formats import without_time
from layers.sources.reader.named_companies import slug

#: Numbers by their decimal sign. Spaces, and points before a comma, stand between thousands only.
_NUMBERS = {
    ".": re.compile(r"[+-]?([0-9]{1,3}([ \u00a0\u202f][0-9]{3})+|[0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?"),
    ",": re.compile(r"[+-]?([0-9]{1,3}([ \u00a0\u202f.][0-9]{3})+|[0-9]*)(,[0-9]*)?([eE][+-]?[0-9]+)?"),
}
_THOUSANDS = {".": " \u00a0\u202f", ",": " \u00a0\u202f."}

#: Longer than the well-known text of any point.
_POINT_LENGTH = 100


class Fault(NamedTuple):
    """One cell that cannot be read: its column in the file, what stands there, what was expected."""

    column: str
    value: str
    expected: str


class MappedRow:
    """The values of one row, by record column.

    While they are read, ``faults`` fill, and ``unread`` with the record columns that these concern.
    """

    def __init__(
        self, mapping: ColumnMapping, known: Mapping[str, Column], dataset: str, cells: Mapping[str, str]
    ) -> None:
        self._mapping, self._known, self._dataset = mapping, known, dataset
        texts = {name: cells.get(theirs, "").strip() for name, theirs in mapping.columns.items()}
        self._texts = {name: text for name, text in texts.items() if text}
        self.faults: list[Fault] = []
        self.unread: set[str] = set()

    def id(self) -> str:
        """The record's id; a row must have one."""
        text = self._texts.get("id", "")
        if not text:
            self.fault("id", "(missing)", "an id that no other row has")
        return record_id(self._dataset, text) if text else "(no id)"

    def values(self) -> dict[str, Any]:
        """Values of the record's columns but its id, place and sources; an empty cell gives way to the constant."""
        found = {name: value for name, value in self._mapping.constants.items() if name in self._known}
        for name, text in self._texts.items():
            root, _, key = name.partition(".")
            if key:
                found[root] = {**found.get(root, {}), key: text}
            elif name in self._known and name not in ("id", "geometry"):
                found[name] = self._value(name, text)
        return {name: value for name, value in found.items() if value is not None}

    def words(self, name: str) -> tuple[str, ...]:
        """The words of a cell, each once: several where the mapping says what stands between them."""
        text = self._texts.get(name)
        if text is None:
            fixed = self._mapping.constants.get(name)
            return () if fixed is None else (str(fixed),)
        sign = self._mapping.lists.get(name)
        parts = [part.strip() for part in text.split(sign)] if sign else [text]
        found = [self._word(name, part) for part in parts if part]
        return tuple(dict.fromkeys(word for word in found if word))

    def geometry(self, shape: BaseGeometry | None) -> Any:
        """Where the row is: the feature's own shape, well-known text, or degrees; None where it does not say."""
        found: Any = shape if shape is not None else self._texts.get("wkt") or self._texts.get("geometry")
        if found is None:
            found = self._point()
        if isinstance(found, str) and len(found) < _POINT_LENGTH:
            found = shapely.from_wkt(found, on_invalid="ignore") or found
        if isinstance(found, shapely.Point) and found.x == found.y == 0:
            self.fault("geometry", "0, 0", "a place; 0, 0 is what failed geocoding leaves")
            return None
        return found

    def _point(self) -> shapely.Point | None:
        lon, lat = (self._degrees(name) for name in ("lon", "lat"))
        if (lon is None) != (lat is None) and not self.unread & {"lon", "lat"}:
            self.fault("lon" if lon is None else "lat", "(missing)", "degrees, or neither lon nor lat")
        return None if lon is None or lat is None else shapely.Point(lon, lat)

    def _degrees(self, name: str) -> float | None:
        fixed = self._mapping.constants.get(name)
        return self._number(name, self._texts[name]) if name in self._texts else fixed

    def _value(self, name: str, text: str) -> Any:
        if is_list(self._mapping.noun, name):
            return self.words(name) or None
        words = self._mapping.values.get(name)
        # Days and ids are too many to list: what a values table does not have is read as without one.
        is_open = name in DATES or name in REFERENCES
        if words is not None and (text in words or REST in words or not is_open):
            return self._word(name, text)
        if name in DATES:
            return self._date(name, text)
        if name in REFERENCES:
            return record_id(self._dataset, text)
        return self._number(name, text) if self._known[name].type in ("number", "integer") else text

    def _word(self, name: str, text: str) -> str | None:
        """A word of the schema for one of the file; None where it says nothing."""
        words = self._mapping.values.get(name)
        if words is None:
            return text
        found = words.get(text, words.get(REST))
        if found is None:
            self.fault(name, text, f"one of [values.{name}]: {', '.join(list(words)[:12])}")
        return found or None

    def _date(self, name: str, text: str) -> str | None:
        formats = self._mapping.dates.get(name)
        if not formats:
            return without_time(text)
        found = next((day for one in formats if (day := one.edtf(text))), None)
        if found is None:
            self.fault(name, text, f"a date as {' or '.join(one.text for one in formats)}")
        return found

    def _number(self, name: str, text: str) -> float | None:
        found = number(text, self._mapping.decimal)
        if found is None:
            self.fault(name, text, f"a number, with {self._mapping.decimal!r} before its decimals")
            return None
        return found * self._mapping.units.get(name, 1.0)

    def called(self) -> dict[str, str]:
        """What the file calls each record column."""
        columns = self._mapping.columns
        place = ", ".join(columns[name] for name in (*PLACE_COLUMNS, "geometry") if name in columns)
        found = {**columns, "geometry": place, "weapons": columns.get("weapon", "")}
        return {name: theirs for name, theirs in found.items() if theirs}

    def fault(self, name: str, value: str, expected: str) -> None:
        """Say what is wrong with the cell of a record column."""
        self.unread.add(name)
        self.faults.append(Fault(self.called().get(name, name), value, expected))


def number(text: str, decimal: str) -> float | None:
    """The number of a text whose decimals come after a point or a comma; None where it is none."""
    if not _NUMBERS[decimal].fullmatch(text):
        return None
    for sign in _THOUSANDS[decimal]:
        text = text.replace(sign, "")
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        return None


def record_id(dataset: str, text: str) -> str:
    """Id of a record by what its file calls it; other signs than small letters and digits get a digest beside them."""
    text = text.strip()
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", text):
        return f"{dataset}/{text.lower()}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{dataset}/{'-'.join(part for part in (slug(text)[:60].strip('-'), digest) if part)}"
