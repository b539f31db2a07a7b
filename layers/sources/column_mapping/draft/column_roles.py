"""The columns of a file by the roles that they have: by their headers, and by what their cells hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cached_property

import shapely

from layers.reference.country_names import code_of
from layers.reference.regions import regions_named
from layers.sources.column_mapping.draft.axis_order import (
    AxisOrderGuess,
    CountryAt,
    guess_axis_order,
    guess_by_countries,
)
from layers.sources.column_mapping.draft.column_profile import EMPTY_JSON, EMPTY_WORDS, ColumnProfile
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.column_mapping.draft.header_roles import WORDS, header_words, role_fit

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
