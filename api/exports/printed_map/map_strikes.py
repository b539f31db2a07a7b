"""Strikes as a printed map draws them: where each stands, whose it was with bounds, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from api.wording.catalogue import ENGLISH
from api.wording.countries import name_in
from layers.attribution.attribute import (
    NEGLIGIBLE,
    HitOwnership,
    StrikeAttribution,
    country_of,
    counts_as_strike,
    days,
    is_sure_strike,
    sites_together,
)
from layers.model.records import Asset, Records
from layers.ownership.walk import Interval
from layers.reference.map_ground import GroundLanguage

#: Decimals of degrees to which sites at one place are one: about 100 m, less than a printed dot.
_SAME_PLACE_DECIMALS = 3
_NOTHING = Interval(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class StruckPlace:
    """Where a strike was, or may have been: a point in lon/lat degrees, and what holds the true place.

    ``radius_m`` is 0 where it is not stated; ``area`` is the outline of a place that is known as an area.
    """

    lon: float
    lat: float
    radius_m: float = 0.0
    area: BaseGeometry | None = None

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
        Where it stands: the sites that a decision names, or else its own place; none if that is not known.
    alternatives
        Whether it hit one of the places, and it is open which.
    at_sites
        Whether the places are those of sites.
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
    """

    id: str
    title: str
    status: str
    when: str
    first_day: date | None
    host: str | None
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

    def share(self, country: str | None) -> Interval:
        """Bounds of a country's share."""
        return next((share for owner, share in self.owners if owner == country), _NOTHING)

    @property
    def abroad(self) -> Interval:
        """Bounds of what owners of other countries than the host held."""
        home, rest = self.share(self.host) if self.host else _NOTHING, self.share(None)
        others = [share for owner, share in self.owners if owner not in (self.host, None)]
        low, high = sum(share.low for share in others), sum(share.high for share in others)
        # Whatever is neither the host's nor without a country is of others.
        return Interval(max(low, 100 - home.high - rest.high, 0.0), min(high, 100 - home.low - rest.low, 100.0))


def map_strikes(
    records: Records, answers: Iterable[StrikeAttribution], language: GroundLanguage = "en"
) -> tuple[list[MapStrike], int]:
    """Make the strikes of a map, and count those of the answers that are retracted, or were decided to be none."""
    drawn, retracted = [], 0
    for answer in answers:
        if counts_as_strike(answer):
            drawn.append(map_strike(records, answer, language))
        else:
            retracted += 1
    return drawn, retracted


def map_strike(records: Records, answer: StrikeAttribution, language: GroundLanguage) -> MapStrike:
    """Lay out one strike."""
    strike, entities = answer.strike, records.entities
    assets = [records.assets[hit.hit.asset] for hit in answer.hits]
    places, alternatives, at_sites = _places(records.assets, answer)
    owners = [(share.country, share.share) for share in answer.shares if share.share.high > NEGLIGIBLE]
    rest = [(None, answer.unattributed)] if answer.unattributed.high > NEGLIGIBLE else []
    tied = (country_of(entities[tie.entity], answer.basis) for hit in answer.hits for tie in hit.relations)
    publishers = dict.fromkeys(records.sources[source].publisher for source in strike.sources)
    return MapStrike(
        id=strike.id,
        title=strike.titles.get(language, strike.title),
        status=strike.status,
        when=strike.when,
        first_day=days(strike)[0],
        host=strike.host_country,
        places=places,
        alternatives=alternatives,
        at_sites=at_sites,
        is_sure=is_sure_strike(answer),
        owners=(*owners, *rest),
        tied=frozenset(country for country in tied if country),
        sites=sites_together(answer.hits),
        lines=frozenset(_lines(records.assets, assets)),
        assets=frozenset(asset.id for asset in assets),
        sources=tuple(publishers),
    )


def _places(assets: Mapping[str, Asset], answer: StrikeAttribution) -> tuple[tuple[StruckPlace, ...], bool, bool]:
    """Return where a strike stands, whether it is one of several, and whether these are sites that a decision names."""
    decided = answer.outcome.basis_of_outcome in ("decision", "alternatives")
    confirmed = [hit for hit in answer.hits if hit.hit.verdict == "confirmed"]
    sites = _site_places(assets, confirmed or answer.hits) if decided else []
    if sites:
        return tuple(sites), not confirmed and len(sites) > 1, True
    own = _place(answer.strike.geometry, answer.strike.uncertainty_m)
    return ((own,) if own else ()), False, False


def _site_places(assets: Mapping[str, Asset], hits: Sequence[HitOwnership]) -> list[StruckPlace]:
    """Places of sites that are no lines, each place once with its largest radius."""
    found: dict[tuple[float, float], StruckPlace] = {}
    for hit in hits:
        asset = assets[hit.hit.asset]
        if asset.geometry is None or shapely.get_dimensions(asset.geometry) == 1:
            continue
        place = _place(asset.geometry, asset.uncertainty_m)
        if place is not None:
            key = (round(place.lon, _SAME_PLACE_DECIMALS), round(place.lat, _SAME_PLACE_DECIMALS))
            known = found.get(key)
            found[key] = place if known is None or place.radius_m > known.radius_m else known
    return list(found.values())


def _place(geometry: BaseGeometry | None, radius_m: float | None) -> StruckPlace | None:
    if geometry is None or geometry.is_empty:
        return None
    point = geometry if isinstance(geometry, shapely.Point) else shapely.point_on_surface(geometry)
    area = geometry if shapely.get_dimensions(geometry) == 2 else None
    return StruckPlace(float(point.x), float(point.y), float(radius_m or 0.0), area)


def _lines(assets: Mapping[str, Asset], struck: Iterable[Asset]) -> Iterable[str]:
    """Yield the ids of lines that were struck, and of those that what was struck belongs to."""
    for asset in struck:
        whole = assets.get(asset.part_of) if asset.part_of else None
        for line in (asset, whole):
            if line is not None and line.geometry is not None and shapely.get_dimensions(line.geometry) == 1:
                yield line.id


@dataclass(frozen=True, slots=True)
class MapLine:
    """A pipeline in lon/lat degrees."""

    id: str
    name: str
    shape: BaseGeometry


def map_lines(records: Records, language: str = ENGLISH) -> list[MapLine]:
    """All pipelines of records whose course is known, with their names in a language, or as they are stored."""
    known = ((asset, asset.geometry) for asset in records.assets.values())
    return [
        MapLine(asset.id, name_in(asset, language), shape)
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
