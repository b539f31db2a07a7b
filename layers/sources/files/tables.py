"""Rows of a table one at a time: CSV with comma, semicolon or tab (RFC 4180), or a sheet; in bounded memory."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from io import StringIO
from typing import TextIO

from layers.model.problems import Problem
from layers.sources.files.limits import MAX_COLUMNS, MAX_ROW, MAX_ROWS, Refused, require_few
from layers.sources.files.sniffing import delimiter_of, first_row

#: A column that says what is wrong with a row in a file of rejected rows; it is not read.
PROBLEMS_COLUMN = "_problems"

#: A row before its cells have names: its number in the file from 1, and the cells, or what is wrong with it.
RawRow = tuple[int, Sequence[str] | csv.Error]


class RowTable:
    """A table of a file: its header, and its rows by the names of their columns, each time it is iterated.

    Rows are numbered as a spreadsheet does, the header 1. Blank rows and columns without a name are left out. While
    iterating, ``problems`` fill: rows with too many or too few cells, and what is no CSV. Of columns with one name the
    second is ``name (2)``.
    """

    def __init__(self, file: str, rows: Callable[[], AbstractContextManager[Iterable[RawRow]]]) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._rows = rows
        with rows() as raw:
            number, cells = next((row for row in raw if not _is_blank(row[1])), (1, ()))
        if isinstance(cells, csv.Error):
            raise Refused(file, "syntax", cells, "a header row of CSV (RFC 4180)", row=number)
        self._first = number
        self._names, self._width = _names(cells), len(cells)
        #: The whole header, with empty names where columns have none.
        self.columns = (*self._names, *[""] * (self._width - len(self._names)))
        self.header = tuple(name for name in self._names if name and name != PROBLEMS_COLUMN)
        if len(self._names) > MAX_COLUMNS:
            raise Refused(file, "columns", f"{len(self._names):,}", f"at most {MAX_COLUMNS:,}", row=number)

    @classmethod
    def of_text(cls, file: str, text: str) -> RowTable:
        """The table of a CSV text in memory; a byte order mark is no part of it."""
        return cls(file, lambda: nullcontext(csv_rows(StringIO(text.removeprefix("\ufeff"), newline=""))))

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Give the number of each row and its cells by column.

        Raises
        ------
        Refused
            If there are more rows, or rows with faults, than are read.
        """
        self.problems.clear()
        count = 0
        with self._rows() as raw:
            for number, cells in raw:
                if number <= self._first:
                    continue
                count += 1
                if count > MAX_ROWS:
                    raise Refused(self.file, "rows", f"over {MAX_ROWS:,}", f"at most {MAX_ROWS:,}; split the file")
                if isinstance(cells, csv.Error):
                    self._fault(number, "syntax", str(cells), "a row of CSV (RFC 4180)")
                elif named := self._named(number, cells):
                    yield number, named

    def raw_rows(self) -> Iterator[RawRow]:
        """Number and cells of each row after the header, whatever is wrong with it."""
        with self._rows() as raw:
            yield from ((number, cells) for number, cells in raw if number > self._first)

    def _named(self, number: int, cells: Sequence[str]) -> dict[str, str] | None:
        if _is_blank(cells):
            return None
        width = len(self._names)
        if len(cells) < width or any(map(str.strip, cells[self._width :])):
            self._fault(number, "cells", str(len(cells)), f"{width} cells, as in the header")
            return None
        # What stands in columns without a name is nobody's.
        found = dict(zip(self._names, cells, strict=False))
        found.pop(PROBLEMS_COLUMN, None)
        found.pop("", None)
        return found

    def _fault(self, number: int, column: str, value: str, expected: str) -> None:
        require_few(self.file, self.problems)
        self.problems.append(Problem(self.file, number, "row", column, value[:120], expected))


def _is_blank(cells: Sequence[str] | csv.Error) -> bool:
    return not isinstance(cells, csv.Error) and not any(map(str.strip, cells))


def _names(cells: Iterable[str]) -> tuple[str, ...]:
    """The header without spaces around, each name once."""
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
    """Rows of a CSV text. The delimiter is the one that makes most of the header.

    A row of more than ``MAX_ROW`` letters, which may run over several lines in quotes, is an error and passed over.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter_of(lines.peek()), strict=True)
    number = 0
    while True:
        number += 1
        lines.length = 0
        # A cell may fill its row: the row's own bound is met first, and says so in our words.
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
    """Lines of a text, never more of a row at once than is allowed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.length = 0
        self._ahead: deque[str] = deque()

    def _skip_rest(self, line: str) -> None:
        """Pass over the rest of a line, a piece at a time."""
        while line and not line.endswith(("\n", "\r")):
            line = self._stream.readline(MAX_ROW)

    def peek(self) -> str:
        """The first row."""
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
            raise csv.Error(f"over {MAX_ROW:,} letters")
        # A NUL is no text; csv reads it as any letter, and SQLite would end there.
        if "\0" in line:
            raise csv.Error("a NUL character")
        return line
