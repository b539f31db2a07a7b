"""Feature properties for vector tiles: one type a column, each distinct value encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.columnar.binary_array import Packed, Words
from geo.columnar.dictionary_array import Coded, Codes
from geo.columnar.ranges import ranges
from geo.errors import GeoError
from geo.lonlat import Bools, Ints
from geo.tiles.protobuf import Block, Cell, Rows, digits, field, glued, table, varint, varint_size, varint_sizes, zigzag

_NONE = Rows(np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.int64))
_KINDS: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "U": str}
#: So many packed texts of a tile are encoded one by one; of more it takes longer than all at once.
_FEW = 16
#: Texts of at most so many bytes are told with both their lengths in one byte.
_SHORT = 125


class Columns:
    """Properties of all rows, as they are coded: their distinct values, and which each row has.

    None, NaN and NA mean that the row has no such property. What is coded already is not coded again. Values are
    encoded once, but for texts that are kept as bytes (`geo.columnar.binary_array`), which are encoded for each tile.

    Parameters
    ----------
    before
        Columns that these were changed from: what they have encoded is taken over where the values are the same.

    Raises
    ------
    GeoError
        When a column does not fit the rows, or its values are of more than one type, or of another than str, int,
        float or bool.
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]], rows: int, before: Columns | None = None) -> None:
        self._codes: list[Coded] = []
        self._words: dict[str, Sequence[Any]] = {}
        #: The values of each column, encoded, or the texts that they are.
        self._encoded: dict[str, Rows | Packed] = {}
        for name, values in columns.items():
            if len(values) != rows:
                raise GeoError(f"column {name}: expected {rows} values, got {len(values)}")
            if isinstance(values, Coded) and before is not None and values.words is before._words.get(name):
                column, encoded = values, before._encoded[name]
            else:
                column, encoded = _read(name, values)
            self._codes.append(column)
            self._words[name], self._encoded[name] = column.words, encoded
        self._lay_out()
        #: The names, encoded, and the number of each.
        self.keys = b"".join(field(3, name.encode()) for name in columns)
        self._keys = digits(np.arange(len(columns), dtype=np.uint32))

    def _lay_out(self) -> None:
        """Number the values through, those that are encoded and those that are packed each by themselves."""
        plain = {place: one for place, one in enumerate(self._encoded.values()) if isinstance(one, Rows)}
        packed = {place: one for place, one in enumerate(self._encoded.values()) if isinstance(one, Packed)}
        #: The columns as they are counted, and where each of them is; packed ones are the last.
        self._order = np.array([*plain, *packed], np.int64)
        self._place = np.argsort(self._order)
        self._codes = [self._codes[place] for place in self._order.tolist()]
        self._packed = [*packed.values()]
        #: Plain columns before each packed one.
        self._before = np.searchsorted([*plain], [*packed])
        self._values = Rows(*(np.concatenate(parts) for parts in zip(_NONE, *plain.values(), strict=True)))
        self._starts = self._values.starts()
        self._firsts = np.cumsum([0, *(len(rows.sizes) for rows in plain.values())])
        self._packed_firsts = np.cumsum([0, *map(len, self._packed)])

    def tags(self, rows: Ints) -> tuple[Block, bytes]:
        """Give the key and value numbers that the rows have, and the encoded values that these point to."""
        numbers = np.empty((len(self._codes), len(rows)), np.int32)
        for place, column in enumerate(self._codes):
            column.write_codes_at(rows, numbers[place])
        local, encoded = self._local(numbers)
        present = numbers[self._place].T >= 0
        return self._paired(np.ascontiguousarray(local.T), np.ascontiguousarray(present)), encoded

    def _paired(self, local: npt.NDArray[np.uint32], present: Bools) -> Block:
        """Put the number of its key before that of each value."""
        width = varint_size(int(local.max()) if local.size else 0)
        own = self._keys.data.shape[-1]
        data = np.empty((*local.shape, own + width), dtype=np.uint8)
        kept = np.empty(data.shape, dtype=bool)
        data[..., :own] = self._keys.data
        np.logical_and(present[..., None], self._keys.kept, out=kept[..., :own])
        values = digits(local)
        for place in range(width):
            data[..., own + place] = values.data[..., place]
            np.logical_and(present, values.kept[..., place], out=kept[..., own + place])
        return Block(data, kept).flat()

    def _local(self, codes: Codes) -> tuple[npt.NDArray[np.uint32], bytes]:
        """Number the values that occur from 0, by column; give each place's number (where absent: any) and them."""
        cut = len(self._order) - len(self._packed)
        plain, used = _renumbered(codes[:cut], self._firsts)
        if not self._packed:
            return plain, self._values.take(used, self._starts)
        packed, texts = _renumbered(codes[cut:], self._packed_firsts)
        ends, text_ends = used.searchsorted(self._firsts), texts.searchsorted(self._packed_firsts)
        begins = np.concatenate([ends[:-1], text_ends[:-1]])
        counts = (np.concatenate([ends[1:], text_ends[1:]]) - begins)[self._place]
        shift = ((counts.cumsum() - counts)[self._order] - begins).astype(np.uint32)[:, None]
        local = np.concatenate([plain + shift[:cut], packed + shift[cut:]])[self._place]
        told = self._told(texts, text_ends.tolist())
        return local, self._interleaved(used, ends[self._before].tolist(), told)

    def _interleaved(self, used: Ints, before: Sequence[int], texts: Sequence[bytes]) -> bytes:
        """The encoded values, and the texts of each packed column behind so many of them as are before it."""
        sizes = self._values.sizes[used]
        data = self._values.data[ranges(self._starts[used], sizes)].tobytes()
        ends = sizes.cumsum()
        pieces, begin = [], 0
        for count, told in zip(before, texts, strict=True):
            end = int(ends[count - 1]) if count else 0
            pieces += [data[begin:end], told]
            begin = end
        return b"".join([*pieces, data[begin:]])

    def _told(self, numbers: Ints, ends: Sequence[int]) -> list[bytes]:
        """Some texts, encoded, by packed column; ``ends`` parts them."""
        parts = zip(self._packed, self._packed_firsts.tolist(), pairwise(ends), strict=False)
        taken = [packed.taken(numbers[begin:end] - first) for packed, first, (begin, end) in parts]
        if len(numbers) <= _FEW:
            return [b"".join(field(4, field(1, text)) for text in texts) for texts in taken]
        starts = np.concatenate([texts.starts for texts in taken])
        heads = _heads(np.concatenate([texts.stops for texts in taken]) - starts)
        sizes, starts = np.concatenate([texts.stops for texts in taken]) - starts + heads.sizes, starts - heads.sizes
        stops = sizes.cumsum()
        index = ranges(starts, sizes)
        data = np.empty(len(index), np.uint8)
        cuts = [0, *(int(stops[end - 1]) if end else 0 for end in ends[1:])]
        for texts, (begin, end), (first, last) in zip(taken, pairwise(cuts), pairwise(ends), strict=True):
            texts.read(index[begin:end], data[begin:end], stops[first:last] - begin)
        data[ranges(stops - sizes, heads.sizes)] = heads.data
        whole = data.tobytes()
        return [whole[begin:end] for begin, end in pairwise(cuts)]


