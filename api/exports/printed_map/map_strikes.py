"""Strikes as a printed map draws them: where each stands, whose it was with bounds, and what it is based on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.wording.catalogue import ENGLISH, phrase
from api.wording.countries import name_in
from geo.lonlat import Ints
from layers.attribution.attribute import (
    NEGLIGIBLE,
    StrikeAttribution,
    bounds_over_sites,
    country_of,
    counts_as_strike,
    days,
    is_sure_strike,
    sites_together,
    stands,
    sure_of_sites,
)
from layers.collections.feature_types import SPOKEN
from layers.decisions.hits import Hit, HitVerdict
from layers.disclosure.ruling import withheld_fields
from layers.model.records import Asset, Records
from layers.ownership.walk import Interval
from layers.query.strike_ties import strike_rows
from layers.reference.map_ground import GroundLanguage
from layers.snapshot.snapshot import Snapshot
from layers.store.open_layer import OPEN
from layers.store.record_table import lists_of, prefetch

#: Decimals of degrees to which sites at one place are one: about 100 m, less than a printed dot.
_SAME_PLACE_DECIMALS = 3
_NOTHING = Interval(0.0, 0.0)
#: Status of the lines of the open layer that are drawn, as in `static/layers.js`; of others those that were struck.
_DRAWN = ("operating", "construction", "idle", "mothballed")

#: Publisher and licence of open data.
Credit = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class SheetOrigin:
    """What a sheet says of where it is from: day and history of the data, remarks, and strikes that are retracted.

    ``grid`` says to what the publisher rounds places, in words.
    """

    day: date
    history: str
    remarks: Sequence[str] = ()
    retracted: int = 0
    grid: str = ""


@dataclass(frozen=True, slots=True)
class StruckPlace:
    """Where a strike was, or may have been: a point in lon/lat degrees, and what holds the true place.

    ``radius_m`` is 0 where it is not stated; ``area`` is the outline of a place that is known as an area; one that
    ``is_rounded`` was made coarser by the publisher.
    """

    lon: float
    lat: float
    radius_m: float = 0.0
    area: BaseGeometry | None = None
    is_rounded: bool = False

    @property
    def point(self) -> tuple[float, float]:
        """Lon and lat."""
        return self.lon, self.lat


@dataclass(frozen=True, slots=True)
class MapStrike:
    """One strike of a printed map.

    Parameters
    ----------
    places
        Where it stands: the sites that a decision names, or else its own place; none if that is not known or withheld.
    withheld
        Fields of its record that are withheld or made coarser.
    alternatives
        Whether it hit one of the places, and it is open which.
    at_sites
        Whether the places are those of sites.
    host, at_sea
        The country in which it happened; ``None`` at sea, and where it is not known.
    is_sure
        Whether it surely counts, and surely hit one of its sites.
    owners
        Share of each country with bounds in percent, the largest first; the rest that is not established is ``None``.
    tied
        Countries with another tie than that of an owner or the host.
    sites
        Number of sites that the shares are of together.
    lines
        Lines that were hit, or of which what was hit is a part, by their ids.
    assets
        Ids of what was hit.
    sources
        Publishers of its sources, each once.
    credits
        Whose open data its sites are of.
    """

    id: str
    title: str
    status: str
    when: str
    first_day: date | None
    host: str | None
    at_sea: bool
    places: tuple[StruckPlace, ...]
    alternatives: bool
    at_sites: bool
    is_sure: bool
    owners: tuple[tuple[str | None, Interval], ...]
    tied: frozenset[str]
    sites: int
    lines: frozenset[str]
    assets: frozenset[str]
    sources: tuple[str, ...]
    credits: tuple[Credit, ...] = ()
    withheld: Sequence[str] = ()

    def share(self, country: str | None) -> Interval:
        """Bounds of a country's share."""
        return next((share for owner, share in self.owners if owner == country), _NOTHING)

    @property
    def abroad(self) -> Interval:
        """Bounds of what owners of other countries than the host held."""
        home, rest = self.share(self.host) if self.host else _NOTHING, self.share(None)
        others = [share for owner, share in self.owners if owner not in (self.host, None)]
        low, high = sum(share.low for share in others), sum(share.high for share in others)
        if self.host is None and not self.at_sea:  # any of the owners may be at home
            return Interval(0.0, min(high, 100.0))
        # Whatever is neither the host's nor without a country is of others.
        return Interval(max(low, 100 - home.high - rest.high, 0.0), min(high, 100 - home.low - rest.low, 100.0))


