"""Cell values that several publishers share: addresses, countries, header names, geometries, statuses and years."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import shapely
from shapely.geometry.base import BaseGeometry

from layers.model import edtf
from layers.model.messages import InvalidValue, Message
from layers.model.types import OperatingStatus, as_geometry
from layers.reference.country_names import geonames_countries

_URL = re.compile(r"https?://[^\s<>\"]{1,990}")


def web_address(text: str) -> str | None:
    """Return a text that is a web address as the schema takes it (http or https, at most 1,000 letters), else None."""
    return text if _URL.fullmatch(text) else None


def web_host(url: str) -> str:
    """Return the host of a web address without ``www.``, which names a publisher where nothing else does."""
    return url.split("/")[2].removeprefix("www.")


def columns_by_field(header: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Map each field to its header: the first of the field's known names that the header has, in any case."""
    there = {name.casefold(): name for name in reversed(header)}
    columns = {
        field: next((there[n.casefold()] for n in known if n.casefold() in there), None)
        for field, known in names.items()
    }
    return {field: name for field, name in columns.items() if name is not None}


class CellValueError(InvalidValue):
    """A country or geometry that cannot be read, with what was expected."""


def country_code(name: str) -> str | None:
    """ISO 3166-1 code of a country's English name; ``None`` for an area that is no one country.

    Raises ``CellValueError`` if the name is not known.
    """
    name = name.strip()
    if name in COUNTRY_ALIASES:
        return COUNTRY_ALIASES[name]
    code = _codes().get(name.casefold())
    if code is None:
        raise CellValueError(Message("cell.country-name"))
    return code


#: Names of GEM that GeoNames spells otherwise; ``None`` where no one country is meant.
COUNTRY_ALIASES: Mapping[str, str | None] = {
    "Canary Islands": "ES", "Czech Republic": "CZ", "Côte d'Ivoire": "CI", "Cote d'Ivoire": "CI", "DR Congo": "CD",
    "Joint Petroleum Development Area": None, "Netherlands": "NL", "Palestine": "PS", "Réunion": "RE",
    "The Gambia": "GM", "Timor-Leste": "TL", "Türkiye": "TR", "United States of America": "US",
}  # fmt: skip


@cache
def _codes() -> Mapping[str, str]:
    return {country.name.casefold(): country.iso for country in geonames_countries()}


_LINES = ("LineString", "LinearRing", "MultiLineString")


def geometry_fault(shape: BaseGeometry) -> Message | None:
    """Return what the schema expects of a geometry that it refuses, None for a geometry that it takes.

    ``shape``: geometry of an asset in lon/lat degrees (OGC:CRS84). Coordinates off the globe, empty geometries and
    types other than those of ``layers.model.types.Geometry`` are refused.
    """
    try:
        as_geometry(shape)
    except InvalidValue as error:
        return error.expected
    return None


def lines_of(shape: BaseGeometry) -> BaseGeometry:
    """Return the lines of a geometry collection as a LineString or MultiLineString.

    Any other geometry is returned unchanged, and so is a collection without lines. Nested collections are searched.
    """
    if shape.geom_type != "GeometryCollection":
        return shape
    parts = shapely.get_parts(shapely.get_parts(shape))
    while (shapely.get_type_id(parts) == shapely.GeometryType.GEOMETRYCOLLECTION).any():
        parts = shapely.get_parts(parts)
    lines = [part for part in parts if part.geom_type in _LINES]
    return shape if not lines else lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


#: Statuses by the words of publishers: small letters, hyphens and underscores as spaces.
_STATUSES: Mapping[str, OperatingStatus] = {
    "operating": "operating", "operational": "operating", "operating pre retirement": "operating",
    "in operation": "operating", "active": "operating", "open": "operating", "ugs": "operating",
    "commissioned": "operating", "construction": "construction", "under construction": "construction",
    "in construction": "construction", "in development": "construction", "testing": "construction",
    "pre construction": "pre-construction", "permitted": "pre-construction", "pre permit": "pre-construction",
    "proposed": "proposed", "planned": "proposed", "proposed plus": "proposed", "discovered": "proposed",
    "exploration": "proposed", "development": "proposed", "announced": "announced", "shelved": "shelved",
    "deferred": "shelved", "cancelled": "cancelled", "canceled": "cancelled", "mothballed": "mothballed",
    "care and maintenance": "mothballed", "idle": "idle", "idled": "idle", "shut in": "idle", "standby": "idle",
    "suspended": "idle", "retired": "retired", "decommissioned": "retired",
    "decommissioning": "retired", "abandoned": "retired", "closed": "retired", "dismantled": "retired",
    "shut down": "retired", "permanent shutdown": "retired",
}  # fmt: skip
#: What begins a remark behind a status: `cancelled - inferred 4 y`, `retired (2019)`.
_REMARKS = ("(", "- inferred")
_PLUS = " plus"
#: A year, a month or a day, and spaces or a comment behind: `2025 (expected)`, `2019.0`, `1984-05-09`.
_DATE = re.compile(r"([12][0-9]{3})(?:\.0+)?(-(?:0[1-9]|1[0-2])(?:-[0-3][0-9])?)?(?![0-9])")
_RANGE = re.compile(r"([12][0-9]{3})\s?[-–/]\s?([12][0-9]{3})(?![0-9])")


@lru_cache(maxsize=4096)
def operating_status(text: str) -> OperatingStatus | None:
    """Return the status that a publisher's words mean; None for unknown words."""
    words = text.casefold().replace("_", " ")
    for remark in _REMARKS:
        words = words.partition(remark)[0]
    plain = " ".join(words.replace("-", " ").split())
    return _STATUSES.get(plain) or _STATUSES.get(plain.removesuffix(_PLUS))


@lru_cache(maxsize=16384)
def edtf_year(text: str) -> str | None:
    """Return the day, month, year or span of years at the start of a text (EDTF); None for another text.

    A comment behind it is not read: `2025 (expected)` is 2025. Years are from 1000 to 2999.
    """
    text = text.strip()
    span = _RANGE.match(text)
    match = _DATE.match(text)
    stated = f"{span[1]}/{span[2]}" if span else match and f"{match[1]}{match[2] or ''}"
    if not stated:
        return None
    try:
        return edtf.parse(stated).text
    except edtf.EdtfError:
        return match[1] if match else None
