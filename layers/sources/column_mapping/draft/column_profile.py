"""What the cells of a column hold, told by the cells alone: days, numbers, degrees, shares, addresses, shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson

from layers.reference.country_names import code_of
from layers.sources.column_mapping.mapped_row import json_texts, number
from layers.sources.column_mapping.shares import UNKNOWN_WORDS, parse_share
from layers.sources.files.documents import parse_json
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.coordinates import parse_angle, parse_positions
from layers.sources.reader.date_format import DateFormat, is_edtf_day

#: Part of the cells that have to be of a type for the column to be of it; the others are faults that a load tells.
MOST = 0.8
#: Distinct cells that are looked at.
_LOOKED_AT = 3000

#: Formats of days in the order in which they are tried; days before months in front of months before days.
_FORMATS = (
    "YYYY-MM-DD", "D.M.YYYY", "D/M/YYYY", "M/D/YYYY", "D-M-YYYY", "YYYY/M/D", "YYYY.M.D", "YYYYMMDD", "D MON YYYY",
    "D. MON YYYY", "MON D, YYYY", "MON D YYYY", "D-MON-YYYY", "D/MON/YYYY", "YYYY-M-D", "M.YYYY", "M/YYYY", "YYYY-MM",
    "MON YYYY", "YYYY",
)  # fmt: skip
_UNIX = re.compile(r"1[0-9]{9}(?:\.[0-9]{1,9})?")
_UNIX_MS = re.compile(r"1[0-9]{12}(?:\.0)?")
_WKT = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION")
#: Words of a cell that say nothing.
EMPTY_WORDS = UNKNOWN_WORDS - {"?"} | {"null", "none", "nan", "nil", "(empty)", "#n/a", "keine", "немає", "нет"}
#: JSON of nothing.
EMPTY_JSON = frozenset({"[]", "{}"})


@dataclass(frozen=True)
class ColumnProfile:
    """The cells of a column: ``texts`` are all that are not empty, in order; ``header`` is what its name says."""

    name: str
    texts: Sequence[str]
    rows: int
    header: str

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """The distinct cells in order of appearance, at most 3,000."""
        return tuple(dict.fromkeys(self.texts))[:_LOOKED_AT]

    @property
    def is_whole(self) -> bool:
        """Whether no cell is empty."""
        return len(self.texts) == self.rows

    @cached_property
    def is_unique(self) -> bool:
        """Whether no two cells are alike."""
        return len(set(self.texts)) == len(self.texts)

    @property
    def sample(self) -> str:
        """The first cells, for people."""
        return " | ".join(text.replace("\n", " ")[:50] for text in self.distinct[:3])

    def part(self, is_one: Callable[[str], object]) -> float:
        """Return which part of the distinct cells is of a kind; 0 where there are none."""
        return sum(map(bool, map(is_one, self.distinct))) / len(self.distinct) if self.distinct else 0.0

    def other_order(self, form: str) -> str | None:
        """The format with day and month the other way round, if it reads each cell that a format reads, too."""
        other = form.translate(str.maketrans("DM", "MD"))
        if "/" not in form or other == form:
            return None
        own, swapped = (
            {cell for cell in self.distinct if (one := DateFormat.of(text)) and one.edtf(cell)}
            for text in (form, other)
        )
        return other if own <= swapped else None

    @cached_property
    def date_formats(self) -> tuple[str, ...] | None:
        """The formats of days that read the cells; none (empty) where all are EDTF; None where few are days."""
        if self.distinct and all(map(is_edtf_day, self.distinct)):
            return ()
        if self.part(_UNIX.fullmatch) >= MOST:
            return ("unix",)
        if self.part(_UNIX_MS.fullmatch) >= MOST:
            return ("unix-ms",)
        left, chosen = list(self.distinct), []
        for text in _ordered_formats(left):
            date_format = DateFormat.of(text)
            assert date_format is not None
            unread = [cell for cell in left if date_format.edtf(cell) is None]
            if len(unread) < len(left):
                chosen.append(text)
                left = unread
            if not left:
                break
        left = [cell for cell in left if not is_edtf_day(cell)]
        read = len(self.distinct) - len(left)
        return tuple(chosen) if self.distinct and read >= MOST * len(self.distinct) else None

    @property
    def is_date(self) -> bool:
        """Whether most cells are days; years alone and plain numbers are none."""
        formats = self.date_formats
        if formats is None or not self.distinct:
            return False
        return not (formats == ("YYYY",) or (not formats and all(text.isdecimal() for text in self.distinct)))

    @cached_property
    def decimal(self) -> str:
        """The decimal sign of the numbers."""
        commas = sum(number(text, ",") is not None and "," in text for text in self.distinct)
        points = sum(number(text, ".") is not None and "." in text for text in self.distinct)
        return "," if commas > points else "."

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers among the distinct cells."""
        parsed = (number(text, self.decimal) for text in self.distinct)
        return tuple(value for value in parsed if value is not None)

    @property
    def is_number(self) -> bool:
        """Whether most cells are numbers."""
        return bool(self.distinct) and len(self.numbers) >= MOST * len(self.distinct)

    def is_degrees(self, most: float) -> bool:
        """Whether most cells are degrees of at most so many."""
        angles = [parse_angle(text) if number(text, self.decimal) is None else 0.0 for text in self.distinct]
        read = [angle for angle in angles if angle is not None]
        values = (*self.numbers, *read)
        return bool(values) and len(read) >= MOST * len(self.distinct) and all(abs(value) <= most for value in values)

    @property
    def is_share(self) -> bool:
        """Whether most cells are shares as written."""
        return self.part(parse_share) >= MOST

    @property
    def has_percent(self) -> bool:
        """Whether most cells are shares with a percent sign or a word beside it."""
        return self.is_share and self.part(lambda text: "%" in text) >= 0.5

    @property
    def is_fraction(self) -> bool:
        """Whether shares are parts of 1."""
        values = self.numbers
        is_small = bool(values) and max(values) <= 1 and any(0 < value < 1 for value in values)
        return is_small and not any("%" in text for text in self.distinct)

    @property
    def is_url(self) -> bool:
        """Whether the cells are web addresses, of which several may stand between spaces."""
        return self.part(lambda text: all(web_address(word) for word in words_of(text))) == 1

    @property
    def is_country(self) -> bool:
        """Whether all cells are countries."""
        return self.part(code_of) == 1

    @property
    def is_wkt(self) -> bool:
        """Whether the cells are well-known texts or GeoJSON geometries."""
        return self.part(_is_shape) >= MOST

    def positions(self) -> tuple[str, str] | None:
        """Return the order of the axes and the decimal sign of cells that hold pairs of degrees; None for others."""
        for decimal in (".", ","):
            for order in ("latlon", "lonlat"):
                if self.part(lambda text: _is_on_globe(text, order, decimal)) >= MOST:  # noqa: B023
                    return order, decimal
        return None

    @property
    def is_text(self) -> bool:
        """Whether most cells have letters and are neither addresses, days nor shapes."""
        has_letters = self.part(lambda text: any(map(str.isalpha, text))) >= MOST
        return has_letters and not self.is_url and not self.is_wkt and self.date_formats is None

    @property
    def length(self) -> float:
        """Mean number of letters of a distinct cell."""
        return sum(map(len, self.distinct)) / len(self.distinct) if self.distinct else 0.0


