"""The flat layers that GIS clients read: strikes, assets, attributions and countries, a row a feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field

from geo.spatial_join.geodesic_distance import lengths_m
from layers.attribution.attribute import (
    AttributionRow,
    StrikeAttribution,
    days,
    is_sure_strike,
    sites_together,
    sure_sites,
)
from layers.attribution.country_totals import NO_STRIKES, CountryTotals
from layers.collections.feature_table import FeatureTable
from layers.disclosure.ruling import withheld_fields
from layers.model.asset_kinds import ASSET_KINDS
from layers.model.records import Asset, Attribution, Records, Strike, Weapon
from layers.model.types import (
    AssetKind,
    Basis,
    Country,
    Edtf,
    Group,
    HostBasis,
    Metres,
    OperatingStatus,
    RestsOn,
    Status,
    Timestamp,
    Url,
)
from layers.ownership.owners import Owners
from layers.ownership.percent import digits_of, interval_text
from layers.ownership.walk import Interval
from layers.resolution.independent_reports import reporters_of
from layers.store.open_layer import OPEN

#: The group of each kind of asset that has one.
KIND_GROUPS: Mapping[str, Group] = MappingProxyType(
    {name: kind.group for name, kind in ASSET_KINDS.items() if kind.group}
)


class Feature(BaseModel):
    """A flat feature: plain values, and every property on every feature."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Identifier of the feature.")


class StrikeFeature(Feature):
    """A strike with its place and the short answer to whose it was."""

    title: str = Field(description="A short name of the event.")
    when: Edtf = Field(description="EDTF date as exact as the sources.")
    when_note: str | None = Field(None, description="Time of day or doubt, in words.")
    day_first: date | None = Field(None, description="First day it may mean.")
    day_last: date | None = Field(None, description="Last day it may mean.")
    place: str = Field(description="Place as reported.")
    region: str | None = Field(None, description="First-order division.")
    host_country: Country | None = Field(None, description="Country it happened in; empty at sea and where not known.")
    host_basis: HostBasis | None = Field(
        None, description="What says in which country: stated, or what it follows from; sea is at sea, empty not known."
    )
    uncertainty_m: Metres | None = Field(None, description="Radius that holds the true place.")
    basis: Basis | None = Field(None, description="What the coordinate stands for.")
    attacker: str | None = Field(None, description="Who is said to have done it.")
    weapons: str | None = Field(None, description="Weapons as reported.")
    damage: str | None = Field(None, description="What was damaged.")
    killed_min: int | None = Field(None, description="Fewest killed reported.")
    killed_max: int | None = Field(None, description="Most killed reported.")
    injured_min: int | None = Field(None, description="Fewest injured reported.")
    injured_max: int | None = Field(None, description="Most injured reported.")
    status: Status = Field(description="How well it is established.")
    kind: AssetKind | None = Field(None, description="Kind of what was hit.")
    group: Group | None = Field(None, description="Group that the kind is drawn as.")
    rests_on: RestsOn = Field(description="What the answer is based on.")
    sure: bool = Field(description="Whether it surely counts: no draft, not retracted, nor decided to be no strike.")
    assets: tuple[str, ...] = Field((), description="Ids of the assets hit, or possibly hit.")
    assets_sure: tuple[str, ...] = Field((), description="Those of them that it surely hit.")
    owner_countries: tuple[str, ...] = Field((), description="Countries whose owners hold part of what was hit.")
    owner_countries_sure: tuple[str, ...] = Field(
        (), description="Those of them whose owners surely held part, whichever of the assets was hit."
    )
    related_countries: tuple[str, ...] = Field((), description="Countries tied to it otherwise, never owners by it.")
    owners: str = Field("", description="Countries and shares in percent, of several sites hit those of all together.")
    relations: str = Field("", description="Ties that are not ownership.")
    n_sources: int = Field(description="Number of sources.")
    n_voices: int = Field(description="Number of independent sources among them: pages that retell one agency are one.")
    source: Url | None = Field(None, description="Address of the first of its sources that has one.")
    title_uk: str | None = Field(None, description="The short name of the event in Ukrainian.")
    title_de: str | None = Field(None, description="The short name of the event in German.")
    place_uk: str | None = Field(None, description="The place in Ukrainian.")
    place_de: str | None = Field(None, description="The place in German.")
    withheld: tuple[str, ...] = Field((), description="Fields that are withheld or made coarser, see /policy.")
    updated: Timestamp | None = Field(
        None, description="When what is published of it, or what it is based on, changed last."
    )


