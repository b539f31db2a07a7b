"""Reader of BODS 0.4: statements to entities, stakes, controls and sources, and every problem of the rest.

An interest in shares is a Stake, any other a Control, which never counts as a share. See docs/bods.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from layers.model.read_result import Place, Reading
from layers.model.records import NOUNS, Record, Records
from layers.sources.bods import indirect_interests, interests, parties
from layers.sources.bods import statements as bods_statements
from layers.sources.bods.indirect_interests import Link, Tie
from layers.sources.bods.interests import Right
from layers.sources.bods.parties import cut, numbered
from layers.sources.bods.statements import Faults, Part, Statement, UnreadableError

#: Key of the annotation that holds what BODS has no field for.
ANNOTATION = "strikeatlas"
#: The fields that are taken from it, by table; all others come from the statement itself.
KEPT = {
    "entities": ("names", "aliases", "headquartered_in", "joint", "external_ids", "sources", "checked", "note"),
    "assets": (
        *("id", "kind", "names", "aliases", "commodity", "host_country", "capacity", "capacity_unit"),
        *("external_ids", "sources", "checked", "note"),
    ),
    "stakes": ("id", "since", "until", "imputed", "source", "checked", "note"),
    "controls": ("id", "kind", "since", "until", "source", "checked", "note"),
}


def parse(file: str, text: str | bytes, dataset: str = "bods") -> Reading:
    """Read a JSON array of BODS 0.4 statements, or one statement a line.

    Only the latest statement of each record counts; a closed relationship ends on the endDate of its interests or else
    on the day of the closing statement. An empty array gives no records and no problems.

    Parameters
    ----------
    file
        Name of the file, for the problems.
    text
        At most 200 MB. What is no JSON, is deeper than 1,024 levels, or holds NaN or numbers beyond a double is a
        problem.
    dataset
        The load that the records are said to come with.

    Returns
    -------
    Reading
        Rows are positions in the array, or lines, from 1. What a record was taken for, or lacks, is in its note.
    """
    faults = Faults(file)
    return read(bods_statements.values(text, faults), faults, dataset)


def read(values: Iterable[tuple[int, Any]], faults: Faults, dataset: str) -> Reading:
    """Read statements that are JSON values already, each with its row."""
    reader = _Reader(faults, dataset)
    statements = bods_statements.latest(values, faults)
    for statement in statements:
        if statement.kind != "relationship":
            reader.add_party(statement)
    reader.add_relationships([statement for statement in statements if statement.kind == "relationship"])
    return Reading(Records.of(reader.tables), reader.places, faults.all())


class _Reader:
    """What has been read of one file so far."""

    def __init__(self, faults: Faults, dataset: str) -> None:
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in NOUNS}
        self.places: dict[tuple[str, str], Place] = {}
        self._faults = faults
        self._dataset = dataset
        # Id of each entity and asset by its record id; of a party that is not specified, by that of its relationship.
        self._ids: dict[str, str] = {}
        self._holders: set[str] = set()
        self._sources: dict[int, str] = {}

    def add_party(self, statement: Statement) -> None:
        """Read an entity or person statement; what cannot be read has been listed."""
        try:
            is_person = statement.kind == "person"
            values = (parties.person_values if is_person else parties.entity_values)(statement)
        except UnreadableError:
            return
        self._add_party(statement, statement.record, values, is_person)

    def _add_party(self, statement: Statement, record: str, values: dict[str, Any], is_person: bool = False) -> None:
        table = "assets" if "assets" in kept(statement).values else "entities"
        if table == "assets":
            values = {name: values[name] for name in ("id", "name")}
        made = self._add(table, statement, values, "sources")
        if made:
            self._ids[record] = made.id
            if not is_person:
                self._holders.add(record)

    def add_relationships(self, statements: list[Statement]) -> None:
        """Read relationships, once all entities and persons are known."""
        by_record = {statement.record: statement for statement in statements}
        ties, rights = {}, {}
        for statement in statements:
            try:
                owned, owner = self._ends(statement)
            except UnreadableError:
                continue
            ties[statement.record], rights[statement.record] = interests.tie(statement, owned, owner)
        links, told_twice = indirect_interests.settled(
            ties, lambda link, expected: _contradicted(by_record, link, expected)
        )
        for link in links:
            self._add_stake(by_record[link.record], link)
        for link in told_twice:
            right = interests.beneficial_by_components(by_record[link.record], link)
            rights[link.record] += (right,) if right else ()
        for record, found in rights.items():
            for right in found:
                self._add_control(by_record[record], ties[record], right)

    def _ends(self, statement: Statement) -> tuple[str, str]:
        """Record ids of what is owned and of who owns it."""
        details = statement.details
        owned, party = details.values.get("subject"), details.values.get("interestedParty")
        if not isinstance(owned, str) or owned.strip() not in self._holders:
            raise details.fault("subject", "the recordId of an entity that can be read in this file")
        if isinstance(party, dict):
            # No record id ends in a line break, so this one is free.
            owner = f"{statement.record}\n"
            values = parties.unspecified_values(statement, details.part("interestedParty"))
            self._add_party(statement, owner, values)
            return owned.strip(), owner
        if not isinstance(party, str) or party.strip() not in self._ids:
            raise details.fault("interestedParty", "a recordId that can be read in this file, or a reason")
        return owned.strip(), party.strip()

    def _add_stake(self, statement: Statement, link: Link) -> None:
        values = {
            "id": _id(statement, link.index),
            "owned": self._ids[link.owned],
            "owner": self._ids.get(link.owner, ""),
            "share_min": link.low,
            "share_max": link.high,
            "since": link.since,
            "until": link.until,
            "checked": "read",
            "note": cut(" ".join(dict.fromkeys(link.notes))) or None,
        }
        self._add("stakes", statement, values, "source")

    def _add_control(self, statement: Statement, tie: Tie, right: Right) -> None:
        values = {
            "id": _id(statement, right.index),
            "controlled": self._ids[tie.owned],
            "controller": self._ids.get(tie.owner, ""),
            "kind": right.kind,
            "since": right.since,
            "until": right.until,
            "checked": "read",
            "note": right.note,
        }
        self._add("controls", statement, values, "source")

    def _add(self, table: str, statement: Statement, values: dict[str, Any], source_field: str) -> Record | None:
        """Validate a record with what its annotation adds, and file it with its sources."""
        annotated = kept(statement)
        extra = annotated.part(table).values if table in annotated.values else {}
        values = values | {name: extra[name] for name in KEPT[table] if name in extra} | {"dataset": self._dataset}
        if source_field not in extra:
            source = self._source(statement)
            values[source_field] = source if source_field == "source" else (source,)
        for part in annotated.parts("sources"):
            self._record("sources", statement, part.values)
        return self._record(table, statement, values)

    def _source(self, statement: Statement) -> str:
        """Id of the source that a statement names; empty where it cannot be read, which has been listed."""
        if statement.row not in self._sources:
            made = self._record("sources", statement, parties.source_values(statement))
            self._sources[statement.row] = made.id if made else ""
        return self._sources[statement.row]

    def _record(self, table: str, statement: Statement, values: dict[str, Any]) -> Record | None:
        try:
            made = NOUNS[table].model_validate(values | {"dataset": self._dataset})
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_context=False):
                column = ".".join(str(part) for part in ("recordDetails", table, *fault["loc"]))
                statement.body.fault(column, fault["msg"], None if fault["type"] == "missing" else fault["input"])
            return None
        earlier = self.tables[table].get(made.id)
        if earlier is not None and earlier != made:
            statement.body.fault(
                "recordId", f"another id in {table} than at {self.places[table, made.id].row}", made.id
            )
            return None
        self.tables[table][made.id] = made
        self.places.setdefault((table, made.id), Place(self._faults.file, statement.row))
        return made


def kept(statement: Statement) -> Part:
    """What an export of this program annotated: fields by table, and sources; empty in the files of others."""
    annotations = statement.body.values.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else ():
        if isinstance(annotation, dict) and isinstance(annotation.get(ANNOTATION), dict):
            return replace(statement.body, values=annotation[ANNOTATION], path=f"annotations.{ANNOTATION}.")
    return replace(statement.body, values={}, path=f"annotations.{ANNOTATION}.")


def _id(statement: Statement, index: int) -> str:
    """The record id as an id; with the number of the interest where there are several."""
    several = len(statement.details.values.get("interests") or ()) > 1
    return numbered(statement.record, f"/{index + 1}" if several else "")


def _contradicted(statements: dict[str, Statement], link: Link, expected: str) -> None:
    statement = statements[link.record]
    found = indirect_interests.percent(link)
    statement.details.fault(f"interests[{link.index}].share", expected, found)