def words_of(text: str) -> list[str]:
    """Return the words of a text, or the texts of a JSON array."""
    listed = json_texts(text) if text.startswith("[") else None
    return text.split() if listed is None else listed


def _ordered_formats(cells: Iterable[str]) -> list[str]:
    """Return the formats of days; of two that cells leave open the one that reads more comes first."""
    ordered = list(_FORMATS)
    days_first, months_first = (DateFormat.of(text) for text in ("D/M/YYYY", "M/D/YYYY"))
    assert days_first is not None
    assert months_first is not None
    listed = list(cells)
    if sum(map(bool, map(months_first.edtf, listed))) > sum(map(bool, map(days_first.edtf, listed))):
        ordered.remove("D/M/YYYY")
    return ordered


def _is_shape(text: str) -> bool:
    if text[:40].lstrip().upper().startswith(_WKT):
        return "(" in text
    if not text.startswith("{"):
        return False
    try:
        value = parse_json(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and ("coordinates" in value or "geometries" in value)


def _is_on_globe(text: str, order: str, decimal: str) -> bool:
    shape = parse_positions(text, "latlon" if order == "latlon" else "lonlat", decimal)
    if shape is None:
        return False
    west, south, east, north = shape.bounds
    has_decimals = "." in text or "," in text.replace(", ", " ") or "°" in text
    return west >= -180 and east <= 180 and south >= -90 and north <= 90 and has_decimals
