"""Locations in strike files: the metres behind each precision code, each with its reason, and the host country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import shapely

from layers.model.messages import Message
from layers.model.problems import MISSING
from layers.model.types import Basis
from layers.sources.reader.cell_values import CellValueError, country_code
from layers.sources.strikes.named_places import district_named, names_place, widen_uncertainty
from layers.sources.strikes.strike_builder import CellProblem, StrikeRow, number
from layers.sources.strikes.target_extraction import is_word_for_a_thing


class CodedPrecision(NamedTuple):
    """Meaning of a precision code: basis, radius in metres that should hold the true place, and its reason."""

    basis: Basis
    uncertainty_m: float
    reason: str


#: Radius of a settlement where nothing says how large it is: what is reported "at" a town may lie at its edge, and
#: towns of 20,000 to 300,000 people reach 5 to 10 km from their centre.
SETTLEMENT_M = 10_000.0
#: First-level region from a point near its middle. Farthest border from the centroid over the 27 of Ukraine
#: (geoBoundaries ADM1, geodesic): median 134 km, all but Odesa (191), Crimea (180), Kherson (178), Kirovohrad (174)
#: and Dnipropetrovsk (161) within 150 km.
REGION_M = 150_000.0
#: First-level region from a village in it, which VIINA writes: Odesa oblast reaches 226 km from a point inside it.
OBLAST_M = 230_000.0
#: Cities that are regions of their own, Kyiv and Sevastopol: their farthest border is 46 km off.
CITY_REGION_M = 50_000.0
#: Second-level district: Ukraine's 136 raions of 2020 have 4,400 km2 on average, the 490 before 1,200: circles of 38
#: and 20 km, and corners lie farther out.
DISTRICT_M = 40_000.0

#: ACLED geo_precision. The codebook gives no metres. 1 is a town with coordinates, never a site.
ACLED: Mapping[str, CodedPrecision] = {
    "1": CodedPrecision("settlement", SETTLEMENT_M, "a particular town is named; the point is the town's"),
    "2": CodedPrecision("district", 30_000.0, "near a town, or a part of a region that a town stands for"),
    "3": CodedPrecision("region", REGION_M, "a larger region; the point is its capital or a natural feature"),
}

#: UCDP where_prec (GED codebook). 6 is a whole country: no place, such events are skipped.
UCDP: Mapping[str, CodedPrecision | None] = {
    "1": CodedPrecision("settlement", SETTLEMENT_M, "the named place itself; UCDP names towns and villages, not sites"),
    "2": CodedPrecision("district", 30_000.0, "a limited area, about 25 km, around the point, and the town's own size"),
    "3": CodedPrecision("district", DISTRICT_M, "a second-level division; the point is its centroid"),
    "4": CodedPrecision("region", REGION_M, "a first-level division; the point is its centroid"),
    "5": CodedPrecision(
        "region", 250_000.0, "larger than a division or between two places; the point only stands for it"
    ),
    "6": None,
    "7": CodedPrecision("sea-area", 200_000.0, "over water or in the air; centroid of the water, or estimated"),
}

#: VIINA GEO_PRECISION: of the reports of 2026 ADM3 83 %, ADM1 14 %, STREET 1.6 %, ADM2 0.7 %.
VIINA: Mapping[str, CodedPrecision] = {
    "STREET": CodedPrecision("settlement", 2_000.0, "a street named in the text; which part of it is not said"),
    "ADM3": CodedPrecision("settlement", SETTLEMENT_M, "a populated place; the point is the GeoNames one"),
    "ADM2": CodedPrecision("district", DISTRICT_M, "a district (raion before 2020); the point is a place in it"),
    "ADM1": CodedPrecision("region", OBLAST_M, "an oblast; the point is a village somewhere in it"),
}
#: The derived VIINA tables have no precision: a place that the headline names is one, another may be its oblast.
VIINA_NAMED = CodedPrecision("settlement", SETTLEMENT_M, "no precision in the table; the headline names the place")
VIINA_UNNAMED = CodedPrecision(
    "region", OBLAST_M, "no precision in the table, and the headline does not name the place"
)
VIINA_MUNICIPALITY = CodedPrecision(
    "settlement",
    2 * SETTLEMENT_M,
    "no precision in the table; the headline names the town or part of a city, the point is any place in it",
)
VIINA_DISTRICT = CodedPrecision(
    "district", DISTRICT_M, "no precision in the table; the headline names the district or its town"
)
VIINA_CITY = CodedPrecision(
    "region", CITY_REGION_M, "the headline does not name the part of the city where the point is"
)
VIINA_NAMELESS = CodedPrecision("district", 30_000.0, "no precision in the table, and the point has no name to compare")

#: Eyes on Russia: footage placed by its investigators; the point may be the camera's or the thing seen from it.
EYES_ON_RUSSIA = CodedPrecision(
    "site", 500.0, "footage geolocated; whether the point is what was hit or the camera is not said"
)
#: TimeMap: Bellingcat states 150 m, and that the public points are slightly moved to protect who filmed; how far is not
#: said, so twice 150 m more.
TIMEMAP = CodedPrecision("site", 450.0, "geolocated to 150 m, then slightly moved to protect the person who filmed")

#: Settlements whose names are ordinary words, or names of other regions, in the reports that VIINA located there.
VIINA_MISREAD: Mapping[str, str] = {
    "novyi": "the word new",
    "kuban": "the Kuban, Krasnodar Krai in Russia",
    "kavkaz": "the Caucasus, or Port Kavkaz in Russia",
}

#: First-level divisions as VIINA and UCDP write them that lie in Ukraine, by how they begin.
UKRAINIAN = (
    *("cherkas", "chernih", "cherniv", "crimea", "dnipro", "donets", "ivano", "khark", "kherson", "khmel", "kiev"),
    *("kirovo", "kyiv", "l'viv", "luhans", "lviv", "mykola", "odes", "poltav", "rivne", "sevastop", "sumy", "ternop"),
    *("transcarp", "vinny", "volyn", "zakarp", "zapor", "zhyto"),
)
# How VIINA writes the municipality of a town, which is feminine (Kramators'ka); a district is masculine.
_OF_MUNICIPALITY = "ka"
_CITY_REGIONS = ("kiev city", "sevastopol")


@dataclass(frozen=True, slots=True)
class CodedLocation:
    """A point (lon/lat, OGC:CRS84) with its precision; the point is None where the given coordinates are no place."""

    point: shapely.Point | None
    precision: CodedPrecision | None
    note: str | None = None


def point_of(row: StrikeRow, lon: str = "longitude", lat: str = "latitude") -> shapely.Point | None:
    """Return the point of two columns of degrees, in lon/lat (OGC:CRS84); None where both are empty.

    Raises ``CellProblem`` if one is missing or off the globe, or both are 0, which failed geocoding leaves.
    """
    if not row[lon] and not row[lat]:
        return None
    x, y = number(row, lon, -180, 180), number(row, lat, -90, 90)
    if x == 0 and y == 0:
        raise CellProblem(f"{lon}, {lat}", "0, 0", Message("cell.no-null-island"))
    return shapely.Point(x, y)


def location_columns(point: Any, precision: CodedPrecision | None) -> dict[str, Any]:
    """Return the location columns of a strike; empty without a point or a precision."""
    if point is None or precision is None:
        return {}
    return {"geometry": point, "uncertainty_m": precision.uncertainty_m, "basis": precision.basis}


def located(
    row: StrikeRow,
    precision: CodedPrecision | None,
    lon: str = "longitude",
    lat: str = "latitude",
    *,
    is_required: bool = False,
) -> dict[str, Any]:
    """Return the location columns of a row by its degrees, no more exact than their digits.

    Raises ``CellProblem`` as ``point_of`` does, and if there are no degrees where they are required.
    """
    point = point_of(row, lon, lat)
    if point is None and is_required:
        raise CellProblem(f"{lon}, {lat}", MISSING, Message("strikes.point"))
    return location_columns(point, coarser(precision, row[lon], row[lat]) if precision else None)


def digits_m(*texts: str) -> float:
    """Return how far rounded coordinates may be off, in metres: half of the last digit in degrees of latitude.

    The coordinate with more digits counts, as the other may have lost a zero at its end.
    """
    steps = [0.5 * 10.0 ** -len(text.partition(".")[2].strip()) for text in texts if text]
    return min(steps, default=0.0) * 111_320 * 2**0.5


def coarser(precision: CodedPrecision, *texts: str) -> CodedPrecision:
    """Return a precision whose radius is at least the rounding error of the coordinates' digits."""
    min_radius_m = round(digits_m(*texts))
    if min_radius_m <= precision.uncertainty_m:
        return precision
    return precision._replace(
        uncertainty_m=float(min_radius_m), reason=f"{precision.reason}; its coordinates are rounded"
    )


