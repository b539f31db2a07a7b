"""Rows of strike files and the declared table that makes a strike of one: field, columns, how. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

#: Most words of a quotation.
QUOTE_WORDS = 25
#: Longest text that a schema column takes.
_LONGEST = 2000


class Faulty(ValueError):
    """One cell that cannot be read: which column, what stands there, what was expected."""

    def __init__(self, column: str, value: object, expected: str) -> None:
        super().__init__(f"{column} = {value}: expected {expected}")
        self.column, self.value, self.expected = column, value, expected


class Row(Mapping[str, str]):
    """Cells by the name of their column, whatever its case, without space around; a missing column is empty."""

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


class Field(NamedTuple):
    """How one field of a strike comes of a row: from which columns, by what rule (in words), by which function."""

    name: str
    columns: str
    how: str
    make: Callable[[Row], Any]


def made(fields: Sequence[Field], row: Row) -> tuple[dict[str, Any], list[Faulty]]:
    """The values of a strike that a row gives, and every fault of its cells."""
    values: dict[str, Any] = {}
    faults: list[Faulty] = []
    for field in fields:
        try:
            value = field.make(row)
        except Faulty as fault:
            faults.append(fault)
            continue
        values.update(value if field.name == "*" else {field.name: value})
    return values, faults


def needed(row: Row, column: str, expected: str = "a text") -> str:
    """A cell that must not be empty.

    Raises
    ------
    Faulty
        If it is.
    """
    if not row[column]:
        raise Faulty(column, "(missing)", expected)
    return row[column][:_LONGEST]


def number(row: Row, column: str, low: float, high: float) -> float:
    """A decimal number between two bounds.

    Raises
    ------
    Faulty
        If the cell is no such number.
    """
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise Faulty(column, row[column] or "(missing)", f"a number from {low:g} to {high:g}")
    return value


def count(row: Row, column: str) -> int | None:
    """A whole number from 0 up; None where the cell is empty.

    Raises
    ------
    Faulty
        If there is something else.
    """
    text = row[column].removesuffix(".0")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise Faulty(column, row[column], "a whole number from 0 up")
    return int(text)


def code(row: Row, column: str, known: Iterable[str]) -> str:
    """One of some codes.

    Raises
    ------
    Faulty
        If the cell holds none of them.
    """
    text = row[column].removesuffix(".0")
    known = tuple(known)
    if text not in known:
        raise Faulty(column, row[column] or "(missing)", "one of " + ", ".join(known))
    return text


def is_set(row: Row, *columns: str) -> bool:
    """Whether any of some 0/1 columns is 1."""
    return any(row[column] in ("1", "1.0", "TRUE", "true") for column in columns)


def day(column: str, text: str, styles: Sequence[str]) -> date:
    """A day in one of several styles (``strptime``); a time of day after it is left out.

    Raises
    ------
    Faulty
        If it is in none of them, or no day of the calendar, or not in the years 1900 to 2100.
    """
    for style in styles:
        width = len(style.split())
        try:
            found = datetime.strptime(" ".join(text.replace("T", " ").split()[:width]), style).date()
        except ValueError:
            continue
        if 1900 <= found.year <= 2100:
            return found
    raise Faulty(column, text or "(missing)", "a day such as " + " or ".join(_shown(style) for style in styles[:2]))


def _shown(style: str) -> str:
    return date(2022, 3, 24).strftime(style)


def interval(start: date, end: date) -> str:
    """Two days as EDTF: the day, month or year where they span just that, else an interval."""
    if start == end:
        return start.isoformat()
    if start.day == 1 and (end + timedelta(days=1)).day == 1:
        if (start.year, start.month) == (end.year, end.month):
            return start.strftime("%Y-%m")
        if start.year == end.year and (start.month, end.month) == (1, 12):
            return f"{start.year:04d}"
    return f"{start.isoformat()}/{end.isoformat()}"


def quote(text: str, about: str = "") -> str | None:
    """At most 25 words of a text: its first, or those around a phrase; marked where more stands before or after.

    None of an empty text.
    """
    words = text.split()
    first = about.split()[:1]
    at = next((n for n, word in enumerate(words) if first and first[0] in word), 0)
    start = max(0, at - QUOTE_WORDS // 3) if at >= QUOTE_WORDS - 5 else 0
    kept = " ".join(words[start : start + QUOTE_WORDS])[: _LONGEST - 4]
    if not kept:
        return None
    return f"{'… ' if start else ''}{kept}{' …' if start + QUOTE_WORDS < len(words) else ''}"
