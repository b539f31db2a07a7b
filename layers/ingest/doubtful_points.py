"""Points and days of a load that contradict their own records, the rest of their file or the calendar: never refused.

Files of others are loaded as their publishers have them: a refinery of Krasnodar at a village of that name in Ukraine
is no fault of a row, and still no place to look for the refinery. Knows no file of a source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import shapely
from shapely import STRtree

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.ingest.integrity import SEA_M
from layers.model import edtf
from layers.model.messages import Argument, Message
from layers.model.problems import Problem, ReadResult, problem_of
from layers.model.records import DESCRIPTION, RECORD_TYPES, Asset, Strike
from layers.reference.basemap import Basemap
from layers.reference.gazetteer import Gazetteer
from layers.reference.gazetteer_scoring import EARTH_RADIUS_M, NamedPlace, NamedRegion, distance_m
from layers.reference.land import BORDER_M, DEGREE_M, radius_m
from layers.reference.regions import RegionMentions, country_of_place, region_of_field
from layers.text.place_names import bare, fold, parts

#: The most of a point's uncertainty that may lead over a border. A larger one is that of a whole region: the point
#: stands for that region, which ends at the border even though the circle about it does not.
AREA_M = 40_000.0
#: The outermost limit of a continental shelf, 350 nautical miles (UN Convention on the Law of the Sea, art. 76): the
#: fields and platforms of a state lie up to there.
SHELF_M = 648_200.0
#: A point is far from a town beyond this and its own uncertainty. Places are often told by the town that their region
#: is called after, and no region of Ukraine reaches farther from its town than that of Odesa, 226 km.
FAR_M = 250_000.0
#: A point is far from a region beyond that, and by this beyond the circle that holds the region's places: there may be
#: more that the gazetteer lacks.
BEYOND_REGION_M = 100_000.0
#: A theatre is at most so many countries that hold this share of the points on land together, and more than the rest
#: each; a file has one that has at least so many such points.
THEATRE_COUNTRIES, THEATRE_SHARE, THEATRE_POINTS = 3, 0.98, 100
#: How far off the coast of the base map, which passes inland of quays and oil berths, a point still is of its country.
SHORE_M = 5_000.0

# The longest and the shortest degree of latitude of the ellipsoid.
_LONG_DEGREE_M, _SHORT_DEGREE_M = 111_694.0, 110_574.0
# Degrees between points that stand for an outline: to one of two that are 2.2 km apart it is at most 280 m farther than
# to the outline, if that is 2 km off, and less if it is more.
_STEP_DEGREES = 0.02
_TERRITORIES: Mapping[str, str] = {
    "AU": "CC CX HM NF",
    "CN": "HK MO",
    "DK": "FO GL",
    "FI": "AX",
    "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
    "GB": "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG",
    "NL": "AW BQ CW SX",
    "NO": "BV SJ",
    "NZ": "CK NU TK",
    "US": "AS GU MP PR UM VI",
}
#: The states of territories with a code of their own (ISO 3166-1): a file may have them under either.
_STATE_OF: Mapping[str, str] = MappingProxyType(
    {code: state for state, codes in _TERRITORIES.items() for code in codes.split()}
)

#: What is said of the doubts of a kind together, by the code of what was expected of each.
KINDS: Mapping[str, Message] = MappingProxyType(
    {
        "integrity.place": Message("doubts.stated"),
        "doubts.place-named": Message("doubts.named"),
        "doubts.place-near": Message("doubts.far"),
        "doubts.place-in-theatre": Message("doubts.outside"),
        "doubts.day-between": Message("doubts.day"),
    }
)
#: Strikes on wells, refineries and pipelines are reported from the wars of the twentieth century on.
FIRST_DAY = date(1900, 1, 1)
#: The most letters of a cell that are shown.
_SHOWN = 120

_Doubt = tuple[int, Message]  # row of the points, what was expected


def with_doubts(
    reading: ReadResult,
    basemap: Basemap,
    gazetteer: Gazetteer | None = None,
    theatre: Sequence[str] = (),
    *,
    today: date,
    is_checked: bool = False,
) -> ReadResult:
    """Return a read with a doubt about each point or day that contradicts, and the counts of each kind as warnings.

    A point has one doubt, the first of: it is outside the country that is stated; outside the only country that place
    and region, or else the texts, name; far from the region, or else the town, that it names; far outside the theatre.

    Parameters
    ----------
    reading
        What was read of the files; only strikes and assets that are points are looked at.
    basemap
        Tells the country of a point.
    gazetteer
        Tells where regions and towns are; without it none is looked up.
    theatre
        The countries (ISO 3166-1) that all strikes of the format are in; where empty, found from the points.
    today
        The day after which no strike has been, wherever on the globe it is that day.
    is_checked
        Whether the points have been held to their stated countries, as those of curated records are.
    """
    doubts: list[Problem] = []
    counts = Counter[Message]()
    for table in ("strikes", "assets"):
        points = Points.of(reading, table, basemap)
        is_of_strikes = table == "strikes"
        first_to_last = (
            () if is_checked else _outside_stated_country(points),
            _outside_named_country(points, reading) if is_of_strikes else (),
            _far_from_place(points, gazetteer) if is_of_strikes and gazetteer else (),
            _outside_theatre(points, theatre if is_of_strikes else ()),
        )
        by_row: dict[int, Message] = {}
        for row, expected in chain.from_iterable(first_to_last):
            by_row.setdefault(row, expected)
        counts.update(KINDS[expected.code] for expected in by_row.values())
        doubts += (_problem(points, row, by_row[row], reading) for row in sorted(by_row))
    days = [*_impossible_days(reading, today)]
    counts.update(KINDS[doubt.expected.code] for doubt in days)
    doubts += days
    return replace(reading, doubts=tuple(doubts), warnings={**reading.warnings, **counts})


def _impossible_days(reading: ReadResult, today: date) -> Iterator[Problem]:
    """Yield the days of strikes that have not come, or were before there was anything to strike."""
    last = today + timedelta(days=1)  # east of the place that has today
    for strike in reading.records.strikes.values():
        when = edtf.parse(strike.when)
        if not when.may_overlap(FIRST_DAY, last):
            expected = Message("doubts.day-between", {"first": FIRST_DAY.isoformat(), "last": last.isoformat()})
            yield problem_of(reading.locations, "strikes", strike.id, "when", strike.when, expected)


def _problem(points: Points, row: int, expected: Message, reading: ReadResult) -> Problem:
    """Return the doubt about a point, with its place in the files."""
    record = points.records[row]
    table = next(name for name, record_type in RECORD_TYPES.items() if isinstance(record, record_type))
    point = points.shape[row]
    if _is_swapped(point, expected, points.basemap):
        expected = Message("doubts.swapped", {"expected": expected})
    return problem_of(reading.locations, table, record.id, "geometry", point.wkt, expected)


def _is_swapped(point: shapely.Point, expected: Message, basemap: Basemap) -> bool:
    """Whether a point would be in the country that is expected of it with its longitude and latitude exchanged."""
    words = expected.arguments
    country = words.get("stated") or words.get("named") or words.get("country")
    found = basemap.country_at(point.y, point.x) if abs(point.x) <= 90 else None
    return found is not None and state_of(found) == state_of(str(country))


def _are_outside(points: Points, rows: Ints, codes: Objects) -> Bools:
    """Whether points are outside the countries of some codes, which are given by point.

    On land, and just off a coast, that is beyond the border by more than the base map and the point may err. At sea,
    and on land without an agreed sovereign, a point may belong to a country that is 200 nautical miles off, and an
    asset to one that is 350 off.
    """
    states = np.array([state_of(code) for code in codes], dtype=object)
    outside = np.asarray(points.state[rows] != states, dtype=bool)
    for state in {state for state, is_odd in zip(states, outside, strict=True) if is_odd}:
        odd = np.flatnonzero(outside & (states == state))
        own = rows[odd]
        reach = np.minimum(points.uncertainty_m[own], AREA_M) + BORDER_M
        open_sea = points.state[own] == None  # noqa: E711 - an array of objects
        limits = [SHELF_M if isinstance(points.records[row], Asset) else SEA_M for row in own]
        reach = np.where(open_sea, points.uncertainty_m[own] + limits, reach)
        outside[odd] = ~points.are_near(own, str(state), reach)
    return outside


def _outside_stated_country(points: Points) -> Iterator[_Doubt]:
    """Yield points outside the host country that their record states."""
    codes = np.array([record.host_country for record in points.records], dtype=object)
    rows = np.flatnonzero([code is not None for code in codes])
    for row in rows[_are_outside(points, rows, codes[rows])]:
        yield int(row), Message("integrity.place", {"stated": codes[row], "found": points.where(row)})


@dataclass(frozen=True, slots=True)
class _Named:
    """The country that a record names beside its point: by which column, with what words."""

    country: str
    column: str
    words: str


def _outside_named_country(points: Points, reading: ReadResult) -> Iterator[_Doubt]:
    """Yield strikes outside the only country that their place and region, or else their texts, name."""
    texts = _Texts(reading)
    by_place = _contradicted(
        points, {row: named for row, strike in _strikes(points) if (named := texts.of_place(strike))}
    )
    by_text = _contradicted(
        points,
        {row: named for row, strike in _strikes(points) if row not in by_place and (named := texts.of_report(strike))},
    )
    for row, named in {**by_place, **by_text}.items():
        words = {
            "named": named.country,
            "column": named.column,
            "words": named.words[:_SHOWN],
            "found": points.where(row),
        }
        yield row, Message("doubts.place-named", words)


def _strikes(points: Points) -> Iterator[tuple[int, Strike]]:
    return ((row, record) for row, record in enumerate(points.records) if isinstance(record, Strike))


def _contradicted(points: Points, named: Mapping[int, _Named]) -> dict[int, _Named]:
    rows = np.fromiter(named, dtype=np.int64, count=len(named))
    outside = _are_outside(points, rows, np.array([name.country for name in named.values()], dtype=object))
    return {int(row): named[int(row)] for row in rows[outside]}


class _Texts:
    """Looks for the one country that a strike names; a strike that names several says nothing."""

    def __init__(self, reading: ReadResult) -> None:
        self._regions = RegionMentions()
        self._country_of_region = cache(lambda region: region_of_field(region) or country_of_place(region))
        self._of_place = cache(lambda place, region: _only(self._named_by_place(place, region)))
        self._descriptions: dict[str, list[str]] = {}
        for claim in reading.records.claims.values():
            if claim.field == DESCRIPTION:
                self._descriptions.setdefault(claim.record, []).append(claim.value)

    def of_place(self, strike: Strike) -> _Named | None:
        """Return the country of the region, or the place."""
        return self._of_place(strike.place, strike.region)

    def of_report(self, strike: Strike) -> _Named | None:
        """Return the country whose regions the reports name; a title that tells the place again is read without it."""
        return _only(self._named_by_report(strike))

    def _named_by_place(self, place: str, region: str | None) -> Iterator[_Named]:
        if region and (country := self._country_of_region(region)):
            yield _Named(country, "region", region)
        if country := country_of_place(place):
            yield _Named(country, "place", place)
        yield from (_Named(mention.country, "place", mention.words) for mention in self._regions.of(place))

    def _named_by_report(self, strike: Strike) -> Iterator[_Named]:
        texts = [("targets", text) for text in strike.targets]
        texts.append(("title", strike.title.replace(strike.place, "")))
        texts += (("description", text) for text in self._descriptions.get(strike.id, ()))
        for column, text in texts:
            for mention in self._regions.of(text):
                yield _Named(mention.country, column, mention.words)


def _only(named: Iterator[_Named]) -> _Named | None:
    """Return the first of several that name the same country; None where they name two."""
    first = next(named, None)
    return first if first and all(other.country == first.country for other in named) else None


class _Circle(NamedTuple):
    """Where a strike is by a column of its: about a place whose radius says how large it is."""

    column: str
    place: NamedPlace | NamedRegion
    radius_m: float


def _far_from_place(points: Points, gazetteer: Gazetteer) -> Iterator[_Doubt]:
    """Yield strikes far from the region that they name, or else from the town that their place can only mean."""
    circles = _Circles(gazetteer)
    for row, strike in _strikes(points):
        if (circle := circles.of(strike, points.state[row])) is None:
            continue
        point, (column, place, reach_m) = points.shape[row], circle
        assert place.lon is not None
        assert place.lat is not None
        if distance_m(point.x, point.y, place.lon, place.lat) > reach_m + points.uncertainty_m[row]:
            names = {"name": place.name, "country": place.country, "column": column, "found": points.where(row)}
            yield row, Message("doubts.place-near", names)


class _Circles:
    """Looks up regions and towns, each once."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._region = cache(gazetteer.region)
        self._town = cache(gazetteer.town)

    def of(self, strike: Strike, state: str | None) -> _Circle | None:
        """Return the circle that the place of a strike, whose point is in a state, is in; None if it is not known."""
        if strike.region and (region := self._region(strike.region, strike.host_country)):
            return _Circle("region", region, max(FAR_M, (region.radius_m or 0.0) + BEYOND_REGION_M))
        town = self._town(strike.place)
        if town is None or state_of(strike.host_country) not in (None, state_of(town.country)):
            return None
        is_meant = state_of(town.country) == state or fold(town.name) == fold(bare(next(parts(strike.place))))
        return _Circle("place", town, FAR_M) if is_meant else None  # Caucasia in Colombia is Kavkaz too


