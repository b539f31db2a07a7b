"""The answers last asked for, kept so that they are made once; knows nothing of what they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


def _one(answer: object) -> int:
    return 1


class LruCache(Generic[T]):
    """At most so many answers, the least used dropped first; safe to share between threads.

    Parameters
    ----------
    most
        The most that is kept; an answer that is larger is not kept.
    size
        How much of that an answer takes; 1 by default.
    """

    def __init__(self, most: int, size: Callable[[T], int] = _one) -> None:
        self._most = most
        self._size = size
        self._used = 0
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Give the number of answers that are kept."""
        return len(self._kept)

    def known(self, key: Hashable) -> T | None:
        """The answer for a key where it is kept now, else ``None``; it is no later dropped for that."""
        return self._kept.get(key)

    def kept(self, kind: Hashable) -> dict[Hashable, T]:
        """The answers kept now, by keys, of those keys that are tuples and begin with ``kind``."""
        with self._lock:
            return {key: answer for key, answer in self._kept.items() if isinstance(key, tuple) and key[0] == kind}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer for a key, made where it is not kept. Two threads may make the same; one of them is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        size = self._size(made)
        if size > self._most:
            return made
        with self._lock:
            if key in self._kept:
                return self._kept[key]
            self._kept[key] = made
            self._used += size
            while self._used > self._most:
                self._used -= self._size(self._kept.popitem(last=False)[1])
        return made


#: Values that are kept.
_KEPT = 4096


class Asked(Mapping[str, T]):
    """What a function says of each of some ids. The values last asked for are kept.

    Parameters
    ----------
    ids
        The ids, in the order in which they are told.
    known
        The same, where they can be looked up quickly.
    make
        Makes the value of an id.
    """

    def __init__(
        self, ids: Sequence[str], known: Mapping[str, object], make: Callable[[str], T], kept: int = _KEPT
    ) -> None:
        self._ids, self._known, self._make = ids, known, make
        self._recent: LruCache[T] = LruCache(kept)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> T:
        if key not in self._known:
            raise KeyError(key)
        return self._recent.get(key, lambda: self._make(key))
