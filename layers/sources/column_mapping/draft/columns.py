"""The columns of a file: what their cells hold, and which fits a role best by its header and cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import orjson
import shapely

from layers.reference.country_names import code_of
from layers.reference.regions import regions_named
from layers.sources.column_mapping.draft.axis_order import (
    AxisOrderGuess,
    CountryAt,
    guess_axis_order,
    guess_by_countries,
)
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.column_mapping.draft.words import FITS, header_words, kind_of, meaning, role_fit, status_of
from layers.sources.column_mapping.mapped_row import UNKNOWN_WORDS, json_texts, number, parse_share
from layers.sources.files.limits import parse_json
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.coordinates import AxisOrder, DateFormat, is_edtf_day, parse_angle, parse_positions

#: Part of the cells that have to be of a type for the column to be of it; the others are faults that a load tells.
MOST = 0.8
#: Distinct cells that are looked at.
_LOOKED_AT = 3000
#: Formats of days; of two that read as many cells the earlier one is taken.
_FORMATS = {
    text: date_format
    for text in (
        "YYYY-MM-DD", "D.M.YYYY", "D/M/YYYY", "M/D/YYYY", "D-M-YYYY", "YYYY/M/D", "YYYY.M.D", "YYYYMMDD", "D MON YYYY",
        "D. MON YYYY", "MON D, YYYY", "MON D YYYY", "D-MON-YYYY", "D/MON/YYYY", "YYYY-M-D", "M.YYYY", "M/YYYY",
        "YYYY-MM", "MON YYYY", "YYYY",
    )
    if (date_format := DateFormat.of(text))
}  # fmt: skip
_UNIX_TIMES = {"unix": re.compile(r"1[0-9]{9}(?:\.[0-9]{1,9})?"), "unix-ms": re.compile(r"1[0-9]{12}(?:\.0)?")}
_WKT = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION")
#: Words of a cell that say nothing, and JSON of nothing.
_EMPTY_WORDS = UNKNOWN_WORDS - {"?"} | {"null", "none", "nan", "nil", "(empty)", "#n/a", "keine", "немає", "нет"}
_EMPTY_JSON = frozenset({"", "[]", "{}"})


def is_empty_word(text: str) -> bool:
    """Whether a cell is a word that says nothing."""
    return text.casefold() in _EMPTY_WORDS


@dataclass(frozen=True)
class ColumnProfile:
    """The cells of a column: ``texts`` are all that say something, in order; ``header`` is what its name says."""

    name: str
    texts: Sequence[str]
    rows: int
    header: str
    _parts: dict[Callable[[str], object], float] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, name: str, cells: Sequence[str], header: str) -> ColumnProfile:
        """Return the profile of all cells of a column."""
        texts = [text for text in cells if text not in _EMPTY_JSON and not is_empty_word(text)]
        return cls(name, texts, len(cells), header)

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """The distinct cells in order of appearance, at most 3,000."""
        return tuple(dict.fromkeys(self.texts))[:_LOOKED_AT]

    @property
    def is_whole(self) -> bool:
        """Whether no cell is empty."""
        return len(self.texts) == self.rows

    @cached_property
    def length(self) -> float:
        """Mean number of letters of a distinct cell."""
        return sum(map(len, self.distinct)) / len(self.distinct) if self.distinct else 0.0

    @property
    def longest(self) -> int:
        """Number of letters of the longest cell."""
        return max(map(len, self.distinct), default=0)

    def part(self, is_one: Callable[[str], object]) -> float:
        """Return which part of the distinct cells is of a kind; 0 where there are none."""
        if is_one not in self._parts:
            self._parts[is_one] = sum(map(bool, map(is_one, self.distinct))) / max(len(self.distinct), 1)
        return self._parts[is_one]

    @cached_property
    def date_formats(self) -> tuple[str, ...] | None:
        """The formats of days that read the cells; none (empty) where all are EDTF; None where few are days."""
        if self.part(is_edtf_day) == 1:
            return ()
        for name, pattern in _UNIX_TIMES.items():
            if self.part(pattern.fullmatch) >= MOST:
                return (name,)
        left, chosen = {*self.distinct}, []
        while left:
            read = {text: {cell for cell in left if date_format.edtf(cell)} for text, date_format in _FORMATS.items()}
            best = max(read, key=lambda text: len(read[text]))
            if not read[best]:
                break
            chosen.append(best)
            left -= read[best]
        unread = sum(not is_edtf_day(cell) for cell in left)
        return tuple(chosen) if len(self.distinct) - unread >= max(MOST * len(self.distinct), 1) else None

    def other_order(self, form: str) -> str | None:
        """The format with day and month the other way round, if it reads each cell that a format reads, too."""
        other = form.translate(str.maketrans("DM", "MD"))
        if "/" not in form or other not in _FORMATS or other == form:
            return None
        own = [cell for cell in self.distinct if _FORMATS[form].edtf(cell)]
        return other if all(map(_FORMATS[other].edtf, own)) else None

    @property
    def is_date(self) -> bool:
        """Whether most cells are days; years alone and plain numbers are none."""
        formats = self.date_formats
        return formats is not None and formats != ("YYYY",) and (bool(formats) or self.part(str.isdecimal) < 1)

    @cached_property
    def decimal(self) -> str:
        """The decimal sign of the numbers."""
        counts = {sign: sum(number(text, sign) is not None and sign in text for text in self.distinct) for sign in ".,"}
        return max(counts, key=lambda sign: counts[sign])

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers among the distinct cells; none where fewer than most are numbers."""
        parsed = [value for text in self.distinct if (value := number(text, self.decimal)) is not None]
        return tuple(parsed) if len(parsed) >= MOST * len(self.distinct) else ()

    def is_degrees(self, most: float) -> bool:
        """Whether most cells are degrees of at most so many."""
        angles = [angle for text in self.distinct if (angle := parse_angle(text)) is not None]
        return len(angles) >= max(MOST * len(self.distinct), 1) and all(abs(angle) <= most for angle in angles)

    @cached_property
    def positions(self) -> tuple[AxisOrder, str] | None:
        """An order of the axes, and the decimal sign, of cells that hold pairs of degrees; None for others."""
        orders: tuple[AxisOrder, ...] = ("latlon", "lonlat")
        for decimal in (".", ","):
            for order in orders:
                if self.part(partial(_is_on_globe, order=order, decimal=decimal)) >= MOST:
                    return order, decimal
        return None

    @cached_property
    def is_text(self) -> bool:
        """Whether most cells have letters and are neither addresses, days nor shapes."""
        if self.part(_has_letter) < MOST or self.date_formats is not None:
            return False
        return self.part(are_addresses) < 1 and self.part(is_shape) < MOST

    @property
    def is_note(self) -> bool:
        """Whether the cells are texts that say more of a record, and may be corrected."""
        return self.is_text and role_fit(self.header, "note") >= FITS

    @property
    def is_name(self) -> bool:
        """Whether the cells are short texts, which may be names, and no countries."""
        return self.is_text and self.length < 150 and self.part(code_of) < 1