@dataclass(frozen=True, slots=True)
class MapSelection:
    """The strikes of a map, and how many of the selected ones are retracted or were decided to be none.

    ``cited`` are the ids of the sources of all selected ones.
    """

    strikes: Sequence[MapStrike]
    left_out: int
    cited: Set[str]


def map_strikes(
    records: Records, answers: Iterable[StrikeAttribution], language: GroundLanguage = "en"
) -> MapSelection:
    """Make the strikes of a map from their attributions, by whichever basis these are."""
    drawn, left_out, cited = list[MapStrike](), 0, set[str]()
    for answer in answers:
        cited.update(answer.strike.sources)
        if not counts_as_strike(answer):
            left_out += 1
            continue
        strike, entities = answer.strike, records.entities
        sites = [
            _StruckSite(
                hit.hit,
                # Bounds of shares are rounded, and cut at 100, as the rows of attributions have them.
                {share.country: Interval(*share.share.percents()) for share in hit.owners.shares},
                Interval(*hit.owners.unattributed.percents()),
                frozenset(filter(None, (country_of(entities[tie.entity], answer.basis) for tie in hit.relations))),
            )
            for hit in answer.hits
        ]
        drawn.append(
            _map_strike(
                records,
                sites,
                strike.sources,
                strike.geometry,
                id=strike.id,
                title=strike.titles.get(language, strike.title),
                status=strike.status,
                when=strike.when,
                first_day=days(strike)[0],
                host=answer.host.country,
                at_sea=answer.host.basis == "sea",
                is_sure=is_sure_strike(answer),
                uncertainty_m=strike.uncertainty_m,
                rests_on=answer.outcome.basis_of_outcome,
                withheld=withheld_fields(strike),
            )
        )
    return MapSelection(drawn, left_out, cited)


#: What a map says of a strike itself, and the column of it in the collection of strikes.
_STATED: Mapping[str, str] = MappingProxyType(
    {
        "id": "id", "title": "title", "status": "status", "when": "when", "first_day": "day_first",
        "host": "host_country", "at_sea": "host_basis", "is_sure": "sure", "uncertainty_m": "uncertainty_m",
        "rests_on": "rests_on", "withheld": "withheld",
    }
)  # fmt: skip


def map_strikes_at(snapshot: Snapshot, rows: Sequence[int], language: GroundLanguage = "en") -> MapSelection:
    """Make the same of rows of the collection of strikes, from the rows that are published of them.

    Nothing is attributed anew, so that a map of very many strikes is soon drawn. Countries are those of registration.
    """
    strikes, records = snapshot.collections["strikes"], snapshot.records
    at = np.array(rows, dtype=np.int64)
    shapes, every_site = strikes.geometries_at(at), _sites_at(snapshot, at)
    columns: dict[str, Sequence[Any]] = {
        name: strikes.features.columns[column].take(at) for name, column in _STATED.items()
    }
    columns["at_sea"] = [basis == "sea" for basis in columns["at_sea"]]
    if language in SPOKEN:
        named = strikes.features.columns[f"title_{language}"].take(at)
        columns["title"] = [name or title for name, title in zip(named, columns["title"], strict=True)]
    every_source = lists_of(records.strikes, "sources", columns["id"])
    prefetch(records.assets, {site.hit.asset for sites in every_site.values() for site in sites})
    drawn, left_out, cited = list[MapStrike](), 0, set[str]()
    for row, shape, sources, *values in zip(rows, shapes, every_source, *columns.values(), strict=True):
        cited.update(sources)
        stated, sites = dict(zip(columns, values, strict=True)), every_site.get(row, [])
        # What was decided of a strike as a whole names no site.
        decided = stated["rests_on"] == "decision" and not sites
        if stated["status"] == "retracted" or (
            decided and not stands(stated["status"], snapshot.findings[stated["id"]])
        ):
            left_out += 1
        else:
            drawn.append(_map_strike(records, sites, sources, shape, **stated))
    return MapSelection(drawn, left_out, cited)


