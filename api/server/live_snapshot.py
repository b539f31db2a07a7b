"""The snapshot that a server answers from, swapped for a newer one when the store has changed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property

from api.server.served_version import ServedVersion, TileCache
from api.server.version_builder import (
    NextVersion,
    VersionBuilder,
    cache_of,
    ready_to_draw,
    ready_to_edit,
    ready_to_list,
)
from api.settings import Settings, require_policy
from api.wording.catalogue import text
from geo.tiles import mvt
from geo.tiles.tile_layer import TileLayer
from geo.tiles.tile_matrix import DEGREES, Tile
from layers.corrections.log import CorrectionsLog
from layers.disclosure.policy import Policy
from layers.model.garbage import trim_memory
from layers.model.messages import Message
from layers.model.records import Record, Records
from layers.reference import basemap
from layers.reference.basemap_archive import BasemapArchive
from layers.snapshot.derived_layers import full_rewrite, incremental_rewrite
from layers.snapshot.disclosure import policy_of, withdraws
from layers.snapshot.incremental import SnapshotUpdate, with_shared_stages
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import CachedVersion
from layers.store.clock import clock_remark
from layers.store.idempotency import KeyedRequest
from layers.store.store import DerivedUpdate, Edit, ExpectedLatest, Store, StoreBusy, StoreError

#: Zooms whose tile geometry is computed ahead.
_ZOOMS = 15

#: From so many strikes and assets on the first start writes the cache before it serves from it, to take less memory,
#: and what first requests would wait for is computed ahead.
LARGE = 20_000

#: After so many changes the cache is written anew: to catch up with fewer, a start takes a second or two.
_AFTER = 200

#: How long a thread waits for a change that a store announces, and after how long it is looked without one, in seconds.
_TURN_S, _LOOK_EVERY_S = 1.0, 10.0

log = logging.getLogger(__name__)


class SnapshotNotCached(StoreError):
    """What follows from a store is not what may be cached, or nothing may be written beside it."""

    def __init__(self) -> None:
        super().__init__(
            "nothing can be cached: there are records that are private or that the policy withholds, or nothing can be "
            "written beside the store"
        )


class LiveSnapshot:
    """The version that is served. A request reads `view` once and answers from that; nothing in it changes."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        program: str,
        *,
        must_cache: bool = False,
        loaded: CachedVersion | None = None,
    ) -> None:
        """Read the newest version; ``loaded`` is as in `VersionBuilder`.

        With ``must_cache`` the version is there to be cached: where it cannot be, it is not computed to be served.

        Raises `SnapshotNotCached` or `OSError` if a version that must be cached may not be, or cannot be written, such
        as on a full disk; `PolicyDiffers` or `ProblemsError` if a file states another policy than the store has, or
        either policy has faults.
        """
        require_policy(policy_of(store), settings.policy_file)
        self.store = store
        self._must_cache = must_cache
        self._building = threading.Lock()
        self.basemap = basemap.read(settings.basemap)
        self._versions = VersionBuilder(store, self.basemap, settings, program, loaded)
        #: Tiles of all versions so far.
        self.counts = self._versions.counts
        self.base_tiles = TileCache(settings.tiles_cached, self.counts)
        #: The archive whose tiles the web map draws, ``None`` where none was built: it then draws `base_layers`.
        self.base_archive = _archive(settings)
        drawn = settings.basemap if self.base_archive is None else self.base_archive.path
        changed = max(settings.basemap.stat().st_mtime_ns, drawn.stat().st_mtime_ns)
        self.base_version = f"base-{program}-{changed:x}-{drawn.stat().st_size:x}"
        #: Why the newest version cannot be shown; ``None`` if it can.
        self.fault: str | None = None
        self._behind_since: float | None = None
        self._ended = False
        self._next: NextVersion | None = None
        #: The version from which on it is tried again to write what could not be written.
        self._not_before = 0
        self._cache = cache_of(store, self.basemap, settings)
        with suppress(StoreBusy):
            # The derived layers of all records, whatever was served before.
            rewrite = full_rewrite(self.basemap, text, store.open_layer)
            whole = DerivedUpdate(0, Records.of({}), rewrite, lambda *_: None)
            self._record_external_edits(datetime.now(UTC), nullcontext(whole))
        #: What was published and was changed since.
        self.corrections = CorrectionsLog(store)
        self.view = self._first()
        #: Whether the version that is served has what the store withholds by now: nobody is answered from it.
        self.is_withdrawn = False
        self._versions.announce = self._compare_disclosure
        # What was needed to compute it is not needed to serve it.
        trim_memory()

    @property
    def base_layers(self) -> tuple[TileLayer, ...]:
        """The layers of the base map, built when they are first read: beside an archive only pictures show them."""
        return self.basemap.layers

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
        view, computed = self.view, list[NextVersion]()

        def take(update: SnapshotUpdate, stored: Records) -> None:
            computed.append(NextVersion(view, stored, update))

        day, times = at.astimezone(UTC).date(), self._versions.times_within(view)
        yield incremental_rewrite(view.with_private, view.stored, day, take, times, self.store.open_layer)
        following = self._next
        if computed and (following is None or following.base is not view or following.seq < computed[-1].seq):
            self._next = computed[-1]

    def _first(self) -> ServedVersion:
        """The newest version, read from the cache, or else computed and, of a large store, written there.

        Of others it is written beside serving, as after many changes: see `watch`.
        """
        self._external_edits = edits = self.store.last_external_edit()
        if (cached := self._versions.cached(self._cache, edits)) is not None:
            return cached
        if not (self._cache.is_used() and (self._must_cache or self._is_large())):
            return self._versions.from_all_records()
        with self._cache.exclusive_lock():
            # Another worker may have written it meanwhile.
            return self._versions.cached(self._cache, edits) or self._computed_and_cached()

    def _is_large(self) -> bool:
        return self.store.open_layer is not None or self.store.count("strikes", "assets") >= LARGE

    def _computed_and_cached(self) -> ServedVersion:
        begun = time.monotonic()
        published = self._versions.uncomputed()
        snapshot = published.snapshot
        is_all_public = published.disclosure.records is published.stored
        is_cacheable = is_all_public and self._cache.is_writable
        outlook = ", to be cached beside it; the next start will be quicker" if is_cacheable else ""
        log.info("finding what follows from the store%s", outlook)
        # Nothing is computed before it is written, as what is written last need not be in memory beside the rest.
        version = CachedVersion(snapshot, published.stored)
        cached = self._cached(version, self._external_edits) if is_all_public else None
        if cached is not None:
            return self._versions.from_cache(cached, begun)
        if self._must_cache:
            raise SnapshotNotCached
        self._not_before = snapshot.seq + _AFTER
        return self._versions.computed(published, begun)

    def _cached(self, version: CachedVersion, external_edits: int) -> CachedVersion | None:
        """A version written to the cache and read again; ``None`` where that cannot be done and need not be."""
        try:
            is_written = self._cache.write(version, external_edits, lambda: self._ended)
            return self._cache.read(external_edits) if is_written else None
        except OSError as error:
            if self._must_cache:
                raise
            log.warning("what follows from the store is not cached, and is computed again at each start: %s", error)
            return None

    def refresh(self) -> bool:
        """Build a newer version beside the current one and swap it in; whether there was one."""
        with self._building:
            edited = self._has_unrecorded_edits()
            is_outdated = self.view.is_outdated(datetime.now(UTC))
            if self.store.seq() == self.view.snapshot.seq and not edited and not is_outdated:
                self.fault = self._behind_since = self._next = None
                self.is_withdrawn = False
                return False
            self._behind_since = self._behind_since or time.monotonic()
            computed, self._next = self._next, None
            self.view = self._first() if edited else self._versions.newest(self._versions.adopted(self.view, computed))
            self.fault = self._behind_since = None
            self.is_withdrawn = False
            return True

    def _compare_disclosure(self, stored: Records, policy: Policy) -> None:
        """Before a version is computed, which may take seconds, have the one that is served withdrawn if it must be."""
        self.is_withdrawn = self.is_withdrawn or withdraws(stored, policy, self.view.disclosure)

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

        Raises `StoreBusy` if another program is writing.
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

    def behind_s(self) -> float:
        """For how many seconds there has been a change that is not served, or may have been as there was a fault."""
        since = self._behind_since
        return 0.0 if since is None else time.monotonic() - since

    def warm(self) -> None:
        """Compute ahead what the first counts, tiles and edit of a large store would wait for."""
        if self._is_large():
            self._precompute(self.view.snapshot)

    def _precompute(self, snapshot: Snapshot) -> None:
        ready_to_list(snapshot)
        ready_to_draw(snapshot)
        ready_to_edit(snapshot)
        for zoom in range(_ZOOMS):
            for collection in snapshot.layers.values():
                if self._ended:
                    return
                collection.layer.precompute(zoom)
        for collection in snapshot.layers.values():
            if self._ended:
                return
            # Values are encoded by the first tile that shows them, and what it reads of files is in memory then.
            mvt.encode(collection.layer, Tile(0, 0, 0))
        trim_memory()
        snapshot.release_pages()  # of files that were read through; the system has them still

    def rebuild_cache(self, after: int = 1, wait: bool = True) -> bool:
        """Write the version that is served to the cache, and serve from that; whether that was done.

        Not where the files under it were written fewer than ``after`` changes ago, where nothing can be written, and,
        without ``wait``, while another process writes. Takes half a minute for a million strikes, while the version
        before is served, and changes are shown.

        Raises `OSError` if a version that must be cached cannot be written.
        """
        view, external_edits = self.view, self._external_edits
        snapshot, files = view.snapshot, view.snapshot.backing_files
        if snapshot.seq < self._not_before or (files is not None and snapshot.seq - files.metadata("seq") < after):
            return False
        if view.disclosure.records is not view.stored or not self._cache.is_used():
            if snapshot is not view.with_private:
                self._cache.discard()
            self._not_before = snapshot.seq + after
            return False
        with self._cache.exclusive_lock(wait) as is_free:
            if not is_free:
                return False
            self._not_before = snapshot.seq + after
            cached = self._cache.read(external_edits)
            # Of what was computed anew no older files hold anything; or else another worker wrote it meanwhile.
            if cached is None or snapshot.seq - cached.snapshot.seq >= (1 if files is None else after):
                cached = self._cached(CachedVersion(snapshot, view.stored), external_edits)
        if cached is None:
            return False
        self._not_before = 0
        return self._serve_from(cached, external_edits)

    def _serve_from(self, cached: CachedVersion, external_edits: int) -> bool:
        """Swap in a snapshot from the cache with the changes since; the version before is served until it is ready."""
        shared = replace(cached, snapshot=with_shared_stages(self.view.snapshot, cached.snapshot))
        view = self._versions.from_cache(shared, time.monotonic())
        for _ in range(2):  # few changes come while the first is made ready
            for version in (self.view, view):
                version.snapshot.release_pages()  # or the files of both would be in memory
            view = self._versions.newest(view)
            if self._is_large():
                self._precompute(view.snapshot)
        with self._building:  # which changes to be shown wait for
            if self._external_edits != external_edits:
                return False
            self.view = self._versions.newest(view)
            return True

    async def _changed(self, every_s: float) -> None:
        """Return when it is time to look: where the store announces changes after one, or else after some seconds.

        It is looked now and then all the same, for the day that begins and announcements that are lost.
        """
        if not self.store.announces:
            await asyncio.sleep(every_s)
            return
        until = time.monotonic() + _LOOK_EVERY_S
        while time.monotonic() < until:
            # In short turns, as nothing ends a thread that waits.
            if (is_changed := await asyncio.to_thread(self.store.wait, _TURN_S)) is None:
                await asyncio.sleep(every_s)
            if is_changed is not False:
                return

    async def watch(self, every_s: float) -> None:
        """Look for changes for as long as the server runs."""
        beside = asyncio.create_task(asyncio.to_thread(self.warm))
        try:
            while True:
                await self._changed(every_s)
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

    def end(self) -> None:
        """Close the store, whose log is then folded into it; a look at it ends first, if that takes a few seconds."""
        if self._building.acquire(timeout=5):
            self._building.release()
        self.store.close()

    def _update_cache(self) -> None:
        try:
            if self.rebuild_cache(_AFTER, wait=False):
                trim_memory()
                log.info("what follows from the store was cached anew")
        except Exception as error:
            log.exception("what follows from the store could not be cached anew: %r", error)

    def _failed(self, fault: str) -> None:
        """Log an error once: the next look fails as well. Whether there are changes is not known since."""
        self._behind_since = self._behind_since or time.monotonic()
        if fault != self.fault:
            log.error(fault, exc_info=True)
        self.fault = fault


def _archive(settings: Settings) -> BasemapArchive | None:
    """Open the archive of the base map that is given, or that lies beside the base map where there is one.

    Raises `UnreadableArchive` if an archive that is given is not there, or either is no archive of vector tiles.
    """
    path = settings.basemap_archive
    return BasemapArchive(path) if path is not None else BasemapArchive.beside(settings.basemap)
