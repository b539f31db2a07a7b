"""One version of the data as it is served, with its encoded tiles."""

from __future__ import annotations

from collections.abc import Hashable, Sized
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from layers.corrections.log import PublishedVersion
from layers.model.cache import LruCache
from layers.model.records import Record, Records
from layers.snapshot.disclosure import Disclosure
from layers.snapshot.snapshot import Snapshot
from layers.store.history_chain import Head
from layers.store.row_mapping import TABLES

T = TypeVar("T", bound=Sized)


@dataclass(slots=True)
class CacheStats:
    """Number of requested tiles that were cached, and of those that had to be encoded."""

    hits: int = 0
    misses: int = 0


class TileCache:
    """Encoded tiles of one version of the data, the least recently used dropped first."""

    def __init__(self, max_tiles: int, stats: CacheStats) -> None:
        self._tiles: LruCache[bytes] = LruCache(max_tiles)
        self._stats = stats

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """A tile, or ``None`` if it is not cached."""
        tile = self._tiles.get(key)
        if tile is None:
            self._stats.misses += 1
        else:
            self._stats.hits += 1
        return tile

    def put(self, key: tuple[object, ...], tile: bytes) -> None:
        """Cache a tile."""
        self._tiles.put(key, tile)


class Responses(Generic[T]):
    """Whole answers by what they follow from, within so many bytes.

    A quarter is for those that were sent once, so that a reader of all there is displaces nothing that others ask for
    again. One that is large beside the whole is not cached.
    """

    def __init__(self, max_bytes: int) -> None:
        self._once: LruCache[T] = LruCache(max_bytes // 4, len, max_bytes // 16)
        self._again: LruCache[T] = LruCache(max_bytes - max_bytes // 4, len, max_bytes // 16)

    def __len__(self) -> int:
        return len(self._once) + len(self._again)

    def get(self, key: Hashable) -> T | None:
        """An answer, or ``None`` if it is not cached."""
        found = self._again.get(key)
        if found is None and (found := self._once.get(key)) is not None:
            self._again.put(key, found)
        return found

    def put(self, key: Hashable, answer: T) -> None:
        """Cache an answer."""
        self._once.put(key, answer)


#: Bytes of the answers about selections that are cached for a version, and of the largest of them.
_ANSWER_BYTES, _MAX_ANSWER_BYTES = 16_000_000, 1_000_000


@dataclass(frozen=True, eq=False)
class ServedVersion:
    """One version of the data with its encoded tiles and its answers."""

    snapshot: Snapshot
    #: The snapshot with private records, for reviewers alone.
    with_private: Snapshot
    #: The records as they are in the store, private ones too, of which writers name the version that they saw.
    stored: Records
    #: What is published of them, and how much is not.
    disclosure: Disclosure
    tiles: TileCache
    #: Answers of `api.server.answer_cache`.
    responses: Responses[Any]
    #: With which versions of records are named, so that nobody can find by trial what was named.
    key: bytes
    #: Name of this version of data and program, of which entity tags are made: the same name, the same bytes.
    version: str
    #: The last change of what is published. It is read when a version is built: an answer needs no database.
    head: Head
    #: When the data was changed last, in UTC; the start of the day for an empty store. The same in every worker.
    changed: datetime
    #: When this was built (Unix time), and how many seconds it took.
    built: float
    build_s: float

    @cached_property
    def answers(self) -> LruCache[bytes]:
        """Answers about selections of published strikes by what was asked, the least recently used dropped first."""
        return LruCache(_ANSWER_BYTES, len, _MAX_ANSWER_BYTES)

    @cached_property
    def published(self) -> PublishedVersion:
        """What the corrections log is shown by."""
        return PublishedVersion(self.snapshot, self.stored, self.disclosure, self.head)

    def is_outdated(self, now: datetime) -> bool:
        """Whether an embargo has ended that withheld something of this version."""
        return self.disclosure.next_due is not None and self.disclosure.next_due <= now

    def version_of_strike(self, strike: str) -> str:
        """Name of the version of the record of a strike as it is published; the last ones are cached.

        The name of the stored one would give away by trial what is withheld, or which private sources it cites. Where
        they differ no writer can go by this name, and so replace an exact place by its rounded one.

        Raises `KeyError` if no such strike is published.
        """
        published = self.disclosure.records.strikes
        return self._named.get_or_compute(strike, lambda: self.name_of(published[strike]))

    def name_of(self, strike: Record) -> str:
        """Name of a version of the record of a strike, whichever it is."""
        return TABLES["strikes"].version(strike, self.key)

    @cached_property
    def _named(self) -> LruCache[str]:
        return LruCache(4096)
