"""Caches: values computed when first read, least recently used values, and mappings computed on demand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

#: How many values a `LazyMapping` retains by default.
_LAZY_VALUES = 4096


def _unit(_value: object) -> int:
    return 1


class Lazy(Generic[T]):
    """A value that is computed when it is first read, or that was given.

    Two threads that read it first at the same time may both compute it. The function is released once it was called.

    Parameters
    ----------
    compute
        Gives the value.
    """

    __slots__ = ("_compute", "_value")

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute: Callable[[], T] | None = compute
        self._value: T

    @classmethod
    def of(cls, value: T) -> Lazy[T]:
        """Wrap a value that is known."""
        lazy = cls(lambda: value)
        lazy._value, lazy._compute = value, None
        return lazy

    @property
    def is_computed(self) -> bool:
        """Whether the value is known already."""
        return self._compute is None

    @property
    def value(self) -> T:
        """The value."""
        compute = self._compute
        if compute is not None:
            self._value, self._compute = compute(), None
        return self._value

    def once(self) -> T:
        """Give the value; one that is computed for this call is not stored."""
        compute = self._compute
        return self._value if compute is None else compute()

    def reset(self, compute: Callable[[], T]) -> None:
        """Let go of the value; a function gives it when it is read again."""
        self._compute = compute
        if hasattr(self, "_value"):
            del self._value


class LruCache(Generic[T]):
    """A bounded cache that drops the least recently used value first; safe to share between threads.

    By default its bound is a number of values; with ``weigh`` it is the sum of the values' weights, such as bytes.
    A key whose value is stored keeps that value until it is dropped.

    Parameters
    ----------
    max_weight
        The largest sum of weights that is stored; 0 stores nothing.
    weigh
        The weight of a value, the same at each call as long as the value is stored; 1 by default.
    max_value_weight
        The largest weight of a single stored value; ``max_weight`` by default. A heavier value is not stored.
    """

    def __init__(self, max_weight: int, weigh: Callable[[T], int] = _unit, max_value_weight: int | None = None) -> None:
        self._max_weight = max_weight
        self._max_value_weight = max_weight if max_value_weight is None else min(max_value_weight, max_weight)
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()
        self._turns: dict[Hashable, threading.Lock] = {}

    def __len__(self) -> int:
        """Give the number of stored values."""
        return len(self._values)

    def get(self, key: Hashable) -> T | None:
        """Return the stored value of a key, which becomes the most recently used, or ``None``."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._values.clear()
            self._weight = 0

    def peek(self, key: Hashable) -> T | None:
        """Return the stored value of a key, or ``None``; the order of dropping stays as it is."""
        return self._values.get(key)

    def put(self, key: Hashable, value: T) -> T:
        """Store a value unless it is too heavy or its key has one already; return the value that the key has now."""
        weight = self._weigh(value)
        if weight > self._max_value_weight:
            return value
        with self._lock:
            if key in self._values:
                return self._values[key]
            self._values[key] = value
            self._weight += weight
            while self._weight > self._max_weight:
                self._weight -= self._weigh(self._values.popitem(last=False)[1])
        return value

    def get_or_compute(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the stored value of a key, computed and stored first where there is none.

        A thread that comes while another one computes the value waits for it; others are not held up. ``compute`` must
        not look up its own key. A value of ``None`` counts as stored.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._values:  # by whoever came before
                    return self._values[key]
            try:
                return self.put(key, compute())
            finally:
                with self._lock:
                    self._turns.pop(key, None)


class LazyMapping(Mapping[str, T]):
    """A read-only mapping whose values are computed when they are looked up; the latest are retained.

    Parameters
    ----------
    ids
        Its keys, in the order of iteration.
    known
        A mapping of the same keys, which answers whether a key is there.
    compute
        Gives the value of a key.
    max_values
        How many computed values are retained.
    """

    def __init__(
        self,
        ids: Sequence[str],
        known: Mapping[str, object],
        compute: Callable[[str], T],
        max_values: int = _LAZY_VALUES,
    ) -> None:
        self._ids, self._known, self._compute = ids, known, compute
        self._values: LruCache[T] = LruCache(max_values)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> T:
        if key not in self._known:
            raise KeyError(key)
        return self._values.get_or_compute(key, lambda: self._compute(key))
