"""Changes of a few records of a table, of which no other record is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar, cast

from layers.model.records import Record
from layers.store.record_table import RecordTable

R = TypeVar("R", bound=Record)
#: Ids of records, each with the ids of those that become one with it.
Groups: TypeAlias = Sequence[tuple[str, Sequence[str]]]


def grouped(merged_into: Mapping[str, str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each record that others become, with their ids in order."""
    others: dict[str, list[str]] = {}
    for other, one in merged_into.items():
        others.setdefault(one, []).append(other)
    yield from ((one, sorted(merged)) for one, merged in others.items())


class TableEdit(Mapping[str, R], Generic[R]):
    """A table with some of its records changed, removed or added; changed ones stay in their place."""

    def __init__(self, table: Mapping[str, Record]) -> None:
        self.before = cast(Mapping[str, R], table)
        self._put: dict[str, R] = {}
        self._removed: set[str] = set()

    def put(self, record: R) -> None:
        """Put a record in the place of that of its id, or after all others."""
        self._put[record.id] = record
        self._removed.discard(record.id)

    def update(self, key: str, values: Mapping[str, Any]) -> None:
        """Give a record other values of some fields."""
        self.put(self[key].model_copy(update=values))

    def remove(self, key: str) -> None:
        """Remove a record that there is."""
        self._put.pop(key, None)
        self._removed.add(key)

    def merge(self, groups: Groups, merge: Callable[[R, R], R]) -> None:
        """Merge the records of each group into its first, by what two become, and remove the others."""
        for one, others in groups:
            self.put(reduce(merge, [self[other] for other in others], self[one]))
            for other in others:
                self.remove(other)

    @property
    def changed(self) -> Sequence[R]:
        """Records that were put and not removed since."""
        return [*self._put.values()]

    def __getitem__(self, key: str) -> R:
        if key in self._put:
            return self._put[key]
        if key in self._removed:
            raise KeyError(key)
        return self.before[key]

    def __contains__(self, key: object) -> bool:
        return key in self._put or (key not in self._removed and key in self.before)

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self.before if key not in self._removed)
        yield from (key for key in self._put if key not in self.before)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def finish(self) -> Mapping[str, R]:
        """The table after the changes; the same one where there is none."""
        if not (self._put or self._removed):
            return self.before
        if isinstance(self.before, RecordTable):
            keys = {key: key not in self.before for key in (*self._put, *self._removed)}
            return cast(Mapping[str, R], self.before.renewed(self._put, keys))
        return MappingProxyType({key: self[key] for key in self})
