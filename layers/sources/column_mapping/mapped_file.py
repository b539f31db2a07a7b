"""The records of the rows of a mapped file: the record of each row, its sources, and whom it names beside it."""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, Literal
from urllib.parse import urlsplit

from shapely.geometry.base import BaseGeometry

from layers.model.messages import Message
from layers.model.problems import MISSING, SourceLocation
from layers.model.records import RECORD_TYPES, Asset, Entity
from layers.model.types import columns
from layers.reference.country_names import code_of_name
from layers.sources.column_mapping.mapped_row import NO_ID, MappedRow, ShareInterval
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.mapping_file import GEOMETRY, NO_LICENCE, ColumnMapping
from layers.sources.reader.owner_grammar import TOLERANCE, parse_owners
from layers.sources.reader.record_builder import (
    CompaniesByName,
    RecordBuilder,
    company_id,
    short_digest,
    slug,
    unused_id,
)
from layers.text.weapon_terms import NamedWeapon, weapon_of

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
    return company_id(dataset, plain_name(name) or name)


class AmbiguousName(LookupError):
    """A name that several records have, with their ids."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Tie:
    """An owner or operator of a record, by name; without a share it may be any, without a country in any.

    ``country``: code of the country in which the owner is registered. ``country_text``: the cell that says so.
    """

    relation: Literal["owner", "operator"]
    record: str
    name: str
    column: str
    location: SourceLocation
    share: ShareInterval | None = None
    note: str | None = None
    country: str | None = None
    country_text: str = ""


class NamedRecords:
    """Finds the assets and entities of names among those that a builder has by now, and adds entities that it lacks.

    ``source`` and ``publisher`` are those of the file, which every added record names.
    """

    def __init__(self, builder: RecordBuilder, dataset: str, source: str, publisher: str) -> None:
        self._builder, self._dataset, self._source = builder, dataset, source
        self._companies = CompaniesByName(builder, dataset, source, publisher)
        self._entities: dict[str, list[str]] = defaultdict(list)
        self._assets: dict[str, list[str]] = defaultdict(list)
        for table, index in (("entities", self._entities), ("assets", self._assets)):
            for key, record in builder.tables[table].items():
                for name in {plain_name(name) for name in _names(record)}:
                    index[name].append(key)

    def entity(self, name: str, location: SourceLocation, country: str | None = None) -> str:
        """Return the id of the entity of a name; one that was not read is added, as registered in a country if given.

        The name of a country, in any language, is that state, unless it is said to be registered in another one.

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
        named = code_of_name(name)
        country = None if registered_in and registered_in != named else named
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

    def tie(self, tie: Tie, country: str | None) -> str | None:
        """Add the stake of an owner, who holds the same thing once, or the relation of an operator, which is no stake.

        Returns the code of the country in which the entity is registered, which is ``country`` if nothing else says it.

        Raises ``AmbiguousName`` if several entities have the name.
        """
        key = self.entity(tie.name, tie.location, country)
        if tie.relation == "operator":
            self._companies.operator(tie.record, key, tie.location)
            return country
        share = (tie.share.least, tie.share.largest) if tie.share else None
        self._companies.stake(tie.record, key, tie.location, share, tie.note)
        entity = self._builder.tables["entities"].get(key)
        if isinstance(entity, Entity) and country and not entity.registered_in:
            self._builder.tables["entities"][key] = entity.model_copy(update={"registered_in": country})
        return entity.registered_in or country if isinstance(entity, Entity) else country


def _names(record: object) -> Iterator[str]:
    if isinstance(record, Asset | Entity):
        yield record.name
        yield from record.names.values()
        yield from record.aliases


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


#: Columns whose names are those of assets first.
_OF_ASSETS = frozenset({"owned", "asset"})


