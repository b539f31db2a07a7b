"""The flat layer of hits: one row for each strike, site, country and reading, with names, days, place and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import Field

from geo.columnar.dictionary_array import DictionaryArray
from layers.attribution.attribute import HitOwnership, StrikeAttribution, sure_sites
from layers.attribution.readings import Reading, SiteReading, SiteReadings
from layers.collections.feature_table import FeatureTable, FeatureTableBuilder
from layers.collections.feature_types import Feature, StrikeFeature, first_address
from layers.collections.flatten import features_by_strike, values_of_records
from layers.collections.update_times import UPDATED
from layers.model.records import Records
from layers.model.types import AssetKind, Country, Edtf, HostBasis, Id, Metres, Percent, RestsOn, Status, Timestamp, Url


class HitFeature(Feature):
    """What one reading gives one country of one site that a strike hit or may have hit."""

    id: str = Field(description="strike/asset/reading/country.")
    strike: Id = Field(description="The strike.")
    title: str = Field(description="Title of the strike.")
    asset: Id = Field(description="The site that was hit, or may have been.")
    asset_name: str = Field(description="Name of the site in English.")
    kind: AssetKind = Field(description="What the site is.")
    country: Country | None = Field(
        None,
        description="ISO 3166-1 country; empty for a part of no known country, and where nobody surely controls.",
    )
    country_name: str | None = Field(None, description="Name of the country in English.")
    reading: Reading = Field(
        description="What country means: of its ultimate holders by registration or by head office, or of who controls."
    )
    sure: bool = Field(
        description="Whether the strike counts, and the country surely had this of what it hit, whichever site "
        "that was and on whichever of its days; without a country, whether those that owners names did."
    )
    site_sure: bool = Field(description="Whether the strike counts, and surely hit this site.")
    share_min: Percent | None = Field(None, description="Least share of the site; empty for control.")
    share_max: Percent | None = Field(None, description="Largest share of the site; empty for control.")
    owners: tuple[str, ...] = Field((), description="Ids of the holders or controllers that count to the country.")
    owner_names: tuple[str, ...] = Field((), description="Their names in English, in the same order.")
    operator: str | None = Field(None, description="Ids of who operated the site, or may have, joined by ; .")
    operator_name: str | None = Field(None, description="Their names in English, in the same order.")
    status: Status = Field(description="How well the strike is established.")
    host_country: Country | None = Field(None, description="Country in which it happened.")
    host_basis: HostBasis | None = Field(
        None, description="What says in which country: stated, or what it follows from; sea is at sea, empty not known."
    )
    when: Edtf = Field(description="EDTF date of the strike.")
    day_first: date | None = Field(None, description="First day it may mean.")
    day_last: date | None = Field(None, description="Last day it may mean.")
    place: str = Field(description="Place of the strike as the sources name it.")
    uncertainty_m: Metres | None = Field(None, description="Radius that holds the true place of the strike.")
    capacity: float | None = Field(None, description="Capacity of the site in capacity_unit.")
    capacity_unit: str | None = Field(None, description="Unit of capacity.")
    rests_on: RestsOn = Field(description="What the tie is based on.")
    alternative: bool = Field(description="Whether the site is one of several, of which one was hit.")
    source: Url | None = Field(None, description="Address of the first source of the strike that has one.")
    updated: Timestamp | None = Field(
        None, description="When what is published of the strike, or what it is based on, changed last."
    )


#: What rows say of their strike and their site.
_OF_STRIKE = (
    "title", "status", "host_country", "host_basis", "when", "day_first", "day_last", "place", "uncertainty_m",
    "rests_on", UPDATED,
)  # fmt: skip
_OF_SITE = ("name", "kind", "capacity", "capacity_unit")
#: What they do not have from elsewhere.
_OWN = (
    "id", "strike", "asset", "country", "reading", "sure", "site_sure", "share_min", "share_max", "owners", "operator",
    "alternative", "source",
)  # fmt: skip


class HitFeaturesBuilder:
    """Lays out the sites of strikes, read in three ways, as features; a strike on no known site has none.

    Parameters
    ----------
    records
        The records that the strikes are of.
    readings
        Reads the sites of strikes of ``records``.
    country_names
        By ISO 3166-1 alpha-2.
    """

    def __init__(self, records: Records, readings: SiteReadings, country_names: Mapping[str, str]) -> None:
        self._records, self._readings, self._country_names = records, readings, country_names
        self._table = FeatureTableBuilder(_OWN, differing=("id", "strike"))

    def extend(self, answers: Iterable[StrikeAttribution]) -> None:
        """Add strikes, in any order, each as attributed by registration."""
        self._table.extend(
            _row(answer.strike.id, hit, row, is_sure, hit.hit.asset in sites, source)
            for answer in answers
            if answer.hits
            for source, sites in [(first_address(self._records, answer.strike), sure_sites(answer))]
            for hit, row, is_sure in self._readings.of(answer)
        )

    def finish(self, strikes: FeatureTable[StrikeFeature]) -> FeatureTable[HitFeature]:
        """The features of all that was added, in the order of the features of these strikes."""
        return features_by_strike(HitFeature, strikes, self._table.finish(), _OF_STRIKE, self._looked_up)

    def _looked_up(self, rows: Mapping[str, DictionaryArray]) -> Mapping[str, DictionaryArray]:
        """What rows say of their country, site, owners and operators."""
        sites = values_of_records(rows["asset"], self._records.assets, _OF_SITE)
        return {
            "asset_name": sites.pop("name"),
            **sites,
            "country_name": rows["country"].map(self._country_names.get),
            "owner_names": rows["owners"].map(self._names),
            # An id has no spaces.
            "operator_name": rows["operator"].map(lambda ids: "; ".join(self._names(ids.split("; ")))),
        }

    def _names(self, entities: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._records.entities[entity].name for entity in entities)


def _row(
    strike: str, hit: HitOwnership, row: SiteReading, is_sure: bool, is_site_sure: bool, source: str | None
) -> tuple[Any, ...]:
    """The values of `_OWN`."""
    asset = hit.hit.asset
    operators = dict.fromkeys(tie.entity for tie in hit.relations if tie.relation == "operator")
    return (
        f"{strike}/{asset}/{row.reading}/{row.country or '-'}",
        strike,
        asset,
        row.country,
        row.reading,
        is_sure,
        is_site_sure,
        row.share_min,
        row.share_max,
        row.holders,
        "; ".join(operators) or None,
        hit.hit.verdict == "possible",
        source,
    )
