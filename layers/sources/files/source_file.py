"""A file to be read: its text, table or JSON, whatever it is packed and encoded in, within bounds."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from layers.model.messages import Message
from layers.sources.files.archives import member_name, open_archive, open_unpacked
from layers.sources.files.limits import (
    HEAD_BYTES,
    MAX_JSON_VALUES,
    MAX_ROW,
    MAX_ROWS,
    MAX_TEXT_BYTES,
    FileRefused,
    parse_json,
)
from layers.sources.files.sniffing import FileSniff, csv_header, decode_start, detect_encoding, json_keys
from layers.sources.files.tables import PROBLEMS_COLUMN, RawRow, RowTable, csv_rows
from layers.sources.files.xlsx import Workbook

__all__ = ["FileSniff", "RowTable", "SourceFile"]

_SQLITE = b"SQLite format 3\0"
_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".geojson", ".xlsx", ".gpkg", ".pbf", ".osm")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on disk: plain, gzip, or the one data file in a zip. ``name`` stands for it in problems.

    Every method raises ``FileRefused``, which says why, if the file is too large, packed like a bomb, broken or in no
    known encoding, and ``OSError`` if it cannot be opened.
    """

    path: Path
    name: str

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """Return the file at a path. A zip is called after the data file in it."""
        member = member_name(path)
        return cls(path, f"{path.name}/{member.rpartition('/')[2]}" if member else path.name)

    @classmethod
    def all_of(cls, paths: Iterable[Path]) -> list[SourceFile]:
        """Return the files at several paths, each once; files of one name also carry the folders that differ."""
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

    def sniff(self) -> FileSniff:
        """Read the beginning of the file: container, header and first keys. No more of it is read."""
        with open_unpacked(self.path, self.name) as stream:
            start = stream.read(HEAD_BYTES)
        if start.startswith(b"PK\x03\x04"):
            return self._workbook_head(start)
        if start.startswith(_SQLITE):
            return FileSniff(self.name, "gpkg", start)
        if b"OSMHeader" in start[:64]:
            return FileSniff(self.name, "pbf", start)
        text = decode_start(start).lstrip("\ufeff")
        if text.lstrip()[:1] in ("{", "["):
            return _json_head(self.name, start, text)
        columns = csv_header(text)
        return FileSniff(self.name, "table" if columns else "text", start, text, columns)

    def _workbook_head(self, start: bytes) -> FileSniff:
        with self._workbook() as book:
            sheets = {name: tuple(cell.strip() for cell in _first(book, name)) for name in book.sheets}
        return FileSniff(self.name, "workbook", start, "", _widest(sheets)[1], (), sheets)

    def text(self) -> str:
        """Return the whole text, without a byte order mark."""
        with open_unpacked(self.path, self.name, MAX_TEXT_BYTES) as stream:
            data = stream.read()
        return data.decode(detect_encoding(io.BytesIO(data), self.name)).removeprefix("\ufeff")

    def table(self, sheet: str | None = None) -> RowTable:
        """Return the rows of a CSV text or of one sheet of a workbook; by default the sheet with most columns.

        A sheet is called ``file#sheet`` in problems where it is given by name or one of several.
        """
        sniff = self.sniff()
        if sniff.container == "workbook":
            name = sheet or _widest(sniff.sheets)[0]
            if name not in sniff.sheets:
                raise FileRefused(self.name, "sheet", name, Message("cell.one-of", {"names": tuple(sniff.sheets)}))
            return RowTable(
                f"{self.name}#{name}" if sheet or len(sniff.sheets) > 1 else self.name, lambda: self._sheet_rows(name)
            )
        if sniff.container not in ("table", "text"):
            raise FileRefused(self.name, "format", sniff.container, Message("files.table"))
        with open_unpacked(self.path, self.name) as stream:
            encoding = detect_encoding(stream, self.name)
        return RowTable(self.name, lambda: self._text_rows(encoding))

    def tables(self) -> list[RowTable]:
        """Return every sheet that has columns, called ``file#sheet``; of a CSV text its one table."""
        sheets = [name for name, columns in self.sniff().sheets.items() if sum(map(bool, columns)) > 1]
        return [self.table(name) for name in sheets] if len(sheets) > 1 else [self.table()]

    @contextmanager
    def _text_rows(self, encoding: str) -> Iterator[Iterable[RawRow]]:
        with open_unpacked(self.path, self.name) as stream:
            yield from_header(csv_rows(io.TextIOWrapper(stream, encoding, newline="")))

    @contextmanager
    def _sheet_rows(self, sheet: str) -> Iterator[Iterable[RawRow]]:
        with self._workbook() as book:
            yield _padded(from_header(book.rows(sheet)))

    @contextmanager
    def _workbook(self) -> Iterator[Workbook]:
        with self.unpacked() as path, path.open("rb") as raw, open_archive(raw, self.name) as archive:
            yield Workbook.of(archive, self.name)

    def json(self) -> Any:
        """Parse JSON (RFC 8259); JSON Lines give a list of their values."""
        with open_unpacked(self.path, self.name, MAX_TEXT_BYTES) as stream:
            data = stream.read()
        if data[:3] == b"\xef\xbb\xbf":
            data = data[3:]
        elif data.lstrip()[:1] not in (b"{", b"["):
            data = data.decode(detect_encoding(io.BytesIO(data), self.name)).removeprefix("\ufeff").encode()
        values = data.count(b",") + data.count(b"[") + data.count(b"{")
        if values > MAX_JSON_VALUES:
            expected = Message("files.split", {"limit": MAX_JSON_VALUES})
            raise FileRefused(self.name, "values", Message("files.about", {"count": values}), expected)
        try:
            return parse_json(data)
        except orjson.JSONDecodeError as error:
            if error.msg.startswith("unexpected content after document"):
                return _lines(self.name, data)
            raise FileRefused(self.name, "syntax", error, Message("files.json")) from error

    @contextmanager
    def unpacked(self) -> Iterator[Path]:
        """Give a path to the unpacked file, for libraries that open files themselves; it may be temporary."""
        with self.path.open("rb") as raw:
            magic = raw.read(2)
        if magic != b"\x1f\x8b" and member_name(self.path) is None:
            yield self.path
            return
        suffix = Path(self.name.removesuffix(".gz")).suffix
        with tempfile.NamedTemporaryFile(suffix=suffix) as target, open_unpacked(self.path, self.name) as stream:
            shutil.copyfileobj(stream, target, 1 << 20)
            target.flush()
            yield Path(target.name)


