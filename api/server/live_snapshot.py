"""The snapshot that a server answers from, swapped for a newer one when the store has changed."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial

from api.requests.query_parameters import DEFAULT_ORDERS
from api.server.build_id import sources
from api.server.served_version import CacheStats, ServedVersion, TileCache
from api.settings import Settings
from api.wording.catalogue import text
from geo.tiles.mvt import TileLayer
from geo.tiles.tile_matrix import DEGREES
from layers.corrections.log import CorrectionsLog
from layers.model.messages import Message
from layers.model.records import Record, Records
from layers.query.keyset_cursor import with_tiebreak
from layers.query.selection import Selection, rows
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite, incremental_rewrite
from layers.snapshot.disclosure import Disclosure, disclose
from layers.snapshot.incremental import SnapshotUpdate, with_shared_stages
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import SnapshotCache
from layers.store.clock import clock_remark
from layers.store.idempotency import KeyedRequest
from layers.store.store import DerivedUpdate, Edit, ExpectedLatest, Store, StoreBusy, StoreError

#: Zooms whose tile geometry is computed ahead.
_ZOOMS = 15

#: After so many changes the cache is written anew: to catch up with fewer, a start takes a second or two.
_AFTER = 200

log = logging.getLogger(__name__)


def snapshots_of(store: Store, base: basemap.Basemap, settings: Settings) -> tuple[Snapshot, Snapshot]:
    """The newest version of a store: as it is served, every layer of it built, and with its private records."""
    seq, records = store.version(packed=True)
    published = disclose(records, settings.policy, datetime.now(UTC)).records
    return _snapshots(records, published, partial(_snapshot, base, settings, seq, data_date(store, seq)))


def _snapshot(base: basemap.Basemap, settings: Settings, seq: int, day: date, records: Records) -> Snapshot:
    return Snapshot.of(records, base, seq, day, settings.publish_from, settings.show_from, wording=text)


def _snapshots(
    stored: Records, served: Records, snapshot_of: Callable[[Records], Snapshot]
) -> tuple[Snapshot, Snapshot]:
    snapshot = snapshot_of(served)
    _ready_to_serve(snapshot)
    _ready_to_draw(snapshot)
    return snapshot, snapshot if served is stored else snapshot_of(stored)


def _ready_to_serve(snapshot: Snapshot) -> None:
    """Compute ahead what the first page would wait for: features, and their order."""
    for collection in snapshot.collections.values():
        _ = collection.fragments, collection.rows_by_id
        rows(collection, with_tiebreak(Selection(order=DEFAULT_ORDERS.get(collection.name, ()))))


def _ready_to_draw(snapshot: Snapshot) -> None:
    """Compute ahead what the first tile and the first box would wait for."""
    for collection in snapshot.collections.values():
        _ = collection.layer
        collection.mask((0.0, 0.0, 0.0, 0.0), date.min, date.max)


def data_date(store: Store, seq: int) -> date:
    """Day of the last change; today for an empty store."""
    at = last_change(store, seq)
    return at.date() if at else date.today()


def last_change(store: Store, seq: int) -> datetime | None:
    """When change ``seq`` was made, in UTC; ``None`` for an empty store."""
    at = store.head(seq).at
    return datetime.fromisoformat(at) if at else None


@dataclass(frozen=True, eq=False)
class _NextVersion:
    """What a write of this process computed of the version after it, for `LiveSnapshot.refresh` to serve.

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


