"""The flat layer of hits: one row for each strike, site, country and reading, with names, days, place and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import Field

from layers.attribution.attribute import HitOwnership, StrikeAttribution, days
from layers.attribution.readings import Reading, SiteReading, SiteReadings
from layers.collections.feature_table import FeatureTable, FeatureTableBuilder
from layers.collections.feature_types import Feature
from layers.collections.update_times import UpdateTimes
from layers.model.records import Asset, Records
from layers.model.types import AssetKind, Country, Edtf, Id, Metres, Percent, RestsOn, Status, Timestamp, Url


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
        description="Whether the strike counts, and this is so whichever site it hit and on whichever of its days."
    )
    share_min: Percent | None = Field(None, description="Least share of the site; empty for control.")
    share_max: Percent | None = Field(None, description="Largest share of the site; empty for control.")
    owners: tuple[str, ...] = Field((), description="Ids of the holders or controllers that count to the country.")
    owner_names: tuple[str, ...] = Field((), description="Their names in English, in the same order.")
    operator: str | None = Field(None, description="Ids of who operated the site, or may have, joined by ; .")
    operator_name: str | None = Field(None, description="Their names in English, in the same order.")
    status: Status = Field(description="How well the strike is established.")
    host_country: Country | None = Field(None, description="Country in which it happened.")
    when: Edtf = Field(description="EDTF date of the strike.")
    day_first: date | None = Field(None, description="First day it may mean.")
    day_last: date | None = Field(None, description="Last day it may mean.")
    place: str = Field(description="Place of the strike as the sources name it.")
    uncertainty_m: Metres | None = Field(None, description="Radius that holds the true place of the strike.")
    capacity: float | None = Field(None, description="Capacity of the site in capacity_unit.")
    capacity_unit: str | None = Field(None, description="Unit of capacity.")
    rests_on: RestsOn = Field(description="What the tie rests on.")
    alternative: bool = Field(description="Whether the site is one of several, of which one was hit.")
    source: Url | None = Field(None, description="Address of the first source of the strike that has one.")
    updated: Timestamp | None = Field(
        None, description="When what is published of the strike, or what it rests on, changed last."
    )


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
    times
        When the records changed last.
    """

    def __init__(
        self, records: Records, readings: SiteReadings, country_names: Mapping[str, str], times: UpdateTimes
    ) -> None:
        self._records, self._readings, self._country_names, self._times = records, readings, country_names, times
        self._table = FeatureTableBuilder(HitFeature)

    def extend(self, answers: Iterable[tuple[StrikeAttribution, StrikeAttribution]]) -> None:
        """Add strikes in the order of the rows, each as attributed by registration and by headquarters."""
        self._table.extend(
            _row(self._records, registered, row, about, self._country_names)
            for registered, run_from in answers
            for about in [_strike_values(self._records, registered, self._times)]
            for row in self._readings.of(registered, run_from)
        )

    def finish(self) -> FeatureTable[HitFeature]:
        """The features of all that was added."""
        return FeatureTable.coded(HitFeature, self._table.columns())


def _row(
    records: Records,
    answer: StrikeAttribution,
    row: SiteReading,
    about: Mapping[str, Any],
    country_names: Mapping[str, str],
) -> list[Any]:
    asset = records.assets[row.hit.hit.asset]
    # Known shares may sum to more, but a column of percent holds no more than the whole.
    low, high = row.share.within_whole().rounded() if row.share else (None, None)
    values: dict[str, Any] = {
        **about,
        **_site_values(records, asset, row.hit),
        "id": f"{answer.strike.id}/{asset.id}/{row.reading}/{row.country or '-'}",
        "country": row.country,
        "country_name": country_names.get(row.country) if row.country else None,
        "reading": row.reading,
        "sure": row.sure,
        "share_min": low,
        "share_max": high,
        "owners": row.holders,
        "owner_names": _names(records, row.holders),
        "rests_on": answer.outcome.basis_of_outcome,
        "alternative": row.hit.hit.verdict == "possible",
    }
    return [values[name] for name in HitFeature.model_fields]


def _strike_values(records: Records, answer: StrikeAttribution, times: UpdateTimes) -> Mapping[str, Any]:
    strike = answer.strike
    first, last = days(strike)
    cited = (records.sources.get(source) for source in strike.sources)
    return {
        "strike": strike.id,
        "title": strike.title,
        "status": strike.status,
        "host_country": strike.host_country,
        "when": strike.when,
        "day_first": first,
        "day_last": last,
        "place": strike.place,
        "uncertainty_m": strike.uncertainty_m,
        "source": next((source.url for source in cited if source is not None and source.url), None),
        "updated": times.of_strike(strike.id, answer.assets),
    }


def _site_values(records: Records, asset: Asset, hit: HitOwnership) -> Mapping[str, Any]:
    operators = tuple(dict.fromkeys(tie.entity for tie in hit.relations if tie.relation == "operator"))
    return {
        "asset": asset.id,
        "asset_name": asset.name,
        "kind": asset.kind,
        "operator": "; ".join(operators) or None,
        "operator_name": "; ".join(_names(records, operators)) or None,
        "capacity": asset.capacity,
        "capacity_unit": asset.capacity_unit,
    }


def _names(records: Records, entities: Iterable[str]) -> tuple[str, ...]:
    return tuple(records.entities[entity].name for entity in entities)
