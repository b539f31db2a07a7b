"""Rows of strike files, and the declared table that makes a strike of a row: field, columns, rule. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from layers.model.messages import Argument, InvalidValue, Message, alternatives
from layers.model.problems import MISSING

#: Most words of a quotation.
QUOTE_WORDS = 25
#: Longest text that a schema column takes.
_MAX_TEXT = 2000
_TEXT = Message("cell.text")


class CellProblem(InvalidValue):
    """A cell that cannot be read: its column, its value, and what was expected."""

    def __init__(self, column: str, value: Argument, expected: Message) -> None:
        super().__init__(expected)
        self.column, self.value = column, value

    def __str__(self) -> str:
        return f"{self.column} = {self.value}: expected {self.expected}"


class StrikeRow(Mapping[str, str]):
    """Cells by column name in any case, stripped; a missing column is empty."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = {name.strip().casefold(): cell.strip() for name, cell in cells.items()}

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column.casefold(), "")

    def __iter__(self) -> Any:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __contains__(self, column: object) -> bool:
        return isinstance(column, str) and column.casefold() in self._cells


class FieldMapping(NamedTuple):
    """How a field of a strike follows from a row: its columns, the rule in words, and the function that applies it."""

    name: str
    columns: str
    rule: str
    derive: Callable[[StrikeRow], Any]


def map_row(fields: Sequence[FieldMapping], row: StrikeRow) -> tuple[dict[str, Any], list[CellProblem]]:
    """Return the values of a strike that a row gives, and every problem of its cells."""
    values: dict[str, Any] = {}
    faults: list[CellProblem] = []
    for field in fields:
        try:
            value = field.derive(row)
        except CellProblem as fault:
            faults.append(fault)
            continue
        values.update(value if field.name == "*" else {field.name: value})
    return values, faults


def required(row: StrikeRow, column: str, expected: Message = _TEXT) -> str:
    """Return a cell that must not be empty.

    Raises ``CellProblem`` if it is.
    """
    if not row[column]:
        raise CellProblem(column, MISSING, expected)
    return row[column][:_MAX_TEXT]


def number(row: StrikeRow, column: str, low: float, high: float) -> float:
    """Return the decimal number of a cell, between two bounds.

    Raises ``CellProblem`` if the cell holds no such number.
    """
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        expected = Message("cell.number-between", {"low": low, "high": high})
        raise CellProblem(column, row[column] or MISSING, expected)
    return value


def count(row: StrikeRow, column: str) -> int | None:
    """Return the integer of a cell, from 0 up; None where the cell is empty.

    Raises ``CellProblem`` if the cell holds anything else.
    """
    text = row[column].removesuffix(".0")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise CellProblem(column, row[column], Message("cell.count"))
    return int(text)


def code(row: StrikeRow, column: str, known: Iterable[str]) -> str:
    """Return the code of a cell, one of those known.

    Raises ``CellProblem`` if the cell holds none of them.
    """
    text = row[column].removesuffix(".0")
    known = tuple(known)
    if text not in known:
        raise CellProblem(column, row[column] or MISSING, Message("cell.one-of", {"names": known}))
    return text


def is_set(row: StrikeRow, *columns: str) -> bool:
    """Whether any of several 0/1 columns is 1."""
    return any(row[column] in ("1", "1.0", "TRUE", "true") for column in columns)


def day(column: str, text: str, styles: Sequence[str]) -> date:
    """Parse a day in one of several styles (``strptime``); a time of day after it is left out.

    Raises ``CellProblem`` if no style fits, or it is no day of the calendar, or not in the years 1900 to 2100.
    """
    for style in styles:
        width = len(style.split())
        try:
            parsed = datetime.strptime(" ".join(text.replace("T", " ").split()[:width]), style).date()
        except ValueError:
            continue
        if 1900 <= parsed.year <= 2100:
            return parsed
    examples = alternatives([_example(style) for style in styles[:2]])
    raise CellProblem(column, text or MISSING, Message("cell.day", {"examples": examples}))


def identifier_such_as(example: str) -> Message:
    """Return what is expected of the cell with the identifier of an event."""
    return Message("strikes.identifier", {"example": example})


def _example(style: str) -> str:
    return date(2022, 3, 24).strftime(style)


def interval(start: date, end: date) -> str:
    """Return two days as EDTF: the day, month or year that they span exactly, else an interval."""
    if start == end:
        return start.isoformat()
    if start.day == 1 and (end + timedelta(days=1)).day == 1:
        if (start.year, start.month) == (end.year, end.month):
            return start.strftime("%Y-%m")
        if start.year == end.year and (start.month, end.month) == (1, 12):
            return f"{start.year:04d}"
    return f"{start.isoformat()}/{end.isoformat()}"


def quote(text: str, about: str = "") -> str | None:
    """Return at most 25 words of a text, its first ones or those around a phrase; an ellipsis marks omitted words.

    None for an empty text.
    """
    words = text.split()
    first = about.split()[:1]
    match_index = next((n for n, word in enumerate(words) if first and first[0] in word), 0)
    start = max(0, match_index - QUOTE_WORDS // 3) if match_index >= QUOTE_WORDS - 5 else 0
    excerpt = " ".join(words[start : start + QUOTE_WORDS])[: _MAX_TEXT - 4]
    if not excerpt:
        return None
    return f"{'… ' if start else ''}{excerpt}{' …' if start + QUOTE_WORDS < len(words) else ''}"
