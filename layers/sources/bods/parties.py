"""Entities, persons and sources of BODS 0.4 statements, as the values of records. Knows nothing of interests."""

from __future__ import annotations

import re
from typing import Any, get_args

import orjson
from anyascii import anyascii

from layers.model.messages import Message
from layers.model.types import EntityType
from layers.sources.bods.statements import Statement, StatementPart, UnreadableError
from layers.sources.reader.record_builder import short_digest

ENTITY_TYPES = tuple(kind for kind in get_args(EntityType) if kind != "person")
PERSON_TYPES = ("knownPerson", "anonymousPerson", "unknownPerson")
#: BODS reasons for an unspecified party, and the entity type of each: a party that is not disclosed, or an unknown one.
REASONS = {
    "noBeneficialOwners": "unknownEntity",
    "subjectUnableToConfirmOrIdentifyBeneficialOwner": "unknownEntity",
    "interestedPartyHasNotProvidedInformation": "unknownEntity",
    "subjectExemptFromDisclosure": "anonymousEntity",
    "interestedPartyExemptFromDisclosure": "anonymousEntity",
    "unknown": "unknownEntity",
    "informationUnknownToPublisher": "unknownEntity",
}
#: Schemes of identifiers that have a name of their own among external ids.
SCHEMES = {"XI-LEI": "lei"}
#: Longest text of a record.
LONGEST = 2000

_LONGEST_ID = 160
_ID = re.compile(r"[a-z0-9][a-z0-9._/>@-]{0,159}")
_NOT_ID = re.compile(r"[^a-z0-9._/>@-]+")
_JURISDICTION = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?")
_NAMELESS = {
    "anonymousPerson": "Person not disclosed",
    "unknownPerson": "Unknown person",
    "anonymousEntity": "Entity not disclosed",
    "unknownEntity": "Unknown entity",
}


def slug(text: str) -> str:
    """Return the id for a record id: unchanged if it is one already, else a readable form with 8 digits of its hash."""
    if _ID.fullmatch(text):
        return text
    plain = _NOT_ID.sub("-", anyascii(text[:400]).lower()).strip("._/>@-")[:100]
    return f"{plain}-{short_digest(text)}".lstrip("-")


def numbered(record: str, suffix: str) -> str:
    """Return the id for a part of a record: the record's id, shortened where needed, and a suffix."""
    whole = slug(record)
    if len(whole) + len(suffix) > _LONGEST_ID:
        whole = f"{whole[:100]}-{short_digest(record)}"
    return whole + suffix


def cut(text: str) -> str:
    """Return a text shortened to the length of a record's column, with three dots at its end if it was longer."""
    return text if len(text) <= LONGEST else text[: LONGEST - 4].rstrip() + " ..."


def entity_values(statement: Statement) -> dict[str, Any]:
    """Return the columns of an Entity from an entity statement, without its sources.

    Raises ``UnreadableError`` if its type is none of BODS 0.4.
    """
    details = statement.details
    kind = details.part("entityType").choice("type", ENTITY_TYPES)
    name = details.text("name") or _NAMELESS.get(kind)
    aliases = [other for other in details.texts("alternateNames") if other != name]
    ids = _identifiers(details)
    if uri := details.text("uri"):
        ids["uri"] = uri
    notes = [_unspecified(details.part("unspecifiedEntityDetails")), _closing(statement)]
    return _values(statement, kind, name, aliases, notes) | {
        "registered_in": _country(details.part("jurisdiction")),
        "joint": kind == "arrangement",
        "external_ids": ids | _original(statement.record),
    }


def person_values(statement: Statement) -> dict[str, Any]:
    """Return the columns of an Entity of type person; its country is the nationality, if there is only one.

    Identifiers, addresses and dates of birth are left out: they are personal data and say nothing of ownership.

    Raises ``UnreadableError`` if its type is none of BODS 0.4.
    """
    details = statement.details
    kind = details.choice("personType", PERSON_TYPES)
    parts = sorted(details.parts("names"), key=lambda part: part.text("type") != "legal")
    names = list(dict.fromkeys(full for part in parts if (full := part.text("fullName"))))
    name = names[0] if names else _NAMELESS.get(kind)
    nations = {country for part in details.parts("nationalities") if (country := _country(part))}
    notes = [_unspecified(details.part("unspecifiedPersonDetails")), _closing(statement)]
    if kind != "knownPerson":
        notes.insert(0, f"{kind}.")
    return _values(statement, "person", name, names[1:], notes) | {
        "registered_in": next(iter(nations)) if len(nations) == 1 else None,
        "nationalities": tuple(sorted(nations)) if len(nations) > 1 else (),
        "external_ids": _original(statement.record),
    }


