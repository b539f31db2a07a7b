"""Writer of BODS 0.4: entities, persons, stakes and controls as statements. Writes no file.

An annotation holds whatever the reader could not get back from the statement alone, as BODS has no field for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import orjson

from layers.model.records import Asset, Control, Entity, Record, Records, Source, Stake
from layers.sources.bods import reader
from layers.sources.bods.interests import INTEREST_TYPES, SHARES, UNCLEAR
from layers.sources.bods.reader import ANNOTATION, ANNOTATION_FIELDS
from layers.sources.bods.statements import REASONS, SCHEMES, VERSION, ProblemLog, slug

#: Statement ids are uuid5 of their content in this name space (RFC 9562, 5.5).
_NAMESPACE = UUID("5d0a3a62-3a0c-5b0e-9c0e-6f1f2b9a7c41")
_WEB = re.compile(r"https?://[^\s<>\"]+")
_FULL_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SCHEME_OF = {name: scheme for scheme, name in SCHEMES.items()}
_TABLES = ("entities", "assets", "stakes", "controls")


def render(records: Records, publisher: str, published: date) -> list[dict[str, Any]]:
    """Return the statements of all entities, stakes and controls, and of the assets that these refer to.

    An asset is written as an entity of type arrangement, since BODS knows no other; its geometry is left out. Dates
    that are not full days and all else that BODS cannot hold stand in an annotation, from which the reader of this
    program gets them back.

    ``records``: records to write; they are not changed. Stakes and controls that dangle, or are in a person, are left
    out. ``publisher``, ``published``: publisher of the statements, and the day of publication, which is also their
    statementDate.

    Returns JSON values, entities and persons first, each id a function of the content. Empty records give an
    empty list.
    """
    names = _record_ids(records)
    plain = list(_plain(records, names, publisher, published))
    statements = [statement for *_, statement in plain]
    back = reader.read(enumerate(statements, start=1), ProblemLog("statements"), "bods").records
    return [
        _identified(_annotated(statement, table, record, back, records, publisher))
        for table, record, statement in plain
    ]


def _record_ids(records: Records) -> dict[tuple[str, str], str]:
    """Return a record id for each record: its own id, prefixed with the table where another table has that id too."""
    taken: set[str] = set()
    names = {}
    for table in _TABLES:
        for record in records.table(table):
            name = f"{table}:{record}" if record in taken else record
            names[table, record] = name
            taken.add(name)
    return names


def _plain(
    records: Records, names: Mapping[tuple[str, str], str], publisher: str, published: date
) -> Iterator[tuple[str, Record, dict[str, Any]]]:
    """Yield each record with its table and its statement, before annotations."""

    def statement(kind: str, subject: str, name: str, source: Source | None, details: dict[str, Any]) -> dict[str, Any]:
        return {
            "declarationSubject": subject,
            "statementDate": published.isoformat(),
            "publicationDetails": _publication(publisher, published, source),
            "source": _source(source),
            "recordId": name,
            "recordStatus": "new",
            "recordType": kind,
            "recordDetails": {"isComponent": False, **details},
        }

    tied = list(_tied(records))
    held = {owned for _, _, owned, _ in tied}
    parties: list[tuple[str, Entity | Asset]] = [("entities", entity) for entity in records.entities.values()]
    parties += [("assets", asset) for asset in records.assets.values() if asset.id in held]
    for table, party in parties:
        name = names[table, party.id]
        first = next((records.sources[source] for source in party.sources if source in records.sources), None)
        kind = "person" if isinstance(party, Entity) and party.type == "person" else "entity"
        yield table, party, statement(kind, name, name, first, _party(party))
    for table, record, owned, owner in tied:
        # An asset and an entity may share an id: the owned record is then the asset, as in all of the program.
        subject = names["assets" if owned in records.assets else "entities", owned]
        details = {"subject": subject, "interestedParty": names["entities", owner], "interests": [_interest(record)]}
        relationship = statement(
            "relationship", subject, names[table, record.id], records.sources.get(record.source), details
        )
        yield table, record, relationship


def _tied(records: Records) -> Iterator[tuple[str, Stake | Control, str, str]]:
    """Yield table, record, owned record and owner of each stake and control that does not dangle."""
    ties: list[tuple[str, Stake | Control, str, str]] = []
    ties += (("stakes", stake, stake.owned, stake.owner) for stake in records.stakes.values())
    ties += (("controls", one, one.controlled, one.controller) for one in records.controls.values())
    for table, record, owned, owner in ties:
        entity = records.entities.get(owned)
        can_be_owned = owned in records.assets or (entity is not None and entity.type != "person")
        if owner in records.entities and can_be_owned:
            yield table, record, owned, owner


def _publication(publisher: str, published: date, source: Source | None) -> dict[str, Any]:
    details: dict[str, Any] = {"publicationDate": published.isoformat(), "bodsVersion": VERSION}
    if source and source.licence and _WEB.fullmatch(source.licence):
        details["license"] = source.licence
    return details | {"publisher": {"name": publisher}}


def _source(source: Source | None) -> dict[str, Any]:
    if source is None:
        return {}
    values: dict[str, Any] = {"type": ["thirdParty"]}
    if source.title:
        values["description"] = source.title
    if source.url:
        values["url"] = _uri(source.url)
    if source.retrieved and _FULL_DAY.fullmatch(source.retrieved):
        values["retrievedAt"] = source.retrieved
    return values | {"assertedBy": [{"name": source.publisher}]}


def _uri(address: str) -> str:
    """Return an address with what a URI has no letter for percent-encoded, as BODS asks (RFC 3987, 3.1)."""
    return quote(address, safe="%:/?#[]@!$&'()*+,;=")


def _party(party: Entity | Asset) -> dict[str, Any]:
    if isinstance(party, Asset):
        kind = {"type": "arrangement", "subtype": "other", "details": f"{party.kind}: an asset, no legal person"}
        return {"entityType": kind, "name": party.name, **_names(party)}
    return _person(party) if party.type == "person" else _entity(party)


def _person(person: Entity) -> dict[str, Any]:
    alternate_names = _names(person).get("alternateNames", [])
    names = [{"type": "legal", "fullName": person.name}]
    names += [{"type": "alternative", "fullName": name} for name in alternate_names]
    details: dict[str, Any] = {"personType": "knownPerson", "names": names}
    nations = person.nationalities or ((person.registered_in,) if person.registered_in else ())
    if nations:
        details["nationalities"] = [_country(nation) for nation in nations]
    return details


def _entity(entity: Entity) -> dict[str, Any]:
    details: dict[str, Any] = {"entityType": {"type": entity.type}, "name": entity.name, **_names(entity)}
    if entity.type in ("unknownEntity", "anonymousEntity"):
        details["unspecifiedEntityDetails"] = _unspecified(entity)
    if entity.registered_in:
        details["jurisdiction"] = _country(entity.registered_in)
    return details


def _names(party: Entity | Asset) -> dict[str, Any]:
    """Return the alternate names, identifiers and web address of an entity or asset, as far as it has any."""
    uri = party.external_ids.get("uri", "")
    alternate_names = dict.fromkeys((*party.aliases, *party.names.values()))
    ids = {name: value for name, value in party.external_ids.items() if name not in ("uri", "bods")}
    name_fields = {
        "alternateNames": [name for name in alternate_names if name != party.name],
        "identifiers": [{"id": value, "scheme": _SCHEME_OF.get(name, name)} for name, value in ids.items()],
        "uri": _uri(uri) if _WEB.fullmatch(uri) else None,
    }
    return {key: value for key, value in name_fields.items() if value}


def _country(code: str) -> dict[str, str]:
    # BODS requires a name; the code can stand for it in any language.
    return {"name": code, "code": code}


def _unspecified(entity: Entity) -> dict[str, str]:
    """Return the reason at the start of a note, where the reader writes it; else that the party is unknown."""
    reason, _, description = (entity.note or "").partition(": ")
    if reason not in REASONS:
        reason, description = "unknown", entity.note or ""
    return {"reason": reason, "description": description} if description else {"reason": reason}


def _interest(record: Stake | Control) -> dict[str, Any]:
    interest = _share(record) if isinstance(record, Stake) else _control(record)
    for key, day in (("startDate", record.since), ("endDate", record.until)):
        if day and _FULL_DAY.fullmatch(day):
            interest[key] = day
    return interest


def _share(stake: Stake) -> dict[str, Any]:
    share = {"minimum": stake.share_min, "maximum": stake.share_max}
    if stake.share_min == stake.share_max:
        share = {"exact": stake.share_min}
    direct = {"directOrIndirect": "unknown", "beneficialOwnershipOrControl": False}
    return {"type": "shareholding", **direct, "share": share}


def _control(control: Control) -> dict[str, Any]:
    """Return an interest for a control; its type is the one at the start of the note, where the reader writes it."""
    interest_type = re.split(r"[,:]", control.note or "", maxsplit=1)[0]
    interest: dict[str, Any] = {"type": "otherInfluenceOrControl"}
    if control.kind == "majority-of-votes":
        interest = {"type": "votingRights", "share": {"exclusiveMinimum": 50, "maximum": 100}}
    elif control.kind == "rights" and interest_type in INTEREST_TYPES and interest_type not in (*SHARES, *UNCLEAR):
        interest = {"type": interest_type}
    details = f"{control.kind}: {control.note}" if control.note else control.kind
    return interest | {"directOrIndirect": "unknown", "beneficialOwnershipOrControl": False, "details": details}


def _annotated(
    statement: dict[str, Any], table: str, record: Record, back: Records, records: Records, publisher: str
) -> dict[str, Any]:
    """Return the statement with an annotation of everything that the reader would not get back from it."""
    dump = record.model_dump(mode="json")
    got = back.table(table).get(slug(statement["recordId"]))
    plain = got.model_dump(mode="json") if got else {}
    fields = {name: dump[name] for name in ANNOTATION_FIELDS[table] if name not in plain or plain[name] != dump[name]}
    extra: dict[str, Any] = {table: fields} if fields or table == "assets" else {}
    used = fields.get("sources", [fields["source"]] if "source" in fields else [])
    if sources := [records.sources[name] for name in used if name in records.sources]:
        extra["sources"] = [one.model_dump(mode="json", exclude_none=True, exclude={"dataset"}) for one in sources]
    if not extra:
        return statement
    # How a record was checked, its imprecise dates and its note are said in words, too.
    dates = [f"{key} {dump[key]}" for key in ("since", "until") if dump.get(key)]
    annotation = {
        "statementPointerTarget": "",
        "motivation": "commenting",
        "description": ". ".join(filter(None, [f"checked: {dump['checked']}", *dates, dump.get("note")])),
        "creationDate": statement["statementDate"],
        "createdBy": {"name": publisher},
        ANNOTATION: extra,
    }
    return statement | {"annotations": [annotation]}


def _identified(statement: dict[str, Any]) -> dict[str, Any]:
    content = orjson.dumps(statement, option=orjson.OPT_SORT_KEYS).decode()
    return {"statementId": str(uuid5(_NAMESPACE, content)), **statement}


def dumps(statements: Iterable[Mapping[str, Any]]) -> bytes:
    """Return statements as a JSON array, one a line."""
    return b"[\n" + b",\n".join(orjson.dumps(statement) for statement in statements) + b"\n]\n"
