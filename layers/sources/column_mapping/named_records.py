"""Records that files refer to by name: equal names are one entity, in whichever row or file they stand."""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from layers.model.problems import SourceLocation
from layers.model.records import Asset, Entity
from layers.reference.country_names import code_of
from layers.sources.column_mapping.shares import ShareInterval
from layers.sources.reader.owner_grammar import TOLERANCE, parse_owners
from layers.sources.reader.record_builder import RecordBuilder, company_id, stake_suffix

_QUOTES = dict.fromkeys(map(ord, "\"'«»„“”‟‘’‚‹›`´"))
#: Several references of one name are told up to this many.
_TOLD_IDS = 5


def plain_name(name: str) -> str:
    """Return a name as names are compared: without case, quotation marks and the dots of ё, one space between words.

    Names of other words or legal forms are others: whether these are one is for a person to judge.
    """
    return " ".join(unicodedata.normalize("NFKC", name).translate(_QUOTES).casefold().replace("ё", "е").split())


def named_entity_id(dataset: str, name: str) -> str:
    """Return the id of the entity of a name: one id for all spellings that ``plain_name`` takes for one."""
    plain = plain_name(name)
    return company_id(dataset, plain if plain else name)


class AmbiguousName(LookupError):
    """A name that several records have, with their ids."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Holding:
    """An owner of an asset or entity, by name; without a share it may be any, without a country in any."""

    owned: str
    owner: str
    share: ShareInterval | None
    note: str | None
    country: str | None
    location: SourceLocation


class OtherCountry(LookupError):
    """An owner that another row, or the entity of its name, has in another country, which is given."""


class NamedRecords:
    """Finds the assets and entities of names among those that were read, and adds the entities that were not.

    ``source`` and ``publisher`` are those of the file, which every added record names.
    """

    def __init__(self, builder: RecordBuilder, dataset: str, source: str, publisher: str) -> None:
        self._builder, self._dataset, self._source, self._publisher = builder, dataset, source, publisher
        self._entities: dict[str, list[str]] = defaultdict(list)
        self._assets: dict[str, list[str]] = defaultdict(list)

    def index(self) -> None:
        """Take the names of all records that were read so far; assets and entities have to be read before."""
        self._entities.clear()
        self._assets.clear()
        for key, record in self._builder.tables["entities"].items():
            _add(self._entities, key, _names(record))
        for key, record in self._builder.tables["assets"].items():
            _add(self._assets, key, _names(record))

    def entity(self, name: str, location: SourceLocation, country: str | None = None) -> str:
        """Return the id of the entity of a name; one that was not read is added, as registered in a country if given.

        The name of a country, in any language, is that state.

        Raises ``AmbiguousName`` if several entities have it.
        """
        known = self._entities.get(plain_name(name), ())
        return _only(known) if known else self._added(name, location, country)

    def asset_or_entity(self, name: str, location: SourceLocation) -> str:
        """Return the id of the asset of a name, else of the entity, which is added if there is none.

        Raises ``AmbiguousName`` if several have it.
        """
        known = self._assets.get(plain_name(name), ())
        return _only(known) if known else self.entity(name, location)

    def _added(self, name: str, location: SourceLocation, registered_in: str | None) -> str:
        key = named_entity_id(self._dataset, name)
        country = code_of(name)
        values: dict[str, Any] = {
            "id": key,
            "name": name,
            "type": "state" if country else "legalEntity",
            "registered_in": country or registered_in,
            "sources": (self._source,),
            "checked": "unverified",
        }
        if self._builder.has("entities", key) or self._builder.add("entities", values, location):
            self._entities[plain_name(name)] = [key]
        return key

    def hold(self, holding: Holding) -> None:
        """Add a stake; the same owner of the same thing holds once.

        Raises ``AmbiguousName`` if several entities have the name of the owner. Raises ``OtherCountry`` if the owner is
        registered in another country than the holding says.
        """
        owner = self.entity(holding.owner, holding.location, holding.country)
        entity = self._builder.tables["entities"].get(owner)
        if holding.country and isinstance(entity, Entity) and entity.registered_in != holding.country:
            raise OtherCountry(entity.registered_in or "")
        share = holding.share
        gives_none = f"{self._publisher} names the owner and gives no share"
        values: dict[str, Any] = {
            "id": f"{holding.owned}>{stake_suffix(owner)}",
            "owned": holding.owned,
            "owner": owner,
            "share_min": share.least if share else 0.0,
            "share_max": share.largest if share else 100.0,
            "source": self._source,
            "checked": "unverified",
            "note": holding.note if share else gives_none,
        }
        if not self._builder.has("stakes", values["id"]):
            self._builder.add("stakes", values, holding.location)

    def operate(self, asset: str, operator: str, location: SourceLocation) -> None:
        """Add the relation of a company that runs an asset, which is no stake.

        Raises ``AmbiguousName`` if several entities have the name.
        """
        entity = self.entity(operator, location)
        values: dict[str, Any] = {
            "id": f"{asset}@operator/{stake_suffix(entity)}",
            "asset": asset,
            "entity": entity,
            "relation": "operator",
            "source": self._source,
            "checked": "unverified",
        }
        if not self._builder.has("relations", values["id"]):
            self._builder.add("relations", values, location)


def _names(record: object) -> Iterator[str]:
    if isinstance(record, Asset | Entity):
        yield record.name
        yield from record.names.values()
        yield from record.aliases


def _add(index: dict[str, list[str]], key: str, names: Iterable[str]) -> None:
    for name in {plain_name(name) for name in names}:
        index[name].append(key)


def _only(ids: Iterable[str]) -> str:
    listed = tuple(ids)
    if len(listed) > 1:
        raise AmbiguousName(listed[:_TOLD_IDS])
    return listed[0]


#: Letters of the longest share that stands behind a name.
_SHARE_LENGTH = 20


def bracketed(text: str) -> str:
    """Return a list such as ``A - 60 %, B 40%`` as ``A [60%]; B [40%]``; one with brackets already is unchanged."""
    if "[" in text or "(" in text or "%" not in text:
        return text
    *parts, rest = text.split("%")
    entries = []
    for part in parts:
        bare = part.rstrip()
        tail = bare[-_SHARE_LENGTH:]
        share = tail[len(tail.rstrip("0123456789.,")) :].lstrip(".,")
        if not share:
            return text
        entries.append(f"{bare[: len(bare) - len(share)].strip(' ,;/:–—-')} [{share}%]")
    return "; ".join([*entries, *([rest.strip(" ,;/")] if rest.strip(" ,;/.") else [])])


def listed_owners(text: str) -> list[tuple[str, ShareInterval | None]] | None:
    """Return the named owners of a list in GEM's notation, each once, with their shares; None if these exceed 100.

    Owners whom the list does not name ("other", "small shareholders") are left out; an owner that stands twice has the
    sum. An owner without a share may have all that the others leave.
    """
    owners = parse_owners(bracketed(text))
    if owners.over_100:
        return None
    shares: dict[str, tuple[str, list[tuple[float, float]]]] = {}
    for entry, bounds in zip(owners.entries, owners.intervals(), strict=True):
        if entry.holder == "named":
            shares.setdefault(plain_name(entry.name), (entry.name, []))[1].append(bounds)
    return [(name, _sum(intervals)) for name, intervals in shares.values()]


def _sum(intervals: list[tuple[float, float]]) -> ShareInterval | None:
    least, largest = (min(100.0, math.fsum(bounds)) for bounds in zip(*intervals, strict=True))
    is_any = least == 0 and largest >= 100 - TOLERANCE
    return None if is_any else ShareInterval(least, largest, least == largest)
