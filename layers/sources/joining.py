"""Readings of several files as one: what a file gave first stays, and every fault is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from layers.problems import Problem
from layers.reading import Place, Reading
from layers.schema import NOUNS, Record, Records


def joined(readings: Sequence[Reading]) -> Reading:
    """One reading of several.

    A record of a later file does not replace one of an earlier: an entity or source is named by many, but a second
    asset or strike of one id is a fault.
    """
    tables: dict[str, dict[str, Record]] = {name: {} for name in NOUNS}
    places: dict[tuple[str, str], Place] = {}
    problems: list[Problem] = []
    skipped: Counter[str] = Counter()
    for reading in readings:
        problems += reading.problems
        skipped.update(reading.skipped)
        for name, table in tables.items():
            for key, record in reading.records.table(name).items():
                if table.setdefault(key, record) is not record and name in ("assets", "strikes"):
                    problems.append(_twice(name, record, reading.places.get((name, key)), places.get((name, key))))
        for place_of, place in reading.places.items():
            places.setdefault(place_of, place)
    rows = sum(reading.rows for reading in readings)
    return Reading(Records.of(tables), places, tuple(problems), rows, dict(skipped))


def _twice(table: str, record: Record, here: Place | None, before: Place | None) -> Problem:
    told = f"{before.file}:{before.row}" if before else "an earlier file"
    name = f"{NOUNS[table].__name__.lower()} {record.id}"
    file, row = (here.file, here.row) if here else ("", None)
    return Problem(file, row, name, "id", record.id, f"an id not used at {told}")