@dataclass(frozen=True, slots=True)
class _StruckSite:
    """A site that a strike hit or may have hit: countries whose owners held part of it, the rest, and other ties."""

    hit: Hit
    shares: Mapping[str, Interval]
    unattributed: Interval
    tied: Set[str]


def _sites_at(snapshot: Snapshot, strikes: Ints) -> Mapping[int, Sequence[_StruckSite]]:
    """The sites of each of some rows of strikes, in the order of the attributions; none where no site is known."""
    layer = snapshot.collections["attributions"]
    row_of_strike = strike_rows(snapshot.collections["strikes"], layer)
    rows = np.flatnonzero(np.isin(row_of_strike, strikes))
    names = ("asset", "relation", "country", "share_min", "share_max", "rests_on", "alternative")
    values = zip(*(layer.features.columns[name].take(rows) for name in names), strict=True)
    found: dict[int, dict[str, list[_Tie]]] = {}
    for row, (asset, *tie) in zip(row_of_strike[rows].tolist(), values, strict=True):
        found.setdefault(row, {}).setdefault(asset, []).append(_Tie(*tie))
    return {row: list(filter(None, map(_struck_site, sites, sites.values()))) for row, sites in found.items()}


class _Tie(NamedTuple):
    """A country's tie to a site that was or may have been hit, as a row of attributions has it."""

    relation: str
    country: str | None
    share_min: float
    share_max: float
    rests_on: str
    alternative: bool


def _struck_site(asset: str, ties: Sequence[_Tie]) -> _StruckSite | None:
    """Put the ties to a site together; ``None`` where it has no other than that of the country that it lies in."""
    ties = [tie for tie in ties if tie.relation != "host"]
    if not ties:
        return None
    verdict: HitVerdict = (
        "proposed" if ties[0].rests_on == "match" else "possible" if ties[0].alternative else "confirmed"
    )
    owned = {tie.country: Interval(tie.share_min, tie.share_max) for tie in ties if tie.relation == "owner"}
    shares = {country: share for country, share in owned.items() if country is not None}
    tied = frozenset(tie.country for tie in ties if tie.relation != "owner" and tie.country)
    return _StruckSite(Hit(asset, verdict, None), shares, owned.get(None, _NOTHING), tied)


def _map_strike(
    records: Records, sites: Sequence[_StruckSite], sources: Iterable[str], geometry: BaseGeometry | None, *,
    uncertainty_m: float | None, rests_on: str, is_sure: bool, withheld: Sequence[str], **stated: Any,
) -> MapStrike:  # fmt: skip
    """Lay out one strike.

    It stands at the sites that a decision names, or else at its own place; of several possible ones it is open which.
    """
    confirmed = [site for site in sites if site.hit.verdict == "confirmed"]
    is_decided = rests_on in ("decision", "alternatives")
    at_sites = _site_places(records.assets, confirmed or sites) if is_decided else []
    own = _place(geometry, uncertainty_m, withheld)
    assets = [records.assets[site.hit.asset] for site in sites]
    return MapStrike(
        places=tuple(at_sites or ([own] if own else [])),
        alternatives=not confirmed and len(at_sites) > 1,
        at_sites=bool(at_sites),
        is_sure=is_sure and bool(sure_of_sites(sites, lambda _: {True})),
        owners=_owners(sites),
        tied=frozenset().union(*(site.tied for site in sites)),
        sites=sites_together(sites),
        lines=frozenset(_lines(records.assets, assets)),
        assets=frozenset(asset.id for asset in assets),
        sources=tuple(dict.fromkeys(records.sources[source].publisher for source in sources)),
        credits=tuple(credit for asset in assets for credit in _credits(records, asset)),
        withheld=withheld,
        **stated,
    )


def _owners(sites: Sequence[_StruckSite]) -> tuple[tuple[str | None, Interval], ...]:
    """Shares of countries in all that was hit, the largest first, and of the rest, without what is rounding alone."""
    countries = {country for site in sites for country in site.shares}
    shares = {
        country: bounds_over_sites(sites, lambda site: site.shares.get(country, _NOTHING))  # noqa: B023 - called here
        for country in countries
    }
    ordered = sorted(shares.items(), key=lambda item: (-item[1].high, -item[1].low, item[0]))
    every = [*ordered, (None, bounds_over_sites(sites, lambda site: site.unattributed))]
    return tuple((country, share) for country, share in every if share.high > NEGLIGIBLE)