class LiveSnapshot:
    """The version that is served. A request reads `view` once and answers from that; nothing in it changes."""

    def __init__(self, store: Store, settings: Settings, program: str) -> None:
        """Read the newest version."""
        self.store = store
        self._program = program
        self._building = threading.Lock()
        self._settings = settings
        self.basemap = basemap.read(settings.basemap)
        self.base_layers = self.basemap.layers()
        #: Tiles of all versions so far.
        self.counts = CacheStats()
        self.base_tiles = TileCache(settings.tiles_kept, self.counts)
        self.base_version = f"base-{program}-{settings.basemap.stat().st_mtime_ns:x}"
        #: Why the newest version cannot be shown; ``None`` if it can.
        self.fault: str | None = None
        self._behind_since: float | None = None
        self._ended = False
        self._next: _NextVersion | None = None
        #: The version from which on it is tried again to write what could not be written.
        self._not_before = 0
        self._cache = SnapshotCache(
            store=store,
            basemap=settings.basemap,
            base=self.basemap,
            # Answers may change while the files stay the same.
            program=f"{sources('geo', 'layers', 'api/wording').hex()}-{settings.policy.digest}",
            publish_from=settings.publish_from,
            show_from=settings.show_from,
            wording=text,
            min_records=settings.keep_from,
            elsewhere=settings.keep_in,
        )
        with suppress(StoreBusy):
            self._record_external_edits(datetime.now(UTC), nullcontext(self._renewed_whole()))
        #: What was published and was changed since.
        self.corrections = CorrectionsLog(store)
        self.view = self._first()

    @cached_property
    def ground_in_degrees(self) -> tuple[TileLayer, ...]:
        """Countries and boundaries on the plane of equal degrees, built when they are first read."""
        return self.basemap.ground(DEGREES)

    def remarks(self, now: datetime | None = None) -> tuple[Message, ...]:
        """What is to be said about the data as it is served: that nobody may write, and that a clock may be wrong."""
        view = self.view
        last = view.changed if view.snapshot.seq else None
        doubt = clock_remark(last, now or datetime.now(UTC))
        read_only = (Message("store.read-only"),) if self.store.read_only else ()
        return read_only if doubt is None else (*read_only, doubt)

    def append(
        self,
        table: str,
        record: Record,
        *,
        author: str,
        seen: ExpectedLatest | None = None,
        keyed: KeyedRequest | None = None,
        why: str | None = None,
    ) -> int:
        """Append a record to the store, see `Store.append`; the snapshot after it is computed once, for both."""
        at = datetime.now(UTC)
        with self._computing_next(at) as derived:
            return self.store.append(
                table, record, author=author, at=at, seen=seen, derived=derived, keyed=keyed, why=why
            )

    def publish(self, dataset: str, record: str, *, author: str, why: str) -> int:
        """Make a single private record public, see `Store.publish`; give the number of the change."""
        self.store.publish(dataset, [record], author=author, why=why)
        return self.store.seq()

    def write(
        self,
        *edits: Edit,
        author: str,
        at: datetime | None = None,
        keyed: KeyedRequest | None = None,
        why: str | None = None,
    ) -> int:
        """Write edits to the store, see `Store.write`; the snapshot after them is computed once, for both."""
        at = at or datetime.now(UTC)
        with self._computing_next(at) as derived:
            return self.store.write(*edits, author=author, at=at, derived=derived, keyed=keyed, why=why)

    @contextmanager
    def _computing_next(self, at: datetime) -> Iterator[DerivedUpdate]:
        """Compute the layers in the store from the version that is served; where the write fails all is discarded."""
        view, computed = self.view, list[_NextVersion]()

        def take(update: SnapshotUpdate, stored: Records) -> None:
            computed.append(_NextVersion(view, stored, update))

        yield incremental_rewrite(view.with_private, view.stored, at.astimezone(UTC).date(), take)
        following = self._next
        if computed and (following is None or following.base is not view or following.seq < computed[-1].seq):
            self._next = computed[-1]

    def _first(self) -> ServedVersion:
        """The newest version; of a large store it is read from the cache, or else computed and written there."""
        self._external_edits = self.store.last_external_edit()
        if not self._cache.is_large():
            return self._computed()
        cached = self._from_cache()
        if cached is not None:
            return cached
        with self._cache.exclusive_lock():
            # Another worker may have written it meanwhile.
            return self._from_cache() or self._computed_and_cached()

    def _from_cache(self) -> ServedVersion | None:
        """The newest version from the cache and the changes since, unless these touch nearly everything."""
        begun, cached = time.monotonic(), self._cache.read(self._external_edits)
        if cached is None:
            return None
        if cached.seq == self.store.seq():
            return self._unchanged(cached, begun)
        seq, stored = self.store.newer(cached.seq, cached.records)
        if public(stored) is not stored:
            self._cache.discard()
            return None
        disclosure, snapshot_of = self._disclosed(stored), self._snapshots_at(seq)
        served = disclosure.records
        update = SnapshotUpdate(cached, snapshot_of(served))
        if update.touched is None:
            return None
        everything = update.after if served is stored else snapshot_of(stored)
        return self._version(update.after, everything, stored, disclosure, begun)

    def _disclosed(self, stored: Records, before: ServedVersion | None = None) -> Disclosure:
        """What is published of stored records now; what a version before has alike is not judged again."""
        return disclose(stored, self._settings.policy, datetime.now(UTC), before.disclosure if before else None)

    def _unchanged(self, cached: Snapshot, begun: float) -> ServedVersion:
        """The version of a snapshot from the cache; the records in it are those of the store, all of them published."""
        return self._version(cached, cached, cached.records, self._disclosed(cached.records), begun)

    def _computed_and_cached(self) -> ServedVersion:
        log.info("finding what follows from the store, to be kept beside it; the next start will be quicker")
        begun = time.monotonic()
        view = self._computed()
        is_cacheable = view.snapshot.records is view.stored
        cached = self._cache.write(view.snapshot, self._external_edits) if is_cacheable else None
        if cached is not None:
            return self._unchanged(cached, begun)
        self._not_before = view.snapshot.seq + _AFTER
        return view

    def _computed(self) -> ServedVersion:
        """The newest version computed from all records."""
        begun = time.monotonic()
        seq, stored = self.store.version(packed=True)
        disclosure = self._disclosed(stored)
        snapshots = _snapshots(stored, disclosure.records, self._snapshots_at(seq))
        return self._version(*snapshots, stored, disclosure, begun)

    def _snapshots_at(self, seq: int) -> Callable[[Records], Snapshot]:
        """Gives the snapshot of records of a version, from which nothing was computed yet."""
        return partial(_snapshot, self.basemap, self._settings, seq, data_date(self.store, seq))

    def _newest(self, view: ServedVersion) -> ServedVersion:
        """The newest version, computed from a version, the change feed of the store and the embargoes that ended."""
        if view.snapshot.seq == self.store.seq() and not view.is_outdated(datetime.now(UTC)):
            return view
        begun = time.monotonic()
        seq, stored = self.store.newer(view.snapshot.seq, view.stored)
        return self._updated(view, stored, self._snapshots_at(seq), None, begun)

    def _adopted(self, view: ServedVersion) -> ServedVersion:
        """The version that a write of this process computed, if it computed it from this one."""
        following, self._next = self._next, None
        if following is None or following.base is not view:
            return view
        begun, newer = time.monotonic(), following.update.newer
        if newer.seq <= view.snapshot.seq or newer.data_date != data_date(self.store, newer.seq):
            return view
        return self._updated(view, following.stored, self._snapshots_at(newer.seq), following.update, begun)

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
        served = disclosure.records
        if served is stored and view.snapshot is view.with_private:
            update = update or SnapshotUpdate(view.snapshot, snapshot_of(stored))
            return self._version(update.after, update.after, stored, disclosure, begun)
        snapshot = SnapshotUpdate(view.snapshot, snapshot_of(served)).after
        if served is stored:
            return self._version(snapshot, snapshot, stored, disclosure, begun)
        update = update or SnapshotUpdate(view.with_private, snapshot_of(stored))
        return self._version(snapshot, update.unanswered, stored, disclosure, begun)

    def _version(
        self, snapshot: Snapshot, everything: Snapshot, stored: Records, disclosure: Disclosure, begun: float
    ) -> ServedVersion:
        _ready_to_serve(snapshot)
        seq = snapshot.seq
        changed = last_change(self.store, seq) or datetime(*snapshot.data_date.timetuple()[:3], tzinfo=UTC)
        if disclosure.last_due is not None:
            changed = max(changed, disclosure.last_due)
        version = f"{seq}-{changed:%Y%m%dT%H%M%S.%f}-{_digest(snapshot)}-{self._program}"
        tiles = TileCache(self._settings.tiles_kept, self.counts)
        return ServedVersion(
            snapshot, everything, stored, disclosure, tiles, version, changed, time.time(), time.monotonic() - begun
        )

    def refresh(self) -> bool:
        """Build a newer version beside the current one and swap it in; whether there was one."""
        with self._building:
            edited = self._has_unrecorded_edits()
            is_outdated = self.view.is_outdated(datetime.now(UTC))
            if self.store.seq() == self.view.snapshot.seq and not edited and not is_outdated:
                self.fault = self._behind_since = self._next = None
                return False
            self._behind_since = self._behind_since or time.monotonic()
            self.view = self._first() if edited else self._newest(self._adopted(self.view))
            self.fault = self._behind_since = None
            return True

    def _has_unrecorded_edits(self) -> bool:
        """Have history tell of edits of other programs; whether there are new ones of which it cannot.

        That is so where the file cannot be written: all is then computed anew.
        """
        if last := self.store.last_external_edit():
            at = datetime.now(UTC)
            self._record_external_edits(at, self._computing_next(at))
            last = self.store.last_external_edit()
        if not last:
            self._external_edits = 0
        return last != self._external_edits

    def _record_external_edits(self, at: datetime, updating: AbstractContextManager[DerivedUpdate]) -> None:
        """Have history tell of edits of other programs, if it can be written, and the derived layers follow.

        Raises
        ------
        StoreBusy
            If another program is writing.
        """
        try:
            with updating as derived:
                self.store.record_external_edits(at=at, derived=derived)
        except StoreBusy:
            raise
        except StoreError:
            # Of a record that is not valid nothing is derived; that it is so is history all the same.
            with suppress(StoreError):
                self.store.record_external_edits(at=at)

    def _renewed_whole(self) -> DerivedUpdate:
        """The derived layers of all records, whatever was served before."""
        return DerivedUpdate(0, Records.of({}), full_rewrite(self.basemap, text), lambda _seq, _records: None)

    def behind_s(self) -> float:
        """For how many seconds there has been a change that is not served."""
        since = self._behind_since
        return 0.0 if since is None else time.monotonic() - since

    def warm(self) -> None:
        """Compute ahead what the first tiles and the first edit would wait for, of a snapshot from the cache."""
        if self._cache.is_large():
            self._precompute(self.view.snapshot)

    def _precompute(self, snapshot: Snapshot) -> None:
        _ready_to_draw(snapshot)
        _ = snapshot.asset_index, snapshot.registers
        for zoom in range(_ZOOMS):
            for collection in snapshot.collections.values():
                if self._ended:
                    return
                collection.layer.precompute(zoom)
        _trim_memory()

    def rebuild_cache(self, after: int = 1, wait: bool = True) -> bool:
        """Write the version that is served to the cache, and serve from that; whether that was done.

        Not where the files under it were written fewer than ``after`` changes ago, where nothing can be written, and,
        without ``wait``, while another process writes. Takes half a minute for a million strikes, while the version
        before is served, and changes are shown.
        """
        view, external_edits = self.view, self._external_edits
        snapshot, files = view.snapshot, view.snapshot.backing_files
        if snapshot.seq < self._not_before or (files is not None and snapshot.seq - files.metadata("seq") < after):
            return False
        if snapshot.records is not view.stored or not self._cache.is_large():
            if snapshot is not view.with_private:
                self._cache.discard()
            self._not_before = snapshot.seq + after
            return False
        with self._cache.exclusive_lock(wait) as is_free:
            if not is_free:
                return False
            self._not_before = snapshot.seq + after
            cached = self._cache.read(external_edits)
            if cached is None or snapshot.seq - cached.seq >= after:  # or else another worker wrote it meanwhile
                cached = self._cache.write(snapshot, external_edits, lambda: self._ended)
        if cached is None:
            return False
        self._not_before = 0
        return self._serve_from(cached, external_edits)

    def _serve_from(self, cached: Snapshot, external_edits: int) -> bool:
        """Swap in a snapshot from the cache with the changes since; the version before is served until it is ready."""
        view = self._unchanged(with_shared_stages(self.view.snapshot, cached), time.monotonic())
        for _ in range(2):  # few changes come while the first is made ready
            for version in (self.view, view):
                version.snapshot.release_pages()  # or the files of both would be in memory
            view = self._newest(view)
            self._precompute(view.snapshot)
        with self._building:  # which changes to be shown wait for
            if self._external_edits != external_edits:
                return False
            self.view = self._newest(view)
            return True

    async def watch(self, every_s: float) -> None:
        """Look for changes for as long as the server runs."""
        beside = asyncio.create_task(asyncio.to_thread(self.warm))
        try:
            while True:
                await asyncio.sleep(every_s)
                await asyncio.to_thread(self.look)
                if beside.done():
                    beside = asyncio.create_task(asyncio.to_thread(self._update_cache))
        finally:
            self._ended = True
            await beside

    def look(self) -> bool:
        """Serve the newest version; whether it could be read. A failure is logged, and the version before served on."""
        try:
            if self.refresh():
                log.info("serving change %d", self.view.snapshot.seq)
            return True
        except StoreError as error:
            self._failed(f"the store could not be read again: {error}")
        except Exception as error:
            self._failed(f"a change could not be shown, the version before is served on: {error!r}")
        return False

    def _update_cache(self) -> None:
        try:
            if self.rebuild_cache(_AFTER, wait=False):
                _trim_memory()
                log.info("what follows from the store was kept anew")
        except Exception as error:
            log.exception("what follows from the store could not be kept anew: %r", error)

    def _failed(self, fault: str) -> None:
        """Log an error once: the next look fails as well."""
        if fault != self.fault:
            log.error(fault, exc_info=True)
        self.fault = fault


def _trim_memory() -> None:
    """Give free memory back to the system, of which the C library of Linux keeps much."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _digest(snapshot: Snapshot) -> str:
    """A digest of all features: edits of other programs and another base map have no change number."""
    digests = ",".join(f"{name} {collection.digest:x}" for name, collection in snapshot.collections.items())
    return hashlib.blake2b(digests.encode(), digest_size=6).hexdigest()
