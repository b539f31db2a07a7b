"""A folder of arrays that are mapped into memory: written once as a whole, and read without being parsed.

Each array is a file in NumPy's own format (NEP 1), texts are their bytes and ends, and all else is in one JSON file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.coded import Coded
from geo.packed import Packed, Words, lists, texts

_TOLD = "told.json"


class Writing:
    """A folder that is being filled. `finish` must be called last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, Any] = {}

    def array(self, name: str, values: NDArray[Any]) -> None:
        """Keep an array."""
        np.save(self._folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)

    def packed(self, name: str, rows: Packed, between: bytes = b"") -> None:
        """Keep rows of bytes, with what stands behind each."""
        with (self._folder / f"{name}.bytes").open("wb") as file:
            for row in rows:
                file.write(row + between)
        self.array(f"{name}.ends", np.append(0, np.cumsum(rows.stops - rows.starts + len(between))))

    def coded(self, name: str, column: Coded) -> None:
        """Keep a column."""
        self.array(f"{name}.codes", column.codes)
        kind = _kind(column)
        self.told(f"{name}.kind", kind)
        if kind in ("text", "list"):
            self.packed(f"{name}.words", _packed(column.words, kind))
        elif kind == "date":
            self.array(f"{name}.words", np.array([day.toordinal() for day in column.words], np.int64))
        else:
            self.array(f"{name}.words", np.array(list(column.words), kind))

    def told(self, name: str, value: Any) -> None:
        """Keep something small, as JSON can hold it."""
        self._told[name] = value

    def finish(self) -> None:
        """Write what is left."""
        (self._folder / _TOLD).write_bytes(orjson.dumps(self._told))


class Reading:
    """A folder that was filled by `Writing`; all of it is mapped at once, so that it may be replaced meanwhile.

    Raises
    ------
    OSError, ValueError
        If it is not there, or a file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told: dict[str, Any] = orjson.loads((folder / _TOLD).read_bytes())
        self._arrays = {path.stem: _mapped(path) for path in folder.glob("*.npy")}
        self._bytes = {path.stem: _mapped_bytes(path) for path in folder.glob("*.bytes")}

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


def _mapped(path: Path) -> NDArray[Any]:
    found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    # A plain view of the map: its own class takes several times as long to pick from.
    return found.view(np.ndarray)


def _mapped_bytes(path: Path) -> NDArray[np.uint8]:
    return np.memmap(path, np.uint8, mode="r").view(np.ndarray) if path.stat().st_size else np.empty(0, np.uint8)


def _kind(column: Coded) -> str:
    """How the words of a column are kept: as text, list, date or, by dtype, as plain values."""
    if not column.words:
        return "text"
    first = column.words[0]
    for kind, name in ((str, "text"), (tuple, "list"), (date, "date"), (bool, "bool"), (int, "int64")):
        if isinstance(first, kind):
            return name
    return "float64"


def _packed(words: Sequence[Any], kind: str) -> Packed:
    if isinstance(words, Words):
        return words.packed
    return (texts(words) if kind == "text" else lists(words)).packed
