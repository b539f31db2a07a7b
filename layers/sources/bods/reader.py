"""Reader of BODS 0.4: statements to entities, stakes, controls and sources, and every problem of the rest.

An interest in shares is a Stake, any other a Control, which never counts as a share. See docs/bods.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from layers.model.messages import Message
from layers.model.problems import ReadResult, SourceLocation, schema_fault
from layers.model.records import RECORD_TYPES, Record, Records
from layers.sources.bods import interests
from layers.sources.bods import statements as bods_statements
from layers.sources.bods.interests import BodsRelationship, Right, ShareLink
from layers.sources.bods.statements import ProblemLog, Statement, StatementPart, UnreadableError, cut, numbered
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import concatenate_results

#: Key of the annotation with columns for which BODS has no field.
ANNOTATION = "strikeatlas"
#: Columns that are read from the annotation, by table; all others are read from the statement.
ANNOTATION_FIELDS = {
    "entities": ("names", "aliases", "headquartered_in", "joint", "external_ids", "sources", "checked", "note"),
    "assets": (
        *("id", "kind", "names", "aliases", "commodity", "host_country", "capacity", "capacity_unit"),
        *("external_ids", "sources", "checked", "note"),
    ),
    "stakes": ("id", "since", "until", "imputed", "source", "checked", "note"),
    "controls": ("id", "kind", "since", "until", "source", "checked", "note"),
}


def parse(file: str, text: str | bytes, dataset: str = "bods") -> ReadResult:
    """Read a JSON array of BODS 0.4 statements, or one statement a line.

    Only the latest statement of each record counts; a closed relationship ends on the endDate of its interests or else
    on the day of the closing statement. An empty array gives no records and no problems.

    ``file``: name of the file, for the problems. ``text``: at most 200 MB. What is no JSON, is deeper than 1,024
    levels, or holds NaN or numbers beyond a double is a problem. ``dataset``: the load that the records are said to
    come with.

    Rows of the result are positions in the array, or lines, from 1. What a record was taken for, or lacks, is in its
    note.
    """
    faults = ProblemLog(file)
    return read(bods_statements.values(text, faults), faults, dataset)


def read(values: Iterable[tuple[int, Any]], faults: ProblemLog, dataset: str) -> ReadResult:
    """Read statements that are parsed already, each with its row."""
    reader = _Reader(faults, dataset)
    statements = bods_statements.latest(values, faults)
    for statement in statements:
        if statement.kind != "relationship":
            reader.add_party(statement)
    reader.add_relationships([statement for statement in statements if statement.kind == "relationship"])
    return ReadResult(Records.of(reader.tables), reader.locations, faults.all())


class _Reader:
    """Collects the records of one file."""

    def __init__(self, faults: ProblemLog, dataset: str) -> None:
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in RECORD_TYPES}
        self.locations: dict[tuple[str, str], SourceLocation] = {}
        self._faults = faults
        self._dataset = dataset
        # Ids of entities and assets by record id; an unspecified party has the record id of its relationship.
        self._ids: dict[str, str] = {}
        self._holders: set[str] = set()
        self._sources: dict[int, str] = {}

    def add_party(self, statement: Statement) -> None:
        """Read an entity or person statement; one that cannot be read has been listed as a problem."""
        try:
            is_person = statement.kind == "person"
            values = (bods_statements.person_values if is_person else bods_statements.entity_values)(statement)
        except UnreadableError:
            return
        self._add_party(statement, statement.record, values, is_person)

    def _add_party(self, statement: Statement, record: str, values: dict[str, Any], is_person: bool = False) -> None:
        table = "assets" if "assets" in annotation_of(statement).values else "entities"
        if table == "assets":
            values = {name: values[name] for name in ("id", "name")}
        record_added = self._add(table, statement, values, "sources")
        if record_added:
            self._ids[record] = record_added.id
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
            ties[statement.record], rights[statement.record] = interests.relationship_of(statement, owned, owner)

        def contradicted(link: ShareLink, expected: Message) -> None:
            details = by_record[link.record].details
            details.fault(f"interests[{link.index}].share", expected, interests.percent(link))

        links, told_twice = interests.resolve_indirect(ties, contradicted)
        for link in links:
            self._add_stake(by_record[link.record], link)
        for link in told_twice:
            right = interests.beneficial_by_components(by_record[link.record], link)
            rights[link.record] += (right,) if right else ()
        for record, record_rights in rights.items():
            for right in record_rights:
                self._add_control(by_record[record], ties[record], right)

    def _ends(self, statement: Statement) -> tuple[str, str]:
        """Return the record ids of the owned and of the owning party."""
        details = statement.details
        owned, party = details.values.get("subject"), details.values.get("interestedParty")
        if not isinstance(owned, str) or owned.strip() not in self._holders:
            raise details.fault("subject", Message("bods.subject"))
        if isinstance(party, dict):
            # No record id ends in a line break, so this one is free.
            owner = f"{statement.record}\n"
            values = bods_statements.unspecified_values(statement, details.part("interestedParty"))
            self._add_party(statement, owner, values)
            return owned.strip(), owner
        if not isinstance(party, str) or party.strip() not in self._ids:
            raise details.fault("interestedParty", Message("bods.interested-party"))
        return owned.strip(), party.strip()

    def _add_stake(self, statement: Statement, link: ShareLink) -> None:
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

    def _add_control(self, statement: Statement, tie: BodsRelationship, right: Right) -> None:
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
        """Validate a record, completed by its annotation, and add it with its sources."""
        annotated = annotation_of(statement)
        extra = annotated.part(table).values if table in annotated.values else {}
        values = (
            values
            | {name: extra[name] for name in ANNOTATION_FIELDS[table] if name in extra}
            | {"dataset": self._dataset}
        )
        if source_field not in extra:
            source = self._source(statement)
            values[source_field] = source if source_field == "source" else (source,)
        for part in annotated.parts("sources"):
            self._record("sources", statement, part.values)
        return self._record(table, statement, values)

    def _source(self, statement: Statement) -> str:
        """Return the id of a statement's source; empty where the source cannot be read, which has been listed."""
        if statement.row not in self._sources:
            source = self._record("sources", statement, bods_statements.source_values(statement))
            self._sources[statement.row] = source.id if source else ""
        return self._sources[statement.row]

    def _record(self, table: str, statement: Statement, values: dict[str, Any]) -> Record | None:
        try:
            validated = RECORD_TYPES[table].model_validate(values | {"dataset": self._dataset})
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                column = ".".join(str(part) for part in ("recordDetails", table, *fault["loc"]))
                statement.body.fault(
                    column, schema_fault(fault), None if fault["type"] == "missing" else fault["input"]
                )
            return None
        earlier = self.tables[table].get(validated.id)
        if earlier is not None and earlier != validated:
            expected = Message("bods.another-id", {"table": table, "row": self.locations[table, validated.id].row})
            statement.body.fault("recordId", expected, validated.id)
            return None
        self.tables[table][validated.id] = validated
        self.locations.setdefault((table, validated.id), SourceLocation(self._faults.file, statement.row))
        return validated


