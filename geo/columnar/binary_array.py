"""Rows of bytes in a few large buffers, of which each is made an object only when it is asked for.

A million texts as Python objects take 80 MB and their collector's time; here they are two numbers each beside their
bytes, and the buffers may be files that are mapped into memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar, overload

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.columnar.chunked_array import Array, spliced, whole
from geo.columnar.row_edit import Splice
from geo.lonlat import Ints

Bytes = NDArray[np.uint8]
T = TypeVar("T")

#: So many rows are joined one by one; of more it is looked for those that lie together.
_FEW = 32
#: So many buffers are kept apart; of more, all but the first are joined.
_PARTS = 64


class Packed(Sequence[bytes]):
    """A sequence of byte strings.

    Parameters
    ----------
    parts
        Buffers of bytes.
    starts, stops
        Where each row begins and ends in the buffers laid end to end, shape (n,), int64; a row lies in one buffer.
    """

    __slots__ = ("_bases", "_starts", "_stops", "parts")

    def __init__(self, parts: Sequence[Bytes], starts: Array, stops: Array) -> None:
        # Of files that are mapped, without what makes their rows slow.
        self.parts = tuple(map(np.asarray, parts))
        self._starts, self._stops = (np.asarray(one) if isinstance(one, np.ndarray) else one for one in (starts, stops))
        self._bases = list(accumulate((len(part) for part in self.parts[:-1]), initial=0))

    @classmethod
    def of(cls, rows: Iterable[bytes], between: bytes = b"") -> Packed:
        """Pack byte strings; with what stands ``between`` two of them, many can be joined as they lie, see `pieces`."""
        buffer, starts, stops = bytearray(), array("q"), array("q")
        for row in rows:
            starts.append(len(buffer))
            buffer += row
            stops.append(len(buffer))
            buffer += between
        data = np.frombuffer(buffer, np.uint8)
        data.setflags(write=False)
        return cls([data], np.array(starts, np.int64), np.array(stops, np.int64))

    @classmethod
    def laid(cls, buffer: Bytes, ends: Ints) -> Packed:
        """Rows that lie end to end in one buffer; ``ends`` begins with 0, shape (n + 1,)."""
        return cls([buffer], ends[:-1], ends[1:])

    @property
    def starts(self) -> Ints:
        """Where each row begins, shape (n,)."""
        return whole(self._starts)

    @property
    def stops(self) -> Ints:
        """Where each row ends, shape (n,)."""
        return whole(self._stops)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> Packed: ...
    def __getitem__(self, row: int | slice) -> bytes | Packed:
        if isinstance(row, slice):
            return Packed(self.parts, self._starts[row], self._stops[row])
        return self._read(int(self._starts[row]), int(self._stops[row]))

    def __iter__(self) -> Iterator[bytes]:
        return map(self._read, self.starts.tolist(), self.stops.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def _read(self, start: int, stop: int) -> bytes:
        part = bisect_right(self._bases, start) - 1 if len(self._bases) > 1 else 0
        base = self._bases[part]
        return self.parts[part][start - base : stop - base].tobytes()

    def taken(self, rows: Ints) -> Packed:
        """Some rows, in the order given; no bytes are copied."""
        return Packed(self.parts, self._starts[rows], self._stops[rows])

    def read(self, index: Ints, into: Bytes, ends: Ints) -> None:
        """Write the bytes at some addresses, of which those of each row end where told, and may begin before the row.

        What is before a row that is not in the first buffer is any.
        """
        first = self.parts[0]
        if len(first):
            first.take(index, out=into, mode="clip")
        if len(self.parts) > 1:
            for row in (self.stops > len(first)).nonzero()[0].tolist():
                told, end = self[row], int(ends[row])
                into[end - len(told) : end] = memoryview(told)

    def pieces(self, between: bytes) -> list[memoryview]:
        """What gives the rows with one byte between two when it is joined by that byte.

        Rows that lie in a buffer as they were packed, with that byte between them, are one piece.
        """
        if len(self) <= _FEW:
            return [memoryview(row) for row in self]
        part = self._part()
        first = np.concatenate([[0], self._breaks(between, part)])
        last = np.append(first[1:], len(self)) - 1
        begin, end = self.starts[first], self.stops[last]
        if len(self.parts) == 1:
            view = self.parts[0].data
            return [view[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]
        part = part[first]
        views, bases = [one.data for one in self.parts], np.array(self._bases)[part]
        pieces = zip(part.tolist(), (begin - bases).tolist(), (end - bases).tolist(), strict=True)
        return [views[n][a:b] for n, a, b in pieces]

    def _part(self) -> Ints:
        """The buffer that each row lies in."""
        if len(self.parts) == 1:
            return np.zeros(len(self), np.int64)
        return np.searchsorted(self._bases, self.starts, side="right") - 1

    def _breaks(self, between: bytes, part: Ints) -> Ints:
        """Rows that do not follow the one before them, a byte further on in the same buffer."""
        together = (self.starts[1:] == self.stops[:-1] + 1) & (part[1:] == part[:-1])
        near = np.flatnonzero(together)
        for number in np.unique(part[near]).tolist():
            here = near[part[near] == number]
            together[here] = self.parts[number][self.stops[here] - self._bases[number]] == ord(between)
        return np.flatnonzero(~together) + 1

    def exchanged(self, gone: Ints, at: Ints, new: Packed) -> Packed:
        """Without the rows at ``gone``, and with new ones, each before the one that was at ``at``; both ascending."""
        return self.spliced(new, Splice.exchanging(len(self), gone, at))

    def spliced(self, other: Packed, splice: Splice) -> Packed:
        """The rows of this sequence and, after them, of another, as a splice has them; no bytes are copied."""
        shift = self._bases[-1] + len(self.parts[-1])
        starts = spliced(self._starts, other.starts + shift, splice)
        stops = spliced(self._stops, other.stops + shift, splice)
        return Packed([*self.parts, *other.parts], starts, stops)._few_parts()

    def _few_parts(self) -> Packed:
        """Join the buffers that edits added, where there are many; what no row needs any more goes with it."""
        if len(self.parts) <= _PARTS:
            return self
        first = self.parts[0]
        later = np.flatnonzero(self.starts >= len(first))
        new = Packed.of(self.taken(later))
        at = Splice.exchanging(len(self), later, later)
        return Packed([first], self._starts, self._stops).spliced(new, at)


class Words(Sequence[T], Generic[T]):
    """A sequence of values that are read from packed bytes one by one, as they are asked for.

    Parameters
    ----------
    packed
        The bytes of each.
    read, write
        What makes a value of bytes, and bytes of a value: ``read(write(value)) == value``.
    """

    __slots__ = ("packed", "read", "write")

    def __init__(self, packed: Packed, read: Callable[[bytes], T], write: Callable[[T], bytes]) -> None:
        self.packed, self.read, self.write = packed, read, write

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> Words[T]: ...
    def __getitem__(self, row: int | slice) -> T | Words[T]:
        if isinstance(row, slice):
            return Words(self.packed[row], self.read, self.write)
        return self.read(self.packed[row])

    def __iter__(self) -> Iterator[T]:
        return map(self.read, self.packed)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Words) and other.read is self.read:
            return self.packed == other.packed
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_text(self) -> bool:
        """Whether they are texts, so that their bytes are UTF-8."""
        return self.read is _text

    def changed(self, gone: Ints, at: Ints, new: Sequence[T]) -> Words[T]:
        """Without the values at ``gone``, and with new ones, each put before the one that was at ``at``; ascending."""
        return Words(self.packed.exchanged(gone, at, Packed.of(map(self.write, new))), self.read, self.write)


def _text(data: bytes) -> str:
    return data.decode()


def texts(values: Iterable[str] | Packed) -> Words[str]:
    """Texts, or the UTF-8 of some that are packed already."""
    packed = values if isinstance(values, Packed) else Packed.of(map(str.encode, values))
    return Words(packed, _text, str.encode)


def _list(data: bytes) -> tuple[str, ...]:
    return tuple(orjson.loads(data))


def lists(values: Iterable[tuple[str, ...]] | Packed) -> Words[tuple[str, ...]]:
    """Lists of texts, or the JSON of some that are packed already."""
    packed = values if isinstance(values, Packed) else Packed.of(map(orjson.dumps, values))
    return Words(packed, _list, orjson.dumps)


def place_of(words: Sequence[Any], word: Any) -> int | None:
    """Place of a value among ascending ones; ``None`` where it is not among them."""
    if isinstance(words, Words) and words.is_text:
        words, word = words.packed, word.encode()  # whose order is the same
    place = bisect_left(words, word)
    return place if place < len(words) and words[place] == word else None
