"""Points of a table as columns, and in or near which countries they are. Knows no rule of what may be where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.model.messages import Argument, Message
from layers.model.problems import ReadResult
from layers.model.records import Asset, Strike
from layers.reference.basemap import Basemap
from layers.reference.gazetteer_scoring import EARTH_RADIUS_M
from layers.reference.land import DEGREE_M

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
        """Return the code of the country that a point is in, or that it is in none."""
        return self.country[row] or Message("integrity.no-country")


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
