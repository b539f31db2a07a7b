"""Reader of GLEIF: level 1 (who is who) to entities, level 2 (who owns whom) to controls, never to shares.

Level 2 says whose consolidated accounts a company is in (IFRS 10 and the like), which is control and no stake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import orjson

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.types import is_lei
from layers.sources.files.limits import parse_json
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import RecordBuilder, unknown_end

GleifRow = Mapping[str, Any]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def rows(file: str, text: str, builder: RecordBuilder) -> Iterator[tuple[SourceLocation, GleifRow]]:
    """Yield location and cells of each row of a file; what has another form is added to ``builder`` as a problem."""
    text = text.lstrip("\ufeff \t\r\n")
    if text[:1] in ("[", "{"):
        yield from _json_rows(file, text, builder)
        return
    table = RowTable.of_text(file, text)
    if not {"LEI", "Relationship.StartNode.NodeID"} & set(table.header):
        builder.add_problem(SourceLocation(file, 1), "file", "header", text[:80], Message("gleif.file"))
        return
    for number, cells in table:
        yield SourceLocation(file, number), {name: cell for name, cell in cells.items() if cell}
    builder.add_unreadable_rows(table.problems)


def _json_rows(file: str, text: str, builder: RecordBuilder) -> Iterator[tuple[SourceLocation, GleifRow]]:
    try:
        document = parse_json(text)
    except orjson.JSONDecodeError as error:
        builder.add_problem(SourceLocation(file, 1), "file", "syntax", error, Message("cell.json"))
        return
    if isinstance(document, dict):
        held = [document[name] for name in ("records", "relations", "exceptions") if name in document]
        document = held[0] if held else [document]
    for number, record in enumerate(document if isinstance(document, list) else [], 1):
        location = SourceLocation(file, number)
        if not isinstance(record, dict):
            builder.add_problem(location, "record", "type", record, Message("cell.object"))
            continue
        yield location, dict(_flat(record.get("RelationshipRecord", record)))


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of a JSON record under the column names of the golden-copy CSV; lists are numbered from 1."""
    if isinstance(value, dict):
        for name, part in value.items():
            plain = {"$": "", "#text": "", "@xml:lang": ".xmllang", "@type": ".type"}.get(name, f".{name}")
            yield from _flat(part, f"{path}{plain}")
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            yield from _flat(part, f"{path}.{number}")
    elif value is not None and str(value).strip():
        yield path.lstrip("."), str(value).strip()


def first(row: GleifRow, *names: str) -> str | None:
    """Return the value of the first of several columns that is not empty, None where all are."""
    return next((str(row[name]) for name in names if row.get(name)), None)


def iso_day(text: str | None) -> str | None:
    """Return the calendar day of an ISO 8601 time in the time zone of its issuer, None where the text has none."""
    match = _DAY.match(text or "")
    try:
        return date.fromisoformat(match[0]).isoformat() if match else None
    except ValueError:  # no day of the calendar, such as 30 February
        return None


SOURCE = {
    "id": "gleif",
    "url": "https://www.gleif.org/en/lei-data/gleif-golden-copy",
    "publisher": "Global Legal Entity Identifier Foundation",
    "title": "GLEIF golden copy",
    "language": "en",
    "licence": "CC0-1.0",
}
#: Relationship types that are control (RR-CDF 2.1), and which level of parent each gives.
CONSOLIDATED = {"IS_DIRECTLY_CONSOLIDATED_BY": "direct", "IS_ULTIMATELY_CONSOLIDATED_BY": "ultimate"}
#: Registrations that GLEIF has withdrawn.
WITHDRAWN = frozenset({"ANNULLED", "DUPLICATE"})
_TYPES = {
    "RESIDENT_GOVERNMENT_ENTITY": "stateBody", "SOLE_PROPRIETOR": "person",
    "INTERNATIONAL_ORGANIZATION": "legalEntity", "BRANCH": "legalEntity", "FUND": "legalEntity",
}  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
# In CSV the number stands at the end of a column name, in JSON it is that of an element in a list of names.
_OTHER_NAME = re.compile(
    r"Entity\.(Transliterated)?OtherEntityNames(\.(Transliterated)?OtherEntityName)?\.\d+(\.\w+Name)?"
)


