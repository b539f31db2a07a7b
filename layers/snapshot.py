"""The immutable view that is served: one version of the records and everything that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from types import MappingProxyType

from layers import identity
from layers.attribution import Answer, answer, attributions
from layers.basemap import Basemap
from layers.collection import Collection
from layers.control import Controller, Span, control_spans
from layers.decisions import PUBLISH_FROM, SHOW_FROM, Finding, findings
from layers.features import (
    AssetFeature,
    AttributionFeature,
    CountryFeature,
    StrikeFeature,
    asset_features,
    attribution_features,
    country_features,
    strike_features,
)
from layers.holdings import Held, holdings_of
from layers.latest import Latest
from layers.matching import match_all
from layers.owners import Owners, Registers
from layers.ownership import Basis, Minority, UnknownRecord
from layers.reviewing import Pending, pending
from layers.schema import Attribution, Match, Records
from layers.stake_table import StakeTable
from layers.tally import Tally, tallies

#: Answers to who controls something that are kept.
_SPANS = 1000


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One version of what is known.

    Parameters
    ----------
    records
        The records.
    basemap
        Countries, for names and polygons.
    seq
        The store's change number that this is a view of.
    data_date
        Day of the last change; assets are shown with their owners on it.
    publish_from, show_from
        Probabilities from which an undecided candidate is published as probable, and shown at all.
    """

    records: Records
    basemap: Basemap
    seq: int
    data_date: date
    publish_from: float = PUBLISH_FROM
    show_from: float = SHOW_FROM

    @classmethod
    def of(
        cls,
        stored: Records,
        basemap: Basemap,
        seq: int,
        data_date: date,
        publish_from: float = PUBLISH_FROM,
        show_from: float = SHOW_FROM,
    ) -> Snapshot:
        """The view of stored records, with what people judged to be one united."""
        return cls(identity.apply(stored), basemap, seq, data_date, publish_from, show_from)

    @cached_property
    def stakes(self) -> StakeTable:
        """All stakes as columns."""
        return StakeTable.of(self.records)

    @cached_property
    def registers(self) -> Registers:
        """Who owns everything, by day; the latest asked for are kept."""
        return Registers(self.stakes)

    @cached_property
    def matches(self) -> Mapping[str, tuple[Match, ...]]:
        """Candidates of every strike."""
        return MappingProxyType(match_all(self.records))

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        """What each strike hit, newest strike first."""
        newest_first = sorted(self.records.strikes.values(), key=lambda s: (s.when, s.id), reverse=True)
        ids = [strike.id for strike in newest_first]
        decisions = self.records.decisions.values()
        return MappingProxyType(findings(ids, decisions, self.matches, self.publish_from, self.show_from))

    @cached_property
    def pending(self) -> tuple[Pending, ...]:
        """Strikes that wait for a decision, those first that it would change most."""
        return pending(self.records.strikes, self.findings, self.matches, self.owners)

    @cached_property
    def country_names(self) -> Mapping[str, str]:
        """English names of the countries of the base map by ISO 3166-1 alpha-2."""
        return MappingProxyType({iso: name for iso, (name, _) in self.basemap.states.items()})

    @lru_cache(maxsize=4)  # noqa: B019 - a snapshot lives as long as it is served
    def answers(self, basis: Basis = "registration", minority: Minority = "stay") -> Mapping[str, Answer]:
        """Whose what each strike hit was, newest strike first."""
        return MappingProxyType(
            {
                strike: answer(self.records, self.registers, found, basis, minority)
                for strike, found in self.findings.items()
            }
        )

    @cached_property
    def attributions(self) -> tuple[Attribution, ...]:
        """One row for each strike x asset x relation x country."""
        return tuple(attributions(self.records, self.answers().values()))

    @lru_cache(maxsize=4)  # noqa: B019 - a snapshot lives as long as it is served
    def tallies(self, basis: Basis = "registration", minority: Minority = "stay") -> Mapping[str, Tally]:
        """How many strikes concern each country, by relation."""
        return MappingProxyType(tallies(self.records.entities, self.answers(basis, minority).values()))

    def answer(self, strike: str, basis: Basis = "registration", minority: Minority = "stay") -> Answer:
        """Whose it was.

        Raises
        ------
        UnknownRecord
            If there is no such strike.
        """
        if strike not in self.findings:
            raise UnknownRecord(f"no strike {strike!r}")
        return self.answers(basis, minority)[strike]

    def owners(
        self, owned: str, on: date | None = None, basis: Basis = "registration", minority: Minority = "stay"
    ) -> Owners:
        """Owners of an asset or entity on a day, by default that of the data.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        day = on or self.data_date
        return self.registers.on(day, day, basis, minority).of(owned)

    def controller(self, owned: str, on: date | None = None, basis: Basis = "registration") -> Controller | None:
        """Who surely controls an asset or entity on a day, by default that of the data; ``None`` for nobody.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        day = on or self.data_date
        (span,) = self.control(owned, day, day, basis)
        return span.controller

    def control(
        self, owned: str, first: date | None, last: date | None, basis: Basis = "registration"
    ) -> tuple[Span, ...]:
        """Who surely controls an asset or entity from day to day, ``None`` is open: a span for each party.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        controls = self.records.controls.values()
        asked = (owned, first, last, basis)
        return self._spans.get(asked, lambda: control_spans(self.stakes, controls, owned, first, last, basis))

    @cached_property
    def _spans(self) -> Latest[tuple[str, date | None, date | None, Basis], tuple[Span, ...]]:
        return Latest(_SPANS)

    def holdings(self, entity: str, on: date | None = None) -> tuple[Held, ...]:
        """What an entity holds on a day, by default that of the data, directly and through others.

        Raises
        ------
        UnknownRecord
            If there is no such entity.
        """
        day = on or self.data_date
        return holdings_of(self.registers.on(day, day).register, entity)

    @cached_property
    def collections(self) -> Mapping[str, Collection]:
        """The flat layers by name."""
        return MappingProxyType(
            {layer.name: layer for layer in (self._strikes(), self._assets(), self._attributions(), self._countries())}
        )

    def _strikes(self) -> Collection:
        told = list(self.answers().values())
        return Collection(
            "strikes",
            "Strikes",
            "Attacks on energy and industrial sites that published reports tell of, and whose the sites were.",
            StrikeFeature,
            strike_features(self.records, told, self.attributions),
            [one.strike.geometry for one in told],
        )

    def _assets(self) -> Collection:
        known = self.registers.on(self.data_date, self.data_date)
        owners = {asset: known.of(asset) for asset in self.records.assets}
        return Collection(
            "assets",
            "Assets",
            "Facilities and pipelines with their owners on the day of the data.",
            AssetFeature,
            asset_features(self.records, owners, self.attributions),
            [asset.geometry for asset in self.records.assets.values()],
        )

    def _attributions(self) -> Collection:
        return Collection(
            "attributions",
            "Attributions",
            "One row for each strike, asset, relation and country: whose assets were hit, with shares.",
            AttributionFeature,
            attribution_features(self.records, self.attributions, self.country_names),
            [self.records.strikes[row.strike].geometry for row in self.attributions],
        )

    def _countries(self) -> Collection:
        features = country_features(self.tallies(), self.country_names)
        return Collection(
            "countries",
            "Countries",
            "Countries with the number of strikes on what they own, host, or are tied to otherwise.",
            CountryFeature,
            features,
            [self.basemap.states[feature.id][1] for feature in features],
        )