class MappedTable:
    """Makes the records of one table of a mapping, from any number of files.

    ``finish`` has to be called when all tables of assets and entities were read: only then are names known.
    """

    def __init__(self, builder: RecordBuilder, mapping: ColumnMapping, options: LoadOptions, file: str) -> None:
        self._builder, self._mapping, self._dataset = builder, mapping, options.dataset
        self._noun = RECORD_TYPES[mapping.table].__name__.lower()
        self._columns = {column.name: column for column in columns(RECORD_TYPES[mapping.table])}
        own = mapping.source.get("id")
        self.source = f"{options.dataset}/source" + (f"/{slug(own)}" if own else "")
        # Whoever keeps the file compiles reports, and reports nothing beside those that the rows cite.
        licence = options.licence or mapping.source.get("licence", NO_LICENCE)
        values = {**mapping.source, "id": self.source, "licence": licence, "retrieved": options.retrieved}
        builder.add_new("sources", values, SourceLocation(file, 1))
        self._ties: list[Tie] = []
        self._repeats: dict[str, int] = {}
        self._rejected: dict[str, SourceLocation] = {}

    @cached_property
    def _named(self) -> NamedRecords:
        """The records of names: they are read when the first row refers to one, or all rows have been read."""
        return NamedRecords(self._builder, self._dataset, self.source, self._mapping.source["publisher"])

    def missing(self, header: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return record columns whose file column the header lacks, each with that file column."""
        there = {*header}
        parts = [("id", name) for name in self._mapping.id.columns if name != GEOMETRY]
        return [(name, column) for name, column in (*self._mapping.columns.items(), *parts) if column not in there]

    def add(
        self,
        cells: Mapping[str, str],
        location: SourceLocation,
        shape: BaseGeometry | None,
        number: str,
        is_only_table: bool,
    ) -> None:
        """Add the record of one row, or every problem of the row.

        ``cells``: cells by file column. ``location``: where the row stands. ``shape``: geometry of the feature in
        lon/lat degrees (OGC:CRS84); None for rows of tables. ``number``: the number that an id of it has.
        ``is_only_table``: whether no other table reads the row: then it counts as skipped where it is left out.
        """
        row = MappedRow(self._mapping, self._columns, self._dataset, cells)
        reason = row.skipped()
        key = None if reason else self._key(row, number, shape)
        if key is None:
            # Rows of one name are one entity; a row that another table reads, too, has not ended here.
            if is_only_table and self._mapping.id.origin != "name":
                self._builder.skip(reason or Message("column-mapping.repeated"))
            return
        values: dict[str, Any] = {"checked": "unverified", **row.values(), "id": key, **self._weapons(row)}
        values |= self._where(row, values, shape)
        values |= self._share(row)
        cited = self._cited(row)
        values |= {"sources": (*cited, self.source)} if "sources" in self._columns else {"source": self.source}
        ties = self._ties_of(row, key, location)
        values |= self._references(row, location)
        # Once it is mended, the earlier row would be this record.
        if key in self._rejected:
            row.fault("id", key, unused_id(self._rejected[key]))
        for fault in row.faults:
            self._builder.add_problem(location, f"{self._noun} {key}", *fault)
        if not self._builder.add(self._mapping.table, values, location, row.file_columns(), row.unread):
            if key != NO_ID and not self._builder.has(self._mapping.table, key):
                self._rejected.setdefault(key, location)
            return
        for source in cited.values():
            self._builder.add_new("sources", source, location)
        self._ties += ties

    def finish(self) -> None:
        """Add the stakes and relations of the owners and operators that the rows name."""
        # The first row that says a country may stand behind others of that owner.
        countries = {plain_name(tie.name): tie.country for tie in reversed(self._ties) if tie.country}
        for tie in self._ties:
            record = f"{self._noun} {tie.record}"
            try:
                country = self._named.tie(tie, countries.get(plain_name(tie.name)))
            except AmbiguousName as error:
                expected = Message("column-mapping.one-of-name", {"ids": error.ids})
                self._builder.add_problem(tie.location, record, tie.column, tie.name[:90], expected)
                continue
            if tie.country not in (None, country):
                expected = Message("column-mapping.one-country", {"owner": tie.name[:90], "country": country})
                column = self._mapping.columns.get("owner_country", "owner_country")
                self._builder.add_problem(tie.location, record, column, tie.country_text[:90], expected)
        self._ties.clear()

    def _key(self, row: MappedRow, number: str, shape: BaseGeometry | None) -> str | None:
        """Return the id of a row; None where the row is left out because an earlier one has its id."""
        given = self._mapping.id
        if given.origin == "name":
            name = row.text("name")
            key = named_entity_id(self._dataset, name) if name else NO_ID
        else:
            key = row.id(number, shape)
        is_used = key in self._rejected or self._builder.has(self._mapping.table, key)
        if given.repeated == "error" or not is_used:
            return key
        if given.repeated == "first":
            return None
        count = self._repeats.get(key, 1) + 1
        while self._builder.has(self._mapping.table, f"{key}-{count}"):
            count += 1
        self._repeats[key] = count
        return f"{key}-{count}"

    def _references(self, row: MappedRow, location: SourceLocation) -> dict[str, Any]:
        """Return the ids of the records that a row refers to by name."""
        ids: dict[str, Any] = {}
        for column in self._mapping.by_name:
            text = row.text(column)
            listed = row.listed(column) if self._mapping.values.get(column) else None
            if listed is not None or not text:
                ids |= {column: listed} if listed else {}
                continue
            find = self._named.asset_or_entity if column in _OF_ASSETS else self._named.entity
            try:
                ids[column] = find(text, location)
            except AmbiguousName as error:
                row.fault(column, text[:90], Message("column-mapping.one-of-name", {"ids": error.ids}))
        return ids

    def _share(self, row: MappedRow) -> dict[str, Any]:
        """Return the bounds of a stake whose share is given as written."""
        if self._mapping.table != "stakes" or not self._mapping.provides("share"):
            return {}
        share = row.share("share")
        if share is None:
            if "share" not in row.unread:
                row.fault("share", MISSING, Message("column-mapping.share"))
            row.unread |= {"share_min", "share_max"}
            return {}
        bounds: dict[str, Any] = {"share_min": share.least, "share_max": share.largest}
        return bounds if share.is_plain or row.text("note") else {**bounds, "note": row.text("share")}

    def _cited(self, row: MappedRow) -> dict[str, dict[str, Any]]:
        """Return the web addresses that a row cites as sources, by id."""
        cited = {}
        for url in row.words("source_url"):
            host = _host(url)
            if host is None:
                row.fault("source_url", url, Message("column-mapping.address"))
                continue
            source_id = f"{self._dataset}/url/{short_digest(url, 16)}"
            cited[source_id] = {"id": source_id, "url": url, "publisher": host}
        return cited

    def _where(self, row: MappedRow, values: dict[str, Any], shape: BaseGeometry | None) -> dict[str, Any]:
        """Return the location columns of a record; without a geometry, ``values`` lose precision and basis."""
        if "geometry" not in self._columns:
            return {}
        geometry = row.geometry(shape)
        geometry = values.get("geometry") if geometry is None else geometry
        if geometry is not None:
            return {"geometry": geometry, "place_source": self.source}
        for name in ("uncertainty_m", "basis"):
            values.pop(name, None)
        return {}

    def _ties_of(self, row: MappedRow, key: str, location: SourceLocation) -> list[Tie]:
        """Return the owners and operators that a row of an asset or entity names."""
        if self._mapping.table not in ("assets", "entities"):
            return []
        columns = {"owner": "owner", "operator": "operator"} | row.file_columns()
        owners = self._owners(row)
        # A country beside several owners is nobody's alone.
        text = row.text("owner_country") if len(owners) == 1 else ""
        country = row.country("owner_country") if text else None
        return [
            *(
                Tie("owner", key, name, columns["owner"], location, share, note, country, text)
                for name, share, note in owners
            ),
            *(Tie("operator", key, name, columns["operator"], location) for name in row.words("operator")),
        ]

    def _weapons(self, row: MappedRow) -> dict[str, Any]:
        words = row.words("weapon")
        # The words of a values table are those of the mapping's author.
        named = map(NamedWeapon, words, repeat(None)) if "weapon" in self._mapping.values else map(weapon_of, words)
        weapons = tuple({"kind": kind, "count_min": count, "count_max": count} for kind, count in named)
        return {"weapons": weapons} if weapons else {}

    def _owners(self, row: MappedRow) -> list[tuple[str, ShareInterval | None, str | None]]:
        if self._mapping.grammar.get("owner"):
            text = row.text("owner")
            owners = listed_owners(text)
            if owners is None:
                row.fault("owner", text[:90], Message("column-mapping.whole-shares"))
            return [(name, share, None) for name, share in owners or ()]
        share = row.share("owner_share")
        note = None if share is None or share.is_plain else row.text("owner_share")
        names = row.words("owner")
        # A share stands beside one owner; that of several is nobody's alone.
        return [(name, share if len(names) == 1 else None, note) for name in names]


def _host(url: str) -> str | None:
    """Return the host of a web address, None for any other text."""
    try:
        return urlsplit(url).hostname if web_address(url) else None
    except ValueError:
        return None
