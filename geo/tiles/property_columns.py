"""Feature properties of vector tiles: one type a column, each distinct value once.

They are encoded as Mapbox Vector Tiles have them (clause 4.4), or given as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from geo.columnar.binary_array import BinaryArray, DecodedArray
from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.columnar.row_order import ranges
from geo.errors import GeoError
from geo.lonlat import Bools, Ints
from geo.tiles.protobuf import (
    Block,
    ByteRows,
    Cell,
    concat,
    digits,
    field,
    table,
    varint,
    varint_size,
    varint_sizes,
    zigzag,
)

_NONE = ByteRows(np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.int64))
_TYPES: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "U": str}
_DTYPES: dict[type, type[np.generic]] = {bool: np.bool_, int: np.int64, float: np.float64}
#: At most so many texts of a tile are encoded one by one; more are encoded all at once.
_MAX_SINGLE_TEXTS = 16
#: Of texts of at most so many bytes, the length and that of the Value message take a byte each.
_MAX_SHORT_TEXT = 125


class Texts(NamedTuple):
    """Texts in UTF-8, end to end, and the number of bytes of each, shape (n,)."""

    sizes: Ints
    joined: bytes

    @classmethod
    def of(cls, texts: BinaryArray) -> Texts:
        """Join texts that lie apart."""
        sizes = texts.stops - texts.starts
        joined = np.empty(int(sizes.sum()), np.uint8)
        texts.gather_into(ranges(texts.starts, sizes), joined, sizes.cumsum())
        return cls(sizes, joined.tobytes())


class OccurringValues(NamedTuple):
    """The values of each column that occur at some rows.

    Attributes
    ----------
    names
        Of the columns.
    slots
        The place of each column in the three below.
    codes
        -1 where a row has no value, shape (columns, rows).
    places
        That of each value among those of its column that occur, shape (columns, rows), without meaning where there
        is none.
    values
        Those of each column that occur: texts, or an array of bool, int64 or float64.
    """

    names: Sequence[str]
    slots: Sequence[int]
    codes: Codes
    places: npt.NDArray[np.uint32]
    values: Sequence[Texts | npt.NDArray[Any]]


class PropertyColumns:
    """Properties of all rows of a layer, encoded when it is built.

    Columns whose dictionary is in memory are encoded once; texts that are stored as bytes (`geo.columnar.binary_array`)
    are encoded for each tile.

    Parameters
    ----------
    columns
        Values by name, one a row; a row has no such property where the value is None, NaN or NA.
    rows
        Number of rows.
    previous
        Properties before an edit; what is encoded is shared where a dictionary is the very same.

    Raises
    ------
    GeoError
        When a column does not fit the rows, or its values are of more than one type, or of another than str, int,
        float or bool.
    """

    def __init__(
        self, columns: Mapping[str, Sequence[Any]], rows: int, previous: PropertyColumns | None = None
    ) -> None:
        self._codes: list[DictionaryArray] = []
        self._dictionaries: dict[str, Sequence[Any]] = {}
        #: The values of each column: encoded, or as the texts that are encoded for each tile.
        self._encoded: dict[str, ByteRows | BinaryArray] = {}
        for name, values in columns.items():
            if len(values) != rows:
                raise GeoError(f"column {name}: expected {rows} values, got {len(values)}")
            if (
                isinstance(values, DictionaryArray)
                and previous is not None
                and values.dictionary is previous._dictionaries.get(name)
            ):
                column, encoded = values, previous._encoded[name]
            else:
                column, encoded = _read(name, values)
            self._codes.append(column)
            self._dictionaries[name], self._encoded[name] = column.dictionary, encoded
        self._lay_out()
        #: The names, encoded, and the index of each as a varint.
        self.keys = b"".join(field(3, name.encode()) for name in columns)
        self._keys = digits(np.arange(len(columns), dtype=np.uint32))

    def _lay_out(self) -> None:
        """Number the values through all columns: encoded ones, and texts by themselves."""
        plain = {index: values for index, values in enumerate(self._encoded.values()) if isinstance(values, ByteRows)}
        packed = {
            index: values for index, values in enumerate(self._encoded.values()) if isinstance(values, BinaryArray)
        }
        #: The columns in the order in which values are numbered, those of texts last, and the slot of each column.
        self._order = np.array([*plain, *packed], np.int64)
        self._slot = np.argsort(self._order)
        self._codes = [self._codes[index] for index in self._order.tolist()]
        self._packed = [*packed.values()]
        #: Number of encoded columns before each column of texts.
        self._plain_before = np.searchsorted([*plain], [*packed])
        self._values = ByteRows(*(np.concatenate(parts) for parts in zip(_NONE, *plain.values(), strict=True)))
        self._starts = self._values.starts()
        #: Number of the first value of each column, and the number of all values.
        self._firsts = np.cumsum([0, *(len(rows.sizes) for rows in plain.values())])
        self._packed_firsts = np.cumsum([0, *map(len, self._packed)])

    def tags(self, rows: Ints) -> tuple[Block, bytes]:
        """Encode the properties of rows.

        Parameters
        ----------
        rows
            Rows of the layer, shape (n,).

        Returns
        -------
        The tags of each row (clause 4.2: pairs of indices of a key and a value), n rows of varints; and the values that
        they refer to, encoded as Value messages.
        """
        codes = self._codes_at(rows)
        indices, encoded = self._indices(codes)
        present = codes[self._slot].T >= 0
        return self._paired(np.ascontiguousarray(indices.T), np.ascontiguousarray(present)), encoded

    def occurring(self, rows: Ints) -> OccurringValues:
        """Find the values that occur at rows, shape (n,), as they are in memory."""
        codes = self._codes_at(rows)
        cut = len(self._order) - len(self._packed)
        plain, used = _renumbered(codes[:cut], self._firsts)
        packed, texts = _renumbered(codes[cut:], self._packed_firsts)
        ends, text_ends = used.searchsorted(self._firsts), texts.searchsorted(self._packed_firsts)
        index = np.concatenate(
            [plain - ends[:-1, None].astype(np.uint32), packed - text_ends[:-1, None].astype(np.uint32)]
        )
        sizes = self._plain_texts.sizes[used]
        joined = self._plain_texts.take(used, self._plain_starts)
        byte_ends = np.concatenate([[0], sizes.cumsum()])[ends].tolist()
        values: list[Texts | npt.NDArray[Any]] = [
            Texts(sizes[begin:end], joined[first:last]) if numbers is None else numbers[used[begin:end] - start]
            for numbers, start, (begin, end), (first, last) in zip(
                self._plain_numbers, self._firsts.tolist(), pairwise(ends.tolist()), pairwise(byte_ends), strict=False
            )
        ]
        values += [
            Texts.of(own.take(texts[begin:end] - start))
            for own, start, (begin, end) in zip(
                self._packed, self._packed_firsts.tolist(), pairwise(text_ends.tolist()), strict=False
            )
        ]
        return OccurringValues([*self._dictionaries], self._slot.tolist(), codes, index, values)

    @cached_property
    def _plain_numbers(self) -> Sequence[npt.NDArray[Any] | None]:
        """The numbers and truth values of each column whose dictionary is in memory; ``None`` for texts."""
        names = [*self._dictionaries]
        cut = len(self._order) - len(self._packed)
        return [_numbers(names[index], self._dictionaries[names[index]]) for index in self._order[:cut].tolist()]

    @cached_property
    def _plain_texts(self) -> ByteRows:
        """The texts of the columns whose dictionary is in memory, by number; nothing for what is no text."""
        names = [*self._dictionaries]
        cut = len(self._order) - len(self._packed)
        texts = [
            str(word).encode() if numbers is None else b""
            for index, numbers in zip(self._order[:cut].tolist(), self._plain_numbers, strict=True)
            for word in self._dictionaries[names[index]]
        ]
        return ByteRows(np.frombuffer(b"".join(texts), dtype=np.uint8), _lengths(texts))

    @cached_property
    def _plain_starts(self) -> Ints:
        return self._plain_texts.starts()

    def _codes_at(self, rows: Ints) -> Codes:
        """Codes of each column at rows, shape (columns, rows), in the order in which values are numbered."""
        codes = np.empty((len(self._codes), len(rows)), np.int32)
        for number, column in enumerate(self._codes):
            column.write_codes_at(rows, codes[number])
        return codes

    def _paired(self, indices: npt.NDArray[np.uint32], present: Bools) -> Block:
        """Put the index of its key before that of each value."""
        width = varint_size(int(indices.max()) if indices.size else 0)
        key_width = self._keys.data.shape[-1]
        data = np.empty((*indices.shape, key_width + width), dtype=np.uint8)
        used = np.empty(data.shape, dtype=bool)
        data[..., :key_width] = self._keys.data
        np.logical_and(present[..., None], self._keys.present, out=used[..., :key_width])
        values = digits(indices)
        for digit in range(width):
            data[..., key_width + digit] = values.data[..., digit]
            np.logical_and(present, values.present[..., digit], out=used[..., key_width + digit])
        return Block(data, used).flat()

    def _indices(self, codes: Codes) -> tuple[npt.NDArray[np.uint32], bytes]:
        """Index of each value among those that a tile has, shape (columns, rows), and these values, encoded.

        Values are in the order of the columns. The index of a missing value has no meaning.
        """
        cut = len(self._order) - len(self._packed)
        plain, used = _renumbered(codes[:cut], self._firsts)
        if not self._packed:
            return plain, self._values.take(used, self._starts)
        packed, texts = _renumbered(codes[cut:], self._packed_firsts)
        ends, text_ends = used.searchsorted(self._firsts), texts.searchsorted(self._packed_firsts)
        begins = np.concatenate([ends[:-1], text_ends[:-1]])
        counts = (np.concatenate([ends[1:], text_ends[1:]]) - begins)[self._slot]
        shift = ((counts.cumsum() - counts)[self._order] - begins).astype(np.uint32)[:, None]
        indices = np.concatenate([plain + shift[:cut], packed + shift[cut:]])[self._slot]
        encoded_texts = self._encode_texts(texts, text_ends.tolist())
        return indices, self._interleaved(used, ends[self._plain_before].tolist(), encoded_texts)

    def _interleaved(self, used: Ints, before: Sequence[int], texts: Sequence[bytes]) -> bytes:
        """Encoded values with the texts of each column of texts behind the values of the columns before it."""
        sizes = self._values.sizes[used]
        data = self._values.data[ranges(self._starts[used], sizes)].tobytes()
        ends = sizes.cumsum()
        pieces, begin = [], 0
        for count, encoded in zip(before, texts, strict=True):
            end = int(ends[count - 1]) if count else 0
            pieces += [data[begin:end], encoded]
            begin = end
        return b"".join([*pieces, data[begin:]])

    def _encode_texts(self, numbers: Ints, ends: Sequence[int]) -> list[bytes]:
        """Encode texts by number, ascending, for each column of texts; its numbers end at one of ``ends``."""
        parts = zip(self._packed, self._packed_firsts.tolist(), pairwise(ends), strict=False)
        taken = [packed.take(numbers[begin:end] - first) for packed, first, (begin, end) in parts]
        if len(numbers) <= _MAX_SINGLE_TEXTS:
            return [b"".join(field(4, field(1, text)) for text in texts) for texts in taken]
        starts = np.concatenate([texts.starts for texts in taken])
        heads = _heads(np.concatenate([texts.stops for texts in taken]) - starts)
        sizes, starts = np.concatenate([texts.stops for texts in taken]) - starts + heads.sizes, starts - heads.sizes
        stops = sizes.cumsum()
        index = ranges(starts, sizes)
        data = np.empty(len(index), np.uint8)
        cuts = [0, *(int(stops[end - 1]) if end else 0 for end in ends[1:])]
        for texts, (begin, end), (first, last) in zip(taken, pairwise(cuts), pairwise(ends), strict=True):
            texts.gather_into(index[begin:end], data[begin:end], stops[first:last] - begin)
        data[ranges(stops - sizes, heads.sizes)] = heads.data
        encoded = data.tobytes()
        return [encoded[begin:end] for begin, end in pairwise(cuts)]


def _read(name: str, values: Sequence[Any]) -> tuple[DictionaryArray, ByteRows | BinaryArray]:
    """Dictionary and codes of a column, and its values, encoded or as texts."""
    column, kind = _coded(name, values)
    words = column.dictionary
    if isinstance(words, DecodedArray) and words.is_text:
        return column, words.binary
    return column, _ENCODE[kind](words)


def _numbers(name: str, words: Sequence[Any]) -> npt.NDArray[Any] | None:
    """The values of a dictionary as an array of bool, int64 or float64; ``None`` for texts."""
    kind = _type_of(name, words)
    return None if kind is str else np.array(list(words), _DTYPES[kind])


def _strings(words: Sequence[Any]) -> ByteRows:
    texts = [str(word).encode() for word in words]
    return _texts(ByteRows(np.frombuffer(b"".join(texts), dtype=np.uint8), _lengths(texts)))


def _texts(body: ByteRows) -> ByteRows:
    """Encode UTF-8 texts as Value messages."""
    head = _heads(body.sizes)
    return ByteRows(concat(head, body), head.sizes + body.sizes)


def _heads(sizes: Ints) -> ByteRows:
    """Bytes that begin Value messages of texts of so many bytes: field numbers and lengths of message and text."""
    if sizes.max(initial=0) <= _MAX_SHORT_TEXT:
        head = np.empty((len(sizes), 4), np.uint8)
        head[:, 0], head[:, 1], head[:, 2], head[:, 3] = 4 << 3 | 2, sizes + 2, 1 << 3 | 2, sizes
        return ByteRows(head.ravel(), np.full(len(sizes), 4))
    lengths = sizes.astype(np.uint64)
    message = 1 + varint_sizes(lengths).astype(np.uint64) + lengths
    return table([Cell(4 << 3 | 2), Cell(message), Cell(1 << 3 | 2), Cell(lengths)], len(lengths))


def _floats(words: Sequence[Any]) -> ByteRows:
    values = np.array([float(word) for word in words], dtype="<f8")
    data = np.empty((len(values), 11), np.uint8)
    data[:, :3] = (4 << 3 | 2, 9, 3 << 3 | 1)
    data[:, 3:] = values.view(np.uint8).reshape(-1, 8)
    return ByteRows(data.ravel(), np.full(len(values), 11))


def _integers(words: Sequence[Any]) -> ByteRows:
    try:
        values = np.array([int(word) for word in words], np.int64)
    except OverflowError as error:
        raise GeoError("expected whole numbers of 64 bits") from error
    zigzagged = zigzag(values)
    size = 1 + varint_sizes(zigzagged)
    return table([Cell(4 << 3 | 2), Cell(size.astype(np.uint64)), Cell(6 << 3), Cell(zigzagged)], len(values))


def _booleans(words: Sequence[Any]) -> ByteRows:
    encoded = [field(4, varint(7 << 3) + varint(bool(word))) for word in words]
    return ByteRows(np.frombuffer(b"".join(encoded), dtype=np.uint8), _lengths(encoded))


#: Encoders by type; the type alone decides the field of a Value message (clause 4.1), never the value.
_ENCODE: dict[type, Callable[[Sequence[Any]], ByteRows]] = {
    str: _strings,
    float: _floats,
    int: _integers,
    bool: _booleans,
}


def _lengths(parts: Sequence[bytes]) -> Ints:
    return np.fromiter(map(len, parts), dtype=np.int64, count=len(parts))


def _renumbered(codes: Codes, firsts: Ints) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Number the values that occur from 0.

    Parameters
    ----------
    codes
        Codes of each column, shape (columns, rows), -1 where missing.
    firsts
        Number of the first value of each column, and the number of all values, shape (columns + 1,).

    Returns
    -------
    Index of each value among those that occur, shape (columns, rows), without meaning where missing; and the numbers of
    the values that occur, ascending.
    """
    count = int(firsts[-1])
    numbers = np.where(codes < 0, count, codes + firsts[:-1, None])
    if count > 256 * numbers.size + 1024:
        distinct = np.unique(numbers)
        used = distinct[: len(distinct) - (len(distinct) > 0 and distinct[-1] == count)]
        return np.searchsorted(distinct, numbers).astype(np.uint32), used
    occurs = np.zeros(count + 1, dtype=bool)
    occurs[numbers] = True
    occurs[count] = False
    (used,) = occurs.nonzero()
    index = np.empty(count + 1, dtype=np.uint32)
    index[used], index[count] = np.arange(len(used), dtype=np.uint32), 0
    return index[numbers], used