def _json_head(name: str, start: bytes, text: str) -> FileSniff:
    paths = list(dict.fromkeys(json_keys(text)))
    keys = tuple(path[0] for path in paths if len(path) == 1)
    columns = tuple(path[2] for path in paths if len(path) == 3 and path[:2] == ("features", "properties"))
    return FileSniff(name, "json", start, text, columns, keys)


def _first(book: Workbook, sheet: str) -> list[str]:
    cells = next((cells for _, cells in from_header(book.rows(sheet))), [])
    return [] if isinstance(cells, csv.Error) else [*cells]


def _widest(sheets: dict[str, tuple[str, ...]] | Any) -> tuple[str, tuple[str, ...]]:
    """Return name and header of the sheet with most named columns, the first of equals."""
    return max(sheets.items(), key=lambda item: sum(map(bool, item[1])), default=("", ()))


def _padded(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    """Yield rows of a sheet padded to the width of its header: empty cells at the end of a row are not in the file."""
    width = 0
    for number, cells in rows:
        if isinstance(cells, csv.Error):
            yield number, cells
            continue
        width = width or len(cells)
        yield number, [*cells, *[""] * (width - len(cells))]


def _lines(name: str, data: bytes) -> list[Any]:
    """Parse each line as one JSON value (jsonlines.org)."""
    values = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        if number > MAX_ROWS:
            over, expected = Message("files.over", {"limit": MAX_ROWS}), Message("files.split", {"limit": MAX_ROWS})
            raise FileRefused(name, "rows", over, expected)
        try:
            values.append(parse_json(line))
        except orjson.JSONDecodeError as error:
            raise FileRefused(name, "syntax", error, Message("files.json-line"), row=number) from error
    return values


#: Rows of a sheet among which the header is looked for.
_LOOKED_AT = 20


def from_header(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    """Yield the rows of a sheet from its header on, which is one row.

    The header is the first of the first 20 rows that has at least two cells, and half as many as the widest of them:
    a title has fewer. Where cells of it stand over several columns, and the row below names these and hardly any
    other, both are the header: its names are those of the upper row, then of the lower. It has the number of the last
    row of the header. A sheet without such a row, or with one beyond a bound above it, begins at its first row.
    """
    listed, head, letters = iter(rows), list[RawRow](), 0
    for row in listed:
        head.append(row)
        letters += 0 if isinstance(row[1], csv.Error) else sum(map(len, row[1]))
        if len(head) == _LOOKED_AT or letters > MAX_ROW:
            break
    found = _header(head)
    if found is None:
        yield from chain(head, listed)
        return
    yield found
    yield from (row for row in chain(head, listed) if row[0] > found[0])


def _header(head: Sequence[RawRow]) -> tuple[int, Sequence[str]] | None:
    read: list[tuple[int, Sequence[str]]] = []
    for number, cells in head:
        if isinstance(cells, csv.Error):
            break
        if any(map(str.strip, cells)):
            read.append((number, cells))
    widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in read]
    least = max(2, max(widths, default=0) / 2)
    at = next((at for at, width in enumerate(widths) if width >= least), None)
    if at is None:
        return None
    number, cells = read[at]
    if PROBLEMS_COLUMN in map(str.strip, cells):  # written by this program, whose headers are one row
        return number, cells
    below = read[at + 1] if at + 1 < len(read) and read[at + 1][0] == number + 1 else None
    return _in_two_rows(cells, *below) or (number, cells) if below else (number, cells)


def _in_two_rows(upper: Sequence[str], number: int, lower: Sequence[str]) -> tuple[int, Sequence[str]] | None:
    """Return the header of two rows, of which the lower names the columns under cells that stand over several."""
    width = max(len(upper), len(lower))
    pairs = [
        (one.strip(), other.strip())
        for one, other in zip(*([*row, *[""] * (width - len(row))] for row in (upper, lower)), strict=True)
    ]
    under = sum(bool(other) and not one for one, other in pairs)
    both = sum(bool(one and other) for one, other in pairs)
    alone = sum(bool(one) and not other for one, other in pairs)
    if not 0 < both <= under or alone < both or any(character.isdecimal() for _, other in pairs for character in other):
        return None
    names, over = [], ""
    for one, other in pairs:
        over = one or over
        names.append(f"{over} {other}" if other else one)
    return number, names
