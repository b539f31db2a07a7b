"""The beginning of a file: container, header, first keys and encoding, by which formats are recognised."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import BinaryIO, Literal

from layers.model.messages import Message
from layers.sources.files.limits import HEAD_BYTES, MAX_KEY_DEPTH, FileRefused

Container = Literal["table", "workbook", "json", "gpkg", "pbf", "text"]
_DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class FileSniff:
    """The beginning of a file, by which formats are recognised.

    ``start`` is its first bytes, unpacked, and ``text`` the same decoded, empty for binary files. ``columns`` are the
    header of a table, of the widest sheet of a workbook, or the properties of the first feature of a GeoJSON;
    ``sheets`` the header of each sheet. ``keys`` are the keys of a JSON object, or of the first object of an array.
    """

    name: str
    container: Container
    start: bytes = b""
    text: str = ""
    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sheets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """File name extension in small letters, such as ``.csv``; empty where the name has none."""
        _, dot, end = self.name.rpartition(".")
        return f".{end.lower()}" if dot else ""

    @property
    def delimiter(self) -> str:
        """Delimiter of a table: comma, semicolon, tab or vertical bar."""
        return delimiter_of("".join(first_row(StringIO(self.text, newline="").readline)))

    def has(self, *columns: str) -> bool:
        """Whether all the given columns are in the header, in any case."""
        there = {name.casefold() for name in self.columns}
        return all(name.casefold() in there for name in columns)


def delimiter_of(line: str) -> str:
    """Return the delimiter of a header: comma, semicolon, tab or bar, whichever is most frequent outside of quotes."""
    bare = _QUOTED.sub("", line[:HEAD_BYTES])
    return max(_DELIMITERS, key=bare.count)


def first_row(read_line: Callable[[], str]) -> list[str]:
    """Read the lines up to the end of the first row that is not blank; a line that ends inside quotes ends no row.

    At most ``HEAD_BYTES`` letters are read.
    """
    lines: list[str] = []
    length = quotes = 0
    while length < HEAD_BYTES and (line := read_line()):
        lines.append(line)
        length += len(line)
        quotes += line.count('"')
        if quotes % 2 == 0 and any(map(str.strip, lines)):
            break
    return lines


def csv_header(text: str) -> tuple[str, ...]:
    """Return the column names of a CSV text: its first row that is not blank; empty for fewer than two cells."""
    lines = StringIO(text, newline="")
    delimiter = delimiter_of("".join(first_row(lines.readline)))
    lines.seek(0)
    try:
        cells = next((row for row in csv.reader(lines, delimiter=delimiter) if any(map(str.strip, row))), [])
    except csv.Error:
        return ()
    return tuple(cell.strip() for cell in cells) if len(cells) > 1 else ()


def json_keys(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the keys in a JSON text that may be cut short, in order; arrays add nothing to a path.

    It stops where the text is no JSON, or is nested too deeply. ``{"features": [{"id": 1}]}`` gives ``("features",)``,
    ``("features", "id")``.
    """
    path: list[str | None] = []
    kinds: list[str] = []
    is_key = False
    for string, end, token in _JSON_TOKEN.findall(text):
        if not token:
            if not end:  # the text ends within the string
                return
            if is_key:
                path[-1] = string
                yield tuple(name for name in path if name is not None)
            is_key = False
        elif token in "{[":
            if len(kinds) == MAX_KEY_DEPTH:
                return
            kinds.append(token)
            path.append(None)
            is_key = token == "{"
        elif token == ",":
            is_key = bool(kinds) and kinds[-1] == "{"
        elif not kinds:
            return
        else:
            kinds.pop()
            path.pop()
            is_key = False


#: A string and its end, or a sign of the structure. A string that is not closed is read to its end, and once.
_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)("?)|([{}\[\],])', re.DOTALL)


_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHUNK = 1 << 20
#: Words of Windows-1251: three and more Cyrillic letters in a row. In Windows-1252 the same bytes are letters with
#: accents, of which hardly a word has three beside each other.
_CYRILLIC = re.compile(rb"[\xa5\xa8\xaa\xaf\xb2-\xb4\xb8\xba\xbf-\xff]{3,}")
_NOT_ASCII = bytes(range(0x80))


def encoding_by_mark(start: bytes) -> str | None:
    """Return the encoding of a byte order mark, or UTF-16 where every second byte is zero; else None."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    sample = start[:1000]
    even, odd = sample[0::2], sample[1::2]
    if len(sample) >= 8 and odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le"
    if len(sample) >= 8 and even.count(0) > 0.4 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def detect_encoding(stream: BinaryIO, file: str) -> str:
    """Read a stream to its end, in chunks, and return an encoding that fits all of it.

    A byte order mark or zero bytes decide; else UTF-8 comes before Windows-1251, if most letters that are not ASCII are
    in words of Cyrillic ones, and Windows-1252.

    Raises ``FileRefused`` if none fits, with the position of the first byte that does not.
    """
    chunk = stream.read(_CHUNK)
    marked = encoding_by_mark(chunk)
    candidates = [marked] if marked else ["utf-8", "cp1251", "cp1252"]
    cyrillic = high = 0
    decoders = {name: codecs.getincrementaldecoder(name)() for name in candidates}
    faults: dict[str, str] = {}
    position = 0
    while True:
        for name in [name for name in candidates if name not in faults]:
            try:
                decoders[name].decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                faults[name] = f"{error.reason} near byte {position + error.start}"
        if not chunk or len(faults) == len(candidates):
            break
        if not marked and not chunk.isascii():
            cyrillic, high = cyrillic + _cyrillic_letters(chunk), high + len(chunk.translate(None, _NOT_ASCII))
        position += len(chunk)
        chunk = stream.read(_CHUNK)
    if not marked and cyrillic * 2 <= high:
        faults.setdefault("cp1251", "its letters make no words")
    encoding = next((name for name in candidates if name not in faults), None)
    if encoding is None:
        reasons = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
        raise FileRefused(file, "encoding", reasons, Message("files.encoding"))
    return encoding


def decode_start(start: bytes) -> str:
    """Decode the first bytes of a file for recognition; an incomplete end and wrong bytes are replaced."""
    encoding = encoding_by_mark(start)
    if encoding is None:
        # The last letter may be cut in two.
        body = start.rstrip(bytes(range(0x80, 0x100))) if len(start) > 8 else start
        is_cyrillic = _cyrillic_letters(start) * 2 > len(start.translate(None, _NOT_ASCII))
        encoding = "utf-8" if _fits(body) else "cp1251" if is_cyrillic else "cp1252"
    return start.decode(encoding, errors="replace")


def _cyrillic_letters(data: bytes) -> int:
    """Count the bytes that would be letters of Cyrillic words in Windows-1251."""
    return sum(map(len, _CYRILLIC.findall(data)))


def _fits(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
