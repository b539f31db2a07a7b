"""One row of a mapped file: its cells as the values of a record, its id, its shares, and every fault of its cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.messages import Argument, InvalidValue, Message, alternatives
from layers.model.problems import MISSING
from layers.model.types import Column, geometry_of_wkt
from layers.reference.country_names import code_of
from layers.sources.files.features import geometry_of
from layers.sources.files.limits import parse_json
from layers.sources.reader.coordinates import AxisOrder, parse_angle, parse_positions, without_time
from layers.sources.reader.mapping_file import (
    ANY_OTHER,
    COUNTRY_COLUMNS,
    DATE_COLUMNS,
    GEOMETRY,
    PLACE_COLUMNS,
    REFERENCE_COLUMNS,
    ColumnMapping,
    is_list,
)
from layers.sources.reader.record_builder import short_digest, slug

#: How much more than a round percentage one share is: at least one share of a billion, at most one of ten thousand.
_LEAST_SHARE, _LARGEST_SHARE = 1e-7, 0.01
#: Letters of a text that states a share.
_MAX_LENGTH = 120

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)?|[^\W\d_]+|[^\w\s.,'’()]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that say that nobody knows.
UNKNOWN_WORDS = _words("unknown n/a na n.a. нд н/д unbekannt невідомо неизвестно undisclosed tbd - – — ? … ... k.a.")
_OVER = _words("> ≥ over above more least exceeding свыше более больше понад більше über mehr mindestens")
_UNDER = _words("< ≤ under below less up most менее меньше до менше unter bis weniger höchstens")
_TURNED = _words("not не nicht no")
_PERCENT = ("percent", "percentage", "per", "cent", "pct", "процент", "відсот", "prozent", "vh")
_FILLER = _words(
    "% than or from between to and of the about approximately approx ca circa ~ ≈ около примерно близько приблизно "
    "etwa rund от з від и і до als zu von und oder at stake interest voting votes capital holding"
)
_SHARE_WORDS = ("share", "stock", "акц", "aktie", "anteil", "част", "дол", "паев", "пай", "equity", "action")
#: Shares in words: all, more than half, less than half.
_ALL = ("wholly owned", "wholly-owned", "fully owned", "полностью", "повністю", "vollständig")
_MAJORITY = ("majority", "majority owned", "majority stake", "mehrheit", "большинство", "більшість")
_MINORITY = ("minority", "minority owned", "minority stake", "minderheit", "меньшинство", "меншість")
_PHRASES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(_ALL, (100.0, 100.0)),
    **dict.fromkeys(_MAJORITY, (50.0, 100.0)),
    **dict.fromkeys(_MINORITY, (0.0, 50.0)),
}
_DASHES = frozenset("-–—…")
_SPELLED = {
    **dict.fromkeys(("plus", "плюс"), "+"),
    **dict.fromkeys(("minus", "минус", "мінус"), "-"),
    **dict.fromkeys(("one", "одна", "одну", "eine"), "1"),
}


class ShareInterval(NamedTuple):
    """The least and the largest share in percent, and whether the text is a plain number."""

    least: float
    largest: float
    is_plain: bool


def parse_share(text: str, factor: float = 1.0) -> ShareInterval | None:
    """Return the share that a text states; None for a text that states none, or one beyond 0 to 100 percent.

    Decimals follow a point or a comma. One share more or less than a percentage is between a billionth and a
    ten-thousandth of the whole. A word such as "unknown" gives 0 to 100.

    ``text``: such as ``100%``, ``51,3``, ``50 % + 1 share``, ``over 75 %``, ``25-50 %``, ``1/3``; English, Ukrainian,
    Russian and German. ``factor``: percentage points of a bare 1: 100 where the file has fractions. A number with a
    percent sign is not changed.
    """
    plain = unicodedata.normalize("NFKC", text[:_MAX_LENGTH]).casefold().strip()
    if plain in UNKNOWN_WORDS:
        return ShareInterval(0.0, 100.0, False)
    if plain in _PHRASES:
        return ShareInterval(*_PHRASES[plain], False)
    tokens = [_SPELLED.get(token, token) for token in _TOKEN.findall(plain)]
    numbers = [float(token.replace(",", ".")) for token in tokens if token[0].isdecimal()]
    signs = [token for token in tokens if not token[0].isdecimal()]
    if not numbers or not all(map(_is_known, signs)):
        return None
    if "%" not in plain and not any(sign.startswith(_PERCENT) for sign in signs) and "/" not in signs:
        numbers = [round(number * factor, 9) for number in numbers]
    interval = _interval(numbers, signs)
    if interval is None or not 0 <= interval[0] <= interval[1] <= 100:
        return None
    is_plain = len(numbers) == 1 and interval[0] == interval[1] and not {*signs} - {"%"}
    return ShareInterval(*interval, is_plain)


def _is_known(sign: str) -> bool:
    known = sign in _FILLER or sign in _OVER or sign in _UNDER or sign in _TURNED or sign in _DASHES
    return known or sign in ("+", "/") or sign.startswith((*_PERCENT, *_SHARE_WORDS))


def _interval(numbers: Sequence[float], signs: Sequence[str]) -> tuple[float, float] | None:
    first = numbers[0]
    if len(numbers) == 1:
        return _one_sided(first, signs)
    if len(numbers) > 2:
        return None
    second = numbers[1]
    of_shares = any(sign.startswith(_SHARE_WORDS) for sign in signs)
    if second == 1 and "+" in signs:
        return first + _LEAST_SHARE, min(first + _LARGEST_SHARE, 100.0)
    if second == 1 and of_shares and _DASHES & {*signs}:
        return max(first - _LARGEST_SHARE, 0.0), first - _LEAST_SHARE
    if "/" in signs:
        return (100 * first / second, 100 * first / second) if second else None
    return first, second


def _one_sided(number: float, signs: Sequence[str]) -> tuple[float, float]:
    over, under = bool(_OVER & {*signs}), bool(_UNDER & {*signs})
    if _TURNED & {*signs}:
        over, under = under, over
    if over and not under:
        return number, 100.0
    if under and not over:
        return 0.0, number
    return number, number


#: Numbers by their decimal sign. Spaces, and points before a comma, stand between thousands only.
_NUMBERS = {
    ".": re.compile(r"[+-]?([0-9]{1,3}([ \u00a0\u202f][0-9]{3})+|[0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?"),
    ",": re.compile(r"[+-]?([0-9]{1,3}([ \u00a0\u202f.][0-9]{3})+|[0-9]*)(,[0-9]*)?([eE][+-]?[0-9]+)?"),
}
_THOUSANDS = {".": " \u00a0\u202f", ",": " \u00a0\u202f."}
#: Signs of an angle that is more than a number.
_ANGLE_SIGN = re.compile(r"[^0-9.,+\s-]")
_SIMPLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

#: Longer than the well-known text of any point.
_POINT_LENGTH = 100
#: What failed geocoding leaves, as ``empty.geometry`` may list it.
NULL_ISLAND = "0, 0"
#: Hexadecimal digits of an id that is a hash: two of 2,000,000 rows are alike once in ten million files.
_HASH_LENGTH = 16
#: Between the parts of an id before it is hashed; no cell of a sound file has it.
_UNIT_SEPARATOR = "\x1f"


#: The id of a row that has none, in the text of its problems.
NO_ID = "(no id)"


class CellFault(NamedTuple):
    """A cell that cannot be read: its file column, its value, and what was expected."""

    column: str
    value: Argument
    expected: Message


class MappedRow:
    """The values of one row by record column; reading them fills ``faults`` and the columns at fault, ``unread``."""

    def __init__(
        self, mapping: ColumnMapping, known: Mapping[str, Column], dataset: str, cells: Mapping[str, str]
    ) -> None:
        self._mapping, self._columns, self._dataset, self._cells = mapping, known, dataset, cells
        texts = {name: cells.get(file_column, "").strip() for name, file_column in mapping.columns.items()}
        self._texts = {name: text for name, text in texts.items() if text and not self._says_nothing(name, text)}
        blank = {name: value for name, value in mapping.blank.items() if name not in self._texts}
        self._fixed: Mapping[str, Any] = {**mapping.constants, **blank} if blank else mapping.constants
        self.faults: list[CellFault] = []
        self.unread: set[str] = set()

    def _says_nothing(self, name: str, text: str) -> bool:
        empty = self._mapping.empty
        return bool(empty) and (text in empty.get(name, ()) or text in empty.get(ANY_OTHER, ()))

    def skipped(self) -> Message | None:
        """Return why a row is left out; None where it is not."""
        for name, words in self._mapping.skip.items():
            text = self._texts.get(name)
            if text is not None and text in words:
                return Message("column-mapping.skipped", {"column": self._mapping.columns[name], "word": text})
        return None

    def id(self, number: str, shape: BaseGeometry | None = None) -> str:
        """Return the record's id, which a row must have; ``NO_ID`` with a fault where it has none.

        ``number``: the number of the row in its file, with the name of the file where there are several. ``shape``: the
        geometry of the feature.
        """
        origin = self._mapping.id.origin
        if origin == "row":
            return record_id(self._dataset, number)
        if origin in ("join", "hash"):
            return self._id_of_cells(shape)
        text = self._texts.get("id", "")
        if not text:
            self.fault("id", MISSING, Message("column-mapping.unique-id"))
        return record_id(self._dataset, text) if text else NO_ID

    def _id_of_cells(self, shape: BaseGeometry | None) -> str:
        names = self._mapping.id.columns
        parts = [self._id_part(name, shape) for name in names]
        if not any(parts):
            self.faults.append(CellFault(", ".join(names), MISSING, Message("column-mapping.id-cells")))
            self.unread.add("id")
            return NO_ID
        if self._mapping.id.origin == "hash":
            return f"{self._dataset}/{short_digest(_UNIT_SEPARATOR.join(parts), _HASH_LENGTH)}"
        return joined_id(self._dataset, parts)

    def _id_part(self, name: str, shape: BaseGeometry | None) -> str:
        if name == GEOMETRY and name not in self._cells:
            return "" if shape is None else shapely.to_wkt(shape, rounding_precision=7, trim=True)
        return self._cells.get(name, "").strip()

    def values(self) -> dict[str, Any]:
        """Return the values of the record's columns but id, location, sources and names of others.

        Constants fill empty cells.
        """
        by_name = self._mapping.by_name
        values = {name: value for name, value in self._fixed.items() if name in self._columns and name not in by_name}
        for name, text in self._texts.items():
            root, _, key = name.partition(".")
            if key:
                values[root] = {**values.get(root, {}), key: text}
            elif name in self._columns and name not in ("id", "geometry") and name not in by_name:
                values[name] = self._value(name, text)
        return {name: value for name, value in values.items() if value is not None}

    def text(self, name: str) -> str:
        """Return the text of a cell, or the constant in its place; empty where there is neither."""
        return self._texts.get(name) or str(self._fixed.get(name, ""))

    def listed(self, name: str) -> str | None:
        """Return the word of a values table for a cell; None where the table does not list it."""
        words = self._mapping.values.get(name, {})
        return words.get(self.text(name), words.get(ANY_OTHER))

    def words(self, name: str) -> tuple[str, ...]:
        """Return the distinct words of a cell.

        A cell is split where the mapping gives a delimiter for it, or where it is a JSON array of texts and numbers.
        """
        text = self._texts.get(name)
        if text is None:
            fixed = self._fixed.get(name)
            parts = fixed if isinstance(fixed, list) else [] if fixed is None else [fixed]
            return tuple(map(str, parts))
        words = [self._word(name, part) for part in self._parts(name, text) if part]
        return tuple(dict.fromkeys(word for word in words if word))

    def _parts(self, name: str, text: str) -> list[str]:
        if text.startswith("[") and text.endswith("]") and (listed := json_texts(text)) is not None:
            return listed
        sign = self._mapping.lists.get(name)
        return [part.strip() for part in text.split(sign)] if sign else [text]

    def share(self, name: str) -> ShareInterval | None:
        """Return the share that a cell states as it is written; None where it is empty or at fault."""
        text = self.text(name)
        if not text:
            return None
        share = parse_share(text, self._mapping.units.get(name, 1.0))
        if share is None:
            self.fault(name, text, Message("column-mapping.share"))
        return share

    def geometry(self, shape: BaseGeometry | None) -> Any:
        """Return the location of a row in lon/lat degrees (OGC:CRS84), None where it has none.

        It is the first of: the feature's ``shape``, a well-known text or GeoJSON, a pair of degrees or several of them,
        the degrees of ``lon`` and ``lat``. Point (0, 0) is a fault and gives None, unless the mapping has it say
        nothing. A text that is no well-known text is returned unchanged, so that validation refuses it.
        """
        geometry: Any = shape if shape is not None else self._shape_of_text()
        if geometry is None:
            geometry = self._positions() if self._texts.keys() & {"latlon", "lonlat"} else self._point()
        if isinstance(geometry, shapely.MultiPoint) and len(geometry.geoms) == 1:
            geometry = geometry.geoms[0]
        if isinstance(geometry, shapely.Point) and geometry.x == geometry.y == 0:
            if not self._says_nothing(GEOMETRY, NULL_ISLAND):
                self.fault("geometry", NULL_ISLAND, Message("cell.no-null-island"))
            return None
        return geometry

    def _shape_of_text(self) -> Any:
        text = self._texts.get("wkt") or self._texts.get("geometry") or self._fixed.get("wkt")
        if not isinstance(text, str):
            return text
        if text.startswith("{"):
            return self._geojson(text)
        try:
            return (geometry_of_wkt(text) if len(text) < _POINT_LENGTH else None) or text
        except shapely.errors.ShapelyError:
            return text

    def _geojson(self, text: str) -> BaseGeometry | None:
        try:
            return geometry_of(parse_json(text))
        except orjson.JSONDecodeError as error:
            self.fault("geometry", text[:90], Message("files.geometry", {"error": str(error)[:80]}))
        except InvalidValue as error:
            self.fault("geometry", text[:90], error.expected)
        return None

    def _positions(self) -> BaseGeometry | None:
        name: AxisOrder = "latlon" if "latlon" in self._texts else "lonlat"
        positions = parse_positions(self._texts[name], name, self._mapping.decimal)
        if positions is None:
            self.fault(name, self._texts[name][:90], Message(f"column-mapping.{name}"))
        elif self._mapping.table == "strikes" and positions.geom_type != "Point":
            self.fault(name, self._texts[name][:90], Message("geometry.point"))
            return None
        return positions

    def _point(self) -> shapely.Point | None:
        lon, lat = (self._degrees(name) for name in ("lon", "lat"))
        if (lon is None) != (lat is None) and not self.unread & {"lon", "lat"}:
            self.fault("lon" if lon is None else "lat", MISSING, Message("column-mapping.both-degrees"))
        return None if lon is None or lat is None else shapely.Point(lon, lat)

    def _degrees(self, name: str) -> float | None:
        if name not in self._texts:
            return self._fixed.get(name)
        text = self._texts[name]
        if _ANGLE_SIGN.search(text) and number(text, self._mapping.decimal) is None:
            angle = parse_angle(text)
            if angle is not None:
                return angle
        return self._number(name, text)

    def _value(self, name: str, text: str) -> Any:
        if is_list(self._mapping.table, name):
            return self.words(name) or None
        words = self._mapping.values.get(name)
        # Days, ids and countries are too many to list in a values table: those it lacks are read as if there were none.
        is_open = name in DATE_COLUMNS or name in REFERENCE_COLUMNS or name in COUNTRY_COLUMNS
        if words is not None and (text in words or ANY_OTHER in words or not is_open):
            return self._word(name, text)
        if name in DATE_COLUMNS:
            return self._date(name, text)
        if name in REFERENCE_COLUMNS:
            return record_id(self._dataset, text)
        if name in COUNTRY_COLUMNS:
            return self._country(name, text)
        return self._number(name, text) if self._columns[name].type in ("number", "integer") else text

    def _word(self, name: str, text: str) -> str | None:
        """Return the schema's word for a word of the file, None where the mapping gives an empty one."""
        words = self._mapping.values.get(name)
        if words is None:
            return text
        word = words.get(text, words.get(ANY_OTHER))
        if word is None:
            known = tuple(words)[:12]
            self.fault(name, text, Message("column-mapping.known-word", {"column": name, "words": known}))
        return word or None

    def country(self, name: str) -> str | None:
        """Return the code of the country that a cell names; None where it is empty or at fault."""
        text = self.text(name)
        listed = self.listed(name) if text else None
        text = text if listed is None else listed
        return self._country(name, text) if text else None

    def _country(self, name: str, text: str) -> str | None:
        code = code_of(text)
        if code is None:
            self.fault(name, text, Message("column-mapping.country"))
        return code

    def _date(self, name: str, text: str) -> str | None:
        formats = self._mapping.dates.get(name)
        if not formats:
            return without_time(text)
        parsed = next((day for date_format in formats if (day := date_format.edtf(text))), None)
        if parsed is None:
            examples = alternatives([date_format.text for date_format in formats])
            self.fault(name, text, Message("column-mapping.date", {"formats": examples}))
        return parsed

    def _number(self, name: str, text: str) -> float | None:
        parsed = number(text, self._mapping.decimal)
        if parsed is None:
            self.fault(name, text, Message("column-mapping.number", {"decimal": self._mapping.decimal}))
            return None
        return parsed * self._mapping.units.get(name, 1.0)

    def file_columns(self) -> dict[str, str]:
        """Return the file column of each record column."""
        columns = self._mapping.columns
        place_columns = ", ".join(columns[name] for name in (*PLACE_COLUMNS, "geometry") if name in columns)
        share = dict.fromkeys(("share_min", "share_max"), columns.get("share", ""))
        id_columns = {"id": ", ".join(self._mapping.id.columns)}
        file_columns = {
            **share, **id_columns, **columns, "geometry": place_columns, "weapons": columns.get("weapon", "")
        }  # fmt: skip
        return {name: file_column for name, file_column in file_columns.items() if file_column}

    def fault(self, name: str, value: Argument, expected: Message) -> None:
        """Add the fault of the cell of a record column."""
        self.unread.add(name)
        self.faults.append(CellFault(self.file_columns().get(name, name), value, expected))