def unspecified_values(statement: Statement, party: StatementPart) -> dict[str, Any]:
    """Return the columns of an Entity for a party that the statement does not name, only the reason for that.

    Raises ``UnreadableError`` if the reason is none of BODS 0.4.
    """
    reason = party.choice("reason", REASONS)
    values = _values(statement, REASONS[reason], f"Not specified: {reason}", [], [_unspecified(party)])
    return values | {"id": numbered(statement.record, "/party")}


def _values(
    statement: Statement, kind: str, name: str | None, aliases: list[str], notes: list[str | None]
) -> dict[str, Any]:
    note = " ".join(note for note in notes if note)
    return {
        "id": slug(statement.record),
        "type": kind,
        "name": name or f"(no name) {statement.record}",
        "aliases": aliases,
        "note": cut(note) or None,
        "checked": "read",
    }


def _original(record: str) -> dict[str, str]:
    return {} if slug(record) == record else {"bods": record}


def _unspecified(part: StatementPart) -> str | None:
    """Return the reason for not naming a party: its code and its description."""
    reason, description = part.text("reason"), part.text("description")
    return f"{reason}: {description}" if reason and description else reason or description


def _closing(statement: Statement) -> str | None:
    return f"Record closed on {statement.day}." if statement.closed else None


def _country(part: StatementPart) -> str | None:
    """Return the ISO 3166-1 code of a country, or of the country of an ISO 3166-2 subdivision."""
    code = part.text("code")
    match = _JURISDICTION.fullmatch(code.upper()) if code else None
    if code and match is None:
        part.fault("code", Message("bods.country"))
    return match[1] if match else None


def _identifiers(details: StatementPart) -> dict[str, str]:
    by_scheme: dict[str, dict[str, None]] = {}
    for part in details.parts("identifiers"):
        scheme, value = part.text("scheme") or part.text("schemeName"), part.text("id")
        if scheme is None or value is None:
            part.fault("scheme" if scheme is None else "id", Message("bods.identifier"))
        else:
            by_scheme.setdefault(SCHEMES.get(scheme, scheme), {})[value] = None
    return {scheme: ", ".join(values) for scheme, values in by_scheme.items()}


def source_values(statement: Statement) -> dict[str, Any]:
    """Return the columns of the Source of a statement: the statement's publisher, and the description of its source."""
    body = statement.body
    publication, source = body.part("publicationDetails"), body.part("source")
    publisher = publication.part("publisher")
    # The field is called url in the schema, and uri in the documentation.
    home = publisher.url("url") or publisher.url("uri")
    values = {
        "url": source.url("url") or home,
        "publisher": cut(publisher.text("name") or home or "not stated"),
        "title": _title(body, source),
        "published": _day(publication, "publicationDate"),
        "retrieved": _day(source, "retrievedAt"),
        "licence": publication.text("license"),
    }
    text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
    return values | {"id": f"{slug(values['publisher'] or '')[:80]}-{short_digest(text)}"}


def _day(part: StatementPart, key: str) -> str | None:
    try:
        return part.day(key)
    except UnreadableError:
        return None


def _title(body: StatementPart, source: StatementPart) -> str | None:
    asserters = [name for part in source.parts("assertedBy") if (name := part.text("name"))]
    declaration = body.text("declaration")
    parts = [
        source.text("description"),
        f"declaration {declaration}" if declaration else None,
        f"as {', '.join(asserters)} say" + ("s" if len(asserters) == 1 else "") if asserters else None,
        ", ".join(source.texts("type")) or None,
    ]
    return cut("; ".join(part for part in parts if part)) or None