def parse_all(texts: Iterable[tuple[str, str]], dataset: str = "gleif") -> ReadResult:
    """Read GLEIF files together, so that relationships find the entities of another file.

    Each has level 1 records, relationships or reporting exceptions, as JSON or golden-copy CSV. JSON is an array of
    records, or an object that holds one (``records``, ``relations``, ``exceptions``); values may be wrapped as
    ``{"$": ...}`` as in the golden copy. Relationship types are those of RR-CDF 2.1.

    - A level 1 record is an entity ``lei-<lei>``, registered in the country of its legal jurisdiction.
    - A consolidation is a control from its relationship period; where only accounting periods are given, it began by
      the first of them, and their ends say nothing. An end date is the last day. An inactive relationship without
      an end ended by its last update.
    - A branch, a fund's manager and a reporting exception are no control: the entity's note says them.
    - An LEI that no record describes becomes an entity with the LEI as its name. Annulled and duplicate
      registrations, LEIs with wrong check digits and parents without an LEI are problems.
    """
    builder = RecordBuilder(dataset)
    builder.add("sources", SOURCE, SourceLocation("gleif", 0))
    for file, text in texts:
        for location, row in rows(file, text, builder):
            builder.rows += 1
            _read(builder, row, location)
    builder.add_missing_entities(_known_by_lei)
    return builder.result()


def entity_id(lei: str) -> str:
    """Id of the entity with an LEI."""
    return f"lei-{lei.lower()}"


def _read(builder: RecordBuilder, row: GleifRow, location: SourceLocation) -> None:
    if "Relationship.RelationshipType" in row or "Relationship.StartNode.NodeID" in row:
        _relationship(builder, row, location)
    elif category := first(row, "ExceptionCategory", "Exception.Category"):
        _exception(builder, row, category, location)
    else:
        _entity(builder, row, location)


def _valid_lei(builder: RecordBuilder, row: GleifRow, column: str, location: SourceLocation) -> str | None:
    """Return the LEI of a column if its check digits are right; otherwise add a problem and return None."""
    lei = str(row.get(column, "")).strip().upper()
    if is_lei(lei):
        return lei
    builder.add_problem(location, f"row {location.row}", column, lei or MISSING, Message("cell.lei"))
    return None


def _entity(builder: RecordBuilder, row: GleifRow, location: SourceLocation) -> None:
    lei = _valid_lei(builder, row, "LEI", location)
    if lei is None:
        return
    status = first(row, "Registration.RegistrationStatus") or "unknown"
    if status in WITHDRAWN:
        record = f"entity {entity_id(lei)}"
        builder.add_problem(location, record, "RegistrationStatus", status, Message("gleif.registration"))
        return
    jurisdiction = first(row, "Entity.LegalJurisdiction", "Entity.LegalAddress.Country")
    legal = first(row, "Entity.LegalName") or ""
    names = list(_names(row))
    english = _english(legal, names)
    spoken = {language: name for name, _, language in names if language and name != english}
    values = {
        "id": entity_id(lei),
        "name": english,
        "names": spoken,
        "aliases": tuple(dict.fromkeys(n for n, _, _ in names if n != english and n not in spoken.values())),
        "type": _TYPES.get(first(row, "Entity.EntityCategory") or "", "registeredEntity"),
        "registered_in": jurisdiction[:2] if jurisdiction else None,
        "headquartered_in": first(row, "Entity.HeadquartersAddress.Country"),
        "external_ids": {"lei": lei},
        "sources": ("gleif",),
        "checked": "read",
        "note": _status_note(row, status),
    }
    builder.add("entities", values, location)


def _names(row: GleifRow) -> Iterator[tuple[str, str, str | None]]:
    """Name, type and language of each name, the legal one first."""
    for column in row:
        if column != "Entity.LegalName" and not _OTHER_NAME.fullmatch(column):
            continue
        stem = column.removesuffix(".OtherEntityName").removesuffix(".TransliteratedOtherEntityName")
        language = first(row, f"{column}.xmllang", f"{stem}.xmllang")
        kind = first(row, f"{column}.type", f"{stem}.type") or "LEGAL_NAME"
        spoken = language if language and _LANGUAGE.fullmatch(language) else None
        yield str(row[column]), kind, None if kind.startswith("PREVIOUS") else spoken


def _english(legal: str, names: list[tuple[str, str, str | None]]) -> str:
    """Return the legal name, or where it is not in Latin letters an English or transliterated name."""
    if all(ord(c) < 0x250 for c in legal):
        return legal
    candidates = [name for name, kind, language in names if language == "en" and not kind.startswith("PREVIOUS")]
    candidates += [name for name, kind, _ in names if "TRANSLITERATED" in kind]
    return candidates[0] if candidates else legal


def _status_note(row: GleifRow, registration: str) -> str | None:
    status = first(row, "Entity.EntityStatus", "Entity.Status")
    remarks = [f"GLEIF: entity {status}." if status not in (None, "ACTIVE") else ""]
    remarks.append(f"GLEIF: registration {registration}." if registration not in ("ISSUED", "unknown") else "")
    return " ".join(part for part in remarks if part) or None