def words_of(text: str) -> list[str]:
    """Return the words of a text, or the texts of a JSON array."""
    listed = json_texts(text) if text.startswith("[") else None
    return text.split() if listed is None else listed


def has_percent(text: str) -> bool:
    """Whether a text is a percentage, or has one."""
    return "%" in text


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def are_addresses(text: str) -> bool:
    """Whether a text is a web address, or several between spaces."""
    return all(map(web_address, words_of(text)))


def is_shape(text: str) -> bool:
    """Whether a text is a well-known text or a GeoJSON geometry."""
    if text[:40].lstrip().upper().startswith(_WKT):
        return "(" in text
    if not text.startswith("{"):
        return False
    try:
        value = parse_json(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and ("coordinates" in value or "geometries" in value)


def _is_on_globe(text: str, order: AxisOrder, decimal: str) -> bool:
    """Whether a text has pairs of degrees on the globe, with decimals, if they are read so."""
    shape = parse_positions(text, order, decimal)
    if shape is None or not ("." in text or "," in text.replace(", ", " ") or "°" in text):
        return False
    west, south, east, north = shape.bounds
    return west >= -180 and east <= 180 and south >= -90 and north <= 90


#: Most words that a values table lists, and most words of a status, type or precision.
MOST_WORDS, _FEW, _ANY = 400, 60, 1_000_000
#: Columns of texts whose regions are read.
_MOST_TEXTS = 8

#: How far the cells of a column fit a role, from 0; ``bool`` fits any column.
CellFit = Callable[[ColumnProfile], float]

entity_type_of = partial(meaning, table="entity_types")
_is_weapon = partial(meaning, table="weapons")


def _at_least(least: float, read: Callable[[str], object], most: int = MOST_WORDS) -> CellFit:
    """Fit of columns of at most so many words, of which at least a part can be read: that part."""
    return lambda profile: profile.part(read) if len(profile.distinct) < most and profile.part(read) >= least else 0


def _text(longest: int) -> CellFit:
    return lambda profile: profile.is_text and profile.longest <= longest


def _not_below(profile: ColumnProfile) -> bool:
    return min(profile.numbers, default=-1) >= 0


def _counts(profile: ColumnProfile) -> bool:
    return _not_below(profile) and all(value % 1 == 0 for value in profile.numbers)


def _metres(profile: ColumnProfile) -> bool:
    """Numbers around a point: none is 0 or below, and not all are parts of 1."""
    has_unit = not {"km", "m"}.isdisjoint(header_words(profile.name))
    return min(profile.numbers, default=0) > 0 and (has_unit or max(profile.numbers) > 1)


def are_weapons(profile: ColumnProfile) -> bool:
    """Whether most cells of a column are weapons."""
    return profile.is_text and profile.longest <= 200 and profile.part(_is_weapon) >= 0.5


def _has_days(profile: ColumnProfile) -> bool:
    """Whether cells are days, and the header is not that of an end rather than of a beginning."""
    is_until = role_fit(profile.header, "until") > role_fit(profile.header, "when")
    return profile.date_formats is not None and not is_until


def is_event_day(profile: ColumnProfile) -> bool:
    """Whether the header of days is not that of an edit, nor one of the beginning of a site alone."""
    said = meaning(profile.header, "days")
    return said == "event" if said else role_fit(profile.header, "since") < FITS


def _is_company(profile: ColumnProfile) -> bool:
    """Whether cells are names by their type, and the header is no country of a company."""
    return profile.is_text and role_fit(profile.header.rpartition(".")[2], "country") < FITS


def _is_of_company(profile: ColumnProfile) -> bool:
    """Whether a header says that a column is about a company, whose country is not that of the site."""
    return max(role_fit(profile.header, "owner_country"), role_fit(profile.header, "operator")) >= FITS


_are_countries = _at_least(0.5, code_of, _ANY)
_are_shares, _are_shapes = _at_least(MOST, parse_share, _ANY), _at_least(MOST, is_shape, _ANY)
_are_links = _at_least(1, are_addresses, _ANY)
#: How far cells fit each role; those of any other role may be anything.
_CELLS: Mapping[str, CellFit] = {
    **dict.fromkeys(("name", "title", "place", "target", "note", "alias"), lambda profile: profile.is_text),
    **dict.fromkeys(("region", "commodity", "weapon"), _text(200)),
    **dict.fromkeys(("damage", "attacker"), _text(2000)),
    **dict.fromkeys(("owner", "owned", "subsidiary", "operator"), _is_company),
    "country": lambda profile: 0 if _is_of_company(profile) else _are_countries(profile),
    "owner_country": lambda profile: 0 if _is_company(profile) else _are_countries(profile),
    "registered_in": _are_countries,
    **dict.fromkeys(("killed", "injured"), _counts),
    # A day of an event is better than that on which a site began to operate.
    "when": lambda profile: _has_days(profile) * (1 + is_event_day(profile)),
    "since": lambda profile: _has_days(profile) and not meaning(profile.header, "days"),
    "until": lambda profile: profile.date_formats is not None and profile.part(str.isdecimal) < 0.5,
    "lat": lambda profile: profile.is_degrees(90),
    "lon": lambda profile: profile.is_degrees(180),
    "latlon": lambda profile: profile.positions is not None,
    "wkt": _are_shapes,
    "uncertainty": _metres,
    # Words are better than the numbers of a geocoder.
    "precision": lambda profile: 0.5 if profile.numbers else len(profile.distinct) <= _FEW,
    "kind": _at_least(0.001, kind_of),
    "status": _at_least(0.5, status_of, _FEW),
    "type": _at_least(0.5, entity_type_of, _FEW),
    "capacity": _not_below,
    "share": _are_shares,
    "url": _are_links,
}
#: The cells by which a column has a role whatever its header.
_TELLING_CELLS: Mapping[str, CellFit] = {
    "when": lambda profile: profile.is_date and _has_days(profile) and is_event_day(profile),
    "latlon": lambda profile: not profile.numbers and profile.positions is not None,
    "wkt": _are_shapes,
    "country": lambda profile: profile.part(code_of) == 1 and profile.length > 3 and not _is_of_company(profile),
    "share": lambda profile: _are_shares(profile) > 0 and ("%" in profile.name or profile.part(has_percent) >= 0.5),
    "url": _are_links,
}


class ColumnRoles:
    """The columns of a file: their profiles, and the column that fits each role best."""

    def __init__(self, sample: FileSample, country_at: CountryAt | None = None) -> None:
        self.sample, self.country_at = sample, country_at
        profiles = (ColumnProfile.of(name, cells, sample.header(name)) for name, cells in sample.columns.items())
        self.profiles = {profile.name: profile for profile in profiles if profile.texts}

    @property
    def has_shapes(self) -> bool:
        """Whether rows have a geometry of their own."""
        return any(shape is not None for shape in self.sample.shapes)

    def best(self, role: str, taken: Iterable[str] = (), is_right: CellFit = bool) -> str | None:
        """Return the column that fits a role best by its header and cells, else the first whose cells alone tell it.

        Of columns whose cells fit as well the better header is taken, then the fuller column, then the earlier one.
        ``taken``: columns that are left out. ``is_right``: what else a column has to be. None where none fits.
        """
        cells, tells = _CELLS.get(role, bool), _TELLING_CELLS.get(role)
        fits: dict[str, tuple[float, float, int]] = {}
        left = [self.profiles[name] for name in self.left(taken)]
        for profile in left:
            fit = role_fit(profile.header, role)
            if fit >= FITS and (of_cells := cells(profile)) and is_right(profile):
                fits[profile.name] = (of_cells, fit, len(profile.texts))
        by_cells = (profile.name for profile in left if tells and tells(profile) and is_right(profile))
        return max(fits, key=lambda name: fits[name]) if fits else next(by_cells, None)

    def left(self, taken: Iterable[str]) -> list[str]:
        """Return the columns that are not taken, in their order."""
        without = {*taken}
        return [name for name in self.profiles if name not in without]

    def names(self, taken: Iterable[str] = ()) -> list[str]:
        """Return the columns of short texts, which may be names."""
        return [name for name in self.left(taken) if self.profiles[name].is_name]

    @cached_property
    def place(self) -> Mapping[str, str]:
        """The columns of locations by what a mapping calls them: degrees, shapes or pairs."""
        lat = self.best("lat")
        lon = self.best("lon", (lat,) if lat else ())
        if lat and lon:
            return {"lon": lon, "lat": lat}
        if shape := self.best("wkt"):
            return {"wkt": shape}
        pairs = self.best("latlon")
        return {self.axis_order.order: pairs} if pairs else {}

    @cached_property
    def axis_order(self) -> AxisOrderGuess:
        """Which of the degrees of the column of pairs comes first."""
        profile = self.profiles[self.best("latlon") or ""]
        _, decimal = profile.positions or ("latlon", ".")
        cells = self.sample.columns[profile.name]
        return guess_axis_order(cells, profile.header, decimal, self.countries, self.country_at)

    def swapped_shapes(self) -> AxisOrderGuess | None:
        """Return why the points of features look as if the latitude came first; None where they do not."""
        points = {row: (shape.x, shape.y) for row, shape in self.points().items()}
        if not points or self.country_at is None:
            return None
        guess = guess_by_countries(points, self.countries, self.country_at)
        return guess if guess and guess.order == "latlon" else None

    def points(self) -> dict[int, shapely.Point]:
        """Return the points of features by row, from 0."""
        return {row: shape for row, shape in enumerate(self.sample.shapes) if isinstance(shape, shapely.Point)}

    def countries(self, row: int) -> Collection[str]:
        """Return the countries that a row names: in its column of countries, or by the regions in its texts."""
        if self._country_column:
            code = code_of(self.sample.columns[self._country_column][row])
            return (code,) if code else ()
        texts = (self.sample.columns[name][row] for name in self._text_columns)
        return {country for text in texts for country in regions_named(text).countries}

    @cached_property
    def _country_column(self) -> str | None:
        return self.best("country")

    @cached_property
    def _text_columns(self) -> list[str]:
        return [name for name, profile in self.profiles.items() if profile.is_text][:_MOST_TEXTS]
