"""Gathers the records of a GEM file: all carry the file as their source, entities by all their spellings."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from layers.model.read_result import Place, Reading
from layers.model.records import Source
from layers.sources.gem.columns import gem_id, name_id
from layers.sources.gem.owner_grammar import Holder, Owner
from layers.sources.reader.named_companies import slug
from layers.sources.reader.record_builder import Gathered

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


class Gathering(Gathered):
    """Records of one file or sheet, of a dataset (by default of the file's own) and a licence (GEM's)."""

    def __init__(self, file: str, dataset: str | None = None, licence: str | None = None) -> None:
        self.source = source_of(file, dataset, licence or LICENCE)
        super().__init__(self.source.dataset)
        self.file = file
        self.tables["sources"][self.source.id] = self.source
        self._spellings: dict[str, dict[str, int]] = defaultdict(dict)
        self._owners: dict[str, Owner] = {}

    def at(self, row: int) -> Place:
        """Place of a row of the file."""
        return Place(self.file, row)

    def row_fault(self, row: int, record: str, column: str, value: str, expected: str) -> None:
        """List something of a row that could not be read."""
        self.fault(self.at(row), record, column, value, expected)

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
                self.add("entities", self._entity(key, name, tuple(other for other, _ in others)), self.at(row))
        return super().reading()

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


def source_of(file: str, dataset: str | None = None, licence: str = LICENCE) -> Source:
    """The source that stands for one file of GEM; its day is the last ISO date in the file's name."""
    file, _, sheet = file.rpartition("/")[2].partition("#")
    days = re.findall(r"\d{4}-\d{2}-\d{2}", file)
    stem = re.sub(r"(\.gz|\.csv|\.xlsx|\.geojson|\.json)+$", "", file)
    parts = (slug(stem)[:90], slug(sheet)[:30])
    key = f"gem/file/{'/'.join(part for part in parts if part)}"
    return Source(
        id=key,
        dataset=dataset or key,
        publisher=PUBLISHER,
        title=f"{file}, {sheet}" if sheet else file,
        language="en",
        published=days[-1] if days else None,
        licence=licence,
    )
