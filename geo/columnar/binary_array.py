"""Byte strings of many rows in a few large buffers; a row becomes a Python object only when it is read.

A million texts as Python objects take 80 MB and the time of the garbage collector; here each is two offsets beside its
bytes, and buffers may be files that are mapped into memory.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Any, Generic, TypeVar, overload

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.columnar.integers import ranges
from geo.columnar.lazy_array import batches
from geo.columnar.row_edit import RowEdit
from geo.lonlat import Ints

Bytes = NDArray[np.uint8]
T = TypeVar("T")

#: At most so many rows are joined row by row; of more, runs that lie together are looked for.
_MAX_COPIES = 32
#: An array of more buffers is compacted to the first and one for all later rows.
_MAX_BUFFERS = 64
#: Rows that are joined at once.
_PAGE = 1 << 10
#: Rows whose keys are filled in at once.
_KEYS_PAGE = 1 << 13
#: What a byte string as an object takes besides its bytes: its head, and its place in an array.
_OBJECT_BYTES = 41


class BinaryArray(Sequence[bytes]):
    """A sequence of byte strings.

    Parameters
    ----------
    buffers
        Arrays of bytes, at least one.
    starts, stops
        First byte of each row, and the byte behind its last, in the buffers laid end to end; shape (n,), int64. A row
        lies in one buffer.
    """

    __slots__ = ("_bases", "buffers", "starts", "stops")

    def __init__(self, buffers: Sequence[Bytes], starts: Ints, stops: Ints) -> None:
        # Views of mapped files as plain arrays, whose rows are read faster.
        self.buffers = tuple(map(np.asarray, buffers))
        self.starts: Ints = np.asarray(starts)
        self.stops: Ints = np.asarray(stops)
        self._bases = list(accumulate((len(buffer) for buffer in self.buffers[:-1]), initial=0))

    @classmethod
    def of(cls, rows: Iterable[bytes], separator: bytes = b"") -> BinaryArray:
        """Pack byte strings into one buffer, each followed by a separator; see `runs` for its use."""
        buffer = bytearray()
        sizes = write_rows(rows, separator, buffer.extend)
        data = np.frombuffer(buffer, np.uint8)
        data.setflags(write=False)
        return cls.from_sizes(data, sizes, separator)

    @classmethod
    def of_pages(cls, pages: Iterable[BinaryArray], separator: bytes = b"") -> BinaryArray:
        """Join arrays that were packed with the separator, as `of` and `from_sizes` give them, into one buffer."""
        buffer, sizes = bytearray(), [np.empty(0, np.int64)]
        for page in pages:
            buffer += page.buffers[0].data
            sizes.append(page.stops - page.starts)
        data = np.frombuffer(buffer, np.uint8)
        data.setflags(write=False)
        return cls.from_sizes(data, np.concatenate(sizes), separator)

    @classmethod
    def from_sizes(cls, buffer: Bytes, sizes: Ints, separator: bytes = b"") -> BinaryArray:
        """Make an array of rows of these sizes, shape (n,), end to end in a buffer, each followed by a separator."""
        stops = np.cumsum(sizes + len(separator)) - len(separator)
        return cls([buffer], stops - sizes, stops)

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, row: int) -> bytes: ...
    @overload
    def __getitem__(self, row: slice) -> BinaryArray: ...
    def __getitem__(self, row: int | slice) -> bytes | BinaryArray:
        if isinstance(row, slice):
            return BinaryArray(self.buffers, self.starts[row], self.stops[row])
        return self._read(int(self.starts[row]), int(self.stops[row]))

    def __iter__(self) -> Iterator[bytes]:
        return map(bytes, self.views())

    def views(self) -> Iterator[memoryview]:
        """Each row as a view of its bytes, which are not copied."""
        return self._views(self._buffer_of_row(), self.starts, self.stops)

    def _views(self, buffer: Ints, starts: Ints, stops: Ints) -> Iterator[memoryview]:
        data, bases = [one.data for one in self.buffers], np.array(self._bases)[buffer]
        cuts = zip(buffer.tolist(), (starts - bases).tolist(), (stops - bases).tolist(), strict=True)
        return (data[number][start:stop] for number, start, stop in cuts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        if len(self) != len(other):
            return False
        if isinstance(other, BinaryArray):  # at once, and not row by row
            sizes = np.array_equal(self.stops - self.starts, other.stops - other.starts)
            return sizes and np.array_equal(self.joined(), other.joined())
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def _read(self, start: int, stop: int) -> bytes:
        buffer = bisect_right(self._bases, start) - 1 if len(self._bases) > 1 else 0
        base = self._bases[buffer]
        return self.buffers[buffer][start - base : stop - base].tobytes()

    def take(self, rows: Ints) -> BinaryArray:
        """Rows, shape (n,), in the given order; no bytes are copied."""
        return BinaryArray(self.buffers, self.starts[rows], self.stops[rows])

    def argsort(self) -> Ints:
        """Rows in the order of their bytes (of UTF-8: of code points), equal ones in their own, shape (n,), int64."""
        return self.sort_keys().argsort(kind="stable")

    def sort_keys(self) -> NDArray[Any]:
        """An array of NumPy, shape (n,), that compares row by row as the bytes do: a fourth of the time in sorting.

        It has byte strings of one width, but objects where these take less memory, or where a byte is zero, which NumPy
        drops at the end of a string.
        """
        sizes = self.stops - self.starts
        width = max(int(sizes.max(initial=1)), 1)
        if len(self) * (width - _OBJECT_BYTES) > sizes.sum():
            return np.fromiter(self, object, len(self))
        keys = np.zeros((len(self), width), np.uint8)
        for page in batches(len(self), _KEYS_PAGE):
            data = self[page].joined()
            if not data.all():
                return np.fromiter(self, object, len(self))
            keys[page][np.arange(width) < sizes[page, None]] = data
        return keys.view(f"S{width}")[:, 0]

    def write_into(self, out: Bytes, at: Ints) -> None:
        """Write the bytes of each row into an array, from ``at``, shape (n,), on; no two rows overlap."""
        buffer, sizes = self._buffer_of_row(), self.stops - self.starts
        for number in np.flatnonzero(np.bincount(buffer)).tolist():
            (rows,) = (buffer == number).nonzero()
            places = ranges(self.starts[rows] - self._bases[number], sizes[rows])
            out[ranges(at[rows], sizes[rows])] = self.buffers[number][places]

    def joined(self) -> Bytes:
        """The bytes of all rows, end to end."""
        return self.joined_with_sizes()[0]

    def joined_with_sizes(self) -> tuple[Bytes, Ints]:
        """The bytes of all rows, end to end, and the number of bytes of each row, shape (n,)."""
        sizes = self.stops - self.starts
        if len(self) <= _MAX_COPIES:
            return np.frombuffer(b"".join(self), np.uint8), sizes
        ends = sizes.cumsum()
        out = np.empty(int(ends[-1]), np.uint8)
        self.write_into(out, ends - sizes)
        return out, sizes

    def packed(self, separator: bytes = b"") -> BinaryArray:
        """The rows end to end in one buffer, each followed by a separator."""
        return BinaryArray.of(self, separator) if separator else BinaryArray.from_sizes(*self.joined_with_sizes())

    def runs(self, separator: bytes) -> list[memoryview]:
        """Bytes that give all rows with a separator between any two when they are joined by that separator.

        Rows that were packed with the separator (one byte) and follow one another are a single view.
        """
        if len(self) <= _MAX_COPIES:
            return [memoryview(row) for row in self]
        buffer = self._buffer_of_row()
        first = np.concatenate([[0], self._run_starts(separator, buffer)])
        last = np.append(first[1:], len(self)) - 1
        return [*self._views(buffer[first], self.starts[first], self.stops[last])]

    def _buffer_of_row(self) -> Ints:
        """Number of the buffer that each row lies in, shape (n,)."""
        if len(self.buffers) == 1:
            return np.zeros(len(self), np.int64)
        return np.searchsorted(self._bases, self.starts, side="right") - 1

    def _run_starts(self, separator: bytes, buffer: Ints) -> Ints:
        """Rows but the first that do not follow the row before them, a separator further on in the same buffer."""
        follows = (self.starts[1:] == self.stops[:-1] + 1) & (buffer[1:] == buffer[:-1])
        near = np.flatnonzero(follows)
        for number in np.flatnonzero(np.bincount(buffer[near])).tolist():
            rows = near[buffer[near] == number]
            follows[rows] = self.buffers[number][self.stops[rows] - self._bases[number]] == ord(separator)
        return np.flatnonzero(~follows) + 1

    def with_edit(self, second: BinaryArray, edit: RowEdit) -> BinaryArray:
        """Apply an edit of rows, without copying any bytes.

        Parameters
        ----------
        second
            The rows that are inserted from.
        edit
            Which rows go, and where others come.
        """
        shift = self._bases[-1] + len(self.buffers[-1])
        starts = edit.combine(self.starts, second.starts + shift)
        stops = edit.combine(self.stops, second.stops + shift)
        return BinaryArray([*self.buffers, *second.buffers], starts, stops)._compact()

    def _compact(self) -> BinaryArray:
        """Join the buffers that edits added, where there are many; bytes of no row that stays are dropped."""
        if len(self.buffers) <= _MAX_BUFFERS:
            return self
        first = self.buffers[0]
        later = np.flatnonzero(self.starts >= len(first))
        edit = RowEdit(len(self), later, later)
        return BinaryArray([first], self.starts, self.stops).with_edit(BinaryArray.of(self.take(later)), edit)


def write_rows(rows: Iterable[bytes], separator: bytes, write: Callable[[bytes], object]) -> Ints:
    """Write byte strings page by page, each followed by a separator; give the size of each, shape (n,)."""
    sizes, rest = array("q"), iter(rows)
    while page := [*islice(rest, _PAGE)]:
        sizes.extend(map(len, page))
        write(separator.join([*page, b""]))
    return np.array(sizes, np.int64)


class DecodedArray(Sequence[T], Generic[T]):
    """A sequence of values that are decoded from bytes when they are read.

    Parameters
    ----------
    binary
        The bytes of each value.
    decode, encode
        From bytes to a value, and from a value to bytes: ``decode(encode(value)) == value``.
    """

    __slots__ = ("binary", "decode", "encode")

    def __init__(self, binary: BinaryArray, decode: Callable[[bytes], T], encode: Callable[[T], bytes]) -> None:
        self.binary, self.decode, self.encode = binary, decode, encode

    def __len__(self) -> int:
        return len(self.binary)

    @overload
    def __getitem__(self, row: int) -> T: ...
    @overload
    def __getitem__(self, row: slice) -> DecodedArray[T]: ...
    def __getitem__(self, row: int | slice) -> T | DecodedArray[T]:
        if isinstance(row, slice):
            return DecodedArray(self.binary[row], self.decode, self.encode)
        return self.decode(self.binary[row])

    def __iter__(self) -> Iterator[T]:
        return map(self.decode, self.binary)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DecodedArray) and other.decode is self.decode:
            return self.binary == other.binary
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def take(self, rows: Ints) -> DecodedArray[T]:
        """Values of rows, shape (n,), in the given order; none is decoded yet."""
        return DecodedArray(self.binary.take(rows), self.decode, self.encode)

    @property
    def is_text(self) -> bool:
        """Whether the values are texts, so that their bytes are UTF-8."""
        return self.decode is _decode_text

    @property
    def is_json(self) -> bool:
        """Whether the bytes of a value are the JSON of it, as those of a list of texts are."""
        return self.decode is _decode_texts

    def with_edit(self, second: Iterable[T], edit: RowEdit) -> DecodedArray[T]:
        """Apply an edit of rows, of which those of ``second`` are inserted, without copying any bytes."""
        binary = self.binary.with_edit(BinaryArray.of(map(self.encode, second)), edit)
        return DecodedArray(binary, self.decode, self.encode)


def _decode_text(data: bytes) -> str:
    return data.decode()


def text_array(values: Iterable[str] | BinaryArray) -> DecodedArray[str]:
    """Store texts, or their UTF-8, as bytes; a text is decoded when it is read."""
    binary = values if isinstance(values, BinaryArray) else BinaryArray.of(map(str.encode, values))
    return DecodedArray(binary, _decode_text, str.encode)


def _decode_texts(data: bytes) -> tuple[str, ...]:
    return tuple(orjson.loads(data))


def text_list_array(values: Iterable[tuple[str, ...]] | BinaryArray) -> DecodedArray[tuple[str, ...]]:
    """Store lists of texts, or their JSON, as bytes; a list is decoded when it is read."""
    binary = values if isinstance(values, BinaryArray) else BinaryArray.of(map(orjson.dumps, values))
    return DecodedArray(binary, _decode_texts, orjson.dumps)


def find_sorted(values: Sequence[Any], value: Any) -> int | None:
    """Index of a value among ascending values; ``None`` where it is not among them."""
    if isinstance(values, DecodedArray) and values.is_text:
        values, value = values.binary, value.encode()  # UTF-8 sorts as code points do
    index = bisect_left(values, value)
    return index if index < len(values) and values[index] == value else None
