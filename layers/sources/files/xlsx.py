"""Rows of the sheets of a workbook (.xlsx, ECMA-376), streamed in bounded memory.

Spreadsheet libraries hold a sheet whole, with every cell between the first and the last that a file names, or build
a tree of its XML; a small file can make both larger than any memory. Here expat passes over it once.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import IO
from xml.parsers import expat

from layers.model.messages import Message
from layers.sources.files.archives import BoundedStream, open_member, require_ratio
from layers.sources.files.limits import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROW,
    MAX_TEXT_BYTES,
    MAX_XML_DEPTH,
    FileRefused,
    RowFault,
)

#: Bytes of XML that are parsed at once; rows that hold a far cell alone become a hundred times as large.
_CHUNK = 1 << 15
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
#: Number formats of dates that have no code of their own in the file (ECMA-376 part 1, 18.8.30).
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})


@dataclass(frozen=True, slots=True)
class Workbook:
    """An open workbook: its sheets by name, in order, with the shared strings and date formats that cells refer to."""

    file: str
    archive: zipfile.ZipFile
    sheets: Mapping[str, str]
    strings: list[str]
    dates: frozenset[int]
    epoch: datetime

    @classmethod
    def of(cls, archive: zipfile.ZipFile, file: str) -> Workbook:
        """Read the list of sheets, the shared strings and the formats of dates.

        Raises ``FileRefused`` if it is no workbook or too large.
        """
        book = _Book()
        _parse(archive, "xl/workbook.xml", file, book)
        targets = _Targets()
        _parse(archive, "xl/_rels/workbook.xml.rels", file, targets)
        sheets = {name: _member(targets.by_id.get(rel, "")) for name, rel in book.sheets}
        names = set(archive.namelist())
        strings, styles = _Strings(file), _Styles()
        if "xl/sharedStrings.xml" in names:
            _parse(archive, "xl/sharedStrings.xml", file, strings)
        if "xl/styles.xml" in names:
            _parse(archive, "xl/styles.xml", file, styles)
        # Day 60 of the default epoch is the 29 February 1900 that never was; days after it count from 1899-12-30.
        epoch = datetime(1904, 1, 1) if book.from_1904 else datetime(1899, 12, 30)
        return cls(file, archive, sheets, strings.texts, styles.dates(), epoch)

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str] | RowFault]]:
        """Yield number and cells of each row that has any: numbers as Excel shows them, days in ISO 8601.

        A row that is beyond a bound gives its fault instead.
        """
        reader = _Sheet(self)
        for _ in _parse_chunks(self.archive, self.sheets[sheet], self.file, reader):
            yield from reader.rows
            reader.rows.clear()


class _Handler:
    """The expat callbacks of one part of a workbook."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Handle the start of an element."""

    def end(self, name: str) -> None:
        """Handle the end of an element."""

    def text(self, text: str) -> None:
        """Handle a part of the text of an element."""


class _Book(_Handler):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.from_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            self.sheets.append((attributes.get("name", ""), relation))
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in ("1", "true")


