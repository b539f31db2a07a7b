"""The columns of a file by their roles, told by headers and cells, and which of a pair of degrees comes first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import shapely

from layers.reference.country_names import code_of
from layers.reference.regions import regions_named
from layers.sources.column_mapping.draft.column_profile import (
    EMPTY_JSON,
    EMPTY_WORDS,
    WORDS,
    ColumnProfile,
    header_words,
    role_fit,
)
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.reader.coordinates import AxisOrder, parse_positions

#: The country (ISO 3166-1 alpha-2) at a lon/lat point in degrees, None where there is none.
CountryAt = Callable[[float, float], str | None]
#: The countries that the row of a position names.
Countries = Callable[[int], Collection[str]]
_Pair = tuple[float, float]

#: Pairs that are looked up on the map.
_LOOKED_UP = 300
#: How much larger the part of the points on land has to be.
_MORE_ON_LAND = 0.1
_LON_FIRST_WORDS = frozenset({"lonlat", "lnglat", "longlat"})
_LAT_FIRST_WORDS = frozenset({"latlon", "latlng", "latlong"})
_OTHER: dict[AxisOrder, AxisOrder] = {"latlon": "lonlat", "lonlat": "latlon"}
_WORDS: dict[AxisOrder, str] = {"latlon": "latitude first", "lonlat": "longitude first"}


class AxisOrderGuess(NamedTuple):
    """The order of the axes, why, and whether it is beyond doubt."""

    order: AxisOrder
    reason: str
    is_sure: bool

    @property
    def text(self) -> str:
        """The guess in words."""
        return f"{_WORDS[self.order]}: {self.reason}"


def guess_axis_order(
    cells: Sequence[str], header: str, decimal: str, countries: Countries, country_at: CountryAt | None
) -> AxisOrderGuess:
    """Return which of the degrees of pairs comes first.

    What tells it, in this order: numbers beyond 90, the header, the countries that rows name, how many points are on
    land, and in how few countries they are. The last two leave a doubt. Where nothing tells, the longitude of a JSON
    array comes first, as in GeoJSON, and the latitude of any other text.

    ``cells``: the texts of all rows; empty ones and those that are no pairs do not count. ``header``: the header of the
    column. ``decimal``: the decimal sign of the texts. ``countries``: gives the countries that the row of a position
    names. ``country_at``: tells the country of a point; None where there is no map.
    """
    firsts = {row: first for row, text in enumerate(cells) if (first := _first_position(text, decimal))}
    if not firsts:
        return _by_convention(cells)
    beyond = [any(abs(position[axis]) > 90 for position in firsts.values()) for axis in (0, 1)]
    if beyond[0] != beyond[1]:
        return AxisOrderGuess("lonlat" if beyond[0] else "latlon", "the other degrees are beyond 90", True)
    if by_header := _by_header(header):
        return by_header
    if country_at is None:
        return _by_convention(cells)
    looked_up = dict(islice(firsts.items(), _LOOKED_UP))
    by_countries = guess_by_countries(looked_up, countries, country_at)
    return by_countries or _by_map(looked_up, country_at) or _by_convention(cells)


def guess_by_countries(
    firsts: Mapping[int, _Pair], countries: Countries, country_at: CountryAt
) -> AxisOrderGuess | None:
    """Return the order by which more points are in the country that their row names; None where neither has more.

    ``firsts``: the numbers of pairs by row, in the order in which they stand. ``countries``: gives the countries that a
    row names; where they are several, they say nothing. ``country_at``: tells the country of a point.
    """
    by_row = {row: countries(row) for row in islice(firsts, _LOOKED_UP)}
    named = {row: next(iter(codes)) for row, codes in by_row.items() if len(codes) == 1}
    votes = {
        order: sum(_country(firsts[row], order, country_at) == country for row, country in named.items())
        for order in _WORDS
    }
    best = max(votes, key=lambda order: votes[order])
    if votes[best] <= 2 * votes[_OTHER[best]]:
        return None
    counts = f"{votes[best]} of {len(named)} points are in the country that their row names"
    return AxisOrderGuess(best, f"{counts}, and {votes[_OTHER[best]]} the other way", True)


def _by_header(header: str) -> AxisOrderGuess | None:
    words = header_words(header)
    axes = [word[:3] for word in words if word in ("lat", "latitude", "lon", "lng", "long", "longitude")]
    if _LON_FIRST_WORDS & {*words} or axes[:1] in (["lon"], ["lng"]):
        return AxisOrderGuess("lonlat", "its header says so", True)
    if _LAT_FIRST_WORDS & {*words} or axes[:1] == ["lat"]:
        return AxisOrderGuess("latlon", "its header says so", True)
    return None


def _by_map(firsts: Mapping[int, _Pair], country_at: CountryAt) -> AxisOrderGuess | None:
    """Return the order by which clearly more points are on land, or else in at most half as many countries."""
    there = {order: [_country(first, order, country_at) for first in firsts.values()] for order in _WORDS}
    on_land = {order: sum(code is not None for code in codes) / len(codes) for order, codes in there.items()}
    states = {order: len({*codes} - {None}) for order, codes in there.items()}
    for order, other in _OTHER.items():
        if on_land[order] >= on_land[other] + _MORE_ON_LAND:
            parts = f"{on_land[order]:.0%} of the points are on land, and {on_land[other]:.0%} the other way"
            return AxisOrderGuess(order, parts, False)
    for order, other in _OTHER.items():
        if 0 < 2 * states[order] <= states[other]:
            reason = f"the points are in fewer countries so ({states[order]}) than the other way ({states[other]})"
            return AxisOrderGuess(order, reason, False)
    return None


def _by_convention(cells: Sequence[str]) -> AxisOrderGuess:
    is_array = next((text for text in cells if text), "").startswith("[")
    if is_array:
        return AxisOrderGuess("lonlat", "nothing tells; arrays of JSON are mostly those of GeoJSON", False)
    return AxisOrderGuess("latlon", "nothing tells; people write it so", False)


def _first_position(text: str, decimal: str) -> _Pair | None:
    """Return the first two numbers of a text of pairs, in their order; None where hemispheres say which is which."""
    ways = [parse_positions(text, order, decimal) for order in ("lonlat", "latlon")] if text else []
    firsts = [tuple(shapely.get_coordinates(shape)[0].tolist()) for shape in ways if shape is not None]
    if len(firsts) < 2 or firsts[0] != firsts[1][::-1] or firsts[0][0] == firsts[0][1]:
        return None
    return firsts[0]


def _country(first: _Pair, order: AxisOrder, country_at: CountryAt) -> str | None:
    lon, lat = first if order == "lonlat" else first[::-1]
    return country_at(lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None


#: How well a header has to fit a role.
FITS = 4.0
ROLE_NAMES = tuple(WORDS["roles"])
#: Columns of texts whose regions are read.
_MOST_TEXTS = 8
#: Objects around a field that are not the event of a row.
OTHER_RECORDS = frozenset(WORDS["other_records"]["of_strikes"])
#: Objects around a field that say how the event of a row was found or told.
REPORT_RECORDS = frozenset(WORDS["other_records"]["of_reports"])


class ColumnRoles:
    """The columns of a file: their profiles, and the column that fits each role best."""

    def __init__(self, sample: FileSample, country_at: CountryAt | None = None) -> None:
        self.sample, self.country_at = sample, country_at
        self.profiles: dict[str, ColumnProfile] = {}
        self._axis_orders: dict[str, AxisOrderGuess] = {}
        for name, cells in sample.columns.items():
            texts = [text for text in cells if text and text not in EMPTY_JSON and text.casefold() not in EMPTY_WORDS]
            if texts:
                self.profiles[name] = ColumnProfile(name, texts, sample.count, sample.header(name))

    @property
    def has_shapes(self) -> bool:
        """Whether rows have a geometry of their own."""
        return any(shape is not None for shape in self.sample.shapes or ())

    def best(
        self, role: str, is_right: Callable[[ColumnProfile], bool] = lambda profile: True, taken: Iterable[str] = ()
    ) -> str | None:
        """Return the column that fits a role best by its header, among those whose cells are right."""
        left = {*self.profiles}.difference(taken)
        fits = [(role_fit(profile.header, role), name) for name, profile in self.profiles.items() if name in left]
        fitting = [(fit, name) for fit, name in fits if fit >= FITS and is_right(self.profiles[name])]
        # Of equal headers the fuller column, then the earlier one.
        return max(fitting, key=lambda item: (item[0], len(self.profiles[item[1]].texts)), default=(0.0, None))[1]

    def of_cells(self, is_right: Callable[[ColumnProfile], bool], taken: Iterable[str] = ()) -> str | None:
        """Return the first column whose cells are right, whatever its header."""
        left = {*self.profiles}.difference(taken)
        return next((name for name, profile in self.profiles.items() if name in left and is_right(profile)), None)

    def day(self) -> str | None:
        """Return the column of the days of events."""
        return self.best("when", lambda profile: profile.date_formats is not None and not _is_until(profile)) or (
            self.of_cells(lambda profile: profile.is_date and not _is_until(profile))
        )

    def place(self) -> dict[str, str]:
        """Return the columns of locations by what a mapping calls them: degrees, pairs or shapes."""
        lat = self.best("lat", lambda profile: profile.is_degrees(90))
        lon = self.best("lon", lambda profile: profile.is_degrees(180), (lat,) if lat else ())
        if lat and lon:
            return {"lon": lon, "lat": lat}
        if shape := self.best("wkt", lambda profile: profile.is_wkt) or self.of_cells(lambda p: p.is_wkt):
            return {"wkt": shape}
        pairs = self.best("latlon", lambda profile: profile.positions() is not None)
        pairs = pairs or self.of_cells(lambda profile: not profile.is_number and profile.positions() is not None)
        if pairs:
            return {self.axis_order(pairs).order: pairs}
        return {}

    def axis_order(self, name: str) -> AxisOrderGuess:
        """Return which of the degrees of a column of pairs comes first."""
        if name not in self._axis_orders:
            profile = self.profiles[name]
            _, decimal = profile.positions() or ("latlon", ".")
            cells = self.sample.columns[name]
            self._axis_orders[name] = guess_axis_order(cells, profile.header, decimal, self.countries, self.country_at)
        return self._axis_orders[name]

    def swapped_shapes(self) -> AxisOrderGuess | None:
        """Return why the points of features look as if the latitude came first; None where they do not."""
        shapes = dict(enumerate(self.sample.shapes or ()))
        points = {row: (shape.x, shape.y) for row, shape in shapes.items() if isinstance(shape, shapely.Point)}
        if not points or self.country_at is None:
            return None
        guess = guess_by_countries(points, self.countries, self.country_at)
        return guess if guess and guess.order == "latlon" else None

    def countries(self, row: int) -> Collection[str]:
        """Return the countries that a row names: in its column of countries, or by the regions in its texts."""
        if self._country_column:
            code = code_of(self.sample.columns[self._country_column][row])
            return (code,) if code else ()
        texts = (self.sample.columns[name][row] for name in self._text_columns)
        return {country for text in texts for country in regions_named(text).countries}

    @cached_property
    def _country_column(self) -> str | None:
        return self.best("country", lambda profile: profile.part(code_of) >= 0.5)

    @cached_property
    def _text_columns(self) -> list[str]:
        return [name for name, profile in self.profiles.items() if profile.is_text][:_MOST_TEXTS]

    def share(self) -> str | None:
        """Return the column of percents."""
        by_header = self.best("share", lambda profile: profile.is_share)
        return by_header or self.of_cells(
            lambda profile: profile.has_percent or ("%" in profile.name and profile.is_share)
        )

    def names(self, taken: Iterable[str] = ()) -> list[str]:
        """Return the columns of short texts, which may be names."""
        left = {*self.profiles}.difference(taken)
        return [n for n, p in self.profiles.items() if n in left and p.is_text and not p.is_country and p.length < 150]


def _is_until(profile: ColumnProfile) -> bool:
    """Whether the header is that of an end rather than of a beginning."""
    return role_fit(profile.header, "until") > role_fit(profile.header, "when")


def is_name_field(name: str) -> bool:
    """Whether a field of an object such as ``asset`` is its name."""
    return max(role_fit(name, "name"), role_fit(name, "title")) >= FITS


def is_id_field(name: str) -> bool:
    """Whether a field of an object such as ``asset`` is its id."""
    return not {"id", "ids"}.isdisjoint(header_words(name)[-1:]) or role_fit(name, "id") >= FITS
