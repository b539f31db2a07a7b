"""Where the table of a sheet begins: below titles and notes, with a header that may stand in two rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from layers.sources.files.limits import MAX_ROW, RowFault

#: Rows of a sheet among which the header is looked for.
_LOOKED_AT = 20

_SheetRow = tuple[int, list[str] | RowFault]


def from_header(rows: Iterable[_SheetRow]) -> Iterator[_SheetRow]:
    """Yield the rows of a sheet from its header on, which is one row.

    The header is the first of the first 20 rows that has at least two cells, and half as many as the widest of them:
    a title has fewer. Where cells of it stand over several columns, and the row below names these and hardly any
    other, both are the header: its names are those of the upper row, then of the lower. It has the number of the last
    row of the header. A sheet without such a row, or with one beyond a bound above it, begins at its first row.
    """
    listed, head, letters = iter(rows), list[_SheetRow](), 0
    for row in listed:
        head.append(row)
        letters += 0 if isinstance(row[1], RowFault) else sum(map(len, row[1]))
        if len(head) == _LOOKED_AT or letters > MAX_ROW:
            break
    found = _header(head)
    if found is None:
        yield from chain(head, listed)
        return
    yield found
    yield from (row for row in chain(head, listed) if row[0] > found[0])


def _header(head: Sequence[_SheetRow]) -> tuple[int, list[str]] | None:
    read: list[tuple[int, list[str]]] = []
    for number, cells in head:
        if isinstance(cells, RowFault):
            break
        if any(map(str.strip, cells)):
            read.append((number, cells))
    widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in read]
    least = max(2, max(widths, default=0) / 2)
    at = next((at for at, width in enumerate(widths) if width >= least), None)
    if at is None:
        return None
    number, cells = read[at]
    below = read[at + 1] if at + 1 < len(read) and read[at + 1][0] == number + 1 else None
    return _in_two_rows(cells, *below) or (number, cells) if below else (number, cells)


def _in_two_rows(upper: list[str], number: int, lower: list[str]) -> tuple[int, list[str]] | None:
    """Return the header of two rows, of which the lower names the columns under cells that stand over several."""
    width = max(len(upper), len(lower))
    pairs = [
        (one.strip(), other.strip())
        for one, other in zip(*([*row, *[""] * (width - len(row))] for row in (upper, lower)), strict=True)
    ]
    under = sum(bool(other) and not one for one, other in pairs)
    both = sum(bool(one and other) for one, other in pairs)
    alone = sum(bool(one) and not other for one, other in pairs)
    if not 0 < both <= under or alone < both or any(character.isdecimal() for _, other in pairs for character in other):
        return None
    names, over = [], ""
    for one, other in pairs:
        over = one or over
        names.append(f"{over} {other}" if other else one)
    return number, names
