"""A folder of tables that are mapped into memory: written once as a whole, and read without being parsed.

Each table is a file of Apache Arrow, see `layers.snapshot.arrow_table`. All else is metadata in one JSON file, the
manifest, which says of each table what it is and where its buffers lie.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
import orjson

from layers.filesystem.atomic_file import sync
from layers.snapshot.arrow_batch import BatchBuilder
from layers.snapshot.arrow_table import (
    MAGIC,
    ArrowTable,
    ComparingSink,
    FileSink,
    Layout,
    layout_of,
    release_pages,
    write_ipc,
)

if TYPE_CHECKING:
    import pyarrow as pa

#: What folders are called that are written so; those of another format are not read.
FORMAT = "strikeatlas-cache/20"
#: The file of all that is no table.
MANIFEST = "manifest.json"
#: Of larger tables the digest is not compared when they are opened, which takes a second a gigabyte or so.
_MAX_DIGESTED_BYTES = 1 << 24


class TableFolderWriter:
    """Writes a folder of tables; `finish` must be called last.

    Parameters
    ----------
    folder
        An empty folder.
    at_page
        Called before each file and each page of a large one; an error that it raises ends the writing.
    """

    def __init__(self, folder: Path, at_page: Callable[[], None] = lambda: None) -> None:
        self._folder, self._turn_page = folder, at_page
        self._maps = WeakSet[mmap.mmap]()
        self._metadata: dict[str, Any] = {"format": FORMAT, "tables": {}}

    def builder(self) -> BatchBuilder:
        """What the columns of a table are put together in."""
        return BatchBuilder(self._folder, self._at_page, self._maps)

    def _at_page(self) -> None:
        release_pages(self._maps)
        self._turn_page()

    def table(self, name: str, batch: pa.RecordBatch) -> None:
        """Write a table."""
        path = self._path(f"{name}.arrow")
        sink = FileSink(path, self._at_page)
        write_ipc(batch, sink)
        self._note_table(name, batch, sink, layout_of(path))

    def _note_table(self, name: str, batch: pa.RecordBatch, sink: FileSink, columns: Mapping[str, Layout]) -> None:
        self._metadata["tables"][name] = {
            "rows": batch.num_rows,
            "bytes": sink.size,
            "sha256": sink.digest.hexdigest(),
            "schema": hashlib.sha256(batch.schema.serialize()).hexdigest(),
            "columns": columns,
        }

    def metadata(self, name: str, value: Any) -> None:
        """Write a small value, of types that JSON has."""
        self._metadata[name] = value

    def finish(self) -> None:
        """Write the manifest, and let all files outlive a power cut: their readers trust them."""
        self._path(MANIFEST).write_bytes(orjson.dumps(self._metadata))
        for file in self._folder.iterdir():
            sync(file)

    def _path(self, name: str) -> Path:
        self._at_page()
        return self._folder / name


class TableFolderReader:
    """Reads a folder of `TableFolderWriter`; all of it is mapped at once, so that it may be replaced meanwhile.

    Parameters
    ----------
    folder
        The folder.
    is_checked
        Whether tables are refused that are missing or not as they were written: each by its size, small ones by their
        digest. If not, a table that is missing is one that there is not.

    Raises
    ------
    OSError, ValueError
        If the folder does not exist, is of another format, or a file of it is not whole or cannot be read.
    """

    def __init__(self, folder: Path, *, is_checked: bool = True) -> None:
        self.folder = folder
        self._maps: list[mmap.mmap] = []
        self._metadata: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        if self._metadata.get("format") != FORMAT:
            raise ValueError(f"expected {FORMAT} in {folder / MANIFEST}, found {self._metadata.get('format')}")
        tables = self._metadata["tables"].items()
        self._tables = {
            name: self._table(f"{name}.arrow", noted, is_checked)
            for name, noted in tables
            if is_checked or (folder / f"{name}.arrow").exists()
        }

    def _table(self, name: str, noted: Mapping[str, Any], is_checked: bool) -> ArrowTable:
        with (self.folder / name).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if is_checked:
                _require_whole(self.folder / name, file, noted)
        self._maps.append(mapped)
        return ArrowTable(np.frombuffer(mapped, np.uint8), noted["columns"])

    def release_pages(self) -> None:
        """Let the system take back the memory that the files take in this process; they stay mapped and readable.

        Pages that the system still caches are mapped in again when they are read.
        """
        release_pages(self._maps)

    def table(self, name: str) -> ArrowTable:
        """A table."""
        return self._tables[name]

    def names(self) -> set[str]:
        """Names of the files in the folder now."""
        return {path.name for path in self.folder.iterdir()}

    @property
    def all_metadata(self) -> Mapping[str, Any]:
        """Every small value by its name."""
        return self._metadata

    def metadata(self, name: str) -> Any:
        """A small value."""
        return self._metadata[name]


class TableFolderComparison(TableFolderWriter):
    """Is written to as an `TableFolderWriter`, and compares a folder with what would be in it; nothing is written.

    Tables are compared bit by bit as files. `finish` must be called last.

    Parameters
    ----------
    files
        The folder.
    canonical
        Gives metadata in a form that is equal where they mean the same.
    at_page
        Called before each file and each page of a large one.

    Attributes
    ----------
    differing
        Names of files with another content, in the order in which they were compared, and of files that are missing.
    compared
        Names of all files that should be there.
    """

    def __init__(
        self,
        files: TableFolderReader,
        canonical: Callable[[Mapping[str, Any]], Any],
        at_page: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(files.folder, at_page)
        self._files, self._canonical = files, canonical
        self.differing: list[str] = []
        self.compared: set[str] = {MANIFEST}

    def builder(self) -> BatchBuilder:
        """What the columns of a table are put together in, with no file in the folder."""
        return BatchBuilder(at_page=self._at_page, maps=self._maps)

    def table(self, name: str, batch: pa.RecordBatch) -> None:
        """Compare a table."""
        path, stored = self._folder / f"{name}.arrow", self._files.all_metadata["tables"]
        sink = ComparingSink(path, self._at_page) if path.exists() else None
        if sink is not None:
            write_ipc(batch, sink)
        is_same = sink is not None and sink.is_same and sink.size == path.stat().st_size
        self._note(path.name, is_same)
        if sink is not None and is_same:
            self._note_table(name, batch, sink, layout_of(path))
        elif name in stored:
            # A file that differs is named; what the manifest says of it is not looked at.
            self._metadata["tables"][name] = stored[name]

    def finish(self) -> None:
        """Compare the metadata as JSON."""
        computed: dict[str, Any] = orjson.loads(orjson.dumps(self._metadata))
        self._note(MANIFEST, self._canonical(self._files.all_metadata) == self._canonical(computed))

    def _note(self, name: str, is_same: bool) -> None:
        self.compared.add(name)
        if not is_same:
            self.differing.append(name)


def _require_whole(path: Path, file: BufferedReader, noted: Mapping[str, Any]) -> None:
    """Refuse a file that is not as it was written; it is read, as what is mapped would stay in memory."""
    size = path.stat().st_size
    if size != noted["bytes"]:
        raise ValueError(f"expected {noted['bytes']} bytes in {path}, found {size}")
    is_same = size > _MAX_DIGESTED_BYTES or hashlib.file_digest(file, "sha256").hexdigest() == noted["sha256"]
    file.seek(0)
    begin = file.read(len(MAGIC))
    file.seek(-len(MAGIC), os.SEEK_END)
    if not is_same or not begin == file.read() == MAGIC:
        raise ValueError(f"expected {path} as it was written, found other bytes")
