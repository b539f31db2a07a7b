"""Columns put together into one record batch of Arrow; bytes of many rows are joined in a file, not in memory."""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Iterable, Mapping, MutableSet, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from geo.columnar.binary_array import BinaryArray, DecodedArray, text_array, text_list_array
from geo.columnar.binary_builder import BinaryBuilder
from geo.columnar.dictionary_array import Codes, DictionaryArray
from geo.columnar.integers import ranges
from geo.columnar.lazy_array import batches
from geo.lonlat import LONLAT, Bools
from layers.collections.property_types import PropertyType, arrow_types
from layers.snapshot.arrow_table import EPOCH

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows that are joined at once.
PAGE = 1 << 15
#: Rows of bytes that are joined at once.
_PACKED_PAGE = 1 << 10

#: Metadata of a field of geometries (GeoArrow 0.2).
GEOARROW = {
    "ARROW:extension:name": "geoarrow.wkb",
    "ARROW:extension:metadata": json.dumps({"crs": LONLAT, "crs_type": "authority_code"}),
}
#: Types of values that are no texts, as Arrow has them.
_DTYPES: Mapping[PropertyType, type[np.generic]] = {
    "integer": np.int32, "number": np.float64, "boolean": np.bool_, "date": np.int32, "timestamp": np.int64,
}  # fmt: skip
#: Types of values that are texts in their column.
_TEXTS = ("text", "edtf", "timestamp")
#: Metadata of a field or a table, by name.
Metadata: TypeAlias = Mapping[str, str]


