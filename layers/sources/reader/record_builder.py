"""What a reader gathers: validated records, rows counted, rows skipped with a reason, and every problem by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from layers.model import edtf
from layers.model.problems import Problem
from layers.model.read_result import Place, Reading, validated
from layers.model.records import NOUNS, Entity, Record, Records, Stake
from layers.sources.files.limits import require_few

_NOTE_LENGTH = 2000


class Gathered:
    """Records and problems of a reading in the making.

    Every record is of ``dataset``, and private if the format is, unless its values say otherwise. ``rows`` is counted
    by the reader: one for each row, feature or event.
    """

    def __init__(self, dataset: str, *, private: bool = False) -> None:
        self.dataset = dataset
        self.rows = 0
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in NOUNS}
        self._common: dict[str, Any] = {"dataset": dataset, **({"private": True} if private else {})}
        self._places: dict[tuple[str, str], Place] = {}
        self._problems: list[Problem] = []
        self._skipped: Counter[str] = Counter()
        self._notes: dict[str, list[str]] = {}
        self._mentioned: dict[str, Place] = {}

    @property
    def fault_count(self) -> int:
        """How many problems were listed so far."""
        return len(self._problems)

    def has(self, table: str, key: str) -> bool:
        """Whether a record of that id was kept before."""
        return (table, key) in self._places

    def add(
        self,
        table: str,
        values: Mapping[str, Any],
        place: Place,
        columns: Mapping[str, str] = MappingProxyType({}),
        unread: Collection[str] = (),
    ) -> bool:
        """Keep a record if it is valid and its id is free, else list what is wrong; whether it was kept.

        ``columns`` say what the file calls the columns of the record, for telling faults. A record of which some
        columns are ``unread``, which is told already, is only looked through for what else is wrong.
        """
        noun = NOUNS[table]
        name = f"{noun.__name__.lower()} {values.get('id')}"
        earlier = self._places.get((table, str(values.get("id"))))
        if earlier is not None:
            column, expected = columns.get("id", "id"), f"an id not used at {earlier.file}:{earlier.row}"
            self.fault(place, name, column, values["id"], expected)
        problems: list[Problem] = []
        record = validated(noun, {**self._common, **values}, place, problems)
        self.take(_as_in_file(problem, columns) for problem in problems if not _follows(problem, unread))
        if record is None or unread or earlier is not None:
            return False
        self.tables[table][record.id] = record
        self._places[table, record.id] = place
        return True

    def fault(self, place: Place, record: str, column: str, value: object, expected: str) -> None:
        """List something that could not be read."""
        require_few(place.file, self._problems)
        self._problems.append(Problem(place.file, place.row, record, column, str(value)[:120], expected))

    def take(self, problems: Iterable[Problem]) -> None:
        """List problems that others found."""
        for problem in problems:
            require_few(problem.file, self._problems)
            self._problems.append(problem)

    def bad_rows(self, problems: Iterable[Problem]) -> None:
        """List the rows that a table or collection could not give, and count them as rows."""
        listed = tuple(problems)
        self.rows += len({problem.row for problem in listed})
        self.take(listed)

    def skip(self, reason: str) -> None:
        """Count a row that is sound but not for the atlas."""
        self._skipped[reason] += 1

    def note(self, entity: str, text: str) -> None:
        """Say something of an entity, which may be read later."""
        self._notes.setdefault(entity, []).append(text)

    def mention(self, entity: str, place: Place) -> None:
        """Remember an entity that must be there in the end."""
        self._mentioned.setdefault(entity, place)

    def missing(self) -> list[tuple[str, Place]]:
        """Entities that were mentioned and not read, and where they were first mentioned."""
        return [(name, place) for name, place in self._mentioned.items() if name not in self.tables["entities"]]

    def stakes(self) -> list[Stake]:
        """The stakes read so far."""
        return [stake for stake in self.tables["stakes"].values() if isinstance(stake, Stake)]

    def reading(self) -> Reading:
        """Everything read, with the notes on their entities."""
        entities = self.tables["entities"]
        for name, texts in self._notes.items():
            entity = entities.get(name)
            if isinstance(entity, Entity):
                parts = (*((entity.note,) if entity.note else ()), *dict.fromkeys(texts))
                entities[name] = entity.model_copy(update={"note": " ".join(parts)[:_NOTE_LENGTH]})
        records = Records.of(self.tables)
        return Reading(records, dict(self._places), tuple(self._problems), self.rows, dict(self._skipped))


def _as_in_file(problem: Problem, columns: Mapping[str, str]) -> Problem:
    """The problem with the column as the file calls it."""
    root, dot, rest = problem.column.partition(".")
    theirs = columns.get(problem.column) or (f"{columns[root]}{dot}{rest}" if root in columns else problem.column)
    return replace(problem, column=theirs)


def _follows(problem: Problem, unread: Collection[str]) -> bool:
    """Whether a problem may only be there because some columns could not be read."""
    return bool(unread) and problem.column.partition(".")[0] in {"record", *unread}


def ended_by(since: str | None, known: str) -> str:
    """Some day from ``since`` to the day on which the end was known, as an EDTF interval, for ``until``."""
    start = edtf.parse(since).earliest if since else None
    end = edtf.parse(known)
    if start is None or end.latest is None or start > end.latest:
        return f"0001-01-01/{known}"
    return f"{start.isoformat()}/{known}"


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
