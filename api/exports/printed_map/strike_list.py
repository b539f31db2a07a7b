"""Strikes in words: the numbered list below a printed map, and the table on the pages after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from api.exports.printed_map.sheet import INK, SOFT_INK, PageCanvas, leading_mm, wrapped
from api.exports.strike_rows import DrawnStrike
from api.exports.text import RESTS_ON, with_country_names
from api.wording.dates import date_in_words
from api.wording.strikes import sources_in_words

LIST_SIZE, SYMBOL_MM, GUTTER_MM = 6.6, 3.9, 6.0
TABLE_SIZE, HEAD_MM, PAD_MM = 6.8, 6.0, 1.1

Names = Mapping[str, str]


def owners_in_words(mark: DrawnStrike, names: Names) -> str:
    """Write the owners of the target, in percent by country, of how many sites together, and their basis."""
    if not mark.owners:
        return "owner not known"
    basis = RESTS_ON.get(mark.rests_on)
    return f"owners in %: {_shares(mark, names)}" + (f" ({basis})" if basis else "")


def _shares(mark: DrawnStrike, names: Names) -> str:
    together = f" of {mark.n_sites} sites together" if mark.together else ""
    return with_country_names(mark.owners, names) + together


@dataclass(frozen=True)
class ListEntry:
    """One entry of the list: its number, its strike, and its lines."""

    number: int
    mark: DrawnStrike
    title: list[str]
    words: list[str]

    @property
    def height(self) -> float:
        """Height in millimetres with the space below it."""
        return leading_mm(LIST_SIZE) * (len(self.title) + len(self.words)) + 1.5


def items_of(marks: Sequence[DrawnStrike], names: Names, width: float) -> list[ListEntry]:
    """Break the entries of the list to a column width in millimetres."""
    room = width - GUTTER_MM - 4
    return [
        ListEntry(
            number, mark,
            wrapped(f"{date_in_words(mark.when)}  {mark.title}", room, LIST_SIZE, bold=True),
            wrapped(f"{_host(mark, names)}; {owners_in_words(mark, names)}", room, LIST_SIZE),
        )
        for number, mark in enumerate(marks, 1)
    ]  # fmt: skip


def _host(mark: DrawnStrike, names: Names) -> str:
    return names.get(mark.host_country, mark.host_country) or "at sea or not stated"


def columns_of(items: Sequence[ListEntry]) -> list[list[ListEntry]]:
    """Set the entries in two columns of about the same height; a short list stays in one."""
    total, height, split = sum(item.height for item in items), 0.0, 0
    while split < len(items) and height < total / 2:
        height += items[split].height
        split += 1
    return [column for column in (list(items[:split]), list(items[split:])) if column]


def list_height(items: Sequence[ListEntry]) -> float:
    """Height in millimetres of the list."""
    return max((sum(item.height for item in column) for column in columns_of(items)), default=0.0)


def draw_list(sheet: PageCanvas, left: float, top: float, width: float, items: Sequence[ListEntry]) -> None:
    """Draw the list in columns of ``width`` millimetres below a height."""
    for number, column in enumerate(columns_of(items)):
        x, y = left + number * width, top
        for item in column:
            draw_numbered(sheet, x + SYMBOL_MM / 2, y - SYMBOL_MM / 2, item.number, item.mark)
            below = sheet.lines(x + GUTTER_MM, y, item.title, LIST_SIZE, bold=True)
            sheet.lines(x + GUTTER_MM, below, item.words, LIST_SIZE, color=SOFT_INK)
            y -= item.height


def draw_numbered(sheet: PageCanvas, x: float, y: float, number: int, mark: DrawnStrike) -> None:
    """Draw a strike's symbol with its number in it."""
    sheet.symbols(np.array([[x, y]]), mark.shape, mark.colour, mark.filled, SYMBOL_MM, zorder=18)
    size = 5.6 if number < 10 else 4.8
    colour = "white" if mark.filled else INK
    lift = mark.shape.lift * SYMBOL_MM - size * 0.129
    sheet.text(x, y + lift, str(number), size, bold=True, ha="center", color=colour, zorder=19)


