"""One version of the data as it is served, with the tiles that were made of it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from layers.model.cache import LruCache
from layers.model.records import Records
from layers.snapshot.snapshot import Snapshot
from layers.store.row_mapping import TABLES, version_of


@dataclass(slots=True)
class Counts:
    """How many tiles were kept from before when they were asked for, and how many had to be made."""

    kept: int = 0
    made: int = 0


class Tiles:
    """Encoded tiles of one version of the data, the least used dropped first."""

    def __init__(self, most: int, counts: Counts) -> None:
        self._most = most
        self._counts = counts
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """A tile, or ``None`` if it is not kept."""
        found = self._kept.get(key)
        if found is None:
            self._counts.made += 1
        else:
            self._counts.kept += 1
            self._kept.move_to_end(key)
        return found

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
    #: The records as they are in the store, private ones too, of which writers name the version that they saw.
    stored: Records
    tiles: Tiles
    #: Name of this version of data and program, of which entity tags are made: the same name, the same bytes.
    version: str
    #: When the data was changed last, in UTC; the start of the day for an empty store. The same in every worker.
    changed: datetime
    #: When this was built (Unix time), and how many seconds it took.
    built: float
    build_s: float

    def version_of_strike(self, strike: str) -> str:
        """Name of the version of the record of a strike; the last ones asked for are kept.

        Raises
        ------
        KeyError
            If the store has no such strike.
        """
        return self._named.get(strike, lambda: version_of(TABLES["strikes"].plain(self.stored.strikes[strike])))

    @cached_property
    def _named(self) -> LruCache[str]:
        return LruCache(4096)
