"""The formats of ownership data: BODS, GLEIF and Wikidata; and the curated records, which are of all nouns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from layers.model.read_result import Reading
from layers.sources import bods
from layers.sources.bods import statements as bods_statements
from layers.sources.curated import toml_records
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.gleif import reader as gleif
from layers.sources.reader.format import Format, Request
from layers.sources.reader.record_builder import joined
from layers.sources.wikidata import reader as wikidata


def _read_bods(files: Sequence[SourceFile], request: Request) -> Reading:
    return joined([_bods_of(file, request) for file in files])


def _bods_of(file: SourceFile, request: Request) -> Reading:
    # Refuses a file of more values than are held, before they are read as statements.
    file.json()
    # Rows are numbered as those of ``SourceFile.json``, which passes over blank lines.
    text = "\n".join(filter(str.strip, file.text().split("\n")))
    reading = bods.parse(file.name, text, request.dataset)
    statements = list(bods_statements.values(text, bods_statements.Faults(file.name)))
    ended = {place.row for (table, _), place in reading.places.items() if table != "sources"}
    ended |= {problem.row for problem in reading.problems if problem.row is not None}
    records = {_record_of(value) for row, value in statements if row in ended}
    skipped = Counter(
        _EARLIER if _record_of(value) in records else _TOLD for row, value in statements if row not in ended
    )
    return replace(reading, rows=len(statements), skipped=dict(skipped))


#: Why a statement that is sound makes no record of its own.
_EARLIER = "an earlier statement of a record"
_TOLD = "an interest that its components tell"


def _record_of(statement: object) -> str:
    return str(statement.get("recordId")) if isinstance(statement, dict) else ""


def _read_gleif(files: Sequence[SourceFile], request: Request) -> Reading:
    return gleif.parse_all([(file.name, file.text()) for file in files], request.dataset)


def _read_wikidata(files: Sequence[SourceFile], request: Request) -> Reading:
    return joined([wikidata.parse(file.name, file.text(), request.dataset) for file in files])


def _read_curated(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read records that a person wrote; those that say of which dataset they are, are of that one."""
    reading = toml_records.parse(((file.name, file.text()) for file in files), request.dataset)
    return replace(reading, rows=len(reading.places))


def _is_bods(head: Head) -> bool:
    return head.container == "json" and "statementId" in head.keys and "recordType" in head.keys


def _is_gleif(head: Head) -> bool:
    if head.container == "table":
        return bool({"LEI", "Relationship.StartNode.NodeID"} & set(head.columns))
    keys = set(head.keys)
    single = "LEI" in keys and bool({"Entity", "ExceptionCategory"} & keys)
    paired = {"Relationship", "Registration"} <= keys or "RelationshipRecord" in keys
    wrapped = bool({"records", "relations", "exceptions"} & keys) and "LEI" in head.text
    return head.container == "json" and (single or paired or wrapped)


def _is_wikidata(head: Head) -> bool:
    return head.container == "json" and "entities" in head.keys and '"claims"' in head.text


CURATED = Format(
    name="curated",
    title="Records that a person wrote: TOML of every noun",
    gives="every noun",
    licence="as each source says",
    recognises=lambda head: head.suffix == ".toml",
    read=_read_curated,
    known_by="a name that ends in .toml, or a folder of such files",
)
BODS = Format(
    name="bods",
    title="Beneficial Ownership Data Standard 0.4 (JSON)",
    gives="entities, stakes, controls",
    licence="as each statement says",
    recognises=_is_bods,
    read=_read_bods,
    known_by="the keys statementId and recordType",
)
GLEIF = Format(
    name="gleif",
    title="GLEIF level 1, level 2 and reporting exceptions (JSON or golden-copy CSV)",
    gives="entities, controls",
    licence="CC0-1.0",
    recognises=_is_gleif,
    read=_read_gleif,
    known_by="a key or column LEI, or the nodes of relationships",
)
WIKIDATA = Format(
    name="wikidata",
    title="Wikidata entity JSON",
    gives="entities, stakes, controls",
    licence="CC0-1.0",
    recognises=_is_wikidata,
    read=_read_wikidata,
    known_by="the key entities, and claims in them",
)