class _Targets(_Handler):
    def __init__(self) -> None:
        self.by_id: dict[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            self.by_id[attributes.get("Id", "")] = attributes.get("Target", "")


class _Strings(_Handler):
    """Shared strings; phonetic hints (rPh) are no part of them."""

    def __init__(self, file: str) -> None:
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._reading = self._phonetic = False
        self._length, self._file = 0, file

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._parts, self._length = [], 0
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._reading = not self._phonetic

    def end(self, name: str) -> None:
        if name == "si":
            self.texts.append("".join(self._parts))
        elif name == "rPh":
            self._phonetic = False
        elif name == "t":
            self._reading = False

    def text(self, text: str) -> None:
        if self._reading:
            self._length += len(text)
            if self._length > MAX_CELL:
                over = Message("files.over-letters", {"limit": MAX_CELL})
                raise FileRefused(self._file, "cell", over, Message("files.shorter-text"))
            self._parts.append(text)


class _Styles(_Handler):
    def __init__(self) -> None:
        self._codes: dict[int, str] = {}
        self._formats: list[int] = []
        self._inside = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            self._codes[_integer(attributes.get("numFmtId"), -1)] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self._formats.append(_integer(attributes.get("numFmtId"), 0))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False

    def dates(self) -> frozenset[int]:
        """Return the indexes of the cell formats that show days or times."""
        days = {number for number in set(self._formats) if self._is_date(number)}  # many cell formats share a long code
        return frozenset(row for row, number in enumerate(self._formats) if number in days)

    def _is_date(self, number: int) -> bool:
        if number not in self._codes:
            return number in _DATE_FORMATS
        code = re.sub(r'"[^"]*"|\\.|\[[^\[\]]*\]', "", self._codes[number]).lower()
        return bool(re.search(r"[ymdhs]", code)) and "general" not in code


@dataclass(slots=True)
class _Sheet(_Handler):
    book: Workbook
    rows: list[tuple[int, list[str] | RowFault]] = field(default_factory=list)
    _number: int = 0
    _fault: RowFault | None = None
    #: Letters of the cells of the row so far.
    _size: int = 0
    _cells: list[str] = field(default_factory=list)
    _column: int = 0
    _type: str = ""
    _style: int = 0
    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    _reading: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in ("v", "t"):
            self._reading = True
        elif name == "c":
            self._begin(attributes)
        elif name == "row":
            self._number = _integer(attributes.get("r"), self._number + 1)
            self._cells, self._fault, self._size = [], None, 0

    def _begin(self, attributes: Mapping[str, str]) -> None:
        reference = _CELL.fullmatch(attributes.get("r", ""))
        self._column = _column(reference[1]) if reference else len(self._cells)
        if self._column >= MAX_COLUMNS:
            self._fault = RowFault(
                "columns",
                Message("files.far-cell", {"cell": attributes.get("r", "")}),
                Message("files.at-most-columns", {"limit": MAX_COLUMNS}),
            )
        self._type, self._style = attributes.get("t", "n"), _integer(attributes.get("s"), 0)
        self._parts, self._length = [], 0

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._reading = False
        elif name == "c" and self._fault is None:
            self._cells.extend([""] * (self._column + 1 - len(self._cells)))
            self._cells[self._column] = value = self._value("".join(self._parts))
            self._size += len(value)
            if self._size > MAX_ROW:
                self._fault = RowFault(
                    "row", Message("files.over-letters", {"limit": MAX_ROW}), Message("files.shorter-row")
                )
        elif name == "row" and (self._cells or self._fault):
            self.rows.append((self._number, self._fault or self._cells))

    def text(self, text: str) -> None:
        if self._reading and self._fault is None:
            self._length += len(text)
            self._parts.append(text)
            if self._length > MAX_CELL:
                self._parts.clear()
                self._fault = RowFault(
                    "cell", Message("files.over-letters", {"limit": MAX_CELL}), Message("files.shorter-text")
                )

    def _value(self, text: str) -> str:
        if self._type == "s":
            number = _integer(text, -1)
            return self.book.strings[number] if 0 <= number < len(self.book.strings) else ""
        if self._type == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self._type == "d":
            return text.partition("T")[0] if text.endswith("T00:00:00") else text
        return self._number_text(text) if self._type == "n" and text else text

    def _number_text(self, text: str) -> str:
        try:
            value = float(text)
        except ValueError:
            return text
        if self._style in self.book.dates:
            return _day(self.book.epoch, value) or text
        # Excel keeps and shows 15 digits (IEEE 754 doubles hold no more for sure).
        return f"{value:.15g}"


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _column(letters: str) -> int:
    """Return the position of a column from its letters; A is 0."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position - 1


def _day(epoch: datetime, value: float) -> str | None:
    """Return a serial number as an ISO day, with its time unless that is midnight; None beyond the range of Excel."""
    if not 0 < value < 2_958_466:
        return None
    # A second is 1.2e-5 of a day.
    moment = epoch + timedelta(seconds=round(value * 86_400))
    return moment.date().isoformat() if moment.time() == datetime.min.time() else moment.isoformat()


def _member(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


def _parse(archive: zipfile.ZipFile, member: str, file: str, handler: _Handler) -> None:
    for _ in _parse_chunks(archive, member, file, handler):
        pass


def _parse_chunks(archive: zipfile.ZipFile, member: str, file: str, handler: _Handler) -> Iterator[None]:
    """Parse a member in chunks and yield after each, so that the handler's results can be taken."""
    try:
        info = archive.getinfo(member)
    except KeyError as error:
        absent = Message("files.no-member", {"name": member})
        raise FileRefused(file, "workbook", absent, Message("files.workbook")) from error
    if info.file_size > MAX_TEXT_BYTES:
        size = Message("files.bytes", {"count": info.file_size})
        raise FileRefused(file, member, size, Message("files.at-most-bytes", {"limit": MAX_TEXT_BYTES}))
    require_ratio(file, info.file_size, info.compress_size)
    parser = _parser(file, member, handler)
    try:
        with open_member(archive, info, file) as raw:
            stream = BoundedStream(raw, file, MAX_TEXT_BYTES, lambda: info.compress_size)
            yield from _feed(parser, stream)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise FileRefused(file, "packing", error, Message("files.whole-workbook")) from error
    except expat.ExpatError as error:
        raise FileRefused(file, member, error, Message("files.workbook-xml")) from error


def _feed(parser: expat.XMLParserType, stream: BoundedStream | IO[bytes]) -> Iterator[None]:
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
        yield
    parser.Parse(b"", True)
    yield


def _parser(file: str, member: str, handler: _Handler) -> expat.XMLParserType:
    """Return an XML parser that refuses document types, and with them entities, and deep nesting."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_XML_DEPTH:
            nested = Message("files.nested", {"count": depth})
            raise FileRefused(file, member, nested, Message("files.at-most", {"limit": MAX_XML_DEPTH}))
        handler.start(name.rpartition(":")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(name.rpartition(":")[2])

    def refuse(*_: object) -> None:
        raise FileRefused(file, member, Message("files.document-type"), Message("files.no-entities"))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = refuse
    return parser
