"""What the readers of GLEIF and Wikidata gather: validated records, notes on entities, and every problem by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers import when
from layers.problems import Problem
from layers.reading import Place, Reading, validated
from layers.schema import NOUNS, Entity, Record, Records, Stake

_NOTE_LENGTH = 2000


class Gathered:
    """Records and problems of a reading in the making."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in NOUNS}
        self._places: dict[tuple[str, str], Place] = {}
        self._problems: list[Problem] = []
        self._notes: dict[str, list[str]] = {}
        self._mentioned: dict[str, Place] = {}

    def add(self, table: str, values: Mapping[str, Any], place: Place) -> bool:
        """Keep a record if it is valid and its id is free, else list what is wrong; whether it was kept."""
        noun = NOUNS[table]
        name = f"{noun.__name__.lower()} {values.get('id')}"
        record = validated(noun, {"dataset": self.dataset, **values}, place, self._problems)
        if record is None:
            return False
        earlier = self._places.get((table, record.id))
        if earlier is not None:
            self.fault(place, name, "id", record.id, f"an id not used at {earlier.file}:{earlier.row}")
            return False
        self.tables[table][record.id] = record
        self._places[table, record.id] = place
        return True

    def fault(self, place: Place, record: str, column: str, value: object, expected: str) -> None:
        """List something that could not be read."""
        self._problems.append(Problem(place.file, place.row, record, column, str(value)[:120], expected))

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
        return Reading(Records.of(self.tables), self._places, tuple(self._problems))


def ended_by(since: str | None, known: str) -> str:
    """Some day from ``since`` to the day on which the end was known, as an EDTF interval, for ``until``."""
    start = when.parse(since).earliest if since else None
    end = when.parse(known)
    if start is None or end.latest is None or start > end.latest:
        return f"0001-01-01/{known}"
    return f"{start.isoformat()}/{known}"
