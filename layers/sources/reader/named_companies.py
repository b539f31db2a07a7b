"""Ids and records of companies that a source knows by name only: the same name gives the same id in every file."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from anyascii import anyascii

from layers.model.read_result import Place
from layers.sources.reader.record_builder import Gathered

# With the longest id of an asset it makes a stake's id of at most 160 letters.
_SLUG_LENGTH = 50


def slug(text: str) -> str:
    """Latin small letters, digits and hyphens for any text; empty where it has no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", anyascii(text).lower()).strip("-")


def name_id(source: str, name: str) -> str:
    """Id of an entity that a source names, ``source/name/...``.

    Names of plain letters, digits and single spaces are told apart by their slug alone, so that case does not
    matter. All others carry eight digits of the SHA-256 of the name, as different names may share a slug.
    """
    if re.fullmatch(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*", name) and len(name) <= _SLUG_LENGTH:
        return f"{source}/name/{slug(name)}"
    digits = hashlib.sha256(name.encode()).hexdigest()[:8]
    return "/".join((source, "name", "-".join(part for part in (slug(name)[:_SLUG_LENGTH].strip("-"), digits) if part)))


def tail(entity: str) -> str:
    """The end of an entity's id, for the ids of what it holds."""
    return entity.removeprefix("wikidata-").rpartition("/")[2][:60]


class Named:
    """Adds entities known by name, and what they hold or run, to a reading; each entity once."""

    def __init__(self, found: Gathered, prefix: str, source: str, publisher: str) -> None:
        self._found, self._prefix, self._source, self._publisher = found, prefix, source, publisher

    def entity(self, name: str, place: Place, wikidata: str = "") -> str:
        """Id of the entity of a name, or of a Wikidata item, which other sources know it by."""
        item = wikidata.strip().upper()
        has_item = bool(re.fullmatch(r"Q[1-9][0-9]*", item))
        key = f"wikidata-{item.lower()}" if has_item else name_id(self._prefix, name)
        if not self._found.has("entities", key):
            values = {
                "id": key,
                "name": name,
                "type": "legalEntity",
                "external_ids": {"wikidata": item} if has_item else {},
                "sources": (self._source,),
                "checked": "unverified",
            }
            self._found.add("entities", values, place)
        return key

    def stake(self, asset: str, owner: str, place: Place) -> None:
        """A stake of which no share is known: 0 to 100."""
        values: dict[str, Any] = {
            "id": f"{asset}>{tail(owner)}",
            "owned": asset,
            "owner": owner,
            "share_min": 0.0,
            "share_max": 100.0,
            "source": self._source,
            "checked": "unverified",
            "note": f"{self._publisher} names the owner and gives no share",
        }
        if not self._found.has("stakes", values["id"]):
            self._found.add("stakes", values, place)

    def operator(self, asset: str, operator: str, place: Place) -> None:
        """A relation: who runs an asset. It is no stake."""
        values: dict[str, Any] = {
            "id": f"{asset}@operator/{tail(operator)}",
            "asset": asset,
            "entity": operator,
            "relation": "operator",
            "source": self._source,
            "checked": "unverified",
        }
        if not self._found.has("relations", values["id"]):
            self._found.add("relations", values, place)
