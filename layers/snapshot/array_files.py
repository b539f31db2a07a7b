"""A folder of arrays that are mapped into memory: written once as a whole, and read without being parsed.

Each array is a file in NumPy's own format (NEP 1), texts are their bytes and ends, and all else is in one JSON file.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.lib import format as npy
from numpy.typing import NDArray

from geo.columnar.binary_array import Packed, Words, lists, texts
from geo.columnar.chunked_array import Array, pages
from geo.columnar.dictionary_array import Coded

_TOLD = "told.json"
#: Rows that are written at once.
PAGE = 1 << 15
_NOTHING = np.empty(0, np.uint8)


class Writing:
    """A folder that is being filled. `finish` must be called last.

    Parameters
    ----------
    folder
        An empty folder.
    at_page
        Called before each file and each page of a large one; what it raises ends the writing.
    """

    def __init__(self, folder: Path, at_page: Callable[[], None] = lambda: None) -> None:
        self._folder, self._at_page = folder, at_page
        self._told: dict[str, Any] = {}

    def array(self, name: str, values: Array) -> None:
        """Keep an array; one that is in pieces is joined page by page."""
        path = self._path(f"{name}.npy")
        if isinstance(values, np.ndarray):
            np.save(path, np.ascontiguousarray(values), allow_pickle=False)
            return
        shape = len(values), *values.take(np.arange(0)).shape[1:]
        head = {"descr": npy.dtype_to_descr(values.dtype), "fortran_order": False, "shape": shape}
        with path.open("wb") as file:
            npy.write_array_header_1_0(file, head)
            for page in pages(len(values), PAGE):
                file.write(np.ascontiguousarray(values[page], values.dtype).data)

    def packed(self, name: str, rows: Packed, between: bytes = b"") -> None:
        """Keep rows of bytes, with what stands behind each."""
        sizes = [np.zeros(1, np.int64)]
        with self._path(f"{name}.bytes").open("wb") as file:
            for page in map(rows.__getitem__, pages(len(rows), PAGE)):
                file.writelines(row + between for row in page)
                self._at_page()
                sizes.append(page.stops - page.starts + len(between))
        self.array(f"{name}.ends", np.concatenate(sizes).cumsum())

    def coded(self, name: str, column: Coded) -> None:
        """Keep a column."""
        self.array(f"{name}.codes", column.codes_as_kept)
        kind = _kind(column)
        self.told(f"{name}.kind", kind)
        if kind in ("text", "list"):
            self.packed(f"{name}.words", as_packed(column.words, kind))
        elif kind == "date":
            self.array(f"{name}.words", np.array([day.toordinal() for day in column.words], np.int64))
        else:
            self.array(f"{name}.words", np.array(list(column.words), kind))

    def told(self, name: str, value: Any) -> None:
        """Keep something small, as JSON can hold it."""
        self._told[name] = value

    def finish(self) -> None:
        """Write what is left."""
        self._path(_TOLD).write_bytes(orjson.dumps(self._told))

    def _path(self, name: str) -> Path:
        self._at_page()
        return self._folder / name


class Reading:
    """A folder that was filled by `Writing`; all of it is mapped at once, so that it may be replaced meanwhile.

    Raises
    ------
    OSError, ValueError
        If it is not there, or a file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._maps: list[mmap.mmap] = []
        self._told: dict[str, Any] = orjson.loads((folder / _TOLD).read_bytes())
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

    def let_go(self) -> None:
        """Let the system take back the memory that the files take in this process; they stay mapped, and are read on.

        What was read of them last is still kept by the system, and maps in again when it is asked for.
        """
        for one in self._maps if hasattr(mmap, "MADV_DONTNEED") else ():
            one.madvise(mmap.MADV_DONTNEED)

    def array(self, name: str) -> NDArray[Any]:
        """An array, not to be written to."""
        return self._arrays[name]

    def packed(self, name: str, between: bytes = b"") -> Packed:
        """Rows of bytes, kept with the same between them."""
        ends = self.array(f"{name}.ends")
        return Packed([self._bytes[name]], ends[:-1], ends[1:] - len(between) if between else ends[1:])

    def coded(self, name: str) -> Coded:
        """A column; texts and lists are read as they are asked for."""
        codes, kind = self.array(f"{name}.codes"), self.told(f"{name}.kind")
        if kind == "text":
            return Coded(texts(self.packed(f"{name}.words")), codes)
        if kind == "list":
            return Coded(lists(self.packed(f"{name}.words")), codes)
        words = self.array(f"{name}.words").tolist()
        return Coded(list(map(date.fromordinal, words)) if kind == "date" else words, codes)

    def holds(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return f"{name}.kind" in self._told

    def told(self, name: str) -> Any:
        """What was told by that name."""
        return self._told[name]


def _kind(column: Coded) -> str:
    """How the words of a column are kept: as text, list, date or, by dtype, as plain values."""
    if not column.words:
        return "text"
    first = column.words[0]
    for kind, name in ((str, "text"), (tuple, "list"), (date, "date"), (bool, "bool"), (int, "int64")):
        if isinstance(first, kind):
            return name
    return "float64"


def as_packed(words: Sequence[Any], kind: str = "text") -> Packed:
    """The bytes of texts or, as ``kind`` says, of lists; those that are packed already as they are."""
    if isinstance(words, Words):
        return words.packed
    return (texts(words) if kind == "text" else lists(words)).packed