class AssetFeature(Feature):
    """A facility or pipeline with its owners on the day of the data."""

    name: str = Field(description="Name in English.")
    kind: AssetKind = Field(description="What it is.")
    group: Group | None = Field(None, description="Group that the kind is drawn as; empty for pipelines.")
    commodity: str | None = Field(None, description="What it makes, moves or stores.")
    host_country: Country | None = Field(None, description="Country it lies in.")
    uncertainty_m: Metres | None = Field(None, description="Radius that holds the true place.")
    basis: Basis | None = Field(None, description="What the coordinate stands for.")
    owners: str = Field("", description="Countries and shares in percent, on the day of the data.")
    owner_countries: tuple[str, ...] = Field((), description="Countries whose owners hold part of it.")
    n_strikes: int = Field(0, description="Strikes that hit it, or may have.")
    status: OperatingStatus | None = Field(None, description="Whether it operates; empty where no source says.")
    length_km: float | None = Field(None, description="Length of the course of a line in kilometres.")
    tier: Literal["curated", "open"] = Field(
        "curated", description="Whether the record is edited here, or of the open data that lies under those."
    )
    name_uk: str | None = Field(None, description="Name in Ukrainian.")
    name_de: str | None = Field(None, description="Name in German.")
    withheld: tuple[str, ...] = Field((), description="Fields that are withheld or made coarser, see /policy.")
    updated: Timestamp | None = Field(
        None, description="When what is published of it, or what it is based on, changed last."
    )


class AttributionFeature(Feature, Attribution):
    """One country's tie to one struck asset, with names, and the strike's title, days and place."""

    title: str = Field(description="Title of the strike.")
    when: Edtf = Field(description="EDTF date of the strike.")
    day_first: date | None = Field(None, description="First day it may mean.")
    day_last: date | None = Field(None, description="Last day it may mean.")
    country_name: str | None = Field(None, description="Name of the country in English.")
    asset_name: str | None = Field(None, description="Name of the asset in English.")
    entity_name: str | None = Field(None, description="Name of the entity in English.")
    host_country: Country | None = Field(None, description="Country in which it happened.")
    place: str = Field(description="Place of the strike as the sources name it.")
    status: Status = Field(description="How well the strike is established.")
    updated: Timestamp | None = Field(
        None, description="When what is published of the strike, or what it is based on, changed last."
    )


class CountryFeature(Feature):
    """A country and how many strikes concern it, by relation; the counts are never added up."""

    name: str = Field(description="Name in English.")
    owned_strikes: int = Field(0, description="Strikes on what its owners hold, or may hold, part of.")
    owned_strikes_sure: int = Field(0, description="Of these, strikes that surely hit something they held part of.")
    owned_hits: int = Field(0, description="Most sites hit that they held part of, a site once for each strike.")
    owned_assets_min: float = Field(0.0, description="Sum of their shares in these in site equivalents, at least.")
    owned_assets_max: float = Field(0.0, description="Sum of their shares in these in site equivalents, at most.")
    hosted_strikes: int = Field(0, description="Strikes on its soil.")
    related_strikes: int = Field(0, description="Strikes on what it is tied to otherwise, each once.")
    operator_strikes: int = Field(0, description="Strikes on what it may operate.")
    supplier_strikes: int = Field(0, description="Strikes on what it may supply.")
    offtaker_strikes: int = Field(0, description="Strikes on what it may take from.")
    affected_strikes: int = Field(0, description="Strikes that may affect it otherwise.")
    lender_strikes: int = Field(0, description="Strikes on what it may have lent to.")
    cargo_owner_strikes: int = Field(0, description="Strikes on what may have held its cargo.")
    occupier_strikes: int = Field(0, description="Strikes on what it may occupy.")
    brand_strikes: int = Field(0, description="Strikes on what may bear its brand.")
    flag_strikes: int = Field(0, description="Strikes on vessels that may fly its flag.")
    charterer_strikes: int = Field(0, description="Strikes on vessels that it may have chartered.")
    production_sharing_strikes: int = Field(0, description="Strikes on what it may work for a part of the output.")
    title_claim_strikes: int = Field(0, description="Strikes on what it may claim a disputed title to.")
    trust_strikes: int = Field(0, description="Strikes on what it may hold in trust for others.")
    temporary_manager_strikes: int = Field(0, description="Strikes on what it may manage by order of a state.")
    licensee_strikes: int = Field(0, description="Strikes on what it may have a licence or contract interest in.")


#: Languages, beside English, in which titles and places are columns of their own, as flat layers have no objects.
SPOKEN = ("uk", "de")
#: Assets whose lines are measured at once, and types of geometry that have a length.
_PAGE, _LINES = 4096, (1, 5)
_STATED = [name for name in StrikeFeature.model_fields if name in Strike.model_fields and name != "weapons"]


