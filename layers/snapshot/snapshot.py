"""The immutable view that is served: one version of the records and everything that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from geo.columnar.binary_array import place_of
from geo.columnar.dictionary_array import Coded
from geo.lonlat import Ints, Objects
from layers.attribution.attribute import Answer, Attributor
from layers.attribution.country_totals import Counts, Tally, counted, tallied
from layers.attribution.review_queue import Pending, pending
from layers.collections.collection import Collection, Places, as_objects
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import (
    AssetFeature,
    AttributionFeature,
    CountryFeature,
    Feature,
    StrikeFeature,
    asset_features,
    country_features,
)
from layers.collections.flatten import Flat, flat
from layers.decisions.hits import Finding, finding
from layers.matching.asset_index import AssetIndex
from layers.matching.match import index_of, match_all, match_one, proposed
from layers.matching.weights import read as read_weights
from layers.model.cache import Asked, LruCache
from layers.model.problems import UnknownRecord
from layers.model.records import Match, Records
from layers.model.thresholds import PUBLISH_FROM, SHOW_FROM
from layers.ownership.control import Controller, Span, control_spans
from layers.ownership.holdings import Held, holdings_of
from layers.ownership.owners import Owners, Registers
from layers.ownership.stake_graph import StakeTable
from layers.ownership.walk import Basis, Minority
from layers.reference.basemap import Basemap
from layers.resolution import resolve
from layers.snapshot.array_files import Reading
from layers.store.record_table import prime, texts

#: Answers that are made one after the other from records that are read at once.
_PAGE = 2048
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
        return cls(resolve.apply(stored), basemap, seq, data_date, publish_from, show_from)

    @cached_property
    def lies_on(self) -> Reading | None:
        """The files that this is mapped from, but for what was edited since they were kept.

        ``None`` where all of it was found of the records.
        """
        return None

    def let_go(self) -> None:
        """Give back the memory of the files that this is mapped from; it is read again as it is asked for."""
        if self.lies_on is not None:
            self.lies_on.let_go()

    @cached_property
    def stakes(self) -> StakeTable:
        """All stakes as columns."""
        return StakeTable.of(self.records)

    @cached_property
    def registers(self) -> Registers:
        """Who owns everything, by day; the latest asked for are kept."""
        return Registers(self.stakes)

    @cached_property
    def asset_index(self) -> AssetIndex:
        """The assets, ready to be matched."""
        return index_of(self.records)

    @cached_property
    def matches(self) -> Mapping[str, tuple[Match, ...]]:
        """Candidates of every strike, told when they are asked for."""
        weights, records, index = read_weights(), self.records, self.asset_index
        strikes = records.strikes
        return Asked(self.order, strikes, lambda key: match_one(strikes[key], index, records, weights))

    @cached_property
    def proposed(self) -> Mapping[str, str]:
        """The asset that is published as probable, by strike; whatever was decided."""
        return MappingProxyType(proposed(self.records, self.asset_index, self.publish_from))

    @cached_property
    def order(self) -> Sequence[str]:
        """Ids of the strikes, newest first."""
        newest_first = sorted(((when, key) for key, when in texts(self.records.strikes, "when")), reverse=True)
        return [key for _, key in newest_first]

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        """What each strike hit, newest strike first."""
        return Asked(self.order, self.records.strikes, self._finder)

    @cached_property
    def _finder(self) -> Callable[[str], Finding]:
        # Nothing that a snapshot keeps refers to it: so it is gone with the last request, and waits for no collector.
        records, proposed = self.records, self.proposed
        return lambda strike: finding(strike, records.where("decisions", "strike", strike), proposed.get(strike))

    @cached_property
    def pending(self) -> tuple[Pending, ...]:
        """Strikes that wait for a decision, those first that it would change most."""
        return pending(self.findings, match_all(self.records, self.asset_index), self.owners)

    @cached_property
    def country_names(self) -> Mapping[str, str]:
        """English names of the countries of the base map by ISO 3166-1 alpha-2."""
        return MappingProxyType({iso: name for iso, (name, _) in self.basemap.states.items()})

    def answers(self, basis: Basis = "registration", minority: Minority = "stay") -> Mapping[str, Answer]:
        """Whose what each strike hit was, newest strike first."""
        if (basis, minority) not in self._answers:
            attributor, find = Attributor(self.records, self.registers, basis, minority), self._finder
            told = Asked(self.order, self.records.strikes, lambda key: attributor.answer(find(key)))
            self._answers[basis, minority] = told
        return self._answers[basis, minority]

    def keep(self, counts: Counts) -> None:
        """Take counts by registration, minorities staying, from who has them already, before any is asked for."""
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

    def tallies(self, basis: Basis = "registration", minority: Minority = "stay") -> Mapping[str, Tally]:
        """How many strikes concern each country, by relation."""
        if (basis, minority) not in self._tallies:
            self._tallies[basis, minority] = MappingProxyType(tallied(self.counts(basis, minority)))
        return self._tallies[basis, minority]

    def counts(self, basis: Basis = "registration", minority: Minority = "stay") -> Counts:
        """What strikes add to each country, see `tally.counted`; not to be changed."""
        if (basis, minority) not in self._counts:
            usual = (basis, minority) == ("registration", "stay")
            told = self.flat.counts if usual else self._counted(basis, minority)
            self._counts[basis, minority] = told
        return self._counts[basis, minority]

    def concerning(self, iso: str, basis: Basis = "registration", minority: Minority = "stay") -> Iterator[Answer]:
        """The answers to the strikes that may concern a country in whatever relation, newest strike first."""
        told = self.answers(basis, minority)
        if (basis, minority) != ("registration", "stay"):
            return iter(told.values())
        columns = self.collections["attributions"].features.columns
        place = place_of(columns["country"].words, iso)
        rows = [] if place is None else columns["country"].rows_with(place).tolist()
        return (told[key] for key in dict.fromkeys(columns["strike"][row] for row in rows))

    def _counted(self, basis: Basis, minority: Minority) -> Counts:
        return counted(self.records.entities, self._told(basis, minority))

    def _told(self, basis: Basis = "registration", minority: Minority = "stay") -> Iterator[Answer]:
        """The answers one after the other, none of them kept."""
        attributor = Attributor(self.records, self.registers, basis, minority)
        ids = iter(self.order)
        while page := list(islice(ids, _PAGE)):
            found = [*map(self._finder, page)]
            prime(self.records.strikes, page)
            prime(self.records.assets, {hit.asset for one in found for hit in one.hits})
            yield from map(attributor.answer, found)

    @cached_property
    def flat(self) -> Flat:
        """The answers laid flat, and what they add up to."""
        return flat(self.records, self._told(), self.country_names)

    def answer(self, strike: str, basis: Basis = "registration", minority: Minority = "stay") -> Answer:
        """Whose it was.

        Raises
        ------
        UnknownRecord
            If there is no such strike.
        """
        if strike not in self.records.strikes:
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
    def _spans(self) -> LruCache[tuple[Span, ...]]:
        return LruCache(_SPANS)

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
        known = self.registers.on(self.data_date, self.data_date)
        strikes = laid("strikes", self.flat.strikes, self.flat.places)
        rows = self.flat.attributions
        countries = country_features(self.tallies(), self.country_names)
        layers = (
            strikes,
            laid(
                "assets",
                asset_features(self.records, known.of, self.flat.struck),
                [asset.geometry for asset in self.records.assets.values()],
            ),
            laid("attributions", rows, of_strikes(strikes.geometries, strikes.ids, rows.columns["strike"])),
            laid("countries", countries, [self.basemap.states[feature.id][1] for feature in countries]),
        )
        return MappingProxyType({layer.name: layer for layer in layers})


#: Title, description and features of each flat layer.
LAYERS: Mapping[str, tuple[str, str, type[Feature]]] = MappingProxyType(
    {
        "strikes": (
            "Strikes",
            "Attacks on energy and industrial sites that published reports tell of, and whose the sites were.",
            StrikeFeature,
        ),
        "assets": ("Assets", "Facilities and pipelines with their owners on the day of the data.", AssetFeature),
        "attributions": (
            "Attributions",
            "One row for each strike, asset, relation and country: whose assets were hit, with shares.",
            AttributionFeature,
        ),
        "countries": (
            "Countries",
            "Countries with the number of strikes on what they own, host, or are tied to otherwise.",
            CountryFeature,
        ),
    }
)


def laid(name: str, features: FeatureTable[Any], places: Places) -> Collection:
    """One of the flat layers, of features and where they are."""
    return Collection(name, *LAYERS[name], features, places)


def of_strikes(places: Places, ids: Coded, strikes: Coded) -> Objects:
    """Where the strikes of a column are, each of which is among ``ids``, whose places are given."""
    return as_objects(places)[rows_of(ids, strikes)]


def rows_of(ids: Coded, strikes: Coded) -> Ints:
    """The row that each strike of a column has among the ids of all."""
    row = np.empty(len(ids), np.int64)
    row[ids.codes] = np.arange(len(ids))
    return row[strikes.codes]
