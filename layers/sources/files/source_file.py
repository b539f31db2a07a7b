"""A file that is read: its text, its table or its JSON, whatever it is packed and encoded in, within bounds."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from layers.sources.files.archives import archive_of, member_name, opened
from layers.sources.files.limits import HEAD_BYTES, MAX_JSON_VALUES, MAX_ROWS, MAX_TEXT_BYTES, Refused
from layers.sources.files.sniffing import Head, header_of, json_keys
from layers.sources.files.tables import RawRow, RowTable, csv_rows
from layers.sources.files.text_encoding import decoded, encoding_of
from layers.sources.files.xlsx import Workbook

__all__ = ["Head", "RowTable", "SourceFile"]

_SQLITE = b"SQLite format 3\0"
_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".geojson", ".xlsx", ".gpkg", ".pbf", ".osm")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on disk, plain, in gzip, or the one data file in a zip. ``name`` is how problems call it.

    Every method raises ``Refused``, which says why, if the file is too large, packed like a bomb, broken or in no
    encoding we know, and ``OSError`` if it cannot be opened.
    """

    path: Path
    name: str

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """The file at a path. A zip is called after the data file in it."""
        member = member_name(path)
        return cls(path, f"{path.name}/{member.rpartition('/')[2]}" if member else path.name)

    @classmethod
    def all_of(cls, paths: Iterable[Path]) -> list[SourceFile]:
        """The files at some paths, each once. Those of one name are told apart by the folders they are in."""
        files = [cls.of(path) for path in dict.fromkeys(paths)]
        for depth in range(1, max((len(file.path.parts) for file in files), default=0)):
            names = Counter(file.name for file in files)
            folders = ["/".join(file.path.parts[-depth - 1 : -depth]) for file in files]
            files = [
                replace(file, name=f"{folder}/{file.name}") if names[file.name] > 1 and folder else file
                for file, folder in zip(files, folders, strict=True)
            ]
        return files

    @property
    def stem(self) -> str:
        """The name without its folders and endings, such as ``events`` of ``a.zip/events.csv``."""
        name = self.name.rpartition("/")[2]
        for ending in _ENDINGS:
            name = name[: -len(ending)] if name.lower().endswith(ending) else name
        return name

    def head(self) -> Head:
        """The beginning of the file: what it is, its header, its first keys. Nothing more of it is read."""
        with opened(self.path, self.name) as stream:
            start = stream.read(HEAD_BYTES)
        if start.startswith(b"PK\x03\x04"):
            return self._workbook_head(start)
        if start.startswith(_SQLITE):
            return Head(self.name, "gpkg", start)
        if b"OSMHeader" in start[:64]:
            return Head(self.name, "pbf", start)
        text = decoded(start).lstrip("\ufeff")
        if text.lstrip()[:1] in ("{", "["):
            return _json_head(self.name, start, text)
        columns = header_of(text)
        return Head(self.name, "table" if columns else "text", start, text, columns)

    def _workbook_head(self, start: bytes) -> Head:
        with self._workbook() as book:
            sheets = {name: tuple(cell.strip() for cell in _first(book, name)) for name in book.sheets}
        return Head(self.name, "workbook", start, "", _widest(sheets)[1], (), sheets)

    def text(self) -> str:
        """The whole text, without a byte order mark."""
        with opened(self.path, self.name, MAX_TEXT_BYTES) as stream:
            data = stream.read()
        return data.decode(encoding_of(io.BytesIO(data), self.name)).removeprefix("\ufeff")

    def table(self, sheet: str | None = None) -> RowTable:
        """The rows of a CSV text or of one sheet of a workbook; by default the sheet with most columns.

        A sheet that is asked for is called ``file#sheet`` in problems.
        """
        head = self.head()
        if head.container == "workbook":
            name = sheet or _widest(head.sheets)[0]
            if name not in head.sheets:
                raise Refused(self.name, "sheet", name, f"one of {', '.join(head.sheets)}")
            return RowTable(f"{self.name}#{name}" if sheet else self.name, lambda: self._sheet_rows(name))
        if head.container not in ("table", "text"):
            raise Refused(self.name, "format", head.container, "a table: CSV, TSV or xlsx")
        with opened(self.path, self.name) as stream:
            encoding = encoding_of(stream, self.name)
        return RowTable(self.name, lambda: self._text_rows(encoding))

    def tables(self) -> list[RowTable]:
        """Every sheet that has columns, called ``file#sheet``; of a text, its one table."""
        sheets = [name for name, columns in self.head().sheets.items() if sum(map(bool, columns)) > 1]
        return [self.table(name) for name in sheets] if len(sheets) > 1 else [self.table()]

    @contextmanager
    def _text_rows(self, encoding: str) -> Iterator[Iterable[RawRow]]:
        with opened(self.path, self.name) as stream:
            yield csv_rows(io.TextIOWrapper(stream, encoding, newline=""))

    @contextmanager
    def _sheet_rows(self, sheet: str) -> Iterator[Iterable[RawRow]]:
        with self._workbook() as book:
            yield _padded(book.rows(sheet))

    @contextmanager
    def _workbook(self) -> Iterator[Workbook]:
        with self.unpacked() as path, path.open("rb") as raw, archive_of(raw, self.name) as archive:
            yield Workbook.of(archive, self.name)

    def json(self) -> Any:
        """The values of a JSON text (RFC 8259), or of JSON Lines, as a list."""
        with opened(self.path, self.name, MAX_TEXT_BYTES) as stream:
            data = stream.read()
        if data[:3] == b"\xef\xbb\xbf":
            data = data[3:]
        elif data.lstrip()[:1] not in (b"{", b"["):
            data = data.decode(encoding_of(io.BytesIO(data), self.name)).removeprefix("\ufeff").encode()
        values = data.count(b",") + data.count(b"[") + data.count(b"{")
        if values > MAX_JSON_VALUES:
            raise Refused(self.name, "values", f"about {values:,}", f"at most {MAX_JSON_VALUES:,}; split the file")
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            if error.msg.startswith("unexpected content after document"):
                return _lines(self.name, data)
            raise Refused(self.name, "syntax", error, "JSON (RFC 8259), at most 1,024 values deep") from error

    @contextmanager
    def unpacked(self) -> Iterator[Path]:
        """A path at which the file stands unpacked, for programs that open files themselves."""
        with self.path.open("rb") as raw:
            magic = raw.read(2)
        if magic != b"\x1f\x8b" and member_name(self.path) is None:
            yield self.path
            return
        suffix = Path(self.name.removesuffix(".gz")).suffix
        with tempfile.NamedTemporaryFile(suffix=suffix) as target, opened(self.path, self.name) as stream:
            shutil.copyfileobj(stream, target, 1 << 20)
            target.flush()
            yield Path(target.name)


