"""Rows of a table, one at a time and in bounded memory: CSV with comma, semicolon, tab or bar, or a sheet."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from io import StringIO
from typing import TextIO

from layers.model.messages import Message
from layers.model.problems import Problem, shown_value
from layers.sources.files.limits import (
    MAX_COLUMNS,
    MAX_ROW,
    MAX_ROWS,
    FileRefused,
    RowFault,
    long_cell,
    require_few_problems,
)
from layers.sources.files.sniffing import delimiter_of, first_row

#: The column of a file of rejected rows that holds the problems of a row; readers ignore it.
PROBLEMS_COLUMN = "_problems"


#: A row before its cells have names: its number in the file, from 1, and its cells, or an error if it is no CSV.
RawRow = tuple[int, Sequence[str] | csv.Error]


class CheckedRows:
    """Rows of one file, called by a ``noun``, and the ``problems`` of those that could not be given."""

    noun = "row"

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def _fault(self, number: int, column: str, value: object, expected: Message) -> None:
        require_few_problems(self.file, self.problems)
        self.problems.append(Problem(self.file, number, self.noun, column, shown_value(value), expected))

    def _has_long_cell(self, number: int, cells: Mapping[str, str]) -> bool:
        """Whether a cell is too long, which becomes a problem of the row."""
        long = long_cell(cells)
        if long:
            self._fault(number, long.column, long.value, long.expected)
        return long is not None


class RowTable(CheckedRows):
    """The header of a table, and an iterator over its rows as mappings from column names to cells.

    Rows are numbered as in a spreadsheet, the header 1. Blank rows and columns without a name are left out. Of two
    columns with one name the second is called ``name (2)``. Each iteration clears ``problems`` and fills it again: rows
    with too many or too few cells or a cell that is too long, and rows that are no CSV.
    """

    def __init__(self, file: str, rows: Callable[[], AbstractContextManager[Iterable[RawRow]]]) -> None:
        super().__init__(file)
        self._rows = rows
        with rows() as raw:
            number, cells = next((row for row in raw if not _is_blank(row[1])), (1, ()))
        if isinstance(cells, csv.Error):
            value = cells.value if isinstance(cells, RowFault) else cells
            raise FileRefused(file, "syntax", value, Message("files.csv-header"), row=number)
        #: The number of the row of the header.
        self.header_row = number
        self._names, self._width = _names(cells), len(cells)
        #: The whole header, with empty names where columns have none.
        self.columns = (*self._names, *[""] * (self._width - len(self._names)))
        self.header = tuple(name for name in self._names if name and name != PROBLEMS_COLUMN)
        if len(self._names) > MAX_COLUMNS:
            count = Message("files.count", {"count": len(self._names)})
            raise FileRefused(file, "columns", count, Message("files.at-most", {"limit": MAX_COLUMNS}), row=number)

    @classmethod
    def of_text(cls, file: str, text: str) -> RowTable:
        """Return the table of a CSV text in memory; a byte order mark is no part of it."""
        return cls(file, lambda: nullcontext(csv_rows(StringIO(text.removeprefix("\ufeff"), newline=""))))

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and cells, by column, of each row that can be read.

        Raises ``FileRefused`` if there are more than ``MAX_ROWS`` rows or ``MAX_PROBLEMS`` rows with faults.
        """
        self.problems.clear()
        count = 0
        with self._rows() as raw:
            for number, cells in raw:
                if number <= self.header_row:
                    continue
                count += 1
                if count > MAX_ROWS:
                    limit = {"limit": MAX_ROWS}
                    raise FileRefused(self.file, "rows", Message("files.over", limit), Message("files.split", limit))
                if isinstance(cells, RowFault):
                    self._fault(number, cells.column, cells.value, cells.expected)
                elif isinstance(cells, csv.Error):
                    self._fault(number, "syntax", str(cells), Message("files.csv-row"))
                elif named := self._named(number, cells):
                    yield number, named

    def raw_rows(self) -> Iterator[RawRow]:
        """Yield number and cells of each row after the header, sound or not."""
        with self._rows() as raw:
            yield from ((number, cells) for number, cells in raw if number > self.header_row)

    def _named(self, number: int, cells: Sequence[str]) -> dict[str, str] | None:
        if _is_blank(cells):
            return None
        width = len(self._names)
        if len(cells) < width or not _is_blank(cells[self._width :]):
            self._fault(number, "cells", len(cells), Message("files.cells-as-header", {"count": width}))
            return None
        # Cells in columns without a name are dropped.
        named = dict(zip(self._names, cells, strict=False))
        named.pop(PROBLEMS_COLUMN, None)
        named.pop("", None)
        return None if self._has_long_cell(number, named) else named


def _is_blank(cells: Sequence[str] | csv.Error) -> bool:
    # Rows of sheets may have thousands of empty cells, which need no stripping.
    return not isinstance(cells, csv.Error) and not any(map(str.strip, filter(None, cells)))


def _names(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the column names of a header row, stripped, each made unique."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for cell in cells:
        plain = name = cell.strip()
        while name and name in seen:
            seen[plain] += 1
            name = f"{plain} ({seen[plain]})"
        seen[name] = 1
        names.append(name)
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def csv_rows(stream: TextIO) -> Iterator[RawRow]:
    """Yield the rows of a CSV text. The delimiter is the one that is most frequent in the header.

    A row of more than ``MAX_ROW`` letters, which may run over several lines in quotes, gives an error in its place.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter_of(lines.peek()), strict=True)
    number = 0
    while True:
        number += 1
        lines.length = 0
        # A cell may be as long as a row: so the bound of the row is met first, and its error message is ours.
        before = csv.field_size_limit(MAX_ROW)
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, error
        finally:
            csv.field_size_limit(before)


class _Lines:
    """Lines of a text, never more of one row at once than ``MAX_ROW`` letters."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.length = 0
        self._ahead: deque[str] = deque()

    def _skip_rest(self, line: str) -> None:
        """Skip the rest of a line, in chunks."""
        while line and not line.endswith(("\n", "\r")):
            line = self._stream.readline(MAX_ROW)

    def peek(self) -> str:
        """Return the first row without consuming it."""
        self._ahead.extend(first_row(lambda: self._stream.readline(MAX_ROW + 1)))
        return "".join(self._ahead)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._stream.readline(MAX_ROW + 1)
        if not line:
            raise StopIteration
        self.length += len(line)
        if self.length > MAX_ROW:
            self._skip_rest(line)
            raise RowFault("syntax", Message("files.over-letters", {"limit": MAX_ROW}), Message("files.csv-row"))
        # The csv module takes NUL for a letter, but SQLite would end the text there.
        if "\0" in line:
            raise RowFault("syntax", Message("files.nul"), Message("files.csv-row"))
        return line
