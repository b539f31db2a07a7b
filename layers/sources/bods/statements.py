"""From the text of a BODS 0.4 file to statements, and the values of their entities, persons and sources.

Beneficial Ownership Data Standard 0.4, standard.openownership.org/en/0.4.0. Knows nothing of interests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

import orjson
from anyascii import anyascii

from layers.model import edtf
from layers.model.messages import Argument, Message
from layers.model.problems import MISSING, Problem, shown_value
from layers.model.types import EntityType
from layers.sources.files.limits import parse_json
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.record_builder import short_digest

VERSION = "0.4"
#: Largest text that is read. Numbers beyond a double are refused by orjson.
MAX_BYTES = 200_000_000
#: Maximum number of problems that are listed; further ones are counted.
MAX_PROBLEMS = 10_000
#: What BODS 0.4 requires of a statement (statement.json, required).
REQUIRED = ("statementId", "declarationSubject", "recordId", "recordType", "recordDetails", "statementDate")
RECORD_TYPES = ("entity", "person", "relationship")
RECORD_STATUSES = ("new", "updated", "closed")

# Required keys that this reader does not use: a statement without them is read.
_DISPENSABLE = ("statementId", "declarationSubject")
_DAY_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ].*")


class UnreadableError(ValueError):
    """A part of a statement that cannot be read; its problem has been listed."""


@dataclass
class ProblemLog:
    """The problems of one file: the first `MAX_PROBLEMS`, and the number of further ones."""

    file: str
    listed: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(self, row: int | None, record: str, column: str, value: object, expected: Message) -> UnreadableError:
        """List a problem; return the error to be raised by a caller that cannot go on."""
        if len(self.listed) < MAX_PROBLEMS:
            self.listed.append(Problem(self.file, row, record, column, brief(value), expected))
        else:
            self.more += 1
        return UnreadableError(f"{record}: {column}")

    def all(self) -> tuple[Problem, ...]:
        """Return the listed problems, and as a last one the number of further ones."""
        if not self.more:
            return tuple(self.listed)
        more = Message("bods.more-problems", {"count": self.more})
        return (*self.listed, Problem(self.file, None, "file", "problems", more, Message("bods.fewer-problems")))


def brief(value: object) -> Argument:
    """Return a value in few letters; a list or object, which may be nested deep, only by its type."""
    if value is None:
        return MISSING
    if isinstance(value, dict | list):
        return Message("cell.object" if isinstance(value, dict) else "cell.list")
    return shown_value(repr(value))


@dataclass(frozen=True)
class StatementPart:
    """An object of a statement, read field by field. A field of the wrong type is a problem and is left out."""

    values: dict[str, Any]
    path: str
    row: int
    record: str
    faults: ProblemLog

    def fault(self, key: str, expected: Message, value: object = None) -> UnreadableError:
        """List a problem of a field of this object."""
        value_shown = self.values.get(key) if value is None else value
        return self.faults.add(self.row, self.record, f"{self.path}{key}", value_shown, expected)

    def text(self, key: str) -> str | None:
        """Return a stripped text; ``None`` where the field is missing or empty."""
        value = self.values.get(key)
        if isinstance(value, str):
            return value.strip() or None
        if value is not None:
            self.fault(key, Message("cell.text"))
        return None

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """Return a code of a closed codelist.

        Raises ``UnreadableError`` if the field is missing or has another value.
        """
        value = self.values.get(key)
        if isinstance(value, str) and value in choices:
            return value
        raise self.fault(key, Message("cell.one-of", {"names": tuple(choices)}))

    def flag(self, key: str) -> bool:
        """Return true or false; false where the field is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, Message("cell.boolean"))
        return value is True

    def percent(self, key: str) -> float | None:
        """Return a number from 0 to 100, None where the field is missing.

        Raises ``UnreadableError`` if the field has any other value.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise self.fault(key, Message("cell.number-between", {"low": 0, "high": 100}))
        return float(value)

    def url(self, key: str) -> str | None:
        """Return a web address; another URI, which BODS allows, gives None and no problem."""
        value = self.text(key)
        return web_address(value) if value else None

    def day(self, key: str) -> str | None:
        """Return a day, or a month or year where no more is given; of a date-time its day.

        Raises ``UnreadableError`` if the field is there and holds no date.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            text = day_of(value.strip())
            try:
                return edtf.parse(text).text
            except edtf.EdtfError:
                pass
        raise self.fault(key, Message("bods.date"))

    def part(self, key: str) -> StatementPart:
        """Return the object in a field; an empty one where the field is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            self.fault(key, Message("cell.object"))
        return self._inner(f"{key}.", value)

    def parts(self, key: str) -> list[StatementPart]:
        """Return the objects of a list; any other element is listed as a problem."""
        inner = [self._inner(f"{key}[{index}].", value) for index, value in enumerate(self._items(key))]
        for index, value in enumerate(self._items(key)):
            if not isinstance(value, dict):
                self.fault(f"{key}[{index}]", Message("cell.object"), value)
        return inner

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the distinct texts of a list."""
        distinct: dict[str, None] = {}
        for index, value in enumerate(self._items(key)):
            if not isinstance(value, str):
                self.fault(f"{key}[{index}]", Message("cell.text"), value)
            elif value.strip():
                distinct[value.strip()] = None
        return tuple(distinct)

    def _items(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            self.fault(key, Message("cell.list"))
        return value if isinstance(value, list) else []

    def _inner(self, path: str, value: object) -> StatementPart:
        values = value if isinstance(value, dict) else {}
        return StatementPart(values, f"{self.path}{path}", self.row, self.record, self.faults)


@dataclass(frozen=True)
class Statement:
    """The latest statement of a record. ``day`` is that of its statementDate."""

    record: str
    kind: str
    closed: bool
    day: str
    moment: datetime
    body: StatementPart
    details: StatementPart

    @property
    def row(self) -> int:
        """Position in the file, from 1; the line number in a file of one statement a line."""
        return self.body.row


def day_of(text: str) -> str:
    """Return the day of an RFC 3339 date-time, and any other text unchanged."""
    match = _DAY_TIME.fullmatch(text)
    return match[1] if match else text


def values(text: str | bytes, faults: ProblemLog) -> Iterator[tuple[int, Any]]:
    """Yield position and value of each statement of a JSON array, or of JSON Lines."""
    data = _bytes(text, faults)
    if data[:1] == b"[":
        try:
            yield from enumerate(parse_json(data), start=1)
        except orjson.JSONDecodeError as error:
            faults.add(None, "file", "syntax", str(error), Message("bods.array"))
    elif data[:1] == b"{":
        yield from _lines(data, faults)
    elif data or not faults.listed:
        faults.add(None, "file", "syntax", repr(data[:40]), Message("bods.array-or-lines"))


def _bytes(text: str | bytes, faults: ProblemLog) -> bytes:
    if len(text) > MAX_BYTES:
        faults.add(None, "file", "size", len(text), Message("bods.size", {"megabytes": MAX_BYTES // 10**6}))
        return b""
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        faults.add(None, "file", "encoding", str(error), Message("bods.no-surrogates"))
        return b""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()


def _lines(data: bytes, faults: ProblemLog) -> Iterator[tuple[int, Any]]:
    for row, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield row, parse_json(line)
        except orjson.JSONDecodeError as error:
            faults.add(row, "statement", "syntax", str(error), Message("bods.line"))


def latest(numbered_values: Iterable[tuple[int, Any]], faults: ProblemLog) -> list[Statement]:
    """Return the latest statement of each record, in the order in which the records first occur.

    The latest is the one with the last statementDate, and of one date the last in the file (BODS 0.4, information
    updates).
    """
    newest: dict[str, Statement] = {}
    for row, value in numbered_values:
        try:
            statement = _statement(row, value, faults)
        except UnreadableError:
            continue
        earlier = newest.get(statement.record)
        if earlier and earlier.kind != statement.kind:
            statement.body.fault(
                "recordType", Message("bods.kind-as-before", {"kind": earlier.kind, "row": earlier.row})
            )
        elif earlier is None or earlier.moment <= statement.moment:
            newest[statement.record] = statement
    return list(newest.values())


def _statement(row: int, value: object, faults: ProblemLog) -> Statement:
    if not isinstance(value, dict):
        raise faults.add(row, "statement", "statement", value, Message("cell.object"))
    name = value.get("statementId")
    body = StatementPart(
        value, "", row, f"statement {name if isinstance(name, str) else '(no statementId)'}"[:120], faults
    )
    version = body.part("publicationDetails").text("bodsVersion")
    if version not in (None, VERSION):
        raise body.fault("publicationDetails.bodsVersion", Message("bods.version", {"version": VERSION}), version)
    for key in REQUIRED:
        if value.get(key) is None and key not in _DISPENSABLE:
            raise body.fault(key, Message("bods.required", {"version": VERSION}))
    record = body.text("recordId")
    if record is None:
        raise body.fault("recordId", Message("bods.text-not-empty"))
    status = body.choice("recordStatus", RECORD_STATUSES) if "recordStatus" in value else "new"
    moment = _moment(body)
    kind = body.choice("recordType", RECORD_TYPES)
    return Statement(
        record, kind, status == "closed", str(body.day("statementDate")), moment, body, body.part("recordDetails")
    )


def _moment(body: StatementPart) -> datetime:
    text = body.text("statementDate") or ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise body.fault("statementDate", Message("bods.date-time")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