def _json_head(name: str, start: bytes, text: str) -> Head:
    paths = list(dict.fromkeys(json_keys(text)))
    keys = tuple(path[0] for path in paths if len(path) == 1)
    columns = tuple(path[2] for path in paths if len(path) == 3 and path[:2] == ("features", "properties"))
    return Head(name, "json", start, text, columns, keys)


def _first(book: Workbook, sheet: str) -> list[str]:
    return next((cells for _, cells in book.rows(sheet)), [])


def _widest(sheets: dict[str, tuple[str, ...]] | Any) -> tuple[str, tuple[str, ...]]:
    """The sheet whose header names most columns; the first of several."""
    return max(sheets.items(), key=lambda item: sum(map(bool, item[1])), default=("", ()))


def _padded(rows: Iterable[tuple[int, list[str]]]) -> Iterator[RawRow]:
    """Rows of a sheet as wide as its header: cells at the end of a row that are empty are not in the file."""
    width = 0
    for number, cells in rows:
        width = width or len(cells)
        yield number, [*cells, *[""] * (width - len(cells))]


def _lines(name: str, data: bytes) -> list[Any]:
    """Each line as one JSON value (jsonlines.org)."""
    found = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        if number > MAX_ROWS:
            raise Refused(name, "rows", f"over {MAX_ROWS:,}", f"at most {MAX_ROWS:,}; split the file")
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            raise Refused(name, "syntax", error, "a line of JSON Lines", row=number) from error
    return found
