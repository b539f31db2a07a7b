"""Builds the versions that are served: from all records of a store, or from the version before and what changed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

from api.requests.map_view import MapView
from api.requests.query_parameters import DEFAULT_ORDERS, LIST_ORDER, parse_selection
from api.server.build_id import sources
from api.server.served_version import CacheStats, Responses, ServedVersion, TileCache
from api.settings import Settings
from api.wording.catalogue import text
from layers.collections.update_times import NO_TIMES, UpdateTimes
from layers.corrections.changed import PublishedRecords, read_times, times_after
from layers.corrections.log import PublishedVersion
from layers.corrections.replay import recent_records_at
from layers.disclosure.policy import Policy
from layers.model.cache import Lazy
from layers.model.heat import NO_HEAT, HeatColumns
from layers.model.records import Records
from layers.query.keyset_cursor import with_tiebreak
from layers.query.selection import Selection, rows
from layers.query.strike_clusters import WORLD, clustered
from layers.query.strike_conditions import StrikeConditions
from layers.query.strike_counts import groups, timeline, totals
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.disclosure import Disclosure, disclose
from layers.snapshot.incremental import SnapshotUpdate, TimesAfter
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import CacheComparison, SnapshotCache
from layers.store.connection import Connection
from layers.store.store import Store, StoreError


def last_change(store: Store, seq: int) -> datetime | None:
    """When change ``seq`` was made, in UTC; ``None`` for an empty store.

    Raises
    ------
    StoreError
        If the file has another text in place of the time.
    """
    at = store.head(seq).at
    try:
        return datetime.fromisoformat(at) if at else None
    except ValueError as error:
        raise StoreError(f"{store.name}: change {seq} has no time, but {at!r}") from error


def data_date(store: Store, seq: int) -> date:
    """Day of the last change; today for an empty store."""
    at = last_change(store, seq)
    return at.date() if at else date.today()


def changed_at(store: Store, snapshot: Snapshot, disclosure: Disclosure) -> datetime:
    """When what is published was changed last, in UTC: by a change, or as an embargo ended."""
    changed = last_change(store, snapshot.seq) or datetime(*snapshot.data_date.timetuple()[:3], tzinfo=UTC)
    return changed if disclosure.last_due is None else max(changed, disclosure.last_due)


def published_version(store: Store, base: Basemap, policy: Policy) -> PublishedVersion:
    """Compute what a policy publishes of the newest version of a store, with the usual thresholds."""
    seq, stored = store.version()
    disclosure = disclose(stored, policy, datetime.now(UTC))
    day, heat = data_date(store, seq), Lazy(store.heat)
    snapshot = Snapshot.of(disclosure.records, base, seq, day, wording=text, heat=heat)
    return PublishedVersion(with_times(store, snapshot, stored, disclosure), stored, disclosure)


def opened_version(store: Store, settings: Settings) -> PublishedVersion:
    """What the policy of settings publishes of the newest version of a store: from the cache beside it, or computed.

    Nothing is written to the cache.

    Raises
    ------
    BasemapMissing
        If there is no base map.
    """
    base = basemap.read(settings.basemap)
    served = VersionBuilder(store, base, settings, "").cached(cache_of(store, base, settings))
    return published_version(store, base, settings.policy) if served is None else served.published


def with_times(store: Store, snapshot: Snapshot, stored: Records, disclosure: Disclosure) -> Snapshot:
    """A snapshot of what is published of a store that knows when this changed last, by the history of the store."""
    published = PublishedRecords(stored, disclosure, datetime.now(UTC))
    # Of a copy without its times: what refers to a snapshot that refers to it lives until garbage is collected.
    return snapshot.with_stages(snapshot.stages, times=Lazy(partial(_read_times, store, snapshot, published)))


def _read_times(store: Store, snapshot: Snapshot, published: PublishedRecords) -> UpdateTimes:
    with store.reading() as connection:
        return read_times(connection, snapshot, published)


def ready_to_draw(snapshot: Snapshot) -> None:
    """Compute ahead what the first tile and the first box would wait for."""
    for collection in snapshot.layers.values():
        _ = collection.layer
        collection.mask((0.0, 0.0, 0.0, 0.0), date.min, date.max)


def ready_to_list(snapshot: Snapshot) -> None:
    """Compute ahead what the first list of the map, its first counts, dates and marks would wait for."""
    collections, registers = snapshot.collections, snapshot.registers
    strikes = collections["strikes"]
    first = parse_selection({**MapView().parameters(), "sortby": LIST_ORDER}, strikes)
    rows(strikes, with_tiebreak(first))
    of_owners = StrikeConditions()
    for selection in (Selection(), first):
        totals(collections, registers, selection, of_owners)
        timeline(collections, registers, selection, of_owners, "month")
    for conditions in (of_owners, StrikeConditions(relation="host")):
        groups(collections, registers, first, conditions, "country")
    clustered(collections, registers, first, of_owners, 0.0, WORLD, "owners")


def ready_to_edit(snapshot: Snapshot) -> None:
    """Compute ahead what the first edit or decision would wait for."""
    _ = snapshot.asset_index, snapshot.registers
    for collection in snapshot.layers.values():
        collection.count_values()


def cache_of(store: Store, base: Basemap, settings: Settings) -> SnapshotCache:
    """What is kept of a store by this version of the program with these settings."""
    return SnapshotCache(
        store=store,
        basemap=settings.basemap,
        base=base,
        # Answers may change while the files stay the same.
        program=f"{sources('geo', 'layers', 'api/wording').hex()}-{settings.policy.digest}",
        publish_from=settings.publish_from,
        show_from=settings.show_from,
        wording=text,
        min_records=settings.keep_from,
        elsewhere=settings.keep_in,
    )


def compare_cache(store: Store, settings: Settings) -> Iterator[CacheComparison]:
    """Compare what is kept of a store with what a server without it would compute; see `SnapshotCache.compare`."""
    base = basemap.read(settings.basemap)

    def snapshot_at(seq: int, publish_from: float) -> Snapshot:
        stored = recent_records_at(store, seq)
        disclosure, at = (
            disclose(stored, settings.policy, datetime.now(UTC)),
            replace(settings, publish_from=publish_from),
        )
        snapshot = _snapshot(base, at, seq, data_date(store, seq), disclosure.records)
        return with_times(store, snapshot, stored, disclosure)

    return cache_of(store, base, settings).compare(snapshot_at)


def _snapshot(
    base: Basemap,
    settings: Settings,
    seq: int,
    day: date,
    records: Records,
    heat: Lazy[HeatColumns] | None = None,
) -> Snapshot:
    """The snapshot of records of change ``seq``, from which nothing was computed yet."""
    heat = heat or Lazy.of(NO_HEAT)
    return Snapshot.of(records, base, seq, day, settings.publish_from, settings.show_from, wording=text, heat=heat)


@dataclass(frozen=True, eq=False)
class NextVersion:
    """What a write of this process computed of the version after it, to be served.

    Parameters
    ----------
    base
        The version that was served when the write began.
    stored
        The records after the write.
    update
        From ``base.with_private`` to these records.
    """

    base: ServedVersion
    stored: Records
    update: SnapshotUpdate

    @property
    def seq(self) -> int:
        """The last change in these records."""
        return self.update.newer.seq


class VersionBuilder:
    """Builds versions of a store; of each the first page, not the tiles, is computed ahead.

    Parameters
    ----------
    store, base
        Where records and countries are read from.
    settings
        What is published, from which days on, and how many tiles are cached.
    program
        Name of this build of the program, which the names of all versions end with.
    answer
        Gives a snapshot of all that is stored what is known already of what follows from it.
    """

    def __init__(
        self,
        store: Store,
        base: Basemap,
        settings: Settings,
        program: str,
        answer: Callable[[Snapshot], Snapshot] | None = None,
    ) -> None:
        self._store = store
        self._basemap = base
        self._settings = settings
        self._program = program
        self._answer = answer
        self._heat_loads: object = None
        self._heat: Lazy[HeatColumns] = Lazy(store.heat)
        #: Tiles of all versions so far.
        self.counts = CacheStats()

    def from_all_records(self) -> ServedVersion:
        """The newest version, computed from all records, with what its first tiles need."""
        begun = time.monotonic()
        return self.computed(self.uncomputed(), begun)

    def uncomputed(self) -> PublishedVersion:
        """The newest version with all records, from which nothing was computed yet."""
        seq, stored = self._store.version(packed=True)
        disclosure = self._disclosed(stored)
        snapshot = with_times(self._store, self._snapshots_at(seq)(disclosure.records), stored, disclosure)
        if self._answer is not None and snapshot.records is stored:
            snapshot = self._answer(snapshot)
        return PublishedVersion(snapshot, stored, disclosure)

    def computed(self, published: PublishedVersion, begun: float) -> ServedVersion:
        """A version with what its first tiles need; ``begun`` is when it began to be read, by the monotonic clock."""
        snapshot, stored, disclosure = published.snapshot, published.stored, published.disclosure
        _ready_to_serve(snapshot)
        ready_to_draw(snapshot)
        with_private = snapshot if disclosure.records is stored else self._snapshots_at(snapshot.seq)(stored)
        return self._version(snapshot, with_private, stored, disclosure, begun)

    def cached(self, cache: SnapshotCache, external_edits: int | None = None) -> ServedVersion | None:
        """The newest version from a cache of the store and the changes since that was written.

        ``external_edits`` is what `Store.last_external_edit` gives, by default now. None where nothing is cached, where
        the changes touch nearly everything, and where they made records private: what is cached is removed then.
        """
        if not cache.is_used():
            return None
        edits = self._store.last_external_edit() if external_edits is None else external_edits
        begun, cached = time.monotonic(), cache.read(edits)
        if cached is None:
            return None
        if cached.seq == self._store.seq():
            return self.from_cache(cached, begun)
        seq, stored = self._store.newer(cached.seq, cached.records)
        if public(stored) is not stored:
            cache.discard()
            return None
        return self._from_cache_and_changes(cached, seq, stored, begun)

    def from_cache(self, cached: Snapshot, begun: float) -> ServedVersion:
        """The version of a snapshot from the cache, the records in which are those of the store, all published.

        ``begun`` is when it began to be read, by the monotonic clock.
        """
        cached = cached.with_stages(cached.stages, heat=self._observed())
        return self._version(cached, cached, cached.records, self._disclosed(cached.records), begun)

    def _from_cache_and_changes(
        self, cached: Snapshot, seq: int, stored: Records, begun: float
    ) -> ServedVersion | None:
        """The version of the records of change ``seq``, from an older one in the cache, read since ``begun``.

        None where the changes touch nearly everything, and all is as soon computed anew.
        """
        disclosure, snapshot_of = self._disclosed(stored), self._snapshots_at(seq)
        times = self._times_after(stored, disclosure)
        update = SnapshotUpdate(cached, snapshot_of(disclosure.records), times_after=times)
        if update.touched is None:
            return None
        with_private = update.after if disclosure.records is stored else snapshot_of(stored)
        return self._version(update.after, with_private, stored, disclosure, begun)

    def newest(self, view: ServedVersion) -> ServedVersion:
        """The newest version, computed from a version, the change feed of the store and the embargoes that ended."""
        if view.snapshot.seq == self._store.seq() and not view.is_outdated(datetime.now(UTC)):
            return view
        begun = time.monotonic()
        seq, stored = self._store.newer(view.snapshot.seq, view.stored)
        return self._updated(view, stored, self._snapshots_at(seq), None, begun)

    def adopted(self, view: ServedVersion, computed: NextVersion | None) -> ServedVersion:
        """The version that a write of this process computed, if it computed it from this one."""
        if computed is None or computed.base is not view:
            return view
        begun, newer = time.monotonic(), computed.update.newer
        if newer.seq <= view.snapshot.seq or newer.data_date != data_date(self._store, newer.seq):
            return view
        return self._updated(view, computed.stored, self._snapshots_at(newer.seq), computed.update, begun)

    def _updated(
        self,
        view: ServedVersion,
        stored: Records,
        snapshot_of: Callable[[Records], Snapshot],
        update: SnapshotUpdate | None,
        begun: float,
    ) -> ServedVersion:
        """The version of newer records; ``update`` is that of ``view.with_private`` where it was computed before."""
        disclosure = self._disclosed(stored, view)
        served, times = disclosure.records, self._times_after(stored, disclosure)
        if served is stored and view.snapshot is view.with_private:
            update = update or SnapshotUpdate(view.snapshot, snapshot_of(stored), times_after=times)
            return self._version(update.after, update.after, stored, disclosure, begun)
        snapshot = SnapshotUpdate(view.snapshot, snapshot_of(served), times_after=times).after
        if served is stored:
            return self._version(snapshot, snapshot, stored, disclosure, begun)
        update = update or SnapshotUpdate(view.with_private, snapshot_of(stored))
        # Times are those of what is published, also where the version before had nothing private yet.
        with_private = update.unanswered.with_stages(update.unanswered.stages, times=Lazy.of(NO_TIMES))
        return self._version(snapshot, with_private, stored, disclosure, begun)

    def times_within(self, view: ServedVersion) -> Callable[[Connection], TimesAfter] | None:
        """What works out, within a write, when records changed last, if what it computes is to be served.

        That is so where all that is stored is published; a write that makes a record private is not served as computed.
        """
        if view.snapshot is not view.with_private:
            return None
        policy, now = self._settings.policy, datetime.now(UTC)
        # A policy that withholds nothing of what there is may do so of what is written.
        if not policy.is_open:
            return lambda connection: (
                lambda before, newer: times_after(
                    connection,
                    before,
                    newer,
                    PublishedRecords(newer.records, disclose(newer.records, policy, now), now),
                )
            )
        return lambda connection: (
            lambda before, newer: times_after(
                connection, before, newer, PublishedRecords(newer.records, Disclosure(newer.records, policy), now)
            )
        )

    def _times_after(self, stored: Records, disclosure: Disclosure) -> TimesAfter:
        """What works out when that which is published of newer records changed last."""
        published = PublishedRecords(stored, disclosure, datetime.now(UTC))

        def found(before: Snapshot, newer: Snapshot) -> UpdateTimes:
            with self._store.reading() as connection:
                return times_after(connection, before, newer, published)

        return found

    def _disclosed(self, stored: Records, before: ServedVersion | None = None) -> Disclosure:
        """What is published of stored records now; what a version before has alike is not judged again."""
        return disclose(stored, self._settings.policy, datetime.now(UTC), before.disclosure if before else None)

    def _snapshots_at(self, seq: int) -> Callable[[Records], Snapshot]:
        parts = (self._basemap, self._settings, seq, data_date(self._store, seq))
        return partial(_snapshot, *parts, heat=self._observed())

    def _observed(self) -> Lazy[HeatColumns]:
        """Observations of heat, read when they are first needed, and anew only after another load of them."""
        if (loads := self._store.heat_loads()) != self._heat_loads:
            self._heat_loads, self._heat = loads, Lazy(self._store.heat)
        return self._heat

    def _version(
        self, snapshot: Snapshot, with_private: Snapshot, stored: Records, disclosure: Disclosure, begun: float
    ) -> ServedVersion:
        _ready_to_serve(snapshot)
        seq = snapshot.seq
        changed = changed_at(self._store, snapshot, disclosure)
        version = f"{seq}-{changed:%Y%m%dT%H%M%S.%f}-{_digest(snapshot)}-{self._program}"
        tiles = TileCache(self._settings.tiles_kept, self.counts)
        return ServedVersion(
            snapshot,
            with_private,
            stored,
            disclosure,
            tiles,
            Responses(self._settings.answers_kept),
            version,
            self._store.head(seq),
            changed,
            time.time(),
            time.monotonic() - begun,
        )


def _ready_to_serve(snapshot: Snapshot) -> None:
    """Compute ahead what the first page would wait for: features, and their order."""
    for collection in snapshot.layers.values():
        _ = collection.fragments, collection.rows_by_id
        rows(collection, with_tiebreak(Selection(order=DEFAULT_ORDERS.get(collection.name, ()))))


def _digest(snapshot: Snapshot) -> str:
    """A digest of all features: edits of other programs and another base map have no change number."""
    digests = ",".join(f"{name} {collection.digest:x}" for name, collection in snapshot.layers.items())
    return hashlib.blake2b(digests.encode(), digest_size=6).hexdigest()
