"""The snapshot that a server answers from, swapped for a newer one when the store has changed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime

from api.settings import Settings
from layers import basemap
from layers.publishing import public
from layers.snapshot import Snapshot
from layers.store import Store, StoreError

log = logging.getLogger(__name__)


def snapshots_of(store: Store, base: basemap.Basemap, settings: Settings) -> tuple[Snapshot, Snapshot]:
    """The newest version of what a store holds: as it is served, every layer of it built, and with what is private."""
    seq, records = store.version()
    day = data_date(store, seq)
    served = public(records)
    snapshot, everything = (
        Snapshot.of(known, base, seq, day, settings.publish_from, settings.show_from) for known in (served, records)
    )
    for collection in snapshot.collections.values():
        _ = collection.fragments, collection.layer
    return snapshot, snapshot if served is records else everything


def data_date(store: Store, seq: int) -> date:
    """Day of the last change; today for an empty store."""
    at = last_change(store, seq)
    return at.date() if at else date.today()


def last_change(store: Store, seq: int) -> datetime | None:
    """When change ``seq`` was made, in UTC; ``None`` for an empty store."""
    last = next(iter(store.revisions(seq - 1)), None)
    return datetime.fromisoformat(last.at) if last else None


class Tiles:
    """Encoded tiles of one version of the data, the least used dropped first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """A tile, or ``None`` if it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: tuple[object, ...], tile: bytes) -> None:
        """Keep a tile."""
        self._kept[key] = tile
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


@dataclass(frozen=True, eq=False)
class View:
    """One version of the data and the tiles made from it."""

    snapshot: Snapshot
    #: The same with the private records, for reviewers alone.
    everything: Snapshot
    tiles: Tiles
    #: Entity tag of everything made from this version. Weak: the same may be zipped or bear another time stamp.
    etag: str


class Atlas:
    """The current view. A request takes it once and keeps to it; nothing in it changes."""

    def __init__(self, store: Store, settings: Settings, program: str) -> None:
        self.store = store
        self._program = program
        self._building = threading.Lock()
        self._settings = settings
        self.basemap = basemap.read(settings.basemap)
        self.base_layers = self.basemap.layers()
        self.base_tiles = Tiles(settings.tiles_kept)
        self.base_etag = f'W/"base-{program}-{settings.basemap.stat().st_mtime_ns:x}"'
        self.view = self._newest()

    def _newest(self) -> View:
        settings = self._settings
        snapshot, everything = snapshots_of(self.store, self.basemap, settings)
        at = last_change(self.store, snapshot.seq)
        stamp = f"{at:%Y%m%dT%H%M%S.%f}" if at else "empty"
        # Other thresholds make other answers of the same data.
        made_by = f"{self._program}-{settings.publish_from:g}-{settings.show_from:g}"
        return View(snapshot, everything, Tiles(settings.tiles_kept), f'W/"{snapshot.seq}-{stamp}-{made_by}"')

    def refresh(self) -> bool:
        """Build a newer view beside the current one and swap it in; whether there was one."""
        with self._building:
            if self.store.seq() == self.view.snapshot.seq:
                return False
            self.view = self._newest()
            return True

    async def follow(self, every_s: float) -> None:
        """Look for changes for as long as the server runs."""
        while True:
            await asyncio.sleep(every_s)
            try:
                if await asyncio.to_thread(self.refresh):
                    log.info("serving change %d", self.view.snapshot.seq)
            except StoreError as error:
                log.error("the store could not be read again: %s", error)
            except Exception:
                log.exception("change %d could not be shown; the version before is served on", self.store.seq())
