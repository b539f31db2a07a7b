"""Tables in files of the Arrow IPC format: one record batch, uncompressed, so that its buffers are mapped as they lie.

`pyarrow` writes a file and names where each buffer lies in it; by these places NumPy reads the columns alone, because a
server that imports pyarrow takes 60 ms and 25 MB more. Other programs read the file as any other of its format.
"""

from __future__ import annotations

import hashlib
import io
import mmap
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo.columnar.binary_array import BinaryArray, Bytes, DecodedArray, text_array, text_list_array
from geo.columnar.dictionary_array import DictionaryArray
from geo.columnar.lazy_array import batches

if TYPE_CHECKING:
    import pyarrow as pa

#: Where each buffer of a column lies, as JSON has it.
Layout = dict[str, Any]

#: What a file of the format begins and ends with.
MAGIC = b"ARROW1"
#: Bytes that are written and added to the digest between two calls of what may end the writing.
_PIECE = 1 << 23
#: Bytes of one write. The system caches what larger ones write in larger pieces (large folios), and maps all of a piece
#: where a byte of it is read, so that a worker would be a third larger.
_WRITE = 1 << 15
#: The day from which Arrow counts days, as an ordinal.
EPOCH = date(1970, 1, 1).toordinal()


class ArrowTable:
    """The columns of a mapped file; nothing is copied.

    Parameters
    ----------
    content
        All bytes of the file.
    columns
        What `layout_of` gave of it.
    """

    def __init__(self, content: Bytes, columns: Mapping[str, Layout]) -> None:
        self._content, self._columns = content, columns

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def values(self, name: str) -> NDArray[Any]:
        """Numbers, shape (n,) or (n, k), not to be written to; any number stands for a null."""
        return _values(self._content, self._items(name))

    def binary(self, name: str, separator: bytes = b"") -> BinaryArray:
        """Rows of bytes that were written with that separator; a row that is null is empty."""
        return _binary(self._content, self._items(name), separator)

    def texts(self, name: str) -> DecodedArray[str]:
        """Texts, each of which is decoded when it is read."""
        return text_array(self.binary(name))

    def coded(self, name: str, words: ArrowTable | None = None) -> DictionaryArray:
        """A column of codes, -1 where a value is missing, and the dictionary of its name here or in another table."""
        return DictionaryArray((words or self).words(name), self.values(name))

    def words(self, name: str) -> Any:
        """The dictionary of a column, or one that is its only row; texts are decoded when they are read."""
        column = self._columns[name].get("dictionary") or self._items(name)
        if column["type"] == "large_string":
            return (text_list_array if column.get("is_json") else text_array)(_binary(self._content, column))
        words = _values(self._content, column).tolist()
        return [date.fromordinal(EPOCH + day) for day in words] if column["type"] == "date32[day]" else words

    def _items(self, name: str) -> Layout:
        """A column or, where it is one row that is a list, what is in this."""
        column = self._columns[name]
        found: Layout = column.get("items", column)
        return found


def _values(content: Bytes, column: Layout) -> NDArray[Any]:
    dtype, width = np.dtype(column["dtype"]), column["width"]
    values = _bytes(content, column["buffers"][-1][0], column["rows"] * width * dtype.itemsize).view(dtype)
    return values if width == 1 else values.reshape(-1, width)


def _binary(content: Bytes, column: Layout, separator: bytes = b"") -> BinaryArray:
    _, offsets, data = column["buffers"]
    ends = _bytes(content, offsets[0], 8 * (column["rows"] + 1)).view("<i8")
    return BinaryArray([_bytes(content, *data)], ends[:-1], ends[1:] - len(separator) if separator else ends[1:])


def _bytes(content: Bytes, start: int, size: int) -> Bytes:
    found = content[start : start + size]
    if len(found) < size:
        raise ValueError(f"expected {size} bytes behind byte {start} of a file of {len(content)}")
    return found


def release_pages(maps: Iterable[mmap.mmap]) -> None:
    """Let the system take back the memory that mapped files take in this process; they stay mapped and readable."""
    for mapped in maps if hasattr(mmap, "MADV_DONTNEED") else ():
        mapped.madvise(mmap.MADV_DONTNEED)


def write_ipc(batch: pa.RecordBatch, sink: io.RawIOBase) -> None:
    """Write a record batch as a file of the format."""
    import pyarrow as pa

    with pa.PythonFile(sink, mode="w") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)


def layout_of(path: Path) -> dict[str, Layout]:
    """Where the buffers of each column lie in a file that `write_ipc` wrote.

    Raises
    ------
    pyarrow.ArrowInvalid
        If it is no such file; it is a ValueError.
    """
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        begin = file.read_buffer().address
        file.seek(0)
        batch = pa.ipc.open_file(file).get_batch(0)
        return {field.name: _layout(batch.column(field.name), begin, field) for field in batch.schema}


def _layout(array: pa.Array, begin: int, field: pa.Field) -> Layout:
    import pyarrow as pa

    kind, encoding = array.type, (field.metadata or {}).get(b"encoding")
    layout: Layout = {"type": str(kind), "rows": len(array)}
    if pa.types.is_large_list(kind):
        return layout | {"items": _layout(array.values, begin, field)}
    layout["buffers"] = [_place(buffer, begin) for buffer in array.buffers()]
    if pa.types.is_dictionary(kind):
        layout["dictionary"] = _layout(array.dictionary, begin, field)
        kind = kind.index_type
    layout["width"] = kind.list_size if pa.types.is_fixed_size_list(kind) else 1
    plain = kind.value_type if pa.types.is_fixed_size_list(kind) else kind
    if pa.types.is_date32(plain):
        plain = pa.int32()
    if pa.types.is_integer(plain) or pa.types.is_floating(plain):
        layout["dtype"] = "?" if encoding == b"bool" else np.dtype(plain.to_pandas_dtype()).str
    return layout | ({"is_json": True} if encoding == b"json" else {})


def _place(buffer: pa.Buffer | None, begin: int) -> tuple[int, int] | None:
    """First byte of a buffer, and its bytes; an empty one lies nowhere."""
    return None if buffer is None else (buffer.address - begin if buffer.size else 0, buffer.size)


class FileSink(io.RawIOBase):
    """A file that is written to in pieces.

    Parameters
    ----------
    path
        A file that does not exist.
    at_page
        Called before each piece; an error that it raises ends the writing.

    Attributes
    ----------
    size
        Bytes that were written.
    digest
        SHA-256 of them.
    """

    def __init__(self, path: Path, at_page: Callable[[], None]) -> None:
        self._file: IO[bytes] = path.open("xb")
        self._at_page = at_page
        self.size, self.digest = 0, hashlib.sha256()

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Write bytes behind those before."""
        view = memoryview(data).cast("B")
        for part in batches(len(view), _PIECE):
            self._at_page()
            piece = view[part]
            self.digest.update(piece)
            self._take(piece)
            self.size += len(piece)
        return len(view)

    def _take(self, piece: memoryview) -> None:
        for part in batches(len(piece), _WRITE):
            self._file.write(piece[part])

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class ComparingSink(FileSink):
    """Is written to as a file, and compares what is written with a file that is there, which stays as it is.

    Attributes
    ----------
    is_same
        Whether all bytes so far are those of the file; it may have more.
    """

    def __init__(self, path: Path, at_page: Callable[[], None]) -> None:
        self._file, self._at_page = path.open("rb"), at_page
        self.size, self.digest, self.is_same = 0, hashlib.sha256(), True

    def _take(self, piece: memoryview) -> None:
        self.is_same = self.is_same and self._file.read(len(piece)) == piece
