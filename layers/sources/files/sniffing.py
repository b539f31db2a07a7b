"""The beginning of a file: enough of it to tell its format. Knows no format."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Literal

from layers.sources.files.limits import HEAD_BYTES

Container = Literal["table", "workbook", "json", "gpkg", "pbf", "text"]
_DELIMITERS = (",", ";", "\t")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file.

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
        """The end of the name in small letters, such as ``.csv``."""
        _, dot, end = self.name.rpartition(".")
        return f".{end.lower()}" if dot else ""

    @property
    def delimiter(self) -> str:
        """The sign between the cells of a table."""
        return delimiter_of("".join(first_row(StringIO(self.text, newline="").readline)))

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there, whatever their case."""
        there = {name.casefold() for name in self.columns}
        return all(name.casefold() in there for name in columns)


def delimiter_of(line: str) -> str:
    """The sign between the cells of a header: comma, semicolon or tab, whichever makes most of it outside of quotes."""
    bare = _QUOTED.sub("", line[:HEAD_BYTES])
    return max(_DELIMITERS, key=bare.count)


def first_row(read_line: Callable[[], str]) -> list[str]:
    """The lines up to the end of the first row that is not blank; a line may end inside quotes, where a row does not.

    No more than ``HEAD_BYTES`` letters are looked for.
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


def header_of(text: str) -> tuple[str, ...]:
    """Names of the columns of a CSV text: its first row that is not blank; empty where that has fewer than two."""
    lines = StringIO(text, newline="")
    delimiter = delimiter_of("".join(first_row(lines.readline)))
    lines.seek(0)
    try:
        cells = next((row for row in csv.reader(lines, delimiter=delimiter) if any(map(str.strip, row))), [])
    except csv.Error:
        return ()
    return tuple(cell.strip() for cell in cells) if len(cells) > 1 else ()


def json_keys(text: str) -> Iterator[tuple[str, ...]]:
    """Paths of the keys in a JSON text that may be cut short, in order; arrays add nothing to a path.

    It stops at what is no JSON. ``{"features": [{"id": 1}]}`` gives ``("features",)`` and ``("features", "id")``.
    """
    path: list[str | None] = []
    kinds: list[str] = []
    position, expecting = 0, False
    while position < len(text):
        sign = text[position]
        if sign == '"':
            end = _string_end(text, position)
            if end is None:
                return
            if kinds and kinds[-1] == "{" and expecting:
                path[-1] = text[position + 1 : end]
                yield tuple(name for name in path if name is not None)
                expecting = False
            position = end
        elif sign in "{[":
            kinds.append(sign)
            path.append(None)
            expecting = sign == "{"
        elif sign in "}]":
            if not kinds:
                return
            kinds.pop()
            path.pop()
            expecting = False
        elif sign == ",":
            expecting = bool(kinds) and kinds[-1] == "{"
        position += 1


def _string_end(text: str, start: int) -> int | None:
    """Where the string that starts at a quotation mark ends, None where the text does before it."""
    end = start + 1
    while True:
        end = text.find('"', end)
        if end < 0:
            return None
        slashes = end - 1
        while text[slashes] == "\\":
            slashes -= 1
        if (end - 1 - slashes) % 2 == 0:
            return end
        end += 1