@dataclass(frozen=True)
class TableColumn:
    """A column of the table: its heading and its width as a part of the whole."""

    title: str
    part: float


COLUMNS = (
    TableColumn("No.", 0.045),
    TableColumn("Date", 0.12),
    TableColumn("Strike", 0.27),
    TableColumn("Struck in", 0.09),
    TableColumn("Owners on the day", 0.24),
    TableColumn("Not owners", 0.135),
    TableColumn("Sources", 0.1),
)


def table_pages(
    marks: Sequence[DrawnStrike], names: Names, size: tuple[float, float], margin: float, title: str
) -> Iterator[PageCanvas]:
    """Give the pages of a table of strikes, numbered as on the map; no strikes give no page.

    ``size`` is width and height of a page and ``margin`` its border, in millimetres.
    """
    width, height = size
    rows = [_cells(number, mark, names, width - 2 * margin) for number, mark in enumerate(marks, 1)]
    page = 1
    while rows:
        page += 1
        sheet, y = _table_page(width, height, margin, title)
        sheet.text(width - margin, margin, f"Page {page}", 6, color=SOFT_INK, ha="right")
        floor = margin + 6
        while rows and (y - _row_height(rows[0]) >= floor or y > height - margin - 20):
            y = _draw_row(sheet, margin, y, width - 2 * margin, rows.pop(0))
        sheet.rule(margin, width - margin, y)
        sheet.text(
            margin,
            margin,
            "Related countries (supplier, operator, ...) are not owners and are in no share.",
            6,
            color=SOFT_INK,
        )
        yield sheet


def _table_page(width: float, height: float, margin: float, title: str) -> tuple[PageCanvas, float]:
    """Begin a page with its heading; return it and the height of the first row."""
    sheet = PageCanvas(width, height, 150)
    y = sheet.lines(margin, height - margin, wrapped(title, width - 2 * margin, 9, bold=True)[:2], 9, bold=True) - 2
    x = margin
    for column in COLUMNS:
        sheet.lines(
            x,
            y - 1,
            wrapped(column.title, column.part * (width - 2 * margin) - 1.5, TABLE_SIZE, True)[:1],
            TABLE_SIZE,
            bold=True,
        )
        x += column.part * (width - 2 * margin)
    sheet.rule(margin, width - margin, y - HEAD_MM + 0.6, 0.8, INK)
    return sheet, y - HEAD_MM


def _cells(number: int, mark: DrawnStrike, names: Names, width: float) -> list[list[str]]:
    basis = RESTS_ON.get(mark.rests_on, "")
    owners = [mark.headline or (_shares(mark, names) if mark.owners else "not known"), basis if mark.owners else ""]
    sources = sources_in_words(mark.n_sources, mark.n_voices)
    texts = [
        [str(number)], [date_in_words(mark.when)], [mark.title, mark.place], [_host(mark, names)], owners,
        [with_country_names(mark.relations, names) or "–"], [sources, mark.status],
    ]  # fmt: skip
    return [
        [line for text in cell if text for line in wrapped(text, column.part * width - 2, TABLE_SIZE)]
        for cell, column in zip(texts, COLUMNS, strict=True)
    ]


def _row_height(cells: Sequence[Sequence[str]]) -> float:
    return max(len(cell) for cell in cells) * leading_mm(TABLE_SIZE) + 2 * PAD_MM


def _draw_row(sheet: PageCanvas, left: float, top: float, width: float, cells: Sequence[Sequence[str]]) -> float:
    """Draw a row with a rule above it; return the height below it."""
    sheet.rule(left, left + width, top)
    x = left
    for cell, column in zip(cells, COLUMNS, strict=True):
        sheet.lines(x, top - PAD_MM, cell, TABLE_SIZE)
        x += column.part * width
    return top - _row_height(cells)