def _outside_theatre(points: Points, stated: Sequence[str]) -> Iterator[_Doubt]:
    """Yield points more than 200 nautical miles from every country of the theatre."""
    theatre = [*stated] or _theatre(points.state)
    rows = np.flatnonzero(~np.isin(points.state.astype(str), theatre)) if theatre else np.empty(0, dtype=np.int64)
    for state in theatre:
        rows = rows[~points.are_near(rows, state, points.uncertainty_m[rows] + SEA_M)]
    for row in rows.tolist():
        where: dict[str, Argument] = {"theatre": tuple(theatre), "found": points.where(row)}
        yield row, Message("doubts.place-in-theatre", where)


def _theatre(states: Objects) -> list[str]:
    """Return the few states that hold nearly all points on land; empty where points are few, or everywhere."""
    counts = Counter(state for state in states if state)
    large = {state: count for state, count in counts.most_common() if count > (1 - THEATRE_SHARE) * counts.total()}
    is_one = len(large) <= THEATRE_COUNTRIES and sum(large.values()) >= THEATRE_SHARE * counts.total()
    return list(large) if is_one and counts.total() >= THEATRE_POINTS else []


# --- points as columns, and in or near which countries they are ----------------------------------------------------


@dataclass(frozen=True, eq=False)
class Points:
    """The n points of a table as columns, on the base map.

    Attributes
    ----------
    records
        Strikes or assets, in the order of their table.
    shape
        Points in lon/lat degrees (OGC:CRS84), shape (n,).
    uncertainty_m
        Radius in metres that holds the true place, 0 where not stated, shape (n,).
    """

    records: Sequence[Strike | Asset]
    shape: Objects
    uncertainty_m: Floats
    basemap: Basemap

    @classmethod
    def of(cls, reading: ReadResult, table: str, basemap: Basemap) -> Points:
        """Lay out the points of a table."""
        records = [
            record
            for record in reading.records.table(table).values()
            if isinstance(record, Strike | Asset) and isinstance(record.geometry, shapely.Point)
        ]
        shape = np.array([record.geometry for record in records], dtype=object)
        uncertainty_m = np.array([record.uncertainty_m or 0.0 for record in records], dtype=float)
        return cls(records, shape, uncertainty_m, basemap)

    @cached_property
    def country(self) -> Objects:
        """The codes of the countries on whose land, or shortly off whose coast, the points are; None elsewhere."""
        parts, owner = shapely.get_parts(self.basemap.countries.shape, return_index=True)
        tree, first = STRtree(self.shape), np.full(len(self.shape), len(parts))
        on_land = tree.query(parts, predicate="intersects")
        np.minimum.at(first, on_land[1], on_land[0])
        part, row = tree.query(parts, predicate="dwithin", distance=SHORE_M / DEGREE_M)
        is_off = first[row] == len(parts)
        np.minimum.at(first, row[is_off], part[is_off])
        of_part = np.array([*self.basemap.countries.iso_a2[owner], None], dtype=object)
        codes: Objects = of_part[first]
        return codes

    @cached_property
    def state(self) -> Objects:
        """The states of the countries: of a territory, that which it belongs to."""
        return np.array([state_of(code) for code in self.country], dtype=object)

    def are_near(self, rows: Ints, state: str, radius_m: Floats) -> Bools:
        """Whether land of a state is within a radius in metres of each of some points, none of which is on it.

        True of a state that the base map does not have.
        """
        is_own = [state_of(code) == state for code in self.basemap.countries.iso_a2]
        land, points = self.basemap.countries.shape[is_own], self.shape[rows]
        if not len(land):
            return np.ones(len(rows), dtype=bool)
        latitude = np.abs(shapely.get_y(points)) + radius_m / _SHORT_DEGREE_M
        # Degrees within which land surely is near, and those beyond which it surely is not.
        least = radius_m / _LONG_DEGREE_M
        most = radius_m / _SHORT_DEGREE_M / np.cos(np.radians(np.minimum(latitude, 89)))
        near, possible = np.zeros(len(rows), dtype=bool), np.abs(shapely.get_x(points)) + most > 180
        shapely.prepare(land)
        for outline in land:
            near |= _are_within(outline, points, least)
            possible |= _are_within(outline, points, most)
        if len(unsure := np.flatnonzero(possible & ~near)):
            near[unsure] = _distance_m(points[unsure], land) <= radius_m[unsure]
        return near

    def where(self, row: int) -> Argument:
        """Return the code of the country that a point is in for sure, or that it is in none, or that this is open."""
        radius = radius_m(self.records[row].basis, self.uncertainty_m[row])
        (found,) = self.basemap.land.around(*np.array([[self.shape[row].x], [self.shape[row].y], [radius]]))
        return found.country or Message("integrity.no-country" if found.is_at_sea else "integrity.open-country")


def _are_within(outline: shapely.Geometry, points: Objects, degrees: Floats) -> Bools:
    distance: Any = degrees  # one for each point, which the stubs of shapely do not know
    return np.asarray(shapely.dwithin(outline, points, distance), dtype=bool)


def _distance_m(points: Objects, land: Objects) -> Floats:
    """Measure how far points are from outlines, on a sphere, by points every 2 km or less along these."""
    from scipy.spatial import cKDTree  # takes a tenth of a second, which all that load would wait for

    nodes = cKDTree(_on_sphere(shapely.segmentize(land, _STEP_DEGREES)), balanced_tree=False, compact_nodes=False)
    chord = np.asarray(nodes.query(_on_sphere(points))[0], dtype=float)
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2, 1)), dtype=float)


def _on_sphere(shapes: Objects) -> Floats:
    """Return the vertices of geometries in lon/lat degrees as points of the unit sphere, shape (k, 3)."""
    lon, lat = np.radians(shapely.get_coordinates(shapes)).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def state_of(code: str | None) -> str | None:
    """Return the state of a country code: of a territory, that which it belongs to."""
    return _STATE_OF.get(code, code) if code else None
