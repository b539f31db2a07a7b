"""Assets as columns that candidates and evidence are read from: places, kinds, names, and trees to search in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.antimeridian import cut_to_world
from geo.columnar.lazy_array import Array
from geo.lonlat import Bools, Floats, Ints, Objects
from geo.spatial_join.geodesic_distance import lengths_m, wgs84
from layers.matching.asset_sites import Sites, sites_of
from layers.matching.name_index import NameIndex, RaggedArray
from layers.model.operation import NEVER_BUILT, days_of_operation
from layers.model.records import Asset, Records
from layers.model.types import OperatingStatus
from layers.reference.country_names import code_of
from layers.reference.regions import regions_named
from layers.resolution.asset_blocking import TYPES, holder_names, plant_types
from layers.store.record_table import fields
from layers.text.site_terms import (
    IS_RARE,
    KIN_MASKS,
    RELATED_MASKS,
    TARGET_KINDS,
    carried_in,
    kind_bits,
    numbers,
    stems,
    towns_in,
    without_seas,
)

Masks = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]

#: Least uncertainty of a place, in metres: a site is not a point.
MIN_RADIUS_M = 50.0
#: Upper bounds, in metres, of the classes of uncertainty that have a tree each, so that one uncertain asset does not
#: widen the search for all.
CLASSES_M = (2_000.0, 10_000.0, 30_000.0, np.inf)

#: Kinds of which there are types, as masks: of power plants, such as pumped storage, and of pipelines, by what they
#: carry. The bits of the latter follow on those of ``asset_blocking.TYPES``.
_POWER_PLANTS, _PIPELINES = kind_bits(["power-plant", "hydro-plant", "nuclear-plant"]), kind_bits(["pipeline"])
CARRIED = np.uint64(0b11 << len(TYPES))
#: For each of ``TARGET_KINDS``, its own bit.
_OWN_MASKS = tuple(kind_bits([kind]) for kind in TARGET_KINDS)


@dataclass(frozen=True, slots=True)
class AssetIndex:
    """All assets that have a geometry, as columns of n rows, with a search tree for each class of uncertainty.

    Attributes
    ----------
    ids
        Ids of the assets.
    geometry
        Shapely geometries in lon/lat degrees (OGC:CRS84).
    uncertainty_m
        Radius in metres that holds the true place.
    site
        Whether the geometry is that of the site itself.
    stands
        Whether the asset may be a candidate. One that does not is named by another row, which stands for it too: the
        plant of a unit, or an asset that is the same site in another source.
    kind, related, kin, rare
        The kinds of the site, the kinds easily mistaken for them, and those of one family with them, as bits of
        ``site_terms.TARGET_KINDS``; whether few assets are of the kind.
    number
        The numbers in the main name as bits.
    types
        The types of power plant or pipeline that the names say, as ``types_of_site`` has them.
    country
        Host country as ``country_codes`` gives it, -1 where none is stated.
    first_day, last_day
        Days from and to which it may have operated, as ordinals; the last before the first where it never did.
    area_km2, rim_km
        Area and outline of the shape (of a line twice its length): the ground within r of it is
        area + rim * r + pi * r^2 (Steiner's formula).
    counted_kind, counted_country, counted
        The kinds and the country that assets which stand have together, each pair of them once, and how many have it.
    twins, twin_probability
        The rows that may be the same site as each, and how probably each of the values of ``twins`` is.
    bounds
        West, south, east and north in degrees of the shape cut at the antimeridian, shape (n, 4): the box of a shape
        that goes on beyond it would not be met from the other side.
    names
        The names.
    trees
        See ``trees``.
    """

    ids: Sequence[str]
    geometry: Array
    uncertainty_m: Floats
    site: Bools
    stands: Bools
    kind: Masks
    related: Masks
    kin: Masks
    rare: Bools
    number: Masks
    types: Masks
    country: Codes
    first_day: Ints
    last_day: Ints
    area_km2: Floats
    rim_km: Floats
    counted_kind: Masks
    counted_country: Codes
    counted: Ints
    twins: RaggedArray
    twin_probability: Floats
    bounds: Floats
    names: NameIndex
    trees: tuple[tuple[float, Ints, shapely.STRtree], ...]

    @classmethod
    def of(
        cls,
        assets: Mapping[str, Asset],
        owners: Mapping[str, Sequence[str]],
        sites: Sites | None = None,
    ) -> AssetIndex:
        """Index records.

        Parameters
        ----------
        assets
            Those without a geometry are left out.
        owners
            The names of owners, operators and brands, by the id of the asset.
        sites
            Which of the assets are one site, or may be; by default each is one of its own.
        """
        sites = sites or Sites({}, {})
        # Read one by one: a million records at once would take gigabytes.
        placed = (_columns(*values) for values in fields(assets, *_FIELDS) if values[1] is not None)
        columns = list(zip(*placed, strict=True)) or [()] * 9
        ids, geometry, uncertainty_m, site, kinds, countries, days, names, is_there = columns
        return cls.from_columns(
            ids,
            np.array(geometry, dtype=object),
            np.array(uncertainty_m, dtype=float),
            np.array(site, dtype=bool),
            kinds,
            countries,
            names,
            [tuple(owners.get(name, ())) if there else () for name, there in zip(ids, is_there, strict=True)],
            np.array(days, dtype=np.int64).reshape(-1, 2),
            [sites.represented_by.get(name, name) for name in ids] if sites.represented_by else None,
            sites.likely,
            np.array(is_there, dtype=bool),
        )

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[str],
        geometry: Objects,
        uncertainty_m: Floats,
        site: Bools,
        kinds: Sequence[str],
        countries: Sequence[str | None],
        names: Sequence[Sequence[str]],
        owners: Sequence[Sequence[str]],
        days: Ints | None = None,
        represented_by: Sequence[str] | None = None,
        likely: Mapping[tuple[str, str], float] = MappingProxyType({}),
        is_there: Bools | None = None,
    ) -> AssetIndex:
        """Index columns of one length n, which are as the attributes of the class of these names.

        Parameters
        ----------
        geometry
            None is missing or empty, shape (n,).
        uncertainty_m
            0 where not stated, shape (n,).
        kinds
            The kind of each asset, a member of ``site_terms.TARGET_KINDS``.
        countries
            Host country of each asset, ISO 3166-1 alpha-2.
        names, owners
            The names of each asset, the main one first; it alone is read for numbers. Those of owners, operators and
            brands.
        days
            First and last day on which each asset may have operated, shape (n, 2); by default any.
        represented_by
            Id of the asset that stands for each; by default each for itself. A row that does not stand for itself is
            no candidate, and its names, owners and kind are those of the row that does.
        likely
            How probably two rows that stand for themselves are one site, by their ids in both orders.
        is_there
            Whether anything was built that may be hit, shape (n,); by default of all.

        Raises
        ------
        KeyError
            For a kind that is not in the table of kinds.
        """
        rank = {kind: number for number, kind in enumerate(TARGET_KINDS)}
        kind = np.fromiter((rank[kind] for kind in kinds), np.int64, len(kinds))
        row_of, of_row = _rows_of_sites(ids, represented_by)
        stands = row_of == np.arange(len(ids))
        if is_there is not None:
            stands &= is_there
        own, related, kin = (_masks(of_kind, kind, row_of) for of_kind in (_OWN_MASKS, RELATED_MASKS, KIN_MASKS))
        area_km2, rim_km = _measured(geometry)
        bounds = shapely.bounds(cut_to_world(geometry))
        points = geometry.copy()
        points[shapely.get_type_id(geometry) != 0] = None
        number = np.fromiter((numbers(variants[0]) if variants else 0 for variants in names), np.uint64, len(names))
        twins, twin_probability = _twins(ids, likely)
        country = country_codes(countries)
        days = np.tile([date.min.toordinal(), date.max.toordinal()], (len(ids), 1)) if days is None else days
        return cls(
            ids,
            geometry,
            uncertainty_m,
            site,
            stands,
            own,
            related,
            kin,
            np.array(IS_RARE)[kind],
            number,
            _types(names, own, row_of),
            country,
            days[:, 0],
            days[:, 1],
            area_km2,
            rim_km,
            *_counted(own[stands], country[stands]),
            twins,
            twin_probability,
            bounds,
            NameIndex.of(_pooled(names, of_row), _pooled(owners, of_row)),
            trees(bounds, points, uncertainty_m, stands),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def number_of(self, kinds: int, country: int) -> int:
        """Return how many assets of any of some kinds, as a mask, may be candidates in a country, by its code."""
        fits = (self.counted_kind & np.uint64(kinds) != 0) & (self.counted_country == country)
        return int(self.counted[fits].sum())

    def alike(self, left: Ints, right: Ints) -> tuple[Ints, Ints, Floats]:
        """Find the candidates of one strike that may be one site.

        Parameters
        ----------
        left, right
            Rows of strikes and of assets, shape (pairs,), sorted by both.

        Returns
        -------
        tuple
            Positions of candidates among the pairs, for each that of another which may be the same site, and how
            probably it is; each pair in both orders, empty arrays where there is none.
        """
        entries = RaggedArray(np.arange(len(self.twin_probability)), self.twins.start)
        entry, one = entries.of_rows(right)
        key, wanted = left * len(self) + right, left[one] * len(self) + self.twins.values[entry]
        other = np.searchsorted(key, wanted)
        there = np.flatnonzero(key[np.minimum(other, len(key) - 1)] == wanted) if len(key) else np.empty(0, np.int64)
        return one[there], other[there], self.twin_probability[entry[there]]


def _twins(ids: Sequence[str], likely: Mapping[tuple[str, str], float]) -> tuple[RaggedArray, Floats]:
    """Return by row the rows that may be the same site, and how probably."""
    of_row: list[dict[int, float]] = [{} for _ in ids]
    if likely:
        row = {name: number for number, name in enumerate(ids)}
        for (one, other), probability in sorted(likely.items()):
            if one in row and other in row:
                of_row[row[one]][row[other]] = probability
    flat = np.fromiter((value for twins in of_row for value in twins.values()), float)
    return RaggedArray.of([tuple(twins) for twins in of_row]), flat


#: The fields of assets that an index is read from, behind the id.
_FIELDS = (
    *("geometry", "uncertainty_m", "basis", "kind", "host_country", "status", "since", "until"),
    *("name", "names", "aliases"),
)


def _columns(
    key: str,
    geometry: BaseGeometry,
    uncertainty_m: float | None,
    basis: str,
    kind: str,
    country: str | None,
    status: OperatingStatus | None,
    since: str | None,
    until: str | None,
    name: str,
    by_language: Mapping[str, str],
    aliases: Sequence[str],
) -> tuple[Any, ...]:
    printed: dict[str, None] = {}
    for listed in (name, *by_language.values(), *aliases):
        printed.update(dict.fromkeys(_variants(_own_name(listed))))
    names = (*printed, *(town for name in printed for town in towns_in(name)))
    place = (geometry, uncertainty_m or 0.0, basis == "site")
    days = days_of_operation(status, since, until)
    is_there = status not in NEVER_BUILT or days[0] <= days[1]
    return key, *place, kind, country, days, names if is_there else (), is_there


def _own_name(name: str) -> str:
    """Return a name without seas, and without a region behind its last comma: "gas facility, Kharkiv oblast"."""
    own = without_seas(name) or name
    head, comma, tail = own.rpartition(",")
    if not comma:
        return own
    named = regions_named(tail)
    return head.strip() if head.strip() and named.countries and not stems(named.rest) else own


def _variants(name: str) -> tuple[str, ...]:
    """Return the spellings of a name: as printed, and without its brackets; that alone if they hold a country."""
    outside, opened, within = name.partition("(")
    within, closed, rest = within.partition(")")
    if not (opened and closed and outside.strip()):
        return (name,)
    bare = f"{outside.strip()} {rest.strip()}".strip()
    return (bare,) if code_of(within) else (name, bare)


def _masks(of_kind: Sequence[int], kind: Ints, row_of: Ints) -> Masks:
    """Return the masks of kinds by row, those of rows that another stands for with the other's."""
    mask = np.zeros(len(kind), np.uint64)
    np.bitwise_or.at(mask, row_of, np.array(of_kind, np.uint64)[kind])
    return mask


def _types(names: Sequence[Sequence[str]], kinds: Masks, row_of: Ints) -> Masks:
    """Return the types of site that names say by row, those of rows that another stands for with the other's."""
    types = np.zeros(len(names), np.uint64)
    for row in np.flatnonzero(kinds[row_of] & np.uint64(_POWER_PLANTS | _PIPELINES)).tolist():
        types[row_of[row]] |= np.uint64(types_of_site(names[row], int(kinds[row_of[row]])))
    return types


def types_of_site(texts: Iterable[str], kinds: int) -> int:
    """Return the types that texts say of the kinds that they are about: of power plants, and what pipelines carry."""
    listed = list(texts)
    of_plants = plant_types(listed) if kinds & _POWER_PLANTS else 0
    return of_plants | (carried_in(listed) << len(TYPES) if kinds & _PIPELINES else 0)


def _counted(kind: Masks, country: Codes) -> tuple[Masks, Codes, Ints]:
    """Return the pairs of kinds and country that there are, each once, and how often."""
    kinds, number = np.unique(kind, return_inverse=True)
    base = int(country.max(initial=-1)) + 2
    pair, count = np.unique(number * base + country + 1, return_counts=True)
    return kinds[pair // base], (pair % base - 1).astype(country.dtype), count


def _rows_of_sites(ids: Sequence[str], represented_by: Sequence[str] | None) -> tuple[Ints, Mapping[int, list[int]]]:
    """Return for each row the row that stands for it, and for those that stand for others all rows of theirs."""
    row_of = np.arange(len(ids))
    of_row: dict[int, list[int]] = {}
    if represented_by is not None:
        row = {name: number for number, name in enumerate(ids)}
        for number, (name, other) in enumerate(zip(ids, represented_by, strict=True)):
            if other != name:
                row_of[number] = row[other]
                of_row.setdefault(row[other], [row[other]]).append(number)
    return row_of, of_row


def _pooled(texts: Sequence[Sequence[str]], of_row: Mapping[int, list[int]]) -> Sequence[Sequence[str]]:
    """Return texts by row, those of rows that another stands for under the other."""
    if not of_row:
        return texts
    pooled = list(texts)
    for rows in of_row.values():
        for row in rows:
            pooled[row] = ()
        pooled[rows[0]] = tuple(dict.fromkeys(text for row in rows for text in texts[row]))
    return pooled


def country_codes(countries: Iterable[str | None]) -> Codes:
    """Return ISO 3166-1 alpha-2 codes as numbers from 0 to 675, -1 for none."""
    codes = ((ord(code[0]) - 65) * 26 + ord(code[1]) - 65 if code else -1 for code in countries)
    return np.fromiter(codes, np.int32)


def trees(
    bounds: Floats, points: Objects, uncertainty_m: Floats, stands: Bools
) -> tuple[tuple[float, Ints, shapely.STRtree], ...]:
    """Build a search tree for each class of uncertainty.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees, shape (n, 4).
    points
        Shapely points, None for every other shape, shape (n,): such a shape is in the tree as the line from one corner
        of its bounds to the other.
    uncertainty_m
        Metres, shape (n,).
    stands
        Rows that are searched, shape (n,).

    Returns
    -------
    tuple
        For each class with any row: the largest uncertainty in metres, the rows, and their tree.
    """
    classes = []
    lowest = -1.0
    for highest in CLASSES_M:
        rows = np.flatnonzero(stands & (uncertainty_m > lowest) & (uncertainty_m <= highest))
        if len(rows):
            classes.append((float(uncertainty_m[rows].max()), rows, _tree(bounds[rows], points[rows])))
        lowest = highest
    return tuple(classes)


def _tree(bounds: Floats, points: Objects) -> shapely.STRtree:
    spans, other = points.copy(), shapely.is_missing(points)
    spans[other] = shapely.linestrings(bounds[other].reshape(-1, 2, 2))
    tree = shapely.STRtree(spans)
    tree.query(shapely.box(0, 0, 0, 0))  # the tree is only built at its first query
    return tree


def _measured(geometry: Objects) -> tuple[Floats, Floats]:
    """Return the area in km² and the outline in km of each shape on WGS 84; 0 for points."""
    area_km2, rim_km = np.zeros(len(geometry)), np.zeros(len(geometry))
    dimension = shapely.get_dimensions(geometry)
    lines = dimension == 1
    rim_km[lines] = 2 * lengths_m(geometry[lines]) / 1000
    for row in np.flatnonzero(dimension == 2):
        square_m, metres = wgs84().geometry_area_perimeter(shapely.orient_polygons(geometry[row]))
        area_km2[row], rim_km[row] = abs(square_m) / 1e6, metres / 1000
    return area_km2, rim_km


def index_of(records: Records) -> AssetIndex:
    """Index the assets of a set of records, with the names of the entities tied to them."""
    holders = holder_names(records)
    return AssetIndex.of(records.assets, holders, sites_of(records, holders))
