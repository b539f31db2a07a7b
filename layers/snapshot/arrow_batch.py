"""Columns put together into one record batch of Arrow; large ones in pieces are joined in a file, not in memory."""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.columnar.binary_array import BinaryArray, DecodedArray, text_array, text_list_array
from geo.columnar.chunked_array import Array, batches
from geo.columnar.dictionary_array import DictionaryArray
from geo.lonlat import LONLAT, Bools
from layers.collections.property_types import PropertyType, arrow_types

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows that are joined at once.
PAGE = 1 << 15
#: Arrays of more bytes are joined in a file.
_MAX_BYTES_IN_MEMORY = 1 << 20

#: Metadata of a field of geometries (GeoArrow 0.2).
GEOARROW = {
    "ARROW:extension:name": "geoarrow.wkb",
    "ARROW:extension:metadata": json.dumps({"crs": LONLAT, "crs_type": "authority_code"}),
}
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
    """

    def __init__(self, folder: Path | None = None, at_page: Callable[[], None] = lambda: None) -> None:
        self._folder, self._at_page = folder, at_page
        self._fields: list[pa.Field] = []
        self._arrays: list[pa.Array] = []

    def add(self, name: str, values: pa.Array, metadata: Metadata | None = None) -> None:
        """Add a column of Arrow, plain or of lists, in whose place a copy in a file is held where it is large."""
        self._add(name, self._aside(values), metadata)

    def _add(self, name: str, values: pa.Array, metadata: Metadata | None = None) -> None:
        import pyarrow as pa

        self._arrays.append(values)
        self._fields.append(pa.field(name, values.type, metadata=metadata))

    def add_values(self, name: str, values: Array, dtype: type[np.generic]) -> None:
        """Add numbers, shape (n,) or (n, k), none of them null; truth values are bytes."""
        self._add(name, self._numbers(values, dtype), _encoding(dtype))

    def add_list(self, name: str, values: Array | BinaryArray, dtype: type[np.generic] = np.bytes_) -> None:
        """Add numbers, or rows of bytes, as the one row of a column of lists."""
        items = self._large_binary(values) if isinstance(values, BinaryArray) else self._numbers(values, dtype)
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
        self.add_values(name, column.chunked_codes, np.int32)
        words.add_words(name, column, kind)

    def add_words(self, name: str, column: DictionaryArray, kind: PropertyType) -> None:
        """Add the dictionary of a column as the one row of a column of lists; lists of texts are JSON text in it."""
        import pyarrow as pa

        if kind == "boolean":
            self.add_list(name, np.array(column.dictionary, bool), np.bool_)
        elif kind in ("list", "text", "edtf", "timestamp"):
            words = self._texts(column, is_list=kind == "list")
            self._add(name, _only_row(words), {"encoding": "json"} if kind == "list" else None)
        else:
            words = pa.array(list(column.dictionary), pa.int64() if kind == "integer" else arrow_types()[kind])
            self._add(name, _only_row(words))

    def add_text(self, name: str, column: DictionaryArray, metadata: Metadata | None = None) -> bool:
        """Add texts as a dictionary and codes, of as few bytes as they need where some are missing.

        A code of -1 for a null is right by the format, but not every reader takes it.

        Returns
        -------
        bool
            Whether no text is missing; then the codes are those of the column, as int32.
        """
        import pyarrow as pa

        codes = self.joined(column.chunked_codes, np.int32)
        dictionary = self._texts(column)
        is_complete = not len(codes) or int(codes.min()) >= 0
        if is_complete:
            indices = pa.array(codes)
        else:
            dtype = next(kind for kind in (np.int8, np.int16, np.int32) if len(dictionary) <= np.iinfo(kind).max + 1)
            indices = pa.array(np.maximum(codes, 0).astype(dtype), mask=codes < 0)
        self._add(name, pa.DictionaryArray.from_arrays(indices, dictionary), metadata)
        return is_complete

    def batch(self, metadata: Metadata | None = None) -> pa.RecordBatch:
        """All columns, in the order in which they were added."""
        import pyarrow as pa

        return pa.record_batch(self._arrays, schema=pa.schema(self._fields, metadata=metadata))

    def joined(self, values: Array, dtype: type[np.generic]) -> NDArray[Any]:
        """An array in one piece; of one that is already no row is copied."""
        if isinstance(values, np.ndarray):
            return np.ascontiguousarray(values, dtype)
        out = self._empty((len(values), *values[:0].shape[1:]), dtype)
        for page in batches(len(values), PAGE):
            self._at_page()
            out[page] = values[page]
        return out

    def _numbers(self, values: Array, dtype: type[np.generic]) -> pa.Array:
        import pyarrow as pa

        joined = self.joined(values, dtype)
        items = pa.array(joined.reshape(-1).view(np.uint8) if dtype is np.bool_ else joined.reshape(-1))
        return pa.FixedSizeListArray.from_arrays(items, joined.shape[1]) if joined.ndim > 1 else items

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
        if is_whole and np.array_equal(rows.starts, offsets[:-1]) and _are_separated(rows, separator):
            return offsets, first
        data = self._empty((int(offsets[-1]),), np.uint8)
        for page in batches(len(rows), PAGE):
            self._at_page()
            content = b"".join(row + separator for row in rows[page])
            data[offsets[page.start] :][: len(content)] = np.frombuffer(content, np.uint8)
        return offsets, data

    def _texts(self, column: DictionaryArray, is_list: bool = False) -> pa.Array:
        import pyarrow as pa

        words = column.dictionary
        if not isinstance(words, DecodedArray):
            words = text_list_array(words) if is_list else text_array(words)
        offsets, data = self._end_to_end(words.binary, b"")
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_string(), len(words), buffers)

    def _aside(self, array: pa.Array) -> pa.Array:
        import pyarrow as pa

        self._at_page()
        own = array.buffers()[: array.type.num_buffers]
        children = [self._aside(array.values)] if pa.types.is_list(array.type) else None
        return pa.Array.from_buffers(array.type, len(array), [*map(self._copied, own)], children=children)

    def _copied(self, buffer: pa.Buffer | None) -> pa.Buffer | None:
        import pyarrow as pa

        if buffer is None or buffer.size <= _MAX_BYTES_IN_MEMORY:
            return buffer
        copy = self._empty((buffer.size,), np.uint8)
        copy[:] = np.frombuffer(buffer, np.uint8)
        return pa.py_buffer(copy)

    def _empty(self, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """An array to be filled: a large one is in a file, whose memory the system can take back."""
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if size <= _MAX_BYTES_IN_MEMORY:
            return np.empty(shape, dtype)
        with TemporaryFile(dir=self._folder) as file:
            file.truncate(size)
            return np.frombuffer(mmap.mmap(file.fileno(), size), dtype).reshape(shape)


def _only_row(items: pa.Array) -> pa.LargeListArray:
    import pyarrow as pa

    return pa.LargeListArray.from_arrays(pa.array([0, len(items)], pa.int64()), items)


def _encoding(dtype: type[np.generic]) -> Metadata | None:
    """What is said of a column whose type does not tell what its values are."""
    return {"encoding": "bool"} if dtype is np.bool_ else None


def _bits(is_there: Bools) -> pa.Buffer | None:
    """The bitmap of what is not null; none where nothing is."""
    import pyarrow as pa

    return None if is_there.all() else pa.py_buffer(np.packbits(is_there, bitorder="little"))


def _are_separated(rows: BinaryArray, separator: bytes) -> bool:
    """Whether a separator of one byte, or of none, is behind each row in the one buffer that all lie in."""
    return not separator or bool((rows.buffers[0][rows.stops] == separator[0]).all())
