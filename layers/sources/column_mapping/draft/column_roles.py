"""The columns of a file by the roles that they have: by their headers, and by what their cells hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from layers.sources.column_mapping.draft.column_profile import EMPTY_JSON, EMPTY_WORDS, ColumnProfile
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.column_mapping.draft.header_roles import WORDS, header_words, role_fit

#: How well a header has to fit a role.
FITS = 4.0
ROLE_NAMES = tuple(WORDS["roles"])
#: Objects around a field that are not the event of a row.
OTHER_RECORDS = frozenset(WORDS["other_records"]["of_strikes"])


class ColumnRoles:
    """The columns of a file: their profiles, and the column that fits each role best."""

    def __init__(self, sample: FileSample) -> None:
        self.sample = sample
        self.profiles: dict[str, ColumnProfile] = {}
        for name, cells in sample.columns.items():
            texts = [text for text in cells if text and text not in EMPTY_JSON and text.casefold() not in EMPTY_WORDS]
            if texts:
                self.profiles[name] = ColumnProfile(name, texts, sample.count)

    @property
    def has_shapes(self) -> bool:
        """Whether rows have a geometry of their own."""
        return any(shape is not None for shape in self.sample.shapes or ())

    def best(
        self, role: str, is_right: Callable[[ColumnProfile], bool] = lambda profile: True, taken: Iterable[str] = ()
    ) -> str | None:
        """Return the column that fits a role best by its header, among those whose cells are right."""
        left = {*self.profiles}.difference(taken)
        fits = [(role_fit(name, role), name) for name in self.profiles if name in left]
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
            order, _ = self.profiles[pairs].positions() or ("latlon", ".")
            words = header_words(pairs)
            # Where the cells leave the order open, the header may tell; GeoJSON has the longitude first.
            if {"lonlat", "lnglat"} & {*words} or ("lon" in words and "lat" in words and words.index("lon") == 0):
                order = "lonlat"
            # Arrays of JSON are mostly those of GeoJSON.
            if self.profiles[pairs].distinct[0].startswith("[") and not any("lat" in word for word in words):
                order = "lonlat"
            return {order: pairs}
        return {}

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
    return role_fit(profile.name, "until") > role_fit(profile.name, "when")


def is_name_field(name: str) -> bool:
    """Whether a field of an object such as ``asset`` is its name."""
    return max(role_fit(name, "name"), role_fit(name, "title")) >= FITS


def is_id_field(name: str) -> bool:
    """Whether a field of an object such as ``asset`` is its id."""
    return "id" in header_words(name)[-1:] or role_fit(name, "id") >= FITS