def viina_spot(row: StrikeRow, text: str) -> CodedLocation:
    """Return where VIINA puts a report, corrected for its known mistakes: see ``docs/strike-sources.md``.

    Raises ``CellProblem`` if the coordinates or their precision cannot be read.
    """
    point = point_of(row)
    if point is None:
        return CodedLocation(None, None)
    name, region = row["asciiname"], row["adm1_name"]
    if row["textgeoconflict"].upper() == "TRUE":
        return CodedLocation(None, None, f"VIINA's point at {name or 'a place'} is not where the text says; left out.")
    if name.casefold() in VIINA_MISREAD or is_word_for_a_thing(text, name):
        meant = VIINA_MISREAD.get(name.casefold(), "a word for a thing")
        return CodedLocation(
            None, None, f"VIINA's point is a village called {name}; in the text that is {meant}. Left out."
        )
    wide = widen_uncertainty(point.x, point.y, "viina", region or None, text=text or None)
    if wide is not None and wide.region is None:
        return CodedLocation(None, None, f"VIINA's point is no place of the text: {wide.reason}. Left out.")
    if wide is not None:
        return CodedLocation(
            point, CodedPrecision(wide.basis, wide.uncertainty_m, wide.reason), f"Widened: {wide.reason}."
        )
    precision = coarser(_viina_precision(row, text, name), row["longitude"], row["latitude"])
    return CodedLocation(
        point, precision, None if row["geo_precision"] else f"{precision.reason[:1].upper()}{precision.reason[1:]}."
    )