def strike_columns(
    records: Records, answers: Sequence[StrikeAttribution], rows: Sequence[Sequence[AttributionRow]]
) -> Mapping[str, Sequence[Any]]:
    """Lay out strikes as the values of their features.

    Parameters
    ----------
    records
        The records, for the kinds of the assets hit and the voices of the sources.
    answers
        Owners and other ties of n strikes, each on its day.
    rows
        The attributions of each strike, as `attribution_rows` gives them.

    Returns
    -------
    Mapping
        n values for each field of `StrikeFeature` but ``updated``; ``None`` or empty where not known.
    """
    strikes = [answer.strike for answer in answers]
    first, last = zip(*map(days, strikes), strict=True)
    ties = [[row for row in own if row.relation not in ("owner", "host")] for own in rows]
    kinds = [_kind_and_group(records, answer) for answer in answers]
    # Many cite the same sources.
    by_sources = {strike.sources: strike for strike in strikes}
    n_voices = {sources: len(reporters_of(strike, records.sources)) for sources, strike in by_sources.items()}
    addresses = {sources: first_address(records, strike) for sources, strike in by_sources.items()}
    stated = zip(*map(attrgetter(*_STATED), strikes), strict=True)
    columns: dict[str, Sequence[Any]] = dict(zip(_STATED, stated, strict=True))
    columns |= {
        "day_first": first,
        "day_last": last,
        "host_country": [answer.host.country for answer in answers],
        "host_basis": [answer.host.basis for answer in answers],
        "weapons": ["; ".join(map(_weapon, strike.weapons)) or None for strike in strikes],
        "kind": [kind for kind, _ in kinds],
        "group": [group for _, group in kinds],
        "rests_on": [answer.outcome.basis_of_outcome for answer in answers],
        "sure": [is_sure_strike(answer) for answer in answers],
        "assets": [answer.assets for answer in answers],
        "assets_sure": [sure_sites(answer) for answer in answers],
        "owner_countries": [tuple(share.country for share in answer.shares) for answer in answers],
        "owner_countries_sure": [
            tuple(dict.fromkeys(row.country for row in own if row.relation == "owner" and row.sure and row.country))
            for own in rows
        ],
        "related_countries": [tuple(sorted({row.country for row in tied if row.country})) for tied in ties],
        "owners": [*map(_owners_text, answers)],
        "relations": [
            ", ".join(sorted({f"{row.country or row.entity} {row.relation}" for row in tied})) for tied in ties
        ],
        "n_sources": [len(strike.sources) for strike in strikes],
        "n_voices": [n_voices[strike.sources] for strike in strikes],
        "source": [addresses[strike.sources] for strike in strikes],
        "withheld": [*map(withheld_fields, strikes)],
    }
    for language in SPOKEN:
        columns[f"title_{language}"] = [strike.titles.get(language) for strike in strikes]
        columns[f"place_{language}"] = [strike.places.get(language) for strike in strikes]
    return columns


def first_address(records: Records, strike: Strike) -> str | None:
    """The address of the first source of a strike that has one."""
    cited = (records.sources.get(source) for source in strike.sources)
    return next((source.url for source in cited if source is not None and source.url), None)


def _kind_and_group(records: Records, answer: StrikeAttribution) -> tuple[str | None, Group | None]:
    """The kind of what was hit first, or of the first target, and the group that it is drawn as."""
    if answer.hits:
        asset = records.assets[answer.hits[0].hit.asset]
        return asset.kind, _group(asset.kind, asset)
    kinds = answer.strike.target_kinds
    return (kinds[0], _group(kinds[0], None)) if kinds else (None, None)


def _owners_text(answer: StrikeAttribution) -> str:
    shares = {share.country: share.share for share in answer.shares}
    return shares_text(shares, answer.unattributed, sites_together(answer.hits))


def _group(kind: str, asset: Asset | None) -> Group | None:
    """Return the group that a kind is drawn as; a pipeline has that of its cargo, oil where none is known."""
    if kind == "pipeline":
        return "gas" if asset is not None and "gas" in (asset.commodity or "") else "oil"
    return KIND_GROUPS[kind]


def _weapon(weapon: Weapon) -> str:
    kind, least, most = weapon.kind, weapon.count_min, weapon.count_max
    if least is None and most is None:
        return kind
    if least == most:
        return f"{least} {kind}"
    return f"{'' if least is None else least}-{'' if most is None else most} {kind}"