class BatchBuilder:
    """Collects columns of n rows each.

    Parameters
    ----------
    folder
        Where files that are needed meanwhile are; they have no names there. ``None`` is the system's own folder.
    at_page
        Called before each page of rows that is joined; an error that it raises ends the building.
    maps
        What the files are mapped by is put into it, as long as the columns are there.
    """

    def __init__(
        self,
        folder: Path | None = None,
        at_page: Callable[[], None] = lambda: None,
        maps: MutableSet[mmap.mmap] | None = None,
    ) -> None:
        self._folder, self._at_page = folder, at_page
        self._maps = WeakSet[mmap.mmap]() if maps is None else maps
        self._fields: list[pa.Field] = []
        self._arrays: list[pa.Array] = []

    def _add(self, name: str, values: pa.Array, metadata: Metadata | None = None) -> None:
        import pyarrow as pa

        self._arrays.append(values)
        self._fields.append(pa.field(name, values.type, metadata=metadata))

    def add_values(self, name: str, values: NDArray[Any], dtype: type[np.generic]) -> None:
        """Add numbers, shape (n,) or (n, k), none of them null; truth values are bytes."""
        self._add(name, _items(values, dtype), _encoding(dtype))

    def add_list(self, name: str, values: NDArray[Any] | BinaryArray, dtype: type[np.generic] = np.bytes_) -> None:
        """Add numbers, or rows of bytes, as the one row of a column of lists."""
        items = self._large_binary(values) if isinstance(values, BinaryArray) else _items(values, dtype)
        self._add(name, _only_row(items), _encoding(dtype))

    def add_binary(self, name: str, rows: BinaryArray, separator: bytes = b"") -> None:
        """Add rows of bytes, each with a separator behind."""
        self._add(name, self._large_binary(rows, separator))

    def add_geometry(self, name: str, wkb: BinaryArray) -> None:
        """Add geometries, lon/lat (OGC:CRS84), as GeoArrow has them in well-known binary; an empty row is null."""
        array = self._large_binary(wkb, is_there=wkb.stops > wkb.starts)
        self._add(name, array, GEOARROW)

    def add_coded(self, name: str, column: DictionaryArray, kind: PropertyType, words: BatchBuilder) -> None:
        """Add the codes of a column, -1 where a value is missing, and to another table of one row its dictionary."""
        self.add_values(name, column.codes, np.int32)
        words.add_words(name, column, kind)

    def add_words(self, name: str, column: DictionaryArray, kind: PropertyType) -> None:
        """Add the dictionary of a column as the one row of a column of lists; lists of texts are JSON text in it."""
        if kind in _TEXTS or kind == "list":
            words = self._texts(column, is_list=kind == "list")
            self._add(name, _only_row(words), {"encoding": "json"} if kind == "list" else None)
        elif kind == "date":
            self._add(name, _only_row(_array(_numbers(column, kind), arrow_types()[kind])))
        else:
            dtype = {"boolean": np.bool_, "integer": np.int64, "number": np.float64}[kind]
            self.add_list(name, np.array(column.dictionary, dtype), dtype)

    def add_typed(
        self, name: str, column: DictionaryArray, kind: PropertyType, metadata: Metadata | None = None
    ) -> None:
        """Add values by the type that Arrow has for them in all forms, see `arrow_types`; NaN and infinity are null."""
        codes = column.codes
        is_there = codes >= 0
        if kind == "list":
            self._add(name, self._lists(column, codes, is_there), metadata)
            return
        words = np.append(_numbers(column, kind), np.zeros(1, _DTYPES[kind]))  # the last, where a value is missing
        values = words[codes]
        if kind == "number":
            is_there &= np.isfinite(values)
        self._add(name, _array(values, arrow_types()[kind], is_there), metadata)

    def add_text(self, name: str, column: DictionaryArray, metadata: Metadata | None = None) -> bool:
        """Add texts as a dictionary and codes, of as few bytes as they need where some are missing.

        A code of -1 for a null is right by the format, but not every reader takes it.

        Returns
        -------
        bool
            Whether no text is missing; then the codes are those of the column, as int32.
        """
        import pyarrow as pa

        codes = column.codes
        dictionary = self._texts(column)
        is_there = codes >= 0
        is_complete = bool(is_there.all())
        if not is_complete:
            dtype = next(kind for kind in (np.int8, np.int16, np.int32) if len(dictionary) <= np.iinfo(kind).max + 1)
            codes = np.maximum(codes, 0).astype(dtype)
        indices = _array(codes, pa.from_numpy_dtype(codes.dtype), is_there)
        self._add(name, pa.DictionaryArray.from_arrays(indices, dictionary), metadata)
        return is_complete

    def batch(self, metadata: Metadata | None = None) -> pa.RecordBatch:
        """All columns, in the order in which they were added."""
        import pyarrow as pa

        return pa.record_batch(self._arrays, schema=pa.schema(self._fields, metadata=metadata))

    def packed(self, pages: Iterable[BinaryArray], separator: bytes = b"") -> BinaryArray:
        """Join arrays as `BinaryArray.of_pages` does; many bytes lie in a file, whose memory the system can take."""
        with BinaryBuilder(self._folder, separator) as builder:
            for page in pages:
                self._at_page()
                builder.append(page)
            packed = builder.finish()
        if builder.map is not None:
            self._maps.add(builder.map)
        return packed

    def _lists(self, column: DictionaryArray, codes: Codes, is_there: Bools) -> pa.Array:
        import pyarrow as pa

        lists = list(column.dictionary)
        sizes = np.array([*map(len, lists), 0])  # the last, where a list is missing
        begins = np.cumsum(sizes) - sizes
        ends = np.zeros(len(codes) + 1, np.int32)
        np.cumsum(sizes[codes], out=ends[1:])
        items = text_array(chain.from_iterable(lists)).binary
        offsets, data = self._end_to_end(items.take(ranges(begins[codes], sizes[codes])), b"")
        is_short = offsets[-1] <= np.iinfo(np.int32).max
        text, offset = (pa.string(), np.int32) if is_short else (pa.large_string(), np.int64)
        buffers = [None, pa.py_buffer(offsets.astype(offset)), pa.py_buffer(data)]
        texts = pa.Array.from_buffers(text, len(offsets) - 1, buffers)
        return pa.Array.from_buffers(
            pa.list_(text), len(codes), [_bits(is_there), pa.py_buffer(ends)], children=[texts]
        )

    def _large_binary(self, rows: BinaryArray, separator: bytes = b"", is_there: Bools | None = None) -> pa.Array:
        import pyarrow as pa

        offsets, data = self._end_to_end(rows, separator)
        buffers = [None if is_there is None else _bits(is_there), pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_binary(), len(rows), buffers)

    def _end_to_end(self, rows: BinaryArray, separator: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Where rows begin and end, shape (n + 1,), and their bytes, each with a separator behind."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(rows.stops - rows.starts + len(separator), out=offsets[1:])
        first = rows.buffers[0]
        is_whole = len(rows.buffers) == 1 and len(first) == offsets[-1]
        if is_whole and np.array_equal(rows.starts, offsets[:-1]) and self._are_separated(rows, separator):
            return offsets, first
        pages = (rows[page].packed(separator) for page in batches(len(rows), _PACKED_PAGE))
        return offsets, self.packed(pages, separator).buffers[0]

    def _are_separated(self, rows: BinaryArray, separator: bytes) -> bool:
        """Whether a separator of one byte, or of none, is behind each row in the one buffer that all lie in."""
        if not separator:
            return True
        for page in batches(len(rows), PAGE):
            self._at_page()
            if not (rows.buffers[0][rows.stops[page]] == separator[0]).all():
                return False
        return True

    def _texts(self, column: DictionaryArray, is_list: bool = False) -> pa.Array:
        import pyarrow as pa

        words = column.dictionary
        if not isinstance(words, DecodedArray):
            words = text_list_array(words) if is_list else text_array(words)
        offsets, data = self._end_to_end(words.binary, b"")
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_string(), len(words), buffers)


