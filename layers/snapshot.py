"""The immutable view that is served: one version of the records and everything that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType

from layers import identity
from layers.asset_index import AssetIndex
from layers.attribution import Answer, Attributor, attributions
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
from layers.matching import index_of, match_all
from layers.owners import Owners, Registers
from layers.ownership import Basis, Minority, UnknownRecord
from layers.recent import Recent
from layers.reviewing import Pending, pending
from layers.schema import Attribution, Match, Records
from layers.stake_table import StakeTable
from layers.tally import Counts, Tally, counted, tallied

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
        return MappingProxyType(match_all(self.records, self.asset_index))

    @cached_property
    def asset_index(self) -> AssetIndex:
        """The assets, ready to be matched."""
        return index_of(self.records)

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

    def answers(self, basis: Basis = "registration", minority: Minority = "stay") -> Mapping[str, Answer]:
        """Whose what each strike hit was, newest strike first."""
        if (basis, minority) not in self._answers:
            attributor = Attributor(self.records, self.registers, basis, minority)
            told = {strike: attributor.answer(found) for strike, found in self.findings.items()}
            self._answers[basis, minority] = MappingProxyType(told)
        return self._answers[basis, minority]

    def keep(self, told: Mapping[str, Answer], counts: Counts | None = None) -> None:
        """Take answers by registration, minorities staying, from who has them already, before any is asked for.

        ``counts`` are what they add to each country, where that is known too.
        """
        self._answers["registration", "stay"] = MappingProxyType(dict(told))
        if counts is not None:
            self._counts["registration", "stay"] = counts

    # Kept by the snapshot itself: a cache of the class would keep snapshots that are no longer served, and takes a
    # default that is left out for another question than the same default given.
    @cached_property
    def _answers(self) -> dict[tuple[Basis, Minority], Mapping[str, Answer]]:
        return {}

    @cached_property
    def _counts(self) -> dict[tuple[Basis, Minority], Counts]:
        return {}

    @cached_property
    def _tallies(self) -> dict[tuple[Basis, Minority], Mapping[str, Tally]]:
        return {}

    @cached_property
    def attributions(self) -> tuple[Attribution, ...]:
        """One row for each strike x asset x relation x country."""
        return tuple(attributions(self.records, self.answers().values()))

    def tallies(self, basis: Basis = "registration", minority: Minority = "stay") -> Mapping[str, Tally]:
        """How many strikes concern each country, by relation."""
        if (basis, minority) not in self._tallies:
            self._tallies[basis, minority] = MappingProxyType(tallied(self.counts(basis, minority)))
        return self._tallies[basis, minority]

    def counts(self, basis: Basis = "registration", minority: Minority = "stay") -> Counts:
        """What strikes add to each country, see `tally.counted`; not to be changed."""
        if (basis, minority) not in self._counts:
            self._counts[basis, minority] = counted(self.records.entities, self.answers(basis, minority).values())
        return self._counts[basis, minority]

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
    def _spans(self) -> Recent[tuple[Span, ...]]:
        return Recent(_SPANS)

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

    @cached_property
    def asset_owners(self) -> Mapping[str, Owners]:
        """Owners of every asset on the day of the data."""
        known = self.registers.on(self.data_date, self.data_date)
        return MappingProxyType({asset: known.of(asset) for asset in self.records.assets})

    def _assets(self) -> Collection:
        return Collection(
            "assets",
            "Assets",
            "Facilities and pipelines with their owners on the day of the data.",
            AssetFeature,
            asset_features(self.records, self.asset_owners, self.attributions),
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