def _viina_precision(row: StrikeRow, text: str, name: str) -> CodedPrecision:
    if stated := row["geo_precision"].upper():
        if stated not in VIINA:
            raise CellProblem("GEO_PRECISION", stated, Message("cell.one-of", {"names": tuple(VIINA)}))
        return VIINA[stated]
    if not text:
        raise CellProblem("GEO_PRECISION", MISSING, Message("viina.precision"))
    if not name:
        return VIINA_NAMELESS
    if names_place(text, name):
        return VIINA_NAMED
    district = row["adm2_name"]
    if named := district_named(text, district):
        is_municipality = named == "town" and district.endswith(_OF_MUNICIPALITY)
        return VIINA_MUNICIPALITY if is_municipality or is_city(row["adm1_name"]) else VIINA_DISTRICT
    return VIINA_CITY if is_city(row["adm1_name"]) else VIINA_UNNAMED


def host_of(country: str) -> str | None:
    """Return the ISO 3166-1 code of a country name, also of one such as Russia (Soviet Union); None if unknown."""
    names = {"Bosnia-Herzegovina": "BA", "DR Congo": "CD", "Ivory Coast": "CI", "Kingdom of eSwatini": "SZ"}
    name = country.partition(" (")[0].strip()
    if name in names:
        return names[name]
    try:
        return country_code(name)
    except CellValueError:
        return None


def is_ukrainian(region: str) -> bool:
    """Whether a first-level division, in Latin letters, is one of Ukraine; Crimea and Sevastopol are."""
    return region.casefold().startswith(UKRAINIAN)


def is_city(region: str) -> bool:
    """Whether a first-level division is a city: Kyiv or Sevastopol."""
    return region.casefold().startswith(_CITY_REGIONS)
