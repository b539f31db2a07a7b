"""The immutable snapshot that is served: one version of the records and everything that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from itertools import islice
from types import MappingProxyType
from typing import Final, TypeVar

from geo.columnar.binary_array import find_sorted
from layers.attribution.attribute import Attributor, StrikeAttribution
from layers.attribution.country_totals import CountryTotals, Counts, strike_counts, totals_of
from layers.attribution.host_country import HostCountries
from layers.attribution.outages import AssetOutages, asset_outages
from layers.attribution.readings import SiteReadings
from layers.attribution.review_queue import ReviewItem, review_queue
from layers.collections.collection import Collection
from layers.collections.feature_table import FeatureTable
from layers.collections.feature_types import asset_features, country_features
from layers.collections.flatten import FlatRows, FlatRowsBuilder
from layers.collections.geometry_kinds import ASSET_VIEWS, asset_view
from layers.collections.hit_features import HitFeature, HitFeaturesBuilder
from layers.collections.update_times import NO_TIMES, UPDATED, UpdateTimes, latest
from layers.decisions.hits import PUBLISH_FROM, SHOW_FROM, StrikeOutcome, finding
from layers.matching.asset_index import AssetIndex, index_of
from layers.matching.heat import with_heat
from layers.matching.match import match_each, match_one, probable_assets, probable_by_chunk
from layers.matching.weights import read as read_weights
from layers.model.cache import Lazy, LazyMapping, LruCache
from layers.model.heat import NO_HEAT, HeatColumns
from layers.model.messages import Message, Wording
from layers.model.problems import UnknownRecord
from layers.model.records import Control, Match, Records, Strike
from layers.model.types import CountryBasis
from layers.ownership.chains import Holding, holdings_of
from layers.ownership.control import Controller, ControlPeriod, by_controlled, control_periods
from layers.ownership.minority import Minority
from layers.ownership.owners import Owners, OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.reference.basemap import Basemap
from layers.resolution import resolve
from layers.resolution.asset_duplicates import propose_assets
from layers.resolution.candidates import MatchCandidate
from layers.resolution.linkage import DuplicateProposal
from layers.resolution.strike_duplicates import propose_duplicates
from layers.snapshot.flat_collections import collection_by_strike, country_collection, make_collection
from layers.snapshot.table_folder import TableFolderReader
from layers.store.record_table import geometries, prefetch, prefetch_where, referred, texts

T = TypeVar("T")

#: Strikes whose records are read, and rows laid out, at once.
_PAGE = 2048
#: Answers to who controls something that are cached.
_SPANS = 1000
_NO_HEAT = Lazy.of(NO_HEAT)
_NO_TIMES = Lazy.of(NO_TIMES)


@dataclass(frozen=True, eq=False)
class Stages:
    """What follows from the records of a snapshot, as far as it is shared with another one or was computed before.

    Parameters
    ----------
    stakes, registers, asset_index
        Follow from assets, entities, stakes and relations alone, and are computed when they are first read.
    backing_files
        The files that parts are mapped from.
    order, proposed, counts, layers
        As the attributes of `Snapshot`; a part that is ``None`` is computed by the snapshot when it is first read.
    """

    stakes: Lazy[StakeColumns]
    registers: Lazy[OwnersByDate]
    asset_index: Lazy[AssetIndex]
    backing_files: TableFolderReader | None = None
    order: Sequence[str] | None = None
    proposed: Lazy[Mapping[str, str]] | None = None
    counts: Counts | None = None
    layers: Mapping[str, Collection] | None = None

    @classmethod
    def of(cls, records: Records) -> Stages:
        """Stages of which nothing is known yet."""
        stakes = Lazy(partial(StakeColumns.of, records))
        # The owners of all assets are going to be looked up.
        return cls(stakes, registers_of(stakes, are_shared=True), Lazy(partial(index_of, records)))


def registers_of(stakes: Lazy[StakeColumns], are_shared: bool = False) -> Lazy[OwnersByDate]:
    """Owners by day, computed from stakes when they are first read; see there when answers are shared."""
    return Lazy(lambda: OwnersByDate(stakes.value, are_shared))


class Snapshot:
    """One version of the records with everything that follows from them; nothing in it changes.

    Parameters
    ----------
    records
        The records, after the judgements of identity in them were applied.
    basemap
        Countries, for names and polygons.
    seq
        The store's change number of these records.
    data_date
        Day of the last change; assets are shown with their owners on it.
    publish_from, show_from
        Probabilities from which an undecided candidate is published as probable, and shown at all.
    stages
        Parts that are known already; everything else is computed when it is first read.
    wording
        Words the reasons in the rows of attributions.
    heat
        Observations of heat, which are shown beside candidates and change nothing else.
    times
        When what is published of the records changed last.
    """

    def __init__(
        self,
        records: Records,
        basemap: Basemap,
        seq: int,
        data_date: date,
        publish_from: float = PUBLISH_FROM,
        show_from: float = SHOW_FROM,
        stages: Stages | None = None,
        *,
        wording: Wording,
        heat: Lazy[HeatColumns] = _NO_HEAT,
        times: Lazy[UpdateTimes] = _NO_TIMES,
    ) -> None:
        self.records: Final = records
        self.basemap: Final = basemap
        self.seq: Final = seq
        self.data_date: Final = data_date
        self.publish_from: Final = publish_from
        self.show_from: Final = show_from
        self.stages: Final = stages or Stages.of(records)
        self.wording: Final = wording
        self.heat: Final = heat
        self.times: Final = times

    @classmethod
    def of(
        cls,
        stored: Records,
        basemap: Basemap,
        seq: int,
        data_date: date,
        publish_from: float = PUBLISH_FROM,
        show_from: float = SHOW_FROM,
        *,
        wording: Wording,
        heat: Lazy[HeatColumns] = _NO_HEAT,
    ) -> Snapshot:
        """The snapshot of stored records, after the judgements of identity in them were applied."""
        merged = resolve.apply_judgements(stored)
        return cls(merged, basemap, seq, data_date, publish_from, show_from, wording=wording, heat=heat)

    def with_stages(
        self,
        stages: Stages,
        records: Records | None = None,
        publish_from: float | None = None,
        heat: Lazy[HeatColumns] | None = None,
        times: Lazy[UpdateTimes] | None = None,
    ) -> Snapshot:
        """A snapshot with other stages, of which nothing else was computed yet; by default of the same records."""
        return Snapshot(
            self.records if records is None else records,
            self.basemap,
            self.seq,
            self.data_date,
            self.publish_from if publish_from is None else publish_from,
            self.show_from,
            stages,
            wording=self.wording,
            heat=self.heat if heat is None else heat,
            times=self.times if times is None else times,
        )

    @property
    def backing_files(self) -> TableFolderReader | None:
        """The files that this is mapped from, but for what was edited since they were written.

        ``None`` where everything was computed from the records.
        """
        return self.stages.backing_files

    def release_pages(self) -> None:
        """Give back the memory of the files that this is mapped from; they are read again where they are needed."""
        if self.backing_files is not None:
            self.backing_files.release_pages()

    @property
    def stakes(self) -> StakeColumns:
        """All stakes as columns."""
        return self.stages.stakes.value

    @property
    def registers(self) -> OwnersByDate:
        """Owners of all assets and entities, by day."""
        return self.stages.registers.value

    @property
    def asset_index(self) -> AssetIndex:
        """The assets as columns and search trees, which strikes are matched with."""
        return self.stages.asset_index.value

    @cached_property
    def matches(self) -> Mapping[str, tuple[Match, ...]]:
        """Candidates of every strike with all that witnesses them, each computed when it is looked up."""
        weights, records, index, heat = read_weights(), self.records, self.asset_index, self.heat
        strikes = records.strikes

        def candidates(key: str) -> tuple[Match, ...]:
            strike = strikes[key]
            return with_heat(match_one(strike, index, records, weights), strike, records.assets, heat.value)

        return LazyMapping(self.order, strikes, candidates)

    def all_matches(self) -> Mapping[str, tuple[Match, ...]]:
        """The same candidates computed at once, in the order of the records."""
        every = dict(self.each_matches())
        return {key: every[key] for key in self.records.strikes}

    def each_matches(self) -> Iterator[tuple[str, tuple[Match, ...]]]:
        """Give the same candidates strike by strike, near ones after each other; only theirs are in memory."""
        strikes, assets, heat = self.records.strikes, self.records.assets, self.heat.value
        for key, matches in match_each(self.records, self.asset_index):
            yield key, with_heat(matches, strikes[key], assets, heat)

    @cached_property
    def proposed(self) -> Mapping[str, str]:
        """The asset that is published as probable, by strike; of many strikes without those that were decided."""
        if self.stages.proposed is not None:
            return self.stages.proposed.value
        if len(self.records.strikes) > _PAGE:
            return ProbableAssets(self.layers["strikes"])  # which are matched and laid out in one pass
        return MappingProxyType(probable_assets(self.records, self.asset_index, self.publish_from))

    @cached_property
    def order(self) -> Sequence[str]:
        """Ids of the strikes, newest first."""
        if self.stages.order is not None:
            return self.stages.order
        newest_first = sorted(((when, key) for key, when in texts(self.records.strikes, "when")), reverse=True)
        return [key for _, key in newest_first]

    @cached_property
    def findings(self) -> Mapping[str, StrikeOutcome]:
        """The outcome of each strike, newest strike first."""
        return LazyMapping(self.order, self.records.strikes, self._finder)

    @cached_property
    def _finder(self) -> Callable[[str], StrikeOutcome]:
        # Refers to parts, not to the snapshot: a cycle would keep the snapshot alive until the garbage collector runs.
        records, proposed = self.records, self.proposed
        return lambda strike: finding(strike, records.where("decisions", "strike", strike), proposed.get(strike))

    @cached_property
    def pending(self) -> tuple[ReviewItem, ...]:
        """Strikes that wait for a decision, those first that it would change most."""
        return review_queue(self.findings, self.all_matches(), self.owners)

    @cached_property
    def strike_duplicates(self) -> tuple[DuplicateProposal, ...]:
        """Pairs of strikes that may be one event, the likeliest first."""
        return propose_duplicates(self.records)

    @cached_property
    def asset_duplicates(self) -> tuple[DuplicateProposal, ...]:
        """Pairs of assets that may be one site, the likeliest first."""
        return propose_assets(self.records)

    @cached_property
    def entity_duplicates(self) -> tuple[MatchCandidate, ...]:
        """Pairs of entities that may be one, the likeliest first."""
        return resolve.duplicate_entities(self.records)

    @cached_property
    def _hosts(self) -> HostCountries:
        basemap = self.basemap
        return HostCountries(Lazy(lambda: basemap.land))

    @property
    def country_names(self) -> Mapping[str, str]:
        """English names of the countries of the base map by ISO 3166-1 alpha-2."""
        return self.basemap.country_names

    def answers(
        self, basis: CountryBasis = "registration", minority: Minority = "stay"
    ) -> Mapping[str, StrikeAttribution]:
        """The attribution of each strike, newest strike first, each computed when it is looked up."""
        if (basis, minority) not in self._answers:
            attributor, find = Attributor(self.records, self.registers, basis, minority, self._hosts), self._finder
            attributions = LazyMapping(self.order, self.records.strikes, lambda key: attributor.attribute(find(key)))
            self._answers[basis, minority] = attributions
        return self._answers[basis, minority]

    # Caches of the snapshot itself: a cache of the class would keep snapshots alive that are no longer served, and
    # would tell a default that is left out from the same default given.
    @cached_property
    def _answers(self) -> dict[tuple[CountryBasis, Minority], Mapping[str, StrikeAttribution]]:
        return {}

    @cached_property
    def _counts(self) -> dict[tuple[CountryBasis, Minority], Counts]:
        counts = self.stages.counts
        return {} if counts is None else {("registration", "stay"): counts}

    @cached_property
    def _tallies(self) -> dict[tuple[CountryBasis, Minority], Mapping[str, CountryTotals]]:
        return {}

    def tallies(self, basis: CountryBasis = "registration", minority: Minority = "stay") -> Mapping[str, CountryTotals]:
        """How many strikes concern each country, by relation."""
        if (basis, minority) not in self._tallies:
            self._tallies[basis, minority] = MappingProxyType(totals_of(self.counts(basis, minority)))
        return self._tallies[basis, minority]

    def counts(self, basis: CountryBasis = "registration", minority: Minority = "stay") -> Counts:
        """What strikes add to each country, see `strike_counts` of `layers.attribution`; not to be changed."""
        if (basis, minority) not in self._counts:
            usual = (basis, minority) == ("registration", "stay")
            self._counts[basis, minority] = self.flat.counts if usual else self._counted(basis, minority)
        return self._counts[basis, minority]

    def outages(self, basis: CountryBasis = "registration", minority: Minority = "stay") -> tuple[AssetOutages, ...]:
        """How much of each asset did not work, by days, and whose it was on them."""
        if (basis, minority) not in self._outages:
            self._outages[basis, minority] = asset_outages(
                self.records, self.registers, self._finder, self.data_date, basis, minority
            )
        return self._outages[basis, minority]

    @cached_property
    def _outages(self) -> dict[tuple[CountryBasis, Minority], tuple[AssetOutages, ...]]:
        return {}

    def concerning(
        self, iso: str, basis: CountryBasis = "registration", minority: Minority = "stay"
    ) -> Iterator[StrikeAttribution]:
        """The answers to the strikes that may concern a country in whatever relation, newest strike first."""
        attributions = self.answers(basis, minority)
        if (basis, minority) != ("registration", "stay"):
            return iter(attributions.values())
        columns = self.layers["attributions"].features.columns
        place = find_sorted(columns["country"].dictionary, iso)
        rows = [] if place is None else columns["country"].rows_with(place).tolist()
        return (attributions[key] for key in dict.fromkeys(columns["strike"][row] for row in rows))

    def _counted(self, basis: CountryBasis, minority: Minority) -> Counts:
        return strike_counts(self.records.entities, self._each_answer(basis, minority))

    def _each_answer(
        self, basis: CountryBasis = "registration", minority: Minority = "stay", is_first: bool = False
    ) -> Iterator[StrikeAttribution]:
        """Attributions of each strike; none is stored, but of a page of strikes, which `answers` has.

        So of few strikes, such as those that an edit touches, rows and readings follow from one attribution. With
        ``is_first`` strikes are matched and attributed in one pass, near ones together, unless they were matched.
        """
        if len(self.records.strikes) <= _PAGE:
            self._hosts.look_up(self.records.strikes.values())
            yield from self.answers(basis, minority).values()
            return
        attributor = Attributor(self.records, self.registers, basis, minority, self._hosts)
        records, decided = self.records, referred(self.records.decisions, "strike")
        for strikes, proposed in self._proposals() if is_first else self._known_proposals():
            keys = [strike.id for strike in strikes]
            prefetch_where(records.decisions, "strike", filter(decided.__contains__, keys))
            found = [
                finding(key, records.where("decisions", "strike", key) if key in decided else (), proposed.get(key))
                for key in keys
            ]
            prefetch(records.assets, {hit.asset for one in found for hit in one.hits})
            self._hosts.look_up(strikes)
            yield from map(attributor.attribute, found)

    def _proposals(self) -> Iterator[tuple[Sequence[Strike], Mapping[str, str]]]:
        """All strikes by pages, in any order, with the assets published as probable, for which they are matched."""
        if self.stages.proposed is not None:
            return self._known_proposals()
        return probable_by_chunk(self.records, self.asset_index, self.publish_from)

    def _known_proposals(self) -> Iterator[tuple[Sequence[Strike], Mapping[str, str]]]:
        """The same, newest strike first, once it is known what is published as probable."""
        for page in _pages(self.order):
            prefetch(self.records.strikes, page)
            yield [self.records.strikes[key] for key in page], self.proposed

    @property
    def flat(self) -> FlatRows:
        """The rows of strikes and attributions, and the sums of them."""
        return self._rows.value[0]

    @property
    def hits(self) -> FeatureTable[HitFeature]:
        """Rows of the sites that strikes hit, read in three ways, newest strike first."""
        return self._rows.value[1]

    @cached_property
    def _rows(self) -> Lazy[tuple[FlatRows, FeatureTable[HitFeature]]]:
        """All rows that follow from the strikes."""
        return Lazy(self._computed_rows)

    def _computed_rows(self) -> tuple[FlatRows, FeatureTable[HitFeature]]:
        return self._finished(*self._laid_out())

    def _laid_out(self) -> tuple[FlatRowsBuilder, HitFeaturesBuilder]:
        """Match and attribute all strikes in one pass, and lay out their rows."""
        readings = SiteReadings(self.records, self.stakes, self.registers)
        flat, hits = self._flat_rows(), HitFeaturesBuilder(self.records, readings, self.country_names)
        for page in _pages(self._each_answer(is_first=True)):
            flat.extend(page)
            hits.extend(page)
        return flat, hits

    @staticmethod
    def _finished(flat: FlatRowsBuilder, hits: HitFeaturesBuilder) -> tuple[FlatRows, FeatureTable[HitFeature]]:
        rows = flat.finish()
        return rows, hits.finish(rows.strikes)

    def flat_alone(self) -> FlatRows:
        """The rows of `flat` computed without those of hits, and not stored."""
        flat = self._flat_rows()
        for page in _pages(self._each_answer()):
            flat.extend(page)
        return flat.finish()

    def _flat_rows(self) -> FlatRowsBuilder:
        return FlatRowsBuilder(self.records, self.country_names, self.wording, self.times.value)

    def answer(
        self, strike: str, basis: CountryBasis = "registration", minority: Minority = "stay"
    ) -> StrikeAttribution:
        """Whose it was.

        Raises
        ------
        UnknownRecord
            If there is no such strike.
        """
        if strike not in self.records.strikes:
            raise UnknownRecord(Message("record.no-strike", {"id": strike}))
        return self.answers(basis, minority)[strike]

    def answers_of(self, ids: Iterable[str]) -> Iterator[StrikeAttribution]:
        """Whose it was, of some strikes that there are, in their order; many records are read at once."""
        for page in _pages(ids):
            prefetch(self.records.strikes, page)
            prefetch(self.records.sources, {source for key in page for source in self.records.strikes[key].sources})
            yield from map(self.answer, page)

    def updated(self, record: str) -> str | None:
        """When what is published of a strike, asset or entity, or what it is based on, changed last (RFC 3339, UTC).

        ``None`` where that is not known, as of records that no store holds the history of.
        """
        times = self.times.value
        if record in self.records.strikes:
            return times.of_strike(record, self.answers()[record].assets)
        if record in self.records.assets:
            layer = self.collections["assets"]
            at: str | None = layer.features.columns[UPDATED][layer.rows_by_id[record]]
            return at
        return times.nodes[record]

    def owners(
        self, owned: str, on: date | None = None, basis: CountryBasis = "registration", minority: Minority = "stay"
    ) -> Owners:
        """Owners of an asset or entity on a day, by default that of the data.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        day = on or self.data_date
        return self.registers.on(day, day, basis, minority).of(owned)

    def controller(self, owned: str, on: date | None = None, basis: CountryBasis = "registration") -> Controller | None:
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
        self, owned: str, first: date | None, last: date | None, basis: CountryBasis = "registration"
    ) -> tuple[ControlPeriod, ...]:
        """Who surely controls an asset or entity from day to day, ``None`` is open: a span for each party.

        Raises
        ------
        UnknownRecord
            If there is no such asset or entity.
        """
        key = (owned, first, last, basis)
        return self._spans.get_or_compute(
            key, lambda: control_periods(self.stakes, self._controls, owned, first, last, basis)
        )

    @cached_property
    def _controls(self) -> Mapping[str, Sequence[Control]]:
        return by_controlled(self.records.controls.values())

    @cached_property
    def _spans(self) -> LruCache[tuple[ControlPeriod, ...]]:
        return LruCache(_SPANS)

    def holdings(self, entity: str, on: date | None = None) -> tuple[Holding, ...]:
        """What an entity holds on a day, by default that of the data, directly and through others.

        Raises
        ------
        UnknownRecord
            If there is no such entity.
        """
        day = on or self.data_date
        return holdings_of(self.registers.on(day, day).ownership, entity)

    @cached_property
    def collections(self) -> Mapping[str, Collection]:
        """All collections that are served by name: the `layers`, and views of them, each derived when it is read."""
        layers = self.layers
        names = dict.fromkeys((*layers, *ASSET_VIEWS))

        def read(name: str) -> Collection:
            return layers[name] if name in layers else asset_view(name, layers["assets"])

        return LazyMapping([*names], names, read)

    @cached_property
    def layers(self) -> Mapping[str, Collection]:
        """The flat collections that hold the data, by name."""
        if self.stages.layers is not None:
            return self.stages.layers
        return MappingProxyType({layer.name: layer for layer in self._computed_layers()})

    def each_layer(self) -> Iterator[Collection]:
        """Give the `layers` one by one; those that nothing read before are not held here, nor are their rows.

        Nor is the index of assets that strikes were matched with for them.
        """
        if self.stages.layers is not None or "layers" in self.__dict__:
            yield from self.layers.values()
            return
        rows = self._rows
        if not rows.is_computed:
            rows.reset(partial(self._finished, *self._laid_out()))
            # What strikes were matched with is not needed any more; where it is read again it is computed anew.
            self.stages.asset_index.reset(partial(index_of, self.records))
        layers = [*reversed(self._computed_layers())]
        rows.reset(self._computed_rows)
        while layers:
            yield layers.pop()

    def _computed_layers(self) -> tuple[Collection, ...]:
        known = self.registers.on(self.data_date, self.data_date)
        nodes, struck_at = self.times.value.nodes, self.flat.updated
        strikes = make_collection("strikes", self.flat.strikes, self.flat.geometries)
        countries = country_features(self.tallies(), self.country_names)
        return (
            strikes,
            make_collection(
                "assets",
                asset_features(
                    self.records,
                    known.of,
                    self.flat.struck,
                    lambda asset: latest((nodes[asset], struck_at.get(asset))),
                ),
                [geometry for _, geometry in geometries(self.records.assets)],
            ),
            collection_by_strike("attributions", self.flat.attributions, strikes.geometries, strikes.ids),
            collection_by_strike("hits", self.hits, strikes.geometries, strikes.ids),
            country_collection(self.basemap, countries),
        )


class ProbableAssets(Mapping[str, str]):
    """The asset that is published as probable, by strike, read from the features of the strikes."""

    def __init__(self, strikes: Collection) -> None:
        self._strikes = strikes

    def __getitem__(self, key: str) -> str:
        row, columns = self._strikes.rows_by_id[key], self._strikes.features.columns
        if columns["rests_on"][row] != "match":
            raise KeyError(key)
        asset: str = columns["assets"][row][0]
        return asset

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._strikes.ids if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _pages(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while page := list(islice(rest, _PAGE)):
        yield page
