"""The snapshot that a server answers from, swapped for a newer one when the store has changed."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import logging
import sys
import threading
import time
from datetime import UTC, date, datetime
from functools import cached_property

from api.requests.query_parameters import ORDERS
from api.server.build_id import sources
from api.server.served_version import Counts, Tiles, View
from api.settings import Settings
from geo.tiles.mvt import Layer
from geo.tiles.tile_matrix import DEGREES
from layers.model.records import Records
from layers.query.keyset_cursor import keyed
from layers.query.selection import Selection, rows
from layers.reference import basemap
from layers.snapshot.derived_layers import renewal
from layers.snapshot.incremental import renewed, take_over, touched_alone
from layers.snapshot.public_records import public
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import Keeping
from layers.store.store import Renewal, Store, StoreError

#: Zooms whose tiles are made ready ahead.
_ZOOMS = 15

#: After so many changes what is kept is kept anew: to catch up with fewer a start takes a second or two.
_AFTER = 200

log = logging.getLogger(__name__)


def snapshots_of(store: Store, base: basemap.Basemap, settings: Settings) -> tuple[Snapshot, Snapshot]:
    """The newest version of what a store holds: as it is served, every layer of it built, and with what is private."""
    seq, records = store.version(packed=True)
    return _snapshots(base, seq, records, data_date(store, seq), settings, None)


def _snapshots(
    base: basemap.Basemap, seq: int, records: Records, day: date, settings: Settings, before: Snapshot | None
) -> tuple[Snapshot, Snapshot]:
    """The same of records that were read already; what has not changed is taken over from the view ``before``."""
    served = public(records)

    def view(known: Records) -> Snapshot:
        return Snapshot.of(known, base, seq, day, settings.publish_from, settings.show_from)

    snapshot = view(served) if before is None else renewed(before, view(served))
    _ready_to_serve(snapshot)
    if before is None:
        _ready_to_draw(snapshot)
    return snapshot, snapshot if served is records else view(records)


def _ready_to_serve(snapshot: Snapshot) -> None:
    """Make ahead what the first page would wait for: features, and their order."""
    for collection in snapshot.collections.values():
        _ = collection.fragments, collection.rows_by_id
        rows(collection, keyed(Selection(order=ORDERS.get(collection.name, ()))))


def _ready_to_draw(snapshot: Snapshot) -> None:
    """Make ahead what the first tile and the first box would wait for."""
    for collection in snapshot.collections.values():
        _ = collection.layer
        collection.mask((0.0, 0.0, 0.0, 0.0), date.min, date.max)


def data_date(store: Store, seq: int) -> date:
    """Day of the last change; today for an empty store."""
    at = last_change(store, seq)
    return at.date() if at else date.today()


def last_change(store: Store, seq: int) -> datetime | None:
    """When change ``seq`` was made, in UTC; ``None`` for an empty store."""
    last = next(iter(store.revisions(seq - 1)), None)
    return datetime.fromisoformat(last.at) if last else None


class Atlas:
    """The current view. A request takes it once and keeps to it; nothing in it changes."""

    def __init__(self, store: Store, settings: Settings, program: str) -> None:
        """Read the newest version."""
        self.store = store
        self._program = program
        self._building = threading.Lock()
        self._settings = settings
        self.basemap = basemap.read(settings.basemap)
        self.base_layers = self.basemap.layers()
        #: Tiles of all versions so far.
        self.counts = Counts()
        self.base_tiles = Tiles(settings.tiles_kept, self.counts)
        self.base_version = f"base-{program}-{settings.basemap.stat().st_mtime_ns:x}"
        #: Why the newest version cannot be shown; ``None`` if it can.
        self.fault: str | None = None
        self._behind_since: float | None = None
        self._ended = False
        #: The version from which on it is tried again to keep what could not be kept.
        self._not_before = 0
        self._keeping = Keeping(
            store=store,
            basemap=settings.basemap,
            base=self.basemap,
            # What is answered of it may change without what is kept.
            program=sources("geo", "layers").hex(),
            publish_from=settings.publish_from,
            show_from=settings.show_from,
            least=settings.keep_from,
        )
        store.count_edits()
        self.view = self._first()

    @cached_property
    def ground_in_degrees(self) -> tuple[Layer, ...]:
        """Countries and boundaries on the plane of equal degrees, made when they are first asked for."""
        return self.basemap.ground(DEGREES)

    def _first(self) -> View:
        """The newest version; of a large store from what is kept of it or of one before, or else it is kept."""
        self._others = self.store.edited_by_others()
        if not self._keeping.is_worth_it():
            return self._newest(None)
        near = self._near()
        if near is not None:
            return near
        with self._keeping.alone():
            # Another worker may have made it meanwhile.
            return self._near() or self._found()

    def _near(self) -> View | None:
        """The newest version from what was kept, unless so much was changed since that all is better found anew."""
        begun, known = time.monotonic(), self._keeping.read(self._others)
        if known is None:
            return None
        if known.seq == self.store.seq():
            return self._read(known, begun)
        seq, stored = self.store.newer(known.seq, known.records)
        now = Snapshot.of(public(stored), self.basemap, seq, data_date(self.store, seq))
        return None if touched_alone(known, now) is None else self._made(seq, stored, known, begun)

    def _read(self, known: Snapshot, begun: float) -> View:
        """What was kept of the newest version."""
        _ready_to_serve(known)
        return self._view(known, known, known.records, begun)

    def _found(self) -> View:
        """The newest version, found anew and kept."""
        log.info("finding what follows from the store, to be kept beside it; the next start will be quicker")
        begun = time.monotonic()
        made = self._newest(None)
        known = self._keeping.write(made.snapshot, self._others) if made.snapshot.records is made.stored else None
        if known is not None:
            return self._read(known, begun)
        self._not_before = made.snapshot.seq + _AFTER
        return made

    def _newest(self, known: View | None) -> View:
        begun = time.monotonic()
        if known is None:
            return self._made(*self.store.version(packed=True), None, begun)
        return self._made(*self.store.newer(known.snapshot.seq, known.stored), known.snapshot, begun)

    def _made(self, seq: int, stored: Records, before: Snapshot | None, begun: float) -> View:
        snapshot, everything = _snapshots(self.basemap, seq, stored, data_date(self.store, seq), self._settings, before)
        return self._view(snapshot, everything, stored, begun)

    def _view(self, snapshot: Snapshot, everything: Snapshot, stored: Records, begun: float) -> View:
        seq = snapshot.seq
        changed = last_change(self.store, seq) or datetime(*snapshot.data_date.timetuple()[:3], tzinfo=UTC)
        version = f"{seq}-{changed:%Y%m%dT%H%M%S.%f}-{_digest(snapshot)}-{self._program}"
        tiles = Tiles(self._settings.tiles_kept, self.counts)
        return View(snapshot, everything, stored, tiles, version, changed, time.time(), time.monotonic() - begun)

    def refresh(self) -> bool:
        """Build a newer view beside the current one and swap it in; whether there was one."""
        with self._building:
            edited = self.store.edited_by_others() != self._others
            if self.store.seq() == self.view.snapshot.seq and not edited:
                self.fault = self._behind_since = None
                return False
            self._behind_since = self._behind_since or time.monotonic()
            self.view = self._first() if edited else self._newest(self.view)
            self.fault = self._behind_since = None
            return True

    def renewal(self) -> Renewal:
        """How an edit of the store renews the layers that are kept in it, from the version that is served."""
        view = self.view
        return renewal(view.everything, view.stored)

    def behind_s(self) -> float:
        """For how many seconds there has been a change that is not served."""
        since = self._behind_since
        return 0.0 if since is None else time.monotonic() - since

    def make_ready(self) -> None:
        """Make ahead what the first tiles and the first edit would wait for, of a view that was read."""
        if self._keeping.is_worth_it():
            self._make_ready(self.view.snapshot)

    def _make_ready(self, snapshot: Snapshot) -> None:
        _ready_to_draw(snapshot)
        _ = snapshot.asset_index, snapshot.registers
        for zoom in range(_ZOOMS):
            for collection in snapshot.collections.values():
                if self._ended:
                    return
                collection.layer.make_ready(zoom)
        _give_back()

    def keep(self, after: int = 1, wait: bool = True) -> bool:
        """Keep the version that is served, and serve from that; whether that was done.

        Not where what it lies on was kept fewer than ``after`` changes ago, where nothing can be kept, and, unless it
        shall ``wait``, while another process is at it. Takes half a minute for a million strikes, while the version
        before is served, and changes are shown.
        """
        view, others = self.view, self._others
        snapshot, kept = view.snapshot, view.snapshot.lies_on
        if snapshot.seq < self._not_before or (kept is not None and snapshot.seq - kept.told("seq") < after):
            return False
        if snapshot.records is not view.stored or not self._keeping.is_worth_it():
            self._not_before = snapshot.seq + after
            return False
        with self._keeping.alone(wait) as is_free:
            if not is_free:
                return False
            self._not_before = snapshot.seq + after
            known = self._keeping.read(others)
            if known is None or snapshot.seq - known.seq >= after:  # or else another worker kept it meanwhile
                known = self._keeping.write(snapshot, others, lambda: self._ended)
        if known is None:
            return False
        self._not_before = 0
        return self._serve_from(known, others)

    def _serve_from(self, known: Snapshot, others: int | None) -> bool:
        """Swap in what was kept, and what was changed since; while it is made ready the version before is served."""
        take_over(self.view.snapshot, known)
        view = self._read(known, time.monotonic())
        for _ in range(2):  # what came while the first was made ready is little
            for one in (self.view, view):
                one.snapshot.let_go()  # or the files of both would be in memory
            view = self._caught_up(view)
            self._make_ready(view.snapshot)
        with self._building:  # which changes to be shown wait for
            if self._others != others:
                return False
            self.view = self._caught_up(view)
            return True

    def _caught_up(self, view: View) -> View:
        return view if view.snapshot.seq == self.store.seq() else self._newest(view)

    async def follow(self, every_s: float) -> None:
        """Look for changes for as long as the server runs."""
        beside = asyncio.create_task(asyncio.to_thread(self.make_ready))
        try:
            while True:
                await asyncio.sleep(every_s)
                await asyncio.to_thread(self._look)
                if beside.done():
                    beside = asyncio.create_task(asyncio.to_thread(self._keep_up))
        finally:
            self._ended = True
            await beside

    def _look(self) -> None:
        try:
            if self.refresh():
                log.info("serving change %d", self.view.snapshot.seq)
        except StoreError as error:
            self._failed(f"the store could not be read again: {error}")
        except Exception as error:
            self._failed(f"a change could not be shown, the version before is served on: {error!r}")

    def _keep_up(self) -> None:
        try:
            if self.keep(_AFTER, wait=False):
                _give_back()
                log.info("what follows from the store was kept anew")
        except Exception as error:
            log.exception("what follows from the store could not be kept anew: %r", error)

    def _failed(self, fault: str) -> None:
        """Say what is wrong, once: the next look fails as well."""
        if fault != self.fault:
            log.error(fault, exc_info=True)
        self.fault = fault


def _give_back() -> None:
    """Give memory that nothing needs any more back to the system, of which the C library of Linux keeps much."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _digest(snapshot: Snapshot) -> str:
    """A digest of all features: what other programs changed in the store, or another base map, has no number."""
    told = ",".join(f"{name} {one.digest:x}" for name, one in snapshot.collections.items())
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
