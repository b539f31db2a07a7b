"""A mapping whose values are made when they are asked for; knows nothing of what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from layers.recent import Recent

T = TypeVar("T")

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
        self._recent: Recent[T] = Recent(kept)

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