def _read(name: str, values: Sequence[Any]) -> tuple[Coded, Rows | Packed]:
    """Code a column, and encode its values."""
    column, kind = _coded(name, values)
    words = column.words
    if isinstance(words, Words) and words.is_text:
        return column, words.packed
    return column, _ENCODE[kind](words)


def _strings(words: Sequence[Any]) -> Rows:
    texts = [str(word).encode() for word in words]
    return _texts(Rows(np.frombuffer(b"".join(texts), dtype=np.uint8), _lengths(texts)))


def _texts(body: Rows) -> Rows:
    """Encode texts all at once."""
    head = _heads(body.sizes)
    return Rows(glued(head, body), head.sizes + body.sizes)


def _heads(sizes: Ints) -> Rows:
    """What stands before texts of so many bytes: the type of each, and its length twice."""
    if sizes.max(initial=0) <= _SHORT:
        head = np.empty((len(sizes), 4), np.uint8)
        head[:, 0], head[:, 1], head[:, 2], head[:, 3] = 4 << 3 | 2, sizes + 2, 1 << 3 | 2, sizes
        return Rows(head.ravel(), np.full(len(sizes), 4))
    told = sizes.astype(np.uint64)
    whole = 1 + varint_sizes(told).astype(np.uint64) + told
    return table([Cell(4 << 3 | 2), Cell(whole), Cell(1 << 3 | 2), Cell(told)], len(told))