def _numbers(column: DictionaryArray, kind: PropertyType) -> NDArray[Any]:
    """The dictionary of a column as the numbers that Arrow has for them: days and milliseconds from 1970 on."""
    words: Sequence[Any] = column.dictionary
    if kind == "date":
        words = [day.toordinal() - EPOCH for day in words]
    elif kind == "timestamp":
        begin = datetime(1970, 1, 1, tzinfo=UTC)
        words = [(datetime.fromisoformat(text) - begin) // timedelta(milliseconds=1) for text in words]
    return np.array(words, _DTYPES[kind])


def _items(values: NDArray[Any], dtype: type[np.generic]) -> pa.Array:
    """Numbers, shape (n,) or (n, k), as Arrow has them; truth values are bytes."""
    import pyarrow as pa

    rows = np.ascontiguousarray(values, dtype)
    flat = rows.reshape(-1).view(np.uint8) if dtype is np.bool_ else rows.reshape(-1)
    items = _array(flat, pa.from_numpy_dtype(flat.dtype))
    return pa.FixedSizeListArray.from_arrays(items, rows.shape[1]) if rows.ndim > 1 else items


def _array(values: NDArray[Any], arrow: pa.DataType, is_there: Bools | None = None) -> pa.Array:
    """Values as Arrow has them, without a copy but of truth values; of an array itself pyarrow asks pandas."""
    import pyarrow as pa

    data = np.packbits(values, bitorder="little") if values.dtype == bool else values
    bits = None if is_there is None else _bits(is_there)
    return pa.Array.from_buffers(arrow, len(values), [bits, pa.py_buffer(data)])


def _only_row(items: pa.Array) -> pa.LargeListArray:
    import pyarrow as pa

    return pa.LargeListArray.from_arrays(_array(np.array([0, len(items)]), pa.int64()), items)


def _encoding(dtype: type[np.generic]) -> Metadata | None:
    """What is said of a column whose type does not tell what its values are."""
    return {"encoding": "bool"} if dtype is np.bool_ else None


def _bits(is_there: Bools) -> pa.Buffer | None:
    """The bitmap of what is not null; none where nothing is."""
    import pyarrow as pa

    return None if is_there.all() else pa.py_buffer(np.packbits(is_there, bitorder="little"))