def _coded(name: str, values: Sequence[Any]) -> tuple[DictionaryArray, type]:
    """A column as dictionary and codes, and the one type of its values."""
    if isinstance(values, DictionaryArray):
        kind = _type_of(name, values.dictionary)
        if kind is not float or not np.isnan(values.dictionary).any():
            return values, kind
    typed = getattr(values, "dtype", None)
    if isinstance(typed, np.dtype) and typed.kind in _TYPES:
        array, kind = np.asarray(values), _TYPES[typed.kind]
    else:
        # Value by value, as NumPy would bring 1, 2.5 and "a" to one type.
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
        kind = _type_of(name, [value for value in array if not _is_missing(value)])
    # Numbered in the order in which they come first.
    numbers: dict[Any, int] = {}
    codes = [-1 if _is_missing(value) else numbers.setdefault(value, len(numbers)) for value in array.tolist()]
    return DictionaryArray(list(numbers), np.array(codes, dtype=np.int32)), kind


def _is_missing(value: Any) -> bool:
    """Whether a value is None or NaN, or one of pandas' NaT and NA, which are not equal to themselves either."""
    equal = value == value
    return value is None or not isinstance(equal, bool | np.bool_) or not equal


def _type_of(name: str, values: Iterable[Any]) -> type:
    """The one type of the values of a column; a column without values is of texts."""
    if isinstance(values, DecodedArray) and values.is_text:
        return str
    types = set(map(type, values))
    if not types <= set(_ENCODE):
        types = {type(value.item() if isinstance(value, np.generic) else value) for value in values}
    if len(types) > 1 or not types <= set(_ENCODE):
        names = ", ".join(sorted(of_value.__name__ for of_value in types))
        raise GeoError(f"column {name}: expected one of str, int, float or bool, got {names}")
    return types.pop() if types else str