def annotation_of(statement: Statement) -> StatementPart:
    """Return the annotation of a statement that this program exported: columns by table, and sources; else empty."""
    annotations = statement.body.values.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else ():
        if isinstance(annotation, dict) and isinstance(annotation.get(ANNOTATION), dict):
            return replace(statement.body, values=annotation[ANNOTATION], path=f"annotations.{ANNOTATION}.")
    return replace(statement.body, values={}, path=f"annotations.{ANNOTATION}.")


def _id(statement: Statement, index: int) -> str:
    """Return the record id as an id, followed by the number of the interest where there are several."""
    interests = statement.details.values.get("interests")
    several = isinstance(interests, list) and len(interests) > 1
    return numbered(statement.record, f"/{index + 1}" if several else "")


def read_files(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of statements one by one, with counts of statements that make no record; see ``parse``."""
    return concatenate_results([_read_file(file, options) for file in files])


def _read_file(file: SourceFile, options: LoadOptions) -> ReadResult:
    # Refuses a file with too many JSON values before they are read as statements.
    file.json()
    # Row numbers are those of ``SourceFile.json``, which skips blank lines.
    text = "\n".join(filter(str.strip, file.text().split("\n")))
    result = parse(file.name, text, options.dataset)
    statements = list(bods_statements.values(text, ProblemLog(file.name)))
    ended = {location.row for (table, _), location in result.locations.items() if table != "sources"}
    ended |= {problem.row for problem in result.problems if problem.row is not None}
    records = {_record_of(value) for row, value in statements if row in ended}
    skipped = Counter(
        _EARLIER if _record_of(value) in records else _COVERED_BY_COMPONENTS
        for row, value in statements
        if row not in ended
    )
    return replace(result, rows=len(statements), skipped=dict(skipped))


#: Reasons why a sound statement makes no record of its own; people read them in the report of a load.
_EARLIER = Message("bods.earlier-statement")
_COVERED_BY_COMPONENTS = Message("bods.covered-by-components")


def _record_of(statement: object) -> str:
    return str(statement.get("recordId")) if isinstance(statement, dict) else ""


FORMAT = Format(
    name="bods",
    title="Beneficial Ownership Data Standard 0.4 (JSON)",
    provides="entities, stakes, controls",
    licence="as each statement says",
    recognises=lambda sniff: sniff.container == "json" and {"statementId", "recordType"} <= {*sniff.keys},
    read=read_files,
    signature="the keys statementId and recordType",
)