def _relationship(builder: RecordBuilder, row: GleifRow, location: SourceLocation) -> None:
    kind = first(row, "Relationship.RelationshipType") or "(missing)"
    ends = []
    for end in ("StartNode", "EndNode"):
        lei = _valid_lei(builder, row, f"Relationship.{end}.NodeID", location)
        if lei is not None:
            ends.append(entity_id(lei))
            builder.require_entity(ends[-1], location)
    if len(ends) < 2:
        return
    child, parent = ends
    if kind not in CONSOLIDATED:
        builder.note(child, f"GLEIF: {kind} {parent}, which is no control.")
        return
    status = first(row, "Registration.RegistrationStatus")
    if status in WITHDRAWN:
        record = f"control {child}>{parent}"
        builder.add_problem(location, record, "RegistrationStatus", status, Message("gleif.registration"))
        return
    since, until, note = _period(row)
    level = CONSOLIDATED[kind]
    values = {
        "id": f"{child}>{parent}/{level}",
        "controlled": child,
        "controller": parent,
        "kind": "consolidation",
        "since": since,
        "until": until,
        "source": "gleif",
        "checked": "read",
        "note": f"{level.capitalize()} accounting consolidation parent.{note}",
    }
    builder.add("controls", values, location)


def _period(row: GleifRow) -> tuple[str | None, str | None, str]:
    """``since``, ``until`` and a note of a relationship."""
    periods = list(_periods(row))
    related = [(start, end) for kind, start, end in periods if kind == "RELATIONSHIP_PERIOD"]
    starts = [start for start, _ in related if start]
    note = ""
    since = min(starts) if starts else None
    if since is None and (accounts := [start for kind, start, _ in periods if "ACCOUNTING" in kind and start]):
        since, note = f"../{min(accounts)}", " Known from its accounts; the start is not given."
    last = [end for _, end in related]
    until = _after(max(end for end in last if end)) if last and all(last) else None
    if until is None and first(row, "Relationship.RelationshipStatus") == "INACTIVE":
        known = iso_day(first(row, "Registration.LastUpdateDate"))
        until = unknown_end(since, known)
        note += " Inactive; the day of its end is not given."
    return since, until, note


def _periods(row: GleifRow) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield kind, first and last day of each period; CSV and JSON spell these columns differently."""
    for column, kind in row.items():
        if column.endswith((".periodType", ".PeriodType")):
            stem = column[: -len(".periodType")]
            start = first(row, f"{stem}.startDate", f"{stem}.StartDate")
            end = first(row, f"{stem}.endDate", f"{stem}.EndDate")
            yield str(kind), iso_day(start), iso_day(end)


def _after(last: str) -> str | None:
    """Return the day after a last day; the last day of the calendar stands for no end."""
    day = date.fromisoformat(last)
    return (day + timedelta(days=1)).isoformat() if day < date.max else None


def _exception(builder: RecordBuilder, row: GleifRow, category: str, location: SourceLocation) -> None:
    lei = _valid_lei(builder, row, "LEI", location)
    if lei is None:
        return
    columns = [name for name in row if name.startswith(("ExceptionReason", "Exception.Reason"))]
    reasons = ", ".join(str(row[name]) for name in columns) or "no reason given"
    parent = category.lower().replace("_", " ")
    builder.note(entity_id(lei), f"GLEIF: no {parent} is reported: {reasons}.")
    builder.require_entity(entity_id(lei), location)


def _known_by_lei(key: str) -> dict[str, Any]:
    lei = key.removeprefix("lei-").upper()
    note = "Known by its LEI only."
    return {"name": lei, "type": "registeredEntity", "external_ids": {"lei": lei}, "note": note}


def read_files(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read GLEIF files together; see ``parse_all``."""
    return parse_all([(file.name, file.text()) for file in files], options.dataset)


def _recognises(sniff: FileSniff) -> bool:
    if sniff.container == "table":
        return bool({"LEI", "Relationship.StartNode.NodeID"} & set(sniff.columns))
    keys = set(sniff.keys)
    single = "LEI" in keys and bool({"Entity", "ExceptionCategory"} & keys)
    paired = {"Relationship", "Registration"} <= keys or "RelationshipRecord" in keys
    wrapped = bool({"records", "relations", "exceptions"} & keys) and "LEI" in sniff.text
    return sniff.container == "json" and (single or paired or wrapped)


FORMAT = Format(
    name="gleif",
    title="GLEIF level 1, level 2 and reporting exceptions (JSON or golden-copy CSV)",
    provides="entities, controls",
    licence="CC0-1.0",
    recognises=_recognises,
    read=read_files,
    signature="a key or column LEI, or the nodes of relationships",
)
