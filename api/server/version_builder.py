"""Builds the versions that are served: from all records of a store, or from the version before and what changed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

from api.requests.map_view import MapView
from api.requests.query_parameters import DEFAULT_ORDERS, LIST_ORDER, parse_selection
from api.server.build_id import sources
from api.server.served_version import CacheStats, Responses, ServedVersion, TileCache
from api.settings import Settings, require_policy
from api.wording.catalogue import text
from layers.collections.update_times import NO_TIMES, UpdateTimes
from layers.corrections.changed import PublishedRecords, published_head, read_times, times_after
from layers.corrections.log import PublishedVersion
from layers.corrections.replay import recent_records_at
from layers.disclosure.policy import Policy
from layers.model.cache import Lazy
from layers.model.heat import NO_HEAT, HeatColumns
from layers.model.records import Records
from layers.query.keyset_cursor import TypeExamples, with_tiebreak
from layers.query.name_search import strikes_named
from layers.query.selection import Selection, rows
from layers.query.strike_clusters import WORLD, clustered
from layers.query.strike_counts import groups, timeline, totals
from layers.query.strike_ties import StrikeConditions
from layers.reference import basemap
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import Computed, discard, full_rewrite, incremental_rewrite
from layers.snapshot.disclosure import Disclosure, disclose, policy_of
from layers.snapshot.incremental import SnapshotUpdate, TimesAfter
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import CacheComparison, CachedVersion, SnapshotCache
from layers.store.connection import Connection
from layers.store.history_chain import EMPTY, Head
from layers.store.open_layer import OpenLayer
from layers.store.store import Derive, DerivedUpdate, Store, StoreError


def time_of(store: Store, head: Head) -> datetime | None:
    """When a change was made, in UTC; ``None`` for the empty history.

    Raises `StoreError` if the file has another text in place of the time.
    """
    try:
        return datetime.fromisoformat(head.at) if head.at else None
    except ValueError as error:
        raise StoreError(f"{store.name}: change {head.seq} has no time, but {head.at!r}") from error


def data_date(store: Store, head: Head) -> date:
    """Day of a change; today for the empty history."""
    at = time_of(store, head)
    return at.date() if at else date.today()


def changed_at(store: Store, version: PublishedVersion) -> datetime:
    """When what is published was changed last, in UTC: by a change, or as an embargo ended."""
    start = datetime(*version.snapshot.data_date.timetuple()[:3], tzinfo=UTC)
    changed, ended = time_of(store, version.head) or start, version.disclosure.last_due
    return changed if ended is None else max(changed, ended)


def head_of(store: Store, seq: int, stored: Records, disclosure: Disclosure, known: Head = EMPTY) -> Head:
    """The last change of what is published of the records of change ``seq``, see `published_head`."""
    with store.reading() as connection:
        return published_head(connection, PublishedRecords(stored, disclosure, datetime.now(UTC)), seq, known)


def published_version(store: Store, base: Basemap) -> PublishedVersion:
    """Compute what is published of the newest version of a store by its policy, with the usual thresholds."""
    return VersionBuilder(store, base, Settings(), "").uncomputed()


def opened_version(store: Store, settings: Settings) -> PublishedVersion:
    """What is published of the newest version of a store by its policy: from the cache beside it, or computed.

    What takes long, as all that lies over an open layer, is then written to the cache where that can be done.

    Raises `PolicyDiffers` or `ProblemsError` if a file states another policy than the store has, or either policy has
    faults; `BasemapMissing` if there is no base map.
    """
    require_policy(policy_of(store), settings.policy_file)
    base = basemap.read(settings.basemap)
    versions, cache = VersionBuilder(store, base, settings, ""), cache_of(store, base, settings)
    served = versions.cached(cache)
    if served is None and store.open_layer is not None:
        with cache.exclusive_lock():
            # Another process may have written it meanwhile.
            served = versions.cached(cache) or (versions.cached(cache) if versions.write(cache) else None)
    return published_version(store, base) if served is None else served.published


def with_times(store: Store, snapshot: Snapshot, stored: Records, disclosure: Disclosure) -> Snapshot:
    """A snapshot of what is published of a store that knows when this changed last, by the history of the store."""
    published = PublishedRecords(stored, disclosure, datetime.now(UTC))

    def times() -> UpdateTimes:
        # Of a copy without its times: what refers to a snapshot that refers to it lives until garbage is collected.
        with store.reading() as connection:
            return read_times(connection, snapshot, published)

    return snapshot.with_stages(snapshot.stages, times=Lazy(times))


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
    strikes_named(collections, registers, "Odesa", 1)  # reads all texts


def ready_to_edit(snapshot: Snapshot) -> None:
    """Compute ahead what the first edit or decision would wait for."""
    _ = snapshot.asset_index, snapshot.registers


def cache_of(store: Store, base: Basemap, settings: Settings) -> SnapshotCache:
    """The cache of a store by this version of the program with these settings."""
    return SnapshotCache(
        store=store,
        basemap=settings.basemap,
        base=base,
        # Answers may change while the files stay the same.
        program=sources("geo", "layers", "api/wording").hex(),
        publish_from=settings.publish_from,
        show_from=settings.show_from,
        wording=text,
        min_records=settings.cache_from,
        elsewhere=settings.cache_in,
        open_layer=store.open_layer,
    )


def derived_by_load(
    store: Store, settings: Settings, below: OpenLayer | None, computed: Computed = discard
) -> Derive | DerivedUpdate:
    """How a load renews the derived layers of a store: from what is cached of it, or else from all records.

    They are computed from all where they were of another open layer, as history tells. ``below`` is the one that the
    records lie over, whether the store has it mounted or not; ``computed`` receives what is computed from all records.
    """
    base = basemap.read(settings.basemap)
    is_recorded = store.recorded_open_layer() == (None if below is None else below.digest)
    cache = replace(cache_of(store, base, settings), open_layer=below)
    cached = cache.read(store.last_external_edit()) if is_recorded else None
    if cached is None:
        return full_rewrite(base, text, below, computed)
    return incremental_rewrite(cached.snapshot, cached.stored, datetime.now(UTC).date(), open_layer=below)


def derived_by_edit(store: Store, settings: Settings) -> DerivedUpdate:
    """How an edit renews the derived layers of a store and the open layer mounted under it, see `derived_by_load`."""
    derive = derived_by_load(store, settings, store.open_layer)
    if isinstance(derive, DerivedUpdate):
        return derive
    # The records of a version have those of the open layer already.
    return DerivedUpdate(*store.version(), full_rewrite(basemap.read(settings.basemap), text), lambda *_: None)


def compare_cache(store: Store, settings: Settings) -> Iterator[CacheComparison]:
    """Compare the cache of a store with what a server without it would compute; see `SnapshotCache.compare`."""
    base = basemap.read(settings.basemap)

    def version_at(seq: int, publish_from: float) -> CachedVersion:
        stored = recent_records_at(store, seq)
        disclosure = disclose(stored, policy_of(store, seq), datetime.now(UTC))
        head, at = head_of(store, seq, stored, disclosure), replace(settings, publish_from=publish_from)
        snapshot = _snapshot(base, at, seq, data_date(store, head), disclosure.records, Lazy.of(NO_HEAT))
        return CachedVersion(with_times(store, snapshot, stored, disclosure), stored)

    return cache_of(store, base, settings).compare(version_at)


def _snapshot(
    base: Basemap,
    settings: Settings,
    seq: int,
    day: date,
    records: Records,
    heat: Lazy[HeatColumns],
) -> Snapshot:
    """The snapshot of records of change ``seq``, from which nothing was computed yet."""
    return Snapshot.of(records, base, seq, day, settings.publish_from, settings.show_from, wording=text, heat=heat)


@dataclass(frozen=True, eq=False)
class NextVersion:
    """What a write of this process computed of the version after it, to be served."""

    #: The version that was served when the write began.
    base: ServedVersion
    #: The records after the write.
    stored: Records
    #: From ``base.with_private`` to these records.
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
    loaded
        What a load computed of the records that it left; not used once there is a later change.
    """

    def __init__(
        self,
        store: Store,
        base: Basemap,
        settings: Settings,
        program: str,
        loaded: CachedVersion | None = None,
    ) -> None:
        self._store = store
        self._basemap = base
        self._settings = settings
        self._program = program
        self._loaded = loaded
        self._heat_loads: object = None
        self._heat: Lazy[HeatColumns] = Lazy(store.heat)
        #: Tiles of all versions so far.
        self.counts = CacheStats()
        #: Receives the records and the policy of a version before it is computed.
        self.announce: Callable[[Records, Policy], None] = lambda stored, policy: None

    def from_all_records(self) -> ServedVersion:
        """The newest version, computed from all records, with what its first tiles need."""
        begun = time.monotonic()
        return self.computed(self.uncomputed(), begun)

    def uncomputed(self) -> PublishedVersion:
        """The newest version with all records, from which nothing was computed yet."""
        loaded, wanted = self._loaded, (self._store.seq(), self._settings.publish_from)
        if loaded is not None and (loaded.snapshot.seq, loaded.snapshot.publish_from) != wanted:
            loaded = None
        seq, stored = self._store.version(packed=True) if loaded is None else (loaded.snapshot.seq, loaded.stored)
        disclosure = self._disclosed(seq, stored)
        head = head_of(self._store, seq, stored, disclosure)
        if loaded is not None and disclosure.records is stored:
            parts = (self._basemap, seq, data_date(self._store, head), self._settings.publish_from)
            known = Snapshot(
                loaded.snapshot.records, *parts, self._settings.show_from, loaded.snapshot.stages, wording=text
            )
        else:
            known = self._snapshots_at(seq, head)(disclosure.records)
        snapshot = with_times(self._store, known, stored, disclosure)
        return PublishedVersion(snapshot, stored, disclosure, head)

    def computed(self, published: PublishedVersion, begun: float) -> ServedVersion:
        """A version with what its first tiles need; ``begun`` is when it began to be read, by the monotonic clock."""
        snapshot, stored, disclosure = published.snapshot, published.stored, published.disclosure
        _ready_to_serve(snapshot)
        ready_to_draw(snapshot)
        snapshot_of = self._snapshots_at(snapshot.seq, published.head)
        with_private = snapshot if disclosure.records is stored else snapshot_of(stored)
        return self._version(published, with_private, begun)

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
        snapshot = cached.snapshot
        if snapshot.seq == self._store.seq():
            return self.from_cache(cached, begun)
        seq, stored = self._store.newer(snapshot.seq, cached.stored)
        if public(stored) is not stored:
            cache.discard()
            return None
        disclosure = self._disclosed(seq, stored)
        head = head_of(self._store, seq, stored, disclosure)
        snapshot_of = self._snapshots_at(seq, head)
        update = SnapshotUpdate(
            snapshot, snapshot_of(disclosure.records), times_after=self._times_after(stored, disclosure)
        )
        if update.touched is None:  # all is as soon computed anew
            return None
        with_private = update.after if disclosure.records is stored else snapshot_of(stored)
        return self._version(PublishedVersion(update.after, stored, disclosure, head), with_private, begun)

    def write(self, cache: SnapshotCache) -> bool:
        """Compute the newest version, and write it to a cache; whether that may be, and could be, done."""
        if not cache.is_used():
            return False
        published = self.uncomputed()
        if published.disclosure.records is not published.stored:
            return False
        with suppress(OSError):
            version = CachedVersion(published.snapshot, published.stored)
            return cache.write(version, self._store.last_external_edit())
        return False

    def from_cache(self, cached: CachedVersion, begun: float) -> ServedVersion:
        """The version of a snapshot from the cache, whose records are all published.

        ``begun`` is when it began to be read, by the monotonic clock.
        """
        snapshot, stored = cached.snapshot, cached.stored
        snapshot = snapshot.with_stages(snapshot.stages, heat=self._observed())
        disclosure = self._disclosed(snapshot.seq, stored)
        head = head_of(self._store, snapshot.seq, stored, disclosure)
        return self._version(PublishedVersion(snapshot, stored, disclosure, head), snapshot, begun)

    def newest(self, view: ServedVersion) -> ServedVersion:
        """The newest version, computed from a version, the change feed of the store and the embargoes that ended."""
        if view.snapshot.seq == self._store.seq() and not view.is_outdated(datetime.now(UTC)):
            return view
        begun = time.monotonic()
        seq, stored = self._store.newer(view.snapshot.seq, view.stored)
        return self._updated(view, seq, stored, None, begun)

    def adopted(self, view: ServedVersion, computed: NextVersion | None) -> ServedVersion:
        """The version that a write of this process computed, if it computed it from this one."""
        if computed is None or computed.base is not view:
            return view
        begun, newer = time.monotonic(), computed.update.newer
        if newer.seq <= view.snapshot.seq:
            return view
        return self._updated(view, newer.seq, computed.stored, computed.update, begun)

    def _updated(
        self,
        view: ServedVersion,
        seq: int,
        stored: Records,
        update: SnapshotUpdate | None,
        begun: float,
    ) -> ServedVersion:
        """The version of newer records; ``update`` is that of ``view.with_private`` where it was computed before."""
        disclosure = self._disclosed(seq, stored, view)
        # As an embargo ends, or by another policy, older changes become public.
        shown, before = disclosure, view.disclosure
        known = view.head if (shown.last_due, shown.policy) == (before.last_due, before.policy) else EMPTY
        head = head_of(self._store, seq, stored, disclosure, known)
        snapshot_of = self._snapshots_at(seq, head)
        if update is not None and update.newer.data_date != data_date(self._store, head):
            update = None
        served, times = disclosure.records, self._times_after(stored, disclosure)
        if served is stored and view.snapshot is view.with_private:
            update = update or SnapshotUpdate(view.snapshot, snapshot_of(stored), times_after=times)
            return self._version(PublishedVersion(update.after, stored, disclosure, head), update.after, begun, view)
        snapshot = SnapshotUpdate(view.snapshot, snapshot_of(served), times_after=times).after
        published = PublishedVersion(snapshot, stored, disclosure, head)
        if served is stored:
            return self._version(published, snapshot, begun, view)
        update = update or SnapshotUpdate(view.with_private, snapshot_of(stored))
        # Times are those of what is published, also where the version before had nothing private yet.
        with_private = update.unanswered.with_stages(update.unanswered.stages, times=Lazy.of(NO_TIMES))
        return self._version(published, with_private, begun, view)

    def times_within(self, view: ServedVersion) -> Callable[[Connection], TimesAfter] | None:
        """What works out, within a write, when records changed last, if what it computes is to be served.

        That is so where all that is stored is published; a write that makes a record private is not served as computed.
        """
        if view.snapshot is not view.with_private:
            return None
        policy, now = view.disclosure.policy, datetime.now(UTC)

        # A policy that withholds nothing of what there is may do so of what is written.
        def published(records: Records) -> PublishedRecords:
            disclosure = Disclosure(records, policy) if policy.is_open else disclose(records, policy, now)
            return PublishedRecords(records, disclosure, now)

        return lambda connection: lambda before, newer: times_after(connection, before, newer, published(newer.records))

    def _times_after(self, stored: Records, disclosure: Disclosure) -> TimesAfter:
        """What works out when that which is published of newer records changed last."""
        published = PublishedRecords(stored, disclosure, datetime.now(UTC))

        def found(before: Snapshot, newer: Snapshot) -> UpdateTimes:
            with self._store.reading() as connection:
                return times_after(connection, before, newer, published)

        return found

    def _disclosed(self, seq: int, stored: Records, before: ServedVersion | None = None) -> Disclosure:
        """What is published now of the records of a change; what a version before has alike is not judged again."""
        policy = policy_of(self._store, seq)
        self.announce(stored, policy)
        known = None if before is None or before.disclosure.policy != policy else before.disclosure
        return disclose(stored, policy, datetime.now(UTC), known)

    def _snapshots_at(self, seq: int, head: Head) -> Callable[[Records], Snapshot]:
        parts = (self._basemap, self._settings, seq, data_date(self._store, head))
        return partial(_snapshot, *parts, heat=self._observed())

    def _observed(self) -> Lazy[HeatColumns]:
        """Observations of heat, read when they are first needed, and anew only after another load of them."""
        if (loads := self._store.heat_loads()) != self._heat_loads:
            self._heat_loads, self._heat = loads, Lazy(self._store.heat)
        return self._heat

    def _version(
        self, published: PublishedVersion, with_private: Snapshot, begun: float, before: ServedVersion | None = None
    ) -> ServedVersion:
        """A version to be served; what the public sees of one ``before`` goes on where all of that is the same."""
        snapshot, disclosure, head = published.snapshot, published.disclosure, published.head
        _ready_to_serve(snapshot)
        changed = changed_at(self._store, published)
        shaped = f"{_digest(snapshot, disclosure)}-{disclosure.policy.digest}-{self._program}"
        version = f"{head.hash[:16]}-{changed:%Y%m%dT%H%M%S.%f}-{shaped}"
        same = before if before is not None and before.version == version else None
        return ServedVersion(
            snapshot,
            with_private,
            published.stored,
            disclosure,
            same.tiles if same else TileCache(self._settings.tiles_cached, self.counts),
            same.responses if same else Responses(self._settings.answers_cached),
            self._store.version_key(),
            version,
            head,
            changed,
            same.built if same else time.time(),
            same.build_s if same else time.monotonic() - begun,
        )


def _ready_to_serve(snapshot: Snapshot) -> None:
    """Compute ahead what the first page would wait for: features, and their order."""
    for collection in snapshot.layers.values():
        _ = collection.fragments, collection.rows_by_id, TypeExamples.of(collection)
        rows(collection, with_tiebreak(Selection(order=DEFAULT_ORDERS.get(collection.name, ()))))


def _digest(snapshot: Snapshot, disclosure: Disclosure) -> str:
    """A digest of all features, and of how much is withheld.

    Edits of other programs and another base map have no change in history, nor has one that is under an embargo.
    """
    digests = ",".join(f"{name} {collection.digest:x}" for name, collection in snapshot.layers.items())
    counts = {reason: dict(numbers) for reason, numbers in disclosure.withheld.items()}
    return hashlib.blake2b(f"{digests} {counts}".encode(), digest_size=6).hexdigest()
