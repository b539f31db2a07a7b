"""Rows of the sheets of a workbook (.xlsx, ECMA-376), streamed in bounded memory.

Spreadsheet libraries hold a sheet whole, with every cell between the first and the last that a file names, or build
a tree of its XML; a small file can make both larger than any memory. Here expat passes over it once.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal
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

#: Bytes of XML that are parsed at once.
_CHUNK = 1 << 15
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
#: Number formats of dates that have no code of their own in the file (ECMA-376 part 1, 18.8.30).
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})


#: A start or end of an element with its local name, or a text; the attributes of a start.
_Event = tuple[Literal["start", "end", "text"], str, Mapping[str, str]]
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


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
        relations: dict[str, str] = {}
        # Day 60 of the default epoch is the 29 February 1900 that never was; days after it count from 1899-12-30.
        epoch = datetime(1899, 12, 30)
        for kind, name, attributes in _events(archive, "xl/workbook.xml", file):
            if kind == "start" and name == "sheet":
                relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
                relations[attributes.get("name", "")] = relation
            elif kind == "start" and name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                epoch = datetime(1904, 1, 1)
        targets = {
            attributes.get("Id", ""): attributes.get("Target", "")
            for kind, name, attributes in _events(archive, "xl/_rels/workbook.xml.rels", file)
            if kind == "start" and name == "Relationship"
        }
        sheets = {name: _member(targets.get(relation, "")) for name, relation in relations.items()}
        names = set(archive.namelist())
        strings, dates = "xl/sharedStrings.xml", "xl/styles.xml"
        return cls(
            file,
            archive,
            sheets,
            _strings(_events(archive, strings, file), file) if strings in names else [],
            _date_formats(_events(archive, dates, file)) if dates in names else frozenset(),
            epoch,
        )

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str] | RowFault]]:
        """Yield number and cells of each row that has any: numbers as Excel shows them, days in ISO 8601.

        A row that is beyond a bound gives its fault instead.
        """
        number, size, cells, fault = 0, 0, list[str](), None
        column, cell_type, style, parts, length, is_reading = 0, "n", 0, list[str](), 0, False
        for kind, name, attributes in _events(self.archive, self.sheets[sheet], self.file):
            if kind == "text":
                if is_reading and fault is None:
                    length += len(name)
                    parts.append(name)
                    if length > MAX_CELL:
                        fault = _too_long("cell", MAX_CELL, Message("files.shorter-text"))
            elif name in ("v", "t"):
                is_reading = kind == "start"
            elif name == "c" and kind == "start":
                reference = _CELL.fullmatch(attributes.get("r", ""))
                column = _column(reference[1]) if reference else len(cells)
                if column >= MAX_COLUMNS:
                    far = Message("files.far-cell", {"cell": attributes.get("r", "")})
                    fault = RowFault("columns", far, Message("files.at-most-columns", {"limit": MAX_COLUMNS}))
                cell_type, style, parts, length = attributes.get("t", "n"), _integer(attributes.get("s"), 0), [], 0
            elif name == "c" and fault is None:
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = value = self._value("".join(parts), cell_type, style)
                size += len(value)
                if size > MAX_ROW:
                    fault = _too_long("row", MAX_ROW, Message("files.shorter-row"))
            elif name == "row" and kind == "start":
                number, size, cells, fault = _integer(attributes.get("r"), number + 1), 0, [], None
            elif name == "row" and (cells or fault):
                yield number, fault or cells

    def _value(self, text: str, cell_type: str, style: int) -> str:
        if cell_type == "s":
            number = _integer(text, -1)
            return self.strings[number] if 0 <= number < len(self.strings) else ""
        if cell_type == "b":
            return "TRUE" if text == "1" else "FALSE"
        if cell_type == "d":
            return text.partition("T")[0] if text.endswith("T00:00:00") else text
        try:
            value = float(text) if cell_type == "n" else None
        except ValueError:
            return text
        if value is None:
            return text
        if style in self.dates:
            return _day(self.epoch, value) or text
        # Excel keeps and shows 15 digits (IEEE 754 doubles hold no more for sure).
        return f"{value:.15g}"


def _too_long(column: str, limit: int, expected: Message) -> RowFault:
    return RowFault(column, Message("files.over-letters", {"limit": limit}), expected)


def _strings(events: Iterable[_Event], file: str) -> list[str]:
    """Return the shared strings; phonetic hints (rPh) are no part of them."""
    texts, parts, length, is_reading, is_phonetic = list[str](), list[str](), 0, False, False
    for kind, name, _ in events:
        if kind == "text":
            if is_reading:
                length += len(name)
                if length > MAX_CELL:
                    over = Message("files.over-letters", {"limit": MAX_CELL})
                    raise FileRefused(file, "cell", over, Message("files.shorter-text"))
                parts.append(name)
        elif name == "t":
            is_reading = kind == "start" and not is_phonetic
        elif name == "rPh":
            is_phonetic = kind == "start"
        elif name == "si" and kind == "start":
            parts, length = [], 0
        elif name == "si":
            texts.append("".join(parts))
    return texts


def _date_formats(events: Iterable[_Event]) -> frozenset[int]:
    """Return the indexes of the cell formats that show days or times."""
    codes, formats, is_inside = dict[int, str](), list[int](), False
    for kind, name, attributes in events:
        if kind != "text" and name == "cellXfs":
            is_inside = kind == "start"
        elif kind == "start" and name == "numFmt":
            codes[_integer(attributes.get("numFmtId"), -1)] = attributes.get("formatCode", "")
        elif kind == "start" and name == "xf" and is_inside:
            formats.append(_integer(attributes.get("numFmtId"), 0))
    days = {number for number in set(formats) if _is_date(number, codes.get(number))}  # many formats share a long code
    return frozenset(row for row, number in enumerate(formats) if number in days)


def _is_date(number: int, code: str | None) -> bool:
    if code is None:
        return number in _DATE_FORMATS
    plain = re.sub(r'"[^"]*"|\\.|\[[^\[\]]*\]', "", code).lower()
    return bool(re.search(r"[ymdhs]", plain)) and "general" not in plain


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


def _events(archive: zipfile.ZipFile, member: str, file: str) -> Iterator[_Event]:
    """Yield the starts and ends of the elements of a member, and the texts between them, in bounded memory.

    Raises ``FileRefused`` for document types, and with them entities, for deep nesting, and for what is no XML.
    """
    try:
        info = archive.getinfo(member)
    except KeyError as error:
        absent = Message("files.no-member", {"name": member})
        raise FileRefused(file, "workbook", absent, Message("files.workbook")) from error
    if info.file_size > MAX_TEXT_BYTES:
        size = Message("files.bytes", {"count": info.file_size})
        raise FileRefused(file, member, size, Message("files.at-most-bytes", {"limit": MAX_TEXT_BYTES}))
    require_ratio(file, info.file_size, info.compress_size)
    events: list[_Event] = []
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_XML_DEPTH:
            nested = Message("files.nested", {"count": depth})
            raise FileRefused(file, member, nested, Message("files.at-most", {"limit": MAX_XML_DEPTH}))
        events.append(("start", name.rpartition(":")[2], attributes))

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        events.append(("end", name.rpartition(":")[2], _NO_ATTRIBUTES))

    def refuse(*_: object) -> None:
        raise FileRefused(file, member, Message("files.document-type"), Message("files.no-entities"))

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: events.append(("text", text, _NO_ATTRIBUTES))
    parser.StartDoctypeDeclHandler = refuse
    try:
        with open_member(archive, info, file) as raw:
            stream = BoundedStream(raw, file, MAX_TEXT_BYTES, lambda: info.compress_size)
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
                yield from events
                events.clear()
            parser.Parse(b"", True)
            yield from events
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise FileRefused(file, "packing", error, Message("files.whole-workbook")) from error
    except expat.ExpatError as error:
        raise FileRefused(file, member, error, Message("files.workbook-xml")) from error