def _floats(words: Sequence[Any]) -> Rows:
    values = np.array([float(word) for word in words], dtype="<f8")
    data = np.empty((len(values), 11), np.uint8)
    data[:, :3] = (4 << 3 | 2, 9, 3 << 3 | 1)
    data[:, 3:] = values.view(np.uint8).reshape(-1, 8)
    return Rows(data.ravel(), np.full(len(values), 11))


def _integers(words: Sequence[Any]) -> Rows:
    try:
        values = np.array([int(word) for word in words], np.int64)
    except OverflowError as error:
        raise GeoError("expected whole numbers of 64 bits") from error
    told = zigzag(values)
    size = 1 + varint_sizes(told)
    return table([Cell(4 << 3 | 2), Cell(size.astype(np.uint64)), Cell(6 << 3), Cell(told)], len(values))


def _truths(words: Sequence[Any]) -> Rows:
    encoded = [field(4, varint(7 << 3) + varint(bool(word))) for word in words]
    return Rows(np.frombuffer(b"".join(encoded), dtype=np.uint8), _lengths(encoded))


#: Field numbers of a tile's Value message (clause 4.4): the type alone decides, never the value.
_ENCODE: dict[type, Callable[[Sequence[Any]], Rows]] = {str: _strings, float: _floats, int: _integers, bool: _truths}


def _lengths(parts: Sequence[bytes]) -> Ints:
    return np.fromiter(map(len, parts), dtype=np.int64, count=len(parts))


def _renumbered(codes: Codes, firsts: Ints) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Count codes through all columns from their first numbers on, and number those that occur from 0.

    Codes have a row a column. Gives the place of each (where it is -1: any), and the numbers that occur.
    """
    count = int(firsts[-1])
    numbers = np.where(codes < 0, count, codes + firsts[:-1, None])
    if count > 256 * numbers.size + 1024:
        few = np.unique(numbers)
        return np.searchsorted(few, numbers).astype(np.uint32), few[: len(few) - (len(few) > 0 and few[-1] == count)]
    seen = np.zeros(count + 1, dtype=bool)
    seen[numbers] = True
    seen[count] = False
    (used,) = seen.nonzero()
    place = np.empty(count + 1, dtype=np.uint32)
    place[used], place[count] = np.arange(len(used), dtype=np.uint32), 0
    return place[numbers], used


def _coded(name: str, values: Sequence[Any]) -> tuple[Coded, type]:
    if isinstance(values, Coded):
        kind = _kind_of(name, values.words)
        if kind is not float or not np.isnan(values.words).any():
            return values, kind
    typed = getattr(values, "dtype", None)
    if isinstance(typed, np.dtype) and typed.kind in _KINDS:
        array, kind = np.asarray(values), _KINDS[typed.kind]
    else:
        # One by one: numpy would make 1, 2.5 and "a" of one type.
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        kind = _kind_of(name, array[~pd.isna(array)])
    codes, words = pd.factorize(array)
    return Coded(words.tolist(), codes.astype(np.int32)), kind


def _kind_of(name: str, values: Iterable[Any]) -> type:
    """Find the one type of a column of Python objects; a column without values passes as text."""
    if isinstance(values, Words) and values.is_text:
        return str
    found = set(map(type, values))
    if not found <= set(_ENCODE):
        found = {type(value.item() if isinstance(value, np.generic) else value) for value in values}
    if len(found) > 1 or not found <= set(_ENCODE):
        names = ", ".join(sorted(kind.__name__ for kind in found))
        raise GeoError(f"column {name}: expected one of str, int, float or bool, got {names}")
    return found.pop() if found else str
