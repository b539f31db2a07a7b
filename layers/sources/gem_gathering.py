"""Gathers the records of a GEM file: validated one by one, entities by all their spellings, faults by row."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from layers.problems import Problem
from layers.reading import Place, Reading, validated
from layers.schema import NOUNS, Record, Records, Source
from layers.sources.gem_owners import Holder, Owner
from layers.sources.gem_rows import gem_id, name_id, slug

PUBLISHER = "Global Energy Monitor"
LICENCE = "CC BY 4.0"

#: What GEM's words for owners it does not name are in BODS.
_TYPES: dict[Holder, str] = {
    "named": "legalEntity",
    "unknown": "unknownEntity",
    "other": "unknownEntity",
    "small-shareholders": "unknownEntity",
    "natural-persons": "anonymousEntity",
    "members": "anonymousEntity",
}


class Gathering:
    """Records of one file and what is wrong with the rest; all of them carry the file's source and dataset."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.source = source_of(file)
        self.problems: list[Problem] = []
        self._tables: dict[str, dict[str, Record]] = defaultdict(dict)
        self._places: dict[tuple[str, str], Place] = {}
        self._spellings: dict[str, dict[str, int]] = defaultdict(dict)
        self._owners: dict[str, Owner] = {}

    def fault(self, row: int, record: str, column: str, value: str, expected: str) -> None:
        """Note what could not be read."""
        self.problems.append(Problem(self.file, row, record, column, value[:120], expected))

    def has(self, table: str, key: str) -> bool:
        """Whether a record of that id was read before."""
        return (table, key) in self._places

    def add(self, table: str, row: int, values: dict[str, Any]) -> bool:
        """Keep a record, or list each of its faults; a second record of one id is a fault."""
        noun = NOUNS[table]
        name = f"{noun.__name__.lower()} {values['id']}"
        if (earlier := self._places.get((table, values["id"]))) is not None:
            self.fault(row, name, "id", str(values["id"]), f"an id not used in row {earlier.row}")
            return False
        record = validated(noun, {**values, "dataset": self.source.id}, Place(self.file, row), self.problems)
        if record is None:
            return False
        self._tables[table][record.id] = record
        self._places[table, record.id] = Place(self.file, row)
        return True

    def owner(self, row: int, owner: Owner, identifier: str | None = None) -> str:
        """Note a holder by its GEM id or else by name; give the id of its entity. An empty name is unknown."""
        key = gem_id(identifier) if identifier else name_id(owner.name or "unknown")
        self._spellings[key].setdefault(owner.name or "unknown", row)
        self._owners.setdefault(key, owner)
        return key

    def reading(self) -> Reading:
        """Everything gathered; of an entity's spellings the first is its name, the others aliases."""
        for key, spellings in self._spellings.items():
            if not self.has("entities", key):
                (name, row), *others = spellings.items()
                self.add("entities", row, self._entity(key, name, tuple(other for other, _ in others)))
        self._tables["sources"][self.source.id] = self.source
        return Reading(Records.of(self._tables), dict(self._places), tuple(self.problems))

    def _entity(self, key: str, name: str, aliases: tuple[str, ...]) -> dict[str, Any]:
        owner = self._owners[key]
        ids = {"lei": owner.tag} if owner.tag and owner.tag != "LEI" else {}
        if not key.startswith("gem/name/"):
            ids["gem"] = key.removeprefix("gem/").upper()
        return {
            "id": key,
            "name": name if owner.holder == "named" else f"{name} (not named by GEM)",
            "aliases": aliases,
            "type": _TYPES[owner.holder],
            "external_ids": ids,
            "sources": (self.source.id,),
            "checked": "unverified",
        }


def source_of(file: str) -> Source:
    """The source that stands for one file of GEM; its day is the last ISO date in the file's name."""
    days = re.findall(r"\d{4}-\d{2}-\d{2}", file)
    stem = re.sub(r"(\.csv)+$", "", file)
    key = f"gem/file/{slug(stem)[:120]}"
    return Source(
        id=key,
        dataset=key,
        publisher=PUBLISHER,
        title=file,
        language="en",
        published=days[-1] if days else None,
        licence=LICENCE,
    )
