"""Joins the sheets of a tracker that says of each plant what it is in one, and what its parts can do in another.

The tracker of iron and steel does: a sheet has owners, places and pages of the plants, and a sheet has a row for each
plant and status with the capacity. Alone the first has no status, and the second no place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from layers.model.problems import Problem
from layers.sources.gem.columns import EMPTY, TrackerColumns
from layers.sources.gem.record_builder import is_gem_number
from layers.sources.gem.trackers import Tracker

#: The name of the column that tells several rows of a plant apart: by their status.
_UNIT = "Unit name"
_PLACES = ("lat", "latlon", "wkt")
#: Words that do not take the place of what the other sheet says.
_SAYS_NOTHING = EMPTY | {"unknown"}

_Cells = Mapping[str, str]


@dataclass
class _Rows:
    """Rows of a sheet with what another says of their plants, or without those that are joined."""

    file: str
    header: tuple[str, ...]
    rows: Sequence[tuple[int, _Cells]]
    problems: list[Problem] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, _Cells]]:
        return iter(self.rows)


def joined_sheets(tables: Sequence[Tracker]) -> tuple[list[Tracker], int]:
    """Return tables in which rows of capacities have what another table says of their plants, and how many it said.

    A table that says what plants are has their numbers and owners or places, and no status; one of their capacities
    has their numbers and a status, and neither owners nor places. Rows of the first whose plant the second has are
    joined to its rows, and left out.
    """
    columns = [TrackerColumns.of(table.header) for table in tables]
    plants = next((n for n, found in enumerate(columns) if _is_of_plants(found)), None)
    capacities = next((n for n, found in enumerate(columns) if _is_of_capacities(found)), None)
    if plants is None or capacities is None:
        return list(tables), 0
    number_column, own_number = columns[plants].fields["plant_id"][0], columns[capacities].fields["plant_id"][0]
    said = [(line, cells, cells.get(number_column, "").strip()) for line, cells in tables[plants]]
    rows = [(line, cells, cells.get(own_number, "").strip()) for line, cells in tables[capacities]]
    by_number = {number: cells for _, cells, number in reversed(said) if is_gem_number(number)}
    counts = Counter(number for _, _, number in rows)
    status = columns[capacities].fields["status"][0]
    units = {number for number, count in counts.items() if count > 1 and "unit" not in columns[capacities]}
    joined = [
        (line, _joined(cells, by_number.get(number, {}), status if number in units else None))
        for line, cells, number in rows
    ]
    left = [(line, cells) for line, cells, number in said if number not in counts or number not in by_number]
    header = dict.fromkeys((*tables[capacities].header, *tables[plants].header, _UNIT))
    result = list(tables)
    result[capacities] = _Rows(tables[capacities].file, tuple(header), joined, tables[capacities].problems)
    result[plants] = _Rows(tables[plants].file, tables[plants].header, left, tables[plants].problems)
    return result, len(said) - len(left)


def _is_of_plants(columns: TrackerColumns) -> bool:
    return "plant_id" in columns and "status" not in columns and _says_whose_or_where(columns)


def _is_of_capacities(columns: TrackerColumns) -> bool:
    return "plant_id" in columns and "status" in columns and not _says_whose_or_where(columns)


def _says_whose_or_where(columns: TrackerColumns) -> bool:
    return "owner" in columns or any(name in columns for name in _PLACES)


def _joined(cells: _Cells, plant: _Cells, status: str | None) -> _Cells:
    """Return the cells of a row, and those of its plant where it has none; several rows are called by their status."""
    filled = {name: text for name, text in cells.items() if text.strip().casefold() not in _SAYS_NOTHING}
    unit = {_UNIT: cells.get(status, "")} if status else {}
    return {**plant, **unit, **filled}
