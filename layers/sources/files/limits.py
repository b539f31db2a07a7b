"""How much of a file is read before it is refused, each limit with its reason; JSON and TOML within these bounds."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from layers.model.messages import Argument, Message
from layers.model.problems import Problem, ProblemsError, shown_value

#: Most bytes of a file, unpacked, that is read row by row: more than any national or world export we know (the
#: largest GEM, ACLED, UCDP and WRI files are below 300 MB).
MAX_TABLE_BYTES = 4_000_000_000
#: Most bytes of a file, unpacked, that is held whole (JSON, XML strings): parsed it takes up to ten times as much.
MAX_TEXT_BYTES = 256_000_000
#: Most values of a JSON file: each takes up to 72 bytes (an empty object), so about 1 GB in all.
MAX_JSON_VALUES = 15_000_000
#: A packed file that unpacks to more than this is looked at for its ratio.
FREE_BYTES = 64_000_000
#: Most bytes out of one packed byte. Sheets and GeoJSON pack 10 to 60 times; deflate can reach 1,032.
MAX_RATIO = 200
#: Most members of an archive: one is read, the rest are notes and folders. A workbook has dozens.
MAX_MEMBERS = 10_000
#: Most rows of a table, features of a collection: a record takes about 3 kB while it is loaded.
MAX_ROWS = 2_000_000
#: Most faults that are listed: a file with more is of another format, and a list of them helps nobody.
MAX_PROBLEMS = 100_000
#: Most columns of a table; the widest known (UNOSAT, GEM) have below 200.
MAX_COLUMNS = 2_000
#: Longest cell: the well-known text of a geometry with the most vertices that the schema takes.
MAX_CELL = 13_000_000
#: Longest cell that is no geometry: the most that a spreadsheet holds. The longest text of a record has 2,000 letters.
MAX_TEXT_CELL = 32_767
#: Longest row of all cells together, line ends in quoted cells included.
MAX_ROW = 16_000_000
#: Deepest nesting of lists and objects in JSON and TOML: a geometry of 32 collections in each other needs 70. Python
#: cannot show values of a depth near 1,000, nor orjson write those of 255.
MAX_DEPTH = 100
#: Deepest nesting of the XML in a workbook; real ones have below ten.
MAX_XML_DEPTH = 40
#: Deepest nesting of the keys by which a JSON file is recognised; those of real ones are below ten.
MAX_KEY_DEPTH = 40
#: How much is read to recognise a file.
HEAD_BYTES = 65_536


class FileRefused(ProblemsError):
    """A file that is not read any further, with the one reason."""

    def __init__(self, file: str, column: str, value: object, expected: Message, row: int | None = None) -> None:
        super().__init__((Problem(file, row, "file", column, shown_value(value), expected),))


class RowFault(csv.Error):
    """A row that is beyond a bound, and is given up; the rows after it are read."""

    def __init__(self, column: str, value: Argument, expected: Message) -> None:
        super().__init__(f"{column} = {value}: expected {expected}")
        self.column, self.value, self.expected = column, value, expected


_WKT = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION")
#: Signs of a route as pairs of degrees, `26.1,52.0:25.9,51.5`.
_ROUTE_SIGNS = "0123456789+-.,:; "


def long_cell(cells: Mapping[str, str]) -> RowFault | None:
    """Return the fault of the first cell that is too long, ``None`` where none is."""
    for name, text in cells.items():
        if len(text) > MAX_TEXT_CELL and not (len(text) <= MAX_CELL and _is_geometry(text)):
            limits = {"limit": MAX_TEXT_CELL, "geometry": MAX_CELL}
            return RowFault(name, f"{text[:90]}... ({len(text):,} letters)", Message("files.long-cell", limits))
    return None


def _is_geometry(text: str) -> bool:
    return text[:40].lstrip().upper().startswith(_WKT) or not text.strip(_ROUTE_SIGNS)


def require_few_problems(file: str, problems: Sequence[Problem]) -> None:
    """Refuse a file that has ``MAX_PROBLEMS`` problems; the message holds the first, often the cause of the others.

    Raises ``FileRefused`` if that many are listed already.
    """
    if len(problems) >= MAX_PROBLEMS:
        first = problems[0]
        fault = {"column": first.column, "value": first.value, "expected": first.expected}
        over = Message("files.over", {"limit": MAX_PROBLEMS})
        raise FileRefused(file, "faults", over, Message("files.first-fault", fault), row=first.row)


def parse_json(text: bytes | str) -> Any:
    """Parse JSON (RFC 8259).

    Raises ``orjson.JSONDecodeError`` if it is no JSON, or nested deeper than ``MAX_DEPTH``.
    """
    value = orjson.loads(text)
    if _is_deep(value):
        raise orjson.JSONDecodeError(f"nested more than {MAX_DEPTH} deep", "", 0)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML 1.0.

    Raises ``tomllib.TOMLDecodeError`` if it is no TOML, nested deeper than ``MAX_DEPTH``, or has a number with more
    digits than Python reads.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (RecursionError, ValueError, OverflowError) as error:
        raise tomllib.TOMLDecodeError(str(error)) from error
    if _is_deep(document):
        raise tomllib.TOMLDecodeError(f"nested more than {MAX_DEPTH} deep")
    return document


def _is_deep(value: Any) -> bool:
    """Whether lists and objects lie more than ``MAX_DEPTH`` deep in each other."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        parts = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = [inner for part in parts for inner in part if isinstance(inner, dict | list)]
        if not level:
            return False
    return True
