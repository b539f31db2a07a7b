"""A folder of arrays that are mapped into memory: written once as a whole, and read without being parsed.

Each array is a file in NumPy's own format (NEP 1), texts are files of their bytes and of their ends, and all else is
metadata in one JSON file.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.lib import format as npy
from numpy.typing import NDArray

from geo.columnar.binary_array import BinaryArray, DecodedArray, text_array, text_list_array
from geo.columnar.chunked_array import Array, batches
from geo.columnar.dictionary_array import DictionaryArray
from layers.filesystem.atomic_file import sync

#: The file of all that is neither array nor text.
METADATA = "metadata.json"
#: Rows that are written at once.
PAGE = 1 << 15
_NOTHING = np.empty(0, np.uint8)


class ArrayFolderWriter:
    """Writes a folder of arrays; `finish` must be called last.

    Parameters
    ----------
    folder
        An empty folder.
    at_page
        Called before each file and each page of a large one; an error that it raises ends the writing.
    """

    def __init__(self, folder: Path, at_page: Callable[[], None] = lambda: None) -> None:
        self._folder, self._at_page = folder, at_page
        self._metadata: dict[str, Any] = {}

    def array(self, name: str, values: Array) -> None:
        """Write an array; one that is in chunks is joined page by page."""
        path = self._path(f"{name}.npy")
        if isinstance(values, np.ndarray):
            np.save(path, np.ascontiguousarray(values), allow_pickle=False)
            return
        shape = len(values), *values.take(np.arange(0)).shape[1:]
        header = {"descr": npy.dtype_to_descr(values.dtype), "fortran_order": False, "shape": shape}
        with path.open("wb") as file:
            npy.write_array_header_1_0(file, header)
            for page in batches(len(values), PAGE):
                file.write(np.ascontiguousarray(values[page], values.dtype).data)

    def packed(self, name: str, rows: BinaryArray, separator: bytes = b"") -> None:
        """Write rows of bytes, each followed by a separator."""
        sizes = [np.zeros(1, np.int64)]
        with self._path(f"{name}.bytes").open("wb") as file:
            for page in map(rows.__getitem__, batches(len(rows), PAGE)):
                file.writelines(row + separator for row in page)
                self._at_page()
                sizes.append(page.stops - page.starts + len(separator))
        self.array(f"{name}.ends", np.concatenate(sizes).cumsum())

    def coded(self, name: str, column: DictionaryArray) -> None:
        """Write a column."""
        self.array(f"{name}.codes", column.chunked_codes)
        kind = _kind(column)
        self.metadata(f"{name}.kind", kind)
        if kind in ("text", "list"):
            self.packed(f"{name}.words", as_packed(column.dictionary, kind))
        elif kind == "date":
            self.array(f"{name}.words", np.array([day.toordinal() for day in column.dictionary], np.int64))
        else:
            self.array(f"{name}.words", np.array(list(column.dictionary), kind))

    def metadata(self, name: str, value: Any) -> None:
        """Write a small value, of types that JSON has."""
        self._metadata[name] = value

    def finish(self) -> None:
        """Write the metadata, and let all files outlive a power cut: their readers trust them."""
        self._path(METADATA).write_bytes(orjson.dumps(self._metadata))
        for file in self._folder.iterdir():
            sync(file)

    def _path(self, name: str) -> Path:
        self._at_page()
        return self._folder / name


class ArrayFolderReader:
    """Reads a folder of `ArrayFolderWriter`; all of it is mapped at once, so that it may be replaced meanwhile.

    Raises
    ------
    OSError, ValueError
        If the folder does not exist, or a file of it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._maps: list[mmap.mmap] = []
        self._metadata: dict[str, Any] = orjson.loads((folder / METADATA).read_bytes())
        self._arrays = {path.stem: self._mapped(np.load(path, mmap_mode="r")) for path in folder.glob("*.npy")}
        self._bytes = {
            path.stem: self._mapped(np.memmap(path, np.uint8, mode="r")) if path.stat().st_size else _NOTHING
            for path in folder.glob("*.bytes")
        }

    def _mapped(self, file: np.memmap[Any, Any]) -> NDArray[Any]:
        if isinstance(file.base, mmap.mmap):
            self._maps.append(file.base)
        # A plain view of the map: its own class takes several times as long to pick from.
        return file.view(np.ndarray)

    def release_pages(self) -> None:
        """Let the system take back the memory that the files take in this process; they stay mapped and readable.

        Pages that the system still caches are mapped in again when they are read.
        """
        for mapped in self._maps if hasattr(mmap, "MADV_DONTNEED") else ():
            mapped.madvise(mmap.MADV_DONTNEED)

    def array(self, name: str) -> NDArray[Any]:
        """An array, not to be written to."""
        return self._arrays[name]

    def packed(self, name: str, separator: bytes = b"") -> BinaryArray:
        """Rows of bytes that were written with that separator."""
        ends = self.array(f"{name}.ends")
        return BinaryArray([self._bytes[name]], ends[:-1], ends[1:] - len(separator) if separator else ends[1:])

    def coded(self, name: str) -> DictionaryArray:
        """A column; each text or list is decoded when it is read."""
        codes, kind = self.array(f"{name}.codes"), self.metadata(f"{name}.kind")
        if kind == "text":
            return DictionaryArray(text_array(self.packed(f"{name}.words")), codes)
        if kind == "list":
            return DictionaryArray(text_list_array(self.packed(f"{name}.words")), codes)
        words = self.array(f"{name}.words").tolist()
        return DictionaryArray(list(map(date.fromordinal, words)) if kind == "date" else words, codes)

    def names(self) -> set[str]:
        """Names of the files in the folder now."""
        return {path.name for path in self.folder.iterdir()}

    def has_array(self, name: str) -> bool:
        """Whether there is an array of that name."""
        return name in self._arrays

    def unparted(self, name: str) -> NDArray[np.uint8]:
        """All bytes of what `packed` gives in rows, separators too; none where there is no such file."""
        return self._bytes.get(name, _NOTHING)

    @property
    def all_metadata(self) -> Mapping[str, Any]:
        """Every small value by its name."""
        return self._metadata

    def has_column(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return f"{name}.kind" in self._metadata

    def metadata(self, name: str) -> Any:
        """A small value."""
        return self._metadata[name]


class ArrayFolderComparison(ArrayFolderWriter):
    """Is written to as an `ArrayFolderWriter`, and compares a folder with what would be in it; nothing is written.

    Arrays are compared bit by bit in the type that the file has. `finish` must be called last.

    Parameters
    ----------
    files
        The folder.
    canonical
        Gives metadata in a form that is equal where they mean the same.
    at_page
        Called before each array and each page of texts.

    Attributes
    ----------
    differing
        Names of files with another content, in the order in which they were compared, and of files that are missing.
    compared
        Names of all files that should be there.
    """

    def __init__(
        self,
        files: ArrayFolderReader,
        canonical: Callable[[Mapping[str, Any]], Any],
        at_page: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(files.folder, at_page)
        self._files, self._canonical = files, canonical
        self.differing: list[str] = []
        self.compared: set[str] = {METADATA}

    def array(self, name: str, values: Array) -> None:
        """Compare an array."""
        self._at_page()
        is_same = self._files.has_array(name) and self._is_same(self._files.array(name), values)
        self._note(f"{name}.npy", is_same)

    def _is_same(self, stored: NDArray[Any], values: Array) -> bool:
        shape = len(values), *values[:0].shape[1:]
        if stored.shape != shape or stored.dtype.kind != values.dtype.kind:
            return False
        pages = batches(len(values), PAGE)
        return all(
            np.ascontiguousarray(values[page], stored.dtype).tobytes() == stored[page].tobytes() for page in pages
        )

    def packed(self, name: str, rows: BinaryArray, separator: bytes = b"") -> None:
        """Compare rows of bytes, each followed by a separator."""
        stored, at, is_same, sizes = self._files.unparted(name), 0, True, [np.zeros(1, np.int64)]
        for page in map(rows.__getitem__, batches(len(rows), PAGE)):
            content = b"".join(row + separator for row in page)
            is_same = is_same and stored[at : at + len(content)].tobytes() == content
            at += len(content)
            self._at_page()
            sizes.append(page.stops - page.starts + len(separator))
        self._note(f"{name}.bytes", is_same and at == len(stored))
        self.array(f"{name}.ends", np.concatenate(sizes).cumsum())

    def finish(self) -> None:
        """Compare the metadata as JSON."""
        computed: dict[str, Any] = orjson.loads(orjson.dumps(self._metadata))
        self._note(METADATA, self._canonical(self._files.all_metadata) == self._canonical(computed))

    def _note(self, name: str, is_same: bool) -> None:
        self.compared.add(name)
        if not is_same:
            self.differing.append(name)


def _kind(column: DictionaryArray) -> str:
    """How the words of a column are written: as text, list, date or, by dtype, as plain values."""
    if not column.dictionary:
        return "text"
    first = column.dictionary[0]
    for kind, name in ((str, "text"), (tuple, "list"), (date, "date"), (bool, "bool"), (int, "int64")):
        if isinstance(first, kind):
            return name
    return "float64"


def as_packed(words: Sequence[Any], kind: str = "text") -> BinaryArray:
    """Texts or, by ``kind``, lists as bytes; words that are packed already are taken as they are."""
    if isinstance(words, DecodedArray):
        return words.binary
    return (text_array(words) if kind == "text" else text_list_array(words)).binary
