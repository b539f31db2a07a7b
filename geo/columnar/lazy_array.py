"""Arrays of which rows can be read without all of them being in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from geo.lonlat import Ints

#: Where more than one row in so many is taken, the array is materialized first.
_TAKE_DIVISOR = 8


class LazyArray(ABC):
    """A read-only array of which rows can be read without all of them being in memory."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: Ints) -> NDArray[Any]:
        """Values of rows, shape (n,), in the given order; negative rows are not counted from the end."""

    @property
    def nbytes(self) -> int:
        """Bytes of all values in memory."""
        return len(self) * self.dtype.itemsize

    @cached_property
    def materialized(self) -> NDArray[Any]:
        """All values, shape (n,), in memory from the first reading on; read only."""
        values = self._materialize()
        values.setflags(write=False)
        return values

    def _materialize(self) -> NDArray[Any]:
        return self.take(np.arange(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Any: ...
    @overload
    def __getitem__(self, rows: slice | Ints) -> NDArray[Any]: ...
    def __getitem__(self, rows: int | slice | Ints) -> Any:
        if isinstance(rows, int | np.integer):
            return self._value(range(len(self))[rows])
        wanted = range(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        is_large = len(wanted) * _TAKE_DIVISOR > len(self)
        return self.materialized[rows] if is_large else self.take(np.asarray(wanted, np.int64))

    def _value(self, row: int) -> Any:
        """Value of a row from 0 on."""
        return self.take(np.array([row]))[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.materialized)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.materialized, dtype, copy=copy)


#: An array in memory or mapped from a file, or one that is read lazily.
Array: TypeAlias = NDArray[Any] | LazyArray


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` rows that cover ``count`` rows."""
    return (slice(start, start + size) for start in range(0, count, size))


def to_numpy(array: Array) -> NDArray[Any]:
    """Return all values in memory, or mapped from a file, shape (n,); a lazy array is materialized."""
    return array if isinstance(array, np.ndarray) else array.materialized
