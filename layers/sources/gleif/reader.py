"""Reader of GLEIF: level 1 (who is who) to entities, level 2 (who owns whom) to controls, never to shares.

Level 2 says whose consolidated accounts a company is in (IFRS 10 and the like), which is control and no stake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from layers.model.identifiers import is_lei
from layers.model.read_result import Place, Reading
from layers.sources.gleif.rows import Row, day, first, rows
from layers.sources.reader.record_builder import Gathered, ended_by

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
    "RESIDENT_GOVERNMENT_ENTITY": "stateBody",
    "SOLE_PROPRIETOR": "person",
    "INTERNATIONAL_ORGANIZATION": "legalEntity",
    "BRANCH": "legalEntity",
    "FUND": "legalEntity",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
# The CSV numbers the names last, JSON the elements of a list that holds them.
_OTHER_NAME = re.compile(
    r"Entity\.(Transliterated)?OtherEntityNames(\.(Transliterated)?OtherEntityName)?\.\d+(\.\w+Name)?"
)


def parse(file: str, text: str) -> Reading:
    """Read one GLEIF file: level 1 records, relationships or reporting exceptions, as JSON or golden-copy CSV.

    JSON is an array of records, or an object that holds one (``records``, ``relations``, ``exceptions``); values may
    be wrapped as ``{"$": ...}`` as in the golden copy. See ``parse_all`` for what each record becomes.
    """
    return parse_all([(file, text)])


def parse_all(texts: Iterable[tuple[str, str]], dataset: str = "gleif") -> Reading:
    """Read GLEIF files together, so that relationships find the entities of another file.

    - A level 1 record is an entity ``lei-<lei>``, registered in the country of its legal jurisdiction.
    - A consolidation is a control from its relationship period; where only accounting periods are given, it began by
      the first of them, and their ends say nothing. An end date is the last day. An inactive relationship without
      an end ended by its last update.
    - A branch, a fund's manager and a reporting exception are no control: the entity's note says them.
    - An LEI that no record describes becomes an entity with the LEI as its name. Annulled and duplicate
      registrations, LEIs with wrong check digits and parents without an LEI are problems.
    """
    found = Gathered(dataset)
    found.add("sources", SOURCE, Place("gleif", 0))
    for file, text in texts:
        for place, row in rows(file, text, found):
            found.rows += 1
            _read(found, row, place)
    _name_the_rest(found)
    return found.reading()


def entity_id(lei: str) -> str:
    """Id of the entity with an LEI."""
    return f"lei-{lei.lower()}"


def _read(found: Gathered, row: Row, place: Place) -> None:
    if "Relationship.RelationshipType" in row or "Relationship.StartNode.NodeID" in row:
        _relationship(found, row, place)
    elif category := first(row, "ExceptionCategory", "Exception.Category"):
        _exception(found, row, category, place)
    else:
        _entity(found, row, place)


def _checked(found: Gathered, row: Row, column: str, place: Place) -> str | None:
    """The LEI of a column if its check digits are right, else a problem."""
    lei = str(row.get(column, "")).strip().upper()
    if is_lei(lei):
        return lei
    found.fault(
        place, f"row {place.row}", column, lei or "(missing)", "an LEI whose check digits are right (ISO 17442)"
    )
    return None


def _entity(found: Gathered, row: Row, place: Place) -> None:
    lei = _checked(found, row, "LEI", place)
    if lei is None:
        return
    status = first(row, "Registration.RegistrationStatus") or "unknown"
    if status in WITHDRAWN:
        found.fault(place, f"entity {entity_id(lei)}", "RegistrationStatus", status, "a registration that stands")
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
        "note": _standing(row, status),
    }
    found.add("entities", values, place)


def _names(row: Row) -> Iterator[tuple[str, str, str | None]]:
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
    """The legal name, or where it is not in Latin letters an English or transliterated one."""
    if all(ord(c) < 0x250 for c in legal):
        return legal
    told = [name for name, kind, language in names if language == "en" and not kind.startswith("PREVIOUS")]
    told += [name for name, kind, _ in names if "TRANSLITERATED" in kind]
    return told[0] if told else legal


def _standing(row: Row, registration: str) -> str | None:
    status = first(row, "Entity.EntityStatus", "Entity.Status")
    told = [f"GLEIF: entity {status}." if status not in (None, "ACTIVE") else ""]
    told.append(f"GLEIF: registration {registration}." if registration not in ("ISSUED", "unknown") else "")
    return " ".join(part for part in told if part) or None


def _relationship(found: Gathered, row: Row, place: Place) -> None:
    kind = first(row, "Relationship.RelationshipType") or "(missing)"
    ends = []
    for end in ("StartNode", "EndNode"):
        lei = _checked(found, row, f"Relationship.{end}.NodeID", place)
        if lei is not None:
            ends.append(entity_id(lei))
            found.mention(ends[-1], place)
    if len(ends) < 2:
        return
    child, parent = ends
    if kind not in CONSOLIDATED:
        found.note(child, f"GLEIF: {kind} {parent}, which is no control.")
        return
    status = first(row, "Registration.RegistrationStatus")
    if status in WITHDRAWN:
        found.fault(place, f"control {child}>{parent}", "RegistrationStatus", status, "a registration that stands")
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
    found.add("controls", values, place)


def _period(row: Row) -> tuple[str | None, str | None, str]:
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
        known = day(first(row, "Registration.LastUpdateDate"))
        until = ended_by(since, known) if known else "0001-01-01/.."
        note += " Inactive; the day of its end is not given."
    return since, until, note


def _periods(row: Row) -> Iterator[tuple[str, str | None, str | None]]:
    """Kind, first and last day of each period; the CSV and the JSON spell the columns in two ways."""
    for column, kind in row.items():
        if column.endswith((".periodType", ".PeriodType")):
            stem = column[: -len(".periodType")]
            start = first(row, f"{stem}.startDate", f"{stem}.StartDate")
            end = first(row, f"{stem}.endDate", f"{stem}.EndDate")
            yield str(kind), day(start), day(end)


def _after(last: str) -> str:
    return (date.fromisoformat(last) + timedelta(days=1)).isoformat()


def _exception(found: Gathered, row: Row, category: str, place: Place) -> None:
    lei = _checked(found, row, "LEI", place)
    if lei is None:
        return
    columns = [name for name in row if name.startswith(("ExceptionReason", "Exception.Reason"))]
    reasons = ", ".join(str(row[name]) for name in columns) or "no reason given"
    parent = category.lower().replace("_", " ")
    found.note(entity_id(lei), f"GLEIF: no {parent} is reported: {reasons}.")
    found.mention(entity_id(lei), place)


def _name_the_rest(found: Gathered) -> None:
    """Give each LEI that is only referred to an entity, so that nothing dangles."""
    for name, place in found.missing():
        lei = name.removeprefix("lei-").upper()
        values = {"id": name, "name": lei, "type": "registeredEntity", "external_ids": {"lei": lei}}
        found.add("entities", {**values, "checked": "unverified", "note": "Known by its LEI only."}, place)