def shares_text(shares: Mapping[str, Interval], unattributed: Interval, sites: int = 1) -> str:
    """Write shares of countries in percent: ``RU 47.33, US 22.5, unattributed 1.75``; ranges as ``DE 25.9-31``.

    Parameters
    ----------
    shares
        Bounds in percent by ISO 3166-1 alpha-2 code, in the order in which they are written.
    unattributed
        Bounds of the rest in percent; written last, and left out where its upper bound is 0.
    sites
        The number of sites that the shares are of together; those of several are written as whole percents.

    Returns
    -------
    str
        Empty where there are no shares and no rest.
    """
    digits = digits_of(sites)
    parts = [f"{country} {interval_text(share, digits)}" for country, share in shares.items()]
    if unattributed.high > 0:
        parts.append(f"unattributed {interval_text(unattributed, digits)}")
    return ", ".join(parts)


def share_in(text: str | None, country: str) -> tuple[float, float]:
    """Return the least and the largest percent of a country in a text of `shares_text`; 0 and 0 where it has none."""
    for part in (text or "").split(", "):
        owner, _, bounds = part.partition(" ")
        if owner == country:
            low, _, high = bounds.partition("-")
            return float(low), float(high or low)
    return 0.0, 0.0


def asset_features(
    records: Records,
    owners: Callable[[str], Owners],
    struck: Mapping[str, int],
    updated: Callable[[str], str | None],
) -> FeatureTable[AssetFeature]:
    """Lay out all assets as features.

    Parameters
    ----------
    records
        The records; an asset without a geometry has a feature too.
    owners
        Gives the owners of an asset, by its id, on the day of the data.
    struck
        Number of strikes that hit the asset or may have, by its id; 0 for an asset that is not in it.
    updated
        Gives when what is published of an asset, by its id, or what it is based on, changed last.

    Returns
    -------
    FeatureTable
        A feature an asset, in the order of the records; empty without assets.
    """
    rest = iter(records.assets.values())
    rows = (
        _asset_row(asset, owners(asset.id), struck.get(asset.id, 0), updated(asset.id), length_km)
        for page in iter(lambda: [*islice(rest, _PAGE)], [])
        for asset, length_km in zip(page, _lengths_km(page), strict=True)
    )
    return FeatureTable(AssetFeature, rows, differing=("id", "name"))


def _lengths_km(assets: Sequence[Asset]) -> list[float | None]:
    """The lengths of courses in kilometres, by geodesics on the WGS 84 ellipsoid; ``None`` of what is no line."""
    shapes = np.fromiter((asset.geometry for asset in assets), object, len(assets))
    is_line = np.isin(shapely.get_type_id(shapes), _LINES)
    lengths = iter(lengths_m(shapes[is_line]).tolist())
    return [round(next(lengths) / 1000, 1) if line else None for line in is_line.tolist()]


def _asset_row(asset: Asset, held: Owners, n_strikes: int, updated: str | None, length_km: float | None) -> list[Any]:
    values: dict[str, Any] = {
        "group": _group(asset.kind, asset) if asset.kind != "pipeline" else None,
        "owners": shares_text({share.country: share.share for share in held.shares}, held.unattributed),
        "owner_countries": tuple(share.country for share in held.shares),
        "n_strikes": n_strikes,
        "length_km": length_km,
        "tier": "open" if asset.dataset.startswith(OPEN) else "curated",
        **{f"name_{language}": asset.names.get(language) for language in SPOKEN},
        "withheld": withheld_fields(asset),
        "updated": updated,
    }
    return [values[name] if name in values else getattr(asset, name) for name in AssetFeature.model_fields]


def country_features(counted: Mapping[str, CountryTotals], names: Mapping[str, str]) -> FeatureTable[CountryFeature]:
    """Lay out all countries of the base map as features.

    Parameters
    ----------
    counted
        Totals of strikes by ISO 3166-1 alpha-2 code; a country that is not in it has zeros.
    names
        English names of the countries of the base map by code.

    Returns
    -------
    FeatureTable
        A feature a country, in the order of the codes. Counts of different relations are never added up.
    """
    features = [_country_feature(iso, name, counted.get(iso, NO_STRIKES)) for iso, name in sorted(names.items())]
    return FeatureTable.of(CountryFeature, features)


def _country_feature(iso: str, name: str, tally: CountryTotals) -> CountryFeature:
    owned = tally.owned
    tied = {f"{relation.replace('-', '_')}_strikes": n for relation, n in tally.strikes.items() if relation != "host"}
    return CountryFeature(
        id=iso,
        name=name,
        owned_strikes=owned.strikes,
        owned_strikes_sure=owned.strikes_sure,
        owned_hits=owned.hits,
        owned_assets_min=round(owned.assets_min, 4),
        owned_assets_max=round(owned.assets_max, 4),
        hosted_strikes=tally.strikes["host"],
        related_strikes=tally.related,
        **tied,
    )