def json_texts(text: str) -> list[str] | None:
    """Return the texts and numbers of a JSON array; None for any other text."""
    try:
        values = parse_json(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(values, list) or any(isinstance(value, dict | list | bool) for value in values):
        return None
    return [str(value).strip() for value in values if value is not None]


def number(text: str, decimal: str) -> float | None:
    """Parse a number whose decimals follow a point or a comma; None for any other text."""
    if not _NUMBERS[decimal].fullmatch(text):
        return None
    for sign in _THOUSANDS[decimal]:
        text = text.replace(sign, "")
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        return None


def record_id(dataset: str, text: str) -> str:
    """Return the id of a record from the file's id; one with signs beyond letters, digits and ``._-`` gets a digest."""
    text = text.strip()
    if _SIMPLE_ID.fullmatch(text):
        return f"{dataset}/{text.lower()}"
    digest = short_digest(text)
    return f"{dataset}/{'-'.join(part for part in (slug(text)[:60].strip('-'), digest) if part)}"


def joined_id(dataset: str, parts: Iterable[str]) -> str:
    """Return the id of a record from several cells: their words, and a digest, as the words of others may be these."""
    listed = tuple(parts)
    words = slug(" ".join(listed))[:60].strip("-")
    digest = short_digest(_UNIT_SEPARATOR.join(listed))
    return f"{dataset}/{'-'.join(part for part in (words, digest) if part)}"
