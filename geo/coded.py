"""A column of values of which each is kept once, and a code for each row: what most columns of features are like."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int32]


class Coded(Sequence[Any]):
    """A column; equal values are one.

    Parameters
    ----------
    words
        Every value once; never None.
    codes
        Place of each row's value in ``words``, shape (n,), int32; -1 where it is missing.
    """

    __slots__ = ("codes", "words")

    def __init__(self, words: Sequence[Any], codes: Codes) -> None:
        codes.setflags(write=False)
        self.words, self.codes = words, codes

    @classmethod
    def of(cls, values: Iterable[Hashable]) -> Coded:
        """Code values in the order in which they first occur; None is missing."""
        coder = Coder()
        coder.extend(values)
        return coder.coded()

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> Coded: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return Coded(self.words, self.codes[row])
        code = self.codes[row]
        return self.words[code] if code >= 0 else None

    def __iter__(self) -> Iterator[Any]:
        return map([*self.words, None].__getitem__, self.codes.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coded):
            return NotImplemented
        if len(self) != len(other):
            return False
        if np.array_equal(self.codes, other.codes) and list(self.words) == list(other.words):
            return True
        return all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def map(self, change: Callable[[Any], Hashable]) -> Coded:
        """The column with each value changed; what becomes None is missing."""
        changed = Coded.of(map(change, self.words))
        return Coded(changed.words, np.append(changed.codes, np.int32(-1))[self.codes])

    def array(self, dtype: Any, missing: Any) -> NDArray[Any]:
        """The values as an array of shape (n,), ``missing`` where there is none."""
        words = np.empty(len(self.words) + 1, dtype)
        words[:-1] = np.fromiter(self.words, dtype, len(self.words))  # lists among them stay one value each
        words[-1] = missing
        found: NDArray[Any] = words[self.codes]
        return found


class Coder:
    """Codes a column that comes part by part."""

    def __init__(self) -> None:
        self._places = _Places()
        self._codes = array("i")

    def extend(self, values: Iterable[Hashable]) -> None:
        """Add the values of the next rows."""
        self._codes.extend(map(self._places.__getitem__, values))

    def coded(self) -> Coded:
        """The column of all rows so far."""
        codes = np.array(self._codes, np.int32)
        missing = self._places.get(None)
        words = [word for word in self._places if word is not None]
        if missing is not None:
            codes = np.insert(np.arange(len(words), dtype=np.int32), missing, -1)[codes]
        return Coded(words, codes)


class _Places(dict[Hashable, int]):
    """The place of each value, in the order in which they were first asked for."""

    def __missing__(self, value: Hashable) -> int:
        self[value] = place = len(self)
        return place