def _site_places(assets: Mapping[str, Asset], sites: Sequence[_StruckSite]) -> list[StruckPlace]:
    """Places of sites that are no lines, each place once with its largest radius."""
    found: dict[tuple[float, float], StruckPlace] = {}
    for site in sites:
        asset = assets[site.hit.asset]
        if asset.geometry is None or shapely.get_dimensions(asset.geometry) == 1:
            continue
        place = _place(asset.geometry, asset.uncertainty_m, withheld_fields(asset))
        if place is not None:
            key = (round(place.lon, _SAME_PLACE_DECIMALS), round(place.lat, _SAME_PLACE_DECIMALS))
            found[key] = max(found.get(key, place), place, key=lambda one: one.radius_m)
    return list(found.values())


def _place(geometry: BaseGeometry | None, radius_m: float | None, withheld: Sequence[str]) -> StruckPlace | None:
    if geometry is None or geometry.is_empty:
        return None
    point = geometry if isinstance(geometry, shapely.Point) else shapely.point_on_surface(geometry)
    area = geometry if point is not geometry and shapely.get_dimensions(geometry) == 2 else None
    return StruckPlace(float(point.x), float(point.y), float(radius_m or 0.0), area, "geometry" in withheld)


def _lines(assets: Mapping[str, Asset], struck: Iterable[Asset]) -> Iterable[str]:
    """Yield the ids of lines that were struck, and of those that what was struck belongs to."""
    for asset in struck:
        whole = assets.get(asset.part_of) if asset.part_of else None
        for line in (asset, whole):
            if line is not None and line.geometry is not None and shapely.get_dimensions(line.geometry) == 1:
                yield line.id


@dataclass(frozen=True, slots=True)
class MapLine:
    """A pipeline in lon/lat degrees.

    Attributes
    ----------
    credits
        Whose open data it is of.
    only_struck
        Whether it is drawn only where it was struck.
    is_rough
        Whether hardly more than its ends is known of its course.
    """

    id: str
    name: str
    shape: BaseGeometry
    credits: tuple[Credit, ...] = ()
    only_struck: bool = False
    is_rough: bool = False


def _credits(records: Records, asset: Asset) -> Iterable[Credit]:
    """Yield whose open data a site or its place is of."""
    for key in filter(None, (asset.place_source, *asset.sources)):
        source = records.sources.get(key)
        if source is not None and source.licence and source.dataset.startswith(OPEN):
            yield source.publisher, source.licence


def open_data_note(credits: Sequence[Credit], language: str) -> list[str]:
    """Say whose open data is drawn, in a sentence without its full stop; nothing where none is."""
    named = (f"{publisher} ({licence})" for publisher, licence in credits)
    return [phrase("print.note.open", language, list=", ".join(named))] if credits else []


def map_lines(records: Records, language: str = ENGLISH) -> list[MapLine]:
    """All pipelines of records whose course is known, with their names in a language, or as they are stored."""
    known = ((asset, asset.geometry) for asset in records.assets.values())
    return [
        MapLine(
            asset.id,
            name_in(asset, language),
            shape,
            tuple(_credits(records, asset)),
            asset.dataset.startswith(OPEN) and asset.status not in _DRAWN,
            asset.basis == "line-end",
        )
        for asset, shape in known
        if shape is not None and shapely.get_dimensions(shape) == 1
    ]


def box_around(shapes: Sequence[BaseGeometry | None]) -> tuple[float, float, float, float]:
    """Return a box with land about shapes in lon/lat degrees: most of the world where there are none."""
    known = [shape for shape in shapes if shape is not None and not shape.is_empty]
    if not known:
        return -180.0, -60.0, 180.0, 75.0
    west, south, east, north = shapely.total_bounds(np.array(known, dtype=object)).tolist()
    margin = max(0.75, 0.1 * (east - west), 0.1 * (north - south))
    return max(west - margin, -180.0), max(south - margin, -90.0), min(east + margin, 180.0), min(north + margin, 90.0)
